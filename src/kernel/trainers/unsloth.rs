//! Unsloth (unsloth-zoo 2026.10.9, `dataset_utils.py`; what it does was seen by running it): `ShareGPT` is put into roles by aliases, the chat template renders the whole; everything is
//! learned, or only what stands between the mark of an answer and the end token, the next question's mark, or the end.

use serde_json::{Map, Value as Json, json};

use super::SeenTokens;
use super::chat_rows::TrainerModel;
use super::rows::{Reason, RowForm, RowVerdict, TrainerRow, limited};
use crate::render::TemplateError;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnslothOptions {
    /// The most tokens of a sample (`max_seq_length`): what is longer loses its end.
    pub max_length: usize,
    /// `train_on_responses_only`.
    pub responses_only: bool,
    /// Of these, only the last (`last_response_only`).
    pub last_only: bool,
}

impl Default for UnslothOptions {
    fn default() -> Self {
        Self { max_length: 2_048, responses_only: false, last_only: false }
    }
}

/// What stands before a question and before an answer, as tokens: `instruction_part` and `response_part`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnHeads {
    pub question: Vec<u32>,
    pub answer: Vec<u32>,
}

/// What the template writes before each turn, found by rendering two questions and answers; `None` where it writes nothing that could be found.
///
/// # Errors
/// [`TemplateError`].
pub fn heads_of(model: &TrainerModel<'_>) -> Result<Option<TurnHeads>, TemplateError> {
    let turn = |role: &str, content: &str| json!({ "role": role, "content": content });
    let said = [turn("user", "QQONE"), turn("assistant", "AAONE"), turn("user", "QQTWO"), turn("assistant", "AATWO")];
    let none = Map::new();
    let whole = model.template.render(&model.conversation(&said, None, &none, false))?;
    let between = |from: &str, to: &str| Some(whole.split_once(from)?.1.split_once(to)?.0.to_owned());
    let (Some(to_question), Some(to_answer)) = (between("AAONE", "QQTWO"), between("QQONE", "AAONE")) else { return Ok(None) };
    let end = whole.split_once("AATWO").map_or("", |(_, end)| end);
    let encode = |text: &str| model.tokenizer.encode(text);
    // What ends a turn ends the last one, too: the rest begins the next.
    let (to_question, to_answer, end) = (encode(&to_question), encode(&to_answer), encode(end));
    let mut same = to_question.iter().zip(&end).take_while(|(a, b)| a == b).count();
    // An end that is a line's alone belongs to the mark where nothing else is left of it.
    if same == to_question.len() {
        same = 0;
    }
    let question = to_question[same..].to_vec();
    let before = to_question[..same].iter().zip(&to_answer).take_while(|(a, b)| a == b).count();
    let answer = to_answer[if before < to_answer.len() { before } else { 0 }..].to_vec();
    Ok((!question.is_empty() && !answer.is_empty()).then_some(TurnHeads { question, answer }))
}

/// Which tokens are answers.
pub fn answers(ids: &[u32], marks: &TurnHeads, blank: &dyn Fn(u32) -> bool, eos: Option<u32>, last_only: bool) -> Vec<bool> {
    let core = |mark: &[u32]| {
        let end = mark.iter().rposition(|id| !blank(*id)).map_or(mark.len(), |at| at + 1);
        (mark[..end].to_vec(), mark[end..].to_vec())
    };
    let ((question, _), (answer, tail)) = (core(&marks.question), core(&marks.answer));
    let mut trained = vec![false; ids.len()];
    let mut at = 0;
    while at < ids.len() {
        if !ids[at..].starts_with(&answer) {
            at += 1;
            continue;
        }
        at += answer.len();
        // A line's end that belongs to the mark is not the answer's, where it is a token of its own.
        for blank in &tail {
            if ids.get(at) == Some(blank) {
                at += 1;
            }
        }
        if last_only {
            trained.fill(false);
        }
        while at < ids.len() && !ids[at..].starts_with(&question) {
            trained[at] = true;
            at += 1;
            if Some(ids[at - 1]) == eos {
                break;
            }
        }
    }
    trained
}

/// The roles that an alias stands for.
fn role_of(alias: &str) -> Option<&'static str> {
    match alias.to_lowercase().as_str() {
        "system" => Some("system"),
        "user" | "human" | "input" => Some("user"),
        "gpt" | "assistant" | "output" => Some("assistant"),
        _ => None,
    }
}

/// `ShareGPT`'s turns in roles (`standardize_data_formats`).
///
/// # Errors
/// [`RowVerdict::Fails`].
pub fn standardized(row: &TrainerRow) -> Result<Vec<Json>, RowVerdict> {
    let Some(Json::Array(list)) = row.get("conversations") else { return Err(RowVerdict::fails(Reason::NoTurns)) };
    list.iter()
        .map(|turn| {
            let Some(Json::String(content)) = turn.get("value") else { return Err(RowVerdict::fails(Reason::NullText)) };
            let role = turn.get("from").and_then(Json::as_str).and_then(role_of);
            let role = role.ok_or(RowVerdict::fails(Reason::UnknownRole))?;
            Ok(json!({ "role": role, "content": content }))
        })
        .collect()
}

/// What becomes of a row; `marks` are the template's.
pub fn unsloth_row(
    form: RowForm,
    row: &TrainerRow,
    model: &TrainerModel<'_>,
    marks: Option<&TurnHeads>,
    options: &UnslothOptions,
) -> RowVerdict {
    learned(form, row, model, marks, options).unwrap_or_else(|verdict| verdict)
}

fn learned(
    form: RowForm,
    row: &TrainerRow,
    model: &TrainerModel<'_>,
    marks: Option<&TurnHeads>,
    options: &UnslothOptions,
) -> Result<RowVerdict, RowVerdict> {
    let within = |ids: Vec<u32>, trained: Vec<bool>| {
        let whole = ids.len();
        let seen = SeenTokens { ids, trained }.cut(options.max_length);
        limited((seen.learned() > 0).then_some(seen), whole)
    };
    let of_turns = |list: &[Json]| -> Result<RowVerdict, RowVerdict> {
        if list.is_empty() {
            return Err(RowVerdict::fails(Reason::NoTurns));
        }
        let none = Map::new();
        let tools = row.get("tools").filter(|tools| tools.is_array());
        let text = model.template.render(&model.conversation(list, tools, &none, false));
        let ids = model.tokenizer.encode(&text.map_err(|error| RowVerdict::Fails(Reason::Template, error.to_string()))?);
        let trained = if options.responses_only {
            let marks = marks.ok_or(RowVerdict::fails(Reason::NoGeneration))?;
            let blank = |id: u32| model.tokenizer.decode(&[id]).trim().is_empty();
            answers(&ids, marks, &blank, model.eos, options.last_only)
        } else {
            vec![true; ids.len()]
        };
        Ok(within(ids, trained))
    };
    match form {
        RowForm::OpenAi => match row.get("messages") {
            Some(Json::Array(list)) => of_turns(list),
            _ => Err(RowVerdict::fails(Reason::NoTurns)),
        },
        RowForm::ShareGpt => of_turns(&standardized(row)?),
        RowForm::Text => {
            let text = row.get("text").and_then(Json::as_str).ok_or(RowVerdict::fails(Reason::NullText))?;
            // No end is added: nothing says where the text stops.
            let ids = model.tokenizer.encode(text);
            let trained = vec![true; ids.len()];
            Ok(within(ids, trained))
        }
        RowForm::PromptCompletion => {
            let own = |name: &str| row.get(name).and_then(Json::as_str).ok_or(RowVerdict::fails(Reason::NullText));
            let (prompt, completion, eos) = (own("prompt")?, own("completion")?, model.eos_text());
            let end = if completion.ends_with(eos) { "" } else { eos };
            let asked = model.tokenizer.encode(prompt);
            let ids = model.tokenizer.encode(&format!("{prompt}{completion}{end}"));
            let from = super::trl::shared(&asked, &ids);
            let trained = (0..ids.len()).map(|at| at >= from).collect();
            Ok(within(ids, trained))
        }
        RowForm::Alpaca | RowForm::Preference | RowForm::Unpaired => Err(RowVerdict::fails(Reason::OtherForm)),
    }
}
