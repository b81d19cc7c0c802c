//! The inspector: the sample under the cursor, whole, with its label, findings, other columns and history.

use egui::{Frame, Margin, Panel, RichText, Role as WidgetType, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::Bundle;
use super::commands::Command;
use super::found;
use super::sample::heading;
use super::sample::state::{Piece, Spot};
use super::stages::label::Offered;
use super::state::UiState;
use super::theme::{STEP, Theme};
use super::view::View;
use super::widgets::controls::{ButtonLook, button, caption, class_label, dim, keycap, severity_ink, square};
use super::widgets::text::{count, cut, is_code, percent, things, turns, visible, visible_within};
use super::widgets::tokens::drawn;
use super::widgets::{guideline, portrait};
use crate::action::Action;
use crate::data::{Dataset, Kind, Role, Rule, SampleId, SampleSet};
use crate::derive::TextOf;
use crate::eye::is_for_language_models;
use crate::learn::contamination::shared_words;
use crate::operate::Operation;
use crate::session::Workspace;

/// The most of a text that the inspector lays out at once.
const LONGEST: usize = 20_000;
/// The height of tokens.
const TOKENS: f32 = 320.0;

/// Draws the panel on the right.
pub fn panel(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let theme = bundle.theme;
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(16, 8));
    let wide = if state.inspector_width > 0.0 { state.inspector_width } else { theme.sizes.inspector };
    let shown = Panel::right("inspector").default_size(wide).size_range(260.0..=720.0).frame(frame).show(ui, |ui| {
        let cursor = state.selection.cursor.filter(|id| id.row() < workspace.dataset().rows());
        if let Some(id) = cursor.filter(|_| workspace.dataset().pictures().is_some()) {
            // Above what scrolls, so that the wheel over it zooms.
            let tall = ui.available_width().min(ui.available_height() * 0.46);
            let (place, _) = ui.allocate_exact_size(vec2(ui.available_width(), tall), Sense::hover());
            portrait::draw(ui, theme, bundle.pictures, &mut state.viewer, workspace.dataset(), id, place);
            ui.add_space(STEP);
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let many = state.selection.chosen.len();
            if many > 1 {
                selection(ui, theme, many, actions, state, commands);
            }
            if let Some(id) = state.selection.cursor.filter(|id| id.row() < workspace.dataset().rows()) {
                sample(ui, state, bundle, workspace, id, actions, commands);
            } else {
                ui.add_space(STEP * 10.0);
                ui.vertical_centered(|ui| dim(ui, theme, "Click a sample, or press J, to see it whole"));
            }
        });
    });
    // What somebody drags is kept; what grows by what stands in it is not.
    if ui.input(|input| input.pointer.primary_down()) {
        state.inspector_width = shown.response.rect.width().round();
    }
}

fn selection(ui: &mut Ui, theme: &Theme, many: usize, actions: &mut Vec<Action>, state: &UiState, commands: &mut Vec<Command>) {
    ui.label(RichText::new(format!("{} chosen", things(many, "sample", "samples"))).font(theme.strong()).color(theme.accent));
    ui.horizontal_wrapped(|ui| {
        for (command, text) in [(Command::PickClass, "Class"), (Command::Exclude, "Exclude"), (Command::Tag, "Tag")] {
            if button(ui, theme, text, &command.key_text(), ButtonLook::Plain, true).clicked() {
                commands.push(command);
            }
        }
    });
    if button(ui, theme, "Mark all reviewed", "", ButtonLook::Quiet, true).clicked() {
        actions.push(Action::Do(Operation::Review { samples: state.selection.samples(), on: true }));
    }
    ui.separator();
}

fn sample(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    id: SampleId,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let order = |role: Role| match role {
        Role::Messages => 0,
        Role::Text => 1,
        Role::Label | Role::Labels(_) => 2,
        _ => 3,
    };
    if dataset.pictures().is_some() {
        portrait::facts(ui, theme, bundle.pictures, id);
    }
    let mut fields: Vec<usize> = (0..dataset.fields().len()).collect();
    fields.sort_by_key(|field| order(dataset.fields()[*field].role));
    for field in fields {
        let column = &dataset.fields()[field];
        ui.add_space(STEP * 2.0);
        heading(ui, theme, dataset, field, id);
        match column.role {
            Role::Label | Role::Labels(_) => label(ui, state, bundle, workspace, field, id, actions, commands),
            Role::Messages => chat(ui, theme, &dataset.text(field, id).unwrap_or_default()),
            _ => text(ui, state, theme, dataset, field, id),
        }
    }
    taken(ui, theme, dataset, id);
    family(ui, state, theme, dataset, id);
    label_error(ui, theme, bundle, id, commands, state);
    // The marks say whether there is anything to look for: the list may be long.
    if bundle.session.flag(id).is_some() {
        found::draw(ui, state, theme, workspace, id, actions);
    }
    contaminated(ui, theme, bundle, dataset, id);
    if is_for_language_models(dataset) {
        as_trained(ui, state, bundle, id);
    }
    ui.add_space(STEP * 3.0);
    ui.horizontal_wrapped(|ui| marks(ui, theme, dataset, id, actions));
    history(ui, theme, workspace, id);
}

/// The test text that the sample shares words with, where such were looked for: the words marked in both.
fn contaminated(ui: &mut Ui, theme: &Theme, bundle: &Bundle<'_>, dataset: &Dataset, id: SampleId) {
    let Some(shared) = bundle.session.shared_runs() else { return };
    let Some(one) = shared.found.get(&id) else { return };
    caption(ui, theme, "test text");
    let share = f64::from(one.covered) / f64::from(one.words.max(1));
    let text =
        format!("{} of its words stand in {}, too, most of them in its text {}", percent(share), shared.tests.name, one.test);
    ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
    let (Ok(own), Some(test)) = (TextOf::of(dataset, None), shared.tests.text(one.test)) else { return };
    let own = own.read(dataset, id);
    for (name, text, other) in [("here", &*own, &*test), ("there", &*test, &*own)] {
        dim(ui, theme, name);
        let text = cut(text, LONGEST);
        let mut job =
            egui::text::LayoutJob { wrap: egui::text::TextWrapping::wrap_at_width(ui.available_width()), ..Default::default() };
        let mut at = 0;
        let format = |background| egui::TextFormat { font_id: theme.body(), color: theme.text, background, ..Default::default() };
        for place in shared_words(text, cut(other, LONGEST), shared.tests.prints.n) {
            job.append(&visible_within(&text[at..place.start]), 0.0, format(egui::Color32::TRANSPARENT));
            job.append(&visible_within(&text[place.clone()]), 0.0, format(theme.amber.gamma_multiply(0.25)));
            at = place.end;
        }
        job.append(&visible_within(&text[at..]), 0.0, format(egui::Color32::TRANSPARENT));
        ui.label(job);
    }
}

/// The sample as a trainer's model sees it, where that is asked for.
fn as_trained(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, id: SampleId) {
    let theme = bundle.theme;
    caption(ui, theme, "as a model sees it");
    let title = state.export.target.trainer.entry().title;
    let shows = state.export.in_inspector;
    let (text, hint) = if shows {
        (format!("{title}  ×"), "Hide the tokens")
    } else {
        (format!("Show the tokens, for {title}"), "The trainer is chosen in Export")
    };
    if button(ui, theme, &text, "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
        state.export.in_inspector = !shows;
    }
    if !shows {
        return;
    }
    let eye = bundle.session.eye();
    match (eye.trouble(), eye.row(id)) {
        (Some(why), _) => {
            ui.add(egui::Label::new(RichText::new(why).color(theme.ruby)).wrap());
        }
        (None, Some(row)) => drawn(ui, theme, row, id, Some(TOKENS)),
        (None, None) => {
            dim(ui, theme, "Cutting into tokens…");
        }
    }
}

/// Which log it was taken out of, when it arose there, and why it was taken.
fn taken(ui: &mut Ui, theme: &Theme, dataset: &Dataset, id: SampleId) {
    let Some((_, taken, at)) = dataset.taken(id) else { return };
    caption(ui, theme, "taken over");
    let time = taken.times.get(at).filter(|time| !time.is_empty()).map_or(String::new(), |time| format!(", {time}"));
    let row = taken.rows.get(at).copied().unwrap_or_default();
    ui.add(egui::Label::new(format!("from {}, row {row} of {}{time}", taken.batch, taken.log)).wrap());
    if let Some(why) = taken.reasons.get(at).filter(|why| !why.is_empty()) {
        ui.add(egui::Label::new(RichText::new(crate::ui::sentence(why)).color(theme.dim)).wrap());
    }
}

/// Of which sample it was made and how, or what was made of it.
fn family(ui: &mut Ui, state: &mut UiState, theme: &Theme, dataset: &Dataset, id: SampleId) {
    let origins = dataset.origins(id);
    let parent = origins.as_ref().map_or(id, |origins| origins.parent);
    let children = dataset.children(parent);
    if origins.is_none() && children.is_empty() {
        return;
    }
    caption(ui, theme, "made");
    if let Some(origins) = &origins {
        let other = origins.other.map_or(String::new(), |other| format!(" and {}", other.0));
        ui.label(format!("of sample {}{other} by {}, seed {}", parent.0, origins.made.title(), origins.made.batch.seed));
        if let Some(risk) = origins.risk {
            let far = origins.distance.map_or(String::new(), |far| format!(", distance from the original {far:.2}"));
            ui.label(RichText::new(format!("label risk {risk:.2}{far}")).color(theme.dim));
        }
    } else {
        ui.label(format!("{} of it", things(children.len(), "sample", "samples")));
    }
    if ui.link(RichText::new("show the original and all that was made of it").color(theme.accent)).clicked() {
        let samples: SampleSet = children.iter().copied().chain([parent]).collect();
        state.filter.clauses.retain(|clause| !matches!(clause.rule, Rule::Listed { .. }));
        state.toggle_clause(
            Rule::Listed { title: format!("sample {} and its children", parent.0), samples: samples.into() }.into(),
        );
        state.view = View::Explore;
    }
}

pub fn label(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    field: usize,
    id: SampleId,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let name = &dataset.fields()[field].name;
    let text = dataset.text(field, id).unwrap_or_default();
    let classes = workspace.classes(name);
    let first = dataset.with_role(Role::is_label) == Some(field);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme.sizes.control + 2.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("{name}: {text}; give another class")));
    let fill = if response.hovered() { theme.hover } else { theme.raised };
    ui.painter().rect(rect, theme.corner(), fill, theme.hairline(), egui::StrokeKind::Inside);
    let class = classes.and_then(|classes| Some(classes.hue(*classes.of(id).first()? as usize)));
    let mut x = rect.left() + 12.0;
    if let Some(class) = class {
        square(ui, pos2(x + 4.0, rect.center().y), theme.class(class));
        x += 14.0;
    }
    let (shown, ink) = if text.is_empty() { ("no class yet", theme.faint) } else { (&*text, theme.text) };
    super::widgets::controls::clipped(ui, pos2(x, rect.center().y - 8.0), rect.right() - x - 40.0, shown, theme.body(), ink, 1);
    if first {
        let key = Command::PickClass.key_text();
        super::widgets::controls::right_aligned(ui, pos2(rect.right() - 12.0, rect.center().y), &key, theme.mono(), theme.dim);
    }
    if response.clicked() && first {
        commands.push(Command::PickClass);
    }
    let Some(classes) = classes.filter(|classes| first && !classes.is_many()) else { return };
    // Each class with its key where there are few; else the likeliest, under the keys that they have in the queue. More are reached by typing.
    let likely = bundle.session.likely(id);
    let keys = Offered::digits(workspace, name, likely.iter().map(String::as_str));
    state.offered = Offered { of: Some(id), keys: keys.clone(), suggested: None };
    guideline::draw(ui, theme, dataset, name, [&*text]);
    ui.add_space(STEP);
    ui.horizontal_wrapped(|ui| {
        for (key, class) in keys {
            let key = key.to_string();
            let dead = classes.class(&class).is_none_or(|place| classes.counts()[place] == 0);
            if dead {
                continue;
            }
            // A long name must not push the panel wider.
            let short = if class.chars().count() > 32 {
                format!("{}…", class.chars().take(31).collect::<String>())
            } else {
                class.clone()
            };
            let response = button(ui, theme, &short, &key, ButtonLook::Plain, true);
            let hint = guideline::guideline(dataset, name, &class);
            let hint = hint.map_or_else(|| class.clone(), |text| format!("{class}: {text}"));
            if response.on_hover_text(hint).clicked() {
                actions.push(Action::Do(Operation::SetCells {
                    samples: vec![id],
                    column: name.to_string(),
                    text: class.clone(),
                    review: false,
                }));
            }
        }
    });
}

fn text(ui: &mut Ui, state: &mut UiState, theme: &Theme, dataset: &Dataset, field: usize, id: SampleId) {
    let column = &dataset.fields()[field];
    let Some(cell) = dataset.text(field, id) else {
        ui.label(RichText::new("null").color(theme.faint));
        return;
    };
    if cell.is_empty() && column.kind != Kind::Boolean {
        let response = ui.add(egui::Label::new(RichText::new("empty").color(theme.faint)).sense(Sense::click()));
        if response.double_clicked() {
            begin(state, id, &column.name, "");
        }
        return;
    }
    let main = column.role == Role::Text;
    let shown = cut(&cell, LONGEST);
    let job = |font, ink| {
        let mut job = egui::text::LayoutJob::simple(visible(shown).into_owned(), font, ink, ui.available_width());
        job.sections.iter_mut().for_each(|section| section.format.line_height = Some(if main { 22.0 } else { 19.0 }));
        job
    };
    let job = if is_code(&cell) {
        // Columns that mean something stand under each other.
        job(theme.mono(), theme.text)
    } else if main {
        job(egui::FontId::proportional(theme.sizes.title), theme.text)
    } else if column.kind.is_nested() {
        job(theme.mono(), theme.dim)
    } else {
        job(theme.body(), theme.text)
    };
    let response = ui.add(egui::Label::new(job).wrap().sense(Sense::click()));
    if response.on_hover_text(format!("Double-click to edit ({})", Command::EditCell.key_text())).double_clicked() {
        begin(state, id, &column.name, &cell);
    }
    if cell.len() > LONGEST {
        dim(ui, theme, format!("{} more characters", count(cell.len() - LONGEST)));
    }
}

/// Makes the sample the middle of the window, with the editor of a column open.
fn begin(state: &mut UiState, id: SampleId, column: &str, cell: &str) {
    state.view = View::Explore;
    state.pane.open_in = Some(View::Explore);
    state.pane.begin(Spot { sample: id, column: column.to_owned(), piece: Piece::Cell }, cell);
}

/// A chat as turns: who, and what. What is no chat is shown as it is.
fn chat(ui: &mut Ui, theme: &Theme, json: &str) {
    let turns = turns(cut(json, 200_000));
    if turns.is_empty() {
        ui.label(RichText::new(cut(json, LONGEST)).font(theme.mono()).color(theme.dim));
    }
    for (who, what) in turns {
        let asks = matches!(who.as_str(), "user" | "human");
        let fill = if asks { theme.tint } else { theme.raised };
        Frame::new().fill(fill).corner_radius(theme.corner()).inner_margin(Margin::symmetric(10, 6)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(RichText::new(&who).font(theme.note()).color(theme.dim));
            ui.add(egui::Label::new(visible(cut(&what, LONGEST)).into_owned()).wrap());
        });
    }
}

/// What the label model says of the sample, where it says that its label is wrong.
pub fn label_error(
    ui: &mut Ui,
    theme: &Theme,
    bundle: &Bundle<'_>,
    id: SampleId,
    commands: &mut Vec<Command>,
    state: &mut UiState,
) {
    let Some(report) = bundle.session.labels() else { return };
    let Some(candidate) = report.place.get(&id).map(|at| &report.queue[*at]) else { return };
    caption(ui, theme, "label error");
    let ink = severity_ink(theme, f64::from(candidate.wrong));
    Frame::new().fill(theme.raised).inner_margin(Margin { left: 12, right: 8, top: 6, bottom: 6 }).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let bar = ui.min_rect();
        ui.add(egui::Label::new(RichText::new(&candidate.reason).color(theme.dim)).wrap());
        let names: Vec<&str> = candidate.suggested.iter().map(|class| &*report.names[*class as usize]).collect();
        ui.label(RichText::new(format!("Suggested: {}", names.join(", "))).font(theme.strong()));
        if button(ui, theme, "Review it", &Command::Show(View::Label).key_text(), ButtonLook::Plain, true).clicked() {
            state.review.current = Some(id);
            commands.push(Command::Show(View::Label));
        }
        let bottom = ui.min_rect().bottom() + 6.0;
        ui.painter().vline(bar.left() - 11.0, bar.top() - 6.0..=bottom, Stroke::new(2.0, ink));
    });
}

/// Keep, exclude, and the tags that can be taken off.
pub fn marks(ui: &mut Ui, theme: &Theme, dataset: &Dataset, id: SampleId, actions: &mut Vec<Action>) {
    let (reviewed, excluded) = (dataset.is_reviewed(id), dataset.is_excluded(id));
    let text = if reviewed { "Reviewed" } else { "Keep" };
    if button(ui, theme, text, &Command::Review.key_text(), ButtonLook::Plain, true).clicked() {
        actions.push(Action::Do(Operation::Review { samples: vec![id], on: !reviewed }));
    }
    let (text, look) = if excluded { ("Restore", ButtonLook::Plain) } else { ("Exclude", ButtonLook::Danger) };
    if button(ui, theme, text, &Command::Exclude.key_text(), look, true).clicked() {
        actions.push(Action::Do(Operation::Exclude { samples: vec![id], on: !excluded }));
    }
    let tags: Vec<String> = dataset.tags().filter(|(_, set)| set.contains(id)).map(|(tag, _)| tag.to_owned()).collect();
    for tag in tags {
        if button(ui, theme, &format!("{tag}  ×"), "", ButtonLook::Quiet, true).on_hover_text("Take the tag off").clicked() {
            actions.push(Action::Do(Operation::Tag { samples: vec![id], tag, on: false }));
        }
    }
}

fn history(ui: &mut Ui, theme: &Theme, workspace: &Workspace, id: SampleId) {
    caption(ui, theme, "history");
    let dataset = workspace.dataset();
    let tags: Vec<&str> = dataset.tags().filter(|(_, set)| set.contains(id)).map(|(tag, _)| tag).collect();
    let marked = dataset.is_excluded(id) || dataset.is_reviewed(id) || !tags.is_empty();
    if !dataset.is_sample_edited(id) && !marked {
        dim(ui, theme, "No edits to this sample");
        return;
    }
    if dataset.is_excluded(id) {
        dim(ui, theme, "excluded");
    }
    if dataset.is_reviewed(id) {
        dim(ui, theme, "reviewed");
    }
    if !tags.is_empty() {
        dim(ui, theme, format!("tagged {}", tags.join(", ")));
    }
    for (field, column) in dataset.fields().iter().enumerate() {
        let Some(now) = dataset.edited(field, id) else { continue };
        let was = dataset.unedited(field, id).unwrap_or_default();
        ui.horizontal_wrapped(|ui| {
            dim(ui, theme, format!("{}:", column.name));
            if column.is_given() {
                class_label(ui, theme, None, cut(&was, 60));
                dim(ui, theme, "→");
            }
            class_label(ui, theme, None, cut(now.unwrap_or("null"), 60));
        });
    }
    ui.horizontal(|ui| {
        dim(ui, theme, "Take back the last edit");
        keycap(ui, theme, &Command::Undo.key_text());
    });
}
