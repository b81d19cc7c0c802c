//! Several people's labels: how far they agree, and put together into one.

use std::io::Write;

use serde_json::{Value, json};

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print, print_json, say};
use crate::data::Dataset;
use crate::derive::{LongVotes, annotators_of, long_votes_of};
use crate::job::Progress;
use crate::operate::{ConsensusMethod, ConsensusOf, LongColumns, Means, Operation};

/// The command.
pub const VERB: Verb = Verb {
    name: "consensus",
    summary: "say how far several people's labels agree and how good each is, and put them together",
    usage: "PATH [--annotators COL,COL…] [--method majority|dawid_skene|crowdlab] [--probabilities PREFIX] [--into COL] [--json]",
    example: "lapidary consensus votes.parquet --annotators ann,ben,eve --method dawid_skene --into label",
    options: &[
        &[
            (
                "--annotators",
                Some("COL,COL…"),
                "the columns of votes (those whose names differ in a number and whose values are the same)",
            ),
            ("--task", Some("COL"), "of a table with a row a vote: what was voted on (found by its name and how it repeats)"),
            ("--annotator", Some("COL"), "and who voted"),
            ("--label", Some("COL"), "and what they said"),
            ("--one-a-task", None, "of each task keep the first row, with all votes in a column; the others are excluded"),
            ("--method", Some("NAME"), "majority, dawid_skene (usual), or crowdlab, which weighs a model's probabilities too"),
            ("--probabilities", Some("PREFIX"), "for crowdlab: how a model's columns begin, one a class"),
            ("--into", Some("COL"), "make it an edit: a column of this name has the consensus"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, out, err| consensus(arguments, out, err).map(|()| false),
};

fn consensus(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let mut workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let (columns, long) = votes(arguments, dataset)?;
    let name = arguments.get("--method").unwrap_or("dawid_skene");
    let method = ConsensusMethod::ALL.into_iter().find(|method| method.name() == name);
    let method = method.ok_or_else(|| {
        format!("there is no method called {name:?}; there are: {}", ConsensusMethod::ALL.map(ConsensusMethod::name).join(", "))
    })?;
    let into = arguments.get("--into");
    let asked = ConsensusOf {
        columns,
        long,
        method,
        probabilities: arguments.get("--probabilities").unwrap_or_default().to_owned(),
        into: into.unwrap_or("consensus").to_owned(),
    };
    let (read, done) = asked.work_out(dataset, &Progress::silent()).map_err(say)?;
    let votes = &read.votes;
    let pairs: Vec<(usize, usize)> = (0..votes.annotators).flat_map(|a| (a + 1..votes.annotators).map(move |b| (a, b))).collect();
    if arguments.has("--json") {
        let class = |label: &Option<u32>| label.map_or(Value::Null, |label| read.classes[label as usize].clone().into());
        let kappa = |(a, b): &(usize, usize)| json!([read.annotators[*a], read.annotators[*b], votes.cohen(*a, *b)]);
        print_json(
            out,
            &json!({
                "method": method.name(), "annotators": read.annotators, "classes": read.classes,
                "consensus": done.label.iter().map(class).collect::<Vec<_>>(), "quality": done.quality, "annotator_quality": done.annotators,
                "krippendorff_alpha": votes.krippendorff(), "fleiss_kappa": votes.fleiss(), "cohen_kappa": pairs.iter().map(kappa).collect::<Vec<_>>(),
            }),
        )?;
    } else {
        let show = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:.3}"));
        let mut text = format!("Krippendorff's alpha {}, Fleiss' kappa {}\n", show(votes.krippendorff()), show(votes.fleiss()));
        for (name, quality) in read.annotators.iter().zip(&done.annotators) {
            text.push_str(&format!("{quality:.3}  {name}\n"));
        }
        print(out, &text)?;
    }
    if into.is_some() {
        if arguments.has("--no-project") {
            return Err("an edit needs the project; leave --no-project out".to_owned());
        }
        let planned = Operation::Consensus(asked).plan(dataset, &Means::default(), &Progress::silent()).map_err(say)?;
        planned.notes.iter().for_each(|text| note(err, text));
        match planned.edit {
            Some(edit) => {
                workspace.edit(&edit).map_err(say)?;
                note(err, &edit.words);
            }
            None => note(err, "nothing to do: the column says so already"),
        }
    }
    Ok(())
}

/// The columns of votes, or those of a table with a row a vote.
fn votes(arguments: &Arguments, dataset: &Dataset) -> Result<(Vec<String>, Option<LongColumns>), Failure> {
    let name = |field: usize| dataset.fields()[field].name.to_string();
    let one_a_task = arguments.has("--one-a-task");
    if let Some(list) = arguments.get("--annotators") {
        return Ok((list.split(',').map(|name| name.trim().to_owned()).collect(), None));
    }
    let given = ["--task", "--annotator", "--label"].map(|option| arguments.get(option).map(ToOwned::to_owned));
    let found = long_votes_of(dataset);
    if given.iter().any(Option::is_some) || one_a_task || found.is_some() && annotators_of(dataset).is_empty() {
        let found = |of: fn(&LongVotes) -> usize| found.as_ref().map(|long| name(of(long)));
        let [task, annotator, label] = given;
        let missing = |what: &str| format!("which column says {what}? Name it with --{what}");
        let task = task.or_else(|| found(|long| long.task)).ok_or_else(|| missing("task"))?;
        let annotator = annotator.or_else(|| found(|long| long.annotator)).ok_or_else(|| missing("annotator"))?;
        let label = label.or_else(|| found(|long| long.label)).ok_or_else(|| missing("label"))?;
        return Ok((vec![label], Some(LongColumns { task, annotator, one_a_task })));
    }
    match annotators_of(dataset).as_slice() {
        [one] => Ok((one.iter().map(|field| name(*field)).collect(), None)),
        [] => Err("no columns look like votes: name them with --annotators, or with --task, --annotator and --label".to_owned()),
        several => Err(format!("{} groups of columns look like votes: name one with --annotators", several.len())),
    }
}
