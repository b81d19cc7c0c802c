//! What can be read of a damaged project.

use std::io::Write;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::fallback_folder;
use crate::cli::said::{Done, note, say};
use crate::edit::{Stored, project_exists, project_path, recover};
use crate::io;

/// The command.
pub const VERB: Verb = Verb {
    name: "recover",
    summary: "save every edit that can be read from a damaged project",
    usage: "PATH",
    example: "lapidary recover tickets.csv",
    options: &[],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| rescue(arguments, err).map(|()| false),
};

fn rescue(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let (project, _) = project_path(&io::dataset_path(&arguments.path), fallback_folder().as_deref());
    if !project_exists(&project) {
        return Err(format!("{} has no project: there is nothing to recover", arguments.path.display()));
    }
    // Where the project does not say any more what it is of, it is of the dataset as it is.
    let source = io::fingerprint(&arguments.path)
        .ok()
        .map(|fingerprint| Stored { fingerprint, reading: serde_json::to_string(&io::Reading::default()).unwrap_or_default() });
    let (aside, saved, lost) = recover(&project, source).map_err(say)?;
    note(err, &format!("{saved} edits saved, {lost} could not be read; the damaged project is kept as {}", aside.display()));
    Ok(())
}
