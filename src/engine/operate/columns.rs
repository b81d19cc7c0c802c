//! A column made out of others by an expression, for every sample of a source.

use std::borrow::Cow;
use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::rewrite::widened;
use super::{OperationError, Planned};
use crate::data::{Dataset, Kind, Role, SampleId, Spelled, Times, count, count_samples, spelled, things};
use crate::edit::{Change, Edit, EditError};
use crate::job::Progress;
use crate::transform::{CellValue, Formula, FormulaRow};

/// A column, and the expression that says its cells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnOf {
    /// A new column, or one that is written over.
    pub into: String,
    pub formula: String,
}

/// What the columns of an expression are, beyond the row: worked out once.
struct ColumnsSeen<'d> {
    dataset: &'d Dataset,
    fields: HashMap<String, usize>,
    times: HashMap<String, Times>,
    commas: HashMap<String, Option<bool>>,
    /// By column: for each row the last one at or above that has a cell, plus one; 0 where none has.
    above: HashMap<String, Vec<u32>>,
}

/// Of a few samples that are looked at, what stands above is looked for so far.
const FAR: usize = 20_000;
/// So many cells of a column say how its numbers and times are written.
const SAMPLED: usize = 5_000;

impl<'d> ColumnsSeen<'d> {
    fn of(dataset: &'d Dataset, formula: &Formula, whole: bool) -> Result<Self, EditError> {
        let mut seen =
            Self { dataset, fields: HashMap::new(), times: HashMap::new(), commas: HashMap::new(), above: HashMap::new() };
        for name in formula.columns() {
            let field = dataset.field(name).ok_or_else(|| EditError::Refused(format!("there is no column {name:?}")))?;
            seen.fields.insert(name.clone(), field);
            let step = (dataset.extent() / SAMPLED).max(1);
            let cells: Vec<Cow<'_, str>> = dataset
                .source_samples()
                .step_by(step)
                .filter_map(|id| dataset.text(field, id))
                .filter(|text| !text.trim().is_empty())
                .collect();
            seen.times.insert(name.clone(), Times::of(cells.iter().map(AsRef::as_ref)));
            let of = |kind: Spelled| cells.iter().filter(|cell| spelled(cell.trim()) == kind).count();
            let (commas, points) = (of(Spelled::Comma), of(Spelled::Point));
            let told = match (dataset.fields()[field].kind, commas > points, points > commas) {
                (Kind::Comma, ..) | (_, true, _) => Some(true),
                (Kind::Number | Kind::Integer, ..) | (_, _, true) => Some(false),
                // `1.234` alone may be either: what it says by itself.
                _ => (of(Spelled::CommaOrGroup) + of(Spelled::PointOrGroup) == 0).then_some(false),
            };
            seen.commas.insert(name.clone(), told);
        }
        if !whole {
            return Ok(seen);
        }
        for name in formula.above() {
            let field = seen.fields[name];
            let (mut last, mut rows) = (0u32, vec![0u32; dataset.extent()]);
            let begins: Vec<usize> = dataset.base.sources.iter().map(|source| source.first).collect();
            for id in dataset.source_samples() {
                // What one source says last is nothing of the next.
                if begins.binary_search(&id.row()).is_ok() {
                    last = 0;
                }
                if dataset.text(field, id).is_some_and(|text| !text.trim().is_empty()) {
                    last = id.0 + 1;
                }
                rows[id.row()] = last;
            }
            seen.above.insert(name.clone(), rows);
        }
        Ok(seen)
    }
}

/// One row of them.
struct OneRow<'s, 'd> {
    seen: &'s ColumnsSeen<'d>,
    id: SampleId,
}

impl FormulaRow for OneRow<'_, '_> {
    fn cell(&self, column: &str) -> Option<Cow<'_, str>> {
        let field = *self.seen.fields.get(column)?;
        self.seen.dataset.text(field, self.id).filter(|text| !text.is_empty())
    }

    fn above(&self, column: &str) -> Option<Cow<'_, str>> {
        let (dataset, field) = (self.seen.dataset, *self.seen.fields.get(column)?);
        let Some(rows) = self.seen.above.get(column) else {
            let mut back = (0..=self.id.row()).rev().take(FAR).map(SampleId::at).filter(|id| !dataset.is_made(*id));
            return back.find_map(|id| dataset.text(field, id).filter(|text| !text.trim().is_empty()));
        };
        dataset.text(field, SampleId(rows.get(self.id.row())?.checked_sub(1)?))
    }

    fn times(&self, column: &str) -> Times {
        self.seen.times.get(column).copied().unwrap_or_else(|| Times::of(std::iter::empty()))
    }

    fn is_list(&self, column: &str) -> bool {
        self.seen.fields.get(column).is_some_and(|field| self.seen.dataset.fields()[*field].kind == Kind::List)
    }

    fn comma(&self, column: &str) -> Option<bool> {
        self.seen.commas.get(column).copied().flatten()
    }
}

/// What an expression says of some samples: a cell each, or why there is none.
///
/// # Errors
/// What is wrong with the expression, or that a column of it is not there.
pub fn column_preview(
    dataset: &Dataset,
    formula: &str,
    samples: &[SampleId],
) -> Result<Vec<Result<Option<String>, String>>, String> {
    let formula = Formula::new(formula).map_err(|error| error.to_string())?;
    let seen = ColumnsSeen::of(dataset, &formula, false).map_err(|error| error.to_string())?;
    Ok(samples.iter().map(|id| formula.of(&OneRow { seen: &seen, id: *id }).map(|value| value.written())).collect())
}

/// Plans the edit. Samples of which nothing can be worked out stay empty, and are counted.
///
/// # Errors
/// [`OperationError`].
pub fn plan_column(dataset: &Dataset, asked: &ColumnOf, progress: &Progress) -> Result<Planned, OperationError> {
    let into = asked.into.trim();
    if into.is_empty() {
        return Err(EditError::Refused("the column has no name".to_owned()).into());
    }
    let known = dataset.field(into);
    let formula = Formula::new(&asked.formula).map_err(|error| EditError::Refused(error.to_string()))?;
    let seen = ColumnsSeen::of(dataset, &formula, true)?;
    let ids: Vec<SampleId> = dataset.source_samples().collect();
    progress.set_total(ids.len() as u64);
    let said: Vec<Result<CellValue, String>> = ids
        .par_chunks(4_096)
        .map(|part| {
            progress.step(part.len() as u64)?;
            Ok(part.iter().map(|id| formula.of(&OneRow { seen: &seen, id: *id })).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, OperationError>>()?
        .into_iter()
        .flatten()
        .collect();
    let mut notes = Vec::new();
    let failed: Vec<(&SampleId, &String)> =
        ids.iter().zip(&said).filter_map(|(id, value)| value.as_ref().err().map(|why| (id, why))).collect();
    if let Some((id, why)) = failed.first() {
        if failed.len() == ids.len() {
            return Err(EditError::Refused(format!("of no sample anything comes out: {why} (sample {})", id.0)).into());
        }
        let n = things(failed.len(), "sample stays", "samples stay");
        let how = if known.is_some() { "as they are" } else { "empty" };
        notes.push(format!("{n} {how}, the first (sample {}) because {why}", count(id.row())));
    }
    let kind = kind_of(&said);
    // What cannot be worked out is no reason to take away what is there.
    let cells: Vec<(SampleId, Option<String>)> =
        ids.iter().zip(said).filter_map(|(id, value)| Some((*id, value.ok()?.written()))).collect();
    let words = format!("{} {into} out of {}", if known.is_some() { "Wrote" } else { "Made" }, asked.formula);
    if known.is_some() {
        let texts = || cells.iter().filter_map(|(_, text)| text.as_deref());
        let (wide, widening) = widened(dataset, into, texts());
        let change =
            Change::cells(wide.as_ref().unwrap_or(dataset), into, cells.iter().map(|(id, text)| (*id, text.as_deref())))?;
        let n = change.as_ref().map_or(0, |change| change.samples.len());
        notes.push(format!("{} changed", count_samples(n)));
        return Ok(Planned { edit: Edit::new(words, widening.into_iter().chain(change)), notes });
    }
    let role = if matches!(kind, Kind::Number | Kind::Integer) { Role::Number } else { Role::Other };
    let add = Change::add_column(dataset, into, kind, role)?;
    let texts = cells.iter().filter_map(|(id, text)| Some((*id, text.as_deref()?)));
    Ok(Planned { edit: Edit::new(words, [add, Change::fill(into, texts)]), notes })
}

/// What a column of these values is.
fn kind_of(values: &[Result<CellValue, String>]) -> Kind {
    let mut all = values.iter().flatten().filter(|value| !matches!(value, CellValue::Nothing)).peekable();
    let rest: Vec<&CellValue> = if all.peek().is_none() { return Kind::Text } else { all.collect() };
    let every = |fits: fn(&CellValue) -> bool| rest.iter().all(|value| fits(value));
    if every(|value| matches!(value, CellValue::Number(number) if number.fract() == 0.0 && number.abs() < 9e15)) {
        Kind::Integer
    } else if every(|value| matches!(value, CellValue::Number(_))) {
        Kind::Number
    } else if every(|value| matches!(value, CellValue::Yes(_))) {
        Kind::Boolean
    } else if every(|value| matches!(value, CellValue::List(_))) {
        Kind::List
    } else {
        Kind::Text
    }
}
