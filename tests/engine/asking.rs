//! Text models: folders answer as transformers do, servers are asked as they should be and never without leave, and what was answered is
//! kept.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lapidary::data::{Ask, Augmentation, Dataset, Pipeline, Step, Task};
use lapidary::io::{self, AnswerStore, Place, Reading, TextModel, Writer, WriterError};
use lapidary::job::Progress;
use lapidary::learn::seq2seq::{Seq2Seq, Seq2SeqFiles};
use lapidary::operate::{self, TextModels};
use lapidary::transform::{Augment, AugmentError};
use serde_json::{Value, json};

use crate::server::{Reply, Server, marked};

const TICKETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tickets.csv");
const FOLDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/seq2seq");

fn at(url: &str) -> TextModel {
    crate::server::at("mine", url)
}

fn ask(text: &str) -> Ask {
    Ask { model: "mine".to_owned(), task: Task::Paraphrase, text: text.to_owned(), keep: Vec::new(), heat: 70, seed: 5 }
}

fn write(model: &TextModel, key: Option<&str>, text: &str) -> Result<String, WriterError> {
    Writer::new(model, key)?.write(&ask(text), &|_| {}, &Progress::silent())
}

fn paraphrase(p: f64) -> Pipeline {
    let mut pipeline = Pipeline::empty("other words");
    pipeline.steps = vec![Step { p, model: "mine".to_owned(), ..Step::new(Augmentation::Paraphrase) }];
    pipeline
}

fn open(path: impl AsRef<Path>) -> Dataset {
    io::open(path.as_ref(), &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

fn models(model: TextModel, store: Option<&Path>) -> Arc<TextModels> {
    Arc::new(TextModels::new(vec![model], HashMap::new(), store.map(|path| AnswerStore::open(path).unwrap())))
}

// ---- Folders ----

fn files(kind: &str) -> Seq2SeqFiles {
    let folder = PathBuf::from(FOLDERS).join(kind);
    let bytes = |name: &str| fs::read(folder.join(name)).ok();
    let weights = if kind == "t5" {
        candle_core::safetensors::load(folder.join("model.safetensors"), &candle_core::Device::Cpu).unwrap()
    } else {
        io::read_torch(&folder.join("pytorch_model.bin")).unwrap()
    };
    Seq2SeqFiles {
        config: bytes("config.json").unwrap(),
        weights,
        tokenizer: None,
        pieces: bytes("spiece.model").or(bytes("source.spm")).or(bytes("../t5/spiece.model")),
        vocabulary: bytes("vocab.json"),
    }
}

#[test]
fn folders_cut_and_write_as_transformers_do() {
    let answers: Vec<Value> = serde_json::from_slice(&fs::read(PathBuf::from(FOLDERS).join("answers.json")).unwrap()).unwrap();
    let fast = fs::read(PathBuf::from(FOLDERS).join("t5-fast/tokenizer.json")).unwrap();
    let numbers = |value: &Value| -> Vec<u32> { value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as u32).collect() };
    for (kind, tokenizer) in [("t5", None), ("t5", Some(fast)), ("t5-tied", None), ("marian", None)] {
        let whole = tokenizer.is_some();
        let mut model = Seq2Seq::new(Seq2SeqFiles { tokenizer, ..files(kind) }).unwrap();
        let mut longest = 0;
        for answer in answers.iter().filter(|answer| answer["model"] == kind) {
            let (prefix, text) = (answer["prefix"].as_str().unwrap(), answer["text"].as_str().unwrap());
            let ids = model.encode(prefix, text).unwrap();
            assert_eq!(ids, numbers(&answer["ids"]), "{kind} {whole} {prefix}{text}");
            let (mut written, end) = (numbers(&answer["written"]), if kind == "marian" { 0 } else { 1 });
            // The last of Marian's is forced to be the end mark.
            let most = written.len() - usize::from(kind == "marian");
            written.truncate(written.iter().position(|id| *id == end).unwrap_or(most));
            let ours = model.likeliest(&ids, written.len()).unwrap();
            assert_eq!(ours.iter().map(|(id, _)| *id).collect::<Vec<_>>(), written, "{kind} {prefix}{text}");
            longest = longest.max(ours.len());
            for ((_, chance), theirs) in ours.iter().zip(answer["chances"].as_array().unwrap()) {
                assert!((f64::from(*chance) - theirs.as_f64().unwrap()).abs() < 2e-3, "{kind} {prefix}{text}: {chance} {theirs}");
            }
        }
        assert!(longest > 20, "{kind}: {longest}");
    }
}

#[test]
fn a_folder_that_is_torn_or_of_another_kind_says_so() {
    let home = tempfile::tempdir().unwrap();
    let of = |folder: &Path| TextModel {
        name: "mine".to_owned(),
        place: Place::Folder {
            folder: folder.to_owned(),
            back: PathBuf::new(),
            prefix: "paraphrase:".to_owned(),
            back_prefix: String::new(),
        },
    };
    let says = |folder: &Path| write(&of(folder), None, "Hello there").unwrap_err().to_string();
    assert!(says(&home.path().join("none")).contains("config.json"));
    for kind in ["t5", "marian"] {
        let folder = home.path().join(kind);
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(PathBuf::from(FOLDERS).join(kind)).unwrap().flatten() {
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
        // Whole, it answers: nothing, or some nonsense, but no error.
        write(&of(&folder), None, "Hello there").unwrap();
        for name in fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.file_name()) {
            if name == "generation_config.json" {
                continue;
            }
            let path = folder.join(&name);
            let bytes = fs::read(&path).unwrap();
            for broken in [&bytes[..bytes.len() / 2], &b""[..], &b"{}"[..]] {
                fs::write(&path, broken).unwrap();
                let error = says(&folder);
                assert!(error.len() > 20, "{kind} {name:?}: {error}");
            }
            fs::remove_file(&path).unwrap();
            assert!(says(&folder).len() > 20);
            fs::write(&path, &bytes).unwrap();
        }
        let config = fs::read_to_string(folder.join("config.json")).unwrap();
        let mut other: Value = serde_json::from_str(&config).unwrap();
        other["model_type"] = json!("gpt2");
        fs::write(folder.join("config.json"), other.to_string()).unwrap();
        assert!(says(&folder).contains("neither T5 nor Marian"));
    }
    let t5 = of(&PathBuf::from(FOLDERS).join("t5"));
    let back = Ask { task: Task::Back("English".to_owned()), ..ask("Hallo") };
    let error = Writer::new(&t5, None).unwrap().write(&back, &|_| {}, &Progress::silent()).unwrap_err();
    assert!(error.to_string().contains("translates there and not back"));
}

// ---- Addresses ----

#[test]
fn a_server_is_asked_as_chat_completions_are() {
    let server = Server::start(|n, _| {
        if n == 0 { Reply::Text(" \"My card is gone.\" ".into()) } else { Reply::Whole("<think>so</think>Gone.".into()) }
    });
    let model = at(&server.address);
    let seen = std::sync::Mutex::new(Vec::new());
    let writer = Writer::new(&model, Some("secret")).unwrap();
    let asked = Ask { keep: vec!["Apple Pay".to_owned()], ..ask("I lost my card") };
    let answer = writer.write(&asked, &|part| seen.lock().unwrap().push(part.to_owned()), &Progress::silent()).unwrap();
    assert_eq!(answer, "My card is gone.");
    assert!(seen.lock().unwrap().len() >= 4, "it streams");
    let asked = Ask { task: Task::There("German".to_owned()), heat: 0, ..ask("I lost my card") };
    assert_eq!(writer.write(&asked, &|_| {}, &Progress::silent()).unwrap(), "Gone.");
    let seen = server.seen.lock().unwrap();
    let (head, body) = (seen[0].head.to_lowercase(), &seen[0].body);
    assert!(head.starts_with("post /v1/chat/completions http/1.1") && head.contains("authorization: bearer secret"), "{head}");
    assert_eq!(
        (&body["model"], &body["stream"], &body["temperature"], &body["seed"]),
        (&json!("tiny"), &json!(true), &json!(0.7), &json!(5))
    );
    assert_eq!(body["messages"][1], json!({"role": "user", "content": "I lost my card"}));
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("Apple Pay"));
    assert!(seen[1].body["messages"][0]["content"].as_str().unwrap().contains("into German"));
}

#[test]
fn errors_that_pass_are_waited_out_and_others_are_said() {
    let limited = Server::start(|n, request| match n {
        0 => Reply::Status(429, "retry-after: 0\r\n", String::new()),
        1 => Reply::Torn,
        _ => Reply::Text(marked(request)),
    });
    assert_eq!(write(&at(&limited.address), None, "Hi there").unwrap(), "Hi there indeed 5");
    assert_eq!(limited.count(), 3);
    for (status, more, body, says) in [
        (401, "", r#"{"error": {"message": "Incorrect API key"}}"#, "refused the key (401 Unauthorized): Incorrect API key"),
        (404, "", "<html>no</html>", "no such address or model"),
        (
            400,
            "",
            r#"{"error": "temperature is not supported"}"#,
            "400 Bad Request: temperature is not supported (asked about \"Hi\")",
        ),
        (307, "location: http://127.0.0.1:9/v1\r\n", "", "sends elsewhere (307"),
    ] {
        let server = Server::start(move |_, _| Reply::Status(status, more, body.to_owned()));
        let error = write(&at(&server.address), None, "Hi").unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("127.0.0.1"), "{error}");
        assert_eq!(server.count(), 1, "{status}");
    }
    // A text that is too long for it is a text without an answer, and a server that takes no seed is asked without.
    let narrow =
        Server::start(|_, _| Reply::Status(400, "", r#"{"error": {"message": "maximum context length is 8"}}"#.to_owned()));
    assert_eq!(write(&at(&narrow.address), None, "Hi").unwrap(), "");
    let strict = Server::start(|_, request| match request.body.get("seed") {
        Some(_) => Reply::Status(422, "", r#"{"detail": "extra field: seed"}"#.to_owned()),
        None => Reply::Text("Hello".to_owned()),
    });
    assert_eq!((write(&at(&strict.address), None, "Hi").unwrap().as_str(), strict.count()), ("Hello", 2));
    let odd = Server::start(|_, _| Reply::Status(200, "", "{\"hello\": 1}".to_owned()));
    assert!(write(&at(&odd.address), None, "Hi").unwrap_err().to_string().contains("did not answer as chat completions do"));
}

#[test]
fn nobody_is_asked_without_leave() {
    let far = |allowed: &str| {
        let mut model = at("api.example.com/v1");
        if let Place::Address { allowed: host, .. } = &mut model.place {
            *host = allowed.to_owned();
        }
        model
    };
    let dataset = open(TICKETS);
    let asked = Augment::all(&dataset, paraphrase(1.0), 1, 1).unwrap();
    let run =
        |models: &Arc<TextModels>| operate::children(&dataset, &asked, models, &Progress::silent()).unwrap_err().to_string();
    assert!(run(&models(far(""), None)).contains("not allowed yet"));
    assert!(run(&models(far("api.example.org"), None)).contains("not allowed yet"));
    assert!(run(&Arc::default()).contains("no text model \"mine\" here"));
    // A pipeline says which model by its name, and can say no address.
    let sly = r#"{"steps": [{"op": "paraphrase", "model": "mine", "url": "http://127.0.0.1/v1"}]}"#;
    assert!(Pipeline::parse(sly).unwrap_err().contains("unknown field"));
    // Without answers to look at, such steps do nothing at all.
    assert_eq!(asked.run(&dataset, &Progress::silent()).unwrap().parents.len(), 0);
}

#[test]
fn a_run_asks_several_at_a_time_and_stops_at_once() {
    let server = Server::start(|_, request| {
        std::thread::sleep(Duration::from_millis(40));
        Reply::Text(marked(request))
    });
    let dataset = open(TICKETS);
    let asked = Augment::all(&dataset, paraphrase(1.0), 1, 1).unwrap();
    let children = operate::children(&dataset, &asked, &models(at(&server.address), None), &Progress::silent()).unwrap();
    assert_eq!((children.parents.len(), server.count()), (dataset.rows(), dataset.rows()));
    let most = server.most.load(Ordering::SeqCst);
    assert_eq!(most, 2);
    assert!(children.texts.iter().all(|texts| texts[0].contains(" indeed ")));

    let mute = Server::start(|_, _| Reply::Silence);
    let progress = Progress::silent();
    let wish = progress.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        wish.cancel();
    });
    let begun = Instant::now();
    let result = operate::children(&dataset, &asked, &models(at(&mute.address), None), &progress);
    assert!(matches!(result, Err(AugmentError::Cancelled)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn what_was_answered_is_kept_and_a_run_goes_on_from_there() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("answers.db");
    let down = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&down);
    let server = Server::start(move |n, request| {
        if n >= 20 && broken.load(Ordering::SeqCst) {
            return Reply::Status(403, "", "{\"error\": {\"message\": \"the budget is used up\"}}".to_owned());
        }
        Reply::Text(marked(request))
    });
    let dataset = open(TICKETS);
    let asked = Augment::all(&dataset, paraphrase(1.0), 1, 1).unwrap();
    let run = || operate::children(&dataset, &asked, &models(at(&server.address), Some(&store)), &Progress::silent());
    let error = run().unwrap_err().to_string();
    assert!(error.contains("the budget is used up") && error.contains("of 59 answers are kept"), "{error}");
    down.store(false, Ordering::SeqCst);
    let before = server.count();
    let whole = run().unwrap();
    assert!(server.count() - before <= dataset.rows() - 17, "{} {before}", server.count());
    let after = server.count();
    assert_eq!(run().unwrap(), whole);
    assert_eq!(server.count(), after, "nothing is asked twice");
    // Another model under the same name is asked anew.
    let mut other = at(&server.address);
    if let Place::Address { model, .. } = &mut other.place {
        *model = "large".to_owned();
    }
    operate::children(&dataset, &asked, &models(other, Some(&store)), &Progress::silent()).unwrap();
    assert_eq!(server.count(), after + dataset.rows());
}

#[test]
fn translation_goes_there_and_back_and_protected_terms_stay() {
    let server = Server::start(|_, request| {
        let text = request.body["messages"][1]["content"].as_str().unwrap();
        let there = request.body["messages"][0]["content"].as_str().unwrap().contains("into French");
        Reply::Text(if there {
            format!("Fr[{text}]")
        } else {
            text.replace("Fr[", "back ").replace(']', "").replace("PIN", "number")
        })
    });
    let dataset = open(TICKETS);
    let mut pipeline = paraphrase(1.0);
    pipeline.protected = vec!["pin".to_owned()];
    pipeline.steps = vec![
        Step { p: 1.0, model: "mine".to_owned(), list: vec!["French".to_owned()], ..Step::new(Augmentation::BackTranslation) },
        Step { p: 1.0, ..Step::with(Augmentation::RandomSwap, 0.0, 0.0) },
    ];
    let asked = Augment::all(&dataset, pipeline, 1, 1).unwrap();
    let children = operate::children(&dataset, &asked, &models(at(&server.address), None), &Progress::silent()).unwrap();
    let field = dataset.field("text").unwrap();
    let with_pin = dataset.samples().filter(|id| dataset.text(field, *id).unwrap().contains("PIN")).count();
    assert!(with_pin > 0 && children.same >= with_pin, "{with_pin} {}", children.same);
    for (parent, texts) in children.parents.iter().zip(&children.texts) {
        let before = dataset.text(field, *parent).unwrap();
        assert_eq!(texts[0].trim(), format!("back {}", before.trim()));
    }
}

#[test]
fn the_pace_is_kept_and_who_gives_up_takes_nobody_s_turn() {
    let server = Server::start(|_, request| Reply::Text(marked(request)));
    let mut model = at(&server.address);
    if let Place::Address { per_minute, .. } = &mut model.place {
        *per_minute = 300;
    }
    let writer = Arc::new(Writer::new(&model, None).unwrap());
    let begun = Instant::now();
    for _ in 0..4 {
        writer.write(&ask("Hi"), &|_| {}, &Progress::silent()).unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_millis(580), "{:?}", begun.elapsed());
    let gone = Progress::silent();
    gone.cancel();
    for _ in 0..50 {
        assert!(matches!(writer.write(&ask("Hi"), &|_| {}, &gone), Err(WriterError::Cancelled)));
    }
    let begun = Instant::now();
    writer.write(&ask("Hi"), &|_| {}, &Progress::silent()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn an_answer_of_no_use_is_asked_for_again_another_day() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("answers.db");
    let dataset = open(TICKETS);
    let asked = Augment::all(&dataset, paraphrase(1.0), 1, 1).unwrap();
    let mute = Server::start(|_, _| Reply::Text(String::new()));
    let run = |name: &str, store: &Path| {
        let model = TextModel { name: name.to_owned(), ..at(&mute.address) };
        operate::children(&dataset, &asked, &models(model, Some(store)), &Progress::silent())
    };
    let children = run("mine", &store).unwrap();
    assert_eq!((children.parents.len(), children.same), (0, dataset.rows()));
    let first = mute.count();
    // Twice for each at most, and no more.
    assert!(first <= dataset.rows() * 2, "{first}");
    run("mine", &store).unwrap();
    assert_eq!(mute.count(), first * 2);
    // A dataset that is named by a slip is no place to keep answers in.
    let slip = home.path().join("t.csv");
    fs::copy(TICKETS, &slip).unwrap();
    assert!(AnswerStore::open(&slip).is_err());
    assert_eq!(fs::read(&slip).unwrap(), fs::read(TICKETS).unwrap());
}

// ---- Without a window ----

fn run(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lapidary")).current_dir(folder).args(words).env("SECRET_KEY", "k-123").output().unwrap()
}

#[test]
fn without_a_window_the_options_name_the_model() {
    let server = Server::start(|_, request| Reply::Text(marked(request)));
    let home = tempfile::tempdir().unwrap();
    let whole = fs::read_to_string(TICKETS).unwrap();
    fs::write(home.path().join("t.csv"), &whole).unwrap();
    fs::write(home.path().join("p.json"), paraphrase(1.0).to_json()).unwrap();
    let common = ["augment", "t.csv", "--pipeline", "p.json", "--risk", "1", "--seed", "3"];
    let with = |more: &[&str]| run(home.path(), &[&common[..], more].concat());
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let none = with(&["-o", "none.csv"]);
    assert!(!none.status.success() && said(&none).contains("asks the text model \"mine\""), "{}", said(&none));
    assert_eq!(server.count(), 0);
    let to = ["--endpoint", &server.address, "--model", "tiny", "--key-variable", "SECRET_KEY", "--answers", "kept.db"];
    for name in ["one.csv", "two.csv"] {
        let output = with(&[&to[..], &["-o", name]].concat());
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains("texts are sent"), "they stay on this machine");
    }
    let read = |name: &str| fs::read(home.path().join(name)).unwrap();
    assert_eq!(read("one.csv"), read("two.csv"));
    assert_eq!(open(home.path().join("one.csv")).rows(), 118);
    assert_eq!(server.count(), 59);
    assert!(server.seen.lock().unwrap()[0].head.contains("Bearer k-123"));
    let missing = with(&["--endpoint", &server.address, "--model", "tiny", "--key-variable", "NO_SUCH", "-o", "three.csv"]);
    assert!(!missing.status.success() && said(&missing).contains("NO_SUCH"), "{}", said(&missing));
    let few: Vec<&str> = whole.lines().take(6).collect();
    fs::write(home.path().join("t.csv"), few.join("\n")).unwrap();
    let folder = with(&["--model", &format!("{FOLDERS}/t5"), "--prefix", "paraphrase:", "-o", "four.csv"]);
    assert!(folder.status.success(), "{}", said(&folder));
}
