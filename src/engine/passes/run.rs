//! A run from its beginning to its end: pass by pass, and what was found in between; then files put in their places.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::apply::{PieceSaid, part_path};
use super::engine::{PassEngine, PassNews};
use super::gather;
use super::prepared::named_contents;
use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::io;
use crate::job::Progress;

/// What the folder of a run is called, once nothing is left to be done but to take it away, and what came of it there.
const DONE: &str = "-done";
const REPORT: &str = "report.json";
/// What the folder of a run's work is called, behind a dot, and what its result says of itself.
const FOLDER: &str = ".lapidary-work";
const SAID: &str = "lapidary-run.json";

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassReport {
    pub version: String,
    /// What tells the recipe from another.
    pub recipe: String,
    pub files: usize,
    pub pieces: usize,
    pub rows: u64,
    pub kept: u64,
    pub copies: u64,
    pub near: u64,
    pub excluded: u64,
    /// Rows by part; without a split one without a name.
    pub parts: BTreeMap<String, u64>,
    pub warnings: u64,
    /// What did not fit, with the number of pieces that say so.
    pub unfit: BTreeMap<String, usize>,
    /// The files that were read, with their bytes and times.
    #[serde(default)]
    pub read: Vec<(String, u64, u64)>,
}

/// A run that is prepared.
pub struct PassRun {
    pub work: Work,
    /// Where what comes out goes: a folder, or of one file without parts a file.
    pub output: PathBuf,
    /// Whether part of it was done before.
    pub resumed: bool,
    /// What came of it, where all of it was: it was ended while it put its work away.
    pub ended: Option<PassReport>,
}

impl PassRun {
    /// Prepares a run: looks at the input, and at what an earlier run has left.
    ///
    /// # Errors
    /// [`PassError`]: a step cannot be done so, the output is not empty, or another run was begun there.
    pub fn prepare(mut work: Work, output: &Path, anew: bool) -> Result<Self, PassError> {
        let plan = work.plan();
        let refused: Vec<String> = plan.refused().map(|(at, why)| format!("step {}: {why}", at + 1)).collect();
        if !refused.is_empty() {
            return Err(PassError::Refused(format!("this recipe cannot be carried out file by file: {}", refused.join("; "))));
        }
        let one_file = work.single && !plan.splits();
        let home = if one_file { output.parent().unwrap_or(Path::new("")).to_owned() } else { output.to_owned() };
        let name = if one_file {
            format!("{FOLDER}-{}", output.file_name().unwrap_or_default().to_string_lossy())
        } else {
            FOLDER.to_owned()
        };
        work.folder = home.join(name);
        // It had ended, and was killed while it put its work away.
        let done = done_folder(&work.folder);
        if let Ok(report) = io::read_text(&done.join(REPORT), 1 << 20) {
            let report: Option<PassReport> = serde_json::from_str(&report).ok();
            io::remove_work(&done)?;
            let same = report.filter(|report| report.recipe == work.recipe_print() && report.read == work.read());
            if same.is_some() && !anew {
                return Ok(Self { work, output: output.to_owned(), resumed: true, ended: same });
            }
        }
        io::remove_work(&done)?;
        let there = io::is_there(&work.folder.join("work.json"));
        if there && anew {
            io::remove_work(&work.folder)?;
        }
        let resumed = there && !anew;
        if resumed && Work::of_folder(&work.folder)?.print() != work.print() {
            return Err(PassError::Refused(format!(
                "another run was begun in {}, of another recipe or other files: --anew begins anew, and what that one has done is lost",
                work.folder.display()
            )));
        }
        let form = |path: &Path| {
            (
                io::format_to_save(path, crate::data::Format::Csv).0,
                path.extension().is_some_and(|ending| ending == "gz" || ending == "zst"),
            )
        };
        if one_file && form(output) != form(&work.input) {
            return Err(PassError::Refused(format!(
                "{} is to be of the form of {}: file by file, what is read is saved as it came",
                output.display(),
                work.input.file_name().unwrap_or_default().to_string_lossy()
            )));
        }
        if one_file && output.exists() && !io::is_there(output) {
            return Err(PassError::Refused(format!("{} is a folder; one file comes out", output.display())));
        }
        if !resumed && !one_file && io::entries_of(output).iter().any(|(name, _)| name != FOLDER) {
            return Err(PassError::Refused(format!("{} is not empty; choose a new folder", output.display())));
        }
        let place = real(output);
        if work.input.is_dir() && place.starts_with(&work.input) || place == work.input {
            return Err(PassError::Refused("what is read is never written: choose another place".to_owned()));
        }
        if !resumed {
            io::make_folder(&work.folder)?;
            work.keep()?;
        }
        work.folder = work.folder.canonicalize().unwrap_or(work.folder);
        Ok(Self { work, output: output.to_owned(), resumed, ended: None })
    }
}

/// Carries a run out.
///
/// # Errors
/// [`PassError`]. What was done stays, and the same call goes on with what is missing.
pub fn run_passes(
    run: &PassRun,
    engine: &dyn PassEngine,
    progress: &Progress,
    news: &mut dyn FnMut(PassNews),
) -> Result<PassReport, PassError> {
    let work = &run.work;
    if let Some(report) = &run.ended {
        return Ok(report.clone());
    }
    let plan = work.plan();
    let mut pass = |tasks: Vec<PassTask>| -> Result<(), PassError> {
        let missing: Vec<PassTask> = tasks.into_iter().filter(|task| !task.is_done(work)).collect();
        let Some(first) = missing.first() else { return Ok(()) };
        news(PassNews::Begun { pass: first.pass(), tasks: missing.len() });
        engine.run(work, missing, progress, &mut |task| news(PassNews::Done(task)))
    };
    let pieces = 0..work.pieces.len();
    let buckets = 0..work.buckets;
    if !named_contents(&work.recipe).is_empty() {
        pass(pieces.clone().map(PassTask::Count).collect())?;
    }
    if let Some((_, unique)) = plan.unique() {
        pass(pieces.clone().map(PassTask::Map).collect())?;
        pass(buckets.clone().map(PassTask::Same).collect())?;
        gather::copies(work)?;
        if unique.near > 0.0 {
            pass(buckets.clone().map(PassTask::Pairs).collect())?;
            gather::wanted(work)?;
            pass(pieces.clone().map(PassTask::Texts).collect())?;
            pass(buckets.map(PassTask::Near).collect())?;
        }
        gather::dropped(work, unique.near > 0.0)?;
    }
    pass(pieces.clone().map(PassTask::Apply).collect())?;
    let said: Vec<PieceSaid> = pieces
        .map(|at| {
            let bytes = io::read_section(&PassTask::Apply(at).path(work), 0)?;
            serde_json::from_slice(&bytes).map_err(|error| PassError::Refused(format!("{}: {error}", PassTask::Apply(at))))
        })
        .collect::<Result<_, PassError>>()?;
    put_together(run, &said)?;
    let report = report(work, &said)?;
    if !work.single || plan.splits() {
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        io::write_small(&run.output.join(SAID), &format!("{text}\n"))?;
        io::write_small(&run.output.join("recipe.json"), &work.recipe.to_json())?;
    }
    let text = serde_json::to_string(&report).unwrap_or_default();
    io::write_small(&work.folder.join(REPORT), &text)?;
    let done = done_folder(&work.folder);
    io::move_work(&work.folder, &done)?;
    io::remove_work(&done)?;
    Ok(report)
}

/// Where a path leads that need not be there yet: as far as it is, links followed.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = whole.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    known.map_or_else(|| whole.clone(), |(above, real)| real.join(whole.strip_prefix(above).unwrap_or(Path::new(""))))
}

fn done_folder(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folder.with_file_name(format!("{name}{DONE}"))
}

/// Files of their names, in their places, of pieces.
fn put_together(run: &PassRun, said: &[PieceSaid]) -> Result<(), PassError> {
    let work = &run.work;
    let parts: std::collections::BTreeSet<&String> = said.iter().flat_map(|said| said.parts.keys()).collect();
    for (file, known) in work.files.iter().enumerate() {
        let own: Vec<usize> = (0..work.pieces.len()).filter(|at| work.pieces[*at].file == file).collect();
        for part in &parts {
            let rows: Vec<u64> = own.iter().map(|at| said[*at].parts.get(*part).copied().unwrap_or(0)).collect();
            let paths: Vec<PathBuf> = own.iter().map(|at| part_path(work, *at, part)).collect();
            if !paths.iter().any(|path| io::is_there(path)) {
                continue;
            }
            let name = if work.single {
                work.input.file_name().unwrap_or_default().to_string_lossy().into_owned()
            } else {
                known.path.clone()
            };
            let to = match (work.single, part.as_str()) {
                (true, "") => run.output.clone(),
                (_, "") => run.output.join(&name),
                (_, part) => run.output.join(part).join(&name),
            };
            io::join_pieces(&paths, &to, &rows)?;
        }
    }
    Ok(())
}

fn report(work: &Work, said: &[PieceSaid]) -> Result<PassReport, PassError> {
    let mut report = PassReport {
        version: work.version.clone(),
        recipe: work.recipe_print(),
        files: work.files.len(),
        pieces: work.pieces.len(),
        read: work.read(),
        ..PassReport::default()
    };
    for own in said {
        report.rows += own.rows;
        report.kept += own.kept;
        report.copies += own.copies;
        report.near += own.near;
        report.excluded += own.excluded;
        report.warnings += own.warnings;
        own.parts.iter().for_each(|(part, n)| *report.parts.entry(part.clone()).or_default() += n);
        own.unfit.iter().for_each(|text| *report.unfit.entry(text.clone()).or_default() += 1);
    }
    // Rows that a step names and that no file has.
    let named = named_contents(&work.recipe);
    if !named.is_empty() {
        let mut counts = vec![0u64; named.len()];
        for piece in 0..work.pieces.len() {
            let own = super::answers::read_shorts(&io::read_section(&PassTask::Count(piece).path(work), 1)?);
            counts.iter_mut().zip(own).for_each(|(sum, n)| *sum += u64::from(n));
        }
        for (at, step) in work.recipe.steps.iter().enumerate() {
            let is_there = |name: &&String| {
                let (content, place) = name.split_once('#').unwrap_or((name.as_str(), "1"));
                let known = u64::from_str_radix(content, 16).ok().and_then(|content| named.binary_search(&content).ok());
                known.zip(place.parse::<u64>().ok()).is_some_and(|(known, place)| place <= counts[known])
            };
            let missing = step.rows.iter().filter(|name| !is_there(name)).count();
            if missing > 0 {
                let text =
                    format!("step {} ({}): {missing} of {} rows are not in this data", at + 1, step.words, step.rows.len());
                report.unfit.insert(text, 0);
            }
        }
    }
    Ok(report)
}
