//! `DuckDB` files, by the user's own `duckdb`: no library reads every version of them. It is told to open the file to be read only and to reach nothing else, and to
//! write one table's rows as JSON Lines, which go through our own reader.

use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::budget::{Budget, over};
use super::source;
use super::text::{TextBytes, TextFile, beside, open_text};
use crate::data::{Base, Dataset, Format, Origin, Packing, Warning};
use crate::io::error::IoError;
use crate::io::reading::Reading;
use crate::job::Progress;

/// Names the program, where it is not `duckdb` on the path.
const PROGRAM: &str = "LAPIDARY_DUCKDB";
/// The most of what it says to standard error that is told.
const MOST_SAID: u64 = 2_000;
/// What is said before any question: a view in the file is a stranger's, and reads no other file and calls nobody.
const WALLS: &str = "SET enable_external_access = false; SET autoinstall_known_extensions = false; SET autoload_known_extensions = false; SET lock_configuration = true; ";

/// Opens a table or view; the one with the most rows where nobody says which.
///
/// # Errors
/// [`IoError`]: there is no such program, it cannot read the file, there is no such table.
pub fn open_duckdb(path: &Path, reading: &Reading, budget: &Budget, progress: &Progress) -> Result<Dataset, IoError> {
    let broken = |reason: String| IoError::Broken { path: path.to_owned(), format: Format::DuckDb.title(), reason };
    let list = "SELECT schema_name AS s, table_name AS t, estimated_size AS n FROM duckdb_tables() WHERE NOT internal \
                UNION ALL SELECT schema_name, view_name, -1 FROM duckdb_views() WHERE NOT internal ORDER BY n DESC, s, t";
    let rows = asked(path, list, budget, progress)?;
    let tables: Vec<(String, String)> = String::from_utf8_lossy(&rows)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|row| Some((row["s"].as_str()?.to_owned(), row["t"].as_str()?.to_owned())))
        .collect();
    let called = |(schema, table): &(String, String)| if schema == "main" { table.clone() } else { format!("{schema}.{table}") };
    let names: Vec<String> = tables.iter().map(called).collect();
    let chosen = match &reading.sheet {
        Some(asked) => names
            .iter()
            .position(|name| name == asked)
            .ok_or_else(|| broken(format!("there is no table {asked:?}; there are {}", names.join(", "))))?,
        None if names.is_empty() => return Err(broken("it has no table".to_owned())),
        None => 0,
    };
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let (schema, table) = &tables[chosen];
    let rows = asked(path, &format!("SELECT * FROM {}.{}", quoted(schema), quoted(table)), budget, progress)?;
    if rows.iter().all(u8::is_ascii_whitespace) {
        return Err(broken(format!("the table {:?} has no row; {}", names[chosen], listed(&names))));
    }
    let file = TextFile {
        fingerprint: xxh3_128(&rows),
        bytes: TextBytes::Held(rows),
        named: Some(Format::JsonLines),
        packing: Packing::None,
        pictures: Some(beside(path)),
    };
    let dataset = open_text(path, file, &Reading::default(), budget, progress)?;
    let base = std::sync::Arc::try_unwrap(dataset.base).map_err(|_| broken("it is held elsewhere".to_owned()))?;
    let mut warnings = base.warnings.clone();
    if names.len() > 1 && reading.sheet.is_none() {
        let reason =
            format!("the table {:?} is read; others: Collect and --sheet choose among {}", names[chosen], names.join(", "));
        warnings.push(Warning { line: 0, reason });
    }
    let origin = Origin {
        format: Format::DuckDb,
        fingerprint: source::fingerprint(path)?,
        bytes: std::fs::metadata(path).map_or(0, |meta| meta.len()),
        sheet: Some(names[chosen].clone()),
        sheets: names,
        ..base.origin.clone()
    };
    // What it was written as on its way is nothing of the file's own: it is not saved back.
    Ok(Dataset::new(Base { raw: None, origin, warnings, ..base }))
}

fn listed(names: &[String]) -> String {
    format!("there are {}", names.join(", "))
}

/// What the program answers, a row a line.
fn asked(path: &Path, query: &str, budget: &Budget, progress: &Progress) -> Result<Vec<u8>, IoError> {
    let broken = |reason: String| IoError::Broken { path: path.to_owned(), format: Format::DuckDb.title(), reason };
    let program = std::env::var_os(PROGRAM).map_or_else(|| PathBuf::from("duckdb"), PathBuf::from);
    // Through files and not pipes: neither side waits for the other.
    let mut passed = tempfile::tempfile().map_err(|error| broken(error.to_string()))?;
    let mut said = tempfile::tempfile().map_err(|error| broken(error.to_string()))?;
    let handles = passed.try_clone().and_then(|out| Ok((out, said.try_clone()?)));
    let (out, err) = handles.map_err(|error| broken(error.to_string()))?;
    let megabytes = (budget.left() >> 20).max(64);
    let mut child = Command::new(&program)
        .args(["-readonly", "-batch", "-init", if cfg!(windows) { "NUL" } else { "/dev/null" }, "-jsonlines"])
        .arg(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
        .args(["-c", &format!("SET memory_limit = '{megabytes}MB'; {WALLS}{query}")])
        .stdin(Stdio::null())
        .stdout(Stdio::from(out))
        .stderr(Stdio::from(err))
        .spawn()
        .map_err(|_| IoError::Format {
            path: path.to_owned(),
            what: "it is a DuckDB database, which is read by your own duckdb program, and there is none on the path: install it, or save a table with COPY … TO 'table.parquet'"
                .to_owned(),
        })?;
    let status = loop {
        match child.try_wait().map_err(|error| broken(error.to_string()))? {
            Some(status) => break status,
            None => {
                let much = passed.metadata().is_ok_and(|meta| meta.len() > budget.left());
                if much || progress.check().is_err() {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(if much {
                        IoError::TooLarge { path: path.to_owned(), reason: over(budget.limit()) }
                    } else {
                        IoError::Cancelled
                    });
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    };
    if !status.success() {
        let mut words = String::new();
        let _ = said.rewind();
        let _ = said.take(MOST_SAID).read_to_string(&mut words);
        let first = words.lines().find(|line| !line.trim().is_empty()).unwrap_or("duckdb says nothing").trim().to_owned();
        return Err(broken(format!("duckdb says: {first}")));
    }
    let mut bytes = Vec::new();
    passed.rewind().and_then(|()| passed.read_to_end(&mut bytes)).map_err(|error| broken(error.to_string()))?;
    Ok(bytes)
}
