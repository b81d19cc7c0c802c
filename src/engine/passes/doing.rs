//! A task, done.

use super::tasks::PassTask;
use super::work::{PassError, Work};
use super::{apply, map, reduce};
use crate::job::Progress;

/// Does a task, unless its answer is there.
///
/// # Errors
/// [`PassError`].
pub fn run_task(work: &Work, task: PassTask, progress: &Progress) -> Result<(), PassError> {
    if task.is_done(work) {
        return Ok(());
    }
    let (of_pieces, at) = match task {
        PassTask::Count(at) | PassTask::Map(at) | PassTask::Texts(at) | PassTask::Apply(at) => (true, at),
        PassTask::Same(at) | PassTask::Pairs(at) | PassTask::Near(at) => (false, at),
    };
    if at >= if of_pieces { work.pieces.len() } else { work.buckets } {
        return Err(PassError::Refused(format!("there is no task {task}")));
    }
    match task {
        PassTask::Count(at) => map::count(work, at, progress),
        PassTask::Map(at) => map::map(work, at, progress),
        PassTask::Same(at) => reduce::same(work, at, progress),
        PassTask::Pairs(at) => reduce::pairs(work, at, progress),
        PassTask::Texts(at) => map::texts(work, at, progress),
        PassTask::Near(at) => reduce::near(work, at, progress),
        PassTask::Apply(at) => apply::apply(work, at, progress),
    }
}
