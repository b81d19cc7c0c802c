//! A batch against the dataset, all columns of both.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::columns::{ColumnDrift, DriftVerdict, Read, drift_of, read};
use super::fault::MonitorError;
use super::log::{BatchRows, LogColumns, LogSaid};
use super::texts::drift_of_texts;
use super::watched::waiting;
use crate::data::{Dataset, Role, SampleId, count, things};
use crate::job::Progress;
use crate::learn::drift::false_discoveries;

/// What a batch is held against.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Against {
    /// The train part, where a column says parts; else all samples.
    #[default]
    Train,
    All,
    /// Another batch, by name.
    Batch(String),
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

/// A batch, and what it is held against: rows, and what was said of them.
#[derive(Clone, Copy)]
pub struct Held<'h> {
    pub before: BatchRows<'h>,
    pub past: &'h LogSaid,
    pub batch: BatchRows<'h>,
    pub said: &'h LogSaid,
}

/// What the predictions are called among the columns, and how sure they are.
const PREDICTION: &str = "prediction";
const SURE: &str = "how sure";

/// Looks at a batch.
///
/// # Errors
/// [`MonitorError`]: nothing to compare, or stopped.
pub fn batch_report(held: Held<'_>, seed: u64, progress: &Progress) -> Result<BatchReport, MonitorError> {
    let Held { before, batch, .. } = held;
    if batch.rows.is_empty() {
        return Err(MonitorError::Empty);
    }
    if before.rows.is_empty() {
        return Err(MonitorError::NoReference);
    }
    let mut out = BatchReport {
        rows: (before.rows.len(), batch.rows.len()),
        columns: Vec::new(),
        left: Vec::new(),
        notes: held.said.notes.clone(),
    };
    let mut met: HashSet<String> = HashSet::new();
    for field in 0..before.dataset.fields().len() {
        progress.check()?;
        let name = before.dataset.fields()[field].name.to_string();
        if is_said(before.columns, &name) {
            continue;
        }
        let Some(other) = counterpart(before, &name, batch) else {
            out.left.push((name, "the batch does not have it".to_owned()));
            continue;
        };
        met.insert(batch.dataset.fields()[other].name.to_string());
        look(&mut out, (before, field), (batch, other), seed, progress)?;
    }
    let own = batch.dataset.fields().iter().map(|field| field.name.to_string());
    let rest: Vec<String> = own.filter(|name| !met.contains(name) && !is_said(batch.columns, name)).collect();
    if met.is_empty() && !held.said.has()[0] {
        return Err(MonitorError::NoColumns(rest.into_iter().take(8).collect::<Vec<_>>().join(", ")));
    }
    out.left.extend(rest.into_iter().map(|name| (name, "the dataset does not have it".to_owned())));
    said(&mut out, held);
    correct(&mut out.columns);
    Ok(out)
}

/// Whether a column is what a model said: that is compared by itself.
fn is_said(columns: &LogColumns, name: &str) -> bool {
    [&columns.prediction, &columns.probability].into_iter().flatten().any(|own| own == name)
        || columns.probabilities.iter().any(|(_, own)| own == name)
}

/// The column of the batch that is what a column is there: by what it means, else by its name.
fn counterpart(before: BatchRows<'_>, name: &str, batch: BatchRows<'_>) -> Option<usize> {
    let meant = [
        (&before.columns.text, &batch.columns.text),
        (&before.columns.truth, &batch.columns.truth),
        (&before.columns.time, &batch.columns.time),
        (&before.columns.id, &batch.columns.id),
    ];
    let meant = meant.into_iter().find(|(own, _)| own.as_deref() == Some(name)).and_then(|(_, other)| other.as_deref());
    batch.dataset.field(meant.unwrap_or(name)).filter(|at| !is_said(batch.columns, &batch.dataset.fields()[*at].name))
}

/// One column of both.
fn look(
    out: &mut BatchReport,
    (before, field): (BatchRows<'_>, usize),
    (batch, other): (BatchRows<'_>, usize),
    seed: u64,
    progress: &Progress,
) -> Result<(), MonitorError> {
    let of = &before.dataset.fields()[field];
    let name = of.name.to_string();
    let is_text = of.role == Role::Text || before.columns.text.as_deref() == Some(&*name) && of.role == Role::Other;
    if is_text {
        let sides = [(before.dataset, field, before.rows), (batch.dataset, other, batch.rows)];
        match drift_of_texts(&name, sides, seed, progress)? {
            Some(found) => out.columns.push(found),
            None => out.left.push((name, "one of the two has fewer than 20 texts".to_owned())),
        }
        return Ok(());
    }
    let truth = before.columns.truth.as_deref() == Some(&*name);
    let known = |batch: BatchRows<'_>, field: usize| -> Vec<SampleId> {
        // A truth that is not known yet is no class that is missing.
        let has = |id: &&SampleId| batch.dataset.text(field, **id).is_some_and(|cell| !cell.trim().is_empty());
        if truth { batch.rows.iter().filter(has).copied().collect() } else { batch.rows.to_vec() }
    };
    let rows = [known(before, field), known(batch, other)];
    let (values, missing) = read([(before.dataset, field, &rows[0]), (batch.dataset, other, &rows[1])]);
    match values {
        Read::Not(why) => out.left.push((name, why.to_owned())),
        values => match drift_of(&name, values, missing) {
            Some(found) => out.columns.push(found),
            None if truth => out.left.push((name, "no truth of the batch is known yet".to_owned())),
            None => out.left.push((name, "one of the two has no value of it".to_owned())),
        },
    }
    Ok(())
}

/// What the model said, against what it said before.
fn said(out: &mut BatchReport, held: Held<'_>) {
    let ([now, now_sure, _], [then, then_sure, _]) = (held.said.has(), held.past.has());
    if now && then {
        let count = |of: &LogSaid| {
            let mut counts: HashMap<String, usize> = HashMap::new();
            of.said.iter().flatten().for_each(|class| *counts.entry(of.classes[*class as usize].clone()).or_default() += 1);
            counts
        };
        let missing = [held.past, held.said].map(|of| of.said.iter().filter(|said| said.is_none()).count());
        out.columns.extend(drift_of(PREDICTION, Read::Classes([count(held.past), count(held.said)]), missing));
    } else if now {
        out.left.push((
            PREDICTION.to_owned(),
            "what is usual of it is not known: teach a run, or bring in what the model said before".to_owned(),
        ));
    }
    if now_sure && then_sure {
        let sure = |of: &LogSaid| of.sure.iter().copied().filter(|p| p.is_finite()).collect::<Vec<f64>>();
        out.columns.extend(drift_of(SURE, Read::Numbers([sure(held.past), sure(held.said)]), [0; 2]));
    }
}

/// Everything that was asked is corrected together: a wide table cries wolf no more often than a narrow one.
fn correct(columns: &mut [ColumnDrift]) {
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
}

/// The samples that a batch is held against, and what there is to say of that.
pub fn reference_rows(dataset: &Dataset, against: &Against, notes: &mut Vec<String>) -> Vec<SampleId> {
    let waits = waiting(dataset);
    let counts = |id: &SampleId| !dataset.is_excluded(*id) && waits.is_none_or(|waits| !waits.contains(*id));
    let all: Vec<SampleId> = dataset.source_samples().filter(counts).collect();
    let split = dataset.with_role(|role| role == Role::Split).filter(|_| *against == Against::Train);
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
    /// Leaves a column out, and corrects the others without it.
    pub fn leave(&mut self, name: &str, why: &str) {
        let before = self.columns.len();
        self.columns.retain(|one| one.column != name);
        if self.columns.len() < before {
            self.left.push((name.to_owned(), why.to_owned()));
            correct(&mut self.columns);
        }
    }

    /// The columns that moved.
    pub fn moved(&self) -> impl Iterator<Item = &ColumnDrift> {
        self.columns.iter().filter(|one| one.verdict == DriftVerdict::Moved)
    }

    /// What it comes to, in one sentence.
    pub fn words(&self) -> String {
        let moved: Vec<&str> = self.moved().map(|one| one.column.as_str()).collect();
        let few = self.columns.iter().filter(|one| one.verdict == DriftVerdict::TooFew).count();
        let sizes = format!("{} against {}", things(self.rows.1, "row", "rows"), count(self.rows.0));
        match (moved.len(), few) {
            (0, 0) => format!("{sizes}: nothing moved"),
            (0, few) if few == self.columns.len() => format!("{sizes}: too few to tell"),
            (0, few) => format!("{sizes}: nothing moved, as far as so few say ({few} of {} columns)", self.columns.len()),
            (n, _) => format!("{sizes}: {n} of {} columns moved: {}", self.columns.len(), moved.join(", ")),
        }
    }
}
