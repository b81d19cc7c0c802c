//! `MinHash` signatures in bands (Broder, 1997; Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, 3.4): texts that are much alike share a band, nearly
//! always; who shares one is compared whole. For what is too much to be in one place; where all is in memory, `near` finds every pair.

/// How signatures are cut: so many bands of so many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    pub bands: usize,
    pub rows: usize,
}

impl Bands {
    /// Bands by which pairs of at least this similarity are found: at the threshold itself at least 97 of 100, well above it all but one in thousands.
    pub fn for_threshold(threshold: f64) -> Self {
        // 1 − (1 − t^rows)^bands at t.
        match threshold {
            t if t >= 0.9 => Self { bands: 16, rows: 8 },
            t if t >= 0.75 => Self { bands: 24, rows: 5 },
            t if t >= 0.6 => Self { bands: 32, rows: 4 },
            t if t >= 0.45 => Self { bands: 40, rows: 3 },
            _ => Self { bands: 48, rows: 2 },
        }
    }

    /// The chance that a pair of this similarity shares a band.
    pub fn recall(self, similarity: f64) -> f64 {
        1.0 - (1.0 - similarity.powi(self.rows as i32)).powi(self.bands as i32)
    }

    /// The bands of a set of hashes, each a hash that says which band it is of; none of an empty set.
    pub fn of(self, members: &[u64], out: &mut Vec<u64>) {
        out.clear();
        if members.is_empty() {
            return;
        }
        for band in 0..self.bands {
            let mut hash = mixed(band as u64 ^ 0xA076_1D64_78BD_642F);
            for row in 0..self.rows {
                let salt = mixed((band * self.rows + row) as u64 ^ 0xE703_7ED1_A0B4_28DB);
                let least = members.iter().map(|member| mixed(member ^ salt)).min().unwrap_or(0);
                hash = mixed(hash ^ least);
            }
            out.push(hash);
        }
    }
}

/// `SplitMix64`'s last step (Steele, Lea and Flood, 2014).
fn mixed(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_sets_share_bands_as_often_as_is_said() {
        let bands = Bands::for_threshold(0.8);
        let (mut one, mut other) = (Vec::new(), Vec::new());
        // Sets of 90 with 80 shared: 80 of 100.
        let shared = |at: u64| -> usize {
            let set = |from: u64| (from..from + 90).map(|n| mixed(at * 1_000 + n)).collect::<Vec<_>>();
            let (a, b) = (set(0), set(10));
            let (mut x, mut y) = (Vec::new(), Vec::new());
            bands.of(&a, &mut x);
            bands.of(&b, &mut y);
            x.iter().filter(|band| y.contains(band)).count()
        };
        let found = (0..300).filter(|at| shared(*at) > 0).count();
        assert!(bands.recall(0.8) > 0.999 && found >= 298, "{found}");
        let far = (0..300u64)
            .filter(|at| {
                let set = |from: u64| (from..from + 90).map(|n| mixed(at * 1_000 + n)).collect::<Vec<_>>();
                bands.of(&set(0), &mut one);
                bands.of(&set(80), &mut other);
                one.iter().any(|band| other.contains(band))
            })
            .count();
        assert!(far <= 1, "{far}");
        bands.of(&[], &mut one);
        assert!(one.is_empty());
    }
}
