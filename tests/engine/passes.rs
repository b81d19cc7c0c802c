//! Recipes carried out file by file: the same rows and bytes however the work is cut and whoever does it, also after a kill; what cannot be done so is said.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lapidary::chance::Chance;
use serde_json::{Value, json};

use super::train::Place;

/// Rows with copies, near copies and line breaks; by number, so that files may be cut anywhere.
fn rows(n: usize) -> Vec<(String, String)> {
    let mut chance = Chance::new(7);
    let words = [
        "card", "transfer", "money", "account", "please", "today", "where", "pending", "refund", "cash", "why", "my", "new",
        "bank", "fee", "lost",
    ];
    let mut list: Vec<(String, String)> = Vec::new();
    for at in 0..n {
        let text = match at % 10 {
            7 if at > 20 => list[chance.below(at)].0.to_uppercase(),
            8 if at > 20 => format!("{} indeed", list[chance.below(at)].0),
            9 => format!("noise {at}\nsecond, \"line\""),
            _ => {
                (0..12).map(|_| words[chance.below(words.len())]).collect::<Vec<_>>().join(" ")
                    + &format!(" n{}", chance.below(5_000))
            }
        };
        list.push((text, ["a", "b", "c"][at % 3].to_owned()));
    }
    list
}

fn csv(rows: &[(String, String)]) -> String {
    let cell =
        |text: &str| if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() };
    let lines: String = rows.iter().map(|(text, label)| format!("{},{label}\n", cell(text))).collect();
    format!("text,label\n{lines}")
}

/// A recipe of given operations.
fn recipe(place: &Place, operations: &[Value]) -> PathBuf {
    let steps: Vec<Value> = operations
        .iter()
        .map(|operation| {
            let all = operation.get("replace").is_some();
            json!({"words": operation.as_object().unwrap().keys().next(), "operation": operation, "all": all})
        })
        .collect();
    let path = place.path("recipe.json");
    std::fs::write(&path, json!({"lapidary": 1, "steps": steps}).to_string()).unwrap();
    path
}

fn unique(near: f64) -> Value {
    json!({"unique": {"same": 2, "near": near}})
}

fn split() -> Value {
    json!({"split": {"method": {"hash": "content"}, "parts": [["train", 0.8], ["test", 0.2]], "seed": 5, "together": false}})
}

/// Every file below a folder with its bytes, but for what says when it was read.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_dir() {
                walk(&path, root, out);
            } else if !name.ends_with("lapidary-run.json") {
                out.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(folder, folder, &mut out);
    out
}

/// A folder of shards: two CSV files below folders, one of JSON Lines.
fn corpus(place: &Place, list: &[(String, String)]) {
    let third = list.len() / 3;
    std::fs::create_dir_all(place.path("corpus/b")).unwrap();
    std::fs::write(place.path("corpus/a.csv"), csv(&list[..third])).unwrap();
    std::fs::write(place.path("corpus/b/c.csv"), csv(&list[third..third * 2])).unwrap();
    let lines: String =
        list[third * 2..].iter().map(|(text, label)| json!({"text": text, "label": label}).to_string() + "\n").collect();
    std::fs::write(place.path("corpus/z.jsonl"), lines).unwrap();
    std::fs::write(place.path("corpus/notes.md"), "no table").unwrap();
}

/// The words of a text in pairs, each once.
fn pairs(text: &str) -> HashSet<(String, String)> {
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.windows(2).map(|two| (two[0].clone(), two[1].clone())).collect()
}

/// By hand: the first of each text but for case and blanks, then the first of each group of near ones.
fn first_of_each(list: &[(String, String)], near: f64) -> Vec<usize> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut seen = HashSet::new();
    let kept: Vec<usize> = (0..list.len()).filter(|at| seen.insert(plain(&list[*at].0))).collect();
    let sets: Vec<HashSet<(String, String)>> = kept.iter().map(|at| pairs(&list[*at].0)).collect();
    let mut of: Vec<usize> = (0..kept.len()).collect();
    let root = |of: &[usize], mut at: usize| {
        while of[at] != at {
            at = of[at];
        }
        at
    };
    for a in 0..kept.len() {
        for b in a + 1..kept.len() {
            let (small, large) = (sets[a].len().min(sets[b].len()), sets[a].len().max(sets[b].len()));
            if (small as f64) < near * large as f64 {
                continue;
            }
            let shared = sets[a].intersection(&sets[b]).count();
            if shared as f64 / (sets[a].len() + sets[b].len() - shared) as f64 >= near {
                let (one, other) = (root(&of, a), root(&of, b));
                of[one.max(other)] = one.min(other);
            }
        }
    }
    (0..kept.len()).filter(|at| root(&of, *at) == *at).map(|at| kept[at]).collect()
}

#[test]
fn a_folder_is_cleaned_file_by_file_to_the_rows_that_are_right() {
    let place = Place::new();
    let list = rows(3_000);
    corpus(&place, &list);
    recipe(&place, &[unique(0.8)]);
    let said = place.json(&["run", "recipe.json", "corpus", "-o", "clean", "--json"]);
    let right = first_of_each(&list, 0.8);
    let mut kept: Vec<(String, String)> = Vec::new();
    for name in ["clean/a.csv", "clean/b/c.csv"] {
        place.done(&["export", name, "-o", "rows.jsonl"]);
        kept.extend(read(&place.path("rows.jsonl")));
        std::fs::remove_file(place.path("rows.jsonl")).unwrap();
    }
    kept.extend(read(&place.path("clean/z.jsonl")));
    let right: Vec<(String, String)> = right.into_iter().map(|at| list[at].clone()).collect();
    assert_eq!(kept.len(), right.len());
    assert_eq!(kept, right, "the earliest of each, in the order of files and rows");
    assert_eq!((said["rows"].as_u64(), said["kept"].as_u64()), (Some(3_000), Some(right.len() as u64)));
    assert!(said["copies"].as_u64() > Some(200) && said["near"].as_u64() > Some(200), "{said}");
    assert_eq!(said["kept"].as_u64().unwrap() + said["copies"].as_u64().unwrap() + said["near"].as_u64().unwrap(), 3_000);
    assert!(!place.path("clean/.lapidary-work").exists() && place.path("clean/recipe.json").exists());
    // The same in one piece, in memory.
    std::fs::write(place.path("whole.csv"), csv(&list)).unwrap();
    place.done(&["run", "recipe.json", "whole.csv", "-o", "whole-clean.jsonl"]);
    assert_eq!(read(&place.path("whole-clean.jsonl")), right);
}

fn read(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let row = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    text.lines()
        .map(row)
        .map(|row| (row["text"].as_str().unwrap().to_owned(), row["label"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn however_the_work_is_cut_the_bytes_are_the_same() {
    let place = Place::new();
    // Some megabytes, so that a piece of one is not all.
    let list: Vec<(String, String)> =
        rows(6_000).into_iter().map(|(text, label)| (format!("{text} {}", "tail ".repeat(60)), label)).collect();
    corpus(&place, &list);
    std::fs::write(place.path("whole.csv"), csv(&list)).unwrap();
    recipe(
        &place,
        &[
            json!({"replace": {"column": "text", "find": "tail", "with": "TAIL", "regex": false, "case": true}}),
            unique(0.9),
            split(),
        ],
    );
    place.done(&["run", "recipe.json", "corpus", "-o", "one", "--hands", "1", "--piece", "4096"]);
    let right = files(&place.path("one"));
    assert!(right.contains_key("train/a.csv") && right.contains_key("test/z.jsonl"), "{:?}", right.keys());
    assert!(String::from_utf8_lossy(&right["train/a.csv"]).contains("TAIL TAIL"));
    for (name, hands) in [("two", "1"), ("three", "3")] {
        place.done(&["run", "recipe.json", "corpus", "-o", name, "--hands", hands, "--piece", "1"]);
        assert_eq!(files(&place.path(name)), right, "{name}");
    }
    // One large file is cut and put together again, byte for byte what it is in memory.
    recipe(&place, &[unique(0.0)]);
    place.done(&["run", "recipe.json", "whole.csv", "-o", "pieces.csv", "--by-file", "--piece", "1"]);
    place.done(&["run", "recipe.json", "whole.csv", "-o", "memory.csv"]);
    assert!(std::fs::read(place.path("pieces.csv")).unwrap() == std::fs::read(place.path("memory.csv")).unwrap());
    let why = place.refused(&["run", "recipe.json", "whole.csv", "-o", "pieces.parquet", "--by-file"]);
    assert!(why.contains("of the form of whole.csv"), "{why}");
}

#[test]
fn a_run_that_is_killed_goes_on_to_the_same_bytes() {
    let place = Place::new();
    let list = rows(12_000);
    corpus(&place, &list);
    recipe(&place, &[unique(0.8), split()]);
    place.done(&["run", "recipe.json", "corpus", "-o", "right"]);
    let right = files(&place.path("right"));
    let (mut killed, mut chance) = (0, Chance::new(3));
    for round in 0..12 {
        let out = format!("out{round}");
        for _ in 0..20 {
            let mut child = Command::new(env!("CARGO_BIN_EXE_lapidary"))
                .args(["run", "recipe.json", "corpus", "-o", &out, "--hands", "1"])
                .current_dir(place.path("."))
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(5 + chance.below(300) as u64));
            if child.try_wait().unwrap().is_some() {
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
        }
        // Whatever was left, the same command ends it.
        let left = [".lapidary-work", ".lapidary-work-done"].iter().any(|name| place.path(&out).join(name).exists());
        if left || !place.path(&out).exists() {
            place.done(&["run", "recipe.json", "corpus", "-o", &out, "--resume"]);
        }
        assert_eq!(files(&place.path(&out)), right, "round {round}");
    }
    assert!(killed > 5, "{killed}");
}

#[test]
fn what_is_not_as_it_was_is_named_and_nothing_is_taken_for_it() {
    let place = Place::new();
    corpus(&place, &rows(600));
    recipe(&place, &[unique(0.8)]);
    // A run that is stopped by a file that cannot be read.
    std::fs::write(place.path("corpus/m.parquet"), "PAR1 torn").unwrap();
    let why = place.refused(&["run", "recipe.json", "corpus", "-o", "clean"]);
    assert!(why.contains("m.parquet") && why.contains("what was done stays"), "{why}");
    let work = place.path("clean/.lapidary-work");
    assert!(work.exists());
    // Its files are others now: another run.
    std::fs::remove_file(place.path("corpus/m.parquet")).unwrap();
    let why = place.refused(&["run", "recipe.json", "corpus", "-o", "clean", "--resume"]);
    assert!(why.contains("--anew"), "{why}");
    // A task's answer that was torn names itself, and is made anew once it is gone.
    std::fs::remove_dir_all(&work).unwrap();
    std::fs::write(place.path("corpus/zz.csv"), "text,label\n\"a\",b\n").unwrap();
    let folder = place.path("by-hand");
    place.done(&["run", "recipe.json", "corpus", "-o", "whole"]);
    std::fs::create_dir_all(&folder).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_lapidary"))
        .args(["run", "recipe.json", "corpus", "-o", "by-hand", "--hands", "1"])
        .current_dir(place.path("."))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let map = folder.join(".lapidary-work/map/000000");
    for _ in 0..2_000 {
        if map.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    if map.exists() {
        let mut bytes = std::fs::read(&map).unwrap();
        let at = bytes.len() - 3;
        bytes[at] ^= 1;
        std::fs::write(&map, bytes).unwrap();
        let _ = std::fs::remove_dir_all(folder.join(".lapidary-work/same"));
        let _ = std::fs::remove_dir_all(folder.join(".lapidary-work/pairs"));
        let _ = std::fs::remove_file(folder.join(".lapidary-work/copies"));
        let why = place.refused(&["run", "recipe.json", "corpus", "-o", "by-hand"]);
        assert!(why.contains("000000") && why.contains("torn"), "{why}");
        std::fs::remove_file(&map).unwrap();
        place.done(&["run", "recipe.json", "corpus", "-o", "by-hand"]);
        assert_eq!(files(&folder), files(&place.path("whole")));
    }
    // A task of another run, or of another version, is refused.
    let why = place.refused(&["task", "by-hand", "map/0"]);
    assert!(why.contains("work.json"), "{why}");
    // What is read is never written, and what is there is not mixed with what comes.
    assert!(place.refused(&["run", "recipe.json", "corpus", "-o", "corpus"]).contains("not empty"));
    assert!(place.refused(&["run", "recipe.json", "corpus", "-o", "corpus/clean"]).contains("never written"));
    assert!(
        place
            .refused(&["run", "recipe.json", "corpus/a.csv", "-o", "corpus/../corpus/a.csv", "--by-file"])
            .contains("never written")
    );
    assert!(!place.path("corpus/clean").exists());
    assert!(place.refused(&["run", "recipe.json", "corpus", "-o", "whole"]).contains("not empty"));
}

#[test]
fn what_cannot_be_done_file_by_file_is_said_before_it_begins() {
    let place = Place::new();
    corpus(&place, &rows(300));
    let stratified = json!({"split": {"method": {"stratified": {"label": "label"}}, "parts": [["train", 0.5], ["test", 0.5]], "seed": 1, "together": true}});
    recipe(&place, &[unique(0.8), json!({"weigh": {"label": "label", "beta": 0.0}}), stratified.clone()]);
    let output = place.run(&["run", "recipe.json", "corpus", "--explain"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("step 2 (weigh): NOT DONE") && said.contains("MinHash") && said.contains("not exact"), "{said}");
    let why = place.refused(&["run", "recipe.json", "corpus", "-o", "clean"]);
    assert!(why.contains("step 2") && !place.path("clean").exists(), "{why}");
    recipe(&place, &[stratified]);
    place.done(&["run", "recipe.json", "corpus", "-o", "parts"]);
    let parts = files(&place.path("parts"));
    let (train, test) = (parts["train/a.csv"].len(), parts["test/a.csv"].len());
    assert!(train > test / 2 && test > train / 2, "{train} {test}");
}

#[test]
fn edits_of_single_rows_find_them_wherever_they_are() {
    let place = Place::new();
    // The same row in two files, and twice in one: an edit is of one of them.
    std::fs::write(place.path("one.csv"), "text,label\nx,a\nsame,a\nsame,a\nsame,a\n").unwrap();
    place.done(&["relabel", "one.csv", "--rows", "2", "--column", "label", "--to", "b"]);
    place.done(&["relabel", "one.csv", "--rows", "0", "--column", "label", "--to", "c"]);
    place.done(&["recipe", "one.csv", "-o", "recipe.json"]);
    std::fs::create_dir_all(place.path("corpus")).unwrap();
    std::fs::write(place.path("corpus/1.csv"), "text,label\nsame,a\ny,a\n").unwrap();
    std::fs::write(place.path("corpus/2.csv"), "text,label\nsame,a\nsame,a\nx,a\n").unwrap();
    let said = place.json(&["run", "recipe.json", "corpus", "-o", "clean", "--json"]);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    assert_eq!(read("clean/1.csv"), "text,label\nsame,a\ny,a\n");
    assert_eq!(read("clean/2.csv"), "text,label\nsame,b\nsame,a\nx,c\n", "the second of all that say so");
    assert_eq!(said["unfit"], json!({}));
    std::fs::write(place.path("corpus/2.csv"), "text,label\nz,a\n").unwrap();
    let output = place.run(&["run", "recipe.json", "corpus", "-o", "other"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("1 of 1 rows are not in this data"), "{said}");
}

#[test]
fn a_change_of_all_texts_is_a_rule_for_others() {
    let place = Place::new();
    std::fs::write(place.path("sample.csv"), "text,label\ncafÃ© one,a\ntwo,b\ntwo,b\n").unwrap();
    place.done(&["fix", "sample.csv", "--repair", "mojibake"]);
    place.done(&["unique", "sample.csv"]);
    place.done(&["recipe", "sample.csv", "-o", "recipe.json"]);
    let text = std::fs::read_to_string(place.path("recipe.json")).unwrap();
    assert!(text.contains("\"all\": true") && !text.contains("\"rows\""), "{text}");
    std::fs::write(place.path("other.csv"), "text,label\ncafÃ© two,a\ncafÃ© two,a\nthree,b\n").unwrap();
    place.done(&["run", "recipe.json", "other.csv", "-o", "done.csv"]);
    assert_eq!(std::fs::read_to_string(place.path("done.csv")).unwrap(), "text,label\ncafé two,a\nthree,b\n");
}
