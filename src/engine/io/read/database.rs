//! `SQLite` databases: one table or view as a table, in the child process, read only. A column whose cells are all of one type has it; where `SQLite` has let several into one, it is a column of texts, and that is said.

use std::path::Path;

use polars::prelude::{Column as FrameColumn, DataFrame, NamedFrom as _, Series};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::typed_schema::Beside;
use crate::data::things;

/// Whole numbers beyond this have no double of their own.
const EXACT: i64 = 1 << 53;

/// A cell.
enum SqlCell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// Reads a table of a database. The names of all are noted as `sheets`.
///
/// # Errors
/// A line; `memory:` before it where it is too large.
pub fn parse(path: &Path, table: Option<&str>, limit: u64) -> Result<(DataFrame, Beside), String> {
    let text = |error: rusqlite::Error| error.to_string();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let base = Connection::open_with_flags(path, flags).map_err(text)?;
    base.pragma_update(None, "query_only", true).map_err(text)?;
    // A view is a stranger's program: it may compute, and call nothing that reaches beyond the database.
    base.pragma_update(None, "trusted_schema", false).map_err(text)?;
    let names: Vec<(String, bool)> = {
        let mut found = base
            .prepare("SELECT name, type = 'view' FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid")
            .map_err(text)?;
        let rows = found.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))).map_err(text)?;
        rows.collect::<Result<_, _>>().map_err(text)?
    };
    let mut beside = Beside::default();
    let name = chosen(&base, &names, table)?;
    let others: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).filter(|other| *other != name).collect();
    if !others.is_empty() && table.is_none() {
        beside
            .notes
            .push(format!("the table {name:?} is read; others are {}: Collect and --sheet choose another", others.join(", ")));
    }
    let frame = rows_of(&base, &name, limit, &mut beside)?;
    let all: Vec<&String> = names.iter().map(|(name, _)| name).collect();
    beside.kept.push(("sheets".to_owned(), serde_json::to_string(&all).unwrap_or_default()));
    beside.kept.push(("sheet".to_owned(), name));
    Ok((frame, beside))
}

/// The table that is asked for, or the one with the most rows; views only where there is no table.
fn chosen(base: &Connection, names: &[(String, bool)], asked: Option<&str>) -> Result<String, String> {
    if let Some(asked) = asked {
        let list = || names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let found = names.iter().find(|(name, _)| name == asked);
        return found.map(|(name, _)| name.clone()).ok_or_else(|| format!("there is no table {asked:?}; there are {}", list()));
    }
    let rows = |name: &str| -> i64 {
        base.query_row(&format!("SELECT count(*) FROM {}", quoted(name)), [], |row| row.get(0)).unwrap_or(0)
    };
    let tables = names.iter().filter(|(_, view)| !view).map(|(name, _)| (rows(name), name));
    // The first of those with the most.
    let best = tables.fold(None, |best: Option<(i64, &String)>, own| match best {
        Some(best) if best.0 >= own.0 => Some(best),
        _ => Some(own),
    });
    let view = || names.first().map(|(name, _)| name);
    best.map(|(_, name)| name).or_else(view).cloned().ok_or_else(|| "it has no table".to_owned())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn rows_of(base: &Connection, name: &str, limit: u64, beside: &mut Beside) -> Result<DataFrame, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let mut query = base.prepare(&format!("SELECT * FROM {}", quoted(name))).map_err(text)?;
    let names: Vec<String> = query.column_names().map(ToOwned::to_owned).collect();
    let mut columns: Vec<Vec<SqlCell>> = names.iter().map(|_| Vec::new()).collect();
    let mut rows = query.query([]).map_err(text)?;
    let mut held = 0u64;
    let mut odd = 0usize;
    while let Some(row) = rows.next().map_err(text)? {
        for (at, column) in columns.iter_mut().enumerate() {
            let cell = match row.get_ref(at).map_err(text)? {
                ValueRef::Null => SqlCell::Null,
                ValueRef::Integer(value) => SqlCell::Integer(value),
                ValueRef::Real(value) => SqlCell::Real(value),
                ValueRef::Text(bytes) => {
                    held += bytes.len() as u64;
                    match String::from_utf8_lossy(bytes) {
                        std::borrow::Cow::Borrowed(text) => SqlCell::Text(text.to_owned()),
                        std::borrow::Cow::Owned(text) => {
                            odd += 1;
                            SqlCell::Text(text)
                        }
                    }
                }
                ValueRef::Blob(bytes) => {
                    held += bytes.len() as u64;
                    SqlCell::Blob(bytes.to_vec())
                }
            };
            held += size_of::<SqlCell>() as u64;
            column.push(cell);
        }
        if held > limit {
            return Err(format!(
                "memory: the table {name:?} takes more than {} MiB; raise the limit with --max-memory if you trust the file",
                limit >> 20
            ));
        }
    }
    if odd > 0 {
        beside.notes.push(format!("{} hold bytes that are not UTF-8: shown as \u{fffd}", things(odd, "cell", "cells")));
    }
    let rows = columns.first().map_or(0, Vec::len);
    let list: Vec<FrameColumn> = names.iter().zip(columns).map(|(name, cells)| column_of(name, cells, beside)).collect();
    if list.is_empty() {
        return Err(format!("the table {name:?} has no column"));
    }
    DataFrame::new(rows, list).map_err(|error| error.to_string())
}

/// A column with the type that all of its cells have; texts where they have several.
fn column_of(name: &str, cells: Vec<SqlCell>, beside: &mut Beside) -> FrameColumn {
    let count = |of: fn(&SqlCell) -> bool| cells.iter().filter(|cell| of(cell)).count();
    let integers = count(|cell| matches!(cell, SqlCell::Integer(_)));
    let reals = count(|cell| matches!(cell, SqlCell::Real(_)));
    let texts = count(|cell| matches!(cell, SqlCell::Text(_)));
    let blobs = count(|cell| matches!(cell, SqlCell::Blob(_)));
    let exact = cells.iter().all(|cell| !matches!(cell, SqlCell::Integer(value) if value.abs() > EXACT));
    let series = if integers > 0 && reals + texts + blobs == 0 {
        let own = |cell: &SqlCell| if let SqlCell::Integer(value) = cell { Some(*value) } else { None };
        Series::new(name.into(), cells.iter().map(own).collect::<Vec<Option<i64>>>())
    } else if reals > 0 && texts + blobs == 0 && exact {
        let own = |cell: &SqlCell| match cell {
            SqlCell::Integer(value) => Some(*value as f64),
            SqlCell::Real(value) => Some(*value),
            _ => None,
        };
        Series::new(name.into(), cells.iter().map(own).collect::<Vec<Option<f64>>>())
    } else if blobs > 0 && integers + reals + texts == 0 {
        let own = |cell: &SqlCell| if let SqlCell::Blob(bytes) = cell { Some(bytes.clone()) } else { None };
        Series::new(name.into(), cells.iter().map(own).collect::<Vec<Option<Vec<u8>>>>())
    } else {
        let kinds = [(integers, "whole numbers"), (reals, "numbers"), (texts, "texts"), (blobs, "bytes")];
        let found: Vec<String> = kinds.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if found.len() > 1 {
            beside.notes.push(format!("the column {name:?} holds {}: it is read as texts", found.join(", ")));
        }
        Series::new(name.into(), cells.into_iter().map(spelled).collect::<Vec<Option<String>>>())
    };
    series.into()
}

/// A cell as a text: bytes in hexadecimal, as `SQLite` writes them.
fn spelled(cell: SqlCell) -> Option<String> {
    Some(match cell {
        SqlCell::Null => return None,
        SqlCell::Integer(value) => value.to_string(),
        SqlCell::Real(value) => format!("{value:?}"),
        SqlCell::Text(text) => text,
        SqlCell::Blob(bytes) => {
            const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
            let digit = |half: u8| DIGITS[usize::from(half & 15)];
            let hex: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect();
            format!("X'{hex}'")
        }
    })
}
