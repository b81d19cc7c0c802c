//! What of a dataset stands in somebody's test texts, too; and packs of test texts without a word of theirs.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::{open, read};
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print, print_json, say};
use crate::data::{SampleId, count, things};
use crate::derive::TextOf;
use crate::io::{self, Reading};
use crate::job::Progress;
use crate::learn::contamination::{Contaminated, Fingerprints};
use crate::operate::{Means, Operation};

/// Words in a run.
const USUAL: usize = 13;

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
    takes_recipe: false,
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
    takes_recipe: false,
    also: None,
    more: None,
    run: |arguments, _, err| fingerprint(arguments, err).map(|()| false),
};

/// A pack, as it is written.
#[derive(Serialize, Deserialize)]
struct Pack {
    lapidary_fingerprints: u32,
    #[serde(flatten)]
    prints: Fingerprints,
}

fn ngram(arguments: &Arguments) -> Result<usize, Failure> {
    match arguments.number::<usize>("--ngram")? {
        Some(0) => Err("--ngram takes a number above 0".to_owned()),
        n => Ok(n.unwrap_or(USUAL)),
    }
}

fn fingerprint(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let path = arguments.need_path("-o")?;
    let workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let text = TextOf::of(dataset, arguments.get("--text")).map_err(say)?;
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    let read = |at: usize| text.read(dataset, ids[at]);
    let prints =
        Fingerprints::of(ids.len(), ngram(arguments)?, &read, &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    let pack = serde_json::to_string(&Pack { lapidary_fingerprints: 1, prints }).map_err(|error| error.to_string())?;
    io::write_small(Path::new(&path), &pack).map_err(say)?;
    note(err, &format!("{}: {}", Path::new(&path).display(), things(ids.len(), "text", "texts")));
    Ok(())
}

/// The test texts: a pack, or a dataset.
fn prints(arguments: &Arguments, n: usize) -> Result<Fingerprints, Failure> {
    let path = arguments.get("--with").ok_or("which test texts? --with takes a dataset, or a pack that fingerprint has made")?;
    if let Ok(text) = io::read_text(Path::new(path), 1 << 30)
        && text.starts_with("{\"lapidary_fingerprints\"")
    {
        let pack: Pack = serde_json::from_str(&text).map_err(|error| format!("{path} is torn: {error}"))?;
        if arguments.get("--ngram").is_some() && pack.prints.n != n {
            return Err(format!("{path} was made of runs of {} words: leave --ngram out", pack.prints.n));
        }
        return Ok(pack.prints);
    }
    let other = read(Path::new(path), &Reading::default())?;
    let named = arguments.get("--text").filter(|name| other.field(name).is_some());
    let text = TextOf::of(&other, named).map_err(say)?;
    let read = |row: usize| text.read(&other, SampleId::at(row));
    Fingerprints::of(other.rows(), n, &read, &Progress::silent()).map_err(|_| "cancelled".to_owned())
}

fn look(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let prints = prints(arguments, ngram(arguments)?)?;
    let least = arguments.number::<f64>("--cover")?.unwrap_or(0.0);
    let mut workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let text = TextOf::of(dataset, arguments.get("--text")).map_err(say)?;
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    let read = |at: usize| text.read(dataset, ids[at]);
    let mut found = prints.found_in(ids.len(), &read, &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    let share = |one: &Contaminated| f64::from(one.covered) / f64::from(one.words.max(1));
    found.retain(|one| share(one) >= least);
    let samples: Vec<SampleId> = found.iter().map(|one| ids[one.row as usize]).collect();
    if arguments.has("--json") {
        let list: Vec<_> = found
            .iter()
            .map(|one| {
                json!({
                    "row": ids[one.row as usize].0, "test": one.test, "shared": one.shared, "of": one.of,
                    "covered": one.covered, "words": one.words,
                })
            })
            .collect();
        print_json(out, &json!({ "ngram": prints.n, "tests": prints.sizes.len(), "rows": ids.len(), "found": list }))?;
    } else {
        let mut lines = String::new();
        for one in &found {
            lines.push_str(&format!(
                "row {}  test {}  {} of {} runs  {:.0} % of its words\n",
                ids[one.row as usize].0,
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
                count(ids.len()),
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
