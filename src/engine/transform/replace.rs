//! Find and replace: plain text or a regular expression; in chats within what is said, never in the JSON around it.

use std::borrow::Cow;

use regex::{NoExpand, Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::data::{Chat, Dataset, Role, SampleId, json_fault};

/// What is looked for and what takes its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replace {
    pub find: String,
    pub with: String,
    /// Whether `find` is a regular expression, and `with` may name its groups (`$1`, `${name}`).
    pub regex: bool,
    /// Whether capitals matter.
    pub case: bool,
}

/// What a cell becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// Nothing of it matches, or what matches stays as it is.
    Same,
    New(String),
    /// It would be no JSON any more: it stays.
    Broken,
}

/// The largest compiled expression: what is larger is hostile, or a mistake.
const LARGEST: usize = 8 << 20;

impl Replace {
    /// Compiles it.
    ///
    /// # Errors
    /// What is wrong with the expression; or that nothing is looked for.
    pub fn compile(&self) -> Result<Replacer<'_>, String> {
        if self.find.is_empty() {
            return Err("there is nothing to look for".to_owned());
        }
        let pattern = if self.regex { self.find.clone() } else { regex::escape(&self.find) };
        let built = RegexBuilder::new(&pattern).case_insensitive(!self.case).multi_line(true).size_limit(LARGEST).build();
        let regex = built.map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())?;
        Ok(Replacer { regex, asked: self })
    }
}

/// A [`Replace`] that is ready to be done.
pub struct Replacer<'r> {
    regex: Regex,
    asked: &'r Replace,
}

impl Replacer<'_> {
    /// A text with every match replaced; borrowed where there is none.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.asked.regex {
            self.regex.replace_all(text, self.asked.with.as_str())
        } else {
            self.regex.replace_all(text, NoExpand(&self.asked.with))
        }
    }

    /// What the cell of a sample becomes.
    pub fn cell(&self, dataset: &Dataset, field: usize, id: SampleId) -> Replaced {
        rewritten(dataset, field, id, &|text| self.text(text))
    }
}

/// What the cell of a sample becomes where its text is changed; of a chat what its turns say, never the JSON around it.
pub fn rewritten(dataset: &Dataset, field: usize, id: SampleId, change: &dyn for<'t> Fn(&'t str) -> Cow<'t, str>) -> Replaced {
    let Some(text) = dataset.text(field, id) else { return Replaced::Same };
    let column = &dataset.fields()[field];
    if column.role == Role::Messages
        && let Some(chat) = Chat::parse(&text)
    {
        return in_chat(&text, chat, change);
    }
    let new = change(&text);
    if new == text {
        return Replaced::Same;
    }
    let was_json = column.kind.is_nested() && json_fault(&text).is_none();
    if was_json && json_fault(&new).is_some() { Replaced::Broken } else { Replaced::New(new.into_owned()) }
}

fn in_chat(text: &str, mut chat: Chat, change: &dyn for<'t> Fn(&'t str) -> Cow<'t, str>) -> Replaced {
    let mut now = text.to_owned();
    for turn in 0..chat.turns().len() {
        let said = &chat.turns()[turn];
        let new = change(&said.text);
        if new == said.text {
            continue;
        }
        let Ok(next) = chat.with_text(turn, &new) else { return Replaced::Broken };
        let Some(parsed) = Chat::parse(&next) else { return Replaced::Broken };
        (now, chat) = (next, parsed);
    }
    if now == text { Replaced::Same } else { Replaced::New(now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(find: &str, with: &str, regex: bool, case: bool, text: &str) -> String {
        let asked = Replace { find: find.into(), with: with.into(), regex, case };
        asked.compile().unwrap().text(text).into_owned()
    }

    #[test]
    fn plain_text_is_taken_as_it_stands_and_expressions_have_groups() {
        assert_eq!(with("a.b", "$1", false, true, "a.b axb A.B"), "$1 axb A.B");
        assert_eq!(with("a.b", "x", false, false, "a.b A.B"), "x x");
        assert_eq!(with(r"(\d+) (\w+)", "$2 $1", true, true, "12 cards, 3 pins"), "cards 12, pins 3");
        assert_eq!(with("^x", "y", true, true, "x\nx"), "y\ny", "a line begins behind a line's end");
        assert_eq!(with("é", "e", false, false, "É é"), "e e");
        let fault = |find: &str| Replace { find: find.into(), regex: true, ..Replace::default() }.compile().err().unwrap();
        assert!(fault("(").contains("unclosed group"), "{}", fault("("));
        assert!(fault("").contains("nothing"));
        assert!(fault(&format!("(\\w{{1000}}){{{}}}", 9_999)).contains("size"), "a hostile expression is refused");
    }
}
