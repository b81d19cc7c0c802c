//! By keys alone: every control has a place in the order of Tab, and a day's work needs no pointer.

use std::fs;

use egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT as _;
use lapidary::app::Begin;

use lapidary::ui::View;

use crate::support::{Window, folder};

/// What has the keyboard: its name, by its place.
fn focused(window: &Window) -> Option<String> {
    let node = window.harness.root().children_recursive().find(|node| node.accesskit_node().is_focused())?;
    let node = node.accesskit_node();
    let place = node.bounding_box().map_or(String::new(), |at| format!("{:.0},{:.0}", at.x0, at.y0));
    Some(format!("{}{} at {place}", node.label().unwrap_or_default(), node.value().unwrap_or_default()))
}

/// Presses Tab until a control with this name has the keyboard.
fn tab_to(window: &mut Window, name: &str) {
    for _ in 0..300 {
        if focused(window).is_some_and(|focused| focused.starts_with(name)) {
            return;
        }
        window.harness.key_press(Key::Tab);
        window.harness.run_steps(2);
    }
    panic!("Tab does not lead to {name:?}; it is at {:?}", focused(window));
}

#[test]
fn tab_leads_to_every_control_that_acts() {
    let (home, path) = folder();
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    for view in View::all() {
        window.harness.state_mut().state_mut().view = view;
        window.settle();
        let acts = |window: &Window| -> Vec<String> {
            let nodes = window.harness.root().children_recursive();
            let usable = nodes.filter(|node| {
                let node = node.accesskit_node();
                let acts = node.data().supports_action(egui::accesskit::Action::Click);
                // Text that can be chosen is none; and the number beside a slider is a field of text as soon as Tab is on it.
                use egui::accesskit::Role as What;
                let says = matches!(node.role(), What::ScrollBar | What::Label | What::SpinButton);
                acts && !node.is_disabled() && !says
            });
            usable
                .map(|node| {
                    let node = node.accesskit_node();
                    let place = node.bounding_box().map_or(String::new(), |at| format!("{:.0},{:.0}", at.x0, at.y0));
                    format!("{}{} at {place}", node.label().unwrap_or_default(), node.value().unwrap_or_default())
                })
                .collect()
        };
        let all = acts(&window);
        let mut met: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
        for _ in 0..all.len() * 2 + 40 {
            window.harness.key_press(Key::Tab);
            window.harness.run_steps(1);
            met.extend(focused(&window));
        }
        // A number that is typed into is called otherwise meanwhile: it is told by its place.
        let place = |name: &String| name.rsplit(" at ").next().unwrap_or_default().to_owned();
        let met: std::collections::BTreeSet<String> = met.iter().map(place).collect();
        // Where it is typed into it is as wide as what is typed.
        let near = |name: &&String| {
            let at =
                |place: &str| place.split_once(',').and_then(|(x, y)| Some((x.parse::<f32>().ok()?, y.parse::<f32>().ok()?)));
            let here = at(&place(name));
            let beside =
                |other: &String| here.zip(at(other)).is_some_and(|((x, y), (a, b))| (x - a).abs() < 60.0 && (y - b).abs() < 3.0);
            met.iter().any(beside)
        };
        let missed: Vec<&String> = all.iter().filter(|name| !near(name)).collect();
        assert!(missed.is_empty(), "{view:?}: Tab never comes to {missed:?} of {} controls", all.len());
        window.key(Key::Escape);
    }
}

#[test]
fn a_days_work_is_done_by_keys_alone() {
    let (home, path) = folder();
    let text =
        fs::read_to_string(&path).unwrap().replacen("I am still waiting on my card?", "I am still waiting on my cafÃ© card?", 1);
    fs::write(&path, text).unwrap();
    let mut window = Window::new(Begin::Start, home.path(), Vec::new());
    // Opened by a path.
    window.ctrl(Key::O);
    window.type_text(&path.display().to_string());
    window.key(Key::Enter);
    assert!(window.sees("59 samples"));
    // Filtered by a condition as one says it, and kept under a name.
    window.ctrl(Key::F);
    window.type_text("priority >= 4");
    window.key(Key::Enter);
    let visible = window.harness.state().session().visible().len();
    assert!(visible > 0 && visible < 59, "{visible}");
    // The first is given another class by its digit, the next tagged, the third noted.
    window.key(Key::J);
    let first = window.harness.state_mut().state_mut().selection.cursor.unwrap();
    let was = window.cell(first.0, "category");
    window.key(if was == "age_limit" { Key::Num2 } else { Key::Num1 });
    assert_ne!(window.cell(first.0, "category"), was);
    window.key(Key::U);
    assert_eq!(window.cell(first.0, "category"), was);
    window.key(Key::T);
    window.type_text("look again");
    window.key(Key::Enter);
    window.key(Key::Enter);
    window.key(Key::N);
    window.type_text("ask the bank");
    window.ctrl(Key::Enter);
    window.key(Key::Escape);
    window.key(Key::Escape);
    window.key(Key::Escape);
    // The filter is let go of, and gone back to.
    let left = window.harness.state().session().visible().len();
    window.harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
    window.settle();
    assert_ne!(window.harness.state().session().visible().len(), left);
    // Clean, by Tab to its line on the rail: mended, kept, excluded.
    tab_to(&mut window, "Clean");
    window.key(Key::Enter);
    window.key(Key::Escape);
    tab_to(&mut window, "Wrong encoding, ");
    window.key(Key::Enter);
    window.key(Key::Escape);
    window.key(Key::J);
    window.key(Key::R);
    assert!(window.cell(0, "text").contains("café"), "{}", window.cell(0, "text"));
    // Labels: one is accepted or kept.
    window.ctrl(Key::L);
    window.key(Key::Space);
    // Balanced and augmented to look at, split by the button that Tab comes to.
    window.ctrl(Key::B);
    window.ctrl(Key::M);
    window.key(Key::R);
    tab_to(&mut window, "Split");
    window.key(Key::Enter);
    tab_to(&mut window, "Split 59 samples");
    window.key(Key::Enter);
    window.settle();
    assert!(window.harness.state().workspace().unwrap().dataset().field("split").is_some());
    // Saved under the name that is offered.
    window.ctrl(Key::E);
    tab_to(&mut window, "Save…");
    window.key(Key::Enter);
    window.key(Key::Enter);
    let saved = fs::read_to_string(home.path().join("tickets-clean.csv")).unwrap();
    assert!(
        saved.contains("café card") && saved.contains("ask the bank") && saved.lines().next().unwrap().contains("split"),
        "{}",
        saved.lines().next().unwrap()
    );
}
