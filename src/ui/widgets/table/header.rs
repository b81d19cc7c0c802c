//! The header: names, roles, the shape of each column; sorts, moves, resizes.

use std::sync::Arc;

use egui::{CursorIcon, Rect, Role as WidgetType, Sense, Ui, WidgetInfo, pos2, vec2};

use super::columns::{ColumnPlace, Laid, drop_at, menu};
use super::{NARROWEST, NUMBERS};
use crate::action::Action;
use crate::data::{ClassIndex, Dataset, Field, Property, Role, Summary};
use crate::session::{Session, Workspace};
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::bars::spark;
use crate::ui::widgets::controls::clipped;
use crate::ui::widgets::text::{count, things};

/// Draws the header in `rect`.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    session: &Session,
    workspace: &Workspace,
    (laid, rect): (&Laid, Rect),
    actions: &mut Vec<Action>,
) {
    ui.painter().rect_filled(rect, 0, theme.background);
    ui.painter().hline(rect.x_range(), rect.bottom(), theme.hairline());
    ui.painter().hline(rect.x_range(), rect.top(), theme.hairline());
    let whole_clip = ui.clip_rect();
    let mut dropped: Option<(usize, f32)> = None;
    for place in &laid.places {
        let from = if place.pinned { rect.left() + NUMBERS } else { laid.free_from };
        let room = rect.with_min_x(from);
        let cell = Rect::from_min_max(pos2(place.left, rect.top()), pos2(place.right, rect.bottom()));
        if !cell.intersects(room) {
            continue;
        }
        ui.set_clip_rect(whole_clip.intersect(room));
        if let Some(x) = one(ui, state, theme, session, workspace, (*place, cell), actions) {
            dropped = Some((place.at, x));
        }
    }
    ui.set_clip_rect(whole_clip);
    if let Some((from, x)) = dropped {
        drop_at(state, laid, from, x);
    }
}

/// One column's head; returns where it was dropped.
fn one(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    session: &Session,
    workspace: &Workspace,
    (place, cell): (ColumnPlace, Rect),
    actions: &mut Vec<Action>,
) -> Option<f32> {
    let dataset = workspace.dataset();
    let column = &dataset.fields()[place.field];
    let mut dropped = None;
    let id = ui.scope_id().with(("header", &column.name));
    let response = ui.interact(cell.shrink2(vec2(4.0, 0.0)), id, Sense::click_and_drag());
    let rank = state.table.sort.iter().position(|(name, _)| **name == *column.name);
    let sorted = rank.map(|rank| state.table.sort[rank].1);
    let order = sorted.map_or("", |down| if down { ", sorted downwards" } else { ", sorted upwards" });
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Column {}{order}", column.name)));
    if response.hovered() {
        ui.painter().rect_filled(cell, 0, theme.raised);
    }
    ui.painter().vline(cell.left(), cell.y_range(), theme.hairline());
    let inner = cell.shrink2(vec2(STEP * 2.5, 0.0));
    let written = written(dataset, column);
    let ink = if written.is_none() { theme.faint } else { theme.text };
    let title = match &written {
        Some(name) if *name != *column.name => format!("{} → {name}", column.name),
        _ => column.name.to_string(),
    };
    let name = clipped(ui, pos2(inner.left(), cell.top() + 8.0), inner.width() - 20.0, &title, theme.strong(), ink, 1);
    if let (Some(down), Some(rank)) = (sorted, rank) {
        let (tip, r) = (pos2(inner.left() + name.x + 10.0, cell.top() + 16.0), if down { 3.5 } else { -3.5 });
        let points = vec![tip + vec2(0.0, r), tip + vec2(-4.0, -r), tip + vec2(4.0, -r)];
        ui.painter().add(egui::Shape::convex_polygon(points, theme.accent, egui::Stroke::NONE));
        if state.table.sort.len() > 1 {
            let at = tip + vec2(8.0, 0.0);
            ui.painter().text(at, egui::Align2::LEFT_CENTER, (rank + 1).to_string(), theme.note(), theme.accent);
        }
    }
    let classes = workspace.classes(&column.name);
    let (note, counts) = note(column, session.summary(&column.name), classes);
    let note = if written.is_none() { format!("not saved; {note}") } else { note };
    // A narrow column shows its shape, a wide one says it and shows it.
    let spark_width = counts.filter(|counts| counts.len() > 1).map_or(0.0, |_| 64.0_f32.min(inner.width()));
    let room = inner.width() - spark_width - STEP * 2.0;
    if room > 60.0 {
        clipped(ui, pos2(inner.left(), cell.top() + 29.0), room, &note, theme.note(), theme.dim, 1);
    }
    if let Some(counts) = counts.filter(|_| spark_width > 20.0) {
        let left = if room > 60.0 { inner.right() - spark_width } else { inner.left() };
        spark(ui, theme, Rect::from_min_size(pos2(left, cell.bottom() - 22.0), vec2(spark_width, 18.0)), counts);
    }
    if response.clicked() {
        let more = ui.input(|input| input.modifiers.shift);
        sort_by(&mut state.table.sort, &column.name, more);
    }
    if response.drag_stopped() {
        dropped = response.interact_pointer_pos().map(|pos| pos.x);
    }
    if response.dragged() {
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
    }
    let hint = format!("{note}. Click to sort, Shift click to sort by it too, drag to move, right-click for more");
    let response = response.on_hover_text(hint);
    response.context_menu(|ui| menu(ui, state, dataset, place, actions));
    let edge = Rect::from_center_size(pos2(cell.right(), cell.center().y), vec2(8.0, cell.height()));
    let grip = ui
        .interact(edge, ui.scope_id().with(("grip", &column.name)), Sense::drag())
        .on_hover_cursor(CursorIcon::ResizeHorizontal);
    grip.widget_info(|| WidgetInfo::labeled(WidgetType::Slider, true, format!("Width of {}", column.name)));
    if grip.dragged() {
        state.table.arranged = true;
        let column = &mut state.table.columns[place.at];
        column.width = (column.width + grip.drag_delta().x).clamp(NARROWEST, 2_000.0);
    }
    dropped
}

/// Sorts by a column: upwards, downwards, not at all; alone, or beside the others.
fn sort_by(sort: &mut Vec<(String, bool)>, name: &str, more: bool) {
    let known = sort.iter().position(|(by, _)| by == name);
    match known.map(|at| (at, sort[at].1)) {
        None if more => sort.push((name.to_owned(), false)),
        None => *sort = vec![(name.to_owned(), false)],
        // Of several it becomes the only one.
        Some(_) if !more && sort.len() > 1 => *sort = vec![(name.to_owned(), false)],
        Some((at, false)) if more => sort[at].1 = true,
        Some((_, false)) => *sort = vec![(name.to_owned(), true)],
        Some((at, true)) if more => {
            sort.remove(at);
        }
        Some((_, true)) => sort.clear(),
    }
}

/// The name of a column in what is saved; `None` where it is left out.
fn written(dataset: &Dataset, column: &Field) -> Option<String> {
    let said = dataset.properties();
    let out = said.get(Property::LeftOut, &[&column.name]).is_some();
    (!out).then(|| said.get(Property::ExportName, &[&column.name]).unwrap_or(&column.name).to_owned())
}

/// What a column's header says, and the shape that it shows.
fn note<'s>(column: &Field, summary: Option<&'s Summary>, classes: Option<&Arc<ClassIndex>>) -> (String, Option<&'s Vec<u64>>) {
    match (summary, classes) {
        (_, Some(classes)) => (format!("{}, {}", column.role, things(classes.used(), "class", "classes")), None),
        (Some(summary), None) => {
            let holes = summary.nulls + summary.empty;
            let about = if summary.estimated { "about " } else { "" };
            let holes = if holes == 0 { "none empty".to_owned() } else { format!("{} empty", count(holes)) };
            let what = if column.role == Role::Other { column.kind.name().to_owned() } else { column.role.to_string() };
            (format!("{what}, {about}{} distinct, {holes}", count(summary.distinct)), Some(&summary.histogram.counts))
        }
        (None, None) => (column.kind.name().to_owned(), None),
    }
}
