//! What each command does: open, say actions to the workspace, print.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::Failure;
use super::arguments::{Arguments, rows};
use super::verbs::Verb;
use crate::checks::label_errors::{Ask, Given, LabelModel, Method as LabelMethod};
use crate::checks::{Check, Scan, Thresholds, image_findings, outliers};
use crate::data::{Dataset, Format, Kind, Role, SampleId};
use crate::derive::{Store, TextOf, embedding};
use crate::edit::{Stored, adopt, orphans, project_exists, project_path, recover};
use crate::io::{self, ImageTarget, Layout, Rows, Target, Transfer};
use crate::job::{Progress, guarded};
use crate::learn::confident::Score;
use crate::learn::dense::Dense;
use crate::operate::{Means, Operation};
use crate::transform::{HashOf, Method, Split};
use crate::workspace::{Workspace, copies, scan_pictures, stored_reading};

pub(super) type Done = Result<(), Failure>;

/// Runs `verb`. Says whether something was found: checks do.
///
/// # Errors
/// One line for the user.
pub fn run(verb: Verb, arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    if let Some(gib) = arguments.number::<f64>("--max-memory")? {
        if gib.is_nan() || gib <= 0.0 {
            return Err("--max-memory takes a number of GiB above 0".to_owned());
        }
        io::set_max_memory((gib * f64::from(1 << 30)) as u64);
    }
    // What a save that was killed left beside the dataset.
    let beside = arguments.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    io::remove_torn(beside);
    match verb {
        Verb::Check => return check(arguments, out, err),
        Verb::Run => return super::recipes::run(arguments, err),
        Verb::Recipe => super::recipes::recipe(arguments, out, err),
        Verb::Info => info(arguments, out, err),
        Verb::Augment => super::making::augment(arguments, err),
        Verb::Balance => super::making::balance(arguments, out, err),
        Verb::Split => split(arguments, err),
        Verb::Relabel => relabel(arguments, err),
        Verb::Undo => step(arguments, err, "undone", Workspace::undo),
        Verb::Redo => step(arguments, err, "done again", Workspace::redo),
        Verb::Export => export(arguments, err),
        Verb::History => history(arguments, out),
        Verb::Carry => carry(arguments, err),
        Verb::Recover => rescue(arguments, err),
    }?;
    Ok(false)
}

/// The folder for projects whose source's folder cannot be written.
pub fn fallback_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .or_else(|| set("LOCALAPPDATA"))
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("lapidary/projects"))
}

pub(super) fn say(error: impl std::fmt::Display) -> Failure {
    error.to_string()
}

fn read(path: &Path, reading: &io::Reading) -> Result<Dataset, Failure> {
    guarded(|| io::open(path, reading, &Progress::silent(), &|_| {}))
        .map_err(|panic| format!("{} cannot be read: {panic}", path.display()))?
        .map_err(say)
}

pub(super) fn open_as_it_is(arguments: &Arguments) -> Result<Workspace, Failure> {
    let reading = arguments.reading()?;
    let dataset = read(&arguments.path, &reading)?;
    assuming(Workspace::without_project(dataset, reading, fallback_folder().as_deref()), arguments)
}

/// Opens the dataset with the edits of its project, unless they are to be left out.
pub(super) fn open(arguments: &Arguments) -> Result<Workspace, Failure> {
    let fallback = fallback_folder();
    let mut reading = arguments.reading()?;
    if arguments.has("--no-project") {
        return open_as_it_is(arguments);
    }
    if !arguments.path.exists() {
        return Err(format!("{} cannot be read: there is no such file", arguments.path.display()));
    }
    if let Some(stored) = stored_reading(&io::dataset_path(&arguments.path), fallback.as_deref()).map_err(say)?
        && reading == io::Reading::default()
    {
        reading = stored;
    }
    let dataset = read(&arguments.path, &reading)?;
    assuming(Workspace::open(dataset, reading, fallback.as_deref()).map_err(say)?, arguments)
}

/// The workspace with roles and kinds as the options say, for this run.
fn assuming(mut workspace: Workspace, arguments: &Arguments) -> Result<Workspace, Failure> {
    for (column, kind) in arguments.pairs("--kind")? {
        let named = Kind::from_name(kind).filter(|kind| !kind.is_nested() && *kind != Kind::Time);
        let kind = named.ok_or_else(|| format!("--kind {kind:?} is none of text, integer, number, decimal comma, boolean"))?;
        workspace.assume_kind(column, kind).map_err(say)?;
    }
    for (column, role) in arguments.pairs("--role")? {
        let names = || Role::ALL.map(|role| role.to_string()).join(", ");
        let role = Role::from_name(role).ok_or_else(|| format!("--role {role:?} is none of {}", names()))?;
        workspace.assume_role(column, role).map_err(say)?;
    }
    Ok(workspace)
}

pub(super) fn print(out: &mut dyn Write, text: &str) -> Done {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads us may stop reading: that is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("the output could not be written: {error}")),
        _ => Ok(()),
    }
}

pub(super) fn print_json(out: &mut dyn Write, value: &Value) -> Done {
    print(out, &format!("{value:#}\n"))
}

pub(super) fn note(err: &mut dyn Write, text: &str) {
    // Nobody may be listening to standard error; there is nowhere else to say so.
    let _ = writeln!(err, "{text}");
}

fn info(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let mut workspace = open(arguments)?;
    workspace.mended().into_iter().chain(workspace.renewed()).for_each(|words| note(err, words));
    workspace.read_classes(&Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    let dataset = workspace.dataset();
    let mut classes = Map::new();
    for field in dataset.fields() {
        if let Some(index) = workspace.classes(&field.name) {
            let counts = index.names().iter().zip(index.counts()).filter(|(_, count)| **count > 0);
            classes.insert(
                field.name.to_string(),
                counts.map(|(name, count)| (name.to_string(), json!(count))).collect::<Map<_, _>>().into(),
            );
        }
    }
    let origin = &dataset.base.origin;
    if arguments.has("--json") {
        let columns: Vec<Value> = dataset
            .fields()
            .iter()
            .map(|field| json!({"name": *field.name, "type": field.kind.name(), "role": field.role.to_string()}))
            .collect();
        let warnings: Vec<Value> =
            dataset.base.warnings.iter().map(|warning| json!({"line": warning.line, "reason": warning.reason})).collect();
        return print_json(
            out,
            &json!({
                "rows": dataset.rows(), "columns": columns, "classes": classes, "encoding": origin.encoding, "warnings": warnings,
                "format": origin.format.title(), "excluded": dataset.excluded().len(), "edits": workspace.history().depth(),
            }),
        );
    }
    let mut text = format!("{} samples, {}, {}\n", dataset.rows(), origin.format.title(), origin.encoding);
    for field in dataset.fields() {
        text.push_str(&format!("  {:<24} {:<8} {}\n", field.name, field.kind.name(), field.role));
    }
    for (column, counts) in &classes {
        let counts = counts.as_object().map(Map::len).unwrap_or_default();
        text.push_str(&format!("{column}: {counts} classes\n"));
    }
    for warning in &dataset.base.warnings {
        let line = if warning.line > 0 { format!("line {}: ", warning.line) } else { String::new() };
        text.push_str(&format!("{line}{}\n", warning.reason));
    }
    print(out, &text)
}

fn check(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let only = match arguments.get("--only") {
        None => None,
        Some(names) => {
            let named = |name: &str| {
                Check::from_name(name).ok_or_else(|| format!("there is no check called {name:?}; there are: {}", Check::names()))
            };
            Some(names.split(',').map(named).collect::<Result<Vec<_>, _>>()?)
        }
    };
    let usual = Thresholds::default();
    let thresholds = Thresholds {
        z: arguments.number("--z")?.unwrap_or(usual.z),
        fence: arguments.number("--fence")?.unwrap_or(usual.fence),
        rare: arguments.number("--rare")?.unwrap_or(usual.rare),
        images: usual.images,
    };
    if [thresholds.z, thresholds.fence, thresholds.rare].iter().any(|value| !value.is_finite() || *value <= 0.0) {
        return Err("thresholds are numbers above 0".to_owned());
    }
    let ask = ask(arguments)?;
    let workspace = open(arguments)?;
    let (mut findings, mut seconds) = (Vec::new(), Map::new());
    let wanted = only.clone().unwrap_or_else(|| Check::ALL.to_vec());
    let mut scan = None;
    if let Some(field) = workspace.dataset().pictures()
        && (wanted.iter().any(|check| check.is_of_images()) || wanted.contains(&Check::LabelErrors))
    {
        let begun = Instant::now();
        let cancelled = |_| "cancelled".to_owned();
        let dataset = workspace.dataset();
        let mut seen = scan_pictures(dataset, field, None, &Progress::silent()).map_err(cancelled)?;
        if let Some(folder) = arguments.get("--model") {
            let vectors = vision_vectors(arguments, dataset, field, folder)?;
            seen = seen.seen_by(dataset, &vectors, &Progress::silent()).map_err(cancelled)?;
            seen.appearance = vectors;
        }
        scan = Some(seen);
        seconds.insert("looking".to_owned(), json!((begun.elapsed().as_secs_f64() * 1e3).round() / 1e3));
    } else if only.as_ref().is_some_and(|only| only.iter().any(|check| check.is_of_images())) {
        return Err("there is no column of images to check: none names files that end in .png, .jpg, .webp, .gif, .bmp or .tiff"
            .to_owned());
    }
    let of_images = match &scan {
        Some(scan) => image_findings(workspace.dataset(), scan, &thresholds.images, &Progress::silent())
            .map_err(|_| "cancelled".to_owned())?,
        None => Vec::new(),
    };
    for check in wanted {
        let begun = Instant::now();
        findings.extend(match check {
            Check::Outliers => {
                outliers(workspace.dataset(), &thresholds, &Progress::silent()).map_err(|_| "cancelled".to_owned())?
            }
            Check::Images | Check::ImageCopies | Check::ImageOutliers => {
                of_images.iter().filter(|finding| finding.check == check).cloned().collect()
            }
            Check::LabelErrors => match labels(arguments, workspace.dataset(), &ask, scan.as_ref()) {
                Ok(model) => model.findings(),
                // Not asked for by name, a dataset that has no labels is no mistake.
                Err(trouble) if only.is_none() && ask.label.is_none() && ask.text.is_none() => {
                    note(err, &format!("labels were not checked: {trouble}"));
                    Vec::new()
                }
                Err(trouble) => return Err(trouble),
            },
        });
        seconds.insert(check.name().to_owned(), json!((begun.elapsed().as_secs_f64() * 1e3).round() / 1e3));
    }
    findings.sort_by(|a, b| b.severity.total_cmp(&a.severity));
    let dataset = workspace.dataset();
    let path = |id: SampleId| dataset.pictures().and_then(|field| dataset.text(field, id)).unwrap_or_default().into_owned();
    if arguments.has("--json") {
        let list: Vec<Value> = findings
            .iter()
            .map(|finding| {
                let rows: Vec<u32> = finding.samples.iter().map(|id| id.0).collect();
                let mut line = json!({
                    "check": finding.check.name(), "kind": finding.kind.title(), "rows": rows, "column": finding.column,
                    "severity": (finding.severity * 1e4).round() / 1e4, "reason": finding.reason, "suggestion": finding.suggestion,
                });
                if finding.check.is_of_images() {
                    line["paths"] = finding.samples.iter().map(|id| path(*id)).collect::<Vec<_>>().into();
                }
                line
            })
            .collect();
        print_json(out, &json!({ "findings": list, "seconds": seconds }))?;
        return Ok(!findings.is_empty());
    }
    let mut text = String::new();
    for finding in &findings {
        let rows: Vec<String> = finding.samples.iter().take(5).map(|id| id.0.to_string()).collect();
        let more = if finding.samples.len() > 5 { " …" } else { "" };
        let suggestion = finding.suggestion.as_ref().map(|class| format!(" → {class}")).unwrap_or_default();
        text.push_str(&format!(
            "{:.2}  {}  rows {}{more}{suggestion}: {}\n",
            finding.severity,
            if finding.check.is_of_images() { path(finding.samples[0]) } else { finding.column.clone() },
            rows.join(","),
            finding.reason
        ));
    }
    print(out, &text)?;
    Ok(!findings.is_empty())
}

/// What is asked of the labels.
fn ask(arguments: &Arguments) -> Result<Ask, Failure> {
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
    Ok(Ask { label: named("--label"), text: named("--text"), method, score })
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
fn labels(arguments: &Arguments, dataset: &Dataset, ask: &Ask, scan: Option<&Scan>) -> Result<LabelModel, Failure> {
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

fn split(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let column = |name: &str| arguments.get(name).map(ToOwned::to_owned);
    let method = match (column("--stratify"), column("--group"), column("--time"), column("--hash")) {
        (None, None, None, None) => Method::Random,
        (Some(label), None, None, None) => Method::Stratified { label },
        (None, Some(group), None, None) => Method::Group { group },
        (Some(label), Some(group), None, None) => Method::StratifiedGroup { label, group },
        (None, None, Some(time), None) => Method::Time { time },
        (None, None, None, Some(of)) => Method::Hash(if of == "content" { HashOf::Content } else { HashOf::Column(of) }),
        _ => return Err("--time and --hash go with nothing else; --stratify and --group go together".to_owned()),
    };
    let seed = arguments.number("--seed")?.unwrap_or(42);
    let folder = arguments.need_path("-o")?.to_owned();
    let together = match arguments.get("--copies") {
        None | Some("together") => true,
        Some("apart") => false,
        Some(other) => return Err(format!("--copies takes together or apart, not {other:?}")),
    };
    let wanted = match (arguments.get("--ratios"), arguments.number::<usize>("--folds")?) {
        (Some(_), Some(_)) => return Err("--ratios or --folds, not both".to_owned()),
        (None, Some(k)) if (2..=1_000).contains(&k) => Split::folds(method, k, seed),
        (None, Some(_)) => return Err("--folds takes a number from 2 to 1,000".to_owned()),
        (None, None) => return Err("--ratios is missing".to_owned()),
        (Some(text), None) => {
            let shares: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
            let shares = shares.filter(|shares| (2..=3).contains(&shares.len()));
            Split::named(
                method,
                &shares.ok_or_else(|| format!("--ratios takes two or three numbers like 80,10,10, not {text:?}"))?,
                seed,
            )
        }
    };
    let workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let copies = copies(dataset, workspace.derived(), &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    let plan = Split { together, ..wanted }.plan(dataset, Option::as_ref(&copies), &Progress::silent()).map_err(say)?;
    let told = |err: &mut dyn Write| {
        plan.notes.iter().for_each(|text| note(err, text));
        if let Some(n) = plan.copies {
            note(err, &format!("{n} copies across parts"));
        }
        note(err, &format!("seed {seed}"));
    };
    let origin = &dataset.base.origin;
    if let Some(target) = image_target(arguments, dataset, &folder)? {
        let parts: Vec<(String, Rows)> = plan
            .names
            .iter()
            .enumerate()
            .map(|(part, name)| (name.replace(' ', "_"), Rows::These(plan.family(dataset, part))))
            .collect();
        let report = io::export_images(dataset, &parts, &target, &Progress::silent()).map_err(say)?;
        for (name, rows) in &parts {
            note(err, &format!("{}: {} samples", target.folder.join(name).display(), rows.ids(dataset).len()));
        }
        report.notes.iter().for_each(|text| note(err, text));
        told(err);
        return Ok(());
    }
    let target = |name: &String| Target {
        path: folder.join(io::compressed_name(&name.replace(' ', "_"), origin.format, origin.packing)),
        format: origin.format,
        packing: origin.packing,
        own_columns: false,
        utf8: false,
        safe: arguments.has("--safe-for-spreadsheets"),
    };
    let list: Vec<(Rows, Target)> =
        plan.names.iter().enumerate().map(|(part, name)| (Rows::These(plan.family(dataset, part)), target(name))).collect();
    let reports = io::export_parts(dataset, &list, &Progress::silent()).map_err(say)?;
    for ((_, target), report) in list.iter().zip(&reports) {
        note(err, &format!("{}: {} samples", target.path.display(), report.rows));
    }
    // What is true of all of them is said once.
    let mut said: Vec<&String> = Vec::new();
    for text in reports.iter().flat_map(|report| &report.notes) {
        if !said.contains(&text) {
            note(err, text);
            said.push(text);
        }
    }
    told(err);
    Ok(())
}

/// How images are to be saved as folders; `None` where a table is meant.
fn image_target(arguments: &Arguments, dataset: &Dataset, folder: &Path) -> Result<Option<ImageTarget>, Failure> {
    let layout = match arguments.get("--images") {
        Some("classes") => Layout::Classes,
        Some("paths") => Layout::Paths,
        Some(other) => return Err(format!("--images takes classes or paths, not {other:?}")),
        None if !dataset.base.origin.format.is_of_images() => return Ok(None),
        None if dataset.with_role(Role::is_label).is_some() => Layout::Classes,
        None => Layout::Paths,
    };
    let transfer = if arguments.has("--link") { Transfer::Link } else { Transfer::Copy };
    Ok(Some(ImageTarget { folder: folder.to_owned(), layout, transfer }))
}

fn relabel(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let rows = rows(arguments.need("--rows")?)?;
    let (column, to) = (arguments.need("--column")?, arguments.need("--to")?);
    if arguments.has("--no-project") {
        return Err("an edit needs the project; leave --no-project out".to_owned());
    }
    let mut workspace = open(arguments)?;
    if workspace.dataset().field(column).is_none() {
        return Err(say(crate::edit::EditError::Column(column.to_owned())));
    }
    let samples = rows.into_iter().map(SampleId).collect();
    let operation = Operation::SetCells { samples, column: column.to_owned(), text: to.to_owned(), review: false };
    let planned = operation.plan(workspace.dataset(), &Means::default(), &Progress::silent()).map_err(say)?;
    let Some(edit) = planned.edit else {
        note(err, &format!("nothing to do: these samples have {column} {to:?} already"));
        return Ok(());
    };
    workspace.edit(&edit).map_err(say)?;
    let (project, elsewhere) = workspace.project();
    note(err, &edit.words);
    if elsewhere {
        note(err, &format!("the dataset's folder cannot be written: the project is {}", project.display()));
    }
    Ok(())
}

fn step(
    arguments: &Arguments,
    err: &mut dyn Write,
    done: &str,
    step: fn(&mut Workspace) -> Result<String, crate::edit::EditError>,
) -> Done {
    let mut workspace = open(arguments)?;
    let words = step(&mut workspace).map_err(say)?;
    note(err, &format!("{done}: {words}"));
    Ok(())
}

fn export(arguments: &Arguments, err: &mut dyn Write) -> Done {
    arguments.need_path("-o")?;
    let workspace = open(arguments)?;
    save(arguments, workspace.dataset(), err)
}

/// Saves a dataset to where `-o` says, as the other options say.
pub(super) fn save(arguments: &Arguments, dataset: &Dataset, err: &mut dyn Write) -> Done {
    let path = arguments.need_path("-o")?.to_owned();
    let (named, packing) = io::format_to_save(&path, dataset.base.origin.format);
    let format = match arguments.get("--format") {
        Some(name) => Format::TABLES
            .into_iter()
            .find(|format| format.ending() == name || format.title().eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                format!("there is no format called {name:?}; there are csv, tsv, json, jsonl, parquet, arrow, arrows")
            })?,
        // What promises nothing keeps the source's format; so does `.txt`, which CSV files are often called.
        None => named.unwrap_or(dataset.base.origin.format),
    };
    let rows = if arguments.has("--with-excluded") { Rows::All } else { Rows::Kept };
    let table = named.is_some() || arguments.has("--format");
    let images = if arguments.has("--images") || !table { image_target(arguments, dataset, &path)? } else { None };
    if let Some(target) = images {
        let report = io::export_images(dataset, &[(String::new(), rows)], &target, &Progress::silent()).map_err(say)?;
        note(err, &format!("{}: {} samples, {} bytes", target.folder.display(), report.rows, report.bytes));
        report.notes.iter().for_each(|text| note(err, text));
        return Ok(());
    }
    let target = Target {
        path,
        format,
        packing,
        own_columns: arguments.has("--own-columns"),
        utf8: arguments.has("--utf8"),
        safe: arguments.has("--safe-for-spreadsheets"),
    };
    let report = guarded(|| io::export(dataset, &rows, &target, &Progress::silent())).map_err(say)?.map_err(say)?;
    note(err, &format!("{}: {} samples, {} bytes", target.path.display(), report.rows, report.bytes));
    report.notes.iter().for_each(|text| note(err, text));
    Ok(())
}

fn history(arguments: &Arguments, out: &mut dyn Write) -> Done {
    let workspace = open(arguments)?;
    let history = workspace.history();
    let line = history.line(history.head());
    if arguments.has("--json") {
        let edits: Vec<Value> = history
            .nodes()
            .iter()
            .map(|node| {
                json!({"id": node.id, "parent": node.parent, "time": node.at, "words": node.words, "samples": node.count, "applied": line.contains(&node.id)})
            })
            .collect();
        return print_json(out, &json!({ "head": history.head(), "edits": edits }));
    }
    let mut text = String::new();
    for node in history.nodes() {
        let mark = if line.contains(&node.id) { "*" } else { " " };
        text.push_str(&format!("{mark} {:>4}  {}\n", node.id, node.words));
    }
    print(out, &text)
}

fn carry(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let fallback = fallback_folder();
    let asked = arguments.reading()?;
    let stored = stored_reading(&io::dataset_path(&arguments.path), fallback.as_deref()).map_err(say)?;
    let Some(stored) = stored else { return take_over(arguments, &asked, err) };
    let reading = if asked == io::Reading::default() { stored } else { asked };
    let dataset = read(&arguments.path, &reading)?;
    let (_, carried) = Workspace::carry(dataset, reading, fallback.as_deref()).map_err(say)?;
    note(err, &format!("{} edits carried over; {} of their samples are not in the file any more", carried.edits, carried.lost));
    if !carried.added.is_empty() {
        note(err, &format!("samples were recognised without what is new in the file: {}", carried.added.join(", ")));
    }
    if carried.unfit > 0 {
        note(err, &format!("{} parts of edits do not fit the file any more and were left out", carried.unfit));
    }
    note(err, &format!("the old project is kept as {}", carried.aside.display()));
    Ok(())
}

/// Gives a dataset without a project the one that was made for it under another name.
fn take_over(arguments: &Arguments, reading: &io::Reading, err: &mut dyn Write) -> Done {
    let dataset = read(&arguments.path, reading)?;
    let found = orphans(&dataset.base.origin.path, dataset.base.origin.fingerprint);
    let Some(project) = found.first() else {
        return Err(format!("{} has no project: there is nothing to carry over", arguments.path.display()));
    };
    let to = adopt(project, &dataset.base.origin.path, fallback_folder().as_deref()).map_err(say)?;
    note(err, &format!("{} was made for this very content: it is {} now", project.display(), to.display()));
    Ok(())
}

fn rescue(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let (project, _) = project_path(&io::dataset_path(&arguments.path), fallback_folder().as_deref());
    if !project_exists(&project) {
        return Err(format!("{} has no project: there is nothing to recover", arguments.path.display()));
    }
    // Where the project does not say any more what it is of, it is of the dataset as it is.
    let source = io::fingerprint(&arguments.path)
        .ok()
        .map(|fingerprint| Stored { fingerprint, reading: serde_json::to_string(&io::Reading::default()).unwrap_or_default() });
    let (aside, saved, lost) = recover(&project, source).map_err(say)?;
    note(err, &format!("{saved} edits saved, {lost} could not be read; the damaged project is kept as {}", aside.display()));
    Ok(())
}
