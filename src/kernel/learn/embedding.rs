//! The built-in text embedding: a table of token vectors, summed over a text and scaled to length 1.
//!
//! A static embedding in the manner of `Model2Vec` (Tulkens and van Dongen, 2024), distilled from all-MiniLM-L6-v2 by
//! `examples/distil.rs`: each token of the vocabulary went through the model alone, the vectors were reduced by principal
//! components, weighed by how rare the token is, and rounded to bytes. Deterministic; nothing is fetched.

use std::sync::LazyLock;

use rayon::prelude::*;

use super::dense::{Dense, normalise, vectorised};
use super::wordpiece::{Reader, WordPiece};
use crate::job::{Cancelled, Progress};

/// The table that the program carries, packed.
const PACKED: &[u8] = include_bytes!("../../../assets/embedding/minilm-static.zst");

/// What the file begins with.
pub const MAGIC: &[u8; 8] = b"LAPEMB01";

/// A static embedding.
pub struct Embedding {
    vocabulary: WordPiece,
    dims: usize,
    /// The size of one step of each token's bytes.
    scales: Vec<f32>,
    /// `tokens × dims`.
    table: Vec<i8>,
}

/// The built-in embedding; unpacked at the first use, in some milliseconds.
pub fn built_in() -> &'static Embedding {
    static TABLE: LazyLock<Embedding> = LazyLock::new(|| {
        let bytes = zstd::decode_all(PACKED).unwrap_or_default();
        Embedding::read(&bytes).unwrap_or_else(|| Embedding {
            vocabulary: WordPiece::new(std::iter::empty()),
            dims: 1,
            scales: Vec::new(),
            table: Vec::new(),
        })
    });
    &TABLE
}

/// The most bytes of one text that are read: enough for any label, and a bound on what one row can cost.
const LONGEST: usize = 1 << 16;
/// How many texts one piece of work has.
const CHUNK: usize = 256;

impl Embedding {
    /// Reads a table: [`MAGIC`], `u32` dims, `u32` tokens, `u32` bytes of vocabulary (little-endian), the vocabulary one piece a line,
    /// an `f32` scale per token, then `tokens × dims` signed bytes. `None` where that does not fit.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let number =
            |at: usize| rest.get(at * 4..at * 4 + 4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let (dims, tokens, words) = (number(0)? as usize, number(1)? as usize, number(2)? as usize);
        let rest = &rest[12..];
        let (vocabulary, rest) = rest.split_at_checked(words)?;
        let (scales, table) = rest.split_at_checked(tokens * 4)?;
        let vocabulary = WordPiece::new(std::str::from_utf8(vocabulary).ok()?.lines());
        (vocabulary.len() == tokens && table.len() == tokens * dims && dims > 0).then(|| Self {
            vocabulary,
            dims,
            scales: scales.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
            table: table.iter().map(|byte| byte.cast_signed()).collect(),
        })
    }

    /// How many numbers a text becomes.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Embeds one text into `out` (`dims` numbers): length 1, or zeros for a text without known tokens.
    pub fn embed(&self, reader: &mut EmbedReader, text: &str, out: &mut [f32]) {
        out.fill(0.0);
        reader.tokens.clear();
        let end = text.floor_char_boundary(LONGEST);
        self.vocabulary.tokens(&mut reader.words, &text[..end], &mut reader.tokens);
        let unknown = self.vocabulary.unknown();
        vectorised(
            #[inline(always)]
            || {
                for token in reader.tokens.iter().filter(|token| **token != unknown) {
                    let token = *token as usize;
                    let scale = self.scales[token];
                    for (sum, value) in out.iter_mut().zip(&self.table[token * self.dims..(token + 1) * self.dims]) {
                        *sum += scale * f32::from(*value);
                    }
                }
            },
        );
        normalise(out);
    }

    /// Embeds many texts; `text(row)` gives each. Rows in order, whatever the number of threads.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn embed_all<'t>(
        &self,
        rows: usize,
        text: impl Fn(usize) -> std::borrow::Cow<'t, str> + Sync,
        progress: &Progress,
    ) -> Result<Dense, Cancelled> {
        let mut dense = Dense::zeros(rows, self.dims);
        dense.data.par_chunks_mut(CHUNK * self.dims).enumerate().try_for_each_init(
            EmbedReader::default,
            |reader, (chunk, part)| {
                for (at, out) in part.chunks_mut(self.dims).enumerate() {
                    self.embed(reader, &text(chunk * CHUNK + at), out);
                }
                progress.step((part.len() / self.dims) as u64)
            },
        )?;
        Ok(dense)
    }
}

/// What one thread keeps between texts.
#[derive(Default)]
pub struct EmbedReader {
    words: Reader,
    tokens: Vec<u32>,
}

/// The pieces of the built-in vocabulary, in order: for comparing with the reference library.
#[cfg(test)]
pub fn built_in_pieces() -> Vec<String> {
    let bytes = zstd::decode_all(PACKED).unwrap_or_default();
    let words = u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]) as usize;
    String::from_utf8_lossy(&bytes[20..20 + words]).lines().map(str::to_owned).collect()
}
