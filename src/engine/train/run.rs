//! A run: what was asked, what was learned, and what it says of every sample. It is kept in the project; its figures are worked out from its predictions and the labels as they are.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::asked::Lesson;
use crate::learn::heads::LinearHead;

/// The most letters of a run's name.
pub const LONGEST_NAME: usize = 80;

/// What was chosen within the train part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    pub c: f64,
    /// Whether rows were evened along the axes of their spread.
    pub evened: bool,
    /// What was tried: `C`, evened, folds, accuracy on rows that were held out.
    pub tried: Vec<(f64, bool, usize, f64)>,
}

/// A head, as it is kept and taken away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum HeadModel {
    /// `dims × classes` weights, and intercepts.
    Linear { weights: Vec<f32>, bias: Vec<f32> },
    /// The same on words: hashes of terms and their weights, in the order of columns.
    Words { terms: Vec<u64>, idf: Vec<f32>, weights: Vec<f32>, bias: Vec<f32> },
    /// The samples themselves decide: there is nothing beside them.
    Neighbours { k: u32 },
    /// A small network, as [`crate::learn::mlp::Mlp`] has its numbers.
    Network { dims: usize, hidden: usize, numbers: Vec<f32> },
    /// A language model elsewhere.
    Prompt {
        /// Who says what, with `{text}` where the question goes; without examples that are chosen for each question.
        said: Vec<(String, String)>,
    },
    /// An encoder that learned: too large to be kept with the project.
    Encoder,
}

impl HeadModel {
    /// A linear head in single precision.
    #[allow(clippy::cast_possible_truncation)]
    pub fn linear(head: &LinearHead) -> Self {
        let single = |list: &[f64]| list.iter().map(|value| *value as f32).collect();
        Self::Linear { weights: single(&head.weights), bias: single(&head.bias) }
    }

    /// The head again, where it is linear.
    pub fn head(&self) -> Option<LinearHead> {
        let double = |list: &[f32]| list.iter().map(|value| f64::from(*value)).collect();
        match self {
            Self::Linear { weights, bias } | Self::Words { weights, bias, .. } => {
                Some(LinearHead { classes: bias.len(), weights: double(weights), bias: double(bias) })
            }
            Self::Neighbours { .. } | Self::Network { .. } | Self::Prompt { .. } | Self::Encoder => None,
        }
    }
}

/// What a run says of samples. Of those of the train part it is what a model says that has not seen them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Predictions {
    /// Samples, ascending.
    pub ids: Vec<u32>,
    /// The hash of what was read of each: the file may have another version since, where samples stand elsewhere.
    pub texts: Vec<u64>,
    /// What is said of each, by its place among the run's classes.
    pub said: Vec<u32>,
    /// How sure that is, 0 to 1.
    pub sure: Vec<f32>,
    /// The samples of the test part, ascending, and of each the probability of every class that was learned: its square root, in 65,535ths, so that small ones keep their digits.
    pub tested: Vec<u32>,
    pub probabilities: Vec<u16>,
}

impl Predictions {
    /// A probability as it is kept.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn packed(p: f64) -> u16 {
        (p.clamp(0.0, 1.0).sqrt() * 65_535.0).round() as u16
    }

    /// The probabilities of test samples, `learned` numbers each, each row summing to 1.
    pub fn matrix(&self, learned: usize) -> Vec<f64> {
        let mut out: Vec<f64> = self.probabilities.iter().map(|p| (f64::from(*p) / 65_535.0).powi(2)).collect();
        for row in out.chunks_mut(learned.max(1)) {
            let sum: f64 = row.iter().sum();
            if sum > 0.0 {
                row.iter_mut().for_each(|p| *p /= sum);
            }
        }
        out
    }

    /// Where each of its samples is in a dataset whose texts have these hashes: where it was, or else where the same text is. `None` of those whose text is not there any more.
    pub fn located(&self, hashes: &[u64]) -> Vec<Option<u32>> {
        let own: Vec<Option<u32>> =
            self.ids.iter().zip(&self.texts).map(|(id, text)| (hashes.get(*id as usize) == Some(text)).then_some(*id)).collect();
        if own.iter().all(Option::is_some) {
            return own;
        }
        let taken: HashSet<u32> = own.iter().flatten().copied().collect();
        let mut free: HashMap<u64, Vec<u32>> = HashMap::new();
        for (row, hash) in (0..hashes.len() as u32).zip(hashes).rev() {
            if !taken.contains(&row) {
                free.entry(*hash).or_default().push(row);
            }
        }
        let elsewhere = |text: &u64, free: &mut HashMap<u64, Vec<u32>>| free.get_mut(text).and_then(Vec::pop);
        own.into_iter().zip(&self.texts).map(|(own, text)| own.or_else(|| elsewhere(text, &mut free))).collect()
    }
}

/// What one epoch of fine-tuning came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochSeen {
    /// The mean loss of the train part while it was gone through, and the loss and the accuracy on the validation part behind it; no numbers where there is none.
    pub loss: f64,
    pub validation_loss: f64,
    pub validation_accuracy: f64,
}

/// What training saw of samples of the train part: the sample, confidence, variability, area under the margin, epochs it was right in, times it was forgotten.
pub type SampleSeen = (u32, f32, f32, f32, u32, u32);

/// What was learned: of it a run is made.
pub struct Learned {
    pub model: HeadModel,
    pub chosen: Option<Chosen>,
    /// What is said of samples of the train part by models that have not seen them: the sample, the class, how sure.
    pub held_out: Vec<(u32, u32, f32)>,
    /// The probabilities of the samples that were asked for, class by class.
    pub probabilities: Vec<f64>,
    /// Of all others the class and how sure: what every class has would be too much to hold.
    pub rest: Vec<(u32, u32, f32)>,
    pub epochs: Vec<EpochSeen>,
    pub seen: Vec<SampleSeen>,
    pub notes: Vec<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub lesson: Lesson,
    /// The classes that were learned come first.
    pub classes: Vec<String>,
    pub learned: usize,
    /// By class of a finer column that was learned in the place of the label: the class that it stands for.
    #[serde(default)]
    pub finer: Vec<u32>,
    /// Samples that were trained on, validated on, tested on.
    pub sizes: [usize; 3],
    pub print: u64,
    pub test_print: u64,
    pub chosen: Option<Chosen>,
    pub model: HeadModel,
    pub predictions: Predictions,
    /// What each epoch of fine-tuning came to, and what training saw of each sample; empty of heads.
    #[serde(default)]
    pub epochs: Vec<EpochSeen>,
    #[serde(default)]
    pub seen: Vec<SampleSeen>,
    /// The temperature that fits what it says of the validation part, where there is one that it did not learn from.
    #[serde(default)]
    pub temperature: Option<f64>,
    pub notes: Vec<String>,
    /// How long it took, in seconds: said, and nothing more.
    pub seconds: f64,
    /// The version of the program that made it.
    pub version: String,
}

impl Run {
    /// Puts it into bytes: `MessagePack` by name, packed.
    ///
    /// # Errors
    /// A line; there is no run that has one, short of memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let bytes = rmp_serde::to_vec_named(self).map_err(|error| error.to_string())?;
        zstd::bulk::compress(&bytes, 3).map_err(|error| error.to_string())
    }

    /// Reads it from bytes; `None` where they are none, or of a later Lapidary that says something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        rmp_serde::from_slice(&zstd::stream::decode_all(bytes).ok()?).ok()
    }
}
