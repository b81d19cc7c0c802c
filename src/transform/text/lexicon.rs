//! Synonyms: WordNet's (Miller, 1995), as `examples/lexicon.rs` has taken them from its database, in the inflection of the word that they
//! stand for. Which part of speech a word is, is read off the word before it, and else is the one that WordNet's corpora tag most.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// The lexicon that the program carries, packed.
const PACKED: &[u8] = include_bytes!("../../../assets/wordnet/synonyms.zst");

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
    entries: [HashMap<&'static str, Entry>; 4],
    /// Irregular forms to lemmas, and back.
    plurals: HashMap<&'static str, &'static str>,
    verbs: HashMap<&'static str, &'static str>,
    plural_of: HashMap<&'static str, &'static str>,
    forms_of: HashMap<&'static str, Vec<&'static str>>,
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
            entries: std::array::from_fn(|_| HashMap::new()),
            plurals: HashMap::new(),
            verbs: HashMap::new(),
            plural_of: HashMap::new(),
            forms_of: HashMap::new(),
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
                    lexicon.entries[place.min(3)].insert(lemma, Entry { count: count.parse().unwrap_or(0), synonyms });
                }
                _ => {}
            }
        }
        lexicon
    }

    fn entry(&self, lemma: &str, speech: Speech) -> Option<&Entry> {
        self.entries[speech as usize].get(lemma)
    }

    /// The lemmas that `word` may be a form of, with that form. Small letters.
    fn lemmas(&self, word: &str) -> Vec<(String, Speech, Form)> {
        let mut found = Vec::new();
        let mut add = |lemma: &str, speech, form| {
            if self.entry(lemma, speech).is_some() && !found.iter().any(|(known, of, _)| known == lemma && *of == speech) {
                found.push((lemma.to_owned(), speech, form));
            }
        };
        for speech in SPEECHES {
            add(word, speech, Form::Base);
        }
        if let Some(lemma) = self.plurals.get(word) {
            add(lemma, Speech::Noun, Form::Plural);
        }
        if let Some(lemma) = self.verbs.get(word) {
            let form = if word.ends_with("ing") {
                Form::Gerund
            } else if word.ends_with('s') && !lemma.ends_with('s') {
                Form::Third
            } else {
                Form::Past
            };
            add(lemma, Speech::Verb, form);
        }
        // Morphy's rules of detachment (WordNet 3.0, morphy(7WN)).
        for (ending, instead) in
            [("ies", "y"), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("s", "")]
        {
            if let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() > 1 && !word.ends_with("ss")) {
                let lemma = format!("{stem}{instead}");
                add(&lemma, Speech::Noun, Form::Plural);
                add(&lemma, Speech::Verb, Form::Third);
            }
        }
        for (ending, instead, form) in
            [("ies", "y", Form::Third), ("es", "e", Form::Third), ("es", "", Form::Third), ("ied", "y", Form::Past)]
                .into_iter()
                .chain([("ed", "e", Form::Past), ("ed", "", Form::Past), ("ing", "e", Form::Gerund), ("ing", "", Form::Gerund)])
        {
            if let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() > 1) {
                add(&format!("{stem}{instead}"), Speech::Verb, form);
            }
        }
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

    /// The synonyms of `word` (small letters) in its inflection, after the word `before` it. A user's own come first and alone.
    pub fn synonyms(&self, word: &str, before: Option<&str>, own: &BTreeMap<String, Vec<String>>) -> Vec<String> {
        if let Some(list) = own.get(word) {
            return list.clone();
        }
        let lemmas = self.lemmas(word);
        let used = |(lemma, speech, _): &&(String, Speech, Form)| {
            (self.entry(lemma, *speech).map_or(0, |entry| entry.count), std::cmp::Reverse(*speech as u8))
        };
        let wanted = before.and_then(after);
        let fits = |found: &&(String, Speech, Form)| wanted.is_some_and(|speech| speech == found.1);
        let Some((lemma, speech, form)) = lemmas.iter().filter(fits).max_by_key(used).or_else(|| lemmas.iter().max_by_key(used))
        else {
            return Vec::new();
        };
        let synonyms = self.entry(lemma, *speech).map_or(&[][..], |entry| entry.synonyms.as_slice());
        synonyms.iter().filter_map(|synonym| self.inflected(synonym, *form)).filter(|synonym| synonym != word).collect()
    }
}

/// Words in `-o` whose plural or third person has `-es`; all others have `-s`.
const TAKES_ES: [&str; 16] = [
    "potato", "tomato", "hero", "echo", "veto", "torpedo", "embargo", "cargo", "mosquito", "go", "do", "undergo", "forgo",
    "undo", "redo", "overdo",
];

/// What usually follows a word.
fn after(before: &str) -> Option<Speech> {
    match before {
        "to" | "will" | "would" | "can" | "could" | "should" | "must" | "may" | "might" | "i" | "we" | "you" | "they"
        | "don't" | "didn't" | "doesn't" | "can't" | "won't" | "not" => Some(Speech::Verb),
        "the" | "a" | "an" | "my" | "your" | "his" | "her" | "our" | "their" | "this" | "that" | "these" | "those" | "of"
        | "any" | "some" | "no" | "every" | "each" => Some(Speech::Noun),
        "very" | "so" | "too" | "quite" | "more" | "most" => Some(Speech::Adjective),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_come_in_the_inflection_of_the_word() {
        let lexicon = built_in();
        let none = BTreeMap::new();
        let of = |word: &str, before: Option<&str>| lexicon.synonyms(word, before, &none);
        assert!(of("cars", Some("the")).contains(&"autos".to_owned()), "{:?}", of("cars", Some("the")));
        assert!(of("quickly", None).contains(&"rapidly".to_owned()));
        assert!(of("purchased", None).contains(&"bought".to_owned()), "{:?}", of("purchased", None));
        assert!(of("purchasing", None).contains(&"buying".to_owned()), "{:?}", of("purchasing", None));
        assert!(of("buys", None).contains(&"purchases".to_owned()), "{:?}", of("buys", None));
        // As a noun it has none; the rare verb's are not offered.
        assert!(of("fee", Some("a")).is_empty() && of("fee", None).is_empty());
        assert!(of("lapidary", None).is_empty() || !of("lapidary", None).contains(&"lapidary".to_owned()));
        let own = BTreeMap::from([("refund".to_owned(), vec!["repayment".to_owned()])]);
        assert_eq!(lexicon.synonyms("refund", None, &own), ["repayment"]);
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
