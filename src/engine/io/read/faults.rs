//! What is odd in a text, and where. Bounded: a file of fifty million broken lines must not become fifty million words.

use super::aside::breathe;
use crate::data::Warning;

/// Lines are counted in blocks of so many bytes.
const BLOCK: usize = 32 << 20;
/// So many are told one by one.
const MOST: usize = 1_000;

/// Oddities with their byte places, in the order they were found.
#[derive(Default)]
pub struct Faults {
    list: Vec<(usize, String)>,
    more: usize,
}

impl Faults {
    /// Notes one. The words are made only where they are kept.
    pub fn note(&mut self, at: usize, reason: impl FnOnce() -> String) {
        if self.list.len() < MOST {
            self.list.push((at, reason()));
        } else {
            self.more += 1;
        }
    }

    /// The first one.
    pub fn first(&self) -> Option<&(usize, String)> {
        self.list.first()
    }

    /// Those of several parts as one.
    pub fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for part in parts {
            all.list.extend(part.list);
            all.more += part.more;
        }
        all
    }

    /// Warnings with the lines of `bytes` that they stand on, in one pass up to the last of them.
    pub fn warnings(mut self, bytes: &[u8]) -> Vec<Warning> {
        self.list.sort_by_key(|(at, _)| *at);
        let more = self.more + self.list.len().saturating_sub(MOST);
        let (end, mut line, mut done) = (line_end_byte(bytes), 1, 0);
        let told = self.list.into_iter().take(MOST).map(|(at, reason)| {
            let at = at.min(bytes.len());
            // A large text that lies aside is not to be in memory for the sake of its lines.
            for block in bytes[done..at].chunks(BLOCK) {
                line += memchr::memchr_iter(end, block).count();
                if block.len() == BLOCK {
                    breathe();
                }
            }
            done = at;
            Warning { line, reason }
        });
        let mut warnings: Vec<Warning> = told.collect();
        if more > 0 {
            warnings.push(Warning { line: 0, reason: format!("{more} more lines like these are not listed") });
        }
        warnings
    }
}

/// How the end of lines is recognised: `\n` (a `\r` before it belongs to it), or `\r` alone in old Macintosh files.
pub fn line_end_byte(text: &[u8]) -> u8 {
    let head = &text[..text.len().min(1 << 20)];
    if memchr::memchr(b'\n', head).is_none() && memchr::memchr(b'\r', head).is_some() { b'\r' } else { b'\n' }
}
