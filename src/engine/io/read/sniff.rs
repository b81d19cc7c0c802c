//! Guesses about delimited text, from its first rows: the delimiter, and whether the first row names the columns.

use crate::data::{Spelled, spelled};
use crate::io::read::delimited::{RowParser, skip_blank, string};

const ROWS: usize = 200;
const BYTES: usize = 1 << 18;
/// No name is longer than this, in bytes.
const LONGEST_NAME: usize = 1_000;

fn sample(text: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let whole = text.len() <= BYTES;
    let text = &text[..text.len().min(BYTES)];
    let mut parser = RowParser::new(text, delimiter);
    let (mut at, mut fields, mut rows) = (skip_blank(text, 0), Vec::new(), Vec::new());
    while at < text.len() && rows.len() < ROWS {
        at = skip_blank(text, parser.row(at, &mut fields).1);
        rows.push(fields.iter().map(|field| string(text, field)).collect());
    }
    // The last row of a cut text is cut itself.
    if !whole && rows.len() > 1 {
        rows.pop();
    }
    rows
}

/// The delimiter that cuts the first rows most evenly into more than one field: `,`, tab, `;` or `|`.
#[allow(clippy::cast_precision_loss)]
pub fn delimiter(text: &[u8], tabs: bool) -> u8 {
    let mut best = (if tabs { b'\t' } else { b',' }, 0.0);
    for candidate in [b',', b'\t', b';', b'|'] {
        let rows = sample(text, candidate);
        let width = rows.first().map_or(0, Vec::len);
        if width < 2 {
            continue;
        }
        let even = rows.iter().filter(|row| row.len() == width).count() as f64 / rows.len() as f64;
        // Evenness decides; among equally even cuts the one the name promises, then the wider.
        let promised = if (candidate == b'\t') == tabs { 0.05 } else { 0.0 };
        let score = even + promised + (width.min(50) as f64) / 1_000.0;
        if score > best.1 {
            best = (candidate, score);
        }
    }
    best.0
}

/// How many fields each of the first rows has.
pub fn widths(text: &[u8], delimiter: u8) -> Vec<usize> {
    sample(text, delimiter).iter().map(Vec::len).collect()
}

/// Names that columns go by: a first row with one of them names the columns.
const KNOWN: [&str; 14] = [
    "text",
    "label",
    "category",
    "id",
    "question",
    "answer",
    "prompt",
    "completion",
    "instruction",
    "input",
    "output",
    "name",
    "class",
    "sentence",
];

/// Whether a cell says how much or when, rather than what.
fn is_figure(cell: &str) -> bool {
    let cell = cell.trim();
    let of_time = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'/' | b':' | b'.' | b' ' | b'T' | b'Z' | b'+');
    spelled(cell) != Spelled::No
        || cell.len() >= 6
            && cell.as_bytes()[0].is_ascii_digit()
            && cell.bytes().all(of_time)
            && cell.contains(['-', '/', ':', '.'])
}

fn is_sentence(cell: &str) -> bool {
    cell.chars().count() > 64 || cell.ends_with(['.', '?', '!']) && cell.contains(' ')
}

/// What a column says for (above 0) or against (below) its first cell being a name.
fn vote(first: &str, body: &[&str]) -> i32 {
    if first.is_empty() || body.is_empty() {
        return 0;
    }
    let most = |is: &dyn Fn(&str) -> bool| body.iter().filter(|cell| is(cell)).count() * 10 >= body.len() * 9;
    let figures = most(&is_figure);
    match (is_figure(first), figures) {
        (false, true) => return 1,
        (true, true) => return -1,
        // A number over words: a numbered column.
        (true, false) if !body.iter().any(|cell| is_figure(cell)) => return 1,
        _ => {}
    }
    if body.iter().filter(|cell| **cell == first).count() >= 2 {
        return -1;
    }
    let sentences = body.iter().filter(|cell| is_sentence(cell)).count() * 2 >= body.len();
    match (is_sentence(first), sentences) {
        (true, true) => -1,
        (true, false) => 1,
        _ => 0,
    }
}

/// Whether figures stand in the first row as names of a series: `2019`, `2020`, `2021`, or `1`, `2`, `3`.
fn is_series(first: &[String]) -> bool {
    let numbers: Vec<i64> = first.iter().filter_map(|cell| cell.trim().parse().ok()).collect();
    let step = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    let even = !step.is_empty() && step.iter().all(|by| *by == step[0]) && step[0] != 0;
    let years = numbers.iter().all(|number| (1_500..=2_200).contains(number));
    let words = first.iter().any(|cell| !cell.is_empty() && !is_figure(cell));
    even && words && (years || numbers[0] <= 1 && numbers.len() >= 3)
}

/// Whether the first row looks like names: filled, distinct, and of another kind than what stands below.
pub fn has_header(text: &[u8], delimiter: u8) -> bool {
    let rows = sample(text, delimiter);
    let Some((first, body)) = rows.split_first() else { return true };
    if first.iter().any(|cell| cell.len() > LONGEST_NAME) {
        return false;
    }
    if body.is_empty() {
        return !first.iter().any(|cell| is_figure(cell));
    }
    let mut distinct: Vec<&String> = first.iter().filter(|cell| !cell.is_empty()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    if first.len() > 1 && distinct.len() * 2 < first.len() {
        return false;
    }
    let figures = first.iter().filter(|cell| is_figure(cell)).count();
    if figures == 0 && first.iter().any(|cell| KNOWN.contains(&cell.trim().to_lowercase().as_str())) {
        return true;
    }
    let below = |at: usize| -> Vec<&str> {
        body.iter().filter_map(|row| row.get(at)).map(String::as_str).filter(|cell| !cell.is_empty()).collect()
    };
    let votes: Vec<i32> = first.iter().enumerate().map(|(at, cell)| vote(cell, &below(at))).collect();
    let sum: i32 = votes.iter().sum();
    if sum < 0 && figures > 0 && is_series(first) && distinct.len() == first.len() {
        // The series is over the figures of another one only where that counts on too.
        return !body.iter().any(|row| is_series(row));
    }
    match sum {
        0 => votes.iter().all(|vote| *vote == 0) && figures == 0,
        sum => sum > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_and_headers() {
        let table: [(&str, u8, bool); 9] = [
            ("text,label\nhello, world,x\n\"a, b\",y\n", b',', true),
            ("text;label\nhello, world;x\na, b;y\n", b';', true),
            ("a\tb\n1,5\t2\n", b'\t', true),
            ("a|b|c\n1|2|3\n", b'|', true),
            ("I lost my card.,card_lost\nWhere is it?,card_lost\nHelp me,card_lost\n", b',', false),
            ("1,2\n3,4\n", b',', false),
            ("one column\nvalue\n", b',', true),
            ("name,age\nBob,12\n", b',', true),
            ("5.1,3.5,setosa\n4.9,3.0,setosa\n", b',', false),
        ];
        for (text, by, header) in table {
            assert_eq!(delimiter(text.as_bytes(), false), by, "{text:?}");
            assert_eq!(has_header(text.as_bytes(), by), header, "{text:?}");
        }
    }
}
