//! The popup in which a text model is named: a folder on this machine, or an address.

use egui::{Color32, DragValue, Margin, RichText, Role as WidgetType, TextEdit, Ui, WidgetInfo};

use super::Bundle;
use super::state::UiState;
use super::text_model_form::TextModelForm;
use super::theme::{STEP, Theme};
use super::widgets::controls::{ButtonLook, button, caption, dim, name_edit, title};
use crate::action::Action;
use crate::data::Pipeline;
use crate::io::{MOST_AT_ONCE, TextModel};

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let form = &mut state.text_model;
    title(ui, theme, if form.was.is_some() { "Text model" } else { "New text model" });
    ui.add_space(STEP);
    ui.horizontal(|ui| {
        for (is_folder, name) in [(false, "At an address"), (true, "In a folder")] {
            let response = ui.radio(form.is_folder == is_folder, name);
            if response.clicked() {
                form.is_folder = is_folder;
            }
            ui.add_space(STEP * 3.0);
        }
    });
    if form.is_folder {
        folder(ui, theme, form, actions);
    } else {
        address(ui, theme, form);
    }
    caption(ui, theme, "what you call it");
    // Unnamed, it is called as the model or its folder is.
    let own = TextModelForm { name: String::new(), ..form.clone() }.model().name;
    let hint = if own.is_empty() { "my model" } else { &own };
    field(ui, &mut form.name, "Name of the text model", hint, false);
    ui.add_space(STEP * 2.0);
    where_to(ui, theme, form);
    ui.add_space(STEP * 2.0);
    let mut close = false;
    ui.horizontal(|ui| {
        let host = form.model().sends_to();
        let allowed = form.is_folder || host.is_none() || host.as_deref() == Some(form.allowed.as_str());
        if button(ui, theme, "Keep", "", ButtonLook::Main, form.is_whole() && allowed).clicked() {
            actions.push(Action::KeepTextModel { was: form.was.clone(), model: form.model(), key: form.key.clone() });
        }
        let leave = if form.was.is_some() { "Leave as it was" } else { "Not now" };
        close = button(ui, theme, leave, "Esc", ButtonLook::Plain, true).clicked();
        if let Some(was) = form.was.clone()
            && button(ui, theme, "Forget it", "", ButtonLook::Danger, true).clicked()
        {
            actions.push(Action::RemoveTextModel(was));
        }
    });
    if close {
        state.popup = None;
    }
}

fn field(ui: &mut Ui, text: &mut String, name: &str, hint: &str, secret: bool) {
    let edit = TextEdit::singleline(text)
        .hint_text(hint)
        .password(secret)
        .desired_width(ui.available_width())
        .margin(Margin::symmetric(8, 5));
    let response = ui.add(edit);
    let shown = if secret { "" } else { text.as_str() };
    name_edit(&response, shown, name);
}

fn address(ui: &mut Ui, theme: &Theme, form: &mut TextModelForm) {
    caption(ui, theme, "address, as OpenAI's: llama.cpp, Ollama, vLLM and most services answer alike");
    field(ui, &mut form.url, "Address", "localhost:11434/v1", false);
    caption(ui, theme, "what the server calls the model");
    field(ui, &mut form.model, "Model", "llama3.2", false);
    caption(ui, theme, "key, where it needs one: kept in memory until the window closes");
    field(ui, &mut form.key, "Key", "", true);
    caption(ui, theme, "or the environment variable that holds it");
    field(ui, &mut form.key_variable, "Key's variable", "OPENAI_API_KEY", false);
    ui.add_space(STEP);
    ui.horizontal(|ui| {
        dim(ui, theme, "at a time");
        let response = ui.add(DragValue::new(&mut form.at_once).range(1..=MOST_AT_ONCE).speed(0.1));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Questions at a time"));
        ui.add_space(STEP * 3.0);
        dim(ui, theme, "a minute, at most");
        let shown = DragValue::new(&mut form.per_minute)
            .range(0..=100_000)
            .custom_formatter(|n, _| if n == 0.0 { "any number".to_owned() } else { format!("{n:.0}") });
        let response = ui.add(shown);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Questions a minute"));
    });
}

fn folder(ui: &mut Ui, theme: &Theme, form: &mut TextModelForm, actions: &mut Vec<Action>) {
    for back in [false, true] {
        let (heading, name) = if back {
            ("folder that translates back, for back translation", "Folder back")
        } else {
            ("folder with a T5 or Marian model", "Folder")
        };
        caption(ui, theme, heading);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = STEP * 2.0;
            let (path, prefix) =
                if back { (&mut form.back_folder, &mut form.back_prefix) } else { (&mut form.folder, &mut form.prefix) };
            let wide = ui.available_width();
            ui.scope(|ui| {
                ui.set_width(wide - 110.0 - 82.0 - STEP * 4.0);
                field(ui, path, name, if back { "opus-mt-de-en" } else { "opus-mt-en-de" }, false);
            });
            ui.scope(|ui| {
                ui.set_width(110.0);
                let named = if back { "Prefix back" } else { "Prefix" };
                field(ui, prefix, named, "prefix", false);
            })
            .response
            .on_hover_text("What stands before every text: “paraphrase:”, “translate English to German:”, “>>fra<<”");
            if button(ui, theme, "Choose…", "", ButtonLook::Plain, true).clicked() {
                actions.push(Action::TextModelFolder { back });
            }
        });
    }
}

/// Whether texts leave this machine, and the word that they may.
fn where_to(ui: &mut Ui, theme: &Theme, form: &mut TextModelForm) {
    let model = form.model();
    if form.is_folder || form.url.trim().is_empty() {
        dim(ui, theme, "Nothing is sent anywhere.");
        return;
    }
    let Some(host) = model.sends_to() else {
        dim(ui, theme, "Texts stay on this machine.");
        return;
    };
    let mut on = form.allowed == host;
    if ui.checkbox(&mut on, format!("Texts may be sent to {host}")).changed() {
        form.allowed = if on { host.clone() } else { String::new() };
    }
    let open = if model.is_open() { " Unencrypted: whoever is between can read them." } else { "" };
    let line = format!("Every text that is augmented leaves this machine for {host}, and previews do too.{open}");
    ui.add(egui::Label::new(RichText::new(line).color(theme.amber)).wrap());
}

/// Where the texts of a model go, in words and their colour.
pub fn said_of(model: &TextModel, theme: &Theme) -> (String, Color32) {
    match model.sends_to() {
        Some(host) => {
            let open = if model.is_open() { ", unencrypted" } else { "" };
            (format!("Texts leave this machine for {host}{open}"), theme.amber)
        }
        None => ("Texts stay on this machine".to_owned(), theme.dim),
    }
}

/// Where the texts of a pipeline go, a line a model.
pub fn whither(ui: &mut Ui, bundle: &Bundle<'_>, pipeline: &Pipeline) {
    let names = pipeline.models();
    for model in bundle.text_models.iter().filter(|model| names.contains(&model.name.as_str())) {
        let (line, ink) = said_of(model, bundle.theme);
        ui.add(egui::Label::new(RichText::new(line).color(ink)).wrap());
    }
}
