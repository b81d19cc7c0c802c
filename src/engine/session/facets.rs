//! Facets: what each column holds among the samples that the filter leaves: its commonest values, or how its numbers and lengths lie.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::Workspace;
use super::asked::{News, Wants};
use super::viewing::{Viewing, VisibleKey};
use crate::data::{Dataset, Histogram, Measure, Role, SampleId, classes_of, values};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};

/// Of more samples, so many, evenly spread, are looked at.
const MOST: usize = 200_000;
/// So many columns have facets, the first ones.
const COLUMNS: usize = 64;
/// So many values are named of a column.
const NAMED: usize = 8;
/// A column of more different values than this is none of values.
const DISTINCT: usize = 1_000;
const BINS: usize = 24;

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Facet {
    /// The commonest values, and how many samples have them; of how many different ones.
    Values { list: Vec<(String, u64)>, distinct: usize },
    /// Numbers, or lengths in words.
    Range { measure: Measure, histogram: Histogram },
}

/// The facets of the samples that the filter leaves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facets {
    /// By column.
    pub columns: Vec<(String, Facet)>,
    /// How many samples were looked at, and of how many.
    pub looked_at: usize,
    pub of: usize,
    /// How many columns have none, for they are too many.
    pub left_out: usize,
}

/// The facets that are shown.
pub struct Facetting {
    facets: Slot<(VisibleKey, u64), Facets>,
}

impl Default for Facetting {
    fn default() -> Self {
        Self { facets: Slot::new("facets", Lane::Screen) }
    }
}

impl Facetting {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.facets
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.facets
    }

    /// The newest facets, while newer are worked out.
    pub fn facets(&self) -> Option<&Facets> {
        self.facets.shown().map(|(_, facets)| facets)
    }

    /// Takes in what has come, and asks for what is missing.
    pub fn work(&mut self, workspace: &Workspace, viewing: &Viewing, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        if let Some(Came::Failed(why)) = self.facets.take(desk) {
            news.push(News::Failed("facets", why));
        }
        if !wants.facets {
            return;
        }
        let question = (viewing.key(), workspace.revision());
        if self.facets.needs(&question) {
            let (snapshot, visible) = (workspace.dataset().clone(), viewing.visible().clone());
            self.facets.ask(desk, question, "Counting values", move |progress| {
                let step = visible.len().div_ceil(MOST).max(1);
                let ids: Vec<SampleId> = visible.iter().step_by(step).filter(|id| id.row() < snapshot.rows()).collect();
                of(&snapshot, &ids, visible.len(), progress)
            });
        }
    }
}

fn of(dataset: &Dataset, ids: &[SampleId], all: usize, progress: &Progress) -> Result<Facets, JobError> {
    let shown: Vec<usize> = (0..dataset.fields().len()).filter(|field| dataset.fields()[*field].role != Role::Id).collect();
    let left_out = shown.len().saturating_sub(COLUMNS);
    progress.set_total(shown.len().min(COLUMNS) as u64);
    let columns = shown
        .into_par_iter()
        .take(COLUMNS)
        .map(|field| {
            progress.step(1)?;
            Ok((dataset.fields()[field].name.to_string(), one(dataset, field, ids)))
        })
        .collect::<Result<Vec<_>, JobError>>()?;
    Ok(Facets { columns, looked_at: ids.len(), of: all, left_out })
}

fn one(dataset: &Dataset, field: usize, ids: &[SampleId]) -> Facet {
    let column = &dataset.fields()[field];
    let range = |measure: Measure| {
        let numbers = values(dataset, field, measure, ids);
        Facet::Range { measure, histogram: Histogram::of(numbers.iter().map(|(_, value)| *value), BINS) }
    };
    let read = matches!(column.role, Role::Text | Role::Messages);
    if read || column.role == Role::Image {
        return range(Measure::Words);
    }
    let mut counts: HashMap<Cow<'_, str>, u64, RandomState> = HashMap::default();
    for id in ids {
        let text = dataset.text(field, *id);
        if column.role.is_label() {
            for name in classes_of(text, column.kind, column.role) {
                *counts.entry(Cow::Owned(name)).or_default() += 1;
            }
            continue;
        }
        *counts.entry(text.unwrap_or_default()).or_default() += 1;
        // Numbers are a few grades, or a range.
        if counts.len() > if column.kind.is_numeric() { 2 * NAMED } else { DISTINCT } {
            return range(if column.kind.is_numeric() { Measure::Value } else { Measure::Words });
        }
    }
    let distinct = counts.len();
    let mut list: Vec<(String, u64)> = counts.into_iter().map(|(value, n)| (value.into_owned(), n)).collect();
    list.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list.truncate(NAMED);
    Facet::Values { list, distinct }
}
