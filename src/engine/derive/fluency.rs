//! How people write in a dataset: the model that says how fluent an altered text is.

use std::sync::Arc;

use super::store::{Artifact, Key, Store};
use super::texts::TextOf;
use crate::data::{Dataset, SampleId};
use crate::job::{Cancelled, Progress};
use crate::learn::fluency::Fluency;

impl Artifact for Fluency {
    fn bytes(&self) -> usize {
        Self::bytes(self)
    }
}

/// Learns from the texts of the source.
///
/// # Errors
/// [`Cancelled`].
pub fn fluency(dataset: &Dataset, text: &TextOf, store: &Store, progress: &Progress) -> Result<Arc<Fluency>, Cancelled> {
    let key = Key { what: "fluency", versions: text.versions(dataset) };
    let read = |row: usize| text.read(dataset, SampleId::at(row));
    store.get(key, progress, || Fluency::learn(dataset.extent(), &read, progress))
}
