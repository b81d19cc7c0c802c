//! A row in the form that a trainer takes whole.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::forms::TrainerRows;
use super::target::{Trainer, TrainerTarget};
use crate::data::{Dataset, SampleId};
use crate::io::ChatModel;
use crate::trainers::convert::{as_messages, for_llamafactory};
use crate::trainers::convert_pairs::{pair_for_llamafactory, pair_for_openai, pair_for_trl, pair_whole};
use crate::trainers::rows::{Reason, RowForm, RowVerdict, TrainerRow};

/// The form that a trainer's rows are written in.
pub fn written_form(form: RowForm, trainer: Trainer) -> RowForm {
    use RowForm::{Alpaca, OpenAi, PromptCompletion, ShareGpt};
    match (form, trainer) {
        (OpenAi | ShareGpt, Trainer::LlamaFactory) => ShareGpt,
        (OpenAi | ShareGpt | Alpaca, Trainer::Trl | Trainer::Unsloth | Trainer::MlxLm)
        | (OpenAi | ShareGpt, Trainer::Axolotl | Trainer::Torchtune)
        | (OpenAi | ShareGpt | Alpaca | PromptCompletion, Trainer::OpenAi) => OpenAi,
        (PromptCompletion, Trainer::Axolotl) => Alpaca,
        (form, _) => form,
    }
}

/// A sample as it is written, or why it is not: it cannot be held in the trainer's form, or the trainer would leave it out or fail.
///
/// # Errors
/// [`Reason`].
pub fn written_row(
    dataset: &Dataset,
    rows: &TrainerRows,
    target: &TrainerTarget,
    model: &ChatModel,
    id: SampleId,
) -> Result<TrainerRow, Reason> {
    let row = rows.row(dataset, id);
    let own = converted(rows.form, &row, target.trainer)?;
    // What is written is what the trainer reads: it is asked once more.
    match target.verdict(model, written_form(rows.form, target.trainer), &own) {
        RowVerdict::Kept { .. } => Ok(own),
        RowVerdict::TooLong { .. } => Err(Reason::TooLong),
        RowVerdict::Dropped(reason) | RowVerdict::Fails(reason, _) => Err(reason),
    }
}

/// A row as the trainer gets it, with its form: as it stands, or as it is written for it.
///
/// # Errors
/// Why it is not written.
pub fn handed_row<'r>(
    target: &TrainerTarget,
    form: RowForm,
    row: &'r TrainerRow,
) -> Result<(RowForm, Cow<'r, TrainerRow>), Reason> {
    if target.as_written {
        return Ok((written_form(form, target.trainer), Cow::Owned(converted(form, row, target.trainer)?)));
    }
    Ok((form, Cow::Borrowed(row)))
}

/// What becomes of it.
pub fn handed_verdict(target: &TrainerTarget, model: &ChatModel, form: RowForm, row: &TrainerRow) -> RowVerdict {
    match handed_row(target, form, row) {
        Ok((form, row)) => target.verdict(model, form, &row),
        Err(reason) => RowVerdict::Dropped(reason),
    }
}

fn converted(form: RowForm, row: &TrainerRow, trainer: Trainer) -> Result<TrainerRow, Reason> {
    let member = |name: &str| row.get(name).and_then(Json::as_str).ok_or(Reason::NullText);
    match (trainer, form) {
        (Trainer::LlamaFactory, RowForm::Preference | RowForm::Unpaired) => pair_for_llamafactory(form, row),
        (Trainer::Torchtune, RowForm::Preference) => pair_whole(row),
        (Trainer::OpenAi, RowForm::Preference) => pair_for_openai(row),
        (_, RowForm::Preference | RowForm::Unpaired) => pair_for_trl(form, row, trainer == Trainer::Axolotl),
        (Trainer::LlamaFactory, form) => for_llamafactory(form, row),
        (Trainer::Axolotl | Trainer::Torchtune, RowForm::Alpaca) => for_llamafactory(RowForm::Alpaca, row),
        (Trainer::Axolotl, RowForm::PromptCompletion) => {
            Ok([("instruction", member("prompt")?), ("input", ""), ("output", member("completion")?)]
                .into_iter()
                .map(|(name, text)| (name.to_owned(), Json::String(text.to_owned())))
                .collect())
        }
        (Trainer::OpenAi, RowForm::PromptCompletion) => {
            let messages = json!([
                { "role": "user", "content": member("prompt")? },
                { "role": "assistant", "content": member("completion")? },
            ]);
            Ok(std::iter::once(("messages".to_owned(), messages)).collect())
        }
        (Trainer::OpenAi, form) => {
            let mut own = as_messages(form, row, true)?;
            // What OpenAI's schema does not know is refused.
            for turn in own.get_mut("messages").and_then(Json::as_array_mut).into_iter().flatten() {
                if let Some(members) = turn.as_object_mut() {
                    members.retain(|name, _| OPEN_AI.contains(&name.as_str()));
                }
            }
            Ok(own)
        }
        (trainer, form) => as_messages(form, row, trainer == Trainer::Axolotl),
    }
}

/// Members of a turn that `OpenAI`'s schema knows.
const OPEN_AI: [&str; 6] = ["role", "content", "name", "tool_calls", "tool_call_id", "weight"];
