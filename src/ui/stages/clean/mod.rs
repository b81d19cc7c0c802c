//! Clean: what looks wrong, as problems to be worked through: kinds on the left, their findings beside them, the next one after a decision.

mod head;
mod list;
mod problems;
pub mod state;

use egui::{Frame, Panel, Ui};

use super::Stage;
use crate::action::Action;
use crate::data::SampleId;
use crate::session::{Need, Session, Workspace};
use crate::ui::Bundle;
use crate::ui::commands::Command;
use crate::ui::sample;
use crate::ui::state::UiState;

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Checks, Need::Pictures],
    acts_on: decided_on,
    waiting: |_, workspace| workspace.findings().open(),
    inspector: true,
    draw,
};

/// The samples that the chosen finding is about.
// As every stage says it.
#[allow(clippy::unnecessary_wraps)]
fn decided_on(state: &UiState, session: &Session) -> Result<Vec<SampleId>, String> {
    let Some(workspace) = session.workspace() else { return Ok(Vec::new()) };
    // A sample under work is meant alone, whatever was found on others with it.
    if let Some(id) = state.selection.cursor.filter(|_| state.pane.is_open(state.view)) {
        return Ok(vec![id]);
    }
    if let Some(finding) = state.clean.current(workspace.findings()) {
        return Ok(finding.decided().to_vec());
    }
    // Without one, what the inspector shows is what is seen.
    let inspector = if state.narrow { state.inspector_narrow } else { state.inspector };
    Ok(state.selection.cursor.filter(|_| inspector).into_iter().collect())
}

/// Draws it.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let theme = bundle.theme;
    state.clean.follow(bundle.session, workspace);
    state.show_finding(workspace.findings(), bundle.session.visible());
    let under_work = state.selection.cursor.filter(|id| state.pane.is_open(state.view) && id.row() < workspace.dataset().rows());
    if let Some(id) = under_work {
        let wide = (ui.available_width() * 0.34).clamp(200.0, 440.0);
        let frame = Frame::new().fill(theme.background);
        Panel::left("findings").exact_size(wide).resizable(false).frame(frame).show(ui, |ui| {
            list::draw(ui, state, bundle, workspace, actions);
        });
        let frame = Frame::new().fill(theme.background);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| {
            sample::draw(ui, state, bundle, workspace, id, actions, commands);
        });
        return;
    }
    problems::draw(ui, state, theme, workspace);
    head::draw(ui, state, bundle, workspace, actions);
    list::draw(ui, state, bundle, workspace, actions);
}
