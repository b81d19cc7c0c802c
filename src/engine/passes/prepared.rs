//! A recipe's steps for one piece: rows that they name are found by what they say, wherever they stand.

use std::collections::BTreeSet;

use super::answers::read_shorts;
use super::tasks::PassTask;
use super::work::{PassError, Work};
use crate::data::Dataset;
use crate::io;
use crate::job::Progress;
use crate::operate::{Means, Operation, Recipe, RecipeStep, Replayed};

/// The contents that a recipe names, in order; a name is a content, and which of those that are the same.
pub fn named_contents(recipe: &Recipe) -> Vec<u64> {
    let rows = recipe.steps.iter().flat_map(|step| {
        let changed =
            step.changes.iter().filter_map(|change| change.get("rows")?.as_array()).flatten().filter_map(|row| row.as_str());
        step.rows.iter().map(String::as_str).chain(changed)
    });
    let content = |name: &str| u64::from_str_radix(name.split(['#', '/']).next()?, 16).ok();
    rows.filter_map(content).collect::<BTreeSet<u64>>().into_iter().collect()
}

/// A recipe's steps for one piece: names count the rows of earlier pieces off.
pub fn of_piece(work: &Work, at: usize, steps: &[RecipeStep]) -> Result<Vec<RecipeStep>, PassError> {
    let named = named_contents(&work.recipe);
    let mut steps = steps.to_vec();
    if named.is_empty() {
        return Ok(steps);
    }
    let (mut before, mut here) = (vec![0u64; named.len()], vec![0u32; named.len()]);
    for piece in 0..=at {
        here = read_shorts(&io::read_section(&PassTask::Count(piece).path(work), 1)?);
        if here.len() != named.len() {
            return Err(PassError::Refused("the counts of rows are of another recipe: begin anew".to_owned()));
        }
        if piece < at {
            before.iter_mut().zip(&here).for_each(|(sum, n)| *sum += u64::from(*n));
        }
    }
    let own = |name: &str| -> Option<String> {
        let (content, place) = name.split_once('#').unwrap_or((name, "1"));
        let known = named.binary_search(&u64::from_str_radix(content, 16).ok()?).ok()?;
        let place = place.parse::<u64>().ok()?.checked_sub(before[known])?;
        match place {
            1 if here[known] > 0 => Some(content.to_owned()),
            2.. if place <= u64::from(here[known]) => Some(format!("{content}#{place}")),
            _ => None,
        }
    };
    for step in &mut steps {
        // What each row is given stays with its row.
        let kept: Vec<(usize, String)> =
            step.rows.iter().enumerate().filter_map(|(place, name)| Some((place, own(name)?))).collect();
        step.cells = kept.iter().filter_map(|(place, _)| step.cells.get(*place).cloned()).collect();
        step.rows = kept.into_iter().map(|(_, name)| name).collect();
        for change in &mut step.changes {
            narrowed(change, &own);
        }
    }
    Ok(steps)
}

/// A change with the rows that are there, and what each of them is given.
fn narrowed(change: &mut serde_json::Value, own: &dyn Fn(&str) -> Option<String>) {
    let Some(rows) = change.get("rows").and_then(|rows| rows.as_array()).cloned() else { return };
    let kept: Vec<(usize, String)> =
        rows.iter().enumerate().filter_map(|(place, name)| Some((place, own(name.as_str()?)?))).collect();
    let codes = change.get("codes").and_then(|codes| codes.as_array()).cloned().unwrap_or_default();
    // A list of codes has one a row; an empty one says that all are given the same.
    if !codes.is_empty() {
        change["codes"] = kept.iter().filter_map(|(place, _)| codes.get(*place).cloned()).collect();
    }
    change["rows"] = kept.into_iter().map(|(_, name)| name).collect();
}

/// A piece after the first `steps` steps.
pub fn prepared(work: &Work, at: usize, steps: usize, progress: &Progress) -> Result<(Dataset, Replayed), PassError> {
    let mut dataset = work.open(at, progress)?;
    let steps = of_piece(work, at, &work.recipe.steps[..steps])?;
    let recipe = Recipe { lapidary: work.recipe.lapidary, steps: steps.into_iter().filter(is_about_something).collect() };
    let replayed = recipe.run(&mut dataset, &Means::default(), &Progress::silent())?;
    Ok((dataset, replayed))
}

/// Whether a step is still about anything, once its rows are those of a piece.
pub fn is_about_something(step: &RecipeStep) -> bool {
    let names = step
        .operation
        .as_ref()
        .is_some_and(|operation| operation.samples().is_some() || matches!(operation, Operation::Accept { .. }));
    !names || step.all || !step.rows.is_empty()
}
