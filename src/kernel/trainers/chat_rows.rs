//! Rows as trainers read them that use a model's own chat template: TRL 1.16.0 and Axolotl 0.19.0.

use serde_json::{Map, Value as Json};

use super::rows::{Reason, RowForm, RowVerdict, TrainerRow, limited, turns};
use super::{SeenTokens, axolotl, trl};
use crate::render::{ChatTemplate, Conversation, RenderTime};
use crate::tokens::TextTokenizer;

/// A model as a trainer has it: its template and its tokenizer.
#[derive(Debug, Clone, Copy)]
pub struct TrainerModel<'m> {
    pub template: &'m ChatTemplate,
    /// The template that says what is generated, where there is one.
    pub marking: Option<&'m ChatTemplate>,
    pub tokenizer: &'m TextTokenizer,
    /// `bos_token`, `eos_token` and the like, as they are written.
    pub tokens: &'m [(String, String)],
    pub eos: Option<u32>,
    pub now: RenderTime,
}

impl TrainerModel<'_> {
    /// What is written for the end.
    pub(super) fn eos_text(&self) -> &str {
        self.tokens.iter().find(|(name, _)| name == "eos_token").map_or("", |(_, token)| token.as_str())
    }

    /// Turns to be rendered.
    pub(super) fn conversation<'c>(
        &'c self,
        messages: &'c [Json],
        tools: Option<&'c Json>,
        more: &'c Map<String, Json>,
        asks: bool,
    ) -> Conversation<'c> {
        Conversation { messages, tools, documents: None, add_generation_prompt: asks, tokens: self.tokens, more, now: self.now }
    }
}

/// The tools of a row: a text is read as JSON.
pub(super) fn tools(row: &TrainerRow) -> Result<Option<Json>, RowVerdict> {
    match row.get("tools") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => {
            serde_json::from_str(text).map(Some).map_err(|error| RowVerdict::Fails(Reason::ToolsNoJson, error.to_string()))
        }
        Some(other) => Ok(Some(other.clone())),
    }
}

/// Turns of `ShareGPT` under the names of `OpenAI`'s; roles stay unless `roles` names another.
fn renamed(list: &[Json], roles: &dyn Fn(&str) -> String) -> Vec<Json> {
    list.iter()
        .map(|turn| {
            let Json::Object(members) = turn else { return turn.clone() };
            let member = |name: &str, other: &str| members.get(name).or_else(|| members.get(other)).cloned();
            let mut own = Map::new();
            if let Some(role) = member("from", "role") {
                own.insert("role".to_owned(), role.as_str().map_or(role.clone(), |role| roles(role).into()));
            }
            if let Some(content) = member("value", "content") {
                own.insert("content".to_owned(), content);
            }
            for (name, value) in
                members.iter().filter(|(name, _)| !matches!(name.as_str(), "from" | "role" | "value" | "content"))
            {
                own.insert(name.clone(), value.clone());
            }
            Json::Object(own)
        })
        .collect()
}

fn refused(error: &trl::Fails) -> RowVerdict {
    match error {
        trl::Fails::Template(why) => RowVerdict::Fails(Reason::Template, why.to_string()),
        trl::Fails::NoGeneration => RowVerdict::fails(Reason::NoGeneration),
    }
}

/// What becomes of a row in TRL's SFT.
pub fn trl_row(form: RowForm, row: &TrainerRow, model: &TrainerModel<'_>, options: &trl::TrlOptions) -> RowVerdict {
    trl_learned(form, row, model, options).unwrap_or_else(|verdict| verdict)
}

fn trl_learned(
    form: RowForm,
    row: &TrainerRow,
    model: &TrainerModel<'_>,
    options: &trl::TrlOptions,
) -> Result<RowVerdict, RowVerdict> {
    let none = Map::new();
    let unlimited = trl::TrlOptions { max_length: usize::MAX, ..*options };
    let of_turns = |list: &[Json]| -> Result<RowVerdict, RowVerdict> {
        if list.is_empty() {
            return Err(RowVerdict::fails(Reason::NoTurns));
        }
        let tools = tools(row)?;
        let conversation = model.conversation(list, tools.as_ref(), &none, false);
        let whole = trl::messages(model.template, model.marking, &conversation, model.tokenizer, &unlimited)
            .map_err(|error| refused(&error))?;
        let Some(whole) = whole else { return Ok(RowVerdict::Dropped(Reason::NothingTrained)) };
        let n = whole.ids.len();
        Ok(limited(trl::cut(whole, options), n))
    };
    match form {
        RowForm::OpenAi => of_turns(&turns(row, "messages").ok_or(RowVerdict::fails(Reason::NoTurns))?),
        RowForm::ShareGpt => {
            let list = turns(row, "conversations").ok_or(RowVerdict::fails(Reason::NoTurns))?;
            of_turns(&renamed(&list, &str::to_owned))
        }
        RowForm::Alpaca | RowForm::Preference | RowForm::Unpaired => Err(RowVerdict::fails(Reason::OtherForm)),
        RowForm::Text => {
            let text = row.get("text").and_then(Json::as_str).ok_or(RowVerdict::fails(Reason::NullText))?;
            let mut ids = model.tokenizer.encode(text);
            if !text.ends_with(model.eos_text()) {
                ids.extend(model.eos);
            }
            let whole = ids.len();
            let trained = vec![true; whole];
            Ok(limited(trl::cut(SeenTokens { ids, trained }, options), whole))
        }
        RowForm::PromptCompletion => match (row.get("prompt"), row.get("completion")) {
            (Some(Json::String(prompt)), Some(Json::String(completion))) => {
                let eos = model.eos_text();
                let end = if completion.ends_with(eos) { "" } else { eos };
                let asked = model.tokenizer.encode(prompt);
                let ids = model.tokenizer.encode(&format!("{prompt}{completion}{end}"));
                let from = trl::shared(&asked, &ids);
                let (whole, trained) = (ids.len(), (0..ids.len()).map(|at| at >= from).collect());
                Ok(limited(trl::cut(SeenTokens { ids, trained }, options), whole))
            }
            (Some(Json::Array(prompt)), Some(Json::Array(completion))) => {
                let all: Vec<Json> = prompt.iter().chain(completion).cloned().collect();
                let tools = tools(row)?;
                let asked = model.conversation(prompt, tools.as_ref(), &none, true);
                let whole = model.conversation(&all, tools.as_ref(), &none, false);
                let template = |error: crate::render::TemplateError| RowVerdict::Fails(Reason::Template, error.to_string());
                let before = model.tokenizer.encode(&model.template.render(&asked).map_err(template)?);
                let ids = model.tokenizer.encode(&model.template.render(&whole).map_err(template)?);
                let from = trl::shared(&before, &ids);
                let (n, trained) = (ids.len(), (0..ids.len()).map(|at| at >= from).collect());
                Ok(limited(trl::cut(SeenTokens { ids, trained }, options), n))
            }
            (None | Some(Json::Null), _) | (_, None | Some(Json::Null)) => Err(RowVerdict::fails(Reason::NullText)),
            _ => Err(RowVerdict::fails(Reason::NotText)),
        },
    }
}

/// What becomes of a row in Axolotl: chats by `chat_template`, instructions by `alpaca`, texts by `completion`.
pub fn axolotl_row(form: RowForm, row: &TrainerRow, model: &TrainerModel<'_>, options: &axolotl::AxolotlOptions) -> RowVerdict {
    axolotl_learned(form, row, model, options).unwrap_or_else(|verdict| verdict)
}

fn axolotl_learned(
    form: RowForm,
    row: &TrainerRow,
    model: &TrainerModel<'_>,
    options: &axolotl::AxolotlOptions,
) -> Result<RowVerdict, RowVerdict> {
    let within = |seen: SeenTokens| {
        let whole = seen.ids.len();
        if whole <= options.sequence_len {
            return RowVerdict::kept(seen);
        }
        if options.truncate { RowVerdict::of(seen.cut(options.sequence_len), whole) } else { RowVerdict::TooLong { whole } }
    };
    match form {
        RowForm::OpenAi | RowForm::ShareGpt => {
            let name = if form == RowForm::OpenAi { "messages" } else { "conversations" };
            let list = turns(row, name).ok_or(RowVerdict::fails(Reason::NoTurns))?;
            if list.is_empty() {
                return Err(RowVerdict::fails(Reason::NoTurns));
            }
            // Capitals matter: Human is nobody.
            let list = renamed(&list, &|role| {
                match role {
                    "human" => "user",
                    "gpt" => "assistant",
                    other => other,
                }
                .to_owned()
            });
            let tools = tools(row)?;
            let none = Map::new();
            let conversation = model.conversation(&list, tools.as_ref(), &none, false);
            let unlimited = axolotl::AxolotlOptions { sequence_len: usize::MAX, ..options.clone() };
            let seen = axolotl::messages(model.template, &conversation, model.tokenizer, model.eos, &unlimited)
                .map_err(|error| RowVerdict::Fails(Reason::Template, error.to_string()))?;
            Ok(seen.map_or(RowVerdict::Dropped(Reason::NothingTrained), within))
        }
        RowForm::Alpaca => Ok(within(instruction(row, model, options)?)),
        RowForm::Text => {
            let text = row.get("text").and_then(Json::as_str).unwrap_or_default();
            if text.is_empty() {
                return Ok(RowVerdict::Dropped(Reason::NoAnswer));
            }
            let mut ids = model.tokenizer.encode(text);
            if ids.last() != model.eos.as_ref() {
                ids.extend(model.eos);
            }
            // What is longer goes on in further rows: nothing of it is lost.
            let trained = vec![true; ids.len()];
            Ok(RowVerdict::kept(SeenTokens { ids, trained }))
        }
        RowForm::PromptCompletion | RowForm::Preference | RowForm::Unpaired => Err(RowVerdict::fails(Reason::OtherForm)),
    }
}

/// As Python's `str.format` writes what is no text.
fn formatted(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => "None".to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => crate::render::str_of(&crate::render::from_json(other)),
    }
}

fn instruction(row: &TrainerRow, model: &TrainerModel<'_>, options: &axolotl::AxolotlOptions) -> Result<SeenTokens, RowVerdict> {
    let asked = formatted(row.get("instruction"));
    let input = row.get("input").filter(|input| !input.is_null() && input.as_str() != Some(""));
    let prompt = match input {
        Some(input) => format!(
            "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\n{asked}\n\n### Input:\n{}\n\n### Response:\n",
            formatted(Some(input))
        ),
        None => format!(
            "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n{asked}\n\n### Response:\n"
        ),
    };
    // Question and answer are cut each by itself, before their sum is.
    let mut ids = model.tokenizer.encode(&prompt);
    ids.truncate(options.sequence_len);
    let asked = ids.len();
    match row.get("output") {
        None | Some(Json::Null) => {}
        Some(Json::String(answer)) if answer.is_empty() => {}
        Some(Json::String(answer)) => {
            let mut own = model.tokenizer.encode(answer);
            own.truncate(options.sequence_len);
            if own.len() < options.sequence_len && own.last() != model.eos.as_ref() {
                own.extend(model.eos);
            }
            ids.extend(own);
        }
        Some(_) => return Err(RowVerdict::fails(Reason::NotText)),
    }
    let trained = (0..ids.len()).map(|at| at >= asked || options.train_on_inputs).collect();
    Ok(SeenTokens { ids, trained })
}
