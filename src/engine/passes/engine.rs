//! Who does the tasks of a pass.

use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::job::Progress;

/// What is told while a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassNews {
    /// A pass has begun: its name, and how many tasks it has that are not done yet.
    Begun { pass: &'static str, tasks: usize },
    /// A task is done.
    Done(PassTask),
}

/// Does tasks that need nothing of each other: threads of this machine, or others' programs.
pub trait PassEngine {
    /// Does all of them; `done` is told of each. What was done stays done where one fails.
    ///
    /// # Errors
    /// [`PassError`]: what the first task that failed says.
    fn run(
        &self,
        work: &Work,
        tasks: Vec<PassTask>,
        progress: &Progress,
        done: &mut dyn FnMut(PassTask),
    ) -> Result<(), PassError>;
}
