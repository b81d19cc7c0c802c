//! Class names that are one but for how they are spelled: by key collision (`OpenRefine`'s fingerprint: case, accents, marks, blanks and order; numbers by what
//! they are worth; a plural) and by one typing error (Damerau, 1964). The rarer is proposed to become the more frequent.

use std::collections::BTreeMap;

use super::options::{CheckOption, Options};
use super::{CheckInput, Finding, FindingKind};
use crate::data::{ClassIndex, SampleId, bare_name, class_key, count_samples};
use crate::job::{Cancelled, Progress};

const RARER: CheckOption = CheckOption {
    flag: "--typo",
    label: "rarer than",
    help: "a class one letter away from another is a typing error where it is at most this part as frequent",
    kinds: &[FindingKind::ClassName],
    choices: &[],
    least: 0.0,
    most: 1.0,
    usual: 0.2,
};

/// What can be moved.
pub const OPTIONS: [CheckOption; 1] = [RARER];

/// Shorter names are not said to be misspelled: `cat` and `car`.
const LONG: usize = 6;
/// Of more classes only those of one key are found: each pair is no more held against each other.
const MANY: usize = 3_000;

/// Looks for them.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let mut found = Vec::new();
    for (field, column) in dataset.fields().iter().enumerate().filter(|(_, column)| column.role.is_label()) {
        let classes = ClassIndex::build(dataset, field, progress)?;
        let used: Vec<usize> = (0..classes.names().len()).filter(|class| classes.counts()[*class] > 0).collect();
        if used.len() < 2 || used.len() * 2 > dataset.extent().max(8) {
            continue;
        }
        let merges = merges(&used, &classes, options.get(&RARER), progress)?;
        let mut members: BTreeMap<usize, Vec<SampleId>> = merges.iter().map(|(from, ..)| (*from, Vec::new())).collect();
        for id in dataset.samples().filter(|id| !dataset.is_excluded(*id)) {
            for class in classes.of(id) {
                if let Some(list) = members.get_mut(&(*class as usize)) {
                    list.push(id);
                }
            }
        }
        for (from, to, why, severity) in merges {
            let (name, other) = (&*classes.names()[from], &*classes.names()[to]);
            let has = |class: usize| count_samples(classes.counts()[class] as usize);
            let reason = format!("“{name}” ({}) is “{other}” ({}) but for {why}", has(from), has(to));
            let samples = members.remove(&from).unwrap_or_default();
            found.push(
                Finding::new(FindingKind::ClassName, samples, &column.name, severity, reason)
                    .with_suggestion(Some(other.to_owned())),
            );
        }
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity));
    Ok(found)
}

/// Which class becomes which, why, and how sure that is.
fn merges(
    used: &[usize],
    classes: &ClassIndex,
    rarer: f64,
    progress: &Progress,
) -> Result<Vec<(usize, usize, &'static str, f64)>, Cancelled> {
    let mut keys: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for class in used {
        keys.entry(class_key(&classes.names()[*class])).or_default().push(*class);
    }
    let better = |a: &usize, b: &usize| {
        classes.counts()[*b].cmp(&classes.counts()[*a]).then(classes.names()[*a].cmp(&classes.names()[*b]))
    };
    let mut found = Vec::new();
    let mut left: Vec<(usize, String)> = Vec::new();
    for (key, mut list) in keys {
        list.sort_by(better);
        let to = list[0];
        found.extend(list[1..].iter().map(|from| (*from, to, why(&classes.names()[*from], &classes.names()[to]), 0.9)));
        left.push((to, key));
    }
    if left.len() <= MANY {
        let letters: Vec<Vec<char>> = left.iter().map(|(_, key)| key.chars().collect()).collect();
        for a in 0..left.len() {
            progress.check()?;
            for b in 0..left.len() {
                let (from, to) = (left[a].0, left[b].0);
                let seldom = classes.counts()[from] as f64 <= rarer * classes.counts()[to] as f64;
                if a != b && seldom && letters[a].len().min(letters[b].len()) >= LONG && is_one_slip(&letters[a], &letters[b]) {
                    found.push((from, to, "a letter", 0.75));
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// What two names of one key differ in.
fn why(a: &str, b: &str) -> &'static str {
    if a.trim() == b.trim() {
        "blanks"
    } else if a.to_lowercase() == b.to_lowercase() {
        "case"
    } else if a.parse::<f64>().is_ok() && b.parse::<f64>().is_ok() {
        "how the number is written"
    } else if bare_name(a) == bare_name(b) {
        "accents"
    } else {
        "marks, order or a plural"
    }
}

/// Whether one letter more, less, other, or two in the wrong order make one of the other; digits are no slips, and neither is the first letter.
fn is_one_slip(a: &[char], b: &[char]) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a_mid, b_mid) = (&a[same..a.len().max(same + back) - back], &b[same..b.len().max(same + back) - back]);
    let plain = a_mid.iter().chain(b_mid).all(|letter| letter.is_alphabetic());
    let slip = match (a_mid.len(), b_mid.len()) {
        (1, 0 | 1) | (0, 1) => true,
        (2, 2) => a_mid[0] == b_mid[1] && a_mid[1] == b_mid[0],
        // A letter doubled stands in both ends.
        (0, 0) => a.len().abs_diff(b.len()) == 1,
        _ => false,
    };
    plain && slip && same > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_class_have_one_key() {
        for (a, b) in [
            ("Refund", " refund "),
            ("Café", "cafe"),
            ("card arrival", "Card_Arrival"),
            ("1", "1.0"),
            ("Fees", "fee"),
            ("cities", "City"),
            ("Straße", "STRASSE"),
            ("billing: card", "card billing"),
        ] {
            assert_eq!(class_key(a), class_key(b), "{a} {b}");
        }
        for (a, b) in
            [("1", "10"), ("class 1", "class 2"), ("card_to_bank", "bank_to_card"), ("pos", "po"), ("bus", "bu"), ("+", "-")]
        {
            assert_ne!(class_key(a), class_key(b), "{a} {b}");
        }
        let slip = |a: &str, b: &str| is_one_slip(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert!(slip("refund", "refnud") && slip("refund", "refun") && slip("refund", "reffund") && slip("refund", "rafund"));
        assert!(!slip("class1", "class2") && !slip("legal", "illegal") && !slip("moral", "amoral") && !slip("refund", "refined"));
    }
}
