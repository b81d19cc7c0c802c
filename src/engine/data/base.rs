//! What a dataset is read from: its columns as they stand in a source, and what is known of that.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::column::Column;
use super::pictures::PictureStore;
use super::raw::{Packing, Raw};
use super::schema::Kind;

/// A file format that Lapidary opens and saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, and other delimiters.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// A JSON array.
    Json,
    /// One JSON value a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, the file form.
    Arrow,
    /// Apache Arrow IPC, the stream form.
    ArrowStream,
    /// A folder of images.
    Folder,
    /// A ZIP archive of images.
    Zip,
    /// A tar archive of images, `WebDataset` among them.
    Tar,
    /// Excel workbooks: of Office Open XML, of Excel 97, binary.
    Xlsx,
    Xls,
    Xlsb,
    /// An `OpenDocument` spreadsheet.
    Ods,
    /// A `SQLite` database.
    Sqlite,
    /// A `DuckDB` database.
    DuckDb,
}

/// Something about the source that the user should know: a line that could not be read, or that was repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The 1-based line in the file; 0 where lines mean nothing.
    pub line: usize,
    /// What is wrong and what was done about it.
    pub reason: String,
}

/// Where a dataset came from and how it was read.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// How it was packed.
    pub packing: Packing,
    /// The encoding's name; `UTF-8` for typed formats.
    pub encoding: &'static str,
    /// Hash (XXH3, 128 bits) of the file's bytes.
    pub fingerprint: u128,
    /// The file's size in bytes.
    pub bytes: u64,
    /// The sheets of a workbook, or the tables of a database, and which of them was read; empty where a file is one table.
    pub sheets: Vec<String>,
    pub sheet: Option<String>,
    /// The layout of the tool that wrote it, by name, where it is no plain table.
    pub layout: Option<&'static str>,
}

impl Origin {
    /// The two halves of the fingerprint, the upper first.
    pub fn halves(&self) -> [u64; 2] {
        let [upper, lower] = [self.fingerprint >> 64, self.fingerprint & u128::from(u64::MAX)];
        [upper, lower].map(|half| u64::try_from(half).unwrap_or(u64::MAX))
    }
}

/// One of several sources, as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRead {
    /// Its name in the list of sources, and what it is read from there.
    pub id: String,
    pub read: String,
    /// The name of its format on screen, and its layout.
    pub format: &'static str,
    pub layout: Option<&'static str>,
    pub files: usize,
    /// The files and folders that it was read from, in the order of their samples.
    pub paths: Vec<PathBuf>,
    /// Its first sample, and how many it has.
    pub first: usize,
    pub rows: usize,
    pub bytes: u64,
    /// Hash (XXH3) of the fingerprints of its files, in their order.
    pub print: u64,
    /// How many warnings reading it gave.
    pub warnings: usize,
    pub columns: Vec<SourceColumn>,
}

/// A column of a source: its name there, and in the dataset; none where it is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumn {
    pub name: String,
    pub to: Option<String>,
    pub kind: Kind,
}

/// What was read of a source; it never changes.
pub struct Base {
    /// The source's columns, in file order, names unique.
    pub columns: Vec<Column>,
    /// How many samples there are.
    pub rows: usize,
    /// The source's own text, for text formats.
    pub raw: Option<Raw>,
    /// Where it came from.
    pub origin: Origin,
    /// What could not be read, or was repaired.
    pub warnings: Vec<Warning>,
    /// What a typed source's writer noted beside its columns, by key: the features of Hugging Face, the index of pandas.
    pub noted: Vec<(String, String)>,
    /// How many rows of the source could not be read: they are no samples, and stand between those in its text. Warnings name them.
    pub unread: usize,
    /// How many rows have fields beyond the columns: they are kept when saved in the source's own format.
    pub wide: usize,
    /// Where the paths of pictures lead.
    pub pictures: PictureStore,
    /// A hash of each sample's picture, where opening has read it: pictures of one name in another version of an archive may differ.
    pub prints: Vec<u64>,
    /// The true names, by row, of files whose names are not UTF-8: their cells show what can be shown.
    pub odd_names: HashMap<u32, OsString>,
    /// How many of the last columns say where a sample comes from: they are no part of its content, and written only where somebody asks.
    pub provenance: usize,
    /// Where it is several sources: what was read of each, in the order of their samples.
    pub sources: Vec<SourceRead>,
}
