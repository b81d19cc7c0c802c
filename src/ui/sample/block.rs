//! A field of a sample: what it is called, what stands there, and its editor in the same place.

use std::ops::Range;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Color32, FontId, Label, RichText, Sense, Ui};

use super::Drawn;
use super::editor::{self, Edited};
use super::reading::{json_in_lines, markdown};
use super::state::{Piece, ReadAs};
use crate::action::Action;
use crate::checks::{FindingKind, limits};
use crate::data::{Chat, Dataset, Role, SampleId, json_fault};
use crate::job::Progress;
use crate::operate::{Means, NOTE, Operation};
use crate::ui::commands::Command;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{caption, dim};
use crate::ui::widgets::text::{count, cut, is_code, visible, visible_within};
use crate::writing::places_of;

/// A text that is longer is folded to its beginning.
const FOLDED: usize = 1_600;
const BEGINNING: usize = 1_000;
/// The most that is laid out at once.
const LONGEST: usize = 200_000;

/// Draws what stands in a field, or its editor.
pub fn draw(ui: &mut Ui, state: &mut UiState, drawn: &mut Drawn<'_>, field: usize, actions: &mut Vec<Action>) {
    let (theme, dataset, id) = (drawn.theme, drawn.dataset(), drawn.id);
    let column = &dataset.fields()[field];
    let cell = dataset.text(field, id);
    let current = cell.as_deref().unwrap_or_default();
    let is_null = cell.is_none();
    // A class, or a part of a split, is its own word; a cell with a structure is checked before it is saved.
    let nested = column.kind.is_nested();
    let fits = |text: &str| fits(dataset, &column.name, id, text, nested);
    let spot = drawn.spot(&column.name, Piece::Cell);
    drawn.note(state, &spot, current);
    let code = nested || is_code(current);
    let edited = Edited { spot, current, name: column.name.to_string(), code, fits: &fits };
    if editor::draw(ui, theme, &mut state.pane, &edited, actions) {
        return;
    }
    let look = match column.role {
        _ if code => TextLook::Code,
        Role::Text | Role::Messages => TextLook::Read,
        _ => TextLook::Plain,
    };
    let class = workspace_class(drawn, &column.name);
    let places = marked(drawn, state, &column.name, current);
    let response = ui
        .horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = STEP;
            if let Some(class) = class {
                let (place, _) = ui.allocate_exact_size(egui::vec2(10.0, 18.0), Sense::hover());
                crate::ui::widgets::controls::square(ui, place.center(), theme.class(class));
            }
            shown(ui, theme, state, &edited, (look, &places), is_null)
        })
        .inner;
    if response {
        state.pane.begin(edited.spot.clone(), current);
    }
}

fn workspace_class(drawn: &Drawn<'_>, column: &str) -> Option<usize> {
    drawn.workspace.classes(column).and_then(|classes| Some(classes.hue(*classes.of(drawn.id).first()? as usize)))
}

/// What is saved of a text in a column; or why it cannot be.
pub fn fits(dataset: &Dataset, column: &str, id: SampleId, text: &str, nested: bool) -> Result<Operation, String> {
    if nested && !text.is_empty() {
        json_fault(text).map_or(Ok(()), Err)?;
    }
    let operation = Operation::SetCells { samples: vec![id], column: column.to_owned(), text: text.to_owned(), review: false };
    planned(dataset, operation)
}

/// Likewise, of a cell that is a line.
pub fn cell_fits(dataset: &Dataset, column: &str, id: SampleId, text: &str) -> Result<Operation, String> {
    fits(dataset, column, id, text, false)
}

/// An operation that can be planned; or why it cannot.
fn planned(dataset: &Dataset, operation: Operation) -> Result<Operation, String> {
    operation.plan(dataset, &Means::default(), &Progress::silent()).map_err(|error| error.to_string())?;
    Ok(operation)
}

/// The name of a field, and whether it was edited.
pub fn heading(ui: &mut Ui, theme: &Theme, dataset: &Dataset, field: usize, id: SampleId) {
    let column = &dataset.fields()[field];
    ui.horizontal(|ui| {
        caption(ui, theme, &column.name);
        if dataset.edited(field, id).is_some() && column.is_given() {
            ui.add_space(STEP);
            let was = dataset.unedited(field, id);
            let was = was.as_deref().map_or("null".to_owned(), |text| format!("“{}”", cut(text, 300)));
            let (word, said) = if dataset.is_made(id) { ("altered", "The original is") } else { ("edited", "It was") };
            ui.label(RichText::new(word).font(theme.note()).color(theme.accent)).on_hover_text(format!("{said} {was}"));
        }
    });
}

/// How a text is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextLook {
    /// To be read: large, with room between lines.
    Read,
    /// Whose columns mean something.
    Code,
    Plain,
}

/// Draws a text, folded where it is long. Returns whether its editor was asked for.
pub fn shown(
    ui: &mut Ui,
    theme: &Theme,
    state: &mut UiState,
    edited: &Edited<'_>,
    (look, places): (TextLook, &[(Range<usize>, Color32)]),
    is_null: bool,
) -> bool {
    let text = edited.current;
    let hint = format!("Double-click to edit ({} begins with the first)", Command::EditCell.key_text());
    if text.is_empty() {
        let word = if is_null { "null" } else { "empty" };
        let response = ui.add(Label::new(RichText::new(word).color(theme.faint)).sense(Sense::click()));
        return response.on_hover_text(hint).double_clicked();
    }
    let whole = state.pane.unfolded.contains(&edited.spot);
    let most = if whole || text.len() <= FOLDED { LONGEST } else { BEGINNING };
    let (font, high) = match look {
        TextLook::Read => (FontId::proportional(theme.sizes.title), 22.0),
        TextLook::Code => (theme.mono(), 19.0),
        TextLook::Plain => (theme.body(), 19.0),
    };
    ui.vertical(|ui| {
        let plain = TextFormat { font_id: font, color: theme.text, line_height: Some(high), ..TextFormat::default() };
        let wide = ui.available_width();
        let job = match state.pane.read_as.get(&edited.spot.column).copied().unwrap_or_default() {
            ReadAs::Markdown => markdown(cut(text, most), theme, &plain, wide),
            ReadAs::Json if text.len() <= LONGEST && json_in_lines(text).is_some() => {
                let lines = json_in_lines(text).unwrap_or_default();
                let code = TextFormat { font_id: theme.mono(), line_height: Some(19.0), ..plain };
                job_of(cut(&lines, most), &[], &code, wide)
            }
            _ => job_of(cut(text, most), places, &plain, wide),
        };
        let response = ui.add(Label::new(job).wrap().sense(Sense::click())).on_hover_text(hint);
        if text.len() > FOLDED {
            let letters = count(text.chars().count());
            let (words, on) = if whole {
                (format!("Fold {letters} characters"), false)
            } else {
                (format!("Show all {letters} characters"), true)
            };
            if ui.link(RichText::new(words).color(theme.accent)).clicked() {
                if on {
                    state.pane.unfolded.insert(edited.spot.clone());
                } else {
                    state.pane.unfolded.remove(&edited.spot);
                }
            }
            if whole && text.len() > LONGEST {
                dim(ui, theme, format!("{} are drawn here; the editor has all", count(LONGEST)));
            }
        }
        response.double_clicked()
    })
    .inner
}

/// A text with places of it on another ground.
fn job_of(text: &str, places: &[(Range<usize>, Color32)], plain: &TextFormat, wide: f32) -> LayoutJob {
    let mut job = LayoutJob { wrap: TextWrapping { max_width: wide, ..TextWrapping::default() }, ..LayoutJob::default() };
    if places.is_empty() {
        job.append(&visible(text), 0.0, plain.clone());
        return job;
    }
    let mut from = 0;
    for (place, ground) in places.iter().filter(|(place, _)| place.end <= text.len()) {
        if place.start >= from {
            job.append(&visible_within(&text[from..place.start]), 0.0, plain.clone());
            job.append(&visible_within(&text[place.clone()]), 0.0, TextFormat { background: *ground, ..plain.clone() });
            from = place.end;
        }
    }
    job.append(&visible_within(&text[from..]), 0.0, plain.clone());
    job
}

/// The places of a text that the filter looks for, and those of what was found in it.
fn marked(drawn: &Drawn<'_>, state: &mut UiState, column: &str, text: &str) -> Vec<(Range<usize>, Color32)> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    let theme = drawn.theme;
    let mut places: Vec<(Range<usize>, Color32)> =
        state.marks().places(column, text).into_iter().map(|place| (place, theme.mark)).collect();
    for finding in drawn.workspace.findings().on(drawn.id).filter(|finding| finding.column == column) {
        if let FindingKind::Written(flaw) = finding.kind {
            let found = places_of(flaw, text, &limits(&state.options));
            places.extend(found.into_iter().map(|place| (place, theme.amber.gamma_multiply(0.35))));
        }
    }
    places.sort_by_key(|(place, _)| (place.start, place.end));
    places
}

/// The note of one's own, which is there to be written on every sample.
pub fn note(ui: &mut Ui, state: &mut UiState, drawn: &mut Drawn<'_>, actions: &mut Vec<Action>) {
    let (theme, dataset, id) = (drawn.theme, drawn.dataset(), drawn.id);
    let field = dataset.field(NOTE);
    ui.add_space(STEP * 3.0);
    caption(ui, theme, NOTE);
    let cell = field.and_then(|field| dataset.text(field, id)).unwrap_or_default();
    let fits = |text: &str| planned(dataset, Operation::Note { samples: vec![id], text: text.to_owned() });
    let spot = drawn.spot(NOTE, Piece::Cell);
    drawn.note(state, &spot, &cell);
    let edited = Edited { spot, current: &cell, name: NOTE.to_owned(), code: false, fits: &fits };
    if editor::draw(ui, theme, &mut state.pane, &edited, actions) {
        return;
    }
    let begins = if cell.is_empty() {
        let words = RichText::new(format!("{} writes a note; it is a column of its own when saved", Command::Note.key_text()));
        ui.add(Label::new(words.color(theme.dim)).sense(Sense::click())).double_clicked()
    } else {
        shown(ui, theme, state, &edited, (TextLook::Plain, &[]), false)
    };
    if begins {
        state.pane.begin(edited.spot.clone(), &cell);
    }
}

/// A turn's text, or another part of a chat that is edited by itself.
pub fn part(
    ui: &mut Ui,
    state: &mut UiState,
    drawn: &mut Drawn<'_>,
    column: &str,
    (piece, current, is_json): (Piece, &str, bool),
    chat: &Chat,
    actions: &mut Vec<Action>,
) {
    let (theme, dataset, id) = (drawn.theme, drawn.dataset(), drawn.id);
    let fits = |text: &str| {
        let cell = match piece {
            Piece::More(turn, at) => chat.with_more(turn, at, text)?,
            Piece::Turn(turn) => {
                // What is a call in JSON stays one.
                let is_call = |text: &str| text.trim_start().starts_with(['{', '[']) && json_fault(text).is_none();
                if chat.turns()[turn].role == "function_call" && is_call(current) {
                    json_fault(text).map_or(Ok(()), |fault| Err(format!("the call is no JSON: {fault}")))?;
                }
                chat.with_text(turn, text)?
            }
            Piece::Cell => text.to_owned(),
        };
        self::fits(dataset, column, id, &cell, true)
    };
    let spot = drawn.spot(column, piece);
    drawn.note(state, &spot, current);
    let code = is_json || is_code(current);
    let name = match piece {
        Piece::Cell => column.to_owned(),
        Piece::Turn(turn) => format!("{column}, turn {}", turn + 1),
        Piece::More(turn, at) => format!("{column}, turn {}, {}", turn + 1, chat.turns()[turn].more[at].0),
    };
    let edited = Edited { spot, current, name, code, fits: &fits };
    if editor::draw(ui, theme, &mut state.pane, &edited, actions) {
        return;
    }
    let mut places = marked(drawn, state, column, current);
    let turn = if let Piece::Turn(turn) = piece { state.pane.differs.get(&(column.to_owned(), turn)) } else { None };
    if let Some((differs, better)) = turn {
        let ground = if *better { theme.emerald } else { theme.ruby }.gamma_multiply(0.28);
        places.extend(differs.iter().map(|place| (place.clone(), ground)));
        places.sort_by_key(|(place, _)| (place.start, place.end));
    }
    if shown(ui, theme, state, &edited, (if code { TextLook::Code } else { TextLook::Read }, &places), false) {
        state.pane.begin(edited.spot.clone(), current);
    }
}
