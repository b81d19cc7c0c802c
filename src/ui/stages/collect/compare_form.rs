//! What is compared in Collect, and what was chosen of the differences.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::data::SampleId;
use crate::session::{ComparedVersions, DiffChoice, DiffItem, DiffKind};

/// What is compared, what of it is shown, and what was chosen.
#[derive(Debug, Clone, Default)]
pub struct CompareForm {
    pub other: Option<PathBuf>,
    pub base: Option<PathBuf>,
    /// Only differences of this kind and column.
    pub only: DiffOnly,
    /// The one that is looked at, by its place among those that are shown.
    pub at: usize,
    /// What was chosen, by what a difference is: it stays while others are taken over.
    chosen: HashMap<DiffPlace, DiffChoice>,
    /// How often something was chosen, and what is seen since: worked out once and not in every frame.
    turn: u64,
    seen: Option<((u64, u64, DiffOnly), Arc<DiffsSeen>)>,
    /// Whether columns that only the other has come along.
    pub columns: bool,
    /// Whether the list follows.
    pub follow: bool,
}

/// What is seen of all differences.
#[derive(Debug, Default)]
pub struct DiffsSeen {
    /// The places of those that are shown.
    pub list: Vec<usize>,
    /// How many there are by kind and column.
    pub counts: Vec<(DiffKind, Option<String>, usize)>,
    /// How many are to be settled, and how many are taken.
    pub open: usize,
    pub taken: usize,
}

/// Differences of a kind, and of a column; of all where there is none.
pub type DiffOnly = Option<(DiffKind, Option<String>)>;

/// A difference: its row here, or there where none is here, and its column. Whether it is a conflict may change with what was taken: its place does not.
pub type DiffPlace = (Option<SampleId>, Option<SampleId>, Option<String>);

/// What a difference is.
fn place(item: &DiffItem) -> DiffPlace {
    (item.ours, item.theirs.filter(|_| item.ours.is_none()), item.column.clone())
}

impl CompareForm {
    /// Of two versions, and what both came from: then columns that only they added or removed come along.
    pub fn of(other: PathBuf, base: Option<PathBuf>) -> Self {
        Self { other: Some(other), columns: base.is_some(), base, ..Self::default() }
    }

    /// What is seen of the differences, worked out anew where something was chosen or other ones are shown.
    pub fn seen(&mut self, versions: &ComparedVersions) -> Arc<DiffsSeen> {
        let key = (versions.turn, self.turn, self.only.clone());
        if let Some((_, seen)) = self.seen.as_ref().filter(|(known, _)| *known == key) {
            return Arc::clone(seen);
        }
        let fits = |item: &DiffItem| {
            self.only.as_ref().is_none_or(|(kind, column)| item.kind == *kind && (column.is_none() || item.column == *column))
        };
        let list = versions.items.iter().enumerate().filter(|(_, item)| fits(item)).map(|(at, _)| at).collect();
        let choices = || (0..versions.items.len()).map(|at| self.choice(versions, at));
        let seen = Arc::new(DiffsSeen {
            list,
            counts: versions.counts().into_iter().map(|((kind, column), n)| (kind, column.map(ToOwned::to_owned), n)).collect(),
            open: choices().filter(Option::is_none).count(),
            taken: choices().flatten().filter(|choice| *choice != DiffChoice::Ours).count(),
        });
        self.seen = Some((key, Arc::clone(&seen)));
        seen
    }

    /// Chooses for all that are shown.
    pub fn choose_all(&mut self, versions: &ComparedVersions, choice: DiffChoice) {
        for at in &self.seen(versions).list {
            self.chosen.insert(place(&versions.items[*at]), choice);
        }
        self.turn += 1;
    }

    /// What was chosen of a difference, or what is taken where nobody says.
    pub fn choice(&self, versions: &ComparedVersions, at: usize) -> Option<DiffChoice> {
        let item = &versions.items[at];
        match self.chosen.get(&place(item)) {
            // What was settled as it was before both is as it was: what only they changed since is not taken.
            Some(DiffChoice::Base) if item.kind == DiffKind::Changed => Some(DiffChoice::Ours),
            Some(choice) => Some(*choice),
            None => versions.usual(item),
        }
    }

    /// Chooses for the difference that is looked at, and goes to the next.
    pub fn choose(&mut self, versions: &ComparedVersions, choice: DiffChoice) {
        let seen = self.seen(versions);
        if let Some(at) = seen.list.get(self.at)
            && (choice != DiffChoice::Base || versions.has_before(&versions.items[*at]))
        {
            self.chosen.insert(place(&versions.items[*at]), choice);
            self.turn += 1;
            self.at = (self.at + 1).min(seen.list.len().saturating_sub(1));
            self.follow = true;
        }
    }
}
