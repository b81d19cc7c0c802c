//! Edits whose rows say something else in the file now: they follow by the key that names samples, or by text, where what they changed is as it was. What both
//! changed, each otherwise, stays as the file has it, and is said.

use super::Workspace;
use super::comparing::SettledChanges;
use crate::collect::{MergePlan, key_of, merge};
use crate::data::{Dataset, SampleId, things};
use crate::edit::EditError;
use crate::job::{Cancelled, JobError, Progress};
use crate::operate::merge_edit;

/// Makes what was settled of a file that has changed, as an edit upon the file as it is.
///
/// # Errors
/// [`JobError`]: the disk refuses, or a cell does not fit.
pub fn settle(workspace: &mut Workspace, settled: &SettledChanges, progress: &Progress) -> Result<Option<String>, JobError> {
    let now = workspace.dataset().clone();
    let n = settled.cells.len() + settled.excluded.len();
    let plan = MergePlan { cells: settled.cells.clone(), removed: settled.excluded.clone(), ..MergePlan::default() };
    let failed = |error: &dyn std::fmt::Display| JobError::Failed(error.to_string());
    let Some(mut edit) = merge_edit(&now, &now, &plan, progress).map_err(|error| failed(&error))? else { return Ok(None) };
    edit.words = format!("Settled {} of the changed file", things(n, "difference", "differences"));
    workspace.edit(&edit).map_err(|error: EditError| failed(&error))?;
    Ok(Some(format!("{} settled", things(n, "difference is", "differences are"))))
}

/// Makes those edits of `old`, the dataset as it was with its edits, that carrying over by content could not place; in words, where there is something to say.
///
/// # Errors
/// [`JobError`]: it was stopped, or the disk refuses.
pub fn follow(workspace: &mut Workspace, old: &Dataset, progress: &Progress) -> Result<Option<String>, JobError> {
    let now = workspace.dataset().clone();
    let before = old.as_read();
    let key = key_of(&now, old);
    let plan = match merge((&before, &now, old), &key, None, progress) {
        Ok(plan) => plan,
        Err(crate::collect::CollectError::Cancelled) => return Err(Cancelled.into()),
        // What cannot be compared follows by content alone.
        Err(_) => return Ok(None),
    };
    // Rows come and go as the file has them, and columns that edits added were carried over.
    let cells: Vec<(SampleId, String, Option<String>)> = plan
        .cells
        .into_iter()
        .filter(|(_, column, _)| now.field(column).is_some_and(|field| !now.is_provenance(field)))
        .collect();
    let conflicts: Vec<String> = plan
        .conflicts
        .iter()
        .filter_map(|conflict| Some((conflict.ours?, conflict.column.as_ref()?)))
        .map(|(id, column)| format!("{column} of sample {}", id.0))
        .collect();
    let mut words = Vec::new();
    if !cells.is_empty() {
        let n = cells.len();
        let only = MergePlan { cells, ..MergePlan::default() };
        let failed = |error: &dyn std::fmt::Display| JobError::Failed(error.to_string());
        if let Some(mut edit) = merge_edit(&now, old, &only, progress).map_err(|error| failed(&error))? {
            edit.words = format!("Carried over {} whose rows had changed", things(n, "cell", "cells"));
            workspace.edit(&edit).map_err(|error: EditError| failed(&error))?;
            words.push(format!("{} whose rows had changed followed, too", things(n, "edited cell", "edited cells")));
        }
    }
    if !conflicts.is_empty() {
        let first = conflicts.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let n = things(conflicts.len(), "cell that you edited has changed", "cells that you edited have changed");
        words.push(format!(
            "{n} in the file as well, and {} as the file has it: {first}",
            if conflicts.len() == 1 { "stands" } else { "stand" }
        ));
    }
    Ok((!words.is_empty()).then(|| words.join("; ")))
}
