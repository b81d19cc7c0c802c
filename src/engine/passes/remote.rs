//! Tasks done by a program that hands them to others: it is told the folder of the run and then a task a line, and says `done TASK` or `failed TASK WHY`, a line each.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::engine::PassEngine;
use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::job::Progress;

/// The most of what a program says to standard error that is told.
const MOST_SAID: u64 = 4_096;

/// A program, and what is said to it first.
#[derive(Debug, Clone)]
pub struct RemoteEngine {
    pub program: PathBuf,
    pub words: Vec<String>,
}

impl PassEngine for RemoteEngine {
    fn run(
        &self,
        work: &Work,
        tasks: Vec<PassTask>,
        progress: &Progress,
        done: &mut dyn FnMut(PassTask),
    ) -> Result<(), PassError> {
        let name = self.program.display();
        let refused = |why: String| PassError::Refused(format!("{name}: {why}"));
        let mut child = Command::new(&self.program)
            .args(&self.words)
            .args(["--run", &work.print()])
            .arg(&work.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| refused(format!("it cannot be started ({error}); build it with cargo build --release in src/cluster, and have it beside lapidary or on the path")))?;
        let list = tasks.iter().fold(String::new(), |list, task| list + &format!("{task}\n"));
        if let Some(mut input) = child.stdin.take() {
            // Who does not listen says why.
            let _ = input.write_all(list.as_bytes());
        }
        let mut left: HashSet<PassTask> = tasks.into_iter().collect();
        let mut failed = None;
        for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines) {
            let line = line.map_err(|error| refused(error.to_string()))?;
            if progress.check().is_err() {
                let _ = child.kill();
                let _ = child.wait();
                return Err(PassError::Cancelled);
            }
            if let Some(task) = line.strip_prefix("done ").and_then(|task| task.parse::<PassTask>().ok()) {
                // What is said to be done is there, or it is not done.
                if left.contains(&task) && task.is_done(work) {
                    left.remove(&task);
                    done(task);
                }
            } else if let Some(why) = line.strip_prefix("failed ") {
                // Two may have done it, and one come in the other's way: what is there is done.
                let task = why.split(' ').next().and_then(|task| task.parse::<PassTask>().ok());
                if let Some(task) = task.filter(|task| left.contains(task) && task.is_done(work)) {
                    left.remove(&task);
                    done(task);
                    continue;
                }
                failed.get_or_insert_with(|| why.to_owned());
            }
        }
        let mut said = String::new();
        if let Some(errors) = child.stderr.take() {
            let _ = errors.take(MOST_SAID).read_to_string(&mut said);
        }
        let status = child.wait().map_err(|error| refused(error.to_string()))?;
        match failed {
            Some(why) => Err(PassError::Refused(why)),
            None if left.is_empty() => Ok(()),
            None => {
                let said = said.trim().lines().last().unwrap_or_default().to_owned();
                Err(refused(format!("{} of the tasks are not done, and it ended ({status}): {said}", left.len())))
            }
        }
    }
}
