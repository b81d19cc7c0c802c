//! Rows in the plane: near stays near. At once by the two principal components, better by a layout of the graph of nearest neighbours.
//!
//! The layout is `UMAP`'s (`McInnes`, Healy and Melville, 2018): memberships that fall off from the nearest neighbour on, smoothed to `log2(k)`; attraction along edges as often as
//! they weigh, repulsion from points drawn at random; `a` = 1.577, `b` = 0.895 for a least distance of 0.1. It begins with the principal components and draws from
//! `chance`: the same rows and seed give the same picture, on any machine.

use super::dense::Dense;
use super::neighbours::Neighbour;
use crate::chance::Chance;
use crate::job::{Cancelled, Progress};

/// A place in the plane.
pub type PlanePoint = [f32; 2];

/// Rows that the components are taken of, at most.
const SAMPLED: usize = 20_000;
/// Rounds of orthogonal iteration.
const ROUNDS: usize = 40;

/// The first two principal components of rows, as wide as 20.
///
/// # Errors
/// [`Cancelled`].
pub fn principal(rows: &Dense, progress: &Progress) -> Result<Vec<PlanePoint>, Cancelled> {
    let (n, dims) = (rows.data.len() / rows.dims.max(1), rows.dims);
    if n == 0 || dims == 0 {
        return Ok(Vec::new());
    }
    let step = n.div_ceil(SAMPLED);
    let taken: Vec<usize> = (0..n).step_by(step).collect();
    let mut mean = vec![0.0f64; dims];
    taken.iter().for_each(|row| mean.iter_mut().zip(rows.row(*row)).for_each(|(mean, value)| *mean += f64::from(*value)));
    mean.iter_mut().for_each(|mean| *mean /= taken.len() as f64);
    // Two directions that are multiplied by the rows and back, and kept apart from each other.
    let mut axes = [vec![0.0f64; dims], vec![0.0f64; dims]];
    let mut chance = Chance::new(7);
    axes.iter_mut().flatten().for_each(|value| *value = chance.within(-1.0, 1.0));
    for _ in 0..ROUNDS {
        progress.check()?;
        let mut next = [vec![0.0f64; dims], vec![0.0f64; dims]];
        let mut centred = vec![0.0f64; dims];
        for row in &taken {
            centred.iter_mut().zip(rows.row(*row)).zip(&mean).for_each(|((out, value), mean)| *out = f64::from(*value) - mean);
            for (axis, next) in axes.iter().zip(&mut next) {
                let along: f64 = centred.iter().zip(axis).map(|(a, b)| a * b).sum();
                next.iter_mut().zip(&centred).for_each(|(next, value)| *next += along * value);
            }
        }
        let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-12);
        let first = length(&next[0]);
        next[0].iter_mut().for_each(|value| *value /= first);
        let shared: f64 = next[0].iter().zip(&next[1]).map(|(a, b)| a * b).sum();
        let (one, two) = next.split_at_mut(1);
        two[0].iter_mut().zip(&one[0]).for_each(|(value, base)| *value -= shared * base);
        let second = length(&two[0]);
        two[0].iter_mut().for_each(|value| *value /= second);
        axes = next;
    }
    // A direction has no sign of its own: the largest part of it is taken for positive.
    for axis in &mut axes {
        let most = axis.iter().copied().fold(0.0f64, |best, value| if value.abs() > best.abs() { value } else { best });
        if most < 0.0 {
            axis.iter_mut().for_each(|value| *value = -*value);
        }
    }
    let along = |row: usize, axis: &[f64]| {
        rows.row(row).iter().zip(&mean).zip(axis).map(|((value, mean), axis)| (f64::from(*value) - mean) * axis).sum::<f64>()
    };
    let mut places: Vec<PlanePoint> = (0..n).map(|row| [along(row, &axes[0]) as f32, along(row, &axes[1]) as f32]).collect();
    let widest = places.iter().flatten().fold(0.0f32, |most, value| most.max(value.abs())).max(1e-6);
    places.iter_mut().flatten().for_each(|value| *value *= 10.0 / widest);
    Ok(places)
}

/// An edge of the graph: its ends, and how often it pulls beside the heaviest, 0 to 1.
struct Edge {
    from: u32,
    to: u32,
    weight: f32,
}

/// How much each neighbour is one: 1 for the nearest, the others so that they sum to `log2(k)`.
fn memberships(near: &[Neighbour]) -> Vec<f32> {
    let distances: Vec<f64> = near.iter().map(|near| (1.0 - f64::from(near.likeness)).max(0.0)).collect();
    let nearest = distances.iter().copied().filter(|distance| *distance > 0.0).fold(f64::INFINITY, f64::min);
    let nearest = if nearest.is_finite() { nearest } else { 0.0 };
    let wanted = libm::log2(near.len().max(2) as f64);
    let (mut low, mut high, mut scale) = (0.0, f64::INFINITY, 1.0f64);
    for _ in 0..64 {
        let sum: f64 = distances.iter().map(|distance| libm::exp(-(distance - nearest).max(0.0) / scale)).sum();
        if (sum - wanted).abs() < 1e-5 {
            break;
        }
        if sum > wanted {
            high = scale;
            scale = f64::midpoint(low, high);
        } else {
            low = scale;
            scale = if high.is_finite() { f64::midpoint(low, high) } else { scale * 2.0 };
        }
    }
    distances.iter().map(|distance| libm::exp(-(distance - nearest).max(0.0) / scale.max(1e-9)) as f32).collect()
}

/// The graph of neighbours, each edge once: `a + b − a b` of what both ends say.
fn graph(near: &[Vec<Neighbour>]) -> Vec<Edge> {
    let mut half: Vec<(u32, u32, f32)> = Vec::with_capacity(near.iter().map(Vec::len).sum());
    for (list, row) in near.iter().zip(0u32..) {
        half.extend(list.iter().zip(memberships(list)).map(|(near, weight)| (row.min(near.row), row.max(near.row), weight)));
    }
    half.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    let mut edges: Vec<Edge> = Vec::with_capacity(half.len());
    for (from, to, weight) in half {
        match edges.last_mut().filter(|last| (last.from, last.to) == (from, to)) {
            Some(last) => last.weight = last.weight + weight - last.weight * weight,
            None => edges.push(Edge { from, to, weight }),
        }
    }
    let most = edges.iter().map(|edge| edge.weight).fold(0.0, f32::max).max(1e-9);
    edges.iter_mut().for_each(|edge| edge.weight /= most);
    edges
}

const A: f32 = 1.577;
const B: f32 = 0.895;
/// Points that each end of a pull is pushed from.
const PUSHES: usize = 5;
/// The most that a point is moved at once.
const MOST: f32 = 4.0;

/// Rounds of the layout, for so many rows.
fn rounds(n: usize) -> usize {
    match n {
        0..=100_000 => 200,
        _ => 100,
    }
}

/// Lays rows out from where they begin. Steps of progress: one a round, [`layout_steps`] in all.
///
/// # Errors
/// [`Cancelled`].
pub fn layout(
    begin: Vec<PlanePoint>,
    near: &[Vec<Neighbour>],
    seed: u64,
    progress: &Progress,
) -> Result<Vec<PlanePoint>, Cancelled> {
    let (mut places, n) = (begin, near.len());
    let edges = graph(near);
    if n < 3 || edges.is_empty() {
        return Ok(places);
    }
    let mut chance = Chance::new(seed);
    // Rows that are one and the same begin a little apart.
    places.iter_mut().flatten().for_each(|value| *value += chance.within(-1e-3, 1e-3) as f32);
    let rounds = rounds(n);
    let mut due: Vec<f32> = edges.iter().map(|edge| 1.0 / edge.weight.max(1e-3)).collect();
    for round in 0..rounds {
        progress.step(1)?;
        let rate = 1.0 - round as f32 / rounds as f32;
        for (edge, due) in edges.iter().zip(&mut due) {
            if edge.weight < 1e-3 || *due > round as f32 + 1.0 {
                continue;
            }
            *due += 1.0 / edge.weight;
            let (from, to) = (edge.from as usize, edge.to as usize);
            let (x, y) = (places[from][0] - places[to][0], places[from][1] - places[to][1]);
            let square = x * x + y * y;
            if square > 0.0 {
                let pull = -2.0 * A * B * libm::powf(square, B - 1.0) / (1.0 + A * libm::powf(square, B));
                let (dx, dy) = ((pull * x).clamp(-MOST, MOST) * rate, (pull * y).clamp(-MOST, MOST) * rate);
                places[from] = [places[from][0] + dx, places[from][1] + dy];
                places[to] = [places[to][0] - dx, places[to][1] - dy];
            }
            for end in [from, to] {
                for _ in 0..PUSHES {
                    let other = chance.below(n);
                    if other == end {
                        continue;
                    }
                    let (x, y) = (places[end][0] - places[other][0], places[end][1] - places[other][1]);
                    let square = x * x + y * y;
                    let push = 2.0 * B / ((0.001 + square) * (1.0 + A * libm::powf(square, B)));
                    let by = |value: f32| if square > 0.0 { (push * value).clamp(-MOST, MOST) } else { MOST };
                    places[end] = [places[end][0] + by(x) * rate, places[end][1] + by(y) * rate];
                }
            }
        }
    }
    Ok(places)
}

/// How many steps a layout of so many rows has.
pub fn layout_steps(n: usize) -> u64 {
    rounds(n) as u64
}

/// How far the `k` nearest in the plane are near in truth, 0 to 1 (Venna and Kaski, 2001); over every `step`th row.
pub fn trustworthiness(rows: &Dense, places: &[PlanePoint], k: usize, step: usize) -> f64 {
    let n = places.len();
    let (mut sum, mut asked) = (0.0, 0.0);
    for row in (0..n).step_by(step.max(1)) {
        let in_truth = {
            let mut order: Vec<usize> = (0..n).filter(|other| *other != row).collect();
            let like: Vec<f32> = (0..n).map(|other| super::dense::dot(rows.row(row), rows.row(other))).collect();
            order.sort_by(|a, b| like[*b].total_cmp(&like[*a]).then(a.cmp(b)));
            let mut rank = vec![0usize; n];
            order.iter().enumerate().for_each(|(at, other)| rank[*other] = at + 1);
            rank
        };
        let mut near: Vec<usize> = (0..n).filter(|other| *other != row).collect();
        let away = |other: &usize| (places[row][0] - places[*other][0]).powi(2) + (places[row][1] - places[*other][1]).powi(2);
        near.select_nth_unstable_by(k.min(n - 2), |a, b| away(a).total_cmp(&away(b)));
        sum += near[..k.min(n - 1)].iter().map(|other| in_truth[*other].saturating_sub(k) as f64).sum::<f64>();
        asked += 1.0;
    }
    let (n, k) = (n as f64, k as f64);
    1.0 - 2.0 / (asked * k * (2.0 * n - 3.0 * k - 1.0)) * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::dense::normalise;
    use crate::learn::neighbours::nearest_of;

    /// Three clouds in twenty dimensions.
    fn clouds(n: usize) -> Dense {
        let mut chance = Chance::new(5);
        let mut rows = Dense::zeros(n, 20);
        for row in 0..n {
            let out = rows.row_mut(row);
            out.iter_mut().for_each(|value| *value = chance.within(-0.3, 0.3) as f32);
            out[row % 3] += 2.0;
            normalise(out);
        }
        rows
    }

    #[test]
    fn what_is_near_stays_near_and_the_same_seed_gives_the_same_picture() {
        let rows = clouds(240);
        let queries: Vec<u32> = (0..240).collect();
        let near = nearest_of(&rows, &queries, 12, &Progress::silent()).unwrap();
        let begin = principal(&rows, &Progress::silent()).unwrap();
        let places = layout(begin.clone(), &near, 1, &Progress::silent()).unwrap();
        assert_eq!(places, layout(begin.clone(), &near, 1, &Progress::silent()).unwrap());
        assert!(places.iter().flatten().all(|value| value.is_finite()));
        let (plain, laid) = (trustworthiness(&rows, &begin, 10, 1), trustworthiness(&rows, &places, 10, 1));
        assert!(laid > 0.85 && laid > plain, "{plain} and {laid}");
        // Each cloud lies by itself: the nearest of its middle are its own.
        let middle = |cloud: usize| {
            let of: Vec<PlanePoint> = places.iter().skip(cloud).step_by(3).copied().collect();
            [0, 1].map(|axis| of.iter().map(|place| place[axis]).sum::<f32>() / of.len() as f32)
        };
        let middles = [middle(0), middle(1), middle(2)];
        let away = |a: PlanePoint, b: PlanePoint| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        let right = places
            .iter()
            .enumerate()
            .filter(|(row, place)| (0..3).all(|other| away(**place, middles[row % 3]) <= away(**place, middles[other])))
            .count();
        assert!(right > 230, "{right}");
    }

    #[test]
    fn few_rows_and_equal_ones_are_no_trouble() {
        assert!(principal(&Dense::default(), &Progress::silent()).unwrap().is_empty());
        let mut same = Dense::zeros(5, 3);
        same.data.fill(0.5);
        let begin = principal(&same, &Progress::silent()).unwrap();
        assert!(begin.iter().flatten().all(|value| value.is_finite()));
        let near = nearest_of(&same, &[0, 1, 2, 3, 4], 4, &Progress::silent()).unwrap();
        assert!(layout(begin, &near, 1, &Progress::silent()).unwrap().iter().flatten().all(|value| value.is_finite()));
    }
}
