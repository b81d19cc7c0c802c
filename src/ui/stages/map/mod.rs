//! The map: every sample a point, near to what it is like. The wheel zooms, a drag moves, a drag with Shift held draws a lasso that becomes a filter; hovering shows the sample, a
//! click chooses it.

pub mod state;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use egui::{
    Align2, Color32, ColorImage, Frame, Key, Margin, Panel, Pos2, Rect, RichText, Role as WidgetType, Sense, Stroke,
    TextureOptions, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use self::state::{DrawnOf, Ink};
use super::Stage;
use crate::action::Action;
use crate::data::{Role, Rule, SampleId, SampleSet};
use crate::learn::layout::PlanePoint;
use crate::session::{Need, SampleMap, Session, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim, title};
use crate::ui::widgets::picture;
use crate::ui::widgets::text::{count, cut, flat, flat_chat, things};

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Map, Need::Pictures, Need::Checks],
    acts_on: under_cursor,
    waiting: |_, _| 0,
    inspector: true,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// The sample that was clicked.
// As every stage says it.
#[allow(clippy::unnecessary_wraps)]
fn under_cursor(state: &UiState, _: &Session) -> Result<Vec<SampleId>, String> {
    Ok(state.selection.cursor.into_iter().collect())
}

/// How near a point must be to be meant, on screen.
const NEAR: f32 = 9.0;
/// Of so many points or fewer in view, pictures are drawn as thumbnails.
const THUMBNAILS: usize = 160;
const THUMBNAIL: f32 = 44.0;

/// Draws it.
fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let _ = &actions;
    let theme = bundle.theme;
    let map = bundle.session.map();
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 16, top: 10, bottom: 6 });
    Panel::top("map head").resizable(false).frame(frame).show(ui, |ui| head(ui, state, bundle, map));
    let (place, response) = ui.allocate_exact_size(ui.available_size(), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, "Map of the samples"));
    let Some(map) = map.filter(|map| !map.places.is_empty()) else {
        let text = if workspace.dataset().pictures().is_none() && crate::derive::TextOf::of(workspace.dataset(), None).is_err() {
            "Nothing here can be laid out: give a column the role text or image in Collect"
        } else if workspace.dataset().rows() == 0 {
            "There are no samples in this file"
        } else {
            "Drawing the map…"
        };
        ui.painter().text(place.center(), Align2::CENTER_CENTER, text, theme.body(), theme.dim);
        return;
    };
    if state.map.zoom <= 0.0 {
        state.map.zoom = 1.0;
    }
    let lassoing = ui.input(|input| input.modifiers.shift) || !state.map.lasso.is_empty();
    moves(ui, state, &response, place, lassoing);
    let sight = Sight::of(map, place, state.map.zoom, state.map.offset);
    let now = (state.map.zoom, state.map.offset);
    let moving = state.map.seen.replace(now).is_some_and(|seen| seen != now);
    if moving {
        ui.ctx().request_repaint();
    }
    let (points, lies) = picture_of(ui, state, bundle, workspace, map, place, moving);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().rect_filled(place, 0, theme.background);
    ui.painter().with_clip_rect(place).image(points, lies, whole, Color32::from_white_alpha(255));
    if workspace.dataset().pictures().is_some() {
        thumbnails(ui, bundle, workspace, map, place, &sight);
    }
    names(ui, theme, map, place, &sight);
    if lassoing {
        lasso(ui, state, theme, &response, map, &sight, workspace);
        return;
    }
    // Nothing is pointed at while everything moves.
    let under = response.hover_pos().filter(|_| !moving).and_then(|pointer| nearest(map, bundle, workspace, &sight, pointer));
    if let Some(id) = state.selection.cursor.filter(|id| id.row() < map.places.len()) {
        let at = sight.on_screen(map.places[id.row()]);
        if place.contains(at) {
            ui.painter().circle_stroke(at, 7.0, Stroke::new(2.0, theme.accent));
        }
    }
    if let Some(id) = under {
        ui.painter().circle_stroke(sight.on_screen(map.places[id.row()]), 6.0, Stroke::new(1.5, theme.text));
        if response.clicked() {
            state.selection.cursor = Some(id);
        }
        response.on_hover_ui_at_pointer(|ui| shown(ui, theme, workspace, id));
    }
}

fn head(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, map: Option<&SampleMap>) {
    let theme = bundle.theme;
    ui.horizontal_wrapped(|ui| {
        title(ui, theme, "Map");
        ui.add_space(STEP);
        if let Some(map) = map {
            let how = if map.laid { "near is alike" } else { "by principal components; laid out as soon as that is ready" };
            dim(ui, theme, format!("{}, {how}", things(map.places.len(), "sample", "samples")));
        }
        ui.add_space(STEP * 2.0);
        dim(ui, theme, "coloured by");
        let names = Ink::ALL.map(|(_, name)| name);
        let now = Ink::ALL.iter().position(|(ink, _)| *ink == state.map.ink).unwrap_or(0);
        if let Some(at) = choice(ui, theme, "Coloured by", names[now], &names) {
            state.map.ink = Ink::ALL[at].0;
        }
        if (state.map.zoom > 1.0 || state.map.offset != Vec2::ZERO)
            && button(ui, theme, "Show all", "", ButtonLook::Quiet, true).clicked()
        {
            (state.map.zoom, state.map.offset) = (1.0, Vec2::ZERO);
        }
        dim(ui, theme, "Shift and drag: a lasso");
    });
}

/// From the plane to the screen.
#[derive(Clone, Copy)]
struct Sight {
    middle: PlanePoint,
    scale: f32,
    centre: Pos2,
}

impl Sight {
    fn of(map: &SampleMap, place: Rect, zoom: f32, offset: Vec2) -> Self {
        let (low, high) = map.extent();
        let (wide, tall) = ((high[0] - low[0]).max(1e-3), (high[1] - low[1]).max(1e-3));
        let scale = ((place.width() - 48.0) / wide).min((place.height() - 48.0) / tall).max(1e-3) * zoom;
        Self { middle: [f32::midpoint(low[0], high[0]), f32::midpoint(low[1], high[1])], scale, centre: place.center() + offset }
    }

    fn on_screen(&self, place: PlanePoint) -> Pos2 {
        self.centre + vec2(place[0] - self.middle[0], self.middle[1] - place[1]) * self.scale
    }
}

/// The wheel and the drag.
fn moves(ui: &Ui, state: &mut UiState, response: &egui::Response, place: Rect, lassoing: bool) {
    let map = &mut state.map;
    if let Some(pointer) = response.hover_pos() {
        let wheel = ui.input(|input| input.smooth_scroll_delta().y + (input.zoom_delta() - 1.0) * 200.0);
        if wheel != 0.0 {
            // What is under the pointer stays under it.
            let before = map.zoom;
            map.zoom = (before * (wheel / 200.0).exp()).clamp(1.0, 200.0);
            let from = pointer - (place.center() + map.offset);
            map.offset -= from * (map.zoom / before - 1.0);
        }
    }
    if response.dragged() && !lassoing {
        map.offset += response.drag_delta();
    }
    if response.double_clicked() {
        (map.zoom, map.offset) = (1.0, Vec2::ZERO);
    }
    let room = place.size() * map.zoom / 2.0;
    map.offset = map.offset.clamp(-room, room);
}

/// The points as a picture, and where it lies on screen: drawn anew where anything has changed, and not in every frame. While the map is moved, what was drawn moves
/// with it, and the points are drawn again at rest: so a frame costs the same whatever the number of samples.
fn picture_of(
    ui: &Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    map: &SampleMap,
    place: Rect,
    moving: bool,
) -> (egui::TextureId, Rect) {
    // No larger than a texture may be: then a pixel is several.
    let most = ui.input(|input| input.max_texture_side) as f32;
    let scale = ui.ctx().pixels_per_point().min(most / place.width().max(place.height()).max(1.0));
    let size = [place.width(), place.height()].map(|side| ((side * scale).round() as usize).clamp(1, most as usize));
    let filtered = bundle.session.filtered();
    let of = DrawnOf {
        map: map.places.as_ptr() as usize,
        revision: workspace.revision(),
        filter: filtered.map_or((0, 0), |set| (std::ptr::from_ref(set) as usize, set.len())),
        findings: workspace.findings().list().as_ptr() as usize,
        size,
        zoom: state.map.zoom,
        offset: state.map.offset,
        ink: state.map.ink,
        dark: bundle.theme.dark,
    };
    if let Some((_, texture)) = state.map.drawn.as_ref().filter(|(known, _)| *known == of) {
        return (texture.id(), place);
    }
    if moving
        && let Some((known, texture)) = &state.map.drawn
        && (DrawnOf { zoom: of.zoom, offset: of.offset, ..*known }) == of
    {
        let (before, by) = (place.center() + known.offset, of.zoom / known.zoom);
        let corner = place.center() + of.offset + (place.min - before) * by;
        return (texture.id(), Rect::from_min_size(corner, place.size() * by));
    }
    let sight = Sight::of(map, place, of.zoom, of.offset);
    let image = drawn(bundle, workspace, map, filtered, state.map.ink, size, |at| {
        let on = sight.on_screen(at) - place.min;
        [on.x * scale, on.y * scale]
    });
    let texture = ui.ctx().load_texture("map", image, TextureOptions::NEAREST);
    let id = texture.id();
    state.map.drawn = Some((of, texture));
    (id, place)
}

/// Puts every point on a picture: a square of some pixels, smaller where there are very many.
fn drawn(
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    map: &SampleMap,
    filtered: Option<&SampleSet>,
    ink: Ink,
    [wide, high]: [usize; 2],
    on: impl Fn(PlanePoint) -> [f32; 2],
) -> ColorImage {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let mut pixels = vec![theme.background; wide * high];
    let n = map.places.len();
    let side: i32 = if n > 300_000 {
        1
    } else if n > 40_000 {
        2
    } else if n > 4_000 {
        3
    } else {
        5
    };
    let field = match ink {
        Ink::Label => dataset.with_role(Role::is_label),
        Ink::Split => dataset.with_role(|role| role == Role::Split),
        _ => None,
    };
    let classes = field.and_then(|field| workspace.classes(&dataset.fields()[field].name));
    let hues: Vec<Color32> = classes
        .map_or_else(Vec::new, |classes| (0..classes.names().len()).map(|class| theme.class(classes.hue(class))).collect());
    let colour = |id: SampleId| -> Color32 {
        match (ink, classes) {
            (Ink::Found, _) => match bundle.session.flag(id) {
                Some((severity, _)) if severity >= 0.8 => theme.ruby,
                Some(_) => theme.amber,
                None => theme.faint,
            },
            (_, Some(classes)) => classes.of(id).first().map_or(theme.faint, |class| hues[*class as usize]),
            _ => theme.accent,
        }
    };
    let mut put = |id: SampleId, ink: Color32| {
        let [x, y] = on(map.places[id.row()]).map(|value| value as i32 - side / 2);
        for down in y.max(0)..(y + side).min(high as i32) {
            for across in x.max(0)..(x + side).min(wide as i32) {
                pixels[down as usize * wide + across as usize] = ink;
            }
        }
    };
    let within = |id: SampleId| !dataset.is_excluded(id) && filtered.is_none_or(|set| set.contains(id));
    // What the filter leaves out lies below what it leaves.
    if filtered.is_some() || !dataset.excluded().is_empty() {
        (0..n).map(SampleId::at).filter(|id| !within(*id)).for_each(|id| put(id, theme.line));
    }
    (0..n).map(SampleId::at).filter(|id| within(*id)).for_each(|id| put(id, colour(id)));
    ColorImage::new([wide, high], pixels)
}

/// Pictures as thumbnails, where few enough are in view.
fn thumbnails(ui: &Ui, bundle: &Bundle<'_>, workspace: &Workspace, map: &SampleMap, place: Rect, sight: &Sight) {
    let seen =
        |row: &usize| place.contains(sight.on_screen(map.places[*row])) && !workspace.dataset().is_excluded(SampleId::at(*row));
    let list: Vec<usize> = (0..map.places.len()).filter(seen).take(THUMBNAILS + 1).collect();
    if list.len() > THUMBNAILS {
        return;
    }
    for row in list {
        let here = Rect::from_center_size(sight.on_screen(map.places[row]), vec2(THUMBNAIL, THUMBNAIL));
        picture::draw(ui, bundle.theme, bundle.pictures, SampleId::at(row), here, false);
    }
}

/// The words of groups, where they have room.
fn names(ui: &Ui, theme: &Theme, map: &SampleMap, place: Rect, sight: &Sight) {
    let mut taken: Vec<Rect> = Vec::new();
    for (middle, words) in &map.names {
        let at = sight.on_screen(*middle);
        if !place.contains(at) {
            continue;
        }
        let galley = ui.painter().layout_no_wrap(cut(words, 48).to_owned(), theme.strong(), theme.text);
        let rect = Rect::from_center_size(at, galley.size() + vec2(12.0, 6.0));
        if taken.iter().any(|other| other.intersects(rect)) {
            continue;
        }
        ui.painter().rect_filled(rect, theme.corner(), theme.panel.gamma_multiply(0.82));
        ui.painter().galley(rect.min + vec2(6.0, 3.0), galley, theme.text);
        taken.push(rect);
    }
}

/// The sample whose point is nearest to the pointer.
fn nearest(map: &SampleMap, bundle: &Bundle<'_>, workspace: &Workspace, sight: &Sight, pointer: Pos2) -> Option<SampleId> {
    let filtered = bundle.session.filtered();
    let mut best: Option<(f32, usize)> = None;
    for (row, at) in map.places.iter().enumerate() {
        let away = sight.on_screen(*at).distance_sq(pointer);
        if away <= NEAR * NEAR && best.is_none_or(|(known, _)| away < known) {
            let id = SampleId::at(row);
            if !workspace.dataset().is_excluded(id) && filtered.is_none_or(|set| set.contains(id)) {
                best = Some((away, row));
            }
        }
    }
    best.map(|(_, row)| SampleId::at(row))
}

/// What a sample says, below the pointer.
fn shown(ui: &mut Ui, theme: &Theme, workspace: &Workspace, id: SampleId) {
    let dataset = workspace.dataset();
    ui.set_max_width(360.0);
    if let Some(field) = dataset.with_role(|role| matches!(role, Role::Text | Role::Messages | Role::Image)) {
        let text = dataset.text(field, id).unwrap_or_default();
        let flat = if dataset.fields()[field].role == Role::Messages { flat_chat(&text, 4) } else { flat(&text, 4) };
        ui.label(cut(&flat, 280));
    }
    let label = dataset.with_role(Role::is_label).and_then(|field| dataset.text(field, id));
    let label = label.map_or(String::new(), |label| format!(" · {label}"));
    ui.label(RichText::new(format!("sample {}{label}", count(id.row()))).font(theme.note()).color(theme.dim));
}

/// Draws the lasso; where it is let go, what lies within becomes a filter.
fn lasso(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    response: &egui::Response,
    map: &SampleMap,
    sight: &Sight,
    workspace: &Workspace,
) {
    if ui.input(|input| input.key_pressed(Key::Escape)) {
        state.map.lasso.clear();
        return;
    }
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged() || response.drag_started())
        && state.map.lasso.last().is_none_or(|last| last.distance(pointer) > 2.0)
    {
        state.map.lasso.push(pointer);
    }
    if state.map.lasso.len() > 1 {
        ui.painter().add(egui::Shape::line(state.map.lasso.clone(), Stroke::new(1.5, theme.accent)));
    }
    if !response.drag_stopped() {
        return;
    }
    let shape = std::mem::take(&mut state.map.lasso);
    let dataset = workspace.dataset();
    let within = |row: &usize| !dataset.is_excluded(SampleId::at(*row)) && encloses(&shape, sight.on_screen(map.places[*row]));
    let samples: SampleSet = (0..map.places.len()).filter(within).map(SampleId::at).collect();
    if shape.len() > 2 && !samples.is_empty() {
        let mut hasher = DefaultHasher::new();
        samples.iter().for_each(|id| id.hash(&mut hasher));
        let title = format!("lasso {}", hasher.finish() % 1_000);
        state.toggle_clause(Rule::Listed { title, samples: samples.into() }.into());
    }
}

/// Whether a place lies within a shape, by how often a ray crosses its edges.
fn encloses(shape: &[Pos2], at: Pos2) -> bool {
    let mut within = false;
    for (from, to) in shape.iter().zip(shape.iter().cycle().skip(1)) {
        if (from.y > at.y) != (to.y > at.y) && at.x < (to.x - from.x) * (at.y - from.y) / (to.y - from.y) + from.x {
            within = !within;
        }
    }
    within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasso_holds_what_is_within() {
        let shape = [pos2(0.0, 0.0), pos2(10.0, 0.0), pos2(10.0, 10.0), pos2(5.0, 4.0), pos2(0.0, 10.0)];
        assert!(encloses(&shape, pos2(5.0, 2.0)) && encloses(&shape, pos2(1.0, 8.0)));
        assert!(!encloses(&shape, pos2(5.0, 7.0)) && !encloses(&shape, pos2(11.0, 1.0)) && !encloses(&[], pos2(0.0, 0.0)));
    }
}
