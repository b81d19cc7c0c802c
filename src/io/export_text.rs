//! Saving as text: CSV, TSV, JSON Lines, JSON.
//!
//! Into the source's own format, what was not edited is copied byte for byte from the source's text: rows, what stands
//! between them, header, byte-order mark. Only an edited cell is written anew, in the style of the one it replaces.

use std::io::Write;

use encoding_rs::{Encoding, UTF_8};

use super::delimited::{RowParser, skip_blank, write_field};
use super::error::IoError;
use super::export::{Source, Target, cell, changed, columns, row_of};
use super::json::{Member, members, skip_space};
use super::json_rows::BARE;
use super::save::write_error;
use super::source::{encode, encode_plain};
use crate::data::{Dataset, Format, Kind, Raw, SampleId, Shape, native};
use crate::job::Progress;

/// Writes `ids` as text.
///
/// # Errors
/// [`IoError`].
pub fn write(
    dataset: &Dataset,
    ids: &[SampleId],
    target: &Target,
    progress: &Progress,
    notes: &mut Vec<String>,
    out: &mut dyn Write,
) -> Result<(), IoError> {
    if let Some(raw) = dataset.base.raw.as_ref().filter(|_| dataset.base.origin.format == target.format) {
        let encoding = if target.utf8 { UTF_8 } else { Encoding::for_label(raw.encoding.as_bytes()).unwrap_or(UTF_8) };
        let sink = Sink { out, target, raw, encoding, end: raw.line_end(), buffer: Vec::new() };
        return like_source(dataset, ids, sink, progress, notes);
    }
    anew(dataset, ids, target, progress, notes, out)
}

/// Collects bytes in the file's encoding and passes them on.
struct Sink<'a> {
    out: &'a mut dyn Write,
    target: &'a Target,
    raw: &'a Raw,
    encoding: &'static Encoding,
    /// The line end that the file uses.
    end: &'static str,
    buffer: Vec<u8>,
}

/// A row that is written anew: pieces of the source, which keep their own bytes, and new text between them.
#[derive(Default)]
struct Line {
    pieces: Vec<Piece>,
}

enum Piece {
    Copy(std::ops::Range<usize>),
    New(Vec<u8>),
}

impl Line {
    fn copy(&mut self, range: std::ops::Range<usize>) {
        self.pieces.push(Piece::Copy(range));
    }

    fn new_text(&mut self, text: &[u8]) {
        if let Some(Piece::New(last)) = self.pieces.last_mut() {
            last.extend_from_slice(text);
        } else {
            self.pieces.push(Piece::New(text.to_vec()));
        }
    }
}

impl Sink<'_> {
    /// A piece of the source, as it stands in the file.
    fn copy(&mut self, range: std::ops::Range<usize>) -> Result<(), IoError> {
        let patches = if self.target.utf8 { &[][..] } else { &self.raw.patches };
        let piece = &self.raw.text[range.clone()];
        if self.encoding == UTF_8 && patches.is_empty() {
            return self.pass(piece);
        }
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        encode(piece, range.start, self.encoding, patches, &mut bytes).map_err(|letter| self.unfit(letter))?;
        let done = self.pass(&bytes);
        self.buffer = bytes;
        done
    }

    /// New text.
    fn text(&mut self, text: &[u8]) -> Result<(), IoError> {
        if self.encoding == UTF_8 {
            return self.pass(text);
        }
        let mut bytes = Vec::new();
        encode_plain(text, self.encoding, &mut bytes).map_err(|letter| self.unfit(letter))?;
        self.pass(&bytes)
    }

    fn pass(&mut self, bytes: &[u8]) -> Result<(), IoError> {
        self.out.write_all(bytes).map_err(|error| write_error(&self.target.path, &error))
    }

    fn unfit(&self, letter: char) -> IoError {
        let name = self.encoding.name();
        let reason = format!("{name} has no {letter:?}; save it as UTF-8 instead");
        IoError::Unfit { format: format!("{} in {name}", self.target.format.title()), reason }
    }
}

fn like_source(
    dataset: &Dataset,
    ids: &[SampleId],
    mut sink: Sink<'_>,
    progress: &Progress,
    notes: &mut Vec<String>,
) -> Result<(), IoError> {
    let raw = sink.raw;
    let own = sink.target.own_columns;
    let added: Vec<(String, Kind, Source)> = columns(dataset, own)
        .into_iter()
        .filter(|(_, _, source)| !matches!(source, Source::Field(field) if dataset.fields()[*field].source.is_some()))
        .collect();
    let edited: Vec<usize> = (0..dataset.fields().len())
        .filter(|field| dataset.fields()[*field].source.is_some())
        .filter(|field| dataset.fields()[*field].is_edited() || dataset.made() > 0)
        .collect();
    let whole = ids.len() == dataset.rows();
    let end = sink.end;
    if !sink.target.utf8 {
        sink.pass(raw.mark)?;
    }
    match raw.shape {
        Shape::Delimited(dialect) => {
            if dialect.header && !added.is_empty() {
                header_with(raw, dialect.delimiter, &added, &mut sink)?;
            } else {
                sink.copy(raw.head())?;
            }
        }
        Shape::JsonLines if !whole => {}
        Shape::JsonArray if ids.is_empty() && !whole => return sink.text(format!("[]{end}").as_bytes()),
        Shape::JsonLines | Shape::JsonArray => sink.copy(raw.head())?,
    }
    let mut left_out = 0_usize;
    for (at, id) in ids.iter().enumerate() {
        let made = dataset.is_made(*id);
        let touched = made || !added.is_empty() || edited.iter().any(|field| dataset.edited(*field, *id).is_some());
        if touched {
            let mut line = Line::default();
            match raw.shape {
                Shape::Delimited(dialect) => {
                    let whole = delimited_row(dataset, raw, *id, dialect.delimiter, &edited, &added, &mut line);
                    left_out += usize::from(!whole);
                }
                _ => json_row(dataset, raw, *id, &edited, &added, &mut line),
            }
            for piece in line.pieces {
                match piece {
                    Piece::Copy(range) => sink.copy(range)?,
                    Piece::New(text) => sink.text(&text)?,
                }
            }
        } else {
            sink.copy(raw.span(id.row()))?;
        }
        let next = ids.get(at + 1).map(|next| (!dataset.is_made(*next)).then(|| next.row()));
        separator(raw, (!made).then(|| id.row()), next, &mut sink)?;
        if at % 4_096 == 4_095 {
            progress.step(4_096)?;
        }
    }
    if left_out > 0 {
        notes.push(format!("{left_out} rows had more fields than columns: those are left out, because a column was added"));
    }
    Ok(())
}

/// What stands between sample `row` and the one written next, or after the last. A made sample has no row.
#[allow(clippy::option_option)]
fn separator(raw: &Raw, row: Option<usize>, next: Option<Option<usize>>, sink: &mut Sink<'_>) -> Result<(), IoError> {
    let last_row = raw.starts.len() - 1;
    let end = sink.end;
    match (next, raw.shape) {
        (Some(Some(next)), _) if row.is_some_and(|row| next == row + 1) => sink.copy(raw.gap(next - 1)),
        (None, _) if row == Some(last_row) => sink.copy(raw.gap(last_row)),
        (None, Shape::JsonArray) => sink.copy(raw.gap(last_row)),
        (Some(_), Shape::JsonArray) => {
            // What is made stands like what comes from the file: as the first two samples do.
            let gap = raw.gap(row.unwrap_or(0));
            let text = &raw.text[gap.clone()];
            let plain = memchr::memchr_iter(b',', text).count() == 1
                && text.iter().all(|byte| matches!(byte, b',' | b' ' | b'\t' | b'\n' | b'\r'));
            if plain { sink.copy(gap) } else { sink.text(format!(",{end}").as_bytes()) }
        }
        // Only the line's own end: broken lines after it belong to no sample.
        (Some(_), _) => sink.text(end.as_bytes()),
        (None, _) => {
            let closed = raw.text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r'));
            if closed { sink.text(end.as_bytes()) } else { Ok(()) }
        }
    }
}

fn header_with(raw: &Raw, delimiter: u8, added: &[(String, Kind, Source)], sink: &mut Sink<'_>) -> Result<(), IoError> {
    let mut fields = Vec::new();
    let start = skip_blank(&raw.text, 0);
    let (end, _) = RowParser::new(&raw.text, delimiter).row(start, &mut fields);
    sink.copy(0..end)?;
    let mut names = Vec::new();
    for (name, _, _) in added {
        names.push(delimiter);
        write_field(name, delimiter, false, &mut names);
    }
    sink.text(&names)?;
    sink.copy(end..raw.head().end)?;
    // A header alone may lack its line end.
    if raw.starts.is_empty() || raw.head().end > end { Ok(()) } else { sink.text(sink.end.as_bytes()) }
}

/// Returns whether every field of the row was written.
fn delimited_row(
    dataset: &Dataset,
    raw: &Raw,
    id: SampleId,
    delimiter: u8,
    edited: &[usize],
    added: &[(String, Kind, Source)],
    line: &mut Line,
) -> bool {
    let mut fields = Vec::new();
    RowParser::new(&raw.text, delimiter).row(raw.span(row_of(dataset, id)).start, &mut fields);
    let width = dataset.base.columns.len();
    let change = |column: usize| {
        let field = edited.iter().find(|field| dataset.fields()[**field].source == Some(column))?;
        changed(dataset, *field, id)
    };
    let last_edited = (0..width).rev().find(|column| change(*column).is_some()).map_or(0, |column| column + 1);
    let shown = if added.is_empty() { fields.len().max(last_edited) } else { width };
    let mut text_of = Vec::new();
    for column in 0..shown {
        if column > 0 {
            line.new_text(&[delimiter]);
        }
        let old = fields.get(column);
        match if column < width { change(column) } else { None } {
            Some(text) => {
                let text = text.unwrap_or_default();
                // A row of one empty field would be no row at all.
                let quoted = old.is_some_and(|field| field.quoted) || (shown == 1 && text.is_empty());
                text_of.clear();
                write_field(&text, delimiter, quoted, &mut text_of);
                line.new_text(&text_of);
            }
            None => {
                if let Some(field) = old {
                    line.copy(field.whole.clone());
                }
            }
        }
    }
    for (_, _, source) in added {
        text_of.clear();
        text_of.push(delimiter);
        write_field(&cell(dataset, source, id).unwrap_or_default(), delimiter, false, &mut text_of);
        line.new_text(&text_of);
    }
    shown >= fields.len()
}

/// A cell as a JSON value. Text that is no JSON of its kind stands in quotes, so that nothing is lost.
fn literal(text: Option<&str>, kind: Kind, out: &mut String) {
    let Some(text) = text else { return out.push_str("null") };
    match kind {
        Kind::Text | Kind::Time => native::quote(text, out),
        _ if text.is_empty() => out.push_str("null"),
        _ if super::json::value(text.as_bytes(), 0).is_ok_and(|(_, _, end)| skip_space(text.as_bytes(), end) == text.len()) => {
            one_line(text, out);
        }
        _ => native::quote(text, out),
    }
}

/// JSON without its line ends, which stand between values only: strings cannot hold one.
fn one_line(text: &str, out: &mut String) {
    for (i, line) in text.split(['\n', '\r']).enumerate() {
        let line = if i == 0 { line } else { line.trim_start() };
        if i > 0 && out.ends_with(',') && !line.is_empty() {
            out.push(' ');
        }
        out.push_str(line);
    }
}

fn json_row(dataset: &Dataset, raw: &Raw, id: SampleId, edited: &[usize], added: &[(String, Kind, Source)], line: &mut Line) {
    let span = raw.span(row_of(dataset, id));
    let row = &raw.text[span.clone()];
    let mut list: Vec<Member> = Vec::new();
    // What a cell is written as follows the source's own kind: reading a text column as numbers does not unquote it.
    let mut changes: Vec<(String, String)> = Vec::new();
    for field in edited {
        if let Some(text) = changed(dataset, *field, id) {
            let column = &dataset.fields()[*field];
            let mut value = String::new();
            literal(text.as_deref(), column.source.map_or(column.kind, |source| dataset.base.columns[source].kind), &mut value);
            changes.push((column.name.to_string(), value));
        }
    }
    for (name, kind, source) in added {
        let mut value = String::new();
        literal(cell(dataset, source, id).as_deref(), *kind, &mut value);
        changes.push((name.clone(), value));
    }
    let start = span.start;
    if row.first() != Some(&b'{') || members(row, 0, &mut list).is_err() {
        bare_value(span, &changes, added.is_empty(), line);
        return;
    }
    let mut replacements: Vec<(usize, usize, String)> = Vec::new();
    let mut insertions: Vec<(String, String)> = Vec::new();
    for (name, value) in changes {
        let found = list.iter().rev().find(|member| {
            let mut unescaped = Vec::new();
            super::json::unescape(&row[member.name.0 - 1..=member.name.1], &mut unescaped);
            unescaped == name.as_bytes()
        });
        match found {
            Some(member) => replacements.push((member.value.0, member.value.1, value)),
            None => insertions.push((name, value)),
        }
    }
    replacements.sort_unstable_by_key(|(start, ..)| *start);
    let mut at = 0;
    for (from, to, value) in replacements {
        line.copy(start + at..start + from);
        line.new_text(value.as_bytes());
        at = to;
    }
    let close = list.last().map_or(row.len() - 1, |member| member.value.1);
    line.copy(start + at..start + close);
    // New members follow the style of the ones there are.
    let colon = list.first().map_or(&b": "[..], |member| &row[member.name.1 + 1..member.value.0]);
    let spaced: &[u8] = if colon.ends_with(b" ") { b", " } else { b"," };
    let comma = match list.as_slice() {
        [first, second, ..] => &row[first.value.1..second.name.0 - 1],
        _ => spaced,
    };
    for (i, (name, value)) in insertions.iter().enumerate() {
        if i > 0 || !list.is_empty() {
            line.new_text(comma);
        }
        let mut quoted = String::new();
        native::quote(name, &mut quoted);
        line.new_text(quoted.as_bytes());
        line.new_text(colon);
        line.new_text(value.as_bytes());
    }
    line.copy(start + close..start + row.len());
}

/// A sample that is no object: its value alone where only that was changed, else an object that holds it beside the rest.
fn bare_value(span: std::ops::Range<usize>, changes: &[(String, String)], alone: bool, line: &mut Line) {
    let own = changes.iter().find(|(name, _)| name == BARE);
    let value = |line: &mut Line| match own {
        Some((_, text)) => line.new_text(text.as_bytes()),
        None => line.copy(span.clone()),
    };
    if alone && changes.len() == usize::from(own.is_some()) {
        return value(line);
    }
    line.new_text(format!("{{\"{BARE}\": ").as_bytes());
    value(line);
    for (name, text) in changes.iter().filter(|(name, _)| name != BARE) {
        let mut quoted = String::from(", ");
        native::quote(name, &mut quoted);
        line.new_text(format!("{quoted}: {text}").as_bytes());
    }
    line.new_text(b"}");
}

/// Writes text of a format that the source does not have.
fn anew(
    dataset: &Dataset,
    ids: &[SampleId],
    target: &Target,
    progress: &Progress,
    notes: &mut Vec<String>,
    out: &mut dyn Write,
) -> Result<(), IoError> {
    let columns = columns(dataset, target.own_columns);
    let mut pass = |bytes: &[u8]| out.write_all(bytes).map_err(|error| write_error(&target.path, &error));
    let mut line: Vec<u8> = Vec::new();
    let delimiter = if target.format == Format::Tsv { b'\t' } else { b',' };
    let delimited = matches!(target.format, Format::Csv | Format::Tsv);
    if delimited {
        for (i, (name, ..)) in columns.iter().enumerate() {
            if i > 0 {
                line.push(delimiter);
            }
            write_field(name, delimiter, false, &mut line);
        }
        line.push(b'\n');
        pass(&line)?;
    } else if target.format == Format::Json {
        pass(b"[")?;
    }
    let mut odd = 0_usize;
    for (at, id) in ids.iter().enumerate() {
        line.clear();
        if delimited {
            for (i, (_, _, source)) in columns.iter().enumerate() {
                if i > 0 {
                    line.push(delimiter);
                }
                let text = cell(dataset, source, *id).unwrap_or_default();
                write_field(&text, delimiter, columns.len() == 1 && text.is_empty(), &mut line);
            }
            line.push(b'\n');
        } else {
            if target.format == Format::Json {
                line.extend_from_slice(if at == 0 { b"\n  " } else { b",\n  " });
            }
            let mut object = String::from("{");
            for (i, (name, kind, source)) in columns.iter().enumerate() {
                if i > 0 {
                    object.push_str(", ");
                }
                native::quote(name, &mut object);
                object.push_str(": ");
                let text = cell(dataset, source, *id);
                if matches!(kind, Kind::Number) && text.as_deref().is_some_and(|text| matches!(text, "NaN" | "inf" | "-inf")) {
                    odd += 1;
                }
                literal(text.as_deref(), *kind, &mut object);
            }
            object.push('}');
            line.extend_from_slice(object.as_bytes());
            if target.format == Format::JsonLines {
                line.push(b'\n');
            }
        }
        pass(&line)?;
        if at % 4_096 == 4_095 {
            progress.step(4_096)?;
        }
    }
    if target.format == Format::Json {
        pass(if ids.is_empty() { b"]\n" } else { b"\n]\n" })?;
    }
    if odd > 0 {
        notes.push(format!("{odd} numbers are NaN or infinite, which JSON does not have: they are saved as text"));
    }
    Ok(())
}
