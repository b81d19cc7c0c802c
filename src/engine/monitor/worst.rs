//! The worst slices of a batch: its columns as conditions.

use std::collections::HashMap;

use super::fault::MonitorError;
use super::log::{BatchRows, LogSaid};
use super::performance::right;
use crate::data::{Dataset, Kind, Property, Role, SampleId};
use crate::job::Progress;
use crate::learn::significance::quantile;
use crate::learn::slices::{NO_VALUE, SliceColumn, WorstSlice, is_in, slices, telling_slices};
use crate::writing::tongue_of;

/// The least rows of a slice, and the least share of all.
const LEAST: usize = 30;
const LEAST_SHARE: f64 = 0.001;
/// More values than this are not conditions as they stand: numbers and texts go by quarters, of size and of length.
const MOST_VALUES: usize = 24;
/// The most columns that are searched; those with fewer values first.
const MOST_COLUMNS: usize = 24;
const MOST_SHOWN: usize = 20;
/// How sure a language must be.
const TONGUE: f64 = 0.6;

/// What rows of a slice are worse at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorseBy {
    /// More of them are wrong.
    Wrong,
    /// Of no row is known what is true: the model is less than half sure of more of them.
    Unsure,
}

/// A slice of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchSlice {
    /// Its conditions, in words: `channel = app and region = north`.
    pub name: String,
    /// Column and value of each.
    pub conditions: Vec<(String, String)>,
    pub found: WorstSlice,
    /// Its rows.
    pub rows: Vec<SampleId>,
}

/// The worst slices of a batch, and what they are worse at; none where the log has no column to cut by, or nothing is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorstSlices {
    pub by: WorseBy,
    pub list: Vec<BatchSlice>,
    /// How many conjunctions were looked at, of how many rows, and over which columns.
    pub searched: usize,
    pub rows: usize,
    pub columns: Vec<String>,
}

/// Looks for the worst slices.
///
/// # Errors
/// [`MonitorError::Cancelled`].
pub fn worst_slices(batch: BatchRows<'_>, said: &LogSaid, progress: &Progress) -> Result<Option<WorstSlices>, MonitorError> {
    let [_, sure, _] = said.has();
    let known: Vec<(usize, bool)> = (0..batch.rows.len()).filter_map(|row| Some((row, !right(said, row)?))).collect();
    let (by, rows) = if known.len() >= 2 * LEAST {
        (WorseBy::Wrong, known)
    } else if sure {
        let unsure = |row: usize| said.sure[row].is_finite().then_some((row, said.sure[row] < 0.5));
        (WorseBy::Unsure, (0..batch.rows.len()).filter_map(unsure).collect())
    } else {
        return Ok(None);
    };
    let ids: Vec<SampleId> = rows.iter().map(|(row, _)| batch.rows[*row]).collect();
    let wrong: Vec<bool> = rows.iter().map(|(_, wrong)| *wrong).collect();
    let mut conditions = conditions(batch, &ids, progress)?;
    if said.said.iter().any(Option::is_some) {
        let name = |(row, _): &(usize, bool)| said.said[*row].map(|class| said.classes[class as usize].clone());
        conditions.extend(condition(PREDICTION, rows.iter().map(name).collect(), MOST_VALUES * 8));
    }
    conditions.sort_by_key(|condition| condition.values.len());
    conditions.truncate(MOST_COLUMNS);
    if conditions.is_empty() {
        return Ok(None);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let least = LEAST.max((ids.len() as f64 * LEAST_SHARE) as usize);
    let (columns, names): (Vec<SliceColumn>, Vec<(String, Vec<String>)>) = conditions
        .into_iter()
        .map(|own| (SliceColumn { codes: own.codes, values: own.values.len() }, (own.column, own.values)))
        .unzip();
    let all = slices(&columns, &wrong, None, least, progress)?;
    let searched = all.len();
    let shown = telling_slices(&columns, &wrong, all, MOST_SHOWN);
    let list = shown
        .into_iter()
        .map(|found| {
            let conditions: Vec<(String, String)> = found
                .of
                .iter()
                .map(|(column, value)| (names[*column].0.clone(), names[*column].1[*value as usize].clone()))
                .collect();
            let words: Vec<String> = conditions.iter().map(|(column, value)| format!("{column} = {value}")).collect();
            let rows = (0..ids.len()).filter(|row| is_in(&columns, &found.of, *row)).map(|row| ids[row]).collect();
            BatchSlice { name: words.join(" and "), conditions, found, rows }
        })
        .collect();
    let columns = names.into_iter().map(|(name, _)| name).collect();
    Ok(Some(WorstSlices { by, list, searched, rows: ids.len(), columns }))
}

/// A slice that somebody looks at in every batch, as a project keeps it: its name, and its conditions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeptSlice {
    pub name: String,
    pub conditions: Vec<(String, String)>,
}

impl KeptSlice {
    /// Those of a dataset.
    pub fn all(dataset: &Dataset) -> Vec<Self> {
        let read = |(of, json): (&[String], &str)| {
            Some(Self { name: of.first()?.clone(), conditions: serde_json::from_str(json).ok()? })
        };
        dataset.properties().all(Property::LogSlice).filter_map(read).collect()
    }
}

/// What a slice that is looked at comes to in a batch: its rows, those whose truth is known, and how many of these are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceSeen {
    pub name: String,
    pub rows: usize,
    pub known: usize,
    pub wrong: usize,
}

/// What slices that are looked at come to in a batch.
pub fn kept_slices(batch: BatchRows<'_>, said: &LogSaid, list: &[KeptSlice]) -> Vec<SliceSeen> {
    list.iter()
        .map(|slice| {
            let mut seen = SliceSeen { name: slice.name.clone(), rows: 0, known: 0, wrong: 0 };
            for at in (0..batch.rows.len()).filter(|at| slice.conditions.iter().all(|of| holds(batch, said, *at, of))) {
                seen.rows += 1;
                if let Some(right) = right(said, at) {
                    seen.known += 1;
                    seen.wrong += usize::from(!right);
                }
            }
            seen
        })
        .collect()
}

/// Whether a condition holds of a row: quarters keep the borders that they had when the slice was found.
fn holds(batch: BatchRows<'_>, said: &LogSaid, at: usize, (column, value): &(String, String)) -> bool {
    let log = batch.dataset;
    let text = || {
        let field = log.field(batch.columns.text.as_deref()?)?;
        log.text(field, batch.rows[at])
    };
    match column.as_str() {
        PREDICTION => return said.said[at].is_some_and(|class| said.classes[class as usize] == *value),
        LANGUAGE => {
            let found = text().and_then(|text| tongue_of(&text));
            return found.is_some_and(|(tongue, sure)| sure >= TONGUE && tongue.name() == value);
        }
        LENGTH => return text().is_some_and(|text| is_within(text.chars().count() as f64, value)),
        _ => {}
    }
    let Some(field) = log.field(column) else { return false };
    log.text(field, batch.rows[at]).is_some_and(|cell| cell.trim() == value)
        || log.number(field, batch.rows[at]).is_some_and(|number| is_within(number, value))
}

/// Whether a number is in a quarter: `up to 12`, `12 to 20`, `over 20`, what stands behind the number left aside.
fn is_within(number: f64, quarter: &str) -> bool {
    let read = |text: &str| text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    if let Some(most) = quarter.strip_prefix("up to ").and_then(read) {
        return number <= most;
    }
    if let Some(least) = quarter.strip_prefix("over ").and_then(read) {
        return number > least;
    }
    let Some((least, most)) = quarter.split_once(" to ").and_then(|(least, most)| Some((read(least)?, read(most)?))) else {
        return false;
    };
    number > least && number <= most
}

/// What conditions are called that are no columns of the log.
const PREDICTION: &str = "prediction";
const LENGTH: &str = "text length";
const LANGUAGE: &str = "language";

/// A column as conditions.
struct Condition {
    column: String,
    values: Vec<String>,
    codes: Vec<u32>,
}

/// Values as codes; `None` where there are too many, or one alone.
fn condition(column: &str, cells: Vec<Option<String>>, most: usize) -> Option<Condition> {
    let mut places: HashMap<String, u32> = HashMap::new();
    let mut values: Vec<String> = Vec::new();
    let mut codes = Vec::with_capacity(cells.len());
    for cell in cells {
        let Some(cell) = cell else {
            codes.push(NO_VALUE);
            continue;
        };
        let next = values.len() as u32;
        let code = *places.entry(cell).or_insert_with_key(|cell| {
            values.push(cell.clone());
            next
        });
        if values.len() > most {
            return None;
        }
        codes.push(code);
    }
    (values.len() > 1).then(|| Condition { column: column.to_owned(), values, codes })
}

fn conditions(batch: BatchRows<'_>, ids: &[SampleId], progress: &Progress) -> Result<Vec<Condition>, MonitorError> {
    let log = batch.dataset;
    let taken = batch.columns.named();
    let mut out = Vec::new();
    for (field, of) in log.fields().iter().enumerate() {
        progress.check()?;
        if taken.contains(&*of.name) || matches!(of.role, Role::Id | Role::Split | Role::Time | Role::Messages | Role::Image) {
            continue;
        }
        let cell = |id: &SampleId| log.text(field, *id).map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty());
        let plain = condition(&of.name, ids.iter().map(cell).collect(), MOST_VALUES);
        let number = matches!(of.kind, Kind::Integer | Kind::Number | Kind::Comma);
        out.extend(match plain {
            Some(plain) => Some(plain),
            None if number => quarters(&of.name, &ids.iter().map(|id| log.number(field, *id)).collect::<Vec<_>>(), ""),
            None => None,
        });
    }
    if let Some(field) = batch.columns.text.as_deref().and_then(|name| log.field(name)) {
        let letters = |id: &SampleId| log.text(field, *id).map(|text| text.chars().count() as f64);
        out.extend(quarters(LENGTH, &ids.iter().map(letters).collect::<Vec<_>>(), " letters"));
        progress.check()?;
        out.extend(condition(LANGUAGE, languages(log, field, ids), MOST_VALUES));
    }
    Ok(out)
}

fn languages(log: &Dataset, field: usize, ids: &[SampleId]) -> Vec<Option<String>> {
    use rayon::prelude::*;
    let one = |id: &SampleId| {
        let text = log.text(field, *id)?;
        let (tongue, sure) = tongue_of(&text)?;
        (sure >= TONGUE).then(|| tongue.name().to_owned())
    };
    ids.par_iter().map(one).collect()
}

/// Numbers by their quarters.
fn quarters(column: &str, sizes: &[Option<f64>], unit: &str) -> Option<Condition> {
    let mut sorted: Vec<f64> = sizes.iter().copied().flatten().filter(|size| size.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.first()?, sorted.last()?);
    if low >= high {
        return None;
    }
    let cuts = [0.25, 0.5, 0.75].map(|part| quantile(&sorted, part));
    let digits = match cuts[2] - cuts[0] {
        apart if apart >= 20.0 => 0,
        apart if apart >= 0.2 => 2,
        _ => 4,
    };
    let named = |size: f64| match cuts.iter().position(|cut| size <= *cut) {
        Some(0) => format!("up to {:.digits$}{unit}", cuts[0]),
        Some(at) => format!("{:.digits$} to {:.digits$}{unit}", cuts[at - 1], cuts[at]),
        None => format!("over {:.digits$}{unit}", cuts[2]),
    };
    condition(column, sizes.iter().map(|size| size.filter(|size| size.is_finite()).map(named)).collect(), 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_holds_what_it_says() {
        for (number, quarter, is) in [
            (12.0, "up to 12", true),
            (12.5, "up to 12 letters", false),
            (12.5, "12 to 20 letters", true),
            (12.0, "12 to 20", false),
            (20.1, "over 20.05", true),
            (1.0, "card", false),
        ] {
            assert_eq!(is_within(number, quarter), is, "{number} {quarter}");
        }
    }
}
