//! Changes to the dataset, each with its inverse, and the journal that keeps them for good.
//!
//! [`Edit`] is what a user did; [`Change`] one part of it: the same cells, marks or properties before and after. Undoing
//! is applying a change the other way round. The [`Journal`] is the project file; [`History`] the tree of edits in it.

#![warn(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

mod body;
mod change;
mod error;
mod history;
mod journal;
mod kept_run;
mod kept_tally;
mod place;
mod salvage;
mod swap;
mod wal;

pub use change::{Change, Direction, Edit, INHERITED, Target, Values};
pub use error::{EditError, JournalError};
pub use history::{EditId, History, Node};
pub use journal::{Extras, Journal, Stored, recover};
pub use kept_run::KeptRun;
pub use kept_tally::{Tally, TallyOf};
pub use place::{adopt, orphans, project_path};
pub use swap::exists as project_exists;
