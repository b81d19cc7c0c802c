//! Whether a batch of new data is what the dataset is.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::{open, read};
use crate::cli::options::READING;
use crate::cli::said::{note, print, print_json, say};
use crate::data::Dataset;
use crate::io::Reading;
use crate::job::Progress;
use crate::monitor::{Against, BatchReport, ColumnDrift, DriftValues, DriftVerdict, batch_report};

/// The command.
pub const VERB: Verb = Verb {
    name: "monitor",
    summary: "say whether a batch of new data is what the dataset is, column by column: what moved, what is new, and where there are too few rows to tell",
    usage: "PATH --batch FILE [--against train|all] [--fail-on moved] [--json]",
    example: "lapidary monitor tickets.csv --batch yesterday.jsonl --fail-on moved",
    options: &[
        &[
            ("--batch", Some("FILE"), "the new data, in any format that opens; columns of the same name are compared"),
            ("--against", Some("WHAT"), "`train` (usual): the train part where a column says parts; `all`: every sample"),
            ("--fail-on", Some("WHAT"), "`moved`: end with 1 where a column moved, for a nightly job"),
            ("--seed", Some("N"), "the seed of what chance does to texts (42)"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    takes_recipe: false,
    also: None,
    more: None,
    run,
};

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let path = arguments.get("--batch").ok_or("which batch? name its file with --batch")?;
    let against = match arguments.get("--against") {
        None | Some("train") => Against::Train,
        Some("all") => Against::All,
        Some(other) => return Err(format!("--against takes train or all, and not {other:?}")),
    };
    let fails = match arguments.get("--fail-on") {
        None => false,
        Some("moved") => true,
        Some(other) => return Err(format!("--fail-on takes moved, and not {other:?}")),
    };
    let workspace = open(arguments)?;
    let batch = read(Path::new(path), &Reading::default())?;
    let seed = arguments.number("--seed")?.unwrap_or(42);
    let report = batch_report(workspace.dataset(), &batch, against, seed, &Progress::silent()).map_err(say)?;
    report.notes.iter().for_each(|text| note(err, text));
    if arguments.has("--json") {
        print_json(out, &as_json(&report, &batch))?;
    } else {
        print(out, &as_text(&report, &batch))?;
    }
    Ok(fails && report.moved().next().is_some())
}

fn verdict(of: DriftVerdict) -> &'static str {
    match of {
        DriftVerdict::Moved => "moved",
        DriftVerdict::Steady => "steady",
        DriftVerdict::TooFew => "too few rows to tell",
    }
}

/// The text of a row of the batch, in one short line.
fn shown(batch: &Dataset, column: &ColumnDrift, id: crate::data::SampleId) -> String {
    let text = batch.field(&column.column).and_then(|field| batch.text(field, id)).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect()
}

fn as_text(report: &BatchReport, batch: &Dataset) -> String {
    let mut text = format!("{}\n", report.words());
    for column in &report.columns {
        text.push_str(&format!("  {:<22} {:<20} {}\n", column.column, verdict(column.verdict), column.words()));
        if let DriftValues::Texts { newest, .. } = &column.values
            && column.verdict == DriftVerdict::Moved
        {
            for id in newest.iter().take(5) {
                text.push_str(&format!("    row {:<6} {}\n", id.row(), shown(batch, column, *id)));
            }
        }
    }
    for (name, why) in &report.left {
        text.push_str(&format!("  {name:<22} not compared: {why}\n"));
    }
    text
}

fn as_json(report: &BatchReport, batch: &Dataset) -> Value {
    let column = |one: &ColumnDrift| {
        let mut value = json!({
            "column": one.column, "verdict": verdict(one.verdict), "words": one.words(), "rows": [one.rows.0, one.rows.1],
            "p": one.p, "p_corrected": one.corrected[0], "missing": [one.missing.0, one.missing.1], "missing_p": one.missing_p,
            "new": one.new.iter().map(|(name, n)| json!([name, n])).collect::<Vec<_>>(), "new_p": one.new_p,
        });
        value["values"] = match &one.values {
            DriftValues::Numbers(drift) => json!({
                "kind": "numbers", "ks": drift.ks, "wasserstein": drift.wasserstein, "deviations": drift.wasserstein_normed,
                "psi": drift.binned.psi, "js": drift.binned.js,
            }),
            DriftValues::Classes { drift, changed, .. } => json!({
                "kind": "classes", "total_variation": drift.total_variation, "psi": drift.psi, "js": drift.js,
                "chi2": drift.chi2.statistic, "freedom": drift.chi2.freedom,
                "changed": changed.iter().map(|(name, from, to)| json!([name, from, to])).collect::<Vec<_>>(),
            }),
            DriftValues::Texts { newness, newest } => json!({
                "kind": "texts", "tail": newness.tail, "expected": newness.expected, "tail_p": newness.tail_p, "auc": newness.auc,
                "auc_p": newness.auc_p,
                "newest": newest.iter().map(|id| json!({ "row": id.row(), "text": shown(batch, one, *id) })).collect::<Vec<_>>(),
            }),
        };
        value
    };
    let left: Vec<Value> = report.left.iter().map(|(name, why)| json!([name, why])).collect();
    json!({
        "words": report.words(), "moved": report.moved().map(|one| one.column.clone()).collect::<Vec<_>>(),
        "rows": { "dataset": report.rows.0, "batch": report.rows.1 },
        "columns": report.columns.iter().map(column).collect::<Vec<_>>(), "not_compared": left, "notes": report.notes,
    })
}
