//! Cells that are read where they stand: of a text that lies aside a row costs its place alone, however many columns it has, and a cell is found in its row when somebody asks.

use std::borrow::Cow;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::columns::{CellRows, infer_all};
use super::delimited::{FieldSpan, RowParser, unquote};
use super::json::{JsonMember, JsonToken, members, unescape, value};
use super::json_rows::BARE;
use crate::data::{Column, Kind, Odd, StandingCells};

/// Where rows stand in a text.
#[derive(Clone)]
pub struct RowPlaces {
    pub text: Buffer<u8>,
    pub starts: Arc<Vec<u64>>,
    pub lengths: Arc<Vec<u32>>,
}

impl RowPlaces {
    fn span(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(*self.starts.get(row)?).ok()?;
        Some(start..start + *self.lengths.get(row)? as usize)
    }
}

/// A column of a delimited text.
struct FieldCells {
    places: RowPlaces,
    delimiter: u8,
    /// The byte that ends a line.
    end: u8,
    place: usize,
}

impl StandingCells for FieldCells {
    fn rows(&self) -> usize {
        self.places.starts.len()
    }

    fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        let span = self.places.span(row)?;
        let row = &self.places.text[span];
        said(row, &RowParser::within(row, self.delimiter, self.end).field(self.place)?)
    }
}

/// What a field of a row says.
fn said<'t>(row: &'t [u8], field: &FieldSpan) -> Option<Cow<'t, str>> {
    if !field.escaped {
        return std::str::from_utf8(&row[field.body.clone()]).ok().map(Cow::Borrowed);
    }
    let mut out = Vec::new();
    unquote(row, field, &mut out);
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// All columns of a delimited text.
struct FieldRows<'p> {
    places: &'p RowPlaces,
    delimiter: u8,
    end: u8,
    columns: usize,
}

impl CellRows for FieldRows<'_> {
    fn row(&self, row: usize, take: &mut impl FnMut(usize, &str)) {
        let Some(span) = self.places.span(row) else { return };
        let row = &self.places.text[span];
        RowParser::within(row, self.delimiter, self.end).fields(self.columns, |place, field| {
            if let Some(text) = said(row, &field) {
                take(place, &text);
            }
        });
    }
}

/// The columns of a delimited text, each with how many rows lack it; kinds are what their cells allow.
pub fn field_columns(places: &RowPlaces, (delimiter, end): (u8, u8), names: Vec<(String, usize)>) -> Vec<Column> {
    let rows = places.starts.len();
    let there: Vec<usize> = names.iter().map(|(_, missing)| rows - missing.min(&rows)).collect();
    let kinds = infer_all(&FieldRows { places, delimiter, end, columns: names.len() }, rows, &there);
    let column = |(place, ((name, _), (kind, odd))): (usize, ((String, usize), _))| {
        Column::standing(&name, kind, Arc::new(FieldCells { places: places.clone(), delimiter, end, place })).with_odd(odd)
    };
    names.into_iter().zip(kinds).enumerate().map(column).collect()
}

/// A column of JSON values.
struct MemberCells {
    places: RowPlaces,
    name: Vec<u8>,
    /// Whether its cells are JSON, strings in their quotes: they are of several kinds.
    mixed: bool,
}

impl MemberCells {
    fn found<'t>(&self, text: &'t [u8], (token, from, to): (JsonToken, usize, usize)) -> Option<Cow<'t, str>> {
        let plain = |part: &'t [u8]| std::str::from_utf8(part).ok().map(Cow::Borrowed);
        match token {
            JsonToken::Null => None,
            JsonToken::String { escaped: false } if !self.mixed => plain(&text[from + 1..to - 1]),
            JsonToken::String { escaped: true } if !self.mixed => {
                let mut out = Vec::new();
                unescape(&text[from..to], &mut out);
                String::from_utf8(out).ok().map(Cow::Owned)
            }
            _ => plain(&text[from..to]),
        }
    }
}

impl StandingCells for MemberCells {
    fn rows(&self) -> usize {
        self.places.starts.len()
    }

    fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        let row = &self.places.text[self.places.span(row)?];
        if row.first() != Some(&b'{') {
            let found = value(row, 0).ok()?;
            return if self.name == BARE.as_bytes() { self.found(row, found) } else { None };
        }
        let mut list: Vec<JsonMember> = Vec::new();
        members(row, 0, &mut list).ok()?;
        // Of one name twice the later counts.
        let own = list.iter().rev().find(|member| {
            if !member.escaped {
                return row[member.name.0..member.name.1] == *self.name;
            }
            let mut name = Vec::new();
            unescape(&row[member.name.0 - 1..=member.name.1], &mut name);
            name == self.name
        })?;
        self.found(row, (own.token, own.value.0, own.value.1))
    }
}

/// The columns of JSON values, each with its kind.
pub fn member_columns(places: &RowPlaces, names: Vec<(String, Kind)>) -> Vec<Column> {
    let column = |(name, kind): (String, Kind)| {
        let cells = MemberCells { places: places.clone(), name: name.clone().into_bytes(), mixed: kind == Kind::Json };
        Column::standing(&name, kind, Arc::new(cells)).with_odd(Odd::default())
    };
    names.into_iter().map(column).collect()
}
