//! TRL 1.16.0 (`SFTTrainer._prepare_dataset`, `data_utils.py`, transformers 5.24.0): the model's chat template, the whole conversation at once.

use super::SeenTokens;
use super::masks::by_generation;
use crate::render::{ChatTemplate, Conversation, TemplateError};
use crate::tokens::TextTokenizer;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrlOptions {
    /// The most tokens of a sample.
    pub max_length: usize,
    /// Whether the end of what is too long is kept, and not the beginning.
    pub keep_end: bool,
    /// Whether only answers are learned: the template must say what they are.
    pub assistant_only: bool,
}

impl Default for TrlOptions {
    fn default() -> Self {
        Self { max_length: 1_024, keep_end: false, assistant_only: false }
    }
}

/// Why a whole run fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fails {
    #[error("the template renders it not: {0}")]
    Template(#[from] TemplateError),
    #[error(
        "only answers are to be learned, and the template does not say which they are ({{% generation %}}), nor has TRL one of its own for it"
    )]
    NoGeneration,
}

pub(super) fn cut(seen: SeenTokens, options: &TrlOptions) -> Option<SeenTokens> {
    let seen = if options.keep_end && seen.ids.len() > options.max_length {
        let from = seen.ids.len() - options.max_length;
        SeenTokens { ids: seen.ids[from..].to_vec(), trained: seen.trained[from..].to_vec() }
    } else {
        seen.cut(options.max_length)
    };
    // What has nothing to learn is left out without a word (since July 2026).
    (seen.learned() > 0).then_some(seen)
}

/// A conversation as it is learned; `None` where the sample is left out. `marking` is the template that says what is generated, where there is one.
///
/// # Errors
/// [`Fails`]: the whole run.
pub fn messages(
    template: &ChatTemplate,
    marking: Option<&ChatTemplate>,
    conversation: &Conversation<'_>,
    tokenizer: &TextTokenizer,
    options: &TrlOptions,
) -> Result<Option<SeenTokens>, Fails> {
    if options.assistant_only {
        let marking = marking.filter(|marking| marking.has_generation()).ok_or(Fails::NoGeneration)?;
        return Ok(cut(by_generation(marking, conversation, tokenizer)?, options));
    }
    let ids = tokenizer.encode(&template.render(conversation)?);
    let trained = vec![true; ids.len()];
    Ok(cut(SeenTokens { ids, trained }, options))
}

/// How many tokens two begin with alike.
pub fn shared(one: &[u32], other: &[u32]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// A question and an answer, both as turns: the answer is what comes behind the tokens that the question alone has, too.
///
/// # Errors
/// [`Fails`].
pub fn prompt_completion(
    template: &ChatTemplate,
    prompt: &Conversation<'_>,
    whole: &Conversation<'_>,
    tokenizer: &TextTokenizer,
    options: &TrlOptions,
) -> Result<Option<SeenTokens>, Fails> {
    let asked = tokenizer.encode(&template.render(prompt)?);
    let ids = tokenizer.encode(&template.render(whole)?);
    let from = shared(&asked, &ids);
    let trained = (0..ids.len()).map(|at| at >= from).collect();
    Ok(cut(SeenTokens { ids, trained }, options))
}
