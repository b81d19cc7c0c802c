//! Edits on another version of a file, or under another name.

use std::io::Write;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::{fallback_folder, read};
use crate::cli::options::READING;
use crate::cli::said::{Done, note, say};
use crate::data::{count, things};
use crate::edit::{adopt, orphans};
use crate::io;
use crate::session::{Workspace, stored_reading};

/// The command.
pub const VERB: Verb = Verb {
    name: "carry",
    summary: "carry edits over to a file that has changed, by sample content, or that was renamed",
    usage: "PATH",
    example: "lapidary carry tickets.csv",
    options: &[&READING],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| carry(arguments, err).map(|()| false),
};

fn carry(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let fallback = fallback_folder();
    let asked = arguments.reading()?;
    let stored = stored_reading(&io::dataset_path(&arguments.path), fallback.as_deref()).map_err(say)?;
    let Some(stored) = stored else { return take_over(arguments, &asked, err) };
    let reading = if asked == io::Reading::default() { stored } else { asked };
    let dataset = read(&arguments.path, &reading)?;
    let (_, carried) = Workspace::carry(dataset, reading, fallback.as_deref()).map_err(say)?;
    note(
        err,
        &format!(
            "{} carried over; {} of their samples {} not in the file any more",
            things(carried.edits, "edit was", "edits were"),
            count(carried.lost),
            if carried.lost == 1 { "is" } else { "are" }
        ),
    );
    if !carried.added.is_empty() {
        note(err, &format!("samples were recognised without what is new in the file: {}", carried.added.join(", ")));
    }
    if carried.unfit > 0 {
        note(
            err,
            &format!(
                "{} not fit the file any more, and left out",
                things(carried.unfit, "part of an edit does", "parts of edits do")
            ),
        );
    }
    note(err, &format!("the old project is kept as {}", carried.aside.display()));
    Ok(())
}

/// Gives a dataset without a project the one that was made for it under another name.
fn take_over(arguments: &Arguments, reading: &io::Reading, err: &mut dyn Write) -> Done {
    let dataset = read(&arguments.path, reading)?;
    let found = orphans(&dataset.base.origin.path, dataset.base.origin.fingerprint);
    let Some(project) = found.first() else {
        return Err(format!("{} has no project: there is nothing to carry over", arguments.path.display()));
    };
    let to = adopt(project, &dataset.base.origin.path, fallback_folder().as_deref()).map_err(say)?;
    note(err, &format!("{} was made for this very content: it is {} now", project.display(), to.display()));
    Ok(())
}
