//! Samples that were made from samples of the source: of which, how, and with which draw. What was not altered is read through to the
//! parent as it stands, so that a child has its parent's label, group and split whatever happens to them later.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::SampleId;
use super::recipe::Pipeline;
use crate::chance::seed_of;

/// How a batch of samples was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// By a pipeline; its JSON, as [`Pipeline::parse`] reads it.
    Augmented(String),
    /// The same again.
    Repeated,
    /// Numbers between those of two neighbours (SMOTE).
    Interpolated,
    /// A further part of a chat that was cut.
    Divided,
}

/// Samples that one edit made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The first of them; the others follow.
    pub first: SampleId,
    /// How.
    pub method: Method,
    /// The seed that was asked for.
    pub seed: u64,
    /// The parent of each: a sample of the source.
    pub parents: Vec<SampleId>,
    /// The second parent of each, where there are two; else empty.
    pub others: Vec<SampleId>,
    /// The seed of each.
    pub draws: Vec<u64>,
    /// The probability that each has another label than its parent, in thousandths; empty where nobody judged, [`Batch::UNJUDGED`] for
    /// one that could not be.
    pub risks: Vec<u16>,
    /// How far each is from its parent (one minus the cosine of their embeddings), likewise.
    pub distances: Vec<u16>,
}

impl Batch {
    /// Stands for no judgement.
    pub const UNJUDGED: u16 = u16::MAX;

    /// A part of 1 in thousandths.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn thousandths(part: f32) -> u16 {
        // Within 0 to 2,000; what is no number is 0.
        (part * 1_000.0).round().clamp(0.0, 2_000.0) as u16
    }

    /// The seed of the `copy`th child of a parent: the same whatever else is made beside it.
    pub fn draw(seed: u64, parent: SampleId, copy: u64) -> u64 {
        seed_of(&[seed, u64::from(parent.0), copy])
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// The samples.
    pub fn ids(&self) -> impl Iterator<Item = SampleId> + use<> {
        let first = self.first.row();
        (first..first + self.parents.len()).map(SampleId::at)
    }

    /// Whether its lists fit each other, and all parents are samples of a source of `rows` samples.
    pub fn is_sound(&self, rows: usize) -> bool {
        let n = self.parents.len();
        let two = self.others.is_empty() || self.others.len() == n;
        let judged = |list: &[u16]| list.is_empty() || list.len() == n;
        two && self.draws.len() == n
            && judged(&self.risks)
            && judged(&self.distances)
            && self.parents.iter().chain(&self.others).all(|id| id.row() < rows)
            && u32::try_from(self.first.row() + n).is_ok_and(|end| end < u32::MAX)
    }
}

/// What one made sample is of.
#[derive(Debug, Clone, Copy)]
pub struct Origins<'m> {
    pub parent: SampleId,
    /// The second parent, where there is one.
    pub other: Option<SampleId>,
    /// Its own seed.
    pub draw: u64,
    /// The probability that its label is another, and how far it is from its parent, where somebody judged.
    pub risk: Option<f32>,
    pub distance: Option<f32>,
    /// The edit that made it.
    pub made: &'m Made,
}

/// A batch, and its pipeline as it is carried out.
#[derive(Debug)]
pub struct Made {
    pub batch: Batch,
    /// The pipeline, where it was augmented.
    pub pipeline: Option<Pipeline>,
    /// A hash of which samples they are and of what.
    pub print: u64,
}

impl Made {
    /// What it was made by, in words.
    pub fn title(&self) -> String {
        match (&self.pipeline, &self.batch.method) {
            (Some(pipeline), _) if pipeline.name.is_empty() => "a pipeline without a name".to_owned(),
            (Some(pipeline), _) => pipeline.name.clone(),
            (None, Method::Interpolated) => "SMOTE".to_owned(),
            (None, Method::Divided) => "a cut".to_owned(),
            (None, _) => "repetition".to_owned(),
        }
    }

    /// The pipeline, where it alters pictures.
    pub fn of_pictures(&self) -> Option<&Pipeline> {
        self.pipeline.as_ref().filter(|pipeline| pipeline.alters_pictures())
    }
}

fn part_of(list: &[u16], place: usize) -> Option<f32> {
    list.get(place).filter(|value| **value != Batch::UNJUDGED).map(|value| f32::from(*value) / 1_000.0)
}

/// Every made sample of a dataset, in the order of their making.
#[derive(Clone, Default)]
pub(super) struct Family {
    batches: Vec<Arc<Made>>,
    children: HashMap<SampleId, Vec<SampleId>>,
    count: usize,
}

impl Family {
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn batches(&self) -> &[Arc<Made>] {
        &self.batches
    }

    /// Adds a batch, which begins behind all others.
    pub fn add(&mut self, batch: Batch) {
        let pipeline = match &batch.method {
            Method::Augmented(json) => Pipeline::parse(json).ok(),
            Method::Repeated | Method::Interpolated | Method::Divided => None,
        };
        for (at, id) in batch.ids().enumerate() {
            self.children.entry(batch.parents[at]).or_default().push(id);
            if let Some(other) = batch.others.get(at).filter(|other| **other != batch.parents[at]) {
                self.children.entry(*other).or_default().push(id);
            }
        }
        self.count += batch.len();
        let numbers = batch.parents.iter().chain(&batch.others).map(|id| u64::from(id.0)).chain(batch.draws.iter().copied());
        let of = [u64::from(batch.first.0), batch.parents.len() as u64, batch.others.len() as u64];
        let print = of.into_iter().chain(numbers).fold(0, |sum, number| seed_of(&[sum, number]));
        self.batches.push(Arc::new(Made { batch, pipeline, print }));
    }

    /// Takes the last batch away again.
    pub fn pop(&mut self) {
        let Some(made) = self.batches.pop() else { return };
        self.count -= made.batch.len();
        for parent in made.batch.parents.iter().chain(&made.batch.others) {
            if let Some(list) = self.children.get_mut(parent) {
                list.retain(|id| *id < made.batch.first);
                if list.is_empty() {
                    self.children.remove(parent);
                }
            }
        }
    }

    pub fn children(&self, parent: SampleId) -> &[SampleId] {
        self.children.get(&parent).map_or(&[], Vec::as_slice)
    }

    pub fn of(&self, id: SampleId) -> Option<Origins<'_>> {
        let at = self.batches.partition_point(|made| made.batch.first <= id).checked_sub(1)?;
        let made = &self.batches[at];
        let place = (id.0 - made.batch.first.0) as usize;
        Some(Origins {
            parent: *made.batch.parents.get(place)?,
            other: made.batch.others.get(place).copied(),
            draw: made.batch.draws[place],
            risk: part_of(&made.batch.risks, place),
            distance: part_of(&made.batch.distances, place),
            made,
        })
    }
}
