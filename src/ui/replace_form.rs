//! What is being typed into find and replace.

use crate::data::{Dataset, Role};
use crate::transform::Replace;

/// What is being typed.
#[derive(Debug, Clone, Default)]
pub struct ReplaceForm {
    pub column: String,
    pub what: Replace,
    /// What was asked to be looked at last.
    pub asked: Option<(String, Replace)>,
}

impl ReplaceForm {
    /// Asks anew when it is drawn next: what the filter leaves may be other samples.
    pub fn begin(&mut self, dataset: &Dataset) {
        self.asked = None;
        if dataset.field(&self.column).is_none() {
            let read = |role: Role| matches!(role, Role::Text | Role::Messages);
            let field = dataset.with_role(read).unwrap_or(0);
            self.column = dataset.fields().get(field).map_or(String::new(), |field| field.name.to_string());
        }
    }
}
