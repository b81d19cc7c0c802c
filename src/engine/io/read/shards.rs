//! A folder of shards as one dataset: files of one format whose columns agree, in the order of their names. Rows know their file by a column, and
//! their part of a split where file names say it (`train-00000-of-00002.parquet`). Lists names and reads files; writes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::{DataType, Series};
use polars_arrow::array::{Array, Utf8ViewArray};
use polars_arrow::compute::concatenate::concatenate;
use xxhash_rust::xxh3::Xxh3;

use crate::data::{Base, Column, Dataset, Format, Kind, Origin, Packing, PictureStore, Warning};
use crate::io::error::IoError;
use crate::io::format::format_of_name;
use crate::io::read::budget::Budget;
use crate::io::read::columns::text_column;
use crate::io::read::{class_names, hub_folder};
use crate::io::reading::{Opener, Reading};
use crate::job::Progress;

/// Files that describe a dataset and are none.
const BESIDE: [&str; 6] =
    ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "croissant.json", "class_names.csv"];
/// Folders that are split parts.
const PARTS: [&str; 9] = ["train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval"];
/// The most files, and how deep they may lie.
const MOST: usize = 10_000;
const DEEPEST: usize = 4;

/// Opens, by `open`, the files of a folder that holds no images; `None` where it holds no table either.
///
/// # Errors
/// [`IoError`]: which files are of different formats, or whose columns do not agree, and how.
pub fn open_shards(root: &Path, reading: &Reading, progress: &Progress, open: Opener<'_>) -> Result<Option<Dataset>, IoError> {
    let refuse = |what: String| Err(IoError::Format { path: root.to_owned(), what });
    let mut reading = reading.clone();
    let config = hub_folder::configured(root, reading.sheet.as_deref())?;
    let asked_sheet = reading.sheet.take();
    let (mut folder, mut files, mut said): (PathBuf, Vec<PathBuf>, Vec<Option<String>>) =
        (root.to_owned(), Vec::new(), Vec::new());
    let mut sheets = (Vec::new(), None);
    if let Some(config) = config {
        (files, said) = config.files.into_iter().unzip();
        reading.delimiter = reading.delimiter.or(config.delimiter);
        folder = config.folder.unwrap_or(folder);
        sheets = (config.names, Some(config.name));
    } else {
        // A sheet is asked for: of each of the files.
        reading.sheet = asked_sheet;
    }
    let mut formats: BTreeMap<&str, usize> = BTreeMap::new();
    if files.is_empty() {
        for (format, file) in tables(root, &folder)? {
            *formats.entry(format.title()).or_default() += 1;
            files.push(file);
        }
        said = files.iter().map(|file| hub_folder::part_of(&shown(root, file))).collect();
    }
    if files.is_empty() {
        return Ok(None);
    }
    let mut folders: Vec<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    folders.dedup();
    if let Some(why) = folders.iter().find_map(|folder| hub_folder::kept_aside(folder)) {
        return refuse(why);
    }
    let mut parts = match read(root, &files, &reading, progress, open) {
        // One of another kind among them may be no table at all.
        Err(IoError::Cancelled) => return Err(IoError::Cancelled),
        Err(_) if formats.len() > 1 => return refuse(several(&formats)),
        read => read?,
    };
    if formats.len() > 1 && !same_columns(&parts) {
        return refuse(several(&formats));
    }
    let mut may_lack = false;
    if !reading.surplus && parts.iter().any(|part| part.base.wide > 0) {
        // Cells beyond the columns are kept by a file's own bytes; of several files there are none.
        reading.surplus = true;
        may_lack = true;
        parts = read(root, &files, &reading, progress, open)?;
    }
    let names: Vec<String> = files.iter().map(|file| shown(root, file)).collect();
    let joined = join(root, parts, &names, &said, may_lack)?;
    if sheets.0.len() < 2 {
        return Ok(Some(joined));
    }
    let mut base = std::sync::Arc::try_unwrap(joined.base)
        .map_err(|_| IoError::Read { path: root.to_owned(), reason: "it is still being read".to_owned() })?;
    (base.origin.sheets, base.origin.sheet) = sheets;
    Ok(Some(Dataset::new(base)))
}

fn several(formats: &BTreeMap<&str, usize>) -> String {
    let list: Vec<String> = formats.iter().map(|(format, files)| format!("{files} {format}")).collect();
    format!("the folder holds files of several formats ({}): open one of them, or collect them", list.join(", "))
}

/// Whether files of several formats are one table: they have the same columns.
fn same_columns(parts: &[Dataset]) -> bool {
    let names = |part: &Dataset| {
        part.base.columns.iter().map(|column| column.name.to_string()).collect::<std::collections::BTreeSet<_>>()
    };
    let mut all = parts.iter().filter(|part| !part.base.columns.is_empty()).map(names);
    all.next().is_some_and(|first| all.all(|other| other == first))
}

fn shown(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/")
}

fn tables(root: &Path, below: &Path) -> Result<Vec<(Format, PathBuf)>, IoError> {
    let (mut found, mut left) = (Vec::new(), vec![(below.to_owned(), 0)]);
    let border = hub_folder::border(root);
    while let Some((folder, depth)) = left.pop() {
        let entries = std::fs::read_dir(&folder);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return Err(IoError::Read { path: folder, reason: error.to_string() }),
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().to_lowercase();
            let Ok(kind) = entry.file_type() else { continue };
            // A list of sources may lie in a folder that it names.
            let ours = name.ends_with(".sources.json")
                || name.contains(".lapidary")
                || BESIDE.contains(&name.as_str())
                || name.starts_with(['.', '_']);
            if ours {
                continue;
            }
            if kind.is_dir() && depth < DEEPEST {
                left.push((entry.path(), depth + 1));
            } else if let (Some(format), _) = format_of_name(&entry.path())
                && Path::new(&name).extension().is_none_or(|ending| ending != "txt")
                && entry.path().is_file()
                && (!kind.is_symlink() || entry.path().canonicalize().is_ok_and(|real| real.starts_with(&border)))
            {
                found.push((format, entry.path()));
            }
        }
        if found.len() > MOST {
            let reason = format!("the folder holds more than {MOST} files");
            return Err(IoError::TooLarge { path: root.to_owned(), reason });
        }
    }
    found.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(found)
}

fn read(
    root: &Path,
    files: &[PathBuf],
    reading: &Reading,
    progress: &Progress,
    open: Opener<'_>,
) -> Result<Vec<Dataset>, IoError> {
    let budget = Budget::of_dataset();
    let one = |file: &PathBuf| match open(file, reading, &budget, false, progress, &|_| {}) {
        // An empty shard has no rows; a folder of nothing else has no columns either.
        Err(IoError::Empty(_)) if files.len() > 1 => Ok(None),
        other => other.map(Some),
    };
    let parts: Vec<Option<Dataset>> = files.iter().map(one).collect::<Result<_, _>>()?;
    if parts.iter().all(Option::is_none) {
        return Err(IoError::Empty(root.to_owned()));
    }
    let none = |format: Format| Dataset::new(nothing(root, format));
    let format = parts.iter().flatten().next().map_or(Format::Csv, |part| part.base.origin.format);
    Ok(parts.into_iter().map(|part| part.unwrap_or_else(|| none(format))).collect())
}

pub fn nothing(root: &Path, format: Format) -> Base {
    let origin = Origin {
        path: root.to_owned(),
        format,
        packing: Packing::None,
        encoding: "UTF-8",
        fingerprint: 0,
        bytes: 0,
        sheets: Vec::new(),
        sheet: None,
        layout: None,
    };
    Base {
        columns: Vec::new(),
        rows: 0,
        raw: None,
        origin,
        warnings: Vec::new(),
        noted: Vec::new(),
        unread: 0,
        wide: 0,
        pictures: PictureStore::Folder(root.to_owned()),
        prints: Vec::new(),
        odd_names: std::collections::HashMap::new(),
        provenance: 0,
        sources: Vec::new(),
    }
}

/// Puts the files' columns one behind the other. `may_lack`: a column that only some files have is empty in the others.
fn join(
    root: &Path,
    parts: Vec<Dataset>,
    files: &[String],
    part_of: &[Option<String>],
    may_lack: bool,
) -> Result<Dataset, IoError> {
    let refuse = |what: String| IoError::Format { path: root.to_owned(), what };
    let parts = named_alone(parts);
    let filled: Vec<(&Dataset, &String)> = parts.iter().zip(files).filter(|(part, _)| !part.base.columns.is_empty()).collect();
    let Some((first, first_file)) = filled.first() else { return Err(IoError::Empty(root.to_owned())) };
    let format = first.base.origin.format;
    let mut lacking: Vec<String> = Vec::new();
    let mut names: Vec<String> = first.base.columns.iter().map(|column| column.name.to_string()).collect();
    for (part, file) in &filled {
        let own: Vec<&str> = part.base.columns.iter().map(|column| &*column.name).collect();
        let missing = names.iter().find(|name| !own.contains(&name.as_str()));
        let other = own.iter().find(|name| !names.iter().any(|known| known == *name));
        match (missing, other) {
            (None, None) => {}
            // In JSON what is missing is written by leaving it out; elsewhere files that have most of their columns in common are of one table.
            (missing, other) if format.is_json() || may_lack || mostly(&names, &own) => {
                if !(format.is_json() || may_lack) {
                    lacking.push(match (missing, other) {
                        (Some(name), _) => format!("{file} has no column {name:?}: it is empty there"),
                        (_, other) => {
                            format!("{file} has a column {:?} more: it is empty elsewhere", other.map_or("", |name| name))
                        }
                    });
                }
                if other.is_some() {
                    names.extend(
                        own.iter()
                            .filter(|name| !names.iter().any(|known| known == **name))
                            .map(ToString::to_string)
                            .collect::<Vec<_>>(),
                    );
                }
            }
            (Some(name), _) => {
                return Err(refuse(format!(
                    "{first_file} has a column {name:?}, and {file} has none: open one of the files, or collect them"
                )));
            }
            (None, Some(name)) => {
                return Err(refuse(format!(
                    "{file} has a column {name:?}, and {first_file} has none: open one of the files, or collect them"
                )));
            }
        }
    }
    let rows: usize = parts.iter().map(|part| part.base.rows).sum();
    if rows >= u32::MAX as usize {
        return Err(IoError::TooLarge { path: root.to_owned(), reason: format!("it has {rows} rows; 4 billion is the most") });
    }
    let mut columns = Vec::new();
    for name in &names {
        let of: Vec<Option<&Column>> =
            parts.iter().map(|part| part.base.columns.iter().find(|column| *column.name == **name)).collect();
        columns.push(joined(name, &of, &parts).map_err(|why| refuse(format!("the column {name:?} does not agree: {why}")))?);
    }
    // Classes are named once for all: each file by itself would not know how the others write a label that is not there.
    let mut noted = first.base.noted.clone();
    class_names::name(&mut columns, &mut noted);
    let (file, split) = (free("file", &names), free("split", &names));
    columns.push(said(&file, parts.iter().zip(files).map(|(part, file)| (part.base.rows, Some(file.as_str())))));
    let told: std::collections::BTreeSet<&String> = part_of.iter().flatten().collect();
    if told.len() > 1 && split == "split" {
        columns.push(said(&split, parts.iter().zip(part_of).map(|(part, of)| (part.base.rows, of.as_deref()))));
    }
    let mut print = Xxh3::new();
    for (part, file) in parts.iter().zip(files) {
        print.update(file.as_bytes());
        print.update(&part.base.origin.fingerprint.to_le_bytes());
    }
    let warnings = parts.iter().zip(files).flat_map(|(part, file)| {
        part.base.warnings.iter().map(move |warning| match warning.line {
            0 => Warning { line: 0, reason: format!("{file}: {}", warning.reason) },
            line => Warning { line: 0, reason: format!("{file}, line {line}: {}", warning.reason) },
        })
    });
    let base = nothing(root, format);
    let origin = Origin {
        encoding: first.base.origin.encoding,
        fingerprint: print.digest128(),
        bytes: parts.iter().map(|part| part.base.origin.bytes).sum(),
        ..base.origin.clone()
    };
    Ok(Dataset::new(Base {
        columns,
        rows,
        origin,
        warnings: lacking.into_iter().map(|reason| Warning { line: 0, reason }).chain(warnings).collect(),
        noted,
        unread: parts.iter().map(|part| part.base.unread).sum(),
        ..base
    }))
}

/// Where files say different things of the same numbers, each names its own: then there is no one list of classes.
fn named_alone(parts: Vec<Dataset>) -> Vec<Dataset> {
    let mut filled = parts.iter().filter(|part| !part.base.columns.is_empty());
    let first = filled.next().map(|part| part.base.noted.clone()).unwrap_or_default();
    if filled.all(|part| class_names::are_alike(&first, &part.base.noted)) {
        return parts;
    }
    let named = |mut part: Dataset| {
        // It was read just now, and nobody else has it.
        if let Some(base) = std::sync::Arc::get_mut(&mut part.base) {
            class_names::name(&mut base.columns, &mut base.noted);
            base.noted.clear();
            // What is named is a text from here on.
            base.columns = base.columns.iter().map(Column::as_shown).collect();
        }
        part
    };
    parts.into_iter().map(named).collect()
}

/// Whether two lists of columns have at least half of theirs in common, and more than one.
fn mostly(a: &[String], b: &[&str]) -> bool {
    let common = b.iter().filter(|name| a.iter().any(|known| known == **name)).count();
    common > 1 && common * 2 >= a.len() + b.len() - common
}

/// A name that no column has.
fn free(name: &str, names: &[String]) -> String {
    let taken = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    if taken(name) { format!("{name} (shard)") } else { name.to_owned() }
}

fn said<'t>(name: &str, runs: impl Iterator<Item = (usize, Option<&'t str>)>) -> Column {
    let cells: Vec<Option<&str>> = runs.flat_map(|(rows, text)| std::iter::repeat_n(text, rows)).collect();
    text_column(name, &cells)
}

/// Columns of one name, behind each other; a file without it has none of its cells.
///
/// # Errors
/// Why they are no one column.
pub fn joined(name: &str, of: &[Option<&Column>], parts: &[Dataset]) -> Result<Column, String> {
    let there: Vec<&Column> = of.iter().flatten().copied().collect();
    let typed = there.iter().filter(|column| column.series().is_some()).count();
    if typed == there.len()
        && there.len() == of.iter().zip(parts).filter(|(_, part)| part.base.rows > 0 || !part.base.columns.is_empty()).count()
    {
        let mut series = there[0].series().cloned().ok_or("it has no cells")?;
        if there[1..].iter().filter_map(|column| column.series()).any(|other| other.dtype() != series.dtype())
            && there.iter().filter_map(|column| column.series()).all(|series| series.dtype().is_primitive_numeric())
            && let Some(wide) = as_decimals(&there)
        {
            return Ok(wide);
        }
        for other in there[1..].iter().filter_map(|column| column.series()) {
            if other.dtype() != series.dtype() {
                return Err(format!("it is of the type {} here and {} there", series.dtype(), other.dtype()));
            }
            series.append(other).map_err(|error| error.to_string())?;
        }
        return Ok(Column::from_series(&series));
    }
    if typed > 0
        && there.iter().any(|column| column.series().is_none())
        && there[0].series().is_some() != there[there.len() - 1].series().is_some()
    {
        return Err("it is a text in one file and not in another".to_owned());
    }
    let kind = there.iter().map(|column| column.kind).reduce(wider).unwrap_or(Kind::Text);
    let arrays: Vec<Utf8ViewArray> = of
        .iter()
        .zip(parts)
        .map(|(column, part)| match column.and_then(|column| column.views()) {
            Some(views) => views.clone(),
            None => {
                let cells = (0..part.base.rows).map(|row| column.and_then(|column| column.text(row)));
                Utf8ViewArray::from_slice(cells.collect::<Vec<_>>())
            }
        })
        .collect();
    let list: Vec<&dyn Array> = arrays.iter().map(|array| array as &dyn Array).collect();
    let all = concatenate(&list).map_err(|error| error.to_string())?;
    let all = all.as_any().downcast_ref::<Utf8ViewArray>().ok_or("its cells are no texts")?.clone();
    Ok(Column::from_views(name, kind, all))
}

/// Numbers of several types as one: decimals, where every number has its own.
fn as_decimals(columns: &[&Column]) -> Option<Column> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let mut all: Option<Series> = None;
    for series in columns.iter().filter_map(|column| column.series()) {
        let wide = series.cast(&DataType::Float64).ok()?;
        if series.dtype().is_integer() && wide.f64().ok()?.iter().flatten().any(|value| value.abs() >= EXACT) {
            return None;
        }
        match &mut all {
            Some(all) => {
                all.append(&wide).ok()?;
            }
            None => all = Some(wide),
        }
    }
    all.map(|series| Column::from_series(&series))
}

/// The kind that holds the cells of both.
fn wider(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (a, b) if a == b => a,
        (Kind::Integer, Kind::Number) | (Kind::Number, Kind::Integer) => Kind::Number,
        (Kind::List | Kind::Struct | Kind::Json, Kind::List | Kind::Struct | Kind::Json) => Kind::Json,
        _ => Kind::Text,
    }
}

/// Whether a name is that of a part of a split.
pub fn is_part(name: &str) -> bool {
    PARTS.contains(&name.to_lowercase().as_str())
}
