//! A fine-tuned encoder that was taken away, opened again to say something of other texts: a sentence-transformers folder with its head, or transformers' classifier.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::meaning::{MeaningError, open_encoder};
use crate::job::Progress;
use crate::learn::bert::TokenRows;
use crate::learn::encoder::{Encoder, EncoderError};
use crate::learn::heads::softmax;
use crate::learn::tensors::{Tensors, of_file};
use crate::learn::tune::{HeadTask, Pooling, Tuned};

/// An encoder and its head.
pub struct KeptModel {
    encoder: Encoder,
    tuned: Tuned,
    pooling: Pooling,
    normed: bool,
    /// What it tells apart.
    pub classes: Vec<String>,
}

/// Opens a folder that was kept.
///
/// # Errors
/// [`MeaningError`]: it is none, or one of several label columns, or an adapter.
pub fn open_kept(folder: &Path) -> Result<KeptModel, MeaningError> {
    let fault = |why: &str| MeaningError::Encoder(EncoderError::Model(why.to_owned()));
    let json = |name: &str| fs::read(folder.join(name)).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    if folder.join("adapter_config.json").exists() {
        return Err(fault("an adapter stands beside the encoder that was taught, and is read by PEFT"));
    }
    let labels = json("labels.json").ok_or_else(|| fault("labels.json does not name its classes"))?;
    let classes: Vec<String> = match labels.as_array() {
        Some(list) => list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        None => return Err(fault("it has heads of several columns, and one is read here")),
    };
    let encoder = open_encoder(folder)?;
    let file = |name: &str| fs::read(folder.join(name)).ok().and_then(|bytes| of_file(&bytes));
    let hidden = encoder.dims();
    let head = |tensors: &Tensors, names: [&str; 2]| -> Option<Vec<f32>> {
        let numbers = names.iter().map(|name| {
            let tensor = tensors.get(*name).filter(|tensor| tensor.kind == "F32")?;
            Some(tensor.bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
        });
        let numbers: Vec<Vec<f32>> = numbers.collect::<Option<_>>()?;
        let numbers = numbers.concat();
        (numbers.len() == classes.len() * (hidden + 1)).then_some(numbers)
    };
    let modules: Vec<String> = json("modules.json")
        .and_then(|modules| Some(modules.as_array()?.iter().filter_map(|one| Some(one["path"].as_str()?.to_owned())).collect()))
        .unwrap_or_default();
    let ends = |end: &str| modules.iter().find(|path| path.ends_with(end));
    let (found, pooling) = match ends("_Dense") {
        Some(dense) => {
            let found =
                file(&format!("{dense}/model.safetensors")).and_then(|file| head(&file, ["linear.weight", "linear.bias"]));
            (found, encoder.to_teach().2)
        }
        None => {
            let found = file("model.safetensors").and_then(|file| head(&file, ["classifier.weight", "classifier.bias"]));
            (found, Some(Pooling::Pooler))
        }
    };
    let (Some(head), Some(pooling)) = (found, pooling) else {
        return Err(fault("it has no head as `--keep` writes one, for as many classes as labels.json names"));
    };
    let normed = ends("_Normalize").is_some();
    let tuned = Tuned::new(encoder.to_teach().1.to_vec(), head, vec![HeadTask::plain(classes.len())]);
    Ok(KeptModel { encoder, tuned, pooling, normed, classes })
}

impl KeptModel {
    /// What it says of texts: probabilities, class by class.
    ///
    /// # Errors
    /// [`MeaningError`].
    pub fn say(&self, texts: &[String], progress: &Progress) -> Result<Vec<f64>, MeaningError> {
        use rayon::prelude::*;
        let tokens = self.encoder.tokens(texts, progress)?;
        let layout = self.encoder.to_teach().0;
        progress.set_total(tokens.len() as u64);
        let parts: Vec<Vec<f64>> = tokens
            .par_chunks(32)
            .map(|part| {
                progress.step(part.len() as u64)?;
                let rows = TokenRows::of(part.iter().map(Vec::as_slice));
                let logits = self.tuned.logits(layout, &rows, (self.pooling, self.normed));
                let mut out: Vec<f64> = logits.into_iter().map(f64::from).collect();
                out.chunks_mut(self.classes.len().max(1)).for_each(|row| {
                    softmax(row);
                });
                Ok(out)
            })
            .collect::<Result<_, MeaningError>>()?;
        Ok(parts.concat())
    }
}
