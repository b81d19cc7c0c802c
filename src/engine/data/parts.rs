//! Parts of a dataset beyond the first: samples of another source, behind all that were there when it came. Samples keep their numbers for
//! life, so that a part may stand behind samples that were made before it came.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::base::Base;
use super::ids::SampleId;
use super::made::Made;
use super::schema::{Kind, Role};
use crate::chance::seed_of;

/// What a part is read from, as a project keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSource {
    /// The first of its samples; the others follow.
    pub first: SampleId,
    /// How many there are.
    pub rows: u32,
    /// The file: seen from the folder of the dataset's own file, parted by `/`, where it lies below it; else its whole path.
    pub path: String,
    /// Hash (XXH3, 128 bits) of the file's bytes, the upper half first.
    pub fingerprint: [u64; 2],
    /// How it is read, as JSON.
    pub reading: String,
    /// Rows of a log that somebody chose, with what they say: then the log itself is not read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Box<TakenRows>>,
}

/// Rows of a log that were taken over, as the project keeps them: the log may be gone tomorrow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TakenRows {
    /// The batch that they are of.
    pub batch: String,
    /// The log, as [`PartSource::path`], and its hash.
    pub log: String,
    pub log_print: [u64; 2],
    /// What they say: JSON Lines, by the columns of the dataset.
    pub text: String,
    /// The row of each in the log, when it arose (as the log says it), and why it was taken.
    pub rows: Vec<u32>,
    pub times: Vec<String>,
    pub reasons: Vec<String>,
    /// The run that said something of them, where the log did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl PartSource {
    /// What its content is known by, whatever its file is called.
    pub fn key(&self) -> u64 {
        seed_of(&[self.fingerprint[0], self.fingerprint[1], xxh3_64(self.reading.as_bytes())])
    }

    /// The samples.
    pub fn ids(&self) -> impl Iterator<Item = SampleId> + use<> {
        let first = self.first.row();
        (first..first + self.rows as usize).map(SampleId::at)
    }
}

/// A column that is written down: its name, its kind, its role.
pub type TakenColumn<'c> = (&'c str, Kind, Role);

impl TakenRows {
    /// Writes rows down, each with its row there, when it arose and why it was taken. Numbers and lists stay what they are, where all cells of a column are: a column of several kinds would be read as JSON, quotes and all.
    pub fn write(&mut self, columns: &[TakenColumn<'_>], rows: Vec<(Vec<Option<String>>, u32, String, String)>) {
        let nested =
            |kind: Kind| matches!(kind, Kind::Integer | Kind::Number | Kind::Boolean | Kind::List | Kind::Struct | Kind::Json);
        let value = |cell: &str| serde_json::from_str::<Value>(cell).ok().filter(|value| !value.is_string());
        let raw: Vec<bool> = columns
            .iter()
            .enumerate()
            .map(|(at, (_, kind, role))| {
                let all = || rows.iter().filter_map(|(cells, ..)| cells[at].as_deref()).all(|cell| value(cell).is_some());
                (nested(*kind) || *role == Role::Messages) && all()
            })
            .collect();
        for (cells, row, time, reason) in rows {
            let cell = |at: usize| match &cells[at] {
                None => Value::Null,
                Some(cell) if raw[at] => value(cell).unwrap_or(Value::Null),
                Some(cell) => json!(cell),
            };
            let line: Map<String, Value> = (0..columns.len()).map(|at| (columns[at].0.to_owned(), cell(at))).collect();
            self.text.push_str(&Value::Object(line).to_string());
            self.text.push('\n');
            self.rows.push(row);
            self.times.push(time);
            self.reasons.push(reason);
        }
    }
}

/// A part: what it is read from, and what was read.
#[derive(Clone)]
pub struct SourcePart {
    pub source: PartSource,
    pub base: Arc<Base>,
}

/// A run of samples with one provenance.
pub enum Segment<'d> {
    /// The dataset's own file, or another source that was added: the first sample, and what was read.
    Part(SampleId, &'d Arc<Base>),
    /// Samples that were made of others.
    Batch(&'d Arc<Made>),
}

impl Segment<'_> {
    /// Its first sample.
    pub fn first(&self) -> SampleId {
        match self {
            Self::Part(first, _) => *first,
            Self::Batch(made) => made.batch.first,
        }
    }

    /// How many samples it has.
    pub fn rows(&self) -> usize {
        match self {
            Self::Part(_, base) => base.rows,
            Self::Batch(made) => made.batch.len(),
        }
    }
}

/// The parts of a dataset, in the order of their coming, and what was read of sources that parts are made of: a part that was taken away is
/// there again without reading it once more.
#[derive(Clone, Default)]
pub(super) struct Parts {
    list: Vec<SourcePart>,
    read: HashMap<u64, Arc<Base>>,
}

impl Parts {
    pub fn list(&self) -> &[SourcePart] {
        &self.list
    }

    pub fn rows(&self) -> usize {
        self.list.iter().map(|part| part.base.rows).sum()
    }

    pub fn know(&mut self, key: u64, base: Arc<Base>) {
        self.read.insert(key, base);
    }

    pub fn known(&self, key: u64) -> Option<&Arc<Base>> {
        self.read.get(&key)
    }

    pub fn push(&mut self, part: SourcePart) {
        self.list.push(part);
    }

    pub fn pop(&mut self) -> Option<SourcePart> {
        self.list.pop()
    }

    /// The part that a sample is of, by its place in the list, and its row there.
    pub fn of(&self, id: SampleId) -> Option<(usize, usize)> {
        let at = self.list.partition_point(|part| part.source.first <= id).checked_sub(1)?;
        let row = (id.0 - self.list[at].source.first.0) as usize;
        (row < self.list[at].base.rows).then_some((at, row))
    }
}
