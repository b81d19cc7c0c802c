//! A split to look at before it is made an edit.

use std::sync::Arc;

use super::Workspace;
use crate::data::{ClassIndex, Role};
use crate::job::{AnySlot, Desk, JobError, Lane, Slot};
use crate::operate::copies;
use crate::transform::{Plan, Split, SplitError};

/// A plan, and what is drawn of it: counted once, where it is worked out.
pub struct PlannedSplit {
    pub plan: Arc<Plan>,
    /// How many samples each part has.
    pub sizes: Vec<usize>,
    /// How many samples of each class each part has; the last are those of all. None where there are no classes.
    pub classes: Vec<Vec<u64>>,
    /// The classes that are drawn, the largest first.
    pub largest: Vec<usize>,
}

/// More classes are no chart.
const MOST_BARS: usize = 400;

impl PlannedSplit {
    fn of(plan: Plan, classes: Option<&ClassIndex>) -> Self {
        let mut counts: Vec<Vec<u64>> = Vec::new();
        if let Some(classes) = classes {
            counts.extend((0..plan.names.len()).map(|part| classes.count(plan.members(part))));
            counts.push(classes.count(plan.samples.iter().copied()));
        }
        let all = counts.last().map_or(&[][..], Vec::as_slice);
        let mut largest: Vec<usize> = (0..all.len()).filter(|class| all[*class] > 0).collect();
        largest.sort_by_key(|class| std::cmp::Reverse(all[*class]));
        largest.truncate(MOST_BARS);
        Self { sizes: plan.sizes(), plan: Arc::new(plan), classes: counts, largest }
    }
}

/// The split that is shown.
pub struct Splitting {
    plan: Slot<(Split, u64), PlannedSplit>,
}

impl Default for Splitting {
    fn default() -> Self {
        Self { plan: Slot::new("split", Lane::Learning) }
    }
}

impl Splitting {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.plan
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.plan
    }

    /// The plan that is shown and what it is of: of the dataset as it is, though the form may ask for another meanwhile.
    pub fn plan(&self, workspace: &Workspace) -> Option<(&Split, &PlannedSplit)> {
        let ((split, revision), planned) = self.plan.shown()?;
        let stands = *revision == workspace.revision() && self.trouble(workspace).is_none();
        stands.then_some((split, planned))
    }

    /// Why there is none.
    pub fn trouble(&self, workspace: &Workspace) -> Option<&str> {
        let ((_, revision), why) = self.plan.without()?;
        let words = why.as_deref().unwrap_or("the split was stopped: ask for another, or choose it once more");
        (*revision == workspace.revision()).then_some(words)
    }

    /// Works out a split, where that is not known, under way, or was stopped.
    pub fn ask(&mut self, workspace: &Workspace, label: &str, split: Split, desk: &Desk) {
        let question = (split, workspace.revision());
        if !self.plan.needs(&question) {
            return;
        }
        let snapshot = workspace.dataset().clone();
        let label = snapshot.field(label).or_else(|| snapshot.with_role(Role::is_label));
        let classes = label.and_then(|field| workspace.classes(&snapshot.fields()[field].name)).cloned();
        let (store, split) = (Arc::clone(workspace.derived()), question.0.clone());
        self.plan.ask(desk, question, "Splitting", move |progress| {
            let copies = copies(&snapshot, split.near, &store, progress)?;
            let plan = split.plan(&snapshot, Option::as_ref(&copies), progress).map_err(|error| match error {
                SplitError::Cancelled => JobError::Cancelled,
                error => JobError::Failed(error.to_string()),
            })?;
            Ok(PlannedSplit::of(plan, classes.as_deref()))
        });
    }

    /// Takes in a plan that has come. Why there is none stands in its place.
    pub fn work(&mut self, desk: &Desk) {
        self.plan.take(desk);
    }
}
