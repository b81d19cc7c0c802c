//! What Monitor asks for, and what comes of it.

use std::path::PathBuf;

use egui::Context;

use super::App;
use crate::action::{Action, MonitorAction};
use crate::data::{Property, Rule};
use crate::monitor::{LogCut, TO_LABEL};
use crate::operate::Operation;
use crate::session::{Save, path_in};
use crate::ui::View;

/// Carries out what Monitor asks for.
pub(super) fn act(app: &mut App, ctx: &Context, action: MonitorAction) {
    match action {
        MonitorAction::Offer(path) => app.session.offer_log(path),
        MonitorAction::Decline => app.session.decline_log(),
        MonitorAction::Watch => {
            let form = &app.state.monitor;
            let Some(Ok((found, _))) = app.session.watching().cut_batches(&form.columns, &form.cut) else { return };
            let batches: Vec<_> = found.iter().map(|(batch, _)| batch.clone()).collect();
            let last = batches.last().map(|batch| batch.name.clone());
            let before = app.session.workspace().map(|open| open.revision());
            app.operate(ctx, Operation::Watch { batches });
            // What was refused stays on screen, with the reason.
            if app.session.workspace().map(|open| open.revision()) != before {
                app.session.decline_log();
                app.state.monitor.shown = last;
                (app.state.monitor.row, app.state.monitor.slice) = (None, 0);
            }
        }
        // A file that was named in the place of a folder is a log itself.
        MonitorAction::LookIn(path) if !path.is_dir() => app.session.offer_log(path),
        MonitorAction::LookIn(path) => {
            let Some(open) = app.session.workspace() else { return };
            let of = vec![path_in(open.dataset(), &path)];
            app.operate(ctx, Operation::Say { property: Property::LogFolder, of, value: Some(String::new()) });
            app.session.look_for_logs();
        }
        MonitorAction::Take => {
            let Some(open) = app.session.workspace() else { return };
            match app.session.watching().take(open) {
                Some(operation) => app.operate(ctx, operation),
                None => app.notices.say(ctx, "The rows are chosen anew, because the data have changed: take them over once more"),
            }
        }
        MonitorAction::Label => label(app),
    }
}

/// Shows what was taken over, one sample after the other.
fn label(app: &mut App) {
    let rule = Rule::Tag(TO_LABEL.to_owned());
    app.state.filter = crate::data::Filter::default();
    app.state.toggle_clause(rule.into());
    app.state.view = View::Explore;
    // The first of them is what the keys are about.
    let first =
        app.session.workspace().and_then(|open| crate::monitor::waiting(open.dataset())).and_then(|all| all.iter().next());
    (app.state.selection.cursor, app.state.selection.chosen) = (first, crate::data::SampleSet::default());
}

/// A log was read: the form says what its columns are taken for.
pub(super) fn read(app: &mut App) {
    let Some(offered) = app.session.watching().offered() else { return };
    app.state.monitor.columns = offered.columns.clone();
    app.state.monitor.cut = LogCut::Whole;
}

/// What to do with a file that was dropped on the window: on Monitor it is a log.
pub(super) fn dropped(app: &App, path: PathBuf) -> Action {
    let log = app.state.view == View::Monitor && app.session.workspace().is_some();
    match (log, path.is_dir()) {
        (true, false) => Action::Monitor(MonitorAction::Offer(path)),
        (true, true) => Action::Monitor(MonitorAction::LookIn(path)),
        (false, _) => Action::Open(path),
    }
}

/// Writes the batch that is shown as a page.
pub(super) fn page(app: &mut App, path: PathBuf) {
    let shown = app.session.workspace().and_then(|open| {
        let name = crate::ui::shown_batch(&app.state, &app.session)?;
        let wants = app.state.monitor.wants(Some(&name), false);
        app.session.watching().shown(open, wants).map(|(shown, _)| std::sync::Arc::clone(shown))
    });
    let Some(shown) = shown else { return };
    app.session.save(Save::Batch { path, shown });
}
