//! Another version beside the open dataset: what differs, or, with the version that both came from, what each changed; and what is taken over, as one edit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Workspace;
use super::asked::News;
use super::workspace::stored_reading;
use crate::collect::{CollectError, MergePlan, difference, key_of, merge, paired};
use crate::data::{Dataset, SampleId, things};
use crate::edit::{Edit, EditError};
use crate::io;
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};
use crate::operate::merge_edit;

/// The most differences that are listed: more are not read one by one.
const MOST: usize = 100_000;

/// The next comparison.
static TURNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

/// How two versions differ in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiffKind {
    /// Both changed it, each otherwise; or one removed what the other changed.
    Conflict,
    /// A cell says something else there.
    Changed,
    /// A row is only there.
    Added,
    /// A row is only here.
    Removed,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffItem {
    pub kind: DiffKind,
    /// The row here and there.
    pub ours: Option<SampleId>,
    pub theirs: Option<SampleId>,
    pub column: Option<String>,
    /// What it was before both, is here, and is there.
    pub cells: [Option<String>; 3],
}

/// Whose version of a difference is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffChoice {
    Ours,
    Theirs,
    Base,
}

/// Two versions, or three, compared.
pub struct ComparedVersions {
    pub other: Dataset,
    /// What both came from, where somebody named it.
    pub base: Option<Dataset>,
    /// Whether the other is the open file as it is on the disk now; then both came from what was read of it.
    pub is_own: bool,
    /// Which comparison it is: no two have the same.
    pub turn: u64,
    /// In one line.
    pub words: String,
    pub items: Vec<DiffItem>,
    /// How many more there are than are listed.
    pub more: usize,
    /// Columns that only the other has, and that it has no more.
    pub columns: Vec<String>,
    pub columns_gone: Vec<String>,
    /// Rows that are in both.
    pairs: Vec<(SampleId, SampleId)>,
}

/// What of a file that has changed is to be otherwise than it is there: by its rows in the file as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettledChanges {
    pub cells: Vec<(SampleId, String, Option<String>)>,
    /// New rows that are not to be used.
    pub excluded: Vec<SampleId>,
}

/// What is compared: the other version, what both came from, and the state here.
type CompareQuestion = (PathBuf, Option<PathBuf>, u64);

/// The comparison that is on screen.
pub struct Comparing {
    run: Slot<CompareQuestion, Arc<ComparedVersions>>,
    /// The other version, what both came from, and the folder of projects whose own cannot be written.
    asked: Option<(PathBuf, Option<PathBuf>, PathBuf)>,
}

impl Default for Comparing {
    fn default() -> Self {
        Self { run: Slot::new("compare", Lane::Learning), asked: None }
    }
}

impl Comparing {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.run
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.run
    }

    /// What was compared last, where that is what is asked, of the data as they are.
    pub fn shown(&self, revision: u64) -> Option<&ComparedVersions> {
        let (other, base, _) = self.asked.as_ref()?;
        let (_, versions) = self.run.shown().filter(|((of, from, at), _)| of == other && from == base && *at == revision)?;
        Some(versions)
    }

    /// Why nothing could be compared.
    pub fn trouble(&self) -> Option<&str> {
        self.run.trouble()
    }

    /// Asks for a comparison; none for no more.
    pub fn ask(&mut self, asked: Option<(PathBuf, Option<PathBuf>, PathBuf)>) {
        // A version that was looked at may be another by now.
        self.run.cancel();
        self.run.clear();
        self.asked = asked;
    }

    /// Takes in what has come, and compares anew where the data have changed since.
    pub fn work(&mut self, workspace: &Workspace, desk: &Desk, news: &mut Vec<News>) {
        if let Some(Came::Failed(why)) = self.run.take(desk) {
            news.push(News::Failed("compare", why));
        }
        let Some((other, base, fallback)) = &self.asked else { return };
        let question = (other.clone(), base.clone(), workspace.revision());
        if !self.run.needs(&question) {
            return;
        }
        let (ours, fallback) = (workspace.dataset().clone(), fallback.clone());
        let (other, base) = (question.0.clone(), question.1.clone());
        let is_own = other == ours.base.origin.path;
        let reading = workspace.reading().clone();
        self.run.ask(desk, question, "Comparing versions", move |progress| {
            if is_own {
                let now = io::open(&other, &reading, progress, &|_| {})?;
                let mut versions = compared(&ours, now, Some(ours.as_read()), progress)?;
                versions.is_own = true;
                return Ok(Arc::new(versions));
            }
            let other = version(&other, &fallback, progress)?;
            let base = base.map(|path| version(&path, &fallback, progress)).transpose()?;
            compared(&ours, other, base, progress).map(Arc::new)
        });
    }
}

/// A version as its file and its project have it.
fn version(path: &Path, fallback: &Path, progress: &Progress) -> Result<Dataset, JobError> {
    let say = |error: &dyn std::fmt::Display| JobError::Failed(error.to_string());
    let reading = stored_reading(&io::dataset_path(path), Some(fallback)).map_err(|error| say(&error))?.unwrap_or_default();
    let dataset = io::open(path, &reading, progress, &|_| {}).map_err(|error| say(&error))?;
    Ok(Workspace::open(dataset, reading, Some(fallback)).map_err(|error| say(&error))?.dataset().clone())
}

/// Compares versions.
///
/// # Errors
/// [`JobError`].
fn compared(ours: &Dataset, other: Dataset, base: Option<Dataset>, progress: &Progress) -> Result<ComparedVersions, JobError> {
    let failed = |error: CollectError| match error {
        CollectError::Cancelled => JobError::Cancelled,
        error => JobError::Failed(error.to_string()),
    };
    let key = key_of(ours, &other);
    let mut items = Vec::new();
    let gone = |id: SampleId, kind| DiffItem {
        kind,
        ours: (kind == DiffKind::Removed).then_some(id),
        theirs: (kind == DiffKind::Added).then_some(id),
        column: None,
        cells: [None, None, None],
    };
    let (words, columns, columns_gone, removed, added, pairs);
    if let Some(base) = &base {
        let plan = merge((base, ours, &other), &key, None, progress).map_err(failed)?;
        for conflict in &plan.conflicts {
            items.push(DiffItem {
                kind: DiffKind::Conflict,
                ours: conflict.ours,
                theirs: conflict.theirs,
                column: conflict.column.clone(),
                cells: conflict.cells.clone(),
            });
        }
        for (id, column, text) in &plan.cells {
            let own = ours.field(column).and_then(|field| ours.text(field, *id)).map(std::borrow::Cow::into_owned);
            items.push(DiffItem {
                kind: DiffKind::Changed,
                ours: Some(*id),
                theirs: None,
                column: Some(column.clone()),
                cells: [own.clone(), own, text.clone()],
            });
        }
        words = format!(
            "{} changed there only, {} came, {} went; {}",
            things(plan.cells.len(), "cell was", "cells were"),
            things(plan.added.len(), "row", "rows"),
            things(plan.removed.len(), "row", "rows"),
            things(plan.conflicts.len(), "conflict", "conflicts")
        );
        (columns, columns_gone, removed, added) = (plan.columns, plan.columns_removed, plan.removed, plan.added);
        pairs = paired(ours, &other, &key, progress).map_err(failed)?.pairs;
    } else {
        let found = difference(ours, &other, &key, progress).map_err(failed)?;
        words = found.words();
        for change in found.changes {
            let cells = [None, change.before, change.after];
            items.push(DiffItem {
                kind: DiffKind::Changed,
                ours: Some(change.rows.0),
                theirs: Some(change.rows.1),
                column: Some(change.column),
                cells,
            });
        }
        (columns, columns_gone) = (found.columns_added, found.columns_removed);
        (removed, added, pairs) = (found.rows.removed, found.rows.added, found.rows.pairs);
    }
    items.extend(added.iter().map(|id| gone(*id, DiffKind::Added)));
    items.extend(removed.iter().map(|id| gone(*id, DiffKind::Removed)));
    let more = items.len().saturating_sub(MOST);
    items.truncate(MOST);
    let turn = TURNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Ok(ComparedVersions { other, base, is_own: false, turn, words, items, more, columns, columns_gone, pairs })
}

impl ComparedVersions {
    /// How many differences there are of each kind and column.
    pub fn counts(&self) -> BTreeMap<(DiffKind, Option<&str>), usize> {
        let mut counts = BTreeMap::new();
        for item in &self.items {
            *counts.entry((item.kind, item.column.as_deref())).or_default() += 1;
        }
        counts
    }

    /// Whether a difference is of a cell that was there before both.
    pub fn has_before(&self, item: &DiffItem) -> bool {
        let both = item.kind != DiffKind::Conflict || item.ours.is_some() && item.theirs.is_some();
        self.base.is_some() && item.column.is_some() && both
    }

    /// What is taken where nobody says: with the version that both came from, what only the other changed; else what is here.
    pub fn usual(&self, item: &DiffItem) -> Option<DiffChoice> {
        match (self.base.is_some(), item.kind) {
            (true, DiffKind::Conflict) => None,
            (true, _) => Some(DiffChoice::Theirs),
            (false, _) => Some(DiffChoice::Ours),
        }
    }

    /// The edit that takes over what was chosen; a difference's choice by its place in the list. `columns`: also columns that only the other has.
    ///
    /// # Errors
    /// [`EditError`]: a conflict is not settled, or a cell does not fit.
    pub fn edit(
        &self,
        ours: &Dataset,
        choice: impl Fn(usize) -> Option<DiffChoice>,
        columns: bool,
    ) -> Result<Option<Edit>, EditError> {
        if self.more > 0 && self.base.is_some() {
            let why = "there are too many differences to be taken here, where not all are listed: lapidary merge does it";
            return Err(EditError::Refused(why.to_owned()));
        }
        let mut plan = MergePlan::default();
        for (at, item) in self.items.iter().enumerate() {
            let chosen = choice(at).or_else(|| self.usual(item));
            let Some(chosen) = chosen else {
                return Err(EditError::Refused("a conflict is not settled yet: choose whose version stays".to_owned()));
            };
            let theirs = chosen == DiffChoice::Theirs;
            match (item.kind, item.ours, item.theirs, &item.column) {
                (DiffKind::Added, _, Some(id), _) if theirs => plan.added.push(id),
                (DiffKind::Removed, Some(id), ..) if theirs => plan.removed.push(id),
                // One side removed the column that the other wrote to.
                (DiffKind::Conflict, Some(_), None, Some(column)) if theirs => plan.columns_removed.push(column.clone()),
                (DiffKind::Conflict, None, Some(_), Some(column)) if theirs => plan.columns.push(column.clone()),
                (DiffKind::Conflict, None, _, Some(_)) | (DiffKind::Conflict, _, None, Some(_)) => {}
                (DiffKind::Changed | DiffKind::Conflict, Some(id), _, Some(column)) if chosen != DiffChoice::Ours => {
                    let cell = &item.cells[if theirs { 2 } else { 0 }];
                    plan.cells.push((id, column.clone(), cell.clone()));
                }
                // One side removed the row that the other changed.
                (DiffKind::Conflict, Some(id), None, None) if theirs => plan.removed.push(id),
                (DiffKind::Conflict, None, Some(id), None) if theirs => plan.added.push(id),
                _ => {}
            }
        }
        let back = plan.columns.clone();
        self.column_cells(&back, &mut plan);
        if columns && self.base.is_some() {
            // Its cells are among the differences.
            plan.columns.extend(self.columns.iter().cloned());
            plan.columns_removed.extend(self.columns_gone.iter().cloned());
        } else if columns {
            plan.columns.extend(self.columns.iter().cloned());
            self.column_cells(&self.columns, &mut plan);
        }
        plan.cells.retain(|(_, column, _)| ours.field(column).is_some() || plan.columns.contains(column));
        merge_edit(ours, &self.other, &plan, &Progress::silent()).map_err(|error| EditError::Refused(error.to_string()))
    }

    /// What was chosen of a file that has changed, by its rows as they are now; a difference's choice by its place in the list.
    ///
    /// # Errors
    /// [`EditError`]: a conflict is not settled, or a row is to stay that the file has no more.
    pub fn settled(&self, choice: impl Fn(usize) -> Option<DiffChoice>) -> Result<SettledChanges, EditError> {
        let there: BTreeMap<SampleId, SampleId> = self.pairs.iter().copied().collect();
        let mut settled = SettledChanges::default();
        for (at, item) in self.items.iter().enumerate() {
            let chosen = choice(at).or_else(|| self.usual(item));
            let Some(chosen) = chosen else {
                return Err(EditError::Refused("a conflict is not settled yet: choose whose version stays".to_owned()));
            };
            if chosen == DiffChoice::Theirs {
                continue;
            }
            let now = item.theirs.or_else(|| there.get(&item.ours?).copied());
            match (item.kind, now, &item.column) {
                (DiffKind::Added, Some(id), _) => settled.excluded.push(id),
                (DiffKind::Changed | DiffKind::Conflict, Some(id), Some(column)) => {
                    let was = chosen == DiffChoice::Base && item.kind == DiffKind::Conflict;
                    settled.cells.push((id, column.clone(), item.cells[usize::from(!was)].clone()));
                }
                _ => {
                    let why = "a row that the file has no more cannot stay: take it as there; its edits stay in the old project, which is kept";
                    return Err(EditError::Refused(why.to_owned()));
                }
            }
        }
        Ok(settled)
    }

    /// The cells of columns that only the other has, for rows that both have.
    fn column_cells(&self, names: &[String], plan: &mut MergePlan) {
        for name in names {
            let Some(field) = self.other.field(name) else { continue };
            for (own, there) in &self.pairs {
                if let Some(text) = self.other.text(field, *there) {
                    plan.cells.push((*own, name.clone(), Some(text.into_owned())));
                }
            }
        }
    }
}
