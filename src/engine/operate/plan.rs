//! The planners: from an operation to the edit that does it.

use std::sync::Arc;

use rayon::prelude::*;

use super::{
    Balance, Means, NOTE, Operation, OperationError, Planned, augmented, balance_plan, balanced, copies, scanned, standing,
};
use crate::data::{ClassIndex, Dataset, Kind, Role, SampleId, classes_of, count, count_samples};
use crate::derive::{likeness, risk_model};
use crate::edit::{Change, Edit, EditError, Target};
use crate::job::{Cancelled, Progress};
use crate::learn::risk::RiskModel;
use crate::pixels::Look;
use crate::transform::balance::{ClassWeights, Over, Under};
use crate::transform::{Augment, HashOf, Plan, Replace, Replaced, Split, SplitMethod, text_fields};

/// The column of sample weights.
const WEIGHT: &str = "sample_weight";

pub fn plan(operation: &Operation, dataset: &Dataset, means: &Means<'_>, progress: &Progress) -> Result<Planned, OperationError> {
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
        Operation::Swap { samples, one, other } => swap(dataset, samples, one, other)?,
        Operation::RenameClass { column, from, to } => rename_class(dataset, means, (column, from, to), progress)?,
        Operation::SetRole { column, role } => {
            Edit::new(format!("Role of {column} is {role}"), Change::role(dataset, column, *role)?)
        }
        Operation::SetKind { column, kind } => {
            Edit::new(format!("{column} is read as {}", kind.name()), Change::kind(dataset, column, *kind)?)
        }
        Operation::Split(split) => {
            let copies = copies(dataset, &means.derived, progress)?;
            let plan = split.plan(dataset, Option::as_ref(&copies), progress)?;
            return Ok(Planned { edit: split_edit(dataset, split, &plan)?, notes: plan.notes });
        }
        Operation::Weigh { label, beta } => weigh(dataset, means, label, *beta, progress)?,
        Operation::Augment { pipeline, copies, seed, most_risk } => {
            let asked = Augment::all(dataset, pipeline.clone(), *seed, *copies)?;
            return augment_edit(dataset, &asked, *most_risk, means, progress);
        }
        Operation::Balance(balance) => return balance_edit(dataset, balance, means, progress),
    };
    Ok(Planned { edit, notes: Vec::new() })
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
    Ok(Edit::new(format!("Changed {one} and {other} about in {of}"), changes.into_iter().flatten()))
}

fn replace(
    dataset: &Dataset,
    samples: &[SampleId],
    column: &str,
    what: &Replace,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    let field = dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
    let replacer = what.compile().map_err(EditError::Refused)?;
    progress.set_total(samples.len() as u64);
    let found: Vec<(SampleId, Replaced)> = samples
        .par_chunks(4_096)
        .map(|part| {
            progress.step(part.len() as u64)?;
            let of = |id: &SampleId| (*id, replacer.cell(dataset, field, *id));
            Ok(part.iter().map(of).filter(|(_, cell)| *cell != Replaced::Same).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, Cancelled>>()?
        .concat();
    let broken = found.iter().filter(|(_, cell)| *cell == Replaced::Broken).count();
    let cells: Vec<(SampleId, &str)> = found
        .iter()
        .filter_map(|(id, cell)| match cell {
            Replaced::New(text) => Some((*id, text.as_str())),
            Replaced::Same | Replaced::Broken => None,
        })
        .collect();
    let (widened, widening) = widened(dataset, column, cells.iter().map(|(_, text)| *text));
    let on = widened.as_ref().unwrap_or(dataset);
    let change = Change::cells(on, column, cells.iter().map(|(id, text)| (*id, Some(*text))))?;
    let n = change.as_ref().map_or(0, |change| change.samples.len());
    let words =
        format!("Replaced “{}” by “{}” in {column} of {}", shortened(&what.find), shortened(&what.with), count_samples(n));
    let notes = if broken > 0 {
        vec![format!("{} stay as they are: they would be no JSON any more", count_samples(broken))]
    } else {
        Vec::new()
    };
    let edit = if change.is_some() { Edit::new(words, widening.into_iter().chain(change)) } else { None };
    Ok(Planned { edit, notes })
}

/// The beginning of a text, for the words of an edit.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
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
    let (verb, joint) = if merges { ("Merged", "into") } else { ("Renamed", "to") };
    let words = format!("{verb} {from} {joint} {to}, {}", count_samples(cells.len()));
    Ok(Edit::new(words, widening.into_iter().chain(change)))
}

/// A label of numbers or truth values that is to get a class of letters is one of texts from then on: the same edit says so.
pub fn widened<'t>(
    dataset: &Dataset,
    column: &str,
    texts: impl IntoIterator<Item = &'t str>,
) -> (Option<Dataset>, Option<Change>) {
    let Some(field) = dataset.field(column) else { return (None, None) };
    let of = &dataset.fields()[field];
    let scalar = of.role.is_label() && (of.kind.is_numeric() || of.kind == Kind::Boolean);
    let typed = of.source.is_some_and(|source| dataset.base.columns[source].native_type().is_some());
    if !scalar || typed || texts.into_iter().all(|text| of.kind.accepts(text)) {
        return (None, None);
    }
    let mut wide = dataset.clone();
    wide.set_kind(field, Kind::Text);
    (Some(wide), Change::kind(dataset, column, Kind::Text).ok().flatten())
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
    let model = risk_model(dataset, looks, &means.derived, progress)?;
    if model.is_none() {
        notes.push("label risk was not judged: there is no label, or too little to learn from".to_owned());
    }
    Ok(model)
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
    let alike = likeness(dataset, looks.filter(|_| pictures), &means.derived, progress)?;
    let judged = balance.under == Under::Easy || balance.over == Over::Augment && balance.most_risk < 1.0;
    let model = if judged { judge(dataset, looks, means, &mut notes, progress)? } else { None };
    let plan = balance_plan(dataset, balance, &standing, alike.as_deref(), model.as_deref(), progress)?;
    let done = balanced(dataset, balance, &plan, alike.as_deref(), model.as_deref(), &means.models, progress)?;
    notes.push(format!("classes of {:?}: {} samples excluded, {} new", balance.label, count(done.gone), count(done.made)));
    notes.extend(done.notes);
    if done.short > 0 {
        let n = count(done.short as usize);
        notes.push(format!("{n} that were asked for could not be made: the pipeline leaves them as they are, or is too risky"));
    }
    Ok(Planned { edit: done.edit, notes })
}
