//! What a plan is worth to a quick probe: the train part as it is and as the plan makes it, tested on the same real samples.

use std::collections::HashSet;

use super::balancing::Standing;
use crate::data::{Dataset, Origins, SampleId};
use crate::derive::Likeness;
use crate::edit::{Direction, Edit};
use crate::job::{Cancelled, Progress};
use crate::learn::Targets;
use crate::learn::probe::{Probe, ProbeScore, ProbedNeed, TrainingSet};

/// The most numbers that a probe has: samples by classes.
const MOST_CELLS: usize = 200_000_000;

/// What balancing is worth, by a probe.
#[derive(Debug, Clone)]
pub struct Worth {
    pub now: ProbeScore,
    pub then: ProbeScore,
    /// By how much the macro-F1 is better, and its interval.
    pub gain: (f64, f64, f64),
    /// What each class needs for the F1 that was asked for.
    pub needs: Vec<ProbedNeed>,
}

/// Whether a probe of so many samples fits in memory.
pub fn can_probe(samples: usize, classes: usize) -> bool {
    samples.saturating_mul(classes) <= MOST_CELLS
}

/// Probes the train part as it is and as `edit` makes it; the same samples of the source are tested both times.
///
/// # Errors
/// [`Cancelled`].
pub fn worth(
    dataset: &Dataset,
    standing: &Standing,
    likeness: &Likeness,
    edit: Option<&Edit>,
    wanted: f64,
    progress: &Progress,
) -> Result<Worth, Cancelled> {
    let (probe, before, later) = sets(dataset, standing, likeness, edit, progress)?;
    let sizes = [before.rows.len(), later.rows.len(), before.rows.len() / 4, before.rows.len() / 2];
    progress.set_total(sizes.iter().map(|n| Probe::steps(*n)).sum());
    let now = probe.score(&before, progress)?;
    let then = if edit.is_some() { probe.score(&later, progress)? } else { now.clone() };
    let gain = probe.gain(&now, &then);
    let needs = probe.needs(&before, &now, wanted, progress)?;
    Ok(Worth { now, then, gain, needs })
}

/// The scores as it is and planned, and the difference with its interval.
pub type Gain = (ProbeScore, ProbeScore, (f64, f64, f64));

/// The same without what to collect: the scores as it is and as `edit` makes it, and the difference with its interval.
///
/// # Errors
/// [`Cancelled`].
pub fn gain(
    dataset: &Dataset,
    standing: &Standing,
    likeness: &Likeness,
    edit: Option<&Edit>,
    progress: &Progress,
) -> Result<Gain, Cancelled> {
    // Progress counts rules here, and hears only whether to stop.
    let silent = Progress::silent();
    let (probe, before, later) = sets(dataset, standing, likeness, edit, &silent)?;
    progress.check()?;
    let now = probe.score(&before, &silent)?;
    progress.check()?;
    let then = if edit.is_some() { probe.score(&later, &silent)? } else { now.clone() };
    let gain = probe.gain(&now, &then);
    Ok((now, then, gain))
}

/// A probe, the train part as it is, and as `edit` makes it.
fn sets(
    dataset: &Dataset,
    standing: &Standing,
    likeness: &Likeness,
    edit: Option<&Edit>,
    progress: &Progress,
) -> Result<(Probe, TrainingSet, TrainingSet), Cancelled> {
    let mut after = dataset.clone();
    if let Some(edit) = edit {
        edit.apply(&mut after, Direction::Forward);
    }
    let made: Vec<SampleId> = after.samples().filter(|id| after.is_made(*id)).collect();
    let (features, bent) = likeness.features(&after, &made, progress)?;
    let index = &standing.index;
    let of = |row: usize| -> Vec<u32> {
        let id = SampleId::at(row);
        let parent = after.origins(id).map_or(id, |origins| origins.parent);
        index.of(parent).to_vec()
    };
    let targets = Targets::new((0..after.rows()).map(of), index.names().len(), index.is_many());
    // Tested are the originals that the plan leaves: the same ones now, then, and once it is carried out.
    let sources: Vec<u32> = standing.members.iter().filter(|id| !after.is_excluded(**id)).map(|id| id.0).collect();
    let probe = Probe::new(features, bent, targets, sources);
    let members: HashSet<SampleId> = standing.members.iter().copied().collect();
    let set = |dataset: &Dataset| -> TrainingSet {
        let mut rows: Vec<(u32, Vec<u32>)> =
            standing.members.iter().filter(|id| !dataset.is_excluded(**id)).map(|id| (id.0, vec![id.0])).collect();
        for id in made.iter().copied().filter(|id| id.row() < dataset.rows()) {
            let of_members = |of: &Origins<'_>| members.contains(&of.parent) && !dataset.is_excluded(id);
            if let Some(origins) = dataset.origins(id).filter(of_members) {
                let of = std::iter::once(origins.parent).chain(origins.other).map(|id| id.0).collect();
                rows.push((id.0, of));
            }
        }
        TrainingSet { rows }
    };
    let (before, later) = (set(dataset), set(&after));
    Ok((probe, before, later))
}
