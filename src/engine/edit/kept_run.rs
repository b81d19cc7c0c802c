//! Runs in the project file: what models learned from the dataset, and what they said of it. A table of its own, made with the first; a release that does not know it passes it over.

use rusqlite::{Connection, params};

use super::salvage::Cell;

/// A run as the project keeps it; what it says is for whoever made it to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRun {
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    pub name: String,
    /// How often the samples that it was tested on have been looked at with it, this time counted.
    pub look: i64,
    pub body: Vec<u8>,
}

impl KeptRun {
    fn hash(&self) -> i64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for number in [self.id, self.at, self.look] {
            hasher.update(&number.to_le_bytes());
        }
        for part in [self.name.as_bytes(), &self.body] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.digest().cast_signed()
    }

    /// Writes it, in the place of one with its number.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, name TEXT NOT NULL, look INTEGER NOT NULL,
                body BLOB NOT NULL, hash INTEGER NOT NULL) STRICT",
        )?;
        let row = params![self.id, self.at, self.name, self.look, self.body, self.hash()];
        connection.execute("INSERT OR REPLACE INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6)", row)?;
        Ok(())
    }

    /// A row of a torn project, where it is as it was written.
    pub(super) fn salvaged(id: i64, cells: &[Cell]) -> Option<Self> {
        let [_, at, name, look, body, hash] = cells else { return None };
        let run =
            Self { id, at: at.integer()?, name: name.text()?.to_owned(), look: look.integer()?, body: body.blob()?.to_vec() };
        (hash.integer()? == run.hash()).then_some(run)
    }
}

/// Every run that is as it was written, in the order of their making, and how many are not.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<(Vec<KeptRun>, usize)> {
    let there: i64 =
        connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'runs'", [], |row| row.get(0))?;
    if there == 0 {
        return Ok((Vec::new(), 0));
    }
    let mut statement = connection.prepare("SELECT id, at, name, look, body, hash FROM runs ORDER BY id")?;
    let mut rows = statement.query([])?;
    let (mut list, mut torn) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        // A row that is torn keeps nobody from the edits.
        let run = || -> rusqlite::Result<(KeptRun, i64)> {
            let run = KeptRun { id: row.get(0)?, at: row.get(1)?, name: row.get(2)?, look: row.get(3)?, body: row.get(4)? };
            Ok((run, row.get(5)?))
        };
        match run() {
            Ok((run, hash)) if hash == run.hash() => list.push(run),
            _ => torn += 1,
        }
    }
    Ok((list, torn))
}

fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'runs'";
    connection.query_row(tables, [], |row| row.get::<_, i64>(0)).map(|n| n > 0)
}

/// The number of the last run, torn ones counted; 0 where there is none.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<i64> {
    if !is_there(connection)? {
        return Ok(0);
    }
    connection.query_row("SELECT coalesce(max(id), 0) FROM runs", [], |row| row.get(0))
}
