//! A JSON scanner (RFC 8259): checks one value and says where it ends, without building it.
//!
//! Strict in what JSON is, but for the numbers that are none ([`JsonToken::NotFinite`]); iterative, so that no nesting overflows the stack;
//! nesting is limited to [`MAX_DEPTH`].

/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 512;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonToken {
    Null,
    Boolean,
    /// A number without point or exponent.
    Integer,
    Number,
    /// `NaN`, `Infinity` or `-Infinity`: no JSON, but what Python writes.
    NotFinite,
    /// A string; the flag says whether it has escapes.
    String {
        escaped: bool,
    },
    Array,
    Object,
}

/// What is wrong with a text, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    pub at: usize,
    pub what: &'static str,
}

type Scan<T> = Result<T, JsonError>;

fn fail<T>(at: usize, what: &'static str) -> Scan<T> {
    Err(JsonError { at, what })
}

/// The first byte from `at` on that is not JSON white space.
pub fn skip_space(text: &[u8], at: usize) -> usize {
    let mut at = at;
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Reads the value that begins at `at` (white space skipped): what it is, where it begins, where it ends.
///
/// # Errors
/// [`JsonError`] at the first byte that cannot be.
pub fn value(text: &[u8], at: usize) -> Scan<(JsonToken, usize, usize)> {
    let start = skip_space(text, at);
    match text.get(start) {
        Some(b'{') => nested(text, start).map(|end| (JsonToken::Object, start, end)),
        Some(b'[') => nested(text, start).map(|end| (JsonToken::Array, start, end)),
        _ => scalar(text, start).map(|(token, end)| (token, start, end)),
    }
}

fn scalar(text: &[u8], at: usize) -> Scan<(JsonToken, usize)> {
    let word = |word: &str, token| {
        if text[at..].starts_with(word.as_bytes()) { Ok((token, at + word.len())) } else { fail(at, "not a JSON value") }
    };
    match text.get(at) {
        None => fail(at, "the text ends where a value should be"),
        Some(b'"') => string(text, at).map(|(escaped, end)| (JsonToken::String { escaped }, end)),
        Some(b'n') => word("null", JsonToken::Null),
        Some(b't') => word("true", JsonToken::Boolean),
        Some(b'f') => word("false", JsonToken::Boolean),
        Some(b'-') if text.get(at + 1) == Some(&b'I') => word("-Infinity", JsonToken::NotFinite),
        Some(b'-' | b'0'..=b'9') => number(text, at),
        Some(b'\'') => fail(at, "strings stand in double quotes"),
        Some(b'N') => word("NaN", JsonToken::NotFinite),
        Some(b'I') => word("Infinity", JsonToken::NotFinite),
        Some(b']' | b'}' | b',') => fail(at, "a value is missing"),
        Some(b'/') if matches!(text.get(at + 1), Some(b'/' | b'*')) => fail(at, "JSON has no comments; take them out"),
        Some(_) => fail(at, "not a JSON value"),
    }
}

/// Where in a sound value `NaN` or an infinity stands outside of strings.
pub fn not_finite(value: &[u8]) -> Option<usize> {
    // Both have a capital letter, which stands in strings and nowhere else.
    let mut at = 0;
    while let Some(found) = memchr::memchr3(b'"', b'N', b'I', &value[at..]) {
        at += found;
        if value[at] != b'"' {
            return Some(at);
        }
        at = string(value, at).ok()?.1;
    }
    None
}

/// Reads the string that begins at the quote `at`: whether it has escapes, and where it ends.
///
/// # Errors
/// [`JsonError`] where it is not closed, or holds what must be escaped.
pub fn string(text: &[u8], at: usize) -> Scan<(bool, usize)> {
    let mut from = at + 1;
    let mut escaped = false;
    loop {
        let Some(found) = memchr::memchr2(b'"', b'\\', &text[from.min(text.len())..]) else {
            return fail(at, "a string is not closed");
        };
        let stop = from + found;
        if let Some(control) = text[from..stop].iter().position(|byte| *byte < 0x20) {
            return fail(from + control, "a line end or control character stands in a string and must be escaped");
        }
        if text[stop] == b'"' {
            return Ok((escaped, stop + 1));
        }
        escaped = true;
        from = match text.get(stop + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => stop + 2,
            Some(b'u') if text.get(stop + 2..stop + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => stop + 6,
            Some(b'u') => return fail(stop, "\\u needs four hexadecimal digits"),
            _ => return fail(stop, "an unknown escape stands in a string"),
        };
    }
}

fn number(text: &[u8], at: usize) -> Scan<(JsonToken, usize)> {
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = at + usize::from(text[at] == b'-');
    let whole = digits(end);
    if whole == 0 {
        return fail(end, "a digit is missing in a number");
    }
    if whole > 1 && text[end] == b'0' {
        return fail(end, "a number must not begin with 0");
    }
    end += whole;
    let mut token = JsonToken::Integer;
    if text.get(end) == Some(&b'.') {
        let part = digits(end + 1);
        if part == 0 {
            return fail(end, "a digit is missing after the point");
        }
        token = JsonToken::Number;
        end += 1 + part;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let power = digits(end + 1 + sign);
        if power == 0 {
            return fail(end, "a digit is missing in the exponent");
        }
        token = JsonToken::Number;
        end += 1 + sign + power;
    }
    Ok((token, end))
}

/// Reads the array or object that begins at `start`; returns where it ends.
fn nested(text: &[u8], start: usize) -> Scan<usize> {
    let mut open: Vec<u8> = vec![text[start]];
    let mut at = start + 1;
    let mut first = true;
    loop {
        at = skip_space(text, at);
        let object = open.last() == Some(&b'{');
        let close = if object { b'}' } else { b']' };
        match text.get(at) {
            None => return fail(at, if object { "an object is not closed" } else { "an array is not closed" }),
            Some(byte) if *byte == close => {
                open.pop();
                at += 1;
                if open.is_empty() {
                    return Ok(at);
                }
                first = false;
                continue;
            }
            Some(b',') if !first => {
                at = skip_space(text, at + 1);
                if text.get(at) == Some(&close) {
                    return fail(at, "a comma stands before the closing bracket");
                }
            }
            Some(_) if !first => return fail(at, "a comma is missing"),
            Some(_) => {}
        }
        if object {
            if text.get(at) != Some(&b'"') {
                return fail(at, "a name in double quotes is missing");
            }
            at = skip_space(text, string(text, at)?.1);
            if text.get(at) != Some(&b':') {
                return fail(at, "a colon is missing after a name");
            }
            at = skip_space(text, at + 1);
        }
        if let Some(bracket @ (b'{' | b'[')) = text.get(at) {
            if open.len() >= MAX_DEPTH {
                return fail(at, "it is nested deeper than 512 levels");
            }
            open.push(*bracket);
            at += 1;
            first = true;
        } else {
            at = scalar(text, at)?.1;
            first = false;
        }
    }
}

/// One `"name": value` of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonMember {
    /// Where the name stands, without its quotes.
    pub name: (usize, usize),
    /// Whether the name has escapes.
    pub escaped: bool,
    /// What the value is.
    pub token: JsonToken,
    /// Where the value stands.
    pub value: (usize, usize),
}

/// Reads the object that begins at `at` one level deep into `members`; returns where it ends.
///
/// # Errors
/// [`JsonError`] as [`value`].
pub fn members(text: &[u8], at: usize, members: &mut Vec<JsonMember>) -> Scan<usize> {
    members.clear();
    let mut at = skip_space(text, at + 1);
    if text.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        if text.get(at) != Some(&b'"') {
            return fail(at, "a name in double quotes is missing");
        }
        let (escaped, name_end) = string(text, at)?;
        let name = (at + 1, name_end - 1);
        at = skip_space(text, name_end);
        if text.get(at) != Some(&b':') {
            return fail(at, "a colon is missing after a name");
        }
        let (token, start, end) = value(text, at + 1)?;
        members.push(JsonMember { name, escaped, token, value: (start, end) });
        at = skip_space(text, end);
        match text.get(at) {
            Some(b'}') => return Ok(at + 1),
            Some(b',') => at = skip_space(text, at + 1),
            None => return fail(at, "an object is not closed"),
            Some(_) => return fail(at, "a comma is missing"),
        }
    }
}

/// What the string literal `text` (quotes included) says. A lone surrogate escape becomes U+FFFD.
pub fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 1;
    let end = text.len() - 1;
    while at < end {
        let Some(found) = memchr::memchr(b'\\', &text[at..end]) else {
            out.extend_from_slice(&text[at..end]);
            return;
        };
        out.extend_from_slice(&text[at..at + found]);
        at += found;
        let unit = |at: usize| {
            (text.get(at..at + 2) == Some(b"\\u"))
                .then(|| std::str::from_utf8(text.get(at + 2..at + 6)?).ok().and_then(|hex| u16::from_str_radix(hex, 16).ok()))
                .flatten()
        };
        let plain = match text[at + 1] {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let first = unit(at).unwrap_or(0xfffd);
                let pair = unit(at + 6).filter(|second| (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(second));
                let letter =
                    char::decode_utf16([first].into_iter().chain(pair)).next().and_then(Result::ok).unwrap_or('\u{fffd}');
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                at += if pair.is_some() { 12 } else { 6 };
                continue;
            }
            other => other,
        };
        out.push(plain);
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_serde_on_what_is_json() {
        let texts = [
            "{}",
            "[]",
            "[1,2]",
            "{\"a\":[{\"b\":null}],\"c\":-0.5e+3}",
            "\"\\u00e9\\n\"",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "-",
            "1e",
            "+1",
            "nul",
            "\"\t\"",
            "\"\\x\"",
            "[1 2]",
            "[",
            "{",
            "\"",
            "]",
            "",
            "  ",
            "[[[[]]]]",
            "{\"a\":{}}",
            "{\"a\":[]}",
            "[{},[],{}]",
            "[1,[2,]]",
            "{\"a\":1 \"b\":2}",
            "1e400",
            "-0",
            "\"\\ud800\"",
            "'a'",
            "Nan",
            "-Inf",
        ];
        for text in texts {
            let ours = value(text.as_bytes(), 0).is_ok_and(|(_, _, end)| skip_space(text.as_bytes(), end) == text.len());
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
            assert_eq!(ours, theirs, "{text:?}");
        }
    }

    #[test]
    fn what_python_writes_for_numbers_that_are_none_is_read() {
        for text in ["NaN", "[1, Infinity]", "{\"x\":-Infinity}"] {
            assert_eq!(value(text.as_bytes(), 0).map(|(_, _, end)| end), Ok(text.len()));
        }
        assert_eq!(not_finite(b"{\"a\": \"NaN\", \"b\": [1, NaN]}"), Some(22));
        assert_eq!(not_finite(b"[\"Infinity \\\" NaN\", 1]"), None);
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        let deep = "[".repeat(100_000);
        assert!(value(deep.as_bytes(), 0).is_err());
        let fine = format!("{}{}", "[".repeat(500), "]".repeat(500));
        assert_eq!(value(fine.as_bytes(), 0).map(|(_, _, end)| end), Ok(1_000));
    }

    #[test]
    fn escapes_are_undone() {
        let mut out = Vec::new();
        unescape(br#""a\n\"\u00e9\ud83d\ude00\ud800x\/""#, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a\n\"é😀\u{fffd}x/");
    }
}
