//! JSON Lines and JSON arrays as columns: one sample a value, one column a name.
//!
//! Strings become their text; numbers, booleans, lists and objects keep their JSON spelling. A broken line or element
//! becomes a warning with its place, and what follows it is read.

use std::collections::HashMap;

use polars_buffer::Buffer;
use rayon::prelude::*;

use super::columns::{Cells, MAX_COLUMNS, buffers, is_integer, is_number, join_all, pieces, side_view, view};
use super::delimited::lines_of;
use super::json::{JsonError, Member, Token, members, skip_space, unescape, value};
use crate::data::{Column, Kind, Warning};
use crate::job::{Cancelled, Progress};

/// The column that values stand in which are no objects.
pub const BARE: &str = "value";

/// JSON, read.
pub struct Table {
    pub columns: Vec<Column>,
    pub starts: Vec<u64>,
    pub lengths: Vec<u32>,
    pub warnings: Vec<Warning>,
}

/// Why JSON cannot be read at all.
pub enum Refusal {
    /// What is wrong and where, in words.
    Broken(String),
    TooLarge(String),
    Cancelled,
}

impl From<Cancelled> for Refusal {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Which kinds of values a column has.
#[derive(Default, Clone, Copy)]
struct Seen {
    string: bool,
    boolean: bool,
    integer: bool,
    number: bool,
    odd_number: bool,
    array: bool,
    object: bool,
}

impl Seen {
    fn note(&mut self, token: Token, text: &[u8]) {
        match token {
            Token::Null => {}
            Token::Boolean => self.boolean = true,
            Token::String { .. } => self.string = true,
            Token::Array => self.array = true,
            Token::Object => self.object = true,
            Token::Integer | Token::Number => {
                let text = std::str::from_utf8(text).unwrap_or_default();
                if is_integer(text) {
                    self.integer = true;
                } else if is_number(text) {
                    self.number = true;
                } else {
                    self.odd_number = true;
                }
            }
        }
    }

    fn join(&mut self, other: Self) {
        self.string |= other.string;
        self.boolean |= other.boolean;
        self.integer |= other.integer;
        self.number |= other.number;
        self.odd_number |= other.odd_number;
        self.array |= other.array;
        self.object |= other.object;
    }

    /// The kind of the column; JSON where values are of several kinds.
    fn kind(self) -> Kind {
        let numeric = self.integer || self.number || self.odd_number;
        match (self.string, self.boolean, numeric, self.array, self.object) {
            (false, true, false, false, false) => Kind::Boolean,
            (false, false, true, false, false) if !self.number && !self.odd_number => Kind::Integer,
            (false, false, true, false, false) => Kind::Number,
            (false, false, false, true, false) => Kind::List,
            (false, false, false, false, true) => Kind::Struct,
            (_, false, false, false, false) => Kind::Text,
            _ => Kind::Json,
        }
    }
}

/// Samples of one part of the text, gathered by name.
#[derive(Default)]
struct Part {
    starts: Vec<u64>,
    lengths: Vec<u32>,
    names: Vec<String>,
    places: HashMap<Vec<u8>, usize>,
    cells: Vec<Cells>,
    seen: Vec<Seen>,
    side: Vec<u8>,
    odd: Vec<(usize, String)>,
    /// Cells laid out, missing ones counted; past [`MOST_CELLS`], or [`MAX_COLUMNS`] names, nothing more is read.
    filled: usize,
    too_wide: bool,
}

/// The most cells that one part may lay out: a thousand columns for each of its bytes would not fit.
const MOST_CELLS: usize = 1 << 25;

impl Part {
    fn column(&mut self, name: &[u8]) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.too_wide |= self.names.len() >= MAX_COLUMNS;
        let place = self.names.len();
        self.names.push(String::from_utf8_lossy(name).into_owned());
        self.places.insert(name.to_vec(), place);
        self.cells.push(Cells::default());
        self.seen.push(Seen::default());
        place
    }

    fn put(&mut self, text: &[u8], place: usize, token: Token, span: (usize, usize), side_index: u32) {
        let rows = self.starts.len();
        let repeated = self.cells[place].views.len() > rows;
        if repeated {
            // A name that stands twice in one object: the later value counts, as everywhere else.
            self.cells[place].views.pop();
            self.cells[place].drop_nulls_from(rows);
        }
        self.filled += rows + 1 - self.cells[place].views.len().min(rows);
        self.too_wide |= self.filled > MOST_CELLS;
        if self.too_wide {
            return;
        }
        while self.cells[place].views.len() < rows {
            self.cells[place].push_null();
        }
        self.seen[place].note(token, &text[span.0..span.1]);
        let cells = &mut self.cells[place];
        match token {
            Token::Null => cells.push_null(),
            Token::String { escaped: false } => cells.views.push(view(text, span.0 + 1..span.1 - 1)),
            Token::String { escaped: true } => {
                let before = self.side.len();
                unescape(&text[span.0..span.1], &mut self.side);
                cells.views.push(side_view(&self.side, self.side.len() - before, side_index));
            }
            _ => cells.views.push(view(text, span.0..span.1)),
        }
    }

    /// Reads one sample; `limit` is where it must end at the latest.
    fn sample(&mut self, text: &[u8], at: usize, side: u32, scratch: &mut Vec<Member>) -> Result<usize, JsonError> {
        let start = skip_space(text, at);
        if text.get(start) == Some(&b'{') {
            let end = members(text, start, scratch)?;
            let mut name = Vec::new();
            for member in scratch.iter() {
                let raw = &text[member.name.0..member.name.1];
                let place = if member.escaped {
                    name.clear();
                    unescape(&text[member.name.0 - 1..=member.name.1], &mut name);
                    self.column(&name)
                } else {
                    self.column(raw)
                };
                self.put(text, place, member.token, member.value, side);
            }
            self.finish(start, end)?;
            return Ok(end);
        }
        let (token, start, end) = value(text, start)?;
        let place = self.column(BARE.as_bytes());
        self.put(text, place, token, (start, end), side);
        self.finish(start, end)?;
        Ok(end)
    }

    fn finish(&mut self, start: usize, end: usize) -> Result<(), JsonError> {
        let length = u32::try_from(end - start).map_err(|_| JsonError { at: start, what: "a sample is longer than 4 GB" })?;
        self.starts.push(start as u64);
        self.lengths.push(length);
        Ok(())
    }

    /// Forgets what a sample that broke off had put down.
    fn roll_back(&mut self) {
        let rows = self.starts.len();
        for cells in &mut self.cells {
            cells.views.truncate(rows);
            cells.drop_nulls_from(rows);
        }
    }
}

const PART: usize = 4 << 20;

/// Reads JSON Lines.
///
/// # Errors
/// [`Refusal`].
pub fn read_lines(text: &Buffer<u8>, progress: &Progress) -> Result<Table, Refusal> {
    let bytes: &[u8] = text;
    let mut cuts = vec![0];
    while let Some(last) = cuts.last().copied().filter(|last| last + PART < bytes.len()) {
        let from = last + PART;
        cuts.push(memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |found| from + found + 1));
    }
    cuts.push(bytes.len());
    progress.set_total(bytes.len() as u64);
    let parts = cuts
        .par_windows(2)
        .enumerate()
        .map(|(i, cut)| {
            let part = read_line_part(bytes, cut[0], cut[1], u32::try_from(pieces(bytes.len()) + i).unwrap_or(u32::MAX));
            progress.step((cut[1] - cut[0]) as u64)?;
            if part.too_wide { Err(too_wide()) } else { Ok(part) }
        })
        .collect::<Result<Vec<Part>, Refusal>>()?;
    if parts.iter().all(|part| part.starts.is_empty())
        && let Some((at, reason)) = parts.iter().flat_map(|part| &part.odd).next()
    {
        return Err(Refusal::Broken(format!("line {}: {reason}", line_of(bytes, *at))));
    }
    gather(text, parts)
}

fn read_line_part(bytes: &[u8], start: usize, end: usize, side: u32) -> Part {
    let (mut part, mut scratch, mut at) = (Part::default(), Vec::new(), start);
    while at < end && !part.too_wide {
        let stop = memchr::memchr(b'\n', &bytes[at..end]).map_or(end, |found| at + found);
        let line = &bytes[..stop];
        if skip_space(line, at) < stop {
            let read = part.sample(line, at, side, &mut scratch).and_then(|after| {
                let rest = skip_space(line, after);
                if rest < stop { Err(JsonError { at: rest, what: "more text follows the value" }) } else { Ok(()) }
            });
            if let Err(error) = read {
                if part.starts.last().is_some_and(|start| *start >= at as u64) {
                    part.starts.pop();
                    part.lengths.pop();
                }
                part.roll_back();
                let column = String::from_utf8_lossy(&bytes[at..error.at.clamp(at, stop)]).chars().count() + 1;
                part.odd.push((at, format!("{}, at character {column}: this line is left out", error.what)));
            }
        }
        at = stop + 1;
    }
    part
}

/// Reads a JSON array of samples, or a single value as one sample.
///
/// # Errors
/// [`Refusal`].
pub fn read_array(text: &Buffer<u8>, progress: &Progress) -> Result<Table, Refusal> {
    let bytes: &[u8] = text;
    progress.set_total(bytes.len() as u64);
    let (mut part, mut scratch) = (Part::default(), Vec::new());
    let side = u32::try_from(pieces(bytes.len())).unwrap_or(u32::MAX);
    let broken = |error: &JsonError| Refusal::Broken(place(bytes, error.at, error.what));
    let first = skip_space(bytes, 0);
    if bytes.get(first) != Some(&b'[') {
        let end = part.sample(bytes, first, side, &mut scratch).map_err(|error| broken(&error))?;
        let rest = skip_space(bytes, end);
        if rest < bytes.len() {
            return Err(broken(&JsonError { at: rest, what: "more text follows the value" }));
        }
        return gather(text, vec![part]);
    }
    let (mut at, mut reported) = (skip_space(bytes, first + 1), 0);
    let mut closed = bytes.get(at) == Some(&b']');
    let mut first_fault: Option<JsonError> = None;
    while !closed {
        if part.too_wide {
            return Err(too_wide());
        }
        let fault = match part.sample(bytes, at, side, &mut scratch) {
            Ok(end) => {
                let next = skip_space(bytes, end);
                match bytes.get(next) {
                    Some(b']') => {
                        closed = true;
                        at = next;
                        continue;
                    }
                    Some(b',') => {
                        at = skip_space(bytes, next + 1);
                        None
                    }
                    None => Some(JsonError { at: next, what: "the file ends before the array is closed" }),
                    Some(_) => Some(JsonError { at: next, what: "a comma is missing between two samples" }),
                }
            }
            Err(error) => {
                part.roll_back();
                Some(error)
            }
        };
        if at - reported > 1 << 20 {
            progress.step((at - reported) as u64)?;
            reported = at;
        }
        let Some(error) = fault else { continue };
        first_fault.get_or_insert_with(|| error.clone());
        part.odd.push((error.at.min(bytes.len()), format!("{}: what stands here is left out", error.what)));
        // Go on at the next line that begins with an object.
        let line = memchr::memrchr(b'\n', &bytes[..error.at.min(bytes.len())]).unwrap_or(0);
        match next_object(bytes, line.max(at + 1)) {
            Some(next) => at = next,
            None => break,
        }
    }
    if let Some(fault) = first_fault.filter(|_| part.starts.is_empty()) {
        return Err(broken(&fault));
    }
    let rest = if closed { skip_space(bytes, at + 1) } else { bytes.len() };
    if rest < bytes.len() {
        if part.starts.is_empty() {
            return Err(broken(&JsonError { at: rest, what: "more text follows the array" }));
        }
        part.odd.push((rest, "more text follows the array: it is left out".to_owned()));
    }
    gather(text, vec![part])
}

/// The next place from `from` on where a sample may begin: a line that begins with an object, or, where the rest is one
/// line, an object after a comma.
fn next_object(bytes: &[u8], from: usize) -> Option<usize> {
    let from = from.min(bytes.len());
    let mark = if memchr::memchr(b'\n', &bytes[from..]).is_some() { b'\n' } else { b',' };
    let mut at = from;
    while let Some(found) = memchr::memchr(mark, &bytes[at..]) {
        at += found + 1;
        let start = skip_space(bytes, at);
        if bytes.get(start) == Some(&b'{') {
            return Some(start);
        }
    }
    None
}

fn too_wide() -> Refusal {
    let what = "if names are data, turn them into values first";
    Refusal::TooLarge(format!("its samples have too many different names for what a dataset can lay out; {what}"))
}

fn place(bytes: &[u8], at: usize, what: &str) -> String {
    let at = at.min(bytes.len());
    let line_start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |found| found + 1);
    let column = String::from_utf8_lossy(&bytes[line_start..at]).chars().count() + 1;
    format!("line {}, character {column}: {what}", line_of(bytes, at))
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1
}

fn gather(text: &Buffer<u8>, mut parts: Vec<Part>) -> Result<Table, Refusal> {
    let mut names: Vec<String> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut seen: Vec<Seen> = Vec::new();
    for part in &parts {
        for (name, look) in part.names.iter().zip(&part.seen) {
            let place = *places.entry(name.clone()).or_insert_with(|| {
                names.push(name.clone());
                seen.push(Seen::default());
                names.len() - 1
            });
            seen[place].join(*look);
        }
    }
    let rows: usize = parts.iter().map(|part| part.starts.len()).sum();
    if names.len() > MAX_COLUMNS || rows.saturating_mul(names.len()) > 1 << 30 {
        let what = "if names are data, turn them into values first";
        return Err(Refusal::TooLarge(format!("its samples have {} different names, and {rows} samples; {what}", names.len())));
    }
    let mut odd: Vec<(usize, String)> = parts.iter_mut().flat_map(|part| std::mem::take(&mut part.odd)).collect();
    odd.sort_by_key(|(at, _)| *at);
    let warnings = lines_of(text, odd);
    let (mut starts, mut lengths, mut sides) = (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::new());
    let mut columns: Vec<Vec<Cells>> = (0..names.len()).map(|_| Vec::with_capacity(parts.len())).collect();
    for mut part in parts {
        let rows = part.starts.len();
        for (name, column) in names.iter().zip(&mut columns) {
            let place = part.places.get(name.as_bytes()).copied();
            let mut cells = place.map(|place| std::mem::take(&mut part.cells[place])).unwrap_or_default();
            while cells.views.len() < rows {
                cells.push_null();
            }
            column.push(cells);
        }
        starts.extend_from_slice(&part.starts);
        lengths.extend_from_slice(&part.lengths);
        sides.push(part.side);
    }
    let kinds: Vec<Kind> = seen.iter().map(|look| look.kind()).collect();
    let mixed: Vec<usize> = (0..names.len()).filter(|place| kinds[*place] == Kind::Json).collect();
    for (place, cells) in mixed.iter().zip(respell(text, &starts, &names, &mixed)) {
        columns[*place] = vec![cells];
    }
    let buffers = buffers(text, sides);
    let named = names.into_iter().zip(columns).zip(kinds).map(|((name, parts), kind)| (name, parts, Some(kind))).collect();
    let columns = join_all(named, &buffers).ok_or_else(|| Refusal::TooLarge("its text could not be addressed".to_owned()))?;
    Ok(Table { columns, starts, lengths, warnings })
}

/// In columns of several kinds (`mixed`, places in `names`) every cell is JSON: strings stand in their quotes.
fn respell(text: &[u8], starts: &[u64], names: &[String], mixed: &[usize]) -> Vec<Cells> {
    let mut columns = vec![Cells::default(); mixed.len()];
    if mixed.is_empty() {
        return columns;
    }
    let places: HashMap<&[u8], usize> = mixed.iter().enumerate().map(|(i, place)| (names[*place].as_bytes(), i)).collect();
    let (mut scratch, mut name) = (Vec::new(), Vec::new());
    for (row, start) in starts.iter().map(|start| *start as usize).enumerate() {
        let mut put = |name: &[u8], token: Token, span: (usize, usize)| {
            if let Some(place) = places.get(name) {
                let cells = &mut columns[*place];
                cells.views.truncate(row);
                cells.drop_nulls_from(row);
                if token == Token::Null { cells.push_null() } else { cells.views.push(view(text, span.0..span.1)) }
            }
        };
        if text.get(start) != Some(&b'{') {
            if let Ok((token, from, to)) = value(text, start) {
                put(BARE.as_bytes(), token, (from, to));
            }
        } else if members(text, start, &mut scratch).is_ok() {
            for member in &scratch {
                name.clear();
                unescape(&text[member.name.0 - 1..=member.name.1], &mut name);
                put(&name, member.token, member.value);
            }
        }
        for cells in &mut columns {
            if cells.views.len() <= row {
                cells.push_null();
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Table {
        read_lines(&text.to_owned().into_bytes().into(), &Progress::silent()).ok().expect("readable")
    }

    #[test]
    fn lines_become_columns_and_broken_ones_warnings() {
        let table = lines(
            "{\"a\": \"x\", \"n\": 1}\n\n{\"a\": 1,}\n{\"n\": 2.5, \"t\": [\"p\", 1]}\r\n{\"a\": \"\\u00e9\"} x\n{\"a\":\"z\",\"a\":\"last\"}",
        );
        assert_eq!(table.starts.len(), 3);
        assert_eq!(table.warnings.iter().map(|warning| warning.line).collect::<Vec<_>>(), [3, 5]);
        let column = |name: &str| table.columns.iter().find(|column| &*column.name == name).unwrap();
        assert_eq!((column("n").kind, column("t").kind, column("a").kind), (Kind::Number, Kind::List, Kind::Text));
        let cells: Vec<_> = (0..3).map(|row| column("a").text(row).map(|text| text.into_owned())).collect();
        assert_eq!(cells, [Some("x".into()), None, Some("last".into())]);
        assert_eq!(column("t").text(1).as_deref(), Some("[\"p\", 1]"));
    }

    #[test]
    fn an_array_is_read_past_a_broken_sample() {
        let text = "[\n  {\"a\": 1},\n  {\"a\": },\n  {\"a\": 3}\n]\n";
        let table = read_array(&text.to_owned().into_bytes().into(), &Progress::silent()).ok().expect("readable");
        assert_eq!(table.starts.len(), 2);
        assert_eq!(table.warnings[0].line, 3);
        assert_eq!(table.columns[0].text(1).as_deref(), Some("3"));
        for text in ["[{\"a\": {\"b\":1},\n{\"a\":2},\n{\"a\":3}\n]", "[{\"a\":1},{\"a\":},{\"a\":3},{\"a\":4}]"] {
            let table = read_array(&text.to_owned().into_bytes().into(), &Progress::silent());
            let rows = table.map_or(0, |table| table.starts.len());
            assert!(rows >= 2, "{text}: {rows}");
        }
    }

    #[test]
    fn names_without_end_are_refused_early() {
        let text = (0..40_000).map(|i| format!("{{\"k{i}\": 1}}")).collect::<Vec<_>>().join("\n");
        assert!(matches!(read_lines(&text.into_bytes().into(), &Progress::silent()), Err(Refusal::TooLarge(_))));
    }

    #[test]
    fn a_column_of_several_kinds_keeps_its_json() {
        let table = lines("{\"v\": \"a\\nb\"}\n{\"v\": 3}\n{\"v\": null}\n{\"w\": 1}\n");
        assert_eq!(table.columns[0].kind, Kind::Json);
        let cells: Vec<_> = (0..4).map(|row| table.columns[0].text(row).map(|text| text.into_owned())).collect();
        assert_eq!(cells, [Some("\"a\\nb\"".into()), Some("3".into()), None, None]);
    }
}
