//! Text files: decoded, recognised, parsed.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::aside::AsideText;
use super::budget::Budget;
use super::delimited::{self, Wanted};
use super::faults::{Faults, line_end_byte};
use super::standing::{RowPlaces, field_columns, member_columns};
use super::{dialect, json_read, json_rows, source};
use crate::data::{Base, Column, Dataset, Dialect, Format, Origin, Packing, PictureStore, Raw, Shape, Warning};
use crate::io::error::IoError;
use crate::io::reading::Reading;
use crate::job::Progress;

/// The bytes of a text file, unpacked, and what is known of them.
pub struct TextFile {
    pub bytes: TextBytes,
    /// The format that its name says.
    pub named: Option<Format>,
    pub packing: Packing,
    pub fingerprint: u128,
    /// Where its paths lead, where that is not its folder.
    pub pictures: Option<PictureStore>,
}

/// Where the bytes of a text file are.
pub enum TextBytes {
    /// In memory, as they are.
    Held(Vec<u8>),
    /// Aside, and decoded on the way there.
    Aside(Box<AsideText>),
}

/// Reads text.
///
/// # Errors
/// [`IoError`].
pub fn open_text(
    path: &Path,
    file: TextFile,
    reading: &Reading,
    budget: &Budget,
    progress: &Progress,
) -> Result<Dataset, IoError> {
    let TextFile { bytes, named, packing, fingerprint, pictures } = file;
    let wanted = encoding_asked(path, reading)?;
    let (decoded, size, laid) = match bytes {
        TextBytes::Held(bytes) => {
            let size = bytes.len() as u64;
            (source::decode(bytes, wanted), size, None)
        }
        TextBytes::Aside(text) => {
            let AsideText { text, bytes, aside, .. } = *text;
            (text, bytes, Some(aside))
        }
    };
    // What lies aside takes nothing of the memory; its cells do.
    let (of_text, aside) = (laid.is_none(), laid.map(|aside| budget.with_aside(aside)));
    let budget = aside.as_ref().unwrap_or(budget);
    if looks_binary(&decoded.text) {
        let what = "it holds bytes that no text has; it is of another format, or torn".to_owned();
        return Err(IoError::Format { path: path.to_owned(), what });
    }
    let text: Buffer<u8> = decoded.text;
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
    if of_text {
        budget.take(size.max(text.len() as u64)).map_err(|reason| IoError::TooLarge { path: path.to_owned(), reason })?;
    }
    let (mut wide, mut fields) = (0, None);
    let (table, shape, format) = match format {
        Format::Json | Format::JsonLines => {
            json_read::read(&text, format, budget, progress).map_err(|refusal| refused(path, format, refusal))?
        }
        _ => {
            let (table, dialect, before) = delimited_table(path, &text, format, reading, budget, progress)?;
            wide = table.wide;
            let (columns, starts, lengths) = (table.columns, table.starts, table.lengths);
            fields = table.standing;
            let warnings = before.into_iter().chain(table.warnings).collect();
            let table = json_rows::JsonTable { columns, standing: None, starts, lengths, warnings, unread: 0 };
            (table, Shape::Delimited(dialect), format)
        }
    };
    let rows = table.columns.first().map_or(table.starts.len(), Column::len);
    let (mut columns, unread, mut warnings) = (table.columns, table.unread, table.warnings);
    let (starts, lengths) = (Arc::new(table.starts), Arc::new(table.lengths));
    let places = || RowPlaces { text: text.clone(), starts: Arc::clone(&starts), lengths: Arc::clone(&lengths) };
    match (fields, table.standing, shape) {
        (Some(names), _, Shape::Delimited(dialect)) => {
            columns = field_columns(&places(), (dialect.delimiter, line_end_byte(&text)), names);
        }
        (None, Some(names), _) => columns = member_columns(&places(), names),
        _ => {}
    }
    warnings.extend(patch_warnings(&text, &decoded.patches, decoded.encoding.name()));
    let encoding = decoded.encoding.name();
    let raw = Raw { text, shape, encoding, mark: decoded.mark, patches: decoded.patches, starts, lengths, aside: !of_text };
    warnings.extend(odd_warnings(&columns, &raw));
    warnings.sort_by_key(|warning| if warning.line == 0 { usize::MAX } else { warning.line });
    let origin = Origin {
        path: path.to_owned(),
        format,
        packing,
        encoding,
        fingerprint,
        bytes: size,
        sheets: Vec::new(),
        sheet: None,
        layout: None,
    };
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
        provenance: 0,
        sources: Vec::new(),
        noted: Vec::new(),
    }))
}

/// The encoding that was asked for, by its name.
fn encoding_asked(path: &Path, reading: &Reading) -> Result<Option<&'static encoding_rs::Encoding>, IoError> {
    match &reading.encoding {
        None => Ok(None),
        Some(label) => encoding_rs::Encoding::for_label(label.as_bytes()).map(Some).ok_or_else(|| IoError::Broken {
            path: path.to_owned(),
            format: "text",
            reason: format!("{label:?} is not the name of an encoding; try utf-8, utf-16le or windows-1252"),
        }),
    }
}

/// Finds out how a delimited text is written, and reads it. What is said of the lines before it comes third.
fn delimited_table(
    path: &Path,
    text: &Buffer<u8>,
    format: Format,
    reading: &Reading,
    budget: &Budget,
    progress: &Progress,
) -> Result<(delimited::Table, Dialect, Vec<Warning>), IoError> {
    let wanted = Wanted { delimiter: reading.delimiter, header: reading.header, skip: reading.skip, surplus: reading.surplus };
    let (dialect, before) = dialect::dialect(text, &wanted, format == Format::Tsv);
    let table = delimited::read(text, dialect, budget, progress).map_err(|refusal| match refusal {
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
    Ok((table, dialect, before))
}

/// Why a JSON file cannot be read.
fn refused(path: &Path, format: Format, refusal: json_rows::JsonRefusal) -> IoError {
    match refusal {
        json_rows::JsonRefusal::Broken(reason) => IoError::Broken { path: path.to_owned(), format: format.title(), reason },
        json_rows::JsonRefusal::TooLarge(reason) => IoError::TooLarge { path: path.to_owned(), reason },
        json_rows::JsonRefusal::Cancelled => IoError::Cancelled,
    }
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
    let told = columns.iter().filter_map(|column| Some((column, odd_words(column)?))).take(TOLD);
    told.map(|(column, reason)| {
        let first = column.odd.first.first().copied().unwrap_or(0) as usize;
        let line = raw.starts.get(first).map_or(0, |start| raw.line_of(usize::try_from(*start).unwrap_or(usize::MAX)));
        Warning { line, reason }
    })
    .collect()
}

/// What there is to say of a column of numbers in which some cells are none; `None` of any other.
pub fn odd_words(column: &Column) -> Option<String> {
    let first = column.odd.first.first().copied().unwrap_or(0) as usize;
    let cell = column.text(first).unwrap_or_default();
    let short: String = cell.chars().take(40).collect();
    let (name, n) = (&column.name, column.odd.count);
    match n {
        0 => None,
        1 => Some(format!("{name:?} is read as numbers, and {short:?} is none: it keeps its text")),
        _ => Some(format!("{name:?} is read as numbers, and {n} cells are none, the first {short:?}: they keep their text")),
    }
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

/// Pictures of a table lie beside it.
pub fn beside(path: &Path) -> PictureStore {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    PictureStore::Folder(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()))
}
