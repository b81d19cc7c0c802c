//! Pairs, judged answers, and the trainers beside the large three, against what they answered; and chats mended for them.

use std::fs;

use lapidary::io::{ChatModelOf, open_chat_model};
use lapidary::render::ChatTemplate;
use lapidary::trainers::chat_rows::TrainerModel;
use lapidary::trainers::rows::{RowForm, RowVerdict, Versus};
use lapidary::trainers::{llamafactory, mlx, openai, pairs, torchtune, unsloth};
use serde_json::{Value, json};

use super::trainers::{NOW, Reference, json_of, program, read, shared};

fn numbers(value: &Value) -> Vec<usize> {
    match value {
        Value::Array(list) => list.iter().map(|number| number.as_u64().unwrap() as usize).collect(),
        Value::Null => Vec::new(),
        one => vec![one.as_u64().unwrap() as usize],
    }
}

/// The awkward rows of a file.
fn awkward(reference: &Reference, file: &str) -> Vec<Value> {
    read(&reference.folder.join(format!("awkward/{file}.json"))).as_array().unwrap().clone()
}

/// A model of the reference with its small tokenizer.
fn with_model<T>(reference: &Reference, family: &str, work: impl FnOnce(&TrainerModel<'_>) -> T) -> T {
    let template = ChatTemplate::new(&reference.source(family)).unwrap();
    let tokens = reference.tokens(family);
    let eos = reference.id(family, "eos_token");
    let tokenizer = &reference.tokenizer;
    work(&TrainerModel { template: &template, marking: None, tokenizer, tokens: &tokens, eos, now: NOW })
}

#[test]
fn pairs_and_judged_answers_are_kept_cut_and_refused_as_each_trainer_does() {
    let Some(reference) = Reference::open() else { return };
    let tokenizer = &reference.tokenizer;
    let encoder = llamafactory::FactoryEncoder {
        template: llamafactory::template("qwen").unwrap(),
        tokenizer,
        bos: None,
        eos: tokenizer.id_of("<|im_end|>"),
    };
    let mut n = 0;
    with_model(&reference, "chatml", |model| {
        for (who, usual, cut_key) in
            [("llamafactory", 2_048, "cutoff_64"), ("trl", 1_024, "max_length_64"), ("axolotl", 2_048, "sequence_len_64")]
        {
            let verdicts = read(&reference.folder.join(format!("verdicts_{who}.json")));
            for (file, form) in [("preference", RowForm::Preference), ("kto", RowForm::Unpaired)] {
                for item in awkward(&reference, file) {
                    let (id, row) = (item["id"].as_str().unwrap(), item["record"].as_object().unwrap());
                    for (key, cut) in [("first", usual), (cut_key, 64)] {
                        let wanted = &verdicts["rows"][id][key];
                        if wanted.is_null() {
                            continue;
                        }
                        let got = match (who, form) {
                            ("llamafactory", _) => {
                                let options =
                                    llamafactory::FactoryOptions { cutoff: cut, ..llamafactory::FactoryOptions::default() };
                                pairs::factory_row(form, row, &encoder, &options)
                            }
                            ("trl", RowForm::Preference) => pairs::trl_preference(row, model, cut),
                            ("trl", _) => pairs::trl_unpaired(row, model, cut),
                            _ => pairs::axolotl_row(form, row, model, cut),
                        };
                        let right = match (&got, wanted["outcome"].as_str().unwrap()) {
                            // What it passes on is TRL's, and was not looked at.
                            (RowVerdict::Kept { .. }, "kept") if who == "axolotl" => true,
                            (RowVerdict::Kept { seen, whole, versus }, "kept") => {
                                let mut all = vec![(seen, *whole)];
                                if let Versus::Rejected { seen, whole } = versus {
                                    all.push((seen, *whole));
                                }
                                let good = match versus {
                                    Versus::Judged(good) => wanted["good"] == *good || wanted["good"] == 1 && *good,
                                    _ => wanted["good"].is_null(),
                                };
                                let learned: Vec<usize> = all.iter().map(|(seen, _)| seen.learned()).collect();
                                let asked = wanted["prompt"].as_u64().unwrap_or_default() as usize;
                                let long: Vec<usize> = match who {
                                    "trl" => all.iter().map(|(_, whole)| whole - asked).collect(),
                                    _ => all.iter().map(|(seen, _)| seen.ids.len()).collect(),
                                };
                                let key = if who == "trl" { "completion" } else { "tokens" };
                                good && learned == numbers(&wanted["trained"]) && long == numbers(&wanted[key])
                            }
                            (RowVerdict::Dropped(_) | RowVerdict::TooLong { .. }, "dropped")
                            | (RowVerdict::Fails(..), "error") => true,
                            _ => false,
                        };
                        assert!(right, "{who} {id} {key}, {}: {got:?}, and not {wanted}", item["why"]);
                        n += 1;
                    }
                }
            }
        }
    });
    assert_eq!(n, 67);
}

#[test]
fn the_other_trainers_answer_as_they_did_when_they_were_run() {
    let Some(reference) = Reference::open() else { return };
    let tokenizer = &reference.tokenizer;
    // Unsloth: which tokens stand between the marks; roles by aliases.
    let theirs = read(&reference.folder.join("unsloth.json"));
    let mut n = 0;
    for family in ["chatml", "qwen3", "phi3_5", "mistral_v7_tekken"] {
        with_model(&reference, family, |model| {
            let marks = unsloth::heads_of(model).unwrap().unwrap();
            for (key, wanted) in theirs["masks"].as_object().unwrap() {
                let parts: Vec<&str> = key.split('/').collect();
                if parts[0] != family {
                    continue;
                }
                let ids: Vec<u32> = numbers(&wanted["ids"]).into_iter().map(|id| id as u32).collect();
                let blank = |id: u32| tokenizer.decode(&[id]).trim().is_empty();
                let got = unsloth::answers(&ids, &marks, &blank, model.eos, parts.len() > 2);
                let got: String = got.iter().map(|on| if *on { '1' } else { '0' }).collect();
                assert_eq!(got, wanted["trained"].as_str().unwrap(), "{key}");
                n += 1;
            }
        });
    }
    assert_eq!(n, 66);
    for item in awkward(&reference, "sharegpt") {
        let wanted = &theirs["standardize"][item["id"].as_str().unwrap()];
        match unsloth::standardized(item["record"].as_object().unwrap()) {
            Ok(turns) => assert_eq!(Value::from(turns), *wanted, "{item}"),
            Err(_) => assert!(wanted.get("error").is_some(), "{item}: {wanted}"),
        }
    }
    // mlx-lm: tokens, and rows that no batch holds.
    let theirs = read(&reference.folder.join("mlx.json"));
    let mut n = 0;
    with_model(&reference, "chatml", |model| {
        let all = [("messages", RowForm::OpenAi), ("prompt_completion", RowForm::PromptCompletion), ("text", RowForm::Text)];
        for (file, form) in all {
            for item in awkward(&reference, file) {
                let wanted = &theirs["awkward"][item["id"].as_str().unwrap()];
                let options = mlx::MlxOptions { max_seq_length: usize::MAX, mask_prompt: false };
                let got = mlx::mlx_row(form, item["record"].as_object().unwrap(), model, &options);
                let right = match &got {
                    RowVerdict::Kept { seen, .. } => wanted["tokens"] == seen.ids.len(),
                    _ => wanted.get("error").is_some(),
                };
                assert!(right, "{item}: {got:?}, and not {wanted}");
                n += 1;
            }
        }
    });
    assert_eq!(n, 51);
    assert_eq!([10, 9, 8].map(|rows| mlx::never_seen(rows, 4)), [2, 1, 0]);
    // torchtune: its turns. What passes its transform and fails in its tokenizer fails here at once.
    let theirs = read(&reference.folder.join("convert_torchtune.json"));
    let later = ["p05", "p06", "p10", "p11", "a07"];
    let mut n = 0;
    for (file, form) in [
        ("messages", RowForm::OpenAi),
        ("sharegpt", RowForm::ShareGpt),
        ("alpaca", RowForm::Alpaca),
        ("prompt_completion", RowForm::PromptCompletion),
        ("preference", RowForm::Preference),
    ] {
        for item in awkward(&reference, file) {
            let id = item["id"].as_str().unwrap();
            let wanted = &theirs["rows"][id];
            let got = torchtune::turns_of(form, item["record"].as_object().unwrap());
            let takes = wanted.get("error").is_none() && wanted["refused"].is_null() && !later.contains(&id);
            assert_eq!(got.is_ok(), takes, "{item}: {got:?}, and not {wanted}");
            if let (Ok(got), Some(list)) = (got, wanted["messages"].as_array()) {
                let text = |turn: &Value| {
                    let parts = turn["content"].as_array().unwrap().iter();
                    parts.filter(|part| part["type"] == "text").filter_map(|part| part["content"].as_str()).collect::<String>()
                };
                let theirs: Vec<(&str, String, bool)> =
                    list.iter().map(|turn| (turn["role"].as_str().unwrap(), text(turn), turn["masked"] == false)).collect();
                let ours: Vec<(&str, String, bool)> =
                    got[0].iter().map(|turn| (turn.role.as_str(), turn.content.clone(), turn.learned)).collect();
                assert_eq!(ours, theirs, "{item}");
            }
            n += 1;
        }
    }
    assert_eq!(n, 109);
    // OpenAI's schema.
    let theirs = read(&reference.folder.join("verdicts_openai.json"));
    for item in awkward(&reference, "messages") {
        let wanted = theirs["rows"][item["id"].as_str().unwrap()]["schema"].as_array().unwrap();
        let got = openai::openai_row(RowForm::OpenAi, item["record"].as_object().unwrap(), tokenizer, 65_536);
        assert_eq!(matches!(got, RowVerdict::Kept { .. }), wanted.is_empty(), "{item}: {got:?}, and not {wanted:?}");
    }
}

#[test]
fn o200k_gives_the_numbers_that_tiktoken_gives() {
    let model = open_chat_model(&ChatModelOf::BuiltIn("o200k".to_owned())).unwrap();
    assert!(model.tokenizer.is_fast() && model.tokenizer.is_like_the_reference());
    // As tiktoken-rs 0.12.1 has them; the whole of it was held against this on 32,000 texts when the asset was made.
    for (text, ids) in [
        ("Hello, world!", vec![13_225, 11, 2_375, 0]),
        ("Hello's I'LL x", vec![13_225, 885, 3_413, 7_454, 1_215]),
        ("日本語 \u{301}", vec![9_048, 40_909, 220, 13_430]),
        ("12345 'S", vec![7_633, 2_548, 461, 50]),
        ("a <|im_end|>b\n", vec![64, 220, 200_265, 65, 198]),
    ] {
        assert_eq!(model.tokenizer.encode(text), ids, "{text:?}");
    }
    // The cookbook's count: three a turn beside its role and its content.
    let row = json!({ "messages": [{ "role": "user", "content": "Hello, world!" }, { "role": "assistant", "content": "Hi" }] });
    let got = openai::openai_row(RowForm::OpenAi, row.as_object().unwrap(), &model.tokenizer, 65_536);
    let RowVerdict::Kept { seen, whole, .. } = got else { panic!("{got:?}") };
    assert_eq!((whole, seen.learned()), (3 + 1 + 4 + 3 + 1 + 1, 2));
}

#[test]
fn a_dry_run_of_pairs_says_what_the_model_cannot_tell_apart() {
    let home = tempfile::tempdir().unwrap();
    let long = "word ".repeat(400);
    let rows = [
        json!({ "prompt": "2+2?", "chosen": "4", "rejected": "5" }),
        json!({ "prompt": "2+2?", "chosen": "4", "rejected": "4" }),
        json!({ "prompt": "Count.", "chosen": format!("{long}a"), "rejected": format!("{long}b") }),
        json!({ "prompt": long, "chosen": "a", "rejected": "b" }),
    ];
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(home.path().join("pairs.jsonl"), text).unwrap();
    let run = |target: &str, more: &[&str]| {
        let words: Vec<&str> = ["dryrun", "pairs.jsonl", "--target", target, "--json"].iter().chain(more).copied().collect();
        json_of(home.path(), &words)
    };
    let dpo = run("trl-dpo", &["--length", "200"]);
    assert_eq!((&dpo["form"], &dpo["rows_kept"], &dpo["rows_alike"]), (&json!("preference"), &json!(3), &json!(2)), "{dpo}");
    assert_eq!(dpo["reasons"]["dropped"], json!({ "too_long": 1 }));
    assert_eq!(dpo["rows_cut"], 1);
    assert_eq!(run("trl-dpo", &[])["rows_alike"], 1, "what was cut can be told apart again");
    assert_eq!(run("llamafactory", &[])["rows_kept"], 4);
    assert_eq!(run("axolotl", &["--length", "200"])["reasons"]["dropped"], json!({ "too_long": 2 }));
    assert_eq!(run("trl", &[])["reasons"]["fails"], json!({ "other_form": 4 }), "SFT reads no pairs");
    // Judged answers: what is read the other way round is said.
    let rows = [
        json!({ "prompt": "2+2?", "completion": "4", "label": true }),
        json!({ "prompt": "2+2?", "completion": "", "label": true }),
        json!({ "prompt": "2+2?", "completion": "5", "label": false }),
    ];
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(home.path().join("judged.jsonl"), text).unwrap();
    let said = json_of(home.path(), &["dryrun", "judged.jsonl", "--target", "llamafactory", "--json"]);
    assert_eq!((&said["form"], &said["rows_misread"]), (&json!("unpaired"), &json!(1)), "{said}");
    let said = json_of(home.path(), &["dryrun", "judged.jsonl", "--target", "trl-kto", "--json"]);
    assert_eq!((&said["rows_trained"], &said["rows_misread"]), (&json!(3), &json!(0)));
    let turns = |role: &str, text: &str| json!([{ "role": role, "content": text }]);
    let row = json!({ "prompt": turns("user", "2+2?"), "completion": turns("assistant", "4") });
    fs::write(home.path().join("turns.jsonl"), format!("{row}\n{row}\n")).unwrap();
    let said = json_of(home.path(), &["dryrun", "turns.jsonl", "--target", "trl", "--json"]);
    assert_eq!((&said["form"], &said["rows_trained"]), (&json!("prompt_completion"), &json!(2)), "{said}");
    // The same rows are questions and answers to SFT; rows that fill no batch are counted, and a file that is too small.
    assert_eq!(json_of(home.path(), &["dryrun", "judged.jsonl", "--target", "trl", "--json"])["form"], "prompt_completion");
    assert_eq!(json_of(home.path(), &["dryrun", "judged.jsonl", "--target", "mlx-lm", "--json"])["rows_never_seen"], 3);
    let budget = json_of(home.path(), &["dryrun", "judged.jsonl", "--target", "trl", "--epochs", "5", "--json"]);
    assert_eq!(budget["budget"]["tokens"], budget["tokens"].as_u64().unwrap() * 5);
    assert_eq!(budget["budget"]["steps"], 5);
}

#[test]
fn pairs_and_judged_answers_are_handed_over_whole_and_read_back() {
    let Some(demo) = shared("data/llamafactory_demo") else { return };
    let home = tempfile::tempdir().unwrap();
    let hand = |file: &str, trainer: &str| {
        let path = demo.join(file).with_extension("json");
        let into = format!("{file}-{trainer}");
        let words = ["export", path.to_str().unwrap(), "--no-project", "--for", trainer, "-o", &into, "--length", "8192"];
        let output = program(home.path(), &words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        (said, home.path().join(into))
    };
    // Where it reads none as they stand, the remedy is said.
    let pairs = demo.join("dpo_en_demo.json");
    let words = ["dryrun", pairs.to_str().unwrap(), "--no-project", "--target", "trl-dpo", "--json"];
    let said = json_of(home.path(), &words);
    assert!(said["rows_trained"] == 0 && said["notes"][0].as_str().unwrap().contains("export --for trl-dpo"), "{said}");
    for trainer in ["llamafactory", "trl-dpo", "torchtune", "openai"] {
        let (said, folder) = hand("dpo_en_demo", trainer);
        assert!(said.contains("learns from every one of 300 rows"), "{trainer}: {said}");
        let train = fs::read_to_string(folder.join("train.jsonl")).unwrap();
        let row: Value = serde_json::from_str(train.lines().next().unwrap()).unwrap();
        match trainer {
            "llamafactory" => {
                assert_eq!(row["chosen"]["from"], "gpt");
                let info: Value = serde_json::from_slice(&fs::read(folder.join("dataset_info.json")).unwrap()).unwrap();
                assert_eq!(
                    (&info["train"]["ranking"], &info["train"]["columns"]["rejected"]),
                    (&json!(true), &json!("rejected"))
                );
                assert!(fs::read_to_string(folder.join("train.yaml")).unwrap().contains("stage: dpo"));
            }
            "trl-dpo" => {
                assert_eq!(row["prompt"][0]["role"], "user");
                assert!(fs::read_to_string(folder.join("train.py")).unwrap().contains("DPOTrainer("));
            }
            "torchtune" => assert_eq!(row["chosen"][0]["role"], "user"),
            _ => assert_eq!(row["preferred_output"][0]["role"], "assistant"),
        }
    }
    for trainer in ["llamafactory", "trl-kto"] {
        let (said, folder) = hand("kto_en_demo", trainer);
        assert!(said.contains("learns from every one of 300 rows"), "{trainer}: {said}");
        let train = fs::read_to_string(folder.join("train.jsonl")).unwrap();
        let row: Value = serde_json::from_str(train.lines().next().unwrap()).unwrap();
        assert!(row["label"].is_boolean(), "{row}");
    }
    // Chats that cannot be raw texts are no pairs for Axolotl, and none is lost without a word.
    let folder = home.path().join("none");
    let words = ["export", pairs.to_str().unwrap(), "--no-project", "--for", "axolotl", "-o", folder.to_str().unwrap()];
    let out = program(home.path(), &words);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("takes none of the rows") && said.contains(": 300"), "{said}");
    assert!(!folder.join("config.yaml").exists(), "nothing that cannot be learned from is written");
}

#[test]
fn every_trainer_takes_what_is_written_for_it() {
    let home = tempfile::tempdir().unwrap();
    let chat = |n: usize| json!({ "messages": [{ "role": "user", "content": format!("{n}+1?") }, { "role": "assistant", "content": (n + 1).to_string() }] });
    let text: String = (0..12).map(|n| format!("{}\n", chat(n))).collect();
    fs::write(home.path().join("chats.jsonl"), text).unwrap();
    for (trainer, beside, says) in [
        ("llamafactory", "train.yaml", "quantization_bit: 4"),
        ("trl", "train.py", "BitsAndBytesConfig(load_in_4bit=True"),
        ("axolotl", "config.yaml", "adapter: qlora"),
        ("unsloth", "train.py", "load_in_4bit=True"),
        ("mlx-lm", "config.yaml", "iters: 9  # 3 epochs"),
        ("torchtune", "config.yaml", "torchtune.datasets.chat_dataset"),
        ("openai", "finetune.py", "\"type\": \"supervised\""),
    ] {
        let words = ["export", "chats.jsonl", "--no-project", "--for", trainer, "--tune", "qlora", "-o", trainer];
        let output = program(home.path(), &words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.contains("every one of 12 rows"), "{trainer}: {said}");
        let config = fs::read_to_string(home.path().join(trainer).join(beside)).unwrap();
        assert!(config.contains(says), "{trainer}: {config}");
    }
}

#[test]
fn chats_are_mended_for_a_trainer_and_taken_back() {
    let home = tempfile::tempdir().unwrap();
    let says = |role: &str, content: &str| json!({ "role": role, "content": content });
    let rows = [
        json!({ "messages": [says("user", "a"), says("user", "b"), says("assistant", "c")] }),
        json!({ "messages": [says("Human", "a"), says("GPT", "b"), says("Human", "c")] }),
        json!({ "messages": [says("system", "s"), says("user", "q1"), says("assistant", &"word ".repeat(60)), says("user", "q2"), says("assistant", &"word ".repeat(60))] }),
    ];
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(home.path().join("chats.jsonl"), text).unwrap();
    let dry = |length: &str| {
        let words = ["dryrun", "chats.jsonl", "--target", "llamafactory", "--length", length, "--json"];
        json_of(home.path(), &words)
    };
    assert_eq!(
        (&dry("2048")["rows_kept"], &dry("2048")["rows_trained"]),
        (&json!(1), &json!(0)),
        "an unknown role fails the run"
    );
    let dry_fix = program(home.path(), &["fix", "chats.jsonl", "--repair", "roles,join-turns,cut-end", "--dry"]);
    assert!(String::from_utf8_lossy(&dry_fix.stderr).contains("Join turns in messages: 1 sample"), "{dry_fix:?}");
    assert_eq!(dry("2048")["rows_kept"], 1, "looking changes nothing");
    program(home.path(), &["fix", "chats.jsonl", "--repair", "roles,join-turns,cut-end"]);
    assert_eq!(dry("2048")["rows_trained"], 3);
    // A chat that is too long becomes two, each with the system's words; a recipe does the same to the same rows again.
    assert_eq!(dry("100")["rows_cut"], 1);
    let split = program(home.path(), &["fix", "chats.jsonl", "--split-for", "llamafactory", "--length", "100"]);
    assert!(String::from_utf8_lossy(&split.stderr).contains("Cut 1 sample into 2 at 100"), "{split:?}");
    let now = dry("100");
    assert_eq!((&now["rows_in"], &now["rows_trained"], &now["rows_cut"]), (&json!(4), &json!(4), &json!(0)), "{now}");
    program(home.path(), &["recipe", "chats.jsonl", "-o", "mended.json"]);
    program(home.path(), &["export", "chats.jsonl", "-o", "by-hand.jsonl"]);
    let ran = program(home.path(), &["run", "mended.json", "chats.jsonl", "-o", "by-recipe.jsonl"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let file = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
    assert_eq!(file("by-hand.jsonl"), file("by-recipe.jsonl"));
    let last: Value = serde_json::from_str(file("by-hand.jsonl").lines().last().unwrap()).unwrap();
    assert_eq!((&last["messages"][0], &last["messages"][1]), (&says("system", "s"), &says("user", "q2")));
    for _ in 0..4 {
        program(home.path(), &["undo", "chats.jsonl"]);
    }
    assert_eq!((&dry("2048")["rows_in"], &dry("2048")["rows_kept"]), (&json!(3), &json!(1)));
}

#[test]
fn a_hugging_face_folder_names_its_parts_and_loses_no_row() {
    let home = tempfile::tempdir().unwrap();
    let row = |n: usize, part: &str| json!({ "messages": [{ "role": "user", "content": format!("{n}?") }, { "role": "assistant", "content": "yes" }], "score": n, "good": n.is_multiple_of(2), "tags": ["a", "b"], "split": part });
    let parts = [("train", 6), ("val", 2), ("dev", 1), ("fold 1", 1), ("fold_1", 1), ("test", 2)];
    let rows = parts.iter().flat_map(|(part, n)| (0..*n).map(move |at| row(at, part)));
    fs::write(home.path().join("chats.jsonl"), rows.map(|row| format!("{row}\n")).collect::<String>()).unwrap();
    program(home.path(), &["exclude", "chats.jsonl", "--rows", "0"]);
    let words = ["export", "chats.jsonl", "--for", "hub", "--licence", "cc-by-4.0", "--language", "en,de", "-o", "hub"];
    let output = program(home.path(), &words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("read back: every one"), "{said}");
    let card = fs::read_to_string(home.path().join("hub/README.md")).unwrap();
    let front = card.split("---\n").nth(1).unwrap();
    // Every part is named: else val and dev would become one, and a fold a part to train on.
    for (part, _) in parts {
        // Two parts stay two, whatever their names come to.
        let name = if part == "fold 1" { "fold_1_2" } else { part };
        assert!(front.contains(&format!("  - split: {name}\n    path: \"data/{name}-*\"\n")), "{front}");
        assert!(home.path().join(format!("hub/data/{name}-00000-of-00001.parquet")).exists());
    }
    for line in [
        "license: \"cc-by-4.0\"\n",
        "language:\n- \"en\"\n- \"de\"\n",
        "  - name: messages\n    list:\n    - name: role\n      dtype: string\n    - name: content\n      dtype: string\n",
        "  - name: good\n    dtype: bool\n",
        "  - name: tags\n    list: string\n",
    ] {
        assert!(front.contains(line), "{line}{front}");
    }
    assert!(card.contains("How it was made") && card.contains("Excluded sample 0"), "{card}");
    assert!(card.contains("Nobody has looked for faults yet."));
    let counted = json_of(home.path(), &["info", "hub/data/train-00000-of-00001.parquet", "--json"]);
    assert_eq!(counted["rows"], 5, "{counted}");
    let again = program(home.path(), &words);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));
}

#[test]
fn a_template_of_ones_own_takes_the_models_place() {
    let home = tempfile::tempdir().unwrap();
    let row = json!({ "messages": [{ "role": "user", "content": "Hi" }, { "role": "assistant", "content": "Hello!" }] });
    fs::write(home.path().join("chats.jsonl"), format!("{row}\n")).unwrap();
    let template = "{% for turn in messages %}{{ turn.role }}: {% if turn.role == 'assistant' %}{% generation %}{{ turn.content }}<|im_end|>{% endgeneration %}{% else %}{{ turn.content }}{% endif %}\n{% endfor %}";
    fs::write(home.path().join("own.jinja"), template).unwrap();
    let words = |target: &'static str, file: &'static str| {
        ["dryrun", "chats.jsonl", "--target", target, "--model", "chatml", "--template", file, "--json"]
    };
    let said = json_of(home.path(), &[&words("trl", "own.jinja")[..], &["--answers-only"]].concat());
    // Hello, !, and the end.
    assert_eq!((&said["rows_trained"], &said["trained_tokens"]), (&json!(1), &json!(3)), "{said}");
    let refused = program(home.path(), &words("llamafactory", "own.jinja"));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("has templates of its own"));
    fs::write(home.path().join("torn.jinja"), "a\n{% for %}").unwrap();
    let refused = program(home.path(), &words("trl", "torn.jinja"));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("line 2"), "{refused:?}");
    let words = ["export", "chats.jsonl", "--for", "axolotl", "--template", "own.jinja", "-o", "handed"];
    assert!(program(home.path(), &words).status.success());
    assert_eq!(fs::read_to_string(home.path().join("handed/chat_template.jinja")).unwrap(), template);
    assert!(
        fs::read_to_string(home.path().join("handed/config.yaml"))
            .unwrap()
            .contains("chat_template_jinja: ./chat_template.jinja")
    );
}

#[test]
fn tools_and_calls_are_written_as_each_of_llamafactorys_templates_has_them() {
    let home = tempfile::tempdir().unwrap();
    let call = json!({ "name": "look", "arguments": { "city": "Bern" } });
    let tool = json!({ "name": "look", "description": "Looks.", "parameters": { "type": "object", "properties": {
        "city": { "type": "string", "description": "Where" }, "unit": { "type": "string", "enum": ["C", "F"] } }, "required": ["city"] } });
    let row = json!({
        "conversations": [
            { "from": "human", "value": "Weather?" }, { "from": "function_call", "value": call.to_string() },
            { "from": "observation", "value": "21" }, { "from": "gpt", "value": "21." },
        ],
        "tools": json!([tool]).to_string(),
    });
    let model = open_chat_model(&ChatModelOf::default()).unwrap();
    let seen = |name: &str| {
        let template = llamafactory::template(name).unwrap();
        let encoder = llamafactory::FactoryEncoder { template, tokenizer: &model.tokenizer, bos: model.bos, eos: model.eos };
        let options = llamafactory::FactoryOptions::default();
        let row = row.as_object().unwrap();
        match lapidary::trainers::llamafactory_rows::row(RowForm::ShareGpt, row, &encoder, &options) {
            RowVerdict::Kept { seen, .. } => model.tokenizer.decode(&seen.ids),
            other => format!("{other:?}"),
        }
    };
    // As data/tool_utils.py of 0.9.5 writes them.
    let default = seen("chatml");
    assert!(
        default.contains(
            "> Tool Name: look\nTool Description: Looks.\nTool Args:\n  - city (string, required): Where\n  - unit (string): , should be one of [C, F]\n\nUse the following"
        ),
        "{default}"
    );
    assert!(
        default.contains("(one of [look])") && default.contains("Action: look\nAction Input: {\"city\": \"Bern\"}<|im_end|>")
    );
    let llama = seen("llama3");
    assert!(llama.contains("{\n    \"type\": \"function\",\n    \"function\": {\n        \"name\": \"look\","), "{llama}");
    assert!(llama.contains("{\"name\": \"look\", \"parameters\": {\"city\": \"Bern\"}}<|eot_id|>"));
    assert!(llama.contains("<|start_header_id|>ipython<|end_header_id|>\n\n21<|eot_id|>"));
    let mistral = seen("mistral");
    assert!(mistral.contains("[TOOL_CALLS] [{\"name\": \"look\", \"arguments\": {\"city\": \"Bern\"}}]"), "{mistral}");
    assert!(
        mistral.contains("[INST] [AVAILABLE_TOOLS] [{\"type\": \"function\"")
            && mistral.contains("[TOOL_RESULTS] {\"content\": 21}[/TOOL_RESULTS]")
    );
    assert!(seen("glm4").contains("<|assistant|>\nlook\n{\"city\": \"Bern\"}<|observation|>\n21"));
    assert!(seen("glm4_moe").contains("Untold"), "what is not followed is said, and not guessed");
    // A template is chosen by its name where the model does not say it.
    fs::write(home.path().join("chats.jsonl"), format!("{row}\n")).unwrap();
    let words = ["dryrun", "chats.jsonl", "--target", "llamafactory", "--template", "llama3", "--json"];
    assert_eq!(json_of(home.path(), &words)["rows_trained"], 1);
    let handed = ["export", "chats.jsonl", "--for", "llamafactory", "--template", "gemma", "-o", "handed"];
    assert!(program(home.path(), &handed).status.success());
    assert!(fs::read_to_string(home.path().join("handed/train.yaml")).unwrap().contains("template: gemma\n"));
}

#[test]
fn what_the_rows_beside_do_to_a_row_is_said() {
    let home = tempfile::tempdir().unwrap();
    let says = |role: &str, content: &str| json!({ "role": role, "content": content });
    let call = |arguments: Value| json!({ "role": "assistant", "content": "", "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "f", "arguments": arguments } }] });
    let called = |arguments: Value| json!({ "messages": [says("user", "a"), call(arguments), { "role": "tool", "content": "1", "tool_call_id": "c" }, says("assistant", "1")] });
    let write = |name: &str, rows: &[Value]| {
        let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
        fs::write(home.path().join(name), text).unwrap();
    };
    let run = |name: &str, target: &str| json_of(home.path(), &["dryrun", name, "--target", target, "--json"]);
    // m33 of the reference: keys of another row's call.
    write("calls.jsonl", &[called(json!({ "a": 1 })), called(json!({ "city": "Bern" }))]);
    let said = run("calls.jsonl", "llamafactory");
    assert!(said["notes"][0].as_str().unwrap().contains("arguments of 2 shapes"), "{said}");
    write("alike.jsonl", &[called(json!({ "a": 1 })), called(json!({ "a": 2 }))]);
    assert_eq!(run("alike.jsonl", "llamafactory")["notes"], json!([]));
    // s26: a column that only some rows have.
    let chat = json!({ "conversations": [{ "from": "human", "value": "a" }, { "from": "gpt", "value": "b" }] });
    let mut with = chat.clone();
    with["system"] = json!("Be brief.");
    write("some.jsonl", &[with.clone(), chat.clone()]);
    let said = run("some.jsonl", "axolotl");
    assert!(said["notes"][0].as_str().unwrap().contains("only some rows have system") && said["rows_trained"] == 0, "{said}");
    write("all.jsonl", &[with.clone(), with]);
    assert_eq!(run("all.jsonl", "axolotl")["rows_trained"], 2);
    // s25, m17: the first row decides.
    let plain = json!({ "messages": [says("user", "a"), says("assistant", "b")] });
    write("first.jsonl", &[json!({ "messages": null }), plain.clone(), plain.clone()]);
    let said = run("first.jsonl", "trl");
    assert!(said["notes"][0].as_str().unwrap().contains("the first row decides") && said["rows_trained"] == 0, "{said}");
    write("good.jsonl", &[plain.clone(), plain]);
    assert_eq!(run("good.jsonl", "trl")["notes"], json!([]));
}
