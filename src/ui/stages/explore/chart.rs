//! The chart: how many samples each class has, or how a column's numbers and lengths lie.

use egui::{Align, Layout, Ui};

use super::classes::{self, Classes};
use super::{note, toggle};
use crate::data::{Dataset, Evenness, Measure, Role, Rule};
use crate::session::{ChartData, Workspace};
use crate::ui::Bundle;
use crate::ui::commands::Command;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::bars::{self, Axis, Bar};
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim, title};
use crate::ui::widgets::text::{number, things};

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

/// Draws the chart in `tall` points, or its head alone where it is folded.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, field: usize, tall: f32) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    // What was asked for in this frame has its room at the next.
    let folded = state.chart.folded;
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
        // The choice on the right says the name, too: where there is no room for both, it alone does.
        let roomy = ui.available_width() > room_of_choices(bundle) + 90.0;
        if let Some(classes) = classes {
            if roomy {
                title(ui, theme, &column);
            }
            let balance = part.as_ref().map_or_else(|| classes.balance(), |(_, balance)| *balance);
            let used = part.as_ref().map_or(classes.used(), |(part, _)| part.iter().filter(|n| **n > 0).count());
            figures(ui, bundle, used, balance);
        } else if roomy {
            title(ui, theme, format!("{column}, {measure}"));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            choices(ui, state, bundle, workspace, (&column, measure));
        });
    });
    if folded {
        return;
    }
    let axis = if state.chart.log {
        Axis::Log
    } else if state.chart.share {
        Axis::Share
    } else {
        Axis::Linear
    };
    let high = (tall - theme.sizes.control - 52.0).max(8.0);
    if let Some(classes) = classes {
        let version = (dataset.base.origin.fingerprint, workspace.revision());
        let shown = Classes { index: classes, column: &column, part: part.map(|(part, _)| part), axis, version };
        classes::draw(ui, state, bundle, &shown, high);
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

/// What of which column is shown, and how; on the right of the head, from the right.
fn choices(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, (column, measure): (&str, Measure)) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let classes = workspace.classes(column);
    ui.spacing_mut().item_spacing.x = STEP * 2.0;
    if dataset.pictures().is_some() {
        toggle(ui, state, bundle);
        ui.add_space(STEP * 2.0);
    }
    let (word, hint) = if state.chart.folded { ("Unfold", "Show the chart") } else { ("Fold", "Leave its room to the table") };
    if button(ui, theme, word, "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
        state.chart.folded = !state.chart.folded;
    }
    // With the switch to the gallery there are many: the rarest goes where there is no room.
    let tight = dataset.pictures().is_some() && ui.available_width() < 560.0;
    ui.spacing_mut().combo_width = if tight { 52.0 } else { 72.0 };
    let axes = ["linear", "log", "share"].map(str::to_owned);
    let now = if state.chart.log { 1 } else { usize::from(state.chart.share) * 2 };
    if !tight && let Some(at) = choice(ui, theme, "Axis", &axes[now], &axes) {
        (state.chart.log, state.chart.share) = (at == 1, at == 2);
    }
    let hint = format!("Values and ranges of every column ({})", Command::Facets.key_text());
    if button(ui, theme, "Facets", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
        state.facets = !state.facets;
    }
    if classes.is_some() {
        let open = state.class_book.column.as_deref() == Some(column);
        let hint = "Names, keys, colours, guidelines; merged, split, ordered";
        if button(ui, theme, if open { "Table" } else { "Classes…" }, "", ButtonLook::Quiet, true).on_hover_text(hint).clicked()
        {
            if open {
                state.class_book.column = None;
            } else {
                state.class_book.open(column.to_owned());
            }
        }
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
        .map_or(column.to_owned(), |option| option.name.clone());
    ui.spacing_mut().combo_width = 130.0;
    if let Some(at) = choice(ui, theme, "Chart of", &now, &names) {
        state.chart.column.clone_from(&options[at].column);
        state.chart.measure = options[at].measure;
    }
}

/// About how wide the choices on the right of the head are.
fn room_of_choices(bundle: &Bundle<'_>) -> f32 {
    if bundle.workspace.is_some_and(|workspace| workspace.dataset().pictures().is_some()) { 740.0 } else { 600.0 }
}

fn figures(ui: &mut Ui, bundle: &Bundle<'_>, used: usize, balance: Evenness) {
    let theme = bundle.theme;
    // What finds no room beside the choices on the right is left out, the least telling first.
    let choices = room_of_choices(bundle);
    let figures = [
        (things(used, "class", "classes"), "Classes that have samples"),
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
