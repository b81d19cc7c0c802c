//! Where the line is drawn between labels that stand out and the rest, and in which order they stand above and below it.
//!
//! Where labels go wrong often enough to learn how (two in a hundred and more), the noise model's own probability says both. Where they hardly
//! do, it says of nearly none that it is wrong: what a model is unsure of is much more than what is wrong, and no likelihood tells the two apart
//! (people found one label in seven hundred wrong in MNIST's test set, and one in a hundred in 20 Newsgroups'; Northcutt et al., 2021). There the
//! samples come first of whose other class a model is as sure as it usually is of that class (confident learning's off-diagonal; Northcutt et
//! al., 2021), and there are as many as that counts. So there is always an order, and the line is never drawn at none by construction.

use rayon::prelude::*;

use crate::learn::dense::{other, softmax, vectorised};
use crate::learn::noise::{NONE, Verdict};

/// From this rate on the noise model is believed; below the other one its order gives way wholly.
const MANY_WRONG: f64 = 0.02;
const FEW_WRONG: f64 = 0.015;
/// Where confident learning counts up to this many times what the noise model flags, the noise model is believed; from the other on, confident
/// learning; between them the count goes from one to the other. People confuse like with like, which a noise model takes for a model's
/// own doubts (it finds a third of such flips), and confident learning takes a model's own doubts for wrong labels.
const BELIEVED: f64 = 3.0;
const COLLAPSED: f64 = 8.0;
/// A model that gives fewer than this part of the samples their own label cannot tell the classes apart, and its disagreement counts nothing.
const BLUNT: f64 = 0.5;
/// Which part of a model's own doubts, and of wrong labels, is as sure as it usually is of the other class: in questions, glosses, digits and
/// newsgroups 0.17 to 0.19 and about 0.8 (`examples/flips.rs`).
const DOUBTS: f64 = 0.18;
const ERRORS: f64 = 0.8;
/// The odds (as a logarithm) that the other class must have before the given one.
const LEAST_ODDS: f32 = 1.0;

/// The line, and the order.
pub struct Line {
    /// Per row: whether its label stands out.
    pub flagged: Vec<bool>,
    /// Per row: what speaks against its label, 0 to 1, to rank by.
    pub evidence: Vec<f32>,
}

/// What a row's probabilities say of its given class.
#[derive(Clone, Copy, Default)]
struct Look {
    /// The likeliest class, its probability, and that of the given one.
    best: usize,
    sure: f32,
    own: f32,
    /// The likeliest other class's probability.
    other: f32,
    odds: f32,
}

impl Line {
    /// Draws it for `rows × classes` out-of-sample logits, the given classes ([`NONE`] where a row is not judged), and what the noise model,
    /// whose rate is `rate`, says of each; `flag` is the probability from which it flags by itself.
    pub fn draw(logits: &[f32], classes: usize, given: &[u32], verdicts: &[Verdict], rate: f64, flag: f32) -> Self {
        let own: Vec<bool> = verdicts.iter().zip(given).map(|(verdict, given)| *given != NONE && verdict.wrong >= flag).collect();
        let few = ((MANY_WRONG - rate) / (MANY_WRONG - FEW_WRONG)).clamp(0.0, 1.0) as f32;
        let looks: Vec<Look> = given
            .par_iter()
            .enumerate()
            .map_init(|| vec![0.0; classes], |p, (row, given)| look(&logits[row * classes..(row + 1) * classes], *given, p))
            .collect();
        let confident = confident(&looks, given, classes);
        let judged = given.iter().filter(|given| **given != NONE).count();
        let agreed = looks.iter().zip(given).filter(|(look, given)| **given != NONE && look.best == **given as usize).count();
        let blunt = (agreed as f64) < BLUNT * judged as f64;
        let few = if blunt { 0.0 } else { few };
        // Confidence counts for the more, the fewer labels are wrong.
        let evidence: Vec<f32> = (0..given.len())
            .map(|row| {
                let tempered = verdicts[row].wrong * looks[row].other.powf(few);
                if confident[row] {
                    few * 0.5 * (1.0 + looks[row].other.min(1.0)) * 0.5 + tempered * (1.0 - few * 0.5)
                } else {
                    tempered
                }
            })
            .collect();
        let (mine, theirs) = (count(&own), count(&confident).min(credible(judged, judged - agreed, count(&confident))));
        // How many the noise model expects, whichever they are: where it hardly dares to name one, as many as both count.
        let expected = verdicts.iter().map(|verdict| f64::from(verdict.wrong)).sum::<f64>().round() as usize;
        let line = match few > 0.0 {
            true => between(mine, theirs),
            false if mine * 2 < theirs => mine.max(theirs.min(expected)),
            false => mine,
        };
        let mut order: Vec<usize> = (0..given.len()).filter(|row| given[*row] != NONE).collect();
        if line < order.len() {
            order.select_nth_unstable_by(line, |a, b| evidence[*b].total_cmp(&evidence[*a]).then(a.cmp(b)));
        }
        let mut flagged = vec![false; given.len()];
        order.into_iter().take(line).for_each(|row| flagged[row] = true);
        Self { flagged, evidence }
    }
}

/// The most wrong labels that confident learning's count is believed for: two in a hundred, or as many as its share of the disagreements speaks
/// for. Of a model's own doubts about a fifth are as sure as it usually is, whatever the data; of wrong labels most are.
fn credible(judged: usize, disagreements: usize, confident: usize) -> usize {
    let errors = (confident as f64 - DOUBTS * disagreements as f64) / (ERRORS - DOUBTS);
    (MANY_WRONG * judged as f64).ceil().max(errors) as usize
}

/// A count that goes from one to the other as they come apart.
fn between(mine: usize, theirs: usize) -> usize {
    let (from, to) = (mine.max(1) as f64, theirs as f64);
    let part = ((to / from - BELIEVED) / (COLLAPSED - BELIEVED)).clamp(0.0, 1.0);
    if mine == 0 || part >= 1.0 { theirs.max(mine) } else { (from * (to / from).max(1.0).powf(part)).round() as usize }
}

fn count(flags: &[bool]) -> usize {
    flags.iter().filter(|flag| **flag).count()
}

fn look(logits: &[f32], given: u32, p: &mut [f32]) -> Look {
    if given == NONE || logits.len() < 2 {
        return Look::default();
    }
    let own = given as usize;
    vectorised(
        #[inline(always)]
        || {
            p.copy_from_slice(logits);
            softmax(p);
            let other = other(p, own);
            let best = if p[other] > p[own] { other } else { own };
            Look { best, sure: p[best], own: p[own], other: p[other], odds: logits[other] - logits[own] }
        },
    )
}

/// Rows of whose other class a model is as sure as it is on average of samples that have it.
fn confident(looks: &[Look], given: &[u32], classes: usize) -> Vec<bool> {
    let (mut sums, mut counts) = (vec![0.0_f64; classes], vec![0_usize; classes]);
    for (look, given) in looks.iter().zip(given).filter(|(_, given)| **given != NONE) {
        sums[*given as usize] += f64::from(look.own);
        counts[*given as usize] += 1;
    }
    let usual: Vec<f64> =
        sums.iter().zip(&counts).map(|(sum, count)| if *count > 0 { sum / *count as f64 } else { 2.0 }).collect();
    let stands_out = |look: &Look, given: u32| {
        given != NONE && look.best != given as usize && f64::from(look.sure) >= usual[look.best] - 1e-6 && look.odds >= LEAST_ODDS
    };
    looks.iter().zip(given).map(|(look, given)| stands_out(look, *given)).collect()
}
