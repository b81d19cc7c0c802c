//! Operations that touch very much are planned beside the window, and made an edit at the state that they were planned on: where that has
//! moved meanwhile, they are planned again.

use std::sync::Arc;

use super::Workspace;
use super::asked::News;
use super::operated::PlannedEdit;
use super::workspace::prints_of;
use crate::data::Dataset;
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Slot};
use crate::operate::{Means, Operation, OperationError, Planned};

/// An operation that touches more samples than this is planned beside the window.
const MANY: usize = 20_000;

/// What was asked for, whether it is to be said, and the revision that it is planned on.
type Asked = (Operation, bool, u64);

/// The operation that is being planned.
pub struct Operating {
    plan: Slot<Asked, PlannedEdit>,
}

impl Default for Operating {
    fn default() -> Self {
        Self { plan: Slot::new("operate", Lane::Learning) }
    }
}

impl Operating {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.plan
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.plan
    }

    /// Whether an operation is to be planned beside the window.
    pub fn is_large(workspace: &Workspace, operation: &Operation) -> bool {
        // A tokenizer is opened to cut chats, a model may be taught to predict: that is never for the screen to wait for.
        matches!(operation, Operation::SplitChats { .. } | Operation::Predict(_)) || reach(workspace, operation) > MANY
    }

    /// Plans an operation; `loud`: what it comes to is to be said.
    pub fn ask(&mut self, workspace: &Workspace, operation: Operation, loud: bool, desk: &Desk) {
        let (snapshot, store) = (workspace.dataset().clone(), Arc::clone(workspace.derived()));
        let column = column_of(&operation);
        let runs = workspace.runs().iter().map(|kept| Arc::clone(&kept.run)).collect();
        let classes = column.and_then(|column| workspace.classes(column)).cloned();
        let title = format!("Planning an edit of {}", crate::data::count_samples(reach(workspace, &operation)));
        let asked = operation.clone();
        self.plan.ask(desk, (operation, loud, workspace.revision()), title, move |progress| {
            let means = Means { classes: classes.as_deref(), derived: store, runs, ..Means::default() };
            let planned = asked.plan(&snapshot, &means, progress).map_err(|error| match error {
                OperationError::Cancelled => JobError::Cancelled,
                error => JobError::Failed(error.to_string()),
            })?;
            Ok(hashed(&snapshot, planned))
        });
    }

    /// Takes in what was planned; at another state than it was planned on, it is planned again.
    pub fn work(&mut self, workspace: &Workspace, desk: &Desk, news: &mut Vec<News>) {
        match self.plan.take(desk) {
            Some(Came::Answer) => {
                let Some(((operation, loud, revision), planned)) = self.plan.take_answer() else { return };
                if revision == workspace.revision() {
                    news.push(News::Planned(Box::new(planned), loud));
                } else {
                    self.ask(workspace, operation, loud, desk);
                }
            }
            Some(Came::Failed(why)) => news.push(News::Failed("operate", why)),
            None => {}
        }
    }
}

fn hashed(dataset: &Dataset, planned: Planned) -> PlannedEdit {
    let prints = planned.edit.as_ref().map(|edit| prints_of(dataset, edit)).unwrap_or_default();
    PlannedEdit { edit: planned.edit, prints, notes: planned.notes }
}

/// The column whose classes an operation needs.
pub fn column_of(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::RenameClass { column, .. } | Operation::Weigh { label: column, .. } => Some(column),
        _ => None,
    }
}

/// About how many samples an operation touches.
fn reach(workspace: &Workspace, operation: &Operation) -> usize {
    match operation {
        Operation::SetCells { .. }
        | Operation::Exclude { .. }
        | Operation::Review { .. }
        | Operation::Tag { .. }
        | Operation::Note { .. }
        | Operation::Swap { .. }
        | Operation::Replace { .. }
        | Operation::Repair { .. }
        | Operation::RepairChats { .. }
        | Operation::SplitChats { .. } => operation.samples().map_or(0, |samples| samples.len()),
        Operation::Accept { list, .. } => list.len(),
        Operation::RenameClass { column, from, .. } => {
            let classes = workspace.classes(column);
            classes.and_then(|classes| classes.class(from).map(|class| classes.counts()[class] as usize)).unwrap_or(0)
        }
        Operation::SetRole { .. } | Operation::SetKind { .. } | Operation::Say { .. } | Operation::Watch { .. } => 1,
        Operation::Split(_)
        | Operation::Weigh { .. }
        | Operation::Augment { .. }
        | Operation::Balance(_)
        | Operation::Consensus(_)
        | Operation::Relevance(_)
        | Operation::Predict(_)
        | Operation::Take(_)
        | Operation::Admit { .. }
        | Operation::Column(_)
        | Operation::Unique(_)
        | Operation::Instruct(_) => workspace.dataset().rows(),
    }
}
