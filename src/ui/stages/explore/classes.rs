//! The classes of a column: each by name where there are few; else bars, and beside them a list that is searched by typing.

use std::sync::Arc;

use egui::{Align, Layout, Margin, ScrollArea, TextEdit, Ui, vec2};

use super::note;
use crate::data::{ClassIndex, Rule};
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::bars::{self, Axis, Bar};
use crate::ui::widgets::class_bars::{self, ClassBar};
use crate::ui::widgets::controls::{dim, name_edit};
use crate::ui::widgets::rows;
use crate::ui::widgets::text::{count, number};

/// The most bars drawn: more could be neither told apart nor clicked.
const MOST: usize = 400;
/// So many classes are drawn by name.
const NAMED: usize = 25;
/// The width of the list beside the bars, and the least that the bars need.
const LIST: f32 = 300.0;
const BARS: f32 = 260.0;

/// The height that the classes of a column take in `wide` points, where each is drawn by name.
pub fn needed(workspace: &Workspace, field: usize, wide: f32) -> Option<f32> {
    let used = workspace.classes(&workspace.dataset().fields()[field].name)?.used();
    (used <= NAMED).then(|| class_bars::height(used, wide))
}

/// What is drawn of a column.
pub struct Classes<'c> {
    pub index: &'c ClassIndex,
    pub column: &'c str,
    /// Samples of each class that the filter leaves; `None` where nothing is filtered.
    pub part: Option<Vec<u64>>,
    pub axis: Axis,
    /// What the classes are of: the file and the state.
    pub version: (u128, u64),
}

/// An order of classes, and what it is of: worked out when that changes, and not in every frame.
#[derive(Clone, PartialEq, Eq)]
struct OrderKey {
    version: (u128, u64),
    by_count: bool,
    words: String,
}

type Order = (OrderKey, Vec<usize>, usize);

impl Classes<'_> {
    fn name(&self, class: usize) -> &str {
        &self.index.names()[class]
    }

    fn part(&self, class: usize) -> Option<u64> {
        self.part.as_ref().map(|part| part.get(class).copied().unwrap_or(0))
    }

    /// The classes that have samples, and whose names hold `words` in any letters; at most [`MOST`], in the order asked for. With it, how many
    /// more there are.
    fn order(&self, ui: &Ui, by_count: bool, words: &str) -> Arc<Order> {
        let key = OrderKey { version: self.version, by_count, words: words.trim().to_lowercase() };
        let id = egui::Id::unique(("order of classes", self.column, words.is_empty()));
        let known = ui.data(|data| data.get_temp::<Arc<Order>>(id)).filter(|known| known.0 == key);
        known.unwrap_or_else(|| {
            let (order, more) = self.ranked(by_count, &key.words);
            let fresh = Arc::new((key, order, more));
            ui.data_mut(|data| data.insert_temp(id, Arc::clone(&fresh)));
            fresh
        })
    }

    fn ranked(&self, by_count: bool, words: &str) -> (Vec<usize>, usize) {
        let counts = self.index.counts();
        let fits = |class: &usize| counts[*class] > 0 && (words.is_empty() || self.name(*class).to_lowercase().contains(words));
        let mut order: Vec<usize> = (0..counts.len()).filter(fits).collect();
        let count = |a: &usize, b: &usize| counts[*b].cmp(&counts[*a]).then(a.cmp(b));
        let name = |a: &usize, b: &usize| self.name(*a).cmp(self.name(*b));
        let rank: &dyn Fn(&usize, &usize) -> std::cmp::Ordering = if by_count { &count } else { &name };
        let left_out = order.len().saturating_sub(MOST);
        if left_out > 0 {
            // Of very many only those that are drawn are sorted.
            order.select_nth_unstable_by(MOST - 1, rank);
            order.truncate(MOST);
        }
        order.sort_by(rank);
        (order, left_out)
    }
}

/// Draws the classes in `high` points, with a line below them.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, classes: &Classes<'_>, high: f32) {
    let known = classes.order(ui, state.chart.by_count, "");
    let (order, left_out) = (&known.1, known.2);
    let chosen: Vec<&String> = state
        .filter
        .clauses
        .iter()
        .filter_map(|clause| match &clause.rule {
            Rule::Class { column, classes: names } if column == classes.column && !clause.negated => Some(names),
            _ => None,
        })
        .flatten()
        .collect();
    let here = state.selection.cursor.map(|id| classes.index.of(id).to_vec()).unwrap_or_default();
    let marked: Vec<bool> = order
        .iter()
        .map(|class| chosen.iter().any(|name| ***name == *classes.name(*class)) || here.contains(&(*class as u32)))
        .collect();
    let counts = classes.index.counts();
    let many = order.len() > NAMED;
    let picked = if many {
        let list = ui.available_width() >= LIST + BARS;
        ui.horizontal_top(|ui| {
            let bars: Vec<Bar> = (order.iter().zip(&marked))
                .map(|(class, chosen)| Bar {
                    name: classes.name(*class).to_owned(),
                    whole: counts[*class] as f64,
                    part: classes.part(*class).map(|part| part as f64),
                    chosen: *chosen,
                })
                .collect();
            let wide = ui.available_width() - if list { LIST + STEP * 4.0 } else { 0.0 };
            let left = Layout::top_down(Align::Min);
            let picked = ui
                .allocate_ui_with_layout(vec2(wide, high), left, |ui| {
                    ui.set_width(wide);
                    bars::draw(ui, bundle.theme, classes.column, &bars, classes.axis, high)
                })
                .inner;
            if list {
                ui.allocate_ui_with_layout(vec2(LIST, high), left, |ui| {
                    ui.set_width(LIST);
                    search(ui, state, bundle, classes, high);
                });
            }
            picked
        })
        .inner
    } else {
        let bars: Vec<ClassBar> = (order.iter().zip(&marked))
            .map(|(class, chosen)| ClassBar {
                name: classes.name(*class).to_owned(),
                colour: bundle.theme.class(classes.index.hue(*class)),
                whole: counts[*class],
                part: classes.part(*class),
                chosen: *chosen,
            })
            .collect();
        let totals = (counts.iter().sum(), classes.part.as_ref().map_or(0, |part| part.iter().sum()));
        class_bars::draw(ui, bundle.theme, classes.column, &bars, totals, classes.axis, high)
    };
    let ends = match (order.first(), order.last()) {
        (Some(first), Some(last)) if many => format!(
            "{} {} … {} {}. ",
            classes.name(*first),
            number(counts[*first] as f64),
            classes.name(*last),
            number(counts[*last] as f64)
        ),
        _ => String::new(),
    };
    let more = if left_out > 0 { format!("{} more classes are not drawn. ", number(left_out as f64)) } else { String::new() };
    let what = if many { "bar" } else { "class" };
    note(ui, bundle, format!("{ends}{more}Click a {what} to filter, drag across several."));
    if let Some((from, to)) = picked {
        let names = order[from..=to].iter().map(|class| classes.name(*class).to_owned()).collect();
        let more = ui.input(|input| input.modifiers.command || input.modifiers.shift);
        state.toggle_classes(classes.column, names, more);
    }
}

/// The classes as a list that is searched by typing.
fn search(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, classes: &Classes<'_>, high: f32) {
    let theme = bundle.theme;
    let name = format!("Search the classes of {}", classes.column);
    let hint = format!("{} classes: type to find one", count(classes.index.used()));
    let edit = TextEdit::singleline(&mut state.chart.search).hint_text(hint).desired_width(f32::INFINITY);
    let response = ui.add(edit.margin(Margin::symmetric(8, 3)).align(egui::Align2::LEFT_CENTER));
    name_edit(&response, &state.chart.search, &name);
    // Esc lets go of what is typed, and of nothing else; Enter takes the first.
    let left = |ui: &Ui, key| response.lost_focus() && ui.input(|input| input.key_pressed(key));
    if left(ui, egui::Key::Escape) {
        state.chart.search.clear();
    }
    let entered = left(ui, egui::Key::Enter) && !state.chart.search.trim().is_empty();
    let known = classes.order(ui, state.chart.by_count, &state.chart.search);
    let (order, more) = (&known.1, known.2);
    let counts = classes.index.counts();
    let totals = (counts.iter().sum(), classes.part.as_ref().map_or(0, |part| part.iter().sum()));
    let mut picked = order.first().copied().filter(|_| entered);
    // Whole rows, and below them the line that says how many are not listed.
    let below = if more > 0 { theme.sizes.control } else { 0.0 };
    let high = (high - response.rect.height() - STEP - below).max(class_bars::HIGH);
    let high = (high / class_bars::HIGH).floor() * class_bars::HIGH;
    if order.is_empty() {
        dim(ui, theme, "No class has that in its name");
        return;
    }
    let bars = |range: std::ops::Range<usize>| -> Vec<ClassBar> {
        let bar = |class: &usize| ClassBar {
            name: classes.name(*class).to_owned(),
            colour: theme.class(classes.index.hue(*class)),
            whole: counts[*class],
            part: classes.part(*class),
            chosen: false,
        };
        order[range].iter().map(bar).collect()
    };
    let area = ScrollArea::vertical().id_salt("class list").min_scrolled_height(0.0).max_height(high).auto_shrink(false);
    rows::draw(ui, area, class_bars::HIGH, order.len(), |ui, range| {
        let from = range.start;
        for (n, bar) in bars(range).iter().enumerate() {
            if class_bars::line(ui, theme, bar, totals) {
                picked = Some(order[from + n]);
            }
        }
    });
    if more > 0 {
        dim(ui, theme, format!("{} more: type a part of a name", count(more)));
    }
    if let Some(class) = picked {
        let names = vec![classes.name(class).to_owned()];
        let more = ui.input(|input| input.modifiers.command || input.modifiers.shift);
        state.toggle_classes(classes.column, names, more);
    }
}
