//! Values as Python has them: from JSON by hand, printed, and written as `json.dumps` writes them.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};
use serde_json::Value as Json;

/// A value of JSON. Numbers by hand: whole ones as they are, others as doubles; through serde an arbitrary-precision number would come as a map.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(on) => Value::from(*on),
        Json::Number(number) => {
            let written = number.to_string();
            if let Ok(whole) = written.parse::<i64>() {
                Value::from(whole)
            } else if let Some(whole) = written.parse::<i128>().ok().filter(|_| !written.contains(['.', 'e', 'E'])) {
                Value::from(whole)
            } else {
                Value::from(written.parse::<f64>().unwrap_or(f64::NAN))
            }
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => list.iter().map(from_json).collect::<Vec<Value>>().into(),
        Json::Object(map) => Value::from_pairs(map.iter().map(|(key, value)| (key.as_str(), from_json(value)))),
    }
}

/// A double as Python's `repr` writes it: the shortest digits that come back, an exponent below 1e-4 and from 1e16 on.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let size = value.abs();
    if value != 0.0 && !(1e-4..1e16).contains(&size) {
        let written = format!("{value:e}");
        let Some((digits, exponent)) = written.split_once('e') else { return written };
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let written = format!("{value}");
    if written.contains('.') { written } else { written + ".0" }
}

fn number(value: &Value) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    f64::try_from(value.clone()).map_or_else(|_| value.to_string(), float)
}

/// A value as Python's `str` has it.
pub fn str_of(value: &Value) -> String {
    match value.kind() {
        ValueKind::String => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        ValueKind::Undefined => String::new(),
        _ => repr(value, 0),
    }
}

/// The deepest that values are printed.
const DEEPEST: usize = 128;

fn repr(value: &Value, depth: usize) -> String {
    if depth > DEEPEST {
        return "…".to_owned();
    }
    match value.kind() {
        ValueKind::String => quoted(value.as_str().unwrap_or_default()),
        ValueKind::Number => number(value),
        ValueKind::Seq => {
            let items: Vec<String> =
                value.try_iter().map(|items| items.map(|item| repr(&item, depth + 1)).collect()).unwrap_or_default();
            match (value.is_tuple(), items.as_slice()) {
                (true, [one]) => format!("({one},)"),
                (true, all) => format!("({})", all.join(", ")),
                (false, all) => format!("[{}]", all.join(", ")),
            }
        }
        ValueKind::Map => {
            let mut items = Vec::new();
            for key in value.try_iter().into_iter().flatten() {
                let inner = value.get_item(&key).unwrap_or_default();
                items.push(format!("{}: {}", repr(&key, depth + 1), repr(&inner, depth + 1)));
            }
            format!("{{{}}}", items.join(", "))
        }
        _ => value.to_string(),
    }
}

/// A text as Python's `repr` quotes it: in single quotation marks unless it has such and no double ones.
fn quoted(text: &str) -> String {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == mark => {
                out.push('\\');
                out.push(letter);
            }
            letter if !is_printable(letter) => {
                let code = u32::from(letter);
                out.push_str(&match code {
                    0..=0xFF => format!("\\x{code:02x}"),
                    0x100..=0xFFFF => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
            letter => out.push(letter),
        }
    }
    out.push(mark);
    out
}

/// Whether Python prints a letter as it is: no control, no separator but the blank, nothing private or unassigned that is common in texts.
fn is_printable(letter: char) -> bool {
    !matches!(
        u32::from(letter),
        0..=0x1F
        | 0x7F..=0xA0
        | 0xAD
        | 0x600..=0x605
        | 0x61C
        | 0x6DD
        | 0x70F
        | 0x1680
        | 0x180E
        | 0x2000..=0x200F
        | 0x2028..=0x202F
        | 0x205F..=0x206F
        | 0x3000
        | 0xE000..=0xF8FF
        | 0xFEFF
        | 0xFFF9..=0xFFFB
        | 0xE0000..=0xE007F
        | 0xF0000..=0x10_FFFF
    )
}

/// How `json.dumps` is asked to write.
#[derive(Debug, Default, Clone)]
pub struct Dumps {
    pub ascii: bool,
    pub indent: Option<usize>,
    pub sort: bool,
    /// Between items, and between a key and its value.
    pub separators: Option<(String, String)>,
}

impl Dumps {
    /// Writes a value.
    ///
    /// # Errors
    /// It is of a kind that JSON does not have.
    pub fn write(&self, value: &Value) -> Result<String, Error> {
        let mut out = String::new();
        self.into(value, 0, &mut out)?;
        Ok(out)
    }

    fn line(&self, depth: usize, out: &mut String) {
        if let Some(indent) = self.indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    }

    fn into(&self, value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(Error::new(ErrorKind::InvalidOperation, "it is nested too deeply"));
        }
        let usual = if self.indent.is_some() { "," } else { ", " };
        let (item, colon) = self.separators.as_ref().map_or((usual, ": "), |(item, colon)| (item.as_str(), colon.as_str()));
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&match number(value).as_str() {
                "nan" => "NaN".to_owned(),
                "inf" => "Infinity".to_owned(),
                "-inf" => "-Infinity".to_owned(),
                written => written.to_owned(),
            }),
            ValueKind::String => self.text(value.as_str().unwrap_or_default(), out),
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                if items.is_empty() {
                    out.push_str("[]");
                    return Ok(());
                }
                out.push('[');
                for (at, inner) in items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(item);
                    }
                    self.line(depth + 1, out);
                    self.into(inner, depth + 1, out)?;
                }
                self.line(depth, out);
                out.push(']');
            }
            ValueKind::Map => {
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if keys.is_empty() {
                    out.push_str("{}");
                    return Ok(());
                }
                if self.sort {
                    keys.sort_by_key(str_of);
                }
                out.push('{');
                for (at, key) in keys.iter().enumerate() {
                    if at > 0 {
                        out.push_str(item);
                    }
                    self.line(depth + 1, out);
                    let name = match key.kind() {
                        ValueKind::None => "null".to_owned(),
                        ValueKind::Bool => if key.is_true() { "true" } else { "false" }.to_owned(),
                        _ => str_of(key),
                    };
                    self.text(&name, out);
                    out.push_str(colon);
                    self.into(&value.get_item(key)?, depth + 1, out)?;
                }
                self.line(depth, out);
                out.push('}');
            }
            kind => {
                return Err(Error::new(ErrorKind::InvalidOperation, format!("{kind} is no JSON")));
            }
        }
        Ok(())
    }

    fn text(&self, text: &str, out: &mut String) {
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{C}' => out.push_str("\\f"),
                letter if u32::from(letter) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
                letter if self.ascii && !letter.is_ascii() => {
                    let mut units = [0; 2];
                    letter.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
                }
                letter => out.push(letter),
            }
        }
        out.push('"');
    }
}

/// JSON as Python's `json.dumps(…, ensure_ascii=False)` writes it.
pub fn json_of(json: &Json) -> String {
    Dumps::default().write(&from_json(json)).unwrap_or_default()
}
