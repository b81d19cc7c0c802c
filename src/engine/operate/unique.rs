//! Each text once: of samples that say the same, or nearly so, the first stays and the others are excluded. A rule, and no list of samples: a recipe holds it for
//! other data, and for more than is in memory at once.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{OperationError, Planned};
use crate::checks::{saying_fields, saying_print};
use crate::data::{Dataset, Property, SampleId, count_samples, things};
use crate::derive::TextOf;
use crate::edit::{Change, Edit, EditError, Target};
use crate::job::Progress;
use crate::learn::near::{Grams, Sets};

/// What counts as a copy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Unique {
    /// What counts as the same: 0 to the letter, 1 but for blanks, 2 but for case, 3 by its words.
    pub same: u8,
    /// From this Jaccard similarity of their word pairs on texts are copies, too, above 0 to 1; 0 where only the same are.
    #[serde(default)]
    pub near: f64,
}

impl Default for Unique {
    fn default() -> Self {
        Self { same: 2, near: 0.0 }
    }
}

impl Unique {
    /// What texts are cut into where nearly the same counts.
    pub const GRAMS: Grams = Grams::Words(2);

    /// # Errors
    /// What is out of its range.
    pub fn checked(self) -> Result<Self, EditError> {
        let sound = self.same <= 3 && self.near.is_finite() && (self.near == 0.0 || (0.3..=1.0).contains(&self.near));
        if sound { Ok(self) } else { Err(EditError::Refused("near is a similarity from 0.3 to 1".to_owned())) }
    }

    /// As it is told.
    pub fn words(self) -> &'static str {
        if self.near > 0.0 { "the same or nearly the same" } else { "the same" }
    }
}

/// Excludes all copies but the first of each.
///
/// # Errors
/// [`OperationError`].
pub fn plan_unique(dataset: &Dataset, asked: Unique, progress: &Progress) -> Result<Planned, OperationError> {
    let asked = asked.checked()?;
    let fields = saying_fields(dataset);
    if fields.is_empty() || dataset.pictures().is_some() && TextOf::of(dataset, None).is_err() {
        return Err(EditError::Refused("there is no text to compare: give a column the role text in Collect".to_owned()).into());
    }
    let ids: Vec<SampleId> = dataset.source_samples().filter(|id| !dataset.is_excluded(*id) && !dataset.is_made(*id)).collect();
    let mut first: HashMap<u128, SampleId> = HashMap::new();
    let (mut kept, mut copies) = (Vec::new(), Vec::new());
    for (at, id) in ids.into_iter().enumerate() {
        if at % 4_096 == 0 {
            progress.check()?;
        }
        let print = saying_print(dataset, &fields, id, usize::from(asked.same));
        match print.map(|print| *first.entry(print).or_insert(id)) {
            Some(earlier) if earlier != id => copies.push(id),
            _ => kept.push(id),
        }
    }
    let same = copies.len();
    if asked.near > 0.0
        && let Ok(text) = TextOf::of(dataset, None)
    {
        let read = |at: usize| text.read(dataset, kept[at]);
        let near = Sets::of_texts(kept.len(), &read, Unique::GRAMS, progress)?.near(asked.near, progress)?;
        // Groups are in the order of rows: the first is the earliest.
        copies.extend(near.groups().iter().flat_map(|group| group[1..].iter().map(|at| kept[*at as usize])));
    }
    copies.sort_unstable();
    let change = Change::mark(dataset, Target::Excluded, copies.iter().copied(), true)?;
    let nearly = copies.len() - same;
    let words = if copies.is_empty() {
        format!("Each text stands once: of what is {} the first stays, and there are no copies", asked.words())
    } else {
        format!("Excluded {}: of what is {} the first stays", things(copies.len(), "copy", "copies"), asked.words())
    };
    // A rule is kept also where there is nothing for it to do yet: other data that it is carried over to have copies.
    let rule = Change::said(dataset, Property::EachOnce, &[], Some(&format!("{} {}", asked.same, asked.near)));
    let mut notes = Vec::new();
    if nearly > 0 {
        notes.push(format!("{} the same, {} nearly", count_samples(same), count_samples(nearly)));
    }
    Ok(Planned { edit: Edit::new(words, change.into_iter().chain(rule)), notes })
}
