//! Holds the rules of the house by reading `src/`: who may use whom, who may touch what, and tidiness.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// The room that a file stands in: the first part of its path below `src/`.
fn room(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without its tests and comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// `main → {app, cli} → ui → action → session → operate → {checks, transform} → derive → io → learn → edit → data → pixels → job → chance`
fn may_use(room: &str) -> Vec<&'static str> {
    // From left to right; rooms of one step do not use each other.
    let steps: [&[&str]; 14] = [
        &["main", "lib"],
        &["app", "cli"],
        &["ui"],
        &["action"],
        &["session"],
        &["operate"],
        &["checks", "transform"],
        &["derive"],
        &["io"],
        &["learn"],
        &["edit"],
        &["data"],
        &["pixels"],
        &["job", "chance"],
    ];
    let step = steps.iter().position(|rooms| rooms.contains(&room));
    let step = step
        .unwrap_or_else(|| panic!("the room {room:?} has no place in the house yet: give it one here and in ARCHITECTURE.md"));
    steps[step + 1..].iter().flat_map(|rooms| rooms.iter().copied()).filter(|other| !(room == "cli" && *other == "ui")).collect()
}

#[test]
fn a_module_uses_only_what_stands_to_its_right() {
    for (path, text) in sources() {
        let here = room(&path);
        let allowed = may_use(&here);
        for (start, _) in text.match_indices("crate::") {
            let name: String = text[start + 7..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if name.is_empty() || name == here {
                continue;
            }
            assert!(allowed.contains(&name.as_str()), "{} uses crate::{name}, which `{here}` may not", path.display());
        }
    }
}

#[test]
fn each_power_stays_in_its_room() {
    let rules: [(&[&str], &[&str]); 7] = [
        (&["egui::", "eframe::", "rfd::"], &["app", "ui", "main"]),
        (&["&mut Workspace"], &["app", "cli", "session"]),
        // Only io makes one, and only of an address that is allowed.
        (&["Endpoint::new"], &["io"]),
        (&["std::fs", "fs::read", "fs::write", "File::open", "File::create"], &["io", "edit", "app"]),
        (&["std::thread::spawn", "thread::Builder", "thread::scope"], &["job"]),
        (&["Color32::from_rgb(", "Color32::RED", "Color32::WHITE", "Color32::BLACK"], &["theme"]),
        (&["println!", "print!("], &[]),
    ];
    for (path, text) in sources() {
        let (here, code) = (room(&path), code(&text));
        for (words, rooms) in &rules {
            // The gem is cut from the accent in several lights: the one colour that is computed.
            let theme = path.ends_with("ui/theme.rs") || path.ends_with("ui/shell.rs");
            if rooms.contains(&here.as_str()) || (rooms.contains(&"theme") && theme) {
                continue;
            }
            for word in *words {
                assert!(!code.contains(word), "{} has {word}, which belongs to {rooms:?}", path.display());
            }
        }
    }
}

#[test]
fn what_computes_is_pure() {
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| matches!(room(path).as_str(), "checks" | "transform" | "derive" | "learn" | "data" | "pixels"))
    {
        for word in ["SystemTime", "Instant", "std::fs", "std::net", "rand::rng()", "thread_rng", "from_os_rng", "std::env"] {
            assert!(!code(&text).contains(word), "{} has {word}: what it needs is an argument", path.display());
        }
    }
}

#[test]
fn one_file_alone_can_open_a_connection() {
    for (path, text) in sources() {
        for word in ["TcpStream", "UdpSocket", "TcpListener", "http://", "https://", "ureq"] {
            let may = word == "ureq" && path.ends_with("io/endpoint.rs");
            assert!(may || !code(&text).contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn the_house_is_tidy() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 800, "{} has {lines} lines: it is more than one idea", path.display());
        assert!(text.starts_with("//!"), "{} does not say what it is on top", path.display());
        for word in ["todo!(", "unimplemented!(", "dbg!("] {
            assert!(!code(&text).contains(word), "{} has {word}", path.display());
        }
        let name = path.file_stem().unwrap().to_string_lossy().to_lowercase();
        for word in ["manager", "helper", "util", "info", "handler", "common", "misc"] {
            assert!(!name.contains(word), "{}: a name that says nothing", path.display());
        }
    }
}

#[test]
fn the_command_line_never_needs_the_screen() {
    for (path, text) in sources().into_iter().filter(|(path, _)| room(path) == "cli") {
        assert!(!text.contains("crate::ui"), "{} uses the screen", path.display());
    }
}
