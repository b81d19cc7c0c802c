//! Balance without a screen: plans, what they are worth to a probe, rules that are tried, and the run that plans an edit.

use std::collections::HashMap;
use std::sync::Arc;

use super::Workspace;
use super::asked::{News, Wants};
use super::asking::Asking;
use super::augmenting::{Augmenting, MadeRun};
use super::checking::Checking;
use super::forms::{AugmentForm, BalanceForm, BalanceView, WEIGHTS};
use crate::data::{Dataset, Role, SampleId};
use crate::derive::{Key, Likeness, is_of_numbers, likeness, likeness_key};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};
use crate::learn::risk::RiskModel;
use crate::operate::{Balance, BalanceError, Operation, Tried, Worth, balance_plan, balanced, can_probe, standing, tried, worth};
use crate::transform::balance::{BalancePlan, ClassWeights, Over, Under, effective_size};
use crate::transform::text_fields;

/// Above this many samples, no probe is made unasked.
const MANY: usize = 60_000;

/// What a plan depends on.
#[derive(Clone, PartialEq)]
struct PlanKey {
    form: BalanceForm,
    /// The pipeline of new samples and the most risk of theirs, where there are to be any.
    augment: Option<(String, f32)>,
    revision: u64,
    /// Whether it was known what is like what, where the form asks for that.
    alike: bool,
    /// The model that judged.
    judged: Option<Key>,
}

/// What rules were tried for.
type TriedKey = (BalanceForm, String, u64);

/// What Balance has worked out.
pub struct Balancing {
    likeness: Slot<Key, Option<Arc<Likeness>>>,
    plan: Slot<PlanKey, BalanceView>,
    worth: Slot<PlanKey, (Vec<Arc<str>>, Worth)>,
    tried: Slot<TriedKey, Vec<Tried>>,
    /// Why there is no plan, where nothing can be asked.
    trouble: Option<String>,
}

impl Default for Balancing {
    fn default() -> Self {
        Self {
            likeness: Slot::new("likeness", Lane::Learning),
            plan: Slot::new("balance", Lane::Learning),
            worth: Slot::new("probe", Lane::Learning),
            tried: Slot::new("trying", Lane::Learning),
            trouble: None,
        }
    }
}

impl Balancing {
    pub fn slots(&self) -> [&dyn AnySlot; 4] {
        [&self.likeness, &self.plan, &self.worth, &self.tried]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 4] {
        [&mut self.likeness, &mut self.plan, &mut self.worth, &mut self.tried]
    }

    /// The plan that is shown.
    pub fn plan(&self) -> Option<&BalanceView> {
        self.plan.answer().filter(|_| self.trouble().is_none())
    }

    /// Why there is none.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref().or_else(|| self.plan.trouble())
    }

    /// What the probe said, of this plan or of an earlier one of the same classes.
    pub fn worth(&self) -> Option<&Worth> {
        let (key, (names, worth)) = self.worth.shown()?;
        let view = self.plan()?;
        (key.form.label == self.plan.shown()?.0.form.label && *names == view.names).then_some(worth)
    }

    /// Whether what it said is of an earlier plan.
    pub fn is_worth_old(&self) -> bool {
        self.worth.shown().map(|(key, _)| key) != self.plan.shown().map(|(key, _)| key)
    }

    /// The rules that were tried on the data as they are, the best first; empty where none changes anything.
    pub fn tried(&self, revision: u64) -> Option<&[Tried]> {
        let ((_, label, at), list) = self.tried.shown()?;
        (*label == self.plan()?.label && *at == revision).then_some(list.as_slice())
    }

    /// Lets go of the probe under way.
    pub fn cancel_probe(&mut self) {
        self.worth.cancel();
    }

    /// What is like what, where that is known.
    fn alike(&self) -> Option<&Arc<Likeness>> {
        self.likeness.answer().and_then(Option::as_ref)
    }

    /// Takes in what has come, and works out what is looked at and not known yet.
    pub fn work(&mut self, with: &mut With<'_>, wants: &Wants<'_>, looked_at: bool, news: &mut Vec<News>) {
        let desk = with.desk;
        let mut fresh = false;
        match self.likeness.take(desk) {
            Some(Came::Answer) => fresh = true,
            Some(Came::Failed(why)) => news.push(News::Failed("likeness", why)),
            None => {}
        }
        // Why there is no plan stands in its place.
        fresh |= self.plan.take(desk) == Some(Came::Answer);
        if let Some(Came::Failed(why)) = self.worth.take(desk) {
            news.push(News::Failed("probe", why));
        }
        match self.tried.take(desk) {
            Some(Came::Answer) => {
                if let Some(((form, _, revision), list)) = self.tried.shown()
                    && *revision == with.workspace.revision()
                {
                    news.push(News::Tried(form.clone(), list.clone()));
                }
            }
            Some(Came::Failed(why)) => news.push(News::Failed("trying", why)),
            None => {}
        }
        if looked_at {
            self.find_likeness(with);
            self.make_plan(with, wants);
        }
        if fresh {
            self.probe_unasked(with, wants);
        }
    }

    fn find_likeness(&mut self, with: &With<'_>) {
        let dataset = with.workspace.dataset();
        let pictures = dataset.pictures().is_some() && text_fields(dataset).is_empty();
        let looks = if pictures { with.checking.looks(dataset) } else { None };
        let Some(wanted) = likeness_key(dataset).filter(|_| !pictures || looks.is_some()) else { return };
        if !self.likeness.needs(&wanted) {
            return;
        }
        // What was read is of other texts, pictures or numbers.
        self.likeness.clear();
        let (snapshot, store) = (dataset.clone(), Arc::clone(with.workspace.derived()));
        self.likeness.ask(with.desk, wanted, "Reading the samples", move |progress| {
            Ok(likeness(&snapshot, looks.as_ref().map(|looks| looks.as_slice()), &store, progress)?)
        });
    }

    /// The question that the form puts, of the data as they are.
    fn question(&self, with: &With<'_>, wants: &Wants<'_>) -> PlanKey {
        let form = wants.balance;
        let judged = if needs_judge(form) { with.augmenting.judge().1.cloned() } else { None };
        PlanKey {
            form: form.clone(),
            augment: (form.over == Over::Augment).then(|| (wants.augment.pipeline.to_json(), wants.augment.most_risk)),
            revision: with.workspace.revision(),
            alike: form.under == Under::Redundant && self.alike().is_some(),
            judged,
        }
    }

    fn make_plan(&mut self, with: &mut With<'_>, wants: &Wants<'_>) {
        let form = wants.balance;
        let pipeline = &wants.augment.pipeline;
        if needs_judge(form) {
            with.augmenting.learn_to_judge(with.workspace, pipeline, with.checking, with.desk);
            if with.augmenting.is_judging(with.workspace.dataset(), pipeline, with.checking) {
                return;
            }
        }
        let wanted = self.question(with, wants);
        let waits = form.under == Under::Redundant && self.alike().is_none() && self.likeness.is_asked();
        if waits || !self.plan.needs(&wanted) {
            return;
        }
        let Some(asked) = asked(with.workspace.dataset(), form, wants.augment) else {
            self.trouble = Some(BalanceError::NoLabel.to_string());
            return;
        };
        self.trouble = None;
        let snapshot = with.workspace.dataset().clone();
        let (likeness, model) = (self.alike().cloned(), with.augmenting.judge().0.cloned());
        self.plan.ask(with.desk, wanted, "Planning", move |progress| {
            let Planned { names, plan, samples, effective, most } =
                planned(&snapshot, &asked, likeness.as_deref(), model.as_deref(), progress).map_err(failed)?;
            Ok(BalanceView { label: asked.label, names, plan, samples, numbers: is_of_numbers(&snapshot), effective, most })
        });
    }

    /// Asks the probe what the plan on screen is worth.
    pub fn probe(&mut self, with: &With<'_>, wants: &Wants<'_>) {
        let Some(likeness) = self.alike().cloned() else { return };
        let Some(asked) = asked(with.workspace.dataset(), wants.balance, wants.augment) else { return };
        let Some((key, view)) = self.plan.shown().filter(|_| self.is_planned(with.workspace, wants)) else { return };
        let cells = with.workspace.dataset().extent() + view.plan.more() as usize;
        if !can_probe(cells, view.names.len()) {
            return;
        }
        let (snapshot, plan, wanted) = (with.workspace.dataset().clone(), view.plan.clone(), wants.balance.wanted);
        let (model, models) = (with.augmenting.judge().0.cloned(), Arc::clone(with.asking.models()));
        let title = with.asking.title(asked.pipeline.as_ref(), "Probing what it is worth");
        let (key, names) = (key.clone(), view.names.clone());
        self.worth.ask(with.desk, key, title, move |progress| {
            let standing = standing(&snapshot, &asked.label, progress).map_err(failed)?;
            let done =
                balanced(&snapshot, &asked, &plan, Some(&likeness), model.as_deref(), &models, progress).map_err(failed)?;
            Ok((names, worth(&snapshot, &standing, &likeness, done.edit.as_ref(), f64::from(wanted), progress)?))
        });
    }

    /// Tries several rules by the probe.
    pub fn try_rules(&mut self, with: &With<'_>, wants: &Wants<'_>) {
        let Some(likeness) = self.alike().cloned() else { return };
        let Some(asked) = asked(with.workspace.dataset(), wants.balance, wants.augment) else { return };
        let snapshot = with.workspace.dataset().clone();
        let question = (wants.balance.clone(), asked.label.clone(), with.workspace.revision());
        self.tried.ask(with.desk, question, "Trying rules", move |progress| {
            let standing = standing(&snapshot, &asked.label, progress).map_err(failed)?;
            tried(&snapshot, &asked, &standing, &likeness, progress).map_err(failed)
        });
    }

    /// Probes a plan that nobody has probed yet, where that takes seconds, and tries rules once for a column, before anything is asked for.
    fn probe_unasked(&mut self, with: &With<'_>, wants: &Wants<'_>) {
        let Some(view) = self.plan() else { return };
        let (label, few) = (view.label.clone(), view.samples + view.plan.more() as usize <= MANY);
        let untouched = BalanceForm { label: wants.balance.label.clone(), ..BalanceForm::default() } == *wants.balance;
        let of_it = |key: &TriedKey| key.1 == label;
        let known = self.tried.shown().is_some_and(|(key, _)| of_it(key))
            || self.tried.asked().is_some_and(of_it)
            || self.tried.without().is_some_and(|(key, _)| of_it(key));
        if untouched && !known && view.samples <= MANY / 4 {
            self.try_rules(with, wants);
        }
        let Some((key, _)) = self.plan.shown() else { return };
        let fresh = self.worth.needs(key) && wants.balance.rule != WEIGHTS;
        // A text model is asked for a probe only by somebody who wants one.
        let asks = wants.balance.over == Over::Augment && !wants.augment.pipeline.models().is_empty();
        if fresh && !asks && few && with.may_run(wants) {
            self.probe(with, wants);
        }
    }

    /// Whether the plan on screen is of the dataset as it is and of the form as it stands.
    fn is_planned(&self, workspace: &Workspace, wants: &Wants<'_>) -> bool {
        let of_now = |key: &PlanKey| key.form == *wants.balance && key.revision == workspace.revision();
        self.plan().is_some() && !self.plan.is_asked() && self.plan.shown().is_some_and(|(key, _)| of_now(key))
    }

    /// Carries the plan on screen out.
    pub fn start(&mut self, with: &mut With<'_>, wants: &Wants<'_>) {
        if !self.is_planned(with.workspace, wants) || with.augmenting.run.is_asked() {
            return;
        }
        let asked = asked(with.workspace.dataset(), wants.balance, wants.augment);
        let (Some(asked), Some(view)) = (asked, self.plan()) else { return };
        let (snapshot, plan) = (with.workspace.dataset().clone(), view.plan.clone());
        let (likeness, model) = (self.alike().cloned(), with.augmenting.judge().0.cloned());
        let models = Arc::clone(with.asking.models());
        let title = with.asking.title(asked.pipeline.as_ref(), "Balancing");
        let revision = with.workspace.revision();
        with.augmenting.run.ask(with.desk, revision, title, move |progress| {
            let mut done =
                balanced(&snapshot, &asked, &plan, likeness.as_deref(), model.as_deref(), &models, progress).map_err(failed)?;
            done.edit = done.edit.map(|edit| edit.by(Operation::Balance(asked).to_json()));
            Ok(MadeRun::Balanced(Box::new(done)))
        });
    }

    /// The class weights of the train part as JSON, for the clipboard.
    pub fn class_weights(&self, beta: f64) -> Option<String> {
        let view = self.plan()?;
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
}

/// What Balance reads of the rest of a session.
pub struct With<'s> {
    pub workspace: &'s Workspace,
    pub checking: &'s Checking,
    pub asking: &'s Asking,
    pub augmenting: &'s mut Augmenting,
    pub desk: &'s Desk,
}

impl With<'_> {
    /// Whether what Balance asks for may be run without more ado; where not, Augment says why and what to do.
    pub fn may_run(&self, wants: &Wants<'_>) -> bool {
        wants.balance.over != Over::Augment || self.asking.refusal(wants.augment).is_none()
    }
}

fn failed(error: BalanceError) -> JobError {
    match error {
        BalanceError::Cancelled => JobError::Cancelled,
        other => JobError::Failed(other.to_string()),
    }
}

fn needs_judge(form: &BalanceForm) -> bool {
    form.under == Under::Easy || form.over == Over::Augment
}

/// What the forms ask for; `None` where there is no label.
fn asked(dataset: &Dataset, form: &BalanceForm, augment: &AugmentForm) -> Option<Balance> {
    let field = dataset.field(&form.label).or_else(|| dataset.with_role(Role::is_label))?;
    Some(Balance {
        label: dataset.fields()[field].name.to_string(),
        rule: form.rule(),
        under: form.under,
        over: form.over,
        pipeline: (form.over == Over::Augment).then(|| augment.pipeline.clone()),
        most_risk: augment.most_risk,
        seed: form.seed,
    })
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
