//! Texts as sets of shingles, and which of them are nearly the same: for duplicates, contradictions and splits without leaks.

use std::sync::Arc;

use super::store::{Artifact, Key, Store};
use super::texts::TextOf;
use crate::data::{Dataset, SampleId};
use crate::job::{Cancelled, Progress};
use crate::learn::near::{Grams, Near, Sets};

impl Artifact for Sets {
    fn bytes(&self) -> usize {
        Self::bytes(self)
    }
}

impl Artifact for Near {
    fn bytes(&self) -> usize {
        self.same.len() * 4 + self.pairs.len() * 12
    }
}

/// Rows of the source whose texts' shingles have at least this Jaccard similarity; rows that are excluded are among them.
///
/// # Errors
/// [`Cancelled`].
pub fn near_texts(
    dataset: &Dataset,
    text: &TextOf,
    (grams, threshold): (Grams, f64),
    store: &Store,
    progress: &Progress,
) -> Result<Arc<Near>, Cancelled> {
    let cut = match grams {
        Grams::Words(n) => n as u64,
        Grams::Letters(n) => 1_000 + n as u64,
    };
    let versions: Vec<u64> = std::iter::once(cut).chain(text.versions(dataset)).collect();
    let near = Key { what: "near duplicates", versions: std::iter::once(threshold.to_bits()).chain(versions.clone()).collect() };
    store.get(near, progress, || {
        let read = |row: usize| text.read(dataset, SampleId::at(row));
        let sets = store
            .get(Key { what: "shingles", versions }, progress, || Sets::of_texts(dataset.extent(), &read, grams, progress))?;
        sets.near(threshold, progress)
    })
}
