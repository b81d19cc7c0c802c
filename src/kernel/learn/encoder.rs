//! A sentence encoder that the user chose: a sentence-transformers folder of the BERT family (BERT, `RoBERTa`, `XLM-R`, `DistilBERT`, `MiniLM`, `MPNet`), run on the processor.
//!
//! Better than the built-in embedding, and some hundred times slower. The files come as bytes: reading them is `io`'s.

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device};
use rayon::prelude::*;
use serde_json::Value;
use tokenizers::{Tokenizer, TruncationParams};

use super::bert::{Activation, BertLayout, BertShape, TokenRows};
use super::dense::{Dense, normalise};
use super::tensors::{self, TensorBytes};
use super::tune::Pooling;
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

/// What of a text's tokens stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pooled {
    Mean,
    First,
    Most,
}

/// Families of one architecture under different names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Bert,
    Roberta,
    DistilBert,
    MpNet,
}

/// A loaded encoder.
pub struct Encoder {
    layout: BertLayout,
    params: Vec<f32>,
    tokenizer: Tokenizer,
    pooled: Pooled,
    family: Family,
    /// As `config.json` calls it.
    kind: String,
    /// What stands before the names of its numbers in its file.
    prefix: String,
}

/// The most tokens that go through the model at once: more do not fit the processor's caches, and keep a person waiting who wants to stop.
const TOKENS: usize = 1_024;
/// More layers than this no encoder has.
const MOST_LAYERS: usize = 512;

impl Encoder {
    /// Loads a model.
    ///
    /// # Errors
    /// [`EncoderError::Model`]: says what is missing.
    pub fn new(files: &EncoderFiles) -> Result<Self, EncoderError> {
        let config: Value = serde_json::from_slice(&files.config).map_err(|error| model(format!("config.json: {error}")))?;
        let family = family_of(&config)?;
        let file = SliceSafetensors::new(&files.weights).map_err(|error| model(format!("model.safetensors: {error}")))?;
        let prefix = prefix_of(&file)?;
        let has_pooler = file.tensors().iter().any(|(name, _)| *name == format!("{prefix}pooler.dense.bias"));
        let layout = BertLayout::new(BertShape { pooler: has_pooler, ..shape_of(&config, family)? });
        // Half precision takes two bytes a number: nothing is allocated for more than there is.
        if layout.size > files.weights.len() / 2 {
            return Err(model("model.safetensors holds fewer numbers than config.json says"));
        }
        let params = params_of(&layout, family, &file, &prefix)?;
        let mut tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(|error| model(format!("tokenizer.json: {error}")))?;
        let json = |bytes: &Option<Vec<u8>>| bytes.as_ref().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
        let longest = json(&files.limits).and_then(|limits| limits["max_seq_length"].as_u64()).unwrap_or(256) as usize;
        let room = layout.shape.positions.saturating_sub(layout.shape.first_position).max(1);
        if longest.min(room) < 3 {
            return Err(model(format!("it reads {} tokens of a text: too few for any", longest.min(room))));
        }
        let truncation = TruncationParams { max_length: longest.min(room), ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|error| model(format!("tokenizer.json: {error}")))?;
        tokenizer.with_padding(None);
        let pooled = pooled_of(json(&files.pooling).as_ref())?;
        let kind = config["model_type"].as_str().unwrap_or("bert").to_owned();
        Ok(Self { layout, params, tokenizer, pooled, family, kind, prefix })
    }

    /// How many numbers a text becomes.
    pub fn dims(&self) -> usize {
        self.layout.shape.hidden
    }

    /// How many tokens of a text it reads at most.
    pub fn longest(&self) -> usize {
        self.tokenizer.get_truncation().map_or(usize::MAX, |cut| cut.max_length)
    }

    /// Embeds texts: rows of length 1, in order. The same whatever the number of threads.
    ///
    /// # Errors
    /// [`EncoderError`].
    pub fn embed_all(&self, texts: &[String], progress: &Progress) -> Result<Dense, EncoderError> {
        let tokens = self.tokens(texts, progress)?;
        let mut batches: Vec<std::ops::Range<usize>> = Vec::new();
        let mut held = 0;
        for (row, list) in tokens.iter().enumerate() {
            match batches.last_mut() {
                Some(batch) if held + list.len() <= TOKENS => {
                    batch.end = row + 1;
                    held += list.len();
                }
                _ => {
                    batches.push(row..row + 1);
                    held = list.len();
                }
            }
        }
        let parts: Vec<Dense> = batches
            .into_par_iter()
            .map(|batch| {
                progress.check()?;
                let mut part = self.embed_ids(&tokens[batch.clone()]);
                (0..batch.len()).for_each(|row| normalise(part.row_mut(row)));
                progress.step(batch.len() as u64)?;
                Ok(part)
            })
            .collect::<Result<_, EncoderError>>()?;
        Ok(Dense { dims: self.dims(), data: parts.into_iter().flat_map(|part| part.data).collect() })
    }

    /// The tokens of texts, cut where the folder says that they are too long.
    ///
    /// # Errors
    /// [`EncoderError`].
    pub fn tokens(&self, texts: &[String], progress: &Progress) -> Result<Vec<Vec<u32>>, EncoderError> {
        let ids = |text: &String| -> Result<Vec<u32>, EncoderError> {
            progress.check()?;
            Ok(self.tokenizer.encode_fast(text.as_str(), true).map_err(model)?.get_ids().to_vec())
        };
        let tokens: Vec<Vec<u32>> = texts.par_iter().map(ids).collect::<Result<_, _>>()?;
        let words = self.layout.shape.words as u32;
        if let Some(strange) = tokens.iter().flatten().find(|id| **id >= words) {
            return Err(model(format!(
                "tokenizer.json knows the token {strange}, and the model has {words} words: they do not belong together"
            )));
        }
        Ok(tokens)
    }

    /// Its layout and its numbers, to be taught; what of a text's tokens stands for it, where that can be taught.
    pub fn to_teach(&self) -> (&BertLayout, &[f32], Option<Pooling>) {
        let pooling = match self.pooled {
            Pooled::Mean => Some(Pooling::Mean),
            Pooled::First => Some(Pooling::First),
            Pooled::Most => None,
        };
        (&self.layout, &self.params, pooling)
    }

    /// What its file and transformers call a map or a number of it, without what stands before.
    pub fn name_of(&self, name: &str) -> String {
        called(name, self.family)
    }

    /// Whether transformers' classifier of its family is a linear map on the pooler, and nothing else.
    pub fn has_plain_classifier(&self) -> bool {
        self.family == Family::Bert
    }

    /// The class of transformers that classifies with it.
    pub fn classifier(&self) -> &'static str {
        match self.family {
            Family::Bert => "BertForSequenceClassification",
            Family::Roberta => match self.kind.as_str() {
                "xlm-roberta" => "XLMRobertaForSequenceClassification",
                "camembert" => "CamembertForSequenceClassification",
                _ => "RobertaForSequenceClassification",
            },
            Family::DistilBert => "DistilBertForSequenceClassification",
            Family::MpNet => "MPNetForSequenceClassification",
        }
    }

    /// What that class calls a number of the encoder; `classifier` is the map to classes.
    pub fn name_in_classifier(&self, name: &str) -> String {
        let plain = self.has_plain_classifier();
        let before = match self.family {
            Family::Bert => "bert",
            Family::Roberta => "roberta",
            Family::DistilBert => "distilbert",
            Family::MpNet => "mpnet",
        };
        match name.strip_prefix("pooler.dense.") {
            Some(rest) if !plain => format!("classifier.dense.{rest}"),
            _ if name == "classifier" => (if plain { "classifier" } else { "classifier.out_proj" }).to_owned(),
            _ => format!("{before}.{}", called(name, self.family)),
        }
    }

    /// Its file of weights with other numbers in the place of its own; what it holds besides (a pooler) stays as it is.
    ///
    /// # Errors
    /// [`EncoderError`]: the file is not the one that it was loaded from.
    pub fn file_with(&self, weights: &[u8], params: &[f32]) -> Result<Vec<u8>, EncoderError> {
        let mut tensors = tensors::of_file(weights).ok_or_else(|| model("model.safetensors cannot be read"))?;
        for (name, place) in &self.layout.names {
            let wanted = format!("{}{}", self.prefix, called(name, self.family));
            let early = wanted.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
            let name = if tensors.contains_key(&wanted) { wanted } else { early };
            let tensor = tensors.get_mut(&name).ok_or_else(|| model(format!("model.safetensors has no {name}")))?;
            let own = &params[place.at..place.at + place.rows * place.columns];
            *tensor = TensorBytes::of(std::mem::take(&mut tensor.shape), own);
        }
        Ok(tensors::to_file(&tensors))
    }

    /// Embeds lists of tokens that the model knows. Not normalised; a list of nothing becomes zeros.
    pub fn embed_ids(&self, tokens: &[Vec<u32>]) -> Dense {
        let dims = self.dims();
        let rows = TokenRows::of(tokens.iter().map(Vec::as_slice));
        let said = self.layout.said(&self.params, &rows);
        let mut dense = Dense::zeros(tokens.len(), dims);
        for (row, range) in rows.starts.windows(2).enumerate() {
            let own = said[range[0] * dims..range[1] * dims].chunks(dims);
            let out = dense.row_mut(row);
            match self.pooled {
                Pooled::First => out.iter_mut().zip(own.take(1).flatten()).for_each(|(out, x)| *out = *x),
                Pooled::Mean => {
                    let n = (range[1] - range[0]).max(1) as f32;
                    own.for_each(|token| out.iter_mut().zip(token).for_each(|(out, x)| *out += x));
                    out.iter_mut().for_each(|out| *out /= n);
                }
                Pooled::Most if range[0] < range[1] => {
                    out.fill(f32::NEG_INFINITY);
                    own.for_each(|token| out.iter_mut().zip(token).for_each(|(out, x)| *out = out.max(*x)));
                }
                Pooled::Most => {}
            }
        }
        dense
    }
}

fn family_of(config: &Value) -> Result<Family, EncoderError> {
    match config["model_type"].as_str().unwrap_or("bert") {
        "bert" => Ok(Family::Bert),
        "roberta" | "xlm-roberta" | "camembert" => Ok(Family::Roberta),
        "distilbert" => Ok(Family::DistilBert),
        "mpnet" => Ok(Family::MpNet),
        other => Err(model(format!(
            "config.json says that it is a {other:?}, which is none of bert, roberta, xlm-roberta, camembert, distilbert, mpnet"
        ))),
    }
}

fn shape_of(config: &Value, family: Family) -> Result<BertShape, EncoderError> {
    let number = |name: &str| -> Result<usize, EncoderError> {
        let found = config[name].as_u64().filter(|n| (1..=1 << 24).contains(n));
        found.map(|n| n as usize).ok_or_else(|| model(format!("config.json does not say {name:?}")))
    };
    let distil = family == Family::DistilBert;
    let either = |usual: &str, distilled: &str| number(if distil { distilled } else { usual });
    let activation = config[if distil { "activation" } else { "hidden_act" }].as_str().unwrap_or("gelu");
    let activation = match activation {
        "gelu" => Activation::Gelu,
        "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
        "relu" => Activation::Relu,
        other => return Err(model(format!("its activation {other:?} is none of gelu, gelu_new, relu"))),
    };
    let shape = BertShape {
        layers: either("num_hidden_layers", "n_layers")?,
        hidden: either("hidden_size", "dim")?,
        heads: either("num_attention_heads", "n_heads")?,
        inner: either("intermediate_size", "hidden_dim")?,
        words: number("vocab_size")?,
        positions: number("max_position_embeddings")?,
        kinds: if matches!(family, Family::Bert | Family::Roberta) { number("type_vocab_size")? } else { 0 },
        #[allow(clippy::cast_possible_truncation)]
        epsilon: config["layer_norm_eps"].as_f64().unwrap_or(1e-12) as f32,
        first_position: match family {
            Family::Roberta | Family::MpNet => config["pad_token_id"].as_u64().unwrap_or(1) as usize + 1,
            _ => 0,
        },
        distances: if family == Family::MpNet {
            config["relative_attention_num_buckets"].as_u64().unwrap_or(32) as usize
        } else {
            0
        },
        activation,
        pooler: false,
    };
    if shape.layers > MOST_LAYERS {
        return Err(model(format!("config.json says {} layers", shape.layers)));
    }
    let absolute = config["position_embedding_type"].as_str().is_none_or(|kind| kind == "absolute");
    if !shape.hidden.is_multiple_of(shape.heads) || !absolute {
        return Err(model("its heads do not share its width evenly, or it places tokens in a way that is not known here"));
    }
    Ok(shape)
}

/// What a family calls a parameter.
fn called(name: &str, family: Family) -> String {
    match family {
        Family::Bert | Family::Roberta => name.to_owned(),
        Family::DistilBert => name
            .replace("encoder.layer.", "transformer.layer.")
            .replace("attention.self.query", "attention.q_lin")
            .replace("attention.self.key", "attention.k_lin")
            .replace("attention.self.value", "attention.v_lin")
            .replace("attention.output.dense", "attention.out_lin")
            .replace("attention.output.LayerNorm", "sa_layer_norm")
            .replace("intermediate.dense", "ffn.lin1")
            .replace("output.dense", "ffn.lin2")
            .replace("output.LayerNorm", "output_layer_norm"),
        Family::MpNet => name
            .replace("attention.self.query", "attention.attn.q")
            .replace("attention.self.key", "attention.attn.k")
            .replace("attention.self.value", "attention.attn.v")
            .replace("attention.output.dense", "attention.attn.o")
            .replace("attention.output.LayerNorm", "attention.LayerNorm"),
    }
}

/// What stands before the names of a file: a model with a head has its encoder below a name of its own.
fn prefix_of(file: &SliceSafetensors<'_>) -> Result<String, EncoderError> {
    let tables =
        file.tensors().into_iter().map(|(name, _)| name).filter(|name| name.ends_with("embeddings.word_embeddings.weight"));
    let table = tables.min_by_key(String::len).ok_or_else(|| model("model.safetensors has no table of words"))?;
    Ok(table.trim_end_matches("embeddings.word_embeddings.weight").to_owned())
}

/// The numbers of a file in their places.
fn params_of(layout: &BertLayout, family: Family, file: &SliceSafetensors<'_>, prefix: &str) -> Result<Vec<f32>, EncoderError> {
    let fault = |error: candle_core::Error| model(format!("model.safetensors: {error}"));
    let mut params = vec![0.0; layout.size];
    for (name, place) in &layout.names {
        let wanted = format!("{prefix}{}", called(name, family));
        // Early files call what a norm multiplies by and adds so.
        let early = wanted.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        let found = file.load(&wanted, &Device::Cpu).or_else(|error| file.load(&early, &Device::Cpu).map_err(|_| error));
        let tensor = found.map_err(|_| model(format!("model.safetensors has no {wanted}")))?;
        let numbers = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>()).map_err(fault)?;
        if numbers.len() != place.rows * place.columns {
            return Err(model(format!(
                "model.safetensors: {wanted} has {} numbers, and config.json says {}",
                numbers.len(),
                place.rows * place.columns
            )));
        }
        params[place.at..place.at + numbers.len()].copy_from_slice(&numbers);
    }
    Ok(params)
}

fn pooled_of(pooling: Option<&Value>) -> Result<Pooled, EncoderError> {
    let Some(pooling) = pooling else { return Ok(Pooled::Mean) };
    let on: Vec<&str> = ["mean_tokens", "cls_token", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
        .into_iter()
        .filter(|mode| pooling[format!("pooling_mode_{mode}")].as_bool() == Some(true))
        .collect();
    match on.as_slice() {
        // Its square root of the length goes where rows are of length 1.
        [] | ["mean_tokens" | "mean_sqrt_len_tokens"] => Ok(Pooled::Mean),
        ["cls_token"] => Ok(Pooled::First),
        ["max_tokens"] => Ok(Pooled::Most),
        other => Err(model(format!("1_Pooling/config.json pools by {}, which is not known here", other.join(" and ")))),
    }
}
