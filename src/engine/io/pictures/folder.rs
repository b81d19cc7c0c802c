//! A folder, or an archive's list of names, as a dataset of images: a path each, its class from the folder that it lies in, its split
//! part from a folder called `train` or the like. Lists names; reads no picture.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use crate::data::{Base, Column, Dataset, Format, Origin, Packing, PictureStore, SampleId, Warning, count, things};
use crate::io::error::IoError;
use crate::io::read::budget::Budget;
use crate::io::read::columns::text_column;
use crate::io::read::shards::{is_part, open_shards};
use crate::io::reading::{Opener, Reading};
use crate::job::Progress;
use crate::pixels::{Coding, foreign_name};

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
/// The name of the table that says which class a folder is, where its name cannot: `folder`, `label`.
pub const CLASS_NAMES: &str = "class_names.csv";
fn note(reason: String) -> Warning {
    Warning { line: 0, reason }
}

/// Opens a folder of images, or of tables by `open`.
///
/// # Errors
/// [`IoError`].
pub fn open_folder(
    path: &Path,
    reading: &Reading,
    progress: &Progress,
    preview: &dyn Fn(Dataset),
    open: Opener<'_>,
) -> Result<Dataset, IoError> {
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let root = path.canonicalize().map_err(fail)?;
    let table = TABLES.iter().map(|name| root.join(name)).find(|table| table.is_file());
    let mut walked = walk(&root, progress)?;
    if let Some(table) = table {
        let dataset = open(&table, reading, &Budget::of_dataset(), true, progress, preview)?;
        if dataset.pictures().is_some() || walked.found.is_empty() {
            return Ok(with_notes(dataset, walked));
        }
        walked.warnings.push(note(format!("{} names no images and was left out", table.display())));
    }
    if walked.found.is_empty()
        && walked.foreign.is_empty()
        && let Some(dataset) = open_shards(&root, reading, progress, open)?
    {
        return Ok(dataset);
    }
    if walked.found.is_empty() {
        let what = match walked.others {
            0 => "the folder holds no images".to_owned(),
            n => format!("the folder holds no images and no tables, but {n} other files: open one of them"),
        };
        let foreign: Vec<String> = walked.foreign.iter().map(|(kind, n, _)| format!("{n} {kind}")).collect();
        let what = if foreign.is_empty() {
            what
        } else {
            format!("the folder holds no images that are read ({} are not): save them as PNG or JPEG", foreign.join(", "))
        };
        return Err(IoError::Format { path: path.to_owned(), what });
    }
    walked.tables.sort_unstable();
    // Names that are shown alike are told apart by their bytes.
    walked.found.sort_unstable_by(|a, b| (&a.name, &a.odd).cmp(&(&b.name, &b.odd)));
    let mut columns = columns_of(&walked.found);
    let classes = class_names(&root, reading, progress, open)?;
    if !classes.is_empty() {
        walked.others = walked.others.saturating_sub(1);
        rename_classes(&mut columns, &classes);
    }
    let tables = std::mem::take(&mut walked.tables);
    let mut told = if classes.is_empty() { 0 } else { crate::io::read::source::fingerprint(&root.join(CLASS_NAMES))? };
    if !tables.is_empty() {
        walked.others -= tables.len();
        // Other tables are another dataset.
        for table in &tables {
            told = told.rotate_left(1) ^ crate::io::read::source::fingerprint(&root.join(table))?;
        }
        describe(&root, &tables, &walked.found, &mut columns, &mut walked.warnings, reading, progress, open)?;
    }
    walked.note_others();
    let origin = Origin {
        path: root.clone(),
        format: Format::Folder,
        packing: Packing::None,
        encoding: "UTF-8",
        fingerprint: fingerprint(&walked.found) ^ told,
        bytes: 0,
        sheets: Vec::new(),
        sheet: None,
        layout: None,
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
        provenance: 0,
        sources: Vec::new(),
    }))
}

/// What [`CLASS_NAMES`] says in a folder that was saved by us.
fn class_names(
    root: &Path,
    reading: &Reading,
    progress: &Progress,
    open: Opener<'_>,
) -> Result<HashMap<String, String>, IoError> {
    let path = root.join(CLASS_NAMES);
    if !path.is_file() {
        return Ok(HashMap::new());
    }
    let table = match open(&path, reading, &Budget::of_dataset(), true, progress, &|_| {}) {
        Ok(table) => table,
        Err(IoError::Cancelled) => return Err(IoError::Cancelled),
        // It is another's: then folders are called as their classes are.
        Err(_) => return Ok(HashMap::new()),
    };
    let (Some(folder), Some(label)) = (table.field("folder"), table.field("label")) else { return Ok(HashMap::new()) };
    let cell = |field, id| table.text(field, id).map(|text| text.into_owned());
    Ok(table.samples().filter_map(|id| Some((cell(folder, id)?, cell(label, id)?))).collect())
}

fn rename_classes(columns: &mut [Column], classes: &HashMap<String, String>) {
    let Some(column) = columns.iter_mut().find(|column| &*column.name == "label") else { return };
    let cells: Vec<Option<String>> = (0..column.len())
        .map(|row| column.text(row).map(|text| classes.get(&*text).cloned().unwrap_or_else(|| text.into_owned())))
        .collect();
    *column = text_column("label", &cells.iter().map(Option::as_deref).collect::<Vec<_>>());
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
    open: Opener<'_>,
) -> Result<(), IoError> {
    let rows = Places::of(found);
    let mut cells: Vec<(String, Vec<Option<String>>)> = Vec::new();
    for table in tables {
        let dataset = match open(&root.join(table), reading, &Budget::of_dataset(), true, progress, &|_| {}) {
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
        let mut nowhere: Vec<String> = Vec::new();
        for id in dataset.samples() {
            let path = dataset.text(paths, id).unwrap_or_default();
            let Some(row) = &rows.find(folder, &path) else {
                nowhere.push(path.into_owned());
                continue;
            };
            for (place, field) in dataset.fields().iter().enumerate().filter(|(place, _)| *place != paths) {
                let at = cells.iter().position(|(name, _)| **name == *field.name).unwrap_or_else(|| {
                    cells.push((field.name.to_string(), vec![None; found.len()]));
                    cells.len() - 1
                });
                cells[at].1[*row] = dataset.text(place, id).map(|text| text.into_owned());
            }
        }
        if let Some(first) = nowhere.first() {
            warnings.push(note({
                let (one, many) = (format!("row of {table} names"), format!("rows of {table} name"));
                format!("{} no image that is there: {first:?} …", things(nowhere.len(), &one, &many))
            }));
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

/// Where images stand in a list, by their paths as people and other systems write them.
pub struct Places<'l> {
    exact: HashMap<&'l str, usize>,
    /// Paths in small letters; `None` where several are alike.
    folded: HashMap<String, Option<usize>>,
}

impl<'l> Places<'l> {
    /// Of a list.
    pub fn of(found: &'l [Listed]) -> Self {
        let mut folded: HashMap<String, Option<usize>> = HashMap::new();
        for (row, listed) in found.iter().enumerate() {
            folded.entry(listed.name.to_lowercase()).and_modify(|place| *place = None).or_insert(Some(row));
        }
        Self { exact: found.iter().enumerate().map(|(row, listed)| (listed.name.as_str(), row)).collect(), folded }
    }

    /// The place of a path that a table in `folder` names: as it is, else with the separators of another system, else in other case where that
    /// is of one image only.
    pub fn find(&self, folder: &str, path: &str) -> Option<usize> {
        let full = |path: &str| {
            let path = path.trim_start_matches("./");
            if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
        };
        let other = || full(&path.replace('\\', "/"));
        let exact = |path: String| self.exact.get(path.as_str()).copied();
        exact(full(path)).or_else(|| exact(other())).or_else(|| self.folded.get(&other().to_lowercase()).copied().flatten())
    }
}

/// A table beside pictures: says which pictures it does not name, and finds those that it names otherwise than they are called.
fn with_notes(mut dataset: Dataset, mut walked: Walked) -> Dataset {
    let Some(field) = dataset.pictures() else { return dataset };
    let places = Places::of(&walked.found);
    let (mut named, mut called) = (vec![false; walked.found.len()], HashMap::new());
    for id in dataset.samples() {
        let cell = dataset.text(field, id).unwrap_or_default();
        for (at, path) in crate::data::paths_of(&cell).iter().enumerate() {
            let Some(place) = places.find("", path) else { continue };
            named[place] = true;
            let name = &walked.found[place];
            if at == 0 && name.name != path.trim_start_matches("./") {
                called.insert(id.0, name.odd.clone().unwrap_or_else(|| name.name.clone().into()));
            }
        }
    }
    walked.others -= walked.tables.len().min(walked.others);
    walked.note_foreign();
    let missing: Vec<&str> =
        walked.found.iter().zip(&named).filter(|(_, named)| !**named).map(|(listed, _)| listed.name.as_str()).collect();
    if let Some(first) = missing.first() {
        let n = missing.len();
        walked.warnings.push(note(format!(
            "{} not in the table: left out, like {first}",
            things(n, "image of the folder is", "images of the folder are")
        )));
    }
    // It was made just now, and nobody else has it.
    if let Some(base) = std::sync::Arc::get_mut(&mut dataset.base) {
        base.warnings.append(&mut walked.warnings);
        base.odd_names.extend(called);
    }
    dataset
}

/// Finds the pictures of a table that names them otherwise than they are called on this system: separators of another one, other case. Looks into
/// the folder only where some are not where the table says.
pub fn found_otherwise(mut dataset: Dataset, progress: &Progress) -> Result<Dataset, IoError> {
    let (Some(field), PictureStore::Folder(root)) = (dataset.pictures(), &dataset.base.pictures) else { return Ok(dataset) };
    let path_of = |dataset: &Dataset, id: SampleId| {
        let cell = dataset.text(field, id).unwrap_or_default();
        crate::data::paths_of(&cell).into_iter().next().filter(|path| !path.contains("://"))
    };
    let there = |path: &str| root.join(path).exists();
    let step = (dataset.rows() / SAMPLED).max(1);
    let is_blob = dataset.rows() > 0 && dataset.blob(field, SampleId(0)).is_some();
    let odd = |id: SampleId| path_of(&dataset, id).is_some_and(|path| !there(&path));
    if is_blob || !dataset.samples().step_by(step).any(odd) {
        return Ok(dataset);
    }
    let walked = match walk_up_to(root, MOST_WALKED, progress) {
        Ok(walked) => walked,
        Err(IoError::Cancelled) => return Err(IoError::Cancelled),
        // What cannot be listed may still be read by name.
        Err(_) => return Ok(dataset),
    };
    let places = Places::of(&walked.found);
    let mut called = HashMap::new();
    for id in dataset.samples() {
        let Some(path) = path_of(&dataset, id) else { continue };
        let Some(place) = places.find("", &path) else { continue };
        let name = &walked.found[place];
        if name.name != path.trim_start_matches("./") {
            called.insert(id.0, name.odd.clone().unwrap_or_else(|| name.name.clone().into()));
        }
    }
    if let Some(base) = std::sync::Arc::get_mut(&mut dataset.base) {
        base.odd_names.extend(called);
    }
    Ok(dataset)
}

/// So many rows of a table are asked for their pictures, and so many entries of a folder are looked at, before its pictures are taken to be
/// where it says.
const SAMPLED: usize = 200;
const MOST_WALKED: usize = 200_000;

struct Walked {
    found: Vec<Listed>,
    warnings: Vec<Warning>,
    others: usize,
    example: String,
    /// Pictures of kinds that are not read, and the first of them.
    foreign: Vec<(&'static str, usize, String)>,
    /// Tables that describe images, by their paths.
    tables: Vec<String>,
}

/// Says that files were left out which no image is named like, the first of them.
pub fn left_out(n: usize, first: &str) -> String {
    match n {
        1 => format!("{first} was left out: its name is no image's"),
        _ => format!("{} files whose names are no image's were left out: {first} …", count(n)),
    }
}

impl Walked {
    /// Says what was left out.
    fn note_others(&mut self) {
        if self.others > 0 {
            let (n, example) = (self.others, &self.example);
            self.warnings.push(note(left_out(n, example)));
        }
        self.note_foreign();
    }

    fn note_foreign(&mut self) {
        for (kind, n, example) in std::mem::take(&mut self.foreign) {
            let what = if n == 1 { "image is" } else { "images are" };
            self.warnings.push(note(format!("{n} {kind} {what} not read and left out: {example} … Save as PNG or JPEG first")));
        }
    }
}

/// Lists the images below a folder. Links to folders are not followed, so a circle of them ends at once.
fn walk(root: &Path, progress: &Progress) -> Result<Walked, IoError> {
    walk_up_to(root, usize::MAX, progress)
}

/// The same, looking at so many entries at most.
fn walk_up_to(root: &Path, most: usize, progress: &Progress) -> Result<Walked, IoError> {
    let mut walked = Walked {
        found: Vec::new(),
        warnings: Vec::new(),
        others: 0,
        example: String::new(),
        foreign: Vec::new(),
        tables: Vec::new(),
    };
    let mut seen = 0;
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
            seen += 1;
            if seen > most {
                return Ok(walked);
            }
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
            } else if let Some(kind) = foreign_name(&shown) {
                match walked.foreign.iter_mut().find(|(known, ..)| *known == kind) {
                    Some((_, n, _)) => *n += 1,
                    None => walked.foreign.push((kind, 1, name)),
                }
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

/// The columns that names give: `image`, `label` where they lie in folders of several names, `split` where those lie in split parts.
pub fn columns_of(found: &[Listed]) -> Vec<Column> {
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
