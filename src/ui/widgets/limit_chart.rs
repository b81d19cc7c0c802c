//! A histogram with a limit that is dragged across it.

use egui::{CursorIcon, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::text::count;
use crate::ui::theme::{STEP, Theme};

/// What is drawn.
pub struct LimitChart<'h> {
    /// Its name, for screen readers.
    pub name: &'h str,
    /// How many stand in each of as many equal steps from `least` to `most`.
    pub bins: &'h [u64],
    pub least: f64,
    pub most: f64,
    /// Where the limit stands.
    pub limit: f64,
    /// How a value is written.
    pub write: &'h dyn Fn(f64) -> String,
    /// Whether what lies below the limit is left out, or what lies above it.
    pub below: bool,
}

const HEIGHT: f32 = 56.0;
const AXIS: f32 = 16.0;

/// Draws it. Returns where the limit was dragged, or moved by the arrows, to.
pub fn draw(ui: &mut Ui, theme: &Theme, chart: &LimitChart<'_>) -> Option<f64> {
    let LimitChart { name, bins, least, most, limit, write, below } = chart;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT + AXIS), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::slider(true, *limit, *name));
    let area = Rect::from_min_max(rect.min, pos2(rect.right(), rect.top() + HEIGHT));
    let width = most - least;
    if bins.is_empty() || width <= 0.0 || area.width() < 20.0 {
        return None;
    }
    let x_of = |value: f64| area.left() + (((value - least) / width).clamp(0.0, 1.0) as f32) * area.width();
    let border = x_of(*limit);
    // Roots, so that what is rare is seen beside what is common.
    let top = bins.iter().copied().max().unwrap_or(0).max(1) as f32;
    let step = area.width() / bins.len() as f32;
    for (at, n) in bins.iter().enumerate().filter(|(_, n)| **n > 0) {
        let left = area.left() + at as f32 * step;
        let tall = ((*n as f32 / top).sqrt() * (HEIGHT - STEP)).max(1.5);
        let bar =
            Rect::from_min_max(pos2(left + 0.5, area.bottom() - tall), pos2((left + step - 0.5).max(left + 1.0), area.bottom()));
        let out = if *below { bar.center().x < border } else { bar.center().x > border };
        ui.painter().rect_filled(bar, 1, if out { theme.bar_outside } else { theme.bar });
    }
    ui.painter().hline(area.x_range(), area.bottom(), theme.hairline());
    let held = response.dragged() || response.hovered() || response.has_focus();
    let ink = if held { theme.accent } else { theme.text };
    // A limit beyond all that is drawn stands at the end, and says that it lies farther on.
    let beyond = *limit > *most;
    ui.painter().vline(border, area.y_range(), egui::Stroke::new(if beyond { 1.0 } else { 2.0 }, ink));
    if !beyond {
        ui.painter().rect_filled(Rect::from_center_size(pos2(border, area.top() + 5.0), vec2(8.0, 8.0)), 2, ink);
    }
    let y = area.bottom() + 2.0;
    let note = |at: egui::Pos2, align: egui::Align2, text: String, ink: egui::Color32| {
        ui.painter().text(at, align, text, theme.note(), ink)
    };
    let middle = border.clamp(area.left() + 70.0, (area.right() - 70.0).max(area.left() + 70.0));
    let own = if beyond {
        note(pos2(area.right(), y), egui::Align2::RIGHT_TOP, format!("the limit, {} →", write(*limit)), theme.text)
    } else {
        note(pos2(middle, y), egui::Align2::CENTER_TOP, write(*limit), theme.text)
    };
    for (x, align, value) in [(area.left(), egui::Align2::LEFT_TOP, *least), (area.right(), egui::Align2::RIGHT_TOP, *most)] {
        let text = write(value);
        let wide = ui.painter().layout_no_wrap(text.clone(), theme.note(), theme.dim).size().x;
        let free = if x == area.left() { own.left() > x + wide + STEP } else { own.right() < x - wide - STEP };
        if free {
            note(pos2(x, y), align, text, theme.dim);
        }
    }
    if let Some(pos) = response.hover_pos().filter(|pos| area.contains(*pos)) {
        let at = (((pos.x - area.left()) / step) as usize).min(bins.len() - 1);
        let from = least + width * at as f64 / bins.len() as f64;
        let to = least + width * (at + 1) as f64 / bins.len() as f64;
        ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
        response.clone().on_hover_text_at_pointer(format!("{} to {}: {}", write(from), write(to), count(bins[at] as usize)));
    }
    let moved = response.dragged() || response.clicked();
    if let Some(pos) = response.interact_pointer_pos().filter(|_| moved) {
        return Some(least + f64::from(((pos.x - area.left()) / area.width()).clamp(0.0, 1.0)) * width);
    }
    if response.has_focus() {
        ui.memory_mut(|memory| {
            let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
            memory.set_focus_lock_filter(response.id, filter);
        });
        let steps = ui.input(|input| {
            f64::from(u8::from(input.key_pressed(egui::Key::ArrowRight)))
                - f64::from(u8::from(input.key_pressed(egui::Key::ArrowLeft)))
        });
        if steps != 0.0 {
            return Some((limit + steps * width / 100.0).clamp(*least, *most));
        }
    }
    None
}
