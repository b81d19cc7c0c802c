//! Steps that a text model carries out: what it is asked, and what becomes of its answer. An answer is data like any other; where there
//! is none yet the question is noted.

use super::Waiting;
use crate::chance::Chance;
use crate::data::{Answers, Ask, Augmentation, Missing, Step, Task};

/// What one pipeline's questions share.
pub struct Answering<'p> {
    pub answers: &'p Answers,
    pub missing: &'p Missing,
    pub protected: &'p [String],
}

impl Answering<'_> {
    /// The text as the model answers it. It stays as it is where it is blank, and where the answer is of no use or has lost a protected
    /// term. White space at its ends stays.
    pub fn answered(&self, step: &Step, chance: &mut Chance, text: String) -> Result<String, Waiting> {
        // Two digits: a question that differs in the third is the same to everybody but a cache.
        let heat = (chance.within(step.low, step.high) * 100.0).round() as u16;
        let seed = chance.bits() >> 33;
        let body = text.trim();
        if body.is_empty() {
            return Ok(text);
        }
        let keep = self.terms(body);
        let ask = |task: Task, text: &str| Ask {
            model: step.model.clone(),
            task,
            text: text.to_owned(),
            keep: keep.clone(),
            heat,
            seed,
        };
        let answer = match step.op {
            Augmentation::Paraphrase => self.get(ask(Task::Paraphrase, body))?,
            _ => match chance.one_of(&step.list) {
                None => return Ok(text),
                Some(language) => {
                    let there = self.get(ask(Task::There(language.trim().to_owned()), body))?;
                    if there.is_empty() {
                        return Ok(text);
                    }
                    self.get(ask(Task::Back(step.language.trim().to_owned()), &there))?
                }
            },
        };
        let small = answer.to_lowercase();
        if answer.is_empty() || keep.iter().any(|term| word_at(&small, &term.to_lowercase()).is_none()) {
            return Ok(text);
        }
        let from = text.len() - text.trim_start().len();
        Ok(format!("{}{answer}{}", &text[..from], &text[from + body.len()..]))
    }

    fn get(&self, ask: Ask) -> Result<std::sync::Arc<str>, Waiting> {
        let key = ask.key();
        self.answers.get(key).ok_or_else(|| {
            self.missing.note(ask);
            Waiting(key)
        })
    }

    /// The protected terms that a text has, as they are written there.
    fn terms(&self, text: &str) -> Vec<String> {
        let small = text.to_lowercase();
        let written = |term: &String| {
            let at = word_at(&small, term)?;
            // Small letters may be longer or shorter than capitals: then the term goes as it was given.
            let same = small.len() == text.len() && text.is_char_boundary(at) && text.is_char_boundary(at + term.len());
            Some(if same { text[at..at + term.len()].to_owned() } else { term.clone() })
        };
        self.protected.iter().filter(|term| !term.is_empty()).filter_map(written).collect()
    }
}

/// Where a term stands in a text as words of its own.
fn word_at(text: &str, term: &str) -> Option<usize> {
    let apart = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    let alone = |at: &usize| apart(text[..*at].chars().next_back()) && apart(text[at + term.len()..].chars().next());
    text.match_indices(term).map(|(at, _)| at).find(alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_a_word_of_its_own() {
        assert_eq!(word_at("shopping, my pin.", "pin"), Some(13));
        assert_eq!(word_at("shopping", "pin"), None);
        assert_eq!(word_at("straße äpin pin", "pin"), Some(14));
    }
}
