//! Boxes on a picture, by hand: drawn, moved, resized, named and removed, each an edit of their cell in the column's own form.

use egui::{
    CursorIcon, DragValue, Id, Margin, Pos2, Rect, RichText, Role as WidgetType, Sense, Stroke, StrokeKind, TextEdit, Ui, Vec2,
    WidgetInfo, vec2,
};

use super::block;
use super::box_hand::BoxHand;
use crate::action::Action;
use crate::data::{Dataset, SampleId};
use crate::pixels::{BoundingBox, BoxEdit, boxes_at, boxes_edited, names_boxes};
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, caption, name_edit, square};
use crate::ui::widgets::text::things;

/// The most boxes that are listed below the picture; all are drawn on it.
const LISTED: usize = 40;
/// The longest cell that is read for boxes, in bytes.
const LONGEST: usize = 200_000;
/// How many samples are looked through for the form that boxes have.
const LOOKED_AT: usize = 2_000;
/// How near the pointer is at an edge, and the least side that can be drawn, in points.
const GRIP: f32 = 6.0;
const LEAST: f32 = 4.0;

/// The column that holds boxes, and those of a sample with their places.
pub struct BoxesOf {
    column: String,
    cell: String,
    pub list: Vec<(usize, BoundingBox)>,
    size: (u32, u32),
}

/// The boxes of a sample whose picture has `size` pixels; `None` where no column holds any.
pub fn of(dataset: &Dataset, id: SampleId, size: Option<(u32, u32)>) -> Option<BoxesOf> {
    let field = dataset.fields().iter().position(|field| names_boxes(&field.name))?;
    let cell = dataset.text(field, id).unwrap_or_default();
    if cell.len() > LONGEST {
        return None;
    }
    let (column, size) = (dataset.fields()[field].name.to_string(), size?);
    let list = boxes_at(&column, &cell, size);
    Some(BoxesOf { column, cell: cell.into_owned(), list, size })
}

/// The boxes as they are drawn: what is moved is where the hand has it.
pub fn drawn(hand: &BoxHand, boxes: &BoxesOf) -> Vec<BoundingBox> {
    let moved = |at: usize| hand.moved.as_ref().filter(|(of, _)| *of == at).map(|(_, moved)| moved.clone());
    boxes.list.iter().map(|(at, found)| moved(*at).unwrap_or_else(|| found.clone())).collect()
}

/// Where a picture lies on screen, and its size in pixels.
#[derive(Clone, Copy)]
struct Lies {
    picture: Rect,
    size: (u32, u32),
}

impl Lies {
    fn scale(self) -> Vec2 {
        vec2(self.picture.width() / self.size.0.max(1) as f32, self.picture.height() / self.size.1.max(1) as f32)
    }

    fn on_screen(self, found: &BoundingBox) -> Rect {
        let corner = self.picture.min + vec2(found.x as f32, found.y as f32) * self.scale();
        Rect::from_min_size(corner, vec2(found.width as f32, found.height as f32) * self.scale())
    }

    fn on_picture(self, rect: Rect, label: &str) -> BoundingBox {
        let (from, scale) = (rect.min - self.picture.min, self.scale());
        BoundingBox {
            x: f64::from(from.x / scale.x),
            y: f64::from(from.y / scale.y),
            width: f64::from(rect.width() / scale.x),
            height: f64::from(rect.height() / scale.y),
            label: label.to_owned(),
        }
    }

    /// A box that was moved or resized on screen: as a whole it keeps its size at the border.
    fn within(self, rect: Rect, whole: bool, label: &str) -> BoundingBox {
        if !whole {
            return self.on_picture(rect.intersect(self.picture), label);
        }
        let mut found = self.on_picture(rect, label);
        found.x = found.x.clamp(0.0, (f64::from(self.size.0) - found.width).max(0.0));
        found.y = found.y.clamp(0.0, (f64::from(self.size.1) - found.height).max(0.0));
        found
    }
}

/// Takes the pointer over the picture, which fills `picture` of `place`.
pub fn hand(
    ui: &mut Ui,
    hand: &mut BoxHand,
    theme: &Theme,
    (dataset, id): (&Dataset, SampleId),
    boxes: &BoxesOf,
    (picture, place): (Rect, Rect),
    actions: &mut Vec<Action>,
) {
    if hand.of != Some(id) {
        *hand = BoxHand { of: Some(id), ..BoxHand::default() };
    }
    let lies = Lies { picture, size: boxes.size };
    let mut done = None;
    if hand.drawing {
        done = draw_new(ui, hand, theme, boxes, (lies, place));
    } else {
        // The box that is chosen lies above the others, and a small one above a large.
        let mut order: Vec<&(usize, BoundingBox)> = boxes.list.iter().collect();
        order.sort_by(|(a, one), (b, other)| {
            let chosen = |at: &usize| hand.chosen == Some(*at);
            chosen(a).cmp(&chosen(b)).then_with(|| (other.width * other.height).total_cmp(&(one.width * one.height)))
        });
        for (at, found) in order {
            done = take(ui, hand, (*at, found), (lies, place)).or(done);
        }
        grips(ui, hand, theme, boxes, (lies, place));
    }
    if let Some(what) = done {
        edit(hand, dataset, id, boxes, what, actions);
    }
}

/// A box that is drawn from corner to corner.
fn draw_new(ui: &mut Ui, hand: &mut BoxHand, theme: &Theme, boxes: &BoxesOf, (lies, place): (Lies, Rect)) -> Option<BoxEdit> {
    let response = ui.interact(place, Id::unique("draw a box"), Sense::drag()).on_hover_cursor(CursorIcon::Crosshair);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, "Draw a box here"));
    let clamp = |at: Pos2| at.clamp(lies.picture.min, lies.picture.max);
    if response.drag_started() {
        hand.from = ui.input(|input| input.pointer.press_origin()).map(clamp);
    }
    let to = clamp(response.interact_pointer_pos()?);
    let rect = Rect::from_two_pos(hand.from?, to);
    ui.painter().rect_stroke(rect, 0, Stroke::new(2.0, theme.accent), StrokeKind::Inside);
    if !response.drag_stopped() {
        return None;
    }
    hand.from = None;
    if rect.width() < LEAST || rect.height() < LEAST {
        return None;
    }
    (hand.drawing, hand.chosen) = (false, boxes.list.last().map_or(Some(0), |(at, _)| Some(at + 1)));
    let label = boxes.list.last().map_or("", |(_, last)| &last.label);
    Some(BoxEdit::Add(lies.on_picture(rect, label)))
}

/// A box that is chosen, moved or resized.
fn take(ui: &mut Ui, hand: &mut BoxHand, (at, known): (usize, &BoundingBox), (lies, place): (Lies, Rect)) -> Option<BoxEdit> {
    let found = hand.moved.as_ref().filter(|(of, _)| *of == at).map_or(known, |(_, moved)| moved).clone();
    let rect = lies.on_screen(&found);
    let seen = rect.expand(GRIP).intersect(place);
    if !seen.is_positive() {
        return None;
    }
    let response = ui.interact(seen, Id::unique(("box", at)), Sense::click_and_drag());
    let chosen = hand.chosen == Some(at);
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, chosen, format!("Box {}: {}", at + 1, found.label)));
    if let Some(pointer) = response.hover_pos() {
        ui.ctx().set_cursor_icon(cursor(edges_at(rect, pointer)));
    }
    if response.clicked() {
        hand.chosen = Some(at);
    }
    if response.drag_started() {
        let origin = ui.input(|input| input.pointer.press_origin());
        hand.edges = origin.map_or([true; 4], |pointer| edges_at(rect, pointer));
        (hand.chosen, hand.moved) = (Some(at), Some((at, found.clone())));
    }
    if response.dragged() {
        let moved = dragged(rect, hand.edges, response.drag_delta());
        hand.moved = Some((at, lies.within(moved, hand.edges == [true; 4], &found.label)));
    }
    if !response.drag_stopped() {
        return None;
    }
    hand.moved.take().map(|(at, moved)| BoxEdit::Put(at, moved))
}

/// The corners of the box that is chosen.
fn grips(ui: &Ui, hand: &BoxHand, theme: &Theme, boxes: &BoxesOf, (lies, place): (Lies, Rect)) {
    let Some((at, found)) = hand.chosen.and_then(|chosen| boxes.list.iter().find(|(at, _)| *at == chosen)) else { return };
    let rect = lies.on_screen(hand.moved.as_ref().filter(|(of, _)| of == at).map_or(found, |(_, moved)| moved));
    for corner in [rect.left_top(), rect.right_top(), rect.left_bottom(), rect.right_bottom()] {
        if place.contains(corner) {
            let grip = Rect::from_center_size(corner, vec2(8.0, 8.0));
            ui.painter().rect(grip, 0, theme.background, Stroke::new(1.5, theme.accent), StrokeKind::Middle);
        }
    }
}

/// The edges of `rect` that the pointer is at; all four within.
fn edges_at(rect: Rect, at: Pos2) -> [bool; 4] {
    let near = |a: f32, b: f32| (a - b).abs() <= GRIP;
    let edges = [near(at.x, rect.left()), near(at.y, rect.top()), near(at.x, rect.right()), near(at.y, rect.bottom())];
    if edges == [false; 4] { [true; 4] } else { edges }
}

fn cursor(edges: [bool; 4]) -> CursorIcon {
    match edges {
        [true, true, true, true] => CursorIcon::Move,
        [true, true, ..] | [_, _, true, true] => CursorIcon::ResizeNwSe,
        [true, _, _, true] | [_, true, true, _] => CursorIcon::ResizeNeSw,
        [true, ..] | [_, _, true, _] => CursorIcon::ResizeHorizontal,
        _ => CursorIcon::ResizeVertical,
    }
}

fn dragged(rect: Rect, edges: [bool; 4], by: egui::Vec2) -> Rect {
    let [left, top, right, bottom] = edges;
    let side = |value: f32, moves: bool, by: f32| if moves { value + by } else { value };
    let a = egui::pos2(side(rect.left(), left, by.x), side(rect.top(), top, by.y));
    let b = egui::pos2(side(rect.right(), right, by.x), side(rect.bottom(), bottom, by.y));
    Rect::from_two_pos(a, b)
}

/// The boxes as a list below the picture: names, numbers, and what draws and removes them.
pub fn list(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    (dataset, id): (&Dataset, SampleId),
    boxes: &BoxesOf,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        caption(ui, theme, &format!("{} in {}", things(boxes.list.len(), "box", "boxes"), boxes.column));
        ui.add_space(STEP);
        let (text, hint) = if state.hand.drawing {
            ("Draw it on the picture…", "Drag from corner to corner; press again to leave it")
        } else {
            ("Draw a box", "The next drag on the picture draws one")
        };
        if button(ui, theme, text, "", ButtonLook::Plain, true).on_hover_text(hint).clicked() {
            state.hand.drawing = !state.hand.drawing;
        }
    });
    if let Some(fault) = &state.hand.fault {
        ui.label(RichText::new(format!("Not saved: {fault}")).color(theme.ruby));
    }
    for (nth, (at, found)) in boxes.list.iter().enumerate().take(LISTED) {
        ui.horizontal(|ui| {
            row(ui, state, theme, (dataset, id), boxes, (nth, *at, found), actions);
        });
    }
    if boxes.list.len() > LISTED {
        let more = things(boxes.list.len() - LISTED, "more box", "more boxes");
        ui.label(RichText::new(format!("and {more} on the picture")).color(theme.dim));
    }
}

fn row(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    (dataset, id): (&Dataset, SampleId),
    boxes: &BoxesOf,
    (nth, at, found): (usize, usize, &BoundingBox),
    actions: &mut Vec<Action>,
) {
    let chosen = state.hand.chosen == Some(at);
    let (place, response) = ui.allocate_exact_size(vec2(16.0, theme.sizes.control), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, chosen, format!("Choose box {}", at + 1)));
    square(ui, place.center(), theme.class(nth));
    if chosen {
        ui.painter().rect_stroke(
            Rect::from_center_size(place.center(), vec2(16.0, 16.0)),
            2,
            Stroke::new(1.0, theme.accent),
            StrokeKind::Inside,
        );
    }
    if response.clicked() {
        state.hand.chosen = Some(at);
    }
    let mut name = match &state.hand.typed {
        Some((of, typed)) if *of == at => typed.clone(),
        _ => found.label.clone(),
    };
    let edit_name =
        TextEdit::singleline(&mut name).hint_text("what is in it").desired_width(140.0).margin(Margin::symmetric(8, 4));
    let response = ui.add(edit_name);
    name_edit(&response, &name, &format!("Name of box {}", at + 1));
    if response.changed() {
        state.hand.typed = Some((at, name.clone()));
    }
    if response.lost_focus() && state.hand.typed.take_if(|(of, _)| *of == at).is_some() && name != found.label {
        edit(&mut state.hand, dataset, id, boxes, BoxEdit::Label(at, name), actions);
    }
    let mut now = state.hand.moved.as_ref().filter(|(of, _)| *of == at).map_or(found, |(_, moved)| moved).clone();
    let (mut touched, mut done) = (false, false);
    let (wide, high) = (f64::from(boxes.size.0), f64::from(boxes.size.1));
    let sides = [
        ("x", &mut now.x, 0.0, wide),
        ("y", &mut now.y, 0.0, high),
        ("width", &mut now.width, 1.0, wide),
        ("height", &mut now.height, 1.0, high),
    ];
    for (what, value, least, most) in sides {
        let response =
            ui.add(DragValue::new(value).range(least..=most).max_decimals(1)).on_hover_text(format!("{what}, in pixels"));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, format!("Box {} {what}", at + 1)));
        touched |= response.changed();
        done |= response.drag_stopped() || response.lost_focus();
    }
    if touched {
        state.hand.moved = Some((at, now));
    }
    if done && let Some((_, moved)) = state.hand.moved.take_if(|(of, _)| *of == at) {
        edit(&mut state.hand, dataset, id, boxes, BoxEdit::Put(at, moved), actions);
    }
    let remove = button(ui, theme, "Remove", "Del", ButtonLook::Quiet, true);
    remove.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Remove box {}", at + 1)));
    // Nothing is typed into: then the key is the box's.
    let free = ui.memory(|memory| memory.focused().is_none());
    let key = free && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Delete));
    if remove.clicked() || key {
        state.hand.chosen = None;
        edit(&mut state.hand, dataset, id, boxes, BoxEdit::Remove(at), actions);
    }
}

/// Makes an edit of the cell, or says why it cannot be made.
fn edit(hand: &mut BoxHand, dataset: &Dataset, id: SampleId, boxes: &BoxesOf, what: BoxEdit, actions: &mut Vec<Action>) {
    // The form is another cell's where this one is empty.
    let like = dataset.field(&boxes.column).filter(|_| boxes.list.is_empty()).and_then(|field| {
        let filled = |id: SampleId| dataset.text(field, id).filter(|cell| !boxes_at(&boxes.column, cell, (1, 1)).is_empty());
        dataset.samples().take(LOOKED_AT).find_map(filled)
    });
    let fits = boxes_edited(&boxes.column, &boxes.cell, like.as_deref(), boxes.size, &what)
        .and_then(|cell| block::fits(dataset, &boxes.column, id, &cell, true));
    match fits {
        Ok(operation) => {
            hand.fault = None;
            actions.push(Action::Do(operation));
        }
        Err(fault) => hand.fault = Some(fault),
    }
}
