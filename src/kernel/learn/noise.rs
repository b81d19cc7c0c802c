//! Which labels are probably wrong, and how labels go wrong: a noise model fitted by expectation maximisation.
//!
//! A sample's true class `j` is drawn from what models that never saw it say, sharpened by a temperature; its given class `c` is then
//! drawn from row `j` of a noise matrix `Q`. The temperature and `Q` are those under which the given labels are likeliest (Dawid and
//! Skene's model of one annotator, 1979, with a classifier for its prior, as Natarajan et al., 2013, and Goldberger and
//! Ben-Reuven, 2017, have it). A label's probability of being wrong is then Bayes' rule, and no rate needs to be told: a model that
//! is unsure puts its mass on a few likely classes, noise puts labels anywhere, and the likelihood tells the two apart. Rows of
//! `Q` are drawn towards the mean rate and towards an even spread by pseudo-counts, so that a confusion of the model is called noise
//! only on evidence.

use rayon::prelude::*;

use super::dense::{exp, other, softmax, total, vectorised};
use crate::job::{Cancelled, Progress};

/// Pseudo-counts that draw a class's noise rate towards the mean.
const EVEN_RATE: f64 = 50.0;
/// Pseudo-counts that draw where a class's wrong labels go towards an even spread.
const EVEN_SPREAD: f64 = 50.0;
const ROUNDS: usize = 30;
/// The temperature is fitted on this many rows at most.
const SAMPLE: usize = 20_000;
const PARTS: usize = 16;
/// The given class of a row that is not judged.
pub const NONE: u32 = u32::MAX;

/// The fitted model, for one label a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// How many classes there are.
    pub classes: usize,
    /// What logits are multiplied by.
    pub sharpness: f32,
    /// `Q` by given class: `[given × classes + true]`, the probability that a sample of the true class is given that label.
    pub given_true: Vec<f32>,
    /// The share of labels that are wrong, 0 to 1.
    pub rate: f64,
    /// Expected samples by given and true class, laid out likewise.
    pub joint: Vec<f64>,
}

/// What the model says of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The probability that the given label is wrong, 0 to 1.
    pub wrong: f32,
    /// The likeliest other class.
    pub suggested: u32,
}

impl Noise {
    /// Fits the model to `rows × classes` out-of-sample logits and the given classes ([`NONE`] for rows that are not judged). `sure`
    /// rows were looked at by somebody: their label is right.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn fit(logits: &[f32], classes: usize, given: &[u32], sure: &[bool], progress: &Progress) -> Result<Self, Cancelled> {
        let rate = 0.03;
        let mut noise =
            Self { classes, sharpness: 1.0, given_true: vec![0.0; classes * classes], rate, joint: vec![0.0; classes * classes] };
        let others = (classes.max(2) - 1) as f64;
        for given in 0..classes {
            for truth in 0..classes {
                noise.given_true[given * classes + truth] = if given == truth { 1.0 - rate } else { rate / others } as f32;
            }
        }
        let stride = (given.len() / SAMPLE).max(1);
        noise.sharpen(logits, given, stride, &[0.4, 0.55, 0.75, 1.0, 1.35, 1.8, 2.5]);
        for round in 0..ROUNDS {
            let span: f32 = if round < 3 { 1.3 } else { 1.05 };
            noise.sharpen(logits, given, stride, &[1.0 / span / span, 1.0 / span, 1.0, span, span * span]);
            progress.check()?;
            let before = noise.rate;
            noise.learn(logits, given, sure);
            if round > 5 && (noise.rate - before).abs() < 1e-5 {
                break;
            }
        }
        Ok(noise)
    }

    /// Takes the sharpness, of its own multiplied by each of `factors`, under which the given labels are likeliest.
    fn sharpen(&mut self, logits: &[f32], given: &[u32], stride: usize, factors: &[f32]) {
        let rows: Vec<usize> = (0..given.len()).step_by(stride).filter(|row| given[*row] != NONE).collect();
        let likelihood = |sharpness: f32| -> f64 {
            let parts: Vec<f64> = rows
                .par_chunks(512)
                .map(|rows| {
                    let mut buffer = vec![0.0; self.classes];
                    rows.iter()
                        .map(|row| f64::from(self.weigh(logits, *row, given[*row], sharpness, &mut buffer)).max(1e-30).ln())
                        .sum()
                })
                .collect();
            parts.iter().sum()
        };
        let mut best = (f64::NEG_INFINITY, self.sharpness);
        for factor in factors {
            let sharpness = (self.sharpness * factor).clamp(0.02, 50.0);
            let value = likelihood(sharpness);
            if value > best.0 {
                best = (value, sharpness);
            }
        }
        self.sharpness = best.1;
    }

    /// One step of the noise matrix: expected counts, then rates and spreads.
    pub fn learn(&mut self, logits: &[f32], given: &[u32], sure: &[bool]) {
        let k = self.classes;
        // Each part has a matrix of its own: fewer parts where that is large.
        let parts = PARTS.min((50_000_000 / (k * k).max(1)).max(1));
        let part = given.len().div_ceil(parts).max(1);
        let sums: Vec<Vec<f64>> = (0..given.len().div_ceil(part))
            .into_par_iter()
            .map(|at| {
                let (mut sums, mut buffer) = (vec![0.0f64; k * k], vec![0.0f32; k]);
                for row in at * part..((at + 1) * part).min(given.len()) {
                    if given[row] == NONE {
                        continue;
                    }
                    let class = given[row] as usize;
                    if sure[row] {
                        sums[class * k + class] += 1.0;
                        continue;
                    }
                    let total = f64::from(self.weigh(logits, row, given[row], self.sharpness, &mut buffer)).max(1e-30);
                    for (sum, weight) in sums[class * k..(class + 1) * k].iter_mut().zip(&buffer) {
                        *sum += f64::from(*weight) / total;
                    }
                }
                sums
            })
            .collect();
        self.joint.fill(0.0);
        for part in &sums {
            self.joint.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        let diagonal: f64 = (0..k).map(|class| self.joint[class * k + class]).sum();
        let all: f64 = self.joint.iter().sum();
        self.rate = (1.0 - diagonal / all.max(1.0)).clamp(1e-4, 0.9);
        let others = (k.max(2) - 1) as f64;
        for truth in 0..k {
            let all: f64 = (0..k).map(|given| self.joint[given * k + truth]).sum();
            let off = all - self.joint[truth * k + truth];
            let rate = ((off + EVEN_RATE * self.rate) / (all + EVEN_RATE)).clamp(1e-5, 0.9);
            for given in 0..k {
                let value = if given == truth {
                    1.0 - rate
                } else {
                    rate * (self.joint[given * k + truth] + EVEN_SPREAD / others) / (off + EVEN_SPREAD)
                };
                self.given_true[given * k + truth] = value as f32;
            }
        }
    }

    /// Fills `buffer` with `p(true) × Q(given | true)` and returns its sum, the likelihood of the given label.
    fn weigh(&self, logits: &[f32], row: usize, given: u32, sharpness: f32, buffer: &mut [f32]) -> f32 {
        let k = self.classes;
        vectorised(
            #[inline(always)]
            || {
                for (to, from) in buffer.iter_mut().zip(&logits[row * k..(row + 1) * k]) {
                    *to = from * sharpness;
                }
                softmax(buffer);
                let q = &self.given_true[given as usize * k..(given as usize + 1) * k];
                for (value, q) in buffer.iter_mut().zip(q) {
                    *value *= q;
                }
                total(buffer)
            },
        )
    }

    /// The probabilities of the true class of one row, into `out`; returns the verdict on its given label.
    pub fn judge(&self, logits: &[f32], row: usize, given: u32, out: &mut [f32]) -> Verdict {
        let total = self.weigh(logits, row, given, self.sharpness, out).max(1e-30);
        out.iter_mut().for_each(|value| *value /= total);
        let suggested = vectorised(
            #[inline(always)]
            || other(out, given as usize),
        );
        Verdict { wrong: (1.0 - out[given as usize]).clamp(0.0, 1.0), suggested: suggested as u32 }
    }

    /// The verdict on every row; on `sure` ones the label is right.
    pub fn judge_all(&self, logits: &[f32], given: &[u32], sure: &[bool]) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict { wrong: 0.0, suggested: 0 }; given.len()];
        verdicts.par_chunks_mut(1_024).enumerate().for_each_init(
            || vec![0.0; self.classes],
            |buffer, (chunk, part)| {
                for (at, verdict) in part.iter_mut().enumerate() {
                    let row = chunk * 1_024 + at;
                    if given[row] == NONE {
                        continue;
                    }
                    *verdict = self.judge(logits, row, given[row], buffer);
                    if sure[row] {
                        verdict.wrong = 0.0;
                    }
                }
            },
        );
        verdicts
    }
}

/// The same for several labels a row: each class is a question of its own, answered wrong with a probability of its own for
/// labels that are there and for those that are missing.
#[derive(Debug, Clone, PartialEq)]
pub struct BinaryNoise {
    /// What logits are multiplied by.
    pub sharpness: f32,
    /// For each class, the probability that it is missing where it belongs, and there where it does not.
    pub rates: Vec<[f64; 2]>,
}

impl BinaryNoise {
    /// Fits the model to the logits of `rows`; `has(row, class)` says whether a row is given the class.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn fit(
        logits: &[f32],
        classes: usize,
        rows: &[u32],
        has: impl Fn(usize, usize) -> bool + Sync,
        sure: &[bool],
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let mut noise = Self { sharpness: 1.0, rates: vec![[0.03, 0.01]; classes] };
        let stride = (rows.len() * classes / (SAMPLE * 20)).max(1);
        for round in 0..ROUNDS {
            progress.check()?;
            let span: f32 = if round < 4 { 1.35 } else { 1.05 };
            let mut best = (f64::NEG_INFINITY, noise.sharpness);
            for factor in [1.0 / span / span, 1.0 / span, 1.0, span, span * span] {
                let sharpness = (noise.sharpness * factor).clamp(0.02, 50.0);
                let value: f64 = rows
                    .iter()
                    .step_by(stride)
                    .map(|row| {
                        let row = *row as usize;
                        (0..classes)
                            .map(|class| {
                                let p = sigmoid(logits[row * classes + class] * sharpness);
                                likelihood(p, noise.rates[class], has(row, class)).max(1e-30).ln()
                            })
                            .sum::<f64>()
                    })
                    .sum();
                if value > best.0 {
                    best = (value, sharpness);
                }
            }
            noise.sharpness = best.1;
            let counts: Vec<[f64; 4]> = (0..classes)
                .into_par_iter()
                .map(|class| {
                    let mut counts = [0.0; 4];
                    for row in rows {
                        let row = *row as usize;
                        let given = has(row, class);
                        let wrong = if sure[row] { 0.0 } else { noise.wrong(logits[row * classes + class], class, given) };
                        let truly = if given { 1.0 - wrong } else { wrong };
                        counts[0] += truly;
                        counts[1] += if given { 0.0 } else { wrong };
                        counts[2] += 1.0 - truly;
                        counts[3] += if given { wrong } else { 0.0 };
                    }
                    counts
                })
                .collect();
            let sum = |at: usize| counts.iter().map(|counts| counts[at]).sum::<f64>().max(1e-9);
            let (missing, added) = (sum(1) / sum(0), sum(3) / sum(2));
            for (rates, counts) in noise.rates.iter_mut().zip(&counts) {
                rates[0] = ((counts[1] + EVEN_RATE * missing) / (counts[0] + EVEN_RATE)).clamp(1e-5, 0.5);
                rates[1] = ((counts[3] + EVEN_RATE * added) / (counts[2] + EVEN_RATE)).clamp(1e-6, 0.5);
            }
        }
        Ok(noise)
    }

    /// The probability that one class of one row is given or missing wrongly.
    pub fn wrong(&self, logit: f32, class: usize, given: bool) -> f64 {
        let p = sigmoid(logit * self.sharpness);
        let [missing, added] = self.rates[class];
        let (right, wrong) =
            if given { (p * (1.0 - missing), (1.0 - p) * added) } else { ((1.0 - p) * (1.0 - added), p * missing) };
        wrong / (right + wrong).max(1e-30)
    }
}

fn sigmoid(x: f32) -> f64 {
    f64::from(1.0 / (1.0 + exp((-x).clamp(-80.0, 80.0))))
}

fn likelihood(p: f64, [missing, added]: [f64; 2], given: bool) -> f64 {
    if given { p * (1.0 - missing) + (1.0 - p) * added } else { p * missing + (1.0 - p) * (1.0 - added) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    /// Rows whose logits favour the true class by a margin that varies, labels flipped at `rate`.
    fn planted(rows: usize, classes: usize, rate: f64, seed: u64) -> (Vec<f32>, Vec<u32>, Vec<u32>) {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut logits, mut given, mut truth) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows {
            let class = (row % classes) as u32;
            logits.extend((0..classes).map(|c| {
                random.random_range(-1.0..1.0f32) + if c as u32 == class { random.random_range(1.0..7.0) } else { 0.0 }
            }));
            truth.push(class);
            let flipped = (class + random.random_range(1..classes as u32)) % classes as u32;
            given.push(if random.random_bool(rate) { flipped } else { class });
        }
        (logits, given, truth)
    }

    #[test]
    fn the_rate_is_found_without_being_told() {
        for rate in [0.0, 0.05, 0.2] {
            let (logits, given, truth) = planted(4_000, 8, rate, 3);
            let noise = Noise::fit(&logits, 8, &given, &vec![false; given.len()], &Progress::silent()).unwrap();
            let planted = given.iter().zip(&truth).filter(|(a, b)| a != b).count() as f64 / 4_000.0;
            assert!((noise.rate - planted).abs() < 0.02, "planted {planted}, found {}", noise.rate);
            let verdicts = noise.judge_all(&logits, &given, &vec![false; given.len()]);
            let flagged: Vec<usize> = (0..given.len()).filter(|row| verdicts[*row].wrong >= 0.5).collect();
            let right = flagged.iter().filter(|row| given[**row] != truth[**row]).count();
            assert!(right as f64 >= 0.9 * flagged.len() as f64, "{right} of {} flagged are wrong", flagged.len());
            assert!(flagged.len() as f64 >= 0.85 * planted * 4_000.0);
            let suggested = flagged.iter().filter(|row| verdicts[**row].suggested == truth[**row]).count();
            assert!(suggested as f64 >= 0.9 * right as f64);
        }
    }

    #[test]
    fn what_somebody_confirmed_is_right() {
        let (logits, given, _) = planted(400, 4, 0.2, 5);
        let sure = vec![true; 400];
        let noise = Noise::fit(&logits, 4, &given, &sure, &Progress::silent()).unwrap();
        assert!(noise.rate <= 1e-4 + 1e-12);
        assert!(noise.judge_all(&logits, &given, &sure).iter().all(|verdict| verdict.wrong.abs() < 1e-9));
    }

    #[test]
    fn several_labels_are_judged_one_by_one() {
        let mut random = StdRng::seed_from_u64(9);
        let (rows, classes) = (2_000, 5);
        let (mut logits, mut given, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rows * classes {
            let truly = random.random_bool(0.3);
            logits.push(if truly { random.random_range(1.0..6.0f32) } else { random.random_range(-6.0..-1.0) });
            let flipped = random.random_bool(0.04);
            given.push(truly != flipped);
            wrong.push(flipped);
        }
        let all: Vec<u32> = (0..rows as u32).collect();
        let noise = BinaryNoise::fit(
            &logits,
            classes,
            &all,
            |row, class| given[row * classes + class],
            &vec![false; rows],
            &Progress::silent(),
        )
        .unwrap();
        let flagged: Vec<usize> =
            (0..rows * classes).filter(|at| noise.wrong(logits[*at], at % classes, given[*at]) >= 0.5).collect();
        let right = flagged.iter().filter(|at| wrong[**at]).count() as f64;
        let planted = wrong.iter().filter(|wrong| **wrong).count() as f64;
        assert!(
            right / flagged.len() as f64 > 0.9 && right / planted > 0.9,
            "{right} of {} flagged, {planted} planted",
            flagged.len()
        );
    }
}
