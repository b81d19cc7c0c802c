//! Watching new data: distances and tests as scipy and evidently have them, few alarms where nothing moved, what was planted found. Reads `../shared` and says so where it is not there.

use lapidary::chance::Chance;
use lapidary::learn::drift::{ChiSquare, CountDrift, NumberDrift};
use serde_json::{Value, json};

use super::train::{Place, near, table};
use super::trainers::{read, shared};

#[test]
fn distances_and_tests_are_the_references_to_the_digit() {
    let Some(folder) = shared("reference/monitor/drift") else { return };
    let golden = read(&folder.join("drift.json"));
    let rows = table(&folder.join("drift_inputs.parquet"));
    let mut met = 0;
    for (name, of) in golden["cases"].as_object().unwrap() {
        let wanted = &of["distances"];
        if of["kind"] == "num" {
            let numbers = |part: &str| -> Vec<f64> {
                let own = rows.iter().filter(|row| row["case"] == *name && row["part"] == part);
                // JSON has no infinite numbers: the column comes as texts.
                own.filter_map(|row| row["num"].as_str()?.parse::<f64>().ok()).filter(|x| x.is_finite()).collect()
            };
            let ours = NumberDrift::of(&numbers("reference"), &numbers("current")).unwrap();
            near(ours.ks, &wanted["ks"], 1e-12, &format!("{name}: KS"));
            near(ours.ks_p, &wanted["ks_p"], 1e-9, &format!("{name}: p of KS"));
            near(ours.wasserstein, &wanted["wasserstein"], 1e-12, &format!("{name}: Wasserstein"));
            near(ours.wasserstein_normed, &wanted["wasserstein_normed"], 1e-12, &format!("{name}: Wasserstein normed"));
            near(ours.binned.psi, &wanted["psi"], 1e-12, &format!("{name}: PSI"));
            near(ours.binned.js, &wanted["js_distance"], 1e-12, &format!("{name}: JS"));
            met += 1;
        }
        let Some(counts) = wanted["reference_counts"].as_array() else { continue };
        let list = |of: &Value| of.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect::<Vec<u64>>();
        let (first, second) = (list(&json!(counts)), list(&wanted["current_counts"]));
        let ours = CountDrift::of(&first, &second).unwrap();
        near(ours.total_variation, &wanted["tvd"], 1e-12, &format!("{name}: total variation"));
        near(ours.hellinger, &wanted["hellinger"], 1e-9, &format!("{name}: Hellinger"));
        near(ours.psi, &wanted["psi"], 1e-12, &format!("{name}: PSI of counts"));
        if wanted["chi2_two_sample"].is_number() {
            let ours = ChiSquare::of(&first, &second);
            near(ours.statistic, &wanted["chi2_two_sample"], 1e-9, &format!("{name}: chi square"));
            near(ours.p, &wanted["chi2_two_sample_p"], 1e-12, &format!("{name}: its p"));
        }
        met += 1;
    }
    assert!(met > 25, "{met}");
}

/// A table of a number, a class among six, one among many, and a rare flag; `moved` says by how much the number moved and how common the flag is.
fn drawn(n: usize, chance: &mut Chance, (by, flag): (f64, f64)) -> String {
    let mut text = "size,kind,word,flag\n".to_owned();
    for _ in 0..n {
        let normal = (0..12).map(|_| chance.part()).sum::<f64>() - 6.0 + by;
        let kind = ["a", "b", "c", "d", "e", "f"][(chance.part().powi(2) * 6.0) as usize];
        let word = (chance.part().powi(3) * 77.0) as usize;
        text.push_str(&format!("{normal:.6},{kind},w{word},{}\n", if chance.happens(flag) { "yes" } else { "no" }));
    }
    text
}

#[test]
fn where_nothing_moved_few_batches_cry_wolf_and_what_moved_is_found() {
    use lapidary::io::{self, Reading};
    use lapidary::job::Progress;
    use lapidary::monitor::{Against, LogColumns, LogCut};
    use lapidary::operate::{LookBy, look_at};
    let place = Place::new();
    let open = |text: String| {
        std::fs::write(place.path("t.csv"), text).unwrap();
        io::open(&place.path("t.csv"), &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
    };
    let moved = |seed: u64, sizes: (usize, usize), what: (f64, f64)| -> Vec<String> {
        let mut chance = Chance::new(seed);
        let dataset = open(drawn(sizes.0, &mut chance, (0.0, 0.02)));
        let batch = open(drawn(sizes.1, &mut chance, what));
        let (columns, rows): (_, Vec<_>) = (LogColumns::proposed(&dataset, &batch), batch.samples().collect());
        let by = LookBy {
            log: &batch,
            columns: &columns,
            rows: &rows,
            run: None,
            against: &Against::Train,
            before: None,
            kept: &[],
            cut: &LogCut::Whole,
            seed: 1,
        };
        let report = look_at(&dataset, &by, &Progress::silent()).unwrap().report;
        assert_eq!(report.columns.len(), 4, "{:?}", report.left);
        report.moved().map(|one| one.column.clone()).collect()
    };
    // All four columns of a batch together: at most one in twenty, and what sixty draws say of that.
    let few = [50, 100, 500, 1_000].map(|n| (1_000, n));
    let many = [50, 100, 200, 500, 1_000, 5_000].map(|n| (5_000, n));
    let mut all = 0;
    for sizes in few.into_iter().chain(many) {
        let alarms = (0..60).filter(|seed| !moved(*seed, sizes, (0.0, 0.02)).is_empty()).count();
        println!("{sizes:?}: {alarms} of 60 batches without drift called moved");
        assert!(alarms <= 7, "{sizes:?}: {alarms} of 60");
        all += alarms;
    }
    assert!(all <= 30, "{all} of 600 batches without drift, which is more than one in twenty");
    // A rare flag alone, twice as common, in 1,000 rows a side.
    let flags = |seed: u64, share: f64| {
        let mut chance = Chance::new(seed);
        open((0..1_000).fold("flag\n".to_owned(), |text, _| text + if chance.happens(share) { "yes\n" } else { "no\n" }))
    };
    let alone = |seed: u64| {
        let (dataset, batch) = (flags(300 + seed, 0.02), flags(900 + seed, 0.04));
        let (columns, rows): (_, Vec<_>) = (LogColumns::default(), batch.samples().collect());
        let by = LookBy {
            log: &batch,
            columns: &columns,
            rows: &rows,
            run: None,
            against: &Against::All,
            before: None,
            kept: &[],
            cut: &LogCut::Whole,
            seed: 1,
        };
        look_at(&dataset, &by, &Progress::silent()).unwrap().report.moved().next().is_some()
    };
    let found = (0..100).filter(|seed| alone(*seed)).count();
    println!("a flag twice as common in 1,000 and 1,000 rows is found in {found} of 100 draws");
    assert!(found >= 65, "{found} of 100");
    // Half a deviation in 200 rows; a rare flag three times as common.
    let found = (0..20).filter(|seed| moved(100 + seed, (2_000, 200), (0.5, 0.02)) == ["size"]).count();
    assert!(found >= 17, "{found} of 20");
    let found = (0..20).filter(|seed| moved(200 + seed, (2_000, 1_000), (0.0, 0.06)).contains(&"flag".to_owned())).count();
    assert!(found >= 17, "{found} of 20");
}

#[test]
fn a_batch_is_said_in_plain_words_and_a_nightly_job_can_fail_on_it() {
    let place = Place::new();
    let mut chance = Chance::new(7);
    std::fs::write(place.path("t.csv"), drawn(1_500, &mut chance, (0.0, 0.02))).unwrap();
    std::fs::write(place.path("same.csv"), drawn(900, &mut chance, (0.0, 0.02))).unwrap();
    let mut other = drawn(900, &mut chance, (1.0, 0.02)).replace(",w3,", ",unheard_of,");
    other.push_str(&",a,w1,no\n".repeat(200));
    std::fs::write(place.path("other.csv"), other).unwrap();
    let said = |batch: &str, more: &[&str]| place.json(&[&["monitor", "t.csv", "--batch", batch, "--json"], more].concat());
    let same = said("same.csv", &["--fail-on", "moved"]);
    assert_eq!(same["moved"], json!([]), "{same}");
    let found = said("other.csv", &[]);
    let moved: Vec<&str> = found["moved"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(moved.contains(&"size") && moved.contains(&"word"), "{found}");
    let words = found["columns"].to_string();
    assert!(words.contains("new: unheard_of") && words.contains("missing 18.2 %"), "{words}");
    let failed = place.status(&["monitor", "t.csv", "--batch", "other.csv", "--fail-on", "moved"]);
    assert_eq!((failed, place.status(&["monitor", "t.csv", "--batch", "same.csv", "--fail-on", "moved"])), (1, 0));
    // Few rows are no reason for alarm, and none to be calm.
    std::fs::write(place.path("few.csv"), drawn(30, &mut chance, (0.0, 0.02))).unwrap();
    assert!(said("few.csv", &[])["words"].as_str().unwrap().contains("too few to tell"));
    std::fs::write(place.path("empty.csv"), "size,kind,word,flag\n").unwrap();
    std::fs::write(place.path("strange.csv"), "x,y\n1,2\n").unwrap();
    assert!(place.refused(&["monitor", "t.csv", "--batch", "empty.csv"]).contains("no rows"));
    assert!(place.refused(&["monitor", "t.csv", "--batch", "strange.csv"]).contains("no column of the dataset"));
    assert!(place.refused(&["monitor", "t.csv"]).contains("--batch"));
    assert!(place.refused(&["monitor", "t.csv", "--batch", "same.csv", "--fail-on", "rain"]).contains("moved"));
}

#[test]
fn a_few_foreign_texts_are_found_and_named() {
    let Some(folder) = shared("data") else { return };
    let text = std::fs::read_to_string("assets/samples/gsm8k.jsonl").unwrap();
    let question = |line: &str| serde_json::from_str::<Value>(line).unwrap()["question"].as_str().unwrap().to_owned();
    let foreign: Vec<String> = text.lines().map(question).collect();
    let place = Place::new();
    let Ok(bank) = std::fs::read_to_string(folder.join("banking77/train.csv")) else {
        println!("skipped: banking77 is not there");
        return;
    };
    let rows: Vec<&str> = bank.lines().skip(1).collect();
    let mut chance = Chance::new(3);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    chance.shuffle(&mut order);
    let drawn_up = |list: &[usize], foreign: &[String]| {
        let mut text = "text,category\n".to_owned();
        list.iter().for_each(|at| text.push_str(&format!("{}\n", rows[*at])));
        foreign
            .iter()
            .for_each(|one| text.push_str(&format!("{},card_arrival\n", serde_json::to_string(&one.replace('"', "'")).unwrap())));
        text
    };
    std::fs::write(place.path("bank.csv"), drawn_up(&order[..900], &[])).unwrap();
    std::fs::write(place.path("same.csv"), drawn_up(&order[900..1_500], &[])).unwrap();
    std::fs::write(place.path("foreign.csv"), drawn_up(&order[1_500..2_040], &foreign[..60])).unwrap();
    let said = |batch: &str| -> Value {
        let found = place.json(&["monitor", "bank.csv", "--batch", batch, "--role", "text=text", "--json"]);
        found["columns"].as_array().unwrap().iter().find(|one| one["column"] == "text").unwrap().clone()
    };
    let (same, tenth) = (said("same.csv"), said("foreign.csv"));
    assert_ne!(same["verdict"], "moved", "{same}");
    assert_eq!(tenth["verdict"], "moved", "{tenth}");
    let newest = tenth["values"]["newest"].as_array().unwrap();
    let hits = newest.iter().take(15).filter(|one| one["row"].as_u64().unwrap() >= 540).count();
    assert!(hits >= 10, "{hits} of the 15 newest are foreign, of whom there is one in ten");
}
