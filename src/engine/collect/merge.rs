//! Three versions merged, cell by cell: what one side changed wins, what both changed alike is agreed on, what both changed otherwise is a conflict. The result is a plan upon *ours*: its rows keep their bytes.

use std::collections::{HashMap, HashSet};

use super::difference::same;
use super::fault::CollectError;
use super::pairing::{RowKey, RowPairs, paired, rows};
use crate::data::{Dataset, SampleId};
use crate::job::Progress;

/// Whose version is taken where both changed a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeSide {
    Ours,
    Theirs,
}

/// What both sides changed, each otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeConflict {
    /// The row in each version that has it.
    pub base: Option<SampleId>,
    pub ours: Option<SampleId>,
    pub theirs: Option<SampleId>,
    /// The column; `None` where one side removed the row that the other changed.
    pub column: Option<String>,
    /// What it was, is in ours, and is in theirs.
    pub cells: [Option<String>; 3],
}

/// What is to be done to *ours*.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergePlan {
    /// Cells that theirs changed: the row of ours, the column, what it becomes.
    pub cells: Vec<(SampleId, String, Option<String>)>,
    /// Columns that only theirs added, in its order.
    pub columns: Vec<String>,
    /// Columns that theirs removed and ours left as they were.
    pub columns_removed: Vec<String>,
    /// Rows of ours that theirs removed.
    pub removed: Vec<SampleId>,
    /// Rows of theirs that come behind all.
    pub added: Vec<SampleId>,
    pub conflicts: Vec<MergeConflict>,
    /// Rows whose key another row of their version has, too: they are paired by what they say, then in order.
    pub doubled: usize,
    /// Rows of the base that neither version has: both removed them, or, without a key, both changed them beyond knowing again.
    pub neither: usize,
}

/// Merges three versions; `side` settles what is in conflict, else those cells stay as ours has them.
///
/// # Errors
/// [`CollectError`].
pub fn merge(
    (base, ours, theirs): (&Dataset, &Dataset, &Dataset),
    key: &RowKey,
    side: Option<MergeSide>,
    progress: &Progress,
) -> Result<MergePlan, CollectError> {
    let (to_ours, to_theirs) = (paired(base, ours, key, progress)?, paired(base, theirs, key, progress)?);
    let ours_of: HashMap<SampleId, SampleId> = to_ours.pairs.iter().copied().collect();
    let theirs_of: HashMap<SampleId, SampleId> = to_theirs.pairs.iter().copied().collect();
    let mut plan = MergePlan { doubled: to_ours.doubled + to_theirs.doubled, ..MergePlan::default() };
    let columns = Columns::of(base, ours, theirs, &mut plan);
    columns_gone((base, ours, theirs), (&to_ours, &to_theirs), side, &mut plan);
    // A column that comes back as theirs has it is filled row by row, as one that theirs added.
    let columns = columns.with(&plan.columns);
    for (at, row) in rows(base).enumerate() {
        if at.is_multiple_of(4_096) {
            progress.check()?;
        }
        let (own, other) = (ours_of.get(&row).copied(), theirs_of.get(&row).copied());
        match (own, other) {
            (Some(own), Some(other)) => columns.cells(&mut plan, (Some(row), own, other), side),
            (Some(own), None) => {
                if Columns::is_changed((base, row), (ours, own)) && side != Some(MergeSide::Theirs) {
                    plan.conflicts.extend(side.is_none().then(|| gone(Some(row), Some(own), None)));
                } else {
                    plan.removed.push(own);
                }
            }
            (None, Some(other)) => {
                if Columns::is_changed((base, row), (theirs, other)) {
                    match side {
                        Some(MergeSide::Theirs) => plan.added.push(other),
                        Some(MergeSide::Ours) => {}
                        None => plan.conflicts.push(gone(Some(row), None, Some(other))),
                    }
                }
            }
            (None, None) => plan.neither += 1,
        }
    }
    both_added(&mut plan, &columns, (&to_ours.added, &to_theirs.added), key, side, progress)?;
    plan.added.sort_unstable();
    Ok(plan)
}

/// Columns that one side removed and the other wrote to: a conflict, or as one side has it. One that theirs removed and ours left alone is removed.
fn columns_gone(
    (base, ours, theirs): (&Dataset, &Dataset, &Dataset),
    (to_ours, to_theirs): (&RowPairs, &RowPairs),
    side: Option<MergeSide>,
    plan: &mut MergePlan,
) {
    for (at, field) in base.fields().iter().enumerate() {
        let name = field.name.to_string();
        let changed = |version: &Dataset, there: usize, pairs: &RowPairs| -> Option<(SampleId, SampleId)> {
            let differs =
                |(row, id): &&(SampleId, SampleId)| !same(base.text(at, *row).as_deref(), version.text(there, *id).as_deref());
            pairs.pairs.iter().find(differs).copied()
        };
        let conflict = |row: SampleId, mine: Option<SampleId>, yours: Option<SampleId>, cells: [Option<String>; 3]| {
            MergeConflict { base: Some(row), ours: mine, theirs: yours, column: Some(name.clone()), cells }
        };
        let text = |dataset: &Dataset, field: usize, id: SampleId| dataset.text(field, id).map(std::borrow::Cow::into_owned);
        match (ours.field(&name), theirs.field(&name)) {
            (Some(mine), None) => match changed(ours, mine, to_ours) {
                Some((row, own)) if side.is_none() => {
                    plan.conflicts.push(conflict(row, Some(own), None, [text(base, at, row), text(ours, mine, own), None]));
                }
                Some(_) if side == Some(MergeSide::Ours) => {}
                _ => plan.columns_removed.push(name),
            },
            (None, Some(yours)) => match changed(theirs, yours, to_theirs) {
                Some((row, other)) if side.is_none() => {
                    plan.conflicts.push(conflict(
                        row,
                        None,
                        Some(other),
                        [text(base, at, row), None, text(theirs, yours, other)],
                    ));
                }
                Some(_) if side == Some(MergeSide::Theirs) => plan.columns.push(name),
                _ => {}
            },
            _ => {}
        }
    }
}

fn gone(base: Option<SampleId>, ours: Option<SampleId>, theirs: Option<SampleId>) -> MergeConflict {
    MergeConflict { base, ours, theirs, column: None, cells: [None, None, None] }
}

/// Rows that both sides added: those that are one row to the key, or say the same, come once.
fn both_added(
    plan: &mut MergePlan,
    columns: &Columns<'_>,
    (own, other): (&[SampleId], &[SampleId]),
    key: &RowKey,
    side: Option<MergeSide>,
    progress: &Progress,
) -> Result<(), CollectError> {
    let mut found: HashMap<SampleId, SampleId> = HashMap::new();
    if !own.is_empty() && !other.is_empty() {
        let (mine, yours): (HashSet<SampleId>, HashSet<SampleId>) =
            (own.iter().copied().collect(), other.iter().copied().collect());
        let all = paired(columns.ours, columns.theirs, key, progress)?;
        // Without a key only what says the same is one row: what is nearly so may be two.
        let keyed = |id: SampleId| match key {
            RowKey::Columns(names) => names.iter().all(|name| {
                columns.ours.field(name).and_then(|field| columns.ours.text(field, id)).is_some_and(|cell| !cell.is_empty())
            }),
            RowKey::Content => false,
        };
        let is_one = |one: SampleId, two: SampleId| keyed(one) || !columns.differ(one, two);
        let pairs = all.pairs.into_iter().filter(|(one, two)| mine.contains(one) && yours.contains(two) && is_one(*one, *two));
        found.extend(pairs.map(|(one, two)| (two, one)));
    }
    for row in other {
        match found.get(row) {
            Some(mine) => columns.cells(plan, (None, *mine, *row), side),
            None => plan.added.push(*row),
        }
    }
    Ok(())
}

/// The columns of the three: of each the places, `None` where a version does not have it.
struct Columns<'m> {
    base: &'m Dataset,
    ours: &'m Dataset,
    theirs: &'m Dataset,
    /// Name, place in base, ours, theirs; those that ours has, or is to have.
    list: Vec<(String, [Option<usize>; 3])>,
}

impl<'m> Columns<'m> {
    fn of(base: &'m Dataset, ours: &'m Dataset, theirs: &'m Dataset, plan: &mut MergePlan) -> Self {
        let mut list: Vec<(String, [Option<usize>; 3])> = Vec::new();
        for (at, field) in ours.fields().iter().enumerate() {
            let places = [base.field(&field.name), Some(at), theirs.field(&field.name)];
            // Where rows come from is no part of what they say.
            if ours.is_provenance(at) {
                continue;
            }
            if places[0].is_some() && places[2].is_none() {
                continue;
            }
            list.push((field.name.to_string(), places));
        }
        for (at, field) in theirs.fields().iter().enumerate() {
            if ours.field(&field.name).is_none() && base.field(&field.name).is_none() && !theirs.is_provenance(at) {
                plan.columns.push(field.name.to_string());
                list.push((field.name.to_string(), [None, None, Some(at)]));
            }
        }
        Self { base, ours, theirs, list }
    }

    /// With columns of theirs that ours removed and is to have again.
    fn with(mut self, names: &[String]) -> Self {
        for name in names {
            if !self.list.iter().any(|(own, _)| own == name) {
                self.list.push((name.clone(), [None, None, self.theirs.field(name)]));
            }
        }
        self
    }

    /// The cells of one row in all three.
    fn cells(&self, plan: &mut MergePlan, (row, own, other): (Option<SampleId>, SampleId, SampleId), side: Option<MergeSide>) {
        for (name, [before, mine, yours]) in &self.list {
            let cell = |dataset: &'m Dataset, field: &Option<usize>, id: Option<SampleId>| {
                dataset.text((*field)?, id?).filter(|cell| !cell.is_empty())
            };
            let b = cell(self.base, before, row);
            let (o, t) = (cell(self.ours, mine, Some(own)), cell(self.theirs, yours, Some(other)));
            if same(o.as_deref(), t.as_deref()) || yours.is_none() {
                continue;
            }
            if same(o.as_deref(), b.as_deref()) {
                plan.cells.push((own, name.clone(), t.map(std::borrow::Cow::into_owned)));
            } else if !same(t.as_deref(), b.as_deref()) {
                match side {
                    Some(MergeSide::Ours) => {}
                    Some(MergeSide::Theirs) => plan.cells.push((own, name.clone(), t.map(std::borrow::Cow::into_owned))),
                    None => plan.conflicts.push(MergeConflict {
                        base: row,
                        ours: Some(own),
                        theirs: Some(other),
                        column: Some(name.clone()),
                        cells: [b, o, t].map(|cell| cell.map(std::borrow::Cow::into_owned)),
                    }),
                }
            }
        }
    }

    /// Whether a row says something else than in the base.
    fn is_changed((base, row): (&Dataset, SampleId), (version, id): (&Dataset, SampleId)) -> bool {
        base.fields().iter().enumerate().any(|(at, field)| {
            let Some(there) = version.field(&field.name).filter(|_| !base.is_provenance(at)) else { return false };
            !same(base.text(at, row).as_deref(), version.text(there, id).as_deref())
        })
    }

    /// Whether a row of ours and one of theirs differ in a column that both have.
    fn differ(&self, one: SampleId, two: SampleId) -> bool {
        self.list.iter().any(|(_, [_, mine, yours])| {
            let (Some(mine), Some(yours)) = (mine, yours) else { return false };
            !same(self.ours.text(*mine, one).as_deref(), self.theirs.text(*yours, two).as_deref())
        })
    }
}
