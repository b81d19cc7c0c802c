//! Teaching models from a dataset, and saying honestly how good they are: what is asked (a lesson), who is trained on and who is tested, runs and what they say, figures and tests between runs.
//!
//! Pure: a snapshot, what is shared of it, and a progress go in, a run comes out. Never: the screen, an edit, the project file.

mod asked;
mod curve;
mod fault;
mod figures;
mod going;
mod means;
mod network;
mod parts;
mod prompting;
mod retested;
mod run;
mod taught;
mod teach;
mod tuning;

pub use asked::{Approach, Calibrated, Examples, FrozenEncoder, HeadKind, Lesson, LoraAsked, PromptAsked, TaskAsked, TuneAsked};
pub use curve::{CurvePoint, LearningCurve, learning_curve};
pub use fault::TrainError;
pub use figures::{PairFigures, RunFigures, SliceFigures, compare, figures, slices};
pub use going::{StoppedRun, give_up, run_is_kept, stopped_runs};
pub use means::{Asker, TeachMeans, TeachSeen, Watch};
pub use parts::{RunPart, TrainParts, finer_columns, may_be_label};
pub use prompting::{NO_ANSWER, usual_instruction};
pub use retested::{OtherTest, TestSaid, other_tests, test_said};
pub use run::{Chosen, EpochSeen, HeadModel, LONGEST_NAME, Predictions, Run, SampleSeen};
pub use taught::TriedSteps;
pub use teach::{predicted, predictions_edit, teach, try_steps};
