//! The file that lists sources: read, checked, written.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::io::databases::{DatabaseAsked, is_address};
use crate::io::error::IoError;
use crate::io::reading::Reading;
use crate::io::write::save::write_small;

/// What such a file says that it is.
const MARK: &str = "sources/1";

/// The list of sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcesFile {
    lapidary: String,
    pub sources: Vec<SourceEntry>,
    /// Columns in the order in which they stand first; others follow as they come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// One source: a file, a folder, or what a pattern finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// Given once, and never to another.
    pub id: String,
    /// The path, seen from the folder of the list: `tickets/*.csv`, `faq.xlsx#Questions`, `bank77/`.
    pub read: String,
    /// The layout that it is read as.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    #[serde(default, skip_serializing_if = "SourceOptions::is_empty")]
    pub options: SourceOptions,
    /// What its columns are called in the dataset; none is left out. One that is not named keeps its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Option<String>>,
    /// By column of the dataset: what its classes are called there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<String, BTreeMap<String, String>>,
}

/// How a source is read, where that is not found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct SourceOptions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// One character, or `\t`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Whether the first row names the columns; or which row does, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub surplus: bool,
    /// What a database is asked, where that is no whole table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

impl SourceOptions {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Those that say the same as a reading.
    pub fn of(reading: &Reading) -> Self {
        Self {
            encoding: reading.encoding.clone(),
            delimiter: reading.delimiter.map(|byte| if byte == b'\t' { "\\t".to_owned() } else { char::from(byte).to_string() }),
            header: reading.header.map(Value::Bool),
            skip: reading.skip,
            sheet: reading.sheet.clone(),
            surplus: reading.surplus,
            query: None,
        }
    }
}

impl SourceEntry {
    /// The connection that it is read by; none where it is a file.
    pub fn connection(&self) -> Option<DatabaseAsked> {
        let asked = || DatabaseAsked { table: self.options.sheet.clone(), query: self.options.query.clone() };
        is_address(&self.read).then(asked)
    }

    /// How it is read.
    ///
    /// # Errors
    /// What an option may say.
    pub fn reading(&self) -> Result<Reading, String> {
        let options = &self.options;
        let delimiter = match options.delimiter.as_deref() {
            None => None,
            Some("\\t" | "\t") => Some(b'\t'),
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() => Some(*byte),
                _ => return Err(format!("the delimiter of {:?} is one character, not {text:?}", self.id)),
            },
        };
        let (header, skip) = match &options.header {
            None => (None, options.skip),
            Some(Value::Bool(yes)) => (Some(*yes), options.skip),
            Some(row) => {
                let row = row.as_u64().and_then(|row| usize::try_from(row).ok()).filter(|row| *row > 0);
                let row = row.ok_or_else(|| format!("the header of {:?} is true, false, or a row from 1", self.id))?;
                (Some(true), Some(row - 1))
            }
        };
        Ok(Reading {
            encoding: options.encoding.clone(),
            delimiter,
            header,
            skip,
            surplus: options.surplus,
            sheet: options.sheet.clone(),
            layout: self.layout.clone(),
        })
    }
}

impl Default for SourcesFile {
    /// A list without sources.
    fn default() -> Self {
        Self { lapidary: MARK.to_owned(), sources: Vec::new(), columns: Vec::new() }
    }
}

impl SourcesFile {
    /// Adds a source under a name that none has, and returns it.
    pub fn add(&mut self, read: &str, reading: &Reading) -> String {
        let whole = if is_address(read) { read.split('?').next().unwrap_or(read) } else { read };
        let stem = whole.trim_end_matches('/').rsplit('/').next().unwrap_or(read).to_owned();
        let stem = if stem.is_empty() { "source".to_owned() } else { stem };
        let taken = |id: &str| self.sources.iter().any(|source| source.id == id);
        let numbered = (2..=self.sources.len() + 2).map(|n| format!("{stem} {n}"));
        let id = std::iter::once(stem.clone()).chain(numbered).find(|id| !taken(id)).unwrap_or(stem);
        let options = SourceOptions::of(reading);
        self.sources.push(SourceEntry {
            id: id.clone(),
            read: read.to_owned(),
            layout: reading.layout.clone(),
            options,
            ..SourceEntry::default()
        });
        id
    }

    fn checked(self) -> Result<Self, String> {
        if self.lapidary != MARK {
            return Err(format!("it is written as {:?}, and this Lapidary reads {MARK:?}", self.lapidary));
        }
        if self.sources.is_empty() {
            return Err("it lists no source".to_owned());
        }
        let mut ids = HashSet::new();
        match self.sources.iter().find(|source| source.id.is_empty() || !ids.insert(source.id.as_str())) {
            Some(source) if source.id.is_empty() => Err(format!("the source {:?} has no id", source.read)),
            Some(source) => Err(format!("two sources are called {:?}", source.id)),
            None => Ok(self),
        }
    }
}

/// Whether bytes are such a list.
pub fn is_sources(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(400)];
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    let has = |words: &str| memchr::memmem::find(head, words.as_bytes()).is_some();
    first == Some(&b'{') && has("\"lapidary\"") && has("\"sources/")
}

/// Reads a list.
///
/// # Errors
/// Where it is no list, or says what none may.
pub fn parse_sources(bytes: &[u8]) -> Result<SourcesFile, String> {
    serde_json::from_slice::<SourcesFile>(bytes).map_err(|error| error.to_string())?.checked()
}

/// Reads the list of a file.
///
/// # Errors
/// [`IoError`].
pub fn read_sources(path: &Path) -> Result<SourcesFile, IoError> {
    let bytes = std::fs::read(path).map_err(|error| IoError::Read { path: path.to_owned(), reason: error.to_string() })?;
    parse_sources(&bytes).map_err(|reason| IoError::Broken { path: path.to_owned(), format: "list of sources", reason })
}

/// Writes a list, aside and then in its place.
///
/// # Errors
/// [`IoError`].
pub fn write_sources(path: &Path, list: &SourcesFile) -> Result<(), IoError> {
    let mut text = serde_json::to_string_pretty(list).unwrap_or_default();
    text.push('\n');
    write_small(path, &text)
}
