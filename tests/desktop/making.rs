//! Stories of Augment and Balance in the window.

use std::fs;
use std::path::{Path, PathBuf};

use egui::Key;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use lapidary::action::Action;
use lapidary::app::Begin;
use lapidary::data::{Augmentation, SampleId, Step};
use lapidary::operate::Operation;
use lapidary::ui::View;
use tempfile::TempDir;

use crate::server::{Reply, Server, allowed, at, marked};
use crate::support::{Window, folder};

fn dataset(window: &Window) -> &lapidary::data::Dataset {
    window.harness.state().workspace().unwrap().dataset()
}

/// What is called by something that contains `part`: all their names.
fn names(window: &Window, part: &str) -> Vec<String> {
    let found = window.harness.query_all_by_label_contains(part);
    found.filter_map(|node| node.accesskit_node().label().or(node.accesskit_node().value())).collect()
}

/// Presses the button that adds samples.
fn add(window: &mut Window) {
    let found = names(window, "Add ").into_iter().find(|name| name.ends_with("samples") && name != "Add samples");
    window.click(&found.expect("there is something to add"));
}

/// Banking questions, unevenly: enough for a model to judge labels by.
fn questions() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("questions.csv");
    let all = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/samples/banking77.csv")).unwrap();
    let mut text = String::from("text,category\n");
    let wanted = [("card_arrival", 90), ("pin_blocked", 60), ("atm_support", 25), ("exchange_rate", 12)];
    for (class, n) in wanted {
        let lines = all.lines().filter(|line| line.ends_with(&format!(",{class}")) && !line.contains('"')).take(n);
        lines.for_each(|line| text.push_str(&format!("{line}\n")));
    }
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn augment_previews_adds_shows_makes_anew_and_takes_back() {
    let (home, path) = questions();
    let mut window = Window::new(Begin::File(path.clone()), home.path(), Vec::new());
    let before = dataset(&window).rows();
    window.view(View::Augment);
    assert!(window.sees("Step 1: Synonym replacement") && window.sees("Preview"));
    let (originals, draws) = (names(&window, "Original: "), names(&window, "Draw: "));
    assert_eq!(originals.len(), 3);
    assert!(draws.len() >= 6, "{draws:?}");
    assert!(window.harness.state().preview().unwrap().families[0].draws[0].risk.is_some());
    // Another draw, other samples.
    window.key(Key::R);
    let again = names(&window, "Draw: ");
    assert_ne!(draws, again);
    assert_eq!(names(&window, "Original: "), originals);
    window.key(Key::J);
    assert_ne!(names(&window, "Original: "), originals);
    // What the first preview shows is what a run makes.
    window.harness.state_mut().state_mut().augment.draw = 0;
    window.harness.state_mut().state_mut().augment.page = 0;
    window.harness.state_mut().state_mut().augment.most_risk = 1.0;
    window.settle();
    // Behind a draw stands what is said of it.
    let text_of = |name: &String| {
        let text = name.trim_start_matches("Draw: ");
        [", fluency ", ", label risk "].iter().fold(text, |text, said| text.split(said).next().unwrap_or(text)).to_owned()
    };
    let shown: Vec<String> = names(&window, "Draw: ").iter().map(text_of).collect();
    add(&mut window);
    let made = dataset(&window).made();
    assert!(made > before * 8 / 10, "{made} of {before}");
    let field = dataset(&window).field("text").unwrap();
    let texts: Vec<String> =
        (before..before + made).map(|row| dataset(&window).text(field, SampleId::at(row)).unwrap().into_owned()).collect();
    assert!(shown.iter().filter(|text| texts.contains(text)).count() >= 3, "the first draw of each original was made");
    assert!(window.sees("undo") || window.sees("Undo"));
    // Classes count them; the original and its children stand together.
    let total: u64 = window.harness.state().workspace().unwrap().classes("category").unwrap().counts().iter().sum();
    assert_eq!(total as usize, before + made);
    window.click("show");
    assert_eq!(window.harness.state().session().visible().len(), made);
    window.key(Key::J);
    assert!(window.sees("of sample 0 by gentle text, seed 42"));
    window.key(Key::Escape);
    // Anew: the old ones go, others come, in one step.
    window.view(View::Augment);
    window.click("make anew");
    let rows = dataset(&window).rows();
    assert!(rows > before + made && dataset(&window).excluded().len() == made);
    window.key(Key::U);
    assert_eq!((dataset(&window).rows(), dataset(&window).excluded().len()), (before + made, 0));
    window.key(Key::U);
    assert_eq!((dataset(&window).rows(), dataset(&window).made()), (before, 0));
    // And it is there again after a restart.
    window.harness.key_press_modifiers(egui::Modifiers { shift: true, ..egui::Modifiers::COMMAND }, Key::Z);
    window.settle();
    drop(window);
    let window = Window::new(Begin::File(path), home.path(), Vec::new());
    assert_eq!(dataset(&window).made(), made);
}

#[test]
fn a_pipeline_is_built_reordered_kept_and_shared() {
    let (home, path) = questions();
    let file = home.path().join("mine.json");
    let mut window = Window::new(Begin::File(path.clone()), home.path(), vec![file.clone(), file.clone()]);
    window.view(View::Augment);
    window.click("Add step");
    window.click("Random swap");
    assert!(window.sees("Step 4: Random swap"));
    window.click("Move step 4 up");
    assert!(window.sees("Step 3: Random swap") && window.sees("Step 4: Contractions"));
    // Dragged to the top.
    let grip = window.harness.get_by_label("Drag step 3").rect().center();
    let top = window.harness.get_by_label_contains("Step 1: ").rect().center();
    window.harness.drag_at(grip);
    window.harness.step();
    window.harness.hover_at(top - egui::vec2(0.0, 12.0));
    window.harness.step();
    window.harness.drop_at(top - egui::vec2(0.0, 12.0));
    window.settle();
    assert!(window.sees("Step 1: Random swap"), "{:?}", names(&window, "Step "));
    window.click("Take step 2 away");
    let steps: Vec<Augmentation> =
        window.harness.state_mut().state_mut().augment.pipeline.steps.iter().map(|step| step.op).collect();
    assert_eq!(steps, [Augmentation::RandomSwap, Augmentation::TypingErrors, Augmentation::Contractions]);
    window.harness.state_mut().state_mut().augment.pipeline.name = "mine".to_owned();
    window.settle();
    window.click("Pipelines");
    window.click("Keep under its name");
    window.click("Pipelines");
    window.click("Save to a file…");
    assert!(fs::read_to_string(&file).unwrap().contains("\"random_swap\""));
    // Kept for the next time, in another dataset too.
    drop(window);
    let (other, tickets) = folder();
    let mut window = Window::new(Begin::File(tickets), home.path(), vec![file.clone()]);
    window.view(View::Augment);
    window.click("Pipelines");
    window.click("mine");
    assert!(window.sees("Step 1: Random swap"));
    fs::write(&file, "{\"steps\": [{\"op\": \"fly\"}]}").unwrap();
    window.click("Pipelines");
    window.click("Open from a file…");
    assert!(window.sees("unknown variant `fly`"), "what is wrong is said, and the pipeline stays");
    assert!(window.sees("Step 1: Random swap"));
    drop(other);
}

#[test]
fn the_preview_goes_step_by_step_and_says_why_there_is_none() {
    let (home, path) = questions();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Augment);
    let full = names(&window, "Draw: ");
    window.click_part("Step 1: ");
    window.click("up to here");
    assert!(window.sees("Steps 1 to 1 only"));
    let first = names(&window, "Draw: ");
    assert_ne!(full, first);
    window.click("up to here");
    assert_eq!(names(&window, "Draw: "), full);
    // A step for images where there are none.
    window.harness.state_mut().state_mut().augment.pipeline.steps = vec![Step::new(Augmentation::Rotate)];
    window.settle();
    assert!(window.sees("alters images, and no column holds them"));
    window.harness.state_mut().state_mut().augment.pipeline.steps.clear();
    window.settle();
    assert!(window.sees("Add a step"));
    assert_eq!((names(&window, "Original: ").len(), names(&window, "Draw: ").len()), (3, 0));
}

#[test]
fn images_are_previewed_added_and_balanced() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("signs.zip");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/samples/signs.zip"), &path).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Augment);
    assert_eq!(names(&window, "Draw 4 of ").len(), 3, "three originals, four draws each");
    let preview = window.harness.state().preview().unwrap();
    assert!(preview.families.iter().all(|family| family.draws.iter().all(|drawn| drawn.picture.is_some())));
    assert!(preview.families[0].draws[0].changed.is_none());
    window.click("changes");
    assert!(window.harness.state().preview().unwrap().families[0].draws[0].changed.is_some());
    window.harness.state_mut().state_mut().augment.most_risk = 1.0;
    window.settle();
    add(&mut window);
    assert_eq!(dataset(&window).rows(), 200);
    // They are drawn in the gallery like any other.
    window.click("show");
    window.key(Key::J);
    assert!(window.sees("by gentle images, seed 42"));
    // Undone, and made otherwise: nothing of the old pictures is left.
    window.key(Key::U);
    assert_eq!(dataset(&window).rows(), 100);
    window.key(Key::Escape);
    window.view(View::Balance);
    assert!(window.sees("10 classes"));
}

#[test]
fn balance_plans_by_rule_and_by_hand_probes_and_is_one_edit() {
    let (home, path) = questions();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    let rows = dataset(&window).rows();
    window.view(View::Balance);
    let view = |window: &Window| {
        let view = window.harness.state().session().balance().unwrap();
        view.names.iter().zip(&view.plan.planned).map(|(name, count)| (name.to_string(), *count)).collect::<Vec<_>>()
    };
    let mean = (rows as f64 / 4.0).round() as u64;
    // The best of the rules that were tried is asked for; here it is the plain one that is looked at.
    assert!(window.harness.state().session().tried().is_some_and(|list| list.len() >= 4));
    window.harness.state_mut().state_mut().balance = lapidary::session::BalanceForm::default();
    window.settle();
    assert!(view(&window).iter().all(|(_, count)| *count == mean), "{:?}", view(&window));
    let worth = window.harness.state().session().worth().map(|(worth, _)| worth).expect("the probe has said something");
    assert!(worth.now.macro_f1 > 0.6 && worth.now.low <= worth.now.macro_f1 && worth.now.macro_f1 <= worth.now.high);
    assert!(window.sees("macro-F1") && window.sees("most repeated"));
    // A floor, by a pipeline.
    window.click("Rule: equal");
    window.click("floor");
    window.harness.state_mut().state_mut().balance.n = 50;
    window.click_part("augment, gentle text");
    assert!(view(&window).iter().all(|(_, count)| *count >= 50));
    // A bar dragged: the rest stays as the rule had it.
    let bar = window.harness.get_by_label_contains("card_arrival: ").rect();
    let from = egui::pos2(bar.left() + bar.width() * 0.55, bar.center().y);
    window.harness.drag_at(from);
    window.harness.step();
    window.harness.hover_at(from - egui::vec2(bar.width() * 0.1, 0.0));
    window.harness.step();
    window.harness.drop_at(from - egui::vec2(bar.width() * 0.1, 0.0));
    window.settle();
    assert!(window.sees("Rule: by hand"));
    let planned = view(&window);
    let of = |name: &str| planned.iter().find(|(known, _)| known == name).unwrap().1;
    assert!(of("card_arrival") < 90 && of("exchange_rate") == 50, "{planned:?}");
    window.click_part("Exclude ");
    let classes = window.harness.state().workspace().unwrap().classes("category").unwrap();
    let now = |name: &str| classes.counts()[classes.class(name).unwrap()];
    assert_eq!(now("exchange_rate"), 50);
    assert_eq!(now("card_arrival"), of("card_arrival"));
    assert!(dataset(&window).made() >= 60, "{}", dataset(&window).made());
    // One edit, and one key takes it back.
    window.key(Key::U);
    assert_eq!((dataset(&window).rows(), dataset(&window).excluded().len()), (rows, 0));
}

#[test]
fn class_weights_stand_in_a_column() {
    let (home, path) = questions();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Balance);
    window.click("Rule: equal");
    window.click("leave the rows");
    window.click("Add as sample weights");
    let rows = dataset(&window).rows();
    let field = dataset(&window).field("sample_weight").unwrap();
    let weight = dataset(&window).number(field, SampleId(0)).unwrap();
    assert!((weight - rows as f64 / (4.0 * 90.0)).abs() < 1e-5, "{weight}");
    window.key(Key::U);
    assert!(dataset(&window).field("sample_weight").is_none());
}

#[test]
fn what_is_made_follows_its_parent_through_a_split() {
    let (home, path) = questions();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Augment);
    add(&mut window);
    let source = dataset(&window).base.rows;
    window.view(View::Split);
    window.click_part("Split ");
    window.settle();
    let split = dataset(&window).with_role(|role| role == lapidary::data::Role::Split);
    if split.is_none() {
        let made = names(&window, "Apply").into_iter().chain(names(&window, "Make")).collect::<Vec<_>>();
        panic!("no split was made: {made:?}");
    }
    let split = split.unwrap();
    let mut parts = std::collections::BTreeSet::new();
    for row in source..dataset(&window).rows() {
        let id = SampleId::at(row);
        let parent = dataset(&window).origins(id).unwrap().parent;
        let of_parent = dataset(&window).text(split, parent).unwrap().into_owned();
        let part = dataset(&window).text(split, id).map(|part| part.into_owned());
        // What was made counts where models are trained, and nowhere else.
        assert_eq!(part.as_deref(), (of_parent == "train").then_some("train"));
        parts.insert(of_parent);
    }
    assert_eq!(parts.len(), 3);
    // From now on, only the train part is offered.
    window.view(View::Augment);
    assert!(window.sees("training samples"));
}

#[test]
fn a_text_model_is_named_asked_and_what_it_writes_is_added() {
    let server = Server::start(|_, request| Reply::Text(marked(request)));
    let (home, path) = questions();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.view(View::Augment);
    let form = &mut window.harness.state_mut().state_mut().augment;
    form.pipeline.steps = vec![Step { p: 1.0, ..Step::new(Augmentation::Paraphrase) }];
    form.open = Some(0);
    window.settle();
    assert!(window.sees("names no text model") && window.sees("Name a text model"));
    window.click("Text model: choose");
    window.click("New…");
    assert!(window.sees("New text model"));
    // Another machine is asked only with leave, and an address alone says nothing.
    let mut form = window.harness.state_mut().state_mut().text_model.clone();
    (form.url, form.model) = ("api.example.com/v1".to_owned(), "large".to_owned());
    window.harness.state_mut().state_mut().text_model = form;
    window.settle();
    assert!(window.sees("leaves this machine for api.example.com"));
    window.click("Keep");
    assert!(window.sees("New text model"), "it is not kept without leave");
    window.click("Texts may be sent to api.example.com");
    assert_eq!(window.harness.state_mut().state_mut().text_model.allowed, "api.example.com");
    let form = &mut window.harness.state_mut().state_mut().text_model;
    (form.url, form.model) = (server.address.clone(), "tiny".to_owned());
    window.settle();
    assert!(window.sees("Texts stay on this machine."));
    window.click("Keep");
    assert!(!window.sees("New text model") && window.sees("Text model: tiny"));
    // The preview was asked for, and nothing else.
    let draws = names(&window, "Draw: ");
    assert!(draws.len() >= 6 && draws.iter().all(|draw| draw.contains(" indeed ")), "{draws:?}");
    let previewed = server.count();
    assert!(previewed <= 9, "{previewed}");
    assert!(window.sees("questions to tiny") && window.sees("Texts stay on this machine"));
    window.harness.state_mut().state_mut().augment.most_risk = 1.0;
    window.settle();
    let before = dataset(&window).rows();
    add(&mut window);
    assert_eq!(dataset(&window).made(), before);
    assert!(server.count() >= before && server.count() <= before + previewed, "{}", server.count());
    let field = dataset(&window).field("text").unwrap();
    assert!(dataset(&window).text(field, SampleId::at(before)).unwrap().contains(" indeed "));
    window.key(Key::U);
    assert_eq!(dataset(&window).made(), 0);
    // The settings hold the address, and no key.
    let kept = fs::read_to_string(home.path().join("config/settings.json")).unwrap();
    assert!(kept.contains(&server.address) && !kept.contains("\"key\""), "{kept}");
}

#[test]
fn a_server_that_has_no_answer_is_said_to_have_none() {
    let server = Server::start(|n, request| match n {
        0..9 => Reply::Status(404, "", "{\"error\": {\"message\": \"model not found, try pulling it\"}}".to_owned()),
        _ => Reply::Text(marked(request)),
    });
    let (home, path) = questions();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.harness.state_mut().state_mut().augment.pipeline.steps =
        vec![Step { p: 1.0, model: "tiny".to_owned(), ..Step::new(Augmentation::Paraphrase) }];
    window.view(View::Augment);
    assert!(window.sees("There is no text model"));
    let model = at("tiny", &server.address);
    window.harness.state_mut().push(Action::KeepTextModel { was: None, model, key: String::new() });
    window.settle();
    assert!(window.sees("try pulling it"));
    assert!(server.count() <= 2, "one error is enough, and one that was under way with it: {}", server.count());
    for _ in 0..12 {
        if window.sees("try pulling it") {
            window.click("Ask");
        }
    }
    assert!(names(&window, "Draw: ").iter().all(|draw| draw.contains(" indeed ")), "{:?}", names(&window, "Draw: "));
}

#[test]
fn a_pipeline_from_a_file_sends_nothing_unasked() {
    let server = Server::start(|_, request| Reply::Text(marked(request)));
    let (home, path) = questions();
    let file = home.path().join("theirs.json");
    fs::write(&file, r#"{"steps": [{"op": "paraphrase", "model": "far"}]}"#).unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), vec![file]);
    // Where nobody answers: by its number no address of this machine alone, and allowed before.
    let far = allowed("far", "http://0.0.0.0:9/v1");
    window.harness.state_mut().push(Action::KeepTextModel { was: None, model: far, key: String::new() });
    window.view(View::Augment);
    window.harness.state_mut().push(Action::PipelineDialog { save: false });
    window.settle();
    assert!(window.sees("came from a file, and would send texts to 0.0.0.0"));
    window.click("Ask");
    assert!(window.sees("nothing answers there"), "{:?}", names(&window, "far"));
    // Leave that is withdrawn ends it.
    let here = at("far", &server.address);
    window.harness.state_mut().push(Action::KeepTextModel { was: Some("far".to_owned()), model: here, key: String::new() });
    window.settle();
    assert!(names(&window, "Draw: ").iter().any(|draw| draw.contains(" indeed ")));
    window.harness.state_mut().push(Action::RemoveTextModel("far".to_owned()));
    window.settle();
    assert!(window.sees("There is no text model"));
    let asked = server.count();
    window.key(Key::R);
    assert_eq!(server.count(), asked);
}

#[test]
fn an_error_that_nobody_waits_for_holds_nobody_up() {
    let server = Server::start(|n, request| {
        if n < 2 {
            std::thread::sleep(std::time::Duration::from_millis(700));
            return Reply::Status(404, "", String::new());
        }
        Reply::Text(marked(request))
    });
    let (home, path) = questions();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    window.harness.state_mut().state_mut().augment.pipeline.steps =
        vec![Step { p: 1.0, model: "tiny".to_owned(), ..Step::new(Augmentation::Paraphrase) }];
    let model = at("tiny", &server.address);
    window.harness.state_mut().push(Action::KeepTextModel { was: None, model, key: String::new() });
    window.harness.state_mut().state_mut().view = View::Augment;
    for _ in 0..3_000 {
        window.harness.step();
        if server.count() >= 2 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    // While the first are under way, others are wanted.
    window.key(Key::R);
    // On a busy machine an answer may come after what looks like rest.
    let whole = |draws: &[String]| !draws.is_empty() && draws.iter().all(|draw| draw.contains(" indeed "));
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !whole(&names(&window, "Draw: ")) && std::time::Instant::now() < end {
        window.settle();
    }
    let draws = names(&window, "Draw: ");
    assert!(whole(&draws), "{draws:?}");
    assert!(!window.sees("has no answer"));
}

#[test]
fn the_steps_made_here_are_carried_out_on_a_folder() {
    let (home, path) = folder();
    let corpus = home.path().join("corpus");
    std::fs::create_dir_all(&corpus).unwrap();
    std::fs::write(
        corpus.join("1.csv"),
        "text,category\nWhere is my card?,card_arrival\nwhere is  my card?,card_arrival\nOther,x\n",
    )
    .unwrap();
    std::fs::write(corpus.join("2.csv"), "text,category\nWHERE IS MY CARD?,card_arrival\nLast,x\n").unwrap();
    let mut window = Window::new(Begin::File(path), home.path(), vec![home.path().join("clean"), corpus]);
    window.settle();
    window.harness.state_mut().push(Action::Do(Operation::RenameClass {
        column: "category".to_owned(),
        from: "card_arrival".to_owned(),
        to: "delivery".to_owned(),
    }));
    window.settle();
    window.harness.state_mut().push(Action::Do(Operation::Unique(lapidary::operate::Unique::default())));
    window.settle();
    window.view(View::Export);
    window.click("Over a folder…");
    window.settle();
    let read = |name: &str| std::fs::read_to_string(home.path().join("clean").join(name)).unwrap();
    assert_eq!(read("1.csv"), "text,category\nWhere is my card?,delivery\nOther,x\n");
    assert_eq!(read("2.csv"), "text,category\nLast,x\n");
    assert!(read("recipe.json").contains("rename_class"));
    assert!(window.sees("3 samples of 5 samples"), "what came of it is said");
}
