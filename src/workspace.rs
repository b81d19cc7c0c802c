//! Everything that is open: the dataset, its journal, its classes, its findings, and the revision that every edit raises.
//!
//! The only writer of data. An edit is durable in the journal before it shows; if the disk refuses, nothing has changed.

mod asking;
mod augmenting;
mod balancing;
mod likeness;
mod worth;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use asking::{TextModels, children};
pub use augmenting::{Augmented, augmented, judge, risk_model};
pub use balancing::{Balance, BalanceError, Balanced, Standing, balance_plan, balanced, standing};
pub use likeness::{Likeness, is_of_numbers, likeness};
pub use worth::{Worth, can_probe, worth};

use crate::checks::{Finding, Kind as FindingKind, Scan};
use crate::data::{Batch, ClassIndex, Dataset, SampleId, SampleSet};
use crate::edit::{
    Change, Direction, Edit, EditError, EditId, History, INHERITED, Journal, JournalError, Stored, Target, Values, project_path,
};
use crate::io::{self, PictureCache, Reading};
use crate::job::{Cancelled, Progress};
use crate::learn::appearance::appearance;

/// Findings, and when they were found.
#[derive(Default)]
pub struct Findings {
    /// Worst first.
    pub list: Arc<Vec<Finding>>,
    /// The revision they were found at; `None` before the first run.
    pub revision: Option<u64>,
    /// Samples that were edited or reviewed since: their findings are settled.
    pub settled: SampleSet,
    /// By kind: places in the list.
    by_kind: HashMap<FindingKind, Vec<u32>>,
    /// How many wait, once that was counted.
    open: Cell<Option<usize>>,
}

impl Findings {
    /// How many findings wait: those none of whose samples was edited or reviewed since.
    pub fn open(&self) -> usize {
        // Counted once after each change: drawing asks every frame.
        if let Some(open) = self.open.get() {
            return open;
        }
        let open = self.list.iter().filter(|finding| !self.is_settled(finding)).count();
        self.open.set(Some(open));
        open
    }

    /// Where the findings of a kind stand in the list.
    pub fn of_kind(&self, kind: FindingKind) -> &[u32] {
        self.by_kind.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Whether a finding's samples were all edited or reviewed since.
    pub fn is_settled(&self, finding: &Finding) -> bool {
        // Of copies one stays: it needs no decision once the others are gone.
        let from = usize::from(finding.kind.is_of_copies() && finding.samples.len() > 1);
        !self.settled.is_empty() && finding.samples[from..].iter().all(|id| self.settled.contains(*id))
    }
}

/// What happened to edits that were carried over to another version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Edits that were made again.
    pub edits: usize,
    /// Samples of edits that are not in the file any more.
    pub lost: usize,
    /// Parts of edits that do not fit the file any more: their column is gone, or its cells are of another kind.
    pub unfit: usize,
    /// Where the old project file is.
    pub aside: PathBuf,
}

/// The open dataset and everything about it.
pub struct Workspace {
    dataset: Dataset,
    journal: Option<Journal>,
    /// Where the project is, or will be at the first edit.
    project: PathBuf,
    /// Whether that is not beside the source, because its folder cannot be written.
    elsewhere: bool,
    read_only: Option<String>,
    reading: Reading,
    revision: u64,
    classes: BTreeMap<String, Arc<ClassIndex>>,
    findings: Findings,
    empty: History,
}

/// How the source of `path` was read when its project was begun, if it has one.
///
/// # Errors
/// [`JournalError`]: busy, foreign, newer, damaged.
pub fn stored_reading(path: &Path, fallback: Option<&Path>) -> Result<Option<Reading>, JournalError> {
    let (project, _) = project_path(path, fallback);
    Ok(Journal::peek(&project)?.and_then(|stored| serde_json::from_str(&stored.reading).ok()))
}

/// Looks at every picture of column `field` of a dataset, and works out what needs all of them.
///
/// # Errors
/// [`Cancelled`].
pub fn scan_pictures(
    dataset: &Dataset,
    field: usize,
    cache: Option<&PictureCache>,
    progress: &Progress,
) -> Result<Scan, Cancelled> {
    let looks = io::look_at_all(dataset, field, cache, progress)?;
    let embedding = appearance(&looks, progress)?;
    Scan::new(dataset, field, looks, embedding, progress)
}

impl Workspace {
    /// Opens a dataset with the edits of its project, where there is one. `fallback` is the folder for projects whose
    /// source's folder cannot be written.
    ///
    /// # Errors
    /// [`JournalError`]; the project is untouched.
    pub fn open(dataset: Dataset, reading: Reading, fallback: Option<&Path>) -> Result<Self, JournalError> {
        let mut workspace = Self::without_project(dataset, reading, fallback);
        workspace.read_only = None;
        if workspace.project.exists() {
            let journal = Journal::open(&workspace.project)?;
            let origin = &workspace.dataset.base.origin;
            let read_alike =
                serde_json::from_str::<Reading>(&journal.stored().reading).is_ok_and(|stored| stored == workspace.reading);
            if journal.stored().fingerprint != origin.fingerprint || !read_alike {
                let edits = journal.history().nodes().len();
                return Err(JournalError::SourceChanged { source_path: origin.path.clone(), edits });
            }
            for id in journal.history().line(journal.history().head()) {
                journal.edit(id)?.apply(&mut workspace.dataset, Direction::Forward);
            }
            workspace.journal = Some(journal);
        }
        Ok(workspace)
    }

    /// Opens a dataset as its file stands: its project is not looked at, and it cannot be edited.
    pub fn without_project(dataset: Dataset, reading: Reading, fallback: Option<&Path>) -> Self {
        let (project, elsewhere) = project_path(&dataset.base.origin.path, fallback);
        Self {
            dataset,
            journal: None,
            project,
            elsewhere,
            read_only: Some("its project is left out".to_owned()),
            reading,
            revision: 0,
            classes: BTreeMap::new(),
            findings: Findings::default(),
            empty: History::default(),
        }
    }

    /// Makes the edits of a project again on another version of its file, or the same file read otherwise. Samples are
    /// recognised by content. The old project is moved aside and kept.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn carry(dataset: Dataset, reading: Reading, fallback: Option<&Path>) -> Result<(Self, Carried), JournalError> {
        let mut workspace = Self::without_project(dataset, reading, fallback);
        workspace.read_only = None;
        let old = Journal::open(&workspace.project)?;
        let mut places: HashMap<u64, Vec<SampleId>> = HashMap::new();
        for id in workspace.dataset.samples().collect::<Vec<_>>().into_iter().rev() {
            places.entry(workspace.dataset.content_hash(id)).or_default().push(id);
        }
        let mut moved: BTreeMap<SampleId, Option<SampleId>> = BTreeMap::new();
        let (mut edits, mut unfit, mut added) = (Vec::new(), 0, Vec::new());
        for id in old.history().line(old.history().head()) {
            let mut edit = old.edit(id)?;
            for (sample, print) in edit.samples().zip(old.prints(id)?) {
                moved.entry(sample).or_insert_with(|| places.get_mut(&print).and_then(Vec::pop));
            }
            let mut next = workspace.dataset.rows() + edits.iter().map(Edit::makes).sum::<usize>();
            let relocated = edit.changes.iter().map(|change| relocate(change, &mut moved, &mut next)).collect();
            edit.changes = relocated;
            edit.changes.retain(|change| {
                let fits = fits(&workspace.dataset, &added, change);
                unfit += usize::from(!fits);
                if let Target::Column(name) = &change.target {
                    added.push(name.clone());
                }
                fits && (!change.samples.is_empty() || is_property(&change.target))
            });
            if !edit.changes.is_empty() {
                edits.push(edit);
            }
        }
        let lost = moved.values().filter(|to| to.is_none()).count();
        let aside = old.set_aside("before")?;
        let count = edits.len();
        for edit in edits {
            workspace.write(&edit)?;
        }
        Ok((workspace, Carried { edits: count, lost, unfit, aside }))
    }

    /// The dataset as it stands. A clone of it is a snapshot.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Raised by every edit, undo and redo: what is computed from the dataset is keyed by it.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Every edit ever made.
    pub fn history(&self) -> &History {
        self.journal.as_ref().map_or(&self.empty, Journal::history)
    }

    /// Where the project is, or will be, and whether that is away from the source.
    pub fn project(&self) -> (&Path, bool) {
        (&self.project, self.elsewhere)
    }

    /// Why nothing can be edited, where that is so.
    pub fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// How the source was asked to be read.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Makes an edit: durable first, then visible. O(samples touched).
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn edit(&mut self, edit: &Edit) -> Result<EditId, EditError> {
        if let Some(why) = &self.read_only {
            return Err(EditError::ReadOnly(why.clone()));
        }
        let rows = self.dataset.rows() + edit.makes();
        if let Some(id) = edit.samples().find(|id| id.row() >= rows) {
            return Err(EditError::Sample { row: u64::from(id.0), rows });
        }
        Ok(self.write(edit)?)
    }

    fn write(&mut self, edit: &Edit) -> Result<EditId, JournalError> {
        // Children of one parent stand side by side: what holds a picture is hashed once.
        let mut known: HashMap<SampleId, u64> = HashMap::new();
        let print = |id: SampleId| *known.entry(id).or_insert_with(|| self.dataset.content_hash(id));
        let prints: Vec<u64> = if edit.makes() > 0 {
            edit.samples().map(print).collect()
        } else {
            edit.samples().map(|id| self.dataset.content_hash(id)).collect()
        };
        let journal = match &mut self.journal {
            Some(journal) => journal,
            none => {
                let reading = serde_json::to_string(&self.reading).unwrap_or_default();
                let stored = Stored { fingerprint: self.dataset.base.origin.fingerprint, reading };
                none.insert(Journal::create(&self.project, stored)?)
            }
        };
        let id = journal.commit(edit, &prints)?;
        self.apply(edit, Direction::Forward);
        Ok(id)
    }

    fn apply(&mut self, edit: &Edit, direction: Direction) {
        edit.apply(&mut self.dataset, direction);
        for change in &edit.changes {
            match &change.target {
                Target::Cells(column) => {
                    self.update_classes(Some(column), &change.samples);
                    let children: Vec<SampleId> =
                        change.samples.iter().flat_map(|id| self.dataset.children(*id)).copied().collect();
                    self.update_classes(Some(column), &children);
                }
                Target::Made(_) => {
                    for (name, index) in &mut self.classes {
                        if let Some(field) = self.dataset.field(name) {
                            Arc::make_mut(index).follow_rows(&self.dataset, field);
                        }
                    }
                }
                Target::Excluded => self.update_classes(None, &change.samples),
                Target::Column(column) | Target::Role(column) | Target::Kind(column) => {
                    self.classes.remove(column);
                }
                Target::Reviewed | Target::Tag(_) => {}
            }
            // What an added column says (a split) settles nothing about what the source says.
            let settles = match &change.target {
                Target::Cells(column) => {
                    self.dataset.field(column).is_some_and(|field| self.dataset.fields()[field].source.is_some())
                }
                Target::Excluded | Target::Reviewed => true,
                _ => false,
            };
            for id in change.samples.iter().filter(|_| settles) {
                self.findings.settled.set(*id, direction == Direction::Forward);
                self.findings.open.set(None);
            }
        }
        self.revision += 1;
    }

    fn update_classes(&mut self, column: Option<&String>, samples: &[SampleId]) {
        // What a batch fills while it is undone is gone with it.
        let rows = self.dataset.rows();
        for (name, index) in &mut self.classes {
            if column.is_none_or(|column| column == name)
                && let Some(field) = self.dataset.field(name)
            {
                let index = Arc::make_mut(index);
                for id in samples.iter().filter(|id| id.row() < rows) {
                    index.update(&self.dataset, field, *id);
                }
            }
        }
    }

    /// Takes back the last edit; returns what it was.
    ///
    /// # Errors
    /// [`EditError::Nothing`], or the disk refuses; nothing has changed then.
    pub fn undo(&mut self) -> Result<String, EditError> {
        let head = self.history().head();
        let target = self.history().undo_target().ok_or(EditError::Nothing("undo"))?;
        self.go(target)?;
        Ok(self.history().node(head).map(|node| node.words.clone()).unwrap_or_default())
    }

    /// Makes the edit again that was taken back last; returns what it was.
    ///
    /// # Errors
    /// [`EditError::Nothing`], or the disk refuses; nothing has changed then.
    pub fn redo(&mut self) -> Result<String, EditError> {
        let target = self.history().redo_target().ok_or(EditError::Nothing("redo"))?;
        self.go(target)?;
        Ok(self.history().node(target).map(|node| node.words.clone()).unwrap_or_default())
    }

    /// Goes to any state of the history; 0 is the file as it was opened.
    ///
    /// # Errors
    /// The disk refuses, or an edit cannot be read; nothing has changed then.
    pub fn go(&mut self, target: EditId) -> Result<(), EditError> {
        if let Some(why) = &self.read_only {
            return Err(EditError::ReadOnly(why.clone()));
        }
        let Some(journal) = self.journal.as_mut().filter(|journal| journal.history().has(target)) else {
            return Err(EditError::Nothing("go to"));
        };
        let steps = journal.history().path_to(target);
        let edits: Vec<(Edit, Direction)> =
            steps.into_iter().map(|(id, direction)| Ok((journal.edit(id)?, direction))).collect::<Result<_, JournalError>>()?;
        journal.go(target)?;
        for (edit, direction) in edits {
            self.apply(&edit, direction);
        }
        Ok(())
    }

    /// What edit `id` changed.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn edit_at(&self, id: EditId) -> Result<Edit, EditError> {
        let journal = self.journal.as_ref().ok_or(EditError::Nothing("show"))?;
        Ok(journal.edit(id)?)
    }

    /// The classes of a column, where they have been read since its role last changed.
    pub fn classes(&self, column: &str) -> Option<&Arc<ClassIndex>> {
        self.classes.get(column)
    }

    /// Takes in classes that a job read at `revision`; stale ones are left out and must be read again.
    pub fn set_classes(&mut self, column: &str, revision: u64, index: ClassIndex) -> bool {
        let fresh = revision == self.revision;
        if fresh {
            self.classes.insert(column.to_owned(), Arc::new(index));
        }
        fresh
    }

    /// Reads the classes of every label column at once: for the command line and tests.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn read_classes(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        for (field, column) in self.dataset.fields().iter().enumerate() {
            if column.role.is_label() {
                let index = ClassIndex::build(&self.dataset, field, progress)?;
                self.classes.insert(column.name.to_string(), Arc::new(index));
            }
        }
        Ok(())
    }

    /// What checks have found.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Takes in what a check found at `revision`.
    pub fn set_findings(&mut self, revision: u64, list: Vec<Finding>) {
        let mut by_kind: HashMap<FindingKind, Vec<u32>> = HashMap::new();
        list.iter().zip(0..).for_each(|(finding, at)| by_kind.entry(finding.kind).or_default().push(at));
        let (settled, open) = (SampleSet::default(), Cell::new(None));
        self.findings = Findings { list: Arc::new(list), revision: Some(revision), settled, by_kind, open };
    }
}

/// Whether a change can be made on this dataset: its column is there (or was added by an edit before) and its values fit.
fn fits(dataset: &Dataset, added: &[String], change: &Change) -> bool {
    match &change.target {
        Target::Cells(column) if !added.contains(column) => {
            let Some(field) = dataset.field(column) else { return false };
            let column = &dataset.fields()[field];
            let accepts = |text: &str| {
                text == INHERITED || column.source.is_none_or(|source| dataset.base.columns[source].accepts(column.kind, text))
            };
            change.after.texts.iter().flatten().all(|text| accepts(text))
        }
        Target::Role(column) | Target::Kind(column) => added.contains(column) || dataset.field(column).is_some(),
        Target::Column(name) => dataset.field(name).is_none(),
        _ => true,
    }
}

/// The batch as the new file has it: children whose parents are there, numbered anew.
fn relocate_made(batch: &Batch, moved: &mut BTreeMap<SampleId, Option<SampleId>>, next: &mut usize) -> Change {
    let mut to = Batch {
        first: SampleId::at(*next),
        parents: Vec::new(),
        others: Vec::new(),
        draws: Vec::new(),
        risks: Vec::new(),
        distances: Vec::new(),
        ..batch.clone()
    };
    let found = |id: SampleId| moved.get(&id).copied().flatten();
    let mut places = Vec::new();
    for (at, id) in batch.ids().enumerate() {
        let parent = found(batch.parents[at]);
        let other = batch.others.get(at).map(|other| found(*other));
        if let (Some(parent), None | Some(Some(_))) = (parent, other) {
            places.push((id, Some(SampleId::at(*next))));
            *next += 1;
            to.parents.push(parent);
            to.others.extend(other.flatten());
            to.draws.push(batch.draws[at]);
            to.risks.extend(batch.risks.get(at));
            to.distances.extend(batch.distances.get(at));
        } else {
            places.push((id, None));
        }
    }
    // A number that another branch's child had before is this one's now.
    moved.extend(places);
    let samples = to.parents.iter().chain(&to.others).copied().collect();
    Change { target: Target::Made(to), samples, before: Values::same(None), after: Values::same(Some("on")) }
}

fn is_property(target: &Target) -> bool {
    matches!(target, Target::Column(_) | Target::Role(_) | Target::Kind(_))
}

fn relocate(change: &Change, moved: &mut BTreeMap<SampleId, Option<SampleId>>, next: &mut usize) -> Change {
    if let Target::Made(batch) = &change.target {
        return relocate_made(batch, moved, next);
    }
    let mut to = Change { samples: Vec::new(), ..change.clone() };
    to.before.codes.clear();
    to.after.codes.clear();
    for (at, id) in change.samples.iter().enumerate() {
        if let Some(Some(new)) = moved.get(id) {
            to.samples.push(*new);
            to.before.codes.extend(change.before.codes.get(at));
            to.after.codes.extend(change.after.codes.get(at));
        }
    }
    to
}
