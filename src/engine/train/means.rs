//! What teaching may use beside the data.

use std::path::Path;
use std::sync::Arc;

use crate::derive::Store;
use crate::learn::dense::Dense;

/// What teaching may use beside the data.
#[derive(Clone, Copy)]
pub struct TeachMeans<'m> {
    pub store: &'m Store,
    /// The project file, beside which a chosen encoder's vectors are kept.
    pub project: Option<&'m Path>,
    /// How pictures look, a row a sample of the source, where somebody has looked.
    pub looks: Option<&'m Arc<Dense>>,
    /// The folder that the model is written to, to be taken away; one that is not there yet.
    pub keep: Option<&'m Path>,
}
