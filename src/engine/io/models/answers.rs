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

/// What says that a database is one of answers: `LAPa`.
const APPLICATION: i32 = 0x4c41_5061;

impl AnswerStore {
    /// Opens the file at `path`, or makes it where there is none.
    ///
    /// # Errors
    /// What the system says, and that the file is another's: it is left as it is.
    pub fn open(path: &Path) -> Result<Self, String> {
        let connection = connect(path).map_err(|error| match error {
            Trouble::Foreign => "that is a file of another kind; name a new one".to_owned(),
            Trouble::Other(error) => error.to_string(),
        })?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Opens the program's own cache at `path`; one that is broken is made anew, and one that has grown large loses its older half.
    ///
    /// # Errors
    /// What the system says.
    pub fn cache(path: &Path) -> Result<Self, String> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        let connection = match connect(path) {
            Err(Trouble::Foreign) => {
                for end in ["", "-wal", "-shm"] {
                    let mut name = path.as_os_str().to_owned();
                    name.push(end);
                    let _ = fs::remove_file(name);
                }
                connect(path)
            }
            other => other,
        };
        let connection = connection.map_err(|error| match error {
            Trouble::Foreign => "it is no file of answers".to_owned(),
            Trouble::Other(error) => error.to_string(),
        })?;
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

enum Trouble {
    /// It is no database, or none of answers.
    Foreign,
    Other(rusqlite::Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => Self::Foreign,
            _ => Self::Other(error),
        }
    }
}

fn connect(path: &Path) -> Result<Connection, Trouble> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    // SQLite takes a file of a few letters for an empty database.
    let empty = fs::metadata(path).is_ok_and(|meta| meta.len() == 0);
    if !empty && number("application_id")? != i64::from(APPLICATION) {
        return Err(Trouble::Foreign);
    }
    connection.pragma_update(None, "application_id", APPLICATION)?;
    // An answer that a power cut takes is asked for again.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         CREATE TABLE IF NOT EXISTS answers (key BLOB NOT NULL UNIQUE, text TEXT NOT NULL);",
    )?;
    drop(connection.prepare("SELECT key, text FROM answers LIMIT 1")?);
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
        let store = AnswerStore::cache(&path).unwrap();
        store.put("a", 7, "seven").unwrap();
        drop(store);
        let store = AnswerStore::open(&path).unwrap();
        assert_eq!((store.get("a", 7).as_deref(), store.get("b", 7), store.get("a", 8)), (Some("seven"), None, None));
        drop(store);
        // What somebody names by a slip is left alone; only the program's own cache is made anew.
        for bytes in [&b"text,label\n"[..], &b"no database at all, but long enough to be looked at for one".repeat(40)] {
            fs::write(&path, bytes).unwrap();
            assert!(AnswerStore::open(&path).is_err());
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        let other = home.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (n); INSERT INTO mine VALUES (1);").unwrap();
        let before = fs::read(&other).unwrap();
        assert!(AnswerStore::open(&other).err().unwrap().contains("another kind"));
        assert_eq!(fs::read(&other).unwrap(), before);
        let store = AnswerStore::cache(&path).unwrap();
        store.put("a", 7, "again").unwrap();
        assert_eq!(store.get("a", 7).as_deref(), Some("again"));
    }
}
