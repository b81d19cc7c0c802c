//! Why a batch was not looked at.

use crate::job::{Cancelled, JobError};

/// Why a batch was not looked at.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    #[error("the batch has no rows: there is nothing to compare")]
    Empty,
    #[error("no sample of the dataset is left to compare with")]
    NoReference,
    #[error("the batch has no column of the dataset: it has {0}")]
    NoColumns(String),
    #[error("{0}")]
    Text(String),
    #[error("stopped")]
    Cancelled,
}

impl From<Cancelled> for MonitorError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<MonitorError> for JobError {
    fn from(error: MonitorError) -> Self {
        match error {
            MonitorError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}
