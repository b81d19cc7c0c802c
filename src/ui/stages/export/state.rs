//! How a save is asked for, and what the trainer's eye looks at.

use crate::data::SampleId;
use crate::eye::TrainerTarget;
use crate::session::Session;

/// How a save is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExportForm {
    /// Whether the trainer's eye is shown, and not how to save.
    pub eye: bool,
    /// Whether the inspector shows the sample under the cursor as it sees it, too.
    pub in_inspector: bool,
    /// For whom it looks.
    pub target: TrainerTarget,
    /// Whether the chat template is open to be written.
    pub writes_template: bool,
    /// The samples that are walked through: of a reason, by its name; all that are visible where none is chosen. And the place among them.
    pub walked: Option<(String, Vec<SampleId>)>,
    pub at: usize,
    /// The place of the format in `Format::tables`, behind the last for a folder of images; `None` for the source's own.
    pub format: Option<usize>,
    /// The place of the packing.
    pub packing: usize,
    /// 0 the whole, 1 the filtered, 2 each part.
    pub what: usize,
    /// Write excluded samples too.
    pub excluded: bool,
    /// Write Lapidary's own columns too.
    pub own: bool,
    /// Write UTF-8 whatever the source had.
    pub utf8: bool,
    /// Cells that a spreadsheet would run are made harmless.
    pub safe: bool,
    /// Images: each at its own path rather than under its class; linked rather than copied.
    pub by_path: bool,
    pub link: bool,
}

impl ExportForm {
    /// The sample that the eye looks at.
    pub fn looked_at(&self, session: &Session) -> Option<SampleId> {
        match &self.walked {
            Some((_, list)) => list.get(self.at.min(list.len().saturating_sub(1))).copied(),
            None => {
                let visible = session.visible();
                visible.get(self.at.min(visible.len().saturating_sub(1)))
            }
        }
    }

    /// How many samples are walked through.
    pub fn walked_through(&self, session: &Session) -> usize {
        self.walked.as_ref().map_or_else(|| session.visible().len(), |(_, list)| list.len())
    }

    /// Goes so many samples on, as far as there are any.
    pub fn step(&mut self, session: &Session, by: i64) {
        let last = self.walked_through(session).saturating_sub(1);
        self.at = (self.at.min(last) as i64 + by).clamp(0, last as i64) as usize;
    }
}
