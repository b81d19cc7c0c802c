//! Several sources as one dataset: their list, what of them could be joined, and how the list is changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Workspace;
use super::asked::{Need, News, Wants};
use crate::collect::{AlignmentProposal, SourceOverlap, propose_alignment, source_overlap};
use crate::data::{Dataset, Role, SampleId};
use crate::edit::{Edit, EditError};
use crate::io::{self, DatabaseAsked, IoError, Reading, SourcesFile};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};

/// The most classes of a column that are listed, and the most rows of a source that are looked at for them.
const MOST_CLASSES: usize = 200;
const SAMPLED: usize = 50_000;

/// The list of an open dataset of several sources, and what there is to decide.
#[derive(Debug, Clone)]
pub struct SourcesSight {
    pub list: SourcesFile,
    pub proposals: Vec<AlignmentProposal>,
    /// How much of one source stands in another.
    pub overlap: Option<SourceOverlap>,
    /// By column of classes, for each source in its order: its classes with their counts.
    pub classes: Vec<(String, Vec<BTreeMap<String, usize>>)>,
}

/// The open list.
pub struct Collecting {
    sight: Slot<(u128, u64), SourcesSight>,
}

impl Default for Collecting {
    fn default() -> Self {
        Self { sight: Slot::new("sources", Lane::Screen) }
    }
}

impl Collecting {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.sight
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.sight
    }

    /// What is known of the open list: the newest, while newer is worked out.
    pub fn shown(&self) -> Option<&SourcesSight> {
        self.sight.shown().map(|(_, sight)| sight)
    }

    /// Takes in what has come, and asks for what is missing.
    pub fn work(&mut self, workspace: &Workspace, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        if let Some(Came::Failed(why)) = self.sight.take(desk) {
            news.push(News::Failed("sources", why));
        }
        let dataset = workspace.dataset();
        let question = (dataset.base.origin.fingerprint, workspace.revision());
        if !wants.needs(Need::Sources) || dataset.base.sources.is_empty() || !self.sight.needs(&question) {
            return;
        }
        let snapshot = dataset.clone();
        self.sight.ask(desk, question, "Comparing the sources", move |progress| sight(&snapshot, progress));
    }
}

fn sight(dataset: &Dataset, progress: &Progress) -> Result<SourcesSight, JobError> {
    let list = io::read_sources(&dataset.base.origin.path).map_err(|error| JobError::Failed(error.to_string()))?;
    let proposals = propose_alignment(dataset, progress)?;
    let mut classes = Vec::new();
    for (field, column) in dataset.fields().iter().enumerate().filter(|(_, column)| column.role == Role::Label) {
        let mut by_source = Vec::new();
        for source in &dataset.base.sources {
            progress.check()?;
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            let step = (source.rows / SAMPLED).max(1);
            for row in (source.first..source.first + source.rows).step_by(step) {
                let Some(text) = dataset.text(field, SampleId::at(row)) else { continue };
                if counts.len() < MOST_CLASSES || counts.contains_key(&*text) {
                    *counts.entry(text.into_owned()).or_default() += 1;
                }
            }
            by_source.push(counts);
        }
        classes.push((column.name.to_string(), by_source));
    }
    let overlap = source_overlap(dataset, progress)?;
    Ok(SourcesSight { list, proposals, overlap, classes })
}

/// Where the list of a dataset lies, or would: beside its file.
pub fn list_path(dataset: &Dataset) -> PathBuf {
    let path = &dataset.base.origin.path;
    if !dataset.base.sources.is_empty() {
        return path.clone();
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let free = |name: &String| !folder.join(name).exists();
    let names = std::iter::once(format!("{stem}.sources.json")).chain((2..1_000).map(|n| format!("{stem} {n}.sources.json")));
    folder.join(names.into_iter().find(free).unwrap_or_else(|| format!("{stem}.sources.json")))
}

/// The list with more sources: of a dataset that is no list yet, with itself first. Paths that it has already are left out.
///
/// # Errors
/// [`IoError`]: the list cannot be read.
pub fn list_with(dataset: &Dataset, reading: &Reading, more: &[PathBuf]) -> Result<SourcesFile, IoError> {
    let at = list_path(dataset);
    let root = at.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut list = if dataset.base.sources.is_empty() {
        let mut list = SourcesFile::default();
        list.add(&io::path_from(root, &dataset.base.origin.path), reading);
        list
    } else {
        io::read_sources(&at)?
    };
    for path in more {
        let named = io::path_from(root, path);
        if !list.sources.iter().any(|source| source.read == named) {
            list.add(&named, &Reading::default());
        }
    }
    Ok(list)
}

/// The list with one more source, a database.
///
/// # Errors
/// [`IoError`]: the list cannot be read.
pub fn list_with_database(
    dataset: Option<(&Dataset, &Reading)>,
    read: &str,
    asked: &DatabaseAsked,
) -> Result<SourcesFile, IoError> {
    let mut list = dataset.map_or_else(|| Ok(SourcesFile::default()), |(dataset, reading)| list_with(dataset, reading, &[]))?;
    if !list.sources.iter().any(|known| known.read == read && known.connection().as_ref() == Some(asked)) {
        let id = list.add(read, &Reading { sheet: asked.table.clone(), ..Reading::default() });
        let entry = list.sources.iter_mut().find(|entry| entry.id == id);
        entry.into_iter().for_each(|entry| entry.options.query.clone_from(&asked.query));
    }
    Ok(list)
}

/// The edits that are in force, in their order.
///
/// # Errors
/// [`EditError`]: one cannot be read.
pub fn edits_in_force(workspace: &Workspace) -> Result<Vec<Edit>, EditError> {
    let history = workspace.history();
    history.line(history.head()).into_iter().map(|id| workspace.edit_at(id)).collect()
}
