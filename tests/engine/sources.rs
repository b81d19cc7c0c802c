//! Several sources as one dataset: what is joined, what is proposed, what is left to a person; where every sample comes from; what bad lists say.

use std::path::Path;

use lapidary::data::{Dataset, SampleId};
use lapidary::io::{self, Reading, SourcesFile};
use lapidary::job::Progress;
use serde_json::{Value, json};

use super::train::Place;
use super::trainers::{read, shared};

const MANY: [&str; 5] = ["a.csv", "b.csv", "c.jsonl", "d.tsv", "e.parquet"];

fn many(place: &Place) -> bool {
    let Some(folder) = shared("reference/collect/many") else { return false };
    for name in MANY {
        std::fs::copy(folder.join(name), place.path(name)).unwrap();
    }
    true
}

fn open(path: &Path) -> Result<Dataset, String> {
    io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).map_err(|error| error.to_string())
}

/// The samples of a path as the program saves them, with where each comes from. (Parquet is read in a child of the program, which a test is not.)
fn exported(place: &Place, path: &Path, more: &[&str]) -> Vec<serde_json::Map<String, Value>> {
    let to = place.path("exported.jsonl");
    let _ = std::fs::remove_file(&to);
    let path = path.display().to_string();
    place.done(&[&["export", &path, "--no-project", "--own-columns", "-o", "exported.jsonl"], more].concat());
    let rows = std::fs::read_to_string(&to).unwrap();
    let rows = rows.lines().map(|line| serde_json::from_str::<serde_json::Map<String, Value>>(line).unwrap());
    rows.map(|row| row.into_iter().filter(|(name, _)| !name.starts_with("lapidary_")).collect()).collect()
}

/// Cells of some columns.
fn picked(rows: &[serde_json::Map<String, Value>], names: &[&str]) -> Vec<Vec<Value>> {
    rows.iter().map(|row| names.iter().map(|name| row.get(*name).cloned().unwrap_or(Value::Null)).collect()).collect()
}

/// Cells by column, in the order of `names`.
fn cells(dataset: &Dataset, names: &[&str]) -> Vec<Vec<Value>> {
    let cell = |id: SampleId, name: &&str| -> Value {
        let Some(field) = dataset.field(name) else { return Value::Null };
        dataset.text(field, id).map_or(Value::Null, |text| match *name {
            "_row" | "extra" => serde_json::from_str(&text).unwrap(),
            _ => json!(text),
        })
    };
    dataset.samples().map(|id| names.iter().map(|name| cell(id, name)).collect()).collect()
}

#[test]
fn five_files_of_one_dataset_are_the_rows_that_a_person_means() {
    let place = Place::new();
    if !many(&place) {
        return;
    }
    let mapping = read(&shared("reference/collect/many").unwrap().join("mapping.json"));
    let expected = read(&shared("reference/collect/many").unwrap().join("expected.json"));
    let sources: Vec<Value> = MANY
        .iter()
        .map(|name| {
            let classes = mapping["classes"].get(*name).map_or(json!({}), |classes| json!({"label": classes}));
            json!({"id": name, "read": name, "columns": mapping["columns"][*name], "classes": classes})
        })
        .collect();
    std::fs::write(place.path("all.sources.json"), json!({"lapidary": "sources/1", "sources": sources}).to_string()).unwrap();
    let rows = exported(&place, &place.path("all.sources.json"), &[]);
    let names = ["id", "text", "label", "source", "extra", "_source", "_row"];
    assert_eq!(rows[0].keys().collect::<Vec<_>>(), names);
    assert_eq!(json!(picked(&rows, &names)), expected["rows"]);
    let info = place.json(&["info", "all.sources.json", "--no-project", "--json"]);
    let roles: Vec<&Value> = info["columns"].as_array().unwrap().iter().map(|column| &column["role"]).collect();
    assert_eq!(roles, ["id", "text", "label", "other", "other", "other", "other"], "where a sample comes from is no label");

    // Nothing is written of where samples come from, unless somebody asks.
    let text = |more: &[&str]| {
        let _ = std::fs::remove_file(place.path("out.jsonl"));
        place.run(&[&["export", "all.sources.json", "--no-project", "-o", "out.jsonl"], more].concat());
        std::fs::read_to_string(place.path("out.jsonl")).unwrap()
    };
    let plain = text(&[]);
    assert_eq!(plain.lines().count(), 8);
    assert!(!plain.contains("_source"), "{plain}");
    assert!(text(&["--own-columns"]).contains("\"_source\""));
}

#[test]
fn what_could_be_joined_is_proposed_and_what_numbers_mean_is_asked() {
    let place = Place::new();
    if !many(&place) {
        return;
    }
    let output = place.run(&[&["collect"][..], &MANY, &["-o", "all.sources.json", "--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["rows"], said["sources"].as_array().unwrap().len()), (&json!(8), 5));
    // Only the same name is joined by itself: nine columns, as whoever puts them behind each other gets.
    assert_eq!(place.json(&["info", "all.sources.json", "--json"])["columns"].as_array().unwrap().len(), 9 + 2);
    let proposals = said["proposals"].as_array().unwrap();
    let columns: Vec<Value> = proposals
        .iter()
        .filter_map(|proposal| proposal.get("column"))
        .map(|column| json!([column["source"], column["from"], column["to"]]))
        .collect();
    assert_eq!(
        json!(columns),
        json!([
            ["b.csv", "Label", "label"],
            ["b.csv", "Text", "text"],
            ["d.tsv", "utterance", "text"],
            ["d.tsv", "intent", "label"]
        ]),
        "what the mapping says, and nothing else"
    );
    let rest: Vec<&Value> = proposals.iter().filter(|proposal| proposal.get("column").is_none()).collect();
    let class = json!({"class": {"source": "b.csv", "column": "label", "from": "Card arrival", "to": "card_arrival"}});
    let numbers = json!({"numbers": {"source": "c.jsonl", "column": "label", "numbers": ["0", "1"], "names": ["Card arrival", "age_limit", "card_arrival"]}});
    assert_eq!(rest, [&class, &numbers]);

    let more = ["--accept", "--class", "c.jsonl:label:0=card_arrival", "--class", "c.jsonl:label:1=age_limit"];
    let output = place.run(&[&["collect", "-o", "all.sources.json"][..], &more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = read(&shared("reference/collect/many").unwrap().join("expected.json"));
    let rows = exported(&place, &place.path("all.sources.json"), &[]);
    assert_eq!(json!(picked(&rows, &["id", "text", "label", "source", "extra", "_source", "_row"])), expected["rows"]);
    assert_eq!(place.json(&["collect", "-o", "all.sources.json", "--json"])["proposals"], json!([]), "all is decided");
    // One question stands in two of them, as the reference says (rows 1 and 4).
    let said = place.json(&["collect", "-o", "all.sources.json", "--json"]);
    assert_eq!(said["overlap"], json!([[0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]));
    // Added again, nothing changes; a source of its own is added behind.
    let before = std::fs::read(place.path("all.sources.json")).unwrap();
    place.run(&["collect", "a.csv", "-o", "all.sources.json"]);
    assert_eq!(std::fs::read(place.path("all.sources.json")).unwrap(), before);
    let info = place.run(&["info", "all.sources.json", "--json"]);
    let info: Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!((&info["layout"], &info["sources"][4]["rows"]), (&json!("sources"), &json!(1)));
    assert_eq!(info["classes"]["label"], json!({"card_arrival": 4, "age_limit": 4}));
}

#[test]
fn patterns_sheets_folders_and_options_are_sources_too() {
    let place = Place::new();
    std::fs::create_dir(place.path("logs")).unwrap();
    std::fs::write(place.path("logs/a.csv"), "text;label\nGr\u{fc}n;x\n").unwrap();
    std::fs::write(place.path("logs/b.csv"), "text;label;more\nblau;y;1\n").unwrap();
    std::fs::write(place.path("late.txt"), "a title\ntext\tlabel\nrot\tx\n").unwrap();
    let list = json!({"lapidary": "sources/1", "columns": ["label", "text"], "sources": [
        {"id": "logs", "read": "logs/*.csv", "options": {"delimiter": ";"}},
        {"id": "late", "read": "late.txt", "options": {"header": 2, "delimiter": "\\t"}, "columns": {"label": null}},
    ]});
    std::fs::write(place.path("x.sources.json"), list.to_string()).unwrap();
    let dataset = open(&place.path("x.sources.json")).unwrap();
    assert_eq!(
        dataset.fields().iter().map(|field| &*field.name).collect::<Vec<_>>(),
        ["label", "text", "more", "_source", "_file", "_row"]
    );
    assert_eq!(
        json!(cells(&dataset, &["label", "text", "more", "_source", "_file", "_row"])),
        json!([
            ["x", "Grün", null, "logs", "logs/a.csv", 0],
            ["y", "blau", "1", "logs", "logs/b.csv", 0],
            [null, "rot", null, "late", "late.txt", 0]
        ])
    );
    // What a row is, is what it says, and not where it stands: another file before it changes nothing of that.
    let before = dataset.content_hash(SampleId(2));
    std::fs::write(place.path("logs/0.csv"), "text;label\nneu;x\n").unwrap();
    let after = open(&place.path("x.sources.json")).unwrap();
    assert_eq!((after.rows(), after.content_hash(SampleId(3))), (4, before));
    assert_ne!(after.base.origin.fingerprint, dataset.base.origin.fingerprint, "that it changed is noticed");
}

#[test]
fn edits_of_a_collected_dataset_follow_their_rows_when_a_source_changes() {
    let place = Place::new();
    if !many(&place) {
        return;
    }
    let run = |words: &[&str]| {
        let output = place.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    };
    run(&[&["collect"][..], &MANY, &["-o", "all.sources.json", "--accept"]].concat());
    run(&["relabel", "all.sources.json", "--rows", "6", "--column", "label", "--to", "card_arrival"]);
    run(&["exclude", "all.sources.json", "--rows", "1"]);
    // A source gets a row before the others: the edits are not applied to whatever stands at their numbers.
    std::fs::write(
        place.path("a.csv"),
        "id,text,label\n9,Is it new?,age_limit\n1,How do I locate my card?,card_arrival\n2,Is there an age limit?,age_limit\n",
    )
    .unwrap();
    let refused = place.run(&["info", "all.sources.json"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("carry"), "{}", String::from_utf8_lossy(&refused.stderr));
    run(&["carry", "all.sources.json"]);
    let said = run(&["export", "all.sources.json", "--own-columns", "--with-excluded", "-o", "out.jsonl"]);
    drop(said);
    let rows: Vec<Value> = std::fs::read_to_string(place.path("out.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |text: &str| rows.iter().find(|row| row["text"] == text).unwrap();
    assert_eq!(of("Can my son have a card?")["label"], json!("card_arrival"));
    assert_eq!(
        rows.iter().filter(|row| row["lapidary_excluded"] == json!(true)).map(|row| &row["_source"]).collect::<Vec<_>>(),
        [&json!("a.csv")]
    );
    assert_eq!(rows.len(), 9);
}

#[test]
fn each_source_is_saved_in_its_own_form_with_its_edits() {
    let place = Place::new();
    if !many(&place) {
        return;
    }
    place.done(
        &[&["collect"][..], &MANY, &["-o", "all.sources.json", "--accept", "--class", "c.jsonl:label:0=card_arrival"]].concat(),
    );
    place.done(&["relabel", "all.sources.json", "--rows", "2,4", "--column", "label", "--to", "card_arrival"]);
    place.done(&["exclude", "all.sources.json", "--rows", "1"]);
    place.done(&["column", "all.sources.json", "--name", "n", "--is", "if(starts(text, \"Can\"), words(text))"]);
    place.done(&["export", "all.sources.json", "--each-source", "-o", "out"]);
    let text = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    // A row that was excluded is gone, and every other byte is as it was.
    assert_eq!(text("out/a.csv"), "id,text,label\n1,How do I locate my card?,card_arrival\n");
    // Nothing was edited here: "Card arrival" is what this file calls the class, and it was that class already.
    assert_eq!(text("out/b.csv"), text("b.csv"));
    // A class goes back to what this file calls it: 0.
    assert_eq!(text("out/c.jsonl"), text("c.jsonl").replace("\"label\": 1", "\"label\": 0"));
    // A column that was made stands where its samples are.
    assert_eq!(text("out/d.tsv"), "utterance\tintent\tn\nCan my son have a card?\tage_limit\t6\n");
    assert_eq!(exported(&place, &place.path("out/e.parquet"), &[]).len(), 1);
    // Where a sample comes from is nobody's to write.
    assert_eq!(place.status(&["relabel", "all.sources.json", "--rows", "2", "--column", "_source", "--to", "me"]), 2);
    assert_eq!(place.status(&["column", "all.sources.json", "--name", "_row", "--is", "1"]), 2);
    // No source is ever written over, by whatever name.
    for name in ["a.csv", "./b.csv", "e.parquet", "all.sources.json"] {
        let before = std::fs::read(place.path(name)).unwrap();
        assert_eq!(place.status(&["export", "all.sources.json", "-o", name]), 2, "{name}");
        assert_eq!(std::fs::read(place.path(name)).unwrap(), before);
    }
    assert_eq!(place.status(&["export", "all.sources.json", "--each-source", "-o", "out"]), 2, "the folder is not empty");
}

#[test]
fn a_list_lies_in_a_folder_that_it_names_and_nothing_is_saved_into_one() {
    let place = Place::new();
    std::fs::create_dir(place.path("set")).unwrap();
    std::fs::write(place.path("set/a.csv"), "text,label\nx,y\n").unwrap();
    place.done(&["collect", "set", "-o", "set/all.sources.json"]);
    assert_eq!(place.json(&["info", "set/all.sources.json", "--json"])["rows"], json!(1));
    place.done(&["collect", "set", "-o", "all.sources.json"]);
    for out in ["set/a.csv", "set/new.csv", "set/deep/new.csv"] {
        assert_eq!(place.status(&["export", "all.sources.json", "-o", out]), 2, "{out}");
    }
    assert_eq!(place.status(&["export", "all.sources.json", "--each-source", "-o", "set/parts"]), 2);
    assert_eq!(std::fs::read_to_string(place.path("set/a.csv")).unwrap(), "text,label\nx,y\n");
    assert_eq!(std::fs::read_dir(place.path("set")).unwrap().count(), 2);
}

#[test]
fn a_list_that_says_what_it_may_not_is_one_line() {
    let place = Place::new();
    std::fs::write(place.path("a.csv"), "text,label,Label\nx,y,z\n").unwrap();
    std::fs::write(
        place.path("self.sources.json"),
        r#"{"lapidary": "sources/1", "sources": [{"id": "s", "read": "self.sources.json"}]}"#,
    )
    .unwrap();
    for (list, why) in [
        (r#"{"lapidary": "sources/1", "sources": []}"#, "no source"),
        (r#"{"lapidary": "sources/9", "sources": [{"id": "a", "read": "a.csv"}]}"#, "sources/9"),
        (r#"{"lapidary": "sources/1", "sources": [{"id": "a", "read": "a.csv"}, {"id": "a", "read": "b.csv"}]}"#, "two sources"),
        (r#"{"lapidary": "sources/1", "sources": [{"id": "a", "read": "none.csv"}]}"#, "there is no \"none.csv\""),
        (r#"{"lapidary": "sources/1", "sources": [{"id": "a", "read": "a.csv", "colums": {}}]}"#, "unknown field `colums`"),
        (r#"{"lapidary": "sources/1", "sources": [{"id": "a", "read": "a.csv", "columns": {"Label": "label"}}]}"#, "two columns"),
        (
            r#"{"lapidary": "sources/1", "sources": [{"id": "a", "read": "a.csv", "options": {"delimiter": "ab"}}]}"#,
            "one character",
        ),
        (
            r#"{"lapidary": "sources/1", "sources": [{"id": "a", "read": "postgresql://me@there/db"}]}"#,
            "nothing was sent there yet",
        ),
        (r#"{"lapidary": "sources/1", "sources": [{"id": "a", "read": "https://there/a.csv"}]}"#, "address"),
        (r#"{"lapidary": "sources/1", "sources": [{"id": "a", "read": "self.sources.json"}]}"#, "list of sources itself"),
        (r#"{"lapidary": "sources/1", "sources": ["#, "EOF"),
    ] {
        std::fs::write(place.path("bad.sources.json"), list).unwrap();
        let said = open(&place.path("bad.sources.json")).err().unwrap();
        assert!(said.contains(why) && !said.contains('\n'), "{list}: {said}");
    }
    let deep = open(&place.path("self.sources.json")).err().unwrap();
    assert!(deep.contains("list of sources itself"), "{deep}");
    let mut list = SourcesFile::default();
    assert_eq!([list.add("b/a.csv", &Reading::default()), list.add("c/a.csv", &Reading::default())], ["a.csv", "a.csv 2"]);
}

/// What a folder opens to: the cells of some columns.
fn opened(path: &Path, names: &[&str]) -> Value {
    json!(cells(&open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())), names))
}

#[test]
fn folders_of_the_hub_open_as_their_cards_and_names_say() {
    let Some(folder) = shared("reference/collect/hf") else { return };
    let place = Place::new();
    let answers = &read(&folder.join("expected.json"))["answers"];
    for name in ["names", "folders", "shards_own_split", "dir_wins"] {
        let dataset = open(&folder.join("by_name").join(name)).unwrap();
        let mut found: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
        for row in cells(&dataset, &["split", "file"]) {
            let files = found.entry(row[0].as_str().unwrap().to_owned()).or_default();
            if files.last().map(String::as_str) != row[1].as_str() {
                files.push(row[1].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(json!(found), answers[&format!("by_name/{name}")], "{name}");
    }
    // The reference drops the third file without a word.
    assert_eq!(open(&folder.join("by_name/mixed")).unwrap().rows(), 3);
    assert_eq!(open(&folder.join("by_name/hidden")).unwrap().rows(), 1);
    assert!(open(&folder.join("by_name/no_split")).unwrap().field("split").is_none());

    // Configurations: the default, and any by its name, each file by what it is.
    assert_eq!(
        opened(&folder.join("repo_configs"), &["text", "label"]),
        json!([["Where is my card?", "card_arrival"], ["How old must I be?", "age_limit"]])
    );
    let configs = open(&folder.join("repo_configs")).unwrap();
    assert_eq!(
        (configs.base.origin.sheets.clone(), configs.base.origin.sheet.as_deref()),
        (vec!["english".to_owned(), "german".to_owned(), "both_train".to_owned()], Some("english"))
    );
    let german = Reading { sheet: Some("german".to_owned()), ..Reading::default() };
    let german = io::open(&folder.join("repo_configs"), &german, &Progress::silent(), &|_| {}).unwrap();
    let mut rows = cells(&german, &["text", "label", "split"]);
    rows.reverse();
    assert_eq!(json!(rows), answers["repo_configs/german"]["what_a_person_means"]);
    let none = Reading { sheet: Some("french".to_owned()), ..Reading::default() };
    let said = io::open(&folder.join("repo_configs"), &none, &Progress::silent(), &|_| {}).err().unwrap().to_string();
    assert!(said.contains("english, german"), "{said}");
    for (name, sizes) in [("repo_shards", [12, 3]), ("saved_dict", [12, 3])] {
        let rows = exported(&place, &folder.join(name), &[]);
        let of = |part: &str| rows.iter().filter(|row| row["split"] == *part).count();
        assert_eq!([of("train"), of("test")], sizes, "{name}");
        assert!(rows.iter().all(|row| row["label"].as_str().unwrap().contains('_')), "classes by name");
    }
    assert_eq!(exported(&place, &folder.join("saved_one"), &[]).len(), 5);
    // The numbers of classes mean what each file says that they mean: the reference reads two of four wrong.
    let classes = exported(&place, &folder.join("class_order"), &[]);
    assert_eq!(json!(picked(&classes, &["text", "label"])), answers["class_order"]["right"]);
}

#[test]
fn files_that_differ_in_columns_are_one_table_where_most_are_shared() {
    let Some(folder) = shared("reference/collect/hf/columns") else { return };
    let more = open(&folder.join("csv_more_columns")).unwrap();
    assert_eq!(
        (more.rows(), more.fields().iter().map(|field| field.name.to_string()).collect::<Vec<_>>()),
        (2, ["text", "label", "extra", "file"].map(str::to_owned).to_vec())
    );
    assert!(more.base.warnings[0].reason.contains("\"extra\" more"), "{:?}", more.base.warnings);
    for name in ["csv_other_order", "csv_int_then_text", "jsonl_missing", "jsonl_new", "jsonl_mixed_type", "jsonl_null_first"] {
        assert!(open(&folder.join(name)).unwrap().rows() >= 2, "{name}");
    }
    let numbers = exported(&Place::new(), &folder.join("parquet_int_float"), &[]);
    assert!(numbers.iter().flat_map(|row| row.values()).any(|cell| *cell == json!(1.5)), "{numbers:?}");
}

#[cfg(unix)]
#[test]
fn links_lead_no_further_than_the_hubs_own_cache() {
    let Some(folder) = shared("reference/collect/hf/cache") else { return };
    let place = Place::new();
    let hub = place.path("datasets--me--tiny");
    let snapshot = hub.join("snapshots/0123/data");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(hub.join("blobs")).unwrap();
    std::fs::copy(folder.join("hub/datasets--me--tiny/blobs/aa11"), hub.join("blobs/aa11")).unwrap();
    std::os::unix::fs::symlink("../../../blobs/aa11", snapshot.join("test-00000-of-00001.parquet")).unwrap();
    assert_eq!(exported(&place, &hub.join("snapshots/0123"), &[]).len(), 3);
    // A link to anywhere else is no file of the folder.
    std::fs::write(place.path("secret.csv"), "text,label\nsecret,x\n").unwrap();
    std::fs::create_dir(place.path("set")).unwrap();
    std::fs::write(place.path("set/a.csv"), "text,label\nfine,x\n").unwrap();
    std::os::unix::fs::symlink(place.path("secret.csv"), place.path("set/b.csv")).unwrap();
    assert_eq!(opened(&place.path("set"), &["text"]), json!([["fine"]]));
    std::fs::write(place.path("set/README.md"), "---\nconfigs:\n- config_name: default\n  data_files: ../*.csv\n---\n").unwrap();
    assert!(open(&place.path("set")).err().unwrap().contains("outside of it"));
}
