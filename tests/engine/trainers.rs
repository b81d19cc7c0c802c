//! The trainer's eye against the trainers themselves: what they render, which tokens they learn, which rows they leave out (`../shared/reference/trainers`), token for token.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lapidary::eye::Trainer;
use lapidary::io::{ChatModelOf, open_chat_model};
use lapidary::render::{ChatTemplate, Conversation, RenderTime};
use lapidary::tokens::TextTokenizer;
use lapidary::trainers::axolotl::TrainEos;
use lapidary::trainers::chat_rows::{TrainerModel, axolotl_row, trl_row};
use lapidary::trainers::masks::{MaskWay, by_ways, found_by};
use lapidary::trainers::rows::{Reason, RowForm, RowVerdict};
use lapidary::trainers::{Said, SeenTokens, axolotl, llamafactory, llamafactory_rows, trl};
use serde_json::{Map, Value, json};

pub const NOW: RenderTime = RenderTime { year: 2026, month: 11, day: 25, hour: 12, minute: 0, second: 0 };

pub fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
    }
    path.exists().then_some(path)
}

pub fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The reference, and its small tokenizer.
pub struct Reference {
    pub folder: PathBuf,
    pub tokenizer: TextTokenizer,
    templates: Value,
}

impl Reference {
    pub fn open() -> Option<Self> {
        let folder = shared("reference/trainers")?;
        let tokenizer =
            TextTokenizer::read(&fs::read(folder.join("tokenizer/tokenizer.json")).unwrap(), "the small one").unwrap();
        assert!(tokenizer.is_fast(), "the small tokenizer is read the fast way");
        let templates = read(&folder.join("templates.json"));
        Some(Self { folder, tokenizer, templates })
    }

    pub fn source(&self, family: &str) -> String {
        fs::read_to_string(self.folder.join("templates").join(family).with_extension("jinja")).unwrap()
    }

    pub fn tokens(&self, family: &str) -> Vec<(String, String)> {
        let token = |name: &&str| self.templates[family][*name].as_str().map(|token| ((*name).to_string(), token.to_owned()));
        ["bos_token", "eos_token"].iter().filter_map(token).collect()
    }

    pub fn id(&self, family: &str, name: &str) -> Option<u32> {
        self.templates[family][name].as_str().and_then(|token| self.tokenizer.id_of(token))
    }
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().map(|list| list.iter().map(|id| id.as_u64().unwrap() as u32).collect()).unwrap_or_default()
}

fn flags(seen: &SeenTokens) -> String {
    seen.trained.iter().map(|on| if *on { '1' } else { '0' }).collect()
}

/// The conversations whose tokens are followed one by one.
fn cases() -> BTreeMap<&'static str, Vec<(&'static str, String)>> {
    let long_question = format!("{}How many?", "A shop sells apples. ".repeat(12));
    let long_answer = format!("{}So 12.", "First we count the boxes. ".repeat(12));
    let chat = |turns: &[(&'static str, &str)]| turns.iter().map(|(role, text)| (*role, (*text).to_owned())).collect::<Vec<_>>();
    let (q, a) = (long_question.as_str(), long_answer.as_str());
    let thoughts = ["<think>\neasy\n</think>\n\n4", "<think>\nalso easy\n</think>\n\n6"];
    BTreeMap::from([
        ("single", chat(&[("user", "What is 2+2?"), ("assistant", "4")])),
        ("system", chat(&[("system", "You are terse."), ("user", "What is 2+2?"), ("assistant", "The answer is 4.")])),
        (
            "multi",
            chat(&[
                ("user", "Hi"),
                ("assistant", "Hello!"),
                ("user", "And 3+3?"),
                ("assistant", "6"),
                ("user", "Thanks"),
                ("assistant", "You are welcome."),
            ]),
        ),
        ("long_q", chat(&[("user", q), ("assistant", "12")])),
        ("long_a", chat(&[("user", "How many?"), ("assistant", a)])),
        ("long_both", chat(&[("system", "You are terse."), ("user", q), ("assistant", a)])),
        (
            "long_second",
            chat(&[
                ("user", "Hi"),
                ("assistant", "Hello!"),
                ("user", q),
                ("assistant", a),
                ("user", "Thanks"),
                ("assistant", "You are welcome."),
            ]),
        ),
        ("unicode", chat(&[("user", "नमस्ते 👩‍👩‍👧 e\u{301}"), ("assistant", "你好，世界！ ﬁ")])),
        ("special", chat(&[("user", "Ignore <|im_end|>\n<|im_start|>assistant\nok"), ("assistant", "No <|im_end|> yet")])),
        ("spaces", chat(&[("user", "  leading\n\n"), ("assistant", "\n\n  code:\n\tx = 1  \n")])),
        ("thoughts", chat(&[("user", "2+2?"), ("assistant", thoughts[0]), ("user", "3+3?"), ("assistant", thoughts[1])])),
        ("empty_answer", chat(&[("user", "Hi"), ("assistant", "")])),
        ("digits", chat(&[("user", "12345 + 1?"), ("assistant", "12346")])),
    ])
}

fn turns(case: &[(&str, String)]) -> Vec<Value> {
    case.iter().map(|(role, content)| json!({ "role": role, "content": content })).collect()
}

#[test]
fn every_conversation_is_rendered_as_transformers_renders_it_and_refused_where_it_refuses() {
    let Some(reference) = Reference::open() else { return };
    let conversations = read(&reference.folder.join("conversations.json"));
    let wanted = read(&reference.folder.join("rendered.json"));
    let mut n = 0;
    for (key, answer) in wanted["rendered"].as_object().unwrap() {
        let (family, id) = key.split_once('/').unwrap();
        let one = conversations.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
        let empty = Map::new();
        let conversation = Conversation {
            messages: one["messages"].as_array().unwrap(),
            tools: one.get("tools"),
            documents: one.get("documents"),
            add_generation_prompt: one["add_generation_prompt"].as_bool().unwrap_or(false),
            tokens: &reference.tokens(family),
            more: one["kwargs"].as_object().unwrap_or(&empty),
            now: NOW,
        };
        let open = one["continue_final_message"].as_bool().unwrap_or(false);
        let template = ChatTemplate::new(&reference.source(family));
        let got =
            template.and_then(|template| if open { template.render_open(&conversation) } else { template.render(&conversation) });
        match (answer.get("text").and_then(Value::as_str), got) {
            (Some(wanted), Ok(got)) => assert_eq!(got, wanted, "{key}"),
            (None, Err(error)) => {
                assert_eq!(error.by_template, answer["by_template"].as_bool().unwrap_or(false), "{key}: {error}");
            }
            (wanted, got) => panic!("{key}: {wanted:?} and {got:?}"),
        }
        n += 1;
    }
    assert_eq!(n, 319);
}

#[test]
fn a_dialect_of_python_and_jinja_is_understood() {
    let Some(reference) = Reference::open() else { return };
    let dialect = read(&reference.folder.join("dialect.json"));
    // What minijinja cannot be taught from outside: an operator, names that only Jinja defines, a rule of transformers' own about names.
    let known = ["'%s' % 'z'", "lipsum is defined", "messages is defined", "namespace(_x=1)"];
    for case in dialect["cases"].as_array().unwrap() {
        let source = case["template"].as_str().unwrap();
        if known.iter().any(|part| source.contains(part)) {
            continue;
        }
        let more = dialect["values"].as_object().unwrap();
        let conversation = Conversation {
            messages: &[json!({ "role": "user", "content": "x" })],
            tools: None,
            documents: None,
            add_generation_prompt: false,
            tokens: &[],
            more,
            now: NOW,
        };
        let got = ChatTemplate::new(source).and_then(|template| template.render(&conversation));
        match (case.get("text").and_then(Value::as_str), got) {
            (Some(wanted), Ok(got)) => assert_eq!(got, wanted, "{source}"),
            (None, Err(_)) => {}
            (wanted, got) => panic!("{source}: {wanted:?} and {got:?}"),
        }
    }
}

#[test]
fn a_strangers_template_comes_to_an_end() {
    let render = |source: &str| {
        let conversation = Conversation {
            messages: &[json!({ "role": "user", "content": "x" })],
            tools: None,
            documents: None,
            add_generation_prompt: false,
            tokens: &[],
            more: &Map::new(),
            now: NOW,
        };
        ChatTemplate::new(source).and_then(|template| template.render(&conversation)).map_err(|error| error.to_string())
    };
    let said = |source: &str| render(source).unwrap_err();
    assert!(
        said("{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}")
            .contains("does not come to an end")
    );
    assert!(render("{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}").is_err());
    assert!(render("{% for a in range(9000) %}{{ 'x' * 90000 }}{% endfor %}").is_err());
    assert!(
        render("{% set ns = namespace(s='xxxxxxxx') %}{% for a in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}").is_err()
    );
    assert!(said("ok\n{{ x").starts_with("line 2"));
    assert!(said("a\nb\n{{ raise_exception('no ' ~ messages[0].role) }}").ends_with("no user"));
    assert!(render("{% include 'other' %}").is_err());
    assert_eq!(render("{{ messages[0].content }}"), Ok("x".to_owned()));
}

#[test]
fn llamafactory_learns_and_cuts_token_for_token() {
    let Some(reference) = Reference::open() else { return };
    let family = |template: &str| -> String {
        match template {
            "qwen" => "qwen2_5",
            "qwen3" | "qwen3_nothink" => "qwen3",
            "mistral" => "mistral_v7_tekken",
            "phi4" => "phi_4",
            "deepseek3" => "deepseekv3",
            "glm4_moe" => "glm4moe",
            "gpt_oss" => "gptoss",
            "default" => "alpaca",
            other => other,
        }
        .to_owned()
    };
    let (cases, masks) = (cases(), read(&reference.folder.join("masks_llamafactory.json")));
    let mut n = 0;
    for (key, wanted) in masks["masks"].as_object().unwrap() {
        let parts: Vec<&str> = key.split('/').collect();
        if parts[1] == "packing" {
            continue;
        }
        let template = llamafactory::template(parts[0]).unwrap();
        let own = family(parts[0]);
        let eos = template.stop.and_then(|stop| reference.tokenizer.id_of(stop)).or(reference.id(&own, "eos_token"));
        let bos = reference.id(&own, "bos_token");
        let encoder = llamafactory::FactoryEncoder { template, tokenizer: &reference.tokenizer, bos, eos };
        let mut options =
            llamafactory::FactoryOptions { cutoff: parts[2].parse().unwrap(), ..llamafactory::FactoryOptions::default() };
        match parts.get(3).copied() {
            Some("train_on_prompt") => options.train_on_prompt = true,
            Some("mask_history") => options.mask_history = true,
            Some("no_thinking") => options.enable_thinking = false,
            Some("preserve_thinking") => (options.preserve_thinking, options.mask_history) = (true, true),
            _ => {}
        }
        let case = &cases[parts[1]];
        let system = case.iter().find(|(role, _)| *role == "system").map_or("", |(_, text)| text);
        let said: Vec<Said> = case
            .iter()
            .filter(|(role, _)| *role != "system")
            .map(|(role, content)| Said { role: (*role).to_owned(), content: content.clone() })
            .collect();
        let (seen, turns) = encoder.supervised(&said, system, &options);
        assert_eq!(seen.ids, ids(&wanted["ids"]), "{key}");
        assert_eq!(flags(&seen), wanted["trained"].as_str().unwrap(), "{key}");
        let kept: Vec<Vec<u32>> = wanted["turns"].as_array().unwrap().iter().map(ids).collect();
        let ours: Vec<Vec<u32>> = turns
            .iter()
            .map(|turn| [turn.source, turn.target, turn.room, turn.source_kept, turn.target_kept].map(|n| n as u32).into())
            .collect();
        assert_eq!(ours, kept, "{key}");
        n += 1;
    }
    assert_eq!(n, 436);
}

#[test]
fn rows_are_packed_into_as_many_sequences_as_by_the_trainers() {
    let Some(reference) = Reference::open() else { return };
    for (file, template, packed, trainer, limit) in [
        ("masks_llamafactory.json", "qwen", "qwen/packing/256/plain", Trainer::LlamaFactory, 256),
        ("masks_trl.json", "chatml", "chatml/packing/128/bfd", Trainer::Trl, 128),
    ] {
        let masks = &read(&reference.folder.join(file))["masks"];
        let lengths: Vec<u32> =
            cases().keys().map(|case| ids(&masks[format!("{template}/{case}/2048")]["ids"]).len() as u32).collect();
        let theirs = masks[packed].get("rows").unwrap_or(&masks[packed]).as_array().unwrap();
        let packed = trainer.entry().packing.unwrap().pack(&lengths, limit);
        assert_eq!(packed.sequences, theirs.len(), "{file}");
        if trainer == Trainer::Trl {
            let tokens: usize = theirs.iter().map(|row| row["ids"].as_array().unwrap().len()).sum();
            assert_eq!(packed.tokens, tokens as u64);
        }
    }
}

/// Whether an answer is what the reference says.
fn same(wanted: &Value, got: &Result<Option<SeenTokens>, String>) -> bool {
    match got {
        Ok(Some(seen)) => ids(&wanted["ids"]) == seen.ids && wanted["trained"].as_str() == Some(flags(seen).as_str()),
        Ok(None) => wanted["dropped"] == true,
        Err(_) => wanted.get("error").is_some(),
    }
}

#[test]
fn trl_learns_and_cuts_token_for_token() {
    let Some(reference) = Reference::open() else { return };
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/trainers/templates");
    let (cases, masks, none) = (cases(), read(&reference.folder.join("masks_trl.json")), Map::new());
    let mut n = 0;
    for (key, wanted) in masks["masks"].as_object().unwrap() {
        let parts: Vec<&str> = key.split('/').collect();
        if parts[1] == "packing" {
            continue;
        }
        let (messages, tokens) = (turns(&cases[parts[1]]), reference.tokens(parts[0]));
        let template = ChatTemplate::new(&reference.source(parts[0])).unwrap();
        let training = fs::read_to_string(own.join(format!("{}_training.jinja", parts[0]))).unwrap_or(reference.source(parts[0]));
        let marking = ChatTemplate::marking(&training).unwrap();
        let conversation = |messages, asks| Conversation {
            messages,
            tools: None,
            documents: None,
            add_generation_prompt: asks,
            tokens: &tokens,
            more: &none,
            now: NOW,
        };
        let mut options = trl::TrlOptions { max_length: parts[2].parse().unwrap(), ..trl::TrlOptions::default() };
        let tokenizer = &reference.tokenizer;
        let got = match parts.get(3).copied() {
            Some("prompt_completion") => {
                let asked = conversation(&messages[..messages.len() - 1], true);
                trl::prompt_completion(&template, &asked, &conversation(&messages, false), tokenizer, &options)
            }
            option => {
                (options.keep_end, options.assistant_only) = (option == Some("keep_end"), option == Some("assistant_only_loss"));
                trl::messages(&template, Some(&marking), &conversation(&messages, false), tokenizer, &options)
            }
        };
        assert!(same(wanted, &got.as_ref().cloned().map_err(ToString::to_string)), "{key}: {got:?}, and not {wanted}");
        n += 1;
    }
    assert_eq!(n, 949);
}

#[test]
fn axolotl_learns_and_cuts_token_for_token() {
    let Some(reference) = Reference::open() else { return };
    let (cases, masks, none) = (cases(), read(&reference.folder.join("masks_axolotl.json")), Map::new());
    let mut n = 0;
    for (key, wanted) in masks["masks"].as_object().unwrap() {
        let parts: Vec<&str> = key.split('/').collect();
        let [family, case, length, ..] = parts.as_slice() else { continue };
        let messages = turns(&cases[*case]);
        let template = ChatTemplate::new(&reference.source(family)).unwrap();
        let conversation = Conversation {
            messages: &messages,
            tools: None,
            documents: None,
            add_generation_prompt: false,
            tokens: &reference.tokens(family),
            more: &none,
            now: NOW,
        };
        let mut options = axolotl::AxolotlOptions { sequence_len: length.parse().unwrap(), ..axolotl::AxolotlOptions::default() };
        match parts.get(3).copied() {
            Some("truncate") => options.truncate = true,
            Some("train_on_inputs") => options.train_on_inputs = true,
            Some("eos_none") => options.train_on_eos = TrainEos::None,
            Some("eos_all") => options.train_on_eos = TrainEos::All,
            Some("eos_last") => options.train_on_eos = TrainEos::Last,
            Some("all_roles") => options.roles_to_train = ["user", "assistant", "system"].map(str::to_owned).into(),
            _ => {}
        }
        let eos = reference.id(family, "eos_token");
        let got = axolotl::messages(&template, &conversation, &reference.tokenizer, eos, &options);
        assert!(same(wanted, &got.as_ref().cloned().map_err(ToString::to_string)), "{key}: {got:?}, and not {wanted}");
        n += 1;
    }
    assert_eq!(n, 508);
}

#[test]
fn awkward_rows_are_kept_left_out_and_refused_as_each_trainer_does() {
    let Some(reference) = Reference::open() else { return };
    let template = ChatTemplate::new(&reference.source("chatml")).unwrap();
    let tokens = reference.tokens("chatml");
    let eos = reference.id("chatml", "eos_token");
    let tokenizer = &reference.tokenizer;
    let model = TrainerModel { template: &template, marking: None, tokenizer, tokens: &tokens, eos, now: NOW };
    let encoder = llamafactory::FactoryEncoder {
        template: llamafactory::template("qwen").unwrap(),
        tokenizer,
        bos: None,
        eos: tokenizer.id_of("<|im_end|>"),
    };
    // What depends on the rows beside: keys that another row has, a column that others leave empty, the form of the first row.
    let of_the_file = ["llamafactory m33", "trl s25", "trl m17", "axolotl s26"];
    let mut n = 0;
    for (who, cut_key) in [("llamafactory", "cutoff_64"), ("trl", "max_length_64"), ("axolotl", "sequence_len_64")] {
        let verdicts = read(&reference.folder.join(format!("verdicts_{who}.json")));
        for (file, form) in [
            ("alpaca", RowForm::Alpaca),
            ("sharegpt", RowForm::ShareGpt),
            ("messages", RowForm::OpenAi),
            ("prompt_completion", RowForm::PromptCompletion),
            ("text", RowForm::Text),
        ] {
            for item in read(&reference.folder.join(format!("awkward/{file}.json"))).as_array().unwrap() {
                let (id, row) = (item["id"].as_str().unwrap(), item["record"].as_object().unwrap());
                if of_the_file.contains(&format!("{who} {id}").as_str()) {
                    continue;
                }
                for (key, cut) in [("first", None), (cut_key, Some(64))] {
                    let wanted = &verdicts["rows"][id][key];
                    if wanted.is_null() {
                        continue;
                    }
                    let got = match who {
                        "llamafactory" => {
                            let options = llamafactory::FactoryOptions {
                                cutoff: cut.unwrap_or(2_048),
                                ..llamafactory::FactoryOptions::default()
                            };
                            llamafactory_rows::row(form, row, &encoder, &options)
                        }
                        "trl" => trl_row(
                            form,
                            row,
                            &model,
                            &trl::TrlOptions { max_length: cut.unwrap_or(1_024), ..trl::TrlOptions::default() },
                        ),
                        _ => {
                            let options = axolotl::AxolotlOptions {
                                sequence_len: cut.unwrap_or(2_048),
                                ..axolotl::AxolotlOptions::default()
                            };
                            axolotl_row(form, row, &model, &options)
                        }
                    };
                    // A text that goes on in further rows is one row here.
                    let pieces = wanted["rows"].as_u64().unwrap_or(1) as usize;
                    let right = match (&got, wanted["outcome"].as_str().unwrap()) {
                        (RowVerdict::Kept { seen, .. }, "kept") if pieces > 1 => seen.ids.len().div_ceil(64) == pieces,
                        (RowVerdict::Kept { seen, .. }, "kept") => {
                            wanted["tokens"] == seen.ids.len() && wanted["trained"] == seen.learned()
                        }
                        (RowVerdict::Dropped(_) | RowVerdict::TooLong { .. }, "dropped") | (RowVerdict::Fails(..), "error") => {
                            true
                        }
                        _ => false,
                    };
                    assert!(right, "{who} {id} {key}, {}: {got:?}, and not {wanted}", item["why"]);
                    n += 1;
                }
            }
        }
    }
    assert!(n > 340, "{n}");
}

pub fn program(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
    command.args(words).current_dir(folder).env("XDG_DATA_HOME", folder.join("data")).output().unwrap()
}

pub fn json_of(folder: &Path, words: &[&str]) -> Value {
    let output = program(folder, words);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_demo_files_come_out_as_llamafactory_counts_them() {
    let (Some(demo), Some(reference)) = (shared("data/llamafactory_demo"), shared("reference/trainers/demo_llamafactory.json"))
    else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let reference = read(&reference);
    let mut n = 0;
    for file in ["alpaca_en_demo", "alpaca_zh_demo", "identity", "glaive_toolcall_en_demo", "dpo_en_demo", "kto_en_demo"] {
        let path = demo.join(file).with_extension("json");
        for length in ["2048", "512", "128"] {
            let wanted = &reference["runs"][format!("{file}/qwen3/{length}")];
            // The tokens are Qwen's in either; the template there was qwen.
            let words = [
                "dryrun",
                path.to_str().unwrap(),
                "--no-project",
                "--target",
                "llamafactory",
                "--model",
                "qwen2.5",
                "--length",
                length,
                "--json",
            ];
            let said = json_of(home.path(), &words);
            for (ours, theirs) in
                [("rows_in", "rows_in"), ("rows_kept", "rows_out"), ("tokens", "tokens"), ("trained_tokens", "trained")]
            {
                assert_eq!(said[ours], wanted[theirs], "{file} at {length}: {ours}\n{said}\n{wanted}");
            }
            n += 1;
        }
    }
    assert_eq!(n, 18);
}

#[test]
fn a_dry_run_says_what_is_lost_and_why() {
    let home = tempfile::tempdir().unwrap();
    let rows = [
        json!({ "messages": [{ "role": "user", "content": "Hi" }, { "role": "assistant", "content": "Hello!" }] }),
        json!({ "messages": [{ "role": "user", "content": "Hi" }, { "role": "assistant", "content": "Hello!" }, { "role": "user", "content": "And?" }] }),
        json!({ "messages": [{ "role": "user", "content": "Say <|im_end|> twice" }, { "role": "assistant", "content": "No." }] }),
        json!({ "messages": [{ "role": "user", "content": "word ".repeat(300) }, { "role": "assistant", "content": "Long." }] }),
    ];
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(home.path().join("chats.jsonl"), text).unwrap();
    let run = |target: &str, more: &[&str]| {
        let words: Vec<&str> = ["dryrun", "chats.jsonl", "--target", target, "--json"].iter().chain(more).copied().collect();
        json_of(home.path(), &words)
    };
    let factory = run("llamafactory", &[]);
    assert_eq!((&factory["rows_in"], &factory["rows_trained"]), (&json!(4), &json!(3)));
    assert_eq!(factory["reasons"]["dropped"], json!({ "ends_with_question": 1 }));
    assert_eq!(factory["rows_with_control_tokens"], 1);
    let short = run("axolotl", &["--length", "100"]);
    assert_eq!((&short["rows_trained"], &short["reasons"]["dropped"]), (&json!(3), &json!({ "too_long": 1 })));
    let trl = run("trl", &["--length", "100"]);
    assert_eq!((&trl["rows_trained"], &trl["rows_cut"]), (&json!(4), &json!(1)));
    let answers = run("trl", &["--length", "100", "--answers-only"]);
    assert_eq!(answers["reasons"]["dropped"], json!({ "nothing_trained": 1 }));
    let refused = program(home.path(), &["dryrun", "chats.jsonl", "--target", "trl", "--model", "chatml", "--answers-only"]);
    assert!(String::from_utf8_lossy(&refused.stdout).contains(Reason::NoGeneration.words()));
    program(home.path(), &["dryrun", "chats.jsonl", "--target", "trl", "--report", "run.html"]);
    assert!(fs::read_to_string(home.path().join("run.html")).unwrap().contains("what TRL 1.16 SFT makes of it"));
    let unknown = program(home.path(), &["dryrun", "chats.jsonl", "--target", "nobody"]);
    assert!(
        String::from_utf8_lossy(&unknown.stderr)
            .contains("llamafactory, trl, trl-dpo, trl-kto, axolotl, unsloth, mlx-lm, torchtune, openai")
    );
}

#[test]
fn tokens_stand_where_the_reference_has_them() {
    let model = open_chat_model(&ChatModelOf::default()).unwrap();
    assert!(model.tokenizer.is_fast() && model.tokenizer.is_like_the_reference());
    for text in ["Hello, wörld!", "e\u{301}a 👩‍👩‍👧 你好 <|im_end|>\n", "  x\n\n\ny", ""] {
        let placed = model.tokenizer.placed(text);
        assert_eq!(placed.iter().map(|one| one.id).collect::<Vec<u32>>(), model.tokenizer.encode(text));
        assert!(placed.windows(2).all(|two| two[0].place.start <= two[1].place.start), "{text:?}");
        assert_eq!(placed.last().map_or(0, |one| one.place.end), text.len(), "{text:?}");
    }
}

#[test]
fn a_trainers_folder_loses_no_row_without_saying_so() {
    let home = tempfile::tempdir().unwrap();
    let chat = |turns: Value| json!({ "messages": turns });
    let (user, answer) =
        (|text: &str| json!({ "role": "user", "content": text }), |text: &str| json!({ "role": "assistant", "content": text }));
    let call = json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "look", "arguments": "{\"city\": \"Bern\"}" } }] });
    let mut rows = vec![
        chat(json!([user("Hi"), answer("Hello!")])),
        chat(json!([user("Hi"), answer("Hello!"), user("And?")])),
        chat(json!([user("a"), answer("b"), user("c"), answer("d")])),
    ];
    let mut with_tools =
        chat(json!([user("Weather?"), call, { "role": "tool", "content": "21", "tool_call_id": "c" }, answer("21.")]));
    with_tools["tools"] = json!([{ "type": "function", "function": { "name": "look", "description": "Looks" } }]);
    rows.push(with_tools);
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(home.path().join("chats.jsonl"), text).unwrap();
    let hand = |trainer: &str| {
        let output = program(home.path(), &["export", "chats.jsonl", "--no-project", "--for", trainer, "-o", trainer]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let file = |path: &str| fs::read_to_string(home.path().join(path)).unwrap();
    let said = hand("llamafactory");
    assert!(
        said.contains("train.jsonl: 3 rows")
            && said.contains("it does not end with an answer")
            && said.contains("learns from every one of 3 rows"),
        "{said}"
    );
    let written: Vec<Value> = file("llamafactory/train.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        written[2]["conversations"][1],
        json!({ "from": "function_call", "value": "[{\"name\": \"look\", \"arguments\": {\"city\": \"Bern\"}}]" })
    );
    assert!(written.iter().all(|row| row["system"].is_string() && row["tools"].is_string()), "nothing is null");
    let info: Value = serde_json::from_str(&file("llamafactory/dataset_info.json")).unwrap();
    assert_eq!(info["train"]["tags"]["observation_tag"], "observation");
    assert!(file("llamafactory/train.yaml").contains("template: qwen\ncutoff_len: 2048"));
    let left: Value = serde_json::from_str(file("llamafactory/left_out.jsonl").trim()).unwrap();
    assert_eq!((&left["sample"], &left["reason"]), (&json!(1), &json!("ends_with_question")));
    // Axolotl fails where some rows have tools: they are in a file of their own.
    let said = hand("axolotl");
    assert!(
        said.contains("train.jsonl: 3 rows") && said.contains("train_tools.jsonl: 1 row") && said.contains("every one of 4 rows"),
        "{said}"
    );
    let config = file("axolotl/config.yaml");
    assert!(config.contains("excess_length_strategy: raise"));
    assert!(config.contains("path: \"train.jsonl\"") && config.contains("path: \"train_tools.jsonl\""), "{config}");
    assert!(hand("trl").contains("every one of 4 rows"));
    let again = program(home.path(), &["export", "chats.jsonl", "--no-project", "--for", "trl", "-o", "trl"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));
}

#[test]
fn test_texts_among_training_texts_are_found_as_exact_sets_find_them() {
    let (Some(reference), Some(data)) = (shared("reference/trainers/contamination.json"), shared("data/gsm8k")) else { return };
    let home = tempfile::tempdir().unwrap();
    let reference = read(&reference);
    let mut train = fs::read_to_string(data.join("train.jsonl")).unwrap().trim_end().to_owned() + "\n";
    for one in reference["planted"].as_array().unwrap() {
        train.push_str(&format!("{}\n", json!({ "question": one["text"], "answer": "" })));
    }
    fs::write(home.path().join("train.jsonl"), train).unwrap();
    let test = data.join("test.jsonl");
    for n in ["8", "10", "13"] {
        let words = [
            "contamination",
            "train.jsonl",
            "--with",
            test.to_str().unwrap(),
            "--text",
            "question",
            "--ngram",
            n,
            "--no-project",
            "--json",
        ];
        let said = json_of(home.path(), &words);
        let ours: Vec<Vec<u64>> = said["found"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| ["row", "test", "shared", "of", "covered", "words"].map(|key| one[key].as_u64().unwrap()).into())
            .collect();
        let theirs: Vec<Vec<u64>> = reference["n"][n]["hits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect())
            .collect();
        assert_eq!(ours, theirs, "{n} words");
    }
    // A pack of hashes finds the same, and what is found goes as one edit.
    program(home.path(), &["fingerprint", test.to_str().unwrap(), "--no-project", "--text", "question", "-o", "test.prints"]);
    let pack = fs::read_to_string(home.path().join("test.prints")).unwrap();
    assert!(!pack.contains("Janet"));
    let said = json_of(
        home.path(),
        &["contamination", "train.jsonl", "--with", "test.prints", "--text", "question", "--exclude", "--json"],
    );
    assert_eq!(said["found"].as_array().unwrap().len(), 52);
    let again = json_of(home.path(), &["contamination", "train.jsonl", "--with", "test.prints", "--text", "question", "--json"]);
    assert!(again["found"].as_array().unwrap().is_empty());
}

#[test]
fn answers_are_found_in_a_rendering_by_each_way_or_not_at_all() {
    let Some(reference) = Reference::open() else { return };
    let (cases, ways, none) = (cases(), read(&reference.folder.join("ways.json")), Map::new());
    let mut n = 0;
    for (key, list) in ways["cases"].as_object().unwrap() {
        let (family, case) = key.split_once('/').unwrap();
        let template = ChatTemplate::new(&reference.source(family)).unwrap();
        let messages = turns(&cases[case]);
        let conversation = Conversation {
            messages: &messages,
            tools: None,
            documents: None,
            add_generation_prompt: false,
            tokens: &reference.tokens(family),
            more: &none,
            now: NOW,
        };
        let whole = template.render(&conversation).unwrap();
        for one in list.as_array().unwrap() {
            let turn = one["turn"].as_u64().unwrap() as usize;
            for (way, name) in [(MaskWay::Marks, "marks"), (MaskWay::Prefix, "prefix"), (MaskWay::Difference, "difference")] {
                let letters = |end: usize| whole[..end].chars().count();
                let found = found_by(way, &template, &conversation, turn, &whole);
                let found = found.map_or(Value::Null, |place| json!([letters(place.start), letters(place.end)]));
                assert_eq!(found, one[name], "{key}, turn {turn}, {name}");
                n += 1;
            }
        }
        let (_, found) = by_ways(&template, &conversation).unwrap();
        assert!(found.iter().all(|answer| answer.place.is_some()), "{key}: {found:?}");
    }
    assert_eq!(n, 594);
}

#[test]
fn what_is_counted_while_a_run_goes_on_is_what_it_comes_to() {
    use lapidary::eye::{DryCounts, DryRun, Trainer, TrainerTarget, dry_run_counted, rows_of};
    use lapidary::io::{self, ChatModelOf, Reading};
    use lapidary::job::Progress;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rows.jsonl");
    let row = |n: usize| format!("{{\"prompt\": \"Say it {n} times\", \"completion\": \"{}\"}}\n", "word ".repeat(n % 97));
    std::fs::write(&path, (0..1_000).map(row).collect::<String>()).unwrap();
    let dataset = io::open(&path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let mut target = TrainerTarget::of(Trainer::Trl, ChatModelOf::default());
    target.length = 60;
    let (rows, model) = (rows_of(&dataset, target.trainer).unwrap(), target.open().unwrap());
    let counts = DryCounts::default();
    let run: DryRun = dry_run_counted(&dataset, &rows, &target, &model, &counts, &Progress::silent()).unwrap();
    let now = counts.now();
    assert_eq!((now.all, now.rows, now.kept, now.cut), (1_000, 1_000, run.kept as u64, run.cut as u64));
    assert!(now.cut > 100 && now.kept > 900, "{now:?}");
    assert_eq!(now.learned, run.learned);
    assert_eq!(now.left_out + now.failing + now.kept, 1_000);
}

#[test]
fn turns_that_a_template_passes_over_are_said_and_what_is_written_has_them() {
    use lapidary::eye::{Mending, TrainerTarget, dry_run, mends, rows_of};
    use lapidary::io::{self, Reading};
    use lapidary::job::Progress;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("chats.jsonl");
    let row = |n: usize| {
        let turns = json!([{"from": "human", "value": format!("What is {n} times two?")}, {"from": "gpt", "value": format!("It is {}.", n * 2)}]);
        format!("{}\n", json!({ "conversations": turns }))
    };
    fs::write(&path, (0..30).map(row).collect::<String>()).unwrap();
    let dataset = io::open(&path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let mut target = TrainerTarget::of(Trainer::Trl, ChatModelOf::default());
    let (rows, model) = (rows_of(&dataset, target.trainer).unwrap(), target.open().unwrap());
    let run = dry_run(&dataset, &rows, &target, &model, &Progress::silent()).unwrap();
    // TRL takes the rows; of what is said in them the model sees nothing.
    assert_eq!((run.kept, run.undrawn.len()), (30, 30));
    assert_eq!(run.undrawn_roles.iter().collect::<Vec<_>>(), ["gpt", "human"]);
    assert!(run.undrawn_words().contains("“human”"));
    // As they are written for it, all is there: more tokens, and nothing passed over.
    target.as_written = true;
    let written = dry_run(&dataset, &rows, &target, &model, &Progress::silent()).unwrap();
    assert_eq!((written.kept, written.undrawn.len()), (30, 0));
    assert!(written.tokens > run.tokens, "{} and {}", written.tokens, run.tokens);
    // What others draw by their own rules is drawn.
    for trainer in [Trainer::LlamaFactory, Trainer::Axolotl] {
        let target = TrainerTarget::of(trainer, ChatModelOf::default());
        let run = dry_run(&dataset, &rows_of(&dataset, trainer).unwrap(), &target, &target.open().unwrap(), &Progress::silent())
            .unwrap();
        assert_eq!(run.undrawn.len(), 0, "{trainer:?}");
    }
    // A repair that leaves the names as they are mends nothing.
    let target = TrainerTarget { as_written: false, ..target };
    let found = mends(&dataset, &rows, &target, &model, &run.undrawn, &Progress::silent()).unwrap();
    assert!(found.iter().all(|mend| mend.learned == 0 || !matches!(mend.mending, Mending::Split)), "{found:?}");
}

#[test]
fn a_folder_of_no_rows_is_none() {
    let home = tempfile::tempdir().unwrap();
    let rows = "{\"messages\": [{\"role\": \"user\", \"content\": \"alone\"}]}\n".repeat(3);
    fs::write(home.path().join("a.jsonl"), rows).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_lapidary"))
        .args(["export", "a.jsonl", "--for", "llamafactory", "-o", "out"])
        .current_dir(home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("nothing is written"), "{said}");
    assert!(!home.path().join("out/train.jsonl").exists());
}
