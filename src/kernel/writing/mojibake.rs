//! UTF-8 that was read as Windows-1252 or Latin-1: sequences that would be one letter again if their bytes were read as UTF-8. They come once, twice, three times over.

use std::ops::Range;

use super::{Flaw, Seen};

/// The letters of Windows-1252 from 0x80 to 0x9F; 0 where there is none.
const WINDOWS: [u32; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0, 0x2018,
    0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
];

/// The byte that a letter was read from.
fn byte_of(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    match code {
        0x80..=0xFF => Some(code as u8),
        0x100.. => WINDOWS.iter().position(|known| *known == code).map(|at| 0x80 + at as u8),
        _ => None,
    }
}

/// The letter that begins at the head of `text` if it is read as it was written, how many bytes of `text` it takes, and whether that is sure by itself:
/// of Greek, Cyrillic and the like two letters in a row are wanted.
fn mended_head(text: &str) -> Option<(char, usize, bool)> {
    let mut letters = text.char_indices();
    let lead = byte_of(letters.next()?.1)?;
    let n = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [lead, 0, 0, 0];
    let mut end = 0;
    for byte in &mut bytes[1..n] {
        let (at, letter) = letters.next()?;
        *byte = byte_of(letter).filter(|byte| (0x80..=0xBF).contains(byte))?;
        end = at + letter.len_utf8();
    }
    let letter = std::str::from_utf8(&bytes[..n]).ok()?.chars().next()?;
    Some((letter, end, n > 2 || matches!(lead, 0xC2 | 0xC3)))
}

fn places(text: &str) -> impl Iterator<Item = (Range<usize>, char)> {
    let (mut at, mut last) = (0, usize::MAX);
    std::iter::from_fn(move || {
        while at < text.len() {
            // Every lead was read as a letter from U+00C2 to U+00F4, whose UTF-8 begins with 0xC3.
            at += text.as_bytes()[at..].iter().position(|byte| *byte == 0xC3)?;
            if let Some((letter, long, sure)) = mended_head(&text[at..]) {
                let place = at..at + long;
                // A capital with an accent before a mark of quotation (`ÉTÉ»`) is how people write.
                let shouted = text[..at].chars().next_back().is_some_and(char::is_uppercase) && last != at && place.len() <= 4;
                let goes_on = last == at || mended_head(&text[place.end..]).is_some();
                if !shouted && (sure || goes_on) {
                    at = place.end;
                    last = at;
                    return Some((place, letter));
                }
            }
            at += 2;
        }
        None
    })
}

/// Finds it.
pub fn find(text: &str, out: &mut Vec<Seen>) {
    out.extend(places(text).map(|(place, _)| (Flaw::Mojibake, place)));
}

/// The text as it was written; `None` where nothing was to be mended.
pub fn mended(text: &str) -> Option<String> {
    let mut text = once(text)?;
    for _ in 0..3 {
        match once(&text) {
            Some(again) => text = again,
            None => break,
        }
    }
    Some(text)
}

fn once(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut from = 0;
    for (place, letter) in places(text) {
        out.push_str(&text[from..place.start]);
        out.push(letter);
        from = place.end;
    }
    (from > 0).then(|| out + &text[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_wrongly_is_read_again() {
        let wrong = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    0x80..=0x9F => {
                        char::from_u32(WINDOWS[usize::from(byte - 0x80)]).filter(|c| *c != '\0').unwrap_or(char::from(byte))
                    }
                    _ => char::from(byte),
                })
                .collect()
        };
        for text in ["café", "doesn’t", "“quoted”", "10 € – 20 €", "naïve", "日本語", "😀 ok", "Ελλάδα", "Привет", "a\u{A0}b"]
        {
            assert_eq!(mended(&wrong(text)).as_deref(), Some(text), "{}", wrong(text));
            assert_eq!(mended(&wrong(&wrong(text))).as_deref(), Some(text), "twice: {text}");
            assert_eq!(mended(text), None, "{text}");
        }
        for text in ["«ÉTÉ»", "«MAÇÃ»", "À 5 °C", "Ñandú", "Ð", "naïve… Ï"] {
            assert_eq!(mended(text), None, "{text}");
        }
    }
}
