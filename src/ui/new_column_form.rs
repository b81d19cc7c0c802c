//! What is being typed of a column that is made out of others.

use crate::data::SampleId;
use crate::operate::ColumnOf;

/// What came out of samples: a cell each, or why there is none; or what is wrong with the expression.
pub type ColumnPreview = Result<Vec<Result<Option<String>, String>>, String>;

/// What is being typed.
#[derive(Debug, Clone, Default)]
pub struct ColumnForm {
    pub what: ColumnOf,
    /// Whether the functions are listed.
    pub functions: bool,
    /// What was looked at last, of which samples of which state, and what came out.
    pub seen: Option<(String, u64, Vec<SampleId>, ColumnPreview)>,
}
