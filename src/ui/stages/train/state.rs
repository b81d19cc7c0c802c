//! What Train remembers: what is asked for next, which runs are looked at, and how.

use crate::data::{Dataset, SampleId};
use crate::train::{Approach, FrozenEncoder, HeadKind, Lesson, PromptAsked, SliceFigures, TaskAsked, TuneAsked};

/// What is shown of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunSide {
    #[default]
    Confused,
    Classes,
    Calibration,
    Slices,
    /// What training saw of each sample.
    Seen,
    /// What more samples are worth.
    Curve,
    /// Which task helps which.
    Tasks,
    Choice,
}

/// How something is taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaughtBy {
    #[default]
    Features,
    Encoder,
    Multitask,
    Prompt,
}

impl TaughtBy {
    /// Every one, and what it is called.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Features, "Frozen encoder and a head"),
        (Self::Encoder, "Fine-tune an encoder"),
        (Self::Multitask, "Several label columns"),
        (Self::Prompt, "Ask a language model"),
    ];

    /// What it is called.
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(way, _)| *way == self).map_or("", |(_, words)| words)
    }
}

impl RunSide {
    /// Every side, and what it is called.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Confused, "Confused"),
        (Self::Classes, "Classes"),
        (Self::Calibration, "Calibration"),
        (Self::Slices, "Slices"),
        (Self::Seen, "Data map"),
        (Self::Curve, "More samples"),
        (Self::Tasks, "Tasks"),
        (Self::Choice, "What was tried"),
    ];
}

/// Slices of a run, and what they are of: the run, the column, the revision, whether figures are old.
pub type SlicesOf = ((i64, String, u64, bool), Vec<SliceFigures>);

/// Pairs of classes that are taken for each other, the most often first: how often, what they are, what is said; and what they are of: the run, the revision, whether figures are old.
pub type ConfusedOf = ((i64, u64, bool), Vec<(usize, usize, usize)>);

/// Samples that the first of two runs gets right alone, the second alone, and neither; and what they are of: both runs, the revision, whether figures are old.
pub type AloneOf = ((i64, i64, u64, bool), [Vec<SampleId>; 3]);

/// What is asked for next, and what is looked at.
#[derive(Debug, Clone)]
pub struct TrainForm {
    /// The column that is learned, read, and that says the parts; the usual ones where they are empty.
    pub label: String,
    pub text: String,
    pub split: String,
    /// A name of [`FrozenEncoder::NAMES`], or a folder.
    pub encoder: String,
    pub head: usize,
    /// `None`: chosen by cross-validation.
    pub c: Option<f64>,
    pub k: u32,
    pub balanced: bool,
    /// Units of the small network.
    pub hidden: u32,
    /// How it is taught, and how an encoder is fine-tuned.
    pub way: TaughtBy,
    pub tune: TuneAsked,
    /// A finer column through which the label is learned; none where it is empty.
    pub through: String,
    /// Other label columns that are learned with it, and what each weighs; whether weights are learned.
    pub with: Vec<(String, f64)>,
    pub uncertain: bool,
    /// What its user calls the language model that is asked, and what it is asked.
    pub model: String,
    pub prompt: PromptAsked,
    pub seed: u64,
    /// How many seeds are taught, one after the other.
    pub seeds: u32,
    /// Whether everything is shown that can be chosen of fine-tuning.
    pub all: bool,
    /// Samples that one of two runs gets right alone, the other alone, and neither; and what they are of.
    pub alone: Option<AloneOf>,
    /// Samples of the data map that are easy, ambiguous and hard; and the run that they are of.
    pub regions: Option<(i64, [Vec<SampleId>; 3], Vec<u32>)>,
    /// On the data map: where a frame began that is drawn.
    pub frame: Option<egui::Pos2>,
    /// The run that is looked at, and the one that it is held against.
    pub shown: Option<i64>,
    pub against: Option<i64>,
    pub side: RunSide,
    /// The column of slices.
    pub slice: String,
    pub slices: Option<SlicesOf>,
    pub confused: Option<ConfusedOf>,
    /// A run's new name, while it is typed.
    pub renaming: Option<(i64, String)>,
}

impl Default for TrainForm {
    fn default() -> Self {
        Self {
            label: String::new(),
            text: String::new(),
            split: String::new(),
            encoder: FrozenEncoder::NAMES[0].to_owned(),
            head: 0,
            c: None,
            k: 10,
            balanced: false,
            hidden: 256,
            way: TaughtBy::default(),
            tune: TuneAsked::default(),
            through: String::new(),
            with: Vec::new(),
            uncertain: false,
            model: String::new(),
            prompt: PromptAsked::default(),
            seed: 42,
            seeds: 1,
            all: false,
            alone: None,
            regions: None,
            frame: None,
            shown: None,
            against: None,
            side: RunSide::default(),
            slice: String::new(),
            slices: None,
            confused: None,
            renaming: None,
        }
    }
}

impl TrainForm {
    /// What is asked for: `None` where there is no label yet.
    pub fn lesson(&self, dataset: &Dataset) -> Option<Lesson> {
        let first = || dataset.with_role(crate::data::Role::is_label).map(|field| dataset.fields()[field].name.to_string());
        let label = Some(self.label.clone()).filter(|label| dataset.field(label).is_some()).or_else(first)?;
        let named = |name: &String| Some(name.clone()).filter(|name| dataset.field(name).is_some());
        let head = match HeadKind::ALL[self.head.min(HeadKind::ALL.len() - 1)] {
            HeadKind::Logistic { .. } => HeadKind::Logistic { c: self.c },
            HeadKind::Support { .. } => HeadKind::Support { c: self.c },
            HeadKind::Neighbours { .. } => HeadKind::Neighbours { k: self.k },
            HeadKind::Network { .. } => HeadKind::Network { hidden: self.hidden },
        };
        let approach = match (self.way, FrozenEncoder::from_name(&self.encoder)) {
            (TaughtBy::Prompt, _) if self.model.is_empty() => return None,
            (TaughtBy::Prompt, _) => {
                // What a person said of classes is said to the model, too.
                let descriptions = dataset.properties().guidelines(&label);
                Approach::Prompt { model: self.model.clone(), prompt: PromptAsked { descriptions, ..self.prompt.clone() } }
            }
            (TaughtBy::Features, encoder) => Approach::Features { encoder, head, balanced: self.balanced },
            (TaughtBy::Encoder, FrozenEncoder::Folder(folder)) => Approach::Encoder { folder, tune: self.tune.clone() },
            (TaughtBy::Multitask, FrozenEncoder::Folder(folder)) => {
                let first = TaskAsked { label: label.clone(), weight: 1.0 };
                let others = self.with.iter().filter(|(name, _)| dataset.field(name).is_some() && *name != label);
                let others = others.map(|(label, weight)| TaskAsked { label: label.clone(), weight: *weight });
                let tasks: Vec<TaskAsked> = std::iter::once(first).chain(others).collect();
                if tasks.len() < 2 {
                    return None;
                }
                Approach::Multitask { folder, tune: self.tune.clone(), tasks, uncertain: self.uncertain }
            }
            // Only a folder can be taught.
            _ => return None,
        };
        let through =
            named(&self.through).filter(|name| matches!(self.way, TaughtBy::Features | TaughtBy::Encoder) && *name != label);
        Some(Lesson {
            text: named(&self.text),
            split: named(&self.split),
            through,
            approach,
            seed: self.seed,
            ..Lesson::usual(&label)
        })
    }

    /// The same with every seed that is asked for.
    pub fn lessons(&self, dataset: &Dataset) -> Vec<Lesson> {
        let seeds = 0..u64::from(self.seeds.max(1));
        self.lesson(dataset).map_or(Vec::new(), |lesson| {
            seeds.map(|seed| Lesson { seed: lesson.seed.wrapping_add(seed), ..lesson.clone() }).collect()
        })
    }
}
