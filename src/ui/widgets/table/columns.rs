//! Where columns stand: in which order, how wide by what they hold, and which stay when the others are scrolled.

use egui::{Rect, Ui};

use super::NUMBERS;
use crate::action::Action;
use crate::data::{Dataset, Field, Measure, Property, Role, Rule, SampleId};
use crate::operate::Operation;
use crate::ui::state::{Popup, TableColumn, UiState};
use crate::ui::widgets::text::{cut, flat};

/// A column as it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct ColumnPlace {
    /// Its place in the table's list.
    pub at: usize,
    /// Its place in the dataset.
    pub field: usize,
    pub left: f32,
    pub right: f32,
    pub pinned: bool,
}

/// The columns as they are drawn: those that stay first.
pub struct Laid {
    pub places: Vec<ColumnPlace>,
    /// Where those begin that are scrolled.
    pub free_from: f32,
    /// How wide all are together.
    pub wide: f32,
}

/// Columns that stay take this part of the room at most.
const MOST_PINNED: f32 = 0.6;

impl Laid {
    /// Of the columns that are shown.
    pub fn of(state: &UiState, dataset: &Dataset, rect: Rect) -> Self {
        let columns = &state.table.columns;
        let shown: Vec<(usize, usize)> = (0..columns.len())
            .filter(|at| !columns[*at].hidden)
            .filter_map(|at| dataset.field(&columns[at].name).map(|field| (at, field)))
            .collect();
        let wide: f32 = shown.iter().map(|(at, _)| columns[*at].width).sum();
        let room = rect.width() - NUMBERS - 12.0;
        let mut left = rect.left() + NUMBERS;
        let most = left + room * MOST_PINNED;
        let mut places = Vec::with_capacity(shown.len());
        // Where all have room, nothing is scrolled and nothing needs to stay.
        let stays = |at: usize, from: f32| wide > room && columns[at].pinned && from + columns[at].width <= most;
        let mut rest = Vec::new();
        for (at, field) in shown {
            // Where one finds no room to stay, none behind it does: their order is the table's.
            let behind = rest.iter().any(|(other, _): &(usize, usize)| columns[*other].pinned);
            if !behind && stays(at, left) {
                places.push(ColumnPlace { at, field, left, right: left + columns[at].width, pinned: true });
                left += columns[at].width;
            } else {
                rest.push((at, field));
            }
        }
        let free_from = left;
        left -= state.table.shift;
        for (at, field) in rest {
            places.push(ColumnPlace { at, field, left, right: left + columns[at].width, pinned: false });
            left += columns[at].width;
        }
        Self { places, free_from, wide }
    }

    /// The column under `x`, of those that are drawn there.
    pub fn under(&self, x: f32) -> Option<ColumnPlace> {
        let seen = |place: &&ColumnPlace| (place.pinned || x >= self.free_from) && x >= place.left && x < place.right;
        self.places.iter().find(seen).copied()
    }
}

/// What is read comes first, then what it is called, then the rest in the order of the file.
fn rank(field: &Field) -> u8 {
    match field.role {
        Role::Text | Role::Messages | Role::Image => 0,
        Role::Label | Role::Labels(_) => 1,
        _ => 2,
    }
}

/// So many samples are looked at for how wide a column is.
const LOOKED_AT: usize = 240;

/// How wide a column is by what it holds: nine of ten cells have room.
fn width_of(dataset: &Dataset, place: usize) -> f32 {
    let field = &dataset.fields()[place];
    let letters =
        |text: &str| flat(cut(text, 400), 1).chars().take(90).map(|letter| if letter > '\u{2e80}' { 2 } else { 1 }).sum();
    // All over the file: its first rows may be of one class.
    let step = (dataset.rows() / LOOKED_AT).max(1);
    let mut lengths: Vec<usize> = dataset
        .samples()
        .step_by(step)
        .take(LOOKED_AT)
        .filter_map(|id: SampleId| dataset.text(place, id).map(|text| letters(&text)))
        .collect();
    lengths.sort_unstable();
    let most = lengths.get(lengths.len() * 9 / 10).or(lengths.last()).copied().unwrap_or(4) as f32;
    let head = field.name.chars().take(40).count() as f32 * 7.4 + 44.0;
    let body = most * 6.9 + 26.0;
    match field.role {
        Role::Text | Role::Messages => body.clamp(220.0, 520.0),
        Role::Label | Role::Labels(_) => (body + 14.0).max(head).clamp(120.0, 260.0),
        Role::Image => (body + 40.0).max(head).clamp(140.0, 300.0),
        _ => body.max(head.min(170.0)).clamp(72.0, 260.0),
    }
}

/// Gives columns that are new a place and a width by what they hold, and drops those that are gone.
pub fn lay_out(state: &mut UiState, dataset: &Dataset, width: f32) {
    if !state.table.arranged && (state.table.fitted - width).abs() > 1.0 {
        state.table.columns.clear();
    }
    state.table.fitted = width;
    let columns = &mut state.table.columns;
    columns.retain(|column| dataset.field(&column.name).is_some());
    if columns.len() == dataset.fields().len() {
        return;
    }
    let fresh = columns.is_empty();
    let mut order: Vec<usize> = (0..dataset.fields().len()).collect();
    if fresh {
        order.sort_by_key(|place| rank(&dataset.fields()[*place]));
    }
    let (mut read, mut label) = (false, false);
    for place in order {
        let field = &dataset.fields()[place];
        if columns.iter().any(|column| *column.name == *field.name) {
            continue;
        }
        let first = match rank(field) {
            0 => !std::mem::replace(&mut read, true),
            1 => !std::mem::replace(&mut label, true),
            _ => false,
        };
        let (name, width) = (field.name.to_string(), width_of(dataset, place));
        // Where samples come from is there to be filtered by and asked for; it stands in nobody's way.
        let hidden = fresh && dataset.is_provenance(place);
        columns.push(TableColumn { name, width, hidden, pinned: fresh && first });
    }
    if fresh {
        // What is left over goes to the columns that are read: a table fills its place from the start.
        let total: f32 = columns.iter().filter(|column| !column.hidden).map(|column| column.width).sum();
        let is_read = |name: &str| {
            dataset.field(name).is_some_and(|place| matches!(dataset.fields()[place].role, Role::Text | Role::Messages))
        };
        let readable: Vec<usize> = (0..columns.len()).filter(|at| is_read(&columns[*at].name)).collect();
        let share = (width - 12.0 - total) / readable.len().max(1) as f32;
        for at in readable {
            // Where there is too little, they leave the others some.
            columns[at].width = (columns[at].width + share).max(columns[at].width.min((width * 0.4).max(200.0)));
        }
    }
}

/// Puts a column where it was dropped.
pub fn drop_at(state: &mut UiState, laid: &Laid, from: usize, x: f32) {
    let to = laid.under(x).map_or(from, |place| place.at);
    state.table.arranged = true;
    let column = state.table.columns.remove(from);
    state.table.columns.insert(to.min(state.table.columns.len()), column);
}

/// What can be done with a column.
pub fn menu(ui: &mut Ui, state: &mut UiState, dataset: &Dataset, place: ColumnPlace, actions: &mut Vec<Action>) {
    let column = &dataset.fields()[place.field];
    let name = column.name.to_string();
    for (text, down) in [("Sort upwards", false), ("Sort downwards", true)] {
        if ui.button(text).clicked() {
            state.table.sort = vec![(name.clone(), down)];
        }
    }
    if !state.table.sort.is_empty() && !state.table.sort.iter().any(|(by, _)| *by == name) {
        for (text, down) in [("Then by this, upwards", false), ("Then by this, downwards", true)] {
            if ui.button(text).clicked() {
                state.table.sort.push((name.clone(), down));
            }
        }
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
    let pinned = state.table.columns[place.at].pinned;
    if ui.button(if pinned { "Let it scroll" } else { "Keep it in sight" }).clicked() {
        state.table.arranged = true;
        state.table.columns[place.at].pinned = !pinned;
    }
    if ui.button("Hide column").clicked() {
        state.table.arranged = true;
        state.table.columns[place.at].hidden = true;
    }
    if state.table.columns.iter().any(|column| column.hidden) && ui.button("Show all columns").clicked() {
        state.table.columns.iter_mut().for_each(|column| column.hidden = false);
    }
    ui.separator();
    ui.menu_button("When it is saved", |ui| saved(ui, state, dataset, &name, actions));
}

/// What a column is in what is saved: an edit like any other.
fn saved(ui: &mut Ui, state: &mut UiState, dataset: &Dataset, name: &str, actions: &mut Vec<Action>) {
    let said = dataset.properties();
    let say = |property: Property, of: &[&str], value: Option<String>| {
        Action::Do(Operation::Say { property, of: of.iter().map(|word| (*word).to_owned()).collect(), value })
    };
    if ui.button("Another name…").clicked() {
        state.pop(Popup::ExportName(name.to_owned()));
        said.get(Property::ExportName, &[name]).unwrap_or(name).clone_into(&mut state.typed);
    }
    let out = said.get(Property::LeftOut, &[name]).is_some();
    if ui.button(if out { "Save it again" } else { "Leave it out" }).clicked() {
        actions.push(say(Property::LeftOut, &[name], (!out).then(|| "yes".to_owned())));
    }
    let order: Vec<&str> = state.table.columns.iter().map(|column| column.name.as_str()).collect();
    if ui.button("All columns in the order of the table").clicked() {
        actions.push(say(Property::ColumnOrder, &[], serde_json::to_string(&order).ok()));
    }
    if said.get(Property::ColumnOrder, &[]).is_some() && ui.button("All columns in their own order").clicked() {
        actions.push(say(Property::ColumnOrder, &[], None));
    }
}
