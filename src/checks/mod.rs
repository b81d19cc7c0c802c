//! Ways to look for problems. A check reads a snapshot and gives findings; it never changes anything.

pub mod label_errors;
mod label_input;
mod label_report;
mod outliers;

use crate::data::{Dataset, SampleId};
use crate::job::{Cancelled, Progress};

pub use outliers::Thresholds;

/// A way to look for problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Numbers and lengths far from the rest, rare classes, empty cells.
    Outliers,
    /// Labels that are probably wrong.
    LabelErrors,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 2] = [Self::Outliers, Self::LabelErrors];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outliers => "outliers",
            Self::LabelErrors => "label_errors",
        }
    }

    /// The check with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }

    /// What it looks for.
    pub fn help(self) -> &'static str {
        match self {
            Self::Outliers => "numbers and lengths far from the rest, rare classes, empty cells",
            Self::LabelErrors => "labels that are probably wrong",
        }
    }

    /// Every check's name, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// Looks for outliers. Findings come worst first; ties in the order of columns and samples.
///
/// # Errors
/// [`Cancelled`].
pub fn outliers(dataset: &Dataset, thresholds: &Thresholds, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    outliers::run(dataset, thresholds, progress)
}

/// What kind of problem a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number far from the rest.
    Number,
    /// A text much shorter or longer than the rest.
    Length,
    /// A class with few samples.
    RareClass,
    /// Empty or null cells.
    Empty,
    /// A label that is probably wrong.
    LabelError,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Number, Self::Length, Self::RareClass, Self::Empty, Self::LabelError];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Number => "Far number",
            Self::Length => "Odd length",
            Self::RareClass => "Rare class",
            Self::Empty => "Empty cells",
            Self::LabelError => "Label error",
        }
    }

    /// The check that finds it.
    pub fn check(self) -> Check {
        match self {
            Self::LabelError => Check::LabelErrors,
            _ => Check::Outliers,
        }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The check that found it.
    pub check: Check,
    /// What kind of problem it is.
    pub kind: Kind,
    /// The samples it is about.
    pub samples: Vec<SampleId>,
    /// The column it is about.
    pub column: String,
    /// How bad it is, 0 to 1: 1 is worst.
    pub severity: f64,
    /// Why, in plain words.
    pub reason: String,
    /// What would mend it, where that is known: for a label, the class.
    pub suggestion: Option<String>,
}
