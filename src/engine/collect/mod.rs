//! Several sources made one dataset: which of their columns and classes are the same. And versions of a dataset beside each other: what differs, row by row and
//! cell by cell, and three of them merged.
//!
//! Pure: datasets and a progress go in, a difference or a plan comes out. Never: the screen, an edit.

mod aligning;
mod difference;
mod fault;
mod merge;
mod overlap;
mod pairing;

pub use aligning::{AlignmentProposal, ColumnWhy, accept_alignment, propose_alignment};
pub use difference::{CellChange, Difference, difference};
pub use fault::CollectError;
pub use merge::{MergeConflict, MergePlan, MergeSide, merge};
pub use overlap::{SourceOverlap, source_overlap};
pub use pairing::{PairedBy, RowKey, RowPairs, key_of, paired};
