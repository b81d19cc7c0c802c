//! What stands before the table of a delimited text: Excel's `sep=` line, comments, a title. It is passed over, said, and kept when saved.

use crate::data::Warning;
use crate::io::read::delimited::{RowParser, Wanted, skip_blank, string};
use crate::io::read::faults::line_end_byte;
use crate::io::read::sniff;

/// A preamble is looked for in so many lines.
const MOST: usize = 40;
/// A title stands over a table of at least so many columns.
const WIDE: usize = 3;

/// Where the table begins, what to say of it, and the delimiter where a line names it.
pub fn find(text: &[u8], wanted: &Wanted, tabs: bool) -> (usize, Vec<Warning>, Option<u8>) {
    let first = skip_blank(text, 0);
    let named = separator(text, first);
    if let Some(lines) = wanted.skip {
        let start = (0..lines).fold(0, |at, _| next_line(text, at));
        return (start, Vec::new(), named.filter(|_| start > first).map(|(by, _)| by));
    }
    let mut warnings = Vec::new();
    let mut start = 0;
    if let Some((by, next)) = named {
        let words = format!("a line for Excel names the delimiter ({}): it is no row, and kept when saved", shown(by));
        warnings.push(Warning { line: line_of(text, first), reason: words });
        start = next;
    }
    let begin = start;
    start = comments(text, start, wanted, tabs);
    let delimiter = wanted.delimiter.or(named.map(|(by, _)| by));
    start = title(text, start, delimiter, tabs);
    if start > begin {
        let (from, to) = (line_of(text, skip_blank(text, begin)), line_of(text, start).max(2) - 1);
        let what = if from >= to { "this line stands".to_owned() } else { format!("lines {from} to {to} stand") };
        let reason =
            format!("{what} before the table: no row, and kept when saved; to read from the first line on, skip 0 lines");
        warnings.push(Warning { line: from, reason });
    }
    (start, warnings, named.map(|(by, _)| by))
}

fn shown(by: u8) -> String {
    if by == b'\t' { "tab".to_owned() } else { char::from(by).to_string() }
}

fn line_of(text: &[u8], at: usize) -> usize {
    memchr::memchr_iter(line_end_byte(text), &text[..at.min(text.len())]).count() + 1
}

fn next_line(text: &[u8], at: usize) -> usize {
    let at = at.min(text.len());
    memchr::memchr(line_end_byte(text), &text[at..]).map_or(text.len(), |found| at + found + 1)
}

fn line(text: &[u8], at: usize) -> &[u8] {
    let line = &text[at..next_line(text, at)];
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    &line[..end]
}

/// The delimiter that a line `sep=X` names, and where the next line begins.
fn separator(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let line = line(text, at);
    let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match bare {
        [s, e, p, b'=', by] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") && by.is_ascii() && !by.is_ascii_alphanumeric() => {
            Some((*by, next_line(text, at)))
        }
        _ => None,
    }
}

/// Where the lines that begin with `#` end; `from` where there are none, or the last of them names the columns.
fn comments(text: &[u8], from: usize, wanted: &Wanted, tabs: bool) -> usize {
    let (mut at, mut last, mut lines) = (skip_blank(text, from), from, 0);
    while text.get(at) == Some(&b'#') && lines < MOST {
        last = at;
        at = skip_blank(text, next_line(text, at));
        lines += 1;
    }
    if lines == 0 || at >= text.len() || text.get(at) == Some(&b'#') {
        return from;
    }
    let table = &text[at..];
    let by = wanted.delimiter.unwrap_or_else(|| sniff::delimiter(table, tabs));
    let fields = |at: usize| {
        let mut fields = Vec::new();
        RowParser::new(text, by).row(at, &mut fields);
        fields.len()
    };
    let width = fields(at);
    // `#id,text,label` over rows of as many fields is a header.
    if width > 1 && fields(last) == width && !sniff::has_header(table, by) { last } else { at }
}

/// Where the lines end that stand over a wider table: each of one cell, the table of as many in nearly every row.
fn title(text: &[u8], from: usize, delimiter: Option<u8>, tabs: bool) -> usize {
    // A first line that is as wide as those below it is no title.
    let whole = &text[from..];
    let widths = sniff::widths(whole, delimiter.unwrap_or_else(|| sniff::delimiter(whole, tabs)));
    let as_wide = widths.iter().filter(|width| Some(*width) == widths.first()).count();
    if widths.first().is_some_and(|width| *width > 1) && as_wide * 10 >= widths.len() * 8 {
        return from;
    }
    let starts: Vec<usize> =
        std::iter::successors(Some(skip_blank(text, from)), |at| Some(skip_blank(text, next_line(text, *at))))
            .take_while(|at| *at < text.len())
            .take(MOST)
            .collect();
    for (skipped, start) in starts.iter().enumerate().skip(1).take(MOST / 2) {
        // What is skipped must be a line of words, whatever the delimiter turns out to be.
        let table = &text[*start..];
        let by = delimiter.unwrap_or_else(|| sniff::delimiter(table, tabs));
        let alone = starts[..skipped].iter().all(|at| {
            let mut fields = Vec::new();
            let (_, next) = RowParser::new(text, by).row(*at, &mut fields);
            let filled = fields.iter().filter(|field| !string(text, field).trim().is_empty()).count();
            filled == 1 && !fields[0].body.is_empty() && next <= next_line(text, *at)
        });
        if !alone {
            return from;
        }
        let widths = sniff::widths(table, by);
        let Some(width) = widths.first().copied().filter(|width| *width >= WIDE && widths.len() >= 3) else { continue };
        let even = widths.iter().filter(|other| **other == width).count();
        if even * 10 >= widths.len() * 9 && sniff::has_header(table, by) {
            return *start;
        }
    }
    from
}
