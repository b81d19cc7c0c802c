//! What is asked of a label model, and why there may be none.

use crate::derive::NoText;
use crate::job::Cancelled;
use crate::learn::confident::{CleanlabFilter, Score};

/// How labels are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelMethod {
    /// Our own: the noise model.
    #[default]
    Noise,
    /// One of cleanlab's filters.
    Cleanlab(CleanlabFilter),
}

impl LabelMethod {
    /// Every method.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Noise).chain(CleanlabFilter::ALL.into_iter().map(Self::Cleanlab))
    }

    /// Its name on the command line and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Noise => "noise_model",
            Self::Cleanlab(filter) => filter.name(),
        }
    }

    /// The method with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|method| method.name() == name)
    }
}

/// What to judge, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LabelQuestion {
    /// The label column; the first with that role where none is named.
    pub label: Option<String>,
    /// The text column; all with that role where none is named.
    pub text: Option<String>,
    /// How labels are judged.
    pub method: LabelMethod,
    /// Ranks by one of cleanlab's scores rather than by the probability of being wrong.
    pub score: Option<Score>,
}

/// A label is flagged from this probability of being wrong on. Above one half, because a model's errors have longer tails than its
/// probabilities say: over `examples/flips.rs`, precision and recall meet here.
pub const FLAG: f32 = 0.6;

/// A class with fewer samples cannot be learned from the rest of it: its samples are not judged.
pub const FEWEST: u64 = 4;

/// The fewest samples that say anything.
pub const FEWEST_ROWS: usize = 20;

/// The most `samples × classes`: 0.8 GB of logits, and twice that while they are learned.
pub(super) const MOST_CELLS: usize = 200_000_000;

/// Why labels cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is no such column, or none with the role.
    #[error("there is no label column to check: give a column the role label in Collect")]
    NoLabel,
    #[error("there is no column called {0:?}")]
    NoColumn(String),
    #[error("there is no text column to learn from: give a column the role text in Collect")]
    NoText,
    #[error(
        "too little to learn from: {rows} samples in {classes} classes of at least {FEWEST} (needed are {FEWEST_ROWS} samples in 2 classes)"
    )]
    TooFew { rows: usize, classes: usize },
    #[error("{rows} samples in {classes} classes are more than can be judged at once; is {column:?} a label?")]
    TooMany { rows: usize, classes: usize, column: String },
    #[error(
        "the probabilities do not fit: {found} of {classes} classes have a column, and there are {rows} rows for {wanted} samples. One numeric column per class is needed, named after it or numbered (p0, p1, …)"
    )]
    Probabilities { found: usize, classes: usize, rows: usize, wanted: usize },
    #[error("stopped")]
    Cancelled,
}

impl From<NoText> for Unfit {
    fn from(none: NoText) -> Self {
        match none {
            NoText::NoColumn(name) => Self::NoColumn(name),
            NoText::NoText => Self::NoText,
        }
    }
}

impl From<Cancelled> for Unfit {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}
