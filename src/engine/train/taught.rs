//! Who an encoder is taught by, and what it says of samples.

use rayon::prelude::*;

use super::fault::TrainError;
use super::parts::FinerColumn;
use crate::job::Progress;
use crate::learn::bert::{BertLayout, TokenRows};
use crate::learn::dense::Dense;
use crate::learn::heads::softmax;
use crate::learn::tune::{Pooling, Tuned};

/// Who is learned from, and who says when it is enough: of each sample the class of every task, one after the other.
pub(super) struct TaughtRows {
    pub train: Vec<u32>,
    pub train_truth: Vec<u32>,
    pub validation: Vec<u32>,
    pub validation_truth: Vec<u32>,
}

/// Rows of `hidden` numbers that a model says of samples.
pub(super) fn vectors(
    layout: &BertLayout,
    params: &[f32],
    (tokens, rows): (&[Vec<u32>], &[u32]),
    how: (Pooling, bool),
    progress: &Progress,
) -> Result<Dense, TrainError> {
    let parts: Vec<Vec<f32>> = rows
        .par_chunks(32)
        .map(|part| {
            progress.check()?;
            let own = TokenRows::of(part.iter().map(|row| tokens[*row as usize].as_slice()));
            Ok(Tuned::pooled(layout, params, &layout.said(params, &own), &own, how))
        })
        .collect::<Result<_, TrainError>>()?;
    Ok(Dense { dims: layout.shape.hidden, data: parts.concat() })
}

/// What a model says of samples, by task: probabilities, class by class.
pub(super) fn said_of(
    layout: &BertLayout,
    tuned: &Tuned,
    tokens: &[Vec<u32>],
    rows: &[u32],
    how: (Pooling, bool),
    progress: &Progress,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let parts: Vec<Vec<Vec<f64>>> = rows
        .par_chunks(32)
        .map(|part| {
            progress.check()?;
            let own = TokenRows::of(part.iter().map(|row| tokens[*row as usize].as_slice()));
            let mut out: Vec<Vec<f64>> = vec![Vec::new(); tuned.tasks.len()];
            for mut logits in tuned.logits(layout, &own, how).chunks(tuned.width().max(1)) {
                for (task, out) in tuned.tasks.iter().zip(&mut out) {
                    let (now, later) = logits.split_at(task.classes);
                    logits = later;
                    let mut p: Vec<f64> = now.iter().map(|logit| f64::from(*logit)).collect();
                    softmax(&mut p);
                    out.extend(p);
                }
            }
            Ok(out)
        })
        .collect::<Result<_, TrainError>>()?;
    Ok((0..tuned.tasks.len()).map(|task| parts.iter().flat_map(|part| &part[task]).copied().collect()).collect())
}

/// What three real steps, or three questions, say of a run before it begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TriedSteps {
    /// Steps at most, and seconds for all of them.
    pub steps: usize,
    pub seconds: f64,
    /// Bytes at most, about.
    pub bytes: u64,
    /// Tokens that a language model reads and writes.
    pub tokens: u64,
}

/// Rows that are said something of at a time.
const ROWS: usize = 4_096;

/// The likeliest class of a row, the first of equals.
pub(super) fn likeliest(row: &[f64]) -> usize {
    (0..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}

/// A row, its likeliest class, and how sure that is.
pub(super) type SaidOf = (u32, u32, f32);

/// What says probabilities of rows, class by class.
pub(super) type Says<'s> = dyn Fn(&[u32]) -> Result<Vec<f64>, TrainError> + 's;

/// Of each row the likeliest class and how sure, a piece at a time: `say` says probabilities of rows, `classes` each; of fine classes what they stand for.
pub(super) fn likeliest_of(
    rows: &[u32],
    (classes, finer): (usize, Option<&FinerColumn>),
    say: &Says<'_>,
) -> Result<Vec<SaidOf>, TrainError> {
    let mut out = Vec::with_capacity(rows.len());
    for part in rows.chunks(ROWS) {
        let said = say(part)?;
        out.extend(part.iter().zip(said.chunks(classes.max(1))).map(|(row, own)| reduced(*row, own, finer)));
    }
    Ok(out)
}

/// The likeliest class of one row; of fine classes what they stand for.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn reduced(row: u32, own: &[f64], finer: Option<&FinerColumn>) -> (u32, u32, f32) {
    let Some(finer) = finer else {
        let best = likeliest(own);
        return (row, best as u32, own[best] as f32);
    };
    let mut coarse = vec![0.0; finer.to.iter().max().map_or(0, |most| *most as usize + 1)];
    own.iter().zip(&finer.to).for_each(|(p, to)| coarse[*to as usize] += p);
    let best = likeliest(&coarse);
    (row, best as u32, coarse[best] as f32)
}
