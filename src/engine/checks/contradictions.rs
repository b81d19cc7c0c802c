//! Contradictions: the same text, or nearly, with different labels.

use std::collections::BTreeMap;

use super::duplicates::{asked, same_groups};
use super::options::{CheckOption, Options};
use super::{CheckInput, Finding, FindingKind};
use crate::data::{ClassIndex, Role, SampleId};
use crate::derive::{TextOf, near_texts};
use crate::job::{Cancelled, Progress};

const ALIKE: CheckOption = CheckOption {
    flag: "--contradiction",
    label: "similarity",
    help: "texts contradict each other from this similarity on (Jaccard); 1 for those of the same words",
    kinds: &[FindingKind::Contradiction],
    choices: &[],
    least: 0.5,
    most: 1.0,
    usual: 0.9,
};

/// What can be moved.
pub const OPTIONS: [CheckOption; 1] = [ALIKE];

/// Looks for them: worst first.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let (Some(label), Ok(text)) = (dataset.with_role(Role::is_label), TextOf::of(dataset, None)) else { return Ok(Vec::new()) };
    let classes = ClassIndex::build(dataset, label, progress)?;
    // Numbers are no classes: a score may well differ by a bit.
    if classes.used() < 2 || classes.used() * 2 > dataset.extent().max(4) {
        return Ok(Vec::new());
    }
    let column = dataset.fields()[label].name.to_string();
    let usable = |id: &SampleId| !classes.of(*id).is_empty();
    let mut found = Vec::new();
    let mut known = std::collections::HashSet::new();
    for group in same_groups(dataset, &text.fields, 3, progress)? {
        let group: Vec<SampleId> = group.into_iter().filter(usable).collect();
        if let Some(finding) = contradiction(&classes, &column, &group, "the same text", 0.9) {
            known.extend(group.iter().copied());
            found.push(finding);
        }
    }
    let (grams, _) = asked(options);
    let threshold = options.get(&ALIKE);
    if threshold < 1.0 {
        let near = near_texts(dataset, &text, (grams, threshold), input.store, progress)?;
        for (a, b, jaccard) in &near.pairs {
            let pair = [SampleId(*a), SampleId(*b)];
            let shown = |id: &SampleId| usable(id) && !known.contains(id) && !dataset.is_excluded(*id) && !dataset.is_made(*id);
            if pair.iter().all(shown) {
                let words = format!("texts with {:.0} % the same wording", jaccard * 100.0);
                let severity = 0.4 + 0.4 * f64::from(*jaccard);
                if let Some(mut finding) = contradiction(&classes, &column, &pair, &words, severity) {
                    finding.alike = vec![(pair[0], pair[1], *jaccard)];
                    found.push(finding);
                }
            }
        }
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.cmp(&b.samples)));
    Ok(found)
}

fn contradiction(classes: &ClassIndex, column: &str, group: &[SampleId], words: &str, severity: f64) -> Option<Finding> {
    let mut counts: BTreeMap<&[u32], usize> = BTreeMap::new();
    group.iter().for_each(|id| *counts.entry(classes.of(*id)).or_default() += 1);
    if counts.len() < 2 {
        return None;
    }
    let name = |list: &[u32]| list.iter().map(|class| &*classes.names()[*class as usize]).collect::<Vec<_>>().join(", ");
    let mut by_count: Vec<(&[u32], usize)> = counts.into_iter().collect();
    by_count.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let times = |(list, n): &(&[u32], usize)| match n {
        1 => name(list),
        n => format!("{} {n} times", name(list)),
    };
    let reason = format!("{words} is labelled {}", by_count.iter().map(times).collect::<Vec<_>>().join(" and "));
    // What most say is proposed; where as many say this as that, nobody knows.
    let most = (by_count[0].1 > by_count[1].1 && !classes.is_many()).then(|| name(by_count[0].0));
    Some(Finding::new(FindingKind::Contradiction, group.to_vec(), column, severity, reason).with_suggestion(most))
}
