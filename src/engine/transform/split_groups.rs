//! Whole groups into parts: a greedy fill, then groups moved and exchanged while that brings every class and every part nearer to its share.

use std::collections::HashMap;

use crate::chance::Chance;
use crate::job::{Cancelled, Progress};

/// How much the size of a part weighs beside all its classes.
const SIZE: f64 = 2.0;
/// The most steps of improvement, in moves looked at.
const STEPS: usize = 100_000_000;
/// The most rounds over all groups.
const ROUNDS: usize = 40;
/// Exchanges that are tried for a group in a round.
const TRIES: usize = 24;

/// The part of each sample so that groups stay whole and each part has its share of each class as nearly as they allow.
///
/// # Errors
/// [`Cancelled`].
pub fn by_group(
    groups: &[u32],
    strata: &[u32],
    shares: &[f64],
    random: &mut Chance,
    progress: &Progress,
) -> Result<Vec<u16>, Cancelled> {
    let mut fill = Fill::new(groups, strata, shares);
    fill.greedy(random);
    fill.improve(random, progress)?;
    Ok(groups.iter().map(|group| fill.of[*group as usize]).collect())
}

struct Fill<'s> {
    shares: &'s [f64],
    /// Per group: how many samples of which class.
    brings: Vec<Vec<(usize, f64)>>,
    sizes: Vec<f64>,
    totals: Vec<f64>,
    all: f64,
    /// Per part and class.
    have: Vec<Vec<f64>>,
    filled: Vec<f64>,
    of: Vec<u16>,
}

impl<'s> Fill<'s> {
    fn new(groups: &[u32], strata: &[u32], shares: &'s [f64]) -> Self {
        let n_groups = groups.iter().max().map_or(0, |group| *group as usize + 1);
        let n_classes = strata.iter().max().map_or(0, |class| *class as usize + 1);
        let mut brings: Vec<HashMap<usize, f64>> = vec![HashMap::new(); n_groups];
        let (mut sizes, mut totals) = (vec![0.0_f64; n_groups], vec![0.0_f64; n_classes]);
        for (group, class) in groups.iter().zip(strata) {
            *brings[*group as usize].entry(*class as usize).or_default() += 1.0;
            sizes[*group as usize] += 1.0;
            totals[*class as usize] += 1.0;
        }
        let brings = brings
            .into_iter()
            .map(|brings| {
                let mut list: Vec<(usize, f64)> = brings.into_iter().collect();
                list.sort_unstable_by_key(|(class, _)| *class);
                list
            })
            .collect();
        Self {
            shares,
            brings,
            sizes,
            totals,
            all: groups.len() as f64,
            have: vec![vec![0.0; n_classes]; shares.len()],
            filled: vec![0.0; shares.len()],
            of: vec![0; n_groups],
        }
    }

    fn open(&self) -> Vec<usize> {
        (0..self.shares.len()).filter(|part| self.shares[*part] > 0.0).collect()
    }

    /// The largest first, each to the part that has least of what the group brings, measured against what the part should have of it
    /// (in the spirit of scikit-learn's `StratifiedGroupKFold`).
    fn greedy(&mut self, random: &mut Chance) {
        let mut order: Vec<(usize, u64)> = (0..self.sizes.len()).map(|group| (group, random.bits())).collect();
        order.sort_by(|a, b| self.sizes[b.0].total_cmp(&self.sizes[a.0]).then(a.1.cmp(&b.1)));
        let open = self.open();
        for (group, _) in order {
            let fill = |part: usize| {
                let by_class: f64 = self.brings[group]
                    .iter()
                    .map(|(class, count)| count * self.have[part][*class] / (self.totals[*class] * self.shares[part]))
                    .sum();
                // Class and size weigh alike; what a part would overflow by counts against it.
                let size = (self.filled[part] + self.sizes[group]) / (self.all * self.shares[part]);
                by_class / self.sizes[group] + self.filled[part] / (self.all * self.shares[part]) + (size - 1.0).max(0.0) * 2.0
            };
            let best = open.iter().copied().min_by(|a, b| fill(*a).total_cmp(&fill(*b))).unwrap_or(0);
            self.of[group] = best as u16;
            self.put(group, best, 1.0);
        }
    }

    fn put(&mut self, group: usize, part: usize, sign: f64) {
        self.filled[part] += sign * self.sizes[group];
        for (class, count) in &self.brings[group] {
            self.have[part][*class] += sign * count;
        }
    }

    fn shift(&mut self, group: usize, to: usize) {
        self.put(group, usize::from(self.of[group]), -1.0);
        self.put(group, to, 1.0);
        self.of[group] = to as u16;
    }

    /// What a part's distance from its share grows by where `by` more of something of `total` stand in it: as chi-squared measures it, so
    /// that one sample of a rare class counts for more than one of a common one.
    fn growth(&self, part: usize, have: f64, total: f64, by: f64) -> f64 {
        let wanted = total * self.shares[part];
        let off = have - wanted;
        (2.0 * off * by + by * by) / (wanted + 0.5)
    }

    /// What a move changes the whole distance by.
    fn change(&self, group: usize, to: usize) -> f64 {
        let from = usize::from(self.of[group]);
        let size = self.sizes[group];
        let mut sum =
            SIZE * (self.growth(from, self.filled[from], self.all, -size) + self.growth(to, self.filled[to], self.all, size));
        for (class, count) in &self.brings[group] {
            let total = self.totals[*class];
            sum +=
                self.growth(from, self.have[from][*class], total, -count) + self.growth(to, self.have[to][*class], total, *count);
        }
        sum
    }

    fn improve(&mut self, random: &mut Chance, progress: &Progress) -> Result<(), Cancelled> {
        const LEAST: f64 = -1e-9;
        let open = self.open();
        let n = self.sizes.len();
        let round: usize = self.brings.iter().map(Vec::len).sum::<usize>() * (open.len() + TRIES);
        if open.len() < 2 || n < 2 {
            return Ok(());
        }
        let mut order: Vec<usize> = (0..n).collect();
        for _ in 0..ROUNDS.min(STEPS / round.max(1)) {
            progress.check()?;
            random.shuffle(&mut order);
            let mut moved = false;
            for group in order.iter().copied() {
                let best = open
                    .iter()
                    .copied()
                    .map(|to| (self.change(group, to), to))
                    .filter(|(_, to)| *to != usize::from(self.of[group]));
                if let Some((by, to)) = best.min_by(|a, b| a.0.total_cmp(&b.0))
                    && by < LEAST
                {
                    self.shift(group, to);
                    moved = true;
                    continue;
                }
                for _ in 0..TRIES.min(n) {
                    let other = random.below(n);
                    let (here, there) = (usize::from(self.of[group]), usize::from(self.of[other]));
                    if here == there {
                        continue;
                    }
                    let first = self.change(group, there);
                    self.shift(group, there);
                    if first + self.change(other, here) < LEAST {
                        self.shift(other, here);
                        moved = true;
                        break;
                    }
                    self.shift(group, here);
                }
            }
            if !moved {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_rare_class_gets_its_share_within_groups() {
        for seed in 0..8 {
            let mut random = Chance::new(seed);
            // Groups of 1 to 12 samples, each mostly of one class; one class in thirteen is rare.
            let (mut groups, mut strata) = (Vec::new(), Vec::new());
            for group in 0..150_u32 {
                let class = u32::from(random.below(13) == 0);
                for _ in 0..=random.below(12) {
                    groups.push(group);
                    strata.push(if random.below(10) == 0 { 1 - class } else { class });
                }
            }
            let shares = [0.7, 0.15, 0.15];
            let parts = by_group(&groups, &strata, &shares, &mut random, &Progress::silent()).unwrap();
            let all = strata.iter().filter(|class| **class == 1).count() as f64 / strata.len() as f64;
            for part in 0..3 {
                let of: Vec<u32> = (0..parts.len()).filter(|at| parts[*at] == part).map(|at| strata[at]).collect();
                let rare = of.iter().filter(|class| **class == 1).count() as f64 / of.len() as f64;
                assert!((rare - all).abs() < 0.02, "seed {seed}, part {part}: {rare} of {all}");
                let size = of.len() as f64 / parts.len() as f64;
                assert!((size - shares[usize::from(part)]).abs() < 0.02, "seed {seed}, part {part}: {size}");
            }
            for (at, group) in groups.iter().enumerate() {
                assert!(groups.iter().zip(&parts).all(|(other, part)| other != group || *part == parts[at]));
            }
        }
    }
}
