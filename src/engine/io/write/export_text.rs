//! Saving as text: CSV, TSV, JSON Lines, JSON.
//!
//! Into the source's own format, what was not edited is copied byte for byte from the source's text: rows, what stands
//! between them, header, byte-order mark. Only an edited cell is written anew, in the style of the one it replaces.

use std::borrow::Cow;
use std::io::Write;

use encoding_rs::{Encoding, UTF_8};

use crate::data::{Base, Dataset, Format, Kind, Raw, SampleId, SampleSet, Segment, Shape, Spelled, native, spelled};
use crate::io::error::IoError;
use crate::io::read::delimited::{RowParser, skip_blank, write_field};
use crate::io::read::json::{JsonMember, JsonToken, members, skip_space};
use crate::io::read::json_rows::BARE;
use crate::io::read::source::{encode, encode_plain};
use crate::io::write::arranged::Arranged;
use crate::io::write::rows::{CellSource, SaveTarget, all_columns, cell, changed, columns, own_row};
use crate::io::write::save::write_error;
use crate::job::Progress;

/// Writes `ids` as text.
///
/// # Errors
/// [`IoError`].
pub fn write(
    dataset: &Dataset,
    ids: &[SampleId],
    target: &SaveTarget,
    progress: &Progress,
    notes: &mut Vec<String>,
    out: &mut dyn Write,
) -> Result<(), IoError> {
    let raw = dataset.base.raw.as_ref();
    let own = dataset.base.origin.format == target.format;
    if let Some(raw) = raw.filter(|raw| own && keeps_form(dataset, ids, raw, target)) {
        let encoding = if target.utf8 { UTF_8 } else { Encoding::for_label(raw.encoding.as_bytes()).unwrap_or(UTF_8) };
        let sink = Sink { out, target, raw, encoding, end: raw.line_end(), buffer: Vec::new() };
        return like_source(dataset, ids, sink, progress, notes);
    }
    if let Some(raw) = raw.filter(|raw| matches!(raw.shape, Shape::JsonParts | Shape::JsonColumns) && target.format.is_json()) {
        let form = if raw.shape == Shape::JsonParts { "lists for the parts of a split" } else { "columns" };
        notes.push(format!("the source is one object of {form}: this is written as samples, one after the other"));
    }
    unread_note(dataset, false, notes);
    anew(dataset, ids, target, progress, notes, out)
}

/// Whether samples can be written in the very form of the source: always where each has a place of its own in one list; where they have
/// several lists, only all of them; where they have columns, only all of them as they are.
fn keeps_form(dataset: &Dataset, ids: &[SampleId], raw: &Raw, target: &SaveTarget) -> bool {
    if Arranged::of(dataset).is_some() {
        return false;
    }
    let whole = ids.len() == dataset.rows() && dataset.rows() == dataset.base.rows;
    // Without a sample of its own there is no row to be like.
    if raw.starts.is_empty() && raw.shape != Shape::JsonColumns && !ids.is_empty() {
        return false;
    }
    match raw.shape {
        Shape::JsonParts => whole,
        Shape::JsonColumns => {
            let as_it_is = dataset.fields().iter().all(|field| field.source.is_some() && !field.is_edited());
            whole && as_it_is && !target.own_columns
        }
        _ => true,
    }
}

/// Says how many rows of the sources could not be read and are not in what is saved; `own`: those of the dataset's own source are in it.
pub fn unread_note(dataset: &Dataset, own: bool, notes: &mut Vec<String>) {
    let stays = if own { sources(dataset).next().map_or(0, |base| base.unread) } else { 0 };
    if stays > 0 {
        let rows = if stays == 1 { "1 row".to_owned() } else { format!("{stays} rows") };
        notes.push(format!(
            "{rows} that could not be read stand in it as they do in the source, which others may not read either"
        ));
    }
    let n = sources(dataset).skip(usize::from(own)).map(|base| base.unread).sum::<usize>();
    if n > 0 {
        let rows = if n == 1 {
            "1 row of the source could not be read and is".to_owned()
        } else {
            format!("{n} rows of the source could not be read and are")
        };
        notes.push(format!("{rows} not in it: Collect lists what could not be read, as does `lapidary info`"));
    }
}

/// What was read of each source, the dataset's own first.
fn sources(dataset: &Dataset) -> impl Iterator<Item = &Base> {
    let of = |segment| match segment {
        Segment::Part(_, base) => Some(&**base),
        Segment::Batch(_) => None,
    };
    dataset.segments().into_iter().filter_map(of)
}

/// The text of a source whose rows can stand among those of `own` as they are: of the same form, columns and encoding.
fn alike<'d>(own: &Base, other: &'d Base) -> Option<&'d Raw> {
    let (mine, theirs) = (own.raw.as_ref()?, other.raw.as_ref()?);
    let form = match (mine.shape, theirs.shape) {
        (Shape::Delimited(one), Shape::Delimited(two)) => {
            one.delimiter == two.delimiter && own.columns.iter().map(|c| &c.name).eq(other.columns.iter().map(|c| &c.name))
        }
        (Shape::JsonLines, Shape::JsonLines) | (Shape::JsonArray { .. }, Shape::JsonArray { .. }) => true,
        _ => false,
    };
    (form && mine.encoding == theirs.encoding).then_some(theirs)
}

/// Collects bytes in the file's encoding and passes them on.
struct Sink<'a> {
    out: &'a mut dyn Write,
    target: &'a SaveTarget,
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

fn like_source<'d>(
    dataset: &'d Dataset,
    ids: &[SampleId],
    mut sink: Sink<'d>,
    progress: &Progress,
    notes: &mut Vec<String>,
) -> Result<(), IoError> {
    let raw = sink.raw;
    let (edited, added) = differing(dataset, sink.target);
    let formulas = Formulas::of(dataset, ids, sink.target);
    notes.extend(formulas.note(sink.target));
    let whole = ids.len() == dataset.rows();
    unread_note(dataset, whole, notes);
    if !sink.target.utf8 {
        sink.pass(raw.mark)?;
    }
    if raw.shape == Shape::JsonColumns {
        return sink.copy(0..raw.text.len());
    }
    match raw.shape {
        Shape::Delimited(dialect) if dialect.header && !added.is_empty() => {
            header_with(dataset, raw, dialect.delimiter, &added, &mut sink)?;
        }
        Shape::JsonLines if !whole => {}
        Shape::JsonArray { open, .. } if !whole => array_head(raw, open, ids.is_empty(), &mut sink)?,
        _ => sink.copy(raw.head())?,
    }
    for (at, id) in ids.iter().enumerate() {
        let made = dataset.is_made(*id);
        let (base, row) = dataset.home(*id);
        let home = if own_row(dataset, *id).is_some() { Some(raw) } else { alike(&dataset.base, base) };
        sink.raw = home.unwrap_or(raw);
        let touched = made
            || home.is_none()
            || !added.is_empty()
            || edited.iter().any(|field| dataset.edited(*field, *id).is_some())
            || sink.target.safe && formulas.has(*id);
        if touched {
            let mut line = Line::default();
            let columns = Columns { edited: &edited, added: &added, safe: sink.target.safe };
            match (raw.shape, home) {
                (Shape::Delimited(dialect), Some(raw)) => {
                    delimited_row(dataset, raw, *id, dialect.delimiter, &columns, &mut line);
                }
                (Shape::Delimited(dialect), None) => foreign_row(dataset, *id, dialect.delimiter, &columns, &mut line),
                (_, Some(raw)) => json_row(dataset, raw, *id, &edited, &added, &mut line),
                (_, None) => line.new_text(object(dataset, &there(dataset, *id), *id).as_bytes()),
            }
            for piece in line.pieces {
                match piece {
                    Piece::Copy(range) => sink.copy(range)?,
                    Piece::New(text) => sink.text(&text)?,
                }
            }
        } else {
            sink.copy(sink.raw.span(row))?;
        }
        sink.raw = raw;
        let place = |id: SampleId| (!dataset.is_made(id) && id.row() < dataset.base.rows).then(|| id.row());
        let next = ids.get(at + 1).map(|next| place(*next));
        separator(raw, place(*id), next, whole, &mut sink)?;
        if at % 4_096 == 4_095 {
            progress.step(4_096)?;
        }
    }
    Ok(())
}

/// The beginning of an array of which not all is written: up to its bracket, and the white space that its first sample has before it.
fn array_head(raw: &Raw, open: usize, empty: bool, sink: &mut Sink<'_>) -> Result<(), IoError> {
    let single = raw.text.get(open.wrapping_sub(1)) != Some(&b'[');
    if single {
        return if empty { sink.text(format!("[]{}", sink.end).as_bytes()) } else { Ok(()) };
    }
    sink.copy(0..open)?;
    let before = open..skip_space(&raw.text, open);
    if raw.starts.first().is_some_and(|start| *start == before.end as u64) { sink.copy(before) } else { Ok(()) }
}

/// What stands between sample `row` and the one written next, or after the last. A made sample has no row. Where not all is written
/// (`whole` is false), what could not be read is not either.
#[allow(clippy::option_option)]
fn separator(
    raw: &Raw,
    row: Option<usize>,
    next: Option<Option<usize>>,
    whole: bool,
    sink: &mut Sink<'_>,
) -> Result<(), IoError> {
    let last_row = raw.starts.len() - 1;
    let end = sink.end;
    match (next, raw.shape) {
        (Some(Some(next)), _) if whole && row.is_some_and(|row| next == row + 1) => sink.copy(raw.gap(next - 1)),
        (None, Shape::JsonArray { close, .. }) if !whole => {
            let space = raw.text[..close.min(raw.text.len())].iter().rposition(|byte| !byte.is_ascii_whitespace());
            let from = space.map_or(0, |at| at + 1).max(raw.span(last_row).end.min(close));
            sink.copy(from..raw.text.len())?;
            if close >= raw.text.len() { sink.text(format!("{end}]{end}").as_bytes()) } else { Ok(()) }
        }
        (None, _) if whole && row == Some(last_row) => sink.copy(raw.gap(last_row)),
        (None, Shape::JsonArray { .. } | Shape::JsonParts) => sink.copy(raw.gap(last_row)),
        (Some(_), Shape::JsonArray { .. } | Shape::JsonParts) => {
            // What is made stands like what comes from the file, and what is left together like what stood together.
            let plain = |row: usize| {
                let gap = raw.gap(row);
                let text = &raw.text[gap.clone()];
                let plain = memchr::memchr_iter(b',', text).count() == 1
                    && text.iter().all(|byte| matches!(byte, b',' | b' ' | b'\t' | b'\n' | b'\r'));
                plain.then_some(gap)
            };
            match plain(row.unwrap_or(0)).or_else(|| (0..last_row.min(8)).find_map(plain)) {
                Some(gap) => sink.copy(gap),
                None => sink.text(format!(",{end}").as_bytes()),
            }
        }
        // Only the line's own end: broken lines after it belong to no sample.
        (Some(_), _) => sink.text(end.as_bytes()),
        (None, _) => {
            let closed = raw.text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r'));
            if closed { sink.text(end.as_bytes()) } else { Ok(()) }
        }
    }
}

fn header_with(
    dataset: &Dataset,
    raw: &Raw,
    delimiter: u8,
    added: &[(String, Kind, CellSource)],
    sink: &mut Sink<'_>,
) -> Result<(), IoError> {
    let mut fields = Vec::new();
    let from = if let Shape::Delimited(dialect) = raw.shape { dialect.start } else { 0 };
    let start = skip_blank(&raw.text, from);
    let (end, _) = RowParser::new(&raw.text, delimiter).row(start, &mut fields);
    sink.copy(0..end)?;
    let mut names = Vec::new();
    // Columns of fields beyond the header's have a name of ours: it stands there now, so that what is added stands above its cells.
    let beyond = dataset.base.columns.iter().skip(fields.len()).map(|column| &*column.name);
    for name in beyond.chain(added.iter().map(|(name, ..)| name.as_str())) {
        names.push(delimiter);
        write_field(name, delimiter, false, &mut names);
    }
    sink.text(&names)?;
    sink.copy(end..raw.head().end)?;
    // A header alone may lack its line end.
    if raw.starts.is_empty() || raw.head().end > end { Ok(()) } else { sink.text(sink.end.as_bytes()) }
}

/// Writes a row: fields that nobody edited as they stand, those beyond the columns behind what is added.
fn delimited_row(dataset: &Dataset, raw: &Raw, id: SampleId, delimiter: u8, columns: &Columns<'_>, line: &mut Line) {
    let Columns { edited, added, safe } = *columns;
    let mut fields = Vec::new();
    RowParser::new(&raw.text, delimiter).row(raw.span(dataset.home(id).1).start, &mut fields);
    let width = dataset.base.columns.len();
    let change = |column: usize| {
        let field = edited.iter().find(|field| dataset.fields()[**field].source == Some(column));
        let own = field.and_then(|field| changed(dataset, *field, id));
        if !safe {
            return own;
        }
        let text = match &own {
            Some(text) => text.clone(),
            None => dataset.text(dataset.fields().iter().position(|field| field.source == Some(column))?, id),
        };
        text.filter(|text| is_formula(text)).map(|text| Some(Cow::Owned(format!("'{text}")))).or(own)
    };
    let last_edited = (0..width).rev().find(|column| change(*column).is_some()).map_or(0, |column| column + 1);
    let shown = if added.is_empty() { fields.len().min(width).max(last_edited) } else { width };
    let mut text_of = Vec::new();
    for column in 0..shown {
        if column > 0 {
            line.new_text(&[delimiter]);
        }
        let old = fields.get(column);
        match change(column) {
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
        write_field(&harmless(cell(dataset, source, id).unwrap_or_default(), safe), delimiter, false, &mut text_of);
        line.new_text(&text_of);
    }
    for field in fields.iter().skip(width) {
        line.new_text(&[delimiter]);
        line.copy(field.whole.clone());
    }
}

/// Writes a row of a source of another form: its cells under the columns of the dataset's own.
fn foreign_row(dataset: &Dataset, id: SampleId, delimiter: u8, columns: &Columns<'_>, line: &mut Line) {
    let mut out = Vec::new();
    let width = dataset.base.columns.len();
    for column in 0..width {
        if column > 0 {
            out.push(delimiter);
        }
        let field = dataset.fields().iter().position(|field| field.source == Some(column));
        let text = harmless(field.and_then(|field| dataset.text(field, id)).unwrap_or_default(), columns.safe);
        // A row of one empty field would be no row at all.
        write_field(&text, delimiter, width == 1 && columns.added.is_empty() && text.is_empty(), &mut out);
    }
    for (_, _, source) in columns.added {
        out.push(delimiter);
        write_field(&harmless(cell(dataset, source, id).unwrap_or_default(), columns.safe), delimiter, false, &mut out);
    }
    line.new_text(&out);
}

/// The columns in which a sample has something.
fn there(dataset: &Dataset, id: SampleId) -> Vec<(String, Kind, CellSource)> {
    let all = all_columns(dataset, false).into_iter();
    all.filter(|(_, _, source)| cell(dataset, source, id).is_some()).collect()
}

/// What a row is written with.
struct Columns<'a> {
    /// Columns of the source that have edits.
    edited: &'a [usize],
    /// Columns that the source does not have.
    added: &'a [(String, Kind, CellSource)],
    /// Whether what a spreadsheet would run is made harmless.
    safe: bool,
}

/// The columns of the source that have edits, and those that it does not have.
fn differing(dataset: &Dataset, target: &SaveTarget) -> (Vec<usize>, Vec<(String, Kind, CellSource)>) {
    let added = all_columns(dataset, target.own_columns)
        .into_iter()
        .filter(|(_, _, source)| !matches!(source, CellSource::Field(field) if dataset.fields()[*field].source.is_some()))
        .collect();
    let edited = (0..dataset.fields().len())
        .filter(|field| dataset.fields()[*field].source.is_some())
        .filter(|field| dataset.fields()[*field].is_edited() || dataset.made() > 0)
        .collect();
    (edited, added)
}

/// Whether a spreadsheet would take a cell for a formula (as OWASP has it).
fn is_formula(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'=' | b'@' | b'\t' | b'\r') => text.len() > 1,
        Some(b'+' | b'-') => text.len() > 1 && spelled(text) == Spelled::No,
        _ => false,
    }
}

/// A cell as it is written: in quotes of a spreadsheet's own where it would be run and must not be.
fn harmless(text: Cow<'_, str>, safe: bool) -> Cow<'_, str> {
    if safe && is_formula(&text) { Cow::Owned(format!("'{text}")) } else { text }
}

/// The samples with cells that a spreadsheet would run, where a delimited text is written.
struct Formulas(SampleSet);

impl Formulas {
    fn of(dataset: &Dataset, ids: &[SampleId], target: &SaveTarget) -> Self {
        let mut found = SampleSet::default();
        if matches!(target.format, Format::Csv | Format::Tsv) {
            let texts = (0..dataset.fields().len()).filter(|field| dataset.fields()[*field].kind == Kind::Text);
            for field in texts {
                let runs = |id: &SampleId| dataset.text(field, *id).is_some_and(|text| is_formula(&text));
                for id in ids.iter().filter(|id| runs(id)) {
                    found.set(*id, true);
                }
            }
        }
        Self(found)
    }

    fn has(&self, id: SampleId) -> bool {
        self.0.contains(id)
    }

    fn note(&self, target: &SaveTarget) -> Option<String> {
        let n = self.0.len();
        let rows = if n == 1 { "1 row has a cell".to_owned() } else { format!("{n} rows have cells") };
        let what = "a spreadsheet would run (they begin with =, +, -, @, a tab or a return)";
        match (n, target.safe) {
            (0, _) => None,
            (_, true) => Some(format!("{rows} that {what}: an apostrophe stands before them now")),
            (_, false) => {
                Some(format!("{rows} that {what}; “safe for spreadsheets” (--safe-for-spreadsheets) makes them harmless"))
            }
        }
    }
}

/// A number as JSON spells it; `None` where it is none, or not finite.
fn json_number(text: &str, kind: Kind) -> Option<String> {
    kind.number(text).filter(|value| value.is_finite())?;
    let (mark, group) = if kind == Kind::Comma { (',', '.') } else { ('.', ',') };
    let plain: String = text
        .trim()
        .chars()
        .filter(|letter| *letter != group && *letter != '+' || *letter == '+' && text.contains(['e', 'E']))
        .map(|letter| if letter == mark { '.' } else { letter })
        .collect();
    let (sign, body) = plain.strip_prefix('-').map_or(("", plain.as_str()), |body| ("-", body));
    let body = body.trim_start_matches('+');
    let (digits, power) = body.find(['e', 'E']).map_or((body, ""), |at| body.split_at(at));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let part = part.filter(|part| !part.is_empty()).map(|part| format!(".{part}")).unwrap_or_default();
    let number = format!("{sign}{whole}{part}{power}");
    crate::io::read::json::value(number.as_bytes(), 0).is_ok_and(|(_, _, end)| end == number.len()).then_some(number)
}

/// A cell as a JSON value on one line. Text that is no JSON of its kind stands in quotes, so that nothing is lost.
fn literal(text: Option<&str>, kind: Kind, out: &mut String) {
    value_of(text, kind, false, out);
}

/// The same; `laid_out`: JSON keeps its line ends, as it may where a row is no line.
fn value_of(text: Option<&str>, kind: Kind, laid_out: bool, out: &mut String) {
    let Some(text) = text else { return out.push_str("null") };
    match kind {
        Kind::Text | Kind::Time => native::quote(text, out),
        _ if text.is_empty() => out.push_str("null"),
        Kind::Integer | Kind::Number | Kind::Comma => match json_number(text, kind) {
            Some(number) => out.push_str(&number),
            None => native::quote(text, out),
        },
        _ if crate::io::read::json::value(text.as_bytes(), 0)
            .is_ok_and(|(token, _, end)| token != JsonToken::NotFinite && skip_space(text.as_bytes(), end) == text.len()) =>
        {
            if laid_out {
                out.push_str(text);
            } else {
                one_line(text, out);
            }
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

fn json_row(dataset: &Dataset, raw: &Raw, id: SampleId, edited: &[usize], added: &[(String, Kind, CellSource)], line: &mut Line) {
    let span = raw.span(dataset.home(id).1);
    let row = &raw.text[span.clone()];
    let mut list: Vec<JsonMember> = Vec::new();
    // What a cell is written as follows the source's own kind: reading a text column as numbers does not unquote it.
    let mut changes: Vec<(String, String)> = Vec::new();
    for field in edited {
        if let Some(text) = changed(dataset, *field, id) {
            let column = &dataset.fields()[*field];
            let mut value = String::new();
            let kind = column.source.map_or(column.kind, |source| dataset.base.columns[source].kind);
            // A row that is no line keeps its line ends: one word changed is one line that differs.
            value_of(text.as_deref(), kind, raw.shape != Shape::JsonLines, &mut value);
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
            crate::io::read::json::unescape(&row[member.name.0 - 1..=member.name.1], &mut unescaped);
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
    target: &SaveTarget,
    progress: &Progress,
    notes: &mut Vec<String>,
    out: &mut dyn Write,
) -> Result<(), IoError> {
    let mut columns = columns(dataset, target.own_columns);
    let mut pass = |bytes: &[u8]| out.write_all(bytes).map_err(|error| write_error(&target.path, &error));
    let mut line: Vec<u8> = Vec::new();
    let delimiter = if target.format == Format::Tsv { b'\t' } else { b',' };
    let delimited = matches!(target.format, Format::Csv | Format::Tsv);
    let raw = dataset.base.raw.as_ref();
    // From JSON to JSON, samples keep what they have and lack, and how it is spelled.
    let kept = raw.filter(|raw| target.format.is_json() && matches!(raw.shape, Shape::JsonLines | Shape::JsonArray { .. }));
    let (edited, added) = differing(dataset, target);
    let arranged = Arranged::of(dataset);
    if arranged.is_some() && dataset.base.origin.format == target.format && raw.is_some() {
        notes.push(
            "columns are renamed, ordered or left out: the file is written anew, and not as the source spells it".to_owned(),
        );
    }
    if kept.is_none() && !delimited {
        one_kind(dataset, ids, &mut columns, notes);
    }
    surplus_note(dataset, notes);
    notes.extend(Formulas::of(dataset, ids, target).note(target));
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
    for (at, id) in ids.iter().enumerate() {
        line.clear();
        if delimited {
            for (i, (_, _, source)) in columns.iter().enumerate() {
                if i > 0 {
                    line.push(delimiter);
                }
                let text = harmless(cell(dataset, source, *id).unwrap_or_default(), target.safe);
                write_field(&text, delimiter, columns.len() == 1 && text.is_empty(), &mut line);
            }
            line.push(b'\n');
        } else {
            if target.format == Format::Json {
                line.extend_from_slice(if at == 0 { b"\n  " } else { b",\n  " });
            }
            let object = match kept.filter(|_| own_row(dataset, *id).is_some()) {
                Some(raw) => {
                    let object = as_it_stands(dataset, raw, *id, &edited, &added);
                    arranged.as_ref().map_or(object.clone(), |arranged| arranged.object(&object))
                }
                None => object(dataset, &columns, *id),
            };
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
    Ok(())
}

/// A sample of a JSON source on one line, with its edits.
fn as_it_stands(dataset: &Dataset, raw: &Raw, id: SampleId, edited: &[usize], added: &[(String, Kind, CellSource)]) -> String {
    let mut line = Line::default();
    json_row(dataset, raw, id, edited, added, &mut line);
    let mut text = Vec::new();
    for piece in line.pieces {
        match piece {
            Piece::Copy(range) => text.extend_from_slice(&raw.text[range]),
            Piece::New(new) => text.extend_from_slice(&new),
        }
    }
    let mut out = String::new();
    one_line(&String::from_utf8_lossy(&text), &mut out);
    out
}

/// A sample as a JSON object of all columns.
fn object(dataset: &Dataset, columns: &[(String, Kind, CellSource)], id: SampleId) -> String {
    let mut object = String::from("{");
    for (i, (name, kind, source)) in columns.iter().enumerate() {
        if i > 0 {
            object.push_str(", ");
        }
        native::quote(name, &mut object);
        object.push_str(": ");
        literal(cell(dataset, source, id).as_deref(), *kind, &mut object);
    }
    object.push('}');
    object
}

/// A column of numbers of which some are none, or not finite, is written as texts throughout: whoever reads it wants one type.
fn one_kind(dataset: &Dataset, ids: &[SampleId], columns: &mut [(String, Kind, CellSource)], notes: &mut Vec<String>) {
    for (name, kind, source) in columns.iter_mut().filter(|(_, kind, _)| kind.is_numeric()) {
        let odd = |id: &SampleId| {
            let text = cell(dataset, source, *id)?;
            (!text.is_empty() && json_number(&text, *kind).is_none()).then(|| text.into_owned())
        };
        if let Some(odd) = ids.iter().find_map(odd) {
            notes.push(format!("{name:?} is saved as text: JSON has no number {odd:?}"));
            *kind = Kind::Text;
        }
    }
}

/// Says what rows have beyond the columns, where it is in no column.
pub fn surplus_note(dataset: &Dataset, notes: &mut Vec<String>) {
    let n = sources(dataset).map(|base| base.wide).sum::<usize>();
    if n > 0 {
        let rows = if n == 1 { "1 row has".to_owned() } else { format!("{n} rows have") };
        notes.push(format!(
            "{rows} more fields than there are columns: those are not in it; make columns of them in Collect (--surplus) to keep them"
        ));
    }
}
