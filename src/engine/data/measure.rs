//! Numbers read off columns: values, text lengths, histograms, and the per-column summary in the table's header.

use std::collections::HashSet;
use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::dataset::Dataset;
use super::ids::SampleId;
use crate::job::{Cancelled, Progress};

/// What is measured of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Its numeric value.
    Value,
    /// Its length in characters (Unicode scalar values).
    Characters,
    /// Its length in words (runs between white space).
    Words,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "value",
            Self::Characters => "characters",
            Self::Words => "words",
        })
    }
}

impl Measure {
    /// The measure of one cell; `None` for null, and for what is no number where a value is asked.
    #[allow(clippy::cast_precision_loss)]
    pub fn of(self, dataset: &Dataset, field: usize, id: SampleId) -> Option<f64> {
        match self {
            Self::Value => dataset.number(field, id),
            Self::Characters => dataset.text(field, id).map(|text| text.chars().count() as f64),
            Self::Words => dataset.text(field, id).map(|text| text.split_whitespace().count() as f64),
        }
    }
}

/// The measure of every sample in `ids` that has one.
pub fn values(dataset: &Dataset, field: usize, measure: Measure, ids: &[SampleId]) -> Vec<(SampleId, f64)> {
    ids.par_iter().filter_map(|id| measure.of(dataset, field, *id).map(|value| (*id, value))).collect()
}

/// Counts of a measure in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The bins' edges, one more than bins; a bin holds `edge <= value < next`, the last one its upper edge too.
    pub edges: Vec<f64>,
    /// Values per bin.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// A histogram of at most `bins` bins. Whole numbers get bins of whole width. Empty for no values.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn of(values: impl Iterator<Item = f64> + Clone, bins: usize) -> Self {
        let (low, high) = values.clone().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low > high || bins == 0 {
            return Self { edges: Vec::new(), counts: Vec::new() };
        }
        let whole = values.clone().all(|value| value.fract() == 0.0);
        let span = high - low;
        let width = if span == 0.0 {
            1.0
        } else if whole {
            ((span + 1.0) / bins as f64).ceil().max(1.0)
        } else {
            span / bins as f64
        };
        let n = if span == 0.0 {
            1
        } else if whole {
            (((span + 1.0) / width).ceil() as usize).clamp(1, bins)
        } else {
            bins
        };
        let edges: Vec<f64> = (0..=n).map(|i| low + width * i as f64).collect();
        let mut histogram = Self { edges, counts: vec![0; n] };
        histogram.counts = histogram.recount(values);
        histogram
    }

    /// Counts other values in the same bins; what lies outside is left out.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn recount(&self, values: impl Iterator<Item = f64>) -> Vec<u64> {
        let mut counts = vec![0; self.counts.len()];
        let (Some(first), Some(last)) = (self.edges.first(), self.edges.last()) else { return counts };
        let width = self.edges[1] - first;
        for value in values.filter(|value| value >= first && value <= last) {
            let mut bin = (((value - first) / width) as usize).min(counts.len() - 1);
            // Rounding of the division may land one bin off; the edges decide.
            while bin > 0 && value < self.edges[bin] {
                bin -= 1;
            }
            while bin + 1 < counts.len() && value >= self.edges[bin + 1] {
                bin += 1;
            }
            counts[bin] += 1;
        }
        counts
    }
}

/// What the table's header says of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Null cells.
    pub nulls: usize,
    /// Cells of empty text.
    pub empty: usize,
    /// Distinct values, null not counted.
    pub distinct: usize,
    /// Whether `distinct` is an estimate (within about 1 %), as above two million samples.
    pub estimated: bool,
    /// Values of a numeric column, or lengths in words of a text column.
    pub histogram: Histogram,
    /// What the histogram measures.
    pub measure: Measure,
}

const BINS: usize = 24;
const EXACT: usize = 2_000_000;
const CHUNK: usize = 65_536;

impl Summary {
    /// Reads the summary of a column over all samples.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn of(dataset: &Dataset, field: usize, progress: &Progress) -> Result<Self, Cancelled> {
        let rows = dataset.rows();
        let measure = if dataset.fields()[field].kind.is_numeric() { Measure::Value } else { Measure::Words };
        let estimated = rows > EXACT;
        progress.set_total(rows as u64);
        let parts: Vec<(usize, usize, Vec<f64>, Vec<u64>)> = (0..rows.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(rows);
                progress.step(range.len() as u64)?;
                let (mut nulls, mut empty, mut values, mut hashes) = (0, 0, Vec::new(), Vec::new());
                let mut registers = if estimated { vec![0_u64; REGISTERS] } else { Vec::new() };
                for id in range.map(SampleId::at) {
                    let Some(text) = dataset.text(field, id) else {
                        nulls += 1;
                        continue;
                    };
                    empty += usize::from(text.is_empty());
                    let hash = xxh3_64(text.as_bytes());
                    if estimated {
                        observe(&mut registers, hash);
                    } else {
                        hashes.push(hash);
                    }
                    // A sketch of a large column needs no more than a part of it.
                    if !estimated || id.0 % 16 == 0 {
                        values.extend(measure.of(dataset, field, id));
                    }
                }
                Ok((nulls, empty, values, if estimated { registers } else { hashes }))
            })
            .collect::<Result<_, Cancelled>>()?;
        let distinct = if estimated {
            let mut all = vec![0_u64; REGISTERS];
            for (_, _, _, registers) in &parts {
                all.iter_mut().zip(registers).for_each(|(a, b)| *a = (*a).max(*b));
            }
            estimate(&all)
        } else {
            parts.iter().flat_map(|part| &part.3).collect::<HashSet<_>>().len()
        };
        Ok(Self {
            nulls: parts.iter().map(|part| part.0).sum(),
            empty: parts.iter().map(|part| part.1).sum(),
            distinct,
            estimated,
            histogram: Histogram::of(parts.iter().flat_map(|part| part.2.iter().copied()), BINS),
            measure,
        })
    }
}

const REGISTERS: usize = 1 << 14;

fn observe(registers: &mut [u64], hash: u64) {
    let at = usize::try_from(hash >> 50).unwrap_or(0);
    let rank = u64::from((hash << 14 | 1 << 13).leading_zeros()) + 1;
    registers[at] = registers[at].max(rank);
}

/// `HyperLogLog` (Flajolet et al., 2007) with linear counting for small cardinalities.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn estimate(registers: &[u64]) -> usize {
    let m = REGISTERS as f64;
    let sum: f64 = registers.iter().map(|rank| (-(*rank as f64)).exp2()).sum();
    let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    let zeros = registers.iter().filter(|rank| **rank == 0).count();
    let estimate = if raw <= 2.5 * m && zeros > 0 { m * (m / zeros as f64).ln() } else { raw };
    estimate.round() as usize
}

/// A whole number with its thousands separated.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things with their name: `1 row`, `2,000 rows`. What follows the number goes with it: `1 row has`, `2 rows have`.
pub fn things(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A number of samples: `1 sample`, `2 samples`.
pub fn count_samples(n: usize) -> String {
    things(n, "sample", "samples")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_every_value_once() {
        for values in [vec![1.0, 2.0, 2.0, 9.0], vec![0.1, 0.2, 0.1 + 0.2, 0.7], vec![5.0; 3], vec![-1.5, 1e9]] {
            let histogram = Histogram::of(values.iter().copied(), 7);
            assert_eq!(histogram.counts.iter().sum::<u64>(), values.len() as u64, "{values:?}");
            assert_eq!(histogram.edges.len(), histogram.counts.len() + 1);
            assert!(histogram.counts.len() <= 7);
        }
        assert!(Histogram::of([].into_iter(), 7).counts.is_empty());
    }

    #[test]
    fn the_estimate_of_distinct_values_is_close() {
        for n in [100_u64, 10_000, 300_000] {
            let mut registers = vec![0; REGISTERS];
            (0..n).for_each(|i| observe(&mut registers, xxh3_64(&i.to_le_bytes())));
            let error = (estimate(&registers) as f64 / n as f64 - 1.0).abs();
            assert!(error < 0.03, "{n}: off by {error}");
        }
    }
}
