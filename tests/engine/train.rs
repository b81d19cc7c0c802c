//! Teaching and honest figures: scikit-learn's heads and metrics met to the digit, banking77's own split, runs that are kept. Reads `../shared` and says so where it is not there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lapidary::data::SampleId;
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::learn::calibration::{Calibration, temperature_of, tempered};
use lapidary::learn::dense::Dense;
use lapidary::learn::head_choice::{HeadRows, nearest_votes};
use lapidary::learn::heads::{HeadFit, HeadInput, HeadLoss, LinearHead};
use lapidary::learn::scores::{Predicted, Scores, macro_f1};
use lapidary::learn::significance::{McNemar, holm, percentile_interval, permutation, wilson};
use lapidary::operate::{Means, Operation};
use lapidary::session::Workspace;
use lapidary::train::{Approach, HeadKind, Lesson, figures, teach};
use lapidary::train::{FrozenEncoder, RunPart, TeachMeans, TrainParts};
use serde_json::{Value, json};

use super::trainers::{read, shared};

/// The reader of typed files is a child process: the program itself. Columns by name, as texts.
pub fn table(path: &Path) -> Vec<serde_json::Map<String, Value>> {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("table.jsonl");
    let program = env!("CARGO_BIN_EXE_lapidary");
    let done = Command::new(program).arg("export").arg(path).args(["--no-project", "-o"]).arg(&to).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(&to).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap().as_object().unwrap().clone()).collect()
}

pub fn near(ours: f64, theirs: &Value, least: f64, what: &str) {
    let theirs = theirs.as_f64().unwrap_or_else(|| panic!("{what}: {theirs}"));
    assert!((ours - theirs).abs() <= least, "{what}: {ours}, and the reference says {theirs}");
}

#[test]
fn heads_are_scikit_learns_to_the_coefficient() {
    let Some(folder) = shared("reference/train/exact") else { return };
    let golden = read(&folder.join("head_small.json"));
    let rows = table(&folder.join("head_small.parquet"));
    #[allow(clippy::cast_possible_truncation)]
    let data: Vec<f32> =
        rows.iter().flat_map(|row| (0..24).map(move |at| row[&format!("f{at}")].as_f64().unwrap() as f32)).collect();
    let dense = Dense { dims: 24, data };
    let of = |part: &str| -> (Vec<u32>, Vec<u32>) {
        let own = rows.iter().enumerate().filter(|(_, row)| row["part"] == part);
        own.map(|(at, row)| (at as u32, row["label"].as_u64().unwrap() as u32)).unzip()
    };
    let ((train, truth), (test, asked)) = (of("train"), of("test"));
    let silent = Progress::silent();
    let cases = [
        ("logistic_C0.1", HeadLoss::Logistic, 0.1, false, 1e-6),
        ("logistic_C1", HeadLoss::Logistic, 1.0, false, 1e-6),
        // scikit-learn's own search ends a little before the optimum here: ours has the smaller loss.
        ("logistic_C10", HeadLoss::Logistic, 10.0, false, 2e-5),
        ("logistic_C1_balanced", HeadLoss::Logistic, 1.0, true, 1e-6),
        ("linear_svm_C1", HeadLoss::Support, 1.0, false, 1e-6),
    ];
    for (name, loss, c, balanced, least) in cases {
        let fit = HeadFit { loss, c, balanced, tolerance: 1e-10, steps: 2_000, ..HeadFit::default() };
        let head = LinearHead::fit(HeadInput::Dense(&dense), &train, &truth, 8, &fit, &silent).unwrap();
        for class in 0..8 {
            for at in 0..24 {
                near(head.weights[at * 8 + class], &golden[name]["coef"][class][at], least, &format!("{name} {class} {at}"));
            }
            // Of logistic regression only differences of intercepts mean something.
            let mean = if loss == HeadLoss::Logistic { head.bias.iter().sum::<f64>() / 8.0 } else { 0.0 };
            near(
                head.bias[class] - mean,
                &golden[name]["intercept"][class],
                least.max(3e-6),
                &format!("{name} intercept {class}"),
            );
        }
        if let Some(accuracy) = golden[name].get("test_accuracy") {
            let logits = head.logits(HeadInput::Dense(&dense), &test);
            let right = asked.iter().zip(logits.chunks(8)).filter(|(truth, row)| {
                (0..8).fold(0, |best, class| if row[class] > row[best] { class } else { best }) as u32 == **truth
            });
            near(right.count() as f64 / test.len() as f64, accuracy, 1e-9, name);
        }
    }
    let votes = HeadRows { rows: &train, truth: &truth, together: &train, classes: 8 };
    let votes = nearest_votes(&dense, votes, 10, &test, &silent).unwrap();
    let golden = &golden["knn_10_distance_cosine"];
    for at in 0..20 {
        for class in 0..8 {
            near(
                votes[at * 8 + class],
                &golden["test_probabilities_first_20"][at][class],
                1e-4,
                &format!("neighbours {at} {class}"),
            );
        }
    }
    // An evened search at the end of nothing: where rows are held hardly at all, both end at the same head.
    let fit = |evened| HeadFit { c: 1e4, evened, tolerance: 1e-10, steps: 4_000, ..HeadFit::default() };
    let head = |evened| LinearHead::fit(HeadInput::Dense(&dense), &train, &truth, 8, &fit(evened), &silent).unwrap();
    let (plain, evened) =
        (head(false).logits(HeadInput::Dense(&dense), &test), head(true).logits(HeadInput::Dense(&dense), &test));
    let same = plain.chunks(8).zip(evened.chunks(8)).filter(|(a, b)| {
        let best = |row: &[f64]| (0..8).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        best(a) == best(b)
    });
    assert!(same.count() >= test.len() * 97 / 100, "an evened head is a head of rows as they are");
}

#[test]
fn figures_intervals_and_tests_are_the_references_to_the_digit() {
    let Some(folder) = shared("reference/train/metrics") else { return };
    let golden = read(&folder.join("metrics.json"));
    let rows = table(&folder.join("predictions.parquet"));
    let truth: Vec<u32> = rows.iter().map(|row| row["y"].as_u64().unwrap() as u32).collect();
    let of = |model: &str| -> Vec<f64> {
        rows.iter().flat_map(|row| (0..6).map(move |class| row[&format!("{model}{class}")].as_f64().unwrap())).collect()
    };
    let (a, b) = (of("a"), of("b"));
    for (model, p) in [("a", &a), ("b", &b)] {
        let predicted = Predicted { classes: 6, of: p };
        let (scores, calibration) = (Scores::of(&truth, predicted), Calibration::of(&truth, predicted));
        let expected = &golden[model];
        for (name, ours) in [
            ("accuracy", scores.accuracy),
            ("balanced_accuracy", scores.balanced_accuracy),
            ("macro_f1_true", scores.macro_f1),
            ("macro_f1_all", scores.macro_f1_all),
            ("weighted_f1", scores.weighted_f1),
            ("mcc", scores.mcc),
            ("kappa", scores.kappa),
            ("top3", scores.top3),
            ("log_loss", scores.log_loss),
            ("brier", scores.brier),
            ("auroc_ovr_macro_present", scores.auroc),
            ("ece", calibration.ece),
            ("mce", calibration.mce),
            ("ece_equal_mass", calibration.ece_equal_mass),
            ("ece_classwise", calibration.ece_classwise),
        ] {
            near(ours, &expected[name], 1e-9, &format!("{model} {name}"));
        }
        for class in 0..6 {
            for said in 0..6 {
                assert_eq!(json!(scores.confusion[class * 6 + said]), expected["confusion"][class][said]);
            }
            let (ours, theirs) = (scores.per_class[class], &expected["per_class"][class]);
            for (name, ours) in [("precision", ours.precision), ("recall", ours.recall), ("f1", ours.f1)] {
                near(ours, &theirs[name], 1e-9, &format!("{model} {class} {name}"));
            }
        }
        let temperature = temperature_of(&truth, predicted);
        let after = tempered(predicted, temperature);
        let theirs = &golden[&format!("temperature_{model}")];
        near(temperature, &theirs["temperature"], 1e-3, model);
        near(Calibration::of(&truth, Predicted { classes: 6, of: &after }).ece, &theirs["ece_after"], 1e-4, model);
    }
    resampled(&folder, &golden, &truth, &a, &b);
    for case in golden["mcnemar_more"].as_array().unwrap().iter().chain([&golden["mcnemar"]]) {
        let n = |name: &str| case[name].as_u64().unwrap() as usize;
        let ours = McNemar::of(n("only_a_right"), n("only_b_right"));
        for (name, p) in
            [("exact_p", ours.exact), ("mid_p", ours.mid), ("chi2_p", ours.chi2), ("chi2_corrected_p", ours.corrected)]
        {
            near(p, &case[name], 1e-9, &format!("{name} of {case}"));
        }
    }
    for (name, right, n) in [("0_of_10", 0, 10), ("10_of_10", 10, 10), ("308_of_400", 308, 400)] {
        let (low, high) = wilson(right, n);
        near(low, &golden["wilson_95"][name][0], 1e-9, name);
        near(high, &golden["wilson_95"][name][1], 1e-9, name);
    }
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
    adjusted.iter().enumerate().for_each(|(at, p)| near(*p, &golden["holm"]["adjusted"][at], 1e-12, "holm"));
}

/// Intervals and the permutation test on the draws that the reference made.
fn resampled(folder: &Path, golden: &Value, truth: &[u32], a: &[f64], b: &[f64]) {
    let said =
        |p: &[f64]| -> Vec<u32> { (0..truth.len()).map(|row| Predicted { classes: 6, of: p }.likeliest(row) as u32).collect() };
    let (a, b) = (said(a), said(b));
    let of = [true, true, true, true, true, false];
    let numbers =
        |value: &Value| -> Vec<usize> { value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect() };
    let draws = table(&folder.join("resamples.parquet"));
    let f1 = |said: &[u32], rows: &[usize]| {
        let pick = |list: &[u32]| rows.iter().map(|row| list[*row]).collect::<Vec<u32>>();
        macro_f1(&pick(truth), &pick(said), 6, &of)
    };
    let accuracy =
        |said: &[u32], rows: &[usize]| rows.iter().filter(|row| said[**row] == truth[**row]).count() as f64 / rows.len() as f64;
    let (mut of_accuracy, mut of_f1, mut apart) = (Vec::new(), Vec::new(), Vec::new());
    let all: Vec<usize> = (0..truth.len()).collect();
    let swapped: Vec<f64> = draws
        .iter()
        .map(|draw| {
            let rows = numbers(&draw["resample"]);
            of_accuracy.push(accuracy(&a, &rows));
            of_f1.push(f1(&a, &rows));
            apart.push(f1(&a, &rows) - f1(&b, &rows));
            let swap = numbers(&draw["swap"]);
            let mixed = |one: &[u32], other: &[u32]| -> Vec<u32> {
                swap.iter().enumerate().map(|(at, swap)| if *swap == 1 { other[at] } else { one[at] }).collect()
            };
            f1(&mixed(&a, &b), &all) - f1(&mixed(&b, &a), &all)
        })
        .collect();
    for (name, values) in [("accuracy_a", of_accuracy), ("macro_f1_a", of_f1), ("macro_f1_a_minus_b", apart)] {
        let (low, high) = percentile_interval(values);
        near(low, &golden["bootstrap"][name][0], 1e-9, name);
        near(high, &golden["bootstrap"][name][1], 1e-9, name);
    }
    near(permutation(f1(&a, &all) - f1(&b, &all), swapped.into_iter()), &golden["permutation"]["p"], 1e-9, "permutation");
}

pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
        command.args(words).current_dir(self.folder.path()).env("XDG_DATA_HOME", self.path("data")).output().unwrap()
    }

    pub fn json(&self, words: &[&str]) -> Value {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What it says to standard output, where it succeeds.
    pub fn done(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is saved of a dataset.
    pub fn export(&self, name: &str) -> String {
        let to = self.path("exported");
        let _ = std::fs::remove_file(&to);
        self.done(&["export", name, "--format", "csv", "-o", "exported"]);
        std::fs::read_to_string(to).unwrap()
    }

    /// What it ends with.
    pub fn status(&self, words: &[&str]) -> i32 {
        self.run(words).status.code().unwrap()
    }

    /// Why it refuses.
    pub fn refused(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(!output.status.success(), "{words:?} succeeded");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        said
    }
}

/// Tickets whose words tell their class, with parts; `n` of each class.
pub fn tickets(n: usize) -> String {
    let words = [
        ("refund", ["money", "back", "refund"]),
        ("card", ["card", "plastic", "arrived"]),
        ("login", ["password", "login", "locked"]),
    ];
    let mut text = "text,category,part\n".to_owned();
    for at in 0..n {
        for (class, list) in &words {
            let part = ["train", "train", "train", "validation", "test"][at % 5];
            let filler = ["please", "today", "hello there", "urgent", "thanks"][(at / 5) % 5];
            text.push_str(&format!("{filler} my {} number {at} {},{class},{part}\n", list[at % 3], list[(at + 1) % 3]));
        }
    }
    text
}

#[test]
fn a_run_is_made_kept_compared_and_used() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(60)).unwrap();
    let first = place.json(&["train", "tickets.csv", "--label", "category", "--text", "text", "--json", "--slice", "text"]);
    assert_eq!(first["rows"], json!({ "train": 108, "validation": 36, "test": 36 }));
    assert_eq!((&first["run"], &first["look"]), (&json!("built-in embedding + logistic regression"), &json!(1)));
    let accuracy = first["metrics"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{first}");
    assert!(
        first["metrics"]["accuracy_low"].as_f64().unwrap() <= accuracy
            && accuracy <= first["metrics"]["accuracy_high"].as_f64().unwrap()
    );
    assert_eq!(first["chosen"]["tried"].as_array().unwrap().len(), 12);
    assert!(!first["slices"]["text"].as_array().unwrap().is_empty());
    let second = place.json(&[
        "train",
        "tickets.csv",
        "--label",
        "category",
        "--encoder",
        "tfidf",
        "--head",
        "svm",
        "--json",
        "--name",
        "words",
    ]);
    assert_eq!((&second["run"], &second["look"]), (&json!("words"), &json!(2)));
    let third = place.json(&["train", "tickets.csv", "--label", "category", "--head", "knn", "--json", "--name", "words"]);
    assert_eq!(third["run"], json!("words 2"), "a name is given once");
    let runs = place.json(&["runs", "tickets.csv", "--json"]);
    assert_eq!((runs["runs"].as_array().unwrap().len(), runs["pairs"].as_array().unwrap().len()), (3, 3));
    assert_eq!(runs["runs"][0]["metrics"], first["metrics"], "figures are of the predictions that were kept");
    assert!(
        ["No difference that this test could show", "are right and wrong of the same 36 samples"]
            .iter()
            .any(|said| runs["pairs"][0]["words"].as_str().unwrap().contains(said)),
        "{}",
        runs["pairs"][0]
    );
    // Its head is used on another file.
    std::fs::write(place.path("new.csv"), "text\nthe password is locked again\nmoney back please\n").unwrap();
    for run in ["1", "words"] {
        let said = place.json(&["predict", "tickets.csv", "--run", run, "--of", "new.csv", "--json"]);
        let classes: Vec<&str> =
            said["predictions"].as_array().unwrap().iter().map(|one| one["class"].as_str().unwrap()).collect();
        assert_eq!(classes, ["login", "refund"], "{run}");
    }
    assert!(place.refused(&["predict", "tickets.csv", "--run", "words 2", "--of", "new.csv"]).contains("keeps no head"));
    assert!(place.refused(&["predict", "tickets.csv", "--run", "nothing", "--of", "new.csv"]).contains("there are: built-in"));
}

#[test]
fn figures_follow_the_labels_and_a_run_says_that_its_train_part_has_changed() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(40)).unwrap();
    let before = place.json(&["train", "tickets.csv", "--label", "category", "--json"]);
    let accuracy = |value: &Value| value["runs"][0]["metrics"]["accuracy"].as_f64().unwrap();
    let runs = || place.json(&["runs", "tickets.csv", "--json"]);
    assert_eq!(
        (accuracy(&runs()), &runs()["runs"][0]["stale"]),
        (before["metrics"]["accuracy"].as_f64().unwrap(), &json!(false))
    );
    // A test sample (the fifth of a class, row 12) gets a class that no model could know.
    place.run(&["relabel", "tickets.csv", "--column", "category", "--rows", "12", "--to", "another"]);
    let moved = runs();
    assert!(accuracy(&moved) < before["metrics"]["accuracy"].as_f64().unwrap(), "{moved}");
    assert_eq!(moved["runs"][0]["stale"], json!(false), "nothing that was trained on has changed");
    // A train sample is relabelled.
    place.run(&["relabel", "tickets.csv", "--column", "category", "--rows", "0", "--to", "card"]);
    assert_eq!(runs()["runs"][0]["stale"], json!(true));
    place.run(&["undo", "tickets.csv"]);
    place.run(&["undo", "tickets.csv"]);
    let back = runs();
    assert_eq!((accuracy(&back), &back["runs"][0]["stale"]), (before["metrics"]["accuracy"].as_f64().unwrap(), &json!(false)));
    // The file has rows before the others now: predictions find their samples again.
    let text = std::fs::read_to_string(place.path("tickets.csv")).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    std::fs::write(place.path("tickets.csv"), format!("{head}\nnew one,refund,train\n{rest}")).unwrap();
    assert!(place.run(&["carry", "tickets.csv"]).status.success());
    let carried = runs();
    assert_eq!((accuracy(&carried), &carried["runs"][0]["gone"]), (before["metrics"]["accuracy"].as_f64().unwrap(), &json!(0)));
    assert_eq!(carried["runs"][0]["stale"], json!(true), "there is one more to train on");
}

#[test]
fn predictions_become_columns_by_an_operation_that_a_recipe_has() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(40)).unwrap();
    place.json(&["train", "tickets.csv", "--label", "category", "--json", "--into", "said"]);
    place.run(&["export", "tickets.csv", "-o", "out.jsonl"]);
    let rows: Vec<Value> = std::fs::read_to_string(place.path("out.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 120);
    assert!(
        rows.iter().all(|row| row["said"].is_string() && row["said_confidence"].as_f64().is_some_and(|p| p > 0.0 && p <= 1.0)),
        "{}",
        rows[0]
    );
    place.run(&["recipe", "tickets.csv", "-o", "recipe.json"]);
    std::fs::write(place.path("again.csv"), tickets(40)).unwrap();
    assert!(place.run(&["run", "recipe.json", "again.csv", "-o", "again.jsonl"]).status.success());
    assert_eq!(
        std::fs::read(place.path("again.jsonl")).unwrap(),
        std::fs::read(place.path("out.jsonl")).unwrap(),
        "the same model, the same bytes"
    );
}

#[test]
fn what_cannot_be_taught_says_why() {
    let place = Place::new();
    let write = |name: &str, text: &str| std::fs::write(place.path(name), text).unwrap();
    write("one.csv", "text,label\na b c,x\nd e f,x\ng h i,x\n");
    assert!(place.refused(&["train", "one.csv", "--label", "label"]).contains("every sample of the train part is x"));
    write("empty.csv", "text,label\n");
    assert!(place.refused(&["train", "empty.csv", "--label", "label"]).contains("no sample of the train part has a label"));
    write("few.csv", "text,label\na b,x\nc d,y\n");
    assert!(place.refused(&["train", "few.csv", "--label", "label"]).contains("in the test part"));
    assert!(place.refused(&["train", "few.csv", "--label", "nothing"]).contains("no column called \"nothing\""));
    assert!(place.refused(&["train", "few.csv", "--label", "label", "--c", "-1"]).contains("above 0"));
    assert!(place.refused(&["train", "few.csv", "--label", "label", "--head", "tree"]).contains("logistic, svm, knn"));
    write("tickets.csv", &tickets(10));
    assert!(place.refused(&["train", "tickets.csv", "--label", "category", "--encoder", "nowhere"]).contains("nowhere"));
    // Empty texts, a class of one sample, a class that is only tested.
    let mut text = tickets(30);
    text.push_str(",refund,train\n,card,test\nonly once,rare,train\nonly tested,unseen,test\n");
    write("odd.csv", &text);
    let odd = place.json(&["train", "odd.csv", "--label", "category", "--json"]);
    let notes = odd["notes"].to_string();
    assert!(notes.contains("has the class unseen") && notes.contains("1 class with one sample"), "{notes}");
}

pub fn opened(path: &Path) -> Workspace {
    let dataset = io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    Workspace::open(dataset, Reading::default(), None).unwrap()
}

#[test]
fn without_parts_a_fifth_is_held_out_by_class_and_equal_texts_stay_together() {
    let place = Place::new();
    let mut text = "text,label\n".to_owned();
    for at in 0..200 {
        // Every text stands there twice, under the label of its own.
        text.push_str(&format!("text number {},{}\n", at / 2, ["a", "b", "c"][(at / 2) % 3]));
    }
    std::fs::write(place.path("twice.csv"), text).unwrap();
    let workspace = opened(&place.path("twice.csv"));
    let parts = TrainParts::of(workspace.dataset(), &Lesson::usual("label"), &Progress::silent()).unwrap();
    let n = |part| parts.members(part).count();
    assert_eq!((n(RunPart::Train), n(RunPart::Validation), n(RunPart::Test)), (158, 0, 42));
    assert!((0..100).all(|at| parts.of[2 * at].unwrap().0 == parts.of[2 * at + 1].unwrap().0));
    assert!(parts.notes.iter().any(|note| note.contains("a fifth is held out")) && parts.notes.len() == 1, "{:?}", parts.notes);
    let other = TrainParts::of(workspace.dataset(), &Lesson { seed: 7, ..Lesson::usual("label") }, &Progress::silent()).unwrap();
    assert_eq!(other.test_print, parts.test_print, "runs of several seeds are tried on the same samples");
    // A sample that gets another label moves one or two texts, and leaves all others where they are.
    let mut workspace = workspace;
    let asked = Operation::SetCells {
        samples: vec![SampleId(0), SampleId(1)],
        column: "label".to_owned(),
        text: "b".to_owned(),
        review: false,
    };
    let edit = asked.plan(workspace.dataset(), &Means::default(), &Progress::silent()).unwrap().edit.unwrap();
    workspace.edit(&edit).unwrap();
    let after = TrainParts::of(workspace.dataset(), &Lesson::usual("label"), &Progress::silent()).unwrap();
    let part = |parts: &TrainParts, row: usize| parts.of[row].unwrap().0;
    let moved = (0..200).filter(|row| part(&parts, *row) != part(&after, *row)).count();
    assert!(moved <= 6, "{moved} moved");
}

/// banking77's own split as one dataset.
fn banking77(place: &Place) -> Option<PathBuf> {
    let folder = shared("data/banking77")?;
    let path = place.path("banking77.csv");
    let mut text = "text,category,part\n".to_owned();
    for part in ["train", "test"] {
        let own = std::fs::read_to_string(folder.join(part).with_extension("csv")).unwrap();
        let mut reader = own.lines();
        assert_eq!(reader.next(), Some("text,category"));
        // A cell may hold line ends: the part stands behind a row's end, which is where its class ends.
        let mut row = String::new();
        for line in reader {
            row.push_str(line);
            if row.matches('"').count().is_multiple_of(2) {
                text.push_str(&format!("{row},{part}\n"));
                row.clear();
            } else {
                row.push('\n');
            }
        }
    }
    std::fs::write(&path, text).unwrap();
    Some(path)
}

#[test]
fn banking77_is_learned_as_well_as_peers_do() {
    let place = Place::new();
    let Some(path) = banking77(&place) else { return };
    let workspace = opened(&path);
    let means = TeachMeans::of(workspace.derived());
    let features =
        |encoder, head| Lesson { approach: Approach::Features { encoder, head, balanced: false }, ..Lesson::usual("category") };
    let accuracy = |lesson: &Lesson| {
        let run = teach(workspace.dataset(), lesson, means, &Progress::silent()).unwrap().remove(0);
        assert_eq!(run.sizes, [10_003, 0, 3_080]);
        assert!(run.predictions.ids.len() == 13_083, "of every sample something is said");
        let found = figures(workspace.dataset(), &run, &Progress::silent()).unwrap();
        assert!(!found.stale && found.gone == 0);
        found.scores.accuracy
    };
    let built_in = accuracy(&features(FrozenEncoder::BuiltIn, HeadKind::Logistic { c: None }));
    println!("built-in embedding, logistic regression: {built_in:.4}");
    assert!(built_in >= 0.895, "{built_in}");
    // scikit-learn: 0.8938 with these words.
    let words = accuracy(&features(FrozenEncoder::Words, HeadKind::Support { c: Some(1.0) }));
    println!("TF-IDF, linear SVM: {words:.4}");
    assert!((words - 0.8938).abs() < 0.008, "{words}");
}
