//! The runs there are: how good each is with its interval on one axis, and two of them against each other.

use std::collections::HashMap;

use egui::{Rect, RichText, Role as WidgetType, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2};

use super::lines::show;
use crate::action::{Action, TrainAction};
use crate::data::SampleId;
use crate::session::{Measured, NamedRun, Workspace};
use crate::train::{HeadModel, Lesson};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, clipped, dim, name_edit, right_aligned, title};
use crate::ui::widgets::text::{count, cut, sentence};

const ROW: f32 = 34.0;
/// The widths of the figures behind the axis.
const FIGURE: f32 = 74.0;
/// The most width of a name.
const NAME: f32 = 300.0;

/// The run that is looked at: the chosen one, or the last.
pub fn shown<'w>(state: &UiState, workspace: &'w Workspace) -> Option<(usize, &'w NamedRun)> {
    let runs = workspace.runs();
    let at = state.train.shown.and_then(|id| runs.iter().position(|kept| kept.id == id)).or(runs.len().checked_sub(1))?;
    Some((at, &runs[at]))
}

/// The run that it is held against: the chosen one, or the best of the others.
fn against(state: &UiState, workspace: &Workspace, measured: &Measured, shown: usize) -> Option<usize> {
    let runs = workspace.runs();
    let chosen = state.train.against.and_then(|id| runs.iter().position(|kept| kept.id == id)).filter(|at| *at != shown);
    let accuracy = |at: usize| measured.of(at).map_or(-1.0, |found| found.scores.accuracy);
    chosen.or_else(|| {
        let others = (0..runs.len()).filter(|at| *at != shown && measured.pair(*at, shown).is_some());
        others.max_by(|a, b| accuracy(*a).total_cmp(&accuracy(*b)).then(b.cmp(a)))
    })
}

pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let looks = workspace.runs().iter().map(|kept| kept.look).max().unwrap_or(0);
    ui.horizontal_wrapped(|ui| {
        title(ui, theme, "Runs");
        ui.add_space(STEP);
        let times = match looks {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            n => format!("{n} times"),
        };
        dim(ui, theme, format!("the test part was looked at {times}")).on_hover_text(
            "Whoever looks often, and keeps what looks best, chooses by the test part: its figures flatter then. Keep a part aside for the end.",
        );
    });
    let Some((measured, old)) = bundle.session.measured() else {
        dim(ui, theme, "Measuring…");
        return;
    };
    let (low, high) = axis(workspace, measured);
    let wide = ui.available_width();
    let name = if wide > 620.0 { (wide * 0.34).min(NAME) } else { wide * 0.42 };
    let figures = if wide > 620.0 { 3.0 * FIGURE } else { FIGURE };
    let chart = (name, (wide - figures - STEP * 2.0).max(name + 60.0));
    heads(ui, theme, chart, (low, high), figures > FIGURE);
    let mut order: Vec<usize> = (0..workspace.runs().len()).collect();
    let accuracy = |at: usize| measured.of(at).map_or(-1.0, |found| found.scores.accuracy);
    order.sort_by(|a, b| accuracy(*b).total_cmp(&accuracy(*a)).then(b.cmp(a)));
    let (mine, other) = match shown(state, workspace) {
        Some((at, _)) => (Some(at), against(state, workspace, measured, at)),
        None => (None, None),
    };
    for at in order {
        let chosen = (mine == Some(at), other == Some(at));
        let clicked = row(ui, theme, workspace, (measured, old), at, chosen, chart, (low, high), figures > FIGURE);
        if let Some(second) = clicked {
            let id = Some(workspace.runs()[at].id);
            if second { state.train.against = id } else { state.train.shown = id }
        }
    }
    ui.add_space(STEP * 2.0);
    if let (Some(mine), Some(other)) = (mine, other)
        && let Some(pair) = measured.pair(mine, other)
    {
        let names = |at: usize| workspace.runs()[at].name.as_str();
        let words = pair.words(names(pair.of.0), names(pair.of.1));
        let ink = if pair.p > 0.05 { theme.dim } else { theme.text };
        ui.add(egui::Label::new(RichText::new(words).color(ink)).wrap()).on_hover_text(
            "McNemar's test on the samples that both were tried on, corrected for how many pairs of runs there are (Holm). Shift and click chooses the other run.",
        );
        only_one(ui, state, theme, workspace, (measured, old), (mine, other));
    }
    if let Some(mine) = mine {
        seeds(ui, theme, workspace, measured, mine);
        others(ui, theme, workspace, measured, (mine, other));
    }
    named(ui, state, bundle, workspace, actions);
}

/// A name in a sentence that is not to grow long.
fn short(name: &str) -> String {
    let cut = cut(name, 28).trim_end();
    if cut.len() < name.trim_end().len() { format!("{cut}…") } else { cut.to_owned() }
}

/// The samples that only one of two runs gets right, and that both miss.
fn only_one(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    workspace: &Workspace,
    (measured, old): (&Measured, bool),
    (mine, other): (usize, usize),
) {
    let (Some(a), Some(b)) = (measured.of(mine), measured.of(other)) else { return };
    let names = |at: usize| workspace.runs()[at].name.as_str();
    let id = |at: usize| workspace.runs()[at].id;
    let key = (id(mine), id(other), workspace.revision(), old);
    if state.train.alone.as_ref().is_none_or(|(of, _)| *of != key) {
        let place: HashMap<SampleId, usize> = b.tested.iter().copied().zip(0..).collect();
        let mut found: [Vec<SampleId>; 3] = Default::default();
        for (at, id) in a.tested.iter().enumerate() {
            let Some(there) = place.get(id) else { continue };
            match (a.right(at), b.right(*there)) {
                (true, false) => found[0].push(*id),
                (false, true) => found[1].push(*id),
                (false, false) => found[2].push(*id),
                (true, true) => {}
            }
        }
        state.train.alone = Some((key, found));
    }
    // Taken out while it is drawn: what is shown changes the filter.
    let Some((key, found)) = state.train.alone.take() else { return };
    ui.horizontal_wrapped(|ui| {
        let words = [
            format!("only right by {}", short(names(mine))),
            format!("only right by {}", short(names(other))),
            "missed by both".to_owned(),
        ];
        for (words, list) in words.into_iter().zip(&found).filter(|(_, list)| !list.is_empty()) {
            if button(ui, theme, &format!("{} {words}", count(list.len())), "", ButtonLook::Quiet, true).clicked() {
                show(state, sentence(&words), list.iter().copied());
            }
        }
    });
    state.train.alone = Some((key, found));
}

/// How good it is, and the other one, on parts that were locked later.
fn others(ui: &mut Ui, theme: &Theme, workspace: &Workspace, measured: &Measured, (mine, other): (usize, Option<usize>)) {
    for at in std::iter::once(mine).chain(other) {
        let Some(found) = measured.of(at) else { continue };
        for one in &found.others {
            let (low, high) = one.interval;
            let text = format!(
                "{} on {}, {}: {:.3} ({low:.3} to {high:.3})",
                short(&workspace.runs()[at].name),
                one.part,
                crate::ui::count_samples(one.rows),
                one.accuracy()
            );
            dim(ui, theme, text).on_hover_text(
                "A second test part, of samples that came later: it is looked at beside the first, and nothing is chosen by it",
            );
        }
    }
}

/// What the seeds of a lesson differ by, where it was taught with several.
fn seeds(ui: &mut Ui, theme: &Theme, workspace: &Workspace, measured: &Measured, mine: usize) {
    let plain = |at: usize| Lesson { seed: 0, ..workspace.runs()[at].run.lesson.clone() };
    let own = plain(mine);
    let found: Vec<f64> = (0..workspace.runs().len())
        .filter(|at| plain(*at) == own)
        .filter_map(|at| measured.of(at).map(|found| found.scores.accuracy))
        .collect();
    if found.len() < 2 {
        return;
    }
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    let (low, high) = (found.iter().copied().fold(1.0, f64::min), found.iter().copied().fold(0.0, f64::max));
    let text = format!("{} seeds of it: {mean:.3} on average, from {low:.3} to {high:.3}", count(found.len()));
    dim(ui, theme, text).on_hover_text("The same settings with other seeds, on the same test part: so much is chance");
}

/// How long it took.
fn took(seconds: f64) -> String {
    match seconds {
        s if s < 2.0 => "a moment".to_owned(),
        s if s < 120.0 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

/// From where to where the axis goes: what all intervals need, in steps of a tenth.
fn axis(workspace: &Workspace, measured: &Measured) -> (f64, f64) {
    let found: Vec<(f64, f64)> =
        (0..workspace.runs().len()).filter_map(|at| measured.of(at)).map(|found| found.accuracy).collect();
    let low = found.iter().map(|one| one.0).fold(1.0, f64::min);
    let high = found.iter().map(|one| one.1).fold(0.0, f64::max);
    let (low, high) = ((low * 20.0).floor() / 20.0, (high * 20.0).ceil() / 20.0);
    if high - low < 0.1 { ((low - 0.05).max(0.0), (low + 0.1).min(1.0).max(high)) } else { (low, high) }
}

fn heads(ui: &mut Ui, theme: &Theme, (left, right): (f32, f32), (low, high): (f64, f64), all: bool) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    let y = rect.center().y;
    let note = |at: f32, text: &str| right_aligned(ui, pos2(rect.left() + at, y), text, theme.note(), theme.dim);
    // Where there is little room the ends are enough.
    let parts: &[f64] = if right - left > 140.0 { &[0.0, 0.5, 1.0] } else { &[0.0, 1.0] };
    for part in parts.iter().copied() {
        let x = rect.left() + left + STEP * 3.0 + (right - left - STEP * 6.0) * part as f32;
        let value = low + (high - low) * part;
        let text = if (value * 100.0).fract().abs() < 1e-6 { format!("{value:.2}") } else { format!("{value:.3}") };
        ui.painter().text(pos2(x, y), egui::Align2::CENTER_CENTER, text, theme.note(), theme.dim);
    }
    note(right + FIGURE, "accuracy");
    if all {
        note(right + 2.0 * FIGURE, "macro-F1");
        note(right + 3.0 * FIGURE, "log loss");
    }
}

/// One run. Whether it was clicked, and whether as the second one.
#[allow(clippy::too_many_arguments)]
fn row(
    ui: &mut Ui,
    theme: &Theme,
    workspace: &Workspace,
    (measured, old): (&Measured, bool),
    at: usize,
    (mine, other): (bool, bool),
    (left, right): (f32, f32),
    (low, high): (f64, f64),
    all: bool,
) -> Option<bool> {
    let kept = &workspace.runs()[at];
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let found = measured.of(at);
    let said = found.map_or_else(|| "not measured".to_owned(), |found| format!("accuracy {:.3}", found.scores.accuracy));
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, mine, format!("Run {}: {said}", kept.name)));
    let fill = if mine {
        theme.tint
    } else if response.hovered() {
        theme.hover
    } else {
        egui::Color32::TRANSPARENT
    };
    ui.painter().rect_filled(rect, theme.corner(), fill);
    if other {
        ui.painter().rect_stroke(rect, theme.corner(), theme.hairline(), egui::StrokeKind::Inside);
    }
    let stale = found.is_some_and(|found| found.stale);
    let corner = rect.min + vec2(STEP * 2.0, 2.0);
    clipped(ui, corner, left - STEP * 3.0, &kept.name, theme.body(), theme.text, 1);
    let run = &kept.run;
    // Of several label columns a row says which it is of.
    let several = workspace.runs().iter().any(|other| other.run.lesson.label != run.lesson.label);
    let of = if several { format!("{}: ", run.lesson.label) } else { String::new() };
    let under = if stale {
        "the train part has changed since".to_owned()
    } else {
        format!("{of}{} trained on, {} tested, {}", count(run.sizes[0]), count(run.sizes[2]), took(run.seconds))
    };
    let ink = if stale { theme.amber } else { theme.dim };
    clipped(ui, corner + vec2(0.0, 16.0), left - STEP * 3.0, &under, theme.note(), ink, 1);
    let y = rect.center().y;
    match found {
        None => {
            let why = measured.runs.get(at).and_then(|found| found.as_ref().err()).map_or("measuring…", String::as_str);
            clipped(
                ui,
                pos2(rect.left() + left + STEP, y - 8.0),
                rect.width() - left - STEP * 2.0,
                why,
                theme.body(),
                theme.amber,
                1,
            );
        }
        Some(found) => {
            let span = (rect.left() + left + STEP * 3.0, rect.left() + right - STEP * 3.0);
            let x = |value: f64| span.0 + (span.1 - span.0) * ((value - low) / (high - low).max(1e-9)) as f32;
            let ink = if old { theme.dim } else { theme.accent };
            ui.painter().hline(span.0..=span.1, y, theme.hairline());
            ui.painter().rect_filled(
                Rect::from_min_max(pos2(x(found.accuracy.0), y - 3.0), pos2(x(found.accuracy.1), y + 3.0)),
                3,
                ink.gamma_multiply(0.4),
            );
            ui.painter().circle_filled(pos2(x(found.scores.accuracy), y), 4.5, ink);
            let figure = |place: f32, value: f64| {
                let at = pos2(rect.left() + right + place * FIGURE, y);
                right_aligned(ui, at, &format!("{value:.3}"), theme.body(), if old { theme.dim } else { theme.text });
            };
            figure(1.0, found.scores.accuracy);
            if all {
                figure(2.0, found.scores.macro_f1);
                figure(3.0, found.scores.log_loss);
            }
        }
    }
    let response = match found {
        Some(found) => response.on_hover_text(format!(
            "accuracy {:.3} ({:.3} to {:.3}), macro-F1 {:.3} ({:.3} to {:.3}), 95 % intervals",
            found.scores.accuracy, found.accuracy.0, found.accuracy.1, found.scores.macro_f1, found.macro_f1.0, found.macro_f1.1
        )),
        None => response,
    };
    response.clicked().then(|| ui.input(|input| input.modifiers.shift || input.modifiers.command))
}

/// What can be done with the run that is looked at: its name, and its predictions as columns.
fn named(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let Some((_, kept)) = shown(state, workspace) else { return };
    let may = workspace.read_only().is_none();
    ui.add_space(STEP * 2.0);
    ui.horizontal_wrapped(|ui| {
        if let Some((id, name)) = &mut state.train.renaming
            && *id == kept.id
        {
            let response = ui.add(TextEdit::singleline(name).desired_width(260.0));
            name_edit(&response, name, "The run's name");
            let done = ui.input(|input| input.key_pressed(egui::Key::Enter));
            if done || response.lost_focus() {
                if done {
                    actions.push(Action::Train(TrainAction::Rename { id: *id, name: name.clone() }));
                }
                state.train.renaming = None;
            } else {
                response.request_focus();
            }
            return;
        }
        if button(ui, theme, "Write its predictions as columns", "", ButtonLook::Plain, may)
            .on_hover_text("What it says of every sample, and how sure it is; of samples of the train part what a model says that has not seen them. An edit: undo takes it back.")
            .clicked()
        {
            actions.push(Action::Train(TrainAction::WritePredictions(kept.id)));
        }
        if let HeadModel::Prompt { said } = &kept.run.model
            && button(ui, theme, "Copy its prompt", "", ButtonLook::Plain, true)
                .on_hover_text("As messages in JSON, with {text} where the text goes")
                .clicked()
        {
            let messages: Vec<_> = said.iter().map(|(who, text)| serde_json::json!({ "role": who, "content": text })).collect();
            ui.ctx().copy_text(format!("{:#}", serde_json::json!(messages)));
        }
        if button(ui, theme, "Rename", "", ButtonLook::Quiet, may).clicked() {
            state.train.renaming = Some((kept.id, kept.name.clone()));
        }
        if button(ui, theme, "Use its settings", "", ButtonLook::Quiet, true)
            .on_hover_text("Fills the form as this run was asked, to change one thing and teach again")
            .clicked()
        {
            actions.push(Action::Train(TrainAction::UseSettings(kept.id)));
        }
    });
    for note in &kept.run.notes {
        let text = sentence(note);
        ui.add(egui::Label::new(RichText::new(text).font(theme.note()).color(theme.dim)).wrap());
    }
}
