//! The shape of a text: its words over and over, mostly signs, keys at random, an end in the middle, too few or too many words.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::{Flaw, Seen};

/// Where flagging begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The share of words that stand in runs of [`GRAM`] words seen before, 0 to 1.
    pub repeated: f64,
    /// The share of signs and digits among all that is no blank, 0 to 1.
    pub symbols: f64,
    /// The fewest words, and the most, or of what else is counted; 0 for no limit.
    pub fewest: usize,
    pub most: usize,
    pub counted: Counted,
}

/// What lengths are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counted {
    #[default]
    Words,
    /// Unicode's code points.
    Letters,
    /// Tokens of a model: counted by whoever has a tokenizer, and not here.
    Tokens,
}

impl Counted {
    /// Each, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Words, Self::Letters, Self::Tokens];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Letters => "characters",
            Self::Tokens => "tokens",
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { repeated: 0.5, symbols: 0.5, fewest: 0, most: 0, counted: Counted::Words }
    }
}

/// Words in a row that are held against those before (Rae and others, 2021, count n-grams of 5 to 10 words).
const GRAM: usize = 5;
/// Of fewer words none is said to be repeated, but where one word stands so often in a row.
const FEW_WORDS: usize = 30;
const IN_A_ROW: usize = 6;
/// Texts of fewer letters, digits and signs are not said to be of signs, or of keys at random.
const FEW_SIGNS: usize = 12;
/// Consonants in a row that no word of a language in Latin letters has.
const CONSONANTS: usize = 6;

/// Finds it. `counts` are the letters of ASCII, digits and signs.
pub fn find(text: &str, limits: &Limits, counts: (usize, usize, usize), out: &mut Vec<Seen>) {
    let (letters, digits, signs) = counts;
    let beyond = text.len() - text.trim().len();
    let filled = text.len() - beyond;
    let others = filled.saturating_sub(letters + digits + signs);
    if digits + signs >= FEW_SIGNS {
        // Letters beyond ASCII take two bytes and more, and blanks one: both are on the side of letters.
        let share = (digits + signs) as f64 / (letters + digits + signs + others / 2).max(1) as f64;
        if share > limits.symbols && signs * 2 > digits {
            out.push((Flaw::Symbols, text.len() - text.trim_start().len()..text.trim_end().len()));
        }
    }
    repeated(text, limits, out);
    if others < letters && letters >= FEW_SIGNS {
        gibberish(text, out);
    }
    if limits.fewest > 0 || limits.most > 0 {
        let beyond = |n: usize| match limits.counted {
            Counted::Words => text.split_whitespace().nth(n).map(|word| word.as_ptr() as usize - text.as_ptr() as usize),
            Counted::Letters => text.char_indices().nth(n).map(|(at, _)| at),
            Counted::Tokens => None,
        };
        if limits.counted != Counted::Tokens && limits.fewest > 0 && beyond(limits.fewest - 1).is_none() {
            out.push((Flaw::TooShort, 0..text.len()));
        }
        if let Some(from) = beyond(limits.most).filter(|_| limits.most > 0) {
            out.push((Flaw::TooLong, from..text.len()));
        }
    }
}

fn repeated(text: &str, limits: &Limits, out: &mut Vec<Seen>) {
    // Most texts are short: those without a word six times in a row are done with at once.
    let mut run: (u64, usize, usize) = (0, 0, 0);
    let mut words: Vec<(u64, Range<usize>)> = Vec::new();
    let mut at = 0;
    for word in text.as_bytes().split(u8::is_ascii_whitespace) {
        let from = at;
        at += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        let (at, hash) = (from, xxh3_64(word));
        run = if run.0 == hash { (hash, run.1 + 1, run.2) } else { (hash, 1, at) };
        if run.1 == IN_A_ROW && word.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 128) {
            out.push((Flaw::Repeated, run.2..at + word.len()));
            return;
        }
        words.push((hash, at..at + word.len()));
    }
    if words.len() < FEW_WORDS {
        return;
    }
    // A table of twice as many places: grams of equal print are taken for the same.
    let mask = (words.len() * 2).next_power_of_two() - 1;
    let mut seen = vec![0u64; mask + 1];
    let mut again = vec![false; words.len()];
    let mut first = None;
    for (at, gram) in words.windows(GRAM).enumerate() {
        let print =
            gram.iter().fold(0u64, |print, (word, _)| print.rotate_left(11).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ word) | 1;
        let mut place = print as usize & mask;
        while seen[place] != 0 && seen[place] != print {
            place = (place + 1) & mask;
        }
        if seen[place] == print {
            again[at..at + GRAM].fill(true);
            first.get_or_insert(at);
        }
        seen[place] = print;
    }
    let share = again.iter().filter(|again| **again).count() as f64 / words.len() as f64;
    if let Some(first) = first.filter(|_| share > limits.repeated) {
        out.push((Flaw::Repeated, words[first].1.start..words[first + GRAM - 1].1.end));
    }
}

/// Whether a word of Latin letters is none that could be said.
fn is_unsayable(word: &str) -> bool {
    let vowel = |letter: u8| matches!(letter | 32, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let mut run = 0;
    let mut longest = 0;
    for letter in word.bytes() {
        run = if vowel(letter) { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    longest >= CONSONANTS
}

/// Whether so many consonants stand in a row anywhere: hardly any text has them.
fn has_a_row(text: &str) -> bool {
    let mut run = 0;
    for byte in text.bytes() {
        let consonant = byte.is_ascii_alphabetic() && !matches!(byte | 32, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
        run = if consonant { run + 1 } else { 0 };
        if run >= CONSONANTS {
            return true;
        }
    }
    false
}

fn gibberish(text: &str, out: &mut Vec<Seen>) {
    if !has_a_row(text) {
        return;
    }
    let mut first: Option<Range<usize>> = None;
    let (mut bad, mut all) = (0, 0);
    for word in text.split(|letter: char| !letter.is_ascii_alphabetic()) {
        // Capitals alone are abbreviations.
        if word.len() < 5 || word.bytes().all(|byte| byte.is_ascii_uppercase()) {
            continue;
        }
        all += 1;
        if is_unsayable(word) {
            bad += 1;
            let at = word.as_ptr() as usize - text.as_ptr() as usize;
            first.get_or_insert(at..at + word.len());
        }
    }
    if bad * 2 > all
        && let Some(place) = first
    {
        out.push((Flaw::Gibberish, place));
    }
}
