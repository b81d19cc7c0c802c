//! How much each text is of a domain that some samples stand for: by its words (DSIR's weight, the mean a gram), or by what it means (how much nearer its embedding is to the
//! middle of the domain than to that of all, or of what is said to be not of it).

use std::borrow::Cow;

use super::embedding::embedding;
use super::store::{Artifact, Key, Store};
use super::texts::TextOf;
use crate::data::{Dataset, SampleId};
use crate::io::{Meaning, MeaningError};
use crate::job::Progress;
use crate::learn::dense::{Dense, dot, normalise};
use crate::learn::dsir::Hashed;

/// What texts are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelevanceBy {
    Words,
    Meaning,
}

/// The relevance of every sample of the source.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Relevance {
    /// By row; not a number of a text without anything to go by.
    pub scores: Vec<f32>,
    /// What the domain's own samples score where the other half of them stands for it; sorted.
    pub own: Vec<f32>,
    /// Below this a text is not of the domain.
    pub border: f32,
    /// How many score in each of as many equal steps, from the first number to the second; what is beyond stands in the outermost.
    pub bins: (f32, f32, Vec<u64>),
}

/// Steps of the histogram, and the part of scores at each end that does not stretch it.
const BINS: usize = 80;
const BEYOND: f64 = 0.002;

fn bins_of(scores: &[f32]) -> (f32, f32, Vec<u64>) {
    let mut sorted: Vec<f32> = scores.iter().copied().filter(|score| !score.is_nan()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let beyond = (sorted.len() as f64 * BEYOND) as usize;
    let (Some(least), Some(most)) = (sorted.get(beyond), sorted.len().checked_sub(beyond + 1).and_then(|at| sorted.get(at)))
    else {
        return (0.0, 1.0, vec![0; BINS]);
    };
    let (least, most) = (*least, most.max(least + 1e-3));
    let mut bins = vec![0; BINS];
    for score in &sorted {
        let place = (score - least) / (most - least) * BINS as f32;
        bins[(place.max(0.0) as usize).min(BINS - 1)] += 1;
    }
    (least, most, bins)
}

impl Artifact for Relevance {
    fn bytes(&self) -> usize {
        (self.scores.len() + self.own.len()) * size_of::<f32>()
    }
}

impl Relevance {
    /// Where the newest is kept, to be drawn.
    pub fn key() -> Key {
        Key { what: "relevance", versions: Vec::new() }
    }
}

/// Works it out. The domain is cut in two, and a sample of one half is judged by the other: what stands for it knows itself too well.
///
/// # Errors
/// [`MeaningError`]: the embedding cannot be had, or it was stopped.
pub fn relevance_of(
    dataset: &Dataset,
    text: &TextOf,
    (domain, other): (&[SampleId], &[SampleId]),
    by: RelevanceBy,
    store: &Store,
    progress: &Progress,
) -> Result<Relevance, MeaningError> {
    let half = |odd: usize| domain.iter().skip(odd).step_by(2).copied().collect::<Vec<SampleId>>();
    let halves = match by {
        RelevanceBy::Words => {
            let read = |row: usize| text.read(dataset, SampleId::at(row));
            let weigh = |of: Vec<SampleId>| -> Result<Vec<f32>, MeaningError> {
                let texts: Vec<String> = of.iter().map(|id| text.read(dataset, *id)).map(Cow::into_owned).collect();
                let weights = Hashed::default().weigh(dataset.extent(), &read, &texts, progress)?;
                Ok(weights.into_iter().map(|one| if one.grams > 0 { one.mean() as f32 } else { f32::NAN }).collect())
            };
            [weigh(half(0))?, weigh(half(1))?]
        }
        RelevanceBy::Meaning => {
            let dense = embedding(dataset, text, &Meaning::BuiltIn, store, None, progress)?;
            let all: Vec<SampleId> = if other.is_empty() { dataset.source_samples().collect() } else { other.to_vec() };
            let away = middle(&dense, &all);
            let nearer = |of: Vec<SampleId>| -> Vec<f32> {
                let home = middle(&dense, &of);
                let score = |row: &[f32]| dot(row, &home) - dot(row, &away);
                let known = |row: &[f32]| row.iter().any(|value| *value != 0.0);
                (0..dense.rows()).map(|row| dense.row(row)).map(|row| if known(row) { score(row) } else { f32::NAN }).collect()
            };
            [nearer(half(0)), nearer(half(1))]
        }
    };
    let mut own: Vec<f32> = domain.iter().enumerate().map(|(at, id)| halves[1 - at % 2][id.row()]).collect();
    own.retain(|score| !score.is_nan());
    own.sort_unstable_by(f32::total_cmp);
    let scores: Vec<f32> = halves[0].iter().zip(&halves[1]).map(|(a, b)| f32::midpoint(*a, *b)).collect();
    Ok(Relevance { bins: bins_of(&scores), scores, own, border: f32::NEG_INFINITY })
}

/// The middle of some rows, at length 1.
fn middle(dense: &Dense, of: &[SampleId]) -> Vec<f32> {
    let mut sum = vec![0.0f64; dense.dims];
    of.iter().for_each(|id| sum.iter_mut().zip(dense.row(id.row())).for_each(|(sum, value)| *sum += f64::from(*value)));
    let mut mean: Vec<f32> = sum.into_iter().map(|sum| sum as f32).collect();
    normalise(&mut mean);
    mean
}

/// The border that tells two lists apart with the fewest mistakes of each (Youden, 1950): what is below is of the second.
pub fn told_apart(own: &[f32], other: &[f32]) -> f32 {
    let mut all: Vec<(f32, bool)> =
        own.iter().map(|score| (*score, true)).chain(other.iter().map(|score| (*score, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (n, m) = (own.len().max(1) as f64, other.len().max(1) as f64);
    let (mut best, mut border, mut now) = (0.0, f32::NEG_INFINITY, 0.0);
    for two in all.windows(2) {
        now += if two[0].1 { -1.0 / n } else { 1.0 / m };
        if now > best && two[1].0 > two[0].0 {
            (best, border) = (now, f32::midpoint(two[0].0, two[1].0));
        }
    }
    border
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_told_apart_where_fewest_are_wrong() {
        assert_eq!(told_apart(&[3.0, 4.0, 5.0], &[0.0, 1.0]), 2.0);
        assert_eq!(told_apart(&[1.0, 4.0, 5.0, 6.0], &[0.0, 2.0]), 3.0);
        assert_eq!(told_apart(&[1.0], &[2.0]), f32::NEG_INFINITY);
        assert_eq!(told_apart(&[1.0, 2.0], &[]), f32::NEG_INFINITY);
    }
}
