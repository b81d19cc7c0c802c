//! Which rows of a batch are worth a label: those that teach most, spread over the reasons there are, and unlike each other. Uncertainty and margin as Settles has them (2009, section 3.1), kept apart by meaning.

use std::collections::{HashMap, HashSet};

use super::columns::DriftValues;
use super::log::{BatchRows, LogColumns, LogSaid};
use super::performance::right;
use super::report::BatchReport;
use super::worst::WorstSlices;
use crate::data::{Dataset, Role, SampleId, TakenRows};
use crate::job::{Cancelled, Progress};
use crate::learn::dense::{Dense, dot};
use crate::learn::embedding::built_in;

/// Why a row is worth a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorthReason {
    /// It was said wrongly: what is true is known, and is a label already.
    Wrong,
    /// It is of a class that the dataset does not have.
    Unknown,
    /// It is like nothing in the dataset.
    New,
    /// It is in a slice that the model is worst in.
    Slice,
    /// The model was least sure of it.
    Unsure,
    /// The model was torn between two classes.
    Torn,
    /// Another model says something else.
    Disagree,
}

impl WorthReason {
    /// Every reason, in the order in which rows are given to them.
    pub const ALL: [Self; 7] = [Self::New, Self::Unsure, Self::Slice, Self::Unknown, Self::Wrong, Self::Torn, Self::Disagree];

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Wrong => "said wrongly",
            Self::Unknown => "a class that is new",
            Self::New => "like nothing before",
            Self::Slice => "in a worst slice",
            Self::Unsure => "least sure",
            Self::Torn => "torn between two",
            Self::Disagree => "models disagree",
        }
    }

    /// Its name in commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
            Self::New => "new",
            Self::Slice => "slice",
            Self::Unsure => "unsure",
            Self::Torn => "torn",
            Self::Disagree => "disagree",
        }
    }
}

/// A row that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct WorthRow {
    pub id: SampleId,
    /// Its place among the rows of the batch.
    pub at: usize,
    /// The reason that it was chosen for, and all that it has.
    pub reason: WorthReason,
    pub also: Vec<WorthReason>,
    /// What there is to say of it: `0.41 sure of card_arrival`.
    pub words: String,
}

impl WorthRow {
    /// Why it was chosen, as it is kept with the sample.
    pub fn why(&self) -> String {
        if self.words.is_empty() { self.reason.words().to_owned() } else { format!("{}: {}", self.reason.words(), self.words) }
    }
}

/// Rows that were chosen, and what was left out on the way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorthRows {
    pub list: Vec<WorthRow>,
    /// How many rows each reason has.
    pub reasons: Vec<(WorthReason, usize)>,
    /// Rows that were passed over: nearly the same as one that was chosen, or as a sample of the dataset; taken over before.
    pub alike: usize,
    pub known: usize,
    pub before: usize,
}

impl WorthRows {
    /// What was passed over, in words.
    pub fn notes(&self) -> Vec<String> {
        let rows = |n: usize| crate::data::things(n, "row", "rows");
        let mut out = Vec::new();
        if self.known > 0 {
            out.push(format!("{} say what a sample of the dataset says, and are passed over", rows(self.known)));
        }
        if self.before > 0 {
            out.push(format!("{} were taken over before", rows(self.before)));
        }
        if self.alike > 0 {
            out.push(format!("{} are nearly the same as one that was chosen", rows(self.alike)));
        }
        out
    }
}

/// What rows are chosen by.
pub struct WorthBy<'w> {
    pub batch: BatchRows<'w>,
    pub said: &'w LogSaid,
    /// What another model says of the same rows, where one was asked: the class by name.
    pub other: Option<&'w [Option<String>]>,
    /// Classes that the dataset and the run know.
    pub known: &'w HashSet<String>,
    pub report: &'w BatchReport,
    pub slices: Option<&'w WorstSlices>,
    /// The log's hash: rows of it that were taken over are not offered again.
    pub log_print: [u64; 2],
}

/// More rows of one reason than this are not looked at: the first are the best.
const MOST_OF_ONE: usize = 2_000;
/// Rows whose embeddings are nearer than this are nearly the same; and what is more like another than this waits until there is nothing else.
const SAME: f32 = 0.97;
const ALIKE: f32 = 0.8;

/// Chooses `many` rows; `only` some reasons, where any are named.
///
/// # Errors
/// [`Cancelled`].
pub fn worth_rows(
    dataset: &Dataset,
    by: &WorthBy<'_>,
    (many, only): (usize, &[WorthReason]),
    progress: &Progress,
) -> Result<WorthRows, Cancelled> {
    let taken: HashSet<u32> = dataset
        .taken_parts()
        .filter(|(_, taken)| taken.log_print == by.log_print)
        .flat_map(|(_, taken)| taken.rows.iter().copied())
        .collect();
    let mut out = WorthRows::default();
    let ranked = ranked(by);
    let mut reasons: HashMap<usize, Vec<WorthReason>> = HashMap::new();
    for (reason, rows) in &ranked {
        out.reasons.push((*reason, rows.len()));
        rows.iter().for_each(|row| reasons.entry(*row).or_default().push(*reason));
    }
    let mut before: HashSet<usize> = HashSet::new();
    let lists: Vec<(WorthReason, Vec<usize>)> = ranked
        .into_iter()
        .filter(|(reason, _)| only.is_empty() || only.contains(reason))
        .map(|(reason, mut rows)| {
            rows.retain(|row| {
                let known = taken.contains(&by.batch.rows[*row].0);
                if known {
                    before.insert(*row);
                }
                !known
            });
            rows.truncate(MOST_OF_ONE);
            (reason, rows)
        })
        .collect();
    out.before = before.len();
    let pool: Vec<usize> = {
        let mut pool: Vec<usize> = lists.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
        pool.sort_unstable();
        pool.dedup();
        pool
    };
    let apart = Apart::of(dataset, by.batch, &pool, progress)?;
    out.known = apart.known.len();
    let mut chosen: Vec<usize> = Vec::new();
    let mut alike: HashSet<usize> = HashSet::new();
    // First what is unlike all that was chosen, then what is not nearly the same: reasons take turns.
    for most in [ALIKE, SAME] {
        let mut next = vec![0; lists.len()];
        while out.list.len() < many {
            progress.check()?;
            let mut found = false;
            for (of, (reason, rows)) in lists.iter().enumerate() {
                if out.list.len() >= many {
                    break;
                }
                while let Some(row) = rows.get(next[of]).copied() {
                    next[of] += 1;
                    if chosen.contains(&row) || apart.known.contains(&row) {
                        continue;
                    }
                    if apart.nearest(row, &chosen) > most {
                        if most >= SAME {
                            alike.insert(row);
                        }
                        continue;
                    }
                    found = true;
                    chosen.push(row);
                    out.list.push(WorthRow {
                        id: by.batch.rows[row],
                        at: row,
                        reason: *reason,
                        also: reasons.get(&row).cloned().unwrap_or_default(),
                        words: words(by, row, *reason),
                    });
                    break;
                }
            }
            if !found {
                break;
            }
        }
    }
    out.alike = alike.len();
    Ok(out)
}

/// What rows mean, to tell them apart.
struct Apart {
    place: HashMap<usize, usize>,
    rows: Option<Dense>,
    /// Rows that say what a sample of the dataset says, letter for letter but for case and blanks.
    known: HashSet<usize>,
}

impl Apart {
    fn of(dataset: &Dataset, batch: BatchRows<'_>, pool: &[usize], progress: &Progress) -> Result<Self, Cancelled> {
        let place = pool.iter().copied().zip(0..).collect();
        let field = batch.columns.text.as_deref().and_then(|name| batch.dataset.field(name));
        let Some(field) = field else { return Ok(Self { place, rows: None, known: HashSet::new() }) };
        let read = |row: usize| batch.dataset.text(field, batch.rows[row]).unwrap_or_default();
        let plain = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        let print = |text: &str| xxhash_rust::xxh3::xxh3_64(plain(text).as_bytes());
        let mut wanted: HashMap<u64, Vec<usize>> = HashMap::new();
        pool.iter().for_each(|row| wanted.entry(print(&read(*row))).or_default().push(*row));
        let mut known = HashSet::new();
        if let Ok(text) = crate::derive::TextOf::of(dataset, None) {
            for (n, id) in dataset.source_samples().enumerate() {
                if n.is_multiple_of(4_096) {
                    progress.check()?;
                }
                if let Some(rows) = wanted.get(&print(&text.read(dataset, id))) {
                    known.extend(rows.iter().copied());
                }
            }
        }
        let rows = built_in().embed_all(pool.len(), |at| read(pool[at]), &progress.part())?;
        Ok(Self { place, rows: Some(rows), known })
    }

    /// How like a row is to the likest of those chosen: the cosine.
    fn nearest(&self, row: usize, chosen: &[usize]) -> f32 {
        let Some(rows) = &self.rows else { return 0.0 };
        let own = rows.row(self.place[&row]);
        chosen.iter().map(|other| dot(own, rows.row(self.place[other]))).fold(0.0, f32::max)
    }
}

/// Rows of each reason, the best first.
fn ranked(by: &WorthBy<'_>) -> Vec<(WorthReason, Vec<usize>)> {
    let said = by.said;
    let n = by.batch.rows.len();
    let ascending = |values: &[f64], most: f64| -> Vec<usize> {
        let mut rows: Vec<usize> = (0..n).filter(|row| values[*row] < most).collect();
        rows.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
        rows
    };
    let place: HashMap<SampleId, usize> = by.batch.rows.iter().copied().zip(0..).collect();
    let unknown = |row: &usize| {
        !by.known.is_empty() && said.truth[*row].is_some_and(|class| !by.known.contains(&said.classes[class as usize]))
    };
    let mut newest: Vec<usize> = Vec::new();
    for column in by.report.moved() {
        if let DriftValues::Texts { newest: rows, .. } = &column.values {
            newest.extend(rows.iter().filter_map(|id| place.get(id).copied()));
        }
    }
    let in_slices: Vec<usize> = {
        let mut rows: Vec<usize> = Vec::new();
        for slice in by.slices.into_iter().flat_map(|found| &found.list) {
            let mut own: Vec<usize> = slice.rows.iter().filter_map(|id| place.get(id).copied()).collect();
            let sure = |row: usize| if said.sure[row].is_finite() { said.sure[row] } else { 0.5 };
            own.sort_by(|a, b| sure(*a).total_cmp(&sure(*b)).then(a.cmp(b)));
            rows.extend(own);
        }
        let mut met = HashSet::new();
        rows.retain(|row| met.insert(*row));
        rows
    };
    let torn = if said.margin.len() == n { ascending(&said.margin, 0.1) } else { Vec::new() };
    let name = |class: Option<u32>| class.map(|class| said.classes[class as usize].as_str());
    let disagree: Vec<usize> = by.other.map_or_else(Vec::new, |other| {
        (0..n)
            .filter(|row| said.said[*row].is_some() && other[*row].is_some() && name(said.said[*row]) != other[*row].as_deref())
            .collect()
    });
    let wrong: Vec<usize> = (0..n).filter(|row| right(said, *row) == Some(false)).filter(|row| !unknown(row)).collect();
    let of = |reason: WorthReason| match reason {
        WorthReason::Wrong => wrong.clone(),
        WorthReason::Unknown => (0..n).filter(unknown).collect(),
        WorthReason::New => newest.clone(),
        WorthReason::Slice => in_slices.clone(),
        WorthReason::Unsure => ascending(&said.sure, 0.5),
        WorthReason::Torn => torn.clone(),
        WorthReason::Disagree => disagree.clone(),
    };
    WorthReason::ALL.into_iter().map(|reason| (reason, of(reason))).filter(|(_, rows)| !rows.is_empty()).collect()
}

/// What there is to say of a row.
fn words(by: &WorthBy<'_>, row: usize, reason: WorthReason) -> String {
    let said = by.said;
    let name = |class: Option<u32>| class.map_or("nothing", |class| said.classes[class as usize].as_str());
    let sure = if said.sure[row].is_finite() { format!("{:.2} sure of ", said.sure[row]) } else { "said ".to_owned() };
    let own = format!("{sure}{}", name(said.said[row]));
    match reason {
        WorthReason::Wrong | WorthReason::Unknown => format!("{own}, and {} is true", name(said.truth[row])),
        WorthReason::Slice => {
            let id = by.batch.rows[row];
            let slice = by.slices.into_iter().flat_map(|found| &found.list).find(|slice| slice.rows.contains(&id));
            format!("{}; {own}", slice.map_or("", |slice| slice.name.as_str()))
        }
        WorthReason::Disagree => {
            let other = by.other.and_then(|other| other[row].as_deref()).unwrap_or("nothing");
            format!("{own}, and another model says {other}")
        }
        WorthReason::New if said.said[row].is_none() => String::new(),
        WorthReason::New | WorthReason::Unsure | WorthReason::Torn => own,
    }
}

/// What rows of a batch come to as samples: the cells that the dataset has columns for, with the truth as the label where it is known.
pub fn taken_rows(
    dataset: &Dataset,
    batch: BatchRows<'_>,
    rows: &[(SampleId, String)],
    (name, log, log_print, run): (&str, &str, [u64; 2], Option<&str>),
) -> TakenRows {
    let meant = LogColumns::of_dataset(dataset);
    let log_of = |field: usize| -> Option<usize> {
        let own = &dataset.fields()[field];
        // Where a file lies is another thing for another file.
        if matches!(own.role, Role::Split | Role::Prediction | Role::Image) {
            return None;
        }
        // One column is what a meaning is of; others of its role go by their own names.
        let is = |column: &Option<String>| column.as_deref() == Some(&*own.name);
        let by_meaning = [
            (&meant.truth, &batch.columns.truth),
            (&meant.text, &batch.columns.text),
            (&meant.time, &batch.columns.time),
            (&meant.id, &batch.columns.id),
        ];
        let by_meaning = by_meaning.into_iter().find(|(column, _)| is(column)).map(|(_, other)| other.as_deref());
        match by_meaning {
            // What is true is not known of a log that does not say so, though it may have a column of the label's name.
            Some(other) if is(&meant.truth) => other.and_then(|name| batch.dataset.field(name)),
            Some(Some(other)) => batch.dataset.field(other),
            _ => batch.dataset.field(&own.name).filter(|_| !batch.columns.named().contains(&*own.name)),
        }
    };
    let fields: Vec<(usize, usize)> = (0..dataset.fields().len()).filter_map(|field| Some((field, log_of(field)?))).collect();
    let time = batch.columns.time.as_deref().and_then(|name| batch.dataset.field(name));
    let mut out = TakenRows {
        batch: name.to_owned(),
        log: log.to_owned(),
        log_print,
        run: run.map(ToOwned::to_owned),
        ..TakenRows::default()
    };
    let text = |of: usize, id: SampleId| batch.dataset.text(of, id).map(std::borrow::Cow::into_owned);
    let columns: Vec<_> =
        fields.iter().map(|(field, _)| &dataset.fields()[*field]).map(|own| (&*own.name, own.kind, own.role)).collect();
    let written = rows.iter().map(|(id, reason)| {
        let when = time.and_then(|field| text(field, *id)).unwrap_or_default();
        (fields.iter().map(|(_, of)| text(*of, *id)).collect(), id.0, when, reason.clone())
    });
    out.write(&columns, written.collect());
    out
}
