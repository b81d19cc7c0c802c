//! What labels depend on, as far as models that never saw a sample can tell: the judge of what an alteration does to a label.

use std::sync::Arc;

use super::embedding::embedding;
use super::store::{Artifact, Key, Store};
use super::texts::TextOf;
use crate::data::{ClassIndex, Dataset, Role, SampleId};
use crate::io::{Meaning, MeaningError};
use crate::job::Progress;
use crate::learn::Targets;
use crate::learn::risk::RiskModel;
use crate::pixels::Look;

/// The fewest samples of a class in the source that its label can be judged by.
const FEWEST: u32 = 5;

impl Artifact for Option<Arc<RiskModel>> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, |model| model.bytes())
    }
}

/// The key of the judge of a dataset's labels, by its pictures or by its texts; `None` where there is no label.
pub fn risk_key(dataset: &Dataset, pictures: bool) -> Option<Key> {
    let label = dataset.with_role(Role::is_label)?;
    let mut versions = vec![u64::from(pictures), dataset.version(label), dataset.excluded_version()];
    match (TextOf::of(dataset, None), dataset.pictures().filter(|_| pictures)) {
        (_, Some(field)) => versions.push(dataset.version(field)),
        (Ok(text), _) => versions.extend(text.versions(dataset)),
        _ => {}
    }
    Some(Key { what: "risk", versions })
}

/// Learns to judge what an alteration does to labels: by pictures where `looks` are given (one a sample of the source), else by texts.
/// `None` where there is no label, or too little to learn from.
///
/// # Errors
/// [`MeaningError`].
pub fn risk_model(
    dataset: &Dataset,
    looks: Option<&[Look]>,
    store: &Store,
    progress: &Progress,
) -> Result<Option<Arc<RiskModel>>, MeaningError> {
    let Some(key) = risk_key(dataset, looks.is_some()) else { return Ok(None) };
    let make = || Ok::<_, MeaningError>(learned(dataset, looks, store, progress)?.map(Arc::new));
    Ok((*store.get(key, progress, make)?).clone())
}

fn learned(
    dataset: &Dataset,
    looks: Option<&[Look]>,
    store: &Store,
    progress: &Progress,
) -> Result<Option<RiskModel>, MeaningError> {
    let Some(label) = dataset.with_role(Role::is_label) else { return Ok(None) };
    let index = ClassIndex::build(dataset, label, progress)?;
    let source: Vec<SampleId> = (0..dataset.extent()).map(SampleId::at).collect();
    // What is made teaches nothing, and counts for nothing: the judge of a source is the same whatever was made of it.
    let mut counts = vec![0; index.counts().len()];
    for id in source.iter().filter(|id| !dataset.is_excluded(**id) && !dataset.is_made(**id)) {
        index.of(*id).iter().for_each(|class| counts[*class as usize] += 1);
    }
    let mut classes = 0;
    let mut kept = Vec::with_capacity(counts.len());
    for count in counts {
        kept.push((count >= FEWEST).then_some(classes));
        classes += u32::from(count >= FEWEST);
    }
    let of = |id: SampleId| -> Vec<u32> {
        if dataset.is_excluded(id) || dataset.is_made(id) {
            return Vec::new();
        }
        index.of(id).iter().filter_map(|class| kept[*class as usize]).collect()
    };
    let targets = Targets::new(source.iter().map(|id| of(*id)), classes as usize, index.is_many());
    match (TextOf::of(dataset, None), looks) {
        (Ok(text), None) => {
            let usable = |id: &&SampleId| !targets.of(id.row()).is_empty() && !text.read(dataset, **id).trim().is_empty();
            let rows: Vec<u32> = source.iter().filter(usable).map(|id| id.0).collect();
            let dense = embedding(dataset, &text, &Meaning::BuiltIn, store, None, progress)?;
            Ok(RiskModel::of_texts(|row| text.read(dataset, SampleId::at(row)), dense, &rows, targets, progress)?)
        }
        (_, Some(looks)) if looks.len() == dataset.extent() => {
            let usable = |id: &&SampleId| !targets.of(id.row()).is_empty() && looks[id.row()].has_pixels();
            let rows: Vec<u32> = source.iter().filter(usable).map(|id| id.0).collect();
            Ok(RiskModel::of_pictures(looks, &rows, targets, progress)?)
        }
        _ => Ok(None),
    }
}
