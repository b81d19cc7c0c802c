//! Tasks done by threads of this machine.

use std::sync::Arc;

use super::doing::run_task;
use super::engine::PassEngine;
use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::job::{Progress, crew};

/// So many tasks at a time.
#[derive(Debug, Clone, Copy)]
pub struct LocalEngine {
    pub hands: usize,
}

impl PassEngine for LocalEngine {
    fn run(
        &self,
        work: &Work,
        tasks: Vec<PassTask>,
        progress: &Progress,
        done: &mut dyn FnMut(PassTask),
    ) -> Result<(), PassError> {
        let shared = Arc::new(work.clone());
        crew(
            "pass",
            self.hands,
            tasks,
            progress,
            move |task, progress| run_task(&shared, *task, progress),
            |task, result| {
                result.map_err(|panic| PassError::Refused(format!("{task} could not be done: {panic}")))??;
                done(task);
                Ok(())
            },
        )
    }
}
