//! Stories in the window: the real app, driven by role, label and key, as a person would.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use lapidary::app::{App, Begin, Folders, Scripted};
use lapidary::data::SampleId;
use lapidary::ui::{Command, View};
use tempfile::TempDir;

struct Window {
    harness: Harness<'static, App>,
}

/// A folder with a small dataset of real questions.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tickets.csv");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tickets.csv"), &path).unwrap();
    (folder, path)
}

impl Window {
    fn new(begin: Begin, home: &Path, answers: Vec<PathBuf>) -> Self {
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
    fn settle(&mut self) {
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

    fn key(&mut self, key: Key) {
        self.harness.key_press(key);
        self.settle();
    }

    fn ctrl(&mut self, key: Key) {
        self.harness.key_press_modifiers(Modifiers::COMMAND, key);
        self.settle();
    }

    fn type_text(&mut self, text: &str) {
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.settle();
    }

    fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.settle();
    }

    fn click_part(&mut self, part: &str) {
        self.harness.query_all_by_label_contains(part).next().unwrap_or_else(|| panic!("nothing is called {part:?}")).click();
        self.settle();
    }

    fn sees(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
    }

    fn cell(&self, row: u32, column: &str) -> String {
        let dataset = self.harness.state().workspace().unwrap().dataset();
        dataset.text(dataset.field(column).unwrap(), SampleId(row)).unwrap_or_default().into_owned()
    }

    fn count(&self, class: &str) -> u64 {
        let classes = self.harness.state().workspace().unwrap().classes("category").unwrap();
        classes.class(class).map_or(0, |class| classes.counts()[class])
    }

    fn view(&mut self, view: View) {
        self.click_part(view.title());
    }
}

#[test]
fn relabel_by_key_undo_quit_and_find_it_again() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    assert!(window.sees("59 samples"));
    window.key(Key::J);
    window.key(Key::J);
    window.key(Key::Num5);
    let fifth = window.harness.state().workspace().unwrap().classes("category").unwrap().names()[4].to_string();
    assert_eq!(window.cell(1, "category"), fifth);
    let counted = window.count(&fifth);
    window.key(Key::U);
    assert_eq!(window.cell(1, "category"), "card_arrival");
    assert_eq!(window.count(&fifth), counted - 1);
    window.harness.key_press_modifiers(Modifiers { shift: true, ..Modifiers::COMMAND }, Key::Z);
    window.settle();
    assert_eq!(window.cell(1, "category"), fifth);
    // A class that does not exist yet, typed.
    window.key(Key::J);
    window.key(Key::L);
    window.type_text("brand_new");
    window.key(Key::Enter);
    assert_eq!(window.cell(2, "category"), "brand_new");
    assert_eq!(window.count("brand_new"), 1);
    drop(window);
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    assert_eq!(window.cell(1, "category"), fifth);
    assert_eq!(window.cell(2, "category"), "brand_new");
    window.view(View::History);
    assert!(window.sees("Set category of sample 2 to brand_new"));
    window.click_part("The file as it was opened");
    window.click("Go to this point");
    assert_eq!(window.cell(2, "category"), "card_arrival");
    assert_eq!(fs::read(&path).unwrap(), fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tickets.csv")).unwrap());
}

#[test]
fn many_at_once_from_a_filter() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.ctrl(Key::F);
    window.type_text("lost");
    window.key(Key::Enter);
    let left = window.harness.state_mut().state_mut().filter.clauses.len();
    assert_eq!(left, 1);
    window.ctrl(Key::A);
    let chosen = window.harness.state_mut().state_mut().selection.len();
    assert!(chosen > 5 && chosen < 59, "{chosen}");
    assert!(window.sees(&format!("{chosen} samples chosen")), "a key that acts on many says on how many");
    window.key(Key::X);
    let excluded = |window: &Window| window.harness.state().workspace().unwrap().dataset().excluded().len();
    assert_eq!(excluded(&window), chosen);
    assert!(
        window
            .harness
            .state()
            .notices()
            .iter()
            .any(|notice| notice.text.contains(&chosen.to_string()) && notice.remedy.is_some())
    );
    window.click_part("Undo");
    assert_eq!(excluded(&window), 0);
    window.key(Key::T);
    window.type_text("later");
    window.key(Key::Enter);
    assert_eq!(
        window.harness.state().workspace().unwrap().dataset().tags().next().map(|(tag, set)| (tag.to_owned(), set.len())),
        Some(("later".into(), chosen))
    );
    window.key(Key::Escape);
    window.key(Key::Escape);
    assert!(window.harness.state_mut().state_mut().filter.is_empty());
    assert!(window.sees("59 of 59"));
}

#[test]
fn a_class_is_renamed_and_merged() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::F2);
    window.type_text("lost_or_stolen_card");
    window.key(Key::Enter);
    assert_eq!((window.count("card_arrival"), window.count("lost_or_stolen_card")), (0, 34));
    window.key(Key::U);
    assert_eq!((window.count("card_arrival"), window.count("lost_or_stolen_card")), (20, 14));
}

#[test]
fn a_text_is_edited_in_place() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::E);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.settle();
    window.type_text("Where is it?");
    window.ctrl(Key::Enter);
    assert_eq!(window.cell(0, "text"), "Where is it?");
    // Keys typed into the text did nothing else.
    assert!(window.harness.state().workspace().unwrap().dataset().excluded().is_empty());
}

#[test]
fn keep_goes_on_to_the_next() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::Space);
    window.key(Key::Space);
    let workspace = window.harness.state().workspace().unwrap();
    assert_eq!(workspace.dataset().reviewed().len(), 2);
    assert_eq!(window.harness.state_mut().state_mut().selection.cursor, Some(SampleId(2)));
}

#[test]
fn split_then_save_each_part() {
    let (home, path) = folder();
    let parts = home.path().join("parts");
    let mut window = Window::new(Begin::File(path), home.path(), vec![parts.clone()]);
    window.view(View::Split);
    window.click("Split 59 samples");
    let dataset = window.harness.state().workspace().unwrap().dataset();
    assert!(dataset.field("split").is_some());
    window.view(View::Export);
    window.click_part("Each part of the split");
    window.click("Save…");
    let lines = |name: &str| fs::read_to_string(parts.join(name)).unwrap().lines().count() - 1;
    assert_eq!(lines("train.csv") + lines("validation.csv") + lines("test.csv"), 59);
    assert_eq!(lines("train.csv"), 47);
    window.view(View::Explore);
    window.key(Key::U);
    assert!(window.harness.state().workspace().unwrap().dataset().field("split").is_none());
}

#[test]
fn without_a_desktop_a_path_is_typed() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::Start, home.path(), Vec::new());
    assert!(window.sees("Open file…") && window.sees("banking77.csv"));
    window.ctrl(Key::O);
    window.type_text(&path.display().to_string());
    window.key(Key::Enter);
    assert!(window.sees("59 samples"));
    window.view(View::Export);
    window.click("Save…");
    window.key(Key::Enter);
    assert_eq!(fs::read(home.path().join("tickets-clean.csv")).unwrap(), fs::read(&path).unwrap());
}

#[test]
fn a_sample_opens_with_one_click() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Window::new(Begin::Start, home.path(), Vec::new());
    window.click_part("Open gsm8k.jsonl");
    assert!(window.sees("1,319 samples"));
}

#[test]
fn roles_and_readings_are_corrected_with_a_click() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Collect);
    window.click_part("Role of priority");
    window.harness.get_by_label("label").click();
    window.settle();
    assert!(window.harness.state().workspace().unwrap().classes("priority").is_some());
    window.key(Key::Escape);
    window.click_part("First row: names");
    window.click("is a sample");
    // The edits so far are carried over; the first row is a sample now.
    assert!(window.sees("60 samples"), "60 samples after reading the header as a sample");
}

#[test]
fn a_project_that_is_open_elsewhere_is_refused_and_the_data_shown() {
    let (home, path) = folder();
    let mut first = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    first.key(Key::J);
    first.key(Key::Num1);
    let mut second = Window::new(Begin::File(path), home.path(), Vec::new());
    assert!(second.harness.state().notices().iter().any(|notice| notice.text.contains("open in another Lapidary")));
    assert!(second.harness.state().workspace().unwrap().read_only().is_some());
    second.key(Key::J);
    second.key(Key::Num2);
    assert!(second.harness.state().workspace().unwrap().history().nodes().is_empty());
    assert_eq!(first.harness.state().workspace().unwrap().history().nodes().len(), 1);
}

#[test]
fn bad_files_are_explained_and_what_was_open_stays() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let bad = home.path().join("bad.json");
    fs::write(&bad, "{\"a\": ").unwrap();
    window.harness.state_mut().push(lapidary::action::Action::Open(bad));
    window.settle();
    assert!(window.harness.state().notices().iter().any(|notice| notice.bad && notice.text.contains("line 1")));
    assert!(window.sees("59 samples"));
}

#[test]
fn every_control_has_a_name() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    for view in View::ALL {
        window.harness.state_mut().state_mut().view = view;
        window.settle();
        for node in window.harness.root().children_recursive() {
            let node = node.accesskit_node();
            let acts = node.data().supports_action(egui::accesskit::Action::Click);
            let named = node.label().is_some_and(|name| !name.is_empty()) || node.value().is_some_and(|value| !value.is_empty());
            assert!(!acts || named, "{view:?}: a {:?} has no name", node.role());
        }
    }
}

#[test]
fn an_idle_window_asks_for_no_frame() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::Num2);
    // Notices go by themselves; then nothing moves.
    window.harness.run_steps(80);
    let delay = window.harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay > Duration::from_secs(60), "the next frame is asked for in {delay:?}");
}

#[test]
fn the_cheat_sheet_and_the_palette_come_from_the_registry() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::F1);
    assert!(window.sees(Command::RenameClass.title()));
    window.key(Key::Escape);
    window.ctrl(Key::K);
    window.type_text("histo");
    window.key(Key::Enter);
    assert_eq!(window.harness.state_mut().state_mut().view, View::History);
}

#[test]
fn edits_are_carried_over_with_one_click_when_the_file_changed() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::J);
    window.key(Key::L);
    window.type_text("moved");
    window.key(Key::Enter);
    assert_eq!(window.cell(1, "category"), "moved");
    drop(window);
    let text = fs::read_to_string(&path).unwrap();
    let (head, body) = text.split_once('\n').unwrap();
    fs::write(&path, format!("{head}\na new first question,age_limit,1\n{body}")).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    assert_eq!(window.cell(1, "category"), "card_arrival", "nothing is applied to the wrong rows");
    window.click("Carry edits over");
    assert_eq!(window.cell(2, "category"), "moved");
    assert_eq!(window.cell(1, "category"), "card_arrival");
}

#[test]
fn the_layout_is_remembered() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    window.key(Key::R);
    window.harness.state_mut().state_mut().table.columns.swap(0, 1);
    window.harness.state_mut().state_mut().table.arranged = true;
    window.harness.state_mut().state_mut().dark = false;
    window.settle();
    drop(window);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let state = window.harness.state_mut().state_mut();
    assert_eq!((state.table.lines, state.dark, state.table.columns[0].name.as_str()), (3, false, "category"));
}

#[test]
fn bars_are_dragged_across() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let bars: Vec<egui::Rect> =
        ["card_arrival: 20", "exchange_rate: 10"].iter().map(|name| window.harness.get_by_label(name).rect()).collect();
    window.harness.drag_at(bars[0].center());
    window.harness.run_steps(2);
    window.harness.hover_at(bars[0].center() + egui::vec2(30.0, 0.0));
    window.harness.run_steps(2);
    window.harness.hover_at(bars[1].center());
    window.harness.run_steps(2);
    window.harness.drop_at(bars[1].center());
    window.settle();
    assert!(window.sees("44 of 59"), "three classes are left");
}

#[test]
fn a_dataset_without_a_label_gets_one() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("plain.jsonl");
    fs::write(&path, "{\"text\": \"one\"}\n{\"text\": \"two\"}\n").unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::L);
    window.type_text("easy");
    window.key(Key::Enter);
    assert_eq!(window.cell(0, "label"), "easy");
    window.key(Key::J);
    window.key(Key::Num1);
    assert_eq!(window.cell(1, "label"), "easy");
    window.key(Key::U);
    window.key(Key::U);
    assert!(window.harness.state().workspace().unwrap().dataset().field("label").is_none());
}

#[test]
fn enter_too_soon_merges_nothing() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::F2);
    window.key(Key::Enter);
    assert!(window.harness.state().workspace().unwrap().history().nodes().is_empty());
}

#[test]
fn findings_come_back_with_undo() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let open = |window: &Window| window.harness.state().workspace().unwrap().findings().open();
    let before = open(&window);
    assert!(before > 0);
    let flagged = window.harness.state().workspace().unwrap().findings().list[0].samples.clone();
    window.harness.state_mut().push(lapidary::action::Action::Exclude { samples: flagged, on: true });
    window.settle();
    assert!(open(&window) < before);
    window.key(Key::U);
    window.settle();
    assert_eq!(open(&window), before);
    window.view(View::Split);
    window.click("Split 59 samples");
    assert_eq!(open(&window), before, "a split settles nothing");
}

#[test]
fn another_filter_leaves_no_cursor_on_a_sample_that_nobody_chose() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.ctrl(Key::F);
    window.type_text("exchange");
    window.key(Key::Enter);
    assert_eq!(window.harness.state_mut().state_mut().selection.cursor, None);
    window.key(Key::Num1);
    assert!(window.harness.state().workspace().unwrap().history().nodes().is_empty());
}

#[test]
fn a_wide_table_is_scrolled_sideways() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("wide.csv");
    let names: Vec<String> = (0..30).map(|i| format!("column_{i:02}")).collect();
    fs::write(&path, format!("{}\n{}\n", names.join(","), vec!["a value"; 30].join(","))).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    assert!(window.sees("Column column_00") && !window.sees("Column column_29"));
    let bar = window.harness.get_by_label("Scroll sideways").rect();
    window.harness.drag_at(bar.left_center() + egui::vec2(10.0, 0.0));
    window.harness.run_steps(2);
    window.harness.hover_at(bar.right_center() - egui::vec2(2.0, 0.0));
    window.harness.run_steps(2);
    window.harness.drop_at(bar.right_center() - egui::vec2(2.0, 0.0));
    window.settle();
    assert!(window.sees("Column column_29") && !window.sees("Column column_00"));
}
