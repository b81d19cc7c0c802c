//! Databases on a server as sources: one table, or what one question answers, read within one snapshot that writes nothing.
//!
//! A connection goes to the address that the user named, and only once they said so in this run (`leave`): a list that came with the mail asks nobody by
//! itself. A password is never part of a list; it comes from the environment, the client's own files, or whoever is asked for it.

mod address;
mod cells;
mod leave;
mod mysql;
mod postgres;

pub use address::{DatabaseAddress, is_address};
pub use leave::{allow_connection, allow_host, connection_line, set_password};

use std::path::Path;

use polars_arrow::array::Utf8ViewArray;

use crate::data::{Base, Column, Dataset, Format, Kind, Origin, Warning};
use crate::io::error::IoError;
use crate::io::read::budget::Budget;
use crate::io::read::columns::of_texts;
use crate::io::read::shards::nothing;
use crate::job::Progress;
use cells::Gathered;

/// What is read of a database: a table (`schema.table`, `table`), or what a question answers; nothing where it has one table alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabaseAsked {
    pub table: Option<String>,
    pub query: Option<String>,
}

/// Why nothing was read.
enum Refusal {
    Said(String),
    TooLarge(String),
    Cancelled,
}

impl From<crate::job::Cancelled> for Refusal {
    fn from(_: crate::job::Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Reads a source from a server by itself, as [`open_database`] does.
///
/// # Errors
/// [`IoError`], likewise.
pub fn open_database_alone(list: (&Path, &str), source: (&str, &DatabaseAsked), progress: &Progress) -> Result<Dataset, IoError> {
    open_database(list, source, &Budget::of_dataset(), progress)
}

/// Reads a source from a server. `list` is the file that names it; cells are what the server writes, and a kind is what a column's cells allow.
///
/// # Errors
/// [`IoError`]: with the source's `id`; nothing is sent where the user has not allowed it.
pub fn open_database(
    (list, id): (&Path, &str),
    (read, asked): (&str, &DatabaseAsked),
    budget: &Budget,
    progress: &Progress,
) -> Result<Dataset, IoError> {
    let broken = |reason: String| IoError::Broken {
        path: list.to_owned(),
        format: "list of sources",
        reason: format!("source {id:?}: {reason}"),
    };
    let address = DatabaseAddress::parse(read).map_err(broken)?;
    if !leave::is_allowed(&address, asked) {
        return Err(broken(format!(
            "it is read from {}, and nothing was sent there yet: --connect {} allows it",
            address.shown(),
            address.host
        )));
    }
    let password = leave::password(&address);
    let read = if address.is_postgres() { postgres::read } else { mysql::read };
    let gathered = read(&address, password.as_deref(), asked, budget, progress).map_err(|refusal| match refusal {
        Refusal::Said(reason) => broken(format!("{}: {reason}", address.shown())),
        Refusal::TooLarge(reason) => IoError::TooLarge {
            path: list.to_owned(),
            reason: format!(
                "source {id:?}: {reason}; or ask for less of it: a query with WHERE or LIMIT, or one that draws (ORDER BY random() LIMIT 100000)"
            ),
        },
        Refusal::Cancelled => IoError::Cancelled,
    })?;
    Ok(dataset_of(list, gathered))
}

fn dataset_of(list: &Path, gathered: Gathered) -> Dataset {
    let Gathered { names, columns, nested, rows, bytes, print, notes, .. } = gathered;
    let base = nothing(list, Format::Csv);
    let columns: Vec<Column> = names
        .iter()
        .zip(columns)
        .zip(nested)
        .map(|((name, cells), nested)| {
            let cells: Utf8ViewArray = cells.into();
            match json_kind(&cells).filter(|_| nested) {
                Some(kind) => Column::from_views(name, kind, cells),
                None => of_texts(Column::from_views(name, Kind::Text, cells)),
            }
        })
        .collect();
    let origin = Origin { fingerprint: print.digest128(), bytes, ..base.origin.clone() };
    let warnings = notes.into_iter().map(|reason| Warning { line: 0, reason }).collect();
    Dataset::new(Base { columns, rows, origin, warnings, ..base })
}

/// What cells of JSON are; `None` where there are none.
fn json_kind(cells: &Utf8ViewArray) -> Option<Kind> {
    let mut firsts = cells.iter().flatten().filter_map(|text| text.trim_start().bytes().next());
    let first = firsts.next()?;
    let same = firsts.all(|other| other == first);
    Some(match first {
        b'[' if same => Kind::List,
        b'{' if same => Kind::Struct,
        _ => Kind::Json,
    })
}

/// Which table is read where nobody said which; in words where there are none or several.
fn only_table(names: Vec<String>) -> Result<String, Refusal> {
    const LISTED: usize = 20;
    match names.as_slice() {
        [] => Err(Refusal::Said("it has no table that you may read".to_owned())),
        [one] => Ok(one.clone()),
        several => {
            let more = if several.len() > LISTED { ", …" } else { "" };
            let listed = several.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
            Err(Refusal::Said(format!("it has {} tables, and one is to be named: {listed}{more}", several.len())))
        }
    }
}
