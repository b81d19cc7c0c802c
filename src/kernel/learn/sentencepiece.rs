//! A `SentencePiece` unigram model (Kudo 2018), read from its file: what T5 and Marian folders cut texts into pieces by.

use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::Precompiled;
use tokenizers::{Model, NormalizedString, Normalizer};

/// What stands for a space.
const SPACE: char = '▁';

/// A loaded model.
pub struct SentencePiece {
    unigram: Unigram,
    charsmap: Option<Precompiled>,
    pieces: Vec<String>,
    unknown: usize,
}

impl SentencePiece {
    /// Reads a `.spm` or `spiece.model` file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(file: &[u8]) -> Result<Self, String> {
        let (mut list, mut charsmap, mut unknown, mut bytes) = (Vec::new(), None, 0, false);
        for field in Fields(file) {
            match field? {
                // repeated SentencePiece pieces = 1
                (1, Value::Bytes(piece)) => {
                    let (mut text, mut score, mut kind) = (String::new(), 0.0_f32, 1);
                    for field in Fields(piece) {
                        match field? {
                            (1, Value::Bytes(letters)) => {
                                String::from_utf8(letters.to_vec()).map_err(|_| "a piece is no text")?.clone_into(&mut text);
                            }
                            (2, Value::Fixed32(bits)) => score = f32::from_bits(bits),
                            (3, Value::Varint(value)) => kind = value,
                            _ => {}
                        }
                    }
                    if kind == 2 {
                        unknown = list.len();
                    }
                    // A tree of pieces is as deep as the longest.
                    if text.len() > 1_024 {
                        return Err("it has a piece longer than any word".to_owned());
                    }
                    bytes |= kind == 6;
                    // What is no ordinary piece is never found in a text.
                    let findable = matches!(kind, 1 | 4 | 6);
                    list.push((text, f64::from(score), findable));
                }
                // NormalizerSpec normalizer_spec = 3, whose precompiled_charsmap = 2
                (3, Value::Bytes(spec)) => {
                    for field in Fields(spec) {
                        if let (2, Value::Bytes(map)) = field?
                            && !map.is_empty()
                        {
                            charsmap = Some(Precompiled::from(map).map_err(|error| format!("its table of characters: {error}"))?);
                        }
                    }
                }
                // TrainerSpec trainer_spec = 2, whose model_type = 3; 1 is unigram
                (2, Value::Bytes(spec)) => {
                    for field in Fields(spec) {
                        if let (3, Value::Varint(kind)) = field?
                            && kind != 1
                        {
                            return Err("it is no unigram model".to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        if list.is_empty() {
            return Err("it holds no pieces".to_owned());
        }
        let pieces: Vec<String> = list.iter().map(|(text, ..)| text.clone()).collect();
        let hidden = |at: usize| format!("\u{1}{at}");
        let vocabulary = list
            .into_iter()
            .enumerate()
            .map(|(at, (text, score, findable))| if findable { (text, score) } else { (hidden(at), score) })
            .collect();
        let unigram = Unigram::from(vocabulary, Some(unknown), bytes).map_err(|error| error.to_string())?;
        Ok(Self { unigram, charsmap, pieces, unknown })
    }

    /// The pieces of a text, by their numbers.
    pub fn encode(&self, text: &str) -> Vec<usize> {
        let mut plain = NormalizedString::from(text);
        // A table that cannot be applied leaves the text.
        let _ = self.charsmap.as_ref().map(|map| map.normalize(&mut plain));
        let words: Vec<&str> = plain.get().split([' ', SPACE]).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let line: String = words.iter().flat_map(|word| [SPACE.to_string(), (*word).to_owned()]).collect();
        self.unigram.tokenize(&line).unwrap_or_default().into_iter().map(|token| token.id as usize).collect()
    }

    /// The text of a piece.
    pub fn piece(&self, number: usize) -> &str {
        self.pieces.get(number).map_or("", String::as_str)
    }

    /// How many pieces there are.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there are none: never, once read.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The number of what is none of its pieces.
    pub fn unknown(&self) -> usize {
        self.unknown
    }
}

/// Pieces as a text again.
pub fn joined<'p>(pieces: impl IntoIterator<Item = &'p str>) -> String {
    let mut text: Vec<u8> = Vec::new();
    for piece in pieces {
        // A rare letter's bytes are a piece each: `<0xE4>`.
        let byte = piece.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>')).filter(|hex| hex.len() == 2);
        match byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => text.push(byte),
            None => text.extend(piece.as_bytes()),
        }
    }
    String::from_utf8_lossy(&text).replace(SPACE, " ").trim().to_owned()
}

/// A field's value in a protocol buffer.
enum Value<'b> {
    Varint(u64),
    Fixed32(u32),
    Bytes(&'b [u8]),
    Other,
}

/// The fields of a protocol buffer, in order.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn bytes(&mut self, n: u64) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(n).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    fn field(&mut self) -> Option<(u64, Value<'b>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.bytes(8).map(|_| Value::Other)?,
            2 => {
                let n = self.varint()?;
                Value::Bytes(self.bytes(n)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((tag >> 3, value))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Value<'b>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or_else(|| "it is torn, or no SentencePiece model".to_owned());
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_letters_come_as_bytes() {
        assert_eq!(joined(["▁n", "<0xC3>", "<0xA4>", "▁<0x>"]), "nä <0x>");
    }

    #[test]
    fn what_is_torn_is_said_to_be() {
        for bytes in [&b""[..], b"\x0a\xff", b"hello world", &[0xff; 40], b"\x0a\x02\x0a\x05", b"\x0b\x0b"] {
            assert!(SentencePiece::parse(bytes).is_err());
        }
    }
}
