//! What is in a dataset.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print, print_json};
use crate::data::{count_samples, things};
use crate::io;
use crate::job::Progress;

/// The command.
pub const VERB: Verb = Verb {
    name: "info",
    summary: "say what is in a dataset: rows, columns, classes, encoding, warnings",
    usage: "PATH [--json]",
    example: "lapidary info tickets.csv --json",
    options: &[&[("--json", None, "print JSON")], &READING],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, out, err| info(arguments, out, err).map(|()| false),
};

fn info(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let mut workspace = open(arguments)?;
    workspace.mended().into_iter().chain(workspace.renewed()).for_each(|words| note(err, words));
    workspace.read_classes(&Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    let dataset = workspace.dataset();
    let mut classes = Map::new();
    for field in dataset.fields() {
        if let Some(index) = workspace.classes(&field.name) {
            let counts = index.names().iter().zip(index.counts()).filter(|(_, count)| **count > 0);
            classes.insert(
                field.name.to_string(),
                counts.map(|(name, count)| (name.to_string(), json!(count))).collect::<Map<_, _>>().into(),
            );
        }
    }
    let origin = &dataset.base.origin;
    let aside = dataset.base.raw.as_ref().is_some_and(|raw| raw.aside);
    let title = origin.layout.map_or(origin.format.title(), io::layout_title);
    if arguments.has("--json") {
        let sources: Vec<Value> = dataset
            .base
            .sources
            .iter()
            .map(|source| json!({"id": source.id, "read": source.read, "rows": source.rows}))
            .collect();
        let columns: Vec<Value> = dataset
            .fields()
            .iter()
            .map(|field| json!({"name": *field.name, "type": field.kind.name(), "role": field.role.to_string()}))
            .collect();
        let warnings: Vec<Value> =
            dataset.base.warnings.iter().map(|warning| json!({"line": warning.line, "reason": warning.reason})).collect();
        return print_json(
            out,
            &json!({
                "rows": dataset.rows(), "columns": columns, "classes": classes, "encoding": origin.encoding, "aside": aside, "warnings": warnings,
                "format": origin.format.title(), "layout": origin.layout, "sources": sources, "excluded": dataset.excluded().len(), "edits": workspace.history().depth(),
            }),
        );
    }
    let laid = if aside { ", on disk while it is open: it is more than half of what a dataset may take in memory" } else { "" };
    let mut text = format!("{}, {}, {}{laid}\n", count_samples(dataset.rows()), title, origin.encoding);
    for source in &dataset.base.sources {
        text.push_str(&format!("  from {}: {}\n", source.id, count_samples(source.rows)));
    }
    for field in dataset.fields() {
        text.push_str(&format!("  {:<24} {:<8} {}\n", field.name, field.kind.name(), field.role));
    }
    for (column, counts) in &classes {
        let counts = counts.as_object().map(Map::len).unwrap_or_default();
        text.push_str(&format!("{column}: {}\n", things(counts, "class", "classes")));
    }
    for warning in &dataset.base.warnings {
        let line = if warning.line > 0 { format!("line {}: ", warning.line) } else { String::new() };
        text.push_str(&format!("{line}{}\n", warning.reason));
    }
    print(out, &text)
}
