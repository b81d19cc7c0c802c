//! Which tokens of a whole rendering an answer is: by the template's own marks, else found and proven, else not told.

use std::ops::Range;

use serde_json::Value as Json;

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

/// How an answer was found in a rendering that does not say where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskWay {
    /// Two marks around its text come out again, and without them the rendering is the same.
    Marks,
    /// What is rendered before it and up to it begins the whole: with its end token.
    Prefix,
    /// Two other texts in its place change nothing but it.
    Difference,
}

/// An answer within a rendering: its turn, and where it stands, in bytes, where that can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAnswer {
    pub turn: usize,
    pub place: Option<(Range<usize>, MaskWay)>,
}

/// What stands around an answer that is looked for, and texts that share no letter at either end.
const MARKS: [char; 2] = ['\u{e000}', '\u{e001}'];
const OTHERS: [&str; 2] = ["[[qx]]", "zzwv"];

/// Where one way finds an answer; `None` where what it finds does not prove itself.
pub fn found_by(
    way: MaskWay,
    template: &ChatTemplate,
    conversation: &Conversation<'_>,
    turn: usize,
    whole: &str,
) -> Option<Range<usize>> {
    let said = conversation.messages;
    let rendered = |messages: &[Json], asks: bool| {
        template.render(&Conversation { messages, add_generation_prompt: asks, ..conversation.clone() }).ok()
    };
    let with = |content: &str| {
        let mut messages = said.to_vec();
        messages[turn]["content"] = content.into();
        rendered(&messages, false)
    };
    match way {
        MaskWay::Marks => {
            let content = said[turn].get("content")?.as_str()?;
            let marked = with(&format!("{}{content}{}", MARKS[0], MARKS[1]))?;
            if whole.contains(MARKS[0]) || whole.contains(MARKS[1]) || marked.replace(MARKS, "") != whole {
                return None;
            }
            let (from, to) = (marked.find(MARKS[0])?, marked.find(MARKS[1])?);
            Some(from..to - MARKS[0].len_utf8())
        }
        MaskWay::Prefix => {
            let (before, with) = (rendered(&said[..turn], true)?, rendered(&said[..=turn], false)?);
            (whole.starts_with(&before) && whole.starts_with(&with) && with.len() >= before.len())
                .then_some(before.len()..with.len())
        }
        MaskWay::Difference => {
            let mut span: Option<Range<usize>> = None;
            for other in OTHERS {
                let other = with(other)?;
                let same = |pair: &(char, char)| pair.0 == pair.1;
                let from: usize = whole.chars().zip(other.chars()).take_while(same).map(|(letter, _)| letter.len_utf8()).sum();
                let left = (whole.len().min(other.len())).saturating_sub(from);
                let mut behind = 0;
                for (letter, _) in whole.chars().rev().zip(other.chars().rev()).take_while(same) {
                    if behind + letter.len_utf8() > left {
                        break;
                    }
                    behind += letter.len_utf8();
                }
                let own = from..whole.len() - behind;
                span = Some(span.map_or(own.clone(), |span| span.start.min(own.start)..span.end.max(own.end)));
            }
            span.filter(|span| span.end >= span.start)
        }
    }
}

/// The whole rendering, and its answers: each by the first way that proves itself, else not told.
///
/// # Errors
/// [`TemplateError`].
pub fn by_ways(template: &ChatTemplate, conversation: &Conversation<'_>) -> Result<(String, Vec<FoundAnswer>), TemplateError> {
    let whole = template.render(conversation)?;
    let answers =
        conversation.messages.iter().enumerate().filter(|(_, turn)| turn.get("role").and_then(Json::as_str) == Some("assistant"));
    let found = answers
        .map(|(turn, _)| {
            let ways = [MaskWay::Marks, MaskWay::Prefix, MaskWay::Difference].into_iter();
            let mut places = ways.filter_map(|way| Some((found_by(way, template, conversation, turn, &whole)?, way)));
            FoundAnswer { turn, place: places.next() }
        })
        .collect();
    Ok((whole, found))
}
