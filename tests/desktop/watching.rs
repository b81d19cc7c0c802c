//! Monitor, as a person uses it: a log is brought in, looked at, rows of it are taken over, labelled and admitted, a better model taught; and its pictures.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lapidary::action::{Action, MonitorAction};
use lapidary::app::Begin;
use lapidary::chance::Chance;
use lapidary::data::SampleId;
use lapidary::monitor::TO_LABEL;
use lapidary::operate::Operation;
use lapidary::ui::{BatchSide, View};

use crate::pictures::{Pictures, can_draw, settle, shown};
use crate::questions::{questions, words};
use crate::support::Window;

/// The dataset, and a log of five days: in the last two a theme comes up that nobody knew, and customers by mail are served badly.
fn story(home: &Path) -> (PathBuf, PathBuf) {
    let mut chance = Chance::new(5);
    let mut text = "text,category,split\n".to_owned();
    for (at, (question, theme)) in questions(&mut chance, &[("card", 70), ("rate", 70), ("pin", 70)]).into_iter().enumerate() {
        let part = if at % 4 == 3 { "test" } else { "train" };
        let _ = writeln!(text, "{question},{theme},{part}");
    }
    let path = home.join("questions.csv");
    std::fs::write(&path, text).unwrap();
    let mut log = "id,time,question,channel,prediction,confidence,truth\n".to_owned();
    for day in 1..=5 {
        let new = if day > 3 { 30 } else { 0 };
        for (at, (question, theme)) in
            questions(&mut chance, &[("card", 50), ("rate", 50), ("pin", 50), ("crypto", new)]).into_iter().enumerate()
        {
            let channel = ["app", "web", "mail"][chance.below(3)];
            let fails = theme == "crypto" || chance.happens(if channel == "mail" && day > 3 { 0.5 } else { 0.08 });
            let others: Vec<&str> = ["card", "rate", "pin"].into_iter().filter(|other| *other != theme).collect();
            let said = if fails { others[chance.below(others.len())] } else { theme.as_str() };
            let sure = if fails { chance.within(0.3, 0.7) } else { chance.within(0.6, 1.0) };
            let truth = if chance.happens(0.7) && theme != "crypto" { theme.as_str() } else { "" };
            let _ =
                writeln!(log, "r{day}-{at},2026-03-0{day}T{:02}:15:00Z,{question},{channel},{said},{sure:.3},{truth}", at % 24);
        }
    }
    let log_path = home.join("log.csv");
    std::fs::write(&log_path, log).unwrap();
    (path, log_path)
}

fn theme_of(question: &str) -> &'static str {
    let found =
        ["card", "rate", "pin", "crypto"].into_iter().find(|theme| words(theme).iter().any(|word| question.contains(word)));
    found.unwrap_or_else(|| panic!("{question:?} is of no theme"))
}

fn tagged(window: &Window) -> Vec<SampleId> {
    let dataset = window.harness.state().workspace().unwrap().dataset();
    dataset.tags().find(|(tag, _)| *tag == TO_LABEL).map_or(Vec::new(), |(_, samples)| samples.iter().collect())
}

#[test]
fn a_log_is_brought_in_looked_at_and_what_it_teaches_comes_into_the_dataset() {
    let home = tempfile::tempdir().unwrap();
    let (path, log) = story(home.path());
    let untouched = std::fs::read(&path).unwrap();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    window.view(View::Train);
    window.harness.state_mut().state_mut().train.label = "category".to_owned();
    window.settle();
    window.click("Teach");
    window.view(View::Monitor);
    assert!(window.sees("Has the world moved since?"));
    // What a file is read as is said before anything is done.
    window.harness.state_mut().push(Action::Monitor(MonitorAction::Offer(log.clone())));
    window.settle();
    assert!(window.sees("Bring in log.csv?") && window.sees("810 rows in 7 columns"));
    let form = &mut window.harness.state_mut().state_mut().monitor;
    assert_eq!(
        (
            form.columns.text.as_deref(),
            form.columns.prediction.as_deref(),
            form.columns.probability.as_deref(),
            form.columns.truth.as_deref()
        ),
        (Some("question"), Some("prediction"), Some("confidence"), Some("truth"))
    );
    form.cut = lapidary::monitor::LogCut::Day;
    window.settle();
    assert!(window.sees("It comes to 5 batches, 2026-03-01 to 2026-03-05"));
    window.click("Watch it");
    assert!(window.sees("Batch 2026-03-01") && window.sees("Trend over 5 batches"));
    // One edit, and none of its rows is a sample.
    let dataset = window.harness.state().workspace().unwrap().dataset().rows();
    assert_eq!((dataset, window.harness.state().workspace().unwrap().history().nodes().len()), (210, 1));
    let moved = |window: &Window, name: &str| {
        let summary = window.harness.state().session().watching().summary(name).unwrap().unwrap().clone();
        summary.report.moved().map(|one| one.column.clone()).collect::<Vec<_>>()
    };
    let steady = (1..=3).filter(|day| !moved(&window, &format!("2026-03-0{day}")).contains(&"text".to_owned())).count();
    assert_eq!(steady, 3, "of the first three days no text is called new");
    assert!((4..=5).all(|day| moved(&window, &format!("2026-03-0{day}")).contains(&"text".to_owned())));
    window.click("What is new");
    assert!(window.sees("are like nothing in the dataset"));
    window.click("Worst slices");
    assert!(window.sees("channel = mail"), "the slice that was planted");
    window.click("How good");
    assert!(window.sees("if classes and their looks stay the same"));
    // Forty rows come in.
    window.click("Worth a label");
    assert!(window.sees("Take 40 rows over, to be labelled"));
    window.click("Take 40 rows over, to be labelled");
    let taken = tagged(&window);
    assert_eq!(taken.len(), 40);
    assert!(window.sees("40 samples taken over"));
    let text = |window: &Window, id: SampleId| window.cell(id.0, "text");
    let new = taken.iter().filter(|id| theme_of(&text(&window, **id)) == "crypto").count();
    assert!(new >= 8, "{new} of the 40 are of the theme that is new");
    // They are not taken twice.
    let first: Vec<String> = taken.iter().map(|id| text(&window, *id)).collect();
    let again = window.harness.state().session().watching().worth().unwrap().0.list.len();
    assert!(again > 0, "others are offered next");
    window.click("Label them");
    assert_eq!(window.harness.state_mut().state_mut().view, View::Explore);
    assert_eq!(window.harness.state().session().visible().len(), 40);
    for theme in ["card", "rate", "pin", "crypto"] {
        let samples: Vec<SampleId> = taken.iter().copied().filter(|id| theme_of(&text(&window, *id)) == theme).collect();
        let set = Operation::SetCells { samples, column: "category".to_owned(), text: theme.to_owned(), review: true };
        window.harness.state_mut().push(Action::Do(set));
        window.settle();
    }
    window.view(View::Monitor);
    window.click("Admit 40 to");
    assert!(
        tagged(&window).len() < 4,
        "what is nearly a test sample stays out, the others are admitted: {}",
        tagged(&window).len()
    );
    assert_eq!(window.cell(taken[0].0, "split"), "train");
    drop(window);
    // The log may be gone: what was taken is there.
    std::fs::remove_file(&log).unwrap();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    assert_eq!(taken.iter().map(|id| text(&window, *id)).collect::<Vec<_>>(), first);
    window.view(View::Monitor);
    assert!(window.sees("is not there any more"));
    window.view(View::Train);
    window.harness.state_mut().state_mut().train.label = "category".to_owned();
    window.settle();
    window.click("Teach");
    let runs = window.harness.state().workspace().unwrap().runs().len();
    assert_eq!(runs, 2);
    // Back to the first edit: the file as it was.
    while window.harness.state().workspace().unwrap().history().head() != 0 {
        window.harness.state_mut().push(Action::Undo);
        window.settle();
    }
    assert_eq!(window.harness.state().workspace().unwrap().dataset().rows(), 210);
    assert_eq!(std::fs::read(&path).unwrap(), untouched);
}

#[test]
fn pictures_of_monitor() {
    if !can_draw() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (path, log) = story(home.path());
    let mut pictures = Pictures::default();
    let mut harness = shown(&path.display().to_string(), [1_120.0, 760.0], home.path());
    harness.state_mut().state_mut().dark = true;
    harness.state_mut().state_mut().view = View::Monitor;
    settle(&mut harness);
    pictures.take(&mut harness, "monitor-empty-dark");
    harness.state_mut().push(Action::Monitor(MonitorAction::Offer(log)));
    settle(&mut harness);
    harness.state_mut().state_mut().monitor.cut = lapidary::monitor::LogCut::Day;
    settle(&mut harness);
    pictures.take(&mut harness, "monitor-offer-dark");
    harness.state_mut().push(Action::Monitor(MonitorAction::Watch));
    settle(&mut harness);
    pictures.take(&mut harness, "monitor-log-dark");
    for (side, name) in [
        (BatchSide::Newest, "monitor-new-light"),
        (BatchSide::Slices, "monitor-slices-light"),
        (BatchSide::Worth, "monitor-worth-light"),
    ] {
        harness.state_mut().state_mut().dark = false;
        harness.state_mut().state_mut().monitor.side = side;
        settle(&mut harness);
        pictures.take(&mut harness, name);
    }
    harness.set_size(egui::vec2(720.0, 480.0));
    harness.state_mut().state_mut().monitor.side = BatchSide::Columns;
    settle(&mut harness);
    pictures.take(&mut harness, "narrow-monitor-light");
}
