//! Noise and classes: how labels go wrong, as a heat map whose cells filter; how good each class is; which overlap.

use egui::{Color32, Frame, Margin, Panel, Rect, RichText, Role as WidgetType, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::state::ReviewTab;
use crate::action::Action;
use crate::checks::label_errors::LabelReport;
use crate::data::{Property, Rule, SampleSet};
use crate::operate::Operation;
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::class_colour::class_colour;
use crate::ui::widgets::controls::{caption, clipped, dim, right_aligned, square};
use crate::ui::widgets::text::{count, percent, things};

/// Above this many classes, only those that go wrong most are drawn.
const MOST: usize = 100;

/// Draws it.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    report: &LabelReport,
    actions: &mut Vec<Action>,
) {
    let below = Frame::new().inner_margin(Margin { left: 20, right: 20, top: 4, bottom: 10 });
    Panel::bottom("with oneself").resizable(false).show_separator_line(false).frame(below).show(ui, |ui| {
        with_oneself(ui, bundle, workspace, actions);
    });
    let frame = Frame::new().inner_margin(Margin { left: 12, right: 20, top: 12, bottom: 8 });
    let side = (ui.available_width() * 0.42).clamp(300.0, 520.0);
    Panel::right("classes side").exact_size(side).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| classes(ui, state, bundle, workspace, report));
    });
    let frame = Frame::new().inner_margin(Margin { left: 20, right: 12, top: 12, bottom: 16 });
    egui::CentralPanel::default().frame(frame).show(ui, |ui| matrix(ui, state, bundle, report));
}

/// How far somebody agrees with themselves, and whether they are asked.
fn with_oneself(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let dataset = workspace.dataset();
    ui.horizontal_wrapped(|ui| {
        let mut on = dataset.properties().get(Property::AskAgain, &[]).is_some();
        let hint = "Among others, the queue shows now and then a sample that you have decided on, as it was. What you say then changes no label: it is compared";
        if ui.checkbox(&mut on, "Show me some samples once more").on_hover_text(hint).changed() {
            let value = on.then(|| "yes".to_owned());
            actions.push(Action::Do(Operation::Say { property: Property::AskAgain, of: Vec::new(), value }));
        }
        let (same, all) = dataset.self_agreement();
        if all > 0 {
            dim(ui, bundle.theme, format!("You said the same of {same} of {}", things(all, "sample", "samples")));
        }
    });
}

/// Leaves the samples of the queue that `wanted` picks, in every view.
fn narrow(state: &mut UiState, report: &LabelReport, title: String, wanted: impl Fn(&[u32], &[u32]) -> bool) {
    let samples: SampleSet = report
        .queue
        .iter()
        .filter(|candidate| wanted(&candidate.given, &candidate.suggested))
        .map(|candidate| candidate.id)
        .collect();
    state.filter.clauses.retain(|clause| !matches!(clause.rule, Rule::Listed { .. }));
    state.toggle_clause(Rule::Listed { title, samples: samples.into() }.into());
    state.review.tab = ReviewTab::Queue;
    state.review.current = None;
}

fn matrix(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, report: &LabelReport) {
    let theme = bundle.theme;
    let k = report.names.len();
    if report.joint.is_empty() {
        dim(ui, theme, "Where a sample may have several labels, each class is judged by itself: the list says how good each is");
        return;
    }
    // The classes that lose or gain most, in their own order.
    let mut order: Vec<usize> = (0..k).collect();
    let off = |class: usize| -> f64 {
        (0..k)
            .filter(|other| *other != class)
            .map(|other| report.joint[class * k + other] + report.joint[other * k + class])
            .sum()
    };
    if k > MOST {
        let weights: Vec<f64> = (0..k).map(off).collect();
        order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
        order.truncate(MOST);
        order.sort_unstable();
    }
    caption(ui, theme, "expected samples, by the label given (down) and the true one (across)");
    let n = order.len();
    let names = if n <= 24 { 130.0 } else { 0.0 };
    let room = ui.available_size() - vec2(names, 40.0 + if names > 0.0 { 20.0 } else { 0.0 });
    let cell = (room.min_elem() / n as f32).clamp(4.0, 44.0);
    let (whole, response) = ui.allocate_exact_size(vec2(names + cell * n as f32, cell * n as f32), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, format!("noise matrix of {n} classes")));
    let area = Rect::from_min_max(pos2(whole.left() + names, whole.top()), whole.max);
    ui.painter().rect(area, 0, theme.panel, theme.hairline(), egui::StrokeKind::Outside);
    let largest = order
        .iter()
        .flat_map(|given| order.iter().map(move |truth| (*given, *truth)))
        .filter(|(given, truth)| given != truth)
        .map(|(given, truth)| report.joint[given * k + truth])
        .fold(1.0, f64::max);
    let at = |position: egui::Pos2| -> Option<(usize, usize)> {
        let inside = position - area.min;
        let (x, y) = ((inside.x / cell).floor(), (inside.y / cell).floor());
        (x >= 0.0 && y >= 0.0 && (x as usize) < n && (y as usize) < n).then_some((y as usize, x as usize))
    };
    let hovered = response.hover_pos().and_then(at);
    for (y, given) in order.iter().enumerate() {
        if names > 0.0 {
            let top = area.top() + cell * y as f32 + cell / 2.0 - 8.0;
            clipped(ui, pos2(whole.left(), top), names - 8.0, &report.names[*given], theme.note(), theme.dim, 1);
        }
        for (x, truth) in order.iter().enumerate() {
            let value = report.joint[given * k + truth];
            let here = Rect::from_min_size(area.min + vec2(cell * x as f32, cell * y as f32), egui::Vec2::splat(cell));
            let inner = if cell >= 8.0 { here.shrink(0.5) } else { here };
            if given == truth {
                ui.painter().rect_filled(inner, 0, theme.raised);
            } else if value >= 0.05 {
                ui.painter().rect_filled(inner, 0, mix(theme.panel, theme.ruby, (value / largest).sqrt()));
                if cell >= 26.0 && value >= 0.5 {
                    ui.painter().text(
                        here.center(),
                        egui::Align2::CENTER_CENTER,
                        format!("{value:.0}"),
                        theme.note(),
                        theme.text,
                    );
                }
            }
            if hovered == Some((y, x)) {
                ui.painter().rect_stroke(here, 0, egui::Stroke::new(1.0, theme.text), egui::StrokeKind::Outside);
            }
        }
    }
    ui.add_space(STEP * 2.0);
    match hovered.map(|(y, x)| (order[y], order[x])) {
        Some((given, truth)) if given != truth => {
            let text = format!(
                "{:.1} samples labelled {} are probably {}. Click to review those that wait",
                report.joint[given * k + truth],
                report.names[given],
                report.names[truth]
            );
            ui.label(RichText::new(&text).color(theme.text));
            if response.clicked() {
                let title = format!("{} that looks like {}", report.names[given], report.names[truth]);
                narrow(state, report, title, |from, to| from.contains(&(given as u32)) && to.contains(&(truth as u32)));
            }
        }
        Some((class, _)) => {
            let text = format!("{:.0} samples labelled {} are right", report.joint[class * k + class], report.names[class]);
            dim(ui, theme, text);
        }
        None => {
            let left = if k > n { format!(" The {n} classes of {k} that go wrong most are shown.") } else { String::new() };
            dim(ui, theme, format!("Point at a cell to read it; click to review its samples.{left}"));
        }
    }
}

/// Between two colours, `part` 0 to 1.
fn mix(from: Color32, to: Color32, part: f64) -> Color32 {
    from.lerp_to_gamma(to, part.clamp(0.0, 1.0) as f32)
}

fn classes(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, report: &LabelReport) {
    let theme = bundle.theme;
    ui.set_width(ui.available_width());
    let wrong: f64 = report.wrong.iter().sum();
    ui.label(RichText::new(format!("{} of labels are probably right", percent(report.health()))).font(theme.title()));
    dim(ui, theme, format!("about {} of {} are wrong", things(wrong.round() as usize, "label", "labels"), count(report.judged)));
    let mut order: Vec<usize> = (0..report.names.len()).filter(|class| report.counts[*class] > 0).collect();
    let share = |class: usize| report.wrong[class] / report.counts[class].max(1) as f64;
    order.sort_by(|a, b| share(*b).total_cmp(&share(*a)).then(a.cmp(b)));
    let overlaps = report.overlaps();
    if !overlaps.is_empty() {
        caption(ui, theme, "classes that overlap");
        ui.spacing_mut().item_spacing.y = 0.0;
        for (a, b, n) in overlaps.into_iter().take(8) {
            let text = format!("{} and {}", report.names[a], report.names[b]);
            if line(ui, bundle, None, &text, &format!("{n:.1}")) {
                narrow(state, report, text, |from, to| {
                    let (a, b) = (a as u32, b as u32);
                    from.contains(&a) && to.contains(&b) || from.contains(&b) && to.contains(&a)
                });
            }
        }
    }
    caption(ui, theme, "labels that are probably wrong, by class");
    for class in order {
        let colour = class_colour(theme, workspace, &report.column, &report.names[class]).unwrap_or(theme.class(class));
        let figures =
            format!("{:.1} of {}   {}", report.wrong[class], count(report.counts[class] as usize), percent(share(class)));
        if line(ui, bundle, Some(colour), &report.names[class], &figures) {
            let title = format!("{} that looks wrong", report.names[class]);
            narrow(state, report, title, |from, _| from.contains(&(class as u32)));
        }
    }
}

fn line(ui: &mut Ui, bundle: &Bundle<'_>, colour: Option<Color32>, text: &str, figures: &str) -> bool {
    let theme = bundle.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme.sizes.row), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("{text}: {figures}")));
    if response.hovered() {
        ui.painter().rect_filled(rect, 0, theme.raised);
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), theme.hairline());
    let y = rect.center().y;
    let mut x = rect.left() + 4.0;
    if let Some(colour) = colour {
        square(ui, pos2(x + 4.0, y), colour);
        x += 14.0;
    }
    clipped(ui, pos2(x, y - 8.0), rect.right() - x - 150.0, text, theme.body(), theme.text, 1);
    right_aligned(ui, pos2(rect.right() - 4.0, y), figures, theme.body(), theme.dim);
    response.on_hover_text(text).clicked()
}
