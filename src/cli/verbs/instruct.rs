//! Texts and classes as questions and answers for a language model.

use std::io::Write;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, say};
use crate::data::Role;
use crate::job::Progress;
use crate::operate::{InstructOf, Means, Operation};

/// The command.
pub const VERB: Verb = Verb {
    name: "instruct",
    summary: "make questions and answers of texts and their classes, for a language model that is taught elsewhere",
    usage: "PATH [--label COL] [--text COL] [--instruction TEXT]",
    example: "lapidary instruct tickets.csv --label category && lapidary export tickets.csv --for llamafactory -o out",
    options: &[
        &[
            ("--label", Some("COL"), "the column whose classes are the answers (the one with the role label)"),
            ("--text", Some("COL"), "the column that is asked about (those with the role text)"),
            ("--instruction", Some("TEXT"), "what stands before the classes and the text, in the place of the usual words"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| run(arguments, err).map(|()| false),
};

fn run(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let mut workspace = open(arguments)?;
    if arguments.has("--no-project") {
        return Err("an edit needs the project; leave --no-project out".to_owned());
    }
    let dataset = workspace.dataset();
    let by_role = || dataset.with_role(Role::is_label).map(|field| dataset.fields()[field].name.to_string());
    let label = arguments.get("--label").map(ToOwned::to_owned).or_else(by_role);
    let asked = InstructOf {
        label: label.ok_or("which column has the answers? name it with --label")?,
        text: arguments.get("--text").map(ToOwned::to_owned),
        instruction: arguments.get("--instruction").unwrap_or_default().to_owned(),
    };
    let planned = Operation::Instruct(asked).plan(dataset, &Means::default(), &Progress::silent()).map_err(say)?;
    planned.notes.iter().for_each(|text| note(err, text));
    if let Some(edit) = planned.edit {
        workspace.edit(&edit).map_err(say)?;
        note(err, &edit.words);
    }
    Ok(())
}
