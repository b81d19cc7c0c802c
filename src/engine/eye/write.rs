//! What a trainer is handed: rows in a form that it takes whole, what reads them, and a configuration that runs as it is.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde_json::{Value as Json, json};

use super::config::small_files;
use super::dry_run::dry_run;
use super::forms::rows_of;
use super::part_names::PartNames;
use super::target::{Trainer, TrainerTarget};
use super::written::written_row;
use crate::data::{Dataset, SampleId};
use crate::io::{self, ChatModel, IoError, Reading};
use crate::job::{Cancelled, Progress};
use crate::trainers::rows::{Reason, TrainerRow};

/// A part of the split as the name of a file, of a dataset in a comma's list, and in YAML: letters, digits, `-` and `_`.
fn file_part(part: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = part.to_lowercase().chars().map(plain).collect();
    // This name is taken.
    if name == "left_out" { "left_out_".to_owned() } else { name }
}

/// Files are found by their names alone: what is watched is called so.
fn part_for(trainer: Trainer, part: String) -> String {
    if trainer == Trainer::MlxLm && ["val", "dev", "eval"].iter().any(|name| part.starts_with(name)) {
        "valid".to_owned()
    } else {
        part
    }
}

/// What was written.
#[derive(Debug, Default)]
pub struct Handed {
    /// Each file with rows: its part, its name, and how many.
    pub files: Vec<(String, String, usize)>,
    pub written: usize,
    /// Samples that are in none of them, and why: they stand in a file of their own.
    pub left: BTreeMap<Reason, usize>,
    pub left_file: Option<String>,
    /// Of the rows that were written, read back from the files: how many the trainer learns from.
    pub learned: usize,
    /// Of these, how many stand at the end of a file where no batch holds them.
    pub unseen: usize,
    /// What is to be known of a file.
    pub notes: Vec<String>,
    /// The small files.
    pub beside: Vec<String>,
}

/// Why nothing was handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    #[error("nothing here that a language model learns from: no chats, no instructions, no questions and answers, no text")]
    NoRows,
    #[error("the folder {0} is not empty: files are written into a new or an empty one")]
    NotEmpty(String),
    #[error("nothing is written: {0} takes none of the rows ({1})")]
    Nothing(&'static str, String),
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for HandError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Writes the samples that are not excluded for a trainer into a folder: a file a part of the split (or `train`), what reads them, a configuration; what the trainer cannot take stands in a
/// file of its own with the reason. Then the files are read back and looked at once more.
///
/// # Errors
/// [`HandError`].
pub fn hand_over(
    dataset: &Dataset,
    target: &TrainerTarget,
    model: &ChatModel,
    folder: &Path,
    progress: &Progress,
) -> Result<Handed, HandError> {
    let rows = rows_of(dataset, target.trainer).ok_or(HandError::NoRows)?;
    if !io::entries_of(folder).is_empty() {
        return Err(HandError::NotEmpty(folder.display().to_string()));
    }
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    let names = PartNames::of(dataset, &ids, &|part| part_for(target.trainer, file_part(part)));
    progress.set_total(ids.len() as u64 * 2);
    let made: Vec<Vec<(SampleId, Result<TrainerRow, Reason>)>> = ids
        .par_chunks(256)
        .map(|part| {
            progress.step(part.len() as u64)?;
            Ok(part.iter().map(|id| (*id, written_row(dataset, &rows, target, model, *id))).collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut parts: BTreeMap<(bool, String), String> = BTreeMap::new();
    let mut counts: BTreeMap<(bool, String), usize> = BTreeMap::new();
    let (mut left, mut handed) = (String::new(), Handed::default());
    for (id, row) in made.into_iter().flatten() {
        match row {
            Ok(row) => {
                let mut part = names.part(dataset, id).to_owned();
                // A column that some rows have is null in the others, and Axolotl fails on it: those have a file of their own.
                if target.trainer == Trainer::Axolotl && row.contains_key("tools") {
                    part.push_str("_tools");
                }
                let key = (!part.starts_with("train"), part);
                let text = parts.entry(key.clone()).or_default();
                text.push_str(&Json::Object(row).to_string());
                text.push('\n');
                *counts.entry(key).or_default() += 1;
                handed.written += 1;
            }
            Err(reason) => {
                *handed.left.entry(reason).or_default() += 1;
                let line =
                    json!({ "sample": id.0, "reason": reason.name(), "why": reason.words(), "row": rows.row(dataset, id) });
                left.push_str(&line.to_string());
                left.push('\n');
            }
        }
    }
    if handed.written == 0 {
        let why: Vec<String> =
            handed.left.iter().map(|(reason, n)| format!("{}: {}", reason.words(), crate::data::count(*n))).collect();
        return Err(HandError::Nothing(target.trainer.entry().title, why.join("; ")));
    }
    // What is written is as it is written.
    let stands = TrainerTarget { as_written: false, ..target.clone() };
    let run = dry_run(dataset, &rows, &stands, model, &Progress::silent())?;
    for ((_, part), text) in &parts {
        let name = format!("{part}.jsonl");
        io::write_small(&folder.join(&name), text)?;
        handed.files.push((part.clone(), name, counts.get(&(!part.starts_with("train"), part.clone())).copied().unwrap_or(0)));
    }
    if !left.is_empty() {
        io::write_small(&folder.join(LEFT), &left)?;
        handed.left_file = Some(LEFT.to_owned());
    }
    let files: Vec<(String, String)> = handed.files.iter().map(|(part, name, _)| (part.clone(), name.clone())).collect();
    for file in small_files(target, rows.form, &files, &run, model) {
        io::write_small(&folder.join(&file.name), &file.text)?;
        handed.beside.push(file.name);
    }
    // The proof: what stands in the files, read as anybody would.
    for (_, name) in &files {
        let read = io::open(&folder.join(name), &Reading::default(), &Progress::silent(), &|_| {})?;
        let again = rows_of(&read, target.trainer).ok_or(HandError::NoRows)?;
        let run = dry_run(&read, &again, &stands, model, &Progress::silent())?;
        progress.step(run.rows() as u64)?;
        handed.learned += run.trained() + if run.is_failing() { 0 } else { run.unseen.len() };
        handed.unseen += run.unseen.len();
        handed.notes.extend(run.notes(target).into_iter().map(|note| format!("{name}: {note}")));
    }
    Ok(handed)
}

/// Where what is left out stands.
const LEFT: &str = "left_out.jsonl";
