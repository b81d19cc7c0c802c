//! When a sample is of a class, as somebody wrote it down: beside whatever asks for that decision.

use egui::{RichText, Ui};

use crate::data::{Dataset, Property};
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::text::visible;

/// The guideline of a class of a column.
pub fn guideline<'d>(dataset: &'d Dataset, column: &str, class: &str) -> Option<&'d str> {
    dataset.properties().get(Property::Guideline, &[column, class])
}

/// The guidelines of some classes, those that have one, each under the name of its class.
pub fn draw<'n>(ui: &mut Ui, theme: &Theme, dataset: &Dataset, column: &str, classes: impl IntoIterator<Item = &'n str>) {
    let mut seen: Vec<&str> = Vec::new();
    for class in classes {
        let Some(text) = guideline(dataset, column, class).filter(|_| !seen.contains(&class)) else { continue };
        seen.push(class);
        ui.add_space(STEP);
        let mut job = egui::text::LayoutJob::default();
        job.append(&format!("{}: ", visible(class)), 0.0, egui::TextFormat::simple(theme.strong(), theme.text));
        job.append(&visible(text), 0.0, egui::TextFormat::simple(theme.body(), theme.dim));
        ui.add(egui::Label::new(job).wrap()).on_hover_text(RichText::new("The guideline of the class: written in its manager"));
    }
}
