//! The map: every sample a point in the plane, near to what it is like. First by principal components, then laid out by neighbours, with groups named by their words.

use std::sync::Arc;

use super::Workspace;
use super::asked::{Need, News, Wants};
use super::checking::Checking;
use crate::chance::Chance;
use crate::data::{ClassIndex, Dataset, Role, SampleId};
use crate::derive::{Artifact, Key, Store, TextOf, embedding, embedding_key};
use crate::io::{Meaning, MeaningError};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};
use crate::learn::dense::Dense;
use crate::learn::layout::{PlanePoint, layout, layout_steps, principal};
use crate::learn::neighbours::nearest_of;
use crate::learn::telling::telling;

/// Up to so many rows all are laid out; of more, so many, and the others go to those that they are like.
const LAID: usize = 20_000;
/// Neighbours that pull at a row, and those that place one that was not laid out.
const NEIGHBOURS: usize = 15;
const PLACED_BY: usize = 3;
/// Groups that are named, and texts that are read for their words.
const GROUPS: usize = 9;
const READ: usize = 20_000;
const WORDS: usize = 3;
/// A word that one in so many texts has names no group.
const COMMON: usize = 14;
/// A group of which more than this part is of one class has its name.
const MAINLY: f64 = 0.6;
const SEED: u64 = 42;

/// Samples in the plane.
#[derive(Debug, Default)]
pub struct SampleMap {
    /// One a row of the source.
    pub places: Vec<PlanePoint>,
    /// Whether they were laid out by neighbours, or stand as their principal components have them.
    pub laid: bool,
    /// Groups: where their middle is, and their words.
    pub names: Vec<(PlanePoint, String)>,
    low: PlanePoint,
    high: PlanePoint,
}

impl SampleMap {
    /// The lowest and the highest place.
    pub fn extent(&self) -> (PlanePoint, PlanePoint) {
        (self.low, self.high)
    }

    fn new(places: Vec<PlanePoint>, laid: bool, names: Vec<(PlanePoint, String)>) -> Self {
        let pick = |better: fn(f32, f32) -> f32, from: f32| {
            [0, 1].map(|axis| places.iter().map(|place: &PlanePoint| place[axis]).fold(from, better))
        };
        let (low, high) = (pick(f32::min, f32::INFINITY), pick(f32::max, f32::NEG_INFINITY));
        Self { places, laid, names, low, high }
    }
}

impl Artifact for SampleMap {
    fn bytes(&self) -> usize {
        self.places.len() * 8
    }
}

/// The map that is shown.
pub struct Mapping {
    /// As it is at once, and as it is laid out.
    first: Slot<Key, Arc<SampleMap>>,
    whole: Slot<Key, Arc<SampleMap>>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self { first: Slot::new("map", Lane::Learning), whole: Slot::new("layout", Lane::Learning) }
    }
}

/// What the map is made of: the key of the embedding, of pictures by how they look.
fn question(dataset: &Dataset) -> Option<Key> {
    let key = embedding_key(dataset, &Meaning::BuiltIn)?;
    Some(Key { what: "map", versions: key.versions })
}

impl Mapping {
    pub fn slots(&self) -> [&dyn AnySlot; 2] {
        [&self.first, &self.whole]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 2] {
        [&mut self.first, &mut self.whole]
    }

    /// The best map that there is of the data as they are; else that of before.
    pub fn map(&self, dataset: &Dataset) -> Option<&Arc<SampleMap>> {
        let key = question(dataset);
        let now = key.as_ref().and_then(|key| self.whole.answer_to(key).or_else(|| self.first.answer_to(key)));
        now.or_else(|| self.whole.answer()).or_else(|| self.first.answer())
    }

    /// Takes in what has come, and asks for what is missing.
    pub fn work(&mut self, workspace: &Workspace, checking: &Checking, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        for came in [self.first.take(desk), self.whole.take(desk)] {
            if let Some(Came::Failed(why)) = came {
                news.push(News::Failed("map", why));
            }
        }
        let dataset = workspace.dataset();
        let Some(key) = question(dataset).filter(|_| wants.needs(Need::Map)) else { return };
        // Pictures are compared by what was seen of them.
        let looks = checking.scan(dataset).map(|scan| Arc::clone(&scan.appearance));
        if dataset.pictures().is_some() && looks.is_none() {
            return;
        }
        if self.first.needs(&key) {
            let (snapshot, store, looks) = (dataset.clone(), Arc::clone(workspace.derived()), looks.clone());
            self.first.ask(desk, key.clone(), "Drawing the map", move |progress| {
                let rows = rows_of(&snapshot, looks, &store, progress)?;
                Ok(Arc::new(SampleMap::new(principal(&rows, progress)?, false, Vec::new())))
            });
        }
        let Some(begin) = self.first.answer_to(&key).cloned() else { return };
        if self.whole.needs(&key) {
            let (snapshot, store) = (dataset.clone(), Arc::clone(workspace.derived()));
            let place = key.clone();
            self.whole.ask(desk, key, "Laying out the map", move |progress| {
                let make = || -> Result<SampleMap, JobError> {
                    let rows = rows_of(&snapshot, looks, &store, progress)?;
                    let places = laid_out(&rows, &begin.places, progress)?;
                    let names = names_of(&snapshot, &places, progress)?;
                    Ok(SampleMap::new(places, true, names))
                };
                store.get(place, progress, make)
            });
        }
    }
}

fn rows_of(dataset: &Dataset, looks: Option<Arc<Dense>>, store: &Store, progress: &Progress) -> Result<Arc<Dense>, JobError> {
    if let Some(looks) = looks {
        return Ok(looks);
    }
    let text = TextOf::of(dataset, None).map_err(|why| JobError::Failed(why.to_string()))?;
    embedding(dataset, &text, &Meaning::BuiltIn, store, None, progress).map_err(|why| match why {
        MeaningError::Cancelled => JobError::Cancelled,
        other => JobError::Failed(other.to_string()),
    })
}

/// Lays rows out; of very many some, and the others where those are that they are like.
fn laid_out(rows: &Dense, begin: &[PlanePoint], progress: &Progress) -> Result<Vec<PlanePoint>, JobError> {
    let n = begin.len();
    let step = n.div_ceil(LAID).max(1);
    let taken: Vec<u32> = (0..n as u32).step_by(step).collect();
    let mut own = Dense::zeros(taken.len(), rows.dims);
    taken.iter().enumerate().for_each(|(at, row)| own.row_mut(at).copy_from_slice(rows.row(*row as usize)));
    progress.set_total(taken.len() as u64 + layout_steps(taken.len()) + (n - taken.len()) as u64);
    let all: Vec<u32> = (0..taken.len() as u32).collect();
    let near = nearest_of(&own, &all, NEIGHBOURS.min(taken.len().saturating_sub(1)), progress)?;
    let places = layout(taken.iter().map(|row| begin[*row as usize]).collect(), &near, SEED, progress)?;
    if step == 1 {
        return Ok(places);
    }
    // The others are asked in parts behind those that were laid out.
    let mut out = vec![[0.0; 2]; n];
    taken.iter().zip(&places).for_each(|(row, place)| out[*row as usize] = *place);
    let mut chance = Chance::new(SEED);
    let rest: Vec<usize> = (0..n).filter(|row| row % step != 0).collect();
    for part in rest.chunks(16_384) {
        let mut both = Dense::zeros(taken.len() + part.len(), rows.dims);
        both.data[..own.data.len()].copy_from_slice(&own.data);
        part.iter().enumerate().for_each(|(at, row)| both.row_mut(taken.len() + at).copy_from_slice(rows.row(*row)));
        let asked: Vec<u32> = (taken.len() as u32..(taken.len() + part.len()) as u32).collect();
        // Of its neighbours those that were laid out, up to three; others of the part are passed over.
        let near = nearest_of(&both, &asked, PLACED_BY * 4, progress)?;
        for (row, list) in part.iter().zip(&near) {
            let by: Vec<PlanePoint> = list
                .iter()
                .filter(|near| (near.row as usize) < taken.len())
                .take(PLACED_BY)
                .map(|near| places[near.row as usize])
                .collect();
            let middle = |axis: usize| by.iter().map(|place| place[axis]).sum::<f32>() / by.len() as f32;
            let apart = |chance: &mut Chance| chance.within(-0.05, 0.05) as f32;
            out[*row] =
                if by.is_empty() { begin[*row] } else { [middle(0) + apart(&mut chance), middle(1) + apart(&mut chance)] };
        }
    }
    Ok(out)
}

/// The class that most of some samples have; `None` where none has so many.
fn mainly(classes: &ClassIndex, samples: impl Iterator<Item = SampleId>) -> Option<String> {
    let (mut counts, mut all) = (vec![0usize; classes.names().len()], 0usize);
    for id in samples {
        all += 1;
        classes.of(id).iter().for_each(|class| counts[*class as usize] += 1);
    }
    let (class, n) = counts.iter().enumerate().max_by_key(|(_, n)| **n)?;
    (*n as f64 > MAINLY * all as f64).then(|| classes.names()[class].to_string())
}

/// Groups of the plane by k-means, and the words that tell each from the others.
fn names_of(dataset: &Dataset, places: &[PlanePoint], progress: &Progress) -> Result<Vec<(PlanePoint, String)>, JobError> {
    let Ok(text) = TextOf::of(dataset, None) else { return Ok(Vec::new()) };
    if places.len() < GROUPS * 8 {
        return Ok(Vec::new());
    }
    let step = places.len().div_ceil(READ);
    let rows: Vec<usize> = (0..places.len()).step_by(step).collect();
    let away = |a: &PlanePoint, b: &PlanePoint| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    // The next middle is the row farthest from those before.
    let mut middles: Vec<PlanePoint> = vec![places[rows[0]]];
    while middles.len() < GROUPS {
        let distance = |row: &usize| middles.iter().map(|middle| away(&places[*row], middle)).fold(f32::INFINITY, f32::min);
        let Some(next) = rows.iter().max_by(|a, b| distance(a).total_cmp(&distance(b))) else { break };
        middles.push(places[*next]);
    }
    let nearest = |place: &PlanePoint, middles: &[PlanePoint]| {
        (0..middles.len()).min_by(|a, b| away(place, &middles[*a]).total_cmp(&away(place, &middles[*b]))).unwrap_or(0)
    };
    for _ in 0..25 {
        let mut sums = vec![[0.0f32; 3]; middles.len()];
        for row in &rows {
            let sum = &mut sums[nearest(&places[*row], &middles)];
            *sum = [sum[0] + places[*row][0], sum[1] + places[*row][1], sum[2] + 1.0];
        }
        for (middle, sum) in middles.iter_mut().zip(&sums) {
            if sum[2] > 0.0 {
                *middle = [sum[0] / sum[2], sum[1] / sum[2]];
            }
        }
    }
    let group: Vec<usize> = rows.iter().map(|row| nearest(&places[*row], &middles)).collect();
    let mut names = Vec::new();
    let label = dataset.with_role(Role::is_label);
    let classes = label.map(|field| ClassIndex::build(dataset, field, progress)).transpose()?;
    for (at, middle) in middles.iter().enumerate() {
        // A group that is mostly of one class has its name.
        let members = || rows.iter().zip(&group).filter(|(_, group)| **group == at).map(|(row, _)| SampleId::at(*row));
        if let Some(name) = classes.as_ref().and_then(|classes| mainly(classes, members())) {
            names.push((*middle, name));
            continue;
        }
        let silent = Progress::silent();
        progress.check()?;
        let words = telling(
            rows.len(),
            |place| text.read(dataset, SampleId::at(rows[place])),
            |place| group[place] == at,
            WORDS * 4,
            &silent,
        )?;
        // What stands in many texts, or was said already in another form, names nothing.
        let mut said: Vec<String> = Vec::new();
        for word in words.into_iter().filter(|word| word.z > 2.0) {
            let common = (word.inside + word.outside) as usize * COMMON > rows.len();
            let same = |known: &String| known.starts_with(&word.word) || word.word.starts_with(known.as_str());
            if !common && word.word.chars().count() > 2 && !said.iter().any(same) && said.len() < WORDS {
                said.push(word.word);
            }
        }
        if !said.is_empty() {
            names.push((*middle, said.join(" ")));
        }
    }
    Ok(names)
}
