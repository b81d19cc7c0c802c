//! Three versions of a dataset made one.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::Verb;
use super::diff::{asked_key, name_of};
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open_version;
use crate::cli::options::{OUT, READING, SAFE};
use crate::cli::said::{note, print, print_json, say};
use crate::cli::saved::save;
use crate::collect::{MergeConflict, MergePlan, MergeSide, RowKey, merge};
use crate::data::{Dataset, SampleId, things};
use crate::edit::Direction;
use crate::io::taken_base;
use crate::job::Progress;
use crate::operate::merge_edit;

/// The command.
pub const VERB: Verb = Verb {
    name: "merge",
    summary: "merge what two people did to one dataset, cell by cell: what one changed wins, what both changed otherwise is a conflict, which holds the save back",
    usage: "BASE OURS THEIRS -o OUT [--key COL[,COL]] [--ours|--theirs] [--json]",
    example: "lapidary merge tickets.csv mine.csv yours.csv --key id -o merged.csv",
    options: &[
        &[
            OUT,
            (
                "--key",
                Some("COLS"),
                "pair rows by the cells of these columns; usually by an id that all have, each once, else by what rows say",
            ),
            ("--content", None, "pair rows by what they say, though there is an id"),
            ("--ours", None, "what is in conflict is as ours has it"),
            ("--theirs", None, "what is in conflict is as theirs has it"),
            ("--json", None, "print what was done and what is in conflict as JSON"),
            SAFE,
        ],
        &READING,
    ],
    paths: &["the base", "ours", "theirs"],
    also: None,
    more: None,
    run,
};

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let side = match (arguments.has("--ours"), arguments.has("--theirs")) {
        (true, true) => return Err("--ours or --theirs, and not both".to_owned()),
        (true, false) => Some(MergeSide::Ours),
        (false, true) => Some(MergeSide::Theirs),
        (false, false) => None,
    };
    let at = |place: usize| arguments.before.get(place).map_or(Path::new(""), |path| path.as_path());
    let base = open_version(at(0), arguments)?;
    let ours = open_version(at(1), arguments)?;
    let theirs = open_version(&arguments.path, arguments)?;
    // A key is one only if it is one of all three.
    let key = match asked_key(arguments, &base, &ours) {
        RowKey::Columns(names)
            if arguments.has("--key") || asked_key(arguments, &base, &theirs) == RowKey::Columns(names.clone()) =>
        {
            RowKey::Columns(names)
        }
        _ => RowKey::Content,
    };
    let progress = Progress::silent();
    let plan = merge((&base, &ours, &theirs), &key, side, &progress).map_err(say)?;
    if plan.doubled > 0 {
        let n = things(plan.doubled, "row shares its", "rows share their");
        note(
            err,
            &format!(
                "{n} key with another: those that say the same are paired first, the others in order; name a key that is one"
            ),
        );
    }
    if key == RowKey::Content && plan.neither > 0 && !plan.added.is_empty() {
        let n = things(plan.neither, "row of the base is", "rows of the base are");
        note(
            err,
            &format!("{n} in neither version: where both changed one otherwise, it stands there twice; a key (--key) tells"),
        );
    }
    let versions = (&base, &ours, &theirs);
    if arguments.has("--json") {
        print_json(out, &as_json(versions, &key, &plan))?;
    } else {
        let lines: String = plan.conflicts.iter().map(|conflict| line(versions, &key, conflict)).collect();
        print(out, &format!("{}\n{lines}", plan.words()))?;
    }
    if !plan.conflicts.is_empty() {
        let n = things(plan.conflicts.len(), "conflict", "conflicts");
        note(err, &format!("{n}, and nothing was saved: settle them with --ours or --theirs, or in one of the files"));
        return Ok(true);
    }
    if arguments.get("-o").is_none() {
        note(err, "nothing was saved: name a file with -o");
        return Ok(false);
    }
    let mut merged = ours.clone();
    if let Some(edit) = merge_edit(&ours, &theirs, &plan, &progress).map_err(say)? {
        for part in edit.parts() {
            if let Some(taken) = part.taken.as_deref() {
                merged.know(part.key(), taken_base(taken, &progress).map_err(say)?);
            }
        }
        edit.apply(&mut merged, Direction::Forward);
    }
    save(arguments, &merged, err)?;
    Ok(false)
}

/// What a row in conflict is called.
fn called((base, ours, theirs): (&Dataset, &Dataset, &Dataset), key: &RowKey, conflict: &MergeConflict) -> String {
    let of = [(base, conflict.base), (ours, conflict.ours), (theirs, conflict.theirs)];
    of.into_iter().find_map(|(dataset, id)| id.map(|id| name_of(dataset, key, id))).unwrap_or_default()
}

fn line(versions: (&Dataset, &Dataset, &Dataset), key: &RowKey, conflict: &MergeConflict) -> String {
    let name = called(versions, key, conflict);
    let short = |cell: &Option<String>| -> String { cell.as_deref().unwrap_or("(nothing)").chars().take(80).collect() };
    match (&conflict.column, conflict.ours) {
        (Some(column), _) => {
            let [base, ours, theirs] = &conflict.cells;
            format!("  ! {name}: {column}: was {}, ours {}, theirs {}\n", short(base), short(ours), short(theirs))
        }
        (None, Some(_)) => format!("  ! {name}: theirs removed it, and ours changed it\n"),
        (None, None) => format!("  ! {name}: ours removed it, and theirs changed it\n"),
    }
}

fn as_json(versions: (&Dataset, &Dataset, &Dataset), key: &RowKey, plan: &MergePlan) -> Value {
    let row = |id: Option<SampleId>| id.map(SampleId::row);
    let conflicts: Vec<Value> = plan
        .conflicts
        .iter()
        .map(|one| {
            json!({
                "name": called(versions, key, one), "rows": [row(one.base), row(one.ours), row(one.theirs)], "column": one.column,
                "base": one.cells[0], "ours": one.cells[1], "theirs": one.cells[2],
            })
        })
        .collect();
    json!({
        "words": plan.words(), "cells": plan.cells.len(), "added": plan.added.len(), "removed": plan.removed.len(),
        "columns_added": plan.columns, "columns_removed": plan.columns_removed, "conflicts": conflicts,
    })
}
