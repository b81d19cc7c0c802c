//! Datasets as commands open them: with the edits of their project, and with what options say of their columns.

use std::path::{Path, PathBuf};

use super::Failure;
use super::arguments::Arguments;
use super::said::say;
use crate::data::{Dataset, Kind, Role};
use crate::io;
use crate::job::{Progress, guarded};
use crate::session::{Workspace, stored_reading};

/// The folder for projects whose source's folder cannot be written.
pub fn fallback_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .or_else(|| set("LOCALAPPDATA"))
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("lapidary/projects"))
}

/// Reads a file.
///
/// # Errors
/// Why it cannot be read.
pub fn read(path: &Path, reading: &io::Reading) -> Result<Dataset, Failure> {
    guarded(|| io::open(path, reading, &Progress::silent(), &|_| {}))
        .map_err(|panic| format!("{} cannot be read: {panic}", path.display()))?
        .map_err(say)
}

/// Opens the dataset as its file stands.
///
/// # Errors
/// Why it cannot be opened.
pub fn open_as_it_is(arguments: &Arguments) -> Result<Workspace, Failure> {
    let reading = arguments.reading()?;
    let dataset = read(&arguments.path, &reading)?;
    assuming(Workspace::without_project(dataset, reading, fallback_folder().as_deref()), arguments)
}

/// A version of a dataset: a file, with the edits of its project where it has one.
///
/// # Errors
/// Why it cannot be opened.
pub fn open_version(path: &Path, arguments: &Arguments) -> Result<Dataset, Failure> {
    let fallback = fallback_folder();
    if !path.exists() {
        return Err(format!("{} cannot be read: there is no such file", path.display()));
    }
    let mut reading = arguments.reading()?;
    if let Some(stored) = stored_reading(&io::dataset_path(path), fallback.as_deref()).map_err(say)?
        && reading == io::Reading::default()
    {
        reading = stored;
    }
    let dataset = read(path, &reading)?;
    let workspace = if arguments.has("--no-project") {
        Workspace::without_project(dataset, reading, fallback.as_deref())
    } else {
        Workspace::open(dataset, reading, fallback.as_deref()).map_err(say)?
    };
    Ok(assuming(workspace, arguments)?.dataset().clone())
}

/// Opens the dataset with the edits of its project, unless they are to be left out.
///
/// # Errors
/// Why it cannot be opened.
pub fn open(arguments: &Arguments) -> Result<Workspace, Failure> {
    let fallback = fallback_folder();
    let mut reading = arguments.reading()?;
    if arguments.has("--no-project") {
        return open_as_it_is(arguments);
    }
    if !arguments.path.exists() {
        return Err(format!("{} cannot be read: there is no such file", arguments.path.display()));
    }
    if let Some(stored) = stored_reading(&io::dataset_path(&arguments.path), fallback.as_deref()).map_err(say)?
        && reading == io::Reading::default()
    {
        reading = stored;
    }
    let dataset = read(&arguments.path, &reading)?;
    assuming(Workspace::open(dataset, reading, fallback.as_deref()).map_err(say)?, arguments)
}

/// The workspace with roles and kinds as the options say, for this run.
fn assuming(mut workspace: Workspace, arguments: &Arguments) -> Result<Workspace, Failure> {
    for (column, kind) in arguments.pairs("--kind")? {
        let named = Kind::from_name(kind).filter(|kind| !kind.is_nested() && *kind != Kind::Time);
        let kind = named.ok_or_else(|| format!("--kind {kind:?} is none of text, integer, number, decimal comma, boolean"))?;
        workspace.assume_kind(column, kind).map_err(say)?;
    }
    for (column, role) in arguments.pairs("--role")? {
        let names = || Role::ALL.map(|role| role.to_string()).join(", ");
        let role = Role::from_name(role).ok_or_else(|| format!("--role {role:?} is none of {}", names()))?;
        workspace.assume_role(column, role).map_err(say)?;
    }
    Ok(workspace)
}
