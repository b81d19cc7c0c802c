//! What an expression may call: a list.

use super::{CellValue, FormulaRow, Term, short};
use crate::data::{Times, day_words, number_of};

/// A function: its name, how it is called, what it does, how many values it takes.
pub struct FormulaFunction {
    pub name: &'static str,
    pub usage: &'static str,
    pub help: &'static str,
    pub least: usize,
    pub most: usize,
}

const fn function(name: &'static str, usage: &'static str, help: &'static str, least: usize, most: usize) -> FormulaFunction {
    FormulaFunction { name, usage, help, least, most }
}

/// Every function.
pub static FUNCTIONS: [FormulaFunction; 30] = [
    function("if", "if(condition, then, else)", "one of two values", 2, 3),
    function("first", "first(a, b, …)", "the first that is not empty", 1, usize::MAX),
    function(
        "join",
        "join(a, b, …) or join(list, separator)",
        "texts put together; a list with a separator between",
        1,
        usize::MAX,
    ),
    function("split", "split(text, separator)", "a list of the parts", 2, 2),
    function("part", "part(text, separator, n)", "the nth part, from 1; from the end where n is negative", 3, 3),
    function("item", "item(list, n)", "the nth of a list, from 1; from the end where n is negative", 2, 2),
    function("replace", "replace(text, from, to)", "every occurrence replaced", 3, 3),
    function("regex", "regex(text, expression)", "what an expression finds first, its first group where it has one", 2, 2),
    function("regex_replace", "regex_replace(text, expression, to)", "everything found replaced; $1 is its first group", 3, 3),
    function("lower", "lower(text)", "in small letters", 1, 1),
    function("upper", "upper(text)", "in capitals", 1, 1),
    function("trim", "trim(text)", "without blanks at its ends", 1, 1),
    function("left", "left(text, n)", "the first n letters", 2, 2),
    function("right", "right(text, n)", "the last n letters", 2, 2),
    function("length", "length(text)", "how many letters, or values of a list", 1, 1),
    function("words", "words(text)", "how many words", 1, 1),
    function("contains", "contains(text, part)", "whether it holds a part", 2, 2),
    function("starts", "starts(text, part)", "whether it begins so", 2, 2),
    function("ends", "ends(text, part)", "whether it ends so", 2, 2),
    function("number", "number(text)", "the number that a text writes: 1.234,50 is 1234.5", 1, 1),
    function("round", "round(number, digits)", "with so many digits behind the point", 1, 2),
    function("abs", "abs(number)", "without its sign", 1, 1),
    function("date", "date(text)", "the day or time that a text writes, as 2024-01-02", 1, 1),
    function("year", "year(date)", "its year", 1, 1),
    function("month", "month(date)", "its month, 1 to 12", 1, 1),
    function("day", "day(date)", "its day of the month", 1, 1),
    function("path", "path(json, \"a.b[0]\")", "a value within a nested one", 2, 2),
    function("list", "list(a, b, …)", "a list of values", 0, usize::MAX),
    function("text", "text(value)", "a value as a text", 1, 1),
    function("down", "down(column)", "the last cell of a column that is not empty, here or above", 1, 1),
];

/// Calls a function with terms of a row; those that it does not need are not worked out.
pub fn call(at: usize, terms: &[Term], row: &dyn FormulaRow) -> Result<CellValue, String> {
    let name = FUNCTIONS[at].name;
    match name {
        "if" => {
            return match (terms[0].of(row)?.yes(), terms.get(2)) {
                (true, _) => terms[1].of(row),
                (false, Some(other)) => other.of(row),
                (false, None) => Ok(CellValue::Nothing),
            };
        }
        "first" => {
            for term in terms {
                let value = term.of(row)?;
                if !value.is_nothing() && !value.text().is_empty() {
                    return Ok(value);
                }
            }
            return Ok(CellValue::Nothing);
        }
        _ => {}
    }
    let values: Vec<CellValue> = terms.iter().map(|term| term.of(row)).collect::<Result<_, _>>()?;
    match name {
        "list" => return Ok(CellValue::List(values)),
        "join" => return Ok(joined(&values)),
        _ => {}
    }
    // Nothing of nothing.
    if values.iter().any(CellValue::is_nothing) {
        return Ok(CellValue::Nothing);
    }
    let text = |at: usize| values[at].text();
    let said = |text: String| Ok(CellValue::Text(text));
    match name {
        "split" => Ok(CellValue::List(parts(&text(0), &text(1)).into_iter().map(CellValue::Text).collect())),
        "part" => Ok(nth(parts(&text(0), &text(1)).into_iter().map(CellValue::Text).collect(), values[2].number()?)),
        "item" => Ok(nth(listed(&values[0])?, values[1].number()?)),
        "replace" => said(text(0).replace(&text(1), &text(2))),
        "regex" => {
            let found = expression(&text(1))?;
            let own = text(0);
            Ok(found.captures(&own).map_or(CellValue::Nothing, |found| {
                let group = found.get(1).or_else(|| found.get(0));
                CellValue::Text(group.map_or("", |group| group.as_str()).to_owned())
            }))
        }
        "regex_replace" => said(expression(&text(1))?.replace_all(&text(0), text(2).as_str()).into_owned()),
        "lower" => said(text(0).to_lowercase()),
        "upper" => said(text(0).to_uppercase()),
        "trim" => said(text(0).trim().to_owned()),
        "left" => said(text(0).chars().take(whole(&values[1])?).collect()),
        "right" => {
            let own = text(0);
            let skip = own.chars().count().saturating_sub(whole(&values[1])?);
            said(own.chars().skip(skip).collect())
        }
        "length" => Ok(CellValue::Number(match &values[0] {
            CellValue::List(list) => list.len() as f64,
            value => value.text().chars().count() as f64,
        })),
        "words" => Ok(CellValue::Number(text(0).split_whitespace().count() as f64)),
        "contains" => Ok(CellValue::Yes(text(0).contains(&text(1)))),
        "starts" => Ok(CellValue::Yes(text(0).starts_with(&text(1)))),
        "ends" => Ok(CellValue::Yes(text(0).ends_with(&text(1)))),
        "number" => match (&values[0], comma(&terms[0], row)) {
            (CellValue::Text(text), Some(comma)) => {
                let number = number_of(text.trim(), comma).filter(|number| number.is_finite());
                number.map(CellValue::Number).ok_or_else(|| format!("{} is no number", short(text)))
            }
            (value, _) => value.number().map(CellValue::Number),
        },
        "abs" => values[0].number().map(|number| CellValue::Number(number.abs())),
        "round" => {
            let digits = values.get(1).map_or(Ok(0.0), CellValue::number)?.clamp(-12.0, 12.0);
            let scale = libm::pow(10.0, digits.round());
            Ok(CellValue::Number((values[0].number()? * scale).round() / scale))
        }
        "date" => said(day_of(&text(0), times(&terms[0], row))?),
        "year" | "month" | "day" => {
            let date = day_of(&text(0), times(&terms[0], row))?;
            let range = match name {
                "year" => 0..4,
                "month" => 5..7,
                _ => 8..10,
            };
            let number = date.get(range).and_then(|part| part.parse().ok());
            number.map(CellValue::Number).ok_or_else(|| format!("{} is no date", short(&date)))
        }
        "path" => within(&text(0), &text(1)),
        _ => said(text(0)),
    }
}

/// How the times of a column are written, as its cells together say; of anything else what each says by itself.
fn times(term: &Term, row: &dyn FormulaRow) -> Times {
    match term {
        Term::Column(name) | Term::Down(name) => row.times(name),
        _ => Times::of(std::iter::empty()),
    }
}

/// Whether the numbers of a column have decimal commas, as its cells together say.
fn comma(term: &Term, row: &dyn FormulaRow) -> Option<bool> {
    match term {
        Term::Column(name) | Term::Down(name) => row.comma(name),
        _ => None,
    }
}

/// Several texts, or a list with what stands between.
fn joined(values: &[CellValue]) -> CellValue {
    match values {
        [CellValue::List(list)] => CellValue::Text(list.iter().map(CellValue::text).collect()),
        [CellValue::List(list), between] => {
            CellValue::Text(list.iter().map(CellValue::text).collect::<Vec<_>>().join(&between.text()))
        }
        values => CellValue::Text(values.iter().map(CellValue::text).collect()),
    }
}

fn parts(text: &str, separator: &str) -> Vec<String> {
    if separator.is_empty() {
        return text.chars().map(String::from).collect();
    }
    text.split(separator).map(ToOwned::to_owned).collect()
}

/// The nth of a list, from 1, or from its end.
fn nth(mut list: Vec<CellValue>, n: f64) -> CellValue {
    let n = n.round() as i64;
    let at =
        if n > 0 { usize::try_from(n - 1).ok() } else { usize::try_from(-n).ok().and_then(|back| list.len().checked_sub(back)) };
    match at.filter(|at| n != 0 && *at < list.len()) {
        Some(at) => list.swap_remove(at),
        None => CellValue::Nothing,
    }
}

/// The values of a list; of a text that writes one as JSON, too.
pub fn listed(value: &CellValue) -> Result<Vec<CellValue>, String> {
    match value {
        CellValue::List(list) => Ok(list.clone()),
        CellValue::Text(text) => match serde_json::from_str(text) {
            Ok(serde_json::Value::Array(list)) => Ok(list.into_iter().map(of_json).collect()),
            _ => Err(format!("{} is no list", short(text))),
        },
        _ => Err("this is no list".to_owned()),
    }
}

fn whole(value: &CellValue) -> Result<usize, String> {
    let number = value.number()?;
    if (0.0..=1e9).contains(&number) { Ok(number as usize) } else { Err(format!("{number} is no count of letters")) }
}

thread_local! {
    /// The expressions that were asked for last: each is read once and not for every row.
    static READ: std::cell::RefCell<Vec<(String, regex::Regex)>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn expression(text: &str) -> Result<regex::Regex, String> {
    READ.with(|read| {
        if let Some((_, found)) = read.borrow().iter().find(|(own, _)| own == text) {
            return Ok(found.clone());
        }
        let made = regex::RegexBuilder::new(text).size_limit(1 << 22).build();
        let made = made.map_err(|error| {
            let last = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("{} is no regular expression: {last}", short(text))
        })?;
        let mut list = read.borrow_mut();
        if list.len() >= 8 {
            list.remove(0);
        }
        list.push((text.to_owned(), made.clone()));
        Ok(made)
    })
}

/// A day or time as ISO 8601; what names no zone stays as it is.
fn day_of(text: &str, times: Times) -> Result<String, String> {
    const SECOND: i128 = 1_000_000_000;
    let text = text.trim();
    if times.is_ambiguous(text) {
        return Err(format!("{} may be of either month: no other cell tells", short(text)));
    }
    let moment = times.read(text).ok_or_else(|| format!("{} is no date", short(text)))?;
    let day = day_words(moment);
    let rest = moment.rem_euclid(86_400 * SECOND) / SECOND;
    Ok(if text.contains(':') { format!("{day}T{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60) } else { day })
}

fn of_json(value: serde_json::Value) -> CellValue {
    match value {
        serde_json::Value::Null => CellValue::Nothing,
        serde_json::Value::Bool(yes) => CellValue::Yes(yes),
        // A number keeps its spelling.
        serde_json::Value::Number(number) => CellValue::Text(number.to_string()),
        serde_json::Value::String(text) => CellValue::Text(text),
        serde_json::Value::Array(list) => CellValue::List(list.into_iter().map(of_json).collect()),
        object @ serde_json::Value::Object(_) => CellValue::Text(object.to_string()),
    }
}

/// A value within JSON: `a.b[0]`.
fn within(json: &str, path: &str) -> Result<CellValue, String> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|_| format!("{} is no JSON", short(json)))?;
    let mut now = &value;
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        let found = match step.strip_suffix(']') {
            Some(number) => number.trim().parse::<usize>().ok().and_then(|at| now.get(at)),
            None => now.get(step),
        };
        match found {
            Some(found) => now = found,
            None => return Ok(CellValue::Nothing),
        }
    }
    Ok(of_json(now.clone()))
}
