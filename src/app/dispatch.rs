//! Actions, carried out one at a time. Every change to data goes through [`App::edit`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use egui::Context;

use super::dialogs::{Answer, Asked};
use super::news::wants;
use super::pictures::Gallery;
use super::{App, cells, collecting, monitoring, parts, settings, training};
use crate::action::{Action, CollectAction, MonitorAction, PageOf};
use crate::data::SampleId;
use crate::edit::{Edit, EditError, EditId};
use crate::io::{ImageTarget, Meaning, Reading, Rows, free_name};
use crate::operate::Operation;
use crate::session::{Begun, LabelSource, Save, SettledChanges, Workspace};
use crate::ui::{Popup, View, named};

impl App {
    /// Carries out every action that waits.
    pub(super) fn carry_out(&mut self, ctx: &Context) {
        let mut rounds = 0;
        while !self.actions.is_empty() && rounds < 16 {
            rounds += 1;
            for action in std::mem::take(&mut self.actions) {
                self.act(ctx, cells::guarded(&self.state, action));
            }
        }
    }

    fn act(&mut self, ctx: &Context, action: Action) {
        if let Some(asked) = asked_by(&action) {
            return self.ask(ctx, asked);
        }
        match action {
            // Those that ask for a path are done with.
            Action::OpenDialog
            | Action::OpenFolderDialog
            | Action::ChooseModel(None)
            | Action::ProbabilityFile
            | Action::TextModelFolder { .. }
            | Action::PipelineDialog { .. }
            | Action::ReportDialog { .. }
            | Action::ExportDialog { .. }
            | Action::ExportPartsDialog { .. }
            | Action::HandOverDialog { .. }
            | Action::HubDialog
            | Action::EachSourceDialog
            | Action::RunDialog { .. }
            | Action::TestTextsDialog
            | Action::SourceDialog { .. }
            | Action::VersionDialog { .. }
            | Action::LogDialog { .. }
            | Action::TrainFolderDialog
            | Action::ExportImagesDialog { .. } => {}
            Action::Open(path) => self.open(path, Begun::Open),
            Action::OpenSample(index) => open_sample(self, ctx, index),
            Action::Close => {
                self.session.close();
                self.state.leave_dataset();
                self.gallery = Gallery::default();
            }
            Action::Reread(reading) => self.reread(ctx, &reading),
            Action::Carry => self.again(carry_from(self)),
            Action::Recover => self.again(Begun::Recover),
            Action::Adopt(project) => self.again(Begun::Adopt(project)),
            Action::OpenTrusted(path) => self.open(path, Begun::Trusted),
            Action::Do(operation) => self.operate(ctx, operation),
            Action::CheckLabels => self.session.check_labels(),
            Action::FindMeaning(words) => self.hands().find_meaning(ctx, &words),
            Action::ChooseModel(Some(folder)) => self.shelf().model_folder(folder),
            Action::BuiltInModel => self.session.choose_meaning(Meaning::BuiltIn),
            Action::ProbabilityColumns => self.session.choose_source(LabelSource::Columns, "probability columns".to_owned()),
            Action::PreviewReplace { .. }
            | Action::ApplyReplace { .. }
            | Action::Copy { .. }
            | Action::CopyWeights
            | Action::CompletePath(_)
            | Action::Rebind { .. }
            | Action::DropTyped(_)
            | Action::AskFirst { .. } => {
                cells::act(self, ctx, action);
            }
            Action::Undo => self.walk(ctx, "Undone", Workspace::undo),
            Action::Revert(id) if self.session.workspace().is_some_and(|workspace| workspace.history().head() == id) => {
                self.walk(ctx, "Undone", Workspace::undo);
            }
            Action::Revert(id) => self.edit(ctx, true, |workspace| workspace.reversal(id).map(Some)),
            Action::Redo => self.walk(ctx, "Done again", Workspace::redo),
            Action::GoTo(id) => self.walk(ctx, "Went to", |workspace| {
                workspace.go(id)?;
                Ok(workspace.history().node(id).map_or("the file as it was opened".to_owned(), |node| node.words.clone()))
            }),
            Action::Train(action) => training::act(self, ctx, action),
            Action::Monitor(action) => monitoring::act(self, ctx, action),
            Action::Collect(action) => collecting::act(self, ctx, action),
            Action::Check { thoroughly } => self.session.check_again(thoroughly),
            Action::PreviewSplit(split) => self.session.ask_split(&self.state.split.label, split),
            Action::ApplySplit => {
                let done = self.session.apply_split();
                self.edited(ctx, true, done);
            }
            Action::Augment | Action::MakeAnew(_) => {
                let instead = if let Action::MakeAnew(batch) = action { Some(batch) } else { None };
                if let Err(why) = self.session.augment(&self.state.augment, instead) {
                    self.notices.complain(ctx, why);
                }
            }
            Action::Probe | Action::ApplyBalance | Action::TryRules => self.balance(&action),
            Action::AddWeights => weigh(self, ctx),
            Action::KeepPipeline
            | Action::NameTextModel(_)
            | Action::KeepTextModel { .. }
            | Action::RemoveTextModel(_)
            | Action::AllowTextModel(_)
            | Action::AskAgain => self.shelf().act(ctx, action),
            Action::Export { rows, target } => self.session.save(Save::Files(vec![(rows, target)])),
            Action::ExportOver(list) => self.session.save(Save::Files(list)),
            Action::PathTyped(path) => self.typed(ctx, path),
            Action::Cancel(key) => stop(self, ctx, key),
            Action::Dismiss(at) => self.notices.dismiss(at),
            Action::Notice(text) => self.notices.say(ctx, text),
            Action::Quit => self.window.quit = true,
            Action::QuitNow => {
                self.session.stop_saving();
                self.window.closing = true;
                ctx.request_repaint();
            }
        }
    }

    /// Plans an edit, makes it durable, shows it; says what was done where `loud`.
    pub(super) fn edit(&mut self, ctx: &Context, loud: bool, plan: impl FnOnce(&Workspace) -> Result<Option<Edit>, EditError>) {
        let done = self.session.edit(plan);
        self.edited(ctx, loud, done);
    }

    /// Says what was done where `loud` or where it was much, and why nothing was.
    pub(super) fn edited(&mut self, ctx: &Context, loud: bool, done: Result<Option<(EditId, Edit)>, EditError>) {
        match done {
            Ok(Some((id, edit))) => {
                // What an earlier edit offered to undo is not the last any more.
                self.notices.forget_undo(|_| false);
                self.queue().decided(&edit);
                if loud || edit.count() > 1 {
                    let words = self.session.workspace().map_or(edit.words.clone(), |open| named(&edit.words, open.dataset()));
                    self.notices.tell(ctx, words, false, Some(("Undo".to_owned(), Action::Revert(id))));
                }
            }
            Ok(None) => {}
            Err(error) => self.notices.complain(ctx, error.to_string()),
        }
    }

    /// Plans an operation, makes it durable, shows it.
    pub(super) fn operate(&mut self, ctx: &Context, mut operation: Operation) {
        if let Some(said) = self.queue().said_again(&operation) {
            let done = self.session.operate(&said, false);
            self.edited(ctx, false, done);
            return self.queue().next();
        }
        match &mut operation {
            // In the queue, choosing a class is a decision on the sample.
            Operation::SetCells { review, .. } => *review |= self.state.view == View::Label,
            Operation::Accept { .. } => self.state.review.preview = false,
            _ => {}
        }
        let loud = matches!(
            operation,
            Operation::RenameClass { .. }
                | Operation::SetRole { .. }
                | Operation::Say { .. }
                | Operation::SetKind { .. }
                | Operation::Weigh { .. }
        );
        let done = self.session.operate(&operation, loud);
        self.edited(ctx, loud, done);
    }

    /// Where a text model may not be asked, Augment says why and what to do.
    fn balance(&mut self, action: &Action) {
        let wants = wants(&self.state, &self.session);
        let may = match action {
            Action::Probe => self.session.probe(&wants),
            Action::ApplyBalance => self.session.apply_balance(&wants),
            _ => {
                self.session.try_rules(&wants);
                true
            }
        };
        if !may {
            self.state.view = View::Augment;
        }
    }

    fn walk(&mut self, ctx: &Context, done: &str, step: impl FnOnce(&mut Workspace) -> Result<String, EditError>) {
        if self.session.workspace().is_none() {
            return;
        }
        match self.session.walk(step) {
            Ok((words, edit)) => {
                let stale = |text: &str| ["Undone", "Done again", "Went to"].iter().any(|word| text.starts_with(word));
                self.notices.forget_undo(stale);
                self.queue().walked(edit.as_ref());
                let words = self.session.workspace().map_or(words.clone(), |open| named(&words, open.dataset()));
                self.notices.say(ctx, format!("{done}: {words}"));
            }
            Err(error @ EditError::Nothing(_)) => self.notices.say(ctx, error.to_string()),
            Err(error) => self.notices.complain(ctx, error.to_string()),
        }
    }

    fn reread(&mut self, ctx: &Context, reading: &Reading) {
        let Some(workspace) = self.session.workspace() else { return };
        let path = workspace.dataset().base.origin.path.clone();
        if !workspace.history().nodes().is_empty() {
            // Another reading makes other samples: the edits find theirs by content.
            self.notices.say(ctx, "Edits are carried over by sample content; the project as it was is kept beside it");
            return self.open(path, Begun::CarryTo(reading.clone()));
        }
        self.open(path, Begun::Read(reading.clone()));
    }

    fn again(&mut self, begun: Begun) {
        if let Some(workspace) = self.session.workspace() {
            let path = workspace.dataset().base.origin.path.clone();
            self.open(path, begun);
        }
    }

    fn ask(&mut self, ctx: &Context, asked: Asked) {
        let waker = ctx.clone();
        self.dialogs.ask(&asked, Box::new(move || waker.request_repaint()));
        self.pending = Some(asked);
        ctx.request_repaint();
    }

    /// Takes the answer of a dialog in.
    pub(super) fn take_answers(&mut self, ctx: &Context) {
        let Some(answer) = self.dialogs.answer() else { return };
        match answer {
            Answer::Path(path) => self.answered(ctx, path),
            Answer::Nothing => self.pending = None,
            Answer::Unavailable => {
                let folder = self
                    .session
                    .workspace()
                    .and_then(|workspace| workspace.dataset().base.origin.path.parent().map(PathBuf::from));
                match &self.pending {
                    Some(
                        Asked::Open
                        | Asked::OpenFolder
                        | Asked::Probabilities
                        | Asked::TestTexts
                        | Asked::Log { .. }
                        | Asked::Source { .. }
                        | Asked::Version { .. }
                        | Asked::TrainFolder
                        | Asked::Pipeline { save: false },
                    ) => {
                        self.state.asks_for = self.pending.as_ref().and_then(Asked::heading);
                        self.state.pop(Popup::OpenPath);
                    }
                    Some(Asked::Save { target, .. }) => {
                        let name = folder.unwrap_or_default().join(&target.path);
                        self.state.pop(Popup::SavePath { folder: false });
                        self.state.typed = name.display().to_string();
                    }
                    Some(Asked::Parts { .. }) => {
                        self.state.pop(Popup::SavePath { folder: true });
                        self.state.typed = folder.unwrap_or_default().join("parts").display().to_string();
                    }
                    Some(Asked::EachSource) => {
                        self.state.pop(Popup::SavePath { folder: true });
                        self.state.typed = folder.unwrap_or_default().join("sources").display().to_string();
                    }
                    Some(Asked::Run { .. }) => {
                        self.state.pop(Popup::SavePath { folder: true });
                        self.state.typed = folder.unwrap_or_default().join("").display().to_string();
                    }
                    Some(Asked::Hub) => {
                        self.state.pop(Popup::SavePath { folder: true });
                        self.state.typed = folder.unwrap_or_default().join("hugging-face").display().to_string();
                    }
                    Some(Asked::HandOver { target }) => {
                        self.state.pop(Popup::SavePath { folder: true });
                        let below = format!("for-{}", target.trainer.entry().name);
                        self.state.typed = folder.unwrap_or_default().join(below).display().to_string();
                    }
                    Some(Asked::Images { target, .. }) => {
                        self.state.pop(Popup::SavePath { folder: true });
                        self.state.typed = folder.unwrap_or_default().join(&target.folder).display().to_string();
                    }
                    Some(Asked::Pipeline { save: true }) => {
                        let name = format!("{}.json", self.state.augment.pipeline.name);
                        self.state.pop(Popup::SavePath { folder: false });
                        self.state.typed = folder.unwrap_or_default().join(name).display().to_string();
                    }
                    Some(Asked::Report { of }) => {
                        let name = of.file_name();
                        self.state.pop(Popup::SavePath { folder: false });
                        self.state.typed = folder.unwrap_or_default().join(name).display().to_string();
                    }
                    Some(Asked::Model) => self.state.pop(Popup::ModelPath),
                    // Its popup has a field to type the path in.
                    Some(Asked::TextModel { .. }) => {
                        self.pending = None;
                        self.notices.complain(ctx, "The desktop offers no file dialog here: type or paste the folder's path");
                    }
                    None => {}
                }
            }
        }
    }

    /// A path typed by hand: our own dialog asks nobody before it replaces a file, so it does not.
    fn typed(&mut self, ctx: &Context, path: PathBuf) {
        if !path.exists() {
            return self.answered(ctx, path);
        }
        match self.pending.take() {
            Some(Asked::Save { rows, mut target }) => {
                let words = format!("Replace {}", path.display());
                target.path = path;
                self.actions.push(Action::AskFirst { words, action: Box::new(Action::ExportOver(vec![(rows, target)])) });
            }
            Some(Asked::Pipeline { save: true } | Asked::Report { .. }) => {
                self.notices.complain(ctx, format!("{} exists already; choose another name", path.display()));
            }
            other => {
                self.pending = other;
                self.answered(ctx, path);
            }
        }
    }

    fn answered(&mut self, ctx: &Context, path: PathBuf) {
        match self.pending.take() {
            None => {}
            Some(Asked::Open | Asked::OpenFolder) => self.open(path, Begun::Open),
            Some(Asked::Pipeline { save }) => self.shelf().pipeline_file(ctx, &path, save),
            Some(Asked::Report { of: PageOf::DryRun(target) }) => self.session.save(Save::DryRun { path, target }),
            Some(Asked::Report { of: PageOf::Batch }) => monitoring::page(self, path),
            Some(Asked::Report { of: PageOf::Recipe(export) }) => {
                save_steps(self, ctx, |edits| Save::Recipe { edits, path, export });
            }
            Some(Asked::Version { base: false }) => self.actions.push(Action::Collect(CollectAction::Compare(path))),
            Some(Asked::Version { base: true }) => self.actions.push(Action::Collect(CollectAction::CompareFrom(path))),
            Some(Asked::Source { .. }) => self.actions.push(Action::Collect(CollectAction::Add(vec![path]))),
            Some(Asked::Log { folder: true }) => self.actions.push(Action::Monitor(MonitorAction::LookIn(path))),
            Some(Asked::Log { folder: false }) => self.actions.push(Action::Monitor(MonitorAction::Offer(path))),
            Some(Asked::Report { of }) => {
                let card = of == PageOf::Card;
                let findings = self.session.workspace().map(|workspace| workspace.findings().list().to_vec());
                let so_far = self.session.workspace().map(Workspace::so_far).unwrap_or_default();
                let told = self.session.workspace().map(|open| open.history().told()).unwrap_or_default();
                self.session.save(Save::Page { path, findings: findings.unwrap_or_default(), so_far, told, card });
            }
            Some(Asked::Model) => self.shelf().model_folder(path),
            Some(Asked::TextModel { back }) => self.shelf().text_model_folder(path, back),
            Some(Asked::Probabilities) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.session.choose_source(LabelSource::File(path), name);
            }
            Some(Asked::Save { rows, mut target }) => {
                target.path = path;
                // The desktop's dialog has asked whether to replace what is there.
                self.session.save(Save::Files(vec![(rows, target)]));
            }
            Some(Asked::Images { rows: Some(rows), target }) => self.save_images(path, vec![(String::new(), rows)], target),
            Some(Asked::Images { rows: None, target }) => match self.parts() {
                Ok(parts) => {
                    let parts = parts.into_iter().map(|(name, ids)| (name, Rows::These(ids))).collect();
                    self.save_images(path, parts, target);
                }
                Err(why) => self.notices.complain(ctx, why),
            },
            Some(Asked::TestTexts) => self.session.look_for(path),
            Some(Asked::TrainFolder) => self.state.train.encoder = path.to_string_lossy().into_owned(),
            Some(Asked::Run { input: None }) => self.actions.push(Action::RunDialog { input: Some(path) }),
            Some(Asked::Run { input: Some(input) }) => {
                save_steps(self, ctx, |edits| Save::Run { edits, input, folder: path });
            }
            Some(Asked::EachSource) => self.session.save(Save::EachSource { folder: path }),
            Some(Asked::Hub) => {
                let Some(open) = self.session.workspace() else { return };
                let (findings, told) = (open.findings().list().to_vec(), open.history().told());
                self.session.save(Save::Hub { folder: path, findings, told });
            }
            Some(Asked::HandOver { target }) => self.session.save(Save::HandOver { target, folder: path }),
            Some(Asked::Parts { target }) => match self.parts().map(|parts| parts::files(parts, &path, &target)) {
                Ok(list) => match parts::replaces(&list) {
                    Some(words) => {
                        self.actions.push(Action::AskFirst { words, action: Box::new(Action::ExportOver(list)) });
                    }
                    None => self.session.save(Save::Files(list)),
                },
                Err(why) => self.notices.complain(ctx, why),
            },
        }
    }

    /// The parts of the split, as the form of Export asks for them.
    fn parts(&self) -> Result<BTreeMap<String, Vec<SampleId>>, String> {
        let dataset = self.session.workspace().map(Workspace::dataset);
        dataset.map_or(Ok(BTreeMap::new()), |dataset| parts::of_split(dataset, self.state.export.excluded))
    }

    /// Saves images to `path`; in a folder that holds something already, to a new one in it.
    fn save_images(&mut self, path: PathBuf, parts: Vec<(String, Rows)>, mut target: ImageTarget) {
        let full = std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some());
        target.folder = if full { free_name(&path.join(&target.folder)) } else { path };
        self.session.save(Save::Images(parts, target));
    }
}

/// Does something with the steps that were made here, and the data as they were before.
fn save_steps(app: &mut App, ctx: &Context, make: impl FnOnce(Vec<Edit>) -> Save) {
    let Some(open) = app.session.workspace() else { return };
    match open.steps() {
        Ok((dataset, edits)) => app.session.save_of(dataset, make(edits)),
        Err(error) => app.notices.complain(ctx, error.to_string()),
    }
}

/// Unpacks a bundled sample and opens it.
fn open_sample(app: &mut App, ctx: &Context, index: usize) {
    match app.folders.unpack_sample(index) {
        Ok(path) => app.open(path, Begun::Open),
        Err(error) => {
            let name = settings::SAMPLES[index].name;
            app.notices.complain(ctx, format!("The sample {name} could not be unpacked: {error}"));
        }
    }
}

/// Stops a job.
fn stop(app: &mut App, ctx: &Context, key: &'static str) {
    app.session.stop(key);
    if key == "visible" {
        // What is shown is what was asked for before.
        (app.state.filter, app.state.table.sort) = app.session.shown_filter();
    }
    app.notices.say(ctx, "Stopped");
}

/// How edits are carried over to the file as it is now: from what is open, which still knows what its rows said.
fn carry_from(app: &App) -> Begun {
    let old = app.session.workspace().map(|open| Box::new(open.dataset().clone()));
    old.map_or(Begun::Carry, |old| Begun::CarryFrom(old, SettledChanges::default()))
}

/// Adds weights of classes as a column.
fn weigh(app: &mut App, ctx: &Context) {
    if let Some(label) = app.session.balance().map(|view| view.label.clone()) {
        app.operate(ctx, Operation::Weigh { label, beta: app.state.balance.beta });
    }
}

/// What an action asks a path for, where it asks for one.
fn asked_by(action: &Action) -> Option<Asked> {
    Some(match action {
        Action::OpenDialog => Asked::Open,
        Action::OpenFolderDialog => Asked::OpenFolder,
        Action::ChooseModel(None) => Asked::Model,
        Action::ProbabilityFile => Asked::Probabilities,
        Action::TextModelFolder { back } => Asked::TextModel { back: *back },
        Action::PipelineDialog { save } => Asked::Pipeline { save: *save },
        Action::ReportDialog { of } => Asked::Report { of: of.clone() },
        Action::ExportDialog { rows, target } => Asked::Save { rows: rows.clone(), target: target.clone() },
        Action::ExportPartsDialog { target } => Asked::Parts { target: target.clone() },
        Action::HubDialog => Asked::Hub,
        Action::EachSourceDialog => Asked::EachSource,
        Action::RunDialog { input } => Asked::Run { input: input.clone() },
        Action::TestTextsDialog => Asked::TestTexts,
        Action::TrainFolderDialog => Asked::TrainFolder,
        Action::VersionDialog { base } => Asked::Version { base: *base },
        Action::SourceDialog { folder } => Asked::Source { folder: *folder },
        Action::LogDialog { folder } => Asked::Log { folder: *folder },
        Action::HandOverDialog { target } => Asked::HandOver { target: target.clone() },
        Action::ExportImagesDialog { rows, target } => Asked::Images { rows: rows.clone(), target: target.clone() },
        _ => return None,
    })
}
