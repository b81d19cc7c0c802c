//! Carrying edits over to another version of a file, or another reading of it: which sample of the new one was which of the old, by content.

use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;

use crate::data::{Batch, Dataset, PartSource, SampleId};
use crate::edit::{Change, Edit, INHERITED, Target, Values};
use crate::io::narrower;

/// Columns that may have been added are looked for one by one among so many, and so many at the end together.
const MOST_COLUMNS: usize = 64;
const MOST_AT_END: usize = 8;
/// So many rows are hashed to find out which column was added.
const MOST_TRIED: usize = 3_000_000;

/// A column of some rows that is called otherwise now.
pub type RenamedColumn = (std::ops::Range<usize>, String, String);

/// How samples of another version are recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarryWay {
    /// By what they say.
    Content,
    /// By their numbers: each is where it was, and columns of some rows are called otherwise.
    InPlace(Vec<RenamedColumn>),
    /// By their numbers, where these rows were taken out.
    Without(std::ops::Range<usize>),
}

impl CarryWay {
    /// The number of a sample now, where numbers say it: none of one that is gone.
    pub fn number(&self, id: SampleId, rows: usize) -> Option<Option<SampleId>> {
        let now = match self {
            Self::Content => return None,
            Self::InPlace(_) => Some(id.row()),
            Self::Without(gone) if gone.contains(&id.row()) => None,
            Self::Without(gone) => Some(if id.row() >= gone.end { id.row() - gone.len() } else { id.row() }),
        };
        Some(now.filter(|row| *row < rows).map(SampleId::at))
    }

    /// A change under the names that its columns have now: one for each name, where samples of several sources were changed.
    pub fn renamed(&self, change: Change) -> Vec<Change> {
        let (Self::InPlace(list), Target::Cells(column)) = (self, &change.target) else { return vec![change] };
        let name_of = |id: &SampleId| {
            let found = list.iter().find(|(rows, from, _)| from == column && rows.contains(&id.row()));
            found.map_or(column, |(.., to)| to).clone()
        };
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, id) in change.samples.iter().enumerate() {
            by_name.entry(name_of(id)).or_default().push(at);
        }
        let picked = |values: &Values, places: &[usize]| Values {
            texts: values.texts.clone(),
            codes: if values.codes.is_empty() { Vec::new() } else { places.iter().map(|at| values.codes[*at]).collect() },
        };
        let one = |(name, places): (String, Vec<usize>)| Change {
            target: Target::Cells(name),
            samples: places.iter().map(|at| change.samples[*at]).collect(),
            before: picked(&change.before, &places),
            after: picked(&change.after, &places),
        };
        if by_name.is_empty() { vec![change] } else { by_name.into_iter().map(one).collect() }
    }
}

/// A change of cells with what is there now as what was there before: an undo gives back what the file says, and not what it said once.
pub fn rebased(dataset: &Dataset, change: Change) -> Change {
    let Target::Cells(column) = &change.target else { return change };
    let inherits = |values: &Values| values.texts.iter().flatten().any(|text| text == INHERITED);
    if dataset.field(column).is_none() || inherits(&change.before) || inherits(&change.after) {
        return change;
    }
    let cells = change.samples.iter().enumerate().map(|(at, id)| (*id, change.after.get(at)));
    match Change::cells(dataset, column, cells) {
        Ok(Some(now)) => now,
        // What it says is there already: it stays an edit that changes nothing.
        Ok(None) => Change { before: change.after.clone(), ..change },
        Err(_) => change,
    }
}

/// What each sample of the edits is now: its number by its old one, `None` where it is not there any more.
pub type Moved = BTreeMap<SampleId, Option<SampleId>>;

/// The samples of a dataset by their content: whole, or without columns that it did not have when the edits were made.
pub struct SamplePlaces {
    of: HashMap<u64, Vec<SampleId>>,
    /// The columns that are new, where that is how samples were recognised.
    pub added: Vec<String>,
}

impl SamplePlaces {
    /// Finds out how most of the samples with these content hashes are recognised.
    pub fn of(dataset: &Dataset, wanted: &HashSet<u64>) -> Self {
        let whole = Self::without(dataset, &[]);
        let known = |places: &HashMap<u64, Vec<SampleId>>| wanted.iter().filter(|print| places.contains_key(print)).count();
        let found = known(&whole);
        if found * 2 >= wanted.len() {
            return Self { of: whole, added: Vec::new() };
        }
        // Where a sample comes from is no part of what it says.
        let width = dataset.base.columns.len() - dataset.base.provenance;
        let one = (0..width.min(MOST_COLUMNS)).rev().map(|column| vec![column]);
        let end = (2..=MOST_AT_END.min(width.saturating_sub(1))).map(|n| (width - n..width).collect());
        let ways: Vec<Vec<usize>> = one.chain(end).collect();
        let step = (dataset.base.rows * ways.len() / MOST_TRIED).max(1);
        let tried = |dropped: &Vec<usize>| {
            let rows = (0..dataset.base.rows).into_par_iter().step_by(step);
            rows.filter(|row| narrower(dataset, SampleId::at(*row), dropped).is_some_and(|print| wanted.contains(&print))).count()
        };
        let best = ways.iter().map(|dropped| (tried(dropped), dropped)).max_by_key(|(count, _)| *count);
        let best = best.filter(|(count, _)| *count > 0).map(|(_, dropped)| dropped);
        if let Some(dropped) = best {
            let without = Self::without(dataset, dropped);
            if known(&without) > found {
                let added = dropped.iter().map(|column| dataset.base.columns[*column].name.to_string()).collect();
                return Self { of: without, added };
            }
        }
        Self { of: whole, added: Vec::new() }
    }

    fn without(dataset: &Dataset, dropped: &[usize]) -> HashMap<u64, Vec<SampleId>> {
        let rows = 0..dataset.base.rows;
        let prints: Vec<Option<u64>> = rows.into_par_iter().map(|row| narrower(dataset, SampleId::at(row), dropped)).collect();
        let mut places: HashMap<u64, Vec<SampleId>> = HashMap::new();
        // Of samples that are alike the first is taken first.
        for (row, print) in prints.into_iter().enumerate().rev() {
            if let Some(print) = print {
                places.entry(print).or_default().push(SampleId::at(row));
            }
        }
        places
    }

    /// The next sample with this content that was not taken yet.
    pub fn take(&mut self, print: u64) -> Option<SampleId> {
        self.of.get_mut(&print).and_then(Vec::pop)
    }
}

/// An edit with its samples numbered as they are now; `next` is the number that the next made sample gets.
pub fn relocated(mut edit: Edit, moved: &mut Moved, next: &mut usize) -> Edit {
    // What was asked of the whole was asked of another whole: here stands what came of it.
    edit.operation = None;
    edit.changes = edit.changes.iter().map(|change| relocate(change, moved, next)).collect();
    edit
}

/// Whether a change can be made on this dataset: its column is there (or was added by an edit before) and its values fit.
pub fn fits(dataset: &Dataset, change: &Change) -> bool {
    match &change.target {
        Target::Cells(column) => {
            let Some(field) = dataset.field(column) else { return false };
            let column = &dataset.fields()[field];
            let accepts = |text: &str| {
                text == INHERITED || column.source.is_none_or(|source| dataset.base.columns[source].accepts(column.kind, text))
            };
            change.after.texts.iter().flatten().all(|text| accepts(text))
        }
        Target::Role(column) | Target::Kind(column) => dataset.field(column).is_some(),
        Target::Column(name) => dataset.field(name).is_none(),
        _ => true,
    }
}

/// Whether a change is about a column, or a part, and not about samples that are there.
pub fn is_property(target: &Target) -> bool {
    matches!(target, Target::Column(_) | Target::Role(_) | Target::Kind(_) | Target::Part(_) | Target::Property(..))
}

/// The batch as the new file has it: children whose parents are there, numbered anew.
fn relocate_made(batch: &Batch, moved: &mut Moved, next: &mut usize) -> Change {
    let mut to = Batch {
        first: SampleId::at(*next),
        parents: Vec::new(),
        others: Vec::new(),
        draws: Vec::new(),
        risks: Vec::new(),
        distances: Vec::new(),
        ..batch.clone()
    };
    let found = |id: SampleId| moved.get(&id).copied().flatten();
    let mut places = Vec::new();
    for (at, id) in batch.ids().enumerate() {
        let parent = found(batch.parents[at]);
        let other = batch.others.get(at).map(|other| found(*other));
        if let (Some(parent), None | Some(Some(_))) = (parent, other) {
            places.push((id, Some(SampleId::at(*next))));
            *next += 1;
            to.parents.push(parent);
            to.others.extend(other.flatten());
            to.draws.push(batch.draws[at]);
            to.risks.extend(batch.risks.get(at));
            to.distances.extend(batch.distances.get(at));
        } else {
            places.push((id, None));
        }
    }
    // A number that another branch's child had before is this one's now.
    moved.extend(places);
    let samples = to.parents.iter().chain(&to.others).copied().collect();
    Change { target: Target::Made(to), samples, before: Values::same(None), after: Values::same(Some("on")) }
}

/// A part as it stands behind the new file's samples: its own are what they were, with other numbers.
fn relocate_part(part: &PartSource, moved: &mut Moved, next: &mut usize) -> Change {
    let to = PartSource { first: SampleId::at(*next), ..part.clone() };
    moved.extend(part.ids().zip(to.ids().map(Some)));
    *next += part.rows as usize;
    Change { target: Target::Part(to), samples: Vec::new(), before: Values::same(None), after: Values::same(Some("on")) }
}

fn relocate(change: &Change, moved: &mut Moved, next: &mut usize) -> Change {
    if let Target::Part(part) = &change.target {
        return relocate_part(part, moved, next);
    }
    if let Target::Made(batch) = &change.target {
        return relocate_made(batch, moved, next);
    }
    let mut to = Change { samples: Vec::new(), ..change.clone() };
    to.before.codes.clear();
    to.after.codes.clear();
    for (at, id) in change.samples.iter().enumerate() {
        if let Some(Some(new)) = moved.get(id) {
            to.samples.push(*new);
            to.before.codes.extend(change.before.codes.get(at));
            to.after.codes.extend(change.after.codes.get(at));
        }
    }
    to
}
