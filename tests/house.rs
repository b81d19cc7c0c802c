//! Holds the rules of the house by reading `src/`: who may use whom, who may touch what, and tidiness.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
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
    // A workspace of its own, which the program does not hold: it hands tasks to another engine, and opens what it is told to.
    found.retain(|(path, _)| !path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().starts_with("src/cluster"));
    found
}

/// A file's path below `src/`, or below the package there that it is of.
fn below(path: &Path) -> &Path {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    PACKAGES.iter().find_map(|package| below.strip_prefix(package).ok()).unwrap_or(below)
}

/// The packages below `src/`, the lower first.
const PACKAGES: [&str; 2] = ["kernel", "engine"];

/// The room that a file stands in: the first part of its path.
fn room(path: &Path) -> String {
    let below = below(path);
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without its tests and comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// `main → {app, cli} → ui → action → session → passes → operate → {checks, transform, eye, train, monitor, collect} → derive → io → edit → data → learn → {pixels, writing, trainers} → {render, tokens} → {job, chance}`
fn may_use(room: &str) -> Vec<&'static str> {
    // From left to right; rooms of one step do not use each other.
    let steps: [&[&str]; 16] = [
        &["main", "lib"],
        &["app", "cli"],
        &["ui"],
        &["action"],
        &["session"],
        &["passes"],
        &["operate"],
        &["checks", "transform", "eye", "train", "monitor", "collect"],
        &["derive"],
        &["io"],
        &["edit"],
        &["data"],
        &["learn"],
        &["pixels", "writing", "trainers"],
        &["render", "tokens"],
        &["job", "chance"],
    ];
    let step = steps.iter().position(|rooms| rooms.contains(&room));
    let step = step
        .unwrap_or_else(|| panic!("the room {room:?} has no place in the house yet: give it one here and in ARCHITECTURE.md"));
    steps[step + 1..].iter().flat_map(|rooms| rooms.iter().copied()).filter(|other| !(room == "cli" && *other == "ui")).collect()
}

/// Every path that a file's `use`s name, groups written out: `use crate::{a, b::c}` is `crate::a` and `crate::b::c`. With it, whether it is passed on.
fn imports(text: &str) -> Vec<(String, bool)> {
    fn leaves(before: &str, tree: &str, out: &mut Vec<String>) {
        let tree = tree.trim();
        let Some((path, group)) = tree.split_once('{') else {
            let name = tree.split(" as ").next().unwrap_or(tree).trim();
            return out.push(format!("{before}{name}"));
        };
        let group = group.trim_end().trim_end_matches('}');
        let before = format!("{before}{path}");
        let (mut depth, mut from) = (0, 0);
        for (at, letter) in group.char_indices().chain([(group.len(), ',')]) {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !group[from..at].trim().is_empty() {
                        // A group within: its own closing brace belongs to it.
                        leaves(&before, &group[from..at], out);
                    }
                    from = at + 1;
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    for statement in code(text).split(';') {
        let flat = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let begins = [" use ", "\u{1}use "].iter().find_map(|word| format!("\u{1}{flat}").rfind(word).map(|at| (at, word.len())));
        let Some((at, long)) = begins else { continue };
        let line = format!("\u{1}{flat}");
        let passed_on = line[..at].trim_end().ends_with("pub") || line[..at].trim_end().ends_with(')');
        let mut all = Vec::new();
        leaves("", &line[at + long..], &mut all);
        found.extend(all.into_iter().map(|path| (path.replace(' ', ""), passed_on)));
    }
    found
}

/// A file's place as a module: `io::read::json`.
fn module(path: &Path) -> String {
    let below = below(path).with_extension("");
    let mut parts: Vec<String> = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts.join("::")
}

/// `path`, as `here` names it, from the crate's root.
fn absolute(path: &str, here: &str) -> Option<String> {
    let mut base: Vec<&str> = here.split("::").filter(|part| !part.is_empty()).collect();
    let mut parts: Vec<&str> = path.split("::").collect();
    match parts[0] {
        "crate" => return Some(parts[1..].join("::")),
        "self" => drop(parts.remove(0)),
        "super" => {
            while parts.first() == Some(&"super") {
                base.pop();
                parts.remove(0);
            }
        }
        _ => return None,
    }
    base.extend(parts);
    Some(base.join("::"))
}

#[test]
fn no_two_files_need_each_other() {
    let all = sources();
    let modules: BTreeMap<String, &PathBuf> = all.iter().map(|(path, _)| (module(path), path)).collect();
    // The module that a path leads into, and what is left of it.
    let resolve = |path: &str| -> Option<(String, String)> {
        let parts: Vec<&str> = path.split("::").collect();
        (1..=parts.len()).rev().find_map(|n| {
            let name = parts[..n].join("::");
            modules.contains_key(&name).then(|| (name, parts.get(n).unwrap_or(&"").to_string()))
        })
    };
    // What a folder's `mod.rs` passes on is the file's that it comes from.
    let mut passed_on: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let paths = |text: &str, here: &str| -> Vec<(String, bool)> {
        let own = |path: &str| modules.contains_key(&format!("{here}::{}", path.split("::").next().unwrap_or("")));
        let mut found: Vec<(String, bool)> =
            imports(text).into_iter().map(|(path, on)| (if own(&path) { format!("self::{path}") } else { path }, on)).collect();
        for start in ["crate::", "super::"] {
            let code = code(text);
            for (at, _) in code.match_indices(start) {
                let path: String = code[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
                found.push((path.trim_end_matches(':').to_owned(), false));
            }
        }
        found
    };
    for (path, text) in &all {
        let here = module(path);
        for (path, on) in paths(text, &here) {
            if let Some((from, name)) = on.then(|| absolute(&path, &here).and_then(|path| resolve(&path))).flatten() {
                passed_on.insert((here.clone(), name), from);
            }
        }
    }
    for (file, text) in &all {
        let here = module(file);
        for (path, on) in paths(text, &here) {
            if on && file.ends_with("mod.rs") {
                continue;
            }
            let Some((mut to, name)) = absolute(&path, &here).and_then(|path| resolve(&path)) else { continue };
            while let Some(from) = passed_on.get(&(to.clone(), name.clone())).filter(|from| **from != to) {
                to = from.clone();
            }
            // A folder's `mod.rs` is the whole that its files are parts of: they may name it.
            let whole = to.is_empty() || here.starts_with(&format!("{to}::"));
            if to != here && !whole {
                used.entry(here.clone()).or_default().insert(to);
            }
        }
    }
    // Whatever uses nothing of what is left, or is used by nothing of it, is taken away, until only circles are left.
    loop {
        let left: BTreeSet<String> = used.keys().cloned().collect();
        used.values_mut().for_each(|list| list.retain(|to| left.contains(to)));
        let wanted: BTreeSet<String> = used.values().flatten().cloned().collect();
        let before = used.len();
        used.retain(|name, list| !list.is_empty() && wanted.contains(name));
        if used.len() == before {
            break;
        }
    }
    assert!(used.is_empty(), "files that need each other: {used:#?}");
}

#[test]
fn a_module_uses_only_what_stands_to_its_right() {
    for (path, text) in sources() {
        let here = room(&path);
        let allowed = may_use(&here);
        let grouped = imports(&text).into_iter().map(|(path, _)| path).collect::<Vec<_>>().join("\n");
        for text in [&text, &grouped] {
            for (start, _) in text.match_indices("crate::") {
                let name: String = text[start + 7..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if name.is_empty() || name == here {
                    continue;
                }
                assert!(allowed.contains(&name.as_str()), "{} uses crate::{name}, which `{here}` may not", path.display());
            }
        }
    }
}

#[test]
fn packages_are_named_where_they_are_put_together() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.ends_with("lib.rs")) {
        for package in PACKAGES {
            let name = format!("lapidary_{package}");
            assert!(!code(&text).contains(&name), "{} names {name}: a room is called by its own name", path.display());
        }
    }
}

#[test]
fn one_name_has_one_meaning_and_a_function_fits_a_screen_or_two() {
    let mut types: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (path, text) in sources() {
        let code = code(&text);
        for line in code.lines() {
            let mut words = line.split_whitespace();
            if !line.starts_with("pub ") || !matches!(words.nth(1), Some("struct" | "enum" | "trait" | "type")) {
                continue;
            }
            let name: String =
                words.next().unwrap_or_default().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if let Some(other) = types.insert(name.clone(), path.clone()) {
                panic!("{name} means one thing in {} and another in {}", other.display(), path.display());
            }
        }
        let lines: Vec<&str> = text.split("#[cfg(test)]").next().unwrap_or_default().lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let trimmed = line.trim_start();
            let indent = line.len() - trimmed.len();
            let words: Vec<&str> = trimmed.split_whitespace().take(4).collect();
            if !words.contains(&"fn") || trimmed.starts_with("//") {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let long = lines[at..].iter().position(|line| *line == end).map_or(0, |n| n + 1);
            assert!(long <= 100, "{}:{} has a function of {long} lines", path.display(), at + 1);
        }
    }
}

#[test]
fn the_window_is_a_session_and_a_screen() {
    let (mut fields, mut methods) = (0, 0);
    for (_, text) in sources().into_iter().filter(|(path, _)| room(path) == "app") {
        let mut within = "";
        for line in code(&text).lines() {
            match line {
                "pub struct App {" => within = "fields",
                "impl App {" | "impl eframe::App for App {" => within = "methods",
                "}" => within = "",
                _ => {}
            }
            let own = line.starts_with("    ") && !line.starts_with("     ");
            fields += usize::from(within == "fields" && own);
            let words: Vec<&str> = line.split_whitespace().take(3).collect();
            methods += usize::from(within == "methods" && own && words.contains(&"fn"));
        }
    }
    assert!((1..=12).contains(&fields) && (1..=40).contains(&methods), "App has {fields} fields and {methods} methods");
}

#[test]
fn each_power_stays_in_its_room() {
    let rules: [(&[&str], &[&str]); 7] = [
        (&["egui::", "eframe::", "rfd::"], &["app", "ui", "main"]),
        (&["&mut Workspace"], &["session", "app", "cli"]),
        // Only io makes one, and only of an address that is allowed.
        (&["Endpoint::new"], &["io"]),
        (&["std::fs", "fs::read", "fs::write", "File::open", "File::create"], &["io", "edit", "app"]),
        (&["thread::spawn", "thread::Builder", "thread::scope"], &["job"]),
        (&["Color32::from_rgb(", "Color32::RED", "Color32::WHITE", "Color32::BLACK"], &["theme"]),
        (&["println!", "print!("], &[]),
    ];
    for (path, text) in sources() {
        // Grouped imports count as if they were written out, and names that were imported as if they were called by their whole path.
        let grouped: Vec<String> = imports(&text).into_iter().map(|(path, _)| format!("{path}::")).collect();
        let (here, code) = (room(&path), format!("{}\n{}", code(&text), grouped.join("\n")));
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
    for (path, text) in sources().into_iter().filter(|(path, _)| {
        matches!(room(path).as_str(), "checks" | "transform" | "derive" | "learn" | "data" | "pixels" | "writing")
    }) {
        for word in [
            "SystemTime",
            "Instant",
            "std::fs",
            "std::net",
            "rand::rng()",
            "thread_rng",
            "from_os_rng",
            "std::env",
            "StdRng",
            "SmallRng",
        ] {
            assert!(!code(&text).contains(word), "{} has {word}: what it needs is an argument", path.display());
        }
    }
}

#[test]
fn named_files_alone_can_open_a_connection() {
    const MAY: [(&str, &str); 3] =
        [("ureq", "io/models/endpoint.rs"), ("postgres::", "io/databases/postgres.rs"), ("mysql::", "io/databases/mysql.rs")];
    for (path, text) in sources() {
        for word in ["TcpStream", "UdpSocket", "TcpListener", "http://", "https://", "ureq", "postgres::", "mysql::"] {
            // A room's own module may be called like the library that it alone uses.
            let may = MAY.iter().any(|(known, file)| *known == word && path.ends_with(file))
                || path.ends_with("io/databases/mod.rs") && word != "ureq" && !code(&text).contains(&format!("use {word}"));
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
        // A mapping of a file that nobody else has is all that is not safe.
        let may = path.ends_with("io/read/aside.rs");
        assert!(may || !text.contains("unsafe {") && !text.contains("allow(unsafe_code)"), "{} is not safe", path.display());
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
