//! Trust, in the window: keys act on what is shown, an undo undoes what it names, findings do not depend on the way one came, copies and made
//! samples stay where they belong, and what is drawn is what is in the file. By key and label, as a person would.

use std::fs;
use std::path::{Path, PathBuf};

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use lapidary::app::Begin;
use lapidary::data::{Dataset, SampleId};
use lapidary::ui::View;
use tempfile::TempDir;

use crate::support::{Window, folder};

fn dataset(window: &Window) -> &Dataset {
    window.harness.state().workspace().unwrap().dataset()
}

fn excluded(window: &Window) -> usize {
    dataset(window).excluded().len()
}

fn names(window: &Window, part: &str) -> Vec<String> {
    window.harness.query_all_by_label_contains(part).map(|node| node.accesskit_node().label().unwrap_or_default()).collect()
}

fn says(window: &Window, part: &str) -> bool {
    window.harness.state().notices().iter().any(|notice| notice.text.contains(part))
}

/// Real questions with labels of which one in seventeen is planted wrong.
fn planted(every: usize) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let sample = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/samples/banking77.csv")).unwrap();
    let classes = ["age_limit", "atm_support", "change_pin", "terminate_account", "exchange_rate"];
    let (mut text, mut n) = (String::from("text,category\n"), 0_usize);
    for line in sample.lines().filter(|line| !line.contains('"')) {
        let Some((words, class)) = line.rsplit_once(',') else { continue };
        let Some(place) = classes.iter().position(|known| *known == class) else { continue };
        let flip = n % every == 5;
        text.push_str(&format!("{words},{}\n", classes[(place + usize::from(flip)) % classes.len()]));
        n += 1;
    }
    let path = home.path().join("planted.csv");
    fs::write(&path, text).unwrap();
    (home, path)
}

/// Where the queue stands: its samples and how many wait, the same for the same state.
fn queue(window: &Window) -> Vec<u32> {
    let report = window.harness.state().session().labels().cloned().expect("labels were judged");
    report.queue.iter().map(|candidate| candidate.id.0).collect()
}

#[test]
fn a_key_acts_only_on_samples_that_are_drawn() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.ctrl(Key::A);
    let before: Vec<String> = (0..59).map(|row| window.cell(row, "category")).collect();
    for view in [View::Export, View::Split, View::Balance, View::Augment, View::History, View::Collect] {
        window.view(view);
        let cursor = window.harness.state_mut().state_mut().selection.cursor;
        for key in [Key::X, Key::Num1, Key::Num2, Key::Space, Key::T, Key::L] {
            window.key(key);
            window.key(Key::Escape);
        }
        assert_eq!(excluded(&window), 0, "X in {}", view.title());
        assert!((0..59).all(|row| window.cell(row, "category") == before[row as usize]), "digits in {}", view.title());
        assert_eq!(dataset(&window).reviewed().len(), 0, "Space in {}", view.title());
        let now = window.harness.state_mut().state_mut().selection.cursor;
        assert!(now == cursor || now.is_none(), "the hidden cursor moved in {}", view.title());
        assert!(says(&window, "No samples are shown here"), "{}: a hint says where", view.title());
    }
}

#[test]
fn one_key_for_more_than_a_thousand_samples_waits_for_enter() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("many.csv");
    let text: String = (0..1_500).map(|n| format!("a question of number {n},class {}\n", n % 3)).collect();
    fs::write(&path, format!("text,label\n{text}")).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.ctrl(Key::A);
    window.key(Key::X);
    assert_eq!(excluded(&window), 0);
    assert!(window.sees("1,500 samples"), "it says how many");
    window.key(Key::Escape);
    assert_eq!(excluded(&window), 0);
    window.key(Key::X);
    window.key(Key::Enter);
    assert_eq!(excluded(&window), 1_500);
    window.key(Key::U);
    assert_eq!(excluded(&window), 0);
}

#[test]
fn the_undo_of_a_notice_undoes_what_it_names_and_history_takes_one_edit_back_alone() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.key(Key::J);
    window.key(Key::ArrowDown);
    window.ctrl(Key::F);
    window.type_text("lost");
    window.key(Key::Enter);
    window.ctrl(Key::A);
    window.key(Key::X);
    let n = excluded(&window);
    assert!(n > 5 && window.sees("Undo"), "a notice offers to take it back");
    // The next edit, then the first notice's button, if it is still there, must not take back that one.
    window.key(Key::Escape);
    window.key(Key::Escape);
    window.key(Key::Home);
    window.key(Key::J);
    window.key(Key::Num5);
    let row = window.harness.state_mut().state_mut().selection.cursor.unwrap();
    let given = window.cell(row.0, "category");
    let offers: Vec<String> = window
        .harness
        .state()
        .notices()
        .iter()
        .filter(|notice| notice.remedy.is_some() && notice.text.contains("Excluded"))
        .map(|notice| notice.text.clone())
        .collect();
    if !offers.is_empty() {
        window.click_part("Undo");
        assert_eq!(window.cell(row.0, "category"), given, "it took back another edit than it names");
    }
    assert!(offers.is_empty() || excluded(&window) == 0);
    // In the middle of the history, one edit alone.
    if excluded(&window) > 0 {
        window.view(View::History);
        window.click_part("Edit 1: ");
        window.click("Take back this edit alone");
        assert_eq!((excluded(&window), window.cell(row.0, "category")), (0, given.clone()));
    }
    // Where a later edit touches the same cells, nothing happens and it is said.
    window.view(View::Explore);
    window.key(Key::Num4);
    window.key(Key::Num3);
    let now = window.cell(row.0, "category");
    let edits = window.harness.state().workspace().unwrap().history().nodes().len();
    window.view(View::History);
    window.click_part(&format!("Edit {}: ", edits - 1));
    window.click("Take back this edit alone");
    assert_eq!(window.cell(row.0, "category"), now);
    assert!(!window.harness.state().notices().is_empty(), "it says why not");
}

#[test]
fn findings_are_those_of_the_state_and_not_of_the_way_to_it() {
    let (home, path) = planted(17);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.ctrl(Key::L);
    let first = queue(&window);
    assert!(first.len() > 5);
    // Everything to one class, undone; everything excluded, undone.
    window.view(View::Explore);
    window.ctrl(Key::A);
    window.key(Key::L);
    window.type_text("age_limit");
    window.key(Key::Enter);
    window.key(Key::U);
    window.ctrl(Key::A);
    window.key(Key::X);
    window.key(Key::U);
    window.ctrl(Key::L);
    assert_eq!(queue(&window), first);
}

#[test]
fn the_queue_goes_on_below_the_line_and_never_ends_for_want_of_errors() {
    let (home, path) = planted(17);
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    window.ctrl(Key::L);
    // Every decision is learned from, so that more may come.
    for _ in 0..queue(&window).len() * 4 {
        if window.sees("Nothing is left to review above the line") {
            break;
        }
        window.key(Key::Enter);
    }
    assert!(window.sees("Nothing is left to review above the line"));
    window.click("Continue below the line");
    assert!(window.harness.state_mut().state_mut().review.current.is_some(), "there is always a next one");
}

#[test]
fn digits_are_the_same_in_the_queue_and_beside_a_sample_and_a_renamed_class_has_none() {
    let (home, path) = planted(17);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.ctrl(Key::L);
    let id = window.harness.state_mut().state_mut().review.current.unwrap();
    let offered = |window: &mut Window| {
        let offered = &window.harness.state_mut().state_mut().offered;
        (offered.of, offered.keys.iter().map(|(key, class)| (*key, class.clone())).collect::<Vec<_>>())
    };
    let in_queue = offered(&mut window);
    assert_eq!(in_queue.0, Some(id));
    window.view(View::Explore);
    window.harness.state_mut().state_mut().selection.cursor = Some(id);
    window.settle();
    let beside = offered(&mut window);
    assert_eq!(beside, in_queue, "the same digits give the same classes");
    // Renamed: its old name is on no key and in no list.
    window.key(Key::F2);
    let was = window.cell(id.0, "category");
    window.type_text("another name");
    window.key(Key::Enter);
    assert_eq!(window.cell(id.0, "category"), "another name");
    assert!(offered(&mut window).1.iter().all(|(_, class)| *class != was));
    window.key(Key::L);
    window.type_text(&was);
    let offered: Vec<String> = names(&window, &was).into_iter().filter(|name| !name.starts_with("Renamed")).collect();
    assert!(
        !offered.contains(&was) && offered.iter().any(|name| name.contains("New class")),
        "a dead class is offered: {offered:?}"
    );
}

#[test]
fn excluding_an_original_takes_what_was_made_of_it_along_and_back() {
    let (home, path) = planted(1_000);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Augment);
    window.harness.query_all_by_label_contains("Add ").last().unwrap().click();
    window.settle();
    let source = dataset(&window).base.rows;
    let id = (0..source).map(SampleId::at).find(|id| !dataset(&window).children(*id).is_empty()).expect("something was made");
    let children: Vec<SampleId> = dataset(&window).children(id).to_vec();
    window.view(View::Explore);
    window.harness.state_mut().state_mut().selection.cursor = Some(id);
    window.settle();
    window.key(Key::X);
    assert!(children.iter().chain([&id]).all(|id| dataset(&window).is_excluded(*id)));
    window.key(Key::X);
    assert!(children.iter().chain([&id]).all(|id| !dataset(&window).is_excluded(*id)), "X again brings all back");
}

#[test]
fn a_split_says_its_copies_and_the_rail_has_it_first() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("messages.csv");
    let mut text = String::from("text,label\n");
    (0..200).for_each(|n| text.push_str(&format!("message number {},{}\n", n % 170, ["ham", "spam"][(n % 170) % 2])));
    fs::write(&path, text).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let y = |window: &Window, name: &str| window.harness.get_by_label(name).rect().top();
    assert!(y(&window, View::Split.title()) < y(&window, View::Balance.title()));
    assert!(y(&window, View::Split.title()) < y(&window, View::Augment.title()));
    window.view(View::Split);
    assert!(window.sees("0 copies across parts"));
    window.click_part("copies stay together");
    assert!(!window.sees("0 copies across parts") && window.sees("copies across parts"), "apart, they are counted");
}

#[test]
fn balance_names_its_column_and_asks_for_what_the_probe_calls_best() {
    let (home, path) = planted(1_000);
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Balance);
    assert!(window.sees("Classes of category"));
    let tried = window.harness.state().session().tried().map(<[_]>::to_vec).expect("rules were held against each other");
    assert!(tried.is_sorted_by(|a, b| a.gain.0 >= b.gain.0));
    let form = window.harness.state_mut().state_mut().balance.clone();
    match tried.first() {
        Some(best) if best.gain.0 > 0.0 => assert!(form.is_of(best), "the best is asked for"),
        Some(_) => assert!(window.sees("No rule that was tried is better")),
        None => assert!(window.sees("classes are even")),
    }
}

#[test]
fn a_line_before_the_table_is_skipped_on_a_click() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("export.csv");
    fs::write(&path, "Report,of,May\ntext,label,n\na,x,1\nb,y,2\nc,x,3\nd,y,4\n").unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Collect);
    let columns = |window: &Window| dataset(window).fields().iter().map(|field| field.name.to_string()).collect::<Vec<_>>();
    let now = if columns(&window)[0] == "text" { 1 } else { 0 };
    let label = |n: usize| format!("Before the table: {n} {}", if n == 1 { "line" } else { "lines" });
    window.click(&label(now));
    window.click(["1 line", "0 lines"][now]);
    assert_eq!(columns(&window)[0], ["text", "Report"][now]);
    assert_eq!(dataset(&window).rows(), [4, 5][now]);
}

#[test]
fn a_save_over_a_file_that_is_there_asks_first() {
    let (home, path) = folder();
    let out = home.path().join("out.csv");
    fs::write(&out, "precious").unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Export);
    window.click("Save…");
    if window.sees("Path of a new file") || window.sees("Save under which name?") {
        window.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        window.settle();
        window.type_text(out.to_str().unwrap());
        window.key(Key::Enter);
    }
    assert_eq!(fs::read(&out).unwrap(), b"precious", "nobody was asked");
    assert!(window.sees("Replace") || window.sees("exists already") || says(&window, "exists already"));
}

#[test]
fn a_reviewed_finding_stays_settled_whatever_is_undone_and_opens_again_when_the_mark_goes() {
    use lapidary::action::Action;
    use lapidary::operate::Operation;
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    let open = |window: &Window| window.harness.state().workspace().unwrap().findings().open();
    let before = open(&window);
    // One about samples, and not about a column.
    let list = window.harness.state().workspace().unwrap().findings().list();
    let flagged = list.iter().find(|finding| !finding.samples.is_empty()).unwrap().samples.clone();
    let review = |window: &mut Window, on| {
        window.harness.state_mut().push(Action::Do(Operation::Review { samples: flagged.clone(), on }));
        window.settle();
    };
    review(&mut window, true);
    let settled = open(&window);
    assert!(settled < before);
    // Another edit, taken back: what was reviewed is reviewed still.
    window.key(Key::J);
    window.key(Key::Num5);
    window.key(Key::U);
    assert_eq!(open(&window), settled);
    review(&mut window, false);
    assert_eq!(open(&window), before, "marking not reviewed settles nothing");
    review(&mut window, true);
    drop(window);
    let window = Window::new(Begin::File(path), home.path(), Vec::new());
    assert_eq!(open(&window), settled, "and after opening again");
}
