//! A filter in words: `price > 20`, `text words 3..10`, `category is refund or late`, `not tagged odd`. What a chip says is read back as what it is.

use super::dataset::Dataset;
use super::filter::{Clause, Rule};
use super::measure::Measure;

/// The clause that some words say of a dataset; `None` where they say none: then they are a text to look for.
///
/// A condition names a column (in its own letters, or in others where none is spelled so), a measure of it where not its value is meant
/// (`characters`, `words`), and what is asked: `is`, `is not`, `contains`, `lacks`, `is empty`, `>`, `>=`, `<`, `<=`, `=`, `!=`, `A..B`,
/// `is A to B`. Beside these there are `tagged T`, `edited`, `reviewed` and `excluded`; `not` before a condition turns it round; several are
/// joined by `or`, and a name alone behind an `or` is another class of the column before.
pub fn clause_of(words: &str, dataset: &Dataset) -> Option<Clause> {
    let words = words.trim();
    if let Some(inner) = words.strip_prefix("not (").and_then(|rest| rest.strip_suffix(')')) {
        return clause_of(inner, dataset).map(|clause| Clause { negated: !clause.negated, ..clause });
    }
    let mut clauses: Vec<Clause> = Vec::new();
    let parts = alternatives(words);
    let mut at = 0;
    while at < parts.len() {
        let part = parts[at].trim();
        at += 1;
        // A name may have an `or` in it.
        let joined = parts.get(at).and_then(|next| one(&format!("{part} or {}", next.trim()), dataset));
        match (one(part, dataset), clauses.last_mut()) {
            (Some(clause), _) => clauses.push(clause),
            (None, _) if joined.is_some() => {
                clauses.extend(joined);
                at += 1;
            }
            (None, Some(Clause { rule: Rule::Class { classes, .. }, negated: false })) if !part.is_empty() => {
                classes.push(unquoted(part).to_owned());
            }
            _ => return None,
        }
    }
    match clauses.len() {
        0 | 1 => clauses.pop(),
        _ => Some(Rule::Any(clauses).into()),
    }
}

/// The parts between the `or`s that stand outside of quotation marks.
fn alternatives(words: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted) = (Vec::new(), 0, false);
    for (at, letter) in words.char_indices() {
        match letter {
            '“' => quoted = true,
            '”' => quoted = false,
            '"' => quoted = !quoted,
            ' ' if !quoted && at >= from && words[at..].get(..4).is_some_and(|or| or.eq_ignore_ascii_case(" or ")) => {
                parts.push(&words[from..at]);
                from = at + 4;
            }
            _ => {}
        }
    }
    parts.push(&words[from..]);
    parts
}

fn one(words: &str, dataset: &Dataset) -> Option<Clause> {
    if let Some(rest) = after_word(words, "not") {
        return one(rest, dataset).map(|clause| Clause { negated: !clause.negated, ..clause });
    }
    let rule = match words.to_lowercase().as_str() {
        "edited" => Some(Rule::Edited),
        "reviewed" => Some(Rule::Reviewed),
        "excluded" => Some(Rule::Excluded),
        _ => after_word(words, "tagged").map(|tag| Rule::Tag(unquoted(tag).to_owned())),
    };
    if let Some(rule) = rule {
        return Some(rule.into());
    }
    if let Some(rest) = after_word(words, "any column") {
        return found(None, rest);
    }
    let (column, rest) = column_of(words, dataset)?;
    let field = dataset.field(&column)?;
    let (measure, rest) = [("characters", Measure::Characters), ("length", Measure::Characters), ("words", Measure::Words)]
        .into_iter()
        .find_map(|(name, measure)| after_word(rest, name).map(|rest| (Some(measure), rest)))
        .unwrap_or((None, rest));
    let numeric = measure.is_some() || dataset.fields()[field].kind.is_numeric();
    let measure = measure.unwrap_or(Measure::Value);
    if numeric && let Some(clause) = range(&column, measure, rest) {
        return Some(clause);
    }
    if measure != Measure::Value {
        return None;
    }
    found(Some(&column), rest).or_else(|| is(&column, rest))
}

/// What stands behind a word and a blank.
fn after_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let head = text.get(..word.len())?;
    let rest = text[word.len()..].strip_prefix(' ')?;
    head.eq_ignore_ascii_case(word).then(|| rest.trim())
}

/// The longest name of a column that the words begin with, and what stands behind it.
fn column_of<'t>(words: &'t str, dataset: &Dataset) -> Option<(String, &'t str)> {
    let behind = |name: &str| -> Option<&'t str> {
        let rest = words.get(name.len()..)?;
        (rest.starts_with([' ', '<', '>', '=', '!'])).then(|| rest.trim())
    };
    let named = |exact: bool| {
        let fits = |name: &str| {
            let head = words.get(..name.len());
            head.is_some_and(|head| head == name || !exact && head.to_lowercase() == name.to_lowercase())
        };
        let names = dataset.fields().iter().map(|field| field.name.to_string());
        names
            .filter(|name| fits(name))
            .filter_map(|name| behind(&name).map(|rest| (name, rest)))
            .max_by_key(|(name, _)| name.len())
    };
    named(true).or_else(|| named(false))
}

/// A text that is found in a column, or is not.
fn found(column: Option<&str>, rest: &str) -> Option<Clause> {
    let (text, negated) = [("contains", false), ("lacks", true)]
        .into_iter()
        .find_map(|(word, negated)| after_word(rest, word).map(|text| (text, negated)))?;
    let pattern = text.strip_prefix('/').and_then(|text| text.strip_suffix('/')).filter(|pattern| !pattern.is_empty());
    let rule = Rule::Contains {
        column: column.map(ToOwned::to_owned),
        text: pattern.unwrap_or(unquoted(text)).to_owned(),
        regex: pattern.is_some(),
        case: false,
    };
    Some(Clause { rule, negated })
}

/// A value that a cell has, or has not.
fn is(column: &str, rest: &str) -> Option<Clause> {
    let word = |word| after_word(rest, word);
    let sign = |sign: &str| rest.strip_prefix(sign).map(str::trim);
    let (value, negated) = match (word("is not"), word("is")) {
        (Some(value), _) => (value, true),
        (None, Some(value)) => (value, false),
        (None, None) => sign("!=").map(|value| (value, true)).or_else(|| sign("=").map(|value| (value, false)))?,
    };
    let column = column.to_owned();
    let rule = match value {
        "empty" => Rule::Empty { column },
        _ => Rule::Class { column, classes: vec![unquoted(value).to_owned()] },
    };
    Some(Clause { rule, negated })
}

/// A range of numbers.
fn range(column: &str, measure: Measure, rest: &str) -> Option<Clause> {
    let (rest, negated) = match (after_word(rest, "is not"), after_word(rest, "is")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => (rest, false),
    };
    let between = |low: f64, high: f64, open: bool| {
        let rule = Rule::Between { column: column.to_owned(), measure, low, high, open };
        Some(Clause { rule, negated })
    };
    let sign = |words: &[&str]| words.iter().find_map(|word| rest.strip_prefix(*word)).and_then(number);
    if let Some(low) = sign(&[">=", "at least "]) {
        return between(low, f64::MAX, false);
    }
    if let Some(high) = sign(&["<=", "at most "]) {
        return between(f64::MIN, high, false);
    }
    if let Some(low) = sign(&[">", "above "]) {
        return between(low.next_up(), f64::MAX, false);
    }
    if let Some(high) = sign(&["<", "below "]) {
        return between(f64::MIN, high, true);
    }
    if let Some(value) = sign(&["!="]) {
        return between(value, value, false).map(|clause| Clause { negated: !clause.negated, ..clause });
    }
    if let Some((low, high)) = rest.split_once("..").or_else(|| rest.split_once(" to ")) {
        let (high, open) = match high.trim().strip_prefix("below ") {
            Some(high) => (high, true),
            None => (high, false),
        };
        return between(number(low)?, number(high)?, open);
    }
    let value = number(rest.strip_prefix('=').unwrap_or(rest))?;
    between(value, value, false)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

/// A text without the quotation marks that it stands in.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |open: char, close: char| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
    inner('“', '”').or_else(|| inner('"', '"')).unwrap_or(text)
}
