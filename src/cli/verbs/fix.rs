//! Texts repaired, where that is safe.

use std::io::Write;

use serde_json::json;

use super::{Verb, dryrun};
use crate::cli::Failure;
use crate::cli::arguments::{Arguments, rows};
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print_json, say};
use crate::data::{Role, SampleId};
use crate::eye::TrainerTarget;
use crate::job::Progress;
use crate::operate::{Means, Operation};
use crate::trainers::repair::ChatRepair;
use crate::writing::Repair;

/// The command.
pub const VERB: Verb = Verb {
    name: "fix",
    summary: "repair the texts of a dataset; an edit of its project, undone like any other",
    usage: "PATH (--repair NAME,… | --split-for TRAINER) [--column COL] [--rows A,B-C] [--dry]",
    example: "lapidary fix chats.jsonl --repair mojibake,roles,cut-end",
    options: &[
        &[
            ("--repair", Some("NAME,…"), "what to repair, of those below"),
            (
                "--split-for",
                Some("TRAINER"),
                "cut chats that are too long for a trainer, as dryrun takes it, before a question; further parts are new samples",
            ),
            ("--model", Some("NAME|DIR"), "with --split-for: a built-in model or a model's folder, as dryrun takes it"),
            ("--length", Some("N"), "with --split-for: the most tokens of a chat"),
            ("--column", Some("COL"), "the column (every one that holds texts or chats)"),
            ("--rows", Some("A,B,C-D"), "these samples only, numbered from 0 in file order"),
            ("--dry", None, "say what would change, and change nothing"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: Some(repairs),
    run: |arguments, out, err| fix(arguments, out, err).map(|()| false),
};

fn repairs() -> String {
    let mut text = "\nRepairs of texts:\n".to_owned();
    Repair::ALL.iter().for_each(|repair| text.push_str(&format!("  {:<16} {}\n", repair.name(), repair.help())));
    text.push_str("\nRepairs of chats, for a trainer:\n");
    ChatRepair::ALL.iter().for_each(|repair| text.push_str(&format!("  {:<16} {}\n", repair.name(), repair.help())));
    text
}

/// What is asked for.
enum Fix {
    Text(Repair),
    Chat(ChatRepair),
    Split(Box<TrainerTarget>),
}

impl Fix {
    fn name(&self) -> &'static str {
        match self {
            Self::Text(repair) => repair.name(),
            Self::Chat(repair) => repair.name(),
            Self::Split(_) => "split",
        }
    }

    /// Whether it is for a column of this role, where none was named.
    fn is_for(&self, role: Role) -> bool {
        role == Role::Messages || matches!(self, Self::Text(_)) && role == Role::Text
    }

    fn of(&self, samples: Vec<SampleId>, column: String) -> Operation {
        match self {
            Self::Text(repair) => Operation::Repair { samples, column, repair: *repair },
            Self::Chat(repair) => Operation::RepairChats { samples, column, repair: *repair },
            Self::Split(target) => Operation::SplitChats { samples, column, target: target.clone() },
        }
    }
}

fn wanted(arguments: &Arguments) -> Result<Vec<Fix>, Failure> {
    let known = || {
        let names: Vec<&str> =
            Repair::ALL.iter().map(|one| one.name()).chain(ChatRepair::ALL.iter().map(|one| one.name())).collect();
        names.join(", ")
    };
    let named = |name: &str| {
        let text = Repair::from_name(name).map(Fix::Text);
        text.or_else(|| ChatRepair::from_name(name).map(Fix::Chat))
            .ok_or_else(|| format!("there is no repair called {name:?}; there are: {}", known()))
    };
    if arguments.get("--split-for").is_some() {
        if arguments.get("--repair").is_some() {
            return Err("--repair and --split-for are two edits: ask for one after the other".to_owned());
        }
        return Ok(vec![Fix::Split(Box::new(dryrun::target(arguments, "--split-for")?))]);
    }
    arguments.need("--repair")?.split(',').map(named).collect()
}

fn fix(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let wanted = wanted(arguments)?;
    let dry = arguments.has("--dry");
    if arguments.has("--no-project") && !dry {
        return Err("an edit needs the project; leave --no-project out, or look with --dry".to_owned());
    }
    let some: Option<Vec<SampleId>> = match arguments.get("--rows") {
        Some(list) => Some(rows(list)?.into_iter().map(SampleId).collect()),
        None => None,
    };
    let mut workspace = open(arguments)?;
    let mut done = Vec::new();
    for one in wanted {
        let fields = workspace.dataset().fields();
        let columns: Vec<String> = match arguments.get("--column") {
            Some(column) => vec![column.to_owned()],
            None => fields.iter().filter(|field| one.is_for(field.role)).map(|field| field.name.to_string()).collect(),
        };
        if columns.is_empty() {
            let what = if matches!(one, Fix::Text(_)) { "texts" } else { "chats" };
            return Err(format!("there is no column of {what}: name one with --column"));
        }
        for column in columns {
            let dataset = workspace.dataset();
            let samples = some.clone().unwrap_or_else(|| dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect());
            let operation = one.of(samples, column.clone());
            let planned = operation.plan(dataset, &Means::default(), &Progress::silent()).map_err(say)?;
            planned.notes.iter().for_each(|text| note(err, text));
            let Some(edit) = planned.edit else { continue };
            let n = edit.changes.iter().map(|change| change.samples.len()).max().unwrap_or(0);
            done.push(json!({ "repair": one.name(), "column": column, "samples": n }));
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
