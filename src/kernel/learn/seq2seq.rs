//! A text model that the user chose: a T5 or Marian folder, run by candle on the processor. The files come read: reading them is `io`'s.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use candle_nn::{Activation, VarBuilder};
use candle_transformers::models::{marian, t5};
use serde_json::Value;
use tokenizers::Tokenizer;

use super::sentencepiece::{SentencePiece, joined};
use crate::chance::Chance;
use crate::job::{Cancelled, Progress};

/// The files of a folder.
pub struct Seq2SeqFiles {
    /// `config.json`.
    pub config: Vec<u8>,
    /// The weights, of `model.safetensors` or `pytorch_model.bin`.
    pub weights: HashMap<String, Tensor>,
    /// `tokenizer.json`, where there is one.
    pub tokenizer: Option<Vec<u8>>,
    /// `spiece.model`, or of Marian `source.spm` and `vocab.json`.
    pub pieces: Option<Vec<u8>>,
    pub vocabulary: Option<Vec<u8>>,
}

/// Why a folder cannot be used, or has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Seq2SeqError {
    /// Its files are not what is needed.
    #[error(
        "this model cannot be used: {0}. It must be a T5 or Marian folder with config.json, model.safetensors or pytorch_model.bin, and its tokenizer"
    )]
    Model(String),
    /// Stopped.
    #[error("stopped")]
    Cancelled,
}

impl From<Cancelled> for Seq2SeqError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

fn model(error: impl std::fmt::Display) -> Seq2SeqError {
    Seq2SeqError::Model(error.to_string())
}

enum Net {
    T5(Box<T5>),
    Marian(Box<marian::MTModel>),
}

/// A T5 as the papers have it (Raffel et al. 2020; without scaling, version 1.1). candle's differs in two things that are put right here:
/// its decoder counts distances as its encoder does, both ways, and it multiplies what is tied by the scale that it should divide by.
struct T5 {
    encoder: t5::T5EncoderModel,
    decoder: t5::T5ForConditionalGeneration,
    /// What the decoder's output is multiplied by before words are compared.
    scale: f32,
}

impl T5 {
    fn new(config: Value, mut weights: HashMap<String, Tensor>) -> Result<Self, Seq2SeqError> {
        let tied = config["tie_word_embeddings"].as_bool() != Some(false);
        // Since transformers 5 all are said to be tied, and this says who is scaled.
        let scaled = config["scale_decoder_outputs"].as_bool().unwrap_or(tied);
        let mut config: t5::Config = serde_json::from_value(config).map_err(bad_config)?;
        if !config.is_encoder_decoder || config.num_heads == 0 || config.relative_attention_num_buckets < 4 {
            return Err(model("config.json is not that of a model that writes"));
        }
        let form = &config.feed_forward_proj;
        if !form.gated && form.activation != Activation::Relu {
            return Err(model("its feed-forward layers are neither gated nor of kind relu, which is not supported"));
        }
        within(&[
            config.num_layers,
            config.num_decoder_layers.unwrap_or(0),
            config.num_heads,
            config.relative_attention_num_buckets,
        ])?;
        alias(&mut weights, "shared.weight", &["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]);
        alias(&mut weights, "lm_head.weight", &["shared.weight"]);
        let scale = if scaled { 1.0 / (config.d_model as f32).sqrt() } else { 1.0 };
        let of = |weights: &HashMap<String, Tensor>| VarBuilder::from_tensors(weights.clone(), DType::F32, &Device::Cpu);
        (config.tie_word_embeddings, config.is_decoder, config.use_cache) = (false, false, false);
        let encoder = t5::T5EncoderModel::load(of(&weights), &config).map_err(bad_weights)?;
        // Of twice as many buckets the half that looks back is all of the decoder's own, and nothing looks ahead.
        let buckets = config.relative_attention_num_buckets;
        for side in ["encoder", "decoder"] {
            let name = format!("{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
            let table = weights.get(&name).ok_or_else(|| model(format!("its weights: {name} is missing")))?;
            let wide = table.pad_with_zeros(0, 0, buckets).map_err(bad_weights)?;
            weights.insert(name, wide);
        }
        config.relative_attention_num_buckets = buckets * 2;
        config.use_cache = true;
        let decoder = t5::T5ForConditionalGeneration::load(of(&weights), &config).map_err(bad_weights)?;
        Ok(Self { encoder, decoder, scale })
    }
}

fn bad_config(error: serde_json::Error) -> Seq2SeqError {
    model(format!("config.json: {error}"))
}

fn bad_weights(error: candle_core::Error) -> Seq2SeqError {
    model(format!("its weights: {error}"))
}

/// Counts of layers and the like, which candle makes room for before it looks at the weights.
fn within(counts: &[usize]) -> Result<(), Seq2SeqError> {
    match counts.iter().find(|count| **count > 1_024) {
        Some(count) => Err(model(format!("config.json counts {count} of what no model has so many of"))),
        None => Ok(()),
    }
}

enum Cutter {
    /// `tokenizer.json`, which puts the end mark itself.
    Whole(Box<Tokenizer>),
    /// T5's pieces, whose numbers are the model's.
    Pieces(Box<SentencePiece>),
    /// Marian's: pieces by their names in a vocabulary.
    Vocabulary { pieces: Box<SentencePiece>, numbers: HashMap<String, u32>, names: Vec<String>, unknown: u32 },
}

/// A loaded model.
pub struct Seq2Seq {
    pen: Pen,
    cutter: Cutter,
    /// The most tokens of a text.
    longest: usize,
}

/// What writes, token by token.
struct Pen {
    net: Net,
    start: u32,
    end: u32,
    /// Never written.
    pad: u32,
}

/// Of words that may come next, those that hold this much of the probability are drawn from (Holtzman et al. 2020).
const TOP_P: f32 = 0.95;
/// The most bytes of weights in memory.
const MOST_BYTES: usize = 6 << 30;
/// Tokens of a text beyond which T5, which knows no bound, is not asked.
const LONGEST: usize = 512;

impl Seq2Seq {
    /// Loads a model.
    ///
    /// # Errors
    /// [`Seq2SeqError::Model`]: says what is missing.
    pub fn new(mut files: Seq2SeqFiles) -> Result<Self, Seq2SeqError> {
        let mut config: Value = serde_json::from_slice(&files.config).map_err(|error| model(format!("config.json: {error}")))?;
        let number = |config: &Value, name: &str| config[name].as_u64().map(|number| number as u32);
        let kind = config["model_type"].as_str().unwrap_or_default().to_owned();
        // Half as wide on disk, they are not worked with so.
        let bytes: usize = files.weights.values().map(|tensor| tensor.elem_count() * 4).sum();
        if bytes > MOST_BYTES {
            return Err(model(format!("its weights take {} GB, too much for a processor", bytes >> 30)));
        }
        for tensor in files.weights.values_mut() {
            *tensor = tensor.to_dtype(DType::F32).map_err(bad_weights)?;
        }
        let need = |name: &str| model(format!("{name} is missing"));
        let pad = number(&config, "pad_token_id").unwrap_or(0);
        let start = number(&config, "decoder_start_token_id").unwrap_or(pad);
        let end = number(&config, "eos_token_id").ok_or_else(|| model("config.json names no eos_token_id"))?;
        let (net, cutter, longest) = match kind.as_str() {
            "t5" | "mt5" => {
                let net = T5::new(config, files.weights)?;
                let cutter = match (files.tokenizer, files.pieces) {
                    (Some(bytes), _) => {
                        let read: Value =
                            serde_json::from_slice(&bytes).map_err(|error| model(format!("tokenizer.json: {error}")))?;
                        let pieces = read["model"]["vocab"].as_array().into_iter().flatten();
                        if pieces.filter_map(|piece| piece[0].as_str()).any(|piece| piece.len() > 1_024) {
                            return Err(model("tokenizer.json: it has a piece longer than any word"));
                        }
                        let mut tokenizer =
                            Tokenizer::from_bytes(bytes).map_err(|error| model(format!("tokenizer.json: {error}")))?;
                        tokenizer.with_padding(None);
                        tokenizer.with_truncation(None).map_err(|error| model(format!("tokenizer.json: {error}")))?;
                        Cutter::Whole(Box::new(tokenizer))
                    }
                    (None, Some(bytes)) => Cutter::Pieces(Box::new(
                        SentencePiece::parse(&bytes).map_err(|error| model(format!("spiece.model: {error}")))?,
                    )),
                    (None, None) => return Err(need("tokenizer.json or spiece.model")),
                };
                (Net::T5(Box::new(net)), cutter, LONGEST)
            }
            "marian" => {
                // Older folders leave out what was always so.
                let fields = config.as_object_mut().ok_or_else(|| model("config.json holds no fields"))?;
                for (name, usual) in [
                    ("use_cache", Value::Bool(true)),
                    ("is_encoder_decoder", Value::Bool(true)),
                    ("share_encoder_decoder_embeddings", Value::Bool(true)),
                    ("max_position_embeddings", Value::from(512)),
                    ("forced_eos_token_id", Value::from(end)),
                    ("decoder_start_token_id", Value::from(pad)),
                ] {
                    let field = fields.entry(name).or_insert(Value::Null);
                    if field.is_null() {
                        *field = usual;
                    }
                }
                let config: marian::Config = serde_json::from_value(config).map_err(bad_config)?;
                let heads = (config.encoder_attention_heads, config.decoder_attention_heads);
                if heads.0 == 0 || heads.1 == 0 || !config.share_encoder_decoder_embeddings {
                    return Err(model("its two languages have embeddings of their own, which is not supported"));
                }
                // A row a position is worked out before the weights are looked at.
                let ahead = config.max_position_embeddings.saturating_mul(config.d_model) >> 16;
                within(&[config.encoder_layers, config.decoder_layers, heads.0, heads.1, ahead])?;
                let names = ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"];
                alias(&mut files.weights, "model.shared.weight", &names);
                let longest = config.max_position_embeddings;
                let weights = VarBuilder::from_tensors(files.weights, DType::F32, &Device::Cpu);
                let net = marian::MTModel::new(&config, weights).map_err(bad_weights)?;
                let pieces = files.pieces.ok_or_else(|| need("source.spm"))?;
                let pieces = SentencePiece::parse(&pieces).map_err(|error| model(format!("source.spm: {error}")))?;
                let vocabulary = files.vocabulary.ok_or_else(|| need("vocab.json"))?;
                let numbers: HashMap<String, u32> =
                    serde_json::from_slice(&vocabulary).map_err(|error| model(format!("vocab.json: {error}")))?;
                let mut names = vec![String::new(); config.vocab_size];
                for (name, number) in &numbers {
                    let place = names.get_mut(*number as usize);
                    place.ok_or_else(|| model("vocab.json names more than the model has"))?.clone_from(name);
                }
                let unknown = *numbers.get("<unk>").ok_or_else(|| model("vocab.json names no <unk>"))?;
                (Net::Marian(Box::new(net)), Cutter::Vocabulary { pieces: Box::new(pieces), numbers, names, unknown }, longest)
            }
            other => return Err(model(format!("its kind, {other:?}, is neither T5 nor Marian"))),
        };
        Ok(Self { pen: Pen { net, start, end, pad }, cutter, longest })
    }

    /// What the model writes for a text after `prefix`; empty where the text is too long for it, or its answer does not end. Words are
    /// drawn at the temperature `heat`; at 0 the likeliest is taken each time. `partial` is told what there is so far.
    ///
    /// # Errors
    /// [`Seq2SeqError`].
    pub fn write(
        &mut self,
        prefix: &str,
        text: &str,
        heat: f32,
        seed: u64,
        partial: &dyn Fn(&str),
        progress: &Progress,
    ) -> Result<String, Seq2SeqError> {
        let ids = self.encode(prefix, text)?;
        let most = (ids.len() * 2 + 32).min(self.longest);
        if ids.len() > self.longest || ids.len() <= 1 {
            return Ok(String::new());
        }
        let cutter = &self.cutter;
        let (written, ended) = self.pen.write(&ids, most, (heat, seed), |ids| partial(&cutter.text(ids)), |_| {}, progress)?;
        Ok(if ended { cutter.text(&written) } else { String::new() })
    }

    /// The tokens that the model writes for tokens, the likeliest each time, at most `most` of them, and the probability of each.
    ///
    /// # Errors
    /// [`Seq2SeqError`].
    pub fn likeliest(&mut self, ids: &[u32], most: usize) -> Result<Vec<(u32, f32)>, Seq2SeqError> {
        let mut probabilities = Vec::new();
        let see = |logits: &[f32]| {
            let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            probabilities.push(1.0 / logits.iter().map(|value| libm::expf(value - top)).sum::<f32>());
        };
        let (written, _) = self.pen.write(ids, most, (0.0, 0), |_| {}, see, &Progress::silent())?;
        Ok(written.into_iter().zip(probabilities).collect())
    }

    /// The numbers of a text's tokens, the end mark behind them.
    ///
    /// # Errors
    /// [`Seq2SeqError::Model`].
    pub fn encode(&self, prefix: &str, text: &str) -> Result<Vec<u32>, Seq2SeqError> {
        let whole = || format!("{prefix}{text}");
        Ok(match &self.cutter {
            Cutter::Whole(tokenizer) => {
                let mut ids = tokenizer.encode(whole(), true).map_err(model)?.get_ids().to_vec();
                if ids.last() != Some(&self.pen.end) {
                    ids.push(self.pen.end);
                }
                ids
            }
            Cutter::Pieces(pieces) => {
                pieces.encode(&whole()).into_iter().map(|piece| piece as u32).chain([self.pen.end]).collect()
            }
            Cutter::Vocabulary { pieces, numbers, unknown, .. } => {
                // What a model of several languages is told stands before the text, as one token: `>>fra<<`.
                let told = numbers.get(prefix.trim()).copied().filter(|_| !prefix.trim().is_empty());
                let of = |piece: usize| numbers.get(pieces.piece(piece)).copied().unwrap_or(*unknown);
                let text = if told.is_some() { text.to_owned() } else { whole() };
                told.into_iter().chain(pieces.encode(&text).into_iter().map(of)).chain([self.pen.end]).collect()
            }
        })
    }
}

impl Pen {
    /// What is written for tokens, at most `most` of them, and whether it has ended. `see` is shown the scores of all that may come next.
    fn write(
        &mut self,
        ids: &[u32],
        most: usize,
        (heat, seed): (f32, u64),
        partial: impl Fn(&[u32]),
        mut see: impl FnMut(&[f32]),
        progress: &Progress,
    ) -> Result<(Vec<u32>, bool), Seq2SeqError> {
        let mut chance = Chance::new(seed);
        let bad = |error: candle_core::Error| model(format!("it cannot be run: {error}"));
        let input = Tensor::new(ids, &Device::Cpu).and_then(|ids| ids.unsqueeze(0)).map_err(bad)?;
        let hidden = match &mut self.net {
            Net::T5(net) => {
                net.decoder.clear_kv_cache();
                net.encoder.forward(&input)
            }
            Net::Marian(net) => {
                net.reset_kv_cache();
                net.encoder().forward(&input, 0)
            }
        }
        .map_err(bad)?;
        let (mut written, mut last) = (Vec::new(), self.start);
        for at in 0..most {
            progress.check()?;
            let token = Tensor::new(&[last], &Device::Cpu).and_then(|ids| ids.unsqueeze(0)).map_err(bad)?;
            let logits = match &mut self.net {
                Net::T5(net) => net.decoder.decode(&token, &hidden).and_then(|logits| logits * f64::from(net.scale)),
                Net::Marian(net) => net.decode(&token, &hidden, at),
            };
            let mut logits: Vec<f32> =
                logits.and_then(|logits| logits.flatten_all()?.to_dtype(DType::F32)?.to_vec1()).map_err(bad)?;
            if let Some(pad) = logits.get_mut(self.pad as usize).filter(|_| self.pad != self.end) {
                *pad = f32::NEG_INFINITY;
            }
            see(&logits);
            last = chosen(&logits, heat, &mut chance).ok_or_else(|| model("its weights hold no numbers"))?;
            if last == self.end {
                return Ok((written, true));
            }
            written.push(last);
            partial(&written);
        }
        Ok((written, false))
    }
}

impl Cutter {
    /// The text of tokens.
    fn text(&self, ids: &[u32]) -> String {
        match self {
            Self::Whole(tokenizer) => tokenizer.decode(ids, true).unwrap_or_default().trim().to_owned(),
            Self::Pieces(pieces) => {
                joined(ids.iter().filter(|id| **id as usize != pieces.unknown()).map(|id| pieces.piece(*id as usize)))
            }
            Self::Vocabulary { names, unknown, .. } => {
                joined(ids.iter().filter(|id| *id != unknown).map(|id| names.get(*id as usize).map_or("", String::as_str)))
            }
        }
    }
}

/// A tensor that is shared stands under one of its names only, and which one differs.
fn alias(weights: &mut HashMap<String, Tensor>, wanted: &str, others: &[&str]) {
    if !weights.contains_key(wanted)
        && let Some(tensor) = others.iter().find_map(|name| weights.get(*name)).cloned()
    {
        weights.insert(wanted.to_owned(), tensor);
    }
}

/// The next token; `None` where no number can be compared.
fn chosen(logits: &[f32], heat: f32, chance: &mut Chance) -> Option<u32> {
    let finite = || logits.iter().enumerate().filter(|(_, value)| value.is_finite());
    let (best, most) = finite().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))?;
    if heat <= 0.0 {
        return Some(best as u32);
    }
    let mut list: Vec<(usize, f32)> = finite().map(|(at, value)| (at, libm::expf((value - most) / heat))).collect();
    let total: f32 = list.iter().map(|(_, weight)| weight).sum();
    let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    // A few words nearly always hold that much: the others are put in order only where they do not.
    let mut sorted = 0;
    let (mut n, mut within) = (0, 0.0);
    while n < list.len() && within < total * TOP_P {
        if n == sorted {
            sorted = (sorted * 8).max(256).min(list.len());
            if sorted < list.len() {
                list[n..].select_nth_unstable_by(sorted - n, order);
            }
            list[n..sorted].sort_unstable_by(order);
        }
        within += list[n].1;
        n += 1;
    }
    list.truncate(n);
    let mut left = chance.part() as f32 * list.iter().map(|(_, weight)| weight).sum::<f32>();
    let drawn = list.iter().find(|(_, weight)| {
        left -= weight;
        left < 0.0
    });
    drawn.or(list.first()).map(|(at, _)| *at as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_is_taken_cold_and_others_warm() {
        let logits = [0.0, 3.0, f32::NAN, 2.9, -9.0];
        let mut chance = Chance::new(1);
        assert_eq!(chosen(&logits, 0.0, &mut chance), Some(1));
        let mut seen = [0; 5];
        (0..4_000).for_each(|_| seen[chosen(&logits, 1.0, &mut chance).unwrap() as usize] += 1);
        // The last is beyond the nucleus; the first within it is not needed to fill it.
        assert!(seen[1] > seen[3] && seen[3] > 1_500 && seen[2] == 0 && seen[4] == 0, "{seen:?}");
        assert_eq!(chosen(&[f32::NAN], 1.0, &mut chance), None);
        // Where all are as likely, nearly all are drawn from; the first in order first.
        let flat = [1.0; 3_000];
        let drawn: Vec<u32> = (0..4_000).map(|_| chosen(&flat, 1.0, &mut chance).unwrap()).collect();
        let far = drawn.iter().filter(|at| **at >= 1_425).count();
        assert!(drawn.iter().all(|at| *at <= 2_850) && (1_800..2_200).contains(&far), "{far}");
    }
}
