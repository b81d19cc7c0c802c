//! Find and replace, looked at before it is done: how many samples it touches, and the first of them before and after.

use std::sync::Arc;

use super::Workspace;
use super::asked::News;
use crate::data::SampleId;
use crate::edit::Target;
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Slot};
use crate::operate::{Means, Operation, OperationError};
use crate::transform::Replace;

/// The most samples that are shown before and after.
const SHOWN: usize = 60;

/// What a replacement would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplaceView {
    /// How many samples it would change.
    pub count: usize,
    /// The first of them: what stands there, and what would.
    pub first: Vec<(SampleId, String, String)>,
    /// What should be known of it.
    pub notes: Vec<String>,
    /// Why it cannot be done.
    pub fault: Option<String>,
    /// The samples that were looked through: what is done is done to these.
    pub samples: Arc<Vec<SampleId>>,
}

/// What is asked: in which column, what, and the revision that it is looked at on.
type Asked = (String, Replace, u64);

/// The replacement that is looked at.
pub struct Replacing {
    view: Slot<Asked, ReplaceView>,
}

impl Default for Replacing {
    fn default() -> Self {
        Self { view: Slot::new("replace", Lane::Screen) }
    }
}

impl Replacing {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.view
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.view
    }

    /// What a replacement would do, where that is known at the present state.
    pub fn shown(&self, workspace: &Workspace, column: &str, what: &Replace) -> Option<&ReplaceView> {
        let ((known, asked, revision), view) = self.view.shown()?;
        (known == column && asked == what && *revision == workspace.revision()).then_some(view)
    }

    /// Looks at what a replacement in some samples would do.
    pub fn ask(&mut self, workspace: &Workspace, column: &str, what: &Replace, samples: Vec<SampleId>, desk: &Desk) {
        let snapshot = workspace.dataset().clone();
        let question = (column.to_owned(), what.clone(), workspace.revision());
        let (column, what, samples) = (column.to_owned(), what.clone(), Arc::new(samples));
        self.view.ask(desk, question, "Looking for what is replaced", move |progress| {
            let asked = Operation::Replace { samples: samples.to_vec(), column, what };
            let planned = match asked.plan(&snapshot, &Means::default(), progress) {
                Ok(planned) => planned,
                Err(OperationError::Cancelled) => return Err(JobError::Cancelled),
                Err(error) => return Ok(ReplaceView { fault: Some(error.to_string()), samples, ..ReplaceView::default() }),
            };
            let changes = planned.edit.iter().flat_map(|edit| &edit.changes);
            let cells = changes.filter(|change| matches!(change.target, Target::Cells(_)));
            let mut view = ReplaceView { notes: planned.notes, samples, ..ReplaceView::default() };
            for change in cells {
                view.count += change.samples.len();
                let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
                let first = change.samples.iter().enumerate().take(SHOWN);
                view.first.extend(first.map(|(at, id)| (*id, text(change.before.get(at)), text(change.after.get(at)))));
            }
            Ok(view)
        });
    }

    /// Takes in what has come.
    pub fn work(&mut self, desk: &Desk, news: &mut Vec<News>) {
        match self.view.take(desk) {
            Some(Came::Failed(why)) => news.push(News::Failed("replace", why)),
            Some(Came::Answer) | None => {}
        }
    }
}
