//! `OpenAI`'s fine-tuning, by its documents and not by running it: a line's schema (guides on supervised fine-tuning and on direct preference optimisation), tokens as the cookbook counts
//! them. Tools are not counted: it is not said how they are written.

use serde_json::Value as Json;

use super::SeenTokens;
use super::rows::{Reason, RowForm, RowVerdict, TrainerRow, Versus, turns};
use crate::tokens::TextTokenizer;

/// The fewest lines of a file, and the most bytes.
pub const FEWEST: usize = 10;
/// See [`FEWEST`].
pub const MOST_BYTES: u64 = 512 << 20;

/// Roles that a line may have.
const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// What is wrong with the turns of a line, in the order of the schema; nothing where all is right. `answered`: whether an answer must be among them.
pub fn wrongs(list: &[Json], answered: bool) -> Vec<(Reason, &'static str)> {
    let mut out = Vec::new();
    for turn in list {
        let role = turn.get("role").and_then(Json::as_str);
        let calls = turn.get("tool_calls").and_then(Json::as_array).filter(|calls| !calls.is_empty());
        let is_answer = role == Some("assistant");
        if role.is_none_or(|role| !ROLES.contains(&role)) {
            out.push((Reason::UnknownRole, "a role that is none of system, developer, user, assistant, tool"));
        }
        match turn.get("content") {
            Some(Json::String(_)) => {}
            Some(Json::Array(parts)) => {
                if is_answer && parts.iter().any(|part| part.get("type").and_then(Json::as_str) != Some("text")) {
                    out.push((Reason::NotText, "an image stands in an answer"));
                }
            }
            None | Some(Json::Null) if is_answer && (calls.is_some() || turn.get("function_call").is_some()) => {}
            None | Some(Json::Null) => out.push((Reason::NullText, "content is missing")),
            Some(_) => out.push((Reason::NotText, "content is neither a text nor parts")),
        }
        for call in calls.into_iter().flatten() {
            match call["function"].get("arguments") {
                Some(Json::String(text)) if serde_json::from_str::<Json>(text).is_ok() => {}
                Some(Json::String(_)) => out.push((Reason::CallNoJson, "the arguments of a call are no JSON")),
                _ => out.push((Reason::CallNoJson, "the arguments of a call are not a text of JSON")),
            }
        }
        if role == Some("tool") && turn.get("tool_call_id").is_none() {
            out.push((Reason::CallNoJson, "a tool's answer without tool_call_id"));
        }
        match turn.get("weight").filter(|weight| !weight.is_null()).map(|weight| weight.as_f64()) {
            None => {}
            Some(Some(weight)) if is_answer && (weight == 0.0 || weight == 1.0) => {}
            Some(_) => out.push((Reason::NotText, "weight is neither 0 nor 1, or not an answer's")),
        }
    }
    let mut said = list.iter().filter(|turn| turn.get("role").and_then(Json::as_str) == Some("assistant")).peekable();
    if answered && said.peek().is_none() {
        out.push((Reason::NoAnswer, "no turn of the assistant"));
    } else if answered && said.all(|turn| turn.get("weight").and_then(Json::as_f64) == Some(0.0)) {
        out.push((Reason::NothingTrained, "every answer has the weight 0"));
    }
    out
}

/// Turns as tokens: three a turn beside its role and its content, as the cookbook counts.
fn told(list: &[Json], tokenizer: &TextTokenizer, learns: bool) -> SeenTokens {
    let mut seen = SeenTokens::default();
    let control = |name: &str| tokenizer.id_of(name).unwrap_or_default();
    for turn in list {
        let text = |name: &str| turn.get(name).and_then(Json::as_str).unwrap_or_default();
        let on = learns && text("role") == "assistant" && turn.get("weight").and_then(Json::as_f64) != Some(0.0);
        let mut put = |ids: &[u32], on: bool| {
            seen.ids.extend(ids);
            seen.trained.extend(ids.iter().map(|_| on));
        };
        put(&[control("<|im_start|>")], false);
        put(&tokenizer.encode(text("role")), false);
        let name = text("name");
        if !name.is_empty() {
            put(&tokenizer.encode(name), false);
        }
        put(&[control("<|im_sep|>")], false);
        match turn.get("content") {
            Some(Json::String(text)) => put(&tokenizer.encode(text), on),
            Some(Json::Array(parts)) => {
                parts.iter().filter_map(|part| part.get("text")?.as_str()).for_each(|text| put(&tokenizer.encode(text), on));
            }
            _ => {}
        }
        for call in turn.get("tool_calls").and_then(Json::as_array).into_iter().flatten() {
            for name in ["name", "arguments"] {
                put(&tokenizer.encode(call["function"][name].as_str().unwrap_or_default()), on);
            }
        }
        put(&[control("<|im_end|>")], on);
    }
    seen
}

/// What becomes of a line: anything that is wrong fails the file. `tokenizer` is `o200k`.
pub fn openai_row(form: RowForm, row: &TrainerRow, tokenizer: &TextTokenizer, most: usize) -> RowVerdict {
    learned(form, row, tokenizer, most).unwrap_or_else(|verdict| verdict)
}

fn refused(wrongs: Vec<(Reason, &'static str)>) -> Result<(), RowVerdict> {
    match wrongs.into_iter().next() {
        Some((reason, why)) => Err(RowVerdict::Fails(reason, why.to_owned())),
        None => Ok(()),
    }
}

fn learned(form: RowForm, row: &TrainerRow, tokenizer: &TextTokenizer, most: usize) -> Result<RowVerdict, RowVerdict> {
    let list = |value: Option<&Json>| match value {
        Some(Json::Array(list)) if !list.is_empty() => Ok(list.clone()),
        _ => Err(RowVerdict::fails(Reason::NoTurns)),
    };
    match form {
        RowForm::OpenAi => {
            let list = turns(row, "messages").filter(|_| row["messages"].is_array()).filter(|list| !list.is_empty());
            let list = list.ok_or(RowVerdict::fails(Reason::NoTurns))?;
            refused(wrongs(&list, true))?;
            let seen = told(&list, tokenizer, true);
            let whole = seen.ids.len();
            Ok(RowVerdict::of(seen.cut(most), whole))
        }
        RowForm::Preference => {
            let Some(input) = row.get("input").filter(|input| input.is_object()) else {
                return Err(RowVerdict::fails(Reason::OtherForm));
            };
            let asked = list(input.get("messages"))?;
            refused(wrongs(&asked, false))?;
            let answer = |name: &str| -> Result<(SeenTokens, usize), RowVerdict> {
                let own = list(row.get(name))?;
                refused(wrongs(&own, true))?;
                let (mut seen, own) = (told(&asked, tokenizer, false), told(&own, tokenizer, true));
                seen.ids.extend(own.ids);
                seen.trained.extend(own.trained);
                let whole = seen.ids.len();
                Ok((seen.cut(most), whole))
            };
            let ((seen, whole), (worse, of_worse)) = (answer("preferred_output")?, answer("non_preferred_output")?);
            Ok(RowVerdict::Kept { seen, whole, versus: Versus::Rejected { seen: worse, whole: of_worse } })
        }
        _ => Err(RowVerdict::fails(Reason::OtherForm)),
    }
}
