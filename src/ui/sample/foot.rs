//! What can be done with the sample as a whole: its class, whether it is kept, tags, the note, and what was found on it.

use egui::{RichText, Ui};

use crate::action::Action;
use crate::data::{Role, SampleId};
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::commands::Command;
use crate::ui::found;
use crate::ui::inspector;
use crate::ui::sample::pair;
use crate::ui::sample::state::EditorAt;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::view::View;
use crate::ui::widgets::controls::{ButtonLook, button};

/// Draws the foot.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    id: SampleId,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let reviewing = state.view == View::Label;
    // In the queue the digits are those of its suggestions.
    if let Some(field) = dataset.with_role(Role::is_label).filter(|_| !reviewing) {
        inspector::label(ui, state, bundle, workspace, field, id, actions, commands);
        ui.add_space(STEP);
    }
    ui.horizontal_wrapped(|ui| {
        inspector::marks(ui, theme, dataset, id, actions);
        if let Some((better, worse)) = pair::columns(dataset)
            && button(
                ui,
                theme,
                "Swap",
                &Command::Swap.key_text(),
                ButtonLook::Plain,
                dataset.text(better, id) != dataset.text(worse, id),
            )
            .on_hover_text("Changes the better and the worse answer about")
            .clicked()
        {
            actions.extend(pair::swap(dataset, vec![id]).map(Action::Do));
        }
        if button(ui, theme, "Tag", &Command::Tag.key_text(), ButtonLook::Plain, true).clicked() {
            commands.push(Command::Tag);
        }
        if button(ui, theme, "Note", &Command::Note.key_text(), ButtonLook::Plain, true).clicked() {
            state.pane.wanted = Some(EditorAt::Note);
        }
        let (reviewed, excluded) = (dataset.is_reviewed(id), dataset.is_excluded(id));
        if excluded {
            ui.label(RichText::new("excluded").color(theme.ruby));
        } else if reviewed {
            ui.label(RichText::new("reviewed").color(theme.emerald));
        }
    });
    if reviewing {
        return;
    }
    inspector::label_error(ui, theme, bundle, id, commands, state);
    if bundle.session.flag(id).is_some() {
        found::draw(ui, state, theme, workspace, id, actions);
    }
}
