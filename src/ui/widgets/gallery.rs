//! The gallery: the samples that the filter leaves as pictures in rows, any size, any number; only what is seen is drawn, and rows are
//! counted, not measured, so that the millionth is as exact as the first. The same selection, keys and marks as the table's.

use egui::{Align2, Rect, Role as WidgetType, Sense, Slider, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::controls::{clipped, dim, severity, square};
use super::picture;
use super::table::{flag_of, scroll};
use super::text::{count, cut, visible};
use crate::data::{Role, SampleId};
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::pictures::Pictures;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;

/// The smallest and the largest side of a picture, in points.
pub const SIDES: std::ops::RangeInclusive<f32> = 48.0..=420.0;
const GAP: f32 = 8.0;
const CAPTION: f32 = 20.0;
/// Below this side there is no room for words.
const SMALL: f32 = 88.0;

/// Draws it in what is left of `ui`.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace) {
    let theme = bundle.theme;
    let all = ui.available_rect_before_wrap();
    let head = Rect::from_min_size(all.min, vec2(all.width(), 34.0));
    bar(ui, state, bundle, head);
    // The frame of what is chosen stands a little out of the first row.
    let rect = Rect::from_min_max(pos2(all.left(), head.bottom()), all.max);
    let lead = GAP / 2.0;
    ui.allocate_rect(all, Sense::hover());
    let visible = bundle.session.visible();
    let body = Rect::from_min_max(rect.min + vec2(16.0, 0.0), pos2(rect.right() - 20.0, rect.bottom()));
    // As many as fit at about the size that was chosen; they share the width.
    let columns = ((body.width() + GAP) / (state.gallery.side + GAP)).round().max(1.0);
    let side = ((body.width() + GAP) / columns - GAP).floor().min(body.width());
    let columns = columns as usize;
    let caption = if side >= SMALL { CAPTION } else { 0.0 };
    let (wide, high) = (side + GAP, side + caption + GAP);
    if columns != state.gallery.columns {
        // Another width: what was on top stays on top.
        let top = state.gallery.first * state.gallery.columns;
        (state.gallery.first, state.gallery.part, state.gallery.columns) = (top / columns, 0.0, columns);
    }
    let rows = visible.len().div_ceil(columns);
    let page = (rect.height() - lead) / high;
    let most = (rows as f64 - f64::from(page)).max(0.0);
    let follow = std::mem::take(&mut state.table.follow).then_some(state.selection.place / columns);
    let at = (&mut state.gallery.first, &mut state.gallery.part);
    if ui.input(|input| input.modifiers.command) {
        resize(ui, &mut state.gallery.side, rect);
    } else {
        scroll(ui, at, follow, rect, high, page, most, rows);
    }
    if visible.is_empty() && !bundle.session.is_visible_stale() {
        let text =
            if workspace.dataset().rows() == 0 { "There are no samples" } else { "No sample passes the filter. Esc clears it" };
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, theme.body(), theme.dim);
        return;
    }
    let old_clip = ui.clip_rect();
    ui.set_clip_rect(old_clip.intersect(rect));
    let last = state.gallery.first + page.ceil() as usize + 1;
    for row in state.gallery.first..last.min(rows) {
        let y = rect.top() + lead + ((row - state.gallery.first) as f32 - state.gallery.part) * high;
        for column in 0..columns {
            let place = row * columns + column;
            let Some(id) = visible.get(place).filter(|id| id.row() < workspace.dataset().rows()) else { break };
            let cell = Rect::from_min_size(pos2(body.left() + column as f32 * wide, y), vec2(side, side + caption));
            one(ui, state, bundle, workspace, id, place, cell);
        }
    }
    ui.set_clip_rect(old_clip);
    // The page below, and the one above, are fetched before they are scrolled to.
    let pixels = side * ui.ctx().pixels_per_point();
    let ahead = page.ceil() as usize * columns;
    let (from, to) = (state.gallery.first * columns, last * columns);
    let around = (to..to + ahead).chain((from.saturating_sub(ahead)..from).rev());
    around.filter_map(|place| visible.get(place)).for_each(|id| bundle.pictures.soon(id, pixels));
    if bundle.session.is_visible_stale() {
        ui.painter().rect_filled(rect, 0, theme.background.gamma_multiply(0.35));
    }
}

/// Ctrl and the wheel change the size.
fn resize(ui: &Ui, side: &mut f32, rect: Rect) {
    if ui.rect_contains_pointer(rect) {
        let wheel = ui.input(|input| input.smooth_scroll_delta().y + (input.zoom_delta() - 1.0) * 200.0);
        *side = (*side * (wheel / 300.0).exp()).clamp(*SIDES.start(), *SIDES.end()).round();
    }
}

fn bar(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, rect: Rect) {
    let theme = bundle.theme;
    ui.painter().hline(rect.x_range(), rect.top(), theme.hairline());
    ui.scope_builder(
        egui::UiBuilder::new().max_rect(rect.shrink2(vec2(16.0, 0.0))).layout(egui::Layout::left_to_right(egui::Align::Center)),
        |ui| {
            ui.spacing_mut().slider_width = 110.0;
            let label = dim(ui, theme, "Size").on_hover_text("Ctrl and the wheel do the same");
            let slider = ui.add(Slider::new(&mut state.gallery.side, SIDES).show_value(false).step_by(4.0));
            slider.clone().labelled_by(label.id);
            slider.widget_info(|| WidgetInfo::slider(true, f64::from(state.gallery.side), "Size of images"));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let kept = format!("{} of {} MB in memory", count(bundle.pictures.bytes() >> 20), Pictures::BOUND >> 20);
                let text = egui::RichText::new(kept).font(theme.note()).color(theme.dim);
                let disk = bundle.disk.map_or("Nothing is kept on disk".to_owned(), |bytes| {
                    format!(
                        "{} of {} MB kept on disk between runs",
                        count((bytes >> 20) as usize),
                        crate::io::PictureCache::BOUND >> 20
                    )
                });
                ui.label(text).on_hover_text(disk);
            });
        },
    );
}

fn one(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, id: SampleId, place: usize, cell: Rect) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let response = ui.interact(cell, ui.scope_id().with(("picture", id.0)), Sense::click());
    let chosen = state.selection.contains(id);
    let (excluded, reviewed) = (dataset.is_excluded(id), dataset.is_reviewed(id));
    let label = dataset.with_role(Role::is_label);
    let text = label.and_then(|field| dataset.text(field, id)).unwrap_or_default();
    let flag = flag_of(bundle.session, id).filter(|_| !reviewed);
    response.widget_info(|| {
        let path = dataset.pictures().and_then(|field| dataset.text(field, id)).unwrap_or_default();
        let marks = [(excluded, ", excluded"), (reviewed, ", reviewed"), (flag.is_some(), ", flagged")];
        let marks: String = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
        let name = format!("Sample {}: {}, {text}{marks}", id.0, cut(&path, 80));
        WidgetInfo::selected(WidgetType::ListBoxOption, true, chosen, name)
    });
    let frame = cell.expand(GAP / 2.0 - 1.0);
    if chosen {
        ui.painter().rect_filled(frame, theme.corner(), theme.tint);
    } else if response.hovered() {
        ui.painter().rect_filled(frame, theme.corner(), theme.raised);
    }
    let square_place = Rect::from_min_size(cell.min, vec2(cell.width(), cell.width()));
    picture::draw(ui, theme, bundle.pictures, id, square_place, excluded);
    if state.selection.cursor == Some(id) {
        ui.painter().rect_stroke(frame, theme.corner(), Stroke::new(2.0, theme.accent), StrokeKind::Inside);
    }
    // Marks stand on a ground of their own: a picture may have any colour.
    let ground = |ui: &Ui, at: egui::Pos2| {
        ui.painter().circle_filled(at, 8.0, theme.panel);
    };
    if let Some((severe, _)) = flag {
        let at = square_place.left_top() + vec2(11.0, 11.0);
        ground(ui, at);
        severity(ui, theme, at, severe);
    }
    if reviewed {
        let at = square_place.right_top() + vec2(-11.0, 11.0);
        ground(ui, at);
        let tick = vec![at + vec2(-3.5, 0.0), at + vec2(-1.0, 3.0), at + vec2(4.0, -3.0)];
        ui.painter().add(egui::Shape::line(tick, Stroke::new(1.6, theme.emerald)));
    }
    if excluded {
        ui.painter().line_segment([square_place.left_bottom(), square_place.right_top()], Stroke::new(1.5, theme.ruby));
    }
    let classes = label.and_then(|field| workspace.classes(&dataset.fields()[field].name));
    let colour = classes.and_then(|classes| Some(theme.class(classes.hue(*classes.of(id).first()? as usize))));
    if cell.width() >= SMALL {
        caption(ui, bundle, workspace, id, cell, &text, colour);
    } else if let Some(colour) = colour {
        let at = square_place.left_bottom() + vec2(9.0, -9.0);
        ground(ui, at);
        square(ui, at, colour);
    }
    let response = response.on_hover_ui(|ui| {
        ui.set_max_width(360.0);
        let path = dataset.pictures().and_then(|field| dataset.text(field, id)).unwrap_or_default();
        ui.label(cut(&path, 300));
        if let Some((_, reason)) = flag {
            dim(ui, theme, cut(reason, 400));
        }
    });
    if response.clicked() {
        let modifiers = ui.input(|input| input.modifiers);
        if modifiers.shift {
            state.selection.extend(bundle.session.visible(), place);
        } else if modifiers.command {
            state.selection.toggle(bundle.session.visible(), place);
        } else {
            state.selection.go(bundle.session.visible(), place);
        }
    }
}

/// The class below the picture, and the split part at the right.
fn caption(
    ui: &Ui,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    id: SampleId,
    cell: Rect,
    label: &str,
    colour: Option<egui::Color32>,
) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let y = cell.bottom() - CAPTION / 2.0 + 1.0;
    let split = dataset.with_role(|role| role == Role::Split).and_then(|field| dataset.text(field, id)).unwrap_or_default();
    let mut right = cell.right() - STEP;
    if !split.is_empty() {
        let galley = ui.painter().layout_no_wrap(visible(cut(&split, 5)).into_owned(), theme.note(), theme.dim);
        right -= galley.size().x;
        ui.painter().galley(pos2(right, y - galley.size().y / 2.0), galley, theme.dim);
        right -= STEP;
    }
    let mut left = cell.left() + STEP;
    if let Some(colour) = colour {
        square(ui, pos2(left + 4.0, y), colour);
        left += 14.0;
    }
    let field = dataset.with_role(Role::is_label);
    let edited = field.is_some_and(|field| dataset.edited(field, id).is_some() && dataset.fields()[field].is_given());
    if edited {
        right -= 8.0;
        ui.painter().circle_filled(pos2(right + 4.0, y), 2.0, theme.accent);
    }
    let ink = if dataset.is_excluded(id) { theme.faint } else { theme.text };
    clipped(ui, pos2(left, y - 8.0), (right - left).max(8.0), label, theme.body(), ink, 1);
}
