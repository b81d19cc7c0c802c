//! Teaching, and how good what was taught is: a run in a job when it is asked for, figures of all runs on the labels as they are whenever the stage is shown.

use std::sync::Arc;
use std::time::Instant;

use super::Workspace;
use super::asked::{Need, News, Wants};
use super::checking::Checking;
use crate::data::Dataset;
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Slot};
use crate::train::{Lesson, PairFigures, Run, RunFigures, TeachMeans, compare, figures, teach};

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

/// The most runs that are held against each other: the last ones.
const COMPARED: usize = 12;

/// Teaching.
pub struct Teaching {
    run: Slot<(Lesson, u64), Run>,
    /// By revision and the runs there are.
    measured: Slot<(u64, Vec<i64>), Arc<Measured>>,
}

impl Default for Teaching {
    fn default() -> Self {
        Self { run: Slot::new("train", Lane::Learning), measured: Slot::new("figures", Lane::Learning) }
    }
}

impl Teaching {
    pub fn slots(&self) -> [&dyn AnySlot; 2] {
        [&self.run, &self.measured]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 2] {
        [&mut self.run, &mut self.measured]
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

    /// Teaches what is asked.
    pub fn ask(&mut self, workspace: &Workspace, checking: &Checking, lesson: Lesson, desk: &Desk) {
        let (snapshot, store) = (workspace.dataset().clone(), Arc::clone(workspace.derived()));
        let looks = checking.scan(&snapshot).map(|scan| Arc::clone(&scan.appearance));
        let project = workspace.project().0.to_owned();
        let asked = lesson.clone();
        self.run.ask(desk, (lesson, workspace.revision()), "Teaching", move |progress| {
            let begun = Instant::now();
            let means = TeachMeans { store: &store, project: Some(&project), looks: looks.as_ref(), keep: None };
            let mut run = teach(&snapshot, &asked, means, progress).map_err(JobError::from)?;
            run.seconds = begun.elapsed().as_secs_f64();
            Ok(run)
        });
    }

    /// Takes in what has come, and asks for figures where they are shown.
    pub fn work(&mut self, workspace: &Workspace, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        match self.run.take(desk) {
            Some(Came::Answer) => {
                if let Some((_, run)) = self.run.take_answer() {
                    news.push(News::Taught(Box::new(run)));
                }
            }
            Some(Came::Failed(why)) => news.push(News::Failed("train", why)),
            None => {}
        }
        if let Some(Came::Failed(why)) = self.measured.take(desk) {
            news.push(News::Failed("figures", why));
        }
        let question = self.question(workspace);
        if !wants.needs(Need::Runs) || question.1.is_empty() || !self.measured.needs(&question) {
            return;
        }
        let snapshot = workspace.dataset().clone();
        let runs: Vec<Arc<Run>> = workspace.runs().iter().map(|kept| Arc::clone(&kept.run)).collect();
        self.measured.ask(desk, question, "Measuring runs", move |progress| {
            progress.set_total(runs.len() as u64);
            measured(&snapshot, &runs, progress)
        });
    }
}

fn measured(dataset: &Dataset, runs: &[Arc<Run>], progress: &crate::job::Progress) -> Result<Arc<Measured>, JobError> {
    let silent = crate::job::Progress::silent();
    let mut list = Vec::with_capacity(runs.len());
    for run in runs {
        progress.step(1)?;
        list.push(figures(dataset, run, &silent).map_err(|why| why.to_string()));
    }
    let places: Vec<usize> =
        (0..list.len()).rev().filter(|at| list[*at].is_ok()).take(COMPARED).collect::<Vec<_>>().into_iter().rev().collect();
    let of: Vec<&RunFigures> = places.iter().filter_map(|at| list[*at].as_ref().ok()).collect();
    let mut pairs = compare(&of, progress).map_err(JobError::from)?;
    pairs.iter_mut().for_each(|pair| pair.of = (places[pair.of.0], places[pair.of.1]));
    Ok(Arc::new(Measured { runs: list, pairs }))
}
