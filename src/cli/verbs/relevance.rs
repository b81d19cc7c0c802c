//! How much each sample is of a domain.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::{open, read};
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print, print_json, say};
use crate::derive::TextOf;
use crate::io::Reading;
use crate::job::Progress;
use crate::learn::dsir::Hashed;
use crate::operate::{Means, Operation, RelevanceOf, relevance, relevance_edit};

/// The command.
pub const VERB: Verb = Verb {
    name: "relevance",
    summary: "say how much each sample is of a domain, by its words (DSIR)",
    usage: "PATH --domain FILE | --tag TAG [--into COL] [--json]",
    example: "lapidary relevance tickets.csv --domain cards.jsonl --into relevance",
    options: &[
        &[
            ("--domain", Some("FILE"), "a dataset whose texts are the domain"),
            ("--tag", Some("TAG"), "samples of this one that stand for it"),
            ("--buckets", Some("N"), "how many buckets grams fall into (10000)"),
            ("--grams", Some("N"), "the longest gram, in words (2)"),
            ("--into", Some("COL"), "make it an edit: a column of this name has the mean weight a gram"),
            ("--json", None, "print JSON: of each sample the sum (DSIR as published), the grams, the mean"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, out, err| run(arguments, out, err).map(|()| false),
};

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let hashed = Hashed {
        buckets: arguments.number("--buckets")?.unwrap_or(10_000).clamp(1, 1 << 24),
        ngrams: arguments.number("--grams")?.unwrap_or(2).clamp(1, 8),
    };
    let mut workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let progress = Progress::silent();
    let domain: Vec<String> = match (arguments.get("--domain"), arguments.get("--tag")) {
        (Some(path), None) => {
            let other = read(Path::new(path), &Reading::default())?;
            let text = TextOf::of(&other, None).map_err(say)?;
            other.samples().map(|id| text.read(&other, id).into_owned()).collect()
        }
        (None, Some(tag)) => {
            let text = TextOf::of(dataset, None).map_err(say)?;
            dataset
                .source_samples()
                .filter(|id| dataset.has_tag(tag, *id))
                .map(|id| text.read(dataset, id).into_owned())
                .collect()
        }
        _ => return Err("name the domain, by --domain or by --tag".to_owned()),
    };
    let scores = relevance(dataset, &domain, hashed, &progress).map_err(say)?;
    if arguments.has("--json") {
        let list: Vec<_> = scores.iter().map(|one| json!({ "sum": one.sum, "grams": one.grams, "mean": one.mean() })).collect();
        print_json(out, &json!({ "domain": domain.len(), "scores": list }))?;
    } else if arguments.get("--into").is_none() {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*a].mean().total_cmp(&scores[*b].mean()).then(a.cmp(b)));
        let text: String =
            order.iter().map(|row| format!("{:.4}  row {row}\n", scores[*row].mean())).collect::<Vec<_>>().concat();
        print(out, &text)?;
    }
    let Some(into) = arguments.get("--into") else { return Ok(()) };
    if arguments.has("--no-project") {
        return Err("an edit needs the project; leave --no-project out".to_owned());
    }
    let edit = match arguments.get("--tag") {
        Some(tag) => {
            let asked = RelevanceOf { tag: tag.to_owned(), into: into.to_owned() };
            Operation::Relevance(asked).plan(dataset, &Means::default(), &progress).map_err(say)?.edit
        }
        None => relevance_edit(dataset, into, &scores).map_err(say)?,
    };
    match edit {
        Some(edit) => {
            workspace.edit(&edit).map_err(say)?;
            note(err, &edit.words);
        }
        None => note(err, "nothing to do: the column says so already"),
    }
    Ok(())
}
