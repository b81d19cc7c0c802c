//! Another version beside the open one: what differs by kind and column, one difference after the other with `J` and `K`, each taken from here (`1`), there
//! (`2`) or from what both came from (`3`), and all that was chosen taken over as one edit.

use std::path::PathBuf;

use egui::{CentralPanel, Frame, Label, Margin, Panel, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use super::compare_form::{DiffOnly, DiffsSeen};
use crate::action::{Action, CollectAction};
use crate::data::{Dataset, SampleId};
use crate::session::{ComparedVersions, DiffChoice, DiffItem, DiffKind, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, clipped, dim, title};
use crate::ui::widgets::diff::differences;
use crate::ui::widgets::text::{count, flat, things, visible};

/// The height of a row of the list.
const ROW: f32 = 44.0;
/// So much of a cell is shown whole.
const LONGEST: usize = 4_000;

/// Offers another version to compare with.
pub fn offer(ui: &mut Ui, theme: &Theme, actions: &mut Vec<Action>) {
    title(ui, theme, "Another version");
    dim(ui, theme, "Somebody else's copy, or last week's: see what differs, cell by cell, and take over what you like.");
    ui.add_space(STEP * 2.0);
    if button(ui, theme, "Compare with…", "", ButtonLook::Plain, true).clicked() {
        actions.push(Action::VersionDialog { base: false });
    }
    ui.add_space(STEP * 4.0);
}

/// Draws the comparison.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let other = state.compare.other.as_ref().map(name).unwrap_or_default();
    let shown = bundle.session.compared();
    let frame = Frame::new().inner_margin(Margin { left: 20, right: 20, top: 16, bottom: 8 });
    Panel::top("compare head").frame(frame).resizable(false).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            let own = name(&workspace.dataset().base.origin.path);
            let is_own = state.compare.other.as_ref() == Some(&workspace.dataset().base.origin.path);
            title(ui, theme, if is_own { format!("{own} as it is now") } else { format!("{own} against {other}") });
            if let Some(versions) = shown {
                dim(ui, theme, &versions.words);
            }
        });
        ui.add_space(STEP);
        ui.horizontal_wrapped(|ui| {
            if button(ui, theme, "Back", "", ButtonLook::Plain, true).clicked() {
                actions.push(Action::Collect(CollectAction::LeaveVersions));
            }
            if state.compare.other.as_ref() == Some(&workspace.dataset().base.origin.path) {
                dim(ui, theme, "Your edits follow their rows; what both changed is yours to settle.");
                return;
            }
            let words = state
                .compare
                .base
                .as_ref()
                .map_or_else(|| "Both came from…".to_owned(), |path| format!("Both came from {}", name(path)));
            let base = button(ui, theme, &words, "", ButtonLook::Plain, true);
            if base
                .on_hover_text("With the version that both came from, what only one side changed needs no word of yours")
                .clicked()
            {
                actions.push(Action::VersionDialog { base: true });
            }
        });
    });
    let Some(versions) = shown else {
        let words = bundle.session.not_compared().unwrap_or("Comparing…");
        CentralPanel::default().frame(frame).show(ui, |ui| dim(ui, theme, words));
        return;
    };
    let seen = state.compare.seen(versions);
    state.compare.at = state.compare.at.min(seen.list.len().saturating_sub(1));
    let frame_left = Frame::new().inner_margin(Margin { left: 20, right: 8, top: 8, bottom: 8 });
    Panel::left("compare kinds").exact_size(210.0_f32.min(ui.available_width() * 0.3)).resizable(false).frame(frame_left).show(
        ui,
        |ui| {
            ScrollArea::vertical().id_salt("kinds").auto_shrink(false).show(ui, |ui| kinds(ui, theme, state, versions, &seen));
        },
    );
    let height = (ui.available_height() * 0.42).clamp(140.0, 320.0);
    Panel::bottom("compare one").exact_size(height).resizable(false).frame(frame).show(ui, |ui| {
        deed(ui, theme, state, (versions, &seen), workspace, actions);
        ScrollArea::vertical().id_salt("difference").auto_shrink(false).show(ui, |ui| {
            if let Some(at) = seen.list.get(state.compare.at) {
                one(ui, theme, state, versions, *at, workspace.dataset(), actions);
            }
        });
    });
    CentralPanel::default().frame(frame_left).show(ui, |ui| {
        if versions.items.is_empty() && versions.is_own {
            dim(ui, theme, "It says what it said, row by row and cell by cell");
            return;
        }
        if versions.items.is_empty() && (!versions.columns.is_empty() || !versions.columns_gone.is_empty()) {
            dim(ui, theme, "Rows say the same; columns differ");
            return;
        }
        if versions.items.is_empty() {
            dim(ui, theme, "They say the same, row by row and cell by cell");
            return;
        }
        items(ui, theme, state, versions, &seen.list, workspace.dataset());
    });
}

fn kind_name(kind: DiffKind) -> &'static str {
    match kind {
        DiffKind::Conflict => "In conflict",
        DiffKind::Changed => "Changed",
        DiffKind::Added => "Only there",
        DiffKind::Removed => "Only here",
    }
}

/// Kinds and columns, with how many.
fn kinds(ui: &mut Ui, theme: &Theme, state: &mut UiState, versions: &ComparedVersions, seen: &DiffsSeen) {
    let mut lines: Vec<(DiffOnly, String, usize, bool)> = vec![(None, "All".to_owned(), versions.items.len(), false)];
    for kind in [DiffKind::Conflict, DiffKind::Changed, DiffKind::Added, DiffKind::Removed] {
        let of: Vec<(Option<&str>, usize)> =
            seen.counts.iter().filter(|(own, ..)| *own == kind).map(|(_, column, n)| (column.as_deref(), *n)).collect();
        let all: usize = of.iter().map(|(_, n)| n).sum();
        if all > 0 {
            lines.push((Some((kind, None)), kind_name(kind).to_owned(), all, false));
        }
        let columns = of.into_iter().filter_map(|(column, n)| Some((column?.to_owned(), n)));
        lines.extend(columns.take(60).map(|(column, n)| (Some((kind, Some(column.clone()))), column, n, true)));
    }
    for (only, words, n, inner) in lines {
        let on = state.compare.only == only;
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, on, format!("{words}, {n}")));
        if on || response.hovered() {
            ui.painter().rect_filled(rect, theme.corner(), if on { theme.tint } else { theme.hover });
        }
        let left = rect.left_top() + vec2(if inner { 20.0 } else { 8.0 }, 5.0);
        clipped(ui, left, rect.width() - 76.0, &words, theme.body(), if inner { theme.dim } else { theme.text }, 1);
        crate::ui::widgets::controls::right_aligned(
            ui,
            egui::pos2(rect.right() - 8.0, rect.center().y),
            &count(n),
            theme.mono(),
            theme.dim,
        );
        if response.clicked() {
            (state.compare.only, state.compare.at) = (only, 0);
        }
    }
    if versions.more > 0 {
        dim(ui, theme, format!("{} more are not listed", count(versions.more)));
    }
    let gone = versions.base.is_some() && !versions.columns_gone.is_empty();
    if !versions.columns.is_empty() || gone {
        ui.add_space(STEP * 2.0);
        let n = versions.columns.len() + if gone { versions.columns_gone.len() } else { 0 };
        let words = if gone {
            format!("Take {} as there", things(n, "column", "columns"))
        } else {
            format!("Take {} along", things(n, "new column", "new columns"))
        };
        ui.checkbox(&mut state.compare.columns, words);
        if !versions.columns.is_empty() {
            dim(ui, theme, format!("New there: {}", versions.columns.join(", ")));
        }
    }
    if !versions.columns_gone.is_empty() {
        let words = if gone { "Removed there" } else { "Only here" };
        dim(ui, theme, format!("{words}: {}", versions.columns_gone.join(", ")));
    }
}

/// The differences, one below the other.
fn items(ui: &mut Ui, theme: &Theme, state: &mut UiState, versions: &ComparedVersions, list: &[usize], ours: &Dataset) {
    let follow = std::mem::take(&mut state.compare.follow);
    let mut area = ScrollArea::vertical().id_salt("differences").auto_shrink(false);
    if follow {
        let height = ui.available_height();
        area = area.vertical_scroll_offset((state.compare.at as f32 * ROW - height * 0.4).max(0.0));
    }
    area.show_rows(ui, ROW - ui.spacing().item_spacing.y, list.len(), |ui, range| {
        for place in range {
            let (at, on) = (list[place], place == state.compare.at);
            let item = &versions.items[at];
            let (rect, response) =
                ui.allocate_exact_size(vec2(ui.available_width(), ROW - ui.spacing().item_spacing.y), Sense::click());
            let column = item.column.as_deref().unwrap_or(kind_name(item.kind));
            let (before, after) = cells(versions, item, ours);
            response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, on, format!("{column}: {before} → {after}")));
            if on || response.hovered() {
                ui.painter().rect_filled(rect, theme.corner(), if on { theme.tint } else { theme.hover });
            }
            let (word, ink) = match state.compare.choice(versions, at) {
                None => ("to settle", theme.amber),
                Some(DiffChoice::Ours) => ("as here", theme.dim),
                Some(DiffChoice::Theirs) => ("as there", theme.accent),
                Some(DiffChoice::Base) => ("as before", theme.accent),
            };
            let wide = rect.width() - 90.0;
            clipped(
                ui,
                rect.left_top() + vec2(8.0, 3.0),
                wide,
                &format!("{column}  ·  {}", name_of(versions, item, ours)),
                theme.note(),
                theme.dim,
                1,
            );
            let said = if item.column.is_some() { format!("{before}  →  {after}") } else { format!("{before}{after}") };
            clipped(ui, rect.left_top() + vec2(8.0, 19.0), wide, &said, theme.body(), theme.text, 1);
            crate::ui::widgets::controls::right_aligned(
                ui,
                egui::pos2(rect.right() - 8.0, rect.center().y),
                word,
                theme.note(),
                ink,
            );
            if response.clicked() {
                state.compare.at = place;
            }
        }
    });
}

/// What a sample is called: its id, or its number.
fn name_of(versions: &ComparedVersions, item: &DiffItem, ours: &Dataset) -> String {
    let named = |dataset: &Dataset, id: SampleId| {
        let field = dataset.with_role(|role| role == crate::data::Role::Id);
        field
            .and_then(|field| dataset.text(field, id))
            .map_or_else(|| format!("sample {}", id.0), |text| flat(&text, 1).into_owned())
    };
    match (item.ours, item.theirs) {
        (Some(id), _) => named(ours, id),
        (None, Some(id)) => named(&versions.other, id),
        (None, None) => String::new(),
    }
}

/// What is here and what is there, in one line each; of a whole row its text.
fn cells(versions: &ComparedVersions, item: &DiffItem, ours: &Dataset) -> (String, String) {
    let row = |dataset: &Dataset, id: SampleId| {
        let field = dataset.with_role(|role| role == crate::data::Role::Text).unwrap_or(0);
        flat(&dataset.text(field, id).unwrap_or_default(), 1).into_owned()
    };
    let said = |cell: &Option<String>| {
        cell.as_deref().filter(|text| !text.is_empty()).map_or("empty".to_owned(), |text| flat(text, 1).into_owned())
    };
    match (&item.column, item.kind) {
        (Some(_), _) => (said(&item.cells[1]), said(&item.cells[2])),
        (None, DiffKind::Added) => (String::new(), item.theirs.map(|id| row(&versions.other, id)).unwrap_or_default()),
        (None, _) => match (item.ours, item.theirs) {
            (Some(id), _) => (row(ours, id), String::new()),
            (None, Some(id)) => (String::new(), row(&versions.other, id)),
            (None, None) => (String::new(), String::new()),
        },
    }
}

/// The difference that is looked at: every version whole, changes marked, and whose is taken.
fn one(
    ui: &mut Ui,
    theme: &Theme,
    state: &mut UiState,
    versions: &ComparedVersions,
    at: usize,
    ours: &Dataset,
    actions: &mut Vec<Action>,
) {
    let item = &versions.items[at];
    let (before, after) = match &item.column {
        Some(_) => (item.cells[1].clone().unwrap_or_default(), item.cells[2].clone().unwrap_or_default()),
        None => cells(versions, item, ours),
    };
    let cut = |text: &str| -> String { visible(text).chars().take(LONGEST).collect() };
    let (before, after) = (cut(&before), cut(&after));
    let (gone, new) = differences(&before, &after);
    let mut side =
        |ui: &mut Ui, name: &str, key: &str, text: &str, marks: &[std::ops::Range<usize>], ground, choice: DiffChoice| {
            let on = state.compare.choice(versions, at) == Some(choice);
            ui.horizontal(|ui| {
                let look = if on { ButtonLook::Plain } else { ButtonLook::Quiet };
                if button(ui, theme, name, key, look, true).clicked() {
                    actions.push(Action::Collect(CollectAction::Choose(choice)));
                }
                if on {
                    ui.label(RichText::new("taken").font(theme.note()).color(theme.accent));
                }
            });
            let job =
                crate::ui::widgets::controls::marked(text, marks, theme.body(), theme.text, ground, ui.available_width() - 12.0);
            // Below the button's words.
            Frame::new().inner_margin(Margin { left: 12, ..Margin::ZERO }).show(ui, |ui| ui.add(Label::new(job).wrap()));
            ui.add_space(STEP);
        };
    let shade = |ink: egui::Color32| ink.gamma_multiply(0.25);
    let (here, there) = if versions.is_own { ("As you have it", "As the file has it") } else { ("As here", "As there") };
    side(ui, here, "1", &before, &gone, shade(theme.ruby), DiffChoice::Ours);
    side(ui, there, "2", &after, &new, shade(theme.emerald), DiffChoice::Theirs);
    if versions.has_before(item) {
        side(ui, "As it was", "3", &cut(item.cells[0].as_deref().unwrap_or_default()), &[], theme.tint, DiffChoice::Base);
    }
}

/// How much was chosen, and the one thing to do with it.
fn deed(
    ui: &mut Ui,
    theme: &Theme,
    state: &mut UiState,
    (versions, seen): (&ComparedVersions, &DiffsSeen),
    workspace: &Workspace,
    actions: &mut Vec<Action>,
) {
    let (open, taken) = (seen.open, seen.taken);
    let gone = if versions.base.is_some() { versions.columns_gone.len() } else { 0 };
    let columns = if state.compare.columns { versions.columns.len() + gone } else { 0 };
    let mut all = None;
    ui.horizontal_wrapped(|ui| {
        let ready = open == 0 && (versions.is_own || taken + columns > 0) && workspace.read_only().is_none();
        let words = match (taken, columns) {
            _ if versions.is_own => "Open it as it is now".to_owned(),
            (0, 0) => "Take what is chosen".to_owned(),
            (0, _) => format!("Take {}", things(columns, "column", "columns")),
            _ => format!("Take {}", things(taken, "difference", "differences")),
        };
        if button(ui, theme, &words, "", ButtonLook::Main, ready).clicked() {
            actions.push(Action::Collect(CollectAction::TakeVersion));
        }
        if open > 0 {
            ui.label(RichText::new(format!("{} to settle first", things(open, "conflict", "conflicts"))).color(theme.amber));
        }
        for (words, choice) in [("All as there", DiffChoice::Theirs), ("All as here", DiffChoice::Ours)] {
            let pressed = button(ui, theme, words, "", ButtonLook::Quiet, !versions.items.is_empty());
            if pressed.on_hover_text("Of those that are listed now").clicked() {
                all = Some(choice);
            }
        }
    });
    if let Some(choice) = all {
        state.compare.choose_all(versions, choice);
    }
    ui.add_space(STEP);
}
