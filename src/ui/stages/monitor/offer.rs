//! A log that may be brought in: what its columns mean, how it is cut, and what that comes to.

use egui::{RichText, Ui};

use crate::action::{Action, MonitorAction};
use crate::monitor::LogCut;
use crate::session::{OfferedLog, cut_words};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim, title};
use crate::ui::widgets::text::{count, cut, things};

/// What a meaning says where no column has it.
const NONE: &str = "none";
/// The width of what a meaning is called.
const NAME: f32 = 130.0;
/// Cells of a column that are shown.
const EXAMPLES: usize = 3;
/// Rows that are looked at for them.
const LOOKED: usize = 500;

pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let Some(offered) = bundle.session.watching().offered() else {
        title(ui, theme, "Reading the log…");
        return;
    };
    let name = offered.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    title(ui, theme, format!("Bring in {name}?"));
    dim(
        ui,
        theme,
        format!("{} in {}", things(offered.log.rows(), "row", "rows"), things(offered.log.fields().len(), "column", "columns")),
    );
    if let Some(known) = &offered.known {
        let text = format!("The same file is watched already, as {known}");
        ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
    }
    ui.add_space(STEP * 3.0);
    meanings(ui, state, bundle, offered);
    ui.add_space(STEP * 2.0);
    cuts(ui, state, bundle, offered);
    ui.add_space(STEP * 2.0);
    let mut may = false;
    match bundle.session.watching().cut_batches(&state.monitor.columns, &state.monitor.cut) {
        None => {
            dim(ui, theme, "Cutting…");
        }
        Some(Err(why)) => {
            ui.add(egui::Label::new(RichText::new(why).color(theme.amber)).wrap());
        }
        Some(Ok((batches, notes))) => {
            may = true;
            dim(ui, theme, format!("It comes to {}", cut_words(batches)));
            for note in notes {
                ui.add(egui::Label::new(RichText::new(note).color(theme.amber)).wrap());
            }
        }
    }
    ui.add_space(STEP * 2.0);
    ui.horizontal(|ui| {
        if button(ui, theme, "Watch it", "", ButtonLook::Main, may)
            .on_hover_text("Its batches are watched: an edit, which undo takes back. The rows stay in their file")
            .clicked()
        {
            actions.push(Action::Monitor(MonitorAction::Watch));
        }
        if button(ui, theme, "Not now", "", ButtonLook::Quiet, true).clicked() {
            actions.push(Action::Monitor(MonitorAction::Decline));
        }
    });
}

/// What each meaning is read from, with a few cells of it.
fn meanings(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, offered: &OfferedLog) {
    let theme = bundle.theme;
    let names: Vec<String> = offered.log.fields().iter().map(|field| field.name.to_string()).collect();
    let mut options = vec![NONE.to_owned()];
    options.extend(names.iter().cloned());
    let columns = &mut state.monitor.columns;
    let rows: [(&str, &mut Option<String>, &str); 6] = [
        ("text", &mut columns.text, "what the model read"),
        ("prediction", &mut columns.prediction, "what it said"),
        ("how sure", &mut columns.probability, "a probability, or a percentage"),
        ("truth", &mut columns.truth, "what was true, where that is known"),
        ("time", &mut columns.time, "when the row arose"),
        ("id", &mut columns.id, "what names the row"),
    ];
    for (meaning, column, tip) in rows {
        ui.horizontal(|ui| {
            ui.allocate_ui(egui::vec2(NAME, theme.sizes.control), |ui| {
                ui.set_width(NAME);
                ui.label(meaning).on_hover_text(tip);
            });
            ui.spacing_mut().combo_width = 180.0;
            let now = column.as_deref().unwrap_or(NONE);
            if let Some(at) = choice(ui, theme, meaning, now, &options) {
                *column = at.checked_sub(1).map(|at| names[at].clone());
            }
            let shown = column.as_deref().and_then(|name| offered.log.field(name)).map(|field| {
                let cells = offered.log.source_samples().take(LOOKED).filter_map(|id| offered.log.text(field, id));
                let cells = cells.filter(|cell| !cell.is_empty()).take(EXAMPLES);
                cells.map(|cell| cut(&cell, 32).to_owned()).collect::<Vec<_>>().join(" · ")
            });
            ui.add(egui::Label::new(RichText::new(shown.unwrap_or_default()).color(theme.dim)).truncate());
        });
    }
    if !columns.probabilities.is_empty() {
        let names: Vec<&str> = columns.probabilities.iter().map(|(_, column)| column.as_str()).collect();
        let shown =
            if names.len() > 4 { format!("{} and {} more", names[..4].join(", "), names.len() - 4) } else { names.join(", ") };
        dim(ui, theme, format!("A probability a class: {shown}"));
    }
    let named = state.monitor.columns.named();
    let rest: Vec<&String> = names.iter().filter(|name| !named.contains(name.as_str())).collect();
    if !rest.is_empty() {
        let list: Vec<&str> = rest.iter().take(8).map(|name| name.as_str()).collect();
        let more = if rest.len() > 8 { format!(" and {} more", count(rest.len() - 8)) } else { String::new() };
        ui.add(egui::Label::new(RichText::new(format!("Slices by: {}{more}", list.join(", "))).color(theme.dim)).wrap());
    }
}

/// How it is cut into batches.
fn cuts(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, offered: &OfferedLog) {
    let theme = bundle.theme;
    let mut all = vec![(LogCut::Whole, "one batch".to_owned())];
    if state.monitor.columns.time.is_some() {
        all.push((LogCut::Day, "a batch a day".to_owned()));
        all.push((LogCut::Week, "a batch a week".to_owned()));
    }
    all.extend(offered.cuts.iter().map(|name| (LogCut::Column(name.clone()), format!("by {name}"))));
    let names: Vec<&String> = all.iter().map(|(_, name)| name).collect();
    let now = all.iter().position(|(cut, _)| *cut == state.monitor.cut);
    if now.is_none() {
        state.monitor.cut = LogCut::Whole;
    }
    ui.horizontal(|ui| {
        ui.allocate_ui(egui::vec2(NAME, theme.sizes.control), |ui| {
            ui.set_width(NAME);
            ui.label("cut into");
        });
        ui.spacing_mut().combo_width = 180.0;
        if let Some(at) = choice(ui, theme, "Cut into", names[now.unwrap_or(0)], &names) {
            state.monitor.cut = all[at].0.clone();
        }
    });
}
