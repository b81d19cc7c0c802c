//! Samples of JSON one after the other, also behind one that is broken.

use crate::data::{Format, Shape};
use crate::io::read::budget::Budget;
use crate::io::read::json::{JsonError, JsonToken, members, skip_space, value};
use crate::io::read::json_rows::{JsonPart, JsonRefusal, JsonTable};
use crate::job::Progress;

/// What was read, and in which form it stands in the text.
pub type Read = (JsonTable, Shape, Format);

/// How a row that broke off begins: what the next one is recognised by.
struct Start<'t> {
    /// The white space before it on its line, where it begins one.
    indent: Option<&'t [u8]>,
    /// Its first name, in quotes.
    name: Option<&'t [u8]>,
}

impl<'t> Start<'t> {
    fn of(bytes: &'t [u8], at: usize) -> Self {
        let line = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |found| found + 1);
        let before = &bytes[line..at];
        let indent = before.iter().all(|byte| matches!(byte, b' ' | b'\t')).then_some(before);
        let name = (bytes.get(at) == Some(&b'{')).then(|| {
            let quote = skip_space(bytes, at + 1);
            let end = crate::io::read::json::string(bytes, quote).ok().filter(|_| bytes.get(quote) == Some(&b'"'));
            end.map(|(_, end)| &bytes[quote..end])
        });
        Self { indent, name: name.flatten() }
    }

    /// Whether a row like it begins at `at`.
    fn fits(&self, bytes: &[u8], at: usize) -> bool {
        if bytes.get(at) != Some(&b'{') {
            return false;
        }
        self.name.is_none_or(|name| bytes[skip_space(bytes, at + 1)..].starts_with(name))
    }

    /// The next place from `from` on where a row like it begins: at the same depth of a line, or, where it does not begin its line, after a
    /// comma.
    fn next(&self, bytes: &[u8], from: usize, last_line: usize) -> Option<usize> {
        let mut at = from;
        if let Some(indent) = self.indent.filter(|_| from <= last_line) {
            while let Some(found) = memchr::memchr(b'\n', &bytes[at..]) {
                at += found + 1;
                let row = at + indent.len();
                if bytes[at..].starts_with(indent) && self.fits(bytes, row) {
                    return Some(row);
                }
            }
            return None;
        }
        while let Some(found) = memchr::memchr(b',', &bytes[at..]) {
            at += found + 1;
            let row = skip_space(bytes, at);
            if self.fits(bytes, row) {
                return Some(row);
            }
        }
        None
    }
}

/// Failing readings may look at this many times the text before each is bounded by where the next row begins.
const PATIENCE: usize = 16;

/// Reads samples from `at` on, parted by commas where `close` ends them, else by white space. Returns where `close` stands, where it does.
pub fn walk(
    part: &mut JsonPart,
    bytes: &[u8],
    at: usize,
    close: Option<u8>,
    budget: &Budget,
    progress: &Progress,
) -> Result<Option<usize>, JsonRefusal> {
    let (mut at, mut reported, mut spent) = (skip_space(bytes, at), 0, 0_usize);
    let last_line = memchr::memrchr(b'\n', bytes).unwrap_or(0);
    let mut first_fault: Option<JsonError> = None;
    let (before, mut glued) = (part.rows(), false);
    while at < bytes.len() {
        if close.is_some_and(|close| bytes[at] == close) {
            return Ok(Some(at));
        }
        if at - reported > 1 << 20 {
            progress.step((at - reported) as u64)?;
            reported = at;
            part.count(budget);
            if let Some(words) = part.full.take() {
                return Err(JsonRefusal::TooLarge(words));
            }
        }
        // Once patience is used up, a row must end before the next one like it begins.
        let bound = if spent > bytes.len().saturating_mul(PATIENCE) {
            Start::of(bytes, at).next(bytes, at + 1, last_line).unwrap_or(bytes.len())
        } else {
            bytes.len()
        };
        match part.sample(&bytes[..bound], at) {
            Ok(end) => {
                let next = skip_space(bytes, end);
                at = match (bytes.get(next), close) {
                    (None, _) => next,
                    (Some(b','), _) => {
                        let after = skip_space(bytes, next + 1);
                        if close.is_none() && !glued {
                            glued = true;
                            part.faults.note(next, || "commas stand between the values: they are passed over".to_owned());
                        }
                        if close.is_some() && bytes.get(after).copied() == close {
                            part.faults.note(next, || "a comma stands before the closing bracket: it is passed over".to_owned());
                        }
                        after
                    }
                    (Some(byte), Some(close)) if *byte == close => next,
                    (Some(b'{' | b'['), Some(_)) => {
                        part.faults.note(next, || "a comma is missing between two samples".to_owned());
                        next
                    }
                    (Some(_), None) if next > end || matches!(bytes[next], b'{' | b'[') => {
                        if next == end && !glued {
                            glued = true;
                            part.faults.note(next, || {
                                "values stand one after the other without a line end: each is a sample".to_owned()
                            });
                        }
                        next
                    }
                    (Some(_), _) => {
                        let error = JsonError { at: next, what: "a comma is missing between two samples" };
                        match skip_fault(part, bytes, end, &error, last_line) {
                            Some(next) => next,
                            None => break,
                        }
                    }
                };
            }
            Err(error) => {
                let error = JsonError { at: error.at.min(bytes.len()), ..error };
                spent += error.at - at.min(error.at);
                first_fault.get_or_insert_with(|| error.clone());
                match skip_fault(part, bytes, at, &error, last_line) {
                    Some(next) => at = next,
                    None => break,
                }
            }
        }
    }
    if close.is_some() && at >= bytes.len() {
        part.faults.note(bytes.len(), || "the file ends before the array is closed".to_owned());
    }
    part.count(budget);
    if let Some(words) = part.full.take() {
        return Err(JsonRefusal::TooLarge(words));
    }
    if part.rows() == before {
        let what = "the file ends before the array is closed";
        return Err(broken(bytes, &first_fault.unwrap_or(JsonError { at: bytes.len(), what })));
    }
    Ok(None)
}

/// Notes a row that begins at `at` and broke off; returns where the next one begins.
fn skip_fault(part: &mut JsonPart, bytes: &[u8], at: usize, error: &JsonError, last_line: usize) -> Option<usize> {
    // What broke off far from where it began has run into the rows after it.
    let far = memchr::memchr(b'\n', &bytes[at..error.at.max(at)]).is_some();
    let what = if far { "the row that begins here is left out" } else { "what stands here is left out" };
    part.lose(if far { at } else { error.at }, || format!("{}: {what}", error.what));
    let next = Start::of(bytes, at).next(bytes, at + 1, last_line);
    // Where nothing like it follows: the next line, or else the next comma, that an object follows.
    next.or_else(|| Start { indent: None, name: None }.next(bytes, error.at.max(at + 1).min(bytes.len()), last_line))
}

/// The elements of the array at `at`, as [`value`] gives them.
pub fn elements(bytes: &[u8], at: usize) -> Result<Vec<(JsonToken, usize, usize)>, JsonError> {
    let mut found = Vec::new();
    let mut at = skip_space(bytes, at + 1);
    if bytes.get(at) == Some(&b']') {
        return Ok(found);
    }
    loop {
        let (token, start, end) = value(bytes, at)?;
        found.push((token, start, end));
        at = skip_space(bytes, end);
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(b']') => return Ok(found),
            _ => return Err(JsonError { at, what: "a comma is missing" }),
        }
    }
}

/// Whether the value at `at` is a turn of a chat.
pub fn is_turn(bytes: &[u8], at: usize) -> bool {
    let mut list = Vec::new();
    let names = ["role", "content", "from", "value"];
    members(bytes, at, &mut list).is_ok()
        && list.iter().filter(|member| names.iter().any(|name| bytes[member.name.0..member.name.1] == *name.as_bytes())).count()
            >= 2
}

/// What a broken text is refused with.
pub fn broken(bytes: &[u8], error: &JsonError) -> JsonRefusal {
    let at = error.at.min(bytes.len());
    let line_start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |found| found + 1);
    let character = String::from_utf8_lossy(&bytes[line_start..at]).chars().count() + 1;
    let line = memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1;
    JsonRefusal::Broken(format!("line {line}, character {character}: {}", error.what))
}
