//! The screen: views, widgets, the registry of commands, the look.
//!
//! A view reads [`Bundle`], changes [`UiState`], and pushes [`Action`]s. Nothing here writes data, touches a disk, starts
//! a thread, or computes over all samples while drawing.

pub mod commands;
mod filter_bar;
pub mod fonts;
mod inspector;
pub mod making;
pub mod pictures;
mod popups;
mod shell;
mod state;
pub mod text_model;
pub mod theme;
mod unknown;
mod views;
mod widgets;

use std::path::PathBuf;

pub use commands::Command;
pub use state::{
    Chart, ChartData, ExportForm, Memo, Offered, Popup, Review, ReviewTab, Selection, SplitForm, TableColumn, TableState,
    UiState, View, Visible,
};
pub use theme::Theme;
pub use views::explore::{chart_field, chart_measure};
pub use views::split::{METHODS, wanted as wanted_split};
pub use widgets::text::{count, samples as count_samples};

use crate::action::Action;
use crate::data::{Answers, Dataset, Pipeline};
use crate::edit::{Edit, EditId};
use crate::io::TextModel;
use crate::job::Progress;
use crate::workspace::Workspace;

/// One running job, for the status bar.
pub struct Running<'a> {
    pub key: &'static str,
    pub title: &'a str,
    pub progress: &'a Progress,
}

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
    /// What is open.
    pub workspace: Option<&'a Workspace>,
    /// The first rows of what is being opened.
    pub preview: Option<&'a Dataset>,
    pub memo: &'a Memo,
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
}

/// Draws the whole window. `commands` are those that buttons asked for, beside `actions`.
pub fn draw(ui: &mut egui::Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>, commands: &mut Vec<Command>) {
    shell::top_bar(ui, state, bundle, actions, commands);
    shell::status_bar(ui, bundle, actions);
    shell::notices(ui, state, bundle, actions);
    if let Some(workspace) = bundle.workspace {
        filter_bar::draw(ui, state, bundle, workspace);
        shell::rail(ui, state, bundle, workspace);
        // In a narrow window the table comes first, and the inspector when it is asked for.
        let narrow = ui.ctx().content_rect().width() < bundle.theme.sizes.inspector_from;
        let shown = if narrow { state.inspector_narrow } else { state.inspector };
        state.narrow = narrow;
        if shown && matches!(state.view, View::Explore | View::Clean) {
            inspector::panel(ui, state, bundle, workspace, actions, commands);
        } else {
            // What follows keeps its identity, as with notices.
            ui.skip_ahead_auto_ids(1);
        }
        let frame = egui::Frame::new().fill(bundle.theme.background);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| match state.view {
            View::Collect => views::collect::draw(ui, bundle, workspace, actions),
            View::Explore => views::explore::draw(ui, state, bundle, workspace, actions),
            View::Clean => views::clean::draw(ui, state, bundle, workspace, actions),
            View::Label => views::label::draw(ui, state, bundle, workspace, actions, commands),
            View::Augment => views::augment::draw(ui, state, bundle, workspace, actions),
            View::Balance => views::balance::draw(ui, state, bundle, workspace, actions),
            View::Split => views::split::draw(ui, state, bundle, workspace, actions),
            View::Export => views::export::draw(ui, state, bundle, workspace, actions),
            View::History => views::history::draw(ui, state, bundle, workspace, actions),
        });
    } else {
        let frame = egui::Frame::new().fill(bundle.theme.background);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| match bundle.preview {
            Some(dataset) => views::explore::preview(ui, bundle, dataset),
            None => views::start::draw(ui, bundle, actions),
        });
    }
    popups::draw(ui, state, bundle, actions, commands);
}
