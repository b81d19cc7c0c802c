//! Columns that repeat another, or say one thing in every row.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64;

use super::duplicates::looked_at;
use super::options::Options;
use super::{CheckInput, Finding, FindingKind};
use crate::data::{SampleId, count_samples};
use crate::job::{Cancelled, Progress};

/// Of fewer rows a column is not said to repeat another, or itself.
const FEW: usize = 8;

/// Looks for them.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, _: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let ids: Vec<SampleId> = looked_at(dataset).collect();
    let mut found = Vec::new();
    if ids.len() < FEW {
        return Ok(found);
    }
    let mut prints: HashMap<(u64, usize), usize> = HashMap::new();
    for (field, column) in dataset.fields().iter().enumerate().filter(|(_, column)| column.is_given()) {
        let (mut print, mut filled) = (0u64, 0usize);
        let mut first: Option<String> = None;
        let mut same = true;
        for id in &ids {
            let cell = dataset.text(field, *id);
            let text = cell.as_deref().unwrap_or_default();
            print = print.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ xxh3_64(text.as_bytes());
            filled += usize::from(!text.is_empty());
            match &first {
                None => first = Some(text.to_owned()),
                Some(known) => same &= known == text,
            }
        }
        progress.check()?;
        if filled == 0 {
            continue;
        }
        if same && filled == ids.len() {
            let value: String = first.unwrap_or_default().chars().take(60).collect();
            let reason = format!("every one of {} has {value:?}", count_samples(ids.len()));
            found.push(Finding::new(FindingKind::OneValue, Vec::new(), &column.name, 0.3, reason));
        } else if let Some(other) = prints.insert((print, filled), field) {
            let other = &dataset.fields()[other].name;
            let reason = format!("it says what {other} says, in every row");
            found.push(
                Finding::new(FindingKind::SameColumn, Vec::new(), &column.name, 0.4, reason)
                    .with_suggestion(Some(other.to_string())),
            );
        }
    }
    Ok(found)
}
