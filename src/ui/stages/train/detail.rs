//! One run looked at: what it confuses, its classes, whether it is as sure as it is right, where it is worst, and what was tried for it.

use egui::{Align, Layout, Rect, RichText, Role as WidgetType, Sense, Ui, WidgetInfo, pos2, vec2};

use super::grown::{self, has_tasks};
use super::lines::{LINE, line, show};
use super::runs::shown;
use super::seen;
use super::state::RunSide;
use crate::action::Action;
use crate::data::SampleId;
use crate::session::Workspace;
use crate::train::{Approach, RunFigures, slices};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{choice, dim, right_aligned};
use crate::ui::widgets::rows;
use crate::ui::widgets::text::{count, percent, things};

/// Up to so many classes a matrix is drawn.
const MATRIX: usize = 24;
/// Lines of a list before it scrolls.
const LINES: usize = 14;

pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let Some((at, kept)) = shown(state, workspace) else { return };
    let Some((measured, old)) = bundle.session.measured() else { return };
    let Some(found) = measured.of(at) else { return };
    let key = (kept.id, workspace.revision(), old);
    if state.train.confused.as_ref().is_none_or(|(of, _)| *of != key) {
        state.train.confused = Some((key, pairs_of(found)));
    }
    ui.horizontal_wrapped(|ui| {
        let offered = |side: &RunSide| match side {
            RunSide::Seen => !kept.run.seen.is_empty(),
            RunSide::Tasks => has_tasks(workspace),
            // Nobody is asked twelve times over by a click.
            RunSide::Curve => !matches!(kept.run.lesson.approach, Approach::Prompt { .. }),
            _ => true,
        };
        if !offered(&state.train.side) {
            state.train.side = RunSide::default();
        }
        for (side, name) in RunSide::ALL.into_iter().filter(|(side, _)| offered(side)) {
            let on = state.train.side == side;
            let ink = if on { theme.text } else { theme.dim };
            if ui.selectable_label(on, RichText::new(name).color(ink)).clicked() {
                state.train.side = side;
            }
        }
    });
    ui.add_space(STEP * 2.0);
    if found.gone > 0 {
        let text = format!(
            "{} of its test part have no label any more, are excluded, or read otherwise: they count no more",
            things(found.gone, "sample", "samples")
        );
        ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
    }
    match state.train.side {
        RunSide::Confused => confused(ui, state, theme, found),
        RunSide::Classes => classes(ui, state, theme, found),
        RunSide::Calibration => calibration(ui, theme, found),
        RunSide::Slices => sliced(ui, state, theme, workspace, found, (kept.id, old)),
        RunSide::Seen => seen::draw(ui, state, bundle, workspace, (kept.id, &kept.run, found.stale), actions),
        RunSide::Curve => grown::draw(ui, bundle, workspace, &kept.run.lesson, actions),
        RunSide::Tasks => grown::tasks(ui, theme, workspace, measured),
        RunSide::Choice => tried(ui, theme, &kept.run),
    }
}

/// Pairs of classes that are taken for each other, the most often first.
fn pairs_of(found: &RunFigures) -> Vec<(usize, usize, usize)> {
    let k = found.classes.len();
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for truth in 0..k {
        for said in (0..k).filter(|said| *said != truth) {
            let n = found.scores.confusion[truth * k + said];
            if n > 0 {
                pairs.push((n, truth, said));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    pairs
}

/// What is taken for what; beside the list all of it, where it has room.
fn confused(ui: &mut Ui, state: &mut UiState, theme: &Theme, found: &RunFigures) {
    let k = found.classes.len();
    let Some((key, pairs)) = state.train.confused.take() else { return };
    draw_confused(ui, state, theme, found, (k, &pairs));
    state.train.confused = Some((key, pairs));
}

fn draw_confused(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    found: &RunFigures,
    (k, pairs): (usize, &[(usize, usize, usize)]),
) {
    if pairs.is_empty() {
        dim(ui, theme, "It was right of every sample of the test part.");
        return;
    }
    let wide = ui.available_width();
    let matrix = (k <= MATRIX && wide > 560.0).then(|| (wide * 0.45).min(k as f32 * 28.0 + 20.0));
    ui.horizontal_top(|ui| {
        let list = wide - matrix.map_or(0.0, |matrix| matrix + STEP * 6.0);
        ui.allocate_ui_with_layout(vec2(list, LINE * LINES as f32), Layout::top_down(Align::LEFT), |ui| {
            let most = pairs[0].0.max(1);
            let area =
                egui::ScrollArea::vertical().id_salt("confused").max_height(LINE * LINES as f32).auto_shrink([false, true]);
            rows::draw(ui, area, LINE, pairs.len(), |ui, range| {
                for (n, truth, said) in &pairs[range] {
                    let (truth_name, said_name) = (&found.classes[*truth], &found.classes[*said]);
                    let text = format!("{truth_name} taken for {said_name}");
                    if line(ui, theme, &text, *n as f32 / most as f32, &count(*n)).clicked() {
                        show(state, text, found.cell(*truth as u32, *said as u32));
                    }
                }
            });
        });
        if let Some(matrix) = matrix {
            ui.add_space(STEP * 6.0);
            if let Some((truth, said)) = grid(ui, theme, found, matrix) {
                let title = if truth == said {
                    format!("{} right", found.classes[truth])
                } else {
                    format!("{} taken for {}", found.classes[truth], found.classes[said])
                };
                show(state, title, found.cell(truth as u32, said as u32));
            }
        }
    });
}

/// Every class against every class. The cell that was clicked.
fn grid(ui: &mut Ui, theme: &Theme, found: &RunFigures, side: f32) -> Option<(usize, usize)> {
    let k = found.classes.len();
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, format!("Confusion matrix of {k} classes")));
    let area = Rect::from_min_max(rect.min + vec2(16.0, 16.0), rect.max);
    let cell = area.width() / k as f32;
    ui.painter().text(pos2(area.center().x, rect.top()), egui::Align2::CENTER_TOP, "said", theme.note(), theme.dim);
    let galley = ui.painter().layout_no_wrap("is".to_owned(), theme.note(), theme.dim);
    ui.painter().galley(pos2(rect.left(), area.center().y), galley, theme.dim);
    for truth in 0..k {
        let support = found.scores.per_class[truth].support.max(1) as f32;
        for said in 0..k {
            let n = found.scores.confusion[truth * k + said];
            let place =
                Rect::from_min_size(area.min + vec2(said as f32 * cell, truth as f32 * cell), vec2(cell, cell)).shrink(0.5);
            let part = (n as f32 / support).sqrt();
            let ink = if truth == said { theme.emerald } else { theme.ruby };
            ui.painter().rect_filled(place, 1, theme.raised);
            if n > 0 {
                ui.painter().rect_filled(place, 1, ink.gamma_multiply(0.15 + 0.85 * part));
            }
        }
    }
    let pointer = response.hover_pos().filter(|pointer| area.contains(*pointer))?;
    let at = (pointer - area.min) / cell;
    let (said, truth) = ((at.x as usize).min(k - 1), (at.y as usize).min(k - 1));
    let n = found.scores.confusion[truth * k + said];
    let place = Rect::from_min_size(area.min + vec2(said as f32 * cell, truth as f32 * cell), vec2(cell, cell));
    ui.painter().rect_stroke(place, 1, egui::Stroke::new(1.5, theme.text), egui::StrokeKind::Inside);
    let clicked = response.clicked() && n > 0;
    response.on_hover_text_at_pointer(format!(
        "{} of {} said to be {}",
        things(n, "sample", "samples"),
        found.classes[truth],
        found.classes[said]
    ));
    clicked.then_some((truth, said))
}

/// Classes, the worst first; a click shows what of them was wrong.
fn classes(ui: &mut Ui, state: &mut UiState, theme: &Theme, found: &RunFigures) {
    let mut order: Vec<usize> = (0..found.classes.len()).filter(|class| found.scores.per_class[*class].support > 0).collect();
    let of = |class: usize| &found.scores.per_class[class];
    order.sort_by(|a, b| of(*a).f1.total_cmp(&of(*b).f1).then(a.cmp(b)));
    let absent = found.classes.len() - order.len();
    dim(
        ui,
        theme,
        format!(
            "F1 by class, the worst first; macro-F1 is the mean over {} of the test part{}",
            things(order.len(), "class", "classes"),
            if absent > 0 { format!(" ({absent} more are said or learned there, and never true)") } else { String::new() }
        ),
    );
    let area = egui::ScrollArea::vertical().id_salt("classes").max_height(LINE * LINES as f32).auto_shrink([false, true]);
    rows::draw(ui, area, LINE, order.len(), |ui, range| {
        for class in &order[range] {
            let one = of(*class);
            let text = format!(
                "{}   precision {:.2}, recall {:.2}, {}",
                found.classes[*class],
                one.precision,
                one.recall,
                things(one.support, "sample", "samples")
            );
            if line(ui, theme, &text, one.f1 as f32, &format!("{:.2}", one.f1)).clicked() {
                let class = *class as u32;
                let wrong = (0..found.tested.len())
                    .filter(|at| !found.right(*at) && (found.truth[*at] == class || found.said[*at] == class));
                let wrong: Vec<SampleId> = wrong.map(|at| found.tested[at]).collect();
                show(state, format!("{}: wrongly said or missed", found.classes[class as usize]), wrong);
            }
        }
    });
}

/// How sure it is against how often it is right.
fn calibration(ui: &mut Ui, theme: &Theme, found: &RunFigures) {
    let calibration = &found.calibration;
    let few = if found.tested.len() < 1_000 { "; of so few samples that is too high by chance" } else { "" };
    dim(
        ui,
        theme,
        format!(
            "Expected gap between how sure it is and how often it is right: {} (15 steps{few}). Log loss {:.3}, Brier {:.3}.",
            percent(calibration.ece),
            found.scores.log_loss,
            found.scores.brier
        ),
    );
    if let Some((temperature, gap, loss)) = found.tempered {
        let text = format!(
            "At the temperature {temperature:.2}, which the validation part says, the gap is {} and the log loss {loss:.3}.",
            percent(gap)
        );
        dim(ui, theme, text).on_hover_text("What it says is made less sure (above 1) or more; what it says first stays the same. A temperature can make the gap larger, too");
    }
    ui.add_space(STEP);
    let side = ui.available_width().min(320.0);
    let (rect, response) = ui.allocate_exact_size(vec2(side, side * 0.8), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, "Reliability: how sure against how often right"));
    let area = Rect::from_min_max(rect.min + vec2(36.0, 4.0), rect.max - vec2(8.0, 30.0));
    let place = |x: f64, y: f64| pos2(area.left() + area.width() * x as f32, area.bottom() - area.height() * y as f32);
    ui.painter().rect_stroke(area, 0, theme.hairline(), egui::StrokeKind::Inside);
    ui.painter().line_segment([place(0.0, 0.0), place(1.0, 1.0)], theme.hairline());
    let most = calibration.bins.iter().map(|bin| bin.n).max().unwrap_or(1).max(1) as f32;
    for bin in calibration.bins.iter().filter(|bin| bin.n > 0) {
        let at = place(bin.confidence, bin.accuracy);
        ui.painter().line_segment([at, place(bin.confidence, bin.confidence)], egui::Stroke::new(1.5, theme.amber));
        ui.painter().circle_filled(at, 2.5 + 4.0 * (bin.n as f32 / most).sqrt(), theme.accent);
    }
    for part in [0.0, 0.5, 1.0] {
        let text = format!("{part:.1}");
        right_aligned(ui, place(0.0, part) - vec2(STEP, 0.0), &text, theme.note(), theme.dim);
        ui.painter().text(place(part, 0.0) + vec2(0.0, 2.0), egui::Align2::CENTER_TOP, text, theme.note(), theme.dim);
    }
    ui.painter().text(pos2(area.center().x, rect.bottom()), egui::Align2::CENTER_BOTTOM, "how sure", theme.note(), theme.dim);
    if let Some(pointer) = response.hover_pos() {
        let near = |bin: &&crate::learn::calibration::ConfidenceBin| (place(bin.confidence, bin.accuracy) - pointer).length_sq();
        let bin = calibration.bins.iter().filter(|bin| bin.n > 0).min_by(|a, b| near(a).total_cmp(&near(b)));
        if let Some(bin) = bin.filter(|bin| near(bin) < 400.0) {
            response.on_hover_text_at_pointer(format!(
                "{}: {} sure, {} right",
                things(bin.n, "sample", "samples"),
                percent(bin.confidence),
                percent(bin.accuracy)
            ));
        }
    }
}

/// How good it is by the values of a column.
fn sliced(ui: &mut Ui, state: &mut UiState, theme: &Theme, workspace: &Workspace, found: &RunFigures, (run, old): (i64, bool)) {
    let dataset = workspace.dataset();
    let names: Vec<String> = dataset.fields().iter().map(|field| field.name.to_string()).collect();
    let first = || {
        names.iter().find(|name| dataset.field(name).is_some_and(|field| dataset.fields()[field].role == crate::data::Role::Text))
    };
    let now = Some(&state.train.slice)
        .filter(|name| names.contains(name))
        .or_else(first)
        .or(names.first())
        .cloned()
        .unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        dim(ui, theme, "by");
        if let Some(at) = choice(ui, theme, "Slices by", &now, &names) {
            state.train.slice.clone_from(&names[at]);
        }
        dim(ui, theme, "many different texts are cut by their length, numbers by their size");
    });
    let key = (run, now.clone(), workspace.revision(), old);
    if state.train.slices.as_ref().is_none_or(|(of, _)| *of != key) {
        let list = dataset.field(&now).map(|field| slices(dataset, found, field)).unwrap_or_default();
        state.train.slices = Some((key, list));
    }
    let Some((_, list)) = &state.train.slices else { return };
    for slice in list {
        let share = slice.right as f64 / slice.rows.max(1) as f64;
        let (low, high) = slice.interval;
        let text = format!("{}   {} ({low:.2} to {high:.2})", slice.name, things(slice.rows, "sample", "samples"));
        line(ui, theme, &text, share as f32, &format!("{share:.2}"));
    }
}

/// What was tried within the train part.
fn tried(ui: &mut Ui, theme: &Theme, run: &crate::train::Run) {
    if !run.epochs.is_empty() {
        let judged = run.epochs.iter().all(|epoch| epoch.validation_accuracy.is_finite());
        let words = "There was no validation part: it went through all epochs, and the last is kept.";
        dim(ui, theme, if judged { "Accuracy on the validation part by epoch; the best is kept." } else { words });
        ui.add_space(STEP);
        for (at, epoch) in run.epochs.iter().enumerate() {
            if judged {
                let text = format!("epoch {}   loss {:.3}, validation loss {:.3}", at + 1, epoch.loss, epoch.validation_loss);
                line(ui, theme, &text, epoch.validation_accuracy as f32, &format!("{:.3}", epoch.validation_accuracy));
            } else {
                line(ui, theme, &format!("epoch {}   loss {:.3}", at + 1, epoch.loss), 0.0, "");
            }
        }
        ui.add_space(STEP * 3.0);
    }
    let Some(chosen) = &run.chosen else {
        dim(ui, theme, "Nothing was to be chosen.");
        return;
    };
    let shape = if chosen.evened { ", on rows that were evened along the axes of their spread" } else { "" };
    dim(ui, theme, format!("C {}{shape}: right most often of samples of the train part that were held out.", chosen.c));
    ui.add_space(STEP);
    for (c, evened, folds, accuracy) in &chosen.tried {
        let mark = if *c == chosen.c && *evened == chosen.evened { "  chosen" } else { "" };
        let text = format!("C {c}{}   {}{mark}", if *evened { ", evened" } else { "" }, things(*folds, "fold", "folds"));
        line(ui, theme, &text, *accuracy as f32, &format!("{accuracy:.3}"));
    }
}
