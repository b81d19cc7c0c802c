//! The least of a smooth convex function by L-BFGS (Nocedal and Wright 2006, algorithm 7.5), with a guess of the curvature by the caller.

use super::head_numbers::largest;
use crate::job::{Cancelled, Progress};

/// Steps that are remembered of a search, and of one over very many numbers.
const MEMORY: usize = 12;
const MEMORY_OF_MANY: usize = 5;
/// More numbers than this are very many: each remembered step holds them twice.
const MANY: usize = 1 << 20;

/// What a function is worth somewhere.
pub(super) struct Worth {
    pub value: f64,
    pub gradient: Vec<f64>,
    /// How strongly it bends, by the caller's own measure: handed on to what guesses the curvature.
    pub bend: f64,
}

/// When a search ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Enough {
    pub steps: usize,
    /// No part of the gradient is larger than this part of what it was at the start; `from` where that is known from elsewhere (a search that begins near its end).
    pub tolerance: f64,
    pub from: Option<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Searches from `at`. `divide` divides a direction by the guessed curvature, given [`Worth::bend`].
///
/// # Errors
/// [`Cancelled`].
pub(super) fn minimise(
    mut at: Vec<f64>,
    enough: Enough,
    progress: &Progress,
    worth: &dyn Fn(&[f64]) -> Worth,
    divide: &dyn Fn(f64, &mut [f64]),
) -> Result<Vec<f64>, Cancelled> {
    let mut here = worth(&at);
    let least = enough.tolerance * enough.from.unwrap_or_else(|| largest(&here.gradient)).max(f64::MIN_POSITIVE);
    let memory = if at.len() > MANY { MEMORY_OF_MANY } else { MEMORY };
    let mut past: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for _ in 0..enough.steps {
        progress.check()?;
        if largest(&here.gradient) <= least {
            break;
        }
        let mut direction: Vec<f64> = here.gradient.iter().map(|part| -part).collect();
        let mut shares = Vec::with_capacity(past.len());
        for (moved, turned, curvature) in past.iter().rev() {
            let share = dot(moved, &direction) / curvature;
            direction.iter_mut().zip(turned).for_each(|(part, turned)| *part -= share * turned);
            shares.push(share);
        }
        divide(here.bend, &mut direction);
        // The guess is right in shape; its size is that of the last step.
        if let Some((_, turned, curvature)) = past.last() {
            let mut guessed = turned.clone();
            divide(here.bend, &mut guessed);
            let size = curvature / dot(turned, &guessed);
            direction.iter_mut().for_each(|part| *part *= size);
        }
        for ((moved, turned, curvature), share) in past.iter().zip(shares.into_iter().rev()) {
            let back = dot(turned, &direction) / curvature;
            direction.iter_mut().zip(moved).for_each(|(part, moved)| *part += (share - back) * moved);
        }
        let slope = dot(&here.gradient, &direction);
        if slope.is_nan() || slope >= 0.0 {
            if past.is_empty() {
                break;
            }
            past.clear();
            continue;
        }
        let Some((next, there)) = along(&at, &here, &direction, slope, worth) else { break };
        let moved: Vec<f64> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
        let turned: Vec<f64> = there.gradient.iter().zip(&here.gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&moved, &turned);
        if curvature > 1e-12 * dot(&turned, &turned) {
            past.push((moved, turned, curvature));
            if past.len() > memory {
                past.remove(0);
            }
        }
        (at, here) = (next, there);
    }
    Ok(at)
}

/// A step along a direction that wins enough and turns enough (weak Wolfe, by halving and doubling); `None` where nothing is to be won any more.
fn along(at: &[f64], here: &Worth, direction: &[f64], slope: f64, worth: &dyn Fn(&[f64]) -> Worth) -> Option<(Vec<f64>, Worth)> {
    let (mut step, mut low, mut high) = (1.0, 0.0, f64::INFINITY);
    let mut found = None;
    for _ in 0..40 {
        let next: Vec<f64> = at.iter().zip(direction).map(|(at, part)| at + step * part).collect();
        let there = worth(&next);
        let rises = dot(&there.gradient, direction);
        // Near the end the value says nothing any more, and the slope does (Hager and Zhang 2005, approximate Wolfe).
        let close = there.value <= here.value + 1e-12 * here.value.abs() && rises <= -0.8 * slope;
        if !there.value.is_finite() || there.value > here.value + 1e-4 * step * slope && !close {
            high = step;
        } else if rises < 0.9 * slope {
            low = step;
            found = Some((next, there));
        } else {
            found = Some((next, there));
            break;
        }
        step = if high.is_finite() { f64::midpoint(low, high) } else { step * 2.0 };
    }
    found.filter(|(next, _)| next != at)
}
