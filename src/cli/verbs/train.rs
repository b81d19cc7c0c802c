//! Models taught from a dataset: train, compare runs, predict.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::{open, read};
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print, print_json, say};
use crate::data::{Dataset, Role, count, count_samples, things};
use crate::io::{Reading, write_field, write_small};
use crate::job::Progress;
use crate::learn::dense::Dense;
use crate::operate::{Means, Operation, PredictionsOf, scan_pictures};
use crate::session::{NamedRun, Workspace};
use crate::train::{
    Approach, FrozenEncoder, HeadKind, Lesson, PairFigures, RunFigures, TeachMeans, TuneAsked, compare, figures, predicted,
    slices, teach,
};

/// Teaches a model.
pub const TRAIN: Verb = Verb {
    name: "train",
    summary: "teach a model from a dataset and say how good it is on the part that it has not seen",
    usage: "PATH [--label COL] [--text COL] [--split COL] [--encoder NAME|DIR] [--head HEAD] [--json]",
    example: "lapidary train tickets.csv --label category --text text --split part --json",
    options: &[
        &[
            (
                "--approach",
                Some("HOW"),
                "`features` (usual): a frozen encoder and a head; `encoder`: a small encoder is fine-tuned",
            ),
            ("--label", Some("COL"), "the column whose classes are learned (the one with the role label)"),
            ("--text", Some("COL"), "the column that is read (those with the role text; else pictures)"),
            ("--split", Some("COL"), "the column that says train, validation, test; without one a fifth is held out"),
            ("--encoder", Some("NAME|DIR"), "`builtin` (usual), `tfidf`, or a sentence-transformers, CLIP or DINOv2 folder"),
            ("--head", Some("HEAD"), "`logistic` (usual), `svm` or `knn`"),
            (
                "--c",
                Some("C"),
                "how little weights are held small; chosen by cross-validation in the train part where none is named",
            ),
            ("--k", Some("K"), "how many neighbours vote (10)"),
            ("--balanced", None, "rarer classes weigh more"),
            ("--epochs", Some("N"), "fine-tuning: how often the train part is gone through at most (5)"),
            ("--batch", Some("N"), "fine-tuning: samples a step (32)"),
            ("--rate", Some("R"), "fine-tuning: the rate of the encoder (0.00005)"),
            ("--longest", Some("N"), "fine-tuning: the most tokens of a text (64)"),
            ("--frozen", Some("N"), "fine-tuning: layers from below that stay as they are (0)"),
            ("--random-head", None, "fine-tuning: the head begins at chance, and not at logistic regression"),
            ("--seed", Some("N"), "the seed of chance (42)"),
            ("--name", Some("NAME"), "what the run is called"),
            ("--keep", Some("DIR"), "write the model to take away: a sentence-transformers folder, or a head for scikit-learn"),
            ("--slice", Some("COL"), "say how good it is by the values of a column, too"),
            ("--into", Some("COL"), "write what it says of every sample as a column, an edit"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    takes_recipe: false,
    also: None,
    more: None,
    run: |arguments, out, err| train(arguments, out, err).map(|()| false),
};

/// Says what runs there are, and which of them are better.
pub const RUNS: Verb = Verb {
    name: "runs",
    summary: "list the models that were taught from a dataset, with figures on its labels as they are now, and tests between them",
    usage: "PATH [--json]",
    example: "lapidary runs tickets.csv",
    options: &[
        &[
            ("--rename", Some("RUN"), "give a run another name, with --to"),
            ("--to", Some("NAME"), "that name"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    takes_recipe: false,
    also: None,
    more: None,
    run: |arguments, out, err| runs(arguments, out, err).map(|()| false),
};

/// Says what a run says of other samples.
pub const PREDICT: Verb = Verb {
    name: "predict",
    summary: "say what a model that was taught from a dataset says of other samples",
    usage: "PATH [--run NAME] --of FILE [-o FILE] [--json]",
    example: "lapidary predict tickets.csv --of new.csv -o predicted.csv",
    options: &[
        &[
            ("--run", Some("NAME"), "the run, by its name or number (the last)"),
            ("--of", Some("FILE"), "the samples that something is to be said of"),
            ("-o", Some("FILE"), "write CSV: the row, the class, how sure; to the terminal where no file is named"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    takes_recipe: false,
    also: None,
    more: None,
    run: |arguments, out, err| predict(arguments, out, err).map(|()| false),
};

fn lesson(arguments: &Arguments, dataset: &Dataset) -> Result<Lesson, Failure> {
    let named = arguments.get("--label").map(ToOwned::to_owned);
    let by_role = || dataset.with_role(Role::is_label).map(|field| dataset.fields()[field].name.to_string());
    let label = named.or_else(by_role).ok_or("which column is learned? name it with --label")?;
    let c = arguments.number::<f64>("--c")?;
    if c.is_some_and(|c| !(c.is_finite() && c > 0.0)) {
        return Err("--c takes a number above 0".to_owned());
    }
    let names = HeadKind::ALL.map(HeadKind::name).join(", ");
    let head = arguments.get("--head").unwrap_or("logistic");
    let head = match HeadKind::from_name(head).ok_or_else(|| format!("--head takes one of {names}, and not {head:?}"))? {
        HeadKind::Logistic { .. } => HeadKind::Logistic { c },
        HeadKind::Support { .. } => HeadKind::Support { c },
        HeadKind::Neighbours { k } => HeadKind::Neighbours { k: arguments.number("--k")?.unwrap_or(k).max(1) },
    };
    let encoder = FrozenEncoder::from_name(arguments.get("--encoder").unwrap_or("builtin"));
    let approach = match (arguments.get("--approach"), encoder) {
        (None | Some("features"), encoder) => Approach::Features { encoder, head, balanced: arguments.has("--balanced") },
        (Some("encoder"), FrozenEncoder::Folder(folder)) => Approach::Encoder { folder, tune: tune(arguments)? },
        (Some("encoder"), _) => {
            return Err("which encoder is fine-tuned? name a sentence-transformers folder with --encoder".to_owned());
        }
        (Some(other), _) => return Err(format!("--approach takes features or encoder, and not {other:?}")),
    };
    Ok(Lesson {
        text: arguments.get("--text").map(ToOwned::to_owned),
        split: arguments.get("--split").map(ToOwned::to_owned),
        approach,
        seed: arguments.number("--seed")?.unwrap_or(42),
        ..Lesson::usual(&label)
    })
}

/// How an encoder is fine-tuned.
fn tune(arguments: &Arguments) -> Result<TuneAsked, Failure> {
    let usual = TuneAsked::default();
    let asked = TuneAsked {
        epochs: arguments.number("--epochs")?.unwrap_or(usual.epochs),
        batch: arguments.number("--batch")?.unwrap_or(usual.batch),
        rate: arguments.number("--rate")?.unwrap_or(usual.rate),
        longest: arguments.number("--longest")?.unwrap_or(usual.longest),
        frozen: arguments.number("--frozen")?.unwrap_or(usual.frozen),
        from_head: !arguments.has("--random-head"),
        ..usual
    };
    if asked.epochs == 0 || asked.batch == 0 || !(asked.rate > 0.0 && asked.rate <= 1.0) {
        return Err("--epochs and --batch take a number above 0, --rate one up to 1".to_owned());
    }
    Ok(asked)
}

/// How pictures look, where a lesson reads pictures by it.
fn looks(dataset: &Dataset, lesson: &Lesson) -> Result<Option<std::sync::Arc<Dense>>, Failure> {
    let built_in = matches!(&lesson.approach, Approach::Features { encoder: FrozenEncoder::BuiltIn, .. });
    match dataset.pictures() {
        Some(field) if lesson.text.is_none() && built_in => {
            let scan = scan_pictures(dataset, field, None, &Progress::silent()).map_err(|_| "stopped".to_owned())?;
            Ok(Some(scan.appearance))
        }
        _ => Ok(None),
    }
}

fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn metrics(found: &RunFigures) -> Value {
    let scores = &found.scores;
    json!({
        "accuracy": round(scores.accuracy), "accuracy_low": round(found.accuracy.0), "accuracy_high": round(found.accuracy.1),
        "macro_f1": round(scores.macro_f1), "macro_f1_low": round(found.macro_f1.0), "macro_f1_high": round(found.macro_f1.1),
        "balanced_accuracy": round(scores.balanced_accuracy), "weighted_f1": round(scores.weighted_f1), "mcc": round(scores.mcc),
        "kappa": round(scores.kappa), "top3": round(scores.top3), "log_loss": round(scores.log_loss), "brier": round(scores.brier),
        "auroc": round(scores.auroc), "ece": round(found.calibration.ece), "mce": round(found.calibration.mce), "rows": scores.rows,
    })
}

fn run_json(kept: &NamedRun, found: Option<&RunFigures>) -> Value {
    let run = &kept.run;
    let mut value = json!({
        "run": kept.name, "id": kept.id, "at": kept.at, "look": kept.look, "lesson": run.lesson, "classes": run.classes,
        "rows": { "train": run.sizes[0], "validation": run.sizes[1], "test": run.sizes[2] }, "seconds": run.seconds, "notes": run.notes,
        "epochs": run.epochs, "chosen": run.chosen.as_ref().map(|chosen| json!({ "c": chosen.c, "evened": chosen.evened, "tried": chosen.tried })),
    });
    if let Some(found) = found {
        value["metrics"] = metrics(found);
        value["stale"] = json!(found.stale);
        value["gone"] = json!(found.gone);
        let classes = found.classes.iter().zip(&found.scores.per_class);
        value["per_class"] = classes
            .map(|(name, class)| {
                json!({ "class": name, "precision": round(class.precision), "recall": round(class.recall), "f1": round(class.f1), "support": class.support })
            })
            .collect();
    }
    value
}

fn train(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let mut workspace = open(arguments)?;
    let progress = Progress::silent();
    if let Some(why) = workspace.read_only().filter(|_| !arguments.has("--no-project")) {
        return Err(format!("a run is kept in the project: {why}; --no-project teaches without keeping it"));
    }
    let lesson = lesson(arguments, workspace.dataset())?;
    let looks = looks(workspace.dataset(), &lesson)?;
    let begun = Instant::now();
    let project = workspace.project().0.to_owned();
    let keep = arguments.path("--keep");
    let means = TeachMeans { store: workspace.derived(), project: Some(&project), looks: looks.as_ref(), keep };
    let mut run = teach(workspace.dataset(), &lesson, means, &progress).map_err(say)?;
    run.seconds = begun.elapsed().as_secs_f64();
    run.notes.iter().for_each(|text| note(err, text));
    let found = figures(workspace.dataset(), &run, &progress).map_err(say)?;
    let kept = if arguments.has("--no-project") {
        NamedRun { id: 0, at: 0, name: run.lesson.words(), look: 1, run: std::sync::Arc::new(run) }
    } else {
        let at = workspace.keep_run(run, arguments.get("--name")).map_err(say)?;
        workspace.runs()[at].clone()
    };
    let mut by: Vec<(String, Value)> = Vec::new();
    let mut text = told(&kept, &found);
    if let Some(name) = arguments.get("--slice") {
        let field = workspace.dataset().field(name).ok_or_else(|| format!("there is no column called {name:?}"))?;
        let list = slices(workspace.dataset(), &found, field);
        text.push_str(&format!("by {name}:\n"));
        for slice in &list {
            let share = slice.right as f64 / slice.rows.max(1) as f64;
            let (low, high) = slice.interval;
            text.push_str(&format!("  {:<24} {share:.3} ({low:.3} to {high:.3}) of {}\n", slice.name, count(slice.rows)));
        }
        let values = list.iter().map(|slice| {
            json!({ "name": slice.name, "rows": slice.rows, "right": slice.right, "low": round(slice.interval.0), "high": round(slice.interval.1) })
        });
        by.push((name.to_owned(), values.collect()));
    }
    if arguments.has("--json") {
        let mut value = run_json(&kept, Some(&found));
        if !by.is_empty() {
            value["slices"] = Value::Object(by.into_iter().collect());
        }
        print_json(out, &value)?;
    } else {
        print(out, &text)?;
    }
    if let Some(into) = arguments.get("--into") {
        let asked = Operation::Predict(PredictionsOf { lesson: kept.run.lesson.clone(), into: into.to_owned() });
        let means = Means { runs: vec![kept.run.clone()], ..Means::default() };
        let planned = asked.plan(workspace.dataset(), &means, &progress).map_err(say)?;
        if let Some(edit) = planned.edit {
            workspace.edit(&edit).map_err(say)?;
            note(err, &edit.words);
        }
    }
    Ok(())
}

fn told(kept: &NamedRun, found: &RunFigures) -> String {
    let run = &kept.run;
    let scores = &found.scores;
    let [train, validation, test] = run.sizes.map(count);
    let mut text =
        format!("{}: {train} to train, {validation} to validate, {test} to test, {} classes\n", kept.name, run.classes.len());
    for (at, epoch) in run.epochs.iter().enumerate() {
        text.push_str(&format!("epoch {}: loss {:.4}", at + 1, epoch.loss));
        if epoch.validation_accuracy.is_finite() {
            let (loss, accuracy) = (epoch.validation_loss, epoch.validation_accuracy);
            text.push_str(&format!(", validation loss {loss:.4}, validation accuracy {accuracy:.3}"));
        }
        text.push('\n');
    }
    if let Some(chosen) = run.chosen.as_ref().filter(|_| run.epochs.is_empty()) {
        let evened = if chosen.evened { ", rows evened" } else { "" };
        text.push_str(&format!(
            "C {}{evened}, chosen among {} by cross-validation in the train part\n",
            chosen.c,
            chosen.tried.len()
        ));
    }
    let line = |name: &str, value: f64, (low, high): (f64, f64)| format!("  {name:<18} {value:.3}  ({low:.3} to {high:.3})\n");
    text.push_str(&line("accuracy", scores.accuracy, found.accuracy));
    text.push_str(&line("macro-F1", scores.macro_f1, found.macro_f1));
    text.push_str(&format!("  {:<18} {:.3}\n", "balanced accuracy", scores.balanced_accuracy));
    text.push_str(&format!(
        "  {:<18} {:.3}\n  {:<18} {:.3}\n",
        "log loss", scores.log_loss, "calibration error", found.calibration.ece
    ));
    text.push_str(&format!(
        "95 % intervals; the test part was looked at for the {} time; {:.1} s\n",
        ordinal(kept.look),
        run.seconds
    ));
    text
}

fn ordinal(n: i64) -> String {
    let ending = match (n % 10, n % 100) {
        (1, hundred) if hundred != 11 => "st",
        (2, hundred) if hundred != 12 => "nd",
        (3, hundred) if hundred != 13 => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

fn chosen<'w>(workspace: &'w Workspace, named: Option<&str>) -> Result<&'w NamedRun, Failure> {
    let list = workspace.runs();
    let Some(name) = named else {
        return list.last().ok_or("nothing was taught from this dataset yet: `lapidary train` does".to_owned());
    };
    let is = |kept: &&NamedRun| kept.name == name || name.parse() == Ok(kept.id);
    list.iter().find(is).ok_or_else(|| {
        let names: Vec<&str> = list.iter().map(|kept| kept.name.as_str()).collect();
        format!("there is no run called {name:?}; there are: {}", names.join(", "))
    })
}

fn runs(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let mut workspace = open(arguments)?;
    if let Some(name) = arguments.get("--rename") {
        let id = chosen(&workspace, Some(name))?.id;
        let to = arguments.get("--to").ok_or("what is it to be called? name it with --to")?;
        let name = workspace.rename_run(id, to).map_err(say)?;
        note(err, &format!("it is called {name} now"));
        return Ok(());
    }
    if workspace.unread_runs() > 0 {
        note(
            err,
            &format!(
                "{} of the project cannot be read here, and stay where they are",
                things(workspace.unread_runs(), "run", "runs")
            ),
        );
    }
    let progress = Progress::silent();
    let mut list: Vec<(&NamedRun, Option<RunFigures>)> = Vec::new();
    for kept in workspace.runs() {
        match figures(workspace.dataset(), &kept.run, &progress) {
            Ok(found) => list.push((kept, Some(found))),
            Err(why) => {
                note(err, &format!("{}: {why}", kept.name));
                list.push((kept, None));
            }
        }
    }
    let known: Vec<(&NamedRun, &RunFigures)> = list.iter().filter_map(|(kept, found)| Some((*kept, found.as_ref()?))).collect();
    let of: Vec<&RunFigures> = known.iter().map(|(_, found)| *found).collect();
    let pairs = compare(&of, &progress).map_err(say)?;
    let named = |pair: &PairFigures| (known[pair.of.0].0.name.as_str(), known[pair.of.1].0.name.as_str());
    if arguments.has("--json") {
        let pair = |pair: &PairFigures| {
            let (one, other) = named(pair);
            json!({
                "one": one, "other": other, "rows": pair.rows, "only_one_right": pair.test.only_one, "only_other_right": pair.test.only_other,
                "accuracy": round(pair.accuracy), "low": round(pair.interval.0), "high": round(pair.interval.1), "mcnemar": pair.test.p(), "p_holm": pair.p,
                "macro_f1": round(pair.macro_f1), "permutation": pair.macro_p, "smallest": round(pair.smallest), "words": pair.words(one, other),
            })
        };
        let runs: Vec<Value> = list.iter().map(|(kept, found)| run_json(kept, found.as_ref())).collect();
        return print_json(out, &json!({ "runs": runs, "pairs": pairs.iter().map(pair).collect::<Vec<_>>() }));
    }
    if list.is_empty() {
        return print(out, "nothing was taught from this dataset yet: `lapidary train` does\n");
    }
    let mut text = format!("{:>4}  {:<44} {:>8} {:>17} {:>8}\n", "", "run", "accuracy", "", "macro-F1");
    for (kept, found) in &list {
        let Some(found) = found else { continue };
        let stale = if found.stale { "  (its train part has changed since)" } else { "" };
        let (low, high) = found.accuracy;
        let interval = format!("({low:.3} to {high:.3})");
        text.push_str(&format!(
            "{:>4}  {:<44} {:>8.3} {interval:>17} {:>8.3}{stale}\n",
            kept.id, kept.name, found.scores.accuracy, found.scores.macro_f1
        ));
    }
    for pair in &pairs {
        let (one, other) = named(pair);
        text.push_str(&format!("{}\n", pair.words(one, other)));
    }
    print(out, &text)
}

fn predict(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let workspace = open(arguments)?;
    let kept = chosen(&workspace, arguments.get("--run"))?;
    let path = arguments.get("--of").ok_or("of which samples? name their file with --of")?;
    let other = read(Path::new(path), &Reading::default())?;
    let looks = looks(&other, &kept.run.lesson)?;
    let store = crate::derive::Store::default();
    let means = TeachMeans { store: &store, project: None, looks: looks.as_ref(), keep: None };
    let said = predicted(&other, &kept.run, means, &Progress::silent()).map_err(say)?;
    let class = |at: u32| kept.run.classes.get(at as usize).map_or("", String::as_str);
    if arguments.has("--json") {
        let list: Vec<Value> = said
            .iter()
            .enumerate()
            .map(|(row, (at, sure))| json!({ "row": row, "class": class(*at), "confidence": sure }))
            .collect();
        return print_json(out, &json!({ "run": kept.name, "predictions": list }));
    }
    let mut text = "row,class,confidence\n".to_owned();
    for (row, (at, sure)) in said.iter().enumerate() {
        let mut cell = Vec::new();
        write_field(class(*at), b',', false, &mut cell);
        text.push_str(&format!("{row},{},{sure:.6}\n", String::from_utf8_lossy(&cell)));
    }
    match arguments.get("-o") {
        Some(to) => {
            write_small(Path::new(to), &text).map_err(say)?;
            note(err, &format!("{to}: what {} says of {}", kept.name, count_samples(said.len())));
            Ok(())
        }
        None => print(out, &text),
    }
}
