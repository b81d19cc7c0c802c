//! Logs: the access log of web servers (common and combined), and lines that begin with a time, to which lines without one belong.

use serde_json::{Map, Value, json};

use super::{LaidTable, LaidText};

/// Whether most lines are those of a web server.
fn is_access(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(50).collect();
    lines.iter().filter(|line| access(line).is_some()).count() * 2 > lines.len()
}

/// Whether a text is a log: a web server's, or one whose name says so and whose first line begins with a time. A table of times is none.
pub fn is(file: &LaidText<'_>) -> bool {
    let lines: Vec<&str> = file.text.lines().filter(|line| !line.trim().is_empty()).take(50).collect();
    let first = lines.first().copied().unwrap_or_default();
    let table = [',', ';', '\t'].iter().any(|mark| {
        let n = first.matches(*mark).count();
        n > 0
            && lines.iter().take(10).all(|line| line.matches(*mark).count() == n)
            && !(*mark == ',' && n == 1 && timed(first).is_some())
    });
    is_access(file.text) || file.ending() == "log" && timed(first).is_some() && !table
}

/// Reads it.
///
/// # Errors
/// Never now: a line that does not fit is a warning.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let text = file.text.trim_start_matches('\u{feff}');
    let mut table = LaidTable::default();
    if is_access(text) {
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match access(line) {
                Some(row) => table.rows.push(row),
                None => table.note(at + 1, "it does not fit: it is left out".to_owned()),
            }
        }
        return Ok(table);
    }
    for (at, line) in text.lines().enumerate() {
        match (timed(line), table.rows.last_mut()) {
            (Some((time, level, message)), _) => {
                let mut row = Map::new();
                row.insert("time".to_owned(), json!(time));
                row.insert("level".to_owned(), json!(level));
                row.insert("message".to_owned(), json!(message));
                table.rows.push(row);
            }
            (None, Some(row)) => {
                if let Some(Value::String(message)) = row.get_mut("message") {
                    message.push('\n');
                    message.push_str(line);
                }
            }
            (None, None) if line.trim().is_empty() => {}
            (None, None) => table.note(at + 1, "it stands before the first time: it is left out".to_owned()),
        }
    }
    Ok(table)
}

/// A line that begins with `2024-01-02 14:30:15`, perhaps with parts of a second and a zone: time, level, message.
fn timed(line: &str) -> Option<(&str, Option<&str>, &str)> {
    const SHAPE: &[u8] = b"dddd-dd-dd dd:dd:dd";
    let bytes = line.as_bytes();
    let fits = bytes.len() >= SHAPE.len()
        && SHAPE.iter().zip(bytes).all(|(shape, byte)| match shape {
            b'd' => byte.is_ascii_digit(),
            b' ' => matches!(byte, b' ' | b'T'),
            shape => shape == byte,
        });
    if !fits {
        return None;
    }
    let more = bytes[SHAPE.len()..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.' | b'Z' | b'+' | b':'))
        .count();
    let (time, rest) = line.split_at(SHAPE.len() + more);
    let rest = rest.trim_start();
    let word: String = rest.chars().take_while(|letter| letter.is_ascii_alphabetic() || matches!(letter, '[' | ']')).collect();
    let level = word.trim_matches(['[', ']']);
    let known = ["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "SEVERE"];
    if known.iter().any(|known| level.eq_ignore_ascii_case(known)) {
        let at = rest.find(level)?;
        return Some((time, Some(&rest[at..at + level.len()]), rest[word.len()..].trim_start_matches([':', ' ', '-'])));
    }
    Some((time, None, rest))
}

/// A line of an access log.
fn access(line: &str) -> Option<Map<String, Value>> {
    let (host, rest) = line.split_once(' ')?;
    let (_, rest) = rest.split_once(' ')?;
    let (user, rest) = rest.split_once(" [")?;
    let (time, rest) = rest.split_once("] \"")?;
    let (request, rest) = quoted(rest)?;
    let mut words = rest.trim_start().splitn(3, ' ');
    let (status, bytes) = (words.next()?, words.next()?);
    if status.len() != 3 || !status.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let said = |text: &str| if text == "-" { Value::Null } else { json!(text) };
    let mut row = Map::new();
    row.insert("host".to_owned(), json!(host));
    row.insert("user".to_owned(), said(user));
    row.insert("time".to_owned(), json!(iso(time)?));
    row.insert("request".to_owned(), json!(request));
    row.insert("status".to_owned(), json!(status));
    row.insert("bytes".to_owned(), said(bytes.trim()));
    if let Some((referer, rest)) = words.next().and_then(|rest| rest.strip_prefix('"')).and_then(quoted) {
        row.insert("referer".to_owned(), said(&referer));
        if let Some((agent, _)) = rest.trim_start().strip_prefix('"').and_then(quoted) {
            row.insert("agent".to_owned(), said(&agent));
        }
    }
    Some(row)
}

/// What stands before the quote that ends, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => out.push(letters.next()?.1),
            '"' => return Some((out, &text[at + 1..])),
            letter => out.push(letter),
        }
    }
    None
}

/// `02/Jan/2024:14:30:15 +0000` in ISO 8601.
fn iso(time: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (stamp, zone) = time.split_once(' ')?;
    let mut parts = stamp.splitn(4, ['/', ':']);
    let (day, month, year, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    let zone = if zone.len() == 5 { format!("{}:{}", zone.get(..3)?, zone.get(3..)?) } else { zone.to_owned() };
    Some(format!("{year}-{month:02}-{day}T{clock}{zone}"))
}
