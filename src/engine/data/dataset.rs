//! The dataset: the source's columns, what each means, and what edits have laid over them.
//!
//! The source part is shared and never changes. Edits live in overlays, behind `Arc`s, so that a clone (a snapshot for a
//! job) costs nothing, and one edit costs what it touches and not the dataset.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::base::Base;
use super::ids::{SampleId, SampleSet};
use super::made::{Batch, Family, Made, Origins};
use super::overlay::{NULL, Overlay, UNTOUCHED};
use super::parts::{PartSource, Parts, Segment, SourcePart, TakenRows};
use super::properties::{Properties, Property};
use super::roles::propose_roles;
use super::schema::{Kind, Role};
use crate::chance::seed_of;
use xxhash_rust::xxh3::xxh3_64;

/// Names of parts of a split that models are tested on.
const HELD_OUT: [&str; 11] =
    ["validation", "valid", "val", "dev", "development", "test", "testing", "eval", "evaluation", "holdout", "hold-out"];

/// Whether a part of a split is one that models are tested on, `test new` and `test-2026` too: what was made of samples does not count there.
pub fn is_held_out(part: &str) -> bool {
    let part = part.trim().to_lowercase();
    let first = part.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    HELD_OUT.contains(&part.as_str()) || HELD_OUT.contains(&first)
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
    /// Its place among the source's columns; `None` for a column that an edit added, or that only a later part has.
    pub source: Option<usize>,
    /// Its place among the columns of each later part, in their order.
    later: Vec<Option<usize>>,
    /// Whether it came with a part.
    came_with: bool,
    overlay: Arc<Overlay>,
}

impl Field {
    /// Whether any cell of it was edited.
    pub fn is_edited(&self) -> bool {
        self.overlay.touched()
    }

    /// Whether any source has it: else an edit added it.
    pub fn is_given(&self) -> bool {
        self.source.is_some() || self.came_with
    }

    /// Its place among the columns of a part: 0 is the dataset's own source, later ones follow.
    fn place_in(&self, part: usize) -> Option<usize> {
        match part.checked_sub(1) {
            None => self.source,
            Some(later) => self.later.get(later).copied().flatten(),
        }
    }
}

/// A dataset: cheap to clone, and a clone is a snapshot.
#[derive(Clone)]
pub struct Dataset {
    /// What was read of its own source: its first part.
    pub base: Arc<Base>,
    fields: Vec<Field>,
    excluded: Arc<SampleSet>,
    reviewed: Arc<SampleSet>,
    tags: Arc<BTreeMap<String, Arc<SampleSet>>>,
    properties: Arc<Properties>,
    family: Arc<Family>,
    parts: Arc<Parts>,
    /// The version of what is excluded.
    left_out: u64,
}

impl Dataset {
    /// A dataset without edits, its roles proposed from names and content.
    pub fn new(base: Base) -> Self {
        Self::of(Arc::new(base))
    }

    /// The same source as nobody has edited it.
    pub fn as_read(&self) -> Self {
        Self::of(Arc::clone(&self.base))
    }

    fn of(base: Arc<Base>) -> Self {
        let content = base.columns.len() - base.provenance;
        let mut roles = propose_roles(&base.columns[..content], base.rows);
        roles.resize(base.columns.len(), Role::Other);
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
                later: Vec::new(),
                came_with: false,
                overlay: Arc::default(),
            })
            .collect();
        Self {
            base,
            fields,
            excluded: Arc::default(),
            reviewed: Arc::default(),
            tags: Arc::default(),
            properties: Arc::default(),
            family: Arc::default(),
            parts: Arc::default(),
            left_out: 0,
        }
    }

    /// How many samples there are, excluded and made ones counted.
    pub fn rows(&self) -> usize {
        self.base.rows + self.family.len() + self.parts.rows()
    }

    /// How many samples were made from others.
    pub fn made(&self) -> usize {
        self.family.len()
    }

    /// Where samples of sources end: whatever is beyond was made of them. Between the parts of a dataset there may be made ones too.
    pub fn extent(&self) -> usize {
        self.parts.list().last().map_or(self.base.rows, |part| part.source.first.row() + part.base.rows)
    }

    /// Every sample of a source, in order.
    pub fn source_samples(&self) -> impl Iterator<Item = SampleId> + '_ {
        (0..self.extent()).map(SampleId::at).filter(|id| !self.is_made(*id))
    }

    /// Whether a sample was made from others: it stands behind the source's.
    pub fn is_made(&self, id: SampleId) -> bool {
        id.row() >= self.base.rows && (self.parts.list().is_empty() || self.parts.of(id).is_none())
    }

    /// The part that a sample of a source stands in, from 0 on, what was read of that, and the sample's row there; `None` for one that was made.
    fn part_of(&self, id: SampleId) -> Option<(usize, &Base, usize)> {
        if id.row() < self.base.rows {
            return Some((0, &self.base, id.row()));
        }
        let (at, row) = self.parts.of(id)?;
        Some((at + 1, &self.parts.list()[at].base, row))
    }

    /// What was read of the source that a sample stands in, and its row there; of a made sample its parent's.
    pub fn home(&self, id: SampleId) -> (&Base, usize) {
        let own = self.origins(id).map_or(id, |origins| origins.parent);
        self.part_of(own).map_or((&*self.base, own.row()), |(_, base, row)| (base, row))
    }

    /// The runs of samples with one provenance each, in order: parts that were read, and batches that were made.
    pub fn segments(&self) -> Vec<Segment<'_>> {
        let mut all = vec![Segment::Part(SampleId(0), &self.base)];
        all.extend(self.parts.list().iter().map(|part| Segment::Part(part.source.first, &part.base)));
        all.extend(self.batches().iter().map(Segment::Batch));
        all.sort_by_key(Segment::first);
        all
    }

    /// Keeps what was read of a source, for parts that are made of it.
    pub fn know(&mut self, key: u64, base: Arc<Base>) {
        Arc::make_mut(&mut self.parts).know(key, base);
    }

    /// What was read of the source of that key ([`PartSource::key`]).
    pub fn known(&self, key: u64) -> Option<&Arc<Base>> {
        self.parts.known(key)
    }

    /// Where a sample was taken from, where it was chosen out of a log: its place among those that were taken with it.
    pub fn taken(&self, id: SampleId) -> Option<(&PartSource, &TakenRows, usize)> {
        let (at, row) = self.parts.of(id)?;
        let source = &self.parts.list()[at].source;
        Some((source, source.taken.as_deref()?, row))
    }

    /// Every part that was taken out of a log, in order.
    pub fn taken_parts(&self) -> impl Iterator<Item = (&PartSource, &TakenRows)> {
        self.parts.list().iter().filter_map(|part| Some((&part.source, part.source.taken.as_deref()?)))
    }

    /// Adds a part behind all samples there are: columns of one name are one column, those that only it has are new and empty before it.
    /// What is not known ([`Dataset::know`]), or does not stand behind all, is not added.
    pub fn add_part(&mut self, source: &PartSource) {
        let known = self.parts.known(source.key()).filter(|base| base.rows == source.rows as usize);
        let Some(base) = known.filter(|_| source.first.row() == self.rows()).cloned() else { return };
        let before = self.parts.list().len();
        for field in &mut self.fields {
            let place = base.columns.iter().position(|column| column.name == field.name);
            field.later.resize(before, None);
            field.later.push(place);
        }
        let roles = propose_roles(&base.columns, base.rows);
        for (place, (column, role)) in base.columns.iter().zip(roles).enumerate() {
            if self.field(&column.name).is_some() {
                continue;
            }
            // Of what a dataset has one column, the one there is stays it.
            let one = matches!(role, Role::Id | Role::Group | Role::Split | Role::Image) || role.is_label();
            let like = |other: Role| other == role || other.is_label() && role.is_label();
            let role = if one && self.with_role(like).is_some() { Role::Other } else { role };
            let mut later = vec![None; before];
            later.push(Some(place));
            let (name, kind) = (Arc::clone(&column.name), column.kind);
            self.fields.push(Field { name, kind, role, source: None, later, came_with: true, overlay: Arc::default() });
        }
        Arc::make_mut(&mut self.parts).push(SourcePart { source: source.clone(), base });
    }

    /// Takes the part away that came last; what was read of it stays known.
    pub fn remove_part(&mut self) {
        let parts = Arc::make_mut(&mut self.parts);
        if parts.pop().is_none() {
            return;
        }
        let (left, rows) = (parts.list().len(), self.rows());
        for field in &mut self.fields {
            field.later.truncate(left);
            if field.overlay.reaches(rows) {
                Arc::make_mut(&mut field.overlay).cut(rows);
            }
        }
        self.fields.retain(|field| !field.came_with || field.later.iter().any(Option::is_some));
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
        let of_sources = batch.parents.iter().chain(&batch.others).all(|id| !self.is_made(*id));
        if batch.first.row() == self.rows() && of_sources && batch.is_sound(self.extent()) {
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
        let (part, base, row) = self.part_of(id).filter(|_| self.edited(field, id).is_none())?;
        base.columns[self.fields[field].place_in(part)?].blob(row)
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
        let (part, base, row) = self.part_of(id)?;
        base.columns[self.fields[field].place_in(part)?].text(row)
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
        let Field { name, kind, role, source, overlay, .. } = &self.fields[field];
        let source = source.map_or(u64::MAX, |source| source as u64);
        let words = [name.as_bytes(), kind.name().as_bytes(), role.to_string().as_bytes()].map(xxh3_64);
        let [upper, lower] = self.base.origin.halves();
        let own = seed_of(&[upper, lower, source, words[0], words[1], words[2], overlay.versions[0]]);
        let with_part = |sum, part: &SourcePart| seed_of(&[sum, part.source.key(), u64::from(part.source.first.0)]);
        let whole = self.parts.list().iter().fold(own, with_part);
        // What was made before a part came stands among what is read off rows.
        let between = self.batches().first().is_some_and(|made| made.batch.first.row() < self.extent());
        if between { seed_of(&[whole, self.made_version(field)]) } else { whole }
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
        let later = Vec::new();
        self.fields.push(Field { name: name.into(), kind, role, source: None, later, came_with: false, overlay: Arc::default() });
    }

    /// Takes an added column away again. Columns of the source stay.
    pub fn remove_field(&mut self, name: &str) {
        self.fields.retain(|field| field.is_given() || &*field.name != name);
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

    /// Of samples that were shown once more in the label queue: how many got the same label again, and how many were shown.
    pub fn self_agreement(&self) -> (usize, usize) {
        let said =
            || self.properties().all(Property::SaidAgain).filter_map(|(_, both)| serde_json::from_str::<[String; 2]>(both).ok());
        (said().filter(|[first, again]| first == again).count(), said().count())
    }

    /// What was said of it beside its cells.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// Sets a property, or takes it away.
    pub fn set_property(&mut self, property: Property, of: &[String], value: Option<&str>) {
        Arc::make_mut(&mut self.properties).set(property, of, value);
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
            // One that is about to be made has none yet.
            return self.origins(id).map_or(0, |origins| seed_of(&[self.content_hash(origins.parent), origins.draw]));
        }
        let (base, row) = self.home(id);
        if let Some(raw) = base.raw.as_ref().filter(|raw| !raw.starts.is_empty()) {
            return xxh3_64(raw.row(row));
        }
        self.content_hash_without(id, &[])
    }

    /// Whether a column says where samples come from, which nobody edits.
    pub fn is_provenance(&self, field: usize) -> bool {
        let content = self.base.columns.len() - self.base.provenance;
        self.base.provenance > 0
            && self.fields().get(field).and_then(|field| field.source).is_some_and(|source| source >= content)
    }

    /// That hash of a sample of a source without text, as if the columns at `dropped` (places among the source's) were not there.
    pub fn content_hash_without(&self, id: SampleId, dropped: &[usize]) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        let (base, row) = self.home(id);
        if let Some(print) = base.prints.get(row) {
            hasher.update(&print.to_le_bytes());
        }
        let content = base.columns.len() - base.provenance;
        for (_, column) in base.columns.iter().enumerate().take(content).filter(|(place, _)| !dropped.contains(place)) {
            let column = column.as_written();
            if let Some(bytes) = column.blob(row) {
                hasher.update(bytes);
                continue;
            }
            match column.text(row) {
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
