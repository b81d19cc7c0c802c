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

/// The order in which learning deals samples out: `ChaCha12` (Bernstein, 2008), seeded by PCG32 (O'Neill, 2014), and the shuffle of Durstenfeld
/// with several draws from one number. So the `rand` crate's 0.9 has it, and so it is written down here, because a library's generator may
/// be another one tomorrow, and what was learned with a seed must be learned again with it.
#[derive(Debug, Clone)]
pub struct Deal {
    key: [u32; 8],
    block: u64,
    words: [u32; 16],
    next: usize,
}

impl Deal {
    /// The deal of a seed.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        let key = std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(11_634_580_027_462_260_723);
            let shifted = (((state >> 18) ^ state) >> 27) as u32;
            shifted.rotate_right((state >> 59) as u32)
        });
        Self { key, block: 0, words: [0; 16], next: 16 }
    }

    fn refill(&mut self) {
        const CONSTANT: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
        let mut from = [0_u32; 16];
        from[..4].copy_from_slice(&CONSTANT);
        from[4..12].copy_from_slice(&self.key);
        (from[12], from[13]) = (self.block as u32, (self.block >> 32) as u32);
        let mut x = from;
        let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
            for (add, turn, by) in [(b, d, 16), (d, b, 12), (b, d, 8), (d, b, 7)] {
                let to = if add == b { a } else { c };
                x[to] = x[to].wrapping_add(x[add]);
                x[turn] = (x[turn] ^ x[to]).rotate_left(by);
            }
        };
        for _ in 0..6 {
            for column in 0..4 {
                quarter(column, column + 4, column + 8, column + 12);
            }
            for column in 0..4 {
                quarter(column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12);
            }
        }
        self.words = std::array::from_fn(|at| x[at].wrapping_add(from[at]));
        self.block += 1;
        self.next = 0;
    }

    fn word(&mut self) -> u32 {
        if self.next == self.words.len() {
            self.refill();
        }
        self.next += 1;
        self.words[self.next - 1]
    }

    /// A number below `n`; 0 where `n` is 0 or 1.
    pub fn below(&mut self, n: u32) -> u32 {
        let wide = |word: u32| u64::from(word) * u64::from(n);
        let product = wide(self.word());
        let (high, low) = ((product >> 32) as u32, product as u32);
        // Nearly as even as it can be, by one more number where that may matter (Canon, 2020).
        let carries = low > n.wrapping_neg() && low.checked_add((wide(self.word()) >> 32) as u32).is_none();
        high + u32::from(carries)
    }

    /// Puts a list of fewer than 2³² into a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        if list.len() <= 1 {
            return;
        }
        // The first stays where it is without a draw.
        let (mut left, mut chunk) = (1_u32, 0_u32);
        for at in 0..list.len() as u32 {
            let n = at + 1;
            left = match left.checked_sub(1) {
                Some(left) => left,
                None => {
                    let (bound, draws) = product_from(n);
                    chunk = self.below(bound);
                    draws - 1
                }
            };
            let to = if left == 0 { chunk } else { chunk % n };
            if left > 0 {
                chunk /= n;
            }
            list.swap(at as usize, to as usize);
        }
    }
}

/// The largest `n (n + 1) …` below 2³², and how many factors it has.
fn product_from(n: u32) -> (u32, u32) {
    let (mut product, mut next) = (n, n + 1);
    while let Some(larger) = product.checked_mul(next) {
        (product, next) = (larger, next + 1);
    }
    (product, next - n)
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

    #[test]
    fn a_deal_is_what_it_was_when_the_library_dealt() {
        use rand::rngs::StdRng;
        use rand::seq::SliceRandom as _;
        use rand::{Rng as _, SeedableRng as _};

        for (seed, n) in [(0, 0), (1, 1), (2, 2), (3, 3), (7, 13), (42, 100), (u64::MAX, 1_000), (9, 70_000)] {
            let (mut ours, mut theirs): (Vec<u32>, Vec<u32>) = ((0..n).collect(), (0..n).collect());
            let (mut deal, mut random) = (Deal::new(seed), StdRng::seed_from_u64(seed));
            deal.shuffle(&mut ours);
            theirs.shuffle(&mut random);
            assert_eq!(ours, theirs, "seed {seed}, {n}");
            for bound in [1, 2, 10, 77, 65_537, 3_000_000_000, u32::MAX] {
                assert_eq!(deal.below(bound), random.random_range(0..bound), "seed {seed}, below {bound}");
            }
        }
        // And for ever.
        let mut deal = Deal::new(5);
        assert_eq!([(); 3].map(|()| deal.below(1_000_000)), DEALT);
    }

    const DEALT: [u32; 3] = [179_612, 342_126, 179_882];
}
