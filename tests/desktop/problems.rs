//! Clean as problems to be worked through: stories by key.

use std::fs;
use std::path::PathBuf;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use lapidary::app::Begin;
use lapidary::checks::FindingKind;
use lapidary::data::SampleId;
use lapidary::eye::Trainer;
use lapidary::ui::View;
use tempfile::TempDir;

use crate::support::Window;

/// Forty messages with a price; three prices are far, one message is empty, and a second number is often far.
fn shop() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("shop.csv");
    let mut text = "message,price,votes\n".to_owned();
    for row in 0..40 {
        let price = match row {
            7 => 9_000,
            20 => -700,
            31 => 8_000,
            _ => 10 + row % 9,
        };
        let votes = if row % 3 == 0 { 1_000 + row * row * 50 } else { 10 + row % 5 };
        let message = if row == 12 { String::new() } else { format!("where is my parcel number {row}") };
        text.push_str(&format!("{message},{price},{votes}\n"));
    }
    fs::write(&path, text).unwrap();
    (home, path)
}

fn open(window: &Window) -> usize {
    window.harness.state().workspace().unwrap().findings().open()
}

fn excluded(window: &Window) -> Vec<u32> {
    let dataset = window.harness.state().workspace().unwrap().dataset();
    dataset.samples().filter(|id| dataset.is_excluded(*id)).map(|id| id.0).collect()
}

fn cursor(window: &mut Window) -> Option<SampleId> {
    window.harness.state_mut().state_mut().selection.cursor
}

#[test]
fn findings_are_worked_through_by_keys_and_the_next_one_comes_after_a_decision() {
    let (home, path) = shop();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Clean);
    window.click_part("Far number, ");
    window.click_part("price  3");
    assert!(window.sees("Numbers far from the rest"));
    window.key(Key::J);
    let first = cursor(&mut window).unwrap();
    assert!([7, 20, 31].contains(&first.0));
    let before = open(&window);
    window.key(Key::X);
    assert_eq!((excluded(&window), open(&window)), (vec![first.0], before - 1));
    let second = cursor(&mut window).unwrap();
    assert!(second != first && [7, 20, 31].contains(&second.0));
    // Kept as it is: settled too, and the third comes.
    window.key(Key::Space);
    assert!(window.harness.state().workspace().unwrap().dataset().is_reviewed(second));
    let third = cursor(&mut window).unwrap();
    assert!(third != first && third != second);
    // Taken back, one is where the decision was taken.
    window.key(Key::U);
    assert_eq!((cursor(&mut window), open(&window)), (Some(second), before - 1));
    window.key(Key::U);
    assert_eq!((cursor(&mut window), open(&window)), (Some(first), before));
    assert_eq!(excluded(&window), Vec::<u32>::new());
    // All of the kind at once, in one edit.
    window.click("Exclude all");
    assert_eq!(excluded(&window), [7, 20, 31]);
    window.key(Key::U);
    assert_eq!(excluded(&window), Vec::<u32>::new());
}

#[test]
fn a_far_number_is_mended_where_it_was_found() {
    let (home, path) = shop();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Clean);
    window.click_part("Far number, ");
    window.click_part("price  3");
    // The first of a kind is chosen as soon as it is shown.
    let id = cursor(&mut window).unwrap();
    window.key(Key::Enter);
    assert!(window.sees(&format!("Sample {}", id.0)) && window.sees("finding 1 of 3"));
    window.key(Key::E);
    window.key(Key::Tab);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.settle();
    window.type_text("14");
    window.ctrl(Key::Enter);
    assert_eq!(window.cell(id.0, "price"), "14");
    // What is being edited stays until one goes on.
    assert!(window.sees(&format!("Sample {}", id.0)));
    window.key(Key::Escape);
    window.key(Key::J);
    assert!(cursor(&mut window) != Some(id));
}

#[test]
fn what_is_no_problem_in_a_column_is_said_once_and_holds_through_a_restart() {
    let (home, path) = shop();
    let fine = |window: &Window| -> Vec<(FindingKind, String)> {
        let findings = window.harness.state().workspace().unwrap().findings();
        findings.problems().iter().filter(|one| one.fine).map(|one| (one.kind, one.column.clone())).collect()
    };
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    let before = open(&window);
    window.view(View::Clean);
    window.click_part("Far number, ");
    window.click_part("price  3");
    window.click("No problem in price");
    let said = vec![(FindingKind::Number, "price".to_owned())];
    assert_eq!((fine(&window), open(&window)), (said.clone(), before - 3));
    assert!(window.sees("No problem here") && window.sees("Far number in price"));
    window.key(Key::U);
    assert_eq!((fine(&window), open(&window)), (Vec::new(), before));
    window.harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    window.settle();
    drop(window);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    assert_eq!((fine(&window), open(&window)), (said, before - 3));
    window.view(View::Clean);
    window.click_part("Far number in price");
    window.click("It is a problem again");
    assert_eq!((fine(&window), open(&window)), (Vec::new(), before));
}

#[test]
fn so_many_far_numbers_are_one_finding_about_their_column() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("two.csv");
    // A sixth of the column stands in another place altogether.
    let rows: String = (0..240).map(|row| format!("{}\n", if row % 6 == 0 { 500_000 + row } else { -100 + row % 7 })).collect();
    fs::write(&path, format!("reading\n{rows}")).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Clean);
    let workspace = window.harness.state().workspace().unwrap();
    let list = workspace.findings().list();
    assert_eq!((list.len(), list[0].samples.len()), (1, 40));
    assert!(window.sees("40 of 240 samples, 17 %"));
    assert_eq!(open(&window), 1);
    window.click("No problem");
    assert_eq!(open(&window), 0);
}

/// Plain questions, and among them what can be mended, what is there twice, and what contradicts itself.
fn texts() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("texts.csv");
    let mut text = "text,label\n".to_owned();
    for row in 0..50 {
        text.push_str(&format!("How do I change the limit of account {row} on day {} of the plan?,limit\n", row * 7 % 31));
    }
    text.push_str("The cafÃ© on the corner takes no cards of yours,card\n");
    text.push_str("Write to me at joe@example.org about the transfer,transfer\n");
    text.push_str(
        "Please send my new card to the old address in town,card\nPlease send my new card to the old address in town,card\n",
    );
    text.push_str("I want my money back for what was never sent,refund\ni want my money back for what was never sent,transfer\nI want my money back for what was never sent!,refund\n");
    fs::write(&path, text).unwrap();
    (home, path)
}

fn cell(window: &Window, row: u32) -> String {
    window.cell(row, "text")
}

#[test]
fn one_key_mends_what_was_found_and_all_of_a_kind_are_mended_in_one_edit() {
    let (home, path) = texts();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Clean);
    window.click_part("Wrong encoding, ");
    window.key(Key::J);
    assert_eq!(cursor(&mut window), Some(SampleId(50)));
    window.key(Key::R);
    assert_eq!(cell(&window, 50), "The café on the corner takes no cards of yours");
    window.key(Key::U);
    assert!(cell(&window, 50).contains("cafÃ©"));
    window.click_part("E-mail addresses, ");
    window.click_part("Mask personal data in all");
    assert_eq!(cell(&window, 51), "Write to me at [EMAIL] about the transfer");
    window.key(Key::U);
    // The same text three times with two labels: what most say is proposed, and one key takes it.
    window.click_part("Contradictions, ");
    window.key(Key::J);
    window.key(Key::R);
    let labels: Vec<String> = (54..57).map(|row| window.cell(row, "label")).collect();
    assert_eq!(labels, ["refund", "refund", "refund"]);
    window.key(Key::U);
    // Of copies one stays.
    window.click_part("Duplicates, ");
    window.click("Keep one of each");
    assert_eq!(excluded(&window), [53, 55]);
    // The whole sample says what was found on it, with what the other says.
    window.key(Key::U);
    window.click_part("Near duplicates, ");
    window.key(Key::J);
    window.key(Key::Enter);
    assert!(window.sees("shared") && window.sees("It is right"));
}

#[test]
fn the_map_is_drawn_coloured_and_a_lasso_is_a_filter() {
    let (home, path) = crate::support::folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::M);
    assert!(window.sees("near is alike"));
    let rows = window.harness.state().workspace().unwrap().dataset().rows();
    let map = window.harness.get_by_label("Map of the samples").rect();
    let inside = map.shrink(6.0);
    let events = |window: &mut Window, from: egui::Pos2, to: &[egui::Pos2]| {
        let held = Modifiers::SHIFT;
        let press =
            |pos, pressed| egui::Event::PointerButton { pos, button: egui::PointerButton::Primary, pressed, modifiers: held };
        window.harness.event_modifiers(egui::Event::PointerMoved(from), held);
        window.harness.step();
        window.harness.event_modifiers(press(from, true), held);
        window.harness.step();
        for at in to {
            window.harness.event_modifiers(egui::Event::PointerMoved(*at), held);
            window.harness.step();
        }
        let last = *to.last().unwrap();
        window.harness.event_modifiers(press(last, false), held);
        window.harness.step();
        window.settle();
    };
    // Round the left half.
    let middle = inside.center().x;
    let to = [egui::pos2(middle, inside.top()), egui::pos2(middle, inside.bottom()), inside.left_bottom(), inside.left_top()];
    events(&mut window, inside.left_top(), &to);
    let visible = window.harness.state().session().visible().len();
    assert!(visible > 0 && visible < rows, "{visible} of {rows}");
    assert!(window.sees("lasso"));
}

#[test]
fn the_finding_under_the_keys_stays_in_sight_however_far_they_walk() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("many.csv");
    let mut text = "message,label\n".to_owned();
    for row in 0..160 {
        let line = format!("message {} of the day {row} to {},{}\n", row * 7 % 13, row * row % 97, ["a", "b"][row % 2]);
        text.push_str(&line.repeat(2));
    }
    fs::write(&path, text).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Clean);
    window.harness.state_mut().state_mut().clean.choose(Some(FindingKind::SameText), None);
    window.settle();
    let all = window.harness.state_mut().state_mut().clean.shown().len();
    assert!(all >= 150, "{all}");
    for _ in 0..140 {
        window.key(Key::J);
    }
    // Its row is drawn, which only rows in sight are.
    let named = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
        (node.is_selected() == Some(true) || node.toggled() == Some(egui::accesskit::Toggled::True))
            && node.label().is_some_and(|label| label.starts_with("Duplicates in message"))
    };
    let rows: Vec<egui::Rect> = window.harness.query_all_by(named).map(|node| node.rect()).collect();
    assert_eq!(rows.len(), 1, "the finding under the keys is out of sight");
    assert!(rows[0].top() > 100.0 && rows[0].bottom() < 880.0, "{rows:?}");
}

#[test]
fn the_trainers_eye_shows_what_is_learned_and_what_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("chats.jsonl");
    let chat = |turns: &str| format!("{{\"messages\": [{turns}]}}\n");
    let turn = |role: &str, text: &str| format!("{{\"role\": \"{role}\", \"content\": \"{text}\"}}");
    let mut text = String::new();
    for n in 0..12 {
        text.push_str(&chat(
            &[turn("user", &format!("What is {n} and {n}?")), turn("assistant", &format!("{}", n + n))].join(", "),
        ));
    }
    text.push_str(&chat(&[turn("user", "Hi"), turn("assistant", "Hello!"), turn("user", "And now?")].join(", ")));
    text.push_str(&chat(&[turn("user", "Say much"), turn("assistant", &"word ".repeat(200))].join(", ")));
    fs::write(&path, text).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), vec![home.path().join("handed")]);
    window.view(View::Export);
    window.click("Trainer's eye");
    assert!(window.sees("left out: it does not end with an answer"), "LLaMA-Factory leaves out what ends with a question");
    window.click_part("left out: it does not end with an answer");
    assert_eq!(window.harness.state_mut().state_mut().export.walked.as_ref().unwrap().1, [SampleId(12)]);
    // What is handed over is read back, and what is not is said.
    window.click("Write for it…");
    assert!(window.sees("Wrote 13 samples to") && window.sees("learns from every one"), "{:?}", window.harness.state().notices());
    assert!(window.sees("Left out, in left_out.jsonl: 1 sample"));
    assert!(home.path().join("handed/dataset_info.json").exists());
    // What would mend it stands below it, with what that comes to; it is an edit like any other.
    assert!(window.sees("mends 1 of 1"));
    window.click("Cut behind the last answer");
    assert!(window.sees("14 of 14 rows are learned from"), "{:?}", window.harness.state().notices());
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.settle();
    assert!(window.sees("13 of 14 rows are learned from"));
    // Where nothing was so any more nothing was walked through: it is chosen again.
    window.click_part("left out: it does not end with an answer");
    window.click("Exclude them");
    assert!(window.sees("13 of 13 rows are learned from"));
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.settle();
    // Another limit is another run: what is cut is said.
    window.harness.state_mut().state_mut().export.target.length = 100;
    window.settle();
    assert!(window.sees("cut at the limit, 1"));
    window.click_part("cut at the limit");
    window.click_part("Show them in the table");
    assert_eq!(window.harness.state().session().visible().iter().map(|id| id.0).collect::<Vec<_>>(), [13]);
    // J walks, and what is edited is looked at again.
    window.view(View::Export);
    let before = window.harness.state_mut().state_mut().export.at;
    window.key(Key::J);
    assert_eq!(window.harness.state_mut().state_mut().export.at, before, "there is one");
}

#[test]
fn a_template_is_written_beside_what_it_makes_and_pairs_stand_side_by_side() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("pairs.jsonl");
    fs::write(&path, "{\"prompt\": \"2+2?\", \"chosen\": \"4\", \"rejected\": \"5\"}\n".repeat(3)).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), vec![home.path().join("run.html")]);
    window.view(View::Export);
    window.click("Trainer's eye");
    let eye = |window: &mut Window, trainer: Trainer| {
        let target = window.harness.state_mut().state_mut().export.target.for_trainer(trainer);
        window.harness.state_mut().state_mut().export.target = target;
        window.settle();
    };
    eye(&mut window, Trainer::TrlDpo);
    assert!(window.sees("The better answer") && window.sees("The worse answer"));
    assert!(window.sees("3 of 3 rows are learned from"));
    window.click("Report…");
    assert!(fs::read_to_string(home.path().join("run.html")).unwrap().contains("what TRL 1.16 DPO makes of it"));
    // Another template is another rendering at once; one that is none says where.
    eye(&mut window, Trainer::Trl);
    assert!(window.sees("fails the run: the trainer does not read rows of this form"), "SFT reads no pairs");
    window.click("Template");
    assert!(window.sees("the model's; what you write here takes its place"));
    window.harness.state_mut().state_mut().export.target.template = "a\n{% for %}".to_owned();
    window.settle();
    assert!(window.sees("line 2"));
    window.click("The model's again");
    assert!(!window.sees("line 2"));
}

#[test]
fn test_texts_are_looked_for_and_marked_in_both_and_tokens_stand_in_the_inspector() {
    let home = tempfile::tempdir().unwrap();
    let asked = "A shop sells twelve red apples a day and three green ones on every second Sunday of the month";
    let row = |question: &str| format!("{{\"question\": \"{question}\", \"answer\": \"Some.\"}}\n");
    let train: String =
        (0..5).map(|n| row(&format!("What is {n} and {n}?"))).chain([row(&format!("{asked}. How many?"))]).collect();
    fs::write(home.path().join("train.jsonl"), train).unwrap();
    fs::write(home.path().join("test.jsonl"), row(&format!("Listen: {asked}, they say."))).unwrap();
    let test = home.path().join("test.jsonl");
    let mut window = Window::new(Begin::File(home.path().join("train.jsonl")), home.path(), vec![test]);
    window.view(View::Clean);
    window.click("Test texts…");
    assert!(window.sees("1 sample shares 13 words in a row with test.jsonl"), "{:?}", window.harness.state().notices());
    assert_eq!(window.harness.state().session().visible().iter().map(|id| id.0).collect::<Vec<_>>(), [5]);
    window.key(Key::J);
    assert!(window.sees("of its words stand in test.jsonl, too"));
    assert!(window.sees("Listen: A shop sells"), "the test text stands beside it");
    // The inspector shows the same sample as a model sees it.
    window.click_part("Show the tokens, for LLaMA-Factory");
    assert!(window.sees("learned 4"), "Some, the full stop, the end, and its line");
}
