//! Guesses about delimited text, from its first rows: the delimiter, and whether the first row names the columns.

use super::columns::{is_integer, is_number};
use super::delimited::{RowParser, skip_blank, string};

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

/// Whether the first row looks like names: filled, distinct, not numbers, short, and unlike what stands below.
pub fn has_header(text: &[u8], delimiter: u8) -> bool {
    let rows = sample(text, delimiter);
    let Some((first, body)) = rows.split_first() else { return true };
    if first.iter().any(|cell| cell.len() > LONGEST_NAME) {
        return false;
    }
    if body.is_empty() {
        return true;
    }
    let numeric = |cell: &str| is_integer(cell) || is_number(cell) || cell.trim().parse::<f64>().is_ok();
    let mut distinct: Vec<&String> = first.iter().filter(|cell| !cell.is_empty()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    if first.iter().any(|cell| numeric(cell)) || (first.len() > 1 && distinct.len() * 2 < first.len()) {
        return false;
    }
    let known = [
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
    ];
    if first.iter().any(|cell| known.contains(&cell.trim().to_lowercase().as_str())) {
        return true;
    }
    // A name stands above its values; a value stands among its like.
    let repeats =
        (0..first.len()).any(|i| !first[i].is_empty() && body.iter().filter(|row| row.get(i) == Some(&first[i])).count() >= 2);
    let sentence = first.iter().any(|cell| cell.chars().count() > 64 || cell.ends_with(['.', '?', '!']) && cell.contains(' '));
    !repeats && !sentence
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
