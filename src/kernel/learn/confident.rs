//! Confident learning (Northcutt, Jiang and Chuang, 2021) with cleanlab's filters and scores, to the set and to the digit.
//!
//! `p` is `rows × classes` of out-of-sample probabilities, row by row; `given` the labels. The formulas and their corner cases are those
//! of cleanlab 2.9.0 (`count.py`, `filter.py`, `rank.py`); the tests hold them against its answers.

use rayon::prelude::*;

/// Which labels to flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanlabFilter {
    PruneByNoiseRate,
    PruneByClass,
    Both,
    ConfidentLearning,
    PredictedNeqGiven,
    LowSelfConfidence,
    LowNormalizedMargin,
}

impl CleanlabFilter {
    /// Every filter.
    pub const ALL: [Self; 7] = [
        Self::PruneByNoiseRate,
        Self::PruneByClass,
        Self::Both,
        Self::ConfidentLearning,
        Self::PredictedNeqGiven,
        Self::LowSelfConfidence,
        Self::LowNormalizedMargin,
    ];

    /// cleanlab's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PruneByNoiseRate => "prune_by_noise_rate",
            Self::PruneByClass => "prune_by_class",
            Self::Both => "both",
            Self::ConfidentLearning => "confident_learning",
            Self::PredictedNeqGiven => "predicted_neq_given",
            Self::LowSelfConfidence => "low_self_confidence",
            Self::LowNormalizedMargin => "low_normalized_margin",
        }
    }

    /// The filter with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.name() == name)
    }
}

/// How good a label is: 1 is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    SelfConfidence,
    NormalizedMargin,
    ConfidenceWeightedEntropy,
}

impl Score {
    /// Every score.
    pub const ALL: [Self; 3] = [Self::SelfConfidence, Self::NormalizedMargin, Self::ConfidenceWeightedEntropy];

    /// cleanlab's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SelfConfidence => "self_confidence",
            Self::NormalizedMargin => "normalized_margin",
            Self::ConfidenceWeightedEntropy => "confidence_weighted_entropy",
        }
    }

    /// The score with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|score| score.name() == name)
    }

    /// The score of one row of probabilities.
    pub fn of<P: Copy + Into<f64>>(self, p: &[P], given: usize) -> f64 {
        let own: f64 = p[given].into();
        match self {
            Self::SelfConfidence => own,
            Self::NormalizedMargin => f64::midpoint(own - largest_other(p, given), 1.0),
            Self::ConfidenceWeightedEntropy => {
                let entropy: f64 = p.iter().map(|p| (*p).into()).filter(|p: &f64| *p > 0.0).map(|p| -p * p.ln()).sum();
                let s = entropy / (p.len() as f64).ln() / own.max(1e-6);
                s.ln_1p() / s.max(1e-6)
            }
        }
    }

    /// The score of every row.
    pub fn all<P: Copy + Into<f64> + Sync>(self, p: &[P], given: &[u32]) -> Vec<f64> {
        let classes = p.len() / given.len().max(1);
        given
            .par_iter()
            .enumerate()
            .map(|(row, given)| self.of(&p[row * classes..(row + 1) * classes], *given as usize))
            .collect()
    }
}

fn largest_other<P: Copy + Into<f64>>(p: &[P], given: usize) -> f64 {
    p.iter().enumerate().filter(|(class, _)| *class != given).map(|(_, p)| (*p).into()).fold(f64::NEG_INFINITY, f64::max)
}

/// The confident joint and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// How many classes there are.
    pub classes: usize,
    /// Per class, the mean probability of those that are given it; 2 for a class that nothing is given.
    pub thresholds: Vec<f64>,
    /// `[given × classes + guessed]`: counted, the diagonal at least 1.
    pub raw: Vec<f64>,
    /// The same, scaled so that rows sum to the class counts; whole numbers.
    pub calibrated: Vec<f64>,
    /// Rows that are confidently of another class, ascending.
    pub off_diagonal: Vec<u32>,
}

const SLACK: f64 = 1e-6;
const PART: usize = 8_192;

impl Joint {
    /// Counts the joint of given and confidently guessed classes.
    pub fn of<P: Copy + Into<f64> + Sync>(p: &[P], classes: usize, given: &[u32]) -> Self {
        let thresholds = thresholds(p, classes, given);
        let parts: Vec<(Vec<u32>, Vec<u32>)> = given
            .par_chunks(PART)
            .enumerate()
            .map(|(part, labels)| {
                let (mut counts, mut off) = (vec![0u32; classes * classes], Vec::new());
                for (at, label) in labels.iter().enumerate() {
                    let row = part * PART + at;
                    let Some(guess) = confident(&p[row * classes..(row + 1) * classes], &thresholds) else { continue };
                    counts[*label as usize * classes + guess] += 1;
                    if guess != *label as usize {
                        off.push(row as u32);
                    }
                }
                (counts, off)
            })
            .collect();
        let mut raw = vec![0.0; classes * classes];
        let mut off_diagonal = Vec::new();
        for (counts, off) in parts {
            raw.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += f64::from(*count));
            off_diagonal.extend(off);
        }
        for class in 0..classes {
            let cell = &mut raw[class * classes + class];
            *cell = cell.max(1.0);
        }
        let mut label_counts = vec![0.0; classes];
        given.iter().for_each(|label| label_counts[*label as usize] += 1.0);
        let calibrated = calibrate(&raw, &label_counts);
        Self { classes, thresholds, raw, calibrated, off_diagonal }
    }

    /// cleanlab's estimate of the share of labels that are right: the trace of the normalised joint.
    pub fn health(&self) -> f64 {
        let total: f64 = self.calibrated.iter().sum();
        (0..self.classes).map(|class| self.calibrated[class * self.classes + class]).sum::<f64>() / total.max(1.0)
    }
}

fn thresholds<P: Copy + Into<f64> + Sync>(p: &[P], classes: usize, given: &[u32]) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0f64; classes], vec![0.0f64; classes]);
    for (row, label) in given.iter().enumerate() {
        let label = *label as usize;
        sums[label] += p[row * classes + label].into();
        counts[label] += 1.0;
    }
    sums.iter().zip(&counts).map(|(sum, count)| if *count > 0.0 { (sum / count).max(2e-6) } else { 2.0 }).collect()
}

/// The class that a row is confidently of: the only one at or above its threshold, or the likeliest where there are several.
fn confident<P: Copy + Into<f64>>(p: &[P], thresholds: &[f64]) -> Option<usize> {
    let reaches = |(p, threshold): (&P, &f64)| (*p).into() >= threshold - SLACK;
    // Counted without a branch: most classes are far from their thresholds.
    let above: u32 = p.iter().zip(thresholds).map(|pair| u32::from(reaches(pair))).sum();
    match above {
        0 => None,
        1 => p.iter().zip(thresholds).position(reaches),
        _ => {
            let mut best = (f64::NEG_INFINITY, 0);
            for (class, p) in p.iter().enumerate() {
                let p: f64 = (*p).into();
                if p > best.0 {
                    best = (p, class);
                }
            }
            Some(best.1)
        }
    }
}

fn calibrate(raw: &[f64], label_counts: &[f64]) -> Vec<f64> {
    let classes = label_counts.len();
    let mut scaled = raw.to_vec();
    for (row, count) in scaled.chunks_mut(classes).zip(label_counts) {
        let sum = row.iter().sum::<f64>().max(1e-100);
        row.iter_mut().for_each(|cell| *cell = *cell / sum * count);
    }
    let (n, total) = (label_counts.iter().sum::<f64>(), scaled.iter().sum::<f64>());
    scaled.iter_mut().for_each(|cell| *cell = *cell / total * n);
    for row in scaled.chunks_mut(classes) {
        round_preserving_sum(row);
    }
    scaled
}

/// Rounds to whole numbers whose sum is that of the row, rounded: the entries that rounding moved furthest give way.
fn round_preserving_sum(row: &mut [f64]) {
    let wanted = row.iter().sum::<f64>().round_ties_even();
    let mut whole: Vec<f64> = row.iter().map(|cell| cell.round_ties_even()).collect();
    loop {
        let missing = wanted - whole.iter().sum::<f64>();
        if missing.abs() <= 1e-6 {
            break;
        }
        let step = missing.signum();
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|a, b| ((row[*b] - whole[*b]) * step).total_cmp(&((row[*a] - whole[*a]) * step)));
        for at in order.into_iter().take(missing.abs().round() as usize) {
            whole[at] += step;
        }
    }
    row.copy_from_slice(&whole);
}

/// The rows whose label `filter` flags, ascending. `fewest` samples are left to every class (cleanlab's `min_examples_per_class`:
/// 1 in its own filter, 10 where Datalab runs it).
pub fn flagged<P: Copy + Into<f64> + Sync>(
    p: &[P],
    classes: usize,
    given: &[u32],
    filter: CleanlabFilter,
    fewest: usize,
) -> Vec<u32> {
    Joint::of(p, classes, given).flagged(p, given, filter, fewest)
}

impl Joint {
    /// The rows that `filter` flags under this joint.
    pub fn flagged<P: Copy + Into<f64> + Sync>(&self, p: &[P], given: &[u32], filter: CleanlabFilter, fewest: usize) -> Vec<u32> {
        let (joint, classes) = (self, self.classes);
        let mut mask = vec![false; given.len()];
        match filter {
            CleanlabFilter::PruneByNoiseRate => by_noise_rate(p, joint, given, fewest, &mut mask),
            CleanlabFilter::PruneByClass => by_class(p, joint, given, fewest, &mut mask),
            CleanlabFilter::Both => {
                by_noise_rate(p, joint, given, fewest, &mut mask);
                let mut other = vec![false; given.len()];
                by_class(p, joint, given, fewest, &mut other);
                mask.iter_mut().zip(other).for_each(|(flag, other)| *flag &= other);
            }
            CleanlabFilter::ConfidentLearning => joint.off_diagonal.iter().for_each(|row| mask[*row as usize] = true),
            CleanlabFilter::PredictedNeqGiven => mask.fill(true),
            CleanlabFilter::LowSelfConfidence | CleanlabFilter::LowNormalizedMargin => {
                let count = joint.off_diagonal.iter().filter(|row| !is_argmax(p, classes, given, **row as usize)).count();
                let score =
                    if filter == CleanlabFilter::LowSelfConfidence { Score::SelfConfidence } else { Score::NormalizedMargin };
                return lowest(&score.all(p, given), (0..given.len() as u32).collect(), count);
            }
        }
        (0..given.len()).filter(|row| mask[*row] && !is_argmax(p, classes, given, *row)).map(|row| row as u32).collect()
    }
}

/// Whether the given label is the likeliest, a hair of slack allowed: such rows are never flagged.
fn is_argmax<P: Copy + Into<f64>>(p: &[P], classes: usize, given: &[u32], row: usize) -> bool {
    let given = given[row] as usize;
    let p = &p[row * classes..(row + 1) * classes];
    let own: f64 = p[given].into() + SLACK;
    // On a tie the first class wins, as NumPy's argmax has it.
    p.iter().enumerate().all(|(class, value)| class == given || own > (*value).into() || own == (*value).into() && given < class)
}

/// The `count` rows with the lowest scores, ascending by row.
fn lowest(scores: &[f64], mut rows: Vec<u32>, count: usize) -> Vec<u32> {
    let count = count.min(rows.len());
    if count == 0 {
        return Vec::new();
    }
    rows.select_nth_unstable_by(count - 1, |a, b| scores[*a as usize].total_cmp(&scores[*b as usize]).then(a.cmp(b)));
    rows.truncate(count);
    rows.sort_unstable();
    rows
}

/// `[true × classes + given]`: how many samples to prune, `fewest` kept in every class.
fn prune_counts(joint: &Joint, fewest: usize) -> Vec<f64> {
    let k = joint.classes;
    let mut counts: Vec<f64> = (0..k * k).map(|at| joint.calibrated[(at % k) * k + at / k]).collect();
    for given in 0..k {
        let diagonal = counts[given * k + given];
        let kept = diagonal.max(fewest as f64);
        let filled = (0..k).filter(|truth| counts[truth * k + given] > 0.0).count();
        let less = (kept - diagonal) / (filled as f64 - 1.0).max(1.0);
        for truth in (0..k).filter(|truth| *truth != given) {
            let cell = &mut counts[truth * k + given];
            *cell = (*cell - less).max(0.0);
        }
        counts[given * k + given] = kept;
    }
    for row in counts.chunks_mut(k) {
        round_preserving_sum(row);
        row.iter_mut().for_each(|cell| *cell = cell.trunc());
    }
    counts
}

fn members(given: &[u32], classes: usize) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); classes];
    given.iter().zip(0..).for_each(|(label, row)| members[*label as usize].push(row));
    members
}

fn by_noise_rate<P: Copy + Into<f64> + Sync>(p: &[P], joint: &Joint, given: &[u32], fewest: usize, mask: &mut [bool]) {
    let k = joint.classes;
    let counts = prune_counts(joint, fewest);
    let lists: Vec<Vec<u32>> = members(given, k)
        .into_par_iter()
        .enumerate()
        .filter(|(_, rows)| rows.len() > fewest.max(1))
        .map(|(label, rows)| {
            let wanted: Vec<(usize, usize)> = (0..k)
                .filter(|truth| *truth != label)
                .map(|truth| (truth, counts[truth * k + label] as usize))
                .filter(|(_, n)| *n > 0)
                .collect();
            // The largest margins are above 0 wherever enough are: one pass over the rows finds those, and few are sorted.
            let mut above: Vec<Vec<(f64, u32)>> = vec![Vec::new(); wanted.len()];
            for row in &rows {
                let p = &p[*row as usize * k..(*row as usize + 1) * k];
                let own: f64 = p[label].into();
                for ((truth, _), list) in wanted.iter().zip(&mut above) {
                    let margin = p[*truth].into() - own;
                    if margin > 0.0 {
                        list.push((margin, *row));
                    }
                }
            }
            let mut found = Vec::new();
            for ((truth, count), mut list) in wanted.into_iter().zip(above) {
                if list.len() < count {
                    list = rows
                        .iter()
                        .map(|row| (p[*row as usize * k + truth].into() - p[*row as usize * k + label].into(), *row))
                        .collect();
                }
                let count = count.min(list.len());
                list.select_nth_unstable_by(count - 1, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                found.extend(list[..count].iter().map(|(_, row)| *row));
            }
            found
        })
        .collect();
    lists.into_iter().flatten().for_each(|row| mask[row as usize] = true);
}

fn by_class<P: Copy + Into<f64> + Sync>(p: &[P], joint: &Joint, given: &[u32], fewest: usize, mask: &mut [bool]) {
    let k = joint.classes;
    let counts = prune_counts(joint, fewest);
    for (label, rows) in members(given, k).into_iter().enumerate().filter(|(_, rows)| rows.len() > fewest.max(1)) {
        let count = rows.len().saturating_sub(counts[label * k + label] as usize);
        let own = |row: u32| -> f64 { p[row as usize * k + label].into() };
        let mut order = rows;
        let count = count.min(order.len());
        if count > 0 {
            order.select_nth_unstable_by(count - 1, |a, b| own(*a).total_cmp(&own(*b)).then(a.cmp(b)));
            order[..count].iter().for_each(|row| mask[*row as usize] = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joint_worked_by_hand() {
        // Thresholds: class 0 (0.9 + 0.8 + 0.2) / 3, class 1 (0.6 + 0.7) / 2.
        let p = [0.9, 0.1, 0.8, 0.2, 0.2, 0.8, 0.4, 0.6, 0.3, 0.7];
        let given = [0, 0, 0, 1, 1];
        let joint = Joint::of(&p, 2, &given);
        assert!((joint.thresholds[0] - 1.9 / 3.0).abs() < 1e-12 && (joint.thresholds[1] - 0.65).abs() < 1e-12);
        assert_eq!(joint.raw, [2.0, 1.0, 0.0, 1.0]);
        assert_eq!(joint.off_diagonal, [2]);
        assert_eq!(joint.calibrated, [2.0, 1.0, 0.0, 2.0]);
        for filter in CleanlabFilter::ALL {
            assert_eq!(flagged(&p, 2, &given, filter, 1), [2], "{}", filter.name());
        }
    }

    #[test]
    fn scores_of_one_row() {
        let p = [0.7, 0.2, 0.1];
        assert!((Score::SelfConfidence.of(&p, 1) - 0.2).abs() < 1e-12);
        assert!((Score::NormalizedMargin.of(&p, 1) - 0.25).abs() < 1e-12);
        let entropy = -(0.7f64 * 0.7f64.ln() + 0.2 * 0.2f64.ln() + 0.1 * 0.1f64.ln()) / 3f64.ln();
        let s = entropy / 0.2;
        assert!((Score::ConfidenceWeightedEntropy.of(&p, 1) - (s + 1.0).ln() / s).abs() < 1e-12);
    }

    #[test]
    fn rounding_keeps_the_sum() {
        let mut row = [0.4, 0.4, 0.4, 1.8];
        round_preserving_sum(&mut row);
        assert!((row.iter().sum::<f64>() - 3.0).abs() < 1e-12, "{row:?}");
    }
}
