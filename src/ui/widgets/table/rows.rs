//! The rows: only those that are seen are laid out.

use egui::{Rect, Response, Role as WidgetType, Sense, Ui, WidgetInfo, pos2, vec2};

use super::columns::Laid;
use super::scroll::scroll;
use super::{NUMBERS, cell_edit};
use crate::action::Action;
use crate::data::{Dataset, Marks, Role, SampleId};
use crate::operate::Operation;
use crate::session::{Session, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{clipped_marked, right_aligned, severity, square};
use crate::ui::widgets::picture;
use crate::ui::widgets::text::{self, count, cut, flat, flat_chat, things};

/// Draws the rows that are seen in `rect`.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    (laid, rect): (&Laid, Rect),
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
    let marks = state.marks();
    let last = (state.table.first + page.ceil() as usize + 1).min(visible.len());
    for place in state.table.first..last {
        let Some(id) = visible.get(place) else { break };
        let y = rect.top() + ((place - state.table.first) as f32 - state.table.part) * high;
        let row = Rect::from_min_size(pos2(rect.left(), y), vec2(body.width(), high));
        if id.row() >= dataset.rows() {
            break;
        }
        let flag = flag_of(session, id).filter(|_| !dataset.is_reviewed(id));
        one_row(ui, state, bundle, workspace, (laid, &marks), row, (place, flag), actions);
    }
    ui.set_clip_rect(old_clip);
    cell_edit::draw(ui, state, bundle, workspace, (laid, body), high, actions);
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
    (laid, marks): (&Laid, &Marks),
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
    name_row(&response, dataset, laid, id, chosen);
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
    // What is scrolled out on the left must not run over what stays.
    let whole_clip = ui.clip_rect();
    for column in &laid.places {
        let room = row.with_min_x(if column.pinned { row.left() + NUMBERS } else { laid.free_from });
        if column.right < room.left() || column.left + STEP * 2.5 > row.right() {
            continue;
        }
        ui.set_clip_rect(whole_clip.intersect(room));
        let place = Rect::from_x_y_ranges(column.left + STEP * 2.5..=column.right - STEP * 2.5, row.y_range());
        one_cell(ui, bundle, workspace, (id, column.field), marks, place, lines);
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
        let column = response.interact_pointer_pos().and_then(|pos| laid.under(pos.x));
        cell_edit::begin(state, workspace, id, column.map(|column| column.field));
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
fn one_cell(
    ui: &mut Ui,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    (id, field): (SampleId, usize),
    marks: &Marks,
    place: Rect,
    lines: usize,
) {
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
        let colour = index.of(id).first().map(|class| theme.class(index.hue(*class as usize)));
        if let Some(colour) = colour {
            square(ui, pos2(left + 4.0, middle), if excluded { theme.faint } else { colour });
        }
        let room = (room - 14.0).max(8.0);
        clipped_marked(
            ui,
            theme,
            pos2(left + 14.0, y),
            room,
            (&shown_text, &|text| marks.places(&column.name, text)),
            ink,
            lines,
        );
    } else if column.kind.is_numeric() {
        let size = ui.painter().layout_no_wrap(text::visible(cut(&shown_text, 40)).into_owned(), theme.body(), ink);
        ui.painter().galley(pos2(left + room - size.size().x, y), size, ink);
    } else {
        let found = |text: &str| marks.places(&column.name, text);
        clipped_marked(ui, theme, pos2(left, y), room.max(8.0), (&shown_text, &found), ink, lines);
    }
}

fn name_row(response: &Response, dataset: &Dataset, laid: &Laid, id: SampleId, chosen: bool) {
    response.widget_info(|| {
        let cells: Vec<String> = laid
            .places
            .iter()
            .take(4)
            .map(|place| cut(&dataset.text(place.field, id).unwrap_or_default(), 80).to_owned())
            .collect();
        let excluded = if dataset.is_excluded(id) { ", excluded" } else { "" };
        let name = format!("Sample {}: {}{excluded}", id.0, cells.join(", "));
        WidgetInfo::selected(WidgetType::ListBoxOption, true, chosen, name)
    });
}
