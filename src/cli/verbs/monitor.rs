//! Batches of new data: whether they are what the dataset is, how good the model is on them, and which of their rows are worth a label.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::Verb;
use super::monitor_said::{LookedBatch, as_json, as_text};
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::{open, read};
use crate::cli::options::READING;
use crate::cli::said::{note, print, print_json, say};
use crate::cli::verbs::train::chosen;
use crate::data::{Dataset, SampleId};
use crate::io::{Reading, write_beside};
use crate::job::Progress;
use crate::monitor::{Against, BatchRows, KeptSlice, LogColumns, LogCut, TO_LABEL, WatchedBatch, WorthReason, taken_rows};
use crate::operate::{BatchLook, LookBy, Means, Operation, RunSaid, choose_rows, look_at, run_said, watch_page};
use crate::session::{CutBatch, NamedRun, Workspace, log_batches, log_of, path_in, rows_of};

/// The command.
pub const VERB: Verb = Verb {
    name: "monitor",
    summary: "say whether a batch of new data is what the dataset is, column by column, how good the model is on it and where it is worst; take the rows over that are worth a label",
    usage: "PATH [--batch FILE] [--by day|week|COL] [--watch] [--take N] [--admit PART] [--report FILE] [--fail-on moved|worse] [--json]",
    example: "lapidary monitor tickets.csv --batch yesterday.jsonl --fail-on moved",
    options: &[
        &[
            ("--batch", Some("FILE"), "the new data, in any format that opens; without it, the batches that the project watches"),
            ("--by", Some("WHAT"), "cut it into batches: `day`, `week` (both UTC), or a column"),
            (
                "--is",
                Some("MEANING=COL"),
                "what a column is: id, time, text, prediction, probability, truth; nothing behind = for none",
            ),
            ("--run", Some("NAME"), "the run that is asked where the log does not say what the model said (the last)"),
            (
                "--against",
                Some("WHAT"),
                "`train` (usual): the train part where a column says parts; `all`: every sample; or a batch that is watched",
            ),
            ("--watch", None, "keep the batches with the project; undo takes them away"),
            (
                "--take",
                Some("N"),
                "take the N rows over that are most worth a label: samples with the tag `to label`, in no part",
            ),
            ("--why", Some("REASON"), "with --take: only for this reason (new, unsure, slice, unknown, wrong, torn, disagree)"),
            (
                "--admit",
                Some("PART"),
                "put the samples that were taken over and have a label into this part; never a frozen test part",
            ),
            ("--report", Some("FILE"), "write a page: .html, or .md"),
            (
                "--fail-on",
                Some("WHAT"),
                "`moved`: end with 1 where a column moved; `worse`: where the model is worse than before; for a nightly job",
            ),
            ("--seed", Some("N"), "the seed of what chance does (42)"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run,
};

#[derive(Clone, Copy, PartialEq)]
enum FailOn {
    Nothing,
    Moved,
    Worse,
}

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let fails = match arguments.get("--fail-on") {
        None => FailOn::Nothing,
        Some("moved") => FailOn::Moved,
        Some("worse") => FailOn::Worse,
        Some(other) => return Err(format!("--fail-on takes moved or worse, and not {other:?}")),
    };
    let mut workspace = open(arguments)?;
    if let Some(part) = arguments.get("--admit") {
        return admit(&mut workspace, part, err).map(|()| false);
    }
    let shown = looked_at(&workspace, arguments, err)?;
    if arguments.has("--watch") {
        let batches = shown.iter().map(|one| one.batch.clone()).collect();
        edit(&mut workspace, &Operation::Watch { batches }, err)?;
    }
    if let Some(path) = arguments.get("--report") {
        let looks: Vec<(&str, &Dataset, &BatchLook)> =
            shown.iter().map(|one| (one.batch.name.as_str(), &one.log, &one.look)).collect();
        let markdown = Path::new(path).extension().is_some_and(|end| end.eq_ignore_ascii_case("md"));
        write_beside(workspace.dataset(), Path::new(path), &watch_page(workspace.dataset(), &looks, markdown)).map_err(say)?;
        note(err, &format!("{path}: what there is to say of {}", crate::data::things(shown.len(), "batch", "batches")));
    }
    for one in &shown {
        one.look.notes.iter().for_each(|text| note(err, text));
    }
    if let Some(many) = arguments.number::<usize>("--take")? {
        take(&mut workspace, arguments, &shown, many, (out, err))?;
    } else if arguments.has("--json") {
        let list: Vec<Value> = shown.iter().map(as_json).collect();
        let whole = if let [one] = list.as_slice() { one.clone() } else { json!({ "batches": list }) };
        print_json(out, &whole)?;
    } else {
        print(out, &shown.iter().map(|one| as_text(one, shown.len() > 1)).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(shown.iter().any(|one| match fails {
        FailOn::Nothing => false,
        FailOn::Moved => one.look.report.moved().next().is_some(),
        FailOn::Worse => one.look.performance.is_worse(),
    }))
}

/// What the columns of a log mean, as proposed, or as somebody says.
fn columns(dataset: &Dataset, log: &Dataset, arguments: &Arguments) -> Result<LogColumns, Failure> {
    let mut columns = LogColumns::proposed(dataset, log);
    for (meaning, column) in arguments.pairs("--is")? {
        let value = (!column.is_empty()).then(|| column.to_owned());
        if value.is_some() && log.field(column).is_none() {
            return Err(format!("the batch has no column called {column:?}"));
        }
        let place = match meaning {
            "id" => &mut columns.id,
            "time" => &mut columns.time,
            "text" => &mut columns.text,
            "prediction" => &mut columns.prediction,
            "probability" => &mut columns.probability,
            "truth" => &mut columns.truth,
            other => return Err(format!("--is {other:?} is none of id, time, text, prediction, probability, truth")),
        };
        *place = value;
    }
    Ok(columns)
}

/// The batches that are asked for, looked at one after the other.
fn looked_at(workspace: &Workspace, arguments: &Arguments, err: &mut dyn Write) -> Result<Vec<LookedBatch>, Failure> {
    let dataset = workspace.dataset();
    let against = match arguments.get("--against") {
        None | Some("train") => Against::Train,
        Some("all") => Against::All,
        Some(other) => {
            let all = WatchedBatch::all(dataset);
            if !all.iter().any(|batch| batch.name == other) {
                let names: Vec<String> = all.into_iter().map(|batch| batch.name).collect();
                let names =
                    if names.is_empty() { "no batch is watched".to_owned() } else { format!("watched are {}", names.join(", ")) };
                return Err(format!("--against takes train, all, or a batch that is watched, and not {other:?}: {names}"));
            }
            Against::Batch(other.to_owned())
        }
    };
    let before = before(dataset, &against)?;
    let slices = KeptSlice::all(dataset);
    let seed = arguments.number("--seed")?.unwrap_or(42);
    let kept = match arguments.get("--run") {
        Some(name) => Some(chosen(workspace, Some(name))?),
        None => workspace.runs().last(),
    };
    let mut logs: Vec<(Dataset, Vec<CutBatch>)> = Vec::new();
    match arguments.get("--batch") {
        Some(path) => {
            let log = read(Path::new(path), &Reading::default())?;
            let columns = columns(dataset, &log, arguments)?;
            let cut = match arguments.get("--by") {
                None => LogCut::Whole,
                Some("day") => LogCut::Day,
                Some("week") => LogCut::Week,
                Some(column) => LogCut::Column(column.to_owned()),
            };
            let (batches, notes) = log_batches(dataset, &log, &path_in(dataset, Path::new(path)), &columns, &cut).map_err(say)?;
            notes.iter().for_each(|text| note(err, text));
            logs.push((log, batches));
        }
        None => {
            let all = WatchedBatch::all(dataset);
            if all.is_empty() {
                return Err("which batch? name its file with --batch, or keep some with --watch first".to_owned());
            }
            for batch in all {
                // Batches of one log follow each other: it is read once.
                if let Some((log, list)) = logs.last_mut().filter(|(log, _)| log.base.origin.halves() == batch.fingerprint) {
                    list.push((batch.clone(), rows_of(log, &batch)?));
                    continue;
                }
                match log_of(dataset, &batch, &Progress::silent()) {
                    Ok(log) => {
                        let rows = rows_of(&log, &batch)?;
                        logs.push((log, vec![(batch, rows)]));
                    }
                    Err(why) => note(err, &format!("{}: {why}", batch.name)),
                }
            }
            if logs.is_empty() {
                return Err("no log of the batches that are watched can be read".to_owned());
            }
        }
    }
    let means = Means::default();
    let mut shown = Vec::new();
    for (log, batches) in logs {
        let said = asked(kept, &log, batches.first().map(|(batch, _)| &batch.columns), &means, err);
        for (batch, rows) in batches {
            let run = kept.zip(said.as_ref()).map(|(kept, said)| (kept.name.as_str(), &*kept.run, said));
            let by = LookBy {
                log: &log,
                columns: &batch.columns,
                rows: &rows,
                run,
                against: &against,
                before: before.as_ref().map(|(log, rows, columns)| BatchRows { dataset: log, rows, columns }),
                kept: &slices,
                cut: &batch.cut,
                seed,
            };
            let look = look_at(dataset, &by, &Progress::silent()).map_err(say)?;
            shown.push(LookedBatch { batch, log: log.clone(), look });
        }
    }
    Ok(shown)
}

/// The batch that others are held against, with its log.
fn before(dataset: &Dataset, against: &Against) -> Result<Option<(Dataset, Vec<SampleId>, LogColumns)>, Failure> {
    let Against::Batch(name) = against else { return Ok(None) };
    let Some(batch) = WatchedBatch::all(dataset).into_iter().find(|batch| batch.name == *name) else { return Ok(None) };
    let log = log_of(dataset, &batch, &Progress::silent())?;
    let rows = rows_of(&log, &batch)?;
    Ok(Some((log, rows, batch.columns)))
}

/// What a run says of a log, where one can be asked.
fn asked(
    kept: Option<&NamedRun>,
    log: &Dataset,
    columns: Option<&LogColumns>,
    means: &Means<'_>,
    err: &mut dyn Write,
) -> Option<RunSaid> {
    match run_said(log, columns?, &kept?.run, means, &Progress::silent()) {
        Ok(said) => Some(said),
        Err(why) => {
            note(err, &format!("{} was not asked: {why}", kept?.name));
            None
        }
    }
}

fn edit(workspace: &mut Workspace, operation: &Operation, err: &mut dyn Write) -> Result<bool, Failure> {
    let planned = operation.plan(workspace.dataset(), &Means::default(), &Progress::silent()).map_err(say)?;
    planned.notes.iter().for_each(|text| note(err, text));
    let Some(edit) = planned.edit else { return Ok(false) };
    workspace.edit(&edit).map_err(say)?;
    note(err, &edit.words);
    Ok(true)
}

/// Takes rows of the last batch over, and says which.
fn take(
    workspace: &mut Workspace,
    arguments: &Arguments,
    shown: &[LookedBatch],
    many: usize,
    (out, err): (&mut dyn Write, &mut dyn Write),
) -> Result<(), Failure> {
    let one = shown.last().ok_or("there is no batch to take rows of")?;
    let only: Vec<WorthReason> = match arguments.get("--why") {
        None => Vec::new(),
        Some(name) => {
            let found = WorthReason::ALL.into_iter().find(|reason| reason.name() == name);
            vec![found.ok_or_else(|| {
                let names: Vec<&str> = WorthReason::ALL.iter().map(|reason| reason.name()).collect();
                format!("--why {name:?} is none of {}", names.join(", "))
            })?]
        }
    };
    let (dataset, batch) = (workspace.dataset(), &one.batch);
    let of = (&one.log, &batch.columns, batch.fingerprint);
    let chosen = choose_rows(dataset, of, &one.look, (many, &only), &Progress::silent()).map_err(say)?;
    chosen.notes().iter().for_each(|text| note(err, text));
    if chosen.list.is_empty() {
        note(err, &format!("no row of {} is worth a label", batch.name));
        return if arguments.has("--json") { print_json(out, &json!({ "batch": batch.name, "taken": [] })) } else { Ok(()) };
    }
    let rows: Vec<(SampleId, String)> = chosen.list.iter().map(|row| (row.id, row.why())).collect();
    let from = BatchRows { dataset: &one.log, rows: &one.look.rows, columns: &batch.columns };
    let taken = taken_rows(dataset, from, &rows, (&batch.name, &batch.path, batch.fingerprint, one.look.by_run.as_deref()));
    let first = dataset.rows();
    if !edit(workspace, &Operation::Take(Box::new(taken)), err)? {
        return Ok(());
    }
    let text = one.look.text_of(&one.log, "");
    let said = |id: SampleId| text.and_then(|field| one.log.text(field, id)).unwrap_or_default().into_owned();
    if arguments.has("--json") {
        let list: Vec<Value> = rows
            .iter()
            .enumerate()
            .map(|(at, (id, why))| json!({ "row": first + at, "of": id.row(), "why": why, "text": said(*id) }))
            .collect();
        return print_json(out, &json!({ "batch": batch.name, "taken": list }));
    }
    let line = |(at, (id, why)): (usize, &(SampleId, String))| {
        let text = said(*id).split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{:<8} {:<40} {}\n", first + at, why, text.chars().take(100).collect::<String>())
    };
    print(out, &rows.iter().enumerate().map(line).collect::<String>())
}

/// Puts what was taken over and has a label into a part.
fn admit(workspace: &mut Workspace, part: &str, err: &mut dyn Write) -> Result<(), Failure> {
    let dataset = workspace.dataset();
    let samples: Vec<SampleId> = dataset.samples().filter(|id| dataset.has_tag(TO_LABEL, *id)).collect();
    if samples.is_empty() {
        return Err("no sample waits for a label: `--take` takes some over first".to_owned());
    }
    edit(workspace, &Operation::Admit { samples, part: part.to_owned() }, err).map(|_| ())
}
