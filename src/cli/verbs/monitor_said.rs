//! What is said of a batch: as text, and as JSON.

use serde_json::{Value, json};

use crate::data::{Dataset, SampleId};
use crate::monitor::{ColumnDrift, DriftValues, DriftVerdict, WatchedBatch, WorseBy};
use crate::operate::{BatchLook, verdict_words};

/// A batch, and the log that it is of.
pub struct LookedBatch {
    pub batch: WatchedBatch,
    pub log: Dataset,
    pub look: BatchLook,
}

/// The text of a row of the batch, in one short line.
fn shown(one: &LookedBatch, column: &str, id: SampleId) -> String {
    let text = one.look.text_of(&one.log, column).and_then(|field| one.log.text(field, id)).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect()
}

/// As text; with its name, where there are several.
pub fn as_text(one: &LookedBatch, named: bool) -> String {
    let report = &one.look.report;
    let mut text = if named { format!("{}: {}\n", one.batch.name, report.words()) } else { format!("{}\n", report.words()) };
    for words in one.look.performance.words() {
        text.push_str(&format!("  {words}\n"));
    }
    for column in &report.columns {
        text.push_str(&format!("  {:<22} {:<20} {}\n", column.column, verdict_words(column.verdict), column.words()));
        if let DriftValues::Texts { newest, .. } = &column.values
            && column.verdict == DriftVerdict::Moved
        {
            for id in newest.iter().take(5) {
                text.push_str(&format!("    row {:<6} {}\n", id.row(), shown(one, &column.column, *id)));
            }
        }
    }
    if let Some(found) = &one.look.slices {
        let what = if found.by == WorseBy::Wrong { "wrong" } else { "less than half sure" };
        for slice in &found.list {
            let of = &slice.found;
            text.push_str(&format!(
                "  worst: {:<50} {} rows, {:.1} % {what}, elsewhere {:.1} % (q {})\n",
                slice.name,
                of.rows,
                of.rate * 100.0,
                of.rest * 100.0,
                if of.q < 1e-4 { "< 0.0001".to_owned() } else { format!("{:.4}", of.q) }
            ));
        }
    }
    for (name, why) in &report.left {
        text.push_str(&format!("  {name:<22} not compared: {why}\n"));
    }
    text
}

fn column_json(one: &LookedBatch, of: &ColumnDrift) -> Value {
    let mut value = json!({
        "column": of.column, "verdict": verdict_words(of.verdict), "words": of.words(), "rows": [of.rows.0, of.rows.1],
        "p": of.p, "p_corrected": of.corrected[0], "missing": [of.missing.0, of.missing.1], "missing_p": of.missing_p,
        "new": of.new.iter().map(|(name, n)| json!([name, n])).collect::<Vec<_>>(), "new_p": of.new_p,
    });
    value["values"] = match &of.values {
        DriftValues::Numbers(drift) => json!({
            "kind": "numbers", "ks": drift.ks, "wasserstein": drift.wasserstein, "deviations": drift.wasserstein_normed,
            "psi": drift.binned.psi, "js": drift.binned.js,
        }),
        DriftValues::Classes { drift, changed, .. } => json!({
            "kind": "classes", "total_variation": drift.total_variation, "psi": drift.psi, "js": drift.js,
            "chi2": drift.chi2.statistic, "freedom": drift.chi2.freedom,
            "changed": changed.iter().map(|(name, from, to)| json!([name, from, to])).collect::<Vec<_>>(),
        }),
        DriftValues::Texts { newness, newest, words } => json!({
            "kind": "texts", "tail": newness.tail, "expected": newness.expected, "tail_p": newness.tail_p, "auc": newness.auc,
            "auc_p": newness.auc_p,
            "newest": newest.iter().map(|id| json!({ "row": id.row(), "text": shown(one, &of.column, *id) })).collect::<Vec<_>>(),
            "new_words": words.iter().map(|(word, inside, outside)| json!([word, inside, outside])).collect::<Vec<_>>(),
        }),
    };
    value
}

/// As JSON.
pub fn as_json(one: &LookedBatch) -> Value {
    let (report, good) = (&one.look.report, &one.look.performance);
    let interval = |of: Option<(f64, (f64, f64))>| of.map(|(value, (low, high))| json!([value, low, high]));
    let slices = one.look.slices.as_ref().map(|found| {
        let list: Vec<Value> = found
            .list
            .iter()
            .map(|slice| {
                let of = &slice.found;
                json!({
                    "name": slice.name, "conditions": slice.conditions, "rows": of.rows, "wrong": of.wrong, "rate": of.rate,
                    "rest": of.rest, "p": of.p, "q": of.q, "sliceline": of.sliceline,
                })
            })
            .collect();
        json!({
            "by": if found.by == WorseBy::Wrong { "wrong" } else { "unsure" }, "list": list, "searched": found.searched,
            "rows": found.rows, "columns": found.columns,
        })
    });
    json!({
        "batch": one.batch.name, "words": report.words(),
        "moved": report.moved().map(|one| one.column.clone()).collect::<Vec<_>>(),
        "rows": { "dataset": report.rows.0, "batch": report.rows.1 },
        "columns": report.columns.iter().map(|of| column_json(one, of)).collect::<Vec<_>>(),
        "not_compared": report.left.iter().map(|(name, why)| json!([name, why])).collect::<Vec<_>>(),
        "meaning": one.batch.columns, "said_by": one.look.by_run,
        "performance": {
            "rows": good.rows, "with_truth": good.with_truth, "accuracy": interval(good.accuracy), "macro_f1": interval(good.macro_f1),
            "mean_probability": good.mean_sure, "estimated_accuracy": interval(good.estimated), "below_half": good.unsure,
            "unknown": good.unknown, "prediction_js": good.predictions_js, "p": good.p, "worse": good.is_worse(),
            "before": good.past.as_ref().map(|past| json!({
                "rows": past.rows, "accuracy": past.accuracy, "usual": [past.usual.0, past.usual.1], "from": past.from,
            })),
            "words": good.words(),
        },
        "slices": slices, "notes": one.look.notes,
    })
}
