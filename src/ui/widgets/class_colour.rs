//! The colour of a class by its name: the same everywhere.

use egui::Color32;

use crate::session::Workspace;
use crate::ui::theme::Theme;

/// The colour of the class called `name` of a column; `None` where there is no such class.
pub fn class_colour(theme: &Theme, workspace: &Workspace, column: &str, name: &str) -> Option<Color32> {
    let classes = workspace.classes(column)?;
    classes.class(name).map(|class| theme.class(classes.hue(class)))
}
