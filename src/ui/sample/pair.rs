//! A preference pair side by side, the words marked in which they differ; one key changes the two about.

use std::ops::Range;
use std::sync::Arc;

use egui::cache::{ComputerMut, FrameCache};
use egui::text::{LayoutJob, TextFormat};
use egui::{Align, Color32, FontId, Frame, Label, Layout, Margin, Sense, Ui};

use super::Drawn;
use super::block;
use super::chat;
use super::editor::{self, Edited};
use super::state::Piece;
use crate::action::Action;
use crate::data::{Chat, Dataset, Role};
use crate::operate::Operation;
use crate::ui::commands::Command;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button};
use crate::ui::widgets::text::{cut, visible};

/// What the two columns of a preference pair are called: the better, and the worse.
const NAMES: [(&str, &str); 3] = [("chosen", "rejected"), ("accepted", "rejected"), ("response_chosen", "response_rejected")];
/// The most of a text that is compared and drawn.
const LONGEST: usize = 40_000;

/// The columns of a preference pair, the better first.
pub fn columns(dataset: &Dataset) -> Option<(usize, usize)> {
    NAMES.iter().find_map(|(better, worse)| dataset.field(better).zip(dataset.field(worse)))
}

/// The operation that changes a pair about.
pub fn swap(dataset: &Dataset, samples: Vec<crate::data::SampleId>) -> Option<Operation> {
    let (one, other) = columns(dataset)?;
    let name = |field: usize| dataset.fields()[field].name.to_string();
    Some(Operation::Swap { samples, one: name(one), other: name(other) })
}

type Both = Arc<(Vec<Range<usize>>, Vec<Range<usize>>)>;

#[derive(Default)]
struct Differ;

impl ComputerMut<(&str, &str), Both> for Differ {
    fn compute(&mut self, (one, other): (&str, &str)) -> Both {
        Arc::new(crate::ui::widgets::diff::differences(one, other))
    }
}

/// Draws the pair.
pub fn draw(ui: &mut Ui, state: &mut UiState, drawn: &mut Drawn<'_>, (better, worse): (usize, usize), actions: &mut Vec<Action>) {
    let (theme, dataset, id) = (drawn.theme, drawn.dataset(), drawn.id);
    let of = |field: usize| dataset.text(field, id).unwrap_or_default();
    let (one, other) = (of(better), of(worse));
    ui.add_space(STEP * 2.0);
    if button(ui, theme, "Swap the two", &Command::Swap.key_text(), ButtonLook::Plain, one != other).clicked() {
        actions.extend(swap(dataset, vec![id]).map(Action::Do));
    }
    let chats = [&one, &other].map(|cell| {
        let is_chat = |field: usize| dataset.fields()[field].role == Role::Messages || dataset.fields()[field].kind.is_nested();
        if is_chat(better) || is_chat(worse) { chat::parsed(ui, cell) } else { None }
    });
    if let [Some(one), Some(other)] = &chats {
        turns(ui, state, [(dataset, better, one), (dataset, worse, other)]);
    }
    ui.columns(2, |sides| {
        let texts = [cut(&one, LONGEST), cut(&other, LONGEST)];
        let both: Both =
            sides[0].memory_mut(|memory| memory.caches.cache::<FrameCache<Both, Differ>>().get((texts[0], texts[1])).clone());
        let marks = [(better, &both.0, theme.emerald), (worse, &both.1, theme.ruby)];
        for (at, (field, ranges, ink)) in marks.into_iter().enumerate() {
            let ui = &mut sides[at];
            ui.add_space(STEP * 3.0);
            block::heading(ui, theme, dataset, field, id);
            let name = &dataset.fields()[field].name;
            if let Some(chat) = &chats[at] {
                chat::draw(ui, state, drawn, name, chat, actions);
                continue;
            }
            side(ui, state, drawn, field, texts[at], ranges, ink, actions);
        }
    });
}

/// Notes where the turns of two chats differ, turn by turn.
fn turns(ui: &Ui, state: &mut UiState, [one, other]: [(&Dataset, usize, &Chat); 2]) {
    let name = |(dataset, field, _): (&Dataset, usize, &Chat)| dataset.fields()[field].name.to_string();
    let names = [name(one), name(other)];
    for (turn, (a, b)) in one.2.turns().iter().zip(other.2.turns()).enumerate() {
        if a.text == b.text || a.is_json || b.is_json {
            continue;
        }
        let texts = (cut(&a.text, LONGEST), cut(&b.text, LONGEST));
        let both: Both = ui.memory_mut(|memory| memory.caches.cache::<FrameCache<Both, Differ>>().get(texts).clone());
        state.pane.differs.insert((names[0].clone(), turn), (both.0.clone(), true));
        state.pane.differs.insert((names[1].clone(), turn), (both.1.clone(), false));
    }
}

/// A part of a text as it is drawn: only at the ends of the whole are blanks marked.
fn within(text: &str, part: Range<usize>) -> String {
    let own = &text[part.clone()];
    let body = own.trim_matches(' ');
    let before = if part.start == 0 { "" } else { &own[..own.len() - own.trim_start_matches(' ').len()] };
    let behind = if part.end == text.len() { "" } else { &own[own.trim_end_matches(' ').len()..] };
    if body.is_empty() && part.start > 0 && part.end < text.len() {
        return own.to_owned();
    }
    let middle = &own[before.len()..own.len() - behind.len()];
    format!("{before}{}{behind}", visible(middle))
}

#[allow(clippy::too_many_arguments)]
fn side(
    ui: &mut Ui,
    state: &mut UiState,
    drawn: &mut Drawn<'_>,
    field: usize,
    text: &str,
    ranges: &[Range<usize>],
    ink: Color32,
    actions: &mut Vec<Action>,
) {
    let (theme, dataset, id) = (drawn.theme, drawn.dataset(), drawn.id);
    let column = &dataset.fields()[field];
    let cell = dataset.text(field, id).unwrap_or_default();
    let fits = |text: &str| block::fits(dataset, &column.name, id, text, column.kind.is_nested());
    let spot = drawn.spot(&column.name, Piece::Cell);
    drawn.note(state, &spot, &cell);
    let edited = Edited { spot, current: &cell, name: column.name.to_string(), code: false, fits: &fits };
    if editor::draw(ui, theme, &mut state.pane, &edited, actions) {
        return;
    }
    let mut job =
        LayoutJob { wrap: egui::text::TextWrapping::wrap_at_width(ui.available_width() - 24.0), ..LayoutJob::default() };
    let format = |background| TextFormat {
        font_id: FontId::proportional(theme.sizes.title),
        color: theme.text,
        background,
        line_height: Some(22.0),
        ..TextFormat::default()
    };
    let mut at = 0;
    for range in ranges {
        // The white space behind a word is in both.
        let end = range.start + text[range.clone()].trim_end().len();
        job.append(&within(text, at..range.start), 0.0, format(Color32::TRANSPARENT));
        job.append(&within(text, range.start..end), 0.0, format(ink.gamma_multiply(0.28)));
        at = end;
    }
    job.append(&within(text, at..text.len()), 0.0, format(Color32::TRANSPARENT));
    let frame = Frame::new().fill(theme.panel).corner_radius(theme.corner()).inner_margin(Margin::symmetric(12, 8));
    let response = frame
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            // Sides of equal width would spread the letters over it.
            let left = Layout::top_down(Align::Min);
            ui.with_layout(left, |ui| ui.add(Label::new(job).wrap().sense(Sense::click()))).inner
        })
        .inner;
    if response.double_clicked() {
        state.pane.begin(edited.spot.clone(), &cell);
    }
}
