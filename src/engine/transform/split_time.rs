//! The earliest first: samples in the order of a column's times, which are read as times and never compared as letters.

use super::shares::{SplitError, counts};
use crate::data::{Dataset, SampleId, Times};

/// A column of which more than this part is no time is none of times.
const MOST_ODD: f64 = 0.5;

/// The part of each sample, and what to say of those without a time: they are in the first part.
///
/// # Errors
/// [`SplitError::Times`].
pub fn by_time(
    dataset: &Dataset,
    field: usize,
    samples: &[SampleId],
    shares: &[f64],
) -> Result<(Vec<u16>, Option<String>), SplitError> {
    let column = &dataset.fields()[field];
    let numeric = column.kind.is_numeric();
    let cells: Vec<_> = samples.iter().map(|id| dataset.text(field, *id).unwrap_or_default()).collect();
    let times = Times::of(cells.iter().map(|cell| &**cell));
    let mut keyed: Vec<(f64, i128, usize)> = Vec::with_capacity(samples.len());
    let (mut without, mut odd, mut empty) = (Vec::new(), Vec::new(), 0);
    for (at, (id, cell)) in samples.iter().zip(&cells).enumerate() {
        let key =
            if numeric { dataset.number(field, *id).map(|number| (number, 0)) } else { times.read(cell).map(|time| (0.0, time)) };
        match key {
            Some((number, time)) => keyed.push((number, time, at)),
            None => {
                without.push(at);
                if cell.trim().is_empty() { empty += 1 } else { odd.push(cell) }
            }
        }
    }
    let filled = samples.len() - empty;
    if !samples.is_empty() && (keyed.is_empty() || odd.len() as f64 > filled as f64 * MOST_ODD) {
        let ambiguous = odd.iter().any(|cell| times.is_ambiguous(cell));
        let why = if ambiguous { ": no cell tells whether day or month comes first; write them as 2024-12-31" } else { "" };
        let example = odd.first().map(|cell| cell.chars().take(40).collect()).unwrap_or_default();
        return Err(SplitError::Times {
            column: column.name.to_string(),
            odd: odd.len() + empty,
            of: samples.len(),
            example,
            why,
        });
    }
    let order = |a: &(f64, i128, usize), b: &(f64, i128, usize)| {
        a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal).then(a.1.cmp(&b.1))
    };
    keyed.sort_by(|a, b| order(a, b).then(a.2.cmp(&b.2)));
    let mut parts = vec![0_u16; samples.len()];
    let first = shares.iter().position(|share| *share > 0.0).unwrap_or(0);
    without.iter().for_each(|at| parts[*at] = first as u16);
    let (mut start, mut ideal) = (0, 0_usize);
    for (part, count) in counts(keyed.len(), shares).into_iter().enumerate() {
        ideal += count;
        let mut end = ideal.max(start);
        if part + 1 == shares.len() {
            end = keyed.len();
        } else if end > 0 && end < keyed.len() {
            // Equal times stay together: the border moves to the nearer end of their run.
            let run_start = keyed.partition_point(|key| order(key, &keyed[end]).is_lt());
            let run_end = keyed.partition_point(|key| order(key, &keyed[end]).is_le());
            if run_start < end {
                end = if end - run_start <= run_end - end { run_start.max(start) } else { run_end };
            }
        }
        keyed[start..end].iter().for_each(|key| parts[key.2] = part as u16);
        start = end;
    }
    let note = (!without.is_empty()).then(|| {
        let like = odd.first().map(|cell| format!(", like {:?}", cell.chars().take(40).collect::<String>())).unwrap_or_default();
        let n = without.len();
        let of = crate::data::things(n, "sample has no time that can be read", "samples have no time that can be read");
        format!("{of} in {:?} ({} empty, {} no times{like}): they are in the first part", column.name, empty, odd.len())
    });
    Ok((parts, note))
}
