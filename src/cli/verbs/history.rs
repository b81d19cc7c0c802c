//! Every edit, and where we are among them.

use std::io::Write;

use serde_json::{Value, json};

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, print, print_json};

/// The command.
pub const VERB: Verb = Verb {
    name: "history",
    summary: "list every edit, and where we are among them",
    usage: "PATH [--json]",
    example: "lapidary history tickets.csv --json",
    options: &[&[("--json", None, "print JSON")], &READING],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, out, _| history(arguments, out).map(|()| false),
};

fn history(arguments: &Arguments, out: &mut dyn Write) -> Done {
    let workspace = open(arguments)?;
    let history = workspace.history();
    let line = history.line(history.head());
    if arguments.has("--json") {
        let edits: Vec<Value> = history
            .nodes()
            .iter()
            .map(|node| {
                json!({"id": node.id, "parent": node.parent, "time": node.at, "words": node.words, "samples": node.count, "applied": line.contains(&node.id)})
            })
            .collect();
        return print_json(out, &json!({ "head": history.head(), "edits": edits }));
    }
    let mut text = String::new();
    for node in history.nodes() {
        let mark = if line.contains(&node.id) { "*" } else { " " };
        text.push_str(&format!("{mark} {:>4}  {}\n", node.id, node.words));
    }
    print(out, &text)
}
