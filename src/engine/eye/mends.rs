//! What would mend rows that a trainer does not take: every repair of chats tried on them, and how many are learned from then.

use serde_json::Value as Json;

use super::forms::TrainerRows;
use super::target::TrainerTarget;
use super::undrawn::undrawn;
use super::written::{handed_row, handed_verdict};
use crate::data::{Dataset, SampleId};
use crate::io::ChatModel;
use crate::job::{Cancelled, Progress};
use crate::trainers::repair::{ChatRepair, split_chat};
use crate::trainers::rows::{Reason, RowVerdict};

/// A way to mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    Repair(ChatRepair),
    /// Chats are cut before questions.
    Split,
}

/// A way to mend rows, and what it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mend {
    pub mending: Mending,
    /// Of the rows that were tried, how many it changes, and how many are learned from whole then.
    pub changes: usize,
    pub learned: usize,
    pub tried: usize,
}

/// Rows that are tried at most.
const MOST: usize = 400;

/// The column of chats that can be mended, and which member it is.
pub fn mended_column(rows: &TrainerRows) -> Option<(usize, &'static str)> {
    rows.fields.iter().find(|(_, member)| matches!(*member, "messages" | "conversations")).copied()
}

/// Tries every repair on rows: those that change some, what helps most first.
///
/// # Errors
/// [`Cancelled`].
pub fn mends(
    dataset: &Dataset,
    rows: &TrainerRows,
    target: &TrainerTarget,
    model: &ChatModel,
    samples: &[SampleId],
    progress: &Progress,
) -> Result<Vec<Mend>, Cancelled> {
    let Some((field, member)) = mended_column(rows) else { return Ok(Vec::new()) };
    let step = samples.len().div_ceil(MOST).max(1);
    let unlimited = TrainerTarget { length: usize::MAX >> 2, ..target.clone() };
    let all = ChatRepair::ALL.into_iter().map(Mending::Repair).chain([Mending::Split]);
    let mut found: Vec<Mend> = all.map(|mending| Mend { mending, changes: 0, learned: 0, tried: 0 }).collect();
    for id in samples.iter().step_by(step) {
        progress.check()?;
        let row = rows.row(dataset, *id);
        let Some(turns) = dataset.text(field, *id).and_then(|text| serde_json::from_str::<Vec<Json>>(&text).ok()) else {
            continue;
        };
        let verdict = |turns: &[Json], target: &TrainerTarget| {
            let mut row = row.clone();
            row.insert(member.to_owned(), Json::Array(turns.to_vec()));
            let lost = |ids: &[u32]| {
                handed_row(target, rows.form, &row).is_ok_and(|(_, row)| !undrawn(target, model, &row, ids).is_empty())
            };
            match handed_verdict(target, model, rows.form, &row) {
                // Of turns that nobody sees nothing is mended.
                RowVerdict::Kept { seen, whole, .. } if seen.ids.len() == whole && lost(&seen.ids) => {
                    RowVerdict::Dropped(Reason::UnknownRole)
                }
                verdict => verdict,
            }
        };
        let whole = |turns: &[Json]| match verdict(turns, &unlimited) {
            RowVerdict::Kept { whole, .. } => Some(whole),
            _ => None,
        };
        let is_learned = |turns: &[Json]| matches!(verdict(turns, target), RowVerdict::Kept { seen, whole, .. } if seen.learned() > 0 && seen.ids.len() == whole);
        for mend in &mut found {
            mend.tried += 1;
            let mended = match mend.mending {
                Mending::Repair(repair) => repair.mended(&turns).map(|turns| vec![turns]),
                Mending::Split => {
                    whole(&turns).and_then(|_| split_chat(&turns, &|turns| whole(turns).is_some_and(|n| n <= target.length)))
                }
            };
            if let Some(parts) = mended {
                mend.changes += 1;
                mend.learned += usize::from(parts.iter().all(|turns| is_learned(turns)));
            }
        }
    }
    found.retain(|mend| mend.changes > 0);
    // As they stand where they help alike: in the order in which they help each other.
    found.sort_by_key(|mend| std::cmp::Reverse(mend.learned));
    Ok(found)
}
