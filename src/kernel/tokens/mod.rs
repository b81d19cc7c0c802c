//! Tokenizers as models' folders have them: `tokenizer.json`, byte-level BPE above all.
//!
//! Kitoken encodes several times faster than the reference, and is held against it when a tokenizer is opened: on texts made to differ. Where a token stands is summed from the
//! bytes of the tokens before it; where that does not come out, or a text is changed by being normalised, the reference says. The one that ships is held against it by a test,
//! and opens the reference only when it is asked.
//!
//! Tokenizers of the GPT-4 family, which is Qwen's and Llama 3's too, cut a text into pieces by hand ([`pieces`]); a piece that was met before is looked up.

mod cut;
mod pieces;
mod reference;
mod seen;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use kitoken::Kitoken;
use kitoken::convert::convert_tokenizers;
use unicode_normalization::{IsNormalized, is_nfc_quick};

use cut::{Cut, TokenizerForm};
use reference::LazyReference;

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
    reference: LazyReference,
    /// Bytes of each token, by id.
    bytes: HashMap<u32, u32>,
    /// Tokens that are control and no text.
    control: HashMap<u32, String>,
    /// Where they stand in a text, and their ids in the order of the patterns.
    control_places: Option<AhoCorasick>,
    control_ids: Vec<u32>,
    /// How texts are cut between added tokens, where that is known; told from other tokenizers by a number.
    cut: Option<Cut>,
    /// Whether texts are brought to Unicode's composed form.
    composes: bool,
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

/// Ids whose bytes are looked at: a file may name any.
const MOST_IDS: u32 = 1 << 21;

impl TextTokenizer {
    /// Reads one; `name` is for what is said of it.
    ///
    /// # Errors
    /// [`TokenizerError`].
    pub fn read(json: &[u8], name: &str) -> Result<Self, TokenizerError> {
        let reference = LazyReference::open(json).map_err(|why| TokenizerError { name: name.to_owned(), why })?;
        let control = reference.get_added_tokens_decoder().into_iter().filter(|(_, token)| token.special);
        let control = control.map(|(id, token)| (id, token.content)).collect();
        let mut own = Self::with(json, control);
        own.reference.keep(reference);
        if own.fast.is_some() && !own.is_like_the_reference() {
            own.fast = None;
            own.cut = None;
        }
        Ok(own)
    }

    /// One that is known to come out as the reference has it, and is not held against it once more.
    ///
    /// # Errors
    /// [`TokenizerError`].
    pub fn known(json: &[u8], name: &str) -> Result<Self, TokenizerError> {
        let Ok(form) = serde_json::from_slice::<TokenizerForm>(json) else { return Self::read(json, name) };
        let control = form.added_tokens.into_iter().filter(|token| token.special).map(|token| (token.id, token.content));
        let own = Self::with(json, control.collect());
        if own.fast.is_some() { Ok(own) } else { Self::read(json, name) }
    }

    fn with(json: &[u8], control: HashMap<u32, String>) -> Self {
        let read = serde_json::from_slice::<TokenizerForm>(json).ok();
        let composes = read.as_ref().is_some_and(|read| read.normalizer["type"] == "NFC");
        // Another normalisation would be made of the text between added tokens alone.
        let cut = read.as_ref().filter(|read| composes || read.normalizer.is_null()).and_then(Cut::of);
        let mut ids = 0;
        let fast = convert_tokenizers(json).ok().and_then(|mut definition| {
            // Nothing is put before or behind a text; and what is composed already, as nearly every text is, is not composed once more.
            definition.config.processing.clear();
            if composes {
                definition.config.normalization.clear();
            }
            let vocabulary = definition.model.vocab().iter().map(|token| token.id);
            ids =
                vocabulary.chain(definition.specials.iter().map(|token| token.id)).max().map_or(0, |last| last.saturating_add(1));
            Kitoken::from_definition(definition).ok()
        });
        let mut listed: Vec<(u32, &String)> = control.iter().map(|(id, token)| (*id, token)).collect();
        listed.sort_unstable();
        let control_ids = listed.iter().map(|(id, _)| *id).collect();
        let control_places =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(listed.iter().map(|(_, token)| token)).ok();
        let bytes = fast.iter().flat_map(|fast| (0..ids.min(MOST_IDS)).map(move |id| (id, fast.decode([id], true))));
        let bytes = bytes.filter_map(|(id, bytes)| Some((id, bytes.ok()?.len() as u32))).collect();
        Self { fast, reference: LazyReference::of(json), bytes, control, control_places, control_ids, cut, composes }
    }

    /// Whether the fast way says what the reference says, on texts made to differ.
    pub fn is_like_the_reference(&self) -> bool {
        let added: Vec<String> = self.control.values().map(|token| format!("a {token}b\n")).take(64).collect();
        PROBES.iter().copied().chain(added.iter().map(String::as_str)).all(|probe| {
            let theirs = self.by_reference(probe);
            self.encode(probe) == theirs && self.encode_again(probe, &mut HashMap::new()) == theirs
        })
    }

    /// Whether the fast way is taken.
    pub fn is_fast(&self) -> bool {
        self.fast.is_some()
    }

    /// The tokens of a text as the reference library has them: several times slower, to hold ours against.
    pub fn by_reference(&self, text: &str) -> Vec<u32> {
        let encoded = self.reference.get().and_then(|reference| reference.encode_fast(text, false).ok());
        encoded.map_or_else(Vec::new, |encoded| encoded.get_ids().to_vec())
    }

    /// The tokens of a text; nothing is put before or behind it. Control tokens that are written in it are control tokens.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let Some(fast) = &self.fast else { return self.by_reference(text) };
        let normalised = self.normalised(text);
        let encoded = match &self.cut {
            Some(cut) => cut.encode(&normalised, fast),
            None => fast.encode(&*normalised, true).ok(),
        };
        encoded.unwrap_or_else(|| self.by_reference(text))
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
        let Some(encoded) = self.reference.get().and_then(|reference| reference.encode(text, false).ok()) else {
            return Vec::new();
        };
        encoded
            .get_ids()
            .iter()
            .zip(encoded.get_offsets())
            .map(|(id, (from, to))| Placed { id: *id, place: *from..*to })
            .collect()
    }

    fn by_reference_decoded(&self, ids: &[u32]) -> String {
        self.reference.get().and_then(|reference| reference.decode(ids, false).ok()).unwrap_or_default()
    }

    /// The token with this text.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        let control = self.control.iter().find(|(_, own)| *own == token).map(|(id, _)| *id);
        control.or_else(|| self.reference.get()?.token_to_id(token))
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
            None => self.by_reference_decoded(ids),
        }
    }

    /// The bytes of a token: part of a letter, where it is.
    pub fn bytes_of(&self, id: u32) -> Vec<u8> {
        match self.fast.as_ref().and_then(|fast| fast.decode([id], true).ok()) {
            Some(bytes) => bytes,
            None => self.by_reference_decoded(&[id]).into_bytes(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chance::Chance;

    /// Bytes as byte-level BPE writes them.
    fn byte(byte: u8) -> char {
        let plain = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        let byte = u32::from(byte);
        let letter = if plain(byte) { byte } else { 256 + (0..byte).filter(|byte| !plain(*byte)).count() as u32 };
        char::from_u32(letter).unwrap()
    }

    /// Bytes, and merges that a text cut in the wrong place would show.
    fn tokenizer(digits: &str) -> TextTokenizer {
        let mut vocabulary: Vec<String> = (0..=255u8).map(|one| byte(one).to_string()).collect();
        let mut merges = Vec::new();
        for pair in
            ["th", "  ", "12", " 1", "s ", "\n\n", "\na", ".\n", " \n", "'s", "ll", " a", "a ", "\n ", "a1", "1a", ".a", "a."]
        {
            let [one, two] = pair.as_bytes() else { panic!() };
            merges.push(json!([byte(*one).to_string(), byte(*two).to_string()]));
            vocabulary.push(format!("{}{}", byte(*one), byte(*two)));
        }
        let ids: serde_json::Map<String, serde_json::Value> =
            vocabulary.into_iter().zip(0u32..).map(|(token, id)| (token, id.into())).collect();
        let added = |id: usize, content: &str, special: bool| {
            json!({
                "id": id, "content": content, "special": special, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            })
        };
        let expression = format!(
            "{}{digits}{}",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|", r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        );
        let json = json!({
            "version": "1.0", "truncation": null, "padding": null, "normalizer": { "type": "NFC" },
            "added_tokens": [added(ids.len(), "<|end|>", true), added(ids.len() + 1, "<tool>", false)],
            "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
                { "type": "Split", "pattern": { "Regex": expression }, "behavior": "Isolated", "invert": false },
                { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
            ]},
            "post_processor": null, "decoder": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
            "model": { "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": ids, "merges": merges },
        });
        TextTokenizer::read(json.to_string().as_bytes(), "a test").unwrap()
    }

    #[test]
    fn a_text_cut_by_hand_has_the_tokens_of_the_reference() {
        let some: Vec<char> =
            " \t\n\r\n  '’aastvrelmdLLſKé112٣५Ⅷ½你好ก็ำ\u{300}\u{20dd}_-{}();<|>👍🏽\u{200d}\u{a0}\u{2028}\u{85}\u{3000}"
                .chars()
                .collect();
        let parts = ["<|end|>", "<tool>", "'ll", "'RE", "\r\n", "  "];
        let mut chance = Chance::new(7);
        for digits in [r"\p{N}", r"\p{N}{1,3}"] {
            let tokenizer = tokenizer(digits);
            assert!(tokenizer.fast.is_some() && tokenizer.cut.is_some());
            for _ in 0..4_000 {
                let mut text = String::new();
                for _ in 0..chance.below(24) {
                    match chance.below(20) {
                        0 => text.push_str(parts[chance.below(parts.len())]),
                        1 => text.extend(char::from_u32(chance.below(0x11_0000) as u32)),
                        _ => text.push(some[chance.below(some.len())]),
                    }
                }
                let theirs = tokenizer.by_reference(&text);
                assert_eq!(tokenizer.encode(&text), theirs, "{text:?}");
                let placed = tokenizer.placed(&text);
                assert_eq!(placed.iter().map(|token| token.id).collect::<Vec<_>>(), theirs, "{text:?}");
            }
        }
    }

    #[test]
    fn a_tokenizer_of_another_form_is_not_cut_by_hand() {
        assert!(tokenizer(r"\p{N}{1,2}").cut.is_none());
    }
}
