//! The axes of rows' own spread: there a loss bends nearly axis by axis, and a search that knows by how much takes a few steps where it took hundreds.

use faer::{MatRef, Side};
use rayon::prelude::*;

use super::dense::Dense;
use super::head_numbers::{BATCH, Real, largest};
use crate::job::{Cancelled, Progress};

/// Rows of more numbers than this are not turned: finding their axes would take longer than the search.
const TURNED: usize = 1_536;
/// The axes of some rows' spread, about their middle or about zero.
pub(super) struct Axes {
    dims: usize,
    middle: Vec<f64>,
    /// `dims × dims`, an axis a column; `None` where rows stay as they are.
    turn: Option<Vec<f64>>,
    /// The sum of squares along each.
    spread: Vec<f64>,
}

/// The least deviation of an axis, as part of the largest, that evening divides by: what lies below is noise.
const NOISE: f64 = 1e-3;

impl Axes {
    pub fn of(dense: &Dense, rows: &[u32], centred: bool, progress: &Progress) -> Result<Self, Cancelled> {
        let dims = dense.dims;
        let mut middle = vec![0.0; dims];
        if centred {
            for row in rows {
                middle.iter_mut().zip(dense.row(*row as usize)).for_each(|(sum, x)| *sum += f64::from(*x));
            }
            middle.iter_mut().for_each(|sum| *sum /= rows.len().max(1) as f64);
        }
        if dims > TURNED {
            let mut spread = vec![0.0; dims];
            for row in rows {
                let x = dense.row(*row as usize).iter().zip(&middle);
                spread.iter_mut().zip(x).for_each(|(sum, (x, middle))| *sum += (f64::from(*x) - middle).powi(2));
            }
            return Ok(Self { dims, middle, turn: None, spread });
        }
        let mut square = vec![0.0f64; dims * dims];
        let mut buffer = vec![0.0f64; BATCH * dims];
        for part in rows.chunks(BATCH) {
            progress.check()?;
            fill(dense, part, &middle, &mut buffer);
            let x = &buffer[..part.len() * dims];
            f64::product(&mut square, true, x, true, x, [dims, part.len(), dims]);
        }
        let found = MatRef::from_row_major_slice(&square, dims, dims).self_adjoint_eigen(Side::Lower);
        let Ok(found) = found else {
            let spread = (0..dims).map(|at| square[at * dims + at]).collect();
            return Ok(Self { dims, middle, turn: None, spread });
        };
        let (vectors, values) = (found.U(), found.S().column_vector());
        let turn = (0..dims * dims).map(|at| vectors[(at / dims, at % dims)]).collect();
        Ok(Self { dims, middle, turn: Some(turn), spread: (0..dims).map(|at| values[at].max(0.0)).collect() })
    }

    /// By how much each axis is stretched, and the sums of squares then.
    pub fn stretch(&self, evened: bool) -> (Vec<f64>, Vec<f64>) {
        if !evened {
            return (vec![1.0; self.dims], self.spread.clone());
        }
        let deviation: Vec<f64> = self.spread.iter().map(|square| square.sqrt()).collect();
        let least = (NOISE * largest(&deviation)).max(f64::MIN_POSITIVE);
        let mut by: Vec<f64> = deviation.iter().map(|own| 1.0 / own.max(least).sqrt()).collect();
        let before: f64 = self.spread.iter().sum();
        let after: f64 = self.spread.iter().zip(&by).map(|(square, by)| square * by * by).sum();
        let whole = if after > 0.0 { (before / after).sqrt() } else { 1.0 };
        by.iter_mut().for_each(|by| *by *= whole);
        let spread = self.spread.iter().zip(&by).map(|(square, by)| square * by * by).collect();
        (by, spread)
    }

    /// Rows in these axes.
    pub fn turned<T: Real>(&self, dense: &Dense, rows: &[u32], progress: &Progress) -> Result<Vec<T>, Cancelled> {
        let dims = self.dims;
        let turn: Option<Vec<T>> = self.turn.as_ref().map(|turn| turn.iter().map(|value| T::of(*value)).collect());
        let mut out = vec![T::default(); rows.len() * dims];
        out.par_chunks_mut((BATCH * dims).max(1)).zip(rows.par_chunks(BATCH)).try_for_each(|(out, part)| {
            progress.check()?;
            let mut buffer = vec![T::default(); part.len() * dims];
            fill(dense, part, &self.middle, &mut buffer);
            match &turn {
                Some(turn) => T::product(out, false, &buffer, false, turn, [part.len(), dims, dims]),
                None => out.copy_from_slice(&buffer),
            }
            Ok::<(), Cancelled>(())
        })?;
        Ok(out)
    }

    /// Weights and intercepts of rows as they are, of weights in these axes, stretched; intercepts behind them.
    pub fn back(&self, mut at: Vec<f64>, stretch: &[f64], classes: usize) -> (Vec<f64>, Vec<f64>) {
        let mut bias = at.split_off(self.dims * classes);
        for (row, by) in at.chunks_mut(classes.max(1)).zip(stretch) {
            row.iter_mut().for_each(|w| *w *= by);
        }
        let weights = match &self.turn {
            Some(turn) => {
                let mut out = vec![0.0; self.dims * classes];
                f64::product(&mut out, false, turn, false, &at, [self.dims, self.dims, classes]);
                out
            }
            None => at,
        };
        for (row, middle) in weights.chunks(classes.max(1)).zip(&self.middle) {
            bias.iter_mut().zip(row).for_each(|(bias, w)| *bias -= middle * w);
        }
        (weights, bias)
    }
}

/// Rows less their middle.
pub(super) fn fill<T: Real>(dense: &Dense, rows: &[u32], middle: &[f64], out: &mut [T]) {
    for (row, out) in rows.iter().zip(out.chunks_mut(dense.dims.max(1))) {
        let x = dense.row(*row as usize).iter().zip(middle);
        out.iter_mut().zip(x).for_each(|(out, (x, middle))| *out = T::of(f64::from(*x) - middle));
    }
}
