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
    #[error("there is no column called {0:?} to cut the log by")]
    NoColumn(String),
    #[error("no column of the log holds times that can be read: say which one does, or do not cut it")]
    NoTimes,
    #[error("cut like this the log comes to more than {0} batches: cut it more coarsely")]
    TooMany(usize),
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
