//! What differs between two versions: rows that came and went, cells that changed, columns, the order.

use rayon::prelude::*;

use super::fault::CollectError;
use super::pairing::{RowKey, RowPairs, paired};
use crate::data::{Dataset, SampleId, things};
use crate::job::Progress;

/// A cell that changed: its row in both, its column by name, what it was and is. Nothing and an empty text are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellChange {
    pub rows: (SampleId, SampleId),
    pub column: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    pub rows: RowPairs,
    /// By row of the first, then by its columns.
    pub changes: Vec<CellChange>,
    pub columns_added: Vec<String>,
    pub columns_removed: Vec<String>,
    /// Columns that only one of them has, and that say the same in 95 of 100 rows: one that was renamed, probably.
    pub renamed: Vec<(String, String)>,
    /// Whether columns that both have stand in another order.
    pub columns_moved: bool,
    /// How many paired rows stand elsewhere: so many, moved, would make one order of the other. And the first two of the second whose order is another in the first.
    pub moved: usize,
    pub first_moved: Option<(SampleId, SampleId)>,
}

/// Of so many paired rows a renamed column must say the same.
const SAME: f64 = 0.95;

/// Whether two cells say the same: nothing and an empty text do.
pub(super) fn same(a: Option<&str>, b: Option<&str>) -> bool {
    a.unwrap_or_default() == b.unwrap_or_default()
}

/// What differs between two versions.
///
/// # Errors
/// [`CollectError`].
pub fn difference(a: &Dataset, b: &Dataset, key: &RowKey, progress: &Progress) -> Result<Difference, CollectError> {
    let rows = paired(a, b, key, progress)?;
    progress.check()?;
    let names = |of: &Dataset, other: &Dataset| -> Vec<String> {
        let own = of.fields().iter().enumerate().filter(|(at, _)| !of.is_provenance(*at));
        own.map(|(_, field)| field.name.to_string()).filter(|name| other.field(name).is_none()).collect()
    };
    let (columns_removed, columns_added) = (names(a, b), names(b, a));
    let own = (0..a.fields().len()).filter(|at| !a.is_provenance(*at));
    let common: Vec<(usize, usize)> = own.filter_map(|at| Some((at, b.field(&a.fields()[at].name)?))).collect();
    let changes: Vec<CellChange> = rows
        .pairs
        .par_iter()
        .flat_map_iter(|(one, other)| {
            common.iter().filter_map(move |(own, there)| {
                let (before, after) = (a.text(*own, *one), b.text(*there, *other));
                (!same(before.as_deref(), after.as_deref())).then(|| CellChange {
                    rows: (*one, *other),
                    column: a.fields()[*own].name.to_string(),
                    before: before.map(std::borrow::Cow::into_owned),
                    after: after.map(std::borrow::Cow::into_owned),
                })
            })
        })
        .collect();
    progress.check()?;
    let renamed = renamed((a, b), &rows, &columns_removed, &columns_added);
    let columns_moved = common.windows(2).any(|pair| pair[0].1 > pair[1].1);
    let (moved, first_moved) = moved(&rows);
    Ok(Difference { rows, changes, columns_added, columns_removed, renamed, columns_moved, moved, first_moved })
}

fn renamed((a, b): (&Dataset, &Dataset), rows: &RowPairs, gone: &[String], come: &[String]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut taken: Vec<&String> = Vec::new();
    for from in gone {
        let Some(own) = a.field(from) else { continue };
        for to in come.iter().filter(|to| !taken.contains(to)).cloned().collect::<Vec<_>>() {
            let Some(other) = b.field(&to) else { continue };
            let says = |(one, two): &(SampleId, SampleId)| {
                let (before, after) = (a.text(own, *one), b.text(other, *two));
                (before.as_ref().is_some_and(|cell| !cell.is_empty()), same(before.as_deref(), after.as_deref()))
            };
            let (filled, alike) =
                rows.pairs.iter().map(says).fold((0usize, 0usize), |(filled, alike), (has, same)| {
                    (filled + usize::from(has), alike + usize::from(same))
                });
            if filled > 0 && alike as f64 >= SAME * rows.pairs.len() as f64 {
                out.push((from.clone(), to.clone()));
                taken.extend(come.iter().find(|own| **own == to));
                break;
            }
        }
    }
    out
}

/// How many rows stand elsewhere: all but the longest run of pairs that rises in both.
fn moved(rows: &RowPairs) -> (usize, Option<(SampleId, SampleId)>) {
    let order: Vec<u32> = rows.pairs.iter().map(|(_, other)| other.0).collect();
    let mut ends: Vec<u32> = Vec::new();
    for place in &order {
        let at = ends.partition_point(|end| end < place);
        if at == ends.len() { ends.push(*place) } else { ends[at] = *place }
    }
    let mut by_second: Vec<(SampleId, SampleId)> = rows.pairs.clone();
    by_second.sort_unstable_by_key(|(_, other)| *other);
    let first = by_second.windows(2).find(|pair| pair[0].0 > pair[1].0).map(|pair| (pair[0].1, pair[1].1));
    (order.len() - ends.len(), first)
}

impl Difference {
    /// Whether nothing differs but the order of rows and columns.
    pub fn is_none(&self) -> bool {
        let rows = self.rows.added.is_empty() && self.rows.removed.is_empty();
        rows && self.changes.is_empty() && self.columns_added.is_empty() && self.columns_removed.is_empty()
    }

    /// How many rows have a cell that changed.
    pub fn changed_rows(&self) -> usize {
        let mut rows: Vec<SampleId> = self.changes.iter().map(|change| change.rows.0).collect();
        rows.dedup();
        rows.len()
    }

    /// What it comes to, in a sentence.
    pub fn words(&self) -> String {
        if self.is_none() {
            let order = if self.moved > 0 || self.columns_moved { ", in another order" } else { "" };
            return format!("the same {}{order}", things(self.rows.pairs.len(), "row", "rows"));
        }
        let mut out = Vec::new();
        let mut say = |n: usize, what: &str| {
            if n > 0 {
                out.push(format!("{} {what}", things(n, "row", "rows")));
            }
        };
        say(self.rows.added.len(), "added");
        say(self.rows.removed.len(), "removed");
        say(self.changed_rows(), "changed");
        say(self.moved, "moved");
        for (what, list) in [("added", &self.columns_added), ("removed", &self.columns_removed)] {
            if !list.is_empty() {
                out.push(format!("{} {what}: {}", if list.len() == 1 { "a column" } else { "columns" }, list.join(", ")));
            }
        }
        out.join("; ")
    }
}
