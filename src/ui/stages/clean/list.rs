//! The findings, worst first: what was found, on which sample, why, and what settles it.

use egui::{Align, Align2, Layout, Rect, Role as WidgetType, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use crate::action::Action;
use crate::checks::{Finding, FindingKind};
use crate::data::{Dataset, Property, Role, Rule, SampleSet};
use crate::derive::texts_of;
use crate::operate::{self, Operation};
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::state::{Popup, UiState};
use crate::ui::theme::STEP;
use crate::ui::view::View;
use crate::ui::widgets::controls::{ButtonLook, button, clipped, right_aligned, severity};
use crate::ui::widgets::text::{flat, flat_chat, things};
use crate::ui::widgets::{diff, picture, rows};
use crate::writing::Repair;

const ROW: f32 = 48.0;
/// Below this width a row has no room for its kind and its button beside its text.
const NARROW: f32 = 380.0;
/// Below this width it has none for its kind.
const TIGHT: f32 = 520.0;

/// Draws the list in what is left of `ui`.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let findings = workspace.findings();
    let shown = state.clean.shown().len();
    if shown == 0 {
        let looking = findings.revision.is_none() || bundle.running.iter().any(|job| job.key == "images");
        let filtered = bundle.session.filtered().is_some();
        let text = match (looking, workspace.dataset().rows(), state.clean.kind) {
            (true, ..) => "Looking…",
            (false, 0, _) => "There are no samples in this file",
            _ if filtered => "Nothing was found on the samples that the filter leaves",
            (_, _, Some(_)) => "Nothing of this kind stands out. Move its threshold to see more",
            (_, _, None) => "Nothing stands out. Choose a kind on the left to move its threshold",
        };
        let middle = ui.available_rect_before_wrap().center();
        ui.painter().text(middle, Align2::CENTER_CENTER, text, theme.body(), theme.dim);
        return;
    }
    let mut area = ScrollArea::vertical().auto_shrink(false);
    if std::mem::take(&mut state.clean.follow) {
        let at = state.clean.at().unwrap_or(0) as f32 * ROW;
        // Seen already, it stays where it is; else it is brought to the middle.
        let (id, high) = (ui.make_persistent_id("findings"), ui.available_height());
        let now = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(0.0);
        if at < now || at + ROW > now + high {
            area = area.vertical_scroll_offset((at - high / 2.0).max(0.0));
        }
    }
    let out = rows::draw(ui, area.id_salt("findings"), ROW, shown, |ui, range| {
        for at in range {
            let finding = &findings.list()[state.clean.shown()[at] as usize];
            row(ui, state, bundle, workspace, finding, at, actions);
        }
    });
    let id = ui.make_persistent_id("findings");
    ui.data_mut(|data| data.insert_temp(id, out.state.unclamped_offset().y));
}

fn row(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    finding: &Finding,
    at: usize,
    actions: &mut Vec<Action>,
) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    ui.spacing_mut().item_spacing.y = 0.0;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let here = state.clean.at() == Some(at);
    response.widget_info(|| {
        let name = format!("{} in {}: {}", finding.kind.title(), finding.column, finding.reason);
        WidgetInfo::selected(WidgetType::Button, true, here, name)
    });
    if here || response.hovered() {
        ui.painter().rect_filled(rect, 0, if here { theme.tint } else { theme.raised });
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 0, egui::Stroke::new(1.0, theme.accent), egui::StrokeKind::Inside);
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), theme.hairline());
    let settled = workspace.findings().is_settled(finding);
    let ink = if settled { theme.faint } else { theme.text };
    let (top, below) = (rect.top() + 6.0, rect.top() + 26.0);
    severity(ui, theme, pos2(rect.left() + 20.0, rect.top() + 15.0), if settled { 0.0 } else { finding.gain() });
    ui.painter().text(
        pos2(rect.left() + 14.0, below),
        Align2::LEFT_TOP,
        format!("{:.2}", finding.gain()),
        theme.note(),
        theme.dim,
    );
    let mut left = rect.left() + 46.0;
    let narrow = rect.width() < NARROW;
    if state.clean.kind.is_none() && rect.width() >= TIGHT {
        clipped(ui, pos2(left, top), 116.0, finding.kind.title(), theme.strong(), ink, 1);
        clipped(ui, pos2(left, below), 116.0, &finding.column, theme.note(), theme.dim, 1);
        left += 128.0;
    }
    if dataset.pictures().is_some() {
        for id in finding.samples.iter().take(if narrow { 1 } else { 3 }) {
            let place = Rect::from_min_size(pos2(left, rect.top() + 4.0), vec2(ROW - 8.0, ROW - 8.0));
            picture::draw(ui, theme, bundle.pictures, *id, place, false);
            left = place.right() + STEP;
        }
        left += STEP;
    }
    let buttons = if narrow { 0.0 } else { 118.0 };
    let room = rect.right() - left - buttons - STEP * 3.0;
    match repaired(dataset, finding).filter(|_| !settled) {
        Some((before, after)) => {
            let mut job = diff::layout(theme, &before, &after, room);
            (job.wrap.max_rows, job.wrap.break_anywhere) = (1, true);
            job.sections.iter_mut().for_each(|section| section.format.line_height = None);
            let galley = ui.painter().layout_job(job);
            ui.painter().galley(pos2(left, top), galley, ink);
        }
        None => {
            clipped(ui, pos2(left, top), room, &shown_text(dataset, finding), theme.body(), ink, 1);
        }
    }
    clipped(ui, pos2(left, below), room, &finding.reason, theme.note(), theme.dim, 1);
    let action = Rect::from_min_max(pos2(rect.right() - buttons - 8.0, rect.top()), pos2(rect.right() - 8.0, rect.bottom()));
    if settled {
        let word = if narrow { "" } else { "settled" };
        right_aligned(ui, pos2(rect.right() - 20.0, rect.center().y), word, theme.note(), theme.emerald);
    } else if !narrow {
        let layout = Layout::right_to_left(Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(action).layout(layout), |ui| {
            remedy(ui, state, bundle, workspace, finding, here, actions);
        });
    }
    let response = response.on_hover_text(&finding.reason);
    if response.clicked() {
        state.clean.go(workspace.findings(), at);
    }
    if response.double_clicked() && finding.samples.len() > 1 {
        let samples: SampleSet = finding.samples.iter().copied().collect();
        let title = format!("{} in {}", finding.kind.title().to_lowercase(), finding.column);
        state.toggle_clause(Rule::Listed { title, samples: samples.into() }.into());
        state.view = View::Explore;
    }
}

/// How much of a text stands before what a repair changes, and of all, in letters.
const BEFORE: usize = 28;
const AROUND: usize = 220;
/// Texts of more bytes are not repaired while drawing.
const LONG: usize = 20_000;

/// What a repair makes of a sample's text, about the first place that it changes; `None` where the finding has no repair.
fn repaired(dataset: &Dataset, finding: &Finding) -> Option<(String, String)> {
    let repair = finding.kind.repair()?;
    let [id] = finding.samples.as_slice() else { return None };
    let field = dataset.field(&finding.column)?;
    // A row shows a line: of a very long text the sample shows the whole.
    let cell = dataset.text(field, *id).filter(|cell| cell.len() <= LONG)?;
    let texts = texts_of(&cell, dataset.fields()[field].role);
    let (text, new) = texts.iter().map(|text| (text, repair.repaired(text))).find(|(text, new)| **text != *new)?;
    let same =
        text.char_indices().zip(new.chars()).take_while(|((_, a), b)| a == b).last().map_or(0, |((at, a), _)| at + a.len_utf8());
    let from = text[..same].char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    let part = |text: &str| -> String { flat(&text[from..].chars().take(AROUND).collect::<String>(), 1).into_owned() };
    let dots = if from > 0 { "…" } else { "" };
    Some((format!("{dots}{}", part(text)), format!("{dots}{}", part(&new))))
}

/// What a finding's sample says: the cell where that is what was found, else the sample's text.
fn shown_text(dataset: &Dataset, finding: &Finding) -> String {
    let (one, more) = match finding.samples.as_slice() {
        [] => return finding.column.clone(),
        [one] => (one, String::new()),
        [one, ..] if finding.is_about_column() => return things(finding.samples.len(), "sample", "samples"),
        [one, rest @ ..] => (one, format!("{} × ", rest.len() + 1)),
    };
    let read = |role: Role| matches!(role, Role::Text | Role::Messages | Role::Image);
    let Some(field) = dataset.with_role(read) else { return format!("sample {}", one.0) };
    let text = dataset.text(field, *one).unwrap_or_default();
    if dataset.fields()[field].role == Role::Messages {
        return more + &flat_chat(&text, 1);
    }
    more + &flat(&text, 1)
}

/// What settles a finding: one button, the one that its kind asks for.
fn remedy(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    finding: &Finding,
    here: bool,
    actions: &mut Vec<Action>,
) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let key = |key: &'static str| if here { key } else { "" };
    if finding.is_about_column() {
        let response = button(ui, theme, "No problem", "", ButtonLook::Plain, true);
        let mends = operate::remedy(finding, dataset).map_or(String::new(), |(text, _)| format!("; {}: {text}", key("R")));
        let hint = format!("Nothing of this kind is listed for {} any more{}", finding.column, if here { &*mends } else { "" });
        if response.on_hover_text(hint).clicked() {
            let of = vec![finding.kind.name().to_owned(), finding.column.clone()];
            actions.push(Action::Do(Operation::Say { property: Property::Fine, of, value: Some("yes".to_owned()) }));
        }
        return;
    }
    if finding.kind == FindingKind::RareClass {
        let class = dataset.field(&finding.column).and_then(|field| dataset.text(field, *finding.samples.first()?));
        if let Some(class) = class
            && button(ui, theme, "Merge…", "", ButtonLook::Plain, true)
                .on_hover_text("Gives its samples another class, that there is or a new one")
                .clicked()
        {
            state.pop(Popup::Rename { column: finding.column.clone(), from: class.into_owned() });
        }
        return;
    }
    let mends = if finding.kind.is_of_copies() { None } else { operate::remedy(finding, dataset) };
    if let Some((text, operation)) = mends {
        let hint = finding.kind.repair().map_or("What its kind asks for; Space keeps it as it is", Repair::help);
        // A row has room for the verb.
        let verb = text.split(' ').next().unwrap_or(text);
        if button(ui, theme, verb, key("R"), ButtonLook::Plain, true).on_hover_text(format!("{text}: {hint}")).clicked() {
            actions.push(Action::Do(operation));
        }
        return;
    }
    let (text, hint) = if finding.kind.is_of_copies() {
        ("Keep one", "Excludes all but the first, which is the one that stays")
    } else {
        ("Exclude", "Leaves it out of everything but the table; Space keeps it as it is")
    };
    // One danger at a time: the rows that keys do not act on stay quiet.
    let look = if here { ButtonLook::Danger } else { ButtonLook::Plain };
    if button(ui, theme, text, key("X"), look, true).on_hover_text(hint).clicked() {
        actions.push(Action::Do(Operation::Exclude { samples: finding.decided().to_vec(), on: true }));
    }
}
