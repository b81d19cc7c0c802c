//! Opening a dataset beside the window, with its project: as it is, read otherwise, carried over, recovered.

use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, Sender, unbounded};

use xxhash_rust::xxh3::xxh3_64;

use super::asked::News;
use super::carrying::CarryWay;
use super::comparing::SettledChanges;
use super::following::{follow, settle};
use super::opened::{Opened, Remedy};
use super::{Workspace, stored_reading};
use crate::data::{Dataset, SourceRead, things};
use crate::edit::{Edit, JournalError, Stored, adopt, orphans, project_path, recover};
use crate::io::{self, Reading};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};

/// What to do with a file.
#[derive(Clone)]
pub enum Begun {
    /// Open it as its project says, or as it seems to be.
    Open,
    /// Read it so.
    Read(Reading),
    /// Carry the project's edits over to it as it is now.
    Carry,
    /// Carry them over to another reading of it.
    CarryTo(Reading),
    /// Carry them over from the dataset as it was with its edits, also to rows that say something else now.
    /// What was settled of what differs comes on top.
    CarryFrom(Box<Dataset>, SettledChanges),
    /// Carry them over to it as it is now, by where samples were.
    /// The prints of its sources then: where one is another now, by content.
    CarryBy(CarryWay, Vec<(String, u64)>),
    /// Open it, and go on there with edits that were made on its first source, whose fingerprint was this.
    Continue(Vec<Edit>, u128),
    /// Save what can be read of its project first.
    Recover,
    /// Take over a project that was made for it under another name.
    Adopt(PathBuf),
    /// Open it however much memory it takes, short of what the machine has.
    Trusted,
}

/// A file on its way in.
pub struct Opening {
    run: Slot<PathBuf, Box<Opened>>,
    first: (Sender<Dataset>, Receiver<Dataset>),
    /// The first rows of what is being opened.
    rows: Option<Dataset>,
}

impl Default for Opening {
    fn default() -> Self {
        Self { run: Slot::new("open", Lane::Learning), first: unbounded(), rows: None }
    }
}

impl Opening {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.run
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.run
    }

    /// The first rows of what is being opened.
    pub fn rows(&self) -> Option<&Dataset> {
        self.rows.as_ref()
    }

    /// Starts opening a file; `fallback` is the folder of projects whose own folder cannot be written.
    pub fn open(&mut self, path: PathBuf, begun: Begun, fallback: PathBuf, desk: &Desk) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let first = self.first.0.clone();
        let at = path.clone();
        self.run.ask(desk, path, format!("Opening {name}"), move |progress| {
            let show = |dataset: Dataset| {
                // Nobody listening means that the window is closing.
                let _ = first.send(dataset);
            };
            open_file(&at, begun, &fallback, progress, &show).map(Box::new)
        });
    }

    /// Lets go of what is being opened.
    pub fn cancel(&mut self) {
        self.run.cancel();
        self.rows = None;
    }

    /// Takes in what has come.
    pub fn work(&mut self, desk: &Desk, news: &mut Vec<News>) {
        while let Ok(rows) = self.first.1.try_recv() {
            self.rows = Some(rows);
        }
        match self.run.take(desk) {
            Some(Came::Answer) => news.extend(self.run.take_answer().map(|(_, opened)| News::Opened(opened))),
            Some(Came::Failed(why)) => {
                let path = self.run.without().map(|(path, _)| path.clone()).unwrap_or_default();
                news.push(News::NotOpened(path, why));
            }
            None => {}
        }
        if !self.run.is_asked() {
            self.rows = None;
        }
    }
}

fn open_file(
    path: &Path,
    begun: Begun,
    fallback: &Path,
    progress: &Progress,
    preview: &dyn Fn(Dataset),
) -> Result<Opened, JobError> {
    let say = |error: &dyn std::fmt::Display| JobError::Failed(error.to_string());
    let (fallback, project) = (Some(fallback), io::dataset_path(path));
    // What a save that was killed left beside the dataset.
    io::remove_torn(project.parent().unwrap_or(Path::new(".")));
    let mut words = None;
    if matches!(begun, Begun::Recover) {
        words = Some(recovered(path, &project, fallback)?);
    }
    if let Begun::Adopt(orphan) = &begun {
        let to = adopt(orphan, &project, fallback).map_err(|error| say(&error))?;
        words = Some(format!("The edits are back; their project is {} now", to.display()));
    }
    if matches!(begun, Begun::Trusted) {
        io::set_max_memory(io::machine_memory() / 4 * 3);
    }
    let stored = stored_reading(&project, fallback);
    let reading = match &begun {
        Begun::Read(reading) | Begun::CarryTo(reading) => reading.clone(),
        _ => stored.as_ref().ok().cloned().flatten().unwrap_or_default(),
    };
    let dataset = io::open(path, &reading, progress, preview)?;
    match &begun {
        Begun::Carry | Begun::CarryTo(_) => return carried(dataset, reading, fallback, &CarryWay::Content, progress),
        Begun::CarryFrom(old, settled) => {
            let mut opened = carried(dataset, reading, fallback, &CarryWay::Content, progress)?;
            if let Some(more) = follow(&mut opened.workspace, old, progress)? {
                // What somebody may have to look at stands first.
                opened.words = opened.words.map(|words| format!("{more}. {words}"));
                opened.workspace.read_classes(progress)?;
            }
            if let Some(more) = settle(&mut opened.workspace, settled, progress)? {
                opened.words = opened.words.map(|words| format!("{more}. {words}"));
                opened.workspace.read_classes(progress)?;
            }
            return Ok(opened);
        }
        Begun::CarryBy(way, prints) if crate::edit::project_exists(&project_path(&project, fallback).0) => {
            let other = |source: &SourceRead| prints.iter().any(|(id, print)| *id == source.id && *print != source.print);
            let way = if dataset.base.sources.iter().any(other) { &CarryWay::Content } else { way };
            return carried(dataset, reading, fallback, way, progress);
        }
        _ => {}
    }
    let trouble = stored.err();
    let opened = match trouble {
        Some(error) => Err(error),
        None => Workspace::open(dataset.clone(), reading.clone(), fallback),
    };
    let (mut workspace, remedy) = match opened {
        Ok(workspace) => (workspace, None),
        Err(error) => {
            // The data open all the same, to look at; the project is untouched and the remedy is one click.
            words = Some(error.to_string());
            let remedy = match error {
                JournalError::SourceChanged { .. } => Some(Remedy::Carry),
                JournalError::Damaged { .. } => Some(Remedy::Recover),
                JournalError::Busy(_) => Some(Remedy::TryAgain),
                _ => None,
            };
            (Workspace::without_project(dataset, reading, fallback), remedy)
        }
    };
    if let Begun::Continue(edits, print) = begun
        && workspace.history().nodes().is_empty()
        && remedy.is_none()
    {
        words = gone_on(&mut workspace, edits, print)?;
    }
    workspace.read_classes(progress)?;
    let mut remedy = remedy;
    if workspace.is_beside() {
        let edits = things(workspace.history().depth(), "edit", "edits");
        words = Some(format!("Another window has this dataset open: here it is to be looked at, with the {edits} made so far"));
        remedy = Some(Remedy::TryAgain);
    }
    // A dataset that was renamed has left its project under its old name.
    if words.is_none() && workspace.history().nodes().is_empty() {
        let origin = &workspace.dataset().base.origin;
        if let Some(orphan) = orphans(&origin.path, origin.fingerprint).into_iter().next() {
            let name = orphan.file_name().unwrap_or_default().to_string_lossy().into_owned();
            words = Some(format!("{name} holds edits that were made on this very content under another name"));
            remedy = Some(Remedy::Adopt(orphan));
        }
    }
    Ok(Opened { workspace, words, remedy })
}

/// Opens a dataset with the edits of a project that was made on it as it was before.
fn carried(
    dataset: Dataset,
    reading: Reading,
    fallback: Option<&Path>,
    way: &CarryWay,
    progress: &Progress,
) -> Result<Opened, JobError> {
    let (mut workspace, carried) =
        Workspace::carry_by(dataset, reading, fallback, way).map_err(|error| JobError::Failed(error.to_string()))?;
    workspace.read_classes(progress)?;
    let unfit = if carried.unfit > 0 {
        format!("; {} not fit it", things(carried.unfit, "part of them does", "parts of them do"))
    } else {
        String::new()
    };
    let new = match carried.added.as_slice() {
        [] => String::new(),
        added => format!(" (samples were recognised without what is new: {})", added.join(", ")),
    };
    let lost = if carried.lost > 0 {
        format!("; {} not in the file any more", things(carried.lost, "of their samples is", "of their samples are"))
    } else {
        String::new()
    };
    let words = format!(
        "{} carried over{new}{lost}{unfit}. The old project is kept as {}.",
        things(carried.edits, "edit was", "edits were"),
        carried.aside.display()
    );
    Ok(Opened { workspace, words: Some(words), remedy: None })
}

/// Saves what can be read of a damaged project; in words.
fn recovered(path: &Path, project: &Path, fallback: Option<&Path>) -> Result<String, JobError> {
    let (project, _) = project_path(project, fallback);
    // Where the project does not say any more what it is of, it is of the dataset as it is.
    let source = io::fingerprint(&io::dataset_path(path))
        .ok()
        .map(|fingerprint| Stored { fingerprint, reading: serde_json::to_string(&Reading::default()).unwrap_or_default() });
    let (aside, saved, lost) = recover(&project, source).map_err(|error| JobError::Failed(error.to_string()))?;
    Ok(format!(
        "{} saved, {lost} could not be read; the damaged project is kept as {}",
        things(saved, "edit was", "edits were"),
        aside.display()
    ))
}

/// Goes on with the edits of what became the first source; in words, where there are any.
fn gone_on(workspace: &mut Workspace, edits: Vec<Edit>, print: u128) -> Result<Option<String>, JobError> {
    let first = workspace.dataset().base.sources.first().map(|source| source.print);
    if !edits.is_empty() && first != Some(xxh3_64(&print.to_le_bytes())) {
        let why = "The file has changed since it was opened: its edits stay in its own project. Open it, carry them over, and add the source again";
        return Err(JobError::Failed(why.to_owned()));
    }
    let (taken, left) = workspace.go_on_with(edits).map_err(|error| JobError::Failed(error.to_string()))?;
    let left_words = if left > 0 { format!("; {} not fit here", things(left, "does", "do")) } else { String::new() };
    Ok((taken + left > 0).then(|| format!("{} came along{left_words}", things(taken, "edit", "edits"))))
}
