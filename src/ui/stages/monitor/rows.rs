//! Rows of a log: their text, what was said of them, and one of them whole.

use egui::{RichText, Role as WidgetType, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::data::SampleId;
use crate::session::ShownBatch;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{clipped, right_aligned};
use crate::ui::widgets::rows;

const LINE: f32 = 26.0;
const LINES: usize = 12;
/// The most letters of a cell that are shown.
const LETTERS: usize = 2_000;

/// A list of rows, each with a word or two about it. A click shows one whole, below.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    shown: &ShownBatch,
    list: &[SampleId],
    about: &dyn Fn(usize) -> String,
) {
    let log = &shown.log;
    let text = shown.look.text_of(log, "");
    let line = |id: SampleId| -> String {
        match text {
            Some(field) => log.text(field, id).unwrap_or_default().into_owned(),
            // Without a text the row itself says what it is.
            None => (0..log.fields().len()).filter_map(|field| log.text(field, id)).collect::<Vec<_>>().join(" · "),
        }
    };
    let area = ScrollArea::vertical()
        .id_salt("log rows")
        .max_height(LINE * LINES.min(list.len().max(1)) as f32)
        .auto_shrink([false, true]);
    rows::draw(ui, area, LINE, list.len(), |ui, range| {
        for at in range {
            let id = list[at];
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 12.0, LINE), Sense::click());
            let on = state.monitor.row == Some(id);
            let own = line(id);
            response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, on, format!("Row {}: {own}", id.row())));
            if on || response.hovered() {
                ui.painter().rect_filled(rect, theme.corner(), if on { theme.tint } else { theme.hover });
            }
            let about = about(at);
            let right = if about.is_empty() { 0.0 } else { (rect.width() * 0.42).min(330.0) };
            let flat = own.split_whitespace().collect::<Vec<_>>().join(" ");
            clipped(ui, rect.min + vec2(6.0, 4.0), rect.width() - right - 18.0, &flat, theme.body(), theme.text, 1);
            if !about.is_empty() {
                let galley = ui.painter().layout_no_wrap(about.clone(), theme.note(), theme.dim);
                if galley.size().x > right - 6.0 {
                    clipped(ui, pos2(rect.right() - right, rect.top() + 5.0), right - 6.0, &about, theme.note(), theme.dim, 1);
                } else {
                    right_aligned(ui, pos2(rect.right() - 6.0, rect.center().y), &about, theme.note(), theme.dim);
                }
            }
            let response = if about.is_empty() { response } else { response.on_hover_text(about) };
            if response.clicked() {
                state.monitor.row = (!on).then_some(id);
            }
        }
    });
    if let Some(id) = state.monitor.row.filter(|id| list.contains(id)) {
        whole(ui, theme, shown, id);
    }
}

/// One row with all of its cells.
fn whole(ui: &mut Ui, theme: &Theme, shown: &ShownBatch, id: SampleId) {
    ui.add_space(STEP * 2.0);
    egui::Frame::new().fill(theme.panel).stroke(theme.hairline()).corner_radius(theme.corner()).inner_margin(10).show(ui, |ui| {
        ui.label(RichText::new(format!("row {} of {}", id.row(), shown.batch.path)).font(theme.note()).color(theme.dim));
        egui::Grid::new("log row").num_columns(2).spacing(vec2(STEP * 4.0, STEP)).show(ui, |ui| {
            for (field, of) in shown.log.fields().iter().enumerate() {
                let Some(cell) = shown.log.text(field, id).filter(|cell| !cell.is_empty()) else { continue };
                ui.label(RichText::new(&*of.name).font(theme.note()).color(theme.dim));
                let end = cell.char_indices().nth(LETTERS).map_or(cell.len(), |(at, _)| at);
                ui.add(egui::Label::new(&cell[..end]).wrap());
                ui.end_row();
            }
        });
    });
}
