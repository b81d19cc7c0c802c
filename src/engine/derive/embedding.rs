//! What samples of the source mean, a row each. There is one in memory, whoever asks: the search, the label model, Augment, Balance.

use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::store::{Artifact, Key, Store};
use super::texts::TextOf;
use crate::data::{Dataset, SampleId};
use crate::io::{self, Meaning, MeaningError};
use crate::job::Progress;
use crate::learn::dense::Dense;

impl Artifact for Dense {
    fn bytes(&self) -> usize {
        self.data.len() * size_of::<f32>()
    }
}

fn of_meaning(meaning: &Meaning) -> u64 {
    match meaning {
        Meaning::BuiltIn => 0,
        Meaning::Folder(folder) => xxh3_64(folder.as_os_str().as_encoded_bytes()),
    }
}

/// The key of a dataset's embedding: by pictures where it has any, else by texts; `None` where it has neither.
pub fn embedding_key(dataset: &Dataset, meaning: &Meaning) -> Option<Key> {
    let read = match dataset.pictures() {
        Some(field) => vec![dataset.version(field)],
        None => TextOf::of(dataset, None).ok()?.versions(dataset),
    };
    Some(Key { what: "embedding", versions: std::iter::once(of_meaning(meaning)).chain(read).collect() })
}

/// Embeddings of length 1 of every text up to where sources end. `project` is where a chosen model's vectors are kept beside.
///
/// # Errors
/// [`MeaningError`].
pub fn embedding(
    dataset: &Dataset,
    text: &TextOf,
    meaning: &Meaning,
    store: &Store,
    project: Option<&Path>,
    progress: &Progress,
) -> Result<Arc<Dense>, MeaningError> {
    let versions = std::iter::once(of_meaning(meaning)).chain(text.versions(dataset)).collect();
    let read = |row: usize| text.read(dataset, SampleId::at(row));
    store.get(Key { what: "embedding", versions }, progress, || io::embed(0..dataset.extent(), &read, meaning, project, progress))
}

/// The same of the samples beyond, that were made of others.
///
/// # Errors
/// [`MeaningError`].
pub fn embedding_of_made(
    dataset: &Dataset,
    text: &TextOf,
    meaning: &Meaning,
    store: &Store,
    progress: &Progress,
) -> Result<Arc<Dense>, MeaningError> {
    let made = text.fields.iter().map(|field| dataset.made_version(*field));
    let versions = std::iter::once(of_meaning(meaning)).chain(text.versions(dataset)).chain(made).collect();
    let read = |row: usize| text.read(dataset, SampleId::at(row));
    store.get(Key { what: "embedding of made samples", versions }, progress, || {
        io::embed(dataset.extent()..dataset.rows(), &read, meaning, None, progress)
    })
}
