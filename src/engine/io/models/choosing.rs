//! Questions with several answers, as chat completions take them, and what came back, as it is kept.

use serde_json::{Map, Value, json};

use crate::data::{AnswerBound, Choosing};

/// What came of a question with several answers. It is kept as a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChoiceAnswer {
    /// What was written, without thoughts.
    pub text: String,
    /// Why it ended; `length` where it was cut.
    pub end: String,
    /// Tokens that were read and written, where the server says so.
    pub read: u64,
    pub written: u64,
    /// The likeliest first tokens, and the logarithms of their probabilities.
    pub first: Vec<(String, f64)>,
    /// Why the server did not take the question; empty where it did.
    pub refused: String,
}

impl ChoiceAnswer {
    /// As it is kept.
    pub fn to_text(&self) -> String {
        let first: Vec<Value> = self.first.iter().map(|(token, log)| json!([token, log])).collect();
        json!({ "text": self.text, "end": self.end, "read": self.read, "written": self.written, "first": first, "refused": self.refused })
            .to_string()
    }

    /// As it was kept; `None` where a text is no such.
    pub fn of_text(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let string = |key: &str| value[key].as_str().map(str::to_owned);
        let first = value["first"].as_array()?.iter();
        let first = first.filter_map(|one| Some((one[0].as_str()?.to_owned(), one[1].as_f64()?))).collect();
        Some(Self {
            text: string("text")?,
            end: string("end")?,
            read: value["read"].as_u64().unwrap_or(0),
            written: value["written"].as_u64().unwrap_or(0),
            first,
            refused: string("refused")?,
        })
    }
}

/// What is sent.
pub fn choice_body(model: &str, choosing: &Choosing) -> Value {
    let messages: Vec<Value> = choosing.said.iter().map(|(who, text)| json!({ "role": who, "content": text })).collect();
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model));
    body.insert("messages".to_owned(), json!(messages));
    body.insert("temperature".to_owned(), json!(0));
    body.insert("max_tokens".to_owned(), json!(choosing.most));
    body.insert("stream".to_owned(), json!(false));
    match choosing.bound {
        AnswerBound::Free => {}
        AnswerBound::Grammar => drop(body.insert("grammar".to_owned(), json!(grammar(&choosing.answers)))),
        AnswerBound::Choices => drop(body.insert("structured_outputs".to_owned(), json!({ "choice": choosing.answers }))),
        AnswerBound::Schema => {
            let schema = json!({
                "type": "object", "properties": { "class": { "type": "string", "enum": choosing.answers } },
                "required": ["class"], "additionalProperties": false,
            });
            let format = json!({ "type": "json_schema", "json_schema": { "name": "answer", "strict": true, "schema": schema } });
            body.insert("response_format".to_owned(), format);
        }
        AnswerBound::Probabilities(n) => {
            body.insert("logprobs".to_owned(), json!(true));
            body.insert("top_logprobs".to_owned(), json!(n));
        }
    }
    Value::Object(body)
}

/// A grammar in llama.cpp's form that knows these answers and no other.
fn grammar(answers: &[String]) -> String {
    let quoted = |answer: &String| {
        let mut out = "\"".to_owned();
        for letter in answer.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                other => out.push(other),
            }
        }
        out + "\""
    };
    format!("root ::= {}", answers.iter().map(quoted).collect::<Vec<_>>().join(" | "))
}

/// What a server answered; `None` where that is no chat completion.
pub fn read_choice(value: &Value) -> Option<ChoiceAnswer> {
    let choice = &value["choices"][0];
    // A model that thought until it was cut off has written nothing.
    let content = &choice["message"].as_object()?.get("content").cloned().unwrap_or_default();
    let text = if content.is_null() { "" } else { content.as_str()? };
    let top = choice["logprobs"]["content"][0]["top_logprobs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let first = top.iter().filter_map(|one| Some((one["token"].as_str()?.to_owned(), one["logprob"].as_f64()?))).collect();
    Some(ChoiceAnswer {
        text: without_thoughts(text).trim().to_owned(),
        end: choice["finish_reason"].as_str().unwrap_or_default().to_owned(),
        read: value["usage"]["prompt_tokens"].as_u64().unwrap_or(0),
        written: value["usage"]["completion_tokens"].as_u64().unwrap_or(0),
        first,
        refused: String::new(),
    })
}

/// An answer without what a model thought aloud before it.
pub fn without_thoughts(answer: &str) -> &str {
    let text = answer.trim_start();
    // Some templates open the thoughts themselves, so that only their end is written.
    if let (false, Some((_, after))) = (text.starts_with("<think>"), text.rsplit_once("</think>")) {
        return after;
    }
    match text.strip_prefix("<think>") {
        Some(rest) => rest.split_once("</think>").map_or("", |(_, after)| after),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let answer = ChoiceAnswer {
            text: "card \"lost\"".to_owned(),
            end: "stop".to_owned(),
            read: 84,
            written: 2,
            first: vec![(" A".to_owned(), -0.25), ("B".to_owned(), -3.5)],
            refused: String::new(),
        };
        assert_eq!(ChoiceAnswer::of_text(&answer.to_text()), Some(answer));
        assert_eq!(ChoiceAnswer::of_text("a paraphrase"), None);
    }

    #[test]
    fn a_grammar_knows_its_answers_alone() {
        let answers = ["card arrival".to_owned(), "say \"no\"".to_owned()];
        assert_eq!(grammar(&answers), "root ::= \"card arrival\" | \"say \\\"no\\\"\"");
    }
}
