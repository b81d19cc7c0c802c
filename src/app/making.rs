//! Augment and Balance beside the window: previews, plans, probes, and the runs that become edits.

use std::collections::HashMap;
use std::sync::Arc;

use egui::Context;

use super::App;
use super::drafts::{Drafted, Originals, draft, shown};
use super::work::{Done, VisibleKey};
use crate::data::{Dataset, Kind, Pipeline, Role, SampleId};
use crate::edit::{Change, Edit, Target as Of};
use crate::job::{JobError, Progress};
use crate::learn::risk::RiskModel;
use crate::pixels::Look;
use crate::transform::balance::{BalancePlan, ClassWeights, Over, Under, effective_size};
use crate::transform::{Augment, AugmentError, trainable};
use crate::ui::making::{AugmentForm, BalanceForm, BalanceView, WEIGHTS};
use crate::ui::{View, Visible, count_samples};
use crate::workspace::{
    Balance, BalanceError, Balanced, Likeness, Worth, augmented, balance_plan, balanced, can_probe, is_of_numbers, likeness,
    risk_model, standing, worth,
};

/// What a preview depends on.
#[derive(Clone, PartialEq)]
struct PreviewKey {
    form: AugmentForm,
    revision: u64,
    visible: VisibleKey,
    /// Which model judged; 0 for none.
    judged: u64,
}

/// What was worked out, and from what.
#[derive(Default)]
pub struct MakingKeys {
    preview: Option<PreviewKey>,
    /// What the preview on screen was drawn from.
    delivered: Option<PreviewKey>,
    /// Samples that may be augmented, at a revision and under a filter.
    parents: Option<(u64, VisibleKey, Arc<Vec<SampleId>>)>,
    /// Originals as they were decoded for previews.
    originals: Originals,
    risk: Option<(u64, bool)>,
    model: Option<Arc<RiskModel>>,
    /// Raised by every edit that is not only new samples: what was learned is of before.
    epoch: u64,
    /// The number of the model that judges; 0 before the first.
    serial: u64,
    balance: Option<PlanKey>,
    likeness: Option<Arc<Likeness>>,
    likeness_asked: bool,
    /// The plan that the probe was asked about.
    probed: Option<PlanKey>,
}

/// What a plan depends on: the form, the revision, and whether what the form asks for was there.
type PlanKey = (BalanceForm, u64, bool, u64);

/// Above this many samples, no probe is made unasked.
const MANY: usize = 60_000;

/// The column of sample weights.
const WEIGHT: &str = "sample_weight";

/// What came of a job here.
pub enum MakingDone {
    Preview(Box<Drafted>, Option<Arc<Vec<SampleId>>>),
    Risk(Option<Arc<RiskModel>>),
    Augmented(u64, Box<crate::workspace::Augmented>, Option<usize>),
    Likeness(Option<Arc<Likeness>>),
    Plan(Box<Result<BalanceView, String>>),
    Worth(Box<Worth>),
    Balanced(u64, Box<Balanced>),
}

impl App {
    /// Starts what Augment and Balance need, where they are looked at.
    pub(super) fn schedule_making(&mut self) {
        match self.state.view {
            View::Augment => {
                self.schedule_risk();
                self.schedule_preview();
            }
            View::Balance => {
                self.schedule_likeness();
                self.schedule_balance();
            }
            _ => {}
        }
    }

    fn scan_looks(&self) -> Option<Arc<Vec<Look>>> {
        self.memo.scan.as_ref().map(|scan| Arc::clone(&scan.looks))
    }

    /// Learns to judge labels, once for a revision: by pictures where the pipeline alters those.
    fn schedule_risk(&mut self) {
        self.memo.making.judging = self.is_judging();
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let of_pictures = self.state.augment.pipeline.alters_pictures() && dataset.pictures().is_some();
        let looks = if of_pictures { self.scan_looks() } else { None };
        if of_pictures && looks.is_none() || dataset.with_role(Role::is_label).is_none() {
            return;
        }
        let wanted = (self.making.epoch, of_pictures);
        if self.making.risk == Some(wanted) || self.jobs.is_running("risk") {
            return;
        }
        self.making.risk = Some(wanted);
        self.memo.making.judging = true;
        let snapshot = dataset.clone();
        self.jobs.start("risk", "Learning what labels depend on", move |progress| {
            let model = risk_model(&snapshot, looks.as_ref().map(|looks| looks.as_slice()), progress)?;
            Ok(Done::Making(MakingDone::Risk(model.map(Arc::new))))
        });
    }

    /// Whether a model that judges labels is on its way: until it is there, nothing is added unjudged.
    fn is_judging(&self) -> bool {
        let Some(dataset) = self.workspace.as_ref().map(|workspace| workspace.dataset()) else { return false };
        let of_pictures = self.state.augment.pipeline.alters_pictures() && dataset.pictures().is_some();
        let looking = of_pictures && self.memo.scan.is_none() && self.jobs.is_running("images");
        dataset.with_role(Role::is_label).is_some() && (looking || self.jobs.is_running("risk"))
    }

    fn schedule_preview(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        if self.memo.visible_stale {
            return;
        }
        let form = &self.state.augment;
        let revision = workspace.revision();
        let key = PreviewKey {
            form: AugmentForm { open: None, changes: form.changes, ..form.clone() },
            revision,
            visible: self.visible_key(),
            judged: self.making.serial,
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
        };
        let estimate = self.making.delivered.as_ref().filter(|before| same(before)).and(self.memo.making.preview.as_ref());
        let estimate = estimate.map(|preview| preview.estimate);
        let visible = self.memo.visible.clone();
        let filtered = !self.state.filter.is_empty();
        let (snapshot, form) = (workspace.dataset().clone(), key.form.clone());
        let (model, originals) = (self.making.model.clone(), Arc::clone(&self.making.originals));
        self.making.preview = Some(key);
        self.memo.making.stale = true;
        self.jobs.start("preview", "Drawing", move |progress| {
            let fresh = parents.is_none();
            let parents = parents.unwrap_or_else(|| Arc::new(parents_of(&snapshot, filtered.then_some(&visible))));
            let model = model.as_deref();
            let drafted = draft(&snapshot, &form, &parents, model, &originals, estimate, progress)?;
            Ok(Done::Making(MakingDone::Preview(Box::new(drafted), fresh.then_some(parents))))
        });
    }

    fn schedule_likeness(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let pictures = dataset.pictures().is_some() && crate::transform::text_fields(dataset).is_empty();
        let looks = if pictures { self.scan_looks() } else { None };
        if self.making.likeness_asked || pictures && looks.is_none() {
            return;
        }
        self.making.likeness_asked = true;
        let snapshot = dataset.clone();
        self.jobs.start("likeness", "Reading the samples", move |progress| {
            let likeness = likeness(&snapshot, looks.as_ref().map(|looks| looks.as_slice()), progress)?;
            Ok(Done::Making(MakingDone::Likeness(likeness.map(Arc::new))))
        });
    }

    fn schedule_balance(&mut self) {
        let judged = self.state.balance.under == Under::Easy || self.state.balance.over == Over::Augment;
        if judged {
            self.schedule_risk();
            if self.is_judging() {
                return;
            }
        }
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let form = &self.state.balance;
        let alike = form.under == Under::Redundant && self.making.likeness.is_some();
        let wanted = (form.clone(), workspace.revision(), alike, if judged { self.making.serial } else { 0 });
        if self.making.balance.as_ref() == Some(&wanted) {
            return;
        }
        let redundant = form.under == Under::Redundant && self.making.likeness.is_none();
        if redundant && self.jobs.is_running("likeness") {
            return;
        }
        let Some(asked) = self.balance_asked(dataset) else {
            self.memo.making.balance_trouble = Some(BalanceError::NoLabel.to_string());
            return;
        };
        self.making.balance = Some(wanted);
        let (snapshot, likeness, model) = (dataset.clone(), self.making.likeness.clone(), self.making.model.clone());
        self.jobs.start("balance", "Planning", move |progress| {
            let done = planned(&snapshot, &asked, likeness.as_deref(), model.as_deref(), progress);
            match done {
                Err(BalanceError::Cancelled) => Err(JobError::Cancelled),
                Err(error) => Ok(Done::Making(MakingDone::Plan(Box::new(Err(error.to_string()))))),
                Ok(Planned { names, plan, samples, effective, most }) => {
                    let numbers = is_of_numbers(&snapshot);
                    let view = BalanceView { label: asked.label, names, plan, samples, numbers, effective, most };
                    Ok(Done::Making(MakingDone::Plan(Box::new(Ok(view)))))
                }
            }
        });
    }

    /// What the form of Balance asks for.
    fn balance_asked(&self, dataset: &Dataset) -> Option<Balance> {
        let form = &self.state.balance;
        let field = dataset.field(&form.label).or_else(|| dataset.with_role(Role::is_label))?;
        Some(Balance {
            label: dataset.fields()[field].name.to_string(),
            rule: form.rule(),
            under: form.under,
            over: form.over,
            pipeline: (form.over == Over::Augment).then(|| self.state.augment.pipeline.clone()),
            most_risk: self.state.augment.most_risk,
            seed: form.seed,
        })
    }

    /// Asks the probe what the plan on screen is worth.
    pub(super) fn start_probe(&mut self) {
        let (Some(workspace), Some(likeness)) = (&self.workspace, self.making.likeness.clone()) else { return };
        let Some(asked) = self.balance_asked(workspace.dataset()) else { return };
        let Some(view) = &self.memo.making.balance else { return };
        let cells = workspace.dataset().base.rows + view.plan.more() as usize;
        if !self.is_planned() || !can_probe(cells, view.names.len()) {
            return;
        }
        let (snapshot, plan, wanted) = (workspace.dataset().clone(), view.plan.clone(), self.state.balance.wanted);
        let model = self.making.model.clone();
        self.making.probed.clone_from(&self.making.balance);
        self.jobs.start("probe", "Probing what it is worth", move |progress| {
            let fail = |error: BalanceError| match error {
                BalanceError::Cancelled => JobError::Cancelled,
                other => JobError::Failed(other.to_string()),
            };
            let standing = standing(&snapshot, &asked.label, progress).map_err(fail)?;
            let done = balanced(&snapshot, &asked, &plan, Some(&likeness), model.as_deref(), progress).map_err(fail)?;
            let found = worth(&snapshot, &standing, &likeness, done.edit.as_ref(), f64::from(wanted), progress)?;
            Ok(Done::Making(MakingDone::Worth(Box::new(found))))
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
                    let mut counts: std::collections::BTreeMap<SampleId, u32> = std::collections::BTreeMap::new();
                    // Whoever was excluded since, or is in another part now, has no more children.
                    let may: std::collections::HashSet<SampleId> = trainable(&snapshot).into_iter().collect();
                    made.batch.parents.iter().filter(|id| may.contains(id)).for_each(|id| *counts.entry(*id).or_default() += 1);
                    Some((pipeline.clone(), made.batch.seed.wrapping_add(1), counts.into_iter().collect::<Vec<_>>()))
                }
                None => return self.complain(ctx, "Only what a pipeline has made can be made anew"),
            },
        };
        let model = self.making.model.clone();
        self.jobs.start("augment", "Making samples", move |progress| {
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
            let done = augmented(&snapshot, &asked, model.as_deref(), form.most_risk, progress).map_err(fail)?;
            Ok(Done::Making(MakingDone::Augmented(revision, Box::new(done), instead)))
        });
    }

    /// Whether the plan on screen is of the dataset as it is and of the form as it stands.
    fn is_planned(&self) -> bool {
        let now = self.workspace.as_ref().map(|workspace| (&self.state.balance, workspace.revision()));
        let planned = self.making.balance.as_ref().map(|(form, revision, ..)| (form, *revision));
        planned.is_some() && planned == now && !self.jobs.is_running("balance")
    }

    /// Carries the plan on screen out.
    pub(super) fn start_balance(&mut self) {
        if !self.is_planned() || self.jobs.is_running("augment") {
            return;
        }
        let Some(workspace) = &self.workspace else { return };
        let (Some(asked), Some(view)) = (self.balance_asked(workspace.dataset()), &self.memo.making.balance) else { return };
        let (snapshot, revision, plan) = (workspace.dataset().clone(), workspace.revision(), view.plan.clone());
        let (likeness, model) = (self.making.likeness.clone(), self.making.model.clone());
        self.jobs.start("augment", "Balancing", move |progress| {
            match balanced(&snapshot, &asked, &plan, likeness.as_deref(), model.as_deref(), progress) {
                Ok(done) => Ok(Done::Making(MakingDone::Balanced(revision, Box::new(done)))),
                Err(BalanceError::Cancelled) => Err(JobError::Cancelled),
                Err(error) => Err(JobError::Failed(error.to_string())),
            }
        });
    }

    /// Takes in what a job has brought.
    pub(super) fn take_making(&mut self, ctx: &Context, done: MakingDone) {
        match done {
            MakingDone::Preview(drafted, parents) => {
                if let (Some(parents), Some(key)) = (parents, &self.making.preview) {
                    self.making.parents = Some((key.revision, key.visible.clone(), parents));
                }
                self.memo.making.stale = false;
                self.making.delivered.clone_from(&self.making.preview);
                self.memo.making.preview = Some(shown(ctx, *drafted));
            }
            MakingDone::Risk(model) => {
                self.making.model = model;
                self.making.serial += 1;
                self.memo.making.judging = false;
            }
            MakingDone::Likeness(likeness) => {
                self.making.likeness = likeness;
                if self.memo.making.balance.as_ref().is_some_and(|view| view.samples + view.plan.more() as usize <= MANY) {
                    self.start_probe();
                }
            }
            MakingDone::Plan(result) => match *result {
                Ok(view) => {
                    let few = view.samples + view.plan.more() as usize <= MANY;
                    if self
                        .memo
                        .making
                        .balance
                        .as_ref()
                        .is_some_and(|known| known.label != view.label || known.names != view.names)
                    {
                        self.memo.making.worth = None;
                    }
                    (self.memo.making.balance, self.memo.making.balance_trouble) = (Some(view), None);
                    self.memo.making.worth_old = self.making.probed != self.making.balance;
                    // Once unasked; then when somebody asks, or plans otherwise.
                    if few && self.memo.making.worth_old && self.state.balance.rule != WEIGHTS {
                        self.start_probe();
                    }
                }
                Err(trouble) => (self.memo.making.balance, self.memo.making.balance_trouble) = (None, Some(trouble)),
            },
            MakingDone::Worth(worth) => {
                self.memo.making.worth_old = self.making.probed != self.making.balance;
                self.memo.making.worth = Some(*worth);
            }
            MakingDone::Augmented(revision, done, instead) => self.take_augmented(ctx, revision, *done, instead),
            MakingDone::Balanced(revision, done) => {
                if self.is_stale(ctx, revision) {
                    return;
                }
                let Some(mut edit) = done.edit else {
                    return self.say(ctx, "There is nothing to do: every class has what it should");
                };
                // As it is said on screen, with thousands separated.
                for (n, what) in [(done.gone, " excluded"), (done.made, " more")] {
                    edit.words = edit.words.replacen(&format!("{n}{what}"), &format!("{}{what}", crate::ui::count(n)), 1);
                }
                self.edit(ctx, true, |_| Ok(Some(edit)));
                if done.short > 0 {
                    let what = "could not be made: the pipeline leaves them as they are, or is too risky";
                    self.say(ctx, format!("{} {what}", count_samples(done.short as usize)));
                }
            }
        }
    }

    fn is_stale(&mut self, ctx: &Context, revision: u64) -> bool {
        let stale = self.workspace.as_ref().is_none_or(|workspace| workspace.revision() != revision);
        if stale {
            self.complain(ctx, "The dataset was edited meanwhile, and nothing was added: add once more");
        }
        stale
    }

    fn take_augmented(&mut self, ctx: &Context, revision: u64, done: crate::workspace::Augmented, instead: Option<usize>) {
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
        } else {
            // As it is said on screen, with thousands separated.
            edit.words = edit.words.replacen(&format!("{} samples", done.made), &count_samples(done.made), 1);
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

    /// What samples look like is read anew once a text or a number was edited; `None` is any edit.
    pub(super) fn likeness_edited(&mut self, edit: Option<&Edit>) {
        let Some(dataset) = self.workspace.as_ref().map(|workspace| workspace.dataset()) else { return };
        let read = |column: &String| {
            let role = dataset.field(column).map(|field| dataset.fields()[field].role);
            matches!(role, None | Some(Role::Text | Role::Messages | Role::Number | Role::Image))
        };
        let touches = |edit: &Edit| {
            // What is made is read by itself.
            edit.makes() == 0
                && edit.changes.iter().any(|change| match &change.target {
                    Of::Cells(column) => read(column),
                    Of::Role(_) | Of::Kind(_) => true,
                    _ => false,
                })
        };
        if edit.is_none_or(|edit| edit.makes() == 0) {
            self.making.epoch += 1;
        }
        if edit.is_none_or(touches) {
            (self.making.likeness, self.making.likeness_asked) = (None, false);
        }
    }

    /// Other pictures, or other cells of theirs: originals are decoded anew.
    pub(super) fn forget_originals(&mut self) {
        self.making.originals = Originals::default();
        self.making.preview = None;
    }

    /// Samples were made, or are gone: whoever fetches pictures sees them, and what stood in their place is forgotten.
    pub(super) fn made_moved(&mut self, edit: Option<&Edit>) {
        let makes = edit.is_none_or(|edit| edit.changes.iter().any(|change| matches!(change.target, Of::Made(_))));
        if !makes {
            return;
        }
        let Some(dataset) = self.workspace.as_ref().map(|workspace| workspace.dataset()) else { return };
        self.pictures.forget_from(SampleId::at(dataset.base.rows));
        self.renew_fetcher();
    }

    /// The class weights of the train part as JSON, for the clipboard.
    pub(super) fn class_weights(&self) -> Option<String> {
        let view = self.memo.making.balance.as_ref()?;
        let beta = self.state.balance.beta;
        let how = if beta > 0.0 { ClassWeights::Effective(beta) } else { ClassWeights::Balanced };
        let of = how.of(&view.plan.now);
        let all: serde_json::Map<String, serde_json::Value> = view
            .names
            .iter()
            .zip(of)
            .filter(|(_, weight)| *weight > 0.0)
            .map(|(name, weight)| (name.to_string(), serde_json::json!(weight)))
            .collect();
        Some(format!("{:#}\n", serde_json::Value::Object(all)))
    }

    /// Adds the weight of each sample's class as a column; of several classes, their mean.
    pub(super) fn add_weights(&mut self, ctx: &Context) {
        let Some(view) = &self.memo.making.balance else { return };
        let beta = self.state.balance.beta;
        let how = if beta > 0.0 { ClassWeights::Effective(beta) } else { ClassWeights::Balanced };
        let (of, label, names) = (how.of(&view.plan.now), view.label.clone(), view.names.clone());
        self.edit(ctx, true, |workspace| {
            let dataset = workspace.dataset();
            let Some(index) = workspace.classes(&label) else { return Ok(None) };
            // The plan's classes and the index's may stand in another order.
            let place = |class: u32| names.iter().position(|name| *name == index.names()[class as usize]);
            let weights: Vec<f64> = (0..index.names().len() as u32).map(|class| place(class).map_or(0.0, |at| of[at])).collect();
            let texts: Vec<(SampleId, String)> = (0..dataset.base.rows)
                .map(SampleId::at)
                .filter_map(|id| {
                    let list = index.of(id);
                    let sum: f64 = list.iter().map(|class| weights[*class as usize]).sum();
                    (!list.is_empty()).then(|| (id, format!("{}", (sum / list.len() as f64 * 1e6).round() / 1e6)))
                })
                .collect();
            let words = format!("Weighed {} by the classes of {label}", count_samples(texts.len()));
            let cells = texts.iter().map(|(id, text)| (*id, text.as_str()));
            if dataset.field(WEIGHT).is_some() {
                let change = Change::cells(dataset, WEIGHT, cells.map(|(id, text)| (id, Some(text))))?;
                return Ok(Edit::new(words, change));
            }
            let add = Change::add_column(dataset, WEIGHT, Kind::Number, Role::Other)?;
            Ok(Edit::new(words, [add, Change::fill(WEIGHT, cells)]))
        });
    }

    /// Forgets everything that belonged to the dataset that was open.
    pub(super) fn forget_making(&mut self) {
        self.making = MakingKeys::default();
        for job in ["risk", "preview", "augment", "likeness", "balance", "probe"] {
            self.jobs.cancel(job);
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

/// A plan, and what it makes of the train part.
struct Planned {
    names: Vec<Arc<str>>,
    plan: BalancePlan,
    samples: usize,
    effective: [f64; 2],
    most: u32,
}

fn planned(
    dataset: &Dataset,
    asked: &Balance,
    likeness: Option<&Likeness>,
    model: Option<&RiskModel>,
    progress: &Progress,
) -> Result<Planned, BalanceError> {
    let standing = standing(dataset, &asked.label, progress)?;
    let plan = balance_plan(dataset, asked, &standing, likeness, model, progress)?;
    // How often each sample of the source stands there, itself or as what was made of it.
    let parent = |id: SampleId| dataset.origins(id).map_or(id, |origins| origins.parent);
    let mut times: HashMap<SampleId, i64> = HashMap::new();
    standing.members.iter().chain(&standing.made).for_each(|id| *times.entry(parent(*id)).or_default() += 1);
    let now = effective_size(times.values().map(|n| *n as f64));
    plan.gone.iter().for_each(|id| *times.entry(parent(*id)).or_default() -= 1);
    plan.again.iter().for_each(|(id, n)| *times.entry(*id).or_default() += i64::from(*n));
    let then = effective_size(times.values().map(|n| *n as f64));
    let most = times.values().copied().max().unwrap_or(1).max(1) as u32;
    let samples = standing.members.len() + standing.made.len();
    Ok(Planned { names: standing.index.names().to_vec(), plan, samples, effective: [now, then], most })
}
