//! Turns that a chat template passes over without a word: what nobody sees, and what is not learned. Most templates know `user`, `assistant`, `system` and `tool`, and of a
//! turn by `human` or `gpt` nothing at all is drawn; the trainer takes such a row all the same.

use serde_json::Value as Json;

use super::target::TrainerTarget;
use crate::io::ChatModel;
use crate::trainers::rows::TrainerRow;

/// Roles that every template knows.
const KNOWN: [&str; 3] = ["system", "user", "assistant"];
/// Words of a turn that are looked for, of so many letters at least.
const WORDS: usize = 8;
const LETTERS: usize = 3;

/// The roles of turns of a row that are not in what the model sees; `ids` are all tokens of it. A row that is cut says nothing.
pub fn undrawn(target: &TrainerTarget, model: &ChatModel, row: &TrainerRow, ids: &[u32]) -> Vec<String> {
    if !target.trainer.entry().templated {
        return Vec::new();
    }
    let turns = ["messages", "conversations"].iter().find_map(|name| row.get(*name)?.as_array());
    let said: Vec<(&str, &str)> = turns
        .into_iter()
        .flatten()
        .filter_map(|turn| {
            let who = turn.get("role").or_else(|| turn.get("from"))?.as_str()?;
            let what = turn.get("content").or_else(|| turn.get("value")).and_then(Json::as_str)?;
            (!KNOWN.contains(&who)).then_some((who, what))
        })
        .collect();
    if said.is_empty() {
        return Vec::new();
    }
    let drawn = model.tokenizer.decode(ids);
    let mut roles: Vec<String> = Vec::new();
    for (who, what) in said {
        // Calls of tools are often written in another form: their words are there all the same.
        let words = what.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.chars().count() >= LETTERS);
        let words: Vec<&str> = words.take(WORDS).collect();
        let there = words.iter().filter(|word| drawn.contains(**word)).count();
        // Of a text of short words all of it is looked for.
        let gone = if words.is_empty() { !drawn.contains(what.trim()) } else { there * 2 < words.len() };
        if gone && !roles.iter().any(|role| role == who) {
            roles.push(who.to_owned());
        }
    }
    roles
}
