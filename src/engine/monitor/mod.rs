//! Watching new data: what the columns of a log mean, batches cut out of it, whether a batch is what the dataset is, how good a model is on it, where it is worst, and which of its rows are worth a label.
//!
//! Pure: datasets and a progress go in, reports come out. Never: the screen, an edit.

mod choose;
mod columns;
mod cut;
mod fault;
mod log;
mod performance;
mod report;
mod texts;
mod watched;
mod worst;

pub use choose::{WorthBy, WorthReason, WorthRow, WorthRows, taken_rows, worth_rows};
pub use columns::{ColumnDrift, DriftValues, DriftVerdict};
pub use cut::{LogCut, LogPiece, pieces};
pub use fault::MonitorError;
pub use log::{BatchRows, LogColumns, LogSaid, classes_of_dataset};
pub use performance::{PastFigures, PastSaid, Performance, performance};
pub use report::{Against, BatchReport, Held, batch_report, reference_rows};
pub use watched::{TO_LABEL, WatchedBatch, waiting};
pub use worst::{BatchSlice, KeptSlice, SliceSeen, WorseBy, WorstSlices, kept_slices, worst_slices};
