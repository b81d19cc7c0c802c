//! What is asked of a text model, and what was answered. A pipeline whose steps ask is run as often as it takes: a run takes the answers
//! that are there and notes what is missing, somebody gets those answers, and the last run misses nothing. So running stays pure.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_128;

/// What a model is to do with a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Task {
    /// Say it in other words.
    Paraphrase,
    /// Translate it into this language.
    There(String),
    /// Translate it into this language, which it came from.
    Back(String),
    /// Choose one of several answers.
    Choose(Box<Choosing>),
}

/// A question that has several answers, one of which is to be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Choosing {
    /// Who says what, in order: `system`, `user` or `assistant`, and the text.
    pub said: Vec<(&'static str, String)>,
    /// The answers there are.
    pub answers: Vec<String>,
    pub bound: AnswerBound,
    /// The most tokens of an answer.
    pub most: u16,
}

/// How an answer is made to fit. A server may ignore each of these without a word: answers are read, not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerBound {
    /// By nothing but what was said.
    Free,
    /// By a grammar (llama.cpp).
    Grammar,
    /// By a list of choices (vLLM).
    Choices,
    /// By a JSON schema with the answers in it (`class`).
    Schema,
    /// Its first token's probabilities are asked for, so many of them.
    Probabilities(u16),
}

/// One question to a text model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ask {
    /// The name that the user gave the model.
    pub model: String,
    pub task: Task,
    pub text: String,
    /// Terms in it that are to stay as they are.
    pub keep: Vec<String>,
    /// The temperature that words are drawn at, in hundredths; 0 takes the likeliest.
    pub heat: u16,
    /// Which draw it is.
    pub seed: u64,
}

/// What stands for an [`Ask`].
pub type AskKey = u128;

impl Ask {
    /// The same for the same question, here and on any machine.
    pub fn key(&self) -> AskKey {
        let (task, language) = match &self.task {
            Task::Paraphrase => (0_u8, ""),
            Task::There(language) => (1, language.as_str()),
            Task::Back(language) => (2, language.as_str()),
            Task::Choose(_) => (3, ""),
        };
        let mut bytes = vec![task];
        if let Task::Choose(choosing) = &self.task {
            let said = choosing.said.iter().flat_map(|(who, text)| [*who, text.as_str()]);
            for part in said.chain(["\u{0}"]).chain(choosing.answers.iter().map(String::as_str)) {
                bytes.extend((part.len() as u64).to_le_bytes());
                bytes.extend(part.as_bytes());
            }
            bytes.extend(format!("{:?} {}", choosing.bound, choosing.most).as_bytes());
        }
        for part in [self.model.as_str(), language, &self.keep.join("\n"), &self.text] {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes.extend(self.heat.to_le_bytes());
        bytes.extend(if self.heat > 0 { self.seed } else { 0 }.to_le_bytes());
        xxh3_128(&bytes)
    }
}

/// Answers as they come in; shared by those who ask and those who look.
#[derive(Debug, Default)]
pub struct Answers {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<AskKey, Arc<str>>,
    /// What has come so far of answers that are being written.
    begun: HashMap<AskKey, String>,
    /// How many answers of each model were timed, and the seconds that passed meanwhile.
    timed: HashMap<String, (u64, f64)>,
}

impl Answers {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a question; an empty one says that the model had none of use.
    pub fn get(&self, key: AskKey) -> Option<Arc<str>> {
        self.inner().known.get(&key).cloned()
    }

    /// Takes an answer in; the first to a question stays.
    pub fn put(&self, key: AskKey, answer: &str) {
        let mut inner = self.inner();
        inner.begun.remove(&key);
        inner.known.entry(key).or_insert_with(|| answer.into());
    }

    /// What has come of an answer so far.
    pub fn begun(&self, key: AskKey) -> Option<String> {
        self.inner().begun.get(&key).cloned()
    }

    /// Says what has come of an answer so far; `None` that nobody writes it any more.
    pub fn begin(&self, key: AskKey, text: Option<&str>) {
        let mut inner = self.inner();
        match text {
            Some(text) => drop(inner.begun.insert(key, text.to_owned())),
            None => drop(inner.begun.remove(&key)),
        }
    }

    /// Notes that `n` answers of a model took `seconds` together, as the clock on the wall has it.
    pub fn took(&self, model: &str, n: u64, seconds: f64) {
        let mut inner = self.inner();
        let timed = inner.timed.entry(model.to_owned()).or_default();
        *timed = (timed.0 + n, timed.1 + seconds);
    }

    /// Seconds that an answer of a model takes; `None` before the first.
    pub fn seconds_each(&self, model: &str) -> Option<f64> {
        self.inner().timed.get(model).filter(|(n, _)| *n > 0).map(|(n, seconds)| seconds / *n as f64)
    }
}

/// The questions that a run had no answers to, each once.
#[derive(Debug, Default)]
pub struct Missing {
    inner: Mutex<(HashSet<AskKey>, Vec<Ask>)>,
}

impl Missing {
    /// Notes a question.
    pub fn note(&self, ask: Ask) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.0.insert(ask.key()) {
            inner.1.push(ask);
        }
    }

    /// What was noted, in an order that does not depend on threads.
    pub fn take(&self) -> Vec<Ask> {
        let mut list = std::mem::take(&mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner)).1;
        list.sort_by_cached_key(Ask::key);
        list
    }
}
