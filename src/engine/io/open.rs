//! Opening: from a path to a dataset, whatever the format, packing and encoding.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::error::IoError;
use super::format::{Magic, format_of_name, magic};
use super::layouts;
use super::pictures::archive::open_archive;
use super::pictures::folder::{found_otherwise, open_folder};
use super::read::aside::{GROWS, lay_aside};
use super::read::budget::{Budget, is_beyond, is_memory_set, over};
use super::read::sheets::SheetAsked;
use super::read::text::{TextBytes, TextFile, beside, odd_words, open_text};
use super::read::{class_names, columns, duckdb, source, typed};
use super::reading::Reading;
use super::sources;
use crate::data::{Base, Column, Dataset, Format, Origin, Packing, TakenRows, Warning};
use crate::job::Progress;

/// What a typed file may grow to: generous for its size, so that an honest file passes and a bomb does not.
fn typed_limit(size: u64, budget: &Budget) -> u64 {
    if is_memory_set() { budget.left() } else { ((1 << 30) + size.saturating_mul(100)).min(budget.left()) }
}

const PREVIEW: usize = 1 << 18;

/// Opens a file. `preview` is given the first rows of a large text file before the rest is read.
///
/// # Errors
/// [`IoError`]: each says what is wrong and what can be done.
pub fn open(path: &Path, reading: &Reading, progress: &Progress, preview: &dyn Fn(Dataset)) -> Result<Dataset, IoError> {
    if path.is_dir() {
        if let Some(dataset) = layouts::open_laid_folder(path, reading, progress)? {
            return Ok(dataset);
        }
        return open_folder(path, reading, progress, preview, &open_one);
    }
    open_one(path, reading, &Budget::of_dataset(), true, progress, preview)
}

/// What rows that were taken out of a log say: read from the project, and not from the log.
///
/// # Errors
/// [`IoError`].
pub fn taken_base(taken: &TakenRows, progress: &Progress) -> Result<Arc<Base>, IoError> {
    let bytes = taken.text.clone().into_bytes();
    let fingerprint = xxh3_128(&bytes);
    let file = TextFile {
        bytes: TextBytes::Held(bytes),
        named: Some(Format::JsonLines),
        packing: Packing::None,
        fingerprint,
        pictures: None,
    };
    Ok(open_text(Path::new(&taken.log), file, &Reading::default(), &Budget::of_dataset(), progress)?.base)
}

/// Opens one of several sources: a file or a folder.
fn open_source(
    path: &Path,
    reading: &Reading,
    budget: &Budget,
    named_classes: bool,
    progress: &Progress,
    preview: &dyn Fn(Dataset),
) -> Result<Dataset, IoError> {
    if path.is_dir() {
        open(path, reading, progress, preview)
    } else {
        open_one(path, reading, budget, named_classes, progress, preview)
    }
}

/// Opens one file, be it one of several.
fn open_one(
    path: &Path,
    reading: &Reading,
    budget: &Budget,
    named_classes: bool,
    progress: &Progress,
    preview: &dyn Fn(Dataset),
) -> Result<Dataset, IoError> {
    found_otherwise(open_file(path, reading, budget, named_classes, progress, preview)?, progress)
}

/// `named_classes`: the numbers of classes are shown by the names that are noted beside them.
fn open_file(
    path: &Path,
    reading: &Reading,
    budget: &Budget,
    named_classes: bool,
    progress: &Progress,
    preview: &dyn Fn(Dataset),
) -> Result<Dataset, IoError> {
    let head = first_bytes(path)?;
    let (named, _) = format_of_name(path);
    let found = magic(&head);
    let packing = if let Magic::Packed(packing) = found { packing } else { Packing::None };
    // A workbook is a ZIP archive, or an old Office document: its name says which.
    let sheets = named.filter(|format| format.has_sheets() && !matches!(format, Format::Sqlite | Format::DuckDb));
    if let Some(format) = sheets.filter(|_| head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0")) {
        return open_typed(path, format, packing, (named_classes, reading), budget, progress);
    }
    if found == Magic::Format(Format::Sqlite) && path.extension().is_some_and(|ending| ending == "lapidary") {
        let what = "it is a Lapidary project: open its dataset, which lies beside it".to_owned();
        return Err(IoError::Format { path: path.to_owned(), what });
    }
    if let Magic::Other(what) = found {
        return Err(IoError::Format { path: path.to_owned(), what: what.to_owned() });
    }
    if found == Magic::Format(Format::DuckDb) {
        return duckdb::open_duckdb(path, reading, budget, progress);
    }
    if let Magic::Format(format) = found {
        return open_typed(path, format, packing, (named_classes, reading), budget, progress);
    }
    if let Magic::Archive(format) = found {
        return open_archive(path, format, Packing::None, None, reading, budget, progress);
    }
    let plain = named.is_none_or(Format::is_text) && !layouts::is_laid(path, &head, reading);
    if packing == Packing::None && plain && head.len() >= PREVIEW {
        // Only whole lines: the last one is cut.
        let whole = memchr::memrchr(b'\n', &head).map_or(0, |at| at + 1);
        let first = TextFile { bytes: TextBytes::Held(head[..whole].to_vec()), named, packing, fingerprint: 0, pictures: None };
        if let Ok(dataset) = open_text(path, first, reading, &Budget::of_dataset(), &Progress::silent()) {
            preview(dataset);
        }
    }
    if let Some(dataset) = open_aside(path, (&head, packing), named, reading, budget, progress)? {
        return Ok(dataset);
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
                return open_typed(path, format, packing, (named_classes, reading), budget, progress);
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
    if sources::is_sources(&bytes) && reading.layout.as_deref() != Some(layouts::PLAIN) {
        return sources::open_sources(path, &bytes, budget, progress, &open_source);
    }
    if let Some(dataset) = layouts::open_laid_file(path, &bytes, (fingerprint, packing), reading, budget, progress)? {
        return Ok(dataset);
    }
    if let Some(format) = named.filter(|format| !format.is_text()) {
        let reason = "it does not begin as such a file does; it is torn, or its name is wrong".to_owned();
        return Err(IoError::Broken { path: path.to_owned(), format: format.title(), reason });
    }
    open_text(
        path,
        TextFile { bytes: TextBytes::Held(bytes), named, packing, fingerprint, pictures: None },
        reading,
        budget,
        progress,
    )
}

/// Opens a text that is too large to be held; `None` where it is not, or is no text in UTF-8.
fn open_aside(
    path: &Path,
    (head, packing): (&[u8], Packing),
    named: Option<Format>,
    reading: &Reading,
    budget: &Budget,
    progress: &Progress,
) -> Result<Option<Dataset>, IoError> {
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let grown = if packing == Packing::None { bytes } else { bytes.saturating_mul(GROWS) };
    if !is_beyond(grown) || !named.is_none_or(Format::is_text) {
        return Ok(None);
    }
    let unpacked = source::unpacked_head(head, packing);
    let asked =
        reading.encoding.as_deref().is_none_or(|label| label.eq_ignore_ascii_case("utf-8") || label.eq_ignore_ascii_case("utf8"));
    let (encoding, mark) = source::detect(whole_letters(&unpacked));
    let plain =
        magic(&unpacked) == Magic::Unknown && !layouts::is_laid(path, &unpacked, reading) && !sources::is_sources(&unpacked);
    if !plain || unpacked.is_empty() {
        return Ok(None);
    }
    if !asked || encoding != encoding_rs::UTF_8 {
        let name = reading.encoding.as_deref().unwrap_or(encoding.name());
        let reason = format!(
            "it is a text in {name} of {} MB, more than one dataset may take in memory here. Save it as UTF-8 (iconv -f {name} -t UTF-8), which lies on disk while it is open, or allow more with --max-memory",
            bytes / 1_000_000
        );
        return if bytes > budget.left() { Err(IoError::TooLarge { path: path.to_owned(), reason }) } else { Ok(None) };
    }
    let text = match lay_aside(path, packing, mark, progress) {
        // What has no room on disk, and just fits into memory, is held.
        Err(IoError::TooLarge { .. }) if grown <= budget.left() => return Ok(None),
        text => text?,
    };
    let fingerprint = text.fingerprint;
    let file = TextFile { bytes: TextBytes::Aside(Box::new(text)), named, packing, fingerprint, pictures: None };
    open_text(path, file, reading, budget, progress).map(Some)
}

/// The beginning of a text without a letter that is cut at its end.
fn whole_letters(head: &[u8]) -> &[u8] {
    match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => &head[..error.valid_up_to()],
        _ => head,
    }
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
    (named_classes, reading): (bool, &Reading),
    budget: &Budget,
    progress: &Progress,
) -> Result<Dataset, IoError> {
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let asked = SheetAsked { sheet: reading.sheet.clone(), skip: reading.skip, header: reading.header };
    let read = typed::read(path, format, packing, (&asked, typed_limit(bytes, budget)), progress);
    let (mut columns, mut beside_columns) = read.map_err(|error| match error {
        // Others of its folder have taken the rest.
        IoError::TooLarge { path, .. } if budget.left() < budget.limit() => {
            IoError::TooLarge { path, reason: over(budget.limit()) }
        }
        error => error,
    })?;
    let held: usize = columns.iter().filter_map(Column::series).map(polars::prelude::Series::estimated_size).sum();
    budget.take(held as u64).map_err(|reason| IoError::TooLarge { path: path.to_owned(), reason })?;
    let mut sheets: (Vec<String>, Option<String>) = Default::default();
    if format.has_sheets() {
        beside_columns.kept.retain(|(key, value)| match key.as_str() {
            "sheets" => {
                sheets.0 = serde_json::from_str(value).unwrap_or_default();
                false
            }
            "sheet" => {
                sheets.1 = Some(value.clone());
                false
            }
            _ => true,
        });
    }
    // A sheet's cells are what is written in them: what they can be read as is for all of them to say, as in a text file.
    if format.has_sheets() && format != Format::Sqlite {
        columns = columns.into_iter().map(columns::of_texts).collect();
        beside_columns.notes.extend(columns.iter().filter_map(odd_words));
    }
    if named_classes {
        class_names::name(&mut columns, &mut beside_columns.kept);
    }
    let rows = columns.first().map_or(0, Column::len);
    if rows >= u32::MAX as usize {
        return Err(IoError::TooLarge { path: path.to_owned(), reason: format!("it has {rows} rows; 4 billion is the most") });
    }
    let origin = Origin {
        path: path.to_owned(),
        format,
        packing,
        encoding: "UTF-8",
        fingerprint: source::fingerprint(path)?,
        bytes,
        sheets: sheets.0,
        sheet: sheets.1,
        layout: None,
    };
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
        provenance: 0,
        sources: Vec::new(),
    }))
}
