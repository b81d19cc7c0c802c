//! What becomes of rows for the sake of the rows beside them: a reader that merges keys, a column that others leave empty, a first row that decides for all.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::forms::TrainerRows;
use super::target::{Trainer, TrainerTarget};
use crate::data::{Dataset, SampleId};
use crate::job::{Cancelled, Progress};
use crate::trainers::rows::RowForm;

/// What is to be known of a file, and whether the run fails for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNote {
    pub fails: bool,
    pub words: String,
}

/// Shapes of arguments that are told apart at most: more are as bad as these.
const SHAPES: usize = 64;

/// The keys of the arguments of every call, as far as they are objects.
fn shapes(cell: &str) -> BTreeSet<Vec<String>> {
    let turns: Vec<Json> = serde_json::from_str(cell).unwrap_or_default();
    let calls = turns.iter().filter_map(|turn| turn.get("tool_calls")?.as_array()).flatten();
    let arguments = calls.filter_map(|call| call.get("function")?.get("arguments")?.as_object());
    arguments
        .map(|members| {
            let mut keys: Vec<String> = members.keys().cloned().collect();
            keys.sort_unstable();
            keys
        })
        .collect()
}

/// What becomes of rows for the sake of those beside them.
///
/// # Errors
/// [`Cancelled`].
pub fn beside(
    dataset: &Dataset,
    rows: &TrainerRows,
    target: &TrainerTarget,
    ids: &[SampleId],
    progress: &Progress,
) -> Result<Vec<FileNote>, Cancelled> {
    let mut notes = Vec::new();
    let field = |name: &str| rows.fields.iter().find(|(_, member)| *member == name).map(|(field, _)| *field);
    match target.trainer {
        // datasets 4.0, which it is bound to, has one set of keys for all objects in a place.
        Trainer::LlamaFactory if rows.form == RowForm::OpenAi => {
            let Some(chats) = field("messages") else { return Ok(notes) };
            let all: BTreeSet<Vec<String>> = ids
                .par_chunks(1_024)
                .map(|part| {
                    progress.check()?;
                    let mut all = BTreeSet::new();
                    for text in part.iter().filter_map(|id| dataset.text(chats, *id)).filter(|text| text.contains("tool_calls")) {
                        if all.len() < SHAPES {
                            all.extend(shapes(&text));
                        }
                    }
                    Ok(all)
                })
                .try_reduce(BTreeSet::new, |mut one, other| {
                    one.extend(other);
                    Ok(one)
                })?;
            if all.len() > 1 {
                let words = format!(
                    "calls have arguments of {} shapes: LLaMA-Factory's reader gives every call the keys of all, as null, and trains on them; what is written for it has them as texts",
                    all.len()
                );
                notes.push(FileNote { fails: false, words });
            }
        }
        Trainer::Axolotl => {
            for name in ["system", "tools"] {
                let Some(column) = field(name) else { continue };
                let filled = |id: &&SampleId| dataset.text(column, **id).is_some_and(|text| text != "null");
                let n = ids.iter().filter(filled).count();
                if n > 0 && n < ids.len() {
                    let words = format!(
                        "only some rows have {name}: it is null in the others, and Axolotl fails on it; what is written for it has them in files of their own"
                    );
                    notes.push(FileNote { fails: true, words });
                }
            }
        }
        Trainer::Trl if matches!(rows.form, RowForm::OpenAi | RowForm::ShareGpt) => {
            let first = ids.first().and_then(|id| dataset.text(rows.fields[0].0, *id));
            let name = if rows.form == RowForm::OpenAi { ["role", "content"] } else { ["from", "value"] };
            let turns = first.and_then(|text| serde_json::from_str::<Vec<Json>>(&text).ok());
            let is_chat =
                turns.is_some_and(|turns| turns.first().is_some_and(|turn| name.iter().all(|name| turn.get(*name).is_some())));
            if !is_chat && !ids.is_empty() {
                let words =
                    "the first row decides how TRL reads all, and it is no chat of the others' form: the run fails".to_owned();
                notes.push(FileNote { fails: true, words });
            }
        }
        _ => {}
    }
    Ok(notes)
}
