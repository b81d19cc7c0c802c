//! `WordPiece`: text to the tokens of an uncased BERT vocabulary, as the models of that family read it.
//!
//! The rules are those of BERT's tokenizer (Devlin et al., 2019; the code's `BasicTokenizer` and `WordpieceTokenizer`): control
//! characters go, white space parts words, each Chinese character and each punctuation mark is a word, case and accents go,
//! then each word is cut into the longest pieces that the vocabulary has. Tested against the reference library's answers.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// The longest word, in characters, that is cut into pieces; a longer one is unknown.
const LONGEST_WORD: usize = 100;

type Pieces = HashMap<Box<str>, u32, Xxh3DefaultBuilder>;

/// A vocabulary of word pieces.
pub struct WordPiece {
    /// Pieces that begin a word.
    first: Pieces,
    /// Pieces that go on, without their `##`.
    next: Pieces,
    unknown: u32,
    size: usize,
}

impl WordPiece {
    /// Reads a vocabulary: one piece a line, its number being the line's. `[UNK]` stands for what cannot be cut; without
    /// one it is piece 0.
    pub fn new<'v>(pieces: impl Iterator<Item = &'v str>) -> Self {
        let mut vocabulary = Self { first: Pieces::default(), next: Pieces::default(), unknown: 0, size: 0 };
        for (number, piece) in pieces.enumerate() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            if piece == "[UNK]" {
                vocabulary.unknown = number;
            }
            match piece.strip_prefix("##") {
                Some(rest) => vocabulary.next.insert(rest.into(), number),
                None => vocabulary.first.insert(piece.into(), number),
            };
            vocabulary.size += 1;
        }
        vocabulary
    }

    /// How many pieces there are.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.size
    }

    /// The number that stands for what is not in the vocabulary.
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Appends the tokens of `text`; special tokens are not added. `reader` keeps words met before.
    pub fn tokens(&self, reader: &mut Reader, text: &str, out: &mut Vec<u32>) {
        let mut word = std::mem::take(&mut reader.word);
        word.clear();
        for letter in text.chars() {
            if letter.is_ascii() {
                let byte = letter as u8;
                if byte.is_ascii_alphanumeric() {
                    word.push(byte.to_ascii_lowercase() as char);
                } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                    self.end(reader, &mut word, out);
                } else if byte.is_ascii_punctuation() {
                    self.end(reader, &mut word, out);
                    word.push(letter);
                    self.end(reader, &mut word, out);
                }
                // What is left of ASCII is control characters: they go without parting the word.
                continue;
            }
            if letter.is_whitespace() {
                self.end(reader, &mut word, out);
            } else if letter == '\u{fffd}' || is_control(letter) {
            } else if is_chinese(letter) || is_punctuation(letter) {
                self.end(reader, &mut word, out);
                word.push(letter);
                self.end(reader, &mut word, out);
            } else {
                for plain in std::iter::once(letter).nfd().filter(|mark| !is_mark(*mark)) {
                    word.extend(plain.to_lowercase());
                }
            }
        }
        self.end(reader, &mut word, out);
        reader.word = word;
    }

    fn end(&self, reader: &mut Reader, word: &mut String, out: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        if let Some(number) = self.first.get(word.as_str()) {
            out.push(*number);
        } else if let Some((from, n)) = reader.known.get(word.as_str()) {
            out.extend_from_slice(&reader.pieces[*from as usize..(*from + *n) as usize]);
        } else {
            let start = out.len();
            self.cut(word, out);
            // Remembered words are bounded: a text of nothing but new words must not fill the memory.
            if reader.pieces.len() < Reader::MOST && word.len() <= LONGEST_WORD {
                let from = reader.pieces.len() as u32;
                reader.pieces.extend_from_slice(&out[start..]);
                reader.known.insert(word.as_str().into(), (from, (out.len() - start) as u32));
            }
        }
        word.clear();
    }

    fn cut(&self, word: &str, out: &mut Vec<u32>) {
        let start = out.len();
        if word.chars().count() > LONGEST_WORD {
            out.push(self.unknown);
            return;
        }
        let mut rest = word;
        while !rest.is_empty() {
            let pieces = if rest.len() == word.len() { &self.first } else { &self.next };
            let longest = rest
                .char_indices()
                .map(|(at, letter)| at + letter.len_utf8())
                .rev()
                .find_map(|end| pieces.get(&rest[..end]).map(|number| (*number, end)));
            let Some((number, end)) = longest else {
                out.truncate(start);
                out.push(self.unknown);
                return;
            };
            out.push(number);
            rest = &rest[end..];
        }
    }
}

/// What one reader keeps between texts: words met before, and room for the next.
#[derive(Default)]
pub struct Reader {
    word: String,
    known: HashMap<Box<str>, (u32, u32), Xxh3DefaultBuilder>,
    pieces: Vec<u32>,
}

impl Reader {
    /// The most pieces remembered.
    const MOST: usize = 1 << 18;
}

fn is_control(letter: char) -> bool {
    // Categories Cc and Cf, as far as text has them.
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}')
}

/// Category Mn: what combines without a width of its own. Spacing marks (Mc) stay.
fn is_mark(letter: char) -> bool {
    // Enclosing marks (Me) stay too.
    let encloses = matches!(letter, '\u{488}' | '\u{489}' | '\u{1abe}' | '\u{20dd}'..='\u{20e0}' | '\u{20e2}'..='\u{20e4}' | '\u{a670}'..='\u{a672}');
    is_combining_mark(letter) && !is_spacing_mark(letter) && !encloses
}

fn is_spacing_mark(letter: char) -> bool {
    matches!(letter, '\u{903}' | '\u{93b}' | '\u{93e}'..='\u{940}' | '\u{949}'..='\u{94c}' | '\u{94e}' | '\u{94f}'
        | '\u{982}' | '\u{983}' | '\u{9be}'..='\u{9c0}' | '\u{9c7}' | '\u{9c8}' | '\u{9cb}' | '\u{9cc}' | '\u{9d7}'
        | '\u{a03}' | '\u{a3e}'..='\u{a40}' | '\u{a83}' | '\u{abe}'..='\u{ac0}' | '\u{ac9}' | '\u{acb}' | '\u{acc}'
        | '\u{b02}' | '\u{b03}' | '\u{b3e}' | '\u{b40}' | '\u{b47}' | '\u{b48}' | '\u{b4b}' | '\u{b4c}' | '\u{b57}'
        | '\u{bbe}' | '\u{bbf}' | '\u{bc1}' | '\u{bc2}' | '\u{bc6}'..='\u{bc8}' | '\u{bca}'..='\u{bcc}' | '\u{bd7}'
        | '\u{c01}'..='\u{c03}' | '\u{c41}'..='\u{c44}' | '\u{c82}' | '\u{c83}' | '\u{cbe}' | '\u{cc0}'..='\u{cc4}'
        | '\u{d02}' | '\u{d03}' | '\u{d3e}'..='\u{d40}' | '\u{d46}'..='\u{d48}' | '\u{d4a}'..='\u{d4c}' | '\u{d57}'
        | '\u{f3e}' | '\u{f3f}' | '\u{f7f}' | '\u{102b}' | '\u{102c}' | '\u{1031}' | '\u{1038}' | '\u{103b}' | '\u{103c}')
}

fn is_chinese(letter: char) -> bool {
    matches!(letter as u32, 0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F
        | 0x2B740..=0x2B81F | 0x2B820..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

/// Category P outside ASCII, by blocks: exact for Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Thai and East Asian text.
fn is_punctuation(letter: char) -> bool {
    matches!(letter, '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}' | '\u{37e}' | '\u{387}'
        | '\u{55a}'..='\u{55f}' | '\u{589}' | '\u{58a}' | '\u{5be}' | '\u{5c0}' | '\u{5c3}' | '\u{5c6}' | '\u{5f3}' | '\u{5f4}'
        | '\u{609}' | '\u{60a}' | '\u{60c}' | '\u{60d}' | '\u{61b}' | '\u{61e}' | '\u{61f}' | '\u{66a}'..='\u{66d}' | '\u{6d4}'
        | '\u{700}'..='\u{70d}' | '\u{964}' | '\u{965}' | '\u{970}' | '\u{e4f}' | '\u{e5a}' | '\u{e5b}' | '\u{f04}'..='\u{f12}' | '\u{f14}' | '\u{f3a}'..='\u{f3d}' | '\u{f85}' | '\u{169b}' | '\u{169c}' | '\u{10fb}'
        | '\u{1361}'..='\u{1368}' | '\u{166e}' | '\u{17d4}'..='\u{17d6}' | '\u{17d8}'..='\u{17da}'
        | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{2043}' | '\u{2045}'..='\u{2051}' | '\u{2053}'..='\u{205e}'
        | '\u{207d}' | '\u{207e}' | '\u{208d}' | '\u{208e}' | '\u{2308}'..='\u{230b}' | '\u{2329}' | '\u{232a}'
        | '\u{2768}'..='\u{2775}' | '\u{27c5}' | '\u{27c6}' | '\u{27e6}'..='\u{27ef}' | '\u{2983}'..='\u{2998}'
        | '\u{29d8}'..='\u{29db}' | '\u{29fc}' | '\u{29fd}' | '\u{2cf9}'..='\u{2cfc}' | '\u{2cfe}' | '\u{2cff}'
        | '\u{2e00}'..='\u{2e2e}' | '\u{2e30}'..='\u{2e4f}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
        | '\u{3014}'..='\u{301f}' | '\u{3030}' | '\u{303d}' | '\u{30a0}' | '\u{30fb}' | '\u{fe10}'..='\u{fe19}'
        | '\u{fe30}'..='\u{fe52}' | '\u{fe54}'..='\u{fe61}' | '\u{fe63}' | '\u{fe68}' | '\u{fe6a}' | '\u{fe6b}'
        | '\u{ff01}'..='\u{ff03}' | '\u{ff05}'..='\u{ff0a}' | '\u{ff0c}'..='\u{ff0f}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}'
        | '\u{ff20}' | '\u{ff3b}'..='\u{ff3d}' | '\u{ff3f}' | '\u{ff5b}' | '\u{ff5d}' | '\u{ff5f}'..='\u{ff65}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<u32> {
        let list = ["[PAD]", "[UNK]", "un", "##aff", "##able", "hello", "world", "!", "中", "a", "##b", "e", "?", "$"];
        let vocabulary = WordPiece::new(list.into_iter());
        let mut out = Vec::new();
        let mut reader = Reader::default();
        vocabulary.tokens(&mut reader, text, &mut out);
        let mut again = Vec::new();
        vocabulary.tokens(&mut reader, text, &mut again);
        assert_eq!(out, again, "a word met before is cut alike");
        out
    }

    #[test]
    fn words_are_cut_as_bert_cuts_them() {
        assert_eq!(pieces("Hello, WORLD!"), [5, 1, 6, 7]);
        assert_eq!(pieces("unaffable  unaffablex\tab"), [2, 3, 4, 1, 9, 10]);
        assert_eq!(pieces("中中é?$"), [8, 8, 11, 12, 13]);
        assert_eq!(pieces("hel\u{0}lo hel\u{200b}lo"), [5, 5]);
        assert_eq!(pieces(""), [0u32; 0]);
        assert_eq!(pieces(&"a".repeat(101)), [1]);
    }

    /// The vocabulary of the built-in embedding, in the reference library.
    fn reference() -> (WordPiece, tokenizers::Tokenizer) {
        let pieces = crate::learn::embedding::built_in_pieces();
        let vocabulary = WordPiece::new(pieces.iter().map(String::as_str));
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, pieces.join("\n").as_bytes()).unwrap();
        let model = tokenizers::models::wordpiece::WordPiece::builder()
            .files(file.path().display().to_string())
            .unk_token("[UNK]".into())
            .build()
            .unwrap();
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_normalizer(Some(tokenizers::normalizers::BertNormalizer::default())).unwrap();
        tokenizer.with_pre_tokenizer(Some(tokenizers::pre_tokenizers::bert::BertPreTokenizer));
        (vocabulary, tokenizer)
    }

    #[test]
    fn tokens_are_those_of_the_reference_library() {
        let (vocabulary, tokenizer) = reference();
        let mut texts: Vec<String> =
            include_str!("../../../assets/samples/banking77.csv").lines().take(2_000).map(str::to_owned).collect();
        texts.extend(
            [
                "Straße café naïve Ångström",
                "Привет, мир! Ёлка",
                "日本語とEnglishの混在テキスト",
                "한국어 텍스트",
                "مرحبا بالعالم؟",
                "שלום",
                "हिन्दी में।",
                "ไทย",
                "👩‍👩‍👧‍👦 emoji ✈️",
                "a\u{300}b\u{200d}c\u{ad}d",
                "¿Qué? ¡No! «oui» “quoted” – dash — em…",
                "x²+y₂ ½ №5 ™",
                "\t\r\n mixed\u{a0}space",
            ]
            .map(str::to_owned),
        );
        let naughty = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bad/naughty_strings/blns.txt");
        match std::fs::read_to_string(&naughty) {
            Ok(text) => texts.extend(text.lines().map(str::to_owned)),
            Err(_) => assert!(!naughty.exists(), "the list of naughty strings is there and cannot be read"),
        }
        let mut reader = Reader::default();
        let mut wrong = Vec::new();
        for text in &texts {
            let mut ours = Vec::new();
            vocabulary.tokens(&mut reader, text, &mut ours);
            let theirs = tokenizer.encode(text.as_str(), false).unwrap();
            if ours != theirs.get_ids() {
                wrong.push(format!("{text:?}: {ours:?}, not {:?}", theirs.get_ids()));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} of {} texts differ:\n{}",
            wrong.len(),
            texts.len(),
            wrong[..wrong.len().min(30)].join("\n")
        );
    }
}
