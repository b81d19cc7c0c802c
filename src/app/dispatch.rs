//! Actions, carried out one at a time. Every change to data goes through [`App::edit`].

use std::path::PathBuf;

use egui::Context;

use super::dialogs::{Answer, Asked};
use super::news::wants;
use super::{App, settings};
use crate::action::Action;
use crate::data::{Role, SampleId};
use crate::edit::{Edit, EditError, EditId};
use crate::io::{ImageTarget, Meaning, Reading, Rows, SaveTarget, compressed_name, free_name};
use crate::operate::Operation;
use crate::session::{Begun, LabelSource, Save, Workspace};
use crate::ui::{Notice, Popup, View, count_samples};

impl App {
    /// Carries out every action that waits.
    pub(super) fn carry_out(&mut self, ctx: &Context) {
        let mut rounds = 0;
        while !self.actions.is_empty() && rounds < 16 {
            rounds += 1;
            for action in std::mem::take(&mut self.actions) {
                self.act(ctx, action);
            }
        }
    }

    fn act(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::OpenDialog => self.ask(ctx, Asked::Open),
            Action::OpenFolderDialog => self.ask(ctx, Asked::OpenFolder),
            Action::Open(path) => self.open(path, Begun::Open),
            Action::OpenSample(index) => match self.folders.unpack_sample(index) {
                Ok(path) => self.open(path, Begun::Open),
                Err(error) => {
                    self.complain(ctx, format!("The sample {} could not be unpacked: {error}", settings::SAMPLES[index].name));
                }
            },
            Action::Close => self.close(),
            Action::Reread(reading) => self.reread(ctx, &reading),
            Action::Carry => self.again(Begun::Carry),
            Action::Recover => self.again(Begun::Recover),
            Action::Adopt(project) => self.again(Begun::Adopt(project)),
            Action::OpenTrusted(path) => self.open(path, Begun::Trusted),
            Action::Do(operation) => self.do_it(ctx, operation),
            Action::CheckLabels => self.session.check_labels(),
            Action::FindMeaning(words) => self.find_meaning(ctx, &words),
            Action::ChooseModel(None) => self.ask(ctx, Asked::Model),
            Action::ChooseModel(Some(folder)) => self.session.choose_meaning(Meaning::Folder(folder)),
            Action::BuiltInModel => self.session.choose_meaning(Meaning::BuiltIn),
            Action::ProbabilityColumns => self.session.choose_source(LabelSource::Columns, "probability columns".to_owned()),
            Action::ProbabilityFile => self.ask(ctx, Asked::Probabilities),
            Action::AskFirst { words, action } => {
                self.state.pop(Popup::Confirm);
                self.state.confirm = Some((words, *action));
            }
            Action::Undo => self.walk(ctx, "Undone", Workspace::undo),
            Action::Revert(id) => self.revert(ctx, id),
            Action::Redo => self.walk(ctx, "Done again", Workspace::redo),
            Action::GoTo(id) => self.walk(ctx, "Went to", |workspace| {
                workspace.go(id)?;
                Ok(workspace.history().node(id).map_or("the file as it was opened".to_owned(), |node| node.words.clone()))
            }),
            Action::Check(thresholds) => {
                self.state.thresholds = thresholds;
                self.session.check_again();
            }
            Action::PreviewSplit(split) => self.session.ask_split(&self.state.split.label, split),
            Action::ApplySplit => {
                let done = self.session.apply_split();
                self.edited(ctx, true, done);
            }
            Action::Augment => self.augment(ctx, None),
            Action::MakeAnew(batch) => self.augment(ctx, Some(batch)),
            Action::Probe | Action::ApplyBalance | Action::TryRules => self.balance(&action),
            Action::AddWeights => {
                if let Some(label) = self.session.balance().map(|view| view.label.clone()) {
                    self.operate(ctx, true, &Operation::Weigh { label, beta: self.state.balance.beta });
                }
            }
            Action::CopyWeights => {
                if let Some(json) = self.session.class_weights(self.state.balance.beta) {
                    ctx.copy_text(json);
                    self.say(ctx, "Copied the class weights as JSON");
                }
            }
            Action::KeepPipeline => self.keep_pipeline(ctx),
            Action::NameTextModel(name) => self.name_text_model(name.as_deref()),
            Action::KeepTextModel { was, model, key } => self.keep_text_model(ctx, was.as_deref(), model, key),
            Action::RemoveTextModel(name) => self.remove_text_model(ctx, &name),
            Action::AllowTextModel(name) => self.allow_text_model(ctx, &name),
            Action::TextModelFolder { back } => self.ask(ctx, Asked::TextModel { back }),
            Action::AskAgain => self.ask_again(),
            Action::PipelineDialog { save } => self.ask(ctx, Asked::Pipeline { save }),
            Action::ExportDialog { rows, target } => self.ask(ctx, Asked::Save { rows, target }),
            Action::ExportPartsDialog { target } => self.ask(ctx, Asked::Parts { target }),
            Action::ExportImagesDialog { rows, target } => self.ask(ctx, Asked::Images { rows, target }),
            Action::Export { rows, target } => self.session.save(Save::Files(vec![(rows, target)])),
            Action::ExportOver(list) => self.session.save(Save::Files(list)),
            Action::PathTyped(path) => self.typed(ctx, path),
            Action::Cancel(key) => self.stop(ctx, key),
            Action::Dismiss(at) => {
                if at < self.notices.len() {
                    self.notices.remove(at);
                }
            }
            Action::Notice(text) => self.say(ctx, text),
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
    fn edited(&mut self, ctx: &Context, loud: bool, done: Result<Option<(EditId, Edit)>, EditError>) {
        match done {
            Ok(Some((id, edit))) => {
                // What an earlier edit offered to undo is not the last any more.
                self.notices.retain(|notice| !is_undo(notice));
                self.decided(&edit);
                if loud || edit.count() > 1 {
                    self.notice(ctx, edit.words, false, Some(("Undo".to_owned(), Action::Revert(id))));
                }
            }
            Ok(None) => {}
            Err(error) => self.complain(ctx, error.to_string()),
        }
    }

    /// Takes back one edit, wherever it stands in the history.
    fn revert(&mut self, ctx: &Context, id: EditId) {
        let Some(workspace) = self.session.workspace() else { return };
        if workspace.history().head() == id {
            return self.walk(ctx, "Undone", Workspace::undo);
        }
        self.edit(ctx, true, |workspace| workspace.reversal(id).map(Some));
    }

    /// Carries out an operation that was asked for on screen.
    fn do_it(&mut self, ctx: &Context, mut operation: Operation) {
        match &mut operation {
            // In the queue, choosing a class is a decision on the sample.
            Operation::SetCells { review, .. } => *review |= self.state.view == View::Label,
            Operation::Accept { .. } => self.state.review.preview = false,
            _ => {}
        }
        let loud = matches!(operation, Operation::RenameClass { .. } | Operation::SetRole { .. } | Operation::SetKind { .. });
        self.operate(ctx, loud, &operation);
    }

    /// Plans an operation, makes it durable, shows it; says what was done where `loud`.
    pub(super) fn operate(&mut self, ctx: &Context, loud: bool, operation: &Operation) {
        let done = self.session.operate(operation);
        self.edited(ctx, loud, done);
    }

    fn augment(&mut self, ctx: &Context, instead: Option<usize>) {
        if let Err(why) = self.session.augment(&self.state.augment, instead) {
            self.complain(ctx, why);
        }
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
                self.notices.retain(|notice| !is_undo(notice) && !stale(&notice.text));
                self.walked(edit.as_ref());
                self.say(ctx, format!("{done}: {words}"));
            }
            Err(error @ EditError::Nothing(_)) => self.say(ctx, error.to_string()),
            Err(error) => self.complain(ctx, error.to_string()),
        }
    }

    fn close(&mut self) {
        self.session.close();
        self.state.leave_dataset();
        self.forget_pictures();
    }

    fn reread(&mut self, ctx: &Context, reading: &Reading) {
        let Some(workspace) = self.session.workspace() else { return };
        let path = workspace.dataset().base.origin.path.clone();
        if !workspace.history().nodes().is_empty() {
            // Another reading makes other samples: the edits find theirs by content.
            self.say(ctx, "Edits are carried over by sample content; the project as it was is kept beside it");
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
                    Some(Asked::Open | Asked::OpenFolder | Asked::Probabilities | Asked::Pipeline { save: false }) => {
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
                    Some(Asked::Images { target, .. }) => {
                        self.state.pop(Popup::SavePath { folder: true });
                        self.state.typed = folder.unwrap_or_default().join(&target.folder).display().to_string();
                    }
                    Some(Asked::Pipeline { save: true }) => {
                        let name = format!("{}.json", self.state.augment.pipeline.name);
                        self.state.pop(Popup::SavePath { folder: false });
                        self.state.typed = folder.unwrap_or_default().join(name).display().to_string();
                    }
                    Some(Asked::Model) => self.state.pop(Popup::ModelPath),
                    // Its popup has a field to type the path in.
                    Some(Asked::TextModel { .. }) => {
                        self.pending = None;
                        self.complain(ctx, "The desktop offers no file dialog here: type or paste the folder's path");
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
            Some(Asked::Pipeline { save: true }) => {
                self.complain(ctx, format!("{} exists already; choose another name", path.display()));
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
            Some(Asked::Pipeline { save }) => self.pipeline_file(ctx, &path, save),
            Some(Asked::Model) => self.session.choose_meaning(Meaning::Folder(path)),
            Some(Asked::TextModel { back }) => self.text_model_folder(path, back),
            Some(Asked::Probabilities) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.session.choose_source(LabelSource::File(path), name);
            }
            Some(Asked::Save { rows, mut target }) => {
                target.path = path;
                // The desktop's dialog has asked whether to replace what is there.
                self.session.save(Save::Files(vec![(rows, target)]));
            }
            Some(Asked::Images { rows, target }) => self.save_images(ctx, path, rows, target),
            Some(Asked::Parts { target }) => match self.parts(&path, &target) {
                Some(_) if self.outside_parts(ctx) => {}
                Some(list) => self.save_parts(list),
                None => self.complain(ctx, "There is no split to save; make one in Split first"),
            },
        }
    }

    /// Saves parts, asking first where files are there already.
    fn save_parts(&mut self, list: Vec<(Rows, SaveTarget)>) {
        let there = list.iter().filter(|(_, target)| target.path.exists()).count();
        if there == 0 {
            return self.session.save(Save::Files(list));
        }
        let folder = list.first().and_then(|(_, target)| target.path.parent()).unwrap_or(std::path::Path::new("."));
        let files = if there == 1 { "1 file".to_owned() } else { format!("{there} files") };
        let words = format!("Replace {files} in {}", folder.display());
        self.actions.push(Action::AskFirst { words, action: Box::new(Action::ExportOver(list)) });
    }

    /// Complains where samples are in no part of the split: saving the parts would lose them.
    fn outside_parts(&mut self, ctx: &Context) -> bool {
        let saved: usize = self.split_parts().values().map(Vec::len).sum();
        let Some(dataset) = self.session.workspace().map(Workspace::dataset) else { return false };
        let split = dataset.with_role(|role| role == Role::Split);
        let placed = |id: &SampleId| {
            (self.state.export.excluded || !dataset.is_excluded(*id))
                && split.and_then(|field| dataset.text(field, *id)).is_some_and(|part| !part.is_empty())
        };
        // What was made of samples that are tested on is in no part, and is not missed there.
        let left = |id: &SampleId| !dataset.is_made(*id) && (self.state.export.excluded || !dataset.is_excluded(*id));
        let kept =
            dataset.samples().filter(left).count() + dataset.samples().filter(|id| dataset.is_made(*id) && placed(id)).count();
        if saved < kept {
            let of = count_samples(kept - saved);
            self.complain(ctx, format!("{of} are in no part of the split: split again, or exclude them"));
        }
        saved < kept
    }

    /// Saves images to `path`; in a folder that holds something already, to a new one in it.
    fn save_images(&mut self, ctx: &Context, path: PathBuf, rows: Option<Rows>, mut target: ImageTarget) {
        let parts: Vec<(String, Rows)> = match rows {
            Some(rows) => vec![(String::new(), rows)],
            None => self.split_parts().into_iter().map(|(name, ids)| (name, Rows::These(ids))).collect(),
        };
        if parts.is_empty() {
            return self.complain(ctx, "There is no split to save; make one in Split first");
        }
        // Without a part's name it is the whole, or what the filter leaves.
        if !parts[0].0.is_empty() && self.outside_parts(ctx) {
            return;
        }
        let full = std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some());
        target.folder = if full { free_name(&path.join(&target.folder)) } else { path };
        self.session.save(Save::Images(parts, target));
    }

    /// The samples of each part of the split column.
    fn split_parts(&self) -> std::collections::BTreeMap<String, Vec<SampleId>> {
        let mut parts: std::collections::BTreeMap<String, Vec<SampleId>> = std::collections::BTreeMap::new();
        let Some(dataset) = self.session.workspace().map(Workspace::dataset) else { return parts };
        let Some(field) = dataset.with_role(|role| role == Role::Split) else { return parts };
        for id in dataset.samples().filter(|id| self.state.export.excluded || !dataset.is_excluded(*id)) {
            if let Some(name) = dataset.text(field, id).filter(|name| !name.is_empty()) {
                parts.entry(name.into_owned()).or_default().push(id);
            }
        }
        parts
    }

    fn parts(&self, folder: &std::path::Path, target: &SaveTarget) -> Option<Vec<(Rows, SaveTarget)>> {
        let parts = self.split_parts();
        let file = |name: &str| {
            name.chars().map(|letter| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' }).collect::<String>()
        };
        (!parts.is_empty()).then(|| {
            // Two parts whose names differ only in what a file's name cannot hold must not share a file.
            let mut taken = std::collections::HashSet::new();
            let mut to = |name: &str| {
                let names = (1..=u32::MAX).map(|n| if n == 1 { file(name) } else { format!("{}_{n}", file(name)) });
                let name = names.into_iter().find(|name| taken.insert(name.to_lowercase())).unwrap_or_default();
                SaveTarget { path: folder.join(compressed_name(&name, target.format, target.packing)), ..target.clone() }
            };
            parts.iter().map(|(name, ids)| (Rows::These(ids.clone()), to(name))).collect()
        })
    }
}

/// Whether a notice offers to take an edit back.
fn is_undo(notice: &Notice) -> bool {
    matches!(notice.remedy, Some((_, Action::Revert(_) | Action::Undo)))
}
