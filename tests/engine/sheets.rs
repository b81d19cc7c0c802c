//! Workbooks and databases: what a cell says is kept as it is, and what is left out or named is said. Reads `../shared` and says so where it is not there.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::train::Place;
use super::trainers::{read, shared};

/// The rows of a file as the program opens it: columns, cells (null where there is none), and what it says on the way.
fn opened(place: &Place, name: &str, more: &[&str]) -> (Vec<String>, Vec<Vec<Value>>, String) {
    let to = place.path("rows.jsonl");
    let _ = std::fs::remove_file(&to);
    let output = place.run(&[&["export", name, "--no-project", "-o", "rows.jsonl"], more].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {said}");
    let text = std::fs::read_to_string(to).unwrap();
    let rows: Vec<serde_json::Map<String, Value>> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap().as_object().unwrap().clone()).collect();
    let columns: Vec<String> = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    let cells = rows.iter().map(|row| columns.iter().map(|name| row[name].clone()).collect()).collect();
    (columns, cells, said)
}

fn copied(place: &Place, folder: &Path, names: &[&str]) {
    for name in names {
        std::fs::copy(folder.join(name), place.path(name)).unwrap();
    }
}

#[test]
fn a_workbooks_cells_say_what_they_said_there() {
    let Some(folder) = shared("reference/collect/xlsx") else { return };
    let place = Place::new();
    copied(&place, &folder, &["questions.xlsx", "mac1904.xlsx"]);
    let (columns, rows, _) = opened(&place, "questions.xlsx", &[]);
    assert_eq!(
        columns,
        ["id", "text", "category", "column D", "asked", "at", "score", "done", "text (2)", "share"],
        "blank and doubled headers are named; a column that only has a format is none"
    );
    let cell = |row: usize, column: &str| rows[row][columns.iter().position(|name| name == column).unwrap()].clone();
    // Codes and zeros of a format, what pandas takes for nothing, a text that looks like a formula, seventeen digits.
    assert_eq!([cell(0, "id"), cell(1, "id"), cell(2, "id")], [json!("00123"), json!("00123"), json!("00007")]);
    assert_eq!((cell(3, "text"), cell(3, "category"), cell(3, "column D")), (json!("#N/A"), json!("NA"), json!("NULL")));
    assert_eq!((cell(2, "text (2)"), cell(4, "text")), (json!("=SUM(1,2)"), json!("12345678901234567")));
    assert_eq!(cell(1, "text"), json!("Is there an age limit?\nFor my son"));
    assert_eq!(cell(2, "text"), json!(" leading and trailing "));
    assert_eq!(cell(5, "text"), json!("rich bold text"));
    // Dates without a time are dates; a time is a time; 1900 is 1900.
    let asked: Vec<Value> = [0, 1, 3, 4].map(|row| cell(row, "asked")).to_vec();
    assert_eq!(json!(asked), json!(["2024-01-02", "2024-01-02T14:30:15", "2024-01-02", "1900-02-28"]));
    assert_eq!(cell(0, "at"), json!("14:00:00"));
    assert_eq!((cell(0, "share"), cell(0, "done")), (json!(0.125), json!("true")));
    // The empty row is gone, the hidden one is not, and what was merged goes down.
    assert_eq!(rows.iter().filter(|row| row.iter().all(Value::is_null)).count(), 0);
    let at = |text: &str| rows.iter().position(|row| row[1] == json!(text)).unwrap();
    assert_eq!(cell(at("second of a merged class"), "category"), json!("card_arrival"));
    assert!(rows.iter().any(|row| row[1] == json!("in a hidden row")));
    // Another sheet, by name: what stands above the table is left out, and its total below is a row like any other.
    let (columns, rows, _) = opened(&place, "questions.xlsx", &["--sheet", "Report"]);
    assert_eq!(columns, ["text", "label", "n"]);
    assert_eq!(
        json!(rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>()),
        json!(["Where is my card?", "How old must I be?", "Total"])
    );
    let refused = place.refused(&["export", "questions.xlsx", "--sheet", "Nothing", "-o", "x.csv"]);
    assert!(refused.contains("there is no sheet \"Nothing\"") && refused.contains("Report"), "{refused}");
    let (_, rows, _) = opened(&place, "mac1904.xlsx", &[]);
    assert_eq!(rows[0][1], json!("2024-01-02"), "the other calendar");
}

#[test]
fn an_open_documents_repeats_are_rows_and_its_empty_million_is_none() {
    let Some(folder) = shared("reference/collect/ods") else { return };
    let place = Place::new();
    copied(&place, &folder, &["questions.ods", "repeats.ods"]);
    let golden = read(&folder.join("expected_pandas.json"));
    let (columns, rows, _) = opened(&place, "questions.ods", &[]);
    assert_eq!(json!(columns), golden["questions.ods"]["Questions"]["columns"]);
    let texts = |rows: &[Vec<Value>]| rows.iter().map(|row| row[1].clone()).collect::<Vec<_>>();
    let wanted: Vec<Value> =
        golden["questions.ods"]["Questions"]["rows"].as_array().unwrap().iter().map(|row| row[1].clone()).collect();
    assert_eq!(texts(&rows), wanted);
    assert_eq!(json!(rows.iter().map(|row| row[3].clone()).collect::<Vec<_>>()), json!(["2024-01-02", null, "1999-12-31"]));
    let (_, rows, _) = opened(&place, "questions.ods", &["--sheet", "More"]);
    assert_eq!(rows.len(), 1);
    let (columns, rows, _) = opened(&place, "repeats.ods", &[]);
    assert_eq!(columns, ["text", "label", "label (2)"]);
    let filled: Vec<Value> = golden["repeats.ods"]["Repeats"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row.as_array().unwrap().iter().any(|cell| !cell.is_null()))
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), filled);
}

#[test]
fn a_databases_tables_keep_their_types_and_nothing_of_it_is_written() {
    let Some(folder) = shared("reference/collect/sqlite") else { return };
    let place = Place::new();
    copied(&place, &folder, &["tickets.db"]);
    let before = std::fs::read(place.path("tickets.db")).unwrap();
    let golden = read(&folder.join("expected_sqlite3.json"));
    for (name, wanted) in golden["tables"].as_object().unwrap() {
        if wanted["rows"].as_array().unwrap().is_empty() {
            continue;
        }
        let (columns, rows, _) = opened(&place, "tickets.db", &["--sheet", name]);
        assert_eq!(json!(columns), wanted["columns"], "{name}");
        assert_eq!(rows.len(), wanted["rows"].as_array().unwrap().len(), "{name}");
        for (own, theirs) in rows.iter().zip(wanted["rows"].as_array().unwrap()) {
            for (own, theirs) in own.iter().zip(theirs.as_array().unwrap()) {
                let same = match theirs {
                    // Bytes have a spelling of their own.
                    Value::String(text) if text.starts_with("hex:") => true,
                    Value::Number(_) => own.to_string().trim_matches('"').parse::<f64>().unwrap() == theirs.as_f64().unwrap(),
                    other => own == other,
                };
                assert!(same, "{name}: {own} and not {theirs}");
            }
        }
    }
    // The table with the most rows is the one that is meant.
    let (_, rows, _) = opened(&place, "tickets.db", &[]);
    assert_eq!(rows.len(), 5);
    let (_, rows, _) = opened(&place, "tickets.db", &["--sheet", "tickets"]);
    assert!(rows.iter().any(|row| row[0] == json!(9_007_199_254_740_993_i64)), "an id beyond 2^53 keeps its last digit");
    assert!(place.refused(&["export", "tickets.db", "--sheet", "x", "-o", "x.csv"]).contains("there is no table"));
    assert_eq!(std::fs::read(place.path("tickets.db")).unwrap(), before);
    // A project of ours is none of these.
    std::fs::write(place.path("a.csv"), "text,label\nx,y\n").unwrap();
    place.done(&["relabel", "a.csv", "--rows", "0", "--column", "label", "--to", "z"]);
    assert!(place.refused(&["export", "a.csv.lapidary", "-o", "x.csv"]).contains("open its dataset"));
}

#[test]
fn edits_of_a_workbook_are_kept_beside_it_and_a_torn_one_is_a_line() {
    let Some(folder) = shared("reference/collect") else { return };
    let place = Place::new();
    copied(&place, &folder.join("xlsx"), &["questions.xlsx"]);
    copied(&place, &folder.join("sqlite"), &["tickets.db"]);
    place.done(&["relabel", "questions.xlsx", "--rows", "0", "--column", "category", "--to", "lost_card"]);
    place.done(&["export", "questions.xlsx", "-o", "out.csv"]);
    assert!(std::fs::read_to_string(place.path("out.csv")).unwrap().lines().nth(1).unwrap().contains("lost_card"));
    assert!(place.refused(&["export", "questions.xlsx", "-o", "out.xlsx"]).contains("not written yet"));
    for name in ["questions.xlsx", "tickets.db"] {
        let whole = std::fs::read(place.path(name)).unwrap();
        for cut in [40, whole.len() / 3, whole.len() - 7] {
            let torn = format!("torn-{cut}.{}", name.rsplit('.').next().unwrap());
            std::fs::write(place.path(&torn), &whole[..cut]).unwrap();
            let output = place.run(&["export", &torn, "-o", "t.csv"]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!said.contains("panicked"), "{torn}: {said}");
        }
        // A page of zeros, or of noise, in the middle.
        let mut broken = whole.clone();
        let middle = broken.len() / 2;
        broken[middle..middle + 512].fill(0xa5);
        let path = place.path(&format!("broken.{}", name.rsplit('.').next().unwrap()));
        std::fs::File::create(&path).unwrap().write_all(&broken).unwrap();
        let output = place.run(&["export", path.to_str().unwrap(), "-o", "b.csv"]);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{name}");
    }
}
