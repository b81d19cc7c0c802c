//! What is asked of a run: plain, and kept with it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What is to be learned, from what, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    /// The column whose classes are learned.
    pub label: String,
    /// The column that is read; the dataset's texts (or pictures) where none is named.
    #[serde(default)]
    pub text: Option<String>,
    /// The column that says which part a sample is in; the one that says so by its role where none is named, and a fifth held out where there is none.
    #[serde(default)]
    pub split: Option<String>,
    pub approach: Approach,
    pub seed: u64,
}

/// How.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    /// Feature extraction: an encoder that stays as it is, and a head on what it says.
    Features {
        encoder: FrozenEncoder,
        head: HeadKind,
        /// Whether rarer classes weigh more.
        #[serde(default)]
        balanced: bool,
    },
    /// Full fine-tuning: a small encoder and its head learn together.
    Encoder {
        /// A sentence-transformers folder of the BERT family.
        folder: PathBuf,
        #[serde(flatten)]
        tune: TuneAsked,
    },
}

/// How an encoder is fine-tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuneAsked {
    /// How often the train part is gone through at most; it ends where two epochs after each other did not better the validation part.
    pub epochs: u32,
    /// Samples a step.
    pub batch: u32,
    /// The rate of the encoder.
    pub rate: f64,
    /// The most tokens of a text.
    pub longest: u32,
    pub dropout: f64,
    pub smoothing: f64,
    /// Layers from below that stay as they are.
    pub frozen: u32,
    /// Whether the head begins as logistic regression on what the encoder says before it learns (Kumar et al. 2022), rather than at nothing.
    pub from_head: bool,
}

impl Default for TuneAsked {
    fn default() -> Self {
        Self { epochs: 5, batch: 32, rate: 5e-5, longest: 64, dropout: 0.1, smoothing: 0.0, frozen: 0, from_head: true }
    }
}

/// What turns a sample into numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrozenEncoder {
    /// The table that the program carries; of pictures how they look.
    #[default]
    BuiltIn,
    /// TF-IDF of words and pairs of words, learned from the train part.
    Words,
    /// A sentence-transformers folder; of pictures a CLIP or `DINOv2` folder.
    Folder(PathBuf),
}

impl FrozenEncoder {
    /// The names that options and forms know it by; any other is a folder.
    pub const NAMES: [&'static str; 2] = ["builtin", "tfidf"];

    /// The encoder with this name, or the folder.
    pub fn from_name(name: &str) -> Self {
        match name {
            "builtin" => Self::BuiltIn,
            "tfidf" => Self::Words,
            folder => Self::Folder(PathBuf::from(folder)),
        }
    }

    /// What it is called, in few words.
    pub fn words(&self) -> String {
        match self {
            Self::BuiltIn => "built-in embedding".to_owned(),
            Self::Words => "TF-IDF".to_owned(),
            Self::Folder(folder) => {
                folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
            }
        }
    }
}

/// What decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// Logistic regression; `C` is chosen by cross-validation within the train part where none is named.
    Logistic { c: Option<f64> },
    /// A linear support vector machine, likewise.
    Support { c: Option<f64> },
    /// The nearest samples of the train part, weighted by one over their distance.
    Neighbours { k: u32 },
}

impl HeadKind {
    /// Every one, with its usual options.
    pub const ALL: [Self; 3] = [Self::Logistic { c: None }, Self::Support { c: None }, Self::Neighbours { k: 10 }];

    /// The name that options know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logistic { .. } => "logistic",
            Self::Support { .. } => "svm",
            Self::Neighbours { .. } => "knn",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|head| head.name() == name)
    }

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Logistic { .. } => "logistic regression",
            Self::Support { .. } => "linear SVM",
            Self::Neighbours { .. } => "nearest neighbours",
        }
    }
}

impl Lesson {
    /// The usual one of a label: the built-in embedding and logistic regression, the bar for all others.
    pub fn usual(label: &str) -> Self {
        let approach =
            Approach::Features { encoder: FrozenEncoder::BuiltIn, head: HeadKind::Logistic { c: None }, balanced: false };
        Self { label: label.to_owned(), text: None, split: None, approach, seed: 42 }
    }

    /// What it is called where nobody gives it a name.
    pub fn words(&self) -> String {
        match &self.approach {
            Approach::Features { encoder, head, .. } => format!("{} + {}", encoder.words(), head.words()),
            Approach::Encoder { folder, .. } => format!("{} fine-tuned", FrozenEncoder::Folder(folder.clone()).words()),
        }
    }
}
