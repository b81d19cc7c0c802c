//! The order of rows, columns that give the label away, and parts of a split that differ.

use std::collections::BTreeMap;

use super::duplicates::looked_at;
use super::options::Options;
use super::{CheckInput, Finding, FindingKind};
use crate::data::{ClassIndex, Dataset, Kind, Measure, Role, SampleId, values};
use crate::job::{Cancelled, Progress};

/// Of fewer rows nothing is said.
const FEW: usize = 40;
/// How many deviations from what chance gives is no chance.
const SURE: f64 = 6.0;

/// Looks for them.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, _: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let mut found = Vec::new();
    let ids: Vec<SampleId> = looked_at(dataset).collect();
    if ids.len() < FEW {
        return Ok(found);
    }
    if let Some(label) = dataset.with_role(|role| role == Role::Label) {
        let classes = ClassIndex::build(dataset, label, progress)?;
        let list: Vec<(SampleId, u32)> = ids.iter().filter_map(|id| Some((*id, *classes.of(*id).first()?))).collect();
        let used = classes.used();
        if used >= 2 && used * 4 <= list.len() {
            let column = &dataset.fields()[label].name;
            let in_order: Vec<u32> = list.iter().map(|(_, class)| *class).collect();
            found.extend(
                sorted(&in_order, used).map(|reason| Finding::new(FindingKind::Sorted, Vec::new(), column, 0.35, reason)),
            );
            progress.check()?;
            telltales(dataset, label, &list, used, &mut found, progress)?;
            parts(dataset, &classes, &list, &mut found);
        }
    }
    lengths_of_parts(dataset, &ids, &mut found);
    Ok(found)
}

/// Whether neighbours share their class more often than chance would have it, and by how much.
fn sorted(classes: &[u32], used: usize) -> Option<String> {
    let n = classes.len() as f64;
    let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
    classes.iter().for_each(|class| *counts.entry(*class).or_default() += 1.0);
    // Of rows in random order two neighbours share their class with this probability.
    let chance = counts.values().map(|count| count * (count - 1.0)).sum::<f64>() / (n * (n - 1.0));
    let same = classes.windows(2).filter(|two| two[0] == two[1]).count() as f64 / (n - 1.0);
    let deviation = (chance * (1.0 - chance) / (n - 1.0)).sqrt();
    let clear = same - chance > 0.25 * (1.0 - chance);
    let runs = classes.windows(2).filter(|two| two[0] != two[1]).count() + 1;
    (used >= 2 && clear && same - chance > SURE * deviation).then(|| {
        let how = if runs == used { "rows are sorted by class" } else { "rows stand by class" };
        format!(
            "{how}: {:.0} % of neighbours share theirs, where a random order has {:.0} %. Shuffle before parts are taken",
            same * 100.0,
            chance * 100.0
        )
    })
}

/// Columns that are no part of what a sample says and from which its class can be told: numbers of rows, groups, sources.
fn telltales(
    dataset: &Dataset,
    label: usize,
    list: &[(SampleId, u32)],
    used: usize,
    found: &mut Vec<Finding>,
    progress: &Progress,
) -> Result<(), Cancelled> {
    for (field, column) in dataset.fields().iter().enumerate() {
        let of_id = matches!(column.role, Role::Id | Role::Group) || column.role == Role::Other && column.kind == Kind::Text;
        if field == label || !of_id || !column.is_given() {
            continue;
        }
        progress.check()?;
        let mut values: BTreeMap<String, BTreeMap<u32, usize>> = BTreeMap::new();
        let numbers: Option<Vec<f64>> =
            (column.role == Role::Id).then(|| list.iter().map(|(id, _)| dataset.number(field, *id)).collect()).flatten();
        match numbers {
            // A number tells by where it lies: twenty stretches of equally many.
            Some(numbers) => {
                let mut order: Vec<usize> = (0..list.len()).collect();
                order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
                for (place, at) in order.iter().enumerate() {
                    let stretch = format!("{:03}", place * 20.max(used) / list.len());
                    *values.entry(stretch).or_default().entry(list[*at].1).or_default() += 1;
                }
            }
            None => {
                for (id, class) in list {
                    if let Some(value) = dataset.text(field, *id).filter(|value| !value.is_empty() && value.len() <= 200) {
                        *values.entry(value.into_owned()).or_default().entry(*class).or_default() += 1;
                    }
                }
                // A value for nearly every row tells nothing of new ones.
                if values.len() * 4 > list.len() || values.len() < 2 {
                    continue;
                }
            }
        }
        let total: usize = values.values().flat_map(BTreeMap::values).sum();
        let right: usize = values.values().filter_map(|classes| classes.values().max()).sum();
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        list.iter().for_each(|(_, class)| *counts.entry(*class).or_default() += 1);
        let usual = *counts.values().max().unwrap_or(&0) as f64 / list.len() as f64;
        // Each value learns its class from its own rows: what that gives by chance is taken off.
        let told = right as f64 / total.max(1) as f64 - values.len() as f64 / total.max(1) as f64;
        if total * 2 > list.len() && (told - usual) > 0.5 * (1.0 - usual) && told > 0.6 {
            let reason = format!(
                "it alone tells the class of {:.0} % of samples; the most frequent class is {:.0} %. A model may learn that instead of the text",
                right as f64 / total as f64 * 100.0,
                usual * 100.0
            );
            found.push(Finding::new(FindingKind::Telltale, Vec::new(), &column.name, 0.5, reason));
        }
    }
    Ok(())
}

/// Parts whose classes differ: Pearson's chi-square with its degrees of freedom, and Cramér's V above a tenth.
fn parts(dataset: &Dataset, classes: &ClassIndex, list: &[(SampleId, u32)], found: &mut Vec<Finding>) {
    let Some(split) = dataset.with_role(|role| role == Role::Split) else { return };
    let mut table: BTreeMap<String, BTreeMap<u32, f64>> = BTreeMap::new();
    for (id, class) in list {
        if let Some(part) = dataset.text(split, *id).filter(|part| !part.is_empty()) {
            *table.entry(part.into_owned()).or_default().entry(*class).or_default() += 1.0;
        }
    }
    let mut of_class: BTreeMap<u32, f64> = BTreeMap::new();
    table.values().flatten().for_each(|(class, count)| *of_class.entry(*class).or_default() += count);
    let n: f64 = of_class.values().sum();
    if table.len() < 2 || table.len() > 20 || of_class.len() < 2 || n < FEW as f64 {
        return;
    }
    let mut chi = 0.0;
    let mut worst = (0.0, String::new());
    for (part, counts) in &table {
        let size: f64 = counts.values().sum();
        for (class, all) in &of_class {
            let (seen, expected) = (counts.get(class).copied().unwrap_or(0.0), size * all / n);
            let off = (seen - expected) * (seen - expected) / expected;
            chi += off;
            if off > worst.0 {
                let name = &classes.names()[*class as usize];
                worst = (off, format!("{name:?} is {:.1} % of {part} and {:.1} % of all", seen / size * 100.0, all / n * 100.0));
            }
        }
    }
    let freedom = (table.len() - 1) as f64 * (of_class.len() - 1) as f64;
    let strength = (chi / (n * (table.len().min(of_class.len()) - 1) as f64)).sqrt();
    // Wilson and Hilferty, 1931: the cube root of chi-square over its freedom is nearly normal.
    let z = ((chi / freedom).cbrt() - (1.0 - 2.0 / (9.0 * freedom))) / (2.0 / (9.0 * freedom)).sqrt();
    if z > SURE && strength > 0.1 {
        let reason = format!("parts differ in their classes (Cramér's V {strength:.2}): {}", worst.1);
        found.push(Finding::new(
            FindingKind::SkewedSplit,
            Vec::new(),
            &dataset.fields()[split].name,
            (0.4 + strength / 2.0).min(0.9),
            reason,
        ));
    }
}

/// Parts whose texts differ in length: the statistic of Kolmogorov and Smirnov above a fifth, and no chance.
fn lengths_of_parts(dataset: &Dataset, ids: &[SampleId], found: &mut Vec<Finding>) {
    let (Some(split), Some(text)) =
        (dataset.with_role(|role| role == Role::Split), dataset.with_role(|role| matches!(role, Role::Text | Role::Messages)))
    else {
        return;
    };
    let mut parts: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (id, length) in values(dataset, text, Measure::Characters, ids) {
        if let Some(part) = dataset.text(split, id).filter(|part| !part.is_empty()) {
            parts.entry(part.into_owned()).or_default().push(length);
        }
    }
    let Some((largest, first)) = parts.iter().max_by_key(|(_, list)| list.len()) else { return };
    let sorted = |list: &[f64]| {
        let mut list = list.to_vec();
        list.sort_unstable_by(f64::total_cmp);
        list
    };
    let all = sorted(first);
    for (part, list) in parts.iter().filter(|(part, list)| *part != largest && list.len() >= FEW) {
        let own = sorted(list);
        let below = |list: &[f64], value: f64| list.partition_point(|known| *known <= value) as f64 / list.len() as f64;
        let most = own.iter().chain(&all).map(|value| (below(&own, *value) - below(&all, *value)).abs()).fold(0.0, f64::max);
        let size = (own.len() as f64 * all.len() as f64 / (own.len() + all.len()) as f64).sqrt();
        if most > 0.2 && most * size > 2.5 {
            let middle = |list: &[f64]| list[list.len() / 2];
            let reason = format!(
                "texts of {part} have {:.0} characters in the middle, those of {largest} {:.0} (Kolmogorov–Smirnov {most:.2})",
                middle(&own),
                middle(&all)
            );
            found.push(Finding::new(
                FindingKind::SkewedSplit,
                Vec::new(),
                &dataset.fields()[split].name,
                (0.3 + most / 2.0).min(0.9),
                reason,
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_rows_are_told_from_shuffled_ones() {
        let by_class: Vec<u32> = (0..400).map(|at| at / 100).collect();
        assert!(sorted(&by_class, 4).unwrap().starts_with("rows are sorted by class: 99 %"));
        let mixed: Vec<u32> = (0..400u64).map(|at| (crate::chance::Chance::new(at).below(4)) as u32).collect();
        assert_eq!(sorted(&mixed, 4), None);
        let turn: Vec<u32> = (0..400).map(|at| at % 4).collect();
        assert_eq!(sorted(&turn, 4), None, "in turn is no block");
    }
}
