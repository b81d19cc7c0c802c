//! Projects of earlier releases open for ever: each folder in `tests/data/frozen` was written by the release that it is named after, with every kind
//! of edit in it, and says what every state of its history held.
//!
//! To freeze another: `LAPIDARY_FREEZE=tests/data/frozen/NAME cargo test --test engine freeze`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{open, state, take, write_dataset};
use lapidary::data::{Kind, Role, SampleId};
use lapidary::derive::likeness;
use lapidary::edit::{Change, Edit, EditId, Journal, Stored, Target, Values};
use lapidary::job::Progress;
use lapidary::operate::{Balance, balance_plan, balanced, standing};
use lapidary::session::Workspace;
use lapidary::transform::balance::{BalanceRule, Over, Under};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// Every state of a history, by the edit that it was reached with: 0 is the file as it was opened.
fn states(workspace: &mut Workspace) -> Vec<(EditId, String)> {
    let head = workspace.history().head();
    let nodes: Vec<EditId> = workspace.history().nodes().iter().map(|node| node.id).collect();
    let mut list = Vec::new();
    for id in std::iter::once(0).chain(nodes) {
        workspace.go(id).unwrap();
        list.push((id, format!("{:016x}", state(workspace.dataset(), id))));
    }
    workspace.go(head).unwrap();
    list
}

fn told(workspace: &mut Workspace) -> Value {
    let states: serde_json::Map<String, Value> =
        states(workspace).into_iter().map(|(id, state)| (id.to_string(), Value::String(state))).collect();
    let nodes: Vec<Value> = workspace
        .history()
        .nodes()
        .iter()
        .map(|node| json!({"id": node.id, "parent": node.parent, "at": node.at, "words": node.words, "count": node.count}))
        .collect();
    json!({"head": workspace.history().head(), "states": states, "edits": nodes})
}

fn apply(workspace: &mut Workspace, words: &str, changes: impl IntoIterator<Item = Change>) {
    workspace.edit(&Edit::new(words, changes).unwrap()).unwrap();
}

/// Writes a project with every kind of edit, and what it holds.
#[test]
fn freeze() {
    let Ok(to) = std::env::var("LAPIDARY_FREEZE") else { return };
    let to = PathBuf::from(to);
    fs::create_dir_all(&to).unwrap();
    let path = write_dataset(&to, 60);
    let mut random = StdRng::seed_from_u64(11);
    let mut workspace = open(&path).unwrap();
    // Some of everything, undone, redone, jumped over, in branches.
    for _ in 0..120 {
        let (next, result) = take(workspace, &mut random, &path);
        result.unwrap();
        workspace = next;
    }
    // Then each kind for certain.
    let ids = |list: &[u32]| list.iter().map(|id| SampleId(*id)).collect::<Vec<_>>();
    let data = |workspace: &Workspace| workspace.dataset().clone();
    let cells = [(SampleId(3), None), (SampleId(4), Some("")), (SampleId(5), Some("ü \"quoted\"\nline"))];
    let change = Change::cells(workspace.dataset(), "text", cells).unwrap().unwrap();
    apply(&mut workspace, "cells", [change]);
    for target in [Target::Excluded, Target::Reviewed, Target::Tag("later".into())] {
        for on in [true, false, true] {
            let changed = Change::mark(&data(&workspace), target.clone(), ids(&[1, 7, 20 + u32::from(on)]), on).unwrap();
            changed.into_iter().for_each(|change| apply(&mut workspace, "marks", [change]));
        }
    }
    let now = data(&workspace);
    apply(
        &mut workspace,
        "column",
        [
            Change::add_column(&now, "note", Kind::Text, Role::Other).unwrap(),
            Change::fill("note", [(SampleId(0), "a"), (SampleId(59), "b")]),
        ],
    );
    for (column, role) in [("n", Role::Number), ("label", Role::Label), ("text", Role::Text)] {
        let changed = Change::role(&data(&workspace), column, role).unwrap();
        changed.into_iter().for_each(|change| apply(&mut workspace, "role", [change]));
    }
    for kind in [Kind::Text, Kind::Integer] {
        let changed = Change::kind(&data(&workspace), "n", kind).unwrap();
        changed.into_iter().for_each(|change| apply(&mut workspace, "kind", [change]));
    }
    let silent = Progress::silent();
    for over in [Over::Repeat, Over::Smote] {
        let text = data(&workspace);
        if over == Over::Smote {
            // Numbers alone can be interpolated.
            let changed = Change::role(&text, "text", Role::Other).unwrap();
            changed.into_iter().for_each(|change| apply(&mut workspace, "role", [change]));
        }
        let dataset = data(&workspace);
        let standing = standing(&dataset, "label", &silent).unwrap();
        let most = standing.counts.iter().max().unwrap() + 3;
        let asked = Balance {
            label: "label".into(),
            rule: BalanceRule::Floor(most),
            under: Under::Random,
            over,
            pipeline: None,
            most_risk: 1.0,
            seed: 5,
        };
        let alike = likeness(&dataset, None, workspace.derived(), &silent).unwrap();
        let plan = balance_plan(&dataset, &asked, &standing, alike.as_deref(), None, &silent).unwrap();
        let done = balanced(&dataset, &asked, &plan, alike.as_deref(), None, &Default::default(), &silent).unwrap();
        workspace.edit(&done.edit.unwrap()).unwrap();
    }
    // Cells of made samples, also read through to their parents again.
    let made = SampleId::at(workspace.dataset().rows() - 1);
    for value in [Some("of its own"), None] {
        let change = Change::cells(workspace.dataset(), "label", [(made, value)]).unwrap().unwrap();
        apply(&mut workspace, "made cell", [change]);
    }
    workspace.undo().unwrap();
    let told = told(&mut workspace);
    drop(workspace);
    fs::write(to.join("states.json"), format!("{told:#}\n")).unwrap();
}

#[test]
fn projects_of_every_release_open_with_every_state_of_their_history() {
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/frozen");
    let mut seen = 0;
    for entry in fs::read_dir(frozen).unwrap() {
        let from = entry.unwrap().path();
        let home = tempfile::tempdir().unwrap();
        for name in ["data.csv", "data.csv.lapidary"] {
            fs::copy(from.join(name), home.path().join(name)).unwrap();
        }
        let path = home.path().join("data.csv");
        let expected: Value = serde_json::from_str(&fs::read_to_string(from.join("states.json")).unwrap()).unwrap();
        let mut workspace = open(&path).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        assert!(workspace.read_only().is_none());
        if from.ends_with("0.1.0") {
            assert!(workspace.renewed().is_some_and(|said| said.contains("format-1")), "it says that it was brought up to date");
            let kept = fs::read(home.path().join("data.csv.lapidary.format-1")).unwrap();
            assert!(kept == fs::read(from.join("data.csv.lapidary")).unwrap(), "as it was it is kept");
        }
        assert_eq!(told(&mut workspace), expected, "{}", from.display());
        // It is gone on with, and opens again.
        let change = Change::cells(workspace.dataset(), "label", [(SampleId(2), Some("a new day"))]).unwrap().unwrap();
        apply(&mut workspace, "later", [change]);
        let now = state(workspace.dataset(), workspace.history().head());
        drop(workspace);
        let workspace = open(&path).unwrap();
        assert_eq!(state(workspace.dataset(), workspace.history().head()), now);
        seen += 1;
    }
    assert!(seen >= 1);
}

#[test]
fn a_project_of_a_later_release_is_there_to_look_at_and_never_touched() {
    let home = tempfile::tempdir().unwrap();
    let path = write_dataset(home.path(), 60);
    let mut workspace = open(&path).unwrap();
    let change = Change::cells(workspace.dataset(), "label", [(SampleId(2), Some("later"))]).unwrap().unwrap();
    apply(&mut workspace, "edit", [change]);
    let now = state(workspace.dataset(), workspace.history().head());
    drop(workspace);
    let project = home.path().join("data.csv.lapidary");
    rusqlite::Connection::open(&project).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let bytes = fs::read(&project).unwrap();
    let mut workspace = open(&path).unwrap();
    assert_eq!(state(workspace.dataset(), workspace.history().head()), now);
    assert!(workspace.read_only().is_some_and(|why| why.contains("newer")));
    assert!(workspace.undo().is_err());
    drop(workspace);
    // It is not carried over, not adopted, and not recovered from under its owner.
    let carried = Workspace::carry(crate::support::read(&path), lapidary::io::Reading::default(), None);
    assert!(carried.is_err_and(|error| error.to_string().contains("newer")));
    let other = home.path().join("other.csv");
    fs::copy(&path, &other).unwrap();
    assert!(lapidary::edit::adopt(&project, &other, None).is_err_and(|error| error.to_string().contains("newer")));
    assert!(fs::read(&project).unwrap() == bytes);
}

/// The first format showed classes that have names by their numbers, and recognised samples by them.
#[test]
fn edits_of_numbered_classes_say_names_now_and_find_their_samples() {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/field/14-parquet-types/hf_classlabel.parquet");
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("named.parquet");
    if fs::copy(&from, &path).is_err() {
        println!("skipped: ../shared/data/field is not beside this checkout");
        return;
    }
    let run = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_lapidary")).args(words).current_dir(home.path()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let table = |name: &str| -> Vec<String> {
        run(&["export", name, "-o", "out.csv"]);
        let text = fs::read_to_string(home.path().join("out.csv")).unwrap();
        fs::remove_file(home.path().join("out.csv")).unwrap();
        text.lines().skip(1).take(3).map(str::to_owned).collect()
    };
    let was = ["sentence 0,neg,[]", "sentence 1,neu,\"[\"\"x\"\"]\"", "sentence 2,pos,\"[\"\"x\"\", \"\"y\"\"]\""];
    assert_eq!(table("named.parquet"), was);
    // The cells as that release wrote them, and the samples as it hashed them: each cell behind its length.
    let values = |texts: &[Option<&str>], codes: &[u32]| Values {
        texts: texts.iter().map(|text| text.map(str::to_owned)).collect(),
        codes: codes.to_vec(),
    };
    let change = |column: &str, before: Values, after: Values, rows: &[u32]| Change {
        target: Target::Cells(column.to_owned()),
        samples: rows.iter().map(|row| SampleId(*row)).collect(),
        before,
        after,
    };
    let labels = change("label", values(&[None], &[]), values(&[Some("2"), Some("-1"), Some("7")], &[0, 1, 2]), &[0, 1, 2]);
    let tags = change("tags", values(&[None], &[]), values(&[Some("[1, 0]")], &[]), &[0]);
    let edit = Edit { words: "then".into(), operation: None, first_format: true, changes: vec![labels, tags] };
    let print = |row: usize| {
        let mut print = xxhash_rust::xxh3::Xxh3::new();
        for cell in [format!("sentence {row}").as_str(), &row.to_string(), ["[]", "[0]", "[0, 1]"][row]] {
            print.update(&(cell.len() as u64).to_le_bytes());
            print.update(cell.as_bytes());
        }
        print.digest()
    };
    let reading = serde_json::to_string(&lapidary::io::Reading::default()).unwrap();
    let write = |fingerprint: u128| {
        let project = home.path().join("named.parquet.lapidary");
        let _ = fs::remove_file(&project);
        let mut journal = Journal::create(&project, Stored { fingerprint, reading: reading.clone() }).unwrap();
        journal.commit(&edit, &[print(0), print(1), print(2), print(0)]).unwrap();
    };
    let now =
        ["sentence 0,pos,\"[\"\"y\"\", \"\"x\"\"]\"", "sentence 1,,\"[\"\"x\"\"]\"", "sentence 2,7,\"[\"\"x\"\", \"\"y\"\"]\""];
    write(lapidary::io::fingerprint(&path).unwrap());
    assert_eq!(table("named.parquet"), now);
    // Of another version of the file: samples are found by what they are.
    write(1);
    run(&["carry", "named.parquet"]);
    assert_eq!(table("named.parquet"), now);
}
