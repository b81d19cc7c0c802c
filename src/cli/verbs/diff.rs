//! Two versions of a dataset beside each other.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open_version;
use crate::cli::options::READING;
use crate::cli::said::{note, print, print_json, say};
use crate::collect::{Difference, RowKey, difference, key_of};
use crate::data::{Dataset, SampleId};
use crate::job::Progress;

/// The command.
pub const VERB: Verb = Verb {
    name: "diff",
    summary: "say what differs between two versions of a dataset, row by row and cell by cell: files, or files with their projects; ends with 1 where something does",
    usage: "A B [--key COL[,COL]] [--json]",
    example: "lapidary diff tickets-may.csv tickets-june.csv --key id",
    options: &[
        &[
            (
                "--key",
                Some("COLS"),
                "pair rows by the cells of these columns; usually by an id that both have, each once, else by what rows say",
            ),
            ("--content", None, "pair rows by what they say, though there is an id"),
            ("--most", Some("N"), "show so many of each (20)"),
            ("--json", None, "print JSON, all of it"),
        ],
        &READING,
    ],
    paths: &["the first version", "the second"],
    also: None,
    more: None,
    run,
};

/// How rows are paired, as asked for.
pub fn asked_key(arguments: &Arguments, a: &Dataset, b: &Dataset) -> RowKey {
    match arguments.get("--key") {
        Some(names) => RowKey::Columns(names.split(',').map(|name| name.trim().to_owned()).collect()),
        None if arguments.has("--content") => RowKey::Content,
        None => key_of(a, b),
    }
}

/// What a row is called: its key, else its text.
pub fn name_of(dataset: &Dataset, key: &RowKey, id: SampleId) -> String {
    let cell = |name: &str| dataset.field(name).and_then(|field| dataset.text(field, id)).unwrap_or_default().into_owned();
    match key {
        RowKey::Columns(names) => names.iter().map(|name| cell(name)).collect::<Vec<_>>().join(" "),
        RowKey::Content => {
            let cells: Vec<String> = (0..dataset.fields().len())
                .filter_map(|field| dataset.text(field, id).map(std::borrow::Cow::into_owned))
                .collect();
            cells.join(" · ").split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect()
        }
    }
}

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let first = arguments.before.first().map_or(Path::new(""), |path| path.as_path());
    let (a, b) = (open_version(first, arguments)?, open_version(&arguments.path, arguments)?);
    let key = asked_key(arguments, &a, &b);
    let found = difference(&a, &b, &key, &Progress::silent()).map_err(say)?;
    if found.rows.doubled > 0 {
        note(
            err,
            &format!(
                "{} rows share their key with another: those that say the same are paired first, the others in order",
                found.rows.doubled
            ),
        );
    }
    if arguments.has("--json") {
        print_json(out, &as_json((&a, &b), &key, &found))?;
    } else {
        let most = arguments.number("--most")?.unwrap_or(20);
        print(out, &as_text((&a, &b), &key, &found, most))?;
    }
    Ok(!found.is_none())
}

fn as_json((a, b): (&Dataset, &Dataset), key: &RowKey, found: &Difference) -> Value {
    let cells = |dataset: &Dataset, id: SampleId| -> Value {
        let cell = |at: usize| Some((dataset.fields()[at].name.to_string(), json!(dataset.text(at, id)?)));
        Value::Object((0..dataset.fields().len()).filter_map(cell).collect::<Map<_, _>>())
    };
    let rows = |dataset: &Dataset, list: &[SampleId]| -> Vec<Value> {
        list.iter()
            .map(|id| json!({ "row": id.row(), "name": name_of(dataset, key, *id), "cells": cells(dataset, *id) }))
            .collect()
    };
    let mut changed: BTreeMap<(SampleId, SampleId), Map<String, Value>> = BTreeMap::new();
    for change in &found.changes {
        changed.entry(change.rows).or_default().insert(change.column.clone(), json!([change.before, change.after]));
    }
    let changed: Vec<Value> = changed
        .into_iter()
        .map(|((one, other), cells)| json!({ "rows": [one.row(), other.row()], "name": name_of(a, key, one), "cells": cells }))
        .collect();
    let by = match key {
        RowKey::Columns(names) => json!(names),
        RowKey::Content => Value::Null,
    };
    json!({
        "words": found.words(), "key": by, "paired": found.rows.pairs.len(), "paired_by": {
            "key": found.rows.by[0], "content": found.rows.by[1], "text": found.rows.by[2], "nearly": found.rows.by[3],
        },
        "added": rows(b, &found.rows.added), "removed": rows(a, &found.rows.removed), "changed": changed,
        "columns_added": found.columns_added, "columns_removed": found.columns_removed, "renamed": found.renamed,
        "columns_moved": found.columns_moved, "moved": found.moved,
        "first_moved": found.first_moved.map(|(one, other)| json!([name_of(b, key, one), name_of(b, key, other)])),
    })
}

fn as_text((a, b): (&Dataset, &Dataset), key: &RowKey, found: &Difference, most: usize) -> String {
    let mut text = format!("{}\n", found.words());
    if let Some((one, other)) = found.first_moved {
        text.push_str(&format!("  order differs: {} before {}\n", name_of(b, key, one), name_of(b, key, other)));
    }
    for (from, to) in &found.renamed {
        text.push_str(&format!("  {from} says what {to} says: renamed?\n"));
    }
    let mut list = |sign: &str, dataset: &Dataset, rows: &[SampleId]| {
        for id in rows.iter().take(most) {
            text.push_str(&format!("  {sign} {}\n", name_of(dataset, &RowKey::Content, *id)));
        }
        if rows.len() > most {
            text.push_str(&format!("  {sign} … and {} more\n", rows.len() - most));
        }
    };
    list("+", b, &found.rows.added);
    list("-", a, &found.rows.removed);
    for change in found.changes.iter().take(most) {
        let short = |cell: &Option<String>| -> String { cell.as_deref().unwrap_or("(nothing)").chars().take(80).collect() };
        let name = name_of(a, key, change.rows.0);
        text.push_str(&format!("  ~ {name}: {}: {} → {}\n", change.column, short(&change.before), short(&change.after)));
    }
    if found.changes.len() > most {
        text.push_str(&format!("  ~ … and {} more cells\n", found.changes.len() - most));
    }
    text
}
