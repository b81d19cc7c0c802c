//! How good the model is from batch to batch, and which of them moved; with what happened between them.

use egui::{Align2, Pos2, Rect, Role as WidgetType, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::drawn::{mark, verdict_of};
use crate::monitor::WatchedBatch;
use crate::session::{BatchSummary, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{dim, right_aligned};

const HEIGHT: f32 = 150.0;
const WIDTH: f32 = 900.0;
/// The room of the numbers on the left, and of the marks and names below.
const LEFT: f32 = 44.0;
const BELOW: f32 = 40.0;

type Seen<'s> = (&'s WatchedBatch, Option<&'s BatchSummary>);

pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, (all, shown): (&[WatchedBatch], &str)) {
    let theme = bundle.theme;
    let seen: Vec<Seen<'_>> =
        all.iter().map(|batch| (batch, bundle.session.watching().summary(&batch.name).and_then(Result::ok))).collect();
    let size = vec2(ui.available_width().min(WIDTH), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, format!("Trend over {} batches", all.len())));
    let area = Rect::from_min_max(rect.min + vec2(LEFT, 6.0), rect.max - vec2(8.0, BELOW));
    let (low, high) = axis(&seen);
    let step = area.width() / all.len() as f32;
    let x = |at: usize| area.left() + step * (at as f32 + 0.5);
    let y = |value: f64| area.bottom() - area.height() * ((value - low) / (high - low)) as f32;
    if let Some(at) = all.iter().position(|batch| batch.name == shown) {
        let band = Rect::from_min_max(pos2(x(at) - step / 2.0, area.top()), pos2(x(at) + step / 2.0, rect.bottom()));
        ui.painter().rect_filled(band, 2, theme.tint);
    }
    usual(ui, theme, &seen, area, (low, high), &y);
    for value in [low, f64::midpoint(low, high), high] {
        right_aligned(ui, pos2(area.left() - 6.0, y(value)), &format!("{:.0} %", value * 100.0), theme.note(), theme.dim);
        ui.painter().hline(area.x_range(), y(value), Stroke::new(1.0, theme.line));
    }
    events(ui, theme, workspace, all, area, &x, step);
    points(ui, theme, &seen, &x, &y);
    let wide = |batch: &WatchedBatch| ui.painter().layout_no_wrap(batch.name.clone(), theme.note(), theme.dim).size().x;
    let names_fit = all.iter().all(|batch| wide(batch) < step - 6.0);
    for (at, (batch, summary)) in seen.iter().enumerate() {
        mark(ui, theme, pos2(x(at), area.bottom() + 11.0), summary.map(|found| verdict_of(&found.report)));
        // Where names do not fit, the list beside has them.
        if names_fit {
            ui.painter().text(pos2(x(at), area.bottom() + 20.0), Align2::CENTER_TOP, &batch.name, theme.note(), theme.dim);
        }
    }
    let at = response
        .hover_pos()
        .filter(|pointer| pointer.x >= area.left())
        .map(|pointer| ((pointer.x - area.left()) / step) as usize);
    if let Some((batch, summary)) = at.and_then(|at| seen.get(at)) {
        let mut words = vec![batch.name.clone()];
        words.extend(summary.iter().flat_map(|found| std::iter::once(found.report.words()).chain(found.performance.words())));
        let clicked = response.clicked();
        response.on_hover_text(words.join("\n"));
        if clicked {
            state.monitor.shown = Some(batch.name.clone());
            (state.monitor.row, state.monitor.slice) = (None, 0);
        }
    }
    legend(ui, theme, &seen);
    ui.add_space(STEP * 4.0);
}

/// From where to where the axis goes: in steps of a tenth.
fn axis(seen: &[Seen<'_>]) -> (f64, f64) {
    let (mut low, mut high) = (1.0f64, 0.0f64);
    let mut take = |value: f64| (low, high) = (low.min(value), high.max(value));
    for found in seen.iter().filter_map(|(_, summary)| *summary) {
        let good = &found.performance;
        for (_, (from, to)) in good.accuracy.iter().chain(&good.estimated) {
            take(*from);
            take(*to);
        }
        if let Some(past) = &good.past {
            take(past.accuracy);
        }
    }
    if low > high {
        return (0.0, 1.0);
    }
    let (low, high) = ((low * 10.0).floor() / 10.0, (high * 10.0).ceil() / 10.0);
    if high - low < 0.2 { ((high - 0.2).max(0.0), high.max(0.2)) } else { (low, high) }
}

/// What is usual: three deviations of the past's chunks, and its accuracy.
fn usual(ui: &Ui, theme: &Theme, seen: &[Seen<'_>], area: Rect, (low, high): (f64, f64), y: &dyn Fn(f64) -> f32) {
    let past = seen.iter().filter_map(|(_, summary)| summary.and_then(|found| found.performance.past.as_ref())).next_back();
    let Some(past) = past else { return };
    let (from, to) = (past.usual.0.clamp(low, high), past.usual.1.clamp(low, high));
    let band = Rect::from_min_max(pos2(area.left(), y(to)), pos2(area.right(), y(from)));
    ui.painter().rect_filled(band, 0, theme.raised);
    ui.painter().extend(Shape::dashed_line(
        &[pos2(area.left(), y(past.accuracy)), pos2(area.right(), y(past.accuracy))],
        Stroke::new(1.0, theme.dim),
        4.0,
        4.0,
    ));
}

/// Models that were taught between batches.
fn events(ui: &Ui, theme: &Theme, workspace: &Workspace, all: &[WatchedBatch], area: Rect, x: &dyn Fn(usize) -> f32, step: f32) {
    let times: Vec<i128> = all.iter().filter_map(WatchedBatch::time).collect();
    if times.len() < all.len() {
        return;
    }
    for kept in workspace.runs() {
        let at = i128::from(kept.at) * 1_000_000;
        let behind = times.iter().filter(|time| **time < at).count();
        if behind == 0 || behind == all.len() {
            continue;
        }
        let place = x(behind) - step / 2.0;
        ui.painter().vline(place, area.y_range(), Stroke::new(1.0, theme.accent));
        ui.painter().text(pos2(place + 3.0, area.top()), Align2::LEFT_TOP, "taught", theme.note(), theme.accent);
    }
}

/// What is measured with its interval; what is estimated as rings, which are never green.
fn points(ui: &Ui, theme: &Theme, seen: &[Seen<'_>], x: &dyn Fn(usize) -> f32, y: &dyn Fn(f64) -> f32) {
    let mut line: Vec<Pos2> = Vec::new();
    for (at, (_, summary)) in seen.iter().enumerate() {
        let Some(good) = summary.map(|found| &found.performance) else { continue };
        if let Some((value, (from, to))) = good.estimated {
            let place = x(at) + if good.accuracy.is_some() { 7.0 } else { 0.0 };
            ui.painter().vline(place, y(to)..=y(from), Stroke::new(1.0, theme.faint));
            ui.painter().circle(pos2(place, y(value)), 3.5, theme.background, Stroke::new(1.5, theme.dim));
        }
        if let Some((value, (from, to))) = good.accuracy {
            ui.painter().vline(x(at), y(to)..=y(from), Stroke::new(1.5, theme.accent));
            let ink = if good.is_worse() { theme.ruby } else { theme.accent };
            line.push(pos2(x(at), y(value)));
            ui.painter().circle_filled(pos2(x(at), y(value)), 4.0, ink);
        }
    }
    if line.len() > 1 {
        ui.painter().add(Shape::line(line, Stroke::new(1.0, theme.accent.gamma_multiply(0.5))));
    }
}

fn legend(ui: &mut Ui, theme: &Theme, seen: &[Seen<'_>]) {
    let any = |has: &dyn Fn(&BatchSummary) -> bool| seen.iter().filter_map(|(_, summary)| *summary).any(has);
    let mut words = Vec::new();
    if any(&|found| found.performance.accuracy.is_some()) {
        words.push("discs: measured, with 95 %");
    }
    if any(&|found| found.performance.estimated.is_some()) {
        words.push("rings: estimated from how sure it is, if classes and their looks stay the same");
    }
    if any(&|found| found.performance.past.is_some()) {
        words.push("band: what was usual before");
    }
    if words.is_empty() {
        words.push("diamond: something moved; disc: steady; ring: too few rows to tell");
    }
    ui.scope(|ui| {
        ui.style_mut().override_font_id = Some(theme.note());
        ui.horizontal_wrapped(|ui| dim(ui, theme, words.join("; ")));
    });
}
