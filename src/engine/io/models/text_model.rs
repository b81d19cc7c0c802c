//! Text models as the user names them, a folder or an address, and what asks them. Nothing is asked that the user did not name, and
//! nothing leaves this machine that the user did not allow.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::data::{Ask, Task, sentences};
use crate::io::error::WriterError;
use crate::io::models::choosing::without_thoughts;
use crate::io::models::endpoint::{Endpoint, host_of, is_open};
use crate::io::models::torch_file::read_torch;
use crate::job::Progress;
use crate::learn::seq2seq::{Seq2Seq, Seq2SeqError, Seq2SeqFiles};

/// A text model by the name its user gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextModel {
    pub name: String,
    pub place: Place,
}

/// Where a text model is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A T5 or Marian folder.
    Folder {
        folder: PathBuf,
        /// The folder that translates back.
        #[serde(default)]
        back: PathBuf,
        /// What stands before a text, `paraphrase:` or `>>fra<<`, there and back.
        #[serde(default)]
        prefix: String,
        #[serde(default)]
        back_prefix: String,
    },
    /// An address that answers chat completions.
    Address {
        url: String,
        /// What the server calls the model.
        model: String,
        /// The environment variable that holds the key; the key itself is never kept.
        #[serde(default)]
        key_variable: String,
        /// How many questions are under way at a time, at least 1.
        #[serde(default = "one")]
        at_once: u32,
        /// How many are sent a minute; 0 for as many as are answered.
        #[serde(default)]
        per_minute: u32,
        /// The host that the user allowed texts to be sent to.
        #[serde(default)]
        allowed: String,
    },
}

fn one() -> u32 {
    1
}

/// The most questions under way at a time.
pub const MOST_AT_ONCE: u32 = 32;

impl TextModel {
    /// The host that texts are sent to, where that is another machine.
    pub fn sends_to(&self) -> Option<String> {
        match &self.place {
            Place::Folder { .. } => None,
            Place::Address { url, .. } => match host_of(url) {
                Some((_, true)) => None,
                Some((host, false)) => Some(host),
                None => Some(url.clone()),
            },
        }
    }

    /// Whether it is a folder, which rewrites texts and answers no questions.
    pub fn is_folder(&self) -> bool {
        matches!(self.place, Place::Folder { .. })
    }

    /// Whether it may be asked: it stays on this machine, or the user has allowed its host.
    pub fn is_allowed(&self) -> bool {
        match (&self.place, self.sends_to()) {
            (Place::Address { allowed, .. }, Some(host)) => *allowed == host,
            _ => true,
        }
    }

    /// Whether texts go to it unencrypted over a network.
    pub fn is_open(&self) -> bool {
        matches!(&self.place, Place::Address { url, .. } if is_open(url))
    }

    /// How many questions may be under way at a time.
    pub fn at_once(&self) -> usize {
        match &self.place {
            Place::Address { at_once, .. } => (*at_once).clamp(1, MOST_AT_ONCE) as usize,
            // The kernels of one question keep all cores busy.
            Place::Folder { .. } => 1,
        }
    }

    /// What it is to a cache: answers of another model, or of the same name for another, are not its own.
    pub fn identity(&self) -> String {
        match &self.place {
            Place::Address { url, model, .. } => format!("{}\n{}", url.trim(), model.trim()),
            Place::Folder { folder, back, prefix, back_prefix } => {
                let stamp = |folder: &Path| {
                    let of = |name: &str| {
                        let meta = fs::metadata(folder.join(name)).ok()?;
                        Some(format!("{} {:?}", meta.len(), meta.modified().ok()))
                    };
                    WEIGHTS.iter().chain(&["config.json"]).filter_map(|name| of(name)).collect::<Vec<_>>().join(" ")
                };
                let parts = [folder, back].map(|folder| format!("{} {}", folder.display(), stamp(folder)));
                format!("{}\n{prefix}\n{back_prefix}", parts.join("\n"))
            }
        }
    }
}

/// A text model made ready.
pub struct Writer(How);

enum How {
    Address(Box<Endpoint>),
    Folder { there: Box<Mutex<Seq2Seq>>, back: Option<Box<Mutex<Seq2Seq>>>, prefix: String, back_prefix: String },
}

impl Writer {
    /// Makes a text model ready: reads its folders, or takes its address. `key` goes before the variable that was named; nothing is sent.
    ///
    /// # Errors
    /// [`WriterError`].
    pub fn new(model: &TextModel, key: Option<&str>) -> Result<Self, WriterError> {
        match &model.place {
            Place::Address { url, model: name, key_variable, per_minute, .. } => {
                if let Some(host) = model.sends_to().filter(|_| !model.is_allowed()) {
                    return Err(WriterError::NotAllowed(host));
                }
                let variable = key_variable.trim().trim_start_matches('$');
                // A key that was put here by a slip is not said aloud.
                if !is_variable(variable) {
                    return Err(WriterError::Setting(format!(
                        "{}: the name of an environment variable has letters, digits and underscores only",
                        model.name
                    )));
                }
                let key = match (key.filter(|key| !key.is_empty()), variable) {
                    (Some(key), _) => Some(key.to_owned()),
                    (None, "") => None,
                    (None, variable) => Some(std::env::var(variable).map_err(|_| {
                        WriterError::Setting(format!("the key of {} is to be in {variable}, and that is not set", model.name))
                    })?),
                };
                Ok(Self(How::Address(Box::new(Endpoint::new(url, name, key, *per_minute)?))))
            }
            Place::Folder { folder, back, prefix, back_prefix } => {
                let load = |folder: &Path| Ok::<_, WriterError>(Box::new(Mutex::new(Seq2Seq::new(read(folder)?)?)));
                let back = if back.as_os_str().is_empty() { None } else { Some(load(back)?) };
                let (prefix, back_prefix) = (prefix.clone(), back_prefix.clone());
                Ok(Self(How::Folder { there: load(folder)?, back, prefix, back_prefix }))
            }
        }
    }

    /// Answers a question; empty where there is no answer of use. `partial` is told what there is so far.
    ///
    /// # Errors
    /// [`WriterError`].
    pub fn write(&self, ask: &Ask, partial: &dyn Fn(&str), progress: &Progress) -> Result<String, WriterError> {
        let answer = match &self.0 {
            How::Address(endpoint) if matches!(ask.task, Task::Choose(_)) => return endpoint.write(ask, &|_| (), progress),
            How::Folder { .. } if matches!(ask.task, Task::Choose(_)) => {
                let text = format!("{} is a folder that rewrites texts: name an address that answers questions", ask.model);
                return Err(WriterError::Setting(text));
            }
            How::Address(endpoint) => {
                let answer = endpoint.write(ask, &|text| partial(without_thoughts(text)), progress)?;
                without_thoughts(&answer).to_owned()
            }
            How::Folder { there, back, prefix, back_prefix } => {
                let (net, prefix) = match (&ask.task, back) {
                    (Task::Paraphrase | Task::There(_) | Task::Choose(_), _) => (there, prefix),
                    (Task::Back(_), Some(back)) => (back, back_prefix),
                    (Task::Back(_), None) => {
                        let text = format!("{} translates there and not back: name a folder that does", ask.model);
                        return Err(WriterError::Setting(text));
                    }
                };
                let heat = f32::from(ask.heat) / 100.0;
                let mut net = net.lock().unwrap_or_else(PoisonError::into_inner);
                // A prefix ends in a space, unless it is a token.
                let prefix = if prefix.trim().is_empty() { String::new() } else { format!("{} ", prefix.trim()) };
                let written = if ask.task == Task::Paraphrase {
                    net.write(&prefix, &ask.text, heat, ask.seed, partial, progress)
                } else {
                    by_sentences(&mut net, &prefix, ask, partial, progress)
                };
                written?
            }
        };
        Ok(tidy(&answer, &ask.text))
    }
}

/// Whether something may be the name of an environment variable, or is empty.
pub fn is_variable(name: &str) -> bool {
    let name = name.trim().trim_start_matches('$');
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Translations were learned sentence by sentence, and are made so; layout between sentences stays.
fn by_sentences(
    net: &mut Seq2Seq,
    prefix: &str,
    ask: &Ask,
    partial: &dyn Fn(&str),
    progress: &Progress,
) -> Result<String, Seq2SeqError> {
    let mut done = String::new();
    let all = sentences(&ask.text).len();
    for (at, sentence) in sentences(&ask.text).into_iter().enumerate() {
        let body = sentence.trim_end();
        if !body.trim().is_empty() {
            let seed = crate::chance::seed_of(&[ask.seed, at as u64]);
            let written =
                net.write(prefix, body, f32::from(ask.heat) / 100.0, seed, &|text| partial(&format!("{done}{text}")), progress)?;
            if written.is_empty() {
                return Ok(String::new());
            }
            done += &written;
            // Where no space stands between sentences, the language they go to may need one.
            if sentence.len() == body.len() && at + 1 < all {
                done.push(' ');
            }
        }
        done += &sentence[body.len()..];
    }
    Ok(done)
}

/// An answer without what models put round it: quotation marks that the text has none of, a heading, blank ends.
fn tidy(answer: &str, text: &str) -> String {
    let mut answer = answer.trim();
    for (open, close) in [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»'), ('\'', '\'')] {
        if let Some(inner) = answer.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
            && !text.trim_start().starts_with(open)
            && !inner.contains([open, close])
        {
            answer = inner.trim();
        }
    }
    answer.to_owned()
}

const WEIGHTS: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];
/// The largest weights, and the largest other file of a model, that are read.
const LARGEST: u64 = 4 << 30;
const LARGEST_WORDS: u64 = 64 << 20;

fn read(folder: &Path) -> Result<Seq2SeqFiles, WriterError> {
    let there = |name: &str| folder.join(name).is_file();
    let bytes = |name: &str| {
        let path = folder.join(name);
        let size = fs::metadata(&path).map_or(0, |meta| meta.len());
        if size > LARGEST_WORDS {
            return Err(WriterError::Setting(format!("{} is larger than any such file is", path.display())));
        }
        fs::read(&path).map_err(|error| WriterError::Read(path, error))
    };
    let optional = |name: &str| if there(name) { bytes(name).map(Some) } else { Ok(None) };
    let config = bytes("config.json")?;
    let Some(name) = WEIGHTS.iter().find(|name| there(name)) else {
        let missing =
            std::io::Error::new(std::io::ErrorKind::NotFound, "neither model.safetensors nor pytorch_model.bin is there");
        return Err(WriterError::Read(folder.to_owned(), missing));
    };
    let path = folder.join(name);
    let size = fs::metadata(&path).map_err(|error| WriterError::Read(path.clone(), error))?.len();
    if size > LARGEST {
        return Err(WriterError::Setting(format!("{} is larger than 4 GB, too large for a processor", path.display())));
    }
    let weights: Result<HashMap<_, _>, String> = if name.ends_with("bin") {
        read_torch(&path)
    } else {
        candle_core::safetensors::load(&path, &candle_core::Device::Cpu).map_err(|error| error.to_string())
    };
    let weights = weights.map_err(|error| WriterError::Setting(format!("{} cannot be read: {error}", path.display())))?;
    let pieces = match optional("spiece.model")? {
        Some(bytes) => Some(bytes),
        None => optional("source.spm")?,
    };
    Ok(Seq2SeqFiles { config, weights, tokenizer: optional("tokenizer.json")?, pieces, vocabulary: optional("vocab.json")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_freed_of_what_models_put_round_it() {
        assert_eq!(tidy(" \"My card is gone.\"\n", "I lost my card"), "My card is gone.");
        assert_eq!(tidy("\"Yes\" and \"no\"", "say"), "\"Yes\" and \"no\"");
        assert_eq!(tidy("\"Yes\"", "\"no\""), "\"Yes\"");
    }

    #[test]
    fn another_machine_must_be_allowed_by_its_name() {
        let at = |url: &str, allowed: &str| TextModel {
            name: "m".to_owned(),
            place: Place::Address {
                url: url.to_owned(),
                model: "m".to_owned(),
                key_variable: String::new(),
                at_once: 1,
                per_minute: 0,
                allowed: allowed.to_owned(),
            },
        };
        assert!(at("localhost:1/v1", "").is_allowed());
        assert!(!at("api.example.com/v1", "").is_allowed());
        assert!(at("api.example.com/v1", "api.example.com").is_allowed());
        assert!(!at("api.example.org/v1", "api.example.com").is_allowed());
        assert!(matches!(Writer::new(&at("api.example.org", "api.example.com"), None), Err(WriterError::NotAllowed(_))));
    }
}
