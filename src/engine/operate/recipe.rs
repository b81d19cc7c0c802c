//! Recipes: the operations of a journal, made portable. A recipe written from one version of the data is replayed on the same or another one:
//! operations on the whole are planned anew, samples that were named are found by what they say. What does not fit is listed, and a step that cannot be
//! carried out is left out whole.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::names::Names;
use super::{Means, Operation, OperationError};
use crate::data::{Batch, Dataset, SampleId};
use crate::edit::{Change, Direction, Edit, EditError, INHERITED, Target, Values};
use crate::eye::TrainerTarget;
use crate::io::taken_base;
use crate::job::Progress;

/// The number of the format.
const FORMAT: u32 = 1;

/// A list of steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The number of the format: 1.
    pub lapidary: u32,
    pub steps: Vec<RecipeStep>,
}

/// One step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecipeStep {
    /// What it was, in words: for people.
    #[serde(default)]
    pub words: String,
    /// What is asked for; without it, `changes` are made as they stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// The samples that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<String>,
    /// Whether it is of all samples: it changed every one that it could, and is a rule for others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// What each of them is given, where that is not the same for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<String>,
    /// Changes of an edit that does not say what was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Value>,
    /// For whom a folder is written of the data as they are then; nothing else is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<TrainerTarget>,
}

/// Why a recipe cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("it is no recipe: {0}")]
    Unread(String),
    #[error("it is a recipe of format {0}, which a newer Lapidary wrote: update Lapidary to run it")]
    Newer(u32),
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// What came of replaying.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Steps that were carried out, wholly or as far as their samples are there.
    pub done: usize,
    /// What did not fit, by step, for a person.
    pub unfit: Vec<String>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// [`RecipeError`].
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        let value: Value = serde_json::from_str(text).map_err(|error| RecipeError::Unread(error.to_string()))?;
        let format = value.get("lapidary").and_then(Value::as_u64).unwrap_or(0);
        if format > u64::from(FORMAT) {
            return Err(RecipeError::Newer(u32::try_from(format).unwrap_or(u32::MAX)));
        }
        if format == 0 {
            return Err(RecipeError::Unread("it does not say \"lapidary\": 1".to_owned()));
        }
        serde_json::from_value(value).map_err(|error| RecipeError::Unread(error.to_string()))
    }

    /// The recipe as a file has it.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", serde_json::to_value(self).unwrap_or_default())
    }

    /// Writes edits down; `dataset` is as it was before the first of them.
    ///
    /// # Errors
    /// [`RecipeError::Edit`]: an edit cannot be read.
    pub fn of(mut dataset: Dataset, edits: impl IntoIterator<Item = Result<Edit, EditError>>) -> Result<Self, RecipeError> {
        // Made samples are named by what made them, so that the data are followed from the beginning.
        let names = Names::of(&dataset);
        let mut steps = Vec::new();
        for edit in edits {
            let edit = edit?;
            steps.push(step_of(&edit, &dataset, &names));
            edit.apply(&mut dataset, Direction::Forward);
        }
        Ok(Self { lapidary: FORMAT, steps })
    }

    /// The same, with a folder for a trainer at its end.
    #[must_use]
    pub fn with_export(mut self, target: TrainerTarget) -> Self {
        let words = format!("Write for {}", target.trainer.entry().title);
        self.steps.push(RecipeStep { words, export: Some(target), ..RecipeStep::default() });
        self
    }

    /// Carries the steps out on `dataset`, one after the other; folders for trainers are written by whoever can, and listed here.
    ///
    /// # Errors
    /// [`OperationError::Cancelled`] alone: what does not fit is listed.
    pub fn run(&self, dataset: &mut Dataset, means: &Means<'_>, progress: &Progress) -> Result<Replayed, OperationError> {
        self.run_exporting(dataset, means, &mut |_, _| Err("no folder is written here".to_owned()), progress)
    }

    /// As [`Recipe::run`]; `export` writes a folder for a trainer of the data as they are at that step, or says why not.
    ///
    /// # Errors
    /// [`OperationError::Cancelled`] alone.
    pub fn run_exporting(
        &self,
        dataset: &mut Dataset,
        means: &Means<'_>,
        export: &mut dyn FnMut(&Dataset, &TrainerTarget) -> Result<(), String>,
        progress: &Progress,
    ) -> Result<Replayed, OperationError> {
        // Whoever names nobody need not know who is who.
        let named = self.steps.iter().any(|step| !step.rows.is_empty() || !step.changes.is_empty());
        let names = if named { Names::of(dataset) } else { Names::default() };
        let mut replayed = Replayed::default();
        for (at, step) in self.steps.iter().enumerate() {
            progress.check()?;
            let of = |what: &str| format!("step {} ({}): {what}", at + 1, step.words);
            if let Some(target) = &step.export {
                match export(dataset, target) {
                    Ok(()) => replayed.done += 1,
                    Err(why) => replayed.unfit.push(of(&format!("left out: {why}"))),
                }
                continue;
            }
            let found = Found::of(step, dataset, &names);
            if found.missing > 0 {
                replayed.unfit.push(of(&format!("{} of {} rows are not in this data", found.missing, step.rows.len())));
            }
            let planned = match &step.operation {
                Some(operation) => match found.asked(operation, step) {
                    Some(operation) => operation.plan(dataset, means, progress).map(|planned| {
                        replayed.notes.extend(planned.notes.iter().map(|text| of(text)));
                        planned.edit
                    }),
                    None => continue,
                },
                None => changes(step, dataset, &names, &mut |what| replayed.unfit.push(of(&what))).map_err(OperationError::from),
            };
            match planned {
                Ok(Some(edit)) => {
                    for part in edit.parts() {
                        let known = part.taken.as_deref().map(|taken| taken_base(taken, progress)).transpose();
                        if let Ok(Some(base)) = known {
                            dataset.know(part.key(), base);
                        }
                    }
                    edit.apply(dataset, Direction::Forward);
                    replayed.done += 1;
                }
                Ok(None) => replayed.done += 1,
                Err(OperationError::Cancelled) => return Err(OperationError::Cancelled),
                Err(error) => replayed.unfit.push(of(&format!("left out: {error}"))),
            }
        }
        Ok(replayed)
    }
}

/// The samples of a step that are there.
struct Found {
    samples: Vec<SampleId>,
    /// Their places among the step's rows.
    places: Vec<usize>,
    missing: usize,
}

impl Found {
    fn of(step: &RecipeStep, dataset: &Dataset, names: &Names) -> Self {
        if step.all {
            let samples = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
            return Self { samples, places: Vec::new(), missing: 0 };
        }
        let (mut samples, mut places) = (Vec::new(), Vec::new());
        for (place, name) in step.rows.iter().enumerate() {
            if let Some(id) = names.sample(dataset, name) {
                samples.push(id);
                places.push(place);
            }
        }
        let missing = step.rows.len() - samples.len();
        Self { samples, places, missing }
    }

    /// The operation with its samples; `None` where it names some and none are there.
    fn asked(&self, operation: &Operation, step: &RecipeStep) -> Option<Operation> {
        let mut operation = operation.clone().of(&self.samples);
        match &mut operation {
            Operation::Accept { list, .. } => {
                let cell = |place: &usize| step.cells.get(*place).cloned().unwrap_or_default();
                *list = self.samples.iter().copied().zip(self.places.iter().map(cell)).collect();
                (!list.is_empty()).then_some(operation)
            }
            _ => (operation.samples() != Some(&[])).then_some(operation),
        }
    }
}

fn step_of(edit: &Edit, dataset: &Dataset, names: &Names) -> RecipeStep {
    let operation = edit.operation.as_deref().and_then(|json| serde_json::from_str::<Operation>(json).ok());
    let mut step = RecipeStep { words: edit.words.clone(), ..RecipeStep::default() };
    let named = |change: &Change| change.samples.iter().map(|id| names.name(dataset, *id)).collect::<Vec<_>>();
    let part = |wanted: &dyn Fn(&Target) -> bool| edit.changes.iter().find(|change| wanted(&change.target));
    match &operation {
        Some(Operation::SetCells { .. }) => {
            // What was marked reviewed and had the class already is a decision, too.
            let cells = part(&|target| matches!(target, Target::Cells(_)));
            let seen = part(&|target| *target == Target::Reviewed);
            let both = cells.into_iter().chain(seen).flat_map(|change| change.samples.iter().copied());
            let mut known = HashSet::new();
            step.rows = both.filter(|id| known.insert(*id)).map(|id| names.name(dataset, id)).collect();
        }
        Some(Operation::Accept { column, .. }) => {
            let seen = part(&|target| *target == Target::Reviewed);
            let cells = part(&|target| matches!(target, Target::Cells(_)));
            let field = dataset.field(column);
            let places: HashMap<SampleId, usize> =
                cells.map(|cells| cells.samples.iter().copied().zip(0..).collect()).unwrap_or_default();
            let mut known = HashSet::new();
            let both = cells.into_iter().chain(seen).flat_map(|change| &change.samples);
            for id in both.filter(|id| known.insert(**id)) {
                let given = cells.and_then(|cells| cells.after.get(*places.get(id)?).map(ToOwned::to_owned));
                let had = || field.and_then(|field| dataset.text(field, *id)).unwrap_or_default().into_owned();
                step.rows.push(names.name(dataset, *id));
                step.cells.push(given.unwrap_or_else(had));
            }
        }
        Some(Operation::SplitChats { .. }) => {
            // The new samples are made again.
            let cells = part(&|target| matches!(target, Target::Cells(_)));
            let old = |id: &&SampleId| id.row() < dataset.rows();
            step.rows = cells
                .map(|cells| cells.samples.iter().filter(old).map(|id| names.name(dataset, *id)).collect())
                .unwrap_or_default();
        }
        Some(
            Operation::Note { .. }
            | Operation::Swap { .. }
            | Operation::Replace { .. }
            | Operation::Repair { .. }
            | Operation::RepairChats { .. },
        ) => {
            let cells = part(&|target| matches!(target, Target::Cells(_)));
            step.all = operation.as_ref().zip(cells).is_some_and(|(operation, cells)| is_of_all(operation, cells, dataset));
            step.rows = cells.filter(|_| !step.all).map(named).unwrap_or_default();
        }
        // What is admitted is written to the split, or has its tag taken off alone.
        Some(Operation::Admit { .. }) => {
            let mut known = HashSet::new();
            let all = edit.changes.iter().flat_map(|change| &change.samples);
            step.rows = all.filter(|id| known.insert(**id)).map(|id| names.name(dataset, *id)).collect();
        }
        Some(Operation::Exclude { .. } | Operation::Review { .. } | Operation::Tag { .. }) => {
            step.rows = edit.changes.first().map(&named).unwrap_or_default();
        }
        Some(_) => {}
        None => {
            // A change may be about what one before it has made.
            let mut after = dataset.clone();
            for change in &edit.changes {
                step.changes.push(written(change, &after, names));
                change.apply(&mut after, Direction::Forward);
            }
        }
    }
    step.operation = operation;
    step
}

/// Whether a rewriting of texts has changed every cell that it could: then it is a rule, and no list of samples.
fn is_of_all(operation: &Operation, cells: &Change, dataset: &Dataset) -> bool {
    let rule = matches!(operation, Operation::Replace { .. } | Operation::Repair { .. } | Operation::RepairChats { .. });
    let all: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    let planned = || operation.clone().of(&all).plan(dataset, &Means::default(), &Progress::silent()).ok()?.edit;
    let same = |edit: Edit| {
        edit.changes
            .iter()
            .any(|change| change.target == cells.target && change.samples == cells.samples && change.after == cells.after)
    };
    rule && planned().is_some_and(same)
}

/// A change with its samples by name.
fn written(change: &Change, dataset: &Dataset, names: &Names) -> Value {
    let named = |list: &[SampleId]| list.iter().map(|id| names.name(dataset, *id)).collect::<Vec<_>>();
    if let Target::Made(batch) = &change.target {
        return json!({
            "made": batch.method, "seed": batch.seed, "parents": named(&batch.parents), "others": named(&batch.others),
            "draws": batch.draws.iter().map(|draw| format!("{draw:016x}")).collect::<Vec<_>>(),
            "risks": batch.risks, "distances": batch.distances,
        });
    }
    if let Target::Part(part) = &change.target {
        return json!({ "part": part.path, "rows": part.rows });
    }
    json!({"target": change.target, "rows": named(&change.samples), "texts": change.after.texts, "codes": change.after.codes,
           "before": change.before.get(0)})
}

/// The edit of a step whose changes are made as they stand.
fn changes(
    step: &RecipeStep,
    dataset: &Dataset,
    names: &Names,
    unfit: &mut dyn FnMut(String),
) -> Result<Option<Edit>, EditError> {
    let mut planned = dataset.clone();
    let mut list: Vec<Change> = Vec::new();
    for value in &step.changes {
        if let Some(path) = value.get("part").and_then(Value::as_str) {
            // What a recipe is run on is one file, whatever others it had beside it.
            unfit(format!("the samples of {path} were added to the data then, and are not there now"));
            continue;
        }
        // Each is found in the data as those before it have left them: an edit may fill what it has made.
        let made = if value.get("made").is_some() {
            batch(value, &planned, names, unfit).map(|batch| Change::made(&planned, batch)).transpose()?
        } else {
            change(value, &planned, names, unfit)?
        };
        if let Some(change) = made {
            change.apply(&mut planned, Direction::Forward);
            list.push(change);
        }
    }
    Ok(Edit::new(step.words.clone(), list))
}

fn strings(value: &Value, key: &str) -> Vec<String> {
    let list = value.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|text| text.as_str().map(ToOwned::to_owned)).collect()
}

fn batch(value: &Value, dataset: &Dataset, names: &Names, unfit: &mut dyn FnMut(String)) -> Option<Batch> {
    let numbers = |key: &str| -> Vec<u16> {
        let list = value.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|n| n.as_u64().and_then(|n| u16::try_from(n).ok())).collect()
    };
    let (parents, others, draws) = (strings(value, "parents"), strings(value, "others"), strings(value, "draws"));
    let (risks, distances) = (numbers("risks"), numbers("distances"));
    let mut made = Batch {
        first: SampleId::at(dataset.rows()),
        method: serde_json::from_value(value.get("made")?.clone()).ok()?,
        seed: value.get("seed").and_then(Value::as_u64).unwrap_or(0),
        parents: Vec::new(),
        others: Vec::new(),
        draws: Vec::new(),
        risks: Vec::new(),
        distances: Vec::new(),
    };
    let mut gone = 0;
    for (at, parent) in parents.iter().enumerate() {
        let other = others.get(at).map(|other| names.sample(dataset, other));
        let draw = draws.get(at).and_then(|draw| u64::from_str_radix(draw, 16).ok());
        let (Some(parent), None | Some(Some(_)), Some(draw)) = (names.sample(dataset, parent), other, draw) else {
            gone += 1;
            continue;
        };
        made.parents.push(parent);
        made.others.extend(other.flatten());
        made.draws.push(draw);
        made.risks.extend(risks.get(at));
        made.distances.extend(distances.get(at));
    }
    if gone > 0 {
        unfit(format!("{gone} of {} made samples have no parent in this data", parents.len()));
    }
    (!made.is_empty()).then_some(made)
}

fn change(value: &Value, dataset: &Dataset, names: &Names, unfit: &mut dyn FnMut(String)) -> Result<Option<Change>, EditError> {
    let Some(target) = value.get("target").and_then(|target| serde_json::from_value::<Target>(target.clone()).ok()) else {
        unfit("a change that is not known was left out".to_owned());
        return Ok(None);
    };
    let texts: Vec<Option<String>> =
        value.get("texts").and_then(|texts| serde_json::from_value(texts.clone()).ok()).unwrap_or_default();
    let codes: Vec<u32> = value.get("codes").and_then(|codes| serde_json::from_value(codes.clone()).ok()).unwrap_or_default();
    let after = Values { texts, codes };
    let rows = strings(value, "rows");
    let found: Vec<(SampleId, Option<String>)> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some((names.sample(dataset, name)?, after.get(at).map(ToOwned::to_owned))))
        .collect();
    if found.len() < rows.len() {
        unfit(format!("{} of {} rows are not in this data", rows.len() - found.len(), rows.len()));
    }
    let given: HashMap<SampleId, Option<&str>> = found.iter().map(|(id, text)| (*id, text.as_deref())).collect();
    let ids = || found.iter().map(|(id, _)| *id);
    let one = || after.get(0).unwrap_or_default();
    match &target {
        Target::Cells(column) => {
            // A cell that is read through to its parent has what that one will have.
            let own = |id: SampleId, text: Option<&str>| -> Option<String> {
                let parent = dataset.origins(id).map(|origins| origins.parent).filter(|_| text == Some(INHERITED));
                match parent {
                    Some(parent) => match given.get(&parent) {
                        Some(planned) => planned.map(ToOwned::to_owned),
                        None => dataset.field(column).and_then(|field| dataset.text(field, parent)).map(|text| text.into_owned()),
                    },
                    None => text.map(ToOwned::to_owned),
                }
            };
            let cells: Vec<(SampleId, Option<String>)> =
                found.iter().map(|(id, text)| (*id, own(*id, text.as_deref()))).collect();
            Change::cells(dataset, column, cells.iter().map(|(id, text)| (*id, text.as_deref())))
        }
        Target::Excluded | Target::Reviewed | Target::Tag(_) => {
            // A mark that is taken off has no value afterwards.
            let (on, off): (Vec<SampleId>, Vec<SampleId>) = {
                let set = |id: &SampleId| found.iter().any(|(known, text)| known == id && text.is_some());
                if after.codes.is_empty() {
                    if after.get(0).is_some() { (ids().collect(), Vec::new()) } else { (Vec::new(), ids().collect()) }
                } else {
                    ids().partition(set)
                }
            };
            let (list, on) = if on.is_empty() { (off, false) } else { (on, true) };
            Change::mark(dataset, target.clone(), list, on)
        }
        Target::Role(column) => match crate::data::Role::from_name(one()) {
            Some(role) => Change::role(dataset, column, role),
            None => Ok(None),
        },
        Target::Kind(column) => match crate::data::Kind::from_name(one()) {
            Some(kind) => Change::kind(dataset, column, kind),
            None => Ok(None),
        },
        Target::Column(name) if after.get(0).is_none() => {
            // A column that is taken away again.
            let was = dataset.field(name).map(|field| &dataset.fields()[field]).filter(|column| !column.is_given());
            let before = was.map(|column| format!("{}/{}", column.kind.name(), column.role));
            Ok(before.map(|before| Change {
                target: target.clone(),
                samples: Vec::new(),
                before: Values::same(Some(&before)),
                after,
            }))
        }
        Target::Column(name) => {
            let Some((kind, role)) = one().split_once('/') else { return Ok(None) };
            match (crate::data::Kind::from_name(kind), crate::data::Role::from_name(role)) {
                (Some(kind), Some(role)) => Change::add_column(dataset, name, kind, role).map(Some),
                _ => Ok(None),
            }
        }
        Target::Property(name, of) => Ok(crate::data::Property::from_name(name).and_then(|property| {
            let of: Vec<&str> = of.iter().map(String::as_str).collect();
            Change::said(dataset, property, &of, after.get(0))
        })),
        Target::Made(_) | Target::Part(_) => Ok(None),
    }
}
