//! A quick probe of what a training set is worth: a linear model on embeddings, cross-validated, its F1 by class; and by how much it would
//! grow with more samples. What is made of a sample is trained on only where that sample is, and never tested on.

use rayon::prelude::*;

use super::crossfit::{DENSE, FOLDS, passes};
use super::dense::Dense;
use super::features::{Scaled, level, spread_of};
use super::folds::stratified;
use super::logistic::{Linear, Targets, Training};
use crate::chance::Deal;
use crate::job::{Cancelled, Progress};

const SEED: u64 = 42;
/// How often test samples are drawn again for an interval.
const DRAWS: usize = 400;

/// What is probed: rows of features, which of them are samples of the source, and which classes they have.
pub struct Probe {
    features: Dense,
    mean: Vec<f32>,
    scale: Vec<f32>,
    targets: Targets,
    /// Rows that are tested.
    sources: Vec<u32>,
    fold_of: Vec<u8>,
}

/// A training set: rows, as often as each is seen, with the rows of the source that each depends on.
#[derive(Debug, Clone, Default)]
pub struct TrainingSet {
    pub rows: Vec<(u32, Vec<u32>)>,
}

/// What a training set is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeScore {
    /// F1 of each class, 0 to 1; NaN for one without samples.
    pub f1: Vec<f64>,
    /// Their mean, and where that lies 95 times of 100 with other test samples (bootstrap percentiles).
    pub macro_f1: f64,
    pub low: f64,
    pub high: f64,
    /// What was said of each tested row: its classes.
    said: Vec<Vec<u32>>,
}

impl Probe {
    /// A probe of `features` (a row a sample, made ones behind), tested on the `sources` among them. `bent` says that all dimensions count
    /// alike, as a kernel's do.
    pub fn new(features: Dense, bent: bool, targets: Targets, sources: Vec<u32>) -> Self {
        // What is made of samples moves no scale: the score of what is there does not depend on what is planned.
        let (mean, mut scale) = spread_of(&features, sources.iter().map(|row| *row as usize));
        if bent {
            level(&mut scale);
        }
        let first: Vec<u32> =
            sources.iter().map(|row| targets.of(*row as usize).first().copied().unwrap_or(targets.classes as u32)).collect();
        let places = stratified(&first, targets.classes + 1, FOLDS, SEED);
        let mut fold_of = vec![u8::MAX; targets.rows()];
        sources.iter().zip(&places).for_each(|(row, fold)| fold_of[*row as usize] = *fold);
        Self { features, mean, scale, targets, sources, fold_of }
    }

    /// How many steps of progress one score takes, for a training set of `rows`.
    pub fn steps(rows: usize) -> u64 {
        (passes(DENSE, rows) * rows * (FOLDS - 1)) as u64
    }

    /// Cross-validates a training set.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn score(&self, set: &TrainingSet, progress: &Progress) -> Result<ProbeScore, Cancelled> {
        let scaled = Scaled::new(&self.features, &self.mean, &self.scale);
        let classes = self.targets.classes;
        let parts: Vec<Vec<(u32, Vec<u32>)>> = (0..FOLDS as u8)
            .into_par_iter()
            .with_max_len(1)
            .map(|fold| {
                let free = |of: &[u32]| of.iter().all(|row| self.fold_of[*row as usize] != fold);
                let seen: Vec<u32> = set.rows.iter().filter(|(_, of)| free(of)).map(|(row, _)| *row).collect();
                let held: Vec<u32> = self.sources.iter().copied().filter(|row| self.fold_of[*row as usize] == fold).collect();
                let training = Training { passes: passes(DENSE, seen.len()), rate: 0.006, shrink: 1e-2, seed: SEED };
                let model = Linear::fit_dense(&scaled, &seen, &self.targets, None, training, progress)?;
                let mut out = vec![0.0; held.len() * classes];
                model.logits_dense(&scaled, &held, &mut out);
                Ok(held.into_iter().zip(out.chunks(classes).map(|logits| self.decided(logits))).collect())
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut by_row: Vec<Vec<u32>> = vec![Vec::new(); self.targets.rows()];
        parts.into_iter().flatten().for_each(|(row, said)| by_row[row as usize] = said);
        let said: Vec<Vec<u32>> = self.sources.iter().map(|row| std::mem::take(&mut by_row[*row as usize])).collect();
        let all: Vec<u32> = (0..self.sources.len() as u32).collect();
        let f1 = self.f1(&said, &all);
        let macro_f1 = mean(&f1);
        let mut draws: Vec<f64> =
            (0..DRAWS as u64).into_par_iter().map(|draw| mean(&self.f1(&said, &self.drawn(draw)))).collect();
        draws.sort_unstable_by(f64::total_cmp);
        let (low, high) = (draws[DRAWS * 25 / 1_000], draws[DRAWS * 975 / 1_000]);
        Ok(ProbeScore { f1, macro_f1, low, high, said })
    }

    /// By how much the second score is better, and where that lies 95 times of 100: the same test samples are drawn for both.
    pub fn gain(&self, before: &ProbeScore, after: &ProbeScore) -> (f64, f64, f64) {
        let mut draws: Vec<f64> = (0..DRAWS as u64)
            .into_par_iter()
            .map(|draw| {
                let rows = self.drawn(draw);
                mean(&self.f1(&after.said, &rows)) - mean(&self.f1(&before.said, &rows))
            })
            .collect();
        draws.sort_unstable_by(f64::total_cmp);
        (after.macro_f1 - before.macro_f1, draws[DRAWS * 25 / 1_000], draws[DRAWS * 975 / 1_000])
    }

    fn drawn(&self, draw: u64) -> Vec<u32> {
        let mut deal = Deal::new(SEED + draw);
        (0..self.sources.len()).map(|_| deal.below(self.sources.len() as u32)).collect()
    }

    fn decided(&self, logits: &[f32]) -> Vec<u32> {
        if self.targets.many {
            return (0..logits.len() as u32).filter(|class| logits[*class as usize] > 0.0).collect();
        }
        let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]).then(b.cmp(a)));
        best.map(|class| class as u32).into_iter().collect()
    }

    /// F1 by class over tested rows (places in `sources`).
    fn f1(&self, said: &[Vec<u32>], places: &[u32]) -> Vec<f64> {
        let classes = self.targets.classes;
        let (mut right, mut of_said, mut of_true) = (vec![0_u32; classes], vec![0_u32; classes], vec![0_u32; classes]);
        for place in places {
            let truth = self.targets.of(self.sources[*place as usize] as usize);
            truth.iter().for_each(|class| of_true[*class as usize] += 1);
            for class in &said[*place as usize] {
                of_said[*class as usize] += 1;
                right[*class as usize] += u32::from(truth.contains(class));
            }
        }
        (0..classes)
            .map(|class| match of_true[class] {
                0 => f64::NAN,
                n => 2.0 * f64::from(right[class]) / f64::from(of_said[class] + n),
            })
            .collect()
    }

    /// How many samples each class would need for an F1 of `wanted`: from cross-validated scores with a quarter, a half and all of the
    /// training set, by a power law `1 − F1 = a n^−b` (Hestness et al., 2017) whose `b` all classes share. `None` for a class that is
    /// there already, or where more samples of this kind would hardly help (`b` below 0.05).
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn needs(
        &self,
        set: &TrainingSet,
        full: &ProbeScore,
        wanted: f64,
        progress: &Progress,
    ) -> Result<Vec<ProbedNeed>, Cancelled> {
        let classes = self.targets.classes;
        let counts = |set: &TrainingSet| {
            let mut counts = vec![0.0_f64; classes];
            for class in set.rows.iter().flat_map(|(row, _)| self.targets.of(*row as usize)) {
                counts[*class as usize] += 1.0;
            }
            counts
        };
        let mut points: Vec<Vec<(f64, f64)>> = vec![Vec::new(); classes];
        let mut note = |counts: &[f64], score: &ProbeScore| {
            for class in (0..classes).filter(|class| counts[*class] > 0.0 && score.f1[*class].is_finite()) {
                // An error of 0 of few samples is no error of 0.
                let error = (1.0 - score.f1[class]).max(0.5 / counts[class].max(1.0)).min(0.999);
                points[class].push((counts[class].ln(), error.ln()));
            }
        };
        let whole = counts(set);
        note(&whole, full);
        for part in [4, 2] {
            let mut seen = vec![0_usize; classes + 1];
            let few = TrainingSet {
                rows: set
                    .rows
                    .iter()
                    .filter(|(row, _)| {
                        let class = self.targets.of(*row as usize).first().map_or(classes, |class| *class as usize);
                        seen[class] += 1;
                        (seen[class] - 1).is_multiple_of(part)
                    })
                    .cloned()
                    .collect(),
            };
            let score = self.score(&few, progress)?;
            note(&counts(&few), &score);
        }
        let slope = shared_slope(&points);
        let target = (1.0 - wanted).max(1e-3).ln();
        Ok((0..classes)
            .map(|class| {
                let (f1, have) = (full.f1[class], whole[class]);
                let list = &points[class];
                let more = (f1.is_finite() && f1 < wanted && slope > 0.05 && !list.is_empty()).then(|| {
                    let mean = |pick: fn(&(f64, f64)) -> f64| list.iter().map(pick).sum::<f64>() / list.len() as f64;
                    // Through the class's mean with the slope of all: `ln error = level − slope (ln n)`.
                    let level = mean(|point| point.1) + slope * mean(|point| point.0);
                    (((level - target) / slope).exp() - have).clamp(1.0, 1e9).round() as u64
                });
                ProbedNeed { f1, have: have as u64, more }
            })
            .collect())
    }
}

/// What a class needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbedNeed {
    /// Its F1 now; NaN where there is none.
    pub f1: f64,
    /// How many samples it has.
    pub have: u64,
    /// About how many more it needs; `None` where it needs none, or nobody can say.
    pub more: Option<u64>,
}

/// The slope that all classes share: least squares within classes.
fn shared_slope(points: &[Vec<(f64, f64)>]) -> f64 {
    let (mut both, mut square) = (0.0, 0.0);
    for list in points.iter().filter(|list| list.len() > 1) {
        let n = list.len() as f64;
        let (x, y) = (list.iter().map(|p| p.0).sum::<f64>() / n, list.iter().map(|p| p.1).sum::<f64>() / n);
        both += list.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>();
        square += list.iter().map(|p| (p.0 - x) * (p.0 - x)).sum::<f64>();
    }
    if square > 0.0 { -both / square } else { 0.0 }
}

fn mean(list: &[f64]) -> f64 {
    let (sum, n) = list.iter().filter(|value| value.is_finite()).fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    if n > 0.0 { sum / n } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    /// Two clouds that overlap; the second is rare.
    fn clouds(rare: usize) -> (Dense, Targets, Vec<u32>) {
        let mut random = StdRng::seed_from_u64(3);
        let labels: Vec<u32> = (0..200 + rare).map(|row| u32::from(row >= 200)).collect();
        let mut dense = Dense::zeros(labels.len(), 4);
        for (row, label) in labels.iter().enumerate() {
            for value in dense.row_mut(row) {
                *value = random.random_range(-1.0..1.0_f32) + *label as f32 * 0.6;
            }
        }
        let targets = Targets::new(labels.iter().map(|label| [*label]), 2, false);
        (dense, targets, (0..labels.len() as u32).collect())
    }

    #[test]
    fn what_is_trained_on_counts_and_the_interval_holds_the_score() {
        let (dense, targets, sources) = clouds(60);
        let probe = Probe::new(dense, false, targets, sources.clone());
        let all = TrainingSet { rows: sources.iter().map(|row| (*row, vec![*row])).collect() };
        let few = TrainingSet { rows: all.rows.iter().step_by(26).cloned().collect() };
        let silent = Progress::silent();
        let (now, then) = (probe.score(&few, &silent).unwrap(), probe.score(&all, &silent).unwrap());
        assert!(then.macro_f1 > now.macro_f1 && then.macro_f1 > 0.6, "{} after {}", then.macro_f1, now.macro_f1);
        assert!(then.low <= then.macro_f1 && then.macro_f1 <= then.high);
        let (gain, low, high) = probe.gain(&now, &then);
        assert!(low <= gain && gain <= high && (gain - (then.macro_f1 - now.macro_f1)).abs() < 1e-12, "{low} {gain} {high}");
        // What is made of a tested sample is not seen before the test: a copy under a wrong label changes nothing there.
        let mut leaking = all.clone();
        leaking.rows.extend(sources.iter().map(|row| (*row, sources.clone())));
        assert_eq!(probe.score(&leaking, &silent).unwrap(), then);
    }

    #[test]
    fn a_power_law_is_found_again() {
        // error = 2 n^-0.5 for one class, n^-0.5 for the other.
        let points: Vec<Vec<(f64, f64)>> = [2.0_f64, 1.0]
            .iter()
            .map(|a| [25.0_f64, 50.0, 100.0].iter().map(|n| (n.ln(), (a * n.powf(-0.5)).ln())).collect())
            .collect();
        assert!((shared_slope(&points) - 0.5).abs() < 1e-9);
    }
}
