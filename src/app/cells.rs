//! Find and replace, copying, and what asks first: because it touches very many samples, or would leave what was typed.

use egui::Context;

use super::App;
use crate::action::{Action, CollectAction};
use crate::data::SampleId;
use crate::io;
use crate::operate::Operation;
use crate::session::Session;
use crate::ui::commands::set_own_keys;
use crate::ui::{Popup, UiState, count_samples};

/// What leaves the dataset asks first, where something was typed into samples that is not saved.
pub(super) fn guarded(state: &UiState, action: Action) -> Action {
    let leaves = matches!(
        action,
        Action::Quit
            | Action::Close
            | Action::Open(_)
            | Action::OpenSample(_)
            | Action::OpenTrusted(_)
            | Action::Reread(_)
            | Action::Collect(CollectAction::Add(_) | CollectAction::Join(_) | CollectAction::Change { .. })
    );
    match state.unsaved() {
        n if n > 0 && leaves => {
            let words = format!("What was typed in {} is not saved", count_samples(n));
            Action::AskFirst { words, action: Box::new(Action::DropTyped(Box::new(action))) }
        }
        _ => action,
    }
}

/// Carries out one of these actions.
pub(super) fn act(app: &mut App, ctx: &Context, action: Action) {
    match action {
        Action::PreviewReplace { column, what } => {
            let chosen = &app.state.selection.chosen;
            let all = || app.session.visible().iter().collect();
            let samples = if chosen.len() > 1 { chosen.iter().collect() } else { all() };
            app.session.ask_replace(&column, &what, samples);
        }
        Action::ApplyReplace { column, what } => {
            // What is done is what was shown.
            if let Some(view) = app.session.replace_view(&column, &what) {
                let samples = view.samples.to_vec();
                app.operate(ctx, Operation::Replace { samples, column, what });
            }
        }
        Action::Copy { samples, column } => {
            if let Some((text, said)) = copied(&app.session, &app.state, &samples, column.as_deref()) {
                ctx.copy_text(text);
                app.notices.say(ctx, said);
            }
        }
        Action::AskFirst { words, action } => {
            app.state.pop(Popup::Confirm);
            app.state.confirm = Some((words, *action));
        }
        Action::CompletePath(typed) => app.session.complete_path(&typed),
        Action::Rebind { command, key } => {
            match key {
                Some(key) => app.settings.keys.insert(command, key),
                None => app.settings.keys.remove(&command),
            };
            set_own_keys(&app.settings.keys);
            if let Err(error) = app.settings.save(&app.folders) {
                app.notices.complain(ctx, format!("The key holds until the window is closed: it could not be kept ({error})"));
            }
        }
        Action::DropTyped(next) => {
            app.state.pane.drop_all();
            app.state.table.editing = None;
            app.state.class_book.typed = false;
            app.actions.push(*next);
            ctx.request_repaint();
        }
        Action::CopyWeights => {
            if let Some(json) = app.session.class_weights(app.state.balance.beta) {
                ctx.copy_text(json);
                app.notices.say(ctx, "Copied the class weights as JSON");
            }
        }
        _ => {}
    }
}

/// The text for the clipboard, and what is said of it: a cell as it stands, or rows as CSV of the columns that the table shows.
fn copied(session: &Session, state: &UiState, samples: &[SampleId], column: Option<&str>) -> Option<(String, String)> {
    let dataset = session.workspace()?.dataset();
    if let Some(column) = column {
        let text = dataset.text(dataset.field(column)?, *samples.first()?).unwrap_or_default().into_owned();
        return Some((text, "Copied the cell".to_owned()));
    }
    let hidden = |name: &str| state.table.columns.iter().any(|column| column.hidden && column.name == name);
    let fields: Vec<usize> = (0..dataset.fields().len()).filter(|field| !hidden(&dataset.fields()[*field].name)).collect();
    let (text, done) = io::rows_as_csv(dataset, samples, &fields);
    let left = if done < samples.len() { "; the others found no room: save a file instead" } else { "" };
    Some((text, format!("Copied {} as CSV{left}", count_samples(done))))
}
