//! Operations: what somebody asks to be done to the data, plain and serialisable. Key, button, command and the step of a recipe are the same value;
//! it plans an edit and changes nothing itself.

mod asking;
mod augmenting;
mod balancing;
mod chats;
mod columns;
mod consensus;
mod contamination;
mod copied;
mod each_source;
mod health;
mod hub;
mod instruct;
mod judging;
mod merging;
mod names;
mod page;
mod plan;
mod predict;
mod recipe;
mod relevance;
mod remedy;
mod rewrite;
mod scanned;
mod taking;
mod trying;
mod unique;
mod watch_page;
mod watching;
mod worth;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use asking::{TextModels, children};
pub use augmenting::{Augmented, augmented, judge};
pub use balancing::{Balance, BalanceError, Balanced, Standing, balance_plan, balanced, standing};
pub use columns::{ColumnOf, column_preview};
pub use consensus::{ConsensusMethod, ConsensusOf, LongColumns};
pub use contamination::{ContaminationError, RUN, TestTexts, contaminated, fingerprint};
pub use copied::copies;
pub use each_source::save_each_source;
pub use health::{CardWords, SoFar, data_card, health_report};
pub use hub::{HubError, HubFolder, hub_folder};
pub use instruct::{InstructOf, QUESTION};
pub use judging::{ErrorJudges, JudgeFigures, compare_judges};
pub use merging::merge_edit;
pub use plan::split_edit;
pub use predict::PredictionsOf;
pub use recipe::{Recipe, RecipeError, RecipeStep, Replayed};
pub use relevance::{RelevanceOf, relevance, relevance_edit};
pub use remedy::remedy;
pub use scanned::{scan_pictures, scanned};
pub use trying::{Tried, tried};
pub use unique::Unique;
pub use watch_page::{verdict_words, watch_page};
pub use watching::{BatchLook, LookBy, NEW_TEST, RunSaid, choose_rows, look_at, parts_to_admit, run_said};
pub use worth::{Worth, can_probe, worth};

use crate::data::{ClassIndex, Dataset, Kind, Pipeline, Property, Role, SampleId, TakenRows};
use crate::derive::Store;
use crate::edit::{Edit, EditError};
use crate::eye::TrainerTarget;
use crate::job::{Cancelled, Progress};
use crate::monitor::WatchedBatch;
use crate::train::Run;
use crate::trainers::repair::ChatRepair;
use crate::transform::{AugmentError, Replace, Split, SplitError};
use crate::writing::Repair;

/// What is asked for. The samples that it names are no part of what is written: an edit's parts have them, and a recipe names them by content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Give samples a class, or cells a text.
    SetCells {
        #[serde(skip)]
        samples: Vec<SampleId>,
        column: String,
        text: String,
        /// Whether that is a decision on the label: the samples are marked reviewed.
        #[serde(default)]
        review: bool,
    },
    /// Give samples the labels that were suggested, each its own, and mark them reviewed.
    Accept {
        #[serde(skip)]
        list: Vec<(SampleId, String)>,
        column: String,
    },
    /// Exclude samples or take them back in.
    Exclude {
        #[serde(skip)]
        samples: Vec<SampleId>,
        on: bool,
    },
    /// Mark samples reviewed, or not.
    Review {
        #[serde(skip)]
        samples: Vec<SampleId>,
        on: bool,
    },
    /// Tag samples, or take the tag off.
    Tag {
        #[serde(skip)]
        samples: Vec<SampleId>,
        tag: String,
        on: bool,
    },
    /// Write a note of one's own to samples, in a column for it; an empty one takes it away.
    Note {
        #[serde(skip)]
        samples: Vec<SampleId>,
        text: String,
    },
    /// Change two cells of samples about: of a pair, what is better and what is worse.
    Swap {
        #[serde(skip)]
        samples: Vec<SampleId>,
        one: String,
        other: String,
    },
    /// Replace what is found in a column.
    Replace {
        #[serde(skip)]
        samples: Vec<SampleId>,
        column: String,
        #[serde(flatten)]
        what: Replace,
    },
    /// Repair the texts of a column.
    Repair {
        #[serde(skip)]
        samples: Vec<SampleId>,
        column: String,
        #[serde(with = "repair_name")]
        repair: Repair,
    },
    /// Mend the chats of a column for a trainer.
    RepairChats {
        #[serde(skip)]
        samples: Vec<SampleId>,
        column: String,
        #[serde(with = "chat_repair_name")]
        repair: ChatRepair,
    },
    /// Cut chats that are too long for a trainer into several.
    SplitChats {
        #[serde(skip)]
        samples: Vec<SampleId>,
        column: String,
        target: Box<TrainerTarget>,
    },
    /// Rename a class; into a name that exists, merge.
    RenameClass { column: String, from: String, to: String },
    /// Say what a column means.
    SetRole {
        column: String,
        #[serde(with = "role_name")]
        role: Role,
    },
    /// Say how a column is read.
    SetKind {
        column: String,
        #[serde(with = "kind_name")]
        kind: Kind,
    },
    /// Say something of the dataset beside its cells; `None` takes it back.
    Say {
        #[serde(with = "property_name")]
        property: Property,
        of: Vec<String>,
        value: Option<String>,
    },
    /// Split into parts: a column says which.
    Split(Split),
    /// Add the weight of each sample's class as a column; `beta` is the effective number's, 0 for balanced weights.
    Weigh { label: String, beta: f64 },
    /// Make new samples of those that may be trained on, so many of each.
    Augment { pipeline: Pipeline, copies: u32, seed: u64, most_risk: f32 },
    /// Even out classes.
    Balance(Balance),
    /// Put several people's labels together into one column.
    Consensus(ConsensusOf),
    /// Say how much each sample is of a domain that samples with a tag stand for.
    Relevance(RelevanceOf),
    /// Learn, and write what the model says of every sample; of those it was trained on what a model says that has not seen them.
    Predict(Box<PredictionsOf>),
    /// Watch batches of new data: they are beside the dataset, and none of its samples.
    Watch { batches: Vec<WatchedBatch> },
    /// Take rows of a log over as samples, to be labelled: they are in no part until they are admitted.
    Take(Box<TakenRows>),
    /// Put samples that were taken over and have a label into a part; without a column of parts, only say that they are labelled.
    Admit {
        #[serde(skip)]
        samples: Vec<SampleId>,
        part: String,
    },
    /// Make a column out of others, or write one over.
    Column(ColumnOf),
    /// Exclude all copies but the first of each.
    Unique(Unique),
    /// Make questions and answers of texts and their classes, for a language model.
    Instruct(InstructOf),
}

mod role_name {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::data::Role;

    // As serde calls it.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(role)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
        let name = String::deserialize(deserializer)?;
        Role::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no role {name:?}")))
    }
}

mod repair_name {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::writing::Repair;

    // As serde calls it.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub fn serialize<S: Serializer>(repair: &Repair, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(repair.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Repair, D::Error> {
        let name = String::deserialize(deserializer)?;
        Repair::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no repair {name:?}")))
    }
}

mod chat_repair_name {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::trainers::repair::ChatRepair;

    // As serde calls it.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub fn serialize<S: Serializer>(repair: &ChatRepair, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(repair.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ChatRepair, D::Error> {
        let name = String::deserialize(deserializer)?;
        ChatRepair::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no repair {name:?}")))
    }
}

mod property_name {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::data::Property;

    // As serde calls it.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub fn serialize<S: Serializer>(property: &Property, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(property.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Property, D::Error> {
        let name = String::deserialize(deserializer)?;
        Property::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no property {name:?}")))
    }
}

mod kind_name {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::data::Kind;

    // As serde calls it.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let name = String::deserialize(deserializer)?;
        Kind::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no kind {name:?}")))
    }
}

/// Why an operation cannot be carried out. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error(transparent)]
    Split(#[from] SplitError),
    #[error(transparent)]
    Balance(#[from] BalanceError),
    #[error(transparent)]
    Augment(#[from] AugmentError),
    /// It was stopped.
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for OperationError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// What planning may use beside the data.
#[derive(Default)]
pub struct Means<'m> {
    /// The classes of the column that the operation names, where somebody has them.
    pub classes: Option<&'m ClassIndex>,
    /// The text models that pipelines ask.
    pub models: Arc<TextModels>,
    /// What is worked out of the data, and shared.
    pub derived: Arc<Store>,
    /// Runs of models that there are: what one of them says is not learned anew.
    pub runs: Vec<Arc<Run>>,
}

/// A plan: the edit, and what should be known of it.
#[derive(Debug, Default)]
pub struct Planned {
    /// `None` where nothing is to be done.
    pub edit: Option<Edit>,
    pub notes: Vec<String>,
}

/// The column of notes of one's own.
pub const NOTE: &str = "note";

impl Operation {
    /// The samples that it names, where it names any.
    pub fn samples(&self) -> Option<&[SampleId]> {
        match self {
            Self::SetCells { samples, .. }
            | Self::Exclude { samples, .. }
            | Self::Review { samples, .. }
            | Self::Tag { samples, .. }
            | Self::Note { samples, .. }
            | Self::Swap { samples, .. }
            | Self::Replace { samples, .. }
            | Self::Repair { samples, .. }
            | Self::RepairChats { samples, .. }
            | Self::SplitChats { samples, .. }
            | Self::Admit { samples, .. } => Some(samples),
            _ => None,
        }
    }

    /// The same, of other samples, where it names any.
    #[must_use]
    pub fn of(mut self, list: &[SampleId]) -> Self {
        match &mut self {
            Self::SetCells { samples, .. }
            | Self::Exclude { samples, .. }
            | Self::Review { samples, .. }
            | Self::Tag { samples, .. }
            | Self::Note { samples, .. }
            | Self::Swap { samples, .. }
            | Self::Replace { samples, .. }
            | Self::Repair { samples, .. }
            | Self::RepairChats { samples, .. }
            | Self::SplitChats { samples, .. }
            | Self::Admit { samples, .. } => list.clone_into(samples),
            _ => {}
        }
        self
    }

    /// Plans the edit. Steps of progress are those of what is planned.
    ///
    /// # Errors
    /// [`OperationError`].
    pub fn plan(&self, dataset: &Dataset, means: &Means<'_>, progress: &Progress) -> Result<Planned, OperationError> {
        let planned = plan::plan(self, dataset, means, progress)?;
        Ok(Planned { edit: planned.edit.map(|edit| edit.by(self.to_json())), ..planned })
    }

    /// What is kept of it with its edit: everything but the samples that it names.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
