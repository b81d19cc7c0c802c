//! A chat in a cell: its turns, and their changes as splices, so that what is not changed keeps its very letters.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::value::RawValue;

use super::native::quote;

/// What the members of a turn are called, by custom: who, and what.
const WHO: [&str; 3] = ["role", "from", "speaker"];
const WHAT: [&str; 4] = ["content", "value", "text", "message"];
/// What the list of turns is called where it stands within an object.
const LISTS: [&str; 4] = ["messages", "conversations", "conversation", "turns"];

/// One turn of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks, as it is written.
    pub role: String,
    /// What is said: text where it is one, else JSON as it stands.
    pub text: String,
    /// Whether `text` is JSON and no plain text: parts of several kinds, null.
    pub is_json: bool,
    /// What else the turn holds (tool calls, names, weights): name and JSON, in order.
    pub more: Vec<(String, String)>,
    /// Where the turn stands in the cell, and in it who and what; the latter is empty where there is none.
    span: Range<usize>,
    who: Range<usize>,
    what: Range<usize>,
    rest: Vec<Range<usize>>,
}

impl Turn {
    /// Whether another says the same, wherever it stands.
    fn says(&self, other: &Self) -> bool {
        self.role == other.role && self.text == other.text && self.more == other.more
    }
}

/// A chat: the text of a cell, and its turns in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    text: String,
    turns: Vec<Turn>,
    /// Where the list of turns stands, its brackets included.
    list: Range<usize>,
    /// What who and what are called in it.
    names: (String, String),
    /// Whether it is no list but the one turn.
    is_one: bool,
}

/// Where `part` stands in `text`, of which it is a slice.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    start..start + part.len()
}

/// Why a text is no JSON, and where: its line and letter, counted from 1.
pub fn json_fault(text: &str) -> Option<String> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let said = error.to_string();
    let what = match said.split(" at line ").next().unwrap_or(&said) {
        eof if eof.starts_with("EOF") => "it ends while something is still open",
        what => what,
    };
    Some(format!("line {}, letter {}: {what}", error.line(), error.column().max(1)))
}

impl Chat {
    /// Reads a cell; `None` where it is no list of turns.
    pub fn parse(text: &str) -> Option<Self> {
        let list = match text.trim_start().as_bytes().first()? {
            b'[' => place(text, text.trim()),
            b'{' => {
                let members: HashMap<String, &RawValue> = serde_json::from_str(text).ok()?;
                match LISTS.iter().find_map(|name| members.get(*name)) {
                    Some(list) => place(text, list.get()),
                    None => return Self::of_one(text),
                }
            }
            _ => return None,
        };
        let raw: Vec<&RawValue> = serde_json::from_str(&text[list.clone()]).ok()?;
        let turns: Vec<(Turn, (String, String))> = raw.iter().map(|turn| Self::turn(text, turn.get())).collect::<Option<_>>()?;
        let names = turns.first().map_or_else(|| ("role".to_owned(), "content".to_owned()), |(_, names)| names.clone());
        Some(Self { text: text.to_owned(), turns: turns.into_iter().map(|(turn, _)| turn).collect(), list, names, is_one: false })
    }

    /// A cell that is one turn and no list, as preference pairs have them: it says who and what.
    fn of_one(text: &str) -> Option<Self> {
        let (turn, names) = Self::turn(text, text.trim())?;
        let said = !turn.what.is_empty();
        said.then(|| Self { text: text.to_owned(), list: turn.span.clone(), turns: vec![turn], names, is_one: true })
    }

    /// Whether the cell is one turn and no list: none can be added to it or taken from it.
    pub fn is_one(&self) -> bool {
        self.is_one
    }

    fn turn(text: &str, raw: &str) -> Option<(Turn, (String, String))> {
        let members: Members<'_> = serde_json::from_str(raw).ok()?;
        let find = |names: &[&str]| names.iter().find_map(|name| members.0.iter().find(|(own, _)| own == name));
        let (who_name, who) = find(&WHO)?;
        let role: String = serde_json::from_str(who.get()).ok()?;
        let said = find(&WHAT);
        let plain = said.and_then(|(_, said)| serde_json::from_str::<String>(said.get()).ok());
        let shown = said.map_or("", |(_, said)| said.get());
        let rest = members.0.iter().filter(|(name, _)| name != who_name && said.is_none_or(|(own, _)| own != name));
        let turn = Turn {
            role,
            is_json: plain.is_none() && said.is_some(),
            text: plain.unwrap_or_else(|| shown.to_owned()),
            more: rest.clone().map(|(name, value)| (name.clone(), value.get().to_owned())).collect(),
            rest: rest.map(|(_, value)| place(text, value.get())).collect(),
            span: place(text, raw),
            who: place(text, who.get()),
            what: said.map_or(0..0, |(_, said)| place(text, said.get())),
        };
        let what_name = said.map_or_else(|| if who_name == "from" { "value" } else { "content" }, |(name, _)| name.as_str());
        Some((turn, (who_name.clone(), what_name.to_owned())))
    }

    /// The turns, in order.
    pub fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// The roles that the chat uses, in the order of their coming.
    pub fn roles(&self) -> Vec<&str> {
        let mut roles: Vec<&str> = Vec::new();
        for turn in &self.turns {
            if !roles.contains(&turn.role.as_str()) {
                roles.push(&turn.role);
            }
        }
        roles
    }

    fn spliced(&self, place: Range<usize>, new: &str) -> String {
        format!("{}{new}{}", &self.text[..place.start], &self.text[place.end..])
    }

    /// The cell with another text in a turn. Where the turn's is JSON, so must the new one be.
    ///
    /// # Errors
    /// What is wrong with the JSON, and where.
    pub fn with_text(&self, turn: usize, new: &str) -> Result<String, String> {
        let Some(turn) = self.turns.get(turn) else { return Ok(self.text.clone()) };
        // What is null so far may become a text, as most contents are; a list of parts or null is JSON still.
        let becomes_text = turn.text.trim() == "null" && new.trim() != "null" && !new.trim_start().starts_with(['[', '{', '"']);
        if turn.is_json && !becomes_text {
            return match json_fault(new) {
                Some(fault) => Err(fault),
                None => Ok(self.spliced(turn.what.clone(), new)),
            };
        }
        let quoted = quoted(new);
        if turn.what.is_empty() {
            // It had nothing to say so far: the member comes behind the others.
            let member = format!(", {}: {quoted}}}", self::quoted(&self.names.1));
            let end = turn.span.end - 1;
            let space = self.text[..end].trim_end().len();
            return Ok(self.spliced(space..turn.span.end, &member));
        }
        Ok(self.spliced(turn.what.clone(), &quoted))
    }

    /// What is different in another chat, in a few words: `turn 3`, `the role of turn 3`, `a new turn 4`.
    pub fn change_to(&self, other: &Self) -> String {
        let (mine, theirs, first) = self.apart(other);
        match (mine.len(), theirs.len()) {
            (0, 0) => "how it is written".to_owned(),
            (0, 1) => format!("a new turn {}", first + 1),
            (1, 0) => format!("without turn {}", first + 1),
            (1, 2) if mine[0].text.starts_with(theirs[0].text.as_str()) => format!("turn {} cut in two", first + 1),
            (1, 1) => {
                let (one, two) = (&mine[0], &theirs[0]);
                let what = match (one.role == two.role, one.text == two.text, one.more == two.more) {
                    (false, true, true) => return format!("turn {} is of {}", first + 1, two.role),
                    (true, true, false) => "what else it holds",
                    _ => "its text",
                };
                format!("turn {}, {what}", first + 1)
            }
            (2, 2) if mine[0].says(&theirs[1]) && mine[1].says(&theirs[0]) => {
                format!("turns {} and {} changed about", first + 1, first + 2)
            }
            (_, _) => format!("turns from {} on", first + 1),
        }
    }

    /// The turns that differ in another chat: of each its number, what it was and what it is; `None` where there is none.
    pub fn differing<'c>(&'c self, other: &'c Self) -> Vec<(usize, Option<&'c Turn>, Option<&'c Turn>)> {
        let (mine, theirs, first) = self.apart(other);
        (0..mine.len().max(theirs.len())).map(|at| (first + at + 1, mine.get(at), theirs.get(at))).collect()
    }

    /// The turns from the first to the last that differ, here and in another chat, and how many stand before them.
    fn apart<'c>(&'c self, other: &'c Self) -> (&'c [Turn], &'c [Turn], usize) {
        let (mine, theirs) = (&self.turns, &other.turns);
        let first = mine.iter().zip(theirs).take_while(|(one, two)| one.says(two)).count();
        let last = mine.iter().rev().zip(theirs.iter().rev()).take_while(|(one, two)| one.says(two)).count();
        let last = last.min(mine.len().min(theirs.len()) - first);
        (&mine[first..mine.len() - last], &theirs[first..theirs.len() - last], first)
    }

    /// The cell with other JSON in what else a turn holds: its `at`th member of [`Turn::more`].
    ///
    /// # Errors
    /// What is wrong with the JSON, and where.
    pub fn with_more(&self, turn: usize, at: usize, new: &str) -> Result<String, String> {
        let place = self.turns.get(turn).and_then(|turn| turn.rest.get(at));
        match (place, json_fault(new)) {
            (_, Some(fault)) => Err(fault),
            (Some(place), None) => Ok(self.spliced(place.clone(), new)),
            (None, None) => Ok(self.text.clone()),
        }
    }

    /// The cell with a turn of another role.
    pub fn with_role(&self, turn: usize, role: &str) -> String {
        self.turns.get(turn).map_or_else(|| self.text.clone(), |turn| self.spliced(turn.who.clone(), &quoted(role)))
    }

    /// What stands between two turns: the first such, or a comma and a space.
    fn between(&self) -> &str {
        match self.turns.as_slice() {
            [one, two, ..] => &self.text[one.span.end..two.span.start],
            _ => ", ",
        }
    }

    /// A turn as this chat writes them.
    fn written(&self, role: &str, text: &str) -> String {
        // As the first is: its colon and what stands between its members.
        let style = self.turns.first().filter(|turn| turn.who.end < turn.what.start);
        let (colon, comma) = match style {
            Some(turn) => {
                let gap = &self.text[turn.who.end..turn.what.start];
                let name = quoted(&self.names.1);
                match gap.split_once(&name) {
                    Some((comma, colon)) if turn.more.is_empty() => (colon.to_owned(), comma.to_owned()),
                    _ => (": ".to_owned(), ", ".to_owned()),
                }
            }
            None => (": ".to_owned(), ", ".to_owned()),
        };
        let (who, what) = (quoted(&self.names.0), quoted(&self.names.1));
        format!("{{{who}{colon}{}{comma}{what}{colon}{}}}", quoted(role), quoted(text))
    }

    /// The cell with a new turn at `place` (0 is the first).
    pub fn with_turn(&self, place: usize, role: &str, text: &str) -> String {
        if self.is_one {
            return self.text.clone();
        }
        let new = self.written(role, text);
        let between = self.between();
        match (self.turns.get(place), self.turns.last()) {
            (Some(next), _) => self.spliced(next.span.start..next.span.start, &format!("{new}{between}")),
            (None, Some(last)) => self.spliced(last.span.end..last.span.end, &format!("{between}{new}")),
            (None, None) => self.spliced(self.list.start + 1..self.list.end - 1, &new),
        }
    }

    /// The cell without a turn.
    pub fn without(&self, turn: usize) -> String {
        let Some(gone) = self.turns.get(turn).filter(|_| !self.is_one) else { return self.text.clone() };
        let place = match (turn.checked_sub(1).and_then(|before| self.turns.get(before)), self.turns.get(turn + 1)) {
            (_, Some(next)) => gone.span.start..next.span.start,
            (Some(before), None) => before.span.end..gone.span.end,
            (None, None) => gone.span.clone(),
        };
        self.spliced(place, "")
    }

    /// The cell with a turn and the one behind it changed about.
    pub fn with_next_before(&self, turn: usize) -> String {
        let (Some(one), Some(two)) = (self.turns.get(turn), self.turns.get(turn + 1)) else { return self.text.clone() };
        let between = &self.text[one.span.end..two.span.start];
        let both = format!("{}{between}{}", &self.text[two.span.clone()], &self.text[one.span.clone()]);
        self.spliced(one.span.start..two.span.end, &both)
    }

    /// The cell with a turn cut in two at byte `at` of its text, the second part said by `role`. White space at the cut goes.
    pub fn split(&self, turn: usize, at: usize, role: &str) -> Option<String> {
        let cut = self.turns.get(turn).filter(|turn| !turn.is_json && !turn.what.is_empty() && !self.is_one)?;
        let (first, second) = cut.text.split_at_checked(at)?;
        if first.trim().is_empty() || second.trim().is_empty() {
            return None;
        }
        let shorter = Self::parse(&self.with_text(turn, first.trim_end()).ok()?)?;
        Some(shorter.with_turn(turn + 1, role, second.trim_start()))
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    quote(text, &mut out);
    out
}

/// The members of an object in their order, values as they stand.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> serde::Deserialize<'de> for Members<'t> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Visitor).map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPEN_AI: &str = r#"[{"role":"system","content":"Be \u0062rief."} , {"role":"user", "content":"a \"b\"\né"},
  {"role": "assistant", "content": null, "tool_calls": [{"id": 1.0}], "weight": 0}]"#;

    #[test]
    fn a_chat_is_its_turns_with_whatever_else_they_hold() {
        let chat = Chat::parse(OPEN_AI).unwrap();
        let said: Vec<(&str, &str, bool)> =
            chat.turns().iter().map(|turn| (turn.role.as_str(), turn.text.as_str(), turn.is_json)).collect();
        assert_eq!(said, [("system", "Be brief.", false), ("user", "a \"b\"\né", false), ("assistant", "null", true)]);
        let more: Vec<(&str, &str)> = chat.turns()[2].more.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect();
        assert_eq!(more, [("tool_calls", r#"[{"id": 1.0}]"#), ("weight", "0")]);
        assert_eq!(chat.roles(), ["system", "user", "assistant"]);
        let share_gpt = Chat::parse(r#" {"id": 1, "conversations": [{"from": "human", "value": "hi"}]}"#).unwrap();
        assert_eq!((share_gpt.turns()[0].role.as_str(), share_gpt.turns()[0].text.as_str()), ("human", "hi"));
        for none in
            ["", "plain", "[1, 2]", "[{\"a\": 1}]", "{}", "[{\"role\": 1, \"content\": \"\"}]", "[{\"role\": \"a\"", "null"]
        {
            assert!(Chat::parse(none).is_none(), "{none}");
        }
        assert_eq!(Chat::parse("[]").unwrap().turns().len(), 0);
        // One turn by itself, as preference pairs have it: it is edited in place, and stays one.
        let one = Chat::parse(r#" {"from": "gpt", "value": "yes"}"#).unwrap();
        assert_eq!((one.turns()[0].text.as_str(), one.is_one()), ("yes", true));
        assert_eq!(one.with_text(0, "no").unwrap(), r#" {"from": "gpt", "value": "no"}"#);
        assert_eq!((one.with_turn(1, "user", "x"), one.without(0)), (one.text.clone(), one.text.clone()));
        assert!(Chat::parse(r#"{"role": "user"}"#).is_none(), "a role alone says nothing");
    }

    #[test]
    fn a_change_touches_what_it_changes_and_no_other_letter() {
        let chat = Chat::parse(OPEN_AI).unwrap();
        let after = chat.with_text(1, "new\tone").unwrap();
        assert_eq!(after, OPEN_AI.replace(r#""a \"b\"\né""#, r#""new\tone""#));
        assert_eq!(chat.with_role(2, "tool"), OPEN_AI.replace(r#""role": "assistant""#, r#""role": "tool""#));
        assert_eq!(chat.with_more(2, 1, "1").unwrap(), OPEN_AI.replace("\"weight\": 0", "\"weight\": 1"));
        assert_eq!(chat.with_more(2, 0, "[{]").unwrap_err(), "line 1, letter 3: key must be a string");
        // Where nothing was said a text can be; JSON stays JSON.
        assert_eq!(chat.with_text(2, "no json").unwrap(), OPEN_AI.replace("\"content\": null", "\"content\": \"no json\""));
        assert!(chat.with_text(2, "[no json").is_err());
        let parts = Chat::parse(r#"[{"role": "user", "content": [{"type": "text"}]}]"#).unwrap();
        assert!(parts.with_text(0, "no json").is_err(), "what is JSON stays JSON");
        // What is different is said.
        for (other, said) in [
            (after.clone(), "turn 2, its text"),
            (chat.with_role(2, "tool"), "turn 3 is of tool"),
            (chat.with_turn(1, "user", "and?"), "a new turn 2"),
            (chat.without(0), "without turn 1"),
            (chat.with_next_before(0), "turns 1 and 2 changed about"),
            (chat.with_more(2, 1, "1").unwrap(), "turn 3, what else it holds"),
            (OPEN_AI.replace("  ", " "), "how it is written"),
        ] {
            assert_eq!(chat.change_to(&Chat::parse(&other).unwrap()), said);
        }
        let without = chat.without(1);
        assert_eq!(Chat::parse(&without).unwrap().turns().len(), 2);
        assert!(without.contains("Be \\u0062rief.") && !without.contains("a \\\"b"));
        assert_eq!(Chat::parse(&chat.without(2)).unwrap().turns().len(), 2);
        let moved = chat.with_next_before(0);
        assert_eq!(Chat::parse(&moved).unwrap().turns()[0].role, "user");
        assert_eq!(Chat::parse(&moved).unwrap().with_next_before(0), OPEN_AI, "moved back it is what it was");
        // A new turn is written as the others are.
        let more = chat.with_turn(1, "user", "and?");
        assert!(more.contains(r#"{"role":"user","content":"and?"} , {"role":"user", "content""#), "{more}");
        let last = Chat::parse(r#"[ {"from": "human",  "value": "hi"} ]"#).unwrap().with_turn(1, "gpt", "yes");
        assert_eq!(last, r#"[ {"from": "human",  "value": "hi"}, {"from": "gpt",  "value": "yes"} ]"#);
        assert_eq!(Chat::parse("[ ]").unwrap().with_turn(0, "user", "x"), r#"[{"role": "user", "content": "x"}]"#);
        // A turn that said nothing says something.
        let silent = Chat::parse(r#"[{"role": "assistant", "tool_calls": [] }]"#).unwrap();
        assert_eq!(silent.with_text(0, "ok").unwrap(), r#"[{"role": "assistant", "tool_calls": [], "content": "ok"}]"#);
        // Cut in two.
        let two = Chat::parse(r#"[{"role": "user", "content": "why? because."}]"#).unwrap();
        let cut = two.split(0, 4, "assistant").unwrap();
        assert_eq!(cut, r#"[{"role": "user", "content": "why?"}, {"role": "assistant", "content": "because."}]"#);
        assert!(two.split(0, 0, "assistant").is_none() && two.split(0, 99, "a").is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_said_comes_back(texts in prop::collection::vec(".{0,12}", 1..5), at in 0_usize..4, new in "(?s).{0,20}") {
            let turns: Vec<String> =
                texts.iter().map(|text| format!("{{\"role\": \"user\", \"content\": {}}}", quoted(text))).collect();
            let chat = Chat::parse(&format!("[{}]", turns.join(", "))).unwrap();
            let at = at % texts.len();
            let changed = Chat::parse(&chat.with_text(at, &new).unwrap()).unwrap();
            for (place, turn) in changed.turns().iter().enumerate() {
                prop_assert_eq!(&turn.text, if place == at { &new } else { &texts[place] });
            }
            let longer = Chat::parse(&chat.with_turn(at, "x", &new)).unwrap();
            prop_assert_eq!((longer.turns().len(), &longer.turns()[at].text), (texts.len() + 1, &new));
            let back = longer.without(at);
            prop_assert_eq!(Chat::parse(&back).unwrap().turns().iter().map(|turn| turn.text.clone()).collect::<Vec<_>>(), texts);
        }
    }
}
