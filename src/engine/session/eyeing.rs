//! The trainer's eye on screen: the model, what becomes of every row, and one sample token by token; each in a job.

use std::sync::Arc;

use super::Workspace;
use super::asked::{Need, News, Wants};
use crate::data::SampleId;
use crate::eye::{DrawnRow, DryRun, TrainerRows, TrainerTarget, drawn_row, dry_run, rows_of};
use crate::io::{ChatModel, ChatModelOf, open_chat_model};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Slot};

/// What was asked: for whom, and the revision of the dataset.
type Asked = (TrainerTarget, u64);

/// The trainer's eye.
pub struct Eyeing {
    model: Slot<ChatModelOf, Arc<ChatModel>>,
    run: Slot<Asked, (TrainerRows, DryRun)>,
    row: Slot<(TrainerTarget, u64, SampleId), DrawnRow>,
}

impl Default for Eyeing {
    fn default() -> Self {
        Self {
            model: Slot::new("chat model", Lane::Screen),
            run: Slot::new("dry run", Lane::Learning),
            row: Slot::new("tokens", Lane::Screen),
        }
    }
}

impl Eyeing {
    pub fn slots(&self) -> [&dyn AnySlot; 3] {
        [&self.model, &self.run, &self.row]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 3] {
        [&mut self.model, &mut self.run, &mut self.row]
    }

    /// What becomes of every row, for whom that was asked, and whether the data were edited or another target was asked for since.
    pub fn run(&self, workspace: &Workspace, target: &TrainerTarget) -> Option<(&TrainerTarget, &TrainerRows, &DryRun, bool)> {
        let ((asked, revision), (rows, run)) = self.run.shown()?;
        Some((asked, rows, run, *revision != workspace.revision() || asked != target))
    }

    /// A sample token by token: the newest that is known of it.
    pub fn row(&self, id: SampleId) -> Option<&DrawnRow> {
        self.row.shown().filter(|((.., shown), _)| *shown == id).map(|(_, row)| row)
    }

    /// Why there is no model, or no run.
    pub fn trouble(&self) -> Option<&str> {
        let of_model = self.model.without().and_then(|(_, why)| why.as_deref());
        of_model.or_else(|| self.run.without().and_then(|(_, why)| why.as_deref()))
    }

    /// Takes in what has come, and asks for what is missing.
    pub fn work(&mut self, workspace: &Workspace, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        // Why there is none stands where it would.
        let _ = (self.model.take(desk), self.row.take(desk));
        if let Some(Came::Failed(why)) = self.run.take(desk) {
            news.push(News::Failed("dry run", why));
        }
        if !wants.needs(Need::Eye) {
            return;
        }
        let Some((target, sample)) = wants.eye else { return };
        if self.model.needs(&target.model) {
            let of = target.model.clone();
            self.model.ask(desk, target.model.clone(), "Opening the tokenizer", move |_| {
                open_chat_model(&of).map(Arc::new).map_err(|error| JobError::Failed(error.to_string()))
            });
        }
        let Some(model) = self.model.answer_to(&target.model) else { return };
        let Some(rows) = rows_of(workspace.dataset()) else { return };
        let revision = workspace.revision();
        let question = (target.clone(), revision);
        if self.run.needs(&question) {
            let (snapshot, model, rows, target) = (workspace.dataset().clone(), Arc::clone(model), rows.clone(), target.clone());
            self.run.ask(desk, question, "Looking through the trainer's eye", move |progress| {
                let run = dry_run(&snapshot, &rows, &target, &model, progress)?;
                Ok((rows, run))
            });
        }
        let Some(id) = sample.filter(|id| id.row() < workspace.dataset().rows()) else { return };
        let question = (target.clone(), revision, id);
        if self.row.needs(&question) {
            let (snapshot, model, target) = (workspace.dataset().clone(), Arc::clone(model), target.clone());
            self.row.ask(desk, question, "Cutting into tokens", move |_| Ok(drawn_row(&snapshot, &rows, &target, &model, id)));
        }
    }
}
