//! The worst slices of rows by conjunctions of up to three `column = value`: every one that has enough rows is looked at, so what is found is corrected for all of them. The scores of three definitions stand beside each other: the binomial tail against
//! the rest of the rows with Benjamini and Hochberg's correction (what they are ordered by), `SliceLine`'s (Sagadeeva and Boehm 2021, equation 5), `SliceFinder`'s effect size with Welch's test (Chung et al. 2019).

use rayon::prelude::*;

use super::drift::false_discoveries;
use super::tails::{binomial_upper, student_upper};
use crate::job::{Cancelled, Progress};

/// `SliceLine`'s weight of errors against size, as in its paper.
const ALPHA: f64 = 0.95;
/// The most conditions of a slice.
pub const MOST_CONDITIONS: usize = 3;
/// Within a slice that is shown a smaller one is shown only if it is worse by so much, and that by more than chance.
const WORSE: f64 = 0.05;
/// More called slices than this are not held against those that are shown: the surest come first.
const MOST_LOOKED: usize = 2_000;
/// More than this is called by chance once in twenty.
const LIKELY: f64 = 0.05;

/// A column, as codes of its values: [`NO_VALUE`] where a row has none.
pub struct SliceColumn {
    pub codes: Vec<u32>,
    pub values: usize,
}

/// A row has no value in a column, and is in no slice of it.
pub const NO_VALUE: u32 = u32::MAX;

/// A slice that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct WorstSlice {
    /// Columns and values, by their places; columns ascending.
    pub of: Vec<(usize, u32)>,
    pub rows: usize,
    pub wrong: usize,
    /// The share that is wrong in it, and in the rest of the rows.
    pub rate: f64,
    pub rest: f64,
    /// So many wrong ones or more, if it were as the rest; and corrected for all slices that were looked at.
    pub p: f64,
    pub q: f64,
    pub sliceline: f64,
    /// Where losses are given: how many deviations more it loses than the rest, Welch's t, its one-sided p.
    pub losses: Option<(f64, f64, f64)>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    rows: u32,
    wrong: u32,
    sum: f64,
    squares: f64,
}

/// Every conjunction with at least `least` rows and at least one row outside, in no order that means anything. A step of progress a combination of columns.
///
/// # Errors
/// [`Cancelled`].
pub fn slices(
    columns: &[SliceColumn],
    wrong: &[bool],
    losses: Option<&[f64]>,
    least: usize,
    progress: &Progress,
) -> Result<Vec<WorstSlice>, Cancelled> {
    let n = wrong.len();
    // What is rarer than the least alone is in no slice: its values are none.
    let columns: Vec<SliceColumn> = columns.iter().map(|column| common(column, least)).collect();
    let all = total(wrong, losses);
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for a in 0..columns.len() {
        sets.push(vec![a]);
        for b in a + 1..columns.len() {
            sets.push(vec![a, b]);
            sets.extend((b + 1..columns.len()).map(|c| vec![a, b, c]));
        }
    }
    progress.set_total(sets.len() as u64);
    let mut out: Vec<WorstSlice> = sets
        .par_iter()
        .map(|set| {
            progress.step(1)?;
            Ok(counted(&columns, set, wrong, losses)
                .into_iter()
                .filter(|(_, cell)| cell.rows as usize >= least && (cell.rows as usize) < n)
                .map(|(of, cell)| scored(of, cell, all, n, losses.is_some()))
                .collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, Cancelled>>()?
        .concat();
    let p: Vec<f64> = out.iter().map(|slice| slice.p).collect();
    out.iter_mut().zip(false_discoveries(&p)).for_each(|(slice, q)| slice.q = q);
    Ok(out)
}

fn total(wrong: &[bool], losses: Option<&[f64]>) -> Cell {
    let mut all = Cell::default();
    for (at, wrong) in wrong.iter().enumerate() {
        add(&mut all, *wrong, losses.map_or(0.0, |losses| losses[at]));
    }
    all
}

fn add(cell: &mut Cell, wrong: bool, loss: f64) {
    cell.rows += 1;
    cell.wrong += u32::from(wrong);
    cell.sum += loss;
    cell.squares += loss * loss;
}

/// A column without the values that too few rows have; values are numbered as before.
fn common(column: &SliceColumn, least: usize) -> SliceColumn {
    let mut counts = vec![0usize; column.values];
    column.codes.iter().filter(|code| **code != NO_VALUE).for_each(|code| counts[*code as usize] += 1);
    let kept = |code: &u32| if *code != NO_VALUE && counts[*code as usize] >= least { *code } else { NO_VALUE };
    SliceColumn { codes: column.codes.iter().map(kept).collect(), values: column.values }
}

type CountedCell = (Vec<(usize, u32)>, Cell);

/// The cells of the table of some columns, in one pass over the rows.
fn counted(columns: &[SliceColumn], set: &[usize], wrong: &[bool], losses: Option<&[f64]>) -> Vec<CountedCell> {
    let size: usize = set.iter().map(|at| columns[*at].values).product();
    let mut table = vec![Cell::default(); size];
    for row in 0..wrong.len() {
        let mut place = 0;
        let mut whole = true;
        for at in set {
            let code = columns[*at].codes[row];
            whole &= code != NO_VALUE;
            place = place * columns[*at].values + if code == NO_VALUE { 0 } else { code as usize };
        }
        if whole {
            add(&mut table[place], wrong[row], losses.map_or(0.0, |losses| losses[row]));
        }
    }
    let values = |mut place: usize| {
        let mut of: Vec<(usize, u32)> = Vec::with_capacity(set.len());
        for at in set.iter().rev() {
            of.push((*at, (place % columns[*at].values) as u32));
            place /= columns[*at].values;
        }
        of.reverse();
        of
    };
    table.into_iter().enumerate().filter(|(_, cell)| cell.rows > 0).map(|(place, cell)| (values(place), cell)).collect()
}

fn scored(of: Vec<(usize, u32)>, cell: Cell, all: Cell, n: usize, lossy: bool) -> WorstSlice {
    let (rows, wrong) = (f64::from(cell.rows), f64::from(cell.wrong));
    let (others, other_wrong) = (n as f64 - rows, f64::from(all.wrong) - wrong);
    let (rate, rest, mean) = (wrong / rows, other_wrong / others, f64::from(all.wrong) / n as f64);
    let sliceline = if mean > 0.0 { ALPHA * (rate / mean - 1.0) - (1.0 - ALPHA) * (n as f64 / rows - 1.0) } else { 0.0 };
    let losses = lossy.then(|| {
        let spread = |sum: f64, squares: f64, n: f64| (sum / n, (squares / n - (sum / n).powi(2)).max(0.0));
        let (a, a_var) = spread(cell.sum, cell.squares, rows);
        let (b, b_var) = spread(all.sum - cell.sum, all.squares - cell.squares, others);
        let effect = std::f64::consts::SQRT_2 * (a - b) / (a_var + b_var).sqrt();
        // Welch takes the spread of a sample, and not of all there is.
        let (x, y) = (a_var / (rows - 1.0), b_var / (others - 1.0));
        let t = (a - b) / (x + y).sqrt();
        let freedom = (x + y).powi(2) / (x * x / (rows - 1.0) + y * y / (others - 1.0));
        (effect, t, student_upper(t, freedom))
    });
    WorstSlice {
        of,
        rows: cell.rows as usize,
        wrong: cell.wrong as usize,
        rate,
        rest,
        p: binomial_upper(u64::from(cell.wrong), u64::from(cell.rows), rest),
        q: 1.0,
        sliceline,
        losses,
    }
}

/// The slices that say something of their own, the surest first, then the larger: what is left of the later without the rows of the earlier must still be called by the search, and a part of one that is there must be worse than it by five points,
/// by more than chance.
pub fn telling_slices(columns: &[SliceColumn], wrong: &[bool], mut all: Vec<WorstSlice>, most: usize) -> Vec<WorstSlice> {
    all.retain(|slice| slice.q <= LIKELY && slice.rate > slice.rest);
    // The largest p that the search calls: what is left of a slice without the rows of those before it is held to it, too.
    let border = all.iter().map(|slice| slice.p).fold(0.0, f64::max);
    all.sort_by(|a, b| a.q.total_cmp(&b.q).then(b.rows.cmp(&a.rows)).then(a.of.len().cmp(&b.of.len())).then(a.of.cmp(&b.of)));
    let mut covered = vec![false; wrong.len()];
    // Rows, and wrong ones, that no slice that is shown holds.
    let mut open = (wrong.len(), wrong.iter().filter(|wrong| **wrong).count());
    let mut shown: Vec<WorstSlice> = Vec::new();
    for (looked, slice) in all.into_iter().enumerate() {
        if shown.len() == most || looked == MOST_LOOKED {
            break;
        }
        let parent = shown.iter().find(|other| other.of.iter().all(|condition| slice.of.contains(condition)));
        let worse = |parent: &WorstSlice| {
            slice.rate >= parent.rate + WORSE && binomial_upper(slice.wrong as u64, slice.rows as u64, parent.rate) <= LIKELY
        };
        if parent.is_some_and(|parent| !worse(parent)) {
            continue;
        }
        let within: Vec<usize> = (0..wrong.len()).filter(|row| is_in(columns, &slice.of, *row)).collect();
        let left: Vec<usize> = within.iter().copied().filter(|row| !covered[*row]).collect();
        let hits = left.iter().filter(|row| wrong[**row]).count();
        if parent.is_none() {
            let others = open.0 - left.len();
            let rest = if others > 0 { (open.1 - hits) as f64 / others as f64 } else { slice.rest };
            let called = binomial_upper(hits as u64, left.len() as u64, rest) <= border;
            if 2 * left.len() < within.len() || !called {
                continue;
            }
        }
        open = (open.0 - left.len(), open.1 - hits);
        left.iter().for_each(|row| covered[*row] = true);
        shown.push(slice);
    }
    shown
}

/// Whether a row is in a slice.
pub fn is_in(columns: &[SliceColumn], of: &[(usize, u32)], row: usize) -> bool {
    of.iter().all(|(column, value)| columns[*column].codes[row] == *value)
}
