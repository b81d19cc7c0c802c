//! The trainer's eye: what a trainer makes of the open dataset, before anything is written. Which rows it learns from, which it cuts or leaves out and why, which tokens it
//! learns.

mod drawn;
mod dry_run;
mod forms;
mod report;
mod target;
mod write;

pub use drawn::{DrawnRow, DrawnToken, TokenKind, drawn_row};
pub use dry_run::{DryRun, RowFate, dry_run};
pub use forms::{TrainerRows, rows_of};
pub use report::{dry_report, packed_words};
pub use target::{TRAINERS, Trainer, TrainerEntry, TrainerTarget};
pub use write::{HandError, Handed, SmallFile, hand_over, small_files, written_form, written_row};
