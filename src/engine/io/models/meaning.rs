//! Texts to embeddings: the built-in table, or a model folder that the user chose, whose answers are kept beside the project.
//!
//! The built-in embedding is computed faster than a file of it could be read, so only a chosen model's vectors are kept: by the hash of
//! each text and of the model, so that an edit costs the texts that it changed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::data::{Dataset, SampleId, count};
use crate::io::pictures::images::picture_bytes;
use crate::io::read::budget::max_memory;
use crate::job::{Cancelled, JobError, Progress};
use crate::learn::dense::Dense;
use crate::learn::embedding::built_in;
use crate::learn::encoder::{Encoder, EncoderError, EncoderFiles};
use crate::learn::vision::{Vision, VisionFiles};
use crate::pixels::{Picture, decode, read_header};

/// Where meaning comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Meaning {
    /// The table that the program carries.
    #[default]
    BuiltIn,
    /// A sentence-transformers folder.
    Folder(PathBuf),
}

/// Why texts could not be embedded.
#[derive(Debug, thiserror::Error)]
pub enum MeaningError {
    #[error("{0} cannot be read: {1}. A sentence-transformers folder has config.json, tokenizer.json and model.safetensors")]
    Read(PathBuf, std::io::Error),
    #[error("{0} cannot be read: {1}. A CLIP or DINOv2 folder has config.json, preprocessor_config.json and model.safetensors")]
    ReadVision(PathBuf, std::io::Error),
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    #[error(
        "{} texts are too many to be held by what they mean: that takes {} MiB of memory, and one dataset may take {} MiB here. Filter, and save what is shown as a file of its own; or allow more with --max-memory",
        count(*.rows), .bytes >> 20, .most >> 20
    )]
    TooLarge {
        /// Texts.
        rows: usize,
        /// What their rows would take.
        bytes: u64,
        /// What may be taken.
        most: u64,
    },
    #[error("stopped")]
    Cancelled,
}

impl From<MeaningError> for JobError {
    fn from(error: MeaningError) -> Self {
        match error {
            MeaningError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<Cancelled> for MeaningError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Whether so many texts can be held by what they mean, at 4 bytes a dimension. `most` is in bytes.
///
/// # Errors
/// [`MeaningError::TooLarge`].
fn room_for(rows: usize, dims: usize, most: u64) -> Result<(), MeaningError> {
    let bytes = rows as u64 * dims as u64 * size_of::<f32>() as u64;
    if bytes > most { Err(MeaningError::TooLarge { rows, bytes, most }) } else { Ok(()) }
}

const MAGIC: &[u8; 8] = b"LAPVEC01";
/// The largest cache that is read.
const LARGEST: u64 = 8 << 30;

/// One row a text, of length 1: `text` gives that of each of `rows`. `project` is the project file beside which a chosen model's vectors are kept.
///
/// # Errors
/// [`MeaningError`].
pub fn embed<'t>(
    rows: Range<usize>,
    text: &(dyn Fn(usize) -> Cow<'t, str> + Sync),
    meaning: &Meaning,
    project: Option<&Path>,
    progress: &Progress,
) -> Result<Dense, MeaningError> {
    let (from, rows) = (rows.start, rows.len());
    let text = |row: usize| text(from + row);
    progress.set_total(rows as u64);
    let folder = match meaning {
        Meaning::BuiltIn => {
            room_for(rows, built_in().dims(), max_memory())?;
            return Ok(built_in().embed_all(rows, text, progress)?);
        }
        Meaning::Folder(folder) => folder,
    };
    let files = read_folder(folder)?;
    let model = model_hash(&files);
    let cache = project.map(vectors_beside);
    let hashes: Vec<u64> = (0..rows).map(|row| xxh3_64(text(row).as_bytes())).collect();
    let known = cache.as_deref().and_then(|path| load(path, model)).unwrap_or_default();
    let mut missing: Vec<u64> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut asked: HashMap<u64, usize> = HashMap::new();
    for (row, hash) in hashes.iter().enumerate() {
        if !known.vectors.contains_key(hash) && !asked.contains_key(hash) {
            asked.insert(*hash, missing.len());
            missing.push(*hash);
            texts.push(text(row).into_owned());
        }
    }
    let fresh = if texts.is_empty() {
        Dense { dims: known.dims, data: Vec::new() }
    } else {
        progress.set_total(texts.len() as u64);
        Encoder::new(&files)?.embed_all(&texts, progress).map_err(|error| match error {
            EncoderError::Cancelled => MeaningError::Cancelled,
            EncoderError::Model(_) | EncoderError::Vision(_) => MeaningError::Encoder(error),
        })?
    };
    let mut dense = Dense::zeros(rows, fresh.dims.max(1));
    for (row, hash) in hashes.iter().enumerate() {
        let from = match asked.get(hash) {
            Some(at) => fresh.row(*at),
            None => known.vectors.get(hash).map(Vec::as_slice).unwrap_or_default(),
        };
        if from.len() == dense.dims {
            dense.row_mut(row).copy_from_slice(from);
        }
    }
    if let Some(path) = cache.filter(|_| !missing.is_empty()) {
        // A cache that cannot be written costs time at the next start, and nothing else.
        let _ = keep(&path, model, &hashes, &dense);
    }
    Ok(dense)
}

/// Pictures read by a CLIP or `DINOv2` folder: one row per sample of the source, of length 1, zeros where there is no picture. Vectors are kept as
/// those of texts are, by what each file holds.
///
/// # Errors
/// [`MeaningError`].
pub fn embed_pictures(
    dataset: &Dataset,
    field: usize,
    folder: &Path,
    project: Option<&Path>,
    progress: &Progress,
) -> Result<Dense, MeaningError> {
    let file = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|error| MeaningError::ReadVision(path, error))
    };
    let files = VisionFiles {
        config: file("config.json")?,
        preprocessor: file("preprocessor_config.json")?,
        weights: file("model.safetensors")?,
    };
    let mut hash = Xxh3::new();
    [&files.config, &files.preprocessor, &files.weights].iter().for_each(|part| hash.update(part));
    let model = hash.digest();
    let cache = project.map(vectors_beside);
    let known = cache.as_deref().and_then(|path| load(path, model)).unwrap_or_default();
    let vision = Vision::new(&files)?;
    let rows = dataset.extent();
    progress.set_total(rows as u64);
    let mut dense = Dense::zeros(rows, vision.dims());
    let mut hashes = vec![0_u64; rows];
    let mut fresh = false;
    for start in (0..rows).step_by(PICTURES) {
        let read: Vec<(u64, Option<Picture>)> = (start..(start + PICTURES).min(rows))
            .into_par_iter()
            .map(|row| {
                let Ok(bytes) = picture_bytes(dataset, field, SampleId::at(row)) else { return (0, None) };
                let hash = xxh3_64(&bytes);
                let unknown = !known.vectors.contains_key(&hash);
                // Its shorter side must still be what the model asks for.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let least = read_header(&bytes).map_or(1, |header| {
                    let (longer, shorter) = (header.width.max(header.height), header.width.min(header.height));
                    (f64::from(vision.preparation.resize) * f64::from(longer) / f64::from(shorter)).ceil() as u32
                });
                (hash, unknown.then(|| decode(&bytes, Some(least)).ok()).flatten())
            })
            .collect();
        let (places, pictures): (Vec<usize>, Vec<Picture>) =
            read.iter().enumerate().filter_map(|(at, (_, picture))| Some((start + at, picture.clone()?))).unzip();
        fresh |= !pictures.is_empty();
        for (row, vector) in places.into_iter().zip(vision.embed(&pictures)?) {
            dense.row_mut(row).copy_from_slice(&vector);
        }
        for (at, (hash, _)) in read.iter().enumerate() {
            hashes[start + at] = *hash;
            if let Some(vector) = known.vectors.get(hash).filter(|vector| vector.len() == dense.dims) {
                dense.row_mut(start + at).copy_from_slice(vector);
            }
        }
        progress.step(read.len() as u64)?;
    }
    if let Some(path) = cache.filter(|_| fresh) {
        // A cache that cannot be written costs time at the next start, and nothing else.
        let _ = keep(&path, model, &hashes, &dense);
    }
    Ok(dense)
}

/// Pictures that go through a model together.
const PICTURES: usize = 16;

/// Where vectors are kept.
fn vectors_beside(project: &Path) -> PathBuf {
    let mut name = project.as_os_str().to_owned();
    name.push(".vectors");
    PathBuf::from(name)
}

/// A few words as an embedding of the same kind; zeros where no word is known.
///
/// # Errors
/// [`MeaningError`].
pub fn embed_words(words: &str, meaning: &Meaning) -> Result<Vec<f32>, MeaningError> {
    let dense = match meaning {
        Meaning::BuiltIn => built_in().embed_all(1, |_| words.into(), &Progress::silent())?,
        Meaning::Folder(folder) => Encoder::new(&read_folder(folder)?)?.embed_all(&[words.to_owned()], &Progress::silent())?,
    };
    Ok(dense.data)
}

/// Opens a sentence-transformers folder, to be taught or asked.
///
/// # Errors
/// [`MeaningError`].
pub fn open_encoder(folder: &Path) -> Result<Encoder, MeaningError> {
    Ok(Encoder::new(&read_folder(folder)?)?)
}

fn read_folder(folder: &Path) -> Result<EncoderFiles, MeaningError> {
    let file = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|error| MeaningError::Read(path, error))
    };
    Ok(EncoderFiles {
        config: file("config.json")?,
        tokenizer: file("tokenizer.json")?,
        weights: file("model.safetensors")?,
        pooling: file("1_Pooling/config.json").ok(),
        limits: file("sentence_bert_config.json").ok(),
    })
}

fn model_hash(files: &EncoderFiles) -> u64 {
    let mut hash = Xxh3::new();
    for part in [&files.config, &files.tokenizer, &files.weights] {
        hash.update(part);
    }
    hash.digest()
}

#[derive(Default)]
struct Known {
    dims: usize,
    vectors: HashMap<u64, Vec<f32>>,
}

/// Reads a cache; `None` where it is of another model, torn, or not there: then everything is computed.
fn load(path: &Path, model: u64) -> Option<Known> {
    if fs::metadata(path).ok()?.len() > LARGEST {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let (body, sum) = bytes.split_last_chunk::<8>()?;
    let rest = body.strip_prefix(MAGIC)?;
    let (head, rest) = rest.split_first_chunk::<16>()?;
    let dims = usize::try_from(u64::from_le_bytes(head[8..].try_into().ok()?)).ok()?;
    if u64::from_le_bytes(*sum) != xxh3_64(body) || u64::from_le_bytes(head[..8].try_into().ok()?) != model || dims == 0 {
        return None;
    }
    let vectors = rest
        .chunks_exact(8 + dims.checked_mul(4)?)
        .filter_map(|entry| {
            let (hash, numbers) = entry.split_first_chunk::<8>()?;
            Some((u64::from_le_bytes(*hash), numbers.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()))
        })
        .collect();
    Some(Known { dims, vectors })
}

fn keep(path: &Path, model: u64, hashes: &[u64], dense: &Dense) -> std::io::Result<()> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(model.to_le_bytes());
    bytes.extend((dense.dims as u64).to_le_bytes());
    let mut seen = std::collections::HashSet::new();
    for (row, hash) in hashes.iter().enumerate().filter(|(_, hash)| seen.insert(**hash)) {
        bytes.extend(hash.to_le_bytes());
        dense.row(row).iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    }
    let sum = xxh3_64(&bytes);
    bytes.extend(sum.to_le_bytes());
    let aside = path.with_extension("vectors.part");
    fs::write(&aside, &bytes)?;
    fs::rename(&aside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_texts_than_memory_holds_are_refused_with_the_figures_and_the_remedy() {
        assert!(room_for(6_000_000, 256, 6 << 30).is_ok(), "6 million at 1 KiB are below 6 GiB");
        let why = room_for(10_000_000, 256, 6 << 30).unwrap_err().to_string();
        assert!(why.starts_with("10,000,000 texts") && why.contains("9765 MiB") && why.contains("6144 MiB"), "{why}");
        assert!(why.contains("Filter") && why.contains("--max-memory"), "{why}");
    }
}
