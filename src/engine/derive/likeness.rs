//! What samples look like to a model: texts, pictures or numbers as rows that can be compared, and learned from.

use std::sync::Arc;

use super::embedding::embedding;
use super::store::{Artifact, Key, Store};
use super::texts::TextOf;
use crate::data::{Dataset, Role, SampleId};
use crate::io::{Meaning, MeaningError, altered_picture};
use crate::job::{Cancelled, Progress};
use crate::learn::appearance::{Appearance, Kernel};
use crate::learn::dense::Dense;
use crate::learn::embedding::built_in;
use crate::pixels::{Look, look_of};

/// What samples look like to a model: embeddings of length 1, and what classes are told apart by.
pub struct Likeness {
    eyes: Eyes,
    /// By row of the source.
    pub rows: Arc<Dense>,
    learned: Option<Dense>,
}

enum Eyes {
    Texts,
    Pictures(Box<(Appearance, Kernel)>),
    Numbers(Vec<(usize, f64, f64)>),
}

/// The columns of numbers that say something of a sample.
pub fn number_fields(dataset: &Dataset) -> Vec<usize> {
    (0..dataset.fields().len())
        .filter(|field| dataset.fields()[*field].kind.is_numeric() && dataset.fields()[*field].role == Role::Number)
        .collect()
}

/// Whether samples are numbers, and nothing else that a model reads.
pub fn is_of_numbers(dataset: &Dataset) -> bool {
    !number_fields(dataset).is_empty() && dataset.pictures().is_none() && TextOf::of(dataset, None).is_err()
}

/// The key of what samples look like; `None` where they are neither texts, nor pictures, nor numbers.
pub fn likeness_key(dataset: &Dataset) -> Option<Key> {
    let versions = match (TextOf::of(dataset, None), dataset.pictures()) {
        (Ok(text), _) => text.versions(dataset),
        (_, Some(field)) => vec![dataset.version(field)],
        _ => number_fields(dataset).into_iter().map(|field| dataset.version(field)).collect(),
    };
    (!versions.is_empty()).then_some(Key { what: "likeness", versions })
}

impl Artifact for Option<Arc<Likeness>> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, |likeness| {
            // The rows of texts are the embedding's.
            let own = if matches!(likeness.eyes, Eyes::Texts) { 0 } else { likeness.rows.bytes() };
            own + likeness.learned.as_ref().map_or(0, Artifact::bytes)
        })
    }
}

/// Reads every sample of the source: texts, or pictures (by `looks`), or numbers; `None` where there are none of these.
///
/// # Errors
/// [`MeaningError`].
pub fn likeness(
    dataset: &Dataset,
    looks: Option<&[Look]>,
    store: &Store,
    progress: &Progress,
) -> Result<Option<Arc<Likeness>>, MeaningError> {
    let looks = looks.filter(|looks| looks.len() == dataset.extent());
    // Pictures that nobody has looked at yet are not known to look like nothing.
    let unseen = looks.is_none() && dataset.pictures().is_some() && TextOf::of(dataset, None).is_err();
    match likeness_key(dataset).filter(|_| !unseen) {
        Some(key) => {
            let make = || Ok::<_, MeaningError>(read(dataset, looks, store, progress)?.map(Arc::new));
            Ok((*store.get(key, progress, make)?).clone())
        }
        None => Ok(read(dataset, looks, store, progress)?.map(Arc::new)),
    }
}

fn read(dataset: &Dataset, looks: Option<&[Look]>, store: &Store, progress: &Progress) -> Result<Option<Likeness>, MeaningError> {
    let n = dataset.extent();
    if let Ok(text) = TextOf::of(dataset, None) {
        let rows = embedding(dataset, &text, &Meaning::BuiltIn, store, None, progress)?;
        return Ok(Some(Likeness { eyes: Eyes::Texts, rows, learned: None }));
    }
    if let Some(looks) = looks {
        let Some(appearance) = Appearance::fit(looks, progress)? else { return Ok(None) };
        let mut rows = Dense::zeros(n, appearance.dims());
        looks.iter().enumerate().for_each(|(at, look)| appearance.row_of(look, rows.row_mut(at)));
        let Some(kernel) = Kernel::fit(&rows, progress)? else { return Ok(None) };
        let learned = kernel.rows_of(&rows, progress)?;
        let eyes = Eyes::Pictures(Box::new((appearance, kernel)));
        return Ok(Some(Likeness { eyes, rows: Arc::new(rows), learned: Some(learned) }));
    }
    let fields: Vec<(usize, f64, f64)> = number_fields(dataset)
        .into_iter()
        .map(|field| {
            let values: Vec<f64> = dataset.source_samples().filter_map(|id| dataset.number(field, id)).collect();
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len().max(1) as f64;
            (field, mean, variance.sqrt().max(1e-12))
        })
        .collect();
    if fields.is_empty() {
        return Ok(None);
    }
    let mut rows = Dense::zeros(n, fields.len());
    for row in 0..n {
        numbers_of(dataset, SampleId::at(row), &fields, rows.row_mut(row));
    }
    Ok(Some(Likeness { eyes: Eyes::Numbers(fields), rows: Arc::new(rows), learned: None }))
}

fn numbers_of(dataset: &Dataset, id: SampleId, fields: &[(usize, f64, f64)], out: &mut [f32]) {
    for (value, (field, mean, deviation)) in out.iter_mut().zip(fields) {
        *value = dataset.number(*field, id).map_or(0.0, |number| ((number - mean) / deviation) as f32);
    }
}

impl Likeness {
    /// Whether samples are compared by their numbers.
    pub fn is_of_numbers(&self) -> bool {
        matches!(self.eyes, Eyes::Numbers(_))
    }

    /// The features that a probe learns from, a row a sample of `dataset`, of which `made` are all that were made; and whether all
    /// dimensions count alike.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn features(&self, dataset: &Dataset, made: &[SampleId], progress: &Progress) -> Result<(Dense, bool), Cancelled> {
        let own = self.learned.as_ref().unwrap_or(&*self.rows);
        let mut fresh = Dense::zeros(made.len(), self.rows.dims);
        match &self.eyes {
            Eyes::Texts => {
                if let Ok(text) = TextOf::of(dataset, None) {
                    fresh = built_in().embed_all(made.len(), |at| text.read(dataset, made[at]), progress)?;
                }
            }
            Eyes::Pictures(eyes) => {
                for (at, id) in made.iter().enumerate() {
                    progress.check()?;
                    if let (Some(field), Some(origins)) = (dataset.pictures(), dataset.origins(*id)) {
                        let Some(pipeline) = origins.made.of_pictures() else {
                            fresh.row_mut(at).copy_from_slice(self.rows.row(origins.parent.row()));
                            continue;
                        };
                        let drawn = altered_picture(dataset, field, (origins.parent, origins.other), pipeline, origins.draw, 128);
                        if let Ok(picture) = drawn {
                            eyes.0.row_of(&look_of(&picture), fresh.row_mut(at));
                        }
                    }
                }
                fresh = eyes.1.rows_of(&fresh, progress)?;
            }
            Eyes::Numbers(fields) => {
                for (at, id) in made.iter().enumerate() {
                    numbers_of(dataset, *id, fields, fresh.row_mut(at));
                }
            }
        }
        let mut all: Dense = own.clone();
        if fresh.dims == all.dims {
            all.data.resize(all.dims * dataset.rows(), 0.0);
            for (at, id) in made.iter().enumerate() {
                all.row_mut(id.row()).copy_from_slice(fresh.row(at));
            }
        }
        Ok((all, self.learned.is_some()))
    }
}
