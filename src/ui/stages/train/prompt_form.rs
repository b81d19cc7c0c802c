//! What a language model is asked.

use egui::{DragValue, RichText, Role as WidgetType, TextEdit, Ui, WidgetInfo};

use crate::action::Action;
use crate::io::TextModel;
use crate::train::{Calibrated, Examples, usual_instruction};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::text_model::said_of;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button, caption, choice, dim, name_edit};

pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let form = &mut state.train;
    caption(ui, theme, "language model");
    // A folder here rewrites texts, and answers no questions.
    let named: Vec<&TextModel> = bundle.text_models.iter().filter(|model| !model.is_folder()).collect();
    let mut names: Vec<String> = named.iter().map(|model| model.name.clone()).collect();
    names.push("Another…".to_owned());
    let known = named.iter().find(|model| model.name == form.model);
    let shown = if known.is_some() { form.model.as_str() } else { "none is named yet" }.to_owned();
    if let Some(at) = choice(ui, theme, "Language model", &shown, &names) {
        match named.get(at) {
            Some(model) => form.model.clone_from(&model.name),
            None => actions.push(Action::NameTextModel(None)),
        }
    }
    match known {
        Some(model) => {
            let (text, ink) = said_of(model, theme);
            ui.add(egui::Label::new(RichText::new(text).color(ink)).wrap());
        }
        None => {
            form.model.clear();
            dim(ui, theme, "One that runs on this machine (llama.cpp, Ollama), or a service. Nothing is sent before you ask.");
            if let Some(first) = named.first() {
                form.model.clone_from(&first.name);
            } else if button(ui, theme, "Name one…", "", ButtonLook::Plain, true).clicked() {
                actions.push(Action::NameTextModel(None));
            }
        }
    }
    caption(ui, theme, "instruction");
    let prompt = &mut form.prompt;
    let hint = usual_instruction(prompt.letters);
    let edit =
        TextEdit::multiline(&mut prompt.instruction).hint_text(hint).desired_rows(3).desired_width(ui.available_width() - 16.0);
    let response = ui.add(edit);
    name_edit(&response, &prompt.instruction, "Instruction");
    dim(ui, theme, "Classes follow it, each with its guideline where you wrote one.");
    caption(ui, theme, "examples of the train part");
    let kinds = Examples::ALL.map(|(_, _, words)| words);
    let now = prompt.examples.place();
    if let Some(at) = choice(ui, theme, "Examples", kinds[now], &kinds) {
        prompt.examples = Examples::ALL[at].0;
    }
    if let Some(k) = prompt.examples.k() {
        ui.horizontal(|ui| {
            let response = ui.add(DragValue::new(k).range(1..=100));
            response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Shots"));
            dim(ui, theme, "a question");
        });
    }
    ui.add_space(STEP);
    ui.checkbox(&mut prompt.letters, "answer by letters").on_hover_text(
        "Up to 26 classes have a letter each, and the probability of every letter is read where the server says it; else names are written",
    );
    caption(ui, theme, "probabilities");
    let kinds = Calibrated::ALL.map(|(_, _, words)| words);
    let now = Calibrated::ALL.iter().position(|(known, ..)| *known == prompt.calibrated).unwrap_or(0);
    if let Some(at) = choice(ui, theme, "Calibrated", kinds[now], &kinds) {
        prompt.calibrated = Calibrated::ALL[at].0;
    }
    ui.horizontal(|ui| {
        let value = DragValue::new(&mut prompt.most)
            .range(0..=1_000_000)
            .custom_formatter(|n, _| if n == 0.0 { "all".to_owned() } else { format!("{n:.0}") });
        let response = ui.add(value);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Questions"));
        dim(ui, theme, "of the test part are asked about");
    });
}
