//! What stands over the findings of a kind: what it means, the thresholds that decide on it, its columns, and what can be done with all.

use egui::{Frame, Margin, Panel, RichText, Slider, Ui, WidgetInfo};

use super::state::SITTING;
use crate::action::{Action, PageOf};
use crate::checks::{BORDER_OPTION, CHECKS, CheckOption, Finding, FindingKind, NOT_DOMAIN};
use crate::data::{Property, Rule, SampleSet};
use crate::derive::Relevance;
use crate::operate::Operation;
use crate::session::{Findings, Problem, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::view::View;
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim, title};
use crate::ui::widgets::limit_chart::{self, LimitChart};
use crate::ui::widgets::text::{count, things};
use crate::writing::Repair;

/// Draws the head.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let findings = workspace.findings();
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 16, top: 12, bottom: 8 });
    Panel::top("clean head").resizable(false).frame(frame).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = STEP * 1.5;
        ui.horizontal_wrapped(|ui| {
            title(ui, theme, state.clean.kind.map_or("Problems", FindingKind::title));
            ui.add_space(STEP);
            found(ui, state, theme, workspace);
            ui.add_space(STEP);
            show_them(ui, state, bundle, workspace);
            if state.clean.kind.is_none() && workspace.dataset().pictures().is_none() {
                let hint = "Which samples share 13 words in a row with somebody's test texts, or a pack of their fingerprints";
                if button(ui, theme, "Test texts…", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
                    actions.push(Action::TestTextsDialog);
                }
            }
            if state.clean.kind.is_none() && workspace.findings().revision.is_some() {
                for (of, text, hint) in [
                    (PageOf::Health, "Report…", "What was found as a page of HTML, or as Markdown where the name ends in .md"),
                    (
                        PageOf::Card,
                        "Card…",
                        "The dataset's card in Hugging Face's README form, with what was found as its known faults",
                    ),
                ] {
                    if button(ui, theme, text, "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
                        actions.push(Action::ReportDialog { of });
                    }
                }
            }
        });
        look_again(ui, theme, workspace, actions);
        left_out(ui, theme, bundle, actions);
        if let Some(kind) = state.clean.kind {
            ui.add(egui::Label::new(RichText::new(kind.meaning()).color(theme.dim)).wrap());
            thresholds(ui, state, theme, workspace, kind, actions);
            if kind == FindingKind::Irrelevant {
                relevance(ui, state, theme, workspace, actions);
            }
            columns(ui, state, theme, findings, kind);
        }
        at_once(ui, state, theme, workspace, actions);
    });
}

/// How much was found, and whether that is still how it is.
fn found(ui: &mut Ui, state: &UiState, theme: &Theme, workspace: &Workspace) {
    let findings = workspace.findings();
    if findings.revision.is_none() {
        dim(ui, theme, "Looking…");
        return;
    }
    let all = state.clean.shown();
    let open = match state.clean.kind {
        None => findings.open(),
        Some(_) => (0..)
            .zip(findings.problems())
            .filter(|(_, problem)| is_chosen(state, problem))
            .map(|(at, _)| findings.open_of(at))
            .sum(),
    };
    let open = open.min(all.len());
    dim(ui, theme, format!("{} open of {}", count(open), things(all.len(), "finding", "findings")));
    if let Some(part) = state.clean.first() {
        dim(ui, theme, format!("the first {SITTING} gain {:.0} % of what all would", 100.0 * part)).on_hover_text(
            "Findings stand by what mending each gains: how severe it is, times how often what is so found is truly wrong",
        );
    }
}

/// Where the data is not any more what was looked at, says so.
fn look_again(ui: &mut Ui, theme: &Theme, workspace: &Workspace, actions: &mut Vec<Action>) {
    let since = workspace.findings().revision.map_or(0, |revision| workspace.revision() - revision);
    if since == 0 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let text = format!("found before your last {}", things(since as usize, "edit", "edits"));
        ui.label(RichText::new(text).color(theme.amber));
        if button(ui, theme, "Look again", "", ButtonLook::Plain, true).clicked() {
            actions.push(Action::Check { thoroughly: false });
        }
    });
}

/// In a large dataset, what takes long waits to be asked for.
fn left_out(ui: &mut Ui, theme: &Theme, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let list = bundle.session.checks_left_out();
    if list.is_empty() || bundle.running.iter().any(|job| job.key == "check") {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        dim(ui, theme, format!("In so many samples, not looked for unasked: {}", list.join(", ").to_lowercase()));
        if button(ui, theme, "Look for them", "", ButtonLook::Plain, true).clicked() {
            actions.push(Action::Check { thoroughly: true });
        }
    });
}

/// Goes to Explore with the samples of the findings shown.
fn show_them(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace) {
    if state.clean.shown().is_empty() {
        return;
    }
    let gallery = workspace.dataset().pictures().is_some() && state.gallery.on;
    let text = if gallery { "Show them in the gallery" } else { "Show them in the table" };
    if !button(ui, bundle.theme, text, "", ButtonLook::Quiet, true).clicked() {
        return;
    }
    // Which samples they are is worked out when it is asked for, not while drawing.
    let list = workspace.findings().list();
    let samples: SampleSet = state.clean.shown().iter().flat_map(|at| list[*at as usize].samples.iter().copied()).collect();
    let title = state.clean.kind.map_or("problem", FindingKind::title).to_lowercase();
    state.toggle_clause(Rule::Listed { title, samples: samples.into() }.into());
    state.view = View::Explore;
}

/// What decides on this kind, to be moved.
fn thresholds(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    workspace: &Workspace,
    kind: FindingKind,
    actions: &mut Vec<Action>,
) {
    let options: Vec<&CheckOption> =
        CHECKS.iter().flat_map(|entry| entry.options).filter(|option| option.kinds.contains(&kind)).collect();
    if options.is_empty() {
        return;
    }
    let before = state.options.clone();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().slider_width = 120.0;
        for option in options {
            // A name stays with what it names.
            ui.horizontal(|ui| {
                let label = dim(ui, theme, option.label).on_hover_text(option.help);
                let mut value = state.options.get(option);
                if option.is_column() {
                    let fields = workspace.dataset().fields();
                    let names: Vec<&str> = std::iter::once("none").chain(fields.iter().map(|field| &*field.name)).collect();
                    let now = state.options.column(option).to_owned();
                    if let Some(at) = choice(ui, theme, option.label, if now.is_empty() { "none" } else { &now }, &names) {
                        state.options.set_column(option, if at == 0 { "" } else { names[at] });
                    }
                    ui.add_space(STEP * 2.0);
                    return;
                }
                if !option.choices.is_empty() {
                    let at = state.options.choice(option);
                    let chosen = choice(ui, theme, option.label, option.choices[at], option.choices);
                    if let Some(to) = chosen {
                        state.options.set(option, to as f64);
                    }
                    ui.add_space(STEP * 2.0);
                    return;
                }
                let response = ui.add(whole_slider(&mut value, option));
                state.options.set(option, value);
                let response = response.labelled_by(label.id).on_hover_text(option.help);
                response.widget_info(|| WidgetInfo::slider(true, value, option.label));
                if value.total_cmp(&option.usual).is_ne()
                    && button(ui, theme, "As usual", "", ButtonLook::Quiet, true)
                        .on_hover_text(format!("Back to {}", option.usual))
                        .clicked()
                {
                    state.options.set(option, option.usual);
                }
            });
            ui.add_space(STEP * 2.0);
        }
    });
    if state.options != before {
        actions.push(Action::Check { thoroughly: false });
    }
}

/// A slider of an option: of whole numbers where all that it may be is whole.
fn whole_slider<'v>(value: &'v mut f64, option: &CheckOption) -> Slider<'v> {
    let slider = Slider::new(value, option.least..=option.most);
    let whole = option.most > 1.0 && [option.least, option.most, option.usual].iter().all(|number| number.fract() == 0.0);
    if whole { slider.step_by(1.0).fixed_decimals(0) } else { slider.fixed_decimals(2) }
}

/// How much of the domain all samples are, with the border to drag.
fn relevance(ui: &mut Ui, state: &mut UiState, theme: &Theme, workspace: &Workspace, actions: &mut Vec<Action>) {
    let Some(relevance) = workspace.derived().known::<Relevance>(Relevance::key()) else { return };
    let own = &relevance.own;
    let moved = state.options.get(BORDER_OPTION);
    let usual = moved.total_cmp(&BORDER_OPTION.usual).is_eq();
    let place = ((own.len().max(1) - 1) as f64 * moved).round() as usize;
    let limit = if usual { relevance.border } else { own.get(place).copied().unwrap_or_default() };
    let (least, most, bins) = &relevance.bins;
    let chart = LimitChart {
        name: "Relevance of all samples, and the border",
        bins,
        least: f64::from(*least),
        most: f64::from(*most),
        limit: f64::from(limit),
        write: &|value| format!("{value:.2}"),
        below: true,
    };
    if let Some(to) = limit_chart::draw(ui, theme, &chart) {
        // The border is a part of what the domain's own samples score.
        let part = own.partition_point(|score| f64::from(*score) < to) as f64 / own.len().max(1) as f64;
        let part = part.clamp(BORDER_OPTION.least, BORDER_OPTION.most);
        if part.total_cmp(&moved).is_ne() {
            state.options.set(BORDER_OPTION, part);
            actions.push(Action::Check { thoroughly: false });
        }
    }
    dim(
        ui,
        theme,
        "R says that one is of the domain; what you tag “not domain” moves the border to where the two are told apart",
    );
}

/// The columns that it was found in, where they are several.
fn columns(ui: &mut Ui, state: &mut UiState, theme: &Theme, findings: &Findings, kind: FindingKind) {
    let of: Vec<&Problem> = findings.problems().iter().filter(|problem| problem.kind == kind && !problem.fine).collect();
    if of.len() < 2 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = STEP;
        if tab(ui, theme, "All columns", None, state.clean.column.is_none()) {
            state.clean.choose(Some(kind), None);
        }
        for problem in of {
            let here = state.clean.column.as_ref() == Some(&problem.column);
            if tab(ui, theme, &problem.column, Some(problem.places.len()), here) {
                state.clean.choose(Some(kind), Some(problem.column.clone()));
            }
        }
    });
}

fn tab(ui: &mut Ui, theme: &Theme, name: &str, n: Option<usize>, here: bool) -> bool {
    let text = n.map_or_else(|| name.to_owned(), |n| format!("{name}  {}", count(n)));
    ui.selectable_label(here, RichText::new(text).color(if here { theme.text } else { theme.dim })).clicked()
}

/// What can be done with all that are shown at once.
fn at_once(ui: &mut Ui, state: &mut UiState, theme: &Theme, workspace: &Workspace, actions: &mut Vec<Action>) {
    let findings = workspace.findings();
    // Of all kinds at once nothing is decided: what they ask for differs.
    let Some(kind) = state.clean.kind else { return };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = STEP;
        if !state.clean.shown().is_empty() {
            match kind.repair() {
                Some(repair) => {
                    let text = format!("{} in all", repair.title());
                    let help = format!("{}. What it changes stands in green and red; one edit, undone as one", repair.help());
                    if button(ui, theme, &text, "", ButtonLook::Main, true).on_hover_text(help).clicked() {
                        actions
                            .extend(repairs(state, findings, repair).into_iter().map(|operation| first_asked(&text, operation)));
                    }
                }
                None if kind.is_of_copies() => {
                    let hint = "Excludes all but the first of each group";
                    if button(ui, theme, "Keep one of each", "", ButtonLook::Danger, true).on_hover_text(hint).clicked() {
                        actions.push(first_asked(
                            "Keep one of each",
                            Operation::Exclude { samples: waiting(state, findings), on: true },
                        ));
                    }
                }
                None => {}
            }
            if kind == FindingKind::Irrelevant && state.clean.waits() {
                let hint = "Tags every sample of the findings that are open here “not domain”: what is marked so teaches where the border is";
                if button(ui, theme, "None is of the domain", "", ButtonLook::Plain, true).on_hover_text(hint).clicked() {
                    let (samples, tag) = (waiting(state, findings), NOT_DOMAIN.to_owned());
                    actions.push(first_asked("None is of the domain", Operation::Tag { samples, tag, on: true }));
                }
            }
            if !kind.is_of_copies() && state.clean.waits() {
                let hint = "Excludes every sample of the findings that are open here";
                if button(ui, theme, "Exclude all", "", ButtonLook::Danger, true).on_hover_text(hint).clicked() {
                    actions.push(first_asked("Exclude all", Operation::Exclude { samples: waiting(state, findings), on: true }));
                }
            }
            let hint = "Marks every sample of the findings that are open here reviewed: they stay, and are settled";
            if button(ui, theme, "Keep all", "", ButtonLook::Plain, true).on_hover_text(hint).clicked() {
                let operation = Operation::Review { samples: waiting(state, findings), on: true };
                actions.push(first_asked("Keep all", operation));
            }
        }
        let of: Vec<&Problem> = findings.problems().iter().filter(|problem| is_chosen(state, problem)).collect();
        if let [problem] = of.as_slice() {
            let (name, of) = (&problem.column, vec![problem.kind.name().to_owned(), problem.column.clone()]);
            let (text, value) = if problem.fine {
                ("It is a problem again".to_owned(), None)
            } else {
                (format!("No problem in {name}"), Some("yes".to_owned()))
            };
            let hint = "Of this kind nothing is listed for this column any more, until you say otherwise; an edit like any other";
            if button(ui, theme, &text, "", ButtonLook::Plain, true).on_hover_text(hint).clicked() {
                actions.push(Action::Do(Operation::Say { property: Property::Fine, of, value }));
                state.clean.choose(None, None);
            }
        }
    });
}

/// Whether a problem is the one whose findings are shown.
fn is_chosen(state: &UiState, problem: &Problem) -> bool {
    let column = state.clean.column.as_ref();
    state.clean.kind == Some(problem.kind) && column.map_or(!problem.fine, |column| *column == problem.column)
}

/// The samples that the findings shown and not settled wait for a decision on.
fn waiting(state: &UiState, findings: &Findings) -> Vec<crate::data::SampleId> {
    let list = findings.list();
    let open = |finding: &&Finding| !findings.is_settled(finding);
    let shown = state.clean.shown().iter().map(|at| &list[*at as usize]).filter(open);
    let samples: SampleSet = shown.flat_map(|finding| finding.decided().iter().copied()).collect();
    samples.iter().collect()
}

/// One repair a column, of the samples that wait.
fn repairs(state: &UiState, findings: &Findings, repair: Repair) -> Vec<Operation> {
    let list = findings.list();
    let mut of: std::collections::BTreeMap<&str, SampleSet> = std::collections::BTreeMap::new();
    for finding in state.clean.shown().iter().map(|at| &list[*at as usize]).filter(|finding| !findings.is_settled(finding)) {
        let set = of.entry(&finding.column).or_default();
        finding.samples.iter().for_each(|id| _ = set.set(*id, true));
    }
    of.into_iter()
        .map(|(column, samples)| Operation::Repair { samples: samples.iter().collect(), column: column.to_owned(), repair })
        .collect()
}

/// A key or a button that touches very many samples says so first.
fn first_asked(what: &str, operation: Operation) -> Action {
    let n = operation.samples().map_or(0, <[_]>::len);
    let action = Action::Do(operation);
    if n > crate::ui::MANY_AT_ONCE {
        let words = format!("{what}: {}", things(n, "sample", "samples"));
        return Action::AskFirst { words, action: Box::new(action) };
    }
    action
}
