//! Columns that may be what a view lacks, a click each.

use egui::{RichText, Ui};

use super::controls::{ButtonLook, button};
use crate::action::Action;
use crate::data::{Role, label_candidates};
use crate::operate::Operation;
use crate::session::Workspace;
use crate::ui::theme::{STEP, Theme};

/// Draws what may be the label of a dataset that has none.
pub fn role_chips(ui: &mut Ui, theme: &Theme, workspace: &Workspace, actions: &mut Vec<Action>) {
    let base = &workspace.dataset().base;
    // Worked out once for a dataset: it looks at thousands of cells.
    let id = egui::Id::unique(("label candidates", base.origin.fingerprint));
    let known = ui.data(|data| data.get_temp::<Vec<String>>(id));
    let names = known.unwrap_or_else(|| {
        let names = label_candidates(&base.columns, base.rows);
        ui.data_mut(|data| data.insert_temp(id, names.clone()));
        names
    });
    if names.is_empty() {
        return dim_line(ui, theme, "No column looks like one: say what columns mean in Collect.");
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = STEP * 2.0;
        for name in names {
            if button(ui, theme, &format!("Use “{name}” as label"), "", ButtonLook::Plain, workspace.read_only().is_none())
                .clicked()
            {
                actions.push(Action::Do(Operation::SetRole { column: name, role: Role::Label }));
            }
        }
    });
}

fn dim_line(ui: &mut Ui, theme: &Theme, text: &str) {
    ui.label(RichText::new(text).color(theme.dim));
}
