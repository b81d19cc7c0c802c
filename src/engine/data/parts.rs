//! Parts of a dataset beyond the first: samples of another source, behind all that were there when it came. Samples keep their numbers for
//! life, so that a part may stand behind samples that were made before it came.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::base::Base;
use super::ids::SampleId;
use super::made::Made;
use crate::chance::seed_of;

/// What a part is read from, as a project keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSource {
    /// The first of its samples; the others follow.
    pub first: SampleId,
    /// How many there are.
    pub rows: u32,
    /// The file: seen from the folder of the dataset's own file, parted by `/`, where it lies below it; else its whole path.
    pub path: String,
    /// Hash (XXH3, 128 bits) of the file's bytes, the upper half first.
    pub fingerprint: [u64; 2],
    /// How it is read, as JSON.
    pub reading: String,
}

impl PartSource {
    /// What its content is known by, whatever its file is called.
    pub fn key(&self) -> u64 {
        seed_of(&[self.fingerprint[0], self.fingerprint[1], xxh3_64(self.reading.as_bytes())])
    }

    /// The samples.
    pub fn ids(&self) -> impl Iterator<Item = SampleId> + use<> {
        let first = self.first.row();
        (first..first + self.rows as usize).map(SampleId::at)
    }
}

/// A part: what it is read from, and what was read.
#[derive(Clone)]
pub struct SourcePart {
    pub source: PartSource,
    pub base: Arc<Base>,
}

/// A run of samples with one provenance.
pub enum Segment<'d> {
    /// The dataset's own file, or another source that was added: the first sample, and what was read.
    Part(SampleId, &'d Arc<Base>),
    /// Samples that were made of others.
    Batch(&'d Arc<Made>),
}

impl Segment<'_> {
    /// Its first sample.
    pub fn first(&self) -> SampleId {
        match self {
            Self::Part(first, _) => *first,
            Self::Batch(made) => made.batch.first,
        }
    }

    /// How many samples it has.
    pub fn rows(&self) -> usize {
        match self {
            Self::Part(_, base) => base.rows,
            Self::Batch(made) => made.batch.len(),
        }
    }
}

/// The parts of a dataset, in the order of their coming, and what was read of sources that parts are made of: a part that was taken away is
/// there again without reading it once more.
#[derive(Clone, Default)]
pub(super) struct Parts {
    list: Vec<SourcePart>,
    read: HashMap<u64, Arc<Base>>,
}

impl Parts {
    pub fn list(&self) -> &[SourcePart] {
        &self.list
    }

    pub fn rows(&self) -> usize {
        self.list.iter().map(|part| part.base.rows).sum()
    }

    pub fn know(&mut self, key: u64, base: Arc<Base>) {
        self.read.insert(key, base);
    }

    pub fn known(&self, key: u64) -> Option<&Arc<Base>> {
        self.read.get(&key)
    }

    pub fn push(&mut self, part: SourcePart) {
        self.list.push(part);
    }

    pub fn pop(&mut self) -> Option<SourcePart> {
        self.list.pop()
    }

    /// The part that a sample is of, by its place in the list, and its row there.
    pub fn of(&self, id: SampleId) -> Option<(usize, usize)> {
        let at = self.list.partition_point(|part| part.source.first <= id).checked_sub(1)?;
        let row = (id.0 - self.list[at].source.first.0) as usize;
        (row < self.list[at].base.rows).then_some((at, row))
    }
}
