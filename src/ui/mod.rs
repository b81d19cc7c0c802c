//! The screen: views, widgets, the registry of commands, the look.
//!
//! A view reads [`Bundle`], changes [`UiState`], and pushes [`Action`]s. Nothing here writes data, touches a disk, starts
//! a thread, or computes over all samples while drawing.

pub mod commands;
mod database;
mod database_form;
mod filter_bar;
mod filter_trail;
pub mod fonts;
mod found;
mod inspector;
mod keys;
pub mod making;
mod new_column;
mod new_column_form;
pub mod pictures;
mod popups;
mod replace;
mod replace_form;
mod sample;
mod shell;
pub mod stages;
mod start;
mod state;
pub mod text_model;
pub mod text_model_form;
pub mod theme;
mod unknown;
mod view;
mod widgets;

use std::path::PathBuf;

pub use commands::Command;
pub use database::form_of as database_form_of;
pub use database_form::DatabaseForm;
pub use sample::state::{EditorAt, Piece, SamplePane, Spot};
pub use sample::swap;
pub use stages::collect::compare_form::CompareForm;
pub use stages::explore::{chart_field, chart_measure};
pub use stages::export::ExportForm;
pub use stages::label::{Offered, Review, ReviewTab};
pub use stages::monitor::shown_name as shown_batch;
pub use stages::monitor::state::{BatchSide, MonitorForm};
pub use stages::split::{METHODS, SplitForm, wanted as wanted_split};
pub use stages::train::state::{RunSide, TaughtBy, TrainForm};
pub use stages::{STAGES, stage};
pub use state::{Chart, Popup, Selection, TableColumn, TableState, UiState};
pub use theme::Theme;
pub use view::View;
pub use widgets::text::{count, named, samples as count_samples, sentence};

use crate::action::Action;
use crate::data::{Answers, Pipeline};
use crate::edit::{Edit, EditId};
use crate::io::TextModel;
use crate::job::Running;
use crate::session::{Session, Workspace};

/// One key or button that would touch more samples says so and waits for Enter.
pub const MANY_AT_ONCE: usize = 1_000;

/// A line that the app says; it goes by itself, unless it offers something to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub text: String,
    /// What can be done about it, and the button's name.
    pub remedy: Option<(String, Action)>,
    /// Whether something went wrong.
    pub bad: bool,
    /// When it came, in seconds of the window's clock.
    pub since: f64,
}

/// Everything that views read.
pub struct Bundle<'a> {
    /// What is open, and what was worked out of it.
    pub session: &'a Session,
    pub workspace: Option<&'a Workspace>,
    /// The preview of Augment.
    pub drafted: Option<&'a making::Preview>,
    pub pictures: &'a pictures::Pictures,
    /// How many bytes of pictures are kept on disk.
    pub disk: Option<u64>,
    pub theme: &'a Theme,
    pub running: Vec<Running<'a>>,
    pub notices: &'a [Notice],
    /// Files opened before, the latest first.
    pub recent: &'a [PathBuf],
    /// Pipelines that were kept.
    pub pipelines: &'a [Pipeline],
    /// Text models that the user named, and what they have answered.
    pub text_models: &'a [TextModel],
    pub answers: &'a Answers,
    /// The edit that History shows whole, with its number.
    pub shown_edit: Option<&'a (EditId, Edit)>,
    /// Milliseconds since 1970.
    pub now: i64,
    /// The bundled samples: name and what it is.
    pub samples: &'a [(&'static str, &'static str)],
    /// What the bundled sample is that is open, where one is.
    pub sample: Option<&'static str>,
}

/// Draws the whole window. `commands` are those that buttons asked for, beside `actions`.
pub fn draw(ui: &mut egui::Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>, commands: &mut Vec<Command>) {
    shell::top_bar(ui, state, bundle, actions, commands);
    shell::status_bar(ui, bundle, actions);
    shell::notices(ui, state, bundle, actions);
    if let Some(workspace) = bundle.workspace {
        shell::sample_hint(ui, state, bundle, commands);
        filter_bar::draw(ui, state, bundle, workspace, actions);
        shell::rail(ui, state, bundle, workspace);
        // In a narrow window the table comes first, and the inspector when it is asked for.
        let narrow = ui.ctx().content_rect().width() < bundle.theme.sizes.inspector_from;
        let shown = if narrow { state.inspector_narrow } else { state.inspector };
        state.narrow = narrow;
        let stage = stages::stage(state.view);
        // The sample as a place to work has all that the inspector has.
        let works = matches!(state.view, View::Explore | View::Clean)
            && state.pane.is_open(state.view)
            && state.selection.cursor.is_some();
        if shown && stage.inspector && !works {
            inspector::panel(ui, state, bundle, workspace, actions, commands);
        } else {
            // What follows keeps its identity, as with notices.
            ui.skip_ahead_auto_ids(1);
        }
        let frame = egui::Frame::new().fill(bundle.theme.background);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| (stage.draw)(ui, state, bundle, workspace, actions, commands));
    } else {
        let frame = egui::Frame::new().fill(bundle.theme.background);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| match bundle.session.first_rows() {
            Some(dataset) => stages::explore::preview(ui, bundle, dataset),
            None => start::draw(ui, bundle, actions),
        });
    }
    popups::draw(ui, state, bundle, actions, commands);
}
