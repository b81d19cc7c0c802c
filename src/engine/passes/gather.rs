//! Between passes: what all tasks of one have found, put by piece for the next.

use std::collections::HashMap;
use std::path::PathBuf;

use super::answers::{placed, read_longs, shorts};
use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::io;

/// Where the rows of each piece lie that say what an earlier one says; then those that nearly do.
pub fn copies_path(work: &Work) -> PathBuf {
    work.folder.join("copies")
}

/// Likewise, with near copies behind: a section a piece of the same, then one of near ones.
pub fn dropped_path(work: &Work) -> PathBuf {
    work.folder.join("dropped")
}

/// Where the rows lie whose shingles are wanted, by piece and bucket.
pub fn wanted_path(work: &Work) -> PathBuf {
    work.folder.join("wanted")
}

/// Rows by piece, in order, each once.
fn by_piece(work: &Work, places: impl IntoIterator<Item = u64>) -> Vec<Vec<u32>> {
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); work.pieces.len()];
    for place in places {
        let (piece, row) = placed(place);
        if let Some(rows) = rows.get_mut(piece) {
            rows.push(row);
        }
    }
    for rows in &mut rows {
        rows.sort_unstable();
        rows.dedup();
    }
    rows
}

/// Puts the copies of all buckets together.
pub fn copies(work: &Work) -> Result<(), PassError> {
    let path = copies_path(work);
    if io::is_there(&path) {
        return Ok(());
    }
    let mut places = Vec::new();
    for bucket in 0..work.buckets {
        places.extend(read_longs(&io::read_section(&PassTask::Same(bucket).path(work), 1)?));
    }
    let sections: Vec<Vec<u8>> = by_piece(work, places).into_iter().map(shorts).collect();
    Ok(io::write_sections(&path, &sections)?)
}

/// Whose shingles are wanted by which bucket.
pub fn wanted(work: &Work) -> Result<(), PassError> {
    let path = wanted_path(work);
    if io::is_there(&path) {
        return Ok(());
    }
    let mut sections: Vec<Vec<u8>> = vec![Vec::new(); work.pieces.len() * work.buckets];
    for bucket in 0..work.buckets {
        let pairs = read_longs(&io::read_section(&PassTask::Pairs(bucket).path(work), 1)?);
        for (piece, rows) in by_piece(work, pairs).into_iter().enumerate() {
            sections[piece * work.buckets + bucket] = shorts(rows);
        }
    }
    Ok(io::write_sections(&path, &sections)?)
}

/// The earliest that a place hangs together with; the way there is made shorter.
fn root(of: &mut HashMap<u64, u64>, mut at: u64) -> u64 {
    while let Some(above) = of.get(&at).copied().filter(|above| *above != at) {
        let next = of.get(&above).copied().unwrap_or(above);
        of.insert(at, next);
        at = above;
    }
    at
}

/// All rows that are left out: the same as an earlier one, or nearly. Of a group that hangs together by near pairs the earliest stays.
pub fn dropped(work: &Work, near: bool) -> Result<(), PassError> {
    let path = dropped_path(work);
    if io::is_there(&path) {
        return Ok(());
    }
    let mut of: HashMap<u64, u64> = HashMap::new();
    for bucket in (0..work.buckets).filter(|_| near) {
        let pairs = read_longs(&io::read_section(&PassTask::Near(bucket).path(work), 1)?);
        for [one, other] in pairs.as_chunks::<2>().0 {
            let (one, other) = (root(&mut of, *one), root(&mut of, *other));
            of.insert(one.max(other), one.min(other));
            of.entry(one.min(other)).or_insert(one.min(other));
        }
    }
    let all: Vec<u64> = of.keys().copied().collect();
    let near = by_piece(work, all.into_iter().filter(|place| root(&mut of, *place) != *place));
    let mut sections = Vec::new();
    for piece in 0..work.pieces.len() {
        sections.push(io::read_section(&copies_path(work), piece)?);
    }
    sections.extend(near.into_iter().map(shorts));
    Ok(io::write_sections(&path, &sections)?)
}
