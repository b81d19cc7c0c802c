//! Which head: how strongly its weights are held small, and whether rows are evened, by cross-validation within the rows that are trained on.

use super::folds::stratified;
use super::heads::{HeadFit, HeadInput, HeadLoss, HeadSpace, LinearHead, softmax};
use crate::chance::Deal;
use crate::job::{Cancelled, Progress};

/// The `C` that are tried where nobody names one.
pub const GRID: [f64; 6] = [0.1, 1.0, 3.0, 10.0, 30.0, 100.0];
/// Folds of the validation.
pub const FOLDS: usize = 5;
/// So many of the first fold's best go through the others, where there are more rows than this; of fewer a fold says little, and all go through all.
const FINALISTS: usize = 1;
const FEW: usize = 4_000;
/// More rows than this are not cross-validated on: so many are drawn.
const MOST: usize = 30_000;
/// How near to the optimum a search in the validation ends at `C` = 1, and the last one.
const ROUGHLY: f64 = 1e-2;
const NEARLY: f64 = 1e-3;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TriedHead {
    pub c: f64,
    pub evened: bool,
    /// Of how many folds, and how many of their rows it had right.
    pub folds: usize,
    pub accuracy: f64,
}

/// What a model says of a row that it was not trained on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    pub said: u32,
    /// The probability of that.
    pub sure: f32,
}

/// The head that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct ChosenHead {
    pub head: LinearHead,
    /// By how much the margins of support vectors were sharpened; 1 of logits.
    pub sharpened: f64,
    pub fit: HeadFit,
    /// In the order tried; empty where nothing was to be chosen.
    pub tried: Vec<TriedHead>,
    /// By row: what is said of it by a model that has not seen it. `None` of rows that were not drawn for it.
    pub held_out: Vec<Option<HeldOut>>,
}

/// Rows to learn from: places in the input, the class of each, and what belongs together (children with their parent), which no fold parts.
#[derive(Debug, Clone, Copy)]
pub struct HeadRows<'r> {
    pub rows: &'r [u32],
    pub truth: &'r [u32],
    /// A number a row; rows of one number stay in one fold.
    pub together: &'r [u32],
    pub classes: usize,
}

/// A tolerance for a search at `c`: the gradient of a head that is hardly held is small long before it is found.
fn near(tolerance: f64, c: f64) -> f64 {
    tolerance / c.max(1.0).sqrt()
}

/// By how much the margins of support vectors are sharpened, at most: they are no logits, and what is said of held-out rows says how sure they are.
const SHARPENED: [f64; 12] = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0];

/// Fits a head, choosing what `fit` leaves open: `C` among [`GRID`] where `c` is `None`, and whether rows are evened.
///
/// # Errors
/// [`Cancelled`].
pub fn choose_head(
    input: HeadInput<'_>,
    rows: HeadRows<'_>,
    fit: HeadFit,
    c: Option<f64>,
    seed: u64,
    progress: &Progress,
) -> Result<ChosenHead, Cancelled> {
    let grid = c.map_or(GRID.to_vec(), |c| vec![c]);
    let shapes: &[bool] = if matches!(input, HeadInput::Dense(_)) { &[false, true] } else { &[false] };
    let (drawn, n) = (drawn(rows, seed), rows.rows.len());
    let fold_of = folds_of(rows, &drawn, seed);
    let most = if drawn.len() > FEW { FINALISTS } else { usize::MAX };
    let all = shapes.len() * grid.len();
    progress.set_total((all + all.min(most) * (FOLDS - 1) + 4) as u64);
    let rough = HeadFit { tolerance: ROUGHLY, steps: 80, ..fit };
    let space = HeadSpace::new(input, rows.rows, &rough, progress)?;
    let scales = if fit.loss == HeadLoss::Support { vec![0.0; SHARPENED.len()] } else { Vec::new() };
    let tried =
        shapes.iter().flat_map(|evened| grid.iter().map(|c| TriedHead { c: *c, evened: *evened, folds: 0, accuracy: 0.0 }));
    let mut tried: Vec<Contestant> = tried
        .map(|tried| Contestant { tried, right: 0, rows: 0, loss: 0.0, sharpened: scales.clone(), held: vec![None; n] })
        .collect();
    let mut finalists: Vec<usize> = (0..tried.len()).collect();
    for fold in 0..FOLDS {
        let (outer, inner): (Vec<u32>, Vec<u32>) = drawn.iter().partition(|at| fold_of[**at as usize] == fold as u8);
        if inner.is_empty() || outer.is_empty() {
            continue;
        }
        let truth: Vec<u32> = inner.iter().map(|at| rows.truth[*at as usize]).collect();
        for evened in shapes {
            let fit = HeadFit { evened: *evened, ..rough };
            let mut path = space.path(&inner, &truth, rows.classes, &fit);
            for at in finalists.iter().copied() {
                if tried[at].tried.evened == *evened {
                    let c = tried[at].tried.c;
                    let head = path.fit(&HeadFit { c, tolerance: near(ROUGHLY, c), ..fit }, progress)?;
                    tried[at].see(&head, input, rows, &outer);
                    progress.step(1)?;
                }
            }
        }
        if finalists.len() > most {
            finalists.sort_by(|a, b| tried[*b].better(&tried[*a]).then(a.cmp(b)));
            finalists.iter().skip(most).for_each(|at| tried[*at].held = Vec::new());
            finalists.truncate(most);
            finalists.sort_unstable();
        }
    }
    // Of equals the plainer one, and the one that is held more.
    let best = finalists.into_iter().max_by(|a, b| tried[*a].better(&tried[*b]).then(b.cmp(a)));
    let (chosen, sharpened, held_out) = best.map_or_else(
        || (TriedHead { c: grid[0], evened: false, folds: 0, accuracy: 0.0 }, 1.0, vec![None; n]),
        |at| (tried[at].tried, tried[at].best_sharpness(), std::mem::take(&mut tried[at].held)),
    );
    let fit = HeadFit { c: chosen.c, evened: chosen.evened, tolerance: near(NEARLY, chosen.c), ..fit };
    let every: Vec<u32> = (0..n as u32).collect();
    let mut head = space.path(&every, rows.truth, rows.classes, &fit).fit(&fit, progress)?;
    head.weights.iter_mut().chain(&mut head.bias).for_each(|weight| *weight *= sharpened);
    Ok(ChosenHead { head, sharpened, fit, tried: tried.into_iter().map(|one| one.tried).collect(), held_out })
}

/// One of those that are tried.
struct Contestant {
    tried: TriedHead,
    right: usize,
    rows: usize,
    /// Cross-entropy, summed: of logits as they are, or of margins by how much they are sharpened.
    loss: f64,
    sharpened: Vec<f64>,
    held: Vec<Option<HeldOut>>,
}

impl Contestant {
    /// Takes in what a head says of rows that it has not seen.
    fn see(&mut self, head: &LinearHead, input: HeadInput<'_>, rows: HeadRows<'_>, outer: &[u32]) {
        let asked: Vec<u32> = outer.iter().map(|at| rows.rows[*at as usize]).collect();
        let mut logits = head.logits(input, &asked);
        for (by, loss) in SHARPENED.iter().zip(&mut self.sharpened) {
            for (place, own) in outer.iter().zip(logits.chunks(rows.classes.max(1))) {
                let mut sharp: Vec<f64> = own.iter().map(|margin| by * margin).collect();
                let own = sharp[rows.truth[*place as usize] as usize];
                *loss += softmax(&mut sharp) - own;
            }
        }
        let by = self.best_sharpness();
        for (place, own) in outer.iter().zip(logits.chunks_mut(rows.classes.max(1))) {
            own.iter_mut().for_each(|logit| *logit *= by);
            softmax(own);
            let said = (0..own.len()).fold(0, |best, class| if own[class] > own[best] { class } else { best });
            let truth = rows.truth[*place as usize];
            self.right += usize::from(said as u32 == truth);
            self.rows += 1;
            self.loss -= own[truth as usize].max(f64::EPSILON).ln();
            #[allow(clippy::cast_possible_truncation)]
            let one = HeldOut { said: said as u32, sure: own[said] as f32 };
            self.held[*place as usize] = Some(one);
        }
        self.tried.folds += 1;
        self.tried.accuracy = self.right as f64 / self.rows.max(1) as f64;
    }

    /// The sharpness of margins whose cross-entropy is least.
    fn best_sharpness(&self) -> f64 {
        let best = self.sharpened.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(1.0, |(at, _)| SHARPENED[at])
    }

    /// By how many rows it has right; of equals the one that says so more surely.
    fn better(&self, other: &Self) -> std::cmp::Ordering {
        self.tried.accuracy.total_cmp(&other.tried.accuracy).then(other.loss.total_cmp(&self.loss))
    }
}

/// The rows that validation looks at, in order: all, or so many drawn together with what belongs to them.
fn drawn(rows: HeadRows<'_>, seed: u64) -> Vec<u32> {
    let n = rows.rows.len();
    if n <= MOST {
        return (0..n as u32).collect();
    }
    let mut order: Vec<u32> = (0..n as u32).collect();
    Deal::new(seed).shuffle(&mut order);
    order.truncate(MOST);
    order.sort_unstable();
    order
}

/// The fold of every row. What belongs together goes where its first row goes.
fn folds_of(rows: HeadRows<'_>, drawn: &[u32], seed: u64) -> Vec<u8> {
    let mut first: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
    for at in drawn {
        first.entry(rows.together[*at as usize]).or_insert(*at);
    }
    let mut heads: Vec<u32> = first.values().copied().collect();
    heads.sort_unstable();
    let classes: Vec<u32> = heads.iter().map(|at| rows.truth[*at as usize]).collect();
    let dealt = stratified(&classes, rows.classes, FOLDS, seed);
    let of_head: std::collections::BTreeMap<u32, u8> = heads.into_iter().zip(dealt).collect();
    let mut fold_of = vec![u8::MAX; rows.rows.len()];
    for at in drawn {
        fold_of[*at as usize] = of_head[&first[&rows.together[*at as usize]]];
    }
    fold_of
}

/// What the nearest rows say by cosine, in shares of classes: each of `asked` by its `k` nearest of `rows`, weighted by one over the distance; of equally near ones the
/// first of them. A distance of 0 votes alone (scikit-learn's `weights="distance"`).
///
/// # Errors
/// [`Cancelled`].
pub fn nearest_votes(
    input: &super::dense::Dense,
    rows: HeadRows<'_>,
    k: usize,
    asked: &[u32],
    progress: &Progress,
) -> Result<Vec<f64>, Cancelled> {
    use rayon::prelude::*;
    let length = |x: &[f32]| x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    let lengths: Vec<f64> = rows.rows.iter().map(|row| length(input.row(*row as usize))).collect();
    let classes = rows.classes.max(1);
    let mut out = vec![0.0; asked.len() * classes];
    out.par_chunks_mut(classes).zip(asked).try_for_each(|(out, row)| {
        let x = input.row(*row as usize);
        let own = length(x);
        let mut distances: Vec<(f64, usize)> = rows
            .rows
            .iter()
            .enumerate()
            .map(|(at, other)| {
                let product = super::dense::vectorised(
                    #[inline(always)]
                    || super::dense::dot(x, input.row(*other as usize)),
                );
                let square = own * lengths[at];
                (if square > 0.0 { (1.0 - f64::from(product) / square).max(0.0) } else { 1.0 }, at)
            })
            .collect();
        let k = k.min(distances.len());
        if k == 0 {
            out.fill(1.0 / classes as f64);
            return progress.step(1);
        }
        distances.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        distances.truncate(k);
        // Single precision does not tell an equal row from one that is nearly so.
        let same = distances.iter().any(|(distance, _)| *distance < 1e-6);
        for (distance, at) in distances {
            out[rows.truth[at] as usize] += if same { f64::from(u8::from(distance < 1e-6)) } else { 1.0 / distance };
        }
        let sum: f64 = out.iter().sum();
        out.iter_mut().for_each(|p| *p /= sum);
        progress.step(1)
    })?;
    Ok(out)
}
