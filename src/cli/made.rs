//! What commands that make samples share: the pipeline, and who judges what it makes.

use std::io::Write;
use std::sync::Arc;

use super::Failure;
use super::arguments::Arguments;
use super::said::{note, say};
use crate::data::{Dataset, Pipeline};
use crate::derive::{Store, risk_model};
use crate::job::Progress;
use crate::learn::risk::RiskModel;
use crate::operate::scan_pictures;
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
pub fn looks(dataset: &Dataset, wanted: bool) -> Result<Option<Arc<Vec<Look>>>, Failure> {
    let Some(field) = dataset.pictures().filter(|_| wanted) else { return Ok(None) };
    Ok(Some(scan_pictures(dataset, field, None, &Progress::silent()).map_err(|_| "cancelled".to_owned())?.looks))
}

/// The model that judges labels; `None` where all risks are taken, or where there is too little to learn from, which is said.
///
/// # Errors
/// Cancelled.
pub fn judge(
    dataset: &Dataset,
    pipeline: &Pipeline,
    most: f32,
    store: &Store,
    err: &mut dyn Write,
) -> Result<Option<Arc<RiskModel>>, Failure> {
    if most >= 1.0 {
        return Ok(None);
    }
    let looks = looks(dataset, pipeline.alters_pictures())?;
    let model = risk_model(dataset, looks.as_ref().map(|looks| looks.as_slice()), store, &Progress::silent())
        .map_err(|_| "cancelled".to_owned())?;
    if model.is_none() {
        note(err, "label risk was not judged: there is no label, or too little to learn from");
    }
    Ok(model)
}
