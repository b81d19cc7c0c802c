//! Looking at a batch of new data: against the dataset, with what the log says a model said, or else what a run says.

use std::collections::HashSet;

use super::Means;
use crate::data::{Dataset, Role, SampleId};
use crate::job::Progress;
use crate::monitor::{
    Against, BatchReport, BatchRows, Held, KeptSlice, LogColumns, LogCut, LogSaid, MonitorError, PastSaid, Performance,
    SliceSeen, WorstSlices, WorthBy, WorthReason, WorthRows, batch_report, classes_of_dataset, kept_slices, performance,
    reference_rows, worst_slices, worth_rows,
};
use crate::train::{Run, RunPart, TeachMeans, TrainError, predicted, test_said};

/// A batch, as it was looked at.
#[derive(Debug, Clone)]
pub struct BatchLook {
    pub report: BatchReport,
    pub performance: Performance,
    pub slices: Option<WorstSlices>,
    /// Slices that are looked at in every batch, as they are in this one.
    pub kept: Vec<SliceSeen>,
    /// The rows of the batch, what was said of each, and what a run says where the log has its own.
    pub rows: Vec<SampleId>,
    pub said: LogSaid,
    pub other: Option<Vec<Option<String>>>,
    pub past: PastSaid,
    /// The classes that the dataset and the run know.
    pub known: HashSet<String>,
    /// The run that says what is said, where the log does not.
    pub by_run: Option<String>,
    pub notes: Vec<String>,
    /// The column of the log that has its texts, and of the dataset.
    pub text: Option<String>,
    pub of_text: Option<String>,
}

impl BatchLook {
    /// The column of the log that is a column of the dataset, where that is compared.
    pub fn text_of(&self, log: &Dataset, column: &str) -> Option<usize> {
        // One column of the dataset is what the log's text is; another text column goes by its name.
        let own = || self.text.as_deref().and_then(|name| log.field(name));
        if column.is_empty() || self.of_text.as_deref() == Some(column) { own() } else { log.field(column) }
    }
}

/// What a run says of every row of a log: of each the class by its name, and how sure.
pub type RunSaid = Vec<(u32, f32)>;

/// Asks a run of every row of a log, whatever its text is called there.
///
/// # Errors
/// [`TrainError`]: the run is of a kind that is not kept, or the log has no text.
pub fn run_said(
    log: &Dataset,
    columns: &LogColumns,
    run: &Run,
    means: &Means<'_>,
    progress: &Progress,
) -> Result<RunSaid, TrainError> {
    let mut run = run.clone();
    if run.lesson.text.is_some() || columns.text.is_some() {
        run.lesson.text.clone_from(&columns.text);
    }
    predicted(log, &run, TeachMeans::of(&means.derived), progress)
}

/// What a batch is looked at with.
pub struct LookBy<'l> {
    pub log: &'l Dataset,
    pub columns: &'l LogColumns,
    pub rows: &'l [SampleId],
    /// The run that is asked, by name, and what it says of the log.
    pub run: Option<(&'l str, &'l Run, &'l RunSaid)>,
    pub against: &'l Against,
    /// The batch that it is held against, where that is asked.
    pub before: Option<BatchRows<'l>>,
    /// Slices that are looked at in every batch.
    pub kept: &'l [KeptSlice],
    /// How the log was cut: the column that it was cut by is not compared.
    pub cut: &'l LogCut,
    pub seed: u64,
}

/// What the model did on the past: the dataset's own column of predictions, or else the test part of a run.
fn past_of(dataset: &Dataset, columns: &LogColumns, run: Option<(&str, &Run)>, progress: &Progress) -> PastSaid {
    if columns.prediction.is_some() {
        let rows: Vec<SampleId> = dataset.source_samples().filter(|id| !dataset.is_excluded(*id)).collect();
        let said = LogSaid::of(BatchRows { dataset, rows: &rows, columns });
        return PastSaid { said, from: "the predictions that the dataset has".to_owned() };
    }
    let Some((name, run)) = run else { return PastSaid::default() };
    let Ok(tested) = test_said(dataset, run, progress) else { return PastSaid::default() };
    let sure: Vec<f64> = tested.rows.iter().map(|(.., sure)| f64::from(*sure)).collect();
    let said = LogSaid {
        classes: tested.classes,
        said: tested.rows.iter().map(|(_, said, ..)| Some(*said)).collect(),
        truth: tested.rows.iter().map(|(_, _, truth, _)| *truth).collect(),
        margin: Vec::new(),
        sure,
        notes: Vec::new(),
    };
    PastSaid { said, from: format!("the test part of {name}") }
}

/// The classes that the dataset and the run know.
fn known_classes(dataset: &Dataset, by: &LookBy<'_>) -> HashSet<String> {
    let mut out = classes_of_dataset(dataset);
    out.extend(by.run.iter().flat_map(|(_, run, _)| run.classes.iter().cloned()));
    out
}

/// Looks at a batch.
///
/// # Errors
/// [`MonitorError`].
pub fn look_at(dataset: &Dataset, by: &LookBy<'_>, progress: &Progress) -> Result<BatchLook, MonitorError> {
    let mut notes = Vec::new();
    let reference = if by.before.is_some() { Vec::new() } else { reference_rows(dataset, by.against, &mut notes) };
    let own = LogColumns::of_dataset(dataset);
    let before = by.before.unwrap_or(BatchRows { dataset, rows: &reference, columns: &own });
    let batch = BatchRows { dataset: by.log, rows: by.rows, columns: by.columns };
    if by.before.is_none() && matches!(by.against, Against::Batch(_)) {
        notes.push("this is the batch that others are held against: it is held against the train part itself".to_owned());
    }
    let past = match (by.before, by.against) {
        (Some(before), Against::Batch(name)) => PastSaid { said: LogSaid::of(before), from: name.clone() },
        _ => past_of(dataset, &own, by.run.map(|(name, run, _)| (name, run)), progress),
    };
    let asked: Option<Vec<(u32, f32)>> = by.run.map(|(_, _, said)| by.rows.iter().map(|id| said[id.row()]).collect());
    let logged = LogSaid::of(batch);
    let has = logged.has()[0];
    let (said, by_run) = match (&asked, by.run) {
        (Some(asked), Some((name, run, _))) if !has => (LogSaid::by_model(batch, &run.classes, asked), Some(name.to_owned())),
        _ => (logged, None),
    };
    let other = match (asked, by.run) {
        (Some(asked), Some((_, run, _))) if has => {
            Some(asked.iter().map(|(class, _)| run.classes.get(*class as usize).cloned()).collect())
        }
        _ => None,
    };
    let mut report = batch_report(Held { before, past: &past.said, batch, said: &said }, by.seed, progress)?;
    // What a log is cut by is another in every batch.
    if let LogCut::Column(name) = by.cut {
        report.leave(name, "the log is cut by it");
    }
    let known = known_classes(dataset, by);
    let performance = performance(&said, &past, &known, by.seed);
    let slices = worst_slices(batch, &said, &progress.part())?;
    let kept = kept_slices(batch, &said, by.kept);
    notes.extend(report.notes.iter().cloned());
    Ok(BatchLook {
        kept,
        report,
        performance,
        slices,
        rows: by.rows.to_vec(),
        said,
        other,
        past,
        known,
        by_run,
        notes,
        text: by.columns.text.clone(),
        of_text: before.columns.text.clone(),
    })
}

/// Chooses rows of a batch that are worth a label.
///
/// # Errors
/// [`MonitorError::Cancelled`].
pub fn choose_rows(
    dataset: &Dataset,
    (log, columns, log_print): (&Dataset, &LogColumns, [u64; 2]),
    look: &BatchLook,
    (many, only): (usize, &[WorthReason]),
    progress: &Progress,
) -> Result<WorthRows, MonitorError> {
    let by = WorthBy {
        batch: BatchRows { dataset: log, rows: &look.rows, columns },
        said: &look.said,
        other: look.other.as_deref(),
        known: &look.known,
        report: &look.report,
        slices: look.slices.as_ref(),
        log_print,
    };
    Ok(worth_rows(dataset, &by, (many, only), progress)?)
}

/// The parts that samples can be admitted to: those that the dataset has, train first, and a new test part.
pub fn parts_to_admit(dataset: &Dataset) -> Vec<String> {
    let Some(field) = dataset.with_role(|role| role == Role::Split) else { return Vec::new() };
    let mut parts: Vec<String> = Vec::new();
    for id in dataset.source_samples() {
        if let Some(part) = dataset.text(field, id).filter(|part| !part.trim().is_empty())
            && !parts.iter().any(|known| *known == *part)
        {
            parts.push(part.into_owned());
            // More are no parts of a split.
            if parts.len() > 20 {
                break;
            }
        }
    }
    // A frozen test part takes nothing in.
    parts.retain(|part| RunPart::named(part) != Some(RunPart::Test));
    parts.sort_by_key(|part| (!part.to_lowercase().starts_with("train"), part.clone()));
    if !parts.iter().any(|part| part == NEW_TEST) {
        parts.push(NEW_TEST.to_owned());
    }
    parts
}

/// What a second test part is called.
pub const NEW_TEST: &str = "test new";
