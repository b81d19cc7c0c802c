//! A sample as a model sees it, token by token: what is learned, what is only read, what is cut off.

use super::forms::TrainerRows;
use super::target::{Trainer, TrainerTarget};
use super::written::handed_verdict;
use crate::data::{Dataset, SampleId};
use crate::io::ChatModel;
use crate::render::Conversation;
use crate::trainers::SeenTokens;
use crate::trainers::masks::by_ways;
use crate::trainers::rows::{Reason, RowVerdict, TrainerRow, Versus};

/// What becomes of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The model learns to say it.
    Trained,
    /// The model reads it.
    Masked,
    /// It is beyond the limit.
    Cut,
    /// Whether the model learns it cannot be told.
    Untold,
}

/// One token, or several that make letters only together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnToken {
    pub text: String,
    pub kind: TokenKind,
    /// Whether it is control and no text.
    pub control: bool,
    /// How many tokens it is.
    pub tokens: u32,
}

/// A sample as a model sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrawnRow {
    pub tokens: Vec<DrawnToken>,
    /// Tokens that are seen, that are learned, and that are cut off.
    pub seen: usize,
    pub learned: usize,
    pub cut: usize,
    /// Why it is left out, or fails the run, and what was said.
    pub lost: Option<(Reason, bool, String)>,
    /// How many tokens are not drawn, of very many.
    pub more: usize,
    /// Of a pair, the same question with the worse answer.
    pub worse: Option<Box<DrawnRow>>,
    /// Where nothing can be cut into tokens: the row as it stands.
    pub raw: String,
    /// Of a judged answer, whether the trainer takes it for a good one.
    pub good: Option<bool>,
}

/// Of a row that cannot be cut into tokens, so many letters are shown.
const RAW: usize = 20_000;
/// What is said where the run fails, and the answers were found all the same.
const WOULD_BE: &str = "what is coloured was found by rendering: a template with {% generation %} would learn it";
/// More tokens are not drawn.
const MOST: usize = 6_000;

/// Draws a sample. What is left out for its length, or fails, is drawn as it would be without a limit where it can be.
pub fn drawn_row(dataset: &Dataset, rows: &TrainerRows, target: &TrainerTarget, model: &ChatModel, id: SampleId) -> DrawnRow {
    let row = rows.row(dataset, id);
    let unlimited = TrainerTarget { length: usize::MAX >> 2, ..target.clone() };
    let lost = |reason, fails, said| {
        let mut raw = serde_json::to_string_pretty(&row).unwrap_or_default();
        if let Some((end, _)) = raw.char_indices().nth(RAW) {
            raw.truncate(end);
            raw.push('…');
        }
        DrawnRow { lost: Some((reason, fails, said)), raw, ..DrawnRow::default() }
    };
    let (whole, versus) = match handed_verdict(&unlimited, model, rows.form, &row) {
        RowVerdict::Kept { seen, versus, .. } => (seen, versus),
        RowVerdict::TooLong { .. } => return lost(Reason::TooLong, false, String::new()),
        RowVerdict::Dropped(reason) => return lost(reason, false, String::new()),
        RowVerdict::Fails(reason, said) => {
            let drawn = if reason == Reason::NoGeneration { would_be(&row, target, model) } else { None };
            return match drawn {
                Some(drawn) => DrawnRow { lost: Some((reason, true, WOULD_BE.to_owned())), ..drawn },
                None => lost(reason, true, said),
            };
        }
    };
    let (kept, limited, lost) = match handed_verdict(target, model, rows.form, &row) {
        RowVerdict::Kept { seen, versus, .. } => (seen.ids, versus, None),
        RowVerdict::TooLong { .. } => (Vec::new(), Versus::Nothing, Some((Reason::TooLong, false, String::new()))),
        RowVerdict::Dropped(reason) => (Vec::new(), Versus::Nothing, Some((reason, false, String::new()))),
        RowVerdict::Fails(reason, said) => (Vec::new(), Versus::Nothing, Some((reason, true, said))),
    };
    let mut out = drawn(&whole, &kept, target.trainer, model);
    out.lost = lost;
    match versus {
        Versus::Nothing => {}
        Versus::Judged(good) => out.good = Some(good),
        Versus::Rejected { seen: worse, .. } => {
            let kept = if let Versus::Rejected { seen, .. } = limited { seen.ids } else { Vec::new() };
            out.worse = Some(Box::new(drawn(&worse, &kept, target.trainer, model)));
        }
    }
    out
}

/// A sequence of which some tokens are kept.
fn drawn(whole: &SeenTokens, kept: &[u32], trainer: Trainer, model: &ChatModel) -> DrawnRow {
    let stays = staying(&whole.ids, kept, trainer);
    let kinds: Vec<TokenKind> = stays
        .iter()
        .zip(&whole.trained)
        .map(|pair| match pair {
            (false, _) => TokenKind::Cut,
            (true, true) => TokenKind::Trained,
            (true, false) => TokenKind::Masked,
        })
        .collect();
    drawn_as(&whole.ids, &kinds, model)
}

/// Tokens, each as what it is.
fn drawn_as(ids: &[u32], kinds: &[TokenKind], model: &ChatModel) -> DrawnRow {
    let mut out = DrawnRow::default();
    let (mut bytes, mut held): (Vec<u8>, Option<(TokenKind, u32)>) = (Vec::new(), None);
    let put = |bytes: &mut Vec<u8>, held: &mut Option<(TokenKind, u32)>, out: &mut DrawnRow| {
        if let Some((kind, tokens)) = held.take() {
            let text = String::from_utf8_lossy(bytes).into_owned();
            out.tokens.push(DrawnToken { text, kind, control: false, tokens });
        }
        bytes.clear();
    };
    for (id, kind) in ids.iter().zip(kinds.iter().copied()) {
        out.seen += usize::from(kind != TokenKind::Cut);
        out.learned += usize::from(kind == TokenKind::Trained);
        out.cut += usize::from(kind == TokenKind::Cut);
        if out.tokens.len() >= MOST {
            out.more += 1;
            continue;
        }
        if model.tokenizer.is_control(*id) {
            put(&mut bytes, &mut held, &mut out);
            out.tokens.push(DrawnToken { text: model.tokenizer.decode(&[*id]), kind, control: true, tokens: 1 });
            continue;
        }
        // Letters may be cut in two by tokens: those are drawn as one.
        if held.is_some_and(|(before, _)| before != kind) || std::str::from_utf8(&bytes).is_ok() {
            put(&mut bytes, &mut held, &mut out);
        }
        bytes.extend(model.tokenizer.bytes_of(*id));
        held = Some((kind, held.map_or(0, |(_, tokens)| tokens) + 1));
    }
    put(&mut bytes, &mut held, &mut out);
    out
}

/// Where the template does not say what is generated, and the run fails for it: which tokens the answers are, as far as that can be found and proven; what cannot be told stands
/// between what can.
fn would_be(row: &TrainerRow, target: &TrainerTarget, model: &ChatModel) -> Option<DrawnRow> {
    let messages = row.get("messages")?.as_array()?;
    let more = serde_json::Map::new();
    let conversation = Conversation {
        messages,
        tools: row.get("tools").filter(|tools| tools.is_array()),
        documents: None,
        add_generation_prompt: false,
        tokens: &model.tokens,
        more: &more,
        now: target.now(),
    };
    let (whole, found) = by_ways(&model.template, &conversation).ok()?;
    let placed = model.tokenizer.placed(&whole);
    let told = |at: usize| found[at].place.as_ref().map(|(place, _)| place.clone());
    let untold: Vec<std::ops::Range<usize>> = (0..found.len())
        .filter(|at| told(*at).is_none())
        .map(|at| {
            let from = (0..at).rev().find_map(told).map_or(0, |place| place.end);
            from..(at + 1..found.len()).find_map(told).map_or(whole.len(), |place| place.start)
        })
        .collect();
    let learned: Vec<std::ops::Range<usize>> = (0..found.len()).filter_map(told).collect();
    let within = |spans: &[std::ops::Range<usize>], place: &std::ops::Range<usize>| {
        spans.iter().any(|span| place.start < span.end && span.start < place.end)
    };
    let kinds: Vec<TokenKind> = placed
        .iter()
        .map(|one| match (within(&learned, &one.place), within(&untold, &one.place)) {
            (true, _) => TokenKind::Trained,
            (false, true) => TokenKind::Untold,
            (false, false) => TokenKind::Masked,
        })
        .collect();
    let ids: Vec<u32> = placed.iter().map(|one| one.id).collect();
    Some(drawn_as(&ids, &kinds, model))
}

/// Which tokens of the whole are kept.
fn staying(whole: &[u32], kept: &[u32], trainer: Trainer) -> Vec<bool> {
    if trainer != Trainer::LlamaFactory || whole.len() == kept.len() {
        return (0..whole.len()).map(|at| at < kept.len()).collect();
    }
    // Beginnings of questions and of answers are kept: a run that goes on as the whole does, then one that begins later. From the end on, each is looked for as
    // late as it can stand; what is kept of a question is its beginning, so runs are taken as long as they go from the front.
    let mut stays = vec![false; whole.len()];
    let mut at = 0;
    let mut from = 0;
    while from < kept.len() && at < whole.len() {
        let run = kept[from..].iter().zip(&whole[at..]).take_while(|(a, b)| a == b).count();
        if run > 0 {
            stays[at..at + run].iter_mut().for_each(|stay| *stay = true);
            (from, at) = (from + run, at + run);
        }
        if from >= kept.len() {
            break;
        }
        // The next run begins where the most of what is left goes on.
        let ahead = kept.len() - from;
        let best = (at..whole.len()).max_by_key(|place| {
            let long = kept[from..].iter().zip(&whole[*place..]).take(ahead).take_while(|(a, b)| a == b).count();
            (long, std::cmp::Reverse(*place))
        });
        match best {
            Some(place) if whole[place] == kept[from] => at = place,
            _ => break,
        }
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_questions_and_answers_is_found_again() {
        // A question whose end is cut, and an answer whose end is.
        let whole = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        let stays = staying(&whole, &[1, 2, 3, 6, 7], Trainer::LlamaFactory);
        let kept: Vec<u32> = whole.iter().zip(stays).filter(|(_, stay)| *stay).map(|(id, _)| *id).collect();
        assert_eq!(kept, [1, 2, 3, 6, 7]);
        assert_eq!(staying(&whole, &[1, 2], Trainer::Trl), [true, true, false, false, false, false, false, false, false]);
        assert_eq!(staying(&whole, &whole, Trainer::LlamaFactory), [true; 9]);
    }
}
