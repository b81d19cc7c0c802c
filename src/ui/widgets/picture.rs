//! One picture in a place: fitted, or zoomed and moved; waiting, or with the reason why there is none. Boxes over it.

use egui::{Align2, Color32, Mesh, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};

use super::text::{count, cut, visible};
use crate::data::SampleId;
use crate::pixels::{BoundingBox, Trouble};
use crate::ui::pictures::{Draw, Pictures, Shown};
use crate::ui::state::Viewer;
use crate::ui::theme::Theme;

/// The part of `place` that a picture of `size` fills, proportions kept; small ones grow to fill it.
pub fn fitted(place: Rect, size: Vec2) -> Rect {
    let scale = (place.width() / size.x.max(1.0)).min(place.height() / size.y.max(1.0));
    Rect::from_center_size(place.center(), size * scale)
}

/// Draws a sample's picture in `place`; `faint` for one that is excluded.
pub fn draw(ui: &Ui, theme: &Theme, pictures: &Pictures, id: SampleId, place: Rect, faint: bool) {
    let pixels = place.width().max(place.height()) * ui.ctx().pixels_per_point();
    match pictures.get(id, pixels) {
        Draw::Picture(shown) => paint(ui, shown, fitted(place, shown.size), faint),
        Draw::Trouble(trouble) => say(ui, theme, place, trouble),
        Draw::Waiting => {
            ui.painter().rect_filled(place, theme.corner(), theme.raised);
        }
    }
}

fn paint(ui: &Ui, shown: &Shown, rect: Rect, faint: bool) {
    let mut mesh = Mesh::with_texture(shown.texture.id());
    let ink = if faint { Color32::from_white_alpha(70) } else { Color32::from_white_alpha(255) };
    mesh.add_rect_with_uv(rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), ink);
    ui.painter().add(mesh);
}

/// What is wrong, in one or two words; the whole of it where there is room.
fn say(ui: &Ui, theme: &Theme, place: Rect, trouble: &Trouble) {
    ui.painter().rect_filled(place, theme.corner(), theme.raised);
    let short = match trouble {
        Trouble::NoPath => "no path",
        Trouble::Missing => "missing",
        Trouble::Refused(_) => "refused",
        Trouble::Huge { .. } => "huge",
        Trouble::Unreadable(_) => "unreadable",
        Trouble::Empty => "empty",
        Trouble::Unknown => "no image",
        Trouble::Foreign(_) => "not read",
        Trouble::Broken(_) => "broken",
    };
    let c = place.center();
    if place.height() < 40.0 {
        ui.painter().line_segment([c - vec2(4.0, 4.0), c + vec2(4.0, 4.0)], Stroke::new(1.2, theme.ruby));
        ui.painter().line_segment([c - vec2(4.0, -4.0), c + vec2(4.0, -4.0)], Stroke::new(1.2, theme.ruby));
        return;
    }
    ui.painter().text(c - vec2(0.0, 8.0), Align2::CENTER_CENTER, short, theme.strong(), theme.ruby);
    if place.width() > 180.0 {
        let text = trouble.to_string();
        let mut job = egui::text::LayoutJob::simple(cut(&text, 200).to_owned(), theme.note(), theme.dim, place.width() - 24.0);
        job.halign = egui::Align::Center;
        let galley = ui.painter().layout_job(job);
        ui.painter().galley(c + vec2(0.0, 6.0), galley, theme.dim);
    }
}

/// Draws a whole picture that the wheel zooms and a drag moves; a double click fits it again. Boxes lie over it, in pixels of a
/// picture of `size`. Returns where the picture lies, which may reach beyond `place`; `None` where there is none yet.
pub fn viewer(
    ui: &mut Ui,
    theme: &Theme,
    pictures: &Pictures,
    viewer: &mut Viewer,
    id: SampleId,
    place: Rect,
    boxes: &[BoundingBox],
    size: Option<(u32, u32)>,
) -> Option<Rect> {
    if viewer.of != Some(id) {
        *viewer = Viewer { of: Some(id), zoom: 1.0, offset: Vec2::ZERO };
    }
    let response = ui.interact(place, ui.scope_id().with("viewer"), Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, format!("Image of sample {}", id.0)));
    ui.painter().rect_filled(place, theme.corner(), theme.background);
    let shown = match pictures.whole(id) {
        Draw::Picture(shown) => shown,
        Draw::Trouble(trouble) => {
            say(ui, theme, place, trouble);
            return None;
        }
        Draw::Waiting => {
            ui.painter().text(place.center(), Align2::CENTER_CENTER, "…", theme.title(), theme.dim);
            return None;
        }
    };
    let fit = fitted(place, shown.size);
    if response.double_clicked() {
        (viewer.zoom, viewer.offset) = (1.0, Vec2::ZERO);
    }
    if response.dragged() {
        viewer.offset += response.drag_delta();
    }
    if let Some(pointer) = response.hover_pos() {
        let wheel = ui.input(|input| input.smooth_scroll_delta().y + (input.zoom_delta() - 1.0) * 200.0);
        if wheel != 0.0 {
            // What is under the pointer stays under it.
            let before = viewer.zoom;
            viewer.zoom = (before * (wheel / 200.0).exp()).clamp(1.0, 64.0);
            let from = pointer - (place.center() + viewer.offset);
            viewer.offset -= from * (viewer.zoom / before - 1.0);
        }
    }
    let grown = fit.size() * viewer.zoom;
    let room = ((grown - place.size()) / 2.0).max(Vec2::ZERO);
    viewer.offset = viewer.offset.clamp(-room, room);
    let rect = Rect::from_center_size(place.center() + viewer.offset, grown);
    let clip = ui.clip_rect();
    ui.set_clip_rect(clip.intersect(place));
    let near = rect.width() / shown.size.x > 6.0 && viewer.zoom > 1.0;
    let sharp = if near { pictures.pixels(id) } else { Draw::Waiting };
    paint(ui, if let Draw::Picture(sharp) = sharp { sharp } else { shown }, rect, false);
    if let Some((width, height)) = size {
        let scale = vec2(rect.width() / width.max(1) as f32, rect.height() / height.max(1) as f32);
        for (i, found) in boxes.iter().enumerate() {
            let corner = rect.min + vec2(found.x as f32, found.y as f32) * scale;
            let outline = Rect::from_min_size(corner, vec2(found.width as f32, found.height as f32) * scale);
            let ink = theme.class(i);
            ui.painter().rect_stroke(outline, 0, Stroke::new(2.0, ink), StrokeKind::Inside);
            if !found.label.is_empty() {
                let galley = ui.painter().layout_no_wrap(visible(cut(&found.label, 40)).into_owned(), theme.note(), theme.text);
                let tag = Rect::from_min_size(outline.min, galley.size() + vec2(8.0, 2.0));
                ui.painter().rect_filled(tag, 0, theme.raised);
                ui.painter().vline(tag.left(), tag.y_range(), Stroke::new(2.0, ink));
                ui.painter().galley(tag.min + vec2(5.0, 1.0), galley, theme.text);
            }
        }
    }
    if viewer.zoom > 1.01 {
        let text = format!("{} %", count((viewer.zoom * fit.width() / shown.size.x * 100.0).round() as usize));
        let galley = ui.painter().layout_no_wrap(text, theme.note(), theme.text);
        let tag = Rect::from_min_size(place.left_bottom() + vec2(6.0, -22.0), galley.size() + vec2(8.0, 4.0));
        ui.painter().rect_filled(tag, 3, theme.raised);
        ui.painter().galley(tag.min + vec2(4.0, 2.0), galley, theme.text);
    }
    ui.set_clip_rect(clip);
    Some(rect)
}
