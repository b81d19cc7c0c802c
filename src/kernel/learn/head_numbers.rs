//! The numbers that a search for a head runs in, single or double: products, and what a row of logits says of the loss.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::dense;

/// Rows are looked at in batches of so many.
pub(super) const BATCH: usize = 256;

/// What a linear head is fitted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadLoss {
    /// Multinomial cross-entropy; the intercept is not held small.
    Logistic,
    /// Each class against the rest, squared hinge; the intercept is held small as a feature that is 1 (liblinear's).
    Support,
}

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

/// Numbers that a search runs in.
pub(super) trait Real: Copy + Default + Send + Sync + 'static {
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

/// The largest of some numbers, in size.
pub(super) fn largest(list: &[f64]) -> f64 {
    list.iter().fold(0.0f64, |most, part| most.max(part.abs()))
}
