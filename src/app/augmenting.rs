//! Augment beside the window: previews, the run that becomes an edit, pipelines that are kept and shared.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use egui::Context;

use super::App;
use super::drafts::draft;
use super::making::{MakingDone, PreviewKey};
use super::work::Done;
use crate::data::{Dataset, Pipeline, SampleId};
use crate::edit::{Change, Target as Of};
use crate::job::JobError;
use crate::operate::Operation;
use crate::transform::{Augment, AugmentError, trainable};
use crate::ui::making::AugmentForm;
use crate::ui::{Visible, count_samples};
use crate::workspace::{Augmented, augmented};

impl App {
    pub(super) fn schedule_preview(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        if self.memo.visible_stale {
            return;
        }
        let form = &self.state.augment;
        let revision = workspace.revision();
        let key = PreviewKey {
            form: AugmentForm { open: None, ..form.clone() },
            revision,
            visible: self.visible_key(),
            judged: self.making.serial,
            answers: if form.pipeline.models().is_empty() { 0 } else { self.asking.news },
        };
        if self.making.preview.as_ref() == Some(&key) {
            return;
        }
        let known = self.making.parents.as_ref().filter(|(at, visible, _)| *at == revision && *visible == key.visible);
        let parents = known.map(|(_, _, list)| Arc::clone(list));
        // Another estimate is made where more than the draw and the page has changed.
        let same = |before: &PreviewKey| {
            let plain = |form: &AugmentForm| AugmentForm { draw: 0, page: 0, changes: false, upto: None, ..form.clone() };
            plain(&before.form) == plain(&key.form)
                && before.revision == revision
                && before.visible == key.visible
                && before.judged == key.judged
                && (before.answers == key.answers || !self.asking.wanted.is_empty())
        };
        let estimate = self.making.delivered.as_ref().filter(|before| same(before)).and(self.memo.making.preview.as_ref());
        let estimate = estimate.map(|preview| preview.estimate);
        let visible = self.memo.visible.clone();
        let filtered = !self.state.filter.is_empty();
        let (snapshot, form) = (workspace.dataset().clone(), key.form.clone());
        let (model, originals) = (self.making.model.clone(), Arc::clone(&self.making.originals));
        let models = Arc::clone(&self.asking.models);
        self.making.preview = Some(key);
        self.memo.making.stale = true;
        self.jobs.start("preview", "Drawing", move |progress| {
            let fresh = parents.is_none();
            let parents = parents.unwrap_or_else(|| Arc::new(parents_of(&snapshot, filtered.then_some(&visible))));
            let model = model.as_deref();
            let drafted = draft(&snapshot, &form, &parents, model, models.answers(), &originals, estimate, progress)?;
            Ok(Done::Making(MakingDone::Preview(Box::new(drafted), fresh.then_some(parents))))
        });
    }

    /// Makes the samples that Augment shows; those of `instead`, a batch, go for them.
    pub(super) fn start_augment(&mut self, ctx: &Context, instead: Option<usize>) {
        let Some(workspace) = &self.workspace else { return };
        let revision = workspace.revision();
        let now = self.visible_key();
        let known = self.making.parents.as_ref().filter(|(at, visible, _)| *at == revision && *visible == now);
        let (snapshot, form) = (workspace.dataset().clone(), self.state.augment.clone());
        let visible = self.memo.visible.clone();
        let filtered = !self.state.filter.is_empty();
        let parents = known.map(|(_, _, list)| Arc::clone(list));
        let (pipeline, seed, copies) = (form.pipeline.clone(), form.seed, form.copies);
        let again = match instead.and_then(|at| snapshot.batches().get(at).cloned()) {
            None => None,
            Some(made) => match &made.pipeline {
                Some(pipeline) => {
                    let mut counts: BTreeMap<SampleId, u32> = BTreeMap::new();
                    // Whoever was excluded since, or is in another part now, has no more children.
                    let may: HashSet<SampleId> = trainable(&snapshot).into_iter().collect();
                    made.batch.parents.iter().filter(|id| may.contains(id)).for_each(|id| *counts.entry(*id).or_default() += 1);
                    Some((pipeline.clone(), made.batch.seed.wrapping_add(1), counts.into_iter().collect::<Vec<_>>()))
                }
                None => return self.complain(ctx, "Only what a pipeline has made can be made anew"),
            },
        };
        // What is made of some samples only, or in the place of others, is not asked of another version of the data.
        let whole = again.is_none() && !filtered;
        let (model, models) = (self.making.model.clone(), Arc::clone(&self.asking.models));
        let runs = again.as_ref().map_or(&form.pipeline, |(pipeline, ..)| pipeline);
        let title = self.asking.title(Some(runs), "Making samples");
        self.jobs.start("augment", title, move |progress| {
            let asked = if let Some((pipeline, seed, list)) = again {
                Augment::of(&snapshot, pipeline, seed, list)
            } else {
                let parents = parents.unwrap_or_else(|| Arc::new(parents_of(&snapshot, filtered.then_some(&visible))));
                Augment::of(&snapshot, pipeline, seed, parents.iter().map(|id| (*id, copies)).collect())
            };
            let fail = |error: AugmentError| match error {
                AugmentError::Cancelled => JobError::Cancelled,
                other => JobError::Failed(other.to_string()),
            };
            let asked = asked.map_err(fail)?;
            let mut done = augmented(
                &snapshot,
                &asked,
                model.as_deref().filter(|_| form.most_risk < 1.0),
                form.most_risk,
                &models,
                progress,
            )
            .map_err(fail)?;
            if whole {
                let AugmentForm { pipeline, copies, seed, most_risk, .. } = form;
                let operation = Operation::Augment { pipeline, copies, seed, most_risk };
                done.edit = done.edit.map(|edit| edit.by(operation.to_json()));
            }
            Ok(Done::Making(MakingDone::Augmented(revision, Box::new(done), instead)))
        });
    }

    pub(super) fn take_augmented(&mut self, ctx: &Context, revision: u64, done: Augmented, instead: Option<usize>) {
        if self.is_stale(ctx, revision) {
            return;
        }
        let Some(mut edit) = done.edit else {
            return self.say(ctx, "Nothing was added: every draw leaves its sample as it is, or is too risky");
        };
        if let Some(dataset) = self.workspace.as_ref().map(|workspace| workspace.dataset())
            && let Some(old) = instead.and_then(|at| dataset.batches().get(at))
        {
            let gone = Change::mark(dataset, Of::Excluded, old.batch.ids(), true).ok().flatten();
            edit.words = format!("Made {} anew by {}", count_samples(done.made), old.title());
            edit.changes.splice(0..0, gone);
        }
        self.edit(ctx, true, |_| Ok(Some(edit)));
        let mut left = Vec::new();
        if done.risky > 0 {
            left.push(format!("{} too risky", crate::ui::count(done.risky)));
        }
        if done.same > 0 {
            left.push(format!("{} that came out as their parent", crate::ui::count(done.same)));
        }
        if !left.is_empty() {
            self.say(ctx, format!("Left out: {}", left.join(", ")));
        }
    }

    /// Saves the pipeline under its name, over one of the same name.
    pub(super) fn keep_pipeline(&mut self, ctx: &Context) {
        let pipeline = self.state.augment.pipeline.clone();
        if pipeline.name.trim().is_empty() {
            return self.complain(ctx, "Give the pipeline a name first");
        }
        if let Err(trouble) = Pipeline::parse(&pipeline.to_json()) {
            return self.complain(ctx, format!("The pipeline is not saved: {trouble}"));
        }
        self.settings.pipelines.retain(|known| known.name != pipeline.name);
        self.say(ctx, format!("Saved the pipeline {}", pipeline.name));
        self.settings.pipelines.insert(0, pipeline);
        if let Err(error) = self.settings.save(&self.folders) {
            self.complain(ctx, format!("The pipeline could not be kept: {error}"));
        }
    }

    /// Reads a pipeline from a file, or writes it there.
    pub(super) fn pipeline_file(&mut self, ctx: &Context, path: &std::path::Path, save: bool) {
        if save {
            let json = serde_json::to_string_pretty(&self.state.augment.pipeline).unwrap_or_default();
            let allowed = self.workspace.as_ref().map_or(Ok(()), |open| crate::io::may_write(open.dataset(), path));
            match allowed.and_then(|()| crate::io::write_small(path, &format!("{json}\n"))) {
                Ok(()) => self.say(ctx, format!("Saved the pipeline to {}", path.display())),
                Err(error) => self.complain(ctx, error.to_string()),
            }
            return;
        }
        let read = crate::io::read_small(path).map_err(|error| error.to_string());
        match read.and_then(|text| Pipeline::parse(&text)) {
            Ok(mut pipeline) => {
                if pipeline.name.is_empty() {
                    pipeline.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                }
                self.state.augment.from_file = true;
                self.state.augment.pipeline = pipeline;
                (self.state.augment.open, self.state.augment.upto) = (None, None);
            }
            Err(trouble) => self.complain(ctx, format!("{}: {trouble}", path.display())),
        }
    }
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
