//! Three versions of a dataset made one: the plan upon ours, as an edit. Its rows keep their bytes, and undo takes all of it back.

use std::collections::BTreeMap;

use super::OperationError;
use super::taking::add_taken;
use crate::collect::MergePlan;
use crate::data::{Dataset, Kind, Property, Role, SampleId, TakenRows, things};
use crate::edit::{Change, Direction, Edit, Target};
use crate::job::Progress;

/// The edit that brings what theirs changed into ours; `None` where nothing is to be done.
///
/// # Errors
/// [`OperationError`]: a cell that does not fit.
pub fn merge_edit(
    ours: &Dataset,
    theirs: &Dataset,
    plan: &MergePlan,
    progress: &Progress,
) -> Result<Option<Edit>, OperationError> {
    let mut after = ours.clone();
    let mut changes: Vec<Change> = Vec::new();
    let mut take = |after: &mut Dataset, change: Change| {
        change.apply(after, Direction::Forward);
        changes.push(change);
    };
    for name in &plan.columns {
        let Some(field) = theirs.field(name).map(|at| &theirs.fields()[at]) else { continue };
        // Of what a dataset has one column, the one there is stays it.
        let one = matches!(field.role, Role::Id | Role::Group | Role::Split | Role::Image) || field.role.is_label();
        let taken = after.with_role(|role| role == field.role || role.is_label() && field.role.is_label()).is_some();
        let role = if one && taken { Role::Other } else { field.role };
        let change = Change::add_column(&after, name, field.kind, role)?;
        take(&mut after, change);
    }
    let mut cells: BTreeMap<&str, Vec<(SampleId, Option<&str>)>> = BTreeMap::new();
    for (id, column, text) in &plan.cells {
        cells.entry(column).or_default().push((*id, text.as_deref()));
    }
    for (column, list) in cells {
        // A column of numbers that the other side wrote words into is one of texts.
        let kind = after.field(column).map(|field| after.fields()[field].kind);
        if kind.is_some_and(|kind| !list.iter().filter_map(|(_, text)| *text).all(|text| kind.accepts(text)))
            && let Some(change) = Change::kind(&after, column, Kind::Text)?
        {
            change.apply(&mut after, Direction::Forward);
            changes.push(change);
        }
        if let Some(change) = Change::cells(&after, column, list.iter().copied())? {
            change.apply(&mut after, Direction::Forward);
            changes.push(change);
        }
    }
    if let Some(change) = Change::mark(&after, Target::Excluded, plan.removed.iter().copied(), true)? {
        change.apply(&mut after, Direction::Forward);
        changes.push(change);
    }
    changes.extend(plan.columns_removed.iter().filter_map(|name| Change::said(&after, Property::LeftOut, &[name], Some("true"))));
    let taken = lines(&after, theirs, &plan.added);
    if let Some((change, _)) = add_taken(&mut after, &taken, progress)? {
        changes.push(change);
    }
    let words = format!("Merged with {}: {}", taken.batch, plan.words());
    Ok(Edit::new(words, changes))
}

/// Rows of theirs, written down by the columns of ours.
fn lines(ours: &Dataset, theirs: &Dataset, rows: &[SampleId]) -> TakenRows {
    let origin = &theirs.base.origin;
    let mut out = TakenRows {
        batch: origin.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        log: origin.path.to_string_lossy().into_owned(),
        log_print: origin.halves(),
        ..TakenRows::default()
    };
    let fields: Vec<(usize, usize)> =
        (0..ours.fields().len()).filter_map(|at| Some((at, theirs.field(&ours.fields()[at].name)?))).collect();
    let columns: Vec<_> =
        fields.iter().map(|(own, _)| &ours.fields()[*own]).map(|own| (&*own.name, own.kind, own.role)).collect();
    let text = |of: usize, id: SampleId| theirs.text(of, id).map(std::borrow::Cow::into_owned);
    let why = "only in the other version";
    let written = rows.iter().map(|id| {
        let cells = fields.iter().map(|(_, of)| text(*of, *id)).collect();
        (cells, id.0, String::new(), why.to_owned())
    });
    out.write(&columns, written.collect());
    out
}

impl MergePlan {
    /// What is done, in words.
    pub fn words(&self) -> String {
        let mut out = Vec::new();
        let mut say = |n: usize, one: &str, many: &str, what: &str| {
            if n > 0 {
                out.push(format!("{} {what}", things(n, one, many)));
            }
        };
        say(self.cells.len(), "cell", "cells", "taken over");
        say(self.added.len(), "row", "rows", "added");
        say(self.removed.len(), "row", "rows", "removed");
        say(self.columns.len(), "column", "columns", "added");
        say(self.columns_removed.len(), "column", "columns", "left out");
        if out.is_empty() { "nothing to take over".to_owned() } else { out.join(", ") }
    }
}
