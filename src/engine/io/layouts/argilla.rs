//! Argilla's records, as `to_disk` and the Hub have them: fields, questions with people's answers, suggestions, metadata.
//!
//! A question's value is the first submitted answer. `records.json` does not say which answers are drafts or discarded; the Hub's form does.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::folder::LaidFolder;
use super::{LaidTable, LaidText, put};
use crate::io::error::IoError;

/// Whether a text is a list of records.
pub fn is(file: &LaidText<'_>) -> bool {
    let head = file.text.trim_start();
    let deep = head.contains("\"fields\"") && head.contains("\"responses\"") && head.contains("\"suggestions\"");
    head.starts_with('[') && (deep || head.contains(".responses.users\"") && head.contains(".responses.status\""))
}

/// Whether a folder was written by `to_disk`.
pub fn is_folder(path: &Path) -> bool {
    path.join("records.json").is_file() && path.join(".argilla").join("settings.json").is_file()
}

/// Reads such a folder.
///
/// # Errors
/// [`IoError`].
pub fn read_folder(folder: &mut LaidFolder<'_>) -> Result<LaidTable, IoError> {
    let _settings = folder.read(".argilla/settings.json")?;
    let text = folder.text("records.json")?;
    read(&LaidText { name: "records.json", text: &text }, "").map_err(|reason| folder.refuse(format!("records.json: {reason}")))
}

/// What people said to one question: value, who, status.
type Said = Vec<(Value, String, Option<String>)>;

/// Reads the records.
///
/// # Errors
/// A line.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let records: Vec<Map<String, Value>> = serde_json::from_str(file.text).map_err(|error| error.to_string())?;
    let mut table = LaidTable { first: vec!["id"], ..LaidTable::default() };
    let mut people: Vec<String> = Vec::new();
    let mut without_status = 0;
    let deep = records.iter().any(|record| record.get("fields").is_some_and(Value::is_object));
    for record in &records {
        let mut row = Map::new();
        if let Some(id) = record.get("id") {
            row.insert("id".to_owned(), id.clone());
        }
        let questions = if deep { deep_answers(record, &mut row) } else { flat_answers(record, &mut row) };
        let several = questions.iter().any(|(_, said)| said.len() > 1);
        for (name, said) in questions {
            let submitted = |status: &Option<String>| status.as_deref().is_none_or(|status| status == "submitted");
            without_status += said.iter().filter(|(.., status)| status.is_none()).count();
            let value =
                said.iter().find(|(.., status)| submitted(status)).map_or(Value::Null, |(value, ..)| in_words(value, &row));
            put(&mut row, &name, "answer", value);
            for (value, who, status) in &said {
                let at = people.iter().position(|known| known == who).unwrap_or_else(|| {
                    people.push(who.clone());
                    people.len() - 1
                });
                if several || !submitted(status) {
                    let column = match status.as_deref() {
                        Some(status) if status != "submitted" => format!("{name}_{status}_by_{}", at + 1),
                        _ => format!("{name}_by_{}", at + 1),
                    };
                    row.insert(column, value.clone());
                }
            }
        }
        table.rows.push(row);
    }
    if without_status > 0 {
        table.note(
            0,
            format!(
                "the file does not say which of its {without_status} answers are drafts or discarded: all are taken as submitted"
            ),
        );
    }
    for (at, who) in people.iter().enumerate().filter(|_| people.len() > 1) {
        table.note(0, format!("by {} is {who}", at + 1));
    }
    Ok(table)
}

/// Spans of a text with their words; any other value as it is.
fn in_words(value: &Value, row: &Map<String, Value>) -> Value {
    let span = |item: &Value| Some((place(&item["start"])?, place(&item["end"])?, item["label"].as_str()?.to_owned()));
    let Some(list) = value.as_array().filter(|list| !list.is_empty() && list.iter().all(|item| span(item).is_some())) else {
        return value.clone();
    };
    let text = row.get("text").and_then(Value::as_str).unwrap_or_default();
    list.iter().filter_map(span).map(|(start, end, label)| super::span(text, start, end, &label)).collect()
}

fn place(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

/// The form of `to_disk`.
fn deep_answers(record: &Map<String, Value>, row: &mut Map<String, Value>) -> Vec<(String, Said)> {
    for part in ["fields", "metadata", "vectors"] {
        for (name, value) in record.get(part).and_then(Value::as_object).into_iter().flatten() {
            put(row, name, part, value.clone());
        }
    }
    for (name, said) in record.get("suggestions").and_then(Value::as_object).into_iter().flatten() {
        for (from, column) in [("value", format!("{name}_suggested")), ("score", format!("{name}_suggested_score"))] {
            if !said[from].is_null() {
                row.insert(column, said[from].clone());
            }
        }
    }
    let one = |answer: &Value| {
        let who = answer["user_id"].as_str().unwrap_or_default().to_owned();
        (answer["value"].clone(), who, answer["status"].as_str().map(ToOwned::to_owned))
    };
    let questions = record.get("responses").and_then(Value::as_object).into_iter().flatten();
    questions.map(|(name, list)| (name.clone(), list.as_array().into_iter().flatten().map(one).collect())).collect()
}

/// The form of the Hub: columns named by question.
fn flat_answers(record: &Map<String, Value>, row: &mut Map<String, Value>) -> Vec<(String, Said)> {
    let mut questions = Vec::new();
    for (name, value) in record {
        if let Some(question) = name.strip_suffix(".responses") {
            let list = |part: &str| {
                record.get(&format!("{question}.responses.{part}")).and_then(Value::as_array).cloned().unwrap_or_default()
            };
            let (users, states) = (list("users"), list("status"));
            let text = |list: &[Value], at: usize| list.get(at).and_then(Value::as_str).map(ToOwned::to_owned);
            let said = value.as_array().into_iter().flatten().enumerate();
            let said: Said =
                said.map(|(at, value)| (value.clone(), text(&users, at).unwrap_or_default(), text(&states, at))).collect();
            if !said.is_empty() {
                questions.push((question.to_owned(), said));
            }
        } else if let Some((question, what)) = name.split_once(".suggestion") {
            let column =
                if what.is_empty() { format!("{question}_suggested") } else { format!("{question}_suggested_{}", &what[1..]) };
            if !value.is_null() {
                row.insert(column, value.clone());
            }
        } else if !name.contains(".responses.") && name != "id" && !(name.starts_with('_') && value.is_null()) {
            put(row, name, "record", json!(value));
        }
    }
    questions
}
