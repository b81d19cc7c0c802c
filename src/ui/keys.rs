//! The cheat sheet: every command with its keys, by what it is about, searched by typing; a key is changed by clicking it.

use egui::{Key, KeyboardShortcut, Modifiers, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::commands::{Command, Group, kept_key, key_text};
use super::state::UiState;
use super::theme::{STEP, Theme};
use super::widgets::controls::{ButtonLook, button, keycap, name_edit, title};
use crate::action::Action;

/// What is done with the pointer, or with more than one key.
const OTHERS: [(&str, &str); 7] = [
    ("0 – 9", "Give the class with that number"),
    ("Shift J, Shift K", "Choose one row more, or less"),
    ("Shift click", "Choose up to here; on a header, sort by it too"),
    ("Ctrl click", "Choose this one too"),
    ("Double-click", "Edit the cell, or open the sample"),
    ("Right-click", "What can be done with a row, a column, a filter"),
    ("Page Up, Page Down, Home, End", "Scroll the table"),
];

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, theme: &Theme, actions: &mut Vec<Action>) {
    title(ui, theme, "Keys");
    if let Some(command) = state.rebinding {
        return rebind(ui, state, theme, command, actions);
    }
    let edit = TextEdit::singleline(&mut state.typed).hint_text("Search").desired_width(f32::INFINITY);
    let response = ui.add(edit.margin(egui::Margin::symmetric(10, 6)));
    name_edit(&response, &state.typed, "Search keys");
    if !response.has_focus() && !response.lost_focus() {
        response.request_focus();
    }
    let wanted = state.typed.trim().to_lowercase();
    let fits =
        |text: &str, keys: &str| wanted.is_empty() || text.to_lowercase().contains(&wanted) || keys.to_lowercase() == wanted;
    ui.add_space(STEP);
    ScrollArea::vertical().max_height(480.0).min_scrolled_height(480.0).auto_shrink([false, true]).show(ui, |ui| {
        for group in Group::ALL {
            let of = |command: &Command| command.group() == group && fits(command.title(), &command.key_text());
            let list: Vec<Command> = Command::all().into_iter().filter(of).collect();
            if list.is_empty() {
                continue;
            }
            ui.add_space(STEP * 2.0);
            ui.label(RichText::new(group.title()).font(theme.note()).color(theme.dim));
            egui::Grid::new(group.title()).num_columns(2).min_col_width(150.0).spacing(vec2(STEP * 6.0, STEP)).show(ui, |ui| {
                for command in list {
                    row(ui, state, theme, command);
                    ui.end_row();
                }
            });
        }
        let others: Vec<_> = OTHERS.iter().filter(|(key, what)| fits(what, key)).collect();
        if !others.is_empty() {
            ui.add_space(STEP * 2.0);
            ui.label(RichText::new("With the pointer, and more").font(theme.note()).color(theme.dim));
            egui::Grid::new("others").num_columns(2).min_col_width(150.0).spacing(vec2(STEP * 6.0, STEP)).show(ui, |ui| {
                for (key, what) in others {
                    keycap(ui, theme, key);
                    ui.add(egui::Label::new(*what).wrap());
                    ui.end_row();
                }
            });
        }
    });
}

fn row(ui: &mut Ui, state: &mut UiState, theme: &Theme, command: Command) {
    ui.horizontal(|ui| {
        let keys = command.keys();
        let text = if keys.is_empty() { "none".to_owned() } else { keys.iter().map(key_text).collect::<Vec<_>>().join("  ") };
        let name = format!("Change the key of: {} ({text})", command.title());
        let label = egui::Button::new(RichText::new(text).font(theme.mono()).color(theme.dim)).small();
        let response = ui.add(label).on_hover_text("Click to choose another key");
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        if response.clicked() {
            (state.rebinding, state.key_fault) = (Some(command), None);
        }
    });
    let ink = if command.is_changed() { theme.accent } else { theme.text };
    ui.add(egui::Label::new(RichText::new(command.title()).color(ink)).wrap());
}

/// Waits for the key that a command is to have.
fn rebind(ui: &mut Ui, state: &mut UiState, theme: &Theme, command: Command, actions: &mut Vec<Action>) {
    ui.label(RichText::new(command.title()).font(theme.strong()));
    ui.add_space(STEP);
    ui.label("Press the key, with Ctrl, Shift or Alt where you like.");
    if let Some(fault) = &state.key_fault {
        ui.label(RichText::new(fault).color(theme.ruby));
    }
    ui.add_space(STEP * 2.0);
    ui.horizontal(|ui| {
        if command.is_changed() && button(ui, theme, "As usual", "Backspace", ButtonLook::Plain, true).clicked() {
            actions.push(Action::Rebind { command: command.name(), key: None });
            state.rebinding = None;
        }
        if button(ui, theme, "Leave it", "Esc", ButtonLook::Plain, true).clicked() {
            state.rebinding = None;
        }
    });
    let pressed = ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            egui::Event::Key { key, pressed: true, modifiers, .. } => Some((*key, *modifiers)),
            _ => None,
        })
    });
    let Some((key, held)) = pressed else { return };
    match key {
        Key::Escape => state.rebinding = None,
        Key::Backspace => {
            actions.push(Action::Rebind { command: command.name(), key: None });
            state.rebinding = None;
        }
        _ => {
            let modifiers = Modifiers { alt: held.alt, shift: held.shift, command: held.command, ..Modifiers::NONE };
            let wanted = KeyboardShortcut::new(modifiers, key);
            let digit = modifiers.is_none() && key.name().len() == 1 && key.name().as_bytes()[0].is_ascii_digit();
            let taken = Command::all().into_iter().find(|other| *other != command && other.keys().contains(&wanted));
            match taken {
                _ if digit => state.key_fault = Some("Digits give classes: press another".to_owned()),
                _ if key == Key::Tab => state.key_fault = Some("Tab goes from control to control: press another".to_owned()),
                Some(other) => {
                    let text = format!(
                        "{} is the key of “{}”: press another, or change that one first",
                        key_text(&wanted),
                        other.title()
                    );
                    state.key_fault = Some(text);
                }
                None => {
                    actions.push(Action::Rebind { command: command.name(), key: Some(kept_key(&wanted)) });
                    state.rebinding = None;
                }
            }
        }
    }
}
