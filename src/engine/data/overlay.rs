//! What edits have laid over the cells of a column. Clones share all that was not edited since.

use std::collections::HashMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::chunked::Chunked;
use super::ids::SampleId;
use crate::chance::seed_of;

/// The code of a cell that was not edited.
pub const UNTOUCHED: u32 = 0;
/// The code of a cell that was made null. Those above are places in the list of texts, from 2 on.
pub const NULL: u32 = 1;

/// The distinct texts that cells were given, in the order of their coming.
#[derive(Clone, Default)]
struct Texts {
    list: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
    /// A hash (XXH3) of each text.
    prints: Vec<u64>,
}

/// Edited cells of one column: a code per edited sample into a list of distinct texts.
#[derive(Clone)]
pub struct Overlay {
    codes: Chunked<u32>,
    /// How many cells are edited.
    edited: usize,
    texts: Arc<Texts>,
    /// The version of what lies over cells of the source, and of made samples: a sum of hashes, one a cell, that comes back when the cells do.
    pub versions: [u64; 2],
}

impl Default for Overlay {
    fn default() -> Self {
        Self { codes: Chunked::new(UNTOUCHED), edited: 0, texts: Arc::default(), versions: [0; 2] }
    }
}

impl Overlay {
    /// What a cell adds to the version.
    fn share(&self, id: SampleId, code: u32) -> u64 {
        match code {
            UNTOUCHED => 0,
            NULL => seed_of(&[u64::from(id.0)]),
            code => seed_of(&[u64::from(id.0), self.texts.prints[code as usize - 2]]),
        }
    }

    /// The code of a sample's cell.
    pub fn code(&self, id: SampleId) -> u32 {
        self.codes.get(id.row()).copied().unwrap_or(UNTOUCHED)
    }

    /// The text behind a code from 2 on.
    pub fn text(&self, code: u32) -> &str {
        &self.texts.list[code as usize - 2]
    }

    /// Every text that a cell was given, in the order of their coming.
    pub fn texts(&self) -> &[Arc<str>] {
        &self.texts.list
    }

    /// The code of a text, given where it has none.
    pub fn intern(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return NULL };
        if let Some(code) = self.texts.codes.get(text) {
            return *code;
        }
        let texts = Arc::make_mut(&mut self.texts);
        let text: Arc<str> = text.into();
        let code = u32::try_from(texts.list.len() + 2).unwrap_or(u32::MAX);
        texts.list.push(Arc::clone(&text));
        texts.prints.push(xxh3_64(text.as_bytes()));
        texts.codes.insert(text, code);
        code
    }

    /// Lays a code over a sample's cell; `made`: over one that was made from others.
    pub fn put(&mut self, id: SampleId, code: u32, made: bool) {
        let before = self.code(id);
        self.versions[usize::from(made)] ^= self.share(id, before) ^ self.share(id, code);
        self.edited = self.edited + usize::from(code != UNTOUCHED) - usize::from(before != UNTOUCHED);
        if before != code {
            self.codes.set(id.row(), code);
        }
    }

    /// Whether cells beyond the first `rows` samples may be edited.
    pub fn reaches(&self, rows: usize) -> bool {
        self.codes.len() > rows
    }

    /// Takes cells of samples that were made away.
    pub fn cut(&mut self, rows: usize) {
        let gone: Vec<(SampleId, u32)> =
            self.codes.written().skip_while(|(row, _)| *row < rows).map(|(row, code)| (SampleId::at(row), *code)).collect();
        self.versions[1] ^= gone.iter().fold(0, |sum, (id, code)| sum ^ self.share(*id, *code));
        self.edited -= gone.len();
        self.codes.truncate(rows);
    }

    /// Whether any cell is edited.
    pub fn touched(&self) -> bool {
        self.edited > 0
    }
}
