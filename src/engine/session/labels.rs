//! The label model: learning, following decisions, the samples nearest to one and the classes likeliest for it. Each in a job; the model is behind a
//! lock that only jobs take.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Workspace;
use super::asked::{Need, News, Wants};
use super::checking::Checking;
use super::embedded::embedded;
use crate::checks::Scan;
use crate::checks::label_errors::{Given, LabelMethod, LabelModel, LabelQuestion, LabelReport, MOST_FOLLOWED, Unfit};
use crate::data::{Dataset, Role, SampleId};
use crate::derive::{Key, Store, TextOf, embedding, embedding_key};
use crate::edit::{Edit, EditId, Target as Of};
use crate::io::{self, Meaning, Reading};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};
use crate::learn::dense::Dense;
use crate::learn::neighbours::Neighbour;

/// Where probabilities come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LabelSource {
    /// Learned from the text.
    #[default]
    Text,
    /// Columns of the dataset itself.
    Columns,
    /// A file with one column per class.
    File(PathBuf),
}

/// A model as it was left, and the state of the history that it was left at.
struct Parked {
    at: EditId,
    ask: LabelQuestion,
    model: Arc<Mutex<LabelModel>>,
    report: Arc<LabelReport>,
}

/// So many models are kept.
const PARKED: usize = 3;

/// What a learning job brings back.
struct Learned {
    result: Result<(Arc<Mutex<LabelModel>>, Arc<LabelReport>), String>,
    /// The key of the embedding that it read, where it read one.
    read: Option<Key>,
    /// With outliers by another embedding than before.
    scan: Option<Arc<Scan>>,
}

/// Above this many samples, labels are learned when their stage is opened, not at once.
const MANY: usize = 200_000;
/// More classes than keys: then the likeliest are asked for.
const KEYS: usize = 9;
/// Of how many decisions it is said how many changed something, and how far back they are looked for.
const STREAK: usize = 50;
const FAR_BACK: usize = 200;

/// What is learned of the labels of the open dataset.
pub struct Labels {
    model: Option<Arc<Mutex<LabelModel>>>,
    report: Option<Arc<LabelReport>>,
    /// Why there is none.
    trouble: Option<String>,
    /// What the model was asked, where that has been since the dataset or the question changed.
    asked: Option<LabelQuestion>,
    /// How labels are to be judged.
    method: LabelMethod,
    /// Where meaning comes from: of texts, and of images.
    meanings: [Meaning; 2],
    /// Where probabilities come from, and what that is called.
    source: (LabelSource, Option<String>),
    /// What the model read, or reads: the key of the embedding.
    read: Option<Key>,
    /// Samples that were decided on and that the model has not followed yet.
    pending: Vec<SampleId>,
    /// Those whose following was stopped: they are followed with the next decision.
    held: Vec<SampleId>,
    /// The state of the history that the model stands for, once it does.
    stands_at: Option<EditId>,
    /// Models of other states, as they were left: a state that returns shows its earlier answer at once.
    parked: Vec<Parked>,
    learning: Slot<(LabelQuestion, EditId), Learned>,
    following: Slot<(EditId, Vec<SampleId>), Arc<LabelReport>>,
    near: Slot<SampleId, Vec<Neighbour>>,
    likely: Slot<SampleId, Vec<String>>,
    /// Of how many of the last decisions the label was truly wrong: those, and all; as of a state of the history.
    streak: (Option<EditId>, (usize, usize)),
    /// Whether edits were decisions, and changed something: each is read once.
    decisions: HashMap<EditId, Option<bool>>,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            model: None,
            report: None,
            trouble: None,
            asked: None,
            method: LabelMethod::default(),
            meanings: [Meaning::BuiltIn, Meaning::BuiltIn],
            source: (LabelSource::Text, None),
            read: None,
            pending: Vec::new(),
            held: Vec::new(),
            stands_at: None,
            parked: Vec::new(),
            learning: Slot::new("labels", Lane::Learning),
            following: Slot::new("follow", Lane::Learning),
            near: Slot::new("near", Lane::Learning),
            likely: Slot::new("likely", Lane::Learning),
            streak: (None, (0, 0)),
            decisions: HashMap::new(),
        }
    }
}

impl Labels {
    pub fn slots(&self) -> [&dyn AnySlot; 4] {
        [&self.learning, &self.following, &self.near, &self.likely]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 4] {
        [&mut self.learning, &mut self.following, &mut self.near, &mut self.likely]
    }

    /// Those of another dataset: the models' folders belong to the user, where probabilities come from to the dataset.
    pub fn of_another(&mut self) -> Self {
        Self { meanings: std::mem::take(&mut self.meanings), ..Self::default() }
    }

    /// What the label model says.
    pub fn report(&self) -> Option<&Arc<LabelReport>> {
        self.report.as_ref()
    }

    /// Why it says nothing.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether texts were edited since it read them.
    pub fn is_old(&self, dataset: &Dataset) -> bool {
        // Another model's eyes are no other texts.
        let texts = |key: Option<&Key>| key.map(|key| key.versions[1..].to_vec());
        self.read.is_some() && texts(self.read.as_ref()) != texts(self.to_read(dataset).as_ref())
    }

    /// The nearest labelled samples of one, where they are known.
    pub fn near(&self, id: SampleId) -> Option<&[Neighbour]> {
        self.near.answer_to(&id).map(Vec::as_slice)
    }

    /// The likeliest classes of a sample, where they are known.
    pub fn likely(&self, id: SampleId) -> &[String] {
        self.likely.answer_to(&id).map_or(&[], Vec::as_slice)
    }

    /// Of how many of the last decisions the label was truly wrong: those, and all.
    pub fn streak(&self) -> (usize, usize) {
        self.streak.1
    }

    /// Where the meaning of a dataset comes from.
    pub fn meaning(&self, dataset: &Dataset) -> &Meaning {
        &self.meanings[usize::from(dataset.pictures().is_some())]
    }

    /// What that is called: the built-in embedding where there is no name.
    pub fn model_name(&self, dataset: &Dataset) -> Option<String> {
        match (&self.source.1, self.meaning(dataset)) {
            (Some(name), _) => Some(name.clone()),
            (None, Meaning::BuiltIn) => None,
            (None, Meaning::Folder(folder)) => Some(folder.file_name().unwrap_or_default().to_string_lossy().into_owned()),
        }
    }

    /// Chooses where meaning comes from, and learns anew; the choice outlives the dataset.
    pub fn choose_meaning(&mut self, dataset: &Dataset, meaning: Meaning) {
        self.meanings[usize::from(dataset.pictures().is_some())] = meaning;
        self.source = (LabelSource::Text, None);
        self.ask_anew();
    }

    /// Chooses where probabilities come from, and what that is called, and judges anew.
    pub fn choose_source(&mut self, source: LabelSource, name: String) {
        self.source = (source, Some(name));
        self.ask_anew();
    }

    /// Learns the labels anew.
    pub fn ask_anew(&mut self) {
        self.asked = None;
        self.learning.cancel();
    }

    fn ask(&self) -> LabelQuestion {
        LabelQuestion { method: self.method, ..LabelQuestion::default() }
    }

    /// What a model would read now.
    fn to_read(&self, dataset: &Dataset) -> Option<Key> {
        embedding_key(dataset, self.meaning(dataset))
    }

    /// Takes in what has come, and asks for what is missing.
    pub fn work(&mut self, workspace: &Workspace, checking: &mut Checking, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        let dataset = workspace.dataset();
        self.method = wants.method;
        match self.learning.take(desk) {
            Some(Came::Answer) => self.learned(dataset, checking, news),
            Some(Came::Failed(why)) => news.push(News::Failed("labels", why)),
            None => {}
        }
        match self.following.take(desk) {
            Some(Came::Answer) => {
                if let Some(((at, _), report)) = self.following.take_answer() {
                    self.stands_at = Some(at);
                    self.show(report, false, news);
                }
            }
            Some(Came::Failed(why)) => {
                // The model stands between two states: it is learned anew.
                self.asked = None;
                news.push(News::Failed("follow", why));
            }
            None => {}
        }
        if let Some(Came::Failed(why)) = self.near.take(desk) {
            news.push(News::Failed("near", why));
        }
        if let Some(Came::Failed(why)) = self.likely.take(desk) {
            news.push(News::Failed("likely", why));
        }
        let lost =
            |report: &LabelReport| dataset.field(&report.column).is_none_or(|field| !dataset.fields()[field].role.is_label());
        if self.report.as_ref().is_some_and(|report| lost(report)) {
            // The column is no label any more, or gone.
            (self.model, self.report) = (None, None);
            news.push(News::Judged { anew: true });
        }
        let looked_at = wants.needs(Need::Labels) || dataset.rows() <= MANY;
        // Pictures are looked at first.
        let ready = dataset.pictures().is_none() || checking.scan(dataset).is_some();
        let has_labels = dataset.with_role(Role::is_label).is_some();
        if has_labels && looked_at && self.asked.as_ref() != Some(&self.ask()) {
            if ready || self.source.0 != LabelSource::Text {
                self.learn(workspace, checking, desk);
            } else if checking.was_stopped(dataset) {
                self.trouble = Some("looking at the images was stopped".to_owned());
            }
        }
        if !self.pending.is_empty() && !self.learning.is_asked() && !self.following.is_at_work() {
            self.follow(workspace, desk);
        }
        self.ask_of_samples(wants, desk);
        self.count_decisions(workspace);
    }

    fn learn(&mut self, workspace: &Workspace, checking: &Checking, desk: &Desk) {
        let (snapshot, store) = (workspace.dataset().clone(), Arc::clone(workspace.derived()));
        let (meaning, read) = (self.meaning(&snapshot).clone(), self.to_read(&snapshot));
        let (project, source) = (workspace.project().0.to_path_buf(), self.source.0.clone());
        let scan = checking.scan(&snapshot).cloned();
        let (seen_by, ask) = (checking.seen_by().clone(), self.ask());
        self.asked = Some(ask.clone());
        // What was decided until now is in the snapshot.
        self.pending.clear();
        self.held.clear();
        self.following.cancel();
        let question = (ask.clone(), workspace.history().head());
        self.learning.ask(desk, question, "Looking for label errors", move |progress| {
            let learned = match &source {
                LabelSource::Text => learn(&snapshot, &ask, &meaning, &store, &project, scan.as_deref(), progress)?,
                LabelSource::Columns => {
                    let given = PREFIXES.iter().map(|prefix| Given::from_columns(&snapshot, &snapshot, &ask, prefix));
                    judge(&snapshot, &ask, given, progress)
                }
                LabelSource::File(path) => {
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
            Ok(Learned { result, read: dense.and(read), scan })
        });
    }

    fn learned(&mut self, dataset: &Dataset, checking: &mut Checking, news: &mut Vec<News>) {
        let Some(((ask, at), learned)) = self.learning.take_answer() else { return };
        if self.asked.as_ref() != Some(&ask) {
            return;
        }
        // Of images that were edited since, what was seen is of the old ones.
        let fresh = learned.read.is_none() || learned.read == self.to_read(dataset);
        self.read = learned.read;
        if let Some(scan) = learned.scan.filter(|_| fresh) {
            checking.see_by(dataset, self.meaning(dataset).clone(), scan);
        }
        match learned.result {
            Ok((model, report)) => {
                (self.model, self.stands_at, self.trouble) = (Some(model), Some(at), None);
                self.show(report, true, news);
            }
            Err(trouble) => {
                (self.model, self.report, self.trouble) = (None, None, Some(trouble));
                news.push(News::Judged { anew: true });
            }
        }
    }

    /// Shows a newer report.
    fn show(&mut self, report: Arc<LabelReport>, anew: bool, news: &mut Vec<News>) {
        self.report = Some(report);
        self.near.clear();
        self.likely.clear();
        news.push(News::Judged { anew });
    }

    /// Notes what a decision touched, for the model to follow.
    pub fn edited(&mut self, dataset: &Dataset, edit: &Edit) {
        // Many at once, or a class that was not there: learned anew, from the state and not from the way that led to it.
        let mut anew = false;
        self.pending.append(&mut self.held);
        for change in &edit.changes {
            match &change.target {
                Of::Cells(column) if is_label(dataset, column) => {
                    self.pending.extend(&change.samples);
                    let known = |name: &Option<String>| {
                        let known = |report: &Arc<LabelReport>, name: &String| {
                            report.many || report.names.iter().any(|known| **known == **name)
                        };
                        name.as_ref().is_none_or(|name| self.report.as_ref().is_none_or(|report| known(report, name)))
                    };
                    anew |= change.samples.len() > MOST_FOLLOWED || !change.after.texts.iter().all(known);
                }
                Of::Excluded | Of::Reviewed => {
                    self.pending.extend(&change.samples);
                    anew |= change.samples.len() > MOST_FOLLOWED;
                }
                // Other columns are meant now, or other samples: what was learned is of no use.
                Of::Role(_) | Of::Kind(_) | Of::Part(_) => self.asked = None,
                // What is made of a sample says nothing new about labels.
                Of::Cells(_) | Of::Column(_) | Of::Tag(_) | Of::Made(_) | Of::Property(..) => {}
            }
        }
        if anew {
            self.park();
            self.asked = None;
        }
        if self.report.is_none() && self.model.is_none() && !self.learning.is_asked() {
            // There was too little to learn from: a new label may change that.
            let first = edit.changes.iter().any(|change| matches!(&change.target, Of::Cells(_) | Of::Role(_) | Of::Column(_)));
            if first {
                self.asked = None;
            }
        }
    }

    /// After an undo or a redo of one edit its samples are looked at again; a state of before shows its earlier answer at once.
    pub fn walked(&mut self, workspace: &Workspace, edit: Option<&Edit>, news: &mut Vec<News>) {
        if edit.is_none_or(|edit| edit.count() > MOST_FOLLOWED) && self.unpark(workspace.history().head(), news) {
            return;
        }
        match edit {
            Some(edit) => self.edited(workspace.dataset(), edit),
            None => {
                self.park();
                self.asked = None;
            }
        }
    }

    /// Keeps the model as it is for when its state returns, where it has followed all that led to it.
    fn park(&mut self) {
        let (Some(model), Some(report), Some(at)) = (self.model.take(), self.report.clone(), self.stands_at.take()) else {
            return;
        };
        let Some(ask) = self.asked.clone() else { return };
        self.parked.retain(|parked| parked.at != at);
        self.parked.push(Parked { at, ask, model, report });
        if self.parked.len() > PARKED {
            self.parked.remove(0);
        }
    }

    /// Takes the model of a state up again, where there is one.
    fn unpark(&mut self, head: EditId, news: &mut Vec<News>) -> bool {
        let ask = self.ask();
        let Some(at) = self.parked.iter().position(|parked| parked.at == head && parked.ask == ask) else { return false };
        let parked = self.parked.remove(at);
        self.park();
        self.learning.cancel();
        self.following.cancel();
        self.pending.clear();
        self.held.clear();
        (self.asked, self.model, self.stands_at, self.trouble) = (Some(parked.ask), Some(parked.model), Some(head), None);
        self.show(parked.report, false, news);
        true
    }

    fn follow(&mut self, workspace: &Workspace, desk: &Desk) {
        let Some(model) = self.model.clone() else {
            self.pending.clear();
            return;
        };
        let snapshot = workspace.dataset().clone();
        let mut changed = std::mem::take(&mut self.pending);
        changed.sort_unstable();
        changed.dedup();
        let question = (workspace.history().head(), changed.clone());
        // Until it is done, the model stands between two states.
        self.stands_at = None;
        self.following.ask(desk, question, "Following your decisions", move |progress| {
            let mut model = model.lock().unwrap_or_else(PoisonError::into_inner);
            model.follow(&snapshot, &changed, progress)?;
            Ok(Arc::new(model.report()))
        });
    }

    /// Stops following, as a person asks.
    pub fn stop_following(&mut self) {
        if let Some((_, samples)) = self.following.asked().cloned() {
            self.held.extend(samples);
        }
        self.following.stop();
    }

    /// Asks what is shown of single samples: the nearest of the one under review, and, where classes are more than keys, the likeliest ones.
    fn ask_of_samples(&mut self, wants: &Wants<'_>, desk: &Desk) {
        let Some(model) = self.model.clone().filter(|_| !self.following.is_at_work()) else { return };
        if let Some(id) = wants.neighbours_of.filter(|id| self.near.needs(id)) {
            let model = Arc::clone(&model);
            self.near.ask(desk, id, "Finding neighbours", move |_| {
                Ok(model.lock().unwrap_or_else(PoisonError::into_inner).neighbours(id))
            });
        }
        let few = self.report.as_ref().is_none_or(|report| report.many || report.names.len() <= KEYS);
        let idle = !few && !self.learning.is_asked();
        if let Some(id) = wants.likely_of.filter(|id| idle && self.likely.needs(id)) {
            self.likely.ask(desk, id, "Finding likely classes", move |_| {
                Ok(model.lock().unwrap_or_else(PoisonError::into_inner).likely(id))
            });
        }
    }

    /// How many of the last decisions changed something: read from the history when it has moved.
    fn count_decisions(&mut self, workspace: &Workspace) {
        let head = workspace.history().head();
        if self.streak.0 == Some(head) {
            return;
        }
        let line = workspace.history().line(head);
        let (mut real, mut of) = (0, 0);
        for id in line.into_iter().rev().take(FAR_BACK) {
            if of == STREAK {
                break;
            }
            if workspace.history().node(id).is_none_or(|node| node.count != 1) {
                continue;
            }
            // An edit is read once.
            let decision = self.decisions.entry(id).or_insert_with(|| workspace.edit_at(id).ok().and_then(|edit| changes(&edit)));
            if let Some(changes) = decision {
                of += 1;
                real += usize::from(*changes);
            }
        }
        self.streak = (Some(head), (real, of));
    }
}

/// Whether a decision changes something; `None` where the edit is none.
fn changes(edit: &Edit) -> Option<bool> {
    let has = |wanted: &dyn Fn(&Of) -> bool| edit.changes.iter().any(|change| wanted(&change.target));
    let excluded = has(&|target| *target == Of::Excluded);
    let relabelled = has(&|target| matches!(target, Of::Cells(_)));
    (excluded || has(&|target| *target == Of::Reviewed)).then_some(relabelled || excluded)
}

/// Whether an edit decides on a sample: its label, whether it is kept, or that it was looked at.
pub fn decides(dataset: &Dataset, edit: &Edit, id: SampleId) -> bool {
    edit.changes.iter().any(|change| {
        let on_it = match &change.target {
            Of::Excluded | Of::Reviewed => true,
            Of::Cells(column) => is_label(dataset, column),
            _ => false,
        };
        on_it && change.samples.contains(&id)
    })
}

fn is_label(dataset: &Dataset, column: &str) -> bool {
    dataset.field(column).is_some_and(|field| dataset.fields()[field].role.is_label())
}

/// How columns of probabilities are called, before the class's name.
const PREFIXES: [&str; 7] = ["p_", "prob_", "proba_", "probability_", "pred_prob_", "score_", ""];

/// A model or why there is none, and the embedding that it read.
type Fitted = (Result<LabelModel, Unfit>, Option<Arc<Dense>>);

fn learn(
    snapshot: &Dataset,
    ask: &LabelQuestion,
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
fn judge(
    snapshot: &Dataset,
    ask: &LabelQuestion,
    given: impl Iterator<Item = Result<Given, Unfit>>,
    progress: &Progress,
) -> Fitted {
    let mut trouble = None;
    for given in given {
        match given {
            Ok(given) => return (LabelModel::from_probabilities(snapshot, ask, &given, progress), None),
            Err(why) => trouble = Some(why),
        }
    }
    (Err(trouble.unwrap_or(Unfit::NoLabel)), None)
}
