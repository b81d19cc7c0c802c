//! Heads on frozen features: logistic regression and a linear support vector machine, to the optimum. Objectives are scikit-learn's, so that `C` means what it means
//! there: the loss is a sum over rows, and `|W|² / (2 C)` is added once.
//!
//! Dense rows are turned into the axes of their own spread first: there the curvature is nearly diagonal, and a search that knows it takes a few steps where it took hundreds.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par, Side};
use rayon::prelude::*;

use super::dense::{self, Dense};
use super::lbfgs::{Enough, Worth, largest, minimise};
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

/// What a linear head is fitted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadLoss {
    /// Multinomial cross-entropy; the intercept is not held small.
    Logistic,
    /// Each class against the rest, squared hinge; the intercept is held small as a feature that is 1 (liblinear's).
    Support,
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

/// Rows are summed in so many parts, whatever the number of threads, and looked at in batches.
const PARTS: usize = 16;
const BATCH: usize = 256;
/// Rows of more numbers than this are not turned: finding their axes would take longer than the search.
const TURNED: usize = 1_536;
/// Up to so many numbers rows are held in double precision where the last digit is asked for.
const DOUBLE: usize = 1 << 23;
/// A tolerance from which on single precision will do.
const ROUGH: f64 = 1e-3;

/// The slope of a row, for one kind of number.
macro_rules! slope {
    ($name:ident, $t:ty, $exp:path) => {
        fn $name(loss: HeadLoss, row: &mut [$t], bias: &[$t], truth: usize, weight: f64) -> (f64, f64) {
            let by = <$t as Real>::of(weight);
            dense::vectorised(
                #[inline(always)]
                || {
                    row.iter_mut().zip(bias).for_each(|(logit, bias)| *logit += bias);
                    let own = row[truth];
                    match loss {
                        HeadLoss::Logistic => {
                            let most = row.iter().fold(<$t>::NEG_INFINITY, |most, x| if *x > most { *x } else { most });
                            row.iter_mut().for_each(|x| *x = $exp(*x - most));
                            let sum = lanes(
                                row,
                                #[inline(always)]
                                |x| x,
                            );
                            let scale = 1.0 / sum;
                            row.iter_mut().for_each(|x| *x *= scale);
                            let square = lanes(
                                row,
                                #[inline(always)]
                                |x| x * x,
                            );
                            row[truth] -= 1.0;
                            row.iter_mut().for_each(|x| *x *= by);
                            (weight * (most + sum.ln() - own).get(), weight * (1.0 - square.get()))
                        }
                        HeadLoss::Support => {
                            // The true class is short of 1 from below, the others of -1 from above.
                            let own = (1.0 - own).max(0.0);
                            row.iter_mut().for_each(|x| *x = (1.0 + *x).max(0.0));
                            row[truth] = own;
                            let square = lanes(
                                row,
                                #[inline(always)]
                                |x| x * x,
                            );
                            let active = lanes(
                                row,
                                #[inline(always)]
                                |x| if x > 0.0 { 1.0 } else { 0.0 },
                            );
                            row[truth] = -own;
                            row.iter_mut().for_each(|x| *x *= 2.0 * by);
                            (weight * square.get(), 2.0 * weight * active.get())
                        }
                    }
                },
            )
        }
    };
}

macro_rules! real {
    ($t:ty, $slope:ident) => {
        impl Real for $t {
            #[allow(clippy::cast_possible_truncation)]
            fn of(value: f64) -> Self {
                value as $t
            }
            fn get(self) -> f64 {
                f64::from(self)
            }
            fn product(out: &mut [Self], add: bool, a: &[Self], over: bool, b: &[Self], [n, k, m]: [usize; 3]) {
                let rows = if over { (k, n) } else { (n, k) };
                let a = MatRef::from_row_major_slice(a, rows.0, rows.1);
                let b = MatRef::from_row_major_slice(b, k, m);
                let out = MatMut::from_row_major_slice_mut(out, n, m);
                let accum = if add { Accum::Add } else { Accum::Replace };
                if over {
                    matmul(out, accum, a.transpose(), b, 1.0, Par::Seq);
                } else {
                    matmul(out, accum, a, b, 1.0, Par::Seq);
                }
            }
            fn slope(loss: HeadLoss, row: &mut [Self], bias: &[Self], truth: usize, weight: f64) -> (f64, f64) {
                $slope(loss, row, bias, truth, weight)
            }
            fn add(out: &mut [Self], factor: f64, row: &[Self]) {
                let factor = Self::of(factor);
                out.iter_mut().zip(row).for_each(|(sum, x)| *sum += factor * x);
            }
            fn stretched(row: &[Self], by: &[Self], out: &mut [Self]) {
                out.iter_mut().zip(row.iter().zip(by)).for_each(|(out, (x, by))| *out = x * by);
            }
        }
    };
}

slope!(slope_single, f32, dense::exp);
slope!(slope_double, f64, exp);
real!(f32, slope_single);
real!(f64, slope_double);

/// A sum over eight lanes in a fixed order.
#[inline(always)]
#[allow(clippy::inline_always)]
fn lanes<T: Copy + Default + std::ops::AddAssign>(row: &[T], of: impl Fn(T) -> T) -> T {
    let mut sums = [T::default(); 8];
    let (blocks, rest) = row.as_chunks::<8>();
    for block in blocks {
        for lane in 0..8 {
            sums[lane] += of(block[lane]);
        }
    }
    let mut total = T::default();
    sums.into_iter().for_each(|sum| total += sum);
    rest.iter().for_each(|x| total += of(*x));
    total
}

/// `e^x` to some units in the last place, for loops that run over vectors: by range reduction to ±ln 2 / 2 and Taylor's series to the 13th power. Below −708 it is 0.
#[inline(always)]
#[allow(clippy::inline_always)]
fn exp(x: f64) -> f64 {
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    const SERIES: [f64; 12] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ];
    let clamped = x.clamp(-708.0, 709.0);
    // So large that its last bits are the whole number.
    let rounded = clamped * std::f64::consts::LOG2_E + 6_755_399_441_055_744.0;
    let n = rounded - 6_755_399_441_055_744.0;
    let r = clamped - n * HIGH - n * LOW;
    let mut p = SERIES[0];
    for term in &SERIES[1..] {
        p = p * r + term;
    }
    let e = p * r * r + r + 1.0;
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1_023 << 52));
    if x < -708.0 { 0.0 } else { e * power }
}

/// Logits to probabilities, in place; `ln Σ exp`.
pub fn softmax(logits: &mut [f64]) -> f64 {
    dense::vectorised(
        #[inline(always)]
        || {
            let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            logits.iter_mut().for_each(|x| *x = exp(*x - most));
            let sum = lanes(
                logits,
                #[inline(always)]
                |x| x,
            );
            logits.iter_mut().for_each(|p| *p /= sum);
            most + sum.ln()
        },
    )
}

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

/// Numbers that a search runs in.
trait Real: Copy + Default + Send + Sync + 'static {
    fn of(value: f64) -> Self;
    fn get(self) -> f64;
    /// `out (+)= a b`, of `n × k` and `k × m`; `a` is `k × n` where it is turned over.
    fn product(out: &mut [Self], add: bool, a: &[Self], over: bool, b: &[Self], shape: [usize; 3]);
    /// Adds intercepts to a row of logits and turns it into the loss's slope; the loss, and how strongly it bends.
    fn slope(loss: HeadLoss, row: &mut [Self], bias: &[Self], truth: usize, weight: f64) -> (f64, f64);
    /// `out += factor × row`.
    fn add(out: &mut [Self], factor: f64, row: &[Self]);
    /// `out = row × by`, number by number.
    fn stretched(row: &[Self], by: &[Self], out: &mut [Self]);
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

/// The axes of some rows' spread, about their middle or about zero.
struct Axes {
    dims: usize,
    middle: Vec<f64>,
    /// `dims × dims`, an axis a column; `None` where rows stay as they are.
    turn: Option<Vec<f64>>,
    /// The sum of squares along each.
    spread: Vec<f64>,
}

/// The least deviation of an axis, as part of the largest, that evening divides by: what lies below is noise.
const NOISE: f64 = 1e-3;

impl Axes {
    fn of(dense: &Dense, rows: &[u32], centred: bool, progress: &Progress) -> Result<Self, Cancelled> {
        let dims = dense.dims;
        let mut middle = vec![0.0; dims];
        if centred {
            for row in rows {
                middle.iter_mut().zip(dense.row(*row as usize)).for_each(|(sum, x)| *sum += f64::from(*x));
            }
            middle.iter_mut().for_each(|sum| *sum /= rows.len().max(1) as f64);
        }
        if dims > TURNED {
            let mut spread = vec![0.0; dims];
            for row in rows {
                let x = dense.row(*row as usize).iter().zip(&middle);
                spread.iter_mut().zip(x).for_each(|(sum, (x, middle))| *sum += (f64::from(*x) - middle).powi(2));
            }
            return Ok(Self { dims, middle, turn: None, spread });
        }
        let mut square = vec![0.0f64; dims * dims];
        let mut buffer = vec![0.0f64; BATCH * dims];
        for part in rows.chunks(BATCH) {
            progress.check()?;
            fill(dense, part, &middle, &mut buffer);
            let x = &buffer[..part.len() * dims];
            f64::product(&mut square, true, x, true, x, [dims, part.len(), dims]);
        }
        let found = MatRef::from_row_major_slice(&square, dims, dims).self_adjoint_eigen(Side::Lower);
        let Ok(found) = found else {
            let spread = (0..dims).map(|at| square[at * dims + at]).collect();
            return Ok(Self { dims, middle, turn: None, spread });
        };
        let (vectors, values) = (found.U(), found.S().column_vector());
        let turn = (0..dims * dims).map(|at| vectors[(at / dims, at % dims)]).collect();
        Ok(Self { dims, middle, turn: Some(turn), spread: (0..dims).map(|at| values[at].max(0.0)).collect() })
    }

    /// By how much each axis is stretched, and the sums of squares then.
    fn stretch(&self, evened: bool) -> (Vec<f64>, Vec<f64>) {
        if !evened {
            return (vec![1.0; self.dims], self.spread.clone());
        }
        let deviation: Vec<f64> = self.spread.iter().map(|square| square.sqrt()).collect();
        let least = (NOISE * largest(&deviation)).max(f64::MIN_POSITIVE);
        let mut by: Vec<f64> = deviation.iter().map(|own| 1.0 / own.max(least).sqrt()).collect();
        let before: f64 = self.spread.iter().sum();
        let after: f64 = self.spread.iter().zip(&by).map(|(square, by)| square * by * by).sum();
        let whole = if after > 0.0 { (before / after).sqrt() } else { 1.0 };
        by.iter_mut().for_each(|by| *by *= whole);
        let spread = self.spread.iter().zip(&by).map(|(square, by)| square * by * by).collect();
        (by, spread)
    }

    /// Rows in these axes.
    fn turned<T: Real>(&self, dense: &Dense, rows: &[u32], progress: &Progress) -> Result<Vec<T>, Cancelled> {
        let dims = self.dims;
        let turn: Option<Vec<T>> = self.turn.as_ref().map(|turn| turn.iter().map(|value| T::of(*value)).collect());
        let mut out = vec![T::default(); rows.len() * dims];
        out.par_chunks_mut((BATCH * dims).max(1)).zip(rows.par_chunks(BATCH)).try_for_each(|(out, part)| {
            progress.check()?;
            let mut buffer = vec![T::default(); part.len() * dims];
            fill(dense, part, &self.middle, &mut buffer);
            match &turn {
                Some(turn) => T::product(out, false, &buffer, false, turn, [part.len(), dims, dims]),
                None => out.copy_from_slice(&buffer),
            }
            Ok::<(), Cancelled>(())
        })?;
        Ok(out)
    }

    /// The head of rows as they are, of weights in these axes, stretched; intercepts behind them.
    fn back(&self, mut at: Vec<f64>, stretch: &[f64], classes: usize) -> LinearHead {
        let mut bias = at.split_off(self.dims * classes);
        for (row, by) in at.chunks_mut(classes.max(1)).zip(stretch) {
            row.iter_mut().for_each(|w| *w *= by);
        }
        let weights = match &self.turn {
            Some(turn) => {
                let mut out = vec![0.0; self.dims * classes];
                f64::product(&mut out, false, turn, false, &at, [self.dims, self.dims, classes]);
                out
            }
            None => at,
        };
        for (row, middle) in weights.chunks(classes.max(1)).zip(&self.middle) {
            bias.iter_mut().zip(row).for_each(|(bias, w)| *bias -= middle * w);
        }
        LinearHead { classes, weights, bias }
    }
}

fn fill<T: Real>(dense: &Dense, rows: &[u32], middle: &[f64], out: &mut [T]) {
    for (row, out) in rows.iter().zip(out.chunks_mut(dense.dims.max(1))) {
        let x = dense.row(*row as usize).iter().zip(middle);
        out.iter_mut().zip(x).for_each(|(out, (x, middle))| *out = T::of(f64::from(*x) - middle));
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
            Some(axes) => axes.back(flat, &self.stretch, self.classes),
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
