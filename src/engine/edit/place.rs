//! Where the project of a dataset lies, and whose a project is: names, folders, datasets that were renamed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::error::JournalError;
use super::journal::{APPLICATION, Journal, Stored, facts_of};
use super::salvage;
use super::swap;

/// What is appended to a dataset's name; and room for what is appended to that.
const ENDING: &str = ".lapidary";
const LONGEST_NAME: usize = 255 - ENDING.len() - 16;

/// The project's name for a dataset called `name`: shortened where no file system would have it.
fn project_name(name: &std::ffi::OsStr) -> OsString {
    let bytes = name.as_encoded_bytes();
    let mut project = if bytes.len() <= LONGEST_NAME {
        name.to_owned()
    } else {
        let shown: String = name.to_string_lossy().chars().take(40).collect();
        format!("{shown}-{:016x}", xxh3_64(bytes)).into()
    };
    project.push(ENDING);
    project
}

/// Where the project of a source lives: beside it, or, where that folder cannot be written, in `fallback`.
/// The flag says that the fallback was taken.
pub fn project_path(source: &Path, fallback: Option<&Path>) -> (PathBuf, bool) {
    // A link and what it leads to are one dataset; a project that was begun beside the link goes on there.
    let real = source.canonicalize().unwrap_or_else(|_| source.to_owned());
    // The source's extension stays in the name: data.csv and data.jsonl must not share a project.
    let beside = |source: &Path| source.with_file_name(project_name(source.file_name().unwrap_or_default()));
    for place in [beside(&real), beside(source)] {
        if swap::exists(&place) {
            return (place, false);
        }
    }
    let beside = if real.parent() == source.canonicalize().ok().as_deref().and_then(Path::parent) && !is_link(source) {
        beside(source)
    } else {
        beside(&real)
    };
    let Some(fallback) = fallback else { return (beside, false) };
    let name = project_name(source.file_name().unwrap_or_default());
    let elsewhere = |source: &Path| {
        let full = std::path::absolute(source).unwrap_or_else(|_| source.to_owned());
        let hash = xxh3_128(full.as_os_str().as_encoded_bytes());
        fallback.join(format!("{hash:032x}-{}", name.to_string_lossy().chars().take(100).collect::<String>()))
    };
    for place in [elsewhere(&real), elsewhere(source)] {
        if swap::exists(&place) {
            return (place, true);
        }
    }
    let folder = beside.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match tempfile::Builder::new().prefix(".lapidary-").suffix(".part").tempfile_in(folder) {
        Ok(_) => (beside, false),
        Err(_) => (elsewhere(&real), true),
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink())
}

/// Projects beside a dataset that were made for this very content under another name, which no file has any more: of a dataset that was
/// renamed.
pub fn orphans(source: &Path, fingerprint: u128) -> Vec<PathBuf> {
    let folder = source.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "lapidary") && !path.with_extension("").exists())
        .filter(|path| {
            fs::read(path).is_ok_and(|bytes| stored_in(&bytes, path).is_some_and(|stored| stored.fingerprint == fingerprint))
        })
        .collect();
    found.sort();
    found
}

/// What a project says of its source, read without opening it.
fn stored_in(bytes: &[u8], path: &Path) -> Option<Stored> {
    if bytes.get(68..72) != Some(&APPLICATION.to_be_bytes()) {
        return None;
    }
    let log = fs::read(swap::log_of(path)).unwrap_or_default();
    facts_of(&salvage::rows(bytes, &log))
}

/// Gives a project that was made under another name to the dataset at `source`.
///
/// # Errors
/// [`JournalError`]: it is open elsewhere, or the disk refuses.
pub fn adopt(project: &Path, source: &Path, fallback: Option<&Path>) -> Result<PathBuf, JournalError> {
    // Opened and closed, its log is folded in: there is one file to move.
    let journal = Journal::open(project)?;
    journal.may_be_moved()?;
    drop(journal);
    let (to, _) = project_path(source, fallback);
    if swap::exists(&to) {
        return Err(JournalError::Foreign(to));
    }
    fs::rename(project, &to).map_err(|e| JournalError::Disk { path: to.clone(), reason: e.to_string() })?;
    swap::sync_folder(&to);
    Ok(to)
}
