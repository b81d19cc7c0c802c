//! The real app, driven by role, label and key, as a person would.

#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use lapidary::app::{App, Begin, Folders, Scripted};
use lapidary::data::SampleId;
use lapidary::ui::View;
use tempfile::TempDir;

/// The app without a screen.
pub struct Window {
    pub harness: Harness<'static, App>,
}

/// A folder with a small dataset of real questions.
pub fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tickets.csv");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tickets.csv"), &path).unwrap();
    (folder, path)
}

impl Window {
    pub fn new(begin: Begin, home: &Path, answers: Vec<PathBuf>) -> Self {
        let folders = Folders::within(home);
        let dialogs = Scripted::new(answers);
        let harness = Harness::builder()
            .with_size([1440.0, 900.0])
            .allow_missing_glyphs()
            .build_eframe(|creation| App::new(&creation.egui_ctx, begin, folders, Box::new(dialogs)));
        let mut window = Self { harness };
        window.settle();
        window
    }

    /// Draws until nothing runs any more.
    pub fn settle(&mut self) {
        for _ in 0..2_000 {
            self.harness.step();
            if !self.harness.state().is_busy() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(!self.harness.state().is_busy(), "the window never comes to rest");
        self.harness.run_steps(3);
    }

    pub fn key(&mut self, key: Key) {
        self.harness.key_press(key);
        self.settle();
    }

    pub fn ctrl(&mut self, key: Key) {
        self.harness.key_press_modifiers(Modifiers::COMMAND, key);
        self.settle();
    }

    pub fn type_text(&mut self, text: &str) {
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.settle();
    }

    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.settle();
    }

    pub fn click_part(&mut self, part: &str) {
        self.harness.query_all_by_label_contains(part).next().unwrap_or_else(|| panic!("nothing is called {part:?}")).click();
        self.settle();
    }

    pub fn sees(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
    }

    pub fn cell(&self, row: u32, column: &str) -> String {
        let dataset = self.harness.state().workspace().unwrap().dataset();
        dataset.text(dataset.field(column).unwrap(), SampleId(row)).unwrap_or_default().into_owned()
    }

    pub fn count(&self, class: &str) -> u64 {
        let classes = self.harness.state().workspace().unwrap().classes("category").unwrap();
        classes.class(class).map_or(0, |class| classes.counts()[class])
    }

    pub fn view(&mut self, view: View) {
        self.click_part(view.title());
    }
}
