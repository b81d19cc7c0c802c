//! Text models beside the window: those the user named, what previews ask them, and the word that nothing is sent without.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::Context;

use super::App;
use crate::data::{Ask, Pipeline};
use crate::io::{Place, TextModel, WriterError};
use crate::job::{Pool, Progress};
use crate::transform::balance::Over;
use crate::ui::making::AugmentForm;
use crate::ui::text_model::TextModelForm;
use crate::ui::{Popup, View};
use crate::workspace::TextModels;

/// What previews ask, and of whom.
#[derive(Default)]
pub struct Asking {
    pub(super) models: Arc<TextModels>,
    /// Keys that were typed in this run, by the model's name.
    keys: HashMap<String, String>,
    pool: Option<Pool<Ask, Result<(), String>>>,
    /// What the preview on screen waits for.
    pub(super) wanted: Vec<Ask>,
    /// How many answers previews were given: another number says that there is news.
    pub(super) news: u64,
    /// The wish that all stop who ask for previews; an error is one too, and nothing more is asked before something else is wanted.
    wish: Option<Progress>,
    /// The form that it was drawn from, and since when nothing in it moves.
    form: Option<(AugmentForm, Instant)>,
}

/// How many questions of previews are under way at a time, of all models.
const PREVIEWED: usize = 4;
/// A slider that moves asks nothing before it rests.
const REST: Duration = Duration::from_millis(400);

impl Asking {
    /// What a job is called that runs a pipeline: whom it asks, and where it sends texts, if it does.
    pub(super) fn title(&self, pipeline: Option<&Pipeline>, usual: &str) -> String {
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

    /// Whether an error ended the asking.
    pub(super) fn has_failed(&self) -> bool {
        self.wish.as_ref().is_some_and(|wish| wish.check().is_err())
    }

    /// Whether answers are on their way, or, where a preview is looked at, still to be asked for.
    pub(super) fn is_busy(&self, looked_at: bool) -> bool {
        let flying = self.pool.as_ref().is_some_and(Pool::is_busy);
        flying || looked_at && !self.has_failed() && !self.wanted.is_empty()
    }
}

impl App {
    /// Makes the text models ready that the settings name. Whoever asks those of before is stopped.
    pub(super) fn set_text_models(&mut self) {
        self.stop_asking();
        for job in ["augment", "probe"] {
            self.jobs.cancel(job);
        }
        let (list, cache) = (self.settings.text_models.clone(), self.folders.cache.join("answers.db"));
        let Asking { keys, news, .. } = std::mem::take(&mut self.asking);
        let models = Arc::new(TextModels::with_cache(list, keys.clone(), cache));
        self.asking = Asking { models, keys, news: news + 1, ..Asking::default() };
        self.memo.making.asking = None;
    }

    /// Stops what previews ask, also what is under way.
    pub(super) fn stop_asking(&mut self) {
        if let Some(wish) = self.asking.wish.take() {
            wish.cancel();
        }
        // Whoever is still under way has nothing to say any more, nor has what was said before.
        self.asking.pool = None;
        self.memo.making.asking = None;
        self.asking.wanted.clear();
        // What is missing is asked for anew by whoever looks again.
        self.making.preview = None;
    }

    /// Asks what the preview waits for, and takes in what has come.
    pub(super) fn schedule_asking(&mut self, ctx: &Context) {
        while let Some((ask, result)) = self.asking.pool.as_ref().and_then(Pool::take) {
            let before = self.asking.wanted.len();
            self.asking.wanted.retain(|wanted| *wanted != ask);
            let trouble = match result {
                Ok(Ok(())) => {
                    self.asking.news += 1;
                    continue;
                }
                // Not asked, since another had no answer.
                Ok(Err(text)) if text.is_empty() => continue,
                // Nobody waits for it any more; those who wait for others go on without it, unless another error was told.
                Ok(Err(_)) if before == self.asking.wanted.len() => {
                    if self.memo.making.asking.is_none() {
                        self.asking.resume();
                        self.making.preview = None;
                    }
                    continue;
                }
                Ok(Err(text)) | Err(text) => format!("{} has no answer: {text}", ask.model),
            };
            self.memo.making.asking = Some(trouble);
            // A panic has left no wish.
            self.asking.wish.iter().for_each(Progress::cancel);
            self.asking.wanted.clear();
        }
        let form = AugmentForm { open: None, ..self.state.augment.clone() };
        if self.asking.form.as_ref().is_none_or(|(known, _)| *known != form) {
            // What the form of before waited for is of no use, unless the preview has followed already.
            if self.making.delivered.as_ref().is_none_or(|key| key.form != form) {
                self.asking.wanted.clear();
            }
            self.asking.form = Some((form, Instant::now()));
            self.asking.resume();
            self.memo.making.asking = None;
        }
        if let Some(trouble) = self.asking_trouble() {
            self.asking.wanted.clear();
            self.memo.making.asking = Some(trouble);
        }
        let looked_at = self.state.view == View::Augment;
        if !looked_at && self.asking.pool.as_ref().is_some_and(Pool::is_busy) {
            self.stop_asking();
        }
        let rested = self.asking.form.as_ref().map_or(REST, |(_, since)| since.elapsed());
        let wanted = looked_at && !self.asking.has_failed() && !self.asking.wanted.is_empty();
        if wanted && rested < REST {
            ctx.request_repaint_after(REST.saturating_sub(rested));
        } else if wanted {
            let pool = self.asking.pool.take().unwrap_or_else(|| self.preview_askers());
            pool.want(self.asking.wanted.iter().cloned());
            self.asking.pool = Some(pool);
            // What comes in bit by bit is shown so.
            ctx.request_repaint_after(Duration::from_millis(100));
        } else if let Some(pool) = &self.asking.pool {
            pool.want([]);
        }
    }

    /// Why the pipeline on screen may not ask its text models.
    fn asking_trouble(&self) -> Option<String> {
        let names = self.state.augment.pipeline.models();
        let refused = names.iter().find_map(|name| self.asking.models.trouble(name));
        let host = || names.iter().find_map(|name| self.asking.models.get(name)?.sends_to());
        let held = || host().map(|host| format!("this pipeline came from a file, and would send texts to {host}"));
        refused.or_else(|| if self.state.augment.from_file { held() } else { None })
    }

    fn preview_askers(&mut self) -> Pool<Ask, Result<(), String>> {
        let (models, waker) = (Arc::clone(&self.asking.models), Arc::clone(&self.waker));
        let wish = Progress::silent();
        self.asking.wish = Some(wish.clone());
        Pool::new("preview asks", PREVIEWED, waker, move |ask: &Ask| {
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

    /// Whether what Balance asks for may be run without more ado; where not, Augment says why and what to do.
    pub(super) fn may_balance(&mut self) -> bool {
        let may = self.state.balance.over != Over::Augment || self.asking_trouble().is_none();
        if !may {
            self.state.view = View::Augment;
        }
        may
    }

    /// Asks once more what failed, or what was held back.
    pub(super) fn ask_again(&mut self) {
        self.state.augment.from_file = false;
        self.asking.resume();
        self.memo.making.asking = None;
        self.making.preview = None;
    }

    /// Shows what a text model is, or the empty form of a new one.
    pub(super) fn name_text_model(&mut self, name: Option<&str>) {
        let known = self.settings.text_models.iter().find(|model| Some(model.name.as_str()) == name);
        self.state.text_model = known.map(TextModelForm::of).unwrap_or_default();
        if let Some(key) = name.and_then(|name| self.asking.keys.get(name)) {
            self.state.text_model.key.clone_from(key);
        }
        self.state.popup = Some(Popup::TextModel);
    }

    /// Keeps a text model, in the place of the one it was.
    pub(super) fn keep_text_model(&mut self, ctx: &Context, was: Option<&str>, model: TextModel, key: String) {
        let list = &mut self.settings.text_models;
        if was != Some(model.name.as_str()) && list.iter().any(|known| known.name == model.name) {
            return self.complain(ctx, format!("There is a text model {:?} already; give this one another name", model.name));
        }
        let name = model.name.clone();
        let place = list.iter().position(|known| Some(known.name.as_str()) == was);
        match place {
            Some(at) => list[at] = model,
            None => list.push(model),
        }
        self.asking.keys.remove(was.unwrap_or(&name));
        if !key.is_empty() {
            self.asking.keys.insert(name.clone(), key);
        }
        // The steps that named it name it still; the one whose card asked for a new one names that.
        let form = &mut self.state.augment;
        for (at, step) in form.pipeline.steps.iter_mut().enumerate().filter(|(_, step)| step.op.asks()) {
            if was.is_some_and(|was| step.model == was) || was.is_none() && form.open == Some(at) || step.model.is_empty() {
                step.model.clone_from(&name);
            }
        }
        self.state.popup = None;
        self.text_models_changed(ctx);
    }

    /// Forgets a text model.
    pub(super) fn remove_text_model(&mut self, ctx: &Context, name: &str) {
        self.settings.text_models.retain(|known| known.name != name);
        self.asking.keys.remove(name);
        self.state.popup = None;
        self.text_models_changed(ctx);
    }

    /// Allows texts to be sent to the host that a text model is at now.
    pub(super) fn allow_text_model(&mut self, ctx: &Context, name: &str) {
        if let Some(model) = self.settings.text_models.iter_mut().find(|known| known.name == name)
            && let (Some(host), Place::Address { allowed, .. }) = (model.sends_to(), &mut model.place)
        {
            *allowed = host;
        }
        self.text_models_changed(ctx);
    }

    fn text_models_changed(&mut self, ctx: &Context) {
        self.set_text_models();
        if let Err(error) = self.settings.save(&self.folders) {
            self.complain(ctx, format!("The text models could not be kept: {error}"));
        }
    }

    /// The folder that was chosen for the text model on screen.
    pub(super) fn text_model_folder(&mut self, path: PathBuf, back: bool) {
        let form = &mut self.state.text_model;
        let typed = if back { &mut form.back_folder } else { &mut form.folder };
        *typed = path.display().to_string();
        self.state.popup = Some(Popup::TextModel);
    }
}
