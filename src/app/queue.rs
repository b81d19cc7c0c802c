//! The review queue on screen: one sample after the other, the one that gains most first.

use crate::action::Action;
use crate::data::{Property, SampleId, SampleSet};
use crate::edit::{Change, Edit, Target};
use crate::operate::Operation;
use crate::session::{Session, Workspace, decides};
use crate::ui::{UiState, View};

/// So many decisions lie between two samples that are shown once more, and between a decision and its own.
const BETWEEN: usize = 12;

/// The queue, as it stands on screen.
pub(super) struct Queue<'q> {
    pub(super) state: &'q mut UiState,
    pub(super) session: &'q Session,
}

impl Queue<'_> {
    /// The label model says something else. The sample under the user's eyes stays where it is, unless another question does not ask about it.
    pub(super) fn judged(&mut self, anew: bool) {
        let report = self.session.labels();
        let asks = |id: SampleId| {
            report
                .is_some_and(|report| report.place.contains_key(&id) || self.state.review.below && report.candidate(id).is_some())
        };
        if anew && self.state.review.current.is_some_and(|current| !asks(current)) {
            self.state.review.current = None;
        }
        if self.state.review.current.is_none() && self.state.popup.is_none() {
            self.next();
        }
    }

    /// Looks for a sample to review where there is none.
    pub(super) fn go_on(&mut self) {
        let looks_for_one = self.state.review.current.is_none() && self.state.popup.is_none() && !self.session.is_visible_stale();
        if looks_for_one && self.state.view == View::Label {
            self.next();
        }
    }

    /// After an edit: a decision on the sample under review leads to the next.
    pub(super) fn decided(&mut self, edit: &Edit) {
        let Some(workspace) = self.session.workspace() else { return };
        let dataset = workspace.dataset();
        // What is edited is stayed with; what is decided on is left.
        let typed = |change: &Change| matches!(&change.target, Target::Cells(column) if !dataset.field(column).is_some_and(|field| dataset.fields()[field].role.is_label()));
        if self.state.view == View::Clean && !(self.state.pane.is_open(View::Clean) && edit.changes.iter().any(typed)) {
            self.state.clean.go_on(workspace.findings());
        }
        if self.state.view == View::Label && self.state.review.current.is_some_and(|id| decides(dataset, edit, id)) {
            self.state.review.since += 1;
            self.next();
        }
    }

    /// After an undo or redo of one decision, that sample is looked at again.
    pub(super) fn walked(&mut self, edit: Option<&Edit>) {
        if let (View::Clean, Some(workspace)) = (self.state.view, self.session.workspace())
            && let Some(id) = edit.and_then(|edit| edit.samples().next())
        {
            self.state.clean.go_to(workspace.findings(), id);
        }
        let Some(edit) = edit.filter(|edit| edit.count() == 1) else { return };
        if self.state.view == View::Label {
            self.state.review.passed.retain(|id| !edit.samples().any(|other| other == *id));
            self.go(edit.samples().next());
        }
    }

    /// Goes to the sample that gains most among those not passed over yet.
    pub(super) fn next(&mut self) {
        let Some(report) = self.session.labels() else { return };
        let current = self.state.review.current;
        let waits = |id: &SampleId| {
            Some(*id) != current && !self.state.review.passed.contains(id) && self.in_filter(*id) && self.is_undecided(*id)
        };
        let below = if self.state.review.below { &report.below[..] } else { &[] };
        let next = report.queue.iter().chain(below).map(|candidate| candidate.id).find(waits);
        let again = self.once_more();
        if let Some(current) = current {
            self.state.review.trail.push(current);
        }
        self.go(again.or(next));
        if again.is_some() {
            (self.state.review.again, self.state.review.since) = (again, 0);
        }
    }

    /// A sample to be shown once more, where somebody wants that and has decided on others since: none of the last, and none twice.
    fn once_more(&self) -> Option<SampleId> {
        let (report, dataset) = (self.session.labels()?, self.session.workspace()?.dataset());
        let review = &self.state.review;
        if dataset.properties().get(Property::AskAgain, &[]).is_none() || review.since < BETWEEN {
            return None;
        }
        let fresh = |id: SampleId| review.trail.iter().rev().take(BETWEEN).any(|last| *last == id) || review.current == Some(id);
        let asked = |id: SampleId| dataset.properties().get(Property::SaidAgain, &[&report.column, &id.0.to_string()]).is_some();
        let may = |id: &SampleId| !fresh(*id) && !asked(*id) && !dataset.is_excluded(*id) && self.in_filter(*id);
        report.again.iter().map(|candidate| candidate.id).find(may)
    }

    /// What a decision on a sample that is shown once more becomes: it is noted, and changes no label. `None` where it is about others.
    pub(super) fn said_again(&self, operation: &Operation) -> Option<Operation> {
        let (report, dataset) = (self.session.labels()?, self.session.workspace()?.dataset());
        let id = self.state.review.again.filter(|id| self.state.view == View::Label && self.state.review.current == Some(*id))?;
        let one = report.again.iter().find(|candidate| candidate.id == id)?;
        let said = match operation {
            Operation::Accept { list, .. } if list.len() == 1 && list[0].0 == id => list[0].1.clone(),
            Operation::SetCells { samples, column, text, .. } if samples[..] == [id] && *column == report.column => text.clone(),
            Operation::Review { samples, .. } if samples[..] == [id] => report.cell(Some(dataset), &one.given),
            _ => return None,
        };
        let before = dataset.text(dataset.field(&report.column)?, id)?.into_owned();
        let value = serde_json::to_string(&[before, said]).ok()?;
        let of = vec![report.column.clone(), id.0.to_string()];
        Some(Operation::Say { property: Property::SaidAgain, of, value: Some(value) })
    }

    /// Passes the current sample over.
    pub(super) fn pass_over(&mut self) {
        if let Some(current) = self.state.review.current {
            self.state.review.passed.insert(current);
        }
        self.next();
        if self.state.review.current.is_none() {
            // Everything that is left was passed over once: begin again.
            self.state.review.passed.clear();
            self.next();
        }
    }

    /// Goes back to the sample that was looked at before.
    pub(super) fn back(&mut self) {
        if let Some(before) = self.state.review.trail.pop() {
            self.state.review.passed.remove(&before);
            self.go(Some(before));
        }
    }

    pub(super) fn go(&mut self, id: Option<SampleId>) {
        self.state.review.current = id;
        self.state.review.again = None;
        // Elsewhere the cursor is the user's.
        if self.state.view != View::Label {
            return;
        }
        let selection = &mut self.state.selection;
        selection.chosen = SampleSet::default();
        selection.cursor = id;
        if let Some(id) = id {
            selection.place = self.session.visible().place(id, id.row()).unwrap_or(0);
            selection.anchor = selection.place;
        }
    }

    /// Goes to the queue, at the sample under review.
    pub(super) fn show(&mut self) {
        self.state.view = View::Label;
        match self.state.review.current {
            Some(current) => self.go(Some(current)),
            None => self.next(),
        }
    }

    /// Whether nobody has decided on a sample yet; the report may be older than the last decisions.
    fn is_undecided(&self, id: SampleId) -> bool {
        let dataset = self.session.workspace().map(Workspace::dataset);
        dataset.is_some_and(|dataset| !dataset.is_reviewed(id) && !dataset.is_excluded(id))
    }

    fn in_filter(&self, id: SampleId) -> bool {
        self.session.filtered().is_none_or(|filtered| filtered.contains(id))
    }

    /// The suggestion for the sample under review, as an action.
    pub(super) fn accept(&self) -> Option<Action> {
        let report = self.session.labels()?;
        let current = self.state.review.current?;
        let offered = Some(&self.state.offered).filter(|offered| offered.of == Some(current))?;
        Some(Action::Do(Operation::Accept { list: vec![(current, offered.suggested.clone()?)], column: report.column.clone() }))
    }

    /// Everything above the threshold, as one action.
    pub(super) fn accept_all(&self) -> Option<Action> {
        let report = self.session.labels()?;
        let least = self.state.review.threshold;
        let dataset = self.session.workspace().map(Workspace::dataset);
        let list: Vec<(SampleId, String)> = report
            .queue
            .iter()
            .filter(|candidate| candidate.wrong >= least && self.in_filter(candidate.id) && self.is_undecided(candidate.id))
            .map(|candidate| (candidate.id, report.cell(dataset, &candidate.suggested)))
            .collect();
        (!list.is_empty()).then(|| Action::Do(Operation::Accept { list, column: report.column.clone() }))
    }
}
