//! What keeps a trainer from a chat, mended where that is safe: in the chat's own dialect, and nothing else of it is touched.

use serde_json::{Map, Value as Json, json};

/// A way to mend a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatRepair {
    /// Roles of other dialects and in capitals into the chat's own.
    Roles,
    /// System turns that stand later go to the front, into one.
    SystemFirst,
    /// Turns of the same speaker one after the other become one, with a blank line between.
    JoinTurns,
    /// What comes behind the last answer is taken off.
    CutEnd,
    /// A chat that begins with an answer is given an empty question.
    Opening,
    /// Members that are null are taken out; a call without a content has an empty one.
    Nulls,
    /// Contents that are lists of texts become texts.
    Parts,
    /// Arguments of calls become texts of JSON.
    TextArguments,
    /// Arguments of calls become objects.
    ObjectArguments,
}

impl ChatRepair {
    /// Every one, in the order in which they help each other.
    pub const ALL: [Self; 9] = [
        Self::Nulls,
        Self::Parts,
        Self::Roles,
        Self::SystemFirst,
        Self::JoinTurns,
        Self::Opening,
        Self::CutEnd,
        Self::TextArguments,
        Self::ObjectArguments,
    ];

    /// Its name in what is typed and written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::SystemFirst => "system-first",
            Self::JoinTurns => "join-turns",
            Self::CutEnd => "cut-end",
            Self::Opening => "opening",
            Self::Nulls => "nulls",
            Self::Parts => "parts",
            Self::TextArguments => "text-arguments",
            Self::ObjectArguments => "object-arguments",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// In a word or two.
    pub fn title(self) -> &'static str {
        match self {
            Self::Roles => "Name roles alike",
            Self::SystemFirst => "Move system turns first",
            Self::JoinTurns => "Join turns",
            Self::CutEnd => "Cut behind the last answer",
            Self::Opening => "Put an empty question first",
            Self::Nulls => "Take out nulls",
            Self::Parts => "Join text parts",
            Self::TextArguments => "Arguments as text",
            Self::ObjectArguments => "Arguments as objects",
        }
    }

    /// In a sentence.
    pub fn help(self) -> &'static str {
        match self {
            Self::Roles => "roles of other dialects (human, gpt, bot, model) and in capitals are named as the chat names them",
            Self::SystemFirst => "system turns that stand later are moved to the front, into one turn",
            Self::JoinTurns => "turns of the same speaker one after the other become one, with a blank line between",
            Self::CutEnd => "turns behind the last answer are taken off: nothing answers them",
            Self::Opening => "a chat that begins with an answer is given an empty question before it",
            Self::Nulls => "members that are null are taken out; a call's missing content becomes an empty one",
            Self::Parts => "contents that are lists of texts become one text; those with pictures stay",
            Self::TextArguments => "arguments of calls that are objects become texts of JSON, as OpenAI and Axolotl want them",
            Self::ObjectArguments => {
                "arguments of calls that are texts of JSON become objects, as TRL and LLaMA-Factory want them"
            }
        }
    }

    /// The turns mended; `None` where there is nothing to mend.
    pub fn mended(self, turns: &[Json]) -> Option<Vec<Json>> {
        let dialect = Dialect::of(turns)?;
        let mut out = turns.to_vec();
        match self {
            Self::Roles => out.iter_mut().for_each(|turn| dialect.name_role(turn)),
            Self::SystemFirst => dialect.system_first(&mut out),
            Self::JoinTurns => dialect.join(&mut out),
            Self::CutEnd => {
                let last = out.iter().rposition(|turn| dialect.said_by(turn) == Some("assistant"))?;
                out.truncate(last + 1);
            }
            Self::Opening => {
                let first = out.iter().position(|turn| dialect.said_by(turn) != Some("system"))?;
                if dialect.said_by(&out[first]) == Some("assistant") {
                    let user = if dialect.shares { "human" } else { "user" };
                    let mut turn = Map::new();
                    turn.insert(dialect.role.to_owned(), user.into());
                    turn.insert(dialect.content.to_owned(), "".into());
                    out.insert(first, Json::Object(turn));
                }
            }
            Self::Nulls => out.iter_mut().for_each(|turn| dialect.without_nulls(turn)),
            Self::Parts => out.iter_mut().for_each(|turn| dialect.join_parts(turn)),
            Self::TextArguments => arguments(&mut out, &|given| match given {
                Json::String(_) => None,
                other => Some(Json::String(other.to_string())),
            }),
            Self::ObjectArguments => arguments(&mut out, &|given| {
                given.as_str().and_then(|text| serde_json::from_str::<Json>(text).ok()).filter(Json::is_object)
            }),
        }
        (out != turns).then_some(out)
    }
}

fn arguments(turns: &mut [Json], change: &dyn Fn(&Json) -> Option<Json>) {
    let calls = turns.iter_mut().filter_map(|turn| turn.get_mut("tool_calls")?.as_array_mut()).flatten();
    for given in calls.filter_map(|call| call.get_mut("function")?.get_mut("arguments")) {
        if let Some(new) = change(given) {
            *given = new;
        }
    }
}

/// How a chat names its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dialect {
    role: &'static str,
    content: &'static str,
    /// Whether it is `ShareGPT`'s.
    shares: bool,
}

impl Dialect {
    /// That of most turns; `None` of what is no chat.
    fn of(turns: &[Json]) -> Option<Self> {
        let with = |name: &str| turns.iter().filter(|turn| turn.get(name).is_some()).count();
        let (roles, froms) = (with("role"), with("from"));
        match (roles + froms, froms > roles) {
            (0, _) => None,
            (_, true) => Some(Self { role: "from", content: "value", shares: true }),
            (_, false) => Some(Self { role: "role", content: "content", shares: false }),
        }
    }

    /// Who says a turn, in the roles that all come down to.
    fn said_by(self, turn: &Json) -> Option<&'static str> {
        let role = turn.get(self.role)?.as_str()?.trim().to_lowercase();
        Some(match role.as_str() {
            "system" | "developer" => "system",
            "user" | "human" | "input" | "prompter" => "user",
            "assistant" | "gpt" | "model" | "bot" | "chatgpt" | "bing" | "bard" | "output" => "assistant",
            "tool" | "observation" | "ipython" => "tool",
            "function_call" => "call",
            _ => return None,
        })
    }

    fn name_role(self, turn: &mut Json) {
        let Some(by) = self.said_by(turn) else { return };
        let is_developer = turn[self.role].as_str().is_some_and(|role| role.trim().eq_ignore_ascii_case("developer"));
        let name = match (by, self.shares) {
            // That is a role of its own with OpenAI.
            ("system", false) if is_developer => "developer",
            ("user", true) => "human",
            ("assistant", true) => "gpt",
            ("tool", true) => "observation",
            ("call", _) => "function_call",
            (by, _) => by,
        };
        turn[self.role] = name.into();
    }

    fn text(self, turn: &Json) -> Option<&str> {
        turn.get(self.content)?.as_str()
    }

    fn system_first(self, out: &mut Vec<Json>) {
        let is_system = |turn: &Json| self.said_by(turn) == Some("system");
        let first_other = out.iter().position(|turn| !is_system(turn)).unwrap_or(out.len());
        // Only texts can be put together.
        if !out.iter().skip(first_other).any(is_system) || out.iter().any(|turn| is_system(turn) && self.text(turn).is_none()) {
            return;
        }
        let (system, rest): (Vec<Json>, Vec<Json>) = out.drain(..).partition(is_system);
        let words: Vec<&str> = system.iter().filter_map(|turn| self.text(turn)).filter(|text| !text.is_empty()).collect();
        let mut one = system[0].clone();
        one[self.content] = words.join("\n\n").into();
        *out = std::iter::once(one).chain(rest).collect();
    }

    fn join(self, out: &mut Vec<Json>) {
        let plain = |turn: &Json| turn.get("tool_calls").is_none_or(Json::is_null) && self.text(turn).is_some();
        let mut joined: Vec<Json> = Vec::with_capacity(out.len());
        for turn in out.drain(..) {
            let by = self.said_by(&turn);
            match joined.last_mut() {
                Some(last)
                    if matches!(by, Some("user" | "assistant")) && self.said_by(last) == by && plain(last) && plain(&turn) =>
                {
                    let (one, two) = (self.text(last).unwrap_or_default(), self.text(&turn).unwrap_or_default());
                    let blank = if one.is_empty() || two.is_empty() { "" } else { "\n\n" };
                    last[self.content] = format!("{one}{blank}{two}").into();
                }
                _ => joined.push(turn),
            }
        }
        *out = joined;
    }

    fn without_nulls(self, turn: &mut Json) {
        let Some(members) = turn.as_object_mut() else { return };
        let calls = members.get("tool_calls").and_then(Json::as_array).is_some_and(|calls| !calls.is_empty());
        let missing = members.get(self.content).is_none_or(Json::is_null);
        // A content that is nothing, and no call beside it: nobody knows what was to be said.
        members.retain(|name, value| !value.is_null() || name == self.content);
        if missing && calls {
            members.insert(self.content.to_owned(), "".into());
        }
    }

    fn join_parts(self, turn: &mut Json) {
        let Some(Json::Array(parts)) = turn.get(self.content) else { return };
        let text = |part: &Json| match part {
            Json::String(text) => Some(text.clone()),
            part if part.get("type").and_then(Json::as_str).is_none_or(|kind| kind == "text") => {
                part.get("text")?.as_str().map(str::to_owned)
            }
            _ => None,
        };
        if let Some(texts) = parts.iter().map(text).collect::<Option<Vec<_>>>() {
            turn[self.content] = json!(texts.concat());
        }
    }
}

/// A chat in several, cut before questions, each with the system's turns at its front and as long as `fits` says it may be; `None` where it fits, or cannot be cut.
/// What is too long between two questions stays whole.
pub fn split_chat(turns: &[Json], fits: &dyn Fn(&[Json]) -> bool) -> Option<Vec<Vec<Json>>> {
    let dialect = Dialect::of(turns)?;
    if fits(turns) {
        return None;
    }
    let head = turns.iter().take_while(|turn| dialect.said_by(turn) == Some("system")).count();
    let (system, rest) = turns.split_at(head);
    let mut exchanges: Vec<Vec<Json>> = Vec::new();
    for (at, turn) in rest.iter().enumerate() {
        let asks = dialect.said_by(turn) == Some("user") && at > 0 && dialect.said_by(&rest[at - 1]) == Some("assistant");
        if asks || exchanges.is_empty() {
            exchanges.push(Vec::new());
        }
        if let Some(last) = exchanges.last_mut() {
            last.push(turn.clone());
        }
    }
    let with = |part: &[Json]| system.iter().chain(part).cloned().collect::<Vec<Json>>();
    let mut parts: Vec<Vec<Json>> = Vec::new();
    for exchange in exchanges {
        match parts.last_mut() {
            Some(last) if fits(&with(&[last.as_slice(), exchange.as_slice()].concat())) => last.extend(exchange),
            _ => parts.push(exchange),
        }
    }
    (parts.len() > 1).then(|| parts.iter().map(|part| with(part)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(repair: ChatRepair, turns: Json) -> Option<Json> {
        repair.mended(turns.as_array().unwrap()).map(Json::Array)
    }

    fn says(role: &str, content: &str) -> Json {
        json!({ "role": role, "content": content })
    }

    #[test]
    fn every_repair_mends_its_fault_and_nothing_else() {
        let own = |role: &str, value: &str| json!({ "from": role, "value": value });
        assert_eq!(
            mended(ChatRepair::Roles, json!([own("Human", "a"), own("assistant", "b"), own("tool", "c")])).unwrap(),
            json!([own("human", "a"), own("gpt", "b"), own("observation", "c")])
        );
        assert_eq!(mended(ChatRepair::Roles, json!([says("developer", "a"), says("user", "b")])), None);
        assert_eq!(mended(ChatRepair::Roles, json!([says("critic", "a")])), None, "nobody knows who that is");
        assert_eq!(
            mended(ChatRepair::SystemFirst, json!([says("user", "a"), says("system", "s"), says("assistant", "b")])).unwrap(),
            json!([says("system", "s"), says("user", "a"), says("assistant", "b")])
        );
        assert_eq!(
            mended(ChatRepair::JoinTurns, json!([says("user", "a"), says("user", "b"), says("assistant", "c")])).unwrap(),
            json!([says("user", "a\n\nb"), says("assistant", "c")])
        );
        assert_eq!(
            mended(ChatRepair::CutEnd, json!([says("user", "a"), says("assistant", "b"), says("user", "c")])).unwrap(),
            json!([says("user", "a"), says("assistant", "b")])
        );
        assert_eq!(mended(ChatRepair::CutEnd, json!([says("user", "a")])), None, "nothing would be left");
        assert_eq!(
            mended(ChatRepair::Opening, json!([says("assistant", "b")])).unwrap(),
            json!([says("user", ""), says("assistant", "b")])
        );
        let call = |content: Json, arguments: Json| json!({ "role": "assistant", "content": content, "tool_calls": [{ "function": { "name": "f", "arguments": arguments } }] });
        assert_eq!(
            mended(ChatRepair::Nulls, json!([{ "role": "user", "content": "a", "name": null }, call(json!(null), json!("{}"))]))
                .unwrap(),
            json!([says("user", "a"), call(json!(""), json!("{}"))])
        );
        assert_eq!(
            mended(ChatRepair::Nulls, json!([{ "role": "assistant", "content": null }])),
            None,
            "what was to be said is not known"
        );
        assert_eq!(
            mended(
                ChatRepair::Parts,
                json!([{ "role": "user", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] }])
            )
            .unwrap(),
            json!([says("user", "ab")])
        );
        assert_eq!(
            mended(ChatRepair::Parts, json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": {} }] }])),
            None
        );
        let there = mended(ChatRepair::TextArguments, json!([call(json!(""), json!({ "x": 1 }))])).unwrap();
        assert_eq!(there, json!([call(json!(""), json!("{\"x\":1}"))]));
        assert_eq!(mended(ChatRepair::ObjectArguments, there).unwrap(), json!([call(json!(""), json!({ "x": 1 }))]));
        assert_eq!(mended(ChatRepair::ObjectArguments, json!([call(json!(""), json!("f(x)"))])), None);
    }

    #[test]
    fn mending_twice_is_mending_once() {
        let chat = json!([says("Human", "a"), says("human", "b"), says("system", "s"), says("Bot", "c"), says("user", "d")]);
        for repair in ChatRepair::ALL {
            if let Some(once) = mended(repair, chat.clone()) {
                assert_eq!(mended(repair, once), None, "{}", repair.name());
            }
        }
    }

    #[test]
    fn a_long_chat_is_cut_before_questions_and_nothing_is_lost() {
        let chat: Vec<Json> = std::iter::once(says("system", "s"))
            .chain((0..5).flat_map(|n| [says("user", &format!("q{n}")), says("assistant", &format!("a{n}"))]))
            .collect();
        let parts = split_chat(&chat, &|turns| turns.len() <= 5).unwrap();
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 3]);
        assert!(parts.iter().all(|part| part[0] == says("system", "s")));
        let all: Vec<Json> = parts.iter().flat_map(|part| part[1..].to_vec()).collect();
        assert_eq!(all, chat[1..]);
        assert_eq!(split_chat(&chat, &|_| true), None);
        assert_eq!(split_chat(&chat[..3], &|_| false), None, "one question and its answer cannot be cut");
    }
}
