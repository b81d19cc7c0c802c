//! Why a file could not be opened or written. Each message says what, where, and what to do next.

use std::path::PathBuf;

use crate::learn::seq2seq::Seq2SeqError;

/// Why a file could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum IoError {
    /// The file is not there, or may not be read.
    #[error("{} cannot be read: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// There is nothing in it.
    #[error("{} is empty: there is nothing to open", .0.display())]
    Empty(PathBuf),
    /// It is of no format that can be opened.
    #[error("{} cannot be opened: {what}. Lapidary opens CSV, TSV, JSON, JSON Lines, Parquet and Arrow, also gzip or zstd, workbooks, SQLite, what labelling tools export, XML, HTML, Markdown, and images in a folder, ZIP or tar", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        what: String,
    },
    /// It is of the right format but broken beyond use.
    #[error("{} cannot be read as {format}: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The format it was read as.
        format: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// It is too large, too wide, or would be once unpacked.
    #[error("{} is too large: {reason}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// In which way, and what can be done.
        reason: String,
    },
    /// A file could not be written; what was there before still is.
    #[error("{} was not written: {reason}; what was there before is untouched", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The data do not fit the format asked for.
    #[error("this cannot be saved as {format}: {reason}")]
    Unfit {
        /// The format.
        format: String,
        /// What does not fit, where, and what to do.
        reason: String,
    },
    /// The user stopped it.
    #[error("cancelled")]
    Cancelled,
}

impl From<crate::job::Cancelled> for IoError {
    fn from(_: crate::job::Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<IoError> for crate::job::JobError {
    fn from(error: IoError) -> Self {
        match error {
            IoError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Why a text model gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum WriterError {
    /// What was set cannot be.
    #[error("{0}")]
    Setting(String),
    /// The user has not said yes.
    #[error("texts would be sent to {0}, which you have not allowed yet")]
    NotAllowed(String),
    /// A file of a folder.
    #[error("{0} cannot be read: {1}")]
    Read(PathBuf, std::io::Error),
    /// What a server says.
    #[error("{0}: {1}")]
    Answer(String, String),
    #[error(transparent)]
    Model(Seq2SeqError),
    #[error("stopped")]
    Cancelled,
}

impl From<Seq2SeqError> for WriterError {
    fn from(error: Seq2SeqError) -> Self {
        match error {
            Seq2SeqError::Cancelled => Self::Cancelled,
            Seq2SeqError::Model(_) => Self::Model(error),
        }
    }
}
