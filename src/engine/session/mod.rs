//! Everything that is open, without a screen: the window is a session and a screen, the command line a session and printing.
//!
//! A session owns the workspace and one slot for each question that can be asked of it. [`Session::slots`] is the one list of them: what the status
//! bar shows, what Stop stops and whether anything is under way follow from it. What depends on what is said by the questions alone: they hold
//! the versions of what they are about, so nobody has to be told that something has become stale.

mod asked;
mod asking;
mod augmenting;
mod balancing;
mod carrying;
mod checking;
mod class_facts;
mod collecting;
mod comparing;
mod completing;
mod contaminating;
mod drafts;
mod embedded;
mod eyeing;
mod facets;
mod findings;
mod following;
mod forms;
mod labels;
mod learning;
mod logs;
mod mapping;
mod opened;
mod opening;
mod operated;
mod operating;
mod parts;
mod replacing;
mod saving;
mod searching;
mod splitting;
mod training;
mod viewing;
mod watching;
mod workspace;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use asked::{EyeWants, Need, News, Wants, WatchWants};
pub use asking::Asking;
pub use carrying::CarryWay;
use checking::Cache;
pub use class_facts::ClassFacts;
pub use collecting::{SourcesSight, edits_in_force, list_path, list_with, list_with_database};
pub use comparing::{ComparedVersions, DiffChoice, DiffItem, DiffKind, SettledChanges};
pub use contaminating::SharedRuns;
pub use drafts::{Drafted, DraftedDraw, DraftedFamily};
pub use facets::{Facet, Facets};
pub use findings::{Findings, FoundProblems, Problem};
pub use forms::{
    AugmentForm, BY_HAND, BY_WEIGHT, BalanceForm, BalanceView, Estimate, MOST_COPIES, ORIGINALS, RULES, WEIGHTS, starters,
};
pub use labels::{LabelSource, decides};
pub use logs::{CutBatch, log_batches, log_of, rows_of};
pub use mapping::SampleMap;
pub use opened::{Opened, Remedy};
pub use opening::Begun;
pub use operated::PlannedEdit;
pub use parts::path_in;
pub use replacing::ReplaceView;
pub use saving::Save;
pub use searching::Sought;
pub use splitting::PlannedSplit;
pub use training::{Measured, Teaching};
pub use viewing::{ChartData, Visible};
pub use watching::{BatchSummary, OfferedLog, ShownBatch, Watching, cut_words};
pub use workspace::{Carried, NamedRun, Workspace, stored_reading};

use augmenting::Augmenting;
use balancing::{Balancing, With};
use checking::Checking;
use class_facts::ClassSight;
use collecting::Collecting;
use comparing::Comparing;
use completing::Completing;
use contaminating::Contaminating;
use eyeing::Eyeing;
use facets::Facetting;
use labels::Labels;
use mapping::Mapping;
use opening::Opening;
use operating::{Operating, column_of};
use replacing::Replacing;
use saving::Saving;
use searching::Searching;
use splitting::Splitting;
use viewing::Viewing;

use crate::checks::Scan;
use crate::checks::label_errors::LabelReport;
use crate::data::{Dataset, Filter, Measure, SampleId, SampleSet, Summary};
use crate::edit::{Edit, EditError, EditId};
use crate::io::{self, Meaning, TextModel};
use crate::job::{AnySlot, Desk, Progress, Running};
use crate::learn::neighbours::Neighbour;
use crate::operate::{Means, Operation, OperationError, Tried, Worth};
use crate::transform::{Replace, Split};

/// What is open, and everything that is worked out of it.
pub struct Session {
    workspace: Option<Workspace>,
    desk: Desk,
    cache: Cache,
    opening: Opening,
    viewing: Viewing,
    checking: Checking,
    labels: Labels,
    searching: Searching,
    splitting: Splitting,
    augmenting: Augmenting,
    balancing: Balancing,
    asking: Asking,
    saving: Saving,
    operating: Operating,
    replacing: Replacing,
    completing: Completing,
    class: ClassSight,
    collecting: Collecting,
    comparing: Comparing,
    facetting: Facetting,
    mapping: Mapping,
    contaminating: Contaminating,
    eyeing: Eyeing,
    training: Teaching,
    watching: Watching,
    news: Vec<News>,
}

impl Session {
    /// A session with nothing open. `wake` is called when there is news, from any thread; `cache` is where pictures are kept.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>, cache: PathBuf) -> Self {
        Self {
            workspace: None,
            desk: Desk::new(wake),
            cache: Cache::at(cache),
            opening: Opening::default(),
            viewing: Viewing::default(),
            checking: Checking::default(),
            labels: Labels::default(),
            searching: Searching::default(),
            splitting: Splitting::default(),
            augmenting: Augmenting::default(),
            balancing: Balancing::default(),
            asking: Asking::default(),
            saving: Saving::default(),
            operating: Operating::default(),
            replacing: Replacing::default(),
            completing: Completing::default(),
            class: ClassSight::default(),
            collecting: Collecting::default(),
            comparing: Comparing::default(),
            facetting: Facetting::default(),
            mapping: Mapping::default(),
            contaminating: Contaminating::default(),
            eyeing: Eyeing::default(),
            training: Teaching::default(),
            watching: Watching::default(),
            news: Vec::new(),
        }
    }

    /// Every slot there is.
    fn slots(&self) -> Vec<&dyn AnySlot> {
        let (opening, operating) = (self.opening.slot(), self.operating.slot());
        let mut all = vec![opening, operating, self.searching.slot(), self.splitting.slot(), self.saving.slot()];
        all.extend([self.replacing.slot(), self.class.slot(), self.facetting.slot(), self.completing.slot()]);
        all.extend(self.viewing.slots());
        all.extend(self.checking.slots());
        all.extend(self.labels.slots());
        all.extend(self.augmenting.slots());
        all.extend(self.balancing.slots());
        all.extend(self.mapping.slots());
        all.extend([self.contaminating.slot(), self.collecting.slot(), self.comparing.slot()]);
        all.extend(self.eyeing.slots());
        all.extend(self.training.slots());
        all.extend(self.watching.slots());
        all
    }

    fn slots_mut(&mut self) -> Vec<&mut dyn AnySlot> {
        let (opening, operating) = (self.opening.slot_mut(), self.operating.slot_mut());
        let mut all = vec![opening, operating, self.searching.slot_mut(), self.splitting.slot_mut(), self.saving.slot_mut()];
        all.extend([self.replacing.slot_mut(), self.class.slot_mut(), self.facetting.slot_mut(), self.completing.slot_mut()]);
        all.extend(self.viewing.slots_mut());
        all.extend(self.checking.slots_mut());
        all.extend(self.labels.slots_mut());
        all.extend(self.augmenting.slots_mut());
        all.extend(self.balancing.slots_mut());
        all.extend(self.mapping.slots_mut());
        all.extend([self.contaminating.slot_mut(), self.collecting.slot_mut(), self.comparing.slot_mut()]);
        all.extend(self.eyeing.slots_mut());
        all.extend(self.training.slots_mut());
        all.extend(self.watching.slots_mut());
        all
    }

    /// What is under way.
    pub fn running(&self) -> Vec<Running<'_>> {
        self.slots().into_iter().filter_map(AnySlot::running).collect()
    }

    /// Whether something is under way that is known by `key`.
    pub fn is_running(&self, key: &str) -> bool {
        self.slots().iter().any(|slot| slot.key() == key && slot.running().is_some())
    }

    /// Whether anything is under way that the stage on screen may show.
    pub fn is_busy(&self, augment_is_shown: bool) -> bool {
        self.saving.is_at_work()
            || self.asking.is_busy(augment_is_shown)
            || augment_is_shown && self.augmenting.is_behind(&self.asking)
            || self.slots().iter().any(|slot| slot.running().is_some())
    }

    /// Stops what is known by `key`, as a person asks: it stays stopped until something else is asked. Whether there was anything to stop.
    pub fn stop(&mut self, key: &str) -> bool {
        if key == "follow" {
            self.labels.stop_following();
            return true;
        }
        self.slots_mut().into_iter().filter(|slot| slot.key() == key).any(|slot| slot.stop())
    }

    /// What is open.
    pub fn workspace(&self) -> Option<&Workspace> {
        self.workspace.as_ref()
    }

    /// Whether the dataset is as it was at `revision`.
    pub fn is_at(&self, revision: u64) -> bool {
        self.workspace.as_ref().is_some_and(|workspace| workspace.revision() == revision)
    }

    fn dataset(&self) -> Option<&Dataset> {
        self.workspace.as_ref().map(Workspace::dataset)
    }

    /// The cache of pictures on disk.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Where work is done.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Takes in what has come, and begins what the screen asks for and nobody knows yet. Cheap where nothing is missing. Says what has happened, and
    /// after how long to look again where nothing wakes.
    pub fn work(&mut self, wants: &Wants<'_>) -> (Vec<News>, Option<Duration>) {
        let Self { workspace, desk, cache, opening, viewing, checking, labels, searching, splitting, augmenting, .. } = self;
        let (balancing, asking, saving, news) = (&mut self.balancing, &mut self.asking, &mut self.saving, &mut self.news);
        let operating = &mut self.operating;
        opening.work(desk, news);
        saving.work(desk, news);
        self.completing.work(desk, news);
        if let Some(workspace) = workspace {
            operating.work(workspace, desk, news);
            viewing.work(workspace, wants, desk, news);
            checking.work(workspace, wants, cache, desk, news);
            searching.work(desk, news);
            self.replacing.work(desk, news);
            self.class.work(workspace, checking, wants, desk, news);
            self.facetting.work(workspace, viewing, wants, desk, news);
            self.mapping.work(workspace, checking, wants, desk, news);
            self.contaminating.work(desk, news);
            self.collecting.work(workspace, wants, desk, news);
            self.comparing.work(workspace, desk, news);
            self.eyeing.work(workspace, wants, desk, news);
            self.training.work(workspace, wants, desk, news);
            self.watching.work(workspace, wants, desk, news);
            splitting.work(desk);
            labels.work(workspace, checking, wants, desk, news);
            augmenting.take(asking, desk, news);
            if wants.needs(Need::Augment) {
                augmenting.draw(workspace, viewing, checking, asking, wants, desk);
            }
            let mut with = With { workspace, checking, asking, augmenting, desk };
            balancing.work(&mut with, wants, wants.needs(Need::Balance), news);
        }
        let again = asking.work(wants.augment, wants.needs(Need::Augment), augmenting.drawn(), desk);
        (std::mem::take(news), again)
    }

    /// Starts opening a file. What is open stays until that has succeeded, unless it is the same file: a project is locked by whoever has it open.
    /// `fallback` is the folder of projects whose own folder cannot be written. Whether what was open is let go of.
    pub fn open(&mut self, path: PathBuf, begun: Begun, fallback: PathBuf) -> bool {
        let true_path = std::path::absolute(io::dataset_path(&path)).ok();
        let same = |workspace: &Workspace| std::path::absolute(&workspace.dataset().base.origin.path).ok() == true_path;
        let left = self.workspace.as_ref().is_some_and(same);
        if left {
            self.leave();
        }
        self.opening.open(path, begun, fallback, &self.desk);
        left
    }

    /// Takes in a dataset that was opened, in the place of what was open.
    pub fn take_in(&mut self, workspace: Workspace) {
        self.leave();
        self.viewing = Viewing::of(workspace.dataset().rows());
        self.workspace = Some(workspace);
    }

    /// Lets go of what is open, and of all that was worked out of it. Saves go on.
    pub fn close(&mut self) {
        self.opening.cancel();
        self.leave();
    }

    fn leave(&mut self) {
        self.workspace = None;
        self.viewing = Viewing::default();
        self.checking = Checking::default();
        self.labels = self.labels.of_another();
        self.searching = Searching::default();
        self.splitting = Splitting::default();
        self.augmenting = Augmenting::default();
        self.balancing = Balancing::default();
        self.operating = Operating::default();
        self.replacing = Replacing::default();
        self.class = ClassSight::default();
        self.facetting = Facetting::default();
        self.contaminating = Contaminating::default();
        self.collecting = Collecting::default();
        self.comparing = Comparing::default();
        self.eyeing = Eyeing::default();
        self.training = Teaching::default();
        self.watching = Watching::default();
        self.asking.stop();
    }

    /// The first rows of what is being opened.
    pub fn first_rows(&self) -> Option<&Dataset> {
        self.opening.rows()
    }

    /// Makes an edit that `plan` plans: durable first, then visible.
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn edit(
        &mut self,
        plan: impl FnOnce(&Workspace) -> Result<Option<Edit>, EditError>,
    ) -> Result<Option<(EditId, Edit)>, EditError> {
        let Some(workspace) = &mut self.workspace else { return Ok(None) };
        let Some(edit) = plan(workspace)? else { return Ok(None) };
        let id = workspace.edit(&edit)?;
        self.labels.edited(workspace.dataset(), &edit);
        Ok(Some((id, edit)))
    }

    /// Carries out an operation: at once, or, where it touches very much, once it is planned beside the window; [`News::Planned`] says so then,
    /// and `loud` whether what it comes to is to be said.
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn operate(&mut self, operation: &Operation, loud: bool) -> Result<Option<(EditId, Edit)>, EditError> {
        let Some(workspace) = &self.workspace else { return Ok(None) };
        if Operating::is_large(workspace, operation) {
            self.operating.ask(workspace, operation.clone(), loud, &self.desk);
            return Ok(None);
        }
        let mut notes = Vec::new();
        let done = self.edit(|workspace| {
            let classes = column_of(operation).and_then(|column| workspace.classes(column)).map(Arc::as_ref);
            let means = Means { classes, derived: Arc::clone(workspace.derived()), ..Means::default() };
            let planned = operation.plan(workspace.dataset(), &means, &Progress::silent());
            planned
                .map(|planned| {
                    notes = planned.notes;
                    planned.edit
                })
                .map_err(|error| match error {
                    OperationError::Edit(error) => error,
                    other => EditError::Refused(other.to_string()),
                })
        });
        if !notes.is_empty() {
            self.news.push(News::Noted(notes));
        }
        done
    }

    /// Makes what was planned beside the window an edit.
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn make(&mut self, planned: PlannedEdit) -> Result<Option<(EditId, Edit)>, EditError> {
        let (Some(workspace), Some(edit)) = (&mut self.workspace, planned.edit) else { return Ok(None) };
        let id = workspace.edit_with(&edit, &planned.prints)?;
        self.labels.edited(workspace.dataset(), &edit);
        Ok(Some((id, edit)))
    }

    /// Walks through the history. Says what was done, and the edit that was taken back or made again, where that was one.
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn walk(
        &mut self,
        step: impl FnOnce(&mut Workspace) -> Result<String, EditError>,
    ) -> Result<(String, Option<Edit>), EditError> {
        let Some(workspace) = &mut self.workspace else { return Err(EditError::Nothing("do")) };
        let before = workspace.history().head();
        let words = step(workspace)?;
        // One step is one edit's samples; a jump may be anything.
        let after = workspace.history().head();
        let parent = |id| workspace.history().node(id).map(|node| node.parent);
        let one = if parent(before) == Some(after) { Some(before) } else { (parent(after) == Some(before)).then_some(after) };
        let edit = one.and_then(|id| workspace.edit_at(id).ok());
        self.checking.walked();
        self.labels.walked(workspace, edit.as_ref(), &mut self.news);
        Ok((words, edit))
    }

    /// The samples that the filter leaves, in the order shown.
    pub fn visible(&self) -> &Visible {
        self.viewing.visible()
    }

    /// The samples that the filter leaves; `None` while there is no filter.
    pub fn filtered(&self) -> Option<&SampleSet> {
        self.viewing.filtered()
    }

    /// Whether another filter or order is asked for than what is shown.
    pub fn is_visible_stale(&self) -> bool {
        self.viewing.is_stale()
    }

    /// The filter and the order that are shown.
    pub fn shown_filter(&self) -> (Filter, Vec<(String, bool)>) {
        self.viewing.shown()
    }

    /// Why the filter cannot be used.
    pub fn filter_trouble(&self) -> Option<&str> {
        self.viewing.filter_trouble()
    }

    /// The chart's data, and the column and measure that it is of.
    pub fn chart(&self) -> Option<(&str, Measure, &ChartData)> {
        self.viewing.chart()
    }

    /// The header's figures of a column.
    pub fn summary(&self, column: &str) -> Option<&Summary> {
        self.viewing.summary(column)
    }

    /// The worst finding on a sample: its severity and its reason.
    pub fn flag(&self, id: SampleId) -> Option<(f64, &str)> {
        self.checking.flag(id)
    }

    /// What was seen of every picture.
    pub fn scan(&self) -> Option<&Arc<Scan>> {
        self.checking.scan(self.dataset()?)
    }

    /// Reads what a path that is being typed may go on with.
    pub fn complete_path(&mut self, typed: &str) {
        self.completing.ask(typed, &self.desk);
    }

    /// The paths that go on from what is typed.
    pub fn completions(&self) -> &[String] {
        self.completing.paths()
    }

    /// Compares what is open with another version, and with what both came from; none for no more. The last path is the folder of projects whose own
    /// cannot be written.
    pub fn compare(&mut self, asked: Option<(PathBuf, Option<PathBuf>, PathBuf)>) {
        self.comparing.ask(asked);
    }

    /// The comparison that was asked for, as far as it is there.
    pub fn compared(&self) -> Option<&ComparedVersions> {
        self.comparing.shown(self.workspace.as_ref()?.revision())
    }

    /// Why versions could not be compared.
    pub fn not_compared(&self) -> Option<&str> {
        self.comparing.trouble()
    }

    /// The list of the open sources, and what of them could be joined.
    pub fn sources(&self) -> Option<&SourcesSight> {
        self.collecting.shown()
    }

    /// What is known of the class that the screen shows whole.
    pub fn class_facts(&self, column: &str, class: &str) -> Option<&ClassFacts> {
        self.class.facts(column, class)
    }

    /// Every sample in the plane, as far as that is worked out.
    pub fn map(&self) -> Option<&SampleMap> {
        self.mapping.map(self.dataset()?).map(|map| &**map)
    }

    /// What the trainer's eye sees.
    pub fn eye(&self) -> &Eyeing {
        &self.eyeing
    }

    /// What stands in somebody's test texts, too, as far as it was looked for.
    pub fn shared_runs(&self) -> Option<&SharedRuns> {
        self.contaminating.shown()
    }

    /// Looks for samples that stand in the test texts of a file, or of a pack.
    pub fn look_for(&mut self, path: PathBuf) {
        if let Some(workspace) = &self.workspace {
            self.contaminating.ask(workspace, path, &self.desk);
        }
    }

    /// What each column holds among the samples that the filter leaves.
    pub fn facets(&self) -> Option<&Facets> {
        self.facetting.facets()
    }

    /// Looks for findings once more, also in pictures where looking at them was stopped; `thoroughly` also for what takes long in a large dataset.
    pub fn check_again(&mut self, thoroughly: bool) {
        self.checking.look_again(thoroughly);
    }

    /// The checks that wait to be asked for, since the dataset is large.
    pub fn checks_left_out(&self) -> Vec<&'static str> {
        self.dataset().map_or_else(Vec::new, |dataset| self.checking.left_out(dataset))
    }

    /// What the label model says.
    pub fn labels(&self) -> Option<&Arc<LabelReport>> {
        self.labels.report()
    }

    /// Why it says nothing.
    pub fn label_trouble(&self) -> Option<&str> {
        self.labels.trouble()
    }

    /// Whether texts were edited since the label model read them.
    pub fn are_labels_old(&self) -> bool {
        self.dataset().is_some_and(|dataset| self.labels.is_old(dataset))
    }

    /// Where meaning or probabilities come from: the built-in embedding where there is no name.
    pub fn model_name(&self) -> Option<String> {
        self.labels.model_name(self.dataset()?)
    }

    /// The nearest labelled samples of one, where they are known.
    pub fn near(&self, id: SampleId) -> Option<&[Neighbour]> {
        self.labels.near(id)
    }

    /// The likeliest classes of a sample, where they are known.
    pub fn likely(&self, id: SampleId) -> &[String] {
        self.labels.likely(id)
    }

    /// Of how many of the last decisions the label was truly wrong: those, and all.
    pub fn streak(&self) -> (usize, usize) {
        self.labels.streak()
    }

    /// Looks for label errors anew.
    pub fn check_labels(&mut self) {
        self.checking.look_at_pictures();
        self.labels.ask_anew();
    }

    /// Chooses where meaning comes from, and looks for label errors anew.
    pub fn choose_meaning(&mut self, meaning: Meaning) {
        if let Some(workspace) = &self.workspace {
            self.checking.look_at_pictures();
            self.labels.choose_meaning(workspace.dataset(), meaning);
        }
    }

    /// Chooses where probabilities come from, and what that is called.
    pub fn choose_source(&mut self, source: LabelSource, name: String) {
        self.labels.choose_source(source, name);
    }

    /// Looks for samples by meaning.
    pub fn search(&mut self, sought: Sought) {
        if let Some(workspace) = &self.workspace {
            self.searching.ask(workspace, &self.labels, &self.checking, sought, &self.desk);
        }
    }

    /// The split that is shown.
    pub fn split(&self) -> Option<(&Split, &PlannedSplit)> {
        self.splitting.plan(self.workspace.as_ref()?)
    }

    /// Why there is none.
    pub fn split_trouble(&self) -> Option<&str> {
        self.splitting.trouble(self.workspace.as_ref()?)
    }

    /// Works out a split to look at, with counts of the classes of `label`.
    pub fn ask_split(&mut self, label: &str, split: Split) {
        if let Some(workspace) = &self.workspace {
            self.splitting.ask(workspace, label, split, &self.desk);
        }
    }

    /// Makes the split that is shown an edit: as [`Session::operate`].
    ///
    /// # Errors
    /// [`EditError`]; nothing has changed then.
    pub fn apply_split(&mut self) -> Result<Option<(EditId, Edit)>, EditError> {
        let Some(split) = self.split().map(|(split, _)| split.clone()) else { return Ok(None) };
        self.operate(&Operation::Split(split), true)
    }

    /// Looks at what a replacement in some samples would do.
    pub fn ask_replace(&mut self, column: &str, what: &Replace, samples: Vec<SampleId>) {
        if let Some(workspace) = &self.workspace {
            self.replacing.ask(workspace, column, what, samples, &self.desk);
        }
    }

    /// What a replacement would do, where that is known.
    pub fn replace_view(&self, column: &str, what: &Replace) -> Option<&ReplaceView> {
        self.replacing.shown(self.workspace.as_ref()?, column, what)
    }

    /// Saves the dataset as it is now, after the saves that wait already.
    pub fn save(&mut self, save: Save) {
        if let Some(workspace) = &self.workspace {
            self.saving.add(workspace.dataset().clone(), save, &self.desk);
        }
    }

    /// Saves of a dataset that is not the one on screen, likewise.
    pub fn save_of(&mut self, snapshot: Dataset, save: Save) {
        self.saving.add(snapshot, save, &self.desk);
    }

    /// Whether a save runs, waits, or is being stopped.
    pub fn is_saving(&self) -> bool {
        self.saving.is_at_work()
    }

    /// Stops the save under way, and lets go of those that wait.
    pub fn stop_saving(&mut self) {
        self.saving.stop_all();
    }

    /// The preview of Augment.
    pub fn drafted(&self) -> Option<&Drafted> {
        self.augmenting.drafted()
    }

    /// Whether another preview is on its way.
    pub fn is_draft_stale(&self) -> bool {
        self.augmenting.is_stale()
    }

    /// Whether a model that judges labels is on its way: until it is there, nothing is added unjudged.
    pub fn is_judging(&self, form: &AugmentForm) -> bool {
        self.dataset().is_some_and(|dataset| self.augmenting.is_judging(dataset, &form.pipeline, &self.checking))
    }

    /// Why text models give the preview no answers, or why there is no preview.
    pub fn asking_trouble(&self) -> Option<&str> {
        let stopped = || self.augmenting.was_stopped().then_some("the preview was stopped");
        self.asking.trouble().or_else(stopped)
    }

    /// Makes the samples that a form asks for; those of `instead`, a batch, go for them.
    ///
    /// # Errors
    /// Why that batch cannot be made anew.
    pub fn augment(&mut self, form: &AugmentForm, instead: Option<usize>) -> Result<(), &'static str> {
        let Some(workspace) = &self.workspace else { return Ok(()) };
        self.augmenting.start(workspace, &self.viewing, &self.asking, form, instead, &self.desk)
    }

    /// The balance that is shown.
    pub fn balance(&self) -> Option<&BalanceView> {
        self.balancing.plan()
    }

    /// Why there is none.
    pub fn balance_trouble(&self) -> Option<&str> {
        self.balancing.trouble()
    }

    /// What a probe says that it is worth, and whether that is of an earlier plan.
    pub fn worth(&self) -> Option<(&Worth, bool)> {
        self.balancing.worth().map(|worth| (worth, self.balancing.is_worth_old()))
    }

    /// The rules that were tried, the best first; `None` before, empty where none changes anything.
    pub fn tried(&self) -> Option<&[Tried]> {
        self.balancing.tried(self.workspace.as_ref()?.revision())
    }

    /// The class weights of the train part as JSON.
    pub fn class_weights(&self, beta: f64) -> Option<String> {
        self.balancing.class_weights(beta)
    }

    /// Does what Balance asks for, where that may be run without more ado; else Augment says why not. Whether it may.
    fn balanced(&mut self, wants: &Wants<'_>, act: impl FnOnce(&mut Balancing, &mut With<'_>)) -> bool {
        let Self { workspace: Some(workspace), checking, asking, augmenting, balancing, desk, .. } = self else { return true };
        let mut with = With { workspace, checking, asking, augmenting, desk };
        let may = with.may_run(wants);
        if may {
            act(balancing, &mut with);
        }
        may
    }

    /// Asks the probe what the balance on screen is worth. Whether its text models may be asked.
    pub fn probe(&mut self, wants: &Wants<'_>) -> bool {
        self.balanced(wants, |balancing, with| balancing.probe(with, wants))
    }

    /// Tries several rules by the probe.
    pub fn try_rules(&mut self, wants: &Wants<'_>) {
        self.balanced(wants, |balancing, with| balancing.try_rules(with, wants));
    }

    /// Carries the balance on screen out. Whether its text models may be asked.
    pub fn apply_balance(&mut self, wants: &Wants<'_>) -> bool {
        self.balanced(wants, |balancing, with| balancing.start(with, wants))
    }

    /// Text models, and what previews ask them.
    pub fn asking(&self) -> &Asking {
        &self.asking
    }

    /// Text models, to change them.
    pub fn asking_mut(&mut self) -> &mut Asking {
        &mut self.asking
    }

    /// Makes other text models ready; answers are kept at `cache`. Whoever asks those of before is stopped.
    pub fn set_text_models(&mut self, list: Vec<TextModel>, cache: PathBuf) {
        self.augmenting.run.cancel();
        self.balancing.cancel_probe();
        self.asking.set_models(list, cache);
    }
}
