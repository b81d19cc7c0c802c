//! Classes by name: a row each with its colour, a bar, how many samples it has and what share that is. Clicked, or dragged across several.

use egui::{Color32, Rect, Role as WidgetType, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::bars::{Axis, Picked};
use super::controls::{clipped, right_aligned, square};
use super::text::{count, percent};
use crate::ui::theme::{STEP, Theme};

/// One class.
pub struct ClassBar {
    pub name: String,
    pub colour: Color32,
    /// How many samples it has, and how many of those the filter leaves; `None` where nothing is filtered.
    pub whole: u64,
    pub part: Option<u64>,
    /// Whether it is filtered by, or the class of the sample under the cursor.
    pub chosen: bool,
}

impl ClassBar {
    fn said(&self, total: u64) -> String {
        let part = self.part.map_or(String::new(), |part| format!(", {} in the filter", count(part as usize)));
        format!("{}: {}, {}{part}", self.name, count(self.whole as usize), percent(self.whole as f64 / total.max(1) as f64))
    }
}

/// Height of a row, and the least width of a column of rows.
pub const HIGH: f32 = 20.0;
const LEAST: f32 = 210.0;

/// The height that so many classes take in `wide` points, three rows at least.
pub fn height(classes: usize, wide: f32) -> f32 {
    classes.div_ceil(((wide / LEAST).floor() as usize).max(1)).max(3) as f32 * HIGH
}

/// Draws `bars` in `height` points, in as many columns as it takes, scrolled where that is not enough. `totals`: samples of all classes, and of
/// those that the filter leaves. Returns what was picked.
pub fn draw(ui: &mut Ui, theme: &Theme, id: &str, bars: &[ClassBar], totals: (u64, u64), axis: Axis, height: f32) -> Picked {
    let mut picked = None;
    let wide = ui.available_width();
    let per_column = ((height / HIGH).floor() as usize).max(1);
    let columns = bars.len().div_ceil(per_column).clamp(1, ((wide / LEAST).floor() as usize).max(1));
    let rows = bars.len().div_ceil(columns);
    let (_, place) = ui.allocate_space(vec2(wide, height));
    let mut inner = ui.new_child(egui::UiBuilder::new().id_salt(("classes", id)).max_rect(place));
    ScrollArea::vertical().auto_shrink(false).show(&mut inner, |ui| {
        let wide = ui.available_width();
        let (rect, drag) = ui.allocate_exact_size(vec2(wide, rows as f32 * HIGH), Sense::drag());
        let column = wide / columns as f32;
        let at = |pos: egui::Pos2| {
            let column = (((pos.x - rect.left()) / column).floor().max(0.0) as usize).min(columns - 1);
            let row = (((pos.y - rect.top()) / HIGH).floor().max(0.0) as usize).min(rows - 1);
            (column * rows + row).min(bars.len().saturating_sub(1))
        };
        if drag.drag_started() {
            let pressed = ui.input(|input| input.pointer.press_origin()).unwrap_or_default();
            ui.data_mut(|data| data.insert_temp(drag.id, pressed));
        }
        let origin: Option<egui::Pos2> = ui.data(|data| data.get_temp(drag.id));
        let across = origin.zip(drag.interact_pointer_pos()).map(|(a, b)| (at(a).min(at(b)), at(a).max(at(b))));
        let most = bars.iter().map(|bar| bar.whole).max().unwrap_or(1).max(1);
        for (n, bar) in bars.iter().enumerate() {
            let corner = pos2(rect.left() + (n / rows) as f32 * column, rect.top() + (n % rows) as f32 * HIGH);
            let row = Rect::from_min_size(corner, vec2(column - STEP * 3.0, HIGH));
            if !ui.is_rect_visible(row) {
                continue;
            }
            let dragged = drag.dragged() && across.is_some_and(|(from, to)| (from..=to).contains(&n));
            if one(ui, theme, bar, row, (drag.id.with(n), dragged), (most, totals), axis) {
                picked = Some((n, n));
            }
        }
        if drag.drag_stopped() {
            picked = across;
        }
    });
    picked
}

/// Draws one class as a line of a list. Returns whether it was clicked.
pub fn line(ui: &mut Ui, theme: &Theme, bar: &ClassBar, totals: (u64, u64)) -> bool {
    let (id, row) = ui.allocate_space(vec2(ui.available_width(), HIGH));
    one(ui, theme, bar, row.with_max_x(row.right() - STEP * 2.0), (id, false), (0, totals), Axis::Linear)
}

/// Draws a row; without a bar where `most` is 0. Returns whether it was clicked.
fn one(
    ui: &Ui,
    theme: &Theme,
    bar: &ClassBar,
    row: Rect,
    (id, dragged): (egui::Id, bool),
    (most, (total, shown)): (u64, (u64, u64)),
    axis: Axis,
) -> bool {
    let response = ui.interact(row, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, bar.chosen, bar.said(total)));
    let marked = bar.chosen || dragged || response.hovered() || response.has_focus();
    if marked {
        ui.painter().rect_filled(row, theme.corner(), if bar.chosen { theme.tint } else { theme.raised });
    }
    let y = row.center().y;
    square(ui, pos2(row.left() + 8.0, y), bar.colour);
    let names = if most == 0 { row.width() - 96.0 } else { (row.width() * 0.44).min(220.0) };
    let ink = if bar.part == Some(0) { theme.dim } else { theme.text };
    clipped(ui, pos2(row.left() + 18.0, y - 8.0), names - 22.0, &bar.name, theme.body(), ink, 1);
    let (number, share) = match bar.part {
        Some(part) => (part, part as f64 / shown.max(1) as f64),
        None => (bar.whole, bar.whole as f64 / total.max(1) as f64),
    };
    right_aligned(ui, pos2(row.right() - 6.0, y), &percent(share), theme.note(), theme.dim);
    right_aligned(ui, pos2(row.right() - 50.0, y), &count(number as usize), theme.body(), ink);
    let field = Rect::from_min_max(pos2(row.left() + names, row.top() + 5.0), pos2(row.right() - 96.0, row.bottom() - 5.0));
    if field.width() > 8.0 && most > 0 {
        let long = |n: u64| {
            let part = match axis {
                Axis::Log => (n as f64 + 1.0).ln() / (most as f64 + 1.0).ln(),
                _ => n as f64 / most as f64,
            };
            Rect::from_min_size(
                field.min,
                vec2(if n == 0 { 0.0 } else { (part as f32 * field.width()).max(1.5) }, field.height()),
            )
        };
        let bright = if marked { theme.accent } else { theme.bar };
        match bar.part {
            Some(part) => {
                ui.painter().rect_filled(long(bar.whole), 2, theme.bar_outside);
                ui.painter().rect_filled(long(part), 2, bright);
            }
            None => {
                ui.painter().rect_filled(long(bar.whole), 2, bright);
            }
        }
    }
    let response = if response.hovered() { response.on_hover_text_at_pointer(bar.said(total)) } else { response };
    response.clicked()
}
