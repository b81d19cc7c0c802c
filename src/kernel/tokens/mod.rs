//! Tokenizers as models' folders have them: `tokenizer.json`, byte-level BPE above all.
//!
//! Kitoken encodes several times faster than the reference, and is held against it when a tokenizer is opened: on texts made to differ. Where a token stands is summed from the
//! bytes of the tokens before it; where that does not come out, or a text is changed by being normalised, the reference says.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use kitoken::Kitoken;
use kitoken::convert::convert_tokenizers;
use serde::Deserialize;
use tokenizers::Tokenizer as Reference;
use unicode_normalization::{IsNormalized, is_nfc_quick};

/// Why a tokenizer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is no tokenizer that can be read: {why}")]
pub struct TokenizerError {
    pub name: String,
    pub why: String,
}

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub id: u32,
    /// Its bytes in the text.
    pub place: Range<usize>,
}

/// A tokenizer.
pub struct TextTokenizer {
    fast: Option<Kitoken>,
    reference: Reference,
    /// Bytes of each token, by id.
    bytes: HashMap<u32, u32>,
    /// Tokens that are control and no text.
    control: HashMap<u32, String>,
    /// Where they stand in a text, and their ids in the order of the patterns.
    control_places: Option<AhoCorasick>,
    control_ids: Vec<u32>,
    /// Whether texts are brought to Unicode's composed form.
    composes: bool,
}

/// What of a tokenizer's file says how texts are normalised.
#[derive(Deserialize)]
struct Normalised {
    normalizer: serde_json::Value,
}

impl std::fmt::Debug for TextTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextTokenizer")
            .field("fast", &self.fast.is_some())
            .field("tokens", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Texts on which a fast tokenizer must say what the reference says.
const PROBES: [&str; 24] = [
    "",
    " ",
    "Hello, world!",
    "  two  blanks\tand tabs \n\n\nlines\r\n",
    "It's they'll we've I'M don't",
    "12345 3.14159 1,000,000 2026-11-29",
    "naïve café Ångström São Paulo ﬁ",
    "e\u{301} u\u{308} \u{1100}\u{1161}",
    "你好，世界！我的卡丢了怎么办",
    "こんにちは世界。ありがとう",
    "안녕하세요 세계",
    "مرحبا بالعالم",
    "नमस्ते दुनिया",
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽",
    "def f(x):\n    return {'a': [x, None]}  # done\n\tif (x != 0) { y += 1; }\n",
    "a\u{a0}b\u{2028}c\u{feff}d\u{200b}e",
    "<|im_start|>user\nHi<|im_end|>\n<|endoftext|></s><s>[INST] x [/INST]",
    "<think>\nx\n</think>\n\n",
    "{\"name\": \"add\", \"arguments\": {\"a\": 1, \"b\": [1.5, null]}}",
    "www.example.org/a?b=c&d=%20 me@example.org",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "_snake_case camelCase SCREAMING-kebab …—–“”‘’",
    "\u{1}\u{7f}\u{80}\u{e000}\u{10ffff}",
    "The end.\n",
];

impl TextTokenizer {
    /// Reads one; `name` is for what is said of it.
    ///
    /// # Errors
    /// [`TokenizerError`].
    pub fn read(json: &[u8], name: &str) -> Result<Self, TokenizerError> {
        let form = |why: String| TokenizerError { name: name.to_owned(), why };
        let mut reference = Reference::from_bytes(json).map_err(|error| form(error.to_string()))?;
        // A file may say to cut or to pad: neither is asked for here.
        reference.with_truncation(None).map_err(|error| form(error.to_string()))?;
        reference.with_padding(None);
        let composes = serde_json::from_slice::<Normalised>(json).is_ok_and(|json| json.normalizer["type"] == "NFC");
        let fast = convert_tokenizers(json).ok().and_then(|mut definition| {
            // Nothing is put before or behind a text; and what is composed already, as nearly every text is, is not composed once more.
            definition.config.processing.clear();
            if composes {
                definition.config.normalization.clear();
            }
            Kitoken::from_definition(definition).ok()
        });
        let control: HashMap<u32, String> = reference
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(id, token)| (id, token.content))
            .collect();
        let mut listed: Vec<(u32, &String)> = control.iter().map(|(id, token)| (*id, token)).collect();
        listed.sort_unstable();
        let control_ids = listed.iter().map(|(id, _)| *id).collect();
        let control_places =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(listed.iter().map(|(_, token)| token)).ok();
        let mut own = Self { fast, reference, bytes: HashMap::new(), control, control_places, control_ids, composes };
        if own.fast.is_some() {
            let added: Vec<String> = own.control.values().map(|token| format!("a {token}b\n")).take(64).collect();
            let again = |probe: &str| own.encode_again(probe, &mut HashMap::new()) == own.by_reference(probe);
            let same = PROBES.iter().copied().chain(added.iter().map(String::as_str)).all(again)
                && PROBES
                    .iter()
                    .copied()
                    .chain(added.iter().map(String::as_str))
                    .all(|probe| own.encode(probe) == own.by_reference(probe));
            if !same {
                own.fast = None;
            }
        }
        own.count_bytes();
        Ok(own)
    }

    fn count_bytes(&mut self) {
        let Some(fast) = &self.fast else { return };
        for id in 0..self.reference.get_vocab_size(true) as u32 + 1_024 {
            if let Ok(bytes) = fast.decode([id], true) {
                self.bytes.insert(id, bytes.len() as u32);
            }
        }
    }

    /// Whether the fast way is taken.
    pub fn is_fast(&self) -> bool {
        self.fast.is_some()
    }

    fn by_reference(&self, text: &str) -> Vec<u32> {
        self.reference.encode_fast(text, false).map(|encoded| encoded.get_ids().to_vec()).unwrap_or_default()
    }

    /// The tokens of a text; nothing is put before or behind it. Control tokens that are written in it are control tokens.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        match &self.fast {
            Some(fast) => fast.encode(&*self.normalised(text), true).unwrap_or_else(|_| self.by_reference(text)),
            None => self.by_reference(text),
        }
    }

    /// The same; parts between control tokens that were `seen` before are looked up. For texts that are mostly one another.
    pub fn encode_again(&self, text: &str, seen: &mut HashMap<String, Vec<u32>>) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut part = |part: &str, ids: &mut Vec<u32>| {
            if part.is_empty() {
                return;
            }
            match seen.get(part) {
                Some(known) => ids.extend_from_slice(known),
                None => {
                    let own = self.encode(part);
                    ids.extend_from_slice(&own);
                    seen.insert(part.to_owned(), own);
                }
            }
        };
        let mut from = 0;
        for found in self.control_places.iter().flat_map(|places| places.find_iter(text)) {
            part(&text[from..found.start()], &mut ids);
            ids.push(self.control_ids[found.pattern().as_usize()]);
            from = found.end();
        }
        part(&text[from..], &mut ids);
        ids
    }

    /// The tokens of a text, and where each stands.
    pub fn placed(&self, text: &str) -> Vec<Placed> {
        let as_it_is = !self.composes || is_nfc_quick(text.chars()) == IsNormalized::Yes;
        if as_it_is && self.fast.is_some() {
            let ids = self.encode(text);
            let mut at = 0usize;
            let list: Option<Vec<Placed>> = ids
                .iter()
                .map(|id| {
                    let end = at + *self.bytes.get(id)? as usize;
                    let place = at..end;
                    at = end;
                    Some(Placed { id: *id, place })
                })
                .collect();
            if let Some(list) = list.filter(|_| at == text.len()) {
                return list;
            }
        }
        let Ok(encoded) = self.reference.encode(text, false) else { return Vec::new() };
        encoded
            .get_ids()
            .iter()
            .zip(encoded.get_offsets())
            .map(|(id, (from, to))| Placed { id: *id, place: *from..*to })
            .collect()
    }

    /// The token with this text.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.reference.token_to_id(token)
    }

    /// Whether a token is control and no text.
    pub fn is_control(&self, id: u32) -> bool {
        self.control.contains_key(&id)
    }

    /// Whether control tokens are written in a text.
    pub fn has_control(&self, text: &str) -> bool {
        // They all have a bracket of some kind.
        text.contains(['<', '[', '{', '｜']) && self.control_places.as_ref().is_some_and(|places| places.is_match(text))
    }

    /// The text of some tokens, control tokens as they are written.
    pub fn decode(&self, ids: &[u32]) -> String {
        match self.fast.as_ref().and_then(|fast| fast.decode(ids, true).ok()) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => self.reference.decode(ids, false).unwrap_or_default(),
        }
    }

    /// The bytes of a token: part of a letter, where it is.
    pub fn bytes_of(&self, id: u32) -> Vec<u8> {
        match self.fast.as_ref().and_then(|fast| fast.decode([id], true).ok()) {
            Some(bytes) => bytes,
            None => self.reference.decode(&[id], false).unwrap_or_default().into_bytes(),
        }
    }

    /// A text as the tokenizer reads it.
    pub fn normalised<'t>(&self, text: &'t str) -> Cow<'t, str> {
        use unicode_normalization::UnicodeNormalization as _;
        if self.composes && is_nfc_quick(text.chars()) != IsNormalized::Yes {
            return Cow::Owned(text.nfc().collect());
        }
        Cow::Borrowed(text)
    }
}
