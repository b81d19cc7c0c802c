//! Whether two lists of values differ: distances as evidently, nannyml and scipy have them, and tests in which both are samples.

use super::significance::erfc;
use super::tails::ln_gamma;
use crate::chance::{Chance, seed_of};

/// Two lists of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberDrift {
    /// Kolmogorov and Smirnov's distance, and its p: exact up to 10,000 numbers each, else by the limit.
    pub ks: f64,
    pub ks_p: f64,
    /// Wasserstein's distance, and it over the deviation of the first list.
    pub wasserstein: f64,
    pub wasserstein_normed: f64,
    /// The deviation of the first list (of a population).
    pub deviation: f64,
    /// By bins over both, as Sturges has them.
    pub binned: CountDrift,
}

/// Two lists of counts of the same values.
#[derive(Debug, Clone, PartialEq)]
pub struct CountDrift {
    /// The square root of Jensen and Shannon's divergence, natural logarithm.
    pub js: f64,
    pub hellinger: f64,
    /// Total variation: half the sum of differences of shares.
    pub total_variation: f64,
    /// The population stability index; a share of nothing counts as 0.0001 (as evidently fills it).
    pub psi: f64,
    /// χ² of two samples, its degrees of freedom and its p; values of which fewer than five are expected are taken together.
    pub chi2: ChiSquare,
}

/// A test of two lists of counts, both samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    pub statistic: f64,
    pub freedom: usize,
    pub p: f64,
}

/// Up to so many numbers each the distribution of Kolmogorov and Smirnov's distance is counted out, as scipy does.
const EXACT: usize = 10_000;
/// Fewer than this expected in a cell, and the limit of χ² says little.
const EXPECTED: f64 = 5.0;
/// The least deviation that a distance is divided by (evidently's).
const LEAST: f64 = 0.001;

impl NumberDrift {
    /// Of two lists of finite numbers; `None` where one is empty.
    pub fn of(first: &[f64], second: &[f64]) -> Option<Self> {
        if first.is_empty() || second.is_empty() {
            return None;
        }
        let sorted = |list: &[f64]| {
            let mut list = list.to_vec();
            list.sort_by(f64::total_cmp);
            list
        };
        let (a, b) = (sorted(first), sorted(second));
        let (ks, wasserstein) = distances(&a, &b);
        let mean = a.iter().sum::<f64>() / a.len() as f64;
        let deviation = (a.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / a.len() as f64).sqrt();
        let counts = binned(&a, &b);
        Some(Self {
            ks,
            ks_p: ks_p(ks, a.len(), b.len()),
            wasserstein,
            wasserstein_normed: wasserstein / deviation.max(LEAST),
            deviation,
            binned: CountDrift::of(&counts.0, &counts.1)?,
        })
    }
}

/// The largest difference of the two distributions, and the area between them. Both lists are sorted.
fn distances(a: &[f64], b: &[f64]) -> (f64, f64) {
    let (mut i, mut j) = (0, 0);
    let (mut ks, mut area) = (0.0f64, 0.0);
    let mut before: Option<f64> = None;
    while i < a.len() || j < b.len() {
        let now = match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) => x.min(*y),
            (Some(x), None) => *x,
            (None, Some(y)) => *y,
            (None, None) => break,
        };
        let apart = (i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs();
        if let Some(before) = before {
            area += apart * (now - before);
        }
        i += a[i..].iter().take_while(|x| **x == now).count();
        j += b[j..].iter().take_while(|x| **x == now).count();
        ks = ks.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
        before = Some(now);
    }
    (ks, area)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The p of a distance, two-sided (scipy's `ks_2samp`: lattice paths that leave the strip between two lines).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ks_p(d: f64, n: usize, m: usize) -> f64 {
    if n.max(m) > EXACT {
        return ks_limit(d, n as f64 * m as f64 / (n + m) as f64);
    }
    let (m, n) = (n.max(m), n.min(m));
    let g = gcd(m, n);
    let (mg, ng) = (m / g, n / g);
    let h = (d * (mg * n) as f64).round() as usize;
    if h == 0 {
        return 1.0;
    }
    let found = if m == n { outside_square(n, h) } else { outside_strip((m, n), (mg, ng), h) };
    if (0.0..=1.0).contains(&found) { found } else { ks_limit(d, n as f64 * m as f64 / (n + m) as f64) }
}

fn outside_square(n: usize, h: usize) -> f64 {
    let mut p = 0.0;
    for k in (0..=n / h).rev() {
        let mut own = 1.0;
        for j in 0..h {
            own *= (n as f64 - (k * h) as f64 - j as f64) / (n + k * h + j + 1) as f64;
        }
        p = own * (1.0 - p);
    }
    2.0 * p
}

fn outside_strip((m, n): (usize, usize), (mg, ng): (usize, usize), h: usize) -> f64 {
    let mut from = 0usize;
    let mut to = h.div_ceil(mg).min(n + 1);
    let mut held = (2 * to + 2).min(n + 1);
    let mut a = vec![1.0f64; held];
    a[..to].fill(0.0);
    let mut length = to - from;
    for i in 1..=m {
        let (last, last_length) = (from, length);
        from = if ng * i >= h { ((ng * i - h) / mg + 1).min(n) } else { 0 };
        to = (ng * i + h).div_ceil(mg).min(n + 1);
        if to <= from {
            return 1.0;
        }
        // Room for a strip that is a step wider here than where it began.
        if held < to - from + 1 {
            held = to - from + 1;
            a.resize(held, 1.0);
        }
        let mut value = f64::from(u8::from(from != 0));
        for at in 0..to - from {
            let j = at + from;
            let above = a.get(at + from - last).copied().unwrap_or(1.0);
            value = (above * i as f64 + value * j as f64) / (i + j) as f64;
            a[at] = value;
        }
        length = to - from;
        if last_length > length {
            let end = last_length.min(held);
            a[length..end].fill(1.0);
        }
    }
    a[to - from - 1]
}

/// The limit of the distribution, with Stephens' correction (1970).
fn ks_limit(d: f64, n: f64) -> f64 {
    let x = d * (n.sqrt() + 0.12 + 0.11 / n.sqrt());
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| (-2.0 * f64::from(k * k) * x * x).exp() * if k % 2 == 1 { 1.0 } else { -1.0 };
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// Counts in bins of one width over both lists, which are sorted (numpy's "sturges"); of up to twenty values of the first list each by itself.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn binned(a: &[f64], b: &[f64]) -> (Vec<u64>, Vec<u64>) {
    let mut values: Vec<f64> = a.to_vec();
    values.dedup();
    if values.len() <= 20 {
        values.extend(b);
        values.sort_by(f64::total_cmp);
        values.dedup();
        let counted = |list: &[f64]| {
            let mut out = vec![0; values.len()];
            list.iter().for_each(|x| out[values.partition_point(|value| value < x)] += 1);
            out
        };
        return (counted(a), counted(b));
    }
    let (low, high) = (a[0].min(b[0]), a[a.len() - 1].max(b[b.len() - 1]));
    let width = (high - low) / (((a.len() + b.len()) as f64).log2() + 1.0);
    let bins = if width > 0.0 { ((high - low) / width).ceil().max(1.0) as usize } else { 1 };
    let edge = |at: usize| if at == bins { high } else { low + (high - low) * at as f64 / bins as f64 };
    let counted = |list: &[f64]| {
        let mut out = vec![0; bins];
        for x in list {
            let mut at = (((x - low) / (high - low) * bins as f64) as usize).min(bins - 1);
            // What division has put beside its bin goes back.
            if *x < edge(at) {
                at -= 1;
            } else if at + 1 < bins && *x >= edge(at + 1) {
                at += 1;
            }
            out[at] += 1;
        }
        out
    };
    (counted(a), counted(b))
}

impl CountDrift {
    /// Of counts of the same values; `None` where one list counts nothing.
    pub fn of(first: &[u64], second: &[u64]) -> Option<Self> {
        let (n, m) = (first.iter().sum::<u64>() as f64, second.iter().sum::<u64>() as f64);
        if n == 0.0 || m == 0.0 {
            return None;
        }
        let p: Vec<f64> = first.iter().map(|x| *x as f64 / n).collect();
        let q: Vec<f64> = second.iter().map(|x| *x as f64 / m).collect();
        let pairs = || p.iter().copied().zip(q.iter().copied());
        let part = |x: f64, mean: f64| if x > 0.0 { x * (x / mean).ln() } else { 0.0 };
        let both = |p: f64, q: f64| f64::midpoint(part(p, f64::midpoint(p, q)), part(q, f64::midpoint(p, q)));
        let divergence: f64 = pairs().map(|(p, q)| both(p, q)).sum();
        let filled = |list: &[f64]| {
            let least = list.iter().copied().filter(|x| *x > 0.0).fold(f64::INFINITY, f64::min);
            let fill = if least <= 1e-4 { least / 1e6 } else { 1e-4 };
            list.iter().map(|x| if *x > 0.0 { *x } else { fill }).collect::<Vec<f64>>()
        };
        let (pf, qf) = (filled(&p), filled(&q));
        Some(Self {
            js: divergence.max(0.0).sqrt(),
            hellinger: (1.0 - pairs().map(|(p, q)| (p * q).sqrt()).sum::<f64>()).max(0.0).sqrt(),
            total_variation: pairs().map(|(p, q)| (p - q).abs()).sum::<f64>() / 2.0,
            psi: pf.iter().zip(&qf).map(|(p, q)| (p - q) * (p / q).ln()).sum(),
            chi2: ChiSquare::pooled(first, second),
        })
    }
}

impl ChiSquare {
    /// Of counts as they are; values that neither list has are left out.
    pub fn of(first: &[u64], second: &[u64]) -> Self {
        let cells: Vec<(f64, f64)> =
            first.iter().zip(second).filter(|(a, b)| *a + *b > 0).map(|(a, b)| (*a as f64, *b as f64)).collect();
        let (n, m) = cells.iter().fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
        let freedom = cells.len().saturating_sub(1);
        if freedom == 0 || n == 0.0 || m == 0.0 {
            // A constant is steady: there is nothing that could differ.
            return Self { statistic: 0.0, freedom, p: 1.0 };
        }
        let statistic = cells
            .iter()
            .map(|(a, b)| {
                let (x, y) = ((a + b) * n / (n + m), (a + b) * m / (n + m));
                (a - x).powi(2) / x + (b - y).powi(2) / y
            })
            .sum();
        Self { statistic, freedom, p: chi2_upper(statistic, freedom) }
    }

    /// The same with values taken together of which fewer than five are expected in one of the lists.
    pub fn pooled(first: &[u64], second: &[u64]) -> Self {
        let (n, m) = (first.iter().sum::<u64>() as f64, second.iter().sum::<u64>() as f64);
        let mut order: Vec<usize> = (0..first.len()).collect();
        order.sort_by_key(|at| (first[*at] + second[*at], *at));
        let few = |all: u64| all as f64 * n.min(m) / (n + m).max(1.0) < EXPECTED;
        let (mut a, mut b): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
        let mut rest = (0, 0);
        for at in order {
            // Rare ones first: they are gathered until so many are expected of them together.
            if few(first[at] + second[at]) || (rest.0 + rest.1 > 0 && few(rest.0 + rest.1)) {
                rest = (rest.0 + first[at], rest.1 + second[at]);
            } else {
                a.push(first[at]);
                b.push(second[at]);
            }
        }
        if rest.0 + rest.1 > 0 {
            a.push(rest.0);
            b.push(rest.1);
        }
        let found = Self::of(&a, &b);
        // Where so few rows leave one class together, chance is drawn and not reckoned.
        if found.freedom == 0 && first.iter().zip(second).filter(|(a, b)| **a + **b > 0).count() > 1 {
            let whole = Self::of(first, second);
            return Self { p: drawn_p(first, second, whole.statistic), ..whole };
        }
        found
    }
}

/// How often chance deals so large a statistic: the smaller list is drawn out of both, so often.
const DRAWS: usize = 999;

fn drawn_p(first: &[u64], second: &[u64], statistic: f64) -> f64 {
    let all: Vec<u64> = first.iter().zip(second).map(|(a, b)| a + b).collect();
    let least = first.iter().sum::<u64>().min(second.iter().sum());
    let mut chance = Chance::new(all.iter().fold(0xc5, |seed, n| seed_of(&[seed, *n])));
    let mut met = 0;
    for _ in 0..DRAWS {
        let mut left = all.clone();
        let mut rows: u64 = left.iter().sum();
        let mut own = vec![0; all.len()];
        for _ in 0..least {
            let mut at = chance.below(usize::try_from(rows).unwrap_or(usize::MAX)) as u64;
            // The class that holds the row of that number.
            for (class, n) in left.iter_mut().enumerate() {
                if at < *n {
                    *n -= 1;
                    own[class] += 1;
                    break;
                }
                at -= *n;
            }
            rows -= 1;
        }
        met += usize::from(ChiSquare::of(&own, &left).statistic >= statistic - 1e-9);
    }
    (met + 1) as f64 / (DRAWS + 1) as f64
}

/// The upper tail of the χ² distribution.
pub fn chi2_upper(x: f64, freedom: usize) -> f64 {
    if x <= 0.0 || freedom == 0 {
        return 1.0;
    }
    let (a, x) = (freedom as f64 / 2.0, x / 2.0);
    if x < a + 1.0 { 1.0 - gamma_series(a, x) } else { gamma_fraction(a, x) }
}

/// The lower tail of the gamma distribution by its series.
fn gamma_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
    for _ in 0..10_000 {
        n += 1.0;
        term *= x / n;
        sum += term;
        if term.abs() < sum.abs() * 1e-16 {
            break;
        }
    }
    sum * (a * x.ln() - x - ln_gamma(a)).exp()
}

/// The upper tail by a continued fraction (Lentz).
fn gamma_fraction(a: f64, x: f64) -> f64 {
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..10_000 {
        let an = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / if d.abs() < tiny { tiny } else { d };
        c = b + an / c;
        c = if c.abs() < tiny { tiny } else { c };
        let by = d * c;
        h *= by;
        if (by - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (a * x.ln() - x - ln_gamma(a)).exp() * h
}

/// How likely shares of two lists differ so much by chance, two-sided (both samples; with so few that the limit says little the exact tail of what none of the first list has).
pub fn share_p((a, n): (u64, u64), (b, m): (u64, u64)) -> f64 {
    if n == 0 || m == 0 || a + b == 0 || a + b == n + m {
        return 1.0;
    }
    if a == 0 {
        // All of them in the second list: one arrangement of those there are.
        return (0..b).map(|k| (m - k) as f64 / (n + m - k) as f64).product();
    }
    let all = (a + b) as f64 / (n + m) as f64;
    let error = (all * (1.0 - all) * (1.0 / n as f64 + 1.0 / m as f64)).sqrt();
    let z = (a as f64 / n as f64 - b as f64 / m as f64).abs() / error;
    erfc(z / std::f64::consts::SQRT_2)
}

/// p corrected for how many there are, so that of what is called so much is by chance (Benjamini and Hochberg 1995).
pub fn false_discoveries(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut out = vec![1.0; p.len()];
    let mut least = 1.0f64;
    for (at, place) in order.into_iter().enumerate() {
        least = least.min(p[place] * p.len() as f64 / (p.len() - at) as f64);
        out[place] = least;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_what_tables_say() {
        assert!((chi2_upper(3.841_458_820_694_124, 1) - 0.05).abs() < 1e-12);
        assert!((chi2_upper(21.026_069_817_483_066, 12) - 0.05).abs() < 1e-12);
        assert!((chi2_upper(0.5, 10) - 0.999_993_388_289_439).abs() < 1e-12 && chi2_upper(0.0, 3) == 1.0);
        assert_eq!(false_discoveries(&[0.01, 0.04, 0.03, 0.5]), [0.04, 0.04 * 4.0 / 3.0, 0.04 * 4.0 / 3.0, 0.5]);
        assert!((share_p((0, 100), (3, 50)) - 50.0 / 150.0 * 49.0 / 149.0 * 48.0 / 148.0).abs() < 1e-12);
        // Of 37 rows of a class that nobody had none are expected; that they all are is no chance, and that a few rows are as the others is.
        assert!((ChiSquare::pooled(&[3_000, 0], &[0, 37]).p - 0.001).abs() < 1e-9);
        assert!(ChiSquare::pooled(&[1_500, 1_500], &[4, 5]).p > 0.5);
        assert_eq!(NumberDrift::of(&[], &[1.0]), None);
        let same = NumberDrift::of(&[1.0; 30], &[1.0; 20]).unwrap();
        assert!(same.ks == 0.0 && same.ks_p == 1.0 && same.binned.chi2.p == 1.0, "a constant is steady");
    }
}
