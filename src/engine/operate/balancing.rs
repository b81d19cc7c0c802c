//! Balancing, whole: what classes have in the train part, a plan by a rule, and the edit that does it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::asking::{TextModels, children};
use crate::chance::Chance;
use crate::data::{Batch, ClassIndex, Dataset, Kind, Method, Pipeline, Role, SampleId, count};
use crate::derive::{Likeness, number_fields};
use crate::edit::{Change, Edit, EditError, Target};
use crate::io::picture_size;
use crate::job::{Cancelled, Progress};
use crate::learn::dense::{Dense, dot, normalise};
use crate::learn::neighbours::nearest_of;
use crate::learn::risk::RiskModel;
use crate::transform::balance::{BalancePlan, BalanceRule, ClassMember, Over, Under, by_chance, by_redundancy, plan};
use crate::transform::{Augment, AugmentError, Children, trainable};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// The label column.
    pub label: String,
    pub rule: BalanceRule,
    pub under: Under,
    pub over: Over,
    /// What more samples are made by, where they are augmented.
    pub pipeline: Option<Pipeline>,
    /// Augmented samples whose label is another with more than this probability are made again.
    pub most_risk: f32,
    pub seed: u64,
}

/// The most new samples of one plan.
const MOST_NEW: u64 = 5_000_000;

/// Why nothing can be balanced.
#[derive(Debug, thiserror::Error)]
pub enum BalanceError {
    /// There is no label.
    #[error("there is no label column to balance: say in Collect which one is")]
    NoLabel,
    /// Fewer than two classes in the train part.
    #[error("the train part has {0} classes, and balancing takes two")]
    TooFew(usize),
    /// A rule names a class that is not there.
    #[error("the train part has no class {name:?} in {label:?}: the rule names one that is not there")]
    NoClass {
        /// The class.
        name: String,
        /// The column.
        label: String,
    },
    /// There are no numbers to interpolate.
    #[error("SMOTE is for datasets of numbers: here no column has the role number, or samples are texts or images")]
    NoNumbers,
    /// Nobody can say which samples are easy.
    #[error(
        "nobody can say which samples are easy: there is no label with enough samples a class to learn from; let others go first"
    )]
    NothingLearned,
    /// Nobody can say which samples are alike.
    #[error(
        "nobody can say which samples are near copies: there are no texts, no images and no numbers to compare; let others go first"
    )]
    NothingAlike,
    /// More new samples than anybody trains on.
    #[error("{0} new samples are more than the {MOST_NEW} that are made at once: ask for fewer a class")]
    TooMany(u64),
    /// No pipeline was chosen.
    #[error("which pipeline? Augment makes one")]
    NoPipeline,
    /// The pipeline cannot be used.
    #[error(transparent)]
    Augment(#[from] AugmentError),
    /// The job was stopped.
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for BalanceError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<EditError> for BalanceError {
    fn from(error: EditError) -> Self {
        Self::Augment(AugmentError::Edit(error))
    }
}

/// The train part by class.
pub struct Standing {
    /// The classes of the label's column.
    pub index: ClassIndex,
    /// Samples of the source in the train part that have a class.
    pub members: Vec<SampleId>,
    /// What was made of them and is not excluded: it counts, and goes first.
    pub made: Vec<SampleId>,
    /// Both together by class.
    pub counts: Vec<u64>,
}

impl Standing {
    /// Samples of the source that a plan leaves, by their classes.
    fn staying(&self, plan: &BalancePlan) -> HashMap<&[u32], Vec<SampleId>> {
        let gone: HashSet<SampleId> = plan.gone.iter().copied().collect();
        let mut by_class: HashMap<&[u32], Vec<SampleId>> = HashMap::new();
        for id in self.members.iter().filter(|id| !gone.contains(id)) {
            by_class.entry(self.index.of(*id)).or_default().push(*id);
        }
        by_class
    }
}

/// Counts the classes of the train part.
///
/// # Errors
/// [`BalanceError::NoLabel`], [`BalanceError::TooFew`].
pub fn standing(dataset: &Dataset, label: &str, progress: &Progress) -> Result<Standing, BalanceError> {
    let field = dataset.field(label).ok_or(BalanceError::NoLabel)?;
    let index = ClassIndex::build(dataset, field, progress)?;
    let members: Vec<SampleId> = trainable(dataset).into_iter().filter(|id| !index.of(*id).is_empty()).collect();
    let mut made: Vec<SampleId> =
        members.iter().flat_map(|id| dataset.children(*id)).copied().filter(|id| !dataset.is_excluded(*id)).collect();
    made.sort_unstable();
    made.dedup();
    let counts = index.count(members.iter().chain(&made).copied());
    let used = counts.iter().filter(|count| **count > 0).count();
    if used < 2 {
        return Err(BalanceError::TooFew(used));
    }
    Ok(Standing { index, members, made, counts })
}

/// Works out a plan: targets by the rule, then who goes and who comes again. Redundancy wants `likeness`, hardness a `model`.
///
/// # Errors
/// [`BalanceError`].
pub fn balance_plan(
    dataset: &Dataset,
    balance: &Balance,
    standing: &Standing,
    likeness: Option<&Likeness>,
    model: Option<&RiskModel>,
    progress: &Progress,
) -> Result<BalancePlan, BalanceError> {
    let names: Vec<&str> = standing.index.names().iter().map(|name| &**name).collect();
    let counted = |name: &str| standing.index.class(name).is_some_and(|class| standing.counts[class] > 0);
    let asked: Vec<&String> = match &balance.rule {
        BalanceRule::Weights(by) => by.keys().collect(),
        BalanceRule::Counts(by) => by.keys().collect(),
        _ => Vec::new(),
    };
    if let Some(name) = asked.into_iter().find(|name| !counted(name)) {
        return Err(BalanceError::NoClass { name: name.clone(), label: balance.label.clone() });
    }
    let targets = balance.rule.targets(&names, &standing.counts);
    let new: u64 =
        targets.iter().zip(&standing.counts).map(|(target, count)| target.saturating_sub(*count)).fold(0, u64::saturating_add);
    if new > MOST_NEW {
        return Err(BalanceError::TooMany(new));
    }
    let shrinks = targets.iter().zip(&standing.counts).any(|(target, count)| target < count);
    // What was asked for and cannot be had is refused, and never left to chance without a word.
    match balance.under {
        Under::Redundant if shrinks && likeness.is_none() => return Err(BalanceError::NothingAlike),
        Under::Easy if shrinks && model.is_none() => return Err(BalanceError::NothingLearned),
        _ => {}
    }
    let members: Vec<ClassMember<'_>> =
        standing.members.iter().chain(&standing.made).map(|id| (*id, standing.index.of(*id))).collect();
    let mut stopped = false;
    let leaves = |class: usize, list: Vec<SampleId>| -> Vec<SampleId> {
        // What was made goes before what is real, the youngest first.
        let (made, real): (Vec<SampleId>, Vec<SampleId>) = list.into_iter().partition(|id| dataset.is_made(*id));
        let real = match (balance.under, likeness, model) {
            (Under::Redundant, Some(likeness), _) => {
                if let Ok(pairs) = alike(likeness, &real, progress) {
                    by_redundancy(balance.seed, class, real, pairs)
                } else {
                    stopped = true;
                    real
                }
            }
            (Under::Easy, _, Some(model)) => {
                let mut keyed: Vec<(f32, SampleId)> =
                    real.into_iter().map(|id| (model.own_probability(id.row()).unwrap_or(0.0), id)).collect();
                keyed.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                keyed.into_iter().map(|(_, id)| id).collect()
            }
            _ => by_chance(balance.seed, class, real),
        };
        made.into_iter().rev().chain(real).collect()
    };
    let made = plan(&members, &targets, balance.seed, |id| !dataset.is_made(id), leaves);
    if stopped { Err(BalanceError::Cancelled) } else { Ok(made) }
}

/// How many neighbours of each sample are asked after.
const NEAR: usize = 8;

/// The most samples of a class that are held against each other: above it they are parted by a projection, on which those that are alike
/// lie side by side, so that ten times the samples are ten times the work.
const AMONG: usize = 8_000;

/// Pairs of samples that are alike.
fn alike(likeness: &Likeness, list: &[SampleId], progress: &Progress) -> Result<Vec<(f32, SampleId, SampleId)>, Cancelled> {
    let mut order = list.to_vec();
    if order.len() > AMONG {
        let mut chance = Chance::new(1);
        let along: Vec<f32> = (0..likeness.rows.dims).map(|_| chance.within(-1.0, 1.0) as f32).collect();
        let place = |id: &SampleId| dot(likeness.rows.row(id.row()), &along);
        order.sort_by(|a, b| place(a).total_cmp(&place(b)).then(a.cmp(b)));
    }
    let mut pairs = Vec::new();
    for part in order.chunks(AMONG) {
        let mut among = Dense::zeros(part.len(), likeness.rows.dims);
        for (at, id) in part.iter().enumerate() {
            among.row_mut(at).copy_from_slice(likeness.rows.row(id.row()));
            normalise(among.row_mut(at));
        }
        let all: Vec<u32> = (0..part.len() as u32).collect();
        let near = nearest_of(&among, &all, NEAR.min(part.len().saturating_sub(1)).max(1), progress)?;
        for (at, found) in near.iter().enumerate() {
            for one in found.iter().filter(|one| one.row as usize != at) {
                pairs.push((one.likeness, part[at], part[one.row as usize]));
            }
        }
    }
    Ok(pairs)
}

/// What came of balancing.
#[derive(Debug, Clone, Default)]
pub struct Balanced {
    /// The edit; `None` where nothing is to be done.
    pub edit: Option<Edit>,
    /// Samples that go, and that are new.
    pub gone: usize,
    pub made: usize,
    /// How many that were asked for could not be made.
    pub short: u64,
    /// What else there is to say, for a person.
    pub notes: Vec<String>,
}

/// Carries a plan out as one edit.
///
/// # Errors
/// [`BalanceError`].
pub fn balanced(
    dataset: &Dataset,
    balance: &Balance,
    plan: &BalancePlan,
    likeness: Option<&Likeness>,
    model: Option<&RiskModel>,
    models: &Arc<TextModels>,
    progress: &Progress,
) -> Result<Balanced, BalanceError> {
    let mut changes: Vec<Change> = Vec::new();
    changes.extend(Change::mark(dataset, Target::Excluded, plan.gone.iter().copied(), true)?);
    let made = if plan.again.is_empty() {
        Vec::new()
    } else {
        match balance.over {
            Over::Repeat => repeated(dataset, balance, plan)?,
            Over::Smote => interpolated(dataset, balance, plan, likeness, progress)?,
            Over::Augment => by_pipeline(dataset, balance, plan, model, models, progress)?,
        }
    };
    let new: usize = made.iter().map(made_by).sum();
    changes.extend(made);
    let gone = plan.gone.len();
    let rule = match &balance.rule {
        BalanceRule::Equal(_) => "equally",
        BalanceRule::Floor(_) => "by a floor",
        BalanceRule::Cap(_) => "by a cap",
        BalanceRule::SquareRoot => "by square roots",
        BalanceRule::Weights(_) => "by weights",
        BalanceRule::Counts(_) => "by hand",
    };
    let how = match (gone, new) {
        (0, n) => format!("{} more", count(n)),
        (n, 0) => format!("{} excluded", count(n)),
        (out, more) => format!("{} excluded, {} more", count(out), count(more)),
    };
    let words = format!("Balanced {} {rule}: {how}", balance.label);
    let short = plan.more().saturating_sub(new as u64);
    let notes = if new > 0 && balance.over == Over::Smote { smote_notes(dataset, balance, plan, progress)? } else { Vec::new() };
    Ok(Balanced { edit: Edit::new(words, changes), gone, made: new, short, notes })
}

/// What SMOTE did otherwise than one may think: classes that have nothing to interpolate between, columns that are no measure.
fn smote_notes(
    dataset: &Dataset,
    balance: &Balance,
    plan: &BalancePlan,
    progress: &Progress,
) -> Result<Vec<String>, BalanceError> {
    let standing = standing(dataset, &balance.label, progress)?;
    let by_class = standing.staying(plan);
    let alone: std::collections::BTreeSet<&str> = plan
        .again
        .iter()
        .filter(|(id, _)| by_class.get(standing.index.of(*id)).is_some_and(|list| list.len() == 1))
        .flat_map(|(id, _)| standing.index.of(*id))
        .map(|class| &*standing.index.names()[*class as usize])
        .collect();
    let mut notes = Vec::new();
    if !alone.is_empty() {
        let list: Vec<&str> = alone.iter().copied().take(3).collect();
        notes.push(format!("{} has one sample, which is repeated: there is nothing to interpolate between", list.join(", ")));
    }
    let ids: Vec<&str> = dataset.fields().iter().filter(|field| field.role == Role::Id).map(|field| &*field.name).collect();
    if let Some(first) = ids.first() {
        notes.push(format!("{first:?} numbers the samples: it is empty in those that are new"));
    }
    Ok(notes)
}

fn made_by(change: &Change) -> usize {
    match &change.target {
        Target::Made(batch) => batch.len(),
        _ => 0,
    }
}

fn repeated(dataset: &Dataset, balance: &Balance, plan: &BalancePlan) -> Result<Vec<Change>, BalanceError> {
    let mut batch = empty(dataset, Method::Repeated, balance.seed);
    for (id, n) in &plan.again {
        for copy in 0..u64::from(*n) {
            batch.parents.push(*id);
            batch.draws.push(Batch::draw(balance.seed, *id, copy));
        }
    }
    Ok(vec![Change::made(dataset, batch)?])
}

fn empty(dataset: &Dataset, method: Method, seed: u64) -> Batch {
    Batch {
        first: SampleId::at(dataset.rows()),
        method,
        seed,
        parents: Vec::new(),
        others: Vec::new(),
        draws: Vec::new(),
        risks: Vec::new(),
        distances: Vec::new(),
    }
}

/// SMOTE (Chawla et al., 2002): each new sample lies between one and one of its five nearest of the same class, in all numbers by the same
/// part of the way.
fn interpolated(
    dataset: &Dataset,
    balance: &Balance,
    plan: &BalancePlan,
    likeness: Option<&Likeness>,
    progress: &Progress,
) -> Result<Vec<Change>, BalanceError> {
    const NEIGHBOURS: usize = 5;
    let fields = number_fields(dataset);
    let Some(likeness) = likeness.filter(|likeness| likeness.is_of_numbers() && !fields.is_empty()) else {
        return Err(BalanceError::NoNumbers);
    };
    let standing = standing(dataset, &balance.label, progress)?;
    let by_class = standing.staying(plan);
    let mut near: HashMap<SampleId, Vec<SampleId>> = HashMap::new();
    for (id, _) in &plan.again {
        let Some(list) = by_class.get(standing.index.of(*id)) else { continue };
        let row = likeness.rows.row(id.row());
        let mut found: Vec<(f32, SampleId)> = list
            .iter()
            .filter(|other| *other != id)
            .map(|other| {
                let off = row.iter().zip(likeness.rows.row(other.row())).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
                (off, *other)
            })
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.insert(*id, found.into_iter().take(NEIGHBOURS).map(|(_, other)| other).collect());
        progress.check()?;
    }
    let mut batch = empty(dataset, Method::Interpolated, balance.seed);
    let mut cells: Vec<Vec<String>> = Vec::new();
    for (id, n) in &plan.again {
        for copy in 0..u64::from(*n) {
            let draw = Batch::draw(balance.seed, *id, copy);
            let mut chance = Chance::new(draw);
            let other = near.get(id).and_then(|near| chance.one_of(near).copied()).unwrap_or(*id);
            let part = chance.part();
            cells.push(
                fields
                    .iter()
                    .map(|field| match (dataset.number(*field, *id), dataset.number(*field, other)) {
                        (Some(a), Some(b)) => {
                            let value = a + (b - a) * part;
                            match dataset.fields()[*field].kind {
                                Kind::Integer => format!("{:.0}", value.round()),
                                Kind::Comma => value.to_string().replace('.', ","),
                                _ => value.to_string(),
                            }
                        }
                        _ => dataset.text(*field, *id).unwrap_or_default().into_owned(),
                    })
                    .collect(),
            );
            batch.parents.push(*id);
            batch.others.push(other);
            batch.draws.push(draw);
        }
    }
    let mut planned = dataset.clone();
    let mut changes = vec![Change::made(dataset, batch.clone())?];
    planned.add_made(batch.clone());
    for (place, field) in fields.iter().enumerate() {
        let name = planned.fields()[*field].name.to_string();
        let values = batch.ids().zip(&cells).map(|(id, cells)| (id, Some(cells[place].as_str()).filter(|text| !text.is_empty())));
        changes.extend(Change::cells(&planned, &name, values)?);
    }
    Ok(changes)
}

/// How often what is missing is made again.
const ROUNDS: u64 = 8;

fn by_pipeline(
    dataset: &Dataset,
    balance: &Balance,
    plan: &BalancePlan,
    model: Option<&RiskModel>,
    models: &Arc<TextModels>,
    progress: &Progress,
) -> Result<Vec<Change>, BalanceError> {
    let pipeline = balance.pipeline.clone().ok_or(BalanceError::NoPipeline)?;
    let mut missing: Vec<(SampleId, u32)> = plan.again.clone();
    let mut all = Children::default();
    // Where a sample has no more to give, others of its classes step in.
    let standing = standing(dataset, &balance.label, progress)?;
    let alike = standing.staying(plan);
    let mut seen: HashSet<(SampleId, Vec<String>)> = HashSet::new();
    let (mut risks, mut distances) = (Vec::new(), Vec::new());
    let mut augment = Augment::of(dataset, pipeline.clone(), balance.seed, missing.clone())?;
    for round in 0..ROUNDS {
        (augment.seed, augment.parents) = (balance.seed.wrapping_add(round), missing.clone());
        progress.set_total(missing.iter().map(|(_, n)| u64::from(*n) + 1).sum());
        let children = children(dataset, &augment, models, progress)?;
        let judged = match model {
            Some(model) => super::judge(dataset, &augment, &children, model, progress)?,
            None => vec![None; children.parents.len()],
        };
        let mut born: HashMap<SampleId, u32> = HashMap::new();
        for (at, risk) in judged.iter().enumerate() {
            let twin = !pipeline.alters_pictures() && !seen.insert((children.parents[at], children.texts[at].clone()));
            if twin || risk.is_some_and(|risk| risk.label > balance.most_risk) {
                continue;
            }
            *born.entry(children.parents[at]).or_default() += 1;
            all.parents.push(children.parents[at]);
            all.others.extend(children.others.get(at));
            all.draws.push(children.draws[at]);
            all.texts.push(children.texts[at].clone());
            if model.is_some() {
                risks.push(risk.map_or(Batch::UNJUDGED, |risk| Batch::thousandths(risk.label)));
                distances.push(risk.map_or(Batch::UNJUDGED, |risk| Batch::thousandths(risk.distance)));
            }
        }
        missing =
            missing.into_iter().map(|(id, n)| (id, n - born.get(&id).copied().unwrap_or(0))).filter(|(_, n)| *n > 0).collect();
        if missing.is_empty() {
            break;
        }
        let mut next: BTreeMap<SampleId, u32> = BTreeMap::new();
        for (id, n) in &missing {
            let Some(list) = alike.get(standing.index.of(*id)) else { continue };
            let start = list.iter().position(|other| other == id).unwrap_or(0);
            for step in 0..*n as usize {
                *next.entry(list[(start + 1 + step * 7 + round as usize) % list.len()]).or_default() += 1;
            }
        }
        missing = next.into_iter().collect();
    }
    augment.seed = balance.seed;
    let field = dataset.pictures();
    let sizes = |id: SampleId| picture_size(dataset, field?, id).ok();
    let edit = augment.edit(dataset, all, risks, distances, &sizes, String::new())?;
    Ok(edit.map(|edit| edit.changes).unwrap_or_default())
}
