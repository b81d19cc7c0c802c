//! A column made out of others.

use std::io::Write;

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{note, print, say};
use crate::data::SampleId;
use crate::job::Progress;
use crate::operate::{ColumnOf, Means, Operation, column_preview};
use crate::transform::FUNCTIONS;

/// The command.
pub const VERB: Verb = Verb {
    name: "column",
    summary: "make a column out of others by a small expression, or write one over; an edit like any other",
    usage: "PATH --name COL --is EXPRESSION",
    example: "lapidary column tickets.csv --name short --is 'if(words(text) < 4, \"yes\", \"no\")'",
    options: &[
        &[
            ("--name", Some("COL"), "what the column is called"),
            ("--is", Some("EXPRESSION"), "what its cells say"),
            ("--show", Some("N"), "only show what comes out of the first N samples"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: Some(functions),
    run,
};

fn functions() -> String {
    let mut text = "\nNames are columns ([in brackets] where they hold blanks), texts stand in quotes; + - * / %, & puts texts together,\n= <> < <= > >=, and, or, not. Nothing of nothing is nothing. Functions:\n".to_owned();
    for function in &FUNCTIONS {
        text.push_str(&format!("  {:<34} {}\n", function.usage, function.help));
    }
    text
}

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let formula = arguments.need("--is")?;
    let mut workspace = open(arguments)?;
    if let Some(n) = arguments.number::<usize>("--show")? {
        let ids: Vec<SampleId> = workspace.dataset().source_samples().take(n).collect();
        for (id, value) in ids.iter().zip(column_preview(workspace.dataset(), formula, &ids)?) {
            let words = match value {
                Ok(text) => text.unwrap_or_default(),
                Err(why) => format!("! {why}"),
            };
            print(out, &format!("{}\t{}\n", id.0, words.replace(['\n', '\t'], " ")))?;
        }
        return Ok(false);
    }
    let operation = Operation::Column(ColumnOf { into: arguments.need("--name")?.to_owned(), formula: formula.to_owned() });
    let planned = operation.plan(workspace.dataset(), &Means::default(), &Progress::silent()).map_err(say)?;
    planned.notes.iter().for_each(|words| note(err, words));
    match planned.edit {
        Some(edit) => {
            workspace.edit(&edit).map_err(say)?;
            note(err, &edit.words);
        }
        None => note(err, "nothing to change"),
    }
    Ok(false)
}
