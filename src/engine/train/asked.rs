//! What is asked of a run: plain, and kept with it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::learn::bert::Adapted;

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
    /// A finer column through which the label is learned: its classes are told apart, and each stands for the one class of the label that it belongs to.
    #[serde(default)]
    pub through: Option<String>,
    /// The share of the train part that is learned from, 0 to 1, the same samples in every larger share; all of it where none is named.
    #[serde(default)]
    pub share: Option<f64>,
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
    /// The same with a head for each of several label columns: a sample is learned from wherever it has a label.
    Multitask {
        folder: PathBuf,
        #[serde(flatten)]
        tune: TuneAsked,
        /// Every label column, the lesson's own among them; who is tested is decided by the first where no column says it.
        tasks: Vec<TaskAsked>,
        /// Whether weights are learned, too, by how uncertain each task is.
        uncertain: bool,
    },
    /// A language model is asked.
    Prompt {
        /// What its user calls it.
        model: String,
        prompt: PromptAsked,
    },
}

/// What a language model is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptAsked {
    /// What it is to do; the usual words where it is empty.
    pub instruction: String,
    /// What a class is, in words, by its name.
    pub descriptions: Vec<(String, String)>,
    pub examples: Examples,
    /// Whether classes are answered by letters, of at most 26, and their probabilities are read where the server says them.
    pub letters: bool,
    pub calibrated: Calibrated,
    /// How many samples of the test part are asked about; 0 for all.
    pub most: u32,
}

impl Default for PromptAsked {
    fn default() -> Self {
        Self {
            instruction: String::new(),
            descriptions: Vec::new(),
            examples: Examples::Nearest { k: 8 },
            letters: true,
            calibrated: Calibrated::No,
            most: 200,
        }
    }
}

/// Which samples of the train part a question shows with their classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Examples {
    None,
    /// The same for every question.
    Random {
        k: u32,
    },
    OneAClass,
    /// Those that are nearest to it, the nearest last.
    Nearest {
        k: u32,
    },
    /// Near ones that are unlike each other, too.
    Diverse {
        k: u32,
    },
}

impl Examples {
    /// Every kind; the name that options know it by, and what it is called.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::None, "none", "no examples"),
        (Self::Random { k: 8 }, "random", "the same for all"),
        (Self::OneAClass, "one-a-class", "one a class"),
        (Self::Nearest { k: 8 }, "nearest", "the nearest"),
        (Self::Diverse { k: 8 }, "diverse", "near and diverse"),
    ];

    /// Its place among all kinds.
    pub fn place(self) -> usize {
        match self {
            Self::None => 0,
            Self::Random { .. } => 1,
            Self::OneAClass => 2,
            Self::Nearest { .. } => 3,
            Self::Diverse { .. } => 4,
        }
    }

    /// How many there are, where that is chosen.
    pub fn k(&mut self) -> Option<&mut u32> {
        match self {
            Self::Random { k } | Self::Nearest { k } | Self::Diverse { k } => Some(k),
            Self::None | Self::OneAClass => None,
        }
    }
}

/// How probabilities are corrected for what a model says whatever it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibrated {
    No,
    /// By what it says of texts without content (Zhao et al. 2021).
    Contextual,
    /// By what it says of all test samples on average (Zhou et al. 2023); their labels are not looked at.
    Batch,
}

impl Calibrated {
    /// Every one; the name that options know it by, and what it is called.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::No, "no", "as they are"),
        (Self::Contextual, "contextual", "by texts without content"),
        (Self::Batch, "batch", "by all questions"),
    ];
}

/// One of several label columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskAsked {
    pub label: String,
    /// By what its loss is multiplied.
    pub weight: f64,
}

/// How an encoder is fine-tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuneAsked {
    /// How often the train part is gone through at most; it ends where two epochs after each other did not better the validation part.
    pub epochs: u32,
    /// Samples a step.
    pub batch: u32,
    /// The rate of the encoder.
    #[serde(deserialize_with = "number")]
    pub rate: f64,
    /// The most tokens of a text.
    pub longest: u32,
    #[serde(deserialize_with = "number")]
    pub dropout: f64,
    #[serde(deserialize_with = "number")]
    pub smoothing: f64,
    /// Layers from below that stay as they are.
    pub frozen: u32,
    /// Whether the head begins as logistic regression on what the encoder says before it learns (Kumar et al. 2022), rather than at nothing.
    pub from_head: bool,
    /// Weight decay, of everything but biases and norms.
    #[serde(deserialize_with = "number", default = "decay")]
    pub decay: f64,
    /// The most that all gradients together are long.
    #[serde(deserialize_with = "number", default = "clip")]
    pub clip: f64,
    /// The part of all steps over which the rate rises.
    #[serde(deserialize_with = "number", default = "rising")]
    pub rising: f64,
    /// Whether the table of words stays as it is.
    #[serde(default = "yes")]
    pub frozen_words: bool,
    /// Whether rarer classes weigh more.
    #[serde(default)]
    pub balanced: bool,
    /// Whether the first token through the pooler stands for a text, as transformers' heads have it, in the place of what the folder says.
    #[serde(default)]
    pub pooler: bool,
    /// Where it is given the encoder stays as it is, and matrices beside its maps learn.
    #[serde(default)]
    pub lora: Option<LoraAsked>,
}

/// A number: where it stands among others that are gathered first, JSON's are of a kind of their own.
fn number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let found = serde_json::Number::deserialize(from)?;
    found.as_f64().ok_or_else(|| serde::de::Error::custom("no number that can be held"))
}

// What serde asks for by name.
fn decay() -> f64 {
    0.01
}

fn clip() -> f64 {
    1.0
}

fn rising() -> f64 {
    0.1
}

fn yes() -> bool {
    true
}

/// How matrices beside maps learn (`LoRA`, Hu et al. 2021).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoraAsked {
    /// The width between the two matrices.
    pub rank: u32,
    /// What is added is multiplied by `alpha / rank`.
    #[serde(deserialize_with = "number")]
    pub alpha: f64,
    /// Beside which maps: a place in [`LoraAsked::MAPS`].
    pub maps: usize,
}

impl LoraAsked {
    /// The maps that are adapted, as options and forms name them.
    pub const MAPS: [(&'static str, Adapted); 3] =
        [("query-value", Adapted::QueryValue), ("attention", Adapted::Attention), ("all", Adapted::All)];
    /// The usual rate: more than an encoder bears that learns as a whole.
    pub const RATE: f64 = 1e-3;
}

impl Default for LoraAsked {
    fn default() -> Self {
        Self { rank: 8, alpha: 16.0, maps: 0 }
    }
}

impl Default for TuneAsked {
    fn default() -> Self {
        Self {
            epochs: 5,
            batch: 32,
            rate: 5e-5,
            longest: 64,
            dropout: 0.1,
            smoothing: 0.0,
            frozen: 0,
            from_head: true,
            decay: decay(),
            clip: clip(),
            rising: rising(),
            frozen_words: true,
            balanced: false,
            pooler: false,
            lora: None,
        }
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
    /// A neural network with one hidden layer; it ends when samples of the train part that it does not learn from get no better.
    Network { hidden: u32 },
}

impl HeadKind {
    /// Every one, with its usual options.
    pub const ALL: [Self; 4] =
        [Self::Logistic { c: None }, Self::Support { c: None }, Self::Neighbours { k: 10 }, Self::Network { hidden: 256 }];

    /// The name that options know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logistic { .. } => "logistic",
            Self::Support { .. } => "svm",
            Self::Neighbours { .. } => "knn",
            Self::Network { .. } => "mlp",
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
            Self::Network { .. } => "small network",
        }
    }
}

impl Lesson {
    /// The usual one of a label: the built-in embedding and logistic regression, the bar for all others.
    pub fn usual(label: &str) -> Self {
        let approach =
            Approach::Features { encoder: FrozenEncoder::BuiltIn, head: HeadKind::Logistic { c: None }, balanced: false };
        Self { label: label.to_owned(), text: None, split: None, approach, through: None, share: None, seed: 42 }
    }

    /// What it is called where nobody gives it a name.
    pub fn words(&self) -> String {
        let named = |folder: &PathBuf| FrozenEncoder::Folder(folder.clone()).words();
        let how = |tune: &TuneAsked| if tune.lora.is_some() { "LoRA" } else { "fine-tuned" };
        let mut words = match &self.approach {
            Approach::Features { encoder, head, .. } => format!("{} + {}", encoder.words(), head.words()),
            Approach::Encoder { folder, tune } => format!("{} {}", named(folder), how(tune)),
            Approach::Prompt { model, prompt } => {
                let (kind, k) = (Examples::ALL[prompt.examples.place()].2, { prompt.examples }.k().map(|k| *k));
                format!("{model}, {kind}{}", k.map(|k| format!(" {k}")).unwrap_or_default())
            }
            Approach::Multitask { folder, tune, tasks, .. } => {
                let others: Vec<&str> = tasks.iter().map(|task| &*task.label).filter(|label| *label != self.label).collect();
                format!("{} {} with {}", named(folder), how(tune), others.join(", "))
            }
        };
        if let Some(finer) = &self.through {
            words.push_str(&format!(" through {finer}"));
        }
        if let Some(share) = self.share {
            words.push_str(&format!(" of {:.0} %", share * 100.0));
        }
        words
    }

    /// The columns that are learned, in their order.
    pub fn labels(&self) -> Vec<&str> {
        match &self.approach {
            Approach::Multitask { tasks, .. } => tasks.iter().map(|task| &*task.label).collect(),
            _ => vec![&self.label],
        }
    }
}
