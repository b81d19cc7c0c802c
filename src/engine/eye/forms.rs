//! What the rows of a dataset are to a trainer: chats, instructions, questions and answers, texts; told by names and by the first hundred cells, exceptions counted.

use serde_json::Value as Json;

use crate::data::{Dataset, Kind, Role, SampleId};
use crate::trainers::rows::{RowForm, TrainerRow};

/// Rows of a form, and which column is which of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainerRows {
    pub form: RowForm,
    /// A column, and the member that it is.
    pub fields: Vec<(usize, &'static str)>,
    /// Of the first hundred that are filled, how many are of another form.
    pub odd: usize,
}

/// Cells that a form is told by.
const FIRST: usize = 100;
/// Names of a question and its answer.
const PAIRS: [(&str, &str); 6] = [
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("query", "response"),
    ("input", "output"),
    ("source", "target"),
];

/// What the rows are; `None` where they are nothing that a language model learns from.
pub fn rows_of(dataset: &Dataset) -> Option<TrainerRows> {
    let named = |name: &str| (0..dataset.fields().len()).find(|field| dataset.fields()[*field].name.eq_ignore_ascii_case(name));
    let with = |all: &[(Option<usize>, &'static str)]| -> Vec<(usize, &'static str)> {
        all.iter().filter_map(|(field, member)| field.map(|field| (field, *member))).collect()
    };
    let chat = dataset.with_role(|role| role == Role::Messages).or_else(|| named("messages")).or_else(|| named("conversations"));
    if let Some(field) = chat {
        let (mut open_ai, mut share_gpt, mut other) = (0, 0, 0);
        for cell in dataset.samples().filter_map(|id| dataset.text(field, id)).filter(|cell| !cell.trim().is_empty()).take(FIRST)
        {
            let first: Option<Json> = serde_json::from_str::<Vec<Json>>(&cell).ok().and_then(|turns| turns.into_iter().next());
            match first {
                Some(turn) if turn.get("from").is_some() => share_gpt += 1,
                Some(turn) if turn.get("role").is_some() => open_ai += 1,
                // A chat without turns is one of either.
                None if cell.trim() == "[]" => {}
                _ => other += 1,
            }
        }
        if open_ai + share_gpt > other {
            let (form, member, odd) = if open_ai >= share_gpt {
                (RowForm::OpenAi, "messages", share_gpt + other)
            } else {
                (RowForm::ShareGpt, "conversations", open_ai + other)
            };
            let fields = with(&[(Some(field), member), (named("tools"), "tools"), (named("system"), "system")]);
            return Some(TrainerRows { form, fields, odd });
        }
    }
    if let (Some(instruction), Some(output)) = (named("instruction"), named("output")) {
        let rest = [(named("input"), "input"), (named("system"), "system"), (named("history"), "history")];
        let mut fields = with(&[(Some(instruction), "instruction"), (Some(output), "output")]);
        fields.extend(with(&rest));
        return Some(TrainerRows { form: RowForm::Alpaca, fields, odd: 0 });
    }
    for (question, answer) in PAIRS {
        if let (Some(question), Some(answer)) = (named(question), named(answer)) {
            let fields = with(&[(Some(question), "prompt"), (Some(answer), "completion")]);
            return Some(TrainerRows { form: RowForm::PromptCompletion, fields, odd: 0 });
        }
    }
    let text = named("text").or_else(|| dataset.with_role(|role| role == Role::Text))?;
    Some(TrainerRows { form: RowForm::Text, fields: vec![(text, "text")], odd: 0 })
}

impl TrainerRows {
    /// A sample as a file would have it.
    pub fn row(&self, dataset: &Dataset, id: SampleId) -> TrainerRow {
        self.fields.iter().map(|(field, member)| ((*member).to_owned(), cell(dataset, *field, id))).collect()
    }
}

/// A cell as JSON: what is nested as it is, numbers as numbers, and what is nothing as null.
fn cell(dataset: &Dataset, field: usize, id: SampleId) -> Json {
    let Some(text) = dataset.text(field, id) else { return Json::Null };
    let column = &dataset.fields()[field];
    let parsed = || serde_json::from_str::<Json>(&text).ok();
    if column.kind.is_nested() || column.role == Role::Messages {
        return parsed().unwrap_or_else(|| Json::String(text.clone().into_owned()));
    }
    match column.kind {
        Kind::Text | Kind::Time => Json::String(text.into_owned()),
        _ if text.is_empty() => Json::Null,
        _ => parsed().unwrap_or_else(|| Json::String(text.clone().into_owned())),
    }
}
