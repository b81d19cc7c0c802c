//! Many sources as one dataset: a small JSON file (`NAME.sources.json`) lists them, with what their columns and classes are called here. It opens like any
//! dataset. Columns are joined by name, classes by name and never by number; every sample knows its source, its file and its row.
//!
//! Nothing is merged that nobody asked for: without a mapping only columns of the very same name are one (proposals: `collect/aligning.rs`).

mod aligned;
mod paths;
mod sources_file;
mod stamp;

pub use aligned::open_sources;
pub use paths::{path_from, source_paths};
pub use sources_file::{SourceEntry, SourceOptions, SourcesFile, is_sources, read_sources, write_sources};
pub use stamp::dataset_stamp;
