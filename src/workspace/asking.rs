//! Text models at work: which ones the user named, what they were asked, and runs of pipelines whose steps ask them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::data::{Answers, Ask, Dataset};
use crate::io::{AnswerStore, TextModel, Writer, WriterError};
use crate::job::{Progress, crew};
use crate::transform::{Augment, AugmentError, Children};

/// The text models that the user named, and what they have answered. Nothing is read or sent before the first question.
#[derive(Default)]
pub struct TextModels {
    list: Vec<TextModel>,
    /// Keys that were typed, by a model's name: they are in no file.
    keys: HashMap<String, String>,
    ready: Mutex<HashMap<String, Arc<Ready>>>,
    answers: Answers,
    store: Option<AnswerStore>,
}

struct Ready {
    writer: Writer,
    identity: String,
}

impl TextModels {
    /// The models of a list. `store` keeps answers from one run to the next.
    pub fn new(list: Vec<TextModel>, keys: HashMap<String, String>, store: Option<AnswerStore>) -> Self {
        Self { list, keys, store, ..Self::default() }
    }

    /// What was answered in this run of the program.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The model of a name.
    pub fn get(&self, name: &str) -> Option<&TextModel> {
        self.list.iter().find(|model| model.name == name)
    }

    /// How many questions of one model may be under way at a time.
    pub fn at_once(&self) -> usize {
        let of = |model: &TextModel| match &model.place {
            crate::io::Place::Address { at_once, .. } => *at_once as usize,
            crate::io::Place::Folder { .. } => 1,
        };
        self.list.iter().map(of).max().unwrap_or(1).clamp(1, crate::io::MOST_AT_ONCE as usize)
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
        let writer = Writer::new(model, self.keys.get(name).map(String::as_str))?;
        let fresh = Arc::new(Ready { writer, identity: model.identity() });
        ready.insert(name.to_owned(), Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Answers one question, from what was kept or by asking. Says whether it was asked.
    ///
    /// # Errors
    /// What the model or its server says.
    pub fn answer(&self, ask: &Ask, progress: &Progress) -> Result<bool, WriterError> {
        let key = ask.key();
        if self.answers.get(key).is_some() {
            return Ok(false);
        }
        let ready = self.ready(&ask.model)?;
        if let Some(text) = self.store.as_ref().and_then(|store| store.get(&ready.identity, key)) {
            self.answers.put(key, &text);
            return Ok(false);
        }
        let written = ready.writer.write(ask, &|text| self.answers.begin(key, Some(text)), progress);
        match written {
            Ok(text) => {
                // A store that is full or gone costs asking again another day; this run has its answer.
                let _ = self.store.as_ref().map(|store| store.put(&ready.identity, key, &text));
                self.answers.put(key, &text);
                Ok(true)
            }
            Err(error) => {
                self.answers.begin(key, None);
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
            let result = crew("asking", ready.writer.at_once, asks, progress, work, |_, result| match result {
                Ok(Ok(fresh)) => {
                    done += 1;
                    asked += u64::from(fresh);
                    progress.step(1).map_err(AugmentError::from)
                }
                Ok(Err(WriterError::Cancelled)) => Err(AugmentError::Cancelled),
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
