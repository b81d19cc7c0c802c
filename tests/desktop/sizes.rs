//! Every view at every size of window and of letters: nothing panics, whatever little room there is and whatever is open.

use std::fs;
use std::path::PathBuf;

use crate::support::{Window, folder};
use egui::{Key, vec2};
use lapidary::app::Begin;
use lapidary::ui::View;
use tempfile::TempDir;

const SIZES: [(f32, f32); 8] = [
    (1.0, 1.0),
    (120.0, 90.0),
    (320.0, 240.0),
    (640.0, 360.0),
    (480.0, 1_200.0),
    (1_280.0, 720.0),
    (1_920.0, 200.0),
    (3_840.0, 2_160.0),
];
const ZOOMS: [f32; 4] = [0.5, 1.0, 2.0, 4.0];

fn file(name: &str, text: String) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(name);
    fs::write(&path, text).unwrap();
    (home, path)
}

fn every_view_at_every_size((home, path): (TempDir, PathBuf)) {
    let mut window = Window::new(Begin::File(path), home.path(), Vec::new());
    for zoom in ZOOMS {
        window.harness.ctx.set_zoom_factor(zoom);
        for (wide, tall) in SIZES {
            window.harness.set_size(vec2(wide, tall));
            for view in View::all() {
                window.harness.state_mut().state_mut().view = view;
                window.harness.run_steps(2);
                window.harness.key_press(Key::J);
                window.harness.run_steps(2);
            }
        }
    }
    window.settle();
}

#[test]
fn a_usual_dataset() {
    every_view_at_every_size(folder());
}

#[test]
fn one_row_of_nothing() {
    every_view_at_every_size(file("small.csv", "a\n\n".to_owned()));
}

#[test]
fn many_columns_and_long_names() {
    let names: Vec<String> =
        (0..60).map(|n| format!("{}{n}", "a very long name of a column, with commas ".repeat(1 + n % 7))).collect();
    let mut text = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    for row in 0..40 {
        text.push('\n');
        let cells: Vec<String> =
            (0..60).map(|n| if n % 3 == 0 { format!("{}", row * n) } else { "\u{202e}long ".repeat(n * row % 90) }).collect();
        text.push_str(&cells.join(","));
    }
    every_view_at_every_size(file("wide.csv", text));
}

#[test]
fn conversations_and_classes_of_one() {
    let text: String = (0..30)
        .map(|n| format!("{{\"messages\": [{{\"role\": \"user\", \"content\": \"question {n}\"}}, {{\"role\": \"assistant\", \"content\": \"answer\"}}], \"label\": \"class {n}\"}}\n"))
        .collect();
    every_view_at_every_size(file("chat.jsonl", text));
}
