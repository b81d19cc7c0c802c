//! New data coming in: batches that are watched, rows of them taken over as samples, and these put into a part once they have a label.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_128;

use super::{Means, NEW_TEST, OperationError, Planned};
use crate::data::{Dataset, PartSource, Property, Role, SampleId, TakenRows, count_samples, is_held_out, things};
use crate::derive::{TextOf, near_texts};
use crate::edit::{Change, Direction, Edit, EditError, Target};
use crate::io::taken_base;
use crate::job::Progress;
use crate::learn::near::Grams;
use crate::monitor::{TO_LABEL, WatchedBatch};
use crate::train::RunPart;

/// From this Jaccard similarity of word pairs on two texts are nearly the same.
const NEAR: f64 = 0.8;

/// Watches batches.
pub fn watch(dataset: &Dataset, batches: &[WatchedBatch]) -> Result<Option<Edit>, EditError> {
    let known = WatchedBatch::all(dataset);
    let mut changes = Vec::new();
    let came = known.iter().map(|batch| batch.came + 1).max().unwrap_or(0);
    let mut names: HashSet<&str> = known.iter().map(|batch| batch.name.as_str()).collect();
    for batch in batches {
        if let Some(other) = known.iter().find(|other| other.is_same(batch)) {
            return Err(EditError::Refused(format!("the same rows are watched already, as {}", other.name)));
        }
        if batch.name.trim().is_empty() || !names.insert(&batch.name) {
            return Err(EditError::Refused(format!("another batch is called {:?}: give this one a name of its own", batch.name)));
        }
        let batch = &WatchedBatch { came: came + changes.len() as u64, ..batch.clone() };
        let json = serde_json::to_string(batch).map_err(|error| EditError::Refused(error.to_string()))?;
        changes.extend(Change::said(dataset, Property::Batch, &[&batch.name], Some(&json)));
    }
    let words = match batches {
        [one] => format!("Watches {}, {}", one.name, things(one.rows as usize, "row", "rows")),
        _ => format!("Watches {}", things(batches.len(), "batch", "batches")),
    };
    Ok(Edit::new(words, changes))
}

/// Adds rows that were written down behind all samples of `after`, and gives the change that does so; `None` where there are none.
pub fn add_taken(
    after: &mut Dataset,
    taken: &TakenRows,
    progress: &Progress,
) -> Result<Option<(Change, PartSource)>, OperationError> {
    let rows = taken.rows.len();
    if taken.times.len() != rows || taken.reasons.len() != rows {
        return Err(EditError::Refused("what was taken does not say where each row is from".to_owned()).into());
    }
    if rows == 0 {
        return Ok(None);
    }
    let refused = |why: String| OperationError::from(EditError::Part { path: taken.log.clone(), reason: why });
    let base = taken_base(taken, progress).map_err(|error| refused(error.to_string()))?;
    if base.rows != rows {
        return Err(refused(format!("it says of {rows} rows where they are from, and has {}", base.rows)));
    }
    let print = xxh3_128(taken.text.as_bytes());
    #[allow(clippy::cast_possible_truncation)]
    let part = PartSource {
        first: SampleId::at(after.rows()),
        rows: rows as u32,
        path: taken.log.clone(),
        fingerprint: [(print >> 64) as u64, print as u64],
        reading: String::new(),
        taken: Some(Box::new(taken.clone())),
    };
    after.know(part.key(), base);
    let Some(change) = Change::part(after, part.clone())? else { return Ok(None) };
    change.apply(after, Direction::Forward);
    Ok(Some((change, part)))
}

/// Takes rows over as samples with the tag [`TO_LABEL`].
pub fn plan_take(dataset: &Dataset, asked: &TakenRows, progress: &Progress) -> Result<Planned, OperationError> {
    let before: HashSet<(&[u64; 2], u32)> =
        dataset.taken_parts().flat_map(|(_, taken)| taken.rows.iter().map(move |row| (&taken.log_print, *row))).collect();
    if let Some(row) = asked.rows.iter().find(|row| before.contains(&(&asked.log_print, **row))) {
        return Err(EditError::Refused(format!("row {row} of {} was taken over before", asked.batch)).into());
    }
    let mut after = dataset.clone();
    let Some((change, part)) = add_taken(&mut after, asked, progress)? else {
        return Ok(Planned { edit: None, notes: Vec::new() });
    };
    let tag = Change::mark(&after, Target::Tag(TO_LABEL.to_owned()), part.ids(), true)?;
    let words = format!("Took {} of {} over, to be labelled", count_samples(asked.rows.len()), asked.batch);
    Ok(Planned { edit: Edit::new(words, std::iter::once(change).chain(tag)), notes: Vec::new() })
}

/// Puts labelled samples into a part, and takes their tag off. What has no label yet is left, and what is nearly the same as a sample of another part is refused: a test part that is trained on tests nothing.
pub fn admit(
    dataset: &Dataset,
    samples: &[SampleId],
    part: &str,
    means: &Means<'_>,
    progress: &Progress,
) -> Result<Planned, OperationError> {
    if RunPart::named(part) == Some(RunPart::Test) {
        let why = format!(
            "{part} is frozen: what runs were tested on stays the same; name another part, {NEW_TEST:?} say, and it is measured beside it"
        );
        return Err(EditError::Refused(why).into());
    }
    let label = dataset.with_role(Role::is_label);
    let has_label =
        |id: &SampleId| label.is_none_or(|field| dataset.text(field, *id).is_some_and(|cell| !cell.trim().is_empty()));
    let (labelled, bare): (Vec<SampleId>, Vec<SampleId>) = samples.iter().copied().partition(has_label);
    let mut notes = Vec::new();
    if !bare.is_empty() {
        notes.push(format!("{} without a label: left as they are", count_samples(bare.len())));
    }
    let split = dataset.with_role(|role| role == Role::Split);
    let refused = match split {
        Some(field) => copies_elsewhere(dataset, &labelled, (field, part), means, progress)?,
        None => HashSet::new(),
    };
    let admitted: Vec<SampleId> = labelled.into_iter().filter(|id| !refused.contains(id)).collect();
    if !refused.is_empty() {
        let near = things(refused.len(), "sample is", "samples are");
        notes.push(format!("{near} nearly the same as one of another part, and stay out of {part}"));
    }
    if admitted.is_empty() {
        let why = notes.first().cloned().unwrap_or_else(|| "no sample was taken over".to_owned());
        return Err(EditError::Refused(format!("none can be admitted: {why}")).into());
    }
    let tag = Change::mark(dataset, Target::Tag(TO_LABEL.to_owned()), admitted.iter().copied(), false)?;
    let (cells, words) = match split {
        Some(field) => {
            let name = &dataset.fields()[field].name;
            let cells = Change::cells(dataset, name, admitted.iter().map(|id| (*id, Some(part))))?;
            (cells, format!("Admitted {} to {part}", count_samples(admitted.len())))
        }
        None => (None, format!("Admitted {}", count_samples(admitted.len()))),
    };
    Ok(Planned { edit: Edit::new(words, cells.into_iter().chain(tag)), notes })
}

/// Samples whose text is nearly that of one in another part: of a held-out one, where `part` is trained on; of any other, where it is held out itself.
fn copies_elsewhere(
    dataset: &Dataset,
    samples: &[SampleId],
    (field, part): (usize, &str),
    means: &Means<'_>,
    progress: &Progress,
) -> Result<HashSet<SampleId>, OperationError> {
    let Ok(text) = TextOf::of(dataset, None) else { return Ok(HashSet::new()) };
    let near = near_texts(dataset, &text, (Grams::Words(2), NEAR), &means.derived, progress)?;
    let asked: HashSet<SampleId> = samples.iter().copied().collect();
    let held = is_held_out(part);
    let clashes = |id: SampleId| {
        !asked.contains(&id)
            && !dataset.is_excluded(id)
            && dataset.text(field, id).is_some_and(|own| {
                let own = own.trim();
                !own.is_empty() && own != part && (held || is_held_out(own))
            })
    };
    let mut out = HashSet::new();
    for group in near.groups() {
        let ids = || group.iter().map(|row| SampleId(*row));
        if ids().any(clashes) {
            out.extend(ids().filter(|id| asked.contains(id)));
        }
    }
    Ok(out)
}
