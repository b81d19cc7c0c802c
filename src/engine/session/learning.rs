//! What is asked of a session about runs, and about new data.

use std::path::PathBuf;

use super::Session;
use super::training::{Measured, Teaching};
use super::watching::Watching;
use crate::edit::EditError;
use crate::train::{Lesson, Run};

impl Session {
    /// How good the models are that were taught, and whether that is of another state of the data.
    pub fn measured(&self) -> Option<(&Measured, bool)> {
        self.training.measured(self.workspace.as_ref()?)
    }

    /// Why the last run came to nothing.
    pub fn train_trouble(&self) -> Option<&str> {
        self.training.trouble()
    }

    /// Teaching: the run that is on its way, what was tried, and what more samples are worth.
    pub fn teaching(&self) -> &Teaching {
        &self.training
    }

    /// New data: the log that is offered, batches, rows that are worth a label.
    pub fn watching(&self) -> &Watching {
        &self.watching
    }

    /// Reads a log, to be brought in.
    pub fn offer_log(&mut self, path: PathBuf) {
        if let Some(workspace) = &self.workspace {
            self.watching.offer(workspace, path, &self.desk);
        }
    }

    /// The log that is offered is not brought in, or was.
    pub fn decline_log(&mut self) {
        self.watching.decline();
    }

    /// Looks into folders of logs once more.
    pub fn look_for_logs(&mut self) {
        self.watching.look_again();
    }

    /// Teaches models, one after the other.
    pub fn train(&mut self, lessons: Vec<Lesson>) {
        if let Some(workspace) = &self.workspace {
            self.training.ask((workspace, &self.checking, self.asking.models()), lessons, &self.desk);
        }
    }

    /// Teaches what waits behind the last run.
    pub fn train_next(&mut self) {
        if let Some(workspace) = &self.workspace {
            self.training.ask_next((workspace, &self.checking, self.asking.models()), &self.desk);
        }
    }

    /// The runs of a lesson are kept in the project.
    pub fn runs_are_kept(&mut self, lesson: &Lesson, runs: &[Run]) {
        if let Some(workspace) = &self.workspace {
            self.training.kept(workspace, lesson, runs);
        }
    }

    /// Makes three steps of a lesson, and says how long all would take.
    pub fn try_lesson(&mut self, lesson: Lesson) {
        if let Some(workspace) = &self.workspace {
            self.training.try_out((workspace, &self.checking, self.asking.models()), lesson, &self.desk);
        }
    }

    /// Asks what more samples are worth to a lesson.
    pub fn grow_lesson(&mut self, lesson: Lesson) {
        if let Some(workspace) = &self.workspace {
            self.training.ask_curve((workspace, &self.checking, self.asking.models()), lesson, &self.desk);
        }
    }

    /// Asks which judge finds wrong labels better.
    pub fn judge_lesson(&mut self, lesson: Lesson) {
        if let Some(workspace) = &self.workspace {
            self.training.ask_judges((workspace, &self.checking, self.asking.models()), lesson, &self.desk);
        }
    }

    /// Asks which columns are finer than a label.
    pub fn want_finer(&mut self, label: &str) {
        if let Some(workspace) = &self.workspace {
            self.training.want_finer(workspace, label, &self.desk);
        }
    }

    /// Gives up a run that was stopped.
    pub fn give_up_run(&mut self, path: &std::path::Path) {
        self.training.give_up(path);
    }

    /// Keeps a run in the project. What it is called, and its place.
    ///
    /// # Errors
    /// [`EditError`]; nothing was kept then.
    pub fn keep_run(&mut self, run: Run) -> Result<Option<(usize, String)>, EditError> {
        let Some(workspace) = &mut self.workspace else { return Ok(None) };
        let at = workspace.keep_run(run, None)?;
        Ok(Some((at, workspace.runs()[at].name.clone())))
    }

    /// Gives a run another name.
    ///
    /// # Errors
    /// [`EditError`]; it is called as it was then.
    pub fn rename_run(&mut self, id: i64, name: &str) -> Result<(), EditError> {
        self.workspace.as_mut().map_or(Ok(()), |workspace| workspace.rename_run(id, name).map(drop))
    }
}
