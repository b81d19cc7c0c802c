//! What is seen of every picture of a dataset, for the checks, the judges and the plans that need all of them.

use crate::checks::Scan;
use crate::data::Dataset;
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
