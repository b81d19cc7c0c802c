//! What long work keeps of itself on disk: files of sections with a print each, written aside and put in place whole, so that what is there is there; lists of
//! tables below a folder; and a large text cut at its rows.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::error::IoError;
use super::format::{format_of_name, is_table_name};
use super::read::budget::Budget;
use super::read::delimited::RowParser;
use super::read::text::{TextBytes, TextFile, open_text};
use super::reading::Reading;
use super::write::save::write_aside;
use crate::data::{Dataset, Format, Packing, Shape};
use crate::job::Progress;

/// The most bytes of one row.
const LONGEST_ROW: u64 = 1 << 30;
const MAGIC: &[u8; 8] = b"LAPWORK1";

/// Writes sections as one file, aside and then in its place.
///
/// # Errors
/// [`IoError::Write`].
pub fn write_sections(path: &Path, sections: &[Vec<u8>]) -> Result<(), IoError> {
    write_aside(path, Packing::None, |out| {
        let fail = |error: std::io::Error| IoError::Write { path: path.to_owned(), reason: error.to_string() };
        out.write_all(MAGIC).map_err(fail)?;
        out.write_all(&(sections.len() as u64).to_le_bytes()).map_err(fail)?;
        for section in sections {
            out.write_all(&(section.len() as u64).to_le_bytes()).map_err(fail)?;
            out.write_all(&xxh3_64(section).to_le_bytes()).map_err(fail)?;
        }
        sections.iter().try_for_each(|section| out.write_all(section).map_err(fail))
    })
    .map(|_| ())
}

/// One section of such a file.
///
/// # Errors
/// [`IoError`]: it is torn, or not what was written.
pub fn read_section(path: &Path, at: usize) -> Result<Vec<u8>, IoError> {
    let torn = || IoError::Broken {
        path: path.to_owned(),
        format: "work of a run",
        reason: "it is torn or was changed: remove it and run again with --resume, and it is made anew".to_owned(),
    };
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let mut file = File::open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    let number = |file: &mut File| -> Result<u64, IoError> {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes).map_err(|_| torn())?;
        Ok(u64::from_le_bytes(bytes))
    };
    if number(&mut file)?.to_le_bytes() != *MAGIC {
        return Err(torn());
    }
    let n = number(&mut file)?;
    if n > length / 16 || at as u64 >= n {
        return Err(torn());
    }
    let mut from = 16 + n * 16;
    let (mut size, mut print) = (0, 0);
    for _ in 0..=at {
        from = from.checked_add(size).ok_or_else(torn)?;
        (size, print) = (number(&mut file)?, number(&mut file)?);
    }
    if from.checked_add(size).is_none_or(|end| end > length) {
        return Err(torn());
    }
    file.seek(SeekFrom::Start(from)).map_err(fail)?;
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| torn())?];
    file.read_exact(&mut bytes).map_err(|_| torn())?;
    if xxh3_64(&bytes) == print { Ok(bytes) } else { Err(torn()) }
}

/// Whether a file is there.
pub fn is_there(path: &Path) -> bool {
    path.is_file()
}

/// Size and time of a file, as one number that another file hardly has.
pub fn file_stamp(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok()?;
    let time = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos();
    let time = u64::try_from(time).unwrap_or(u64::MAX);
    Some((meta.len(), time))
}

/// Calls a folder otherwise.
///
/// # Errors
/// [`IoError::Write`].
pub fn move_work(from: &Path, to: &Path) -> Result<(), IoError> {
    fs::rename(from, to).map_err(|error| IoError::Write { path: to.to_owned(), reason: error.to_string() })
}

/// Takes a folder away with all that is in it; nothing where there is none.
///
/// # Errors
/// [`IoError::Write`].
pub fn remove_work(folder: &Path) -> Result<(), IoError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(IoError::Write { path: folder.to_owned(), reason: error.to_string() })
        }
        _ => Ok(()),
    }
}

/// The tables below a folder, by their path from there with `/`, in the order of their bytes; hidden ones and links are left out.
///
/// # Errors
/// [`IoError::Read`].
pub fn tables_below(folder: &Path) -> Result<Vec<String>, IoError> {
    const DEEPEST: usize = 20;
    fn walk(folder: &Path, shown: &str, depth: usize, out: &mut Vec<String>) -> Result<(), IoError> {
        let fail = |error: std::io::Error| IoError::Read { path: folder.to_owned(), reason: error.to_string() };
        for entry in fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type().map_err(fail)?;
            let below = if shown.is_empty() { name.clone() } else { format!("{shown}/{name}") };
            if name.starts_with('.') || name.contains(".lapidary") || name.starts_with("__") && name.ends_with("__") {
                continue;
            }
            if kind.is_dir() && depth < DEEPEST {
                walk(&entry.path(), &below, depth + 1, out)?;
            } else if kind.is_file() && is_table_name(Path::new(&name)) {
                out.push(below);
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    walk(folder, "", 0, &mut out)?;
    out.sort_unstable();
    Ok(out)
}

/// A part of a text file: its head (what stands before the first row, the names of columns last) and rows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RowsCut {
    /// The bytes of the head: `0..head`.
    pub head: u64,
    /// Those of its rows.
    pub from: u64,
    pub to: u64,
}

/// Cuts a plain text file into pieces of whole rows, each of about `size` bytes; one piece, which is all, of what cannot be cut (another format, packed, another
/// encoding than UTF-8, one array of JSON). Reads the file once.
///
/// # Errors
/// [`IoError`].
pub fn cut_text(path: &Path, size: u64, reading: &Reading, progress: &Progress) -> Result<Vec<RowsCut>, IoError> {
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let mut file = File::open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    let whole = vec![RowsCut { head: 0, from: 0, to: length }];
    let (Some(format), Packing::None) = format_of_name(path) else { return Ok(whole) };
    if length <= size || !matches!(format, Format::Csv | Format::Tsv | Format::JsonLines) {
        return Ok(whole);
    }
    let mut read = |from: u64, long: u64| -> Result<Vec<u8>, IoError> {
        file.seek(SeekFrom::Start(from)).map_err(fail)?;
        let mut bytes = Vec::with_capacity(usize::try_from(long).unwrap_or(0));
        (&mut file).take(long).read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    };
    // What it is, by its beginning.
    let mut head = read(0, (1 << 20).min(length))?;
    head.truncate(memchr::memrchr(b'\n', &head).map_or(head.len(), |at| at + 1));
    let known = open_text(path, text_file(head.clone(), format), reading, &Budget::of_dataset(), &Progress::silent())?;
    let raw = known.base.raw.as_ref();
    let Some(raw) = raw.filter(|raw| raw.encoding == "UTF-8" && known.base.origin.format == format) else { return Ok(whole) };
    let mark = raw.mark.len() as u64;
    let Some(first) = raw.starts.first().map(|first| first + mark) else { return Ok(whole) };
    let delimiter = if let Shape::Delimited(dialect) = raw.shape { Some(dialect.delimiter) } else { None };
    let (mut pieces, mut from, mut want) = (Vec::new(), first, size);
    while from < length {
        progress.check()?;
        let bytes = read(from, want.min(length - from))?;
        let ends = from + bytes.len() as u64 >= length;
        let whole = if ends { bytes.len() } else { last_row(&bytes, delimiter) };
        if whole == 0 {
            // One row is longer than that.
            want *= 2;
            if want > LONGEST_ROW {
                let reason = format!(
                    "from byte {from} on a row goes on for more than {} MiB: a quote that nothing closes?",
                    LONGEST_ROW >> 20
                );
                return Err(IoError::TooLarge { path: path.to_owned(), reason });
            }
            continue;
        }
        pieces.push(RowsCut { head: first, from, to: from + whole as u64 });
        from += whole as u64;
        want = size;
    }
    Ok(pieces)
}

/// Where the last row that is whole ends.
fn last_row(bytes: &[u8], delimiter: Option<u8>) -> usize {
    let Some(delimiter) = delimiter else { return memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1) };
    let (mut parser, mut fields, mut at) = (RowParser::new(bytes, delimiter), Vec::new(), 0);
    loop {
        let (stop, next) = parser.row(at, &mut fields);
        // A quote that does not close here may close behind the end; what reaches the end may go on.
        if stop >= bytes.len() || next > bytes.len() || parser.is_open() {
            return at;
        }
        at = next;
    }
}

fn text_file(bytes: Vec<u8>, format: Format) -> TextFile {
    TextFile {
        fingerprint: u128::from(xxh3_64(&bytes)),
        bytes: TextBytes::Held(bytes),
        named: Some(format),
        packing: Packing::None,
        pictures: None,
    }
}

/// Opens a piece as a dataset of its own.
///
/// # Errors
/// [`IoError`].
pub fn open_piece(path: &Path, piece: &RowsCut, reading: &Reading, progress: &Progress) -> Result<Dataset, IoError> {
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let mut file = File::open(path).map_err(fail)?;
    let mut bytes = Vec::with_capacity(usize::try_from(piece.head + piece.to - piece.from).unwrap_or(0));
    (&mut file).take(piece.head).read_to_end(&mut bytes).map_err(fail)?;
    file.seek(SeekFrom::Start(piece.from)).map_err(fail)?;
    (&mut file).take(piece.to - piece.from).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 != piece.head + piece.to - piece.from {
        return Err(IoError::Broken { path: path.to_owned(), format: "text", reason: "it is shorter than it was".to_owned() });
    }
    let format = format_of_name(path).0.unwrap_or(Format::Csv);
    open_text(path, text_file(bytes, format), reading, &Budget::of_dataset(), progress)
}

/// Where the rows of a saved text begin: behind its head.
fn rows_from(path: &Path, bytes: &[u8]) -> usize {
    let (Some(format @ (Format::Csv | Format::Tsv)), _) = format_of_name(path) else { return 0 };
    let head = &bytes[..bytes.len().min(1 << 20)];
    let known =
        open_text(path, text_file(head.to_vec(), format), &Reading::default(), &Budget::of_dataset(), &Progress::silent());
    let raw = known.ok().and_then(|known| known.base.raw.as_ref().map(|raw| (raw.starts.first().copied(), raw.mark.len())));
    raw.map_or(bytes.len(), |(first, mark)| {
        first.map_or(bytes.len(), |first| usize::try_from(first).map_or(bytes.len(), |first| first + mark))
    })
}

/// Puts saved pieces behind each other as one file, the head of the first alone. A missing piece has nothing to add.
///
/// # Errors
/// [`IoError`].
pub fn join_pieces(pieces: &[PathBuf], to: &Path, rows_of: &[u64]) -> Result<(), IoError> {
    if let [one] = pieces {
        let fail = |error: std::io::Error| IoError::Write { path: to.to_owned(), reason: error.to_string() };
        fs::create_dir_all(to.parent().unwrap_or(Path::new(""))).map_err(fail)?;
        return fs::rename(one, to).map_err(fail);
    }
    write_aside(to, Packing::None, |out: &mut dyn Write| {
        let mut begun = false;
        for (piece, rows) in pieces.iter().zip(rows_of) {
            if begun && *rows == 0 || !piece.is_file() {
                continue;
            }
            let bytes = fs::read(piece).map_err(|error| IoError::Read { path: piece.clone(), reason: error.to_string() })?;
            let from = if begun { rows_from(to, &bytes) } else { 0 };
            let fail = |error: std::io::Error| IoError::Write { path: to.to_owned(), reason: error.to_string() };
            out.write_all(&bytes[from..]).map_err(fail)?;
            begun = true;
        }
        Ok(())
    })
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_section_is_never_taken_for_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x");
        write_sections(&path, &[b"one".to_vec(), Vec::new(), b"three".to_vec()]).unwrap();
        assert_eq!(read_section(&path, 2).unwrap(), b"three");
        assert!(read_section(&path, 1).unwrap().is_empty() && read_section(&path, 3).is_err());
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(read_section(&path, 2).is_err(), "{cut}");
        }
        for at in 0..whole.len() {
            let mut other = whole.clone();
            other[at] ^= 0x40;
            fs::write(&path, &other).unwrap();
            // What another section says does not matter to this one.
            if let Ok(bytes) = read_section(&path, 2) {
                assert_eq!(bytes, b"three", "{at}");
            }
        }
    }

    #[test]
    fn a_text_is_cut_between_rows_and_nowhere_else() {
        let at = |n: u64| usize::try_from(n).unwrap();
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.csv");
        let rows: Vec<String> = (0..3_000)
            .map(|n| match n % 5 {
                0 => format!("{n},\"two\nlines, and \"\"quotes\"\"\"\n"),
                1 => format!("{n},5\" screen\n"),
                2 => format!("{n},\"{}\"\n", "long\n".repeat(300)),
                _ => format!("{n},plain\n"),
            })
            .collect();
        let text = format!("\u{feff}id,text\n{}", rows.concat());
        fs::write(&path, &text).unwrap();
        for size in [100, 1_000, 4_096, 50_000] {
            let pieces = cut_text(&path, size, &Reading::default(), &Progress::silent()).unwrap();
            assert!(pieces.len() > 10, "{size}");
            let mut n = 0;
            let mut all = text.as_bytes()[..at(pieces[0].head)].to_vec();
            for piece in &pieces {
                let own = open_piece(&path, piece, &Reading::default(), &Progress::silent()).unwrap();
                n += own.rows();
                all.extend_from_slice(&text.as_bytes()[at(piece.from)..at(piece.to)]);
                assert_eq!(own.fields().len(), 2, "{size}");
            }
            assert_eq!((n, all.len()), (3_000, text.len()), "{size}");
        }
    }
}
