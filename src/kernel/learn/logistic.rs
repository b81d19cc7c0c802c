//! Multinomial logistic regression (and one-vs-rest, for several labels), by stochastic gradient descent with steps that shrink
//! where a weight has moved much (`AdaGrad`: Duchi, Hazan and Singer, 2011).
//!
//! One pass costs `rows × terms × classes`; a few passes are enough, because what is wanted is a good ranking of what is
//! unlikely, not the last digit of a loss. Deterministic for a seed.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::dense::{add_scaled, exp, softmax, vectorised};
use super::features::Scaled;
use super::tfidf::Sparse;
use crate::chance::Deal;
use crate::job::{Cancelled, Progress};

/// The classes that each row is given.
#[derive(Debug, Clone)]
pub struct Targets {
    /// How many classes there are.
    pub classes: usize,
    /// Whether a row may have several: then each class is a question of its own.
    pub many: bool,
    starts: Vec<u32>,
    list: Vec<u32>,
}

impl Targets {
    /// The classes of every row; rows that are not trained on may have none. `many` says whether a row may have several.
    pub fn new<L: IntoIterator<Item = u32>>(rows: impl Iterator<Item = L>, classes: usize, many: bool) -> Self {
        let mut targets = Self { classes, many, starts: vec![0], list: Vec::new() };
        for row in rows {
            targets.list.extend(row);
            targets.starts.push(targets.list.len() as u32);
        }
        targets
    }

    /// The classes of a row.
    #[inline]
    pub fn of(&self, row: usize) -> &[u32] {
        &self.list[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }
}

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    /// How often each row is seen.
    pub passes: usize,
    /// The first step's length.
    pub rate: f32,
    /// The weight of the squared length of the weights in the loss, per row.
    pub shrink: f32,
    /// Shuffles the rows.
    pub seed: u64,
}

/// A linear model: `logits = bias + Σ value × weights[column]`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// How many classes there are.
    pub classes: usize,
    /// `dims × classes`.
    pub weights: Vec<f32>,
    /// One per class.
    pub bias: Vec<f32>,
}

/// Rows are looked at in batches of this many where rows are dense.
const BATCH: usize = 64;

impl Linear {
    /// How many numbers it is made of.
    pub fn size(&self) -> usize {
        self.weights.len() + self.bias.len()
    }

    fn new(dims: usize, classes: usize) -> Self {
        Self { classes, weights: vec![0.0; dims * classes], bias: vec![0.0; classes] }
    }

    /// Trains on `rows` of `x`. `trust` weighs each row's part in the loss (by row of `x`); none means 1.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn fit_sparse(
        x: &Sparse,
        rows: &[u32],
        targets: &Targets,
        trust: Option<&[f32]>,
        training: Training,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let classes = targets.classes;
        let mut model = Self::new(x.dims, classes);
        let mut moved = vec![0.0f32; x.dims];
        let mut bias_moved = 0.0f32;
        let mut order = rows.to_vec();
        let mut deal = Deal::new(training.seed);
        let mut logits = vec![0.0f32; classes];
        for pass in 0..training.passes {
            deal.shuffle(&mut order);
            // The last passes take shorter steps: the answer is then an average over what the rows say, not the last one's.
            let rate = training.rate * (1.0 - 0.8 * pass as f32 / training.passes.max(1) as f32);
            for part in order.chunks(256) {
                progress.step(part.len() as u64)?;
                vectorised(
                    #[inline(always)]
                    || {
                        for row in part {
                            let row = *row as usize;
                            let (columns, values) = x.row(row);
                            model.logits_of(columns, values, &mut logits);
                            let weight = trust.map_or(1.0, |trust| trust[row]);
                            if weight <= 0.0 {
                                continue;
                            }
                            errors(&mut logits, targets, row, weight);
                            let square: f32 = super::dense::dot(&logits, &logits);
                            bias_moved += square;
                            add_scaled(&mut model.bias, -0.1 * rate / (bias_moved.sqrt() + 1e-6), &logits);
                            for (column, value) in columns.iter().zip(values) {
                                let column = *column as usize;
                                moved[column] += square * value * value;
                                let step = rate / (moved[column].sqrt() + 1e-6);
                                let weights = &mut model.weights[column * classes..(column + 1) * classes];
                                let (keep, push) = (1.0 - (step * training.shrink).min(0.5), -step * value);
                                for (weight, error) in weights.iter_mut().zip(&logits) {
                                    *weight = *weight * keep + push * *error;
                                }
                            }
                        }
                    },
                );
            }
        }
        Ok(model)
    }

    /// Trains on `rows` of dense `x`, in batches, with Adam's steps (Kingma and Ba, 2015).
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn fit_dense(
        x: &Scaled<'_>,
        rows: &[u32],
        targets: &Targets,
        trust: Option<&[f32]>,
        training: Training,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let (classes, dims) = (targets.classes, x.dims());
        let mut model = Self::new(dims, classes);
        let mut order = rows.to_vec();
        let mut deal = Deal::new(training.seed);
        let (mut input, mut error) = (vec![0.0f32; BATCH * dims], vec![0.0f32; BATCH * classes]);
        let mut slope = vec![0.0f32; dims * classes];
        let (mut first, mut second) = (vec![0.0f32; dims * classes], vec![0.0f32; dims * classes]);
        let mut bias_moved = 1e-6f32;
        let (mut fade_first, mut fade_second) = (1.0f32, 1.0f32);
        let steps = (training.passes * order.len().div_ceil(BATCH)).max(1);
        let mut step = 0;
        for _ in 0..training.passes {
            deal.shuffle(&mut order);
            for batch in order.chunks(BATCH) {
                progress.step(batch.len() as u64)?;
                let n = batch.len();
                for (at, row) in batch.iter().enumerate() {
                    x.copy(*row as usize, &mut input[at * dims..(at + 1) * dims]);
                }
                let inputs = MatRef::from_row_major_slice(&input[..n * dims], n, dims);
                let weights = MatRef::from_row_major_slice(&model.weights, dims, classes);
                let out = MatMut::from_row_major_slice_mut(&mut error[..n * classes], n, classes);
                matmul(out, Accum::Replace, inputs, weights, 1.0, Par::Seq);
                let rate = training.rate * (1.0 - 0.9 * step as f32 / steps as f32);
                vectorised(
                    #[inline(always)]
                    || {
                        for (at, row) in batch.iter().enumerate() {
                            let row = *row as usize;
                            let logits = &mut error[at * classes..(at + 1) * classes];
                            add_scaled(logits, 1.0, &model.bias);
                            errors(logits, targets, row, trust.map_or(1.0, |trust| trust[row]) / n as f32);
                            bias_moved += super::dense::dot(logits, logits);
                            add_scaled(&mut model.bias, -rate / bias_moved.sqrt(), logits);
                        }
                    },
                );
                let errors = MatRef::from_row_major_slice(&error[..n * classes], n, classes);
                let out = MatMut::from_row_major_slice_mut(&mut slope, dims, classes);
                matmul(out, Accum::Replace, inputs.transpose(), errors, 1.0, Par::Seq);
                step += 1;
                fade_first *= 0.9;
                fade_second *= 0.99;
                let (scale_first, scale_second) = (rate / (1.0 - fade_first), 1.0 / (1.0 - fade_second));
                let shrink = training.shrink;
                vectorised(
                    #[inline(always)]
                    || {
                        let moments = first.iter_mut().zip(second.iter_mut());
                        for ((weight, slope), (first, second)) in model.weights.iter_mut().zip(&slope).zip(moments) {
                            let slope = slope + shrink * *weight;
                            *first = 0.9 * *first + 0.1 * slope;
                            *second = 0.99 * *second + 0.01 * slope * slope;
                            *weight -= scale_first * *first / ((*second * scale_second).sqrt() + 1e-8);
                        }
                    },
                );
            }
        }
        Ok(model)
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn logits_of(&self, columns: &[u32], values: &[f32], out: &mut [f32]) {
        out.copy_from_slice(&self.bias);
        for (column, value) in columns.iter().zip(values) {
            let column = *column as usize;
            add_scaled(out, *value, &self.weights[column * self.classes..(column + 1) * self.classes]);
        }
    }

    /// The logits of sparse rows, into `out` (`classes` numbers each).
    pub fn logits_sparse(&self, x: &Sparse, rows: &[u32], out: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                for (row, out) in rows.iter().zip(out.chunks_mut(self.classes)) {
                    let (columns, values) = x.row(*row as usize);
                    self.logits_of(columns, values, out);
                }
            },
        );
    }

    /// The logits of dense rows, into `out` (`classes` numbers each).
    pub fn logits_dense(&self, x: &Scaled<'_>, rows: &[u32], out: &mut [f32]) {
        let dims = x.dims();
        let mut input = vec![0.0f32; BATCH * dims];
        for (batch, out) in rows.chunks(BATCH).zip(out.chunks_mut(BATCH * self.classes)) {
            for (at, row) in batch.iter().enumerate() {
                x.copy(*row as usize, &mut input[at * dims..(at + 1) * dims]);
            }
            let n = batch.len();
            let inputs = MatRef::from_row_major_slice(&input[..n * dims], n, dims);
            let weights = MatRef::from_row_major_slice(&self.weights, dims, self.classes);
            matmul(MatMut::from_row_major_slice_mut(out, n, self.classes), Accum::Replace, inputs, weights, 1.0, Par::Seq);
            for logits in out.chunks_mut(self.classes) {
                add_scaled(logits, 1.0, &self.bias);
            }
        }
    }
}

/// Turns logits into the loss's slope: probabilities minus targets, weighed.
#[inline(always)]
#[allow(clippy::inline_always)]
fn errors(logits: &mut [f32], targets: &Targets, row: usize, weight: f32) {
    if targets.many {
        for logit in logits.iter_mut() {
            *logit = 1.0 / (1.0 + exp(-*logit));
        }
    } else {
        softmax(logits);
    }
    for class in targets.of(row) {
        logits[*class as usize] -= 1.0;
    }
    for error in logits.iter_mut() {
        *error *= weight;
    }
}
