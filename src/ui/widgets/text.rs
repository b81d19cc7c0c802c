//! Numbers and cells as they are written on screen.

use std::borrow::Cow;

pub use crate::data::{count, count_samples as samples, things};

/// The words of an edit with the samples that they number called by their text: `sample 12` says nothing to whoever reads it.
pub fn named(words: &str, dataset: &crate::data::Dataset) -> String {
    use crate::data::{Role, SampleId};
    let mut out = String::with_capacity(words.len() + 40);
    let mut rest = words;
    let read = dataset.with_role(|role| matches!(role, Role::Text | Role::Messages | Role::Image));
    while let Some(at) = rest.find("sample ") {
        let (before, after) = rest.split_at(at + "sample ".len());
        let digits = after.len() - after.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let id = after[..digits].parse::<u32>().ok().map(SampleId).filter(|id| id.row() < dataset.rows());
        let text = read.zip(id).and_then(|(field, id)| {
            let text = dataset.text(field, id)?;
            let text = if dataset.fields()[field].role == Role::Messages { flat_chat(&text, 1) } else { flat(&text, 1) };
            let mut short: String = text.trim().chars().take(32).collect();
            if short.len() < text.trim().len() {
                short.push('…');
            }
            (!short.is_empty()).then_some(short)
        });
        match text {
            Some(text) => {
                out.push_str(&before[..at]);
                out.push_str(&format!("“{text}”"));
            }
            None => {
                out.push_str(before);
                out.push_str(&after[..digits]);
            }
        }
        rest = &after[digits..];
    }
    out.push_str(rest);
    out
}

/// A number with at most three digits that mean something.
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        let text = count(value.abs() as usize);
        return if value < 0.0 { format!("−{text}") } else { text };
    }
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.digits$}")
}

/// What the engine says, where it stands at the beginning of a line.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}

/// A share of a whole, in per cent.
pub fn percent(part: f64) -> String {
    let value = part * 100.0;
    if value >= 99.95 || value == 0.0 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}

/// The most letters of a cell that are laid out: more than any screen shows, and never a gigabyte.
const LONGEST: usize = 2_000;

/// A cell as it is shown in a row: line ends and tabs as marks, cut where nobody could read on.
pub fn flat(text: &str, lines: usize) -> Cow<'_, str> {
    let cut = cut(text, LONGEST.min(160 * lines.max(1) + 240));
    if lines > 1 || !cut.contains(['\n', '\r', '\t']) {
        return Cow::Borrowed(cut);
    }
    Cow::Owned(cut.replace("\r\n", "↵").replace(['\n', '\r'], "↵").replace('\t', "→"))
}

/// A piece of a text: what cannot be seen in it is shown, but blanks at its ends, which stand within the whole.
pub fn visible_within(piece: &str) -> String {
    let body = piece.trim_matches(' ');
    if body.is_empty() {
        return piece.to_owned();
    }
    let before = piece.len() - piece.trim_start_matches(' ').len();
    let behind = piece.trim_end_matches(' ').len();
    format!("{}{}{}", &piece[..before], visible(&piece[before..behind]), &piece[behind..])
}

/// A text as it is drawn, with marks for what nobody could see: control characters, those of no width and those that turn the direction of
/// writing by their code point, spaces at the ends and unusual ones as `␣`.
pub fn visible(text: &str) -> Cow<'_, str> {
    let unseen = |letter: char| {
        matches!(letter, '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
            && letter != '\r'
    };
    let wide =
        |letter: char| matches!(letter, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}');
    let edges = text.starts_with(' ') || text.ends_with(' ');
    if !edges && !text.chars().any(|letter| unseen(letter) || wide(letter)) {
        return Cow::Borrowed(text);
    }
    let begins = text.len() - text.trim_start_matches(' ').len();
    let ends = text.trim_end_matches(' ').len();
    let mut out = String::with_capacity(text.len() + 16);
    for (at, letter) in text.char_indices() {
        match letter {
            ' ' if at < begins || at >= ends => out.push('␣'),
            letter if wide(letter) => out.push('␣'),
            letter if unseen(letter) => out.push_str(&format!("‹U+{:04X}›", letter as u32)),
            letter => out.push(letter),
        }
    }
    Cow::Owned(out)
}

/// Whether a text is code, or another thing whose columns mean something (a log, a table, a diff): several lines, of which most are indented or end
/// as statements do, or a fence around them.
pub fn is_code(text: &str) -> bool {
    const LINES: usize = 200;
    let (mut lines, mut marked) = (0_usize, 0_usize);
    for line in cut(text, 16_384).lines().take(LINES) {
        let end = line.trim_end();
        if end.is_empty() {
            continue;
        }
        let start = end.trim_start();
        let indented = end.len() >= start.len() + 2;
        let statement = end.ends_with(['{', '}', ';', ')', ']', ':', '\\']) && end.contains(['(', '{', '}', '=', ';', '[']);
        let word = [
            "def ", "class ", "import ", "from ", "fn ", "let ", "const ", "var ", "return ", "#include", "public ", "if (",
            "for (",
        ];
        let opens =
            word.iter().any(|word| start.starts_with(word)) && end.contains(['(', '=', '{', ':', '<', '.', ';', '*', '_']);
        lines += 1;
        marked += usize::from(indented || statement || opens || start.starts_with("```"));
    }
    lines >= 2 && marked * 2 > lines
}

/// The first `most` bytes of a text, cut at a letter.
pub fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The turns of a chat: who, and what. Empty where the text is none.
pub fn turns(json: &str) -> Vec<(String, String)> {
    serde_json::from_str::<serde_json::Value>(json)
        .ok()
        .map(|value| match value {
            serde_json::Value::Array(turns) => turns,
            one => vec![one],
        })
        .unwrap_or_default()
        .iter()
        .filter_map(|turn| {
            let part = |names: [&str; 2]| {
                let value = names.iter().find_map(|name| turn.get(*name))?;
                Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
            };
            let said = part(["content", "value"]).filter(|said| said != "null").unwrap_or_default();
            // What a turn calls is what it says, where it says nothing else.
            let called: Vec<String> =
                turn.get("tool_calls").and_then(serde_json::Value::as_array).into_iter().flatten().filter_map(call).collect();
            let gap = if said.is_empty() || called.is_empty() { "" } else { "\n" };
            Some((part(["role", "from"])?, format!("{said}{gap}{}", called.join("\n"))))
        })
        .collect()
}

/// Calls of tools, a line each; empty where they are none.
pub fn calls(json: &str) -> String {
    let list: Vec<serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    list.iter().filter_map(call).collect::<Vec<_>>().join("\n")
}

/// A call of a tool in a line: `→ weather({"city": "Paris"})`.
fn call(call: &serde_json::Value) -> Option<String> {
    let function = call.get("function").unwrap_or(call);
    let arguments = function
        .get("arguments")
        .map_or_else(String::new, |given| given.as_str().map_or_else(|| given.to_string(), ToOwned::to_owned));
    Some(format!("→ {}({arguments})", function.get("name")?.as_str()?))
}

/// The longest chat that a row reads: a longer one is shown as it stands.
const LONGEST_CHAT: usize = 16_384;

/// A chat as it is shown in a row: `user: … · assistant: …`.
pub fn flat_chat(json: &str, lines: usize) -> Cow<'_, str> {
    let turns = if json.len() <= LONGEST_CHAT { turns(json) } else { Vec::new() };
    if turns.is_empty() {
        return flat(json, lines);
    }
    let said: Vec<String> = turns.iter().map(|(who, what)| format!("{who}: {}", flat(what, 1))).collect();
    Cow::Owned(flat(&said.join(if lines > 1 { "\n" } else { "  ·  " }), lines).into_owned())
}

/// The time since a moment, in words. Both in milliseconds since 1970.
pub fn ago(then: i64, now: i64) -> String {
    let seconds = (now - then).max(0) / 1_000;
    match seconds {
        0..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_turn_calls_is_what_it_says() {
        let json = r#"[{"role": "user", "content": "How is it?"}, {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "weather", "arguments": "{\"city\": 1}"}}]}, {"role": "assistant", "content": "Fine."}]"#;
        assert_eq!(flat_chat(json, 1), "user: How is it?  ·  assistant: → weather({\"city\": 1})  ·  assistant: Fine.");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(number(5.342), "5.34");
        assert_eq!(number(0.000_123_4), "0.000123");
        assert_eq!(number(-12.0), "−12");
        assert_eq!(percent(0.123_4), "12.3 %");
        assert_eq!(flat("a\n b\tc\r\n", 1), "a↵ b→c↵");
        assert_eq!(visible("as it is, 4 x 4 → é 👩‍👩‍👧 हिन्दी"), "as it is, 4 x 4 → é 👩‍👩‍👧 हिन्दी");
        assert_eq!(visible(" spam\u{200b} "), "␣spam‹U+200B›␣");
        assert_eq!(visible("a\u{202e}b\u{0}\u{a0}c\nd"), "a‹U+202E›b‹U+0000›␣c\nd");
        assert_eq!(cut("aé", 2), "a");
        assert!(is_code("def f(x):\n    return x + 1\n") && is_code("int main() {\n  return 0;\n}"));
        assert!(is_code("let a = 1;\nlet b = a;\nprint(b);"));
        assert!(!is_code("Dear all,\n\nthank you (again) for coming.\nBest regards,\nAnn") && !is_code("x = 1") && !is_code(""));
        assert!(!is_code("- milk\n- bread\n- butter"));
        let chat = r#"[{"role": "user", "content": "hi\nyou"}, {"from": "gpt", "value": "yes"}]"#;
        assert_eq!(flat_chat(chat, 1), "user: hi↵you  ·  gpt: yes");
        assert_eq!(flat_chat("[1, 2]", 1), "[1, 2]");
    }
}
