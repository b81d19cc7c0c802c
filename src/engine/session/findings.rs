//! What checks have found, as problems to be worked through: a kind of finding in a column, worst first.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::checks::{Check, Finding, FindingKind};
use crate::data::{Properties, Property, SampleId, SampleSet};
use crate::edit::{Tally, TallyOf};

/// A finding on more samples than this is about the column, and marks none of them by itself.
const FEW: usize = 1_000;

/// One kind of finding in one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub kind: FindingKind,
    pub column: String,
    /// Where its findings stand in the list: worst first.
    pub places: Vec<u32>,
    /// What is gained by its worst.
    pub worst: f64,
    /// Whether somebody said that it is no problem in this column.
    pub fine: bool,
}

/// Findings as a check gave them, put in order: made by the job that looked.
#[derive(Debug, Default)]
pub struct FoundProblems {
    /// Worst first.
    pub list: Vec<Finding>,
    problems: Vec<Problem>,
    /// How long each check took, in seconds.
    pub took: Vec<(&'static str, f64)>,
    /// The checks that were run, by name.
    pub checks: Vec<&'static str>,
    /// The findings of each sample, where few share them.
    of: HashMap<SampleId, Vec<u32>, RandomState>,
}

impl FoundProblems {
    /// Puts findings in order; they come worst first.
    pub fn of(list: Vec<Finding>) -> Self {
        let mut problems: Vec<Problem> = Vec::new();
        let mut places: HashMap<(FindingKind, &str), usize> = HashMap::new();
        let mut of: HashMap<SampleId, Vec<u32>, RandomState> = HashMap::default();
        for (finding, at) in list.iter().zip(0..) {
            let place = *places.entry((finding.kind, finding.column.as_str())).or_insert_with(|| {
                let (kind, column, worst) = (finding.kind, finding.column.clone(), finding.gain());
                problems.push(Problem { kind, column, places: Vec::new(), worst, fine: false });
                problems.len() - 1
            });
            problems[place].places.push(at);
            if finding.samples.len() <= FEW {
                finding.samples.iter().for_each(|id| of.entry(*id).or_default().push(at));
            }
        }
        Self { list, problems, took: Vec::new(), checks: Vec::new(), of }
    }
}

/// Findings, and when they were found.
#[derive(Default)]
pub struct Findings {
    found: FoundProblems,
    /// The revision they were found at; `None` before the first run.
    pub revision: Option<u64>,
    /// Samples that were edited since, or excluded: their findings are settled until they are looked for again.
    edited: SampleSet,
    /// Samples that are marked reviewed: their findings are settled for as long as they are.
    reviewed: SampleSet,
    /// How many wait of each problem, once that was counted.
    open: RefCell<Option<Vec<usize>>>,
}

impl Findings {
    /// Those that were found at a revision.
    pub fn at(revision: u64, found: FoundProblems, reviewed: SampleSet, properties: &Properties) -> Self {
        let revision = Some(revision);
        let mut findings = Self { found, revision, edited: SampleSet::default(), reviewed, open: RefCell::new(None) };
        findings.follow_properties(properties);
        findings
    }

    /// How long each check took, in seconds.
    pub fn took(&self) -> &[(&'static str, f64)] {
        &self.found.took
    }

    /// Every finding, worst first.
    pub fn list(&self) -> &[Finding] {
        &self.found.list
    }

    /// The problems, that with the worst finding first; those that are none here come as they are.
    pub fn problems(&self) -> &[Problem] {
        &self.found.problems
    }

    /// The findings of a problem, worst first, each with its place in the list.
    pub fn of_problem<'f>(&'f self, problem: &'f Problem) -> impl ExactSizeIterator<Item = &'f Finding> {
        problem.places.iter().map(|at| &self.found.list[*at as usize])
    }

    /// What was found on a sample, worst first, where few share it and it is no problem that somebody calls fine.
    pub fn on(&self, id: SampleId) -> impl Iterator<Item = &Finding> {
        let places = self.found.of.get(&id).map_or(&[][..], Vec::as_slice);
        places.iter().map(|at| &self.found.list[*at as usize]).filter(|finding| !self.is_fine(finding))
    }

    /// How many there are of each kind, and how many wait: what the project keeps of them. Label errors have a queue of their own, that not every look asks.
    pub fn tally(&self) -> Tally {
        let of = |(place, problem): (usize, &Problem)| TallyOf {
            check: problem.kind.check().entry().name.to_owned(),
            kind: problem.kind.name().to_owned(),
            column: problem.column.clone(),
            found: problem.places.len() as u64,
            open: if problem.fine { 0 } else { self.open_of(place) as u64 },
        };
        let asked = |problem: &&Problem| problem.kind.check() != Check::LabelErrors;
        let mut found: Vec<TallyOf> = self.found.problems.iter().enumerate().filter(|(_, one)| asked(one)).map(of).collect();
        found.sort_by(|a, b| (&a.check, &a.kind, &a.column).cmp(&(&b.check, &b.kind, &b.column)));
        Tally { at: 0, checks: self.found.checks.iter().map(|name| (*name).to_owned()).collect(), found }
    }

    /// How many findings wait.
    pub fn open(&self) -> usize {
        self.with_open(|open| self.found.problems.iter().zip(open).filter(|(problem, _)| !problem.fine).map(|(_, n)| *n).sum())
    }

    /// How many findings of the problem at this place wait.
    pub fn open_of(&self, place: usize) -> usize {
        self.with_open(|open| open.get(place).copied().unwrap_or(0))
    }

    /// Counted once after each change: drawing asks every frame.
    fn with_open<T>(&self, say: impl FnOnce(&[usize]) -> T) -> T {
        let count = |problem: &Problem| self.of_problem(problem).filter(|finding| !self.is_settled(finding)).count();
        let mut open = self.open.borrow_mut();
        say(open.get_or_insert_with(|| self.found.problems.iter().map(count).collect()))
    }

    /// Whether its kind is no problem in its column.
    pub fn is_fine(&self, finding: &Finding) -> bool {
        self.found.problems.iter().any(|known| known.fine && known.kind == finding.kind && known.column == finding.column)
    }

    /// Whether a finding's samples were all edited since, or are reviewed.
    pub fn is_settled(&self, finding: &Finding) -> bool {
        let settled = |id: &SampleId| self.edited.contains(*id) || self.reviewed.contains(*id);
        let decided = finding.decided();
        !decided.is_empty() && decided.iter().all(settled)
    }

    /// What wears off: samples were edited, or an edit was taken back.
    pub(super) fn set_edited(&mut self, ids: &[SampleId], on: bool) {
        self.open.replace(None);
        for id in ids {
            self.edited.set(*id, on);
        }
    }

    /// Samples are marked reviewed, or not any more.
    pub(super) fn set_reviewed(&mut self, ids: &[SampleId], is_reviewed: impl Fn(SampleId) -> bool) {
        self.open.replace(None);
        for id in ids {
            self.reviewed.set(*id, is_reviewed(*id));
        }
    }

    /// What is no problem is said by properties.
    pub(super) fn follow_properties(&mut self, properties: &Properties) {
        for problem in &mut self.found.problems {
            problem.fine = properties.get(Property::Fine, &[problem.kind.name(), &problem.column]).is_some();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(kind: FindingKind, column: &str, rows: &[u32], severity: f64) -> Finding {
        Finding {
            check: Check::Outliers,
            kind,
            samples: rows.iter().map(|row| SampleId(*row)).collect(),
            column: column.to_owned(),
            severity,
            reason: String::new(),
            suggestion: None,
            alike: Vec::new(),
        }
    }

    #[test]
    fn problems_are_kinds_in_columns_and_one_that_is_fine_waits_no_more() {
        let list = vec![
            finding(FindingKind::SameImage, "path", &[0, 1, 2], 0.9),
            finding(FindingKind::Number, "price", &[7], 0.8),
            finding(FindingKind::Number, "age", &[3], 0.7),
            finding(FindingKind::Number, "price", &[3], 0.6),
        ];
        let mut properties = Properties::default();
        let mut findings = Findings::at(4, FoundProblems::of(list), SampleSet::default(), &properties);
        let shown: Vec<(&str, usize)> = findings.problems().iter().map(|one| (one.column.as_str(), one.places.len())).collect();
        assert_eq!(shown, [("path", 1), ("price", 2), ("age", 1)]);
        assert_eq!((findings.open(), findings.open_of(1)), (4, 2));
        assert_eq!(findings.on(SampleId(3)).map(|finding| finding.severity).collect::<Vec<_>>(), [0.7, 0.6]);
        properties.set(Property::Fine, &["number".to_owned(), "price".to_owned()], Some("yes"));
        findings.follow_properties(&properties);
        assert_eq!((findings.open(), findings.on(SampleId(3)).count()), (2, 1));
        // Of copies the first stays: what becomes of the others settles it.
        findings.set_edited(&[SampleId(1)], true);
        assert_eq!(findings.open(), 2);
        findings.set_edited(&[SampleId(2)], true);
        assert_eq!(findings.open(), 1);
        findings.set_reviewed(&[SampleId(3)], |_| true);
        assert_eq!(findings.open(), 0);
    }
}
