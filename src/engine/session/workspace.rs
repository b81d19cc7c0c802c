//! Everything that is open: the dataset, its journal, its classes, its findings, and the revision that every edit raises.
//!
//! The only writer of data. An edit is durable in the journal before it shows; if the disk refuses, nothing has changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::carrying::{CarryWay, Moved, SamplePlaces, fits, is_property, rebased, relocated};
use super::findings::{Findings, FoundProblems};
use super::parts::{know_parts, read_part};
use crate::data::{ClassIndex, Dataset, Kind, PartSource, Property, Role, SampleId};
use crate::derive::Store;
use crate::edit::{
    Change, Direction, Edit, EditError, EditId, History, Journal, JournalError, KeptRun, Stored, Tally, Target, project_exists,
    project_path,
};
use crate::io::{self, IoError, Reading};
use crate::job::{Cancelled, Progress};
use crate::operate::{Recipe, RecipeError, SoFar};
use crate::train::{LONGEST_NAME, Run};

/// What happened to edits that were carried over to another version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Edits that were made again.
    pub edits: usize,
    /// Samples of edits that are not in the file any more.
    pub lost: usize,
    /// Parts of edits that do not fit the file any more: their column is gone, or its cells are of another kind.
    pub unfit: usize,
    /// Columns that are new in the file: samples were recognised without them.
    pub added: Vec<String>,
    /// Where the old project file is.
    pub aside: PathBuf,
}

/// Why nothing can be changed beside another process.
const BESIDE: &str = "another Lapidary has it open; close it there, then open it again here";

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
    /// What is worked out of it, and shared.
    derived: Arc<Store>,
    /// Models that were taught from it, in the order of their making.
    runs: Vec<NamedRun>,
    /// How many of its runs cannot be read: torn, or of a later Lapidary.
    unread_runs: usize,
    /// What checks found at first, and last of each day, in order.
    tallies: Vec<Tally>,
    empty: History,
}

/// A model that was taught from the dataset, as the project keeps it.
#[derive(Debug, Clone)]
pub struct NamedRun {
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    pub name: String,
    /// How often the samples that it was tested on have been looked at with it.
    pub look: i64,
    pub run: Arc<Run>,
}

/// The runs of a project, and how many cannot be read: torn, or of a later Lapidary. Those stay where they are.
fn runs_of(journal: &Journal) -> Result<(Vec<NamedRun>, usize), JournalError> {
    let read = |kept: KeptRun| {
        let run = Arc::new(Run::from_bytes(&kept.body)?);
        Some(NamedRun { id: kept.id, at: kept.at, name: kept.name, look: kept.look, run })
    };
    let (kept, torn) = journal.runs()?;
    let all = kept.len() + torn;
    let runs: Vec<NamedRun> = kept.into_iter().filter_map(read).collect();
    let unread = all - runs.len();
    Ok((runs, unread))
}

/// How the source of `path` was read when its project was begun, if it has one.
///
/// # Errors
/// [`JournalError`]: busy, foreign, newer, damaged.
pub fn stored_reading(path: &Path, fallback: Option<&Path>) -> Result<Option<Reading>, JournalError> {
    let (project, _) = project_path(path, fallback);
    Ok(Journal::peek(&project)?.and_then(|stored| serde_json::from_str(&stored.reading).ok()))
}

/// An edit of a project, as it is said of the dataset today.
fn edit_of(journal: &Journal, id: EditId, dataset: &Dataset) -> Result<Edit, JournalError> {
    Ok(io::named_edit(journal.edit(id)?, &dataset.base.noted))
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
        if project_exists(&workspace.project) {
            let (journal, beside) = match Journal::open(&workspace.project) {
                Err(JournalError::Busy(_)) => (Journal::open_beside(&workspace.project)?, true),
                other => (other?, false),
            };
            let origin = &workspace.dataset.base.origin;
            let read_alike =
                serde_json::from_str::<Reading>(&journal.stored().reading).is_ok_and(|stored| stored == workspace.reading);
            if journal.stored().fingerprint != origin.fingerprint || !read_alike {
                let edits = journal.history().nodes().len();
                return Err(JournalError::SourceChanged { source_path: origin.path.clone(), edits });
            }
            for id in journal.history().line(journal.history().head()) {
                let edit = edit_of(&journal, id, &workspace.dataset)?;
                know_parts(&mut workspace.dataset, &edit)?;
                edit.apply(&mut workspace.dataset, Direction::Forward);
            }
            if beside {
                workspace.read_only = Some(BESIDE.to_owned());
            } else if journal.is_newer() {
                workspace.read_only = Some("its project was made by a newer Lapidary: update to go on with it".to_owned());
            } else if journal.is_copy() {
                workspace.read_only = Some("its project cannot be written by you here".to_owned());
            }
            (workspace.runs, workspace.unread_runs) = runs_of(&journal)?;
            workspace.tallies = journal.beside()?.tallies;
            workspace.journal = Some(journal);
        }
        Ok(workspace)
    }

    /// Whether another process has its project open: this one looks at it.
    pub fn is_beside(&self) -> bool {
        self.read_only.as_deref() == Some(BESIDE)
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
            derived: Arc::default(),
            runs: Vec::new(),
            tallies: Vec::new(),
            unread_runs: 0,
            empty: History::default(),
        }
    }

    /// Makes the edits of a project again on another version of its file, or the same file read otherwise. Samples are
    /// recognised by content. The old project is moved aside and kept.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn carry(dataset: Dataset, reading: Reading, fallback: Option<&Path>) -> Result<(Self, Carried), JournalError> {
        Self::carry_by(dataset, reading, fallback, &CarryWay::Content)
    }

    /// The same, where `way` says how samples are recognised.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn carry_by(
        dataset: Dataset,
        reading: Reading,
        fallback: Option<&Path>,
        way: &CarryWay,
    ) -> Result<(Self, Carried), JournalError> {
        let mut workspace = Self::without_project(dataset, reading, fallback);
        workspace.read_only = None;
        let old = Journal::open(&workspace.project)?;
        old.may_be_moved()?;
        let line = old.history().line(old.history().head());
        let list: Vec<(Edit, Vec<u64>)> = line
            .into_iter()
            .map(|id| Ok((edit_of(&old, id, &workspace.dataset)?, old.prints(id)?)))
            .collect::<Result<_, JournalError>>()?;
        let beside = old.beside()?;
        drop(old);
        let wanted: HashSet<u64> = list.iter().flat_map(|(_, prints)| prints.iter().copied()).collect();
        let mut places = SamplePlaces::of(&workspace.dataset, &wanted);
        let mut moved = Moved::new();
        let (mut edits, mut unfit) = (Vec::new(), 0);
        for (edit, prints) in list {
            know_parts(&mut workspace.dataset, &edit)?;
            for (sample, print) in edit.samples().zip(prints) {
                let rows = workspace.dataset.base.rows;
                moved.entry(sample).or_insert_with(|| way.number(sample, rows).unwrap_or_else(|| places.take(print)));
            }
            let mut next = workspace.dataset.rows();
            let mut edit = relocated(edit, &mut moved, &mut next);
            edit.changes = std::mem::take(&mut edit.changes).into_iter().flat_map(|change| way.renamed(change)).collect();
            unfit += keep_fitting(&workspace.dataset, &mut edit);
            if *way != CarryWay::Content {
                let dataset = &workspace.dataset;
                edit.changes = std::mem::take(&mut edit.changes).into_iter().map(|change| rebased(dataset, change)).collect();
            }
            if !edit.changes.is_empty() {
                let hashes = prints_of(&workspace.dataset, &edit);
                edit.apply(&mut workspace.dataset, Direction::Forward);
                edits.push((edit, hashes));
            }
        }
        let lost = moved.values().filter(|to| to.is_none()).count();
        let (count, added) = (edits.len(), places.added);
        let stored = workspace.stored();
        let aside = Journal::replace(&workspace.project, &stored, edits, &beside, "before")?;
        let journal = Journal::open(&workspace.project)?;
        (workspace.runs, workspace.unread_runs) = runs_of(&journal)?;
        workspace.tallies = beside.tallies;
        workspace.journal = Some(journal);
        Ok((workspace, Carried { edits: count, lost, unfit, added, aside }))
    }

    /// Makes edits that were made on its first samples under another name, each once more. How many were made, and how many do not fit here.
    ///
    /// # Errors
    /// [`EditError`]: the disk refuses; what was made before stays.
    pub fn go_on_with(&mut self, edits: Vec<Edit>) -> Result<(usize, usize), EditError> {
        let (mut moved, mut taken, mut left) = (Moved::new(), 0, 0);
        for edit in edits {
            for sample in edit.samples() {
                moved.entry(sample).or_insert_with(|| (sample.row() < self.dataset.base.rows).then_some(sample));
            }
            let mut next = self.dataset.rows();
            let mut edit = relocated(edit, &mut moved, &mut next);
            left += keep_fitting(&self.dataset, &mut edit);
            if !edit.changes.is_empty() {
                self.edit(&edit)?;
                taken += 1;
            }
        }
        Ok((taken, left))
    }

    /// The models that were taught from it, in the order of their making.
    pub fn runs(&self) -> &[NamedRun] {
        &self.runs
    }

    /// How many runs of the project cannot be read: torn, or of a later Lapidary. They stay where they are.
    pub fn unread_runs(&self) -> usize {
        self.unread_runs
    }

    /// Keeps a run in the project, under a name that no other has. It is no edit: nothing of the data changes, and nothing of it is taken back. Its place among the runs.
    ///
    /// # Errors
    /// [`EditError`]: looked at only, or the disk refuses; nothing was kept then.
    pub fn keep_run(&mut self, run: Run, name: Option<&str>) -> Result<usize, EditError> {
        let looked = self.runs.iter().filter(|kept| kept.run.test_print == run.test_print).map(|kept| kept.look).max();
        let name = self.free_run_name(name.map_or_else(|| run.lesson.words(), ToOwned::to_owned));
        let kept = self.write_run(NamedRun { id: 0, at: 0, name, look: looked.unwrap_or(0) + 1, run: Arc::new(run) })?;
        self.runs.push(kept);
        Ok(self.runs.len() - 1)
    }

    /// Gives a run another name. What it is called then.
    ///
    /// # Errors
    /// As [`Workspace::keep_run`].
    pub fn rename_run(&mut self, id: i64, name: &str) -> Result<String, EditError> {
        let Some(at) = self.runs.iter().position(|kept| kept.id == id) else {
            return Err(EditError::Refused("this run is not there any more".to_owned()));
        };
        if name.trim() == self.runs[at].name || name.trim().is_empty() {
            return Ok(self.runs[at].name.clone());
        }
        let name = self.free_run_name(name.trim().to_owned());
        let renamed = self.write_run(NamedRun { name, ..self.runs[at].clone() })?;
        self.runs[at] = renamed;
        Ok(self.runs[at].name.clone())
    }

    fn free_run_name(&self, mut name: String) -> String {
        name.truncate(name.floor_char_boundary(LONGEST_NAME));
        let taken = |name: &str| self.runs.iter().any(|kept| kept.name == name);
        let numbered = (2..).map(|n| format!("{name} {n}"));
        std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
    }

    fn write_run(&mut self, named: NamedRun) -> Result<NamedRun, EditError> {
        if let Some(why) = &self.read_only {
            return Err(EditError::ReadOnly(why.clone()));
        }
        let body = named.run.to_bytes().map_err(EditError::Refused)?;
        let kept = KeptRun { id: named.id, at: named.at, name: named.name.clone(), look: named.look, body };
        let kept = self.journal()?.keep_run(kept)?;
        Ok(NamedRun { id: kept.id, at: kept.at, ..named })
    }

    /// The dataset as it stands. A clone of it is a snapshot.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Reads another source, so that its samples can be added as a part: the edit is [`Change::part`].
    ///
    /// # Errors
    /// As of opening it.
    pub fn read_part(&mut self, path: &Path, reading: &Reading, progress: &Progress) -> Result<PartSource, IoError> {
        read_part(&mut self.dataset, path, reading, progress)
    }

    /// The dataset as it was opened, before any edit.
    ///
    /// # Errors
    /// [`EditError`]: an edit cannot be read any more.
    pub fn untouched(&self) -> Result<Dataset, EditError> {
        let mut dataset = self.dataset.clone();
        let history = self.history();
        for id in history.line(history.head()).into_iter().rev() {
            self.edit_at(id)?.apply(&mut dataset, Direction::Back);
        }
        Ok(dataset)
    }

    /// The edits that are in force, as a recipe.
    ///
    /// # Errors
    /// [`RecipeError::Edit`]: an edit cannot be read.
    pub fn recipe(&self) -> Result<Recipe, RecipeError> {
        let (dataset, edits) = self.steps()?;
        Recipe::of(dataset, edits.into_iter().map(Ok))
    }

    /// What a recipe is written of: the dataset without its edits, and those in force.
    ///
    /// # Errors
    /// [`EditError`]: one cannot be read.
    pub fn steps(&self) -> Result<(Dataset, Vec<Edit>), EditError> {
        let history = self.history();
        let edits = history.line(history.head()).into_iter().map(|id| self.edit_at(id)).collect::<Result<_, _>>()?;
        Ok((self.untouched()?, edits))
    }

    /// Raised by every edit, undo and redo: what is computed from the dataset is keyed by it.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is worked out of the dataset once, and shared by all who need it.
    pub fn derived(&self) -> &Arc<Store> {
        &self.derived
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

    /// What was mended when the project was opened, in words.
    pub fn mended(&self) -> Option<&str> {
        self.journal.as_ref().and_then(Journal::mended)
    }

    /// That the project was brought into today's format on opening, in words.
    pub fn renewed(&self) -> Option<&str> {
        self.journal.as_ref().and_then(Journal::renewed)
    }

    /// How the source was asked to be read.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Reads a column as another kind without making an edit of it: for one run of a command.
    ///
    /// # Errors
    /// There is no such column, or its type is its source's own.
    pub fn assume_kind(&mut self, column: &str, kind: Kind) -> Result<(), EditError> {
        let change = Change::kind(&self.dataset, column, kind)?;
        let field = self.dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
        let typed = self.dataset.fields()[field].source.and_then(|source| self.dataset.base.columns[source].native_type());
        if let Some(own) = typed.filter(|_| change.is_some()) {
            return Err(EditError::Value {
                column: column.to_owned(),
                kind: format!("its source's {own}"),
                value: kind.name().to_owned(),
            });
        }
        self.dataset.set_kind(field, kind);
        Ok(())
    }

    /// Gives a column another role without making an edit of it: for one run of a command. What had a label's role so far has none.
    ///
    /// # Errors
    /// There is no such column.
    pub fn assume_role(&mut self, column: &str, role: Role) -> Result<(), EditError> {
        let field = self.dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
        for other in (0..self.dataset.fields().len()).filter(|other| *other != field) {
            if role.is_label() && self.dataset.fields()[other].role.is_label() {
                self.dataset.set_role(other, Role::Other);
            }
        }
        self.dataset.set_role(field, role);
        Ok(())
    }

    /// Makes an edit: durable first, then visible. O(samples touched).
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn edit(&mut self, edit: &Edit) -> Result<EditId, EditError> {
        let prints = prints_of(&self.dataset, edit);
        self.edit_with(edit, &prints)
    }

    /// Makes an edit whose samples' content hashes are known: those of the dataset as it is, in the edit's order.
    ///
    /// # Errors
    /// As [`Workspace::edit`].
    pub fn edit_with(&mut self, edit: &Edit, prints: &[u64]) -> Result<EditId, EditError> {
        if let Some(why) = &self.read_only {
            return Err(EditError::ReadOnly(why.clone()));
        }
        let rows = self.dataset.rows() + edit.makes();
        if let Some(id) = edit.samples().find(|id| id.row() >= rows) {
            return Err(EditError::Sample { row: u64::from(id.0), rows });
        }
        Ok(self.write(edit, prints)?)
    }

    /// What the project says of its source.
    fn stored(&self) -> Stored {
        let reading = serde_json::to_string(&self.reading).unwrap_or_default();
        Stored { fingerprint: self.dataset.base.origin.fingerprint, reading }
    }

    /// The project, begun where there is none yet.
    fn journal(&mut self) -> Result<&mut Journal, JournalError> {
        let stored = self.stored();
        Ok(match &mut self.journal {
            Some(journal) => journal,
            none => none.insert(Journal::create(&self.project, stored)?),
        })
    }

    fn write(&mut self, edit: &Edit, prints: &[u64]) -> Result<EditId, JournalError> {
        // What cannot be read is not committed.
        know_parts(&mut self.dataset, edit)?;
        let id = self.journal()?.commit(edit, prints)?;
        self.apply(edit, Direction::Forward);
        Ok(id)
    }

    fn apply(&mut self, edit: &Edit, direction: Direction) {
        edit.apply(&mut self.dataset, direction);
        for change in &edit.changes {
            self.follow_rename(change, direction);
            match &change.target {
                Target::Cells(column) => {
                    self.update_classes(Some(column), &change.samples);
                    let children: Vec<SampleId> =
                        change.samples.iter().flat_map(|id| self.dataset.children(*id)).copied().collect();
                    self.update_classes(Some(column), &children);
                }
                Target::Made(_) | Target::Part(_) => {
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
                Target::Property(name, of) => {
                    if let Some(column) = of.first().filter(|_| Property::from_name(name).is_some_and(Property::is_of_classes))
                        && let Some(index) = self.classes.get_mut(column)
                    {
                        Arc::make_mut(index).follow_properties(column, self.dataset.properties());
                    }
                    self.findings.follow_properties(self.dataset.properties());
                }
                Target::Reviewed | Target::Tag(_) => {}
            }
            // What an added column says (a split) settles nothing about what the source says.
            let settles = match &change.target {
                Target::Cells(column) => self.dataset.field(column).is_some_and(|field| self.dataset.fields()[field].is_given()),
                Target::Excluded => true,
                _ => false,
            };
            if settles {
                self.findings.set_edited(&change.samples, direction == Direction::Forward);
            }
            if change.target == Target::Reviewed {
                self.findings.set_reviewed(&change.samples, |id| self.dataset.is_reviewed(id));
            }
        }
        self.revision += 1;
    }

    /// Where all samples of a class get a name that none has, it is the same class.
    fn follow_rename(&mut self, change: &Change, direction: Direction) {
        let (before, after) = match direction {
            Direction::Forward => (&change.before, &change.after),
            Direction::Back => (&change.after, &change.before),
        };
        let Target::Cells(column) = &change.target else { return };
        let ([Some(from)], [Some(to)]) = (before.texts.as_slice(), after.texts.as_slice()) else { return };
        if let Some(index) = self.classes.get_mut(column)
            && index.class(to).is_none()
            && index.class(from).is_some_and(|class| index.has_just(class, change.samples.len()))
        {
            Arc::make_mut(index).rename(from, to);
        }
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
        let read = |(id, direction)| Ok((edit_of(journal, id, &self.dataset)?, direction));
        let edits: Vec<(Edit, Direction)> = steps.into_iter().map(read).collect::<Result<_, JournalError>>()?;
        for (edit, _) in edits.iter().filter(|(_, direction)| *direction == Direction::Forward) {
            know_parts(&mut self.dataset, edit)?;
        }
        journal.go(target)?;
        for (edit, direction) in edits {
            self.apply(&edit, direction);
        }
        Ok(())
    }

    /// The edit that takes back edit `id`, which others have followed: they must not touch what it touched.
    ///
    /// # Errors
    /// [`EditError::Nothing`] where it is not in force; [`EditError::Overlaid`] where a later edit touches its cells.
    pub fn reversal(&self, id: EditId) -> Result<Edit, EditError> {
        let line = self.history().line(self.history().head());
        let Some(at) = line.iter().position(|other| *other == id) else { return Err(EditError::Nothing("take back there")) };
        let edit = self.edit_at(id)?;
        let touched: Vec<HashSet<SampleId>> =
            edit.changes.iter().map(|change| change.samples.iter().copied().collect()).collect();
        for later in &line[at + 1..] {
            let other = self.edit_at(*later)?;
            let meets = edit
                .changes
                .iter()
                .zip(&touched)
                .any(|(mine, samples)| other.changes.iter().any(|theirs| mine.meets(theirs, samples)));
            if meets {
                let words = self.history().node(*later).map(|node| node.words.clone()).unwrap_or_default();
                return Err(EditError::Overlaid { by: words });
            }
        }
        let changes = edit.changes.iter().rev().map(Change::inverse);
        Edit::new(format!("Reverted: {}", edit.words), changes).ok_or(EditError::Nothing("take back"))
    }

    /// What edit `id` changed.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn edit_at(&self, id: EditId) -> Result<Edit, EditError> {
        let journal = self.journal.as_ref().ok_or(EditError::Nothing("show"))?;
        Ok(edit_of(journal, id, &self.dataset)?)
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
    pub fn set_findings(&mut self, revision: u64, found: FoundProblems) {
        self.findings = Findings::at(revision, found, self.dataset.reviewed().clone(), self.dataset.properties());
        self.keep_tally();
    }

    /// What was done and found since the project began.
    pub fn so_far(&self) -> SoFar {
        SoFar { work: self.history().work(), tallies: self.tallies.clone() }
    }

    /// Keeps how many findings there are, where there is a project and it says something else. That it cannot be kept loses nobody's work: nothing is said then.
    fn keep_tally(&mut self) {
        let tally = self.findings.tally();
        let known = self.tallies.last().is_some_and(|last| last.checks == tally.checks && last.found == tally.found);
        let Some(journal) = self.journal.as_mut().filter(|_| self.read_only.is_none() && !known) else { return };
        if let Ok(tally) = journal.keep_tally(tally) {
            tally.join(&mut self.tallies);
        }
    }
}

/// The content hashes of an edit's samples in a dataset, in the edit's order.
pub fn prints_of(dataset: &Dataset, edit: &Edit) -> Vec<u64> {
    if edit.makes() == 0 {
        let samples: Vec<SampleId> = edit.samples().collect();
        return samples.into_par_iter().map(|id| dataset.content_hash(id)).collect();
    }
    // Children of one parent stand side by side: what holds a picture is hashed once.
    let mut known: HashMap<SampleId, u64> = HashMap::new();
    edit.samples().map(|id| *known.entry(id).or_insert_with(|| dataset.content_hash(id))).collect()
}

/// Leaves out of an edit what does not fit a dataset, and what is of no sample any more. How many parts did not fit.
fn keep_fitting(dataset: &Dataset, edit: &mut Edit) -> usize {
    let added: Vec<String> = edit.changes.iter().filter_map(added_column).collect();
    let mut unfit = 0;
    edit.changes.retain(|change| {
        let of_added = matches!(&change.target, Target::Cells(column) | Target::Role(column) | Target::Kind(column)
            if added.contains(column) && dataset.field(column).is_none());
        let fits = of_added || fits(dataset, change);
        unfit += usize::from(!fits);
        fits && (!change.samples.is_empty() || is_property(&change.target))
    });
    unfit
}

fn added_column(change: &Change) -> Option<String> {
    if let Target::Column(name) = &change.target { Some(name.clone()) } else { None }
}
