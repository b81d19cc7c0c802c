//! Tails of distributions, to the digits that double precision has.

/// The logarithm of the gamma function (Lanczos 1964, as Numerical Recipes has it).
pub fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 14] = [
        57.156_235_665_862_92,
        -59.597_960_355_475_49,
        14.136_097_974_741_746,
        -0.491_913_816_097_620_2,
        0.339_946_499_848_118_9e-4,
        0.465_236_289_270_485_8e-4,
        -0.983_744_753_048_795_6e-4,
        0.158_088_703_224_912_5e-3,
        -0.210_264_441_724_104_9e-3,
        0.217_439_618_115_212_6e-3,
        -0.164_318_106_536_763_9e-3,
        0.844_182_239_838_527_4e-4,
        -0.261_908_384_015_814_1e-4,
        0.368_991_826_595_316_2e-5,
    ];
    let t = x + 5.242_187_5;
    let t = (x + 0.5) * t.ln() - t;
    let sum = TERMS.iter().enumerate().fold(0.999_999_999_999_997_1, |sum, (at, term)| sum + term / (x + at as f64 + 1.0));
    t + (2.506_628_274_631_000_5 * sum / x).ln()
}

/// The regularised incomplete beta function (continued fraction by Lentz, as Numerical Recipes has it).
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let tiny = 1e-300;
    let kept = |value: f64| if value.abs() < tiny { tiny } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / kept(1.0 + even * d);
        c = kept(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / kept(1.0 + odd * d);
        c = kept(1.0 + odd / c);
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

/// How likely `hits` or more of `n` are where each is one with probability `share` (binomial, exact).
pub fn binomial_upper(hits: u64, n: u64, share: f64) -> f64 {
    if hits == 0 {
        return 1.0;
    }
    if share <= 0.0 || hits > n {
        return 0.0;
    }
    beta(hits as f64, (n - hits) as f64 + 1.0, share)
}

/// The upper tail of Student's t with `freedom` degrees, which need be no whole number.
pub fn student_upper(t: f64, freedom: f64) -> f64 {
    let tail = 0.5 * beta(freedom / 2.0, 0.5, freedom / (freedom + t * t));
    if t >= 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_what_scipy_says() {
        // scipy.stats.binom.sf(2, 10, .3), binom.sf(97, 223, 0.135758), t.sf(2, 5.5), t.sf(-1, 30).
        assert!((binomial_upper(3, 10, 0.3) - 0.617_217_213_6).abs() < 1e-10);
        assert!((binomial_upper(10, 10, 0.5) - 0.5f64.powi(10)).abs() < 1e-15);
        assert!((student_upper(2.0, 5.5) - 0.048_377_195_115_592_52).abs() < 1e-13);
        assert!((student_upper(-1.0, 30.0) - 0.837_345_692_286_984_9).abs() < 1e-13);
        assert_eq!((binomial_upper(0, 5, 0.2), binomial_upper(1, 5, 0.0)), (1.0, 0.0));
    }
}
