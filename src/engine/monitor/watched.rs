//! A batch that is watched: what of which log it is, as a project keeps it. Its rows stay in their file.

use serde::{Deserialize, Serialize};

use super::cut::LogCut;
use super::log::LogColumns;
use crate::data::{Dataset, Moment, Property, SampleSet};

/// The tag of samples that were taken over and wait for a label, or for being admitted.
pub const TO_LABEL: &str = "to label";

/// The samples that wait: they are of a batch still, and nothing that a batch is held against.
pub fn waiting(dataset: &Dataset) -> Option<&SampleSet> {
    dataset.tags().find(|(tag, _)| *tag == TO_LABEL).map(|(_, samples)| samples).filter(|samples| !samples.is_empty())
}

/// A batch of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedBatch {
    pub name: String,
    /// The log: seen from the folder of the dataset's own file, parted by `/`, where it lies below it; else its whole path.
    pub path: String,
    /// Hash (XXH3, 128 bits) of the log's bytes, the upper half first.
    pub fingerprint: [u64; 2],
    /// How the log is read, as JSON.
    pub reading: String,
    pub columns: LogColumns,
    #[serde(default)]
    pub cut: LogCut,
    /// Which piece of the log it is; empty where that is not cut.
    #[serde(default)]
    pub piece: String,
    /// How many rows it has, and when the first arose (nanoseconds since 1970, as text: JSON has no such numbers).
    pub rows: u64,
    #[serde(default)]
    pub first: Option<String>,
    /// Its place in the order of coming.
    #[serde(default)]
    pub came: u64,
}

impl WatchedBatch {
    /// Every batch that a dataset watches, in the order of time; those without one behind, as they came.
    pub fn all(dataset: &Dataset) -> Vec<Self> {
        let read = |(of, json): (&[String], &str)| {
            let own: Self = serde_json::from_str(json).ok()?;
            Some(Self { name: of.first()?.clone(), ..own })
        };
        let mut out: Vec<Self> = dataset.properties().all(Property::Batch).filter_map(read).collect();
        out.sort_by(|a, b| {
            let time = |one: &Self| one.time().unwrap_or(Moment::MAX);
            time(a).cmp(&time(b)).then(a.came.cmp(&b.came)).then(a.name.cmp(&b.name))
        });
        out
    }

    /// When its first row arose.
    pub fn time(&self) -> Option<Moment> {
        self.first.as_ref()?.parse().ok()
    }

    /// Whether it is the same rows, whatever they are called and wherever their file lies.
    pub fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.cut == other.cut && self.piece == other.piece
    }
}
