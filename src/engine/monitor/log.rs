//! What the columns of a log mean, and what its rows say: what the model said, how sure it was, and what was true.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Field, Kind, Role, SampleId};
use crate::derive::TextOf;

/// What the columns of a log mean, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LogColumns {
    /// What names a row, and when it arose.
    pub id: Option<String>,
    pub time: Option<String>,
    /// What the model read.
    pub text: Option<String>,
    /// What it said, and how sure it was.
    pub prediction: Option<String>,
    pub probability: Option<String>,
    /// A column of probabilities a class: the class, the column.
    pub probabilities: Vec<(String, String)>,
    /// What was true, where that is known.
    pub truth: Option<String>,
}

/// Rows that are looked at for what a column holds.
const LOOKED: usize = 500;
/// Probabilities of one row sum to 1 within this.
const SUMS: f64 = 1e-3;

const PREDICTIONS: [&str; 10] = [
    "prediction",
    "predicted",
    "pred",
    "y_pred",
    "predicted_label",
    "predicted_class",
    "model_output",
    "output",
    "answer",
    "intent",
];
const TRUTHS: [&str; 11] =
    ["truth", "true_label", "y_true", "actual", "target", "gold", "ground_truth", "label", "correct_label", "category", "class"];
const PROBABILITIES: [&str; 10] =
    ["probability", "confidence", "prob", "proba", "score", "p", "pred_confidence", "predicted_probability", "max_prob", "sure"];
const TEXTS: [&str; 9] = ["text", "input", "question", "query", "message", "prompt", "utterance", "content", "sentence"];

impl LogColumns {
    /// What a dataset's own columns mean.
    pub fn of_dataset(dataset: &Dataset) -> Self {
        let mut own = Self::proposed(dataset, dataset);
        own.text = one_text(dataset);
        let label = dataset.with_role(Role::is_label).map(|field| dataset.fields()[field].name.to_string());
        own.truth = label.or(own.truth);
        // A name alone makes no prediction of a dataset's column: an answer may be what is learned from.
        let classes = classes_of_dataset(dataset);
        let says = |name: &String| {
            let Some(field) = dataset.field(name) else { return false };
            dataset.fields()[field].role == Role::Prediction || !classes.is_empty() && holds_classes(dataset, field, &classes)
        };
        own.prediction = own.prediction.filter(|name| Some(name) != own.truth.as_ref() && says(name));
        if own.prediction.is_none() {
            own.probability = None;
            own.probabilities.clear();
        }
        own
    }

    /// What the columns of a log mean, by their names and what they hold: a person may say otherwise.
    pub fn proposed(dataset: &Dataset, log: &Dataset) -> Self {
        let fields = log.fields();
        let named = |list: &[&str], fits: &dyn Fn(usize) -> bool| -> Option<String> {
            let found = list.iter().find_map(|name| {
                (0..fields.len()).find(|at| fields[*at].name.trim().eq_ignore_ascii_case(name)).filter(|at| fits(*at))
            });
            found.map(|at| fields[at].name.to_string())
        };
        let of_role = |wanted: Role| log.with_role(|role| role == wanted).map(|at| fields[at].name.to_string());
        let classes = classes_of_dataset(dataset);
        let label = dataset.with_role(Role::is_label).map(|field| dataset.fields()[field].name.to_string());
        let says_classes = |at: usize| holds_classes(log, at, &classes);
        let mut out = Self { id: of_role(Role::Id), time: of_role(Role::Time), ..Self::default() };
        out.prediction = of_role(Role::Prediction).or_else(|| named(&PREDICTIONS, &|_| true));
        let not_said = |at: usize| Some(&*fields[at].name) != out.prediction.as_deref();
        out.truth = named(&TRUTHS[..7], &not_said)
            .or_else(|| {
                let label = label?;
                let at = log.field(&label)?;
                not_said(at).then_some(label)
            })
            .or_else(|| named(&TRUTHS[7..], &|at| not_said(at) && (classes.is_empty() || says_classes(at))));
        if out.prediction.is_none() {
            // Who else says classes of the dataset.
            let other = (0..fields.len())
                .find(|at| !classes.is_empty() && Some(&*fields[*at].name) != out.truth.as_deref() && says_classes(*at));
            out.prediction = other.map(|at| fields[at].name.to_string());
        }
        let own = one_text(dataset).filter(|name| log.field(name).is_some());
        let taken: HashSet<&str> = [&out.prediction, &out.truth].into_iter().flatten().map(String::as_str).collect();
        out.text =
            own.or_else(|| one_text(log)).or_else(|| named(&TEXTS, &|_| true)).filter(|name| !taken.contains(name.as_str()));
        out.probability = named(&PROBABILITIES, &|at| is_number(&fields[at]));
        out.probabilities = by_class(log, &classes, &out);
        out
    }

    /// Every column that means something here.
    pub fn named(&self) -> HashSet<&str> {
        let one = [&self.id, &self.time, &self.text, &self.prediction, &self.probability, &self.truth];
        let own = one.into_iter().flatten().map(String::as_str);
        own.chain(self.probabilities.iter().map(|(_, column)| column.as_str())).collect()
    }
}

fn is_number(field: &Field) -> bool {
    matches!(field.kind, Kind::Integer | Kind::Number | Kind::Comma)
}

/// The one text column of a dataset, where there is one.
fn one_text(dataset: &Dataset) -> Option<String> {
    let text = TextOf::of(dataset, None).ok()?;
    Some(dataset.fields()[*text.fields.first()?].name.to_string())
}

/// The classes of a dataset's label, as classes of a log are compared with them.
pub fn classes_of_dataset(dataset: &Dataset) -> HashSet<String> {
    let Some(field) = dataset.with_role(Role::is_label) else { return HashSet::new() };
    let mut out: HashSet<String> = HashSet::new();
    for cell in dataset.source_samples().filter_map(|id| dataset.text(field, id)) {
        let class = class_of(&cell);
        if !class.is_empty() && !out.contains(class) {
            out.insert(class.to_owned());
        }
    }
    out
}

/// Whether nearly all that a column holds are classes of the dataset, and not one alone.
fn holds_classes(log: &Dataset, field: usize, classes: &HashSet<String>) -> bool {
    let cells: Vec<_> =
        log.source_samples().take(LOOKED).filter_map(|id| log.text(field, id)).filter(|cell| !cell.is_empty()).collect();
    let hits = cells.iter().filter(|cell| classes.contains(class_of(cell))).count();
    !cells.is_empty() && hits * 10 >= cells.len() * 8
}

/// Columns of numbers that are named for a class, and whose rows sum to 1.
fn by_class(log: &Dataset, classes: &HashSet<String>, own: &LogColumns) -> Vec<(String, String)> {
    let mut said: HashSet<String> = classes.clone();
    if let Some(field) = own.prediction.as_deref().and_then(|name| log.field(name)) {
        said.extend(log.source_samples().take(LOOKED).filter_map(|id| log.text(field, id).map(std::borrow::Cow::into_owned)));
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for field in log.fields().iter().filter(|field| is_number(field)) {
        let name = &*field.name;
        let stems = ["p_", "prob_", "proba_", "probability_", "score_", ""];
        let class = stems.iter().find_map(|stem| name.strip_prefix(stem).filter(|class| said.contains(*class)));
        found.extend(class.map(|class| (class.to_owned(), name.to_owned())));
    }
    let fields: Vec<usize> = found.iter().filter_map(|(_, name)| log.field(name)).collect();
    let whole = log.source_samples().take(LOOKED).all(|id| {
        let row: Option<f64> = fields.iter().map(|field| log.number(*field, id)).sum();
        row.is_none_or(|sum| (sum - 1.0).abs() <= SUMS)
    });
    if found.len() < 2 || !whole {
        return Vec::new();
    }
    found
}

/// Rows of a log, or of a dataset.
#[derive(Clone, Copy)]
pub struct BatchRows<'b> {
    pub dataset: &'b Dataset,
    pub rows: &'b [SampleId],
    pub columns: &'b LogColumns,
}

/// What a model said of rows, in their order, and what was true.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogSaid {
    pub classes: Vec<String>,
    /// Places among the classes; `None` where nothing is said, or known.
    pub said: Vec<Option<u32>>,
    pub truth: Vec<Option<u32>>,
    /// How sure, 0 to 1; no number where that is not said.
    pub sure: Vec<f64>,
    /// How much surer than of the next class; empty where only one figure is said of a row.
    pub margin: Vec<f64>,
    /// What could not be taken as it stands.
    pub notes: Vec<String>,
}

/// A class as it is compared: whoever writes whole numbers with gaps writes `1.0` for `1`.
pub(super) fn class_of(cell: &str) -> &str {
    let cell = cell.trim();
    let whole = cell.split_once('.').filter(|(whole, part)| {
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let zeros = !part.is_empty() && part.bytes().all(|byte| byte == b'0');
        zeros && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    whole.map_or(cell, |(whole, _)| whole)
}

impl LogSaid {
    /// Reads what a log says.
    pub fn of(batch: BatchRows<'_>) -> Self {
        let mut out = Self { sure: vec![f64::NAN; batch.rows.len()], ..Self::default() };
        let mut codes: HashMap<String, u32> = HashMap::new();
        let mut read = |column: &Option<String>, classes: &mut Vec<String>| -> Vec<Option<u32>> {
            let Some(field) = column.as_deref().and_then(|name| batch.dataset.field(name)) else {
                return vec![None; batch.rows.len()];
            };
            let code = |id: &SampleId| {
                let cell = batch.dataset.text(field, *id)?;
                let cell = class_of(&cell);
                if cell.is_empty() {
                    return None;
                }
                let next = classes.len() as u32;
                Some(*codes.entry(cell.to_owned()).or_insert_with(|| {
                    classes.push(cell.to_owned());
                    next
                }))
            };
            batch.rows.iter().map(code).collect()
        };
        out.said = read(&batch.columns.prediction, &mut out.classes);
        out.truth = read(&batch.columns.truth, &mut out.classes);
        out.read_sure(batch);
        out
    }

    /// The same, of what a model was asked to say: classes by its own list, and how sure.
    pub fn by_model(batch: BatchRows<'_>, classes: &[String], said: &[(u32, f32)]) -> Self {
        let mut own = Self::of(BatchRows { columns: &LogColumns { prediction: None, ..batch.columns.clone() }, ..batch });
        let place = |own: &mut Self, name: &String| match own.classes.iter().position(|known| known == name) {
            Some(at) => at as u32,
            None => {
                own.classes.push(name.clone());
                own.classes.len() as u32 - 1
            }
        };
        let codes: Vec<u32> = classes.iter().map(|name| place(&mut own, name)).collect();
        own.said = said.iter().map(|(class, _)| codes.get(*class as usize).copied()).collect();
        own.sure = said.iter().map(|(_, sure)| f64::from(*sure)).collect();
        own.margin = Vec::new();
        own
    }

    fn read_sure(&mut self, batch: BatchRows<'_>) {
        let (dataset, columns) = (batch.dataset, batch.columns);
        if let Some(field) = columns.probability.as_deref().and_then(|name| dataset.field(name)) {
            self.sure = batch.rows.iter().map(|id| dataset.number(field, *id).unwrap_or(f64::NAN)).collect();
        }
        let fields: Vec<(u32, usize)> = columns
            .probabilities
            .iter()
            .filter_map(|(class, column)| {
                let at = self.classes.iter().position(|known| known == class)?;
                Some((at as u32, dataset.field(column)?))
            })
            .collect();
        if fields.len() > 1 {
            self.margin = vec![f64::NAN; batch.rows.len()];
            for (row, id) in batch.rows.iter().enumerate() {
                let mut best = [f64::NAN; 2];
                let mut own = f64::NAN;
                for (class, field) in &fields {
                    let Some(p) = dataset.number(*field, *id) else { continue };
                    if self.said[row] == Some(*class) {
                        own = p;
                    }
                    if best[0].is_nan() || p > best[0] {
                        best = [p, best[0]];
                    } else if best[1].is_nan() || p > best[1] {
                        best[1] = p;
                    }
                }
                if self.sure[row].is_nan() {
                    self.sure[row] = own;
                }
                self.margin[row] = best[0] - best[1];
            }
        }
        let (low, high) =
            self.sure.iter().filter(|p| p.is_finite()).fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(*p), high.max(*p)));
        let column = columns.probability.as_deref().unwrap_or("the probability");
        // Sums in single precision come out a little above 1.
        let high = if high <= 1.0 + SUMS { high.min(1.0) } else { high };
        if high <= 1.0 {
            self.sure.iter_mut().filter(|p| **p > 1.0).for_each(|p| *p = 1.0);
        }
        if low < 0.0 || high > 100.0 {
            self.notes.push(format!("{column} goes from {low} to {high}: these are no probabilities, and are left out"));
            self.sure.fill(f64::NAN);
            self.margin = Vec::new();
        } else if high > 1.0 {
            self.notes.push(format!("{column} goes up to {high}: it is read as percentages"));
            self.sure.iter_mut().for_each(|p| *p /= 100.0);
            self.margin.iter_mut().for_each(|p| *p /= 100.0);
        }
    }

    /// Whether some row has a prediction, how sure it is, and what was true.
    pub fn has(&self) -> [bool; 3] {
        [self.said.iter().any(Option::is_some), self.sure.iter().any(|p| p.is_finite()), self.truth.iter().any(Option::is_some)]
    }
}
