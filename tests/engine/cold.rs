//! Texts beyond half of what a dataset may take lie on disk while they are open: they are the same as in memory, in every answer and in every byte that is saved.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// So little memory that the files here are beyond half of it, and their cells are not. In GiB.
const LITTLE: &str = "0.022";

fn program(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
    command.args(words).current_dir(folder).env("XDG_DATA_HOME", folder.join("data")).env("TMPDIR", folder).output().unwrap()
}

fn ok(folder: &Path, words: &[&str]) -> Vec<u8> {
    let output = program(folder, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What a run says, with little memory and with enough.
fn both(folder: &Path, words: &[&str]) -> [Vec<u8>; 2] {
    let cold = [words, &["--max-memory", LITTLE]].concat();
    [words, &cold[..]].map(|words| {
        let output = program(folder, words);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    })
}

/// Some 14 MB: quoted line ends, doubled quotes, long and short cells, letters of several bytes, some that are none.
fn table() -> Vec<u8> {
    let mut bytes = b"\xef\xbb\xbftext,label,note\r\n".to_vec();
    let filler = "wörter ohne Ende, 家 und 🏠; ".repeat(24);
    for row in 0..20_000 {
        let label = ["a short one", "a label of more than twelve letters", "ß"][row % 3];
        let text = match row % 5 {
            0 => format!("\"{filler}\nline two of {row}\""),
            1 => format!("\"he said \"\"{row}\"\", and {filler}\""),
            2 => format!("\"{filler}{row}\""),
            3 => format!("\"{}\"", "\"\"".repeat(200)),
            _ => format!("plain {row}"),
        };
        bytes.extend_from_slice(format!("{text},{label},{row}\r\n").as_bytes());
        if row % 7_001 == 3 {
            bytes.extend_from_slice(b"torn \xff here,a short one,x\r\n");
        }
    }
    bytes
}

/// The same as JSON Lines, with escapes.
fn lines() -> Vec<u8> {
    let filler = "wörter ohne Ende, 家 und 🏠; ".repeat(24);
    let row = |row: usize| {
        let text = match row % 4 {
            0 => format!("{filler}\\nline {row}"),
            1 => format!("\\\"{row}\\\" \\u00e4 {filler}"),
            2 => format!("{filler}{row}"),
            _ => format!("plain {row}"),
        };
        format!("{{\"text\": \"{text}\", \"label\": \"{}\", \"n\": {row}}}\n", ["one", "two of them, quite long"][row % 2])
    };
    (0..20_000).map(row).collect::<String>().into_bytes()
}

#[test]
fn a_text_on_disk_is_the_text_in_memory_and_comes_back_byte_for_byte() {
    for (name, bytes) in [("table.csv", table()), ("lines.jsonl", lines())] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        fs::write(folder.join(name), &bytes).unwrap();
        let said = both(folder, &["info", name, "--json"]);
        let [held, cold]: [Value; 2] = said.map(|said| serde_json::from_slice(&said).unwrap());
        assert_eq!((&held["aside"], &cold["aside"]), (&false.into(), &true.into()), "{name}");
        for part in ["rows", "columns", "classes", "warnings", "encoding"] {
            assert_eq!(held[part], cold[part], "{name}: {part}");
        }
        assert!(held["rows"].as_u64().unwrap() >= 20_000);
        // No edits: the same bytes.
        ok(folder, &["export", name, "--max-memory", LITTLE, "-o", &format!("same-{name}")]);
        assert!(fs::read(folder.join(format!("same-{name}"))).unwrap() == bytes, "{name}");
        // Edits made on the one stand on the other, and their saves are equal.
        ok(folder, &["relabel", name, "--rows", "3,4,19999", "--column", "label", "--to", "another", "--max-memory", LITTLE]);
        ok(folder, &["fix", name, "--repair", "blanks", "--max-memory", LITTLE]);
        ok(folder, &["export", name, "-o", &format!("held-{name}")]);
        ok(folder, &["export", name, "--max-memory", LITTLE, "-o", &format!("cold-{name}")]);
        let saved = ["held", "cold"].map(|how| fs::read(folder.join(format!("{how}-{name}"))).unwrap());
        assert!(saved[0] == saved[1] && saved[0] != bytes, "{name}");
        // Other formats, splits, what is found.
        for how in ["held", "cold"] {
            let out = format!("{how}-parts");
            let memory: &[&str] = if how == "cold" { &["--max-memory", LITTLE] } else { &[] };
            ok(folder, &[&["split", name, "--ratios", "80,20", "-o", &out][..], memory].concat());
        }
        for part in fs::read_dir(folder.join("held-parts")).unwrap() {
            let part = part.unwrap().file_name();
            let both = ["held-parts", "cold-parts"].map(|parts| fs::read(folder.join(parts).join(&part)).unwrap());
            assert!(both[0] == both[1], "{name}: {part:?}");
        }
        let said = both(folder, &["check", name, "--only", "duplicates,noise,class_names", "--json"]);
        let found = said.map(|said| serde_json::from_slice::<Value>(&said).unwrap()["findings"].clone());
        assert_eq!(found[0], found[1], "{name}");
        // Nothing is left in any folder.
        let left: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn packed_texts_lie_on_disk_too_and_other_encodings_say_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    // What does not pack well: digits by chance.
    let row = |row: u64| {
        let digits = (0..120)
            .map(|n| format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&(row * 1_000 + n).to_le_bytes())))
            .collect::<Vec<_>>()
            .concat();
        format!("{digits},{}\n", ["one", "two"][row as usize % 2])
    };
    let bytes = format!("text,label\n{}", (0..7_000).map(row).collect::<String>()).into_bytes();
    fs::write(folder.join("table.csv"), &bytes).unwrap();
    fs::write(folder.join("table.csv.zst"), zstd::encode_all(&bytes[..], 1).unwrap()).unwrap();
    let held: Value = serde_json::from_slice(&ok(folder, &["info", "table.csv", "--json"])).unwrap();
    let cold: Value = serde_json::from_slice(&ok(folder, &["info", "table.csv.zst", "--json", "--max-memory", LITTLE])).unwrap();
    assert_eq!(cold["aside"], true);
    assert_eq!((&held["rows"], &held["classes"], &held["warnings"]), (&cold["rows"], &cold["classes"], &cold["warnings"]));
    ok(folder, &["export", "table.csv.zst", "--max-memory", LITTLE, "-o", "again.csv"]);
    assert!(fs::read(folder.join("again.csv")).unwrap() == bytes);
    // The places of its rows alone are too many here, and that is said.
    let said = program(folder, &["info", "table.csv", "--max-memory", "0.00004"]);
    assert!(!said.status.success() && String::from_utf8_lossy(&said.stderr).contains("--max-memory"));
    // A text in another encoding is held or refused, with the remedy.
    let wide: Vec<u8> = String::from_utf8_lossy(&bytes).encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(folder.join("wide.csv"), wide).unwrap();
    let said = program(folder, &["info", "wide.csv", "--max-memory", LITTLE]);
    assert!(!said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("UTF-8") && said.trim().lines().count() == 1, "{said}");
    // A folder for copies that has no room, or is none, is named.
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
    command.args(["info", "table.csv", "--max-memory", "0.012"]).current_dir(folder).env("LAPIDARY_ASIDE", folder.join("none"));
    let said = command.output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("LAPIDARY_ASIDE") && said.contains("lapidary run"), "{said}");
    // What just fits into memory is held where there is no room for it on disk.
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
    command
        .args(["info", "table.csv", "--json", "--max-memory", LITTLE])
        .current_dir(folder)
        .env("LAPIDARY_ASIDE", folder.join("none"));
    let said: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(said["aside"], false);
}

#[test]
fn tables_and_lines_as_people_have_them_are_the_same_on_disk() {
    let Some(shared) = super::trainers::shared("data") else { return };
    let mut left = vec![shared.join("field"), shared.join("bad"), shared.join("llamafactory_demo")];
    let home = tempfile::tempdir().unwrap();
    let mut compared = 0;
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
            let size = fs::metadata(&path).unwrap().len();
            if !matches!(ending.as_str(), "csv" | "tsv" | "json" | "jsonl" | "txt") || size < 2_000 {
                continue;
            }
            // Beyond half of the memory by a little: rows fit, where they are not very short.
            let memory = format!("{:.9}", size as f64 * 1.9 / f64::from(1 << 30));
            let path = path.to_str().unwrap();
            let info = |more: &[&str]| {
                let out = program(home.path(), &[&["info", path, "--no-project", "--json"][..], more].concat());
                (out.status.success(), serde_json::from_slice::<Value>(&out.stdout).unwrap_or_default())
            };
            let (held, cold) = (info(&[]), info(&["--max-memory", &memory]));
            if !held.0 || !cold.0 || cold.1["aside"] != true {
                continue;
            }
            for part in ["rows", "columns", "classes", "warnings"] {
                assert_eq!(held.1[part], cold.1[part], "{path}: {part}");
            }
            // Every cell, as JSON Lines.
            let saved = |name: &str, more: &[&str]| {
                let to = home.path().join(name);
                let words =
                    [&["export", path, "--no-project", "--format", "jsonl", "-o", to.to_str().unwrap()][..], more].concat();
                ok(home.path(), &words);
                let bytes = fs::read(&to).unwrap();
                fs::remove_file(&to).unwrap();
                bytes
            };
            let cells = [saved("held.out", &[]), saved("cold.out", &["--max-memory", &memory])];
            assert!(cells[0] == cells[1], "{path}");
            compared += 1;
        }
    }
    println!("{compared} files compared");
    assert!(compared > 10, "{compared}");
}
