//! Entities of HTML: those that texts have, and numbers.

use std::ops::Range;

use super::{Flaw, Seen};

/// Names, and the letters that they stand for.
const NAMES: [(&str, &str); 60] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{A0}"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("sbquo", "‚"),
    ("bdquo", "„"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("bull", "•"),
    ("middot", "·"),
    ("euro", "€"),
    ("pound", "£"),
    ("yen", "¥"),
    ("cent", "¢"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("deg", "°"),
    ("plusmn", "±"),
    ("times", "×"),
    ("divide", "÷"),
    ("frac12", "½"),
    ("frac14", "¼"),
    ("sect", "§"),
    ("para", "¶"),
    ("shy", "\u{AD}"),
    ("agrave", "à"),
    ("aacute", "á"),
    ("acirc", "â"),
    ("atilde", "ã"),
    ("auml", "ä"),
    ("ccedil", "ç"),
    ("egrave", "è"),
    ("eacute", "é"),
    ("ecirc", "ê"),
    ("euml", "ë"),
    ("iacute", "í"),
    ("ntilde", "ñ"),
    ("oacute", "ó"),
    ("ocirc", "ô"),
    ("ouml", "ö"),
    ("uacute", "ú"),
    ("ugrave", "ù"),
    ("uuml", "ü"),
    ("szlig", "ß"),
    ("Auml", "Ä"),
    ("Ouml", "Ö"),
    ("Uuml", "Ü"),
    ("Eacute", "É"),
    ("oslash", "ø"),
    ("aring", "å"),
];
/// The longest that an entity is, without its `&`.
const LONGEST: usize = 12;

/// The entity at the head of `text`, which begins with `&`: what it stands for, and how long it is.
fn head(text: &str) -> Option<(String, usize)> {
    let near = &text.as_bytes()[1..text.len().min(LONGEST + 2)];
    let name = text.get(1..=near.iter().position(|byte| *byte == b';')?)?;
    let long = name.len() + 2;
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        let letter = char::from_u32(code).filter(|letter| !letter.is_control() || *letter == '\n')?;
        return Some((letter.to_string(), long));
    }
    let (_, letter) = NAMES.iter().find(|(known, _)| *known == name)?;
    Some(((*letter).to_owned(), long))
}

fn places(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    text.match_indices('&').filter_map(|(at, _)| head(&text[at..]).map(|(letters, long)| (at..at + long, letters)))
}

/// Finds them.
pub fn find(text: &str, out: &mut Vec<Seen>) {
    out.extend(places(text).map(|(place, _)| (Flaw::Entities, place)));
}

/// The text with its letters in their stead, decoded once.
pub fn decoded_once(text: &str) -> std::borrow::Cow<'_, str> {
    let (mut out, mut from) = (String::new(), 0);
    for (place, letters) in places(text) {
        out.push_str(&text[from..place.start]);
        out.push_str(&letters);
        from = place.end;
    }
    if from == 0 { text.into() } else { (out + &text[from..]).into() }
}

/// The text with its letters in their stead; `None` where there are none. What was encoded twice is decoded twice: `&amp;amp;`.
pub fn decoded(text: &str) -> Option<String> {
    let once = |text: &str| match decoded_once(text) {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(text) => Some(text),
    };
    let mut text = once(text)?;
    while let Some(again) = once(&text) {
        text = again;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_become_letters() {
        assert_eq!(decoded("Tom &amp; Jerry&#39;s &lt;3 &#x20AC;5 &nbsp;").as_deref(), Some("Tom & Jerry's <3 €5 \u{A0}"));
        assert_eq!(decoded("&amp;amp;lt;").as_deref(), Some("<"));
        for text in ["a & b", "R&D;", "&", "&;", "&#;", "&#0;", "&unknown;", "&amp", "x&y=1;"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
