//! The whole dataset through a trainer's rules: what becomes of every row, counted.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::forms::TrainerRows;
use super::target::TrainerTarget;
use crate::data::{Dataset, SampleId};
use crate::io::ChatModel;
use crate::job::{Cancelled, Progress};
use crate::trainers::packing::Packed;
use crate::trainers::rows::{Reason, RowVerdict};

/// What becomes of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFate {
    /// It is learned from: tokens that are seen, that are learned, and that it would have without a limit.
    Kept {
        seen: u32,
        learned: u32,
        whole: u32,
    },
    /// It is left out for its length.
    TooLong {
        whole: u32,
    },
    Dropped(Reason),
    Fails(Reason),
}

/// What becomes of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DryRun {
    /// Each sample that is not excluded, in order, with its fate.
    pub fates: Vec<(SampleId, RowFate)>,
    /// Rows that are learned from, and tokens that are seen and learned.
    pub kept: usize,
    pub tokens: u64,
    pub learned: u64,
    /// Rows that are left out, and that fail the run, by why.
    pub dropped: BTreeMap<Reason, usize>,
    pub fails: BTreeMap<Reason, usize>,
    /// Of rows that are learned from: those that are cut, of which nothing is learned, that do not end with a control token though it is learned to the end,
    /// and in whose text control tokens are written.
    pub cut: usize,
    pub nothing: usize,
    pub endless: Vec<SampleId>,
    pub control: Vec<SampleId>,
    /// Lengths without a limit, of rows that are read, sorted; and the sums of each and all that are longer.
    pub lengths: Vec<u32>,
    sums: Vec<u64>,
    /// The rows that are learned from, packed as the trainer would pack them.
    pub packed: Packed,
    /// What the first row said that fails the run, where it said something.
    pub said: BTreeMap<Reason, String>,
}

/// Rows that are looked at between two looks at whether to go on.
const PART: usize = 256;

/// A row's fate, whether it ends without an end, whether control tokens stand in its text, and what it said.
type Told = (SampleId, RowFate, bool, bool, String);

/// Looks at every row that is not excluded.
///
/// # Errors
/// [`Cancelled`].
pub fn dry_run(
    dataset: &Dataset,
    rows: &TrainerRows,
    target: &TrainerTarget,
    model: &ChatModel,
    progress: &Progress,
) -> Result<DryRun, Cancelled> {
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    progress.set_total(ids.len() as u64);
    let parts: Vec<Vec<Told>> = ids
        .par_chunks(PART)
        .map(|part| {
            progress.step(part.len() as u64)?;
            Ok(part.iter().map(|id| look(dataset, rows, target, model, *id)).collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut run = DryRun::default();
    let (mut lengths, mut seen_lengths) = (Vec::new(), Vec::new());
    for (id, fate, endless, control, said) in parts.into_iter().flatten() {
        run.fates.push((id, fate));
        lengths.extend(match fate {
            RowFate::Kept { whole, .. } | RowFate::TooLong { whole } => Some(whole),
            _ => None,
        });
        match fate {
            RowFate::Kept { seen, learned, whole } => {
                run.kept += 1;
                seen_lengths.push(seen);
                run.tokens += u64::from(seen);
                run.learned += u64::from(learned);
                run.cut += usize::from(whole > seen);
                run.nothing += usize::from(learned == 0);
                if endless {
                    run.endless.push(id);
                }
                if control {
                    run.control.push(id);
                }
            }
            RowFate::TooLong { .. } => *run.dropped.entry(Reason::TooLong).or_default() += 1,
            RowFate::Dropped(reason) => *run.dropped.entry(reason).or_default() += 1,
            RowFate::Fails(reason) => {
                *run.fails.entry(reason).or_default() += 1;
                if !said.is_empty() {
                    run.said.entry(reason).or_insert(said);
                }
            }
        }
    }
    run.packed = target.trainer.entry().packing.pack(&seen_lengths, target.length);
    run.measure(lengths);
    Ok(run)
}

fn look(dataset: &Dataset, rows: &TrainerRows, target: &TrainerTarget, model: &ChatModel, id: SampleId) -> Told {
    let row = rows.row(dataset, id);
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    match target.verdict(model, rows.form, &row) {
        RowVerdict::Kept { seen, whole } => {
            let last = seen.trained.iter().rposition(|on| *on);
            let stops = last.is_none_or(|last| {
                model.tokenizer.is_control(seen.ids[last]) || ends_line(model, seen.ids[last], last, &seen.ids)
            });
            let control = rows
                .fields
                .iter()
                .any(|(field, _)| dataset.text(*field, id).is_some_and(|text| model.tokenizer.has_control(&text)));
            let fate = RowFate::Kept { seen: small(seen.ids.len()), learned: small(seen.learned()), whole: small(whole) };
            (id, fate, !stops, control, String::new())
        }
        RowVerdict::TooLong { whole } => (id, RowFate::TooLong { whole: small(whole) }, false, false, String::new()),
        RowVerdict::Dropped(reason) => (id, RowFate::Dropped(reason), false, false, String::new()),
        RowVerdict::Fails(reason, said) => (id, RowFate::Fails(reason), false, false, said),
    }
}

/// Whether the last token that is learned is a line's end behind a control token: some templates close a turn so.
fn ends_line(model: &ChatModel, last: u32, at: usize, ids: &[u32]) -> bool {
    at > 0 && model.tokenizer.is_control(ids[at - 1]) && model.tokenizer.decode(&[last]).trim().is_empty()
}

impl DryRun {
    /// Rows that were looked at.
    pub fn rows(&self) -> usize {
        self.fates.len()
    }

    /// The samples with a fate.
    pub fn samples(&self, wanted: impl Fn(RowFate) -> bool) -> Vec<SampleId> {
        self.fates.iter().filter(|(_, fate)| wanted(*fate)).map(|(id, _)| *id).collect()
    }

    /// Whether the run would not begin.
    pub fn is_failing(&self) -> bool {
        !self.fails.is_empty()
    }

    /// How many rows that are read are longer than a limit, and how many of their tokens lie beyond it.
    pub fn beyond(&self, limit: usize) -> (usize, u64) {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let at = self.lengths.partition_point(|length| *length <= limit);
        let n = self.lengths.len() - at;
        (n, self.sums.get(at).copied().unwrap_or(0) - n as u64 * u64::from(limit))
    }

    fn measure(&mut self, mut lengths: Vec<u32>) {
        lengths.sort_unstable();
        self.sums = vec![0; lengths.len()];
        let mut sum = 0;
        for (at, length) in lengths.iter().enumerate().rev() {
            sum += u64::from(*length);
            self.sums[at] = sum;
        }
        self.lengths = lengths;
    }
}
