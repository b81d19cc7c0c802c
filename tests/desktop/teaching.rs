//! Train, as a person uses it: teach, compare, see what is confused, relabel, take the predictions over; and its pictures.

use egui_kittest::SnapshotResults;
use lapidary::app::Begin;
use lapidary::data::SampleId;
use lapidary::operate::Operation;
use lapidary::train::Lesson;
use lapidary::ui::{RunSide, View};

use crate::pictures::{can_draw, settle, shown};
use crate::support::{Window, folder};

#[test]
fn a_model_is_taught_compared_looked_into_and_used() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    window.view(View::Train);
    assert!(window.sees("Is this dataset good enough to learn from?"));
    window.click("Teach");
    assert!(window.sees("the test part was looked at once"), "a run is made and measured");
    assert!(window.sees("a fifth is held out"), "it says that nothing said the parts");
    let first = window.harness.state().workspace().unwrap().runs()[0].clone();
    assert_eq!(first.name, "built-in embedding + logistic regression");
    // Another one beside it.
    window.harness.state_mut().state_mut().train.encoder = "tfidf".to_owned();
    window.settle();
    window.click("Teach");
    assert!(window.sees("the test part was looked at twice"));
    let little = window.sees("No difference that this test could show") || window.sees("are right and wrong of the same");
    assert!(little, "a dozen samples show little, and that is said");
    for side in ["Classes", "Calibration", "Slices", "What was tried", "Confused"] {
        window.click(side);
    }
    window.click_part("Run built-in embedding");
    // What it takes for something else is a click away.
    let taken = window.sees(" taken for ");
    if taken {
        window.click_part(" taken for ");
        let state = window.harness.state_mut().state_mut();
        assert!(state.view == View::Explore && state.filter.clauses.len() == 1);
        state.filter.clauses.clear();
        window.view(View::Train);
    }
    // Figures follow the labels, and the run stays what it was.
    let accuracy = |window: &Window| window.harness.state().session().measured().unwrap().0.of(0).unwrap().scores.accuracy;
    let before = accuracy(&window);
    let tested = SampleId(first.run.predictions.tested[0]);
    let right = window.harness.state().session().measured().unwrap().0.of(0).unwrap().right(0);
    let said = first.run.classes
        [first.run.predictions.said[first.run.predictions.ids.iter().position(|id| *id == tested.0).unwrap()] as usize]
        .clone();
    let text = if right { "something_else".to_owned() } else { said };
    let relabel = Operation::SetCells { samples: vec![tested], column: "category".to_owned(), text, review: true };
    window.harness.state_mut().push(lapidary::action::Action::Do(relabel));
    window.settle();
    assert!((accuracy(&window) - before).abs() > 0.01, "{before}");
    window.key(egui::Key::U);
    window.settle();
    assert_eq!(accuracy(&window), before);
    // Its name, and what it says of every sample.
    window.click("Rename");
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    window.settle();
    window.type_text("the bar");
    window.key(egui::Key::Enter);
    assert!(window.sees("Run the bar"));
    window.click("Write its predictions as columns");
    assert_eq!(window.harness.state().workspace().unwrap().dataset().fields().len(), 5);
    assert!(!window.cell(0, "pred_the_bar").is_empty());
    window.key(egui::Key::U);
    assert_eq!(window.harness.state().workspace().unwrap().dataset().fields().len(), 3);
    drop(window);
    // It is there again, without an edit.
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Train);
    assert!(window.sees("Run the bar") && window.sees("Run TF-IDF + logistic regression"));
}

#[test]
fn what_cannot_be_taught_is_said_beside_the_button() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("one.csv");
    std::fs::write(&path, "text,label\nalpha beta,same\ngamma delta,same\nepsilon zeta,same\n").unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let role = Operation::SetRole { column: "label".to_owned(), role: lapidary::data::Role::Label };
    window.harness.state_mut().push(lapidary::action::Action::Do(role));
    window.settle();
    window.view(View::Train);
    window.click("Teach");
    assert!(window.sees("Nothing to tell apart: every sample of the train part is same"));
    assert!(window.harness.state().workspace().unwrap().runs().is_empty());
}

#[test]
fn runs_in_both_themes_and_narrow() {
    if !can_draw() {
        return;
    }
    let mut results = SnapshotResults::new();
    for (size, name) in [([1_120.0, 640.0], "runs"), ([720.0, 480.0], "narrow-runs")] {
        // A run is kept beside the file: that is a copy.
        let (home, path) = folder();
        let mut harness = shown(&path.display().to_string(), size, home.path());
        harness.state_mut().state_mut().view = View::Train;
        for seed in [1, 2] {
            let lesson = Lesson { seed, ..Lesson::usual("category") };
            harness.state_mut().push(lapidary::action::Action::Train(lesson));
            settle(&mut harness);
        }
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            harness.state_mut().state_mut().dark = dark;
            for (side, of) in [(RunSide::Confused, ""), (RunSide::Classes, "-classes"), (RunSide::Calibration, "-calibration")] {
                if of.is_empty() || dark {
                    harness.state_mut().state_mut().train.side = side;
                    settle(&mut harness);
                    results.add(harness.try_snapshot(format!("{name}{of}-{theme}")));
                }
            }
        }
    }
}
