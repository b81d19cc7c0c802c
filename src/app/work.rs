//! What runs beside the window: opening, filtering, counting, checking, splitting, saving. Each works on a snapshot.

use std::sync::Arc;

use egui::Context;

use super::App;
use super::labels::Learned;
use super::making::MakingDone;
use super::opening::Opened;
use crate::action::Action;
use crate::checks::label_errors::LabelReport;
use crate::checks::{Finding, Scan, Thresholds, image_findings, outliers};
use crate::data::{
    Balance, ClassIndex, Dataset, Filter, FilterError, Histogram, Measure, Role, Rule, SampleId, Summary, sort, values,
};
use crate::edit::{Edit, EditId, Target as Of};
use crate::io::{self, ImageTarget, Meaning, Rows, Target};
use crate::job::{JobError, Outcome, Progress};
use crate::learn::neighbours::Neighbour;
use crate::transform::{Plan, Split};
use crate::ui::{ChartData, Memo, Selection, Visible, chart_field, chart_measure, count_samples};
use crate::workspace::{Workspace, copies};

/// What a job brings back.
pub enum Done {
    Opened(Box<Opened>),
    Visible(VisibleKey, Result<Visible, String>),
    Chart(ChartKey, ChartData),
    Classes(String, u64, ClassIndex),
    Summaries(u64, Vec<(String, Summary)>),
    Findings(u64, Vec<Finding>),
    Plan(Split, u64, Result<(Plan, Vec<Vec<u64>>), String>),
    Saved(Vec<String>),
    Learned(Box<Learned>),
    Followed(EditId, Arc<LabelReport>),
    Likely(SampleId, Vec<String>),
    Near(SampleId, Vec<Neighbour>),
    Scanned(Arc<Scan>),
    Making(MakingDone),
    Similar(String, Vec<SampleId>),
}

/// Something to be saved.
pub enum Save {
    /// Files that belong together: one, or the parts of a split.
    Files(Vec<(Rows, Target)>),
    /// A folder of images, by part.
    Images(Vec<(String, Rows)>, ImageTarget),
}

/// What the visible samples depend on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VisibleKey {
    filter: Filter,
    sort: Option<(String, bool)>,
    revision: u64,
}

/// What the chart depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartKey {
    column: String,
    measure: Measure,
    classes: bool,
    visible: VisibleKey,
}

/// What the results on screen were worked out from, and what is being worked out.
#[derive(Default)]
pub struct Keys {
    visible: VisibleKey,
    visible_asked: Option<VisibleKey>,
    chart: Option<ChartKey>,
    chart_asked: Option<ChartKey>,
    summarised: Option<u64>,
    summaries_wanted: Vec<String>,
    pub(super) checked: bool,
    pub(super) scanned: bool,
    /// The version of the pictures that were looked at, and of those that were made.
    pub(super) pictures: Option<(u64, u64)>,
    classes_given_up: bool,
    pub(super) split: Option<(Split, u64)>,
}

/// Above this many samples, what is nice to have is worked out only when it is asked for.
const MANY: usize = 2_000_000;
/// A finding on more samples than this marks none of them by itself.
const FEW: usize = 1_000;
/// Above this many samples, the header's figures are not worked out anew after each edit.
const MANY_TO_SUMMARISE: usize = 200_000;

impl App {
    /// Takes in what jobs have brought, some of it at most a frame.
    pub(super) fn take_reports(&mut self, ctx: &Context) {
        for _ in 0..16 {
            let Some(report) = self.jobs.take() else { return };
            match report.outcome {
                Outcome::Done(done) => self.take(ctx, done),
                Outcome::Cancelled => self.cancelled(ctx, report.key),
                Outcome::Failed(message) => {
                    self.given_up(report.key);
                    // Asked before it is passed: whoever trusts the file says so.
                    let trusted = self.opening.take().filter(|_| report.key == "open" && message.contains("--max-memory"));
                    let remedy = trusted.map(|path| ("Open it all the same".to_owned(), Action::OpenTrusted(path)));
                    self.notice(ctx, message, true, remedy);
                }
            }
        }
        ctx.request_repaint();
    }

    /// Forgets what a job that was stopped had begun.
    pub(super) fn cancelled(&mut self, ctx: &Context, key: &str) {
        self.given_up(key);
        self.say(ctx, "Stopped");
    }

    /// Puts things back to where they were before a job that brought nothing.
    fn given_up(&mut self, key: &str) {
        match key {
            "open" => self.previewed = None,
            "visible" => {
                self.keys.visible_asked = None;
                self.memo.visible_stale = false;
                self.state.filter = self.keys.visible.filter.clone();
                self.state.table.sort.clone_from(&self.keys.visible.sort);
            }
            "classes" => self.keys.classes_given_up = true,
            "images" => self.memo.label_trouble = Some("looking at the images was stopped".to_owned()),
            "follow" => self.following_given_up(),
            "preview" => {
                self.memo.making.stale = false;
                self.memo.making.asking = Some("the preview was stopped".to_owned());
            }
            "risk" => self.memo.making.judging = false,
            _ => {}
        }
    }

    fn take(&mut self, ctx: &Context, done: Done) {
        match done {
            Done::Opened(opened) => self.opened(ctx, *opened),
            Done::Visible(key, result) => self.take_visible(key, result),
            Done::Chart(key, data) => {
                self.memo.chart = Some((key.column.clone(), key.measure, data));
                self.keys.chart = Some(key);
                self.keys.chart_asked = None;
            }
            Done::Classes(column, revision, index) => {
                if let Some(workspace) = &mut self.workspace {
                    workspace.set_classes(&column, revision, index);
                }
            }
            Done::Summaries(revision, list) => {
                self.keys.summarised = Some(revision);
                self.memo.summaries.extend(list);
            }
            Done::Findings(revision, list) => {
                self.memo.flagged.clear();
                // Worst first: what is there already is worse.
                let rows = self.workspace.as_ref().map_or(0, |workspace| workspace.dataset().rows());
                let few = (rows / 20).clamp(20, FEW);
                for finding in list.iter().filter(|finding| finding.samples.len() <= few) {
                    for id in &finding.samples {
                        let words =
                            || (finding.severity, format!("{} in {}: {}", finding.kind.title(), finding.column, finding.reason));
                        self.memo.flagged.entry(*id).or_insert_with(words);
                    }
                }
                if let Some(workspace) = &mut self.workspace {
                    workspace.set_findings(revision, list);
                }
            }
            // A plan for a dataset that was edited meanwhile is no plan: the view asks again.
            Done::Plan(_, revision, ..) if self.workspace.as_ref().is_none_or(|workspace| workspace.revision() != revision) => {}
            Done::Plan(split, revision, result) => {
                self.keys.split = Some((split, revision));
                match result {
                    Ok((plan, classes)) => {
                        (self.memo.plan, self.memo.plan_classes, self.memo.plan_trouble) = (Some(Arc::new(plan)), classes, None);
                    }
                    Err(trouble) => (self.memo.plan, self.memo.plan_trouble) = (None, Some(trouble)),
                }
            }
            Done::Learned(learned) => self.learned(ctx, *learned),
            Done::Followed(at, report) => self.followed(at, report),
            Done::Likely(id, likely) => self.memo.likely = Some((id, likely)),
            Done::Scanned(scan) => {
                self.memo.scan = Some(scan);
                self.labels.seen_by = Meaning::BuiltIn;
                // What was found before is found again, with pictures.
                self.keys.checked = false;
                self.memo.label_trouble = None;
            }
            Done::Making(done) => self.take_making(ctx, done),
            Done::Near(id, near) => self.memo.near = Some((id, near)),
            Done::Similar(title, ids) => self.found_similar(ctx, title, ids),
            Done::Saved(words) => words.into_iter().for_each(|words| self.say(ctx, words)),
        }
    }

    /// Forgets everything that was worked out from a dataset.
    pub(super) fn forget_results(&mut self) {
        self.memo = Memo::default();
        self.keys = Keys::default();
        self.shown_edit = None;
        self.forget_labels();
        self.forget_making();
        self.fetcher = None;
        self.pictures = crate::ui::pictures::Pictures::default();
    }

    /// Notes what an edit makes stale.
    pub(super) fn edited(&mut self, edit: &Edit) {
        self.labels_edited(edit);
        for change in &edit.changes {
            if let Of::Cells(column) | Of::Column(column) | Of::Kind(column) = &change.target
                && !self.keys.summaries_wanted.contains(column)
            {
                self.keys.summaries_wanted.push(column.clone());
            }
        }
        self.forget_plan();
    }

    /// Where another column holds the pictures now, or cells of theirs are others, all that was seen is of the old ones. Where samples were made or
    /// are gone, whoever fetches pictures sees them, and what stood in their place is forgotten.
    fn schedule_pictures(&mut self) {
        let Some(dataset) = self.workspace.as_ref().map(Workspace::dataset) else { return };
        let now = pictures_version(dataset);
        let (was, rows) = (self.keys.pictures, dataset.base.rows);
        match (was, now) {
            (was, now) if was == now => {}
            (Some((was, _)), Some((now, _))) if was == now => {
                self.pictures.forget_from(SampleId::at(rows));
                self.renew_fetcher();
            }
            _ => {
                self.keys.scanned = false;
                self.memo.scan = None;
                self.forget_originals();
                self.begin_pictures();
            }
        }
    }

    fn forget_plan(&mut self) {
        self.jobs.cancel("split");
        self.keys.split = None;
        self.memo.plan = None;
        self.memo.plan_trouble = None;
    }

    /// Stops everything that is being worked out of the dataset that is open.
    pub(super) fn stop_working(&mut self) {
        for job in ["visible", "chart", "classes", "summaries", "check", "split", "images"] {
            self.jobs.cancel(job);
        }
    }

    /// Notes that anything may have changed: undo, redo, jumps.
    pub(super) fn all_edited(&mut self) {
        if let Some(workspace) = &self.workspace {
            self.keys.summaries_wanted = workspace.dataset().fields().iter().map(|field| field.name.to_string()).collect();
        }
        // What an undo brings back may be wrong again: look anew where that is cheap.
        self.keys.checked = false;
        self.forget_plan();
    }

    fn take_visible(&mut self, key: VisibleKey, result: Result<Visible, String>) {
        self.keys.visible_asked = None;
        self.memo.visible_stale = false;
        match result {
            Ok(visible) => {
                self.memo.filtered = (!key.filter.is_empty()).then(|| visible.iter().collect());
                self.memo.visible = visible;
                self.memo.filter_trouble = None;
                self.settle_cursor(key.filter != self.keys.visible.filter);
            }
            Err(trouble) => self.memo.filter_trouble = Some(trouble),
        }
        self.keys.visible = key;
    }

    /// Keeps the cursor on its sample. Where another filter took that away there is no cursor: the next key must not act on a
    /// sample that nobody chose. Where an edit took it out of the filter, the cursor is on what stands in its place.
    fn settle_cursor(&mut self, other_filter: bool) {
        // In the queue the cursor is on the sample under review, wherever the filter leaves it.
        if self.state.view == crate::ui::View::Label {
            return;
        }
        let selection = &mut self.state.selection;
        let Some(id) = selection.cursor else { return };
        let place = match self.memo.visible.place(id, selection.place) {
            Some(place) => {
                self.state.table.follow |= place != selection.place;
                place
            }
            None if other_filter => {
                *selection = Selection::default();
                return;
            }
            None => {
                let place = selection.place.min(self.memo.visible.len().saturating_sub(1));
                selection.cursor = self.memo.visible.get(place);
                place
            }
        };
        (selection.place, selection.anchor) = (place, place);
    }

    /// Starts whatever has become stale and is not being worked out yet. Cheap: compares keys.
    pub(super) fn schedule(&mut self) {
        self.schedule_saves();
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let revision = workspace.revision();
        let plain = self.state.filter.is_empty() && self.state.table.sort.is_none();
        let wanted = VisibleKey {
            filter: self.state.filter.clone(),
            sort: self.state.table.sort.clone(),
            revision: if plain { 0 } else { revision },
        };
        // Samples that were made, or are gone again, are seen without a filter too.
        let grown = plain && matches!(self.memo.visible, Visible::All(n) if n != dataset.rows());
        if (wanted != self.keys.visible || grown) && self.keys.visible_asked.as_ref() != Some(&wanted) {
            if plain {
                self.jobs.cancel("visible");
                let all = Visible::All(dataset.rows());
                self.take_visible(wanted.clone(), Ok(all));
            } else {
                // A filter that changed dims what it replaces; an edit under a filter does not: rows must not flicker.
                self.memo.visible_stale = wanted.filter != self.keys.visible.filter || wanted.sort != self.keys.visible.sort;
                self.keys.visible_asked = Some(wanted.clone());
                let snapshot = dataset.clone();
                let key = wanted.clone();
                self.jobs.start("visible", "Filtering", move |progress| visible(&snapshot, key, progress));
            }
        }
        self.schedule_pictures();
        self.schedule_classes();
        self.schedule_chart(wanted);
        self.schedule_rest();
        self.schedule_scan();
        self.schedule_labels();
        self.schedule_making();
    }

    /// What the visible samples depend on, as the screen asks for them now.
    pub(super) fn visible_key(&self) -> VisibleKey {
        VisibleKey { sort: None, ..self.keys.visible.clone() }
    }

    fn schedule_classes(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        if self.jobs.is_running("classes") || self.keys.classes_given_up {
            return;
        }
        let dataset = workspace.dataset();
        let missing = (0..dataset.fields().len()).find(|field| {
            dataset.fields()[*field].role.is_label() && workspace.classes(&dataset.fields()[*field].name).is_none()
        });
        if let Some(field) = missing {
            let (snapshot, revision) = (dataset.clone(), workspace.revision());
            let column = dataset.fields()[field].name.to_string();
            self.jobs.start("classes", format!("Counting classes of {column}"), move |progress| {
                Ok(Done::Classes(column, revision, ClassIndex::build(&snapshot, field, progress)?))
            });
        }
    }

    fn schedule_chart(&mut self, visible: VisibleKey) {
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let Some(field) = chart_field(&self.state, dataset) else { return };
        let column = dataset.fields()[field].name.to_string();
        let classes = workspace.classes(&column).cloned();
        if dataset.fields()[field].role.is_label() && classes.is_none() {
            return;
        }
        let measure = chart_measure(&self.state, dataset, field);
        let filtered = !self.state.filter.is_empty();
        let fresh = self.keys.visible == visible;
        // An edit changes the chart of classes by itself; a histogram of numbers is worked out anew.
        let revision = if classes.is_some() && !filtered { 0 } else { workspace.revision() };
        let key =
            ChartKey { column, measure, classes: classes.is_some(), visible: VisibleKey { revision, sort: None, ..visible } };
        let known = self.keys.chart.as_ref() == Some(&key) || self.keys.chart_asked.as_ref() == Some(&key);
        if known || !fresh || self.memo.visible_stale || (key.classes && !filtered) {
            return;
        }
        self.keys.chart_asked = Some(key.clone());
        let (snapshot, shown) = (dataset.clone(), self.memo.visible.clone());
        self.jobs.start("chart", "Counting", move |progress| {
            progress.check()?;
            let data = match classes {
                Some(classes) => {
                    let part = classes.count(shown.iter().filter(|id| !snapshot.is_excluded(*id)));
                    ChartData::Classes { balance: Balance::of(&part), part }
                }
                None => numbers(&snapshot, field, measure, &shown, filtered),
            };
            Ok(Done::Chart(key, data))
        });
    }

    fn schedule_rest(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        let (dataset, revision) = (workspace.dataset(), workspace.revision());
        if !self.jobs.is_running("summaries") {
            let first = self.keys.summarised.is_none();
            let again = !self.keys.summaries_wanted.is_empty() && dataset.rows() <= MANY_TO_SUMMARISE;
            if first || again {
                let wanted = std::mem::take(&mut self.keys.summaries_wanted);
                let fields: Vec<usize> = (0..dataset.fields().len())
                    .filter(|field| first || wanted.iter().any(|name| **name == *dataset.fields()[*field].name))
                    .collect();
                // Wide files: the header shows what fits a screen; the rest comes when somebody asks.
                let fields: Vec<usize> = fields.into_iter().take(64).collect();
                self.keys.summarised = Some(revision);
                let snapshot = dataset.clone();
                self.jobs.start("summaries", "Looking at columns", move |progress| {
                    let mut list = Vec::new();
                    for field in fields {
                        list.push((snapshot.fields()[field].name.to_string(), Summary::of(&snapshot, field, progress)?));
                    }
                    Ok(Done::Summaries(revision, list))
                });
            }
        }
        let asked = self.state.view == crate::ui::View::Clean || dataset.rows() <= MANY;
        if !self.keys.checked && asked {
            self.keys.checked = true;
            self.start_check(self.state.thresholds);
        }
    }

    /// Looks for outliers.
    pub(super) fn start_check(&mut self, thresholds: Thresholds) {
        let Some(workspace) = &self.workspace else { return };
        let (snapshot, revision) = (workspace.dataset().clone(), workspace.revision());
        let scan = self.memo.scan.clone();
        self.jobs.start("check", "Looking for outliers", move |progress| {
            let mut found = outliers(&snapshot, &thresholds, progress)?;
            if let Some(scan) = scan {
                found.extend(image_findings(&snapshot, &scan, &thresholds.images, progress)?);
                found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.first().cmp(&b.samples.first())));
            }
            Ok(Done::Findings(revision, found))
        });
    }

    /// Works out a split to look at.
    pub(super) fn start_split(&mut self, split: Split) {
        let Some(workspace) = &self.workspace else { return };
        let revision = workspace.revision();
        if self.keys.split.as_ref().is_some_and(|(known, at)| *known == split && *at == revision) && self.memo.plan.is_some() {
            return;
        }
        let snapshot = workspace.dataset().clone();
        let label = snapshot.field(&self.state.split.label).or_else(|| snapshot.with_role(Role::is_label));
        let classes = label.and_then(|field| workspace.classes(&snapshot.fields()[field].name)).cloned();
        let store = Arc::clone(workspace.derived());
        self.jobs.start("split", "Splitting", move |progress| {
            let copies = copies(&snapshot, &store, progress)?;
            let result = match split.plan(&snapshot, Option::as_ref(&copies), progress) {
                Ok(plan) => {
                    let mut counts: Vec<Vec<u64>> = Vec::new();
                    if let Some(classes) = &classes {
                        counts.extend((0..plan.names.len()).map(|part| classes.count(plan.members(part))));
                        counts.push(classes.count(plan.samples.iter().copied()));
                    }
                    Ok((plan, counts))
                }
                Err(crate::transform::SplitError::Cancelled) => return Err(JobError::Cancelled),
                Err(error) => Err(error.to_string()),
            };
            Ok(Done::Plan(split, revision, result))
        });
    }

    /// Saves what is to be saved of the dataset as it is now, after the saves that wait already.
    pub(super) fn save(&mut self, save: Save) {
        let Some(workspace) = &self.workspace else { return };
        let snapshot = workspace.dataset().clone();
        self.saves.push_back((snapshot, save));
        self.schedule_saves();
    }

    /// Begins the next save once none runs: a second one does not take the first one's place.
    pub(super) fn schedule_saves(&mut self) {
        if self.jobs.is_running("export") || self.jobs.is_ending("export") {
            return;
        }
        match self.saves.pop_front() {
            Some((snapshot, Save::Files(list))) => self.start_export(snapshot, list),
            Some((snapshot, Save::Images(parts, target))) => self.start_image_export(snapshot, parts, target),
            None => {}
        }
    }

    /// Saves files that belong together.
    fn start_export(&mut self, snapshot: Dataset, list: Vec<(Rows, Target)>) {
        self.jobs.start("export", "Saving", move |progress| {
            let reports = io::export_parts(&snapshot, &list, progress)?;
            let mut words: Vec<String> = Vec::new();
            for text in reports.iter().flat_map(|report| &report.notes) {
                // What is true of all of them is said once.
                if !words.contains(text) {
                    words.push(text.clone());
                }
            }
            match (list.as_slice(), reports.as_slice()) {
                ([(_, target)], [report]) => {
                    words.push(format!("Saved {} to {}", count_samples(report.rows), target.path.display()));
                }
                _ => {
                    let all: usize = reports.iter().map(|report| report.rows).sum();
                    let folder = list.first().and_then(|(_, target)| target.path.parent()).unwrap_or(std::path::Path::new("."));
                    words.push(format!("Saved {} in {} files to {}", count_samples(all), list.len(), folder.display()));
                }
            }
            Ok(Done::Saved(words))
        });
    }

    /// Saves images as folders.
    fn start_image_export(&mut self, snapshot: Dataset, parts: Vec<(String, Rows)>, target: ImageTarget) {
        self.jobs.start("export", "Saving images", move |progress| {
            let report = io::export_images(&snapshot, &parts, &target, progress)?;
            let mut words = report.notes;
            words.push(format!("Saved {} to {}", count_samples(report.rows), target.folder.display()));
            Ok(Done::Saved(words))
        });
    }

    /// Reads the edit that History shows, once.
    pub(super) fn read_shown_edit(&mut self) {
        let Some(at) = self.state.history_at.filter(|_| self.state.view == crate::ui::View::History) else { return };
        if self.shown_edit.as_ref().is_none_or(|(known, _)| *known != at) {
            self.shown_edit = self.workspace.as_ref().and_then(|workspace| workspace.edit_at(at).ok()).map(|edit| (at, edit));
        }
    }
}

/// The version of a dataset's pictures, and of those that were made of them.
pub(super) fn pictures_version(dataset: &Dataset) -> Option<(u64, u64)> {
    dataset.pictures().map(|field| (dataset.version(field), dataset.made_version(field)))
}

fn visible(snapshot: &Dataset, key: VisibleKey, progress: &Progress) -> Result<Done, JobError> {
    let found = match key.filter.apply(snapshot, progress) {
        Ok(found) => found,
        Err(FilterError::Cancelled) => return Err(JobError::Cancelled),
        Err(error) => return Ok(Done::Visible(key, Err(error.to_string()))),
    };
    let ordered = match key.sort.as_ref().and_then(|(column, down)| snapshot.field(column).map(|field| (field, *down))) {
        Some((field, down)) => sort(snapshot, &found, field, down, progress)?,
        None => ranked(&key.filter, found),
    };
    Ok(Done::Visible(key, Ok(Visible::These(Arc::new(ordered)))))
}

/// In the order of the search that made the list, where there is one.
fn ranked(filter: &Filter, found: Vec<SampleId>) -> Vec<SampleId> {
    let order = filter.clauses.iter().find_map(|clause| match &clause.rule {
        Rule::Ranked { order, .. } if !clause.negated => Some(order),
        _ => None,
    });
    let Some(order) = order else { return found };
    let left: std::collections::HashSet<SampleId> = found.into_iter().collect();
    order.iter().copied().filter(|id| left.contains(id)).collect()
}

const BINS: usize = 60;

fn numbers(snapshot: &Dataset, field: usize, measure: Measure, shown: &Visible, filtered: bool) -> ChartData {
    let all: Vec<SampleId> = snapshot.samples().filter(|id| !snapshot.is_excluded(*id)).collect();
    let list: Vec<f64> = values(snapshot, field, measure, &all).into_iter().map(|(_, value)| value).collect();
    let whole = Histogram::of(list.iter().copied(), BINS);
    let part = if filtered {
        let ids: Vec<SampleId> = shown.iter().filter(|id| !snapshot.is_excluded(*id)).collect();
        whole.recount(values(snapshot, field, measure, &ids).into_iter().map(|(_, value)| value))
    } else {
        whole.counts.clone()
    };
    ChartData::Numbers { whole, part }
}
