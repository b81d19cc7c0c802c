//! Contamination: runs of words that training texts share with somebody's test texts, as GPT-3, lm-evaluation-harness and `NeMo` look for them (13 words in a row), exactly.
//!
//! Words are letters, digits and underscores in a row of the lower-cased text; a test text of fewer words is one run of all. Test texts are kept as hashes, so that a pack of them can be
//! handed on without a word of theirs.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use foldhash::fast::RandomState;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::job::{Cancelled, Progress};

/// Test texts as hashes of their runs of words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Words in a run.
    pub n: usize,
    /// How many different runs each text has.
    pub sizes: Vec<u32>,
    /// Each run and its text, sorted.
    pub runs: Vec<(u64, u32)>,
}

/// A text that shares runs with test texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contaminated {
    pub row: u32,
    /// The test text that it shares most with, the first of equals; how many different runs, and how many that one has.
    pub test: u32,
    pub shared: u32,
    pub of: u32,
    /// Words of the row that stand in any shared run, and words that it has.
    pub covered: u32,
    pub words: u32,
}

fn words(text: &str, out: &mut Vec<u64>) {
    out.clear();
    let small = text.to_lowercase();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    out.extend(small.split(|letter| !is_word(letter)).filter(|word| !word.is_empty()).map(|word| xxh3_64(word.as_bytes())));
}

fn runs(words: &[u64], n: usize) -> impl Iterator<Item = u64> + '_ {
    // Of fewer words than a run has, all are one.
    words.windows(n.min(words.len()).max(1)).map(|run| {
        run.iter().fold(run.len() as u64, |hash, word| {
            let product = u128::from(hash ^ 0x9E37_79B9_7F4A_7C15) * u128::from(word ^ 0xD6E8_FEB8_6659_FD93);
            (product as u64) ^ ((product >> 64) as u64)
        })
    })
}

/// Where words of a text stand in a run of `n` that another has, too: places in bytes, in order, what touches put together.
pub fn shared_words(text: &str, other: &str, n: usize) -> Vec<Range<usize>> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut places: Vec<Range<usize>> = Vec::new();
    let mut open = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (open, is_word(letter)) {
            (None, true) => open = Some(at),
            (Some(from), false) => {
                places.push(from..at);
                open = None;
            }
            _ => {}
        }
    }
    let own: Vec<u64> = places.iter().map(|place| xxh3_64(text[place.clone()].to_lowercase().as_bytes())).collect();
    let mut theirs = Vec::new();
    words(other, &mut theirs);
    let known: HashSet<u64, RandomState> = runs(&theirs, n).collect();
    let long = n.min(own.len()).max(1);
    let mut out: Vec<Range<usize>> = Vec::new();
    for (at, _) in runs(&own, n).enumerate().filter(|(at, run)| at + long <= places.len() && known.contains(run)) {
        let place = places[at].start..places[at + long - 1].end;
        match out.last_mut().filter(|last| place.start <= last.end) {
            Some(last) => last.end = last.end.max(place.end),
            None => out.push(place),
        }
    }
    out
}

impl Fingerprints {
    /// Of `count` test texts, by runs of `n` words.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn of<'t>(
        count: usize,
        n: usize,
        text: &(dyn Fn(usize) -> Cow<'t, str> + Sync),
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let each: Vec<Vec<u64>> = (0..count)
            .into_par_iter()
            .with_min_len(64)
            .map(|row| {
                progress.check()?;
                let mut list = Vec::new();
                words(&text(row), &mut list);
                let mut own: Vec<u64> = runs(&list, n).collect();
                own.sort_unstable();
                own.dedup();
                Ok(own)
            })
            .collect::<Result<_, Cancelled>>()?;
        let sizes = each.iter().map(|own| own.len() as u32).collect();
        let mut all: Vec<(u64, u32)> =
            each.iter().zip(0..).flat_map(|(own, row)| own.iter().map(move |run| (*run, row))).collect();
        all.par_sort_unstable();
        Ok(Self { n, sizes, runs: all })
    }

    /// The texts that share a run with any, in order. Steps of progress: one a text.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn found_in<'t>(
        &self,
        count: usize,
        text: &(dyn Fn(usize) -> Cow<'t, str> + Sync),
        progress: &Progress,
    ) -> Result<Vec<Contaminated>, Cancelled> {
        let mut places: HashMap<u64, (u32, u32), RandomState> = HashMap::default();
        for (at, (run, _)) in self.runs.iter().enumerate() {
            places.entry(*run).or_insert((at as u32, 0)).1 += 1;
        }
        let look = |row: usize, list: &mut Vec<u64>| -> Option<Contaminated> {
            words(&text(row), list);
            let mut by: HashMap<u32, u32, RandomState> = HashMap::default();
            let mut seen: Vec<u64> = Vec::new();
            let (mut covered, mut until) = (0usize, 0usize);
            let long = self.n.min(list.len()).max(1);
            for (at, run) in runs(list, self.n).enumerate() {
                if places.contains_key(&run) {
                    covered += at + long - until.max(at);
                    until = at + long;
                    seen.push(run);
                }
            }
            seen.sort_unstable();
            seen.dedup();
            for (from, times) in seen.iter().filter_map(|run| places.get(run)) {
                let own = &self.runs[*from as usize..(*from + *times) as usize];
                own.iter().for_each(|(_, test)| *by.entry(*test).or_default() += 1);
            }
            let (test, shared) = by.into_iter().max_by_key(|(test, shared)| (*shared, std::cmp::Reverse(*test)))?;
            let of = self.sizes.get(test as usize).copied().unwrap_or(0);
            Some(Contaminated { row: row as u32, test, shared, of, covered: covered as u32, words: list.len() as u32 })
        };
        let parts: Vec<Vec<Contaminated>> = (0..count.div_ceil(256))
            .into_par_iter()
            .map(|part| {
                let rows = part * 256..((part + 1) * 256).min(count);
                progress.step(rows.len() as u64)?;
                let mut list = Vec::new();
                Ok(rows.filter_map(|row| look(row, &mut list)).collect())
            })
            .collect::<Result<_, Cancelled>>()?;
        Ok(parts.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_words_are_marked_in_both() {
        let (one, other) = ("So: the QUICK, brown fox; jumps! And stops.", "A quick brown fox jumps over.");
        let marked = |text: &str, other: &str, n| {
            shared_words(text, other, n).into_iter().map(|place| text[place].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(marked(one, other, 3), ["QUICK, brown fox; jumps"]);
        assert_eq!(marked(other, one, 3), ["quick brown fox jumps"]);
        assert_eq!(marked(one, other, 5), Vec::<String>::new());
        assert_eq!(marked("", other, 3), Vec::<String>::new());
        assert_eq!(marked("naïve Übung", "NAÏVE übung x", 2), ["naïve Übung"]);
    }

    #[test]
    fn shared_runs_are_found_and_counted() {
        let tests = ["The quick brown fox jumps over the lazy dog", "short one", ""];
        let prints = Fingerprints::of(3, 4, &|row| tests[row].into(), &Progress::silent()).unwrap();
        assert_eq!(prints.sizes, [6, 1, 0]);
        let train = ["yes: the QUICK, brown fox; jumps! no", "a short one is short one", "nothing", "Short one"];
        let found = prints.found_in(4, &|row| train[row].into(), &Progress::silent()).unwrap();
        assert_eq!(
            found,
            [
                Contaminated { row: 0, test: 0, shared: 2, of: 6, covered: 5, words: 7 },
                // A text shorter than a run is found where it is all there is.
                Contaminated { row: 3, test: 1, shared: 1, of: 1, covered: 2, words: 2 },
            ]
        );
        assert!(
            Fingerprints::of(0, 13, &|_| "".into(), &Progress::silent())
                .unwrap()
                .found_in(1, &|_| "x".into(), &Progress::silent())
                .unwrap()
                .is_empty()
        );
    }
}
