//! Pictures to vectors by a model folder of the user's: the image tower of CLIP (Radford et al., 2021) or `DINOv2` (Oquab et al., 2023),
//! as Hugging Face's `transformers` lays them out. Both are vision transformers (Dosovitskiy et al., 2021) and differ in names,
//! norms and what is read off at the end. Pure: the files' bytes come in.

use candle_core::{DType, Device, Tensor};
use candle_nn::{
    Conv2d, Conv2dConfig, LayerNorm, Linear, Module as _, VarBuilder, conv2d, conv2d_no_bias, layer_norm, linear, linear_no_bias,
};
use fast_image_resize::FilterType;
use serde_json::Value;

use super::dense::normalise;
use super::encoder::EncoderError;
use crate::pixels::{Picture, scale};

/// The files of a model folder.
pub struct VisionFiles {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `preprocessor_config.json`.
    pub preprocessor: Vec<u8>,
    /// `model.safetensors`.
    pub weights: Vec<u8>,
}

/// How pictures are brought into the model's form.
#[derive(Debug, Clone, PartialEq)]
pub struct Preparation {
    /// What the shorter side is scaled to.
    pub resize: u32,
    /// What is cut from the middle, a side.
    pub crop: u32,
    pub mean: [f32; 3],
    pub deviation: [f32; 3],
}

struct Block {
    norm1: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    scale1: Option<Tensor>,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    scale2: Option<Tensor>,
}

/// A vision transformer.
pub struct Vision {
    /// How pictures are prepared.
    pub preparation: Preparation,
    patches: Conv2d,
    class: Tensor,
    /// `1 × (1 + patches) × width`, for the grid that pictures are cut to.
    positions: Tensor,
    before: Option<LayerNorm>,
    blocks: Vec<Block>,
    after: LayerNorm,
    projection: Option<Linear>,
    heads: usize,
    /// `x · sigmoid(1.702 x)` in place of the Gaussian error function's.
    quick: bool,
    dims: usize,
}

fn wrong(error: impl std::fmt::Display) -> EncoderError {
    // Behind the first line stands where in the library it arose.
    EncoderError::Vision(error.to_string().lines().next().unwrap_or_default().trim().to_owned())
}

impl Vision {
    /// Loads a model.
    ///
    /// # Errors
    /// [`EncoderError::Vision`]: says what is missing or unknown.
    pub fn new(files: &VisionFiles) -> Result<Self, EncoderError> {
        let config: Value = serde_json::from_slice(&files.config).map_err(|error| wrong(format!("config.json: {error}")))?;
        let kind = config["model_type"].as_str().unwrap_or_default();
        let preparation = preparation(&files.preparation_json()?);
        let weights = VarBuilder::from_buffered_safetensors(files.weights.clone(), DType::F32, &Device::Cpu)
            .map_err(|error| wrong(format!("model.safetensors: {error}")))?;
        let built = match kind {
            "clip" => Self::clip(&config["vision_config"], config["projection_dim"].as_u64(), &weights, preparation),
            "clip_vision_model" => Self::clip(&config, None, &weights, preparation),
            "dinov2" => Self::dino(&config, &weights, preparation),
            other => return Err(wrong(format!("config.json: model_type {other:?} is not read; CLIP and DINOv2 are"))),
        };
        built.map_err(|error| wrong(format!("model.safetensors: {error}")))
    }

    /// How many numbers a picture becomes.
    pub fn dims(&self) -> usize {
        self.dims
    }

    fn clip(config: &Value, projected: Option<u64>, all: &VarBuilder<'_>, preparation: Preparation) -> candle_core::Result<Self> {
        let number = |name: &str, usual: usize| config[name].as_u64().map_or(usual, |value| value as usize);
        let (width, inner) = (number("hidden_size", 768), number("intermediate_size", 3_072));
        let (layers, heads) = (number("num_hidden_layers", 12), number("num_attention_heads", 12));
        let (patch, image) = (number("patch_size", 32), number("image_size", 224));
        let eps = config["layer_norm_eps"].as_f64().unwrap_or(1e-5);
        let vb = all.pp("vision_model");
        let embeddings = vb.pp("embeddings");
        let stride = Conv2dConfig { stride: patch, ..Conv2dConfig::default() };
        let grid = image / patch;
        let positions = embeddings.get((grid * grid + 1, width), "position_embedding.weight")?.unsqueeze(0)?;
        let blocks = (0..layers)
            .map(|i| {
                let vb = vb.pp(format!("encoder.layers.{i}"));
                let attention = vb.pp("self_attn");
                Ok(Block {
                    norm1: layer_norm(width, eps, vb.pp("layer_norm1"))?,
                    query: linear(width, width, attention.pp("q_proj"))?,
                    key: linear(width, width, attention.pp("k_proj"))?,
                    value: linear(width, width, attention.pp("v_proj"))?,
                    out: linear(width, width, attention.pp("out_proj"))?,
                    scale1: None,
                    norm2: layer_norm(width, eps, vb.pp("layer_norm2"))?,
                    fc1: linear(width, inner, vb.pp("mlp.fc1"))?,
                    fc2: linear(inner, width, vb.pp("mlp.fc2"))?,
                    scale2: None,
                })
            })
            .collect::<candle_core::Result<Vec<_>>>()?;
        let out = projected.map_or_else(|| number("projection_dim", 512), |out| out as usize);
        let projection = if all.contains_tensor("visual_projection.weight") {
            Some(linear_no_bias(width, out, all.pp("visual_projection"))?)
        } else {
            None
        };
        let dims = if projection.is_some() { out } else { width };
        let to = preparation.crop as usize / patch;
        Ok(Self {
            preparation,
            patches: conv2d_no_bias(3, width, patch, stride, embeddings.pp("patch_embedding"))?,
            class: embeddings.get(width, "class_embedding")?.reshape((1, 1, width))?,
            positions: resized(&positions, grid, to)?,
            before: Some(layer_norm(width, eps, vb.pp("pre_layrnorm"))?),
            blocks,
            after: layer_norm(width, eps, vb.pp("post_layernorm"))?,
            projection,
            heads,
            quick: config["hidden_act"].as_str().unwrap_or("quick_gelu") == "quick_gelu",
            dims,
        })
    }

    fn dino(config: &Value, all: &VarBuilder<'_>, preparation: Preparation) -> candle_core::Result<Self> {
        let number = |name: &str, usual: usize| config[name].as_u64().map_or(usual, |value| value as usize);
        let width = number("hidden_size", 384);
        let inner = width * number("mlp_ratio", 4);
        let (layers, heads) = (number("num_hidden_layers", 12), number("num_attention_heads", 6));
        let (patch, image) = (number("patch_size", 14), number("image_size", 518));
        let eps = config["layer_norm_eps"].as_f64().unwrap_or(1e-6);
        // A model with a head keeps its trunk under a name.
        let vb = if all.contains_tensor("dinov2.embeddings.cls_token") { all.pp("dinov2") } else { all.clone() };
        let embeddings = vb.pp("embeddings");
        let stride = Conv2dConfig { stride: patch, ..Conv2dConfig::default() };
        let grid = image / patch;
        let positions = embeddings.get((1, grid * grid + 1, width), "position_embeddings")?;
        let blocks = (0..layers)
            .map(|i| {
                let vb = vb.pp(format!("encoder.layer.{i}"));
                let attention = vb.pp("attention.attention");
                Ok(Block {
                    norm1: layer_norm(width, eps, vb.pp("norm1"))?,
                    query: linear(width, width, attention.pp("query"))?,
                    key: linear(width, width, attention.pp("key"))?,
                    value: linear(width, width, attention.pp("value"))?,
                    out: linear(width, width, vb.pp("attention.output.dense"))?,
                    scale1: Some(vb.get(width, "layer_scale1.lambda1")?),
                    norm2: layer_norm(width, eps, vb.pp("norm2"))?,
                    fc1: linear(width, inner, vb.pp("mlp.fc1"))?,
                    fc2: linear(inner, width, vb.pp("mlp.fc2"))?,
                    scale2: Some(vb.get(width, "layer_scale2.lambda1")?),
                })
            })
            .collect::<candle_core::Result<Vec<_>>>()?;
        let to = preparation.crop as usize / patch;
        Ok(Self {
            preparation,
            patches: conv2d(3, width, patch, stride, embeddings.pp("patch_embeddings.projection"))?,
            class: embeddings.get((1, 1, width), "cls_token")?,
            positions: resized(&positions, grid, to)?,
            before: None,
            blocks,
            after: layer_norm(width, eps, vb.pp("layernorm"))?,
            projection: None,
            heads,
            quick: false,
            dims: width,
        })
    }

    /// Embeds prepared pictures, each `3 × crop × crop` numbers; rows in order, not normalised.
    ///
    /// # Errors
    /// [`EncoderError::Vision`].
    pub fn embed_prepared(&self, batch: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, EncoderError> {
        let side = self.preparation.crop as usize;
        let run = || -> candle_core::Result<Vec<Vec<f32>>> {
            let n = batch.len();
            let input = Tensor::from_vec(batch.concat(), (n, 3, side, side), &Device::Cpu)?;
            let patches = self.patches.forward(&input)?.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
            let width = patches.dim(2)?;
            let class = self.class.broadcast_as((n, 1, width))?;
            let mut x = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(&self.positions)?;
            if let Some(norm) = &self.before {
                x = norm.forward(&x.contiguous()?)?;
            }
            for block in &self.blocks {
                x = self.step(block, &x)?;
            }
            let class = x.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?;
            let mut out = self.after.forward(&class)?;
            if let Some(projection) = &self.projection {
                out = projection.forward(&out)?;
            }
            out.to_vec2::<f32>()
        };
        run().map_err(wrong)
    }

    fn step(&self, block: &Block, x: &Tensor) -> candle_core::Result<Tensor> {
        let (n, tokens, width) = x.dims3()?;
        let size = width / self.heads;
        let normed = block.norm1.forward(x)?;
        let heads = |linear: &Linear| -> candle_core::Result<Tensor> {
            linear.forward(&normed)?.reshape((n, tokens, self.heads, size))?.transpose(1, 2)?.contiguous()
        };
        let (query, key, value) = (heads(&block.query)?, heads(&block.key)?, heads(&block.value)?);
        let scores = (query.matmul(&key.transpose(2, 3)?.contiguous()?)? / (size as f64).sqrt())?;
        let mixed = candle_nn::ops::softmax_last_dim(&scores)?.matmul(&value)?;
        let mixed = block.out.forward(&mixed.transpose(1, 2)?.reshape((n, tokens, width))?)?;
        let scaled = |x: Tensor, scale: &Option<Tensor>| match scale {
            Some(scale) => x.broadcast_mul(scale),
            None => Ok(x),
        };
        let x = (x + scaled(mixed, &block.scale1)?)?;
        let inner = block.fc1.forward(&block.norm2.forward(&x)?)?;
        let inner = if self.quick { (&inner * candle_nn::ops::sigmoid(&(&inner * 1.702)?)?)? } else { inner.gelu_erf()? };
        &x + scaled(block.fc2.forward(&inner)?, &block.scale2)?
    }

    /// Embeds pictures: rows of length 1.
    ///
    /// # Errors
    /// [`EncoderError::Vision`].
    pub fn embed(&self, pictures: &[Picture]) -> Result<Vec<Vec<f32>>, EncoderError> {
        if pictures.is_empty() {
            return Ok(Vec::new());
        }
        let prepared: Vec<Vec<f32>> = pictures.iter().map(|picture| self.preparation.prepare(picture)).collect();
        let mut rows = self.embed_prepared(&prepared)?;
        rows.iter_mut().for_each(|row| normalise(row));
        Ok(rows)
    }
}

impl VisionFiles {
    fn preparation_json(&self) -> Result<Value, EncoderError> {
        serde_json::from_slice(&self.preprocessor).map_err(|error| wrong(format!("preprocessor_config.json: {error}")))
    }
}

fn preparation(config: &Value) -> Preparation {
    let side = |value: &Value| {
        value
            .as_u64()
            .or_else(|| ["shortest_edge", "height"].iter().find_map(|name| value[*name].as_u64()))
            .map(|side| side as u32)
    };
    let three = |name: &str, usual: [f32; 3]| {
        let list = config[name].as_array().filter(|list| list.len() == 3);
        list.map_or(usual, |list| std::array::from_fn(|i| list[i].as_f64().unwrap_or(0.5) as f32))
    };
    let resize = side(&config["size"]).unwrap_or(224).clamp(16, 2_048);
    let crop = side(&config["crop_size"]).unwrap_or(resize).clamp(16, resize);
    Preparation {
        resize,
        crop,
        mean: three("image_mean", [0.481_454_66, 0.457_827_5, 0.408_210_73]),
        deviation: three("image_std", [0.268_629_54, 0.261_302_6, 0.275_777_1]),
    }
}

impl Preparation {
    /// `3 × crop × crop` numbers: the shorter side scaled, the middle cut out, each channel at its usual mean and deviation.
    pub fn prepare(&self, picture: &Picture) -> Vec<f32> {
        let shorter = f64::from(picture.width.min(picture.height).max(1));
        let side = |side: u32| ((f64::from(side) * f64::from(self.resize) / shorter) as u32).clamp(self.crop, 1 << 14);
        let (width, height) = (side(picture.width), side(picture.height));
        let crop = self.crop as usize;
        let mut out = vec![0.0; 3 * crop * crop];
        let Some(scaled) = scale(picture, width, height, FilterType::CatmullRom) else { return out };
        let (left, top) = ((width as usize - crop) / 2, (height as usize - crop) / 2);
        for y in 0..crop {
            for x in 0..crop {
                let at = ((top + y) * width as usize + left + x) * 4;
                for channel in 0..3 {
                    let value = f32::from(scaled.rgba[at + channel]) / 255.0;
                    out[(channel * crop + y) * crop + x] = (value - self.mean[channel]) / self.deviation[channel];
                }
            }
        }
        out
    }
}

/// Positions of a grid of `from × from` patches brought to `to × to`, by cubic interpolation (as `PyTorch`'s, with −0.75).
fn resized(positions: &Tensor, from: usize, to: usize) -> candle_core::Result<Tensor> {
    if from == to {
        return Ok(positions.clone());
    }
    let width = positions.dim(2)?;
    let all = positions.squeeze(0)?.to_vec2::<f32>()?;
    let cubic = |x: f32| {
        let (a, x) = (-0.75_f32, x.abs());
        if x <= 1.0 {
            ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
        } else if x < 2.0 {
            ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
        } else {
            0.0
        }
    };
    let taps = |i: usize| -> [(usize, f32); 4] {
        let at = (i as f32 + 0.5) * from as f32 / to as f32 - 0.5;
        std::array::from_fn(|k| {
            let place = at.floor() as isize + k as isize - 1;
            (place.clamp(0, from as isize - 1) as usize, cubic(at - place as f32))
        })
    };
    let mut out = all[0].clone();
    for y in 0..to {
        for x in 0..to {
            let mut row = vec![0.0_f32; width];
            for (sy, wy) in taps(y) {
                for (sx, wx) in taps(x) {
                    super::dense::add_scaled(&mut row, wy * wx, &all[1 + sy * from + sx]);
                }
            }
            out.extend(row);
        }
    }
    Tensor::from_vec(out, (1, to * to + 1, width), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_another_grid_lie_between_those_of_the_first() {
        // A ramp across stays a ramp; what is the same everywhere stays the same.
        let (from, to) = (8_usize, 5_usize);
        let mut all = vec![9.0_f32, 9.0];
        for i in 0..from * from {
            all.extend([(i % from) as f32, 4.0]);
        }
        let positions = Tensor::from_vec(all, (1, from * from + 1, 2), &Device::Cpu).unwrap();
        let rows = resized(&positions, from, to).unwrap().squeeze(0).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(rows.len(), to * to + 1);
        assert_eq!(rows[0], [9.0, 9.0]);
        for (i, row) in rows[1..].iter().enumerate() {
            let at = (i % to) as f32 * 1.6 + 0.3;
            assert!((row[1] - 4.0).abs() < 1e-5);
            // Away from the borders, where the ramp ends; this cubic keeps a ramp to within a twentieth of a step.
            if (1..to - 1).contains(&(i % to)) {
                assert!((row[0] - at).abs() < 0.06, "{} {at}", row[0]);
            }
        }
    }
}
