//! A run on samples beside its own test part: what it said of that, and how good it is on parts that were locked later.

use std::collections::{BTreeMap, HashMap};

use super::fault::TrainError;
use super::means::TeachMeans;
use super::parts::{RunPart, hashes_of};
use super::run::Run;
use super::teach::predicted;
use crate::data::{Dataset, Role, SampleId, is_held_out};
use crate::job::Progress;
use crate::learn::significance::wilson;

/// What a run said of its test part: the sample, the class that was said and the one that is true now (by place among `classes`), how sure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestSaid {
    pub classes: Vec<String>,
    pub rows: Vec<(SampleId, u32, Option<u32>, f32)>,
}

/// How good a run is on another held-out part than its own.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherTest {
    pub part: String,
    pub rows: usize,
    pub right: usize,
    /// 95 % by Wilson.
    pub interval: (f64, f64),
}

impl OtherTest {
    /// The share that is right.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.rows.max(1) as f64
    }
}

/// What a run said of its test part, with the truth as it is now.
///
/// # Errors
/// [`TrainError`]: its columns are gone, or it was stopped.
pub fn test_said(dataset: &Dataset, run: &Run, progress: &Progress) -> Result<TestSaid, TrainError> {
    let label = dataset.field(&run.lesson.label).ok_or_else(|| TrainError::NoColumn(run.lesson.label.clone()))?;
    let (classes, tests) = tests_of(dataset, label, run, &hashes_of(dataset, &run.lesson, progress)?);
    let said = &run.predictions;
    let rows = tests.into_iter().map(|test| (test.id, said.said[test.place], test.truth, said.sure[test.place])).collect();
    Ok(TestSaid { classes, rows })
}

/// A sample of a run's test part that is still there.
pub(super) struct LocatedTest {
    pub id: SampleId,
    /// Its place among those that were tested, and among all that something was said of.
    pub tested: usize,
    pub place: usize,
    /// The class that it has now; `None` where it has none any more.
    pub truth: Option<u32>,
}

/// The run's test part as it is now, and its classes with those behind them that samples have got since.
pub(super) fn tests_of(dataset: &Dataset, label: usize, run: &Run, hashes: &[u64]) -> (Vec<String>, Vec<LocatedTest>) {
    let located = run.predictions.located(hashes);
    let mut classes = run.classes.clone();
    let mut codes: HashMap<String, u32> = classes.iter().cloned().zip(0..).collect();
    let mut out = Vec::new();
    for (tested, row) in run.predictions.tested.iter().enumerate() {
        let Ok(place) = run.predictions.ids.binary_search(row) else { continue };
        let Some(id) = located[place].map(SampleId).filter(|id| !dataset.is_excluded(*id)) else { continue };
        let truth = dataset.text(label, id).filter(|class| !class.is_empty()).map(|class| {
            let next = classes.len() as u32;
            *codes.entry(class.into_owned()).or_insert_with_key(|class| {
                classes.push(class.clone());
                next
            })
        });
        out.push(LocatedTest { id, tested, place, truth });
    }
    (classes, out)
}

/// How good a run is on held-out parts that are none of its own: of samples that came after it, it is asked now, where its head is kept.
///
/// # Errors
/// [`TrainError`]: stopped. A run that cannot be asked says nothing of what came after it.
pub fn other_tests(
    dataset: &Dataset,
    run: &Run,
    means: TeachMeans<'_>,
    progress: &Progress,
) -> Result<Vec<OtherTest>, TrainError> {
    let split = run.lesson.split.as_deref().and_then(|name| dataset.field(name));
    let Some(split) = split.or_else(|| dataset.with_role(|role| role == Role::Split)) else { return Ok(Vec::new()) };
    let Some(label) = dataset.field(&run.lesson.label) else { return Ok(Vec::new()) };
    let mut parts: BTreeMap<String, Vec<(SampleId, String)>> = BTreeMap::new();
    for id in dataset.source_samples().filter(|id| !dataset.is_excluded(*id)) {
        let Some(part) = dataset.text(split, id).filter(|part| is_held_out(part) && RunPart::named(part).is_none()) else {
            continue;
        };
        let Some(class) = dataset.text(label, id).filter(|class| !class.is_empty()) else { continue };
        parts.entry(part.into_owned()).or_default().push((id, class.into_owned()));
    }
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let located = run.predictions.located(&hashes_of(dataset, &run.lesson, progress)?);
    let known: HashMap<u32, u32> =
        located.iter().zip(&run.predictions.said).filter_map(|(id, said)| Some(((*id)?, *said))).collect();
    let all = || parts.values().flatten();
    let asked = if all().all(|(id, _)| known.contains_key(&id.0)) {
        Vec::new()
    } else {
        match predicted(dataset, run, means, progress) {
            Ok(said) => said,
            Err(TrainError::Cancelled) => return Err(TrainError::Cancelled),
            Err(_) => Vec::new(),
        }
    };
    let said = |id: SampleId| known.get(&id.0).copied().or_else(|| asked.get(id.row()).map(|(class, _)| *class));
    let mut out = Vec::new();
    for (part, samples) in parts {
        let hits: Vec<bool> =
            samples.iter().filter_map(|(id, class)| Some(run.classes.get(said(*id)? as usize) == Some(class))).collect();
        if hits.is_empty() {
            continue;
        }
        let right = hits.iter().filter(|hit| **hit).count();
        out.push(OtherTest { part, rows: hits.len(), right, interval: wilson(right, hits.len()) });
    }
    Ok(out)
}
