//! Operations that rewrite the texts of a column: replacing and repairing.

use std::borrow::Cow;

use rayon::prelude::*;

use super::{OperationError, Planned};
use crate::data::{Dataset, Kind, SampleId, count_samples};
use crate::edit::{Change, Edit, EditError};
use crate::job::Progress;
use crate::transform::{Replace, Replaced, rewritten};
use crate::writing::Repair;

/// Replaces what is found in a column.
///
/// # Errors
/// [`OperationError`].
pub fn replace(
    dataset: &Dataset,
    samples: &[SampleId],
    column: &str,
    what: &Replace,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    let replacer = what.compile().map_err(EditError::Refused)?;
    let words = |n: usize| {
        format!("Replaced “{}” by “{}” in {column} of {}", shortened(&what.find), shortened(&what.with), count_samples(n))
    };
    rewrite(dataset, samples, column, &|text| replacer.text(text), &words, progress)
}

/// Repairs the texts of a column.
///
/// # Errors
/// [`OperationError`].
pub fn repair_texts(
    dataset: &Dataset,
    samples: &[SampleId],
    column: &str,
    repair: Repair,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    let words = |n: usize| format!("{} in {column}: {}", repair.title(), count_samples(n));
    rewrite(dataset, samples, column, &|text| repair.repaired(text), &words, progress)
}

fn rewrite(
    dataset: &Dataset,
    samples: &[SampleId],
    column: &str,
    change: &(dyn for<'t> Fn(&'t str) -> Cow<'t, str> + Sync),
    words: &dyn Fn(usize) -> String,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    let field = dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
    progress.set_total(samples.len() as u64);
    let found: Vec<(SampleId, Replaced)> = samples
        .par_chunks(4_096)
        .map(|part| {
            progress.step(part.len() as u64)?;
            let of = |id: &SampleId| (*id, rewritten(dataset, field, *id, change));
            Ok(part.iter().map(of).filter(|(_, cell)| *cell != Replaced::Same).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, OperationError>>()?
        .concat();
    let broken = found.iter().filter(|(_, cell)| *cell == Replaced::Broken).count();
    let cells: Vec<(SampleId, &str)> = found
        .iter()
        .filter_map(|(id, cell)| match cell {
            Replaced::New(text) => Some((*id, text.as_str())),
            Replaced::Same | Replaced::Broken => None,
        })
        .collect();
    let (widened, widening) = widened(dataset, column, cells.iter().map(|(_, text)| *text));
    let on = widened.as_ref().unwrap_or(dataset);
    let change = Change::cells(on, column, cells.iter().map(|(id, text)| (*id, Some(*text))))?;
    let n = change.as_ref().map_or(0, |change| change.samples.len());
    let notes = if broken > 0 {
        vec![format!("{} stay as they are: they would be no JSON any more", count_samples(broken))]
    } else {
        Vec::new()
    };
    let edit = if change.is_some() { Edit::new(words(n), widening.into_iter().chain(change)) } else { None };
    Ok(Planned { edit, notes })
}

/// A label of numbers or truth values that is to get a class of letters is one of texts from then on: the same edit says so.
pub fn widened<'t>(
    dataset: &Dataset,
    column: &str,
    texts: impl IntoIterator<Item = &'t str>,
) -> (Option<Dataset>, Option<Change>) {
    let Some(field) = dataset.field(column) else { return (None, None) };
    let of = &dataset.fields()[field];
    let scalar = of.role.is_label() && (of.kind.is_numeric() || of.kind == Kind::Boolean);
    let typed = of.source.is_some_and(|source| dataset.base.columns[source].native_type().is_some());
    if !scalar || typed || texts.into_iter().all(|text| of.kind.accepts(text)) {
        return (None, None);
    }
    let mut wide = dataset.clone();
    wide.set_kind(field, Kind::Text);
    (Some(wide), Change::kind(dataset, column, Kind::Text).ok().flatten())
}

/// The beginning of a text, for the words of an edit.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
