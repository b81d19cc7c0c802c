//! The editor of a place: what is typed stays, an error stands below it, and nothing but its owner closes it.

use egui::{Id, Key, Margin, Modifiers, RichText, TextEdit, Ui};

use super::state::{Draft, SamplePane, Spot, Way};
use crate::action::Action;
use crate::operate::Operation;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, name_edit};

/// Longer texts are edited in parts of about so many bytes.
pub const WHOLE: usize = 60_000;
const PART: usize = 16_000;
/// How high the editor of a part is at most, in points.
const HIGH: f32 = 360.0;

/// The editor's own identity.
pub fn id_of(spot: &Spot) -> Id {
    Id::unique(("editor", spot))
}

/// What is edited.
pub struct Edited<'e> {
    pub spot: Spot,
    /// What stands there now.
    pub current: &'e str,
    /// What it is called, for screen readers.
    pub name: String,
    /// Whether its letters stand under each other.
    pub code: bool,
    /// What saves a text; or why it cannot be saved, and where that is.
    pub fits: &'e dyn Fn(&str) -> Result<Operation, String>,
}

/// Draws the editor of a place where it is open, or the note that something typed there is not saved. Returns whether the editor was drawn.
pub fn draw(ui: &mut Ui, theme: &Theme, pane: &mut SamplePane, edited: &Edited<'_>, actions: &mut Vec<Action>) -> bool {
    if pane.settle(&edited.spot, edited.current) {
        ui.ctx().request_repaint();
    }
    if pane.at.as_ref() != Some(&edited.spot) {
        unsaved(ui, theme, pane, edited);
        return false;
    }
    let id = id_of(&edited.spot);
    let claims = std::mem::take(&mut pane.claims);
    let has_keyboard = ui.memory(|memory| memory.has_focus(id)) || claims;
    let pressed = |ui: &mut Ui, modifiers, key| has_keyboard && ui.input_mut(|input| input.consume_key(modifiers, key));
    let mut saves = pressed(ui, Modifiers::COMMAND, Key::Enter);
    let step = match (pressed(ui, Modifiers::SHIFT, Key::Tab), pressed(ui, Modifiers::NONE, Key::Tab)) {
        (true, _) => Some(Way::Previous),
        (_, true) => Some(Way::Next),
        _ => None,
    };
    let Some(draft) = pane.draft_mut(&edited.spot) else { return false };
    // A text of a megabyte cannot be laid out with every letter typed: a part of it is edited at a time.
    let large = draft.text.len() > WHOLE;
    let (start, end) = if large { part_of(&draft.text, draft.from) } else { (0, draft.text.len()) };
    let moved = large && parts(ui, theme, draft, (start, end));
    let mut part = if large { draft.text[start..end].to_owned() } else { std::mem::take(&mut draft.text) };
    let lines = part.split('\n').map(|line| 1 + line.len() / 90).sum::<usize>().clamp(1, 18);
    let edit = TextEdit::multiline(&mut part)
        .id(id)
        // Tab goes on to the next place; that was looked for above.
        .lock_focus(true)
        .desired_width(f32::INFINITY)
        .desired_rows(lines)
        .font(if edited.code { theme.mono() } else { egui::FontId::proportional(theme.sizes.title) })
        .margin(Margin::symmetric(10, 8));
    // A part is longer than the window is high: it scrolls by itself, and what stands about it stays in sight.
    let response = if large {
        egui::ScrollArea::vertical().id_salt("part").max_height(HIGH).show(ui, |ui| ui.add(edit)).inner
    } else {
        ui.add(edit)
    };
    name_edit(&response, &part, &edited.name);
    if !large {
        draft.text = part;
    } else if response.changed() {
        draft.text.replace_range(start..end, &part);
    }
    // What is wrong is said of what was tried, until it is changed.
    if response.changed() {
        draft.fault = None;
    }
    if let Some(fault) = &draft.fault {
        ui.label(RichText::new(format!("Not saved: {fault}")).color(theme.ruby));
    } else if draft.was != edited.current && draft.asked.is_none() {
        ui.label(RichText::new("What stands there was changed meanwhile; what you typed is kept").color(theme.amber));
    }
    let mut drops = false;
    let below = ui.horizontal_wrapped(|ui| {
        saves |= button(ui, theme, "Save", "Ctrl Enter", ButtonLook::Plain, true).clicked();
        drops = button(ui, theme, "Drop what was typed", "", ButtonLook::Quiet, true).clicked();
        ui.label(RichText::new("Tab saves and goes on, Esc leaves").font(theme.note()).color(theme.dim));
    });
    if claims {
        // What is typed into is seen, with what is said below it.
        let seen = if large { below.response.rect } else { response.rect.union(below.response.rect) };
        ui.scroll_to_rect(seen, None);
    }
    ui.add_space(STEP);
    if drops {
        pane.drop_draft(&edited.spot);
    } else if saves || step.is_some() {
        if save(pane, edited, actions) {
            ui.memory_mut(|memory| memory.surrender_focus(id));
            pane.wanted_beside(&edited.spot, step);
        } else {
            // At the next frame the reason is there to be scrolled to.
            pane.claims = true;
        }
    }
    if claims {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    // In another part one types on.
    pane.claims |= moved;
    true
}

/// The part of a long text that is edited from about a place on: whole letters, and whole lines where lines are short.
fn part_of(text: &str, from: usize) -> (usize, usize) {
    let whole_line = |at: usize| {
        let at = text.floor_char_boundary(at.min(text.len()));
        text[..at].rfind('\n').filter(|line| at - line < PART / 8).map_or(at, |line| line + 1)
    };
    let start = if from == 0 { 0 } else { whole_line(from) };
    let end = if start + PART >= text.len() {
        text.len()
    } else {
        whole_line(start + PART).max(text.floor_char_boundary(start + PART / 2))
    };
    (start, end)
}

/// Which part of a long text is edited, and the way to the others; whether it was gone.
fn parts(ui: &mut Ui, theme: &Theme, draft: &mut Draft, (start, end): (usize, usize)) -> bool {
    let (all, before) = (draft.text.len(), draft.from);
    ui.horizontal_wrapped(|ui| {
        let words = format!("A long text is edited in parts: this one ends at {:.0} %", end as f64 / all.max(1) as f64 * 100.0);
        ui.label(RichText::new(words).font(theme.note()).color(theme.dim));
        if button(ui, theme, "Part before", "", ButtonLook::Quiet, start > 0).clicked() {
            draft.from = start.saturating_sub(PART);
        }
        if button(ui, theme, "Part after", "", ButtonLook::Quiet, end < all).clicked() {
            draft.from = end;
        }
    });
    draft.from != before
}

/// Saves what was typed, where it can be; else says why not, and leaves the editor as it is.
fn save(pane: &mut SamplePane, edited: &Edited<'_>, actions: &mut Vec<Action>) -> bool {
    let Some(draft) = pane.draft_mut(&edited.spot) else { return true };
    if draft.text == edited.current {
        pane.drop_draft(&edited.spot);
        return true;
    }
    match (edited.fits)(&draft.text) {
        Ok(operation) => {
            actions.push(Action::Do(operation));
            pane.sent(&edited.spot, edited.current);
            true
        }
        Err(fault) => {
            draft.fault = Some(fault);
            false
        }
    }
}

/// Says that something typed here is not saved.
fn unsaved(ui: &mut Ui, theme: &Theme, pane: &mut SamplePane, edited: &Edited<'_>) {
    let Some(draft) = pane.draft(&edited.spot).filter(|draft| draft.asked.is_none() && draft.text != draft.was) else { return };
    let fault = draft.fault.as_deref().map_or(String::new(), |fault| format!(": {fault}"));
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(format!("Something typed here is not saved{fault}")).color(theme.amber));
        if button(ui, theme, "Go on with it", "", ButtonLook::Quiet, true).clicked() {
            pane.begin(edited.spot.clone(), edited.current);
        }
        if button(ui, theme, "Drop it", "", ButtonLook::Quiet, true).clicked() {
            pane.drop_draft(&edited.spot);
        }
    });
}
