//! mlx-lm 0.32.2 (`tuner/datasets.py`, `tuner/trainer.py`): the whole of a chat is learned, or only its last turn.

use serde_json::{Map, Value as Json, json};

use super::SeenTokens;
use super::chat_rows::TrainerModel;
use super::rows::{Reason, RowForm, RowVerdict, TrainerRow};

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MlxOptions {
    /// The most tokens of a sample (`max_seq_length`): what is longer loses its end.
    pub max_seq_length: usize,
    /// Whether only the last turn is learned (`mask_prompt`).
    pub mask_prompt: bool,
}

impl Default for MlxOptions {
    fn default() -> Self {
        Self { max_seq_length: 2_048, mask_prompt: false }
    }
}

/// Of so many rows, how many no batch of this size holds: those at the end of the file are never seen, in no epoch.
pub fn never_seen(rows: usize, batch: usize) -> usize {
    rows % batch.max(1)
}

/// What becomes of a row. Anything that is wrong fails the run.
pub fn mlx_row(form: RowForm, row: &TrainerRow, model: &TrainerModel<'_>, options: &MlxOptions) -> RowVerdict {
    learned(form, row, model, options).unwrap_or_else(|verdict| verdict)
}

fn learned(form: RowForm, row: &TrainerRow, model: &TrainerModel<'_>, options: &MlxOptions) -> Result<RowVerdict, RowVerdict> {
    let within = |ids: Vec<u32>, from: usize| {
        let whole = ids.len();
        let trained = (0..whole).map(|at| at >= from).collect();
        RowVerdict::of(SeenTokens { ids, trained }.cut(options.max_seq_length), whole)
    };
    let of_turns = |list: &[Json], tools: Option<&Json>| -> Result<RowVerdict, RowVerdict> {
        let Some(last) = list.last() else { return Err(RowVerdict::fails(Reason::NoTurns)) };
        let none = Map::new();
        let rendered = |list: &[Json], asks: bool| {
            let text = model.template.render(&model.conversation(list, tools, &none, asks));
            text.map(|text| model.tokenizer.encode(&text)).map_err(|error| RowVerdict::Fails(Reason::Template, error.to_string()))
        };
        let ids = rendered(list, false)?;
        let from = if options.mask_prompt {
            let answers = last.get("role").and_then(Json::as_str) == Some("assistant");
            rendered(&list[..list.len() - 1], answers)?.len()
        } else {
            0
        };
        Ok(within(ids, from))
    };
    match form {
        RowForm::OpenAi => match row.get("messages") {
            Some(Json::Array(list)) => of_turns(list, row.get("tools").filter(|tools| !tools.is_null())),
            Some(Json::String(_)) => Err(RowVerdict::fails(Reason::NotText)),
            _ => Err(RowVerdict::fails(Reason::NoTurns)),
        },
        RowForm::PromptCompletion => {
            let own = |name: &str| row.get(name).cloned().unwrap_or(Json::Null);
            let turns = [
                json!({ "role": "user", "content": own("prompt") }),
                json!({ "role": "assistant", "content": own("completion") }),
            ];
            of_turns(&turns, row.get("tools").filter(|tools| !tools.is_null()))
        }
        RowForm::Text => {
            let text = match row.get("text") {
                Some(Json::String(text)) => text,
                None | Some(Json::Null) => return Err(RowVerdict::fails(Reason::NullText)),
                Some(_) => return Err(RowVerdict::fails(Reason::NotText)),
            };
            let mut ids = model.tokenizer.encode(text);
            // A text without tokens has no last one to look at.
            if ids.is_empty() {
                return Err(RowVerdict::fails(Reason::NoAnswer));
            }
            if ids.last() != model.eos.as_ref() {
                ids.extend(model.eos);
            }
            Ok(within(ids, 0))
        }
        RowForm::ShareGpt | RowForm::Alpaca | RowForm::Preference | RowForm::Unpaired => {
            Err(RowVerdict::fails(Reason::OtherForm))
        }
    }
}
