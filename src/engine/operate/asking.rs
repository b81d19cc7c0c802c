//! Text models at work: which ones the user named, what they were asked, and runs of pipelines whose steps ask them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::data::{Answers, Ask, AskKey, Dataset};
use crate::io::{AnswerStore, ChoiceAnswer, TextModel, Writer, WriterError};
use crate::job::{Progress, crew, guarded};
use crate::train::Asker;
use crate::transform::{Augment, AugmentError, Children};

/// The text models that the user named, and what they have answered. Nothing is read or sent before the first question.
#[derive(Default)]
pub struct TextModels {
    list: Vec<TextModel>,
    /// Keys that were typed, by a model's name: they are in no file.
    keys: HashMap<String, String>,
    ready: Mutex<HashMap<String, Arc<Ready>>>,
    answers: Answers,
    store: OnceLock<Option<AnswerStore>>,
    /// The program's own cache, opened with the first question.
    cache: Option<PathBuf>,
}

struct Ready {
    writer: Writer,
    identity: String,
    at_once: usize,
    /// How many of its questions are under way, those of previews and of runs together.
    busy: Mutex<usize>,
    freed: Condvar,
}

/// Leave to ask, given back in the end.
struct Turn<'r>(&'r Ready);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.busy.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

impl Ready {
    fn turn(&self, progress: &Progress) -> Result<Turn<'_>, WriterError> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        while *busy >= self.at_once {
            progress.check().map_err(|_| WriterError::Cancelled)?;
            busy = self.freed.wait_timeout(busy, Duration::from_millis(50)).unwrap_or_else(PoisonError::into_inner).0;
        }
        *busy += 1;
        Ok(Turn(self))
    }
}

impl TextModels {
    /// The models of a list. `store` keeps answers from one run to the next.
    pub fn new(list: Vec<TextModel>, keys: HashMap<String, String>, store: Option<AnswerStore>) -> Self {
        Self { list, keys, store: OnceLock::from(store), ..Self::default() }
    }

    /// The models of a list, whose answers are kept in the program's own cache.
    pub fn with_cache(list: Vec<TextModel>, keys: HashMap<String, String>, cache: PathBuf) -> Self {
        Self { list, keys, cache: Some(cache), ..Self::default() }
    }

    /// Opened by whoever asks first: never while drawing.
    fn store(&self) -> Option<&AnswerStore> {
        self.store.get_or_init(|| self.cache.as_deref().and_then(|path| AnswerStore::cache(path).ok())).as_ref()
    }

    /// What was answered in this run of the program.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Whether the user named none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The model of a name.
    pub fn get(&self, name: &str) -> Option<&TextModel> {
        self.list.iter().find(|model| model.name == name)
    }

    /// Why a pipeline that names `name` cannot be run; `None` where it can, as far as is known before it is asked.
    pub fn trouble(&self, name: &str) -> Option<String> {
        match self.get(name) {
            None => Some(format!("there is no text model {name:?} here: name one in its step")),
            Some(model) if !model.is_allowed() => Some(WriterError::NotAllowed(model.sends_to().unwrap_or_default()).to_string()),
            Some(_) => None,
        }
    }

    fn ready(&self, name: &str) -> Result<Arc<Ready>, WriterError> {
        // Held while a folder is read: whoever else wants it waits rather than reads it too.
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ready.get(name) {
            return Ok(Arc::clone(known));
        }
        let model = self.get(name).ok_or_else(|| WriterError::Setting(self.trouble(name).unwrap_or_default()))?;
        // Files that no person has looked at are read here.
        let writer = guarded(|| Writer::new(model, self.keys.get(name).map(String::as_str)))
            .map_err(|panic| WriterError::Setting(format!("it cannot be used: {panic}")))??;
        let (identity, at_once) = (model.identity(), model.at_once());
        let fresh = Arc::new(Ready { writer, identity, at_once, busy: Mutex::new(0), freed: Condvar::new() });
        ready.insert(name.to_owned(), Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Answers one question, from what was kept or by asking; then it says how many seconds that took. An error is also
    /// a wish that all stop who share `progress`.
    ///
    /// # Errors
    /// What the model or its server says.
    pub fn answer(&self, ask: &Ask, progress: &Progress) -> Result<Option<f64>, WriterError> {
        let key = ask.key();
        if self.answers.get(key).is_some() {
            return Ok(None);
        }
        let ready = self.ready(&ask.model).inspect_err(|_| progress.cancel())?;
        // What its user calls it is nothing to its answers.
        let kept = Ask { model: String::new(), ..ask.clone() }.key();
        if let Some(text) = self.store().and_then(|store| store.get(&ready.identity, kept)) {
            self.answers.put(key, &text);
            return Ok(None);
        }
        let _turn = ready.turn(progress)?;
        // Another may have asked it meanwhile.
        if self.answers.get(key).is_some() {
            return Ok(None);
        }
        let begun = Instant::now();
        let written = ready.writer.write(ask, &|text| self.answers.begin(key, Some(text)), progress);
        match written {
            Ok(text) => {
                // A store that is full or gone costs asking again another day; this run has its answer.
                // That there was no answer of use may be a server's setting, and is asked again another day.
                // What a server did not take it may take another day, too.
                let refused = ChoiceAnswer::of_text(&text).is_some_and(|answer| !answer.refused.is_empty());
                let _ =
                    self.store().filter(|_| !text.is_empty() && !refused).map(|store| store.put(&ready.identity, kept, &text));
                self.answers.put(key, &text);
                Ok(Some(begun.elapsed().as_secs_f64()))
            }
            Err(error) => {
                self.answers.begin(key, None);
                // Before the turn is another's: one error is enough for all who share the wish.
                progress.cancel();
                Err(error)
            }
        }
    }

    /// Answers a list of questions, several at a time. Steps of progress: one each.
    ///
    /// # Errors
    /// [`AugmentError::Asking`] with what was reached; what was answered is kept.
    pub fn answer_all(self: &Arc<Self>, asks: Vec<Ask>, progress: &Progress) -> Result<(), AugmentError> {
        progress.set_total(asks.len() as u64);
        let mut by_model: BTreeMap<String, Vec<Ask>> = BTreeMap::new();
        asks.into_iter().for_each(|ask| by_model.entry(ask.model.clone()).or_default().push(ask));
        for (name, asks) in by_model {
            let said = |error: &WriterError| AugmentError::Asking(format!("{name} has no answer: {error}"));
            let ready = self.ready(&name).map_err(|error| said(&error))?;
            let (all, mut done, mut asked, begun) = (asks.len(), 0, 0, Instant::now());
            let own = Arc::clone(self);
            let work = move |ask: &Ask, stop: &Progress| own.answer(ask, stop);
            let result = crew("asking", ready.at_once, asks, progress, work, |_, result| match result {
                Ok(Ok(fresh)) => {
                    done += 1;
                    asked += u64::from(fresh.is_some());
                    progress.step(1).map_err(AugmentError::from)
                }
                // Stopped by its user, or by an error that is on its way here.
                Ok(Err(WriterError::Cancelled)) => progress.check().map_err(AugmentError::from),
                Ok(Err(error)) => Err(said(&error)),
                Err(panic) => Err(AugmentError::Asking(format!("{name} has no answer: {panic}"))),
            });
            if asked > 0 {
                self.answers.took(&name, asked, begun.elapsed().as_secs_f64());
            }
            result.map_err(|error| match error {
                AugmentError::Asking(text) if done > 0 => AugmentError::Asking(format!(
                    "{text}. {done} of {all} answers are kept: started again, it goes on from there"
                )),
                other => other,
            })?;
        }
        Ok(())
    }
}

impl Asker for Arc<TextModels> {
    fn ask(&self, asks: Vec<Ask>, progress: &Progress) -> Result<(), String> {
        if let Some(trouble) = asks.iter().find_map(|ask| self.trouble(&ask.model)) {
            return Err(trouble);
        }
        self.answer_all(asks, progress).map_err(|error| error.to_string())
    }

    fn kept_answer(&self, key: AskKey) -> Option<Arc<str>> {
        self.answers.get(key)
    }
}

/// Makes the children of `augment`, and asks text models where its steps do.
///
/// # Errors
/// [`AugmentError`].
pub fn children(
    dataset: &Dataset,
    augment: &Augment,
    models: &Arc<TextModels>,
    progress: &Progress,
) -> Result<Children, AugmentError> {
    let names = augment.pipeline.models();
    if names.is_empty() {
        return Ok(augment.run(dataset, progress)?);
    }
    if let Some(trouble) = names.iter().find_map(|name| models.trouble(name)) {
        return Err(AugmentError::Asking(trouble));
    }
    loop {
        progress.set_total(augment.parents.len() as u64);
        let (children, missing) = augment.run_with(dataset, Some(models.answers()), progress)?;
        if missing.is_empty() {
            return Ok(children);
        }
        models.answer_all(missing, progress)?;
    }
}
