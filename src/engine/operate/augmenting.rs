//! Augmenting, whole: children made, looked at by a model that never saw their parents, the risky ones left out, one edit of the rest.

use std::sync::Arc;

use rayon::prelude::*;

use super::asking::{TextModels, children};

use crate::data::{Batch, Dataset, SampleId, count_samples};
use crate::derive::TextOf;
use crate::edit::{Change, Edit, EditError, Target};
use crate::io::{altered_picture, picture_size};
use crate::job::{Cancelled, Progress};
use crate::learn::risk::{Risk, RiskModel};
use crate::pixels::{Look, look_of};
use crate::transform::{Augment, AugmentError, Children};

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Augmented {
    /// The edit that adds them; `None` where nothing is left.
    pub edit: Option<Edit>,
    /// How many samples it adds.
    pub made: usize,
    /// How many were too risky.
    pub risky: usize,
    /// How many came out like their parent or a sibling.
    pub same: usize,
}

impl Augmented {
    /// The edit, with the samples of `instead`, a batch, excluded by it.
    ///
    /// # Errors
    /// [`EditError`]: there are no such samples.
    pub fn in_place_of(self, dataset: &Dataset, instead: Option<usize>) -> Result<Option<Edit>, EditError> {
        let Some(mut edit) = self.edit else { return Ok(None) };
        if let Some(old) = instead.and_then(|at| dataset.batches().get(at)) {
            let gone = Change::mark(dataset, Target::Excluded, old.batch.ids(), true)?;
            edit.words = format!("Made {} anew by {}", count_samples(self.made), old.title());
            edit.changes.splice(0..0, gone);
        }
        Ok(Some(edit))
    }
}

/// Altered pictures are judged at this many pixels a side.
const SIDE: u32 = 128;

/// Judges children. Steps of progress: one each.
///
/// # Errors
/// [`Cancelled`].
pub fn judge(
    dataset: &Dataset,
    augment: &Augment,
    children: &Children,
    model: &RiskModel,
    progress: &Progress,
) -> Result<Vec<Option<Risk>>, Cancelled> {
    let n = children.parents.len();
    let picture = dataset.pictures().filter(|_| !model.reads_texts());
    let parts: Vec<Vec<Option<Risk>>> = (0..n.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(n);
            progress.step(range.len() as u64)?;
            if let Some(field) = picture {
                if !augment.pipeline.alters_pictures() {
                    return Ok(vec![None; range.len()]);
                }
                let looks: Vec<(u32, Look)> = range
                    .map(|at| {
                        let (parent, other) = (children.parents[at], children.others.get(at).copied());
                        let drawn = altered_picture(dataset, field, (parent, other), &augment.pipeline, children.draws[at], SIDE);
                        (parent.0, drawn.map_or_else(Look::none, |picture| look_of(&picture)))
                    })
                    .collect();
                return Ok(model.of_altered_pictures(&looks));
            }
            let texts: Vec<(u32, String)> =
                range.map(|at| (children.parents[at].0, text_of(dataset, augment, children, at))).collect();
            let texts: Vec<(u32, &str)> = texts.iter().map(|(row, text)| (*row, text.as_str())).collect();
            Ok(model.of_altered_texts(&texts))
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(parts.concat())
}

const CHUNK: usize = 128;

/// The text of a child as the model reads it: as that of its parent, with what was altered in its place.
fn text_of(dataset: &Dataset, augment: &Augment, children: &Children, at: usize) -> String {
    let Ok(text) = TextOf::of(dataset, None) else { return String::new() };
    text.read_with(dataset, children.parents[at], |field| {
        let place = augment.fields.iter().position(|known| *known == field)?;
        children.texts[at].get(place).map(String::as_str)
    })
}

/// Makes the children of `augment`, leaves out those whose label is another with more than `most` probability, and says what the edit is.
///
/// # Errors
/// [`AugmentError`].
pub fn augmented(
    dataset: &Dataset,
    augment: &Augment,
    model: Option<&RiskModel>,
    most: f32,
    models: &Arc<TextModels>,
    progress: &Progress,
) -> Result<Augmented, AugmentError> {
    let asked: u64 = augment.parents.iter().map(|(_, n)| u64::from(*n)).sum();
    progress.set_total(augment.parents.len() as u64 + if model.is_some() { asked } else { 0 });
    let mut children = children(dataset, augment, models, progress)?;
    if model.is_some() {
        progress.set_total(children.parents.len() as u64);
    }
    let (mut risks, mut distances, mut risky) = (Vec::new(), Vec::new(), 0);
    if let Some(model) = model {
        let judged = judge(dataset, augment, &children, model, progress)?;
        let keep: Vec<bool> = judged.iter().map(|risk| risk.is_none_or(|risk| risk.label <= most)).collect();
        risky = keep.iter().filter(|keep| !**keep).count();
        retain(&mut children.parents, &keep);
        retain(&mut children.others, &keep);
        retain(&mut children.draws, &keep);
        retain(&mut children.texts, &keep);
        for risk in judged.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(risk, _)| risk) {
            risks.push(risk.map_or(Batch::UNJUDGED, |risk| Batch::thousandths(risk.label)));
            distances.push(risk.map_or(Batch::UNJUDGED, |risk| Batch::thousandths(risk.distance)));
        }
    }
    let (made, same) = (children.parents.len(), children.same);
    let field = dataset.pictures();
    let sizes = |id: SampleId| picture_size(dataset, field?, id).ok();
    let name = if augment.pipeline.name.is_empty() { "a pipeline" } else { augment.pipeline.name.as_str() };
    let words = format!("Added {} by {name}, seed {}", count_samples(made), augment.seed);
    let edit = augment.edit(dataset, children, risks, distances, &sizes, words)?;
    Ok(Augmented { edit, made, risky, same })
}

fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
    let mut at = keep.iter();
    list.retain(|_| at.next().copied().unwrap_or(true));
}
