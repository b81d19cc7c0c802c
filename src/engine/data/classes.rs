//! The classes of a label column: which there are, how many samples each has, and which each sample has.
//!
//! Built once for a column, off the screen's thread, then kept current by [`ClassIndex::update`] in O(edit).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::chunked::Chunked;
use super::dataset::Dataset;
use super::ids::{SampleId, SampleSet};
use super::properties::{Properties, Property};
use super::schema::{Kind, Role};
use crate::job::{Cancelled, Progress};

/// The classes that a cell's text names: one, several (a list, or separated text), or none for null and empty text.
pub fn classes_of(text: Option<Cow<'_, str>>, kind: Kind, role: Role) -> Vec<String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Vec::new() };
    match (kind, role) {
        (Kind::List, _) => match serde_json::from_str::<Vec<serde_json::Value>>(&text) {
            Ok(items) => unique(items.into_iter().map(|item| match item {
                serde_json::Value::String(name) => name,
                other => other.to_string(),
            })),
            Err(_) => vec![text.into_owned()],
        },
        (_, Role::Labels(separator)) => {
            unique(text.split(separator).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()))
        }
        _ => vec![text.into_owned()],
    }
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

#[derive(Clone)]
enum Codes {
    One(Chunked<u32>),
    Many(Chunked<Arc<[u32]>>),
}

/// Codes as they are read, of one chunk of rows.
enum ReadCodes {
    One(Vec<u32>),
    Many(Vec<Box<[u32]>>),
}

const NONE: u32 = u32::MAX;

/// Imbalance of a class distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evenness {
    /// Samples of the largest class divided by those of the smallest that has any; 1 where there is none.
    pub ratio: f64,
    /// Shannon entropy divided by its largest possible value, 0 to 1 (Pielou's evenness); 1 for one class.
    pub evenness: f64,
    /// The effective number of classes: `exp` of the Shannon entropy (Hill number of order 1).
    pub effective: f64,
}

impl Evenness {
    /// The imbalance of these counts; classes without samples are left out.
    #[allow(clippy::cast_precision_loss)]
    pub fn of(counts: &[u64]) -> Self {
        let counts: Vec<f64> = counts.iter().filter(|count| **count > 0).map(|count| *count as f64).collect();
        let total: f64 = counts.iter().sum();
        if counts.is_empty() {
            return Self { ratio: 1.0, evenness: 1.0, effective: 0.0 };
        }
        let entropy: f64 = counts.iter().map(|count| count / total).map(|share| -share * share.ln()).sum();
        let largest = counts.iter().copied().fold(0.0, f64::max);
        let smallest = counts.iter().copied().fold(f64::INFINITY, f64::min);
        let evenness = if counts.len() > 1 { entropy / (counts.len() as f64).ln() } else { 1.0 };
        Self { ratio: largest / smallest, evenness, effective: entropy.exp() }
    }
}

/// The classes of one label column.
#[derive(Clone)]
pub struct ClassIndex {
    names: Arc<Vec<Arc<str>>>,
    counts: Vec<u64>,
    lookup: Arc<HashMap<Arc<str>, u32>>,
    codes: Codes,
    excluded: Arc<SampleSet>,
    kind: Kind,
    role: Role,
    faces: Arc<Faces>,
}

/// How classes are shown: in which order, and in which colours. Nothing that is counted or learned depends on it.
#[derive(Debug, Default, PartialEq)]
struct Faces {
    /// Every class there was when somebody ordered them, in that order; empty where nobody did.
    order: Vec<u32>,
    /// The colours that somebody chose.
    hues: HashMap<u32, usize>,
}

const CHUNK: usize = 65_536;

impl ClassIndex {
    /// Reads the classes of column `field`. Classes are ordered by name, numbers by value.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn build(dataset: &Dataset, field: usize, progress: &Progress) -> Result<Self, Cancelled> {
        let (kind, role) = (dataset.fields()[field].kind, dataset.fields()[field].role);
        let rows = dataset.rows();
        progress.set_total(rows as u64);
        let many = kind == Kind::List || matches!(role, Role::Labels(_));
        let chunks: Vec<(Vec<String>, ReadCodes)> = (0..rows.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(rows);
                progress.step(range.len() as u64)?;
                Ok(Self::read(dataset, field, range, many, kind, role))
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut names: Vec<&String> = chunks.iter().flat_map(|(names, _)| names).collect();
        names.sort_unstable_by(|a, b| order(a, b));
        names.dedup();
        let names = if dataset.fields()[field].is_edited() {
            let current: Vec<&str> = names.into_iter().map(String::as_str).collect();
            lasting(dataset, field, &current, many)
        } else {
            names.into_iter().map(|name| Arc::from(name.as_str())).collect()
        };
        let lookup: HashMap<Arc<str>, u32> = names.iter().cloned().zip(0..).collect();
        let (mut one, mut several) = (Vec::new(), Vec::new());
        for (local, chunk) in chunks {
            let global: Vec<u32> = local.iter().map(|name| lookup[name.as_str()]).collect();
            let map = |code: &u32| global.get(*code as usize).copied().unwrap_or(NONE);
            match chunk {
                ReadCodes::One(part) => one.extend(part.iter().map(map)),
                ReadCodes::Many(part) => several.extend(part.iter().map(|list| list.iter().map(map).collect::<Arc<[u32]>>())),
            }
        }
        let codes = if many { Codes::Many(Chunked::of(Arc::from([]), several)) } else { Codes::One(Chunked::of(NONE, one)) };
        let counts = vec![0; names.len()];
        let (names, lookup, excluded) = (Arc::new(names), Arc::new(lookup), Arc::new(dataset.excluded().clone()));
        let mut index = Self { names, counts, lookup, codes, excluded, kind, role, faces: Arc::default() };
        index.follow_properties(&dataset.fields()[field].name, dataset.properties());
        index.counts = index.count(dataset.samples().filter(|id| !dataset.is_excluded(*id)));
        Ok(index)
    }

    fn read(
        dataset: &Dataset,
        field: usize,
        range: std::ops::Range<usize>,
        many: bool,
        kind: Kind,
        role: Role,
    ) -> (Vec<String>, ReadCodes) {
        let mut names = Vec::new();
        let mut seen: HashMap<String, u32, RandomState> = HashMap::default();
        let mut code = |name: &str| {
            if let Some(code) = seen.get(name) {
                return *code;
            }
            let code = u32::try_from(names.len()).unwrap_or(NONE);
            names.push(name.to_owned());
            seen.insert(name.to_owned(), code);
            code
        };
        let ids = range.map(SampleId::at);
        let codes = if many {
            ReadCodes::Many(
                ids.map(|id| {
                    classes_of(dataset.text(field, id), kind, role).iter().map(|name| code(name)).collect::<Box<[u32]>>()
                })
                .collect(),
            )
        } else {
            ReadCodes::One(
                ids.map(|id| dataset.text(field, id).filter(|text| !text.is_empty()).map_or(NONE, |text| code(&text))).collect(),
            )
        };
        (names, codes)
    }

    /// Takes in samples that were made, and lets go of those that are not there any more.
    pub fn follow_rows(&mut self, dataset: &Dataset, field: usize) {
        let known = match &self.codes {
            Codes::One(codes) => codes.len(),
            Codes::Many(codes) => codes.len(),
        };
        for row in (dataset.rows()..known).rev() {
            let id = SampleId::at(row);
            if !Arc::make_mut(&mut self.excluded).set(id, false) {
                for class in self.of(id).to_vec() {
                    self.counts[class as usize] -= 1;
                }
            }
        }
        match &mut self.codes {
            Codes::One(codes) => codes.fit(dataset.rows()),
            Codes::Many(codes) => codes.fit(dataset.rows()),
        }
        for row in known..dataset.rows() {
            self.update(dataset, field, SampleId::at(row));
        }
    }

    /// Brings sample `id` up to date after an edit; a class seen for the first time is added at the end.
    pub fn update(&mut self, dataset: &Dataset, field: usize, id: SampleId) {
        let row = id.row();
        if !self.excluded.contains(id) {
            for class in self.of(id).to_vec() {
                self.counts[class as usize] -= 1;
            }
        }
        let names = classes_of(dataset.text(field, id), self.kind, self.role);
        let now: Vec<u32> = names.iter().map(|name| self.class_or_new(name)).collect();
        if self.excluded.contains(id) != dataset.is_excluded(id) {
            Arc::make_mut(&mut self.excluded).set(id, dataset.is_excluded(id));
        }
        if !dataset.is_excluded(id) {
            for class in &now {
                self.counts[*class as usize] += 1;
            }
        }
        match &mut self.codes {
            Codes::One(codes) => codes.set(row, now.first().copied().unwrap_or(NONE)),
            Codes::Many(codes) => codes.set(row, now.into()),
        }
    }

    /// Gives a class another name that none has: it stays the same class, in its place.
    pub fn rename(&mut self, from: &str, to: &str) {
        if self.lookup.contains_key(to) {
            return;
        }
        let lookup = Arc::make_mut(&mut self.lookup);
        if let Some(class) = lookup.remove(from) {
            let name: Arc<str> = to.into();
            Arc::make_mut(&mut self.names)[class as usize] = Arc::clone(&name);
            lookup.insert(name, class);
        }
    }

    /// Takes in how somebody wants the classes of this column to be shown.
    pub fn follow_properties(&mut self, column: &str, said: &Properties) {
        let mut faces = Faces::default();
        let named = said.list(Property::ClassOrder, &[column]);
        if !named.is_empty() {
            let mut left: Vec<bool> = vec![true; self.names.len()];
            let first: Vec<u32> = named.iter().filter_map(|name| self.lookup.get(name.as_str()).copied()).collect();
            for class in first {
                if std::mem::take(&mut left[class as usize]) {
                    faces.order.push(class);
                }
            }
            faces.order.extend((0..).zip(&left).filter(|(_, left)| **left).map(|(class, _)| class));
        }
        for (of, value) in said.all(Property::ClassColour) {
            if let ([of, name], Ok(hue)) = (of, value.parse())
                && of == column
                && let Some(class) = self.lookup.get(name.as_str())
            {
                faces.hues.insert(*class, hue);
            }
        }
        if *self.faces != faces {
            self.faces = Arc::new(faces);
        }
    }

    /// Every class in the order that it is shown in: as somebody has ordered them, else as they are.
    pub fn in_order(&self) -> impl Iterator<Item = usize> + '_ {
        let known = self.faces.order.len();
        self.faces.order.iter().map(|class| *class as usize).chain(known..self.names.len())
    }

    /// Which of the colours of classes a class has, from 0 on: its own for ever, unless somebody chose another.
    pub fn hue(&self, class: usize) -> usize {
        if self.faces.hues.is_empty() {
            return class;
        }
        u32::try_from(class).ok().and_then(|class| self.faces.hues.get(&class).copied()).unwrap_or(class)
    }

    /// Whether so many samples have a class, excluded ones counted.
    pub fn has_just(&self, class: usize, samples: usize) -> bool {
        // Most classes have far more, and that is known without looking.
        self.counts[class] <= samples as u64 && self.with_excluded(class) == samples
    }

    fn with_excluded(&self, class: usize) -> usize {
        let class = u32::try_from(class).unwrap_or(NONE);
        match &self.codes {
            Codes::One(codes) => codes.iter().filter(|code| **code == class).count(),
            Codes::Many(codes) => codes.iter().filter(|list| list.contains(&class)).count(),
        }
    }

    fn class_or_new(&mut self, name: &str) -> u32 {
        if let Some(class) = self.lookup.get(name) {
            return *class;
        }
        let class = u32::try_from(self.names.len()).unwrap_or(NONE);
        let name: Arc<str> = name.into();
        Arc::make_mut(&mut self.names).push(Arc::clone(&name));
        self.counts.push(0);
        Arc::make_mut(&mut self.lookup).insert(name, class);
        class
    }

    /// How many samples of `ids` each class has.
    pub fn count(&self, ids: impl Iterator<Item = SampleId>) -> Vec<u64> {
        let mut counts = vec![0; self.names.len()];
        match &self.codes {
            Codes::One(codes) => {
                let mut codes = codes.in_order();
                for id in ids {
                    // What has no class has a code beyond all.
                    if let Some(count) = codes.get(id.row()).and_then(|class| counts.get_mut(*class as usize)) {
                        *count += 1;
                    }
                }
            }
            Codes::Many(codes) => {
                let mut codes = codes.in_order();
                for class in ids.filter_map(|id| codes.get(id.row())).flat_map(|of| of.iter()) {
                    counts[*class as usize] += 1;
                }
            }
        }
        counts
    }

    /// The classes of sample `id`, as places in [`ClassIndex::names`].
    pub fn of(&self, id: SampleId) -> &[u32] {
        match &self.codes {
            Codes::One(codes) => match codes.get(id.row()) {
                Some(code) if *code != NONE => std::slice::from_ref(code),
                _ => &[],
            },
            Codes::Many(codes) => codes.get(id.row()).map_or(&[], |list| list),
        }
    }

    /// The classes' names. A class keeps its place for as long as the index lives.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Samples per class, excluded ones left out; a class may have none after edits.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many classes have samples.
    pub fn used(&self) -> usize {
        self.counts.iter().filter(|count| **count > 0).count()
    }

    /// The place of the class called `name`.
    pub fn class(&self, name: &str) -> Option<usize> {
        self.lookup.get(name).map(|class| *class as usize)
    }

    /// Whether samples may have several classes.
    pub fn is_many(&self) -> bool {
        matches!(self.codes, Codes::Many(_))
    }

    /// The imbalance of the whole.
    pub fn balance(&self) -> Evenness {
        Evenness::of(&self.counts)
    }
}

/// The class that the key of a digit gives: where digits name all the classes, as with handwritten numbers, the one of that name;
/// else the `digit`th of `offered`, counted from 1.
pub fn class_by_digit(names: &[Arc<str>], digit: usize, offered: impl IntoIterator<Item = usize>) -> Option<usize> {
    if are_digits(names) {
        return names.iter().position(|name| name.parse() == Ok(digit));
    }
    offered.into_iter().nth(digit.checked_sub(1)?)
}

/// What stands on the key that gives `names[class]`, the `place`th offered, counted from 0: see [`class_by_digit`]. The tenth has none.
pub fn digit_of_class(names: &[Arc<str>], class: usize, place: usize) -> Option<String> {
    if are_digits(names) { Some(names[class].to_string()) } else { (place < 9).then(|| (place + 1).to_string()) }
}

fn are_digits(names: &[Arc<str>]) -> bool {
    names.iter().all(|name| name.len() == 1 && name.as_bytes()[0].is_ascii_digit())
}

/// The classes of a column that was edited, each in the place that it has for ever: those of the source come first, by name, with or without
/// samples; a class that all samples of one of them were renamed to has that one's place; what edits brought follows in the order of its
/// coming.
fn lasting(dataset: &Dataset, field: usize, current: &[&str], many: bool) -> Vec<Arc<str>> {
    let column = &dataset.fields()[field];
    let (kind, role) = (column.kind, column.role);
    let mut source: HashSet<String> = HashSet::new();
    let mut heirs: HashMap<String, Option<String>> = HashMap::new();
    for id in dataset.samples() {
        let was = classes_of(dataset.source_text(field, id), kind, role);
        if !many
            && let (Some(was), Some(Some(now))) = (was.first(), dataset.edited(field, id))
            && was != now
        {
            // Of samples that came from several classes, none is the one.
            heirs
                .entry(now.to_owned())
                .and_modify(|one| {
                    if one.as_ref() != Some(was) {
                        *one = None;
                    }
                })
                .or_insert_with(|| Some(was.clone()));
        }
        source.extend(was);
    }
    let mut names: Vec<String> = source.iter().cloned().collect();
    names.sort_unstable_by(|a, b| order(a, b));
    let live: HashSet<&str> = current.iter().copied().collect();
    let mut heired: Vec<(&String, &String)> = heirs.iter().filter_map(|(now, was)| was.as_ref().map(|was| (now, was))).collect();
    heired.sort_unstable();
    for (now, was) in heired {
        if !source.contains(now)
            && live.contains(now.as_str())
            && !live.contains(was.as_str())
            && let Some(place) = names.iter().position(|name| name == was)
        {
            names[place].clone_from(now);
        }
    }
    let known: HashSet<String> = names.iter().cloned().collect();
    let brought = dataset.edited_texts(field).iter().flat_map(|text| classes_of(Some(Cow::Borrowed(&**text)), kind, role));
    let mut seen = known;
    for name in brought.chain(current.iter().map(|name| (*name).to_owned())) {
        if live.contains(name.as_str()) && seen.insert(name.clone()) {
            names.push(name);
        }
    }
    names.into_iter().map(Arc::from).collect()
}

fn order(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imbalance_of_known_distributions() {
        let even = Evenness::of(&[10, 10, 10, 10, 0]);
        assert!((even.ratio - 1.0).abs() < 1e-12 && (even.evenness - 1.0).abs() < 1e-12);
        assert!((even.effective - 4.0).abs() < 1e-9);
        let skewed = Evenness::of(&[90, 10]);
        assert!((skewed.ratio - 9.0).abs() < 1e-12);
        assert!((skewed.evenness - 0.468_995_593_589_281).abs() < 1e-12);
        assert!((Evenness::of(&[7]).evenness - 1.0).abs() < 1e-12);
        assert!((Evenness::of(&[]).effective).abs() < 1e-12);
    }

    #[test]
    fn a_digit_gives_the_class_of_its_name_or_of_its_place() {
        let names = |list: &[&str]| list.iter().map(|name| Arc::from(*name)).collect::<Vec<Arc<str>>>();
        let digits = names(&["0", "1", "3"]);
        assert_eq!([0, 1, 2, 3].map(|digit| class_by_digit(&digits, digit, [2, 1])), [Some(0), Some(1), None, Some(2)]);
        assert_eq!(digit_of_class(&digits, 2, 0).as_deref(), Some("3"));
        let words = names(&["0", "1", "10", "x"]);
        assert_eq!([0, 1, 2, 3].map(|digit| class_by_digit(&words, digit, [2, 1])), [None, Some(2), Some(1), None]);
        assert_eq!(digit_of_class(&words, 2, 0).as_deref(), Some("1"));
        assert_eq!(digit_of_class(&words, 2, 9), None);
    }

    #[test]
    fn a_label_may_be_several() {
        let list = |text: &'static str| classes_of(Some(text.into()), Kind::List, Role::Label);
        assert_eq!(list(r#"["a", "b", "a", 3]"#), ["a", "b", "3"]);
        assert_eq!(classes_of(Some("x; y;;x".into()), Kind::Text, Role::Labels(';')), ["x", "y"]);
        assert!(classes_of(None, Kind::Text, Role::Label).is_empty());
    }
}
