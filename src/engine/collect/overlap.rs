//! How much of one source stands in another: texts that are the same but for case and blanks, and test samples that others may train on.

use std::collections::{HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use crate::data::{Dataset, Role, SampleId};
use crate::derive::TextOf;
use crate::job::{Cancelled, Progress};

/// Of more sources no table is made.
const MOST: usize = 24;

/// How sources overlap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceOverlap {
    /// By source and source, in their order: how many samples of the first stand in the second. Of a source and itself: how many say what another of it says.
    pub of: Vec<Vec<usize>>,
    /// Samples of a test part whose text stands in the train part of another source, by source.
    pub leaks: Vec<usize>,
}

/// The text of a sample as it is compared: small letters, one blank between words.
fn key(text: &str) -> u64 {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    xxh3_64(words.join(" ").as_bytes())
}

/// Works it out; `None` where samples have no text, or the sources are too many for a table.
///
/// # Errors
/// [`Cancelled`].
pub fn source_overlap(dataset: &Dataset, progress: &Progress) -> Result<Option<SourceOverlap>, Cancelled> {
    let sources = &dataset.base.sources;
    let Ok(text) = TextOf::of(dataset, None) else { return Ok(None) };
    if sources.len() < 2 || sources.len() > MOST {
        return Ok(None);
    }
    let split = dataset.with_role(|role| role == Role::Split);
    let part = |id: SampleId| split.and_then(|field| dataset.text(field, id)).map(|part| part.to_lowercase());
    // A bit a source that has the text, and one a source whose train part has it.
    let mut has: HashMap<u64, (u32, u32)> = HashMap::new();
    let mut keys: Vec<u64> = Vec::with_capacity(dataset.base.rows);
    progress.set_total(dataset.base.rows as u64);
    for (at, source) in sources.iter().enumerate() {
        for row in source.first..source.first + source.rows {
            if row % 4_096 == 0 {
                progress.step(4_096)?;
            }
            let id = SampleId::at(row);
            let said = text.read(dataset, id);
            let own = if said.trim().is_empty() { 0 } else { key(&said) };
            keys.push(own);
            if own != 0 && !dataset.is_excluded(id) {
                let entry = has.entry(own).or_default();
                entry.0 |= 1 << at;
                if part(id).is_some_and(|part| part.starts_with("train")) {
                    entry.1 |= 1 << at;
                }
            }
        }
    }
    let mut found = SourceOverlap { of: vec![vec![0; sources.len()]; sources.len()], leaks: vec![0; sources.len()] };
    for (at, source) in sources.iter().enumerate() {
        let mut met: HashSet<u64> = HashSet::new();
        for (row, own) in keys.iter().enumerate().skip(source.first).take(source.rows) {
            let (id, own) = (SampleId::at(row), *own);
            if own == 0 || dataset.is_excluded(id) {
                continue;
            }
            let (all, trains) = has.get(&own).copied().unwrap_or_default();
            for (other, count) in found.of[at].iter_mut().enumerate() {
                *count += usize::from(if other == at { !met.insert(own) } else { all & 1 << other != 0 });
            }
            let tested =
                trains & !(1 << at) != 0 && part(id).is_some_and(|part| part.starts_with("test") || part.starts_with("eval"));
            found.leaks[at] += usize::from(tested);
        }
    }
    Ok(Some(found))
}
