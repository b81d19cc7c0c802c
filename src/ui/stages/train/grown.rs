//! What more samples are worth to a run's lesson; and which task helps which.

use std::collections::BTreeMap;

use egui::{Pos2, Rect, RichText, Role as WidgetType, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::lines::line;
use crate::action::{Action, TrainAction};
use crate::session::{Measured, NamedRun, Workspace};
use crate::train::{Approach, LearningCurve, Lesson};
use crate::ui::Bundle;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, clipped, dim, right_aligned};
use crate::ui::widgets::text::count;

/// The curve's height and most width.
const HEIGHT: f32 = 200.0;
const WIDTH: f32 = 520.0;

/// The learning curve of a lesson.
pub fn draw(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, lesson: &Lesson, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let running = bundle.running.iter().any(|job| job.key == "curve");
    let found = bundle.session.teaching().curve(workspace, lesson);
    match found {
        Some((curve, fresh)) => {
            chart(ui, theme, curve);
            if let Some(twice) = curve.twice {
                let now = curve.points.last().map_or(0.0, |point| point.accuracy);
                dim(
                    ui,
                    theme,
                    format!("Twice the samples would come to about {twice:.3} (now {now:.3}), if it goes on as it went."),
                );
            } else {
                dim(ui, theme, "More samples were no better: what is missing is something else than more of the same.");
            }
            if !fresh {
                ui.add(egui::Label::new(RichText::new("The dataset has changed since.").color(theme.amber)).wrap());
            }
        }
        None => {
            let text = "The same lesson on a tenth, a quarter, half and all of the train part, with three seeds each, tried on the test part: whether more samples of this kind would help.";
            ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
        }
    }
    ui.add_space(STEP);
    if found.is_none_or(|(_, fresh)| !fresh) {
        let slow = !matches!(lesson.approach, Approach::Features { .. });
        let tip = if slow { "Teaches an encoder twelve times: that takes long" } else { "Twelve heads on frozen features" };
        let words = if running { "Growing…" } else { "Work it out" };
        if button(ui, theme, words, "", ButtonLook::Plain, !running).on_hover_text(tip).clicked() {
            actions.push(Action::Train(TrainAction::Grow(Box::new(lesson.clone()))));
        }
    }
}

fn chart(ui: &mut Ui, theme: &Theme, curve: &LearningCurve) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().min(WIDTH), HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, "Accuracy by samples of the train part"));
    let area = Rect::from_min_max(rect.min + vec2(40.0, 10.0), rect.max - vec2(40.0, 24.0));
    let points = &curve.points;
    let (low, high) =
        points.iter().fold((1.0f64, 0.0f64), |(low, high), point| (low.min(point.range.0), high.max(point.range.1)));
    let (low, high) = ((low * 20.0).floor() / 20.0, ((high * 20.0).ceil() / 20.0).max((low * 20.0).floor() / 20.0 + 0.05));
    let most = points.last().map_or(1, |point| point.samples).max(1) as f32;
    let x = |samples: usize| area.left() + area.width() * samples as f32 / most;
    let y = |accuracy: f64| area.bottom() - area.height() * ((accuracy - low) / (high - low)) as f32;
    for part in [0.0, 0.5, 1.0] {
        let value = low + (high - low) * part;
        ui.painter().hline(area.x_range(), y(value), theme.hairline());
        right_aligned(ui, pos2(area.left() - STEP, y(value)), &format!("{value:.3}"), theme.note(), theme.dim);
    }
    let line: Vec<Pos2> = points.iter().map(|point| pos2(x(point.samples), y(point.accuracy))).collect();
    ui.painter().add(Shape::line(line, Stroke::new(1.5, theme.accent)));
    for point in points {
        let at = x(point.samples);
        ui.painter().vline(at, y(point.range.1)..=y(point.range.0), Stroke::new(3.0, theme.accent.gamma_multiply(0.4)));
        ui.painter().circle_filled(pos2(at, y(point.accuracy)), 4.0, theme.accent);
        let text = count(point.samples);
        ui.painter().text(pos2(at, area.bottom() + 4.0), egui::Align2::CENTER_TOP, text, theme.note(), theme.dim);
    }
    clipped(ui, pos2(area.left(), rect.bottom() - 8.0), 1.0, "", theme.note(), theme.dim, 1);
}

/// Whether there is anything to say of tasks that were learned together.
pub fn has_tasks(workspace: &Workspace) -> bool {
    workspace.runs().iter().any(|kept| matches!(kept.run.lesson.approach, Approach::Multitask { .. }))
}

/// What a run of an encoder learned with, beside its own label.
fn with(kept: &NamedRun) -> Option<(String, String)> {
    let label = kept.run.lesson.label.clone();
    let mut others: Vec<&str> = kept.run.lesson.labels().into_iter().filter(|own| *own != label).collect();
    others.sort_unstable();
    match &kept.run.lesson.approach {
        Approach::Encoder { .. } => {
            let words = kept.run.lesson.through.as_ref().map_or("alone".to_owned(), |finer| format!("through {finer}"));
            Some((label, words))
        }
        Approach::Multitask { .. } => Some((label, format!("with {}", others.join(", ")))),
        Approach::Prompt { .. } => None,
        Approach::Features { .. } => kept.run.lesson.through.as_ref().map(|finer| (label, format!("frozen, through {finer}"))),
    }
}

/// Which task helps which: each label column alone, with others, and through a finer one, with the difference and its interval.
pub fn tasks(ui: &mut Ui, theme: &Theme, workspace: &Workspace, measured: &Measured) {
    let text = "Each label column as it is learned alone, and what learning others with it is worth: accuracy, and the difference with its 95 % interval on the samples that both were tried on. The last run of each kind counts.";
    ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
    let mut table: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for (at, kept) in workspace.runs().iter().enumerate() {
        if let Some((label, words)) = with(kept).filter(|_| measured.of(at).is_some()) {
            table.entry(label).or_default().insert(words, at);
        }
    }
    for (label, ways) in table {
        ui.add_space(STEP * 2.0);
        ui.label(RichText::new(&label).color(theme.text).strong());
        let alone = ways.get("alone").copied();
        for (words, at) in &ways {
            let Some(found) = measured.of(*at) else { continue };
            let mut text = words.clone();
            if let Some(pair) = alone.filter(|alone| alone != at).and_then(|alone| measured.pair(alone, *at)) {
                // Of a pair the first less the second; here it is what this way is worth.
                let turn = if pair.of.0 == *at { 1.0 } else { -1.0 };
                let (low, high) = (turn * pair.interval.0, turn * pair.interval.1);
                let (low, high) = (low.min(high), low.max(high));
                // What rounds to nothing has no sign.
                let plain = |x: f64| if x.abs() < 5e-4 { 0.0 } else { x };
                let (gain, low, high) = (plain(turn * pair.accuracy), plain(low), plain(high));
                text.push_str(&format!("   {gain:+.3} ({low:+.3} to {high:+.3}) against alone"));
            }
            line(ui, theme, &text, found.scores.accuracy as f32, &format!("{:.3}", found.scores.accuracy));
        }
        if alone.is_none() {
            dim(ui, theme, "Alone it was not taught yet: fine-tune an encoder on it.");
        }
    }
}
