//! Methods and filters of Python that minijinja has not, or has otherwise.

use minijinja::value::{Tuple, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::python::str_of;

/// The widest that a text is padded to, in letters.
const WIDEST: usize = 10_000;

fn padded(text: &str, wide: usize, fill: char, left: bool) -> String {
    let missing = wide.min(WIDEST).saturating_sub(text.chars().count());
    let blanks: String = std::iter::repeat_n(fill, missing).collect();
    if left { blanks + text } else { text.to_owned() + &blanks }
}

/// A text in the middle of so many letters: of an odd rest the larger half stands where Python puts it.
pub fn center(text: &str, wide: usize) -> String {
    let wide = wide.min(WIDEST);
    let missing = wide.saturating_sub(text.chars().count());
    let left = missing / 2 + (missing & wide & 1);
    let blanks = |n: usize| " ".repeat(n);
    format!("{}{text}{}", blanks(left), blanks(missing - left))
}

/// Jinja's `truncate`: a text that is longer by more than a leeway is cut at a word.
pub fn truncate(
    value: &Value,
    length: Option<usize>,
    killwords: Option<bool>,
    end: Option<String>,
    leeway: Option<usize>,
) -> String {
    let (text, length, end) = (str_of(value), length.unwrap_or(255), end.unwrap_or_else(|| "...".to_owned()));
    if text.chars().count() <= length + leeway.unwrap_or(5) {
        return text;
    }
    let kept: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    if killwords.unwrap_or(false) {
        return kept + &end;
    }
    let cut = kept.rsplit_once(' ').map_or(kept.as_str(), |(before, _)| before);
    format!("{cut}{end}")
}

/// Calls a method that minijinja does not know.
pub fn call(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let Some(text) = value.as_str().filter(|_| value.kind() == ValueKind::String) else {
        return unknown_method_callback(state, value, method, args);
    };
    match method {
        "rjust" | "ljust" => {
            let (wide, fill): (usize, Option<String>) = from_args(args)?;
            let fill = fill.and_then(|fill| fill.chars().next()).unwrap_or(' ');
            Ok(Value::from(padded(text, wide, fill, method == "rjust")))
        }
        "center" => {
            let (wide,): (usize,) = from_args(args)?;
            Ok(Value::from(center(text, wide)))
        }
        "zfill" => {
            let (wide,): (usize,) = from_args(args)?;
            let (sign, digits) = if text.starts_with(['+', '-']) { text.split_at(1) } else { ("", text) };
            Ok(Value::from(format!("{sign}{}", padded(digits, wide.saturating_sub(sign.len()), '0', true))))
        }
        "partition" | "rpartition" => {
            let (by,): (String,) = from_args(args)?;
            let found = if method == "partition" { text.split_once(&*by) } else { text.rsplit_once(&*by) };
            let parts = match (found, method) {
                (Some((before, after)), _) => [before, by.as_str(), after],
                (None, "partition") => [text, "", ""],
                (None, _) => ["", "", text],
            };
            Ok(Value::from(Tuple::new(parts.map(Value::from).into())))
        }
        "removeprefix" => {
            let (what,): (String,) = from_args(args)?;
            Ok(Value::from(text.strip_prefix(&*what).unwrap_or(text)))
        }
        "removesuffix" => {
            let (what,): (String,) = from_args(args)?;
            Ok(Value::from(text.strip_suffix(&*what).unwrap_or(text)))
        }
        // Python's idea of white space has four separators that Rust's has not.
        "strip" | "lstrip" | "rstrip" if args.is_empty() => {
            let blank = |letter: char| letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}');
            Ok(Value::from(match method {
                "strip" => text.trim_matches(blank),
                "lstrip" => text.trim_start_matches(blank),
                _ => text.trim_end_matches(blank),
            }))
        }
        "__class__" => Err(Error::new(ErrorKind::UnknownMethod, "there is no such thing in a template")),
        _ => unknown_method_callback(state, value, method, args),
    }
}
