//! The whole dataset through a trainer's rules: what becomes of every row, counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::beside::{FileNote, beside};
use super::forms::TrainerRows;
use super::target::TrainerTarget;
use super::undrawn::undrawn;
use super::written::{handed_row, handed_verdict, written_row};
use crate::data::{Dataset, SampleId, count};
use crate::io::ChatModel;
use crate::job::{Cancelled, Progress};
use crate::trainers::SeenTokens;
use crate::trainers::convert_pairs::judged;
use crate::trainers::mlx::never_seen;
use crate::trainers::packing::Packed;
use crate::trainers::rows::{Reason, RowForm, RowVerdict, Versus};

/// What becomes of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFate {
    /// It is learned from: tokens that are seen, that are learned, and that it would have without a limit; of a pair those of both. The longest of its sequences is
    /// what a limit is held against.
    Kept {
        seen: u32,
        learned: u32,
        whole: u32,
        longest: u32,
    },
    /// It is left out for its length.
    TooLong {
        whole: u32,
    },
    Dropped(Reason),
    Fails(Reason),
}

impl RowFate {
    /// Whether it is learned from, and not whole.
    pub fn is_cut(self) -> bool {
        matches!(self, Self::Kept { seen, whole, .. } if whole > seen)
    }
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
    /// Of pairs: those whose answers are the same to the model, perhaps only behind the cut.
    pub alike: Vec<SampleId>,
    /// Of judged answers: those that the trainer takes for the contrary of what is written.
    pub misread: Vec<SampleId>,
    /// Rows with turns that the template passes over, and the roles of these turns.
    pub undrawn: Vec<SampleId>,
    pub undrawn_roles: BTreeSet<String>,
    /// Rows at the end that no batch holds.
    pub unseen: Vec<SampleId>,
    /// What becomes of rows for the sake of those beside them.
    pub beside: Vec<FileNote>,
    /// Of judged answers, how many are good.
    pub good: usize,
    pub judged: usize,
    /// Lengths without a limit, of rows that are read, sorted; and the sums of each and all that are longer.
    pub lengths: Vec<u32>,
    sums: Vec<u64>,
    /// The rows that are learned from, packed as the trainer would pack them.
    pub packed: Packed,
    /// What the first row said that fails the run, where it said something.
    pub said: BTreeMap<Reason, String>,
}

/// Rows that are tried in the trainer's own form, where it reads none.
const TRIED: usize = 20;
/// Rows that are looked at between two looks at whether to go on.
const PART: usize = 256;

/// What is told of a row.
struct Told {
    id: SampleId,
    fate: RowFate,
    endless: bool,
    control: bool,
    alike: bool,
    misread: bool,
    /// The judgement, as the trainer reads it.
    good: Option<bool>,
    /// Roles of turns that nobody sees.
    undrawn: Vec<String>,
    said: String,
}

/// What is known of a run while it goes on: rows by what becomes of them.
#[derive(Debug, Default)]
pub struct DryCounts {
    all: AtomicU64,
    rows: AtomicU64,
    kept: AtomicU64,
    cut: AtomicU64,
    left_out: AtomicU64,
    failing: AtomicU64,
    learned: AtomicU64,
}

/// What [`DryCounts`] say at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DrySoFar {
    /// Rows that there are, and that were looked at.
    pub all: u64,
    pub rows: u64,
    /// Of these: learned from, of them cut; left out; such that the run would end at them. Tokens that are learned.
    pub kept: u64,
    pub cut: u64,
    pub left_out: u64,
    pub failing: u64,
    pub learned: u64,
}

impl DryCounts {
    /// As they stand.
    pub fn now(&self) -> DrySoFar {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        DrySoFar {
            all: get(&self.all),
            rows: get(&self.rows),
            kept: get(&self.kept),
            cut: get(&self.cut),
            left_out: get(&self.left_out),
            failing: get(&self.failing),
            learned: get(&self.learned),
        }
    }

    fn add(&self, part: &[Told]) {
        let add = |number: &AtomicU64, n: u64| _ = number.fetch_add(n, Ordering::Relaxed);
        let many = |is: fn(RowFate) -> bool| part.iter().filter(|told| is(told.fate)).count() as u64;
        add(&self.kept, many(|fate| matches!(fate, RowFate::Kept { .. })));
        add(&self.cut, many(RowFate::is_cut));
        add(&self.left_out, many(|fate| matches!(fate, RowFate::TooLong { .. } | RowFate::Dropped(_))));
        add(&self.failing, many(|fate| matches!(fate, RowFate::Fails(_))));
        let learned = |told: &Told| if let RowFate::Kept { learned, .. } = told.fate { u64::from(learned) } else { 0 };
        add(&self.learned, part.iter().map(learned).sum());
        add(&self.rows, part.len() as u64);
    }
}

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
    dry_run_counted(dataset, rows, target, model, &DryCounts::default(), progress)
}

/// As [`dry_run`]; what is known meanwhile stands in `counts`.
///
/// # Errors
/// [`Cancelled`].
pub fn dry_run_counted(
    dataset: &Dataset,
    rows: &TrainerRows,
    target: &TrainerTarget,
    model: &ChatModel,
    counts: &DryCounts,
    progress: &Progress,
) -> Result<DryRun, Cancelled> {
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    progress.set_total(ids.len() as u64);
    counts.all.store(ids.len() as u64, Ordering::Relaxed);
    let parts: Vec<Vec<Told>> = ids
        .par_chunks(PART)
        .map(|part| {
            progress.step(part.len() as u64)?;
            let told: Vec<Told> = part.iter().map(|id| look(dataset, rows, target, model, *id)).collect();
            counts.add(&told);
            Ok(told)
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut run = DryRun::default();
    let (mut lengths, mut seen_lengths) = (Vec::new(), Vec::new());
    let mut kept_ids = Vec::new();
    for told in parts.into_iter().flatten() {
        let (id, fate) = (told.id, told.fate);
        run.fates.push((id, fate));
        lengths.extend(match fate {
            RowFate::Kept { longest, .. } => Some(longest),
            RowFate::TooLong { whole } => Some(whole),
            _ => None,
        });
        match fate {
            RowFate::Kept { seen, learned, .. } => {
                run.kept += 1;
                kept_ids.push(id);
                seen_lengths.push(seen);
                run.tokens += u64::from(seen);
                run.learned += u64::from(learned);
                run.cut += usize::from(fate.is_cut());
                run.nothing += usize::from(learned == 0);
                let lists = [
                    (told.endless, &mut run.endless),
                    (told.control, &mut run.control),
                    (told.alike, &mut run.alike),
                    (told.misread, &mut run.misread),
                ];
                lists.into_iter().filter(|(on, _)| *on).for_each(|(_, list)| list.push(id));
                if !told.undrawn.is_empty() {
                    run.undrawn.push(id);
                    run.undrawn_roles.extend(told.undrawn);
                }
                run.judged += usize::from(told.good.is_some());
                run.good += usize::from(told.good == Some(true));
            }
            RowFate::TooLong { .. } => *run.dropped.entry(Reason::TooLong).or_default() += 1,
            RowFate::Dropped(reason) => *run.dropped.entry(reason).or_default() += 1,
            RowFate::Fails(reason) => {
                *run.fails.entry(reason).or_default() += 1;
                if !told.said.is_empty() {
                    run.said.entry(reason).or_insert(told.said);
                }
            }
        }
    }
    if !target.as_written {
        run.beside = beside(dataset, rows, target, &ids, progress)?;
    }
    // Where it reads none as they stand, and would in another form, that is the remedy.
    let converts =
        || !target.as_written && ids.iter().take(TRIED).any(|id| written_row(dataset, rows, target, model, *id).is_ok());
    if run.kept == 0 && !run.fails.is_empty() && converts() {
        let name = target.trainer.entry().name;
        let words = format!(
            "as they stand it reads none of them; what is written for it (Write for it…, export --for {name}) is in a form that it reads: look at them “as written” (--as-written)"
        );
        run.beside.push(FileNote { fails: false, words });
    }
    let entry = target.trainer.entry();
    run.unseen = kept_ids.split_off(kept_ids.len() - never_seen(kept_ids.len(), entry.batch));
    // Answers that are held against each other are not packed.
    if let Some(packing) = entry.packing.filter(|_| !matches!(rows.form, RowForm::Preference | RowForm::Unpaired)) {
        run.packed = packing.pack(&seen_lengths, target.length);
    }
    run.measure(lengths);
    Ok(run)
}

fn look(dataset: &Dataset, rows: &TrainerRows, target: &TrainerTarget, model: &ChatModel, id: SampleId) -> Told {
    let row = rows.row(dataset, id);
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut told = Told {
        id,
        fate: RowFate::Fails(Reason::OtherForm),
        endless: false,
        control: false,
        alike: false,
        misread: false,
        good: None,
        undrawn: Vec::new(),
        said: String::new(),
    };
    match handed_verdict(target, model, rows.form, &row) {
        RowVerdict::Kept { seen, whole, versus } => {
            if seen.ids.len() == whole
                && let Ok((_, handed)) = handed_row(target, rows.form, &row)
            {
                told.undrawn = undrawn(target, model, &handed, &seen.ids);
            }
            let endless = |seen: &SeenTokens| {
                seen.trained.iter().rposition(|on| *on).is_some_and(|last| {
                    !model.tokenizer.is_control(seen.ids[last]) && !ends_line(model, seen.ids[last], last, &seen.ids)
                })
            };
            told.endless = endless(&seen);
            told.control = rows
                .fields
                .iter()
                .any(|(field, _)| dataset.text(*field, id).is_some_and(|text| model.tokenizer.has_control(&text)));
            let (mut all, mut learned, mut wholes, mut longest) = (seen.ids.len(), seen.learned(), whole, whole);
            match versus {
                Versus::Nothing => {}
                Versus::Rejected { seen: worse, whole: of_worse } => {
                    told.endless |= endless(&worse);
                    told.alike = worse.ids == seen.ids;
                    all += worse.ids.len();
                    learned += worse.learned();
                    wholes += of_worse;
                    longest = longest.max(of_worse);
                }
                Versus::Judged(good) => {
                    told.good = Some(good);
                    told.misread = row.get("label").and_then(judged).is_some_and(|meant| meant != good);
                }
            }
            told.fate =
                RowFate::Kept { seen: small(all), learned: small(learned), whole: small(wholes), longest: small(longest) };
        }
        RowVerdict::TooLong { whole } => told.fate = RowFate::TooLong { whole: small(whole) },
        RowVerdict::Dropped(reason) => told.fate = RowFate::Dropped(reason),
        RowVerdict::Fails(reason, said) => (told.fate, told.said) = (RowFate::Fails(reason), said),
    }
    told
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
        !self.fails.is_empty() || self.beside.iter().any(|note| note.fails)
    }

    /// How many rows that are read are longer than a limit, and how many of their tokens lie beyond it.
    pub fn beyond(&self, limit: usize) -> (usize, u64) {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let at = self.lengths.partition_point(|length| *length <= limit);
        let n = self.lengths.len() - at;
        (n, self.sums.get(at).copied().unwrap_or(0) - n as u64 * u64::from(limit))
    }

    /// Rows that are learned from, each epoch.
    pub fn trained(&self) -> usize {
        if self.is_failing() { 0 } else { self.kept - self.nothing - self.unseen.len() }
    }

    /// What is said of turns that nobody sees.
    pub fn undrawn_words(&self) -> String {
        let roles: Vec<String> = self.undrawn_roles.iter().map(|role| format!("“{role}”")).collect();
        format!("turns that the template passes over, of {}: nobody sees them", roles.join(", "))
    }

    /// What is to be known of the whole, beside its rows.
    pub fn notes(&self, target: &TrainerTarget) -> Vec<String> {
        let entry = target.trainer.entry();
        let mut notes: Vec<String> = self.beside.iter().map(|note| note.words.clone()).collect();
        if self.rows() < entry.fewest {
            let (least, has) = (count(entry.fewest), count(self.rows()));
            notes.push(format!("{} takes no file of fewer than {least} lines: here are {has}", entry.title));
        }
        if self.judged > 0 && (self.good == 0 || self.good == self.judged) {
            let what = if self.good == 0 { "bad" } else { "good" };
            notes.push(format!("every answer is {what}: nothing is held against anything"));
        }
        notes
    }

    /// Whether rows are best packed: where they fill less than half of the limit.
    pub fn packs(&self) -> bool {
        self.packed.sequences > 0 && self.packed.sequences * 2 <= self.kept
    }

    /// Steps that the optimizer makes in all epochs, with so many rows a step; packed where that is best.
    pub fn steps(&self, target: &TrainerTarget) -> usize {
        let rows = if self.packs() { self.packed.sequences } else { self.kept };
        rows.div_ceil(self.batch(target)) * target.epochs as usize
    }

    /// Rows of a step: the trainer's usual where that matters, else what suits so many rows: at least some hundred steps an epoch where there are as many, and at most 32.
    pub fn batch(&self, target: &TrainerTarget) -> usize {
        let own = target.trainer.entry().batch;
        if own > 1 {
            return own;
        }
        [32, 16, 8].into_iter().find(|size| self.kept >= size * 100).unwrap_or(4)
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
