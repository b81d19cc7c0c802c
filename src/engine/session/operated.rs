//! An edit that was planned beside the window.

use crate::edit::Edit;

/// The edit, and the content hashes of its samples at the state that it was planned on.
pub struct PlannedEdit {
    /// `None` where nothing is to be done.
    pub edit: Option<Edit>,
    pub prints: Vec<u64>,
    /// What else there is to say.
    pub notes: Vec<String>,
}
