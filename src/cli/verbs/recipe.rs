//! The edits of a project as a recipe.

use std::io::Write;

use super::{Verb, dryrun};
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::{FOR_TRAINER, READING};
use crate::cli::said::{Done, note, print_json, say};
use crate::data::things;

/// The command.
pub const VERB: Verb = Verb {
    name: "recipe",
    summary: "write the edits of a project as a recipe, which holds for other versions of the data, too",
    usage: "PATH [--for TRAINER] [-o FILE]",
    example: "lapidary recipe tickets.csv -o tickets.recipe.json",
    options: &[
        &[
            ("-o", Some("FILE"), "the new file; without it the recipe is printed"),
            ("--for", Some("TRAINER"), "with a last step that writes a folder for a trainer, as export --for does"),
        ],
        &FOR_TRAINER,
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, out, err| recipe(arguments, out, err).map(|()| false),
};

/// Writes the edits that are in force to a file, or to standard output.
fn recipe(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    if arguments.has("--no-project") {
        return Err("a recipe is made of the project's edits; leave --no-project out".to_owned());
    }
    let workspace = open(arguments)?;
    let mut recipe = workspace.recipe().map_err(say)?;
    let plain = recipe.steps.iter().filter(|step| step.operation.is_none()).count();
    if arguments.get("--for").is_some() {
        recipe = recipe.with_export(dryrun::target(arguments, "--for")?);
    } else if let Some((name, ..)) = FOR_TRAINER.iter().find(|(name, ..)| arguments.has(name) || arguments.get(name).is_some()) {
        return Err(format!("{name} goes with --for TRAINER"));
    }
    if let Some(path) = arguments.path("-o") {
        crate::io::write_beside(workspace.dataset(), path, &recipe.to_json()).map_err(say)?;
        note(err, &format!("{}: {}", path.display(), things(recipe.steps.len(), "step", "steps")));
    } else {
        print_json(out, &serde_json::to_value(&recipe).map_err(say)?)?;
    }
    if plain > 0 {
        note(err, &format!("{plain} of them are written down cell by cell: their edits do not say what was asked for"));
    }
    Ok(())
}
