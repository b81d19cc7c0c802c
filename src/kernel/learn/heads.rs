//! Heads on frozen features: logistic regression and a linear support vector machine, to the optimum. Objectives are scikit-learn's, so that `C` means what it means
//! there: the loss is a sum over rows, and `|W|² / (2 C)` is added once.
//!
//! Dense rows are turned into the axes of their own spread first: there the curvature is nearly diagonal, and a search that knows it takes a few steps where it took hundreds.

use rayon::prelude::*;

use super::dense::Dense;
use super::head_axes::{Axes, fill};
use super::head_numbers::{BATCH, Real, largest};
pub use super::head_numbers::{HeadLoss, softmax};
use super::lbfgs::{Enough, Worth, minimise};
use super::tfidf::Sparse;
use crate::job::{Cancelled, Progress};

/// What a head sees: a row a sample.
#[derive(Debug, Clone, Copy)]
pub enum HeadInput<'f> {
    Dense(&'f Dense),
    /// Words, mostly.
    Sparse(&'f Sparse),
}

impl HeadInput<'_> {
    /// How many numbers a row has.
    pub fn dims(self) -> usize {
        match self {
            Self::Dense(dense) => dense.dims,
            Self::Sparse(sparse) => sparse.dims,
        }
    }
}

/// A linear head: `logits = x W + b`.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearHead {
    pub classes: usize,
    /// `dims × classes`.
    pub weights: Vec<f64>,
    pub bias: Vec<f64>,
}

/// How a head is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadFit {
    pub loss: HeadLoss,
    /// The larger, the less the weights are held small.
    pub c: f64,
    /// Whether rarer classes weigh more: `n / (classes × count)`.
    pub balanced: bool,
    /// Whether dense rows are evened first: along each axis of their spread they are divided by the root of its deviation, and the whole spread stays as it was. What few
    /// axes say loudly counts less then, and what many say quietly more. `C` is of the evened rows; the head that comes back is of rows as they are.
    pub evened: bool,
    /// The search ends where no part of the gradient is larger than this part of what it is at zero.
    pub tolerance: f64,
    /// Steps at most.
    pub steps: usize,
}

impl Default for HeadFit {
    fn default() -> Self {
        Self { loss: HeadLoss::Logistic, c: 1.0, balanced: false, evened: false, tolerance: 1e-5, steps: 400 }
    }
}

/// Rows are summed in so many parts, whatever the number of threads.
const PARTS: usize = 16;
/// Up to so many numbers rows are held in double precision where the last digit is asked for.
const DOUBLE: usize = 1 << 23;
/// A tolerance from which on single precision will do.
const ROUGH: f64 = 1e-3;

/// Rows as a search sees them.
enum Seen<'s, T> {
    /// `rows × dims` in axes of their own, and by how much each axis is stretched.
    Dense(&'s [T], Vec<T>),
    /// And where each row is.
    Sparse(&'s Sparse, &'s [u32]),
}

/// One question: rows, their classes, how they weigh.
struct Fitted<'s, T> {
    seen: Seen<'s, T>,
    /// The rows that are learned from, of those seen.
    which: &'s [u32],
    truth: &'s [u32],
    dims: usize,
    classes: usize,
    weights: Vec<f64>,
    fit: HeadFit,
    /// By dimension: the sum of squares, which is how strongly the loss bends there.
    spread: Vec<f64>,
    total: f64,
}

/// The weight of each row's part in the loss.
fn weights_of(classes: usize, truth: &[u32], balanced: bool) -> Vec<f64> {
    if !balanced {
        return vec![1.0; truth.len()];
    }
    let mut counts = vec![0usize; classes];
    truth.iter().for_each(|class| counts[*class as usize] += 1);
    let present = counts.iter().filter(|n| **n > 0).count().max(1);
    truth.iter().map(|class| truth.len() as f64 / (present * counts[*class as usize]) as f64).collect()
}

impl<T: Real> Fitted<'_, T> {
    /// How many columns products have: of dense rows a multiple of eight, at which they are a third faster.
    fn wide(&self) -> usize {
        if matches!(self.seen, Seen::Dense(..)) { self.classes.next_multiple_of(8) } else { self.classes }
    }

    /// Loss, slope (`dims × wide`, then intercepts) and bend of some rows.
    fn part(&self, rows: std::ops::Range<usize>, w: &[T], b: &[T]) -> (f64, Vec<T>, f64) {
        let (dims, classes) = (self.dims, self.wide());
        let size = dims * classes;
        let mut gradient = vec![T::default(); size + classes];
        let mut logits = vec![T::default(); BATCH * classes];
        let mut input = vec![T::default(); if matches!(self.seen, Seen::Dense(..)) { BATCH * dims } else { 0 }];
        let (mut value, mut bend) = (0.0, 0.0);
        for from in rows.clone().step_by(BATCH) {
            let which = &self.which[from..rows.end.min(from + BATCH)];
            let n = which.len();
            let out = &mut logits[..n * classes];
            match &self.seen {
                Seen::Dense(x, stretch) => {
                    for (row, input) in which.iter().zip(input.chunks_mut(dims.max(1))) {
                        T::stretched(&x[*row as usize * dims..(*row as usize + 1) * dims], stretch, input);
                    }
                    T::product(out, false, &input[..n * dims], false, w, [n, dims, classes]);
                }
                Seen::Sparse(x, places) => {
                    for (row, out) in which.iter().zip(out.chunks_mut(classes)) {
                        out.fill(T::default());
                        let (columns, values) = x.row(places[*row as usize] as usize);
                        for (column, value) in columns.iter().zip(values) {
                            let own = &w[*column as usize * classes..(*column as usize + 1) * classes];
                            T::add(out, f64::from(*value), own);
                        }
                    }
                }
            }
            for (at, row) in out.chunks_mut(classes).enumerate() {
                let (truth, weight) = (self.truth[from + at] as usize, self.weights[from + at]);
                let (own, room) = row.split_at_mut(self.classes);
                let (loss, bends) = T::slope(self.fit.loss, own, b, truth, weight);
                room.fill(T::default());
                value += loss;
                bend += bends;
                T::add(&mut gradient[size..], 1.0, own);
            }
            let out = &logits[..n * classes];
            match &self.seen {
                Seen::Dense(..) => {
                    T::product(&mut gradient[..size], true, &input[..n * dims], true, out, [dims, n, classes]);
                }
                Seen::Sparse(x, places) => {
                    for (row, errors) in which.iter().zip(out.chunks(classes)) {
                        let (columns, values) = x.row(places[*row as usize] as usize);
                        for (column, value) in columns.iter().zip(values) {
                            let own = &mut gradient[*column as usize * classes..(*column as usize + 1) * classes];
                            T::add(own, f64::from(*value), errors);
                        }
                    }
                }
            }
        }
        (value, gradient, bend)
    }

    /// How much an intercept counts among what is held small: not at all, or as a feature that is 1.
    fn held(&self) -> f64 {
        if self.fit.loss == HeadLoss::Support { 1.0 } else { 0.0 }
    }

    fn worth(&self, at: &[f64]) -> Worth {
        let size = self.dims * self.classes;
        let wide = self.wide();
        let mut w = vec![T::default(); self.dims * wide];
        for (out, row) in w.chunks_mut(wide.max(1)).zip(at[..size].chunks(self.classes.max(1))) {
            out.iter_mut().zip(row).for_each(|(out, value)| *out = T::of(*value));
        }
        let b: Vec<T> = at[size..].iter().map(|value| T::of(*value)).collect();
        let (w, b) = (&w, &b);
        let n = self.truth.len();
        // Of very many columns the slopes are what fills the memory: fewer parts.
        let parts = if size > 1 << 22 { 2 } else { PARTS.min(n.div_ceil(BATCH)).max(1) };
        let step = n.div_ceil(parts).max(1);
        let found: Vec<(f64, Vec<T>, f64)> =
            (0..parts).into_par_iter().map(|part| self.part((part * step).min(n)..((part + 1) * step).min(n), w, b)).collect();
        let held = self.held();
        let small = |at: usize| if at < size { 1.0 } else { held };
        let mut gradient: Vec<f64> = at.iter().enumerate().map(|(place, w)| small(place) * w / self.fit.c).collect();
        let mut value = at.iter().enumerate().map(|(place, w)| small(place) * w * w).sum::<f64>() / (2.0 * self.fit.c);
        let mut bend = 0.0;
        for (loss, part, bends) in found {
            value += loss;
            bend += bends;
            let (own, intercepts) = part.split_at(self.dims * wide);
            for (sums, row) in gradient[..size].chunks_mut(self.classes.max(1)).zip(own.chunks(wide.max(1))) {
                sums.iter_mut().zip(row).for_each(|(sum, part)| *sum += part.get());
            }
            gradient[size..].iter_mut().zip(intercepts).for_each(|(sum, part)| *sum += part.get());
        }
        Worth { value, gradient, bend: bend / self.classes as f64 / self.total.max(f64::MIN_POSITIVE) }
    }

    /// Divides a direction by the curvature, as if it had no other axes.
    fn divide(&self, bend: f64, direction: &mut [f64]) {
        let least = 1e-3 / self.classes as f64;
        let bend = bend.max(least);
        let (w, b) = direction.split_at_mut(self.dims * self.classes);
        for (row, spread) in w.chunks_mut(self.classes.max(1)).zip(&self.spread) {
            let by = 1.0 / (bend * spread + 1.0 / self.fit.c);
            row.iter_mut().for_each(|part| *part *= by);
        }
        let by = 1.0 / (bend * self.total + self.held() / self.fit.c);
        b.iter_mut().for_each(|part| *part *= by);
    }

    fn search(&self, start: Option<Vec<f64>>, progress: &Progress) -> Result<Vec<f64>, Cancelled> {
        let zero = vec![0.0; (self.dims + 1) * self.classes];
        let from = start.is_some().then(|| largest(&self.worth(&zero).gradient));
        let enough = Enough { steps: self.fit.steps, tolerance: self.fit.tolerance, from };
        minimise(start.unwrap_or(zero), enough, progress, &|at| self.worth(at), &|bend, direction| self.divide(bend, direction))
    }
}

impl LinearHead {
    /// How many numbers a row has.
    pub fn dims(&self) -> usize {
        self.weights.len() / self.classes.max(1)
    }

    /// Fits a head to some rows of `input`, of the classes `truth`.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn fit(
        input: HeadInput<'_>,
        rows: &[u32],
        truth: &[u32],
        classes: usize,
        fit: &HeadFit,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let space = HeadSpace::new(input, rows, fit, progress)?;
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        space.path(&all, truth, classes, fit).fit(fit, progress)
    }

    /// The logits of some rows, `classes` numbers each.
    pub fn logits(&self, input: HeadInput<'_>, rows: &[u32]) -> Vec<f64> {
        let (dims, classes) = (self.dims(), self.classes);
        let mut out = vec![0.0; rows.len() * classes];
        out.par_chunks_mut((BATCH * classes).max(1)).zip(rows.par_chunks(BATCH)).for_each(|(out, part)| {
            match input {
                HeadInput::Dense(dense) => {
                    let mut buffer = vec![0.0; part.len() * dims];
                    fill(dense, part, &vec![0.0; dims], &mut buffer);
                    f64::product(out, false, &buffer, false, &self.weights, [part.len(), dims, classes]);
                }
                HeadInput::Sparse(sparse) => {
                    for (row, out) in part.iter().zip(out.chunks_mut(classes)) {
                        let (columns, values) = sparse.row(*row as usize);
                        for (column, value) in columns.iter().zip(values) {
                            let own = &self.weights[*column as usize * classes..(*column as usize + 1) * classes];
                            out.iter_mut().zip(own).for_each(|(sum, w)| *sum += f64::from(*value) * w);
                        }
                    }
                }
            }
            for row in out.chunks_mut(classes.max(1)) {
                row.iter_mut().zip(&self.bias).for_each(|(logit, bias)| *logit += bias);
            }
        });
        out
    }

    /// The probabilities of some rows, `classes` numbers each.
    pub fn probabilities(&self, input: HeadInput<'_>, rows: &[u32]) -> Vec<f64> {
        let mut out = self.logits(input, rows);
        out.chunks_mut(self.classes.max(1)).for_each(|row| {
            softmax(row);
        });
        out
    }
}

enum Held {
    Single(Vec<f32>),
    Double(Vec<f64>),
    /// Where each row is.
    Sparse(Vec<u32>),
}

/// Rows that heads are fitted on: their axes are found once, and every fold and every `C` sees them there.
pub struct HeadSpace<'f> {
    input: HeadInput<'f>,
    held: Held,
    axes: Option<Axes>,
}

impl<'f> HeadSpace<'f> {
    /// Prepares rows. `fit` says the loss and how near to the optimum: for a rough search rows are held in single precision.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn new(input: HeadInput<'f>, rows: &[u32], fit: &HeadFit, progress: &Progress) -> Result<Self, Cancelled> {
        let HeadInput::Dense(dense) = input else {
            return Ok(Self { input, held: Held::Sparse(rows.to_vec()), axes: None });
        };
        let axes = Axes::of(dense, rows, fit.loss == HeadLoss::Logistic, progress)?;
        let double = fit.tolerance < ROUGH && rows.len() * dense.dims <= DOUBLE;
        let held = if double {
            Held::Double(axes.turned(dense, rows, progress)?)
        } else {
            Held::Single(axes.turned(dense, rows, progress)?)
        };
        Ok(Self { input, held, axes: Some(axes) })
    }

    /// Heads on some of the rows (places among those of the space), of the classes `truth`.
    pub fn path<'s>(&'s self, which: &'s [u32], truth: &'s [u32], classes: usize, fit: &HeadFit) -> HeadPath<'s> {
        let weights = weights_of(classes, truth, fit.balanced);
        let (stretch, spread) = match (&self.axes, &self.held, self.input) {
            (Some(axes), ..) => axes.stretch(fit.evened),
            (None, Held::Sparse(places), HeadInput::Sparse(sparse)) => {
                let mut spread = vec![0.0; sparse.dims];
                for row in which {
                    let (columns, values) = sparse.row(places[*row as usize] as usize);
                    columns.iter().zip(values).for_each(|(at, x)| spread[*at as usize] += f64::from(*x) * f64::from(*x));
                }
                (Vec::new(), spread)
            }
            (None, ..) => (Vec::new(), Vec::new()),
        };
        HeadPath { space: self, which, truth, classes, weights, stretch, spread, last: None }
    }
}

/// Heads on the same rows at several `C`: each search begins where the one before ended.
pub struct HeadPath<'s> {
    space: &'s HeadSpace<'s>,
    which: &'s [u32],
    truth: &'s [u32],
    classes: usize,
    weights: Vec<f64>,
    stretch: Vec<f64>,
    spread: Vec<f64>,
    last: Option<Vec<f64>>,
}

impl HeadPath<'_> {
    /// The head at another `C`, or nearer to the optimum; what `fit` says else is as when the path was begun.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn fit(&mut self, fit: &HeadFit, progress: &Progress) -> Result<LinearHead, Cancelled> {
        let at = match (&self.space.held, self.space.input) {
            (Held::Single(x), _) => {
                self.search(Seen::Dense(x, self.stretch.iter().map(|by| f32::of(*by)).collect()), fit, progress)?
            }
            (Held::Double(x), _) => self.search(Seen::Dense(x, self.stretch.clone()), fit, progress)?,
            (Held::Sparse(places), HeadInput::Sparse(sparse)) => {
                self.search::<f32>(Seen::Sparse(sparse, places), fit, progress)?
            }
            (Held::Sparse(_), HeadInput::Dense(_)) => Vec::new(),
        };
        let mut flat = at.clone();
        self.last = Some(at);
        Ok(match &self.space.axes {
            Some(axes) => {
                let (weights, bias) = axes.back(flat, &self.stretch, self.classes);
                LinearHead { classes: self.classes, weights, bias }
            }
            None => {
                let bias = flat.split_off(flat.len().saturating_sub(self.classes));
                LinearHead { classes: self.classes, weights: flat, bias }
            }
        })
    }

    fn search<T: Real>(&self, seen: Seen<'_, T>, fit: &HeadFit, progress: &Progress) -> Result<Vec<f64>, Cancelled> {
        let fitted = Fitted {
            seen,
            which: self.which,
            truth: self.truth,
            dims: self.space.input.dims(),
            classes: self.classes,
            weights: self.weights.clone(),
            fit: *fit,
            spread: self.spread.clone(),
            total: self.weights.iter().sum(),
        };
        fitted.search(self.last.clone(), progress)
    }
}
