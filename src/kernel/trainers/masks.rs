//! Which tokens of a whole rendering an answer is: by the template's own marks, else found and proven, else not told.

use std::ops::Range;

use super::SeenTokens;
use crate::render::{BEGINS, ChatTemplate, Conversation, ENDS, TemplateError};
use crate::tokens::{Placed, TextTokenizer};

/// A rendering without the marks of what is generated, and where that stands in it.
pub fn unmarked(marked: &str) -> (String, Vec<Range<usize>>) {
    let (mut plain, mut spans, mut open) = (String::with_capacity(marked.len()), Vec::new(), None);
    for letter in marked.chars() {
        match letter {
            BEGINS => open = Some(plain.len()),
            ENDS => spans.extend(open.take().map(|from| from..plain.len())),
            letter => plain.push(letter),
        }
    }
    spans.extend(open.map(|from| from..plain.len()));
    (plain, spans)
}

/// Tokens, those learned that overlap a span.
pub fn overlapping(placed: &[Placed], spans: &[Range<usize>]) -> SeenTokens {
    let within = |place: &Range<usize>| spans.iter().any(|span| place.start < span.end && span.start < place.end);
    SeenTokens { ids: placed.iter().map(|one| one.id).collect(), trained: placed.iter().map(|one| within(&one.place)).collect() }
}

/// What is generated, by the template's own marks (`{% generation %}`): every token that overlaps it is learned, as transformers 5.24 has it.
///
/// # Errors
/// [`TemplateError`].
pub fn by_generation(
    marking: &ChatTemplate,
    conversation: &Conversation<'_>,
    tokenizer: &TextTokenizer,
) -> Result<SeenTokens, TemplateError> {
    let (plain, spans) = unmarked(&marking.render(conversation)?);
    Ok(overlapping(&tokenizer.placed(&plain), &spans))
}
