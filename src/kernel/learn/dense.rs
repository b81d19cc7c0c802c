//! Rows of numbers, and the few kernels that everything learned here stands on.
//!
//! Sums run over sixteen lanes in a fixed order without fused operations: the same input gives the same bits on any processor,
//! and the compiler turns the lanes into whatever vectors the processor has (chosen at run time).

use std::sync::LazyLock;

use pulp::Arch;

static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);

/// Runs `work` compiled for the best instructions that this processor has.
#[inline]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    ARCH.dispatch(work)
}

/// `rows × dims` numbers, row by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dense {
    /// How many numbers a row has.
    pub dims: usize,
    /// All of them; its length is a multiple of `dims`.
    pub data: Vec<f32>,
}

impl Dense {
    /// All zero.
    pub fn zeros(rows: usize, dims: usize) -> Self {
        Self { dims, data: vec![0.0; rows * dims] }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.data.len().checked_div(self.dims).unwrap_or(0)
    }

    /// One row.
    #[inline]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.dims..(row + 1) * self.dims]
    }

    /// One row, to be written.
    #[inline]
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.data[row * self.dims..(row + 1) * self.dims]
    }
}

const LANES: usize = 16;

/// The inner product of two rows of one length.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let mut total = 0.0;
    for sum in sums {
        total += sum;
    }
    for (x, y) in a_rest.iter().zip(b_rest) {
        total += x * y;
    }
    total
}

/// `out += factor × row`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn add_scaled(out: &mut [f32], factor: f32, row: &[f32]) {
    for (sum, value) in out.iter_mut().zip(row) {
        *sum += factor * value;
    }
}

/// Scales a row to length 1; a row of zeros stays.
pub fn normalise(row: &mut [f32]) {
    let length = dot(row, row).sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|value| *value /= length);
    }
}

/// The largest of some numbers; −∞ of none.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn largest(list: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = list.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] = if block[lane] > lanes[lane] { block[lane] } else { lanes[lane] };
        }
    }
    // Loops of their own: a chain of two is not unrolled.
    let mut largest = f32::NEG_INFINITY;
    for value in lanes {
        largest = if value > largest { value } else { largest };
    }
    for value in rest {
        largest = if *value > largest { *value } else { largest };
    }
    largest
}

/// The sum of some numbers.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn total(list: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (blocks, rest) = list.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += block[lane];
        }
    }
    let mut total = 0.0;
    for sum in sums {
        total += sum;
    }
    for value in rest {
        total += value;
    }
    total
}

/// The likeliest class but `own`, the first of equals; `own` where there is no other.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn other(values: &[f32], own: usize) -> usize {
    let (before, behind) = (&values[..own], &values[(own + 1).min(values.len())..]);
    let (first, last) = (largest(before), largest(behind));
    if before.is_empty() && behind.is_empty() {
        own
    } else if behind.is_empty() || (first >= last && !before.is_empty()) {
        before.iter().position(|value| *value == first).unwrap_or(own)
    } else {
        behind.iter().position(|value| *value == last).map_or(own, |at| own + 1 + at)
    }
}

/// Turns logits into probabilities in place: `exp(z − max) / Σ`. Returns `ln Σ exp z`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn softmax(row: &mut [f32]) -> f32 {
    let largest = largest(row);
    for value in row.iter_mut() {
        *value = exp(*value - largest);
    }
    let total = total(row);
    let scale = 1.0 / total;
    for value in row.iter_mut() {
        *value *= scale;
    }
    largest + total.ln()
}

/// `e^x` for `x ≤ 88`, to within three units in the last place: the library's is a call, which no loop can run over vectors.
/// Below −87 it is 0. By range reduction to ±ln 2 / 2 and Cephes' polynomial (Moshier, `expf`).
#[inline(always)]
#[allow(clippy::inline_always, clippy::excessive_precision, clippy::unreadable_literal)]
pub fn exp(x: f32) -> f32 {
    let clamped = x.clamp(-87.3, 88.0);
    // So large that its last bits are the whole number.
    let rounded = clamped * std::f32::consts::LOG2_E + 12_582_912.0;
    let n = rounded - 12_582_912.0;
    let r = clamped - n * 0.693359375 + n * 2.12194440e-4;
    let mut p = 1.9875691500e-4;
    p = p * r + 1.3981999507e-3;
    p = p * r + 8.3334519073e-3;
    p = p * r + 4.1665795894e-2;
    p = p * r + 1.6666665459e-1;
    p = p * r + 5.0000001201e-1;
    let e = p * r * r + r + 1.0;
    // 2^n from those bits, where a conversion to a whole number keeps loops from running over vectors.
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    if x < -87.3 { 0.0 } else { e * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_exact_and_the_rest_is_near() {
        for n in -125..=126 {
            let x = n as f32 * std::f32::consts::LN_2;
            let error = (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
            assert!(error < 4e-7, "{n}: {error}");
        }
        assert_eq!((exp(0.0), exp(-100.0)), (1.0, 0.0));
        assert!((exp(88.0) / 88.0f32.exp() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_largest_but_one_and_the_total_of_lists_of_any_length() {
        let values: Vec<f32> = (0..40).map(|at| ((at * 7) % 19) as f32 - 9.0).collect();
        for n in 1..values.len() {
            let list = &values[..n];
            assert_eq!(largest(list), list.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            assert!((total(list) - list.iter().sum::<f32>()).abs() < 1e-4);
            for own in 0..n {
                let wanted = (0..n).filter(|at| *at != own).max_by(|a, b| list[*a].total_cmp(&list[*b]).then(b.cmp(a)));
                assert_eq!(other(list, own), wanted.unwrap_or(own), "{n} {own}");
            }
        }
    }

    #[test]
    fn kernels_agree_with_plain_arithmetic() {
        let a: Vec<f32> = (0..37).map(|i| (i as f32 * 0.37).sin()).collect();
        let b: Vec<f32> = (0..37).map(|i| (i as f32 * 0.11).cos()).collect();
        let plain: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
        assert!((f64::from(dot(&a, &b)) - plain).abs() < 1e-5);
        for i in -870..880 {
            let x = i as f32 * 0.1;
            let (ours, theirs) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours - theirs).abs() <= 4e-7 * theirs, "exp({x}) is {ours}, not {theirs}");
        }
        let mut row = [1.0, 2.0, 3.0];
        let log_sum = softmax(&mut row);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((f64::from(log_sum) - (1f64.exp() + 2f64.exp() + 3f64.exp()).ln()).abs() < 1e-6);
        assert!(row[2] > row[1] && row[1] > row[0]);
    }
}
