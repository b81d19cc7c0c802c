//! TF-IDF: texts to sparse rows over the words and letter sequences that they share.
//!
//! Terms are lower-cased words of two letters or more (`\w\w+`, each Chinese character a word of its own), pairs of neighbouring words, and
//! optionally letter n-grams within words; `tf = 1 + ln count`, `idf = ln((1 + n) / (1 + df)) + 1` (smoothed, as scikit-learn
//! has it), rows of length 1. Terms are known by a 64-bit hash, so that a vocabulary costs 12 bytes a term.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::job::{Cancelled, Progress};

/// Rows of a few numbers among many columns (compressed sparse rows).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sparse {
    /// How many columns there are.
    pub dims: usize,
    /// Where each row begins; one more than there are rows.
    pub starts: Vec<usize>,
    /// The columns of each row, ascending.
    pub columns: Vec<u32>,
    /// Their values.
    pub values: Vec<f32>,
}

impl Sparse {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn push(&mut self, row: Vec<(u32, f32)>) {
        for (column, value) in row {
            self.columns.push(column);
            self.values.push(value);
        }
        self.starts.push(self.columns.len());
    }

    /// The columns and values of one row.
    #[inline]
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// The inner product of two rows.
    pub fn dot(&self, a: usize, b: usize) -> f32 {
        let ((xs, x), (ys, y)) = (self.row(a), self.row(b));
        let (mut i, mut j, mut sum) = (0, 0, 0.0);
        while i < xs.len() && j < ys.len() {
            match xs[i].cmp(&ys[j]) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    sum += x[i] * y[j];
                    (i, j) = (i + 1, j + 1);
                }
            }
        }
        sum
    }
}

/// Which terms there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Single words, and pairs of neighbours.
    pub words: bool,
    /// The shortest and longest letter n-gram; `None` for none.
    pub letters: Option<(usize, usize)>,
    /// The most columns: the most frequent terms are kept.
    pub most: usize,
}

/// A hash is its own hash.
#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, 0);
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

type Places = HashMap<u64, u32, BuildHasherDefault<Same>>;

/// The most bytes of one text that are read.
const LONGEST: usize = 1 << 16;
/// The most bytes that are read of all of them, as far as each is read to 4 kB at least: terms take some times as much memory.
const BUDGET: usize = 1 << 30;
const CHUNK: usize = 512;

/// Terms and their weights, as they were learned from texts: other texts become rows by them.
pub struct Vocabulary {
    terms: Terms,
    places: Places,
    idf: Vec<f32>,
}

impl Vocabulary {
    /// Hashes of the terms in the order of their columns, and their weights: what [`Vocabulary::of_parts`] makes it of again.
    pub fn parts(&self) -> (Vec<u64>, Vec<f32>) {
        let mut terms = vec![0; self.idf.len()];
        self.places.iter().for_each(|(term, place)| terms[*place as usize] = *term);
        (terms, self.idf.clone())
    }

    /// The vocabulary of its parts; what has no weight is left out.
    pub fn of_parts(terms: Terms, hashes: &[u64], idf: Vec<f32>) -> Self {
        Self { terms, places: hashes.iter().copied().zip(0..idf.len() as u32).collect(), idf }
    }

    /// The rows of other texts. Terms that were not there are left out.
    pub fn rows_of<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Sparse {
        let mut reader = TermReader { longest: LONGEST, ..TermReader::default() };
        let mut sparse = Sparse { dims: self.idf.len(), starts: vec![0], ..Sparse::default() };
        for text in texts {
            sparse.push(weigh(&reader.read(text, self.terms), &self.places, &self.idf));
        }
        sparse
    }
}

/// The TF-IDF rows of many texts.
///
/// # Errors
/// [`Cancelled`].
pub fn tfidf<'t>(
    rows: usize,
    text: impl Fn(usize) -> Cow<'t, str> + Sync,
    terms: Terms,
    progress: &Progress,
) -> Result<Sparse, Cancelled> {
    Ok(learn(rows, text, terms, progress)?.0)
}

/// The TF-IDF rows of many texts, and what makes rows of others.
///
/// # Errors
/// [`Cancelled`].
pub fn learn<'t>(
    rows: usize,
    text: impl Fn(usize) -> Cow<'t, str> + Sync,
    terms: Terms,
    progress: &Progress,
) -> Result<(Sparse, Vocabulary), Cancelled> {
    let counted: Vec<Vec<Vec<(u64, u32)>>> = (0..rows.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(rows);
            progress.step(range.len() as u64)?;
            let mut reader = TermReader { longest: (BUDGET / rows.max(1)).clamp(4_096, LONGEST), ..TermReader::default() };
            Ok(range.map(|row| reader.read(&text(row), terms)).collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    let (places, idf) = vocabulary(&counted, rows, terms.most);
    progress.check()?;
    let parts: Vec<Vec<Vec<(u32, f32)>>> = counted
        .into_par_iter()
        .map(|chunk| {
            progress.check()?;
            Ok(chunk.into_iter().map(|counts| weigh(&counts, &places, &idf)).collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut sparse = Sparse { dims: idf.len(), starts: vec![0], ..Sparse::default() };
    parts.into_iter().flatten().for_each(|row| sparse.push(row));
    Ok((sparse, Vocabulary { terms, places, idf }))
}

/// Terms that are in two rows or more (in one, where there are few rows), the most frequent first where there are too many.
fn vocabulary(counted: &[Vec<Vec<(u64, u32)>>], rows: usize, most: usize) -> (Places, Vec<f32>) {
    let mut all: Vec<u64> = counted.iter().flatten().flatten().map(|(term, _)| *term).collect();
    all.par_sort_unstable();
    let least = if rows < 50 { 1 } else { 2 };
    let mut kept: Vec<(u64, u32)> = all
        .chunk_by(|a, b| a == b)
        .map(|same| (same[0], same.len() as u32))
        .filter(|(_, frequency)| *frequency >= least)
        .collect();
    if kept.len() > most {
        kept.sort_unstable_by_key(|(term, frequency)| (std::cmp::Reverse(*frequency), *term));
        kept.truncate(most);
    }
    // Frequent terms side by side: the rows of a model that are touched most share cache lines.
    kept.sort_unstable_by_key(|(term, frequency)| (std::cmp::Reverse(*frequency), *term));
    let idf = kept.iter().map(|(_, df)| (((1 + rows) as f64 / f64::from(1 + df)).ln() + 1.0) as f32).collect();
    (kept.iter().zip(0..).map(|((term, _), place)| (*term, place)).collect(), idf)
}

fn weigh(counts: &[(u64, u32)], places: &Places, idf: &[f32]) -> Vec<(u32, f32)> {
    let known = counts.iter().filter_map(|(term, count)| places.get(term).map(|place| (*place, *count)));
    let mut row: Vec<(u32, f32)> =
        known.map(|(place, count)| (place, (1.0 + (count as f32).ln()) * idf[place as usize])).collect();
    row.sort_unstable_by_key(|(place, _)| *place);
    let length = row.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
    row.iter_mut().for_each(|(_, value)| *value /= length);
    row
}

/// Reads the terms of texts, keeping its room between them.
#[derive(Default)]
struct TermReader {
    /// The most bytes read of one text.
    longest: usize,
    lower: String,
    terms: Vec<u64>,
}

impl TermReader {
    /// The terms of a text, and how often each is there; in the order of their hashes.
    fn read(&mut self, text: &str, wanted: Terms) -> Vec<(u64, u32)> {
        let text = &text[..text.floor_char_boundary(self.longest)];
        self.lower.clear();
        if text.is_ascii() {
            self.lower.push_str(text);
            self.lower.make_ascii_lowercase();
        } else {
            self.lower.extend(text.chars().flat_map(char::to_lowercase));
        }
        self.terms.clear();
        let mut before: Option<u64> = None;
        for word in words(&self.lower) {
            let long = word.len() > 1;
            if wanted.words && long {
                let term = xxh3_64_with_seed(word.as_bytes(), 1);
                self.terms.push(term);
                if let Some(before) = before {
                    self.terms.push(before.rotate_left(23) ^ term.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                }
                before = Some(term);
            }
            if let Some((shortest, longest)) = wanted.letters {
                letters(word, shortest, longest, &mut self.terms);
            }
        }
        self.terms.sort_unstable();
        self.terms.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
    }
}

/// The n-grams of a word with a space before and behind it.
fn letters(word: &str, shortest: usize, longest: usize, out: &mut Vec<u64>) {
    let padded = format!(" {word} ");
    let places: Vec<usize> = padded.char_indices().map(|(at, _)| at).chain([padded.len()]).collect();
    for n in shortest..=longest {
        for window in places.windows(n + 1) {
            out.push(xxh3_64_with_seed(&padded.as_bytes()[window[0]..window[n]], n as u64 + 16));
        }
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_alone(letter: char) -> bool {
    matches!(letter as u32, 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x3040..=0x30FF | 0x20000..=0x2FA1F)
}

/// The words of a text: runs of letters, digits and underscores; Chinese and Japanese characters each by itself.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|letter| !is_word(letter));
        let first = rest.chars().next()?;
        let end = if is_alone(first) {
            first.len_utf8()
        } else {
            rest.find(|letter| !is_word(letter) || is_alone(letter)).unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str], terms: Terms) -> Sparse {
        tfidf(texts.len(), |row| texts[row].into(), terms, &Progress::silent()).unwrap()
    }

    #[test]
    fn rows_have_length_one_and_shared_words_meet() {
        let terms = Terms { words: true, letters: None, most: 1_000 };
        let sparse = rows(&["the Card is lost", "the card", "金 卡", "", "a b"], terms);
        assert_eq!(sparse.rows(), 5);
        for row in [0, 1, 2] {
            assert!((sparse.dot(row, row) - 1.0).abs() < 1e-6, "row {row}");
        }
        assert!(sparse.dot(0, 1) > 0.3 && sparse.dot(0, 2).abs() < 1e-9);
        assert!(sparse.row(3).0.is_empty() && sparse.row(4).0.is_empty(), "single letters are no words");
        // idf as scikit-learn has it: "the" in 2 of 5 rows, "lost" in 1.
        let ratio = (6f32 / 3.0).ln() + 1.0;
        let rare = (6f32 / 2.0).ln() + 1.0;
        let (_, values) = sparse.row(0);
        let (low, high) = values.iter().fold((f32::MAX, 0f32), |(low, high), value| (low.min(*value), high.max(*value)));
        assert!((low / high - ratio / rare).abs() < 1e-6);
        let few = rows(&["the card is lost", "the card"], Terms { most: 2, ..terms });
        assert_eq!(few.dims, 2);
    }

    #[test]
    fn letters_run_within_words() {
        let sparse = rows(&["abc", "abd"], Terms { words: false, letters: Some((3, 3)), most: 1_000 });
        // " ab", "abc", "bc " and " ab", "abd", "bd ".
        assert_eq!((sparse.row(0).0.len(), sparse.dims), (3, 5));
    }
}
