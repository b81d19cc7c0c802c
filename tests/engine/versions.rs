//! Versions of a dataset: what differs, and three of them made one. Reads `../shared` and says so where it is not there.

use std::collections::BTreeMap;

use lapidary::chance::Chance;
use lapidary::collect::{MergeSide, RowKey, difference, merge};
use lapidary::data::{Dataset, SampleId};
use lapidary::edit::Direction;
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::operate::merge_edit;
use serde_json::{Value, json};

use super::train::Place;
use super::trainers::{read, shared};

fn open(place: &Place, name: &str, text: &str) -> Dataset {
    std::fs::write(place.path(name), text).unwrap();
    io::open(&place.path(name), &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

/// The rows of a dataset by a column, each as its cells.
fn rows(dataset: &Dataset) -> Vec<Vec<String>> {
    let cells = |id: SampleId| {
        (0..dataset.fields().len()).map(|field| dataset.text(field, id).unwrap_or_default().into_owned()).collect::<Vec<_>>()
    };
    dataset.source_samples().filter(|id| !dataset.is_excluded(*id)).map(cells).collect()
}

#[test]
fn what_differs_and_what_it_merges_to_are_the_references() {
    let Some(folder) = shared("reference/collect/diff") else { return };
    let golden = read(&folder.join("expected.json"));
    let place = Place::new();
    for name in ["base.csv", "ours.csv", "theirs.csv"] {
        std::fs::copy(folder.join(name), place.path(name)).unwrap();
    }
    let found = |words: &[&str]| -> Value {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    for (name, wanted) in [("ours.csv", &golden["ours"]), ("theirs.csv", &golden["theirs"])] {
        let said = found(&["diff", "base.csv", name, "--key", "id", "--json"]);
        let names = |key: &str| said[key].as_array().unwrap().iter().map(|row| row["name"].clone()).collect::<Vec<_>>();
        assert_eq!((json!(names("added")), json!(names("removed"))), (wanted["added"].clone(), wanted["removed"].clone()));
        let changed: BTreeMap<&str, &Value> =
            said["changed"].as_array().unwrap().iter().map(|row| (row["name"].as_str().unwrap(), &row["cells"])).collect();
        assert_eq!(json!(changed), wanted["changed"], "{name}");
        assert_eq!(said["columns_added"], wanted["columns_added"]);
    }
    let theirs = found(&["diff", "base.csv", "theirs.csv", "--key", "id", "--json"]);
    assert_eq!((&theirs["moved"], &theirs["first_moved"]), (&json!(1), &json!(["2", "1"])));
    // Without a key: by content, by text, by a text that is nearly the same.
    let bare = found(&["diff", "base.csv", "theirs.csv", "--content", "--json"]);
    let wanted = &golden["without_a_key"]["theirs_by_text"];
    let texts = |key: &str| bare[key].as_array().unwrap().iter().map(|row| row["cells"]["text"].clone()).collect::<Vec<_>>();
    assert_eq!(json!(texts("added")), wanted["added"]);
    assert_eq!(bare["removed"][0]["cells"]["text"], wanted["removed"][0][1]);
    assert_eq!(bare["removed"].as_array().unwrap().len(), 1, "of two equal rows one that is gone is one");
    let nearly: Vec<&Value> = bare["changed"].as_array().unwrap().iter().filter(|row| row["cells"]["text"].is_array()).collect();
    assert_eq!(json!([nearly[0]["cells"]["text"]]), wanted["changed_text"]);
    // Merged: the conflict holds the save back, and is settled by a word.
    let merged = found(&["merge", "base.csv", "ours.csv", "theirs.csv", "--key", "id", "-o", "merged.csv", "--json"]);
    let conflict = &merged["conflicts"][0];
    let wanted = &golden["merged"]["conflicts"][0];
    assert_eq!(merged["conflicts"].as_array().unwrap().len(), 1);
    for (ours, theirs) in [("name", "id"), ("column", "column"), ("base", "base"), ("ours", "ours"), ("theirs", "theirs")] {
        assert_eq!(conflict[ours], wanted[theirs]);
    }
    assert!(!place.path("merged.csv").exists());
    place.done(&["merge", "base.csv", "ours.csv", "theirs.csv", "--key", "id", "-o", "merged.csv", "--theirs"]);
    let merged = io::open(&place.path("merged.csv"), &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let columns: Vec<String> = merged.fields().iter().map(|field| field.name.to_string()).collect();
    assert_eq!(json!(columns), golden["merged"]["columns"]);
    let wanted: Vec<Vec<String>> = golden["merged"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap_or("").to_owned()).collect())
        .collect();
    let ours = rows(&merged);
    assert_eq!(ours.len(), wanted.len());
    for (own, theirs) in ours.iter().zip(&wanted) {
        let settled = if theirs[2].is_empty() { "card_delayed" } else { &theirs[2] };
        assert_eq!((&own[0], &own[1], own[2].as_str(), &own[3]), (&theirs[0], &theirs[1], settled, &theirs[3]));
    }
}

/// A table with an id, a text, a class and a number; `seed` says which.
fn table(chance: &mut Chance, n: usize) -> Vec<[String; 4]> {
    let words = ["card", "pin", "rate", "lost", "fee", "limit", "top", "up"];
    (0..n)
        .map(|at| {
            let text: Vec<&str> = (0..6).map(|_| *chance.one_of(&words).unwrap()).collect();
            [format!("k{at}"), text.join(" "), format!("c{}", chance.below(4)), chance.below(3).to_string()]
        })
        .collect()
}

/// Edits, removals, additions, another order.
fn changed(chance: &mut Chance, rows: &[[String; 4]], who: &str) -> Vec<[String; 4]> {
    let mut out: Vec<[String; 4]> = rows.iter().filter(|_| !chance.happens(0.1)).cloned().collect();
    for row in &mut out {
        for cell in &mut row[1..] {
            if chance.happens(0.1) {
                *cell = format!("{who} {}", chance.below(5));
            }
        }
    }
    for at in 0..chance.below(4) {
        out.push([format!("{who}{at}"), format!("new of {who} {at}"), "c1".to_owned(), "9".to_owned()]);
    }
    if chance.happens(0.5) {
        chance.shuffle(&mut out);
    }
    out
}

fn csv(rows: &[[String; 4]]) -> String {
    rows.iter().fold("id,text,class,n\n".to_owned(), |text, row| text + &row.join(",") + "\n")
}

/// The rows, sorted: order is no content.
fn sorted(dataset: &Dataset) -> Vec<Vec<String>> {
    let mut rows = rows(dataset);
    rows.sort();
    rows
}

#[test]
fn merging_keeps_what_each_did_and_a_difference_is_all_that_there_is() {
    let place = Place::new();
    let silent = Progress::silent();
    for seed in 0..40 {
        let mut chance = Chance::new(seed);
        let base_rows = table(&mut chance, 30);
        let (one, two) = (changed(&mut chance, &base_rows, "one"), changed(&mut chance, &base_rows, "two"));
        let base = open(&place, "base.csv", &csv(&base_rows));
        let (ours, theirs) = (open(&place, "ours.csv", &csv(&one)), open(&place, "theirs.csv", &csv(&two)));
        for key in [RowKey::Columns(vec!["id".to_owned()]), RowKey::Content] {
            let merged = |ours: &Dataset, theirs: &Dataset, side: Option<MergeSide>| -> (Vec<Vec<String>>, usize) {
                let plan = merge((&base, ours, theirs), &key, side, &silent).unwrap();
                let mut after = ours.clone();
                if let Some(edit) = merge_edit(ours, theirs, &plan, &silent).unwrap() {
                    for part in edit.parts() {
                        after.know(part.key(), io::taken_base(part.taken.as_deref().unwrap(), &silent).unwrap());
                    }
                    edit.apply(&mut after, Direction::Forward);
                    let mut back = after.clone();
                    edit.apply(&mut back, Direction::Back);
                    assert_eq!(rows(&back), rows(ours), "it is taken back whole");
                }
                (sorted(&after), plan.conflicts.len())
            };
            // Who did nothing takes over what the other did; who did the same agrees.
            assert_eq!(merged(&base, &theirs, None), (sorted(&theirs), 0), "{seed} {key:?}");
            assert_eq!(merged(&ours, &base, None), (sorted(&ours), 0), "{seed} {key:?}");
            assert_eq!(merged(&ours, &ours, None), (sorted(&ours), 0), "{seed} {key:?}");
            // By the key both ways come to the same rows, where nothing is in conflict.
            if key != RowKey::Content {
                let (forth, conflicts) = merged(&ours, &theirs, None);
                let (back, others) = merged(&theirs, &ours, None);
                assert_eq!(conflicts, others);
                if conflicts == 0 {
                    assert_eq!(forth, back);
                }
                let (settled, left) = merged(&ours, &theirs, Some(MergeSide::Theirs));
                assert_eq!(left, 0);
                assert_eq!(settled, merged(&theirs, &ours, Some(MergeSide::Ours)).0, "whoever settles, it is the same");
            }
            // The difference, applied, is the other version.
            let found = difference(&base, &ours, &key, &silent).unwrap();
            let mut cells: BTreeMap<SampleId, Vec<String>> = BTreeMap::new();
            let row = |dataset: &Dataset, id: SampleId| -> Vec<String> {
                (0..4).map(|field| dataset.text(field, id).unwrap_or_default().into_owned()).collect()
            };
            found.rows.pairs.iter().for_each(|(own, _)| drop(cells.insert(*own, row(&base, *own))));
            for change in &found.changes {
                let field = base.field(&change.column).unwrap();
                cells.get_mut(&change.rows.0).unwrap()[field] = change.after.clone().unwrap_or_default();
            }
            let mut applied: Vec<Vec<String>> = cells.into_values().collect();
            applied.extend(found.rows.added.iter().map(|id| row(&ours, *id)));
            applied.sort();
            assert_eq!(applied, sorted(&ours), "{seed} {key:?}");
        }
    }
}

#[test]
fn what_cannot_be_paired_is_said_and_projects_are_versions_too() {
    let place = Place::new();
    std::fs::write(place.path("a.csv"), "id,text,class\n1,one two three,a\n2,four five six,b\n").unwrap();
    std::fs::write(place.path("b.csv"), "nothing\nx\n").unwrap();
    std::fs::copy(place.path("a.csv"), place.path("c.csv")).unwrap();
    assert!(place.refused(&["diff", "a.csv", "b.csv"]).contains("no column in common"));
    assert!(place.refused(&["diff", "a.csv", "c.csv", "--key", "number"]).contains("number"));
    assert!(place.refused(&["diff", "a.csv"]).contains("two paths are needed"));
    assert!(place.refused(&["merge", "a.csv", "c.csv"]).contains("three paths are needed"));
    assert!(place.refused(&["merge", "a.csv", "c.csv", "gone.csv"]).contains("no such file"));
    assert_eq!(place.status(&["diff", "a.csv", "c.csv"]), 0);
    assert!(place.done(&["diff", "a.csv", "c.csv"]).contains("the same 2 rows"));
    // What somebody did in a project is what differs, and bytes that nobody touched stay.
    place.done(&["relabel", "c.csv", "--rows", "1", "--column", "class", "--to", "c"]);
    assert_eq!(place.status(&["diff", "a.csv", "c.csv"]), 1);
    assert_eq!(place.status(&["diff", "a.csv", "c.csv", "--no-project"]), 0);
    std::fs::write(place.path("d.csv"), "id,text,class\n1,\"one two three\",a\n2,four five six,b\n3,new,a\n").unwrap();
    place.done(&["merge", "a.csv", "d.csv", "c.csv", "-o", "out.csv"]);
    assert_eq!(
        std::fs::read_to_string(place.path("out.csv")).unwrap(),
        "id,text,class\n1,\"one two three\",a\n2,four five six,c\n3,new,a\n"
    );
}

#[test]
fn what_one_side_removed_and_the_other_changed_is_never_lost_without_a_word() {
    let place = Place::new();
    let write = |name: &str, text: &str| std::fs::write(place.path(name), text).unwrap();
    write("base.csv", "id,text,priority\n1,one two three,low\n2,four five six,low\n");
    write("ours.csv", "id,text,priority\n1,one two three,high\n2,four five six,low\n");
    write("theirs.csv", "id,text\n1,one two three\n2,four five six\n");
    for (mine, yours) in [("ours.csv", "theirs.csv"), ("theirs.csv", "ours.csv")] {
        let said = place.run(&["merge", "base.csv", mine, yours, "--key", "id", "-o", "out.csv"]);
        assert_eq!(said.status.code(), Some(1), "{mine}");
        assert!(
            String::from_utf8_lossy(&said.stdout).contains("priority: was low"),
            "{mine}: {}",
            String::from_utf8_lossy(&said.stdout)
        );
    }
    let merged = |mine: &str, yours: &str, side: &str| {
        let _ = std::fs::remove_file(place.path("out.csv"));
        place.done(&["merge", "base.csv", mine, yours, "--key", "id", "-o", "out.csv", side]);
        std::fs::read_to_string(place.path("out.csv")).unwrap()
    };
    assert_eq!(merged("ours.csv", "theirs.csv", "--ours"), "id,text,priority\n1,one two three,high\n2,four five six,low\n");
    assert_eq!(merged("ours.csv", "theirs.csv", "--theirs"), "id,text\n1,one two three\n2,four five six\n");
    assert_eq!(merged("theirs.csv", "ours.csv", "--theirs"), "id,text,priority\n1,one two three,high\n2,four five six,low\n");
    // A key that is not one: rows that say the same are each other, whatever their order, and that is said.
    write("a.csv", "k,text\nx,first of them\nx,second of them\n");
    write("b.csv", "k,text\nx,second of them\nx,first of them\n");
    let said = place.run(&["diff", "a.csv", "b.csv", "--key", "k"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("the same 2 rows, in another order"));
    assert!(String::from_utf8_lossy(&said.stderr).contains("share their key"));
    // Rows without a key that are alike and not the same are two.
    write("c.csv", "k,text\n1,one two three\n");
    write("d.csv", "k,text\n1,one two three\n,where is my new card\n");
    write("e.csv", "k,text\n1,one two three\n,where is my new card now\n");
    place.done(&["merge", "c.csv", "d.csv", "e.csv", "--key", "k", "-o", "two.csv"]);
    assert_eq!(std::fs::read_to_string(place.path("two.csv")).unwrap().lines().count(), 4);
}
