//! What Collect asks for: sources added, their columns and classes joined.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use egui::Context;

use super::App;
use crate::action::{Action, CollectAction};
use crate::collect::{AlignmentProposal, accept_alignment};
use crate::data::SourceRead;
use crate::io::{self, SourcesFile};
use crate::session::{Begun, CarryWay, DiffChoice, Session, edits_in_force, list_path, list_with, list_with_database};
use crate::ui::{CompareForm, DatabaseForm, Popup, UiState, View, database_form_of};

/// Carries out what Collect asks for.
pub(super) fn act(app: &mut App, ctx: &Context, action: CollectAction) {
    let done = match action {
        CollectAction::Add(paths) => add(app, &paths),
        CollectAction::NameDatabase => {
            app.state.database = DatabaseForm { list: None, password: String::new(), ..std::mem::take(&mut app.state.database) };
            app.state.pop(Popup::Database);
            Ok(())
        }
        CollectAction::OfferDatabases(path) => offer(app, &path),
        CollectAction::Connect => connect(app),
        CollectAction::Join(proposals) => join(app, &proposals),
        CollectAction::Change { list, way } => change(app, &list, way),
        CollectAction::Compare(other) => {
            app.state.compare = CompareForm::of(other, None);
            ask(app);
            Ok(())
        }
        CollectAction::CompareChanged => {
            if let Some(path) = app.session.workspace().map(|open| open.dataset().base.origin.path.clone()) {
                app.state.view = View::Collect;
                app.state.compare = CompareForm::of(path.clone(), Some(path));
                ask(app);
            }
            Ok(())
        }
        CollectAction::CompareFrom(base) => {
            if let Some(other) = app.state.compare.other.take() {
                app.state.compare = CompareForm::of(other, Some(base));
                ask(app);
            }
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

/// Whether a list was not opened because of a database that somebody has to say a word for.
pub(super) fn is_of_database(why: &str) -> bool {
    why.contains("--connect") || why.contains("it wants the password")
}

/// Shows what a list asks of databases.
fn offer(app: &mut App, path: &Path) -> Result<(), String> {
    // What was typed for a source that was not added stands there still.
    if app.state.database.list.is_none() && !app.state.database.address.is_empty() {
        app.state.pop(Popup::Database);
        return Ok(());
    }
    let list = io::read_sources(path).map_err(|error| error.to_string())?;
    app.state.database = database_form_of(path, &list);
    app.state.pop(Popup::Database);
    Ok(())
}

/// Asks what the form says: the user has named it, so it may be asked from now on.
fn connect(app: &mut App) -> Result<(), String> {
    let form = app.state.database.clone();
    let connections = form.connections()?;
    for line in form.lines() {
        io::allow_connection(&line);
        if !app.settings.connections.contains(&line) {
            app.settings.connections.push(line);
        }
    }
    for (address, _) in connections.iter().filter(|_| !form.password.is_empty()) {
        io::set_password(address, &form.password);
    }
    app.state.database.password.clear();
    let kept = app.settings.save(&app.folders).map_err(|error| format!("That it may be asked could not be kept: {error}"));
    if let Some((path, _)) = form.list {
        app.open(path, Begun::Open);
        return kept;
    }
    let (address, asked) = (form.address.trim(), form.asked());
    match app.session.workspace() {
        Some(open) => {
            let list = list_with_database(Some((open.dataset(), open.reading())), address, &asked);
            begin(app, &list.map_err(|error| error.to_string())?)?;
        }
        None => {
            let list = list_with_database(None, address, &asked).map_err(|error| error.to_string())?;
            let folder = app.folders.data.join("databases");
            io::make_folder(&folder).map_err(|error| error.to_string())?;
            let name = list.sources.first().map_or("database", |source| source.id.as_str());
            let names = (1..).map(|n| if n == 1 { format!("{name}.sources.json") } else { format!("{name} {n}.sources.json") });
            let path = names
                .map(|name| folder.join(name))
                .find(|path| !path.exists())
                .unwrap_or_else(|| folder.join("database.sources.json"));
            write(app, &path, &list)?;
            app.state.view = View::Collect;
            app.open(path, Begun::Continue(Vec::new(), 0));
        }
    }
    kept
}

/// Makes the open dataset the first of several sources, or adds to those that it is.
fn add(app: &mut App, paths: &[PathBuf]) -> Result<(), String> {
    let Some(open) = app.session.workspace() else { return Ok(()) };
    let dataset = open.dataset();
    let list = list_with(dataset, open.reading(), paths).map_err(|error| error.to_string())?;
    begin(app, &list)
}

/// Opens a list that has what is open and more.
fn begin(app: &mut App, list: &SourcesFile) -> Result<(), String> {
    let Some(open) = app.session.workspace() else { return Ok(()) };
    let dataset = open.dataset();
    if !dataset.base.sources.is_empty() {
        return change(app, list, CarryWay::InPlace(Vec::new()));
    }
    let path = list_path(dataset);
    let edits = edits_in_force(open).map_err(|error| error.to_string())?;
    let print = dataset.base.origin.fingerprint;
    write(app, &path, list)?;
    app.state.view = View::Collect;
    app.open(path, Begun::Continue(edits, print));
    Ok(())
}

fn join(app: &mut App, proposals: &[AlignmentProposal]) -> Result<(), String> {
    let Some(mut list) = app.session.sources().map(|sight| sight.list.clone()) else { return Ok(()) };
    accept_alignment(&mut list, proposals);
    change(app, &list, CarryWay::InPlace(Vec::new()))
}

/// Writes the list and opens it as it is now, with the edits of samples that are still there.
fn change(app: &mut App, list: &SourcesFile, way: CarryWay) -> Result<(), String> {
    let Some(open) = app.session.workspace() else { return Ok(()) };
    if open.read_only().is_some() {
        return Err("This dataset is open to be looked at only".to_owned());
    }
    let sources = &open.dataset().base.sources;
    let prints = sources.iter().map(|source| (source.id.clone(), source.print)).collect();
    let way = if let CarryWay::InPlace(_) = way { CarryWay::InPlace(renamed(sources, list)) } else { way };
    let path = list_path(open.dataset());
    write(app, &path, list)?;
    app.open(path, Begun::CarryBy(way, prints));
    Ok(())
}

/// The columns that a list calls otherwise than what is open: of which rows, from what, to what.
fn renamed(sources: &[SourceRead], list: &SourcesFile) -> Vec<(std::ops::Range<usize>, String, String)> {
    let mut out = Vec::new();
    for source in sources {
        let Some(entry) = list.sources.iter().find(|entry| entry.id == source.id) else { continue };
        for column in &source.columns {
            let now = entry.columns.get(&column.name).cloned().unwrap_or_else(|| Some(column.name.clone()));
            if let (Some(from), Some(to)) = (&column.to, now)
                && *from != to
            {
                out.push((source.first..source.first + source.rows, from.clone(), to));
            }
        }
    }
    out
}

/// Writes a list, and keeps what it said before: it comes back where the new one cannot be opened.
fn write(app: &mut App, path: &Path, list: &SourcesFile) -> Result<(), String> {
    let before = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{} cannot be read, and is left as it is: {error}", path.display())),
    };
    io::write_sources(path, list).map_err(|error| error.to_string())?;
    app.state.list_before = Some((path.to_owned(), before));
    Ok(())
}

/// A file was not opened: where that is a list that was changed here, it says again what it said, and is opened so.
pub(super) fn not_opened(app: &mut App, ctx: &Context, path: &Path) {
    let Some((list, before)) = app.state.list_before.take().filter(|(list, _)| list.as_path() == path) else { return };
    let back = match before {
        Some(text) => io::write_small(&list, &text).map_err(|error| error.to_string()),
        None => std::fs::remove_file(&list).map_err(|error| error.to_string()),
    };
    if let Err(why) = back {
        app.notices.complain(ctx, format!("{} does not say again what it said: {why}", list.display()));
    } else if list.exists() && app.session.workspace().is_none() {
        app.open(list, Begun::Open);
    }
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
    if versions.is_own {
        let settled = versions.settled(|at| form.choice(versions, at));
        let (path, old) = (open.dataset().base.origin.path.clone(), Box::new(open.dataset().clone()));
        match settled {
            Ok(settled) => {
                app.state.compare = CompareForm::default();
                app.session.compare(None);
                app.open(path, Begun::CarryFrom(old, settled));
            }
            Err(error) => app.notices.complain(ctx, error.to_string()),
        }
        return;
    }
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
        let n = form.seen(versions).list.len();
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
