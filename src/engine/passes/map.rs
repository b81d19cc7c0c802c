//! Tasks over pieces that read: how often named rows are there, prints of all rows, shingles of some.

use serde_json::json;

use super::answers::{longs, read_shorts, shorts};
use super::gather::wanted_path;
use super::prepared::{named_contents, prepared};
use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::checks::{saying_fields, saying_print};
use crate::data::{Dataset, SampleId};
use crate::derive::TextOf;
use crate::io;
use crate::job::Progress;
use crate::learn::minhash::Bands;
use crate::learn::near::shingles;
use crate::operate::Unique;

/// Counts the contents that the recipe names.
pub fn count(work: &Work, at: usize, progress: &Progress) -> Result<(), PassError> {
    let dataset = work.open(at, progress)?;
    let named = named_contents(&work.recipe);
    let mut counts = vec![0u32; named.len()];
    for id in dataset.source_samples() {
        if let Ok(place) = named.binary_search(&dataset.content_hash(id)) {
            counts[place] += 1;
        }
    }
    Ok(io::write_sections(&PassTask::Count(at).path(work), &[b"{}".to_vec(), shorts(counts)])?)
}

/// The samples of a piece that may be copies: of the source, and not excluded.
fn looked_at(dataset: &Dataset) -> impl Iterator<Item = SampleId> + '_ {
    dataset.source_samples().filter(|id| !dataset.is_excluded(*id))
}

/// Prints of all rows: by bucket those of what a row says with its row, then its bands with its row.
pub fn map(work: &Work, at: usize, progress: &Progress) -> Result<(), PassError> {
    let plan = work.plan();
    let (step, unique) = plan.unique().unwrap_or((0, Unique::default()));
    let (dataset, _) = prepared(work, at, step, progress)?;
    let fields = saying_fields(&dataset);
    if fields.is_empty() {
        return Err(PassError::Refused(format!("{} has no text to compare", work.path(work.pieces[at].file).display())));
    }
    let buckets = work.buckets as u64;
    let mut prints: Vec<Vec<u8>> = vec![Vec::new(); work.buckets];
    let mut banded: Vec<Vec<u8>> = vec![Vec::new(); if unique.near > 0.0 { work.buckets } else { 0 }];
    let (bands, text) = (Bands::for_threshold(unique.near), TextOf::of(&dataset, None).ok());
    let (mut words, mut own, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for (n, id) in looked_at(&dataset).enumerate() {
        if n % 1_024 == 0 {
            progress.check()?;
        }
        if let Some(print) = saying_print(&dataset, &fields, id, usize::from(unique.same)) {
            let bucket = &mut prints[((print >> 64) as u64 % buckets) as usize];
            bucket.extend_from_slice(&print.to_le_bytes());
            bucket.extend_from_slice(&id.0.to_le_bytes());
        }
        if let Some(text) = text.as_ref().filter(|_| unique.near > 0.0) {
            shingles(&text.read(&dataset, id), Unique::GRAMS, &mut words, &mut own);
            bands.of(&own, &mut hashes);
            for hash in &hashes {
                let bucket = &mut banded[(hash % buckets) as usize];
                bucket.extend_from_slice(&hash.to_le_bytes());
                bucket.extend_from_slice(&id.0.to_le_bytes());
            }
        }
    }
    let told = json!({ "rows": dataset.rows() }).to_string().into_bytes();
    let sections: Vec<Vec<u8>> = std::iter::once(told).chain(prints).chain(banded).collect();
    Ok(io::write_sections(&PassTask::Map(at).path(work), &sections)?)
}

/// Shingles of the rows that are wanted, by bucket: each row's number, how many it has, and they.
pub fn texts(work: &Work, at: usize, progress: &Progress) -> Result<(), PassError> {
    let wanted: Vec<Vec<u32>> = (0..work.buckets)
        .map(|bucket| io::read_section(&wanted_path(work), at * work.buckets + bucket).map(|bytes| read_shorts(&bytes)))
        .collect::<Result<_, _>>()?;
    let mut sections = vec![b"{}".to_vec()];
    if wanted.iter().all(Vec::is_empty) {
        sections.resize(1 + work.buckets, Vec::new());
        return Ok(io::write_sections(&PassTask::Texts(at).path(work), &sections)?);
    }
    let step = work.plan().unique().map_or(0, |(step, _)| step);
    let (dataset, _) = prepared(work, at, step, progress)?;
    let text = TextOf::of(&dataset, None).map_err(|why| PassError::Refused(why.to_string()))?;
    let (mut words, mut own) = (Vec::new(), Vec::new());
    for rows in wanted {
        let mut all = Vec::new();
        for row in rows {
            shingles(&text.read(&dataset, SampleId(row)), Unique::GRAMS, &mut words, &mut own);
            all.extend([u64::from(row), own.len() as u64]);
            all.extend_from_slice(&own);
        }
        progress.check()?;
        sections.push(longs(all));
    }
    Ok(io::write_sections(&PassTask::Texts(at).path(work), &sections)?)
}
