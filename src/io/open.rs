//! Opening: from a path to a dataset, whatever the format, packing and encoding.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use polars_buffer::Buffer;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::archive::open_archive;
use super::delimited::lines_of;
use super::error::IoError;
use super::folder::open_folder;
use super::format::{Magic, format_of_name, magic};
use super::{delimited, json, json_rows, source, typed};
use crate::data::{Base, Column, Dataset, Format, Origin, Packing, PictureStore, Raw, Shape, Warning};
use crate::job::Progress;

/// How a file is to be read; what is not said is found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The encoding's name (any label of the Encoding Standard).
    pub encoding: Option<String>,
    /// The byte between fields.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
}

static MAX_MEMORY: AtomicU64 = AtomicU64::new(0);

/// Sets the most bytes that one file may take in memory; 0 for the default, three quarters of the machine's.
pub fn set_max_memory(bytes: u64) {
    MAX_MEMORY.store(bytes, Ordering::Relaxed);
}

fn max_memory() -> u64 {
    match MAX_MEMORY.load(Ordering::Relaxed) {
        0 => {
            let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
                let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
                line.split_whitespace().nth(1)?.parse::<u64>().ok()
            });
            machine.map_or(8 << 30, |kibibytes| kibibytes * 1_024 / 4 * 3)
        }
        set => set,
    }
}

/// What a typed file may grow to: generous for its size, so that an honest file passes and a bomb does not.
fn typed_limit(size: u64) -> u64 {
    match MAX_MEMORY.load(Ordering::Relaxed) {
        0 => ((1 << 30) + size.saturating_mul(100)).min(max_memory()),
        set => set,
    }
}

const PREVIEW: usize = 1 << 18;

/// The fingerprint of a file's content: XXH3, 128 bits.
///
/// # Errors
/// [`IoError::Read`].
pub fn fingerprint(path: &Path) -> Result<u128, IoError> {
    use std::io::Read as _;
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let mut file = std::fs::File::open(path).map_err(fail)?;
    let (mut hasher, mut block) = (Xxh3::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut block).map_err(fail)? {
            0 => return Ok(hasher.digest128()),
            read => hasher.update(&block[..read]),
        }
    }
}

/// Opens a file. `preview` is given the first rows of a large text file before the rest is read.
///
/// # Errors
/// [`IoError`]: each says what is wrong and what can be done.
pub fn open(path: &Path, reading: &Reading, progress: &Progress, preview: &dyn Fn(Dataset)) -> Result<Dataset, IoError> {
    if path.is_dir() {
        return open_folder(path, reading, progress, preview);
    }
    let limit = max_memory();
    let head = first_bytes(path)?;
    let (named, _) = format_of_name(path);
    let found = magic(&head);
    let packing = if let Magic::Packed(packing) = found { packing } else { Packing::None };
    if let Magic::Other(what) = found {
        return Err(IoError::Format { path: path.to_owned(), what: what.to_owned() });
    }
    if let Magic::Format(format) = found {
        return open_typed(path, format, packing, progress);
    }
    if let Magic::Archive(format) = found {
        return open_archive(path, format, Packing::None, None, reading, progress);
    }
    if packing == Packing::None && named.is_none_or(Format::is_text) && head.len() >= PREVIEW {
        // Only whole lines: the last one is cut.
        let whole = memchr::memrchr(b'\n', &head).map_or(0, |at| at + 1);
        if let Ok(dataset) = open_text(path, head[..whole].to_vec(), named, packing, reading, 0, None, &Progress::silent()) {
            preview(dataset);
        }
    }
    let bytes = source::read(path, limit, progress)?;
    if bytes.is_empty() {
        return Err(IoError::Empty(path.to_owned()));
    }
    let fingerprint = xxh3_128(&bytes);
    let bytes = match packing {
        Packing::None => bytes,
        packed => {
            let unpacked = source::unpack(&bytes, packed, path, limit, progress)?;
            if let Magic::Format(format) = magic(&unpacked) {
                drop((bytes, unpacked));
                return open_typed(path, format, packing, progress);
            }
            if magic(&unpacked) == Magic::Archive(Format::Tar) {
                return open_archive(path, Format::Tar, packing, Some(unpacked), reading, progress);
            }
            unpacked
        }
    };
    if let Magic::Other(what) = magic(&bytes) {
        return Err(IoError::Format { path: path.to_owned(), what: what.to_owned() });
    }
    if let Some(format) = named.filter(|format| !format.is_text()) {
        let reason = "it does not begin as such a file does; it is torn, or its name is wrong".to_owned();
        return Err(IoError::Broken { path: path.to_owned(), format: format.title(), reason });
    }
    open_text(path, bytes, named, packing, reading, fingerprint, None, progress)
}

fn first_bytes(path: &Path) -> Result<Vec<u8>, IoError> {
    use std::io::Read as _;
    let meta = std::fs::metadata(path);
    let fail = |error: std::io::Error| {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
            _ => error.to_string(),
        };
        IoError::Read { path: path.to_owned(), reason }
    };
    // A pipe or a device never ends.
    if !meta.map_err(fail)?.is_file() {
        return Err(IoError::Read { path: path.to_owned(), reason: "it is no plain file".to_owned() });
    }
    let mut head = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(PREVIEW as u64).read_to_end(&mut head)).map_err(fail)?;
    if head.is_empty() {
        return Err(IoError::Empty(path.to_owned()));
    }
    Ok(head)
}

fn open_typed(path: &Path, format: Format, packing: Packing, progress: &Progress) -> Result<Dataset, IoError> {
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let columns = typed::read(path, format, packing, typed_limit(bytes), progress)?;
    let rows = columns.first().map_or(0, Column::len);
    if rows >= u32::MAX as usize {
        return Err(IoError::TooLarge { path: path.to_owned(), reason: format!("it has {rows} rows; 4 billion is the most") });
    }
    let origin = Origin { path: path.to_owned(), format, packing, encoding: "UTF-8", fingerprint: fingerprint(path)?, bytes };
    Ok(Dataset::new(Base {
        columns,
        rows,
        raw: None,
        origin,
        warnings: Vec::new(),
        pictures: beside(path),
        prints: Vec::new(),
        odd_names: HashMap::new(),
    }))
}

/// Pictures of a table lie beside it.
fn beside(path: &Path) -> PictureStore {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    PictureStore::Folder(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()))
}

/// Reads text. `pictures` is where its paths lead, where that is not the folder of `path`.
pub fn open_text(
    path: &Path,
    bytes: Vec<u8>,
    named: Option<Format>,
    packing: Packing,
    reading: &Reading,
    fingerprint: u128,
    pictures: Option<PictureStore>,
    progress: &Progress,
) -> Result<Dataset, IoError> {
    let size = bytes.len() as u64;
    let wanted = match &reading.encoding {
        None => None,
        Some(label) => Some(encoding_rs::Encoding::for_label(label.as_bytes()).ok_or_else(|| IoError::Broken {
            path: path.to_owned(),
            format: "text",
            reason: format!("{label:?} is not the name of an encoding; try utf-8, utf-16le or windows-1252"),
        })?),
    };
    let decoded = source::decode(bytes, wanted);
    if looks_binary(&decoded.text) {
        let what = "it holds bytes that no text has; it is of another format, or torn".to_owned();
        return Err(IoError::Format { path: path.to_owned(), what });
    }
    let text: Buffer<u8> = decoded.text.into();
    if delimited::skip_blank(&text, 0) >= text.len() {
        return Err(IoError::Empty(path.to_owned()));
    }
    let format = named.unwrap_or_else(|| sniff_format(&text));
    let format = if matches!(format, Format::Json | Format::JsonLines) { json_shape(&text, format) } else { format };
    let (columns, starts, lengths, mut warnings, shape) = match format {
        Format::Json | Format::JsonLines => {
            let table = if format == Format::JsonLines {
                json_rows::read_lines(&text, progress)
            } else {
                json_rows::read_array(&text, progress)
            };
            let table = table.map_err(|refusal| match refusal {
                json_rows::Refusal::Broken(reason) => IoError::Broken { path: path.to_owned(), format: format.title(), reason },
                json_rows::Refusal::TooLarge(reason) => IoError::TooLarge { path: path.to_owned(), reason },
                json_rows::Refusal::Cancelled => IoError::Cancelled,
            })?;
            let shape = if format == Format::JsonLines { Shape::JsonLines } else { Shape::JsonArray };
            (table.columns, table.starts, table.lengths, table.warnings, shape)
        }
        _ => {
            let dialect = delimited::dialect(&text, reading.delimiter, reading.header, format == Format::Tsv);
            let table = delimited::read(&text, dialect, progress).map_err(|refusal| match refusal {
                delimited::Refusal::TooWide(found) => IoError::TooLarge {
                    path: path.to_owned(),
                    reason: format!(
                        "its first line has {found} fields and {} columns is the most; another delimiter, or a line end that is missing?",
                        super::columns::MAX_COLUMNS
                    ),
                },
                delimited::Refusal::TooLarge(reason) => IoError::TooLarge { path: path.to_owned(), reason },
                delimited::Refusal::Cancelled => IoError::Cancelled,
            })?;
            let mut warnings = table.warnings;
            if !dialect.header && reading.header.is_none() {
                let reason = "the first row looks like a sample, not like names: the columns are called column 1, column 2 …";
                warnings.insert(0, Warning { line: 1, reason: reason.to_owned() });
            }
            (table.columns, table.starts, table.lengths, warnings, Shape::Delimited(dialect))
        }
    };
    warnings.extend(patch_warnings(&text, &decoded.patches, decoded.encoding.name()));
    warnings.sort_by_key(|warning| if warning.line == 0 { usize::MAX } else { warning.line });
    let rows = starts.len();
    let encoding = decoded.encoding.name();
    let raw = Raw { text, shape, encoding, mark: decoded.mark, patches: decoded.patches, starts, lengths };
    let origin = Origin { path: path.to_owned(), format, packing, encoding, fingerprint, bytes: size };
    let pictures = pictures.unwrap_or_else(|| beside(path));
    Ok(Dataset::new(Base {
        columns,
        rows,
        raw: Some(raw),
        origin,
        warnings,
        pictures,
        prints: Vec::new(),
        odd_names: HashMap::new(),
    }))
}

fn patch_warnings(text: &[u8], patches: &[crate::data::Patch], encoding: &str) -> Vec<Warning> {
    let odd = patches
        .iter()
        .map(|patch| {
            let bytes: Vec<String> = patch.bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            let what = format!("bytes that are not {encoding} ({}): shown as \u{fffd} and saved as they were", bytes.join(" "));
            (patch.at.min(text.len()), what)
        })
        .collect();
    lines_of(text, odd)
}

fn looks_binary(text: &[u8]) -> bool {
    let head = &text[..text.len().min(65_536)];
    let odd = head.iter().filter(|byte| matches!(byte, 0..=8 | 14..=31) && **byte != 0x1b).count();
    let replaced = memchr::memmem::find_iter(head, "\u{fffd}".as_bytes()).count();
    (odd + replaced) * 10 > head.len()
}

fn sniff_format(text: &[u8]) -> Format {
    match text.get(json::skip_space(text, 0)) {
        Some(b'{' | b'[') if json::value(text, 0).is_ok() => Format::Json,
        Some(b'{') => Format::JsonLines,
        _ => Format::Csv,
    }
}

/// Files called `.json` often hold JSON Lines, and the other way round: the text decides.
fn json_shape(text: &[u8], named: Format) -> Format {
    let start = json::skip_space(text, 0);
    match text.get(start) {
        Some(b'[') if named == Format::JsonLines => {
            // An array over several lines, or one line that is the whole file, is an array; else each line is a sample.
            let line = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |found| start + found);
            let whole = json::value(&text[..line], start).is_ok_and(|(_, _, end)| json::skip_space(&text[..line], end) == line);
            let alone = json::skip_space(text, line) == text.len();
            if whole && !alone { Format::JsonLines } else { Format::Json }
        }
        Some(b'{') if named == Format::Json => {
            let lines = if let Ok((_, _, end)) = json::value(text, start) {
                let next = json::skip_space(text, end);
                next < text.len() && text[end..next].contains(&b'\n') && text[next] == b'{'
            } else {
                // The first line is broken; where the second one is whole in itself, these are lines all the same.
                let line = memchr::memchr(b'\n', &text[start..]).map(|found| start + found);
                let second = line.map(|end| json::skip_space(text, end));
                second.is_some_and(|at| text.get(at) == Some(&b'{') && json::value(text, at).is_ok())
            };
            if lines { Format::JsonLines } else { Format::Json }
        }
        _ => named,
    }
}
