//! Seeded chance that is the same on every machine and for ever: what augmentation draws from. Integers only, and floats by exact
//! division, so that no library, processor or number of threads moves a bit.

/// A stream of random numbers: xoshiro256++ (Blackman and Vigna, 2019), seeded by `SplitMix64`.
#[derive(Debug, Clone)]
pub struct Chance([u64; 4]);

/// Mixes a number well (`SplitMix64`'s finaliser; Steele, Lea and Flood, 2014).
fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One seed from several numbers: another order gives another seed.
pub fn seed_of(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |seed, part| mixed(seed.rotate_left(23).wrapping_add(*part)))
}

impl Chance {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let step = |n: u64| mixed(seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Self([step(1), step(2), step(3), step(4)])
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number from 0 up to but not 1.
    pub fn part(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from `low` to `high`; `low` where that is not below.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        let part = self.part();
        if high > low { low + (high - low) * part } else { low }
    }

    /// A whole number below `n`; 0 where `n` is 0. Unbiased to one part in 2⁶⁴ / n (Lemire, 2019).
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Whether something of probability `p` happens.
    pub fn happens(&mut self, p: f64) -> bool {
        self.part() < p
    }

    /// Puts a list into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }

    /// One of a list; `None` of an empty one.
    pub fn one_of<'t, T>(&mut self, list: &'t [T]) -> Option<&'t T> {
        let at = self.below(list.len());
        list.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut chance = Chance::new(7);
        let first: Vec<u64> = (0..3).map(|_| chance.bits()).collect();
        // Written down once: a change here changes every augmentation ever made.
        assert_eq!(first, FIRST);
        assert_ne!(seed_of(&[1, 2]), seed_of(&[2, 1]));
    }

    const FIRST: [u64; 3] = [1_021_219_803_524_665_661, 3_174_977_118_032_272_916, 13_236_943_193_235_544_178];

    #[test]
    fn numbers_are_spread_evenly() {
        let mut chance = Chance::new(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[chance.below(7)] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 400), "{counts:?}");
        assert_eq!(chance.below(0), 0);
        assert_eq!(chance.within(3.0, 3.0), 3.0);
        let mean: f64 = (0..10_000).map(|_| chance.within(-1.0, 1.0)).sum::<f64>() / 1e4;
        assert!(mean.abs() < 0.03, "{mean}");
    }
}
