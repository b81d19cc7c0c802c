//! Rows that are worth a label: how many, for which reasons, and into the dataset with them.

use egui::{DragValue, RichText, Ui};

use super::rows;
use crate::action::{Action, MonitorAction, TrainAction};
use crate::data::{Dataset, Role, SampleId};
use crate::monitor::WorthReason;
use crate::operate::{Operation, parts_to_admit};
use crate::session::{ShownBatch, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim};
use crate::ui::widgets::text::{count, samples as count_samples, sentence, things};

/// The most rows that are taken over at once.
const MOST: usize = 2_000;

pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    shown: &ShownBatch,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let may = workspace.read_only().is_none();
    waiting(ui, state, bundle, workspace, actions);
    let Some((worth, asked)) = bundle.session.watching().worth() else {
        dim(ui, theme, "Choosing…");
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.label("For");
        for (reason, n) in &worth.reasons {
            let on = state.monitor.reasons.is_empty() || state.monitor.reasons.contains(reason);
            let text = RichText::new(format!("{} {}", reason.words(), count(*n))).color(if on { theme.text } else { theme.dim });
            if ui.selectable_label(on, text).on_hover_text("Click: rows for this reason alone, or for any again").clicked() {
                let alone: &[WorthReason] = &[*reason];
                state.monitor.reasons = if state.monitor.reasons == alone { Vec::new() } else { alone.to_vec() };
            }
        }
    });
    if worth.reasons.is_empty() {
        dim(ui, theme, "No row of this batch stands out: nothing is new in it, and the model was sure of all.");
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.label("As many as there is time for:");
        let response = ui.add(DragValue::new(&mut state.monitor.many).range(1..=MOST).speed(1));
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "How many rows"));
        let n = worth.list.len();
        let text = format!("Take {} over, to be labelled", things(n, "row", "rows"));
        // What waits comes first.
        let look = if crate::monitor::waiting(workspace.dataset()).is_some() { ButtonLook::Plain } else { ButtonLook::Main };
        if button(ui, theme, &text, "", look, may && n > 0 && !asked)
            .on_hover_text(
                "They become samples, in no part of the split, with where they are from. An edit: undo takes them away",
            )
            .clicked()
        {
            actions.push(Action::Monitor(MonitorAction::Take));
        }
    });
    gain(ui, bundle, workspace, worth.list.len(), actions);
    for note in worth.notes() {
        dim(ui, theme, sentence(&note));
    }
    ui.add_space(STEP * 2.0);
    let ids: Vec<SampleId> = worth.list.iter().map(|row| row.id).collect();
    let why: Vec<String> = worth.list.iter().map(crate::monitor::WorthRow::why).collect();
    rows::draw(ui, state, theme, shown, &ids, &|at| why[at].clone());
}

/// What so many labels would be worth, by the learning curve of the last run.
fn gain(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, more: usize, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let Some(lesson) = workspace.runs().iter().rev().find(|kept| kept.run.model.head().is_some()).map(|kept| &kept.run.lesson)
    else {
        return;
    };
    if let Some((curve, _)) = bundle.session.teaching().curve(workspace, lesson) {
        let Some(last) = curve.points.last() else { return };
        let text = match curve.with(more) {
            Some(then) => format!(
                "{} more of the kind that the train part has would bring {:+.1} points on the test part, by its learning curve; of a kind that it lacks more, on new data",
                things(more, "label", "labels"),
                (then - last.accuracy) * 100.0
            ),
            None => "More samples of the kind that the train part has were no better, by its learning curve: of a kind that it lacks they may be".to_owned(),
        };
        ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
    } else if bundle.session.is_running("curve") {
        dim(ui, theme, "Teaching on parts of the train part…");
    } else if ui
        .link(RichText::new("What would they be worth?").color(theme.accent))
        .on_hover_text("Teaches the last run on growing parts of the train part, twelve times, and goes on with the curve")
        .clicked()
    {
        actions.push(Action::Train(TrainAction::Grow(Box::new(lesson.clone()))));
    }
}

/// Samples that were taken over, and how many of them have a label.
fn labelled(dataset: &Dataset) -> (Vec<SampleId>, usize) {
    let Some(tagged) = crate::monitor::waiting(dataset) else { return (Vec::new(), 0) };
    let label = dataset.with_role(Role::is_label);
    let has = |id: &SampleId| label.is_some_and(|field| dataset.text(field, *id).is_some_and(|cell| !cell.trim().is_empty()));
    let samples: Vec<SampleId> = tagged.iter().collect();
    let n = samples.iter().filter(|id| has(id)).count();
    (samples, n)
}

/// What was taken over and waits: for a label, or for being admitted.
fn waiting(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let (samples, done) = labelled(dataset);
    if samples.is_empty() {
        return;
    }
    let may = workspace.read_only().is_none();
    egui::Frame::new().fill(theme.panel).stroke(theme.hairline()).corner_radius(theme.corner()).inner_margin(10).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let text = format!("{} taken over, {} with a label", count_samples(samples.len()), count(done));
        ui.label(RichText::new(text).color(theme.text));
        ui.horizontal_wrapped(|ui| {
            let look = if done < samples.len() { ButtonLook::Main } else { ButtonLook::Plain };
            if button(ui, theme, "Label them", "", look, true).clicked() {
                actions.push(Action::Monitor(MonitorAction::Label));
            }
            if state.monitor.parts.0 != Some(workspace.revision()) {
                state.monitor.parts = (Some(workspace.revision()), parts_to_admit(dataset));
            }
            let parts = state.monitor.parts.1.clone();
            if parts.is_empty() {
                let text = format!("Keep {} that have a label", count(done));
                if button(ui, theme, &text, "", ButtonLook::Plain, may && done > 0)
                    .on_hover_text("They are samples like any other from then on: their tag is taken off (no column says which part they are to be in)")
                    .clicked()
                {
                    actions.push(Action::Do(Operation::Admit { samples: samples.clone(), part: String::new() }));
                }
                return;
            }
            let now = parts.iter().position(|part| *part == state.monitor.part).unwrap_or(0);
            let text = format!("Admit {} to", count(done));
            if button(ui, theme, &text, "", if done == samples.len() { ButtonLook::Main } else { ButtonLook::Plain }, may && done > 0)
                .on_hover_text("Those that have a label come into this part. What is nearly the same as a sample of a held-out part stays out, with a word")
                .clicked()
            {
                actions.push(Action::Do(Operation::Admit { samples: samples.clone(), part: parts[now].clone() }));
            }
            if let Some(at) = choice(ui, theme, "Part", &parts[now], &parts) {
                state.monitor.part.clone_from(&parts[at]);
            }
        });
        if state.monitor.parts.1.is_empty() {
            return;
        }
        let rule = "A frozen test part takes nothing in. \"test new\" is a second one, measured beside it in Train.";
        ui.add(egui::Label::new(RichText::new(rule).font(theme.note()).color(theme.dim)).wrap());
    });
    ui.add_space(STEP * 3.0);
}
