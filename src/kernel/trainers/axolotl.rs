//! Axolotl 0.19.0, `type: chat_template` (`prompt_strategies/chat_template.py`): the model's chat template; each turn is found by rendering the whole with another content in its place.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::SeenTokens;
use crate::render::{ChatTemplate, Conversation, TemplateError};
use crate::tokens::TextTokenizer;

/// Which end tokens are learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrainEos {
    None,
    /// That behind each turn that is learned.
    #[default]
    Turn,
    /// That behind every turn.
    All,
    /// The last.
    Last,
}

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxolotlOptions {
    /// The most tokens of a sample.
    pub sequence_len: usize,
    /// Whether what is longer is cut, and not left out.
    pub truncate: bool,
    pub train_on_inputs: bool,
    pub roles_to_train: Vec<String>,
    pub train_on_eos: TrainEos,
}

impl Default for AxolotlOptions {
    fn default() -> Self {
        Self {
            sequence_len: 2_048,
            truncate: false,
            train_on_inputs: false,
            roles_to_train: vec!["assistant".to_owned()],
            train_on_eos: TrainEos::Turn,
        }
    }
}

/// What stands in a turn's place while it is looked for.
const DUMMY: &str = "[[dummy_message]]";
/// The end token is looked for within so many tokens behind a turn.
const NEAR: usize = 3;

/// Where a turn's content stands among the tokens of all: by rendering all once more with another content in its place.
fn find(
    template: &ChatTemplate,
    conversation: &Conversation<'_>,
    turn: usize,
    full: &[u32],
    tokens: &mut dyn FnMut(String) -> Vec<u32>,
) -> Result<Option<(usize, usize)>, TemplateError> {
    let mut messages = conversation.messages.to_vec();
    let role = messages[turn].get("role").cloned().unwrap_or(Json::Null);
    messages[turn] = serde_json::json!({ "role": role, "content": DUMMY });
    let dummy = tokens(template.render(&Conversation { messages: &messages, ..conversation.clone() })?);
    let Some(start) = full.iter().zip(&dummy).position(|(a, b)| a != b) else { return Ok(None) };
    let same = full.iter().rev().zip(dummy.iter().rev()).take_while(|(a, b)| a == b).count();
    if same >= full.len().min(dummy.len()) {
        return Ok(None);
    }
    let end = full.len() - same;
    Ok((end >= start).then_some((start, end)))
}

/// A conversation as it is learned; `None` where the sample is left out.
///
/// # Errors
/// [`TemplateError`]: the whole run.
pub fn messages(
    template: &ChatTemplate,
    conversation: &Conversation<'_>,
    tokenizer: &TextTokenizer,
    eos: Option<u32>,
    options: &AxolotlOptions,
) -> Result<Option<SeenTokens>, TemplateError> {
    // Renderings of one conversation are mostly one another.
    let mut seen = HashMap::new();
    let mut tokens = |text: String| {
        if tokenizer.is_fast() { tokenizer.encode_again(&text, &mut seen) } else { tokenizer.encode(&text) }
    };
    let ids = tokens(template.render(conversation)?);
    let mut trained = vec![false; ids.len()];
    let mut last = None;
    for (turn, message) in conversation.messages.iter().enumerate() {
        let role = message.get("role").and_then(Json::as_str).unwrap_or_default();
        // A turn that says nothing is passed over, its end token, too.
        if message.get("content").is_none_or(|content| content.is_null() || content.as_str() == Some("")) {
            continue;
        }
        let learns = options.train_on_inputs || options.roles_to_train.iter().any(|known| known == role);
        let found = find(template, conversation, turn, &ids, &mut tokens)?;
        if let Some((start, end)) = found.filter(|_| learns) {
            trained.iter_mut().take(end).skip(start).for_each(|on| *on = true);
        }
        // A turn that is not found is looked for its end from the last token on, as there.
        let end = found.map_or(ids.len().saturating_sub(1), |(_, end)| end);
        let at = eos.and_then(|eos| (end..ids.len()).find(|at| ids[*at] == eos)).filter(|at| at - end <= NEAR);
        if let Some(at) = at {
            last = Some(at);
            if options.train_on_eos == TrainEos::All || options.train_on_eos == TrainEos::Turn && learns {
                trained[at] = true;
            }
        }
    }
    if let Some(at) = last.filter(|_| options.train_on_eos == TrainEos::Last) {
        trained[at] = true;
    }
    let seen = SeenTokens { ids, trained };
    if seen.ids.len() > options.sequence_len {
        return Ok(options.truncate.then(|| seen.cut(options.sequence_len)));
    }
    Ok(Some(seen))
}
