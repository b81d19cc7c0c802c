//! New samples by a pipeline, saved with the others.

use std::io::Write;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::made::{made, pipeline, risk};
use crate::cli::opened::open;
use crate::cli::options::{ASKS, IMAGES, OUT, OWN_COLUMNS, READING, SAFE};
use crate::cli::said::Done;
use crate::cli::saved::save;
use crate::cli::text_models::text_models;
use crate::data::Augmentation;
use crate::operate::{Means, Operation};

/// The command.
pub const VERB: Verb = Verb {
    name: "augment",
    summary: "make new samples of those in the train part, by a pipeline, and save all to a new file",
    usage: "PATH --pipeline FILE [--copies N] [--seed N] [--risk P] -o OUT",
    example: "lapidary augment tickets.csv --pipeline tickets.json --copies 2 --seed 7 -o more.csv",
    options: &[
        &[
            (
                "--pipeline",
                Some("FILE"),
                "the pipeline, as JSON: {\"steps\": [{\"op\": \"synonym_replacement\", \"p\": 0.8, \"low\": 0.1, \"high\": 0.2}, …]}",
            ),
            ("--copies", Some("N"), "new samples of each sample in the train part (1)"),
            ("--seed", Some("N"), "the seed of chance (42); the same seed gives the same bytes"),
            (
                "--risk",
                Some("P"),
                "leave out samples whose label is another now with more than this probability (0.3; 1 keeps all)",
            ),
            OUT,
            OWN_COLUMNS,
            SAFE,
            IMAGES[0],
        ],
        &ASKS,
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: Some(operations),
    run: |arguments, _, err| augment(arguments, err).map(|()| false),
};

/// The operations of a pipeline, for the help.
fn operations() -> String {
    let mut text = "\nOperations of a pipeline, and the range that each draws its number from:\n".to_owned();
    for op in Augmentation::ALL {
        let range = op.range().map_or(String::new(), |range| {
            format!(" [{} to {} {}, usually {} to {}]", range.least, range.most, range.unit, range.low, range.high)
        });
        let list = op.list().map_or(String::new(), |what| format!(" [list: {what}]"));
        text.push_str(&format!("  {:<22} {}{range}{list}\n", op.name(), op.help()));
    }
    text
}

/// Makes new samples by a pipeline, and saves everything.
fn augment(arguments: &Arguments, err: &mut dyn Write) -> Done {
    arguments.need("-o")?;
    let pipeline = pipeline(arguments)?;
    let (copies, most_risk) = (arguments.number::<u32>("--copies")?.unwrap_or(1), risk(arguments)?);
    let seed = arguments.number::<u64>("--seed")?.unwrap_or(42);
    if !(1..=1_000).contains(&copies) {
        return Err(format!("--copies takes a number from 1 to 1000, not {copies}"));
    }
    let models = text_models(arguments, &[&pipeline], err)?;
    let dataset = open(arguments)?.dataset().clone();
    let means = Means { models, ..Means::default() };
    let dataset = made(dataset, &Operation::Augment { pipeline, copies, seed, most_risk }, &means, err)?.0;
    save(arguments, &dataset, err)
}
