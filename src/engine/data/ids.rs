//! Sample identity and sets of samples.

use serde::{Deserialize, Serialize};

/// A sample's identity: its place in the dataset's own source, counted from 0, and behind that in the order of coming. Given once, for life, and
/// untouched by sorting, filtering, hiding or excluding. A dataset holds at most `u32::MAX - 1` samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SampleId(pub u32);

impl SampleId {
    /// The place in the source, for indexing.
    pub fn row(self) -> usize {
        self.0 as usize
    }

    /// The sample at `row` of the source. Rows past the limit of a dataset do not occur: opening refuses them.
    pub fn at(row: usize) -> Self {
        Self(u32::try_from(row).unwrap_or(u32::MAX))
    }
}

/// A set of samples as one bit each. Grows on demand: memory is one bit per sample up to the largest member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampleSet {
    words: Vec<u64>,
    len: usize,
}

impl SampleSet {
    /// Whether `id` is in the set.
    pub fn contains(&self, id: SampleId) -> bool {
        self.words.get(id.row() / 64).is_some_and(|word| word >> (id.row() % 64) & 1 == 1)
    }

    /// Puts `id` in or takes it out; returns whether that changed anything.
    pub fn set(&mut self, id: SampleId, on: bool) -> bool {
        if self.contains(id) == on {
            return false;
        }
        let word = id.row() / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] ^= 1 << (id.row() % 64);
        if on {
            self.len += 1;
        } else {
            self.len -= 1;
        }
        true
    }

    /// How many samples are in the set.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many of the samples at these places are in the set: one look a word of 64.
    pub fn count_within(&self, rows: std::ops::Range<usize>) -> usize {
        let (first, last) = (rows.start / 64, rows.end.div_ceil(64).min(self.words.len()));
        (first..last)
            .map(|word| {
                let low = rows.start.saturating_sub(word * 64).min(64);
                let high = (rows.end - word * 64).min(64);
                let mask = |n: usize| if n >= 64 { u64::MAX } else { (1 << n) - 1 };
                (self.words[word] & mask(high) & !mask(low)).count_ones() as usize
            })
            .sum()
    }

    /// How many samples are in both sets: one look a word of 64.
    pub fn count_common(&self, other: &Self) -> usize {
        self.words.iter().zip(&other.words).map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = SampleId> + '_ {
        self.words.iter().enumerate().filter(|(_, bits)| **bits != 0).flat_map(|(word, bits)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| SampleId::at(word * 64 + bit))
        })
    }
}

impl FromIterator<SampleId> for SampleSet {
    fn from_iter<I: IntoIterator<Item = SampleId>>(ids: I) -> Self {
        let mut set = Self::default();
        for id in ids {
            set.set(id, true);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_its_members_and_lists_them_in_order() {
        let mut set: SampleSet = [130, 3, 64, 3].into_iter().map(SampleId).collect();
        assert_eq!(set.len(), 3);
        assert_eq!(set.iter().map(|id| id.0).collect::<Vec<_>>(), [3, 64, 130]);
        let other: SampleSet = [3, 65, 130, 500].into_iter().map(SampleId).collect();
        assert_eq!((set.count_common(&other), other.count_common(&set)), (2, 2));
        assert!(set.set(SampleId(64), false) && !set.set(SampleId(64), false));
        assert!(!set.contains(SampleId(64)) && !set.contains(SampleId(100_000)));
    }
}
