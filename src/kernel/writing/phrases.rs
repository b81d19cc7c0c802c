//! What language models say of themselves and say no with, and words that offend: by lists.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::keys::KEYS;
use super::{Flaw, Seen};

/// What a model says of itself, refuses with, or fills with; small letters.
const STOCK: [&str; 44] = [
    "as an ai language model",
    "as a language model",
    "as an ai assistant",
    "as an artificial intelligence",
    "i'm just an ai",
    "i am just an ai",
    "as an ai,",
    "as an ai i",
    "i'm an ai",
    "i am an ai",
    "my training data",
    "as of my last knowledge update",
    "as of my last update",
    "my knowledge cutoff",
    "knowledge cut-off",
    "i don't have personal opinions",
    "i do not have personal opinions",
    "i don't have feelings",
    "i don't have access to real-time",
    "i do not have access to real-time",
    "i cannot fulfill",
    "i can't fulfill",
    "i cannot fulfil",
    "i can't assist with",
    "i cannot assist with",
    "i'm unable to assist",
    "i am unable to assist",
    "i can't help with that",
    "i cannot help with that",
    "i'm sorry, but i can't",
    "i'm sorry, but i cannot",
    "i am sorry, but i cannot",
    "i apologize, but i cannot",
    "i cannot provide",
    "it is important to note that as an ai",
    "goes against my programming",
    "violates openai",
    "openai's use case policy",
    "openai's content policy",
    "i hope this helps! let me know",
    "certainly! here is",
    "certainly! here's",
    "sure! here is",
    "sure! here's",
];
/// Words that offend, whole words only; small letters.
const OFFENDING: [&str; 34] = [
    "fuck",
    "fucking",
    "fucked",
    "fucker",
    "motherfucker",
    "shit",
    "bullshit",
    "shitty",
    "asshole",
    "bitch",
    "bitches",
    "bastard",
    "cunt",
    "dickhead",
    "wanker",
    "twat",
    "slut",
    "whore",
    "faggot",
    "nigger",
    "nigga",
    "retard",
    "retarded",
    "spastic",
    "kike",
    "chink",
    "tranny",
    "dyke",
    "arsehole",
    "bollocks",
    "piss off",
    "scheisse",
    "putain",
    "mierda",
];

static PHRASES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(STOCK.iter().chain(&OFFENDING).copied().chain(KEYS.iter().map(|(begins, _)| *begins)))
        .ok()
});

/// Finds them; where keys may begin goes to `keys`.
pub fn find(text: &str, out: &mut Vec<Seen>, keys: &mut Vec<usize>) {
    let Some(phrases) = PHRASES.as_ref() else { return };
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 128);
    for found in phrases.find_iter(text) {
        let bytes = text.as_bytes();
        let begun = found.start() > 0 && is_part(bytes.get(found.start() - 1));
        let whole = !begun && !is_part(bytes.get(found.end()));
        let place = found.start()..found.end();
        if found.pattern().as_usize() >= STOCK.len() + OFFENDING.len() {
            keys.push(found.start());
        } else if found.pattern().as_usize() < STOCK.len() {
            out.push((Flaw::StockPhrase, place));
        } else if whole {
            out.push((Flaw::Profanity, place));
        }
    }
}
