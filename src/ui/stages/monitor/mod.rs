//! Monitor: new data comes in as batches; whether the world has moved, how good the model is on them, and which of their rows become labelled samples.

mod drawn;
mod list;
mod look;
mod offer;
mod rows;
pub mod state;
mod trend;
mod worth;

use egui::{CentralPanel, Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::{Stage, no_samples};
use crate::action::{Action, MonitorAction};
use crate::data::Dataset;
use crate::session::{Need, Session, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::title;

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Batches],
    acts_on: no_samples,
    waiting: |_, workspace| waiting(workspace.dataset()),
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// The width of the list of batches.
const SIDE: f32 = 280.0;

/// How many samples were taken over and wait for a label, or for being admitted.
pub fn waiting(dataset: &Dataset) -> usize {
    crate::monitor::waiting(dataset).map_or(0, crate::data::SampleSet::len)
}

/// The batch on screen: the chosen one, or the last.
pub fn shown_name(state: &UiState, session: &Session) -> Option<String> {
    let all = session.watching().batches();
    let chosen = state.monitor.shown.as_ref().filter(|name| all.iter().any(|batch| batch.name == **name));
    chosen.cloned().or_else(|| all.last().map(|batch| batch.name.clone()))
}

fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let all = bundle.session.watching().batches();
    let shown = shown_name(state, bundle.session);
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 12, top: 16, bottom: 8 });
    Panel::left("batches").exact_size(SIDE.min(ui.available_width() * 0.43)).resizable(false).frame(frame).show(ui, |ui| {
        let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 0, right: 4, top: 8, bottom: 4 });
        Panel::bottom("batch deed")
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| list::deed(ui, state, bundle, workspace, actions));
        ScrollArea::vertical()
            .auto_shrink(false)
            .show(ui, |ui| list::draw(ui, state, bundle, workspace, (all, shown.as_deref()), actions));
    });
    let frame = Frame::new().inner_margin(Margin { left: 20, right: 20, top: 16, bottom: 8 });
    CentralPanel::default().frame(frame).show(ui, |ui| {
        ScrollArea::vertical().id_salt("batch").auto_shrink(false).show(ui, |ui| {
            new_files(ui, bundle, workspace, actions);
            if bundle.session.watching().offered().is_some() || bundle.session.is_running("log") {
                return offer::draw(ui, state, bundle, actions);
            }
            let Some(batch) = all.iter().find(|batch| Some(batch.name.as_str()) == shown.as_deref()) else {
                return empty(ui, bundle);
            };
            if all.len() > 1 {
                trend::draw(ui, state, bundle, workspace, (all, &batch.name));
            }
            look::draw(ui, state, bundle, workspace, batch, actions);
        });
    });
}

/// Files that came into folders that are looked in.
fn new_files(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let files = bundle.session.watching().new_files();
    if files.is_empty() || bundle.session.watching().offered().is_some() || workspace.read_only().is_some() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let n = crate::data::things(files.len(), "new log", "new logs");
        ui.label(RichText::new(format!("{n} in a folder that is looked in:")).color(theme.amber));
        for file in files.iter().take(4) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if ui.link(RichText::new(name).color(theme.accent)).on_hover_text("Look at it, and bring it in").clicked() {
                actions.push(Action::Monitor(MonitorAction::Offer(file.clone())));
            }
        }
        if files.len() > 4 {
            ui.label(RichText::new(format!("and {} more", files.len() - 4)).color(theme.dim));
        }
    });
    ui.add_space(STEP * 3.0);
}

/// Before the first batch.
fn empty(ui: &mut Ui, bundle: &Bundle<'_>) {
    let theme = bundle.theme;
    title(ui, theme, "Has the world moved since?");
    ui.add_space(STEP);
    let said = [
        "Bring in what a model saw in use: a log as CSV, JSON Lines or Parquet, with what it said where that is known. Drop the file here, or choose it on the left.",
        "Each batch is held against the train part: which columns moved, and whether so few rows can tell at all; which texts are like nothing before; how good the model is, and where it is worst.",
        "Rows that teach most become samples with a few keys, their provenance with them. The log itself stays where it is, and nothing of it is in the dataset until you take it over.",
    ];
    for text in said {
        ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
        ui.add_space(STEP);
    }
}
