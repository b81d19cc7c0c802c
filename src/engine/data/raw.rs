//! The text of a text source, kept whole, with the place of every sample in it: what makes a save byte for byte.

use std::sync::Arc;

use polars_buffer::Buffer;

/// A file's text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Delimited text.
    Delimited(Dialect),
    /// JSON values one after the other, usually one a line.
    JsonLines,
    /// One JSON array of values, alone or within an object; or a single value.
    JsonArray {
        /// Where the text of the samples may begin: behind the opening bracket.
        open: usize,
        /// Where the closing bracket stands, or would.
        close: usize,
    },
    /// A JSON array for each part of a split.
    JsonParts,
    /// JSON columns: a sample has no place of its own in the text.
    JsonColumns,
}

/// How delimited text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The byte between fields: ASCII.
    pub delimiter: u8,
    /// Whether the first row names the columns.
    pub header: bool,
    /// Where the header, or without one the first row, begins: what stands before is a preamble.
    pub start: usize,
    /// Whether fields beyond the header's are columns too.
    pub surplus: bool,
}

/// A place where decoding and encoding again would not give the file's own bytes: `bytes` stand in the file where the
/// decoded text has `at..at + len`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Offset in the decoded text.
    pub at: usize,
    /// Length in the decoded text.
    pub len: usize,
    /// What the file has there.
    pub bytes: Vec<u8>,
}

/// How a file was packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// A text source: decoded text (valid UTF-8, without byte-order mark), what it was decoded from, and where samples stand.
#[derive(Clone)]
pub struct Raw {
    /// The decoded text.
    pub text: Buffer<u8>,
    /// Its form.
    pub shape: Shape,
    /// The encoding's name, as the Encoding Standard spells it.
    pub encoding: &'static str,
    /// The byte-order mark that the file began with; often empty.
    pub mark: &'static [u8],
    /// Places that do not survive decoding, in order.
    pub patches: Vec<Patch>,
    /// Where each sample begins in `text`; empty where samples have no place of their own.
    pub starts: Arc<Vec<u64>>,
    /// How long each sample is, its line end not counted.
    pub lengths: Arc<Vec<u32>>,
    /// Whether the text lies on disk, in a copy of its own, and not in memory.
    pub aside: bool,
}

impl Raw {
    /// The bytes of sample `row` in the decoded text.
    pub fn span(&self, row: usize) -> std::ops::Range<usize> {
        let start = usize::try_from(self.starts[row]).unwrap_or(usize::MAX);
        start..start + self.lengths[row] as usize
    }

    /// The text of sample `row`.
    pub fn row(&self, row: usize) -> &[u8] {
        &self.text[self.span(row)]
    }

    /// What stands between sample `row` and the next: line ends, separators, lines that could not be read.
    pub fn gap(&self, row: usize) -> std::ops::Range<usize> {
        let end = self.span(row).end;
        let next = self.starts.get(row + 1).map_or(self.text.len(), |start| usize::try_from(*start).unwrap_or(usize::MAX));
        end..next.max(end)
    }

    /// What stands before the first sample: a header, an opening bracket; everything where there is no sample.
    pub fn head(&self) -> std::ops::Range<usize> {
        0..self.starts.first().map_or(self.text.len(), |start| usize::try_from(*start).unwrap_or(usize::MAX))
    }

    /// The line end that the file uses: the first one in it, or `\n`.
    pub fn line_end(&self) -> &'static str {
        match memchr::memchr(b'\n', &self.text) {
            Some(at) if at > 0 && self.text[at - 1] == b'\r' => "\r\n",
            None if memchr::memchr(b'\r', &self.text).is_some() => "\r",
            _ => "\n",
        }
    }

    /// The 1-based line that byte `at` of the decoded text is on.
    pub fn line_of(&self, at: usize) -> usize {
        memchr::memchr_iter(b'\n', &self.text[..at.min(self.text.len())]).count() + 1
    }
}
