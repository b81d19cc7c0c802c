//! What a model says of every sample, in columns of their own.

use serde::{Deserialize, Serialize};

use super::scanned::scan_pictures;
use super::{Means, OperationError, Planned};
use crate::data::Dataset;
use crate::edit::EditError;
use crate::job::Progress;
use crate::train::{Lesson, TeachMeans, TrainError, TrainParts, predictions_edit, teach};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionsOf {
    pub lesson: Lesson,
    /// The column that the classes become; how sure each is stands in `into_confidence`.
    pub into: String,
}

/// Plans the edit: by a run of the same lesson on the same samples, where there is one, else the lesson is learned first.
///
/// # Errors
/// [`OperationError`].
pub fn plan_predictions(
    dataset: &Dataset,
    asked: &PredictionsOf,
    means: &Means<'_>,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    let refused = |error: TrainError| match error {
        TrainError::Cancelled => OperationError::Cancelled,
        other => EditError::Refused(other.to_string()).into(),
    };
    let parts = TrainParts::of(dataset, &asked.lesson, progress).map_err(refused)?;
    let known = means.runs.iter().find(|run| run.lesson == asked.lesson && run.print == parts.print);
    let made;
    let run = match known {
        Some(run) => run,
        None => {
            let scan = match dataset.pictures() {
                Some(field) if asked.lesson.text.is_none() => {
                    Some(scan_pictures(dataset, field, None, progress).map_err(|_| OperationError::Cancelled)?)
                }
                _ => None,
            };
            let looks = scan.as_ref().map(|scan| &scan.appearance);
            let with = TeachMeans { looks, asker: Some(&means.models), ..TeachMeans::of(&means.derived) };
            let all = teach(dataset, &asked.lesson, with, progress).map_err(refused)?;
            let own = all.into_iter().find(|run| run.lesson.label == asked.lesson.label);
            made = own.ok_or_else(|| refused(TrainError::OneTask))?;
            &made
        }
    };
    Ok(Planned { edit: predictions_edit(dataset, run, &asked.into)?, notes: run.notes.clone() })
}
