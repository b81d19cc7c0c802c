//! The sample as a place to work: every field a block that is edited in place, what can be done with the whole in a foot that stays.

mod block;
pub mod box_hand;
mod boxes;
mod chat;
pub mod editor;
mod foot;
mod pair;
mod reading;
pub mod state;

pub use block::{cell_fits, heading};
pub use pair::swap;

use egui::{Align, Frame, Layout, Margin, Panel, RichText, ScrollArea, Sense, Ui, vec2};

use self::reading::may_be_read;
use self::state::{Piece, ReadAs, Spot};
use super::Bundle;
use super::commands::Command;
use super::state::UiState;
use super::theme::{STEP, Theme};
use super::view::View;
use super::widgets::controls::{ButtonLook, button, dim, title};
use super::widgets::text::count;
use super::widgets::{picture, portrait};
use crate::action::Action;
use crate::data::{Dataset, Role, SampleId};
use crate::operate::NOTE;
use crate::session::Workspace;

/// The most of a line that is read with ease, in letters, and how wide a letter is beside its height.
const MEASURE: f32 = 70.0;
const LETTER: f32 = 0.52;
/// How much wider two texts beside each other may be.
const BESIDE: f32 = 1.7;

/// What is drawn: the sample, and the places of it that were drawn so far.
struct Drawn<'d> {
    theme: &'d Theme,
    workspace: &'d Workspace,
    id: SampleId,
    spots: Vec<Spot>,
}

impl<'d> Drawn<'d> {
    fn dataset(&self) -> &'d Dataset {
        self.workspace.dataset()
    }

    fn spot(&self, column: &str, piece: Piece) -> Spot {
        Spot { sample: self.id, column: column.to_owned(), piece }
    }

    /// Notes a place, and opens its editor where that was asked for.
    fn note(&mut self, state: &mut UiState, spot: &Spot, current: &str) {
        let first = self.spots.is_empty();
        if state.pane.wanted.as_ref().is_some_and(|wanted| wanted.is(spot, first)) {
            state.pane.wanted = None;
            state.pane.begin(spot.clone(), current);
        }
        self.spots.push(spot.clone());
    }
}

/// Draws the sample under the cursor as the middle of the window.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    id: SampleId,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let theme = bundle.theme;
    head(ui, state, bundle, workspace, id, commands);
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(16, 8));
    let tallest = ui.available_height() * 0.45;
    Panel::bottom("foot").resizable(false).frame(frame).show(ui, |ui| {
        // It is as high as what stands in it, up to where it scrolls.
        let scroll = ScrollArea::vertical().max_height(tallest).min_scrolled_height(tallest).auto_shrink([false, true]);
        scroll.show(ui, |ui| {
            measured(ui, theme, 1.0, |ui| foot::draw(ui, state, bundle, workspace, id, actions, commands));
        });
    });
    ScrollArea::vertical().id_salt(("sample", id)).auto_shrink(false).show(ui, |ui| {
        let times = if pair::columns(workspace.dataset()).is_some() { BESIDE } else { 1.0 };
        measured(ui, theme, times, |ui| blocks(ui, state, bundle, workspace, id, actions));
    });
}

/// Draws in the middle, no wider than is read with ease, or so many times that.
fn measured(ui: &mut Ui, theme: &Theme, times: f32, draw: impl FnOnce(&mut Ui)) {
    let wide = ((theme.sizes.title * LETTER * MEASURE + 24.0) * times).min(ui.available_width() - STEP * 4.0).max(120.0);
    let side = ((ui.available_width() - wide) / 2.0).max(0.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(side);
        ui.allocate_ui_with_layout(vec2(wide, 0.0), Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.x = STEP * 2.0;
            ui.set_width(wide);
            draw(ui);
        });
    });
}

fn head(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, id: SampleId, commands: &mut Vec<Command>) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let frame = Frame::new().fill(theme.background).inner_margin(Margin::symmetric(16, 6));
    Panel::top("sample head").resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.set_height(theme.sizes.control);
            title(ui, theme, format!("Sample {}", count(id.row())));
            let reviewing = state.view == View::Label;
            if state.view == View::Clean {
                let at = state.clean.at().map_or(0, |at| at + 1);
                dim(ui, theme, format!("finding {} of {}", count(at), count(state.clean.shown().len())));
            } else if !reviewing {
                let place = state.selection.place + 1;
                dim(ui, theme, format!("{} of {}", count(place), count(bundle.session.visible().len())));
            }
            if let Some(origins) = dataset.origins(id) {
                dim(ui, theme, format!("made of sample {} by {}", origins.parent.0, origins.made.title()));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let back = match state.view {
                    View::Label => "Queue",
                    View::Clean => "Findings",
                    _ => "Table",
                };
                if button(ui, theme, back, "Esc", ButtonLook::Quiet, true).on_hover_text("Goes back").clicked() {
                    state.pane.leave();
                    state.pane.open_in = None;
                }
                for (command, text) in [(Command::Next, "Next"), (Command::Previous, "Previous")] {
                    if button(ui, theme, text, &command.key_text(), ButtonLook::Quiet, true).clicked() {
                        commands.push(command);
                    }
                }
                let unsaved = state.pane.unsaved();
                if unsaved > 0 {
                    ui.label(RichText::new(format!("typed and not saved in {}", count_of(unsaved))).color(theme.amber));
                }
            });
        });
    });
}

fn count_of(n: usize) -> String {
    super::widgets::text::things(n, "sample", "samples")
}

/// A field under its name: a chat by its turns, anything else as it stands.
fn one_field(ui: &mut Ui, state: &mut UiState, drawn: &mut Drawn<'_>, field: usize, actions: &mut Vec<Action>) {
    let dataset = drawn.dataset();
    ui.add_space(STEP * 3.0);
    block::heading(ui, drawn.theme, dataset, field, drawn.id);
    let column = &dataset.fields()[field];
    let cell = if column.role == Role::Messages { dataset.text(field, drawn.id) } else { None };
    let read =
        dataset.text(field, drawn.id).filter(|text| matches!(column.role, Role::Text | Role::Messages) && may_be_read(text));
    if read.is_some() {
        switch(ui, state, drawn.theme, &column.name);
    }
    match cell.and_then(|cell| chat::parsed(ui, &cell)) {
        Some(chat) => chat::draw(ui, state, drawn, &column.name, &chat, actions),
        None => block::draw(ui, state, drawn, field, actions),
    }
}

/// How the texts of a column are read: as they stand, as Markdown, as JSON.
fn switch(ui: &mut Ui, state: &mut UiState, theme: &Theme, column: &str) {
    let now = state.pane.read_as.get(column).copied().unwrap_or_default();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = STEP;
        for (way, name) in ReadAs::ALL {
            let ink = if now == way { theme.text } else { theme.dim };
            let response = ui.selectable_label(now == way, RichText::new(name).font(theme.note()).color(ink));
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::Button, true, now == way, format!("Read {column} as {name}"))
            });
            if response.clicked() {
                state.pane.read_as.insert(column.to_owned(), way);
            }
        }
    });
}

/// Every field as a block: what is said first, what is decided in the foot, the rest below.
fn blocks(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, id: SampleId, actions: &mut Vec<Action>) {
    let dataset = workspace.dataset();
    let mut drawn = Drawn { theme: bundle.theme, workspace, id, spots: Vec::new() };
    if dataset.pictures().is_some() {
        let tall = (ui.ctx().content_rect().height() * 0.4).clamp(120.0, 620.0);
        let (place, _) = ui.allocate_exact_size(vec2(ui.available_width(), tall), Sense::hover());
        let size = portrait::detail(bundle.pictures, id).map(|detail| detail.header.upright());
        match boxes::of(dataset, id, size) {
            None => portrait::draw(ui, bundle.theme, bundle.pictures, &mut state.viewer, dataset, id, place),
            Some(found) => {
                let drawn = boxes::drawn(&state.hand, &found);
                let lies = picture::viewer(ui, bundle.theme, bundle.pictures, &mut state.viewer, id, place, &drawn, size);
                if let Some(lies) = lies {
                    boxes::hand(ui, &mut state.hand, bundle.theme, (dataset, id), &found, (lies, place), actions);
                }
                boxes::list(ui, state, bundle.theme, (dataset, id), &found, actions);
            }
        }
        portrait::facts(ui, bundle.theme, bundle.pictures, id);
    }
    let pair = pair::columns(dataset);
    let order = |field: usize| match dataset.fields()[field].role {
        Role::Messages => 0,
        Role::Text => 1,
        Role::Label | Role::Labels(_) => 2,
        _ => 3,
    };
    let mut fields: Vec<usize> = (0..dataset.fields().len()).collect();
    fields.retain(|field| !pair.is_some_and(|(one, other)| *field == one || *field == other));
    // The label is decided on in the foot, the note stands last.
    let label = dataset.with_role(Role::is_label);
    fields.retain(|field| *dataset.fields()[*field].name != *NOTE && Some(*field) != label);
    fields.sort_by_key(|field| order(*field));
    let (said, rest): (Vec<usize>, Vec<usize>) = fields.into_iter().partition(|field| order(*field) < 2);
    for field in said {
        one_field(ui, state, &mut drawn, field, actions);
    }
    if let Some(pair) = pair {
        pair::draw(ui, state, &mut drawn, pair, actions);
    }
    for field in rest {
        one_field(ui, state, &mut drawn, field, actions);
    }
    block::note(ui, state, &mut drawn, actions);
    ui.add_space(STEP * 6.0);
    state.pane.order = drawn.spots;
    state.pane.differs.clear();
    state.pane.wanted = None;
}
