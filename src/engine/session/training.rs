//! Teaching, and how good what was taught is: a run in a job when it is asked for, figures of all runs on the labels as they are whenever the stage is shown.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use super::Workspace;
use super::asked::{Need, News, Wants};
use super::checking::Checking;
use crate::data::Dataset;
use crate::derive::Store;
use crate::io::TextModel;
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Slot};
use crate::learn::dense::Dense;
use crate::operate::{ErrorJudges, TextModels, compare_judges};
use crate::train::{
    Approach, LearningCurve, Lesson, PairFigures, Run, RunFigures, StoppedRun, TeachMeans, TeachSeen, TriedSteps, Watch, compare,
    figures, finer_columns, give_up, learning_curve, other_tests, run_is_kept, stopped_runs, teach, try_steps,
};

/// How good all runs are.
#[derive(Debug, Default)]
pub struct Measured {
    /// By run, in the order of the workspace; or why there are none.
    pub runs: Vec<Result<RunFigures, String>>,
    /// Pairs by places among [`Measured::runs`], corrected for how many there are.
    pub pairs: Vec<PairFigures>,
}

impl Measured {
    /// The figures of a run.
    pub fn of(&self, run: usize) -> Option<&RunFigures> {
        self.runs.get(run)?.as_ref().ok()
    }

    /// Two runs against each other.
    pub fn pair(&self, one: usize, other: usize) -> Option<&PairFigures> {
        let of = (one.min(other), one.max(other));
        self.pairs.iter().find(|pair| pair.of == of)
    }
}

/// What is taught from, and who can be asked.
pub type TaughtWith<'w> = (&'w Workspace, &'w Checking, &'w Arc<TextModels>);

/// What a job is called; where it sends texts, that.
fn title_of(models: &TextModels, lesson: Option<&Lesson>, usual: &str) -> String {
    match lesson.map(|lesson| &lesson.approach) {
        Some(Approach::Prompt { model, .. }) => match models.get(model).and_then(TextModel::sends_to) {
            Some(host) => format!("Sending texts to {host}"),
            None => format!("Asking {model}"),
        },
        _ => usual.to_owned(),
    }
}

/// What a job that teaches takes along.
struct With {
    snapshot: Dataset,
    store: Arc<Store>,
    looks: Option<Arc<Dense>>,
    project: PathBuf,
    models: Arc<TextModels>,
}

impl With {
    fn of((workspace, checking, models): TaughtWith<'_>) -> Self {
        let snapshot = workspace.dataset().clone();
        let looks = checking.scan(&snapshot).map(|scan| Arc::clone(&scan.appearance));
        Self {
            snapshot,
            store: Arc::clone(workspace.derived()),
            looks,
            project: workspace.project().0.to_owned(),
            models: Arc::clone(models),
        }
    }

    fn means(&self) -> TeachMeans<'_> {
        TeachMeans {
            project: Some(&self.project),
            looks: self.looks.as_ref(),
            asker: Some(&self.models),
            ..TeachMeans::of(&self.store)
        }
    }
}

/// The most runs that are held against each other: the last ones.
const COMPARED: usize = 12;

/// Runs that were stopped and go on where they were: their files, and what they are.
pub type StoppedRuns = Vec<(PathBuf, StoppedRun)>;

/// Teaching.
pub struct Teaching {
    run: Slot<(Lesson, u64), Vec<Run>>,
    /// What is taught behind it, one after the other: each is kept before the next begins.
    queue: VecDeque<Lesson>,
    /// By revision and the runs there are.
    measured: Slot<(u64, Vec<i64>), Arc<Measured>>,
    /// How long a lesson would take.
    tried: Slot<(Lesson, u64), TriedSteps>,
    /// What more samples are worth to a lesson.
    curve: Slot<(Lesson, u64), LearningCurve>,
    /// Which judge finds wrong labels better.
    judges: Slot<(Lesson, u64), ErrorJudges>,
    /// By revision and label: columns that are finer.
    finer: Slot<(u64, String), Vec<String>>,
    /// By how often teaching ended, or a stopped run was given up.
    stopped: Slot<u64, StoppedRuns>,
    taught: u64,
    /// Whether a thread taught when it was looked at last.
    at_work: bool,
    watch: Watch,
}

impl Default for Teaching {
    fn default() -> Self {
        Self {
            run: Slot::new("train", Lane::Learning),
            queue: VecDeque::new(),
            measured: Slot::new("figures", Lane::Learning),
            tried: Slot::new("steps", Lane::Learning),
            curve: Slot::new("curve", Lane::Learning),
            judges: Slot::new("judges", Lane::Learning),
            finer: Slot::new("finer", Lane::Screen),
            stopped: Slot::new("stopped", Lane::Screen),
            taught: 0,
            at_work: false,
            watch: Watch::default(),
        }
    }
}

impl Teaching {
    pub fn slots(&self) -> [&dyn AnySlot; 7] {
        [&self.run, &self.measured, &self.tried, &self.curve, &self.judges, &self.finer, &self.stopped]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 7] {
        [
            &mut self.run,
            &mut self.measured,
            &mut self.tried,
            &mut self.curve,
            &mut self.judges,
            &mut self.finer,
            &mut self.stopped,
        ]
    }

    /// What the run that is taught has come to; nothing where none is.
    pub fn watched(&self) -> Option<MutexGuard<'_, TeachSeen>> {
        self.run.running().map(|_| self.watch.seen())
    }

    /// How long a lesson would take, where that was tried on the data as it is.
    pub fn tried(&self, workspace: &Workspace, lesson: &Lesson) -> Option<Result<TriedSteps, &str>> {
        let question = (lesson.clone(), workspace.revision());
        let failed = || self.tried.without().filter(|(asked, _)| *asked == question).and_then(|(_, why)| why.as_deref());
        self.tried.answer_to(&question).copied().map(Ok).or_else(|| failed().map(Err))
    }

    /// What more samples are worth to a lesson, and whether that is of the data as it is.
    pub fn curve(&self, workspace: &Workspace, lesson: &Lesson) -> Option<(&LearningCurve, bool)> {
        let ((asked, revision), curve) = self.curve.shown()?;
        (asked == lesson).then_some((curve, *revision == workspace.revision()))
    }

    /// Which judge finds wrong labels better, where that was asked of a lesson.
    pub fn judges(&self, workspace: &Workspace, lesson: &Lesson) -> Option<&ErrorJudges> {
        self.judges.answer_to(&(lesson.clone(), workspace.revision()))
    }

    /// Asks which judge finds wrong labels better.
    pub fn ask_judges(&mut self, of: TaughtWith<'_>, lesson: Lesson, desk: &Desk) {
        let (with, asked, revision) = (With::of(of), lesson.clone(), of.0.revision());
        self.judges.ask(desk, (lesson, revision), "Making labels wrong on purpose", move |progress| {
            compare_judges(&with.snapshot, &asked, with.means(), progress).map_err(JobError::from)
        });
    }

    /// Columns that are finer than a label.
    pub fn finer(&self, label: &str) -> &[String] {
        self.finer.shown().filter(|((_, own), _)| own == label).map_or(&[], |(_, found)| found)
    }

    /// Whether it is not known yet which columns are finer than a label.
    pub fn lacks_finer(&self, workspace: &Workspace, label: &str) -> bool {
        self.finer.needs(&(workspace.revision(), label.to_owned()))
    }

    /// Runs that were stopped, and go on where they were.
    pub fn stopped(&self) -> &[(PathBuf, StoppedRun)] {
        self.stopped.shown().map_or(&[], |(_, found)| found)
    }

    /// Gives up a run that was stopped.
    pub fn give_up(&mut self, path: &Path) {
        if self.stopped().iter().any(|(own, _)| own == path) {
            give_up(path);
            self.taught += 1;
        }
    }

    /// The figures that are shown, and whether they are of another state of the data.
    pub fn measured(&self, workspace: &Workspace) -> Option<(&Measured, bool)> {
        let (question, answer) = self.measured.shown()?;
        Some((&**answer, *question != self.question(workspace)))
    }

    // As every question of a slot is put.
    #[allow(clippy::unused_self)]
    fn question(&self, workspace: &Workspace) -> (u64, Vec<i64>) {
        (workspace.revision(), workspace.runs().iter().map(|kept| kept.id).collect())
    }

    /// Why the last run came to nothing.
    pub fn trouble(&self) -> Option<&str> {
        self.run.without().and_then(|(_, why)| why.as_deref())
    }

    /// Teaches what is asked, one lesson after the other.
    pub fn ask(&mut self, of: TaughtWith<'_>, lessons: Vec<Lesson>, desk: &Desk) {
        self.queue = lessons.into();
        self.ask_next(of, desk);
    }

    /// Teaches the next lesson, where one waits.
    pub fn ask_next(&mut self, of: TaughtWith<'_>, desk: &Desk) {
        let Some(lesson) = self.queue.pop_front() else { return };
        let (with, asked, revision) = (With::of(of), lesson.clone(), of.0.revision());
        let watch = self.watch.clone();
        *watch.seen() = TeachSeen::default();
        let title = title_of(&with.models, Some(&lesson), "Teaching");
        self.run.ask(desk, (lesson, revision), title, move |progress| {
            let begun = Instant::now();
            let means = TeachMeans { goes_on: true, watch: Some(&watch), ..with.means() };
            let own = teach(&with.snapshot, &asked, means, progress).map_err(JobError::from)?;
            let seconds = begun.elapsed().as_secs_f64();
            Ok(own.into_iter().map(|run| Run { seconds, ..run }).collect())
        });
    }

    /// The runs of a lesson are kept: there is nothing to go on with any more.
    pub fn kept(&mut self, workspace: &Workspace, lesson: &Lesson, runs: &[Run]) {
        runs.iter().for_each(|run| run_is_kept(workspace.project().0, lesson, run.print));
        self.taught += 1;
    }

    /// Makes three steps of a lesson, and says how long all would take.
    pub fn try_out(&mut self, of: TaughtWith<'_>, lesson: Lesson, desk: &Desk) {
        let (with, asked, revision) = (With::of(of), lesson.clone(), of.0.revision());
        let title = title_of(&with.models, Some(&lesson), "Making three steps");
        self.tried.ask(desk, (lesson, revision), title, move |progress| {
            let begun = Instant::now();
            try_steps(&with.snapshot, &asked, with.means(), &|| begun.elapsed().as_secs_f64(), progress).map_err(JobError::from)
        });
    }

    /// Teaches a lesson on growing shares of its train part.
    pub fn ask_curve(&mut self, of: TaughtWith<'_>, lesson: Lesson, desk: &Desk) {
        let (with, asked, revision) = (With::of(of), lesson.clone(), of.0.revision());
        let title = title_of(&with.models, Some(&lesson), "Growing the train part");
        self.curve.ask(desk, (lesson, revision), title, move |progress| {
            learning_curve(&with.snapshot, &asked, with.means(), progress).map_err(JobError::from)
        });
    }

    /// Asks what the form offers: columns that are finer than a label.
    pub fn want_finer(&mut self, workspace: &Workspace, label: &str, desk: &Desk) {
        let question = (workspace.revision(), label.to_owned());
        if self.finer.needs(&question) {
            let (snapshot, label) = (workspace.dataset().clone(), label.to_owned());
            self.finer.ask(desk, question, "Looking for finer columns", move |progress| {
                finer_columns(&snapshot, &label, progress).map_err(JobError::from)
            });
        }
    }

    /// Takes in what has come, and asks for figures where they are shown.
    pub fn work(&mut self, workspace: &Workspace, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        match self.run.take(desk) {
            Some(Came::Answer) => {
                if let Some(((lesson, _), runs)) = self.run.take_answer() {
                    news.push(News::Taught(Box::new(lesson), runs));
                }
            }
            Some(Came::Failed(why)) => {
                self.queue.clear();
                news.push(News::Failed("train", why));
            }
            None => {}
        }
        if let Some(Came::Failed(why)) = self.measured.take(desk) {
            news.push(News::Failed("figures", why));
        }
        if let Some(Came::Failed(why)) = self.curve.take(desk) {
            news.push(News::Failed("curve", why));
        }
        if let Some(Came::Failed(why)) = self.judges.take(desk) {
            news.push(News::Failed("judges", why));
        }
        // What these say stands where it was asked for.
        let _ = (self.tried.take(desk), self.finer.take(desk), self.stopped.take(desk));
        let runs = self.run.is_at_work();
        self.taught += u64::from(self.at_work && !runs);
        // What a person stopped is not gone on with by what waits behind it.
        if self.run.running().is_none() && self.run.without().is_some_and(|(_, why)| why.is_none()) {
            self.queue.clear();
        }
        self.at_work = runs;
        // A run that is on its way keeps what it has learned, too: it is no stopped one.
        if wants.needs(Need::Runs) && !runs && self.stopped.needs(&self.taught) {
            let project = workspace.project().0.to_owned();
            self.stopped.ask(desk, self.taught, "Looking for stopped runs", move |_| Ok(stopped_runs(&project)));
        }
        let question = self.question(workspace);
        if !wants.needs(Need::Runs) || question.1.is_empty() || !self.measured.needs(&question) {
            return;
        }
        let snapshot = workspace.dataset().clone();
        let store = Arc::clone(workspace.derived());
        let runs: Vec<Arc<Run>> = workspace.runs().iter().map(|kept| Arc::clone(&kept.run)).collect();
        self.measured.ask(desk, question, "Measuring runs", move |progress| {
            progress.set_total(runs.len() as u64);
            measured(&snapshot, &store, &runs, progress)
        });
    }
}

fn measured(
    dataset: &Dataset,
    store: &Store,
    runs: &[Arc<Run>],
    progress: &crate::job::Progress,
) -> Result<Arc<Measured>, JobError> {
    let silent = crate::job::Progress::silent();
    let mut list = Vec::with_capacity(runs.len());
    for run in runs {
        progress.step(1)?;
        let mut found = figures(dataset, run, &silent).map_err(|why| why.to_string());
        if let Ok(found) = &mut found {
            found.others = other_tests(dataset, run, TeachMeans::of(store), progress).map_err(JobError::from)?;
        }
        list.push(found);
    }
    let places: Vec<usize> =
        (0..list.len()).rev().filter(|at| list[*at].is_ok()).take(COMPARED).collect::<Vec<_>>().into_iter().rev().collect();
    let of: Vec<&RunFigures> = places.iter().filter_map(|at| list[*at].as_ref().ok()).collect();
    let mut pairs = compare(&of, progress).map_err(JobError::from)?;
    pairs.iter_mut().for_each(|pair| pair.of = (places[pair.of.0], places[pair.of.1]));
    Ok(Arc::new(Measured { runs: list, pairs }))
}
