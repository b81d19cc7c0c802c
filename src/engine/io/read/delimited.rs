//! Delimited text (RFC 4180, and what the world makes of it): rows and fields, in parallel, forgiving, exact.
//!
//! Fields stay where they are in the source; only fields with doubled quotes are copied. The file is parsed in parts that
//! guess where a row begins and are parsed again where the guess was wrong, so the answer is that of one pass.

use polars_buffer::Buffer;
use rayon::prelude::*;

use crate::data::{Column, Dialect, Warning};
use crate::io::read::aside::breathe;
use crate::io::read::budget::Budget;
use crate::io::read::columns::{Cells, MAX_COLUMNS, buffers, join_all, pieces, side_view, view};
use crate::io::read::faults::{Faults, line_end_byte};
use crate::job::{Cancelled, Progress};

/// Where one field stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpan {
    /// All of it, quotes included.
    pub whole: std::ops::Range<usize>,
    /// What it says, before doubled quotes are undone.
    pub body: std::ops::Range<usize>,
    /// Whether it stands in quotes.
    pub quoted: bool,
    /// Whether its text differs from `body`: doubled quotes, or text after the closing quote.
    pub escaped: bool,
}

/// Something odd in a row, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Oddity {
    Unclosed,
    AfterQuote,
}

/// Parses one row at a time.
pub struct RowParser<'t> {
    text: &'t [u8],
    delimiter: u8,
    end: u8,
    /// From here on no quote closes beyond its line: one that does not close on it is a letter.
    no_quotes_from: usize,
    odd: Option<(usize, Oddity)>,
}

impl<'t> RowParser<'t> {
    pub fn new(text: &'t [u8], delimiter: u8) -> Self {
        Self { text, delimiter, end: line_end_byte(text), no_quotes_from: usize::MAX, odd: None }
    }

    /// One that reads what is a row by itself, whose lines end with a byte.
    pub fn within(row: &'t [u8], delimiter: u8, end: u8) -> Self {
        Self { text: row, delimiter, end, no_quotes_from: usize::MAX, odd: None }
    }

    /// The field at a place of the row that the text is; `None` where it has fewer.
    pub fn field(&mut self, place: usize) -> Option<FieldSpan> {
        let mut found = None;
        self.fields(place + 1, |at, field| found = (at == place).then_some(field));
        found
    }

    /// The first `most` fields of the row that the text is, each with its place.
    pub fn fields(&mut self, most: usize, mut take: impl FnMut(usize, FieldSpan)) {
        let mut at = 0;
        for place in 0..most {
            let quoted = self.text.get(at) == Some(&b'"');
            let (field, stop) = if quoted { self.quoted(at) } else { self.plain(at) };
            take(place, field);
            match self.text.get(stop) {
                Some(byte) if *byte == self.delimiter => at = stop + 1,
                _ => return,
            }
        }
    }

    /// Reads the row that begins at `at` into `fields`; returns where it ends (line end not counted) and where the next
    /// begins.
    pub fn row(&mut self, at: usize, fields: &mut Vec<FieldSpan>) -> (usize, usize) {
        fields.clear();
        let mut at = at;
        loop {
            let quoted = self.text.get(at) == Some(&b'"');
            let (field, stop) = if quoted { self.quoted(at) } else { self.plain(at) };
            fields.push(field);
            match self.text.get(stop) {
                None => return (stop, stop),
                Some(byte) if *byte == self.delimiter => at = stop + 1,
                Some(b'\r') if self.end == b'\n' => return (stop, stop + 2),
                Some(_) => return (stop, stop + 1),
            }
        }
    }

    /// Whether a quote of what was read closes nowhere in this text: more of it may say otherwise.
    pub fn is_open(&self) -> bool {
        self.no_quotes_from != usize::MAX
    }

    fn plain(&self, at: usize) -> (FieldSpan, usize) {
        let stop = self.stop(at);
        (FieldSpan { whole: at..stop, body: at..stop, quoted: false, escaped: false }, stop)
    }

    /// Where an unquoted field that begins (or goes on) at `at` stops: at a delimiter, a line end, or the end.
    fn stop(&self, at: usize) -> usize {
        let Some(found) = memchr::memchr2(self.delimiter, self.end, &self.text[at..]) else { return self.text.len() };
        let stop = at + found;
        let carriage = self.end == b'\n' && self.text[stop] == b'\n' && stop > at && self.text[stop - 1] == b'\r';
        if carriage { stop - 1 } else { stop }
    }

    fn ends_field(&self, at: usize) -> bool {
        match self.text.get(at) {
            None => true,
            Some(b'\r') if self.end == b'\n' => self.text.get(at + 1) == Some(&b'\n'),
            Some(byte) => *byte == self.delimiter || *byte == self.end,
        }
    }

    fn quoted(&mut self, at: usize) -> (FieldSpan, usize) {
        let body = at + 1;
        let (mut from, mut doubled) = (body, false);
        let limit = if at < self.no_quotes_from {
            self.text.len()
        } else {
            memchr::memchr(self.end, &self.text[body..]).map_or(self.text.len(), |found| body + found)
        };
        loop {
            let Some(found) = self.text.get(from..limit).and_then(|text| memchr::memchr(b'"', text)) else {
                // It never closes: it is a letter, and no quote after it closes beyond its line.
                self.no_quotes_from = self.no_quotes_from.min(at);
                self.odd.get_or_insert((at, Oddity::Unclosed));
                return self.plain(at);
            };
            let quote = from + found;
            if self.text.get(quote + 1) == Some(&b'"') {
                doubled = true;
                from = quote + 2;
                continue;
            }
            if self.ends_field(quote + 1) {
                let field = FieldSpan { whole: at..quote + 1, body: body..quote, quoted: true, escaped: doubled };
                return (field, quote + 1);
            }
            if memchr::memchr(self.end, &self.text[body..quote]).is_some() {
                // It ran over lines into another field's quote: the opening one was a letter.
                self.odd.get_or_insert((at, Oddity::Unclosed));
                return self.plain(at);
            }
            self.odd.get_or_insert((at, Oddity::AfterQuote));
            let stop = self.stop(quote + 1);
            return (FieldSpan { whole: at..stop, body: body..stop, quoted: true, escaped: true }, stop);
        }
    }
}

/// What a field says, quotes undone.
pub fn unquote(text: &[u8], field: &FieldSpan, out: &mut Vec<u8>) {
    let body = &text[field.body.clone()];
    if !field.escaped {
        out.extend_from_slice(body);
        return;
    }
    let mut open = true;
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'"' || !open {
            out.push(byte);
        } else if bytes.peek() == Some(&b'"') {
            bytes.next();
            out.push(b'"');
        } else {
            open = false;
        }
    }
}

/// Writes a cell as a field: in quotes where it must be, or where `quoted` asks for them.
pub fn write_field(text: &str, delimiter: u8, quoted: bool, out: &mut Vec<u8>) {
    let must = text.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r'));
    if !must && !quoted {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// A delimited text, read.
pub struct Table {
    pub columns: Vec<Column>,
    /// Of a text that lies aside the columns' names, each with how many rows lack it: its cells are read where they stand.
    pub standing: Option<Vec<(String, usize)>>,
    pub starts: Vec<u64>,
    pub lengths: Vec<u32>,
    pub warnings: Vec<Warning>,
    /// Rows with fields beyond the columns.
    pub wide: usize,
}

#[derive(Default)]
struct Part {
    starts: Vec<u64>,
    lengths: Vec<u32>,
    cells: Vec<Cells>,
    side: Vec<u8>,
    /// That, once all of it is there.
    laid: Buffer<u8>,
    faults: Faults,
    wide: usize,
    /// Rows that lack each column.
    missing: Vec<usize>,
    end: usize,
    no_quotes_from: Option<usize>,
}

const PART: usize = 4 << 20;

/// Why delimited text cannot be read at all.
pub enum Refusal {
    /// More columns than [`MAX_COLUMNS`]: how many.
    TooWide(usize),
    /// A part of the text that no dataset can hold.
    TooLarge(String),
    /// Cancelled.
    Cancelled,
}

impl From<Cancelled> for Refusal {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Reads a whole delimited text.
///
/// # Errors
/// [`Refusal`].
pub fn read(text: &Buffer<u8>, dialect: Dialect, budget: &Budget, progress: &Progress) -> Result<Table, Refusal> {
    let bytes: &[u8] = text;
    let mut fields = Vec::new();
    let mut parser = RowParser::new(bytes, dialect.delimiter);
    let first = skip_blank(bytes, dialect.start);
    let (_, second) = parser.row(first, &mut fields);
    let width = fields.len();
    if width > MAX_COLUMNS {
        return Err(Refusal::TooWide(width));
    }
    let mut names: Vec<String> =
        if dialect.header { fields.iter().map(|field| string(bytes, field)).collect() } else { vec![String::new(); width] };
    let from = if dialect.header { second } else { first };
    progress.set_total(bytes.len() as u64);
    let reader = Reader { bytes, width, dialect, budget };
    let parts = reader.parts(from, progress)?;
    let rows: usize = parts.iter().map(|part| part.starts.len()).sum();
    if rows >= u32::MAX as usize {
        return Err(Refusal::TooLarge(format!("it has {rows} rows and a dataset holds 4 billion at most")));
    }
    let wide = parts.iter().map(|part| part.wide).sum();
    let header = if dialect.header { header_warnings(bytes, first, &names) } else { Vec::new() };
    let width = parts.iter().map(|part| part.cells.len()).max().unwrap_or(width).max(width);
    names.resize(width, String::new());
    let (mut starts, mut lengths) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut columns: Vec<Vec<(Cells, usize)>> = (0..width).map(|_| Vec::with_capacity(parts.len())).collect();
    let (mut sides, mut faults) = (Vec::with_capacity(parts.len()), Vec::with_capacity(parts.len()));
    let mut missing = vec![0; width];
    for mut part in parts {
        let rows = part.starts.len();
        missing.iter_mut().enumerate().for_each(|(at, all)| *all += part.missing.get(at).copied().unwrap_or(rows));
        part.cells.resize(width, Cells::default());
        columns.iter_mut().zip(part.cells).for_each(|(column, cells)| column.push((cells, part.starts.len())));
        starts.extend_from_slice(&part.starts);
        lengths.extend_from_slice(&part.lengths);
        sides.push(part.laid);
        faults.push(part.faults);
    }
    let mut warnings = Faults::joined(faults).warnings(bytes);
    warnings.splice(0..0, header);
    if budget.is_aside() {
        let standing = Some(unique_names(&names).into_iter().zip(missing).collect());
        return Ok(Table { columns: Vec::new(), standing, starts, lengths, warnings, wide });
    }
    let buffers = buffers(text, sides);
    let named = unique_names(&names).into_iter().zip(columns).map(|(name, parts)| (name, parts, None)).collect();
    let columns = join_all(named, &buffers).ok_or_else(|| Refusal::TooLarge("its text could not be addressed".to_owned()))?;
    Ok(Table { columns, standing: None, starts, lengths, warnings, wide })
}

/// What every part of a text is read with.
struct Reader<'t> {
    bytes: &'t [u8],
    width: usize,
    dialect: Dialect,
    budget: &'t Budget,
}

impl Reader<'_> {
    fn parts(&self, from: usize, progress: &Progress) -> Result<Vec<Part>, Refusal> {
        let bytes = self.bytes;
        let end = line_end_byte(bytes);
        let mut guesses = vec![from.min(bytes.len())];
        let mut at = from + PART;
        while at < bytes.len() {
            let guess = memchr::memchr(end, &bytes[at..]).map_or(bytes.len(), |found| at + found + 1);
            guesses.push(guess);
            at = guess.max(at) + PART;
        }
        let side_base = pieces(bytes.len());
        let until = |i: usize| guesses.get(i + 1).copied().unwrap_or(bytes.len());
        let read = |i: usize, start: usize, no_quotes: Option<usize>| {
            let side = u32::try_from(side_base + i).unwrap_or(u32::MAX);
            self.part(start, until(i), side, no_quotes)
        };
        let mut parts: Vec<Part> = (0..guesses.len())
            .into_par_iter()
            .map(|i| {
                progress.step((until(i) - guesses[i]) as u64)?;
                read(i, guesses[i], None)
            })
            .collect::<Result<_, Refusal>>()?;
        // Where a part ended elsewhere than the next one began, or found that no later quote closes, the guess was wrong.
        let mut no_quotes = None;
        for i in 0..parts.len() {
            let start = if i == 0 { guesses[0] } else { parts[i - 1].end };
            if start != guesses[i] || no_quotes.is_some() {
                progress.check()?;
                parts[i] = read(i, start, no_quotes)?;
            }
            no_quotes = parts[i].no_quotes_from.or(no_quotes);
        }
        Ok(parts)
    }

    /// Where a carriage return alone ends a row of all columns, and another such row follows it on the same line: files that were joined end
    /// their lines in several ways. In any other place it belongs to its cell.
    fn glued_at(&self, row: std::ops::Range<usize>, fields: &[FieldSpan]) -> Option<usize> {
        let field = fields.get(self.width - 1).filter(|field| !field.quoted)?;
        let found = memchr::memchr(b'\r', &self.bytes[field.whole.clone()])?;
        let carriage = field.whole.start + found;
        let mut rest = Vec::new();
        RowParser::new(&self.bytes[..row.end], self.dialect.delimiter).row(carriage + 1, &mut rest);
        (rest.len() >= self.width && self.width > 1).then_some(carriage)
    }

    fn part(&self, start: usize, until: usize, side_index: u32, no_quotes: Option<usize>) -> Result<Part, Refusal> {
        let (bytes, width) = (self.bytes, self.width);
        let aside = self.budget.is_aside();
        let mut part = Part { cells: vec![Cells::default(); width], missing: vec![0; width], end: start, ..Part::default() };
        let mut parser = RowParser::new(bytes, self.dialect.delimiter);
        parser.no_quotes_from = no_quotes.unwrap_or(usize::MAX);
        let mut fields = Vec::with_capacity(width.min(1_024));
        let content = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
        // Lists that grow by doubling touch twice the memory: the first rows tell how many there will be.
        let expected = until.saturating_sub(start) / row_length(bytes, start, parser.end) + 16;
        part.starts.reserve_exact(expected);
        part.lengths.reserve_exact(expected);
        let mut taken = 0;
        while part.end < until {
            let at = part.end;
            // A line of nothing is a sample only where there is but one column, and never at the end of the file.
            if is_line_end(bytes, at) && (width > 1 || at >= content) {
                part.end = skip_line_end(bytes, at);
                continue;
            }
            let (mut end, mut next) = parser.row(at, &mut fields);
            if fields.len() > width
                && let Some(carriage) = self.glued_at(at..end, &fields)
            {
                RowParser::new(&bytes[..carriage], self.dialect.delimiter).row(at, &mut fields);
                (end, next) = (carriage, carriage + 1);
            }
            part.end = next;
            let length =
                u32::try_from(end - at).map_err(|_| Refusal::TooLarge(format!("the row at byte {at} is longer than 4 GB")))?;
            let row = part.starts.len();
            part.starts.push(at as u64);
            part.lengths.push(length);
            if self.dialect.surplus && fields.len() > part.cells.len() {
                part.missing.resize(fields.len().min(MAX_COLUMNS), row);
                part.cells.resize(fields.len().min(MAX_COLUMNS), Cells::default());
            }
            part.missing.iter_mut().skip(fields.len()).for_each(|n| *n += 1);
            let held = if aside { 0 } else { part.cells.len() };
            for (cells, field) in part.cells[..held].iter_mut().zip(&fields) {
                if row == 0 {
                    cells.expect(expected);
                }
                taken += cells.put(
                    row,
                    if field.escaped {
                        let before = part.side.len();
                        unquote(bytes, field, &mut part.side);
                        side_view(&part.side, part.side.len() - before, side_index)
                    } else {
                        view(bytes, field.body.clone())
                    },
                );
            }
            part.wide += usize::from(fields.len() > part.cells.len());
            if fields.len() < width || fields.len() > part.cells.len() {
                part.faults.note(at, || ragged(fields.len(), width));
            }
            if let Some((place, oddity)) = parser.odd.take() {
                part.faults.note(place, || oddity.words().to_owned());
            }
            if row % 1_024 == 1_023 {
                self.budget.take(std::mem::take(&mut taken) + 1_024 * 12).map_err(Refusal::TooLarge)?;
            }
        }
        self.budget.take(taken).map_err(Refusal::TooLarge)?;
        breathe();
        part.laid = self.budget.laid(std::mem::take(&mut part.side));
        part.no_quotes_from = (parser.no_quotes_from != usize::MAX).then_some(parser.no_quotes_from);
        Ok(part)
    }
}

/// About how long a row is near `at`: at least as short as most, so that what is reserved by it is enough.
fn row_length(bytes: &[u8], at: usize, end: u8) -> usize {
    let sample = &bytes[at.min(bytes.len())..bytes.len().min(at + 16_384)];
    let lines = memchr::memchr_iter(end, sample).count();
    (sample.len() * 15 / 16 / (lines + 1)).max(8)
}

fn ragged(found: usize, width: usize) -> String {
    let fields = |n: usize| if n == 1 { "1 field".to_owned() } else { format!("{n} fields") };
    if found < width {
        format!("{} instead of {width}: the missing cells are null", fields(found))
    } else {
        let more = found - width;
        let what = if more == 1 { "the one too many is".to_owned() } else { format!("the {more} too many are") };
        format!(
            "{} instead of {width}: {what} kept when saved in this format, and no column yet; a delimiter in a text needs quotes",
            fields(found)
        )
    }
}

impl Oddity {
    fn words(self) -> &'static str {
        match self {
            Self::Unclosed => "a quote opens and never closes: it is read as a letter",
            Self::AfterQuote => "text follows a closing quote: it is read as part of the cell",
        }
    }
}

fn header_warnings(bytes: &[u8], at: usize, names: &[String]) -> Vec<Warning> {
    let line = memchr::memchr_iter(line_end_byte(bytes), &bytes[..at]).count() + 1;
    let given = unique_names(names);
    let changed = names.iter().zip(&given).filter(|(name, given)| name != given);
    changed
        .map(|(name, given)| Warning {
            line,
            reason: if name.is_empty() {
                format!("a column has no name: it is called {given:?} here")
            } else {
                format!("two columns are called {name:?}: the second is called {given:?} here")
            },
        })
        .collect()
}

/// Names without gaps and repeats: `column 2` for an empty name, `name_2` for a repeated one.
pub fn unique_names(names: &[String]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut next: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let wanted = if name.is_empty() { format!("column {}", i + 1) } else { name.clone() };
            let n = next.entry(wanted.clone()).or_insert(1);
            loop {
                let given = if *n == 1 { wanted.clone() } else { format!("{wanted}_{n}") };
                *n += 1;
                if seen.insert(given.clone()) {
                    return given;
                }
            }
        })
        .collect()
}

/// What a field says, as a string.
pub fn string(bytes: &[u8], field: &FieldSpan) -> String {
    let mut out = Vec::new();
    unquote(bytes, field, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn is_line_end(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at), Some(b'\n' | b'\r'))
}

fn skip_line_end(bytes: &[u8], at: usize) -> usize {
    at + if bytes[at..].starts_with(b"\r\n") { 2 } else { 1 }
}

/// The first byte from `at` on that is not a line end.
pub fn skip_blank(bytes: &[u8], at: usize) -> usize {
    bytes[at.min(bytes.len())..].iter().position(|byte| !matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |found| at + found)
}

/// What somebody says of how a text is delimited.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The byte between fields.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// How many lines stand before the table.
    pub skip: Option<usize>,
    /// Whether fields beyond the header's are columns too.
    pub surplus: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let bytes = text.as_bytes();
        let mut parser = RowParser::new(bytes, b',');
        let (mut at, mut fields, mut out) = (0, Vec::new(), Vec::new());
        while at < bytes.len() {
            at = parser.row(at, &mut fields).1;
            out.push(fields.iter().map(|field| string(bytes, field)).collect());
        }
        out
    }

    #[test]
    fn rows_of_hard_cases() {
        let table: [(&str, &[&[&str]]); 11] = [
            ("a,b\r\n1,2", &[&["a", "b"], &["1", "2"]]),
            ("\"a,\"\"b\"\"\",\n", &[&["a,\"b\"", ""]]),
            ("\"two\nlines\",x\n", &[&["two\nlines", "x"]]),
            ("a\rb\r", &[&["a"], &["b"]]),
            ("5\" pipe,6\"\n", &[&["5\" pipe", "6\""]]),
            ("\"abc\"def,2\n", &[&["abcdef", "2"]]),
            ("\"open,1\nnext,2\n", &[&["\"open", "1"], &["next", "2"]]),
            ("\"open,1\n\"good\",2\nmore,3\n", &[&["\"open", "1"], &["good", "2"], &["more", "3"]]),
            ("\"\",\"\"\"\"\n", &[&["", "\""]]),
            ("\"x,1\n\"\",2\n\"a,b\",3\n", &[&["\"x", "1"], &["", "2"], &["a,b", "3"]]),
            (",\n", &[&["", ""]]),
        ];
        for (text, expected) in table {
            assert_eq!(rows(text), expected, "{text:?}");
        }
    }

    #[test]
    fn parts_agree_with_one_pass_wherever_they_are_cut() {
        // Quoted line ends around every border of parts: a guess is wrong somewhere.
        let mut text = String::from("a,b\n");
        for i in 0..400_000 {
            text.push_str(if i % 7 == 0 { "\"x\n\"\"y,\n\",2\n" } else { "plain text here,3\r\n" });
        }
        let dialect = Dialect { delimiter: b',', header: true, start: 0, surplus: false };
        let table = read(&text.clone().into_bytes().into(), dialect, &Budget::new(u64::MAX, 0), &Progress::silent())
            .ok()
            .expect("readable");
        assert_eq!(table.starts.len(), 400_000);
        assert!(table.warnings.is_empty());
        assert_eq!(table.columns[0].text(7).as_deref(), Some("x\n\"y,\n"));
        assert_eq!(table.columns[0].text(399_999).as_deref(), Some("plain text here"));
    }
}
