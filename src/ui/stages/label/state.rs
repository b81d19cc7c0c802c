//! The review queue on screen, and what keys give the sample under review.

use std::collections::HashSet;

use crate::checks::label_errors::{Candidate, LabelMethod, LabelReport};
use crate::data::{SampleId, class_by_digit};
use crate::session::Workspace;

/// What Label shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewTab {
    /// One sample after the other.
    Queue,
    /// How labels go wrong, and how good each class is.
    Noise,
}

/// The review queue on screen.
#[derive(Debug, Clone)]
pub struct Review {
    pub tab: ReviewTab,
    /// The sample under review: it stays until there is a decision, whatever the ranking does.
    pub current: Option<SampleId>,
    /// Samples that were looked at before it, the latest last.
    pub trail: Vec<SampleId>,
    /// Samples passed over without a decision.
    pub passed: HashSet<SampleId>,
    /// The sample under review, where it was decided on and is shown once more; and how many decisions were taken since the last that was.
    pub again: Option<SampleId>,
    pub since: usize,
    /// The least probability of being wrong for accepting many at once, 0 to 1.
    pub threshold: f32,
    /// Whether what that would accept is shown.
    pub preview: bool,
    /// Whether the queue goes on below the line.
    pub below: bool,
    pub method: LabelMethod,
}

impl Default for Review {
    fn default() -> Self {
        Self {
            tab: ReviewTab::Queue,
            current: None,
            trail: Vec::new(),
            passed: HashSet::new(),
            again: None,
            since: 0,
            threshold: 0.95,
            preview: false,
            below: false,
            method: LabelMethod::default(),
        }
    }
}

/// What keys give the sample that is drawn: a decision is taken on what was shown, whatever has been worked out since.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Offered {
    /// The sample.
    pub of: Option<SampleId>,
    /// Digits and the cells that they give.
    pub keys: Vec<(usize, String)>,
    /// The cell that `Enter` gives, where one is suggested.
    pub suggested: Option<String>,
}

impl Offered {
    /// What a candidate's keys give: each class its own digit where there are few, else the likeliest ones.
    pub fn of(candidate: &Candidate, report: &LabelReport, workspace: &Workspace) -> Self {
        let dataset = Some(workspace.dataset());
        let cell = |class: u32| {
            if report.many { report.cell(dataset, &candidate.toggled(class)) } else { report.names[class as usize].to_string() }
        };
        let likely = || candidate.top.iter().map(|(class, _)| &*report.names[*class as usize]);
        let keys = Self::digits(workspace, &report.column, likely())
            .into_iter()
            .filter_map(|(digit, name)| {
                let class = report.names.iter().position(|known| **known == *name);
                match class {
                    Some(class) => Some((digit, cell(class as u32))),
                    None => (!report.many).then_some((digit, name)),
                }
            })
            .collect();
        Self { of: Some(candidate.id), keys, suggested: Some(report.cell(dataset, &candidate.suggested)) }
    }

    /// Which digit names which class of a column; `likely` are a sample's likeliest, most likely first.
    pub fn digits<'n>(workspace: &Workspace, column: &str, likely: impl Iterator<Item = &'n str>) -> Vec<(usize, String)> {
        let Some(classes) = workspace.classes(column) else { return Vec::new() };
        let names = classes.names();
        let used = |place: &usize| classes.counts()[*place] > 0;
        let own: Vec<(usize, String)> = (0..=9)
            .filter_map(|digit| {
                class_by_digit(names, digit, classes.in_order()).filter(used).map(|place| (digit, names[place].to_string()))
            })
            .collect();
        if own.len() == classes.used() {
            return own;
        }
        let likely: Vec<(usize, String)> = (1..=9).zip(likely.map(ToOwned::to_owned)).collect();
        if likely.is_empty() { own } else { likely }
    }

    /// The digit that gives a cell, as it is written on a key.
    pub fn key_of(&self, cell: &str) -> Option<String> {
        self.keys.iter().find(|(_, known)| known == cell).map(|(digit, _)| digit.to_string())
    }
}
