//! Writing aside and moving into place: a full disk or a kill leaves the old file whole.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::IoError;
use crate::data::Packing;

/// Writes a file by `fill` into a temporary one beside it, syncs it, and moves it into place. On any failure the file
/// that was there before is untouched and nothing is left behind.
///
/// # Errors
/// What `fill` says, or [`IoError::Write`].
pub fn write_aside(
    path: &Path,
    packing: Packing,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), IoError>,
) -> Result<u64, IoError> {
    let fail = |error: std::io::Error| write_error(path, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lapidary-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // What a plain new file would get: the user's mask is taken off it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut aside = builder.tempfile_in(folder).map_err(fail)?;
    {
        let mut out = BufWriter::with_capacity(1 << 18, aside.as_file_mut());
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
        out.flush().map_err(fail)?;
    }
    aside.as_file().sync_all().map_err(fail)?;
    let bytes = aside.as_file().metadata().map_err(fail)?.len();
    aside.persist(path).map_err(|error| fail(error.error))?;
    // Where a folder cannot be synced (some network drives), the file itself is still durable.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(bytes)
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
    const MOST: u64 = 16 << 20;
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let meta = std::fs::metadata(path).map_err(fail)?;
    if !meta.is_file() || meta.len() > MOST {
        let reason = format!("it is no plain file of {} MiB at most", MOST >> 20);
        return Err(IoError::Read { path: path.to_owned(), reason });
    }
    let bytes = std::fs::read(path).map_err(fail)?;
    String::from_utf8(bytes).map_err(|_| IoError::Read { path: path.to_owned(), reason: "it is no UTF-8 text".to_owned() })
}

/// Writes a small text file, aside first.
///
/// # Errors
/// [`IoError::Write`]; what was there before is untouched.
pub fn write_small(path: &Path, text: &str) -> Result<(), IoError> {
    write_aside(path, Packing::None, |out| out.write_all(text.as_bytes()).map_err(|error| write_error(path, &error))).map(|_| ())
}
