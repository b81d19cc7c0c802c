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
const BARE: &str = "value";

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
}

impl Part {
    fn column(&mut self, name: &[u8]) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
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
            self.cells[place].nulls.retain(|at| *at as usize != rows);
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
            cells.nulls.retain(|at| (*at as usize) < rows);
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
            Ok(part)
        })
        .collect::<Result<Vec<Part>, Cancelled>>()?;
    if parts.iter().all(|part| part.starts.is_empty())
        && let Some((at, reason)) = parts.iter().flat_map(|part| &part.odd).next()
    {
        return Err(Refusal::Broken(format!("line {}: {reason}", line_of(bytes, *at))));
    }
    gather(text, parts)
}

fn read_line_part(bytes: &[u8], start: usize, end: usize, side: u32) -> Part {
    let (mut part, mut scratch, mut at) = (Part::default(), Vec::new(), start);
    while at < end {
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
    while !closed {
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
        if part.starts.is_empty() {
            return Err(broken(&error));
        }
        part.odd.push((error.at.min(bytes.len()), format!("{}: what stands here is left out", error.what)));
        // Go on at the next line that begins with an object.
        match next_object(bytes, error.at.max(at + 1)) {
            Some(next) => at = next,
            None => break,
        }
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

fn next_object(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from.min(bytes.len());
    while let Some(found) = memchr::memchr(b'\n', &bytes[at..]) {
        at = skip_space(bytes, at + found + 1);
        if bytes.get(at) == Some(&b'{') {
            return Some(at);
        }
    }
    None
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
    if names.len() > MAX_COLUMNS || rows.saturating_mul(names.len()) > 1 << 32 {
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
    for ((name, column), _) in names.iter().zip(&mut columns).zip(&kinds).filter(|(_, kind)| **kind == Kind::Json) {
        *column = vec![respell(text, &starts, name)];
    }
    let buffers = buffers(text, sides);
    let named = names.into_iter().zip(columns).zip(kinds).map(|((name, parts), kind)| (name, parts, Some(kind))).collect();
    let columns = join_all(named, &buffers).ok_or_else(|| Refusal::TooLarge("its text could not be addressed".to_owned()))?;
    Ok(Table { columns, starts, lengths, warnings })
}

/// In a column of several kinds every cell is JSON: strings stand in their quotes.
fn respell(text: &[u8], starts: &[u64], name: &str) -> Cells {
    let (mut cells, mut scratch, mut found) = (Cells::default(), Vec::new(), Vec::new());
    for start in starts.iter().map(|start| *start as usize) {
        let mut cell = None;
        if text.get(start) == Some(&b'{') {
            if members(text, start, &mut scratch).is_ok() {
                for member in &scratch {
                    found.clear();
                    unescape(&text[member.name.0 - 1..=member.name.1], &mut found);
                    if found == name.as_bytes() {
                        cell = Some((member.token, member.value));
                    }
                }
            }
        } else if name == BARE {
            cell = value(text, start).ok().map(|(token, from, to)| (token, (from, to)));
        }
        match cell {
            Some((token, (from, to))) if token != Token::Null => cells.views.push(view(text, from..to)),
            _ => cells.push_null(),
        }
    }
    cells
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
    }

    #[test]
    fn a_column_of_several_kinds_keeps_its_json() {
        let table = lines("{\"v\": \"a\\nb\"}\n{\"v\": 3}\n{\"v\": null}\n{\"w\": 1}\n");
        assert_eq!(table.columns[0].kind, Kind::Json);
        let cells: Vec<_> = (0..4).map(|row| table.columns[0].text(row).map(|text| text.into_owned())).collect();
        assert_eq!(cells, [Some("\"a\\nb\"".into()), Some("3".into()), None, None]);
    }
}
