//! Sources read one after the other under one budget, their columns and classes called as the list says, and put behind each other.

use std::path::Path;

use polars::prelude::{DataType, NamedFrom as _, Series};
use polars_arrow::array::MutablePlString;
use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use super::paths::source_paths;
use super::sources_file::{SourceEntry, is_sources, parse_sources};
use crate::data::{Base, Column, Dataset, Format, Kind, Origin, Packing, PictureStore, SourceColumn, SourceRead, Warning};
use crate::io::databases::{DatabaseAddress, open_database};
use crate::io::error::IoError;
use crate::io::layouts::SOURCES;
use crate::io::read::budget::Budget;
use crate::io::read::columns::text_column;
use crate::io::read::shards::{joined, nothing};
use crate::io::reading::Opener;
use crate::job::Progress;

/// The columns that say where a sample comes from.
const SOURCE: &str = "_source";
const FILE: &str = "_file";
const ROW: &str = "_row";

/// A file of a source, read, and whose columns are called as the dataset's.
struct Part {
    /// The source, by its place in the list.
    of: usize,
    shown: String,
    dataset: Dataset,
    columns: Vec<Column>,
}

/// What is read of the sources so far.
#[derive(Default)]
struct Come {
    parts: Vec<Part>,
    reads: Vec<SourceRead>,
    warnings: Vec<Warning>,
    print: Xxh3,
}

impl Come {
    /// Takes in what one file, or one connection, of a source has.
    fn take(
        &mut self,
        (root, source, of): (&Path, &SourceEntry, usize),
        (shown, dataset): (&str, Dataset),
        read: &mut SourceRead,
        own: &mut Xxh3,
    ) -> Result<(), String> {
        let fingerprint = dataset.base.origin.fingerprint.to_le_bytes();
        self.print.update(shown.as_bytes());
        self.print.update(&fingerprint);
        own.update(&fingerprint);
        let mut columns = called(source, &dataset)?;
        pictures_from(root, source, &dataset, &mut columns).map_err(|reason| format!("source {:?}: {reason}", source.id))?;
        note(read, source, &dataset);
        self.warnings.extend(dataset.base.warnings.iter().map(|warning| {
            let line = if warning.line > 0 { format!(", line {}", warning.line) } else { String::new() };
            Warning { line: 0, reason: format!("{shown}{line}: {}", warning.reason) }
        }));
        self.parts.push(Part { of, shown: shown.to_owned(), dataset, columns });
        Ok(())
    }
}

/// Opens the sources that `bytes`, the list at `path`, names, each by `open`.
///
/// # Errors
/// [`IoError`]: of the list, with the source; of a source, as of opening it.
pub fn open_sources(
    path: &Path,
    bytes: &[u8],
    budget: &Budget,
    progress: &Progress,
    open: Opener<'_>,
) -> Result<Dataset, IoError> {
    let broken = |reason: String| IoError::Broken { path: path.to_owned(), format: "list of sources", reason };
    let list = parse_sources(bytes).map_err(broken)?;
    let root = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut come = Come::default();
    come.print.update(bytes);
    for (of, source) in list.sources.iter().enumerate() {
        let reading = source.reading().map_err(broken)?;
        let mut read = SourceRead { id: source.id.clone(), read: source.read.clone(), ..SourceRead::default() };
        let mut own = Xxh3::new();
        if let Some(asked) = source.connection() {
            let dataset = open_database((path, &source.id), (&source.read, &asked), budget, progress)?;
            read.files = 1;
            come.take((&root, source, of), (&source.read, dataset), &mut read, &mut own).map_err(broken)?;
            read.format = DatabaseAddress::parse(&source.read).map_or("", |address| address.title());
        } else {
            let files =
                source_paths(&root, &source.read).map_err(|reason| broken(format!("source {:?}: {reason}", source.id)))?;
            read.files = files.len();
            for file in files {
                let mut reading = reading.clone();
                reading.sheet = file.sheet.clone().or(reading.sheet);
                if is_list(&file.path) {
                    return Err(broken(format!("source {:?} is a list of sources itself", source.id)));
                }
                let dataset = open(&file.path, &reading, budget, true, progress, &|_| {})?;
                come.take((&root, source, of), (&file.shown, dataset), &mut read, &mut own).map_err(broken)?;
                read.paths.push(file.path);
            }
        }
        read.print = own.digest();
        come.reads.push(read);
    }
    let Come { parts, mut reads, warnings, print } = come;
    let rows: usize = parts.iter().map(|part| part.dataset.base.rows).sum();
    if rows == 0 {
        return Err(IoError::Empty(path.to_owned()));
    }
    if rows >= u32::MAX as usize {
        return Err(IoError::TooLarge {
            path: path.to_owned(),
            reason: format!("its sources have {rows} rows; 4 billion is the most"),
        });
    }
    let mut first = 0;
    for read in &mut reads {
        read.first = first;
        first += read.rows;
    }
    let (columns, told) = rayon::join(|| columns_of(&list.columns, &parts), || provenance(&parts, &reads));
    let mut columns = columns.map_err(broken)?;
    let before = columns.len();
    add_free(&mut columns, told);
    let formats: std::collections::BTreeSet<&str> = parts.iter().map(|part| part.dataset.base.origin.format.ending()).collect();
    let own = parts[0].dataset.base.origin.format;
    let format = if formats.len() == 1 && Format::tables().any(|table| table == own) { own } else { Format::JsonLines };
    let base = nothing(path, format);
    let origin = Origin {
        packing: Packing::None,
        fingerprint: print.digest128(),
        bytes: parts.iter().map(|part| part.dataset.base.origin.bytes).sum(),
        layout: Some(SOURCES),
        ..base.origin.clone()
    };
    Ok(Dataset::new(Base {
        provenance: columns.len() - before,
        columns,
        rows,
        origin,
        warnings,
        unread: parts.iter().map(|part| part.dataset.base.unread).sum(),
        pictures: PictureStore::Folder(root),
        sources: reads,
        ..base
    }))
}

/// Whether a file is a list itself: one that names itself would never end.
fn is_list(path: &Path) -> bool {
    use std::io::Read as _;
    let mut head = Vec::new();
    path.is_file()
        && std::fs::File::open(path).is_ok_and(|file| file.take(400).read_to_end(&mut head).is_ok())
        && is_sources(&head)
}

/// What was read of a source, as the window shows it.
fn note(read: &mut SourceRead, source: &SourceEntry, dataset: &Dataset) {
    let base = &dataset.base;
    read.rows += base.rows;
    read.bytes += base.origin.bytes;
    read.warnings += base.warnings.len();
    read.format = base.origin.format.title();
    read.layout = base.origin.layout;
    for column in &base.columns {
        if !read.columns.iter().any(|known| known.name == *column.name) {
            let to = source.columns.get(&*column.name).cloned().unwrap_or_else(|| Some(column.name.to_string()));
            read.columns.push(SourceColumn { name: column.name.to_string(), to, kind: column.kind });
        }
    }
}

/// The columns of a source under the names of the dataset, with the names of its classes there.
fn called(source: &SourceEntry, dataset: &Dataset) -> Result<Vec<Column>, String> {
    let own = &dataset.base.columns;
    let mut out: Vec<Column> = Vec::new();
    for column in own {
        let name = match source.columns.get(&*column.name) {
            Some(None) => continue,
            Some(Some(name)) => name.as_str(),
            None => &*column.name,
        };
        if out.iter().any(|known| *known.name == *name) {
            return Err(format!(
                "two columns of source {:?} are called {name:?}: give one another name, or leave it out (null)",
                source.id
            ));
        }
        let mut column = match source.classes.get(name) {
            Some(classes) => {
                let cells: Vec<Option<String>> = (0..column.len())
                    .map(|row| column.text(row).map(|text| classes.get(&*text).cloned().unwrap_or_else(|| text.into_owned())))
                    .collect();
                text_column(name, &cells.iter().map(Option::as_deref).collect::<Vec<_>>())
            }
            None => column.clone(),
        };
        column.name = name.into();
        out.push(column);
    }
    Ok(out)
}

/// Paths of pictures as they are seen from the folder of the list.
fn pictures_from(root: &Path, source_entry: &SourceEntry, dataset: &Dataset, columns: &mut [Column]) -> Result<(), String> {
    let Some(field) = dataset.pictures().filter(|_| dataset.rows() > 0) else { return Ok(()) };
    let source = dataset.fields()[field].source;
    let own = source.map(|source| &dataset.base.columns[source]);
    if own.is_none_or(Column::is_blobs) {
        return Ok(());
    }
    let PictureStore::Folder(folder) = &dataset.base.pictures else {
        return Err("its pictures lie in an archive: unpack it first".to_owned());
    };
    if folder == root {
        return Ok(());
    }
    let below = folder
        .strip_prefix(root)
        .map_err(|_| "its pictures lie outside of the folder of the list: put the list above them".to_owned())?;
    let below = below.to_string_lossy().replace('\\', "/");
    let name = own.map_or("", |own| &*own.name);
    // As the list calls it.
    let name = match source_entry.columns.get(name) {
        Some(None) => return Ok(()),
        Some(Some(called)) => called.as_str(),
        None => name,
    };
    let Some(column) = columns.iter_mut().find(|column| *column.name == *name) else { return Ok(()) };
    let placed =
        |path: &str| if path.contains("://") { path.to_owned() } else { format!("{below}/{}", path.trim_start_matches("./")) };
    let cells: Vec<Option<String>> = (0..column.len())
        .map(|row| {
            let text = column.text(row)?;
            // Several pictures of one sample are a list.
            let list = text.starts_with('[').then(|| serde_json::from_str::<Vec<String>>(&text).ok()).flatten();
            Some(match list {
                Some(list) => {
                    serde_json::to_string(&list.iter().map(|path| placed(path)).collect::<Vec<_>>()).unwrap_or_default()
                }
                None => placed(&text),
            })
        })
        .collect();
    *column = text_column(&column.name.clone(), &cells.iter().map(Option::as_deref).collect::<Vec<_>>());
    Ok(())
}

/// All columns, each behind the other: those that are named first, others as they come.
fn columns_of(first: &[String], parts: &[Part]) -> Result<Vec<Column>, String> {
    let mut names: Vec<&str> = first.iter().map(String::as_str).filter(|name| parts.iter().any(|part| has(part, name))).collect();
    for part in parts {
        for column in &part.columns {
            if !names.contains(&&*column.name) {
                names.push(&column.name);
            }
        }
    }
    let datasets: Vec<Dataset> = parts.iter().map(|part| part.dataset.clone()).collect();
    names
        .into_par_iter()
        .map(|name| {
            let mut whole: Vec<Option<Column>> =
                parts.iter().map(|part| part.columns.iter().find(|column| *column.name == *name).cloned()).collect();
            alike(&mut whole);
            let of: Vec<Option<&Column>> = whole.iter().map(Option::as_ref).collect();
            joined(name, &of, &datasets).map_err(|why| format!("the column {name:?} does not agree: {why}"))
        })
        .collect()
}

fn has(part: &Part, name: &str) -> bool {
    part.columns.iter().any(|column| *column.name == *name)
}

/// Makes typed columns texts where others of their name are: a cell keeps its text whatever its kind. Whole numbers that a file keeps as decimals because
/// some are missing are whole.
fn alike(columns: &mut [Option<Column>]) {
    let types: Vec<Option<&DataType>> = columns.iter().flatten().map(Column::native_type).collect();
    if types.windows(2).all(|pair| pair[0] == pair[1]) && types.len() == columns.len()
        || columns.iter().flatten().any(Column::is_blobs)
    {
        return;
    }
    let fractions = columns.iter().flatten().any(|column| column.native_type().is_none() && column.kind == Kind::Number);
    for column in columns.iter_mut().flatten() {
        let Some(dtype) = column.native_type() else { continue };
        let whole = matches!(dtype, DataType::Float32 | DataType::Float64) && !fractions && is_whole(column);
        let cell = |row: usize| {
            let text = column.text(row)?.into_owned();
            Some(if whole { text.strip_suffix(".0").map_or_else(|| text.clone(), ToOwned::to_owned) } else { text })
        };
        let cells: Vec<Option<String>> = (0..column.len()).map(cell).collect();
        let kind = if whole { Kind::Integer } else { column.kind };
        let mut texts = text_column(&column.name.clone(), &cells.iter().map(Option::as_deref).collect::<Vec<_>>());
        texts.kind = kind;
        *column = texts;
    }
}

fn is_whole(column: &Column) -> bool {
    (0..column.len()).filter_map(|row| column.text(row)).all(|text| {
        let bare = text.strip_suffix(".0").unwrap_or(&text);
        let digits = bare.strip_prefix('-').unwrap_or(bare);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The columns that say where a sample comes from: its source, its file where a source has several, its row there.
fn provenance(parts: &[Part], reads: &[SourceRead]) -> Vec<Column> {
    let told = |name: &str, of: &dyn Fn(&Part) -> String| {
        let mut cells = MutablePlString::with_capacity(parts.iter().map(|part| part.dataset.base.rows).sum());
        for part in parts {
            cells.extend_constant(part.dataset.base.rows, Some(of(part)));
        }
        Column::from_views(name, Kind::Text, cells.into())
    };
    let mut columns = vec![told(SOURCE, &|part| reads[part.of].id.clone())];
    if reads.iter().any(|read| read.files > 1) {
        columns.push(told(FILE, &|part| part.shown.clone()));
    }
    let rows: Vec<i64> = parts.iter().flat_map(|part| (0i64..).take(part.dataset.base.rows)).collect();
    columns.push(Column::from_series(&Series::new(ROW.into(), rows)));
    columns
}

/// Adds columns under names that no other has.
fn add_free(columns: &mut Vec<Column>, more: Vec<Column>) {
    for mut column in more {
        let taken = |name: &str| columns.iter().any(|known| known.name.eq_ignore_ascii_case(name));
        let numbered = (2..=columns.len() + 2).map(|n| format!("{} {n}", column.name));
        let name = std::iter::once(column.name.to_string()).chain(numbered).find(|name| !taken(name)).unwrap_or_default();
        column.name = name.as_str().into();
        columns.push(column);
    }
}
