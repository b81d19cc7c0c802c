//! Pictures as they are drawn and looked at: small, from the cache where they are costly, altered where samples were made so.

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::data::{Dataset, SampleId};
use crate::io::pictures::images::{find, picture_bytes};
use crate::io::pictures::made_pictures::{altered_by, made_picture};
use crate::io::pictures::picture_cache::PictureCache;
use crate::job::{Cancelled, Progress, guarded};
use crate::pixels::{Look, Picture, Trouble, decode, fit, look};

/// A sample's picture, its longer side `most` pixels or less. Costly ones are kept in `cache`.
///
/// # Errors
/// [`Trouble`].
pub fn thumbnail(
    dataset: &Dataset,
    field: usize,
    id: SampleId,
    most: u32,
    cache: Option<&PictureCache>,
) -> Result<Picture, Trouble> {
    if altered_by(dataset, id).is_some() {
        return made_picture(dataset, field, id, Some(most)).map(|picture| fit(picture, most));
    }
    if let Some(bytes) = dataset.blob(field, id) {
        return Ok(fit(decode(bytes, Some(most))?, most));
    }
    let found = find(dataset, field, id)?;
    // A small file is decoded faster than it is looked up.
    let (key, cache) = (found.key(), cache.filter(|_| most <= PictureCache::LARGEST_SIDE));
    if let Some(picture) = cache.and_then(|cache| cache.thumbnail(key, most)) {
        return Ok(picture);
    }
    let bytes = found.read()?;
    let picture = fit(decode(&bytes, Some(most))?, most);
    if let Some(cache) = cache.filter(|_| bytes.len() > PictureCache::WORTH && !picture.torn) {
        cache.keep_thumbnail(key, most, &picture);
    }
    Ok(picture)
}

/// Looks at every picture of a column in the source; a row each. Steps of progress: one a picture.
///
/// # Errors
/// [`Cancelled`].
pub fn look_at_all(
    dataset: &Dataset,
    field: usize,
    cache: Option<&PictureCache>,
    progress: &Progress,
) -> Result<Vec<Look>, Cancelled> {
    // What was made of a picture is no picture of the dataset's: it has no findings of its own.
    progress.set_total(dataset.extent() as u64);
    let looks = (0..dataset.extent())
        .into_par_iter()
        .with_max_len(64)
        .map(|row| {
            progress.step(1)?;
            let id = SampleId::at(row);
            if dataset.is_made(id) {
                return Ok(Look::none(Trouble::Missing));
            }
            Ok(guarded(|| look_at(dataset, field, id, cache)).unwrap_or_else(|panic| Look::none(Trouble::Broken(panic))))
        })
        .collect::<Result<Vec<Look>, Cancelled>>()?;
    if let Some(cache) = cache {
        cache.flush();
    }
    Ok(looks)
}

/// A print of the bytes of every picture of a column in the source, in parallel; `None` where there is none to be read. Steps of progress: one a
/// picture.
///
/// # Errors
/// [`Cancelled`].
pub fn picture_prints(dataset: &Dataset, field: usize, progress: &Progress) -> Result<Vec<Option<u128>>, Cancelled> {
    progress.set_total(dataset.extent() as u64);
    (0..dataset.extent())
        .into_par_iter()
        .with_max_len(64)
        .map(|row| {
            progress.step(1)?;
            if dataset.is_made(SampleId::at(row)) {
                return Ok(None);
            }
            let bytes = guarded(|| picture_bytes(dataset, field, SampleId::at(row)).ok().map(|bytes| xxh3_128(&bytes)));
            Ok(bytes.ok().flatten())
        })
        .collect()
}

fn look_at(dataset: &Dataset, field: usize, id: SampleId, cache: Option<&PictureCache>) -> Look {
    if let Some(bytes) = dataset.blob(field, id) {
        return look(bytes);
    }
    let found = match find(dataset, field, id) {
        Ok(found) => found,
        Err(trouble) => return Look::none(trouble),
    };
    let key = found.key();
    if let Some(known) = cache.and_then(|cache| cache.look(key)) {
        return known;
    }
    let bytes = match found.read() {
        Ok(bytes) => bytes,
        Err(trouble) => return Look::none(trouble),
    };
    let fresh = look(&bytes);
    if let Some(cache) = cache.filter(|_| bytes.len() > PictureCache::WORTH) {
        cache.keep_look(key, &fresh);
    }
    fresh
}
