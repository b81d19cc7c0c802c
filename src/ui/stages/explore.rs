//! Explore: the chart of a column, and the table.

use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui};

use super::Stage;
use crate::action::Action;
use crate::data::{Dataset, Evenness, Measure, Role, Rule, SampleId};
use crate::session::{ChartData, Session, Workspace};
use crate::ui::Bundle;
use crate::ui::commands::Command;
use crate::ui::sample;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::bars::{self, Axis, Bar};
use crate::ui::widgets::controls::{choice, dim, title};
use crate::ui::widgets::text::{number, things};
use crate::ui::widgets::{gallery, table};

/// The stage.
pub const STAGE: Stage = Stage { needs: &[], acts_on: chosen, waiting: |_, _| 0, inspector: true, draw };

/// The chosen samples, or the one under the cursor.
// As every stage says it.
#[allow(clippy::unnecessary_wraps)]
fn chosen(state: &UiState, session: &Session) -> Result<Vec<SampleId>, String> {
    let chosen = state.selection.samples();
    // What a newer filter leaves out is not there any more.
    Ok(match session.filtered() {
        Some(filtered) => chosen.into_iter().filter(|id| filtered.contains(*id)).collect(),
        None => chosen,
    })
}

/// The most bars drawn: more could be neither told apart nor clicked.
const MOST: usize = 400;

/// Draws it.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let dataset = workspace.dataset();
    let theme = bundle.theme;
    let under_work = state.selection.cursor.filter(|id| state.pane.is_open(state.view) && id.row() < dataset.rows());
    if let Some(id) = under_work {
        let wide = (ui.available_width() * 0.3).clamp(180.0, 420.0);
        let frame = Frame::new().fill(theme.background);
        Panel::left("samples").exact_size(wide).resizable(false).frame(frame).show(ui, |ui| {
            table::draw_list(ui, state, bundle, workspace);
        });
        let frame = Frame::new().fill(theme.background);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| {
            sample::draw(ui, state, bundle, workspace, id, actions, commands);
        });
        return;
    }
    if let Some(field) = chart_field(state, dataset) {
        let tall = (ui.available_height() * 0.27).clamp(132.0, 280.0);
        let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 16, top: 8, bottom: 4 });
        Panel::top("chart")
            .exact_size(tall)
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| chart(ui, state, bundle, workspace, field, tall));
    }
    if chart_field(state, dataset).is_none() && dataset.pictures().is_some() {
        let frame = Frame::new().fill(theme.background).inner_margin(Margin::symmetric(16, 6));
        Panel::top("which").resizable(false).frame(frame).show(ui, |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| toggle(ui, state, bundle));
        });
    }
    if dataset.pictures().is_some() && state.gallery.on {
        return gallery::draw(ui, state, bundle, workspace);
    }
    table::draw(ui, state, bundle, workspace, actions);
}

/// The table or the gallery.
fn toggle(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>) {
    for (on, name) in [(true, "Gallery"), (false, "Table")] {
        let ink = if state.gallery.on == on { bundle.theme.text } else { bundle.theme.dim };
        let hint = format!("{} ({})", Command::ToggleGallery.title(), Command::ToggleGallery.key_text());
        if ui.selectable_label(state.gallery.on == on, RichText::new(name).color(ink)).on_hover_text(hint).clicked() {
            state.gallery.on = on;
            state.table.follow = true;
        }
    }
}

/// The first rows of a file that is still being read.
pub fn preview(ui: &mut Ui, bundle: &Bundle<'_>, dataset: &Dataset) {
    table::draw_preview(ui, bundle.theme, dataset);
}

/// The column that the chart shows: the chosen one, else the first label, number or text.
pub fn chart_field(state: &UiState, dataset: &Dataset) -> Option<usize> {
    dataset
        .field(&state.chart.column)
        .or_else(|| dataset.with_role(Role::is_label))
        .or_else(|| dataset.with_role(|role| role == Role::Number))
        .or_else(|| dataset.with_role(|role| matches!(role, Role::Text | Role::Messages)))
}

/// What of the column `field` the chart measures: its value where it is a number.
pub fn chart_measure(state: &UiState, dataset: &Dataset, field: usize) -> Measure {
    let column = &dataset.fields()[field];
    let numeric = column.kind.is_numeric();
    match state.chart.measure {
        Measure::Value if !numeric => Measure::Words,
        _ if numeric && *state.chart.column != *column.name => Measure::Value,
        Measure::Words if state.chart.column.is_empty() && is_written_without_spaces(dataset, field) => Measure::Characters,
        measure => measure,
    }
}

/// Whether a column's first texts have hardly a space in them, as Chinese and Japanese have: then words say nothing.
fn is_written_without_spaces(dataset: &Dataset, field: usize) -> bool {
    let (mut letters, mut spaces) = (0, 0);
    for text in dataset.samples().take(20).filter_map(|id| dataset.text(field, id)) {
        let beginning = crate::ui::widgets::text::cut(&text, 300);
        letters += beginning.chars().count();
        spaces += beginning.chars().filter(|letter| letter.is_whitespace()).count();
    }
    letters > 40 && spaces * 20 < letters
}

/// One thing that the chart can show.
struct Choosable {
    name: String,
    column: String,
    measure: Measure,
}

fn options(dataset: &Dataset, workspace: &Workspace) -> Vec<Choosable> {
    let mut all = Vec::new();
    for field in dataset.fields() {
        let column = field.name.to_string();
        let mut add = |name: String, measure| all.push(Choosable { name, column: column.clone(), measure });
        if workspace.classes(&field.name).is_some() {
            add(column.clone(), Measure::Words);
        } else if field.kind.is_numeric() {
            add(column.clone(), Measure::Value);
        } else if matches!(field.role, Role::Text | Role::Messages | Role::Other) && !matches!(field.role, Role::Id) {
            add(format!("{column}, words"), Measure::Words);
            add(format!("{column}, characters"), Measure::Characters);
        }
    }
    all
}

fn chart(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, field: usize, tall: f32) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let column = dataset.fields()[field].name.to_string();
    let measure = chart_measure(state, dataset, field);
    let classes = workspace.classes(&column);
    let filtered = !state.filter.is_empty();
    let data = bundle.session.chart().filter(|(name, of, _)| *name == column && (classes.is_some() || *of == measure));
    let part = data.and_then(|(_, _, data)| match data {
        ChartData::Classes { part, balance } if filtered => Some((part.clone(), *balance)),
        _ => None,
    });
    ui.horizontal(|ui| {
        ui.set_height(theme.sizes.control);
        ui.spacing_mut().item_spacing.x = STEP * 4.0;
        if let Some(classes) = classes {
            title(ui, theme, &column);
            let balance = part.as_ref().map_or_else(|| classes.balance(), |(_, balance)| *balance);
            let used = part.as_ref().map_or(classes.used(), |(part, _)| part.iter().filter(|n| **n > 0).count());
            figures(ui, bundle, used, balance);
        } else {
            title(ui, theme, format!("{column}, {measure}"));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = STEP * 2.0;
            if dataset.pictures().is_some() {
                toggle(ui, state, bundle);
                ui.add_space(STEP * 2.0);
            }
            ui.spacing_mut().combo_width = 72.0;
            let axes = ["linear", "log", "share"].map(str::to_owned);
            let now = if state.chart.log { 1 } else { usize::from(state.chart.share) * 2 };
            if let Some(at) = choice(ui, theme, "Axis", &axes[now], &axes) {
                (state.chart.log, state.chart.share) = (at == 1, at == 2);
            }
            if classes.is_some() {
                let orders = ["by count", "by name"].map(str::to_owned);
                if let Some(at) = choice(ui, theme, "Order", &orders[usize::from(!state.chart.by_count)], &orders) {
                    state.chart.by_count = at == 0;
                }
            }
            let options = options(dataset, workspace);
            let names: Vec<String> = options.iter().map(|option| option.name.clone()).collect();
            let now = options
                .iter()
                .find(|option| option.column == column && (classes.is_some() || option.measure == measure))
                .map_or(column.clone(), |option| option.name.clone());
            ui.spacing_mut().combo_width = 130.0;
            if let Some(at) = choice(ui, theme, "Chart of", &now, &names) {
                state.chart.column.clone_from(&options[at].column);
                state.chart.measure = options[at].measure;
            }
        });
    });
    let axis = if state.chart.log {
        Axis::Log
    } else if state.chart.share {
        Axis::Share
    } else {
        Axis::Linear
    };
    let high = tall - theme.sizes.control - 44.0;
    if let Some(classes) = classes {
        class_chart(ui, state, bundle, classes, &column, part.map(|(part, _)| part), axis, high);
    } else if let Some((_, _, ChartData::Numbers { whole, part })) = data {
        let last = whole.counts.len().saturating_sub(1);
        let whole_numbers = whole.edges.iter().all(|edge| edge.fract() == 0.0);
        let name = |i: usize| match whole_numbers {
            true if whole.edges[i + 1] - whole.edges[i] <= 1.0 => number(whole.edges[i]),
            true => format!("{} to {}", number(whole.edges[i]), number(whole.edges[i + 1] - 1.0)),
            false => format!("{} to {}", number(whole.edges[i]), number(whole.edges[i + 1])),
        };
        let bars: Vec<Bar> = (0..whole.counts.len())
            .map(|i| Bar { name: name(i), whole: whole.counts[i] as f64, part: filtered.then(|| part[i] as f64), chosen: false })
            .collect();
        if let Some((from, to)) = bars::draw(ui, theme, &column, &bars, axis, high) {
            let rule = Rule::Between { column, measure, low: whole.edges[from], high: whole.edges[to + 1], open: to < last };
            state.toggle_clause(rule.into());
        }
        if let (Some(low), Some(high)) = (whole.edges.first(), whole.edges.last()) {
            note(ui, bundle, format!("{} to {}. Click a bar to filter, drag across several.", number(*low), number(*high)));
        }
    } else {
        ui.allocate_space(egui::vec2(ui.available_width(), high));
        note(ui, bundle, "Counting…".to_owned());
    }
}

fn figures(ui: &mut Ui, bundle: &Bundle<'_>, used: usize, balance: Evenness) {
    let theme = bundle.theme;
    // What finds no room beside the choices on the right is left out, the least telling first.
    let choices = if bundle.workspace.is_some_and(|workspace| workspace.dataset().pictures().is_some()) { 480.0 } else { 340.0 };
    dim(ui, theme, things(used, "class", "classes"));
    let figures = [
        (
            format!("largest ÷ smallest {}", number((balance.ratio * 100.0).round() / 100.0)),
            "Samples of the largest class divided by those of the smallest",
        ),
        (format!("evenness {:.2}", balance.evenness), "Entropy divided by its largest possible value: 1 is even"),
        (format!("effective {:.1}", balance.effective), "The number of even classes with the same entropy"),
    ];
    for (text, help) in figures {
        let wide = ui.painter().layout_no_wrap(text.clone(), theme.body(), theme.dim).size().x;
        if ui.available_width() - wide > choices {
            dim(ui, theme, text).on_hover_text(help);
        }
    }
}

fn note(ui: &mut Ui, bundle: &Bundle<'_>, text: String) {
    ui.add(egui::Label::new(RichText::new(text).font(bundle.theme.note()).color(bundle.theme.dim)).truncate());
}

#[allow(clippy::too_many_arguments)]
fn class_chart(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    classes: &crate::data::ClassIndex,
    column: &str,
    part: Option<Vec<u64>>,
    axis: Axis,
    high: f32,
) {
    let counts = classes.counts();
    let mut order: Vec<usize> = (0..counts.len()).filter(|class| counts[*class] > 0).collect();
    let by_count = |a: &usize, b: &usize| counts[*b].cmp(&counts[*a]).then(a.cmp(b));
    let by_name = |a: &usize, b: &usize| classes.names()[*a].cmp(&classes.names()[*b]);
    let rank: &dyn Fn(&usize, &usize) -> std::cmp::Ordering = if state.chart.by_count { &by_count } else { &by_name };
    let left_out = order.len().saturating_sub(MOST);
    if left_out > 0 {
        // Of very many only those that are drawn are sorted.
        order.select_nth_unstable_by(MOST - 1, rank);
        order.truncate(MOST);
    }
    order.sort_by(rank);
    let chosen: Vec<&String> = state
        .filter
        .clauses
        .iter()
        .filter_map(|clause| match &clause.rule {
            Rule::Class { column: of, classes } if of == column && !clause.negated => Some(classes),
            _ => None,
        })
        .flatten()
        .collect();
    let here = state.selection.cursor.map(|id| classes.of(id).to_vec()).unwrap_or_default();
    let bars: Vec<Bar> = order
        .iter()
        .map(|class| Bar {
            name: classes.names()[*class].to_string(),
            whole: counts[*class] as f64,
            part: part.as_ref().map(|part| part.get(*class).copied().unwrap_or(0) as f64),
            chosen: chosen.iter().any(|name| ***name == *classes.names()[*class]) || here.contains(&(*class as u32)),
        })
        .collect();
    let picked = bars::draw(ui, bundle.theme, column, &bars, axis, high);
    let ends = match (order.first(), order.last()) {
        (Some(first), Some(last)) => format!(
            "{} {} … {} {}. ",
            classes.names()[*first],
            number(counts[*first] as f64),
            classes.names()[*last],
            number(counts[*last] as f64)
        ),
        _ => String::new(),
    };
    let more = if left_out > 0 { format!("{} more classes are not drawn. ", number(left_out as f64)) } else { String::new() };
    note(ui, bundle, format!("{ends}{more}Click a bar to filter, drag across several."));
    if let Some((from, to)) = picked {
        let names = order[from..=to].iter().map(|class| classes.names()[*class].to_string()).collect();
        state.toggle_clause(Rule::Class { column: column.to_owned(), classes: names }.into());
    }
}
