//! Opening a dataset beside the window, with its project: as it is, read otherwise, carried over, recovered.

use std::path::{Path, PathBuf};

use egui::Context;

use super::App;
use super::work::Done;
use crate::action::Action;
use crate::data::Dataset;
use crate::edit::{JournalError, Stored, adopt, orphans, project_path, recover};
use crate::io::{self, Reading};
use crate::job::{JobError, Progress};
use crate::ui::Visible;
use crate::ui::making::AugmentForm;
use crate::workspace::{Workspace, stored_reading};

/// A dataset that was opened, and what there is to say about it.
pub struct Opened {
    workspace: Workspace,
    words: Option<String>,
    remedy: Option<(String, Action)>,
}

/// What to do with a file.
#[derive(Debug, Clone)]
pub enum Begun {
    /// Open it as its project says, or as it seems to be.
    Open,
    /// Read it so.
    Read(Reading),
    /// Carry the project's edits over to it as it is now.
    Carry,
    /// Carry them over to another reading of it.
    CarryTo(Reading),
    /// Save what can be read of its project first.
    Recover,
    /// Take over a project that was made for it under another name.
    Adopt(PathBuf),
    /// Open it however much memory it takes, short of what the machine has.
    Trusted,
}

impl App {
    /// Starts opening a file. What was open stays until it has succeeded.
    pub(super) fn open(&mut self, path: PathBuf, begun: Begun) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.opening = Some(path.clone());
        let fallback = self.folders.projects();
        let preview = self.preview.0.clone();
        // A project is locked by whoever has it open: let go of it before the same file is opened again.
        let true_path = io::dataset_path(&path);
        let same = |workspace: &Workspace| {
            std::path::absolute(&workspace.dataset().base.origin.path).ok() == std::path::absolute(&true_path).ok()
        };
        if self.workspace.as_ref().is_some_and(same) {
            self.workspace = None;
            self.forget_results();
        }
        self.jobs.start("open", format!("Opening {name}"), move |progress| {
            let first = |dataset: Dataset| {
                // Nobody listening means that the window is closing.
                let _ = preview.send(dataset);
            };
            open_file(&path, begun, &fallback, progress, &first).map(|opened| Done::Opened(Box::new(opened)))
        });
    }

    pub(super) fn opened(&mut self, ctx: &Context, opened: Opened) {
        self.previewed = None;
        self.stop_working();
        self.state.leave_dataset();
        self.forget_results();
        let workspace = opened.workspace;
        self.settings.recent.retain(|path| path.exists());
        self.settings.opened(&workspace.dataset().base.origin.path);
        let _ = self.settings.save(&self.folders);
        if let Some(columns) = self.settings.table(&workspace.dataset().base.origin.path) {
            self.state.table.columns = columns.to_vec();
            self.state.table.arranged = true;
        }
        self.memo.visible = Visible::All(workspace.dataset().rows());
        let edits = workspace.history().depth();
        let warnings = workspace.dataset().base.warnings.len();
        let (project, elsewhere) = workspace.project();
        let project = project.display().to_string();
        self.state.gallery.on = workspace.dataset().pictures().is_some();
        self.state.augment = AugmentForm::of(workspace.dataset());
        self.stamp = io::file_stamp(&workspace.dataset().base.origin.path);
        let (mended, renewed) = (workspace.mended().map(ToOwned::to_owned), workspace.renewed().map(ToOwned::to_owned));
        self.workspace = Some(workspace);
        self.begin_pictures();
        self.name_model();
        self.notices.clear();
        if elsewhere && opened.words.is_none() {
            self.say(ctx, format!("This file's folder cannot be written: its edits are kept in {project}"));
        }
        if warnings > 0 {
            self.say(ctx, format!("{warnings} lines could not be read as they stand; Collect lists them"));
        }
        if edits > 0 && opened.words.is_none() {
            self.say(ctx, format!("Your {edits} edits are back"));
        }
        if let Some(words) = renewed {
            self.say(ctx, words);
        }
        if let Some(words) = mended {
            self.notice(ctx, words, true, Some(("Look for more".to_owned(), Action::Recover)));
        }
        if let Some(words) = opened.words {
            let bad = opened.remedy.as_ref().is_some_and(|(_, action)| !matches!(action, Action::Adopt(_)));
            self.notice(ctx, words, bad, opened.remedy);
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
        let (project, _) = project_path(&project, fallback);
        // Where the project does not say any more what it is of, it is of the dataset as it is.
        let source = io::fingerprint(&io::dataset_path(path))
            .ok()
            .map(|fingerprint| Stored { fingerprint, reading: serde_json::to_string(&Reading::default()).unwrap_or_default() });
        let (aside, saved, lost) = recover(&project, source).map_err(|error| say(&error))?;
        words =
            Some(format!("{saved} edits saved, {lost} could not be read; the damaged project is kept as {}", aside.display()));
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
    if matches!(begun, Begun::Carry | Begun::CarryTo(_)) {
        let (mut workspace, carried) = Workspace::carry(dataset, reading, fallback).map_err(|error| say(&error))?;
        workspace.read_classes(progress)?;
        let unfit = if carried.unfit > 0 { format!("; {} parts of them do not fit it", carried.unfit) } else { String::new() };
        let new = match carried.added.as_slice() {
            [] => String::new(),
            added => format!(" (samples were recognised without what is new: {})", added.join(", ")),
        };
        let lost = if carried.lost > 0 {
            format!("; {} of their samples are not in the file any more", carried.lost)
        } else {
            String::new()
        };
        let words = format!(
            "{} edits carried over{new}{lost}{unfit}. The old project is kept as {}",
            carried.edits,
            carried.aside.display()
        );
        return Ok(Opened { workspace, words: Some(words), remedy: None });
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
                JournalError::SourceChanged { .. } => Some(("Carry edits over".to_owned(), Action::Carry)),
                JournalError::Damaged { .. } => Some(("Save what can be read".to_owned(), Action::Recover)),
                JournalError::Busy(_) => Some(("Try again".to_owned(), Action::Open(path.to_owned()))),
                _ => None,
            };
            (Workspace::without_project(dataset, reading, fallback), remedy)
        }
    };
    workspace.read_classes(progress)?;
    // A dataset that was renamed has left its project under its old name.
    let (mut words, mut remedy) = (words, remedy);
    if words.is_none() && workspace.history().nodes().is_empty() {
        let origin = &workspace.dataset().base.origin;
        if let Some(orphan) = orphans(&origin.path, origin.fingerprint).into_iter().next() {
            let name = orphan.file_name().unwrap_or_default().to_string_lossy().into_owned();
            words = Some(format!("{name} holds edits that were made on this very content under another name"));
            remedy = Some(("Take them over".to_owned(), Action::Adopt(orphan)));
        }
    }
    Ok(Opened { workspace, words, remedy })
}
