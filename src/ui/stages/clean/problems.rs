//! The kinds of problems, as a list to choose from: how much waits of each, and what it means.

use egui::{Align2, Frame, Margin, Panel, RichText, Role as WidgetType, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::checks::{CHECKS, FindingKind};
use crate::data::{Dataset, Field, Role};
use crate::session::{Findings, Workspace};
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{clipped, right_aligned, severity};
use crate::ui::widgets::text::{count, things, visible};

/// A kind as it stands in the list.
struct Listed {
    of: FindingKind,
    worst: f64,
    open: usize,
    all: usize,
}

/// The kinds that were found, the worst first; those that are fine everywhere are left out.
fn kinds(findings: &Findings) -> Vec<Listed> {
    let mut list: Vec<Listed> = Vec::new();
    for (place, problem) in findings.problems().iter().enumerate().filter(|(_, problem)| !problem.fine) {
        let (open, all) = (findings.open_of(place), problem.places.len());
        match list.iter_mut().find(|known| known.of == problem.kind) {
            Some(known) => (known.open, known.all) = (known.open + open, known.all + all),
            None => list.push(Listed { of: problem.kind, worst: problem.worst, open, all }),
        }
    }
    list
}

/// The kinds of which nothing was found and whose threshold can be moved.
fn quiet(findings: &Findings, dataset: &Dataset) -> Vec<FindingKind> {
    let options = CHECKS.iter().filter(|entry| entry.fits(dataset)).flat_map(|entry| entry.options);
    let with = |wanted: fn(&Field) -> bool| dataset.fields().iter().any(wanted);
    let may = |kind: FindingKind| match kind {
        FindingKind::Number => with(|field| field.kind.is_numeric() && field.role == Role::Number),
        FindingKind::Length => with(|field| matches!(field.role, Role::Text | Role::Messages)),
        FindingKind::RareClass | FindingKind::ClassName => with(|field| field.role.is_label()),
        FindingKind::Written(_)
        | FindingKind::SameText
        | FindingKind::NearText
        | FindingKind::Contradiction
        | FindingKind::FarText
        | FindingKind::NearMeaning => with(|field| matches!(field.role, Role::Text | Role::Messages)),
        _ => true,
    };
    let found = |kind: &FindingKind| findings.problems().iter().any(|problem| problem.kind == *kind);
    let mut list: Vec<FindingKind> = Vec::new();
    for kind in options.flat_map(|option| option.kinds).filter(|kind| !found(kind)) {
        if may(*kind) && !list.contains(kind) {
            list.push(*kind);
        }
    }
    list
}

const ROW: f32 = 62.0;
const LINE: f32 = 26.0;

/// Draws the list.
pub fn draw(ui: &mut Ui, state: &mut UiState, theme: &Theme, workspace: &Workspace) {
    let findings = workspace.findings();
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 8, right: 8, top: 8, bottom: 0 });
    let wide = (ui.available_width() * 0.34).clamp(190.0, 280.0);
    Panel::left("problems").exact_size(wide).resizable(false).frame(frame).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let everything = "All kinds, the worst first";
            if line(ui, theme, everything, &count(findings.open()), state.clean.kind.is_none(), theme.text) {
                state.clean.choose(None, None);
            }
            for one in kinds(findings) {
                if row(ui, theme, &one, state.clean.kind == Some(one.of) && state.clean.column.is_none()) {
                    state.clean.choose(Some(one.of), None);
                }
            }
            let fine: Vec<_> = findings.problems().iter().filter(|problem| problem.fine).collect();
            if !fine.is_empty() {
                heading(ui, theme, "No problem here");
            }
            for problem in fine {
                let name = format!("{} in {}", problem.kind.title(), problem.column);
                let here = state.clean.kind == Some(problem.kind) && state.clean.column.as_ref() == Some(&problem.column);
                if line(ui, theme, &name, &count(problem.places.len()), here, theme.dim) {
                    state.clean.choose(Some(problem.kind), Some(problem.column.clone()));
                }
            }
            took(ui, theme, findings);
            let quiet = quiet(findings, workspace.dataset());
            if !quiet.is_empty() && findings.revision.is_some() {
                ui.add_space(STEP * 3.0);
                // Their thresholds can be moved: folded, so that they are no wall.
                let words = RichText::new(format!("Nothing found of {}", things(quiet.len(), "kind", "kinds")));
                let open = findings.problems().is_empty();
                let folded = egui::CollapsingHeader::new(words.font(theme.note()).color(theme.dim)).default_open(open);
                folded.id_salt(("quiet", open)).show(ui, |ui| {
                    for kind in quiet {
                        if line(ui, theme, kind.title(), "", state.clean.kind == Some(kind), theme.dim) {
                            state.clean.choose(Some(kind), None);
                        }
                    }
                });
            }
        });
    });
}

/// How long was looked; hovered, by which check.
fn took(ui: &mut Ui, theme: &Theme, findings: &Findings) {
    let all: f64 = findings.took().iter().map(|(_, seconds)| seconds).sum();
    // What nobody has to wait for is not said.
    if findings.revision.is_none() || all < 1.0 {
        return;
    }
    let each: Vec<String> = findings.took().iter().map(|(name, seconds)| format!("{name}: {seconds:.2} s")).collect();
    ui.add_space(STEP * 2.0);
    ui.horizontal(|ui| {
        ui.add_space(STEP * 2.0);
        let words = format!("{} in {all:.1} s", things(each.len(), "check", "checks"));
        ui.label(RichText::new(words).font(theme.note()).color(theme.faint)).on_hover_text(each.join("\n"));
    });
}

fn heading(ui: &mut Ui, theme: &Theme, text: &str) {
    ui.add_space(STEP * 3.0);
    ui.horizontal(|ui| {
        ui.add_space(STEP * 2.0);
        ui.label(RichText::new(text).font(theme.note()).color(theme.dim));
    });
    ui.add_space(STEP);
}

/// A kind: its mark, its name, how much waits, and what it means.
fn row(ui: &mut Ui, theme: &Theme, one: &Listed, here: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let waits = if one.open == 0 { "all settled".to_owned() } else { format!("{} open", count(one.open)) };
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, here, format!("{}, {waits}", one.of.title())));
    if here || response.hovered() {
        ui.painter().rect_filled(rect, theme.corner(), if here { theme.tint } else { theme.raised });
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, theme.corner(), egui::Stroke::new(1.0, theme.accent), egui::StrokeKind::Inside);
    }
    let line = rect.top() + 15.0;
    severity(ui, theme, pos2(rect.left() + 14.0, line), if one.open == 0 { 0.0 } else { one.worst });
    let (shown, ink) = if one.open == 0 { ("settled".to_owned(), theme.emerald) } else { (count(one.open), theme.text) };
    right_aligned(ui, pos2(rect.right() - 8.0, line), &shown, theme.body(), ink);
    let room = rect.width() - 26.0 - 16.0 - shown.len() as f32 * 8.0;
    clipped(ui, pos2(rect.left() + 26.0, rect.top() + 6.0), room, one.of.title(), theme.strong(), theme.text, 1);
    let room = rect.width() - 34.0;
    clipped(ui, pos2(rect.left() + 26.0, rect.top() + 26.0), room, one.of.meaning(), theme.note(), theme.dim, 2);
    let all = things(one.all, "finding", "findings");
    response.on_hover_text(format!("{}. {waits} of {all}", one.of.meaning())).clicked()
}

/// One line of the list.
fn line(ui: &mut Ui, theme: &Theme, name: &str, right: &str, here: bool, ink: egui::Color32) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, here, name));
    if here || response.hovered() {
        ui.painter().rect_filled(rect, theme.corner(), if here { theme.tint } else { theme.raised });
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, theme.corner(), egui::Stroke::new(1.0, theme.accent), egui::StrokeKind::Inside);
    }
    let y = rect.center().y;
    ui.painter().text(pos2(rect.right() - 8.0, y), Align2::RIGHT_CENTER, right, theme.body(), ink);
    clipped(
        ui,
        pos2(rect.left() + 8.0, rect.top() + 5.0),
        rect.width() - 20.0 - right.len() as f32 * 8.0,
        &visible(name),
        theme.body(),
        ink,
        1,
    );
    response.clicked()
}
