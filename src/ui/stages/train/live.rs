//! A run while it goes on: its losses as they come, and what the validation part says; and runs that were stopped.

use egui::{Pos2, Rect, RichText, Role as WidgetType, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::form::duration;
use crate::action::{Action, TrainAction};
use crate::session::Workspace;
use crate::train::{EpochSeen, TeachSeen};
use crate::ui::Bundle;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, clipped, dim, right_aligned, title};
use crate::ui::widgets::text::{count, sentence};

/// The height of the curves, and the most width.
const HEIGHT: f32 = 140.0;
const WIDTH: f32 = 720.0;
/// More points than this are drawn as means of several.
const POINTS: usize = 240;

/// What goes on.
pub fn draw(ui: &mut Ui, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let Some(seen) = bundle.session.teaching().watched() else { return };
    let Some(job) = bundle.running.iter().find(|job| job.key == "train") else { return };
    // Nobody calls when a step is made.
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(500));
    ui.horizontal_wrapped(|ui| {
        title(ui, theme, if seen.words.is_empty() { "Teaching".to_owned() } else { format!("Teaching {}", seen.words) });
    });
    ui.horizontal_wrapped(|ui| {
        let made = seen.losses.len();
        let mut text = String::new();
        if seen.steps > 0 {
            let epochs = seen.steps.div_ceil(seen.epoch.max(1));
            let epoch = (made / seen.epoch.max(1) + 1).min(epochs);
            text.push_str(&format!("step {} of {}, epoch {epoch} of {epochs}", count(made), count(seen.steps)));
            if made >= 3
                && let Some(left) = job.progress.seconds_left()
            {
                text.push_str(&format!(", {} left at most", duration(f64::from(left))));
            }
            text.push_str(&format!(", about {} MiB", count((seen.bytes >> 20) as usize)));
        } else {
            text.push_str("Reading, and what comes before the first step");
        }
        dim(ui, theme, sentence(&text));
        let tip =
            "Stops here. What was learned is kept beside the project where steps were made: it goes on from there another time.";
        if button(ui, theme, "Stop", "", ButtonLook::Quiet, true).on_hover_text(tip).clicked() {
            actions.push(Action::Cancel("train"));
        }
    });
    if seen.losses.len() > 1 {
        ui.add_space(STEP);
        curves(ui, theme, &seen);
    }
    ui.add_space(STEP * 4.0);
}

/// Means of so many losses that all of them fit.
fn thinned(losses: &[f32]) -> Vec<(f32, f32)> {
    let each = losses.len().div_ceil(POINTS).max(1);
    let mean = |(at, part): (usize, &[f32])| {
        let known: Vec<f32> = part.iter().copied().filter(|loss| loss.is_finite()).collect();
        (!known.is_empty())
            .then(|| ((at * each) as f32 + part.len() as f32 / 2.0, known.iter().sum::<f32>() / known.len() as f32))
    };
    losses.chunks(each).enumerate().filter_map(mean).collect()
}

/// The loss by step on the left axis, the accuracy on the validation part by epoch on the right one.
fn curves(ui: &mut Ui, theme: &Theme, seen: &TeachSeen) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().min(WIDTH), HEIGHT), Sense::hover());
    let last = seen.epochs.last().map(|epoch| format!(", validation accuracy {:.3}", epoch.validation_accuracy));
    let now = seen.losses.last().copied().unwrap_or_default();
    response.widget_info(|| {
        WidgetInfo::labeled(WidgetType::Image, true, format!("Loss {now:.3}{}", last.clone().unwrap_or_default()))
    });
    let area = Rect::from_min_max(rect.min + vec2(44.0, 8.0), rect.max - vec2(48.0, 20.0));
    let points = thinned(&seen.losses);
    let most = points.iter().map(|point| point.1).fold(0.0f32, f32::max).max(1e-6);
    let x = |step: f32| area.left() + area.width() * step / seen.steps.max(1) as f32;
    let y = |part: f32| area.bottom() - area.height() * part.clamp(0.0, 1.0);
    for part in [0.0, 0.5, 1.0] {
        ui.painter().hline(area.x_range(), y(part), theme.hairline());
        right_aligned(ui, pos2(area.left() - STEP, y(part)), &format!("{:.2}", most * part), theme.note(), theme.dim);
    }
    let line: Vec<Pos2> = points.iter().map(|(step, loss)| pos2(x(*step), y(loss / most))).collect();
    ui.painter().add(Shape::line(line, Stroke::new(1.5, theme.accent)));
    let judged: Vec<(usize, &EpochSeen)> =
        seen.epochs.iter().enumerate().filter(|(_, epoch)| epoch.validation_accuracy.is_finite()).collect();
    if !judged.is_empty() {
        let at = |(epoch, of): &(usize, &EpochSeen)| pos2(x(((epoch + 1) * seen.epoch) as f32), y(of.validation_accuracy as f32));
        ui.painter().add(Shape::line(judged.iter().map(at).collect(), Stroke::new(1.5, theme.emerald)));
        judged.iter().for_each(|one| {
            ui.painter().circle_filled(at(one), 3.5, theme.emerald);
        });
        for part in [0.0f32, 0.5, 1.0] {
            let place = pos2(area.right() + STEP * 8.0, y(part));
            right_aligned(ui, place, &format!("{part:.1}"), theme.note(), theme.emerald);
        }
    }
    let below = rect.bottom() - 16.0;
    clipped(ui, pos2(area.left(), below), 200.0, "loss of the train part", theme.note(), theme.accent, 1);
    if !judged.is_empty() {
        right_aligned(ui, pos2(area.right(), below + 8.0), "accuracy on the validation part", theme.note(), theme.emerald);
    }
}

/// Runs that were stopped: each goes on where it was, or is given up.
pub fn stopped(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let running = bundle.running.iter().any(|job| job.key == "train");
    let may = workspace.read_only().is_none() && !running;
    if running {
        return;
    }
    for (path, run) in bundle.session.teaching().stopped() {
        ui.horizontal_wrapped(|ui| {
            let text = format!("{} was stopped after step {} of {}", run.lesson.words(), count(run.step), count(run.steps));
            ui.add(egui::Label::new(RichText::new(text).color(theme.text)).wrap());
            if button(ui, theme, "Go on", "", ButtonLook::Plain, may)
                .on_hover_text("From where it was, to the same model. Where its train part has changed since it begins anew")
                .clicked()
            {
                actions.push(Action::Train(TrainAction::Teach(vec![run.lesson.clone()])));
            }
            if button(ui, theme, "Give up", "", ButtonLook::Quiet, may).clicked() {
                actions.push(Action::Train(TrainAction::GiveUp(path.clone())));
            }
        });
        ui.add_space(STEP);
    }
}
