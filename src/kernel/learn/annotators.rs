//! Several people's labels of the same samples: how far they agree, how good each is, and what is to be taken for true.
//!
//! Agreement by Cohen (1960), Fleiss (1971) and Krippendorff (2011, nominal); consensus by majority, by Dawid and Skene (1979, expectation and maximisation over a matrix
//! of confusion each), and by CROWDLAB (Goh and others, 2022) as cleanlab 2.9 has it (`multiannotator.py`: ties by the model, then by the rarer class, then by
//! who agrees more).

use super::dense::Dense;
use crate::job::{Cancelled, Progress};

/// Votes: a row a sample, a column an annotator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Votes {
    /// The class that each gave, row by row; `None` where there is none.
    of: Vec<Option<u32>>,
    pub annotators: usize,
    pub classes: usize,
}

/// What is to be taken for true, and how good that is and everybody.
#[derive(Debug, Clone, PartialEq)]
pub struct Consensus {
    /// The class of each row; `None` where nobody voted.
    pub label: Vec<Option<u32>>,
    /// The probability of that class, 0 to 1.
    pub quality: Vec<f64>,
    /// How often each annotator is right, 0 to 1; not a number where nothing is known.
    pub annotators: Vec<f64>,
}

/// What is at least divided by.
const LEAST: f64 = 1e-6;

fn largest(values: impl Iterator<Item = f64>) -> Option<(usize, f64)> {
    values.enumerate().fold(None, |best: Option<(usize, f64)>, (at, value)| match best {
        Some((_, known)) if known >= value => best,
        _ => Some((at, value)),
    })
}

impl Votes {
    /// Votes of so many annotators, row by row.
    ///
    /// # Panics
    /// Where the votes are no whole rows, or one is beyond the classes.
    pub fn new(of: Vec<Option<u32>>, annotators: usize, classes: usize) -> Self {
        assert!(annotators > 0 && of.len().is_multiple_of(annotators), "votes are whole rows");
        assert!(of.iter().flatten().all(|class| (*class as usize) < classes), "votes are for classes");
        Self { of, annotators, classes }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.of.len() / self.annotators
    }

    /// The votes on a row.
    pub fn row(&self, row: usize) -> &[Option<u32>] {
        &self.of[row * self.annotators..(row + 1) * self.annotators]
    }

    fn all(&self) -> impl Iterator<Item = &[Option<u32>]> {
        self.of.chunks_exact(self.annotators)
    }

    fn counts(&self, votes: &[Option<u32>]) -> Vec<f64> {
        let mut counts = vec![0.0; self.classes];
        votes.iter().flatten().for_each(|class| counts[*class as usize] += 1.0);
        counts
    }

    /// Cohen's kappa of two annotators, over the rows that both voted on; `None` where there are none, or chance alone agrees.
    pub fn cohen(&self, a: usize, b: usize) -> Option<f64> {
        let pairs: Vec<(usize, usize)> = self.all().filter_map(|row| Some((row[a]? as usize, row[b]? as usize))).collect();
        let n = pairs.len() as f64;
        let (mut of_a, mut of_b) = (vec![0.0; self.classes], vec![0.0; self.classes]);
        pairs.iter().for_each(|(x, y)| {
            of_a[*x] += 1.0 / n;
            of_b[*y] += 1.0 / n;
        });
        let seen = pairs.iter().filter(|(x, y)| x == y).count() as f64 / n;
        let chance: f64 = of_a.iter().zip(&of_b).map(|(x, y)| x * y).sum();
        (n > 0.0 && chance < 1.0).then(|| (seen - chance) / (1.0 - chance))
    }

    /// Fleiss' kappa, over the rows that all voted on; `None` where there are none, or chance alone agrees.
    pub fn fleiss(&self) -> Option<f64> {
        let m = self.annotators as f64;
        let whole: Vec<Vec<f64>> = self.all().filter(|row| row.iter().all(Option::is_some)).map(|row| self.counts(row)).collect();
        let n = whole.len() as f64;
        if n == 0.0 || m < 2.0 {
            return None;
        }
        let agree = whole.iter().map(|counts| (counts.iter().map(|c| c * c).sum::<f64>() - m) / (m * (m - 1.0))).sum::<f64>() / n;
        let share = |class: usize| whole.iter().map(|counts| counts[class]).sum::<f64>() / (n * m);
        let chance: f64 = (0..self.classes).map(|class| share(class).powi(2)).sum();
        (chance < 1.0).then(|| (agree - chance) / (1.0 - chance))
    }

    /// Krippendorff's alpha for classes, over the rows that two and more voted on; `None` where there are none, or all votes are one.
    pub fn krippendorff(&self) -> Option<f64> {
        let (mut same, mut of_class) = (0.0, vec![0.0; self.classes]);
        for row in self.all() {
            let counts = self.counts(row);
            let m: f64 = counts.iter().sum();
            if m >= 2.0 {
                same += counts.iter().map(|c| c * (c - 1.0)).sum::<f64>() / (m - 1.0);
                of_class.iter_mut().zip(&counts).for_each(|(all, c)| *all += c);
            }
        }
        let n: f64 = of_class.iter().sum();
        let squares: f64 = of_class.iter().map(|c| c * c).sum();
        (n > 1.0 && n * n > squares).then(|| 1.0 - (n - 1.0) * (n - same) / (n * n - squares))
    }

    /// The majority's label of each row. Ties go to what `probabilities` say (a row a sample), then to the rarer class, then to those who agree more with the
    /// majority elsewhere, then to the first.
    pub fn majority(&self, probabilities: Option<&Dense>) -> Vec<Option<u32>> {
        let mut of_class = vec![0.0; self.classes];
        self.of.iter().flatten().for_each(|class| of_class[*class as usize] += 1.0);
        let mut label: Vec<Option<u32>> = vec![None; self.rows()];
        let mut tied: Vec<(usize, Vec<usize>)> = Vec::new();
        for (at, row) in self.all().enumerate() {
            let counts = self.counts(row);
            let most = counts.iter().copied().fold(0.0, f64::max);
            if most == 0.0 {
                continue;
            }
            let modes: Vec<usize> = (0..self.classes).filter(|class| counts[*class] == most).collect();
            match modes.as_slice() {
                [one] => label[at] = Some(*one as u32),
                _ => tied.push((at, modes)),
            }
        }
        let whole = label.clone();
        let agrees: Vec<f64> = (0..self.annotators).map(|annotator| self.agreement(annotator, &whole, false)).collect();
        let known: Vec<f64> = agrees.iter().copied().filter(|value| value.is_finite()).collect();
        let usual = known.iter().sum::<f64>() / known.len().max(1) as f64;
        for (at, mut modes) in tied {
            let mut best = |value: &dyn Fn(usize) -> f64| {
                let top = modes.iter().map(|class| value(*class)).fold(f64::NEG_INFINITY, f64::max);
                modes.retain(|class| value(*class) == top);
            };
            if let Some(probabilities) = probabilities {
                best(&|class| f64::from(probabilities.row(at)[class]));
            }
            best(&|class| -of_class[class]);
            best(&|class| {
                let voters = (0..self.annotators).filter(|annotator| self.row(at)[*annotator] == Some(class as u32));
                let each: Vec<f64> =
                    voters.map(|annotator| if agrees[annotator].is_finite() { agrees[annotator] } else { usual }).collect();
                each.iter().sum::<f64>() / each.len().max(1) as f64
            });
            label[at] = modes.first().map(|class| *class as u32);
        }
        label
    }

    /// How often an annotator gave the label, among the rows that they voted on; with `shared`, those that others voted on too.
    fn agreement(&self, annotator: usize, label: &[Option<u32>], shared: bool) -> f64 {
        let (mut right, mut all) = (0.0, 0.0);
        for (row, label) in self.all().zip(label) {
            let others = !shared || row.iter().flatten().count() > 1;
            if let (Some(vote), Some(label), true) = (row[annotator], label, others) {
                all += 1.0;
                right += f64::from(u8::from(vote == *label));
            }
        }
        right / all
    }

    /// The majority, with the share of those who say so.
    pub fn by_majority(&self) -> Consensus {
        let label = self.majority(None);
        let share = |(row, label): (&[Option<u32>], &Option<u32>)| {
            let votes = row.iter().flatten().count() as f64;
            label.map_or(0.0, |label| row.iter().filter(|vote| **vote == Some(label)).count() as f64 / votes)
        };
        let quality = self.all().zip(&label).map(share).collect();
        let annotators = (0..self.annotators).map(|annotator| self.agreement(annotator, &label, true)).collect();
        Consensus { label, quality, annotators }
    }

    /// Dawid and Skene's: each annotator has a matrix of confusion, each class a share; both and the labels are estimated in turn.
    /// Holds a number a row and class, and one an annotator and pair of classes.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn dawid_skene(&self, progress: &Progress) -> Result<Consensus, Cancelled> {
        let (n, k) = (self.rows(), self.classes);
        let mut posterior: Vec<Vec<f64>> = self
            .all()
            .map(|row| {
                let counts = self.counts(row);
                let all: f64 = counts.iter().sum();
                counts.iter().map(|c| if all > 0.0 { c / all } else { 0.0 }).collect()
            })
            .collect();
        let mut confusion = vec![0.0; self.annotators * k * k];
        for _ in 0..200 {
            progress.check()?;
            // Each class of each annotator has a hundredth of a vote to begin with, so that nothing is impossible.
            confusion.fill(0.01 / k as f64);
            let mut prior = vec![1e-9; k];
            for (row, of) in self.all().zip(&posterior) {
                for (class, p) in of.iter().enumerate() {
                    prior[class] += p;
                    for (annotator, vote) in row.iter().enumerate() {
                        if let Some(vote) = vote {
                            confusion[(annotator * k + class) * k + *vote as usize] += p;
                        }
                    }
                }
            }
            confusion.chunks_exact_mut(k).for_each(|line| {
                let all: f64 = line.iter().sum();
                line.iter_mut().for_each(|value| *value /= all);
            });
            let all: f64 = prior.iter().sum();
            let mut moved: f64 = 0.0;
            for (row, of) in self.all().zip(&mut posterior) {
                if row.iter().all(Option::is_none) {
                    continue;
                }
                let mut logs: Vec<f64> = prior.iter().map(|p| (p / all).ln()).collect();
                for (annotator, vote) in row.iter().enumerate() {
                    if let Some(vote) = vote {
                        for (class, log) in logs.iter_mut().enumerate() {
                            *log += confusion[(annotator * k + class) * k + *vote as usize].ln();
                        }
                    }
                }
                let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = logs.iter().map(|log| (log - top).exp()).sum();
                for (value, log) in of.iter_mut().zip(&logs) {
                    let new = (log - top).exp() / sum;
                    moved = moved.max((new - *value).abs());
                    *value = new;
                }
            }
            if moved < 1e-7 {
                break;
            }
        }
        let best: Vec<Option<(usize, f64)>> = (0..n)
            .map(|row| largest(posterior[row].iter().copied()).filter(|_| self.row(row).iter().any(Option::is_some)))
            .collect();
        let label: Vec<Option<u32>> = best.iter().map(|best| best.map(|(class, _)| class as u32)).collect();
        let right = |annotator: usize| {
            let (mut right, mut all) = (0.0, 0.0);
            for (row, of) in self.all().zip(&posterior) {
                if let Some(vote) = row[annotator] {
                    right += of[vote as usize];
                    all += 1.0;
                }
            }
            right / all
        };
        Ok(Consensus {
            label,
            quality: best.iter().map(|best| best.map_or(0.0, |(_, p)| p)).collect(),
            annotators: (0..self.annotators).map(right).collect(),
        })
    }

    /// How often an annotator agrees with the others on the rows that they share: those with more votes count more.
    fn agreement_with_others(&self, annotator: usize) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for row in self.all() {
            let Some(vote) = row[annotator] else { continue };
            let votes = row.iter().flatten().count();
            if votes > 1 {
                sum += row.iter().flatten().filter(|other| **other == vote).count() as f64 - 1.0;
                weight += (votes - 1) as f64;
            }
        }
        (weight > 0.0).then(|| sum / weight)
    }

    /// CROWDLAB: a model's out-of-sample `probabilities` (a row a sample, a column a class) vote too, each weighed by how good they are.
    pub fn crowdlab(&self, probabilities: &Dense) -> Consensus {
        let majority = self.majority(Some(probabilities));
        let (first, ..) = self.weighed(probabilities, &majority);
        let label: Vec<Option<u32>> = majority
            .iter()
            .zip(&first)
            .map(|(majority, of)| {
                let majority = (*majority)?;
                let (best, top) = largest(of.iter().copied())?;
                let alone = of.iter().filter(|value| **value == top).count() == 1;
                Some(if alone { best as u32 } else { majority })
            })
            .collect();
        let (posterior, model, weights) = self.weighed(probabilities, &label);
        let quality = posterior.iter().zip(&label).map(|(of, label)| label.map_or(0.0, |label| of[label as usize])).collect();
        let votes = self.of.iter().flatten().count() as f64 / self.voted().max(1) as f64;
        let all = weights.iter().sum::<f64>() * votes / weights.len() as f64;
        let w = model / (model + all);
        let of_annotator = |annotator: usize| {
            let (mut sum, mut n) = (0.0, 0.0);
            for (row, of) in self.all().zip(&posterior) {
                if let Some(vote) = row[annotator] {
                    sum += of[vote as usize];
                    n += 1.0;
                }
            }
            w * sum / n + (1.0 - w) * self.agreement(annotator, &label, true)
        };
        let annotators = (0..self.annotators).map(of_annotator).collect();
        Consensus { label, quality, annotators }
    }

    /// How many rows anybody voted on.
    fn voted(&self) -> usize {
        self.all().filter(|row| row.iter().any(Option::is_some)).count()
    }

    /// The probability of each class of each row under a consensus, the weight of the model, and that of each annotator.
    fn weighed(&self, probabilities: &Dense, label: &[Option<u32>]) -> (Vec<Vec<f64>>, f64, Vec<f64>) {
        let k = self.classes;
        let votes = |row: &[Option<u32>]| row.iter().flatten().count();
        let shared: Vec<usize> = (0..self.rows()).filter(|row| votes(self.row(*row)) > 1).collect();
        let of = |row: &usize| label[*row].unwrap_or(0);
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (mut sum, mut n) = (0.0, 0.0);
            values.for_each(|value| (sum, n) = (sum + value, n + 1.0));
            if n > 0.0 { sum / n } else { 0.0 }
        };
        let right = |row: &usize| {
            let list = self.row(*row);
            list.iter().filter(|vote| **vote == Some(of(row))).count() as f64 / votes(list) as f64
        };
        let likely = mean(&mut shared.iter().map(right));
        let unlikely = (1.0 - likely) / (k.max(2) - 1) as f64;
        let mut counts = vec![0.0; k];
        shared.iter().for_each(|row| counts[of(row) as usize] += 1.0);
        let usual = largest(counts.iter().copied()).map_or(0, |(class, _)| class as u32);
        let base = mean(&mut shared.iter().map(|row| f64::from(u8::from(of(row) != usual)))).max(LEAST);
        let agrees: Vec<Option<f64>> = (0..self.annotators).map(|annotator| self.agreement_with_others(annotator)).collect();
        let average = mean(&mut agrees.iter().flatten().copied());
        let weights: Vec<f64> = agrees.iter().map(|agrees| (1.0 - (1.0 - agrees.unwrap_or(average)) / base).max(LEAST)).collect();
        let guess =
            |row: &usize| largest(probabilities.row(*row).iter().map(|p| f64::from(*p))).map_or(0, |(class, _)| class as u32);
        let wrong = mean(&mut shared.iter().map(|row| f64::from(u8::from(guess(row) != of(row)))));
        let each = self.of.iter().flatten().count() as f64 / self.voted().max(1) as f64;
        let model = (1.0 - wrong / base).max(LEAST) * each.sqrt();
        let posterior = self
            .all()
            .enumerate()
            .map(|(at, row)| {
                let total =
                    model + row.iter().zip(&weights).filter(|(vote, _)| vote.is_some()).map(|(_, weight)| weight).sum::<f64>();
                let one = |class: usize| {
                    let votes = row.iter().zip(&weights).filter_map(|(vote, weight)| Some((*vote.as_ref()?, weight)));
                    let said: f64 =
                        votes.map(|(vote, weight)| weight * if vote as usize == class { likely } else { unlikely }).sum();
                    (f64::from(probabilities.row(at)[class]) * model + said) / total
                };
                (0..k).map(one).collect()
            })
            .collect();
        (posterior, model, weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(rows: &[[i32; 3]]) -> Votes {
        let of = rows.iter().flatten().map(|vote| u32::try_from(*vote).ok()).collect();
        Votes::new(of, 3, 3)
    }

    #[test]
    fn agreement_by_hand() {
        let all = votes(&[[0, 0, 0], [1, 1, 1], [2, 2, 2], [0, 0, 1]]);
        // 3 of 4 agree; the first has 0 twice and 1 and 2 once, so has the second: 0.375 by chance.
        assert!((all.cohen(0, 1).unwrap() - 1.0).abs() < 1e-12);
        assert!((all.cohen(0, 2).unwrap() - (0.75 - 0.3125) / (1.0 - 0.3125)).abs() < 1e-12);
        // P = (1 + 1 + 1 + 1/3) / 4; shares 5/12, 4/12, 3/12.
        let (p, e) = (10.0 / 12.0, (25.0 + 16.0 + 9.0) / 144.0);
        assert!((all.fleiss().unwrap() - (p - e) / (1.0 - e)).abs() < 1e-12);
        // Coincidences: 3 + 3 + 3 + 1 of 12 are equal.
        let alpha = 1.0 - 11.0 * (12.0 - 10.0) / (144.0 - 50.0);
        assert!((all.krippendorff().unwrap() - alpha).abs() < 1e-12);
        let none = votes(&[[-1, 0, -1]]);
        assert_eq!((none.cohen(0, 1), none.fleiss(), none.krippendorff()), (None, None, None));
        assert_eq!(votes(&[[1, 1, 1]]).krippendorff(), None, "all votes are one");
    }

    #[test]
    fn a_consensus_listens_to_those_who_are_right() {
        // The third is always one too high; the first two disagree now and then.
        let rows: Vec<[i32; 3]> =
            (0..60).map(|at| [at % 3, if at % 7 == 0 { (at + 2) % 3 } else { at % 3 }, (at + 1) % 3]).collect();
        let all = votes(&rows);
        for consensus in [all.dawid_skene(&Progress::silent()).unwrap(), all.by_majority()] {
            let right = consensus.label.iter().zip(0..).filter(|(label, at)| **label == Some(at % 3)).count();
            assert!(right >= 51, "{right}");
        }
        let skene = all.dawid_skene(&Progress::silent()).unwrap();
        assert!(skene.annotators[0] > 0.95 && skene.annotators[2] < 0.1, "{:?}", skene.annotators);
        assert_eq!(votes(&[[-1, -1, -1], [0, 0, 1]]).by_majority().label, [None, Some(0)]);
    }
}
