//! Isolation forest (Liu, Ting and Zhou, 2008): rows that few random cuts set apart are odd, though each of their numbers may be usual.
//!
//! A tree cuts 256 rows drawn by chance, each time a random column at a random place between its least and its most, until a row is alone or the tree is as deep
//! as a balanced one. What a row's depths say against the mean depth of an unsuccessful search, `2^(−mean depth / c(ψ))`, is its score: near 1 odd, 0.5 and below usual.

use rayon::prelude::*;

use super::dense::Dense;
use crate::chance::{Chance, seed_of};
use crate::job::{Cancelled, Progress};

/// Trees, and the rows that each is grown of; the authors'.
const TREES: usize = 100;
const SUBSAMPLE: usize = 256;

enum Node {
    /// Below the value goes on to the first, all else to the second.
    Cut { column: u32, at: f32, below: u32, other: u32 },
    /// So many rows were left.
    Leaf { rows: u32 },
}

struct Tree(Vec<Node>);

/// The mean depth of an unsuccessful search in a binary search tree of `n`: 2 H(n − 1) − 2 (n − 1) / n.
fn usual_depth(n: usize) -> f64 {
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        n => 2.0 * (((n - 1) as f64).ln() + 0.577_215_664_901_532_9) - 2.0 * (n - 1) as f64 / n as f64,
    }
}

impl Tree {
    fn grow(dense: &Dense, mut rows: Vec<u32>, deepest: usize, chance: &mut Chance) -> Self {
        let mut tree = Self(Vec::new());
        tree.add(dense, &mut rows, deepest, chance);
        tree
    }

    fn add(&mut self, dense: &Dense, rows: &mut [u32], left: usize, chance: &mut Chance) -> u32 {
        let place = self.0.len() as u32;
        self.0.push(Node::Leaf { rows: rows.len() as u32 });
        if rows.len() < 2 || left == 0 {
            return place;
        }
        let bounds = |column: usize| {
            rows.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), row| {
                let value = dense.row(*row as usize)[column];
                (least.min(value), most.max(value))
            })
        };
        // A column of one value cuts nothing.
        let cuts: Vec<usize> =
            (0..dense.dims).filter(|column| matches!(bounds(*column), (least, most) if least < most)).collect();
        let Some(column) = chance.one_of(&cuts).copied() else { return place };
        let (least, most) = bounds(column);
        let at = chance.within(f64::from(least), f64::from(most)) as f32;
        let at = if at > least { at } else { most };
        let mut end = 0;
        for place in 0..rows.len() {
            if dense.row(rows[place] as usize)[column] < at {
                rows.swap(place, end);
                end += 1;
            }
        }
        let (one, two) = rows.split_at_mut(end);
        let below = self.add(dense, one, left - 1, chance);
        let other = self.add(dense, two, left - 1, chance);
        self.0[place as usize] = Node::Cut { column: column as u32, at, below, other };
        place
    }

    fn depth(&self, row: &[f32]) -> f64 {
        let (mut place, mut depth) = (0, 0.0);
        loop {
            match &self.0[place as usize] {
                Node::Cut { column, at, below, other } => {
                    place = if row[*column as usize] < *at { *below } else { *other };
                    depth += 1.0;
                }
                Node::Leaf { rows } => return depth + usual_depth(*rows as usize),
            }
        }
    }
}

/// How odd each row is, 0 to 1: the same seed gives the same on any machine.
///
/// # Errors
/// [`Cancelled`].
pub fn isolation(dense: &Dense, seed: u64, progress: &Progress) -> Result<Vec<f64>, Cancelled> {
    let n = dense.rows();
    let drawn = SUBSAMPLE.min(n);
    if n < 2 || dense.dims == 0 {
        return Ok(vec![0.0; n]);
    }
    let deepest = (drawn as f64).log2().ceil() as usize;
    let trees: Vec<Tree> = (0..TREES)
        .into_par_iter()
        .map(|tree| {
            progress.check()?;
            let mut chance = Chance::new(seed_of(&[seed, tree as u64]));
            // Rows without one twice: few of many by drawing again, all of few by a shuffle.
            let mut rows: Vec<u32> = if drawn * 4 > n {
                let mut all: Vec<u32> = (0..n as u32).collect();
                chance.shuffle(&mut all);
                all
            } else {
                let mut seen = std::collections::HashSet::new();
                std::iter::repeat_with(|| chance.below(n) as u32).filter(|row| seen.insert(*row)).take(drawn).collect()
            };
            rows.truncate(drawn);
            Ok(Tree::grow(dense, rows, deepest, &mut chance))
        })
        .collect::<Result<_, Cancelled>>()?;
    let usual = usual_depth(drawn).max(1.0);
    (0..n)
        .into_par_iter()
        .with_min_len(256)
        .map(|row| {
            progress.check()?;
            let values = dense.row(row);
            let mean = trees.iter().map(|tree| tree.depth(values)).sum::<f64>() / TREES as f64;
            Ok((-mean / usual).exp2())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_by_two_numbers_together_is_found() {
        // A ring of points, and one in its middle: each of its numbers is usual, the two together are not.
        let mut chance = Chance::new(5);
        let mut dense = Dense::zeros(601, 2);
        for row in 0..600 {
            let angle = chance.within(0.0, std::f64::consts::TAU);
            let far = chance.within(0.95, 1.05);
            dense.row_mut(row).copy_from_slice(&[(angle.cos() * far) as f32, (angle.sin() * far) as f32]);
        }
        dense.row_mut(600).copy_from_slice(&[6.0, -6.0]);
        let scores = isolation(&dense, 1, &Progress::silent()).unwrap();
        let most = scores[..600].iter().copied().fold(0.0, f64::max);
        assert!(scores[600] > 0.75 && most < 0.7, "{} {most}", scores[600]);
        assert_eq!(scores, isolation(&dense, 1, &Progress::silent()).unwrap());
        assert!((usual_depth(256) - 10.2448).abs() < 1e-3, "{}", usual_depth(256));
        assert_eq!(isolation(&Dense::zeros(1, 3), 1, &Progress::silent()).unwrap(), [0.0]);
        let same = isolation(&Dense::zeros(50, 3), 1, &Progress::silent()).unwrap();
        assert!(same.iter().all(|score| (score - same[0]).abs() < 1e-12));
    }
}
