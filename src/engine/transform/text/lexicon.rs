//! Synonyms: `WordNet`'s (Miller, 1995), as `examples/lexicon.rs` has taken them from its database, in the inflection of the word that they
//! stand for. Two words stand for each other where each is among the synonyms of the other's usual senses (`sorry` gives `bad`, and `bad` does
//! not give `sorry`), and where the one is not fifty times as rare as the other in `WordNet`'s corpora (`cup`, `cupful`). Which part of speech a
//! word is, is read off the word before it, and else is the one that the corpora tag two times in three; where none is, it stays as it is.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use crate::chance::Chance;

/// The lexicon that the program carries, packed.
const PACKED: &[u8] = include_bytes!("../../../../assets/wordnet/synonyms.zst");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    Noun,
    Verb,
    Adjective,
    Adverb,
}

/// How a word is inflected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Base,
    Plural,
    /// `-s` of a verb.
    Third,
    Past,
    Gerund,
}

struct Entry {
    count: u32,
    synonyms: Vec<&'static str>,
}

/// Words, their synonyms, and irregular forms.
pub struct Lexicon {
    /// By part of speech.
    entries: Words<[Option<Box<Entry>>; 4]>,
    /// Irregular forms to lemmas, and back.
    plurals: Words<&'static str>,
    verbs: Words<&'static str>,
    plural_of: Words<&'static str>,
    forms_of: Words<Vec<&'static str>>,
}

/// Endings, and what stands instead: of nouns and verbs alike, then of verbs alone.
type Rules = (&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str, Form)]);

/// Something by word.
pub(super) type Words<T> = HashMap<&'static str, T, BuildHasherDefault<WordHash>>;

/// A word's hash: nobody attacks a lexicon that is compiled in.
#[derive(Default)]
pub(super) struct WordHash(u64);

impl Hasher for WordHash {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }
    fn write_u8(&mut self, _: u8) {}
}

/// The built-in lexicon; unpacked at the first use, in some milliseconds.
pub fn built_in() -> &'static Lexicon {
    static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
        let text = zstd::decode_all(PACKED).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        // It lives as long as the program, and its words are borrowed from it.
        Lexicon::read(Box::leak(text.into_boxed_str()))
    });
    &LEXICON
}

const SPEECHES: [Speech; 4] = [Speech::Noun, Speech::Verb, Speech::Adjective, Speech::Adverb];

impl Lexicon {
    fn read(text: &'static str) -> Self {
        let mut lexicon = Self {
            entries: Words::default(),
            plurals: Words::default(),
            verbs: Words::default(),
            plural_of: Words::default(),
            forms_of: Words::default(),
        };
        for line in text.lines() {
            let parts: Vec<&'static str> = line.split('\t').collect();
            match parts.as_slice() {
                ["xn", form, lemma] => {
                    lexicon.plurals.insert(form, lemma);
                    lexicon.plural_of.entry(lemma).or_insert(form);
                }
                ["xv", form, lemma] => {
                    lexicon.verbs.insert(form, lemma);
                    lexicon.forms_of.entry(lemma).or_default().push(form);
                }
                [speech, lemma, count, synonyms] => {
                    let place = "nvar".find(speech).unwrap_or(0);
                    let synonyms = synonyms.split(',').filter(|word| !word.is_empty()).collect();
                    let entry = Entry { count: count.parse().unwrap_or(0), synonyms };
                    lexicon.entries.entry(lemma).or_default()[place.min(3)] = Some(Box::new(entry));
                }
                _ => {}
            }
        }
        lexicon.keep_mutual();
        lexicon
    }

    /// Leaves the synonyms that stand for a word as it does for them, and are no rarities beside it.
    fn keep_mutual(&mut self) {
        let stands = |lemma: &str, count: u32, speech: usize, synonym: &str| {
            let other = self.entries.get(synonym).and_then(|of| of[speech].as_deref());
            other.is_some_and(|other| other.synonyms.contains(&lemma) && other.count.saturating_mul(RARER) >= count)
        };
        let mut kept: Vec<(&'static str, usize, Vec<&'static str>)> = Vec::new();
        for (lemma, of) in &self.entries {
            for (speech, entry) in of.iter().enumerate() {
                if let Some(entry) = entry {
                    let mutual = |synonym: &&'static str| stands(lemma, entry.count, speech, synonym);
                    kept.push((lemma, speech, entry.synonyms.iter().copied().filter(mutual).collect()));
                }
            }
        }
        for (lemma, speech, synonyms) in kept {
            if let Some(entry) = self.entries.get_mut(lemma).and_then(|of| of[speech].as_mut()) {
                entry.synonyms = synonyms;
            }
        }
    }

    fn entry(&self, lemma: &str, speech: Speech) -> Option<&Entry> {
        self.entries.get(lemma)?[speech as usize].as_deref()
    }

    /// The lemmas that `word` may be a form of, with that form. Small letters.
    fn lemmas(&self, word: &str) -> Vec<(&'static str, Speech, Form)> {
        let mut found: Vec<(&'static str, Speech, Form)> = Vec::new();
        let mut add = |lemma: &str, speeches: &[Speech], form: [Form; 2]| {
            let Some((lemma, entries)) = self.entries.get_key_value(lemma) else { return };
            for (speech, form) in speeches.iter().zip(form.into_iter().cycle()) {
                let new =
                    entries[*speech as usize].is_some() && !found.iter().any(|(known, of, _)| known == lemma && of == speech);
                if new {
                    found.push((lemma, *speech, form));
                }
            }
        };
        add(word, &SPEECHES, [Form::Base; 2]);
        if let Some(lemma) = self.plurals.get(word) {
            add(lemma, &[Speech::Noun], [Form::Plural; 2]);
        }
        if let Some(lemma) = self.verbs.get(word) {
            let form = if word.ends_with("ing") {
                Form::Gerund
            } else if word.ends_with('s') && !lemma.ends_with('s') {
                Form::Third
            } else {
                Form::Past
            };
            add(lemma, &[Speech::Verb], [form; 2]);
        }
        // Morphy's rules of detachment (WordNet 3.0, morphy(7WN)).
        let both = [Speech::Noun, Speech::Verb];
        let (nouns, verbs): Rules = match word.as_bytes().last() {
            Some(b's') if !word.ends_with("ss") => (
                &[("ies", "y"), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("s", "")],
                &[("es", "e", Form::Third), ("es", "", Form::Third)],
            ),
            Some(b'd') => (&[], &[("ied", "y", Form::Past), ("ed", "e", Form::Past), ("ed", "", Form::Past)]),
            Some(b'g') => (&[], &[("ing", "e", Form::Gerund), ("ing", "", Form::Gerund)]),
            _ => (&[], &[]),
        };
        let mut lemma = String::with_capacity(word.len() + 1);
        let mut stemmed = |ending: &str, instead: &str, speeches: &[Speech], form: [Form; 2]| {
            if let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() > 1) {
                lemma.clear();
                lemma.push_str(stem);
                lemma.push_str(instead);
                add(&lemma, speeches, form);
            }
        };
        nouns.iter().for_each(|(ending, instead)| stemmed(ending, instead, &both, [Form::Plural, Form::Third]));
        verbs.iter().for_each(|(ending, instead, form)| stemmed(ending, instead, &both[1..], [*form; 2]));
        found
    }

    /// What a word becomes in a form; `None` where that is not sure.
    fn inflected(&self, lemma: &str, form: Form) -> Option<String> {
        let vowel = |letter: u8| matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u');
        let bytes = lemma.as_bytes();
        let [.., before, last] = bytes else { return None };
        let (before, last) = (*before, *last);
        let consonant_y = last == b'y' && !vowel(before);
        let hisses = lemma.ends_with('s')
            || lemma.ends_with('x')
            || lemma.ends_with('z')
            || lemma.ends_with("ch")
            || lemma.ends_with("sh");
        let with_s = || {
            if consonant_y {
                format!("{}ies", &lemma[..lemma.len() - 1])
            } else if hisses || TAKES_ES.contains(&lemma) {
                format!("{lemma}es")
            } else {
                format!("{lemma}s")
            }
        };
        let irregular = |ends: &str| -> Vec<&str> {
            let forms = self.forms_of.get(lemma).map_or(&[][..], Vec::as_slice);
            forms.iter().copied().filter(|form| form.ends_with("ing") == (ends == "ing") && !form.ends_with('s')).collect()
        };
        // One short vowel between consonants, in a word of one syllable: the last letter is doubled.
        let doubled = bytes.len() >= 3
            && !vowel(last)
            && !matches!(last, b'w' | b'x' | b'y')
            && vowel(before)
            && !vowel(bytes[bytes.len() - 3])
            && bytes.iter().filter(|letter| vowel(**letter)).count() == 1;
        let stem = if doubled { format!("{lemma}{}", char::from(last)) } else { lemma.to_owned() };
        match form {
            Form::Base => Some(lemma.to_owned()),
            Form::Plural => Some(self.plural_of.get(lemma).map_or_else(with_s, |form| (*form).to_owned())),
            Form::Third => Some(with_s()),
            Form::Gerund => Some(match irregular("ing").first() {
                Some(form) => (*form).to_owned(),
                None if last == b'e' && before != b'e' && !lemma.ends_with("ie") => {
                    format!("{}ing", &lemma[..lemma.len() - 1])
                }
                None if lemma.ends_with("ie") => format!("{}ying", &lemma[..lemma.len() - 2]),
                None => format!("{stem}ing"),
            }),
            Form::Past if SAME_PAST.contains(&lemma) => Some(lemma.to_owned()),
            // Past and participle may differ: where both stand, it is not known which is meant.
            Form::Past => match irregular("ed").as_slice() {
                [] if last == b'e' => Some(format!("{lemma}d")),
                [] if consonant_y => Some(format!("{}ied", &lemma[..lemma.len() - 1])),
                [] => Some(format!("{stem}ed")),
                [one] => Some((*one).to_owned()),
                _ => None,
            },
        }
    }

    /// What `word` is a form of where it stands, as far as that can be told: what the word before asks for, if that is among what the word
    /// usually is; else what it is two times in three.
    fn meant(&self, word: &str, before: Option<&str>) -> Option<(&'static str, Speech, Form)> {
        let lemmas = self.lemmas(word);
        let used = |(lemma, speech, _): &(&str, Speech, Form)| self.entry(lemma, *speech).map_or(0, |entry| entry.count);
        let total: u32 = lemmas.iter().map(used).sum();
        let wanted = before.map_or(&[][..], after);
        let fits = |found: &&(&str, Speech, Form)| wanted.contains(&found.1) && used(found) * SELDOM >= total;
        let sure = |found: &&(&str, Speech, Form)| used(found) * 3 >= total * 2;
        let mut likely: Vec<_> = lemmas.iter().filter(fits).collect();
        if likely.is_empty() {
            likely = lemmas.iter().filter(sure).collect();
        }
        likely.sort_by_key(|found| std::cmp::Reverse(used(found)));
        let (lemma, speech, form) = match likely.as_slice() {
            [only] => **only,
            [first, second, ..] if used(first) > used(second) => **first,
            _ => return None,
        };
        // `hit` is its own past: which of the two stands here is known behind `to` and the like alone.
        let unclear = speech == Speech::Verb && form == Form::Base && SAME_PAST.contains(&lemma);
        let infinitive = before.is_some_and(|before| INFINITIVE.contains(&before));
        (!unclear || infinitive).then_some((lemma, speech, form))
    }

    /// One of the synonyms of `word` (small letters) in its inflection, after the word `before` it; `None` where there are none. A user's
    /// own come first and alone.
    pub fn synonym(
        &self,
        word: &str,
        before: Option<&str>,
        own: &BTreeMap<String, Vec<String>>,
        chance: &mut Chance,
    ) -> Option<String> {
        if let Some(list) = own.get(word) {
            return chance.one_of(list).cloned();
        }
        let (lemma, speech, form) = self.meant(word, before)?;
        let synonyms = self.entry(lemma, speech)?.synonyms.as_slice();
        if synonyms.is_empty() {
            return None;
        }
        let first = chance.below(synonyms.len());
        // One whose form is not sure gives way to the next.
        let mut turned = synonyms[first..].iter().chain(&synonyms[..first]);
        turned.find_map(|synonym| self.inflected(synonym, form).filter(|synonym| synonym != word))
    }
}

/// Words in `-o` whose plural or third person has `-es`; all others have `-s`.
const TAKES_ES: [&str; 16] = [
    "potato", "tomato", "hero", "echo", "veto", "torpedo", "embargo", "cargo", "mosquito", "go", "do", "undergo", "forgo",
    "undo", "redo", "overdo",
];

/// A synonym that is this many times as rare as the word is none that people would write.
const RARER: u32 = 50;
/// A part of speech that a word is less than once in so many times is not believed, whatever stands before.
const SELDOM: u32 = 5;

/// Verbs whose past and participle are as they are.
const SAME_PAST: [&str; 26] = [
    "bet",
    "bid",
    "broadcast",
    "burst",
    "cast",
    "cost",
    "cut",
    "forecast",
    "hit",
    "hurt",
    "knit",
    "let",
    "put",
    "quit",
    "read",
    "reset",
    "rid",
    "set",
    "shed",
    "shut",
    "slit",
    "split",
    "spread",
    "thrust",
    "upset",
    "wed",
];

/// What a verb follows in its plain form.
const INFINITIVE: [&str; 22] = [
    "to",
    "will",
    "would",
    "can",
    "could",
    "should",
    "must",
    "may",
    "might",
    "do",
    "does",
    "did",
    "don't",
    "didn't",
    "doesn't",
    "can't",
    "won't",
    "couldn't",
    "wouldn't",
    "shouldn't",
    "please",
    "let's",
];

/// What usually follows a word.
fn after(before: &str) -> &'static [Speech] {
    match before {
        "i" | "we" | "you" | "they" | "he" | "she" | "it" | "who" | "not" => &[Speech::Verb],
        before if INFINITIVE.contains(&before) => &[Speech::Verb],
        "the" | "a" | "an" | "my" | "your" | "his" | "her" | "our" | "their" | "its" | "this" | "that" | "these" | "those"
        | "of" | "any" | "some" | "no" | "every" | "each" | "another" | "which" | "whose" => &[Speech::Noun, Speech::Adjective],
        "very" | "so" | "too" | "quite" | "more" | "most" | "really" => &[Speech::Adjective, Speech::Adverb],
        "is" | "are" | "was" | "were" | "be" | "been" | "am" | "i'm" | "it's" | "you're" | "we're" | "they're" | "isn't"
        | "aren't" | "wasn't" | "weren't" | "feel" | "seems" | "looks" => &[Speech::Adjective, Speech::Verb],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_come_in_the_inflection_of_the_word() {
        let lexicon = built_in();
        let none = BTreeMap::new();
        let of = |word: &str, before: Option<&str>| -> Vec<String> {
            (0..60).filter_map(|seed| lexicon.synonym(word, before, &none, &mut Chance::new(seed))).collect()
        };
        assert!(of("cars", Some("the")).contains(&"autos".to_owned()), "{:?}", of("cars", Some("the")));
        assert!(of("quickly", None).contains(&"rapidly".to_owned()));
        assert!(of("purchased", None).contains(&"bought".to_owned()), "{:?}", of("purchased", None));
        assert!(of("purchasing", None).contains(&"buying".to_owned()), "{:?}", of("purchasing", None));
        assert!(of("buys", None).contains(&"purchases".to_owned()), "{:?}", of("buys", None));
        // As a noun it has none; the rare verb's are not offered.
        assert!(of("fee", Some("a")).is_empty() && of("fee", None).is_empty());
        assert!(of("lapidary", None).is_empty() || !of("lapidary", None).contains(&"lapidary".to_owned()));
        // What nobody would write: another sense, another part of speech, a rarity, a form that there is not.
        assert!(of("sorry", Some("i'm")).is_empty(), "{:?}", of("sorry", Some("i'm")));
        assert!(of("cup", Some("the")).is_empty());
        assert_eq!(of("shut", Some("to"))[0], "close");
        assert!(of("shut", Some("he")).is_empty(), "present or past: not known");
        assert!(of("beginning", Some("is")).iter().all(|word| ["starting", "commencing"].contains(&word.as_str())));
        let own = BTreeMap::from([("refund".to_owned(), vec!["repayment".to_owned()])]);
        assert_eq!(lexicon.synonym("refund", None, &own, &mut Chance::new(1)).as_deref(), Some("repayment"));
    }

    #[test]
    fn forms_are_spelled_as_they_are() {
        let lexicon = built_in();
        for (lemma, form, wanted) in [
            ("stop", Form::Gerund, Some("stopping")),
            ("make", Form::Gerund, Some("making")),
            ("die", Form::Gerund, Some("dying")),
            ("see", Form::Gerund, Some("seeing")),
            ("stop", Form::Past, Some("stopped")),
            ("carry", Form::Past, Some("carried")),
            ("like", Form::Past, Some("liked")),
            ("play", Form::Past, Some("played")),
            ("buy", Form::Past, Some("bought")),
            // Ate or eaten: not known.
            ("eat", Form::Past, None),
            ("hit", Form::Past, Some("hit")),
            ("cut", Form::Gerund, Some("cutting")),
            ("box", Form::Plural, Some("boxes")),
            ("city", Form::Plural, Some("cities")),
            ("day", Form::Plural, Some("days")),
            ("child", Form::Plural, Some("children")),
            ("go", Form::Third, Some("goes")),
            ("watch", Form::Third, Some("watches")),
        ] {
            assert_eq!(lexicon.inflected(lemma, form).as_deref(), wanted, "{lemma} {form:?}");
        }
    }
}
