//! Which samples of a dataset are copies of each other: worked out once, for Split, its verb and its step of a recipe.

use std::sync::Arc;

use crate::data::Dataset;
use crate::derive::{Artifact, Key, Store, TextOf, near_texts};
use crate::io::picture_prints;
use crate::job::{Cancelled, Progress};
use crate::learn::near::Grams;
use crate::transform::Copies;

impl Artifact for Option<Copies> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, Copies::bytes)
    }
}

/// Copies by picture where there are any, else by text; `None` where there is neither. Texts count from a similarity of `near` on, above 0; where it is 0, only
/// those that are the same.
///
/// # Errors
/// [`Cancelled`].
pub fn copies(dataset: &Dataset, near: f64, store: &Store, progress: &Progress) -> Result<Arc<Option<Copies>>, Cancelled> {
    let same = same(dataset, store, progress)?;
    let (Some(known), Ok(text)) = (same.as_ref(), TextOf::of(dataset, None)) else { return Ok(same) };
    if near <= 0.0 || dataset.pictures().is_some() {
        return Ok(same);
    }
    let near = near_texts(dataset, &text, (Grams::Words(2), near), store, progress)?;
    Ok(Arc::new(Some(known.with_groups(&near.groups()))))
}

fn same(dataset: &Dataset, store: &Store, progress: &Progress) -> Result<Arc<Option<Copies>>, Cancelled> {
    let fields = match (dataset.pictures(), TextOf::of(dataset, None)) {
        (Some(field), _) => vec![field],
        (None, Ok(text)) => text.fields,
        (None, Err(_)) => return Ok(Arc::new(None)),
    };
    let versions = fields.iter().flat_map(|field| [dataset.version(*field), dataset.made_version(*field)]).collect();
    store.get(Key { what: "copies", versions }, progress, || {
        Ok(match dataset.pictures() {
            Some(field) => Some(Copies::of_prints(&picture_prints(dataset, field, progress)?)),
            None => Copies::of_texts(dataset),
        })
    })
}
