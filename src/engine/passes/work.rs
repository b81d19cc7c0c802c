//! What a run is: the recipe, the files with their pieces, how columns are meant; written once and read by whoever does its tasks.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::plan::PassPlan;
use crate::data::{Dataset, Role};
use crate::io::{self, IoError, Reading, RowsCut};
use crate::job::{Cancelled, Progress};
use crate::operate::{OperationError, Recipe, RecipeError};

/// The name of its own description in a work folder.
const WORK: &str = "work.json";
/// The largest description, in bytes: a recipe that names some million samples.
const LARGEST: u64 = 1 << 30;

/// Why a run ends without a result.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    #[error(transparent)]
    Io(#[from] IoError),
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// What was asked for cannot be, in words.
    #[error("{0}")]
    Refused(String),
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for PassError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// A file of the input, as it was when the run was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkFile {
    /// Seen from the input.
    pub path: String,
    pub bytes: u64,
    /// When it was written, in nanoseconds since 1970.
    pub time: u64,
}

/// What one task of a pass over files reads: a whole file, or rows of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkPiece {
    /// The place of its file.
    pub file: usize,
    /// Of a text that was cut, where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<RowsCut>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The program's version: another may do otherwise.
    pub version: String,
    pub recipe: Recipe,
    pub input: PathBuf,
    /// Whether the input is one file.
    pub single: bool,
    pub files: Vec<WorkFile>,
    pub pieces: Vec<WorkPiece>,
    pub reading: Reading,
    /// What columns mean, by the first piece: the same for all.
    pub roles: Vec<(String, String)>,
    /// Into how many buckets prints are put.
    pub buckets: usize,
    /// The folder that it lies in.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl Work {
    /// Looks at the input and cuts it into pieces of about `size` bytes.
    ///
    /// # Errors
    /// [`PassError`]: there is nothing to read, or it is of no format that is read file by file.
    pub fn of(recipe: Recipe, input: &Path, reading: Reading, size: u64, progress: &Progress) -> Result<Self, PassError> {
        let single = !input.is_dir();
        let input = input.canonicalize().map_err(|error| IoError::Read { path: input.to_owned(), reason: error.to_string() })?;
        let names = if single { vec![String::new()] } else { io::tables_below(&input)? };
        if names.is_empty() {
            return Err(PassError::Refused(format!("{} holds no table", input.display())));
        }
        let (mut files, mut pieces) = (Vec::new(), Vec::new());
        for (file, name) in names.into_iter().enumerate() {
            let path = if single { input.clone() } else { input.join(&name) };
            let (bytes, time) = io::file_stamp(&path).unwrap_or_default();
            if bytes > 0 {
                let cut = io::cut_text(&path, size, &reading, progress)?;
                let whole = cut.len() == 1;
                pieces.extend(cut.into_iter().map(|text| WorkPiece { file, text: (!whole).then_some(text) }));
            }
            files.push(WorkFile { path: name, bytes, time });
        }
        // A bucket is some tens of megabytes, whatever there is: bands are about as much as what is read, prints a tenth of it.
        let all: u64 = files.iter().map(|file| file.bytes).sum();
        let near = PassPlan::of(&recipe).unique().is_some_and(|(_, unique)| unique.near > 0.0);
        let buckets = usize::try_from(all / if near { 16 << 20 } else { 128 << 20 }).unwrap_or(usize::MAX).clamp(1, 4_096);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut work =
            Self { version, recipe, input, single, files, pieces, reading, roles: Vec::new(), buckets, folder: PathBuf::new() };
        if work.pieces.is_empty() {
            return Err(PassError::Refused("every file is empty: there is nothing to read".to_owned()));
        }
        let first = work.open(0, progress)?;
        work.roles = first.fields().iter().map(|field| (field.name.to_string(), field.role.to_string())).collect();
        Ok(work)
    }

    /// What tells a run from another: its version, recipe, files and pieces, as 16 hexadecimal digits.
    pub fn print(&self) -> String {
        format!("{:016x}", xxh3_64(serde_json::to_string(self).unwrap_or_default().as_bytes()))
    }

    /// What tells its recipe from another.
    pub fn recipe_print(&self) -> String {
        format!("{:016x}", xxh3_64(self.recipe.to_json().as_bytes()))
    }

    /// The files, with their bytes and times.
    pub fn read(&self) -> Vec<(String, u64, u64)> {
        self.files.iter().map(|file| (file.path.clone(), file.bytes, file.time)).collect()
    }

    /// Writes it down in its folder.
    ///
    /// # Errors
    /// [`IoError`].
    pub fn keep(&self) -> Result<(), IoError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        io::write_small(&self.folder.join(WORK), &format!("{text}\n"))
    }

    /// Reads the run of a folder.
    ///
    /// # Errors
    /// [`PassError`]: there is none, or of another version.
    pub fn of_folder(folder: &Path) -> Result<Self, PassError> {
        let text = io::read_text(&folder.join(WORK), LARGEST)?;
        let refused = |why: String| PassError::Refused(format!("{}: {why}", folder.join(WORK).display()));
        let work: Self = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        if work.version != env!("CARGO_PKG_VERSION") {
            return Err(refused(format!(
                "it was begun by version {}, and this is {}: every machine needs the same",
                work.version,
                env!("CARGO_PKG_VERSION")
            )));
        }
        Ok(Self { folder: folder.to_owned(), ..work })
    }

    /// How its steps are done.
    pub fn plan(&self) -> PassPlan {
        PassPlan::of(&self.recipe)
    }

    /// The path of a file.
    pub fn path(&self, file: usize) -> PathBuf {
        if self.single { self.input.clone() } else { self.input.join(&self.files[file].path) }
    }

    /// Opens a piece, its columns meant as those of the first.
    ///
    /// # Errors
    /// [`PassError`]: it cannot be read, or the file is another than when the run was begun.
    pub fn open(&self, piece: usize, progress: &Progress) -> Result<Dataset, PassError> {
        let piece = &self.pieces[piece];
        let (path, known) = (self.path(piece.file), &self.files[piece.file]);
        if io::file_stamp(&path) != Some((known.bytes, known.time)) {
            return Err(PassError::Refused(format!("{} has changed since the run was begun: begin anew", path.display())));
        }
        let mut dataset = match &piece.text {
            Some(text) => io::open_piece(&path, text, &self.reading, progress)?,
            None => io::open(&path, &self.reading, progress, &|_| {})?,
        };
        for (name, role) in &self.roles {
            if let (Some(field), Some(role)) = (dataset.field(name), Role::from_name(role)) {
                dataset.set_role(field, role);
            }
        }
        Ok(dataset)
    }
}
