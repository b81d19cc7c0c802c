//! Why nothing was learned, or measured.

use crate::data::count;
use crate::derive::NoText;
use crate::io::{IoError, MeaningError};
use crate::job::{Cancelled, JobError};

/// Why nothing was learned.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("there is no column called {0:?}")]
    NoColumn(String),
    #[error(transparent)]
    NoText(#[from] NoText),
    #[error("{0} holds several labels a sample: heads here learn one class a sample. Choose a column with one")]
    SeveralLabels(String),
    #[error("nothing to tell apart: {}", .0.as_ref().map_or_else(|| "no sample of the train part has a label".to_owned(), |class| format!("every sample of the train part is {class}")))]
    OneClass(Option<String>),
    #[error(
        "{} classes are more than a model is taught here ({} at most): is the column a label? Merge classes, or choose another",
        count(*.0), count(*.1)
    )]
    ManyClasses(usize, usize),
    #[error(
        "no sample with a label is in the test part: there is nothing to say how good a model is by. Split the dataset first"
    )]
    NoTest,
    #[error("TF-IDF reads words, and this dataset has pictures: choose the built-in look or a CLIP or DINOv2 folder")]
    WordsOfPictures,
    #[error("pictures were not looked at yet")]
    NoLooks,
    #[error(
        "this run keeps no head beside its samples: nearest neighbours say something of the dataset that they were learned from, and of no other"
    )]
    NoHead,
    #[error("the encoder gives {found} numbers a text, and this run learned from {wanted}: it is another model than it was")]
    OtherEncoder { found: usize, wanted: usize },
    #[error("this run's encoder is not kept in the project: teach it again, or use a run of a head")]
    NotKept,
    #[error("fine-tuning reads texts, and this dataset has pictures: choose a frozen encoder and a head")]
    TunedPictures,
    #[error("the loss was no number any more at step {0}, within the first epoch: a smaller rate may help")]
    NoLoss(usize),
    #[error("{0} is not finer than the label: {1:?} of it stands for several classes")]
    NotFiner(String, String),
    #[error("a small network reads vectors: choose the built-in embedding or a folder, or another head for TF-IDF")]
    NetworkOfWords,
    #[error(
        "this folder takes the largest of a text's tokens for it, which cannot be taught here: fine-tune one that takes their mean or the first"
    )]
    PoolsByLargest,
    #[error("this folder has no pooler: leave that choice, and what the folder says of its tokens is taken")]
    NoPooler,
    #[error("several tasks are learned by one encoder: name two label columns or more, each once")]
    OneTask,
    #[error("{0}")]
    NotAnswered(String),
    #[error("a head on a frozen encoder takes seconds: there are no steps to try")]
    NoSteps,
    #[error("no language model was named that can be asked")]
    NobodyToAsk,
    #[error(
        "only a head or one fine-tuned column is learned through a finer one: leave the finer column away, or make it the label"
    )]
    NotThrough,
    #[error("no map of the encoder learns: fewer layers are to stay as they are")]
    NothingLearns,
    #[error("pictures are not asked about: choose a text column")]
    PromptedPictures,
    #[error("training saw nothing of its samples: fine-tune an encoder to hold it against the noise model")]
    NothingSeen,
    #[error("{} of the train part are too few to make labels wrong on purpose: {} are wanted", count(*.0), count(*.1))]
    FewForJudges(usize, usize),
    #[error("{0} gives no head to take away: it needs every sample of the train part, or the words that it knows")]
    NothingToKeep(&'static str),
    #[error(transparent)]
    Io(#[from] IoError),
    #[error(transparent)]
    Meaning(MeaningError),
    #[error("stopped")]
    Cancelled,
}

impl From<Cancelled> for TrainError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<MeaningError> for TrainError {
    fn from(error: MeaningError) -> Self {
        match error {
            MeaningError::Cancelled => Self::Cancelled,
            other => Self::Meaning(other),
        }
    }
}

impl From<TrainError> for JobError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}
