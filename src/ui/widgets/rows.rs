//! Long lists of which only what is seen is laid out.

use std::ops::Range;

use egui::scroll_area::ScrollAreaOutput;
use egui::{ScrollArea, Ui};

/// Draws the rows in sight of `n` of `high` points each. Nothing stands between rows: a row's place is its number times its height, and what is drawn where is
/// what was reckoned.
pub fn draw<R>(
    ui: &mut Ui,
    area: ScrollArea,
    high: f32,
    n: usize,
    rows: impl FnOnce(&mut Ui, Range<usize>) -> R,
) -> ScrollAreaOutput<R> {
    let before = std::mem::take(&mut ui.spacing_mut().item_spacing.y);
    let out = area.show_rows(ui, high, n, rows);
    ui.spacing_mut().item_spacing.y = before;
    out
}
