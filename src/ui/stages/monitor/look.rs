//! One batch looked at: in plain words first, then column by column.

use egui::{Rect, RichText, Role as WidgetType, Sense, Ui, WidgetInfo, pos2, vec2};

use super::drawn::{mark, two_bars, verdict_of};
use super::state::BatchSide;
use super::{rows, worth};
use crate::action::Action;
use crate::data::{Property, SampleId};
use crate::monitor::{ColumnDrift, DriftValues, DriftVerdict, SliceSeen, WatchedBatch, WorseBy};
use crate::operate::{Operation, verdict_words};
use crate::session::{ShownBatch, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{clipped, dim, right_aligned, title};
use crate::ui::widgets::text::{count, percent, sentence, things};

/// The width of a column's name, and of its verdict.
const NAME: f32 = 150.0;
const VERDICT: f32 = 130.0;
const LINE: f32 = 26.0;

pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    batch: &WatchedBatch,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let watching = bundle.session.watching();
    let found = watching.shown(workspace, state.monitor.wants(Some(&batch.name), false));
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(14.0, theme.sizes.control), Sense::hover());
        mark(ui, theme, rect.center(), found.map(|(shown, _)| verdict_of(&shown.look.report)));
        title(ui, theme, batch.name.clone());
    });
    let Some((shown, old)) = found else {
        match watching.shown_trouble(&batch.name) {
            Some(why) => {
                ui.add(egui::Label::new(RichText::new(sentence(why)).color(theme.amber)).wrap());
                dim(ui, theme, "What is known of it stays; it is looked at again when you come back to the window");
            }
            None => {
                dim(ui, theme, "Looking at it…");
            }
        }
        return;
    };
    let shown = std::sync::Arc::clone(shown);
    let look = &shown.look;
    let ink = if look.report.moved().next().is_some() { theme.text } else { theme.dim };
    ui.add(egui::Label::new(RichText::new(look.report.words()).color(ink)).wrap());
    let first = look.performance.words().into_iter().next().unwrap_or_default();
    let ink = if look.performance.is_worse() { theme.ruby } else { theme.dim };
    ui.add(egui::Label::new(RichText::new(first).color(ink)).wrap());
    if let Some(name) = &look.by_run {
        dim(ui, theme, format!("The log does not say what was said: {name} was asked now"));
    }
    for note in &look.notes {
        ui.add(egui::Label::new(RichText::new(sentence(note)).font(theme.note()).color(theme.amber)).wrap());
    }
    if old {
        dim(ui, theme, "The data have changed since: looking again…");
    }
    ui.add_space(STEP * 3.0);
    ui.horizontal_wrapped(|ui| {
        for (side, name) in BatchSide::ALL {
            let on = state.monitor.side == side;
            let ink = if on { theme.text } else { theme.dim };
            if ui.selectable_label(on, RichText::new(name).color(ink)).clicked() {
                (state.monitor.side, state.monitor.row) = (side, None);
            }
        }
    });
    ui.add_space(STEP * 2.0);
    match state.monitor.side {
        BatchSide::Columns => columns(ui, theme, &shown),
        BatchSide::Newest => newest(ui, state, theme, &shown),
        BatchSide::Performance => good(ui, theme, &shown),
        BatchSide::Slices => slices(ui, state, bundle, workspace, &shown, actions),
        BatchSide::Worth => worth::draw(ui, state, bundle, workspace, &shown, actions),
    }
}

/// Column by column: those that moved first.
fn columns(ui: &mut Ui, theme: &Theme, shown: &ShownBatch) {
    for one in &shown.look.report.columns {
        column(ui, theme, one);
    }
    let left = &shown.look.report.left;
    if !left.is_empty() {
        ui.add_space(STEP * 2.0);
        egui::CollapsingHeader::new(
            RichText::new(format!("{} not compared", things(left.len(), "column", "columns"))).color(theme.dim),
        )
        .id_salt("left columns")
        .show(ui, |ui| {
            for (name, why) in left {
                ui.add(egui::Label::new(RichText::new(format!("{name}: {why}")).color(theme.dim)).wrap());
            }
        });
    }
}

fn column(ui: &mut Ui, theme: &Theme, one: &ColumnDrift) {
    let words = sentence(&one.words());
    let moved = one.verdict == DriftVerdict::Moved;
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(14.0, 20.0), Sense::hover());
        mark(ui, theme, rect.center(), Some(one.verdict));
        let narrow = ui.available_width() < 560.0;
        let name = if narrow { NAME * 0.7 } else { NAME };
        let (rect, response) = ui.allocate_exact_size(vec2(name, 20.0), Sense::hover());
        clipped(ui, rect.min + vec2(0.0, 1.0), name - 6.0, &one.column, theme.body(), theme.text, 1);
        response.on_hover_text(&one.column);
        if !narrow {
            let (rect, _) = ui.allocate_exact_size(vec2(VERDICT, 20.0), Sense::hover());
            let ink = if moved { theme.amber } else { theme.dim };
            clipped(ui, rect.min + vec2(0.0, 1.0), VERDICT - 6.0, verdict_words(one.verdict), theme.body(), ink, 1);
        }
        ui.vertical(|ui| {
            ui.add(egui::Label::new(RichText::new(words).color(if moved { theme.text } else { theme.dim })).wrap());
            if let DriftValues::Classes { changed, .. } = &one.values
                && moved
            {
                changed_classes(ui, theme, changed);
            }
        });
    });
    ui.add_space(STEP);
}

/// Classes whose shares changed most: before above, now below.
fn changed_classes(ui: &mut Ui, theme: &Theme, changed: &[(String, f64, f64)]) {
    let most = changed.iter().map(|(_, before, now)| before.max(*now)).fold(0.0, f64::max);
    for (name, before, now) in changed.iter().filter(|(_, before, now)| (before - now).abs() > 0.005) {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().min(460.0), 20.0), Sense::hover());
        clipped(ui, rect.min + vec2(0.0, 2.0), 150.0, name, theme.note(), theme.dim, 1);
        let bars = Rect::from_min_max(rect.min + vec2(156.0, 4.0), pos2(rect.right() - 110.0, rect.bottom() - 4.0));
        two_bars(ui, theme, bars, (*before, *now), most, theme.amber);
        let text = format!("{} → {}", percent(*before), percent(*now));
        right_aligned(ui, pos2(rect.right(), rect.center().y), &text, theme.note(), theme.dim);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{name}: {text}")));
    }
}

/// Texts that are like nothing before, and the words that tell them.
fn newest(ui: &mut Ui, state: &mut UiState, theme: &Theme, shown: &ShownBatch) {
    let texts = shown.look.report.columns.iter().find_map(|one| match &one.values {
        DriftValues::Texts { newness, newest, words } => Some((one, newness, newest, words)),
        _ => None,
    });
    let Some((one, newness, newest, words)) = texts else {
        dim(ui, theme, "No text column was compared.");
        return;
    };
    // Its values, and not what is missing of it; and the tail, not the whole that has shifted.
    let moved = one.moved()[0] && newness.tail as f64 > 2.0 * newness.expected;
    let compared = newness.scores.len();
    let of = if compared < one.rows.1 { format!(" of the {} that were compared", count(compared)) } else { String::new() };
    let text = if moved {
        format!(
            "{} texts{of} are like nothing in the dataset, where chance puts {:.0}. The newest first:",
            count(newness.tail),
            newness.expected
        )
    } else if one.moved()[0] {
        format!(
            "Texts have shifted as a whole (AUC {:.3}), and few stand out alone ({}{of}). The newest first:",
            newness.auc,
            count(newness.tail)
        )
    } else {
        format!(
            "No more texts stand out than by chance ({}, where it puts {:.0}). Those that do, the newest first:",
            count(newness.tail),
            newness.expected
        )
    };
    ui.add(egui::Label::new(RichText::new(text).color(if moved { theme.text } else { theme.dim })).wrap());
    if !words.is_empty() {
        let list: Vec<String> =
            words.iter().map(|(word, inside, outside)| format!("{word} ({inside}, before {outside})")).collect();
        ui.add(
            egui::Label::new(RichText::new(format!("Words that it has oftener: {}", list.join(", "))).color(theme.dim)).wrap(),
        );
    }
    ui.add_space(STEP * 2.0);
    let said = saying(shown);
    rows::draw(ui, state, theme, shown, newest, &|at| said(newest[at]));
}

/// What was said of a row, in a few words.
fn saying(shown: &ShownBatch) -> impl Fn(SampleId) -> String + '_ {
    let said = &shown.look.said;
    move |id| {
        let Ok(at) = shown.look.rows.binary_search(&id) else { return String::new() };
        let Some(class) = said.said.get(at).copied().flatten() else { return String::new() };
        let name = &said.classes[class as usize];
        let sure = if said.sure[at].is_finite() { format!(" {:.2}", said.sure[at]) } else { String::new() };
        let truth = said.truth[at]
            .filter(|truth| *truth != class)
            .map_or(String::new(), |truth| format!(", is {}", said.classes[truth as usize]));
        format!("{name}{sure}{truth}")
    }
}

/// How good the model is: measured, estimated, against the past.
fn good(ui: &mut Ui, theme: &Theme, shown: &ShownBatch) {
    let good = &shown.look.performance;
    for words in good.words() {
        ui.add(egui::Label::new(words).wrap());
        ui.add_space(STEP);
    }
    if let Some(past) = &good.past {
        let text = format!(
            "Before: {:.1} % of {} ({}); usual are {:.1} to {:.1} %, which is three deviations of ten chunks of it",
            past.accuracy * 100.0,
            things(past.rows, "row", "rows"),
            past.from,
            past.usual.0.max(0.0) * 100.0,
            past.usual.1.min(1.0) * 100.0
        );
        ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
    }
    if let Some((name, js)) = good.predictions_js.map(|js| ("Predictions are apart from those before by", js)) {
        dim(ui, theme, format!("{name} {js:.3} (Jensen–Shannon distance, natural logarithm)"));
    }
    if good.accuracy.is_none() && good.estimated.is_none() {
        ui.add_space(STEP);
        dim(
            ui,
            theme,
            "Teach a run in Train, and it is asked here; or bring in a log with what was said, how sure, and what was true.",
        );
    }
}

/// Slices that are looked at in every batch: what they come to in each.
fn kept(ui: &mut Ui, bundle: &Bundle<'_>, shown: &ShownBatch, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    if shown.look.kept.is_empty() {
        return;
    }
    let all = bundle.session.watching().batches();
    for seen in &shown.look.kept {
        let rate = |seen: &SliceSeen| (seen.known > 0).then(|| seen.wrong as f64 / seen.known as f64);
        let figures: Vec<String> = all
            .iter()
            .map(|batch| {
                let summary = bundle.session.watching().summary(&batch.name).and_then(Result::ok);
                let own = summary.and_then(|found| found.kept.iter().find(|other| other.name == seen.name));
                let words = own.and_then(rate).map_or_else(|| "–".to_owned(), |rate| format!("{:.0} %", rate * 100.0));
                if batch.name == shown.batch.name { format!("[{words}]") } else { words }
            })
            .collect();
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(&seen.name).color(theme.text));
            dim(ui, theme, format!("wrong {}; {} here", figures.join(" "), things(seen.rows, "row", "rows")))
                .on_hover_text("From batch to batch, this one in brackets; – where no truth is known");
            if ui.link(RichText::new("look at it no more").color(theme.accent)).clicked() {
                let of = vec![seen.name.clone()];
                actions.push(Action::Do(Operation::Say { property: Property::LogSlice, of, value: None }));
            }
        });
    }
    ui.add_space(STEP * 2.0);
}

/// Where it is worst.
fn slices(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    shown: &ShownBatch,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    kept(ui, bundle, shown, actions);
    let Some(found) = &shown.look.slices else {
        dim(ui, theme, "Slices need what was said and what was true, or how sure the model was, and columns to cut by.");
        return;
    };
    let what = match found.by {
        WorseBy::Wrong => "wrong",
        WorseBy::Unsure => "less than half sure",
    };
    let searched = format!(
        "{} of up to three conditions were looked at in {}; what is listed is worse than the rest by more than chance, corrected for all of them",
        things(found.searched, "conjunction", "conjunctions"),
        things(found.rows, "row", "rows")
    );
    if found.by == WorseBy::Unsure {
        dim(ui, theme, "What is true is known of too few rows: these are slices that the model is unsure of.");
    }
    if found.list.is_empty() {
        dim(ui, theme, format!("No slice is worse than the rest. {searched}."));
        return;
    }
    dim(ui, theme, format!("{searched}."));
    ui.add_space(STEP * 2.0);
    let most = found.list.iter().map(|slice| slice.found.rate).fold(0.0, f64::max).max(1e-9);
    for (at, slice) in found.list.iter().enumerate() {
        let of = &slice.found;
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 12.0, LINE * 1.5), Sense::click());
        let on = state.monitor.slice == at;
        let figure = format!("{:.0} % {what}, elsewhere {:.0} %", of.rate * 100.0, of.rest * 100.0);
        response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, on, format!("Slice {}: {figure}", slice.name)));
        if on || response.hovered() {
            ui.painter().rect_filled(rect, theme.corner(), if on { theme.tint } else { theme.hover });
        }
        clipped(ui, rect.min + vec2(6.0, 3.0), rect.width() * 0.62, &slice.name, theme.body(), theme.text, 1);
        right_aligned(ui, pos2(rect.right() - 6.0, rect.top() + 12.0), &figure, theme.body(), theme.text);
        let q = if of.q < 1e-4 { "q < 0.0001".to_owned() } else { format!("q {:.4}", of.q) };
        let under = format!("{}, {q}", things(of.rows, "row", "rows"));
        right_aligned(ui, pos2(rect.right() - 6.0, rect.top() + 28.0), &under, theme.note(), theme.dim);
        let wide = (rect.width() * 0.55 * (of.rate / most) as f32).max(2.0);
        ui.painter().rect_filled(
            Rect::from_min_size(rect.min + vec2(6.0, 26.0), vec2(wide, 4.0)),
            1,
            theme.ruby.gamma_multiply(0.7),
        );
        if response.clicked() {
            (state.monitor.slice, state.monitor.row) = (at, None);
        }
    }
    ui.add_space(STEP * 2.0);
    if let Some(slice) = found.list.get(state.monitor.slice) {
        let is_kept = shown.look.kept.iter().any(|seen| seen.name == slice.name);
        if !is_kept
            && workspace.read_only().is_none()
            && ui.link(RichText::new("Look at it in every batch").color(theme.accent)).clicked()
        {
            let value = serde_json::to_string(&slice.conditions).ok();
            actions.push(Action::Do(Operation::Say { property: Property::LogSlice, of: vec![slice.name.clone()], value }));
        }
        let said = saying(shown);
        rows::draw(ui, state, theme, shown, &slice.rows, &|at| said(slice.rows[at]));
    }
}
