//! How fluent a text is among others: the mean log-probability of its words under interpolated Kneser–Ney bigrams (Kneser and Ney, 1995; the
//! form of Chen and Goodman, 1999, with one discount) of the texts themselves.
//!
//! A text and what was made of it are held against each other by models that saw neither: what the original itself counted is taken out. Words
//! that the texts do not have are one unknown word, so a rare but right word and a broken one weigh alike.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64;

use crate::job::{Cancelled, Progress};

/// What of each count is given to what was not seen.
const DISCOUNT: f64 = 0.75;
/// Where a text begins and ends, and words that nobody knows.
const EDGE: u64 = 1;
const UNKNOWN: u64 = 2;
/// The most texts that are learned from: evenly spaced where there are more.
const MOST_TEXTS: usize = 200_000;
/// The most letters of a text that are read, in bytes.
const MOST_BYTES: usize = 4_000;

/// A key that is a hash already.
#[derive(Default, Clone)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type Counts<T> = HashMap<u64, T, BuildHasherDefault<AsItIs>>;

/// What stands behind a word, and before it.
#[derive(Default, Clone, Copy)]
struct Word {
    /// How often it stands before another.
    before: u32,
    /// How many different words stand behind it.
    behind: u32,
    /// How many different words stand before it.
    follows: u32,
}

/// Bigrams of texts.
#[derive(Default)]
pub struct Fluency {
    words: Counts<Word>,
    pairs: Counts<u32>,
}

fn hash_of(word: &str) -> u64 {
    let small: Cow<'_, str> = if word.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        word.to_lowercase().into()
    } else {
        word.into()
    };
    xxh3_64(small.as_bytes()) | 4
}

/// Words, and marks one by one.
fn words_of(text: &str) -> Vec<u64> {
    let end = text.floor_char_boundary(MOST_BYTES.min(text.len()));
    let mut list = vec![EDGE];
    let mut from = None;
    for (at, letter) in text[..end].char_indices() {
        let inside = letter.is_alphanumeric() || matches!(letter, '\'' | '’') && from.is_some();
        match (inside, from) {
            (true, None) => from = Some(at),
            (false, Some(start)) => {
                list.push(hash_of(&text[start..at]));
                from = None;
            }
            _ => {}
        }
        if !inside && !letter.is_whitespace() {
            let mut buffer = [0; 4];
            list.push(hash_of(letter.encode_utf8(&mut buffer)));
        }
    }
    if let Some(start) = from {
        list.push(hash_of(&text[start..end]));
    }
    list.push(EDGE);
    list
}

fn pair(a: u64, b: u64) -> u64 {
    a.rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b
}

impl Fluency {
    /// Learns from `n` texts.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn learn<'t>(n: usize, text: &dyn Fn(usize) -> Cow<'t, str>, progress: &Progress) -> Result<Self, Cancelled> {
        let mut model = Self::default();
        let step = n.div_ceil(MOST_TEXTS).max(1);
        for row in (0..n).step_by(step) {
            model.count(&words_of(&text(row)));
            if row % 1_024 == 0 {
                progress.check()?;
            }
        }
        Ok(model)
    }

    fn count(&mut self, words: &[u64]) {
        for two in words.windows(2) {
            let (a, b) = (two[0], two[1]);
            let seen = self.pairs.entry(pair(a, b)).or_default();
            *seen += 1;
            let new = u32::from(*seen == 1);
            let first = self.words.entry(a).or_default();
            first.before += 1;
            first.behind += new;
            self.words.entry(b).or_default().follows += new;
        }
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.words.capacity() * (8 + size_of::<Word>() + 1) + self.pairs.capacity() * 13
    }

    /// The mean log-probability of the words of `text`, natural; `own` are the pairs to be taken out of what was counted.
    fn mean(&self, text: &[u64], own: &Counts<u32>, own_words: &Counts<u32>) -> f64 {
        let kinds = self.pairs.len().max(1) as f64;
        let known = self.words.len() as f64;
        let mut sum = 0.0;
        for two in text.windows(2) {
            let [a, b] = [two[0], two[1]].map(|word| if self.words.contains_key(&word) { word } else { UNKNOWN });
            let seen = |key: u64, own: &Counts<u32>, all: u32| f64::from(all.saturating_sub(own.get(&key).copied().unwrap_or(0)));
            let (first, second) =
                (self.words.get(&a).copied().unwrap_or_default(), self.words.get(&b).copied().unwrap_or_default());
            // What the discount takes of every word is shared by all, the unknown one among them.
            let single = ((f64::from(second.follows) - DISCOUNT).max(0.0) + DISCOUNT * known / (known + 1.0)) / kinds;
            let single = single.max(1e-12);
            let both = seen(pair(a, b), own, self.pairs.get(&pair(a, b)).copied().unwrap_or(0));
            let total = seen(a, own_words, first.before);
            sum += if total > 0.0 {
                let left = DISCOUNT * f64::from(first.behind).min(total) / total;
                ((both - DISCOUNT).max(0.0) / total + left * single).ln()
            } else {
                single.ln()
            };
        }
        sum / (text.len().max(2) - 1) as f64
    }

    /// How fluent each of `made` is beside the text it was made of: `exp` of the difference of the mean log-probabilities, at most 1. A word out of place
    /// in a sentence of ten gives some 0.7; words thrown together 0.3 and less.
    pub fn beside(&self, original: &str, made: &[&str]) -> Vec<f32> {
        let words = words_of(original);
        let (mut pairs, mut firsts) = (Counts::default(), Counts::default());
        for two in words.windows(2) {
            *pairs.entry(pair(two[0], two[1])).or_default() += 1;
            *firsts.entry(two[0]).or_default() += 1;
        }
        let before = self.mean(&words, &pairs, &firsts);
        let of = |text: &&str| (self.mean(&words_of(text), &pairs, &firsts) - before).exp().min(1.0) as f32;
        made.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_of_the_kind_is_more_fluent_than_its_words_in_another_order() {
        let subjects = ["my card", "the payment", "her account", "this transfer", "your refund"];
        let verbs = ["has not arrived", "was declined", "is still pending", "did not work", "looks wrong"];
        let ends = ["since monday", "in the app", "at the shop", "for a week", "again"];
        let mut texts = Vec::new();
        for (i, subject) in subjects.iter().enumerate() {
            for (j, verb) in verbs.iter().enumerate() {
                texts.push(format!("{subject} {verb} {}.", ends[(i + j) % 5]));
                texts.push(format!("{subject} {verb} {}?", ends[(i * 2 + j) % 5]));
            }
        }
        let model = Fluency::learn(texts.len(), &|row| texts[row].as_str().into(), &Progress::silent()).unwrap();
        let of = model.beside(
            "my card was declined at the shop.",
            &[
                "my card was declined at the shop.",
                "my payment was declined at the shop.",
                "the card was declined in the app.",
                "shop card the declined my at was.",
                "my zqx was declined at the shop.",
            ],
        );
        assert_eq!(of[0], 1.0);
        assert!(of[2] > of[4] && of[4] > of[3], "{of:?}");
        assert!(of[3] < 0.5 && of[4] < 0.9 && of[1] > of[3], "{of:?}");
        // Nothing learned, nothing to read: all alike, and no panic.
        let empty = Fluency::default();
        assert!(empty.beside("", &["", "a b"]).iter().all(|one| (0.0..=1.0).contains(one)));
        assert!(model.beside("", &[""])[0] <= 1.0);
    }

    #[test]
    fn words_are_cut_alike_in_any_case() {
        assert_eq!(words_of("Don't GO, now"), words_of("don't go , NOW"));
        assert_eq!(words_of("").len(), 2);
        assert_eq!(words_of("你好").len(), 3);
    }
}
