//! Texts repaired, where that is safe.

use std::io::Write;

use serde_json::json;

use super::Verb;
use crate::cli::arguments::{Arguments, rows};
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print_json, say};
use crate::data::{Role, SampleId};
use crate::job::Progress;
use crate::operate::{Means, Operation};
use crate::writing::Repair;

/// The command.
pub const VERB: Verb = Verb {
    name: "fix",
    summary: "repair the texts of a dataset; an edit of its project, undone like any other",
    usage: "PATH --repair NAME,… [--column COL] [--rows A,B-C] [--dry]",
    example: "lapidary fix tickets.csv --repair mojibake,entities,blanks",
    options: &[
        &[
            ("--repair", Some("NAME,…"), "what to repair, of those below"),
            ("--column", Some("COL"), "the column (every one that holds texts or chats)"),
            ("--rows", Some("A,B,C-D"), "these samples only, numbered from 0 in file order"),
            ("--dry", None, "say what would change, and change nothing"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    takes_recipe: false,
    also: None,
    more: Some(repairs),
    run: |arguments, out, err| fix(arguments, out, err).map(|()| false),
};

fn repairs() -> String {
    let mut text = "\nRepairs:\n".to_owned();
    Repair::ALL.iter().for_each(|repair| text.push_str(&format!("  {:<16} {}\n", repair.name(), repair.help())));
    text
}

fn fix(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let known = || Repair::ALL.map(Repair::name).join(", ");
    let named =
        |name: &str| Repair::from_name(name).ok_or_else(|| format!("there is no repair called {name:?}; there are: {}", known()));
    let wanted = arguments.need("--repair")?.split(',').map(named).collect::<Result<Vec<_>, _>>()?;
    let dry = arguments.has("--dry");
    if arguments.has("--no-project") && !dry {
        return Err("an edit needs the project; leave --no-project out, or look with --dry".to_owned());
    }
    let some: Option<Vec<SampleId>> = match arguments.get("--rows") {
        Some(list) => Some(rows(list)?.into_iter().map(SampleId).collect()),
        None => None,
    };
    let mut workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let columns: Vec<String> = match arguments.get("--column") {
        Some(column) => vec![column.to_owned()],
        None => dataset
            .fields()
            .iter()
            .filter(|field| matches!(field.role, Role::Text | Role::Messages))
            .map(|field| field.name.to_string())
            .collect(),
    };
    if columns.is_empty() {
        return Err("there is no column of texts: name one with --column".to_owned());
    }
    let mut done = Vec::new();
    for repair in wanted {
        for column in &columns {
            let dataset = workspace.dataset();
            let samples = some.clone().unwrap_or_else(|| dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect());
            let operation = Operation::Repair { samples, column: column.clone(), repair };
            let planned = operation.plan(dataset, &Means::default(), &Progress::silent()).map_err(say)?;
            planned.notes.iter().for_each(|text| note(err, text));
            let Some(edit) = planned.edit else { continue };
            let n = edit.changes.iter().map(|change| change.samples.len()).max().unwrap_or(0);
            done.push(json!({ "repair": repair.name(), "column": column, "samples": n }));
            if !dry {
                workspace.edit(&edit).map_err(say)?;
            }
            note(err, &edit.words);
        }
    }
    if done.is_empty() {
        note(err, "there is nothing to repair");
    }
    if arguments.has("--json") {
        return print_json(out, &json!({ "repaired": done, "dry": dry }));
    }
    Ok(())
}
