//! What two models that never saw a sample say about it: stratified folds, logistic regression on the embedding and on TF-IDF, and
//! their logits added, each at the temperature that fits the labels best (Guo et al., 2017).
//!
//! The sum is their geometric mean: where the two disagree, neither is believed much. They err in different places, which is what
//! makes the ranking better than either's.

use rayon::prelude::*;

use super::dense::{exp, softmax, vectorised};
use super::features::Features;
use super::folds::stratified;
use super::logistic::{Linear, Targets, Training};
use crate::job::{Cancelled, Progress};

/// How many folds there are.
pub const FOLDS: usize = 5;

/// Out-of-sample logits.
#[derive(Debug, Clone)]
pub struct CrossFit {
    /// How many classes there are.
    pub classes: usize,
    /// `rows × classes`: scaled so that `softmax` (`sigmoid` for several labels) of a row is its probabilities.
    pub logits: Vec<f32>,
    /// By how much the embedding's and the words' logits were scaled.
    pub heat: [f32; 2],
}

/// How many steps of progress [`cross_fit`] takes.
pub fn steps(rows: usize) -> u64 {
    let (dense, sparse) = (passes(DENSE, rows), passes(SPARSE, rows));
    ((dense + sparse) * rows * (FOLDS - 1)) as u64
}

pub(super) const DENSE: usize = 6;
pub(super) const SPARSE: usize = 8;

pub(super) fn passes(base: usize, rows: usize) -> usize {
    ((base as f64 * (10_000.0 / rows.max(1) as f64).sqrt()).round() as usize).clamp(2, 40)
}

/// Fits both models on every fold of `rows`; logits of other rows stay 0. `trust` weighs each row in training, 0 to 1.
///
/// # Errors
/// [`Cancelled`].
pub fn cross_fit(
    features: &Features,
    rows: &[u32],
    targets: &Targets,
    trust: Option<&[f32]>,
    seed: u64,
    progress: &Progress,
) -> Result<CrossFit, Cancelled> {
    let (all, classes, n) = (features.rows(), targets.classes, rows.len());
    // Several labels are dealt by the first of them: rare ones are still spread by chance.
    let first: Vec<u32> = rows.iter().map(|row| targets.of(*row as usize).first().copied().unwrap_or(classes as u32)).collect();
    let fold_of = stratified(&first, classes + 1, FOLDS, seed);
    let scaled = features.scaled();
    // Without words there is one model, and it is believed whole.
    let kinds: &[bool] = if features.sparse.dims == 0 { &[true] } else { &[false, true] };
    // The slow ones first, so that two cores end together.
    let tasks: Vec<(u8, bool)> =
        kinds.iter().copied().flat_map(|dense| (0..FOLDS as u8).map(move |fold| (fold, dense))).collect();
    let parts: Vec<(Vec<u32>, Vec<f32>)> = tasks
        .par_iter()
        .with_max_len(1)
        .map(|(fold, dense)| {
            let of = |held: bool| rows.iter().zip(&fold_of).filter(move |(_, at)| (*at == fold) == held).map(|(row, _)| *row);
            let (held, seen): (Vec<u32>, Vec<u32>) = (of(true).collect(), of(false).collect());
            let mut out = vec![0.0; held.len() * classes];
            if *dense {
                let training = Training { passes: passes(DENSE, n), rate: 0.006, shrink: 1e-2, seed };
                Linear::fit_dense(&scaled, &seen, targets, trust, training, progress)?.logits_dense(&scaled, &held, &mut out);
            } else {
                let training = Training { passes: passes(SPARSE, n), rate: 1.0, shrink: 0.0, seed };
                let model = Linear::fit_sparse(&features.sparse, &seen, targets, trust, training, progress)?;
                model.logits_sparse(&features.sparse, &held, &mut out);
            }
            Ok((held, out))
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut logits = vec![0.0f32; all * classes];
    let mut heat = [0.0f32; 2];
    for (kind, dense) in kinds.iter().enumerate() {
        let (mut labels, mut sample) = (Vec::new(), Vec::new());
        let mine = &parts[kind * FOLDS..(kind + 1) * FOLDS];
        let stride = (n / SAMPLE).max(1);
        for (held, out) in mine {
            for at in (0..held.len()).step_by(stride) {
                labels.push(held[at]);
                sample.extend_from_slice(&out[at * classes..(at + 1) * classes]);
            }
        }
        let best = temperature(&sample, &labels, targets) / kinds.len() as f32;
        heat[usize::from(!dense)] = best;
        for (held, out) in mine {
            for (row, from) in held.iter().zip(out.chunks(classes)) {
                let to = &mut logits[*row as usize * classes..(*row as usize + 1) * classes];
                super::dense::add_scaled(to, best, from);
            }
        }
    }
    Ok(CrossFit { classes, logits, heat })
}

/// Temperatures are chosen on this many rows at most.
pub(super) const SAMPLE: usize = 20_000;

/// The factor, of a grid of fifths on a logarithmic scale, at which the labels are likeliest. `rows[i]` is the row whose logits are the
/// i-th of `logits`.
pub(super) fn temperature(logits: &[f32], rows: &[u32], targets: &Targets) -> f32 {
    let likelihood = |factor: f32| -> f64 {
        let parts: Vec<f64> = logits
            .par_chunks(targets.classes * 512)
            .zip(rows.par_chunks(512))
            .map(|(logits, rows)| {
                let mut buffer = vec![0.0f32; targets.classes];
                rows.iter()
                    .zip(logits.chunks(targets.classes))
                    .map(|(row, logits)| {
                        f64::from(log_likelihood(logits, factor, targets.of(*row as usize), targets.many, &mut buffer))
                    })
                    .sum()
            })
            .collect();
        parts.iter().sum()
    };
    let mut best = (f64::NEG_INFINITY, 1.0);
    for step in -10..=12 {
        let factor = (step as f32 * 0.2).exp();
        let value = likelihood(factor);
        if value > best.0 {
            best = (value, factor);
        }
    }
    best.1
}

fn log_likelihood(logits: &[f32], factor: f32, of: &[u32], many: bool, buffer: &mut [f32]) -> f32 {
    vectorised(
        #[inline(always)]
        || {
            for (to, from) in buffer.iter_mut().zip(logits) {
                *to = from * factor;
            }
            if !many {
                let Some(class) = of.first() else { return 0.0 };
                let logit = buffer[*class as usize];
                return logit - softmax(buffer);
            }
            let mut total = 0.0;
            for (class, logit) in buffer.iter().enumerate() {
                let on = if of.contains(&(class as u32)) { *logit } else { -*logit };
                total -= (1.0 + exp(-on)).ln();
            }
            total
        },
    )
}
