//! The trainer's eye: what a trainer makes of the open dataset, before anything is written. Which rows it learns from, which it cuts or leaves out and why, which tokens it
//! learns.

mod beside;
mod config;
mod drawn;
mod dry_run;
mod forms;
mod mends;
mod part_names;
mod report;
mod target;
mod undrawn;
mod write;
mod written;

pub use beside::FileNote;
pub use config::{SmallFile, small_files};
pub use drawn::{DrawnRow, DrawnToken, TokenKind, drawn_row};
pub use dry_run::{DryCounts, DryRun, DrySoFar, RowFate, dry_run, dry_run_counted};
pub use forms::{TrainerRows, is_for_language_models, rows_of};
pub use mends::{Mend, Mending, mended_column, mends};
pub use part_names::PartNames;
pub use report::{ALIKE, MISREAD, UNSEEN, dry_report, packed_words};
pub use target::{TRAINERS, Trainer, TrainerEntry, TrainerTarget, Tuning};
pub use write::{HandError, Handed, hand_over};
pub use written::{written_form, written_row};
