//! Texts of a batch against those of the dataset, by what they mean.

use super::columns::{ColumnDrift, DriftValues, DriftVerdict};
use super::fault::MonitorError;
use crate::chance::seed_of;
use crate::data::{Dataset, SampleId};
use crate::derive::TextOf;
use crate::job::Progress;
use crate::learn::dense::Dense;
use crate::learn::drift::share_p;
use crate::learn::embedding::built_in;
use crate::learn::newness::newness;
use crate::learn::telling::{Telling, telling};

/// The most texts of each side that are compared: drawn by what they say.
const MOST: usize = 2_000;
/// How often rows are dealt out for what chance does.
const PERMUTATIONS: usize = 999;
/// Newest rows that are named.
const NEWEST: usize = 50;
/// Fewer than this of one side, and no head can be held out five times.
const FEWEST: usize = 20;

/// Words that tell the batch's texts: so many at most, of so many that tell best, each in so many texts at least, and rarer by chance than this.
const WORDS: usize = 8;
const LOOKED: usize = 64;
const FEWEST_TEXTS: u32 = 3;
const RARE: f64 = 1e-3;

/// Words that the batch has oftener than the dataset by much more than chance: in how many of its texts, and of the dataset's.
fn new_words(
    sides: [(&Dataset, usize, &[SampleId]); 2],
    drawn: &[Vec<SampleId>],
    progress: &Progress,
) -> Result<Vec<(String, u32, u32)>, MonitorError> {
    let n = drawn[0].len();
    let read = |at: usize| {
        let (side, at) = if at < n { (0, at) } else { (1, at - n) };
        sides[side].0.text(sides[side].1, drawn[side][at]).unwrap_or_default()
    };
    let found = telling(n + drawn[1].len(), read, |at| at >= n, LOOKED, &progress.part())?;
    let p = |word: &Telling| share_p((u64::from(word.outside), n as u64), (u64::from(word.inside), drawn[1].len() as u64));
    let mut words: Vec<(f64, Telling)> = found.into_iter().map(|word| (p(&word), word)).collect();
    words.retain(|(p, word)| *p <= RARE && word.inside >= FEWEST_TEXTS);
    words.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.word.cmp(&b.1.word)));
    Ok(words.into_iter().take(WORDS).map(|(_, word)| (word.word, word.inside, word.outside)).collect())
}

/// Texts of one column of both; `None` where one of them has too few.
pub(super) fn drift_of_texts(
    column: &str,
    sides: [(&Dataset, usize, &[SampleId]); 2],
    seed: u64,
    progress: &Progress,
) -> Result<Option<ColumnDrift>, MonitorError> {
    let mut rows: Vec<Dense> = Vec::new();
    let mut drawn: Vec<Vec<SampleId>> = Vec::new();
    let (mut missing, mut counts) = ([0; 2], [0; 2]);
    for (side, (dataset, field, samples)) in sides.into_iter().enumerate() {
        let text = TextOf { fields: vec![field] };
        let mut own: Vec<(u64, SampleId)> = Vec::new();
        // Copies of a text are drawn one by one: a flood of one text is drawn as any other so many rows.
        let mut met: std::collections::HashMap<u64, u64> = std::collections::HashMap::new();
        for id in samples {
            let read = text.read(dataset, *id);
            if read.trim().is_empty() {
                missing[side] += 1;
            } else {
                let print = xxhash_rust::xxh3::xxh3_64(read.as_bytes());
                let nth = met.entry(print).and_modify(|nth| *nth += 1).or_default();
                own.push((seed_of(&[seed, print, *nth]), *id));
            }
        }
        counts[side] = own.len();
        own.sort_unstable();
        own.truncate(MOST);
        // Only those that are compared are embedded, however large a batch is.
        rows.push(built_in().embed_all(own.len(), |at| text.read(dataset, own[at].1), &progress.part())?);
        drawn.push(own.into_iter().map(|(_, id)| id).collect());
    }
    if drawn.iter().any(|list| list.len() < FEWEST) {
        return Ok(None);
    }
    let reference = rows[0].rows();
    let words = new_words(sides, &drawn, progress)?;
    let data = rows.iter().flat_map(|side| &side.data).copied().collect();
    let both = Dense { dims: rows[0].dims, data };
    let found = newness(&both, reference, PERMUTATIONS, seed, progress)?;
    let mut order: Vec<usize> = (0..found.scores.len()).filter(|at| found.scores[*at] > found.border).collect();
    order.sort_by(|a, b| found.scores[*b].total_cmp(&found.scores[*a]).then(a.cmp(b)));
    let newest = order.into_iter().take(NEWEST).map(|at| drawn[1][at]).collect();
    // Of two tests the smaller p, twice: either may say it.
    let p = (2.0 * found.auc_p.min(found.tail_p)).min(1.0);
    let all = [0, 1].map(|side| counts[side] + missing[side]);
    let share = |side: usize| missing[side] as f64 / all[side].max(1) as f64;
    Ok(Some(ColumnDrift {
        column: column.to_owned(),
        rows: (counts[0], counts[1]),
        values: DriftValues::Texts { newness: found, newest, words },
        p,
        missing_p: share_p((missing[0] as u64, all[0] as u64), (missing[1] as u64, all[1] as u64)),
        new_p: 1.0,
        corrected: [1.0; 3],
        missing: (share(0), share(1)),
        new: Vec::new(),
        verdict: DriftVerdict::Steady,
    }))
}
