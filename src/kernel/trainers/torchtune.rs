//! torchtune 0.6.1: its message transforms and checks (`data/_messages.py`, held to what they answered when run) and, for Qwen 2.5, its own tokenizer's way with turns
//! (`models/qwen2_5/_tokenizer.py`, `data/_utils.py`: read, and not run). It uses no chat template.

use serde_json::Value as Json;

use super::SeenTokens;
use super::chat_rows::TrainerModel;
use super::rows::{Reason, RowForm, RowVerdict, TrainerRow, Versus};

/// A turn: who says it, what, and whether it is learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TuneTurn {
    pub role: String,
    pub content: String,
    pub learned: bool,
}

fn turn(role: &str, content: &str) -> TuneTurn {
    TuneTurn { role: role.to_owned(), content: content.to_owned(), learned: role == "assistant" }
}

/// A content: a text, or the texts of its parts.
fn content(value: Option<&Json>) -> Result<Option<String>, RowVerdict> {
    match value {
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(Json::Array(parts)) => Ok(Some(parts.iter().filter_map(|part| part.get("text")?.as_str()).collect())),
        None => Err(RowVerdict::fails(Reason::NullText)),
        Some(_) => Ok(None),
    }
}

/// Turns of `role` and `content`. What is neither text nor parts takes over the text of the turn before, and is learned as if it were said: so it is there.
fn open_ai(list: &[Json], strict: bool) -> Result<Vec<TuneTurn>, RowVerdict> {
    let mut before: Option<String> = None;
    list.iter()
        .map(|one| {
            let role = one.get("role").and_then(Json::as_str).ok_or(RowVerdict::fails(Reason::UnknownRole))?;
            match content(one.get("content"))? {
                Some(text) => before = Some(text),
                None if strict => return Err(RowVerdict::fails(Reason::NotText)),
                None => {}
            }
            Ok(turn(role, before.as_deref().ok_or(RowVerdict::fails(Reason::NotText))?))
        })
        .collect()
}

fn share_gpt(list: &[Json]) -> Result<Vec<TuneTurn>, RowVerdict> {
    list.iter()
        .map(|one| {
            let role = match one.get("from").and_then(Json::as_str) {
                Some("system") => "system",
                Some("human") => "user",
                Some("gpt") => "assistant",
                _ => return Err(RowVerdict::fails(Reason::UnknownRole)),
            };
            match one.get("value") {
                Some(Json::String(text)) => Ok(turn(role, text)),
                _ => Err(RowVerdict::fails(Reason::NullText)),
            }
        })
        .collect()
}

/// The turns must go to and fro (`validate_messages`).
fn checked(turns: Vec<TuneTurn>) -> Result<Vec<TuneTurn>, RowVerdict> {
    if turns.len() < 2 {
        return Err(RowVerdict::Fails(Reason::NoTurns, "fewer than two turns".to_owned()));
    }
    let mut last = "assistant";
    for (at, one) in turns.iter().enumerate() {
        let wrong = match one.role.as_str() {
            "assistant" if last != "user" => Some("an answer that follows no question"),
            "user" if last == "user" => Some("two questions in a row"),
            "system" if at > 0 => Some("a system turn that is not the first"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(RowVerdict::Fails(Reason::RoleOrder, wrong.to_owned()));
        }
        last = &one.role;
    }
    Ok(turns)
}

/// A row's turns, or why the run fails; of a pair the better conversation and the worse.
///
/// # Errors
/// [`RowVerdict::Fails`].
pub fn turns_of(form: RowForm, row: &TrainerRow) -> Result<Vec<Vec<TuneTurn>>, RowVerdict> {
    let list = |name: &str| match row.get(name) {
        Some(Json::Array(list)) => Ok(list),
        Some(Json::String(_)) => Err(RowVerdict::fails(Reason::NotText)),
        _ => Err(RowVerdict::fails(Reason::NoTurns)),
    };
    let text = |name: &str| match row.get(name) {
        Some(Json::String(text)) => Ok(text.clone()),
        None | Some(Json::Null) => Err(RowVerdict::fails(Reason::NullText)),
        Some(_) => Err(RowVerdict::fails(Reason::NotText)),
    };
    let all = match form {
        RowForm::OpenAi => vec![open_ai(list("messages")?, false)?],
        RowForm::ShareGpt => vec![share_gpt(list("conversations")?)?],
        RowForm::Preference => vec![open_ai(list("chosen")?, true)?, open_ai(list("rejected")?, true)?],
        RowForm::Alpaca => {
            let asked = row.get("instruction").ok_or(RowVerdict::fails(Reason::NullText))?;
            let python = |value: &Json| {
                value.as_str().map_or_else(|| crate::render::str_of(&crate::render::from_json(value)), str::to_owned)
            };
            let asked = python(asked);
            let input =
                row.get("input").map(|input| if input.is_null() { String::new() } else { python(input) }).unwrap_or_default();
            let prompt = if input.is_empty() {
                format!(
                    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n{asked}\n\n### Response:\n"
                )
            } else {
                format!(
                    "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\n{asked}\n\n### Input:\n{input}\n\n### Response:\n"
                )
            };
            // Unless told otherwise, an instruction is learned, too.
            let asked = TuneTurn { role: "user".to_owned(), content: prompt, learned: true };
            vec![vec![asked, turn("assistant", &text("output")?)]]
        }
        RowForm::PromptCompletion => vec![vec![turn("user", &text("prompt")?), turn("assistant", &text("completion")?)]],
        RowForm::Text | RowForm::Unpaired => return Err(RowVerdict::fails(Reason::OtherForm)),
    };
    all.into_iter().map(checked).collect()
}

/// Turns as its tokenizer for Qwen 2.5 has them, and how many tokens they are without a limit; `None` where the model is another.
fn told(turns: &[TuneTurn], model: &TrainerModel<'_>, most: usize) -> Option<(SeenTokens, usize)> {
    let (start, end) = (model.tokenizer.id_of("<|im_start|>")?, model.tokenizer.id_of("<|im_end|>")?);
    let mut seen = SeenTokens::default();
    for (at, one) in turns.iter().enumerate() {
        let mut ids = vec![start];
        ids.extend(model.tokenizer.encode(&format!("{}\n", one.role)));
        ids.extend(model.tokenizer.encode(&one.content));
        if one.role != "assistant" || at + 1 != turns.len() {
            ids.push(end);
            ids.extend(model.tokenizer.encode("\n"));
        }
        // The mark of the turn is learned with it.
        seen.trained.extend(ids.iter().map(|_| one.learned));
        seen.ids.extend(ids);
    }
    seen.ids.push(end);
    seen.trained.push(seen.trained.last().copied().unwrap_or(false));
    let whole = seen.ids.len();
    let mut seen = seen.cut(most);
    // What is cut ends with an end all the same; and the last token is not learned wherever a limit is set.
    if let (Some(last), Some(on)) = (seen.ids.last_mut(), seen.trained.last_mut()) {
        *last = end;
        *on = false;
    }
    Some((seen, whole))
}

/// What becomes of a row.
pub fn torchtune_row(form: RowForm, row: &TrainerRow, model: &TrainerModel<'_>, most: usize) -> RowVerdict {
    let other = || {
        RowVerdict::Fails(
            Reason::Template,
            "torchtune has a tokenizer of its own for every family; only Qwen's is followed here".to_owned(),
        )
    };
    let all = match turns_of(form, row) {
        Ok(all) => all,
        Err(verdict) => return verdict,
    };
    let mut all = all.iter().map(|turns| told(turns, model, most));
    match (all.next(), all.next()) {
        (Some(Some((seen, whole))), None) => RowVerdict::of(seen, whole),
        (Some(Some((seen, whole))), Some(Some((worse, of_worse)))) => {
            RowVerdict::Kept { seen, whole, versus: Versus::Rejected { seen: worse, whole: of_worse } }
        }
        _ => other(),
    }
}
