//! Letters that nobody sees, blanks that nobody needs, and letters that were put together in another way than usual.

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Flaw, Seen};

fn is_control(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\r' | '\t') || letter == '\u{FFFD}'
}

/// Whether a letter has no width and no business: those that join letters of scripts which need it, and pictures, have.
fn is_invisible(letter: char) -> bool {
    matches!(u32::from(letter), 0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2064 | 0xFEFF | 0xFFF9..=0xFFFB | 0xE0001..=0xE007F)
}

fn joins(letter: char) -> bool {
    matches!(letter, '\u{200C}' | '\u{200D}' | '\u{200E}' | '\u{200F}')
}

/// Whether letters of a script, or pictures, may need to be joined or turned here.
fn may_be_joined(letter: Option<char>) -> bool {
    letter.is_some_and(|letter| {
        let code = u32::from(letter);
        (0x0590..=0x109F).contains(&code)
            || (0x1780..=0x18AF).contains(&code)
            || code >= 0x1F000
            || (0x2190..=0x2BFF).contains(&code)
            || code == 0xFE0F
    })
}

/// Control characters among the first 32, and 127.
pub fn controls(text: &str, out: &mut Vec<Seen>) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if (byte < 32 && !matches!(byte, b'\n' | b'\r' | b'\t') || byte == 127) && at >= from {
            out.push((Flaw::Control, at..at + 1));
            from = at + 1;
        }
    }
}

/// Hidden letters beyond ASCII.
pub fn beyond_ascii(text: &str, out: &mut Vec<Seen>) {
    let mut before = None;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if !letter.is_ascii() {
            let place = at..at + letter.len_utf8();
            if is_control(letter) {
                out.push((Flaw::Control, place));
            } else if is_invisible(letter) {
                let next = letters.peek().map(|(_, next)| *next);
                let needed = joins(letter) && (may_be_joined(before) || may_be_joined(next));
                // A flag's tags stand behind a black flag.
                let tag = u32::from(letter) >= 0xE0000 && may_be_joined(before);
                if !needed && !tag {
                    out.push((Flaw::Invisible, place));
                }
            }
        }
        before = Some(letter);
    }
}

/// Where letters are put together in another way than in NFC.
pub fn unnormalised(text: &str, out: &mut Vec<Seen>) {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return;
    }
    // Letter by letter, with the marks on it.
    let mut from = 0;
    let mut end = |from: usize, to: usize| {
        let cluster = &text[from..to];
        if !cluster.is_ascii() && !cluster.nfc().eq(cluster.chars()) {
            out.push((Flaw::Unnormalised, from..to));
        }
    };
    for (at, letter) in text.char_indices() {
        if at > from && !is_combining_mark(letter) {
            end(from, at);
            from = at;
        }
    }
    end(from, text.len());
}

/// Blanks at an end, and several in a row within a line; the indentation of a line is none.
pub fn blanks(text: &str, inner: bool, out: &mut Vec<Seen>) {
    let kept = text.trim();
    if kept.is_empty() {
        return;
    }
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    if start > 0 {
        out.push((Flaw::Blanks, 0..start));
    }
    if inner && !kept.contains('\n') {
        // In texts of several lines blanks in a row are layout.
        let mut run = 0..0;
        for (at, byte) in text.bytes().enumerate().take(end).skip(start) {
            if matches!(byte, b' ' | b'\t') {
                run = if run.end == at { run.start..at + 1 } else { at..at + 1 };
            } else if run.len() > 1 {
                out.push((Flaw::Blanks, run.clone()));
                run = 0..0;
            }
        }
    }
    if end < text.len() {
        out.push((Flaw::Blanks, end..text.len()));
    }
}

/// The text without letters that nobody sees; a vertical tab or a form feed leaves a blank.
pub fn without_hidden(text: &str) -> Option<String> {
    let mut seen = Vec::new();
    controls(text, &mut seen);
    beyond_ascii(text, &mut seen);
    // What could not be read when the text was made is lost: its mark stays to be seen.
    seen.retain(|(_, place)| &text[place.clone()] != "\u{FFFD}");
    if seen.is_empty() {
        return None;
    }
    seen.sort_by_key(|(_, place)| place.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (_, place) in seen {
        out.push_str(&text[from..place.start]);
        if matches!(&text[place.clone()], "\u{B}" | "\u{C}") {
            out.push(' ');
        }
        from = place.end;
    }
    Some(out + &text[from..])
}

/// The text without blanks at its ends, and with one between words of a line.
pub fn trimmed(text: &str) -> Option<String> {
    let mut seen = Vec::new();
    blanks(text, true, &mut seen);
    if seen.is_empty() {
        return None;
    }
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (_, place) in seen {
        out.push_str(&text[from..place.start]);
        if place.start > 0 && place.end < text.len() {
            out.push(' ');
        }
        from = place.end;
    }
    Some(out + &text[from..])
}

/// The text in NFC.
pub fn composed(text: &str) -> Option<String> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return None;
    }
    let new: String = text.nfc().collect();
    (new != text).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_goes_and_what_joins_stays() {
        assert_eq!(without_hidden("a\u{0}b\u{200B}c\u{C}d\u{FFFD}").as_deref(), Some("abc d\u{FFFD}"));
        assert_eq!(without_hidden("👩\u{200D}👧 می\u{200C}خواهم"), None);
        assert_eq!(without_hidden("a\u{200D}b").as_deref(), Some("ab"));
        assert_eq!(trimmed("\u{A0} a  b\tc \n").as_deref(), Some("a b\tc"));
        assert_eq!(trimmed("a  b\n  c"), None, "layout");
        assert_eq!(trimmed("   "), None);
        assert_eq!(composed("cafe\u{301}").as_deref(), Some("café"));
        assert_eq!(composed("café"), None);
    }
}
