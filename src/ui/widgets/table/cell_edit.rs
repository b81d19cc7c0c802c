//! A cell edited where it stands: a line to type in over it. What does not fit is said below, and stays.

use egui::{Area, Frame, Id, Key, Margin, Order, Rect, RichText, TextEdit, Ui, pos2};

use super::columns::Laid;
use crate::action::Action;
use crate::data::{Role, SampleId};
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::sample::cell_fits;
use crate::ui::sample::state::{EditorAt, Piece, Spot};
use crate::ui::state::{CellEdit, Popup, UiState};
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::name_edit;

/// What is longer has the sample's pane to be edited in.
const LONGEST: usize = 300;

/// Begins to edit a cell: a class is picked, what is short is typed over the cell, anything else is opened as a sample.
pub fn begin(state: &mut UiState, workspace: &Workspace, id: SampleId, field: Option<usize>) {
    let dataset = workspace.dataset();
    let Some(field) = field else {
        state.pane.open_in = Some(state.view);
        return;
    };
    let column = &dataset.fields()[field];
    let text = dataset.text(field, id).unwrap_or_default();
    let read = matches!(column.role, Role::Text | Role::Messages | Role::Image) || column.kind.is_nested();
    if dataset.with_role(Role::is_label) == Some(field) {
        state.pop(Popup::Class);
    } else if read || text.len() > LONGEST || text.contains(['\n', '\r']) || state.pane.is_open(state.view) {
        state.pane.open_in = Some(state.view);
        // What is typed next goes into the cell that was meant.
        if column.role == Role::Text {
            state.pane.wanted = Some(EditorAt::At(Spot { sample: id, column: column.name.to_string(), piece: Piece::Cell }));
        }
    } else {
        let text = text.into_owned();
        let column = column.name.to_string();
        state.table.editing = Some(CellEdit { sample: id, column, before: text.clone(), text, fault: None });
    }
}

/// Draws the line over its cell, at the edge of `body` where that is not seen.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    (laid, body): (&Laid, Rect),
    high: f32,
    actions: &mut Vec<Action>,
) {
    let Some(mut edit) = state.table.editing.take() else { return };
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let column = laid.places.iter().find(|place| *dataset.fields()[place.field].name == *edit.column);
    let place = bundle.session.visible().place(edit.sample, state.selection.place);
    let (left, wide) = column.map_or((body.left(), 200.0), |column| (column.left, (column.right - column.left).max(160.0)));
    let row = place.map_or(0.0, |place| (place as f32 - state.table.first as f32 - state.table.part) * high);
    let left = left.clamp(body.left(), (body.right() - wide).max(body.left()));
    let top = (body.top() + row).clamp(body.top(), (body.bottom() - high).max(body.top()));
    let id = Id::unique(("cell", edit.sample.0, &edit.column));
    let mut response = None;
    Area::new(id.with("area")).order(Order::Foreground).fixed_pos(pos2(left, top)).constrain_to(body).show(ui.ctx(), |ui| {
        let frame = Frame::new().fill(theme.panel).stroke(egui::Stroke::new(1.0, theme.accent)).corner_radius(theme.corner());
        frame.show(ui, |ui| {
            ui.set_width(wide);
            let line = TextEdit::singleline(&mut edit.text).id(id).frame(Frame::NONE).desired_width(f32::INFINITY);
            let typed = ui.add(line.margin(Margin::symmetric(9, 4)).font(theme.body()));
            name_edit(&typed, &edit.text, &format!("{} of sample {}", edit.column, edit.sample.0));
            if typed.changed() {
                edit.fault = None;
            }
            if let Some(fault) = &edit.fault {
                ui.horizontal_wrapped(|ui| {
                    ui.add_space(STEP * 2.0);
                    ui.label(RichText::new(format!("Not saved: {fault}")).color(theme.ruby));
                });
            }
            response = Some(typed);
        });
    });
    let Some(response) = response else { return };
    let escaped = ui.input(|input| input.key_pressed(Key::Escape));
    if !response.has_focus() && !response.lost_focus() {
        response.request_focus();
    }
    if !response.lost_focus() {
        state.table.editing = Some(edit);
        return;
    }
    if escaped || edit.text == edit.before {
        return;
    }
    match cell_fits(dataset, &edit.column, edit.sample, &edit.text) {
        Ok(operation) => actions.push(Action::Do(operation)),
        Err(fault) => {
            // It stays with what was typed, until that fits or is dropped with Esc.
            edit.fault = Some(fault);
            state.table.editing = Some(edit);
        }
    }
}
