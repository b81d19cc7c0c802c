//! Writing aside and moving into place: a full disk or a kill leaves the old file whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::data::Packing;
use crate::io::error::IoError;

/// What a file that is written aside is called, before and after what is its own.
const BEFORE: &str = ".lapidary-";
const AFTER: &str = ".part";
/// Before the name of a file that others are about to take the place of.
const OLD: &str = ".lapidary-old-";

/// A new file, whole and on the disk, that is not in its place yet: gone again where it never gets there.
pub struct Prepared {
    aside: NamedTempFile,
    path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// Writes a file by `fill` into a temporary one beside it and syncs it. A link is followed: what it leads to is what will be replaced.
///
/// # Errors
/// What `fill` says, or [`IoError::Write`]; nothing is left behind.
pub fn prepare(
    path: &Path,
    packing: Packing,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), IoError>,
) -> Result<Prepared, IoError> {
    let fail = |error: std::io::Error| write_error(path, &error);
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(fail)?;
    remove_torn(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(BEFORE).suffix(AFTER);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // What a plain new file would get: the user's mask is taken off it.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    // Held for as long as it is written: whoever tidies up leaves it alone. One that was taken for torn before it was held is made anew.
    let mut tries = 0;
    let mut aside = loop {
        let aside = builder.tempfile_in(folder).map_err(fail)?;
        let held = aside.as_file().lock().is_ok();
        tries += 1;
        if !held || aside.path().exists() || tries > 100 {
            break aside;
        }
    };
    pack(aside.as_file_mut(), path, packing, fill)?;
    if let Ok(there) = fs::metadata(path) {
        // A file that is replaced keeps who may read it.
        let _ = aside.as_file().set_permissions(there.permissions());
    }
    aside.as_file().sync_all().map_err(fail)?;
    let bytes = aside.as_file().metadata().map_err(fail)?.len();
    Ok(Prepared { aside, path: path.clone(), bytes })
}

fn pack(
    file: &mut File,
    path: &Path,
    packing: Packing,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), IoError>,
) -> Result<(), IoError> {
    let fail = |error: std::io::Error| write_error(path, &error);
    let mut out = BufWriter::with_capacity(1 << 18, file);
    match packing {
        Packing::None => fill(&mut out)?,
        Packing::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::default());
            fill(&mut encoder)?;
            encoder.finish().map_err(fail)?;
        }
        Packing::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(&mut out, 3).map_err(fail)?;
            fill(&mut encoder)?;
            encoder.finish().map_err(fail)?;
        }
    }
    out.flush().map_err(fail)
}

/// Moves new files into their places. Of several that belong together, such as the parts of a split, those that are replaced go out of the way
/// first: at no moment does a new one stand beside an old one.
///
/// # Errors
/// [`IoError::Write`]; what was there before is back in its place then.
pub fn put_in_place(list: Vec<Prepared>) -> Result<(), IoError> {
    let folders: std::collections::BTreeSet<PathBuf> = list.iter().map(|new| folder_of(&new.path).to_owned()).collect();
    let mut away: Vec<(PathBuf, PathBuf)> = Vec::new();
    let back = |away: &[(PathBuf, PathBuf)], placed: &[PathBuf]| {
        // Whatever cannot be put back keeps its name aside; there is no more to be done about it.
        placed.iter().for_each(|path| drop(fs::remove_file(path)));
        away.iter().for_each(|(path, old)| drop(fs::rename(old, path)));
    };
    if list.len() > 1 {
        for new in list.iter().filter(|new| new.path.exists()) {
            let name = new.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let old = new.path.with_file_name(format!("{OLD}{name}{AFTER}"));
            if let Err(error) = fs::rename(&new.path, &old) {
                back(&away, &[]);
                return Err(write_error(&new.path, &error));
            }
            away.push((new.path.clone(), old));
        }
    }
    let mut placed = Vec::new();
    for new in list {
        let path = new.path;
        if let Err(error) = new.aside.persist(&path) {
            back(&away, &placed);
            return Err(write_error(&path, &error.error));
        }
        placed.push(path);
    }
    for folder in folders {
        // Where a folder cannot be synced (some network drives), the file itself is still durable.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    away.iter().for_each(|(_, old)| drop(fs::remove_file(old)));
    Ok(())
}

/// Whether something that is no plain file stands at a path: a pipe, a device. It is written into, and never replaced.
pub fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// Writes a file by `fill`: aside, synced, and moved into place. On any failure the file that was there before is untouched and nothing is left
/// behind. A pipe or a device is written into as it stands.
///
/// # Errors
/// What `fill` says, or [`IoError::Write`].
pub fn write_aside(
    path: &Path,
    packing: Packing,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), IoError>,
) -> Result<u64, IoError> {
    if is_special(path) {
        return write_into(path, packing, fill);
    }
    let new = prepare(path, packing, fill)?;
    let bytes = new.bytes;
    put_in_place(vec![new])?;
    Ok(bytes)
}

/// Writes into a pipe or a device; returns how many bytes.
///
/// # Errors
/// What `fill` says, or [`IoError::Write`].
pub fn write_into(
    path: &Path,
    packing: Packing,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), IoError>,
) -> Result<u64, IoError> {
    let mut file = fs::OpenOptions::new().write(true).open(path).map_err(|error| write_error(path, &error))?;
    let mut bytes = 0;
    pack(&mut file, path, packing, |out| fill(&mut Counted { out, bytes: &mut bytes }))?;
    Ok(bytes)
}

struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: &'a mut u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        *self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What a folder that is written aside is held by while it is.
pub const HELD: &str = ".lapidary-held";

/// Removes what saves that were killed left in a folder: files and folders that were written aside and that nobody holds any more. Old files that
/// were about to be replaced go only where what replaced them is there.
pub fn remove_torn(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(BEFORE) && name.ends_with(AFTER)) else { continue };
        let path = entry.path();
        if let Some(of) = name.strip_prefix(OLD) {
            let new = folder.join(&of[..of.len() - AFTER.len()]);
            if new.exists() {
                let _ = fs::remove_file(&path);
            }
            continue;
        }
        let Ok(kind) = entry.file_type() else { continue };
        let held = if kind.is_dir() { path.join(HELD) } else { path.clone() };
        // Of a folder whose holder is not there yet, or not any more, nobody can tell: it stays.
        let Some(holder) = File::open(&held).ok().filter(|file| file.try_lock().is_ok()) else { continue };
        // Held until it is gone: nobody begins to write it meanwhile.
        let _ = if kind.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        drop(holder);
    }
}

/// An [`IoError::Write`] in a user's words.
pub fn write_error(path: &Path, error: &std::io::Error) -> IoError {
    let reason = match error.kind() {
        std::io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        std::io::ErrorKind::PermissionDenied => "you may not write there".to_owned(),
        std::io::ErrorKind::NotFound => "there is no such folder".to_owned(),
        _ => error.to_string(),
    };
    IoError::Write { path: path.to_owned(), reason }
}

/// `path`, or the first of `path 2`, `path 3` … that does not exist.
pub fn free_name(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let mut free = path.to_owned();
    for n in 2.. {
        if !free.exists() {
            break;
        }
        free = path.with_file_name(format!("{stem} {n}{ending}"));
    }
    free
}

/// Reads a small text file: a pipeline, a recipe.
///
/// # Errors
/// Why it cannot be read, with its path.
pub fn read_small(path: &Path) -> Result<String, IoError> {
    read_text(path, 16 << 20)
}

/// Reads a text file of so many bytes at most.
///
/// # Errors
/// [`IoError::Read`].
pub fn read_text(path: &Path, most: u64) -> Result<String, IoError> {
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let meta = fs::metadata(path).map_err(fail)?;
    if !meta.is_file() || meta.len() > most {
        let reason = format!("it is no plain file of {} MiB at most", most >> 20);
        return Err(IoError::Read { path: path.to_owned(), reason });
    }
    let bytes = fs::read(path).map_err(fail)?;
    String::from_utf8(bytes).map_err(|_| IoError::Read { path: path.to_owned(), reason: "it is no UTF-8 text".to_owned() })
}

/// Makes a folder, and those that it lies in.
///
/// # Errors
/// [`IoError::Write`].
pub fn make_folder(path: &Path) -> Result<(), IoError> {
    std::fs::create_dir_all(path).map_err(|error| write_error(path, &error))
}

/// Writes a small text file, aside first.
///
/// # Errors
/// [`IoError::Write`]; what was there before is untouched.
pub fn write_small(path: &Path, text: &str) -> Result<(), IoError> {
    write_aside(path, Packing::None, |out| out.write_all(text.as_bytes()).map_err(|error| write_error(path, &error))).map(|_| ())
}
