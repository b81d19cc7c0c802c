//! Pictures that are copies of each other: the same bytes, or the same picture resized, coded again, turned, mirrored or cropped a
//! little.
//!
//! Perceptual hashes name candidates in all eight positions; then 32 × 32 greys are laid over each other, whole and with up to a tenth
//! cut away, and their correlation decides. Hashes alone cannot: photographs of one kind on one ground have hashes alike.

use std::collections::HashMap;

use rayon::prelude::*;

use super::look::Look;
use super::phash::{Turns, turns};
use crate::job::{Cancelled, Progress};

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Twins {
    /// Rows with the same bytes, in order; groups by their first row.
    pub same: Vec<Vec<u32>>,
    /// Groups of rows that are nearly the same picture, exact copies among them, with the least likeness that holds each together.
    pub near: Vec<(Vec<u32>, f32)>,
}

/// Hashes that differ in more bits are not laid over each other.
const RADIUS: u32 = 14;
/// From this correlation on, two pictures are nearly the same.
const LIKE: f32 = 0.985;
/// After this many copies of one picture no more are looked for, and after this many that only seemed to be.
const MOST_JOINED: usize = 24;
const MOST_TRIED: usize = 1_000;
/// Up to this many pictures each is held against each; beyond, only those that share a sixteen-bit part of their hash.
const ALL_PAIRS: usize = 120_000;
/// Below this correlation as a whole, no part is tried.
const FAR: f32 = 0.75;
const SIZE: usize = 32;
/// A picture of fewer differing greys is a plain field: everything is like it.
const PLAIN: f32 = 3.0;

/// Finds copies. `looks[row]` is skipped where `skip(row)`.
///
/// # Errors
/// [`Cancelled`].
pub fn twins(looks: &[Look], skip: impl Fn(usize) -> bool + Sync, progress: &Progress) -> Result<Twins, Cancelled> {
    let mut by_content: HashMap<u128, Vec<u32>> = HashMap::new();
    for (row, look) in looks.iter().enumerate().filter(|(row, look)| look.bytes > 0 && !skip(*row)) {
        by_content.entry(look.content).or_default().push(row as u32);
    }
    // One of each set of exact copies stands for all.
    let mut firsts: Vec<u32> = by_content.values().map(|rows| rows[0]).filter(|row| looks[*row as usize].has_pixels()).collect();
    firsts.sort_unstable();
    firsts.retain(|row| spread_of(&looks[*row as usize].grey) >= PLAIN);
    progress.set_total(firsts.len() as u64 + 1);
    let hashes: Vec<Turns> = firsts.par_iter().map(|row| turns(&looks[*row as usize].grey)).collect();
    progress.check()?;
    let pairs = pairs(&firsts, &hashes, looks, progress)?;
    let mut same: Vec<Vec<u32>> = by_content.into_values().filter(|rows| rows.len() > 1).collect();
    same.sort_unstable();
    Ok(Twins { near: groups(pairs, &same, looks), same })
}

/// Pairs of near copies. Of pictures of which very many are alike, each is joined to some of the next: together they are one group.
fn pairs(firsts: &[u32], hashes: &[Turns], looks: &[Look], progress: &Progress) -> Result<Vec<(u32, u32)>, Cancelled> {
    let own: Vec<u64> = hashes.iter().map(|turns| turns[0]).collect();
    let bands = (firsts.len() > ALL_PAIRS).then(|| bands(&own));
    let parts: Vec<Vec<(u32, u32)>> = (0..firsts.len())
        .into_par_iter()
        .map(|a| {
            let mut mine = Vec::new();
            let mut tried = 0;
            // Says whether to go on.
            let mut offer = |b: usize| {
                let best = hashes[a].iter().enumerate().map(|(turn, hash)| ((hash ^ own[b]).count_ones(), turn)).min();
                if let Some((_, turn)) = best.filter(|(distance, _)| *distance <= RADIUS) {
                    tried += 1;
                    if likeness(&looks[firsts[a] as usize].grey, &looks[firsts[b] as usize].grey, turn) >= LIKE {
                        mine.push((firsts[a], firsts[b]));
                    }
                }
                mine.len() < MOST_JOINED && tried < MOST_TRIED
            };
            match &bands {
                None => {
                    let _ = (a + 1..firsts.len()).all(&mut offer);
                }
                Some(bands) => {
                    let mut seen = std::collections::HashSet::new();
                    let keys = hashes[a].iter().flat_map(|hash| {
                        bands.iter().enumerate().map(move |(band, table)| (table, (hash >> (band * 16)) as u16))
                    });
                    // A part that very many share says nothing.
                    let shared = keys.filter_map(|(table, key)| table.get(&key).filter(|list| list.len() < 4_000));
                    let _ = shared.flatten().filter(|b| **b as usize > a).all(|b| !seen.insert(*b) || offer(*b as usize));
                }
            }
            progress.step(1)?;
            Ok(mine)
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(parts.into_iter().flatten().collect())
}

fn bands(hashes: &[u64]) -> [HashMap<u16, Vec<u32>>; 4] {
    let mut tables: [HashMap<u16, Vec<u32>>; 4] = Default::default();
    for (at, hash) in hashes.iter().enumerate() {
        for (band, table) in tables.iter_mut().enumerate() {
            table.entry((hash >> (band * 16)) as u16).or_default().push(at as u32);
        }
    }
    tables
}

/// Joins pairs to groups, the picture with most pixels first. What is like another of its group but not like the first is a group of
/// its own: the ends of a chain need not be alike.
fn groups(pairs: Vec<(u32, u32)>, same: &[Vec<u32>], looks: &[Look]) -> Vec<(Vec<u32>, f32)> {
    fn root(parent: &mut HashMap<u32, u32>, row: u32) -> u32 {
        let mut at = row;
        while let Some(up) = parent.get(&at).copied().filter(|up| *up != at) {
            at = up;
        }
        parent.insert(row, at);
        at
    }
    let mut parent: HashMap<u32, u32> = HashMap::new();
    for (a, b) in &pairs {
        let (a, b) = (root(&mut parent, *a), root(&mut parent, *b));
        parent.insert(a.max(b), a.min(b));
    }
    let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
    for row in parent.keys().copied().collect::<Vec<_>>() {
        let at = root(&mut parent, row);
        members.entry(at).or_default().push(row);
    }
    let copies: HashMap<u32, &Vec<u32>> = same.iter().map(|rows| (rows[0], rows)).collect();
    let size =
        |row: u32| looks[row as usize].header.as_ref().map_or(0, |header| u64::from(header.width) * u64::from(header.height));
    let mut groups: Vec<(Vec<u32>, f32)> = members
        .into_values()
        .collect::<Vec<_>>()
        .into_par_iter()
        .flat_map_iter(|mut left| {
            left.sort_unstable_by_key(|row| (std::cmp::Reverse(size(*row)), *row));
            let mut found = Vec::new();
            while left.len() > 1 {
                let first = left.remove(0);
                let (mut rows, mut least) = (vec![first], 1.0_f32);
                left.retain(|row| {
                    let likeness = likeness_of(&looks[first as usize], &looks[*row as usize]);
                    if likeness >= LIKE {
                        rows.push(*row);
                        least = least.min(likeness);
                    }
                    likeness < LIKE
                });
                if rows.len() > 1 {
                    // Exact copies go where their first goes.
                    let all =
                        rows.iter().flat_map(|row| copies.get(row).map_or(std::slice::from_ref(row), |rows| rows.as_slice()));
                    found.push((all.copied().collect(), least));
                }
            }
            found
        })
        .collect();
    groups.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    groups
}

/// How like two pictures are in the position in which their hashes are nearest.
fn likeness_of(a: &Look, b: &Look) -> f32 {
    let own = turns(&b.grey)[0];
    let best = turns(&a.grey).iter().enumerate().map(|(turn, hash)| ((hash ^ own).count_ones(), turn)).min();
    best.map_or(0.0, |(_, turn)| likeness(&a.grey, &b.grey, turn))
}

fn spread_of(grey: &[u8]) -> f32 {
    let n = grey.len() as f32;
    let mean = grey.iter().map(|value| f32::from(*value)).sum::<f32>() / n;
    (grey.iter().map(|value| (f32::from(*value) - mean).powi(2)).sum::<f32>() / n).sqrt()
}

/// How like `b` is `a` in position `turn`, −1 to 1: the best correlation of one laid over the other, whole or with up to a tenth cut
/// away. Both are 32 × 32 greys.
pub fn likeness(a: &[u8], b: &[u8], turn: usize) -> f32 {
    // A little softened: a picture that was cropped or scaled falls between the pixels of the other.
    let a = softened(&turned(a, turn));
    let b = softened(&turned(b, 0));
    let mut best = correlation(&a, &b);
    // Nearly the same needs no more; and no cut of a tenth makes alike what has little in common whole.
    if !(FAR..0.999).contains(&best) {
        return best;
    }
    for part in [0.95_f32, 0.9] {
        let room = (1.0 - part) * SIZE as f32;
        for (x, y) in (0..9).map(|i| ((i % 3) as f32 / 2.0 * room, (i / 3) as f32 / 2.0 * room)) {
            best = best.max(correlation(&window(&a, x, y, part), &b)).max(correlation(&a, &window(&b, x, y, part)));
        }
    }
    best
}

/// Greys in one of the eight positions of [`turns`].
fn turned(grey: &[u8], turn: usize) -> Vec<f32> {
    let last = SIZE - 1;
    (0..SIZE * SIZE)
        .map(|i| {
            let (x, y) = (i % SIZE, i / SIZE);
            let (x, y) = (if turn & 1 != 0 { last - x } else { x }, if turn & 2 != 0 { last - y } else { y });
            let (x, y) = if turn >= 4 { (y, x) } else { (x, y) };
            f32::from(grey[y * SIZE + x])
        })
        .collect()
}

/// Each grey with its neighbours, by 1 2 1 across and down.
fn softened(grey: &[f32]) -> Vec<f32> {
    let pass = |from: &[f32], step: usize| -> Vec<f32> {
        (0..SIZE * SIZE)
            .map(|i| {
                let at = if step == 1 { i % SIZE } else { i / SIZE };
                let before = from[if at > 0 { i - step } else { i }];
                let after = from[if at + 1 < SIZE { i + step } else { i }];
                (before + 2.0 * from[i] + after) / 4.0
            })
            .collect()
    };
    pass(&pass(grey, 1), SIZE)
}

/// A part of 32 × 32 greys, brought back to 32 × 32 by linear interpolation.
fn window(grey: &[f32], left: f32, top: f32, part: f32) -> Vec<f32> {
    let place = |i: usize, from: f32| {
        let at = ((i as f32 + 0.5) * part + from - 0.5).clamp(0.0, (SIZE - 1) as f32);
        let low = at.floor() as usize;
        (low, (low + 1).min(SIZE - 1), at - at.floor())
    };
    let columns: Vec<(usize, usize, f32)> = (0..SIZE).map(|x| place(x, left)).collect();
    let mut out = Vec::with_capacity(SIZE * SIZE);
    for y in 0..SIZE {
        let (y0, y1, wy) = place(y, top);
        for (x0, x1, wx) in &columns {
            let upper = grey[y0 * SIZE + x0] * (1.0 - wx) + grey[y0 * SIZE + x1] * wx;
            let lower = grey[y1 * SIZE + x0] * (1.0 - wx) + grey[y1 * SIZE + x1] * wx;
            out.push(upper * (1.0 - wy) + lower * wy);
        }
    }
    out
}

/// Pearson's correlation; 0 where one does not vary.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len() as f32;
    let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in a.iter().zip(b) {
        sa += x;
        sb += y;
        saa += x * x;
        sbb += y * y;
        sab += x * y;
    }
    let (va, vb) = (saa - sa * sa / n, sbb - sb * sb / n);
    if va <= 1e-3 || vb <= 1e-3 { 0.0 } else { (sab - sa * sb / n) / (va * vb).sqrt() }
}
