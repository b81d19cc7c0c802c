//! Samples left out of everything, or kept as they are: by their rows, or as findings name them.

use std::collections::BTreeSet;
use std::io::Write;

use super::Verb;
use crate::checks::{CheckEntry, CheckInput, FindingKind, Options};
use crate::cli::arguments::{Arguments, rows};
use crate::cli::opened::open;
use crate::cli::options::{OptionLine, READING};
use crate::cli::said::{Done, note, say};
use crate::data::SampleId;
use crate::job::Progress;
use crate::operate::{Means, Operation};
use crate::session::Workspace;

const OPTIONS: [OptionLine; 2] = [
    ("--rows", Some("A,B,C-D"), "samples, numbered from 0 in file order"),
    (
        "--finding",
        Some("KIND,…"),
        "those of every finding of these kinds (check --list names them); of copies all but the one that stays",
    ),
];

/// Leaves samples out.
pub const EXCLUDE: Verb = Verb {
    name: "exclude",
    summary: "leave samples out of everything that is made of the dataset; an edit of its project",
    usage: "PATH --rows A,B-C | --finding KIND,…",
    example: "lapidary exclude tickets.csv --finding same_text,gibberish",
    options: &[&OPTIONS, &READING],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| mark(arguments, err, true).map(|()| false),
};

/// Keeps samples as they are.
pub const KEEP: Verb = Verb {
    name: "keep",
    summary: "keep samples as they are: mark them reviewed, and take back in what was excluded",
    usage: "PATH --rows A,B-C | --finding KIND,…",
    example: "lapidary keep tickets.csv --rows 3,17",
    options: &[&OPTIONS, &READING],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| mark(arguments, err, false).map(|()| false),
};

fn mark(arguments: &Arguments, err: &mut dyn Write, exclude: bool) -> Done {
    if arguments.has("--no-project") {
        return Err("an edit needs the project; leave --no-project out".to_owned());
    }
    let mut workspace = open(arguments)?;
    let samples = match (arguments.get("--rows"), arguments.get("--finding")) {
        (Some(list), None) => rows(list)?.into_iter().map(SampleId).collect(),
        (None, Some(kinds)) => found(&workspace, kinds)?,
        _ => return Err("name the samples, by --rows or by --finding".to_owned()),
    };
    let operations = if exclude {
        vec![Operation::Exclude { samples, on: true }]
    } else {
        let back = samples.iter().copied().filter(|id| workspace.dataset().is_excluded(*id)).collect();
        vec![Operation::Exclude { samples: back, on: false }, Operation::Review { samples, on: true }]
    };
    let mut any = false;
    for operation in operations {
        let planned = operation.plan(workspace.dataset(), &Means::default(), &Progress::silent()).map_err(say)?;
        if let Some(edit) = planned.edit {
            workspace.edit(&edit).map_err(say)?;
            note(err, &edit.words);
            any = true;
        }
    }
    if !any {
        note(err, "nothing to do");
    }
    Ok(())
}

/// The samples that findings of these kinds ask to be decided on.
fn found(workspace: &Workspace, kinds: &str) -> Result<Vec<SampleId>, String> {
    let named = |name: &str| {
        FindingKind::from_name(name)
            .ok_or_else(|| format!("there is no kind of finding called {name:?}; check --list names them"))
    };
    let kinds = kinds.split(',').map(named).collect::<Result<Vec<_>, _>>()?;
    let dataset = workspace.dataset();
    let input = CheckInput { dataset, scan: None, store: workspace.derived() };
    let checks: BTreeSet<&str> = kinds.iter().map(|kind| kind.check().entry().name).collect();
    let mut samples = BTreeSet::new();
    // A leak is found by both of the checks of duplicates.
    let also = if kinds.contains(&FindingKind::Leak) { Some("duplicates") } else { None };
    for name in checks.into_iter().chain(also) {
        let Some(entry) = CheckEntry::from_name(name) else { continue };
        let run = entry
            .run
            .filter(|_| !entry.of_images)
            .ok_or_else(|| format!("{name} is worked through in the window, or by --rows"))?;
        let list = run(&input, &Options::default(), &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
        samples.extend(
            list.iter().filter(|finding| kinds.contains(&finding.kind)).flat_map(|finding| finding.decided().iter().copied()),
        );
    }
    Ok(samples.into_iter().collect())
}
