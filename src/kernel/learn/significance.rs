//! How far a figure could be chance: intervals, and tests between two models on the same rows.

use crate::chance::Chance;

/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's interval of a share, at 95 %.
pub fn wilson(right: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (n as f64, right as f64 / n as f64);
    let square = Z * Z / n;
    let middle = (p + square / 2.0) / (1.0 + square);
    let half = Z / (1.0 + square) * (p * (1.0 - p) / n + square / (4.0 * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// The value below which such a part of sorted values lies, between two by their distance (numpy's linear way).
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = part * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// Draws of a bootstrap where nobody says otherwise.
pub const DRAWS: usize = 2_000;

/// The 95 % interval of a figure over draws of rows with replacement: by percentiles.
pub fn percentile_interval(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (quantile(&values, 0.025), quantile(&values, 0.975))
}

/// Draws of so many rows with replacement: `draw` works a figure out of each. Rows of one group are drawn together, where groups are given.
pub fn bootstrap(
    rows: usize,
    groups: Option<&[u32]>,
    draws: usize,
    seed: u64,
    draw: &mut dyn FnMut(&[u32]) -> f64,
) -> (f64, f64) {
    let mut chance = Chance::new(seed);
    let members: Vec<Vec<u32>> = match groups {
        None => Vec::new(),
        Some(groups) => {
            let mut members = vec![Vec::new(); groups.iter().max().map_or(0, |most| *most as usize + 1)];
            groups.iter().zip(0..).for_each(|(group, row)| members[*group as usize].push(row));
            members.retain(|group: &Vec<u32>| !group.is_empty());
            members
        }
    };
    let mut drawn = Vec::with_capacity(rows);
    let values = (0..draws)
        .map(|_| {
            drawn.clear();
            if groups.is_some() {
                (0..members.len()).for_each(|_| drawn.extend(&members[chance.below(members.len())]));
            } else {
                (0..rows).for_each(|_| drawn.push(chance.below(rows) as u32));
            }
            draw(&drawn)
        })
        .collect();
    percentile_interval(values)
}

/// Two models on the same rows: how often only one is right, and how likely such a difference is by chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    pub only_one: usize,
    pub only_other: usize,
    pub exact: f64,
    /// The exact value less half of what is just as likely.
    pub mid: f64,
    pub chi2: f64,
    pub corrected: f64,
}

/// The probability of at most `k` of `n` fair coins, and of exactly `k`.
fn coins(k: usize, n: usize) -> (f64, f64) {
    let half = n as f64 * 0.5f64.ln();
    // The logarithm of `n` over each is carried along from the one before.
    let (mut ways, mut sum, mut exactly) = (0.0f64, 0.0f64, 0.0f64);
    for at in 0..=k {
        exactly = (ways + half).exp();
        sum += exactly;
        ways += ((n - at) as f64 / (at + 1) as f64).ln();
    }
    (sum.min(1.0), exactly)
}

/// The tail of the χ² distribution with one degree of freedom: `erfc(√(x / 2))`.
pub fn chi2_tail(x: f64) -> f64 {
    erfc((x / 2.0).sqrt())
}

/// The complement of the error function, to some 1e-15: by its series near 0, by its continued fraction beyond (Abramowitz and Stegun 7.1.5, 7.1.14).
pub fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            let next = term / f64::from(2 * n + 1);
            sum += next;
            if next.abs() < 1e-18 {
                break;
            }
        }
        return 1.0 - sum * 2.0 / std::f64::consts::PI.sqrt();
    }
    let fraction = (1..=120).rev().fold(x, |below, n| x + f64::from(n) / 2.0 / below);
    (-x * x).exp() / (fraction * std::f64::consts::PI.sqrt())
}

impl McNemar {
    /// Of rows that only the one, and that only the other has right.
    pub fn of(only_one: usize, only_other: usize) -> Self {
        let n = only_one + only_other;
        if n == 0 {
            return Self { only_one, only_other, exact: 1.0, mid: 1.0, chi2: 1.0, corrected: 1.0 };
        }
        let (at_most, exactly) = coins(only_one.min(only_other), n);
        let exact = (2.0 * at_most).min(1.0);
        let mid = if only_one == only_other { 1.0 - 0.5 * exactly } else { (exact - exactly).min(1.0) };
        let apart = only_one.abs_diff(only_other) as f64;
        let chi2 = chi2_tail(apart * apart / n as f64);
        Self { only_one, only_other, exact, mid, chi2, corrected: chi2_tail((apart - 1.0).powi(2) / n as f64) }
    }

    /// The value to go by: exact where there are few, mid where there are many.
    pub fn p(self) -> f64 {
        if self.only_one + self.only_other < 25 { self.exact } else { self.mid }
    }

    /// The smallest difference of accuracy that such a test could show with so many rows (at 5 %, four times of five).
    pub fn smallest(self, rows: usize) -> f64 {
        2.8 * ((self.only_one + self.only_other) as f64).sqrt() / rows.max(1) as f64
    }
}

/// Values of several tests, corrected by Holm's way.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut out = vec![1.0; p.len()];
    let mut most = 0.0f64;
    for (rank, at) in order.into_iter().enumerate() {
        most = most.max((p.len() - rank) as f64 * p[at]);
        out[at] = most.min(1.0);
    }
    out
}

/// How likely a difference of two models is by chance: rows are changed about between them at random.
pub fn permutation(difference: f64, swapped: impl Iterator<Item = f64>) -> f64 {
    let (n, beyond) = swapped
        .fold((0usize, 0usize), |(n, beyond), other| (n + 1, beyond + usize::from(other.abs() >= difference.abs() - 1e-12)));
    (1 + beyond) as f64 / (n + 1) as f64
}
