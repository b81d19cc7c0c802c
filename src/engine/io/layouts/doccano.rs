//! doccano's exports: spans of a text as lists of three (`label` or `entities`), classes joined by `#` in CSV; and fastText's lines, whose classes stand
//! before the text.

use serde_json::{Map, Value, json};

use super::{LaidTable, LaidText, one_or_all, span};

/// How fastText marks a class.
const CLASS: &str = "__label__";

fn triple(value: &Value) -> Option<(usize, usize, &str)> {
    let list = value.as_array().filter(|list| list.len() == 3)?;
    let place = |at: usize| list[at].as_u64().and_then(|place| usize::try_from(place).ok());
    Some((place(0)?, place(1)?, list[2].as_str()?))
}

/// Whether a text is lines of objects whose `label` is a list of spans, and never of classes.
pub fn is(file: &LaidText<'_>) -> bool {
    let lines = cut_to_lines(file).lines_of_json(200);
    let labels = || lines.iter().filter_map(|line| line.get("label").or_else(|| line.get("labels")));
    lines.iter().all(|line| line.get("text").is_some_and(Value::is_string))
        && labels().any(|label| label.as_array().is_some_and(|list| !list.is_empty()))
        && labels().all(|label| label.as_array().is_some_and(|list| list.iter().all(|item| triple(item).is_some())))
}

/// A beginning that is cut within a line ends before it.
pub(super) fn cut_to_lines<'t>(file: &LaidText<'t>) -> LaidText<'t> {
    let whole = serde_json::from_str::<serde::de::IgnoredAny>(file.text.lines().last().unwrap_or_default()).is_ok();
    let end = if whole { file.text.len() } else { file.text.rfind('\n').unwrap_or(0) };
    LaidText { name: file.name, text: &file.text[..end] }
}

/// Lines of JSON as rows.
///
/// # Errors
/// Which line is none.
pub(super) fn lines(file: &LaidText<'_>) -> Result<Vec<Map<String, Value>>, String> {
    let lines = file.text.trim_start_matches('\u{feff}').lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))).collect()
}

/// Reads the lines, spans under `spans`.
///
/// # Errors
/// Which line is no object of JSON.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let mut table = LaidTable::default();
    for line in lines(file)? {
        let text = line.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut row = Map::new();
        for (name, value) in line {
            if name == "label" || name == "labels" {
                let spans: Vec<Value> = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(triple)
                    .map(|(start, end, label)| span(&text, start, end, label))
                    .collect();
                row.insert("spans".to_owned(), Value::Array(spans));
            } else {
                row.insert(name, value);
            }
        }
        table.rows.push(row);
    }
    Ok(table)
}

/// Whether a text is doccano's CSV of classes: its columns, and classes joined by `#`.
pub fn is_classes(file: &LaidText<'_>) -> bool {
    let mut lines = file.text.trim_start_matches('\u{feff}').lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
    let Some(at) =
        header.iter().position(|name| *name == "label").filter(|_| header.contains(&"Comments") && header.first() == Some(&"id"))
    else {
        return false;
    };
    file.ending() == "csv" && at > 0 && file.text.contains('#')
}

/// Reads it, classes as lists.
///
/// # Errors
/// Never now.
pub fn read_classes(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let mut table = LaidTable::default();
    let mut records = records(file.text.trim_start_matches('\u{feff}')).into_iter();
    let header = records.next().unwrap_or_default();
    for record in records {
        let cells = header.iter().zip(record);
        let row = cells.map(|(name, cell)| {
            let value = match name.as_str() {
                "label" => Value::Array(cell.split('#').filter(|class| !class.is_empty()).map(|class| json!(class)).collect()),
                _ if cell.is_empty() => Value::Null,
                _ => json!(cell),
            };
            (name.clone(), value)
        });
        table.rows.push(row.collect());
    }
    Ok(table)
}

/// The records of a CSV with quotes doubled within quotes (RFC 4180).
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut out, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                out.push(std::mem::take(&mut record));
            }
            _ => cell.push(letter),
        }
    }
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        out.push(record);
    }
    out.retain(|record| record.iter().any(|cell| !cell.is_empty()));
    out
}

/// Whether most lines begin with a class as fastText marks it.
pub fn is_fasttext(file: &LaidText<'_>) -> bool {
    let lines: Vec<&str> = file.text.lines().filter(|line| !line.trim().is_empty()).take(200).collect();
    let marked = lines.iter().filter(|line| line.trim_start().starts_with(CLASS)).count();
    marked > 0 && marked * 2 > lines.len() && !file.text.trim_start().starts_with(['{', '['])
}

/// Reads a line a sample: its classes, its text.
///
/// # Errors
/// Never now.
pub fn read_fasttext(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let mut table = LaidTable { first: vec!["label", "text"], ..LaidTable::default() };
    for line in file.text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty()) {
        let (mut classes, mut rest) = (Vec::new(), line.trim());
        while let Some(behind) = rest.strip_prefix(CLASS) {
            let (class, after) = behind.split_once(char::is_whitespace).unwrap_or((behind, ""));
            classes.push(json!(class));
            rest = after.trim_start();
        }
        // doccano puts remarks behind the text in the same way.
        let (text, comments) =
            rest.split_once(" __comment__").map_or((rest, None), |(text, comment)| (text.trim_end(), Some(comment)));
        let mut row = Map::new();
        row.insert("label".to_owned(), Value::Array(classes));
        row.insert("text".to_owned(), json!(text));
        if let Some(comment) = comments {
            row.insert("comment".to_owned(), json!(comment));
        }
        table.rows.push(row);
    }
    // One class everywhere is a class and no list.
    let single = table.rows.iter().all(|row| row["label"].as_array().is_some_and(|list| list.len() < 2));
    if single {
        for row in &mut table.rows {
            let list = row.get("label").and_then(Value::as_array).cloned().unwrap_or_default();
            row.insert("label".to_owned(), one_or_all(list));
        }
    }
    Ok(table)
}
