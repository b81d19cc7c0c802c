//! A folder as Hugging Face's `datasets` loads it: Parquet shards by part, and a card whose front names them.
//!
//! Without a front that names them, `valid`, `val` and `dev` would become one part, folds would become `train`, and a part that is not named is not read at all
//! (datasets 5.2, run).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use polars::prelude::{DataType, TimeUnit};

use super::health::{CardWords, data_card};
use crate::checks::Finding;
use crate::data::{Dataset, Format, Packing, SampleId, count_samples};
use crate::eye::PartNames;
use crate::io::{self, IoError, Reading, Rows, SaveTarget};
use crate::job::{Cancelled, Progress};

/// Why there is no folder.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("the folder {0} is not empty: files are written into a new or an empty one")]
    NotEmpty(String),
    #[error("there is no sample that is not excluded")]
    Empty,
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for HubError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// What was written.
#[derive(Debug, Default)]
pub struct HubFolder {
    /// Each part with its samples and its files.
    pub parts: Vec<(String, usize, Vec<String>)>,
    /// Samples that were read back from the files.
    pub read: usize,
    pub notes: Vec<String>,
}

/// A shard holds about so many bytes of text.
const SHARD: u64 = 400 << 20;

/// A part as `datasets` may call it: letters, digits and `_`.
fn split_name(part: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '_' { letter } else { '_' };
    let name: String = part.trim().to_lowercase().chars().map(plain).collect();
    if name.is_empty() { "train".to_owned() } else { name }
}

/// Samples in order, cut into pieces of about so many bytes.
fn shards(dataset: &Dataset, ids: &[SampleId], most: u64) -> Vec<Vec<SampleId>> {
    let mut all = vec![Vec::new()];
    let mut bytes = 0;
    for id in ids {
        let long: usize = (0..dataset.fields().len()).filter_map(|field| dataset.text(field, *id)).map(|text| text.len()).sum();
        if bytes > most {
            all.push(Vec::new());
            bytes = 0;
        }
        bytes += long as u64;
        if let Some(last) = all.last_mut() {
            last.push(*id);
        }
    }
    all
}

/// A type as the front of a card names it, at this depth; `None` where it has no name there.
fn feature(dtype: &DataType, name: Option<&str>, depth: usize) -> Option<String> {
    let indent = "  ".repeat(depth);
    let plain = match dtype {
        DataType::String => "string",
        DataType::Boolean => "bool",
        DataType::Int8 => "int8",
        DataType::Int16 => "int16",
        DataType::Int32 => "int32",
        DataType::Int64 => "int64",
        DataType::UInt8 => "uint8",
        DataType::UInt16 => "uint16",
        DataType::UInt32 => "uint32",
        DataType::UInt64 => "uint64",
        DataType::Float32 => "float32",
        DataType::Float64 => "float64",
        DataType::Date => "date32",
        DataType::Datetime(TimeUnit::Microseconds, None) => "timestamp[us]",
        DataType::Datetime(TimeUnit::Milliseconds, None) => "timestamp[ms]",
        DataType::Datetime(TimeUnit::Nanoseconds, None) => "timestamp[ns]",
        _ => "",
    };
    let head = name.map_or_else(|| indent.clone(), |name| format!("{indent}- name: {}\n{indent}  ", yaml(name)));
    if !plain.is_empty() {
        return Some(format!("{head}dtype: {plain}\n"));
    }
    match dtype {
        DataType::List(inner) => match &**inner {
            DataType::Struct(fields) => {
                let fields = fields.iter().map(|field| feature(field.dtype(), Some(field.name()), depth + 1));
                Some(format!("{head}list:\n{}", fields.collect::<Option<String>>()?))
            }
            DataType::List(_) => None,
            inner => {
                let dtype = feature(inner, None, 0)?;
                Some(format!("{head}list: {}", dtype.strip_prefix("dtype: ")?))
            }
        },
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| feature(field.dtype(), Some(field.name()), depth + 1));
            Some(format!("{head}struct:\n{}", fields.collect::<Option<String>>()?))
        }
        _ => None,
    }
}

/// A text of YAML, between quotation marks where it could be read as anything else.
fn yaml(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && !["true", "false", "yes", "no", "null", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::to_string(text).unwrap_or_default() }
}

/// Writes the samples that are not excluded into a folder that `datasets` loads, and reads the files back.
///
/// # Errors
/// [`HubError`].
pub fn hub_folder(
    dataset: &Dataset,
    findings: &[Finding],
    words: &CardWords,
    folder: &Path,
    progress: &Progress,
) -> Result<HubFolder, HubError> {
    if !io::entries_of(folder).is_empty() {
        return Err(HubError::NotEmpty(folder.display().to_string()));
    }
    let mut parts: BTreeMap<(u8, String), Vec<SampleId>> = BTreeMap::new();
    let kept: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    let names = PartNames::of(dataset, &kept, &split_name);
    for id in kept {
        let part = names.part(dataset, id).to_owned();
        // As one reads them: what is trained on, what is watched, what is tested.
        let rank = if part.starts_with("train") { 0 } else { 1 + u8::from(part.starts_with("test")) };
        parts.entry((rank, part)).or_default().push(id);
    }
    if parts.is_empty() {
        return Err(HubError::Empty);
    }
    let mut done = HubFolder::default();
    let (mut files, mut sizes) = (Vec::new(), String::new());
    let mut all_bytes = 0;
    for ((_, part), ids) in parts {
        let shards = shards(dataset, &ids, SHARD);
        let (mut names, mut bytes) = (Vec::new(), 0);
        for (at, shard) in shards.iter().enumerate() {
            progress.check()?;
            let name = format!("data/{part}-{at:05}-of-{:05}.parquet", shards.len());
            let target = SaveTarget {
                path: folder.join(&name),
                format: Format::Parquet,
                packing: Packing::None,
                own_columns: false,
                utf8: true,
                safe: false,
            };
            let report = io::export(dataset, &Rows::These(shard.clone()), &target, progress)?;
            report.notes.into_iter().for_each(|note| {
                if !done.notes.contains(&note) {
                    done.notes.push(note);
                }
            });
            bytes += report.bytes;
            names.push(name);
        }
        let _ = write!(sizes, "  - name: {}\n    num_bytes: {bytes}\n    num_examples: {}\n", yaml(&part), ids.len());
        all_bytes += bytes;
        files.push((part.clone(), names.clone()));
        done.parts.push((part, ids.len(), names));
    }
    // The proof: what stands in the files, as anybody would read them.
    let mut types = None;
    for (_, names) in &files {
        for name in names {
            let read = io::open(&folder.join(name), &Reading::default(), &Progress::silent(), &|_| {})?;
            done.read += read.rows();
            types.get_or_insert_with(|| io::types_of(&folder.join(name)).unwrap_or_default());
        }
    }
    let mut front = String::from("configs:\n- config_name: default\n  data_files:\n");
    for (part, _) in &files {
        let _ = write!(front, "  - split: {0}\n    path: {1}\n", yaml(part), yaml(&format!("data/{part}-*")));
    }
    let features: Option<Vec<String>> =
        types.unwrap_or_default().iter().map(|(name, dtype)| feature(dtype, Some(name), 1)).collect();
    front.push_str("dataset_info:\n");
    match features {
        Some(features) if !features.is_empty() => {
            let _ = write!(front, "  features:\n{}", features.concat());
        }
        _ => done.notes.push("the card names no features: a column has a type that its front has no name for".to_owned()),
    }
    let _ = write!(front, "  splits:\n{sizes}  download_size: {all_bytes}\n  dataset_size: {all_bytes}\n");
    let card = data_card(dataset, findings, &CardWords { files: front, ..words.clone() });
    io::write_small(&folder.join("README.md"), &card)?;
    Ok(done)
}

impl HubFolder {
    /// What there is to say of it.
    pub fn words(&self, folder: &Path) -> Vec<String> {
        let written: usize = self.parts.iter().map(|(_, n, _)| n).sum();
        let parts: Vec<String> = self.parts.iter().map(|(part, n, _)| format!("{part} {}", crate::data::count(*n))).collect();
        let read = if self.read == written { "every one".to_owned() } else { format!("{} only", count_samples(self.read)) };
        let mut all = self.notes.clone();
        all.push(format!(
            "Wrote {} to {} ({}), with a card; read back: {read}",
            count_samples(written),
            folder.display(),
            parts.join(", ")
        ));
        all
    }
}
