//! A step back in the history, and forth.

use std::io::Write;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, say};
use crate::edit::EditError;
use crate::session::Workspace;

/// The command.
pub const UNDO: Verb = Verb {
    name: "undo",
    summary: "take back the last edit",
    usage: "PATH",
    example: "lapidary undo tickets.csv",
    options: &[&READING],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| step(arguments, err, "undone", Workspace::undo).map(|()| false),
};

/// The command.
pub const REDO: Verb = Verb {
    name: "redo",
    summary: "make the edit again that was taken back last",
    usage: "PATH",
    example: "lapidary redo tickets.csv",
    options: &[&READING],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| step(arguments, err, "done again", Workspace::redo).map(|()| false),
};

fn step(arguments: &Arguments, err: &mut dyn Write, done: &str, step: fn(&mut Workspace) -> Result<String, EditError>) -> Done {
    let mut workspace = open(arguments)?;
    let words = step(&mut workspace).map_err(say)?;
    note(err, &format!("{done}: {words}"));
    Ok(())
}
