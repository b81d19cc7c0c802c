//! What the screen asks of a session, and what it is told.

use std::path::PathBuf;

use super::forms::{AugmentForm, BalanceForm};
use super::opened::Opened;
use super::operated::PlannedEdit;
use crate::checks::Options;
use crate::checks::label_errors::LabelMethod;
use crate::data::{Filter, Measure, SampleId};
use crate::eye::TrainerTarget;
use crate::monitor::{Against, LogColumns, LogCut, WorthReason};
use crate::operate::{Augmented, Balanced, Tried};
use crate::train::{Lesson, Run};

/// What a stage shows, and what is worked out for it though a dataset is large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Findings.
    Checks,
    /// What is seen of every picture.
    Pictures,
    /// What the label model says.
    Labels,
    /// Previews of augmentation.
    Augment,
    /// A plan of balancing.
    Balance,
    /// Every sample in the plane.
    Map,
    /// What a trainer makes of the dataset.
    Eye,
    /// How good the models are that were taught.
    Runs,
    /// Batches of new data.
    Batches,
    /// What of several sources could be joined.
    Sources,
}

/// What the screen asks for: said anew each frame, and free while it stays as it is.
pub struct Wants<'w> {
    pub filter: &'w Filter,
    /// The columns sorted by, the first that counts most, and whether downwards.
    pub sort: &'w [(String, bool)],
    /// The column of the chart, and what of it.
    pub chart: Option<(usize, Measure)>,
    /// What the stage on screen needs.
    pub needs: &'w [Need],
    /// What was moved of the checks' options.
    pub options: &'w Options,
    /// How labels are judged.
    pub method: LabelMethod,
    /// The sample whose nearest neighbours are shown.
    pub neighbours_of: Option<SampleId>,
    /// The sample whose likeliest classes are shown.
    pub likely_of: Option<SampleId>,
    /// Whether facets are shown.
    pub facets: bool,
    /// The class that is shown whole: its column and its name.
    pub class: Option<(&'w str, &'w str)>,
    /// What the trainer's eye looks at.
    pub eye: Option<EyeWants<'w>>,
    /// What is asked of batches of new data.
    pub watch: Option<WatchWants<'w>>,
    pub augment: &'w AugmentForm,
    pub balance: &'w BalanceForm,
}

/// What the trainer's eye looks at.
pub struct EyeWants<'w> {
    /// For whom.
    pub target: &'w TrainerTarget,
    /// Whether the whole dataset is looked at.
    pub whole: bool,
    /// The sample that is shown token by token.
    pub sample: Option<SampleId>,
    /// Samples of a reason, by its name, that are to be mended.
    pub walked: Option<(&'w str, &'w [SampleId])>,
}

impl Wants<'_> {
    /// Whether the stage on screen needs it.
    pub fn needs(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }
}

/// What is asked of batches: which is on screen, what it is held against, and by which run.
#[derive(Debug, Clone, Copy)]
pub struct WatchWants<'w> {
    /// The batch on screen, by name; the last where it is none.
    pub shown: Option<&'w str>,
    pub against: &'w Against,
    /// The run, by its number; the last where it is none.
    pub run: Option<i64>,
    /// How the offered log is read and cut.
    pub offer: Option<(&'w LogColumns, &'w LogCut)>,
    /// How many rows worth a label, and for which reasons, where that is on screen.
    pub worth: Option<(usize, &'w [WorthReason])>,
}

/// What has happened, for whoever draws.
pub enum News {
    /// A dataset was opened, and is still to be taken in.
    Opened(Box<Opened>),
    /// Other samples are visible, and whether by another filter.
    Visible { other_filter: bool },
    /// The label model says something else, or nothing any more; whether it was asked anew.
    Judged { anew: bool },
    /// A preview of Augment is there.
    Drafted,
    /// Samples were found by a search: its words, and the nearest first.
    Similar(String, Vec<SampleId>),
    /// Samples that stand in somebody's test texts, too: the texts' name, and which.
    Contaminated(String, Vec<SampleId>),
    /// New samples are planned; the batch whose place they take.
    Augmented(u64, Box<Augmented>, Option<usize>),
    /// A balance is planned.
    Balanced(u64, Box<Balanced>),
    /// Rules of balancing were tried for what the form asked.
    Tried(BalanceForm, Vec<Tried>),
    /// A large operation is planned, and still to be made an edit; whether that is to be said.
    Planned(Box<PlannedEdit>, bool),
    /// Models were taught, and are still to be kept.
    Taught(Box<Lesson>, Vec<Run>),
    /// What there is to say of what was done.
    Noted(Vec<String>),
    /// A log was read, and may be brought in.
    LogRead,
    /// Something was saved: what there is to say.
    Saved(Vec<String>),
    /// A file could not be opened: its path, and why.
    NotOpened(PathBuf, String),
    /// Something else has failed: what it is known by, and why.
    Failed(&'static str, String),
}
