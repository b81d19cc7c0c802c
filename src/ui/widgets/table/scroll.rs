//! Scrolling by row number, so that the last row is as exact as the first, and sideways by points.

use egui::{Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::NUMBERS;
use super::columns::Laid;
use crate::ui::state::UiState;

/// Takes sideways wheel and the bar below in, where the columns are wider than their place.
pub fn sideways(ui: &mut Ui, state: &mut UiState, rect: Rect, laid: &Laid) {
    let total = laid.wide;
    let place = (rect.width() - NUMBERS - 12.0).max(1.0);
    let most = (total - place).max(0.0);
    if most > 0.0 {
        if ui.rect_contains_pointer(rect) {
            state.table.shift -= ui.input(|input| input.smooth_scroll_delta().x);
        }
        let track =
            Rect::from_min_max(pos2(rect.left() + NUMBERS, rect.bottom() - 10.0), pos2(rect.right() - 12.0, rect.bottom() - 2.0));
        let long = (track.width() * place / total).max(24.0).min(track.width().max(0.0));
        let bar = ui.interact(track, ui.scope_id().with("sideways bar"), Sense::click_and_drag());
        bar.widget_info(|| WidgetInfo::slider(true, f64::from(state.table.shift), "Scroll sideways"));
        if let Some(pos) = bar.interact_pointer_pos().filter(|_| bar.dragged() || bar.clicked()) {
            let part = (pos.x - track.left() - long / 2.0) / (track.width() - long).max(1.0);
            state.table.shift = part.clamp(0.0, 1.0) * most;
        }
        let left = track.left() + (track.width() - long) * (state.table.shift / most).clamp(0.0, 1.0);
        let fill = if bar.hovered() || bar.dragged() {
            ui.visuals().widgets.hovered.bg_fill
        } else {
            ui.visuals().widgets.inactive.bg_fill
        };
        let thumb = Rect::from_min_size(pos2(left, track.top()), vec2(long, track.height()));
        ui.painter().rect_filled(thumb, 4, fill);
    }
    state.table.shift = state.table.shift.clamp(0.0, most);
}

/// Takes wheel, page keys and the scroll bar in; keeps the first row and its part whole. `follow` is a row that must be seen.
#[allow(clippy::too_many_arguments)]
pub fn scroll(
    ui: &mut Ui,
    (first, part): (&mut usize, &mut f32),
    follow: Option<usize>,
    rect: Rect,
    high: f32,
    page: f32,
    most: f64,
    len: usize,
) {
    let mut at = *first as f64 + f64::from(*part);
    if ui.rect_contains_pointer(rect) {
        at -= f64::from(ui.input(|input| input.smooth_scroll_delta().y) / high);
    }
    if ui.memory(|memory| memory.focused().is_none()) {
        ui.input(|input| {
            let page = f64::from(page).floor().max(1.0);
            if input.key_pressed(egui::Key::PageDown) {
                at += page;
            }
            if input.key_pressed(egui::Key::PageUp) {
                at -= page;
            }
            if input.key_pressed(egui::Key::Home) {
                at = 0.0;
            }
            if input.key_pressed(egui::Key::End) {
                at = most;
            }
        });
    }
    if let Some(place) = follow {
        let place = place as f64;
        if place < at {
            at = place;
        } else if place + 1.0 > at + f64::from(page) {
            at = place + 1.0 - f64::from(page);
        }
    }
    if most > 0.0 {
        let track =
            Rect::from_min_max(pos2(rect.right() - 10.0, rect.top() + 2.0), pos2(rect.right() - 2.0, rect.bottom() - 2.0));
        let long = (track.height() * (page / len as f32)).max(24.0).min(track.height().max(0.0));
        let bar = ui.interact(track, ui.scope_id().with("scroll bar"), Sense::click_and_drag());
        bar.widget_info(|| WidgetInfo::slider(true, at, "Scroll"));
        if let Some(pos) = bar.interact_pointer_pos().filter(|_| bar.dragged() || bar.clicked()) {
            let along = (pos.y - track.top() - long / 2.0) / (track.height() - long).max(1.0);
            at = f64::from(along.clamp(0.0, 1.0)) * most;
        }
        let top = track.top() + (track.height() - long) * (at / most).clamp(0.0, 1.0) as f32;
        let theme_visuals = &ui.visuals().widgets;
        let ink = if bar.hovered() || bar.dragged() { theme_visuals.hovered.bg_fill } else { theme_visuals.inactive.bg_fill };
        ui.painter().rect_filled(Rect::from_min_size(pos2(track.left(), top), vec2(track.width(), long)), 4, ink);
    }
    at = at.min(most).max(0.0);
    *first = at.floor() as usize;
    *part = (at - at.floor()) as f32;
}
