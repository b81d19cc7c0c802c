//! Balance beside the window: plans, what they are worth to a probe, and the run that becomes an edit.

use std::collections::HashMap;
use std::sync::Arc;

use egui::Context;

use super::App;
use super::making::MakingDone;
use super::work::Done;
use crate::data::{Dataset, Role, SampleId};
use crate::derive::{Likeness, is_of_numbers, likeness, likeness_key};
use crate::job::{JobError, Progress};
use crate::learn::risk::RiskModel;
use crate::operate::Operation;
use crate::transform::balance::{BalancePlan, ClassWeights, Over, Under, effective_size};
use crate::transform::text_fields;
use crate::ui::count_samples;
use crate::ui::making::{BalanceForm, BalanceView, WEIGHTS};
use crate::workspace::{Balance, BalanceError, Balanced, Tried, balance_plan, balanced, can_probe, standing, tried, worth};

/// Above this many samples, no probe is made unasked.
const MANY: usize = 60_000;

impl App {
    pub(super) fn schedule_likeness(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let pictures = dataset.pictures().is_some() && text_fields(dataset).is_empty();
        let looks = if pictures { self.scan_looks() } else { None };
        let Some(wanted) = likeness_key(dataset).filter(|_| !pictures || looks.is_some()) else { return };
        if self.making.likeness_of.as_ref() == Some(&wanted) {
            return;
        }
        // What was read is of other texts, pictures or numbers.
        (self.making.likeness, self.making.likeness_of) = (None, Some(wanted));
        let (snapshot, store) = (dataset.clone(), Arc::clone(workspace.derived()));
        self.jobs.start("likeness", "Reading the samples", move |progress| {
            let likeness = likeness(&snapshot, looks.as_ref().map(|looks| looks.as_slice()), &store, progress)?;
            Ok(Done::Making(MakingDone::Likeness(likeness)))
        });
    }

    pub(super) fn schedule_balance(&mut self) {
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
        if !self.may_balance() {
            return;
        }
        let (Some(workspace), Some(likeness)) = (&self.workspace, self.making.likeness.clone()) else { return };
        let Some(asked) = self.balance_asked(workspace.dataset()) else { return };
        let Some(view) = &self.memo.making.balance else { return };
        let cells = workspace.dataset().base.rows + view.plan.more() as usize;
        if !self.is_planned() || !can_probe(cells, view.names.len()) {
            return;
        }
        let (snapshot, plan, wanted) = (workspace.dataset().clone(), view.plan.clone(), self.state.balance.wanted);
        let (model, models) = (self.making.model.clone(), Arc::clone(&self.asking.models));
        self.making.probed.clone_from(&self.making.balance);
        let title = self.asking.title(asked.pipeline.as_ref(), "Probing what it is worth");
        self.jobs.start("probe", title, move |progress| {
            let fail = |error: BalanceError| match error {
                BalanceError::Cancelled => JobError::Cancelled,
                other => JobError::Failed(other.to_string()),
            };
            let standing = standing(&snapshot, &asked.label, progress).map_err(fail)?;
            let done = balanced(&snapshot, &asked, &plan, Some(&likeness), model.as_deref(), &models, progress).map_err(fail)?;
            let found = worth(&snapshot, &standing, &likeness, done.edit.as_ref(), f64::from(wanted), progress)?;
            Ok(Done::Making(MakingDone::Worth(Box::new(found))))
        });
    }

    /// Tries several rules by the probe.
    pub(super) fn start_trying(&mut self) {
        let (Some(workspace), Some(likeness)) = (&self.workspace, self.making.likeness.clone()) else { return };
        let Some(asked) = self.balance_asked(workspace.dataset()) else { return };
        let (snapshot, form, revision) = (workspace.dataset().clone(), self.state.balance.clone(), workspace.revision());
        self.making.tried = Some((asked.label.clone(), revision));
        self.jobs.start("trying", "Trying rules", move |progress| {
            let fail = |error: BalanceError| match error {
                BalanceError::Cancelled => JobError::Cancelled,
                other => JobError::Failed(other.to_string()),
            };
            let standing = standing(&snapshot, &asked.label, progress).map_err(fail)?;
            let list = tried(&snapshot, &asked, &standing, &likeness, progress).map_err(fail)?;
            Ok(Done::Making(MakingDone::Tried(Box::new((form, revision, list)))))
        });
    }

    /// Takes in what rules are worth. The best is asked for where nobody has asked for another meanwhile; where none is better, rows stay as
    /// they are.
    pub(super) fn take_tried(&mut self, (form, revision, list): (BalanceForm, u64, Vec<Tried>)) {
        if self.workspace.as_ref().is_none_or(|workspace| workspace.revision() != revision) {
            return;
        }
        if self.state.balance == form {
            match list.first() {
                Some(best) if best.gain.0 > 0.0 => self.state.balance.choose(best),
                Some(_) => self.state.balance.rule = WEIGHTS,
                None => {}
            }
        }
        self.memo.making.tried = Some(list);
    }

    /// Tries rules unasked, once for a column and where that takes seconds, before anything is asked for in Balance.
    fn try_unasked(&mut self) {
        let Some(view) = &self.memo.making.balance else { return };
        let column = |known: &(String, u64)| known.0 == view.label;
        let untouched = BalanceForm { label: self.state.balance.label.clone(), ..BalanceForm::default() } == self.state.balance;
        let known = self.making.tried.as_ref().is_some_and(column);
        if untouched && !known && view.samples <= MANY / 4 && self.making.likeness.is_some() && !self.jobs.is_running("trying") {
            self.start_trying();
        }
    }

    /// Whether the plan on screen is of the dataset as it is and of the form as it stands.
    fn is_planned(&self) -> bool {
        let now = self.workspace.as_ref().map(|workspace| (&self.state.balance, workspace.revision()));
        let planned = self.making.balance.as_ref().map(|(form, revision, ..)| (form, *revision));
        planned.is_some() && planned == now && !self.jobs.is_running("balance")
    }

    /// Carries the plan on screen out.
    pub(super) fn start_balance(&mut self) {
        if !self.is_planned() || self.jobs.is_running("augment") || !self.may_balance() {
            return;
        }
        let Some(workspace) = &self.workspace else { return };
        let (Some(asked), Some(view)) = (self.balance_asked(workspace.dataset()), &self.memo.making.balance) else { return };
        let (snapshot, revision, plan) = (workspace.dataset().clone(), workspace.revision(), view.plan.clone());
        let (likeness, model) = (self.making.likeness.clone(), self.making.model.clone());
        let models = Arc::clone(&self.asking.models);
        let title = self.asking.title(asked.pipeline.as_ref(), "Balancing");
        self.jobs.start("augment", title, move |progress| {
            match balanced(&snapshot, &asked, &plan, likeness.as_deref(), model.as_deref(), &models, progress) {
                Ok(mut done) => {
                    done.edit = done.edit.map(|edit| edit.by(Operation::Balance(asked).to_json()));
                    Ok(Done::Making(MakingDone::Balanced(revision, Box::new(done))))
                }
                Err(BalanceError::Cancelled) => Err(JobError::Cancelled),
                Err(error) => Err(JobError::Failed(error.to_string())),
            }
        });
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
        let operation = Operation::Weigh { label: view.label.clone(), beta: self.state.balance.beta };
        self.operate(ctx, true, &operation);
    }

    /// Takes in a plan; `Err` says why there is none.
    pub(super) fn take_plan(&mut self, planned: Result<BalanceView, String>) {
        let making = &mut self.memo.making;
        match planned {
            Ok(view) => {
                let other = |known: &BalanceView| known.label != view.label || known.names != view.names;
                if making.balance.as_ref().is_some_and(other) {
                    making.worth = None;
                }
                let now = self.workspace.as_ref().map(|workspace| workspace.revision());
                if self.making.tried.as_ref().is_none_or(|(label, at)| *label != view.label || Some(*at) != now) {
                    making.tried = None;
                }
                (making.balance, making.balance_trouble) = (Some(view), None);
                making.worth_old = self.making.probed != self.making.balance;
                self.probe_unasked();
            }
            Err(trouble) => (making.balance, making.balance_trouble) = (None, Some(trouble)),
        }
    }

    /// Probes a plan that nobody has probed yet, where that takes seconds.
    pub(super) fn probe_unasked(&mut self) {
        self.try_unasked();
        let few = |view: &BalanceView| view.samples + view.plan.more() as usize <= MANY;
        let fresh = self.making.probed != self.making.balance && self.state.balance.rule != WEIGHTS;
        // A text model is asked for a probe only by somebody who wants one.
        let asks = self.state.balance.over == Over::Augment && !self.state.augment.pipeline.models().is_empty();
        if fresh && !asks && self.memo.making.balance.as_ref().is_some_and(few) {
            self.start_probe();
        }
    }

    /// Makes a balance an edit.
    pub(super) fn take_balanced(&mut self, ctx: &Context, revision: u64, done: Balanced) {
        if self.is_stale(ctx, revision) {
            return;
        }
        let Some(edit) = done.edit else {
            return self.say(ctx, "There is nothing to do: every class has what it should");
        };
        self.edit(ctx, true, |_| Ok(Some(edit)));
        done.notes.into_iter().for_each(|text| self.say(ctx, text));
        if done.short > 0 {
            let what = "could not be made: the pipeline leaves them as they are, or is too risky";
            self.say(ctx, format!("{} {what}", count_samples(done.short as usize)));
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
