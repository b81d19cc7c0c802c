//! One change: what it is about, the samples, and their values before and after.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::error::EditError;
use crate::data::{Batch, Dataset, Kind, PartSource, Property, Role, SampleId};

/// Which way a change is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// As it was made.
    Forward,
    /// Its inverse.
    Back,
}

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Cells of a column.
    Cells(String),
    /// Whether a column exists: null, or `KIND/ROLE`.
    Column(String),
    /// What a column means.
    Role(String),
    /// How a column is read.
    Kind(String),
    /// Whether samples are excluded.
    Excluded,
    /// Whether samples are reviewed.
    Reviewed,
    /// Whether samples carry a tag.
    Tag(String),
    /// Whether a batch of made samples exists; the change's samples are their parents.
    Made(Batch),
    /// Whether a part exists: the samples of another source.
    Part(PartSource),
    /// What is said of the dataset beside its cells: a property by name, and what it is of. One that is not known is passed over.
    Property(String, Vec<String>),
}

/// Stands in a change for the cell of a made sample that is read through to its parent. No file has it: it begins with a NUL.
pub const INHERITED: &str = "\0inherited";

/// A value per sample: a code into distinct texts (null among them), or one text for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Values {
    /// The distinct values.
    pub texts: Vec<Option<String>>,
    /// Which one each sample has; empty where all have the first.
    pub codes: Vec<u32>,
}

impl Values {
    /// The same value for every sample.
    pub fn same(value: Option<&str>) -> Self {
        Self { texts: vec![value.map(ToOwned::to_owned)], codes: Vec::new() }
    }

    /// The value of the sample at place `at` of the change's list.
    pub fn get(&self, at: usize) -> Option<&str> {
        let code = self.codes.get(at).copied().unwrap_or(0);
        self.texts.get(code as usize).and_then(Option::as_deref)
    }
}

/// Collects values into [`Values`], keeping each distinct text once.
#[derive(Default)]
struct Collector {
    values: Values,
    codes: HashMap<Option<String>, u32>,
}

impl Collector {
    fn push(&mut self, value: Option<&str>) {
        let key = value.map(ToOwned::to_owned);
        let next = u32::try_from(self.values.texts.len()).unwrap_or(u32::MAX);
        let code = *self.codes.entry(key).or_insert_with_key(|key| {
            self.values.texts.push(key.clone());
            next
        });
        self.values.codes.push(code);
    }

    fn finish(mut self) -> Values {
        if self.values.texts.len() <= 1 {
            self.values.codes = Vec::new();
        }
        self.values
    }
}

/// One part of an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What is changed.
    pub target: Target,
    /// Of which samples; empty where the target is a column.
    #[serde(with = "deltas")]
    pub samples: Vec<SampleId>,
    /// What was there.
    pub before: Values,
    /// What is there now.
    pub after: Values,
}

/// One step that a user made, and can undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What it was, in words.
    pub words: String,
    /// What was asked for, as JSON: an operation without the samples that it names, which its parts have. `None` where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether it was made by a release of the first format, which showed classes that have names by their numbers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_format: bool,
    /// Its parts, in the order they are applied.
    pub changes: Vec<Change>,
}

impl Edit {
    /// An edit of several parts; `None` where no part changes anything.
    pub fn new(words: impl Into<String>, changes: impl IntoIterator<Item = Change>) -> Option<Self> {
        let changes: Vec<Change> = changes.into_iter().collect();
        (!changes.is_empty()).then(|| Self { words: words.into(), operation: None, first_format: false, changes })
    }

    /// The same, with what was asked for.
    pub fn by(self, operation: String) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// Every sample it touches, in the order of its parts.
    pub fn samples(&self) -> impl Iterator<Item = SampleId> + '_ {
        self.changes.iter().flat_map(|change| change.samples.iter().copied())
    }

    /// How many samples its largest part touches.
    pub fn count(&self) -> usize {
        let of = |change: &Change| match &change.target {
            Target::Made(batch) => batch.len(),
            Target::Part(part) => part.rows as usize,
            _ => change.samples.len(),
        };
        self.changes.iter().map(of).max().unwrap_or(0)
    }

    /// How many samples it makes, or brings.
    pub fn makes(&self) -> usize {
        let of = |change: &Change| match &change.target {
            Target::Made(batch) => batch.len(),
            Target::Part(part) => part.rows as usize,
            _ => 0,
        };
        self.changes.iter().map(of).sum()
    }

    /// The parts that it adds.
    pub fn parts(&self) -> impl Iterator<Item = &PartSource> {
        self.changes.iter().filter_map(|change| match &change.target {
            Target::Part(part) => Some(part),
            _ => None,
        })
    }

    /// Applies it, or its inverse, in O(samples touched).
    pub fn apply(&self, dataset: &mut Dataset, direction: Direction) {
        match direction {
            Direction::Forward => self.changes.iter().for_each(|change| change.apply(dataset, direction)),
            Direction::Back => self.changes.iter().rev().for_each(|change| change.apply(dataset, direction)),
        }
    }
}

impl Change {
    /// Sets cells of a column, leaving out those that have the value already.
    ///
    /// # Errors
    /// An unknown column, a sample out of range, a value that does not fit.
    pub fn cells<'v>(
        dataset: &Dataset,
        column: &str,
        samples: impl IntoIterator<Item = (SampleId, Option<&'v str>)>,
    ) -> Result<Option<Self>, EditError> {
        let field = dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
        let (mut ids, mut before, mut after) = (Vec::new(), Collector::default(), Collector::default());
        let mut checked: Option<Option<&str>> = None;
        // What parents are set to: a child that is set to the same goes on reading through.
        let mut parents: HashMap<SampleId, Option<&str>> = HashMap::new();
        let samples = samples.into_iter();
        let samples: Box<dyn Iterator<Item = (SampleId, Option<&'v str>)>> = if dataset.made() == 0 {
            Box::new(samples)
        } else {
            let list: Vec<(SampleId, Option<&'v str>)> = samples.collect();
            parents.extend(list.iter().copied());
            Box::new(list.into_iter())
        };
        for (id, value) in samples {
            check_sample(dataset, id)?;
            if let Some(origins) = dataset.origins(id) {
                // A made sample is in its parent's part, always.
                if dataset.fields()[field].role == Role::Split {
                    continue;
                }
                let own = dataset.edited(field, id);
                let parent = parents.get(&origins.parent).copied();
                let inherits = match parent {
                    Some(planned) => planned == value,
                    None => dataset.unedited(field, id).as_deref() == value,
                };
                if if inherits { own.is_none() } else { own == Some(value) } {
                    continue;
                }
                check_value(dataset, field, value)?;
                ids.push(id);
                before.push(own.unwrap_or(Some(INHERITED)));
                after.push(if inherits { Some(INHERITED) } else { value });
                continue;
            }
            let old = dataset.text(field, id);
            if old.as_deref() == value {
                continue;
            }
            if checked != Some(value) {
                check_value(dataset, field, value)?;
                checked = Some(value);
            }
            ids.push(id);
            before.push(old.as_deref());
            after.push(value);
        }
        let target = Target::Cells(column.to_owned());
        Ok((!ids.is_empty()).then(|| Self { target, samples: ids, before: before.finish(), after: after.finish() }))
    }

    /// Fills a column that is about to be added, so that there is nothing before.
    pub fn fill<'v>(column: &str, values: impl IntoIterator<Item = (SampleId, &'v str)>) -> Self {
        let (mut samples, mut after) = (Vec::new(), Collector::default());
        for (id, value) in values {
            samples.push(id);
            after.push(Some(value));
        }
        Self { target: Target::Cells(column.to_owned()), samples, before: Values::same(None), after: after.finish() }
    }

    /// Adds a column of null cells.
    ///
    /// # Errors
    /// The name is taken.
    pub fn add_column(dataset: &Dataset, name: &str, kind: Kind, role: Role) -> Result<Self, EditError> {
        if dataset.field(name).is_some() {
            return Err(EditError::Taken(name.to_owned()));
        }
        let after = Values::same(Some(&format!("{}/{role}", kind.name())));
        Ok(Self { target: Target::Column(name.to_owned()), samples: Vec::new(), before: Values::same(None), after })
    }

    /// Adds samples made from others; cells of theirs are planned on a dataset that has them ([`Dataset::add_made`] on a clone).
    ///
    /// # Errors
    /// A parent out of range, or lists that do not fit each other.
    pub fn made(dataset: &Dataset, batch: Batch) -> Result<Self, EditError> {
        let source = dataset.extent();
        if let Some(id) = batch.parents.iter().chain(&batch.others).find(|id| id.row() >= source || dataset.is_made(**id)) {
            return Err(EditError::Sample { row: u64::from(id.0), rows: source });
        }
        if batch.first.row() != dataset.rows() || !batch.is_sound(source) {
            return Err(EditError::Sample { row: u64::from(batch.first.0), rows: dataset.rows() });
        }
        let samples = batch.parents.iter().chain(&batch.others).copied().collect();
        Ok(Self { target: Target::Made(batch), samples, before: Values::same(None), after: Values::same(Some("on")) })
    }

    /// Adds the samples of another source behind all there are; `None` where it has none. What was read of it is known ([`Dataset::know`]).
    ///
    /// # Errors
    /// It is not known, has other rows than it says, does not begin behind all samples, or would make too many.
    pub fn part(dataset: &Dataset, part: PartSource) -> Result<Option<Self>, EditError> {
        let unknown = || EditError::Part { path: part.path.clone(), reason: "it was not read".to_owned() };
        let base = dataset.known(part.key()).filter(|base| base.rows == part.rows as usize).ok_or_else(unknown)?;
        if part.first.row() != dataset.rows() {
            return Err(EditError::Sample { row: u64::from(part.first.0), rows: dataset.rows() });
        }
        if u32::try_from(dataset.rows() + base.rows).is_ok_and(|rows| rows < u32::MAX) {
            let some = base.rows > 0;
            let (before, after) = (Values::same(None), Values::same(Some("on")));
            return Ok(some.then(|| Self { target: Target::Part(part), samples: Vec::new(), before, after }));
        }
        Err(EditError::Part { path: part.path, reason: "together they are more samples than a dataset can have".to_owned() })
    }

    /// Sets a mark (excluded, reviewed, a tag) on samples, leaving out those that have it so already. What was made of a sample is excluded with
    /// it, and comes back with it.
    ///
    /// # Errors
    /// A sample out of range.
    pub fn mark(
        dataset: &Dataset,
        target: Target,
        samples: impl IntoIterator<Item = SampleId>,
        on: bool,
    ) -> Result<Option<Self>, EditError> {
        let mut ids: Vec<SampleId> = Vec::new();
        let mut asked: Vec<SampleId> = samples.into_iter().collect();
        if target == Target::Excluded {
            let children: Vec<SampleId> = asked.iter().flat_map(|id| dataset.children(*id)).copied().collect();
            if !children.is_empty() {
                asked.extend(children);
                asked.sort_unstable();
                asked.dedup();
            }
        }
        for id in asked {
            check_sample(dataset, id)?;
            let has = match &target {
                Target::Excluded => dataset.is_excluded(id),
                Target::Reviewed => dataset.is_reviewed(id),
                Target::Tag(tag) => dataset.has_tag(tag, id),
                _ => on,
            };
            if has != on {
                ids.push(id);
            }
        }
        let (before, after) = (Values::same((!on).then_some("on")), Values::same(on.then_some("on")));
        Ok((!ids.is_empty()).then_some(Self { target, samples: ids, before, after }))
    }

    /// The change that takes it back.
    pub fn inverse(&self) -> Self {
        Self { before: self.after.clone(), after: self.before.clone(), ..self.clone() }
    }

    /// Whether another change is about something that this one, on `samples`, is about: then it cannot be taken back by itself.
    pub fn meets(&self, other: &Self, samples: &HashSet<SampleId>) -> bool {
        let named = |target: &Target| match target {
            Target::Cells(name) | Target::Column(name) | Target::Role(name) | Target::Kind(name) => Some(name.clone()),
            _ => None,
        };
        match (&self.target, &other.target) {
            // Samples that were made are counted on by everything after them.
            (Target::Made(_) | Target::Part(_), _) => true,
            (Target::Column(_) | Target::Role(_) | Target::Kind(_), _) => named(&self.target) == named(&other.target),
            (Target::Property(..), _) => self.target == other.target,
            (mine, theirs) => mine == theirs && other.samples.iter().any(|id| samples.contains(id)),
        }
    }

    /// Says what a column means; `None` where it means that already.
    ///
    /// # Errors
    /// An unknown column.
    pub fn role(dataset: &Dataset, column: &str, role: Role) -> Result<Option<Self>, EditError> {
        let field = dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
        let old = dataset.fields()[field].role;
        Ok((old != role).then(|| Self::property(Target::Role(column.to_owned()), &old.to_string(), &role.to_string())))
    }

    /// Says how a column is read; `None` where it is read so already.
    ///
    /// # Errors
    /// An unknown column; a column of a typed source, whose type is its own.
    pub fn kind(dataset: &Dataset, column: &str, kind: Kind) -> Result<Option<Self>, EditError> {
        let field = dataset.field(column).ok_or_else(|| EditError::Column(column.to_owned()))?;
        let old = dataset.fields()[field].kind;
        Ok((old != kind).then(|| Self::property(Target::Kind(column.to_owned()), old.name(), kind.name())))
    }

    /// Sets a property, or takes it away; `None` where it is so already.
    pub fn said(dataset: &Dataset, property: Property, of: &[&str], value: Option<&str>) -> Option<Self> {
        let old = dataset.properties().get(property, of);
        let of = of.iter().map(|word| (*word).to_owned()).collect();
        let target = Target::Property(property.name().to_owned(), of);
        (old != value).then(|| Self { target, samples: Vec::new(), before: Values::same(old), after: Values::same(value) })
    }

    fn property(target: Target, before: &str, after: &str) -> Self {
        Self { target, samples: Vec::new(), before: Values::same(Some(before)), after: Values::same(Some(after)) }
    }

    /// Applies the change, or its inverse. A column that is gone is passed over: the change that added it is too.
    pub fn apply(&self, dataset: &mut Dataset, direction: Direction) {
        let values = match direction {
            Direction::Forward => &self.after,
            Direction::Back => &self.before,
        };
        let on = |at| values.get(at).is_some();
        match &self.target {
            Target::Cells(column) => {
                let Some(field) = dataset.field(column) else { return };
                for (at, id) in self.samples.iter().enumerate() {
                    match values.get(at) {
                        Some(INHERITED) => dataset.clear_cell(field, *id),
                        value => dataset.set_cell(field, *id, value),
                    }
                }
            }
            Target::Column(name) => match values.get(0).and_then(|text| text.split_once('/')) {
                Some((kind, role)) => dataset.add_field(
                    name,
                    Kind::from_name(kind).unwrap_or(Kind::Text),
                    Role::from_name(role).unwrap_or(Role::Other),
                ),
                None => dataset.remove_field(name),
            },
            Target::Role(column) => {
                if let Some((field, role)) = dataset.field(column).zip(values.get(0).and_then(Role::from_name)) {
                    dataset.set_role(field, role);
                }
            }
            Target::Kind(column) => {
                if let Some((field, kind)) = dataset.field(column).zip(values.get(0).and_then(Kind::from_name)) {
                    dataset.set_kind(field, kind);
                }
            }
            Target::Excluded => self.samples.iter().enumerate().for_each(|(at, id)| dataset.set_excluded(*id, on(at))),
            Target::Reviewed => self.samples.iter().enumerate().for_each(|(at, id)| dataset.set_reviewed(*id, on(at))),
            Target::Made(batch) => match direction {
                Direction::Forward => dataset.add_made(batch.clone()),
                Direction::Back => dataset.remove_made(),
            },
            Target::Part(part) => match direction {
                Direction::Forward => dataset.add_part(part),
                Direction::Back => dataset.remove_part(),
            },
            Target::Tag(tag) => self.samples.iter().enumerate().for_each(|(at, id)| dataset.set_tag(tag, *id, on(at))),
            Target::Property(name, of) => {
                if let Some(property) = Property::from_name(name) {
                    dataset.set_property(property, of, values.get(0));
                }
            }
        }
    }
}

fn check_sample(dataset: &Dataset, id: SampleId) -> Result<(), EditError> {
    if id.row() < dataset.rows() {
        return Ok(());
    }
    Err(EditError::Sample { row: u64::from(id.0), rows: dataset.rows() })
}

fn check_value(dataset: &Dataset, field: usize, value: Option<&str>) -> Result<(), EditError> {
    let Some(text) = value else { return Ok(()) };
    let column = &dataset.fields()[field];
    let fits = match column.source {
        Some(source) => dataset.base.columns[source].accepts(column.kind, text),
        None => column.kind.accepts(text),
    };
    if fits {
        return Ok(());
    }
    let kind = column.kind.name().to_owned();
    Err(EditError::Value { column: column.name.to_string(), kind, value: text.to_owned() })
}

/// Samples as differences from one to the next: small numbers, which the encoding stores in one byte.
mod deltas {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::data::SampleId;

    pub fn serialize<S: Serializer>(ids: &[SampleId], serializer: S) -> Result<S::Ok, S::Error> {
        let mut last = 0_i64;
        let steps: Vec<i64> = ids
            .iter()
            .map(|id| {
                let step = i64::from(id.0) - last;
                last = i64::from(id.0);
                step
            })
            .collect();
        steps.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SampleId>, D::Error> {
        let mut last = 0_i64;
        Vec::<i64>::deserialize(deserializer)?
            .into_iter()
            .map(|step| {
                last = last.checked_add(step).ok_or_else(|| serde::de::Error::custom("sample out of range"))?;
                u32::try_from(last).map(SampleId).map_err(serde::de::Error::custom)
            })
            .collect()
    }
}
