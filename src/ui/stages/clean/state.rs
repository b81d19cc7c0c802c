//! What of the problems is shown, and where in them one is.

use crate::checks::{Finding, FindingKind};
use crate::data::SampleId;
use crate::session::{Findings, Session, Workspace};

/// What the list was made of.
#[derive(Debug, Clone, PartialEq, Default)]
struct MadeOf {
    /// Where the findings lie, and how many they are: others lie elsewhere.
    findings: (usize, usize),
    revision: u64,
    filtered: Option<(usize, usize)>,
    kind: Option<FindingKind>,
    column: Option<String>,
}

/// The state of Clean.
#[derive(Debug, Clone, Default)]
pub struct CleanState {
    /// The kind that is worked through; `None` for all, worst first.
    pub kind: Option<FindingKind>,
    /// The one column of it.
    pub column: Option<String>,
    /// The place of the finding that keys act on, among those shown; and what it is, wherever it will stand.
    at: Option<usize>,
    chosen: Option<(FindingKind, String, Option<SampleId>)>,
    /// A sample whose finding is to come: it was taken back, and is found again.
    sought: Option<SampleId>,
    /// Scroll so that it is seen, at the next frame.
    pub follow: bool,
    shown: Vec<u32>,
    first: Option<f64>,
    waits: bool,
    made_of: MadeOf,
}

/// So many findings are a sitting's work.
pub const SITTING: usize = 50;

impl CleanState {
    /// Works through a kind, or through all.
    pub fn choose(&mut self, kind: Option<FindingKind>, column: Option<String>) {
        (self.kind, self.column, self.at, self.chosen, self.follow) = (kind, column, None, None, true);
    }

    /// The places of the findings shown, in their list: worst first.
    pub fn shown(&self) -> &[u32] {
        &self.shown
    }

    /// What part of all that waits is gained by the first [`SITTING`] that wait; `None` where there are no more.
    pub fn first(&self) -> Option<f64> {
        self.first
    }

    /// Whether samples wait for a decision here.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// The place of the finding that keys act on, among those shown.
    pub fn at(&self) -> Option<usize> {
        self.at
    }

    /// The finding that keys act on.
    pub fn current<'f>(&self, findings: &'f Findings) -> Option<&'f Finding> {
        findings.list().get(*self.shown.get(self.at?)? as usize)
    }

    /// Brings the list up to date: costs nothing where nothing has changed.
    pub fn follow(&mut self, session: &Session, workspace: &Workspace) {
        let findings = workspace.findings();
        let list = findings.list();
        let filtered = session.filtered();
        let made_of = MadeOf {
            findings: (list.as_ptr() as usize, list.len()),
            revision: workspace.revision(),
            filtered: filtered.map(|set| (std::ptr::from_ref(set) as usize, set.len())),
            kind: self.kind,
            column: self.column.clone(),
        };
        if made_of == self.made_of {
            return;
        }
        let wanted = |kind: FindingKind, column: &str| {
            self.kind.is_none_or(|one| one == kind) && self.column.as_ref().is_none_or(|one| one == column)
        };
        let mut shown: Vec<u32> = Vec::new();
        for problem in findings.problems().iter().filter(|problem| wanted(problem.kind, &problem.column)) {
            // What is fine is shown where it is asked for by name.
            if !problem.fine || self.kind.is_some() && self.column.is_some() {
                shown.extend(&problem.places);
            }
        }
        if let Some(set) = filtered {
            shown.retain(|at| list[*at as usize].samples.iter().any(|id| set.contains(*id)));
        }
        shown.sort_unstable();
        let waits: Vec<&Finding> =
            shown.iter().map(|at| &list[*at as usize]).filter(|finding| !findings.is_settled(finding)).collect();
        self.waits = waits.iter().any(|finding| !finding.decided().is_empty());
        self.first = part_of_first(&waits.into_iter().map(Finding::gain).collect::<Vec<f64>>());
        (self.shown, self.made_of) = (shown, made_of);
        let same = |at: &u32| {
            let finding = &list[*at as usize];
            self.chosen.as_ref().is_some_and(|(kind, column, first)| {
                (finding.kind, &finding.column, finding.samples.first()) == (*kind, column, first.as_ref())
            })
        };
        self.at = self.shown.iter().position(same);
        if let Some(id) = self.sought {
            self.go_to(findings, id);
        }
        // What keys act on is always one of those that are seen.
        if self.at.is_none() && self.sought.is_none() {
            let waits = |at: &u32| !findings.is_settled(&list[*at as usize]);
            let first = self.shown.iter().position(waits).or(if self.shown.is_empty() { None } else { Some(0) });
            if let Some(first) = first {
                self.go(findings, first);
            }
        }
    }

    /// Goes to the finding at a place among those shown.
    pub fn go(&mut self, findings: &Findings, at: usize) {
        if let Some(finding) = self.shown.get(at).map(|at| &findings.list()[*at as usize]) {
            self.chosen = Some((finding.kind, finding.column.clone(), finding.samples.first().copied()));
            self.sought = None;
            (self.at, self.follow) = (Some(at), true);
        }
    }

    /// Moves to the finding so many places on.
    pub fn step(&mut self, findings: &Findings, by: i64) {
        if let Some(last) = self.shown.len().checked_sub(1) {
            let at = self.at.map_or(0, |at| (at as i64 + by).clamp(0, last as i64) as usize);
            self.go(findings, at);
        }
    }

    /// Where the finding that keys act on was settled, goes on to the next that waits; to one before it where none is left behind it.
    pub fn go_on(&mut self, findings: &Findings) {
        let Some(from) = self.at.filter(|_| self.current(findings).is_some_and(|finding| findings.is_settled(finding))) else {
            return;
        };
        let waits = |at: &usize| !findings.is_settled(&findings.list()[self.shown[*at] as usize]);
        let next = (from + 1..self.shown.len()).chain(0..from).find(waits);
        if let Some(next) = next {
            self.go(findings, next);
        }
    }

    /// Goes to the first finding shown that is about a sample, as soon as there is one.
    pub fn go_to(&mut self, findings: &Findings, id: SampleId) {
        let about = |at: &u32| findings.list()[*at as usize].decided().contains(&id);
        if let Some(at) = self.shown.iter().position(about) {
            return self.go(findings, at);
        }
        self.sought = Some(id);
    }
}

fn part_of_first(gains: &[f64]) -> Option<f64> {
    let all: f64 = gains.iter().sum();
    (gains.len() > SITTING && all > 0.0).then(|| gains[..SITTING].iter().sum::<f64>() / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fifty_are_the_part_of_the_gain_that_they_are() {
        assert_eq!(part_of_first(&[1.0; 50]), None, "they are all");
        let gains: Vec<f64> = [0.9; 50].into_iter().chain([0.1; 50]).collect();
        assert!((part_of_first(&gains).unwrap() - 0.9).abs() < 1e-12);
        assert_eq!(part_of_first(&[0.0; 60]), None, "nothing is gained by any");
    }
}
