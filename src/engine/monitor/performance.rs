//! How good a model is on a batch: measured where truth is there, estimated where it is not.

use std::collections::{HashMap, HashSet};

use super::log::LogSaid;
use crate::chance::{Chance, seed_of};
use crate::learn::drift::{CountDrift, share_p};
use crate::learn::isotonic::Isotonic;
use crate::learn::scores::macro_f1;
use crate::learn::significance::{DRAWS, bootstrap, percentile_interval, wilson};

/// Draws of the past for the interval of an estimate.
const ESTIMATES: usize = 200;
/// The most rows that are drawn for one interval, over all draws.
const DRAWN: usize = 20_000_000;
/// The past in so many chunks, in order: what they scatter is the usual.
const CHUNKS: usize = 10;
/// Fewer rows of the past than this say nothing of how sure means how right.
const FEWEST: usize = 50;

/// What the model did on the past: rows with truth that a batch is held against.
#[derive(Debug, Clone, Default)]
pub struct PastSaid {
    pub said: LogSaid,
    /// Where it is from, in words.
    pub from: String,
}

/// How good a model is on rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Performance {
    pub rows: usize,
    /// Rows whose truth is known, and that something was said of.
    pub with_truth: usize,
    /// Accuracy and macro-F1 on these, with 95 % intervals (Wilson's; percentiles of a bootstrap).
    pub accuracy: Option<(f64, (f64, f64))>,
    pub macro_f1: Option<(f64, (f64, f64))>,
    /// How sure it was on average.
    pub mean_sure: Option<f64>,
    /// Accuracy as the past says of rows as sure as these (isotonic), and its 95 % interval: true if classes and their looks stay the same.
    pub estimated: Option<(f64, (f64, f64))>,
    /// Rows it was less than half sure of.
    pub unsure: usize,
    /// Classes that are true, and that the past does not know; rows.
    pub unknown: Vec<(String, usize)>,
    /// The past: rows with truth, accuracy, and mean ± 3 deviations of ten chunks of it.
    pub past: Option<PastFigures>,
    /// How likely the accuracy differs so much from the past's by chance.
    pub p: Option<f64>,
    /// How far predictions are from those of the past (Jensen–Shannon, natural logarithm), where both are there.
    pub predictions_js: Option<f64>,
}

/// The past in figures.
#[derive(Debug, Clone, PartialEq)]
pub struct PastFigures {
    pub rows: usize,
    pub accuracy: f64,
    pub usual: (f64, f64),
    pub from: String,
}

/// Whether rows were said rightly, where truth is known.
pub fn right(said: &LogSaid, row: usize) -> Option<bool> {
    Some(said.said[row]? == said.truth[row]?)
}

impl PastSaid {
    /// The past in figures; `None` where no truth is known of it.
    pub fn figures(&self) -> Option<PastFigures> {
        let hits: Vec<bool> = (0..self.said.said.len()).filter_map(|row| right(&self.said, row)).collect();
        let mean = |hits: &[bool]| hits.iter().filter(|hit| **hit).count() as f64 / hits.len().max(1) as f64;
        if hits.is_empty() {
            return None;
        }
        let size = (hits.len() / CHUNKS).max(1);
        let chunks: Vec<f64> = hits.chunks(size).take(CHUNKS).map(mean).collect();
        let centre = chunks.iter().sum::<f64>() / chunks.len() as f64;
        let spread = (chunks.iter().map(|chunk| (chunk - centre).powi(2)).sum::<f64>() / chunks.len() as f64).sqrt();
        Some(PastFigures {
            rows: hits.len(),
            accuracy: mean(&hits),
            usual: (centre - 3.0 * spread, centre + 3.0 * spread),
            from: self.from.clone(),
        })
    }

    /// How sure, and whether right, of rows that have both.
    fn confidence(&self) -> Vec<(f64, f64)> {
        (0..self.said.said.len())
            .filter_map(|row| Some((self.said.sure[row], f64::from(u8::from(right(&self.said, row)?)))))
            .filter(|(sure, _)| sure.is_finite())
            .collect()
    }
}

/// How good a model is on rows.
// Nobody hashes class names otherwise.
#[allow(clippy::implicit_hasher)]
pub fn performance(batch: &LogSaid, past: &PastSaid, known: &HashSet<String>, seed: u64) -> Performance {
    let rows = batch.said.len();
    let hits: Vec<(usize, bool)> = (0..rows).filter_map(|row| Some((row, right(batch, row)?))).collect();
    let mut out = Performance { rows, with_truth: hits.len(), past: past.figures(), ..Performance::default() };
    let sure: Vec<f64> = batch.sure.iter().copied().filter(|p| p.is_finite()).collect();
    if !sure.is_empty() {
        out.mean_sure = Some(sure.iter().sum::<f64>() / sure.len() as f64);
        out.unsure = sure.iter().filter(|p| **p < 0.5).count();
        out.estimated = estimated(&sure, past, seed);
    }
    out.unknown = unknown(batch, known);
    out.predictions_js = apart(batch, past);
    if hits.is_empty() {
        return out;
    }
    let right = hits.iter().filter(|(_, hit)| *hit).count();
    out.accuracy = Some((right as f64 / hits.len() as f64, wilson(right, hits.len())));
    out.p = out.past.as_ref().map(|past| {
        let before = (past.accuracy * past.rows as f64).round() as u64;
        share_p((before, past.rows as u64), (right as u64, hits.len() as u64))
    });
    out.macro_f1 = Some(macro_of(batch, known, &hits, seed));
    out
}

/// Classes are those that the dataset knows; where it knows none, those that are true in the batch.
fn macro_of(batch: &LogSaid, known: &HashSet<String>, hits: &[(usize, bool)], seed: u64) -> (f64, (f64, f64)) {
    let k = batch.classes.len();
    let truth: Vec<u32> = hits.iter().filter_map(|(row, _)| batch.truth[*row]).collect();
    let said: Vec<u32> = hits.iter().filter_map(|(row, _)| batch.said[*row]).collect();
    let mut of: Vec<bool> = batch.classes.iter().map(|name| known.contains(name)).collect();
    if known.is_empty() {
        truth.iter().for_each(|class| of[*class as usize] = true);
    }
    let mut gathered = (Vec::new(), Vec::new());
    let draws = (DRAWN / truth.len().max(1)).clamp(200, DRAWS);
    let spread = bootstrap(truth.len(), None, draws, seed_of(&[seed, 1]), &mut |drawn| {
        gathered.0.clear();
        gathered.1.clear();
        gathered.0.extend(drawn.iter().map(|row| truth[*row as usize]));
        gathered.1.extend(drawn.iter().map(|row| said[*row as usize]));
        macro_f1(&gathered.0, &gathered.1, k, &of)
    });
    (macro_f1(&truth, &said, k, &of), spread)
}

/// The accuracy that the past says of rows as sure as these. Its interval: the past drawn anew and fitted anew, and rows right or wrong by chance.
fn estimated(sure: &[f64], past: &PastSaid, seed: u64) -> Option<(f64, (f64, f64))> {
    let pairs = past.confidence();
    if pairs.len() < FEWEST {
        return None;
    }
    let fitted = |pairs: &[(f64, f64)]| {
        let (places, values): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        Isotonic::of(&places, &values)
    };
    let n = sure.len() as f64;
    let fit = fitted(&pairs);
    let each: Vec<f64> = sure.iter().map(|p| fit.at(*p)).collect();
    let mean = each.iter().sum::<f64>() / n;
    let noise = (each.iter().map(|p| p * (1.0 - p)).sum::<f64>() / (n * n)).sqrt();
    let mut chance = Chance::new(seed_of(&[seed, 2]));
    let draws = (DRAWN / (pairs.len() + sure.len())).clamp(30, ESTIMATES);
    let values: Vec<f64> = (0..draws)
        .map(|_| {
            let drawn: Vec<(f64, f64)> = (0..pairs.len()).map(|_| pairs[chance.below(pairs.len())]).collect();
            let fit = fitted(&drawn);
            // Of twelve even numbers the sum is as good as normal.
            let normal = (0..12).map(|_| chance.part()).sum::<f64>() - 6.0;
            sure.iter().map(|p| fit.at(*p)).sum::<f64>() / n + noise * normal
        })
        .collect();
    let (low, high) = percentile_interval(values);
    Some((mean, (low.max(0.0), high.min(1.0))))
}

fn unknown(batch: &LogSaid, known: &HashSet<String>) -> Vec<(String, usize)> {
    if known.is_empty() {
        return Vec::new();
    }
    let mut found: HashMap<u32, usize> = HashMap::new();
    for class in batch.truth.iter().flatten().filter(|class| !known.contains(&batch.classes[**class as usize])) {
        *found.entry(*class).or_default() += 1;
    }
    let mut out: Vec<(String, usize)> = found.into_iter().map(|(class, n)| (batch.classes[class as usize].clone(), n)).collect();
    out.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    out
}

fn apart(batch: &LogSaid, past: &PastSaid) -> Option<f64> {
    let mut names: Vec<&String> = batch.classes.iter().chain(&past.said.classes).collect();
    names.sort_unstable();
    names.dedup();
    let count = |of: &LogSaid| -> Vec<u64> {
        let mut counts = vec![0; names.len()];
        for class in of.said.iter().flatten() {
            counts[names.binary_search(&&of.classes[*class as usize]).unwrap_or(0)] += 1;
        }
        counts
    };
    Some(CountDrift::of(&count(&past.said), &count(batch))?.js)
}

impl Performance {
    /// Whether it is worse than the past by more than chance.
    pub fn is_worse(&self) -> bool {
        let lower = self.accuracy.zip(self.past.as_ref()).is_some_and(|((accuracy, _), past)| accuracy < past.accuracy);
        lower && self.p.is_some_and(|p| p <= 0.01)
    }

    /// What it comes to, in plain words.
    pub fn words(&self) -> Vec<String> {
        let mut out = Vec::new();
        let samples = |n: usize| crate::data::things(n, "row", "rows");
        if let (Some((accuracy, (low, high))), Some((f1, _))) = (self.accuracy, self.macro_f1) {
            let mut text = format!(
                "Right in {:.1} % of {} whose truth is known ({:.1} to {:.1}); macro-F1 {f1:.3}",
                accuracy * 100.0,
                samples(self.with_truth),
                low * 100.0,
                high * 100.0
            );
            if let (Some(past), Some(p)) = (&self.past, self.p) {
                let verdict = match (accuracy < past.accuracy, p <= 0.01) {
                    (true, true) => "worse than",
                    (false, true) => "better than",
                    _ => "no other than",
                };
                let p = if p < 1e-4 { "p < 0.0001".to_owned() } else { format!("p {p:.4}") };
                text.push_str(&format!(": {verdict} {} ({:.1} %, {p})", past.from, past.accuracy * 100.0));
            }
            out.push(text);
        }
        if let Some((accuracy, (low, high))) = self.estimated {
            out.push(format!(
                "About {:.0} % right, going by how sure it is ({:.0} to {:.0}): if classes and their looks stay the same",
                accuracy * 100.0,
                low * 100.0,
                high * 100.0
            ));
        }
        if let Some(sure) = self.mean_sure {
            out.push(format!("{:.0} % sure on average; less than half sure of {}", sure * 100.0, samples(self.unsure)));
        }
        if let Some((name, n)) = self.unknown.first() {
            let more = if self.unknown.len() > 1 { format!(" and {} more", self.unknown.len() - 1) } else { String::new() };
            out.push(format!("True, and unknown to the model: {name} ({}){more}", samples(*n)));
        }
        if out.is_empty() {
            out.push("What the model said of these rows is not in the log, and no run says it".to_owned());
        }
        out
    }
}
