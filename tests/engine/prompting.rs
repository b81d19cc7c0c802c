//! Asking a language model for classes: recorded answers read and calibrated to the digit, a server that obeys little, nothing asked twice, no example that leaks, and a real llama.cpp server where it is there.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lapidary::learn::chosen::{batch, class_named, contextual, shown_names, whole};
use serde_json::{Value, json};

use super::server::{Reply, Request, Server};
use super::train::{Place, tickets};
use super::trainers::{read, shared};

fn numbers(value: &Value) -> Vec<Vec<f64>> {
    let row = |row: &Value| row.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn recorded_answers_are_read_and_calibrated_as_the_reference_does() {
    let Some(folder) = shared("reference/train/llm") else { return };
    let golden = read(&folder.join("prompts.json"));
    let classes: Vec<String> =
        golden["classes"].as_array().unwrap().iter().map(|class| class.as_str().unwrap().to_owned()).collect();
    let truth: Vec<usize> = golden["truth"].as_array().unwrap().iter().map(|class| class.as_u64().unwrap() as usize).collect();
    let k = classes.len();
    let accuracy = |p: &[f64]| {
        let best = |row: &[f64]| (0..k).fold(0, |best, at| if row[at] > row[best] { at } else { best });
        p.chunks(k).zip(&truth).filter(|(row, truth)| best(row) == **truth).count() as f64 / truth.len() as f64
    };
    let near = |ours: f64, value: &Value, what: &str| {
        assert!((ours - value.as_f64().unwrap()).abs() < 1e-9, "{what}: {ours} and not {value}");
    };
    for name in ["letter_none", "letter_nearest"] {
        let of = &golden["variants"][name];
        let p = whole(&numbers(&of["label_logprobs"]).concat(), k);
        near(accuracy(&p), &of["accuracy"], name);
        near(accuracy(&batch(&p, k)), &of["accuracy_batch_calibration"], name);
        if let Some(free) = of.get("content_free") {
            near(accuracy(&contextual(&p, &numbers(free), k)), &of["accuracy_contextual_calibration"], name);
        }
    }
    let shown = shown_names(&classes);
    for name in ["name_nearest_grammar", "name_nearest_free"] {
        let of = &golden["variants"][name];
        for (answer, parsed) in of["answers"].as_array().unwrap().iter().zip(of["parsed"].as_array().unwrap()) {
            let ours = class_named(answer.as_str().unwrap(), &shown, false);
            assert_eq!(ours.map(|class| class as u64), parsed.as_u64(), "{answer}");
        }
    }
}

/// What is asked: the last thing that the user says.
fn question(request: &Request) -> String {
    let messages = request.body["messages"].as_array().unwrap();
    messages.last().unwrap()["content"].as_str().unwrap().to_owned()
}

/// The class of a ticket by its words.
fn class_of(text: &str) -> Option<&'static str> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["money", "back", "refund"]) {
        Some("refund")
    } else if has(&["card", "plastic", "arrived"]) {
        Some("card")
    } else if has(&["password", "login", "locked"]) {
        Some("login")
    } else {
        None
    }
}

fn whole_answer(text: &str, more: &Value) -> Reply {
    let mut choice = json!({ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": text } });
    if !more.is_null() {
        choice["logprobs"] = json!({ "content": [{ "token": text, "logprob": -0.1, "top_logprobs": more }] });
    }
    let body = json!({ "choices": [choice], "usage": { "prompt_tokens": 50, "completion_tokens": 2 } });
    Reply::Status(200, "", body.to_string())
}

fn words<'w>(endpoint: &'w str, more: &[&'w str]) -> Vec<&'w str> {
    let first =
        ["train", "tickets.csv", "--label", "category", "--approach", "prompt", "--endpoint", endpoint, "--model", "tiny"];
    [first.as_slice(), &["--answers", "answers.db", "--json"], more].concat()
}

#[test]
fn a_server_that_says_probabilities_is_read_by_letters_and_nothing_is_asked_twice() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(40)).unwrap();
    let server = Server::start(|_, request| {
        let text = question(request);
        if request.body["top_logprobs"].is_null() {
            return whole_answer("4", &Value::Null);
        }
        // Letters stand before classes in what the system says.
        let system = request.body["messages"][0]["content"].as_str().unwrap().to_owned();
        let own = class_of(&text)
            .and_then(|class| ["A", "B", "C"].iter().position(|letter| system.contains(&format!("\n{letter}: {class}"))));
        let top: Vec<Value> = ["A", "B", "C"]
            .iter()
            .enumerate()
            .map(|(at, letter)| json!({ "token": letter, "logprob": if Some(at) == own { -0.1 } else { -3.0 } }))
            .collect();
        whole_answer("A", &json!(top))
    });
    let found = place.json(&words(&server.address, &[]));
    assert_eq!(found["metrics"]["accuracy"], json!(1.0), "{found}");
    assert_eq!(found["metrics"]["rows"], json!(24));
    let notes = found["notes"].to_string();
    assert!(notes.contains("by the probabilities of the classes' letters"), "{notes}");
    assert!(notes.contains("without a language model the vote of the same examples"), "{notes}");
    let asked = server.count();
    assert_eq!(asked, 25, "a question a test sample, and one that tries what the server says");
    // The same again asks nothing; another prompt asks anew.
    place.json(&words(&server.address, &[]));
    assert_eq!(server.count(), asked);
    place.json(&words(&server.address, &["--calibrate", "contextual", "--examples", "none"]));
    assert_eq!(server.count(), asked + 24 + 3);
    // No test or validation sample is ever an example, nor is the question's own text.
    let text = tickets(40);
    let part_of = |text_of: &str| {
        let line = text.lines().find(|line| line.split(',').next() == Some(text_of)).unwrap();
        line.split(',').nth(2).unwrap().to_owned()
    };
    for request in server.seen.lock().unwrap().iter() {
        let messages = request.body["messages"].as_array().unwrap().clone();
        let said: Vec<&str> =
            messages.iter().filter(|one| one["role"] == "user").map(|one| one["content"].as_str().unwrap()).collect();
        let (asked, examples) = said.split_last().unwrap();
        assert!(examples.iter().all(|example| part_of(example) == "train" && example != asked), "{examples:?}");
    }
    let cost = place.json(&words(&server.address, &["--examples", "random", "--estimate"]));
    assert_eq!((&cost["steps"], &cost["tokens"]), (&json!(24), &json!(52 * 24)));
    // The prompt is taken away as a text.
    place.json(&words(&server.address, &["--examples", "one-a-class", "--most", "6", "--keep", "prompt"]));
    let kept = std::fs::read_to_string(place.path("prompt/prompt.txt")).unwrap();
    assert!(kept.contains("A: ") && kept.ends_with("[user]\n{text}\n\n"), "{kept}");
    assert_eq!(read(&place.path("prompt/messages.json")).as_array().unwrap().len(), 1 + 2 * 3 + 1);
}

#[test]
fn what_names_no_class_counts_as_wrong_and_is_seen() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(40)).unwrap();
    let server = Server::start(|_, request| {
        let text = question(request);
        match class_of(&text) {
            // It ignores every bound, says no probabilities, thinks aloud, and knows nothing of cards.
            Some("card") => whole_answer("I cannot tell.", &Value::Null),
            Some(class) => whole_answer(&format!("<think>hm, card?</think>The class is {class}."), &Value::Null),
            None => whole_answer("4", &Value::Null),
        }
    });
    let found = place.json(&words(&server.address, &["--by-name"]));
    let accuracy = found["metrics"]["accuracy"].as_f64().unwrap();
    assert!((accuracy - 2.0 / 3.0).abs() < 1e-6, "{found}");
    assert!(found["classes"].as_array().unwrap().contains(&json!("no answer")));
    let notes = found["notes"].to_string();
    assert!(notes.contains("8 samples got an answer that names no class"), "{notes}");
    assert!(notes.contains("binds answers by nothing") && notes.contains("no probabilities"), "{notes}");
    let bounds: Vec<bool> = server
        .seen
        .lock()
        .unwrap()
        .iter()
        .take(3)
        .map(|request| ["grammar", "structured_outputs", "response_format"].iter().any(|key| !request.body[*key].is_null()))
        .collect();
    assert_eq!(bounds, [true; 3], "each bound was tried first");
    let runs = place.json(&["runs", "tickets.csv", "--json"]);
    assert_eq!(runs["runs"][0]["metrics"]["accuracy"], found["metrics"]["accuracy"]);
}

#[test]
fn a_server_that_obeys_a_grammar_is_bound_by_it_and_one_that_refuses_says_so() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(40)).unwrap();
    let server = Server::start(|_, request| {
        let text = question(request);
        match (&request.body["grammar"], class_of(&text)) {
            (Value::Null, _) => whole_answer("4", &Value::Null),
            (_, None) => whole_answer("kumquat", &Value::Null),
            (_, Some("login")) => {
                let error =
                    json!({ "error": { "code": 400, "message": "request (6031 tokens) exceeds the available context size" } });
                Reply::Status(400, "", error.to_string())
            }
            (_, Some(class)) => whole_answer(class, &Value::Null),
        }
    });
    let found = place.json(&words(&server.address, &["--by-name"]));
    let notes = found["notes"].to_string();
    assert!(notes.contains("bound by a grammar") && notes.contains("8 samples were not taken by the server"), "{notes}");
    assert!((found["metrics"]["accuracy"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-6);
    let refused = |more: &[&str]| place.refused(&words(&server.address, more));
    assert!(refused(&["--examples", "many"]).contains("one-a-class"));
    assert!(refused(&["--calibrate", "somehow"]).contains("contextual"));
    assert!(refused(&["--through", "part"]).contains("leave the finer column away"));
    // Nobody there, and nobody named.
    let gone = place.refused(&words("http://127.0.0.1:9/v1", &["--by-name"]));
    assert!(gone.contains("nothing answers there"), "{gone}");
    let nobody = place.refused(&["train", "tickets.csv", "--label", "category", "--approach", "prompt"]);
    assert!(nobody.contains("--endpoint and --model"), "{nobody}");
    // What was refused may be taken another day: it is asked again.
    let asked = server.count();
    place.json(&words(&server.address, &["--by-name"]));
    assert_eq!(server.count(), asked + 8);
    let full = Server::start(|_, _| Reply::Status(400, "", json!({ "error": { "message": "no such field" } }).to_string()));
    assert!(place.refused(&words(&full.address, &["--by-name"])).contains("took no question: "));
    let broken = Server::start(|_, _| Reply::Status(200, "", "<html>no</html>".to_owned()));
    assert!(place.refused(&words(&broken.address, &[])).contains("did not answer as chat completions do"));
}

/// A real server, ended with the test.
struct Real(Child);

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_real_llama_cpp_server_is_asked() {
    let Some(folder) = shared("reference/train/llm") else { return };
    let python = std::env::var("LAPIDARY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import xllamacpp, gguf"]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        println!("skipped: no Python with xllamacpp and gguf (LAPIDARY_PYTHON names one)");
        return;
    }
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(10)).unwrap();
    let model = place.path("tiny.gguf");
    let made = Command::new(&python).arg(folder.join("tiny_gguf.py")).arg(&model).status().unwrap();
    assert!(made.success());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Command::new(&python)
        .arg(folder.join("serve.py"))
        .arg(&model)
        .args([port.to_string(), "2048".to_owned()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Real(server.unwrap());
    let address = format!("http://127.0.0.1:{port}/v1");
    for _ in 0..300 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    // Its words are noise: what is tried is that each way of asking is taken, obeyed, and read.
    let letters = place.json(&words(&address, &["--examples", "none"]));
    let notes = letters["notes"].to_string();
    assert!(notes.contains("probabilities of the classes' letters") && letters["metrics"]["log_loss"].is_number(), "{notes}");
    let named = place.json(&words(&address, &["--by-name", "--examples", "one-a-class"]));
    let notes = named["notes"].to_string();
    assert!(notes.contains("bound by a grammar"), "{notes}");
    assert!(!named["classes"].as_array().unwrap().contains(&json!("no answer")), "a grammar is obeyed: {notes}");
}
