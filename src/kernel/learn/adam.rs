//! `AdamW` (Loshchilov and Hutter 2019), in place over a list.

/// How the means of gradients and of their squares fade, and what keeps a step finite: torch's.
const BETA: (f32, f32, f32) = (0.9, 0.999, 1e-8);

/// One step of `AdamW`.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// Counted from 1.
    pub step: usize,
    /// By what gradients are multiplied: they are clipped.
    pub scale: f32,
    /// The part of the rate at this step.
    pub part: f32,
}

impl AdamStep {
    /// Moves `list` against its gradients; `first` and `second` are the means of gradients and of their squares.
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    pub fn step(&self, list: &mut [f32], (first, second): (&mut [f32], &mut [f32]), slope: &[f32], rate: f32, decay: f32) {
        let (beta, square, least) = BETA;
        let rate = rate * self.part;
        let fade = |beta: f32| 1.0 - f64::from(beta).powi(self.step as i32);
        let (by, root) = ((f64::from(rate) / fade(beta)) as f32, (1.0 / fade(square).sqrt()) as f32);
        let (keep, scale) = (1.0 - rate * decay, self.scale);
        super::dense::vectorised(
            #[inline(always)]
            || {
                for ((x, slope), (first, second)) in list.iter_mut().zip(slope).zip(first.iter_mut().zip(second)) {
                    let slope = slope * scale;
                    *first = beta * *first + (1.0 - beta) * slope;
                    *second = square * *second + (1.0 - square) * slope * slope;
                    *x = *x * keep - by * *first / (second.sqrt() * root + least);
                }
            },
        );
    }
}
