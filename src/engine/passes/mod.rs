//! A recipe carried out file by file, over more than is in memory at once: here, or on many machines, with the same rows and the same bytes.
//!
//! Every pass is a list of tasks that need nothing of each other: `map` reads a file and writes prints of its rows, `same`, `pairs` and `near` put narrow
//! prints together, bucket by bucket, `apply` reads a file once more and writes what comes of it. A task's answer is a file of its name, written aside and put
//! in place whole, so a run that was killed goes on with what is missing, and who does a task makes no difference. Nothing is put together by texts, only by
//! hashes with places; a place is the piece (files in the order of their names, cut at rows) and the row in it, and the least place wins.
//!
//! After `MapReduce` (Dean and Ghemawat, 2004); why tasks of our own and no joins of an engine's: ARCHITECTURE.md.

mod answers;
mod apply;
mod doing;
mod engine;
mod gather;
mod local;
mod map;
mod plan;
mod prepared;
mod reduce;
mod remote;
mod run;
mod tasks;
mod work;

pub use doing::run_task;
pub use engine::{PassEngine, PassNews};
pub use local::LocalEngine;
pub use plan::{PassPlan, StepWay};
pub use remote::RemoteEngine;
pub use run::{PassReport, PassRun, run_passes};
pub use tasks::PassTask;
pub use work::{PassError, Work};
