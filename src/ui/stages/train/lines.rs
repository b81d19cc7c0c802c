//! What the sides of a run share: a line with a bar, and the way to the samples that it is about.

use egui::{Rect, Role as WidgetType, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::data::{Rule, SampleId, SampleSet};
use crate::ui::state::UiState;
use crate::ui::theme::Theme;
use crate::ui::view::View;
use crate::ui::widgets::controls::{clipped, right_aligned};

/// The height of a line.
pub const LINE: f32 = 24.0;

/// Shows samples in Explore.
pub fn show(state: &mut UiState, title: String, samples: impl IntoIterator<Item = SampleId>) {
    let samples: SampleSet = samples.into_iter().collect();
    state.filter.clauses.retain(|clause| !matches!(clause.rule, Rule::Listed { .. }));
    state.toggle_clause(Rule::Listed { title, samples: samples.into() }.into());
    state.view = View::Explore;
}

/// A line with a bar below its words, and a figure. What happened to it.
pub fn line(ui: &mut Ui, theme: &Theme, text: &str, part: f32, figure: &str) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2((ui.available_width() - 12.0).max(80.0), LINE), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("{text}: {figure}")));
    let bar =
        Rect::from_min_size(pos2(rect.left(), rect.bottom() - 4.0), vec2((rect.width() - 56.0) * part.clamp(0.0, 1.0), 3.0));
    ui.painter().rect_filled(bar, 1, theme.bar);
    let ink = if response.hovered() { theme.accent } else { theme.text };
    clipped(ui, rect.min + vec2(0.0, 1.0), rect.width() - 60.0, text, theme.body(), ink, 1);
    right_aligned(ui, pos2(rect.right(), rect.center().y - 2.0), figure, theme.body(), theme.dim);
    response.on_hover_text(text)
}
