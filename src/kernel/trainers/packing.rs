//! Rows put into sequences of the limit's length, as trainers pack them: how many there are, and how full.

use std::collections::BTreeMap;

/// How rows find a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackWay {
    /// The longest row first, into the first sequence with room: Axolotl's multipack, and what LLaMA-Factory's greedy knapsack comes to.
    FirstFit,
    /// The longest row first, into the fullest sequence with room: TRL's `bfd`.
    BestFit,
}

/// How a trainer packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowPacking {
    pub way: PackWay,
    /// So many rows, in the order of the file, are packed by themselves.
    pub rows: usize,
    /// Tokens of the limit that no row may have.
    pub kept_free: usize,
}

/// Rows packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Packed {
    pub sequences: usize,
    /// Tokens of rows in them, and places for tokens.
    pub tokens: u64,
    pub places: u64,
}

impl Packed {
    /// How full they are, 0 to 1.
    pub fn share(self) -> f64 {
        if self.places == 0 { 0.0 } else { self.tokens as f64 / self.places as f64 }
    }
}

impl RowPacking {
    /// Packs rows of these lengths into sequences of `limit` tokens. A longer row counts as one that is cut.
    pub fn pack(self, lengths: &[u32], limit: usize) -> Packed {
        let room = u32::try_from(limit.saturating_sub(self.kept_free)).unwrap_or(u32::MAX);
        let mut packed = Packed::default();
        if room == 0 {
            return packed;
        }
        for part in lengths.chunks(self.rows.max(1)) {
            let mut part: Vec<u32> = part.iter().map(|long| (*long).min(room)).filter(|long| *long > 0).collect();
            part.sort_unstable();
            packed.tokens += part.iter().map(|long| u64::from(*long)).sum::<u64>();
            packed.sequences += match self.way {
                PackWay::FirstFit => first_fit(&part, room),
                PackWay::BestFit => best_fit(&part, room),
            };
        }
        packed.places = packed.sequences as u64 * limit as u64;
        packed
    }
}

/// One sequence after another, each filled with the longest that goes in: the same as every row into the first with room.
fn first_fit(sorted: &[u32], room: u32) -> usize {
    let mut left: BTreeMap<u32, usize> = BTreeMap::new();
    sorted.iter().for_each(|long| *left.entry(*long).or_default() += 1);
    let mut sequences = 0;
    while !left.is_empty() {
        sequences += 1;
        let mut free = room;
        while let Some((long, count)) = left.range_mut(..=free).next_back() {
            free -= *long;
            *count -= 1;
            let (long, gone) = (*long, *count == 0);
            if gone {
                left.remove(&long);
            }
        }
    }
    sequences
}

fn best_fit(sorted: &[u32], room: u32) -> usize {
    let mut free: BTreeMap<u32, usize> = BTreeMap::new();
    let mut sequences = 0;
    for long in sorted.iter().rev() {
        let found = free.range_mut(*long..).next().map(|(room, count)| {
            *count -= 1;
            (*room, *count == 0)
        });
        let rest = match found {
            Some((room, gone)) => {
                if gone {
                    free.remove(&room);
                }
                room - long
            }
            None => {
                sequences += 1;
                room - long
            }
        };
        if rest > 0 {
            *free.entry(rest).or_default() += 1;
        }
    }
    sequences
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: RowPacking = RowPacking { way: PackWay::FirstFit, rows: 1_000, kept_free: 0 };
    const BEST: RowPacking = RowPacking { way: PackWay::BestFit, ..FIRST };

    #[test]
    fn rows_are_packed_as_by_hand() {
        // Johnson's example in which the two ways part: 7 6 | 5 5 would be ideal.
        assert_eq!(FIRST.pack(&[5, 7, 5, 2, 4, 2, 5, 1, 6], 10), Packed { sequences: 4, tokens: 37, places: 40 });
        assert_eq!(BEST.pack(&[5, 7, 5, 2, 4, 2, 5, 1, 6], 10), Packed { sequences: 4, tokens: 37, places: 40 });
        // Too long is cut, nothing is nothing, and none are none.
        assert_eq!(FIRST.pack(&[0, 25, 1], 10), Packed { sequences: 2, tokens: 11, places: 20 });
        assert_eq!(BEST.pack(&[], 10).share(), 0.0);
        assert_eq!(FIRST.pack(&[3], 0), Packed::default());
        // Parts are packed by themselves, and what is kept free is in no row.
        assert_eq!(RowPacking { rows: 2, ..FIRST }.pack(&[1, 1, 1, 1], 10).sequences, 2);
        assert_eq!(RowPacking { kept_free: 1, ..FIRST }.pack(&[5, 5], 10), Packed { sequences: 2, tokens: 10, places: 20 });
    }

    #[test]
    fn both_ways_are_what_their_names_say() {
        // Row by row, without a tree.
        let slow = |lengths: &[u32], best: bool| {
            let mut rooms: Vec<u32> = Vec::new();
            let mut sorted = lengths.to_vec();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            for long in sorted {
                let mut fits = rooms.iter_mut().filter(|room| **room >= long);
                match if best { fits.min_by_key(|room| **room) } else { fits.next() } {
                    Some(room) => *room -= long,
                    None => rooms.push(100 - long),
                }
            }
            rooms.len()
        };
        let mut chance = crate::chance::Chance::new(3);
        for _ in 0..200 {
            let lengths: Vec<u32> = (0..chance.below(60)).map(|_| 1 + chance.below(100) as u32).collect();
            assert_eq!(FIRST.pack(&lengths, 100).sequences, slow(&lengths, false), "{lengths:?}");
            assert_eq!(BEST.pack(&lengths, 100).sequences, slow(&lengths, true), "{lengths:?}");
        }
    }
}
