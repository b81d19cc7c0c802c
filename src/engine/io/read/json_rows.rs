//! JSON values as columns: one sample a value, one column a name.
//!
//! Strings become their text; numbers, booleans, lists and objects keep their JSON spelling. A name that a sample lacks costs nothing.

use std::collections::HashMap;

use polars_buffer::Buffer;

use crate::data::{Column, Kind, Spelled, Warning, spelled};
use crate::io::read::budget::Budget;
use crate::io::read::columns::{Cells, MAX_COLUMNS, buffers, join_all, side_view, view};
use crate::io::read::faults::Faults;
use crate::io::read::json::{JsonError, JsonMember, JsonToken, members, not_finite, skip_space, unescape, value};
use crate::job::Cancelled;

/// The column that values stand in which are no objects.
pub const BARE: &str = "value";

/// JSON, read.
pub struct JsonTable {
    pub columns: Vec<Column>,
    /// Of a text that lies aside the columns' names and kinds: its cells are read where they stand.
    pub standing: Option<Vec<(String, Kind)>>,
    pub starts: Vec<u64>,
    pub lengths: Vec<u32>,
    pub warnings: Vec<Warning>,
    /// Rows that could not be read.
    pub unread: usize,
}

/// Why JSON cannot be read at all.
#[derive(Debug)]
pub enum JsonRefusal {
    /// What is wrong and where, in words.
    Broken(String),
    TooLarge(String),
    Cancelled,
}

impl From<Cancelled> for JsonRefusal {
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
    array: bool,
    object: bool,
}

impl Seen {
    fn note(&mut self, token: JsonToken, text: &[u8]) {
        match token {
            JsonToken::Null => {}
            JsonToken::Boolean => self.boolean = true,
            JsonToken::String { .. } => self.string = true,
            JsonToken::Array => self.array = true,
            JsonToken::Object => self.object = true,
            JsonToken::NotFinite => self.number = true,
            JsonToken::Integer | JsonToken::Number => {
                let whole = std::str::from_utf8(text).is_ok_and(|text| spelled(text) == Spelled::Integer);
                self.integer |= whole;
                self.number |= !whole;
            }
        }
    }

    fn join(&mut self, other: Self) {
        self.string |= other.string;
        self.boolean |= other.boolean;
        self.integer |= other.integer;
        self.number |= other.number;
        self.array |= other.array;
        self.object |= other.object;
    }

    /// The kind of the column; JSON where values are of several kinds.
    fn kind(self) -> Kind {
        match (self.string, self.boolean, self.integer || self.number, self.array, self.object) {
            (false, true, false, false, false) => Kind::Boolean,
            (false, false, true, false, false) if !self.number => Kind::Integer,
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
pub struct JsonPart {
    pub starts: Vec<u64>,
    pub lengths: Vec<u32>,
    names: Vec<String>,
    places: HashMap<Vec<u8>, usize>,
    cells: Vec<Cells>,
    seen: Vec<Seen>,
    side: Vec<u8>,
    /// That, once all of it is there.
    laid: Option<Buffer<u8>>,
    side_index: u32,
    scratch: Vec<JsonMember>,
    pub faults: Faults,
    /// Rows that could not be read.
    pub unread: usize,
    /// Whether `NaN` or an infinity may stand in the text.
    looks_for_odd: bool,
    taken: u64,
    /// Whether cells are read where they stand, and are not put down: then the row behind the last one that has each column.
    stands: bool,
    filled: Vec<usize>,
    /// Why nothing more can be taken in.
    pub full: Option<String>,
}

impl JsonPart {
    /// An empty part whose copied texts become the side buffer numbered `side_index`.
    pub fn new(text: &[u8], side_index: usize) -> Self {
        let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
        let looks_for_odd = has(b"NaN") || has(b"Infinity");
        Self { side_index: u32::try_from(side_index).unwrap_or(u32::MAX), looks_for_odd, ..Self::default() }
    }

    /// The same of a text that lies aside, where every sample has a place of its own.
    #[must_use]
    pub fn standing(self, budget: &Budget) -> Self {
        Self { stands: budget.is_aside(), ..self }
    }

    /// How many samples it has.
    pub fn rows(&self) -> usize {
        self.starts.len()
    }

    /// The place of the column called `name`.
    pub fn column(&mut self, name: &[u8]) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        if self.names.len() >= MAX_COLUMNS {
            self.full.get_or_insert_with(|| {
                "its samples have too many different names for what a dataset can lay out; if names are data, turn them into values first"
                    .to_owned()
            });
        }
        let place = self.names.len();
        self.names.push(String::from_utf8_lossy(name).into_owned());
        self.places.insert(name.to_vec(), place);
        self.cells.push(Cells::default());
        self.filled.push(0);
        self.seen.push(Seen::default());
        place
    }

    /// Puts the value at `span` into column `place` of row `row`; of one name twice in a row the later counts, as everywhere else.
    pub fn put(&mut self, text: &[u8], row: usize, place: usize, token: JsonToken, span: (usize, usize)) {
        if self.full.is_some() {
            return;
        }
        let cells = &mut self.cells[place];
        self.seen[place].note(token, &text[span.0..span.1]);
        if self.stands {
            self.filled[place] = if token == JsonToken::Null { 0 } else { row + 1 };
            return;
        }
        let view = match token {
            JsonToken::Null => return cells.clear_from(row),
            JsonToken::String { escaped: false } => view(text, span.0 + 1..span.1 - 1),
            JsonToken::String { escaped: true } => {
                let before = self.side.len();
                unescape(&text[span.0..span.1], &mut self.side);
                side_view(&self.side, self.side.len() - before, self.side_index)
            }
            _ => view(text, span.0..span.1),
        };
        self.taken += cells.put(row, view);
    }

    /// Puts a text that does not stand in the source into a row.
    pub fn put_text(&mut self, row: usize, place: usize, text: &str) {
        self.side.extend_from_slice(text.as_bytes());
        let view = side_view(&self.side, text.len(), self.side_index);
        self.seen[place].string = true;
        self.taken += self.cells[place].put(row, view) + text.len() as u64;
    }

    /// Puts a whole column down; where its values are of several kinds, as JSON.
    pub fn put_column(&mut self, text: &[u8], place: usize, cells: &[Option<(JsonToken, usize, usize)>]) {
        let mut seen = Seen::default();
        cells.iter().flatten().for_each(|(token, from, to)| seen.note(*token, &text[*from..*to]));
        let mixed = seen.kind() == Kind::Json;
        for (row, cell) in cells.iter().enumerate() {
            let Some((token, from, to)) = *cell else { continue };
            self.put(text, row, place, token, (from, to));
            if mixed && token != JsonToken::Null && self.full.is_none() {
                self.cells[place].put(row, view(text, from..to));
            }
        }
    }

    /// A new column called `name`, or as near to it as is free.
    pub fn free_column(&mut self, name: &str) -> usize {
        let names = (1..).map(|n| if n == 1 { name.to_owned() } else { format!("{name}_{n}") });
        let free = names.into_iter().find(|name| !self.places.contains_key(name.as_bytes()));
        self.column(free.unwrap_or_default().as_bytes())
    }

    /// Lays what was copied out of the text where it stays: nothing more comes.
    pub fn lay(&mut self, budget: &Budget) {
        self.laid = Some(budget.laid(std::mem::take(&mut self.side)));
    }

    /// Counts what was taken since the last time.
    pub fn count(&mut self, budget: &Budget) {
        if let Err(words) = budget.take(std::mem::take(&mut self.taken)) {
            self.full.get_or_insert(words);
        }
    }

    /// Reads the sample at `at`; returns where it ends. Nothing is put down where it cannot be read.
    ///
    /// # Errors
    /// [`JsonError`] at the first byte that cannot be.
    pub fn sample(&mut self, text: &[u8], at: usize) -> Result<usize, JsonError> {
        let (row, start) = (self.rows(), skip_space(text, at));
        let mut scratch = std::mem::take(&mut self.scratch);
        let found = if text.get(start) == Some(&b'{') {
            members(text, start, &mut scratch)
        } else {
            value(text, start).map(|(token, from, to)| {
                scratch.clear();
                let place = self.column(BARE.as_bytes());
                self.put(text, row, place, token, (from, to));
                to
            })
        };
        let end = match found {
            Ok(end) => end,
            Err(error) => {
                self.scratch = scratch;
                return Err(error);
            }
        };
        let (mut name, mut twice) = (Vec::new(), None);
        for member in &scratch {
            let place = if member.escaped {
                name.clear();
                unescape(&text[member.name.0 - 1..=member.name.1], &mut name);
                self.column(&name)
            } else {
                self.column(&text[member.name.0..member.name.1])
            };
            if self.cells[place].reaches(row) || self.filled[place] > row {
                twice.get_or_insert(place);
            }
            self.put(text, row, place, member.token, member.value);
        }
        self.scratch = scratch;
        if let Some(place) = twice {
            let name = &self.names[place];
            self.faults.note(start, || format!("the name {name:?} stands twice in one sample: the later value counts"));
        }
        let Ok(length) = u32::try_from(end - start) else {
            self.clear_from_row();
            return Err(JsonError { at: start, what: "a sample is longer than 4 GB" });
        };
        if self.looks_for_odd
            && let Some(odd) = not_finite(&text[start..end])
        {
            self.faults.note(start + odd, || "NaN and Infinity are not JSON: they are kept as they are spelled".to_owned());
        }
        self.starts.push(start as u64);
        self.lengths.push(length);
        self.taken += 12;
        Ok(end)
    }

    /// Forgets cells of a row that is none after all.
    pub fn clear_from_row(&mut self) {
        let row = self.rows();
        self.cells.iter_mut().for_each(|cells| cells.clear_from(row));
    }

    /// Notes a row that could not be read.
    pub fn lose(&mut self, at: usize, reason: impl FnOnce() -> String) {
        self.unread += 1;
        self.faults.note(at, reason);
    }
}

/// The parts as one table. Where `rows` says so, their samples have no places of their own in the text.
///
/// # Errors
/// [`JsonRefusal::TooLarge`].
pub fn gather(text: &Buffer<u8>, mut parts: Vec<JsonPart>, rows: Option<usize>) -> Result<JsonTable, JsonRefusal> {
    let mut names: Vec<String> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut seen: Vec<Seen> = Vec::new();
    for part in &mut parts {
        if let Some(words) = part.full.take() {
            return Err(JsonRefusal::TooLarge(words));
        }
        for (name, look) in part.names.iter().zip(&part.seen) {
            let place = *places.entry(name.clone()).or_insert_with(|| {
                names.push(name.clone());
                seen.push(Seen::default());
                names.len() - 1
            });
            seen[place].join(*look);
        }
    }
    if names.len() > MAX_COLUMNS {
        let what = "if names are data, turn them into values first";
        return Err(JsonRefusal::TooLarge(format!("its samples have {} different names; {what}", names.len())));
    }
    let warnings = Faults::joined(parts.iter_mut().map(|part| std::mem::take(&mut part.faults))).warnings(text);
    let unread = parts.iter().map(|part| part.unread).sum();
    let stands = rows.is_none() && parts.iter().all(|part| part.stands);
    let total: usize = parts.iter().map(JsonPart::rows).sum();
    let (mut starts, mut lengths, mut sides) = (Vec::with_capacity(total), Vec::with_capacity(total), Vec::new());
    let mut columns: Vec<Vec<(Cells, usize)>> = (0..names.len()).map(|_| Vec::with_capacity(parts.len())).collect();
    for mut part in parts {
        let rows = rows.unwrap_or(part.rows());
        for (name, column) in names.iter().zip(&mut columns) {
            let place = part.places.get(name.as_bytes()).copied();
            let cells = place.map(|place| std::mem::take(&mut part.cells[place])).unwrap_or_default();
            column.push((cells, rows));
        }
        starts.extend_from_slice(&part.starts);
        lengths.extend_from_slice(&part.lengths);
        sides.push(part.laid.take().unwrap_or_else(|| std::mem::take(&mut part.side).into()));
    }
    let kinds: Vec<Kind> = seen.iter().map(|look| look.kind()).collect();
    if stands {
        let standing = Some(names.into_iter().zip(kinds).collect());
        return Ok(JsonTable { columns: Vec::new(), standing, starts, lengths, warnings, unread });
    }
    let mixed: Vec<usize> = (0..names.len()).filter(|place| kinds[*place] == Kind::Json).collect();
    if rows.is_none() {
        for (place, cells) in mixed.iter().zip(respell(text, &starts, &names, &mixed)) {
            columns[*place] = vec![(cells, total)];
        }
    }
    let buffers = buffers(text, sides);
    let named = names.into_iter().zip(columns).zip(kinds).map(|((name, parts), kind)| (name, parts, Some(kind))).collect();
    let columns = join_all(named, &buffers).ok_or_else(|| JsonRefusal::TooLarge("its text could not be addressed".to_owned()))?;
    Ok(JsonTable { columns, standing: None, starts, lengths, warnings, unread })
}

/// In columns of several kinds (`mixed`, places in `names`) every cell is JSON: strings stand in their quotes.
fn respell(text: &[u8], starts: &[u64], names: &[String], mixed: &[usize]) -> Vec<Cells> {
    let mut columns = vec![Cells::default(); mixed.len()];
    if mixed.is_empty() {
        return columns;
    }
    let places: HashMap<&[u8], usize> = mixed.iter().enumerate().map(|(i, place)| (names[*place].as_bytes(), i)).collect();
    let (mut scratch, mut name) = (Vec::new(), Vec::new());
    for (row, start) in starts.iter().map(|start| usize::try_from(*start).unwrap_or(usize::MAX)).enumerate() {
        let mut put = |name: &[u8], token: JsonToken, span: (usize, usize)| {
            if let Some(place) = places.get(name) {
                let cells = &mut columns[*place];
                if token == JsonToken::Null {
                    cells.clear_from(row);
                } else {
                    cells.put(row, view(text, span.0..span.1));
                }
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
    }
    columns
}
