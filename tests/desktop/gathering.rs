//! Collect, as a person uses it: files are added to what is open, what could be joined is joined, edits stay; and its pictures.

use std::path::{Path, PathBuf};

use egui::Key;
use lapidary::action::{Action, CollectAction};
use lapidary::app::Begin;
use lapidary::data::SampleId;
use lapidary::operate::Operation;
use lapidary::ui::View;

use crate::pictures::{Pictures, can_draw, settle, shown};
use crate::support::Window;

/// A file of questions, one with other names and spellings, and one whose classes are numbers.
fn files(home: &Path) -> [PathBuf; 3] {
    ["tickets.csv", "chat.tsv", "old.jsonl"].map(|name| {
        std::fs::copy(Path::new("tests/data/sources").join(name), home.join(name)).unwrap();
        home.join(name)
    })
}

fn texts(window: &Window, column: &str) -> Vec<String> {
    let dataset = window.harness.state().workspace().unwrap().dataset();
    let field = dataset.field(column).unwrap();
    dataset.samples().map(|id| dataset.text(field, id).unwrap_or_default().into_owned()).collect()
}

#[test]
fn sources_are_added_joined_and_carry_the_edits_that_were_made() {
    let home = tempfile::tempdir().unwrap();
    let [tickets, chat, old] = files(home.path());
    let mut window = Window::new(Begin::File(tickets.clone()), home.path(), vec![old, chat]);
    window.settle();
    // An edit before there is a list.
    let relabel =
        Operation::SetCells { samples: vec![SampleId(2)], column: "label".to_owned(), text: "lost".to_owned(), review: false };
    window.harness.state_mut().push(Action::Do(relabel));
    window.settle();
    window.view(View::Collect);
    window.click("Add a file…");
    window.settle();
    let path = home.path().join("tickets.sources.json");
    assert!(path.is_file(), "the list lies beside the file");
    assert_eq!(texts(&window, "label"), ["card_arrival", "age_limit", "lost", "age_limit", "", ""], "the edit came along");
    // An edit of a column that is about to be called otherwise goes with it.
    let other =
        Operation::SetCells { samples: vec![SampleId(5)], column: "intent".to_owned(), text: "where".to_owned(), review: false };
    window.harness.state_mut().push(Action::Do(other));
    window.settle();
    assert!(window.sees("Could be one") && window.sees("Join all 3"));
    window.click("Join all 3");
    window.settle();
    assert_eq!(texts(&window, "text")[4], "Can my son have a card?");
    assert_eq!(texts(&window, "label"), ["card_arrival", "age_limit", "lost", "age_limit", "age_limit", "where"]);
    assert!(!window.sees("Could be one"), "all is decided");
    // The third: its numbers are never guessed.
    window.click("Add a file…");
    window.settle();
    assert_eq!(texts(&window, "label")[6..], ["0", "1"]);
    window.click("Source old.jsonl");
    window.settle();
    assert!(window.sees("Classes of label in old.jsonl"));
    let mut list = window.harness.state().session().sources().unwrap().list.clone();
    list.sources[2].classes.entry("label".to_owned()).or_default().insert("0".to_owned(), "card_arrival".to_owned());
    window
        .harness
        .state_mut()
        .push(Action::Collect(CollectAction::Change { list, way: lapidary::session::CarryWay::InPlace(Vec::new()) }));
    window.settle();
    assert_eq!(texts(&window, "label")[6..], ["card_arrival", "1"]);
    assert_eq!(texts(&window, "_source")[6], "old.jsonl");
    assert_eq!(texts(&window, "label")[2], "lost");
    // A file that cannot be read is no source: the list is as it was.
    std::fs::write(home.path().join("none.csv"), "").unwrap();
    window.harness.state_mut().push(Action::Collect(CollectAction::Add(vec![home.path().join("none.csv")])));
    window.settle();
    window.settle();
    assert_eq!(window.harness.state().workspace().unwrap().dataset().base.sources.len(), 3);
    assert!(!std::fs::read_to_string(&path).unwrap().contains("none.csv"));
    // Undo takes the edits back, to what the sources say now, and nobody wrote the files.
    window.ctrl(Key::Z);
    window.settle();
    assert_eq!(texts(&window, "label")[5], "card_arrival");
    window.ctrl(Key::Z);
    window.settle();
    assert_eq!(texts(&window, "label")[2], "card_arrival");
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND | egui::Modifiers::SHIFT, Key::Z);
    window.settle();
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND | egui::Modifiers::SHIFT, Key::Z);
    window.settle();
    assert!(std::fs::read_to_string(&tickets).unwrap().contains("3,My card is late,card_arrival"));
    // A source is taken out of the list: edits of the others stay.
    window.click("Remove source chat.tsv");
    window.settle();
    assert_eq!(texts(&window, "label"), ["card_arrival", "age_limit", "lost", "age_limit", "card_arrival", "1"]);
    drop(window);
    // Opened again, all is there.
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.settle();
    assert_eq!(texts(&window, "label"), ["card_arrival", "age_limit", "lost", "age_limit", "card_arrival", "1"]);
}

#[test]
fn a_list_that_no_longer_opens_stays_where_it_is() {
    let home = tempfile::tempdir().unwrap();
    let [tickets, chat, _] = files(home.path());
    let mut window = Window::new(Begin::File(tickets), home.path(), vec![chat.clone()]);
    window.settle();
    window.view(View::Collect);
    window.click("Add a file…");
    window.settle();
    let list = home.path().join("tickets.sources.json");
    let said = std::fs::read_to_string(&list).unwrap();
    // A source is gone later: that is nothing that the list said wrongly, and nobody takes it away.
    std::fs::remove_file(&chat).unwrap();
    for action in [Action::Reread(lapidary::io::Reading::default()), Action::Open(list.clone()), Action::Open(list.clone())] {
        window.harness.state_mut().push(action);
        window.settle();
        assert!(window.sees("there is no \"chat.tsv\""), "what is missing is named");
        assert_eq!(std::fs::read_to_string(&list).unwrap(), said);
    }
}

#[test]
fn pictures_of_collect() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut pictures = Pictures::default();
    // A relative path, so that no machine's folders stand in a picture.
    let mut harness = shown("tests/data/sources/all.sources.json", [1_120.0, 900.0], home.path());
    harness.state_mut().state_mut().view = View::Collect;
    harness.state_mut().state_mut().source = Some("old.jsonl".to_owned());
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        harness.state_mut().state_mut().dark = dark;
        harness.state_mut().state_mut().view = View::Collect;
        settle(&mut harness);
        pictures.take(&mut harness, format!("sources-{theme}"));
    }
    harness.set_size(egui::vec2(720.0, 480.0));
    settle(&mut harness);
    pictures.take(&mut harness, "narrow-sources-light");
}

#[test]
fn a_column_is_made_out_of_others_and_shown_before() {
    let home = tempfile::tempdir().unwrap();
    let [tickets, ..] = files(home.path());
    let mut window = Window::new(Begin::File(tickets), home.path(), Vec::new());
    window.settle();
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND | egui::Modifiers::SHIFT, Key::N);
    window.settle();
    window.type_text("short");
    window.key(Key::Tab);
    window.type_text("if(words(text) < 5, \"yes\"");
    window.settle();
    assert!(window.sees("a bracket is not closed"));
    window.type_text(", \"no\")");
    window.settle();
    assert!(window.sees("Sample 0: no") && window.sees("Sample 2: yes"));
    window.ctrl(Key::Enter);
    window.settle();
    assert_eq!(texts(&window, "short"), ["no", "no", "yes", "no"]);
    window.ctrl(Key::Z);
    window.settle();
    assert!(window.harness.state().workspace().unwrap().dataset().field("short").is_none());
}

/// Three versions of one file: what both came from, this one, and somebody else's.
fn versions(home: &Path) -> [PathBuf; 3] {
    let put = |name: &str, text: &str| {
        std::fs::write(home.join(name), text).unwrap();
        home.join(name)
    };
    [
        put("before.csv", "id,text,label\n1,one,a\n2,two,b\n3,three,a\n4,four,b\n"),
        put("mine.csv", "id,text,label\n1,one,b\n2,two,b\n3,three!,a\n4,four,b\n"),
        put("yours.csv", "id,text,label,by\n1,one,c\n2,two,a,ann\n3,three,a\n5,five,a,ann\n"),
    ]
}

#[test]
fn another_version_is_compared_and_taken_over_cell_by_cell() {
    let home = tempfile::tempdir().unwrap();
    let [before, mine, yours] = versions(home.path());
    let mut window = Window::new(Begin::File(mine.clone()), home.path(), vec![before, yours]);
    window.settle();
    window.view(View::Collect);
    window.harness.state_mut().push(Action::VersionDialog { base: false });
    window.settle();
    let found = window.harness.state().session().compared().unwrap();
    assert_eq!((found.items.len(), found.columns.clone()), (5, vec!["by".to_owned()]), "{:?}", found.items);
    assert!(window.sees("mine.csv against yours.csv"));
    // Two are taken by keys: one as there, one stays as here.
    window.key(Key::Num2);
    window.key(Key::Num1);
    window.settle();
    let at = window.harness.state_mut().state_mut().compare.at;
    window.key(Key::K);
    window.settle();
    assert_eq!((at, window.harness.state_mut().state_mut().compare.at), (2, 1));
    assert!(window.sees("Take 1 difference"));
    window.click("Take 1 difference");
    window.settle();
    assert_eq!(texts(&window, "label"), ["c", "b", "a", "b"]);
    window.ctrl(Key::Z);
    window.settle();
    assert_eq!(texts(&window, "label"), ["b", "b", "a", "b"]);
    // With what both came from, only what both changed is to be settled.
    window.harness.state_mut().push(Action::VersionDialog { base: true });
    window.settle();
    assert!(window.sees("1 conflict to settle first"));
    window.key(Key::Num3);
    window.settle();
    assert!(!window.sees("to settle first"));
    window.click_part("Take 5 differences");
    window.settle();
    // The conflict as it was before both; their cell, their new row, their removal, their column; ours stays.
    let dataset = window.harness.state().workspace().unwrap().dataset().clone();
    assert_eq!(texts(&window, "label"), ["a", "a", "a", "b", "a"]);
    assert_eq!(texts(&window, "text"), ["one", "two", "three!", "four", "five"]);
    assert_eq!(texts(&window, "by"), ["", "ann", "", "", "ann"]);
    assert!(dataset.is_excluded(SampleId(3)));
    window.ctrl(Key::Z);
    window.settle();
    assert_eq!(texts(&window, "label"), ["b", "b", "a", "b"], "one edit");
    window.click("Back");
    window.settle();
    assert!(window.sees("Compare with…"));
}

#[test]
fn pictures_of_versions() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let [before, mine, yours] = versions(home.path());
    let mut pictures = Pictures::default();
    let mut harness = shown(&mine.display().to_string(), [1_120.0, 760.0], home.path());
    harness.state_mut().state_mut().view = View::Collect;
    harness.state_mut().push(Action::Collect(CollectAction::Compare(yours)));
    settle(&mut harness);
    harness.state_mut().state_mut().dark = true;
    settle(&mut harness);
    pictures.take(&mut harness, "versions-dark");
    harness.state_mut().push(Action::Collect(CollectAction::CompareFrom(before)));
    harness.state_mut().state_mut().dark = false;
    settle(&mut harness);
    pictures.take(&mut harness, "versions-light");
    harness.set_size(egui::vec2(720.0, 480.0));
    settle(&mut harness);
    pictures.take(&mut harness, "narrow-versions-light");
}

#[test]
fn edits_follow_their_rows_when_the_file_changes_under_the_window() {
    let home = tempfile::tempdir().unwrap();
    let [tickets, ..] = files(home.path());
    let mut window = Window::new(Begin::File(tickets.clone()), home.path(), Vec::new());
    window.settle();
    for (row, text) in [(0, "lost"), (1, "young"), (2, "late")] {
        let set = Operation::SetCells {
            samples: vec![SampleId(row)],
            column: "label".to_owned(),
            text: text.to_owned(),
            review: false,
        };
        window.harness.state_mut().push(Action::Do(set));
        window.settle();
    }
    // Meanwhile: a row before all, another text of the second, another label of the third.
    let now = "id,text,label\n9,New here,age_limit\n1,How do I locate my card?,card_arrival\n2,Is there any age limit?,age_limit\n3,My card is late,delivery\n4,How old must I be?,age_limit\n";
    std::fs::write(&tickets, now).unwrap();
    window.harness.state_mut().push(Action::Carry);
    window.settle();
    // By content, by its id, and where both changed the same cell the file stands, and that is said.
    assert_eq!(texts(&window, "label"), ["age_limit", "lost", "young", "delivery", "age_limit"]);
    assert!(window.sees("1 edited cell whose rows had changed followed, too"));
    assert!(
        window.sees("1 cell that you edited has changed in the file as well, and stands as the file has it: label of sample 3")
    );
    window.ctrl(Key::Z);
    window.settle();
    assert_eq!(texts(&window, "label")[1..3], ["lost", "age_limit"], "it is an edit like any other");
}

/// The file of questions with three edits, and as somebody else has written it meanwhile.
fn changed_under(home: &Path) -> (Window, PathBuf) {
    let [tickets, ..] = files(home);
    let mut window = Window::new(Begin::File(tickets.clone()), home, Vec::new());
    window.settle();
    for (row, text) in [(0, "lost"), (2, "late")] {
        let set = Operation::SetCells {
            samples: vec![SampleId(row)],
            column: "label".to_owned(),
            text: text.to_owned(),
            review: false,
        };
        window.harness.state_mut().push(Action::Do(set));
        window.settle();
    }
    // A row before all, another text of the second, another label of the third, the last is gone.
    let now = "id,text,label\n9,New here,age_limit\n1,How do I locate my card?,card_arrival\n2,Is there any age limit?,age_limit\n3,My card is late,delivery\n";
    std::fs::write(&tickets, now).unwrap();
    window.harness.state_mut().push(Action::Collect(CollectAction::CompareChanged));
    window.settle();
    (window, tickets)
}

#[test]
fn what_changed_in_the_file_is_seen_and_settled_before_it_is_taken_over() {
    let home = tempfile::tempdir().unwrap();
    let (mut window, _) = changed_under(home.path());
    assert!(window.sees("tickets.csv as it is now") && window.sees("1 conflict to settle first"));
    assert!(window.sees("1 cell was changed there only, 1 row came, 1 row went; 1 conflict"), "each is counted");
    assert_eq!(texts(&window, "label")[2], "late", "nothing is taken over by looking");
    // The conflict stands first: mine stays.
    window.key(Key::Num1);
    window.click("Open it as it is now");
    window.settle();
    assert_eq!(texts(&window, "label"), ["age_limit", "lost", "age_limit", "late"]);
    assert_eq!(texts(&window, "text")[2], "Is there any age limit?");
    assert!(window.sees("1 difference is settled"));
    window.ctrl(Key::Z);
    assert_eq!(texts(&window, "label")[3], "delivery", "what was settled is an edit like any other");

    // A new row that is not wanted is left out; what is gone cannot stay, and that is said before anything is done.
    let home = tempfile::tempdir().unwrap();
    let (mut window, _) = changed_under(home.path());
    window.key(Key::Num2);
    let items: Vec<_> = window.harness.state().session().compared().unwrap().items.iter().map(|item| item.kind).collect();
    let at = |kind| items.iter().position(|own| *own == kind).unwrap();
    window.harness.state_mut().state_mut().compare.at = at(lapidary::session::DiffKind::Removed);
    window.key(Key::Num1);
    window.click("Open it as it is now");
    assert!(window.sees("a row that the file has no more cannot stay"));
    window.harness.state_mut().state_mut().compare.at = at(lapidary::session::DiffKind::Removed);
    window.key(Key::Num2);
    window.harness.state_mut().state_mut().compare.at = at(lapidary::session::DiffKind::Added);
    window.key(Key::Num1);
    window.click("Open it as it is now");
    window.settle();
    assert_eq!(texts(&window, "label"), ["age_limit", "lost", "age_limit", "delivery"]);
    let dataset = window.harness.state().workspace().unwrap().dataset();
    assert!(dataset.is_excluded(SampleId(0)) && !dataset.is_excluded(SampleId(1)));
}

#[test]
fn pictures_of_a_file_that_changed() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let [tickets, ..] = files(home.path());
    let mut pictures = Pictures::default();
    let mut harness = shown(&tickets.display().to_string(), [1_120.0, 760.0], home.path());
    let set =
        Operation::SetCells { samples: vec![SampleId(2)], column: "label".to_owned(), text: "late".to_owned(), review: false };
    harness.state_mut().push(Action::Do(set));
    settle(&mut harness);
    std::fs::write(&tickets, "id,text,label\n9,New here,age_limit\n1,How do I locate my card?,card_arrival\n2,Is there any age limit?,age_limit\n3,My card is late,delivery\n").unwrap();
    harness.state_mut().push(Action::Collect(CollectAction::CompareChanged));
    settle(&mut harness);
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        harness.state_mut().state_mut().dark = dark;
        settle(&mut harness);
        pictures.take(&mut harness, format!("changed-file-{theme}"));
    }
}

#[test]
fn a_database_is_named_and_asked_and_its_rows_follow() {
    let Some(server) = crate::databases_at::DatabaseServer::postgres() else { return };
    server.does("", "CREATE ROLE reader LOGIN PASSWORD 'pass word'; CREATE TABLE tickets (id int PRIMARY KEY, text text, label text); GRANT SELECT ON tickets TO reader; INSERT INTO tickets VALUES (1, 'Where is it?', 'card'), (2, 'How old?', 'age')");
    let home = tempfile::tempdir().unwrap();
    let mut window = Window::new(Begin::Start, home.path(), Vec::new());
    window.settle();
    window.click("or ask a database");
    assert!(window.sees("Add a database"));
    let form = &mut window.harness.state_mut().state_mut().database;
    form.address = server.address("reader", "postgres");
    form.password = "wrong".to_owned();
    window.settle();
    assert!(window.sees("A server on this machine is asked"));
    window.ctrl(Key::Enter);
    window.settle();
    assert!(window.sees("it wants the password of reader"), "what is wrong is said");
    // What was typed stands there still, but for the password.
    window.click("Connect…");
    assert_eq!(window.harness.state_mut().state_mut().database.address, server.address("reader", "postgres"));
    window.harness.state_mut().state_mut().database.password = "pass word".to_owned();
    window.ctrl(Key::Enter);
    window.settle();
    assert_eq!(texts(&window, "label"), ["card", "age"]);
    let path = window.harness.state().workspace().unwrap().dataset().base.origin.path.clone();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("pass"), "no password is written");
    let set =
        Operation::SetCells { samples: vec![SampleId(1)], column: "label".to_owned(), text: "years".to_owned(), review: false };
    window.harness.state_mut().push(Action::Do(set));
    window.settle();
    // Rows come and go there; what they meet is shown, and edits follow by the key.
    server.does("", "INSERT INTO tickets VALUES (0, 'New', 'card'); UPDATE tickets SET text = 'How old must I be?' WHERE id = 2; DELETE FROM tickets WHERE id = 1");
    window.view(View::Collect);
    window.click("Ask the databases again");
    window.settle();
    assert!(window.sees("1 row came, 1 row went; 0 conflicts"));
    window.click("Open it as it is now");
    window.settle();
    assert_eq!(texts(&window, "text"), ["New", "How old must I be?"]);
    assert_eq!(texts(&window, "label"), ["card", "years"]);
}

#[test]
fn pictures_of_naming_a_database() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut pictures = Pictures::default();
    let mut harness = shown("tests/data/sources/all.sources.json", [1_120.0, 760.0], home.path());
    harness.state_mut().state_mut().view = View::Collect;
    settle(&mut harness);
    harness.state_mut().push(Action::Collect(CollectAction::NameDatabase));
    settle(&mut harness);
    harness.state_mut().state_mut().database.address = "postgresql://reader@db.example/support?sslmode=disable".to_owned();
    settle(&mut harness);
    harness.state_mut().state_mut().dark = true;
    settle(&mut harness);
    pictures.take(&mut harness, "database-dark");
    // A list that somebody else has made.
    let list = home.path().join("theirs.sources.json");
    std::fs::write(&list, r#"{"lapidary": "sources/1", "sources": [{"id": "c", "read": "postgresql://reader@db.example/support", "options": {"query": "SELECT id, body, intent FROM tickets WHERE intent IS NOT NULL ORDER BY id"}}]}"#).unwrap();
    harness.state_mut().state_mut().database.address.clear();
    harness.state_mut().state_mut().popup = None;
    harness.state_mut().state_mut().dark = false;
    settle(&mut harness);
    harness.state_mut().push(Action::Collect(CollectAction::OfferDatabases(list)));
    settle(&mut harness);
    pictures.take(&mut harness, "database-of-a-list-light");
}
