//! A small picture of every view in both themes. `UPDATE_SNAPSHOTS=true cargo test --test desktop pictures` makes them anew: look at
//! each before committing it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use lapidary::app::{App, Begin, Folders, Scripted};
use lapidary::data::SampleId;
use lapidary::session::Visible;
use lapidary::ui::text_model_form::TextModelForm;
use lapidary::ui::{Piece, Popup, Spot, View};

/// Whether pictures can be made here: a software Vulkan driver is needed.
pub fn can_draw() -> bool {
    let drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let found = drivers.iter().any(|folder| std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some()));
    if !found && cfg!(target_os = "linux") {
        println!("skipped: no Vulkan driver (Debian: mesa-vulkan-drivers; .ci/run installs it)");
    }
    found || !cfg!(target_os = "linux")
}

/// The names of all pictures that this run took, of whichever test.
static TAKEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Pictures of one test, each held against the one of its name in `tests/snapshots`; all that differ are told at its end.
#[derive(Default)]
pub struct Pictures(SnapshotResults);

impl Pictures {
    /// # Panics
    /// Where two pictures have one name: whichever was drawn last would be what both are held against.
    pub fn take(&mut self, harness: &mut Harness<'_, App>, name: impl Into<String>) {
        let name = name.into();
        let is_new = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        assert!(is_new, "two pictures are called {name}");
        self.0.add(harness.try_snapshot(name));
    }
}

pub fn settle(harness: &mut Harness<'_, App>) {
    for _ in 0..2_000 {
        harness.step();
        if !harness.state().is_busy() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    harness.run_steps(4);
}

/// The window of most pictures.
const USUAL: [f32; 2] = [1_120.0, 640.0];

/// A window on a file, as it is once nothing is under way.
pub fn shown<'h>(file: &str, size: [f32; 2], home: &Path) -> Harness<'h, App> {
    let (folders, begin) = (Folders::within(home), Begin::File(PathBuf::from(file)));
    let mut harness = Harness::builder()
        .with_size(size)
        .allow_missing_glyphs()
        .with_options(SnapshotOptions::default().max_failed_pixels(60))
        .wgpu()
        .build_eframe(|creation| App::new(&creation.egui_ctx, begin, folders, Box::new(Scripted::default())));
    settle(&mut harness);
    harness
}

#[test]
fn images_in_both_themes() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut harness = shown("assets/samples/signs.zip", USUAL, home.path());
    harness.state_mut().state_mut().selection.go(&Visible::All(100), 4);
    let mut pictures = Pictures::default();
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        harness.state_mut().state_mut().dark = dark;
        for (view, name) in [
            (View::Explore, "gallery"),
            (View::Clean, "images-clean"),
            (View::Label, "images-label"),
            (View::Augment, "images-augment"),
        ] {
            harness.state_mut().state_mut().view = view;
            settle(&mut harness);
            pictures.take(&mut harness, format!("{name}-{theme}"));
        }
    }
}

#[test]
fn every_view_in_both_themes() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    // A relative path, so that no machine's folders stand in a picture.
    let mut harness = shown("tests/data/tickets.csv", USUAL, home.path());
    harness.state_mut().state_mut().selection.go(&Visible::All(59), 4);
    let mut pictures = Pictures::default();
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        harness.state_mut().state_mut().dark = dark;
        for view in View::all() {
            harness.state_mut().state_mut().view = view;
            settle(&mut harness);
            pictures.take(&mut harness, format!("{}-{theme}", view.title().to_lowercase()));
        }
        harness.state_mut().state_mut().view = View::Explore;
        harness.state_mut().state_mut().pop(Popup::Class);
        settle(&mut harness);
        pictures.take(&mut harness, format!("class-{theme}"));
        harness.state_mut().state_mut().popup = None;
        harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
        settle(&mut harness);
        let replace = &mut harness.state_mut().state_mut().replace;
        (replace.what.find, replace.what.with) = ("card".to_owned(), "bank card".to_owned());
        settle(&mut harness);
        pictures.take(&mut harness, format!("replace-{theme}"));
        // A text model on another machine, not allowed yet; and one in a folder.
        for (is_folder, name) in [(false, "address"), (true, "folder")] {
            let state = harness.state_mut().state_mut();
            state.pop(Popup::TextModel);
            state.text_model = TextModelForm {
                is_folder,
                url: "http://models.example.com/v1".to_owned(),
                model: "large".to_owned(),
                folder: "models/opus-mt-en-de".to_owned(),
                ..TextModelForm::default()
            };
            settle(&mut harness);
            pictures.take(&mut harness, format!("text-model-{name}-{theme}"));
        }
        harness.state_mut().state_mut().popup = None;
    }
}

#[test]
fn samples_to_work_on_in_both_themes() {
    if !can_draw() {
        return;
    }
    let mut pictures = Pictures::default();
    for (file, name) in
        [("tests/data/chats.jsonl", "chat"), ("tests/data/pairs.jsonl", "pair"), ("tests/data/tickets.csv", "text")]
    {
        let home = tempfile::tempdir().unwrap();
        let mut harness = shown(file, USUAL, home.path());
        let rows = harness.state().workspace().unwrap().dataset().rows();
        harness.state_mut().state_mut().selection.go(&Visible::All(rows), 0);
        harness.key_press(Key::Enter);
        settle(&mut harness);
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            harness.state_mut().state_mut().dark = dark;
            settle(&mut harness);
            pictures.take(&mut harness, format!("sample-{name}-{theme}"));
        }
        if name == "chat" {
            // An editor with a fault, in a small window.
            harness.set_size([800.0, 520.0].into());
            harness.state_mut().state_mut().pane.begin(
                Spot { sample: SampleId(0), column: "messages".to_owned(), piece: Piece::More(2, 0) },
                "[{\"name\": \"weather\", \"arguments\": {\"city\": \"Bergen\"}",
            );
            settle(&mut harness);
            harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
            settle(&mut harness);
            pictures.take(&mut harness, "narrow-sample-fault");
        }
    }
}

#[test]
fn letters_are_drawn_as_they_are() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut harness = shown("tests/data/letters.csv", USUAL, home.path());
    harness.state_mut().state_mut().selection.go(&Visible::All(12), 4);
    settle(&mut harness);
    let mut pictures = Pictures::default();
    pictures.take(&mut harness, "letters-dark");
}

#[test]
fn empty_crowded_and_narrow() {
    if !can_draw() {
        return;
    }
    let mut pictures = Pictures::default();
    for (file, size, state) in [
        ("tests/data/nothing.csv", USUAL, "empty"),
        ("tests/data/crowded.csv", USUAL, "crowded"),
        ("tests/data/tickets.csv", [720.0, 480.0], "narrow"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut harness = shown(file, size, home.path());
        for view in View::all() {
            harness.state_mut().state_mut().view = view;
            harness.state_mut().state_mut().dark = view != View::Explore && view != View::Label;
            settle(&mut harness);
            pictures.take(&mut harness, format!("{state}-{}", view.title().to_lowercase()));
        }
    }
}

#[test]
fn the_trainers_eye_in_both_themes_and_narrow() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut pictures = Pictures::default();
    for (size, name) in [(USUAL, "eye"), ([720.0, 480.0], "narrow-eye")] {
        let mut harness = shown("assets/samples/gsm8k.jsonl", size, home.path());
        let state = harness.state_mut().state_mut();
        (state.view, state.export.eye, state.export.target.length) = (View::Export, true, 160);
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            harness.state_mut().state_mut().dark = dark;
            settle(&mut harness);
            pictures.take(&mut harness, format!("{name}-{theme}"));
        }
    }
}
