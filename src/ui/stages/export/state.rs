//! How a save is asked for.

/// How a save is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExportForm {
    /// The place of the format in `Format::tables`, behind the last for a folder of images; `None` for the source's own.
    pub format: Option<usize>,
    /// The place of the packing.
    pub packing: usize,
    /// 0 the whole, 1 the filtered, 2 each part.
    pub what: usize,
    /// Write excluded samples too.
    pub excluded: bool,
    /// Write Lapidary's own columns too.
    pub own: bool,
    /// Write UTF-8 whatever the source had.
    pub utf8: bool,
    /// Cells that a spreadsheet would run are made harmless.
    pub safe: bool,
    /// Images: each at its own path rather than under its class; linked rather than copied.
    pub by_path: bool,
    pub link: bool,
}
