//! What text models have answered, kept: a run that was stopped goes on where it was, and nothing is paid for twice.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};
use xxhash_rust::xxh3::xxh3_128;

use crate::data::AskKey;

/// Answers on disk.
pub struct AnswerStore {
    connection: Mutex<Connection>,
}

/// Bytes beyond which the older half of the answers goes.
const LARGEST: u64 = 512 << 20;

impl AnswerStore {
    /// Opens the file at `path`, or makes it; one that cannot be read is made anew, for it is a cache.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> Result<Self, String> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        let connection = connect(path).or_else(|_| {
            // Two windows may open it at once: what another made good meanwhile is not deleted.
            let _ = fs::remove_file(path);
            connect(path)
        });
        let connection = connection.map_err(|error| error.to_string())?;
        if fs::metadata(path).is_ok_and(|meta| meta.len() > LARGEST) {
            let _ = connection
                .execute_batch("DELETE FROM answers WHERE rowid < (SELECT (MIN(rowid) + MAX(rowid)) / 2 FROM answers); VACUUM;");
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// What a model answered to a question.
    pub fn get(&self, identity: &str, key: AskKey) -> Option<String> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached("SELECT text FROM answers WHERE key = ?1").ok()?;
        statement.query_row([name(identity, key)], |row| row.get(0)).optional().ok().flatten()
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// What the system says.
    pub fn put(&self, identity: &str, key: AskKey, answer: &str) -> Result<(), String> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let put = || -> rusqlite::Result<usize> {
            let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO answers (key, text) VALUES (?1, ?2)")?;
            statement.execute(params![name(identity, key), answer])
        };
        put().map(|_| ()).map_err(|error| error.to_string())
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // An answer that a power cut takes is asked for again.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         CREATE TABLE IF NOT EXISTS answers (key BLOB NOT NULL UNIQUE, text TEXT NOT NULL);",
    )?;
    Ok(connection)
}

fn name(identity: &str, key: AskKey) -> [u8; 16] {
    let mut bytes = key.to_le_bytes().to_vec();
    bytes.extend(identity.as_bytes());
    xxh3_128(&bytes).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_there_again_and_a_broken_file_is_made_anew() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/answers.db");
        let store = AnswerStore::open(&path).unwrap();
        store.put("a", 7, "seven").unwrap();
        drop(store);
        let store = AnswerStore::open(&path).unwrap();
        assert_eq!((store.get("a", 7).as_deref(), store.get("b", 7), store.get("a", 8)), (Some("seven"), None, None));
        drop(store);
        for name in ["answers.db-wal", "answers.db-shm"] {
            let _ = fs::remove_file(path.with_file_name(name));
        }
        fs::write(&path, b"no database at all, but long enough to be looked at for one").unwrap();
        let store = AnswerStore::open(&path).unwrap();
        store.put("a", 7, "again").unwrap();
        assert_eq!(store.get("a", 7).as_deref(), Some("again"));
    }
}
