//! Ways to look for problems. A check reads a snapshot and gives findings; it never changes anything.

mod outliers;

use crate::data::{Dataset, SampleId};
use crate::job::{Cancelled, Progress};

pub use outliers::{Kind, Thresholds};

/// A way to look for problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Numbers and lengths far from the rest, rare classes, empty cells.
    Outliers,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 1] = [Self::Outliers];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outliers => "outliers",
        }
    }

    /// The check with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }

    /// Runs it. Findings come worst first; ties in the order of columns and samples.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn run(self, dataset: &Dataset, thresholds: &Thresholds, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
        match self {
            Self::Outliers => outliers::run(dataset, thresholds, progress),
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
}
