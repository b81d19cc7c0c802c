//! What is seen of every picture of a dataset, for the checks, the judges and the plans that need all of them.

use std::sync::Arc;

use crate::checks::Scan;
use crate::data::Dataset;
use crate::derive::{Artifact, Key, Store};
use crate::io::{PictureCache, look_at_all};
use crate::job::{Cancelled, Progress};
use crate::learn::appearance::appearance;

/// Looks at every picture of column `field` of a dataset, and works out what needs all of them.
///
/// # Errors
/// [`Cancelled`].
pub fn scan_pictures(
    dataset: &Dataset,
    field: usize,
    cache: Option<&PictureCache>,
    progress: &Progress,
) -> Result<Scan, Cancelled> {
    let looks = look_at_all(dataset, field, cache, progress)?;
    let embedding = appearance(&looks, progress)?;
    Scan::new(dataset, field, looks, embedding, progress)
}

impl Artifact for Scan {
    fn bytes(&self) -> usize {
        let looks: usize = self.looks.iter().map(|look| look.grey.len() + look.gradients.len() + size_of_val(look)).sum();
        looks + size_of_val(self.appearance.data.as_slice())
    }
}

/// The same, worked out once for the pictures as they are.
///
/// # Errors
/// [`Cancelled`].
pub fn scanned(
    dataset: &Dataset,
    field: usize,
    cache: Option<&PictureCache>,
    store: &Store,
    progress: &Progress,
) -> Result<Arc<Scan>, Cancelled> {
    let key = Key { what: "scan", versions: vec![dataset.version(field)] };
    store.get(key, progress, || scan_pictures(dataset, field, cache, progress))
}
