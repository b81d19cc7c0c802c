//! What commands that make samples share.

use std::io::Write;
use std::sync::Arc;

use super::Failure;
use super::arguments::Arguments;
use super::said::{note, say};
use super::text_models::told;
use crate::data::{Dataset, Pipeline};
use crate::derive::Store;
use crate::edit::{Direction, Edit};
use crate::job::Progress;
use crate::operate::{Means, Operation, scanned};
use crate::pixels::Look;

/// What is left out unless somebody says otherwise.
const RISK: f32 = 0.3;

/// The pipeline that `--pipeline` names.
///
/// # Errors
/// It cannot be read.
pub fn pipeline(arguments: &Arguments) -> Result<Pipeline, Failure> {
    let path = arguments.need("--pipeline")?;
    let text = crate::io::read_small(path.as_ref()).map_err(say)?;
    let mut pipeline = Pipeline::parse(&text).map_err(|error| format!("{path}: {error}"))?;
    if pipeline.name.is_empty() {
        std::path::Path::new(path).file_stem().unwrap_or_default().to_string_lossy().as_ref().clone_into(&mut pipeline.name);
    }
    Ok(pipeline)
}

/// The most risk that `--risk` allows.
///
/// # Errors
/// It is no probability.
pub fn risk(arguments: &Arguments) -> Result<f32, Failure> {
    let most = arguments.number::<f32>("--risk")?.unwrap_or(RISK);
    if (0.0..=1.0).contains(&most) { Ok(most) } else { Err(format!("--risk takes a probability, 0 to 1, not {most}")) }
}

/// What there is to see of every picture, where that is wanted.
///
/// # Errors
/// Cancelled.
pub fn looks(dataset: &Dataset, wanted: bool, store: &Store) -> Result<Option<Arc<Vec<Look>>>, Failure> {
    let Some(field) = dataset.pictures().filter(|_| wanted) else { return Ok(None) };
    let scan = scanned(dataset, field, None, store, &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    Ok(Some(Arc::clone(&scan.looks)))
}

/// The dataset after an operation, with the edit that it is; what is to be known of it is said.
///
/// # Errors
/// Why it cannot be carried out.
pub fn made(
    mut dataset: Dataset,
    operation: &Operation,
    means: &Means<'_>,
    err: &mut dyn Write,
) -> Result<(Dataset, Option<Edit>), Failure> {
    let planned = operation.plan(&dataset, means, &told(&means.models)).map_err(say)?;
    if let Some(edit) = &planned.edit {
        edit.apply(&mut dataset, Direction::Forward);
    }
    planned.notes.iter().for_each(|text| note(err, text));
    Ok((dataset, planned.edit))
}
