//! Tasks over buckets: narrow prints of all pieces put together. A bucket is as much as fits into memory many times over.

use std::collections::{HashMap, HashSet};

use super::answers::{longs, place, placed, read_longs, read_shorts};
use super::gather::copies_path;
use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::io;
use crate::job::Progress;

/// Rows that share a band are compared each with each up to so many; beyond that each with the first and with the one before it, or boilerplate would make as
/// many pairs as it has rows squared.
const CROWD: usize = 64;

/// Which rows of a bucket say what an earlier one says.
pub fn same(work: &Work, bucket: usize, progress: &Progress) -> Result<(), PassError> {
    let mut prints: Vec<(u128, u64)> = Vec::new();
    for piece in 0..work.pieces.len() {
        progress.check()?;
        let bytes = io::read_section(&PassTask::Map(piece).path(work), 1 + bucket)?;
        prints.extend(bytes.as_chunks::<20>().0.iter().map(|record| {
            let (print, row) = record.split_at(16);
            let print = print.as_array().map_or(0, |print| u128::from_le_bytes(*print));
            let row = row.as_array().map_or(0, |row| u32::from_le_bytes(*row));
            (print, place(piece, row))
        }));
    }
    prints.sort_unstable();
    let copies = prints.chunk_by(|a, b| a.0 == b.0).flat_map(|group| group[1..].iter().map(|(_, place)| *place));
    Ok(io::write_sections(&PassTask::Same(bucket).path(work), &[b"{}".to_vec(), longs(copies)])?)
}

/// Which rows of a bucket share a band: pairs of places, the earlier first, each once.
pub fn pairs(work: &Work, bucket: usize, progress: &Progress) -> Result<(), PassError> {
    let mut banded: Vec<(u64, u64)> = Vec::new();
    for piece in 0..work.pieces.len() {
        progress.check()?;
        // In the order of rows.
        let gone = read_shorts(&io::read_section(&copies_path(work), piece)?);
        let bytes = io::read_section(&PassTask::Map(piece).path(work), 1 + work.buckets + bucket)?;
        banded.extend(bytes.as_chunks::<12>().0.iter().filter_map(|record| {
            let (band, row) = record.split_at(8);
            let band = band.as_array().map_or(0, |band| u64::from_le_bytes(*band));
            let row = row.as_array().map_or(0, |row| u32::from_le_bytes(*row));
            gone.binary_search(&row).is_err().then(|| (band, place(piece, row)))
        }));
    }
    banded.sort_unstable();
    let mut found: Vec<(u64, u64)> = Vec::new();
    for group in banded.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
        for (at, (_, other)) in group.iter().enumerate().skip(1) {
            if group.len() <= CROWD {
                found.extend(group[..at].iter().map(|(_, one)| (*one, *other)));
            } else {
                found.push((group[0].1, *other));
                found.push((group[at - 1].1, *other));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    let list = longs(found.into_iter().flat_map(|(one, other)| [one, other]));
    Ok(io::write_sections(&PassTask::Pairs(bucket).path(work), &[b"{}".to_vec(), list])?)
}

/// Which of a bucket's pairs are as near as was asked for.
pub fn near(work: &Work, bucket: usize, progress: &Progress) -> Result<(), PassError> {
    let limit = work.plan().unique().map_or(1.0, |(_, unique)| unique.near);
    let list = read_longs(&io::read_section(&PassTask::Pairs(bucket).path(work), 1)?);
    let mut sets: HashMap<u64, Vec<u64>> = HashMap::new();
    let touched: HashSet<usize> = list.iter().map(|place| placed(*place).0).collect();
    for piece in touched {
        progress.check()?;
        let mut rest = &read_longs(&io::read_section(&PassTask::Texts(piece).path(work), 1 + bucket)?)[..];
        while let [row, n, members @ ..] = rest {
            let (own, behind) = members.split_at((*n as usize).min(members.len()));
            sets.insert(place(piece, *row as u32), own.to_vec());
            rest = behind;
        }
    }
    let is_near = |pair: &&[u64; 2]| {
        let (one, other) = (sets.get(&pair[0]), sets.get(&pair[1]));
        one.zip(other).is_some_and(|(one, other)| jaccard(one, other) >= limit - 1e-9)
    };
    let found = longs(list.as_chunks::<2>().0.iter().filter(is_near).flatten().copied());
    Ok(io::write_sections(&PassTask::Near(bucket).path(work), &[b"{}".to_vec(), found])?)
}

/// The similarity of two sorted sets.
fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut shared) = (0, 0, 0usize);
    while i < a.len() && j < b.len() {
        shared += usize::from(a[i] == b[j]);
        let (x, y) = (a[i], b[j]);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let all = a.len() + b.len() - shared;
    if all == 0 { 0.0 } else { shared as f64 / all as f64 }
}
