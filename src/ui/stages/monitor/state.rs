//! What Monitor remembers: which batch is looked at and how, how a log is brought in, what rows are chosen by.

use crate::data::SampleId;
use crate::monitor::{Against, LogColumns, LogCut, WorthReason};
use crate::session::WatchWants;

/// What is shown of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BatchSide {
    #[default]
    Columns,
    Performance,
    Slices,
    Newest,
    Worth,
}

impl BatchSide {
    /// Every side, and what it is called.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Columns, "What moved"),
        (Self::Newest, "What is new"),
        (Self::Performance, "How good"),
        (Self::Slices, "Worst slices"),
        (Self::Worth, "Worth a label"),
    ];
}

/// What is looked at, and what is asked for next.
#[derive(Debug, Clone)]
pub struct MonitorForm {
    /// The batch that is looked at, by name; the last where it is none.
    pub shown: Option<String>,
    pub side: BatchSide,
    pub against: Against,
    /// The run that is asked, by number; the last where it is none.
    pub run: Option<i64>,
    /// How the offered log is read and cut.
    pub columns: LogColumns,
    pub cut: LogCut,
    /// How many rows are to be labelled, and for which reasons; for any where there is none.
    pub many: usize,
    pub reasons: Vec<WorthReason>,
    /// The row that is shown whole.
    pub row: Option<SampleId>,
    /// The slice whose rows are shown.
    pub slice: usize,
    /// The part that what is labelled comes into, and those that there are: by the revision that they are of.
    pub part: String,
    pub parts: (Option<u64>, Vec<String>),
}

impl Default for MonitorForm {
    fn default() -> Self {
        Self {
            shown: None,
            side: BatchSide::default(),
            against: Against::default(),
            run: None,
            columns: LogColumns::default(),
            cut: LogCut::default(),
            many: 40,
            reasons: Vec::new(),
            row: None,
            slice: 0,
            part: String::new(),
            parts: (None, Vec::new()),
        }
    }
}

impl MonitorForm {
    /// What is asked of the session; `shown` is the batch on screen.
    pub fn wants<'w>(&'w self, shown: Option<&'w str>, offered: bool) -> WatchWants<'w> {
        WatchWants {
            shown,
            against: &self.against,
            run: self.run,
            offer: offered.then_some((&self.columns, &self.cut)),
            worth: (self.side == BatchSide::Worth).then_some((self.many, self.reasons.as_slice())),
        }
    }
}
