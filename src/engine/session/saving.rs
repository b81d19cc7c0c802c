//! What is being saved: one after the other, each of the dataset as it was when it was asked for. Nothing stops a save but somebody who says so.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::asked::News;
use super::watching::ShownBatch;
use crate::checks::Finding;
use crate::data::{Dataset, count, count_samples, things};
use crate::edit::Edit;
use crate::eye::{HandError, TrainerTarget, dry_report, dry_run, hand_over, rows_of};
use crate::io::{self, ChatModel, ImageTarget, Reading, Rows, SaveTarget};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};
use crate::operate::{CardWords, HubError, Recipe, SoFar, data_card, health_report, hub_folder, save_each_source, watch_page};
use crate::passes::{LocalEngine, PassError, PassNews, PassRun, Work, run_passes};

/// Something to be saved.
pub enum Save {
    /// Files that belong together: one, or the parts of a split.
    Files(Vec<(Rows, SaveTarget)>),
    /// What was found, as a page: the health of the dataset, or its card.
    Page { path: PathBuf, findings: Vec<Finding>, so_far: SoFar, told: Vec<String>, card: bool },
    /// A folder that Hugging Face's `datasets` loads: the one named where it is new or empty, else a new one below it.
    Hub { folder: PathBuf, findings: Vec<Finding>, told: Vec<String> },
    /// Each file of each source by itself: in the folder named where it is new or empty, else in a new one below it.
    EachSource { folder: PathBuf },
    /// The steps that were made here, over a folder of any size, file by file: into the folder named where it is new, empty or begun, else a new one below it.
    Run { edits: Vec<Edit>, input: PathBuf, folder: PathBuf },
    /// The steps that were made here, as a recipe; with a folder for a trainer at its end.
    Recipe { edits: Vec<Edit>, path: PathBuf, export: Option<TrainerTarget> },
    /// What a trainer makes of the dataset, as a page.
    DryRun { path: PathBuf, target: TrainerTarget },
    /// A batch of new data, as a page.
    Batch { path: PathBuf, shown: Arc<ShownBatch> },
    /// A folder that a trainer takes whole: the one named where it is new or empty, else a new one below it.
    HandOver { target: TrainerTarget, folder: PathBuf },
    /// A folder of images, by part.
    Images(Vec<(String, Rows)>, ImageTarget),
}

/// Saves under way and waiting.
pub struct Saving {
    waiting: VecDeque<(Dataset, Save)>,
    run: Slot<u64, Vec<String>>,
    count: u64,
}

impl Default for Saving {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), run: Slot::new("export", Lane::Learning), count: 0 }
    }
}

impl Saving {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.run
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.run
    }

    /// Saves after what waits already.
    pub fn add(&mut self, snapshot: Dataset, save: Save, desk: &Desk) {
        self.waiting.push_back((snapshot, save));
        self.next(desk);
    }

    /// Whether a save runs, waits, or is being stopped: it puts away what it began.
    pub fn is_at_work(&self) -> bool {
        self.run.is_at_work() || !self.waiting.is_empty()
    }

    /// Stops the save under way, and lets go of those that wait.
    pub fn stop_all(&mut self) {
        self.waiting.clear();
        self.run.stop();
    }

    /// Takes in what has come, and begins what waits.
    pub fn work(&mut self, desk: &Desk, news: &mut Vec<News>) {
        match self.run.take(desk) {
            Some(Came::Answer) => news.extend(self.run.take_answer().map(|(_, words)| News::Saved(words))),
            Some(Came::Failed(why)) => news.push(News::Failed("export", why)),
            None => {}
        }
        self.next(desk);
    }

    /// Begins the next save once none runs: a second one does not take the first one's place.
    fn next(&mut self, desk: &Desk) {
        if self.run.is_at_work() {
            return;
        }
        let Some((snapshot, save)) = self.waiting.pop_front() else { return };
        self.count += 1;
        match save {
            Save::Files(list) => self.run.ask(desk, self.count, "Saving", move |progress| files(&snapshot, &list, progress)),
            Save::Hub { folder, findings, told } => {
                self.run.ask(desk, self.count, "Writing a Hugging Face folder", move |progress| {
                    let folder = if io::entries_of(&folder).is_empty() { folder } else { folder.join("hugging-face") };
                    let words = CardWords { made: told, unchecked: findings.is_empty(), ..CardWords::default() };
                    let done = hub_folder(&snapshot, &findings, &words, &folder, progress).map_err(|error| match error {
                        HubError::Cancelled => JobError::Cancelled,
                        error => JobError::Failed(error.to_string()),
                    })?;
                    Ok(done.words(&folder))
                });
            }
            Save::EachSource { folder } => self.run.ask(desk, self.count, "Saving each source", move |progress| {
                let folder = if io::entries_of(&folder).is_empty() { folder } else { folder.join("sources") };
                Ok(save_each_source(&snapshot, &folder, progress)?)
            }),
            Save::Run { edits, input, folder } => {
                let name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.run.ask(desk, self.count, format!("Running over {name}"), move |progress| {
                    let recipe =
                        Recipe::of(snapshot, edits.into_iter().map(Ok)).map_err(|error| JobError::Failed(error.to_string()))?;
                    run_over(recipe, &input, folder, &name, progress)
                });
            }
            Save::Recipe { edits, path, export } => self.run.ask(desk, self.count, "Writing the recipe", move |_| {
                let recipe = Recipe::of(snapshot.clone(), edits.into_iter().map(Ok));
                let recipe = recipe.map_err(|error| JobError::Failed(error.to_string()))?;
                let recipe = if let Some(target) = export { recipe.with_export(target) } else { recipe };
                io::write_beside(&snapshot, &path, &recipe.to_json())?;
                let steps = things(recipe.steps.len(), "step", "steps");
                Ok(vec![format!("Saved {} ({steps}); lapidary run does it to another version", path.display())])
            }),
            Save::Page { path, findings, so_far, told, card } => {
                self.run.ask(desk, self.count, "Writing the report", move |_| {
                    let markdown = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md"));
                    let text = if card {
                        data_card(&snapshot, &findings, &CardWords { made: told, ..CardWords::default() })
                    } else {
                        health_report(&snapshot, &findings, &so_far, markdown)
                    };
                    io::write_beside(&snapshot, &path, &text)?;
                    Ok(vec![format!("Saved {}", path.display())])
                });
            }
            Save::Batch { path, shown } => self.run.ask(desk, self.count, "Writing the report", move |_| {
                let markdown = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md"));
                let looks = [(shown.batch.name.as_str(), &shown.log, &shown.look)];
                io::write_beside(&snapshot, &path, &watch_page(&snapshot, &looks, markdown))?;
                Ok(vec![format!("Saved {}", path.display())])
            }),
            Save::DryRun { path, target } => self.run.ask(desk, self.count, "Writing the report", move |progress| {
                let model = target.open().map_err(|error| JobError::Failed(error.to_string()))?;
                let rows = rows_of(&snapshot, target.trainer).ok_or_else(|| JobError::Failed(HandError::NoRows.to_string()))?;
                let run = dry_run(&snapshot, &rows, &target, &model, progress)?;
                let markdown = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md"));
                let name =
                    snapshot.base.origin.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                io::write_beside(&snapshot, &path, &dry_report(&run, &rows, &target, &name, markdown))?;
                Ok(vec![format!("Saved {}", path.display())])
            }),
            Save::HandOver { target, folder } => self.run.ask(desk, self.count, "Writing for the trainer", move |progress| {
                let model = target.open().map_err(|error| JobError::Failed(error.to_string()))?;
                let below = io::entries_of(&folder).is_empty();
                let folder = if below { folder } else { folder.join(format!("for-{}", target.trainer.entry().name)) };
                handed(&snapshot, &target, &model, &folder, progress)
            }),
            Save::Images(parts, target) => self.run.ask(desk, self.count, "Saving images", move |progress| {
                let report = io::export_images(&snapshot, &parts, &target, progress)?;
                let saved = format!("Saved {} to {}", count_samples(report.rows), target.folder.display());
                Ok(report.notes.into_iter().chain([saved]).collect())
            }),
        }
    }
}

/// About how many bytes of a large text one task of a run reads.
const PIECE: u64 = 64 << 20;

/// Carries a recipe out file by file; what there is to say of it.
fn run_over(recipe: Recipe, input: &Path, folder: PathBuf, name: &str, progress: &Progress) -> Result<Vec<String>, JobError> {
    let failed = |error: PassError| match error {
        PassError::Cancelled => JobError::Cancelled,
        error => JobError::Failed(format!("{error}; what was done stays, and the same again goes on with the rest")),
    };
    let work = Work::of(recipe, input, Reading::default(), PIECE, progress).map_err(failed)?;
    let begun = io::entries_of(&folder).iter().all(|(name, _)| name.starts_with(".lapidary-work"));
    let folder = if begun { folder } else { folder.join(format!("{name}-clean")) };
    let run = PassRun::prepare(work, &folder, false).map_err(failed)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let report = run_passes(&run, &LocalEngine { hands: cores }, progress, &mut |news| match news {
        PassNews::Begun { tasks, .. } => progress.set_total(tasks as u64),
        // Who is stopped is told so by the next task.
        PassNews::Done(_) => drop(progress.step(1)),
    })
    .map_err(failed)?;
    let mut words =
        vec![format!("{}: {} of {}", folder.display(), count_samples(report.kept as usize), count_samples(report.rows as usize))];
    let gone = [(report.copies, "copies"), (report.near, "nearly copies"), (report.excluded, "excluded by other steps")];
    words.extend(gone.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what} left out", count(*n as usize))));
    words.extend(report.unfit.keys().cloned());
    Ok(words)
}

/// Writes a trainer's folder; what there is to say of it.
fn handed(
    snapshot: &Dataset,
    target: &TrainerTarget,
    model: &ChatModel,
    folder: &Path,
    progress: &Progress,
) -> Result<Vec<String>, JobError> {
    let done = hand_over(snapshot, target, model, folder, progress).map_err(|error| match error {
        HandError::Cancelled => JobError::Cancelled,
        error => JobError::Failed(error.to_string()),
    })?;
    let mut words = done.notes;
    let left: usize = done.left.values().sum();
    if left > 0 {
        let why: Vec<&str> = done.left.keys().map(|reason| reason.words()).collect();
        words.push(format!("Left out, in left_out.jsonl: {}: {}", count_samples(left), why.join("; ")));
    }
    words.push(format!(
        "Wrote {} to {}; read back, {} learns from {}",
        count_samples(done.written),
        folder.display(),
        target.trainer.entry().title,
        if done.learned == done.written { "every one".to_owned() } else { count_samples(done.learned) }
    ));
    Ok(words)
}

/// Saves files that belong together.
fn files(snapshot: &Dataset, list: &[(Rows, SaveTarget)], progress: &Progress) -> Result<Vec<String>, JobError> {
    let reports = io::export_parts(snapshot, list, progress)?;
    let mut words: Vec<String> = Vec::new();
    for text in reports.iter().flat_map(|report| &report.notes) {
        // What is true of all of them is said once.
        if !words.contains(text) {
            words.push(text.clone());
        }
    }
    if let ([(_, target)], [report]) = (list, reports.as_slice()) {
        words.push(format!("Saved {} to {}", count_samples(report.rows), target.path.display()));
    } else {
        let all: usize = reports.iter().map(|report| report.rows).sum();
        let folder = list.first().and_then(|(_, target)| target.path.parent()).unwrap_or(Path::new("."));
        words.push(format!("Saved {} in {} files to {}", count_samples(all), list.len(), folder.display()));
    }
    Ok(words)
}
