//! One project file in the place of another, so that a kill at any moment leaves the one or the other, whole.
//!
//! The new one is written aside and synced; what was there is copied under a name that says why; then the new one is given the name
//! [`waiting`], which is the moment that counts: whoever opens the project from then on finishes the exchange first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::JournalError;

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The log beside a project.
pub fn log_of(path: &Path) -> PathBuf {
    with_end(path, "-wal")
}

/// The name of a whole project that waits to take its place.
fn waiting(path: &Path) -> PathBuf {
    with_end(path, ".next")
}

/// Whether a project is there, or about to be.
pub fn exists(path: &Path) -> bool {
    path.exists() || waiting(path).exists()
}

fn disk(path: &Path, error: &std::io::Error) -> JournalError {
    JournalError::Disk { path: path.to_owned(), reason: error.to_string() }
}

/// Finishes an exchange that was cut off.
///
/// # Errors
/// [`JournalError::Disk`].
pub fn finish(path: &Path) -> Result<(), JournalError> {
    let next = waiting(path);
    if !next.exists() {
        return Ok(());
    }
    for end in ["-wal", "-shm"] {
        let part = with_end(path, end);
        if part.exists() {
            fs::remove_file(&part).map_err(|error| disk(&part, &error))?;
        }
    }
    sync_folder(path);
    fs::rename(&next, path).map_err(|error| disk(path, &error))?;
    sync_folder(path);
    Ok(())
}

/// Puts the project `new` in the place of the one at `path`, which is kept as `PATH.why`; returns where. Nobody may have it open.
///
/// # Errors
/// [`JournalError::Disk`]; what was there is there still.
pub fn exchange(path: &Path, new: &Path, why: &str) -> Result<PathBuf, JournalError> {
    let aside = keep_copy(path, why)?;
    fs::rename(new, waiting(path)).map_err(|error| disk(path, &error))?;
    sync_folder(path);
    finish(path)?;
    Ok(aside)
}

/// Copies a project and its log under a name that says why; returns it.
///
/// # Errors
/// [`JournalError::Disk`].
pub fn keep_copy(path: &Path, why: &str) -> Result<PathBuf, JournalError> {
    let names = (1..u32::MAX).map(|n| with_end(path, &if n == 1 { format!(".{why}") } else { format!(".{why}-{n}") }));
    let to = names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| with_end(path, why));
    // The log first: where this is cut off, a log without its project is no project.
    for end in ["-wal", ""] {
        let (from, to) = (with_end(path, end), with_end(&to, end));
        if from.exists() {
            fs::copy(&from, &to).and_then(|_| File::open(&to)?.sync_all()).map_err(|error| disk(&to, &error))?;
        }
    }
    sync_folder(path);
    Ok(to)
}

/// Makes names durable.
pub fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Where a folder cannot be synced (some network drives), the files themselves are still durable.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
