//! One JSON object that is a whole dataset: a list of rows under a name, a list a split part, or columns instead of rows (as pandas
//! writes them). What it was read as is said in a warning.

use std::collections::HashMap;

use polars_buffer::Buffer;

use crate::data::{Format, Shape};
use crate::io::read::budget::Budget;
use crate::io::read::columns::pieces;
use crate::io::read::json::{JsonMember, JsonToken, members, skip_space, unescape};
use crate::io::read::json_rows::{JsonPart, JsonRefusal, gather};
use crate::io::read::json_walk::{Read, elements, is_turn, walk};
use crate::job::Progress;

/// Names that lists of rows go by.
const ROWS: [&str; 12] = [
    "data",
    "rows",
    "records",
    "items",
    "examples",
    "samples",
    "results",
    "entries",
    "documents",
    "instances",
    "annotations",
    "dataset",
];
/// Names that parts of a split go by.
const PARTS: [&str; 10] = ["train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval", "evaluation"];
/// A list of so many objects is a list of rows whatever its name.
const MANY: usize = 20;

type Value = (JsonToken, usize, usize);

/// The object at `start` as a dataset, where it is more than one sample; else `None`.
pub fn object(text: &Buffer<u8>, start: usize, budget: &Budget, progress: &Progress) -> Option<Result<Read, JsonRefusal>> {
    let bytes: &[u8] = text;
    let mut list = Vec::new();
    members(bytes, start, &mut list).ok()?;
    let rows: Vec<&JsonMember> = list.iter().filter(|member| is_rows(bytes, member)).collect();
    let is_part = |member: &&JsonMember| PARTS.contains(&name_of(bytes, member).to_lowercase().as_str());
    if rows.len() >= 2 && rows.len() == list.len() && rows.iter().all(is_part) {
        return Some(parts(text, &rows, budget, progress));
    }
    if let Some(found) = split_form(text, &list, budget) {
        return Some(found);
    }
    if let [only] = rows.as_slice() {
        let known = ROWS.contains(&name_of(bytes, only).to_lowercase().as_str()) || is_part(only);
        let many = || elements(bytes, only.value.0).is_ok_and(|list| list.len() >= MANY);
        if (known || many()) && !is_turn(bytes, skip_space(bytes, only.value.0 + 1)) {
            return Some(wrapped(text, only, budget, progress));
        }
    }
    let columns = by_lists(bytes, &list).or_else(|| by_index(bytes, &list));
    columns.map(|columns| columnar(text, columns, "one object of columns: each place in them is a sample", budget))
}

fn name_of(bytes: &[u8], member: &JsonMember) -> String {
    let mut name = Vec::new();
    unescape(&bytes[member.name.0 - 1..=member.name.1], &mut name);
    String::from_utf8_lossy(&name).into_owned()
}

fn is_rows(bytes: &[u8], member: &JsonMember) -> bool {
    member.token == JsonToken::Array && bytes.get(skip_space(bytes, member.value.0 + 1)) == Some(&b'{')
}

/// A list of rows under a name, with whatever stands beside it.
fn wrapped(text: &Buffer<u8>, member: &JsonMember, budget: &Budget, progress: &Progress) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    let mut part = JsonPart::new(bytes, pieces(bytes.len()));
    let name = name_of(bytes, member);
    part.faults
        .note(member.name.0, || format!("the rows are those of {name:?}; what stands beside them is kept when saved as it is"));
    let close = walk(&mut part, bytes, member.value.0 + 1, Some(b']'), budget, progress)?.unwrap_or(member.value.1 - 1);
    Ok((gather(text, vec![part], None)?, Shape::JsonArray { open: member.value.0 + 1, close }, Format::Json))
}

/// A list of rows for each part of a split; which one it is in becomes a column.
fn parts(text: &Buffer<u8>, list: &[&JsonMember], budget: &Budget, progress: &Progress) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    let mut part = JsonPart::new(bytes, pieces(bytes.len()));
    part.faults.note(0, || "the rows stand in a list for each part of a split: the column \"split\" says which".to_owned());
    let mut spans = Vec::new();
    for member in list {
        let before = part.rows();
        walk(&mut part, bytes, member.value.0 + 1, Some(b']'), budget, progress)?;
        spans.push((name_of(bytes, member), before..part.rows()));
    }
    let column = part.free_column("split");
    for (name, rows) in spans {
        rows.for_each(|row| part.put_text(row, column, &name));
    }
    part.count(budget);
    Ok((gather(text, vec![part], None)?, Shape::JsonParts, Format::Json))
}

/// `{"columns": […], "index": […], "data": [[…], …]}`.
fn split_form(text: &Buffer<u8>, list: &[JsonMember], budget: &Budget) -> Option<Result<Read, JsonRefusal>> {
    let bytes: &[u8] = text;
    let known = ["columns", "index", "data", "index_names", "column_names"];
    let find = |name: &str| list.iter().find(|member| bytes[member.name.0..member.name.1] == *name.as_bytes());
    if list.iter().any(|member| !known.contains(&name_of(bytes, member).as_str())) {
        return None;
    }
    let names = elements(bytes, find("columns")?.value.0).ok()?;
    let rows = elements(bytes, find("data")?.value.0).ok()?;
    let rows: Vec<Vec<Value>> = rows
        .into_iter()
        .map(|(token, at, _)| (token == JsonToken::Array).then(|| elements(bytes, at).ok())?)
        .collect::<Option<_>>()?;
    if names.is_empty() || rows.iter().any(|row| row.len() != names.len()) {
        return None;
    }
    let name = |(token, from, to): Value| {
        let mut name = Vec::new();
        if matches!(token, JsonToken::String { .. }) {
            unescape(&bytes[from..to], &mut name);
        } else {
            name.extend_from_slice(&bytes[from..to]);
        }
        String::from_utf8_lossy(&name).into_owned()
    };
    let cells = |column: usize| rows.iter().map(|row| Some(row[column])).collect();
    let mut columns: Vec<(String, Vec<Option<Value>>)> =
        names.iter().enumerate().map(|(column, value)| (name(*value), cells(column))).collect();
    if let Some(index) = find("index").and_then(|index| elements(bytes, index.value.0).ok())
        && index.len() == rows.len()
        && index.iter().enumerate().any(|(row, value)| bytes[value.1..value.2] != *row.to_string().as_bytes())
    {
        columns.push(("index".to_owned(), index.into_iter().map(Some).collect()));
    }
    Some(columnar(text, columns, "pandas' split form: each list of \"data\" is a sample", budget))
}

type Columns = Vec<(String, Vec<Option<Value>>)>;

/// `{"a": [1, 2], "b": [3, 4]}`.
fn by_lists(bytes: &[u8], list: &[JsonMember]) -> Option<Columns> {
    if list.is_empty() || list.iter().any(|member| member.token != JsonToken::Array) {
        return None;
    }
    let columns: Columns = list
        .iter()
        .map(|member| Some((name_of(bytes, member), elements(bytes, member.value.0).ok()?.into_iter().map(Some).collect())))
        .collect::<Option<_>>()?;
    let rows = columns[0].1.len();
    (rows >= 2 && columns.iter().all(|(_, cells)| cells.len() == rows)).then_some(columns)
}

/// `{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}`.
fn by_index(bytes: &[u8], list: &[JsonMember]) -> Option<Columns> {
    if list.is_empty() || list.iter().any(|member| member.token != JsonToken::Object) {
        return None;
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut columns: Columns = Vec::new();
    let mut inner = Vec::new();
    for (at, member) in list.iter().enumerate() {
        members(bytes, member.value.0, &mut inner).ok()?;
        if at == 0 {
            places = inner.iter().enumerate().map(|(row, member)| (name_of(bytes, member), row)).collect();
        }
        if inner.len() != places.len() || inner.is_empty() {
            return None;
        }
        let mut cells = vec![None; places.len()];
        for member in &inner {
            cells[*places.get(&name_of(bytes, member))?] = Some((member.token, member.value.0, member.value.1));
        }
        columns.push((name_of(bytes, member), cells));
    }
    // Names that number rows; or the same names in several objects, none of which would be so by chance.
    let numbered = (0..places.len()).all(|row| places.get(&row.to_string()) == Some(&row));
    if !numbered {
        if list.len() < 2 || places.len() < MANY {
            return None;
        }
        members(bytes, list[0].value.0, &mut inner).ok()?;
        let names = inner
            .iter()
            .map(|member| Some((JsonToken::String { escaped: member.escaped }, member.name.0 - 1, member.name.1 + 1)));
        columns.push(("index".to_owned(), names.collect()));
    }
    Some(columns)
}

fn columnar(text: &Buffer<u8>, columns: Columns, what: &str, budget: &Budget) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    let mut part = JsonPart::new(bytes, pieces(bytes.len()));
    part.faults.note(0, || format!("the file is {what}"));
    let rows = columns.first().map_or(0, |(_, cells)| cells.len());
    for (name, cells) in columns {
        let column = part.column(name.as_bytes());
        part.put_column(bytes, column, &cells);
        part.count(budget);
    }
    Ok((gather(text, vec![part], Some(rows))?, Shape::JsonColumns, Format::Json))
}
