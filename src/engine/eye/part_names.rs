//! Parts of a split under names that files may have.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::{Dataset, Role, SampleId};

/// The part whose samples say none.
const TRAIN: &str = "train";

/// Parts of a split under other names: two parts stay two, whatever their names come to. Samples of no part are trained on.
pub struct PartNames {
    split: Option<usize>,
    names: BTreeMap<String, String>,
}

fn said(dataset: &Dataset, split: Option<usize>, id: SampleId) -> String {
    let part = split.and_then(|field| dataset.text(field, id)).map(|part| part.trim().to_owned());
    part.filter(|part| !part.is_empty()).unwrap_or_else(|| TRAIN.to_owned())
}

impl PartNames {
    /// Of the parts of samples; `name` makes a part's name one that a file may have.
    pub fn of(dataset: &Dataset, ids: &[SampleId], name: &dyn Fn(&str) -> String) -> Self {
        let split = dataset.with_role(|role| role == Role::Split);
        let parts: BTreeSet<String> = ids.iter().map(|id| said(dataset, split, *id)).collect();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        // Whoever has its name already keeps it.
        let (own, other): (Vec<String>, Vec<String>) = parts.into_iter().partition(|part| name(part) == *part);
        for part in own.into_iter().chain(other) {
            let wanted = name(&part);
            // Of so many names that nearly the same come to, one is free.
            let mut all = (1..=taken.len() + 1).map(|n| if n == 1 { wanted.clone() } else { format!("{wanted}_{n}") });
            let free = all.find(|name| taken.insert(name.clone()));
            names.insert(part, free.unwrap_or(wanted));
        }
        Self { split, names }
    }

    /// The name of a sample's part.
    pub fn part(&self, dataset: &Dataset, id: SampleId) -> &str {
        self.names.get(&said(dataset, self.split, id)).map_or(TRAIN, String::as_str)
    }
}
