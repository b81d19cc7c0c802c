//! Layouts: what labelling tools and libraries write that is no plain table. Each is read into samples with columns of their own, and never written.
//!
//! A layout says by its first bytes, or by what lies in a folder, whether something is its own, and makes a row a sample of it: values by column,
//! in the order in which columns came. Those rows go through the reader of JSON Lines like any others, so what a column is follows from its cells.
//! Spans of text count letters (Unicode scalar values), boxes pixels from the left upper corner: `x, y, width, height`.

// Readers of one list have one form, also those that cannot fail.
#![allow(clippy::unnecessary_wraps)]

pub mod argilla;
pub mod chunks;
pub mod coco;
pub mod conll;
pub mod docbin;
pub mod doccano;
pub mod documents;
pub mod folder;
pub mod html;
pub mod label_studio;
pub mod labelme;
pub mod logs;
pub mod prodigy;
pub mod spacy;
pub mod voc;
pub mod xml;
pub mod xml_records;
pub mod yaml;
pub mod yolo;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

use self::folder::LaidFolder;
use super::error::IoError;
use super::read::budget::Budget;
use super::read::text::{TextBytes, TextFile, open_text};
use super::read::{source, typed};
use super::reading::Reading;
use crate::data::{Dataset, Format, Origin, Packing, PictureStore, Warning};
use crate::job::Progress;

/// What is read as if no layout were known.
pub const PLAIN: &str = "plain";
/// The layout of a list of several sources.
pub const SOURCES: &str = "sources";
/// The most warnings of one reading that are kept.
const MOST_TOLD: usize = 1_000;

/// Samples as a layout has them.
#[derive(Default)]
pub struct LaidTable {
    /// A value a column.
    pub rows: Vec<Map<String, Value>>,
    /// Columns that come first, whatever the first row has.
    pub first: Vec<&'static str>,
    pub warnings: Vec<Warning>,
    /// Where paths of pictures lead, where that is not the file's own folder.
    pub pictures: Option<PathBuf>,
}

impl LaidTable {
    /// Notes what was left out or mended; `line` is 0 where lines mean nothing.
    pub fn note(&mut self, line: usize, reason: String) {
        if self.warnings.len() < MOST_TOLD {
            self.warnings.push(Warning { line, reason });
        }
    }
}

/// A file that may be of a layout: its name in small letters and its text.
pub struct LaidText<'t> {
    pub name: &'t str,
    pub text: &'t str,
}

impl LaidText<'_> {
    /// The ending of the name.
    pub fn ending(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    /// The first values of JSON Lines; empty where a line is none.
    pub fn lines_of_json(&self, most: usize) -> Vec<Map<String, Value>> {
        let lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty()).take(most);
        lines.map(|line| serde_json::from_str(line).ok()).collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}

/// Makes samples of pages: the name of their file, their numbers and texts, the title where there is one, how they are cut.
type PagesReader = fn(&str, &[(u32, String)], Option<&str>, &str) -> Result<LaidTable, String>;

/// How a layout is read.
enum Reader {
    /// One file of text. `is` looks at the beginning, which is cut somewhere; `read` gets the whole.
    Text { is: fn(&LaidText<'_>) -> bool, read: fn(&LaidText<'_>, &str) -> Result<LaidTable, String> },
    /// One file of bytes.
    Bytes { is: fn(&str, &[u8]) -> bool, read: fn(&[u8], u64) -> Result<LaidTable, String> },
    /// One file whose pages are read by a child process: their numbers and texts.
    Pages { is: fn(&[u8]) -> bool, read: PagesReader },
    /// A folder.
    Folder { is: fn(&Path) -> bool, read: fn(&mut LaidFolder<'_>) -> Result<LaidTable, IoError> },
}

/// A layout.
struct Layout {
    /// As `--as` and a sources file name it.
    name: &'static str,
    /// The name on screen.
    title: &'static str,
    /// Whether its files are JSON or delimited text as well, and open as that.
    plain: bool,
    reader: Reader,
}

/// Every layout; the first that says that something is its own reads it.
static LAYOUTS: [Layout; 22] = [
    Layout {
        name: "label-studio",
        title: "Label Studio",
        plain: true,
        reader: Reader::Text { is: label_studio::is, read: label_studio::read },
    },
    Layout {
        name: "argilla",
        title: "Argilla records",
        plain: true,
        reader: Reader::Text { is: argilla::is, read: argilla::read },
    },
    Layout {
        name: "argilla-folder",
        title: "Argilla dataset",
        plain: false,
        reader: Reader::Folder { is: argilla::is_folder, read: argilla::read_folder },
    },
    Layout {
        name: "doccano",
        title: "doccano spans",
        plain: true,
        reader: Reader::Text { is: doccano::is, read: doccano::read },
    },
    Layout {
        name: "doccano-classes",
        title: "doccano classes",
        plain: true,
        reader: Reader::Text { is: doccano::is_classes, read: doccano::read_classes },
    },
    Layout {
        name: "fasttext",
        title: "fastText",
        plain: false,
        reader: Reader::Text { is: doccano::is_fasttext, read: doccano::read_fasttext },
    },
    Layout { name: "prodigy", title: "Prodigy", plain: true, reader: Reader::Text { is: prodigy::is, read: prodigy::read } },
    Layout { name: "spacy", title: "spaCy DocBin", plain: false, reader: Reader::Bytes { is: docbin::is, read: docbin::read } },
    Layout {
        name: "spacy-json",
        title: "spaCy training tuples",
        plain: true,
        reader: Reader::Text { is: spacy::is, read: spacy::read },
    },
    Layout { name: "coco", title: "COCO", plain: false, reader: Reader::Folder { is: coco::is_folder, read: coco::read_folder } },
    Layout { name: "coco-file", title: "COCO annotations", plain: true, reader: Reader::Text { is: coco::is, read: coco::read } },
    Layout { name: "yolo", title: "YOLO", plain: false, reader: Reader::Folder { is: yolo::is_folder, read: yolo::read_folder } },
    Layout {
        name: "voc",
        title: "Pascal VOC",
        plain: false,
        reader: Reader::Folder { is: voc::is_folder, read: voc::read_folder },
    },
    Layout { name: "labelme", title: "LabelMe", plain: true, reader: Reader::Text { is: labelme::is, read: labelme::read } },
    Layout {
        name: "labelme-folder",
        title: "LabelMe folder",
        plain: false,
        reader: Reader::Folder { is: labelme::is_folder, read: labelme::read_folder },
    },
    Layout { name: "conll", title: "CoNLL", plain: true, reader: Reader::Text { is: conll::is, read: conll::read } },
    Layout { name: "xml", title: "XML", plain: false, reader: Reader::Text { is: xml_records::is, read: xml_records::read } },
    Layout {
        name: "html",
        title: "HTML",
        plain: false,
        reader: Reader::Text { is: documents::is_html, read: documents::read_html },
    },
    Layout {
        name: "pdf",
        title: "PDF",
        plain: false,
        reader: Reader::Pages { is: |bytes| bytes.starts_with(b"%PDF"), read: documents::read_pages },
    },
    Layout {
        name: "markdown",
        title: "Markdown",
        plain: false,
        reader: Reader::Text { is: documents::is_markdown, read: documents::read_markdown },
    },
    Layout { name: "log", title: "log", plain: true, reader: Reader::Text { is: logs::is, read: logs::read } },
    Layout { name: "text", title: "text", plain: false, reader: Reader::Text { is: |_| false, read: documents::read_text } },
];

/// So much of a file is looked at to tell its layout.
const LOOKED: usize = 1 << 16;

/// The names that `--as` takes, with what they are called on screen: folders of a tool are asked for by its own name.
pub fn layout_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    LAYOUTS.iter().map(|layout| (layout.name, layout.title))
}

/// What a layout is called on screen; a list of sources too.
pub fn layout_title(name: &str) -> &'static str {
    let name = name.split('/').next().unwrap_or(name);
    LAYOUTS.iter().find(|layout| layout.name == name).map_or("several sources", |layout| layout.title)
}

/// The layout that somebody asks for by name and what is said behind it (`text/paragraph`); `None` for a plain reading.
fn asked(reading: &Reading) -> Option<(&str, &str)> {
    let layout = reading.layout.as_deref()?;
    Some(layout.split_once('/').unwrap_or((layout, "")))
}

/// Reads a folder that is of a layout; `None` where it is of none.
///
/// # Errors
/// [`IoError`].
pub fn open_laid_folder(path: &Path, reading: &Reading, progress: &Progress) -> Result<Option<Dataset>, IoError> {
    let wanted = asked(reading).map(|(name, _)| name);
    for layout in &LAYOUTS {
        let Reader::Folder { is, read } = layout.reader else { continue };
        let own = wanted == Some(layout.name) || wanted.is_some_and(|name| layout.name.strip_suffix("-folder") == Some(name));
        if own || (wanted.is_none() && is(path)) {
            let root = path.canonicalize().map_err(|error| IoError::Read { path: path.to_owned(), reason: error.to_string() })?;
            let budget = Budget::of_dataset();
            let mut folder = LaidFolder::new(&root, &budget, progress);
            let mut table = read(&mut folder)?;
            table.pictures.get_or_insert(root);
            let (fingerprint, bytes) = folder.read_so_far();
            return laid_dataset(path, layout, table, (fingerprint, bytes), &budget, progress).map(Some);
        }
    }
    Ok(None)
}

/// Reads the bytes of a file that is of a layout; `None` where it is of none, or where a plain reading is asked for.
///
/// # Errors
/// [`IoError`].
pub fn open_laid_file(
    path: &Path,
    bytes: &[u8],
    (fingerprint, packing): (u128, Packing),
    reading: &Reading,
    budget: &Budget,
    progress: &Progress,
) -> Result<Option<Dataset>, IoError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = ["gz", "zst", "zstd"].iter().find_map(|packed| name.strip_suffix(&format!(".{packed}"))).unwrap_or(&name);
    let wanted = asked(reading);
    if wanted.is_some_and(|(name, _)| name == PLAIN) {
        return Ok(None);
    }
    let broken = |layout: &Layout, reason: String| IoError::Broken { path: path.to_owned(), format: layout.title, reason };
    let mut text: Option<(String, bool)> = None;
    for layout in &LAYOUTS {
        let own = wanted.is_some_and(|(name, _)| name == layout.name);
        let table = match &layout.reader {
            Reader::Bytes { is, read } if own || (wanted.is_none() && is(name, bytes)) => read(bytes, budget.left()),
            Reader::Text { is, read } => {
                let (text, whole) = text.get_or_insert_with(|| decoded(bytes, reading, false));
                if !(own || (wanted.is_none() && is(&LaidText { name, text }))) {
                    continue;
                }
                if !*whole {
                    budget.take(bytes.len() as u64).map_err(|reason| IoError::TooLarge { path: path.to_owned(), reason })?;
                    (*text, *whole) = decoded(bytes, reading, true);
                }
                // What the beginning promised, the whole may not keep: then it is a plain file.
                if !own && !is(&LaidText { name, text }) {
                    continue;
                }
                read(&LaidText { name, text }, wanted.map_or("", |(_, how)| how))
            }
            Reader::Pages { is, read } if own || (wanted.is_none() && is(bytes)) => {
                let (pages, said) = typed::pages(path, packing, budget.left(), progress)?;
                let title = said.kept.iter().find(|(key, _)| key == "title").map(|(_, title)| title.as_str());
                read(name, &pages, title, wanted.map_or("", |(_, how)| how)).map(|mut table| {
                    said.notes.into_iter().for_each(|note| table.note(0, note));
                    table
                })
            }
            _ => continue,
        };
        let table = match table {
            // What nobody asked for and cannot be read so is read as what it is besides.
            Err(_) if !own && matches!(layout.reader, Reader::Text { .. }) && layout.plain => continue,
            table => table.map_err(|reason| broken(layout, reason))?,
        };
        return laid_dataset(path, layout, table, (fingerprint, bytes.len() as u64), budget, progress).map(Some);
    }
    if let Some((name, _)) = wanted
        && !LAYOUTS.iter().any(|layout| layout.name == name)
    {
        let list: Vec<&str> = layout_names().map(|(name, _)| name).collect();
        let reason = format!("nothing is read as {name:?}; there are {PLAIN}, {}", list.join(", "));
        return Err(IoError::Read { path: path.to_owned(), reason });
    }
    Ok(None)
}

/// Whether a file is of a layout, by its beginning.
pub fn is_laid(path: &Path, head: &[u8], reading: &Reading) -> bool {
    if let Some((name, _)) = asked(reading) {
        return name != PLAIN;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let text = decoded(head, reading, false).0;
    LAYOUTS.iter().any(|layout| match &layout.reader {
        Reader::Text { is, .. } => is(&LaidText { name: &name, text: &text }),
        Reader::Bytes { is, .. } => is(&name, head),
        Reader::Pages { is, .. } => is(head),
        Reader::Folder { .. } => false,
    })
}

/// The text of a file, or its beginning; and whether that is all of it.
fn decoded(bytes: &[u8], reading: &Reading, whole: bool) -> (String, bool) {
    let said = reading.encoding.as_deref().or_else(|| declared(bytes));
    let wanted = said.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    let part = if whole { bytes } else { &bytes[..bytes.len().min(LOOKED)] };
    let text = String::from_utf8_lossy(&source::decode(part.to_vec(), wanted).text).into_owned();
    (text, part.len() == bytes.len())
}

/// The encoding that an XML file says of itself.
fn declared(bytes: &[u8]) -> Option<&str> {
    let head = std::str::from_utf8(&bytes[..bytes.len().min(100)]).ok().filter(|head| head.starts_with("<?xml"))?;
    let said = head.split_once("encoding=")?.1;
    said.get(1..)?.split(['"', '\'']).next()
}

/// The samples of a layout as a dataset.
fn laid_dataset(
    path: &Path,
    layout: &Layout,
    table: LaidTable,
    (fingerprint, bytes): (u128, u64),
    budget: &Budget,
    progress: &Progress,
) -> Result<Dataset, IoError> {
    if table.rows.is_empty() {
        return Err(IoError::Empty(path.to_owned()));
    }
    let mut names: Vec<String> = table.first.iter().map(|name| (*name).to_owned()).collect();
    let mut known: std::collections::HashSet<String> = names.iter().cloned().collect();
    for row in &table.rows {
        for name in row.keys() {
            if known.insert(name.clone()) {
                names.push(name.clone());
            }
        }
    }
    let used = |name: &String| !table.first.contains(&name.as_str()) || table.rows.iter().any(|row| row.contains_key(name));
    names.retain(used);
    // The first row has all columns, so that their order is ours.
    let mut text = Vec::new();
    let mut rows = table.rows.into_iter();
    let mut first = rows.next().unwrap_or_default();
    let whole: Map<String, Value> =
        names.into_iter().map(|name| (name.clone(), first.remove(&name).unwrap_or(Value::Null))).collect();
    for row in std::iter::once(whole).chain(rows) {
        let _ = serde_json::to_writer(&mut text, &row);
        text.push(b'\n');
    }
    let pictures = table.pictures.map(PictureStore::Folder);
    let file =
        TextFile { bytes: TextBytes::Held(text), named: Some(Format::JsonLines), packing: Packing::None, fingerprint, pictures };
    let dataset = open_text(path, file, &Reading::default(), budget, progress)?;
    let mut base = std::sync::Arc::try_unwrap(dataset.base)
        .map_err(|_| IoError::Read { path: path.to_owned(), reason: "it is still being read".to_owned() })?;
    // The lines are ours and no source's: there is nothing to give back byte for byte.
    base.raw = None;
    base.warnings = table.warnings;
    // Read otherwise it is another dataset: edits that were made on its lines are none of its samples.
    let fingerprint = xxh3_128(&[fingerprint.to_le_bytes().as_slice(), layout.name.as_bytes()].concat());
    base.origin = Origin { path: path.to_owned(), bytes, fingerprint, layout: Some(layout.name), ..base.origin };
    Ok(Dataset::new(base))
}

/// The letters before a place that counts UTF-16 units; the end of the text where it lies beyond.
pub fn letters_before(text: &str, units: usize) -> usize {
    let mut left = units;
    for (at, letter) in text.chars().enumerate() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(letter.len_utf16());
    }
    text.chars().count()
}

/// Letters from one place to another.
pub fn between(text: &str, start: usize, end: usize) -> String {
    text.chars().skip(start).take(end.saturating_sub(start)).collect()
}

/// A span of a text: its letters' places, its class, its words.
pub fn span(text: &str, start: usize, end: usize, label: &str) -> Value {
    serde_json::json!({"start": start, "end": end, "label": label, "text": between(text, start, end)})
}

/// Puts values under names that no other has: `data.id` where there is an `id`.
pub fn put(row: &mut Map<String, Value>, name: &str, from: &str, value: Value) {
    let name = if row.contains_key(name) { format!("{from}.{name}") } else { name.to_owned() };
    row.insert(name, value);
}

/// One value where there is one, a list where there are several, nothing where there is none.
pub fn one_or_all(mut list: Vec<Value>) -> Value {
    if list.len() > 1 { Value::Array(list) } else { list.pop().unwrap_or(Value::Null) }
}
