//! Opening a dataset: what the window does beside the session.

use std::path::PathBuf;

use egui::Context;

use super::App;
use super::pictures::Gallery;
use crate::action::Action;
use crate::data::{count, things};
use crate::io;
use crate::session::{AugmentForm, Begun, Opened, Remedy};
use crate::ui::View;

impl App {
    /// Starts opening a file. What was open stays until it has succeeded.
    pub(super) fn open(&mut self, path: PathBuf, begun: Begun) {
        // What a list said before it was changed is of the opening that follows the change, and of no other.
        if !matches!(begun, Begun::Continue(..) | Begun::CarryBy(..)) {
            self.state.list_before = None;
        }
        if self.session.open(path, begun, self.folders.projects()) {
            self.gallery = Gallery::default();
        }
    }

    pub(super) fn opened(&mut self, ctx: &Context, opened: Opened) {
        let workspace = opened.workspace;
        // Whoever works on a list of sources stays there while it is read anew.
        let list = self.state.view == View::Collect && !workspace.dataset().base.sources.is_empty();
        let source = self.state.source.take();
        self.state.leave_dataset();
        if list {
            (self.state.view, self.state.source) = (View::Collect, source);
        }
        self.settings.recent.retain(|path| path.exists());
        self.settings.opened(&workspace.dataset().base.origin.path);
        let _ = self.settings.save(&self.folders);
        if let Some(columns) = self.settings.table(&workspace.dataset().base.origin.path) {
            self.state.table.columns = columns.to_vec();
            self.state.table.arranged = true;
        }
        let path = workspace.dataset().base.origin.path.clone();
        let edits = workspace.history().depth();
        let warnings = workspace.dataset().base.warnings.len();
        let (project, elsewhere) = workspace.project();
        let project = project.display().to_string();
        self.state.gallery.on = workspace.dataset().pictures().is_some();
        self.state.augment = AugmentForm::of(workspace.dataset());
        self.window.stamp = io::dataset_stamp(&workspace.dataset().base);
        let (mended, renewed) = (workspace.mended().map(ToOwned::to_owned), workspace.renewed().map(ToOwned::to_owned));
        self.gallery = Gallery::default();
        self.session.take_in(workspace);
        self.notices.clear();
        if elsewhere && opened.words.is_none() {
            self.notices.say(ctx, format!("This file's folder cannot be written: its edits are kept in {project}"));
        }
        if warnings > 0 {
            self.notices.say(
                ctx,
                format!(
                    "{} could not be read as {}; Collect says which",
                    things(warnings, "line", "lines"),
                    if warnings == 1 { "it stands" } else { "they stand" }
                ),
            );
        }
        if edits > 0 && opened.words.is_none() {
            self.notices.say(
                ctx,
                if edits == 1 { "Your edit is back".to_owned() } else { format!("Your {} edits are back", count(edits)) },
            );
        }
        if let Some(words) = renewed {
            self.notices.say(ctx, words);
        }
        if let Some(words) = mended {
            self.notices.tell(ctx, words, true, Some(("Look for more".to_owned(), Action::Recover)));
        }
        if let Some(words) = opened.words {
            let bad = opened.remedy.as_ref().is_some_and(|remedy| !matches!(remedy, Remedy::Adopt(_)));
            self.notices.tell(ctx, words, bad, opened.remedy.map(|remedy| remedied(remedy, path)));
        }
    }
}

/// What can be done, and the button's name.
fn remedied(remedy: Remedy, path: PathBuf) -> (String, Action) {
    match remedy {
        Remedy::Carry => ("Carry edits over".to_owned(), Action::Carry),
        Remedy::Recover => ("Save what can be read".to_owned(), Action::Recover),
        Remedy::TryAgain => ("Try again".to_owned(), Action::Open(path)),
        Remedy::Adopt(project) => ("Take them over".to_owned(), Action::Adopt(project)),
    }
}
