//! A row of a dataset as trainers find it in a file, and what becomes of it.

use serde_json::{Map, Value as Json};

use super::SeenTokens;

/// A row as JSON: what a file would have.
pub type TrainerRow = Map<String, Json>;

/// What rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowForm {
    /// `messages` of `role` and `content`.
    OpenAi,
    /// `conversations` of `from` and `value`.
    ShareGpt,
    /// `instruction`, `input`, `output`.
    Alpaca,
    /// `prompt` and `completion`: texts, or lists of turns.
    PromptCompletion,
    /// `text`.
    Text,
    /// `chosen` and `rejected`: a better and a worse answer to what stands in `prompt` (or `instruction` and `input`, or `conversations`), or, without any of these, whole
    /// conversations that begin alike.
    Preference,
    /// An answer that is judged: `prompt` and `completion`, or a chat, with a `label` of good or bad.
    Unpaired,
}

impl RowForm {
    /// Every form.
    pub const ALL: [Self; 7] =
        [Self::OpenAi, Self::ShareGpt, Self::Alpaca, Self::PromptCompletion, Self::Text, Self::Preference, Self::Unpaired];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::ShareGpt => "sharegpt",
            Self::Alpaca => "alpaca",
            Self::PromptCompletion => "prompt_completion",
            Self::Text => "text",
            Self::Preference => "preference",
            Self::Unpaired => "unpaired",
        }
    }
}

/// Why a row is left out, or fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    NoTurns,
    EndsWithQuestion,
    RoleOrder,
    UnknownRole,
    NoAnswer,
    NullText,
    NotText,
    ToolsNoJson,
    CallNoJson,
    BrokenHistory,
    TooLong,
    NothingTrained,
    Template,
    NoGeneration,
    NoJudgement,
    Untold,
    OtherForm,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 17] = [
        Self::NoTurns,
        Self::EndsWithQuestion,
        Self::RoleOrder,
        Self::UnknownRole,
        Self::NoAnswer,
        Self::NullText,
        Self::NotText,
        Self::ToolsNoJson,
        Self::CallNoJson,
        Self::BrokenHistory,
        Self::TooLong,
        Self::NothingTrained,
        Self::Template,
        Self::NoGeneration,
        Self::NoJudgement,
        Self::Untold,
        Self::OtherForm,
    ];

    /// Its name in what is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoTurns => "no_turns",
            Self::EndsWithQuestion => "ends_with_question",
            Self::RoleOrder => "role_order",
            Self::UnknownRole => "unknown_role",
            Self::NoAnswer => "no_answer",
            Self::NullText => "null_text",
            Self::NotText => "not_text",
            Self::ToolsNoJson => "tools_no_json",
            Self::CallNoJson => "call_no_json",
            Self::BrokenHistory => "broken_history",
            Self::TooLong => "too_long",
            Self::NothingTrained => "nothing_trained",
            Self::Template => "template",
            Self::NoGeneration => "no_generation",
            Self::NoJudgement => "no_judgement",
            Self::Untold => "untold",
            Self::OtherForm => "other_form",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoTurns => "it has no turns",
            Self::EndsWithQuestion => "it does not end with an answer, or has more questions than answers",
            Self::RoleOrder => "its roles do not alternate as the trainer wants them",
            Self::UnknownRole => "a turn has a role that the trainer does not know",
            Self::NoAnswer => "it has no answer",
            Self::NullText => "a text is missing, or null",
            Self::NotText => "a number, a list or an object stands where a text belongs",
            Self::ToolsNoJson => "its tools are no JSON that can be read",
            Self::CallNoJson => "a function call is no JSON that can be read",
            Self::BrokenHistory => "its history is not a list of questions and answers",
            Self::TooLong => "it is longer than the limit",
            Self::NothingTrained => "nothing of it is left to learn",
            Self::Template => "the chat template does not render it",
            Self::NoGeneration => "the chat template does not say what is generated",
            Self::NoJudgement => "it is not said whether its answer is good: the judgement is missing, or neither true nor false",
            Self::Untold => "what the trainer makes of its tools is not followed here for this template",
            Self::OtherForm => "the trainer does not read rows of this form",
        }
    }
}

/// What an answer is held against.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Versus {
    /// Nothing: it is simply learned.
    #[default]
    Nothing,
    /// A worse answer to the same question: both as they are seen, and how many tokens that one would have without a limit.
    Rejected { seen: SeenTokens, whole: usize },
    /// A judgement, as the trainer reads it.
    Judged(bool),
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowVerdict {
    /// It is learned from; `whole` is how many tokens it would have without a limit.
    Kept { seen: SeenTokens, whole: usize, versus: Versus },
    /// It is left out for its length, and the run goes on.
    TooLong { whole: usize },
    /// It is left out, and the run goes on.
    Dropped(Reason),
    /// The whole run fails.
    Fails(Reason, String),
}

impl RowVerdict {
    /// One that is whole.
    pub fn kept(seen: SeenTokens) -> Self {
        let whole = seen.ids.len();
        Self::of(seen, whole)
    }

    /// One that would have so many tokens without a limit.
    pub fn of(seen: SeenTokens, whole: usize) -> Self {
        Self::Kept { seen, whole, versus: Versus::Nothing }
    }

    /// One that fails without more to say.
    pub fn fails(reason: Reason) -> Self {
        Self::Fails(reason, String::new())
    }
}

/// A member that must be text: `None` where it is missing or null.
pub(super) fn text<'r>(row: &'r TrainerRow, name: &str) -> Result<Option<&'r str>, RowVerdict> {
    match row.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(RowVerdict::fails(Reason::NotText)),
    }
}

/// A list of turns: of a text the JSON in it.
pub(super) fn turns(row: &TrainerRow, name: &str) -> Option<Vec<Json>> {
    match row.get(name)? {
        Json::Array(list) => Some(list.clone()),
        Json::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// A limit on the tokens that were seen.
pub(super) fn limited(seen: Option<SeenTokens>, whole: usize) -> RowVerdict {
    match seen {
        Some(seen) => RowVerdict::of(seen, whole),
        None => RowVerdict::Dropped(Reason::NothingTrained),
    }
}
