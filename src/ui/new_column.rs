//! A column made out of others: its name, the expression, and what comes out of the first samples, before anything is done.

use egui::{Align, Key, Layout, Margin, RichText, Role, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, vec2};

use super::Bundle;
use super::new_column_form::ColumnForm;
use super::state::UiState;
use super::theme::{STEP, Theme};
use super::widgets::controls::{ButtonLook, button, clipped, dim, name_edit, title};
use super::widgets::text::flat;
use crate::action::Action;
use crate::data::{Role as ColumnRole, SampleId};
use crate::operate::{ColumnOf, Operation, column_preview};
use crate::session::Workspace;
use crate::transform::FUNCTIONS;

/// So many samples are shown.
const SHOWN: usize = 6;

/// Draws the popup.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let (theme, Some(workspace)) = (bundle.theme, bundle.workspace) else { return };
    let dataset = workspace.dataset();
    title(ui, theme, "Make a column");
    ui.add_space(STEP);
    let form = &mut state.column;
    let begins = state.marked == 0;
    state.marked = 1;
    let edit =
        TextEdit::singleline(&mut form.what.into).hint_text("Name").desired_width(f32::INFINITY).margin(Margin::symmetric(10, 6));
    let response = ui.add(edit);
    name_edit(&response, &form.what.into, "Name");
    if begins {
        response.request_focus();
    }
    let edit = TextEdit::singleline(&mut form.what.formula)
        .hint_text("join(title, \" \", body)")
        .font(theme.mono())
        .desired_width(f32::INFINITY)
        .margin(Margin::symmetric(10, 6));
    let response = ui.add(edit);
    name_edit(&response, &form.what.formula, "Expression");
    ui.add_space(STEP);
    names(ui, theme, form, workspace);
    ui.horizontal(|ui| {
        let words = if form.functions { "Hide functions" } else { "Functions" };
        if button(ui, theme, words, "", ButtonLook::Quiet, true).clicked() {
            form.functions = !form.functions;
        }
        let known = dataset.field(form.what.into.trim()).is_some();
        if known {
            ui.label(RichText::new(format!("{} is written over", form.what.into.trim())).color(theme.amber));
        }
    });
    if form.functions {
        functions(ui, theme);
    }
    let ids: Vec<SampleId> = bundle.session.visible().iter().filter(|id| !dataset.is_made(*id)).take(SHOWN).collect();
    let formula = form.what.formula.trim().to_owned();
    let asked = (&formula, workspace.revision(), &ids);
    if form.seen.as_ref().is_none_or(|(text, revision, of, _)| (text, *revision, of) != asked) {
        let preview = if formula.is_empty() { Ok(Vec::new()) } else { column_preview(dataset, &formula, &ids) };
        form.seen = Some((formula.clone(), workspace.revision(), ids.clone(), preview));
    }
    let preview = form.seen.as_ref().map(|(.., preview)| preview);
    ui.add_space(STEP);
    match preview {
        Some(Err(why)) => drop(ui.label(RichText::new(why).color(theme.ruby))),
        Some(Ok(list)) if !formula.is_empty() => shown(ui, theme, workspace, &ids, list),
        _ => drop(dim(ui, theme, "What comes out is shown here before anything is done")),
    }
    let ready = !formula.is_empty() && !form.what.into.trim().is_empty() && preview.is_some_and(Result::is_ok);
    let entered = ui.input_mut(|input| input.consume_key(egui::Modifiers::COMMAND, Key::Enter));
    ui.add_space(STEP);
    ui.horizontal(|ui| {
        let clicked = button(ui, theme, "Make it", "Ctrl Enter", ButtonLook::Main, ready).clicked();
        if (clicked || entered) && ready {
            let what = ColumnOf { into: state.column.what.into.trim().to_owned(), formula };
            actions.push(Action::Do(Operation::Column(what)));
            state.popup = None;
        } else if button(ui, theme, "Leave it", "Esc", ButtonLook::Plain, true).clicked() {
            state.popup = None;
        }
    });
}

/// The columns that there are: a click puts one behind what is typed.
fn names(ui: &mut Ui, theme: &Theme, form: &mut ColumnForm, workspace: &Workspace) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(STEP, STEP);
        dim(ui, theme, "Columns");
        for field in workspace.dataset().fields().iter().take(24) {
            let plain = field.name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
                && !field.name.starts_with(|letter: char| letter.is_numeric());
            let name = if plain { field.name.to_string() } else { format!("[{}]", field.name) };
            if ui.link(RichText::new(&name).font(theme.mono()).color(theme.accent)).clicked() {
                form.what.formula.push_str(&name);
            }
        }
    });
}

fn functions(ui: &mut Ui, theme: &Theme) {
    ScrollArea::vertical().max_height(160.0).auto_shrink([false, true]).show(ui, |ui| {
        for function in &FUNCTIONS {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
            let half = (rect.width() * 0.5).min(250.0);
            clipped(ui, rect.left_top(), half - 8.0, function.usage, theme.mono(), theme.text, 1);
            clipped(ui, rect.left_top() + vec2(half, 0.0), rect.width() - half, function.help, theme.body(), theme.dim, 1);
        }
    });
}

/// What comes out of the first samples.
fn shown(ui: &mut Ui, theme: &Theme, workspace: &Workspace, ids: &[SampleId], list: &[Result<Option<String>, String>]) {
    let dataset = workspace.dataset();
    let beside = dataset.with_role(|role| role == ColumnRole::Text).unwrap_or(0);
    for (id, value) in ids.iter().zip(list) {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
        let half = rect.width() * 0.5;
        let own = dataset.text(beside, *id).unwrap_or_default();
        clipped(ui, rect.left_top(), half - 12.0, &flat(&own, 1), theme.body(), theme.dim, 1);
        let (text, ink) = match value {
            Ok(Some(text)) => (flat(text, 1).into_owned(), theme.text),
            Ok(None) => ("empty".to_owned(), theme.faint),
            Err(why) => (why.clone(), theme.amber),
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("Sample {}: {text}", id.0)));
        clipped(ui, rect.left_top() + vec2(half, 0.0), rect.width() - half, &text, theme.body(), ink, 1);
    }
    ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
        dim(ui, theme, "of the first samples that the filter leaves; it is made for all");
    });
}
