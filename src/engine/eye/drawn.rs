//! A sample as a model sees it, token by token: what is learned, what is only read, what is cut off.

use super::forms::TrainerRows;
use super::target::{Trainer, TrainerTarget};
use crate::data::{Dataset, SampleId};
use crate::io::ChatModel;
use crate::trainers::rows::{Reason, RowVerdict};

/// What becomes of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The model learns to say it.
    Trained,
    /// The model reads it.
    Masked,
    /// It is beyond the limit.
    Cut,
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
}

/// More tokens are not drawn.
const MOST: usize = 6_000;

/// Draws a sample. What is left out for its length, or fails, is drawn as it would be without a limit where it can be.
pub fn drawn_row(dataset: &Dataset, rows: &TrainerRows, target: &TrainerTarget, model: &ChatModel, id: SampleId) -> DrawnRow {
    let row = rows.row(dataset, id);
    let unlimited = TrainerTarget { length: usize::MAX >> 2, ..target.clone() };
    let whole = match unlimited.verdict(model, rows.form, &row) {
        RowVerdict::Kept { seen, .. } => seen,
        RowVerdict::TooLong { .. } => {
            return DrawnRow { lost: Some((Reason::TooLong, false, String::new())), ..DrawnRow::default() };
        }
        RowVerdict::Dropped(reason) => return DrawnRow { lost: Some((reason, false, String::new())), ..DrawnRow::default() },
        RowVerdict::Fails(reason, said) => return DrawnRow { lost: Some((reason, true, said)), ..DrawnRow::default() },
    };
    let mut out = DrawnRow::default();
    let kept = match target.verdict(model, rows.form, &row) {
        RowVerdict::Kept { seen, .. } => seen.ids,
        RowVerdict::TooLong { .. } => {
            out.lost = Some((Reason::TooLong, false, String::new()));
            Vec::new()
        }
        RowVerdict::Dropped(reason) => {
            out.lost = Some((reason, false, String::new()));
            Vec::new()
        }
        RowVerdict::Fails(reason, said) => {
            out.lost = Some((reason, true, said));
            Vec::new()
        }
    };
    let stays = staying(&whole.ids, &kept, target.trainer);
    let (mut bytes, mut held): (Vec<u8>, Option<(TokenKind, u32)>) = (Vec::new(), None);
    let put = |bytes: &mut Vec<u8>, held: &mut Option<(TokenKind, u32)>, out: &mut DrawnRow| {
        if let Some((kind, tokens)) = held.take() {
            let text = String::from_utf8_lossy(bytes).into_owned();
            out.tokens.push(DrawnToken { text, kind, control: false, tokens });
        }
        bytes.clear();
    };
    for (at, id) in whole.ids.iter().enumerate() {
        let kind = match (stays[at], whole.trained[at]) {
            (false, _) => TokenKind::Cut,
            (true, true) => TokenKind::Trained,
            (true, false) => TokenKind::Masked,
        };
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
