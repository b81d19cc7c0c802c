//! A folder, or an archive's list of names, as a dataset of images: a path each, its class from the folder that it lies in, its split
//! part from a folder called `train` or the like. Lists names; reads no picture.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use polars_arrow::array::Utf8ViewArray;
use xxhash_rust::xxh3::Xxh3;

use super::error::IoError;
use super::open::{Reading, open};
use crate::data::{Base, Column, Dataset, Format, Kind, Origin, Packing, PictureStore, Warning};
use crate::job::Progress;
use crate::pixels::Coding;

/// One picture that was listed.
pub struct Listed {
    /// Its path, parts between slashes.
    pub name: String,
    /// Its true path, where that is not UTF-8.
    pub odd: Option<OsString>,
}

/// Folders within folders are followed this far.
const DEEPEST: usize = 100;
/// The names of tables that describe the pictures of a folder (Hugging Face's `ImageFolder`).
pub const TABLES: [&str; 3] = ["metadata.csv", "metadata.jsonl", "metadata.parquet"];
/// Folders that are split parts.
const PARTS: [&str; 9] = ["train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval"];

fn note(reason: String) -> Warning {
    Warning { line: 0, reason }
}

/// Opens a folder of images.
///
/// # Errors
/// [`IoError`].
pub fn open_folder(path: &Path, reading: &Reading, progress: &Progress, preview: &dyn Fn(Dataset)) -> Result<Dataset, IoError> {
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let root = path.canonicalize().map_err(fail)?;
    let table = TABLES.iter().map(|name| root.join(name)).find(|table| table.is_file());
    let mut walked = walk(&root, progress)?;
    if let Some(table) = table {
        let dataset = open(&table, reading, progress, preview)?;
        if dataset.pictures().is_some() || walked.found.is_empty() {
            return Ok(with_notes(dataset, &walked));
        }
        walked.warnings.push(note(format!("{} names no images and was left out", table.display())));
    }
    if walked.found.is_empty() {
        let what = match walked.others {
            0 => "the folder holds no images".to_owned(),
            n => format!("the folder holds no images, but {n} other files: open one of them"),
        };
        return Err(IoError::Format { path: path.to_owned(), what });
    }
    walked.tables.sort_unstable();
    // Names that are shown alike are told apart by their bytes.
    walked.found.sort_unstable_by(|a, b| (&a.name, &a.odd).cmp(&(&b.name, &b.odd)));
    let mut columns = columns_of(&walked.found);
    let tables = std::mem::take(&mut walked.tables);
    let mut told = 0_u128;
    if !tables.is_empty() {
        walked.others -= tables.len();
        // Other tables are another dataset.
        for table in &tables {
            told = told.rotate_left(1) ^ super::fingerprint(&root.join(table))?;
        }
        describe(&root, &tables, &walked.found, &mut columns, &mut walked.warnings, reading, progress)?;
    }
    if walked.others > 0 {
        walked
            .warnings
            .push(note(format!("{} files whose names are no image's were left out: {} …", walked.others, walked.example)));
    }
    let origin = Origin {
        path: root.clone(),
        format: Format::Folder,
        packing: Packing::None,
        encoding: "UTF-8",
        fingerprint: fingerprint(&walked.found) ^ told,
        bytes: 0,
    };
    let rows = walked.found.len();
    let odd_names = walked.found.into_iter().zip(0..).filter_map(|(listed, row)| listed.odd.map(|odd| (row, odd))).collect();
    let pictures = PictureStore::Folder(root);
    Ok(Dataset::new(Base {
        noted: Vec::new(),
        columns,
        rows,
        raw: None,
        origin,
        warnings: walked.warnings,
        unread: 0,
        wide: 0,
        pictures,
        prints: Vec::new(),
        odd_names,
    }))
}

/// Adds what tables within the folder say of the images beside them. A column that is there already is theirs from then on.
fn describe(
    root: &Path,
    tables: &[String],
    found: &[Listed],
    columns: &mut Vec<Column>,
    warnings: &mut Vec<Warning>,
    reading: &Reading,
    progress: &Progress,
) -> Result<(), IoError> {
    let rows: HashMap<&str, usize> = found.iter().enumerate().map(|(row, listed)| (listed.name.as_str(), row)).collect();
    let mut cells: Vec<(String, Vec<Option<String>>)> = Vec::new();
    for table in tables {
        let dataset = match open(&root.join(table), reading, progress, &|_| {}) {
            Ok(dataset) => dataset,
            Err(IoError::Cancelled) => return Err(IoError::Cancelled),
            Err(error) => {
                warnings.push(note(error.to_string()));
                continue;
            }
        };
        let Some(paths) = dataset.pictures() else {
            warnings.push(note(format!("{table} names no images and was left out")));
            continue;
        };
        let folder = table.rsplit_once('/').map_or("", |(folder, _)| folder);
        for id in dataset.samples() {
            let path = dataset.text(paths, id).unwrap_or_default();
            let path = path.trim_start_matches("./");
            let full = if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") };
            let Some(row) = rows.get(full.as_str()) else { continue };
            for (place, field) in dataset.fields().iter().enumerate().filter(|(place, _)| *place != paths) {
                let at = cells.iter().position(|(name, _)| **name == *field.name).unwrap_or_else(|| {
                    cells.push((field.name.to_string(), vec![None; found.len()]));
                    cells.len() - 1
                });
                cells[at].1[*row] = dataset.text(place, id).map(|text| text.into_owned());
            }
        }
    }
    for (name, cells) in cells {
        let name = if name == "image" { "image 2".to_owned() } else { name };
        // Where the tables say nothing of an image, its folder still does.
        let known = columns.iter().position(|column| *column.name == *name).map(|at| columns.remove(at));
        let cell = |(row, cell): (usize, &Option<String>)| {
            cell.clone().or_else(|| known.as_ref().and_then(|known| known.text(row)).map(|text| text.into_owned()))
        };
        let cells: Vec<Option<String>> = cells.iter().enumerate().map(cell).collect();
        columns.push(text_column(&name, &cells.iter().map(Option::as_deref).collect::<Vec<_>>()));
    }
    Ok(())
}

/// Where a dataset truly lies: of a folder its table where it has one, else the folder by its full name. A project is found by it.
pub fn dataset_path(path: &Path) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let root = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    TABLES.iter().map(|name| root.join(name)).find(|table| table.is_file()).unwrap_or(root)
}

/// The fingerprint of a list of names: XXH3, 128 bits.
pub fn fingerprint(found: &[Listed]) -> u128 {
    let mut hasher = Xxh3::new();
    for listed in found {
        hasher.update(listed.name.as_bytes());
        hasher.update(listed.odd.as_ref().map_or(&[][..], |odd| odd.as_encoded_bytes()));
        hasher.update(b"\0");
    }
    hasher.digest128()
}

/// A table beside pictures: says which pictures it does not name.
fn with_notes(dataset: Dataset, walked: &Walked) -> Dataset {
    let Some(field) = dataset.pictures() else { return dataset };
    let named: std::collections::HashSet<String> = dataset
        .samples()
        .filter_map(|id| dataset.text(field, id))
        .flat_map(|cell| crate::data::paths_of(&cell))
        .map(|path| path.trim_start_matches("./").to_owned())
        .collect();
    let missing: Vec<&str> =
        walked.found.iter().map(|listed| listed.name.as_str()).filter(|name| !named.contains(*name)).collect();
    let (Some(first), n) = (missing.first(), missing.len()) else { return dataset };
    let reason = format!("{n} images of the folder are not in the table and were left out: {first} …");
    let Dataset { base, .. } = dataset;
    match std::sync::Arc::try_unwrap(base) {
        Ok(mut base) => {
            base.warnings.push(note(reason));
            Dataset::new(base)
        }
        Err(base) => Dataset::new(Base {
            columns: base.columns.clone(),
            rows: base.rows,
            raw: base.raw.clone(),
            origin: base.origin.clone(),
            warnings: base.warnings.iter().cloned().chain([note(reason)]).collect(),
            unread: base.unread,
            wide: base.wide,
            pictures: base.pictures.clone(),
            prints: base.prints.clone(),
            odd_names: base.odd_names.clone(),
            noted: base.noted.clone(),
        }),
    }
}

struct Walked {
    found: Vec<Listed>,
    warnings: Vec<Warning>,
    others: usize,
    example: String,
    /// Tables that describe images, by their paths.
    tables: Vec<String>,
}

/// Lists the images below a folder. Links to folders are not followed, so a circle of them ends at once.
fn walk(root: &Path, progress: &Progress) -> Result<Walked, IoError> {
    let mut walked = Walked { found: Vec::new(), warnings: Vec::new(), others: 0, example: String::new(), tables: Vec::new() };
    let mut left: Vec<(PathBuf, String, usize)> = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, below, depth)) = left.pop() {
        progress.step(1)?;
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(IoError::Read { path: folder, reason: error.to_string() }),
            Err(error) => {
                walked.warnings.push(note(format!("the folder {below} cannot be read and was left out: {error}")));
                continue;
            }
        };
        for entry in entries {
            let Ok(entry) = entry else { continue };
            let file_name = entry.file_name();
            let shown = file_name.to_string_lossy();
            if shown.starts_with('.') {
                continue;
            }
            let name = if below.is_empty() { shown.to_string() } else { format!("{below}/{shown}") };
            let Ok(mut kind) = entry.file_type() else { continue };
            if kind.is_symlink() {
                match fs::metadata(entry.path()) {
                    Ok(meta) if meta.is_dir() => {
                        walked.warnings.push(note(format!("{name} is a link to a folder, which is not followed")));
                        continue;
                    }
                    // Where it leads is looked at when the picture is read.
                    Ok(meta) => kind = meta.file_type(),
                    Err(_) if Coding::of_name(&shown).is_some() => {}
                    Err(_) => continue,
                }
            }
            if kind.is_dir() {
                if depth >= DEEPEST {
                    walked.warnings.push(note(format!("{name} lies deeper than {DEEPEST} folders and was left out")));
                } else {
                    left.push((entry.path(), name, depth + 1));
                }
            } else if Coding::of_name(&shown).is_some() {
                let inside = entry.path().strip_prefix(root).map(|path| path.as_os_str().to_owned()).unwrap_or_default();
                let odd = inside.to_str().is_none().then_some(inside);
                walked.found.push(Listed { name, odd });
            } else {
                walked.others += 1;
                if TABLES.contains(&&*shown) {
                    walked.tables.push(name);
                } else if walked.example.is_empty() {
                    walked.example = name;
                }
            }
        }
    }
    let odd = walked.found.iter().filter(|listed| listed.odd.is_some()).count();
    if odd > 0 {
        walked.warnings.push(note(format!("{odd} names are not UTF-8: shown with \u{fffd} in them, and saved as they are")));
    }
    Ok(walked)
}

/// A column of texts; `None` is null.
pub fn text_column(name: &str, cells: &[Option<&str>]) -> Column {
    Column::from_views(name, Kind::Text, Utf8ViewArray::from_slice(cells))
}

/// The columns that names give: `image`, `label` where they lie in folders of several names, `split` where those lie in split parts.
pub fn columns_of(found: &[Listed]) -> Vec<Column> {
    let is_part = |name: &str| PARTS.contains(&name.to_lowercase().as_str());
    let folders: Vec<Vec<&str>> = found
        .iter()
        .map(|listed| {
            let mut parts: Vec<&str> = listed.name.split('/').collect();
            parts.pop();
            parts
        })
        .collect();
    let parents: BTreeSet<&str> = folders.iter().filter_map(|parts| parts.last().copied()).collect();
    // Folders train and test with images right in them say a split, and no class.
    let parts_alone = !parents.is_empty() && parents.iter().all(|name| is_part(name));
    let split: Vec<Option<&str>> = folders
        .iter()
        .map(|parts| {
            let above = if parts_alone { &parts[..] } else { &parts[..parts.len().saturating_sub(1)] };
            above.iter().find(|name| is_part(name)).copied()
        })
        .collect();
    let label: Vec<Option<&str>> = folders.iter().map(|parts| parts.last().copied()).collect();
    let names: Vec<Option<&str>> = found.iter().map(|listed| Some(listed.name.as_str())).collect();
    let mut columns = vec![text_column("image", &names)];
    let classes: BTreeSet<Option<&str>> = label.iter().copied().collect();
    if !parts_alone && classes.len() > 1 {
        columns.push(text_column("label", &label));
    }
    if split.iter().any(Option::is_some) {
        columns.push(text_column("split", &split));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&str]) -> Vec<(String, Vec<String>)> {
        let found: Vec<Listed> = names.iter().map(|name| Listed { name: (*name).to_owned(), odd: None }).collect();
        columns_of(&found)
            .iter()
            .skip(1)
            .map(|column| {
                let cells = (0..names.len()).map(|row| column.text(row).unwrap_or_default().into_owned()).collect();
                (column.name.to_string(), cells)
            })
            .collect()
    }

    #[test]
    fn folders_say_classes_and_parts() {
        let of = |name: &str, cells: &[&str]| (name.to_owned(), cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&["cat/1.png", "dog/2.png"]), [of("label", &["cat", "dog"])]);
        assert_eq!(read(&["set/cat/1.png", "set/dog/2.png"]), [of("label", &["cat", "dog"])]);
        assert_eq!(read(&["train/cat/1.png", "test/dog/2.png"]), [of("label", &["cat", "dog"]), of("split", &["train", "test"])]);
        assert_eq!(read(&["train/1.png", "test/2.png"]), [of("split", &["train", "test"])]);
        assert!(read(&["1.png", "2.png"]).is_empty());
        assert!(read(&["a/1.png", "a/2.png"]).is_empty(), "one folder is no class");
        assert_eq!(read(&["1.png", "cat/2.png"]), [of("label", &["", "cat"])]);
    }
}
