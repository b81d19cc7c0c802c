//! One column of a batch against the same of the dataset.

use std::collections::HashMap;

use super::log::class_of;
use crate::data::{Dataset, Kind, Role, SampleId, count};
use crate::learn::drift::{CountDrift, NumberDrift, share_p};
use crate::learn::newness::Newness;

/// What is said of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftVerdict {
    /// It differs by more than chance does, and by so much that it matters.
    Moved,
    Steady,
    /// Of so few rows a difference that matters would be missed more often than not.
    TooFew,
}

/// The least that matters: of numbers, in deviations of the dataset; of shares of classes together; of values that are new; of missing ones; by how much the share of one class changes.
pub const LEAST_DEVIATIONS: f64 = 0.1;
pub const LEAST_SHARE: f64 = 0.05;
pub const LEAST_NEW: f64 = 0.01;
pub const LEAST_TIMES: f64 = 1.5;
/// Of texts, in the tail: so many times what chance puts there; and the area under the curve.
pub const LEAST_TAIL: f64 = 3.0;
pub const LEAST_AUC: f64 = 0.55;
/// Up to so many different whole numbers are classes.
const FEW_NUMBERS: usize = 10;
/// More different values than this, and more than half of them met once, name rows.
const MOST_VALUES: usize = 1_000;
/// A difference of a tenth of a deviation, or of 0.05 of a share, is found in half of all draws from so many rows on (`n m / (n + m)`; a two-sided test at 5 %).
const TELLING: f64 = (1.959_964 / LEAST_DEVIATIONS) * (1.959_964 / LEAST_DEVIATIONS);

/// What a column's values come to.
#[derive(Debug, Clone)]
pub enum DriftValues {
    Numbers(NumberDrift),
    /// With the classes whose shares changed most: name, share in the dataset, share in the batch.
    Classes {
        drift: CountDrift,
        changed: Vec<(String, f64, f64)>,
        times: bool,
    },
    /// Rows of the batch that are newest, and their scores.
    Texts {
        newness: Newness,
        newest: Vec<SampleId>,
        /// Words that it has oftener: in how many texts of the batch, and of the dataset, of those that were compared.
        words: Vec<(String, u32, u32)>,
    },
}

/// A share in words: with a digit behind the point where that says something.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// One column.
#[derive(Debug, Clone)]
pub struct ColumnDrift {
    pub column: String,
    /// Rows of the dataset and of the batch that have a value.
    pub rows: (usize, usize),
    pub values: DriftValues,
    /// The p of its values, of its missing ones and of those that are new; corrected for all that were looked at.
    pub p: f64,
    pub missing_p: f64,
    pub new_p: f64,
    pub corrected: [f64; 3],
    /// The share that has no value, in the dataset and in the batch.
    pub missing: (f64, f64),
    /// Values that the dataset does not have, with how many rows have each; the commonest first.
    pub new: Vec<(String, usize)>,
    pub verdict: DriftVerdict,
}

/// A column that was looked at, as the two have it.
pub(super) enum Read {
    Numbers([Vec<f64>; 2]),
    Classes([HashMap<String, usize>; 2]),
    /// It names rows, or is of a kind that is not compared; why.
    Not(&'static str),
}

/// What is compared of a column of both, and how many rows have no value.
pub(super) fn read(sides: [(&Dataset, usize, &[SampleId]); 2]) -> (Read, [usize; 2]) {
    let [(dataset, field, _), _] = sides;
    let (role, kind) = (dataset.fields()[field].role, dataset.fields()[field].kind);
    match role {
        Role::Id => return (Read::Not("it names samples"), [0; 2]),
        Role::Group => return (Read::Not("it names groups"), [0; 2]),
        Role::Split => return (Read::Not("it says the parts"), [0; 2]),
        Role::Time => return (Read::Not("it is a time"), [0; 2]),
        Role::Image | Role::Messages => return (Read::Not("pictures and chats are not compared yet"), [0; 2]),
        _ => {}
    }
    let number = matches!(kind, Kind::Integer | Kind::Number | Kind::Comma) && !role.is_label();
    if number {
        let numbers =
            sides.map(|(dataset, field, rows)| rows.iter().filter_map(|id| dataset.number(field, *id)).collect::<Vec<f64>>());
        let missing = [0, 1].map(|side| sides[side].2.len() - numbers[side].len());
        let mut values: Vec<u64> = numbers.iter().flatten().map(|x| x.to_bits()).collect();
        values.sort_unstable();
        values.dedup();
        let whole = numbers.iter().flatten().all(|x| x.fract() == 0.0);
        if !(whole && values.len() <= FEW_NUMBERS) {
            return (Read::Numbers(numbers), missing);
        }
    }
    let mut missing = [0; 2];
    let mut counted: [HashMap<String, usize>; 2] = Default::default();
    for (side, (dataset, field, rows)) in sides.into_iter().enumerate() {
        for id in rows {
            match dataset.text(field, *id).filter(|text| !text.trim().is_empty()) {
                Some(text) => *counted[side].entry(class_of(&text).to_owned()).or_default() += 1,
                None => missing[side] += 1,
            }
        }
    }
    let all = counted[0].len();
    let once = counted[0].values().filter(|n| **n == 1).count();
    if all > MOST_VALUES || all > 20 && 2 * once > all {
        return (Read::Not("nearly every sample has a value of its own"), missing);
    }
    (Read::Classes(counted), missing)
}

/// What numbers or classes come to; `None` where one side has none.
pub(super) fn drift_of(column: &str, read: Read, missing: [usize; 2]) -> Option<ColumnDrift> {
    let (values, rows, p, new) = match read {
        Read::Not(_) => return None,
        Read::Numbers([a, b]) => {
            let drift = NumberDrift::of(&a, &b)?;
            let p = drift.ks_p;
            (DriftValues::Numbers(drift), (a.len(), b.len()), p, Vec::new())
        }
        Read::Classes([a, b]) => {
            let (n, m): (usize, usize) = (a.values().sum(), b.values().sum());
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort_unstable();
            names.dedup();
            let count = |of: &HashMap<String, usize>| -> Vec<u64> {
                names.iter().map(|name| of.get(*name).copied().unwrap_or(0) as u64).collect()
            };
            let (first, second) = (count(&a), count(&b));
            let drift = CountDrift::of(&first, &second)?;
            let mut new: Vec<(String, usize)> =
                b.iter().filter(|(name, _)| !a.contains_key(*name)).map(|(name, n)| (name.clone(), *n)).collect();
            new.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            let share = |n: u64, all: usize| n as f64 / all.max(1) as f64;
            let mut changed: Vec<(String, f64, f64)> =
                (0..names.len()).map(|at| (names[at].clone(), share(first[at], n), share(second[at], m))).collect();
            // A rare class that doubles moves little of the whole, and matters.
            // Of two classes one says what the other does.
            let tests = names.len().saturating_sub(1).max(1) as f64;
            let times = (0..names.len()).any(|at| {
                let (x, y) = (share(first[at], n), share(second[at], m));
                let by = if x.min(y) > 0.0 { x.max(y) / x.min(y) } else { 0.0 };
                let p = share_p((first[at], n as u64), (second[at], m as u64)) * tests;
                by >= LEAST_TIMES && p <= 0.05
            });
            changed.sort_by(|a, b| (b.2 - b.1).abs().total_cmp(&(a.2 - a.1).abs()).then(a.0.cmp(&b.0)));
            changed.truncate(5);
            let p = drift.chi2.p;
            (DriftValues::Classes { drift, changed, times }, (n, m), p, new)
        }
    };
    let all = [rows.0 + missing[0], rows.1 + missing[1]];
    let share = |side: usize| missing[side] as f64 / all[side].max(1) as f64;
    let unseen: usize = new.iter().map(|(_, n)| n).sum();
    Some(ColumnDrift {
        column: column.to_owned(),
        rows,
        values,
        p,
        missing_p: share_p((missing[0] as u64, all[0] as u64), (missing[1] as u64, all[1] as u64)),
        new_p: share_p((0, rows.0 as u64), (unseen as u64, rows.1 as u64)),
        corrected: [1.0; 3],
        missing: (share(0), share(1)),
        new,
        verdict: DriftVerdict::Steady,
    })
}

impl ColumnDrift {
    /// The share of the batch's values that the dataset does not have.
    pub fn unseen(&self) -> f64 {
        self.new.iter().map(|(_, n)| n).sum::<usize>() as f64 / self.rows.1.max(1) as f64
    }

    /// Which of its three tests says that it moved, and by so much that it matters: values, missing, new.
    pub fn moved(&self) -> [bool; 3] {
        let matters = match &self.values {
            DriftValues::Numbers(drift) => drift.wasserstein_normed >= LEAST_DEVIATIONS,
            DriftValues::Classes { drift, times, .. } => drift.total_variation >= LEAST_SHARE || *times,
            DriftValues::Texts { newness, .. } => {
                newness.auc >= LEAST_AUC || newness.tail as f64 >= LEAST_TAIL * newness.expected.max(1.0)
            }
        };
        let [values, missing, new] = self.corrected.map(|p| p <= 0.05);
        [values && matters, missing && (self.missing.1 - self.missing.0).abs() >= LEAST_SHARE, new && self.unseen() >= LEAST_NEW]
    }

    /// Decides what is said of it.
    pub(super) fn decide(&mut self) {
        let (n, m) = (self.rows.0 as f64, self.rows.1 as f64);
        self.verdict = if self.moved().contains(&true) {
            DriftVerdict::Moved
        } else if n * m / (n + m).max(1.0) < TELLING {
            DriftVerdict::TooFew
        } else {
            DriftVerdict::Steady
        };
    }

    /// What there is to say of it, in plain words.
    pub fn words(&self) -> String {
        let p = |p: f64| if p < 1e-4 { "p < 0.0001".to_owned() } else { format!("p {p:.4}") };
        let moved = self.moved();
        let mut out: Vec<String> = Vec::new();
        match &self.values {
            DriftValues::Numbers(drift) => {
                let by = drift.wasserstein_normed;
                out.push(format!("by {by:.3} deviations (Wasserstein; KS {:.3}, {})", drift.ks, p(self.p)));
            }
            DriftValues::Classes { drift, changed, .. } => {
                let mut text = format!("{} of the whole in other classes ({})", percent(drift.total_variation), p(self.p));
                if let Some((name, from, to)) = changed.first().filter(|_| moved[0]) {
                    text.push_str(&format!(": {name} from {} to {}", percent(*from), percent(*to)));
                }
                out.push(text);
            }
            DriftValues::Texts { newness, words, .. } => {
                let of = if newness.scores.len() < self.rows.1 {
                    format!(" of the {} that were compared", count(newness.scores.len()))
                } else {
                    String::new()
                };
                out.push(format!(
                    "{} texts{of} lie beyond 99 % of the dataset's, where chance puts {:.1} ({}; AUC {:.3})",
                    newness.tail,
                    newness.expected,
                    p(self.p),
                    newness.auc
                ));
                if moved[0] && !words.is_empty() {
                    let words: Vec<&str> = words.iter().map(|(word, ..)| word.as_str()).collect();
                    out.push(format!("oftener than before: {}", words.join(", ")));
                }
            }
        }
        if moved[1] || self.missing.1 > 0.0 && self.missing_p <= 0.05 {
            out.push(format!(
                "missing {} and before {} ({})",
                percent(self.missing.1),
                percent(self.missing.0),
                p(self.missing_p)
            ));
        }
        if !self.new.is_empty() {
            let names: Vec<&str> = self.new.iter().take(3).map(|(name, _)| name.as_str()).collect();
            let more = if self.new.len() > 3 { format!(" and {} more", self.new.len() - 3) } else { String::new() };
            out.push(format!("new: {}{more} ({} of the batch, {})", names.join(", "), percent(self.unseen()), p(self.new_p)));
        }
        out.join("; ")
    }
}
