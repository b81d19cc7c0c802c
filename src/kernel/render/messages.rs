//! A conversation as a template is given it: what transformers 5.24 does to it before.

use minijinja::value::Value;
use serde_json::{Map, Value as Json};

use super::calendar::RenderTime;
use super::python::from_json;
use super::{BEGINS, ENDS, TemplateError};

/// What is rendered.
#[derive(Debug, Clone)]
pub struct Conversation<'c> {
    /// Turns, each an object with a role and mostly a content.
    pub messages: &'c [Json],
    /// Tools that may be called, as a list of JSON schemas; and documents.
    pub tools: Option<&'c Json>,
    pub documents: Option<&'c Json>,
    /// Whether the beginning of an answer is asked for.
    pub add_generation_prompt: bool,
    /// The tokenizer's own: `bos_token` and the like.
    pub tokens: &'c [(String, String)],
    /// What else a template may be told: `enable_thinking` and the like.
    pub more: &'c Map<String, Json>,
    /// What `strftime_now` says.
    pub now: RenderTime,
}

/// The names under which a model's thoughts stand beside its answer.
const THOUGHTS: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

/// A turn as transformers 5.24 hands it on: members that are null are left out, and thoughts stand under each of their names.
fn prepared(message: &Json) -> Value {
    let Json::Object(members) = message else { return from_json(message) };
    let kept = || members.iter().filter(|(_, value)| !value.is_null());
    let thought = THOUGHTS.iter().find_map(|name| members.get(*name).filter(|value| !value.is_null()));
    let missing = |name: &&&str| members.get(**name).is_none_or(Json::is_null);
    let more = thought.into_iter().flat_map(|said| THOUGHTS[..2].iter().filter(missing).map(move |name| (*name, said)));
    Value::from_pairs(
        kept().map(|(name, value)| (name.as_str(), value)).chain(more).map(|(name, value)| (name, from_json(value))),
    )
}

/// Whether letters stand in it that masks are told by.
fn is_marked(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains([BEGINS, ENDS]),
        Json::Array(list) => list.iter().any(is_marked),
        Json::Object(members) => members.iter().any(|(name, value)| name.contains([BEGINS, ENDS]) || is_marked(value)),
        _ => false,
    }
}

/// The text of the last turn, of parts the last that is text.
pub fn final_content(messages: &[Json]) -> Option<&str> {
    match messages.last()?.get("content")? {
        Json::String(text) => Some(text),
        Json::Array(parts) => parts.iter().rev().find_map(|part| part.get("text")?.as_str()),
        _ => None,
    }
}

impl Conversation<'_> {
    /// What the template sees.
    pub(super) fn context(&self) -> Result<Value, TemplateError> {
        if self.messages.is_empty() {
            return Err(TemplateError::plain("the conversation is empty"));
        }
        if self.messages.iter().any(is_marked) {
            return Err(TemplateError::plain(
                "the conversation holds letters of private use (U+F8FE, U+F8FF) that masks are told by",
            ));
        }
        let some = |json: Option<&Json>| json.map_or_else(|| Value::from(()), from_json);
        let now = self.now;
        let clock = Value::from_function(move |format: String| now.written(&format));
        let mut all: Vec<(&str, Value)> =
            self.tokens.iter().map(|(name, token)| (name.as_str(), Value::from(token.as_str()))).collect();
        all.extend(self.more.iter().map(|(name, value)| (name.as_str(), from_json(value))));
        all.extend([
            ("messages", self.messages.iter().map(prepared).collect::<Vec<Value>>().into()),
            ("tools", some(self.tools)),
            ("documents", some(self.documents)),
            ("add_generation_prompt", Value::from(self.add_generation_prompt)),
            ("strftime_now", clock),
        ]);
        Ok(Value::from_pairs(all))
    }
}
