//! Tags of HTML in a text: known ones only, so that `a < b` and the types of a program are none.

use std::ops::Range;

use super::{Flaw, Seen};

/// The names of tags that stand in texts.
const TAGS: [&str; 62] = [
    "a",
    "abbr",
    "article",
    "aside",
    "b",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figure",
    "font",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "label",
    "li",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "script",
    "section",
    "select",
    "small",
    "span",
    "strong",
    "style",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "ul",
];
/// Tags that begin a line.
const LINES: [&str; 16] =
    ["br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "hr", "blockquote", "pre"];
/// The longest tag, in bytes.
const LONGEST: usize = 4_000;

/// The tag at the head of `text`, which begins with `<`: its name in small letters, and how long it is.
fn head(text: &str) -> Option<(String, usize)> {
    if let Some(rest) = text.strip_prefix("<!--") {
        return rest.find("-->").map(|at| ("!--".to_owned(), at + 7));
    }
    let rest = text[1..].strip_prefix('/').unwrap_or(&text[1..]);
    let named = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = rest[..named].to_ascii_lowercase();
    if TAGS.binary_search(&name.as_str()).is_err() {
        return None;
    }
    let begun = text.len() - rest.len() + named;
    let behind = &text.as_bytes()[begun..text.len().min(begun + LONGEST)];
    let end = behind.iter().position(|byte| matches!(byte, b'>' | b'<')).filter(|at| behind[*at] == b'>')?;
    // Behind the name stand attributes, or nothing.
    let attributes = &behind[..end];
    let sound = attributes.is_empty()
        || attributes == b"/"
        || attributes[0].is_ascii_whitespace()
            && (attributes.contains(&b'=') || attributes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'/'));
    sound.then_some((name, begun + end + 1))
}

fn places(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += text[at..].find('<')?;
            if let Some((name, long)) = head(&text[at..]) {
                let place = at..at + long;
                at += long;
                return Some((place, name));
            }
            at += 1;
        }
    })
}

/// Finds them.
pub fn find(text: &str, out: &mut Vec<Seen>) {
    out.extend(places(text).map(|(place, _)| (Flaw::Markup, place)));
}

/// The text without its tags: lines where tags begin lines, and neither scripts nor styles; `None` where there are none.
pub fn stripped(text: &str) -> Option<String> {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    let mut hidden: Option<String> = None;
    for (place, name) in places(text) {
        let closes = text[place.clone()].starts_with("</");
        match &hidden {
            Some(until) if closes && *until == name => hidden = None,
            Some(_) => {}
            None => {
                out.push_str(&text[from..place.start]);
                if matches!(name.as_str(), "script" | "style") && !closes {
                    hidden = Some(name);
                } else if LINES.contains(&name.as_str()) && !out.is_empty() && !out.ends_with('\n') {
                    out.push('\n');
                } else if matches!(name.as_str(), "td" | "th") && closes {
                    out.push(' ');
                }
            }
        }
        from = place.end;
    }
    if from == 0 {
        return None;
    }
    if hidden.is_none() {
        out.push_str(&text[from..]);
    }
    let kept = out.trim_end_matches('\n').len();
    if !text.ends_with('\n') {
        out.truncate(kept);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_lines_stay() {
        assert!(TAGS.is_sorted());
        assert_eq!(stripped("<p>One</p><p>two <b>three</b></p>").as_deref(), Some("One\ntwo three"));
        assert_eq!(stripped("a<br>b<br/>c<br />d").as_deref(), Some("a\nb\nc\nd"));
        assert_eq!(stripped("x<script>alert(1 < 2)</script>y <!-- no --> z").as_deref(), Some("xy  z"));
        assert_eq!(
            stripped("<a href=\"#\" title='x > y'>link</a>").as_deref(),
            Some(" y'>link"),
            "a sign within an attribute ends the tag, as it does for simple readers"
        );
        for text in ["a < b > c", "Vec<u8>", "<T>", "x<y", "<", "</", "<a", "if (a<b && c>d)", "<i am here>"] {
            assert_eq!(stripped(text), None, "{text}");
        }
    }
}
