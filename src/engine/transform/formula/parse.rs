//! From letters to an expression: by what binds closest, with the place of an error.

use super::functions::FUNCTIONS;
use super::{CellValue, FormulaError, Term};

/// Brackets within brackets, and letters in all.
const DEEPEST: usize = 60;
const LONGEST: usize = 2_000;

/// A word of the expression.
#[derive(Debug, Clone, PartialEq)]
enum Word {
    Number(f64),
    Text(String),
    /// A column, or a function where a bracket follows.
    Name(String),
    /// A column that stands in brackets.
    Bracketed(String),
    Sign(&'static str),
}

/// Signs, the longest first.
const SIGNS: [&str; 17] = ["<=", ">=", "<>", "!=", "==", "(", ")", ",", "+", "-", "*", "/", "%", "&", "=", "<", ">"];

/// What binds less stands first; those of a line bind alike.
const BINDING: [&[&str]; 6] = [&["or"], &["and"], &["=", "<>", "<", "<=", ">", ">="], &["&"], &["+", "-"], &["*", "/", "%"]];

/// Reads an expression.
///
/// # Errors
/// Where it is none.
pub fn parse(text: &str) -> Result<Term, FormulaError> {
    if text.len() > LONGEST {
        return Err(FormulaError { at: LONGEST, why: format!("an expression has at most {LONGEST} letters") });
    }
    let words = words(text)?;
    let mut reader = WordReader { words: &words, at: 0, end: text.chars().count() };
    let term = reader.level(0, 0)?;
    match reader.words.get(reader.at) {
        None => Ok(term),
        Some((at, _)) => Err(FormulaError { at: *at, why: "nothing is expected here".to_owned() }),
    }
}

fn words(text: &str) -> Result<Vec<(usize, Word)>, FormulaError> {
    let letters: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        let from = at;
        if letter.is_whitespace() {
            at += 1;
        } else if letter == '"' || letter == '\'' {
            let mut value = String::new();
            at += 1;
            loop {
                match letters.get(at) {
                    None => return Err(FormulaError { at: from, why: "a quote is not closed".to_owned() }),
                    // A quote within is doubled; a backslash stands for itself, as expressions need it.
                    Some(own) if *own == letter && letters.get(at + 1) == Some(&letter) => {
                        value.push(letter);
                        at += 2;
                    }
                    Some(own) if *own == letter => break,
                    Some(own) => {
                        value.push(*own);
                        at += 1;
                    }
                }
            }
            at += 1;
            out.push((from, Word::Text(value)));
        } else if letter == '[' || letter == '`' {
            let close = if letter == '[' { ']' } else { '`' };
            let end = letters[at + 1..].iter().position(|own| *own == close).map(|place| at + 1 + place);
            let end = end.ok_or_else(|| FormulaError { at: from, why: "a column's bracket is not closed".to_owned() })?;
            out.push((from, Word::Bracketed(letters[at + 1..end].iter().collect())));
            at = end + 1;
        } else if letter.is_ascii_digit() || letter == '.' && letters.get(at + 1).is_some_and(char::is_ascii_digit) {
            while letters.get(at).is_some_and(|own| own.is_ascii_digit() || *own == '.') {
                at += 1;
            }
            let word: String = letters[from..at].iter().collect();
            let number = word.parse().map_err(|_| FormulaError { at: from, why: format!("{word} is no number") })?;
            out.push((from, Word::Number(number)));
        } else if letter.is_alphabetic() || letter == '_' {
            while letters.get(at).is_some_and(|own| own.is_alphanumeric() || *own == '_') {
                at += 1;
            }
            out.push((from, Word::Name(letters[from..at].iter().collect())));
        } else {
            let rest: String = letters[at..letters.len().min(at + 2)].iter().collect();
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| FormulaError { at: from, why: format!("{:?} means nothing", letter.to_string()) })?;
            at += sign.len();
            let sign = match *sign {
                "!=" => "<>",
                "==" => "=",
                sign => sign,
            };
            out.push((from, Word::Sign(sign)));
        }
    }
    Ok(out)
}

struct WordReader<'w> {
    words: &'w [(usize, Word)],
    at: usize,
    end: usize,
}

impl WordReader<'_> {
    fn place(&self) -> usize {
        self.words.get(self.at).map_or(self.end, |(at, _)| *at)
    }

    fn fail<T>(&self, why: impl Into<String>) -> Result<T, FormulaError> {
        Err(FormulaError { at: self.place(), why: why.into() })
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.words.get(self.at), Some((_, Word::Sign(own))) if *own == sign)
    }

    /// What stands between two values, where it is of a level.
    fn between(&self, level: usize) -> Option<&'static str> {
        let own = match &self.words.get(self.at)?.1 {
            Word::Sign(sign) => *sign,
            Word::Name(name) if name.eq_ignore_ascii_case("and") => "and",
            Word::Name(name) if name.eq_ignore_ascii_case("or") => "or",
            _ => return None,
        };
        BINDING[level].iter().find(|sign| **sign == own).copied()
    }

    fn level(&mut self, level: usize, depth: usize) -> Result<Term, FormulaError> {
        if level == BINDING.len() {
            return self.one(depth);
        }
        let mut term = self.level(level + 1, depth)?;
        while let Some(sign) = self.between(level) {
            self.at += 1;
            let other = self.level(level + 1, depth)?;
            term = Term::Pair(sign, Box::new(term), Box::new(other));
        }
        Ok(term)
    }

    fn one(&mut self, depth: usize) -> Result<Term, FormulaError> {
        if depth > DEEPEST {
            return self.fail("brackets lie too deep");
        }
        let from = self.place();
        let Some((_, word)) = self.words.get(self.at) else { return self.fail("something is missing") };
        self.at += 1;
        Ok(match word {
            Word::Number(number) => Term::Value(CellValue::Number(*number)),
            Word::Text(text) => Term::Value(CellValue::Text(text.clone())),
            Word::Sign("-") => Term::Minus(Box::new(self.one(depth + 1)?)),
            Word::Sign("(") => {
                let term = self.level(0, depth + 1)?;
                self.close()?;
                term
            }
            Word::Name(name) if self.is("(") => return self.function(name, from, depth),
            Word::Name(name) if name.eq_ignore_ascii_case("not") => Term::Not(Box::new(self.level(2, depth + 1)?)),
            Word::Name(name) if name.eq_ignore_ascii_case("true") => Term::Value(CellValue::Yes(true)),
            Word::Name(name) if name.eq_ignore_ascii_case("false") => Term::Value(CellValue::Yes(false)),
            Word::Name(name) | Word::Bracketed(name) => Term::Column(name.clone()),
            Word::Sign(sign) => return Err(FormulaError { at: from, why: format!("a value is expected, not {sign:?}") }),
        })
    }

    fn close(&mut self) -> Result<(), FormulaError> {
        if !self.is(")") {
            return self.fail("a bracket is not closed");
        }
        self.at += 1;
        Ok(())
    }

    fn function(&mut self, name: &str, from: usize, depth: usize) -> Result<Term, FormulaError> {
        self.at += 1;
        let mut terms = Vec::new();
        if !self.is(")") {
            loop {
                terms.push(self.level(0, depth + 1)?);
                if !self.is(",") {
                    break;
                }
                self.at += 1;
            }
        }
        self.close()?;
        let fail = |why: String| Err(FormulaError { at: from, why });
        if name.eq_ignore_ascii_case("not") {
            return match terms.pop() {
                Some(term) if terms.is_empty() => Ok(Term::Not(Box::new(term))),
                _ => fail("not takes one value".to_owned()),
            };
        }
        let Some(at) = FUNCTIONS.iter().position(|function| function.name.eq_ignore_ascii_case(name)) else {
            return fail(format!("there is no function {name:?}"));
        };
        let function = &FUNCTIONS[at];
        if !(function.least..=function.most).contains(&terms.len()) {
            let wanted = match (function.least, function.most) {
                (least, most) if least == most => least.to_string(),
                (least, usize::MAX) => format!("at least {least}"),
                (least, most) => format!("{least} to {most}"),
            };
            return fail(format!("{} takes {wanted}, not {}", function.name, terms.len()));
        }
        if function.name == "down" {
            return match terms.pop() {
                Some(Term::Column(column)) => Ok(Term::Down(column)),
                _ => fail("down takes a column".to_owned()),
            };
        }
        Ok(Term::Call(at, terms))
    }
}
