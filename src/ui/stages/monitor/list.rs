//! The batches there are, and what is done with all of them.

use egui::{RichText, Role as WidgetType, Sense, Ui, WidgetInfo, pos2, vec2};

use super::drawn::{mark, verdict_of};
use crate::action::{Action, MonitorAction, PageOf};
use crate::data::Property;
use crate::monitor::{Against, WatchedBatch};
use crate::operate::Operation;
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button, caption, choice, clipped, dim, right_aligned};
use crate::ui::widgets::text::{count, things};

const ROW: f32 = 38.0;

/// The list, the last batch below.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    (all, shown): (&[WatchedBatch], Option<&str>),
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    ui.label(RichText::new("batches").font(theme.note()).color(theme.dim));
    if all.is_empty() {
        dim(ui, theme, "None yet");
    }
    for batch in all {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
        let on = shown == Some(batch.name.as_str());
        let summary = bundle.session.watching().summary(&batch.name);
        let (verdict, words) = match &summary {
            Some(Ok(found)) => (Some(verdict_of(&found.report)), found.report.words()),
            Some(Err(why)) => (None, (*why).to_owned()),
            None => (None, "not looked at yet".to_owned()),
        };
        response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, on, format!("Batch {}: {words}", batch.name)));
        if on || response.hovered() {
            ui.painter().rect_filled(rect, theme.corner(), if on { theme.tint } else { theme.hover });
        }
        mark(ui, theme, pos2(rect.left() + 10.0, rect.top() + 11.0), verdict);
        let left = rect.min + vec2(22.0, 2.0);
        let figure = match &summary {
            Some(Ok(found)) => match (found.performance.accuracy, found.performance.estimated) {
                (Some((accuracy, _)), _) => format!("{:.1} %", accuracy * 100.0),
                (None, Some((accuracy, _))) => format!("≈ {:.0} %", accuracy * 100.0),
                (None, None) => String::new(),
            },
            _ => String::new(),
        };
        let room = if figure.is_empty() { 0.0 } else { 58.0 };
        clipped(ui, left, rect.width() - 28.0 - room, &batch.name, theme.body(), theme.text, 1);
        let under = match &summary {
            Some(Ok(found)) => {
                let n = found.report.moved().count();
                let rows = things(batch.rows as usize, "row", "rows");
                if n == 0 { rows } else { format!("{rows}, {n} moved") }
            }
            Some(Err(_)) => "cannot be looked at".to_owned(),
            None => things(batch.rows as usize, "row", "rows"),
        };
        clipped(ui, left + vec2(0.0, 18.0), rect.width() - 28.0, &under, theme.note(), theme.dim, 1);
        if !figure.is_empty() {
            right_aligned(ui, pos2(rect.right() - 4.0, rect.top() + 11.0), &figure, theme.mono(), theme.dim);
        }
        let response = response.on_hover_text(words);
        if response.clicked() {
            state.monitor.shown = Some(batch.name.clone());
            (state.monitor.row, state.monitor.slice) = (None, 0);
        }
        response.context_menu(|ui| {
            if ui.add_enabled(workspace.read_only().is_none(), egui::Button::new("Do not watch it any more")).clicked() {
                let of = vec![batch.name.clone()];
                actions.push(Action::Do(Operation::Say { property: Property::Batch, of, value: None }));
                ui.close();
            }
        });
    }
    ui.add_space(STEP * 2.0);
    held_against(ui, state, bundle, workspace, all);
    folders(ui, bundle, workspace, actions);
}

/// What batches are held against, and who is asked.
fn held_against(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, batches: &[WatchedBatch]) {
    let theme = bundle.theme;
    let wide = ui.available_width() - 8.0;
    ui.spacing_mut().combo_width = wide;
    caption(ui, theme, "held against");
    let mut all = vec![(Against::Train, "the train part".to_owned()), (Against::All, "all samples".to_owned())];
    all.extend(batches.iter().map(|batch| (Against::Batch(batch.name.clone()), batch.name.clone())));
    let names: Vec<&String> = all.iter().map(|(_, name)| name).collect();
    let now = all.iter().position(|(against, _)| *against == state.monitor.against);
    if now.is_none() {
        state.monitor.against = Against::Train;
    }
    if let Some(at) = choice(ui, theme, "Held against", names[now.unwrap_or(0)], &names) {
        state.monitor.against = all[at].0.clone();
    }
    if workspace.runs().is_empty() {
        return;
    }
    caption(ui, theme, "where the log does not say what a model said, ask");
    let mut names = vec!["the last run".to_owned()];
    names.extend(workspace.runs().iter().map(|kept| kept.name.clone()));
    let place = state.monitor.run.and_then(|id| workspace.runs().iter().position(|kept| kept.id == id));
    if let Some(at) = choice(ui, theme, "Ask", &names[place.map_or(0, |at| at + 1)], &names) {
        state.monitor.run = (at > 0).then(|| workspace.runs()[at - 1].id);
    }
}

/// Folders that are looked in.
fn folders(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let list: Vec<String> =
        workspace.dataset().properties().all(Property::LogFolder).filter_map(|(of, _)| of.first().cloned()).collect();
    if list.is_empty() {
        return;
    }
    caption(ui, theme, "looks for new logs in");
    for folder in list {
        ui.horizontal(|ui| {
            dim(ui, theme, if folder.is_empty() { "the dataset's own folder" } else { folder.as_str() });
            if ui.link(RichText::new("no more").color(theme.accent)).clicked() {
                let of = vec![folder.clone()];
                actions.push(Action::Do(Operation::Say { property: Property::LogFolder, of, value: None }));
            }
        });
    }
}

/// What is done: a log is brought in, a folder is looked in, a page is written.
pub fn deed(ui: &mut Ui, state: &UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let may = workspace.read_only().is_none();
    let waits = super::waiting(workspace.dataset());
    if waits > 0 {
        let text = format!("{} taken over, to be labelled", count(waits));
        if ui.link(RichText::new(text).color(theme.accent)).clicked() {
            actions.push(Action::Monitor(MonitorAction::Label));
        }
        ui.add_space(STEP);
    }
    // Where there are batches, or a log waits for an answer, one came for these.
    let watching = bundle.session.watching();
    let first = watching.offered().is_none() && watching.batches().is_empty();
    let look = if first { ButtonLook::Main } else { ButtonLook::Plain };
    if button(ui, theme, "Bring in a log…", "", look, may)
        .on_hover_text("A file with new data. Its columns are proposed, and nothing happens before you say so")
        .clicked()
    {
        actions.push(Action::LogDialog { folder: false });
    }
    ui.horizontal_wrapped(|ui| {
        if button(ui, theme, "Look in a folder…", "", ButtonLook::Quiet, may)
            .on_hover_text("New files of it are offered here whenever you come back to the window")
            .clicked()
        {
            actions.push(Action::LogDialog { folder: true });
        }
        let there = super::shown_name(state, bundle.session).is_some();
        if button(ui, theme, "Page…", "", ButtonLook::Quiet, there)
            .on_hover_text("The batch that is shown as a page of HTML, or as Markdown where the name ends in .md")
            .clicked()
        {
            actions.push(Action::ReportDialog { of: PageOf::Batch });
        }
    });
}
