//! Near duplicates: every pair of sets whose Jaccard similarity reaches a threshold, exactly, by prefix filtering (Chaudhuri, Ganti and Kaushik, 2006;
//! Bayardo, Ma and Srikant, 2007: All-Pairs). No signature is drawn and none can miss: two sets that are alike enough share one of their few
//! rarest members, and whoever does is compared whole.
//!
//! Members are hashes of shingles with their frequency above them, so that a sorted set has its rarest members first. Sets that are equal are one
//! set. A member that thousands share is followed to those nearest in size only, which bounds the work for rows that are all alike: they are found to be one group
//! all the same, pair by pair of neighbours.

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::job::{Cancelled, Progress};

/// What a text is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grams {
    /// So many words in a row; of fewer, all.
    Words(usize),
    /// So many letters in a row, white space as one blank.
    Letters(usize),
}

/// The most of a text that is read, in bytes: beyond it two texts that begin alike are alike.
const MOST_BYTES: usize = 1 << 20;
/// The buckets in which frequencies are counted; a power of two.
const BUCKETS: usize = 1 << 22;
/// The bits of a member that are its hash; those above are its frequency.
const HASH_BITS: u32 = 44;
/// The most sets that a member is followed to, nearest in size first; and where pairs are beyond counting.
const FOLLOWED: usize = 1_024;
const FOLLOWED_IN_A_CROWD: usize = 24;
/// Sets that are looked up between two looks at what is joined already.
const BLOCK: usize = 16_384;

fn is_of_one_letter(letter: char) -> bool {
    // Scripts without blanks between words: each letter is one.
    matches!(u32::from(letter), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// The hashes of a text's words, small letters: letters, digits and underscores in a row.
fn words_into(text: &str, out: &mut Vec<u64>) {
    out.clear();
    let mut word = String::with_capacity(32);
    let end = |word: &mut String, out: &mut Vec<u64>| {
        if !word.is_empty() {
            out.push(xxh3_64(word.as_bytes()));
            word.clear();
        }
    };
    for letter in text.chars() {
        if letter.is_ascii() {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                word.push(letter.to_ascii_lowercase());
            } else {
                end(&mut word, out);
            }
        } else if is_of_one_letter(letter) {
            end(&mut word, out);
            let mut buffer = [0; 4];
            out.push(xxh3_64(letter.encode_utf8(&mut buffer).as_bytes()));
        } else if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        } else {
            end(&mut word, out);
        }
    }
    end(&mut word, out);
}

fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(u128::from(b ^ 0xD6E8_FEB8_6659_FD93));
    (product as u64) ^ ((product >> 64) as u64)
}

/// The shingles of a text as hashes, each once, in no order that means anything; none of a text without words.
pub fn shingles(text: &str, grams: Grams, words: &mut Vec<u64>, out: &mut Vec<u64>) {
    out.clear();
    let text = &text[..text.floor_char_boundary(MOST_BYTES.min(text.len()))];
    match grams {
        Grams::Words(n) => {
            words_into(text, words);
            let n = n.clamp(1, words.len().max(1));
            out.extend(words.windows(n).map(|gram| gram[1..].iter().fold(gram[0], |hash, word| mixed(hash, *word))));
        }
        Grams::Letters(n) => {
            let plain: String = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            let places: Vec<usize> = plain.char_indices().map(|(at, _)| at).chain([plain.len()]).collect();
            let n = n.clamp(1, places.len().max(2) - 1);
            out.extend(places.windows(n + 1).map(|gram| xxh3_64(&plain.as_bytes()[gram[0]..gram[n]])));
        }
    }
    out.sort_unstable();
    out.dedup();
}

/// Sets of members, one a row, behind each other.
pub struct Sets {
    members: Vec<u64>,
    /// Where each begins, and the end of the last.
    starts: Vec<usize>,
}

/// Pairs that are alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Near {
    /// The first row whose set is the same as a row's; a row whose set is empty is its own.
    pub same: Vec<u32>,
    /// Rows that are the first with their set, the smaller first, and their similarity; sorted.
    pub pairs: Vec<(u32, u32, f32)>,
    /// Whether so much is alike that pairs are beyond counting: not all of them are listed then, though each that is is one.
    pub crowded: bool,
}

impl Sets {
    /// The shingles of `n` texts. Steps of progress: one a text.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn of_texts<'t, T: AsRef<str> + 't>(
        n: usize,
        text: &(dyn Fn(usize) -> T + Sync),
        grams: Grams,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        const PART: usize = 2_048;
        let parts: Vec<(Vec<u64>, Vec<usize>)> = (0..n.div_ceil(PART))
            .into_par_iter()
            .map(|part| {
                let (mut words, mut own, mut all, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                let rows = part * PART..((part + 1) * PART).min(n);
                let many = rows.len() as u64;
                for row in rows {
                    shingles(text(row).as_ref(), grams, &mut words, &mut own);
                    all.extend_from_slice(&own);
                    ends.push(all.len());
                }
                progress.step(many)?;
                Ok((all, ends))
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut sets = Self { members: Vec::with_capacity(parts.iter().map(|(all, _)| all.len()).sum()), starts: vec![0] };
        for (all, ends) in parts {
            let before = sets.members.len();
            sets.starts.extend(ends.iter().map(|end| before + end));
            sets.members.extend(all);
        }
        sets.order();
        Ok(sets)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how much memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        (self.members.len() + self.starts.len()) * 8
    }

    /// The members of a row, rarest first.
    pub fn of(&self, row: usize) -> &[u64] {
        &self.members[self.starts[row]..self.starts[row + 1]]
    }

    /// Puts the frequency of each member above its hash, and sorts each set by that.
    fn order(&mut self) {
        let mut counts = vec![0u16; BUCKETS];
        for member in &self.members {
            let count = &mut counts[*member as usize & (BUCKETS - 1)];
            *count = count.saturating_add(1);
        }
        let counted = |member: u64| {
            let most = (1u64 << (64 - HASH_BITS)) - 1;
            let count = u64::from(counts[member as usize & (BUCKETS - 1)]).min(most);
            count << HASH_BITS | member >> (64 - HASH_BITS)
        };
        self.members.par_chunks_mut(1 << 16).for_each(|part| part.iter_mut().for_each(|member| *member = counted(*member)));
        let mut rest: &mut [u64] = &mut self.members;
        let mut sets: Vec<&mut [u64]> = Vec::with_capacity(self.starts.len());
        for two in self.starts.windows(2) {
            let (own, behind) = rest.split_at_mut(two[1] - two[0]);
            sets.push(own);
            rest = behind;
        }
        sets.par_iter_mut().with_min_len(512).for_each(|set| set.sort_unstable());
    }

    /// Every pair whose Jaccard similarity is at least `threshold` (above 0, at most 1). Steps of progress: one a row.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn near(&self, threshold: f64, progress: &Progress) -> Result<Near, Cancelled> {
        let threshold = threshold.clamp(0.05, 1.0);
        let n = self.len();
        let same = self.same();
        // The sets that are looked at, by size.
        let mut order: Vec<u32> =
            (0..n as u32).filter(|row| same[*row as usize] == *row && !self.of(*row as usize).is_empty()).collect();
        order.sort_by_key(|row| (self.of(*row as usize).len(), *row));
        progress.step((n - order.len()) as u64)?;
        let prefix = |size: usize| size - least_shared_of(size, threshold) + 1;
        // Where members of prefixes stand, by member and then by size: what one set has that no other has leads nowhere.
        let mut places: Vec<(u64, u32, u32)> = Vec::new();
        for (at, row) in order.iter().enumerate() {
            let set = self.of(*row as usize);
            let rare = |member: &&u64| **member >> HASH_BITS > 1;
            places.extend(
                set[..prefix(set.len())]
                    .iter()
                    .zip(0..)
                    .filter(|(member, _)| rare(member))
                    .map(|(member, place)| (*member, at as u32, place)),
            );
        }
        places.par_sort_unstable();
        // Each set's own places in that list.
        let mut own: Vec<(u32, u32)> = places.iter().zip(0..).map(|((_, at, _), place)| (*at, place)).collect();
        own.par_sort_unstable();
        let mut first_of = vec![0usize; order.len() + 1];
        own.iter().for_each(|(at, _)| first_of[*at as usize + 1] += 1);
        (0..order.len()).for_each(|at| first_of[at + 1] += first_of[at]);
        let plenty = n * 20 + 1_000_000;
        let mut joined: Vec<u32> = (0..order.len() as u32).collect();
        let mut pairs: Vec<(u32, u32, f32)> = Vec::new();
        let mut crowded = false;
        for block in 0..order.len().div_ceil(BLOCK) {
            let sets = block * BLOCK..((block + 1) * BLOCK).min(order.len());
            // Where pairs are beyond counting, those within one group say nothing new.
            let groups: Option<Vec<u32>> =
                (pairs.len() > plenty).then(|| (0..joined.len() as u32).map(|at| root(&mut joined, at)).collect());
            crowded |= groups.is_some();
            let followed = if groups.is_some() { FOLLOWED_IN_A_CROWD } else { FOLLOWED };
            let found: Vec<Vec<(u32, u32, f32)>> = sets
                .clone()
                .into_par_iter()
                .with_min_len(64)
                .map_init(
                    || vec![u32::MAX; order.len()],
                    |seen, at| {
                        let mine = self.of(order[at] as usize);
                        let least = (threshold * mine.len() as f64 - 1e-9).ceil() as usize;
                        let mut found = Vec::new();
                        for (_, place) in &own[first_of[at]..first_of[at + 1]] {
                            let (member, _, mine_at) = places[*place as usize];
                            let before = places[..*place as usize].iter().rev().take(followed);
                            for (_, other, their_at) in before.take_while(|(same, ..)| *same == member) {
                                if seen[*other as usize] == at as u32 {
                                    continue;
                                }
                                let theirs = self.of(order[*other as usize] as usize);
                                // All that are smaller still are too small.
                                if theirs.len() < least {
                                    break;
                                }
                                seen[*other as usize] = at as u32;
                                // The first member that both have: no more can be shared than what stands behind it in either.
                                let behind = (mine.len() - mine_at as usize).min(theirs.len() - *their_at as usize);
                                if behind < shared_by(mine.len(), theirs.len(), threshold) {
                                    continue;
                                }
                                if groups.as_ref().is_some_and(|groups| groups[at] == groups[*other as usize]) {
                                    continue;
                                }
                                if let Some(jaccard) = jaccard(mine, theirs, threshold) {
                                    found.push((at as u32, *other, jaccard));
                                }
                            }
                        }
                        found
                    },
                )
                .collect();
            for (a, b, jaccard) in found.into_iter().flatten() {
                let (one, other) = (root(&mut joined, a), root(&mut joined, b));
                joined[one.max(other) as usize] = one.min(other);
                let (a, b) = (order[a as usize], order[b as usize]);
                pairs.push((a.min(b), a.max(b), jaccard));
            }
            progress.step(sets.len() as u64)?;
        }
        pairs.par_sort_unstable_by_key(|(a, b, _)| (*a, *b));
        Ok(Near { same, pairs, crowded })
    }

    /// The first row with the same set, of each row.
    fn same(&self) -> Vec<u32> {
        let mut prints: Vec<(u64, u32)> = (0..self.len())
            .into_par_iter()
            .with_min_len(1_024)
            .map(|row| (self.of(row).iter().fold(0x1234_5678_9ABC_DEF1, |hash, member| mixed(hash, *member)), row as u32))
            .collect();
        prints.par_sort_unstable();
        let mut same: Vec<u32> = (0..self.len() as u32).collect();
        let mut first = 0;
        for at in 1..prints.len() {
            if prints[at].0 != prints[first].0 {
                first = at;
            }
            let (one, other) = (prints[first].1, prints[at].1);
            if at != first && !self.of(other as usize).is_empty() && self.of(one as usize) == self.of(other as usize) {
                same[other as usize] = one;
            }
        }
        same
    }
}

/// How many members a set of `size` shares at least with whatever is so much like it.
fn least_shared_of(size: usize, threshold: f64) -> usize {
    ((threshold * size as f64 - 1e-9).ceil() as usize).clamp(1, size)
}

/// How many members two sets of these sizes share at least, where they are so much alike: `shared / (n + m − shared) ≥ t ⇔ shared ≥ t (n + m) / (1 + t)`.
fn shared_by(n: usize, m: usize, threshold: f64) -> usize {
    ((threshold * (n + m) as f64 / (1.0 + threshold)) - 1e-9).ceil() as usize
}

/// The similarity of two sorted sets, where it reaches the threshold; looked at no farther than it can.
fn jaccard(a: &[u64], b: &[u64], threshold: f64) -> Option<f32> {
    let (n, m) = (a.len(), b.len());
    let wanted = shared_by(n, m, threshold);
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < n && j < m {
        if shared + (n - i).min(m - j) < wanted {
            return None;
        }
        let (x, y) = (a[i], b[j]);
        shared += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let similarity = shared as f64 / (n + m - shared) as f64;
    (similarity >= threshold - 1e-9).then_some(similarity as f32)
}

/// The first of those that `at` is joined to; the way there is made shorter.
pub fn root(of: &mut [u32], mut at: u32) -> u32 {
    while of[at as usize] != at {
        of[at as usize] = of[of[at as usize] as usize];
        at = of[at as usize];
    }
    at
}

impl Near {
    /// Rows that are joined by pairs or by the same set: groups of two and more, each sorted, in the order of their first rows.
    pub fn groups(&self) -> Vec<Vec<u32>> {
        let mut joined: Vec<u32> = self.same.clone();
        for (a, b, _) in &self.pairs {
            let (one, other) = (root(&mut joined, *a), root(&mut joined, *b));
            joined[one.max(other) as usize] = one.min(other);
        }
        let mut place = vec![u32::MAX; joined.len()];
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for row in 0..joined.len() as u32 {
            let first = root(&mut joined, row);
            if first == row {
                continue;
            }
            if place[first as usize] == u32::MAX {
                place[first as usize] = groups.len() as u32;
                groups.push(vec![first]);
            }
            groups[place[first as usize] as usize].push(row);
        }
        groups.sort_by_key(|group| group[0]);
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use std::collections::BTreeSet;

    fn near_of(texts: &[String], grams: Grams, threshold: f64) -> Near {
        let sets = Sets::of_texts(texts.len(), &|row| texts[row].as_str(), grams, &Progress::silent()).unwrap();
        sets.near(threshold, &Progress::silent()).unwrap()
    }

    fn plain(text: &str, n: usize) -> BTreeSet<String> {
        let small = text.to_lowercase();
        let words: Vec<&str> = small.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return BTreeSet::new();
        }
        words.windows(n.min(words.len())).map(|gram| gram.join(" ")).collect()
    }

    #[test]
    fn every_pair_is_found_and_none_that_is_none() {
        let words = ["card", "lost", "pay", "the", "my", "a", "is", "not", "app", "when", "how", "now", "top", "up"];
        let mut chance = Chance::new(7);
        let mut texts: Vec<String> = (0..400)
            .map(|_| (0..3 + chance.below(9)).map(|_| words[chance.below(words.len())]).collect::<Vec<_>>().join(" "))
            .collect();
        for at in 0..150 {
            let mut list: Vec<&str> = texts[at].split(' ').collect();
            let place = chance.below(list.len());
            list[place] = words[chance.below(words.len())];
            let altered = list.join(" ");
            texts.push(altered.to_uppercase());
        }
        texts.extend([String::new(), "!?".to_owned(), String::new()]);
        for threshold in [0.3, 0.5, 0.7, 0.8, 1.0] {
            let near = near_of(&texts, Grams::Words(2), threshold);
            let sets: Vec<BTreeSet<String>> = texts.iter().map(|text| plain(text, 2)).collect();
            let mut wanted = Vec::new();
            for a in 0..texts.len() {
                for b in a + 1..texts.len() {
                    let shared = sets[a].intersection(&sets[b]).count();
                    let all = sets[a].len() + sets[b].len() - shared;
                    let similarity = shared as f64 / all.max(1) as f64;
                    if shared > 0 && similarity >= threshold - 1e-9 {
                        wanted.push((a as u32, b as u32, similarity as f32));
                    }
                }
            }
            // Every pair of rows, spread out again from the first of each set.
            let mut found = Vec::new();
            let like = |a: u32, b: u32| near.pairs.iter().find(|(x, y, _)| (*x, *y) == (a.min(b), a.max(b))).map(|pair| pair.2);
            for a in 0..texts.len() as u32 {
                for b in a + 1..texts.len() as u32 {
                    let (one, other) = (near.same[a as usize], near.same[b as usize]);
                    let same = one == other && !sets[a as usize].is_empty();
                    if let Some(similarity) = if same { Some(1.0) } else { like(one, other) } {
                        found.push((a, b, similarity));
                    }
                }
            }
            assert_eq!(found, wanted, "{threshold}");
        }
    }

    #[test]
    fn groups_hang_together_and_a_crowd_is_one() {
        let texts: Vec<String> = ["a b c d e f", "x", "a b c d e g", "a b c d h g", "y z", "Y, z!"].map(str::to_owned).into();
        let near = near_of(&texts, Grams::Words(1), 0.6);
        assert_eq!(near.groups(), [vec![0, 2, 3], vec![4, 5]]);
        assert_eq!((&near.same[..], near.crowded), (&[0, 1, 2, 3, 4, 4][..], false));
        // Twenty thousand rows that differ in a number: one group, in no time that grows with their square.
        let crowd: Vec<String> = (0..20_000)
            .map(|n| format!("Thank you for your order, your number is {n} and we will write to you as soon as it is sent"))
            .collect();
        let near = near_of(&crowd, Grams::Words(1), 0.8);
        let groups = near.groups();
        assert_eq!((groups.len(), groups[0].len(), near.crowded), (1, 20_000, true));
        assert!(near_of(&[], Grams::Words(2), 0.7).groups().is_empty());
    }

    #[test]
    fn letters_and_scripts_without_blanks() {
        let texts: Vec<String> =
            ["colour of it", "color of it", "我的卡丢了怎么办", "我的卡丢了怎么办呢", "nothing"].map(str::to_owned).into();
        assert_eq!(near_of(&texts, Grams::Letters(2), 0.6).groups(), [vec![0, 1], vec![2, 3]]);
        assert_eq!(near_of(&texts, Grams::Words(2), 0.8).groups(), [vec![2, 3]]);
    }
}
