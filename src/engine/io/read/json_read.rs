//! JSON as people have it: lines, an array, values one after the other, an object that wraps its rows, columns instead of rows.
//!
//! A broken row becomes a warning with its place, and what follows it is read. The time taken grows with the text, whatever stands in it.

use polars_buffer::Buffer;
use rayon::prelude::*;

use crate::data::{Format, Shape};
use crate::io::read::aside::breathe;
use crate::io::read::budget::Budget;
use crate::io::read::columns::pieces;
use crate::io::read::json::{JsonError, skip_space, value};
use crate::io::read::json_columns;
use crate::io::read::json_rows::{JsonPart, JsonRefusal, gather};
use crate::io::read::json_walk::{Read, broken, walk};
use crate::job::Progress;

/// Reads JSON; `named` is what the file's name promises.
///
/// # Errors
/// [`JsonRefusal`].
pub fn read(text: &Buffer<u8>, named: Format, budget: &Budget, progress: &Progress) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    progress.set_total(bytes.len() as u64);
    let start = skip_space(bytes, 0);
    match bytes.get(start) {
        Some(b'[') if is_line_of_many(bytes, start) && (named == Format::JsonLines || follows_value(bytes, start)) => {
            lines(text, budget, progress)
        }
        Some(b'[') => array(text, start, budget, progress),
        Some(b'{') => object(text, start, named, budget, progress),
        _ if named == Format::JsonLines => lines(text, budget, progress),
        _ => single(text, start, budget),
    }
}

/// Whether a text of another name is JSON all the same: an object, or an array of objects.
pub fn is_json(bytes: &[u8]) -> bool {
    let start = skip_space(bytes, 0);
    let inner = skip_space(bytes, start + 1);
    match (bytes.get(start), bytes.get(inner)) {
        (Some(b'{'), Some(b'"')) => value(bytes, start).is_ok(),
        (Some(b'['), Some(b'{')) => value(bytes, inner).is_ok(),
        _ => false,
    }
}

/// The end of the line that `at` is on.
fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found)
}

/// Whether the line at `start` is one value, and not the last line.
fn is_line_of_many(bytes: &[u8], start: usize) -> bool {
    let line = line_end(bytes, start);
    let whole = value(&bytes[..line], start).is_ok_and(|(_, _, end)| skip_space(&bytes[..line], end) == line);
    whole && skip_space(bytes, line) < bytes.len()
}

/// Whether after the value at `start` comes another one.
fn follows_value(bytes: &[u8], start: usize) -> bool {
    value(bytes, start).is_ok_and(|(_, _, end)| matches!(bytes.get(skip_space(bytes, end)), Some(b'[' | b'{')))
}

fn object(text: &Buffer<u8>, start: usize, named: Format, budget: &Budget, progress: &Progress) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    let error = match value(bytes, start) {
        Ok((_, _, end)) => {
            let rest = skip_space(bytes, end);
            if rest == bytes.len() {
                // Lines with a single line are lines.
                if named == Format::JsonLines && memchr::memchr(b'\n', &bytes[start..end]).is_none() {
                    return lines(text, budget, progress);
                }
                return json_columns::object(text, start, budget, progress).unwrap_or_else(|| single(text, start, budget));
            }
            let next = if bytes[rest] == b',' { skip_space(bytes, rest + 1) } else { rest };
            if memchr::memchr(b'\n', &bytes[start..end]).is_some() {
                return stream(text, start, budget, progress);
            }
            if bytes[end..rest].contains(&b'\n') || bytes.get(next) == Some(&b'{') {
                return lines(text, budget, progress);
            }
            JsonError { at: rest, what: "more text follows the value" }
        }
        Err(error) => error,
    };
    if named == Format::JsonLines {
        return lines(text, budget, progress);
    }
    // The first one is broken; where another one is whole in itself, these are many all the same.
    let (mut at, mut tries) = (line_end(bytes, start), 0);
    while at < bytes.len() && tries < 1_000 {
        let next = skip_space(bytes, at + 1);
        if bytes.get(next) == Some(&b'{')
            && let Ok((_, _, end)) = value(bytes, next)
        {
            let within = memchr::memchr(b'\n', &bytes[next..end]).is_some();
            return if within { stream(text, start, budget, progress) } else { lines(text, budget, progress) };
        }
        at = line_end(bytes, next.max(at + 1).min(bytes.len()));
        tries += 1;
    }
    Err(broken(bytes, &error))
}

/// One value as one sample.
fn single(text: &Buffer<u8>, start: usize, budget: &Budget) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    let mut part = JsonPart::new(bytes, pieces(bytes.len()));
    let end = part.sample(bytes, start).map_err(|error| broken(bytes, &error))?;
    let rest = skip_space(bytes, end);
    if rest < bytes.len() {
        return Err(broken(bytes, &JsonError { at: rest, what: "more text follows the value" }));
    }
    part.count(budget);
    let table = gather(text, vec![part], None)?;
    Ok((table, Shape::JsonArray { open: start, close: end }, Format::Json))
}

const PART: usize = 4 << 20;

/// Reads JSON Lines, in parallel.
fn lines(text: &Buffer<u8>, budget: &Budget, progress: &Progress) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    let mut cuts = vec![0];
    while let Some(last) = cuts.last().copied().filter(|last| last + PART < bytes.len()) {
        cuts.push((line_end(bytes, last + PART) + 1).min(bytes.len()));
    }
    cuts.push(bytes.len());
    let parts = cuts
        .par_windows(2)
        .enumerate()
        .map(|(i, cut)| {
            let part = read_lines(bytes, cut[0], cut[1], pieces(bytes.len()) + i, budget);
            progress.step((cut[1] - cut[0]) as u64)?;
            match part.full {
                Some(words) => Err(JsonRefusal::TooLarge(words)),
                None => Ok(part),
            }
        })
        .collect::<Result<Vec<JsonPart>, JsonRefusal>>()?;
    if parts.iter().all(|part| part.rows() == 0)
        && let Some((at, reason)) = parts.iter().find_map(|part| part.faults.first())
    {
        let line = memchr::memchr_iter(b'\n', &bytes[..*at]).count() + 1;
        return Err(JsonRefusal::Broken(format!("line {line}: {reason}")));
    }
    Ok((gather(text, parts, None)?, Shape::JsonLines, Format::JsonLines))
}

fn read_lines(bytes: &[u8], start: usize, end: usize, side: usize, budget: &Budget) -> JsonPart {
    let (mut part, mut at, mut rows) = (JsonPart::new(&bytes[start..end], side).standing(budget), start, 0);
    while at < end && part.full.is_none() {
        let stop = line_end(&bytes[..end], at);
        read_line(&mut part, &bytes[..stop], at);
        at = stop + 1;
        if part.rows() >= rows + 1_024 {
            rows = part.rows();
            part.count(budget);
        }
    }
    part.count(budget);
    part.lay(budget);
    breathe();
    part
}

/// Reads the values of one line: one, or several where they are glued or parted by commas.
fn read_line(part: &mut JsonPart, line: &[u8], start: usize) {
    let mut at = skip_space(line, start);
    let mut many = false;
    while at < line.len() {
        let error = match part.sample(line, at) {
            Ok(after) => {
                let rest = skip_space(line, after);
                if rest == line.len() {
                    return;
                }
                let next = if line[rest] == b',' { skip_space(line, rest + 1) } else { rest };
                if next == line.len() {
                    return part.faults.note(rest, || "a comma stands after the value: it is passed over".to_owned());
                }
                if matches!(line[next], b'{' | b'[') && value(line, next).is_ok() {
                    if !many {
                        part.faults.note(start, || "several values stand on this line: each is a sample".to_owned());
                    }
                    many = true;
                    at = next;
                    continue;
                }
                if !many {
                    // A line that is not whole is no sample.
                    part.starts.pop();
                    part.lengths.pop();
                    part.clear_from_row();
                }
                JsonError { at: rest, what: "more text follows the value" }
            }
            Err(error) => error,
        };
        let character = String::from_utf8_lossy(&line[start..error.at.clamp(start, line.len())]).chars().count() + 1;
        let what = if many { "the rest of this line is left out" } else { "this line is left out" };
        part.lose(start, || format!("{}, at character {character}: {what}", error.what));
        return;
    }
}

/// Reads an array of samples.
fn array(text: &Buffer<u8>, start: usize, budget: &Budget, progress: &Progress) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    let mut part = JsonPart::new(bytes, pieces(bytes.len())).standing(budget);
    let end = walk(&mut part, bytes, start + 1, Some(b']'), budget, progress)?;
    let close = end.unwrap_or(bytes.len());
    let rest = skip_space(bytes, (close + 1).min(bytes.len()));
    if rest < bytes.len() {
        // One array after the other: each is a sample.
        if matches!(bytes[rest], b'[' | b'{') && value(bytes, start).is_ok() && value(bytes, rest).is_ok() {
            return stream(text, start, budget, progress);
        }
        if part.rows() == 0 {
            return Err(broken(bytes, &JsonError { at: rest, what: "more text follows the array" }));
        }
        part.lose(rest, || "more text follows the array: it is left out".to_owned());
    }
    let table = gather(text, vec![part], None)?;
    Ok((table, Shape::JsonArray { open: start + 1, close }, Format::Json))
}

/// Reads values that stand one after the other over several lines, as `jq` writes them.
fn stream(text: &Buffer<u8>, start: usize, budget: &Budget, progress: &Progress) -> Result<Read, JsonRefusal> {
    let bytes: &[u8] = text;
    let mut part = JsonPart::new(bytes, pieces(bytes.len())).standing(budget);
    walk(&mut part, bytes, start, None, budget, progress)?;
    Ok((gather(text, vec![part], None)?, Shape::JsonLines, Format::JsonLines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Kind;

    fn open(text: &str, named: Format) -> Result<Read, JsonRefusal> {
        read(&text.to_owned().into_bytes().into(), named, &Budget::new(u64::MAX, 0), &Progress::silent())
    }

    fn rows(text: &str, named: Format) -> Vec<String> {
        let (table, ..) = open(text, named).unwrap();
        let n = table.columns.first().map_or(0, crate::data::Column::len);
        (0..n).map(|row| table.columns[0].text(row).map_or_else(|| "null".to_owned(), |text| text.into_owned())).collect()
    }

    #[test]
    fn lines_become_columns_and_broken_ones_warnings() {
        let text = "{\"a\": \"x\", \"n\": 1}\n\n{\"a\": 1,}\n{\"n\": 2.5, \"t\": [\"p\", 1]}\r\n{\"a\": \"\\u00e9\"} x\n{\"a\":\"z\",\"a\":\"last\"}";
        let (table, ..) = open(text, Format::JsonLines).unwrap();
        assert_eq!((table.starts.len(), table.unread), (3, 2));
        assert_eq!(table.warnings.iter().map(|warning| warning.line).collect::<Vec<_>>(), [3, 5, 6]);
        let column = |name: &str| table.columns.iter().find(|column| &*column.name == name).unwrap();
        assert_eq!((column("n").kind, column("t").kind, column("a").kind), (Kind::Number, Kind::List, Kind::Text));
        let cells: Vec<_> = (0..3).map(|row| column("a").text(row).map(|text| text.into_owned())).collect();
        assert_eq!(cells, [Some("x".into()), None, Some("last".into())]);
        assert_eq!(column("t").text(1).as_deref(), Some("[\"p\", 1]"));
    }

    #[test]
    fn a_column_of_several_kinds_keeps_its_json() {
        let (table, ..) = open("{\"v\": \"a\\nb\"}\n{\"v\": 3}\n{\"v\": null}\n{\"w\": 1}\n", Format::JsonLines).unwrap();
        assert_eq!(table.columns[0].kind, Kind::Json);
        let cells: Vec<_> = (0..4).map(|row| table.columns[0].text(row).map(|text| text.into_owned())).collect();
        assert_eq!(cells, [Some("\"a\\nb\"".into()), Some("3".into()), None, None]);
    }

    #[test]
    fn one_broken_row_costs_itself_alone() {
        let row = |i: usize| format!("{{\"i\": {i}, \"t\": [1, 2], \"m\": [{{\"r\": 1}}, {{\"r\": 2}}]}}");
        let broken = [
            "{\"i\": 5, \"t\": [1, 2",
            "{\"i\": 5, \"t\": [1, 2}",
            "{\"i\": 5, \"t\": \"open",
            "{\"i\": 5, \"t\": [1, 2], \"m\": [{\"r\": 1}, {\"r\": 2}]",
            "{\"i\": }",
        ];
        for harm in broken {
            let list: Vec<String> = (0..200).map(|i| if i == 5 { harm.to_owned() } else { row(i) }).collect();
            for joint in [",\n", ",\n  ", ", ", ","] {
                let text = format!("[\n  {}\n]", list.join(joint))
                    .replace("\n  {\"i\": 0", if joint.contains("\n  ") { "\n  {\"i\": 0" } else { "\n{\"i\": 0" });
                let read = rows(&text, Format::Json);
                assert_eq!(read.len(), 199, "{harm} joined by {joint:?}");
                assert!(read.iter().all(|i| i != "5"));
            }
        }
    }

    #[test]
    fn brackets_without_end_take_no_time() {
        for text in
            ["[".repeat(300_000), "[{".repeat(200_000), format!("[{}", "{\"a\":[1,".repeat(200_000)), "{\"a\":".repeat(200_000)]
        {
            assert!(open(&text, Format::Json).is_err());
        }
        let text = format!("[{}]", vec!["{\"x\": NaN}"; 100_000].join(","));
        assert_eq!(rows(&text, Format::Json).len(), 100_000);
        let text = format!("[{}]", vec!["{\"x\": nan}"; 50_000].join(","));
        assert!(open(&text, Format::Json).is_err());
    }

    #[test]
    fn names_without_end_are_refused_early_and_names_that_are_not_there_cost_nothing() {
        let text = (0..40_000).map(|i| format!("{{\"k{i}\": 1}}")).collect::<Vec<_>>().join("\n");
        assert!(matches!(open(&text, Format::JsonLines), Err(JsonRefusal::TooLarge(_))));
        let wide = (0..2_000).map(|i| format!("\"k{i}\":1")).collect::<Vec<_>>().join(",");
        let text = format!("{{{wide}}}\n{}", "{}\n".repeat(50_000));
        let budget = Budget::new(8 << 20, 0);
        let (table, ..) = read(&text.into_bytes().into(), Format::JsonLines, &budget, &Progress::silent()).unwrap();
        assert_eq!((table.columns.len(), table.starts.len()), (2_000, 50_001));
        assert_eq!(table.columns[1_999].text(0).as_deref(), Some("1"));
        assert_eq!(table.columns[1_999].text(50_000), None);
    }

    #[test]
    fn one_sample_is_not_taken_for_many() {
        for text in [
            "{\"id\": 1, \"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}",
            "{\"a\": []}",
            "{\"a\": {\"b\": 1}}",
            "{\"data\": [{\"role\": \"user\", \"content\": \"a\"}]}",
        ] {
            let (table, ..) = open(text, Format::Json).unwrap();
            assert_eq!(table.starts.len(), 1, "{text}");
        }
    }
}
