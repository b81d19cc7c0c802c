//! Parts of a dataset: reads the sources that edits add to its own.

use std::path::{Component, Path, PathBuf};

use crate::data::{Dataset, PartSource, SampleId};
use crate::edit::{Edit, JournalError};
use crate::io::{self, IoError, Reading};
use crate::job::Progress;

/// The folder that the paths of parts are seen from: that of the dataset's own file.
pub(super) fn folder(dataset: &Dataset) -> PathBuf {
    let own = std::path::absolute(&dataset.base.origin.path).unwrap_or_else(|_| dataset.base.origin.path.clone());
    own.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Reads a source, so that a part of `dataset` can be made of it: see [`crate::edit::Change::part`]. It is known to the dataset then.
///
/// # Errors
/// As of opening it.
pub fn read_part(dataset: &mut Dataset, path: &Path, reading: &Reading, progress: &Progress) -> Result<PartSource, IoError> {
    let read = io::open(path, reading, progress, &|_| {})?;
    let part = PartSource {
        first: SampleId::at(dataset.rows()),
        rows: u32::try_from(read.base.rows).unwrap_or(u32::MAX),
        path: path_in(dataset, path),
        fingerprint: read.base.origin.halves(),
        reading: serde_json::to_string(reading).unwrap_or_default(),
        taken: None,
    };
    dataset.know(part.key(), read.base);
    Ok(part)
}

/// Reads what the parts of an edit are made of, where that is not known yet.
///
/// # Errors
/// [`JournalError::Part`]: a source is gone, cannot be read, or is another than it was.
pub fn know_parts(dataset: &mut Dataset, edit: &Edit) -> Result<(), JournalError> {
    for part in edit.parts() {
        if dataset.known(part.key()).is_some() {
            continue;
        }
        if let Some(taken) = part.taken.as_deref() {
            let fail = |reason: String| JournalError::Part { path: PathBuf::from(&taken.log), reason };
            let base = io::taken_base(taken, &Progress::silent())
                .map_err(|error| fail(format!("what was taken of it cannot be read ({error})")))?;
            dataset.know(part.key(), base);
            continue;
        }
        let path = folder(dataset).join(&part.path);
        let fail = |reason: String| JournalError::Part { path: path.clone(), reason };
        let reading: Reading = serde_json::from_str(&part.reading)
            .map_err(|_| fail("was read in a way that this Lapidary does not know".to_owned()))?;
        let read = io::open(&path, &reading, &Progress::silent(), &|_| {})
            .map_err(|error| fail(format!("cannot be read any more ({error})")))?;
        if part.fingerprint != read.base.origin.halves() || part.rows as usize != read.base.rows {
            return Err(fail("has changed since".to_owned()));
        }
        dataset.know(part.key(), read.base);
    }
    Ok(())
}

/// A path as a project keeps it: seen from the folder of the dataset's own file, parted by `/`, where it lies below it; else whole.
pub fn path_in(dataset: &Dataset, path: &Path) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let below = full.strip_prefix(folder(dataset)).ok().and_then(|below| {
        let names = below.components().map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        Some(names.collect::<Option<Vec<_>>>()?.join("/"))
    });
    below.unwrap_or_else(|| full.to_string_lossy().into_owned())
}
