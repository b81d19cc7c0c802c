//! Checks of the open dataset: outliers, and what is seen of every picture.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::Workspace;
use super::asked::{Need, News, Wants};
use super::findings::FoundProblems;
use crate::checks::{CHECKS, CheckEntry, CheckInput, Finding, Options, Scan, in_order, wanted};
use crate::data::{Dataset, SampleId};
use crate::io::{Meaning, PictureCache};
use crate::job::{AnySlot, Came, Desk, Lane, Slot};
use crate::operate::scanned;
use crate::pixels::Look;

/// Above this many samples, what is nice to have is worked out only when it is asked for.
const MANY: usize = 2_000_000;
/// Above this many samples, pictures are looked at when a stage needs that, not at once.
const MANY_PICTURES: usize = 200_000;
/// A finding on more samples than this marks none of them by itself.
const FEW: usize = 1_000;

/// The cache of pictures on disk, opened by whoever needs it first: never by the window itself.
#[derive(Clone, Default)]
pub struct Cache {
    place: PathBuf,
    opened: Arc<OnceLock<Option<PictureCache>>>,
}

impl Cache {
    /// A cache at `place`.
    pub fn at(place: PathBuf) -> Self {
        Self { place, opened: Arc::default() }
    }

    /// The cache, opened where nobody has yet; `None` where it cannot be.
    pub fn open(&self) -> Option<&PictureCache> {
        self.opened.get_or_init(|| PictureCache::open(&self.place, PictureCache::BOUND)).as_ref()
    }

    /// How many bytes it holds, where somebody has opened it.
    pub fn bytes(&self) -> Option<u64> {
        self.opened.get().and_then(Option::as_ref).map(PictureCache::bytes)
    }
}

/// What findings were looked for with.
type CheckKey = (Options, u64, bool, bool);

/// Findings and what is seen of pictures.
pub struct Checking {
    findings: Slot<CheckKey, (u64, FoundProblems)>,
    scan: Slot<u64, Arc<Scan>>,
    /// Whether to look for findings.
    due: bool,
    /// Whether somebody asked for all that takes long in a large dataset.
    thorough: bool,
    /// By what outliers among pictures were found.
    seen_by: Meaning,
    /// The worst finding on each sample, where few share it: its severity and its reason.
    flagged: HashMap<SampleId, (f64, String)>,
}

impl Default for Checking {
    fn default() -> Self {
        Self {
            findings: Slot::new("check", Lane::Learning),
            scan: Slot::new("images", Lane::Learning),
            due: true,
            thorough: false,
            seen_by: Meaning::BuiltIn,
            flagged: HashMap::new(),
        }
    }
}

impl Checking {
    pub fn slots(&self) -> [&dyn AnySlot; 2] {
        [&self.findings, &self.scan]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 2] {
        [&mut self.findings, &mut self.scan]
    }

    /// What was seen of every picture, as they are now.
    pub fn scan(&self, dataset: &Dataset) -> Option<&Arc<Scan>> {
        self.scan.answer_to(&pictures(dataset)?.1)
    }

    /// What every picture looks like.
    pub fn looks(&self, dataset: &Dataset) -> Option<Arc<Vec<Look>>> {
        self.scan(dataset).map(|scan| Arc::clone(&scan.looks))
    }

    /// Whether pictures are being looked at.
    pub fn is_looking(&self) -> bool {
        self.scan.is_asked()
    }

    /// Whether looking at the pictures was stopped.
    pub fn was_stopped(&self, dataset: &Dataset) -> bool {
        let without = self.scan.without().filter(|(version, _)| pictures(dataset).is_some_and(|(_, now)| now == *version));
        matches!(without, Some((_, None)))
    }

    /// By what outliers among pictures were found.
    pub fn seen_by(&self) -> &Meaning {
        &self.seen_by
    }

    /// Takes in outliers among pictures by another embedding.
    pub fn see_by(&mut self, dataset: &Dataset, meaning: Meaning, scan: Arc<Scan>) {
        if let Some((_, version)) = pictures(dataset) {
            self.seen_by = meaning;
            self.scan.put(version, scan);
            self.due = true;
        }
    }

    /// The checks that wait to be asked for, since the dataset is large.
    pub fn left_out(&self, dataset: &Dataset) -> Vec<&'static str> {
        let waits =
            |entry: &&CheckEntry| !self.thorough && entry.run.is_some() && entry.fits(dataset) && dataset.rows() > entry.unasked;
        CHECKS.iter().filter(waits).map(|entry| entry.title).collect()
    }

    /// Looks for findings once more; `thoroughly` also for what takes long in a large dataset.
    pub fn look_again(&mut self, thoroughly: bool) {
        self.thorough |= thoroughly;
        self.due = true;
        self.findings.cancel();
        self.look_at_pictures();
    }

    /// Looks at pictures once more, where that was stopped or has failed.
    pub fn look_at_pictures(&mut self) {
        self.scan.retry();
    }

    /// What an undo brings back may be wrong again.
    pub fn walked(&mut self) {
        self.due = true;
    }

    /// The samples that something was found on, where few share it.
    pub fn flagged(&self) -> Vec<SampleId> {
        self.flagged.keys().copied().collect()
    }

    /// The worst finding on a sample: its severity and its reason.
    pub fn flag(&self, id: SampleId) -> Option<(f64, &str)> {
        self.flagged.get(&id).map(|(severity, reason)| (*severity, reason.as_str()))
    }

    /// Takes in what has come, and looks for what is missing.
    pub fn work(&mut self, workspace: &mut Workspace, wants: &Wants<'_>, cache: &Cache, desk: &Desk, news: &mut Vec<News>) {
        match self.scan.take(desk) {
            Some(Came::Answer) => {
                self.seen_by = Meaning::BuiltIn;
                // What was found before is found again, with pictures.
                self.due = true;
            }
            Some(Came::Failed(why)) => news.push(News::Failed("images", why)),
            None => {}
        }
        match self.findings.take(desk) {
            Some(Came::Answer) => {
                if let Some((_, (revision, found))) = self.findings.take_answer() {
                    self.flag_worst(&found.list, workspace.dataset().rows());
                    workspace.set_findings(revision, found);
                }
            }
            Some(Came::Failed(why)) => news.push(News::Failed("check", why)),
            None => {}
        }
        let dataset = workspace.dataset();
        if let Some((field, version)) = pictures(dataset) {
            let stages = [Need::Checks, Need::Labels, Need::Augment, Need::Balance];
            let asked = dataset.rows() <= MANY_PICTURES || stages.iter().any(|need| wants.needs(*need));
            if asked && self.scan.needs(&version) {
                let (snapshot, cache, store) = (dataset.clone(), cache.clone(), Arc::clone(workspace.derived()));
                self.scan.ask(desk, version, "Looking at images", move |progress| {
                    Ok(scanned(&snapshot, field, cache.open(), &store, progress)?)
                });
            }
        }
        if self.due && (wants.needs(Need::Checks) || dataset.rows() <= MANY) {
            self.due = false;
            self.check(workspace, wants.options, desk);
        }
    }

    fn check(&mut self, workspace: &Workspace, options: &Options, desk: &Desk) {
        let (snapshot, revision) = (workspace.dataset().clone(), workspace.revision());
        let (scan, store, options) = (self.scan(&snapshot).cloned(), Arc::clone(workspace.derived()), options.clone());
        let asked = self.thorough;
        let question = (options.clone(), revision, scan.is_some(), asked);
        self.findings.ask(desk, question, "Looking for problems", move |progress| {
            let input = CheckInput { dataset: &snapshot, scan: scan.as_deref(), store: &store };
            let (mut found, mut took, mut checks) = (Vec::new(), Vec::new(), Vec::new());
            for entry in wanted(&snapshot, asked) {
                let begun = Instant::now();
                if let Some(run) = entry.run {
                    found.extend(run(&input, &options, progress)?);
                    took.push((entry.title, begun.elapsed().as_secs_f64()));
                    checks.push(entry.name);
                }
            }
            let mut found = FoundProblems::of(in_order(found, snapshot.rows()));
            (found.took, found.checks) = (took, checks);
            Ok((revision, found))
        });
    }

    fn flag_worst(&mut self, list: &[Finding], rows: usize) {
        self.flagged.clear();
        // Worst first: what is there already is worse.
        let few = (rows / 20).clamp(20, FEW);
        for finding in list.iter().filter(|finding| finding.samples.len() <= few) {
            for id in &finding.samples {
                let words = || (finding.gain(), format!("{} in {}: {}", finding.kind.title(), finding.column, finding.reason));
                self.flagged.entry(*id).or_insert_with(words);
            }
        }
    }
}

/// The column of pictures, and its version.
fn pictures(dataset: &Dataset) -> Option<(usize, u64)> {
    dataset.pictures().map(|field| (field, dataset.version(field)))
}
