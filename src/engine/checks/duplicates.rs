//! Duplicates: texts that are the same as far as one asks, and texts that are nearly the same, every pair by its true Jaccard similarity. Groups that
//! reach across the parts of a split come first: what is tested there was learned.

use std::cmp::Ordering;
use std::collections::HashMap;

use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use super::figures::show;
use super::options::{A_COLUMN, CheckOption, Options};
use super::{Check, CheckInput, Finding, FindingKind};
use crate::data::{Dataset, Kind, Role, SampleId, Times, count, is_held_out};
use crate::derive::{TextOf, near_texts};
use crate::job::{Cancelled, Progress};
use crate::learn::near::Grams;

const SAME: CheckOption = CheckOption {
    flag: "--same",
    label: "same is",
    help: "what counts as the same text",
    kinds: &[FindingKind::SameText],
    choices: &["to the letter", "but for blanks", "but for case", "by its words"],
    least: 0.0,
    most: 3.0,
    usual: 2.0,
};
const KEEP: CheckOption = CheckOption {
    flag: "--keep",
    label: "keep the",
    help: "which of a group stays",
    kinds: &[FindingKind::SameText, FindingKind::NearText],
    choices: &["reviewed, then first", "longest", "newest", "highest of a column", "lowest of a column"],
    least: 0.0,
    most: 4.0,
    usual: 0.0,
};
const KEEP_BY: CheckOption = CheckOption {
    flag: "--keep-by",
    label: "column",
    help: "the column of which the highest or lowest stays: numbers by their worth, times by theirs, else by their letters",
    kinds: &[FindingKind::SameText, FindingKind::NearText],
    choices: A_COLUMN,
    least: 0.0,
    most: 0.0,
    usual: 0.0,
};
const JACCARD: CheckOption = CheckOption {
    flag: "--jaccard",
    label: "similarity",
    help: "texts are nearly the same from this part of their shingles on that they share (Jaccard)",
    kinds: &[FindingKind::NearText],
    choices: &[],
    least: 0.3,
    most: 1.0,
    usual: 0.75,
};
const CUT: CheckOption = CheckOption {
    flag: "--shingles",
    label: "shingles of",
    help: "what texts are cut into",
    kinds: &[FindingKind::NearText],
    choices: &["words", "letters"],
    least: 0.0,
    most: 1.0,
    usual: 0.0,
};
const GRAM: CheckOption = CheckOption {
    flag: "--ngram",
    label: "in a row",
    help: "how many words (or letters) are one shingle",
    kinds: &[FindingKind::NearText],
    choices: &[],
    least: 1.0,
    most: 10.0,
    usual: 2.0,
};

/// What can be moved of duplicates.
pub const OPTIONS: [CheckOption; 3] = [SAME, KEEP, KEEP_BY];
/// And of near ones.
pub const NEAR_OPTIONS: [CheckOption; 3] = [JACCARD, CUT, GRAM];

/// The samples that are looked at: of the source, and not excluded.
pub(super) fn looked_at(dataset: &Dataset) -> impl Iterator<Item = SampleId> + '_ {
    dataset.source_samples().filter(|id| !dataset.is_excluded(*id) && !dataset.is_made(*id))
}

/// The columns that say what a sample is: texts or chats; of a table without them, all but numbers of rows, parts and notes.
fn said(dataset: &Dataset) -> (Vec<usize>, bool) {
    if let Ok(text) = TextOf::of(dataset, None) {
        return (text.fields, true);
    }
    let tells =
        |field: &usize| !matches!(dataset.fields()[*field].role, Role::Id | Role::Split) && dataset.fields()[*field].is_given();
    ((0..dataset.fields().len()).filter(tells).collect(), false)
}

/// What of a text counts, as it goes into a print. A text without a letter or figure is its signs: a thumb up is not a thumb down.
fn print_of(text: &str, same: usize, hasher: &mut Xxh3) {
    match same {
        0 => hasher.update(text.as_bytes()),
        1 => text.split_whitespace().for_each(|word| {
            hasher.update(word.as_bytes());
            hasher.update(b" ");
        }),
        3 if text.contains(char::is_alphanumeric) => {
            text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).for_each(|word| {
                hasher.update(word.to_lowercase().as_bytes());
                hasher.update(b" ");
            });
        }
        _ => text.split_whitespace().for_each(|word| {
            hasher.update(word.to_lowercase().as_bytes());
            hasher.update(b" ");
        }),
    }
}

/// The columns that say what a sample is.
pub fn saying_fields(dataset: &Dataset) -> Vec<usize> {
    said(dataset).0
}

/// A print (XXH3, 128 bits) of what a sample says, so that equal ones have the same; `same` is the place of a choice of what counts as equal: to the letter, but for blanks,
/// but for case, by its words. `None` where it says nothing: that is no copy of another.
pub fn saying_print(dataset: &Dataset, fields: &[usize], id: SampleId, same: usize) -> Option<u128> {
    let mut hasher = Xxh3::new();
    let mut filled = false;
    for field in fields {
        let text = dataset.text(*field, id).unwrap_or_default();
        filled |= !text.trim().is_empty();
        print_of(&text, same, &mut hasher);
        hasher.update(b"\0");
    }
    filled.then(|| hasher.digest128())
}

/// Groups of samples that say the same, each in the order of samples; `same` is the place of a choice of [`SAME`].
pub(super) fn same_groups(
    dataset: &Dataset,
    fields: &[usize],
    same: usize,
    progress: &Progress,
) -> Result<Vec<Vec<SampleId>>, Cancelled> {
    let ids: Vec<SampleId> = looked_at(dataset).collect();
    let print = |id: &SampleId| Some((saying_print(dataset, fields, *id, same)?, *id));
    let mut prints: Vec<(u128, SampleId)> = ids.par_iter().with_min_len(512).filter_map(print).collect();
    progress.check()?;
    prints.par_sort_unstable();
    Ok(prints
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.len() > 1)
        .map(|group| group.iter().map(|(_, id)| *id).collect())
        .collect())
}

/// Which of copies stays.
struct Keeper<'d> {
    dataset: &'d Dataset,
    fields: &'d [usize],
    choice: usize,
    split: Option<usize>,
    /// The column of times and how they are written, where the newest stays.
    times: Option<(usize, Times)>,
    /// The column of which the highest or lowest stays; and how its cells are read where they are times.
    by: Option<(usize, Option<Times>)>,
}

/// What a cell is worth where the highest or lowest stays.
#[derive(PartialEq, PartialOrd)]
enum Worth {
    Number(f64),
    Time(i128),
    Text(String),
}

impl<'d> Keeper<'d> {
    /// As it was asked for.
    fn new(dataset: &'d Dataset, fields: &'d [usize], options: &Options) -> Self {
        let choice = options.choice(&KEEP);
        let times_of = |field: usize| {
            let cells: Vec<_> = dataset.source_samples().filter_map(|id| dataset.text(field, id)).collect();
            Times::of(cells.iter().map(|cell| &**cell))
        };
        let by = (choice > 2).then(|| dataset.field(options.column(&KEEP_BY))).flatten();
        let by = by.map(|field| (field, (dataset.fields()[field].role == Role::Time).then(|| times_of(field))));
        let field = (choice == 2).then(|| dataset.with_role(|role| role == Role::Time)).flatten();
        let times = field.map(|field| (field, times_of(field)));
        Self { dataset, fields, choice, split: dataset.with_role(|role| role == Role::Split), times, by }
    }

    /// Puts the one that stays first: what is held out before what is trained on, then as it was asked for. What says no time is older than what does.
    fn first(&self, group: &mut [SampleId]) {
        let text = |field: usize, id: SampleId| self.dataset.text(field, id).unwrap_or_default();
        let held = |id: SampleId| self.split.is_some_and(|field| is_held_out(&text(field, id)));
        let long = |id: SampleId| self.fields.iter().map(|field| text(*field, id).len()).sum::<usize>();
        let wish = |id: SampleId| -> i128 {
            match (self.choice, self.times) {
                (1, _) => -(long(id) as i128),
                (2, Some((field, times))) => times.read(&text(field, id)).map_or(i128::MAX, |moment| -moment),
                // Without a time, what stands last is the newest.
                (2, None) => -i128::from(id.0),
                _ => i128::from(!self.dataset.is_reviewed(id)),
            }
        };
        group.sort_by_cached_key(|id| (!held(*id), wish(*id), id.0));
        let Some((field, times)) = self.by else { return };
        let worth = |id: SampleId| -> Option<Worth> {
            let cell = self.dataset.text(field, id).filter(|cell| !cell.trim().is_empty())?;
            Some(match (times, self.dataset.number(field, id)) {
                (Some(times), _) => Worth::Time(times.read(&cell)?),
                (None, Some(number)) => Worth::Number(number),
                (None, None) => Worth::Text(cell.into_owned()),
            })
        };
        // What says nothing comes last, whichever end stays.
        let order = |a: &Option<Worth>, b: &Option<Worth>| match (a, b) {
            (Some(a), Some(b)) => {
                let order = a.partial_cmp(b).unwrap_or(Ordering::Equal);
                if self.choice == 3 { order.reverse() } else { order }
            }
            (None, None) => Ordering::Equal,
            (a, _) => {
                if a.is_some() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        };
        let mut ranked: Vec<(bool, Option<Worth>, SampleId)> = group.iter().map(|id| (!held(*id), worth(*id), *id)).collect();
        ranked.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| order(&a.1, &b.1)).then(a.2.cmp(&b.2)));
        group.iter_mut().zip(ranked).for_each(|(id, (.., ranked))| *id = ranked);
    }
}

/// The parts of the split that a group reaches across, where it does.
fn parts(dataset: &Dataset, group: &[SampleId]) -> Option<Vec<String>> {
    let field = dataset.with_role(|role| role == Role::Split)?;
    let mut parts: Vec<String> = group
        .iter()
        .filter_map(|id| dataset.text(field, *id))
        .filter(|part| !part.is_empty())
        .map(|part| part.into_owned())
        .collect();
    parts.sort_unstable();
    parts.dedup();
    (parts.len() > 1 && parts.iter().any(|part| is_held_out(part))).then_some(parts)
}

fn column_of(dataset: &Dataset, fields: &[usize], of_texts: bool) -> String {
    match fields {
        [one] => dataset.fields()[*one].name.to_string(),
        [first, ..] if of_texts => dataset.fields()[*first].name.to_string(),
        _ => "every column".to_owned(),
    }
}

/// Looks for texts that are the same.
///
/// # Errors
/// [`Cancelled`].
pub fn same(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let (fields, of_texts) = said(dataset);
    if fields.is_empty() || dataset.pictures().is_some() && !of_texts {
        return Ok(Vec::new());
    }
    let keeper = Keeper::new(dataset, &fields, options);
    // A table has the same row where its cells are the same, whatever is asked of texts.
    let same = if of_texts { options.choice(&SAME) } else { 1 };
    let column = column_of(dataset, &fields, of_texts);
    let groups = same_groups(dataset, &fields, same, progress)?;
    // Where rows of a table come again and again, that is how the table is: a few numbers, counts, answers to tick.
    let again: usize = groups.iter().map(Vec::len).sum();
    if !of_texts && again * 5 > looked_at(dataset).count() {
        return Ok(Vec::new());
    }
    let mut found: Vec<Finding> = groups
        .into_iter()
        .map(|mut group| {
            keeper.first(&mut group);
            let times = group.len();
            let what = if of_texts { "text" } else { "row" };
            let severity = 0.6 + 0.2 * (1.0 - 2.0 / times as f64);
            match parts(dataset, &group) {
                Some(parts) => {
                    let reason = format!("the same {what} in {}: what is tested was learned", parts.join(" and "));
                    Finding { check: Check::Duplicates, ..Finding::new(FindingKind::Leak, group, &column, 0.95, reason) }
                }
                None => Finding::new(
                    FindingKind::SameText,
                    group,
                    &column,
                    severity,
                    format!("the same {what} {} times", count(times)),
                ),
            }
        })
        .collect();
    // The group that was there first comes first among equals.
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.iter().min().cmp(&b.samples.iter().min())));
    Ok(found)
}

/// How texts are cut into shingles, and from where on they are alike.
pub(super) fn asked(options: &Options) -> (Grams, f64) {
    let n = options.get(&GRAM).round().max(1.0) as usize;
    let grams = if options.choice(&CUT) == 0 { Grams::Words(n) } else { Grams::Letters(n) };
    (grams, options.get(&JACCARD))
}

/// Looks for texts that are nearly the same.
///
/// # Errors
/// [`Cancelled`].
pub fn near(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let Ok(text) = TextOf::of(dataset, None) else { return Ok(Vec::new()) };
    let near = near_texts(dataset, &text, asked(options), input.store, progress)?;
    let keeper = Keeper::new(dataset, &text.fields, options);
    let column = column_of(dataset, &text.fields, true);
    // What is the same is found by the other check: of it the first stands for all, and a group of it alone is none of these.
    let gone = |row: u32| dataset.is_excluded(SampleId(row)) || dataset.is_made(SampleId(row));
    let mut found = Vec::new();
    let mut pairs_of: HashMap<u32, Vec<(SampleId, SampleId, f32)>> = HashMap::new();
    let groups = near.groups();
    let mut group_of: HashMap<u32, u32> = HashMap::new();
    groups.iter().zip(0..).for_each(|(group, at)| group.iter().for_each(|row| _ = group_of.insert(*row, at)));
    for (a, b, jaccard) in near.pairs.iter().filter(|(a, ..)| group_of.contains_key(a)) {
        pairs_of.entry(group_of[a]).or_default().push((SampleId(*a), SampleId(*b), *jaccard));
    }
    for (group, at) in groups.iter().zip(0u32..) {
        let mut samples: Vec<SampleId> = group.iter().filter(|row| !gone(**row)).map(|row| SampleId(*row)).collect();
        let differ = samples.iter().any(|id| near.same[id.row()] != near.same[samples[0].row()]);
        if samples.len() < 2 || !differ {
            continue;
        }
        keeper.first(&mut samples);
        let alike = pairs_of.remove(&at).unwrap_or_default();
        let most = alike.iter().map(|(.., jaccard)| f64::from(*jaccard)).fold(0.0, f64::max);
        let least = alike.iter().map(|(.., jaccard)| f64::from(*jaccard)).fold(1.0, f64::min);
        let like = if (most - least).abs() < 0.005 {
            show((most * 100.0).round())
        } else {
            format!("{:.0} to {:.0}", least * 100.0, most * 100.0)
        };
        let words = format!("{} texts, {like} % the same wording", count(samples.len()));
        let finding = match parts(dataset, &samples) {
            Some(parts) => {
                let reason = format!("{words}, in {}: what is tested was learned, or nearly", parts.join(" and "));
                Finding::new(FindingKind::Leak, samples, &column, 0.6 + 0.3 * most, reason)
            }
            None => Finding::new(FindingKind::NearText, samples, &column, 0.3 + 0.4 * most, words),
        };
        found.push(Finding { alike, ..finding });
    }
    if near.crowded {
        let reason = "so many texts are so much alike that not every pair was compared: what is grouped is alike, and more may be. Ask for more similarity, or for longer shingles";
        found.push(Finding::new(FindingKind::NearText, Vec::new(), &column, 0.2, reason.to_owned()));
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.iter().min().cmp(&b.samples.iter().min())));
    Ok(found)
}

/// Whether a column is one of texts that people wrote.
pub(super) fn is_written(dataset: &Dataset, field: usize) -> bool {
    let of = &dataset.fields()[field];
    matches!(of.role, Role::Text | Role::Messages) || of.role == Role::Other && of.kind == Kind::Text && of.is_given()
}
