//! What is wrong in chats, turn by turn: an answer that says nothing, that repeats its question, or that is given to many; roles out of order.

use std::collections::HashMap;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::duplicates::looked_at;
use super::{Finding, FindingKind};
use crate::data::{Chat, Dataset, SampleId, count, json_fault, things};
use crate::job::{Cancelled, Progress};

/// An answer shorter than this is often given: `Yes.`
const SHORT: usize = 24;
/// To so many different questions one answer is a stock answer.
const STOCK: usize = 5;

/// Who speaks, under any of the names that formats have for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    System,
    User,
    Assistant,
    Tool,
    Other,
}

fn speaker(role: &str) -> Speaker {
    match role.to_ascii_lowercase().as_str() {
        "system" | "developer" => Speaker::System,
        "user" | "human" | "prompter" => Speaker::User,
        "assistant" | "gpt" | "model" | "bot" | "chatgpt" | "function_call" => Speaker::Assistant,
        "tool" | "function" | "observation" | "ipython" => Speaker::Tool,
        _ => Speaker::Other,
    }
}

/// Whether a turn of this role is an answer.
pub(super) fn is_answer(role: &str) -> bool {
    speaker(role) == Speaker::Assistant
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// How many turns of a chat are out of order.
pub fn chat_disorders(chat: &Chat) -> usize {
    disorders(chat).len()
}

/// The first that is out of order, in words; `None` where nothing is.
fn disorder(chat: &Chat) -> Option<String> {
    disorders(chat).into_iter().next()
}

/// What is out of order, in words.
fn disorders(chat: &Chat) -> Vec<String> {
    let speakers: Vec<Speaker> = chat.turns().iter().map(|turn| speaker(&turn.role)).collect();
    let mut found = Vec::new();
    // Roles that nobody knows may follow rules of their own.
    if speakers.contains(&Speaker::Other) || speakers.is_empty() {
        return found;
    }
    for (at, two) in speakers.windows(2).enumerate() {
        let place = at + 2;
        match (two[0], two[1]) {
            (_, Speaker::System) => found.push(format!("turn {place} is of the system, behind others")),
            (Speaker::User, Speaker::User) => found.push(format!("turns {} and {place} are both of the user", at + 1)),
            (Speaker::System, Speaker::Assistant) => found.push("an answer stands before any question".to_owned()),
            (Speaker::Assistant, Speaker::Assistant) => {
                let calls = !chat.turns()[at].more.is_empty() || chat.turns()[at].role == "function_call";
                if !calls {
                    found.push(format!("turns {} and {place} are both answers", at + 1));
                }
            }
            (Speaker::User | Speaker::System, Speaker::Tool) => {
                found.push(format!("turn {place} is a tool's answer that nobody asked for"));
            }
            _ => {}
        }
    }
    match (speakers.first(), speakers.last()) {
        (Some(Speaker::Assistant | Speaker::Tool), _) => found.push("an answer stands before any question".to_owned()),
        (_, Some(Speaker::Assistant)) => {}
        _ => found.push("it does not end with an answer".to_owned()),
    }
    found
}

/// What is wrong with a chat's calls of tools, in words: arguments that are no JSON, a function that is none of its tools.
fn broken_call(chat: &Chat, tools: &[String]) -> Option<String> {
    for (turn, place) in chat.turns().iter().zip(1..) {
        let mut calls: Vec<Value> = Vec::new();
        if turn.role == "function_call" {
            match serde_json::from_str::<Value>(&turn.text) {
                Ok(Value::Array(list)) => calls.extend(list),
                Ok(call) => calls.push(call),
                Err(_) if turn.is_json => {}
                Err(_) => {
                    return Some(format!(
                        "turn {place} is a call that is no JSON: {}",
                        json_fault(&turn.text).unwrap_or_default()
                    ));
                }
            }
        }
        for (_, json) in turn.more.iter().filter(|(name, _)| name == "tool_calls") {
            calls.extend(serde_json::from_str::<Vec<Value>>(json).unwrap_or_default());
        }
        for call in calls {
            let function = call.get("function").unwrap_or(&call);
            let Some(name) = function.get("name").and_then(Value::as_str) else { continue };
            if let Some(fault) = function.get("arguments").and_then(Value::as_str).and_then(json_fault) {
                return Some(format!("turn {place} calls {name} with arguments that are no JSON: {fault}"));
            }
            if !tools.is_empty() && !tools.iter().any(|tool| tool == name) {
                return Some(format!("turn {place} calls {name}, which is none of its tools ({})", tools.join(", ")));
            }
        }
    }
    None
}

/// The names of the tools that a cell says; none where it says nothing that is known.
fn tool_names(cell: &str) -> Vec<String> {
    let Ok(mut list) = serde_json::from_str::<Value>(cell) else { return Vec::new() };
    if let Some(text) = list.as_str() {
        list = serde_json::from_str(text).unwrap_or_default();
    }
    let named = |tool: &Value| Some(tool.get("function").unwrap_or(tool).get("name")?.as_str()?.to_owned());
    list.as_array().map(|list| list.iter().filter_map(named).collect()).unwrap_or_default()
}

/// Looks through the chats of a column.
///
/// # Errors
/// [`Cancelled`].
pub fn run(dataset: &Dataset, field: usize, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let column = &dataset.fields()[field].name;
    let mut found = Vec::new();
    // Chats end with a question where prompts are collected: then none that does so is odd.
    let mut disorders: Vec<(SampleId, String)> = Vec::new();
    let mut answers: HashMap<u64, (Vec<SampleId>, std::collections::HashSet<u64>, String)> = HashMap::new();
    let mut chats = 0usize;
    let tools = dataset.field("tools");
    for (at, id) in looked_at(dataset).enumerate() {
        if at % 256 == 0 {
            progress.check()?;
        }
        let Some(chat) = dataset.text(field, id).and_then(|cell| Chat::parse(&cell)) else { continue };
        chats += 1;
        let one = |kind: FindingKind, severity: f64, reason: String| Finding::new(kind, vec![id], column, severity, reason);
        let mut question = String::new();
        let mut told = [false; 2];
        for (turn, place) in chat.turns().iter().zip(1..) {
            let who = speaker(&turn.role);
            let says = if turn.is_json { None } else { Some(plain(&turn.text)) };
            match (who, says) {
                (Speaker::Assistant | Speaker::User, Some(says)) if says.is_empty() && turn.more.is_empty() => {
                    let whose = if who == Speaker::User { "question" } else { "answer" };
                    let again = std::mem::replace(&mut told[0], true);
                    let words = format!("turn {place}, {whose}, says nothing");
                    found.extend((!again).then(|| one(FindingKind::EmptyTurn, 0.9, words)));
                }
                (Speaker::User, Some(says)) => question = says,
                (Speaker::Assistant, Some(says)) => {
                    if says.len() >= SHORT && says == question && !std::mem::replace(&mut told[1], true) {
                        found.push(one(
                            FindingKind::EchoedTurn,
                            0.85,
                            format!("turn {place} repeats what was asked, word by word"),
                        ));
                    }
                    if says.len() >= SHORT {
                        let entry = answers.entry(xxh3_64(says.as_bytes())).or_default();
                        if entry.2.is_empty() {
                            entry.2 = turn.text.chars().take(60).collect();
                        }
                        if entry.0.last() != Some(&id) {
                            entry.0.push(id);
                        }
                        entry.1.insert(xxh3_64(question.as_bytes()));
                    }
                }
                _ => {}
            }
        }
        let tools = tools.and_then(|tools| dataset.text(tools, id)).map(|cell| tool_names(&cell)).unwrap_or_default();
        if let Some(why) = broken_call(&chat, &tools) {
            found.push(one(FindingKind::BrokenCall, 0.9, why));
        }
        if let Some(why) = disorder(&chat) {
            disorders.push((id, why));
        }
    }
    let ends = disorders.iter().filter(|(_, why)| why.starts_with("it does not end")).count();
    for (id, why) in disorders {
        if !(why.starts_with("it does not end") && ends * 2 > chats) {
            found.push(Finding::new(FindingKind::TurnOrder, vec![id], column, 0.7, why));
        }
    }
    let mut stock: Vec<_> = answers.into_values().filter(|(_, questions, _)| questions.len() >= STOCK).collect();
    stock.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
    for (samples, questions, shown) in stock {
        let many = things(questions.len(), "question", "different questions");
        let reason = format!("“{shown}” is the answer to {many}, {} times", count(samples.len()));
        found.push(Finding::new(FindingKind::SameAnswer, samples, column, 0.6, reason));
    }
    Ok(found)
}
