//! What is compared in Collect, and what was chosen of the differences.

use std::collections::HashMap;
use std::path::PathBuf;

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
    pub chosen: HashMap<DiffPlace, DiffChoice>,
    /// Whether columns that only the other has come along.
    pub columns: bool,
    /// Whether the list follows.
    pub follow: bool,
}

/// Differences of a kind, and of a column; of all where there is none.
pub type DiffOnly = Option<(DiffKind, Option<String>)>;

/// A difference: its kind, its rows, its column.
pub type DiffPlace = (DiffKind, Option<SampleId>, Option<SampleId>, Option<String>);

/// What a difference is.
pub fn place(item: &DiffItem) -> DiffPlace {
    (item.kind, item.ours, item.theirs, item.column.clone())
}

impl CompareForm {
    /// The places of the differences that are shown.
    pub fn shown(&self, versions: &ComparedVersions) -> Vec<usize> {
        let fits = |item: &DiffItem| {
            self.only.as_ref().is_none_or(|(kind, column)| item.kind == *kind && (column.is_none() || item.column == *column))
        };
        versions.items.iter().enumerate().filter(|(_, item)| fits(item)).map(|(at, _)| at).collect()
    }

    /// What was chosen of a difference, or what is taken where nobody says.
    pub fn choice(&self, versions: &ComparedVersions, at: usize) -> Option<DiffChoice> {
        let item = &versions.items[at];
        self.chosen.get(&place(item)).copied().or_else(|| versions.usual(item))
    }

    /// Chooses for the difference that is looked at, and goes to the next.
    pub fn choose(&mut self, versions: &ComparedVersions, choice: DiffChoice) {
        let shown = self.shown(versions);
        if let Some(at) = shown.get(self.at)
            && (choice != DiffChoice::Base || versions.base.is_some() && versions.items[*at].column.is_some())
        {
            self.chosen.insert(place(&versions.items[*at]), choice);
            self.at = (self.at + 1).min(shown.len().saturating_sub(1));
            self.follow = true;
        }
    }
}
