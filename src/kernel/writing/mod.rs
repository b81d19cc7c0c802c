//! How texts are written, and what is wrong with it: traces of other encodings and mark-up, letters that nobody sees, noise, what a machine says of itself, what is nobody's
//! business. Texts in, places out; pure, and one pass decides what is looked for at all.

mod entities;
mod hidden;
mod keys;
mod markup;
mod mojibake;
mod personal;
mod phrases;
mod repair;
mod shape;
mod tongue;

pub use entities::decoded_once as entities_decoded;
pub use repair::Repair;
pub use shape::{Counted, Limits};
pub use tongue::{Tongue, tongue_of};

use std::ops::Range;

/// Something wrong in how a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flaw {
    /// Letters that were read in another encoding than they were written in: `Ã©` for `é`.
    Mojibake,
    /// Tags of HTML.
    Markup,
    /// Entities of HTML: `&amp;`.
    Entities,
    /// Control characters, and the mark of what could not be read.
    Control,
    /// Letters without width: nobody sees them, and a tokenizer does.
    Invisible,
    /// Blanks at an end, or several in a row.
    Blanks,
    /// Letters put together in another way than usual: not in Unicode's form NFC.
    Unnormalised,
    /// The same words over and over.
    Repeated,
    /// Mostly signs and digits.
    Symbols,
    /// Keys at random.
    Gibberish,
    /// It ends in the middle.
    CutOff,
    /// Fewer words than somebody asked for.
    TooShort,
    /// More words than somebody asked for.
    TooLong,
    /// What a language model says of itself, or says no with.
    StockPhrase,
    /// Words that offend.
    Profanity,
    /// Addresses of mail.
    Email,
    /// Numbers of telephones.
    Phone,
    /// Numbers of bank accounts, whose check digits are right.
    Iban,
    /// Numbers of cards, whose check digit is right.
    Card,
    /// Addresses of machines.
    IpAddress,
    /// Keys and tokens that open something.
    Secret,
}

/// Where a flaw was found.
pub type Seen = (Flaw, Range<usize>);

impl Flaw {
    /// Every flaw: of letters, of words, of what is said.
    pub const ALL: [Self; 21] = [
        Self::Mojibake,
        Self::Markup,
        Self::Entities,
        Self::Control,
        Self::Invisible,
        Self::Blanks,
        Self::Unnormalised,
        Self::Repeated,
        Self::Symbols,
        Self::Gibberish,
        Self::CutOff,
        Self::TooShort,
        Self::TooLong,
        Self::StockPhrase,
        Self::Profanity,
        Self::Email,
        Self::Phone,
        Self::Iban,
        Self::Card,
        Self::IpAddress,
        Self::Secret,
    ];

    /// Whether it is about people and what is theirs.
    pub fn is_personal(self) -> bool {
        self >= Self::Email
    }

    /// What mends it without a loss, or takes it out.
    pub fn repair(self) -> Option<Repair> {
        Some(match self {
            Self::Mojibake => Repair::MendMojibake,
            Self::Markup => Repair::StripMarkup,
            Self::Entities => Repair::DecodeEntities,
            Self::Control | Self::Invisible => Repair::DropHidden,
            Self::Blanks => Repair::Trim,
            Self::Unnormalised => Repair::NormaliseUnicode,
            _ if self.is_personal() => Repair::MaskPersonal,
            _ => return None,
        })
    }
}

/// What of a text's bytes says that a flaw may be there.
#[derive(Default, Clone, Copy)]
struct Bytes {
    beyond_ascii: bool,
    control: bool,
    angle: bool,
    ampersand: bool,
    at: bool,
    digits: usize,
    signs: usize,
    letters: usize,
    blanks_in_a_row: bool,
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const SIGN: u8 = 4;
const CONTROL: u8 = 8;
const BEYOND: u8 = 16;
const BLANK: u8 = 32;
const NAMED: u8 = 64;

/// What each byte is.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b' ' | b'\t' | b'\n' | b'\r' => BLANK,
            b'<' | b'&' | b'@' => SIGN | NAMED,
            0..=31 | 127 => CONTROL,
            128..=255 => BEYOND,
            _ => SIGN,
        };
        byte += 1;
    }
    classes
};

impl Bytes {
    fn of(text: &str) -> Self {
        let mut all = 0;
        let (mut letters, mut digits, mut signs) = (0u32, 0u32, 0u32);
        let mut found = Self::default();
        for part in text.as_bytes().chunks(1 << 20) {
            for byte in part {
                let class = CLASSES[*byte as usize];
                all |= class;
                letters += u32::from(class & LETTER);
                digits += u32::from(class & DIGIT) >> 1;
                signs += u32::from(class & SIGN) >> 2;
            }
        }
        if all & NAMED != 0 {
            let has = |wanted: u8| memchr::memchr(wanted, text.as_bytes()).is_some();
            (found.angle, found.ampersand, found.at) = (has(b'<'), has(b'&'), has(b'@'));
        }
        (found.letters, found.digits, found.signs) = (letters as usize, digits as usize, signs as usize);
        found.beyond_ascii = all & BEYOND != 0;
        found.control = all & CONTROL != 0;
        found.blanks_in_a_row = text.contains("  ") || text.contains('\t');
        found
    }
}

/// What is wrong in how a text is written, each flaw's places in order; those that are told by comparison with others are not looked for here.
pub fn flaws_of(text: &str, limits: &Limits, out: &mut Vec<Seen>) {
    out.clear();
    let bytes = Bytes::of(text);
    if bytes.beyond_ascii {
        mojibake::find(text, out);
        hidden::beyond_ascii(text, out);
        hidden::unnormalised(text, out);
    }
    if bytes.control {
        hidden::controls(text, out);
    }
    if bytes.angle {
        markup::find(text, out);
    }
    if bytes.ampersand {
        entities::find(text, out);
    }
    hidden::blanks(text, bytes.blanks_in_a_row, out);
    shape::find(text, limits, (bytes.letters, bytes.digits, bytes.signs), out);
    let mut keys = Vec::new();
    phrases::find(text, out, &mut keys);
    personal::find(text, bytes.at, bytes.digits, &keys, out);
}

/// The places of one flaw, to be marked in the text.
pub fn places_of(flaw: Flaw, text: &str, limits: &Limits) -> Vec<Range<usize>> {
    let mut seen = Vec::new();
    flaws_of(text, limits, &mut seen);
    seen.into_iter().filter(|(of, _)| *of == flaw).map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Flaw, &str)> {
        let mut seen = Vec::new();
        flaws_of(text, &Limits::default(), &mut seen);
        seen.into_iter().map(|(flaw, place)| (flaw, &text[place])).collect()
    }

    #[test]
    fn each_flaw_is_found_where_it_stands() {
        assert_eq!(found("The cafÃ© doesnâ€™t open"), [(Flaw::Mojibake, "Ã©"), (Flaw::Mojibake, "â€™")]);
        assert_eq!(
            found("so <b>bold</b>, 3 < 4 and <br/> on"),
            [(Flaw::Markup, "<b>"), (Flaw::Markup, "</b>"), (Flaw::Markup, "<br/>")]
        );
        assert_eq!(found("fish &amp; chips &#8364; R&D; x&y"), [(Flaw::Entities, "&amp;"), (Flaw::Entities, "&#8364;")]);
        assert_eq!(found("a\u{7}b\u{FFFD}"), [(Flaw::Control, "\u{FFFD}"), (Flaw::Control, "\u{7}")]);
        assert_eq!(found("in\u{200B}visible\u{FEFF}"), [(Flaw::Invisible, "\u{200B}"), (Flaw::Invisible, "\u{FEFF}")]);
        assert_eq!(found(" two  blanks"), [(Flaw::Blanks, " "), (Flaw::Blanks, "  ")]);
        assert_eq!(found("cafe\u{301}"), [(Flaw::Unnormalised, "e\u{301}")]);
        assert_eq!(found("Write to ann.lee+x@mail.example.org today"), [(Flaw::Email, "ann.lee+x@mail.example.org")]);
        assert_eq!(
            found("Call +49 30 901820 or (212) 555-0147."),
            [(Flaw::Phone, "+49 30 901820"), (Flaw::Phone, "(212) 555-0147")]
        );
        assert_eq!(found("to DE89 3704 0044 0532 0130 00 please"), [(Flaw::Iban, "DE89 3704 0044 0532 0130 00")]);
        assert_eq!(found("card 4111 1111 1111 1111 declined"), [(Flaw::Card, "4111 1111 1111 1111")]);
        assert_eq!(
            found("from 192.168.10.7 and 2001:db8::ff00:42:8329"),
            [(Flaw::IpAddress, "192.168.10.7"), (Flaw::IpAddress, "2001:db8::ff00:42:8329")]
        );
        assert_eq!(found("use AKIAIOSFODNN7EXAMPLE now"), [(Flaw::Secret, "AKIAIOSFODNN7EXAMPLE")]);
        assert_eq!(found("As an AI language model, I cannot"), [(Flaw::StockPhrase, "As an AI language model")]);
        assert_eq!(found("sdfghjk qwrtzpl xcvbnmk")[0].0, Flaw::Gibberish);
        assert_eq!(found("no no no no no no no no no no")[0].0, Flaw::Repeated);
        assert_eq!(found("$$$$ #### !!!! %%%% &&&& ****")[0].0, Flaw::Symbols);
    }

    #[test]
    fn what_is_right_is_let_be() {
        for text in [
            "",
            "How do I activate my new card?",
            "Déjà vu: naïve café, Ångström, São Paulo, Ünlü — “quoted” … 5 °C · 3×4",
            "C'est à 10 % près",
            "1234567890 is no card, 4111 1111 1111 1112 neither",
            "Version 1.2.3.4000 of 2024-11-05 at 12:30:45, 300.400.500.600",
            "a & b; c < d > e; if x<y and y>z",
            "👩\u{200D}👩\u{200D}👧 family, नमस्ते, می\u{200C}خواهم",
            "Strengths rhythms schnapps",
            "ha ha, very very funny",
            "Ben@home is no address",
            "It costs $1,234.56 (net), that is 12 x 102.88",
            "Line one\n\nLine two",
            "你好，我的卡不见了。",
            "order 20241105-0042 of 1999-2001",
        ] {
            assert_eq!(found(text), [], "{text:?}");
        }
    }

    #[test]
    fn no_text_breaks_it_and_places_are_within() {
        let mut seen = Vec::new();
        for text in [
            "\u{0}",
            "&",
            "&#;",
            "<",
            "</",
            "@",
            "a@",
            "@b.c",
            "+",
            "é",
            "Ã",
            "â€",
            "\u{301}",
            "+1",
            "::",
            "1.1.1.",
            "<!--",
            "💥@💥.💥",
        ] {
            for long in [1, 7, 200] {
                let text = text.repeat(long);
                flaws_of(&text, &Limits::default(), &mut seen);
                assert!(seen.iter().all(|(_, place)| text.get(place.clone()).is_some()), "{text:?}");
            }
        }
    }
}
