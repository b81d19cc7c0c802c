//! XML as records: the element that is repeated most is a sample, its attributes (`@id`), its elements and theirs (`a@by`) are columns.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::xml::{XmlElement, XmlPart, parse_xml};
use super::{LaidTable, LaidText, one_or_all};

/// Whether a text is XML, and no page.
pub fn is(file: &LaidText<'_>) -> bool {
    let head = file.text.trim_start_matches('\u{feff}').trim_start();
    let page = head
        .get(..200.min(head.len()))
        .or(Some(head))
        .is_some_and(|head| head.to_lowercase().contains("<!doctype html") || head.to_lowercase().contains("<html"));
    !page && (head.starts_with("<?xml") || file.ending() == "xml" && head.starts_with('<'))
}

/// Reads the records.
///
/// # Errors
/// Where it is no XML; that it has no records.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let root = parse_xml(file.text.trim_start_matches('\u{feff}'))?;
    let (records, name) = records(&root).ok_or("it has no element that is repeated")?;
    let mut table = LaidTable::default();
    let others = records.elements().filter(|element| element.name != name).count();
    if others > 0 {
        table.note(0, format!("a sample is a <{name}> of <{}>; {others} other elements beside them are left out", records.name));
    }
    table.rows = records.children_of(&name).map(row).collect();
    Ok(table)
}

/// The element whose elements of one name are most, and that name; the outer one where two are alike. Where nothing is repeated, the root's own elements.
fn records(root: &XmlElement) -> Option<(&XmlElement, String)> {
    let mut best: Option<(usize, &XmlElement, String)> = None;
    let mut left = std::collections::VecDeque::from([root]);
    while let Some(element) = left.pop_front() {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for child in element.elements() {
            *counts.entry(child.name.as_str()).or_default() += 1;
            left.push_back(child);
        }
        let most = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
        if let Some((name, n)) = most.filter(|(_, n)| best.as_ref().is_none_or(|best| *n > best.0)) {
            best = Some((n, element, name.to_owned()));
        }
    }
    best.map(|(_, element, name)| (element, name))
}

fn row(record: &XmlElement) -> Map<String, Value> {
    let mut row = Map::new();
    for (name, value) in &record.attributes {
        row.insert(format!("@{name}"), json!(value));
    }
    let mut lists: Vec<(String, Vec<Value>)> = Vec::new();
    let mut add = |name: String, value: Value| match lists.iter_mut().find(|(known, _)| *known == name) {
        Some((_, list)) => list.push(value),
        None => lists.push((name, vec![value])),
    };
    for child in record.elements() {
        add(child.name.clone(), value(child));
        for (name, attribute) in &child.attributes {
            add(format!("{}@{name}", child.name), json!(attribute));
        }
    }
    let mut own = String::new();
    for part in &record.inside {
        if let XmlPart::Text(text) = part {
            own.push_str(text);
        }
    }
    if !own.trim().is_empty() {
        row.insert("text".to_owned(), json!(own.trim()));
    }
    row.extend(lists.into_iter().map(|(name, list)| (name, one_or_all(list))));
    row
}

/// The value of an element: its text, or what its elements say by name.
fn value(element: &XmlElement) -> Value {
    if element.elements().next().is_none() {
        return json!(element.text());
    }
    // Text with elements in it (`<b>`) stays a text.
    let mixed = element.inside.iter().any(|part| matches!(part, XmlPart::Text(text) if !text.trim().is_empty()));
    if mixed { json!(element.text()) } else { Value::Object(row(element)) }
}
