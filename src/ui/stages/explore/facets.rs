//! The facets beside the table: the commonest values of each column, or how its numbers lie, and what was marked and found. A click filters by
//! one, Shift adds another to it, a drag is a range.

use egui::{Frame, Margin, Panel, RichText, Role as WidgetType, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::data::{ClassIndex, Clause, Measure, Rule, SampleSet};
use crate::session::{Facet, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::bars::{self, Axis, Bar};
use crate::ui::widgets::controls::{clipped, cross, right_aligned, square};
use crate::ui::widgets::text::{count, number, visible};

const ROW: f32 = 22.0;
/// How high a range is.
const HIGH: f32 = 44.0;

/// Draws the panel at the left of what is left of `ui`.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace) {
    let theme = bundle.theme;
    let wide = (ui.available_width() * 0.28).clamp(170.0, 260.0);
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 12, right: 4, top: 6, bottom: 0 });
    Panel::left("facets").exact_size(wide).resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Facets").font(theme.strong()));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if cross(ui, theme, "Close the facets").clicked() {
                    state.facets = false;
                }
            });
        });
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let Some(facets) = bundle.session.facets() else {
                ui.label(RichText::new("Counting…").color(theme.dim));
                return;
            };
            for (column, facet) in &facets.columns {
                heading(ui, theme, column, facet);
                match facet {
                    Facet::Values { list, .. } => {
                        let classes = workspace.classes(column).map(AsRef::as_ref);
                        list_of(ui, state, theme, (column, classes), list);
                    }
                    Facet::Range { measure, histogram } if histogram.counts.len() > 1 => {
                        range_of(ui, state, theme, column, *measure, histogram);
                    }
                    Facet::Range { .. } => {}
                }
            }
            marks(ui, state, theme, workspace);
            found(ui, state, theme, workspace);
            ui.add_space(STEP * 2.0);
            if facets.looked_at < facets.of {
                let text = format!("Counted in {} of {} samples", count(facets.looked_at), count(facets.of));
                ui.add(egui::Label::new(RichText::new(text).font(theme.note()).color(theme.dim)).wrap());
            }
            if facets.left_out > 0 {
                let text = format!("{} more columns have no facet", count(facets.left_out));
                ui.label(RichText::new(text).font(theme.note()).color(theme.dim));
            }
        });
    });
}

fn heading(ui: &mut Ui, theme: &Theme, column: &str, facet: &Facet) {
    let right = match facet {
        Facet::Values { list, distinct } if *distinct > list.len() => format!("{} of {}", list.len(), count(*distinct)),
        Facet::Range { measure: Measure::Value, .. } | Facet::Values { .. } => String::new(),
        Facet::Range { measure, .. } => measure.to_string(),
    };
    title(ui, theme, column, &right);
}

fn title(ui: &mut Ui, theme: &Theme, text: &str, right: &str) {
    ui.add_space(STEP * 2.5);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width() - 8.0, 18.0), Sense::hover());
    right_aligned(ui, pos2(rect.right(), rect.center().y), right, theme.note(), theme.dim);
    let room = rect.width() - right.len() as f32 * 6.5 - 4.0;
    clipped(ui, rect.min + vec2(0.0, 2.0), room, text, theme.note(), theme.dim, 1);
}

/// One line of a facet; says whether it was clicked, and whether with Shift.
fn line(
    ui: &mut Ui,
    theme: &Theme,
    name: &str,
    n: u64,
    part: f32,
    (here, colour): (bool, Option<egui::Color32>),
) -> Option<bool> {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 8.0, ROW), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, here, format!("{name}, {n}")));
    if here || response.hovered() {
        ui.painter().rect_filled(rect, theme.corner(), if here { theme.tint } else { theme.raised });
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, theme.corner(), egui::Stroke::new(1.0, theme.accent), egui::StrokeKind::Inside);
    }
    let bar = egui::Rect::from_min_size(pos2(rect.left(), rect.bottom() - 2.0), vec2(rect.width() * part.clamp(0.0, 1.0), 1.5));
    ui.painter().rect_filled(bar, 0, if here { theme.accent } else { theme.bar });
    let y = rect.center().y;
    let mut left = rect.left() + 4.0;
    if let Some(colour) = colour {
        square(ui, pos2(left + 4.0, y), colour);
        left += 14.0;
    }
    let text = count(n as usize);
    right_aligned(ui, pos2(rect.right() - 4.0, y), &text, theme.note(), theme.dim);
    let room = (rect.right() - left - text.len() as f32 * 7.0 - 10.0).max(12.0);
    let (shown, ink) = if name.is_empty() { ("empty", theme.faint) } else { (name, theme.text) };
    clipped(ui, pos2(left, y - 8.0), room, &visible(shown), theme.body(), ink, 1);
    let shift = ui.input(|input| input.modifiers.shift);
    response.clicked().then_some(shift)
}

/// The commonest values of a column.
fn list_of(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    (column, classes): (&str, Option<&ClassIndex>),
    list: &[(String, u64)],
) {
    let chosen: Vec<String> = chosen_of(state, column).map(|at| names_of(&state.filter.clauses[at])).unwrap_or_default();
    let most = list.first().map_or(1, |(_, n)| *n).max(1) as f32;
    for (value, n) in list {
        let colour = classes.and_then(|classes| classes.class(value).map(|class| theme.class(classes.hue(class))));
        let here = chosen.contains(value);
        if let Some(more) = line(ui, theme, value, *n, *n as f32 / most, (here, colour)) {
            choose(state, column, value, more);
        }
    }
}

/// The clause that chooses values of a column.
fn chosen_of(state: &UiState, column: &str) -> Option<usize> {
    let is = |clause: &Clause| matches!(&clause.rule, Rule::Class { column: of, .. } if of == column) && !clause.negated;
    state.filter.clauses.iter().position(is)
}

fn names_of(clause: &Clause) -> Vec<String> {
    if let Rule::Class { classes, .. } = &clause.rule { classes.clone() } else { Vec::new() }
}

/// Filters by a value alone, or by it beside those that are chosen; a second time takes it off.
fn choose(state: &mut UiState, column: &str, value: &str, more: bool) {
    let mut filter = state.filter.clone();
    let at = chosen_of(state, column);
    let mut names = at.map(|at| names_of(&filter.clauses[at])).unwrap_or_default();
    let known = names.iter().position(|name| name == value);
    match known {
        Some(place) if more || names.len() == 1 => {
            names.remove(place);
        }
        None if more => names.push(value.to_owned()),
        _ => names = vec![value.to_owned()],
    }
    let clause = Rule::Class { column: column.to_owned(), classes: names.clone() }.into();
    match (at, names.is_empty()) {
        (Some(at), true) => {
            filter.clauses.remove(at);
        }
        (Some(at), false) => filter.clauses[at] = clause,
        (None, _) => filter.clauses.push(clause),
    }
    state.set_filter(filter);
}

/// How the numbers of a column lie: a bar clicked, or several dragged across, are a range.
fn range_of(ui: &mut Ui, state: &mut UiState, theme: &Theme, column: &str, measure: Measure, whole: &crate::data::Histogram) {
    let last = whole.counts.len() - 1;
    let bars: Vec<Bar> = (0..=last)
        .map(|at| {
            let name = format!("{} to {}", number(whole.edges[at]), number(whole.edges[at + 1]));
            Bar { name, whole: whole.counts[at] as f64, part: None, chosen: false }
        })
        .collect();
    let picked = ui.push_id(column, |ui| bars::draw(ui, theme, column, &bars, Axis::Linear, HIGH)).inner;
    if let Some((from, to)) = picked {
        let rule = Rule::Between {
            column: column.to_owned(),
            measure,
            low: whole.edges[from],
            high: whole.edges[to + 1],
            open: to < last,
        };
        // One range a column: another takes its place.
        let mut filter = state.filter.clone();
        let same = |clause: &Clause| matches!(&clause.rule, Rule::Between { column: of, measure: by, .. } if of == column && *by == measure);
        match filter.clauses.iter().position(|clause| same(clause) && !clause.negated) {
            Some(at) => filter.clauses[at] = rule.into(),
            None => filter.clauses.push(rule.into()),
        }
        state.set_filter(filter);
    }
    let (low, high) = (whole.edges.first().copied().unwrap_or(0.0), whole.edges.last().copied().unwrap_or(0.0));
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width() - 8.0, 16.0), Sense::hover());
    clipped(ui, rect.min + vec2(44.0, 1.0), 100.0, &number(low), theme.note(), theme.dim, 1);
    right_aligned(ui, pos2(rect.right(), rect.center().y), &number(high), theme.note(), theme.dim);
}

/// What samples were marked with.
fn marks(ui: &mut Ui, state: &mut UiState, theme: &Theme, workspace: &Workspace) {
    let dataset = workspace.dataset();
    let mut list: Vec<(String, u64, Rule)> = vec![
        ("Reviewed".to_owned(), dataset.reviewed().len() as u64, Rule::Reviewed),
        ("Excluded".to_owned(), dataset.excluded().len() as u64, Rule::Excluded),
    ];
    list.extend(dataset.tags().map(|(tag, set)| (format!("tagged {tag}"), set.len() as u64, Rule::Tag(tag.to_owned()))));
    list.retain(|(_, n, _)| *n > 0);
    if list.is_empty() {
        return;
    }
    title(ui, theme, "marks, of all samples", "");
    let rows = dataset.rows().max(1) as f32;
    for (name, n, rule) in list {
        let clause: Clause = rule.into();
        let here = state.filter.clauses.contains(&clause);
        if line(ui, theme, &name, n, n as f32 / rows, (here, None)).is_some() {
            state.toggle_clause(clause);
        }
    }
}

/// The kinds of what was found.
fn found(ui: &mut Ui, state: &mut UiState, theme: &Theme, workspace: &Workspace) {
    let findings = workspace.findings();
    let waits = |(at, problem): (usize, &crate::session::Problem)| {
        (!problem.fine).then(|| (at, findings.open_of(at))).filter(|(_, n)| *n > 0)
    };
    let list: Vec<(usize, usize)> = findings.problems().iter().enumerate().filter_map(waits).take(12).collect();
    if list.is_empty() {
        return;
    }
    title(ui, theme, "findings that are open", "");
    for (at, n) in list {
        let problem = &findings.problems()[at];
        let name = format!("{} in {}", problem.kind.title(), problem.column);
        if line(ui, theme, &name, n as u64, 0.0, (false, None)).is_some() {
            let open = findings.of_problem(problem).filter(|finding| !findings.is_settled(finding));
            let samples: SampleSet = open.flat_map(|finding| finding.samples.iter().copied()).collect();
            state.toggle_clause(Rule::Listed { title: name.to_lowercase(), samples: samples.into() }.into());
        }
    }
}
