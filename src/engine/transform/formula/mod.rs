//! A column out of others, by a small expression: `join(name, " ", surname)`, `part(path, "/", -1)`, `number(price) * 1.19`,
//! `if(words(text) < 3, "short", "long")`. Pure: cells go in, a cell comes out. Nothing but the row (and, for `down`, the rows above it) is seen.
//!
//! Names are columns, in brackets where they hold more than letters, digits and `_`; texts stand in quotes. A column that is empty is nothing, and nothing goes
//! through: `a + 1` of nothing is nothing. `&` puts texts together.

mod functions;
mod parse;

use std::borrow::Cow;
use std::cmp::Ordering;

pub use functions::FUNCTIONS;
use functions::call;

use crate::data::{Spelled, Times, number_of, spelled as spelled_as};
use parse::parse;

/// What is wrong with an expression, and where: the letter, from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} (letter {})", at + 1)]
pub struct FormulaError {
    pub at: usize,
    pub why: String,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValue {
    Nothing,
    Text(String),
    Number(f64),
    Yes(bool),
    List(Vec<CellValue>),
}

/// An expression, read.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    Value(CellValue),
    Column(String),
    /// The last cell of a column that is not empty, at or above the row.
    Down(String),
    /// A function by its place among [`FUNCTIONS`].
    Call(usize, Vec<Term>),
    Not(Box<Term>),
    Minus(Box<Term>),
    /// Two values and what is between them.
    Pair(&'static str, Box<Term>, Box<Term>),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    term: Term,
    columns: Vec<String>,
    above: Vec<String>,
}

/// Cells of one row.
pub trait FormulaRow {
    /// The cell of a column; none where it is empty.
    fn cell(&self, column: &str) -> Option<Cow<'_, str>>;
    /// The last of a column that is not empty, at or above this row.
    fn above(&self, column: &str) -> Option<Cow<'_, str>>;
    /// How the times of a column are written: its cells together tell day from month.
    fn times(&self, column: &str) -> Times;
    /// Whether the numbers of a column have decimal commas, where its cells together tell.
    fn comma(&self, column: &str) -> Option<bool>;
    /// Whether the cells of a column are lists.
    fn is_list(&self, column: &str) -> bool;
}

impl Formula {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where it is none, and why.
    pub fn new(text: &str) -> Result<Self, FormulaError> {
        let term = parse(text)?;
        let (mut columns, mut above) = (Vec::new(), Vec::new());
        term.gather(&mut columns, &mut above);
        Ok(Self { term, columns, above })
    }

    /// The columns that it reads.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Those of which it reads the last cell above a row.
    pub fn above(&self) -> &[String] {
        &self.above
    }

    /// What it says of a row.
    ///
    /// # Errors
    /// What cannot be worked out: `number` of a text that is none.
    pub fn of(&self, row: &dyn FormulaRow) -> Result<CellValue, String> {
        self.term.of(row)
    }
}

impl CellValue {
    /// As a cell is written; none of nothing.
    pub fn written(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) => Some(spelled(*number)),
            Self::Yes(yes) => Some(yes.to_string()),
            Self::List(list) => {
                let items: Vec<serde_json::Value> = list.iter().map(Self::json).collect();
                Some(serde_json::Value::Array(items).to_string())
            }
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Nothing => serde_json::Value::Null,
            Self::Text(text) => serde_json::Value::String(text.clone()),
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => serde_json::Value::from(*number as i64),
            Self::Number(number) => {
                serde_json::Number::from_f64(*number).map_or(serde_json::Value::Null, serde_json::Value::Number)
            }
            Self::Yes(yes) => serde_json::Value::Bool(*yes),
            Self::List(list) => list.iter().map(Self::json).collect(),
        }
    }

    /// As a text; empty of nothing.
    fn text(&self) -> String {
        self.written().unwrap_or_default()
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// As a number, where it is one as people write them.
    fn number(&self) -> Result<f64, String> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Yes(yes) => Ok(f64::from(u8::from(*yes))),
            Self::Text(text) => {
                // A text by itself: what is a decimal comma and what parts thousands must be plain from it.
                let (text, spelled) = (text.trim(), spelled_as(text.trim()));
                let number = number_of(text, matches!(spelled, Spelled::Comma)).filter(|number| number.is_finite());
                number.ok_or_else(|| format!("{} is no number", short(text)))
            }
            Self::Nothing => Err("there is no number".to_owned()),
            Self::List(_) => Err("a list is no number".to_owned()),
        }
    }

    fn yes(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Yes(yes) => *yes,
            Self::Number(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty() && text != "0" && !text.eq_ignore_ascii_case("false"),
            Self::List(list) => !list.is_empty(),
        }
    }
}

/// A number as people write it.
fn spelled(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { format!("{number}") }
}

/// A text for a message.
fn short(text: &str) -> String {
    let cut: String = text.chars().take(40).collect();
    format!("{cut:?}")
}

impl Term {
    fn gather(&self, columns: &mut Vec<String>, above: &mut Vec<String>) {
        let add = |list: &mut Vec<String>, name: &String| {
            if !list.contains(name) {
                list.push(name.clone());
            }
        };
        match self {
            Self::Value(_) => {}
            Self::Column(name) => add(columns, name),
            Self::Down(name) => {
                add(columns, name);
                add(above, name);
            }
            Self::Call(_, terms) => terms.iter().for_each(|term| term.gather(columns, above)),
            Self::Not(term) | Self::Minus(term) => term.gather(columns, above),
            Self::Pair(_, a, b) => {
                a.gather(columns, above);
                b.gather(columns, above);
            }
        }
    }

    fn of(&self, row: &dyn FormulaRow) -> Result<CellValue, String> {
        let cell = |found: Option<Cow<'_, str>>| found.map_or(CellValue::Nothing, |text| CellValue::Text(text.into_owned()));
        Ok(match self {
            Self::Value(value) => value.clone(),
            Self::Column(name) if row.is_list(name) => match row.cell(name) {
                Some(text) => {
                    functions::listed(&CellValue::Text(text.into_owned())).map_or_else(|_| cell(row.cell(name)), CellValue::List)
                }
                None => CellValue::Nothing,
            },
            Self::Column(name) => cell(row.cell(name)),
            Self::Down(name) => cell(row.above(name)),
            Self::Call(at, terms) => return call(*at, terms, row),
            Self::Not(term) => CellValue::Yes(!term.of(row)?.yes()),
            Self::Minus(term) => match term.of(row)? {
                CellValue::Nothing => CellValue::Nothing,
                value => CellValue::Number(0.0 - self::operand(value, term, row).number()?),
            },
            // The second is asked only where the first leaves it open.
            Self::Pair("and", a, b) => CellValue::Yes(a.of(row)?.yes() && b.of(row)?.yes()),
            Self::Pair("or", a, b) => CellValue::Yes(a.of(row)?.yes() || b.of(row)?.yes()),
            Self::Pair("&", a, b) => pair("&", &a.of(row)?, &b.of(row)?)?,
            Self::Pair(sign, a, b) => pair(sign, &operand(a.of(row)?, a, row), &operand(b.of(row)?, b, row))?,
        })
    }
}

/// A cell of a column of numbers as the number that it is there: whether a comma parts thousands is for the column to say.
fn operand(value: CellValue, term: &Term, row: &dyn FormulaRow) -> CellValue {
    let (CellValue::Text(text), Term::Column(name) | Term::Down(name)) = (&value, term) else { return value };
    let number = row.comma(name).and_then(|comma| number_of(text.trim(), comma)).filter(|number| number.is_finite());
    number.map_or(value, CellValue::Number)
}

fn pair(sign: &str, a: &CellValue, b: &CellValue) -> Result<CellValue, String> {
    match sign {
        "&" => return Ok(CellValue::Text(a.text() + &b.text())),
        "=" => return Ok(CellValue::Yes(order(a, b) == Ordering::Equal)),
        "<>" => return Ok(CellValue::Yes(order(a, b) != Ordering::Equal)),
        _ => {}
    }
    if a.is_nothing() || b.is_nothing() {
        return Ok(CellValue::Nothing);
    }
    let compared = |fits: fn(Ordering) -> bool| Ok(CellValue::Yes(fits(order(a, b))));
    match sign {
        "<" => return compared(Ordering::is_lt),
        "<=" => return compared(Ordering::is_le),
        ">" => return compared(Ordering::is_gt),
        ">=" => return compared(Ordering::is_ge),
        _ => {}
    }
    let (a, b) = (a.number()?, b.number()?);
    let value = match sign {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        _ if b == 0.0 => return Err("nothing is divided by 0".to_owned()),
        "%" => a.rem_euclid(b),
        _ => a / b,
    };
    if value.is_finite() { Ok(CellValue::Number(value)) } else { Err("the number is too large".to_owned()) }
}

/// Numbers by their worth where both are numbers, else by their letters; nothing is before everything.
fn order(a: &CellValue, b: &CellValue) -> Ordering {
    match (a, b) {
        (CellValue::Nothing, CellValue::Nothing) => Ordering::Equal,
        (CellValue::Nothing, _) => {
            if b.text().is_empty() {
                Ordering::Equal
            } else {
                Ordering::Less
            }
        }
        (_, CellValue::Nothing) => {
            if a.text().is_empty() {
                Ordering::Equal
            } else {
                Ordering::Greater
            }
        }
        _ => match (a.number(), b.number()) {
            (Ok(a), Ok(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
            _ => a.text().cmp(&b.text()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row;
    impl FormulaRow for Row {
        fn cell(&self, column: &str) -> Option<Cow<'_, str>> {
            let text = match column {
                "name" => "Anna Maria",
                "price" => "1.234,50",
                "n" => "3",
                "path" => "a/b/c.txt",
                "when" => "02.01.2024",
                "meta" => r#"{"user": {"id": 7}, "tags": ["x", "y"]}"#,
                "two words" => "yes",
                "tags" => r#"["x", "y", "z"]"#,
                "flag" => "0",
                _ => return None,
            };
            Some(text.into())
        }
        fn above(&self, _: &str) -> Option<Cow<'_, str>> {
            Some("last".into())
        }
        fn times(&self, _: &str) -> Times {
            Times::of(std::iter::empty())
        }
        fn comma(&self, column: &str) -> Option<bool> {
            (column == "price").then_some(true)
        }
        fn is_list(&self, column: &str) -> bool {
            column == "tags"
        }
    }

    fn said(text: &str) -> String {
        match Formula::new(text).map_err(|error| error.to_string()).and_then(|formula| formula.of(&Row)) {
            Ok(value) => value.written().unwrap_or_else(|| "nothing".to_owned()),
            Err(why) => format!("! {why}"),
        }
    }

    #[test]
    fn expressions_say_what_people_mean() {
        for (text, value) in [
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * 3", "9"),
            ("-n + 10", "7"),
            ("10 / 4", "2.5"),
            ("\"a\" & n & 'b'", "a3b"),
            ("n > 2 and name = \"Anna Maria\"", "true"),
            ("not (n = 3.0)", "false"),
            ("if(n < 2, \"few\", \"many\")", "many"),
            ("empty + 1", "nothing"),
            ("first(empty, \"else\")", "else"),
            ("[two words] & \"!\"", "yes!"),
            ("part(path, \"/\", -1)", "c.txt"),
            ("part(path, \"/\", 1)", "a"),
            ("part(path, \"/\", 9)", "nothing"),
            ("join(split(path, \"/\"), \"-\")", "a-b-c.txt"),
            ("split(name, \" \")", "[\"Anna\",\"Maria\"]"),
            ("regex(path, \"([a-z]+)\\.txt\")", "c"),
            ("regex(path, \"[0-9]+\")", "nothing"),
            ("regex_replace(name, \"(\\w+) (\\w+)\", \"$2, $1\")", "Maria, Anna"),
            ("replace(name, \"Anna\", \"Ann\")", "Ann Maria"),
            ("upper(left(name, 4))", "ANNA"),
            ("right(path, 3)", "txt"),
            ("trim(\"  a \") & lower(\"B\")", "ab"),
            ("length(name) + words(name)", "12"),
            ("number(price)", "1234.5"),
            ("round(10 / 3, 2)", "3.33"),
            ("date(when)", "2024-01-02"),
            ("year(date(when)) + 1", "2025"),
            ("path(meta, \"user.id\")", "7"),
            ("path(meta, \"tags[1]\")", "y"),
            ("path(meta, \"tags\")", "[\"x\",\"y\"]"),
            ("path(meta, \"none\")", "nothing"),
            ("contains(name, \"Maria\") or false", "true"),
            ("down(name)", "last"),
            ("n % 2", "1"),
            ("price * 2", "2469"),
            ("price > 1000", "true"),
            ("if(flag, \"yes\", \"no\")", "no"),
            ("length(tags)", "3"),
            ("join(tags, \"+\")", "x+y+z"),
            ("contains(name, empty)", "nothing"),
            ("not n = 4", "true"),
            ("-flag", "0"),
            ("\"b\" > \"a\"", "true"),
        ] {
            assert_eq!(said(text), value, "{text}");
        }
    }

    #[test]
    fn what_is_none_says_where_and_why() {
        for (text, why) in [
            ("1 +", "something is missing (letter 4)"),
            ("(1", "a bracket is not closed (letter 3)"),
            ("\"a", "a quote is not closed (letter 1)"),
            ("nobody(1)", "there is no function \"nobody\""),
            ("upper(1, 2)", "upper takes 1, not 2"),
            ("1 2", "nothing is expected here (letter 3)"),
            ("number(name)", "\"Anna Maria\" is no number"),
            ("1 / 0", "divided by 0"),
            ("regex(name, \"(\")", "no regular expression"),
            ("path(name, \"a\")", "is no JSON"),
            ("date(name)", "is no date"),
            ("a # b", "\"#\" means nothing (letter 3)"),
        ] {
            assert!(said(text).contains(why), "{text}: {}", said(text));
        }
        assert!(Formula::new(&"(".repeat(10_000)).is_err(), "depth has an end");
        assert!(Formula::new(&"1+".repeat(200_000)).is_err(), "so has length");
    }

    #[test]
    fn every_function_has_its_words() {
        for function in &FUNCTIONS {
            assert!(!function.help.is_empty() && function.least <= function.most, "{}", function.name);
        }
    }
}
