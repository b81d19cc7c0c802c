//! What is taught next.

use egui::{DragValue, RichText, Role as WidgetType, TextEdit, Ui, WidgetInfo};

use super::prompt_form;
use super::state::TaughtBy;
use crate::action::{Action, TrainAction};
use crate::data::{Kind, Role};
use crate::operate::{InstructOf, Operation, QUESTION};
use crate::session::Workspace;
use crate::train::{FrozenEncoder, HeadKind, LoraAsked, TriedSteps, TuneAsked, may_be_label};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button, caption, choice, dim, name_edit};
use crate::ui::widgets::text::{count, sentence};

/// What the choice of parts says where no column is named.
const FIFTH: &str = "a fifth held out";

pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let form = &mut state.train;
    ui.spacing_mut().combo_width = ui.available_width() - 8.0;
    let names = |wanted: &dyn Fn(Role) -> bool| -> Vec<String> {
        dataset.fields().iter().filter(|field| wanted(field.role)).map(|field| field.name.to_string()).collect()
    };
    let labels = names(&Role::is_label);
    ui.label(RichText::new("learn").font(theme.note()).color(theme.dim));
    let now = Some(&form.label).filter(|label| labels.contains(label)).or(labels.first()).cloned().unwrap_or_default();
    if let Some(at) = choice(ui, theme, "Learn", if now.is_empty() { "no label column" } else { &now }, &labels) {
        form.label.clone_from(&labels[at]);
    }
    caption(ui, theme, "from");
    let pictures = dataset.pictures().is_some();
    let usual = if pictures { "pictures" } else { "all text columns" };
    let mut texts = vec![usual.to_owned()];
    texts.extend(
        dataset
            .fields()
            .iter()
            .filter(|field| field.kind == Kind::Text && !field.role.is_label())
            .map(|field| field.name.to_string()),
    );
    let now = Some(&form.text).filter(|text| texts.contains(text)).cloned().unwrap_or_else(|| usual.to_owned());
    if let Some(at) = choice(ui, theme, "From", &now, &texts) {
        form.text = if at == 0 { String::new() } else { texts[at].clone() };
    }
    caption(ui, theme, "parts");
    let role = dataset.with_role(|role| role == Role::Split).map(|field| dataset.fields()[field].name.to_string());
    let mut splits = names(&|role| role == Role::Split);
    if role.is_none() {
        splits.insert(0, FIFTH.to_owned());
    }
    let now = Some(&form.split).filter(|split| splits.contains(split)).cloned().or(role).unwrap_or_else(|| FIFTH.to_owned());
    if let Some(at) = choice(ui, theme, "Parts", &now, &splits) {
        form.split = if splits[at] == FIFTH { String::new() } else { splits[at].clone() };
    }
    if now == FIFTH {
        dim(ui, theme, "Split makes parts that stay. Here a fifth is held out by class, equal texts together.");
    }
    let pictures = pictures && state.train.text.is_empty();
    approach(ui, state, bundle, pictures);
    match state.train.way {
        TaughtBy::Multitask => tasks(ui, state, bundle, workspace),
        TaughtBy::Prompt => {
            prompt_form::draw(ui, state, bundle, actions);
            return seeds(ui, state, bundle);
        }
        TaughtBy::Features | TaughtBy::Encoder => through(ui, state, bundle, workspace, actions),
    }
    encoder(ui, state, bundle, pictures, actions);
    if state.train.way == TaughtBy::Features {
        head(ui, state, bundle);
    } else {
        tune(ui, state, bundle);
    }
    seeds(ui, state, bundle);
}

/// The column that is learned: the chosen one, or the one with the role.
fn label_of(state: &UiState, workspace: &Workspace) -> Option<String> {
    let dataset = workspace.dataset();
    let chosen = Some(&state.train.label).filter(|label| dataset.field(label).is_some()).cloned();
    chosen.or_else(|| dataset.with_role(Role::is_label).map(|field| dataset.fields()[field].name.to_string()))
}

/// How it is taught.
fn approach(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, pictures: bool) {
    let theme = bundle.theme;
    caption(ui, theme, "approach");
    let names = TaughtBy::ALL.map(|(_, words)| words);
    if pictures {
        state.train.way = TaughtBy::Features;
        dim(ui, theme, names[0]);
    } else if let Some(at) = choice(ui, theme, "Approach", state.train.way.words(), &names) {
        state.train.way = TaughtBy::ALL[at].0;
    }
}

/// A finer column through which the label is learned, where there is one.
fn through(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let Some(label) = label_of(state, workspace) else { return };
    if bundle.session.teaching().lacks_finer(workspace, &label) {
        actions.push(Action::Train(TrainAction::Finer(label.clone())));
    }
    let finer = bundle.session.teaching().finer(&label);
    // A column that is not finer than this label is not gone through.
    if !bundle.session.teaching().lacks_finer(workspace, &label) && !finer.contains(&state.train.through) {
        state.train.through.clear();
    }
    if finer.is_empty() {
        return;
    }
    let theme = bundle.theme;
    caption(ui, theme, "through a finer column");
    let mut names = vec!["the label itself".to_owned()];
    names.extend(finer.iter().cloned());
    let now = Some(&state.train.through).filter(|name| finer.contains(name)).unwrap_or(&names[0]).clone();
    if let Some(at) = choice(ui, theme, "Through", &now, &names) {
        state.train.through = if at == 0 { String::new() } else { names[at].clone() };
    }
    if state.train.through.is_empty() {
        dim(ui, theme, "Coarse classes are often learned better through fine ones: try both.");
    }
}

/// The columns that are learned at once.
fn tasks(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace) {
    let theme = bundle.theme;
    let label = label_of(state, workspace).unwrap_or_default();
    caption(ui, theme, "with");
    let form = &mut state.train;
    let fields = workspace.dataset().fields();
    let names = fields.iter().filter(|field| may_be_label(field.role) && *field.name != *label);
    let names: Vec<String> = names.map(|field| field.name.to_string()).collect();
    form.with.retain(|(own, _)| names.contains(own));
    if names.is_empty() {
        ui.add(egui::Label::new(RichText::new("There is no other column with classes.").color(theme.amber)).wrap());
        return;
    }
    for name in &names {
        let at = form.with.iter().position(|(own, _)| own == name);
        ui.horizontal(|ui| {
            let mut on = at.is_some();
            if ui.checkbox(&mut on, name).changed() {
                match at {
                    Some(at) => drop(form.with.remove(at)),
                    None => form.with.push((name.clone(), 0.5)),
                }
            }
            if let Some((_, weight)) = form.with.iter_mut().find(|(own, _)| own == name).filter(|_| !form.uncertain) {
                let response = ui.add(DragValue::new(weight).range(0.01..=10.0).speed(0.01));
                response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, format!("Weight of {name}")));
            }
        });
    }
    if form.with.is_empty() {
        dim(ui, theme, "Choose one: one encoder learns all of them, a head each.");
    }
    ui.checkbox(&mut form.uncertain, "weights are learned")
        .on_hover_text("By how uncertain each task is (Kendall et al. 2018), in the place of weights by hand");
}

/// A number with its name and what it is.
fn number(ui: &mut Ui, bundle: &Bundle<'_>, name: &str, what: &str, value: DragValue<'_>) {
    ui.horizontal(|ui| {
        let response = ui.add(value);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, name));
        dim(ui, bundle.theme, what);
    });
}

fn rate(value: &mut f64, range: std::ops::RangeInclusive<f64>) -> DragValue<'_> {
    DragValue::new(value).range(range).speed(1e-6).custom_formatter(|rate, _| format!("{rate:.0e}"))
}

/// How an encoder is fine-tuned.
fn tune(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>) {
    let theme = bundle.theme;
    if FrozenEncoder::NAMES.contains(&state.train.encoder.as_str()) {
        let text = "Choose a sentence-transformers folder above: only that can learn.";
        ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
    }
    let form = &mut state.train.tune;
    ui.add_space(STEP);
    number(ui, bundle, "Epochs", "epochs at most", DragValue::new(&mut form.epochs).range(1..=100));
    number(ui, bundle, "Batch", "samples a step", DragValue::new(&mut form.batch).range(1..=512));
    number(ui, bundle, "Longest", "tokens of a text at most", DragValue::new(&mut form.longest).range(8..=512));
    number(ui, bundle, "Rate", "rate of the encoder", rate(&mut form.rate, 1e-6..=1e-2));
    lora(ui, form, bundle);
    ui.checkbox(&mut form.from_head, "begin at logistic regression")
        .on_hover_text("The head is fitted on what the encoder says as it is, then both learn (Kumar et al. 2022): of few samples that is better");
    ui.checkbox(&mut form.balanced, "rarer classes weigh more");
    let more = if state.train.all { "Fewer settings" } else { "More settings" };
    if button(ui, theme, more, "", ButtonLook::Quiet, true).clicked() {
        state.train.all = !state.train.all;
    }
    if !state.train.all {
        return;
    }
    let form = &mut state.train.tune;
    number(ui, bundle, "Frozen layers", "layers from below stay", DragValue::new(&mut form.frozen).range(0..=48));
    number(ui, bundle, "Dropout", "left out (dropout)", DragValue::new(&mut form.dropout).range(0.0..=0.9).speed(0.01));
    number(ui, bundle, "Smoothing", "label smoothing", DragValue::new(&mut form.smoothing).range(0.0..=0.9).speed(0.01));
    number(ui, bundle, "Decay", "weight decay", DragValue::new(&mut form.decay).range(0.0..=0.9).speed(0.001));
    number(ui, bundle, "Clip", "longest gradient; 0: no bound", DragValue::new(&mut form.clip).range(0.0..=100.0).speed(0.1));
    number(ui, bundle, "Warm-up", "of all steps warm up", DragValue::new(&mut form.rising).range(0.0..=1.0).speed(0.01));
    ui.checkbox(&mut form.frozen_words, "the table of words stays");
    ui.checkbox(&mut form.pooler, "first token and pooler")
        .on_hover_text("As transformers' classifiers have it, and then the model is taken away as one; else as the folder says");
}

/// Whether matrices beside the maps learn in their place.
fn lora(ui: &mut Ui, form: &mut TuneAsked, bundle: &Bundle<'_>) {
    let mut on = form.lora.is_some();
    if ui
        .checkbox(&mut on, "LoRA")
        .on_hover_text("The encoder stays; narrow matrices beside its maps learn. Half the time a step, a thousandth of the size to take away; it wants a higher rate")
        .changed()
    {
        form.lora = on.then(LoraAsked::default);
        form.rate = if on { LoraAsked::RATE } else { TuneAsked::default().rate };
    }
    let Some(lora) = &mut form.lora else { return };
    number(ui, bundle, "Rank", "rank", DragValue::new(&mut lora.rank).range(1..=256));
    number(ui, bundle, "Alpha", "alpha", DragValue::new(&mut lora.alpha).range(0.1..=512.0));
    let names = ["query and value", "query, key, value", "every map"];
    if let Some(at) = choice(ui, bundle.theme, "LoRA beside", names[lora.maps.min(2)], &names) {
        lora.maps = at;
    }
}

fn seeds(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>) {
    let form = &mut state.train;
    ui.horizontal(|ui| {
        dim(ui, bundle.theme, "seed");
        let response = ui.add(DragValue::new(&mut form.seed).range(0..=u64::MAX / 2));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Seed"));
        let response = ui.add(DragValue::new(&mut form.seeds).range(1..=20)).on_hover_text(
            "How many seeds are taught, one after the other, on the same parts: what differs between them is chance",
        );
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Seeds"));
        dim(ui, bundle.theme, if form.seeds == 1 { "seed in all" } else { "seeds in all" });
    });
}

fn encoder(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, pictures: bool, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let form = &mut state.train;
    caption(ui, theme, if form.way == TaughtBy::Features { "frozen encoder" } else { "encoder" });
    let names = if pictures {
        ["How pictures look", "", "A folder…"]
    } else {
        ["Built-in embedding", "TF-IDF of words", "A folder…"]
    };
    let now = FrozenEncoder::NAMES.iter().position(|name| *name == form.encoder);
    let offered: Vec<usize> = (0..3).filter(|at| !names[*at].is_empty()).collect();
    let list: Vec<&str> = offered.iter().map(|at| names[*at]).collect();
    let folder = FrozenEncoder::from_name(&form.encoder).words();
    let shown = now.map_or(folder.as_str(), |at| names[at]);
    if let Some(at) = choice(ui, theme, "Encoder", shown, &list) {
        match FrozenEncoder::NAMES.get(offered[at]) {
            Some(name) => (*name).clone_into(&mut form.encoder),
            None => actions.push(Action::TrainFolderDialog),
        }
    }
    if now.is_none() {
        let response =
            ui.add(TextEdit::singleline(&mut form.encoder).desired_width(ui.available_width() - 16.0).font(theme.mono()));
        name_edit(&response, &form.encoder, "Encoder's folder");
        let what = if pictures { "a CLIP or DINOv2 folder" } else { "a sentence-transformers folder" };
        dim(ui, theme, format!("{what}; vectors are kept beside the project"));
    }
}

fn head(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>) {
    let theme = bundle.theme;
    let form = &mut state.train;
    caption(ui, theme, "head");
    let names = HeadKind::ALL.map(HeadKind::words);
    if let Some(at) = choice(ui, theme, "Head", names[form.head], &names) {
        form.head = at;
    }
    ui.add_space(STEP);
    match HeadKind::ALL[form.head] {
        HeadKind::Neighbours { .. } => {
            number(ui, bundle, "Neighbours", "neighbours vote", DragValue::new(&mut form.k).range(1..=200));
        }
        HeadKind::Network { .. } => {
            number(ui, bundle, "Hidden units", "hidden units", DragValue::new(&mut form.hidden).range(1..=4_096));
        }
        _ => {
            let mut chosen = form.c.is_none();
            if ui
                .checkbox(&mut chosen, "choose C by cross-validation")
                .on_hover_text("Five folds within the train part; the test part is not looked at")
                .changed()
            {
                form.c = if chosen { None } else { Some(10.0) };
            }
            if let Some(c) = &mut form.c {
                let value = DragValue::new(c).range(1e-4..=1e5).speed(0.1).max_decimals(4);
                number(ui, bundle, "C", "C: larger, weights are held less", value);
            }
            ui.checkbox(&mut form.balanced, "rarer classes weigh more");
        }
    }
}

/// What teaches.
pub fn deed(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let running = bundle.running.iter().any(|job| job.key == "train");
    if let Some(why) = bundle.session.train_trouble().filter(|_| !running) {
        let text = sentence(why);
        ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
        ui.add_space(STEP);
    }
    let lessons = state.train.lessons(workspace.dataset());
    let may = !lessons.is_empty() && !running && workspace.read_only().is_none();
    let words = match (running, lessons.len()) {
        (true, _) => "Teaching…".to_owned(),
        (false, 1) if state.train.way == TaughtBy::Prompt => "Ask".to_owned(),
        (false, 0 | 1) => "Teach".to_owned(),
        (false, n) => format!("Teach {n} seeds"),
    };
    if let Some(lesson) = lessons.first().filter(|_| state.train.way != TaughtBy::Features) {
        estimate(ui, bundle, workspace, lesson, running, actions);
    }
    instruct(ui, state, bundle, workspace, actions);
    let response = button(ui, theme, &words, "", ButtonLook::Main, may);
    if let Some(why) = workspace.read_only() {
        response.clone().on_hover_text(format!("A run is kept in the project: {why}"));
    }
    if response.clicked() {
        actions.push(Action::Train(TrainAction::Teach(lessons)));
    }
}

/// Questions and answers for a large language model that is taught elsewhere.
fn instruct(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let dataset = workspace.dataset();
    if state.train.way != TaughtBy::Prompt || dataset.field(QUESTION).is_some() || dataset.pictures().is_some() {
        return;
    }
    let Some(label) = label_of(state, workspace) else { return };
    let tip = "Makes two columns, prompt and completion: the instruction with the classes, the text, and the class. Export then writes them for LLaMA-Factory, TRL, Axolotl and others, with a configuration, on this split. An edit: undo takes it back";
    let may = workspace.read_only().is_none();
    if button(ui, bundle.theme, "Make questions for a trainer", "", ButtonLook::Quiet, may).on_hover_text(tip).clicked() {
        let text = Some(state.train.text.clone()).filter(|text| dataset.field(text).is_some());
        let instruction = state.train.prompt.instruction.clone();
        actions.push(Action::Do(Operation::Instruct(InstructOf { label, text, instruction })));
    }
}

/// How long a lesson takes here, after three steps of it.
fn estimate(
    ui: &mut Ui,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    lesson: &crate::train::Lesson,
    running: bool,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let asked = matches!(lesson.approach, crate::train::Approach::Prompt { .. });
    match bundle.session.teaching().tried(workspace, lesson) {
        Some(Ok(TriedSteps { steps, seconds, tokens, .. })) if asked => {
            let text =
                format!("{} questions, about {} tokens, about {}", count(steps), count(tokens as usize), duration(seconds));
            ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
        }
        Some(Ok(TriedSteps { steps, seconds, bytes, .. })) => {
            let mebibytes = bytes >> 20;
            let text =
                format!("{} steps at most, about {}, about {} MiB", count(steps), duration(seconds), count(mebibytes as usize));
            ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
        }
        Some(Err(why)) => {
            ui.add(egui::Label::new(RichText::new(sentence(why)).color(theme.amber)).wrap());
        }
        None => {
            let trying = bundle.running.iter().any(|job| job.key == "steps");
            let words = match (trying, asked) {
                (true, true) => "Asking three questions…",
                (true, false) => "Making three steps…",
                (false, true) => "What will it cost?",
                (false, false) => "How long will it take?",
            };
            let tip = if asked {
                "Asks three questions, and says how many tokens and how long all of them take; their answers are kept"
            } else {
                "Makes three real steps, and says how long all of them take here and what memory"
            };
            if button(ui, theme, words, "", ButtonLook::Quiet, !trying && !running).on_hover_text(tip).clicked() {
                actions.push(Action::Train(TrainAction::Try(Box::new(lesson.clone()))));
            }
        }
    }
    ui.add_space(STEP);
}

/// A time in the words of a clock.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{:.0} s", s.max(1.0)),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}
