//! Models taught from a dataset: train, and compare runs.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print, print_json, say};
use crate::cli::text_models::named_models;
use crate::data::{Dataset, Role, count, things};
use crate::job::Progress;
use crate::learn::dense::Dense;
use crate::operate::{ErrorJudges, JudgeFigures, Means, Operation, PredictionsOf, compare_judges, scan_pictures};
use crate::session::{NamedRun, Workspace};
use crate::train::{
    Approach, Calibrated, Examples, FrozenEncoder, HeadKind, LearningCurve, Lesson, LoraAsked, OtherTest, PairFigures,
    PromptAsked, Run, RunFigures, TaskAsked, TeachMeans, TuneAsked, compare, figures, give_up, learning_curve, other_tests,
    run_is_kept, slices, stopped_runs, teach, try_steps,
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
                "`features` (usual): a frozen encoder and a head; `encoder`: a small encoder is fine-tuned; `multitask`: the same with a head a label column; `prompt`: a language model is asked",
            ),
            ("--label", Some("COL"), "the column whose classes are learned (the one with the role label)"),
            ("--text", Some("COL"), "the column that is read (those with the role text; else pictures)"),
            ("--split", Some("COL"), "the column that says train, validation, test; without one a fifth is held out"),
            ("--encoder", Some("NAME|DIR"), "`builtin` (usual), `tfidf`, or a sentence-transformers, CLIP or DINOv2 folder"),
            ("--head", Some("HEAD"), "`logistic` (usual), `svm`, `knn` or `mlp`"),
            (
                "--through",
                Some("COL"),
                "learn the label through this finer column: its classes are told apart, each stands for one of the label",
            ),
            (
                "--c",
                Some("C"),
                "how little weights are held small; chosen by cross-validation in the train part where none is named",
            ),
            ("--k", Some("K"), "how many neighbours vote (10)"),
            ("--hidden", Some("N"), "units of the small network (256)"),
            ("--balanced", None, "rarer classes weigh more"),
            ("--epochs", Some("N"), "fine-tuning: how often the train part is gone through at most (5)"),
            ("--batch", Some("N"), "fine-tuning: samples a step (32)"),
            ("--rate", Some("R"), "fine-tuning: the rate of the encoder (0.00005)"),
            ("--longest", Some("N"), "fine-tuning: the most tokens of a text (64)"),
            ("--frozen", Some("N"), "fine-tuning: layers from below that stay as they are (0)"),
            ("--random-head", None, "fine-tuning: the head begins at chance, and not at logistic regression"),
            ("--smoothing", Some("S"), "fine-tuning: how much of what is true is spread over all classes (0)"),
            ("--dropout", Some("P"), "fine-tuning: the part that is left out (0.1)"),
            ("--decay", Some("D"), "fine-tuning: weight decay (0.01)"),
            ("--train-words", None, "fine-tuning: the table of words learns, too"),
            (
                "--pooler",
                None,
                "fine-tuning: the first token through the pooler stands for a text, as transformers' classifiers have it",
            ),
            ("--lora", None, "fine-tuning: the encoder stays, and narrow matrices beside its maps learn (rate 0.001)"),
            ("--rank", Some("R"), "LoRA: how wide they are (8)"),
            ("--alpha", Some("A"), "LoRA: what they add is multiplied by A / R (16)"),
            ("--maps", Some("WHICH"), "LoRA: beside which maps: `query-value` (usual), `attention` or `all`"),
            ("--with", Some("COL[:W],…"), "multitask: the other label columns, each with the weight of its loss (0.5)"),
            ("--uncertain", None, "multitask: weights are learned by how uncertain each task is"),
            (
                "--endpoint",
                Some("URL"),
                "prompt: the address that is asked, as OpenAI's chat completions are; what it needs is as in `lapidary help augment`",
            ),
            ("--model", Some("NAME"), "prompt: what the server calls the model"),
            ("--key-variable", Some("NAME"), "prompt: the environment variable that holds the key"),
            ("--at-once", Some("N"), "prompt: how many questions are under way at a time (2)"),
            ("--per-minute", Some("N"), "prompt: how many are sent a minute at most"),
            ("--answers", Some("FILE"), "prompt: keep answers in this file, and ask nothing twice"),
            ("--instruction", Some("TEXT"), "prompt: what it is to do, in the place of the usual words"),
            (
                "--examples",
                Some("HOW"),
                "prompt: `none`, `random`, `one-a-class`, `nearest` (usual) or `diverse`, of the train part",
            ),
            ("--shots", Some("K"), "prompt: how many (8)"),
            ("--by-name", None, "prompt: answers are names, and not letters whose probabilities are read"),
            ("--calibrate", Some("HOW"), "prompt: `no` (usual), `contextual` or `batch`"),
            ("--most", Some("N"), "prompt: ask about so many of the test part (200); 0 for all"),
            ("--anew", None, "begin anew, and do not go on where a run of the same was stopped"),
            ("--estimate", None, "make three steps, say how long all take and what memory, and teach nothing"),
            (
                "--judge",
                None,
                "make labels of the train part wrong on purpose, in a copy, and say whether training or the noise model finds them better; keep no run",
            ),
            ("--curve", None, "say how good it is on growing shares of the train part, and keep no run"),
            ("--seeds", Some("N"), "teach it with so many seeds, one after the other, on the same parts (1)"),
            ("--seed", Some("N"), "the seed of chance (42)"),
            ("--name", Some("NAME"), "what the run is called"),
            ("--keep", Some("DIR"), "write the model to take away: a sentence-transformers folder, or a head for scikit-learn"),
            ("--slice", Some("COL"), "say how good it is by the values of a column, too"),
            ("--into", Some("COL"), "write what it says of every sample as a column, an edit"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
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
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, out, err| runs(arguments, out, err).map(|()| false),
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
        HeadKind::Network { hidden } => {
            let hidden = arguments.number("--hidden")?.unwrap_or(hidden);
            if !(1..=4_096).contains(&hidden) {
                return Err(format!("--hidden takes 1 to 4096, and not {hidden}"));
            }
            HeadKind::Network { hidden }
        }
    };
    let encoder = FrozenEncoder::from_name(arguments.get("--encoder").unwrap_or("builtin"));
    let folder = |what: &str| match FrozenEncoder::from_name(arguments.get("--encoder").unwrap_or("builtin")) {
        FrozenEncoder::Folder(folder) => Ok(folder),
        _ => Err(format!("which encoder is {what}? name a sentence-transformers folder with --encoder")),
    };
    if arguments.has("--with") && arguments.get("--approach") != Some("multitask") {
        return Err("--with names columns that are learned at once: add --approach multitask".to_owned());
    }
    let approach = match arguments.get("--approach") {
        None | Some("features") => Approach::Features { encoder, head, balanced: arguments.has("--balanced") },
        Some("encoder") => Approach::Encoder { folder: folder("fine-tuned")?, tune: tune(arguments)? },
        Some("multitask") => Approach::Multitask {
            folder: folder("fine-tuned")?,
            tune: tune(arguments)?,
            tasks: tasks(arguments, &label)?,
            uncertain: arguments.has("--uncertain"),
        },
        Some("prompt") => Approach::Prompt {
            model: arguments
                .get("--model")
                .ok_or("which language model is asked? name it with --endpoint and --model")?
                .to_owned(),
            prompt: prompt(arguments, dataset, &label)?,
        },
        Some(other) => return Err(format!("--approach takes features, encoder, multitask or prompt, and not {other:?}")),
    };
    Ok(Lesson {
        text: arguments.get("--text").map(ToOwned::to_owned),
        split: arguments.get("--split").map(ToOwned::to_owned),
        through: arguments.get("--through").map(ToOwned::to_owned),
        approach,
        seed: arguments.number("--seed")?.unwrap_or(42),
        ..Lesson::usual(&label)
    })
}

/// The label columns that are learned at once.
fn tasks(arguments: &Arguments, label: &str) -> Result<Vec<TaskAsked>, Failure> {
    let with = arguments.get("--with").ok_or("which other label columns are learned? name them with --with COL[:WEIGHT],…")?;
    let one = |part: &str| -> Result<TaskAsked, Failure> {
        let (name, weight) = match part.rsplit_once(':') {
            Some((name, weight)) => (name, weight.trim().parse().ok()),
            None => (part, Some(0.5)),
        };
        let weight: Option<f64> = weight;
        let weight = weight.filter(|weight| weight.is_finite() && *weight > 0.0);
        let weight = weight.ok_or_else(|| format!("--with takes COL:WEIGHT with a weight above 0, and not {part:?}"))?;
        Ok(TaskAsked { label: name.trim().to_owned(), weight })
    };
    let first = TaskAsked { label: label.to_owned(), weight: 1.0 };
    std::iter::once(Ok(first)).chain(with.split(',').map(one)).collect()
}

/// What a language model is asked.
fn prompt(arguments: &Arguments, dataset: &Dataset, label: &str) -> Result<PromptAsked, Failure> {
    let usual = PromptAsked::default();
    let one_of = |name: &str, list: &[&str], usual: usize| -> Result<usize, Failure> {
        let Some(given) = arguments.get(name) else { return Ok(usual) };
        let found = list.iter().position(|known| *known == given);
        found.ok_or_else(|| format!("{name} takes one of {}, and not {given:?}", list.join(", ")))
    };
    let kind = one_of("--examples", &Examples::ALL.map(|(_, name, _)| name), usual.examples.place())?;
    let mut examples = Examples::ALL[kind].0;
    if let (Some(k), Some(shots)) = (examples.k(), arguments.number::<u32>("--shots")?) {
        if !(1..=200).contains(&shots) {
            return Err(format!("--shots takes 1 to 200, and not {shots}"));
        }
        *k = shots;
    }
    let calibrated = Calibrated::ALL[one_of("--calibrate", &Calibrated::ALL.map(|(_, name, _)| name), 0)?].0;
    Ok(PromptAsked {
        instruction: arguments.get("--instruction").unwrap_or_default().to_owned(),
        descriptions: dataset.properties().guidelines(label),
        examples,
        letters: !arguments.has("--by-name"),
        calibrated,
        most: arguments.number("--most")?.unwrap_or(usual.most),
    })
}

/// How an encoder is fine-tuned.
fn tune(arguments: &Arguments) -> Result<TuneAsked, Failure> {
    let usual = TuneAsked::default();
    let maps = arguments.get("--maps").unwrap_or(LoraAsked::MAPS[0].0);
    let maps = LoraAsked::MAPS.iter().position(|(name, _)| *name == maps);
    let lora = LoraAsked {
        rank: arguments.number("--rank")?.unwrap_or(LoraAsked::default().rank),
        alpha: arguments.number("--alpha")?.unwrap_or(LoraAsked::default().alpha),
        maps: maps.ok_or("--maps takes query-value, attention or all")?,
    };
    let lora = arguments.has("--lora").then_some(lora);
    let asked = TuneAsked {
        epochs: arguments.number("--epochs")?.unwrap_or(usual.epochs),
        batch: arguments.number("--batch")?.unwrap_or(usual.batch),
        rate: arguments.number("--rate")?.unwrap_or(if lora.is_some() { LoraAsked::RATE } else { usual.rate }),
        longest: arguments.number("--longest")?.unwrap_or(usual.longest),
        frozen: arguments.number("--frozen")?.unwrap_or(usual.frozen),
        smoothing: arguments.number("--smoothing")?.unwrap_or(usual.smoothing),
        dropout: arguments.number("--dropout")?.unwrap_or(usual.dropout),
        decay: arguments.number("--decay")?.unwrap_or(usual.decay),
        from_head: !arguments.has("--random-head"),
        frozen_words: !arguments.has("--train-words"),
        pooler: arguments.has("--pooler"),
        balanced: arguments.has("--balanced"),
        lora,
        ..usual
    };
    if !(1..=1_024).contains(&asked.batch) || asked.longest < 8 {
        return Err("--batch takes 1 to 1024, --longest at least 8".to_owned());
    }
    if asked.epochs == 0 || !(asked.rate > 0.0 && asked.rate <= 1.0) {
        return Err("--epochs takes a number above 0, --rate one up to 1".to_owned());
    }
    let part = |value: f64| (0.0..1.0).contains(&value);
    if !part(asked.smoothing) || !part(asked.dropout) || !part(asked.decay) {
        return Err("--smoothing, --dropout and --decay take a number from 0 up to 1".to_owned());
    }
    if lora.is_some_and(|lora| !((1..=256).contains(&lora.rank) && lora.alpha > 0.0 && lora.alpha.is_finite())) {
        return Err("--rank takes 1 to 256, --alpha a number above 0".to_owned());
    }
    Ok(asked)
}

/// How pictures look, where a lesson reads pictures by it.
pub(super) fn looks(dataset: &Dataset, lesson: &Lesson) -> Result<Option<std::sync::Arc<Dense>>, Failure> {
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
        "auroc": round(scores.auroc), "temperature": found.tempered.map(|of| round(of.0)), "ece_tempered": found.tempered.map(|of| round(of.1)),
        "ece": round(found.calibration.ece), "mce": round(found.calibration.mce), "rows": scores.rows,
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
        let other = |one: &OtherTest| json!({ "part": one.part, "rows": one.rows, "right": one.right, "accuracy": round(one.accuracy()), "low": round(one.interval.0), "high": round(one.interval.1) });
        value["other_tests"] = found.others.iter().map(other).collect();
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
    let project = workspace.project().0.to_owned();
    let models = match &lesson.approach {
        Approach::Prompt { model, .. } => named_models(arguments, ("the prompt", &[model]), err)?,
        _ => Arc::default(),
    };
    let progress = if models.is_empty() { progress } else { crate::cli::text_models::told(&models) };
    let store = Arc::clone(workspace.derived());
    let means = TeachMeans {
        asker: Some(&models),
        project: Some(&project),
        looks: looks.as_ref(),
        keep: arguments.path("--keep"),
        goes_on: !arguments.has("--no-project"),
        ..TeachMeans::of(&store)
    };
    if arguments.has("--estimate") {
        return estimate(workspace.dataset(), (&lesson, means), arguments.has("--json"), out);
    }
    if arguments.has("--judge") {
        let found = compare_judges(workspace.dataset(), &lesson, means, &progress).map_err(say)?;
        return judges(&found, arguments.has("--json"), out);
    }
    if arguments.has("--curve") {
        let found = learning_curve(workspace.dataset(), &lesson, means, &progress).map_err(say)?;
        return curve(&found, arguments.has("--json"), out);
    }
    if arguments.has("--anew") {
        let stopped = stopped_runs(&project);
        let same = |run: &Lesson| Lesson { seed: lesson.seed, ..run.clone() } == lesson;
        stopped.iter().filter(|(_, run)| same(&run.lesson)).for_each(|(path, _)| give_up(path));
    }
    let seeds = arguments.number::<u64>("--seeds")?.unwrap_or(1);
    if !(1..=100).contains(&seeds) {
        return Err(format!("--seeds takes 1 to 100, and not {seeds}"));
    }
    if seeds > 1 && means.keep.is_some() {
        return Err("--keep writes one model: leave --seeds away, or name the seed".to_owned());
    }
    let mut noted: Vec<String> = Vec::new();
    let mut all: Vec<(NamedRun, RunFigures)> = Vec::new();
    for seed in 0..seeds {
        let begun = Instant::now();
        let own = Lesson { seed: lesson.seed.wrapping_add(seed), ..lesson.clone() };
        let runs = teach(workspace.dataset(), &own, means, &progress).map_err(say)?;
        let seconds = begun.elapsed().as_secs_f64();
        // Each is kept before the next begins.
        for run in runs {
            for text in run.notes.iter().filter(|text| !noted.contains(text)).cloned().collect::<Vec<_>>() {
                note(err, &text);
                noted.push(text);
            }
            all.push(kept_run(&mut workspace, (Run { seconds, ..run }, &own), arguments, &progress)?);
        }
    }
    say_runs(&workspace, &all, arguments, out)?;
    if let (Some(into), Some((kept, _))) = (arguments.get("--into"), all.first()) {
        let asked = Operation::Predict(Box::new(PredictionsOf { lesson: kept.run.lesson.clone(), into: into.to_owned() }));
        let means = Means { runs: vec![kept.run.clone()], ..Means::default() };
        let planned = asked.plan(workspace.dataset(), &means, &progress).map_err(say)?;
        if let Some(edit) = planned.edit {
            workspace.edit(&edit).map_err(say)?;
            note(err, &edit.words);
        }
    }
    Ok(())
}

/// Keeps a run; what it had learned on its way is not needed any more.
fn kept_run(
    workspace: &mut Workspace,
    (run, lesson): (Run, &Lesson),
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(NamedRun, RunFigures), Failure> {
    let found = figures(workspace.dataset(), &run, progress).map_err(say)?;
    if arguments.has("--no-project") {
        return Ok((NamedRun { id: 0, at: 0, name: run.lesson.words(), look: 1, run: Arc::new(run) }, found));
    }
    let print = run.print;
    let at = workspace.keep_run(run, arguments.get("--name")).map_err(say)?;
    run_is_kept(workspace.project().0, lesson, print);
    Ok((workspace.runs()[at].clone(), found))
}

/// Says how good runs are: the first one's figures, and beside it all others that were taught with it.
fn say_runs(workspace: &Workspace, all: &[(NamedRun, RunFigures)], arguments: &Arguments, out: &mut dyn Write) -> Done {
    let mut by: Vec<(String, Value)> = Vec::new();
    let mut text = String::new();
    for (at, (kept, found)) in all.iter().enumerate() {
        if all.iter().any(|(other, _)| other.run.lesson.label != kept.run.lesson.label) {
            text.push_str(&format!("{}: ", kept.run.lesson.label));
        }
        text.push_str(&told(kept, found));
        if let Some(name) = arguments.get("--slice").filter(|_| at == 0) {
            let field = workspace.dataset().field(name).ok_or_else(|| format!("there is no column called {name:?}"))?;
            let list = slices(workspace.dataset(), found, field);
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
    }
    let Some((kept, found)) = all.first().filter(|_| arguments.has("--json")) else { return print(out, &text) };
    let mut value = run_json(kept, Some(found));
    if !by.is_empty() {
        value["slices"] = Value::Object(by.into_iter().collect());
    }
    if all.len() > 1 {
        value["runs"] = all.iter().map(|(kept, found)| run_json(kept, Some(found))).collect();
    }
    print_json(out, &value)
}

/// Says how long a lesson takes, by three steps of it.
fn estimate(dataset: &Dataset, (lesson, means): (&Lesson, TeachMeans<'_>), as_json: bool, out: &mut dyn Write) -> Done {
    let begun = Instant::now();
    let found = try_steps(dataset, lesson, means, &|| begun.elapsed().as_secs_f64(), &Progress::silent()).map_err(say)?;
    if as_json {
        return print_json(
            out,
            &json!({ "steps": found.steps, "seconds": round(found.seconds), "bytes": found.bytes, "tokens": found.tokens }),
        );
    }
    if let Approach::Prompt { .. } = lesson.approach {
        let (questions, tokens, minutes) = (count(found.steps), count(found.tokens as usize), found.seconds / 60.0);
        return print(out, &format!("{questions} questions, about {tokens} tokens, about {minutes:.1} minutes\n"));
    }
    let (steps, minutes, mebibytes) = (count(found.steps), found.seconds / 60.0, found.bytes >> 20);
    print(out, &format!("{steps} steps at most, about {minutes:.1} minutes here, about {mebibytes} MiB\n"))
}

/// Says which judge found labels that were made wrong on purpose.
fn judges(found: &ErrorJudges, as_json: bool, out: &mut dyn Write) -> Done {
    let all = [("noise_model", found.model), ("training", found.training), ("both", found.both)];
    if as_json {
        let one = |(name, of): (&str, JudgeFigures)| {
            (name.to_owned(), json!({ "auroc": round(of.auroc), "precision": round(of.precision) }))
        };
        let mut value = Value::Object(all.into_iter().map(one).collect());
        value["planted"] = json!(found.planted);
        value["rows"] = json!(found.rows);
        return print_json(out, &value);
    }
    let mut text = format!("{} of {} labels were made wrong on purpose\n", count(found.planted), count(found.rows));
    for (name, of) in all {
        let name = name.replace('_', " ");
        text.push_str(&format!(
            "  {name:<12} AUROC {:.3}, {:.0} % of the first {} are wrong\n",
            of.auroc,
            of.precision * 100.0,
            found.planted
        ));
    }
    print(out, &text)
}

/// Says what more samples are worth.
fn curve(found: &LearningCurve, as_json: bool, out: &mut dyn Write) -> Done {
    if as_json {
        let points: Vec<Value> = found
            .points
            .iter()
            .map(|point| {
                json!({ "share": point.share, "samples": point.samples, "accuracy": round(point.accuracy), "low": round(point.range.0), "high": round(point.range.1) })
            })
            .collect();
        return print_json(out, &json!({ "curve": points, "twice": found.twice.map(round) }));
    }
    let mut text = String::new();
    for point in &found.points {
        let (low, high) = point.range;
        text.push_str(&format!(
            "{:>10} samples  {:.3}  ({low:.3} to {high:.3} over three seeds)\n",
            count(point.samples),
            point.accuracy
        ));
    }
    if let Some(twice) = found.twice {
        text.push_str(&format!("twice the samples would come to about {twice:.3}, if it goes on as it went\n"));
    }
    print(out, &text)
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

pub(super) fn chosen<'w>(workspace: &'w Workspace, named: Option<&str>) -> Result<&'w NamedRun, Failure> {
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
            Ok(mut found) => {
                let means = TeachMeans::of(workspace.derived());
                found.others = other_tests(workspace.dataset(), &kept.run, means, &progress).map_err(say)?;
                list.push((kept, Some(found)));
            }
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
        for one in &found.others {
            let (low, high) = one.interval;
            let of = format!("on {}, {}", one.part, things(one.rows, "sample", "samples"));
            text.push_str(&format!("{:>4}  {of:<44} {:>8.3} {:>17}\n", "", one.accuracy(), format!("({low:.3} to {high:.3})")));
        }
    }
    for pair in &pairs {
        let (one, other) = named(pair);
        text.push_str(&format!("{}\n", pair.words(one, other)));
    }
    print(out, &text)
}
