//! What Train remembers: what is asked for next, which runs are looked at, and how.

use crate::data::Dataset;
use crate::train::{Approach, FrozenEncoder, HeadKind, Lesson, SliceFigures, TuneAsked};

/// What is shown of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunSide {
    #[default]
    Confused,
    Classes,
    Calibration,
    Slices,
    Choice,
}

impl RunSide {
    /// Every side, and what it is called.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Confused, "Confused"),
        (Self::Classes, "Classes"),
        (Self::Calibration, "Calibration"),
        (Self::Slices, "Slices"),
        (Self::Choice, "What was tried"),
    ];
}

/// Slices of a run, and what they are of: the run, the column, the revision, whether figures are old.
pub type SlicesOf = ((i64, String, u64, bool), Vec<SliceFigures>);

/// Pairs of classes that are taken for each other, the most often first: how often, what they are, what is said; and what they are of: the run, the revision, whether figures are old.
pub type ConfusedOf = ((i64, u64, bool), Vec<(usize, usize, usize)>);

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
    /// Whether an encoder is fine-tuned, and how.
    pub tuned: bool,
    pub tune: TuneAsked,
    pub seed: u64,
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
            tuned: false,
            tune: TuneAsked::default(),
            seed: 42,
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
        };
        let approach = match FrozenEncoder::from_name(&self.encoder) {
            FrozenEncoder::Folder(folder) if self.tuned => Approach::Encoder { folder, tune: self.tune.clone() },
            // Only a folder can be taught.
            _ if self.tuned => return None,
            encoder => Approach::Features { encoder, head, balanced: self.balanced },
        };
        Some(Lesson { text: named(&self.text), split: named(&self.split), approach, seed: self.seed, ..Lesson::usual(&label) })
    }
}
