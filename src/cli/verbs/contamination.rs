//! What of a dataset stands in somebody's test texts, too; and packs of test texts without a word of theirs.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print, print_json, say};
use crate::data::{SampleId, count, things};
use crate::io;
use crate::job::Progress;
use crate::learn::contamination::Contaminated;
use crate::operate::{Means, Operation, RUN, TestTexts, contaminated, fingerprint};

/// The command that looks.
pub const CONTAMINATION: Verb = Verb {
    name: "contamination",
    summary: "find samples that share runs of words with test texts, your own or a pack of fingerprints",
    usage: "PATH --with FILE [--ngram N] [--text COL] [--exclude | --tag TAG] [--json]",
    example: "lapidary contamination train.jsonl --with test.jsonl --text question --tag contaminated",
    options: &[
        &[
            ("--with", Some("FILE"), "a dataset of test texts, or a pack that `fingerprint` has made"),
            ("--ngram", Some("N"), "words in a run (13)"),
            ("--cover", Some("SHARE"), "only samples of which so much stands in shared runs, 0 to 1 (0)"),
            ("--text", Some("COL"), "the texts (every column with that role); of the test texts the same, where they have it"),
            ("--exclude", None, "exclude what is found: an edit"),
            ("--tag", Some("TAG"), "tag what is found: an edit"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: look,
};

/// The command that makes a pack.
pub const FINGERPRINT: Verb = Verb {
    name: "fingerprint",
    summary: "write the runs of words of test texts as hashes: a pack that says nothing of them but whether they are met",
    usage: "PATH -o FILE [--ngram N] [--text COL]",
    example: "lapidary fingerprint benchmark.jsonl --text question -o benchmark.prints",
    options: &[
        &[
            ("-o", Some("FILE"), "the pack"),
            ("--ngram", Some("N"), "words in a run (13)"),
            ("--text", Some("COL"), "the texts (every column with that role)"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| make_pack(arguments, err).map(|()| false),
};

fn ngram(arguments: &Arguments) -> Result<Option<usize>, Failure> {
    match arguments.number::<usize>("--ngram")? {
        Some(0) => Err("--ngram takes a number above 0".to_owned()),
        n => Ok(n),
    }
}

fn make_pack(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let path = arguments.need_path("-o")?;
    let workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let n = ngram(arguments)?.unwrap_or(RUN);
    let pack = fingerprint(dataset, arguments.get("--text"), n, &Progress::silent()).map_err(say)?;
    io::write_beside(dataset, Path::new(&path), &pack).map_err(say)?;
    let texts = dataset.rows() - dataset.excluded().len();
    note(err, &format!("{}: {}", Path::new(&path).display(), things(texts, "text", "texts")));
    Ok(())
}

fn look(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let path = arguments.get("--with").ok_or("which test texts? --with takes a dataset, or a pack that fingerprint has made")?;
    let column = arguments.get("--text");
    let tests = TestTexts::open(Path::new(path), ngram(arguments)?, column, &Progress::silent()).map_err(say)?;
    let prints = &tests.prints;
    let least = arguments.number::<f64>("--cover")?.unwrap_or(0.0);
    let mut workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let asked = dataset.rows() - dataset.excluded().len();
    let mut found = contaminated(dataset, &tests, column, &Progress::silent()).map_err(say)?;
    let share = |one: &Contaminated| f64::from(one.covered) / f64::from(one.words.max(1));
    found.retain(|(_, one)| share(one) >= least);
    let samples: Vec<SampleId> = found.iter().map(|(id, _)| *id).collect();
    if arguments.has("--json") {
        let list: Vec<_> = found
            .iter()
            .map(|(id, one)| {
                json!({
                    "row": id.0, "test": one.test, "shared": one.shared, "of": one.of,
                    "covered": one.covered, "words": one.words,
                })
            })
            .collect();
        print_json(out, &json!({ "ngram": prints.n, "tests": prints.sizes.len(), "rows": asked, "found": list }))?;
    } else {
        let mut lines = String::new();
        for (id, one) in &found {
            lines.push_str(&format!(
                "row {}  test {}  {} of {} runs  {:.0} % of its words\n",
                id.0,
                one.test,
                one.shared,
                one.of,
                share(one) * 100.0
            ));
        }
        print(out, &lines)?;
        note(
            err,
            &format!(
                "{} of {} share {} words in a row with a test text",
                things(found.len(), "sample", "samples"),
                count(asked),
                prints.n
            ),
        );
    }
    let operation = match arguments.get("--tag") {
        Some(tag) => Some(Operation::Tag { samples, tag: tag.to_owned(), on: true }),
        None => arguments.has("--exclude").then_some(Operation::Exclude { samples, on: true }),
    };
    if let Some(operation) = operation.filter(|_| !found.is_empty()) {
        if arguments.has("--no-project") {
            return Err("an edit needs the project; leave --no-project out".to_owned());
        }
        let planned = operation.plan(dataset, &Means::default(), &Progress::silent()).map_err(say)?;
        if let Some(edit) = planned.edit {
            workspace.edit(&edit).map_err(say)?;
            note(err, &edit.words);
        }
    }
    Ok(!found.is_empty())
}
