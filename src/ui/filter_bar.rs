//! The filter bar: one chip a clause, and how many samples are left.

use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui};

use super::Bundle;
use super::commands::Command;
use super::popups::words_of;
use super::state::{Popup, UiState};
use super::theme::STEP;
use super::widgets::controls::{ButtonLook, button, chip};
use super::widgets::text::{count, cut, visible};
use crate::action::Action;
use crate::data::{Clause, Filter, Property, Rule};
use crate::operate::Operation;
use crate::session::Workspace;

/// Draws the bar.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(12, 0));
    Panel::top("filter bar").exact_size(theme.sizes.filter_bar).resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = STEP * 1.5;
            let mut change = None;
            for (i, clause) in state.filter.clauses.iter().enumerate() {
                let (body, cross) = chip(ui, theme, &clause.to_string());
                if cross.clicked() {
                    change = Some((i, Turn::Off));
                    continue;
                }
                let body = body.on_hover_text("Click to turn it round, right-click for more");
                if body.clicked() {
                    change = Some((i, Turn::Round));
                }
                body.context_menu(|ui| change = chip_menu(ui, &state.filter, i).map(|turn| (i, turn)).or(change));
            }
            if let Some((i, turn)) = change {
                take(state, i, turn);
            }
            state.trail.follow(&state.filter);
            let add = button(ui, theme, "+ filter", "", ButtonLook::Quiet, true);
            let add = add.on_hover_text(format!("{} ({})", Command::Search.title(), Command::Search.key_text()));
            egui::Popup::menu(&add).show(|ui| menu(ui, state, workspace, actions));
            if let Some(trouble) = bundle.session.filter_trouble() {
                ui.label(RichText::new(trouble).color(theme.ruby));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let (left, all) = (bundle.session.visible().len(), workspace.dataset().rows());
                ui.label(RichText::new(format!("{} of {}", count(left), count(all))).color(theme.dim));
                let chosen = state.selection.chosen.len();
                if chosen > 1 {
                    ui.label(RichText::new(format!("{} chosen  ·", count(chosen))).color(theme.accent));
                }
            });
        });
    });
}

/// What becomes of a chip.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Round,
    Off,
    Change,
    /// Either it or the one there.
    Or(usize),
    /// Its alternatives are conditions of their own.
    Apart,
}

fn chip_menu(ui: &mut Ui, filter: &Filter, at: usize) -> Option<Turn> {
    let mut turn = None;
    let mut offer = |ui: &mut Ui, name: String, what: Turn| {
        if ui.button(name).clicked() {
            turn = Some(what);
            ui.close();
        }
    };
    offer(ui, "Turn it round".to_owned(), Turn::Round);
    let is_list = |clause: &Clause| matches!(clause.rule, Rule::Listed { .. } | Rule::Ranked { .. });
    if !is_list(&filter.clauses[at]) {
        offer(ui, "Change…".to_owned(), Turn::Change);
    }
    for (other, clause) in filter.clauses.iter().enumerate().filter(|(other, _)| *other != at) {
        offer(ui, format!("Or {}", visible(cut(&clause.to_string(), 60))), Turn::Or(other));
    }
    if matches!(filter.clauses[at], Clause { rule: Rule::Any(_), negated: false }) {
        offer(ui, "Take its alternatives apart".to_owned(), Turn::Apart);
    }
    offer(ui, "Take it off".to_owned(), Turn::Off);
    turn
}

fn take(state: &mut UiState, at: usize, turn: Turn) {
    let mut filter = state.filter.clone();
    match turn {
        Turn::Round => filter.clauses[at].negated = !filter.clauses[at].negated,
        Turn::Off => {
            filter.clauses.remove(at);
        }
        Turn::Or(other) => filter.join(at, other),
        Turn::Apart => filter.part(at),
        Turn::Change => {
            let words = filter.clauses[at].to_string();
            state.pop(Popup::ChangeClause(at));
            state.typed = words;
            return;
        }
    }
    state.set_filter(filter);
}

/// Filters that were kept under a name, and keeping this one.
fn kept(ui: &mut Ui, state: &mut UiState, workspace: &Workspace, actions: &mut Vec<Action>) {
    if !state.filter.is_empty() && ui.button("Keep this filter under a name…").clicked() {
        state.pop(Popup::KeepFilter);
    }
    let known: Vec<(String, String)> = workspace
        .dataset()
        .properties()
        .all(Property::Filter)
        .filter_map(|(of, json)| Some((of.first()?.clone(), json.to_owned())))
        .collect();
    for (name, json) in &known {
        let Some(filter) = Filter::from_json(json) else { continue };
        if ui.button(visible(name)).on_hover_text(words_of(&filter)).clicked() {
            state.set_filter(filter);
        }
    }
    if !known.is_empty() {
        ui.menu_button("Forget", |ui| {
            for (name, _) in &known {
                if ui.button(visible(name)).clicked() {
                    let of = vec![name.clone()];
                    actions.push(Action::Do(Operation::Say { property: Property::Filter, of, value: None }));
                }
            }
        });
    }
}

fn menu(ui: &mut Ui, state: &mut UiState, workspace: &Workspace, actions: &mut Vec<Action>) {
    ui.set_min_width(220.0);
    if ui.button("Text or condition…").clicked() {
        state.pop(Popup::Filter);
    }
    kept(ui, state, workspace, actions);
    ui.separator();
    let dataset = workspace.dataset();
    for field in dataset.fields() {
        let Some(classes) = workspace.classes(&field.name) else { continue };
        ui.menu_button(format!("{} is", visible(&field.name)), |ui| {
            // Only those that are seen are laid out, however many there are.
            let live: Vec<usize> = (0..classes.names().len()).filter(|class| classes.counts()[*class] > 0).collect();
            let high = ui.spacing().interact_size.y;
            super::widgets::rows::draw(ui, egui::ScrollArea::vertical().max_height(420.0), high, live.len(), |ui, rows| {
                for class in rows.map(|row| live[row]) {
                    let name = &classes.names()[class];
                    if ui.button(format!("{}  {}", visible(name), count(classes.counts()[class] as usize))).clicked() {
                        state.toggle_clause(
                            Rule::Class { column: field.name.to_string(), classes: vec![name.to_string()] }.into(),
                        );
                        ui.close();
                    }
                }
            });
        });
    }
    ui.menu_button("Empty cells in", |ui| {
        for field in dataset.fields() {
            if ui.button(visible(&field.name)).clicked() {
                state.toggle_clause(Rule::Empty { column: field.name.to_string() }.into());
            }
        }
    });
    let tags: Vec<String> = dataset.tags().map(|(tag, _)| tag.to_owned()).collect();
    if !tags.is_empty() {
        ui.menu_button("Tagged", |ui| {
            for tag in tags {
                if ui.button(visible(&tag)).clicked() {
                    state.toggle_clause(Rule::Tag(tag).into());
                }
            }
        });
    }
    for (name, rule) in [("Edited", Rule::Edited), ("Reviewed", Rule::Reviewed), ("Excluded", Rule::Excluded)] {
        if ui.button(name).clicked() {
            state.toggle_clause(rule.into());
        }
    }
}
