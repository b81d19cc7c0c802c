//! How a file is to be read.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::IoError;
use super::read::budget::Budget;
use crate::data::Dataset;
use crate::job::Progress;

/// How a file is to be read; what is not said is found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The encoding's name (any label of the Encoding Standard).
    pub encoding: Option<String>,
    /// The byte between fields.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// How many lines stand before the table of a delimited text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<usize>,
    /// Whether fields beyond the header's are columns too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub surplus: bool,
    /// The sheet of a workbook, or the table of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The layout that it is read as, and how: `label-studio`, `markdown/paragraph`, `plain`; found out where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
}

/// Opens one file under a budget that several may share: whether numbers of classes are shown by the names that are noted beside them, and who is
/// shown the first rows.
pub type Opener<'o> = &'o dyn Fn(&Path, &Reading, &Budget, bool, &Progress, &dyn Fn(Dataset)) -> Result<Dataset, IoError>;
