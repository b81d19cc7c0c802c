//! Background work: threads live here and nowhere else.
//!
//! A [`Job`] runs on a named thread with a [`Progress`] that says how far it is and carries cancellation on `?`. Its
//! outcome is sent without a lock held, then the window is woken. A panic inside a job is caught here, at this one
//! boundary, and becomes an [`Outcome::Failed`]. Never: touches the screen, holds a dataset lock.

mod crew;
mod pool;
mod progress;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};

pub use crew::crew;
pub use pool::Pool;
pub use progress::{Cancelled, Progress};

/// How a job ended.
pub enum Outcome<T> {
    /// It finished with a result.
    Done(T),
    /// The user, or a newer job with the same key, stopped it.
    Cancelled,
    /// It failed; the message says what and what to do.
    Failed(String),
}

/// What a job reports when it ends.
pub struct Report<T> {
    /// The key that the job was started under.
    pub key: &'static str,
    /// The number of this run: a report whose run was replaced by a newer one under the same key is stale.
    pub run: u64,
    /// How it ended.
    pub outcome: Outcome<T>,
}

/// One running job, as the status bar shows it.
pub struct Job {
    /// What it is known by; one job runs per key.
    pub key: &'static str,
    /// What it does, in words.
    pub title: String,
    /// How far it is.
    pub progress: Progress,
    run: u64,
}

/// All running jobs, and the channel on which they report.
pub struct Jobs<T> {
    running: Vec<Job>,
    sender: Sender<Report<T>>,
    receiver: Receiver<Report<T>>,
    wake: Arc<dyn Fn() + Send + Sync>,
    runs: u64,
    /// Jobs that were asked to stop and may still be at it.
    ending: Vec<(&'static str, u64)>,
}

impl<T: Send + 'static> Jobs<T> {
    /// Creates an empty set; `wake` is called after each report and progress step worth drawing.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, receiver) = unbounded();
        Self { running: Vec::new(), sender, receiver, wake, runs: 0, ending: Vec::new() }
    }

    /// Starts `work` on a thread of its own, replacing (cancelling) an older job with the same key.
    pub fn start<F>(&mut self, key: &'static str, title: impl Into<String>, work: F)
    where
        F: FnOnce(&Progress) -> Result<T, JobError> + Send + 'static,
    {
        self.cancel(key);
        self.runs += 1;
        let run = self.runs;
        let progress = Progress::new(Arc::clone(&self.wake));
        self.running.push(Job { key, title: title.into(), progress: progress.clone(), run });
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        let body = move || {
            let outcome = match catch_unwind(AssertUnwindSafe(|| work(&progress))) {
                Ok(Ok(value)) => Outcome::Done(value),
                Ok(Err(JobError::Cancelled)) => Outcome::Cancelled,
                Ok(Err(JobError::Failed(message))) => Outcome::Failed(message),
                Err(panic) => Outcome::Failed(format!("this step stopped unexpectedly: {}", panic_text(&*panic))),
            };
            // A receiver that is gone means the program is closing; there is nobody left to tell.
            let _ = sender.send(Report { key, run, outcome });
            wake();
        };
        if let Err(error) = std::thread::Builder::new().name(key.to_owned()).spawn(body) {
            let outcome = Outcome::Failed(format!("no thread could be started: {error}"));
            let _ = self.sender.send(Report { key, run, outcome });
        }
    }

    /// Takes one report of a job that ended, if there is one and it was not replaced or cancelled since.
    pub fn take(&mut self) -> Option<Report<T>> {
        while let Ok(report) = self.receiver.try_recv() {
            self.ending.retain(|(_, run)| *run != report.run);
            let before = self.running.len();
            self.running.retain(|job| job.run != report.run);
            if self.running.len() < before {
                return Some(report);
            }
        }
        None
    }

    /// Asks the job under `key` to stop and forgets it: its report will be dropped.
    pub fn cancel(&mut self, key: &'static str) {
        let ending = &mut self.ending;
        self.running.retain(|job| {
            if job.key == key {
                job.progress.cancel();
                ending.push((job.key, job.run));
            }
            job.key != key
        });
    }

    /// Whether a job under `key` was asked to stop and has not ended yet. Reports are taken by [`Jobs::take`].
    pub fn is_ending(&self, key: &str) -> bool {
        self.ending.iter().any(|(known, _)| *known == key)
    }

    /// The running jobs, oldest first.
    pub fn running(&self) -> &[Job] {
        &self.running
    }

    /// Whether a job runs under `key`.
    pub fn is_running(&self, key: &str) -> bool {
        self.running.iter().any(|job| job.key == key)
    }
}

/// Why a job has no result.
#[derive(Debug)]
pub enum JobError {
    /// It was asked to stop.
    Cancelled,
    /// It failed, with a message for the user.
    Failed(String),
}

impl From<Cancelled> for JobError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Runs `work`, turning a panic inside it (a parser's, on a hostile file) into its message.
///
/// # Errors
/// The panic's text.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_text(&*panic))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown reason".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn wait<T: Send + 'static>(jobs: &mut Jobs<T>) -> Report<T> {
        for _ in 0..2_000 {
            if let Some(report) = jobs.take() {
                return report;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("no report came");
    }

    #[test]
    fn a_panic_becomes_a_message_and_the_next_job_runs() {
        let mut jobs: Jobs<u32> = Jobs::new(Arc::new(|| {}));
        jobs.start("one", "Breaking", |_| panic!("the reason"));
        let report = wait(&mut jobs);
        assert!(matches!(report.outcome, Outcome::Failed(text) if text.contains("the reason")));
        jobs.start("one", "Working", |_| Ok(7));
        assert!(matches!(wait(&mut jobs).outcome, Outcome::Done(7)));
        assert!(jobs.running().is_empty());
    }

    #[test]
    fn a_newer_job_under_the_same_key_replaces_the_older() {
        let mut jobs: Jobs<u32> = Jobs::new(Arc::new(|| {}));
        jobs.start("key", "Endless", |progress| {
            loop {
                progress.check()?;
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        jobs.start("key", "Short", |_| Ok(2));
        assert!(matches!(wait(&mut jobs).outcome, Outcome::Done(2)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(jobs.take().is_none(), "the replaced job's report must be dropped");
    }
}
