//! Where a dataset's pictures lie: in a folder, in an archive, or in the cells themselves. Plain data; reading is `io`'s.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the paths in a dataset's cells lead.
#[derive(Clone)]
pub enum PictureStore {
    /// To files below this folder, which no path may leave.
    Folder(PathBuf),
    /// To members of an archive.
    Archive(Arc<Archive>),
}

/// An archive whose members are read where they stand.
pub struct Archive {
    /// The file.
    pub path: PathBuf,
    /// Its bytes, where it had to be unpacked to be read at all (a packed tar).
    pub held: Option<Vec<u8>>,
    /// The folder within it that paths start from; empty, or with a slash at its end.
    pub base: String,
    /// Its size and when it was changed last (nanoseconds since 1970), as it was when it was opened.
    pub stamp: (u64, u128),
    /// Its files by name.
    pub members: HashMap<String, Member>,
}

impl Archive {
    /// The member that a path in a cell names.
    pub fn member(&self, path: &str) -> Option<&Member> {
        if self.base.is_empty() { self.members.get(path) } else { self.members.get(&format!("{}{path}", self.base)) }
    }
}

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where its bytes begin; in a ZIP, where its local header does.
    pub start: u64,
    /// How many bytes it takes in the archive.
    pub packed: u64,
    /// How many bytes it says it unpacks to.
    pub size: u64,
    /// The checksum (CRC-32) of what it unpacks to, where the archive has one.
    pub sum: Option<u32>,
    /// How it is packed.
    pub packing: MemberPacking,
}

/// How a file is packed in its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberPacking {
    /// Not at all; its bytes begin at `start`.
    Plain,
    /// Not at all, behind a ZIP's local header.
    Stored,
    /// Deflate, behind a ZIP's local header.
    Deflated,
    /// In a way that is not read, or it must not be: says why.
    Refused(String),
}

/// The paths that a cell names: one, or several in a list.
pub fn paths_of(cell: &str) -> Vec<String> {
    if cell.starts_with('[')
        && let Ok(items) = serde_json::from_str::<Vec<serde_json::Value>>(cell)
    {
        return items
            .iter()
            .filter_map(|item| item.as_str().or_else(|| item.get("path").and_then(serde_json::Value::as_str)))
            .map(ToOwned::to_owned)
            .collect();
    }
    if cell.is_empty() { Vec::new() } else { vec![cell.to_owned()] }
}
