//! How good runs are, on the labels as they are now: figures, their intervals, and tests between two runs on the samples that both said something of.

use std::collections::HashMap;

use super::fault::TrainError;
use super::parts::{TrainParts, hashes_of};
use super::retested::{OtherTest, tests_of};
use super::run::Run;
use crate::chance::{Chance, seed_of};
use crate::data::{Dataset, Role, SampleId};
use crate::job::Progress;
use crate::learn::calibration::{Calibration, tempered};
use crate::learn::scores::{Predicted, Scores, macro_f1};
use crate::learn::significance::{DRAWS, McNemar, bootstrap, holm, permutation, wilson};

/// The most rows that are drawn for one interval, over all draws.
const DRAWN: usize = 40_000_000;

/// How good a run is.
#[derive(Debug, Clone)]
pub struct RunFigures {
    /// Samples that were tested and have a label now.
    pub tested: Vec<SampleId>,
    /// Their classes, by place among [`RunFigures::classes`]; what was said of them.
    pub truth: Vec<u32>,
    pub said: Vec<u32>,
    pub sure: Vec<f32>,
    /// The run's classes, and behind them those that samples have got since.
    pub classes: Vec<String>,
    pub scores: Scores,
    /// 95 %: Wilson's of the accuracy, percentiles of a bootstrap of the macro-F1.
    pub accuracy: (f64, f64),
    pub macro_f1: (f64, f64),
    pub calibration: Calibration,
    /// At the temperature that the validation part says: it, and the gap and log loss then.
    pub tempered: Option<(f64, f64, f64)>,
    /// The group of each tested sample, by number, where a column says groups: intervals draw whole groups. Empty where none does.
    pub groups: Vec<u32>,
    /// Whether what it was trained on has changed since.
    pub stale: bool,
    /// Tested samples whose label or text is not there any more, or that are excluded.
    pub gone: usize,
    /// How good it is on parts that were locked later, where somebody asked ([`super::other_tests`]).
    pub others: Vec<OtherTest>,
}

/// The figures of a run on a dataset as it is.
///
/// # Errors
/// [`TrainError`]: its columns are gone, or it was stopped.
pub fn figures(dataset: &Dataset, run: &Run, progress: &Progress) -> Result<RunFigures, TrainError> {
    let label = dataset.field(&run.lesson.label).ok_or_else(|| TrainError::NoColumn(run.lesson.label.clone()))?;
    // What it was trained on may be such that nothing is learned from it any more: then it is another, too.
    let (stale, hashes) = match TrainParts::of(dataset, &run.lesson, progress) {
        Ok(parts) => (parts.print != run.print, parts.hashes),
        Err(TrainError::Cancelled) => return Err(TrainError::Cancelled),
        Err(_) => (true, hashes_of(dataset, &run.lesson, progress)?),
    };
    let (classes, tests) = tests_of(dataset, label, run, &hashes);
    let matrix = run.predictions.matrix(run.learned);
    let known = tests.iter().filter_map(|test| Some((test.id, test.truth?, test.tested)));
    let (mut tested, mut truth, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (id, class, at) in known {
        tested.push(id);
        truth.push(class);
        rows.push(at);
    }
    let gone = run.predictions.tested.len() - tested.len();
    let k = classes.len();
    let mut wide = vec![0.0; rows.len() * k];
    for (at, out) in rows.iter().zip(wide.chunks_mut(k.max(1))) {
        out[..run.learned].copy_from_slice(&matrix[at * run.learned..(at + 1) * run.learned]);
    }
    let predicted = Predicted { classes: k, of: &wide };
    let scores = Scores::of(&truth, predicted);
    progress.check()?;
    let said: Vec<u32> = (0..rows.len()).map(|row| predicted.likeliest(row) as u32).collect();
    #[allow(clippy::cast_possible_truncation)]
    let sure = (0..rows.len()).map(|row| predicted.row(row)[said[row] as usize] as f32).collect();
    let of: Vec<bool> = scores.per_class.iter().map(|class| class.support > 0).collect();
    let right = truth.iter().zip(&said).filter(|(truth, said)| truth == said).count();
    let mut gathered = (Vec::new(), Vec::new());
    let draws = (DRAWN / truth.len().max(1)).clamp(200, DRAWS);
    let groups = groups_of(dataset, &tested);
    let by_group = (!groups.is_empty()).then_some(groups.as_slice());
    let spread = bootstrap(truth.len(), by_group, draws, seed_of(&[run.lesson.seed, 1]), &mut |drawn| {
        gathered.0.clear();
        gathered.1.clear();
        gathered.0.extend(drawn.iter().map(|row| truth[*row as usize]));
        gathered.1.extend(drawn.iter().map(|row| said[*row as usize]));
        macro_f1(&gathered.0, &gathered.1, k, &of)
    });
    let calibration = Calibration::of(&truth, predicted);
    // Wilson takes every sample for itself.
    let accuracy = match by_group {
        None => wilson(right, truth.len()),
        Some(groups) => bootstrap(truth.len(), Some(groups), draws, seed_of(&[run.lesson.seed, 4]), &mut |drawn| {
            let hits = drawn.iter().filter(|row| truth[**row as usize] == said[**row as usize]).count();
            hits as f64 / drawn.len().max(1) as f64
        }),
    };
    let tempered = run.temperature.map(|temperature| {
        let wide = tempered(predicted, temperature);
        let then = Predicted { classes: k, of: &wide };
        (temperature, Calibration::of(&truth, then).ece, Scores::of(&truth, then).log_loss)
    });
    Ok(RunFigures {
        tested,
        truth,
        said,
        sure,
        classes,
        scores,
        accuracy,
        macro_f1: spread,
        calibration,
        tempered,
        groups,
        stale,
        gone,
        others: Vec::new(),
    })
}

/// The group of each sample, by number; empty where no column says groups.
fn groups_of(dataset: &Dataset, samples: &[SampleId]) -> Vec<u32> {
    let Some(field) = dataset.with_role(|role| role == Role::Group) else { return Vec::new() };
    let mut codes: HashMap<String, u32> = HashMap::new();
    let mut next = 0;
    samples
        .iter()
        .map(|id| {
            let name = dataset.text(field, *id).map(|text| text.into_owned()).unwrap_or_default();
            let fresh = |next: &mut u32| {
                *next += 1;
                *next - 1
            };
            // A sample without a group is one of its own.
            if name.is_empty() { fresh(&mut next) } else { *codes.entry(name).or_insert_with(|| fresh(&mut next)) }
        })
        .collect()
}

impl RunFigures {
    /// Whether each tested sample was right.
    pub fn right(&self, at: usize) -> bool {
        self.truth[at] == self.said[at]
    }

    /// The tested samples of a cell of the confusion matrix: what they are, and what is said of them.
    pub fn cell(&self, truth: u32, said: u32) -> Vec<SampleId> {
        let within = |at: &usize| self.truth[*at] == truth && self.said[*at] == said;
        (0..self.tested.len()).filter(within).map(|at| self.tested[at]).collect()
    }
}

/// Two runs on the samples that both were tested on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairFigures {
    /// Which two, by their places.
    pub of: (usize, usize),
    pub rows: usize,
    pub test: McNemar,
    /// The p of `McNemar`'s test, corrected for how many pairs there are (Holm).
    pub p: f64,
    /// Accuracy of the first less that of the second, and its 95 % interval.
    pub accuracy: f64,
    pub interval: (f64, f64),
    /// The same of the macro-F1, and how likely it is by chance (rows changed about between the two).
    pub macro_f1: f64,
    pub macro_p: f64,
    /// The smallest difference of accuracy that so many samples could show.
    pub smallest: f64,
    /// Whether they were tried on different samples mostly.
    pub parted: bool,
}

/// From so many samples on nothing is drawn for an interval of a mean.
const MANY: usize = 20_000;
/// Changes about of a permutation test.
const SWAPS: usize = 1_000;

/// Every pair of runs against each other, where they share samples.
///
/// # Errors
/// [`TrainError::Cancelled`].
pub fn compare(list: &[&RunFigures], progress: &Progress) -> Result<Vec<PairFigures>, TrainError> {
    let mut out = Vec::new();
    for one in 0..list.len() {
        for other in one + 1..list.len() {
            progress.check()?;
            out.extend(pair(list, one, other));
        }
    }
    let p: Vec<f64> = out.iter().map(|pair: &PairFigures| pair.test.p()).collect();
    holm(&p).into_iter().zip(&mut out).for_each(|(p, pair)| pair.p = p);
    Ok(out)
}

fn pair(list: &[&RunFigures], one: usize, other: usize) -> Option<PairFigures> {
    let (a, b) = (list[one], list[other]);
    let place: HashMap<SampleId, usize> = b.tested.iter().copied().zip(0..).collect();
    let both: Vec<(usize, usize)> =
        a.tested.iter().enumerate().filter_map(|(at, id)| place.get(id).map(|other| (at, *other))).collect();
    let n = both.len();
    if n == 0 {
        return None;
    }
    let hits: Vec<(bool, bool)> = both.iter().map(|(x, y)| (a.right(*x), b.right(*y))).collect();
    let only = |first: bool| hits.iter().filter(|(x, y)| if first { *x && !*y } else { *y && !*x }).count();
    let test = McNemar::of(only(true), only(false));
    let share = |(x, y): (bool, bool)| f64::from(u8::from(x)) - f64::from(u8::from(y));
    let accuracy = hits.iter().map(|hit| share(*hit)).sum::<f64>() / n as f64;
    let mean = |drawn: &[u32]| drawn.iter().map(|row| share(hits[*row as usize])).sum::<f64>() / n as f64;
    let groups: Vec<u32> = both.iter().filter_map(|(at, _)| a.groups.get(*at).copied()).collect();
    let interval = if n > MANY && groups.is_empty() {
        // Of so many samples the mean is as good as normal.
        let apart = (test.only_one + test.only_other) as f64 / n as f64;
        let half = 1.96 * ((apart - accuracy * accuracy) / n as f64).sqrt();
        (accuracy - half, accuracy + half)
    } else {
        bootstrap(n, (!groups.is_empty()).then_some(groups.as_slice()), DRAWS, seed_of(&[2, n as u64]), &mut |drawn| mean(drawn))
    };
    // Classes of the two by name: each may have got some behind its own.
    let mut names: Vec<&String> = a.classes.iter().chain(&b.classes).collect();
    names.sort_unstable();
    names.dedup();
    let code = |name: &String| names.binary_search(&name).map_or(0, |at| at as u32);
    let truth: Vec<u32> = both.iter().map(|(x, _)| code(&a.classes[a.truth[*x] as usize])).collect();
    let mut of = vec![false; names.len()];
    truth.iter().for_each(|class| of[*class as usize] = true);
    let mut x: Vec<u32> = both.iter().map(|(at, _)| code(&a.classes[a.said[*at] as usize])).collect();
    let mut y: Vec<u32> = both.iter().map(|(_, at)| code(&b.classes[b.said[*at] as usize])).collect();
    let f1 = |said: &[u32]| macro_f1(&truth, said, names.len(), &of);
    let difference = f1(&x) - f1(&y);
    let mut chance = Chance::new(seed_of(&[3, n as u64]));
    let swaps = (DRAWN / 4 / n).clamp(99, SWAPS);
    let swapped: Vec<f64> = (0..swaps)
        .map(|_| {
            (0..n)
                .filter(|_| chance.happens(0.5))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|at| std::mem::swap(&mut x[at], &mut y[at]));
            f1(&x) - f1(&y)
        })
        .collect();
    let macro_p = permutation(difference, swapped.into_iter());
    let smallest = test.smallest(n);
    let parted = 2 * n < a.tested.len().max(b.tested.len());
    Some(PairFigures {
        of: (one, other),
        rows: n,
        test,
        p: 1.0,
        accuracy,
        interval,
        macro_f1: difference,
        macro_p,
        smallest,
        parted,
    })
}

impl PairFigures {
    /// What the two come to, in plain words.
    pub fn words(&self, one: &str, other: &str) -> String {
        let samples = crate::data::things(self.rows, "sample", "samples");
        if self.parted {
            return format!(
                "{one} and {other} were tried on different samples ({samples} in common): which is better cannot be said"
            );
        }
        if self.test.only_one + self.test.only_other == 0 {
            return format!("{one} and {other} are right and wrong of the same {samples}");
        }
        let (better, worse) = if self.accuracy >= 0.0 { (one, other) } else { (other, one) };
        let (low, high) = if self.accuracy >= 0.0 { self.interval } else { (-self.interval.1, -self.interval.0) };
        if self.p > 0.05 {
            return format!(
                "No difference that this test could show between {one} and {other} (p {:.2}, {samples}): one of {:.3} or more would have shown",
                self.p, self.smallest
            );
        }
        format!(
            "{better} is better than {worse} by {:.3} ({low:.3} to {high:.3}; p {}, McNemar, {samples})",
            self.accuracy.abs(),
            if self.p < 1e-4 { "< 0.0001".to_owned() } else { format!("{:.4}", self.p) }
        )
    }
}

/// How good a run is on a part of the tested samples.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceFigures {
    pub name: String,
    pub rows: usize,
    pub right: usize,
    /// 95 % by Wilson.
    pub interval: (f64, f64),
}

/// More values than this are no slices.
const MOST_SLICES: usize = 24;

/// How good a run is by the values of a column; numbers and long texts by quarters (of their size, and of their length). The largest slice first; none where a column has too many values.
pub fn slices(dataset: &Dataset, figures: &RunFigures, field: usize) -> Vec<SliceFigures> {
    let texts: Vec<String> = figures
        .tested
        .iter()
        .map(|id| dataset.text(field, *id).map_or_else(|| "(none)".to_owned(), |text| text.into_owned()))
        .collect();
    let mut distinct: Vec<&String> = texts.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let names: Vec<String> = if distinct.len() <= MOST_SLICES {
        texts.clone()
    } else {
        let number = dataset.fields()[field].role == crate::data::Role::Number;
        let size = |at: usize| {
            let letters = || texts[at].chars().count() as f64;
            if number { dataset.number(field, figures.tested[at]).unwrap_or(f64::NAN) } else { letters() }
        };
        let sizes: Vec<f64> = (0..texts.len()).map(size).collect();
        let mut sorted: Vec<f64> = sizes.iter().copied().filter(|size| size.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let cut = |part: f64| crate::learn::significance::quantile(&sorted, part);
        let cuts = [cut(0.25), cut(0.5), cut(0.75)];
        let what = if number { "" } else { " letters" };
        // As many digits as tell the borders apart.
        let digits = match cuts[2] - cuts[0] {
            apart if apart >= 20.0 => 0,
            apart if apart >= 0.2 => 2,
            _ => 4,
        };
        let named = |size: &f64| match cuts.iter().position(|cut| size <= cut) {
            _ if size.is_nan() => "(none)".to_owned(),
            Some(0) => format!("up to {:.digits$}{what}", cuts[0]),
            Some(at) => format!("{:.digits$} to {:.digits$}{what}", cuts[at - 1], cuts[at]),
            None => format!("over {:.digits$}{what}", cuts[2]),
        };
        sizes.iter().map(named).collect()
    };
    let mut found: std::collections::BTreeMap<String, (usize, usize)> = std::collections::BTreeMap::new();
    for (at, name) in names.into_iter().enumerate() {
        let entry = found.entry(name).or_default();
        entry.0 += 1;
        entry.1 += usize::from(figures.right(at));
    }
    let mut out: Vec<SliceFigures> = found
        .into_iter()
        .map(|(name, (rows, right))| SliceFigures { name, rows, right, interval: wilson(right, rows) })
        .collect();
    out.sort_by(|a, b| b.rows.cmp(&a.rows).then(a.name.cmp(&b.name)));
    out
}
