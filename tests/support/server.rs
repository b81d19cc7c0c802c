//! A server of chat completions for tests: on this machine alone, with prepared answers, and it remembers what it was sent.

#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lapidary::io::{Place, TextModel};
use serde_json::{Value, json};

/// What the server does with a request.
pub enum Reply {
    /// Streams this text, a word an event.
    Text(String),
    /// Answers this in one piece.
    Whole(String),
    /// A status, headers and a body.
    Status(u16, &'static str, String),
    /// Begins to stream, then closes.
    Torn,
    /// Says nothing for a long time.
    Silence,
}

/// One request, as it came.
#[derive(Clone)]
pub struct Request {
    pub head: String,
    pub body: Value,
}

/// The server; its thread ends with the process.
pub struct Server {
    pub address: String,
    pub seen: Arc<Mutex<Vec<Request>>>,
    /// The most requests that were under way together.
    pub most: Arc<AtomicUsize>,
}

impl Server {
    /// Starts one that answers by `reply`, which is given the number of the request, from 0 on.
    pub fn start(reply: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let most = Arc::new(AtomicUsize::new(0));
        let (log, peak, reply) = (Arc::clone(&seen), Arc::clone(&most), Arc::new(reply));
        std::thread::spawn(move || {
            let now = Arc::new(AtomicUsize::new(0));
            for stream in listener.incoming().flatten() {
                let (log, peak, reply, now) = (Arc::clone(&log), Arc::clone(&peak), Arc::clone(&reply), Arc::clone(&now));
                std::thread::spawn(move || {
                    // Counted before the answer is written: whoever has it may ask the next at once.
                    let counted = |n: usize, request: &Request| {
                        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        let reply = reply(n, request);
                        now.fetch_sub(1, Ordering::SeqCst);
                        reply
                    };
                    let _ = answer(stream, &log, &counted);
                });
            }
        });
        Self { address, seen, most }
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// A text model at an address, called `name`.
pub fn at(name: &str, url: &str) -> TextModel {
    let place = Place::Address {
        url: url.to_owned(),
        model: "tiny".to_owned(),
        key_variable: String::new(),
        at_once: 2,
        per_minute: 0,
        allowed: String::new(),
    };
    TextModel { name: name.to_owned(), place }
}

/// The same, which the user lets texts be sent to.
pub fn allowed(name: &str, url: &str) -> TextModel {
    let mut model = at(name, url);
    let host = model.sends_to().unwrap_or_default();
    if let Place::Address { allowed, .. } = &mut model.place {
        *allowed = host;
    }
    model
}

/// What a paraphrasing server would say: the text of the user, each word with a mark.
pub fn marked(request: &Request) -> String {
    let text = request.body["messages"][1]["content"].as_str().unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    format!("{} indeed {}", words.join(" "), request.body["seed"].as_u64().unwrap_or_default() % 97)
}

fn answer(mut stream: TcpStream, log: &Mutex<Vec<Request>>, reply: &dyn Fn(usize, &Request) -> Reply) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = Request { head, body: serde_json::from_slice(&body).unwrap_or(Value::Null) };
    let n = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    let head = |status: u16, kind: &str, more: &str| {
        format!("HTTP/1.1 {status} Any\r\ncontent-type: {kind}\r\nconnection: close\r\n{more}\r\n")
    };
    let event = |text: &str| format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}, "finish_reason": null}]}));
    match reply(n, &request) {
        Reply::Text(text) => {
            stream.write_all(head(200, "text/event-stream", "").as_bytes())?;
            for word in text.split_inclusive(' ') {
                stream.write_all(event(word).as_bytes())?;
                stream.flush()?;
            }
            stream.write_all(b"data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n")?;
        }
        Reply::Whole(text) => {
            let body = json!({"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]});
            stream.write_all(format!("{}{body}", head(200, "application/json", "")).as_bytes())?;
        }
        Reply::Status(status, more, body) => {
            stream.write_all(format!("{}{body}", head(status, "application/json", more)).as_bytes())?;
        }
        Reply::Torn => stream.write_all(format!("{}{}", head(200, "text/event-stream", ""), event("half ")).as_bytes())?,
        Reply::Silence => std::thread::sleep(Duration::from_secs(120)),
    }
    stream.flush()
}
