//! How a tokenizer cuts a text by hand: at added tokens first, then into pieces, each of which is merged once.

use std::sync::atomic::{AtomicU64, Ordering};

use aho_corasick::{AhoCorasick, MatchKind};
use kitoken::Kitoken;
use serde::Deserialize;

use super::pieces::Pieces;
use super::seen::{self, SeenPieces};

/// What of a tokenizer's file says how texts are normalised and cut.
#[derive(Deserialize)]
pub struct TokenizerForm {
    pub normalizer: serde_json::Value,
    pre_tokenizer: serde_json::Value,
    pub added_tokens: Vec<AddedToken>,
}

/// A token beside the vocabulary.
#[derive(Deserialize)]
pub struct AddedToken {
    pub id: u32,
    pub content: String,
    pub special: bool,
    lstrip: bool,
    rstrip: bool,
    single_word: bool,
}

/// How a text is cut by hand.
pub struct Cut {
    pieces: Pieces,
    added: AhoCorasick,
    added_ids: Vec<u32>,
    number: u64,
}

impl Cut {
    /// How this tokenizer cuts, where its expression is known and its added tokens ask nothing of what stands beside them.
    pub fn of(form: &TokenizerForm) -> Option<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let steps = form.pre_tokenizer["pretokenizers"].as_array()?;
        let [split, bytes] = steps.as_slice() else { return None };
        let known = split["type"] == "Split"
            && split["behavior"] == "Isolated"
            && split["invert"] == false
            && bytes["type"] == "ByteLevel"
            && bytes["add_prefix_space"] == false
            && bytes["use_regex"] == false;
        let plain = form.added_tokens.iter().all(|token| !token.lstrip && !token.rstrip && !token.single_word);
        let pieces = Pieces::of(split["pattern"]["Regex"].as_str()?)?;
        (known && plain).then_some(())?;
        let listed: Vec<&AddedToken> = form.added_tokens.iter().filter(|token| !token.content.is_empty()).collect();
        Some(Self {
            pieces,
            added: AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(listed.iter().map(|token| &token.content))
                .ok()?,
            added_ids: listed.iter().map(|token| token.id).collect(),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// The tokens of a text that is normalised.
    pub fn encode(&self, text: &str, fast: &Kitoken) -> Option<Vec<u32>> {
        seen::with(self.number, |seen| {
            let mut ids = Vec::with_capacity(text.len() / 3);
            let mut from = 0;
            for found in self.added.find_iter(text) {
                self.part(&text[from..found.start()], fast, seen, &mut ids)?;
                ids.push(self.added_ids[found.pattern().as_usize()]);
                from = found.end();
            }
            self.part(&text[from..], fast, seen, &mut ids)?;
            Some(ids)
        })
    }

    fn part(&self, part: &str, fast: &Kitoken, seen: &mut SeenPieces, ids: &mut Vec<u32>) -> Option<()> {
        for piece in self.pieces.cut(part) {
            if !seen.extend(piece, ids) {
                let own = fast.encode(piece, false).ok()?;
                ids.extend_from_slice(&own);
                seen.keep(piece, &own);
            }
        }
        Some(())
    }
}
