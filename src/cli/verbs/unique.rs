//! Each text once.

use std::io::Write;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, say};
use crate::job::Progress;
use crate::operate::{Means, Operation, Unique};

/// The command.
pub const VERB: Verb = Verb {
    name: "unique",
    summary: "exclude all copies but the first of each, as one edit that a recipe holds as a rule",
    usage: "PATH [--near SIMILARITY]",
    example: "lapidary unique tickets.csv --near 0.8",
    options: &[
        &[
            ("--same", Some("HOW"), "what counts as the same: letter, blanks, case (the usual: but for blanks and case), words"),
            (
                "--near",
                Some("SIMILARITY"),
                "texts count as copies from this part of their word pairs on that they share (Jaccard, 0.3 to 1)",
            ),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| unique(arguments, err).map(|()| false),
};

fn unique(arguments: &Arguments, err: &mut dyn Write) -> Done {
    if arguments.has("--no-project") {
        return Err("an edit needs the project; leave --no-project out".to_owned());
    }
    let same = match arguments.get("--same") {
        Some("letter") => 0,
        Some("blanks") => 1,
        None | Some("case") => 2,
        Some("words") => 3,
        Some(other) => return Err(format!("--same takes letter, blanks, case or words, not {other:?}")),
    };
    let near = arguments.number::<f64>("--near")?.unwrap_or(0.0);
    let mut workspace = open(arguments)?;
    let operation = Operation::Unique(Unique { same, near });
    let planned = operation.plan(workspace.dataset(), &Means::default(), &Progress::silent()).map_err(say)?;
    match planned.edit {
        Some(edit) => {
            workspace.edit(&edit).map_err(say)?;
            note(err, &edit.words);
            planned.notes.iter().for_each(|text| note(err, text));
            Ok(())
        }
        None => {
            note(err, "it is so already");
            Ok(())
        }
    }
}
