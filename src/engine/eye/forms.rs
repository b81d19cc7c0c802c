//! What the rows of a dataset are to a trainer: chats, instructions, questions and answers, texts; told by names and by the first hundred cells, exceptions counted.

use serde_json::Value as Json;

use super::target::Trainer;
use crate::data::{Dataset, Kind, Role, SampleId};
use crate::trainers::convert_pairs::judged;
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

/// Names of what is asked, of a better and of a worse answer.
const CHOSEN: [(&str, &str); 3] = [("chosen", "rejected"), ("accepted", "rejected"), ("response_chosen", "response_rejected")];
/// Names of a judgement.
const JUDGED: [&str; 4] = ["label", "kto_tag", "desirable", "good"];

/// What the rows are to a trainer; `None` where they are nothing that a language model learns from. Where they can be read in several ways, that which the trainer reads is taken.
pub fn rows_of(dataset: &Dataset, trainer: Trainer) -> Option<TrainerRows> {
    let mut all = forms_of(dataset);
    let reads = trainer.entry().reads;
    let place =
        all.iter().enumerate().filter_map(|(at, rows)| Some((reads.iter().position(|form| *form == rows.form)?, at))).min();
    let at = place.map_or(0, |(_, at)| at);
    (at < all.len()).then(|| all.swap_remove(at))
}

/// Whether the rows look like what a language model learns from, by their columns alone: asked each frame.
pub fn is_for_language_models(dataset: &Dataset) -> bool {
    let named = |name: &str| dataset.fields().iter().any(|field| field.name.eq_ignore_ascii_case(name));
    let pairs = PAIRS.iter().chain(&CHOSEN).any(|(one, other)| named(one) && named(other));
    pairs || dataset.with_role(|role| role == Role::Messages).is_some() || named("instruction") && named("output")
}

/// Everything that the rows can be read as, what says most first.
fn forms_of(dataset: &Dataset) -> Vec<TrainerRows> {
    let named = |name: &str| (0..dataset.fields().len()).find(|field| dataset.fields()[*field].name.eq_ignore_ascii_case(name));
    let with = |all: &[(Option<usize>, &'static str)]| -> Vec<(usize, &'static str)> {
        all.iter().filter_map(|(field, member)| field.map(|field| (field, *member))).collect()
    };
    let mut all = Vec::new();
    let chat = chat_of(dataset);
    let pair = CHOSEN.iter().find_map(|(one, other)| Some((named(one)?, named(other)?)));
    // Answers that are conversations, and questions beside them, are no chats to be learned by themselves.
    let parts = [named("prompt").filter(|_| pair.is_some() || named("completion").is_some()), named("completion")];
    let chat = chat.filter(|chat| {
        let field = chat.fields[0].0;
        pair.is_none_or(|(one, other)| field != one && field != other) && !parts.contains(&Some(field))
    });
    if let Some((chosen, rejected)) = pair {
        let mut fields = with(&[(Some(chosen), "chosen"), (Some(rejected), "rejected"), (named("tools"), "tools")]);
        fields.extend(match (&chat, named("prompt").or_else(|| named("question"))) {
            (Some(chat), _) => with(&[(Some(chat.fields[0].0), chat.fields[0].1), (named("system"), "system")]),
            (None, Some(prompt)) => with(&[(Some(prompt), "prompt"), (named("system"), "system")]),
            (None, None) => ["instruction", "input", "system", "history"].map(|name| (named(name), name)).into_iter().fold(
                Vec::new(),
                |mut fields, (field, name)| {
                    fields.extend(field.map(|field| (field, name)));
                    fields
                },
            ),
        });
        all.push(TrainerRows { form: RowForm::Preference, fields, odd: 0 });
    }
    if let (Some(input), Some(better), Some(worse)) = (named("input"), named("preferred_output"), named("non_preferred_output")) {
        let fields = with(&[(Some(input), "input"), (Some(better), "preferred_output"), (Some(worse), "non_preferred_output")]);
        all.push(TrainerRows { form: RowForm::Preference, fields, odd: 0 });
    }
    let asked = PAIRS.iter().find_map(|(question, answer)| Some((named(question)?, named(answer)?)));
    let instruction = named("instruction").zip(named("output"));
    let judgement = JUDGED.iter().find_map(|name| named(name)).and_then(|field| Some((field, judgements(dataset, field)?)));
    if let Some((label, odd)) = judgement {
        let mut fields = match (&chat, instruction, asked) {
            (Some(chat), ..) => chat.fields.clone(),
            (None, Some((asked, answer)), _) => with(&[
                (Some(asked), "instruction"),
                (named("input"), "input"),
                (Some(answer), "output"),
                (named("system"), "system"),
            ]),
            (None, None, Some((asked, answer))) => with(&[(Some(asked), "prompt"), (Some(answer), "completion")]),
            (None, None, None) => Vec::new(),
        };
        if !fields.is_empty() {
            fields.push((label, "label"));
            all.push(TrainerRows { form: RowForm::Unpaired, fields, odd });
        }
    }
    all.extend(chat);
    if let Some((instruction, output)) = instruction {
        let rest = [(named("input"), "input"), (named("system"), "system"), (named("history"), "history")];
        let mut fields = with(&[(Some(instruction), "instruction"), (Some(output), "output")]);
        fields.extend(with(&rest));
        all.push(TrainerRows { form: RowForm::Alpaca, fields, odd: 0 });
    }
    if let Some((question, answer)) = asked.filter(|_| instruction.is_none()) {
        let fields = with(&[(Some(question), "prompt"), (Some(answer), "completion"), (named("tools"), "tools")]);
        all.push(TrainerRows { form: RowForm::PromptCompletion, fields, odd: 0 });
    }
    if all.is_empty()
        && let Some(text) = named("text").or_else(|| dataset.with_role(|role| role == Role::Text))
    {
        all.push(TrainerRows { form: RowForm::Text, fields: vec![(text, "text")], odd: 0 });
    }
    all
}

/// How many of the first hundred cells say neither good nor bad; `None` where most do not.
fn judgements(dataset: &Dataset, field: usize) -> Option<usize> {
    let cells = dataset.samples().filter_map(|id| dataset.text(field, id).map(|_| cell(dataset, field, id)));
    let (good, other): (Vec<Json>, Vec<Json>) = cells.take(FIRST).partition(|cell| judged(cell).is_some());
    (good.len() > other.len()).then_some(other.len())
}

/// The column of chats, told by its role, its name, and its first hundred cells.
fn chat_of(dataset: &Dataset) -> Option<TrainerRows> {
    let named = |name: &str| (0..dataset.fields().len()).find(|field| dataset.fields()[*field].name.eq_ignore_ascii_case(name));
    let usual = named("messages").or_else(|| named("conversations"));
    let field = dataset.with_role(|role| role == Role::Messages).or(usual)?;
    // Of several columns of chats, that with the usual name.
    let field = usual.filter(|usual| dataset.fields()[*usual].role == Role::Messages).unwrap_or(field);
    let (mut open_ai, mut share_gpt, mut other) = (0, 0, 0);
    for cell in dataset.samples().filter_map(|id| dataset.text(field, id)).filter(|cell| !cell.trim().is_empty()).take(FIRST) {
        let first: Option<Json> = serde_json::from_str::<Vec<Json>>(&cell).ok().and_then(|turns| turns.into_iter().next());
        match first {
            Some(turn) if turn.get("from").is_some() => share_gpt += 1,
            Some(turn) if turn.get("role").is_some() => open_ai += 1,
            // A chat without turns is one of either.
            None if cell.trim() == "[]" => {}
            _ => other += 1,
        }
    }
    if open_ai + share_gpt <= other {
        return None;
    }
    let (form, member, odd) = if open_ai >= share_gpt {
        (RowForm::OpenAi, "messages", share_gpt + other)
    } else {
        (RowForm::ShareGpt, "conversations", open_ai + other)
    };
    let mut fields = vec![(field, member)];
    fields.extend(["tools", "system"].iter().filter_map(|name| Some((named(name)?, *name))));
    Some(TrainerRows { form, fields, odd })
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
