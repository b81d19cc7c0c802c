//! New data: a log that is brought in, batches that are watched and what they come to, rows of them that are worth a label.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::Workspace;
use super::asked::{Need, News, Wants, WatchWants};
use super::logs::{CutBatch, log_batches, log_of, rows_of};
use super::parts::{folder, path_in};
use crate::chance::seed_of;
use crate::data::{Dataset, Property, SampleId, SampleSet, things};
use crate::io::{self, Reading};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};
use crate::monitor::{
    Against, BatchReport, BatchRows, KeptSlice, LogColumns, LogCut, Performance, SliceSeen, WatchedBatch, WorthReason, WorthRows,
    taken_rows, waiting,
};
use crate::operate::{BatchLook, LookBy, Means, Operation, RunSaid, choose_rows, look_at, run_said};
use crate::train::Run;

/// The seed of what chance does to a batch.
const SEED: u64 = 42;
/// More files of a folder than this are not offered at once.
const MOST_FILES: usize = 50;
/// A column with more values than this is not offered to cut a log by.
const MOST_CUTS: usize = 60;

/// A log that may be brought in.
pub struct OfferedLog {
    pub path: PathBuf,
    pub log: Dataset,
    /// What its columns mean, as far as names and cells say.
    pub columns: LogColumns,
    /// Columns that it can be cut by.
    pub cuts: Vec<String>,
    /// A batch of the same file, where it is watched already.
    pub known: Option<String>,
}

/// A batch with all that was worked out of it.
pub struct ShownBatch {
    pub batch: WatchedBatch,
    pub log: Dataset,
    pub look: BatchLook,
}

/// What is kept of every batch.
#[derive(Debug, Clone)]
pub struct BatchSummary {
    pub report: BatchReport,
    pub performance: Performance,
    /// Slices that are looked at in every batch.
    pub kept: Vec<SliceSeen>,
}

impl BatchSummary {
    fn of(look: &BatchLook) -> Self {
        Self { report: look.report.clone(), performance: look.performance.clone(), kept: look.kept.clone() }
    }
}

/// The batch that others are held against, where that is asked.
fn other_of<'b>(batches: &'b [WatchedBatch], against: &Against) -> Option<&'b WatchedBatch> {
    let Against::Batch(name) = against else { return None };
    batches.iter().find(|batch| batch.name == *name)
}

/// What a batch was looked at with: another one, and it is looked at anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LookQuestion {
    print: [u64; 2],
    name: String,
    cut: LogCut,
    piece: String,
    columns: LogColumns,
    /// Of what the dataset says, and the run that is asked.
    version: u64,
    run: Option<i64>,
    against: Against,
    /// The batch that it is held against, where that is asked.
    other: Option<[u64; 2]>,
    kept: Vec<KeptSlice>,
}

/// What rows are worth a label is asked by.
pub type WorthQuestion = (LookQuestion, usize, Vec<WorthReason>);

/// What a cut is asked by: the log's hash, what its columns mean, how it is cut, and the names that are taken.
type CutQuestion = ([u64; 2], LogColumns, LogCut, Vec<String>);

/// What a run said of a log: the run, what columns were taken for, and what it said.
type SaidKept = (i64, LogColumns, Arc<RunSaid>);

/// A log as it was read last, and what a run said of it: several batches are of one.
type LogKept = Arc<Mutex<Option<(Dataset, Option<SaidKept>)>>>;

/// Batches that a log is cut into, and what there is to say of that.
pub type CutLog = (Vec<CutBatch>, Vec<String>);

/// Watching.
pub struct Watching {
    offer: Slot<PathBuf, Arc<OfferedLog>>,
    /// The log that is offered, cut as the form says; by its hash, and the batches that are watched.
    cut: Slot<CutQuestion, Arc<CutLog>>,
    /// The batch on screen.
    shown: Slot<LookQuestion, Arc<ShownBatch>>,
    /// The others, one after the other.
    rest: Slot<LookQuestion, Arc<BatchSummary>>,
    worth: Slot<WorthQuestion, Arc<WorthRows>>,
    /// Files of folders that are looked in, and are new; by how often it was looked, the folders, and how many batches there are.
    folder: Slot<(u64, Vec<String>, usize), Vec<PathBuf>>,
    looked: u64,
    /// The batches, and the revision that they are of: read once an edit.
    batches: (Option<u64>, Vec<WatchedBatch>),
    summaries: HashMap<String, (LookQuestion, Result<Arc<BatchSummary>, String>)>,
    kept: LogKept,
}

impl Default for Watching {
    fn default() -> Self {
        Self {
            offer: Slot::new("log", Lane::Learning),
            cut: Slot::new("cut", Lane::Screen),
            shown: Slot::new("batch", Lane::Learning),
            rest: Slot::new("batches", Lane::Learning),
            worth: Slot::new("worth", Lane::Learning),
            folder: Slot::new("folder", Lane::Learning),
            looked: 0,
            batches: (None, Vec::new()),
            summaries: HashMap::new(),
            kept: LogKept::default(),
        }
    }
}

impl Watching {
    pub fn slots(&self) -> [&dyn AnySlot; 6] {
        [&self.offer, &self.cut, &self.shown, &self.rest, &self.worth, &self.folder]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 6] {
        [&mut self.offer, &mut self.cut, &mut self.shown, &mut self.rest, &mut self.worth, &mut self.folder]
    }

    /// Reads a log, to be brought in.
    pub fn offer(&mut self, workspace: &Workspace, path: PathBuf, desk: &Desk) {
        let snapshot = workspace.dataset().clone();
        self.offer.ask(desk, path.clone(), "Reading the log", move |progress| {
            let log = io::open(&path, &Reading::default(), progress, &|_| {}).map_err(|error| match error {
                io::IoError::Cancelled => JobError::Cancelled,
                other => JobError::Failed(other.to_string()),
            })?;
            let columns = LogColumns::proposed(&snapshot, &log);
            let print = log.base.origin.halves();
            let whole = |batch: &WatchedBatch| batch.fingerprint == print;
            let known = WatchedBatch::all(&snapshot).into_iter().find(whole).map(|batch| batch.name);
            let cuts = cut_columns(&log, &columns);
            Ok(Arc::new(OfferedLog { path, log, columns, cuts, known }))
        });
    }

    /// The log that may be brought in.
    pub fn offered(&self) -> Option<&Arc<OfferedLog>> {
        self.offer.answer()
    }

    /// The log is not brought in, or was.
    pub fn decline(&mut self) {
        self.offer.clear();
        self.cut.clear();
    }

    /// The batches that the offered log comes to as the form says; or why it comes to none.
    pub fn cut_batches(&self, columns: &LogColumns, cut: &LogCut) -> Option<Result<&CutLog, &str>> {
        let offered = self.offered()?;
        let question = self.cut_question(offered, columns, cut);
        let failed = || self.cut.without().filter(|(own, _)| *own == question).and_then(|(_, why)| why.as_deref());
        self.cut.answer_to(&question).map(|found| Ok(&**found)).or_else(|| failed().map(Err))
    }

    fn cut_question(&self, offered: &OfferedLog, columns: &LogColumns, cut: &LogCut) -> CutQuestion {
        let names = self.batches.1.iter().map(|batch| batch.name.clone()).collect();
        (offered.log.base.origin.halves(), columns.clone(), cut.clone(), names)
    }

    /// The batch on screen, and whether that is of another state of the data.
    pub fn shown(&self, workspace: &Workspace, wants: WatchWants<'_>) -> Option<(&Arc<ShownBatch>, bool)> {
        let (question, found) = self.shown.shown()?;
        (wants.shown == Some(found.batch.name.as_str())).then(|| {
            let now = self.question(workspace, wants, &found.batch);
            (found, *question != now)
        })
    }

    /// Why the batch on screen is not there.
    pub fn shown_trouble(&self, name: &str) -> Option<&str> {
        self.shown.without().filter(|(question, _)| question.name == name).and_then(|(_, why)| why.as_deref())
    }

    /// What is known of a batch, though it may be of another state of the data; or why nothing is.
    pub fn summary(&self, name: &str) -> Option<Result<&BatchSummary, &str>> {
        self.summaries.get(name).map(|(_, found)| found.as_deref().map_err(String::as_str))
    }

    /// Rows of the batch on screen that are worth a label, and whether others are being chosen.
    pub fn worth(&self) -> Option<(&WorthRows, bool)> {
        let ((question, ..), found) = self.worth.shown()?;
        let (own, _) = self.shown.shown()?;
        (own.name == question.name).then(|| (&**found, self.worth.is_asked() || own != question))
    }

    /// Files that came into folders that are looked in.
    pub fn new_files(&self) -> &[PathBuf] {
        self.folder.answer().map_or(&[], Vec::as_slice)
    }

    /// Looks into the folders once more, and at batches whose log could not be read.
    pub fn look_again(&mut self) {
        self.looked += 1;
        self.summaries.retain(|_, (_, found)| found.is_ok());
        if self.shown.trouble().is_some() {
            self.shown.retry();
        }
        if self.rest.trouble().is_some() {
            self.rest.retry();
        }
    }

    /// The batches that are watched, in the order of time.
    pub fn batches(&self) -> &[WatchedBatch] {
        &self.batches.1
    }

    /// The rows that are worth a label, as an operation that takes them over.
    pub fn take(&self, workspace: &Workspace) -> Option<Operation> {
        let ((question, ..), worth) = self.worth.shown()?;
        let (_, shown) = self.shown.shown().filter(|(own, _)| own == question)?;
        let rows: Vec<(SampleId, String)> = worth.list.iter().map(|row| (row.id, row.why())).collect();
        let batch = &shown.batch;
        let from = BatchRows { dataset: &shown.log, rows: &shown.look.rows, columns: &batch.columns };
        let of = (batch.name.as_str(), batch.path.as_str(), batch.fingerprint, shown.look.by_run.as_deref());
        (!rows.is_empty()).then(|| Operation::Take(Box::new(taken_rows(workspace.dataset(), from, &rows, of))))
    }

    // As every question of a slot is put.
    #[allow(clippy::unused_self)]
    fn question(&self, workspace: &Workspace, wants: WatchWants<'_>, batch: &WatchedBatch) -> LookQuestion {
        let dataset = workspace.dataset();
        let fields = 0..dataset.fields().len();
        let mut versions: Vec<u64> = fields.map(|field| dataset.version(field)).collect();
        let waits = waiting(dataset).map_or(0, SampleSet::len);
        versions.extend([dataset.excluded_version(), dataset.rows() as u64, dataset.fields().len() as u64, waits as u64]);
        LookQuestion {
            print: batch.fingerprint,
            name: batch.name.clone(),
            cut: batch.cut.clone(),
            piece: batch.piece.clone(),
            columns: batch.columns.clone(),
            version: seed_of(&versions),
            run: run_of(workspace, wants.run).map(|(id, ..)| id),
            against: wants.against.clone(),
            other: other_of(self.batches(), wants.against).map(|batch| batch.fingerprint),
            kept: KeptSlice::all(dataset),
        }
    }

    /// Takes in what has come, and asks for what the screen shows.
    pub fn work(&mut self, workspace: &Workspace, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        if self.batches.0 != Some(workspace.revision()) {
            self.batches = (Some(workspace.revision()), WatchedBatch::all(workspace.dataset()));
        }
        match self.offer.take(desk) {
            Some(Came::Answer) => news.push(News::LogRead),
            Some(Came::Failed(why)) => news.push(News::Failed("log", why)),
            None => {}
        }
        // What these say stands where it was asked for.
        let _ = (self.cut.take(desk), self.worth.take(desk), self.folder.take(desk));
        if let Some(Came::Answer) = self.shown.take(desk)
            && let Some((question, found)) = self.shown.shown()
        {
            let summary = BatchSummary::of(&found.look);
            self.summaries.insert(question.name.clone(), (question.clone(), Ok(Arc::new(summary))));
        }
        match self.rest.take(desk) {
            Some(Came::Answer) => {
                if let Some((question, found)) = self.rest.shown() {
                    self.summaries.insert(question.name.clone(), (question.clone(), Ok(Arc::clone(found))));
                }
            }
            Some(Came::Failed(why)) => {
                if let Some((question, _)) = self.rest.without() {
                    self.summaries.insert(question.name.clone(), (question.clone(), Err(why)));
                }
            }
            None => {}
        }
        // What a person stopped is not begun again before they come back to it.
        if let Some((question, None)) = self.rest.without() {
            let stopped = Err("it was stopped".to_owned());
            self.summaries.entry(question.name.clone()).or_insert_with(|| (question.clone(), stopped)).0 = question.clone();
        }
        let Some(watch) = wants.watch.filter(|_| wants.needs(Need::Batches)) else { return };
        self.ask_offer(workspace, watch, desk);
        self.ask_folder(workspace, desk);
        let all = self.batches.1.clone();
        self.summaries.retain(|name, _| all.iter().any(|batch| batch.name == *name));
        let on_screen = all.iter().find(|batch| watch.shown == Some(batch.name.as_str())).or(all.last());
        if let Some(batch) = on_screen {
            let question = self.question(workspace, watch, batch);
            if self.shown.needs(&question) {
                let with = With::of(workspace, watch, (batch, &all), &self.kept);
                self.shown.ask(desk, question, format!("Looking at {}", batch.name), move |progress| with.look(progress));
            } else if let Some((many, reasons)) = watch.worth {
                self.ask_worth(workspace, question, (many, reasons), desk);
            }
        }
        if self.shown.is_asked() || self.rest.is_asked() {
            return;
        }
        for batch in all.iter().filter(|batch| on_screen.is_none_or(|shown| shown.name != batch.name)) {
            let question = self.question(workspace, watch, batch);
            if self.summaries.get(&batch.name).is_some_and(|(own, _)| *own == question) || !self.rest.needs(&question) {
                continue;
            }
            let with = With::of(workspace, watch, (batch, &all), &self.kept);
            self.rest.ask(desk, question, format!("Looking at {}", batch.name), move |progress| {
                let found = with.look(progress)?;
                Ok(Arc::new(BatchSummary::of(&found.look)))
            });
            break;
        }
    }

    fn ask_offer(&mut self, workspace: &Workspace, watch: WatchWants<'_>, desk: &Desk) {
        let Some((offered, (columns, cut))) = self.offered().cloned().zip(watch.offer) else { return };
        let question = self.cut_question(&offered, columns, cut);
        if !self.cut.needs(&question) {
            return;
        }
        let snapshot = workspace.dataset().clone();
        let (columns, cut) = (columns.clone(), cut.clone());
        self.cut.ask(desk, question, "Cutting the log", move |_| {
            let path = path_in(&snapshot, &offered.path);
            log_batches(&snapshot, &offered.log, &path, &columns, &cut).map(Arc::new).map_err(JobError::from)
        });
    }

    fn ask_worth(&mut self, workspace: &Workspace, of: LookQuestion, (many, reasons): (usize, &[WorthReason]), desk: &Desk) {
        let question = (of, many, reasons.to_vec());
        if !self.worth.needs(&question) {
            return;
        }
        // Of the batch that is asked about, and not of one that stood here before.
        let Some(shown) = self.shown.answer_to(&question.0) else { return };
        let (snapshot, shown, reasons) = (workspace.dataset().clone(), Arc::clone(shown), reasons.to_vec());
        self.worth.ask(desk, question, "Choosing rows", move |progress| {
            let of = (&shown.log, &shown.batch.columns, shown.batch.fingerprint);
            choose_rows(&snapshot, of, &shown.look, (many, &reasons), progress).map(Arc::new).map_err(JobError::from)
        });
    }

    fn ask_folder(&mut self, workspace: &Workspace, desk: &Desk) {
        let folders: Vec<String> =
            workspace.dataset().properties().all(Property::LogFolder).filter_map(|(of, _)| of.first().cloned()).collect();
        if folders.is_empty() {
            return self.folder.clear();
        }
        let question = (self.looked, folders.clone(), self.batches().len());
        if !self.folder.needs(&question) {
            return;
        }
        let snapshot = workspace.dataset().clone();
        self.folder.ask(desk, question, "Looking for new logs", move |progress| new_logs(&snapshot, &folders, progress));
    }
}

/// Files of folders whose content is no batch yet.
fn new_logs(dataset: &Dataset, folders: &[String], progress: &Progress) -> Result<Vec<PathBuf>, JobError> {
    let mut known: Vec<[u64; 2]> = WatchedBatch::all(dataset).into_iter().map(|batch| batch.fingerprint).collect();
    known.push(dataset.base.origin.halves());
    let mut out = Vec::new();
    for name in folders {
        let path = folder(dataset).join(name);
        let mut names = io::entries_of(&path);
        names.sort();
        for (file, is_folder) in names {
            progress.check()?;
            // What opens as no table, our own project files, and what is hidden, are no logs.
            if is_folder || file.starts_with('.') || file.contains(".lapidary") || !io::is_table_name(std::path::Path::new(&file))
            {
                continue;
            }
            let file = path.join(file);
            let Ok(print) = io::fingerprint(&file) else { continue };
            #[allow(clippy::cast_possible_truncation)]
            let halves = [(print >> 64) as u64, print as u64];
            if !known.contains(&halves) {
                out.push(file);
            }
            if out.len() >= MOST_FILES {
                return Ok(out);
            }
        }
    }
    Ok(out)
}

/// The run that is asked: that of the number, or else the last one that can be asked of other samples.
fn run_of(workspace: &Workspace, id: Option<i64>) -> Option<(i64, &str, &Arc<Run>)> {
    let runs = workspace.runs();
    let kept = match id {
        Some(id) => runs.iter().find(|kept| kept.id == id),
        None => runs.iter().rev().find(|kept| kept.run.model.head().is_some()).or(runs.last()),
    };
    kept.map(|kept| (kept.id, kept.name.as_str(), &kept.run))
}

/// What a job that looks at a batch takes along.
struct With {
    snapshot: Dataset,
    store: Arc<crate::derive::Store>,
    batch: WatchedBatch,
    run: Option<(i64, String, Arc<Run>)>,
    against: Against,
    other: Option<WatchedBatch>,
    slices: Vec<KeptSlice>,
    kept: LogKept,
}

impl With {
    fn of(
        workspace: &Workspace,
        wants: WatchWants<'_>,
        (batch, batches): (&WatchedBatch, &[WatchedBatch]),
        kept: &LogKept,
    ) -> Self {
        Self {
            snapshot: workspace.dataset().clone(),
            store: Arc::clone(workspace.derived()),
            batch: batch.clone(),
            run: run_of(workspace, wants.run).map(|(id, name, run)| (id, name.to_owned(), Arc::clone(run))),
            against: wants.against.clone(),
            other: other_of(batches, wants.against).filter(|other| !other.is_same(batch)).cloned(),
            slices: KeptSlice::all(workspace.dataset()),
            kept: Arc::clone(kept),
        }
    }

    fn look(self, progress: &Progress) -> Result<Arc<ShownBatch>, JobError> {
        let (log, said) = self.read(progress)?;
        let rows = rows_of(&log, &self.batch).map_err(JobError::Failed)?;
        let run = self.run.as_ref().zip(said.as_ref()).map(|((_, name, run), said)| (name.as_str(), &**run, &**said));
        let other = self.other(&log, progress)?;
        let before = other.as_ref().map(|(log, rows, columns)| BatchRows { dataset: log, rows, columns });
        let by = LookBy {
            log: &log,
            columns: &self.batch.columns,
            rows: &rows,
            run,
            against: &self.against,
            before,
            kept: &self.slices,
            cut: &self.batch.cut,
            seed: SEED,
        };
        let look = look_at(&self.snapshot, &by, &progress.part()).map_err(JobError::from)?;
        Ok(Arc::new(ShownBatch { batch: self.batch, log, look }))
    }

    /// The batch that this one is held against: of the same log, or of another, which is read then.
    fn other(&self, log: &Dataset, progress: &Progress) -> Result<Option<(Dataset, Vec<SampleId>, LogColumns)>, JobError> {
        let Some(other) = &self.other else { return Ok(None) };
        let own = if other.fingerprint == self.batch.fingerprint {
            log.clone()
        } else {
            log_of(&self.snapshot, other, progress).map_err(JobError::Failed)?
        };
        let rows = rows_of(&own, other).map_err(JobError::Failed)?;
        Ok(Some((own, rows, other.columns.clone())))
    }

    /// The log, and what the run says of it: from the last job, where that is the same.
    fn read(&self, progress: &Progress) -> Result<(Dataset, Option<Arc<RunSaid>>), JobError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |log: &Dataset| log.base.origin.halves() == self.batch.fingerprint;
        if kept.as_ref().is_none_or(|(log, _)| !same(log)) {
            *kept = None;
            let log = log_of(&self.snapshot, &self.batch, progress).map_err(JobError::Failed)?;
            *kept = Some((log, None));
        }
        let Some((log, said)) = kept.as_mut() else { return Err(JobError::Cancelled) };
        let Some((id, _, run)) = &self.run else { return Ok((log.clone(), None)) };
        if said.as_ref().is_none_or(|(own, columns, _)| own != id || *columns != self.batch.columns) {
            let means = Means { derived: Arc::clone(&self.store), ..Means::default() };
            // A run that cannot be asked says nothing: the report says so.
            *said = run_said(log, &self.batch.columns, run, &means, &progress.part())
                .ok()
                .map(|found| (*id, self.batch.columns.clone(), Arc::new(found)));
            progress.check()?;
        }
        Ok((log.clone(), said.as_ref().map(|(.., found)| Arc::clone(found))))
    }
}

/// What the cuts of a log come to, in words: `10 batches, 2026-10-01 to 2026-10-10`.
pub fn cut_words(batches: &[CutBatch]) -> String {
    match batches {
        [] => "nothing".to_owned(),
        [(one, _)] => format!("one batch, {}, {}", one.name, things(one.rows as usize, "row", "rows")),
        [(first, _), .., (last, _)] => {
            format!("{}, {} to {}", things(batches.len(), "batch", "batches"), first.name, last.name)
        }
    }
}

/// Which columns a log can be cut by: those with more than one value, and not too many.
fn cut_columns(log: &Dataset, columns: &LogColumns) -> Vec<String> {
    let named = columns.named();
    let cuts = |field: usize| {
        let mut values: std::collections::HashSet<String> = std::collections::HashSet::new();
        for cell in log.source_samples().filter_map(|id| log.text(field, id)).filter(|cell| !cell.trim().is_empty()) {
            if !values.contains(&*cell) {
                values.insert(cell.into_owned());
                if values.len() > MOST_CUTS {
                    return false;
                }
            }
        }
        values.len() > 1
    };
    let fields = log.fields().iter().enumerate().filter(|(_, field)| !named.contains(&*field.name));
    fields.filter(|(at, _)| cuts(*at)).map(|(_, field)| field.name.to_string()).collect()
}
