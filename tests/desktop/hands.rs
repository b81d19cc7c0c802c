//! The sample as a place to work: stories by key.

use std::fs;
use std::path::PathBuf;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use lapidary::app::Begin;
use lapidary::data::{Format, Packing, SampleId};
use lapidary::io::{self, Rows, SaveTarget};
use lapidary::job::Progress;
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
    assert!(window.sees("Swap the two"));
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
    assert!(window.sees("What was typed in 1 sample is not saved"));
    window.key(Key::Escape);
    assert!(window.harness.state().workspace().is_some(), "it is there still");
    window.key(Key::Enter);
    window.click("Go on with it");
    window.ctrl(Key::Enter);
    assert!(said(&window, 0)[0]["content"].as_str().unwrap().ends_with(" Please."));
    window.ctrl(Key::W);
    assert!(window.harness.state().workspace().is_none(), "with nothing unsaved it closes");
}

#[test]
fn a_condition_is_typed_joined_kept_by_name_and_there_again_after_a_restart() {
    let rows: String = (0..60).map(|row| format!("message {row},{},{}\n", row, ["a", "b", "c"][row % 3])).collect();
    let (home, path) = file("t.csv", &format!("text,price,label\n{rows}"));
    let left = |window: &Window| window.harness.state().session().visible().len();
    let type_filter = |window: &mut Window, words: &str| {
        window.ctrl(Key::F);
        window.type_text(words);
        window.key(Key::Enter);
    };
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    type_filter(&mut window, "price >= 50");
    assert_eq!((left(&window), window.sees("Filter: price is at least 50")), (10, true));
    type_filter(&mut window, "label is a");
    assert_eq!(left(&window), 3);
    window.harness.query_all_by_label_contains("Filter: price is at least 50").next().unwrap().click_secondary();
    window.settle();
    window.click("Or label is a");
    assert_eq!((left(&window), window.sees("price is at least 50 or label is a")), (27, true));
    window.harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    window.settle();
    window.type_text("dear or a");
    window.key(Key::Enter);
    window.key(Key::Escape);
    assert_eq!(left(&window), 60);
    // Back to the filter before, and forward again.
    window.harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
    window.settle();
    assert_eq!(left(&window), 27);
    window.harness.key_press_modifiers(Modifiers::ALT, Key::ArrowRight);
    window.settle();
    assert_eq!(left(&window), 60);
    drop(window);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.click("+ filter");
    window.click("dear or a");
    assert_eq!(left(&window), 27);
    // It is an edit: taken back, it is forgotten.
    window.key(Key::U);
    window.click("+ filter");
    assert!(window.harness.query_by_label("dear or a").is_none());
}

/// Sixty messages of three classes.
fn three_classes() -> (TempDir, PathBuf) {
    let say = |row: usize| match row % 3 {
        0 => format!("where is my parcel {row}"),
        1 => format!("refund me please {row}"),
        _ => format!("hello there {row}"),
    };
    let rows: String = (0..60).map(|row| format!("{},{}\n", say(row), ["arrival", "refund", "greeting"][row % 3])).collect();
    file("t.csv", &format!("text,label\n{rows}"))
}

#[test]
fn a_class_renamed_keeps_its_key_colour_and_guideline_through_a_restart() {
    let (home, path) = three_classes();
    // The key and the colour of a class.
    let face = |window: &Window, name: &str| {
        let classes = window.harness.state().workspace().unwrap().classes("label").unwrap();
        let class = classes.class(name).unwrap();
        (classes.in_order().position(|other| other == class).unwrap() + 1, classes.hue(class))
    };
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    assert_eq!([face(&window, "arrival"), face(&window, "greeting"), face(&window, "refund")], [(1, 0), (2, 1), (3, 2)]);
    window.harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    window.settle();
    assert!(window.sees("Classes of label"));
    window.click_part("Class refund, ");
    assert!(window.sees("please  20 : 0"), "the words that tell it");
    window.click("1");
    window.click("Colour 8");
    assert_eq!([face(&window, "refund"), face(&window, "arrival"), face(&window, "greeting")], [(1, 7), (2, 0), (3, 1)]);
    window.harness.get_by_label("Guideline").focus();
    window.settle();
    window.type_text("They want their money back.");
    window.harness.get_by_label("Search classes").focus();
    window.settle();
    window.harness.get_by_label("Name of the class").focus();
    window.settle();
    all_of_it(&mut window);
    window.type_text("money back");
    window.key(Key::Enter);
    assert_eq!(face(&window, "money back"), (1, 7));
    assert_eq!(window.cell(1, "label"), "money back");
    drop(window);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    assert_eq!([face(&window, "money back"), face(&window, "arrival"), face(&window, "greeting")], [(1, 7), (2, 0), (3, 1)]);
    // Beside the sample stands when it is of the class; its key gives it.
    window.key(Key::J);
    window.key(Key::J);
    assert!(window.sees("They want their money back."));
    window.key(Key::K);
    window.key(Key::Num1);
    assert_eq!(window.cell(0, "label"), "money back");
    for _ in 0..2 {
        window.key(Key::U);
    }
    assert_eq!(
        (window.cell(0, "label").as_str(), face(&window, "refund")),
        ("arrival", (1, 7)),
        "the name goes back, the rest stays"
    );
}

#[test]
fn a_class_is_split_by_the_filter_and_a_telling_word_shows_its_samples() {
    let (home, path) = three_classes();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    window.settle();
    window.click_part("Class greeting, ");
    assert!(window.sees("Filter by what sets them apart first"));
    window.click_part("hello  20 : 0");
    assert_eq!(window.harness.state().session().visible().len(), 20);
    window.ctrl(Key::F);
    window.type_text("text contains 5");
    window.key(Key::Enter);
    let left = window.harness.state().session().visible().len();
    assert!(left > 0 && left < 20);
    window.harness.get_by_label("Class for what the filter leaves").focus();
    window.settle();
    window.type_text("five");
    window.click("Split it off");
    let count = |window: &Window, name: &str| {
        let classes = window.harness.state().workspace().unwrap().classes("label").unwrap();
        classes.class(name).map_or(0, |class| classes.counts()[class] as usize)
    };
    assert_eq!((count(&window, "five"), count(&window, "greeting")), (left, 20 - left));
    // Esc leaves the classes, the filter stays.
    window.key(Key::Escape);
    assert!(!window.sees("Classes of label"));
    assert_eq!(window.harness.state().session().shown_filter().0.clauses.len(), 3);
    window.key(Key::U);
    assert_eq!((count(&window, "five"), count(&window, "greeting")), (0, 20));
}

fn column_sort(window: &mut Window, name: &str, shift: bool) {
    let header = window.harness.get_by_label_contains(&format!("Column {name}")).rect().center();
    let modifiers = if shift { Modifiers::SHIFT } else { Modifiers::NONE };
    window.harness.event(egui::Event::PointerMoved(header));
    for pressed in [true, false] {
        window.harness.event_modifiers(
            egui::Event::PointerButton { pos: header, button: egui::PointerButton::Primary, pressed, modifiers },
            modifiers,
        );
    }
    window.settle();
}

#[test]
fn a_table_is_sorted_by_several_columns_and_a_cell_is_edited_where_it_stands() {
    let rows: String = (0..12).map(|row| format!("message {row},{},{}\n", ["b", "a", "c"][row % 3], 100 - row)).collect();
    let (home, path) = file("t.csv", &format!("text,label,price\n{rows}"));
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let shown =
        |window: &Window| -> Vec<u32> { window.harness.state().session().visible().iter().map(|id| id.0).take(5).collect() };
    column_sort(&mut window, "label", false);
    assert_eq!(shown(&window), [1, 4, 7, 10, 0], "what is equal keeps the order of the file");
    column_sort(&mut window, "price", true);
    assert_eq!(shown(&window), [10, 7, 4, 1, 9]);
    column_sort(&mut window, "price", true);
    assert_eq!(shown(&window), [1, 4, 7, 10, 0]);
    column_sort(&mut window, "price", false);
    assert_eq!(shown(&window), [11, 10, 9, 8, 7], "without Shift it is the only one");
    // The cell of the first row, at the column's place.
    let header = window.harness.get_by_label_contains("Column price").rect();
    let at = egui::pos2(header.center().x, header.bottom() + 12.0);
    window.harness.event(egui::Event::PointerMoved(at));
    // A step of the window takes a quarter of a second here.
    window.harness.ctx.options_mut(|options| options.input_options.max_double_click_delay = 0.6);
    for _ in 0..2 {
        for pressed in [true, false] {
            let button = egui::PointerButton::Primary;
            window.harness.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers: Modifiers::NONE });
        }
        window.harness.step();
    }
    window.settle();
    assert!(window.harness.state_mut().state_mut().table.editing.is_some());
    all_of_it(&mut window);
    window.type_text("7x");
    window.key(Key::Enter);
    if window.cell(11, "price") == "89" {
        assert!(window.sees("Not saved: "), "what does not fit is said where it was typed");
    }
    all_of_it(&mut window);
    window.type_text("7");
    window.key(Key::Enter);
    assert_eq!(window.cell(11, "price"), "7");
    window.key(Key::U);
}

#[test]
fn columns_are_saved_under_other_names_in_another_order_or_not_at_all() {
    use lapidary::action::Action;
    use lapidary::data::Property;
    use lapidary::operate::Operation;
    let (home, path) = file("t.csv", "text,label,price\nhello,a,1\n\"bye, now\",b,2\n");
    let out = home.path().join("out.csv");
    let mut window = Window::new(Begin::File(path), home.path(), vec![out.clone()]);
    window.harness.get_by_label_contains("Column text").click_secondary();
    window.settle();
    window.click_part("When it is saved");
    window.click("Another name…");
    all_of_it(&mut window);
    window.type_text("prompt");
    window.key(Key::Enter);
    assert!(window.sees("Column text"));
    let say = |property, of: &str, value: &str| {
        let of = if of.is_empty() { Vec::new() } else { vec![of.to_owned()] };
        Action::Do(Operation::Say { property, of, value: Some(value.to_owned()) })
    };
    window.harness.state_mut().push(say(Property::LeftOut, "price", "yes"));
    window.harness.state_mut().push(say(Property::ColumnOrder, "", "[\"label\",\"text\"]"));
    // Two columns of one name are none.
    window.harness.state_mut().push(say(Property::ExportName, "label", "prompt"));
    window.settle();
    assert!(window.harness.state().notices().iter().any(|notice| notice.bad && notice.text.contains("prompt")));
    window.view(View::Export);
    window.click("Save…");
    assert_eq!(fs::read_to_string(&out).unwrap(), "label,prompt\na,hello\nb,\"bye, now\"\n");
}

#[test]
fn facets_filter_by_values_and_ranges() {
    let rows: String = (0..40)
        .map(|row| format!("message {row},{},{},{}\n", ["a", "b"][row % 2], row, ["red", "green", "blue", "grey"][row % 4]))
        .collect();
    let (home, path) = file("t.csv", &format!("text,label,price,colour\n{rows}"));
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let left = |window: &Window| window.harness.state().session().visible().len();
    window.key(Key::V);
    assert!(window.sees("grey, 10"));
    window.click("grey, 10");
    assert_eq!(left(&window), 10);
    let grey = window.harness.get_by_label("grey, 10").rect().center();
    assert!(!window.sees("red, 10"), "the facets are of what is left");
    window.harness.event(egui::Event::PointerMoved(grey));
    window.click("grey, 10");
    assert_eq!(left(&window), 40);
    // Shift adds a value to the one that is chosen.
    window.click("red, 10");
    window.key(Key::Escape);
    let red = window.harness.get_by_label("red, 10").rect().center();
    let green = window.harness.get_by_label("green, 10").rect().center();
    for (at, modifiers) in [(red, Modifiers::NONE), (green, Modifiers::SHIFT)] {
        // Both stand where they stood: as many samples each.
        window.harness.event(egui::Event::PointerMoved(at));
        let button = egui::PointerButton::Primary;
        for pressed in [true, false] {
            window.harness.event_modifiers(egui::Event::PointerButton { pos: at, button, pressed, modifiers }, modifiers);
        }
        if modifiers == Modifiers::NONE {
            // What is left moves up: the filter goes, the choice is made again beside what is there.
            window.settle();
            assert_eq!(left(&window), 10);
            let mut filter = window.harness.state_mut().state_mut().filter.clone();
            filter.clauses.clear();
            window.harness.state_mut().state_mut().set_filter(filter);
            window.settle();
        }
    }
    window.settle();
    assert_eq!(left(&window), 10);
    window.key(Key::V);
    assert!(!window.sees("blue, 10"));
}

#[test]
fn a_key_is_changed_searched_for_and_there_after_a_restart() {
    let (home, path) = file("t.csv", "text\none\ntwo\nthree\n");
    let cursor = |window: &mut Window| window.harness.state_mut().state_mut().selection.cursor.map(|id| id.0);
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    window.key(Key::F1);
    window.type_text("next sample");
    window.click_part("Change the key of: Next sample");
    // A key that does something already is not taken from it without a word.
    window.key(Key::X);
    assert!(window.sees("is the key of “Exclude or restore”"));
    window.ctrl(Key::J);
    assert!(window.sees("Change the key of: Next sample (Ctrl J)"));
    window.key(Key::Escape);
    window.ctrl(Key::J);
    window.ctrl(Key::J);
    window.key(Key::J);
    assert_eq!(cursor(&mut window), Some(1), "the old key does nothing now");
    drop(window);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.ctrl(Key::J);
    assert_eq!(cursor(&mut window), Some(0));
    window.key(Key::F1);
    window.type_text("next sample");
    window.click_part("Change the key of: Next sample");
    window.key(Key::Backspace);
    window.key(Key::Escape);
    window.key(Key::J);
    assert_eq!(cursor(&mut window), Some(1));
}

#[test]
fn the_second_start_shows_recent_work_and_the_sample_says_that_it_is_one() {
    let (home, path) = file("mine.csv", "text\none\ntwo\n");
    let mut window = Window::new(Begin::Usual, home.path(), Vec::new());
    assert!(window.sees("A bundled sample to try things on") && window.sees("Open your own…"));
    window.click("Dismiss the hint");
    assert!(!window.sees("A bundled sample"));
    drop(window);
    // The sample alone is no work of one's own.
    let window = Window::new(Begin::Usual, home.path(), Vec::new());
    assert!(window.harness.state().workspace().is_some());
    drop(window);
    let window = Window::new(Begin::File(path), home.path(), Vec::new());
    assert!(!window.sees("A bundled sample"));
    drop(window);
    let mut window = Window::new(Begin::Usual, home.path(), Vec::new());
    assert!(window.harness.state().workspace().is_none());
    window.click_part("Open mine.csv");
    assert!(window.harness.state().workspace().is_some());
}

/// Presses the pointer at one place, moves it to another, and lets go.
fn drag(window: &mut Window, from: egui::Pos2, to: egui::Pos2) {
    let press = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: egui::Modifiers::NONE,
    };
    window.harness.event(egui::Event::PointerMoved(from));
    window.harness.step();
    window.harness.event(press(from, true));
    window.harness.step();
    for part in 1..=4 {
        window.harness.event(egui::Event::PointerMoved(from + (to - from) * (part as f32 / 4.0)));
        window.harness.step();
    }
    window.harness.event(press(to, false));
    window.harness.step();
    window.settle();
}

#[test]
fn a_box_is_drawn_moved_named_removed_and_saved_in_the_form_of_its_column() {
    let home = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png"] {
        image::RgbImage::from_fn(200, 100, |x, y| image::Rgb([(x % 256) as u8, (y * 2) as u8, 90]))
            .save(home.path().join(name))
            .unwrap();
    }
    let path = home.path().join("cars.jsonl");
    fs::write(
        &path,
        "{\"image\": \"a.png\", \"objects\": {\"bbox\": [[20, 10, 60, 40]], \"category\": [\"car\"]}}\n{\"image\": \"b.png\", \"objects\": {\"bbox\": [], \"category\": []}}\n",
    )
    .unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::G);
    window.key(Key::J);
    window.key(Key::Enter);
    assert!(window.sees("Name of box 1"), "the sample's boxes are listed");
    // The picture fills its place: where a box is drawn says where the picture lies.
    let place = window.harness.get_by_label_contains("Box 1: car").rect();
    let scale = (place.width() - 12.0) / 60.0;
    let at = |x: f32, y: f32| place.min + egui::vec2(6.0, 6.0) + egui::vec2(x - 20.0, y - 10.0) * scale;
    // Moved by its middle, ten to the right and twenty down.
    drag(&mut window, at(50.0, 30.0), at(60.0, 50.0));
    assert_eq!(window.cell(0, "objects"), r#"{"bbox":[[30,30,60,40]],"category":["car"]}"#);
    window.key(Key::U);
    assert_eq!(window.cell(0, "objects"), r#"{"bbox": [[20, 10, 60, 40]], "category": ["car"]}"#);
    // Resized by its right edge.
    drag(&mut window, at(80.0, 30.0), at(110.0, 30.0));
    assert_eq!(window.cell(0, "objects"), r#"{"bbox":[[20,10,90,40]],"category":["car"]}"#);
    // Another one is drawn, with the name of the last; then it is named.
    window.click("Draw a box");
    drag(&mut window, at(120.0, 40.0), at(180.0, 90.0));
    assert_eq!(window.cell(0, "objects"), r#"{"bbox":[[20,10,90,40],[120,40,60,50]],"category":["car","car"]}"#);
    window.click("Name of box 2");
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    window.type_text("bus");
    window.key(Key::Enter);
    assert_eq!(window.cell(0, "objects"), r#"{"bbox":[[20,10,90,40],[120,40,60,50]],"category":["car","bus"]}"#);
    window.click("Remove box 1");
    assert_eq!(window.cell(0, "objects"), r#"{"bbox":[[120,40,60,50]],"category":["bus"]}"#);
    // A sample without any takes the form of the others.
    window.key(Key::J);
    window.click("Draw a box");
    drag(&mut window, at(20.0, 20.0), at(70.0, 60.0));
    assert_eq!(window.cell(1, "objects"), r#"{"bbox":[[20,20,50,40]],"category":[""]}"#);
    let out = home.path().join("out.jsonl");
    let workspace = window.harness.state().workspace().unwrap();
    let target = SaveTarget {
        path: out.clone(),
        format: Format::JsonLines,
        packing: Packing::None,
        own_columns: false,
        utf8: false,
        safe: false,
    };
    io::export(workspace.dataset(), &Rows::Kept, &target, &Progress::silent()).unwrap();
    let saved = fs::read_to_string(out).unwrap();
    assert!(saved.contains(r#""bbox":[[120,40,60,50]],"category":["bus"]"#) && saved.lines().count() == 2, "{saved}");
}

#[test]
fn a_step_is_found_by_typing_and_switched_off_without_moving_the_others() {
    let (home, path) = file(
        "t.csv",
        "text,label\nI would like to purchase a car quickly please,buy\nCan you help me to begin with the order,help\n",
    );
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Augment);
    let steps = |window: &mut Window| window.harness.state_mut().state_mut().augment.pipeline.steps.len();
    let before = steps(&mut window);
    window.click("Add step");
    window.click("Search steps");
    window.type_text("ocr");
    assert!(window.sees("OCR confusions") && !window.sees("Random swap"));
    window.key(Key::Enter);
    assert_eq!(steps(&mut window), before + 1);
    assert!(window.sees("fluency "), "a figure stands beside each draw");
    window.click("on");
    assert!(window.harness.state_mut().state_mut().augment.pipeline.steps[before].off);
    assert!(window.sees("OCR confusions, off"));
}

#[test]
fn a_turns_role_is_changed_and_a_turn_is_cut_in_two() {
    let (_home, mut window) = chats();
    window.key(Key::J);
    // The menu of roles, and back by undo.
    window.click("Turn 2 of messages");
    window.click("Said by");
    window.click("system");
    assert_eq!(said(&window, 1)[1]["role"], "system");
    window.key(Key::U);
    assert_eq!(said(&window, 1)[1]["role"], "assistant");
    // Cut where the cursor stands: behind “Say”.
    window.key(Key::E);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Home);
    for _ in 0..3 {
        window.harness.key_press(Key::ArrowRight);
        window.settle();
    }
    window.click("Split here");
    let turns = said(&window, 1);
    assert_eq!((turns[0]["content"].as_str(), turns[1]["content"].as_str()), (Some("Say"), Some("hello.")));
    window.key(Key::U);
    assert_eq!(said(&window, 1).to_string(), messages(1));
}

#[test]
fn markdown_is_set_and_json_in_lines_by_a_switch_and_the_text_stays() {
    let (home, path) = file(
        "notes.jsonl",
        "{\"text\": \"# Head\\n\\nSome **strong** words\\n- one\\n- two\"}\n{\"text\": \"{\\\"a\\\": [1, 2]}\"}\n",
    );
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::Enter);
    // In the list beside it stands the text as it is.
    let raw = |window: &Window| window.harness.query_all_by_label_contains("**strong**").count();
    let before = raw(&window);
    window.click("Read text as Markdown");
    assert_eq!(raw(&window), before - 1);
    assert!(window.sees("•  one"));
    window.key(Key::J);
    window.click("Read text as JSON");
    assert!(window.sees("  \"a\": ["));
    assert!(!window.harness.state().workspace().unwrap().dataset().is_sample_edited(SampleId(1)));
}

#[test]
fn a_megabyte_is_edited_in_parts_and_saved_whole() {
    let line = "All work and no play makes a dull dataset, line after line of it.";
    let text: String = (0..16_000).map(|at| format!("{line} {at}\n")).collect();
    let (home, path) = file("long.jsonl", &format!("{}\n", serde_json::json!({ "text": text, "label": "a" })));
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::Enter);
    window.key(Key::E);
    assert!(window.sees("A long text is edited in parts"));
    // The caret stands at the end of the part, which is no end of the text.
    window.type_text("First. ");
    window.click("Part after");
    window.type_text("Second. ");
    window.ctrl(Key::Enter);
    let now = window.cell(0, "text");
    let (first, second) = (now.find("First. All work"), now.find("Second. All work"));
    assert!(now.len() == text.len() + 15 && first.is_some() && first < second, "{first:?} {second:?} {}", now.len());
    assert!(now.starts_with("All work") && now.ends_with(" 15999\n"));
    window.key(Key::U);
    assert_eq!(window.cell(0, "text"), text);
}

#[test]
fn chats_of_a_pair_have_their_differences_marked_turn_by_turn() {
    let pair = serde_json::json!({
        "chosen": [{ "role": "user", "content": "2 + 2?" }, { "role": "assistant", "content": "It is four." }],
        "rejected": [{ "role": "user", "content": "2 + 2?" }, { "role": "assistant", "content": "It is five." }],
    });
    let (home, path) = file("pairs.jsonl", &format!("{pair}\n{pair}\n"));
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::Enter);
    assert!(window.sees("It is four.") && window.sees("It is five."));
    window.key(Key::S);
    assert!(window.cell(0, "chosen").contains("five"));
    window.key(Key::U);
    assert!(window.cell(0, "chosen").contains("four"));
}

#[test]
fn a_class_takes_the_place_of_another_and_esc_lets_go_of_one_thing_at_a_time() {
    let rows: String =
        (0..24).map(|row| format!("text {row},{}\n", ["red", "green", "blue"][row % 3])).collect::<Vec<_>>().concat();
    let (home, path) = file("colours.csv", &format!("text,label\n{rows}"));
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let rules = |window: &mut Window| {
        let clauses = &window.harness.state_mut().state_mut().filter.clauses;
        clauses.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let state = |window: &mut Window, names: &[&str], more: bool| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        window.harness.state_mut().state_mut().toggle_classes("label", names, more);
        window.settle();
    };
    state(&mut window, &["red"], false);
    state(&mut window, &["green"], false);
    assert_eq!(rules(&mut window), ["label is green"]);
    assert!(window.sees("8 of 24"));
    state(&mut window, &["blue"], true);
    assert!(window.sees("16 of 24"));
    state(&mut window, &["green"], true);
    assert_eq!(rules(&mut window), ["label is blue"]);
    // The same once more is all again.
    state(&mut window, &["blue"], false);
    assert!(rules(&mut window).is_empty());
    // What was typed to find a class goes before the filter does.
    state(&mut window, &["red"], false);
    window.harness.state_mut().state_mut().chart.search = "gre".to_owned();
    window.settle();
    window.key(Key::Escape);
    assert_eq!(rules(&mut window).len(), 1);
    assert_eq!(window.harness.state_mut().state_mut().chart.search, "");
    window.key(Key::Escape);
    assert!(rules(&mut window).is_empty());
}

#[test]
fn what_said_null_says_a_text_and_history_names_the_turn() {
    let text = "{\"messages\": [{\"role\": \"user\", \"content\": \"How is it?\"}, {\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"function\": {\"name\": \"weather\", \"arguments\": \"{}\"}}]}]}\n";
    let (home, path) = file("calls.jsonl", text);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::Enter);
    window.key(Key::E);
    window.key(Key::Tab);
    all_of_it(&mut window);
    window.type_text("Let me look.");
    window.ctrl(Key::Enter);
    assert_eq!(said(&window, 0)[1]["content"], "Let me look.");
    window.view(View::History);
    assert!(window.sees("turn 2, its text"), "the edit says what it changed");
    assert!(window.sees("+ 2  assistant: Let me look."));
    // Enter on what is typed and not saved goes back to it.
    window.view(View::Explore);
    window.key(Key::E);
    window.type_text(" And now?");
    window.ctrl(Key::Q);
    assert!(window.sees("What was typed in 1 sample is not saved"));
    window.key(Key::Enter);
    assert!(!window.sees("What was typed in 1 sample is not saved"));
    assert_eq!(window.harness.state_mut().state_mut().unsaved(), 1);
}
