//! Figures that several checks need, and how they are written.

use crate::data::count;

/// The value at `part` (0 to 1) of a sorted list, by linear interpolation (as `NumPy`'s `percentile`).
pub(super) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = part * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}

/// A number as it is said in a reason.
pub(super) fn show(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e12 {
        group(value)
    } else {
        format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

fn group(value: f64) -> String {
    let digits = count(value.abs() as usize);
    if value < 0.0 { format!("-{digits}") } else { digits }
}
