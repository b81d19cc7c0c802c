//! Saving images as folders: one folder a class, or each at its own path; a folder a part of the split above that. Copied, or linked.
//! What else is known of each stands in a `metadata.csv` beside (Hugging Face's `ImageFolder`). Written aside, then moved into place.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::data::{Dataset, Format, Kind, PictureStore, Role, SampleId, things};
use crate::io::error::IoError;
use crate::io::pictures::folder::CLASS_NAMES;
use crate::io::pictures::images::{picture_bytes, picture_file};
use crate::io::pictures::made_pictures::{altered_by, made_file};
use crate::io::read::delimited::write_field;
use crate::io::write::export::Report;
use crate::io::write::rows::Rows;
use crate::io::write::save::{HELD, remove_torn, write_error};
use crate::job::Progress;
use crate::pixels::Trouble;

/// Which folders images are put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// One a class.
    #[default]
    Classes,
    /// Those of their own paths.
    Paths,
}

/// How images get there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transfer {
    /// Their bytes are copied.
    #[default]
    Copy,
    /// A link to each is made; only files can be linked to.
    Link,
}

/// Where and how to save images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTarget {
    /// The new folder: it must not be there, or be empty.
    pub folder: PathBuf,
    pub layout: Layout,
    pub transfer: Transfer,
}

/// The folder that is written aside: gone again where it was not moved into place.
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        // Moved into place, it is not there any more.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Saves images. Each of `parts` is a folder below the target's, by its name; an empty name is the target's own. Steps of progress:
/// one an image.
///
/// # Errors
/// [`IoError::Unfit`] where an image cannot be read, or has no class to be put under; [`IoError::Write`]: nothing is left behind.
pub fn export_images(
    dataset: &Dataset,
    parts: &[(String, Rows)],
    target: &ImageTarget,
    progress: &Progress,
) -> Result<Report, IoError> {
    let fail = |error: std::io::Error| write_error(&target.folder, &error);
    let unfit = |reason: String| IoError::Unfit { format: "a folder of images".to_owned(), reason };
    let field = dataset.pictures().ok_or_else(|| unfit("there is no column of images".to_owned()))?;
    if dataset.fields()[field].kind == Kind::List {
        return Err(unfit("a sample has several images: save a table instead".to_owned()));
    }
    may_hold(dataset, target)?;
    let parts: Vec<(&String, Vec<SampleId>)> = parts.iter().map(|(name, rows)| (name, rows.ids(dataset))).collect();
    let label = dataset.with_role(Role::is_label);
    let all = || parts.iter().flat_map(|(_, ids)| ids.iter().copied());
    progress.set_total(all().count() as u64);
    if target.layout == Layout::Classes {
        each_in_one_class(dataset, label, all())?;
    }
    let outer = target.folder.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(outer).map_err(fail)?;
    remove_torn(outer);
    let aside = tempfile::Builder::new().prefix(".lapidary-").suffix(".part").tempdir_in(outer).map_err(fail)?.keep();
    let aside = Aside(aside);
    // Held for as long as it is written: whoever tidies up leaves it alone.
    let held = fs::File::create(aside.0.join(HELD)).map_err(fail)?;
    let _ = held.try_lock();
    let classes: BTreeSet<String> = match label.filter(|_| target.layout == Layout::Classes) {
        Some(field) => all().filter_map(|id| class_of(dataset, field, id)).collect(),
        None => BTreeSet::new(),
    };
    let classes = folders_of(classes.into_iter());
    let mut renamed: Vec<(&String, &String)> = classes.iter().filter(|(class, folder)| class != folder).collect();
    renamed.sort_unstable();
    if !renamed.is_empty() {
        let mut table = Vec::new();
        row(&mut table, ["folder".to_owned(), "label".to_owned()].into_iter());
        renamed.iter().for_each(|(class, folder)| row(&mut table, [(*folder).clone(), (*class).clone()].into_iter()));
        fs::write(aside.0.join(CLASS_NAMES), &table).map_err(fail)?;
    }
    let misnamed = renamed.len();
    let folders = folders_of(parts.iter().map(|(name, _)| (*name).clone()).filter(|name| !name.is_empty()));
    let mut written = Written { dataset, field, label, target, classes, bytes: 0, copied: 0, renamed: 0 };
    for (name, ids) in &parts {
        let folder = folders.get(*name).map_or_else(|| aside.0.clone(), |folder| aside.0.join(folder));
        written.part(&folder, ids, !name.is_empty(), progress)?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Temporary folders are the user's alone; a dataset is like any other folder.
        fs::set_permissions(&aside.0, fs::Permissions::from_mode(0o755)).map_err(fail)?;
    }
    #[cfg(target_os = "linux")]
    if let Ok(folder) = fs::File::open(&aside.0) {
        // Everything is on the disk before it is called saved.
        let _ = rustix::fs::syncfs(&folder);
    }
    let _ = fs::remove_file(aside.0.join(HELD));
    let _ = fs::remove_dir(&target.folder);
    fs::rename(&aside.0, &target.folder).map_err(fail)?;
    let mut notes = Vec::new();
    if target.transfer == Transfer::Link && written.copied > 0 {
        notes.push(format!(
            "{} copied",
            things(written.copied, "image is no file of its own and was", "images are no files of their own and were")
        ));
    }
    if misnamed > 0 {
        notes.push(format!(
            "{} that no folder can have: {CLASS_NAMES} says which folder is which class",
            things(misnamed, "class has a name", "classes have names")
        ));
    }
    if written.renamed > 0 {
        notes.push(format!(
            "{} the name of another in the same folder and got a number",
            things(written.renamed, "image had", "images had")
        ));
    }
    Ok(Report { rows: all().count(), bytes: written.bytes, notes })
}

/// Refuses a folder that holds something already, or that lies within the source.
fn may_hold(dataset: &Dataset, target: &ImageTarget) -> Result<(), IoError> {
    let fail = |error: std::io::Error| write_error(&target.folder, &error);
    if fs::read_dir(&target.folder).is_ok_and(|mut entries| entries.next().is_some()) || target.folder.is_file() {
        let reason = "it exists already and is not empty; choose another name".to_owned();
        return Err(IoError::Write { path: target.folder.clone(), reason });
    }
    if let (PictureStore::Folder(root), Format::Folder) = (&dataset.base.pictures, dataset.base.origin.format) {
        // The nearest folder above that is there already.
        let there = std::path::absolute(&target.folder).map_err(fail)?;
        let nearest = there.ancestors().find_map(|folder| folder.canonicalize().ok());
        if nearest.is_some_and(|folder| folder.starts_with(root)) {
            let reason = "it lies within the source, which Lapidary never writes to; choose a folder elsewhere".to_owned();
            return Err(IoError::Write { path: target.folder.clone(), reason });
        }
    }
    Ok(())
}

/// Refuses samples that have no class to be put under, or several.
fn each_in_one_class(dataset: &Dataset, label: Option<usize>, ids: impl Iterator<Item = SampleId>) -> Result<(), IoError> {
    let unfit = |reason: String| IoError::Unfit { format: "a folder of images".to_owned(), reason };
    let field = label.ok_or_else(|| unfit("there is no label column to name folders by; keep paths instead".to_owned()))?;
    let (kind, role) = (dataset.fields()[field].kind, dataset.fields()[field].role);
    let classes = |id: SampleId| crate::data::classes_of(dataset.text(field, id), kind, role).len();
    let (none, many) = ids.fold((0, 0), |(none, many), id| match classes(id) {
        0 => (none + 1, many),
        1 => (none, many),
        _ => (none, many + 1),
    });
    if none > 0 {
        return Err(unfit(format!(
            "{} no class to be put under: give a class, exclude, or keep paths",
            things(none, "sample has", "samples have")
        )));
    }
    if many > 0 {
        return Err(unfit(format!(
            "{} several classes, and a folder is one: keep paths instead",
            things(many, "sample has", "samples have")
        )));
    }
    Ok(())
}

struct Written<'d> {
    dataset: &'d Dataset,
    field: usize,
    label: Option<usize>,
    target: &'d ImageTarget,
    /// The folder of each class.
    classes: HashMap<String, String>,
    bytes: u64,
    copied: usize,
    renamed: usize,
}

impl Written<'_> {
    fn part(&mut self, folder: &Path, ids: &[SampleId], named: bool, progress: &Progress) -> Result<(), IoError> {
        let fail = |error: std::io::Error| write_error(&self.target.folder, &error);
        fs::create_dir_all(folder).map_err(fail)?;
        let dataset = self.dataset;
        // What folders do not say already is written beside them.
        let others: Vec<usize> = (0..dataset.fields().len())
            .filter(|other| *other != self.field)
            .filter(|other| self.target.layout == Layout::Paths || Some(*other) != self.label)
            .filter(|other| !named || dataset.fields()[*other].role != Role::Split)
            .collect();
        let needed = !others.is_empty();
        let columns: Vec<usize> = if needed {
            self.label.into_iter().chain(others.into_iter().filter(|other| Some(*other) != self.label)).collect()
        } else {
            Vec::new()
        };
        let mut table = Vec::new();
        let names = columns.iter().map(|column| dataset.fields()[*column].name.to_string());
        row(&mut table, std::iter::once("file_name".to_owned()).chain(names));
        let mut taken: HashMap<PathBuf, u32> = HashMap::new();
        for id in ids {
            let drawn = if altered_by(dataset, *id).is_some() {
                Some(made_file(dataset, self.field, *id).map_err(|trouble| self.unread(*id, &trouble))?)
            } else {
                None
            };
            let place = self.free(&mut taken, self.place(*id, drawn.as_ref().map(|(_, ending)| *ending)));
            self.put(*id, &folder.join(&place), drawn.map(|(bytes, _)| bytes))?;
            if needed {
                let name = place.to_string_lossy().replace('\\', "/");
                let cells = columns.iter().map(|column| dataset.text(*column, *id).unwrap_or_default().into_owned());
                row(&mut table, std::iter::once(name).chain(cells));
            }
            progress.step(1)?;
        }
        if needed {
            let path = folder.join("metadata.csv");
            fs::File::create(path).and_then(|mut file| file.write_all(&table)).map_err(fail)?;
            self.bytes += table.len() as u64;
        }
        Ok(())
    }

    /// Where an image goes, below its part's folder.
    fn place(&self, id: SampleId, drawn: Option<&str>) -> PathBuf {
        let dataset = self.dataset;
        let (base, row) = dataset.home(id);
        let odd = base.odd_names.get(&SampleId::at(row).0).filter(|_| dataset.edited(self.field, id).is_none());
        let cell = dataset.text(self.field, id).unwrap_or_default();
        let path = odd.map_or_else(|| PathBuf::from(&*cell), PathBuf::from);
        let parts: Vec<OsString> = path
            .components()
            .filter_map(|part| match part {
                std::path::Component::Normal(name) => Some(plain_os(name)),
                _ => None,
            })
            .collect();
        let mut parts = parts;
        let mut name = parts.last().cloned().unwrap_or_else(|| OsString::from(format!("{:06}", id.0)));
        if let Some(ending) = drawn {
            // Named after its parent, by its number among the children.
            let at = dataset
                .children(dataset.origins(id).map_or(id, |origins| origins.parent))
                .iter()
                .position(|child| *child == id)
                .unwrap_or(0)
                + 1;
            let mut made = Path::new(&name).file_stem().unwrap_or_default().to_owned();
            made.push(format!("_a{at}.{ending}"));
            name = made;
            if let Some(last) = parts.last_mut() {
                last.clone_from(&name);
            }
        }
        if self.target.layout == Layout::Paths {
            return if parts.is_empty() { name.into() } else { parts.into_iter().collect() };
        }
        let class = self.label.and_then(|field| class_of(dataset, field, id)).unwrap_or_default();
        self.classes.get(&*class).map_or_else(PathBuf::new, PathBuf::from).join(name)
    }

    /// A name that is not taken: of two images of one name, both are kept. Names that differ in case alone are one on some systems.
    fn free(&mut self, taken: &mut HashMap<PathBuf, u32>, place: PathBuf) -> PathBuf {
        let folded = |path: &Path| PathBuf::from(path.to_string_lossy().to_lowercase());
        let mut free = place.clone();
        // Where many have one name, counting goes on where it stopped.
        let first = taken.get(&folded(&place)).copied().unwrap_or(1);
        let mut n = first;
        while taken.contains_key(&folded(&free)) {
            n += 1;
            let stem = place.file_stem().unwrap_or_default().to_owned();
            let mut name = stem;
            name.push(format!("_{n}"));
            if let Some(ending) = place.extension() {
                name.push(".");
                name.push(ending);
            }
            free = place.with_file_name(name);
        }
        self.renamed += usize::from(free != place);
        taken.insert(folded(&place), n);
        taken.entry(folded(&free)).or_insert(1);
        free
    }

    fn unread(&self, id: SampleId, trouble: &Trouble) -> IoError {
        let cell = self.dataset.text(self.field, id).unwrap_or_default();
        let reason = format!("sample {} ({cell}): {trouble}. Exclude such samples first: Clean lists them", id.0);
        IoError::Unfit { format: "a folder of images".to_owned(), reason }
    }

    fn put(&mut self, id: SampleId, to: &Path, drawn: Option<Vec<u8>>) -> Result<(), IoError> {
        let fail = |error: std::io::Error| write_error(&self.target.folder, &error);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        let file = picture_file(self.dataset, self.field, id).filter(|_| drawn.is_none());
        if let (Transfer::Link, Some(from)) = (self.target.transfer, &file) {
            return link(from, to).map_err(fail);
        }
        let bytes = match drawn {
            Some(bytes) => Cow::Owned(bytes),
            None => picture_bytes(self.dataset, self.field, id).map_err(|trouble| self.unread(id, &trouble))?,
        };
        fs::write(to, &bytes).map_err(fail)?;
        self.bytes += bytes.len() as u64;
        self.copied += 1;
        Ok(())
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::hard_link(from, to)
}

/// The one class of a sample, as its label names it.
fn class_of(dataset: &Dataset, field: usize, id: SampleId) -> Option<String> {
    let column = &dataset.fields()[field];
    crate::data::classes_of(dataset.text(field, id), column.kind, column.role).into_iter().next()
}

/// A folder each: names that differ only in what a folder's name cannot hold get different ones.
fn folders_of(names: impl Iterator<Item = String>) -> HashMap<String, String> {
    let mut taken = std::collections::HashSet::new();
    names
        .map(|name| {
            let mut tries = (1..=u32::MAX).map(|n| if n == 1 { plain(&name) } else { format!("{}_{n}", plain(&name)) });
            let folder = tries.find(|folder| taken.insert(folder.to_lowercase())).unwrap_or_default();
            (name, folder)
        })
        .collect()
}

/// What no name of a folder holds on this system.
const FORBIDDEN: &str = if cfg!(windows) { "/\\:*?\"<>|" } else { "/\\" };
/// The longest name of a folder, in bytes: the file system's 255, less a number.
const LONGEST: usize = 240;

/// A class or a part as the name of a folder: nothing in it leads elsewhere.
fn plain(name: &str) -> String {
    let clean: String =
        name.chars().map(|letter| if letter.is_control() || FORBIDDEN.contains(letter) { '_' } else { letter }).collect();
    // A name that begins with a dot is hidden, and read by nobody.
    let clean = clean.strip_prefix('.').map_or(clean.clone(), |rest| format!("_{rest}"));
    let mut clean = if cfg!(windows) { clean.trim().trim_end_matches('.').to_owned() } else { clean };
    let end = clean.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= LONGEST).last();
    clean.truncate(end.unwrap_or(0));
    if clean.trim().is_empty() { "_".to_owned() } else { clean }
}

/// A part of a path keeps its own bytes: it was a name before.
fn plain_os(name: &OsStr) -> OsString {
    name.to_str().map_or_else(|| name.to_owned(), |text| OsString::from(plain_file(text)))
}

fn plain_file(name: &str) -> String {
    name.chars().map(|letter| if letter.is_control() || "\\:*?\"<>|".contains(letter) { '_' } else { letter }).collect()
}

fn row(table: &mut Vec<u8>, cells: impl Iterator<Item = String>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            table.push(b',');
        }
        write_field(&cell, b',', false, table);
    }
    table.push(b'\n');
}
