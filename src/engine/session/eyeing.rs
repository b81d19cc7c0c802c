//! The trainer's eye on screen: the model, what becomes of every row, and one sample token by token; each in a job.

use std::sync::Arc;

use super::Workspace;
use super::asked::{EyeWants, News, Wants};
use crate::data::SampleId;
use crate::eye::{
    DrawnRow, DryCounts, DryRun, DrySoFar, Mend, TrainerRows, TrainerTarget, drawn_row, dry_run_counted, mends, rows_of,
};
use crate::io::{ChatModel, ChatModelOf, open_chat_model};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Slot};

/// What was asked: for whom, and the revision of the dataset.
type Asked = (TrainerTarget, u64);

/// A model and a template for it, and what they make together, or why they do not.
type Templated = ((ChatModelOf, String), Result<Arc<ChatModel>, String>);

/// The trainer's eye.
pub struct Eyeing {
    model: Slot<ChatModelOf, Arc<ChatModel>>,
    run: Slot<Asked, (TrainerRows, DryRun)>,
    row: Slot<(TrainerTarget, u64, SampleId), DrawnRow>,
    mends: Slot<(TrainerTarget, u64, String), Vec<Mend>>,
    /// The model with the template that is asked for, or why there is none.
    templated: Option<Templated>,
    /// What is known of the run that goes on.
    counts: Arc<DryCounts>,
}

impl Default for Eyeing {
    fn default() -> Self {
        Self {
            model: Slot::new("chat model", Lane::Screen),
            run: Slot::new("dry run", Lane::Learning),
            row: Slot::new("tokens", Lane::Screen),
            mends: Slot::new("mends", Lane::Screen),
            templated: None,
            counts: Arc::default(),
        }
    }
}

impl Eyeing {
    pub fn slots(&self) -> [&dyn AnySlot; 4] {
        [&self.model, &self.run, &self.row, &self.mends]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 4] {
        [&mut self.model, &mut self.run, &mut self.row, &mut self.mends]
    }

    /// What becomes of every row, for whom that was asked, and whether the data were edited or another target was asked for since.
    pub fn run(&self, workspace: &Workspace, target: &TrainerTarget) -> Option<(&TrainerTarget, &TrainerRows, &DryRun, bool)> {
        let ((asked, revision), (rows, run)) = self.run.shown()?;
        Some((asked, rows, run, *revision != workspace.revision() || asked != target))
    }

    /// What is known of a run that goes on.
    pub fn so_far(&self) -> Option<DrySoFar> {
        self.run.is_asked().then(|| self.counts.now()).filter(|known| known.rows > 0)
    }

    /// A sample token by token: the newest that is known of it.
    pub fn row(&self, id: SampleId) -> Option<&DrawnRow> {
        self.row.shown().filter(|((.., shown), _)| *shown == id).map(|(_, row)| row)
    }

    /// What would mend the samples of a reason, where that was tried.
    pub fn mends(&self, reason: &str) -> Option<&[Mend]> {
        self.mends.shown().filter(|((.., shown), _)| shown == reason).map(|(_, mends)| mends.as_slice())
    }

    /// The model's own template, once it is open.
    pub fn template(&self, target: &TrainerTarget) -> Option<&str> {
        self.model.answer_to(&target.model).map(|model| model.source.as_str())
    }

    /// Why the template that is asked for is none, with the line.
    pub fn template_trouble(&self, target: &TrainerTarget) -> Option<&str> {
        let ((of, source), made) = self.templated.as_ref()?;
        let why = made.as_ref().err().filter(|_| target.has_template() && *of == target.model && *source == target.template);
        why.map(String::as_str)
    }

    /// Why there is no model, or no run.
    pub fn trouble(&self) -> Option<&str> {
        let of_model = self.model.without().and_then(|(_, why)| why.as_deref());
        of_model.or_else(|| self.run.without().and_then(|(_, why)| why.as_deref()))
    }

    /// Takes in what has come, and asks for what is missing.
    pub fn work(&mut self, workspace: &Workspace, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        // Why there is none stands where it would.
        let _ = (self.model.take(desk), self.row.take(desk), self.mends.take(desk));
        if let Some(Came::Failed(why)) = self.run.take(desk) {
            news.push(News::Failed("dry run", why));
        }
        let Some(EyeWants { target, whole, sample, walked }) = wants.eye.as_ref() else { return };
        if self.model.needs(&target.model) {
            let of = target.model.clone();
            self.model.ask(desk, target.model.clone(), "Opening the tokenizer", move |_| {
                open_chat_model(&of).map(Arc::new).map_err(|error| JobError::Failed(error.to_string()))
            });
        }
        let Some(own) = self.model.answer_to(&target.model) else { return };
        let Ok(model) = templated(own, target, &mut self.templated) else { return };
        let revision = workspace.revision();
        let question = ((*target).clone(), revision);
        let sample = sample.filter(|id| id.row() < workspace.dataset().rows());
        let asks = *whole && self.run.needs(&question)
            || walked.is_some_and(|(reason, _)| self.mends.needs(&((*target).clone(), revision, reason.to_owned())))
            || sample.is_some_and(|id| self.row.needs(&((*target).clone(), revision, id)));
        if !asks {
            return;
        }
        // The first hundred cells are read to tell what rows are: not for every frame.
        let Some(rows) = rows_of(workspace.dataset(), target.trainer) else { return };
        if *whole && self.run.needs(&question) {
            let (snapshot, model, rows, target) =
                (workspace.dataset().clone(), Arc::clone(&model), rows.clone(), (*target).clone());
            self.counts = Arc::default();
            let counts = Arc::clone(&self.counts);
            self.run.ask(desk, question, "Looking through the trainer's eye", move |progress| {
                let run = dry_run_counted(&snapshot, &rows, &target, &model, &counts, progress)?;
                Ok((rows, run))
            });
        }
        if let Some((reason, samples)) = walked {
            let question = ((*target).clone(), revision, (*reason).to_owned());
            if self.mends.needs(&question) {
                let (snapshot, model, rows) = (workspace.dataset().clone(), Arc::clone(&model), rows.clone());
                let (target, samples) = ((*target).clone(), samples.to_vec());
                self.mends.ask(desk, question, "Trying repairs", move |progress| {
                    Ok(mends(&snapshot, &rows, &target, &model, &samples, progress)?)
                });
            }
        }
        let Some(id) = sample else { return };
        let question = ((*target).clone(), revision, id);
        if self.row.needs(&question) {
            let (snapshot, model, target) = (workspace.dataset().clone(), Arc::clone(&model), (*target).clone());
            self.row.ask(desk, question, "Cutting into tokens", move |_| Ok(drawn_row(&snapshot, &rows, &target, &model, id)));
        }
    }
}

/// The model with the template that is asked for: it is compiled when it has changed.
fn templated(own: &Arc<ChatModel>, target: &TrainerTarget, kept: &mut Option<Templated>) -> Result<Arc<ChatModel>, String> {
    if !target.has_template() {
        return Ok(Arc::clone(own));
    }
    let key = (target.model.clone(), target.template.clone());
    match kept {
        Some((known, made)) if *known == key => made.clone(),
        _ => {
            let made = own.with_template(&target.template).map(Arc::new).map_err(|error| error.to_string());
            *kept = Some((key, made.clone()));
            made
        }
    }
}
