//! Prodigy's JSON Lines: what was shown, and what was answered. *Accept* says that what was shown is right, *reject* that it is wrong (and not what is
//! right), *ignore* nothing.

use serde_json::{Map, Value, json};

use super::doccano::{cut_to_lines, lines};
use super::{LaidTable, LaidText, between, one_or_all};

/// Whether a text is lines of answers.
pub fn is(file: &LaidText<'_>) -> bool {
    let lines = cut_to_lines(file).lines_of_json(100);
    let answer = |line: &Map<String, Value>| {
        let said = line.get("answer").and_then(Value::as_str).is_some_and(|said| matches!(said, "accept" | "reject" | "ignore"));
        said && (line.contains_key("_view_id") || line.contains_key("_task_hash") || line.contains_key("_input_hash"))
    };
    !lines.is_empty() && lines.iter().all(answer)
}

/// Reads the lines. `label` is what was chosen and accepted; of a question about one class, that class where it was accepted, and `not_label` where it was refused.
///
/// # Errors
/// Which line is no object of JSON.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let mut table = LaidTable { first: vec!["text", "label"], ..LaidTable::default() };
    for line in lines(file)? {
        let answer = line.get("answer").and_then(Value::as_str).unwrap_or_default().to_owned();
        let text = line.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut row = Map::new();
        for (name, value) in &line {
            match name.as_str() {
                "label" => {}
                "spans" => {
                    row.insert(name.clone(), spans(value, &text));
                }
                _ => {
                    row.insert(name.clone(), value.clone());
                }
            }
        }
        let asked = line.get("label").cloned();
        let chosen = line.get("accept").and_then(Value::as_array).cloned().or_else(|| asked.clone().map(|label| vec![label]));
        if let Some(chosen) = chosen {
            let label = if answer == "accept" { one_or_all(chosen.clone()) } else { Value::Null };
            row.insert("label".to_owned(), label);
            if answer == "reject" && asked.is_some() {
                row.insert("not_label".to_owned(), one_or_all(chosen));
            }
        }
        table.rows.push(row);
    }
    Ok(table)
}

fn spans(value: &Value, text: &str) -> Value {
    let with_words = |item: &Value| {
        let place = |name: &str| item[name].as_u64().and_then(|place| usize::try_from(place).ok());
        let mut item = item.clone();
        if let (Some(start), Some(end), Some(fields)) = (place("start"), place("end"), item.as_object_mut()) {
            fields.insert("text".to_owned(), json!(between(text, start, end)));
        }
        item
    };
    value.as_array().map_or(Value::Null, |list| list.iter().map(with_words).collect())
}
