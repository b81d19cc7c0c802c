//! Why an edit, or the project file, is refused. Each message says what, where, and what to do next.

use std::path::PathBuf;

/// Why an edit cannot be made. Nothing has changed when one of these comes back.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such column.
    #[error("there is no column called {0:?}")]
    Column(String),
    /// A sample is out of range.
    #[error("there is no sample {row}: the dataset has {rows}, numbered from 0")]
    Sample {
        /// What was asked for.
        row: u64,
        /// How many there are.
        rows: usize,
    },
    /// A value does not fit its column.
    #[error("{value:?} does not fit the column {column:?}, which holds {kind}: change what the column is read as, or the value")]
    Value {
        /// The column.
        column: String,
        /// What it holds.
        kind: String,
        /// What was to be put there.
        value: String,
    },
    /// A part cannot be added.
    #[error("{path} cannot be added: {reason}")]
    Part {
        /// Its file, as it was named.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The name of a new column is taken.
    #[error("there is a column called {0:?} already")]
    Taken(String),
    /// The project file refused.
    #[error("the edit was not made: {0}")]
    Journal(#[from] JournalError),
    /// An edit cannot be taken back by itself: a later one touches what it touched.
    #[error(
        "it cannot be taken back by itself: “{by}” touches the same cells since; go to the point before it, or undo that first"
    )]
    Overlaid {
        /// The later edit, in words.
        by: String,
    },
    /// What was asked for cannot be done here.
    #[error("{0}")]
    Refused(String),
    /// There is nothing to undo or redo.
    #[error("there is nothing to {0}")]
    Nothing(&'static str),
    /// The dataset was opened for reading only.
    #[error("this dataset is open for reading only: {0}")]
    ReadOnly(String),
}

/// Why a project file cannot be used. It is left untouched in every case.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has it open.
    #[error("{} is open in another Lapidary; close it there first", .0.display())]
    Busy(PathBuf),
    /// It is not ours.
    #[error("{} is not a Lapidary project; it is left as it is: move it away to start a new one", .0.display())]
    Foreign(PathBuf),
    /// It is from a later version.
    #[error("{} was made by a newer Lapidary (format {found}); update Lapidary to open it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format's number.
        found: i64,
    },
    /// It is torn or was altered.
    #[error("{} is damaged ({what}); it is left as it is: `lapidary recover` saves every edit that can be read", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        what: String,
    },
    /// The dataset is not the one the edits were made on.
    #[error(
        "{} has changed since {} made on it: carried over by sample content (`lapidary carry`) they go on, or put the old file back",
        source_path.display(),
        crate::data::things(*edits, "edit was", "edits were")
    )]
    SourceChanged {
        /// The dataset.
        source_path: PathBuf,
        /// How many edits there are.
        edits: usize,
    },
    /// A part of the dataset cannot be read, or is another than it was.
    #[error("{} is a part of this dataset and {reason}; put it back as it was, then open the dataset again", path.display())]
    Part {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk refused.
    #[error("{} could not be written: {reason}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}
