//! Splitting into parts: random, stratified, by group, stratified by group, by time, by hash; or into k folds.
//!
//! A split is a partition of the samples that are not excluded: each is in exactly one part. The same input, options and
//! seed give the same parts. Sizes are exact to one sample wherever groups, ties and hashes allow it.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use super::copies::{Copies, united};
use super::shares::{SplitError, counts};
use super::split_groups::by_group;
use super::split_time::by_time;
use crate::chance::Chance;
use crate::data::{Dataset, Kind, Role, SampleId, classes_of, is_held_out};
use crate::job::Progress;

/// What is hashed to place a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashOf {
    /// What a model reads: the text columns, or every column where there is none.
    Content,
    /// One column: an id.
    Column(String),
}

/// How samples are assigned to parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitMethod {
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// How.
    pub method: SplitMethod,
    /// The parts' names and shares; shares need not sum to 1.
    pub parts: Vec<(String, f64)>,
    /// The seed of whatever is left to chance.
    pub seed: u64,
    /// Whether copies of each other stay in one part, as far as the method leaves it open: by time and by a column's hash it does not.
    pub together: bool,
    /// From this Jaccard similarity of their word pairs on texts count as copies, too, above 0 to 1; 0 where only the same do.
    #[serde(default)]
    pub near: f64,
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
    /// How many samples have a copy in an earlier part, where copies are known.
    pub copies: Option<usize>,
    /// What should be known before it is made.
    pub notes: Vec<String>,
}

impl Plan {
    /// The samples of one part, in file order.
    pub fn members(&self, part: usize) -> impl Iterator<Item = SampleId> + '_ {
        self.samples.iter().zip(&self.parts).filter(move |(_, of)| usize::from(**of) == part).map(|(id, _)| *id)
    }

    /// The samples of a part and what was made of them, in order; what was made of two is in the part that both are in. In a part that models
    /// are tested on, only what is real.
    pub fn family(&self, dataset: &Dataset, part: usize) -> Vec<SampleId> {
        let mut all: Vec<SampleId> = self.members(part).collect();
        if dataset.made() > 0 && !is_held_out(&self.names[part]) {
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
    pub fn named(method: SplitMethod, shares: &[f64], seed: u64) -> Self {
        let names: &[&str] = if shares.len() == 2 { &["train", "test"] } else { &["train", "validation", "test"] };
        let parts = shares
            .iter()
            .enumerate()
            .map(|(i, share)| (names.get(i).map_or_else(|| format!("part {}", i + 1), |name| (*name).to_owned()), *share));
        Self { method, parts: parts.collect(), seed, together: true, near: 0.0 }
    }

    /// `k` folds of one size.
    pub fn folds(method: SplitMethod, k: usize, seed: u64) -> Self {
        Self { method, parts: (1..=k).map(|fold| (format!("fold {fold}"), 1.0)).collect(), seed, together: true, near: 0.0 }
    }

    /// Makes the plan. O(n log n) at most. `copies` says which samples are the same, where that is known.
    ///
    /// # Errors
    /// [`SplitError`].
    pub fn plan(&self, dataset: &Dataset, copies: Option<&Copies>, progress: &Progress) -> Result<Plan, SplitError> {
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
        let mut random = Chance::new(self.seed);
        let find = |name: &String| dataset.field(name).ok_or_else(|| SplitError::Column(name.clone()));
        let same = copies.filter(|_| self.together).map(|copies| copies.among(&samples));
        let mut notes = Vec::new();
        let parts = match &self.method {
            SplitMethod::Random => dealt(samples.len(), None, same.as_deref(), &shares, &mut random),
            SplitMethod::Stratified { label } => {
                let strata = keys(dataset, find(label)?, &samples);
                progress.step(1)?;
                notes.extend(rare_note(dataset, find(label)?, &samples, &shares));
                dealt(samples.len(), Some(&strata), same.as_deref(), &shares, &mut random)
            }
            SplitMethod::Group { group } | SplitMethod::StratifiedGroup { group, .. } => {
                let groups = united(&groups(dataset, find(group)?, &samples), same.as_deref());
                let strata = match &self.method {
                    SplitMethod::StratifiedGroup { label, .. } => {
                        notes.extend(rare_note(dataset, find(label)?, &samples, &shares));
                        keys(dataset, find(label)?, &samples)
                    }
                    _ => vec![0; samples.len()],
                };
                progress.step(1)?;
                let n = groups.iter().max().map_or(0, |group| *group as usize + 1);
                let wanted = shares.iter().filter(|share| **share > 0.0).count();
                if n < wanted {
                    notes.push(format!("there are {n} groups for {wanted} parts"));
                }
                by_group(&groups, &strata, &shares, &mut random, progress)?
            }
            SplitMethod::Time { time } => {
                let (parts, note) = by_time(dataset, find(time)?, &samples, &shares)?;
                notes.extend(note);
                parts
            }
            SplitMethod::Hash(of) => {
                let parts = by_hash(dataset, of, &samples, &shares, self.seed)?;
                match (of, &same) {
                    // Copies that are spelled otherwise go where the first of them goes.
                    (HashOf::Content, Some(same)) => with_the_first(&parts, same),
                    _ => parts,
                }
            }
        };
        progress.step(1)?;
        let names: Vec<String> = self.parts.iter().map(|(name, _)| name.clone()).collect();
        let copies = copies.map(|copies| across(&copies.among(&samples), &parts));
        let mut plan = Plan { names, samples, parts, copies, notes };
        plan.notes.splice(0..0, size_notes(&plan, &shares));
        plan.notes.extend(made_note(dataset, &plan));
        Ok(plan)
    }
}

/// How many samples stand in a later part than a copy of theirs.
fn across(same: &[u32], parts: &[u16]) -> usize {
    let mut first: HashMap<u32, u16> = HashMap::new();
    for (group, part) in same.iter().zip(parts) {
        let first = first.entry(*group).or_insert(*part);
        *first = (*first).min(*part);
    }
    same.iter().zip(parts).filter(|(group, part)| first[*group] < **part).count()
}

fn with_the_first(parts: &[u16], same: &[u32]) -> Vec<u16> {
    let mut first: HashMap<u32, u16> = HashMap::new();
    same.iter().zip(parts).map(|(group, part)| *first.entry(*group).or_insert(*part)).collect()
}

/// Parts that come out empty, or far from what was asked for.
fn size_notes(plan: &Plan, shares: &[f64]) -> Vec<String> {
    let (sizes, all) = (plan.sizes(), plan.samples.len());
    let wanted = || (0..sizes.len()).filter(|part| shares[*part] > 0.0);
    let empty: Vec<&str> = wanted().filter(|part| sizes[*part] == 0).map(|part| plan.names[part].as_str()).collect();
    if !empty.is_empty() {
        return vec![format!("{} would be empty", empty.join(" and "))];
    }
    let off = wanted().any(|part| (sizes[part] as f64 - shares[part] * all as f64).abs() > (all as f64 * 0.02).max(1.5));
    let list: Vec<String> = sizes.iter().map(|size| format!("{:.1}", *size as f64 / all.max(1) as f64 * 100.0)).collect();
    if off {
        vec![format!("the parts come out at {} %: what must stay together comes no nearer", list.join(", "))]
    } else {
        Vec::new()
    }
}

/// What was made of samples that are tested on stays out.
fn made_note(dataset: &Dataset, plan: &Plan) -> Option<String> {
    if dataset.made() == 0 {
        return None;
    }
    let kept = dataset.samples().filter(|id| dataset.is_made(*id) && !dataset.is_excluded(*id)).count();
    let within: usize = (0..plan.names.len()).map(|part| plan.family(dataset, part).len()).sum();
    let out = kept - (within - plan.samples.len());
    (out > 0).then(|| format!("{out} made samples stay out: what they were made of is tested on, or in two parts"))
}

/// Classes with fewer samples than there are parts.
fn rare_note(dataset: &Dataset, field: usize, samples: &[SampleId], shares: &[f64]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for id in samples {
        let text = dataset.text(field, *id).filter(|text| !text.is_empty());
        if let Some(text) = text {
            *counts.entry(text.into_owned()).or_default() += 1;
        }
    }
    let parts = shares.iter().filter(|share| **share > 0.0).count();
    let rare: Vec<&String> = counts.iter().filter(|(_, count)| **count < parts).map(|(name, _)| name).collect();
    let named: Vec<String> = rare.iter().take(3).map(|name| format!("{:?}", name.chars().take(40).collect::<String>())).collect();
    let more = if rare.len() > 3 { " …" } else { "" };
    match rare.len() {
        0 => None,
        1 => Some(format!("the class {} has fewer samples than there are parts, and is not in all of them", named[0])),
        n => Some(format!(
            "{n} classes have fewer samples than there are parts, and are not in all of them: {}{more}",
            named.join(", ")
        )),
    }
}

/// Samples dealt out by chance, each class by its shares where there are any. Copies are dealt first and as one; the rest makes up for what they
/// brought, so that the parts' sizes, and each class in them, are right to one sample wherever copies allow it.
fn dealt(n: usize, strata: Option<&[u32]>, same: Option<&[u32]>, shares: &[f64], random: &mut Chance) -> Vec<u16> {
    let flat;
    let classes = match strata {
        Some(strata) => strata,
        None => {
            flat = vec![0; n];
            &flat
        }
    };
    let mut placed: Vec<Option<u16>> = vec![None; n];
    if let Some(same) = same {
        let mut sizes: HashMap<u32, usize> = HashMap::new();
        same.iter().for_each(|group| *sizes.entry(*group).or_default() += 1);
        let many: Vec<usize> = (0..n).filter(|at| sizes[&same[*at]] > 1).collect();
        let groups = numbered(many.iter().map(|at| same[*at]));
        let of_class: Vec<u32> = many.iter().map(|at| classes[*at]).collect();
        if let Ok(parts) = by_group(&groups, &of_class, shares, random, &Progress::silent()) {
            many.iter().zip(parts).for_each(|(at, part)| placed[*at] = Some(part));
        }
    }
    if strata.is_none() && placed.iter().all(Option::is_none) {
        return random_parts(n, shares, random);
    }
    stratified(classes, &placed, shares, random)
}

fn random_parts(n: usize, shares: &[f64], random: &mut Chance) -> Vec<u16> {
    let mut parts: Vec<u16> =
        counts(n, shares).into_iter().enumerate().flat_map(|(part, count)| std::iter::repeat_n(part as u16, count)).collect();
    random.shuffle(&mut parts);
    parts
}

/// Numbers from 0 for values in the order they come in.
fn numbered(values: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut seen: HashMap<u32, u32> = HashMap::new();
    values
        .map(|value| {
            let next = seen.len() as u32;
            *seen.entry(value).or_insert(next)
        })
        .collect()
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
/// a part, so that both the parts' sizes and each class in them are right to one sample. What is `placed` already stays and counts.
fn stratified(strata: &[u32], placed: &[Option<u16>], shares: &[f64], random: &mut Chance) -> Vec<u16> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    strata.iter().enumerate().for_each(|(at, class)| members.entry(*class).or_default().push(at));
    let mut parts = vec![0_u16; strata.len()];
    let (mut wanted, mut given) = (vec![0.0; shares.len()], vec![0.0; shares.len()]);
    for list in members.values_mut() {
        let n = list.len() as f64;
        let mut there = vec![0_usize; shares.len()];
        list.retain(|sample| match placed[*sample] {
            Some(part) => {
                parts[*sample] = part;
                there[usize::from(part)] += 1;
                false
            }
            None => true,
        });
        random.shuffle(list);
        let mut take: Vec<usize> = shares
            .iter()
            .zip(&there)
            .map(|(share, there)| ((share * n + 1e-9).floor() as usize).saturating_sub(*there))
            .collect();
        // Where copies took more than a part's share, the others have less.
        let mut over = take.iter().sum::<usize>().saturating_sub(list.len());
        while over > 0 {
            let Some(most) = (0..take.len()).max_by_key(|part| take[*part]).filter(|part| take[*part] > 0) else { break };
            take[most] -= 1;
            over -= 1;
        }
        for part in 0..shares.len() {
            wanted[part] += shares[part] * n;
            given[part] += (take[part] + there[part]) as f64;
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

fn by_hash(dataset: &Dataset, of: &HashOf, samples: &[SampleId], shares: &[f64], seed: u64) -> Result<Vec<u16>, SplitError> {
    let fields: Vec<usize> = match of {
        HashOf::Column(name) => vec![dataset.field(name).ok_or_else(|| SplitError::Column(name.clone()))?],
        HashOf::Content => {
            let all = 0..dataset.fields().len();
            let text: Vec<usize> =
                all.clone().filter(|field| matches!(dataset.fields()[*field].role, Role::Text | Role::Messages)).collect();
            if text.is_empty() { all.filter(|field| dataset.fields()[*field].is_given()).collect() } else { text }
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
            let parts = stratified(&classes, &vec![None; classes.len()], &shares, &mut Chance::new(seed));
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
            let parts = by_group(&groups, &strata, &[0.7, 0.2, 0.1], &mut Chance::new(seed), &Progress::silent()).unwrap();
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
        let parts = by_group(&groups, &strata, &[0.8, 0.1, 0.1], &mut Chance::new(1), &Progress::silent()).unwrap();
        for (size, wanted) in sizes(&parts, 3).into_iter().zip([16_000, 2_000, 2_000]) {
            assert!(size.abs_diff(wanted) <= 40, "{size} instead of {wanted}");
        }
    }
}
