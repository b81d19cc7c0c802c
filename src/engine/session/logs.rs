//! Logs: read again from where they lie, and cut into the batches that are watched.

use super::parts::folder;
use crate::data::{Dataset, SampleId};
use crate::io::{self, Reading};
use crate::job::Progress;
use crate::monitor::{LogColumns, LogCut, MonitorError, WatchedBatch, pieces};

/// A batch, and its rows in the log.
pub type CutBatch = (WatchedBatch, Vec<SampleId>);

/// The batches that a log is cut into, each with its rows, under names that no other has; and what there is to say of them.
///
/// # Errors
/// [`MonitorError`].
pub fn log_batches(
    dataset: &Dataset,
    log: &Dataset,
    path: &str,
    columns: &LogColumns,
    cut: &LogCut,
) -> Result<(Vec<CutBatch>, Vec<String>), MonitorError> {
    let (found, notes) = pieces(log, columns, cut)?;
    let mut taken: Vec<String> = WatchedBatch::all(dataset).into_iter().map(|batch| batch.name).collect();
    let file = path.rsplit('/').next().unwrap_or(path).to_owned();
    let list = found.into_iter().map(|piece| {
        let own = match (&piece.name, cut) {
            (_, LogCut::Whole) => file.clone(),
            (name, LogCut::Column(column)) if name.is_empty() => format!("{column} (none)"),
            (name, _) if name.is_empty() => "no time".to_owned(),
            (name, LogCut::Week) => format!("week of {name}"),
            (name, LogCut::Column(column)) => format!("{column} {name}"),
            (name, _) => name.clone(),
        };
        let name = free_name(own, &taken);
        taken.push(name.clone());
        let batch = WatchedBatch {
            name,
            path: path.to_owned(),
            fingerprint: log.base.origin.halves(),
            reading: String::new(),
            columns: columns.clone(),
            cut: cut.clone(),
            piece: piece.name,
            rows: piece.rows.len() as u64,
            first: piece.first.map(|time| time.to_string()),
            came: 0,
        };
        (batch, piece.rows)
    });
    Ok((list.collect(), notes))
}

/// The name, or the first with a number behind it that none of `taken` has.
fn free_name(own: String, taken: &[String]) -> String {
    let mut name = own.clone();
    let mut n = 1;
    while taken.contains(&name) {
        n += 1;
        name = format!("{own} ({n})");
    }
    name
}

/// Reads the log of a batch that is watched again.
///
/// # Errors
/// In words: it is gone, cannot be read, or is another than it was.
pub fn log_of(dataset: &Dataset, batch: &WatchedBatch, progress: &Progress) -> Result<Dataset, String> {
    let path = folder(dataset).join(&batch.path);
    if !path.exists() {
        return Err(format!("{} is not there any more", batch.path));
    }
    let reading: Reading = serde_json::from_str(&batch.reading).unwrap_or_default();
    let log = io::open(&path, &reading, progress, &|_| {}).map_err(|error| error.to_string())?;
    if log.base.origin.halves() != batch.fingerprint {
        return Err(format!("{} is another file than it was", batch.path));
    }
    Ok(log)
}

/// The rows of a log that are a batch.
///
/// # Errors
/// In words: it is cut otherwise now.
pub fn rows_of(log: &Dataset, batch: &WatchedBatch) -> Result<Vec<SampleId>, String> {
    let (found, _) = pieces(log, &batch.columns, &batch.cut).map_err(|error| error.to_string())?;
    let piece = found.into_iter().find(|piece| piece.name == batch.piece);
    Ok(piece.ok_or_else(|| format!("{} has no {} any more", batch.path, batch.piece))?.rows)
}
