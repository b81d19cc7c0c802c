//! The project file: an append-only `SQLite` database beside the source.
//!
//! An edit and the move onto it are one transaction, synced before [`Journal::commit`] returns. Every row carries a hash
//! of what it says, so that a flipped bit is found and never applied. The file is locked for as long as it is open: a
//! second Lapidary is refused. A file that is torn, newer or not ours is never written to. The source file never is.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::change::Edit;
use super::error::JournalError;
use super::history::{EditId, History, Node};

/// `LAPI`, in the file's header: what tells our files from others.
const APPLICATION: i32 = 0x4c41_5049;
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE edits (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, at INTEGER NOT NULL, words TEXT NOT NULL,
        count INTEGER NOT NULL, body BLOB NOT NULL, prints BLOB NOT NULL, hash INTEGER NOT NULL) STRICT;
    CREATE TABLE moves (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, head INTEGER NOT NULL, hash INTEGER NOT NULL) STRICT;
";

/// What a project file says of the dataset it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The source's fingerprint when the project was begun.
    pub fingerprint: u128,
    /// How the source was read, as the opener wrote it.
    pub reading: String,
}

/// An open project file, locked against others.
pub struct Journal {
    path: PathBuf,
    connection: Connection,
    history: History,
    stored: Stored,
}

/// Where the project of a source lives: beside it, or, where that folder cannot be written, in `fallback`.
/// The flag says that the fallback was taken.
pub fn project_path(source: &Path, fallback: Option<&Path>) -> (PathBuf, bool) {
    // The source's extension stays in the name: data.csv and data.jsonl must not share a project.
    let mut name = source.file_name().unwrap_or_default().to_owned();
    name.push(".lapidary");
    let beside = source.with_file_name(&name);
    if beside.exists() {
        return (beside, false);
    }
    let Some(fallback) = fallback else { return (beside, false) };
    let full = std::path::absolute(source).unwrap_or_else(|_| source.to_owned());
    let hash = xxh3_128(full.as_os_str().as_encoded_bytes());
    let elsewhere = fallback.join(format!("{hash:032x}-{}", name.to_string_lossy()));
    if elsewhere.exists() {
        return (elsewhere, true);
    }
    let folder = beside.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match tempfile::Builder::new().prefix(".lapidary-").tempfile_in(folder) {
        Ok(_) => (beside, false),
        Err(_) => (elsewhere, true),
    }
}

impl Journal {
    /// What the project at `path` says of its source, without locking it for long; `None` where there is none.
    ///
    /// # Errors
    /// [`JournalError`]: busy, foreign, newer, damaged.
    pub fn peek(path: &Path) -> Result<Option<Stored>, JournalError> {
        if !path.exists() {
            return Ok(None);
        }
        Self::open(path).map(|journal| Some(journal.stored))
    }

    /// Opens an existing project, checks all of it, and locks it.
    ///
    /// # Errors
    /// [`JournalError`]: busy, foreign, newer, damaged.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let (connection, stored) = connect_existing(path)?;
        let sound: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|e| classify(path, &e))?;
        if sound != "ok" {
            return Err(damaged(path, "the database does not hold together"));
        }
        let (history, fault) = read_history(path, &connection)?;
        if let Some(what) = fault {
            return Err(damaged(path, &what));
        }
        Ok(Self { path: path.to_owned(), connection, history, stored })
    }

    /// Begins a project. It appears under its name only when it is whole.
    ///
    /// # Errors
    /// [`JournalError::Disk`]; [`JournalError::Foreign`] where a file of that name exists.
    pub fn create(path: &Path, stored: Stored) -> Result<Self, JournalError> {
        if path.exists() {
            return Err(JournalError::Foreign(path.to_owned()));
        }
        let disk = |reason: &dyn std::fmt::Display| JournalError::Disk { path: path.to_owned(), reason: reason.to_string() };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|e| disk(&e))?;
        let aside = tempfile::Builder::new().prefix(".lapidary-").tempfile_in(folder).map_err(|e| disk(&e))?;
        {
            let new = Connection::open(aside.path()).map_err(|e| disk(&e))?;
            new.execute_batch(&format!(
                "PRAGMA synchronous=FULL; PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION}; BEGIN; {TABLES}"
            ))
            .map_err(|e| disk(&e))?;
            for (name, value) in [("fingerprint", format!("{:032x}", stored.fingerprint)), ("reading", stored.reading.clone())] {
                new.execute("INSERT INTO facts VALUES (?1, ?2)", params![name, value]).map_err(|e| disk(&e))?;
            }
            new.execute_batch("COMMIT").map_err(|e| disk(&e))?;
        }
        aside.persist_noclobber(path).map_err(|e| disk(&e.error))?;
        sync_folder(folder);
        Self::open(path)
    }

    /// Where the project is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tree of edits.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What it says of its source.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// Makes an edit durable on top of where we are. `prints` are the content hashes of its samples, in order.
    ///
    /// # Errors
    /// [`JournalError::Disk`]; nothing was kept then.
    pub fn commit(&mut self, edit: &Edit, prints: &[u64]) -> Result<EditId, JournalError> {
        self.commit_on(self.history.head(), edit, prints, now())
    }

    fn commit_on(&mut self, parent: EditId, edit: &Edit, prints: &[u64], at: i64) -> Result<EditId, JournalError> {
        let body = encode(edit).map_err(|reason| JournalError::Disk { path: self.path.clone(), reason })?;
        let prints: Vec<u8> = prints.iter().flat_map(|print| print.to_le_bytes()).collect();
        let count = edit.count();
        let id = self.history.nodes().last().map_or(1, |node| node.id + 1);
        let hash = hash_edit(id, parent, at, &edit.words, count, &body, &prints);
        let result = (|| {
            let transaction = self.connection.transaction()?;
            transaction.prepare_cached("INSERT INTO edits VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
                id,
                parent,
                at,
                edit.words,
                i64::try_from(count).unwrap_or(i64::MAX),
                body,
                prints,
                hash
            ])?;
            insert_move(&transaction, at, id)?;
            transaction.commit()
        })();
        result.map_err(|error| classify(&self.path, &error))?;
        self.history.push(Node { id, parent, at, words: edit.words.clone(), count });
        Ok(id)
    }

    /// Makes a move to `head` durable: undo, redo and jumps are moves.
    ///
    /// # Errors
    /// [`JournalError::Disk`]; we are where we were then.
    pub fn go(&mut self, head: EditId) -> Result<(), JournalError> {
        let transaction = self.connection.transaction().map_err(|e| classify(&self.path, &e))?;
        insert_move(&transaction, now(), head).and_then(|()| transaction.commit()).map_err(|e| classify(&self.path, &e))?;
        if self.history.undo_target() == Some(head) {
            self.history.step_back();
        } else if self.history.redo_target() == Some(head) {
            self.history.step_forward();
        } else {
            self.history.go(head);
        }
        Ok(())
    }

    /// Reads edit `id`.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] where it cannot be read any more.
    pub fn edit(&self, id: EditId) -> Result<Edit, JournalError> {
        let body: Vec<u8> = self
            .connection
            .prepare_cached("SELECT body FROM edits WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([id], |row| row.get(0)))
            .map_err(|error| classify(&self.path, &error))?;
        decode(&body).ok_or_else(|| damaged(&self.path, &format!("edit {id} cannot be read")))
    }

    /// The content hashes of the samples of edit `id`, in order.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn prints(&self, id: EditId) -> Result<Vec<u64>, JournalError> {
        let bytes: Vec<u8> = self
            .connection
            .query_row("SELECT prints FROM edits WHERE id = ?1", [id], |row| row.get(0))
            .map_err(|error| classify(&self.path, &error))?;
        Ok(bytes.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok().map(u64::from_le_bytes)).collect())
    }

    /// Closes the project and moves it aside, under a name that says why; returns that name.
    ///
    /// # Errors
    /// [`JournalError::Disk`].
    pub fn set_aside(self, why: &str) -> Result<PathBuf, JournalError> {
        let path = self.path.clone();
        drop(self);
        set_aside(&path, why)
    }
}

fn set_aside(path: &Path, why: &str) -> Result<PathBuf, JournalError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut to = path.with_file_name(format!("{name}.{why}"));
    for n in 2.. {
        if !to.exists() {
            break;
        }
        to = path.with_file_name(format!("{name}.{why}-{n}"));
    }
    for end in ["", "-wal", "-shm"] {
        let part = |base: &Path| PathBuf::from(format!("{}{end}", base.display()));
        if part(path).exists() {
            fs::rename(part(path), part(&to)).map_err(|e| JournalError::Disk { path: path.to_owned(), reason: e.to_string() })?;
        }
    }
    Ok(to)
}

/// Saves what can be read of a damaged project: the damaged file is moved aside whole, and a new one takes its place with
/// every edit whose row and whose ancestors are sound. Returns where the old file is, how many edits were saved, and
/// how many rows could not be.
///
/// # Errors
/// [`JournalError`] where nothing at all can be read, or the disk refuses.
pub fn recover(path: &Path) -> Result<(PathBuf, usize, usize), JournalError> {
    let (connection, stored) = connect_existing(path)?;
    let mut saved: Vec<(Node, Edit, Vec<u64>)> = Vec::new();
    let mut lost = 0;
    // Row by row: one torn page must not hide the rows on the others.
    let mut known: std::collections::HashSet<EditId> = [0].into();
    for id in readable_ids(&connection) {
        match read_edit(&connection, id) {
            Some((node, edit, prints)) if known.contains(&node.parent) => {
                known.insert(node.id);
                saved.push((node, edit, prints));
            }
            _ => lost += 1,
        }
    }
    let head = (|| {
        let mut statement = connection.prepare("SELECT id, at, head, hash FROM moves ORDER BY id DESC").ok()?;
        let mut rows = statement.query([]).ok()?;
        while let Ok(Some(row)) = rows.next() {
            let (id, at, head, hash) = (row.get(0).ok()?, row.get(1).ok()?, row.get(2).ok()?, row.get::<_, i64>(3).ok()?);
            if hash == hash_move(id, at, head) && known.contains(&head) {
                return Some(head);
            }
        }
        None
    })();
    let head = head.unwrap_or_else(|| saved.last().map_or(0, |(node, ..)| node.id));
    drop(connection);
    let aside = set_aside(path, "damaged")?;
    let mut journal = Journal::create(path, stored)?;
    let mut numbers: std::collections::HashMap<EditId, EditId> = [(0, 0)].into();
    for (node, edit, prints) in &saved {
        let id = journal.commit_on(numbers.get(&node.parent).copied().unwrap_or(0), edit, prints, node.at)?;
        numbers.insert(node.id, id);
    }
    journal.go(numbers.get(&head).copied().unwrap_or(0))?;
    Ok((aside, saved.len(), lost))
}

/// The numbers of the edits that a damaged file still lists, from both its ends: a torn page stops a walk.
fn readable_ids(connection: &Connection) -> std::collections::BTreeSet<EditId> {
    let mut ids = std::collections::BTreeSet::new();
    for order in ["ASC", "DESC"] {
        let Ok(mut statement) = connection.prepare(&format!("SELECT id FROM edits ORDER BY id {order}")) else { continue };
        let Ok(mut rows) = statement.query([]) else { continue };
        while let Ok(Some(row)) = rows.next() {
            ids.extend(row.get::<_, EditId>(0).ok());
        }
    }
    ids
}

fn connect_existing(path: &Path) -> Result<(Connection, Stored), JournalError> {
    let mut header = Vec::new();
    File::open(path)
        .and_then(|file| file.take(100).read_to_end(&mut header))
        .map_err(|e| JournalError::Disk { path: path.to_owned(), reason: e.to_string() })?;
    if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        return Err(JournalError::Foreign(path.to_owned()));
    }
    if header[68..72] != APPLICATION.to_be_bytes() {
        return Err(JournalError::Foreign(path.to_owned()));
    }
    let found = i64::from(u32::from_be_bytes([header[60], header[61], header[62], header[63]]));
    if found > VERSION {
        return Err(JournalError::Newer { path: path.to_owned(), found });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| classify(path, &e))?;
    // Whoever has it open keeps it open: waiting helps nobody, and the window must not stand still.
    connection.busy_timeout(std::time::Duration::from_millis(100)).map_err(|e| classify(path, &e))?;
    connection
        .execute_batch(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON;
             PRAGMA trusted_schema=OFF; BEGIN EXCLUSIVE; COMMIT;",
        )
        .map_err(|e| classify(path, &e))?;
    let fact = |name: &str| {
        connection.query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| row.get::<_, String>(0)).map_err(|error| {
            match classify(path, &error) {
                busy @ JournalError::Busy(_) => busy,
                _ => damaged(path, &format!("it does not say its source's {name}")),
            }
        })
    };
    let fingerprint =
        u128::from_str_radix(&fact("fingerprint")?, 16).map_err(|_| damaged(path, "its source's fingerprint cannot be read"))?;
    let stored = Stored { fingerprint, reading: fact("reading")? };
    Ok((connection, stored))
}

/// The tree of edits, and the first thing in it that does not hold.
fn read_history(path: &Path, connection: &Connection) -> Result<(History, Option<String>), JournalError> {
    let mut history = History::default();
    let result: rusqlite::Result<Option<String>> = (|| {
        let mut statement =
            connection.prepare("SELECT id, parent, at, words, count, body, prints, hash FROM edits ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: EditId = row.get(0)?;
            match sound_edit(row) {
                Some(node) if history.has(node.parent) => history.add(node),
                _ => return Ok(Some(format!("edit {id} is not as it was written"))),
            }
        }
        let mut statement = connection.prepare("SELECT id, at, head, hash FROM moves ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, at, head, hash): (i64, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            if hash != hash_move(id, at, head) || !history.has(head) {
                return Ok(Some(format!("step {id} is not as it was written")));
            }
            if history.undo_target() == Some(head) {
                history.step_back();
            } else if history.redo_target() == Some(head) {
                history.step_forward();
            } else if history.node(head).is_some_and(|node| node.parent == history.head()) {
                history.advance(head);
            } else {
                history.go(head);
            }
        }
        Ok(None)
    })();
    result.map(|fault| (history, fault)).map_err(|error| classify(path, &error))
}

fn sound_edit(row: &rusqlite::Row<'_>) -> Option<Node> {
    let node = Node {
        id: row.get(0).ok()?,
        parent: row.get(1).ok()?,
        at: row.get(2).ok()?,
        words: row.get(3).ok()?,
        count: usize::try_from(row.get::<_, i64>(4).ok()?).ok()?,
    };
    let (body, prints) = (row.get_ref(5).ok()?.as_blob().ok()?, row.get_ref(6).ok()?.as_blob().ok()?);
    let hash = hash_edit(node.id, node.parent, node.at, &node.words, node.count, body, prints);
    (row.get::<_, i64>(7).ok()? == hash).then_some(node)
}

fn read_edit(connection: &Connection, id: EditId) -> Option<(Node, Edit, Vec<u64>)> {
    connection
        .query_row("SELECT id, parent, at, words, count, body, prints, hash FROM edits WHERE id = ?1", [id], |row| {
            let node = sound_edit(row);
            let edit = decode(row.get_ref(5)?.as_blob().unwrap_or_default());
            let prints = row.get_ref(6)?.as_blob().unwrap_or_default();
            let prints = prints.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok().map(u64::from_le_bytes)).collect();
            Ok(node.zip(edit).map(|(node, edit)| (node, edit, prints)))
        })
        .ok()
        .flatten()
}

fn insert_move(connection: &Connection, at: i64, head: EditId) -> rusqlite::Result<()> {
    let id: i64 = connection.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM moves")?.query_row([], |row| row.get(0))?;
    connection.prepare_cached("INSERT INTO moves VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        id,
        at,
        head,
        hash_move(id, at, head)
    ])?;
    Ok(())
}

fn hash_edit(id: EditId, parent: EditId, at: i64, words: &str, count: usize, body: &[u8], prints: &[u8]) -> i64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    for number in [id, parent, at, i64::try_from(count).unwrap_or(i64::MAX)] {
        hasher.update(&number.to_le_bytes());
    }
    for part in [words.as_bytes(), body, prints] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.digest().cast_signed()
}

fn hash_move(id: i64, at: i64, head: EditId) -> i64 {
    let bytes: Vec<u8> = [id, at, head].iter().flat_map(|number| number.to_le_bytes()).collect();
    xxh3_64(&bytes).cast_signed()
}

fn encode(edit: &Edit) -> Result<Vec<u8>, String> {
    let bytes = postcard::to_stdvec(edit).map_err(|error| error.to_string())?;
    zstd::bulk::compress(&bytes, 1).map_err(|error| error.to_string())
}

fn decode(body: &[u8]) -> Option<Edit> {
    postcard::from_bytes(&zstd::stream::decode_all(body).ok()?).ok()
}

fn damaged(path: &Path, what: &str) -> JournalError {
    JournalError::Damaged { path: path.to_owned(), what: what.to_owned() }
}

fn classify(path: &Path, error: &rusqlite::Error) -> JournalError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Busy(path.to_owned()),
        Some(ErrorCode::NotADatabase) => JournalError::Foreign(path.to_owned()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::SchemaChanged | ErrorCode::TypeMismatch | ErrorCode::Unknown) => {
            damaged(path, &error.to_string())
        }
        Some(ErrorCode::DiskFull) => JournalError::Disk { path: path.to_owned(), reason: "the disk is full".to_owned() },
        Some(_) => JournalError::Disk { path: path.to_owned(), reason: error.to_string() },
        None => damaged(path, &error.to_string()),
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

fn sync_folder(folder: &Path) {
    // Where a folder cannot be synced (some network drives), the file itself is still durable.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
