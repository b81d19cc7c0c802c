//! Text models of a session: those the user named, what previews ask them, and the word that nothing is sent without.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::forms::AugmentForm;
use crate::data::{Ask, Pipeline};
use crate::io::{TextModel, WriterError};
use crate::job::{Desk, Pool, Progress};
use crate::operate::TextModels;

/// What previews ask, and of whom.
#[derive(Default)]
pub struct Asking {
    models: Arc<TextModels>,
    /// Keys that were typed in this run, by the model's name.
    keys: HashMap<String, String>,
    pool: Option<Pool<Ask, Result<(), String>>>,
    /// What the preview on screen waits for.
    wanted: Vec<Ask>,
    /// How many answers previews were given: another number says that there is news.
    news: u64,
    /// The wish that all stop who ask for previews; an error is one too, and nothing more is asked before something else is wanted.
    wish: Option<Progress>,
    /// The form that it was drawn from, and since when nothing in it moves.
    form: Option<(AugmentForm, Instant)>,
    /// Why text models give the preview no answers.
    trouble: Option<String>,
}

/// How many questions of previews are under way at a time, of all models.
const PREVIEWED: usize = 4;
/// A slider that moves asks nothing before it rests.
const REST: Duration = Duration::from_millis(400);
/// What comes in bit by bit is shown so.
const BIT_BY_BIT: Duration = Duration::from_millis(100);

impl Asking {
    /// The text models that can be asked.
    pub fn models(&self) -> &Arc<TextModels> {
        &self.models
    }

    /// Makes other text models ready; answers are kept at `cache`. Whoever asks those of before is stopped.
    pub fn set_models(&mut self, list: Vec<TextModel>, cache: PathBuf) {
        self.stop();
        let Self { keys, news, .. } = std::mem::take(self);
        let models = Arc::new(TextModels::with_cache(list, keys.clone(), cache));
        *self = Self { models, keys, news: news + 1, ..Self::default() };
    }

    /// The key that was typed for a model in this run.
    pub fn key(&self, name: &str) -> Option<&String> {
        self.keys.get(name)
    }

    /// Keeps a key for this run, in the place of another model's; an empty one is none.
    pub fn set_key(&mut self, was: &str, name: &str, key: String) {
        self.keys.remove(was);
        if !key.is_empty() {
            self.keys.insert(name.to_owned(), key);
        }
    }

    /// Why text models give the preview no answers.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How many answers previews were given.
    pub fn news(&self) -> u64 {
        self.news
    }

    /// Whether the preview waits for answers.
    pub fn waits(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Takes in what a preview waits for.
    pub fn want(&mut self, asks: &[Ask]) {
        if !self.has_failed() {
            self.wanted = asks.to_vec();
        }
    }

    /// What a job is called that runs a pipeline: whom it asks, and where it sends texts, if it does.
    pub fn title(&self, pipeline: Option<&Pipeline>, usual: &str) -> String {
        let names = pipeline.map(Pipeline::models).unwrap_or_default();
        let hosts: Vec<String> = names.iter().filter_map(|name| self.models.get(name)?.sends_to()).collect();
        match (names.is_empty(), hosts.is_empty()) {
            (true, _) => usual.to_owned(),
            (false, true) => format!("Asking {}", names.join(", ")),
            (false, false) => format!("Sending texts to {}", hosts.join(", ")),
        }
    }

    /// Goes on after an error, with others to ask: those of before have stopped.
    fn resume(&mut self) {
        if self.has_failed() {
            (self.pool, self.wish) = (None, None);
        }
    }

    /// Asks once more what failed, or what was held back.
    pub fn ask_again(&mut self) {
        self.resume();
        self.trouble = None;
        self.news += 1;
    }

    /// Whether an error ended the asking.
    fn has_failed(&self) -> bool {
        self.wish.as_ref().is_some_and(|wish| wish.check().is_err())
    }

    /// Whether answers are on their way, or, where a preview is looked at, still to be asked for.
    pub fn is_busy(&self, looked_at: bool) -> bool {
        let flying = self.pool.as_ref().is_some_and(Pool::is_busy);
        flying || looked_at && !self.has_failed() && !self.wanted.is_empty()
    }

    /// Stops what previews ask, also what is under way.
    pub fn stop(&mut self) {
        if let Some(wish) = self.wish.take() {
            wish.cancel();
        }
        // Whoever is still under way has nothing to say any more, nor has what was said before.
        self.pool = None;
        self.trouble = None;
        self.wanted.clear();
        // What is missing is asked for anew by whoever looks again.
        self.news += 1;
    }

    /// Why a form's pipeline may not ask its text models.
    pub fn refusal(&self, form: &AugmentForm) -> Option<String> {
        let names = form.pipeline.models();
        let refused = names.iter().find_map(|name| self.models.trouble(name));
        let host = || names.iter().find_map(|name| self.models.get(name)?.sends_to());
        let held = || host().map(|host| format!("this pipeline came from a file, and would send texts to {host}"));
        refused.or_else(|| if form.from_file { held() } else { None })
    }

    /// Asks what the preview waits for, and takes in what has come. `drawn` is the form that the preview on screen was drawn from. Says after
    /// how long to look again.
    pub fn work(&mut self, form: &AugmentForm, looked_at: bool, drawn: Option<&AugmentForm>, desk: &Desk) -> Option<Duration> {
        self.take();
        if self.form.as_ref().is_none_or(|(known, _)| !known.asks_as(form)) {
            // What the form of before waited for is of no use, unless the preview has followed already.
            if drawn.is_none_or(|drawn| !drawn.asks_as(form)) {
                self.wanted.clear();
            }
            self.form = Some((form.clone(), Instant::now()));
            self.resume();
            self.trouble = None;
        }
        if let Some(trouble) = self.refusal(form) {
            self.wanted.clear();
            self.trouble = Some(trouble);
        }
        if !looked_at && self.pool.as_ref().is_some_and(Pool::is_busy) {
            self.stop();
        }
        let rested = self.form.as_ref().map_or(REST, |(_, since)| since.elapsed());
        let wanted = looked_at && !self.has_failed() && !self.wanted.is_empty();
        if wanted && rested < REST {
            return Some(REST.saturating_sub(rested));
        }
        if wanted {
            let pool = self.pool.take().unwrap_or_else(|| self.askers(desk));
            pool.want(self.wanted.iter().cloned());
            self.pool = Some(pool);
            return Some(BIT_BY_BIT);
        }
        if let Some(pool) = &self.pool {
            pool.want([]);
        }
        None
    }

    fn take(&mut self) {
        while let Some((ask, result)) = self.pool.as_ref().and_then(Pool::take) {
            let before = self.wanted.len();
            self.wanted.retain(|wanted| *wanted != ask);
            let trouble = match result {
                Ok(Ok(())) => {
                    self.news += 1;
                    continue;
                }
                // Not asked, since another had no answer.
                Ok(Err(text)) if text.is_empty() => continue,
                // Nobody waits for it any more; those who wait for others go on without it, unless another error was told.
                Ok(Err(_)) if before == self.wanted.len() => {
                    if self.trouble.is_none() {
                        self.resume();
                        self.news += 1;
                    }
                    continue;
                }
                Ok(Err(text)) | Err(text) => format!("{} has no answer: {text}", ask.model),
            };
            self.trouble = Some(trouble);
            // A panic has left no wish.
            self.wish.iter().for_each(Progress::cancel);
            self.wanted.clear();
        }
    }

    fn askers(&mut self, desk: &Desk) -> Pool<Ask, Result<(), String>> {
        let models = Arc::clone(&self.models);
        let wish = Progress::silent();
        self.wish = Some(wish.clone());
        Pool::new("preview asks", PREVIEWED, desk.waker(), move |ask: &Ask| {
            let seconds = models.answer(ask, &wish).map_err(|error| match error {
                WriterError::Cancelled => String::new(),
                error => error.to_string(),
            })?;
            // Several are under way at a time, here as in a run.
            if let Some(seconds) = seconds {
                let n = models.get(&ask.model).map_or(1, TextModel::at_once).min(PREVIEWED) as f64;
                models.answers().took(&ask.model, 1, seconds / n);
            }
            Ok(())
        })
    }
}
