//! Opening: from a path to a dataset, whatever the format, packing and encoding.

use std::collections::HashMap;
use std::path::Path;

use polars_buffer::Buffer;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::archive::open_archive;
use super::budget::{Budget, is_memory_set, over};
use super::delimited::Wanted;
use super::error::IoError;
use super::faults::Faults;
use super::folder::{found_otherwise, open_folder};
use super::format::{Magic, format_of_name, magic};
use super::{class_names, delimited, json_read, json_rows, source, typed};
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
    /// How many lines stand before the table of a delimited text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<usize>,
    /// Whether fields beyond the header's are columns too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub surplus: bool,
}

/// What a typed file may grow to: generous for its size, so that an honest file passes and a bomb does not.
fn typed_limit(size: u64, budget: &Budget) -> u64 {
    if is_memory_set() { budget.left() } else { ((1 << 30) + size.saturating_mul(100)).min(budget.left()) }
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
    found_otherwise(open_file(path, reading, &Budget::of_dataset(), progress, preview, true)?, progress)
}

/// Opens a file with its classes as the file has them: one of several that are joined, and that share a budget.
///
/// # Errors
/// As [`open`].
pub fn open_unnamed(path: &Path, reading: &Reading, budget: &Budget, progress: &Progress) -> Result<Dataset, IoError> {
    found_otherwise(open_file(path, reading, budget, progress, &|_| {}, false)?, progress)
}

/// `named_classes`: the numbers of classes are shown by the names that are noted beside them.
fn open_file(
    path: &Path,
    reading: &Reading,
    budget: &Budget,
    progress: &Progress,
    preview: &dyn Fn(Dataset),
    named_classes: bool,
) -> Result<Dataset, IoError> {
    let head = first_bytes(path)?;
    let (named, _) = format_of_name(path);
    let found = magic(&head);
    let packing = if let Magic::Packed(packing) = found { packing } else { Packing::None };
    if let Magic::Other(what) = found {
        return Err(IoError::Format { path: path.to_owned(), what: what.to_owned() });
    }
    if let Magic::Format(format) = found {
        return open_typed(path, format, packing, named_classes, budget, progress);
    }
    if let Magic::Archive(format) = found {
        return open_archive(path, format, Packing::None, None, reading, budget, progress);
    }
    if packing == Packing::None && named.is_none_or(Format::is_text) && head.len() >= PREVIEW {
        // Only whole lines: the last one is cut.
        let whole = memchr::memrchr(b'\n', &head).map_or(0, |at| at + 1);
        let (head, its_own) = (head[..whole].to_vec(), Budget::of_dataset());
        if let Ok(dataset) = open_text(path, head, named, packing, reading, 0, None, &its_own, &Progress::silent()) {
            preview(dataset);
        }
    }
    let bytes = source::read(path, budget, progress)?;
    if bytes.is_empty() {
        return Err(IoError::Empty(path.to_owned()));
    }
    let fingerprint = xxh3_128(&bytes);
    let bytes = match packing {
        Packing::None => bytes,
        packed => {
            let unpacked = source::unpack(&bytes, packed, path, budget, progress)?;
            if let Magic::Format(format) = magic(&unpacked) {
                drop((bytes, unpacked));
                return open_typed(path, format, packing, named_classes, budget, progress);
            }
            if magic(&unpacked) == Magic::Archive(Format::Tar) {
                return open_archive(path, Format::Tar, packing, Some(unpacked), reading, budget, progress);
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
    open_text(path, bytes, named, packing, reading, fingerprint, None, budget, progress)
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

fn open_typed(
    path: &Path,
    format: Format,
    packing: Packing,
    named_classes: bool,
    budget: &Budget,
    progress: &Progress,
) -> Result<Dataset, IoError> {
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let read = typed::read(path, format, packing, typed_limit(bytes, budget), progress);
    let (mut columns, mut beside_columns) = read.map_err(|error| match error {
        // Others of its folder have taken the rest.
        IoError::TooLarge { path, .. } if budget.left() < budget.limit() => {
            IoError::TooLarge { path, reason: over(budget.limit()) }
        }
        error => error,
    })?;
    let held: usize = columns.iter().filter_map(Column::series).map(polars::prelude::Series::estimated_size).sum();
    budget.take(held as u64).map_err(|reason| IoError::TooLarge { path: path.to_owned(), reason })?;
    if named_classes {
        class_names::name(&mut columns, &mut beside_columns.kept);
    }
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
        warnings: beside_columns.notes.into_iter().map(|reason| Warning { line: 0, reason }).collect(),
        noted: beside_columns.kept,
        unread: 0,
        wide: 0,
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
    budget: &Budget,
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
    let format = match named {
        Some(format @ (Format::Json | Format::JsonLines)) => format,
        _ if json_read::is_json(&text) => Format::Json,
        Some(format) => format,
        None if text.get(super::json::skip_space(&text, 0)) == Some(&b'{') => Format::JsonLines,
        None => Format::Csv,
    };
    budget.take(size.max(text.len() as u64)).map_err(|reason| IoError::TooLarge { path: path.to_owned(), reason })?;
    let mut wide = 0;
    let (table, shape, format) = match format {
        Format::Json | Format::JsonLines => {
            json_read::read(&text, format, budget, progress).map_err(|refusal| match refusal {
                json_rows::Refusal::Broken(reason) => IoError::Broken { path: path.to_owned(), format: format.title(), reason },
                json_rows::Refusal::TooLarge(reason) => IoError::TooLarge { path: path.to_owned(), reason },
                json_rows::Refusal::Cancelled => IoError::Cancelled,
            })?
        }
        _ => {
            let wanted =
                Wanted { delimiter: reading.delimiter, header: reading.header, skip: reading.skip, surplus: reading.surplus };
            let (dialect, before) = delimited::dialect(&text, &wanted, format == Format::Tsv);
            let table = delimited::read(&text, dialect, budget, progress).map_err(|refusal| match refusal {
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
            wide = table.wide;
            let (columns, starts, lengths) = (table.columns, table.starts, table.lengths);
            let warnings = before.into_iter().chain(table.warnings).collect();
            (json_rows::Table { columns, starts, lengths, warnings, unread: 0 }, Shape::Delimited(dialect), format)
        }
    };
    let rows = table.columns.first().map_or(table.starts.len(), Column::len);
    let (columns, starts, lengths, unread, mut warnings) =
        (table.columns, table.starts, table.lengths, table.unread, table.warnings);
    warnings.extend(patch_warnings(&text, &decoded.patches, decoded.encoding.name()));
    let encoding = decoded.encoding.name();
    let raw = Raw { text, shape, encoding, mark: decoded.mark, patches: decoded.patches, starts, lengths };
    warnings.extend(odd_warnings(&columns, &raw));
    warnings.sort_by_key(|warning| if warning.line == 0 { usize::MAX } else { warning.line });
    let origin = Origin { path: path.to_owned(), format, packing, encoding, fingerprint, bytes: size };
    let pictures = pictures.unwrap_or_else(|| beside(path));
    Ok(Dataset::new(Base {
        columns,
        rows,
        raw: Some(raw),
        origin,
        warnings,
        unread,
        wide,
        pictures,
        prints: Vec::new(),
        odd_names: HashMap::new(),
        noted: Vec::new(),
    }))
}

fn patch_warnings(text: &[u8], patches: &[crate::data::Patch], encoding: &str) -> Vec<Warning> {
    let mut odd = Faults::default();
    for patch in patches {
        odd.note(patch.at.min(text.len()), || {
            let bytes: Vec<String> = patch.bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            format!("bytes that are not {encoding} ({}): shown as \u{fffd} and saved as they were", bytes.join(" "))
        });
    }
    odd.warnings(text)
}

/// Cells that are no numbers in columns of numbers.
fn odd_warnings(columns: &[Column], raw: &Raw) -> Vec<Warning> {
    const TOLD: usize = 50;
    let odd = columns.iter().filter(|column| column.odd.count > 0).take(TOLD);
    odd.map(|column| {
        let first = column.odd.first.first().copied().unwrap_or(0) as usize;
        let cell = column.text(first).unwrap_or_default();
        let short: String = cell.chars().take(40).collect();
        let line = raw.starts.get(first).map_or(0, |start| raw.line_of(usize::try_from(*start).unwrap_or(usize::MAX)));
        let (name, n) = (&column.name, column.odd.count);
        let reason = match n {
            1 => format!("{name:?} is read as numbers, and {short:?} is none: it keeps its text"),
            _ => format!("{name:?} is read as numbers, and {n} cells are none, the first {short:?}: they keep their text"),
        };
        Warning { line, reason }
    })
    .collect()
}

/// Whether a text has more control characters than any text has.
fn looks_binary(text: &[u8]) -> bool {
    let head = &text[..text.len().min(65_536)];
    let odd = head.iter().filter(|byte| matches!(byte, 0..=8 | 14..=31) && **byte != 0x1b).count();
    let replaced = memchr::memmem::find_iter(head, "\u{fffd}".as_bytes()).count();
    // Of bytes by chance one in ten is one; a short text with a few is still a text.
    let part = if head.len() < 1_024 { 10 } else { 13 };
    (odd + replaced) * part > head.len()
}
