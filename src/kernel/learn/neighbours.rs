//! Nearest rows by inner product (cosine, for rows of length 1), exactly.
//!
//! One query is a scan, some tens of milliseconds at a million rows: no index is built, updated or wrong. Many queries are products of
//! blocks, of which only the best are kept, so memory grows with `queries × k` and never with the square of the rows.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::dense::{Dense, dot, vectorised};
use crate::job::{Cancelled, Progress};

/// One neighbour: its row, and how like it is, −1 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    pub row: u32,
    pub likeness: f32,
}

/// The nearest so far, nearest first; ties by row.
struct Best {
    most: usize,
    list: Vec<Neighbour>,
}

impl Best {
    fn new(most: usize) -> Self {
        Self { most, list: Vec::with_capacity(most + 1) }
    }

    /// What a newcomer must reach.
    fn bar(&self) -> f32 {
        if self.list.len() < self.most { f32::NEG_INFINITY } else { self.list[self.most - 1].likeness }
    }

    fn offer(&mut self, row: u32, likeness: f32) {
        let after = |known: &Neighbour| known.likeness > likeness || (known.likeness == likeness && known.row < row);
        let place = self.list.partition_point(after);
        if place < self.most {
            self.list.insert(place, Neighbour { row, likeness });
            self.list.truncate(self.most);
        }
    }
}

const SCAN: usize = 16_384;

/// The `k` rows most like `query`, but for those that `skip` names; nearest first.
pub fn nearest(dense: &Dense, query: &[f32], k: usize, skip: impl Fn(u32) -> bool + Sync) -> Vec<Neighbour> {
    if dense.dims == 0 || k == 0 {
        return Vec::new();
    }
    let parts: Vec<Best> = dense
        .data
        .par_chunks(SCAN * dense.dims)
        .enumerate()
        .map(|(part, rows)| {
            let mut best = Best::new(k);
            vectorised(
                #[inline(always)]
                || {
                    for (at, row) in rows.chunks_exact(dense.dims).enumerate() {
                        let likeness = dot(row, query);
                        if likeness > best.bar() {
                            let row = (part * SCAN + at) as u32;
                            if !skip(row) {
                                best.offer(row, likeness);
                            }
                        }
                    }
                },
            );
            best
        })
        .collect();
    let mut best = Best::new(k);
    parts.iter().flat_map(|part| &part.list).for_each(|found| best.offer(found.row, found.likeness));
    best.list
}

/// Queries in one block, and rows in one block: their product fits the second cache.
const QUERIES: usize = 128;
const ROWS: usize = 1_024;

/// The `k` rows most like each of `queries` (rows themselves, which are not their own neighbours); nearest first. Steps of progress:
/// one per query.
///
/// # Errors
/// [`Cancelled`].
pub fn nearest_of(dense: &Dense, queries: &[u32], k: usize, progress: &Progress) -> Result<Vec<Vec<Neighbour>>, Cancelled> {
    let dims = dense.dims;
    if dims == 0 || k == 0 {
        return Ok(vec![Vec::new(); queries.len()]);
    }
    let parts: Vec<Vec<Vec<Neighbour>>> = queries
        .par_chunks(QUERIES)
        .map(|mine| {
            let asked: Vec<f32> = mine.iter().flat_map(|row| dense.row(*row as usize)).copied().collect();
            let asked = MatRef::from_row_major_slice(&asked, mine.len(), dims);
            let mut best: Vec<Best> = mine.iter().map(|_| Best::new(k)).collect();
            let mut product = vec![0.0f32; QUERIES * ROWS];
            for (block, rows) in dense.data.chunks(ROWS * dims).enumerate() {
                if block % 16 == 0 {
                    progress.check()?;
                }
                let n = rows.len() / dims;
                let out = MatMut::from_row_major_slice_mut(&mut product[..mine.len() * n], mine.len(), n);
                let rows = MatRef::from_row_major_slice(rows, n, dims);
                matmul(out, Accum::Replace, asked, rows.transpose(), 1.0, Par::Seq);
                for ((best, own), likenesses) in best.iter_mut().zip(mine).zip(product.chunks(n)) {
                    keep(best, *own, likenesses, block * ROWS);
                }
            }
            progress.step(mine.len() as u64)?;
            Ok(best.into_iter().map(|best| best.list).collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(parts.into_iter().flatten().collect())
}

fn keep(best: &mut Best, own: u32, likenesses: &[f32], first: usize) {
    const LANES: usize = 32;
    vectorised(
        #[inline(always)]
        || {
            for (part, values) in likenesses.chunks(LANES).enumerate() {
                let bar = best.bar();
                // Most blocks hold nothing new: one pass over the lanes says so.
                if values.iter().copied().fold(f32::NEG_INFINITY, f32::max) <= bar {
                    continue;
                }
                for (at, value) in values.iter().enumerate() {
                    let row = (first + part * LANES + at) as u32;
                    if *value > best.bar() && row != own {
                        best.offer(row, *value);
                    }
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::dense::normalise;

    fn rows(n: usize, dims: usize) -> Dense {
        let mut dense = Dense::zeros(n, dims);
        for row in 0..n {
            for (d, value) in dense.row_mut(row).iter_mut().enumerate() {
                *value = ((row * 31 + d * 17) as f32 * 0.618).sin();
            }
            normalise(dense.row_mut(row));
        }
        dense
    }

    #[test]
    fn blocks_and_scans_find_what_a_plain_search_finds() {
        let dense = rows(2_500, 19);
        let queries: Vec<u32> = (0..300).map(|i| i * 7).collect();
        let found = nearest_of(&dense, &queries, 10, &Progress::silent()).unwrap();
        for (query, list) in queries.iter().zip(&found) {
            let mut all: Vec<(f32, u32)> = (0..2_500)
                .filter(|row| row != query)
                .map(|row| (dot(dense.row(row as usize), dense.row(*query as usize)), row))
                .collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            assert_eq!(list.len(), 10);
            for (mine, plain) in list.iter().zip(&all) {
                assert!((mine.likeness - plain.0).abs() < 1e-5, "{mine:?} {plain:?}");
            }
            let scanned = nearest(&dense, dense.row(*query as usize), 10, |row| row == *query);
            for (mine, plain) in scanned.iter().zip(&all) {
                assert!((mine.likeness - plain.0).abs() < 1e-5);
            }
        }
        assert!(nearest(&Dense::default(), &[], 5, |_| false).is_empty());
        assert_eq!(nearest(&rows(3, 4), rows(3, 4).row(0), 10, |row| row == 0).len(), 2);
    }
}
