//! The table: millions of rows, only the visible ones laid out. Scrolled by row number, so that the last row is as
//! exact as the first. Sort, resize, reorder and hide columns; every row is named for screen readers.

use std::sync::Arc;

use egui::{CursorIcon, Rect, Response, Role as WidgetType, Sense, Ui, WidgetInfo, pos2, vec2};

use super::bars::spark;
use super::controls::{clipped, right_aligned, severity, square};
use super::picture;
use super::text::{self, count, cut, flat, flat_chat, things};
use crate::action::Action;
use crate::data::{ClassIndex, Dataset, Field, Kind, Measure, Role, Rule, SampleId, Summary};
use crate::operate::Operation;
use crate::session::{Session, Workspace};
use crate::ui::Bundle;
use crate::ui::state::{TableColumn, UiState};
use crate::ui::theme::{STEP, Theme};

const HEADER: f32 = 52.0;
const NUMBERS: f32 = 56.0;
const NARROWEST: f32 = 56.0;

/// Draws the table in what is left of `ui`.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let (theme, session) = (bundle.theme, bundle.session);
    let dataset = workspace.dataset();
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    lay_out_columns(state, dataset, rect.width() - NUMBERS);
    let shown: Vec<(usize, usize)> = state
        .table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.hidden)
        .filter_map(|(at, column)| dataset.field(&column.name).map(|field| (at, field)))
        .collect();
    scroll_sideways(ui, state, rect, &shown);
    let head = Rect::from_min_size(rect.min, vec2(rect.width(), HEADER));
    let total: f32 = shown.iter().map(|(at, _)| state.table.columns[*at].width).sum();
    let foot = if total > rect.width() - NUMBERS - 12.0 { 12.0 } else { 0.0 };
    let body = Rect::from_min_max(pos2(rect.left(), head.bottom()), pos2(rect.right(), rect.bottom() - foot));
    rows(ui, state, bundle, workspace, &shown, body, actions);
    header(ui, state, theme, session, workspace, &shown, head, actions);
}

/// The samples as a list of one column, beside what shows one of them whole.
pub fn draw_list(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let dataset = workspace.dataset();
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let read = |role: Role| matches!(role, Role::Text | Role::Messages);
    let field = dataset.with_role(read).or_else(|| dataset.pictures()).or_else(|| (!dataset.fields().is_empty()).then_some(0));
    let Some(field) = field else { return };
    if state.table.columns.is_empty() {
        lay_out_columns(state, dataset, rect.width() - NUMBERS);
    }
    let name = &*dataset.fields()[field].name;
    let Some(at) = state.table.columns.iter().position(|column| column.name == name) else { return };
    // The one column has all the room there is; the table has its own again.
    let (own, shift) = (state.table.columns[at].width, state.table.shift);
    (state.table.columns[at].width, state.table.shift) = (rect.width() - NUMBERS - 12.0, 0.0);
    rows(ui, state, bundle, workspace, &[(at, field)], rect, actions);
    (state.table.columns[at].width, state.table.shift) = (own, shift);
}

/// The first rows of a dataset that is still being opened: to look at only.
pub fn draw_preview(ui: &mut Ui, theme: &Theme, dataset: &Dataset) {
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let mut state = UiState::default();
    lay_out_columns(&mut state, dataset, rect.width() - NUMBERS);
    let painter = ui.painter_at(rect);
    let mut x = rect.left() + NUMBERS;
    for (field, column) in state.table.columns.iter().enumerate() {
        painter.text(
            pos2(x + STEP * 2.0, rect.top() + 16.0),
            egui::Align2::LEFT_CENTER,
            &column.name,
            theme.strong(),
            theme.text,
        );
        let rows = ((rect.height() - HEADER) / theme.sizes.row) as usize;
        for row in 0..rows.min(dataset.rows()) {
            let y = rect.top() + HEADER + row as f32 * theme.sizes.row;
            let text = dataset.text(field, SampleId::at(row)).unwrap_or_default();
            clipped(ui, pos2(x + STEP * 2.0, y + 5.0), column.width - STEP * 4.0, &flat(&text, 1), theme.body(), theme.dim, 1);
        }
        x += column.width;
    }
    ui.painter().hline(rect.x_range(), rect.top() + HEADER, theme.hairline());
}

/// Gives columns that are new a width by what they hold, and drops those that are gone.
fn lay_out_columns(state: &mut UiState, dataset: &Dataset, width: f32) {
    if !state.table.arranged && (state.table.fitted - width).abs() > 1.0 {
        state.table.columns.clear();
    }
    state.table.fitted = width;
    let columns = &mut state.table.columns;
    columns.retain(|column| dataset.field(&column.name).is_some());
    let fresh = columns.is_empty();
    for field in dataset.fields() {
        if columns.iter().any(|column| *column.name == *field.name) {
            continue;
        }
        let wide = match field.role {
            Role::Text | Role::Messages => 420.0,
            Role::Label | Role::Labels(_) => 220.0,
            _ if field.kind.is_numeric() || field.kind == Kind::Boolean => 96.0,
            _ => 160.0,
        };
        columns.push(TableColumn { name: field.name.to_string(), width: wide, hidden: false });
    }
    if fresh {
        // What is left over goes to the columns that are read: a table fills its place from the start.
        let total: f32 = columns.iter().map(|column| column.width).sum();
        let readable: Vec<usize> = (0..columns.len()).filter(|i| columns[*i].width >= 400.0).collect();
        let share = (width - 12.0 - total) / readable.len().max(1) as f32;
        for i in readable {
            columns[i].width = (columns[i].width + share).max(240.0);
        }
    }
}

fn header(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    session: &Session,
    workspace: &Workspace,
    shown: &[(usize, usize)],
    rect: Rect,
    actions: &mut Vec<Action>,
) {
    let dataset = workspace.dataset();
    ui.painter().rect_filled(rect, 0, theme.background);
    ui.painter().hline(rect.x_range(), rect.bottom(), theme.hairline());
    ui.painter().hline(rect.x_range(), rect.top(), theme.hairline());
    let mut x = rect.left() + NUMBERS - state.table.shift;
    let cells = rect.with_min_x(rect.left() + NUMBERS);
    let whole_clip = ui.clip_rect();
    ui.set_clip_rect(whole_clip.intersect(cells));
    let mut dropped: Option<(usize, f32)> = None;
    for (at, field) in shown {
        let column = &dataset.fields()[*field];
        let width = state.table.columns[*at].width;
        let cell = Rect::from_min_size(pos2(x, rect.top()), vec2(width, rect.height()));
        x += width;
        if !cell.intersects(cells) {
            continue;
        }
        let response =
            ui.interact(cell.shrink2(vec2(4.0, 0.0)), ui.scope_id().with(("header", &column.name)), Sense::click_and_drag());
        let sorted = state.table.sort.as_ref().filter(|(name, _)| **name == *column.name).map(|(_, down)| *down);
        let order = sorted.map_or("", |down| if down { ", sorted downwards" } else { ", sorted upwards" });
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Column {}{order}", column.name)));
        if response.hovered() {
            ui.painter().rect_filled(cell, 0, theme.raised);
        }
        ui.painter().vline(cell.left(), rect.y_range(), theme.hairline());
        let inner = cell.shrink2(vec2(STEP * 2.5, 0.0));
        let name =
            clipped(ui, pos2(inner.left(), rect.top() + 8.0), inner.width() - 14.0, &column.name, theme.strong(), theme.text, 1);
        if let Some(down) = sorted {
            let (tip, r) = (pos2(inner.left() + name.x + 10.0, rect.top() + 16.0), if down { 3.5 } else { -3.5 });
            let points = vec![tip + vec2(0.0, r), tip + vec2(-4.0, -r), tip + vec2(4.0, -r)];
            ui.painter().add(egui::Shape::convex_polygon(points, theme.accent, egui::Stroke::NONE));
        }
        let classes = workspace.classes(&column.name);
        let summary = session.summary(&column.name);
        let (note, counts) = header_note(column, summary, classes);
        // A narrow column shows its shape, a wide one says it and shows it.
        let spark_width = counts.filter(|counts| counts.len() > 1).map_or(0.0, |_| 64.0_f32.min(inner.width()));
        let room = inner.width() - spark_width - STEP * 2.0;
        if room > 60.0 {
            clipped(ui, pos2(inner.left(), rect.top() + 29.0), room, &note, theme.note(), theme.dim, 1);
        }
        if let Some(counts) = counts.filter(|_| spark_width > 20.0) {
            let left = if room > 60.0 { inner.right() - spark_width } else { inner.left() };
            spark(ui, theme, Rect::from_min_size(pos2(left, rect.bottom() - 22.0), vec2(spark_width, 18.0)), counts);
        }
        if response.clicked() {
            state.table.sort = match sorted {
                None => Some((column.name.to_string(), false)),
                Some(false) => Some((column.name.to_string(), true)),
                Some(true) => None,
            };
        }
        if response.drag_stopped() {
            dropped = response.interact_pointer_pos().map(|pos| (*at, pos.x));
        }
        if response.dragged() {
            ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        }
        let response = response.on_hover_text(format!("{note}. Click to sort, drag to move, right-click for more"));
        response.context_menu(|ui| menu(ui, state, dataset, *at, *field, actions));
        let edge = Rect::from_center_size(pos2(cell.right(), rect.center().y), vec2(8.0, rect.height()));
        let grip = ui
            .interact(edge, ui.scope_id().with(("grip", &column.name)), Sense::drag())
            .on_hover_cursor(CursorIcon::ResizeHorizontal);
        grip.widget_info(|| WidgetInfo::labeled(WidgetType::Slider, true, format!("Width of {}", column.name)));
        if grip.dragged() {
            state.table.arranged = true;
            let column = &mut state.table.columns[*at];
            column.width = (column.width + grip.drag_delta().x).clamp(NARROWEST, 2_000.0);
        }
    }
    ui.set_clip_rect(whole_clip);
    if let Some((from, to_x)) = dropped {
        drop_column(state, shown, from, to_x, rect.left());
    }
}

/// What a column's header says, and the shape that it shows.
fn header_note<'s>(
    column: &Field,
    summary: Option<&'s Summary>,
    classes: Option<&Arc<ClassIndex>>,
) -> (String, Option<&'s Vec<u64>>) {
    match (summary, classes) {
        (_, Some(classes)) => (format!("{}, {}", column.role, super::text::things(classes.used(), "class", "classes")), None),
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

/// Puts a column where it was dropped.
fn drop_column(state: &mut UiState, shown: &[(usize, usize)], from: usize, to_x: f32, left: f32) {
    let mut x = left + NUMBERS - state.table.shift;
    let mut to = from;
    for (at, _) in shown {
        if to_x >= x {
            to = *at;
        }
        x += state.table.columns[*at].width;
    }
    state.table.arranged = true;
    let column = state.table.columns.remove(from);
    state.table.columns.insert(to.min(state.table.columns.len()), column);
}

fn menu(ui: &mut Ui, state: &mut UiState, dataset: &Dataset, at: usize, field: usize, actions: &mut Vec<Action>) {
    let column = &dataset.fields()[field];
    let name = column.name.to_string();
    if ui.button("Sort upwards").clicked() {
        state.table.sort = Some((name.clone(), false));
    }
    if ui.button("Sort downwards").clicked() {
        state.table.sort = Some((name.clone(), true));
    }
    if ui.button("Only empty cells").clicked() {
        state.toggle_clause(Rule::Empty { column: name.clone() }.into());
    }
    if ui.button("Show in the chart").clicked() {
        state.chart.column.clone_from(&name);
        state.chart.measure = if column.kind.is_numeric() { Measure::Value } else { Measure::Words };
    }
    ui.menu_button("Role", |ui| {
        for role in Role::ALL {
            if ui.selectable_label(role == column.role, role.to_string()).clicked() {
                actions.push(Action::Do(Operation::SetRole { column: name.clone(), role }));
            }
        }
    });
    ui.separator();
    if ui.button("Hide column").clicked() {
        state.table.arranged = true;
        state.table.columns[at].hidden = true;
    }
    if state.table.columns.iter().any(|column| column.hidden) && ui.button("Show all columns").clicked() {
        state.table.columns.iter_mut().for_each(|column| column.hidden = false);
    }
}

fn rows(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    shown: &[(usize, usize)],
    rect: Rect,
    actions: &mut Vec<Action>,
) {
    let (theme, session) = (bundle.theme, bundle.session);
    let dataset = workspace.dataset();
    let visible = session.visible();
    let lines = state.table.lines.max(1);
    let high = theme.sizes.row + (lines - 1) as f32 * 18.0;
    // In a window that is too low for a row there is still a page: nothing below divides by none.
    let page = (rect.height() / high).max(0.1);
    let most = (visible.len() as f64 - f64::from(page)).max(0.0);
    let follow = std::mem::take(&mut state.table.follow).then_some(state.selection.place);
    scroll(ui, (&mut state.table.first, &mut state.table.part), follow, rect, high, page, most, visible.len());
    let body = Rect::from_min_max(rect.min, pos2(rect.right() - 12.0, rect.bottom()));
    let old_clip = ui.clip_rect();
    ui.set_clip_rect(body.intersect(old_clip));
    if visible.is_empty() && !session.is_visible_stale() {
        let text =
            if dataset.rows() == 0 { "There are no samples in this file" } else { "No sample passes the filter. Esc clears it" };
        ui.painter().text(body.center(), egui::Align2::CENTER_CENTER, text, theme.body(), theme.dim);
    }
    let last = (state.table.first + page.ceil() as usize + 1).min(visible.len());
    for place in state.table.first..last {
        let Some(id) = visible.get(place) else { break };
        let y = rect.top() + ((place - state.table.first) as f32 - state.table.part) * high;
        let row = Rect::from_min_size(pos2(rect.left(), y), vec2(body.width(), high));
        if id.row() >= dataset.rows() {
            break;
        }
        let flag = flag_of(session, id).filter(|_| !dataset.is_reviewed(id));
        one_row(ui, state, bundle, workspace, shown, row, (place, flag), actions);
    }
    ui.set_clip_rect(old_clip);
    if session.is_visible_stale() {
        ui.painter().rect_filled(body, 0, theme.background.gamma_multiply(0.35));
    }
}

/// What was found on a sample: its label, or something else, whichever is worse.
pub fn flag_of(session: &Session, id: crate::data::SampleId) -> Option<(f64, &str)> {
    let label = session.labels().and_then(|report| report.place.get(&id).map(|at| &report.queue[*at]));
    let label = label.map(|candidate| (f64::from(candidate.wrong), candidate.reason.as_str()));
    let other = session.flag(id);
    label.into_iter().chain(other).max_by(|a, b| a.0.total_cmp(&b.0))
}

fn one_row(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    shown: &[(usize, usize)],
    row: Rect,
    (place, flag): (usize, Option<(f64, &str)>),
    actions: &mut Vec<Action>,
) {
    let (theme, visible) = (bundle.theme, bundle.session.visible());
    let dataset = workspace.dataset();
    let lines = state.table.lines.max(1);
    let Some(id) = visible.get(place) else { return };
    let response = ui.interact(row, ui.scope_id().with(("row", id.0)), Sense::click());
    let chosen = state.selection.contains(id);
    name_row(&response, dataset, shown, id, chosen);
    let excluded = dataset.is_excluded(id);
    if chosen {
        ui.painter().rect_filled(row, 0, theme.tint);
    } else if response.hovered() {
        ui.painter().rect_filled(row, 0, theme.raised);
    }
    if state.selection.cursor == Some(id) {
        ui.painter().rect_filled(Rect::from_min_size(row.min, vec2(2.0, row.height())), 0, theme.accent);
    }
    ui.painter().hline(row.x_range(), row.bottom(), egui::Stroke::new(1.0, theme.line.gamma_multiply(0.6)));
    let middle = row.top() + theme.sizes.row / 2.0;
    right_aligned(ui, pos2(row.left() + NUMBERS - STEP * 2.5, middle), &count(id.row()), theme.note(), theme.dim);
    if let Some((severe, _)) = flag {
        severity(ui, theme, pos2(row.left() + 11.0, middle), severe);
    }
    if dataset.is_reviewed(id) {
        let at = pos2(row.left() + 9.0, middle);
        let tick = vec![at + vec2(-3.0, 0.0), at + vec2(-1.0, 2.5), at + vec2(3.5, -3.0)];
        ui.painter().add(egui::Shape::line(tick, egui::Stroke::new(1.4, theme.emerald)));
    }
    let mut x = row.left() + NUMBERS - state.table.shift;
    // What is scrolled out on the left must not run over the rows' numbers.
    let whole_clip = ui.clip_rect();
    ui.set_clip_rect(whole_clip.intersect(row.with_min_x(row.left() + NUMBERS)));
    for (at, field) in shown {
        let width = state.table.columns[*at].width;
        let left = x + STEP * 2.5;
        x += width;
        if left > row.right() {
            break;
        }
        if x < row.left() + NUMBERS {
            continue;
        }
        one_cell(ui, bundle, workspace, (id, *field), Rect::from_x_y_ranges(left..=x - STEP * 2.5, row.y_range()), lines);
    }
    ui.set_clip_rect(whole_clip);
    if excluded {
        ui.painter().hline(row.left() + NUMBERS + 10.0..=row.right() - 10.0, middle, egui::Stroke::new(1.0, theme.faint));
    }
    let in_gutter = response.hover_pos().is_some_and(|pos| pos.x < row.left() + NUMBERS);
    let response = match flag.filter(|_| in_gutter) {
        Some((_, reason)) => response.on_hover_text(reason),
        None => response,
    };
    if response.secondary_clicked() && !state.selection.contains(id) {
        state.selection.go(visible, place);
    }
    response.context_menu(|ui| row_menu(ui, state, dataset, id, actions));
    if response.double_clicked() {
        state.pane.open_in = Some(state.view);
    }
    if response.clicked() {
        let modifiers = ui.input(|input| input.modifiers);
        if modifiers.shift {
            state.selection.extend(visible, place);
        } else if modifiers.command {
            state.selection.toggle(visible, place);
        } else {
            state.selection.go(visible, place);
        }
    }
}

/// What can be done with a row, or with all that are chosen.
fn row_menu(ui: &mut Ui, state: &mut UiState, dataset: &Dataset, id: SampleId, actions: &mut Vec<Action>) {
    let samples = state.selection.samples();
    let rows = if samples.len() > 1 { things(samples.len(), "row", "rows") } else { "row".to_owned() };
    if ui.button("Open").clicked() {
        state.pane.open_in = Some(state.view);
    }
    ui.menu_button("Copy cell", |ui| {
        for field in dataset.fields() {
            if ui.button(text::visible(&field.name)).clicked() {
                actions.push(Action::Copy { samples: vec![id], column: Some(field.name.to_string()) });
            }
        }
    });
    if ui.button(format!("Copy {rows} as CSV")).clicked() {
        actions.push(Action::Copy { samples: samples.clone(), column: None });
    }
    ui.separator();
    let excluded = dataset.is_excluded(id);
    if ui.button(if excluded { "Restore" } else { "Exclude" }).clicked() {
        actions.push(Action::Do(Operation::Exclude { samples: samples.clone(), on: !excluded }));
    }
    let reviewed = dataset.is_reviewed(id);
    if ui.button(if reviewed { "Mark not reviewed" } else { "Mark reviewed" }).clicked() {
        actions.push(Action::Do(Operation::Review { samples, on: !reviewed }));
    }
}

/// One cell, in its place.
fn one_cell(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, (id, field): (SampleId, usize), place: Rect, lines: usize) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let column = &dataset.fields()[field];
    let excluded = dataset.is_excluded(id);
    let (left, room, middle) = (place.left(), place.width(), place.top() + theme.sizes.row / 2.0);
    let text = dataset.text(field, id);
    let ink = if excluded { theme.faint } else { theme.text };
    let Some(text) = text else {
        ui.painter().text(pos2(left, middle), egui::Align2::LEFT_CENTER, "null", theme.note(), theme.faint);
        return;
    };
    let y = place.top() + (theme.sizes.row - 16.0) / 2.0;
    let (left, room) = if Some(field) == dataset.pictures() {
        let side = place.height() - STEP;
        let square = Rect::from_min_size(pos2(left, place.top() + STEP / 2.0), vec2(side, side));
        picture::draw(ui, theme, bundle.pictures, id, square, excluded);
        (left + side + STEP * 2.0, room - side - STEP * 2.0)
    } else {
        (left, room)
    };
    let edited = dataset.edited(field, id).is_some() && column.is_given();
    if edited {
        ui.painter().circle_filled(pos2(place.right() + STEP * 2.5 - 7.0, middle), 2.0, theme.accent);
    }
    let shown_text =
        if column.role == Role::Messages || column.kind.is_nested() { flat_chat(&text, lines) } else { flat(&text, lines) };
    if let Some(index) = workspace.classes(&column.name) {
        let colour = index.of(id).first().map(|class| theme.class(*class as usize));
        if let Some(colour) = colour {
            square(ui, pos2(left + 4.0, middle), if excluded { theme.faint } else { colour });
        }
        clipped(ui, pos2(left + 14.0, y), (room - 14.0).max(8.0), &shown_text, theme.body(), ink, lines);
    } else if column.kind.is_numeric() {
        let size = ui.painter().layout_no_wrap(text::visible(cut(&shown_text, 40)).into_owned(), theme.body(), ink);
        ui.painter().galley(pos2(left + room - size.size().x, y), size, ink);
    } else {
        clipped(ui, pos2(left, y), room.max(8.0), &shown_text, theme.body(), ink, lines);
    }
}

fn name_row(response: &Response, dataset: &Dataset, shown: &[(usize, usize)], id: SampleId, chosen: bool) {
    response.widget_info(|| {
        let cells: Vec<String> =
            shown.iter().take(4).map(|(_, field)| cut(&dataset.text(*field, id).unwrap_or_default(), 80).to_owned()).collect();
        let excluded = if dataset.is_excluded(id) { ", excluded" } else { "" };
        let name = format!("Sample {}: {}{excluded}", id.0, cells.join(", "));
        WidgetInfo::selected(WidgetType::ListBoxOption, true, chosen, name)
    });
}

/// Takes sideways wheel and the bar below in, where the columns are wider than their place.
fn scroll_sideways(ui: &mut Ui, state: &mut UiState, rect: Rect, shown: &[(usize, usize)]) {
    let total: f32 = shown.iter().map(|(at, _)| state.table.columns[*at].width).sum();
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
