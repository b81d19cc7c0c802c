//! A recipe carried out on a dataset.

use std::io::Write;

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open_as_it_is;
use crate::cli::options::{ASKS, IMAGES, OUT, OWN_COLUMNS, READING, SAFE};
use crate::cli::said::{note, say};
use crate::cli::saved::save;
use crate::cli::text_models::text_models;
use crate::job::Progress;
use crate::operate::{Means, Operation, Recipe};

/// The largest recipe, in bytes: one that names some million samples.
const LARGEST: u64 = 1 << 30;

/// The command.
pub const VERB: Verb = Verb {
    name: "run",
    summary: "carry a recipe out on a dataset and save what comes of it",
    usage: "RECIPE PATH -o OUT",
    example: "lapidary run tickets.recipe.json tickets-june.csv -o clean-june.csv",
    options: &[&[OUT, OWN_COLUMNS, SAFE, IMAGES[0], IMAGES[1]], &ASKS, &READING],
    paths: &["the recipe", "the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| run(arguments, err),
};

/// Carries a recipe out on a dataset and saves what comes of it. Says whether anything did not fit.
fn run(arguments: &Arguments, err: &mut dyn Write) -> Result<bool, Failure> {
    arguments.need("-o")?;
    let path = arguments.before.first().ok_or_else(|| "two paths are needed: the recipe and the dataset".to_owned())?;
    let text = crate::io::read_text(path, LARGEST).map_err(say)?;
    let recipe = Recipe::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let pipelines: Vec<_> = recipe
        .steps
        .iter()
        .filter_map(|step| match &step.operation {
            Some(Operation::Augment { pipeline, .. }) => Some(pipeline),
            Some(Operation::Balance(balance)) => balance.pipeline.as_ref(),
            _ => None,
        })
        .collect();
    let models = text_models(arguments, &pipelines, err)?;
    // A recipe says all that is to be done: edits of a project of the input's are none of it.
    let workspace = open_as_it_is(arguments)?;
    let mut dataset = workspace.dataset().clone();
    let means = Means { models, ..Means::default() };
    let done = recipe.run(&mut dataset, &means, &Progress::silent()).map_err(say)?;
    done.notes.iter().chain(&done.unfit).for_each(|text| note(err, text));
    note(err, &format!("{} of {} steps carried out", done.done, recipe.steps.len()));
    save(arguments, &dataset, err)?;
    Ok(!done.unfit.is_empty())
}
