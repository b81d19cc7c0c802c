//! Pipelines that are kept and shared, and the text models that the user named.

use std::path::{Path, PathBuf};

use egui::Context;

use super::notices::Notices;
use super::settings::{Folders, Settings};
use crate::action::Action;
use crate::data::Pipeline;
use crate::io::{ChatModelOf, Meaning, Place, TextModel};
use crate::session::Session;
use crate::ui::text_model_form::TextModelForm;
use crate::ui::{Popup, UiState, View};

/// What is kept across datasets, and where it shows.
pub(super) struct Shelf<'s> {
    pub(super) session: &'s mut Session,
    pub(super) settings: &'s mut Settings,
    pub(super) folders: &'s Folders,
    pub(super) state: &'s mut UiState,
    pub(super) notices: &'s mut Notices,
}

impl Shelf<'_> {
    /// A model's folder was chosen: for the trainer's eye where that is shown, else for what texts mean.
    pub(super) fn model_folder(&mut self, folder: PathBuf) {
        if self.state.view == View::Export {
            self.state.export.target.model = ChatModelOf::Folder(folder);
        } else {
            self.session.choose_meaning(Meaning::Folder(folder));
        }
    }

    /// Carries out an action on pipelines and text models that are kept.
    pub(super) fn act(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::KeepPipeline => self.keep_pipeline(ctx),
            Action::NameTextModel(name) => self.name_text_model(name.as_deref()),
            Action::KeepTextModel { was, model, key } => self.keep_text_model(ctx, was.as_deref(), model, key),
            Action::RemoveTextModel(name) => self.remove_text_model(ctx, &name),
            Action::AllowTextModel(name) => self.allow_text_model(ctx, &name),
            Action::AskAgain => self.ask_again(),
            _ => {}
        }
    }

    /// Makes the text models ready that the settings name.
    pub(super) fn set_text_models(&mut self) {
        self.session.set_text_models(self.settings.text_models.clone(), self.folders.cache.join("answers.db"));
    }

    /// Asks once more what failed, or what was held back.
    fn ask_again(&mut self) {
        self.state.augment.from_file = false;
        self.session.asking_mut().ask_again();
    }

    /// Shows what a text model is, or the empty form of a new one.
    fn name_text_model(&mut self, name: Option<&str>) {
        let known = self.settings.text_models.iter().find(|model| Some(model.name.as_str()) == name);
        self.state.text_model = known.map(TextModelForm::of).unwrap_or_default();
        if let Some(key) = name.and_then(|name| self.session.asking().key(name)) {
            self.state.text_model.key.clone_from(key);
        }
        self.state.popup = Some(Popup::TextModel);
    }

    /// Keeps a text model, in the place of the one it was.
    fn keep_text_model(&mut self, ctx: &Context, was: Option<&str>, model: TextModel, key: String) {
        let list = &mut self.settings.text_models;
        if was != Some(model.name.as_str()) && list.iter().any(|known| known.name == model.name) {
            return self
                .notices
                .complain(ctx, format!("There is a text model {:?} already; give this one another name", model.name));
        }
        let name = model.name.clone();
        let place = list.iter().position(|known| Some(known.name.as_str()) == was);
        match place {
            Some(at) => list[at] = model,
            None => list.push(model),
        }
        self.session.asking_mut().set_key(was.unwrap_or(&name), &name, key);
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
    fn remove_text_model(&mut self, ctx: &Context, name: &str) {
        self.settings.text_models.retain(|known| known.name != name);
        self.session.asking_mut().set_key(name, name, String::new());
        self.state.popup = None;
        self.text_models_changed(ctx);
    }

    /// Allows texts to be sent to the host that a text model is at now.
    fn allow_text_model(&mut self, ctx: &Context, name: &str) {
        if let Some(model) = self.settings.text_models.iter_mut().find(|known| known.name == name)
            && let (Some(host), Place::Address { allowed, .. }) = (model.sends_to(), &mut model.place)
        {
            *allowed = host;
        }
        self.text_models_changed(ctx);
    }

    fn text_models_changed(&mut self, ctx: &Context) {
        self.set_text_models();
        if let Err(error) = self.settings.save(self.folders) {
            self.notices.complain(ctx, format!("The text models could not be kept: {error}"));
        }
    }

    /// The folder that was chosen for the text model on screen.
    pub(super) fn text_model_folder(&mut self, path: PathBuf, back: bool) {
        let form = &mut self.state.text_model;
        let typed = if back { &mut form.back_folder } else { &mut form.folder };
        *typed = path.display().to_string();
        self.state.popup = Some(Popup::TextModel);
    }

    /// Saves the pipeline under its name, over one of the same name.
    fn keep_pipeline(&mut self, ctx: &Context) {
        let pipeline = self.state.augment.pipeline.clone();
        if pipeline.name.trim().is_empty() {
            return self.notices.complain(ctx, "Give the pipeline a name first");
        }
        if let Err(trouble) = Pipeline::parse(&pipeline.to_json()) {
            return self.notices.complain(ctx, format!("The pipeline is not saved: {trouble}"));
        }
        self.settings.pipelines.retain(|known| known.name != pipeline.name);
        self.notices.say(ctx, format!("Saved the pipeline {}", pipeline.name));
        self.settings.pipelines.insert(0, pipeline);
        if let Err(error) = self.settings.save(self.folders) {
            self.notices.complain(ctx, format!("The pipeline could not be kept: {error}"));
        }
    }

    /// Reads a pipeline from a file, or writes it there.
    pub(super) fn pipeline_file(&mut self, ctx: &Context, path: &Path, save: bool) {
        if save {
            let json = serde_json::to_string_pretty(&self.state.augment.pipeline).unwrap_or_default();
            let allowed = self.session.workspace().map_or(Ok(()), |open| crate::io::may_write(open.dataset(), path));
            match allowed.and_then(|()| crate::io::write_small(path, &format!("{json}\n"))) {
                Ok(()) => self.notices.say(ctx, format!("Saved the pipeline to {}", path.display())),
                Err(error) => self.notices.complain(ctx, error.to_string()),
            }
            return;
        }
        let read = crate::io::read_small(path).map_err(|error| error.to_string());
        match read.and_then(|text| Pipeline::parse(&text)) {
            Ok(mut pipeline) => {
                if pipeline.name.is_empty() {
                    pipeline.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                }
                self.state.augment.from_file = true;
                self.state.augment.pipeline = pipeline;
                (self.state.augment.open, self.state.augment.upto) = (None, None);
            }
            Err(trouble) => self.notices.complain(ctx, format!("{}: {trouble}", path.display())),
        }
    }
}
