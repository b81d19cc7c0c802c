//! The table: millions of rows, only the visible ones laid out. Scrolled by row number, so that the last row is as
//! exact as the first. Sort, resize, reorder, pin and hide columns; every row is named for screen readers.

mod cell_edit;
mod columns;
mod header;
mod rows;
mod scroll;

pub use rows::flag_of;
pub use scroll::scroll;

use egui::{Rect, Sense, Ui, pos2, vec2};

use self::columns::Laid;
use super::controls::clipped;
use super::text::flat;
use crate::action::Action;
use crate::data::{Dataset, Role, SampleId};
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};

const HEADER: f32 = 52.0;
const NUMBERS: f32 = 56.0;
const NARROWEST: f32 = 56.0;

/// Draws the table in what is left of `ui`.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let dataset = workspace.dataset();
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    columns::lay_out(state, dataset, rect.width() - NUMBERS);
    let wide = Laid::of(state, dataset, rect);
    scroll::sideways(ui, state, rect, &wide);
    let laid = Laid::of(state, dataset, rect);
    let head = Rect::from_min_size(rect.min, vec2(rect.width(), HEADER));
    let foot = if laid.wide > rect.width() - NUMBERS - 12.0 { 12.0 } else { 0.0 };
    let body = Rect::from_min_max(pos2(rect.left(), head.bottom()), pos2(rect.right(), rect.bottom() - foot));
    rows::draw(ui, state, bundle, workspace, (&laid, body), actions);
    header::draw(ui, state, bundle.theme, bundle.session, workspace, (&laid, head), actions);
    if state.table.shift > 0.0 && laid.places.iter().any(|place| place.pinned) {
        ui.painter().vline(laid.free_from, rect.top()..=body.bottom(), egui::Stroke::new(1.0, bundle.theme.faint));
    }
}

/// The samples as a list of one column, beside what shows one of them whole.
pub fn draw_list(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let dataset = workspace.dataset();
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let read = |role: Role| matches!(role, Role::Text | Role::Messages);
    let field = dataset.with_role(read).or_else(|| dataset.pictures()).or_else(|| (!dataset.fields().is_empty()).then_some(0));
    let Some(field) = field else { return };
    let left = rect.left() + NUMBERS;
    let place = columns::ColumnPlace { at: 0, field, left, right: rect.right() - 12.0, pinned: true };
    let laid = Laid { places: vec![place], free_from: rect.right(), wide: rect.width() - NUMBERS - 12.0 };
    rows::draw(ui, state, bundle, workspace, (&laid, rect), actions);
}

/// The first rows of a dataset that is still being opened: to look at only.
pub fn draw_preview(ui: &mut Ui, theme: &Theme, dataset: &Dataset) {
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let mut state = UiState::default();
    columns::lay_out(&mut state, dataset, rect.width() - NUMBERS);
    let painter = ui.painter_at(rect);
    let mut x = rect.left() + NUMBERS;
    for column in &state.table.columns {
        let Some(field) = dataset.field(&column.name) else { continue };
        painter.text(
            pos2(x + STEP * 2.0, rect.top() + 16.0),
            egui::Align2::LEFT_CENTER,
            &column.name,
            theme.strong(),
            theme.text,
        );
        let rows = ((rect.height() - HEADER) / theme.sizes.row) as usize;
        for row in 0..rows.min(dataset.rows()) {
            let y = rect.top() + HEADER + row as f32 * theme.sizes.row;
            let text = dataset.text(field, SampleId::at(row)).unwrap_or_default();
            clipped(ui, pos2(x + STEP * 2.0, y + 5.0), column.width - STEP * 4.0, &flat(&text, 1), theme.body(), theme.dim, 1);
        }
        x += column.width;
    }
    ui.painter().hline(rect.x_range(), rect.top() + HEADER, theme.hairline());
}
