//! Another class for samples.

use std::io::Write;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::arguments::rows;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, say};
use crate::data::SampleId;
use crate::edit::EditError;
use crate::job::Progress;
use crate::operate::{Means, Operation};

/// The command.
pub const VERB: Verb = Verb {
    name: "relabel",
    summary: "give samples another class, or a cell another text",
    usage: "PATH --rows 3,17 --column COL --to CLASS",
    example: "lapidary relabel tickets.csv --rows 3,17 --column category --to card_arrival",
    options: &[
        &[
            ("--rows", Some("A,B,C-D"), "samples, numbered from 0 in file order"),
            ("--column", Some("COL"), "the column"),
            ("--to", Some("TEXT"), "the new class or text"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| relabel(arguments, err).map(|()| false),
};

fn relabel(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let rows = rows(arguments.need("--rows")?)?;
    let (column, to) = (arguments.need("--column")?, arguments.need("--to")?);
    if arguments.has("--no-project") {
        return Err("an edit needs the project; leave --no-project out".to_owned());
    }
    let mut workspace = open(arguments)?;
    if workspace.dataset().field(column).is_none() {
        return Err(say(EditError::Column(column.to_owned())));
    }
    let samples = rows.into_iter().map(SampleId).collect();
    let operation = Operation::SetCells { samples, column: column.to_owned(), text: to.to_owned(), review: false };
    let planned = operation.plan(workspace.dataset(), &Means::default(), &Progress::silent()).map_err(say)?;
    let Some(edit) = planned.edit else {
        note(err, &format!("nothing to do: these samples have {column} {to:?} already"));
        return Ok(());
    };
    workspace.edit(&edit).map_err(say)?;
    let (project, elsewhere) = workspace.project();
    note(err, &edit.words);
    if elsewhere {
        note(err, &format!("the dataset's folder cannot be written: the project is {}", project.display()));
    }
    Ok(())
}
