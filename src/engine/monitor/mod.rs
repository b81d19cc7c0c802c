//! Watching new data: whether a batch is what the dataset is, column by column, with what chance does at these sizes.
//!
//! Pure: two datasets and a progress go in, a report comes out. Never: the screen, an edit.

mod columns;
mod fault;
mod report;
mod texts;

pub use columns::{ColumnDrift, DriftValues, DriftVerdict};
pub use fault::MonitorError;
pub use report::{Against, BatchReport, batch_report};
