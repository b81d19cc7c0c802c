//! The filter bar: one chip a clause, and how many samples are left.

use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui};

use super::Bundle;
use super::commands::Command;
use super::state::{Popup, UiState};
use super::theme::STEP;
use super::widgets::controls::{ButtonLook, button, chip};
use super::widgets::text::{count, visible};
use crate::data::Rule;
use crate::session::Workspace;

/// Draws the bar.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace) {
    let theme = bundle.theme;
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(12, 0));
    Panel::top("filter bar").exact_size(theme.sizes.filter_bar).resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = STEP * 1.5;
            let (mut negate, mut remove) = (None, None);
            for (i, clause) in state.filter.clauses.iter().enumerate() {
                let (body, cross) = chip(ui, theme, &clause.to_string());
                if cross.clicked() {
                    remove = Some(i);
                } else if body.on_hover_text("Click to turn it round").clicked() {
                    negate = Some(i);
                }
            }
            if let Some(i) = negate {
                state.filter.clauses[i].negated = !state.filter.clauses[i].negated;
            }
            if let Some(i) = remove {
                state.filter.clauses.remove(i);
            }
            let add = button(ui, theme, "+ filter", "", ButtonLook::Quiet, true);
            let add = add.on_hover_text(format!("{} ({})", Command::Search.title(), Command::Search.key_text()));
            egui::Popup::menu(&add).show(|ui| menu(ui, state, workspace));
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

fn menu(ui: &mut Ui, state: &mut UiState, workspace: &Workspace) {
    ui.set_min_width(220.0);
    if ui.button("Text contains…").clicked() {
        state.pop(Popup::Filter);
    }
    let dataset = workspace.dataset();
    for field in dataset.fields() {
        let Some(classes) = workspace.classes(&field.name) else { continue };
        ui.menu_button(format!("{} is", visible(&field.name)), |ui| {
            // Only those that are seen are laid out, however many there are.
            let live: Vec<usize> = (0..classes.names().len()).filter(|class| classes.counts()[*class] > 0).collect();
            let high = ui.spacing().interact_size.y;
            egui::ScrollArea::vertical().max_height(420.0).show_rows(ui, high, live.len(), |ui, rows| {
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
