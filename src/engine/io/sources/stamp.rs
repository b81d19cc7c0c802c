//! Whether a dataset is still what was opened, at a glance: the sizes and times of all files that it is read from.

use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::paths::source_paths;
use super::sources_file::read_sources;
use crate::data::Base;
use crate::io::pictures::images::stamp;

/// The stamp of what a dataset was read from: of its file, or of its list and every source that it names. `None` where the file is not there.
pub fn dataset_stamp(base: &Base) -> Option<(u64, u128)> {
    let path = &base.origin.path;
    let own = stamp(path)?;
    if base.sources.is_empty() {
        return Some(own);
    }
    let mut hash = Xxh3::new();
    hash.update(&own.0.to_le_bytes());
    hash.update(&own.1.to_le_bytes());
    let root = path.parent().unwrap_or(Path::new("."));
    for source in read_sources(path).map(|list| list.sources).unwrap_or_default() {
        for found in source_paths(root, &source.read).unwrap_or_default() {
            let mut of = |path: &Path| {
                let (bytes, time) = stamp(path).unwrap_or_default();
                hash.update(path.as_os_str().as_encoded_bytes());
                hash.update(&bytes.to_le_bytes());
                hash.update(&time.to_le_bytes());
            };
            of(&found.path);
            // A folder's own time does not say that a file in it was written over.
            let mut files: Vec<_> =
                std::fs::read_dir(&found.path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            files.sort();
            files.iter().filter(|file| !file.to_string_lossy().contains(".lapidary")).for_each(|file| of(file));
        }
    }
    Some((own.0, hash.digest128()))
}
