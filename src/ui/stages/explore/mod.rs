//! Explore: the chart of a column, and the table; or a sample as the middle of the window.

mod chart;
mod class_book;
pub mod class_book_state;
mod classes;
mod facets;

pub use chart::{chart_field, chart_measure};

use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui};

use super::Stage;
use crate::action::Action;
use crate::data::{Dataset, SampleId};
use crate::session::{Session, Workspace};
use crate::ui::Bundle;
use crate::ui::commands::Command;
use crate::ui::sample;
use crate::ui::state::UiState;
use crate::ui::widgets::{gallery, table};

/// The stage.
pub const STAGE: Stage = Stage { needs: &[], acts_on: chosen, waiting: |_, _| 0, inspector: true, draw };

/// The chosen samples, or the one under the cursor.
// As every stage says it.
#[allow(clippy::unnecessary_wraps)]
fn chosen(state: &UiState, session: &Session) -> Result<Vec<SampleId>, String> {
    let chosen = state.selection.samples();
    // What a newer filter leaves out is not there any more.
    Ok(match session.filtered() {
        Some(filtered) => chosen.into_iter().filter(|id| filtered.contains(*id)).collect(),
        None => chosen,
    })
}

/// Draws it.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let dataset = workspace.dataset();
    let theme = bundle.theme;
    let under_work = state.selection.cursor.filter(|id| state.pane.is_open(state.view) && id.row() < dataset.rows());
    if let Some(id) = under_work {
        let wide = (ui.available_width() * 0.3).clamp(180.0, 420.0);
        let frame = Frame::new().fill(theme.background);
        Panel::left("samples").exact_size(wide).resizable(false).frame(frame).show(ui, |ui| {
            table::draw_list(ui, state, bundle, workspace, actions);
        });
        let frame = Frame::new().fill(theme.background);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| {
            sample::draw(ui, state, bundle, workspace, id, actions, commands);
        });
        return;
    }
    if let Some(field) = chart_field(state, dataset) {
        let whole = (ui.available_height() * 0.27).clamp(132.0, 280.0);
        let tall = match classes::needed(workspace, field, ui.available_width() - 32.0) {
            _ if state.chart.folded => theme.sizes.control + 12.0,
            Some(needed) => whole.min(needed + theme.sizes.control + 52.0),
            None => whole,
        };
        let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 16, top: 8, bottom: 4 });
        Panel::top("chart")
            .exact_size(tall)
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| chart::draw(ui, state, bundle, workspace, field, tall));
    }
    if chart_field(state, dataset).is_none() && dataset.pictures().is_some() {
        let frame = Frame::new().fill(theme.background).inner_margin(Margin::symmetric(16, 6));
        Panel::top("which").resizable(false).frame(frame).show(ui, |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| toggle(ui, state, bundle));
        });
    }
    if let Some(column) = state.class_book.column.clone() {
        return class_book::draw(ui, state, bundle, workspace, &column, actions);
    }
    if state.facets {
        facets::draw(ui, state, bundle, workspace);
    }
    if dataset.pictures().is_some() && state.gallery.on {
        return gallery::draw(ui, state, bundle, workspace);
    }
    table::draw(ui, state, bundle, workspace, actions);
}

/// The table or the gallery.
fn toggle(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>) {
    for (on, name) in [(true, "Gallery"), (false, "Table")] {
        let ink = if state.gallery.on == on { bundle.theme.text } else { bundle.theme.dim };
        let hint = format!("{} ({})", Command::ToggleGallery.title(), Command::ToggleGallery.key_text());
        if ui.selectable_label(state.gallery.on == on, RichText::new(name).color(ink)).on_hover_text(hint).clicked() {
            state.gallery.on = on;
            state.table.follow = true;
        }
    }
}

/// The first rows of a file that is still being read.
pub fn preview(ui: &mut Ui, bundle: &Bundle<'_>, dataset: &Dataset) {
    table::draw_preview(ui, bundle.theme, dataset);
}

/// A line below the chart.
fn note(ui: &mut Ui, bundle: &Bundle<'_>, text: String) {
    ui.add(egui::Label::new(RichText::new(text).font(bundle.theme.note()).color(bundle.theme.dim)).truncate());
}
