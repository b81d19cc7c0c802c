//! A chat: its turns, each with a rail in the colour of who speaks, edited in place; added, taken away, moved, cut in two, given to another.

use std::sync::Arc;

use egui::cache::{ComputerMut, FrameCache};
use egui::{Align, Color32, Frame, Layout, Margin, RichText, Stroke, Ui};

use super::state::Piece;
use super::{Drawn, block, editor};
use crate::action::Action;
use crate::data::Chat;
use crate::operate::Operation;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button};
use crate::ui::widgets::text::{count, cut, visible};

#[derive(Default)]
struct Parser;

impl ComputerMut<&str, Option<Arc<Chat>>> for Parser {
    fn compute(&mut self, cell: &str) -> Option<Arc<Chat>> {
        Chat::parse(cell).map(Arc::new)
    }
}

/// The chat in a cell, read once for as long as it is on screen.
pub fn parsed(ui: &Ui, cell: &str) -> Option<Arc<Chat>> {
    ui.memory_mut(|memory| memory.caches.cache::<FrameCache<Option<Arc<Chat>>, Parser>>().get(cell).clone())
}

/// The colour of who speaks.
pub fn rail(theme: &Theme, role: &str) -> Color32 {
    match role {
        "user" | "human" | "prompter" => theme.accent,
        "assistant" | "gpt" | "model" | "bot" | "chatgpt" => theme.emerald,
        "system" | "developer" => theme.dim,
        _ => theme.faint,
    }
}

/// The roles that a turn may have: those of the chat, and those that go with them.
fn roles(chat: &Chat) -> Vec<String> {
    let used = chat.roles();
    let share_gpt = used.iter().any(|role| matches!(*role, "human" | "gpt"));
    let usual: &[&str] = if share_gpt { &["system", "human", "gpt"] } else { &["system", "user", "assistant", "tool"] };
    let mut all: Vec<String> = usual.iter().map(|role| (*role).to_owned()).collect();
    all.extend(used.iter().filter(|role| !usual.contains(role)).map(|role| (*role).to_owned()));
    all
}

/// Who speaks after `role`.
fn answers(chat: &Chat, role: &str) -> String {
    let share_gpt = chat.roles().iter().any(|role| matches!(*role, "human" | "gpt"));
    let (asks, says) = if share_gpt { ("human", "gpt") } else { ("user", "assistant") };
    // A call is answered by its tool, and a tool's answer by the model.
    match role {
        "function_call" => return "observation".to_owned(),
        "observation" | "tool" | "function" => return says.to_owned(),
        _ => {}
    }
    if role == asks { says } else { asks }.to_owned()
}

/// What was asked of a turn's menu.
enum Asked {
    Up,
    Down,
    Below,
    Remove,
    Split(usize),
    Role(String),
}

/// Draws a chat.
pub fn draw(ui: &mut Ui, state: &mut UiState, drawn: &mut Drawn<'_>, column: &str, chat: &Chat, actions: &mut Vec<Action>) {
    let theme = drawn.theme;
    let mut asked = None;
    for (at, turn) in chat.turns().iter().enumerate() {
        let frame = Frame::new().fill(theme.panel).inner_margin(Margin { left: 14, right: 10, top: 6, bottom: 8 });
        let inner = frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                ui.label(RichText::new(visible(&turn.role)).font(theme.note()).color(theme.dim));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if let Some(what) = menu(ui, state, drawn, column, chat, at) {
                        asked = Some((at, what));
                    }
                });
            });
            block::part(ui, state, drawn, column, (Piece::Turn(at), &turn.text, turn.is_json), chat, actions);
            for (n, (name, json)) in turn.more.iter().enumerate() {
                more(ui, state, drawn, column, chat, (at, n, name, json), actions);
            }
        });
        let place = inner.response.rect;
        ui.painter().vline(place.left() + 1.5, place.y_range(), Stroke::new(3.0, rail(theme, &turn.role)));
        ui.add_space(STEP);
    }
    // A cell that is one turn and no list stays one.
    if !chat.is_one() {
        let words = if chat.turns().is_empty() { "Add the first turn" } else { "Add a turn" };
        if button(ui, theme, words, "", ButtonLook::Quiet, true).clicked() {
            asked = Some((chat.turns().len().saturating_sub(1), Asked::Below));
        }
    }
    if let Some((at, what)) = asked {
        carry_out(state, drawn, column, chat, at, what, actions);
    }
}

/// What can be done with a turn.
fn menu(ui: &mut Ui, state: &UiState, drawn: &Drawn<'_>, column: &str, chat: &Chat, at: usize) -> Option<Asked> {
    let mut asked = None;
    let last = chat.turns().len() - 1;
    let dots = egui::Button::new(RichText::new("•••").font(drawn.theme.note()).color(drawn.theme.dim)).frame_when_inactive(false);
    let (response, _) = egui::containers::menu::MenuButton::from_button(dots).ui(ui, |ui| {
        ui.menu_button("Said by", |ui| {
            for role in roles(chat) {
                if ui.selectable_label(role == chat.turns()[at].role, visible(&role)).clicked() {
                    asked = Some(Asked::Role(role));
                }
            }
        });
        if ui.add_enabled(!chat.is_one(), egui::Button::new("Add a turn below")).clicked() {
            asked = Some(Asked::Below);
        }
        if ui.add_enabled(at > 0, egui::Button::new("Move up")).clicked() {
            asked = Some(Asked::Up);
        }
        if ui.add_enabled(at < last, egui::Button::new("Move down")).clicked() {
            asked = Some(Asked::Down);
        }
        if ui.add_enabled(!chat.is_one(), egui::Button::new("Take the turn away")).clicked() {
            asked = Some(Asked::Remove);
        }
    });
    let name = format!("Turn {} of {column}", at + 1);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    // Where the caret stands, the turn can be cut in two.
    let spot = drawn.spot(column, Piece::Turn(at));
    let caret = (state.pane.at.as_ref() == Some(&spot))
        .then(|| egui::text_edit::TextEditState::load(ui.ctx(), editor::id_of(&spot)))
        .flatten()
        .and_then(|edit| edit.cursor.char_range())
        .map(|range| range.primary.index);
    if let Some(caret) = caret {
        let text = &chat.turns()[at].text;
        let byte = text.char_indices().nth(usize::from(caret)).map_or(text.len(), |(byte, _)| byte);
        let typed = state.pane.draft(&spot).is_some_and(|draft| draft.text != *text);
        // Of a text that is edited in parts the caret tells the place in its part only.
        let splits = !typed && text.len() <= editor::WHOLE && chat.split(at, byte, "x").is_some();
        let hint = if typed { "Save what was typed first" } else { "Cut the turn in two where the caret stands" };
        if ui.add_enabled(splits, egui::Button::new("Split here").small()).on_hover_text(hint).clicked() {
            asked = Some(Asked::Split(byte));
        }
    }
    asked
}

fn carry_out(
    state: &mut UiState,
    drawn: &Drawn<'_>,
    column: &str,
    chat: &Chat,
    at: usize,
    what: Asked,
    actions: &mut Vec<Action>,
) {
    let role = chat.turns().get(at).map_or("", |turn| turn.role.as_str());
    let next = if chat.turns().is_empty() { "user".to_owned() } else { answers(chat, role) };
    let swapped = |one: usize| {
        move |turn: usize| {
            Some(if turn == one {
                one + 1
            } else if turn == one + 1 {
                one
            } else {
                turn
            })
        }
    };
    let pane = &mut state.pane;
    let below = if chat.turns().is_empty() { 0 } else { at + 1 };
    let text = match what {
        Asked::Role(role) => chat.with_role(at, &role),
        Asked::Up => {
            pane.turns_moved(drawn.id, column, swapped(at - 1));
            chat.with_next_before(at - 1)
        }
        Asked::Down => {
            pane.turns_moved(drawn.id, column, swapped(at));
            chat.with_next_before(at)
        }
        Asked::Remove => {
            pane.turns_moved(drawn.id, column, |turn| match turn.cmp(&at) {
                std::cmp::Ordering::Less => Some(turn),
                std::cmp::Ordering::Equal => None,
                std::cmp::Ordering::Greater => Some(turn - 1),
            });
            chat.without(at)
        }
        Asked::Below => {
            pane.turns_moved(drawn.id, column, |turn| Some(turn + usize::from(turn >= below)));
            pane.begin(drawn.spot(column, Piece::Turn(below)), "");
            chat.with_turn(below, &next, "")
        }
        Asked::Split(byte) => {
            let Some(text) = chat.split(at, byte, &next) else { return };
            pane.leave();
            pane.turns_moved(drawn.id, column, |turn| Some(turn + usize::from(turn > at)));
            text
        }
    };
    actions.push(Action::Do(Operation::SetCells { samples: vec![drawn.id], column: column.to_owned(), text, review: false }));
}

fn beginning(json: &str) -> String {
    let short = cut(json, 60);
    format!("{}{}", short.replace('\n', " "), if short.len() < json.len() { "…" } else { "" })
}

/// What else a turn holds: a line that unfolds.
fn more(
    ui: &mut Ui,
    state: &mut UiState,
    drawn: &mut Drawn<'_>,
    column: &str,
    chat: &Chat,
    (turn, at, name, json): (usize, usize, &str, &str),
    actions: &mut Vec<Action>,
) {
    let theme = drawn.theme;
    let spot = drawn.spot(column, Piece::More(turn, at));
    let editing = state.pane.at.as_ref() == Some(&spot) || state.pane.draft(&spot).is_some();
    let open = state.pane.unfolded.contains(&spot) || editing;
    ui.horizontal(|ui| {
        let arrow = if open { "−" } else { "+" };
        let size = format!("{} characters", count(json.chars().count()));
        // Of calls of tools their names are what tells them apart.
        let called = if name == "tool_calls" { crate::ui::widgets::text::calls(json) } else { String::new() };
        let short = if called.is_empty() { beginning(json) } else { cut(&called, 90).replace('\n', " ") };
        let words = format!("{arrow} {}  {}", visible(name), if open { size } else { short });
        let response =
            ui.add(egui::Button::new(RichText::new(words).font(theme.mono()).color(theme.dim)).frame(false).truncate());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("{name} of turn {}", turn + 1)));
        if response.clicked() && !editing {
            if open {
                state.pane.unfolded.remove(&spot);
            } else {
                state.pane.unfolded.insert(spot.clone());
            }
        }
    });
    if open {
        block::part(ui, state, drawn, column, (Piece::More(turn, at), json, true), chat, actions);
    } else {
        // Tab comes to it as to any other place.
        drawn.note(state, &spot, json);
    }
}
