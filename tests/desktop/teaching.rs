//! Train, as a person uses it: teach, compare, see what is confused, relabel, take the predictions over; and its pictures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lapidary::action::{Action, TrainAction};
use lapidary::app::Begin;
use lapidary::data::SampleId;
use lapidary::io::Reading;
use lapidary::job::Progress;
use lapidary::operate::Operation;
use lapidary::session::Workspace;
use lapidary::train::{Approach, EpochSeen, Lesson, Predictions, TaskAsked, TeachMeans, TrainParts, TuneAsked, Watch, teach};
use lapidary::ui::{RunSide, TaughtBy, View};

use crate::pictures::{Pictures, can_draw, settle, shown};
use crate::server::{Reply, Server, allowed};
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

/// The tiny encoder of the reference, where it is.
fn encoder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/train/exact/model");
    if !folder.exists() {
        println!("skipped: ../shared is not there");
    }
    folder.exists().then_some(folder)
}

/// Tickets of three classes, a coarser column and parts.
fn tickets(home: &Path) -> PathBuf {
    let words = [("refund", ["money", "back"]), ("card", ["plastic", "card"]), ("login", ["password", "locked"])];
    let mut text = "text,category,topic,part\n".to_owned();
    for at in 0..40 {
        for (class, list) in words {
            let part = ["train", "train", "train", "validation", "test"][at % 5];
            let topic = if class == "refund" { "money" } else { "access" };
            text.push_str(&format!("my {} number {at} {},{class},{topic},{part}\n", list[at % 2], list[(at + 1) % 2]));
        }
    }
    let path = home.join("tickets.csv");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn an_encoder_is_fine_tuned_stopped_gone_on_with_and_looked_into() {
    let Some(folder) = encoder() else { return };
    let home = tempfile::tempdir().unwrap();
    let mut window = Window::new(Begin::File(tickets(home.path())), home.path(), Vec::new());
    window.view(View::Train);
    let form = &mut window.harness.state_mut().state_mut().train;
    form.label = "category".to_owned();
    form.way = TaughtBy::Encoder;
    form.encoder = folder.display().to_string();
    form.tune.epochs = 3;
    form.tune.batch = 8;
    form.tune.rate = 1e-3;
    window.settle();
    window.click("How long will it take?");
    assert!(window.sees("27 steps at most, about"));
    // A run that was stopped before: as the window leaves one behind.
    let lesson = {
        let form = window.harness.state_mut().state_mut().train.clone();
        form.lesson(window.harness.state().workspace().unwrap().dataset()).unwrap()
    };
    let open = window.harness.state().workspace().unwrap();
    let (dataset, store, project) = (open.dataset().clone(), Arc::clone(open.derived()), open.project().0.to_owned());
    let watch = Watch::default();
    let progress = Progress::silent();
    let means = TeachMeans { project: Some(&project), goes_on: true, watch: Some(&watch), ..TeachMeans::of(&store) };
    std::thread::scope(|scope| {
        let teaching = scope.spawn(|| teach(&dataset, &lesson, means, &progress).is_err());
        while watch.seen().losses.len() < 4 && !teaching.is_finished() {
            std::thread::yield_now();
        }
        progress.cancel();
        assert!(teaching.join().unwrap(), "it was stopped");
    });
    window.click("Teach");
    let names = |window: &Window| -> Vec<String> {
        window.harness.state().workspace().unwrap().runs().iter().map(|kept| kept.name.clone()).collect()
    };
    assert_eq!(names(&window), ["model fine-tuned"]);
    assert!(window.sees("It was stopped after") && window.sees("went on from there"), "the same lesson goes on where it was");
    // What training saw is a map whose regions show their samples.
    window.click("Data map");
    assert!(window.sees("Data map of 72 samples") && window.sees("hardest to learn"));
    window.click("Hard 24");
    let state = window.harness.state_mut().state_mut();
    assert!(state.view == View::Explore && state.filter.clauses.len() == 1);
    state.filter.clauses.clear();
    window.view(View::Train);
    // Several label columns at once: a run each, and what they are worth to each other.
    let form = &mut window.harness.state_mut().state_mut().train;
    form.way = TaughtBy::Multitask;
    form.with = vec![("topic".to_owned(), 0.5)];
    window.settle();
    window.click("Teach");
    assert_eq!(names(&window), ["model fine-tuned", "model fine-tuned with topic", "model fine-tuned with category"]);
    window.click("Tasks");
    assert!(window.sees("against alone") && window.sees("Alone it was not taught yet"));
    // The coarse column through the finer one.
    let form = &mut window.harness.state_mut().state_mut().train;
    form.way = TaughtBy::Features;
    form.encoder = "builtin".to_owned();
    form.label = "topic".to_owned();
    window.settle();
    assert!(window.sees("through a finer column"));
    window.harness.state_mut().state_mut().train.through = "category".to_owned();
    window.settle();
    window.click("Teach");
    assert!(names(&window).last().unwrap().ends_with("through category"));
    window.click("More samples");
    window.click("Work it out");
    assert!(window.sees("Accuracy by samples of the train part"));
    drop(window);
    let left =
        std::fs::read_dir(home.path()).unwrap().flatten().filter(|file| file.file_name().to_string_lossy().contains("teaching"));
    assert_eq!(left.count(), 0, "nothing is left behind beside the project");
}

#[test]
fn a_language_model_is_asked_once_it_is_named_and_told_the_cost() {
    let home = tempfile::tempdir().unwrap();
    let mut window = Window::new(Begin::File(tickets(home.path())), home.path(), Vec::new());
    window.view(View::Train);
    window.harness.state_mut().state_mut().train.label = "category".to_owned();
    window.harness.state_mut().state_mut().train.way = TaughtBy::Prompt;
    window.settle();
    assert!(window.sees("Nothing is sent before you ask"));
    let server = Server::start(|_, request| {
        let messages = request.body["messages"].as_array().unwrap();
        let asked = messages.last().unwrap()["content"].as_str().unwrap();
        let class = if asked.contains("money") {
            "refund"
        } else if asked.contains("card") {
            "card"
        } else {
            "login"
        };
        let choice = serde_json::json!({ "finish_reason": "stop", "message": { "role": "assistant", "content": class } });
        let body = serde_json::json!({ "choices": [choice], "usage": { "prompt_tokens": 40, "completion_tokens": 2 } });
        Reply::Status(200, "", body.to_string())
    });
    let model = allowed("mine", &server.address);
    window.harness.state_mut().push(Action::KeepTextModel { was: None, model, key: String::new() });
    window.settle();
    assert_eq!(server.count(), 0, "nothing is sent unasked");
    window.click("answer by letters");
    window.click("What will it cost?");
    assert!(window.sees("24 questions, about 1,008 tokens"));
    let asked = server.count();
    assert!(asked < 10);
    window.click("Ask");
    let open = window.harness.state().workspace().unwrap();
    assert_eq!(open.runs()[0].name, "mine, the nearest 8");
    assert!(window.sees("Without a language model the vote of the same examples is right"));
    assert_eq!(server.count(), asked + 21, "what was asked for the cost is not asked again");
}

/// Runs as fine-tuning leaves them behind, kept in the project of a dataset. What they say and what training saw is drawn up here: a picture must not hang on the last bit of a processor.
fn drawn_up(path: &Path) {
    let dataset = lapidary::io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let mut workspace = Workspace::open(dataset, Reading::default(), None).unwrap();
    let folder = PathBuf::from("models/all-MiniLM-L6-v2");
    let tune = TuneAsked { epochs: 4, ..TuneAsked::default() };
    let task = |label: &str, weight| TaskAsked { label: label.to_owned(), weight };
    let tasks = vec![task("category", 1.0), task("topic", 0.5)];
    let alone = Approach::Encoder { folder: folder.clone(), tune: tune.clone() };
    let both = Approach::Multitask { folder, tune, tasks, uncertain: false };
    for (label, approach, wrong) in [("category", alone, 3), ("category", both.clone(), 5), ("topic", both, 4)] {
        let plain = Lesson::usual(label);
        let mut run =
            teach(workspace.dataset(), &plain, TeachMeans::of(workspace.derived()), &Progress::silent()).unwrap().remove(0);
        let k = run.learned;
        run.lesson = Lesson { approach, ..plain };
        run.print = TrainParts::of(workspace.dataset(), &run.lesson, &Progress::silent()).unwrap().print;
        let rows = run.predictions.tested.clone();
        for (at, row) in rows.iter().enumerate() {
            // It is right but for every so-manieth.
            let right = (row % 3) as usize;
            let truth = if label == "topic" { usize::from(right == 0) } else { [2, 0, 1][right] };
            let said = if at % wrong == 0 { (truth + 1) % k } else { truth };
            let p = |class: usize| if class == said { 0.9 } else { 0.1 / (k - 1) as f64 };
            (0..k).for_each(|class| run.predictions.probabilities[at * k + class] = Predictions::packed(p(class)));
            let place = run.predictions.ids.iter().position(|id| id == row).unwrap();
            run.predictions.said[place] = said as u32;
        }
        let epoch = |loss, validation_loss, validation_accuracy| EpochSeen { loss, validation_loss, validation_accuracy };
        run.epochs = vec![epoch(1.6, 0.9, 0.7), epoch(0.8, 0.6, 0.8), epoch(0.5, 0.5, 0.9), epoch(0.4, 0.55, 0.88)];
        let part = |n: u32, by: u32| f64::from(n * 7 % by) as f32 / by as f32;
        let train = (0..120u32).filter(|row| (row / 3) % 5 < 3);
        run.seen = train
            .map(|row| {
                let sure = part(row, 61);
                (row, sure, 0.45 * (1.0 - (2.0 * sure - 1.0).powi(2)) * part(row, 13), sure - 0.4, (sure * 4.9) as u32, 0)
            })
            .collect();
        run.seconds = 83.0;
        workspace.keep_run(run, None).unwrap();
    }
}

#[test]
fn what_train_asks_for_in_both_themes() {
    if !can_draw() {
        return;
    }
    let mut pictures = Pictures::default();
    for (size, name) in [([1_120.0, 900.0], "taught"), ([720.0, 480.0], "narrow-taught")] {
        let home = tempfile::tempdir().unwrap();
        let path = tickets(home.path());
        drawn_up(&path);
        let mut harness = shown(&path.display().to_string(), size, home.path());
        harness.state_mut().state_mut().view = View::Train;
        settle(&mut harness);
        let first = harness.state().workspace().unwrap().runs()[0].id;
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            let state = harness.state_mut().state_mut();
            state.dark = dark;
            state.train.label = "category".to_owned();
            state.train.shown = Some(first);
            state.train.encoder = "models/all-MiniLM-L6-v2".to_owned();
            state.train.with = vec![("topic".to_owned(), 0.5)];
            for (way, side, of) in [
                (TaughtBy::Encoder, RunSide::Seen, "map"),
                (TaughtBy::Multitask, RunSide::Tasks, "tasks"),
                (TaughtBy::Prompt, RunSide::Choice, "prompt"),
            ] {
                let state = harness.state_mut().state_mut();
                (state.train.way, state.train.side) = (way, side);
                settle(&mut harness);
                if dark || name == "taught" {
                    pictures.take(&mut harness, format!("{name}-{of}-{theme}"));
                }
            }
        }
    }
}

#[test]
fn runs_in_both_themes_and_narrow() {
    if !can_draw() {
        return;
    }
    let mut pictures = Pictures::default();
    for (size, name) in [([1_120.0, 640.0], "runs"), ([720.0, 480.0], "narrow-runs")] {
        // A run is kept beside the file: that is a copy.
        let (home, path) = folder();
        let mut harness = shown(&path.display().to_string(), size, home.path());
        harness.state_mut().state_mut().view = View::Train;
        for seed in [1, 2] {
            let lesson = Lesson { seed, ..Lesson::usual("category") };
            harness.state_mut().push(Action::Train(TrainAction::Teach(vec![lesson])));
            settle(&mut harness);
        }
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            harness.state_mut().state_mut().dark = dark;
            for (side, of) in [(RunSide::Confused, ""), (RunSide::Classes, "-classes"), (RunSide::Calibration, "-calibration")] {
                if of.is_empty() || dark {
                    harness.state_mut().state_mut().train.side = side;
                    settle(&mut harness);
                    pictures.take(&mut harness, format!("{name}{of}-{theme}"));
                }
            }
        }
    }
}
