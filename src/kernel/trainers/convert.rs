//! Rows from one trainer's form into another's: total where the other can hold them, and what it cannot hold is said.

use serde_json::{Map, Value as Json, json};

use super::llamafactory_rows::aligned_plainly;
use super::rows::{Reason, RowForm, RowVerdict, TrainerRow, turns};
use crate::render::json_of;

/// A row in the form that it is written in, or why it cannot be.
pub type Converted = Result<TrainerRow, Reason>;

fn reason_of(verdict: &RowVerdict) -> Reason {
    match verdict {
        RowVerdict::Dropped(reason) | RowVerdict::Fails(reason, _) => *reason,
        RowVerdict::Kept { .. } | RowVerdict::TooLong { .. } => Reason::TooLong,
    }
}

/// As LLaMA-Factory takes it whole: chats as `ShareGPT`, with calls and tools as texts of JSON, so that no reader merges their keys; never as its `openai`, which puts words into the
/// system's mouth.
///
/// # Errors
/// [`Reason`].
pub fn for_llamafactory(form: RowForm, row: &TrainerRow) -> Converted {
    if matches!(form, RowForm::Alpaca | RowForm::PromptCompletion | RowForm::Text) {
        return plain(form, row);
    }
    let own = aligned_plainly(form, row).map_err(|verdict| reason_of(&verdict))?;
    let tag = |role: &str| match role {
        "user" => "human",
        "observation" => "observation",
        "function" => "function_call",
        _ => "gpt",
    };
    let list: Vec<Json> = own.said.iter().map(|one| json!({ "from": tag(&one.role), "value": one.content })).collect();
    let mut out = Map::new();
    out.insert("conversations".to_owned(), list.into());
    out.insert("system".to_owned(), own.system.into());
    out.insert("tools".to_owned(), own.tools.into());
    Ok(out)
}

/// Instructions, questions and texts as they are, with every member there is a column for: nothing is null.
fn plain(form: RowForm, row: &TrainerRow) -> Converted {
    let needed: &[&str] = match form {
        RowForm::Alpaca => &["instruction", "output"],
        RowForm::PromptCompletion => &["prompt", "completion"],
        _ => &["text"],
    };
    let mut out = Map::new();
    for (name, value) in row {
        let text = match value {
            Json::Null if needed.contains(&name.as_str()) => return Err(Reason::NullText),
            Json::Null if name == "history" => Json::Array(Vec::new()),
            Json::Null => Json::String(String::new()),
            Json::String(_) => value.clone(),
            Json::Array(_) if name == "history" => value.clone(),
            _ => return Err(Reason::NotText),
        };
        out.insert(name.clone(), text);
    }
    Ok(out)
}

/// As messages of `role` and `content`: `strings` says that the arguments of calls are texts of JSON, and not objects.
///
/// # Errors
/// [`Reason`].
pub fn as_messages(form: RowForm, row: &TrainerRow, strings: bool) -> Converted {
    let mut out = Map::new();
    let list = match form {
        RowForm::OpenAi => turns(row, "messages").ok_or(Reason::NoTurns)?,
        RowForm::ShareGpt => turns(row, "conversations").ok_or(Reason::NoTurns)?,
        RowForm::Alpaca => {
            let own = aligned_plainly(form, row).map_err(|verdict| reason_of(&verdict))?;
            let system = (!own.system.is_empty()).then(|| json!({ "role": "system", "content": own.system }));
            system.into_iter().chain(own.said.iter().map(|one| json!({ "role": one.role, "content": one.content }))).collect()
        }
        RowForm::PromptCompletion | RowForm::Text => return plain(form, row),
        RowForm::Preference | RowForm::Unpaired => return Err(Reason::OtherForm),
    };
    if list.is_empty() {
        return Err(Reason::NoTurns);
    }
    let mut messages = Vec::new();
    if let Some(system) = row.get("system").and_then(Json::as_str).filter(|text| !text.is_empty() && form == RowForm::ShareGpt) {
        messages.push(json!({ "role": "system", "content": system }));
    }
    for turn in &list {
        messages.push(message(turn, strings)?);
    }
    out.insert("messages".to_owned(), messages.into());
    if let Some(tools) = tools_list(row)? {
        out.insert("tools".to_owned(), tools);
    }
    Ok(out)
}

/// The tools of a row as a list, each with its type; `None` where there are none.
pub(super) fn tools_list(row: &TrainerRow) -> Result<Option<Json>, Reason> {
    let list = match row.get("tools") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Json::String(text)) => serde_json::from_str::<Vec<Json>>(text).map_err(|_| Reason::ToolsNoJson)?,
        Some(Json::Array(list)) => list.clone(),
        Some(_) => return Err(Reason::ToolsNoJson),
    };
    Ok((!list.is_empty()).then(|| list.into_iter().map(wrapped).collect()))
}

fn wrapped(tool: Json) -> Json {
    if tool.get("type").and_then(Json::as_str) == Some("function") {
        tool
    } else {
        json!({ "type": "function", "function": tool })
    }
}

/// Arguments as they are wanted.
fn arguments(given: &Json, strings: bool) -> Json {
    match (given, strings) {
        (Json::String(text), false) => serde_json::from_str(text).unwrap_or_else(|_| given.clone()),
        (Json::String(_), true) | (_, false) => given.clone(),
        (given, true) => Json::String(json_of(given)),
    }
}

/// A turn as `role` and `content`.
pub(super) fn message(turn: &Json, strings: bool) -> Result<Json, Reason> {
    let role = turn.get("role").or_else(|| turn.get("from")).and_then(Json::as_str).ok_or(Reason::UnknownRole)?;
    let content = turn.get("content").or_else(|| turn.get("value")).cloned().unwrap_or(Json::Null);
    let text = |content: &Json| match content {
        Json::Null => Err(Reason::NullText),
        Json::String(_) => Ok(content.clone()),
        // Parts of text are one text.
        Json::Array(parts) => {
            let texts: Option<Vec<&str>> = parts.iter().map(|part| part.get("text")?.as_str()).collect();
            texts.map(|texts| Json::String(texts.concat())).ok_or(Reason::NotText)
        }
        _ => Err(Reason::NotText),
    };
    let mut own = match role {
        "human" | "user" => json!({ "role": "user", "content": text(&content)? }),
        "gpt" | "assistant" | "model" if turn.get("tool_calls").is_none_or(Json::is_null) => {
            json!({ "role": "assistant", "content": text(&content)? })
        }
        "system" | "developer" => json!({ "role": "system", "content": text(&content)? }),
        "observation" | "tool" => json!({ "role": "tool", "content": text(&content)? }),
        "function_call" => {
            let read: Json = content.as_str().and_then(|text| serde_json::from_str(text).ok()).ok_or(Reason::CallNoJson)?;
            let list = if let Json::Array(list) = read { list } else { vec![read] };
            let calls: Vec<Json> = list
                .iter()
                .map(|call| json!({ "type": "function", "function": { "name": call["name"], "arguments": arguments(&call["arguments"], strings) } }))
                .collect();
            json!({ "role": "assistant", "content": "", "tool_calls": calls })
        }
        "gpt" | "assistant" | "model" => {
            let calls: Vec<Json> = turn["tool_calls"]
                .as_array()
                .ok_or(Reason::CallNoJson)?
                .iter()
                .map(|call| {
                    let mut call = call.clone();
                    let given = arguments(&call["function"]["arguments"], strings);
                    call["function"]["arguments"] = given;
                    call
                })
                .collect();
            let content = if content.is_null() { Json::String(String::new()) } else { text(&content)? };
            json!({ "role": "assistant", "content": content, "tool_calls": calls })
        }
        _ => return Err(Reason::UnknownRole),
    };
    for name in ["weight", "tool_call_id", "name", "reasoning_content"] {
        if let Some(value) = turn.get(name).filter(|value| !value.is_null()) {
            own[name] = value.clone();
        }
    }
    Ok(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: Json) -> TrainerRow {
        json.as_object().unwrap().clone()
    }

    #[test]
    fn chats_go_there_and_back() {
        let chat = json!({ "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "Weather?" },
            { "role": "assistant", "content": "", "tool_calls": [{ "type": "function", "function": { "name": "look", "arguments": { "city": "Bern", "days": 1.0 } } }] },
            { "role": "tool", "content": "21" },
            { "role": "assistant", "content": "21 degrees." },
        ], "tools": [{ "type": "function", "function": { "name": "look" } }] });
        let there = for_llamafactory(RowForm::OpenAi, &row(chat.clone())).unwrap();
        assert_eq!(there["system"], "Be brief.");
        assert_eq!(
            there["conversations"][1],
            json!({ "from": "function_call", "value": "[{\"name\": \"look\", \"arguments\": {\"city\": \"Bern\", \"days\": 1.0}}]" })
        );
        let back = as_messages(RowForm::ShareGpt, &there, false).unwrap();
        assert_eq!(Json::Object(back), chat);
    }

    #[test]
    fn what_cannot_be_held_is_said_and_what_can_be_is_mended() {
        let refused = |form, json: Json| for_llamafactory(form, &row(json)).unwrap_err();
        let ends = json!({ "messages": [{ "role": "user", "content": "a" }] });
        assert_eq!(refused(RowForm::OpenAi, ends), Reason::EndsWithQuestion);
        assert_eq!(refused(RowForm::Alpaca, json!({ "instruction": "a", "output": null })), Reason::NullText);
        assert_eq!(refused(RowForm::Alpaca, json!({ "instruction": "a", "output": 4 })), Reason::NotText);
        let filled =
            for_llamafactory(RowForm::Alpaca, &row(json!({ "instruction": "a", "input": null, "output": "b" }))).unwrap();
        assert_eq!(filled["input"], "");
        // Parts of text are text, roles of another dialect the target's own, a call's missing content nothing.
        let parts = json!({ "conversations": [
            { "from": "human", "value": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] },
            { "from": "gpt", "value": "c" },
        ] });
        let own = as_messages(RowForm::ShareGpt, &row(parts), true).unwrap();
        assert_eq!(own["messages"], json!([{ "role": "user", "content": "ab" }, { "role": "assistant", "content": "c" }]));
        let call = json!({ "messages": [
            { "role": "user", "content": "a" },
            { "role": "assistant", "content": null, "tool_calls": [{ "function": { "name": "f", "arguments": { "x": 1 } } }] },
        ] });
        let own = as_messages(RowForm::OpenAi, &row(call), true).unwrap();
        assert_eq!(own["messages"][1]["tool_calls"][0]["function"]["arguments"], "{\"x\": 1}");
        let said = as_messages(RowForm::Alpaca, &row(json!({ "instruction": "a", "input": "b", "output": "c" })), false).unwrap();
        assert_eq!(said["messages"][0]["content"], "a\nb");
    }
}
