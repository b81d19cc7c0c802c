//! What a folder holds, for whoever types a path.

use std::path::Path;

/// The names of a folder's entries, and whether each is a folder; none where it cannot be read. Names that are no text are left out.
pub fn entries_of(folder: &Path) -> Vec<(String, bool)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path().is_dir()))).collect()
}
