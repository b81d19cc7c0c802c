//! Train: what is taught, the runs there are, and how good they are.

mod detail;
mod form;
mod grown;
mod lines;
mod live;
mod prompt_form;
mod runs;
mod seen;
pub mod state;

use egui::{CentralPanel, Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::{Stage, no_samples};
use crate::action::Action;
use crate::data::Role;
use crate::session::{Need, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{dim, title};
use crate::ui::widgets::roles::role_chips;
use crate::ui::widgets::text::things;

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Runs, Need::Pictures],
    acts_on: no_samples,
    waiting: |_, _| 0,
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// The width of what is asked for.
const SIDE: f32 = 280.0;

fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 12, top: 16, bottom: 8 });
    Panel::left("train form").exact_size(SIDE.min(ui.available_width() * 0.43)).resizable(false).frame(frame).show(ui, |ui| {
        let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 0, right: 4, top: 8, bottom: 4 });
        Panel::bottom("train deed")
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| form::deed(ui, state, bundle, workspace, actions));
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| form::draw(ui, state, bundle, workspace, actions));
    });
    let frame = Frame::new().inner_margin(Margin { left: 20, right: 20, top: 16, bottom: 8 });
    CentralPanel::default().frame(frame).show(ui, |ui| {
        if workspace.dataset().with_role(Role::is_label).is_none() && workspace.runs().is_empty() {
            title(ui, theme, "Nothing to learn yet");
            dim(ui, theme, "A model learns the classes of a column. Which one has them?");
            ui.add_space(STEP * 2.0);
            role_chips(ui, theme, workspace, actions);
            return;
        }
        if workspace.unread_runs() > 0 {
            let n = things(workspace.unread_runs(), "run", "runs");
            let text = format!("{n} of the project cannot be read here (torn, or of a later Lapidary), and stay where they are");
            ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            live::draw(ui, bundle, actions);
            live::stopped(ui, bundle, workspace, actions);
            if workspace.runs().is_empty() {
                return empty(ui, bundle);
            }
            runs::draw(ui, state, bundle, workspace, actions);
            ui.add_space(STEP * 4.0);
            detail::draw(ui, state, bundle, workspace, actions);
        });
    });
}

/// Before the first run.
fn empty(ui: &mut Ui, bundle: &Bundle<'_>) {
    let theme = bundle.theme;
    title(ui, theme, "Is this dataset good enough to learn from?");
    ui.add_space(STEP);
    let said = [
        "Teach a model, and see: it learns from the train part, and is tried on the test part that nothing looked at before.",
        "The built-in embedding with logistic regression takes seconds. It is the bar for whatever comes after it.",
        "Every figure has its interval, and follows the labels: relabel a test sample, and the figures move without teaching again.",
    ];
    for text in said {
        ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
        ui.add_space(STEP);
    }
}
