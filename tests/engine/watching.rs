//! Batches of new data: how good a model is on them and where it is worst, to the reference's digit; from the log into the dataset and back. Reads `../shared` and says so where it is not there.

use lapidary::chance::Chance;
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::learn::slices::{SliceColumn, slices, telling_slices};
use lapidary::monitor::LogColumns;
use serde_json::{Value, json};

use super::questions::questions;
use super::train::{Place, near, table};
use super::trainers::{read, shared};

#[test]
fn how_good_a_model_is_on_each_batch_is_the_references_to_the_digit() {
    let Some(folder) = shared("reference/monitor/performance") else { return };
    let golden = read(&folder.join("batches.json"));
    let place = Place::new();
    for name in ["reference.parquet", "log.parquet"] {
        std::fs::copy(folder.join(name), place.path(name)).unwrap();
    }
    let found = place.json(&[
        "monitor",
        "reference.parquet",
        "--role",
        "truth=label",
        "--role",
        "prediction=prediction",
        "--batch",
        "log.parquet",
        "--by",
        "batch",
        "--json",
    ]);
    let list = found["batches"].as_array().unwrap();
    assert_eq!(list.len(), 10);
    let past = &list[0]["performance"]["before"];
    near(past["accuracy"].as_f64().unwrap(), &golden["reference"]["accuracy"], 1e-12, "accuracy of the past");
    for side in 0..2 {
        near(past["usual"][side].as_f64().unwrap(), &golden["reference"]["threshold_3sd"][side], 1e-12, "what is usual");
    }
    for wanted in golden["batches"].as_array().unwrap() {
        let name = format!("batch {}", wanted["batch"]);
        let own = list.iter().find(|one| one["batch"] == *name).unwrap_or_else(|| panic!("{name} is not there"));
        assert_eq!(own["meaning"]["probabilities"].as_array().unwrap().len(), 5, "{name}: {}", own["meaning"]);
        let good = &own["performance"];
        assert_eq!((&good["rows"], &good["with_truth"]), (&wanted["rows"], &wanted["with_truth"]), "{name}");
        assert_eq!(good["below_half"], wanted["below_0.5"], "{name}");
        near(good["mean_probability"].as_f64().unwrap(), &wanted["mean_probability"], 1e-12, &name);
        near(good["estimated_accuracy"][0].as_f64().unwrap(), &wanted["estimated_accuracy"], 1e-9, &format!("{name}: estimated"));
        near(
            good["prediction_js"].as_f64().unwrap(),
            &wanted["prediction_js_distance"],
            1e-12,
            &format!("{name}: JS of predictions"),
        );
        if wanted["accuracy"].is_null() {
            assert!(good["accuracy"].is_null(), "{name}");
            continue;
        }
        near(good["accuracy"][0].as_f64().unwrap(), &wanted["accuracy"], 1e-12, &format!("{name}: accuracy"));
        near(good["macro_f1"][0].as_f64().unwrap(), &wanted["macro_f1"], 1e-12, &format!("{name}: macro-F1"));
        assert_eq!(good["worse"], false, "{name}");
    }
    // Two batches are of another mix of classes, and their predictions say so; of four good ones none does.
    let moved = |at: usize| list[at]["moved"].as_array().unwrap().iter().any(|name| name == "prediction");
    assert_eq!((0..6).map(moved).collect::<Vec<_>>(), [false, false, false, false, true, true]);
    // In a worse model's batches it says 0.67 where 0.51 is true: the words that belong to it stand there.
    let words = list[6]["performance"]["words"].to_string();
    assert!(words.contains("if classes and their looks stay the same"), "{words}");
    assert!(list[6]["moved"].as_array().unwrap().iter().any(|name| name == "how sure"), "{}", list[6]["moved"]);
}

#[test]
fn worst_slices_are_the_references_to_the_digit_and_the_planted_ones_alone_are_shown() {
    let Some(folder) = shared("reference/monitor/slices") else { return };
    let golden = read(&folder.join("slices.json"));
    let rows = table(&folder.join("log.parquet"));
    let names = ["channel", "region", "plan", "language", "length", "device"];
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for name in names {
        let list: Vec<&str> = rows.iter().map(|row| row[name].as_str().unwrap()).collect();
        let mut own = list.clone();
        own.sort_unstable();
        own.dedup();
        let codes = list.iter().map(|value| own.binary_search(value).unwrap() as u32).collect();
        columns.push(SliceColumn { codes, values: own.len() });
        values.push(own);
    }
    let wrong: Vec<bool> = rows.iter().map(|row| row["error"] == 1).collect();
    let losses: Vec<f64> = rows.iter().map(|row| row["loss"].as_f64().unwrap()).collect();
    let all = slices(&columns, &wrong, Some(&losses), 30, &Progress::silent()).unwrap();
    assert_eq!(json!(all.len()), golden["slices_searched"]);
    for wanted in ["sliceline_top", "slicefinder_effect_0.4", "by_q"].iter().flat_map(|list| golden[*list].as_array().unwrap()) {
        let of: Vec<(usize, u32)> = (0..names.len())
            .filter_map(|at| {
                let value = wanted["slice"][names[at]].as_str()?;
                Some((at, values[at].iter().position(|own| *own == value).unwrap() as u32))
            })
            .collect();
        let own = all.iter().find(|slice| slice.of == of).unwrap();
        let (effect, t, p) = own.losses.unwrap();
        assert_eq!((json!(own.rows), json!(own.wrong)), (wanted["rows"].clone(), wanted["errors"].clone()));
        let figures = [
            (own.rate, "error_rate"),
            (own.rest, "rest_error_rate"),
            (own.sliceline, "sliceline"),
            (effect, "effect_size"),
            (t, "welch_t"),
            (p, "welch_p"),
            (own.p, "binomial_p"),
            (own.q, "binomial_q"),
        ];
        for (ours, name) in figures {
            let theirs = wanted[name].as_f64().unwrap();
            assert!((ours - theirs).abs() <= 1e-10 * theirs.abs(), "{name} of {}: {ours}, {theirs}", wanted["slice"]);
        }
    }
    // By the program, with the columns that it finds itself: the two that were planted, and nothing else.
    let shown = telling_slices(&columns, &wrong, all, 20);
    let words = |of: &[(usize, u32)]| of.iter().map(|(at, code)| values[*at][*code as usize]).collect::<Vec<_>>().join(" ");
    assert_eq!(shown.iter().map(|slice| words(&slice.of)).collect::<Vec<_>>(), ["app north", "free de long"]);
}

fn csv(rows: &[(String, String)], split: bool) -> String {
    let mut text = if split { "text,category,split\n".to_owned() } else { "text\n".to_owned() };
    for (at, (question, theme)) in rows.iter().enumerate() {
        let part = if at % 5 == 4 { "test" } else { "train" };
        text.push_str(&if split { format!("{question},{theme},{part}\n") } else { format!("{question}\n") });
    }
    text
}

#[test]
fn the_whole_story_without_a_window_from_a_log_to_a_better_model_and_back() {
    let place = Place::new();
    let mut chance = Chance::new(11);
    let known = ["card", "rate", "pin"];
    std::fs::write(place.path("t.csv"), csv(&questions(&mut chance, &known.map(|theme| (theme, 60))), true)).unwrap();
    let untouched = std::fs::read(place.path("t.csv")).unwrap();
    for (name, themes) in [("one.csv", &known[..]), ("two.csv", &known[..])] {
        std::fs::write(
            place.path(name),
            csv(&questions(&mut chance, &themes.iter().map(|theme| (*theme, 60)).collect::<Vec<_>>()), false),
        )
        .unwrap();
    }
    // In the third a theme comes up that nobody knew.
    let mut third = questions(&mut chance, &known.map(|theme| (theme, 50)));
    third.extend(questions(&mut chance, &[("crypto", 60)]));
    chance.shuffle(&mut third);
    std::fs::write(place.path("three.csv"), csv(&third, false)).unwrap();
    place.done(&["train", "t.csv", "--label", "category", "--name", "before"]);
    let look = |batch: &str| place.json(&["monitor", "t.csv", "--batch", batch, "--watch", "--json"]);
    let (one, two, three) = (look("one.csv"), look("two.csv"), look("three.csv"));
    assert_eq!((&one["moved"], &two["moved"]), (&json!([]), &json!([])), "{one} {two}");
    assert!(three["moved"].as_array().unwrap().contains(&json!("text")), "{three}");
    assert_eq!(three["said_by"], "before", "what the log does not say the run is asked");
    let words = three["columns"].as_array().unwrap().iter().find(|one| one["column"] == "text").unwrap()["values"]["new_words"]
        .to_string();
    assert!(words.contains("bitcoin") || words.contains("crypto") || words.contains("wallet"), "{words}");
    // The same rows once more are noticed by what they are, whatever the file is called.
    std::fs::copy(place.path("three.csv"), place.path("again.csv")).unwrap();
    assert!(place.refused(&["monitor", "t.csv", "--batch", "again.csv", "--watch"]).contains("watched already, as three.csv"));
    // Forty rows come in; they are in no part, and have no label.
    let taken = place.json(&["monitor", "t.csv", "--take", "40", "--why", "new", "--json"]);
    let list = taken["taken"].as_array().unwrap();
    assert_eq!((list.len(), &taken["batch"]), (40, &json!("three.csv")), "{taken}");
    let truth: std::collections::HashMap<&str, &str> =
        third.iter().map(|(text, theme)| (text.as_str(), theme.as_str())).collect();
    let foreign = list.iter().filter(|row| truth[row["text"].as_str().unwrap()] == "crypto").count();
    assert!(foreign >= 36, "{foreign} of 40 are of the new theme");
    assert!(place.refused(&["monitor", "t.csv", "--admit", "train"]).contains("without a label"));
    for theme in ["crypto", "card", "rate", "pin"] {
        let rows: Vec<String> =
            list.iter().filter(|row| truth[row["text"].as_str().unwrap()] == theme).map(|row| row["row"].to_string()).collect();
        if !rows.is_empty() {
            place.done(&["relabel", "t.csv", "--rows", &rows.join(","), "--column", "category", "--to", theme]);
        }
    }
    // The log may go: what was taken is the project's own.
    std::fs::remove_file(place.path("three.csv")).unwrap();
    let half: Vec<String> = list[..10].iter().map(|row| row["row"].to_string()).collect();
    assert!(
        place.refused(&["monitor", "t.csv", "--admit", "test"]).contains("frozen"),
        "nothing comes into a test part that is there"
    );
    let all = place.export("t.csv");
    assert_eq!(all.lines().count(), 1 + 180 + 40);
    place.done(&["monitor", "t.csv", "--admit", "train"]);
    assert_eq!(half.len(), 10);
    place.done(&["train", "t.csv", "--label", "category", "--name", "after"]);
    // What a recipe writes is made again on the same data: the rows that were taken are in it.
    place.done(&["recipe", "t.csv", "-o", "r.json"]);
    std::fs::write(place.path("u.csv"), &untouched).unwrap();
    place.done(&["run", "r.json", "u.csv", "-o", "u-out.csv"]);
    assert_eq!(std::fs::read_to_string(place.path("u-out.csv")).unwrap(), place.export("t.csv"));
    // Undone to the first edit, the file is what it was, byte for byte.
    let mut steps = 0;
    while place.status(&["undo", "t.csv"]) == 0 {
        steps += 1;
        assert!(steps < 50);
    }
    assert_eq!(place.export("t.csv").as_bytes(), untouched);
}

#[test]
fn a_second_test_part_is_measured_beside_the_first() {
    let place = Place::new();
    let mut chance = Chance::new(12);
    let known = ["card", "rate", "pin"];
    std::fs::write(place.path("t.csv"), csv(&questions(&mut chance, &known.map(|theme| (theme, 60))), true)).unwrap();
    let mut log = questions(&mut chance, &[("crypto", 80)]);
    log.extend(questions(&mut chance, &known.map(|theme| (theme, 20))));
    std::fs::write(place.path("log.csv"), csv(&log, false)).unwrap();
    place.done(&["train", "t.csv", "--label", "category", "--name", "before"]);
    let truth: std::collections::HashMap<&str, &str> = log.iter().map(|(text, theme)| (text.as_str(), theme.as_str())).collect();
    for part in ["test new", "train"] {
        let taken = place.json(&["monitor", "t.csv", "--batch", "log.csv", "--take", "30", "--json"]);
        for row in taken["taken"].as_array().unwrap() {
            let to = truth[row["text"].as_str().unwrap()];
            place.done(&["relabel", "t.csv", "--rows", &row["row"].to_string(), "--column", "category", "--to", to]);
        }
        place.done(&["monitor", "t.csv", "--admit", part]);
    }
    place.done(&["train", "t.csv", "--label", "category", "--name", "after"]);
    let runs = place.json(&["runs", "t.csv", "--json"]);
    let of = |name: &str| runs["runs"].as_array().unwrap().iter().find(|run| run["run"] == *name).unwrap().clone();
    let accuracy = |name: &str| of(name)["other_tests"][0]["accuracy"].as_f64().unwrap_or_else(|| panic!("{name}: {runs}"));
    assert_eq!(of("before")["other_tests"][0]["part"], "test new");
    assert!(accuracy("after") > accuracy("before") + 0.2, "{} {}", accuracy("before"), accuracy("after"));
    // The old test part is the same samples for both.
    assert_eq!(of("before")["rows"]["test"], of("after")["rows"]["test"]);
}

#[test]
fn logs_as_people_have_them_are_taken_as_they_are_or_refused_with_a_word() {
    let place = Place::new();
    let open = |name: &str, text: &str| {
        std::fs::write(place.path(name), text).unwrap();
        io::open(&place.path(name), &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
    };
    let dataset = open("t.csv", &csv(&questions(&mut Chance::new(1), &[("card", 30), ("rate", 30), ("pin", 30)]), true));
    let log = open(
        "log.csv",
        "when,question,intent,confidence,true_label,channel\n2026-01-05T10:00:00Z,what about a card,card,0.9,,app\n\
         2026-01-01T10:00:00Z,and a rate then,rate,0.4,pin,web\n,no time at all,pin,0.7,pin,app\n",
    );
    let found = LogColumns::proposed(&dataset, &log);
    assert_eq!(
        (
            found.time.as_deref(),
            found.text.as_deref(),
            found.prediction.as_deref(),
            found.probability.as_deref(),
            found.truth.as_deref()
        ),
        (Some("when"), Some("question"), Some("intent"), Some("confidence"), Some("true_label")),
    );
    let said = |batch: &str, more: &[&str]| place.json(&[&["monitor", "t.csv", "--batch", batch, "--json"], more].concat());
    // Days in order, though rows are not; what has no time is a batch of its own.
    let days = said("log.csv", &["--by", "day"]);
    let names: Vec<&Value> = days["batches"].as_array().unwrap().iter().map(|one| &one["batch"]).collect();
    assert_eq!(names, ["2026-01-01", "2026-01-05", "no time"]);
    let weeks = said("log.csv", &["--by", "week"]);
    assert_eq!(weeks["batches"][0]["batch"], "week of 2025-12-29");
    // Percentages are read as such, and what is neither is left out: both are said.
    let percent = |values: [&str; 3]| {
        let rows: Vec<String> = values.iter().map(|value| format!("some words here,card,{value}\n")).collect();
        std::fs::write(place.path("p.csv"), format!("text,prediction,confidence\n{}", rows.concat())).unwrap();
        said("p.csv", &[])
    };
    let found = percent(["95", "40", "71.5"]);
    assert!(
        found["notes"].to_string().contains("percentages")
            && (found["performance"]["mean_probability"].as_f64().unwrap() - 0.688_333).abs() < 1e-5
    );
    let found = percent(["-3.2", "7.1", "0.2"]);
    assert!(
        found["notes"].to_string().contains("no probabilities") && found["performance"]["mean_probability"].is_null(),
        "{found}"
    );
    assert!(place.refused(&["monitor", "t.csv", "--batch", "p.csv", "--by", "day"]).contains("times"));
    assert!(place.refused(&["monitor", "t.csv", "--batch", "p.csv", "--by", "nothing"]).contains("no column"));
    assert!(place.refused(&["monitor", "t.csv", "--batch", "p.csv", "--is", "truth=nothing"]).contains("no column"));
    assert!(place.refused(&["monitor", "t.csv"]).contains("--batch"));
    // A page of it, by itself.
    place.done(&["monitor", "t.csv", "--batch", "log.csv", "--report", "page.html"]);
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.contains("<!doctype html>") && !page.contains("<script") && !page.contains("http") && page.len() < 300_000);
    place.done(&["monitor", "t.csv", "--batch", "log.csv", "--report", "page.md"]);
    assert!(std::fs::read_to_string(place.path("page.md")).unwrap().starts_with("# New data against t.csv"));
}

#[test]
fn what_is_written_otherwise_is_no_other_class_and_a_flood_is_seen() {
    let place = Place::new();
    let write = |name: &str, text: &str| std::fs::write(place.path(name), text).unwrap();
    // Whole numbers with gaps are written with a point, and single precision sums to a little more than 1.
    let rows: String = (0..200).map(|at| format!("some words number {at} here,{},{at}\n", at % 3)).collect();
    write("t.csv", &format!("text,label,n\n{rows}"));
    let log: String = (0..120)
        .map(|at| {
            format!("other words number {at} there,{},{}.0,{}\n", at % 3, at % 3, if at == 7 { "1.0000001" } else { "0.75" })
        })
        .collect();
    write("log.csv", &format!("text,prediction,truth,confidence\n{log}"));
    let found = place.json(&["monitor", "t.csv", "--role", "label=label", "--batch", "log.csv", "--json"]);
    let good = &found["performance"];
    assert_eq!(good["accuracy"][0], 1.0, "{good}");
    assert!((good["mean_probability"].as_f64().unwrap() - 0.752).abs() < 1e-3 && good["unknown"] == json!([]), "{good}");
    // Three in ten rows say one foreign thing: whichever rows are drawn, they are among them.
    let mut chance = Chance::new(21);
    let known = questions(&mut chance, &[("card", 200), ("rate", 200), ("pin", 200)]);
    write("q.csv", &csv(&known, true));
    let mut flood = questions(&mut chance, &[("card", 700), ("rate", 700), ("pin", 700)]);
    flood.extend(std::iter::repeat_n(("win a free holiday in the sun now".to_owned(), String::new()), 900));
    write("flood.csv", &csv(&flood, false));
    let found = place.json(&["monitor", "q.csv", "--batch", "flood.csv", "--json"]);
    assert!(found["moved"].as_array().unwrap().contains(&json!("text")), "{found}");
    // A dataset with two texts: each keeps its own cells.
    let two = |n: usize, who: &str| {
        (0..n).map(|at| format!("{who} title {at} of it,the body of {who} number {at} goes on,a\n")).collect::<String>()
    };
    write("two.csv", &format!("title,body,label\n{}", two(60, "old")));
    write("more.csv", &format!("title,body,prediction,confidence\n{}", two(40, "new").replace(",a\n", ",a,0.2\n")));
    let roles = ["--role", "title=text", "--role", "body=text", "--role", "label=label"];
    place.json(&[&["monitor", "two.csv", "--batch", "more.csv", "--take", "3", "--json"][..], &roles].concat());
    let saved = place.export("two.csv");
    let last = saved.lines().last().unwrap().to_owned();
    assert!(last.starts_with("new title") && last.contains("the body of new"), "{last}");
}
