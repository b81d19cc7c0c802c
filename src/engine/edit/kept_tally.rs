//! What checks found: at first, and last of each day. A table of the project file of its own, made with the first; a release that does not know it passes it over.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::salvage::Cell;

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// How many findings of each kind there were, and how many of them waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// When, in milliseconds since 1970.
    #[serde(skip)]
    pub at: i64,
    /// The checks that had been run, by name: what another looks for was not looked for.
    pub checks: Vec<String>,
    /// Each kind in a column.
    pub found: Vec<TallyOf>,
}

/// Findings of one kind in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyOf {
    /// The kind's check and its own name.
    pub check: String,
    pub kind: String,
    pub column: String,
    pub found: u64,
    pub open: u64,
}

impl Tally {
    /// How many waited of what these checks find.
    pub fn open(&self, checks: &[String]) -> u64 {
        self.found.iter().filter(|of| checks.contains(&of.check)).map(|of| of.open).sum()
    }

    /// The day of it, since 1970.
    pub fn day(&self) -> i64 {
        self.at.div_euclid(DAY)
    }

    /// Puts it behind those that are there, the first and the last of each day: in the place of another of its day.
    pub fn join(self, list: &mut Vec<Self>) {
        if list.len() > 1 && list.last().is_some_and(|last| last.day() == self.day()) {
            list.pop();
        }
        list.push(self);
    }

    fn hash(&self, body: &[u8]) -> i64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        hasher.update(b"tally");
        hasher.update(&self.at.to_le_bytes());
        hasher.update(body);
        hasher.digest().cast_signed()
    }

    /// Keeps it, in the place of another of its day that is not the first of all.
    pub(super) fn keep(&self, connection: &Connection) -> rusqlite::Result<()> {
        let transaction = connection.unchecked_transaction()?;
        self.write(&transaction)?;
        transaction.execute(
            "DELETE FROM tallies WHERE at / ?1 = ?2 AND id < (SELECT max(id) FROM tallies) AND id > (SELECT min(id) FROM tallies)",
            params![DAY, self.day()],
        )?;
        transaction.commit()
    }

    /// Writes it after those that are there.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS tallies (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, open INTEGER NOT NULL, body BLOB NOT NULL,
                hash INTEGER NOT NULL) STRICT",
        )?;
        let body = serde_json::to_vec(self).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let open = i64::try_from(self.open(&self.checks)).unwrap_or(i64::MAX);
        let row = params![self.at, open, body, self.hash(&body)];
        connection.execute("INSERT INTO tallies (at, open, body, hash) VALUES (?1, ?2, ?3, ?4)", row)?;
        Ok(())
    }

    /// A row, where it is as it was written.
    fn of_row(at: i64, body: &[u8], hash: i64) -> Option<Self> {
        let tally = Self { at, ..serde_json::from_slice(body).ok()? };
        (hash == tally.hash(body)).then_some(tally)
    }

    /// A row of a torn project, where it is as it was written.
    pub(super) fn salvaged(cells: &[Cell]) -> Option<Self> {
        let [_, at, _, body, hash] = cells else { return None };
        Self::of_row(at.integer()?, body.blob()?, hash.integer()?)
    }
}

/// Every one that is as it was written, in the order of their making; what is torn is passed over.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<Tally>> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'tallies'";
    if connection.query_row(tables, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT at, body, hash FROM tallies ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = || -> rusqlite::Result<(i64, Vec<u8>, i64)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?)) };
        list.extend(cells().ok().and_then(|(at, body, hash)| Tally::of_row(at, &body, hash)));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_day_the_last_is_kept_and_the_very_first() {
        let connection = Connection::open_in_memory().unwrap();
        let mut list: Vec<Tally> = Vec::new();
        for at in [DAY, DAY + 1, DAY + 2, DAY * 2, DAY * 2 + 5, DAY * 3] {
            let tally = Tally { at, checks: vec!["noise".to_owned()], found: Vec::new() };
            tally.keep(&connection).unwrap();
            tally.join(&mut list);
        }
        let days: Vec<i64> = list.iter().map(|tally| tally.at).collect();
        assert_eq!(days, [DAY, DAY + 2, DAY * 2 + 5, DAY * 3]);
        assert_eq!(read(&connection).unwrap(), list);
    }
}
