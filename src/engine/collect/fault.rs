//! Why versions were not compared.

use crate::job::{Cancelled, JobError};

/// Why versions were not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollectError {
    #[error("{0} has no column called {1:?} to pair rows by")]
    NoKey(String, String),
    #[error("the two have no column in common: nothing says which row is which")]
    NoColumns,
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for CollectError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<CollectError> for JobError {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}
