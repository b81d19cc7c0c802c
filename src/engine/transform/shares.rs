//! Shares as whole counts, and why a split cannot be made.

use crate::job::Cancelled;

/// Why a split cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// No such column.
    #[error("there is no column called {0:?}")]
    Column(String),
    /// The shares make no sense.
    #[error("the shares must be at least two numbers of 0 or more that do not sum to 0, as in 80,10,10")]
    Shares,
    /// Cells that are no times.
    #[error(
        "{column:?} cannot be put in order of time: {odd} of {of} cells are no times that can be read, like {example:?}{why}"
    )]
    Times {
        /// The column.
        column: String,
        /// How many of its cells are none.
        odd: usize,
        /// Of how many.
        of: usize,
        /// One of them.
        example: String,
        /// Why not, where there is more to say.
        why: &'static str,
    },
    /// Stopped.
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for SplitError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<SplitError> for crate::job::JobError {
    fn from(error: SplitError) -> Self {
        match error {
            SplitError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Whole counts that sum to `n` and differ from `n * share` by less than one (largest remainder).
pub fn counts(n: usize, shares: &[f64]) -> Vec<usize> {
    let ideal: Vec<f64> = shares.iter().map(|share| share * n as f64).collect();
    let mut counts: Vec<usize> = ideal.iter().map(|count| (count + 1e-9).floor() as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|a, b| (ideal[*b] - counts[*b] as f64).total_cmp(&(ideal[*a] - counts[*a] as f64)));
    let missing = n.saturating_sub(counts.iter().sum());
    for part in order.into_iter().cycle().take(missing) {
        counts[part] += 1;
    }
    counts
}
