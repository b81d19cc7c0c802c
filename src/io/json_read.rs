//! JSON as people have it: lines, an array, values one after the other, an object that wraps its rows, columns instead of rows.
//!
//! A broken row becomes a warning with its place, and what follows it is read. The time taken grows with the text, whatever stands in it.

use polars_buffer::Buffer;
use rayon::prelude::*;

use super::budget::Budget;
use super::columns::pieces;
use super::json::{JsonError, Token, members, skip_space, value};
use super::json_columns;
use super::json_rows::{Part, Refusal, Table, gather};
use crate::data::{Format, Shape};
use crate::job::Progress;

/// What was read, and in which form it stands in the text.
pub type Read = (Table, Shape, Format);

/// Reads JSON; `named` is what the file's name promises.
///
/// # Errors
/// [`Refusal`].
pub fn read(text: &Buffer<u8>, named: Format, budget: &Budget, progress: &Progress) -> Result<Read, Refusal> {
    let bytes: &[u8] = text;
    progress.set_total(bytes.len() as u64);
    let start = skip_space(bytes, 0);
    match bytes.get(start) {
        Some(b'[') if is_line_of_many(bytes, start) && (named == Format::JsonLines || follows_value(bytes, start)) => {
            lines(text, budget, progress)
        }
        Some(b'[') => array(text, start, budget, progress),
        Some(b'{') => object(text, start, named, budget, progress),
        _ if named == Format::JsonLines => lines(text, budget, progress),
        _ => single(text, start, budget),
    }
}

/// Whether a text of another name is JSON all the same: an object, or an array of objects.
pub fn is_json(bytes: &[u8]) -> bool {
    let start = skip_space(bytes, 0);
    let inner = skip_space(bytes, start + 1);
    match (bytes.get(start), bytes.get(inner)) {
        (Some(b'{'), Some(b'"')) => value(bytes, start).is_ok(),
        (Some(b'['), Some(b'{')) => value(bytes, inner).is_ok(),
        _ => false,
    }
}

/// The end of the line that `at` is on.
fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found)
}

/// Whether the line at `start` is one value, and not the last line.
fn is_line_of_many(bytes: &[u8], start: usize) -> bool {
    let line = line_end(bytes, start);
    let whole = value(&bytes[..line], start).is_ok_and(|(_, _, end)| skip_space(&bytes[..line], end) == line);
    whole && skip_space(bytes, line) < bytes.len()
}

/// Whether after the value at `start` comes another one.
fn follows_value(bytes: &[u8], start: usize) -> bool {
    value(bytes, start).is_ok_and(|(_, _, end)| matches!(bytes.get(skip_space(bytes, end)), Some(b'[' | b'{')))
}

fn broken(bytes: &[u8], error: &JsonError) -> Refusal {
    let at = error.at.min(bytes.len());
    let line_start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |found| found + 1);
    let character = String::from_utf8_lossy(&bytes[line_start..at]).chars().count() + 1;
    let line = memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1;
    Refusal::Broken(format!("line {line}, character {character}: {}", error.what))
}

fn object(text: &Buffer<u8>, start: usize, named: Format, budget: &Budget, progress: &Progress) -> Result<Read, Refusal> {
    let bytes: &[u8] = text;
    let error = match value(bytes, start) {
        Ok((_, _, end)) => {
            let rest = skip_space(bytes, end);
            if rest == bytes.len() {
                // Lines with a single line are lines.
                if named == Format::JsonLines && memchr::memchr(b'\n', &bytes[start..end]).is_none() {
                    return lines(text, budget, progress);
                }
                return json_columns::object(text, start, budget, progress).unwrap_or_else(|| single(text, start, budget));
            }
            let next = if bytes[rest] == b',' { skip_space(bytes, rest + 1) } else { rest };
            if memchr::memchr(b'\n', &bytes[start..end]).is_some() {
                return stream(text, start, budget, progress);
            }
            if bytes[end..rest].contains(&b'\n') || bytes.get(next) == Some(&b'{') {
                return lines(text, budget, progress);
            }
            JsonError { at: rest, what: "more text follows the value" }
        }
        Err(error) => error,
    };
    if named == Format::JsonLines {
        return lines(text, budget, progress);
    }
    // The first one is broken; where another one is whole in itself, these are many all the same.
    let (mut at, mut tries) = (line_end(bytes, start), 0);
    while at < bytes.len() && tries < 1_000 {
        let next = skip_space(bytes, at + 1);
        if bytes.get(next) == Some(&b'{')
            && let Ok((_, _, end)) = value(bytes, next)
        {
            let within = memchr::memchr(b'\n', &bytes[next..end]).is_some();
            return if within { stream(text, start, budget, progress) } else { lines(text, budget, progress) };
        }
        at = line_end(bytes, next.max(at + 1).min(bytes.len()));
        tries += 1;
    }
    Err(broken(bytes, &error))
}

/// One value as one sample.
fn single(text: &Buffer<u8>, start: usize, budget: &Budget) -> Result<Read, Refusal> {
    let bytes: &[u8] = text;
    let mut part = Part::new(bytes, pieces(bytes.len()));
    let end = part.sample(bytes, start).map_err(|error| broken(bytes, &error))?;
    let rest = skip_space(bytes, end);
    if rest < bytes.len() {
        return Err(broken(bytes, &JsonError { at: rest, what: "more text follows the value" }));
    }
    part.count(budget);
    let table = gather(text, vec![part], None)?;
    Ok((table, Shape::JsonArray { open: start, close: end }, Format::Json))
}

const PART: usize = 4 << 20;

/// Reads JSON Lines, in parallel.
fn lines(text: &Buffer<u8>, budget: &Budget, progress: &Progress) -> Result<Read, Refusal> {
    let bytes: &[u8] = text;
    let mut cuts = vec![0];
    while let Some(last) = cuts.last().copied().filter(|last| last + PART < bytes.len()) {
        cuts.push((line_end(bytes, last + PART) + 1).min(bytes.len()));
    }
    cuts.push(bytes.len());
    let parts = cuts
        .par_windows(2)
        .enumerate()
        .map(|(i, cut)| {
            let part = read_lines(bytes, cut[0], cut[1], pieces(bytes.len()) + i, budget);
            progress.step((cut[1] - cut[0]) as u64)?;
            match part.full {
                Some(words) => Err(Refusal::TooLarge(words)),
                None => Ok(part),
            }
        })
        .collect::<Result<Vec<Part>, Refusal>>()?;
    if parts.iter().all(|part| part.rows() == 0)
        && let Some((at, reason)) = parts.iter().find_map(|part| part.faults.first())
    {
        let line = memchr::memchr_iter(b'\n', &bytes[..*at]).count() + 1;
        return Err(Refusal::Broken(format!("line {line}: {reason}")));
    }
    Ok((gather(text, parts, None)?, Shape::JsonLines, Format::JsonLines))
}

fn read_lines(bytes: &[u8], start: usize, end: usize, side: usize, budget: &Budget) -> Part {
    let (mut part, mut at, mut rows) = (Part::new(&bytes[start..end], side), start, 0);
    while at < end && part.full.is_none() {
        let stop = line_end(&bytes[..end], at);
        read_line(&mut part, &bytes[..stop], at);
        at = stop + 1;
        if part.rows() >= rows + 1_024 {
            rows = part.rows();
            part.count(budget);
        }
    }
    part.count(budget);
    part
}

/// Reads the values of one line: one, or several where they are glued or parted by commas.
fn read_line(part: &mut Part, line: &[u8], start: usize) {
    let mut at = skip_space(line, start);
    let mut many = false;
    while at < line.len() {
        let error = match part.sample(line, at) {
            Ok(after) => {
                let rest = skip_space(line, after);
                if rest == line.len() {
                    return;
                }
                let next = if line[rest] == b',' { skip_space(line, rest + 1) } else { rest };
                if next == line.len() {
                    return part.faults.note(rest, || "a comma stands after the value: it is passed over".to_owned());
                }
                if matches!(line[next], b'{' | b'[') && value(line, next).is_ok() {
                    if !many {
                        part.faults.note(start, || "several values stand on this line: each is a sample".to_owned());
                    }
                    many = true;
                    at = next;
                    continue;
                }
                if !many {
                    // A line that is not whole is no sample.
                    part.starts.pop();
                    part.lengths.pop();
                    part.clear_from_row();
                }
                JsonError { at: rest, what: "more text follows the value" }
            }
            Err(error) => error,
        };
        let character = String::from_utf8_lossy(&line[start..error.at.clamp(start, line.len())]).chars().count() + 1;
        let what = if many { "the rest of this line is left out" } else { "this line is left out" };
        part.lose(start, || format!("{}, at character {character}: {what}", error.what));
        return;
    }
}

/// Reads an array of samples.
fn array(text: &Buffer<u8>, start: usize, budget: &Budget, progress: &Progress) -> Result<Read, Refusal> {
    let bytes: &[u8] = text;
    let mut part = Part::new(bytes, pieces(bytes.len()));
    let end = walk(&mut part, bytes, start + 1, Some(b']'), budget, progress)?;
    let close = end.unwrap_or(bytes.len());
    let rest = skip_space(bytes, (close + 1).min(bytes.len()));
    if rest < bytes.len() {
        // One array after the other: each is a sample.
        if matches!(bytes[rest], b'[' | b'{') && value(bytes, start).is_ok() && value(bytes, rest).is_ok() {
            return stream(text, start, budget, progress);
        }
        if part.rows() == 0 {
            return Err(broken(bytes, &JsonError { at: rest, what: "more text follows the array" }));
        }
        part.lose(rest, || "more text follows the array: it is left out".to_owned());
    }
    let table = gather(text, vec![part], None)?;
    Ok((table, Shape::JsonArray { open: start + 1, close }, Format::Json))
}

/// Reads values that stand one after the other over several lines, as `jq` writes them.
fn stream(text: &Buffer<u8>, start: usize, budget: &Budget, progress: &Progress) -> Result<Read, Refusal> {
    let bytes: &[u8] = text;
    let mut part = Part::new(bytes, pieces(bytes.len()));
    walk(&mut part, bytes, start, None, budget, progress)?;
    Ok((gather(text, vec![part], None)?, Shape::JsonLines, Format::JsonLines))
}

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
            let end = super::json::string(bytes, quote).ok().filter(|_| bytes.get(quote) == Some(&b'"'));
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
    part: &mut Part,
    bytes: &[u8],
    at: usize,
    close: Option<u8>,
    budget: &Budget,
    progress: &Progress,
) -> Result<Option<usize>, Refusal> {
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
                return Err(Refusal::TooLarge(words));
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
        return Err(Refusal::TooLarge(words));
    }
    if part.rows() == before {
        let what = "the file ends before the array is closed";
        return Err(broken(bytes, &first_fault.unwrap_or(JsonError { at: bytes.len(), what })));
    }
    Ok(None)
}

/// Notes a row that begins at `at` and broke off; returns where the next one begins.
fn skip_fault(part: &mut Part, bytes: &[u8], at: usize, error: &JsonError, last_line: usize) -> Option<usize> {
    // What broke off far from where it began has run into the rows after it.
    let far = memchr::memchr(b'\n', &bytes[at..error.at.max(at)]).is_some();
    let what = if far { "the row that begins here is left out" } else { "what stands here is left out" };
    part.lose(if far { at } else { error.at }, || format!("{}: {what}", error.what));
    let next = Start::of(bytes, at).next(bytes, at + 1, last_line);
    // Where nothing like it follows: the next line, or else the next comma, that an object follows.
    next.or_else(|| Start { indent: None, name: None }.next(bytes, error.at.max(at + 1).min(bytes.len()), last_line))
}

/// The elements of the array at `at`, as [`value`] gives them.
pub fn elements(bytes: &[u8], at: usize) -> Result<Vec<(Token, usize, usize)>, JsonError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Kind;

    fn open(text: &str, named: Format) -> Result<Read, Refusal> {
        read(&text.to_owned().into_bytes().into(), named, &Budget::new(u64::MAX, 0), &Progress::silent())
    }

    fn rows(text: &str, named: Format) -> Vec<String> {
        let (table, ..) = open(text, named).unwrap();
        let n = table.columns.first().map_or(0, crate::data::Column::len);
        (0..n).map(|row| table.columns[0].text(row).map_or_else(|| "null".to_owned(), |text| text.into_owned())).collect()
    }

    #[test]
    fn lines_become_columns_and_broken_ones_warnings() {
        let text = "{\"a\": \"x\", \"n\": 1}\n\n{\"a\": 1,}\n{\"n\": 2.5, \"t\": [\"p\", 1]}\r\n{\"a\": \"\\u00e9\"} x\n{\"a\":\"z\",\"a\":\"last\"}";
        let (table, ..) = open(text, Format::JsonLines).unwrap();
        assert_eq!((table.starts.len(), table.unread), (3, 2));
        assert_eq!(table.warnings.iter().map(|warning| warning.line).collect::<Vec<_>>(), [3, 5, 6]);
        let column = |name: &str| table.columns.iter().find(|column| &*column.name == name).unwrap();
        assert_eq!((column("n").kind, column("t").kind, column("a").kind), (Kind::Number, Kind::List, Kind::Text));
        let cells: Vec<_> = (0..3).map(|row| column("a").text(row).map(|text| text.into_owned())).collect();
        assert_eq!(cells, [Some("x".into()), None, Some("last".into())]);
        assert_eq!(column("t").text(1).as_deref(), Some("[\"p\", 1]"));
    }

    #[test]
    fn a_column_of_several_kinds_keeps_its_json() {
        let (table, ..) = open("{\"v\": \"a\\nb\"}\n{\"v\": 3}\n{\"v\": null}\n{\"w\": 1}\n", Format::JsonLines).unwrap();
        assert_eq!(table.columns[0].kind, Kind::Json);
        let cells: Vec<_> = (0..4).map(|row| table.columns[0].text(row).map(|text| text.into_owned())).collect();
        assert_eq!(cells, [Some("\"a\\nb\"".into()), Some("3".into()), None, None]);
    }

    #[test]
    fn one_broken_row_costs_itself_alone() {
        let row = |i: usize| format!("{{\"i\": {i}, \"t\": [1, 2], \"m\": [{{\"r\": 1}}, {{\"r\": 2}}]}}");
        let broken = [
            "{\"i\": 5, \"t\": [1, 2",
            "{\"i\": 5, \"t\": [1, 2}",
            "{\"i\": 5, \"t\": \"open",
            "{\"i\": 5, \"t\": [1, 2], \"m\": [{\"r\": 1}, {\"r\": 2}]",
            "{\"i\": }",
        ];
        for harm in broken {
            let list: Vec<String> = (0..200).map(|i| if i == 5 { harm.to_owned() } else { row(i) }).collect();
            for joint in [",\n", ",\n  ", ", ", ","] {
                let text = format!("[\n  {}\n]", list.join(joint))
                    .replace("\n  {\"i\": 0", if joint.contains("\n  ") { "\n  {\"i\": 0" } else { "\n{\"i\": 0" });
                let read = rows(&text, Format::Json);
                assert_eq!(read.len(), 199, "{harm} joined by {joint:?}");
                assert!(read.iter().all(|i| i != "5"));
            }
        }
    }

    #[test]
    fn brackets_without_end_take_no_time() {
        for text in
            ["[".repeat(300_000), "[{".repeat(200_000), format!("[{}", "{\"a\":[1,".repeat(200_000)), "{\"a\":".repeat(200_000)]
        {
            assert!(open(&text, Format::Json).is_err());
        }
        let text = format!("[{}]", vec!["{\"x\": NaN}"; 100_000].join(","));
        assert_eq!(rows(&text, Format::Json).len(), 100_000);
        let text = format!("[{}]", vec!["{\"x\": nan}"; 50_000].join(","));
        assert!(open(&text, Format::Json).is_err());
    }

    #[test]
    fn names_without_end_are_refused_early_and_names_that_are_not_there_cost_nothing() {
        let text = (0..40_000).map(|i| format!("{{\"k{i}\": 1}}")).collect::<Vec<_>>().join("\n");
        assert!(matches!(open(&text, Format::JsonLines), Err(Refusal::TooLarge(_))));
        let wide = (0..2_000).map(|i| format!("\"k{i}\":1")).collect::<Vec<_>>().join(",");
        let text = format!("{{{wide}}}\n{}", "{}\n".repeat(50_000));
        let budget = Budget::new(8 << 20, 0);
        let (table, ..) = read(&text.into_bytes().into(), Format::JsonLines, &budget, &Progress::silent()).unwrap();
        assert_eq!((table.columns.len(), table.starts.len()), (2_000, 50_001));
        assert_eq!(table.columns[1_999].text(0).as_deref(), Some("1"));
        assert_eq!(table.columns[1_999].text(50_000), None);
    }

    #[test]
    fn one_sample_is_not_taken_for_many() {
        for text in [
            "{\"id\": 1, \"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}",
            "{\"a\": []}",
            "{\"a\": {\"b\": 1}}",
            "{\"data\": [{\"role\": \"user\", \"content\": \"a\"}]}",
        ] {
            let (table, ..) = open(text, Format::Json).unwrap();
            assert_eq!(table.starts.len(), 1, "{text}");
        }
    }
}
