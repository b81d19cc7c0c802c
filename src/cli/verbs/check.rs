//! What looks wrong in a dataset.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::Verb;
use crate::checks::label_errors::{Given, LabelMethod, LabelModel, LabelQuestion};
use crate::checks::{
    CHECKS, Check, CheckEntry, CheckInput, CheckOption, Finding, FindingKind, KINDS, KindEntry, Options, Scan, in_order,
};
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::{fallback_folder, open, read};
use crate::cli::options::{OptionLine, READING};
use crate::cli::said::{Done, note, print, print_json, say};
use crate::data::{Dataset, Property, SampleId, things};
use crate::derive::{Store, TextOf, embedding};
use crate::edit::project_path;
use crate::io;
use crate::job::Progress;
use crate::learn::confident::Score;
use crate::learn::dense::Dense;
use crate::operate::{CardWords, data_card, health_report, scan_pictures};
use crate::session::FoundProblems;
use crate::writing::Repair;

/// The command.
pub const VERB: Verb = Verb {
    name: "check",
    summary: "list what looks wrong, worst first",
    usage: "PATH [--only CHECK,…] [--label COL] [--text COL] [--json]",
    example: "lapidary check tickets.csv --only label_errors --label category --text text --json",
    options: &[
        &[
            ("--only", Some("CHECK,…"), "run these checks only, of those below"),
            ("--list", None, "list the checks, and what they find, instead"),
            (
                "--card",
                Some("FILE"),
                "write the dataset's card in Hugging Face's README form, with what was found as its known faults",
            ),
            ("--report", Some("FILE"), "write what was found as a page of HTML, or as Markdown where the name ends in .md"),
            ("--label", Some("COL"), "the label column (the first with that role)"),
            ("--text", Some("COL"), "the text to learn from (every column with that role)"),
            (
                "--method",
                Some("NAME"),
                "how labels are judged: noise_model (ours), or cleanlab's prune_by_noise_rate, prune_by_class, both, confident_learning, \
                     predicted_neq_given, low_self_confidence, low_normalized_margin",
            ),
            ("--score", Some("NAME"), "rank by self_confidence, normalized_margin or confidence_weighted_entropy"),
            (
                "--probabilities",
                Some("OF"),
                "out-of-sample probabilities instead of our own: the prefix of their columns, or a file with one column per class",
            ),
            (
                "--model",
                Some("DIR"),
                "a model folder instead of the built-in embedding: sentence-transformers for texts, CLIP or DINOv2 for images",
            ),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: Some(numbers),
    more: Some(checks),
    run: check,
};

fn check(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let only = match arguments.get("--only") {
        None => None,
        Some(names) => {
            let known = || CHECKS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
            let named = |name: &str| {
                CheckEntry::from_name(name).ok_or_else(|| format!("there is no check called {name:?}; there are: {}", known()))
            };
            Some(names.split(',').map(named).collect::<Result<Vec<_>, _>>()?)
        }
    };
    if arguments.has("--list") {
        return list(arguments.has("--json"), out).map(|()| false);
    }
    let (options, ask) = (moved(arguments)?, ask(arguments)?);
    let mut workspace = open(arguments)?;
    let dataset = &workspace.dataset().clone();
    let columns = CHECKS.iter().flat_map(|entry| entry.options).filter(|option| option.is_column());
    if let Some(name) =
        columns.map(|option| options.column(option)).find(|name| !name.is_empty() && dataset.field(name).is_none())
    {
        return Err(format!("there is no column called {name:?}"));
    }
    let wanted: Vec<&CheckEntry> = only.clone().unwrap_or_else(|| CHECKS.iter().filter(|entry| entry.fits(dataset)).collect());
    if wanted.iter().any(|entry| !entry.fits(dataset)) {
        return Err("there is no column of images to check: none names files that end in .png, .jpg, .webp, .gif, .bmp or .tiff"
            .to_owned());
    }
    let (mut findings, mut seconds) = (Vec::new(), Map::new());
    let took = |begun: Instant| json!((begun.elapsed().as_secs_f64() * 1e3).round() / 1e3);
    let mut scan = None;
    if let Some(field) = dataset.pictures()
        && wanted.iter().any(|entry| entry.of_images || entry.check == Check::LabelErrors)
    {
        let begun = Instant::now();
        scan = Some(seen(arguments, dataset, field)?);
        seconds.insert("looking".to_owned(), took(begun));
    }
    let input = CheckInput { dataset, scan: scan.as_ref(), store: workspace.derived() };
    for entry in wanted {
        let begun = Instant::now();
        findings.extend(match entry.run {
            Some(run) => run(&input, &options, &Progress::silent()).map_err(|_| "cancelled".to_owned())?,
            None => match labels(arguments, dataset, &ask, scan.as_ref()) {
                Ok(model) => model.findings(),
                // Not asked for by name, a dataset that has no labels is no mistake.
                Err(trouble) if only.is_none() && ask.label.is_none() && ask.text.is_none() => {
                    note(err, &format!("labels were not checked: {trouble}"));
                    Vec::new()
                }
                Err(trouble) => return Err(trouble),
            },
        });
        seconds.insert(entry.name.to_owned(), took(begun));
    }
    let findings = in_order(findings, dataset.rows());
    if only.is_none() && options == Options::default() {
        // What all checks find, asked as usual, is kept in the project: how it went since it began.
        let mut found = FoundProblems::of(findings.clone());
        found.checks = CHECKS.iter().filter(|entry| entry.fits(dataset) && entry.run.is_some()).map(|entry| entry.name).collect();
        workspace.set_findings(workspace.revision(), found);
    }
    if let Some(path) = arguments.get("--report") {
        let path = Path::new(path);
        let markdown = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md"));
        let page = health_report(dataset, &findings, &workspace.so_far(), markdown);
        io::write_beside(dataset, path, &page).map_err(say)?;
        note(err, &format!("{}: {}", path.display(), things(findings.len(), "finding", "findings")));
    }
    if let Some(path) = arguments.get("--card") {
        io::write_beside(
            dataset,
            Path::new(path),
            &data_card(dataset, &findings, &CardWords { made: workspace.history().told(), ..CardWords::default() }),
        )
        .map_err(say)?;
        note(err, &format!("{path}: fill in what stands in brackets"));
    }
    tell(&findings, &seconds, dataset, arguments.has("--json"), out)?;
    Ok(findings.iter().any(|finding| !is_fine(dataset, finding)))
}

/// Whether somebody said that this kind of finding is no problem in this column.
fn is_fine(dataset: &Dataset, finding: &Finding) -> bool {
    dataset.properties().get(Property::Fine, &[finding.kind.name(), &finding.column]).is_some()
}

/// What is seen of every picture, by the model that an option names.
fn seen(arguments: &Arguments, dataset: &Dataset, field: usize) -> Result<Scan, Failure> {
    let cancelled = |_| "cancelled".to_owned();
    let mut seen = scan_pictures(dataset, field, None, &Progress::silent()).map_err(cancelled)?;
    if let Some(folder) = arguments.get("--model") {
        let vectors = vision_vectors(arguments, dataset, field, folder)?;
        seen = seen.seen_by(dataset, &vectors, &Progress::silent()).map_err(cancelled)?;
        seen.appearance = vectors;
    }
    Ok(seen)
}

/// What the options move.
fn moved(arguments: &Arguments) -> Result<Options, Failure> {
    let mut options = Options::default();
    for option in CHECKS.iter().flat_map(|entry| entry.options) {
        if option.is_column() {
            options.set_column(option, arguments.get(option.flag).unwrap_or_default());
        } else if !option.choices.is_empty() {
            if let Some(name) = arguments.get(option.flag) {
                let place = option.choices.iter().position(|choice| *choice == name || choice.replace(' ', "_") == *name);
                let place = place.or_else(|| name.parse().ok().filter(|at| *at < option.choices.len()));
                let place = place.ok_or_else(|| format!("{} takes one of: {}", option.flag, option.choices.join(", ")))?;
                options.set(option, place as f64);
            }
        } else if let Some(value) = arguments.number::<f64>(option.flag)? {
            if !value.is_finite() || value < 0.0 || value == 0.0 && option.least > 0.0 {
                return Err(format!("{} takes a number above 0, usually {}", option.flag, option.usual));
            }
            options.set(option, value);
        }
    }
    Ok(options)
}

/// The numbers that can be moved, and the choices.
fn numbers() -> Vec<OptionLine> {
    let value = |option: &CheckOption| match option {
        option if option.is_column() => "COL",
        option if option.choices.is_empty() => "N",
        _ => "WHICH",
    };
    CHECKS.iter().flat_map(|entry| entry.options).map(|option| (option.flag, Some(value(option)), option.help)).collect()
}

/// The checks by name, with the kinds that each finds.
fn list(json: bool, out: &mut dyn Write) -> Done {
    let kinds = |entry: &CheckEntry| KINDS.iter().filter(|kind| kind.check == entry.check).collect::<Vec<_>>();
    if json {
        let kind = |kind: &KindEntry| json!({ "kind": kind.name, "title": kind.title, "means": kind.meaning, "repair": kind.kind.repair().map(Repair::name) });
        let list: Vec<Value> = CHECKS
            .iter()
            .map(|entry| json!({ "check": entry.name, "finds": entry.help, "kinds": kinds(entry).into_iter().map(kind).collect::<Vec<_>>() }))
            .collect();
        return print_json(out, &json!({ "checks": list }));
    }
    let mut text = String::new();
    for entry in &CHECKS {
        text.push_str(&format!("{:<18} {}\n", entry.name, entry.help));
        for kind in kinds(entry) {
            text.push_str(&format!("  {:<16} {}\n", kind.name, kind.meaning));
        }
    }
    print(out, &text)
}

/// The checks, and where their numbers stand, for the help.
fn checks() -> String {
    let mut text = "\nChecks, and the numbers that can be moved:\n".to_owned();
    for entry in &CHECKS {
        text.push_str(&format!("  {:<22} {}\n", entry.name, entry.help));
        for option in entry.options {
            let CheckOption { flag, least, most, usual, choices, .. } = option;
            if option.is_column() {
                text.push_str(&format!("    {flag:<20} a column\n"));
            } else if let Some(usual) = choices.get(*usual as usize) {
                text.push_str(&format!("    {flag:<20} {}; usually {usual}\n", choices.join(", ")));
            } else {
                text.push_str(&format!("    {flag:<20} {least} to {most}, usually {usual}\n"));
            }
        }
    }
    text
}

/// Prints what was found.
fn tell(findings: &[Finding], seconds: &Map<String, Value>, dataset: &Dataset, json: bool, out: &mut dyn Write) -> Done {
    let path = |id: SampleId| dataset.pictures().and_then(|field| dataset.text(field, id)).unwrap_or_default().into_owned();
    if json {
        let list: Vec<Value> = findings
            .iter()
            .map(|finding| {
                let rows: Vec<u32> = finding.samples.iter().map(|id| id.0).collect();
                let mut line = json!({
                    "check": finding.check.entry().name, "kind": finding.kind.title(), "name": finding.kind.name(), "rows": rows, "column": finding.column,
                    "severity": (finding.severity * 1e4).round() / 1e4, "gain": (finding.gain() * 1e4).round() / 1e4, "reason": finding.reason, "suggestion": finding.suggestion, "fine": is_fine(dataset, finding),
                });
                if !finding.alike.is_empty() {
                    let pair = |(a, b, like): &(SampleId, SampleId, f32)| json!([a.0, b.0, (f64::from(*like) * 1e6).round() / 1e6]);
                    line["pairs"] = finding.alike.iter().map(pair).collect::<Vec<_>>().into();
                }
                if finding.check.entry().of_images {
                    line["paths"] = finding.samples.iter().map(|id| path(*id)).collect::<Vec<_>>().into();
                }
                line
            })
            .collect();
        return print_json(out, &json!({ "findings": list, "seconds": seconds }));
    }
    let mut text = String::new();
    for finding in findings {
        let rows: Vec<String> = finding.samples.iter().take(5).map(|id| id.0.to_string()).collect();
        let more = if finding.samples.len() > 5 { " …" } else { "" };
        let mends = finding.suggestion.as_ref().filter(|_| finding.kind != FindingKind::Boilerplate);
        let suggestion = mends.map(|class| format!(" → {class}")).unwrap_or_default();
        text.push_str(&format!(
            "{:.2}  {}  {}{}{more}{suggestion}: {}\n",
            finding.severity,
            match finding.samples.first() {
                Some(first) if finding.check.entry().of_images => path(*first),
                _ => finding.column.clone(),
            },
            if rows.is_empty() { "the column" } else { "rows " },
            rows.join(","),
            finding.reason
        ));
    }
    print(out, &text)
}

/// What is asked of the labels.
fn ask(arguments: &Arguments) -> Result<LabelQuestion, Failure> {
    let named = |option: &str| arguments.get(option).map(ToOwned::to_owned);
    let method = match arguments.get("--method") {
        None => LabelMethod::default(),
        Some(name) => LabelMethod::from_name(name).ok_or_else(|| {
            format!(
                "there is no method called {name:?}; there are: {}",
                LabelMethod::all().map(LabelMethod::name).collect::<Vec<_>>().join(", ")
            )
        })?,
    };
    let score = match arguments.get("--score") {
        None => None,
        Some(name) => Some(Score::from_name(name).ok_or_else(|| {
            format!("there is no score called {name:?}; there are: {}", Score::ALL.map(Score::name).join(", "))
        })?),
    };
    Ok(LabelQuestion { label: named("--label"), text: named("--text"), method, score })
}

/// The project beside which a model's vectors are kept.
fn vectors_cache(arguments: &Arguments, dataset: &Dataset) -> Option<PathBuf> {
    let (project, _) = project_path(&dataset.base.origin.path, fallback_folder().as_deref());
    (!arguments.has("--no-project")).then_some(project)
}

fn vision_vectors(arguments: &Arguments, dataset: &Dataset, field: usize, folder: &str) -> Result<Arc<Dense>, Failure> {
    let cache = vectors_cache(arguments, dataset);
    Ok(Arc::new(io::embed_pictures(dataset, field, Path::new(folder), cache.as_deref(), &Progress::silent()).map_err(say)?))
}

/// Learns the labels from the text, or takes somebody else's probabilities.
fn labels(arguments: &Arguments, dataset: &Dataset, ask: &LabelQuestion, scan: Option<&Scan>) -> Result<LabelModel, Failure> {
    let progress = Progress::silent();
    if let Some(of) = arguments.get("--probabilities") {
        let path = Path::new(of);
        let given = if path.exists() {
            Given::from_columns(&read(path, &io::Reading::default())?, dataset, ask, "")
        } else {
            Given::from_columns(dataset, dataset, ask, of)
        };
        return LabelModel::from_probabilities(dataset, ask, &given.map_err(say)?, &progress).map_err(say);
    }
    if let Some(scan) = scan {
        // A model's own vectors are told apart along straight lines.
        let bent = !arguments.has("--model");
        return LabelModel::fit_pictures(dataset, ask, Arc::clone(&scan.appearance), bent, &progress).map_err(say);
    }
    let text = TextOf::of(dataset, ask.text.as_deref()).map_err(say)?;
    let meaning = arguments.get("--model").map_or(io::Meaning::BuiltIn, |folder| io::Meaning::Folder(folder.into()));
    let cache = vectors_cache(arguments, dataset);
    let dense = embedding(dataset, &text, &meaning, &Store::default(), cache.as_deref(), &progress).map_err(say)?;
    LabelModel::fit(dataset, ask, dense, &progress).map_err(say)
}
