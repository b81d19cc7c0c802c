//! What is taught next.

use egui::{DragValue, RichText, Role as WidgetType, TextEdit, Ui, WidgetInfo};

use crate::action::Action;
use crate::data::{Kind, Role};
use crate::session::Workspace;
use crate::train::{FrozenEncoder, HeadKind};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button, caption, choice, dim, name_edit};
use crate::ui::widgets::text::sentence;

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
    encoder(ui, state, bundle, pictures, actions);
    if state.train.tuned {
        tune(ui, state, bundle);
    } else {
        head(ui, state, bundle);
    }
}

/// Whether an encoder stays as it is, or learns.
fn approach(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, pictures: bool) {
    let theme = bundle.theme;
    caption(ui, theme, "approach");
    let names = ["Frozen encoder and a head", "Fine-tune an encoder"];
    state.train.tuned &= !pictures;
    if pictures {
        dim(ui, theme, names[0]);
    } else if let Some(at) = choice(ui, theme, "Approach", names[usize::from(state.train.tuned)], &names) {
        state.train.tuned = at == 1;
    }
}

/// How an encoder is fine-tuned.
fn tune(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>) {
    let theme = bundle.theme;
    if FrozenEncoder::NAMES.contains(&state.train.encoder.as_str()) {
        ui.add(
            egui::Label::new(
                RichText::new("Choose a sentence-transformers folder above: only that can learn.").color(theme.amber),
            )
            .wrap(),
        );
    }
    let form = &mut state.train.tune;
    ui.add_space(STEP);
    let line = |ui: &mut Ui, name: &str, what: &str, value: DragValue<'_>| {
        ui.horizontal(|ui| {
            let response = ui.add(value);
            response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, name));
            dim(ui, theme, what);
        });
    };
    line(ui, "Epochs", "epochs at most", DragValue::new(&mut form.epochs).range(1..=100));
    line(ui, "Batch", "samples a step", DragValue::new(&mut form.batch).range(1..=512));
    line(ui, "Longest", "tokens of a text at most", DragValue::new(&mut form.longest).range(8..=512));
    line(ui, "Frozen layers", "layers from below stay", DragValue::new(&mut form.frozen).range(0..=48));
    let rate = DragValue::new(&mut form.rate).range(1e-6..=1e-2).speed(1e-6).custom_formatter(|rate, _| format!("{rate:.0e}"));
    line(ui, "Rate", "rate of the encoder", rate);
    ui.checkbox(&mut form.from_head, "begin at logistic regression")
        .on_hover_text("The head is fitted on what the encoder says as it is, then both learn (Kumar et al. 2022): of few samples that is better");
    ui.horizontal(|ui| {
        dim(ui, theme, "seed");
        let response = ui.add(DragValue::new(&mut state.train.seed).range(0..=u64::MAX / 2));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Seed"));
    });
    dim(
        ui,
        theme,
        "About a second a step on two cores with MiniLM; its words stay as they are, it ends when the validation part gets no better.",
    );
}

fn encoder(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, pictures: bool, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let form = &mut state.train;
    caption(ui, theme, if form.tuned { "encoder" } else { "frozen encoder" });
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
    if matches!(HeadKind::ALL[form.head], HeadKind::Neighbours { .. }) {
        ui.horizontal(|ui| {
            let response = ui.add(DragValue::new(&mut form.k).range(1..=200));
            response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Neighbours"));
            dim(ui, theme, "neighbours vote");
        });
    } else {
        let mut chosen = form.c.is_none();
        if ui
            .checkbox(&mut chosen, "choose C by cross-validation")
            .on_hover_text("Five folds within the train part; the test part is not looked at")
            .changed()
        {
            form.c = if chosen { None } else { Some(10.0) };
        }
        if let Some(c) = &mut form.c {
            ui.horizontal(|ui| {
                let response = ui.add(DragValue::new(c).range(1e-4..=1e5).speed(0.1).max_decimals(4));
                response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "C"));
                dim(ui, theme, "C: larger, weights are held less");
            });
        }
        ui.checkbox(&mut form.balanced, "rarer classes weigh more");
    }
    ui.horizontal(|ui| {
        dim(ui, theme, "seed");
        let response = ui.add(DragValue::new(&mut form.seed).range(0..=u64::MAX / 2));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Seed"));
    });
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
    let lesson = state.train.lesson(workspace.dataset());
    let may = lesson.is_some() && !running && workspace.read_only().is_none();
    let response = button(ui, theme, if running { "Teaching…" } else { "Teach" }, "", ButtonLook::Main, may);
    if let Some(why) = workspace.read_only() {
        response.clone().on_hover_text(format!("A run is kept in the project: {why}"));
    }
    if response.clicked()
        && let Some(lesson) = lesson
    {
        actions.push(Action::Train(lesson));
    }
}
