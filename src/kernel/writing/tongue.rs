//! Which language a text is in.

use std::cmp::Ordering;

/// A language, by its code (ISO 639-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tongue(whatlang::Lang);

impl Ord for Tongue {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl PartialOrd for Tongue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Of fewer letters nothing is said.
const LEAST: usize = 40;
/// The most that is read of a text, in bytes.
const MOST: usize = 600;

impl Tongue {
    /// Its name in English.
    pub fn name(self) -> &'static str {
        self.0.eng_name()
    }

    /// Its code of three letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }
}

/// The language of a text, and how surely, 0 to 1; `None` where it has too few letters.
pub fn tongue_of(text: &str) -> Option<(Tongue, f64)> {
    let text = &text[..text.floor_char_boundary(MOST.min(text.len()))];
    // Letters of scripts that say much in one count for several.
    let letters: usize =
        text.chars().filter(|letter| letter.is_alphabetic()).map(|letter| if u32::from(letter) >= 0x2E80 { 4 } else { 1 }).sum();
    if letters < LEAST {
        return None;
    }
    let found = whatlang::detect(text)?;
    Some((Tongue(found.lang()), found.confidence()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_where_there_is_enough_of_them() {
        let of = |text: &str| tongue_of(text).map(|(tongue, _)| tongue.code());
        assert_eq!(of("Where is my card? I ordered it two weeks ago and it has not arrived yet."), Some("eng"));
        assert_eq!(of("Wo bleibt meine Karte? Ich habe sie vor zwei Wochen bestellt, und sie ist noch nicht da."), Some("deu"));
        assert_eq!(of("我的卡还没有收到，已经等了两个星期了，请帮我查一下。"), Some("cmn"));
        assert_eq!(of("Too short"), None);
    }
}
