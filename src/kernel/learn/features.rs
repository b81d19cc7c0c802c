//! What a model sees of a text: its embedding (meaning) and its TF-IDF row (words), for a list of samples.

use std::borrow::Cow;
use std::sync::Arc;

use super::dense::Dense;
use super::tfidf::{Sparse, Terms, tfidf};
use crate::job::{Cancelled, Progress};

/// The features of a list of texts; row by row in the order of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Embeddings of length 1.
    pub dense: Arc<Dense>,
    /// TF-IDF rows of length 1; without columns where there is no text.
    pub sparse: Sparse,
    /// What the dense model reads, where that is not the embeddings themselves.
    learned: Option<Arc<Dense>>,
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl Features {
    /// Features of texts whose embeddings are known: `text(row)` gives each text. `classes` bounds the number of terms, so that a
    /// model of `terms × classes` fits in memory.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn new<'t>(
        dense: Arc<Dense>,
        text: impl Fn(usize) -> Cow<'t, str> + Sync,
        classes: usize,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let most = (MOST_WEIGHTS / classes.max(1)).clamp(2_000, 400_000);
        let sparse = tfidf(dense.rows(), text, Terms { words: true, letters: None, most }, progress)?;
        let (mean, scale) = spread(&dense);
        Ok(Self { dense, sparse, learned: None, mean, scale })
    }

    /// Features of pictures: `dense` says which are alike, `learned` is what classes are told apart by, where that is
    /// something else; `text` adds words, where there
    /// are any beside them.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn of_pictures<'t>(
        dense: Arc<Dense>,
        learned: Option<Arc<Dense>>,
        text: Option<&(dyn Fn(usize) -> Cow<'t, str> + Sync)>,
        classes: usize,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let most = (MOST_WEIGHTS / classes.max(1)).clamp(2_000, 400_000);
        let sparse = match text {
            Some(text) => tfidf(dense.rows(), text, Terms { words: true, letters: None, most }, progress)?,
            None => Sparse { starts: vec![0; dense.rows() + 1], ..Sparse::default() },
        };
        let (mean, mut scale) = spread(learned.as_ref().unwrap_or(&dense));
        if learned.is_some() {
            level(&mut scale);
        }
        Ok(Self { dense, sparse, learned, mean, scale })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.dense.rows()
    }

    /// What the dense model reads: every dimension at mean 0, and at deviation 1 or, for pictures, all together at that of 256.
    pub fn scaled(&self) -> Scaled<'_> {
        Scaled { dense: self.learned.as_ref().unwrap_or(&self.dense), mean: &self.mean, scale: &self.scale }
    }
}

/// The kernel's dimensions are of falling weight, and that is knowledge: all are scaled alike.
pub(super) fn level(scale: &mut [f32]) {
    let variance: f32 = scale.iter().filter(|scale| **scale > 0.0).map(|scale| 1.0 / (scale * scale)).sum();
    scale.fill((WEIGHT / variance.max(1e-12)).sqrt());
}

/// The most weights of one sparse model: 128 MB.
const MOST_WEIGHTS: usize = 1 << 25;

/// The variance of all dimensions of a picture's row together.
const WEIGHT: f32 = 256.0;

/// Dense rows read at mean 0 and deviation 1.
pub struct Scaled<'d> {
    dense: &'d Dense,
    mean: &'d [f32],
    scale: &'d [f32],
}

impl<'d> Scaled<'d> {
    /// Other rows of the same dimensions, read alike.
    pub(super) fn new(dense: &'d Dense, mean: &'d [f32], scale: &'d [f32]) -> Self {
        Self { dense, mean, scale }
    }

    /// How many numbers a row has.
    pub fn dims(&self) -> usize {
        self.dense.dims
    }

    /// Copies one row.
    #[inline]
    pub fn copy(&self, row: usize, out: &mut [f32]) {
        for ((out, value), (mean, scale)) in out.iter_mut().zip(self.dense.row(row)).zip(self.mean.iter().zip(self.scale)) {
            *out = (value - mean) * scale;
        }
    }
}

/// The mean and the inverse deviation of every dimension; 0 for one that does not vary.
pub(super) fn spread(dense: &Dense) -> (Vec<f32>, Vec<f32>) {
    spread_of(dense, 0..dense.rows())
}

/// The same, over some of the rows.
pub(super) fn spread_of(dense: &Dense, rows: impl ExactSizeIterator<Item = usize>) -> (Vec<f32>, Vec<f32>) {
    let n = rows.len().max(1) as f64;
    let (mut sums, mut squares) = (vec![0.0f64; dense.dims], vec![0.0f64; dense.dims]);
    for row in rows {
        for (value, (sum, square)) in dense.row(row).iter().zip(sums.iter_mut().zip(&mut squares)) {
            *sum += f64::from(*value);
            *square += f64::from(*value) * f64::from(*value);
        }
    }
    let mean: Vec<f64> = sums.iter().map(|sum| sum / n).collect();
    let scale = squares
        .iter()
        .zip(&mean)
        .map(|(square, mean)| square / n - mean * mean)
        .map(|variance| if variance > 1e-12 { (1.0 / variance.sqrt()) as f32 } else { 0.0 })
        .collect();
    (mean.into_iter().map(|mean| mean as f32).collect(), scale)
}
