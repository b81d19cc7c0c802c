//! Teaching models from a dataset, and saying honestly how good they are: what is asked (a lesson), who is trained on and who is tested, runs and what they say, figures and tests between runs.
//!
//! Pure: a snapshot, what is shared of it, and a progress go in, a run comes out. Never: the screen, an edit, the project file.

mod asked;
mod fault;
mod figures;
mod means;
mod parts;
mod run;
mod teach;
mod tuning;

pub use asked::{Approach, FrozenEncoder, HeadKind, Lesson, TuneAsked};
pub use fault::TrainError;
pub use figures::{PairFigures, RunFigures, SliceFigures, compare, figures, slices};
pub use means::TeachMeans;
pub use parts::{RunPart, TrainParts};
pub use run::{Chosen, EpochSeen, HeadModel, LONGEST_NAME, Predictions, Run};
pub use teach::{predicted, predictions_edit, teach};
