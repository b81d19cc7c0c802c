//! The project file: an append-only `SQLite` database beside the source.
//!
//! An edit and the move onto it are one transaction, synced before [`Journal::commit`] returns. Every row carries a hash
//! of what it says, so that a flipped bit is found and never applied; the log beside the file is checked before it is folded in. The file is
//! locked for as long as it is open: a second Lapidary is refused. A file that is torn, newer or not ours is never written to, nor is its
//! log. The source file never is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use xxhash_rust::xxh3::xxh3_64;

use super::body::{decode, encode};
use super::change::Edit;
use super::error::JournalError;
use super::history::{EditId, History, Node};
use super::kept_run::{self, KeptRun};
use super::kept_tally::{self, Tally};
use super::salvage::{self, Cell};
use super::{swap, wal};

/// `LAPI`, in the file's header: what tells our files from others.
pub(super) const APPLICATION: i32 = 0x4c41_5049;
const VERSION: i64 = 2;

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

/// What a project keeps beside its edits.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    pub runs: Vec<KeptRun>,
    pub tallies: Vec<Tally>,
}

/// An open project file, locked against others.
pub struct Journal {
    path: PathBuf,
    /// The number of its format.
    version: i64,
    connection: Connection,
    history: History,
    stored: Stored,
    /// What was mended on opening, in words.
    mended: Option<String>,
    /// That it was brought into today's format.
    renewed: Option<String>,
    /// Holds the copy that is open where the project itself cannot be written.
    copy: Option<tempfile::TempDir>,
}

/// So often a project that is being written is copied to be looked at.
const TRIES: usize = 3;

/// An edit with its number, parent and time, and the content hashes of its samples.
type Kept = (Node, Edit, Vec<u64>);

impl Journal {
    /// What the project at `path` says of its source, without locking it for long; `None` where there is none.
    ///
    /// # Errors
    /// [`JournalError`]: busy, foreign, newer, damaged.
    pub fn peek(path: &Path) -> Result<Option<Stored>, JournalError> {
        if !swap::exists(path) {
            return Ok(None);
        }
        swap::finish(path)?;
        // Looked at as it stands: what has to be mended or brought up to date is, once it is opened.
        match connect_existing(path, true) {
            Err(JournalError::Disk { .. }) if !may_write(path) => Self::open(path).map(|journal| Some(journal.stored)),
            Err(JournalError::Busy(_)) => Self::open_beside(path).map(|journal| Some(journal.stored)),
            found => found.map(|(_, stored)| Some(stored)),
        }
    }

    /// Opens an existing project, checks all of it, and locks it. A log that does not hold is cut where it stops holding; its pieces are kept, and
    /// [`Journal::mended`] says so. Where the project cannot be written, a copy of it is opened, to look at.
    ///
    /// # Errors
    /// [`JournalError`]: busy, foreign, newer, damaged. No file has changed then.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        match Self::open_as_it_is(path) {
            Ok(journal) if journal.version < VERSION && journal.copy.is_none() => match journal.migrated() {
                // Where there is no room for it in today's format, it is there to look at.
                Err(JournalError::Disk { .. }) => Self::open_copy(path),
                other => other,
            },
            Err(JournalError::Newer { found, .. }) => Self::open_newer(path, found),
            other => other,
        }
    }

    /// A project of an earlier format in today's: written aside, then swapped in; the old one is kept.
    fn migrated(self) -> Result<Self, JournalError> {
        let (path, mended) = (self.path.clone(), self.mended.clone());
        let kept = |node: &Node| Ok((node.clone(), self.edit(node.id)?, self.prints(node.id)?));
        let edits: Vec<Kept> = self.history.nodes().iter().map(kept).collect::<Result<_, JournalError>>()?;
        let moves: rusqlite::Result<Vec<(i64, EditId)>> = (|| {
            let mut statement = self.connection.prepare("SELECT at, head FROM moves ORDER BY id")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })();
        let moves = moves.map_err(|error| classify(&path, &error))?;
        let beside = self.beside()?;
        let new = write_new(&path, &self.stored, &edits, &beside, self.history.head(), Some(&moves))?;
        let was = self.version;
        drop(self);
        let (_, new) = new.keep().map_err(|e| JournalError::Disk { path: path.clone(), reason: e.error.to_string() })?;
        let aside = swap::exchange(&path, &new, &format!("format-{was}"))?;
        let said = format!("The project is in today's format now; as it was it is kept as {}", aside.display());
        Ok(Self { mended, renewed: Some(said), ..Self::open_as_it_is(&path)? })
    }

    /// A copy of a project, to look at.
    fn open_copy(path: &Path) -> Result<Self, JournalError> {
        let copy = copy_of(path, &fs::read(swap::log_of(path)).unwrap_or_default())?;
        let mut journal = Self::open_whole(&copy.path().join(COPY), false)?;
        path.clone_into(&mut journal.path);
        journal.copy = Some(copy);
        Ok(journal)
    }

    /// A copy of a project that another process has open, to look at: every edit that was on the disk when it was copied.
    ///
    /// # Errors
    /// [`JournalError`]: busy, where it is written so often that no copy holds.
    pub fn open_beside(path: &Path) -> Result<Self, JournalError> {
        for _ in 0..TRIES {
            let log = fs::read(swap::log_of(path)).unwrap_or_default();
            let copy = copy_of(path, &log[..wal::check(&log).end])?;
            // What was copied while it was being written does not hold, and is copied again.
            if let Ok(mut journal) = Self::open_whole(&copy.path().join(COPY), false) {
                path.clone_into(&mut journal.path);
                journal.copy = Some(copy);
                return Ok(journal);
            }
        }
        Err(JournalError::Busy(path.to_owned()))
    }

    /// That it was brought into today's format on opening, in words.
    pub fn renewed(&self) -> Option<&str> {
        self.renewed.as_deref()
    }

    /// A copy of a project of a later format, to look at, where all that it holds can be read.
    fn open_newer(path: &Path, found: i64) -> Result<Self, JournalError> {
        let newer = || JournalError::Newer { path: path.to_owned(), found };
        let log = fs::read(swap::log_of(path)).unwrap_or_default();
        let copy = copy_of(path, &log)?;
        let mut journal = Self::open_whole(&copy.path().join(COPY), true).map_err(|_| newer())?;
        if journal.history.nodes().iter().any(|node| journal.edit(node.id).is_err()) {
            return Err(newer());
        }
        path.clone_into(&mut journal.path);
        journal.copy = Some(copy);
        Ok(journal)
    }

    /// Why nothing may be moved or written anew here, where that is so.
    ///
    /// # Errors
    /// [`JournalError::Newer`], [`JournalError::Disk`].
    pub fn may_be_moved(&self) -> Result<(), JournalError> {
        if self.is_newer() {
            return Err(JournalError::Newer { path: self.path.clone(), found: self.version });
        }
        if self.is_copy() {
            return Err(JournalError::Disk { path: self.path.clone(), reason: "you may not write there".to_owned() });
        }
        Ok(())
    }

    /// Whether it was made by a later Lapidary, and is open to look at.
    pub fn is_newer(&self) -> bool {
        self.version > VERSION
    }

    fn open_as_it_is(path: &Path) -> Result<Self, JournalError> {
        swap::finish(path)?;
        let log = swap::log_of(path);
        let found = fs::read(&log).unwrap_or_default();
        let sound = wal::check(&found);
        if sound.lost > 0 {
            return Self::open_mended(path, &found, sound);
        }
        match Self::open_whole(path, false) {
            Err(JournalError::Disk { .. }) if !may_write(path) => Self::open_copy(path),
            other => {
                // What was made by looking is no part of a damaged project.
                if other.is_err() && found.is_empty() && fs::metadata(&log).is_ok_and(|meta| meta.len() == 0) {
                    let _ = fs::remove_file(&log);
                }
                other
            }
        }
    }

    fn open_whole(path: &Path, newer: bool) -> Result<Self, JournalError> {
        let (connection, stored) = connect_existing(path, newer)?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|e| classify(path, &e))?;
        let sound: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|e| classify(path, &e))?;
        if sound != "ok" {
            return Err(damaged(path, "the database does not hold together"));
        }
        let (history, fault) = read_history(path, &connection)?;
        if let Some(what) = fault {
            return Err(damaged(path, &what));
        }
        // From here on it is ours to fold the log in.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(|e| classify(path, &e))?;
        Ok(Self { path: path.to_owned(), version, connection, history, stored, mended: None, renewed: None, copy: None })
    }

    /// Opens a project whose log does not hold to its end.
    fn open_mended(path: &Path, log: &[u8], sound: wal::Sound) -> Result<Self, JournalError> {
        let log_path = swap::log_of(path);
        let disk = |e: std::io::Error| JournalError::Disk { path: log_path.clone(), reason: e.to_string() };
        // Nobody may be writing it.
        drop(connect_locked(path, false)?);
        if fs::read(&log_path).unwrap_or_default() != log {
            return Err(JournalError::Busy(path.to_owned()));
        }
        // What is left must hold, or nothing is touched.
        let copy = copy_of(path, &log[..sound.end])?;
        Self::open_whole(&copy.path().join(COPY), false)
            .map_err(|_| damaged(path, "neither it nor its log can be read as they were written"))?;
        drop(copy);
        let aside = swap::keep_copy(path, "damaged")?;
        if sound.end == 0 {
            fs::remove_file(&log_path).map_err(disk)?;
        } else {
            let file = File::options().write(true).open(&log_path).map_err(disk)?;
            file.set_len(sound.end as u64).and_then(|()| file.sync_all()).map_err(disk)?;
        }
        let mut journal = Self::open_whole(path, false)?;
        let n = sound.lost;
        let steps = if n == 1 { "the last step was left out".to_owned() } else { format!("the last {n} steps were left out") };
        journal.mended = Some(format!(
            "The project's log is damaged: {steps}. The pieces are kept as {}; `lapidary recover` looks for more in them",
            aside.display()
        ));
        Ok(journal)
    }

    /// What was mended on opening, in words.
    pub fn mended(&self) -> Option<&str> {
        self.mended.as_deref()
    }

    /// Whether it is a copy that is open, because the project itself cannot be written.
    pub fn is_copy(&self) -> bool {
        self.copy.is_some()
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
        let aside = write_new(path, &stored, &[], &Extras::default(), 0, None)?;
        aside.persist_noclobber(path).map_err(|e| disk(&e.error))?;
        swap::sync_folder(path);
        Self::open(path)
    }

    /// Puts a project with these edits, one after the other, in the place of the one at `path`, all at once; the old one is kept as
    /// `PATH.why`. Returns where.
    ///
    /// # Errors
    /// [`JournalError::Disk`]; the old one is in its place then.
    pub fn replace(
        path: &Path,
        stored: &Stored,
        edits: Vec<(Edit, Vec<u64>)>,
        beside: &Extras,
        why: &str,
    ) -> Result<PathBuf, JournalError> {
        let at = now();
        let list: Vec<Kept> = edits
            .into_iter()
            .zip(1..)
            .map(|((edit, prints), id)| {
                (Node { id, parent: id - 1, at, words: edit.words.clone(), count: edit.count() }, edit, prints)
            })
            .collect();
        let head = list.last().map_or(0, |(node, ..)| node.id);
        let new = write_new(path, stored, &list, beside, head, None)?;
        let (_, new) = new.keep().map_err(|e| JournalError::Disk { path: path.to_owned(), reason: e.error.to_string() })?;
        swap::exchange(path, &new, why)
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
        let id = self.history.nodes().last().map_or(1, |node| node.id + 1);
        let node = Node { id, parent, at, words: edit.words.clone(), count: edit.count() };
        let body = encode(edit).map_err(|reason| JournalError::Disk { path: self.path.clone(), reason })?;
        let result = (|| {
            let transaction = self.connection.transaction()?;
            insert_edit(&transaction, &node, &body, prints)?;
            insert_move(&transaction, at, id)?;
            transaction.commit()
        })();
        result.map_err(|error| classify(&self.path, &error))?;
        self.history.push(node);
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

    /// Every run that the project keeps, in the order of their making, and how many cannot be read any more.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn runs(&self) -> Result<(Vec<KeptRun>, usize), JournalError> {
        kept_run::read(&self.connection).map_err(|error| classify(&self.path, &error))
    }

    /// Makes a run durable: a new one where its number is 0, else in the place of the one with its number. Its number and time.
    ///
    /// # Errors
    /// [`JournalError::Disk`]; nothing was kept then.
    pub fn keep_run(&mut self, mut run: KeptRun) -> Result<KeptRun, JournalError> {
        if run.id == 0 {
            let last = kept_run::last(&self.connection).map_err(|error| classify(&self.path, &error))?;
            (run.id, run.at) = (last + 1, now());
        }
        let result = (|| {
            let transaction = self.connection.transaction()?;
            run.write(&transaction)?;
            transaction.commit()
        })();
        result.map_err(|error| classify(&self.path, &error))?;
        Ok(run)
    }

    /// What is kept beside the edits, as far as it can be read.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn beside(&self) -> Result<Extras, JournalError> {
        let tallies = kept_tally::read(&self.connection).map_err(|error| classify(&self.path, &error))?;
        Ok(Extras { runs: self.runs()?.0, tallies })
    }

    /// Keeps what checks found now, in the place of what they found before on this day.
    ///
    /// # Errors
    /// [`JournalError::Disk`]; nothing was kept then.
    pub fn keep_tally(&mut self, mut tally: Tally) -> Result<Tally, JournalError> {
        tally.at = now();
        tally.keep(&self.connection).map_err(|error| classify(&self.path, &error))?;
        Ok(tally)
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
        Ok(numbers_of(&bytes))
    }
}

const COPY: &str = "project";

/// A copy of a project with a log, in a folder of its own.
fn copy_of(path: &Path, log: &[u8]) -> Result<tempfile::TempDir, JournalError> {
    let disk = |e: std::io::Error| JournalError::Disk { path: path.to_owned(), reason: e.to_string() };
    let folder = tempfile::tempdir().map_err(disk)?;
    let to = folder.path().join(COPY);
    let bytes = fs::read(path).map_err(disk)?;
    fs::write(&to, bytes).map_err(disk)?;
    if !log.is_empty() {
        fs::write(swap::log_of(&to), log).map_err(disk)?;
    }
    Ok(folder)
}

/// Whether a project, and what stands beside it, can be written.
fn may_write(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::options().write(true).open(path).is_ok()
        && tempfile::Builder::new().prefix(".lapidary-").suffix(".part").tempfile_in(folder).is_ok()
}

/// Writes a whole project aside: its edits, each on the one it says, and the move to `head`; or all the moves there were, with their times.
fn write_new(
    path: &Path,
    stored: &Stored,
    edits: &[Kept],
    beside: &Extras,
    head: EditId,
    moves: Option<&[(i64, EditId)]>,
) -> Result<tempfile::NamedTempFile, JournalError> {
    let disk = |reason: &dyn std::fmt::Display| JournalError::Disk { path: path.to_owned(), reason: reason.to_string() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| disk(&e))?;
    let aside = tempfile::Builder::new().prefix(".lapidary-").suffix(".part").tempfile_in(folder).map_err(|e| disk(&e))?;
    // Held while it is written: whoever tidies up leaves it alone.
    let _ = aside.as_file().try_lock();
    let write = || -> rusqlite::Result<()> {
        let mut new = Connection::open(aside.path())?;
        new.execute_batch(&format!(
            "PRAGMA synchronous=FULL; PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION}; BEGIN; {TABLES} COMMIT"
        ))?;
        let transaction = new.transaction()?;
        for (name, value) in [("fingerprint", format!("{:032x}", stored.fingerprint)), ("reading", stored.reading.clone())] {
            transaction.execute("INSERT INTO facts VALUES (?1, ?2)", params![name, value])?;
        }
        for (node, edit, prints) in edits {
            let body = encode(edit).map_err(|reason| rusqlite::Error::ToSqlConversionFailure(reason.into()))?;
            insert_edit(&transaction, node, &body, prints)?;
            if moves.is_none() {
                insert_move(&transaction, node.at, node.id)?;
            }
        }
        for run in &beside.runs {
            run.write(&transaction)?;
        }
        for tally in &beside.tallies {
            tally.write(&transaction)?;
        }
        for (at, head) in moves.unwrap_or_default() {
            insert_move(&transaction, *at, *head)?;
        }
        if moves.is_none() && edits.last().is_some_and(|(node, ..)| node.id != head) {
            insert_move(&transaction, now(), head)?;
        }
        transaction.commit()
    };
    write().map_err(|e| disk(&e))?;
    aside.as_file().sync_all().map_err(|e| disk(&e))?;
    Ok(aside)
}

/// Saves what can be read of a damaged project and its log: both are kept as they are under another name, and a new project takes their place with
/// every edit whose row and whose ancestors are sound. `source` is what the project is of, where it does not say so any more. Returns where
/// the old file is, how many edits were saved, and how many rows could not be.
///
/// # Errors
/// [`JournalError`] where nothing at all can be read, or the disk refuses; no file has changed then.
pub fn recover(path: &Path, source: Option<Stored>) -> Result<(PathBuf, usize, usize), JournalError> {
    swap::finish(path)?;
    let read = |path: &Path| fs::read(path).map_err(|e| JournalError::Disk { path: path.to_owned(), reason: e.to_string() });
    if let Ok(held) = connect_locked(path, false) {
        drop(held);
    }
    let bytes = read(path)?;
    let logs: Vec<Vec<u8>> =
        std::iter::once(swap::log_of(path)).chain(logs_aside(path)).filter_map(|log| fs::read(log).ok()).collect();
    let mut rows = salvage::rows(&bytes, &[]);
    for log in &logs {
        rows.extend(salvage::rows(&bytes, log));
    }
    let stored = facts_of(&rows).or(source).ok_or_else(|| JournalError::Foreign(path.to_owned()))?;
    let mut found: BTreeMap<EditId, Kept> = BTreeMap::new();
    let mut seen: HashSet<EditId> = HashSet::new();
    let mut moves: BTreeMap<i64, EditId> = BTreeMap::new();
    let mut runs: BTreeMap<i64, KeptRun> = BTreeMap::new();
    let mut tallies: BTreeMap<i64, Tally> = BTreeMap::new();
    for (id, cells) in &rows {
        match cells.as_slice() {
            [_, parent, at, words, count, body, prints, hash] => {
                seen.insert(*id);
                if let Some(kept) = sound_row(*id, [parent, at, words, count, body, prints, hash]) {
                    found.entry(*id).or_insert(kept);
                }
            }
            [_, at, head, hash] => {
                let numbers = (at.integer(), head.integer(), hash.integer());
                if let (Some(at), Some(head), Some(hash)) = numbers
                    && hash == hash_move(*id, at, head)
                {
                    moves.insert(*id, head);
                }
            }
            cells => {
                if let Some(run) = KeptRun::salvaged(*id, cells) {
                    runs.insert(*id, run);
                } else if let Some(tally) = Tally::salvaged(cells) {
                    tallies.insert(*id, tally);
                }
            }
        }
    }
    let mut known: HashSet<EditId> = [0].into();
    let mut saved: Vec<Kept> = Vec::new();
    for (id, kept) in found {
        if known.contains(&kept.0.parent) {
            known.insert(id);
            saved.push(kept);
        }
    }
    // What was made later than anything that is left was there too.
    let last = seen.iter().copied().chain(moves.values().copied()).max().unwrap_or(0);
    let lost = usize::try_from(last).unwrap_or(0).max(seen.len()).saturating_sub(saved.len());
    if saved.is_empty() && lost == 0 && bytes.get(68..72) != Some(&APPLICATION.to_be_bytes()) {
        return Err(JournalError::Foreign(path.to_owned()));
    }
    let head = moves.values().rev().copied().find(|head| known.contains(head));
    let head = head.unwrap_or_else(|| saved.last().map_or(0, |(node, ..)| node.id));
    // Numbers run on without gaps, as in any project.
    let numbers: HashMap<EditId, EditId> =
        std::iter::once((0, 0)).chain(saved.iter().zip(1..).map(|((node, ..), n)| (node.id, n))).collect();
    for (node, ..) in &mut saved {
        (node.id, node.parent) = (numbers[&node.id], numbers[&node.parent]);
    }
    let beside = Extras { runs: runs.into_values().collect(), tallies: tallies.into_values().collect() };
    let new = write_new(path, &stored, &saved, &beside, numbers[&head], None)?;
    let (_, new) = new.keep().map_err(|e| JournalError::Disk { path: path.to_owned(), reason: e.error.to_string() })?;
    let aside = swap::exchange(path, &new, "damaged")?;
    Ok((aside, saved.len(), lost))
}

/// Logs of this project that were set aside because they did not hold.
fn logs_aside(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let start = format!("{}.damaged", path.file_name().unwrap_or_default().to_string_lossy());
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(&start) && name.ends_with("-wal")
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// An edit as some page has it, where its hash says that it is as it was written.
fn sound_row(id: EditId, cells: [&Cell; 7]) -> Option<Kept> {
    let [parent, at, words, count, body, prints, hash] = cells;
    let node = Node {
        id,
        parent: parent.integer()?,
        at: at.integer()?,
        words: words.text()?.to_owned(),
        count: usize::try_from(count.integer()?).ok()?,
    };
    let (body, prints) = (body.blob()?, prints.blob()?);
    if hash.integer()? != hash_edit(node.id, node.parent, node.at, &node.words, node.count, body, prints) {
        return None;
    }
    Some((node, decode(body)?, numbers_of(prints)))
}

fn numbers_of(prints: &[u8]) -> Vec<u64> {
    prints.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok().map(u64::from_le_bytes)).collect()
}

/// Opens a project and locks it. What is in its log is not folded in on closing.
fn connect_locked(path: &Path, newer: bool) -> Result<Connection, JournalError> {
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
    if found > VERSION && !newer {
        return Err(JournalError::Newer { path: path.to_owned(), found });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| classify(path, &e))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(|e| classify(path, &e))?;
    // Whoever has it open keeps it open: waiting helps nobody, and the window must not stand still.
    connection.busy_timeout(std::time::Duration::from_millis(100)).map_err(|e| classify(path, &e))?;
    connection
        .execute_batch(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON;
             PRAGMA trusted_schema=OFF; BEGIN EXCLUSIVE; COMMIT;",
        )
        .map_err(|e| classify(path, &e))?;
    Ok(connection)
}

fn connect_existing(path: &Path, newer: bool) -> Result<(Connection, Stored), JournalError> {
    let connection = connect_locked(path, newer)?;
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

fn insert_edit(connection: &Connection, node: &Node, body: &[u8], prints: &[u64]) -> rusqlite::Result<()> {
    let prints: Vec<u8> = prints.iter().flat_map(|print| print.to_le_bytes()).collect();
    let hash = hash_edit(node.id, node.parent, node.at, &node.words, node.count, body, &prints);
    connection.prepare_cached("INSERT INTO edits VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
        node.id,
        node.parent,
        node.at,
        node.words,
        i64::try_from(node.count).unwrap_or(i64::MAX),
        body,
        prints,
        hash
    ])?;
    Ok(())
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

/// What the rows of a project say of its source.
pub(super) fn facts_of(rows: &[salvage::Row]) -> Option<Stored> {
    let fact = |name: &str| {
        rows.iter().find_map(|(_, cells)| match cells.as_slice() {
            [Cell::Text(of), Cell::Text(value)] if of == name => Some(value.clone()),
            _ => None,
        })
    };
    let fingerprint = u128::from_str_radix(&fact("fingerprint")?, 16).ok()?;
    Some(Stored { fingerprint, reading: fact("reading")? })
}
