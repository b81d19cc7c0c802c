//! How many samples each class is to have, and which samples go or come again for it. Pure: counts and members in, a plan out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chance::{Chance, seed_of};
use crate::data::{SampleId, count};

/// What each class is to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceRule {
    /// All the same; 0 keeps the total.
    Equal(u64),
    /// At least this many.
    Floor(u64),
    /// At most this many.
    Cap(u64),
    /// In proportion to the square root of what there is, the total kept.
    SquareRoot,
    /// In proportion to these weights by class, the total kept; a class that is not named keeps what it has.
    Weights(BTreeMap<String, f64>),
    /// Exactly these, by class; a class that is not named keeps what it has.
    Counts(BTreeMap<String, u64>),
}

/// Which samples go first where there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Under {
    /// By chance.
    #[default]
    Random,
    /// Those that are most like another that stays.
    Redundant,
    /// Those that a model is surest of: the hardest are kept.
    Easy,
}

/// How more samples come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The same ones again.
    #[default]
    Repeat,
    /// By a pipeline.
    Augment,
    /// Between neighbours, in numbers (SMOTE: Chawla et al., 2002).
    Smote,
}

impl BalanceRule {
    /// The rule in a few words.
    pub fn words(&self) -> String {
        match self {
            Self::Equal(0) => "equal".to_owned(),
            Self::Equal(n) => format!("{} each", count(*n as usize)),
            Self::Floor(n) => format!("at least {}", count(*n as usize)),
            Self::Cap(n) => format!("at most {}", count(*n as usize)),
            Self::SquareRoot => "square root".to_owned(),
            Self::Weights(_) => "own weights".to_owned(),
            Self::Counts(_) => "by hand".to_owned(),
        }
    }

    /// How many samples each class is to have: in the order of `counts`. Classes without samples stay so.
    pub fn targets(&self, names: &[&str], counts: &[u64]) -> Vec<u64> {
        let total: u64 = counts.iter().sum();
        let used = counts.iter().filter(|count| **count > 0).count().max(1) as u64;
        let shared = |weights: Vec<f64>, total: u64| -> Vec<u64> {
            let sum: f64 = weights.iter().sum();
            if sum <= 0.0 {
                return counts.to_vec();
            }
            weights.iter().map(|weight| (total as f64 * weight / sum).round() as u64).collect()
        };
        let wanted: Vec<u64> = match self {
            Self::Equal(0) => vec![(total as f64 / used as f64).round() as u64; counts.len()],
            Self::Equal(n) => vec![*n; counts.len()],
            Self::Floor(n) => counts.iter().map(|count| (*count).max(*n)).collect(),
            Self::Cap(n) => counts.iter().map(|count| (*count).min(*n)).collect(),
            Self::SquareRoot => shared(counts.iter().map(|count| (*count as f64).sqrt()).collect(), total),
            Self::Weights(weights) => {
                // The named classes share what they have together.
                let of = |name: &str| weights.get(name).copied().filter(|weight| weight.is_finite() && *weight >= 0.0);
                let mine: u64 = names.iter().zip(counts).filter(|(name, _)| of(name).is_some()).map(|(_, count)| count).sum();
                let parts = shared(names.iter().map(|name| of(name).unwrap_or(0.0)).collect(), mine);
                names.iter().zip(parts).zip(counts).map(|((name, part), count)| of(name).map_or(*count, |_| part)).collect()
            }
            Self::Counts(own) => {
                names.iter().zip(counts).map(|(name, count)| own.get(*name).copied().unwrap_or(*count)).collect()
            }
        };
        wanted.into_iter().zip(counts).map(|(wanted, count)| if *count == 0 { 0 } else { wanted }).collect()
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BalancePlan {
    /// Samples per class, now and planned. With several labels a sample counts for each of its classes.
    pub now: Vec<u64>,
    pub planned: Vec<u64>,
    /// Samples that go.
    pub gone: Vec<SampleId>,
    /// Parents, and how often each comes again.
    pub again: Vec<(SampleId, u32)>,
}

impl BalancePlan {
    /// How many samples come again.
    pub fn more(&self) -> u64 {
        self.again.iter().map(|(_, n)| u64::from(*n)).sum()
    }
}

/// The effective sample size of samples that stand there several times (Kish, 1965): `(Σ w)² / Σ w²`.
pub fn effective_size(times: impl Iterator<Item = f64>) -> f64 {
    let (sum, squares) = times.fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// One sample, and the classes it has.
pub type ClassMember<'m> = (SampleId, &'m [u32]);

/// Makes a plan for `members` to have `targets`. `leaves` puts the samples of a class into the order in which they go; only those of the
/// source that are in `parents` come again.
pub fn plan(
    members: &[ClassMember<'_>],
    targets: &[u64],
    seed: u64,
    may_repeat: impl Fn(SampleId) -> bool,
    mut leaves: impl FnMut(usize, Vec<SampleId>) -> Vec<SampleId>,
) -> BalancePlan {
    let classes = targets.len();
    let mut now = vec![0_u64; classes];
    let mut by_class: Vec<Vec<SampleId>> = vec![Vec::new(); classes];
    let mut of: std::collections::HashMap<SampleId, &[u32]> = std::collections::HashMap::new();
    for (id, list) in members {
        of.insert(*id, list);
        for class in *list {
            now[*class as usize] += 1;
            by_class[*class as usize].push(*id);
        }
    }
    let mut planned = now.clone();
    let mut gone = std::collections::BTreeSet::new();
    // The largest classes first; a sample of several classes goes only where none of them falls short by it.
    let mut order: Vec<usize> = (0..classes).filter(|class| planned[*class] > targets[*class]).collect();
    order.sort_by_key(|class| (std::cmp::Reverse(planned[*class]), *class));
    for class in order {
        if planned[class] <= targets[class] {
            continue;
        }
        for id in leaves(class, by_class[class].clone()) {
            if planned[class] <= targets[class] {
                break;
            }
            let list = of[&id];
            if !gone.contains(&id) && list.iter().all(|class| planned[*class as usize] > targets[*class as usize]) {
                gone.insert(id);
                list.iter().for_each(|class| planned[*class as usize] -= 1);
            }
        }
    }
    let mut again: BTreeMap<SampleId, u32> = BTreeMap::new();
    let short = |planned: &[u64], class: usize| targets[class].saturating_sub(planned[class]);
    // The class that lacks most of what it should have comes first; of its samples, those that have come least often, and of those the
    // ones that do least harm to classes that have enough already.
    let mut lists: Vec<Vec<SampleId>> = by_class
        .iter()
        .enumerate()
        .map(|(class, list)| {
            let mut list: Vec<SampleId> = list.iter().copied().filter(|id| !gone.contains(id) && may_repeat(*id)).collect();
            Chance::new(seed_of(&[seed, class as u64])).shuffle(&mut list);
            let single = |id: &SampleId| of[id].iter().filter(|other| targets[**other as usize] < now[**other as usize]).count();
            list.sort_by_key(single);
            list
        })
        .collect();
    let mut places = vec![0_usize; classes];
    let lacks = |planned: &[u64], class: usize| short(planned, class) as f64 / targets[class].max(1) as f64;
    let mut heap: std::collections::BTreeSet<(std::cmp::Reverse<u64>, usize)> = std::collections::BTreeSet::new();
    let key = |planned: &[u64], class: usize| (std::cmp::Reverse((lacks(planned, class) * 1e9) as u64), class);
    for (class, _) in lists.iter().enumerate().filter(|(class, list)| short(&planned, *class) > 0 && !list.is_empty()) {
        heap.insert(key(&planned, class));
    }
    while let Some((_, class)) = heap.pop_first() {
        if short(&planned, class) == 0 {
            continue;
        }
        let list = &mut lists[class];
        let id = list[places[class] % list.len()];
        places[class] += 1;
        *again.entry(id).or_default() += 1;
        for other in of[&id] {
            let other = *other as usize;
            heap.remove(&key(&planned, other));
            planned[other] += 1;
            if short(&planned, other) > 0 && !lists[other].is_empty() {
                heap.insert(key(&planned, other));
            }
        }
    }
    BalancePlan { now, planned, gone: gone.into_iter().collect(), again: again.into_iter().collect() }
}

/// The order in which samples go by chance.
pub fn by_chance(seed: u64, class: usize, mut list: Vec<SampleId>) -> Vec<SampleId> {
    Chance::new(seed_of(&[seed, class as u64, 1])).shuffle(&mut list);
    list
}

/// The order in which redundant samples go: of each two that are alike, `(likeness, one, other)`, the later one, the most alike first;
/// then the others by chance.
pub fn by_redundancy(seed: u64, class: usize, list: Vec<SampleId>, mut pairs: Vec<(f32, SampleId, SampleId)>) -> Vec<SampleId> {
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    let (mut out, mut gone, mut kept) = (Vec::new(), std::collections::HashSet::new(), std::collections::HashSet::new());
    for (_, a, b) in pairs {
        let later = a.max(b);
        let earlier = a.min(b);
        // What stays for another's going stays.
        if !gone.contains(&a) && !gone.contains(&b) && !kept.contains(&later) {
            gone.insert(later);
            kept.insert(earlier);
            out.push(later);
        }
    }
    out.extend(by_chance(seed, class, list.into_iter().filter(|id| !gone.contains(id)).collect()));
    out
}

/// How classes are weighed in a loss instead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClassWeights {
    /// `n / (K n_c)`, as scikit-learn's `balanced`.
    Balanced,
    /// `(1 − β) / (1 − β^n_c)`, scaled to sum to K (Cui et al., 2019).
    Effective(f64),
}

impl ClassWeights {
    /// The weights of classes with these many samples; 0 for a class without any.
    pub fn of(self, counts: &[u64]) -> Vec<f64> {
        let used = counts.iter().filter(|count| **count > 0).count() as f64;
        let total: u64 = counts.iter().sum();
        let raw: Vec<f64> = counts
            .iter()
            .map(|count| match (self, *count) {
                (_, 0) => 0.0,
                (Self::Balanced, count) => total as f64 / (used * count as f64),
                (Self::Effective(beta), count) => (1.0 - beta) / (1.0 - beta.powf(count as f64)),
            })
            .collect();
        match self {
            Self::Balanced => raw,
            Self::Effective(_) => {
                let sum: f64 = raw.iter().sum();
                raw.into_iter().map(|weight| weight * used / sum).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rules_say_what_they_say() {
        let names = ["a", "b", "c", "d"];
        let counts = [100, 50, 10, 0];
        let of = |rule: BalanceRule| rule.targets(&names, &counts);
        assert_eq!(of(BalanceRule::Equal(0)), [53, 53, 53, 0]);
        assert_eq!(of(BalanceRule::Equal(40)), [40, 40, 40, 0]);
        assert_eq!(of(BalanceRule::Floor(20)), [100, 50, 20, 0]);
        assert_eq!(of(BalanceRule::Cap(60)), [60, 50, 10, 0]);
        // 10, 7.07, 3.16 of 20.23 parts of 160.
        assert_eq!(of(BalanceRule::SquareRoot), [79, 56, 25, 0]);
        let weights = BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 2.0)]);
        assert_eq!(of(BalanceRule::Weights(weights)), [50, 100, 10, 0]);
        assert_eq!(of(BalanceRule::Counts(BTreeMap::from([("c".to_owned(), 7)]))), [100, 50, 7, 0]);
    }

    #[test]
    fn weights_by_hand() {
        let balanced = ClassWeights::Balanced.of(&[80, 20, 0]);
        assert_eq!(balanced, [0.625, 2.5, 0.0]);
        let effective = ClassWeights::Effective(0.9).of(&[1, 2]);
        // 1 and 0.1/0.19 = 0.5263, scaled to sum to 2.
        assert!((effective[0] - 1.310_344).abs() < 1e-5 && (effective[1] - 0.689_655).abs() < 1e-5, "{effective:?}");
    }

    #[test]
    fn effective_sizes_by_hand() {
        // Weights 4, 1, 1: 36 / 18.
        assert!((effective_size([4.0, 1.0, 1.0].into_iter()) - 2.0).abs() < 1e-12);
        assert!(effective_size(std::iter::empty()).abs() < 1e-12);
        assert_eq!(BalancePlan { again: vec![(SampleId(0), 3)], ..BalancePlan::default() }.more(), 3);
    }

    proptest! {
        #[test]
        fn one_label_meets_its_targets(labels in prop::collection::vec(0_u32..4, 1..200), targets in prop::collection::vec(0_u64..120, 4), seed: u64) {
            let lists: Vec<[u32; 1]> = labels.iter().map(|label| [*label]).collect();
            let members: Vec<ClassMember<'_>> = lists.iter().enumerate().map(|(at, list)| (SampleId::at(at), &list[..])).collect();
            let plan = plan(&members, &targets, seed, |_| true, |class, list| by_chance(seed, class, list));
            for (class, target) in targets.iter().enumerate() {
                let n = labels.iter().filter(|label| **label as usize == class).count() as u64;
                prop_assert_eq!(plan.now[class], n);
                let wanted = if n == 0 { 0 } else { *target };
                // What all go from, none comes again.
                prop_assert_eq!(plan.planned[class], wanted);
                let again: u64 = plan.again.iter().filter(|(id, _)| labels[id.row()] as usize == class).map(|(_, n)| u64::from(*n)).sum();
                let gone = plan.gone.iter().filter(|id| labels[id.row()] as usize == class).count() as u64;
                prop_assert_eq!(n + again - gone, wanted);
                prop_assert!(again == 0 || gone == 0);
                // Evenly: no sample comes twice more often than another of its class.
                let times: Vec<u32> = (0..labels.len())
                    .filter(|row| labels[*row] as usize == class)
                    .map(|row| plan.again.iter().find(|(id, _)| id.row() == row).map_or(0, |(_, n)| *n))
                    .collect();
                let spread = times.iter().max().unwrap_or(&0) - times.iter().min().unwrap_or(&0);
                prop_assert!(spread <= 1, "{times:?}");
            }
        }

        #[test]
        fn several_labels_never_fall_short_by_it(rows in prop::collection::vec(prop::collection::btree_set(0_u32..5, 1..4), 1..80), target in 1_u64..60, seed: u64) {
            let lists: Vec<Vec<u32>> = rows.iter().map(|set| set.iter().copied().collect()).collect();
            let members: Vec<ClassMember<'_>> = lists.iter().enumerate().map(|(at, list)| (SampleId::at(at), &list[..])).collect();
            let plan = plan(&members, &[target; 5], seed, |_| true, |class, list| by_chance(seed, class, list));
            for class in 0..5 {
                if plan.now[class] > 0 {
                    prop_assert!(plan.planned[class] >= target.min(plan.now[class]));
                    prop_assert!(plan.planned[class] >= target, "a class that has samples gets as many as are asked for");
                }
            }
        }
    }
}
