//! What narrows the samples on screen, and in which order they stand.
//!
//! A filter is a list of clauses, all of which must hold; one of them may be several, any of which must. It names columns and classes by name, so that it can be saved
//! and survives edits. Evaluating it is a job's work: never done while drawing.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use memchr::memmem;
use rayon::prelude::*;
use regex::RegexBuilder;
use serde::{Deserialize, Serialize};

use super::classes::classes_of;
use super::dataset::Dataset;
use super::ids::{SampleId, SampleSet};
use super::measure::Measure;
use crate::job::{Cancelled, Progress};

/// One condition on a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A label is one of these classes; the empty name means no class.
    Class {
        /// The label column.
        column: String,
        /// Any of these.
        classes: Vec<String>,
    },
    /// A text occurs in a column, or in any column.
    Contains {
        /// The column; `None` for any.
        column: Option<String>,
        /// What to look for.
        text: String,
        /// Whether `text` is a regular expression.
        regex: bool,
        /// Whether upper and lower case differ.
        case: bool,
    },
    /// Any of these holds.
    Any(Vec<Clause>),
    /// A measure of a column lies in `low..=high`, or `low..high` where `open`. [`f64::MIN`] and [`f64::MAX`] are no bounds.
    Between {
        /// The column.
        column: String,
        /// What is measured.
        measure: Measure,
        /// The least value.
        low: f64,
        /// The greatest.
        high: f64,
        /// Whether `high` itself is left out.
        open: bool,
    },
    /// A cell is null or empty.
    Empty {
        /// The column.
        column: String,
    },
    /// The sample carries a tag.
    Tag(String),
    /// The sample is excluded.
    Excluded,
    /// The sample was marked reviewed.
    Reviewed,
    /// A cell of the sample was edited.
    Edited,
    /// The sample is in a list that a search made; shown in the search's order. No list is kept by name.
    #[serde(skip)]
    Ranked {
        /// What was searched for, for the chip.
        title: String,
        /// Its samples.
        samples: Arc<SampleSet>,
        /// The same, best first.
        order: Arc<[SampleId]>,
    },
    /// The sample is in a list that something else made.
    #[serde(skip)]
    Listed {
        /// What the list is, for the chip.
        title: String,
        /// Its samples.
        samples: Arc<SampleSet>,
    },
}

/// A rule, or its opposite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    /// The condition.
    pub rule: Rule,
    /// Whether it must not hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub negated: bool,
}

impl From<Rule> for Clause {
    fn from(rule: Rule) -> Self {
        Self { rule, negated: false }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (is, not) = if self.negated { ("is not", "not ") } else { ("is", "") };
        match &self.rule {
            Rule::Class { column, classes } => {
                let name = |class: &String| if class.is_empty() { "empty".to_owned() } else { class.clone() };
                match classes.as_slice() {
                    [one] => write!(f, "{column} {is} {}", name(one)),
                    [first, rest @ ..] => write!(f, "{column} {is} {} or {} more", name(first), rest.len()),
                    [] => write!(f, "{column} {is} nothing"),
                }
            }
            Rule::Contains { column, text, regex, .. } => {
                let verb = if self.negated { "lacks" } else { "contains" };
                let (open, close) = if *regex { ("/", "/") } else { ("“", "”") };
                write!(f, "{} {verb} {open}{text}{close}", column.as_deref().unwrap_or("any column"))
            }
            Rule::Between { column, measure, low, high, open } => {
                let of = match measure {
                    Measure::Value => column.clone(),
                    other => format!("{column} {other}"),
                };
                let above = short_of(low.next_down()).filter(|down| down.len() < format!("{low}").len());
                match (*low == f64::MIN, *high == f64::MAX, above) {
                    (true, true, _) => write!(f, "{of} {is} a number"),
                    (true, false, _) if *open => write!(f, "{of} {is} below {}", number(*high)),
                    (true, false, _) => write!(f, "{of} {is} at most {}", number(*high)),
                    (false, true, Some(down)) => write!(f, "{of} {is} above {down}"),
                    (false, true, None) => write!(f, "{of} {is} at least {}", number(*low)),
                    _ if low == high => write!(f, "{of} {is} {}", number(*low)),
                    _ => {
                        let last = if *open { "below " } else { "" };
                        write!(f, "{of} {is} {} to {last}{}", number(*low), number(*high))
                    }
                }
            }
            Rule::Empty { column } => write!(f, "{column} {is} empty"),
            Rule::Tag(tag) => write!(f, "{not}tagged {tag}"),
            Rule::Any(clauses) => {
                let (open, close) = if self.negated { ("not (", ")") } else { ("", "") };
                let words: Vec<String> = clauses.iter().map(ToString::to_string).collect();
                write!(f, "{open}{}{close}", words.join(" or "))
            }
            Rule::Excluded => write!(f, "{not}excluded"),
            Rule::Reviewed => write!(f, "{not}reviewed"),
            Rule::Edited => write!(f, "{not}edited"),
            Rule::Listed { title, .. } | Rule::Ranked { title, .. } => write!(f, "{not}{title}"),
        }
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value:.3}") }
}

/// A number as one would type it, where it is one that somebody would.
fn short_of(value: f64) -> Option<String> {
    let text = format!("{value}");
    (text.len() < 14).then_some(text)
}

/// Why a filter cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// A regular expression does not parse.
    #[error("the regular expression {pattern:?} cannot be read: {reason}")]
    Pattern {
        /// The expression.
        pattern: String,
        /// Why not.
        reason: String,
    },
    /// A column is gone.
    #[error("there is no column called {0:?}; take the filter off")]
    Column(String),
    /// The job was stopped.
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for FilterError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

type Test<'a> = Box<dyn Fn(SampleId) -> bool + Send + Sync + 'a>;

/// A conjunction of clauses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Filter {
    /// All must hold.
    pub clauses: Vec<Clause>,
}

const CHUNK: usize = 32_768;

impl Filter {
    /// Whether nothing is narrowed.
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// What is kept of it under a name.
    ///
    /// # Errors
    /// The words of a clause that is a list of samples: there is nothing to say of it that would find them again.
    pub fn to_json(&self) -> Result<String, String> {
        fn list(clause: &Clause) -> Option<String> {
            match &clause.rule {
                Rule::Any(clauses) => clauses.iter().find_map(list),
                Rule::Ranked { .. } | Rule::Listed { .. } => Some(clause.to_string()),
                _ => None,
            }
        }
        match self.clauses.iter().find_map(list) {
            Some(words) => Err(words),
            None => serde_json::to_string(self).map_err(|error| error.to_string()),
        }
    }

    /// The filter that was kept so; `None` where it is none that this release knows.
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Makes one clause of two, either of which may hold: the second joins the first.
    pub fn join(&mut self, first: usize, second: usize) {
        if first == second || first.max(second) >= self.clauses.len() {
            return;
        }
        let parts = |clause: Clause| match clause {
            Clause { rule: Rule::Any(clauses), negated: false } => clauses,
            clause => vec![clause],
        };
        let mut all = parts(self.clauses[first].clone());
        for clause in parts(self.clauses[second].clone()) {
            if !all.contains(&clause) {
                all.push(clause);
            }
        }
        self.clauses[first] = Rule::Any(all).into();
        self.clauses.remove(second);
    }

    /// Makes clauses of their own of those that are joined in one.
    pub fn part(&mut self, at: usize) {
        if let Some(Clause { rule: Rule::Any(clauses), negated: false }) = self.clauses.get(at).cloned() {
            self.clauses.splice(at..=at, clauses);
        }
    }

    /// The samples that every clause keeps, in file order.
    ///
    /// # Errors
    /// [`FilterError`]: a pattern that does not parse, a column that is gone, cancelled.
    pub fn apply(&self, dataset: &Dataset, progress: &Progress) -> Result<Vec<SampleId>, FilterError> {
        let tests = self.clauses.iter().map(|clause| test(clause, dataset)).collect::<Result<Vec<_>, _>>()?;
        let rows = dataset.rows();
        progress.set_total(rows as u64);
        let parts: Vec<Vec<SampleId>> = (0..rows.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(rows);
                progress.step(range.len() as u64)?;
                Ok(range.map(SampleId::at).filter(|id| tests.iter().all(|test| test(*id))).collect())
            })
            .collect::<Result<_, Cancelled>>()?;
        Ok(parts.concat())
    }
}

fn test<'a>(clause: &'a Clause, dataset: &'a Dataset) -> Result<Test<'a>, FilterError> {
    let find = |name: &String| dataset.field(name).ok_or_else(|| FilterError::Column(name.clone()));
    let negated = clause.negated;
    let test: Test<'a> = match &clause.rule {
        Rule::Class { column, classes } => {
            let field = find(column)?;
            let (kind, role) = (dataset.fields()[field].kind, dataset.fields()[field].role);
            let plain = kind != super::Kind::List && !matches!(role, super::Role::Labels(_));
            Box::new(move |id| {
                let text = dataset.text(field, id);
                if plain {
                    let text = text.unwrap_or_default();
                    return classes.iter().any(|class| **class == *text);
                }
                let names = classes_of(text, kind, role);
                classes.iter().any(|class| if class.is_empty() { names.is_empty() } else { names.contains(class) })
            })
        }
        Rule::Contains { column, text, regex, case } => {
            contains(column.as_ref().map(find).transpose()?, text, *regex, *case, dataset)?
        }
        Rule::Between { column, measure, low, high, open } => {
            let field = find(column)?;
            Box::new(move |id| {
                measure
                    .of(dataset, field, id)
                    .is_some_and(|value| value >= *low && if *open { value < *high } else { value <= *high })
            })
        }
        Rule::Empty { column } => {
            let field = find(column)?;
            Box::new(move |id| dataset.text(field, id).is_none_or(|text| text.trim().is_empty()))
        }
        Rule::Any(clauses) => {
            let tests = clauses.iter().map(|clause| test(clause, dataset)).collect::<Result<Vec<_>, _>>()?;
            Box::new(move |id| tests.iter().any(|test| test(id)))
        }
        Rule::Tag(tag) => Box::new(move |id| dataset.has_tag(tag, id)),
        Rule::Excluded => Box::new(move |id| dataset.is_excluded(id)),
        Rule::Reviewed => Box::new(move |id| dataset.is_reviewed(id)),
        Rule::Edited => Box::new(move |id| dataset.is_sample_edited(id)),
        Rule::Listed { samples, .. } | Rule::Ranked { samples, .. } => Box::new(move |id| samples.contains(id)),
    };
    Ok(if negated { Box::new(move |id| !test(id)) } else { test })
}

fn contains<'a>(
    field: Option<usize>,
    text: &'a str,
    regex: bool,
    case: bool,
    dataset: &'a Dataset,
) -> Result<Test<'a>, FilterError> {
    let fields: Vec<usize> = field.map_or_else(|| (0..dataset.fields().len()).collect(), |one| vec![one]);
    let any = move |id: SampleId, matches: &dyn Fn(&str) -> bool| {
        fields.iter().any(|field| dataset.text(*field, id).is_some_and(|cell| matches(&cell)))
    };
    if regex || !case {
        let pattern = if regex { text.to_owned() } else { regex::escape(text) };
        let expression = RegexBuilder::new(&pattern)
            .case_insensitive(!case)
            .build()
            .map_err(|error| FilterError::Pattern { pattern: text.to_owned(), reason: short(&error.to_string()) })?;
        return Ok(Box::new(move |id| any(id, &|cell| expression.is_match(cell))));
    }
    let finder = memmem::Finder::new(text.as_bytes());
    Ok(Box::new(move |id| any(id, &|cell| finder.find(cell.as_bytes()).is_some())))
}

fn short(error: &str) -> String {
    error.lines().last().unwrap_or(error).trim_start_matches("error: ").to_owned()
}

/// Puts `samples` in the order of a column: numbers by value, everything else by text, empty cells last either way;
/// ties keep the order they come in, so that sorting by a second column first sorts by both.
///
/// # Errors
/// [`Cancelled`].
pub fn sort(
    dataset: &Dataset,
    samples: &[SampleId],
    field: usize,
    descending: bool,
    progress: &Progress,
) -> Result<Vec<SampleId>, Cancelled> {
    progress.set_total(2);
    let turn = |order: Ordering| if descending { order.reverse() } else { order };
    let sorted = if dataset.fields()[field].kind.is_numeric() {
        let mut keyed: Vec<(Option<f64>, SampleId)> = samples.par_iter().map(|id| (dataset.number(field, *id), *id)).collect();
        progress.step(1)?;
        keyed.par_sort_by(|a, b| last(a.0, b.0, |x, y| turn(x.total_cmp(y))));
        keyed.into_iter().map(|(_, id)| id).collect()
    } else {
        let mut keyed: Vec<_> =
            samples.par_iter().map(|id| (dataset.text(field, *id).filter(|text| !text.is_empty()), *id)).collect();
        progress.step(1)?;
        keyed.par_sort_by(|a, b| last(a.0.as_ref(), b.0.as_ref(), |x, y| turn(x.cmp(y))));
        keyed.into_iter().map(|(_, id)| id).collect()
    };
    progress.step(1)?;
    Ok(sorted)
}

fn last<T>(a: Option<T>, b: Option<T>, order: impl Fn(&T, &T) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(x), Some(y)) => order(&x, &y),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
