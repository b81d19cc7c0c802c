//! How much each sample is of a domain that samples or texts stand for: a number a sample, in a column of its own.

use serde::{Deserialize, Serialize};

use super::{OperationError, Planned};
use crate::data::{Dataset, Kind, Role, SampleId, count_samples};
use crate::derive::TextOf;
use crate::edit::{Change, Edit, EditError};
use crate::job::Progress;
use crate::learn::dsir::{Hashed, Importance};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelevanceOf {
    /// The tag of the samples that stand for the domain.
    pub tag: String,
    /// The column that the scores become.
    pub into: String,
}

/// The weight of each sample of the source, by texts of the domain.
///
/// # Errors
/// [`OperationError`].
pub fn relevance(
    dataset: &Dataset,
    domain: &[String],
    hashed: Hashed,
    progress: &Progress,
) -> Result<Vec<Importance>, OperationError> {
    let text = TextOf::of(dataset, None).map_err(|why| EditError::Refused(why.to_string()))?;
    if domain.iter().all(|text| text.trim().is_empty()) {
        return Err(
            EditError::Refused("the domain has no texts: mark some samples first, or name a file of them".to_owned()).into()
        );
    }
    progress.set_total(dataset.extent() as u64);
    Ok(hashed.weigh(dataset.extent(), &|row| text.read(dataset, SampleId::at(row)), domain, progress)?)
}

/// The edit that makes scores a column: the mean a gram, to six digits.
///
/// # Errors
/// [`EditError`].
pub fn relevance_edit(dataset: &Dataset, into: &str, scores: &[Importance]) -> Result<Option<Edit>, EditError> {
    let cells: Vec<(SampleId, String)> = scores
        .iter()
        .enumerate()
        .filter(|(_, one)| one.grams > 0)
        .map(|(row, one)| (SampleId::at(row), format!("{:.6}", one.mean())))
        .collect();
    let words = format!("Scored the relevance of {} as {into}", count_samples(cells.len()));
    let texts = cells.iter().map(|(id, text)| (*id, text.as_str()));
    if dataset.field(into).is_some() {
        return Ok(Edit::new(words, Change::cells(dataset, into, texts.map(|(id, text)| (id, Some(text))))?));
    }
    let add = Change::add_column(dataset, into, Kind::Number, Role::Number)?;
    Ok(Edit::new(words, [add, Change::fill(into, texts)]))
}

/// Plans the edit.
///
/// # Errors
/// [`OperationError`].
pub fn plan_relevance(dataset: &Dataset, asked: &RelevanceOf, progress: &Progress) -> Result<Planned, OperationError> {
    let text = TextOf::of(dataset, None).map_err(|why| EditError::Refused(why.to_string()))?;
    let domain: Vec<String> = dataset
        .source_samples()
        .filter(|id| dataset.has_tag(&asked.tag, *id))
        .map(|id| text.read(dataset, id).into_owned())
        .collect();
    if domain.is_empty() {
        return Err(
            EditError::Refused(format!("no sample has the tag {:?}: tag some that are of the domain (T)", asked.tag)).into()
        );
    }
    let scores = relevance(dataset, &domain, Hashed::default(), progress)?;
    let notes = vec![format!("by {} that stand for the domain; higher is more of it", count_samples(domain.len()))];
    Ok(Planned { edit: relevance_edit(dataset, &asked.into, &scores)?, notes })
}
