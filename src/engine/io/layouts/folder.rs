//! A folder of a layout: its files by name, read under one budget, hashed as they are read; nothing beyond the folder is opened.

use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use crate::io::error::IoError;
use crate::io::read::budget::Budget;
use crate::io::read::source;
use crate::job::Progress;

/// Folders are followed so far, and so many files are listed.
const DEEPEST: usize = 12;
const MOST: usize = 2_000_000;

/// A folder that is being read.
pub struct LaidFolder<'f> {
    root: PathBuf,
    budget: &'f Budget,
    progress: &'f Progress,
    print: Xxh3,
    bytes: u64,
}

impl<'f> LaidFolder<'f> {
    /// `root` is its full path.
    pub fn new(root: &Path, budget: &'f Budget, progress: &'f Progress) -> Self {
        Self { root: root.to_owned(), budget, progress, print: Xxh3::new(), bytes: 0 }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The hash (XXH3, 128 bits) of the names and contents that were read, and how many bytes those were.
    pub fn read_so_far(&self) -> (u128, u64) {
        (self.print.digest128(), self.bytes)
    }

    /// The bytes of a file by its path within the folder, parts between slashes.
    ///
    /// # Errors
    /// [`IoError`]: it is not there, leads out of the folder, or is beyond memory.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, IoError> {
        let path = self.root.join(name);
        let full = path.canonicalize().map_err(|error| IoError::Read { path: path.clone(), reason: error.to_string() })?;
        if !full.starts_with(&self.root) {
            return Err(IoError::Read { path, reason: "it leads out of the folder".to_owned() });
        }
        let bytes = source::read(&full, self.budget, self.progress)?;
        self.print.update(name.as_bytes());
        self.print.update(&bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes)
    }

    /// The same as text; what is no UTF-8 is shown as �.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn text(&mut self, name: &str) -> Result<String, IoError> {
        let bytes = self.read(name)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    }

    /// The files below a folder of it, by path, in order, hidden ones left out. They are noted as read: which there are is part of what a folder says.
    ///
    /// # Errors
    /// [`IoError`]: there are too many.
    pub fn list(&mut self, below: &str) -> Result<Vec<String>, IoError> {
        let (mut found, mut left) = (Vec::new(), vec![(below.trim_matches('/').to_owned(), 0)]);
        while let Some((folder, depth)) = left.pop() {
            let Ok(entries) = std::fs::read_dir(self.root.join(&folder)) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with('.') || name.contains(".lapidary") {
                    continue;
                }
                let full = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && depth < DEEPEST => left.push((full, depth + 1)),
                    Ok(kind) if kind.is_file() || kind.is_symlink() => found.push(full),
                    _ => {}
                }
            }
            if found.len() > MOST {
                let reason = format!("the folder holds more than {MOST} files");
                return Err(IoError::TooLarge { path: self.root.clone(), reason });
            }
            self.progress.check().map_err(|_| IoError::Cancelled)?;
        }
        found.sort_unstable();
        for name in &found {
            self.print.update(name.as_bytes());
            self.print.update(b"\0");
        }
        Ok(found)
    }

    /// What is wrong with the folder as a whole.
    pub fn refuse(&self, what: impl Into<String>) -> IoError {
        IoError::Format { path: self.root.clone(), what: what.into() }
    }
}

/// Whether a name is that of a picture.
pub fn is_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"].contains(&ending.as_str())
}

/// Whether a name ends so, in whatever letters.
pub fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, own)| own.eq_ignore_ascii_case(ending))
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A path's last part without its ending.
pub fn file_stem(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Pictures by their paths and by their names, as tools name them: with the folder before them, or without.
pub struct PicturePlaces {
    names: std::collections::HashMap<String, Option<String>>,
    paths: std::collections::HashSet<String>,
}

impl PicturePlaces {
    /// Of a list of files.
    pub fn of(files: &[String]) -> Self {
        let mut names: std::collections::HashMap<String, Option<String>> = std::collections::HashMap::new();
        let pictures = files.iter().filter(|file| is_picture(file));
        for path in pictures.clone() {
            names.entry(file_name(path).to_owned()).and_modify(|known| *known = None).or_insert_with(|| Some(path.clone()));
        }
        Self { names, paths: pictures.cloned().collect() }
    }

    /// The path of a picture that is called `name` and may lie in one of `folders`; `None` where there is none, or several have that name.
    pub fn find(&self, name: &str, folders: &[&str]) -> Option<String> {
        let name = name.trim_start_matches("./").replace('\\', "/");
        let at = |folder: &&str| if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let there = |path: &String| self.paths.contains(path);
        folders
            .iter()
            .map(at)
            .find(there)
            .or_else(|| Some(name.clone()).filter(there))
            .or_else(|| self.names.get(file_name(&name)).cloned().flatten())
    }
}
