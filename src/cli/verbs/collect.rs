//! Several sources as one dataset: a list of them is written, with what their columns and classes are called.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::read;
use crate::cli::options::READING;
use crate::cli::said::{note, print, print_json, say};
use crate::collect::{AlignmentProposal, accept_alignment, propose_alignment, source_overlap};
use crate::data::{Dataset, count_samples, things};
use crate::io::{self, Reading, SourcesFile, read_sources, write_sources};
use crate::job::Progress;

/// The command.
pub const VERB: Verb = Verb {
    name: "collect",
    summary: "make one dataset of several files, folders, sheets, patterns or databases: writes a list of them that opens like any dataset, and says which columns and classes could be joined",
    usage: "SOURCE … -o NAME.sources.json [--accept]",
    example: "lapidary collect tickets/*.csv faq.xlsx bank77/ postgresql://reader@localhost/support -o all.sources.json --accept",
    options: &[
        &[
            (
                "-o",
                Some("LIST"),
                "the list: written, or added to where it is there (sources that it has already stay as they are)",
            ),
            ("--accept", None, "join the columns and classes that are proposed"),
            (
                "--column",
                Some("ID:FROM=TO"),
                "what a source's column is called in the dataset; nothing behind the sign leaves it out (again for more)",
            ),
            ("--class", Some("ID:COLUMN:FROM=TO"), "what a source's class is called in the dataset's column (again for more)"),
            ("--query", Some("SQL"), "what the databases that are named are asked, instead of a whole table (--sheet)"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the sources…"],
    also: None,
    more: None,
    run,
};

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let path = arguments.need_path("-o")?;
    let mut list = if path.exists() { read_sources(path).map_err(say)? } else { SourcesFile::default() };
    let reading = arguments.reading()?;
    let root = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let given = arguments.before.iter().chain([&arguments.path]).filter(|source| !source.as_os_str().is_empty());
    for source in given {
        let named = io::path_from(root, source);
        if list.sources.iter().any(|known| known.read == named) {
            note(err, &format!("{named} is in the list already"));
            continue;
        }
        // A reading that is asked for is of the sources that are added now.
        let id = list.add(&named, &Reading { ..reading.clone() });
        if io::is_address(&named) {
            let address = io::DatabaseAddress::parse(&named)?;
            let entry = list.sources.iter_mut().find(|entry| entry.id == id);
            let asked = entry.and_then(|entry| {
                entry.options.query = arguments.get("--query").map(ToOwned::to_owned);
                entry.connection()
            });
            // Whoever types an address has named it.
            io::allow_connection(&io::connection_line(&address, &asked.unwrap_or_default()));
        }
    }
    if list.sources.is_empty() {
        return Err("which sources? Name files, folders or patterns".to_owned());
    }
    said(arguments, &mut list)?;
    // It is tried before it stands: a list that does not open helps nobody.
    let tried = tempfile::Builder::new().prefix(".trying").suffix(".sources.json").tempfile_in(root).map_err(say)?;
    let open = |list: &SourcesFile| -> Result<Dataset, Failure> {
        write_sources(tried.path(), list).map_err(say)?;
        read(tried.path(), &Reading::default())
            .map_err(|why| why.replace(&tried.path().display().to_string(), &path.display().to_string()))
    };
    let mut dataset = open(&list)?;
    let mut proposals = propose_alignment(&dataset, &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    let (mut taken, mut joined) = (0, Vec::new());
    if arguments.has("--accept") {
        joined = proposals.iter().filter_map(done).collect::<Vec<_>>();
        taken = accept_alignment(&mut list, &proposals);
        dataset = open(&list)?;
        proposals = propose_alignment(&dataset, &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    }
    write_sources(path, &list).map_err(say)?;
    let overlap = source_overlap(&dataset, &Progress::silent()).map_err(|_| "cancelled".to_owned())?.unwrap_or_default();
    if arguments.has("--json") {
        let sources: Vec<Value> = dataset.base.sources.iter().map(|source| json!({
            "id": source.id, "read": source.read, "format": source.format, "layout": source.layout, "files": source.files, "rows": source.rows, "warnings": source.warnings,
            "columns": source.columns.iter().map(|column| json!({"name": column.name, "to": column.to, "type": column.kind.name()})).collect::<Vec<_>>(),
        })).collect();
        let proposals: Vec<Value> = proposals.iter().map(value).collect();
        return print_json(out, &json!({"rows": dataset.rows(), "sources": sources, "accepted": taken, "proposals": proposals, "overlap": overlap.of, "leaks": overlap.leaks}))
            .map(|()| false);
    }
    let mut text = format!(
        "{}: {} of {}\n",
        path.display(),
        count_samples(dataset.rows()),
        things(dataset.base.sources.len(), "source", "sources")
    );
    for source in &dataset.base.sources {
        let files = if source.files > 1 { format!(" in {} files", source.files) } else { String::new() };
        text.push_str(&format!("  {}: {}{files}, {}\n", source.id, count_samples(source.rows), source.format));
    }
    if taken > 0 {
        text.push_str(&format!("{} joined\n", things(taken, "column or class was", "columns and classes were")));
        joined.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    for (at, source) in dataset.base.sources.iter().enumerate().filter(|(at, _)| *at < overlap.of.len()) {
        for (other, n) in overlap.of[at].iter().enumerate().filter(|(other, n)| *other != at && **n > 0) {
            text.push_str(&format!(
                "{} in {}, too\n",
                things(*n, &format!("sample of {} stands", source.id), &format!("samples of {} stand", source.id)),
                dataset.base.sources[other].id
            ));
        }
        if overlap.leaks[at] > 0 {
            text.push_str(&format!(
                "{} of {} of a test part, and in the train part of another source\n",
                count_samples(overlap.leaks[at]),
                source.id
            ));
        }
    }
    for proposal in &proposals {
        text.push_str(&format!("{}\n", words(proposal)));
    }
    if proposals.iter().any(|proposal| !matches!(proposal, AlignmentProposal::Numbers { .. })) {
        text.push_str("Nothing of this is joined yet: --accept does\n");
    }
    print(out, &text).map(|()| false)
}

/// What is said of columns and classes by options.
fn said(arguments: &Arguments, list: &mut SourcesFile) -> Result<(), Failure> {
    for (from, to) in arguments.pairs("--column")? {
        let (id, name) = from.split_once(':').ok_or_else(|| format!("--column takes ID:FROM=TO, not {from:?}"))?;
        let ids: Vec<String> = list.sources.iter().map(|source| source.id.clone()).collect();
        let source = list.sources.iter_mut().find(|source| source.id == id);
        let source = source.ok_or_else(|| format!("there is no source {id:?}; there are {}", ids.join(", ")))?;
        source.columns.insert(name.to_owned(), (!to.is_empty()).then(|| to.to_owned()));
    }
    for (from, to) in arguments.pairs("--class")? {
        let mut parts = from.splitn(3, ':');
        let (Some(id), Some(column), Some(class)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("--class takes ID:COLUMN:FROM=TO, not {from:?}"));
        };
        let source =
            list.sources.iter_mut().find(|source| source.id == id).ok_or_else(|| format!("there is no source {id:?}"))?;
        source.classes.entry(column.to_owned()).or_default().insert(class.to_owned(), to.to_owned());
    }
    Ok(())
}

/// What was done of a proposal that was taken; numbers are for somebody to decide.
fn done(proposal: &AlignmentProposal) -> Option<String> {
    match proposal {
        AlignmentProposal::Column { source, from, to, why } => Some(format!("{from:?} of {source} is {to:?}: {}", why.words())),
        AlignmentProposal::Class { source, column, from, to } => {
            Some(format!("the class {from:?} of {source} is {to:?} in {column:?}"))
        }
        AlignmentProposal::Numbers { .. } => None,
    }
}

fn words(proposal: &AlignmentProposal) -> String {
    match proposal {
        AlignmentProposal::Column { source, from, to, why } => format!("{from:?} of {source} could be {to:?}: {}", why.words()),
        AlignmentProposal::Class { source, column, from, to } => {
            format!("the class {from:?} of {source} could be {to:?} in {column:?}")
        }
        AlignmentProposal::Numbers { source, column, numbers, names } => format!(
            "{column:?} of {source} holds numbers ({}), and names elsewhere ({}): which is which, --class {source}:{column}:{}={} says",
            numbers.iter().take(5).cloned().collect::<Vec<_>>().join(", "),
            names.iter().take(5).cloned().collect::<Vec<_>>().join(", "),
            numbers.first().map_or("0", String::as_str),
            names.first().map_or("name", String::as_str),
        ),
    }
}

fn value(proposal: &AlignmentProposal) -> Value {
    match proposal {
        AlignmentProposal::Column { source, from, to, why } => {
            json!({"column": {"source": source, "from": from, "to": to, "why": why.words()}})
        }
        AlignmentProposal::Class { source, column, from, to } => {
            json!({"class": {"source": source, "column": column, "from": from, "to": to}})
        }
        AlignmentProposal::Numbers { source, column, numbers, names } => {
            json!({"numbers": {"source": source, "column": column, "numbers": numbers, "names": names}})
        }
    }
}
