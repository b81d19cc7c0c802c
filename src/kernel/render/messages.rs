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

/// The turns as transformers 5.24 hands them on: members that are null are left out, and thoughts stand under each of their names.
pub fn prepared(messages: &[Json]) -> Vec<Json> {
    messages
        .iter()
        .map(|message| {
            let Json::Object(members) = message else { return message.clone() };
            let mut kept: Map<String, Json> =
                members.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect();
            if let Some(said) = THOUGHTS.iter().find_map(|name| kept.get(*name).cloned()) {
                for name in &THOUGHTS[..2] {
                    kept.entry((*name).to_owned()).or_insert_with(|| said.clone());
                }
            }
            Json::Object(kept)
        })
        .collect()
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
        let marked = |json: &Json| json.to_string().contains([BEGINS, ENDS]);
        if self.messages.iter().any(marked) {
            return Err(TemplateError::plain(
                "the conversation holds letters of private use (U+F8FE, U+F8FF) that masks are told by",
            ));
        }
        let some = |json: Option<&Json>| json.map_or_else(|| Value::from(()), from_json);
        let now = self.now;
        let clock = Value::from_function(move |format: String| now.written(&format));
        let mut all: Vec<(String, Value)> =
            self.tokens.iter().map(|(name, token)| (name.clone(), Value::from(token.as_str()))).collect();
        all.extend(self.more.iter().map(|(name, value)| (name.clone(), from_json(value))));
        all.extend([
            ("messages".to_owned(), prepared(self.messages).iter().map(from_json).collect::<Vec<Value>>().into()),
            ("tools".to_owned(), some(self.tools)),
            ("documents".to_owned(), some(self.documents)),
            ("add_generation_prompt".to_owned(), Value::from(self.add_generation_prompt)),
            ("strftime_now".to_owned(), clock),
        ]);
        Ok(Value::from_pairs(all))
    }
}
