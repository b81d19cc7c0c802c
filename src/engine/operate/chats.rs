//! Operations that mend chats for a trainer: a fault of their form, or their length.

use rayon::prelude::*;
use serde::Serialize as _;
use serde_json::Value as Json;

use super::{OperationError, Planned};
use crate::data::{Batch, Dataset, Method, SampleId, count, count_samples};
use crate::edit::{Change, Edit, EditError};
use crate::eye::{TrainerRows, TrainerTarget, rows_of};
use crate::io::ChatModel;
use crate::job::{Cancelled, Progress};
use crate::trainers::repair::{ChatRepair, split_chat};
use crate::trainers::rows::RowVerdict;

/// A chat as a cell has it.
fn parsed(text: &str) -> Option<Vec<Json>> {
    serde_json::from_str(text).ok()
}

/// Writes JSON with a blank behind every comma and colon.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

/// A chat as a cell is to have it: with blanks behind its commas where it had them.
fn written(turns: Vec<Json>, like: &str) -> String {
    let whole = Json::Array(turns);
    if !like.contains("\": ") {
        return whole.to_string();
    }
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    match whole.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => whole.to_string(),
    }
}

/// Mends the chats of a column.
///
/// # Errors
/// [`OperationError`].
pub fn repair_chats(
    dataset: &Dataset,
    samples: &[SampleId],
    column: &str,
    repair: ChatRepair,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    let field = dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
    progress.set_total(samples.len() as u64);
    let cells: Vec<(SampleId, String)> = samples
        .par_chunks(1_024)
        .map(|part| {
            progress.step(part.len() as u64)?;
            let mended = |id: &SampleId| {
                let text = dataset.text(field, *id)?;
                let turns = repair.mended(&parsed(&text)?)?;
                Some((*id, written(turns, &text)))
            };
            Ok(part.iter().filter_map(mended).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, Cancelled>>()?
        .concat();
    let change = Change::cells(dataset, column, cells.iter().map(|(id, text)| (*id, Some(text.as_str()))))?;
    let words = format!("{} in {column}: {}", repair.title(), count_samples(cells.len()));
    Ok(Planned { edit: Edit::new(words, change), notes: Vec::new() })
}

/// Which column holds the chats, which member of a row it is, and the rows that it is of.
struct Chats {
    column: usize,
    member: &'static str,
    rows: TrainerRows,
}

/// The parts of a chat that is too long for a trainer: the first, and the others.
fn divided(
    dataset: &Dataset,
    chats: &Chats,
    target: &TrainerTarget,
    model: &ChatModel,
    id: SampleId,
) -> Option<(String, Vec<String>)> {
    let text = dataset.text(chats.column, id)?;
    let turns = parsed(&text)?;
    let row = chats.rows.row(dataset, id);
    let unlimited = TrainerTarget { length: usize::MAX >> 2, ..target.clone() };
    let whole = |turns: &[Json]| {
        let mut row = row.clone();
        row.insert(chats.member.to_owned(), Json::Array(turns.to_vec()));
        match unlimited.verdict(model, chats.rows.form, &row) {
            RowVerdict::Kept { whole, .. } => Some(whole),
            _ => None,
        }
    };
    // What the trainer does not read at all has no length.
    whole(&turns)?;
    let parts = split_chat(&turns, &|turns| whole(turns).is_some_and(|n| n <= target.length))?;
    let mut parts = parts.into_iter().map(|part| written(part, &text));
    Some((parts.next()?, parts.collect()))
}

/// Cuts chats that are too long for a trainer before a question: the first part stays where the chat was, the others are new samples.
///
/// # Errors
/// [`OperationError`].
pub fn split_chats(
    dataset: &Dataset,
    samples: &[SampleId],
    column: &str,
    target: &TrainerTarget,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    let field = dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
    let model = target.open().map_err(|error| EditError::Refused(error.to_string()))?;
    let rows = rows_of(dataset, target.trainer);
    let found = rows.and_then(|rows| {
        let member = rows.fields.iter().find(|(known, _)| *known == field).map(|(_, member)| *member)?;
        Some(Chats { column: field, member, rows })
    });
    let chats = found
        .ok_or_else(|| EditError::Refused(format!("{column} is no column that {} learns from", target.trainer.entry().title)))?;
    let source = dataset.rows() - dataset.made();
    let (own, made): (Vec<SampleId>, Vec<SampleId>) = samples.iter().partition(|id| id.row() < source);
    progress.set_total(own.len() as u64);
    let found: Vec<(SampleId, String, Vec<String>)> = own
        .par_chunks(32)
        .map(|part| {
            progress.step(part.len() as u64)?;
            let of = |id: &SampleId| divided(dataset, &chats, target, &model, *id).map(|(first, rest)| (*id, first, rest));
            Ok(part.iter().filter_map(of).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, Cancelled>>()?
        .concat();
    let mut notes = Vec::new();
    if !made.is_empty() {
        notes.push(format!("{} stay whole: they were made of others", count_samples(made.len())));
    }
    let parents: Vec<SampleId> = found.iter().flat_map(|(id, _, rest)| rest.iter().map(|_| *id)).collect();
    if parents.is_empty() {
        return Ok(Planned { edit: None, notes });
    }
    let draws = (0..parents.len() as u64).collect();
    let batch = Batch {
        first: SampleId::at(dataset.rows()),
        method: Method::Divided,
        seed: 0,
        parents,
        others: Vec::new(),
        draws,
        risks: Vec::new(),
        distances: Vec::new(),
    };
    let mut planned = dataset.clone();
    let mut changes = vec![Change::made(&planned, batch.clone())?];
    planned.add_made(batch.clone());
    let firsts = found.iter().map(|(id, first, _)| (*id, Some(first.as_str())));
    let rest = batch.ids().zip(found.iter().flat_map(|(_, _, rest)| rest)).map(|(id, text)| (id, Some(text.as_str())));
    changes.extend(Change::cells(&planned, column, firsts.chain(rest))?);
    let words =
        format!("Cut {} into {} at {}", count_samples(found.len()), count(found.len() + batch.len()), count(target.length));
    Ok(Planned { edit: Edit::new(words, changes), notes })
}
