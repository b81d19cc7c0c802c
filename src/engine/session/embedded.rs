//! The embedding that searches and label models read.

use std::path::Path;
use std::sync::Arc;

use crate::checks::Scan;
use crate::data::Dataset;
use crate::derive::{Store, TextOf, embedding, embedding_key};
use crate::io::{self, Meaning};
use crate::job::{JobError, Progress};
use crate::learn::dense::Dense;
use crate::operate::scanned;

/// What samples of the source mean: their pictures where they have any, else their texts.
///
/// # Errors
/// Cancelled, or there is neither, or the model cannot be read.
pub fn embedded(
    snapshot: &Dataset,
    meaning: &Meaning,
    store: &Store,
    project: &Path,
    scan: Option<&Scan>,
    progress: &Progress,
) -> Result<Arc<Dense>, JobError> {
    let Some(field) = snapshot.pictures() else {
        let text = TextOf::of(snapshot, None).map_err(|trouble| JobError::Failed(trouble.to_string()))?;
        return Ok(embedding(snapshot, &text, meaning, store, Some(project), progress)?);
    };
    match (meaning, scan, embedding_key(snapshot, meaning)) {
        (Meaning::Folder(folder), _, Some(key)) => {
            Ok(store.get(key, progress, || io::embed_pictures(snapshot, field, folder, Some(project), progress))?)
        }
        (_, Some(scan), _) => Ok(Arc::clone(&scan.appearance)),
        (_, None, _) => Ok(Arc::clone(&scanned(snapshot, field, None, store, progress)?.appearance)),
    }
}
