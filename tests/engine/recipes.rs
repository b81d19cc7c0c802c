//! Recipes: what was done to one version of the data is done to another. The same rows and the same bytes on the same data; what does not fit is listed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{open, read, state, take, write_dataset};
use lapidary::data::{Dataset, Kind, Pipeline, Role, SampleId};
use lapidary::edit::Edit;
use lapidary::io::{self, Rows, SaveTarget};
use lapidary::job::Progress;
use lapidary::operate::Balance;
use lapidary::operate::{Means, Operation, Recipe};
use lapidary::session::Workspace;
use lapidary::transform::balance::{BalanceRule, Over, Under};
use lapidary::transform::{Replace, Split, SplitMethod};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

fn do_it(workspace: &mut Workspace, operation: &Operation) -> Edit {
    let planned = operation.plan(workspace.dataset(), &Means::default(), &Progress::silent()).unwrap();
    let edit = planned.edit.unwrap_or_else(|| panic!("{operation:?} changes nothing"));
    workspace.edit(&edit).unwrap();
    edit
}

fn ids(list: &[u32]) -> Vec<SampleId> {
    list.iter().map(|id| SampleId(*id)).collect()
}

/// Every operation there is.
fn all(workspace: &mut Workspace) {
    let pipeline =
        Pipeline::parse(r#"{"name": "typing", "steps": [{"op": "typing_errors"}, {"op": "letter_case", "p": 0.5}]}"#).unwrap();
    let balance = |rule, over, pipeline| Balance {
        label: "label".into(),
        rule,
        under: Under::Random,
        over,
        pipeline,
        most_risk: 1.0,
        seed: 9,
    };
    for operation in [
        Operation::SetRole { column: "n".into(), role: Role::Other },
        Operation::SetRole { column: "n".into(), role: Role::Number },
        Operation::SetCells { samples: ids(&[3, 4, 9]), column: "label".into(), text: "class 9".into(), review: true },
        Operation::Accept {
            list: vec![(SampleId(5), "class 1".into()), (SampleId(6), "class 2".into())],
            column: "label".into(),
        },
        Operation::RenameClass { column: "label".into(), from: "class 0".into(), to: "nought".into() },
        Operation::SetKind { column: "n".into(), kind: Kind::Text },
        Operation::SetKind { column: "n".into(), kind: Kind::Number },
        Operation::Exclude { samples: ids(&[10, 11]), on: true },
        Operation::Exclude { samples: ids(&[11]), on: false },
        Operation::Review { samples: ids(&[12]), on: true },
        Operation::Tag { samples: ids(&[13, 14]), tag: "odd, \"quoted\"".into(), on: true },
        Operation::Note { samples: ids(&[15, 16]), text: "ask, \"again\"".into() },
        Operation::Note { samples: ids(&[16]), text: String::new() },
        Operation::Replace {
            samples: ids(&(30..40).collect::<Vec<u32>>()),
            column: "text".into(),
            what: Replace { find: r"number (\d+)".into(), with: "no. $1".into(), regex: true, case: true },
        },
        Operation::Swap { samples: ids(&[17]), one: "text".into(), other: "label".into() },
        Operation::Split(Split::named(SplitMethod::Stratified { label: "label".into() }, &[70.0, 30.0], 5)),
        Operation::Augment { pipeline: pipeline.clone(), copies: 1, seed: 3, most_risk: 1.0 },
        Operation::Balance(balance(BalanceRule::SquareRoot, Over::Repeat, None)),
        Operation::Balance(balance(BalanceRule::Floor(12), Over::Augment, Some(pipeline))),
        Operation::Weigh { label: "label".into(), beta: 0.0 },
    ] {
        do_it(workspace, &operation);
    }
    // Cells and marks of what was made.
    let made = SampleId::at(workspace.dataset().rows() - 1);
    do_it(workspace, &Operation::SetCells { samples: vec![made], column: "text".into(), text: "its own".into(), review: false });
    do_it(workspace, &Operation::Tag { samples: vec![made], tag: "made".into(), on: true });
}

fn bytes(dataset: &Dataset, to: &Path) -> Vec<u8> {
    let origin = &dataset.base.origin;
    let target = SaveTarget {
        path: to.to_owned(),
        format: origin.format,
        packing: origin.packing,
        own_columns: true,
        utf8: false,
        safe: false,
    };
    io::export(dataset, &Rows::All, &target, &Progress::silent()).unwrap();
    fs::read(to).unwrap()
}

fn replayed(recipe: &Recipe, path: &Path) -> (Dataset, Vec<String>) {
    let mut dataset = read(path);
    let done = recipe.run(&mut dataset, &Means::default(), &Progress::silent()).unwrap();
    (dataset, done.unfit)
}

#[test]
fn every_operation_is_written_down_and_done_again_to_the_byte() {
    let home = tempfile::tempdir().unwrap();
    let path = write_dataset(home.path(), 60);
    let mut workspace = open(&path).unwrap();
    all(&mut workspace);
    // What the journal kept is what is asked for, after opening again, too.
    drop(workspace);
    let workspace = open(&path).unwrap();
    let recipe = workspace.recipe().unwrap();
    assert!(recipe.steps.iter().all(|step| step.operation.is_some() && step.changes.is_empty()));
    let again = Recipe::parse(&recipe.to_json()).unwrap();
    assert_eq!(again, recipe);
    let (dataset, unfit) = replayed(&again, &path);
    assert_eq!(unfit, Vec::<String>::new());
    assert_eq!(state(&dataset, 0), state(workspace.dataset(), 0));
    let (ours, theirs) = (bytes(workspace.dataset(), &home.path().join("a.csv")), bytes(&dataset, &home.path().join("b.csv")));
    assert!(ours == theirs, "the same rows, and not the same bytes");
}

#[test]
fn edits_that_do_not_say_what_was_asked_for_are_replayed_as_they_stand() {
    for seed in 0..12 {
        let home = tempfile::tempdir().unwrap();
        let path = write_dataset(home.path(), 40);
        let mut random = StdRng::seed_from_u64(seed);
        let mut workspace = open(&path).unwrap();
        for _ in 0..60 {
            let (next, result) = take(workspace, &mut random, &path);
            result.unwrap();
            workspace = next;
        }
        let recipe = Recipe::parse(&workspace.recipe().unwrap().to_json()).unwrap();
        let (dataset, unfit) = replayed(&recipe, &path);
        assert_eq!(unfit, Vec::<String>::new(), "seed {seed}");
        assert_eq!(state(&dataset, 0), state(workspace.dataset(), 0), "seed {seed}");
    }
}

#[test]
fn rows_that_are_alike_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data.csv");
    fs::write(&path, "text,label\nsame,a\nsame,a\nother,a\nsame,a\n").unwrap();
    let mut workspace = open(&path).unwrap();
    do_it(&mut workspace, &Operation::SetCells { samples: ids(&[3]), column: "label".into(), text: "b".into(), review: false });
    let (dataset, _) = replayed(&workspace.recipe().unwrap(), &path);
    let label = dataset.field("label").unwrap();
    let labels: Vec<String> = dataset.samples().map(|id| dataset.text(label, id).unwrap().into_owned()).collect();
    assert_eq!(labels, ["a", "a", "a", "b"]);
}

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
    command.args(words).current_dir(folder).env("XDG_DATA_HOME", folder.join("home")).output().unwrap()
}

#[test]
fn another_version_of_the_data_gets_what_fits_and_the_rest_is_listed() {
    let home = tempfile::tempdir().unwrap();
    let here = home.path();
    let path = write_dataset(here, 60);
    let mut workspace = open(&path).unwrap();
    all(&mut workspace);
    drop(workspace);
    let done = run(here, &["recipe", "data.csv", "-o", "data.recipe.json"]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    // The same data: the same bytes as the project's own export.
    assert_eq!(run(here, &["export", "data.csv", "-o", "project.csv"]).status.code(), Some(0));
    let done = run(here, &["run", "data.recipe.json", "data.csv", "-o", "recipe.csv"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(fs::read(here.join("project.csv")).unwrap() == fs::read(here.join("recipe.csv")).unwrap(), "{said}");
    // A month later: in another order, two rows gone (one of them named by a step), three new.
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let head = lines.remove(0);
    lines.retain(|line| !line.contains("number 3\"") && !line.contains("number 50\""));
    lines.reverse();
    let june = format!("{head}\n{}\n\"new one\",class 0,1\n\"new two\",class 0,2\n\"new three\",class 3,3\n", lines.join("\n"));
    fs::write(here.join("june.csv"), june).unwrap();
    let done = run(here, &["run", "data.recipe.json", "june.csv", "-o", "june-clean.csv", "--with-excluded"]);
    assert_eq!(done.status.code(), Some(2), "there is no such option: {}", String::from_utf8_lossy(&done.stderr));
    let done = run(here, &["run", "data.recipe.json", "june.csv", "-o", "june-clean.csv"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("step 3") && said.contains("1 of 3 rows are not in this data"), "{said}");
    let clean = fs::read_to_string(here.join("june-clean.csv")).unwrap();
    let row = |part: &str| clean.lines().find(|line| line.contains(part)).unwrap_or("").to_owned();
    assert!(row("number 4\"").contains("class 9") && row("number 9\"").contains("class 9"), "rows are found by what they say");
    assert!(row("new one").contains("nought"), "what is asked of all is asked of new rows, too");
    assert!(!clean.contains("number 10\""), "an excluded row stays out");
    assert!(fs::read(here.join("june.csv")).unwrap().starts_with(head.as_bytes()));
    assert!(!here.join("june.csv.lapidary").exists(), "no project is begun");
}

#[test]
fn what_is_no_recipe_is_said_to_be_none() {
    let home = tempfile::tempdir().unwrap();
    let here = home.path();
    write_dataset(here, 10);
    for (text, part) in [
        ("", "no recipe"),
        ("{}", "lapidary"),
        ("[1, 2]", "no recipe"),
        ("{\"lapidary\": 2, \"steps\": []}", "newer"),
        ("{\"lapidary\": 1, \"steps\": [{\"operation\": {\"fly\": {}}}]}", "fly"),
    ] {
        fs::write(here.join("r.json"), text).unwrap();
        let done = run(here, &["run", "r.json", "data.csv", "-o", "out.csv"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(2) && said.contains(part), "{text}: {said}");
        assert!(!here.join("out.csv").exists());
    }
    // Steps that name what is not there are left out whole, and said.
    let text = r##"{"lapidary": 1, "steps": [
        {"words": "a", "operation": {"rename_class": {"column": "nope", "from": "x", "to": "y"}}},
        {"words": "b", "operation": {"exclude": {"on": true}}, "rows": ["0000000000000000", "zz", "12/", "#"]},
        {"words": "c", "changes": [{"target": {"Cells": "label"}, "rows": ["ff#0"], "texts": ["x"]}, 7, {"made": 3}]}]}"##;
    fs::write(here.join("r.json"), text).unwrap();
    let done = run(here, &["run", "r.json", "data.csv", "-o", "out.csv"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("step 1 (a): left out") && said.contains("4 of 4 rows"), "{said}");
    assert!(fs::read(here.join("out.csv")).unwrap() == fs::read(here.join("data.csv")).unwrap());
}
