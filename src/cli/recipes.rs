//! Recipes without a window: the edits of a project written down, and replayed on the same or another version of the data.

use std::io::Write;

use super::Failure;
use super::arguments::Arguments;
use super::commands::{note, open, print_json, save, say};
use super::making::text_models_of;
use crate::job::Progress;
use crate::operate::{Means, Operation, Recipe};

/// The largest recipe, in bytes: one that names some million samples.
const LARGEST: u64 = 1 << 30;

/// Writes the edits that are in force to a file, or to standard output.
pub fn recipe(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    if arguments.has("--no-project") {
        return Err("a recipe is made of the project's edits; leave --no-project out".to_owned());
    }
    let workspace = open(arguments)?;
    let recipe = Recipe::of(&workspace).map_err(say)?;
    let plain = recipe.steps.iter().filter(|step| step.operation.is_none()).count();
    if let Some(path) = arguments.path("-o") {
        crate::io::may_write(workspace.dataset(), path).map_err(say)?;
        crate::io::write_small(path, &recipe.to_json()).map_err(say)?;
        note(err, &format!("{}: {} steps", path.display(), recipe.steps.len()));
    } else {
        print_json(out, &serde_json::to_value(&recipe).map_err(say)?)?;
    }
    if plain > 0 {
        note(err, &format!("{plain} of them are written down cell by cell: their edits do not say what was asked for"));
    }
    Ok(())
}

/// Carries a recipe out on a dataset and saves what comes of it. Says whether anything did not fit.
pub fn run(arguments: &Arguments, err: &mut dyn Write) -> Result<bool, Failure> {
    arguments.need("-o")?;
    let path = arguments.first.as_ref().ok_or_else(|| "two paths are needed: the recipe and the dataset".to_owned())?;
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
    let models = text_models_of(arguments, &pipelines, err)?;
    // A recipe says all that is to be done: edits of a project of the input's are none of it.
    let workspace = super::commands::open_as_it_is(arguments)?;
    let mut dataset = workspace.dataset().clone();
    let means = Means { models, ..Means::default() };
    let done = recipe.run(&mut dataset, &means, &Progress::silent()).map_err(say)?;
    done.notes.iter().chain(&done.unfit).for_each(|text| note(err, text));
    note(err, &format!("{} of {} steps carried out", done.done, recipe.steps.len()));
    save(arguments, &dataset, err)?;
    Ok(!done.unfit.is_empty())
}
