//! LLaMA-Factory 0.9.5: rows as its converters read them (`data/converter.py`), tools as its tool format has them (`data/tool_utils.py`, qwen's).

use serde_json::{Value as Json, json};

use super::llamafactory::{FactoryEncoder, FactoryOptions, ToolWords};
use super::rows::{Reason, RowForm, RowVerdict, TrainerRow, text};
use super::{Said, SeenTokens};
use crate::render::json_of;

/// A row in the trainer's own form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aligned {
    pub said: Vec<Said>,
    pub system: String,
    /// JSON, or nothing.
    pub tools: String,
}

pub(super) fn said(role: &str, content: &str) -> Said {
    Said { role: role.to_owned(), content: content.to_owned() }
}

fn alpaca(row: &TrainerRow, names: [&str; 3]) -> Result<Aligned, RowVerdict> {
    let [prompt, query, response] = names;
    let mut own = asked(row, [prompt, query])?;
    let answer = text(row, response)?.ok_or(RowVerdict::Dropped(Reason::NoAnswer))?;
    own.said.push(said("assistant", answer));
    Ok(own)
}

/// What is asked of an instruction, with what was said before.
pub(super) fn asked(row: &TrainerRow, [prompt, query]: [&str; 2]) -> Result<Aligned, RowVerdict> {
    let mut all = Vec::new();
    if let Some(Json::Array(history)) = row.get("history") {
        for pair in history {
            let Some([asked, answered]) = pair.as_array().map(Vec::as_slice) else {
                return Err(RowVerdict::fails(Reason::BrokenHistory));
            };
            let (Some(asked), Some(answered)) = (asked.as_str(), answered.as_str()) else {
                return Err(RowVerdict::fails(Reason::NullText));
            };
            all.extend([said("user", asked), said("assistant", answered)]);
        }
    }
    let parts: Vec<&str> =
        [text(row, prompt)?, text(row, query)?].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    all.push(said("user", &parts.join("\n")));
    Ok(Aligned { said: all, system: text(row, "system")?.unwrap_or_default().to_owned(), tools: String::new() })
}

/// The tools of a row: a text of JSON, or nothing.
fn tools_of(row: &TrainerRow, any: bool) -> Result<String, RowVerdict> {
    match row.get("tools") {
        None | Some(Json::Null) => Ok(String::new()),
        Some(Json::String(text)) if text.is_empty() => Ok(String::new()),
        Some(Json::String(text)) => Ok(text.clone()),
        Some(Json::Array(list)) if any => Ok(if list.is_empty() { String::new() } else { json_of(&Json::Array(list.clone())) }),
        Some(_) => Err(RowVerdict::fails(Reason::ToolsNoJson)),
    }
}

/// How a chat names its members and its roles, as `dataset_info.json` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChatTags {
    pub role: &'static str,
    pub content: &'static str,
    pub user: &'static str,
    pub assistant: &'static str,
}

/// `from` and `value`, `human` and `gpt`.
pub(super) const SHARE_TAGS: ChatTags = ChatTags { role: "from", content: "value", user: "human", assistant: "gpt" };
/// `role` and `content`, `user` and `assistant`.
pub(super) const ROLE_TAGS: ChatTags = ChatTags { role: "role", content: "content", user: "user", assistant: "assistant" };

/// The turns of a chat, which must alternate; `odd`: whether they must end with a question, and not with an answer.
pub(super) fn chat(row: &TrainerRow, member: &str, tags: &ChatTags, odd: bool) -> Result<Aligned, RowVerdict> {
    let list = match row.get(member) {
        Some(Json::Array(list)) => list.clone(),
        Some(Json::String(text)) => serde_json::from_str(text).map_err(|_| RowVerdict::fails(Reason::NotText))?,
        _ => return Err(RowVerdict::fails(Reason::NoTurns)),
    };
    let tag = |turn: &Json| turn.get(tags.role).and_then(Json::as_str).unwrap_or_default().to_owned();
    let mut rest = list.as_slice();
    let mut system = text(row, "system")?.unwrap_or_default().to_owned();
    if let Some(first) = rest.first().filter(|first| tag(first) == "system") {
        first.get(tags.content).and_then(Json::as_str).unwrap_or_default().clone_into(&mut system);
        rest = &rest[1..];
    }
    if rest.is_empty() {
        return Err(RowVerdict::Dropped(Reason::NoTurns));
    }
    let mut all = Vec::new();
    let mut broken = None;
    for (at, turn) in rest.iter().enumerate() {
        let own = tag(turn);
        let role = match (own.as_str(), at % 2) {
            (name, 0) if name == tags.user => "user",
            ("observation", 0) => "observation",
            (name, 1) if name == tags.assistant => "assistant",
            ("function_call", 1) => "function",
            _ => {
                broken = Some(Reason::RoleOrder);
                break;
            }
        };
        match turn.get(tags.content) {
            Some(Json::String(text)) => all.push(said(role, text)),
            None | Some(Json::Null) => return Err(RowVerdict::fails(Reason::NullText)),
            Some(_) => return Err(RowVerdict::fails(Reason::NotText)),
        }
    }
    if broken.is_none() && rest.len() % 2 != usize::from(odd) {
        broken = Some(Reason::EndsWithQuestion);
    }
    match broken {
        Some(reason) => Err(RowVerdict::Dropped(reason)),
        None => Ok(Aligned { said: all, system, tools: tools_of(row, false)? }),
    }
}

/// What the converter puts into the system's words of every row without tools.
const NO_THOUGHTS: &str = "detailed thinking off";

/// `quirk`: whether the converter's own words go into the system's.
fn open_ai(row: &TrainerRow, quirk: bool) -> Result<Aligned, RowVerdict> {
    let Some(Json::Array(list)) = row.get("messages") else { return Err(RowVerdict::fails(Reason::NoTurns)) };
    let role_of = |turn: &Json| turn.get("role").and_then(Json::as_str).unwrap_or_default().to_owned();
    let tools = tools_of(row, true)?;
    let mut rest = list.as_slice();
    let mut system = String::new();
    if let Some(first) = rest.first().filter(|first| role_of(first) == "system") {
        first.get("content").and_then(Json::as_str).unwrap_or_default().clone_into(&mut system);
        rest = &rest[1..];
    }
    if rest.is_empty() {
        return Err(RowVerdict::Dropped(Reason::NoTurns));
    }
    if tools.is_empty() && quirk {
        system = if system.is_empty() { NO_THOUGHTS.to_owned() } else { format!("{system}\n{NO_THOUGHTS}") };
    }
    let mut all: Vec<Said> = Vec::new();
    for turn in rest {
        let content = match turn.get("content") {
            Some(Json::String(text)) => Some(text.as_str()),
            None | Some(Json::Null) => None,
            Some(_) => return Err(RowVerdict::fails(Reason::NotText)),
        };
        let calls = turn.get("tool_calls").and_then(Json::as_array).filter(|calls| !calls.is_empty());
        let role = role_of(turn);
        match (role.as_str(), calls, content) {
            ("assistant", Some(calls), _) => {
                let list: Vec<Json> = calls
                    .iter()
                    .map(|call| {
                        let of = |name: &str| call["function"].get(name).cloned().unwrap_or(Json::Null);
                        json!({ "name": of("name"), "arguments": of("arguments") })
                    })
                    .collect();
                all.push(said("function", &json_of(&Json::Array(list))));
            }
            ("user" | "assistant" | "tool" | "function", _, None) => return Err(RowVerdict::fails(Reason::NullText)),
            ("tool", _, Some(text)) => match all.last_mut().filter(|last| last.role == "observation") {
                Some(last) => last.content.push_str(&format!("\n</tool_response>\n<tool_response>\n{text}")),
                None => all.push(said("observation", text)),
            },
            ("user" | "assistant" | "function", _, Some(text)) => all.push(said(&role, text)),
            _ => return Err(RowVerdict::fails(Reason::UnknownRole)),
        }
    }
    let alternate = all.iter().enumerate().all(|(at, one)| match at % 2 {
        0 => matches!(one.role.as_str(), "user" | "observation"),
        _ => matches!(one.role.as_str(), "assistant" | "function"),
    });
    match (alternate, all.len() % 2) {
        (false, _) => Err(RowVerdict::Dropped(Reason::RoleOrder)),
        (true, 1) => Err(RowVerdict::Dropped(Reason::EndsWithQuestion)),
        _ => Ok(Aligned { said: all, system, tools }),
    }
}

/// A row in the trainer's own form, or what becomes of it.
///
/// # Errors
/// [`RowVerdict`]: it is left out, or the run fails.
pub fn aligned(form: RowForm, row: &TrainerRow) -> Result<Aligned, RowVerdict> {
    match form {
        RowForm::Alpaca => alpaca(row, ["instruction", "input", "output"]),
        RowForm::PromptCompletion => alpaca(row, ["prompt", "", "completion"]),
        RowForm::ShareGpt => chat(row, "conversations", &SHARE_TAGS, false),
        RowForm::OpenAi => open_ai(row, true),
        RowForm::Text => Ok(Aligned { said: vec![said("user", text(row, "text")?.unwrap_or_default())], ..Aligned::default() }),
        RowForm::Preference | RowForm::Unpaired => Err(RowVerdict::fails(Reason::OtherForm)),
    }
}

/// The same, without what the trainer's converter adds: to be written in another form. Arguments of calls are objects.
///
/// # Errors
/// [`RowVerdict`].
pub(super) fn aligned_plainly(form: RowForm, row: &TrainerRow) -> Result<Aligned, RowVerdict> {
    let RowForm::OpenAi = form else { return aligned(form, row) };
    let mut row = row.clone();
    // A text of JSON would be encoded twice.
    if let Some(Json::Array(list)) = row.get_mut("messages") {
        for call in list.iter_mut().filter_map(|turn| turn.get_mut("tool_calls")?.as_array_mut()).flatten() {
            let read = call["function"]["arguments"].as_str().and_then(|text| serde_json::from_str::<Json>(text).ok());
            if let Some(read) = read {
                call["function"]["arguments"] = read;
            }
        }
    }
    open_ai(&row, false)
}

/// JSON as Python's `json.dumps(…, indent=4)` writes it.
fn indented(value: &Json, depth: usize) -> String {
    let (pad, end) = ("    ".repeat(depth + 1), "    ".repeat(depth));
    match value {
        Json::Object(members) if !members.is_empty() => {
            let lines: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{pad}{}: {}", json_of(&Json::String(name.clone())), indented(value, depth + 1)))
                .collect();
            format!("{{\n{}\n{end}}}", lines.join(",\n"))
        }
        Json::Array(list) if !list.is_empty() => {
            let lines: Vec<String> = list.iter().map(|value| format!("{pad}{}", indented(value, depth + 1))).collect();
            format!("[\n{}\n{end}]", lines.join(",\n"))
        }
        other => json_of(other),
    }
}

/// What a tool takes, a line a parameter.
fn described(tool: &Json) -> Option<String> {
    let parameters = tool.get("parameters")?;
    let required: Vec<&str> =
        parameters.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    let text = |of: &Json, name: &str| of.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let mut lines = String::new();
    for (name, of) in parameters.get("properties")?.as_object()? {
        let needed = if required.contains(&name.as_str()) { ", required" } else { "" };
        let choices: Vec<&str> = of.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
        let one_of = if choices.is_empty() { String::new() } else { format!(", should be one of [{}]", choices.join(", ")) };
        let items = of.get("items").filter(|items| items.as_object().is_some_and(|items| !items.is_empty()));
        let each = items.map_or_else(String::new, |items| format!(", where each item should be {}", text(items, "type")));
        lines.push_str(&format!("  - {name} ({}{needed}): {}{one_of}{each}\n", text(of, "type"), text(of, "description")));
    }
    Some(lines)
}

/// The tools as the system's words have them.
fn tool_words(tools: &str, words: ToolWords) -> Result<String, RowVerdict> {
    if tools.is_empty() {
        return Ok(String::new());
    }
    let list: Vec<Json> = serde_json::from_str(tools).map_err(|_| RowVerdict::fails(Reason::ToolsNoJson))?;
    if list.is_empty() {
        return Ok(String::new());
    }
    let is_whole = |tool: &Json| tool.get("type").and_then(Json::as_str) == Some("function");
    let whole = |tool: &Json| if is_whole(tool) { tool.clone() } else { json!({ "type": "function", "function": tool }) };
    let bare = |tool: &Json| if is_whole(tool) { tool.get("function").cloned().unwrap_or(Json::Null) } else { tool.clone() };
    let name =
        |tool: &Json| tool.get("name").and_then(Json::as_str).map(str::to_owned).ok_or(RowVerdict::fails(Reason::ToolsNoJson));
    match words {
        ToolWords::Qwen => {
            let lines: Vec<String> = list.iter().map(|tool| json_of(&whole(tool))).collect();
            let lines = lines.join("\n");
            Ok(format!(
                "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>\n{lines}\n</tools>\n\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n{{\"name\": <function-name>, \"arguments\": <args-json-object>}}\n</tool_call>"
            ))
        }
        ToolWords::Mistral => {
            let list: Vec<Json> = list.iter().map(whole).collect();
            Ok(format!("[AVAILABLE_TOOLS] {}[/AVAILABLE_TOOLS]", json_of(&Json::Array(list))))
        }
        ToolWords::Default => {
            let (mut text, mut names) = (String::new(), Vec::new());
            for tool in list.iter().map(bare) {
                let takes = described(&tool).ok_or(RowVerdict::fails(Reason::ToolsNoJson))?;
                let says = tool.get("description").and_then(Json::as_str).unwrap_or_default();
                text.push_str(&format!("> Tool Name: {}\nTool Description: {says}\nTool Args:\n{takes}\n", name(&tool)?));
                names.push(name(&tool)?);
            }
            Ok(format!(
                "You have access to the following tools:\n{text}Use the following format if using a tool:\n```\nAction: tool name (one of [{}])\nAction Input: the input to the tool, in a JSON format representing the kwargs (e.g. ```{{\"input\": \"hello world\", \"num_beams\": 5}}```)\n```\n",
                names.join(", ")
            ))
        }
        ToolWords::Glm4 => {
            let mut text = String::new();
            for tool in list.iter().map(bare) {
                let body = indented(&tool, 0);
                text.push_str(&format!("\n\n## {}\n\n{body}\n在调用上述函数时，请使用 Json 格式表示调用的参数。", name(&tool)?));
            }
            Ok(format!(
                "你是一个名为 ChatGLM 的人工智能助手。你是基于智谱 AI 公司训练的语言模型 GLM-4 模型开发的，你的任务是针对用户的问题和要求提供适当的答复和支持。\n\n# 可用工具{text}"
            ))
        }
        // Llama 3's tools are told with the day of the run, which is not known before it: the length of a date is always the same.
        ToolWords::Llama3 => {
            let text: Vec<String> = list.iter().map(|tool| indented(&whole(tool), 0)).collect();
            let text = text.join("\n\n") + "\n\n";
            Ok(format!(
                "Cutting Knowledge Date: December 2023\nToday Date: 25 Nov 2026\n\nYou have access to the following functions. To call a function, please respond with JSON for a function call. Respond in the format {{\"name\": function name, \"parameters\": dictionary of argument name and its value}}. Do not use variables.\n\n{text}"
            ))
        }
        ToolWords::Other => Err(RowVerdict::Dropped(Reason::Untold)),
    }
}

/// A function call as it is written.
fn call_words(content: &str, words: ToolWords) -> Result<String, RowVerdict> {
    let read: Json = serde_json::from_str(content).map_err(|_| RowVerdict::fails(Reason::CallNoJson))?;
    let list = match read {
        Json::Array(list) => list,
        one => vec![one],
    };
    let mut calls = Vec::new();
    for call in list {
        let (Some(name), Some(arguments)) = (call.get("name"), call.get("arguments")) else {
            return Err(RowVerdict::fails(Reason::CallNoJson));
        };
        calls.push((name.clone(), arguments.clone()));
    }
    let text = |name: &Json| name.as_str().map_or_else(|| json_of(name), str::to_owned);
    let each =
        |key: &str| -> Vec<Json> { calls.iter().map(|(name, arguments)| json!({ "name": name, key: arguments })).collect() };
    match words {
        ToolWords::Qwen => Ok(each("arguments")
            .iter()
            .map(|call| format!("<tool_call>\n{}\n</tool_call>", json_of(call)))
            .collect::<Vec<_>>()
            .join("\n")),
        ToolWords::Default => {
            let line = |(name, arguments): &(Json, Json)| format!("Action: {}\nAction Input: {}", text(name), json_of(arguments));
            Ok(calls.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        ToolWords::Mistral => Ok(json_of(&Json::Array(each("arguments")))),
        ToolWords::Llama3 => {
            let mut list = each("parameters");
            Ok(if list.len() == 1 { json_of(&list.remove(0)) } else { json_of(&Json::Array(list)) })
        }
        // Several at once are an error there.
        ToolWords::Glm4 => match calls.as_slice() {
            [(name, arguments)] => Ok(format!("{}\n{}", text(name), json_of(arguments))),
            _ => Err(RowVerdict::Fails(Reason::CallNoJson, "this template calls one function at a time".to_owned())),
        },
        ToolWords::Other => Err(RowVerdict::Dropped(Reason::Untold)),
    }
}

/// Calls and tools as the template writes them.
pub(super) fn worded(own: &mut Aligned, encoder: &FactoryEncoder<'_>) -> Result<(), RowVerdict> {
    for one in own.said.iter_mut().filter(|one| one.role == "function") {
        one.content = call_words(&one.content, encoder.template.tools)?;
    }
    let tools = tool_words(&own.tools, encoder.template.tools)?;
    if !tools.is_empty() {
        let system = if own.system.is_empty() { encoder.template.default_system } else { own.system.as_str() };
        own.system = format!("{system}{tools}");
    }
    Ok(())
}

/// What becomes of a row.
pub fn row(form: RowForm, row: &TrainerRow, encoder: &FactoryEncoder<'_>, options: &FactoryOptions) -> RowVerdict {
    learned(form, row, encoder, options).unwrap_or_else(|verdict| verdict)
}

fn learned(
    form: RowForm,
    row: &TrainerRow,
    encoder: &FactoryEncoder<'_>,
    options: &FactoryOptions,
) -> Result<RowVerdict, RowVerdict> {
    let mut own = aligned(form, row)?;
    if form == RowForm::Text {
        let content = own.said.first().map_or("", |one| one.content.as_str());
        let mut ids = encoder.tokenizer.encode(content);
        ids.extend(encoder.eos);
        let whole = ids.len();
        let trained = vec![true; whole];
        return Ok(RowVerdict::of(SeenTokens { ids, trained }.cut(options.cutoff), whole));
    }
    worded(&mut own, encoder)?;
    let (seen, turns) = encoder.supervised(&own.said, &own.system, options);
    let reached: usize = turns.iter().map(|turn| turn.source + turn.target).sum();
    // What stands behind the turn that was cut was not counted: the whole is learned by asking without a limit, where it is cut at all.
    let is_cut = turns.len() * 2 < own.said.len()
        || turns.iter().any(|turn| turn.source + turn.target > turn.source_kept + turn.target_kept);
    let whole = if is_cut {
        encoder.pairs(&own.said, &own.system, options).iter().map(|(source, target)| source.len() + target.len()).sum()
    } else {
        reached
    };
    let whole = whole + usize::from(encoder.template.efficient_eos);
    Ok(RowVerdict::of(seen, whole))
}
