//! A log cut into batches: by days, by weeks, by a column, or not at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::MonitorError;
use super::log::LogColumns;
use crate::data::{Dataset, Moment, SampleId, Times, count_samples, day_words};

/// How a log is cut.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum LogCut {
    /// All of it is one batch.
    #[default]
    Whole,
    /// A day each, a week each (from Monday on), in UTC.
    Day,
    Week,
    /// By the values of a column: a version, say.
    Column(String),
}

/// The most batches that a log is cut into.
pub const MOST_BATCHES: usize = 400;
/// What rows without a time, or without a value, are a piece by: no cell is empty that is cut by.
const NONE: &str = "";
const DAY: Moment = 86_400_000_000_000;

/// A piece of a log: what it is called, its rows in their order, and when the first arose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPiece {
    pub name: String,
    pub rows: Vec<SampleId>,
    pub first: Option<Moment>,
}

/// When each row arose; `None` where that cannot be read.
pub fn times_of(log: &Dataset, columns: &LogColumns, rows: &[SampleId]) -> Vec<Option<Moment>> {
    let Some(field) = columns.time.as_deref().and_then(|name| log.field(name)) else { return vec![None; rows.len()] };
    let cells: Vec<_> = rows.iter().map(|id| log.text(field, *id)).collect();
    let times = Times::of(cells.iter().flatten().map(AsRef::as_ref));
    cells.iter().map(|cell| times.read(cell.as_ref()?)).collect()
}

/// The pieces of a log, in the order of time where rows have one, and what there is to say of them. Rows need not stand in order.
///
/// # Errors
/// [`MonitorError`]: empty, no times to cut by, no such column, too many pieces.
pub fn pieces(log: &Dataset, columns: &LogColumns, cut: &LogCut) -> Result<(Vec<LogPiece>, Vec<String>), MonitorError> {
    let rows: Vec<SampleId> = log.source_samples().collect();
    if rows.is_empty() {
        return Err(MonitorError::Empty);
    }
    let times = times_of(log, columns, &rows);
    let least = |of: &mut dyn Iterator<Item = Option<Moment>>| of.flatten().min();
    let named: Vec<Option<(Moment, String)>> = match cut {
        LogCut::Whole => {
            let first = least(&mut times.iter().copied());
            return Ok((vec![LogPiece { name: String::new(), rows, first }], Vec::new()));
        }
        LogCut::Day | LogCut::Week => {
            if times.iter().all(Option::is_none) {
                return Err(MonitorError::NoTimes);
            }
            let days = if *cut == LogCut::Day { 1 } else { 7 };
            // The first of January 1970 was a Thursday.
            let shift = if *cut == LogCut::Day { 0 } else { 3 };
            let start = |time: Moment| ((time.div_euclid(DAY) + shift).div_euclid(days) * days - shift) * DAY;
            times.iter().map(|time| time.map(|time| (start(time), day_words(start(time))))).collect()
        }
        LogCut::Column(name) => {
            let field = log.field(name).ok_or_else(|| MonitorError::NoColumn(name.clone()))?;
            let cell = |id: &SampleId| log.text(field, *id).filter(|cell| !cell.trim().is_empty());
            rows.iter().map(|id| cell(id).map(|cell| (0, cell.into_owned()))).collect()
        }
    };
    let mut all: BTreeMap<(Moment, String), Vec<usize>> = BTreeMap::new();
    let mut without: Vec<usize> = Vec::new();
    for (at, key) in named.into_iter().enumerate() {
        match key {
            Some(key) => all.entry(key).or_default().push(at),
            None => without.push(at),
        }
        if all.len() > MOST_BATCHES {
            return Err(MonitorError::TooMany(MOST_BATCHES));
        }
    }
    let mut notes = Vec::new();
    if !without.is_empty() {
        let what = if matches!(cut, LogCut::Column(_)) { "no value to cut by" } else { "no time that can be read" };
        notes.push(format!("{} of the log: {what}; they are a batch of their own", count_samples(without.len())));
    }
    let piece = |name: String, places: Vec<usize>| LogPiece {
        name,
        first: least(&mut places.iter().map(|at| times[*at])),
        rows: places.into_iter().map(|at| rows[at]).collect(),
    };
    let mut out: Vec<LogPiece> = all.into_iter().map(|((_, name), places)| piece(name, places)).collect();
    out.sort_by(|a, b| a.first.unwrap_or(Moment::MAX).cmp(&b.first.unwrap_or(Moment::MAX)).then(a.name.cmp(&b.name)));
    if !without.is_empty() {
        out.push(piece(NONE.to_owned(), without));
    }
    Ok((out, notes))
}
