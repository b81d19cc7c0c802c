//! What the promises about the trainer's eye are measured with: `cargo bench --bench eye`. Python's tokenizer and templates run here where they are (`PYTHON`, else `python3`, with
//! tokenizers, with jinja2); else that is said. The floor of tokens is the reference library in the same process.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::Path;
use std::process::Command;

use lapidary::eye::{Trainer, TrainerTarget, dry_run, rows_of};
use lapidary::io::{self, ChatModelOf, Reading, open_chat_model};
use lapidary::job::Progress;
use lapidary::render::{Conversation, RenderTime};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

mod support;

use support::timed;

fn row(what: &str, ours: String, floor: String, ratio: Option<f64>, promise: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    println!("{what:<62} {ours:>14} {floor:>26} {ratio:>7}  {promise}");
}

/// Instructions of Alpaca's size (some 74 tokens a row), put together of real questions and answers.
fn instructions(n: usize) -> Vec<Value> {
    let text = std::fs::read_to_string("assets/samples/gsm8k.jsonl").unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut random = StdRng::seed_from_u64(3);
    let sentence = |random: &mut StdRng, name: &str| {
        let whole = lines[random.random_range(0..lines.len())][name].as_str().unwrap().to_owned();
        let parts: Vec<&str> = whole.split_inclusive(['.', '\n']).collect();
        parts[random.random_range(0..parts.len())].trim().to_owned()
    };
    (0..n)
        .map(|at| {
            let asked = sentence(&mut random, "question");
            let answer: Vec<String> = (0..2).map(|_| sentence(&mut random, "answer")).collect();
            json!({ "instruction": format!("{at}. {asked}"), "input": "", "output": answer.join(" ") })
        })
        .collect()
}

fn chat(row: &Value) -> Value {
    json!({ "messages": [
        { "role": "user", "content": row["instruction"] },
        { "role": "assistant", "content": row["output"] },
    ] })
}

fn written(folder: &Path, name: &str, rows: &[Value]) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, rows.iter().map(|row| format!("{row}\n")).collect::<String>()).unwrap();
    path
}

/// What a script of Python prints: processor seconds.
fn python(script: &str) -> Option<f64> {
    let program = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(program).args(["-c", script]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn or_skipped(seconds: Option<f64>, what: &str) -> String {
    seconds.map_or_else(|| format!("skipped: no {what}"), |seconds| format!("{seconds:.2} s {what}"))
}

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{:<62} {:>14} {:>26} {:>7}  promise", "", "Lapidary", "floor", "ratio");
    let rows = instructions(52_002);
    let model = open_chat_model(&ChatModelOf::default()).unwrap();
    let texts: Vec<String> = rows.iter().map(|row| format!("{}\n{}", row["instruction"], row["output"])).collect();
    let (n, _, ours) = timed(|| texts.iter().map(|text| model.tokenizer.encode(text).len()).sum::<usize>());
    let (same, _, theirs) = timed(|| texts.iter().map(|text| model.tokenizer.by_reference(text).len()).sum::<usize>());
    assert_eq!(n, same);
    println!("tokens of {} rows, {n} tokens, one thread", rows.len());
    row("  against the library, in Rust", format!("{ours:.2} s"), format!("{theirs:.2} s"), Some(theirs / ours), "≥ 5 × faster");
    let lines = written(folder.path(), "texts.jsonl", &texts.iter().map(|text| json!(text)).collect::<Vec<_>>());
    let tokenizer = Path::new("../shared/reference/trainers/tokenizer/tokenizer.json");
    let script = format!(
        "import json, time, tokenizers\nt = tokenizers.Tokenizer.from_file({:?})\nx = [json.loads(l) for l in open({:?})]\ns = time.process_time()\nfor a in x: t.encode(a)\nprint(time.process_time() - s)",
        tokenizer.display().to_string(),
        lines.display().to_string()
    );
    let peer = if tokenizer.exists() { python(&script) } else { None };
    if peer.is_some() {
        let own = lapidary::tokens::TextTokenizer::read(&std::fs::read(tokenizer).unwrap(), "small").unwrap();
        let (_, _, ours) = timed(|| texts.iter().map(|text| own.encode(text).len()).sum::<usize>());
        row(
            "  the small tokenizer, against Python's",
            format!("{ours:.2} s"),
            or_skipped(peer, "tokenizers"),
            peer.map(|peer| peer / ours),
            "≥ 5 ×",
        );
    } else {
        row("  the small tokenizer, against Python's", String::new(), or_skipped(None, "tokenizers"), None, "≥ 5 ×");
    }
    println!("templates, 20,000 chats");
    let chats: Vec<Value> = rows.iter().take(20_000).map(chat).collect();
    let path = written(folder.path(), "few.jsonl", &chats);
    for name in ["chatml", "qwen3"] {
        let model = open_chat_model(&ChatModelOf::BuiltIn(name.to_owned())).unwrap();
        let none = Map::new();
        let (_, _, ours) = timed(|| {
            for chat in &chats {
                let conversation = Conversation {
                    messages: chat["messages"].as_array().unwrap(),
                    tools: None,
                    documents: None,
                    add_generation_prompt: false,
                    tokens: &model.tokens,
                    more: &none,
                    now: RenderTime::at(0),
                };
                std::hint::black_box(model.template.render(&conversation).unwrap());
            }
        });
        let script = format!(
            "import json, time, jinja2\nfrom jinja2.sandbox import ImmutableSandboxedEnvironment\nt = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(open('assets/trainers/templates/{name}.jinja').read())\nx = [json.loads(l)['messages'] for l in open({:?})]\ns = time.process_time()\nfor a in x: t.render(messages=a, add_generation_prompt=False, tools=None)\nprint(time.process_time() - s)",
            path.display().to_string()
        );
        let peer = python(&script);
        row(
            &format!("  {name}"),
            format!("{ours:.2} s"),
            or_skipped(peer, "jinja2"),
            peer.map(|peer| peer / ours),
            "≥ 5 × faster",
        );
    }
    println!(
        "dry run with tokens, masks and reasons (processor time; the trainers took 31 to 77 s of Alpaca's, see the reference)"
    );
    let alpaca = written(folder.path(), "instructions.jsonl", &rows);
    let chats = written(folder.path(), "chats.jsonl", &rows.iter().map(chat).collect::<Vec<_>>());
    for (trainer, path) in
        [(Trainer::LlamaFactory, &alpaca), (Trainer::Trl, &chats), (Trainer::Axolotl, &alpaca), (Trainer::Unsloth, &chats)]
    {
        let target = TrainerTarget::of(trainer, ChatModelOf::default());
        let dataset = io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
        let forms = rows_of(&dataset, trainer).unwrap();
        let mut seconds = Vec::new();
        for part in [10, 1] {
            // A tenth of the rows first: ten times the rows, ten times the work.
            let few = written(
                folder.path(),
                "part.jsonl",
                &rows
                    .iter()
                    .take(52_002 / part)
                    .map(|row| if trainer == Trainer::Trl || trainer == Trainer::Unsloth { chat(row) } else { row.clone() })
                    .collect::<Vec<_>>(),
            );
            let dataset = if part == 1 {
                dataset.clone()
            } else {
                io::open(&few, &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
            };
            let (run, clock, processor) = timed(|| dry_run(&dataset, &forms, &target, &model, &Progress::silent()).unwrap());
            assert_eq!(run.kept, 52_002 / part);
            seconds.push((clock.as_secs_f64(), processor));
        }
        let grown = seconds[1].1 / seconds[0].1.max(0.01);
        row(
            &format!("  {}, 52,002 rows", trainer.entry().title),
            format!("{:.2} s", seconds[1].1),
            format!("{:.2} s on the clock", seconds[1].0),
            None,
            &format!("≤ 2.5 s; a tenth of the rows costs 1 / {grown:.1}"),
        );
    }
}
