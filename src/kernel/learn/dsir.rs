//! How much a text is of a domain, by the words that the domain's texts have: DSIR's importance weights (Xie and others, 2023), equal to the authors' package to
//! 1e-9.
//!
//! Tokens are words and runs of signs of the lower-cased text; 1- to n-grams, joined by a blank, fall into buckets by their SHA-256; a gram weighs the logarithm of how
//! much more often its bucket is met in the domain. The authors sum a text's grams, so that the long win; the mean a gram ranks short texts better.

use std::borrow::Cow;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::job::{Cancelled, Progress};

/// What is added to every share, so that none is nothing.
const LEAST: f64 = 1e-8;

/// The buckets of a corpus' grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    pub buckets: usize,
    pub ngrams: usize,
}

impl Default for Hashed {
    /// The authors'.
    fn default() -> Self {
        Self { buckets: 10_000, ngrams: 2 }
    }
}

/// The weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Importance {
    /// The sum over its grams: DSIR as published.
    pub sum: f64,
    /// How many grams it has.
    pub grams: usize,
}

impl Importance {
    /// The mean a gram; 0 for a text without any.
    pub fn mean(self) -> f64 {
        if self.grams > 0 { self.sum / self.grams as f64 } else { 0.0 }
    }
}

/// Words and runs of signs, lower-cased.
fn tokens(text: &str) -> Vec<String> {
    let small = text.to_lowercase();
    let kind = |letter: char| {
        if letter.is_alphanumeric() || letter == '_' {
            1
        } else if letter.is_whitespace() {
            0
        } else {
            2
        }
    };
    let mut list: Vec<String> = Vec::new();
    let mut was = 0;
    for letter in small.chars() {
        let now = kind(letter);
        if now != 0 {
            if now == was
                && let Some(last) = list.last_mut()
            {
                last.push(letter);
            } else {
                list.push(letter.to_string());
            }
        }
        was = now;
    }
    list
}

impl Hashed {
    fn bucket(self, gram: &str) -> usize {
        let print = Sha256::digest(gram.as_bytes());
        // The whole number modulo the buckets, byte by byte.
        print.iter().fold(0, |rest, byte| (rest * 256 + usize::from(*byte)) % self.buckets)
    }

    /// The buckets of a text's grams.
    fn of(self, text: &str) -> Vec<usize> {
        let tokens = tokens(text);
        (1..=self.ngrams)
            .flat_map(|n| tokens.windows(n).map(|gram| gram.join(" ")).collect::<Vec<_>>())
            .map(|gram| self.bucket(&gram))
            .collect()
    }

    /// The weights of `n` texts by those of a `domain`. Steps of progress: one a text.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn weigh<'t>(
        self,
        n: usize,
        text: &(dyn Fn(usize) -> Cow<'t, str> + Sync),
        domain: &[String],
        progress: &Progress,
    ) -> Result<Vec<Importance>, Cancelled> {
        let count = |buckets: &[Vec<usize>]| {
            let mut counts = vec![0.0f64; self.buckets];
            buckets.iter().flatten().for_each(|bucket| counts[*bucket] += 1.0);
            let all: f64 = counts.iter().sum();
            counts.iter_mut().for_each(|count| *count = (*count / all.max(1.0) + LEAST).ln());
            counts
        };
        let target: Vec<Vec<usize>> = domain.par_iter().map(|text| self.of(text)).collect();
        let raw: Vec<Vec<usize>> = (0..n)
            .into_par_iter()
            .with_min_len(256)
            .map(|row| {
                progress.step(1)?;
                Ok(self.of(&text(row)))
            })
            .collect::<Result<_, Cancelled>>()?;
        let (p, q) = (count(&target), count(&raw));
        let one = |buckets: &Vec<usize>| Importance {
            sum: buckets.iter().map(|bucket| p[*bucket] - q[*bucket]).sum(),
            grams: buckets.len(),
        };
        Ok(raw.iter().map(one).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_buckets_are_the_authors() {
        assert_eq!(tokens("Don't_split under_scores 3.14!"), ["don", "'", "t_split", "under_scores", "3", ".", "14", "!"]);
        let hashed = Hashed::default();
        for (gram, bucket) in
            [("don", 2_986), ("'", 6_297), ("under_scores", 8_276), ("!", 6_338), ("überweisung", 2_316), ("–", 8_127)]
        {
            assert_eq!(hashed.bucket(gram), bucket, "{gram}");
        }
    }
}
