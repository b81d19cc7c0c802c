//! A dataset that was opened, and what can be done where its project does not open as it is.

use std::path::PathBuf;

use super::Workspace;

/// A dataset that was opened, and what there is to say about it.
pub struct Opened {
    pub workspace: Workspace,
    pub words: Option<String>,
    pub remedy: Option<Remedy>,
}

/// What can be done where a project does not open as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Carry its edits over to the file as it is now.
    Carry,
    /// Save what can be read of it.
    Recover,
    /// Open the file once more.
    TryAgain,
    /// Take over a project that was made under another name.
    Adopt(PathBuf),
}
