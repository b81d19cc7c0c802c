//! The sample as a place to work: stories by key.

use std::fs;
use std::path::PathBuf;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use lapidary::app::Begin;
use lapidary::data::SampleId;
use lapidary::ui::{Piece, Spot, View};
use tempfile::TempDir;

use crate::support::{Window, folder};

const CHATS: &str = r#"{"id": 1, "messages": [{"role": "system", "content": "Be \u0062rief."}, {"role": "user", "content": "What is the weather in Oslo?"}, {"role": "assistant", "content": "", "tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]}, {"role": "tool", "content": "4 degrees"}]}
{"id": 2, "messages": [{"role": "user", "content": "Say hello."}, {"role": "assistant", "content": "Hello!"}]}
{"id": 3, "messages": [{"role": "user", "content": "Say bye."}, {"role": "assistant", "content": "Bye!"}]}
"#;

fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(name);
    fs::write(&path, text).unwrap();
    (home, path)
}

fn chats() -> (TempDir, Window) {
    let (home, path) = file("chats.jsonl", CHATS);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::Enter);
    (home, window)
}

fn messages(row: usize) -> String {
    let line: serde_json::Value = serde_json::from_str(CHATS.lines().nth(row).unwrap()).unwrap();
    line["messages"].to_string()
}

/// The messages of a cell, whatever stands between them.
fn said(window: &Window, row: u32) -> serde_json::Value {
    serde_json::from_str(&window.cell(row, "messages")).unwrap()
}

fn all_of_it(window: &mut Window) {
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.settle();
}

#[test]
fn a_turn_whose_json_has_a_typo_keeps_what_was_typed() {
    let (_home, mut window) = chats();
    assert!(window.sees("Sample 0") && window.sees("Add a turn"));
    window.key(Key::E);
    // Past what the system, the user and the assistant say, to the call.
    for _ in 0..3 {
        window.key(Key::Tab);
    }
    all_of_it(&mut window);
    window.type_text("[{\"name\": \"weather\", \"arguments\": {\"city\": \"Bergen\"}]");
    window.ctrl(Key::Enter);
    assert!(window.sees("Not saved: line 1, letter"), "it says what is wrong, and where");
    let spot = Spot { sample: SampleId(0), column: "messages".to_owned(), piece: Piece::More(2, 0) };
    let typed = window.harness.state_mut().state_mut().pane.draft(&spot).unwrap().text.clone();
    assert!(typed.contains("Bergen"), "what was typed is there");
    assert!(window.cell(0, "messages").contains("Oslo\"}"));
    // It is left, another sample is looked at, another stage: it is there still.
    window.key(Key::Escape);
    window.key(Key::J);
    assert!(window.sees("typed and not saved in 1 sample"));
    window.view(View::Split);
    window.view(View::Explore);
    window.key(Key::K);
    assert!(window.sees("Something typed here is not saved"));
    window.click("Go on with it");
    all_of_it(&mut window);
    window.type_text("[{\"name\": \"weather\", \"arguments\": {\"city\": \"Bergen\"}}]");
    window.ctrl(Key::Enter);
    assert_eq!(said(&window, 0)[2]["tool_calls"][0]["arguments"]["city"], "Bergen");
    assert!(window.cell(0, "messages").contains("Be \\u0062rief."), "no other letter is another");
    assert!(!window.sees("not saved"));
    window.key(Key::U);
    assert_eq!(said(&window, 0).to_string(), messages(0));
}

#[test]
fn turns_are_edited_added_moved_and_taken_away() {
    let (_home, mut window) = chats();
    window.key(Key::J);
    window.key(Key::E);
    all_of_it(&mut window);
    window.type_text("Say \"hi\"\nto all");
    // Tab saves and goes on to the next turn.
    window.key(Key::Tab);
    assert_eq!(said(&window, 1)[0]["content"], "Say \"hi\"\nto all");
    all_of_it(&mut window);
    window.type_text("Hi all");
    window.ctrl(Key::Enter);
    assert_eq!(said(&window, 1)[1]["content"], "Hi all");
    let menu = |window: &mut Window, turn: usize, what: &str| {
        window.click(&format!("Turn {turn} of messages"));
        window.click(what);
    };
    menu(&mut window, 2, "Add a turn below");
    assert_eq!(said(&window, 1)[2]["role"], "user", "who did not speak last speaks next");
    window.type_text("Thanks. And bye");
    window.ctrl(Key::Enter);
    assert_eq!(said(&window, 1)[2]["content"], "Thanks. And bye");
    menu(&mut window, 3, "Move up");
    assert_eq!(
        (said(&window, 1)[1]["content"].as_str(), said(&window, 1)[2]["content"].as_str()),
        (Some("Thanks. And bye"), Some("Hi all"))
    );
    menu(&mut window, 2, "Take the turn away");
    assert_eq!(said(&window, 1).as_array().unwrap().len(), 2);
    // Every step is an edit of its own.
    for _ in 0..6 {
        window.key(Key::U);
    }
    assert_eq!(said(&window, 1).to_string(), messages(1));
    let bytes = window.harness.state().workspace().unwrap().dataset().is_sample_edited(SampleId(1));
    assert!(!bytes, "undone, it is the source's own");
}

#[test]
fn a_pair_is_changed_about_and_back() {
    let pairs = "{\"prompt\": \"2 + 2\", \"chosen\": \"It is 5.\", \"rejected\": \"It is 4.\"}\n{\"prompt\": \"1 + 1\", \"chosen\": \"2\", \"rejected\": \"3\"}\n";
    let (home, path) = file("pairs.jsonl", pairs);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::Enter);
    assert!(window.sees("Change the two about"));
    window.key(Key::S);
    assert_eq!((window.cell(0, "chosen").as_str(), window.cell(0, "rejected").as_str()), ("It is 4.", "It is 5."));
    window.key(Key::U);
    assert_eq!((window.cell(0, "chosen").as_str(), window.cell(0, "rejected").as_str()), ("It is 5.", "It is 4."));
    assert!(window.harness.state().workspace().unwrap().history().head() == 0);
    // Several at once, from the table.
    window.key(Key::Escape);
    window.ctrl(Key::A);
    window.key(Key::S);
    assert_eq!((window.cell(0, "chosen").as_str(), window.cell(1, "chosen").as_str()), ("It is 4.", "3"));
}

#[test]
fn a_note_is_a_column_of_ones_own() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::N);
    window.type_text("ask again");
    window.ctrl(Key::Enter);
    assert_eq!(window.cell(0, "note"), "ask again");
    window.key(Key::J);
    window.key(Key::N);
    window.type_text("wrong language");
    window.ctrl(Key::Enter);
    assert_eq!((window.cell(0, "note").as_str(), window.cell(1, "note").as_str()), ("ask again", "wrong language"));
    window.key(Key::U);
    window.key(Key::U);
    assert!(window.harness.state().workspace().unwrap().dataset().field("note").is_none());
    // The digits give classes here as beside the table.
    window.key(Key::Escape);
    assert!(window.sees("card_arrival"));
}

#[test]
fn a_second_field_is_edited_in_the_queue() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("twice.csv");
    let mut text = String::from("text,answer,category\n");
    for i in 0..60 {
        let (what, class) = if i % 2 == 0 { ("my card is lost", "lost") } else { ("top up my account", "top_up") };
        // Three are wrong.
        let class = if i % 20 == 7 { "lost" } else { class };
        text.push_str(&format!("{what} please help number {i},answer {i},{class}\n"));
    }
    fs::write(&path, text).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.ctrl(Key::L);
    let id = window.harness.state_mut().state_mut().review.current.unwrap();
    window.key(Key::E);
    window.key(Key::Tab);
    window.type_text(" indeed");
    window.ctrl(Key::Enter);
    let answers = [window.cell(id.0, "text"), window.cell(id.0, "answer")];
    assert!(answers[1].ends_with(" indeed") && !answers[0].contains("indeed"), "{answers:?}");
    window.key(Key::Escape);
    assert_eq!(window.harness.state_mut().state_mut().review.current, Some(id), "the queue stands where it stood");
}

/// 7,600 rows, of which every fourth has what is looked for.
fn many() -> (TempDir, PathBuf) {
    let mut text = String::from("text,label\n");
    for i in 0..7_600 {
        let what = if i % 4 == 0 { "pay by Credit  Card (v1.0)" } else { "something, else" };
        text.push_str(&format!("\"{what} {i}\",{}\n", ["a", "b"][i % 2]));
    }
    file("many.csv", &text)
}

#[test]
fn what_is_found_is_replaced_where_the_filter_leaves_it_and_taken_back() {
    let (home, path) = many();
    let before = fs::read(&path).unwrap();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    window.ctrl(Key::R);
    assert!(window.sees("Find and replace in 7,600 samples"));
    window.type_text("credit  card (V1.0)");
    assert!(window.sees("Replace in 1,900 samples"), "it is shown before it is done");
    window.harness.get_by_label("Replace by").focus();
    window.settle();
    window.type_text("card $1");
    window.ctrl(Key::Enter);
    assert_eq!(window.cell(4, "text"), "pay by card $1 4", "plain text is taken as it stands");
    assert_eq!(window.cell(5, "text"), "something, else 5");
    assert_eq!(window.harness.state().workspace().unwrap().history().nodes().len(), 1, "it is one edit");
    window.key(Key::U);
    assert_eq!(window.cell(4, "text"), "pay by Credit  Card (v1.0) 4");
    // By an expression, in what a filter leaves; one that is wrong is said.
    window.ctrl(Key::F);
    window.type_text("else 10");
    window.key(Key::Enter);
    window.ctrl(Key::R);
    window.click("Regular expression");
    let state = window.harness.state_mut().state_mut();
    state.replace.what.find = "(\\d+".to_owned();
    state.replace.what.with = "no. $1".to_owned();
    window.settle();
    assert!(window.sees("unclosed group"));
    window.harness.state_mut().state_mut().replace.what.find = "(\\d+)$".to_owned();
    window.settle();
    window.ctrl(Key::Enter);
    assert_eq!(
        (window.cell(10, "text").as_str(), window.cell(11, "text").as_str()),
        ("something, else no. 10", "something, else 11")
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_range_of_rows_is_copied_as_csv() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    for _ in 0..2 {
        window.harness.key_press_modifiers(Modifiers::SHIFT, Key::J);
        window.settle();
    }
    assert_eq!(window.harness.state_mut().state_mut().selection.len(), 3);
    window.harness.event(egui::Event::Copy);
    window.harness.step();
    let commands = &window.harness.output().platform_output.commands;
    let copied = commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let want: Vec<String> = (0..3)
        .map(|row| format!("{},{},{}", window.cell(row, "text"), window.cell(row, "category"), window.cell(row, "priority")))
        .collect();
    assert_eq!(copied.unwrap(), format!("text,category,priority\r\n{}\r\n", want.join("\r\n")));
    window.settle();
    assert!(window.sees("Copied 3 samples as CSV"));
}

#[test]
fn classes_are_found_by_typing_and_the_chart_folds_away() {
    let mut text = String::from("text,label\n");
    (0..400).for_each(|i| text.push_str(&format!("text {i},kind {:03}\n", i % 80)));
    let (home, path) = file("classes.csv", &text);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.harness.get_by_label("Search the classes of label").focus();
    window.settle();
    window.type_text("d 07");
    assert!(window.sees("kind 071: 5") && !window.sees("kind 061: 5,"));
    window.click_part("kind 071: 5");
    assert!(window.sees("5 of 400"));
    window.click("Fold");
    assert!(!window.sees("Search the classes of label") && window.sees("5 of 400"));
    window.click("Unfold");
    assert!(window.sees("Search the classes of label"));
}

#[test]
fn what_was_typed_is_not_left_without_a_word() {
    let (_home, mut window) = chats();
    window.key(Key::E);
    window.type_text(" Please.");
    window.key(Key::Escape);
    window.key(Key::Escape);
    window.ctrl(Key::W);
    assert!(window.sees("Leave what was typed in 1 sample unsaved?"));
    window.key(Key::Escape);
    assert!(window.harness.state().workspace().is_some(), "it is there still");
    window.key(Key::Enter);
    window.click("Go on with it");
    window.ctrl(Key::Enter);
    assert!(said(&window, 0)[0]["content"].as_str().unwrap().ends_with(" Please."));
    window.ctrl(Key::W);
    assert!(window.harness.state().workspace().is_none(), "with nothing unsaved it closes");
}
