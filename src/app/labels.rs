//! The label model beside the window: learning, following decisions, neighbours, likeness and meaning. Each in a job; the model is
//! behind a lock that only jobs take.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use egui::Context;

use super::App;
use super::work::Done;
use crate::action::Action;
use crate::checks::Scan;
use crate::checks::label_errors::{Ask, Given, LabelModel, LabelReport, MOST_FOLLOWED, Unfit};
use crate::data::{Dataset, Role, Rule, SampleId, SampleSet};
use crate::derive::{Key, Store, TextOf, embedding, embedding_key, embedding_of_made};
use crate::edit::{Edit, EditId, Target as Of};
use crate::io::{self, Meaning, MeaningError, Reading};
use crate::job::{JobError, Progress};
use crate::learn::dense::Dense;
use crate::learn::neighbours::{Neighbour, nearest};
use crate::operate::Operation;
use crate::ui::{Command, View};
use crate::workspace::{Workspace, scan_pictures};

/// Where probabilities come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// Learned from the text.
    #[default]
    Text,
    /// Columns of the dataset itself.
    Columns,
    /// A file with one column per class.
    File(PathBuf),
}

/// What is learned of the open dataset.
#[derive(Default)]
pub struct Labels {
    model: Option<Arc<Mutex<LabelModel>>>,
    /// What the model was asked, and whether it has been since the dataset or the question changed.
    asked: Option<Ask>,
    /// Where meaning comes from: of texts, and of images.
    meanings: [Meaning; 2],
    /// Where probabilities come from.
    pub source: Source,
    /// What the model read, or reads: the key of the embedding.
    read: Option<Key>,
    /// Samples that were decided on and that the model has not followed yet.
    pending: Vec<SampleId>,
    /// Those that it is following now.
    following: Vec<SampleId>,
    /// The sample whose neighbours are asked for.
    near_asked: Option<SampleId>,
    counted: Option<EditId>,
    /// The state of the history that the model stands for, once it does.
    stands_at: Option<EditId>,
    /// Models of other states, as they were left: a state that returns shows its earlier answer at once.
    parked: Vec<Parked>,
    /// The sample whose likely classes are asked for.
    likely_asked: Option<SampleId>,
    /// By what outliers among pictures were found.
    pub(super) seen_by: Meaning,
}

/// A model as it was left, and the state of the history that it was left at.
struct Parked {
    at: EditId,
    ask: Ask,
    model: Arc<Mutex<LabelModel>>,
    report: Arc<LabelReport>,
}

/// So many models are kept.
const PARKED: usize = 3;

/// What a learning job brings back.
pub struct Learned {
    pub ask: Ask,
    /// The state of the history that it was learned from.
    pub at: EditId,
    pub result: Result<(Arc<Mutex<LabelModel>>, Arc<LabelReport>), String>,
    /// The key of the embedding that it read, where it read one.
    pub read: Option<Key>,
    /// With outliers by another embedding than before.
    pub scan: Option<Arc<Scan>>,
}

/// Above this many samples, labels are learned when their view is opened, not at once.
const MANY: usize = 200_000;
/// How many samples "find similar" and a search by meaning show.
const SIMILAR: usize = 100;

impl From<MeaningError> for JobError {
    fn from(error: MeaningError) -> Self {
        match error {
            MeaningError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}

impl App {
    /// Starts what has become stale.
    pub(super) fn schedule_labels(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let lost =
            |report: &LabelReport| dataset.field(&report.column).is_none_or(|field| !dataset.fields()[field].role.is_label());
        if self.memo.labels.as_ref().is_some_and(|report| lost(report)) {
            // The column is no label any more, or gone.
            (self.labels.model, self.memo.labels, self.state.review.current) = (None, None, None);
        }
        let looked_at = self.state.view == View::Label || dataset.rows() <= MANY;
        let ask = Ask { method: self.state.review.method, ..Ask::default() };
        // Pictures are looked at first.
        let ready = dataset.pictures().is_none() || self.memo.scan.is_some();
        if ready && looked_at && self.labels.asked.as_ref() != Some(&ask) && dataset.with_role(Role::is_label).is_some() {
            self.start_learning(ask);
        }
        if !self.labels.pending.is_empty() && !self.jobs.is_running("labels") && !self.jobs.is_running("follow") {
            self.start_following();
        }
        if self.state.view == View::Label
            && self.state.review.current.is_none()
            && !self.memo.visible_stale
            && self.state.popup.is_none()
        {
            self.next_in_queue();
        }
        // Another model's eyes are no other texts.
        let texts = |key: &Option<Key>| key.as_ref().map(|key| key.versions[1..].to_vec());
        self.memo.labels_old = self.labels.read.is_some() && texts(&self.labels.read) != texts(&self.to_read());
        self.schedule_neighbours();
        self.schedule_likely();
        self.count_decisions();
    }

    /// Where the meaning of what is open comes from.
    fn meaning(&self) -> &Meaning {
        let pictures = self.workspace.as_ref().is_some_and(|workspace| workspace.dataset().pictures().is_some());
        &self.labels.meanings[usize::from(pictures)]
    }

    /// Chooses where it comes from; the choice outlives the dataset.
    pub(super) fn set_meaning(&mut self, meaning: Meaning) {
        let pictures = self.workspace.as_ref().is_some_and(|workspace| workspace.dataset().pictures().is_some());
        self.labels.meanings[usize::from(pictures)] = meaning;
        self.name_model();
    }

    /// Says on screen which model it is.
    pub(super) fn name_model(&mut self) {
        self.memo.model_name = match self.meaning() {
            Meaning::BuiltIn => None,
            Meaning::Folder(folder) => Some(folder.file_name().unwrap_or_default().to_string_lossy().into_owned()),
        };
    }

    /// Learns the labels anew.
    pub(super) fn start_learning(&mut self, ask: Ask) {
        let Some(workspace) = &self.workspace else { return };
        let (snapshot, store) = (workspace.dataset().clone(), Arc::clone(workspace.derived()));
        let (meaning, read) = (self.meaning().clone(), self.to_read());
        let (project, source) = (workspace.project().0.to_path_buf(), self.labels.source.clone());
        let scan = self.memo.scan.clone();
        if snapshot.pictures().is_some() && scan.is_none() && source == Source::Text {
            // The images first; labels follow by themselves.
            return self.look_again();
        }
        let seen_by = self.labels.seen_by.clone();
        let at = workspace.history().head();
        self.labels.asked = Some(ask.clone());
        // What was decided until now is in the snapshot.
        self.labels.pending.clear();
        self.labels.following.clear();
        self.jobs.cancel("follow");
        self.jobs.start("labels", "Looking for label errors", move |progress| {
            let learned = match &source {
                Source::Text => learn(&snapshot, &ask, &meaning, &store, &project, scan.as_deref(), progress)?,
                Source::Columns => {
                    let given = PREFIXES.iter().map(|prefix| Given::from_columns(&snapshot, &snapshot, &ask, prefix));
                    judge(&snapshot, &ask, given, progress)
                }
                Source::File(path) => {
                    let table = io::open(path, &Reading::default(), progress, &|_| {})?;
                    let given = PREFIXES.iter().map(|prefix| Given::from_columns(&table, &snapshot, &ask, prefix));
                    judge(&snapshot, &ask, given, progress)
                }
            };
            let (fitted, dense) = learned;
            let scan = match (scan, &dense) {
                (Some(scan), Some(dense)) if seen_by != meaning => Some(Arc::new(scan.seen_by(&snapshot, dense, progress)?)),
                _ => None,
            };
            let result = match fitted {
                Ok(model) => {
                    let report = Arc::new(model.report());
                    Ok((Arc::new(Mutex::new(model)), report))
                }
                Err(Unfit::Cancelled) => return Err(JobError::Cancelled),
                Err(trouble) => Err(trouble.to_string()),
            };
            let read = dense.and(read);
            Ok(Done::Learned(Box::new(Learned { ask, at, result, read, scan })))
        });
    }

    /// What a model would read now.
    fn to_read(&self) -> Option<Key> {
        embedding_key(self.workspace.as_ref()?.dataset(), self.meaning())
    }

    pub(super) fn learned(&mut self, ctx: &Context, learned: Learned) {
        if self.labels.asked.as_ref() != Some(&learned.ask) {
            return;
        }
        // Of images that were edited since, what was seen is of the old ones.
        let fresh = learned.read.is_none() || learned.read == self.to_read();
        self.labels.read = learned.read;
        if let Some(scan) = learned.scan.filter(|_| fresh) {
            self.labels.seen_by = self.meaning().clone();
            self.memo.scan = Some(scan);
            self.keys.checked = false;
        }
        match learned.result {
            Ok((model, report)) => {
                self.labels.model = Some(model);
                self.labels.stands_at = Some(learned.at);
                self.memo.label_trouble = None;
                // Another question may not ask about the sample under review.
                let asks =
                    |id: SampleId| report.place.contains_key(&id) || self.state.review.below && report.candidate(id).is_some();
                if self.state.review.current.is_some_and(|current| !asks(current)) {
                    self.state.review.current = None;
                }
                self.take_report(report);
            }
            Err(trouble) => {
                (self.labels.model, self.memo.labels) = (None, None);
                self.memo.label_trouble = Some(trouble);
            }
        }
        ctx.request_repaint();
    }

    /// Shows a newer report. The sample under the user's eyes stays where it is.
    pub(super) fn take_report(&mut self, report: Arc<LabelReport>) {
        self.memo.labels = Some(report);
        self.memo.likely = None;
        self.labels.likely_asked = None;
        self.labels.near_asked = None;
        self.memo.near = None;
        if self.state.review.current.is_none() && self.state.popup.is_none() {
            self.next_in_queue();
        }
    }

    /// Notes what a decision touched, for the model to follow.
    pub(super) fn labels_edited(&mut self, edit: &Edit) {
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        // Many at once, or a class that was not there: learned anew, from the state and not from the way that led to it.
        let mut anew = false;
        for change in &edit.changes {
            let role = |column: &str| dataset.field(column).map(|field| dataset.fields()[field].role);
            match &change.target {
                Of::Cells(column) => match role(column) {
                    Some(role) if role.is_label() => {
                        self.labels.pending.extend(&change.samples);
                        let known = |name: &Option<String>| {
                            let report = self.memo.labels.as_ref();
                            name.as_ref().is_none_or(|name| {
                                report.is_none_or(|report| report.many || report.names.iter().any(|known| **known == **name))
                            })
                        };
                        anew |= change.samples.len() > MOST_FOLLOWED || !change.after.texts.iter().all(known);
                    }
                    _ => {}
                },
                Of::Excluded | Of::Reviewed => {
                    self.labels.pending.extend(&change.samples);
                    anew |= change.samples.len() > MOST_FOLLOWED;
                }
                // Other columns are meant now: what was learned is of no use.
                Of::Role(_) | Of::Kind(_) => self.labels.asked = None,
                // What is made of a sample says nothing new about labels.
                Of::Column(_) | Of::Tag(_) | Of::Made(_) => {}
            }
        }
        if anew {
            self.park();
            self.labels.asked = None;
        }
        let Some(dataset) = self.workspace.as_ref().map(Workspace::dataset) else { return };
        if self.memo.labels.is_none() && self.labels.model.is_none() && !self.jobs.is_running("labels") {
            // There was too little to learn from: a new label may change that.
            let first = edit.changes.iter().any(|change| matches!(&change.target, Of::Cells(_) | Of::Role(_) | Of::Column(_)));
            if first {
                self.labels.asked = None;
            }
        }
        let decides = |target: &Of| match target {
            Of::Excluded | Of::Reviewed => true,
            Of::Cells(column) => dataset.field(column).is_some_and(|field| dataset.fields()[field].role.is_label()),
            _ => false,
        };
        let of = |id: SampleId| edit.changes.iter().any(|change| decides(&change.target) && change.samples.contains(&id));
        let decided = self.state.review.current.is_some_and(of);
        if self.state.view == View::Label && decided {
            self.next_in_queue();
        }
    }

    /// Takes in what following has brought.
    pub(super) fn followed(&mut self, at: EditId, report: Arc<LabelReport>) {
        self.labels.following.clear();
        self.labels.stands_at = Some(at);
        self.take_report(report);
    }

    /// Keeps the model as it is for when its state returns, where it has followed all that led to it.
    fn park(&mut self) {
        let (Some(model), Some(report), Some(at)) =
            (self.labels.model.take(), self.memo.labels.clone(), self.labels.stands_at.take())
        else {
            return;
        };
        let Some(ask) = self.labels.asked.clone() else { return };
        self.labels.parked.retain(|parked| parked.at != at);
        self.labels.parked.push(Parked { at, ask, model, report });
        if self.labels.parked.len() > PARKED {
            self.labels.parked.remove(0);
        }
    }

    /// Takes the model of this state up again, where there is one.
    fn unpark(&mut self) -> bool {
        let Some(head) = self.workspace.as_ref().map(|workspace| workspace.history().head()) else { return false };
        let ask = Ask { method: self.state.review.method, ..Ask::default() };
        let Some(at) = self.labels.parked.iter().position(|parked| parked.at == head && parked.ask == ask) else { return false };
        let parked = self.labels.parked.remove(at);
        self.park();
        for job in ["labels", "follow"] {
            self.jobs.cancel(job);
        }
        self.labels.pending.clear();
        self.labels.following.clear();
        self.labels.asked = Some(parked.ask);
        self.labels.model = Some(parked.model);
        self.labels.stands_at = Some(head);
        self.memo.label_trouble = None;
        self.take_report(parked.report);
        true
    }

    /// After an undo or redo of one decision, that sample is looked at again.
    pub(super) fn labels_walked(&mut self, edit: Option<Edit>) {
        if edit.as_ref().is_none_or(|edit| edit.count() > MOST_FOLLOWED) && self.unpark() {
            return;
        }
        let Some(edit) = edit else {
            self.park();
            self.labels.asked = None;
            return;
        };
        let view = self.state.view;
        self.state.view = View::Explore;
        self.labels_edited(&edit);
        self.state.view = view;
        if view == View::Label && edit.count() == 1 {
            self.state.review.passed.retain(|id| !edit.samples().any(|other| other == *id));
            self.go_in_queue(edit.samples().next());
        }
    }

    /// A following that was stopped is begun again with the next decision.
    pub(super) fn following_given_up(&mut self) {
        let mut again = std::mem::take(&mut self.labels.following);
        again.append(&mut self.labels.pending);
        self.labels.pending = again;
    }

    fn start_following(&mut self) {
        let (Some(workspace), Some(model)) = (&self.workspace, &self.labels.model) else {
            self.labels.pending.clear();
            return;
        };
        let (snapshot, model) = (workspace.dataset().clone(), Arc::clone(model));
        let mut changed = std::mem::take(&mut self.labels.pending);
        changed.sort_unstable();
        changed.dedup();
        self.labels.following.clone_from(&changed);
        let at = workspace.history().head();
        // Until it is done, the model stands between two states.
        self.labels.stands_at = None;
        self.jobs.start("follow", "Following your decisions", move |progress| {
            let mut model = model.lock().unwrap_or_else(PoisonError::into_inner);
            model.follow(&snapshot, &changed, progress)?;
            Ok(Done::Followed(at, Arc::new(model.report())))
        });
    }

    /// Asks for the likeliest classes of the sample that the inspector shows, where classes are more than keys.
    fn schedule_likely(&mut self) {
        let shown =
            matches!(self.state.view, View::Explore | View::Clean) && (self.state.inspector || self.state.inspector_narrow);
        let Some(cursor) = self.state.selection.cursor.filter(|_| shown) else { return };
        let asked = self.labels.likely_asked == Some(cursor) || self.jobs.is_running("follow") || self.jobs.is_running("labels");
        let few = self.memo.labels.as_ref().is_none_or(|report| report.many || report.names.len() <= 9);
        let Some(model) = self.labels.model.clone().filter(|_| !asked && !few) else { return };
        self.labels.likely_asked = Some(cursor);
        self.jobs.start("likely", "Finding likely classes", move |_| {
            let likely = model.lock().unwrap_or_else(PoisonError::into_inner).likely(cursor);
            Ok(Done::Likely(cursor, likely))
        });
    }

    fn schedule_neighbours(&mut self) {
        let Some(current) = self.state.review.current.filter(|_| self.state.view == View::Label) else { return };
        let known = self.memo.near.as_ref().is_some_and(|(id, _)| *id == current);
        if known || self.labels.near_asked == Some(current) || self.jobs.is_running("follow") {
            return;
        }
        let Some(model) = self.labels.model.clone() else { return };
        self.labels.near_asked = Some(current);
        self.jobs.start("near", "Finding neighbours", move |_| {
            let near = model.lock().unwrap_or_else(PoisonError::into_inner).neighbours(current);
            Ok(Done::Near(current, near))
        });
    }

    /// Goes to the sample that gains most among those not passed over yet.
    pub(super) fn next_in_queue(&mut self) {
        let Some(report) = self.memo.labels.clone() else { return };
        let current = self.state.review.current;
        let waits = |app: &Self, id: SampleId| {
            Some(id) != current
                && !app.state.review.passed.contains(&id)
                && app.in_filter(id)
                && app
                    .workspace
                    .as_ref()
                    .is_some_and(|workspace| !workspace.dataset().is_reviewed(id) && !workspace.dataset().is_excluded(id))
        };
        let below = if self.state.review.below { &report.below[..] } else { &[] };
        let next = report.queue.iter().chain(below).map(|candidate| candidate.id).find(|id| waits(self, *id));
        if let Some(current) = current {
            self.state.review.trail.push(current);
        }
        self.go_in_queue(next);
    }

    /// Passes the current sample over.
    pub(super) fn pass_over(&mut self) {
        if let Some(current) = self.state.review.current {
            self.state.review.passed.insert(current);
        }
        self.next_in_queue();
        if self.state.review.current.is_none() {
            // Everything that is left was passed over once: begin again.
            self.state.review.passed.clear();
            self.next_in_queue();
        }
    }

    /// Goes back to the sample that was looked at before.
    pub(super) fn back_in_queue(&mut self) {
        if let Some(before) = self.state.review.trail.pop() {
            self.state.review.passed.remove(&before);
            self.go_in_queue(Some(before));
        }
    }

    pub(super) fn go_in_queue(&mut self, id: Option<SampleId>) {
        self.state.review.current = id;
        // Elsewhere the cursor is the user's.
        if self.state.view != View::Label {
            return;
        }
        let selection = &mut self.state.selection;
        selection.chosen = SampleSet::default();
        selection.cursor = id;
        if let Some(id) = id {
            selection.place = self.memo.visible.place(id, id.row()).unwrap_or(0);
            selection.anchor = selection.place;
        }
    }

    /// Whether nobody has decided on a sample yet; the report may be older than the last decisions.
    fn is_undecided(&self, id: SampleId) -> bool {
        let dataset = self.workspace.as_ref().map(Workspace::dataset);
        dataset.is_some_and(|dataset| !dataset.is_reviewed(id) && !dataset.is_excluded(id))
    }

    fn in_filter(&self, id: SampleId) -> bool {
        self.memo.filtered.as_ref().is_none_or(|filtered| filtered.contains(id))
    }

    /// The suggestion for the sample under review, as an action.
    pub(super) fn accept(&self) -> Option<Action> {
        let report = self.memo.labels.as_ref()?;
        let current = self.state.review.current?;
        let offered = Some(&self.state.offered).filter(|offered| offered.of == Some(current))?;
        Some(Action::Do(Operation::Accept { list: vec![(current, offered.suggested.clone()?)], column: report.column.clone() }))
    }

    /// Everything above the threshold, as one action.
    pub(super) fn accept_all(&self) -> Option<Action> {
        let report = self.memo.labels.as_ref()?;
        let least = self.state.review.threshold;
        let list: Vec<(SampleId, String)> = report
            .queue
            .iter()
            .filter(|candidate| candidate.wrong >= least && self.in_filter(candidate.id) && self.is_undecided(candidate.id))
            .map(|candidate| (candidate.id, report.cell(self.workspace.as_ref().map(Workspace::dataset), &candidate.suggested)))
            .collect();
        (!list.is_empty()).then(|| Action::Do(Operation::Accept { list, column: report.column.clone() }))
    }

    /// How many of the last fifty decisions changed something: read from the history when it has moved.
    fn count_decisions(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        let head = workspace.history().head();
        if self.labels.counted == Some(head) {
            return;
        }
        self.labels.counted = Some(head);
        let line = workspace.history().line(head);
        let (mut real, mut of) = (0, 0);
        for id in line.into_iter().rev().take(200) {
            if of == 50 {
                break;
            }
            if workspace.history().node(id).is_none_or(|node| node.count != 1) {
                continue;
            }
            let Ok(edit) = workspace.edit_at(id) else { continue };
            let has = |wanted: &dyn Fn(&Of) -> bool| edit.changes.iter().any(|change| wanted(&change.target));
            let reviewed = has(&|target| *target == Of::Reviewed);
            let relabelled = has(&|target| matches!(target, Of::Cells(_)));
            let excluded = has(&|target| *target == Of::Excluded);
            if reviewed || excluded {
                of += 1;
                real += usize::from(relabelled || excluded);
            }
        }
        self.memo.streak = (real, of);
    }

    /// Shows the samples most like the one under the cursor.
    pub(super) fn find_similar(&mut self, ctx: &Context) {
        let Some(id) = self.state.selection.cursor else {
            return self.say(ctx, "Choose a sample first: click a row, or press J");
        };
        // What was made of a sample is looked for as that one is: it may be younger than what is known of the others.
        let origins = self.workspace.as_ref().and_then(|workspace| workspace.dataset().origins(id));
        let like = origins.map_or(id, |origins| origins.parent);
        self.start_search(format!("like sample {}", id.0), move |dense| Ok(dense.row(like.row()).to_vec()));
    }

    /// Shows the samples whose meaning is nearest to some words.
    pub(super) fn find_meaning(&mut self, ctx: &Context, words: &str) {
        if self.workspace.as_ref().is_some_and(|workspace| workspace.dataset().pictures().is_some()) {
            let key = Command::FindSimilar.key_text();
            return self.say(
                ctx,
                format!("Words are looked for in texts, and these samples are images: {key} finds what is like one of them"),
            );
        }
        let (text, meaning) = (words.to_owned(), self.meaning().clone());
        self.start_search(format!("means “{words}”"), move |_| Ok(io::embed_words(&text, &meaning)?));
    }

    fn start_search(&mut self, title: String, query: impl FnOnce(&Dense) -> Result<Vec<f32>, JobError> + Send + 'static) {
        let Some(workspace) = &self.workspace else { return };
        let (snapshot, store) = (workspace.dataset().clone(), Arc::clone(workspace.derived()));
        let meaning = self.meaning().clone();
        let project = workspace.project().0.to_path_buf();
        let scan = self.memo.scan.clone();
        self.jobs.start("similar", "Finding similar samples", move |progress| {
            let dense = embedded(&snapshot, &meaning, &store, &project, scan.as_deref(), progress)?;
            let query = query(&dense)?;
            let mut found = nearest(&dense, &query, SIMILAR, |row| snapshot.is_excluded(SampleId(row)));
            // What was made of texts is of the dataset too.
            if snapshot.made() > 0
                && snapshot.pictures().is_none()
                && let Ok(text) = TextOf::of(&snapshot, None)
            {
                let first = snapshot.base.rows as u32;
                let made = embedding_of_made(&snapshot, &text, &meaning, &store, progress)?;
                let near = nearest(&made, &query, SIMILAR, |row| snapshot.is_excluded(SampleId(first + row)));
                found.extend(near.into_iter().map(|near| Neighbour { row: first + near.row, ..near }));
                found.sort_by(|a, b| b.likeness.total_cmp(&a.likeness).then(a.row.cmp(&b.row)));
                found.truncate(SIMILAR);
            }
            let ids: Vec<SampleId> = found.iter().filter(|found| found.likeness > 0.0).map(|found| SampleId(found.row)).collect();
            Ok(Done::Similar(title, ids))
        });
    }

    pub(super) fn found_similar(&mut self, ctx: &Context, title: String, ids: Vec<SampleId>) {
        if ids.is_empty() {
            return self.say(ctx, "Nothing like it was found: the embedding knows nothing of it");
        }
        // One search at a time: a second replaces the first.
        self.state.filter.clauses.retain(|clause| !matches!(clause.rule, Rule::Ranked { .. }));
        self.state.table.sort = None;
        let samples: SampleSet = ids.iter().copied().collect();
        self.state.toggle_clause(Rule::Ranked { title, samples: samples.into(), order: ids.into() }.into());
        self.state.view = View::Explore;
    }

    /// Forgets everything that was learned.
    pub(super) fn forget_labels(&mut self) {
        // The model folder belongs to the user; where probabilities come from, to the dataset.
        self.labels = Labels { meanings: std::mem::take(&mut self.labels.meanings), ..Labels::default() };
        for job in ["labels", "follow", "near", "likely", "similar"] {
            self.jobs.cancel(job);
        }
    }
}

/// How columns of probabilities are called, before the class's name.
const PREFIXES: [&str; 7] = ["p_", "prob_", "proba_", "probability_", "pred_prob_", "score_", ""];

/// A model or why there is none, and the embedding that it read.
type Fitted = (Result<LabelModel, Unfit>, Option<Arc<Dense>>);

fn learn(
    snapshot: &Dataset,
    ask: &Ask,
    meaning: &Meaning,
    store: &Store,
    project: &Path,
    scan: Option<&Scan>,
    progress: &Progress,
) -> Result<Fitted, JobError> {
    if snapshot.pictures().is_some() {
        let dense = embedded(snapshot, meaning, store, project, scan, progress)?;
        let bent = *meaning == Meaning::BuiltIn;
        return Ok((LabelModel::fit_pictures(snapshot, ask, Arc::clone(&dense), bent, progress), Some(dense)));
    }
    let text = match TextOf::of(snapshot, ask.text.as_deref()) {
        Ok(text) => text,
        Err(trouble) => return Ok((Err(trouble.into()), None)),
    };
    let dense = embedding(snapshot, &text, meaning, store, Some(project), progress)?;
    Ok((LabelModel::fit(snapshot, ask, Arc::clone(&dense), progress), Some(dense)))
}

/// Judges by the first of some readings of somebody's probabilities that fits; else says why the first does not.
fn judge(snapshot: &Dataset, ask: &Ask, given: impl Iterator<Item = Result<Given, Unfit>>, progress: &Progress) -> Fitted {
    let mut trouble = None;
    for given in given {
        match given {
            Ok(given) => return (LabelModel::from_probabilities(snapshot, ask, &given, progress), None),
            Err(why) => trouble = Some(why),
        }
    }
    (Err(trouble.unwrap_or(Unfit::NoLabel)), None)
}

/// What samples of the source mean: their pictures where they have any, else their texts.
fn embedded(
    snapshot: &Dataset,
    meaning: &Meaning,
    store: &Store,
    project: &Path,
    scan: Option<&Scan>,
    progress: &Progress,
) -> Result<Arc<Dense>, JobError> {
    let Some(field) = snapshot.pictures() else {
        let text = TextOf::of(snapshot, None).map_err(|trouble| JobError::Failed(trouble.to_string()))?;
        return Ok(embedding(snapshot, &text, meaning, store, Some(project), progress)?);
    };
    match (meaning, scan, embedding_key(snapshot, meaning)) {
        (Meaning::Folder(folder), _, Some(key)) => {
            Ok(store.get(key, progress, || io::embed_pictures(snapshot, field, folder, Some(project), progress))?)
        }
        (_, Some(scan), _) => Ok(Arc::clone(&scan.appearance)),
        (_, None, _) => Ok(scan_pictures(snapshot, field, None, progress)?.appearance),
    }
}
