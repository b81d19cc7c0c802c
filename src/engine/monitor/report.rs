//! A batch against the dataset, all columns of both.

use serde::Serialize;

use super::columns::{ColumnDrift, DriftVerdict, drift_of, read};
use super::fault::MonitorError;
use super::texts::drift_of_texts;
use crate::data::{Dataset, Role, SampleId, count, count_samples};
use crate::job::Progress;
use crate::learn::drift::false_discoveries;

/// What a batch is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Against {
    /// The train part, where a column says parts; else all samples.
    #[default]
    Train,
    All,
}

/// What a batch comes to.
#[derive(Debug, Clone)]
pub struct BatchReport {
    /// Samples of the dataset that it was held against, and rows of the batch.
    pub rows: (usize, usize),
    /// Those that moved first, then by p.
    pub columns: Vec<ColumnDrift>,
    /// Columns that were not compared, and why.
    pub left: Vec<(String, String)>,
    pub notes: Vec<String>,
}

/// Looks at a batch.
///
/// # Errors
/// [`MonitorError`]: nothing to compare, or stopped.
pub fn batch_report(
    dataset: &Dataset,
    batch: &Dataset,
    against: Against,
    seed: u64,
    progress: &Progress,
) -> Result<BatchReport, MonitorError> {
    let mut notes = Vec::new();
    let reference = reference(dataset, against, &mut notes);
    let rows: Vec<SampleId> = batch.samples().filter(|id| !batch.is_excluded(*id)).collect();
    if rows.is_empty() {
        return Err(MonitorError::Empty);
    }
    if reference.is_empty() {
        return Err(MonitorError::NoReference);
    }
    let (mut columns, mut left): (Vec<ColumnDrift>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    let mut shared = 0;
    for (field, of) in dataset.fields().iter().enumerate() {
        progress.check()?;
        let name = of.name.to_string();
        let Some(other) = batch.field(&name) else {
            left.push((name, "the batch does not have it".to_owned()));
            continue;
        };
        shared += 1;
        if of.role == Role::Text {
            match drift_of_texts(&name, [(dataset, &reference), (batch, &rows)], seed, progress)? {
                Some(found) => columns.push(found),
                None => left.push((name, "one of the two has fewer than 20 texts".to_owned())),
            }
            continue;
        }
        let (values, missing) = read([(dataset, field, &reference), (batch, other, &rows)]);
        match values {
            super::columns::Read::Not(why) => left.push((name, why.to_owned())),
            values => match drift_of(&name, values, missing) {
                Some(found) => columns.push(found),
                None => left.push((name, "one of the two has no value of it".to_owned())),
            },
        }
    }
    if shared == 0 {
        let names: Vec<String> = batch.fields().iter().take(8).map(|field| field.name.to_string()).collect();
        return Err(MonitorError::NoColumns(names.join(", ")));
    }
    for field in batch.fields().iter().filter(|field| dataset.field(&field.name).is_none()) {
        left.push((field.name.to_string(), "the dataset does not have it".to_owned()));
    }
    // Everything that was asked is corrected together: a wide table cries wolf no more often than a narrow one.
    // Where nothing is missing and nothing is new there was nothing to ask.
    let asked: Vec<(usize, usize, f64)> = columns
        .iter()
        .enumerate()
        .flat_map(|(at, one)| [one.p, one.missing_p, one.new_p].into_iter().enumerate().map(move |(test, p)| (at, test, p)))
        .filter(|(_, test, p)| *test == 0 || *p < 1.0)
        .collect();
    let p: Vec<f64> = asked.iter().map(|one| one.2).collect();
    for ((at, test, _), p) in asked.iter().zip(false_discoveries(&p)) {
        columns[*at].corrected[*test] = p;
    }
    columns.iter_mut().for_each(ColumnDrift::decide);
    columns.sort_by(|a, b| {
        let order = |one: &ColumnDrift| match one.verdict {
            DriftVerdict::Moved => 0,
            DriftVerdict::Steady | DriftVerdict::TooFew => 1,
        };
        let least = |one: &ColumnDrift| one.corrected.iter().copied().fold(1.0, f64::min);
        order(a).cmp(&order(b)).then(least(a).total_cmp(&least(b))).then(a.column.cmp(&b.column))
    });
    Ok(BatchReport { rows: (reference.len(), rows.len()), columns, left, notes })
}

/// The samples that a batch is held against.
fn reference(dataset: &Dataset, against: Against, notes: &mut Vec<String>) -> Vec<SampleId> {
    let all: Vec<SampleId> = dataset.source_samples().filter(|id| !dataset.is_excluded(*id)).collect();
    let split = dataset.with_role(|role| role == Role::Split).filter(|_| against == Against::Train);
    let Some(field) = split else { return all };
    let is_train = |id: &SampleId| {
        dataset.text(field, *id).is_some_and(|text| matches!(text.trim().to_lowercase().as_str(), "train" | "training"))
    };
    let train: Vec<SampleId> = all.iter().copied().filter(is_train).collect();
    if train.is_empty() {
        notes.push("no part is called train: the batch is held against all samples".to_owned());
        return all;
    }
    train
}

impl BatchReport {
    /// The columns that moved.
    pub fn moved(&self) -> impl Iterator<Item = &ColumnDrift> {
        self.columns.iter().filter(|one| one.verdict == DriftVerdict::Moved)
    }

    /// What it comes to, in one sentence.
    pub fn words(&self) -> String {
        let moved: Vec<&str> = self.moved().map(|one| one.column.as_str()).collect();
        let few = self.columns.iter().filter(|one| one.verdict == DriftVerdict::TooFew).count();
        let sizes = format!("{} against {}", count_samples(self.rows.1), count(self.rows.0));
        match (moved.len(), few) {
            (0, 0) => format!("{sizes}: nothing moved"),
            (0, few) if few == self.columns.len() => format!("{sizes}: too few to tell"),
            (0, few) => format!("{sizes}: nothing moved, as far as so few say ({few} of {} columns)", self.columns.len()),
            (n, _) => format!("{sizes}: {n} of {} columns moved: {}", self.columns.len(), moved.join(", ")),
        }
    }
}
