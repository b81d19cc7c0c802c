//! What a run has learned so far, beside the project: written aside, brought to the disk, and moved into place, so that a kill at any moment leaves the state of before or that of now. A safetensors file; what else
//! there is to know stands in its metadata as JSON, to be read without the numbers.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::Xxh3;

use crate::io::error::IoError;
use crate::learn::tensors::of_file;

/// The end of its name.
const ENDING: &str = ".teaching";
/// What its metadata is called; longer ones than this are none.
const STATE: &str = "lapidary";
const LONGEST: u64 = 64 << 20;

/// Lists of numbers by name, in the order of names.
pub type CheckpointLists<'l> = Vec<(&'static str, &'l [f32])>;

/// Where what a run has learned is kept: beside the project, by what was asked of it.
pub fn checkpoint_path(project: &Path, key: u64) -> PathBuf {
    let mut name = project.as_os_str().to_owned();
    name.push(format!(".{key:016x}{ENDING}"));
    PathBuf::from(name)
}

/// Keeps a state and lists of numbers.
///
/// # Errors
/// [`IoError::Write`]; what was there before is there still.
pub fn write_checkpoint(path: &Path, state: &str, lists: &CheckpointLists<'_>) -> Result<(), IoError> {
    let fault = |error: std::io::Error| IoError::Write { path: path.to_owned(), reason: error.to_string() };
    let mut header = Map::new();
    let mut hash = Xxh3::new();
    let mut at = 0;
    for (name, list) in lists {
        let end = at + size_of_val(*list);
        header.insert((*name).to_owned(), json!({ "dtype": "F32", "shape": [list.len()], "data_offsets": [at, end] }));
        at = end;
        bytes_of(list, &mut |bytes| {
            hash.update(bytes);
            Ok(())
        })
        .map_err(fault)?;
    }
    let sum = format!("{:016x}", hash.digest());
    header.insert("__metadata__".to_owned(), json!({ "format": "pt", "hash": sum, STATE: state }));
    let mut text = Value::Object(header).to_string();
    text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".lapidary-").suffix(".part").tempfile_in(parent)?;
        file.write_all(&(text.len() as u64).to_le_bytes())?;
        file.write_all(text.as_bytes())?;
        for (_, list) in lists {
            bytes_of(list, &mut |bytes| file.write_all(bytes))?;
        }
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(fault)
}

/// The bytes of numbers, a piece at a time.
fn bytes_of(list: &[f32], take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut piece = Vec::with_capacity(1 << 18);
    for part in list.chunks(1 << 16) {
        piece.clear();
        part.iter().for_each(|number| piece.extend_from_slice(&number.to_le_bytes()));
        take(&piece)?;
    }
    Ok(())
}

/// The state of a file; `None` where it is none, or torn.
fn state_of(path: &Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST {
        return None;
    }
    let mut header = vec![0; usize::try_from(length).ok()?];
    file.read_exact(&mut header).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    Some(header["__metadata__"][STATE].as_str()?.to_owned())
}

/// A state as text, and its lists by name.
pub type CheckpointRead = (String, Vec<(String, Vec<f32>)>);

/// The state that is kept, and its lists by name; `None` where there is none, or none that is whole.
pub fn read_checkpoint(path: &Path) -> Option<CheckpointRead> {
    let state = state_of(path)?;
    let bytes = fs::read(path).ok()?;
    let length = usize::try_from(u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?)).ok()?;
    let header: Value = serde_json::from_slice(bytes.get(8..8 + length)?).ok()?;
    let mut hash = Xxh3::new();
    hash.update(&bytes[8 + length..]);
    if header["__metadata__"]["hash"].as_str()? != format!("{:016x}", hash.digest()) {
        return None;
    }
    let numbers =
        |bytes: &[u8]| bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
    Some((state, of_file(&bytes)?.into_iter().map(|(name, tensor)| (name, numbers(&tensor.bytes))).collect()))
}

/// The states that are kept beside a project, the oldest first.
pub fn checkpoints(project: &Path) -> Vec<(PathBuf, String)> {
    let Some(name) = project.file_name().map(|name| format!("{}.", name.to_string_lossy())) else { return Vec::new() };
    let parent = project.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let own = |path: &PathBuf| {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        file.strip_prefix(&name).and_then(|rest| rest.strip_suffix(ENDING)).is_some_and(|key| key.len() == 16)
    };
    let mut list: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()).filter(own))
        .filter_map(|path| Some((fs::metadata(&path).and_then(|data| data.modified()).ok()?, state_of(&path)?, path)))
        .collect();
    list.sort();
    list.into_iter().map(|(_, state, path)| (path, state)).collect()
}

/// Takes a state away.
pub fn remove_checkpoint(path: &Path) {
    // One that cannot be taken away is offered again, and no harm.
    let _ = fs::remove_file(path);
}
