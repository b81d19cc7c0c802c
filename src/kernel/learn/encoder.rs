//! A sentence encoder that the user chose: a sentence-transformers folder of the BERT family, run by candle on the processor.
//!
//! Better than the built-in embedding, and some hundred times slower. The files come as bytes: reading them is `io`'s.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};

use super::dense::{Dense, normalise};
use crate::job::{Cancelled, Progress};

/// The files of a sentence-transformers folder.
pub struct EncoderFiles {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `tokenizer.json`.
    pub tokenizer: Vec<u8>,
    /// `model.safetensors`.
    pub weights: Vec<u8>,
    /// `1_Pooling/config.json`, where there is one.
    pub pooling: Option<Vec<u8>>,
    /// `sentence_bert_config.json`, where there is one.
    pub limits: Option<Vec<u8>>,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// Its files are not what is needed.
    #[error(
        "this model cannot be used: {0}. It must be a sentence-transformers folder of the BERT family with config.json, tokenizer.json and model.safetensors"
    )]
    Model(String),
    /// Likewise, of a model that reads pictures.
    #[error(
        "this model cannot be used: {0}. It must be a CLIP or DINOv2 folder with config.json, preprocessor_config.json and model.safetensors"
    )]
    Vision(String),
    /// Stopped.
    #[error("stopped")]
    Cancelled,
}

impl From<Cancelled> for EncoderError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

fn model(error: impl std::fmt::Display) -> EncoderError {
    EncoderError::Model(error.to_string())
}

/// A loaded encoder.
pub struct Encoder {
    model: BertModel,
    tokenizer: Tokenizer,
    dims: usize,
    /// Whether the first token stands for the text, rather than the mean of all.
    first_token: bool,
}

/// Texts that go through the model together: of like length, so that little is padding.
const BATCH: usize = 32;
/// The most bytes of a batch, padding included: a batch must not keep a person waiting who wants to stop.
const MOST_BYTES: usize = 3_000;

impl Encoder {
    /// Loads a model.
    ///
    /// # Errors
    /// [`EncoderError::Model`]: says what is missing.
    pub fn new(files: &EncoderFiles) -> Result<Self, EncoderError> {
        let config: Config = serde_json::from_slice(&files.config).map_err(|error| model(format!("config.json: {error}")))?;
        let mut tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(|error| model(format!("tokenizer.json: {error}")))?;
        let json =
            |bytes: &Option<Vec<u8>>| bytes.as_ref().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok());
        let first_token = json(&files.pooling).is_some_and(|pooling| pooling["pooling_mode_cls_token"].as_bool() == Some(true));
        let longest = json(&files.limits).and_then(|limits| limits["max_seq_length"].as_u64()).unwrap_or(256) as usize;
        let truncation =
            TruncationParams { max_length: longest.min(config.max_position_embeddings), ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|error| model(format!("tokenizer.json: {error}")))?;
        tokenizer.with_padding(Some(PaddingParams::default()));
        let dims = config.hidden_size;
        let weights = VarBuilder::from_buffered_safetensors(files.weights.clone(), DType::F32, &Device::Cpu)
            .map_err(|error| model(format!("model.safetensors: {error}")))?;
        let model = BertModel::load(weights, &config).map_err(|error| model(format!("model.safetensors: {error}")))?;
        Ok(Self { model, tokenizer, dims, first_token })
    }

    /// How many numbers a text becomes.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Embeds texts: rows of length 1, in order.
    ///
    /// # Errors
    /// [`EncoderError`].
    pub fn embed_all(&self, texts: &[String], progress: &Progress) -> Result<Dense, EncoderError> {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|row| texts[*row].len());
        let mut dense = Dense::zeros(texts.len(), self.dims);
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let n = (1..=rest.len().min(BATCH))
                .take_while(|n| *n == 1 || n * texts[rest[n - 1]].len() <= MOST_BYTES)
                .last()
                .unwrap_or(1);
            let (batch, after) = rest.split_at(n);
            rest = after;
            let list: Vec<&str> = batch.iter().map(|row| texts[*row].as_str()).collect();
            let encodings = self.tokenizer.encode_batch(list, true).map_err(model)?;
            let ids: Vec<Vec<u32>> = encodings.iter().map(|encoding| encoding.get_ids().to_vec()).collect();
            let masks: Vec<Vec<u32>> = encodings.iter().map(|encoding| encoding.get_attention_mask().to_vec()).collect();
            let part = self.embed_ids(&ids, &masks)?;
            for (at, row) in batch.iter().enumerate() {
                dense.row_mut(*row).copy_from_slice(part.row(at));
                normalise(dense.row_mut(*row));
            }
            progress.step(batch.len() as u64)?;
        }
        Ok(dense)
    }

    /// Embeds one batch of token numbers of one length; `masks` is 1 for a token and 0 for padding. Not normalised.
    ///
    /// # Errors
    /// [`EncoderError::Model`].
    pub fn embed_ids(&self, ids: &[Vec<u32>], masks: &[Vec<u32>]) -> Result<Dense, EncoderError> {
        let run = || -> candle_core::Result<Vec<Vec<f32>>> {
            let rows = ids.len();
            let width = ids.first().map_or(0, Vec::len);
            let flat = |list: &[Vec<u32>]| list.iter().flatten().copied().collect::<Vec<u32>>();
            let input = Tensor::from_vec(flat(ids), (rows, width), &Device::Cpu)?;
            let mask = Tensor::from_vec(flat(masks), (rows, width), &Device::Cpu)?;
            let hidden = self.model.forward(&input, &input.zeros_like()?, Some(&mask))?;
            if self.first_token {
                return hidden.narrow(1, 0, 1)?.squeeze(1)?.to_vec2::<f32>();
            }
            let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
            let sums = hidden.broadcast_mul(&mask)?.sum(1)?;
            sums.broadcast_div(&mask.sum(1)?)?.to_vec2::<f32>()
        };
        let rows = run().map_err(model)?;
        Ok(Dense { dims: self.dims, data: rows.into_iter().flatten().collect() })
    }
}
