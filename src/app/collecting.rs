//! What Collect asks for: sources added, their columns and classes joined.

use std::path::PathBuf;

use egui::Context;

use super::App;
use crate::action::{Action, CollectAction};
use crate::collect::{AlignmentProposal, accept_alignment};
use crate::io::{self, SourcesFile};
use crate::session::{Begun, CarryWay, DiffChoice, Session, edits_in_force, list_path, list_with};
use crate::ui::{CompareForm, UiState, View};

/// Carries out what Collect asks for.
pub(super) fn act(app: &mut App, ctx: &Context, action: CollectAction) {
    let done = match action {
        CollectAction::Add(paths) => add(app, &paths),
        CollectAction::Join(proposals) => join(app, &proposals),
        CollectAction::Change { list, way } => change(app, &list, way),
        CollectAction::Compare(other) => {
            app.state.compare = CompareForm { other: Some(other), ..CompareForm::default() };
            ask(app);
            Ok(())
        }
        CollectAction::CompareFrom(base) => {
            let other = app.state.compare.other.take();
            app.state.compare = CompareForm { other, base: Some(base), ..CompareForm::default() };
            ask(app);
            Ok(())
        }
        CollectAction::Choose(choice) => {
            if let Some(versions) = app.session.compared() {
                app.state.compare.choose(versions, choice);
            }
            Ok(())
        }
        CollectAction::TakeVersion => {
            take(app, ctx);
            Ok(())
        }
        CollectAction::LeaveVersions => {
            app.state.compare = CompareForm::default();
            app.session.compare(None);
            Ok(())
        }
    };
    if let Err(why) = done {
        app.notices.complain(ctx, why);
    }
}

/// Makes the open dataset the first of several sources, or adds to those that it is.
fn add(app: &mut App, paths: &[PathBuf]) -> Result<(), String> {
    let Some(open) = app.session.workspace() else { return Ok(()) };
    let dataset = open.dataset();
    let list = list_with(dataset, open.reading(), paths).map_err(|error| error.to_string())?;
    if !dataset.base.sources.is_empty() {
        return change(app, &list, CarryWay::InPlace);
    }
    let path = list_path(dataset);
    let edits = edits_in_force(open).map_err(|error| error.to_string())?;
    io::write_sources(&path, &list).map_err(|error| error.to_string())?;
    app.state.view = View::Collect;
    app.open(path, Begun::Continue(edits));
    Ok(())
}

fn join(app: &mut App, proposals: &[AlignmentProposal]) -> Result<(), String> {
    let Some(mut list) = app.session.sources().map(|sight| sight.list.clone()) else { return Ok(()) };
    accept_alignment(&mut list, proposals);
    change(app, &list, CarryWay::InPlace)
}

/// Writes the list and opens it as it is now, with the edits of samples that are still there.
fn change(app: &mut App, list: &SourcesFile, way: CarryWay) -> Result<(), String> {
    let Some(open) = app.session.workspace() else { return Ok(()) };
    if open.read_only().is_some() {
        return Err("This dataset is open to be looked at only".to_owned());
    }
    let path = list_path(open.dataset());
    let edited = !open.history().nodes().is_empty();
    io::write_sources(&path, list).map_err(|error| error.to_string())?;
    app.open(path, if edited { Begun::CarryBy(way) } else { Begun::Open });
    Ok(())
}

/// Asks for the comparison that the form names.
fn ask(app: &mut App) {
    let form = &app.state.compare;
    let asked = form.other.clone().map(|other| (other, form.base.clone(), app.folders.projects()));
    app.session.compare(asked);
}

/// Takes over what was chosen, as one edit.
fn take(app: &mut App, ctx: &Context) {
    let Some((open, versions)) = app.session.workspace().zip(app.session.compared()) else { return };
    let form = &app.state.compare;
    let planned = versions.edit(open.dataset(), |at| form.choice(versions, at), form.columns);
    app.edit(ctx, true, |_| planned);
    app.state.compare.columns = false;
}

/// Whether versions are compared on screen: keys walk and choose there.
pub(super) fn is_comparing(state: &UiState, session: &Session) -> bool {
    state.view == View::Collect && state.compare.other.is_some() && session.compared().is_some()
}

/// Goes on among the differences.
pub(super) fn step(state: &mut UiState, session: &Session, by: i64) {
    if let Some(versions) = session.compared() {
        let form = &mut state.compare;
        let n = form.shown(versions).len();
        form.at = (form.at as i64 + by).clamp(0, n.saturating_sub(1) as i64) as usize;
        form.follow = true;
    }
}

/// What a digit chooses: 1, 2 or 3.
pub(super) fn digit(digit: usize) -> Option<Action> {
    let choice = [DiffChoice::Ours, DiffChoice::Theirs, DiffChoice::Base].get(digit.checked_sub(1)?)?;
    Some(Action::Collect(CollectAction::Choose(*choice)))
}

/// What to do with files that were dropped on the window while Collect is shown: they are sources.
pub(super) fn dropped(app: &App, paths: Vec<PathBuf>) -> Option<Action> {
    let here = app.state.view == View::Collect && app.session.workspace().is_some();
    (here && !paths.is_empty()).then_some(Action::Collect(CollectAction::Add(paths)))
}
