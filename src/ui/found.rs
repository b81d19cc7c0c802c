//! What was found on a sample: why, what mends it, and of groups what the others say.

use egui::{Frame, Label, Margin, RichText, Stroke, Ui};

use crate::action::Action;
use crate::checks::Finding;
use crate::data::{Dataset, Property, Role, SampleId};
use crate::derive::TextOf;
use crate::operate::{self, Operation};
use crate::session::Workspace;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, caption, severity_ink};
use crate::ui::widgets::diff;
use crate::ui::widgets::text::{cut, things};

/// Findings, and others of a group, that are drawn of one sample.
const FINDINGS: usize = 6;
const OTHERS: usize = 4;
/// The most of a text that is held against another, in bytes.
const LONGEST: usize = 1_200;

/// Draws the findings on a sample, each with its remedy.
pub fn draw(ui: &mut Ui, state: &mut UiState, theme: &Theme, workspace: &Workspace, id: SampleId, actions: &mut Vec<Action>) {
    let found = workspace.findings();
    let mine: Vec<&Finding> = found.on(id).take(FINDINGS).collect();
    if mine.is_empty() {
        return;
    }
    caption(ui, theme, "findings");
    for finding in mine {
        let ink = severity_ink(theme, finding.gain());
        let frame = Frame::new().fill(theme.raised).inner_margin(Margin { left: 12, right: 8, top: 6, bottom: 6 });
        let shown = frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            let title = format!("{} in {}, {:.2}", finding.kind.title(), finding.column, finding.gain());
            ui.label(RichText::new(title).font(theme.strong()));
            ui.add(Label::new(RichText::new(&finding.reason).color(theme.dim)).wrap());
            others(ui, state, theme, workspace.dataset(), finding, id);
            if !found.is_settled(finding) {
                ui.horizontal_wrapped(|ui| remedies(ui, theme, workspace.dataset(), finding, actions));
            }
        });
        let bar = shown.response.rect;
        ui.painter().vline(bar.left() + 1.0, bar.y_range(), Stroke::new(2.0, ink));
        ui.add_space(STEP);
    }
}

/// What the others of a group say, as differences from this one.
fn others(ui: &mut Ui, state: &mut UiState, theme: &Theme, dataset: &Dataset, finding: &Finding, id: SampleId) {
    if finding.samples.len() < 2 || finding.is_about_column() || dataset.pictures().is_some() {
        return;
    }
    let Ok(text) = TextOf::of(dataset, None) else { return };
    let own = text.read(dataset, id);
    let label = dataset.with_role(Role::is_label);
    let wide = ui.available_width();
    for other in finding.samples.iter().filter(|other| **other != id).take(OTHERS) {
        ui.horizontal_wrapped(|ui| {
            if ui.link(RichText::new(format!("sample {}", other.0)).color(theme.accent)).clicked() {
                state.selection.cursor = Some(*other);
            }
            if let Some(class) = label.and_then(|field| dataset.text(field, *other)) {
                ui.label(RichText::new(class).font(theme.note()).color(theme.dim));
            }
            let like = finding.alike.iter().find(|(a, b, _)| [*a, *b].contains(&id) && [*a, *b].contains(other));
            if let Some((.., like)) = like {
                ui.label(RichText::new(format!("{:.0} % shared", like * 100.0)).font(theme.note()).color(theme.dim));
            }
        });
        let theirs = text.read(dataset, *other);
        ui.add(Label::new(diff::layout(theme, cut(&own, LONGEST), cut(&theirs, LONGEST), wide)).wrap());
    }
    let more = (finding.samples.len() - 1).saturating_sub(OTHERS);
    if more > 0 {
        ui.label(RichText::new(format!("and {}", things(more, "more", "more"))).color(theme.dim));
    }
}

/// What mends it, that it is right as it is, and that its kind is none here.
fn remedies(ui: &mut Ui, theme: &Theme, dataset: &Dataset, finding: &Finding, actions: &mut Vec<Action>) {
    if let Some((text, operation)) = operate::remedy(finding, dataset)
        && button(ui, theme, text, "", ButtonLook::Plain, true).clicked()
    {
        actions.push(Action::Do(operation));
    }
    let hint = "Marks its samples reviewed: they stay as they are, and this is settled";
    if button(ui, theme, "It is right", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
        actions.push(Action::Do(Operation::Review { samples: finding.decided().to_vec(), on: true }));
    }
    let hint = format!("Nothing of this kind is listed for {} any more", finding.column);
    if button(ui, theme, "No problem in this column", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
        let of = vec![finding.kind.name().to_owned(), finding.column.clone()];
        actions.push(Action::Do(Operation::Say { property: Property::Fine, of, value: Some("yes".to_owned()) }));
    }
}
