//! Small controls: buttons with their key, keycaps, chips, class squares, captions. Each has an accessible name.

use egui::{Align2, Color32, Label, Rect, Response, RichText, Role as WidgetType, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2};

use super::text::visible;
use crate::ui::theme::{STEP, Theme};

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonLook {
    /// The thing that one came to do: one a view at most.
    Main,
    /// Everything else.
    Plain,
    /// Without a ground until it is hovered.
    Quiet,
    /// Takes something away.
    Danger,
}

/// A button, its key on it.
pub fn button(ui: &mut Ui, theme: &Theme, text: &str, key: &str, look: ButtonLook, enabled: bool) -> Response {
    let (font, mono) = (theme.body(), theme.mono());
    let ink = match look {
        _ if !enabled => theme.faint,
        ButtonLook::Main => theme.on_accent,
        ButtonLook::Danger => theme.ruby,
        ButtonLook::Plain => theme.text,
        ButtonLook::Quiet => theme.dim,
    };
    let label = ui.painter().layout_no_wrap(visible(text).into_owned(), font, ink);
    let cap = (!key.is_empty()).then(|| ui.painter().layout_no_wrap(key.to_owned(), mono, ink));
    let pad = STEP * 3.0;
    let cap_width = cap.as_ref().map_or(0.0, |cap| cap.size().x + STEP * 4.0);
    let size = vec2(label.size().x + pad * 2.0 + cap_width, theme.sizes.control);
    let (rect, response) = ui.allocate_exact_size(size, if enabled { Sense::click() } else { Sense::hover() });
    let named = text.to_owned();
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, enabled, &named));
    let fill = match look {
        ButtonLook::Main if enabled => theme.accent,
        ButtonLook::Quiet if response.hovered() => theme.hover,
        ButtonLook::Quiet => Color32::TRANSPARENT,
        _ if response.hovered() && enabled => theme.hover,
        _ => theme.raised,
    };
    let edge = if look == ButtonLook::Quiet || look == ButtonLook::Main && enabled { Stroke::NONE } else { theme.hairline() };
    let edge = if response.has_focus() { Stroke::new(1.0, theme.accent) } else { edge };
    ui.painter().rect(rect, theme.corner(), fill, edge, egui::StrokeKind::Inside);
    let y = rect.center().y;
    ui.painter().galley(egui::pos2(rect.left() + pad, y - label.size().y / 2.0), label, ink);
    if let Some(cap) = cap {
        let cap_rect = Rect::from_center_size(
            egui::pos2(rect.right() - STEP * 2.0 - cap.size().x / 2.0 - STEP, y),
            cap.size() + vec2(STEP * 2.0, 2.0),
        );
        let cap_edge = if look == ButtonLook::Main { ink.gamma_multiply(0.5) } else { theme.line };
        ui.painter().rect_stroke(cap_rect, 3, Stroke::new(1.0, cap_edge), egui::StrokeKind::Inside);
        ui.painter().galley(cap_rect.center() - cap.size() / 2.0, cap, ink);
    }
    response
}

/// Gives a field to type in its name and what stands in it, for screen readers.
pub fn name_edit(response: &Response, text: &str, name: &str) {
    response.widget_info(|| {
        let mut info = WidgetInfo::text_edit(true, text, text, name);
        info.label = Some(name.to_owned());
        info
    });
}

/// A keycap.
pub fn keycap(ui: &mut Ui, theme: &Theme, key: &str) {
    let galley = ui.painter().layout_no_wrap(key.to_owned(), theme.mono(), theme.dim);
    let (rect, _) = ui.allocate_exact_size(galley.size() + vec2(STEP * 2.0, STEP), Sense::hover());
    ui.painter().rect(rect, 3, theme.raised, theme.hairline(), egui::StrokeKind::Inside);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme.dim);
}

/// A chip with a cross; the first response is the chip's, the second the cross's.
pub fn chip(ui: &mut Ui, theme: &Theme, text: &str) -> (Response, Response) {
    let galley = ui.painter().layout_no_wrap(visible(super::text::cut(text, 80)).into_owned(), theme.body(), theme.accent);
    let height = theme.sizes.control - STEP * 1.5;
    let size = vec2(galley.size().x + STEP * 9.0, height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Filter: {text}; click to negate")));
    let cross_rect = Rect::from_min_max(egui::pos2(rect.right() - height, rect.top()), rect.max);
    let cross = ui.interact(cross_rect, response.id.with("cross"), Sense::click());
    cross.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Take off the filter: {text}")));
    let fill = if response.hovered() { theme.hover } else { theme.tint };
    ui.painter().rect_filled(rect, theme.corner(), fill);
    ui.painter().galley(egui::pos2(rect.left() + STEP * 2.0, rect.center().y - galley.size().y / 2.0), galley, theme.accent);
    let ink = if cross.hovered() { theme.text } else { theme.dim };
    draw_cross(ui, cross_rect.center(), 3.5, ink);
    (response, cross)
}

/// A small cross that closes or takes off.
pub fn cross(ui: &mut Ui, theme: &Theme, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(theme.sizes.body + STEP), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, name));
    draw_cross(ui, rect.center(), 3.5, if response.hovered() { theme.text } else { theme.dim });
    response.on_hover_text(name)
}

fn draw_cross(ui: &Ui, at: egui::Pos2, half: f32, ink: Color32) {
    let stroke = Stroke::new(1.2, ink);
    ui.painter().line_segment([at + vec2(-half, -half), at + vec2(half, half)], stroke);
    ui.painter().line_segment([at + vec2(-half, half), at + vec2(half, -half)], stroke);
}

/// The square that stands before a class's name.
pub fn square(ui: &Ui, at: egui::Pos2, colour: Color32) {
    ui.painter().rect_filled(Rect::from_center_size(at, Vec2::splat(8.0)), 2, colour);
}

/// A class as it stands in lists: its square and its name.
pub fn class_label(ui: &mut Ui, theme: &Theme, colour: Option<Color32>, name: &str) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(8.0, 8.0), Sense::hover());
        if let Some(colour) = colour {
            square(ui, rect.center(), colour);
        }
        let ink = if name.is_empty() { theme.faint } else { theme.text };
        ui.add(Label::new(RichText::new(if name.is_empty() { "none".into() } else { visible(name) }).color(ink)).truncate());
    });
}

/// A caption over a part of the inspector.
pub fn caption(ui: &mut Ui, theme: &Theme, text: &str) {
    if !ui.layout().is_horizontal() {
        ui.add_space(STEP * 2.0);
    }
    ui.label(RichText::new(text).font(theme.note()).color(theme.dim));
}

/// Text in dim ink.
pub fn dim(ui: &mut Ui, theme: &Theme, text: impl Into<String>) -> Response {
    ui.label(RichText::new(text.into()).color(theme.dim))
}

/// A title.
pub fn title(ui: &mut Ui, theme: &Theme, text: impl Into<String>) {
    ui.label(RichText::new(text.into()).font(theme.title()));
}

/// The colour of how bad something is, 0 to 1: of its mark, its figure and its bar alike.
pub fn severity_ink(theme: &Theme, severity: f64) -> Color32 {
    if severity >= 0.8 {
        theme.ruby
    } else if severity >= 0.5 {
        theme.amber
    } else {
        theme.dim
    }
}

/// A mark for how bad something is: shape as well as colour (a triangle, a diamond, a disc).
pub fn severity(ui: &Ui, theme: &Theme, at: egui::Pos2, severity: f64) {
    let r = 4.5;
    let ink = severity_ink(theme, severity);
    let points = if severity >= 0.8 {
        vec![at + vec2(0.0, -r), at + vec2(r, r * 0.8), at + vec2(-r, r * 0.8)]
    } else if severity >= 0.5 {
        vec![at + vec2(0.0, -r), at + vec2(r, 0.0), at + vec2(0.0, r), at + vec2(-r, 0.0)]
    } else {
        ui.painter().circle_filled(at, r - 1.0, ink);
        return;
    };
    ui.painter().add(egui::Shape::convex_polygon(points, ink, Stroke::NONE));
}

/// A choice from a list, as a menu behind its present value. Returns the place chosen.
pub fn choice(ui: &mut Ui, theme: &Theme, name: &str, shown: &str, options: &[impl AsRef<str>]) -> Option<usize> {
    let mut chosen = None;
    let response = egui::ComboBox::from_id_salt(name)
        .selected_text(RichText::new(visible(shown)).color(theme.text))
        .height(360.0)
        .show_ui(ui, |ui| {
            for (at, option) in options.iter().map(AsRef::as_ref).enumerate() {
                if ui.selectable_label(option == shown, visible(option)).clicked() {
                    chosen = Some(at);
                }
            }
        });
    let named = format!("{name}: {shown}");
    response.response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, &named));
    chosen
}

/// Writes `text` at `at`, cut with an ellipsis at `width`.
pub fn clipped(ui: &Ui, at: egui::Pos2, width: f32, text: &str, font: egui::FontId, ink: Color32, lines: usize) -> egui::Vec2 {
    let mut job = egui::text::LayoutJob::simple(visible(text).into_owned(), font, ink, width);
    job.wrap.max_rows = lines.max(1);
    job.wrap.break_anywhere = lines <= 1;
    let galley = ui.painter().layout_job(job);
    let size = galley.size();
    ui.painter().galley(at, galley, ink);
    size
}

/// Finds places in a text, in order and apart from each other.
pub type Finder<'f> = &'f dyn Fn(&str) -> Vec<std::ops::Range<usize>>;

/// Writes text at `at`, cut with an ellipsis at `width`; what `found` finds in it stands on a ground of its own.
pub fn clipped_marked(
    ui: &Ui,
    theme: &Theme,
    at: egui::Pos2,
    width: f32,
    (text, found): (&str, Finder<'_>),
    ink: Color32,
    lines: usize,
) {
    let text = visible(text);
    let mut job = marked(&text, &found(&text), theme.body(), ink, theme.mark, width);
    job.wrap.max_rows = lines.max(1);
    job.wrap.break_anywhere = lines <= 1;
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(at, galley, ink);
}

/// A text of which some places stand on a ground of their own.
pub fn marked(
    text: &str,
    places: &[std::ops::Range<usize>],
    font: egui::FontId,
    ink: Color32,
    ground: Color32,
    width: f32,
) -> egui::text::LayoutJob {
    if places.is_empty() {
        return egui::text::LayoutJob::simple(text.to_owned(), font, ink, width);
    }
    let plain = egui::TextFormat::simple(font, ink);
    let on_ground = egui::TextFormat { background: ground, ..plain.clone() };
    let mut job = egui::text::LayoutJob::default();
    job.wrap.max_width = width;
    let mut from = 0;
    for place in places {
        job.append(&text[from..place.start], 0.0, plain.clone());
        job.append(&text[place.clone()], 0.0, on_ground.clone());
        from = place.end;
    }
    job.append(&text[from..], 0.0, plain);
    job
}

/// Writes one line, right-aligned at `right`.
pub fn right_aligned(ui: &Ui, right: egui::Pos2, text: &str, font: egui::FontId, ink: Color32) {
    ui.painter().text(right, Align2::RIGHT_CENTER, visible(text), font, ink);
}
