//! A dataset of several sources saved as what it was read from: each file by itself, in its own form and with its own names, edits in their places. What nobody
//! edited comes out byte for byte, as of any file that is saved in its own form.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use crate::data::{Dataset, Format, Packing, SampleId, count_samples, things};
use crate::edit::{Change, Direction};
use crate::io::{self, IoError, Rows, SaveTarget, SourceEntry, read_sources};
use crate::job::Progress;

/// Saves every file of every source below a new folder, under the path that the list names. Returns what was done, in words.
///
/// # Errors
/// [`IoError`]: it is no dataset of sources; a source has changed since; a file cannot be written. Files that were written before stay.
pub fn save_each_source(dataset: &Dataset, folder: &Path, progress: &Progress) -> Result<Vec<String>, IoError> {
    let refuse = |reason: String| IoError::Write { path: folder.to_owned(), reason };
    if dataset.base.sources.is_empty() {
        return Err(refuse("it is one file, and no list of sources: save it as a whole".to_owned()));
    }
    if !io::entries_of(folder).is_empty() {
        return Err(refuse("the folder is not empty; choose a new one".to_owned()));
    }
    let list = read_sources(&dataset.base.origin.path)?;
    let mut words = Vec::new();
    for read in &dataset.base.sources {
        let entry = list.sources.iter().find(|entry| entry.id == read.id);
        let entry = entry.ok_or_else(|| refuse(format!("the list does not name {:?} any more: open it anew", read.id)))?;
        let mut first = read.first;
        let mut print = Xxh3::new();
        let mut opened = Vec::new();
        if let Some(asked) = entry.connection() {
            let source = (entry.read.as_str(), &asked);
            let own = io::open_database_alone((&dataset.base.origin.path, &entry.id), source, progress)?;
            print.update(&own.base.origin.fingerprint.to_le_bytes());
            // It has no file: it is saved under its name in the list.
            opened.push((PathBuf::from(entry.id.replace(['/', '\\', ':'], "_")), own));
        }
        for path in &read.paths {
            let mut reading = entry.reading().map_err(&refuse)?;
            if let Some((_, sheet)) = entry.read.rsplit_once('#').filter(|_| !path.ends_with(&entry.read)) {
                reading.sheet = Some(sheet.to_owned());
            }
            let own = io::open(path, &reading, progress, &|_| {})?;
            print.update(&own.base.origin.fingerprint.to_le_bytes());
            opened.push((path.clone(), own));
        }
        if print.digest() != read.print {
            return Err(refuse(format!("{:?} has changed since it was read: open the list anew", read.id)));
        }
        for (path, own) in opened {
            let rows = own.base.rows;
            io::may_write(dataset, &folder.join("x"))?;
            let target = target_of(&own, folder, &path, dataset);
            let (edited, kept) = with_edits(dataset, own, entry, first).map_err(|error| refuse(error.to_string()))?;
            if let Some(parent) = target.path.parent() {
                io::make_folder(parent)?;
            }
            let n = kept.len();
            let report = io::export(&edited, &Rows::These(kept), &target, progress)?;
            words.push(format!("{}: {}", target.path.display(), count_samples(n)));
            words.extend(report.notes);
            first += rows;
        }
    }
    let made = dataset.rows() - dataset.base.rows;
    if made > 0 {
        words.push(format!(
            "{} of no source, and stand in none of the files: save the whole for them",
            things(made, "sample is", "samples are")
        ));
    }
    Ok(words)
}

/// Where a file is saved, and how: as it came, where it can be written so.
fn target_of(own: &Dataset, folder: &Path, path: &Path, dataset: &Dataset) -> SaveTarget {
    let origin = &own.base.origin;
    let root = dataset.base.origin.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // What lies beside the folder of the list stands below the new one by its name.
    let below = real.strip_prefix(&root).ok().filter(|below| below.is_relative()).map(Path::to_path_buf);
    let below = below.unwrap_or_else(|| PathBuf::from(real.file_name().unwrap_or_default()));
    let writable = Format::tables().any(|format| format == origin.format) && origin.layout.is_none() && real.is_file();
    let (format, packing) = if writable { (origin.format, origin.packing) } else { (Format::JsonLines, Packing::None) };
    let mut target = folder.join(&below);
    if !writable {
        let name = below.file_name().unwrap_or_default().to_string_lossy().into_owned();
        target.set_file_name(format!("{name}.jsonl"));
    }
    // Two files of one name, from two places.
    let free =
        (2..1_000).map(|n| target.with_file_name(format!("{n} {}", target.file_name().unwrap_or_default().to_string_lossy())));
    let path = if target.exists() { free.into_iter().find(|path| !path.exists()).unwrap_or(target) } else { target };
    SaveTarget { path, format, packing, own_columns: false, utf8: false, safe: false }
}

/// The file as it was read with the edits of its samples, and which of those are kept.
fn with_edits(
    dataset: &Dataset,
    mut own: Dataset,
    entry: &SourceEntry,
    first: usize,
) -> Result<(Dataset, Vec<SampleId>), crate::edit::EditError> {
    let back: HashMap<&str, &str> = entry.columns.iter().filter_map(|(from, to)| Some((to.as_deref()?, from.as_str()))).collect();
    let rows = own.base.rows;
    let ids = || (0..rows).map(|row| (SampleId::at(row), SampleId::at(first + row)));
    for (field, column) in dataset.fields().iter().enumerate() {
        if dataset.is_provenance(field) {
            continue;
        }
        let name = back.get(&*column.name).copied().unwrap_or(&column.name);
        // What a class is called there; of several that became one it stays the one.
        let mut classes: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for (from, to) in entry.classes.get(&*column.name).into_iter().flatten() {
            classes.entry(to).and_modify(|known| *known = None).or_insert(Some(from));
        }
        let cells: Vec<(SampleId, Option<String>)> = ids()
            .filter_map(|(there, here)| {
                let text =
                    dataset.edited(field, here)?.map(|text| classes.get(text).copied().flatten().unwrap_or(text).to_owned());
                Some((there, text))
            })
            .collect();
        if cells.is_empty() {
            continue;
        }
        let change = if own.field(name).is_some() {
            let fits = own
                .field(name)
                .map(|at| own.fields()[at].kind)
                .is_some_and(|kind| cells.iter().filter_map(|(_, text)| text.as_deref()).all(|text| kind.accepts(text)));
            if !fits && let Some(change) = Change::kind(&own, name, crate::data::Kind::Text)? {
                change.apply(&mut own, Direction::Forward);
            }
            Change::cells(&own, name, cells.iter().map(|(id, text)| (*id, text.as_deref())))?
        } else {
            Change::add_column(&own, name, column.kind, column.role)?.apply(&mut own, Direction::Forward);
            Some(Change::fill(name, cells.iter().filter_map(|(id, text)| Some((*id, text.as_deref()?)))))
        };
        if let Some(change) = change {
            change.apply(&mut own, Direction::Forward);
        }
    }
    let kept = ids().filter(|(_, here)| !dataset.is_excluded(*here)).map(|(there, _)| there).collect();
    Ok((own, kept))
}
