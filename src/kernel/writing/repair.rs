//! What can be mended in a text without asking: each repair says what it does, and leaves alone what has nothing of it.

use std::borrow::Cow;

use super::{entities, hidden, markup, mojibake, personal};

/// A repair of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repair {
    MendMojibake,
    DecodeEntities,
    StripMarkup,
    DropHidden,
    NormaliseUnicode,
    Trim,
    MaskPersonal,
}

impl Repair {
    /// Every repair, in the order in which several are done: what is read wrongly first.
    pub const ALL: [Self; 7] = [
        Self::MendMojibake,
        Self::DecodeEntities,
        Self::StripMarkup,
        Self::DropHidden,
        Self::NormaliseUnicode,
        Self::Trim,
        Self::MaskPersonal,
    ];

    /// Its name on the command line and in recipes.
    pub fn name(self) -> &'static str {
        match self {
            Self::MendMojibake => "mojibake",
            Self::DecodeEntities => "entities",
            Self::StripMarkup => "markup",
            Self::DropHidden => "hidden",
            Self::NormaliseUnicode => "unicode",
            Self::Trim => "blanks",
            Self::MaskPersonal => "personal_data",
        }
    }

    /// The repair of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|repair| repair.name() == name)
    }

    /// What it does, as an order.
    pub fn title(self) -> &'static str {
        match self {
            Self::MendMojibake => "Mend encoding",
            Self::DecodeEntities => "Decode entities",
            Self::StripMarkup => "Strip mark-up",
            Self::DropHidden => "Remove hidden letters",
            Self::NormaliseUnicode => "Normalise Unicode",
            Self::Trim => "Trim blanks",
            Self::MaskPersonal => "Mask personal data",
        }
    }

    /// What it does.
    pub fn help(self) -> &'static str {
        match self {
            Self::MendMojibake => "UTF-8 that was read as Windows-1252 is read again: cafÃ© becomes café",
            Self::DecodeEntities => "&amp; becomes &, &#39; becomes '",
            Self::StripMarkup => "tags of HTML go, and lines begin where they began one",
            Self::DropHidden => "control characters and letters without width go",
            Self::NormaliseUnicode => "letters and their accents become one letter (NFC)",
            Self::Trim => "blanks at the ends go, and several in a row become one; layout of several lines stays",
            Self::MaskPersonal => "addresses, telephones, accounts, cards and keys become [EMAIL], [PHONE] and so on",
        }
    }

    /// The text repaired; the same where it has nothing to be repaired.
    pub fn repaired(self, text: &str) -> Cow<'_, str> {
        let new = match self {
            Self::MendMojibake if !text.is_ascii() => mojibake::mended(text),
            Self::DecodeEntities if text.contains('&') => entities::decoded(text),
            Self::StripMarkup if text.contains('<') => markup::stripped(text),
            Self::DropHidden => hidden::without_hidden(text),
            Self::NormaliseUnicode => hidden::composed(text),
            Self::Trim => hidden::trimmed(text),
            Self::MaskPersonal => personal::masked(text),
            _ => None,
        };
        new.map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repaired_has_nothing_left_to_repair() {
        for repair in Repair::ALL {
            assert_eq!(Repair::from_name(repair.name()), Some(repair));
            for text in ["", "plain", "cafÃ© &amp;amp; <b>x</b>\u{200B} e\u{301}  y a@b.org", " \u{0}&lt;p&gt; ", "naïve — “ok”"]
            {
                let once = repair.repaired(text);
                assert_eq!(repair.repaired(&once), once, "{repair:?} {text:?}");
            }
        }
        assert!(matches!(Repair::Trim.repaired("as it is"), Cow::Borrowed(_)));
    }
}
