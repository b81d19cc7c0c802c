//! History: every edit in words, the branches kept, what each changed, and back to any of them.

use egui::{Frame, Margin, Panel, RichText, Role as WidgetType, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Stage, no_samples};
use crate::action::{Action, PageOf};
use crate::data::{Chat, SampleId};
use crate::edit::{Edit, EditId, INHERITED, Target};
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button, clipped, dim, right_aligned, title};
use crate::ui::widgets::rows;
use crate::ui::widgets::text::{ago, count, cut, flat, named, things};

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[],
    acts_on: no_samples,
    waiting: |_, _| 0,
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

const ROW: f32 = 32.0;
/// What stands before every edit.
const FIRST: &str = "The file as it was opened";

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let history = workspace.history();
    let head = history.head();
    let line = history.line(head);
    if state.history_at.is_none_or(|at| at != 0 && !history.has(at)) {
        state.history_at = Some(head);
    }
    let at = state.history_at.unwrap_or(head);
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::same(16));
    Panel::right("edit").exact_size((ui.available_width() * 0.42).clamp(260.0, 520.0)).frame(frame).show(ui, |ui| {
        detail(ui, bundle, workspace, at, actions);
    });
    Frame::new().inner_margin(Margin::symmetric(20, 12)).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            title(ui, theme, "History");
            dim(ui, theme, format!("{} in all, {} in force", things(history.nodes().len(), "edit", "edits"), count(line.len())));
            let hint = "What is in force here, written down so that it can be done to another version of the data: lapidary run";
            if button(ui, theme, "Save as a recipe…", "", ButtonLook::Quiet, !line.is_empty()).on_hover_text(hint).clicked() {
                actions.push(Action::ReportDialog { of: PageOf::Recipe(None) });
            }
        });
    });
    let total = history.nodes().len() + 1;
    rows::draw(ui, ScrollArea::vertical().auto_shrink(false), ROW, total, |ui, range| {
        for place in range {
            // The latest edit first; the file as it was opened last.
            let node = history.nodes().len().checked_sub(place + 1).map(|i| &history.nodes()[i]);
            let id = node.map_or(0, |node| node.id);
            let applied = id == 0 || line.binary_search(&id).is_ok();
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
            let words = node.map_or_else(|| FIRST.to_owned(), |node| named(&node.words, workspace.dataset()));
            response
                .widget_info(|| WidgetInfo::selected(WidgetType::ListBoxOption, true, id == at, format!("Edit {id}: {words}")));
            if id == at || response.hovered() {
                ui.painter().rect_filled(rect, 0, if id == at { theme.tint } else { theme.raised });
            }
            let dot = pos2(rect.left() + 28.0, rect.center().y);
            if id == head {
                ui.painter().circle_filled(dot, 5.0, theme.accent);
            } else if applied {
                ui.painter().circle_filled(dot, 3.5, theme.dim);
            } else {
                ui.painter().circle_stroke(dot, 3.5, egui::Stroke::new(1.2, theme.faint));
            }
            let ink = if applied { theme.text } else { theme.faint };
            let room = rect.width() - 180.0;
            clipped(ui, pos2(rect.left() + 44.0, rect.center().y - 8.0), room, &flat(&words, 1), theme.body(), ink, 1);
            if let Some(node) = node {
                right_aligned(ui, pos2(rect.right() - 16.0, rect.center().y), &ago(node.at, bundle.now), theme.note(), theme.dim);
            }
            if response.clicked() {
                state.history_at = Some(id);
            }
            if response.double_clicked() && id != head {
                actions.push(Action::GoTo(id));
            }
        }
    });
}

fn detail(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, at: EditId, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let history = workspace.history();
    let words = history.node(at).map_or_else(|| FIRST.to_owned(), |node| named(&node.words, workspace.dataset()));
    ui.add(egui::Label::new(RichText::new(cut(&words, 400)).font(theme.title())).wrap());
    if let Some(node) = history.node(at) {
        dim(ui, theme, format!("{}, {}", ago(node.at, bundle.now), things(node.count, "sample", "samples")));
    }
    ui.add_space(STEP * 2.0);
    if at == history.head() {
        dim(ui, theme, "We are here");
    } else if button(ui, theme, "Go to this point", "", ButtonLook::Main, workspace.read_only().is_none()).clicked() {
        actions.push(Action::GoTo(at));
    }
    let applied = at != 0 && history.line(history.head()).binary_search(&at).is_ok();
    if applied {
        ui.add_space(STEP);
        let enabled = workspace.read_only().is_none();
        if button(ui, theme, "Take back this edit alone", "", ButtonLook::Plain, enabled)
            .on_hover_text("Later edits stay. Where one of them touches the same cells, nothing changes and it is named")
            .clicked()
        {
            actions.push(Action::Revert(at));
        }
    }
    ui.add_space(STEP * 2.0);
    let Some((id, edit)) = bundle.shown_edit.filter(|(id, _)| *id == at) else { return };
    debug_assert_eq!(*id, at);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| changes(ui, bundle, edit));
}

/// Of so many chats what has changed in them is shown turn by turn.
const FEW: usize = 4;

/// Shows what has changed in a chat; whether it is one.
fn chat(ui: &mut Ui, bundle: &Bundle<'_>, id: SampleId, before: Option<&str>, after: Option<&str>) -> bool {
    let (Some(one), Some(two)) = (before.and_then(Chat::parse), after.and_then(Chat::parse)) else { return false };
    dim(ui, bundle.theme, format!("sample {}: {}", count(id.row()), one.change_to(&two)));
    for (at, was, is) in one.differing(&two).into_iter().take(8) {
        for (turn, ink, sign) in [(was, bundle.theme.ruby, "−"), (is, bundle.theme.emerald, "+")] {
            let Some(turn) = turn else { continue };
            let more = turn.more.iter().map(|(name, json)| format!("  {name}: {}", cut(json, 200))).collect::<Vec<_>>().concat();
            let text = format!("{sign} {at}  {}: {}{more}", turn.role, cut(&turn.text, 600));
            ui.add(egui::Label::new(RichText::new(text).color(ink)).wrap());
        }
    }
    true
}

fn changes(ui: &mut Ui, bundle: &Bundle<'_>, edit: &Edit) {
    let theme = bundle.theme;
    for change in &edit.changes {
        let what = match &change.target {
            Target::Cells(column) => column.clone(),
            Target::Column(column) => format!("new column {column}"),
            Target::Role(column) => format!("role of {column}"),
            Target::Kind(column) => format!("{column} is read as"),
            Target::Excluded => "excluded".to_owned(),
            Target::Reviewed => "reviewed".to_owned(),
            Target::Tag(tag) => format!("tag {tag}"),
            Target::Property(name, of) => format!("{} of {}", name.replace('_', " "), of.join(", ")),
            Target::Part(part) => format!("{} of {}", things(part.rows as usize, "sample", "samples"), part.path),
            Target::Made(batch) => format!("{}, made of", things(batch.len(), "new sample", "new samples")),
        };
        ui.label(RichText::new(what).font(theme.note()).color(theme.dim));
        if change.samples.is_empty() {
            let show = |value: Option<&str>| value.unwrap_or("none").to_owned();
            ui.label(format!("{} → {}", show(change.before.get(0)), show(change.after.get(0))));
        }
        for (place, sample) in change.samples.iter().enumerate().take(100) {
            if change.samples.len() <= FEW && chat(ui, bundle, *sample, change.before.get(place), change.after.get(place)) {
                continue;
            }
            let show = |value: Option<&str>| match value {
                Some(INHERITED) => "as its parent".to_owned(),
                value => flat(value.unwrap_or("none"), 1).into_owned(),
            };
            let (before, after) = (show(change.before.get(place)), show(change.after.get(place)));
            let text = format!("{}   {} → {}", count(sample.row()), cut(&before, 60), cut(&after, 60));
            ui.add(egui::Label::new(text).truncate());
        }
        if change.samples.len() > 100 {
            dim(ui, theme, format!("and {} more", count(change.samples.len() - 100)));
        }
        ui.add_space(STEP * 2.0);
    }
}
