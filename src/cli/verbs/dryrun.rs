//! What a trainer makes of a dataset, before it is trained on.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::READING;
use crate::cli::said::{note, print, print_json, say};
use crate::data::{count, things};
use crate::eye::{ALIKE, MISREAD, TRAINERS, Trainer, TrainerTarget, Tuning, UNSEEN, dry_report, dry_run, packed_words, rows_of};
use crate::io::{self, BUILT_IN, ChatModelOf};
use crate::job::Progress;
use crate::trainers::llamafactory;

/// The command.
pub const VERB: Verb = Verb {
    name: "dryrun",
    summary: "say what a trainer makes of every row: learned from, cut, left out, failing the run, and why",
    usage: "PATH --target TRAINER [--model NAME|DIR] [--length N] [--report FILE] [--json]",
    example: "lapidary dryrun chats.jsonl --target llamafactory --model qwen2.5 --length 2048 --json",
    options: &[
        &[
            ("--target", Some("TRAINER"), "the trainer, of those below"),
            (
                "--model",
                Some("NAME|DIR"),
                "a built-in model, of those below, or a model's folder with its tokenizer and chat template",
            ),
            (
                "--template",
                Some("FILE"),
                "a chat template in place of the model's own; for llamafactory the name of one of its templates",
            ),
            ("--length", Some("N"), "the most tokens of a row (the trainer's usual)"),
            (
                "--answers-only",
                None,
                "learn answers only: TRL's assistant_only_loss, Unsloth's train_on_responses_only, mlx-lm's mask_prompt",
            ),
            ("--as-written", None, "look at rows as export --for writes them, and not as they stand"),
            ("--epochs", Some("N"), "how often the whole is gone through, for the budget (3)"),
            ("--report", Some("FILE"), "write a page of HTML, or Markdown where the name ends in .md"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: Some(more),
    run,
};

fn more() -> String {
    let mut text = "\nTrainers:\n".to_owned();
    for entry in &TRAINERS {
        text.push_str(&format!("  {:<13} {}; {} {}: {}\n", entry.name, entry.title, entry.limit, entry.usual, entry.too_long));
    }
    let names: Vec<&str> = BUILT_IN.iter().map(|one| one.name).collect();
    text.push_str(&format!("\nBuilt-in models: {}\n", names.join(", ")));
    let names: Vec<&str> = llamafactory::template_names().collect();
    text.push_str(&format!("LLaMA-Factory's templates that are known here: {}\n", names.join(", ")));
    text
}

/// The target that the options name.
pub(super) fn target(arguments: &Arguments, option: &str) -> Result<TrainerTarget, Failure> {
    let names = || TRAINERS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
    let name = arguments.get(option).ok_or_else(|| format!("for which trainer? {option} takes one of: {}", names()))?;
    let trainer =
        Trainer::from_name(name).ok_or_else(|| format!("there is no trainer called {name:?}; there are: {}", names()))?;
    let model = match arguments.get("--model") {
        None => ChatModelOf::default(),
        Some(name) if BUILT_IN.iter().any(|one| *one.name == *name) => ChatModelOf::BuiltIn(name.to_owned()),
        Some(path) if Path::new(path).exists() => ChatModelOf::Folder(PathBuf::from(path)),
        Some(name) => ChatModelOf::BuiltIn(name.to_owned()),
    };
    let mut target = TrainerTarget::of(trainer, model);
    target.length = arguments.number::<usize>("--length")?.unwrap_or(target.length);
    target.epochs = arguments.number::<u32>("--epochs")?.unwrap_or(target.epochs);
    if target.length == 0 || target.epochs == 0 {
        return Err("--length and --epochs take a number above 0".to_owned());
    }
    target.as_written = arguments.has("--as-written");
    target.answers_only = arguments.has("--answers-only");
    if target.answers_only && trainer.entry().answers_only.is_none() {
        return Err(format!("{} has no switch for learning answers only", trainer.entry().title));
    }
    if let Some(path) = arguments.get("--template") {
        if trainer == Trainer::LlamaFactory && llamafactory::template(path).is_some() {
            path.clone_into(&mut target.factory);
        } else if trainer.entry().templated {
            target.template = io::read_small(Path::new(path)).map_err(say)?;
        } else {
            return Err(format!("{} has templates of its own, and asks no other", trainer.entry().title));
        }
    }
    if let Some(name) = arguments.get("--tune") {
        let all = Tuning::ALL.map(Tuning::name).join(", ");
        target.tuning = Tuning::from_name(name).ok_or_else(|| format!("--tune takes one of {all}, and not {name:?}"))?;
    }
    Ok(target)
}

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
    let target = target(arguments, "--target")?;
    let workspace = open(arguments)?;
    let dataset = workspace.dataset();
    let rows = rows_of(dataset, target.trainer)
        .ok_or("nothing here that a language model learns from: no chats, no instructions, no questions and answers, no text")?;
    let model = target.open().map_err(say)?;
    let done = dry_run(dataset, &rows, &target, &model, &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    if rows.odd > 0 {
        note(err, &format!("{} of the first hundred rows are of another form than {}", rows.odd, rows.form.name()));
    }
    if let Some(path) = arguments.get("--report") {
        let markdown = Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md"));
        let name = dataset.base.origin.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        io::write_beside(dataset, Path::new(path), &dry_report(&done, &rows, &target, &name, markdown)).map_err(say)?;
        note(err, &format!("wrote {path}"));
    }
    let lost = done.rows() - done.trained() + done.undrawn.len();
    if arguments.has("--json") {
        print_json(out, &done.json(&target, &rows))?;
        return Ok(lost > 0);
    }
    let mut text = format!(
        "{} rows in, {} learned from, {} cut at {}, {} of {} tokens learned\n",
        count(done.rows()),
        count(done.trained()),
        count(done.cut),
        count(target.length),
        count(done.learned as usize),
        count(done.tokens as usize)
    );
    let mut line = |n: usize, what: &str| {
        if n > 0 {
            text.push_str(&format!("{:>9}  {what}\n", count(n)));
        }
    };
    done.fails.iter().for_each(|(reason, n)| {
        let said = done.said.get(reason).map_or(String::new(), |said| format!(": {said}"));
        line(*n, &format!("fail the whole run: {}{said}", reason.words()));
    });
    done.dropped.iter().for_each(|(reason, n)| line(*n, &format!("left out: {}", reason.words())));
    line(done.unseen.len(), UNSEEN);
    line(done.alike.len(), ALIKE);
    line(done.misread.len(), MISREAD);
    line(done.undrawn.len(), &done.undrawn_words());
    line(done.nothing, "kept, and nothing of them is learned");
    line(done.endless.len(), "do not end with a control token that is learned: the model is not taught to stop");
    line(done.control.len(), "have control tokens in their text");
    if done.packed.sequences > 0 {
        text.push_str(&format!("packed into sequences of {}: {}\n", count(target.length), packed_words(&done)));
    }
    text.push_str(&format!(
        "{} tokens in {}, {} steps of {} rows\n",
        count(done.tokens as usize * target.epochs as usize),
        things(target.epochs as usize, "epoch", "epochs"),
        count(done.steps(&target)),
        done.batch(&target)
    ));
    done.notes(&target).iter().for_each(|text| note(err, text));
    print(out, &text)?;
    Ok(lost > 0)
}
