//! Whether predictions are as sure as they are right (Guo et al. 2017), and the one number that makes them so.

use super::scores::Predicted;

/// Parts of confidence, of equal width.
pub const BINS: usize = 15;

/// The predictions of one part of confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceBin {
    pub low: f64,
    pub high: f64,
    pub n: usize,
    /// Their mean confidence and how often they are right; 0 where there are none.
    pub confidence: f64,
    pub accuracy: f64,
}

/// Whether predictions are as sure as they are right.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// `(i/15, (i+1)/15]`, the first closed on both sides.
    pub bins: Vec<ConfidenceBin>,
    /// The expected and the largest gap between confidence and accuracy.
    pub ece: f64,
    pub mce: f64,
    /// The expected gap of parts with equally many rows, and of every class by itself, the mean over classes.
    pub ece_equal_mass: f64,
    pub ece_classwise: f64,
}

/// The part that a confidence falls in.
fn bin_of(confidence: f64) -> usize {
    // The borders are those of numpy's linspace: i / 15 in doubles.
    (0..BINS).find(|bin| confidence <= (*bin + 1) as f64 / BINS as f64).unwrap_or(BINS - 1)
}

fn bins_of(confidences: &[f64], right: &[bool]) -> Vec<ConfidenceBin> {
    let mut bins: Vec<ConfidenceBin> = (0..BINS)
        .map(|bin| ConfidenceBin {
            low: bin as f64 / BINS as f64,
            high: (bin + 1) as f64 / BINS as f64,
            n: 0,
            confidence: 0.0,
            accuracy: 0.0,
        })
        .collect();
    for (confidence, right) in confidences.iter().zip(right) {
        let bin = &mut bins[bin_of(*confidence)];
        bin.n += 1;
        bin.confidence += confidence;
        bin.accuracy += f64::from(u8::from(*right));
    }
    for bin in bins.iter_mut().filter(|bin| bin.n > 0) {
        bin.confidence /= bin.n as f64;
        bin.accuracy /= bin.n as f64;
    }
    bins
}

fn expected(bins: &[ConfidenceBin], rows: usize) -> f64 {
    bins.iter().map(|bin| bin.n as f64 / rows.max(1) as f64 * (bin.accuracy - bin.confidence).abs()).sum()
}

impl Calibration {
    /// Of what is true (a class a row) and what is predicted.
    pub fn of(truth: &[u32], predicted: Predicted<'_>) -> Self {
        let n = truth.len();
        let likeliest: Vec<usize> = (0..n).map(|row| predicted.likeliest(row)).collect();
        let confidences: Vec<f64> = (0..n).map(|row| predicted.row(row)[likeliest[row]]).collect();
        let right: Vec<bool> = (0..n).map(|row| likeliest[row] == truth[row] as usize).collect();
        let bins = bins_of(&confidences, &right);
        let mce = bins.iter().filter(|bin| bin.n > 0).map(|bin| (bin.accuracy - bin.confidence).abs()).fold(0.0, f64::max);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| confidences[*a].total_cmp(&confidences[*b]));
        // The first n mod 15 parts have one more, as numpy's array_split has it.
        let (small, more) = (n / BINS, n % BINS);
        let (mut at, mut equal) = (0, 0.0);
        for bin in 0..BINS {
            let part = &order[at..at + small + usize::from(bin < more)];
            at += part.len();
            if !part.is_empty() {
                let mean = |of: &dyn Fn(usize) -> f64| part.iter().map(|row| of(*row)).sum::<f64>() / part.len() as f64;
                let gap = mean(&|row| f64::from(u8::from(right[row]))) - mean(&|row| confidences[row]);
                equal += part.len() as f64 / n as f64 * gap.abs();
            }
        }
        let of_class = |class: usize| {
            let own: Vec<f64> = (0..n).map(|row| predicted.row(row)[class]).collect();
            let is: Vec<bool> = truth.iter().map(|truth| *truth as usize == class).collect();
            expected(&bins_of(&own, &is), n)
        };
        let classwise = (0..predicted.classes).map(of_class).sum::<f64>() / predicted.classes.max(1) as f64;
        Self { ece: expected(&bins, n), bins, mce, ece_equal_mass: equal, ece_classwise: classwise }
    }
}

/// Probabilities at another temperature: above 1 they are less sure.
pub fn tempered(predicted: Predicted<'_>, temperature: f64) -> Vec<f64> {
    let mut out = Vec::with_capacity(predicted.of.len());
    for row in 0..predicted.rows() {
        let logits: Vec<f64> = predicted.row(row).iter().map(|p| p.clamp(1e-12, 1.0).ln() / temperature).collect();
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
        out.extend(logits.iter().map(|logit| (logit - most).exp() / sum));
    }
    out
}

/// The temperature with the least log loss, between 0.05 and 20: to be found on a validation part, never on the test.
pub fn temperature_of(truth: &[u32], predicted: Predicted<'_>) -> f64 {
    let loss = |log_temperature: f64| {
        let temperature = log_temperature.exp();
        let mut sum = 0.0;
        for (row, class) in truth.iter().enumerate() {
            let logits: Vec<f64> = predicted.row(row).iter().map(|p| p.clamp(1e-12, 1.0).ln() / temperature).collect();
            let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            sum += most + logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln() - logits[*class as usize];
        }
        sum
    };
    // Golden section: the loss has one valley.
    let part = (5.0f64.sqrt() - 1.0) / 2.0;
    let (mut from, mut to) = (0.05f64.ln(), 20.0f64.ln());
    let (mut left, mut right) = (to - part * (to - from), from + part * (to - from));
    let (mut at_left, mut at_right) = (loss(left), loss(right));
    while to - from > 1e-10 {
        if at_left <= at_right {
            (to, right, at_right) = (right, left, at_left);
            left = to - part * (to - from);
            at_left = loss(left);
        } else {
            (from, left, at_left) = (left, right, at_right);
            right = from + part * (to - from);
            at_right = loss(right);
        }
    }
    f64::midpoint(from, to).exp()
}
