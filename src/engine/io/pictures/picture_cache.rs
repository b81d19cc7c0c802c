//! What was worked out of large pictures, kept on disk between runs: thumbnails and looks, by path, size and time of change. It is
//! bounded, and can be deleted at any time; without it everything works, slower.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::pixels::{Look, Picture, decode};

/// What recognises a picture without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureKey(u64);

impl PictureKey {
    /// The key of a file as it is now, by its size and time of change; `part` tells members of one archive apart.
    pub fn new(path: &Path, (bytes, changed): (u64, u128), part: u64) -> Self {
        let changed = u64::try_from(changed).unwrap_or(u64::MAX);
        let seed = xxh3_64(&[bytes, changed, part].map(u64::to_le_bytes).concat());
        // SQLite keeps 64 bits: of a million pictures, two share a key once in forty million runs.
        let print = xxh3_128_with_seed(path.as_os_str().as_encoded_bytes(), seed) & u128::from(u64::MAX);
        Self(u64::try_from(print).unwrap_or(u64::MAX))
    }
}

struct Store {
    connection: Connection,
    /// What is written with the next batch.
    waiting: Vec<(PictureKey, u32, Vec<u8>)>,
}

/// The cache. Many threads may use it at once; they take turns.
pub struct PictureCache {
    store: Mutex<Store>,
    bytes: AtomicU64,
    bound: u64,
}

/// Raised when what is kept is worked out otherwise.
const VERSION: i64 = 2;
/// Pictures that are written together.
const BATCH: usize = 64;

impl PictureCache {
    /// Thumbnails of a longer side are not kept.
    pub const LARGEST_SIDE: u32 = 512;
    /// A file of fewer bytes is decoded faster than it is looked up.
    pub const WORTH: usize = 32 << 10;
    /// The usual bound, in bytes.
    pub const BOUND: u64 = 1 << 30;

    /// Opens the cache at `path`, bounded to `bound` bytes; `None` where there can be none.
    pub fn open(path: &Path, bound: u64) -> Option<Self> {
        fs::create_dir_all(path.parent()?).ok()?;
        let begin = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            // Another window writes for some milliseconds; what does not fit in between is worked out again some day.
            connection.busy_timeout(std::time::Duration::from_millis(20))?;
            // Losing it costs time and nothing else.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if version != VERSION {
                connection.execute_batch("DROP TABLE IF EXISTS kept")?;
                connection.pragma_update(None, "user_version", VERSION)?;
            }
            connection.execute_batch(
                "CREATE TABLE IF NOT EXISTS kept (picture INTEGER NOT NULL, side INTEGER NOT NULL, body BLOB NOT NULL, \
                 UNIQUE (picture, side))",
            )?;
            Ok(connection)
        };
        let connection = match begin() {
            Ok(connection) => connection,
            // No cache at all, or a damaged one: begun anew. One that another window has is left alone.
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == rusqlite::ErrorCode::DatabaseBusy => return None,
            Err(_) => {
                fs::remove_file(path).ok()?;
                begin().ok()?
            }
        };
        let bytes = kept_bytes(&connection)?;
        Some(Self { store: Mutex::new(Store { connection, waiting: Vec::new() }), bytes: AtomicU64::new(bytes), bound })
    }

    /// How many bytes are kept.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn with<R>(&self, act: impl FnOnce(&mut Store) -> R) -> R {
        act(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn get(&self, key: PictureKey, side: u32) -> Option<Vec<u8>> {
        self.with(|store| {
            let mut statement = store.connection.prepare_cached("SELECT body FROM kept WHERE picture = ?1 AND side = ?2").ok()?;
            statement.query_row(params![key.0.cast_signed(), side], |row| row.get(0)).optional().ok().flatten()
        })
    }

    fn put(&self, key: PictureKey, side: u32, body: Vec<u8>) {
        self.with(|store| {
            store.waiting.push((key, side, body));
            if store.waiting.len() >= BATCH {
                self.write(store);
            }
        });
    }

    /// Writes what waits to disk.
    pub fn flush(&self) {
        self.with(|store| self.write(store));
    }

    /// One short transaction; where another window is writing, the batch is dropped.
    fn write(&self, store: &mut Store) {
        let batch = std::mem::take(&mut store.waiting);
        if batch.is_empty() {
            return;
        }
        let connection = &store.connection;
        let full = self.bytes() > self.bound;
        let write = || -> rusqlite::Result<()> {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let sql = "INSERT OR REPLACE INTO kept (picture, side, body) VALUES (?1, ?2, ?3)";
            let mut statement = connection.prepare_cached(sql)?;
            for (key, side, body) in &batch {
                statement.execute(params![key.0.cast_signed(), side, body])?;
            }
            if full {
                // The quarter that was kept first goes.
                let part = "(SELECT count(*) / 4 + 1 FROM kept)";
                connection.execute(
                    &format!("DELETE FROM kept WHERE rowid IN (SELECT rowid FROM kept ORDER BY rowid LIMIT {part})"),
                    [],
                )?;
            }
            connection.execute_batch("COMMIT")
        };
        if write().is_err() {
            let _ = connection.execute_batch("ROLLBACK");
            return;
        }
        let added: u64 = batch.iter().map(|(_, _, body)| body.len() as u64).sum();
        let now = if full { kept_bytes(connection).unwrap_or(0) } else { self.bytes() + added };
        self.bytes.store(now, Ordering::Relaxed);
    }

    /// A thumbnail whose longer side is at most `side`.
    pub fn thumbnail(&self, key: PictureKey, side: u32) -> Option<Picture> {
        let body = self.get(key, side)?;
        decode(&body, None).ok()
    }

    /// Keeps a thumbnail: as JPEG, or as PNG where it is transparent.
    pub fn keep_thumbnail(&self, key: PictureKey, side: u32, picture: &Picture) {
        let opaque = picture.rgba.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255);
        let Some(whole) = image::RgbaImage::from_raw(picture.width, picture.height, picture.rgba.clone()) else { return };
        let mut body = Vec::new();
        let coded = if opaque {
            let rgb = image::DynamicImage::ImageRgba8(whole).into_rgb8();
            image::codecs::jpeg::JpegEncoder::new_with_quality(&mut body, 85).encode_image(&rgb)
        } else {
            whole.write_to(&mut Cursor::new(&mut body), image::ImageFormat::Png)
        };
        if coded.is_ok() {
            self.put(key, side, body);
        }
    }

    /// A look that was taken before.
    pub fn look(&self, key: PictureKey) -> Option<Look> {
        postcard::from_bytes(&self.get(key, 0)?).ok()
    }

    /// Keeps a look.
    pub fn keep_look(&self, key: PictureKey, look: &Look) {
        if let Ok(body) = postcard::to_stdvec(look) {
            self.put(key, 0, body);
        }
    }
}

fn kept_bytes(connection: &Connection) -> Option<u64> {
    let sql = "SELECT coalesce(sum(length(body)), 0) FROM kept";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).ok().map(i64::cast_unsigned)
}

impl Drop for PictureCache {
    fn drop(&mut self) {
        self.flush();
    }
}
