//! The planners: from an operation to the edit that does it.

use std::sync::Arc;

use super::chats::{repair_chats, split_chats};
use super::columns::plan_column;
use super::consensus::plan_consensus;
use super::instruct::plan_instruct;
use super::predict::plan_predictions;
use super::relevance::plan_relevance;
use super::rewrite::{repair_texts, replace, widened};
use super::taking::{admit, plan_take, watch};
use super::unique::plan_unique;
use super::{
    Balance, Means, NOTE, Operation, OperationError, Planned, augmented, balance_plan, balanced, copies, scanned, standing,
};
use crate::checks::FindingKind;
use crate::data::{Chat, ClassIndex, Dataset, Field, Kind, Property, Role, SampleId, classes_of, count, count_samples};
use crate::derive::{likeness, risk_model};
use crate::edit::{Change, Edit, EditError, Target};
use crate::io::MeaningError;
use crate::job::Progress;
use crate::learn::risk::RiskModel;
use crate::pixels::Look;
use crate::transform::balance::{ClassWeights, Over, Under};
use crate::transform::{Augment, HashOf, Plan, Split, SplitMethod, text_fields};

/// The column of sample weights.
const WEIGHT: &str = "sample_weight";

pub fn plan(operation: &Operation, dataset: &Dataset, means: &Means<'_>, progress: &Progress) -> Result<Planned, OperationError> {
    let guarded = |column: &&&str| dataset.field(column).is_some_and(|field| dataset.is_provenance(field));
    if let Some(column) = written(operation).iter().find(guarded) {
        return Err(EditError::Refused(format!("{column} says where samples come from: it is not written over")).into());
    }
    let edit = match operation {
        Operation::SetCells { samples, column, text, review } => set_cells(dataset, samples, column, text, *review)?,
        Operation::Accept { list, column } => accept(dataset, list, column)?,
        Operation::Exclude { samples, on } => {
            mark(dataset, Target::Excluded, samples, *on, if *on { "Excluded" } else { "Restored" })?
        }
        Operation::Review { samples, on } => {
            mark(dataset, Target::Reviewed, samples, *on, if *on { "Marked reviewed:" } else { "Marked not reviewed:" })?
        }
        Operation::Tag { samples, tag, on } => {
            let words = format!("{} {tag}:", if *on { "Tagged" } else { "Untagged" });
            mark(dataset, Target::Tag(tag.clone()), samples, *on, &words)?
        }
        Operation::Note { samples, text } => note(dataset, samples, text)?,
        Operation::Replace { samples, column, what } => return replace(dataset, samples, column, what, progress),
        Operation::Repair { samples, column, repair } => return repair_texts(dataset, samples, column, *repair, progress),
        Operation::RepairChats { samples, column, repair } => return repair_chats(dataset, samples, column, *repair, progress),
        Operation::SplitChats { samples, column, target } => return split_chats(dataset, samples, column, target, progress),
        Operation::Swap { samples, one, other } => swap(dataset, samples, one, other)?,
        Operation::RenameClass { column, from, to } => rename_class(dataset, means, (column, from, to), progress)?,
        Operation::SetRole { column, role } => {
            Edit::new(format!("Role of {column} is {role}"), Change::role(dataset, column, *role)?)
        }
        Operation::SetKind { column, kind } => {
            Edit::new(format!("{column} is read as {}", kind.name()), Change::kind(dataset, column, *kind)?)
        }
        Operation::Say { property, of, value } => say(dataset, *property, of, value.as_deref())?,
        Operation::Split(split) => {
            let copies = copies(dataset, split.near, &means.derived, progress)?;
            let plan = split.plan(dataset, Option::as_ref(&copies), progress)?;
            return Ok(Planned { edit: split_edit(dataset, split, &plan)?, notes: plan.notes });
        }
        Operation::Weigh { label, beta } => weigh(dataset, means, label, *beta, progress)?,
        Operation::Augment { pipeline, copies, seed, most_risk } => {
            let asked = Augment::all(dataset, pipeline.clone(), *seed, *copies)?;
            return augment_edit(dataset, &asked, *most_risk, means, progress);
        }
        Operation::Consensus(asked) => return plan_consensus(dataset, asked, progress),
        Operation::Relevance(asked) => return plan_relevance(dataset, asked, progress),
        Operation::Watch { batches } => watch(dataset, batches)?,
        Operation::Take(asked) => return plan_take(dataset, asked, progress),
        Operation::Admit { samples, part } => return admit(dataset, samples, part, means, progress),
        Operation::Unique(asked) => return plan_unique(dataset, *asked, progress),
        Operation::Column(asked) => return plan_column(dataset, asked, progress),
        Operation::Instruct(asked) => return Ok(plan_instruct(dataset, asked, progress)?),
        Operation::Predict(asked) => return plan_predictions(dataset, asked, means, progress),
        Operation::Balance(balance) => return balance_edit(dataset, balance, means, progress),
    };
    Ok(Planned { edit, notes: Vec::new() })
}

/// The columns whose cells an operation writes, where it names them.
fn written(operation: &Operation) -> Vec<&str> {
    match operation {
        Operation::SetCells { column, .. }
        | Operation::Accept { column, .. }
        | Operation::Replace { column, .. }
        | Operation::Repair { column, .. }
        | Operation::RepairChats { column, .. }
        | Operation::SplitChats { column, .. }
        | Operation::RenameClass { column, .. }
        | Operation::SetKind { column, .. } => vec![column],
        Operation::Swap { one, other, .. } => vec![one, other],
        Operation::Column(asked) => vec![asked.into.trim()],
        Operation::Consensus(asked) => vec![&asked.into],
        _ => Vec::new(),
    }
}

fn set_cells(dataset: &Dataset, samples: &[SampleId], column: &str, text: &str, review: bool) -> Result<Option<Edit>, EditError> {
    let Some(field) = dataset.field(column) else {
        // The first class of a dataset that has none yet: its column is made with it.
        let add = Change::add_column(dataset, column, Kind::Text, Role::Label)?;
        let words = format!("Set {column} of {} to {text}, a new column", count_samples(samples.len()));
        return Ok(Edit::new(words, [add, Change::fill(column, samples.iter().map(|id| (*id, text)))]));
    };
    let (kind, role) = (dataset.fields()[field].kind, dataset.fields()[field].role);
    let (widened, widening) = widened(dataset, column, [text]);
    let (dataset, kind) = (widened.as_ref().unwrap_or(dataset), if widened.is_some() { Kind::Text } else { kind });
    // A class for a label that holds a list is a list of one.
    let listed = serde_json::to_string(&[text]).unwrap_or_default();
    let value = if kind == Kind::List && role.is_label() && !text.starts_with('[') { &listed } else { text };
    let change = Change::cells(dataset, column, samples.iter().map(|id| (*id, Some(value))))?;
    let seen =
        if review && role.is_label() { Change::mark(dataset, Target::Reviewed, samples.iter().copied(), true)? } else { None };
    let n = change.as_ref().map_or(0, |change| change.samples.len());
    let of = match &change {
        Some(change) if n == 1 => format!("sample {}", change.samples[0].0),
        _ => count_samples(n),
    };
    let words = if role.is_label() { format!("Set {column} of {of} to {text}") } else { format!("Edited {column} of {of}") };
    let words = match samples {
        [id] if role == Role::Messages => match (dataset.text(field, *id).and_then(|cell| Chat::parse(&cell)), Chat::parse(text))
        {
            (Some(before), Some(after)) => format!("{words}: {}", before.change_to(&after)),
            _ => words,
        },
        _ => words,
    };
    Ok(Edit::new(words, widening.into_iter().chain(change).chain(seen)))
}

fn accept(dataset: &Dataset, list: &[(SampleId, String)], column: &str) -> Result<Option<Edit>, EditError> {
    let cells = Change::cells(dataset, column, list.iter().map(|(id, cell)| (*id, Some(cell.as_str()))))?;
    let seen = Change::mark(dataset, Target::Reviewed, list.iter().map(|(id, _)| *id), true)?;
    let words = match list {
        [(id, cell)] => format!("Accepted {cell} for sample {}", id.0),
        _ => format!("Accepted the suggested label of {}", count_samples(list.len())),
    };
    Ok(Edit::new(words, cells.into_iter().chain(seen)))
}

fn mark(dataset: &Dataset, target: Target, samples: &[SampleId], on: bool, words: &str) -> Result<Option<Edit>, EditError> {
    let change = Change::mark(dataset, target, samples.iter().copied(), on)?;
    let n = change.as_ref().map_or(0, |change| change.samples.len());
    let of = match &change {
        Some(change) if n == 1 => format!("sample {}", change.samples[0].0),
        _ => count_samples(n),
    };
    Ok(Edit::new(format!("{words} {of}"), change))
}

fn note(dataset: &Dataset, samples: &[SampleId], text: &str) -> Result<Option<Edit>, EditError> {
    let verb = if text.is_empty() { "Took the note off" } else { "Noted" };
    let words = match samples {
        [id] => format!("{verb}: sample {}", id.0),
        _ => format!("{verb}: {}", count_samples(samples.len())),
    };
    if dataset.field(NOTE).is_none() {
        if text.is_empty() {
            return Ok(None);
        }
        let add = Change::add_column(dataset, NOTE, Kind::Text, Role::Other)?;
        return Ok(Edit::new(words, [add, Change::fill(NOTE, samples.iter().map(|id| (*id, text)))]));
    }
    let value = (!text.is_empty()).then_some(text);
    Ok(Edit::new(words, Change::cells(dataset, NOTE, samples.iter().map(|id| (*id, value)))?))
}

fn swap(dataset: &Dataset, samples: &[SampleId], one: &str, other: &str) -> Result<Option<Edit>, EditError> {
    let place = |name: &str| dataset.field(name).ok_or_else(|| EditError::Column(name.to_owned()));
    let (first, second) = (place(one)?, place(other)?);
    let of = |field: usize| -> Vec<(SampleId, Option<String>)> {
        samples.iter().map(|id| (*id, dataset.text(field, *id).map(|text| text.into_owned()))).collect()
    };
    let put = |column: &str, cells: &[(SampleId, Option<String>)]| {
        Change::cells(dataset, column, cells.iter().map(|(id, text)| (*id, text.as_deref())))
    };
    let changes = [put(one, &of(second))?, put(other, &of(first))?];
    let of = match samples {
        [id] => format!("sample {}", id.0),
        _ => count_samples(samples.len()),
    };
    Ok(Edit::new(format!("Swapped {one} and {other} of {of}"), changes.into_iter().flatten()))
}

/// Says something of the dataset beside its cells.
fn say(dataset: &Dataset, property: Property, of: &[String], value: Option<&str>) -> Result<Option<Edit>, EditError> {
    let of: Vec<&str> = of.iter().map(String::as_str).collect();
    let (first, second) = (of.first().copied().unwrap_or_default(), of.get(1).copied().unwrap_or_default());
    let on = value.is_some();
    let column = match property {
        Property::Fine => second,
        Property::ColumnOrder
        | Property::Filter
        | Property::AskAgain
        | Property::LogSlice
        | Property::SaidAgain
        | Property::Batch
        | Property::LogFolder
        | Property::EachOnce => "",
        _ => first,
    };
    if !column.is_empty() && dataset.field(column).is_none() {
        return Err(EditError::Column(column.to_owned()));
    }
    if property == Property::ExportName {
        is_free(dataset, first, value)?;
    }
    let words = match property {
        Property::Guideline if on => format!("Wrote when a sample is {second}"),
        Property::Guideline => format!("Took the guideline of {second} away"),
        Property::ClassOrder => format!("Ordered the classes of {first}"),
        Property::ClassColour => format!("Chose the colour of {second}"),
        Property::Fine if on => format!("{} is no problem in {second}", kind_title(first)),
        Property::Fine => format!("{} is a problem in {second} again", kind_title(first)),
        Property::ExportName => format!("{first} is written as {}", value.unwrap_or(first)),
        Property::LeftOut if on => format!("{first} is left out of what is saved"),
        Property::LeftOut => format!("{first} is saved again"),
        Property::ColumnOrder => "Ordered the columns of what is saved".to_owned(),
        Property::Filter if on => format!("Kept the filter {first}"),
        Property::Filter => format!("Forgot the filter {first}"),
        Property::AskAgain if on => "Shows some samples once more".to_owned(),
        Property::AskAgain => "Shows no sample twice".to_owned(),
        Property::SaidAgain => format!("Shown once more: sample {second}"),
        Property::Batch if on => format!("Watches {first}"),
        Property::Batch => format!("Does not watch {first} any more"),
        Property::LogSlice if on => format!("Looks at {first} in every batch"),
        Property::LogSlice => format!("Looks at {first} no more"),
        Property::LogFolder if on => format!("Looks for new logs in {first}"),
        Property::LogFolder => format!("Looks for no logs in {first} any more"),
        Property::EachOnce => "Says whether each text stands once".to_owned(),
    };
    Ok(Edit::new(words, Change::said(dataset, property, &of, value)))
}

fn kind_title(name: &str) -> &'static str {
    FindingKind::from_name(name).map_or("What was found", FindingKind::title)
}

/// Two columns of one name would be one to whoever reads the file.
fn is_free(dataset: &Dataset, column: &str, name: Option<&str>) -> Result<(), EditError> {
    let Some(name) = name else { return Ok(()) };
    if name.trim().is_empty() {
        return Err(EditError::Refused("a column needs a name".to_owned()));
    }
    let others = dataset.fields().iter().filter(|field| *field.name != *column);
    let written =
        |field: &Field| dataset.properties().get(Property::ExportName, &[&field.name]).unwrap_or(&field.name).to_owned();
    if others.into_iter().any(|field| written(field) == name) { Err(EditError::Taken(name.to_owned())) } else { Ok(()) }
}

fn rename_class(
    dataset: &Dataset,
    means: &Means<'_>,
    (column, from, to): (&str, &str, &str),
    progress: &Progress,
) -> Result<Option<Edit>, OperationError> {
    let field = dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
    let (kind, role) = (dataset.fields()[field].kind, dataset.fields()[field].role);
    let own;
    let classes = match means.classes {
        Some(classes) => classes,
        None => {
            own = ClassIndex::build(dataset, field, progress)?;
            &own
        }
    };
    let merges = classes.class(to).is_some_and(|class| classes.counts()[class] > 0);
    let place = classes.class(from).map(|place| place as u32);
    let has = |id: &SampleId| place.is_some_and(|place| classes.of(*id).contains(&place));
    let cells: Vec<(SampleId, String)> = dataset
        .samples()
        .filter(has)
        .map(|id| (id, renamed(classes_of(dataset.text(field, id), kind, role), from, to, kind, role)))
        .collect();
    let (widened, widening) = widened(dataset, column, [to]);
    let wide = widened.as_ref().unwrap_or(dataset);
    let change = Change::cells(wide, column, cells.iter().map(|(id, text)| (*id, Some(text.as_str()))))?;
    let said = if merges { Vec::new() } else { renamed_properties(dataset, column, from, to) };
    let (verb, joint) = if merges { ("Merged", "into") } else { ("Renamed", "to") };
    let words = format!("{verb} {from} {joint} {to}, {}", count_samples(cells.len()));
    Ok(Edit::new(words, widening.into_iter().chain(change).chain(said)))
}

/// What was said of a class is said of it under its new name.
fn renamed_properties(dataset: &Dataset, column: &str, from: &str, to: &str) -> Vec<Change> {
    let said = dataset.properties();
    let mut changes = Vec::new();
    for property in [Property::Guideline, Property::ClassColour] {
        if let Some(value) = said.get(property, &[column, from]) {
            changes.extend(Change::said(dataset, property, &[column, to], Some(value)));
            changes.extend(Change::said(dataset, property, &[column, from], None));
        }
    }
    let order = said.list(Property::ClassOrder, &[column]);
    if order.iter().any(|name| name == from) {
        let order: Vec<&str> = order.iter().map(|name| if name == from { to } else { name }).collect();
        let json = serde_json::to_string(&order).unwrap_or_default();
        changes.extend(Change::said(dataset, Property::ClassOrder, &[column], Some(&json)));
    }
    changes
}

/// A cell with one of its classes renamed; a class that is there twice then stands once.
fn renamed(mut names: Vec<String>, from: &str, to: &str, kind: Kind, role: Role) -> String {
    names.iter_mut().filter(|name| *name == from).for_each(|name| to.clone_into(name));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    match (kind, role) {
        (Kind::List, _) => serde_json::to_string(&names).unwrap_or_default(),
        (_, Role::Labels(separator)) => names.join(&separator.to_string()),
        _ => names.concat(),
    }
}

/// The edit that makes a split's plan a column.
///
/// # Errors
/// [`EditError`].
pub fn split_edit(dataset: &Dataset, split: &Split, plan: &Plan) -> Result<Option<Edit>, EditError> {
    let how = match &split.method {
        SplitMethod::Random => "random",
        SplitMethod::Stratified { .. } => "stratified",
        SplitMethod::Group { .. } => "by group",
        SplitMethod::StratifiedGroup { .. } => "stratified by group",
        SplitMethod::Time { .. } => "by time",
        SplitMethod::Hash(HashOf::Content) => "by hash of the text",
        SplitMethod::Hash(HashOf::Column(_)) => "by hash of a column",
    };
    let values = plan.samples.iter().zip(&plan.parts).map(|(id, part)| (*id, plan.names[usize::from(*part)].as_str()));
    let words = format!("Split {} {how}, seed {}", count_samples(plan.samples.len()), split.seed);
    let text = |field: usize| dataset.fields()[field].kind == Kind::Text;
    if let Some(field) = dataset.with_role(|role| role == Role::Split).filter(|field| text(*field)) {
        let column = dataset.fields()[field].name.to_string();
        let change = Change::cells(dataset, &column, values.map(|(id, name)| (id, Some(name))))?;
        return Ok(Edit::new(words, change));
    }
    let name = (1..=u32::MAX)
        .map(|n| if n == 1 { "split".to_owned() } else { format!("split_{n}") })
        .find(|name| dataset.field(name).is_none());
    let name = name.unwrap_or_default();
    let add = Change::add_column(dataset, &name, Kind::Text, Role::Split)?;
    Ok(Edit::new(words, [add, Change::fill(&name, values)]))
}

fn weigh(
    dataset: &Dataset,
    means: &Means<'_>,
    label: &str,
    beta: f64,
    progress: &Progress,
) -> Result<Option<Edit>, OperationError> {
    let field = dataset.field(label).ok_or_else(|| EditError::Column(label.to_owned()))?;
    let own;
    let index = match means.classes {
        Some(classes) => classes,
        None => {
            own = ClassIndex::build(dataset, field, progress)?;
            &own
        }
    };
    let standing = standing(dataset, label, progress)?;
    let how = if beta > 0.0 { ClassWeights::Effective(beta) } else { ClassWeights::Balanced };
    let of = how.of(&standing.counts);
    // The classes of the train part and the index's may stand in another order.
    let place = |class: u32| standing.index.class(&index.names()[class as usize]);
    let weights: Vec<f64> = (0..index.names().len() as u32).map(|class| place(class).map_or(0.0, |at| of[at])).collect();
    let texts: Vec<(SampleId, String)> = dataset
        .source_samples()
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
}

/// What there is to see of every picture, where that is needed.
fn looks(
    dataset: &Dataset,
    wanted: bool,
    means: &Means<'_>,
    progress: &Progress,
) -> Result<Option<Arc<Vec<Look>>>, OperationError> {
    let Some(field) = dataset.pictures().filter(|_| wanted) else { return Ok(None) };
    Ok(Some(Arc::clone(&scanned(dataset, field, None, &means.derived, progress)?.looks)))
}

/// The model that judges labels; `None` where there is too little to learn from, which is said.
fn judge(
    dataset: &Dataset,
    looks: Option<&[Look]>,
    means: &Means<'_>,
    notes: &mut Vec<String>,
    progress: &Progress,
) -> Result<Option<Arc<RiskModel>>, OperationError> {
    let too_little = || "there is no label, or too little to learn from".to_owned();
    let (model, why) = read_or_why(risk_model(dataset, looks, &means.derived, progress))?;
    if model.is_none() {
        notes.push(format!("label risk was not judged: {}", why.unwrap_or_else(too_little)));
    }
    Ok(model)
}

/// What was read, and why there is nothing where texts could not be held by what they mean.
fn read_or_why<A>(read: Result<Option<A>, MeaningError>) -> Result<(Option<A>, Option<String>), OperationError> {
    match read {
        Ok(read) => Ok((read, None)),
        Err(MeaningError::Cancelled) => Err(OperationError::Cancelled),
        Err(why) => Ok((None, Some(why.to_string()))),
    }
}

fn augment_edit(
    dataset: &Dataset,
    asked: &Augment,
    most_risk: f32,
    means: &Means<'_>,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    let mut notes = Vec::new();
    let looks = looks(dataset, asked.pipeline.alters_pictures(), means, progress)?;
    let model = if most_risk < 1.0 {
        judge(dataset, looks.as_ref().map(|looks| looks.as_slice()), means, &mut notes, progress)?
    } else {
        None
    };
    let done = augmented(dataset, asked, model.as_deref(), most_risk, &means.models, progress)?;
    notes.push(format!("{} new samples of {} in the train part", count(done.made), count(asked.parents.len())));
    if done.risky > 0 {
        notes.push(format!("{} left out: their label is another with more than {most_risk}", count(done.risky)));
    }
    if done.same > 0 {
        notes.push(format!("{} left out: the pipeline leaves them as they are", count(done.same)));
    }
    Ok(Planned { edit: done.edit, notes })
}

fn balance_edit(dataset: &Dataset, balance: &Balance, means: &Means<'_>, progress: &Progress) -> Result<Planned, OperationError> {
    let mut notes = Vec::new();
    let standing = standing(dataset, &balance.label, progress)?;
    let pictures = dataset.pictures().is_some() && text_fields(dataset).is_empty();
    let altered = balance.pipeline.as_ref().is_some_and(|pipeline| pipeline.alters_pictures());
    let looks = looks(dataset, pictures || altered, means, progress)?;
    let looks = looks.as_ref().map(|looks| looks.as_slice());
    let (alike, why) = read_or_why(likeness(dataset, looks.filter(|_| pictures), &means.derived, progress))?;
    notes.extend(why.map(|why| format!("samples were not compared: {why}")));
    let judged = balance.under == Under::Easy || balance.over == Over::Augment && balance.most_risk < 1.0;
    let model = if judged { judge(dataset, looks, means, &mut notes, progress)? } else { None };
    let plan = balance_plan(dataset, balance, &standing, alike.as_deref(), model.as_deref(), progress)?;
    let done = balanced(dataset, balance, &plan, alike.as_deref(), model.as_deref(), &means.models, progress)?;
    notes.push(format!("classes of {:?}: {} excluded, {} new", balance.label, count_samples(done.gone), count(done.made)));
    notes.extend(done.notes);
    if done.short > 0 {
        let n = count(done.short as usize);
        notes.push(format!("{n} that were asked for could not be made: the pipeline leaves them as they are, or is too risky"));
    }
    Ok(Planned { edit: done.edit, notes })
}
