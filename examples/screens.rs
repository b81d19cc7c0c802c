//! Writes a picture of every view in both themes, on real data: `cargo run --example screens -- DIR [DATASET [VIEW,…]]`.
//!
//! The pictures are for looking at, beside the drawings of the design: alignment, spacing, contrast, cut text.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use egui_kittest::Harness;
use lapidary::app::{App, Begin, Folders, Scripted};
use lapidary::session::Visible;
use lapidary::ui::{Popup, ReviewTab, View};

fn settle(harness: &mut Harness<'_, App>) {
    for _ in 0..600 {
        harness.step();
        if !harness.state().is_busy() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    harness.run_steps(4);
}

fn picture(harness: &mut Harness<'_, App>, path: &Path) {
    settle(harness);
    match harness.render() {
        Ok(image) => image.save(path).expect("the picture can be written"),
        Err(error) => panic!("{error}: a Vulkan driver is needed (Debian: mesa-vulkan-drivers)"),
    }
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "screens".to_owned()));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let folders = Folders::within(home.path());
    let begin =
        Begin::File(std::env::args().nth(2).map_or_else(|| folders.unpack_sample(0).expect("the sample unpacks"), PathBuf::from));
    let mut harness = Harness::builder()
        .with_size([1440.0, 900.0])
        .allow_missing_glyphs()
        .wgpu()
        .build_eframe(|creation| App::new(&creation.egui_ctx, begin, folders, Box::new(Scripted::default())));
    settle(&mut harness);
    let rows = harness.state().workspace().map_or(0, |workspace| workspace.dataset().rows());
    harness.state_mut().state_mut().selection.go(&Visible::All(rows), 4);
    for dark in [true, false] {
        harness.state_mut().state_mut().dark = dark;
        let theme = if dark { "dark" } else { "light" };
        let only: Option<Vec<String>> = std::env::args().nth(3).map(|list| list.split(',').map(str::to_lowercase).collect());
        let wanted = |view: &View| only.as_ref().is_none_or(|only| only.contains(&view.title().to_lowercase()));
        for view in View::all().filter(wanted) {
            harness.state_mut().state_mut().view = view;
            picture(&mut harness, &folder.join(format!("{}-{theme}.png", view.title().to_lowercase())));
        }
        if wanted(&View::Augment) {
            // A step open, samples made, and the same in a small window.
            harness.state_mut().state_mut().view = View::Augment;
            harness.state_mut().state_mut().augment.open = Some(0);
            if dark {
                harness.state_mut().push(lapidary::action::Action::Augment);
            }
            picture(&mut harness, &folder.join(format!("augment-open-{theme}.png")));
            harness.set_size(egui::vec2(1024.0, 640.0));
            picture(&mut harness, &folder.join(format!("augment-small-{theme}.png")));
            harness.state_mut().state_mut().view = View::Balance;
            picture(&mut harness, &folder.join(format!("balance-small-{theme}.png")));
            harness.set_size(egui::vec2(1440.0, 900.0));
            harness.state_mut().state_mut().view = View::Explore;
            let made = harness.state().workspace().map_or(0, |workspace| workspace.dataset().base.rows);
            let rows = harness.state().workspace().map_or(0, |workspace| workspace.dataset().rows());
            harness.state_mut().state_mut().selection.go(&Visible::All(rows), made + 3);
            harness.state_mut().state_mut().table.follow = true;
            picture(&mut harness, &folder.join(format!("made-{theme}.png")));
            harness.state_mut().state_mut().augment.open = None;
        }
        if only.is_some() {
            continue;
        }
        let review = |harness: &mut Harness<'_, App>, tab, preview| {
            let state = harness.state_mut().state_mut();
            (state.view, state.review.tab, state.review.preview) = (View::Label, tab, preview);
        };
        review(&mut harness, ReviewTab::Noise, false);
        picture(&mut harness, &folder.join(format!("noise-{theme}.png")));
        review(&mut harness, ReviewTab::Queue, true);
        picture(&mut harness, &folder.join(format!("preview-{theme}.png")));
        review(&mut harness, ReviewTab::Queue, false);
        harness.set_size(egui::vec2(1024.0, 640.0));
        picture(&mut harness, &folder.join(format!("label-small-{theme}.png")));
        harness.set_size(egui::vec2(1440.0, 900.0));
        harness.state_mut().state_mut().view = View::Explore;
        for (popup, name) in [(Popup::Palette, "palette"), (Popup::Class, "class"), (Popup::Keys, "keys")] {
            harness.state_mut().state_mut().pop(popup);
            picture(&mut harness, &folder.join(format!("{name}-{theme}.png")));
            harness.state_mut().state_mut().popup = None;
        }
        harness.set_size(egui::vec2(1024.0, 640.0));
        picture(&mut harness, &folder.join(format!("small-{theme}.png")));
        harness.set_size(egui::vec2(1440.0, 900.0));
    }
    harness.state_mut().push(lapidary::action::Action::Close);
    for dark in [true, false] {
        harness.state_mut().state_mut().dark = dark;
        picture(&mut harness, &folder.join(format!("start-{}.png", if dark { "dark" } else { "light" })));
    }
}
