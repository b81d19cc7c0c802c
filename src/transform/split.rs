//! Splitting into parts: random, stratified, by group, stratified by group, by time, by hash; or into k folds.
//!
//! A split is a partition of the samples that are not excluded: each is in exactly one part. The same input, options and
//! seed give the same parts. Sizes are exact to one sample wherever groups, ties and hashes allow it.

use std::collections::{BTreeMap, HashMap};

use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::data::{Dataset, Kind, Role, SampleId, classes_of};
use crate::job::{Cancelled, Progress};

/// What is hashed to place a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashOf {
    /// What a model reads: the text columns, or every column where there is none.
    Content,
    /// One column: an id.
    Column(String),
}

/// How samples are assigned to parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// By chance.
    Random,
    /// Each part has the whole's share of each class.
    Stratified {
        /// The label column.
        label: String,
    },
    /// Samples with the same value stay together.
    Group {
        /// The group column.
        group: String,
    },
    /// Both, as nearly as groups allow.
    StratifiedGroup {
        /// The label column.
        label: String,
        /// The group column.
        group: String,
    },
    /// The earliest first; equal times stay together.
    Time {
        /// The time column.
        time: String,
    },
    /// By a hash, so that samples added later move no earlier one. Sizes are near, not exact.
    Hash(HashOf),
}

/// A split to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// How.
    pub method: Method,
    /// The parts' names and shares; shares need not sum to 1.
    pub parts: Vec<(String, f64)>,
    /// The seed of whatever is left to chance.
    pub seed: u64,
}

/// Why a split cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// No such column.
    #[error("there is no column called {0:?}")]
    Column(String),
    /// The shares make no sense.
    #[error("the shares must be at least two numbers of 0 or more that do not sum to 0, as in 80,10,10")]
    Shares,
    /// Times that do not sort.
    #[error("{column:?} has times like {example:?}, which do not sort as they stand; write them as 2024-12-31 or as numbers")]
    Times {
        /// The column.
        column: String,
        /// One of them.
        example: String,
    },
    /// Stopped.
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for SplitError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<SplitError> for crate::job::JobError {
    fn from(error: SplitError) -> Self {
        match error {
            SplitError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Which sample goes where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The parts' names.
    pub names: Vec<String>,
    /// The samples, in file order.
    pub samples: Vec<SampleId>,
    /// The part of each, as a place in `names`.
    pub parts: Vec<u16>,
}

impl Plan {
    /// The samples of one part, in file order.
    pub fn members(&self, part: usize) -> impl Iterator<Item = SampleId> + '_ {
        self.samples.iter().zip(&self.parts).filter(move |(_, of)| usize::from(**of) == part).map(|(id, _)| *id)
    }

    /// The samples of a part and what was made of them, in order; what was made of two is in the part that both are in.
    pub fn family(&self, dataset: &Dataset, part: usize) -> Vec<SampleId> {
        let mut all: Vec<SampleId> = self.members(part).collect();
        if dataset.made() > 0 {
            let mine: std::collections::HashSet<SampleId> = all.iter().copied().collect();
            let made = dataset.samples().filter(|id| dataset.is_made(*id) && !dataset.is_excluded(*id));
            let here = |id: &SampleId| {
                let origins = dataset.origins(*id);
                origins.is_some_and(|of| mine.contains(&of.parent) && of.other.is_none_or(|other| mine.contains(&other)))
            };
            all.extend(made.filter(here));
        }
        all
    }

    /// How many samples each part has.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.names.len()];
        self.parts.iter().for_each(|part| sizes[usize::from(*part)] += 1);
        sizes
    }
}

impl Split {
    /// Train, validation and test with these shares.
    pub fn named(method: Method, shares: &[f64], seed: u64) -> Self {
        let names: &[&str] = if shares.len() == 2 { &["train", "test"] } else { &["train", "validation", "test"] };
        let parts = shares
            .iter()
            .enumerate()
            .map(|(i, share)| (names.get(i).map_or_else(|| format!("part {}", i + 1), |name| (*name).to_owned()), *share));
        Self { method, parts: parts.collect(), seed }
    }

    /// `k` folds of one size.
    pub fn folds(method: Method, k: usize, seed: u64) -> Self {
        Self { method, parts: (1..=k).map(|fold| (format!("fold {fold}"), 1.0)).collect(), seed }
    }

    /// Makes the plan. O(n log n) at most.
    ///
    /// # Errors
    /// [`SplitError`].
    pub fn plan(&self, dataset: &Dataset, progress: &Progress) -> Result<Plan, SplitError> {
        let total: f64 = self.parts.iter().map(|(_, share)| share).sum();
        let sound =
            self.parts.len() >= 2 && self.parts.iter().all(|(_, share)| share.is_finite() && *share >= 0.0) && total > 0.0;
        if !sound || self.parts.len() > usize::from(u16::MAX) {
            return Err(SplitError::Shares);
        }
        let shares: Vec<f64> = self.parts.iter().map(|(_, share)| share / total).collect();
        // What was made of a sample goes where that one goes.
        let samples: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id) && !dataset.is_made(*id)).collect();
        progress.set_total(3);
        let mut random = StdRng::seed_from_u64(self.seed);
        let find = |name: &String| dataset.field(name).ok_or_else(|| SplitError::Column(name.clone()));
        let parts = match &self.method {
            Method::Random => random_parts(samples.len(), &shares, &mut random),
            Method::Stratified { label } => {
                let strata = keys(dataset, find(label)?, &samples);
                progress.step(1)?;
                stratified(&strata, &shares, &mut random)
            }
            Method::Group { group } => {
                let groups = groups(dataset, find(group)?, &samples);
                progress.step(1)?;
                by_group(&groups, &vec![0; samples.len()], &shares, &mut random)
            }
            Method::StratifiedGroup { label, group } => {
                let strata = keys(dataset, find(label)?, &samples);
                let groups = groups(dataset, find(group)?, &samples);
                progress.step(1)?;
                by_group(&groups, &strata, &shares, &mut random)
            }
            Method::Time { time } => by_time(dataset, find(time)?, &samples, &shares)?,
            Method::Hash(of) => by_hash(dataset, of, &samples, &shares, self.seed)?,
        };
        progress.step(1)?;
        Ok(Plan { names: self.parts.iter().map(|(name, _)| name.clone()).collect(), samples, parts })
    }
}

/// Whole counts that sum to `n` and differ from `n * share` by less than one (largest remainder).
fn counts(n: usize, shares: &[f64]) -> Vec<usize> {
    let ideal: Vec<f64> = shares.iter().map(|share| share * n as f64).collect();
    let mut counts: Vec<usize> = ideal.iter().map(|count| (count + 1e-9).floor() as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|a, b| (ideal[*b] - counts[*b] as f64).total_cmp(&(ideal[*a] - counts[*a] as f64)));
    let missing = n.saturating_sub(counts.iter().sum());
    for part in order.into_iter().cycle().take(missing) {
        counts[part] += 1;
    }
    counts
}

fn random_parts(n: usize, shares: &[f64], random: &mut StdRng) -> Vec<u16> {
    let mut parts: Vec<u16> =
        counts(n, shares).into_iter().enumerate().flat_map(|(part, count)| std::iter::repeat_n(part as u16, count)).collect();
    parts.shuffle(random);
    parts
}

/// A number per sample for its class; several classes count as one combination; no class is one too.
fn keys(dataset: &Dataset, field: usize, samples: &[SampleId]) -> Vec<u32> {
    let (kind, role) = (dataset.fields()[field].kind, dataset.fields()[field].role);
    let many = kind == Kind::List || matches!(role, Role::Labels(_));
    let mut seen: HashMap<String, u32> = HashMap::new();
    samples
        .iter()
        .map(|id| {
            let text = dataset.text(field, *id);
            let key = if many {
                let mut names = classes_of(text, kind, role);
                names.sort_unstable();
                names.join("\u{1f}")
            } else {
                text.unwrap_or_default().into_owned()
            };
            let next = seen.len() as u32;
            *seen.entry(key).or_insert(next)
        })
        .collect()
}

/// A number per sample for its group; a sample without one is a group of its own.
fn groups(dataset: &Dataset, field: usize, samples: &[SampleId]) -> Vec<u32> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        next - 1
    };
    samples
        .iter()
        .map(|id| match dataset.text(field, *id).filter(|text| !text.is_empty()) {
            None => fresh(),
            Some(text) => {
                if let Some(group) = seen.get(&*text) {
                    *group
                } else {
                    let group = fresh();
                    seen.insert(text.into_owned(), group);
                    group
                }
            }
        })
        .collect()
}

/// Each class is dealt out by its shares; what is left over of each goes where the whole lacks most, at most one sample
/// a part, so that both the parts' sizes and each class in them are right to one sample.
fn stratified(strata: &[u32], shares: &[f64], random: &mut StdRng) -> Vec<u16> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    strata.iter().enumerate().for_each(|(at, class)| members.entry(*class).or_default().push(at));
    let mut parts = vec![0_u16; strata.len()];
    let (mut wanted, mut given) = (vec![0.0; shares.len()], vec![0.0; shares.len()]);
    for list in members.values_mut() {
        list.shuffle(random);
        let n = list.len() as f64;
        let mut take: Vec<usize> = shares.iter().map(|share| (share * n + 1e-9).floor() as usize).collect();
        for part in 0..shares.len() {
            wanted[part] += shares[part] * n;
            given[part] += take[part] as f64;
        }
        let mut order: Vec<usize> = (0..shares.len()).filter(|part| shares[*part] > 0.0).collect();
        order.sort_by(|a, b| (wanted[*b] - given[*b]).total_cmp(&(wanted[*a] - given[*a])));
        let left = list.len().saturating_sub(take.iter().sum());
        for part in order.into_iter().cycle().take(left) {
            take[part] += 1;
            given[part] += 1.0;
        }
        let mut at = 0;
        for (part, count) in take.into_iter().enumerate() {
            list[at..at + count].iter().for_each(|sample| parts[*sample] = part as u16);
            at += count;
        }
    }
    parts
}

/// Whole groups, the largest first, each to the part that has least of what the group brings, measured against what the
/// part should have of it (a greedy fill in the spirit of scikit-learn's `StratifiedGroupKFold`).
fn by_group(groups: &[u32], strata: &[u32], shares: &[f64], random: &mut StdRng) -> Vec<u16> {
    let n_groups = groups.iter().max().map_or(0, |group| *group as usize + 1);
    let n_classes = strata.iter().max().map_or(0, |class| *class as usize + 1);
    let mut brings: Vec<HashMap<u32, f64>> = vec![HashMap::new(); n_groups];
    let (mut sizes, mut totals) = (vec![0.0_f64; n_groups], vec![0.0_f64; n_classes]);
    for (group, class) in groups.iter().zip(strata) {
        *brings[*group as usize].entry(*class).or_default() += 1.0;
        sizes[*group as usize] += 1.0;
        totals[*class as usize] += 1.0;
    }
    let mut order: Vec<(usize, u64)> = (0..n_groups).map(|group| (group, random.random())).collect();
    order.sort_by(|a, b| sizes[b.0].total_cmp(&sizes[a.0]).then(a.1.cmp(&b.1)));
    let mut have = vec![vec![0.0; n_classes]; shares.len()];
    let (mut filled, mut of) = (vec![0.0; shares.len()], vec![0_u16; n_groups]);
    let all = groups.len() as f64;
    for (group, _) in order {
        let fill = |part: usize| {
            let by_class: f64 = brings[group]
                .iter()
                .map(|(class, count)| count * have[part][*class as usize] / (totals[*class as usize] * shares[part]))
                .sum();
            // Class and size weigh alike; what a part would overflow by counts against it.
            let size = (filled[part] + sizes[group]) / (all * shares[part]);
            by_class / sizes[group] + filled[part] / (all * shares[part]) + (size - 1.0).max(0.0) * 2.0
        };
        let best = (0..shares.len()).filter(|part| shares[*part] > 0.0).min_by(|a, b| fill(*a).total_cmp(&fill(*b))).unwrap_or(0);
        of[group] = best as u16;
        filled[best] += sizes[group];
        for (class, count) in &brings[group] {
            have[best][*class as usize] += count;
        }
    }
    groups.iter().map(|group| of[*group as usize]).collect()
}

fn by_time(dataset: &Dataset, field: usize, samples: &[SampleId], shares: &[f64]) -> Result<Vec<u16>, SplitError> {
    let numeric = dataset.fields()[field].kind.is_numeric();
    let mut keyed: Vec<(Option<f64>, String, usize)> = Vec::with_capacity(samples.len());
    let mut odd = None;
    let mut unsortable = 0_usize;
    for (at, id) in samples.iter().enumerate() {
        let text = dataset.text(field, *id).unwrap_or_default();
        let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let sortable = text.is_empty()
            || number.is_some()
            || text.len() >= 7
                && text.as_bytes()[..4].iter().all(u8::is_ascii_digit)
                && matches!(text.as_bytes()[4], b'-' | b'/' | b'.');
        if !sortable {
            unsortable += 1;
            odd.get_or_insert_with(|| text.to_string());
        }
        let key = if numeric { String::new() } else { text.into_owned() };
        keyed.push((number.filter(|_| numeric), key, at));
    }
    if let Some(example) = odd.filter(|_| unsortable * 20 > samples.len()) {
        return Err(SplitError::Times { column: dataset.fields()[field].name.to_string(), example });
    }
    let order = |a: &(Option<f64>, String, usize), b: &(Option<f64>, String, usize)| {
        a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.1.cmp(&b.1))
    };
    keyed.sort_by(|a, b| order(a, b).then(a.2.cmp(&b.2)));
    let (mut parts, mut start, mut ideal) = (vec![0_u16; samples.len()], 0, 0_usize);
    for (part, count) in counts(samples.len(), shares).into_iter().enumerate() {
        ideal += count;
        let mut end = ideal.max(start);
        if part + 1 == shares.len() {
            end = keyed.len();
        } else if end > 0 && end < keyed.len() {
            // Equal times stay together: the border moves to the nearer end of their run.
            let run_start = keyed.partition_point(|key| order(key, &keyed[end]).is_lt());
            let run_end = keyed.partition_point(|key| order(key, &keyed[end]).is_le());
            if run_start < end {
                end = if end - run_start <= run_end - end { run_start.max(start) } else { run_end };
            }
        }
        keyed[start..end].iter().for_each(|key| parts[key.2] = part as u16);
        start = end;
    }
    Ok(parts)
}

fn by_hash(dataset: &Dataset, of: &HashOf, samples: &[SampleId], shares: &[f64], seed: u64) -> Result<Vec<u16>, SplitError> {
    let fields: Vec<usize> = match of {
        HashOf::Column(name) => vec![dataset.field(name).ok_or_else(|| SplitError::Column(name.clone()))?],
        HashOf::Content => {
            let all = 0..dataset.fields().len();
            let text: Vec<usize> =
                all.clone().filter(|field| matches!(dataset.fields()[*field].role, Role::Text | Role::Messages)).collect();
            if text.is_empty() { all.filter(|field| dataset.fields()[*field].source.is_some()).collect() } else { text }
        }
    };
    let borders: Vec<f64> = shares
        .iter()
        .scan(0.0, |sum, share| {
            *sum += share;
            Some(*sum)
        })
        .collect();
    let last = shares.iter().rposition(|share| *share > 0.0).unwrap_or(0);
    Ok(samples
        .iter()
        .map(|id| {
            let hash = if let [field] = fields.as_slice() {
                xxh3_64_with_seed(dataset.text(*field, *id).unwrap_or_default().as_bytes(), seed)
            } else {
                let mut hasher = Xxh3::with_seed(seed);
                for field in &fields {
                    let text = dataset.text(*field, *id).unwrap_or_default();
                    hasher.update(&(text.len() as u64).to_le_bytes());
                    hasher.update(text.as_bytes());
                }
                hasher.digest()
            };
            let place = hash as f64 / u64::MAX as f64;
            borders.iter().position(|border| place < *border).unwrap_or(last) as u16
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(parts: &[u16], n: usize) -> Vec<usize> {
        (0..n).map(|part| parts.iter().filter(|of| usize::from(**of) == part).count()).collect()
    }

    proptest! {
        #[test]
        fn stratified_parts_are_right_to_one_sample(classes in prop::collection::vec(0_u32..6, 1..400), seed: u64) {
            let shares = [0.8, 0.1, 0.1];
            let parts = stratified(&classes, &shares, &mut StdRng::seed_from_u64(seed));
            for class in 0..6 {
                let n = classes.iter().filter(|of| **of == class).count() as f64;
                for (part, share) in shares.iter().enumerate() {
                    let have = classes.iter().zip(&parts).filter(|(of, at)| **of == class && usize::from(**at) == part).count();
                    prop_assert!((have as f64 - n * share).abs() < 1.0 + 1e-6, "class {class} part {part}: {have} of {n}");
                }
            }
        }

        #[test]
        fn no_group_is_torn(groups in prop::collection::vec(0_u32..40, 1..300), seed: u64) {
            let strata: Vec<u32> = groups.iter().map(|group| group % 3).collect();
            let parts = by_group(&groups, &strata, &[0.7, 0.2, 0.1], &mut StdRng::seed_from_u64(seed));
            for (a, part) in groups.iter().zip(&parts) {
                prop_assert!(groups.iter().zip(&parts).all(|(b, other)| a != b || part == other));
            }
        }

        #[test]
        fn counts_sum_and_are_near(n in 0_usize..10_000, a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
            let total = a + b + 0.1;
            let shares = [a / total, b / total, 0.1 / total];
            let counts = counts(n, &shares);
            prop_assert_eq!(counts.iter().sum::<usize>(), n);
            for (count, share) in counts.iter().zip(shares) {
                prop_assert!((*count as f64 - share * n as f64).abs() < 1.0 + 1e-6);
            }
        }
    }

    #[test]
    fn many_small_groups_fill_parts_by_their_shares() {
        let groups: Vec<u32> = (0..20_000_u32).map(|i| i / 4).collect();
        let strata: Vec<u32> = (0..20_000_u32).map(|i| (i / 4) % 5).collect();
        let parts = by_group(&groups, &strata, &[0.8, 0.1, 0.1], &mut StdRng::seed_from_u64(1));
        for (size, wanted) in sizes(&parts, 3).into_iter().zip([16_000, 2_000, 2_000]) {
            assert!(size.abs_diff(wanted) <= 40, "{size} instead of {wanted}");
        }
    }
}
