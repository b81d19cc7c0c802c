//! Rows whose numbers together are like no other's, by an isolation forest; and samples on which a model's probabilities decide nothing, by their entropy.

use super::duplicates::looked_at;
use super::label_errors::{Given, LabelQuestion};
use super::options::{CheckOption, Options};
use super::{CheckInput, Finding, FindingKind, outliers};
use crate::data::{Dataset, Role, SampleId, SampleSet};
use crate::derive::number_fields;
use crate::job::{Cancelled, Progress};
use crate::learn::dense::Dense;
use crate::learn::isolation::isolation;

pub(super) const ISOLATED: CheckOption = CheckOption {
    flag: "--isolation",
    label: "isolation",
    help: "flag rows that an isolation forest scores above this: 0.5 is usual, 1 is alone",
    kinds: &[FindingKind::Isolated],
    choices: &[],
    least: 0.5,
    most: 1.0,
    usual: 0.65,
};
pub(super) const ENTROPY: CheckOption = CheckOption {
    flag: "--entropy",
    label: "entropy",
    help: "flag samples whose probabilities have more than this part of the most entropy that they could have",
    kinds: &[FindingKind::Undecided],
    choices: &[],
    least: 0.3,
    most: 1.0,
    usual: 0.9,
};

/// Of fewer rows, or columns of numbers, none is alone.
const FEW: usize = 30;
const COLUMNS: usize = 2;
/// The seed of the forest: the same rows have the same scores for ever.
const SEED: u64 = 1;
/// Probabilities of a row sum to 1, as far as they are written, in so many rows.
const SUMS: f32 = 0.02;
const MOSTLY: f64 = 0.95;

/// Looks for odd rows: a number that is missing stands in the middle of its column.
pub(super) fn isolated(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let fields: Vec<usize> =
        number_fields(dataset).into_iter().filter(|field| dataset.fields()[*field].role != Role::Id).collect();
    let ids: Vec<SampleId> = looked_at(dataset).collect();
    if fields.len() < COLUMNS || ids.len() < FEW {
        return Ok(Vec::new());
    }
    let mut dense = Dense::zeros(ids.len(), fields.len());
    for (place, field) in fields.iter().enumerate() {
        progress.check()?;
        let values: Vec<Option<f64>> =
            ids.iter().map(|id| dataset.number(*field, *id).filter(|value| value.is_finite())).collect();
        let mut known: Vec<f64> = values.iter().copied().flatten().collect();
        known.sort_unstable_by(f64::total_cmp);
        let middle = known.get(known.len() / 2).copied().unwrap_or(0.0);
        values.iter().enumerate().for_each(|(row, value)| dense.row_mut(row)[place] = value.unwrap_or(middle) as f32);
    }
    let scores = isolation(&dense, SEED, progress)?;
    // What one number says alone is found by that number.
    let mut alone = SampleSet::default();
    for field in &fields {
        outliers::far_numbers(dataset, *field, &ids, options).into_iter().for_each(|id| _ = alone.set(id, true));
    }
    let column = format!("{} columns of numbers", fields.len());
    let bar = options.get(&ISOLATED);
    let mut found = Vec::new();
    let odd = ids.iter().zip(&scores).enumerate().filter(|(_, (id, score))| **score > bar && !alone.contains(**id));
    for (row, (id, score)) in odd {
        let (name, rank) = most_telling(dataset, &fields, &dense, row);
        let reason = format!("its numbers together are set apart early, {score:.2} (0.5 is usual); most of all {name}, {rank}");
        found.push(Finding::new(FindingKind::Isolated, vec![*id], &column, (score - 0.5) * 2.0, reason));
    }
    Ok(found)
}

/// The column in which a row stands nearest to an end, and where.
fn most_telling(dataset: &Dataset, fields: &[usize], dense: &Dense, row: usize) -> (String, String) {
    let n = dense.rows() as f64;
    let place = |column: usize| {
        let own = dense.row(row)[column];
        let below = (0..dense.rows()).filter(|other| dense.row(*other)[column] < own).count() as f64;
        let above = (0..dense.rows()).filter(|other| dense.row(*other)[column] > own).count() as f64;
        (below.min(above) / n, above < below)
    };
    let best = (0..fields.len()).map(|column| (place(column), column)).min_by(|a, b| a.0.0.total_cmp(&b.0.0));
    let Some(((part, high), column)) = best else { return Default::default() };
    let end = if high { "higher" } else { "lower" };
    (dataset.fields()[fields[column]].name.to_string(), format!("{:.1} % are {end}", part * 100.0))
}

/// Looks for samples that a model's probabilities, one column a class, leave undecided.
pub(super) fn undecided(input: &CheckInput<'_>, options: &Options) -> Vec<Finding> {
    let dataset = input.dataset;
    let Ok(given) = Given::from_columns(dataset, dataset, &LabelQuestion::default(), "") else { return Vec::new() };
    let k = given.names.len();
    let rows: Vec<(SampleId, &[f32])> = looked_at(dataset)
        .filter_map(|id| Some((id, given.p.get(id.row() * k..(id.row() + 1) * k)?)))
        .filter(|(_, p)| p.iter().any(|p| *p > 0.0))
        .collect();
    let whole = rows.iter().filter(|(_, p)| (p.iter().sum::<f32>() - 1.0).abs() < SUMS).count();
    if k < 2 || rows.len() < FEW || (whole as f64) < MOSTLY * rows.len() as f64 {
        return Vec::new();
    }
    let column = format!("{k} columns of probabilities");
    let most = (k as f64).ln();
    let mut found = Vec::new();
    for (id, p) in rows {
        let entropy = p.iter().map(|p| f64::from(*p)).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum::<f64>() / most;
        if entropy > options.get(&ENTROPY) {
            let mut order: Vec<usize> = (0..k).collect();
            order.sort_by(|a, b| p[*b].total_cmp(&p[*a]).then(a.cmp(b)));
            let said: Vec<String> =
                order.iter().take(2).map(|class| format!("{} {:.2}", given.names[*class], p[*class])).collect();
            let reason =
                format!("{}: {:.0} % of the most entropy that they could have", said.join(", "), entropy.min(1.0) * 100.0);
            found.push(Finding::new(FindingKind::Undecided, vec![id], &column, 0.3 + 0.4 * entropy.min(1.0), reason));
        }
    }
    found
}
