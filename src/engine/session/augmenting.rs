//! Augment without a screen: the model that judges labels, previews, and the run that plans an edit.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::Workspace;
use super::asked::{News, Wants};
use super::asking::Asking;
use super::checking::Checking;
use super::drafts::{Drafted, Originals, draft};
use super::forms::AugmentForm;
use super::viewing::{Viewing, Visible, VisibleKey};
use crate::data::{Dataset, Pipeline, Role, SampleId};
use crate::derive::{Key, risk_key, risk_model};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Slot};
use crate::learn::risk::RiskModel;
use crate::operate::{Augmented, Balanced, Operation, augmented};
use crate::transform::{Augment, AugmentError, text_fields, trainable};

/// What a preview depends on.
#[derive(Clone, PartialEq)]
struct PreviewKey {
    form: AugmentForm,
    revision: u64,
    visible: VisibleKey,
    /// Which model judged.
    judged: Option<Key>,
    /// How many answers of text models previews had been given.
    answers: u64,
}

impl PreviewKey {
    /// Whether a run comes to the same: not where only the draw, the page or what is shown of it are others.
    fn runs_as(&self, other: &Self, answers_matter: bool) -> bool {
        let plain = |form: &AugmentForm| AugmentForm { draw: 0, page: 0, changes: false, upto: None, ..form.clone() };
        plain(&self.form) == plain(&other.form)
            && self.revision == other.revision
            && self.visible == other.visible
            && self.judged == other.judged
            && (self.answers == other.answers || !answers_matter)
    }
}

/// A preview, and the samples that it was drawn of.
struct Preview {
    drafted: Drafted,
    parents: Arc<Vec<SampleId>>,
}

/// A run, done but for the edit.
pub enum MadeRun {
    /// New samples; the batch whose place they take.
    Augmented(Box<Augmented>, Option<usize>),
    Balanced(Box<Balanced>),
}

/// What Augment has worked out, and whatever makes samples.
pub struct Augmenting {
    risk: Slot<Key, Option<Arc<RiskModel>>>,
    preview: Slot<PreviewKey, Preview>,
    /// What makes samples, here and in Balance: at the revision that it was asked at.
    pub run: Slot<u64, MadeRun>,
    /// Samples that may be augmented, at a revision and under a filter.
    parents: Option<(u64, VisibleKey, Arc<Vec<SampleId>>)>,
    /// Originals as they were decoded for previews, and the version of their pictures.
    originals: (Option<u64>, Originals),
}

impl Default for Augmenting {
    fn default() -> Self {
        Self {
            risk: Slot::new("risk", Lane::Learning),
            preview: Slot::new("preview", Lane::Learning),
            run: Slot::new("augment", Lane::Learning),
            parents: None,
            originals: (None, Originals::default()),
        }
    }
}

impl Augmenting {
    pub fn slots(&self) -> [&dyn AnySlot; 3] {
        [&self.risk, &self.preview, &self.run]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 3] {
        [&mut self.risk, &mut self.preview, &mut self.run]
    }

    /// The preview that is shown.
    pub fn drafted(&self) -> Option<&Drafted> {
        self.preview.answer().map(|preview| &preview.drafted)
    }

    /// The form that it was drawn from.
    pub fn drawn(&self) -> Option<&AugmentForm> {
        self.preview.shown().map(|(key, _)| &key.form)
    }

    /// Whether another preview is on its way.
    pub fn is_stale(&self) -> bool {
        self.preview.is_asked()
    }

    /// Whether the preview was stopped.
    pub fn was_stopped(&self) -> bool {
        matches!(self.preview.without(), Some((_, None)))
    }

    /// The model that judges labels, and what it was read from.
    pub fn judge(&self) -> (Option<&Arc<RiskModel>>, Option<&Key>) {
        let shown = self.risk.shown();
        (shown.and_then(|(_, model)| model.as_ref()), shown.map(|(key, _)| key))
    }

    /// Whether a model that judges labels is on its way: until it is there, nothing is added unjudged.
    pub fn is_judging(&self, dataset: &Dataset, pipeline: &Pipeline, checking: &Checking) -> bool {
        let looking = judges_pictures(dataset, pipeline) && checking.scan(dataset).is_none() && checking.is_looking();
        dataset.with_role(Role::is_label).is_some() && (looking || self.risk.is_asked())
    }

    /// Learns to judge labels, once for a state of the data: by pictures where the pipeline alters those.
    pub fn learn_to_judge(&mut self, workspace: &Workspace, pipeline: &Pipeline, checking: &Checking, desk: &Desk) {
        let dataset = workspace.dataset();
        let of_pictures = judges_pictures(dataset, pipeline);
        let looks = if of_pictures { checking.looks(dataset) } else { None };
        let Some(wanted) = risk_key(dataset, of_pictures).filter(|_| !of_pictures || looks.is_some()) else { return };
        if self.risk.needs(&wanted) {
            let (snapshot, store) = (dataset.clone(), Arc::clone(workspace.derived()));
            self.risk.ask(desk, wanted, "Learning what labels depend on", move |progress| {
                Ok(risk_model(&snapshot, looks.as_ref().map(|looks| looks.as_slice()), &store, progress)?)
            });
        }
    }

    /// Whether answers have come that the preview has not been drawn with yet.
    pub fn is_behind(&self, asking: &Asking) -> bool {
        self.preview.asked().is_some_and(|key| key.answers != 0 && key.answers != asking.news())
    }

    /// Takes in what has come.
    pub fn take(&mut self, asking: &mut Asking, desk: &Desk, news: &mut Vec<News>) {
        if let Some(Came::Failed(why)) = self.risk.take(desk) {
            news.push(News::Failed("risk", why));
        }
        match self.preview.take(desk) {
            Some(Came::Answer) => {
                if let Some((key, preview)) = self.preview.shown() {
                    self.parents = Some((key.revision, key.visible.clone(), Arc::clone(&preview.parents)));
                    asking.want(&preview.drafted.asks);
                    news.push(News::Drafted);
                }
            }
            Some(Came::Failed(why)) => news.push(News::Failed("preview", why)),
            None => {}
        }
        match self.run.take(desk) {
            Some(Came::Answer) => news.extend(self.run.take_answer().map(|(revision, made)| match made {
                MadeRun::Augmented(done, instead) => News::Augmented(revision, done, instead),
                MadeRun::Balanced(done) => News::Balanced(revision, done),
            })),
            Some(Came::Failed(why)) => news.push(News::Failed("augment", why)),
            None => {}
        }
    }

    /// Draws what is looked at and not drawn yet.
    pub fn draw(
        &mut self,
        workspace: &Workspace,
        viewing: &Viewing,
        checking: &Checking,
        asking: &Asking,
        wants: &Wants<'_>,
        desk: &Desk,
    ) {
        self.learn_to_judge(workspace, &wants.augment.pipeline, checking, desk);
        if viewing.is_stale() {
            return;
        }
        let (dataset, revision) = (workspace.dataset(), workspace.revision());
        let key = PreviewKey {
            form: AugmentForm { open: None, ..wants.augment.clone() },
            revision,
            visible: viewing.key(),
            judged: self.judge().1.cloned(),
            answers: if wants.augment.pipeline.models().is_empty() { 0 } else { asking.news() },
        };
        if !self.preview.needs(&key) {
            return;
        }
        let parents = self.known_parents(revision, &key.visible);
        // Another estimate is made where a run would come to something else.
        let same = self.preview.shown().filter(|(before, _)| before.runs_as(&key, !asking.waits()));
        let estimate = same.map(|(_, preview)| preview.drafted.estimate);
        let pictures = dataset.pictures().map(|field| dataset.version(field));
        if self.originals.0 != pictures {
            self.originals = (pictures, Originals::default());
        }
        let (visible, filtered) = (viewing.visible().clone(), !wants.filter.is_empty());
        let (snapshot, form, store) = (dataset.clone(), key.form.clone(), Arc::clone(workspace.derived()));
        let (model, originals) = (self.judge().0.cloned(), Arc::clone(&self.originals.1));
        let models = Arc::clone(asking.models());
        self.preview.ask(desk, key, "Drawing", move |progress| {
            let parents = parents.unwrap_or_else(|| Arc::new(parents_of(&snapshot, filtered.then_some(&visible))));
            let model = model.as_deref();
            let drafted = draft(&snapshot, &form, &parents, model, models.answers(), &originals, estimate, &store, progress)?;
            Ok(Preview { drafted, parents })
        });
    }

    fn known_parents(&self, revision: u64, visible: &VisibleKey) -> Option<Arc<Vec<SampleId>>> {
        let known = self.parents.as_ref().filter(|(at, of, _)| *at == revision && of == visible);
        known.map(|(_, _, list)| Arc::clone(list))
    }

    /// Makes the samples that a form asks for; those of `instead`, a batch, go for them.
    ///
    /// # Errors
    /// Why that batch cannot be made anew.
    pub fn start(
        &mut self,
        workspace: &Workspace,
        viewing: &Viewing,
        asking: &Asking,
        form: &AugmentForm,
        instead: Option<usize>,
        desk: &Desk,
    ) -> Result<(), &'static str> {
        let revision = workspace.revision();
        let (snapshot, form) = (workspace.dataset().clone(), form.clone());
        let (visible, filtered) = (viewing.visible().clone(), viewing.filtered().is_some());
        let parents = self.known_parents(revision, &viewing.key());
        let again = match instead.and_then(|at| snapshot.batches().get(at).cloned()) {
            None => None,
            Some(made) => {
                let pipeline = made.pipeline.clone().ok_or("Only what a pipeline has made can be made anew")?;
                let mut counts: BTreeMap<SampleId, u32> = BTreeMap::new();
                // Whoever was excluded since, or is in another part now, has no more children.
                let may: HashSet<SampleId> = trainable(&snapshot).into_iter().collect();
                made.batch.parents.iter().filter(|id| may.contains(id)).for_each(|id| *counts.entry(*id).or_default() += 1);
                Some((pipeline, made.batch.seed.wrapping_add(1), counts.into_iter().collect::<Vec<_>>()))
            }
        };
        // What is made of some samples only, or in the place of others, is not asked of another version of the data.
        let whole = again.is_none() && !filtered;
        let (model, models) = (self.judge().0.cloned(), Arc::clone(asking.models()));
        let runs = again.as_ref().map_or(&form.pipeline, |(pipeline, ..)| pipeline);
        let title = asking.title(Some(runs), "Making samples");
        self.run.ask(desk, revision, title, move |progress| {
            let fail = |error: AugmentError| match error {
                AugmentError::Cancelled => JobError::Cancelled,
                other => JobError::Failed(other.to_string()),
            };
            let asked = if let Some((pipeline, seed, list)) = again {
                Augment::of(&snapshot, pipeline, seed, list)
            } else {
                let parents = parents.unwrap_or_else(|| Arc::new(parents_of(&snapshot, filtered.then_some(&visible))));
                let copies = parents.iter().map(|id| (*id, form.copies)).collect();
                Augment::of(&snapshot, form.pipeline.clone(), form.seed, copies)
            }
            .map_err(fail)?;
            let model = model.as_deref().filter(|_| form.most_risk < 1.0);
            let mut done = augmented(&snapshot, &asked, model, form.most_risk, &models, progress).map_err(fail)?;
            if whole {
                let AugmentForm { pipeline, copies, seed, most_risk, .. } = form;
                let operation = Operation::Augment { pipeline, copies, seed, most_risk };
                done.edit = done.edit.map(|edit| edit.by(operation.to_json()));
            }
            Ok(MadeRun::Augmented(Box::new(done), instead))
        });
        Ok(())
    }
}

/// Whether labels are judged by pictures: where the pipeline alters them, or there are no texts.
fn judges_pictures(dataset: &Dataset, pipeline: &Pipeline) -> bool {
    dataset.pictures().is_some() && (pipeline.alters_pictures() || text_fields(dataset).is_empty())
}

/// The samples that may be augmented, of those the filter leaves.
fn parents_of(dataset: &Dataset, visible: Option<&Visible>) -> Vec<SampleId> {
    let all = trainable(dataset);
    match visible {
        None => all,
        Some(visible) => {
            let mut shown: Vec<SampleId> = visible.iter().collect();
            shown.sort_unstable();
            all.into_iter().filter(|id| shown.binary_search(id).is_ok()).collect()
        }
    }
}
