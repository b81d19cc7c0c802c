//! Find and replace: what is looked for, what takes its place, and the first samples before and after, before anything is done.

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, Key, Label, Margin, RichText, ScrollArea, TextEdit, Ui};

use super::Bundle;
use super::state::UiState;
use super::theme::{STEP, Theme};
use super::widgets::controls::{ButtonLook, button, choice, dim, name_edit, title};
use super::widgets::diff::differences;
use super::widgets::text::{cut, samples, visible};
use crate::action::Action;
use crate::session::ReplaceView;

/// Draws the popup.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let (theme, Some(workspace)) = (bundle.theme, bundle.workspace) else { return };
    let many = state.selection.chosen.len();
    let among = if many > 1 { many } else { bundle.session.visible().len() };
    title(ui, theme, format!("Find and replace in {}", samples(among)));
    ui.add_space(STEP);
    let form = &mut state.replace;
    let names: Vec<String> = workspace.dataset().fields().iter().map(|field| field.name.to_string()).collect();
    ui.horizontal(|ui| {
        if let Some(at) = choice(ui, theme, "Column", &form.column, &names) {
            form.column.clone_from(&names[at]);
        }
        ui.checkbox(&mut form.what.regex, "Regular expression");
        ui.checkbox(&mut form.what.case, "Capitals matter");
    });
    let begins = state.marked == 0;
    state.marked = 1;
    let rows = [("Find", &mut form.what.find), ("Replace by", &mut form.what.with)];
    for (n, (name, text)) in rows.into_iter().enumerate() {
        let edit = TextEdit::singleline(text).hint_text(name).desired_width(f32::INFINITY).margin(Margin::symmetric(10, 6));
        let response = ui.add(edit);
        name_edit(&response, text, name);
        if begins && n == 0 {
            response.request_focus();
        }
    }
    let asked = (form.column.clone(), form.what.clone());
    if !form.what.find.is_empty() && form.asked.as_ref() != Some(&asked) {
        form.asked = Some(asked);
        actions.push(Action::PreviewReplace { column: form.column.clone(), what: form.what.clone() });
    }
    let view = bundle.session.replace_view(&form.column, &form.what);
    ui.add_space(STEP);
    match view {
        _ if form.what.find.is_empty() => drop(dim(ui, theme, "Nothing is changed before it was shown here")),
        None => drop(dim(ui, theme, "Looking…")),
        Some(view) => shown(ui, theme, view),
    }
    let ready = view.is_some_and(|view| view.count > 0) && !form.what.find.is_empty();
    let words = view.map_or("Replace".to_owned(), |view| format!("Replace in {}", samples(view.count)));
    let entered = ui.input_mut(|input| input.consume_key(egui::Modifiers::COMMAND, Key::Enter));
    ui.add_space(STEP);
    ui.horizontal(|ui| {
        let clicked = button(ui, theme, &words, "Ctrl Enter", ButtonLook::Main, ready).clicked();
        if (clicked || entered) && ready {
            actions.push(Action::ApplyReplace { column: state.replace.column.clone(), what: state.replace.what.clone() });
            state.popup = None;
        } else if button(ui, theme, "Leave it", "Esc", ButtonLook::Plain, true).clicked() {
            state.popup = None;
        }
    });
}

/// What it would do.
fn shown(ui: &mut Ui, theme: &Theme, view: &ReplaceView) {
    if let Some(fault) = &view.fault {
        ui.label(RichText::new(fault).color(theme.ruby));
        return;
    }
    for note in &view.notes {
        ui.label(RichText::new(note).color(theme.amber));
    }
    if view.count == 0 {
        dim(ui, theme, "Nothing is found");
        return;
    }
    ScrollArea::vertical().max_height(280.0).min_scrolled_height(280.0).auto_shrink([false, true]).show(ui, |ui| {
        for (id, before, after) in &view.first {
            let (gone, new) = differences(cut(before, 4_000), cut(after, 4_000));
            ui.horizontal_top(|ui| {
                let number = RichText::new(format!("{:>6}", id.0)).font(theme.mono()).color(theme.dim);
                ui.label(number);
                ui.vertical(|ui| {
                    around(ui, theme, before, &gone, theme.ruby);
                    around(ui, theme, after, &new, theme.emerald);
                });
            });
            ui.add_space(STEP);
        }
        if view.count > view.first.len() {
            dim(ui, theme, format!("and {} more", samples(view.count - view.first.len())));
        }
    });
}

/// A text around the first place that changes, that marked.
fn around(ui: &mut Ui, theme: &Theme, text: &str, changed: &[std::ops::Range<usize>], ink: Color32) {
    let first = changed.first().cloned().unwrap_or(0..0);
    let mut from = first.start.saturating_sub(40);
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    let mut to = (first.end + 80).min(text.len()).min(first.start + 400).max(first.start);
    while !text.is_char_boundary(to) {
        to += 1;
    }
    let end = first.end.min(to);
    let format = |background| TextFormat { font_id: theme.body(), color: theme.text, background, ..TextFormat::default() };
    let mut job = LayoutJob::default();
    // Blanks at the ends of a part are within the text: they stand as they are.
    let flat = |text: &str| {
        let body = text.trim_matches(' ');
        let shown = visible(body).replace(['\n', '\r'], "↵");
        let before = text.len() - text.trim_start_matches(' ').len();
        let behind = text.len() - body.len() - before;
        format!("{}{shown}{}", " ".repeat(before), " ".repeat(if body.is_empty() { 0 } else { behind }))
    };
    let (cut_before, cut_behind) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
    job.append(&format!("{cut_before}{}", flat(&text[from..first.start])), 0.0, format(Color32::TRANSPARENT));
    job.append(&flat(&text[first.start..end]), 0.0, format(ink.gamma_multiply(0.28)));
    job.append(&format!("{}{cut_behind}", flat(&text[end..to])), 0.0, format(Color32::TRANSPARENT));
    ui.add(Label::new(job).truncate());
}
