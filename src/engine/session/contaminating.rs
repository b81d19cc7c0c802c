//! Samples that stand in somebody's test texts, too: looked for in a job when it is asked.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Workspace;
use super::asked::News;
use crate::data::SampleId;
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Slot};
use crate::learn::contamination::Contaminated;
use crate::operate::{ContaminationError, TestTexts, contaminated};

/// What was found: the test texts, and which samples share a run with them.
pub struct SharedRuns {
    pub tests: TestTexts,
    pub found: HashMap<SampleId, Contaminated>,
}

/// Looks for samples that stand in test texts.
pub struct Contaminating {
    run: Slot<(PathBuf, u64), Arc<SharedRuns>>,
}

impl Default for Contaminating {
    fn default() -> Self {
        Self { run: Slot::new("contamination", Lane::Learning) }
    }
}

impl Contaminating {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.run
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.run
    }

    /// What was found last.
    pub fn shown(&self) -> Option<&SharedRuns> {
        self.run.shown().map(|(_, found)| &**found)
    }

    /// Looks for what stands in the texts of a file.
    pub fn ask(&mut self, workspace: &Workspace, path: PathBuf, desk: &Desk) {
        let snapshot = workspace.dataset().clone();
        self.run.ask(desk, (path.clone(), workspace.revision()), "Looking for test texts", move |progress| {
            let failed = |error: ContaminationError| match error {
                ContaminationError::Cancelled => JobError::Cancelled,
                ContaminationError::Unread(why) => JobError::Failed(why),
            };
            let tests = TestTexts::open(&path, None, None, progress).map_err(failed)?;
            let found = contaminated(&snapshot, &tests, None, progress).map_err(failed)?.into_iter().collect();
            Ok(Arc::new(SharedRuns { tests, found }))
        });
    }

    /// Takes in what was found.
    pub fn work(&mut self, desk: &Desk, news: &mut Vec<News>) {
        match self.run.take(desk) {
            Some(Came::Answer) => {
                let Some(shown) = self.shown() else { return };
                let mut samples: Vec<SampleId> = shown.found.keys().copied().collect();
                samples.sort_unstable();
                news.push(News::Contaminated(shown.tests.name.clone(), samples));
            }
            Some(Came::Failed(why)) => news.push(News::Failed("contamination", why)),
            None => {}
        }
    }
}
