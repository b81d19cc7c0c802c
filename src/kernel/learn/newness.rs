//! What is new in a second list of rows against a first: a head is taught to tell the two apart, and rows that it has not seen are scored. A small foreign part hides from the area under the curve and shows in the tail: rows of the second list above
//! the first's 99th percentile. Both are held against what comes out when rows are dealt to the two lists at random, with a head fitted anew each time: scores of cross-validation scatter more than their formulas say.

use rayon::prelude::*;

use super::dense::Dense;
use super::folds::stratified;
use super::heads::{HeadFit, HeadInput, HeadSpace};
use super::scores::auroc;
use crate::chance::{Chance, seed_of};
use crate::job::{Cancelled, Progress};

/// Rows of the first list above this quantile of their own scores are what chance puts there.
const QUANTILE: f64 = 0.99;
const FOLDS: usize = 5;
/// How little weights are held small, on rows of length 1.
const C: f64 = 1.0;

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

struct Scored {
    auc: f64,
    tail: usize,
    border: f64,
    scores: Vec<f64>,
}

/// Scores rows, of which the first `reference` are the first list's, and deals them out `permutations` times for what chance does.
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
    let every: Vec<u32> = (0..n as u32).collect();
    let fit = HeadFit { c: C, tolerance: 1e-3, steps: 100, ..HeadFit::default() };
    let space = HeadSpace::new(HeadInput::Dense(rows), &every, &fit, progress)?;
    let scored = |labels: &[u32], seed: u64| -> Result<Scored, Cancelled> {
        progress.step(1)?;
        let fold_of = stratified(labels, 2, FOLDS, seed);
        let mut scores = vec![0.0; n];
        for fold in 0..FOLDS as u8 {
            let (outer, inner): (Vec<u32>, Vec<u32>) = every.iter().partition(|row| fold_of[**row as usize] == fold);
            let truth: Vec<u32> = inner.iter().map(|row| labels[*row as usize]).collect();
            let head = space.path(&inner, &truth, 2, &fit).fit(&fit, progress)?;
            let logits = head.logits(HeadInput::Dense(rows), &outer);
            outer.iter().zip(logits.chunks(2)).for_each(|(row, own)| scores[*row as usize] = own[1] - own[0]);
        }
        let mut first: Vec<f64> =
            every.iter().filter(|row| labels[**row as usize] == 0).map(|row| scores[*row as usize]).collect();
        first.sort_by(f64::total_cmp);
        let border = super::significance::quantile(&first, QUANTILE);
        let tail = every.iter().filter(|row| labels[**row as usize] == 1 && scores[**row as usize] > border).count();
        let auc = auroc(&scores, &|row| labels[row] == 1).unwrap_or(0.5);
        Ok(Scored { auc, tail, border, scores })
    };
    progress.set_total(permutations as u64 + 1);
    let labels: Vec<u32> = (0..n).map(|row| u32::from(row >= reference)).collect();
    let found = scored(&labels, seed)?;
    let by_chance: Vec<(f64, usize)> = (0..permutations)
        .into_par_iter()
        .map(|at| {
            let seed = seed_of(&[seed, 0xd1f7, at as u64]);
            let mut dealt = labels.clone();
            Chance::new(seed).shuffle(&mut dealt);
            let one = scored(&dealt, seed)?;
            Ok((one.auc, one.tail))
        })
        .collect::<Result<_, Cancelled>>()?;
    let share = |n: usize| (n + 1) as f64 / (permutations + 1) as f64;
    Ok(Newness {
        auc: found.auc,
        auc_p: share(by_chance.iter().filter(|one| one.0 >= found.auc).count()),
        tail: found.tail,
        expected: by_chance.iter().map(|one| one.1 as f64).sum::<f64>() / permutations.max(1) as f64,
        tail_p: share(by_chance.iter().filter(|one| one.1 >= found.tail).count()),
        scores: found.scores[reference.min(n)..].to_vec(),
        border: found.border,
    })
}
