//! Versions of a dataset beside each other: what differs, row by row and cell by cell, and three of them merged.
//!
//! Pure: datasets and a progress go in, a difference or a plan comes out. Never: the screen, an edit.

mod difference;
mod fault;
mod merge;
mod pairing;

pub use difference::{CellChange, Difference, difference};
pub use fault::CollectError;
pub use merge::{MergeConflict, MergePlan, MergeSide, merge};
pub use pairing::{PairedBy, RowKey, RowPairs, key_of, paired};
