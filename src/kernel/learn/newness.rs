//! What is new in a second list of rows against a first: a linear head (least squares with a penalty, which is Fisher's discriminant) is taught to tell the two apart, and rows that it has not seen are scored. A small foreign part hides from the area under the curve and shows in the tail: rows of the second list above
//! the first's 99th percentile. Both are held against what comes out when rows are dealt to the two lists at random, with the head fitted anew each time: scores of cross-validation scatter more than their formulas say. That costs little, because only the right-hand side changes: what is to be inverted is inverted once a fold.

use rayon::prelude::*;

use super::dense::Dense;
use super::scores::auroc;
use crate::chance::{Chance, seed_of};
use crate::job::{Cancelled, Progress};

/// Rows of the first list above this quantile of their own scores are what chance puts there.
const QUANTILE: f64 = 0.99;
const FOLDS: usize = 5;
/// The penalty on rows of length 1: what logistic regression with `C` 1 has where it is in doubt.
const PENALTY: f64 = 4.0;

/// What is new.
#[derive(Debug, Clone, PartialEq)]
pub struct Newness {
    /// How often a row of the second list is scored above one of the first, and how likely that is by chance.
    pub auc: f64,
    pub auc_p: f64,
    /// Rows of the second list above the first's 99th percentile, as many as chance puts there, and how likely so many are by it.
    pub tail: usize,
    pub expected: f64,
    pub tail_p: f64,
    /// The score of every row of the second list, by heads that have not seen it.
    pub scores: Vec<f64>,
    /// The first's 99th percentile.
    pub border: f64,
}

/// Rows are dealt out so many times at once, and no more once each figure was met so often by chance (Besag and Clifford 1991): where nothing is new, that is soon.
const BATCH: usize = 32;
const MET: usize = 10;

/// The p of a figure that was met often enough by chance: so often, of so many until then.
fn settled(met: impl Iterator<Item = bool>) -> Option<f64> {
    let (at, _) = met.enumerate().filter(|(_, met)| *met).nth(MET - 1)?;
    Some(MET as f64 / (at + 1) as f64)
}

struct Scored {
    auc: f64,
    tail: usize,
    border: f64,
    scores: Vec<f64>,
}

/// A fold: its rows, their sum, and the factor of what is to be solved for the others.
struct Fold {
    rows: Vec<u32>,
    sum: Vec<f64>,
    /// Cholesky's factor, row by row.
    factor: Vec<f64>,
}

/// Rows less their mean, in folds, ready for any dealing out.
struct Folds {
    dims: usize,
    data: Vec<f64>,
    list: Vec<Fold>,
    sum: Vec<f64>,
}

impl Folds {
    fn of(rows: &Dense, seed: u64, progress: &Progress) -> Result<Self, Cancelled> {
        let (n, dims) = (rows.rows(), rows.dims);
        let mut mean = vec![0.0; dims];
        (0..n).for_each(|row| mean.iter_mut().zip(rows.row(row)).for_each(|(sum, x)| *sum += f64::from(*x)));
        mean.iter_mut().for_each(|sum| *sum /= n.max(1) as f64);
        let data: Vec<f64> =
            (0..n).flat_map(|row| rows.row(row).iter().zip(&mean).map(|(x, mean)| f64::from(*x) - mean)).collect();
        let mut order: Vec<u32> = (0..n as u32).collect();
        Chance::new(seed).shuffle(&mut order);
        let of = |row: u32| &data[row as usize * dims..(row as usize + 1) * dims];
        let parts: Vec<Vec<u32>> = (0..FOLDS).map(|fold| order.iter().copied().skip(fold).step_by(FOLDS).collect()).collect();
        let grams: Vec<(Vec<f64>, Vec<f64>)> = parts
            .par_iter()
            .map(|part| {
                let (mut gram, mut sum) = (vec![0.0; dims * dims], vec![0.0; dims]);
                for row in part {
                    progress.check()?;
                    let own = of(*row);
                    for (at, x) in own.iter().enumerate() {
                        sum[at] += x;
                        let line = &mut gram[at * dims..=at * dims + at];
                        line.iter_mut().zip(own).for_each(|(out, y)| *out += x * y);
                    }
                }
                Ok((gram, sum))
            })
            .collect::<Result<_, Cancelled>>()?;
        let list = (0..FOLDS)
            .into_par_iter()
            .map(|fold| {
                let mut whole = vec![0.0; dims * dims];
                for (other, (gram, _)) in grams.iter().enumerate() {
                    if other != fold {
                        whole.iter_mut().zip(gram).for_each(|(out, x)| *out += x);
                    }
                }
                (0..dims).for_each(|at| whole[at * dims + at] += PENALTY);
                factor(&mut whole, dims);
                Fold { rows: parts[fold].clone(), sum: grams[fold].1.clone(), factor: whole }
            })
            .collect();
        let mut sum = vec![0.0; dims];
        grams.iter().for_each(|(_, own)| sum.iter_mut().zip(own).for_each(|(out, x)| *out += x));
        Ok(Self { dims, data, list, sum })
    }

    fn row(&self, row: u32) -> &[f64] {
        &self.data[row as usize * self.dims..(row as usize + 1) * self.dims]
    }

    /// Scores of all rows, each by a head that has not seen it, where `labels` says which rows are the second list's.
    fn scores(&self, labels: &[u32]) -> Vec<f64> {
        let dims = self.dims;
        let sums: Vec<(Vec<f64>, f64)> = self
            .list
            .iter()
            .map(|fold| {
                let mut sum = vec![0.0; dims];
                let mut ones = 0.0;
                for row in fold.rows.iter().filter(|row| labels[**row as usize] == 1) {
                    ones += 1.0;
                    sum.iter_mut().zip(self.row(*row)).for_each(|(out, x)| *out += x);
                }
                (sum, ones)
            })
            .collect();
        let all: f64 = sums.iter().map(|(_, ones)| ones).sum();
        let mut scores = vec![0.0; labels.len()];
        let mut total = vec![0.0; dims];
        sums.iter().for_each(|(sum, _)| total.iter_mut().zip(sum).for_each(|(out, x)| *out += x));
        for (fold, (own, ones)) in self.list.iter().zip(&sums) {
            let inner = (labels.len() - fold.rows.len()).max(1) as f64;
            let share = (all - ones) / inner;
            let mut weights: Vec<f64> = (0..dims).map(|at| total[at] - own[at] - share * (self.sum[at] - fold.sum[at])).collect();
            solve(&fold.factor, dims, &mut weights);
            for row in &fold.rows {
                scores[*row as usize] = dot(self.row(*row), &weights) + share;
            }
        }
        scores
    }
}

/// In eight sums, so that it runs over vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        (0..8).for_each(|at| sums[at] += x[at] * y[at]);
    }
    sums.iter().sum::<f64>() + rest
}

/// Cholesky's factor in the place of a matrix, of which the lower half is read.
fn factor(matrix: &mut [f64], dims: usize) {
    for at in 0..dims {
        for other in 0..=at {
            let (before, line) = matrix.split_at_mut(at * dims);
            let (own, upper) =
                (&mut line[..=at], if other < at { &before[other * dims..=other * dims + other] } else { &[][..] });
            if other < at {
                own[other] = (own[other] - dot(&own[..other], &upper[..other])) / upper[other];
            } else {
                own[at] = (own[at] - dot(&own[..at], &own[..at])).max(1e-300).sqrt();
            }
        }
    }
}

/// Solves by Cholesky's factor, in place.
fn solve(factor: &[f64], dims: usize, right: &mut [f64]) {
    for at in 0..dims {
        let line = &factor[at * dims..=at * dims + at];
        right[at] = (right[at] - dot(&line[..at], &right[..at])) / line[at];
    }
    for at in (0..dims).rev() {
        let line = &factor[at * dims..=at * dims + at];
        right[at] /= line[at];
        let own = right[at];
        right[..at].iter_mut().zip(&line[..at]).for_each(|(out, x)| *out -= own * x);
    }
}

/// Scores rows, of which the first `reference` are the first list's, and deals them out for what chance does: `permutations` times at most.
///
/// # Errors
/// [`Cancelled`].
pub fn newness(
    rows: &Dense,
    reference: usize,
    permutations: usize,
    seed: u64,
    progress: &Progress,
) -> Result<Newness, Cancelled> {
    let n = rows.rows();
    let folds = Folds::of(rows, seed, progress)?;
    let scored = |labels: &[u32]| -> Result<Scored, Cancelled> {
        progress.step(1)?;
        let scores = folds.scores(labels);
        let mut first: Vec<f64> = (0..n).filter(|row| labels[*row] == 0).map(|row| scores[row]).collect();
        first.sort_unstable_by(f64::total_cmp);
        let border = super::significance::quantile(&first, QUANTILE);
        let tail = (0..n).filter(|row| labels[*row] == 1 && scores[*row] > border).count();
        let auc = auroc(&scores, &|row| labels[row] == 1).unwrap_or(0.5);
        Ok(Scored { auc, tail, border, scores })
    };
    progress.set_total(permutations as u64 + 1);
    let labels: Vec<u32> = (0..n).map(|row| u32::from(row >= reference)).collect();
    let found = scored(&labels)?;
    let dealt = |at: usize| -> Result<(f64, usize), Cancelled> {
        let seed = seed_of(&[seed, 0xd1f7, at as u64]);
        let mut dealt = labels.clone();
        Chance::new(seed).shuffle(&mut dealt);
        let one = scored(&dealt)?;
        Ok((one.auc, one.tail))
    };
    let mut by_chance: Vec<(f64, usize)> = Vec::new();
    let (mut auc_p, mut tail_p) = (None, None);
    while by_chance.len() < permutations && (auc_p.is_none() || tail_p.is_none()) {
        let more = by_chance.len()..(by_chance.len() + BATCH).min(permutations);
        by_chance.extend(more.into_par_iter().map(dealt).collect::<Result<Vec<_>, Cancelled>>()?);
        auc_p = settled(by_chance.iter().map(|one| one.0 >= found.auc));
        tail_p = settled(by_chance.iter().map(|one| one.1 >= found.tail));
    }
    let share = |n: usize| (n + 1) as f64 / (by_chance.len() + 1) as f64;
    Ok(Newness {
        auc: found.auc,
        auc_p: auc_p.unwrap_or_else(|| share(by_chance.iter().filter(|one| one.0 >= found.auc).count())),
        tail: found.tail,
        expected: by_chance.iter().map(|one| one.1 as f64).sum::<f64>() / by_chance.len().max(1) as f64,
        tail_p: tail_p.unwrap_or_else(|| share(by_chance.iter().filter(|one| one.1 >= found.tail).count())),
        scores: found.scores[reference.min(n)..].to_vec(),
        border: found.border,
    })
}
