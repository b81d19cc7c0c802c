//! A recipe carried out on a dataset; on more than is in memory at once file by file, here or by a cluster.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Verb;
use super::export::written_for;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open_as_it_is;
use crate::cli::options::{ASKS, IMAGES, OUT, OWN_COLUMNS, READING, SAFE};
use crate::cli::said::{note, print_json, say};
use crate::cli::saved::save;
use crate::cli::text_models::text_models;
use crate::data::{Dataset, count_samples, things};
use crate::eye::TrainerTarget;
use crate::io;
use crate::job::Progress;
use crate::operate::{Means, Operation, Recipe};
use crate::passes::{LocalEngine, PassEngine, PassNews, PassReport, PassRun, RemoteEngine, Work, run_passes};

/// The largest recipe, in bytes: one that names some million samples.
const LARGEST: u64 = 1 << 30;
/// What a run file by file does not do: refused, and not left out without a word.
const WHOLE: [&str; 8] =
    ["--own-columns", "--safe-for-spreadsheets", "--images", "--link", "--role", "--kind", "--endpoint", "--model"];
/// About how many MiB of a large text one task reads, where nobody says.
const PIECE: u64 = 64;
/// The program that hands tasks to a cluster, and the variable that says where it is.
const CLUSTER: &str = "lapidary-cluster";
const CLUSTER_VARIABLE: &str = "LAPIDARY_CLUSTER";

/// The command.
pub const VERB: Verb = Verb {
    name: "run",
    summary: "carry a recipe out on a dataset, or file by file on a folder of any size, and save what comes of it",
    usage: "RECIPE PATH -o OUT",
    example: "lapidary run tickets.recipe.json corpus/ -o clean/",
    options: &[
        &[
            OUT,
            ("--explain", None, "say how each step is done file by file, and do nothing"),
            (
                "--by-file",
                None,
                "work file by file, in bounded memory: the usual for a folder of tables and for a file beyond half of the memory",
            ),
            ("--resume", None, "go on with a run that was stopped: the usual, where there is one of the same recipe and files"),
            ("--anew", None, "begin anew where another run was begun"),
            ("--on", Some("ballista://HOST:PORT"), "have a cluster do it, by lapidary-cluster"),
            ("--piece", Some("MIB"), "about how much of a large text one task reads (64)"),
            ("--hands", Some("N"), "so many tasks at a time (one a core)"),
            ("--json", None, "print what came of a run file by file as JSON"),
            OWN_COLUMNS,
            SAFE,
            IMAGES[0],
            IMAGES[1],
        ],
        &ASKS,
        &READING,
    ],
    paths: &["the recipe", "the dataset"],
    also: None,
    more: None,
    run,
};

/// Carries a recipe out on a dataset and saves what comes of it. Says whether anything did not fit.
fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let path = arguments.before.first().ok_or_else(|| "two paths are needed: the recipe and the dataset".to_owned())?;
    let text = io::read_text(path, LARGEST).map_err(say)?;
    let recipe = Recipe::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if is_by_file(arguments)? {
        return by_file(arguments, recipe, out, err);
    }
    arguments.need("-o")?;
    let pipelines: Vec<_> = recipe
        .steps
        .iter()
        .filter_map(|step| match &step.operation {
            Some(Operation::Augment { pipeline, .. }) => Some(pipeline),
            Some(Operation::Balance(balance)) => balance.pipeline.as_ref(),
            _ => None,
        })
        .collect();
    let models = text_models(arguments, &pipelines, err)?;
    // A recipe says all that is to be done: edits of a project of the input's are none of it.
    let workspace = open_as_it_is(arguments)?;
    let mut dataset = workspace.dataset().clone();
    let means = Means { models, ..Means::default() };
    let output = arguments.need_path("-o")?.to_owned();
    let exports = recipe.steps.iter().filter(|step| step.export.is_some()).count();
    // A folder that holds trainers' folders alone, or a file with them beside it.
    let saved = exports == 0 || io::is_table_name(&output) || arguments.has("--images");
    if exports > 0 && !saved && !io::entries_of(&output).is_empty() {
        return Err(format!("{} is there and not empty: name a new folder", output.display()));
    }
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut said = Vec::new();
    let mut export = |dataset: &Dataset, target: &TrainerTarget| {
        let folder = export_folder(&output, saved, target, &folders);
        folders.push(folder.clone());
        said.extend(format!("{}:\n", folder.display()).into_bytes());
        written_for(dataset, target, &folder, &mut said)
    };
    let done = recipe.run_exporting(&mut dataset, &means, &mut export, &Progress::silent()).map_err(say)?;
    done.notes.iter().chain(&done.unfit).for_each(|text| note(err, text));
    String::from_utf8_lossy(&said).lines().for_each(|line| note(err, line));
    note(err, &format!("{} of {} steps carried out", done.done, recipe.steps.len()));
    if saved {
        save(arguments, &dataset, err)?;
    }
    Ok(!done.unfit.is_empty())
}

/// Where the folder for a trainer is written: below a new folder, or beside a file.
fn export_folder(output: &Path, beside: bool, target: &TrainerTarget, taken: &[PathBuf]) -> PathBuf {
    let name = format!("for-{}", target.trainer.entry().name);
    let stem = output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let first = if beside { output.with_file_name(format!("{stem}-{name}")) } else { output.join(name) };
    let numbered = (2..).map(|n| PathBuf::from(format!("{}-{n}", first.display())));
    std::iter::once(first.clone()).chain(numbered).find(|folder| !taken.contains(folder)).unwrap_or(first)
}

/// Whether the work is done file by file: somebody says so, it is a folder of tables that is to become another, or it is beyond half of the memory.
fn is_by_file(arguments: &Arguments) -> Result<bool, Failure> {
    let asked = ["--explain", "--by-file", "--resume", "--anew", "--on"].iter().any(|name| arguments.has(name));
    let input = &arguments.path;
    if asked || arguments.has("--no-project") || arguments.has("--images") {
        return Ok(asked);
    }
    if input.is_dir() {
        let table = arguments.path("-o").is_some_and(io::is_table_name);
        let project = io::is_there(&input.join("metadata.csv")) || io::is_there(&input.join("metadata.jsonl"));
        return Ok(!table && !project && !holds_pictures(input, 3) && !io::tables_below(input).map_err(say)?.is_empty());
    }
    Ok(io::file_stamp(input).is_some_and(|(bytes, _)| bytes > io::machine_memory() / 8))
}

/// Whether pictures lie in a folder, as deep as a dataset of them has them: that is one dataset, whatever tables lie beside.
fn holds_pictures(folder: &Path, deep: usize) -> bool {
    const ENDINGS: [&str; 7] = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tiff"];
    io::entries_of(folder).iter().take(10_000).any(|(name, is_folder)| {
        let small = name.to_lowercase();
        if *is_folder {
            deep > 0 && holds_pictures(&folder.join(name), deep - 1)
        } else {
            ENDINGS.iter().any(|ending| small.ends_with(ending))
        }
    })
}

fn by_file(arguments: &Arguments, recipe: Recipe, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    if let Some(name) = WHOLE.iter().find(|name| arguments.has(name)) {
        return Err(format!("{name} is not done file by file: leave it out here, and use it on what comes out"));
    }
    let size = arguments.number::<u64>("--piece")?.unwrap_or(PIECE).clamp(1, 4_096) << 20;
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let hands = arguments.number::<usize>("--hands")?.unwrap_or(cores).clamp(1, 1_024);
    let plan = crate::passes::PassPlan::of(&recipe);
    if arguments.has("--explain") {
        let work = Work::of(recipe, &arguments.path, arguments.reading()?, size, &Progress::silent()).map_err(say)?;
        let cut =
            if work.pieces.len() > work.files.len() { format!(", cut into {} pieces", work.pieces.len()) } else { String::new() };
        note(err, &format!("{}{cut}", things(work.files.len(), "file", "files")));
        plan.explained(&work.recipe).iter().for_each(|line| note(err, line));
        return Ok(plan.refused().next().is_some());
    }
    let output = arguments.need_path("-o")?.to_owned();
    let work = Work::of(recipe, &arguments.path, arguments.reading()?, size, &Progress::silent()).map_err(say)?;
    let run = PassRun::prepare(work, &output, arguments.has("--anew")).map_err(say)?;
    if run.resumed {
        note(err, "going on with a run that was stopped: what it has done stays");
    } else if arguments.has("--resume") {
        note(err, "there is no run to go on with: it begins");
    }
    // What is done otherwise than in the window is said before it is done.
    let otherwise =
        |line: &&String| line.contains("not exact") || line.contains("MinHash") || line.contains("stay together only");
    plan.explained(&run.work.recipe).iter().filter(otherwise).for_each(|line| note(err, line));
    let engine: Box<dyn PassEngine> = match arguments.get("--on") {
        Some(address) => Box::new(cluster(address, hands)?),
        None => Box::new(LocalEngine { hands }),
    };
    let report = run_passes(&run, &*engine, &Progress::silent(), &mut |news| {
        if let PassNews::Begun { pass, tasks } = news {
            note(err, &format!("{pass}: {}", things(tasks, "task", "tasks")));
        }
    })
    .map_err(|why| format!("{why}; what was done stays, and the same command goes on with the rest"))?;
    if arguments.has("--json") {
        print_json(out, &json!(report))?;
    }
    told(&report, &output, err);
    Ok(!report.unfit.is_empty())
}

/// The program that hands tasks to the scheduler at an address.
fn cluster(address: &str, hands: usize) -> Result<RemoteEngine, Failure> {
    let place = address
        .strip_prefix("ballista://")
        .filter(|place| place.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()));
    let place = place.ok_or_else(|| format!("--on takes ballista://HOST:PORT, not {address:?}"))?;
    let beside = std::env::current_exe().ok().map(|path| path.with_file_name(CLUSTER)).filter(|path| path.is_file());
    let named = std::env::var_os(CLUSTER_VARIABLE).map(PathBuf::from);
    let program = named.or(beside).unwrap_or_else(|| Path::new(CLUSTER).to_owned());
    let words = ["submit", "--scheduler", place, "--at-once", &hands.to_string()].map(ToOwned::to_owned).to_vec();
    Ok(RemoteEngine { program, words })
}

fn told(report: &PassReport, output: &Path, err: &mut dyn Write) {
    let mut gone: Vec<String> = Vec::new();
    for (n, what) in [(report.copies, "copies"), (report.near, "nearly copies"), (report.excluded, "excluded by other steps")] {
        if n > 0 {
            gone.push(format!("{} {what}", crate::data::count(n as usize)));
        }
    }
    let gone = if gone.is_empty() { String::new() } else { format!(" ({} left out)", gone.join(", ")) };
    note(
        err,
        &format!(
            "{}: {} of {}{gone}",
            output.display(),
            count_samples(report.kept as usize),
            count_samples(report.rows as usize)
        ),
    );
    for (part, n) in report.parts.iter().filter(|(part, _)| !part.is_empty()) {
        note(err, &format!("  {part}: {}", count_samples(*n as usize)));
    }
    if report.warnings > 0 {
        note(
            err,
            &format!("{} could not be read as they stand, and are kept so", things(report.warnings as usize, "line", "lines")),
        );
    }
    for (text, n) in &report.unfit {
        let within = if *n > 0 { format!(", in {} of {} pieces", n, report.pieces) } else { String::new() };
        note(err, &format!("{text}{within}"));
    }
}
