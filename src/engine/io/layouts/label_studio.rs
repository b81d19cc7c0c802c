//! Label Studio's JSON: a list of tasks, each with what is shown (`data`), what people said of it (`annotations`) and what a model said
//! (`predictions`). A task is a sample; each question is a column, its value that of the newest answer that was not skipped.
//!
//! Spans count UTF-16 units there, boxes per cent of the picture. Where several people answered, what each said stands in columns of its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{LaidTable, LaidText, letters_before, one_or_all, put, span};

/// Whether a text is a list of tasks.
pub fn is(file: &LaidText<'_>) -> bool {
    let Some(head) = file.text.trim_start_matches('\u{feff}').trim_start().strip_prefix('[') else { return false };
    let answers = ["annotations", "completions", "predictions"];
    match serde_json::Deserializer::from_str(head).into_iter::<Value>().next() {
        Some(Ok(task)) => task["data"].is_object() && answers.iter().any(|name| task[*name].is_array()),
        // A task that is longer than what is looked at.
        Some(Err(error)) if error.is_eof() => {
            head.contains("\"data\"") && answers.iter().any(|name| head.contains(&format!("\"{name}\"")))
        }
        _ => false,
    }
}

/// What an annotation says of one question.
#[derive(Default, Clone)]
struct Answer {
    /// Names of classes.
    choices: Vec<Value>,
    spans: Vec<Value>,
    boxes: Vec<Value>,
    shapes: Vec<Value>,
    /// Texts, numbers, ratings.
    plain: Vec<Value>,
    /// What we have no form for, as it stands.
    others: Vec<Value>,
}

impl Answer {
    /// The value of the column.
    fn value(self) -> Value {
        let lists = [self.spans, self.boxes, self.shapes, self.others];
        if !self.choices.is_empty() {
            return one_or_all(self.choices);
        }
        if !self.plain.is_empty() {
            return one_or_all(self.plain);
        }
        Value::Array(lists.into_iter().flatten().collect())
    }
}

/// Reads the tasks.
///
/// # Errors
/// A line: what is no list of tasks.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let tasks: Vec<Map<String, Value>> =
        serde_json::from_str(file.text.trim_start_matches('\u{feff}')).map_err(|error| error.to_string())?;
    let mut table = LaidTable { first: vec!["id"], ..LaidTable::default() };
    let several = tasks.iter().any(|task| answered(task).len() > 1);
    let told = tasks.iter().any(|task| answered(task).len() < annotations(task).len() || answered(task).is_empty());
    let mut bare = 0;
    for task in &tasks {
        let mut row = Map::new();
        if let Some(id) = task.get("id") {
            row.insert("id".to_owned(), id.clone());
        }
        let data = task.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, value) in &data {
            put(&mut row, name, "data", value.clone());
        }
        let answered = answered(task);
        if let Some(newest) = answered.last() {
            for (name, answer) in answers(newest, &data) {
                put(&mut row, &name, "label", answer.value());
            }
            if let Some(at) = time_of(newest) {
                put(&mut row, "annotated_at", "label", json!(at));
            }
        }
        if several {
            for annotation in &answered {
                let by = who(annotation);
                for (name, answer) in answers(annotation, &data).into_iter().filter(|(_, answer)| !answer.choices.is_empty()) {
                    row.insert(format!("{name}_by_{by}"), answer.value());
                }
            }
        }
        if told {
            let skipped = !annotations(task).is_empty() && answered.is_empty();
            let status = if skipped {
                "skipped"
            } else if answered.is_empty() {
                "open"
            } else {
                "labelled"
            };
            put(&mut row, "status", "label", json!(status));
        }
        bare += predicted(task, &data, &mut row);
        table.rows.push(row);
    }
    if bare > 0 {
        table.note(0, format!("{bare} predictions are numbers that name what the file does not hold: they are left out"));
    }
    Ok(table)
}

fn annotations(task: &Map<String, Value>) -> Vec<&Value> {
    let list = task.get("annotations").or_else(|| task.get("completions")).and_then(Value::as_array);
    list.map(|list| list.iter().filter(|item| item.is_object()).collect()).unwrap_or_default()
}

/// Annotations that were not skipped, the newest last.
fn answered(task: &Map<String, Value>) -> Vec<&Value> {
    let mut list: Vec<&Value> = annotations(task).into_iter().filter(|item| item["was_cancelled"] != Value::Bool(true)).collect();
    list.sort_by_key(|item| time_of(item).unwrap_or_default());
    list
}

fn time_of(annotation: &Value) -> Option<String> {
    ["updated_at", "created_at"].iter().find_map(|name| annotation[*name].as_str()).map(ToOwned::to_owned)
}

/// Who answered, as a number where there is one.
fn who(annotation: &Value) -> String {
    let by = &annotation["completed_by"];
    let by = if by.is_object() { &by["id"] } else { by };
    match by {
        Value::Null => "0".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a result list says, by question, in the order in which they come.
fn answers(holder: &Value, data: &Map<String, Value>) -> Vec<(String, Answer)> {
    let mut found: Vec<(String, Answer)> = Vec::new();
    for result in holder["result"].as_array().into_iter().flatten() {
        let Some(name) = result["from_name"].as_str() else { continue };
        let kind = result["type"].as_str().unwrap_or_default();
        let column = if kind == "rectanglelabels" && !crate::pixels::names_boxes(name) {
            format!("{name}_boxes")
        } else {
            name.to_owned()
        };
        let at = found.iter().position(|(known, _)| *known == column).unwrap_or_else(|| {
            found.push((column, Answer::default()));
            found.len() - 1
        });
        say(&mut found[at].1, kind, result, data);
    }
    found
}

/// Adds one result to an answer.
fn say(answer: &mut Answer, kind: &str, result: &Value, data: &Map<String, Value>) {
    let value = &result["value"];
    let labels = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let label = |name: &str| labels(name).first().cloned().unwrap_or(Value::Null);
    let side = |name: &str| result[name].as_f64().unwrap_or(0.0);
    let pixels = |name: &str, side: f64| value[name].as_f64().map(|share| hundredths(share / 100.0 * side));
    match kind {
        "choices" => answer.choices.extend(labels("choices")),
        "labels" | "hypertextlabels" if value["start"].is_u64() => {
            let units = |name: &str| usize::try_from(value[name].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
            let shown = shown_text(result, data, units("start"), units("end"));
            let (start, end) = (letters_before(shown, units("start")), letters_before(shown, units("end")));
            let name = if kind == "labels" { "labels" } else { kind };
            for class in labels(name) {
                answer.spans.push(span(shown, start, end, class.as_str().unwrap_or_default()));
            }
        }
        "rectanglelabels" if side("original_width") > 0.0 => {
            let (wide, high) = (side("original_width"), side("original_height"));
            let sides = [pixels("x", wide), pixels("y", high), pixels("width", wide), pixels("height", high)];
            let mut found = json!({"bbox": sides, "label": label("rectanglelabels")});
            if value["rotation"].as_f64().is_some_and(|turned| turned != 0.0) {
                found["rotation"] = value["rotation"].clone();
            }
            answer.boxes.push(found);
        }
        "polygonlabels" if side("original_width") > 0.0 => {
            let (wide, high) = (side("original_width"), side("original_height"));
            let point = |point: &Value| {
                let part = |at: usize, side: f64| point[at].as_f64().map(|share| hundredths(share / 100.0 * side));
                json!([part(0, wide), part(1, high)])
            };
            let points: Vec<Value> = value["points"].as_array().into_iter().flatten().map(point).collect();
            answer.shapes.push(json!({"label": label("polygonlabels"), "points": points}));
        }
        "textarea" => answer.plain.extend(labels("text")),
        "number" | "rating" | "datetime" | "pairwise" => {
            let name = if kind == "pairwise" { "selected" } else { kind };
            answer.plain.push(value[name].clone());
        }
        _ => answer.others.push(json!({"type": kind, "value": value})),
    }
}

/// Two places behind the point, without what a product of shares leaves behind.
fn hundredths(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// The text that a span lies in: the field whose letters there are those that the span names, else the longest.
fn shown_text<'d>(result: &Value, data: &'d Map<String, Value>, start: usize, end: usize) -> &'d str {
    let texts: BTreeMap<&str, &str> = data.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
    let words = result["value"]["text"].as_str();
    let fits = |text: &&&str| {
        words.is_some_and(|words| super::between(text, letters_before(text, start), letters_before(text, end)) == words)
    };
    let named = result["to_name"].as_str().and_then(|name| texts.get(name));
    named
        .filter(fits)
        .or_else(|| texts.values().find(fits))
        .or(named)
        .or_else(|| texts.values().max_by_key(|text| text.len()))
        .copied()
        .unwrap_or_default()
}

/// What a model said of the task, as columns; returns how many predictions are only numbers.
fn predicted(task: &Map<String, Value>, data: &Map<String, Value>, row: &mut Map<String, Value>) -> usize {
    let list = task.get("predictions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let Some(said) = list.iter().rfind(|item| item.is_object()) else { return list.len() };
    for (name, answer) in answers(said, data) {
        row.insert(format!("{name}_predicted"), answer.value());
    }
    for (from, name) in [("score", "prediction_score"), ("model_version", "prediction_model")] {
        if !said[from].is_null() {
            put(row, name, "label", said[from].clone());
        }
    }
    list.iter().filter(|item| !item.is_object()).count()
}
