//! The dataset: the source's columns, what each means, and what edits have laid over them.
//!
//! The source part is shared and never changes. Edits live in overlays, behind `Arc`s, so that a clone (a snapshot for a
//! job) costs nothing, and one edit costs what it touches and not the dataset.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::column::Column;
use super::ids::{SampleId, SampleSet};
use super::made::{Batch, Family, Made, Origins};
use super::overlay::{NULL, Overlay, UNTOUCHED};
use super::pictures::PictureStore;
use super::raw::{Packing, Raw};
use super::roles::propose_roles;
use super::schema::{Kind, Role};
use crate::chance::seed_of;
use xxhash_rust::xxh3::xxh3_64;

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
}

/// The part of a dataset that never changes.
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
}

/// Names of parts of a split that models are tested on.
const HELD_OUT: [&str; 11] =
    ["validation", "valid", "val", "dev", "development", "test", "testing", "eval", "evaluation", "holdout", "hold-out"];

/// Whether a part of a split is one that models are tested on: what was made of samples does not count there.
pub fn is_held_out(part: &str) -> bool {
    HELD_OUT.contains(&part.trim().to_lowercase().as_str())
}

/// One column of the dataset: the source's, or one that an edit added.
#[derive(Clone)]
pub struct Field {
    /// The name, unique in the dataset.
    pub name: Arc<str>,
    /// How its cells are read.
    pub kind: Kind,
    /// What it means.
    pub role: Role,
    /// Its place among the source's columns; `None` for a column that an edit added.
    pub source: Option<usize>,
    overlay: Arc<Overlay>,
}

impl Field {
    /// Whether any cell of it was edited.
    pub fn is_edited(&self) -> bool {
        self.overlay.touched()
    }
}

/// A dataset: cheap to clone, and a clone is a snapshot.
#[derive(Clone)]
pub struct Dataset {
    /// What never changes.
    pub base: Arc<Base>,
    fields: Vec<Field>,
    excluded: Arc<SampleSet>,
    reviewed: Arc<SampleSet>,
    tags: Arc<BTreeMap<String, Arc<SampleSet>>>,
    family: Arc<Family>,
    /// The version of what is excluded.
    left_out: u64,
}

impl Dataset {
    /// A dataset without edits, its roles proposed from names and content.
    pub fn new(base: Base) -> Self {
        let roles = propose_roles(&base.columns, base.rows);
        let fields = base
            .columns
            .iter()
            .zip(roles)
            .enumerate()
            .map(|(source, (column, role))| Field {
                name: Arc::clone(&column.name),
                kind: column.kind,
                role,
                source: Some(source),
                overlay: Arc::default(),
            })
            .collect();
        Self {
            base: Arc::new(base),
            fields,
            excluded: Arc::default(),
            reviewed: Arc::default(),
            tags: Arc::default(),
            family: Arc::default(),
            left_out: 0,
        }
    }

    /// How many samples there are, excluded and made ones counted.
    pub fn rows(&self) -> usize {
        self.base.rows + self.family.len()
    }

    /// How many samples were made from others.
    pub fn made(&self) -> usize {
        self.family.len()
    }

    /// Whether a sample was made from others: it stands behind those of the source.
    pub fn is_made(&self, id: SampleId) -> bool {
        id.row() >= self.base.rows
    }

    /// What a made sample is of; `None` for a sample of the source.
    pub fn origins(&self, id: SampleId) -> Option<Origins<'_>> {
        if self.is_made(id) { self.family.of(id) } else { None }
    }

    /// The samples that were made of `parent`, in order.
    pub fn children(&self, parent: SampleId) -> &[SampleId] {
        self.family.children(parent)
    }

    /// Every batch of made samples, in order.
    pub fn batches(&self) -> &[Arc<Made>] {
        self.family.batches()
    }

    /// Adds samples made from others behind all there are.
    pub fn add_made(&mut self, batch: Batch) {
        if batch.first.row() == self.rows() && batch.is_sound(self.base.rows) {
            Arc::make_mut(&mut self.family).add(batch);
        }
    }

    /// Takes the samples away that were made last.
    pub fn remove_made(&mut self) {
        Arc::make_mut(&mut self.family).pop();
        // Whoever gets their place next begins without edits.
        let rows = self.rows();
        for field in self.fields.iter_mut().filter(|field| field.overlay.reaches(rows)) {
            Arc::make_mut(&mut field.overlay).cut(rows);
        }
    }

    /// The columns in order: the source's, then those that edits added.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The place of the column called `name`.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| &*field.name == name)
    }

    /// The first column with a role that `wanted` accepts.
    pub fn with_role(&self, wanted: impl Fn(Role) -> bool) -> Option<usize> {
        self.fields.iter().position(|field| wanted(field.role))
    }

    /// The column of pictures: the first with that role.
    pub fn pictures(&self) -> Option<usize> {
        self.with_role(|role| role == Role::Image)
    }

    /// The bytes of a picture that stands in the cell itself; `None` where the cell is a path, or was edited. A made sample has its
    /// parent's, not altered yet.
    pub fn blob(&self, field: usize, id: SampleId) -> Option<&[u8]> {
        if let Some(origins) = self.origins(id).filter(|_| self.edited(field, id).is_none()) {
            return self.blob(field, origins.parent);
        }
        let source = self.fields[field].source.filter(|_| self.edited(field, id).is_none())?;
        self.base.columns[source].blob(id.row())
    }

    /// Every sample in file order.
    pub fn samples(&self) -> impl Iterator<Item = SampleId> + use<> {
        (0..self.rows()).map(SampleId::at)
    }

    /// The cell of sample `id` in column `field`, as text; `None` is null.
    pub fn text(&self, field: usize, id: SampleId) -> Option<Cow<'_, str>> {
        let column = &self.fields[field];
        // No edit takes a child out of its parent's part.
        if column.role == Role::Split && self.is_made(id) {
            return self.unedited(field, id);
        }
        match column.overlay.code(id) {
            UNTOUCHED => self.unedited(field, id),
            NULL => None,
            code => Some(Cow::Borrowed(column.overlay.text(code))),
        }
    }

    /// The cell without its own edit: the source's, or what a made sample has of its parents as they stand.
    pub fn unedited(&self, field: usize, id: SampleId) -> Option<Cow<'_, str>> {
        let Some(origins) = self.origins(id) else { return self.source_text(field, id) };
        match (self.fields[field].role, origins.other) {
            // Two samples of one name would be one to whoever reads them.
            (Role::Id, _) => None,
            // What is of two parents is in no part that one of them is not in; and what was made is in none that models are tested on.
            (Role::Split, other) => {
                let part = self.text(field, origins.parent).filter(|part| !is_held_out(part));
                if other.is_none_or(|other| part == self.text(field, other)) { part } else { None }
            }
            _ => self.text(field, origins.parent),
        }
    }

    /// The cell as the source has it, whatever was edited; `None` for made samples.
    pub fn source_text(&self, field: usize, id: SampleId) -> Option<Cow<'_, str>> {
        let source = self.fields[field].source.filter(|_| !self.is_made(id))?;
        self.base.columns[source].text(id.row())
    }

    /// The edit that lies over a cell: `None` where it is untouched, else its new value.
    #[allow(clippy::option_option)]
    pub fn edited(&self, field: usize, id: SampleId) -> Option<Option<&str>> {
        let overlay = &self.fields[field].overlay;
        match overlay.code(id) {
            UNTOUCHED => None,
            NULL => Some(None),
            code => Some(Some(overlay.text(code))),
        }
    }

    /// Every text that edits have put into a column, in the order of their coming; some may be in no cell any more.
    pub fn edited_texts(&self, field: usize) -> &[Arc<str>] {
        self.fields[field].overlay.texts()
    }

    /// The cell as a number, as its column's kind spells it; `None` where it is null, no number, or not finite.
    pub fn number(&self, field: usize, id: SampleId) -> Option<f64> {
        let (text, kind) = (self.text(field, id)?, self.fields[field].kind);
        let plain = if kind == Kind::Comma { None } else { text.trim().parse::<f64>().ok() };
        plain.or_else(|| kind.number(&text)).filter(|number| number.is_finite())
    }

    /// The version of a column: what it is called, means and is read as, and what edits have laid over its cells of the source. The same
    /// state has the same version, however it came about; whatever is worked out of a column is as old as that.
    pub fn version(&self, field: usize) -> u64 {
        let Field { name, kind, role, source, overlay } = &self.fields[field];
        let source = source.map_or(u64::MAX, |source| source as u64);
        let words = [name.as_bytes(), kind.name().as_bytes(), role.to_string().as_bytes()].map(xxh3_64);
        let file = self.base.origin.fingerprint;
        seed_of(&[(file >> 64) as u64, file as u64, source, words[0], words[1], words[2], overlay.versions[0]])
    }

    /// The version of samples that were made: which there are, and what edits have laid over their cells of a column.
    pub fn made_version(&self, field: usize) -> u64 {
        self.batches().iter().fold(self.fields[field].overlay.versions[1], |sum, made| seed_of(&[sum, made.print]))
    }

    /// The version of what is excluded.
    pub fn excluded_version(&self) -> u64 {
        self.left_out
    }

    /// Takes a cell's edit away: what a made sample has of its parent is read through again.
    pub fn clear_cell(&mut self, field: usize, id: SampleId) {
        let made = self.is_made(id);
        Arc::make_mut(&mut self.fields[field].overlay).put(id, UNTOUCHED, made);
    }

    /// Lays `value` over a cell; in a sample of the source, a value equal to what is there without an edit removes the edit instead.
    pub fn set_cell(&mut self, field: usize, id: SampleId, value: Option<&str>) {
        let made = self.is_made(id);
        let back = !made && self.unedited(field, id).as_deref() == value;
        let overlay = Arc::make_mut(&mut self.fields[field].overlay);
        let code = if back { UNTOUCHED } else { overlay.intern(value) };
        overlay.put(id, code, made);
    }

    /// Adds a column of null cells at the end.
    pub fn add_field(&mut self, name: &str, kind: Kind, role: Role) {
        self.fields.push(Field { name: name.into(), kind, role, source: None, overlay: Arc::default() });
    }

    /// Takes an added column away again. Columns of the source stay.
    pub fn remove_field(&mut self, name: &str) {
        self.fields.retain(|field| field.source.is_some() || &*field.name != name);
    }

    /// Says what a column means.
    pub fn set_role(&mut self, field: usize, role: Role) {
        self.fields[field].role = role;
    }

    /// Says how a column is read.
    pub fn set_kind(&mut self, field: usize, kind: Kind) {
        self.fields[field].kind = kind;
    }

    /// Whether a sample is excluded from everything but the table.
    pub fn is_excluded(&self, id: SampleId) -> bool {
        self.excluded.contains(id)
    }

    /// Whether a sample was marked reviewed.
    pub fn is_reviewed(&self, id: SampleId) -> bool {
        self.reviewed.contains(id)
    }

    /// The excluded samples.
    pub fn excluded(&self) -> &SampleSet {
        &self.excluded
    }

    /// The reviewed samples.
    pub fn reviewed(&self) -> &SampleSet {
        &self.reviewed
    }

    /// Every tag in use, with its samples, by name.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &SampleSet)> {
        self.tags.iter().map(|(name, set)| (name.as_str(), &**set))
    }

    /// Whether a sample carries `tag`.
    pub fn has_tag(&self, tag: &str, id: SampleId) -> bool {
        self.tags.get(tag).is_some_and(|set| set.contains(id))
    }

    /// Excludes a sample or takes it back in.
    pub fn set_excluded(&mut self, id: SampleId, on: bool) {
        if Arc::make_mut(&mut self.excluded).set(id, on) {
            self.left_out ^= seed_of(&[u64::from(id.0)]);
        }
    }

    /// Marks a sample reviewed, or not.
    pub fn set_reviewed(&mut self, id: SampleId, on: bool) {
        Arc::make_mut(&mut self.reviewed).set(id, on);
    }

    /// Puts a tag on a sample or takes it off; a tag on no sample is gone.
    pub fn set_tag(&mut self, tag: &str, id: SampleId, on: bool) {
        let tags = Arc::make_mut(&mut self.tags);
        let set = tags.entry(tag.to_owned()).or_default();
        Arc::make_mut(set).set(id, on);
        if set.is_empty() {
            tags.remove(tag);
        }
    }

    /// Whether sample `id` has any edited cell; what a sample was made with is no edit of it.
    pub fn is_sample_edited(&self, id: SampleId) -> bool {
        !self.is_made(id) && self.fields.iter().any(|field| field.overlay.code(id) != UNTOUCHED)
    }

    /// A hash (XXH3, 64 bits) of a sample's source content: what recognises it in another version of the file.
    pub fn content_hash(&self, id: SampleId) -> u64 {
        if self.is_made(id) {
            let Some(origins) = self.origins(id) else { return 0 };
            return crate::chance::seed_of(&[self.content_hash(origins.parent), origins.draw]);
        }
        if let Some(raw) = self.base.raw.as_ref().filter(|raw| !raw.starts.is_empty()) {
            return xxhash_rust::xxh3::xxh3_64(raw.row(id.row()));
        }
        self.content_hash_without(id, &[])
    }

    /// That hash of a sample of a source without text, as if the columns at `dropped` (places among the source's) were not there.
    pub fn content_hash_without(&self, id: SampleId, dropped: &[usize]) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        if let Some(print) = self.base.prints.get(id.row()) {
            hasher.update(&print.to_le_bytes());
        }
        for (_, column) in self.base.columns.iter().enumerate().filter(|(place, _)| !dropped.contains(place)) {
            let column = column.as_written();
            if let Some(bytes) = column.blob(id.row()) {
                hasher.update(bytes);
                continue;
            }
            match column.text(id.row()) {
                Some(text) => {
                    hasher.update(&(text.len() as u64).to_le_bytes());
                    hasher.update(text.as_bytes());
                }
                None => hasher.update(&u64::MAX.to_le_bytes()),
            }
        }
        hasher.digest()
    }
}
