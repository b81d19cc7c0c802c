//! What comes of a piece: the recipe's steps on its rows, and the rows of each part saved.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::answers::read_shorts;
use super::gather::dropped_path;
use super::plan::{PassPlan, StepWay};
use super::prepared::{is_about_something, of_piece};
use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::data::{Dataset, Packing, Role, SampleId};
use crate::io::{self, Rows, SaveTarget};
use crate::job::Progress;
use crate::operate::{Means, Operation, Recipe, RecipeStep};

/// What was done with a piece.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceSaid {
    pub rows: u64,
    pub kept: u64,
    /// Rows that say what an earlier one says, and that nearly do.
    pub copies: u64,
    pub near: u64,
    /// Rows that other steps have excluded.
    pub excluded: u64,
    /// By part, how many rows, saved in which file of the work folder.
    pub parts: BTreeMap<String, u64>,
    /// Lines that could not be read as they stand.
    pub warnings: u64,
    pub unfit: Vec<String>,
}

/// Where the rows of a part of a piece are saved.
pub fn part_path(work: &Work, at: usize, part: &str) -> PathBuf {
    let file = work.path(work.pieces[at].file);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    work.folder.join("out").join(format!("{at:06}")).join(part).join(name)
}

/// Carries the recipe out on a piece, and saves what comes of it.
pub fn apply(work: &Work, at: usize, progress: &Progress) -> Result<(), PassError> {
    let plan: PassPlan = work.plan();
    let mut said = PieceSaid::default();
    let mut dataset = work.open(at, progress)?;
    said.warnings = dataset.base.warnings.len() as u64;
    said.rows = dataset.rows() as u64;
    // Steps of a row alone are done one after the other, up to those that need all.
    let mut waiting: Vec<(usize, RecipeStep)> = Vec::new();
    for (place, (mut step, way)) in of_piece(work, at, &work.recipe.steps)?.into_iter().zip(&plan.steps).enumerate() {
        match way {
            StepWay::Unique(_) => {
                rows_alone(work, &mut waiting, &mut dataset, &mut said)?;
                for near in [false, true] {
                    let section = if near { work.pieces.len() + at } else { at };
                    let rows = read_shorts(&io::read_section(&dropped_path(work), section)?);
                    *(if near { &mut said.near } else { &mut said.copies }) += rows.len() as u64;
                    rows.into_iter().for_each(|row| dataset.set_excluded(SampleId(row), true));
                }
            }
            StepWay::Not(why) => said.unfit.push(format!("step {} ({}): left out: {why}", place + 1, step.words)),
            StepWay::Hash(split, _) => {
                step.operation = Some(Operation::Split(split.clone()));
                waiting.push((place, step));
            }
            StepWay::Row if is_about_something(&step) => waiting.push((place, step)),
            StepWay::Row => {}
        }
    }
    rows_alone(work, &mut waiting, &mut dataset, &mut said)?;
    progress.check()?;
    save(work, at, &plan, &dataset, &mut said, progress)?;
    let told = serde_json::to_vec(&said).unwrap_or_default();
    Ok(io::write_sections(&PassTask::Apply(at).path(work), &[told])?)
}

/// Does the steps that wait, and notes what does not fit by their places in the whole recipe.
fn rows_alone(
    work: &Work,
    waiting: &mut Vec<(usize, RecipeStep)>,
    dataset: &mut Dataset,
    said: &mut PieceSaid,
) -> Result<(), PassError> {
    let (places, steps): (Vec<usize>, Vec<RecipeStep>) = std::mem::take(waiting).into_iter().unzip();
    if steps.is_empty() {
        return Ok(());
    }
    let recipe = Recipe { lapidary: work.recipe.lapidary, steps };
    let done = recipe.run(dataset, &Means::default(), &Progress::silent())?;
    let numbered = |text: &String| {
        let number = text
            .strip_prefix("step ")
            .and_then(|text| text.split_once(' '))
            .and_then(|(n, rest)| Some((n.parse::<usize>().ok()?, rest)));
        let known = number.and_then(|(n, rest)| Some(format!("step {} {rest}", places.get(n.checked_sub(1)?)? + 1)));
        known.unwrap_or_else(|| text.clone())
    };
    said.unfit.extend(done.unfit.iter().map(numbered));
    Ok(())
}

fn save(
    work: &Work,
    at: usize,
    plan: &PassPlan,
    dataset: &Dataset,
    said: &mut PieceSaid,
    progress: &Progress,
) -> Result<(), PassError> {
    let kept = Rows::Kept.ids(dataset);
    said.kept = kept.len() as u64;
    said.excluded = (dataset.rows() as u64).saturating_sub(said.kept + said.copies + said.near);
    let mut parts: BTreeMap<String, Vec<SampleId>> = BTreeMap::new();
    let split = dataset.with_role(|role| role == Role::Split).filter(|_| plan.splits());
    match split {
        Some(field) => {
            for id in kept {
                let part = dataset.text(field, id).unwrap_or_default();
                parts.entry(safe(&part)).or_default().push(id);
            }
        }
        None => drop(parts.insert(String::new(), kept)),
    }
    let origin = &dataset.base.origin;
    for (part, ids) in parts {
        said.parts.insert(part.clone(), ids.len() as u64);
        let path = part_path(work, at, &part);
        // The packing of a whole file is put on when pieces are one again.
        let packing = if work.pieces[at].text.is_some() { Packing::None } else { origin.packing };
        let target = SaveTarget { path, format: origin.format, packing, own_columns: false, utf8: false, safe: false };
        io::export(dataset, &Rows::These(ids), &target, progress)?;
    }
    Ok(())
}

/// The name of a part as a folder's.
fn safe(part: &str) -> String {
    let name: String = part.chars().map(|letter| if matches!(letter, '/' | '\\' | ':' | '\0') { '_' } else { letter }).collect();
    if name.trim_matches('.').trim().is_empty() { "_".to_owned() } else { name }
}
