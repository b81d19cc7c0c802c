//! Which samples are copies of each other: the same text but for case and white space, or the same picture.

use std::collections::HashMap;

use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use crate::data::{Dataset, Role, SampleId};

/// A number per row of the dataset: rows with the same one are copies of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    of: Vec<u32>,
}

impl Copies {
    /// Copies by text, where the dataset has any: all columns with that role, or chats.
    pub fn of_texts(dataset: &Dataset) -> Option<Self> {
        let with = |role: Role| -> Vec<usize> {
            (0..dataset.fields().len()).filter(|field| dataset.fields()[*field].role == role).collect()
        };
        let fields = [Role::Text, Role::Messages].into_iter().map(with).find(|fields| !fields.is_empty())?;
        let print = |row: usize| {
            let mut hasher = Xxh3::new();
            let mut empty = true;
            for field in &fields {
                let text = dataset.text(*field, SampleId::at(row)).unwrap_or_default();
                for word in text.split_whitespace() {
                    empty = false;
                    hasher.update(word.to_lowercase().as_bytes());
                    hasher.update(b" ");
                }
                hasher.update(b"\0");
            }
            // A sample that says nothing is no copy of another.
            (!empty).then(|| hasher.digest128())
        };
        let prints: Vec<Option<u128>> = (0..dataset.rows()).into_par_iter().map(print).collect();
        Some(Self::of_prints(&prints))
    }

    /// How much memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.of.len() * size_of::<u32>()
    }

    /// Copies by a print of each row's content; a row without one is no copy.
    pub fn of_prints(prints: &[Option<u128>]) -> Self {
        let mut seen: HashMap<u128, u32> = HashMap::with_capacity(prints.len());
        let mut next = 0;
        let of = prints
            .iter()
            .map(|print| {
                let known = print.and_then(|print| seen.get(&print).copied());
                known.unwrap_or_else(|| {
                    if let Some(print) = print {
                        seen.insert(*print, next);
                    }
                    next += 1;
                    next - 1
                })
            })
            .collect();
        Self { of }
    }

    /// With groups of rows that count as copies, too.
    #[must_use]
    pub fn with_groups(&self, groups: &[Vec<u32>]) -> Self {
        let mut first: HashMap<u32, u32> = HashMap::new();
        let mut of = self.of.clone();
        let root = |first: &HashMap<u32, u32>, mut at: u32| {
            while let Some(to) = first.get(&at) {
                at = *to;
            }
            at
        };
        for group in groups {
            let least = group.iter().map(|row| root(&first, self.of[*row as usize])).min().unwrap_or(0);
            for row in group {
                let own = root(&first, self.of[*row as usize]);
                if own != least {
                    first.insert(own, least);
                }
            }
        }
        of.iter_mut().for_each(|copy| *copy = root(&first, *copy));
        Self { of }
    }

    /// The numbers of these samples.
    pub fn among(&self, samples: &[SampleId]) -> Vec<u32> {
        samples.iter().map(|id| self.of.get(id.row()).copied().unwrap_or(u32::MAX - id.0)).collect()
    }
}

/// Groups made one where they share a copy.
pub fn united(groups: &[u32], same: Option<&[u32]>) -> Vec<u32> {
    fn root(of: &mut [u32], mut at: u32) -> u32 {
        while of[at as usize] != at {
            of[at as usize] = of[of[at as usize] as usize];
            at = of[at as usize];
        }
        at
    }
    let n = groups.iter().max().map_or(0, |group| *group + 1);
    let mut of: Vec<u32> = (0..n).collect();
    let mut first: HashMap<u32, u32> = HashMap::new();
    for (group, copy) in groups.iter().zip(same.unwrap_or_default()) {
        let other = *first.entry(*copy).or_insert(*group);
        let (a, b) = (root(&mut of, *group), root(&mut of, other));
        of[a.max(b) as usize] = a.min(b);
    }
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    groups
        .iter()
        .map(|group| {
            let root = root(&mut of, *group);
            let next = numbers.len() as u32;
            *numbers.entry(root).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_near_copies_join_those_of_copies() {
        let copies = Copies { of: vec![0, 1, 0, 2, 3, 2] };
        assert_eq!(copies.with_groups(&[vec![1, 2], vec![3, 4]]).of, [0, 0, 0, 2, 2, 2]);
        assert_eq!(copies.with_groups(&[vec![1, 3], vec![0, 5]]).of, [0, 0, 0, 0, 3, 0]);
        assert_eq!(copies.with_groups(&[]).of, copies.of);
    }

    #[test]
    fn groups_that_share_a_copy_are_one() {
        assert_eq!(united(&[0, 0, 1, 2, 3], Some(&[10, 11, 12, 11, 13])), [0, 0, 1, 0, 2]);
        assert_eq!(united(&[0, 1, 2], None), [0, 1, 2]);
    }
}
