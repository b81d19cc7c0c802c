//! Cleaning: near duplicates against exact truth, every fault that was planted, few alarms on real data, and what mends them without a window.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lapidary::checks::{CHECKS, CheckInput, Finding, FindingKind, Options, look_for_all};
use lapidary::data::{Dataset, SampleId};
use lapidary::derive::Store;
use lapidary::edit::Direction;
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::learn::near::{Grams, Sets};
use lapidary::operate::{Means, remedy};
use serde_json::Value;
use tempfile::TempDir;

const BANKING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/samples/banking77.csv");

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
    }
    path.exists().then_some(path)
}

fn open(path: &Path) -> Dataset {
    io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

fn written(text: &str) -> (TempDir, Dataset) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data.csv");
    fs::write(&path, text).unwrap();
    let dataset = open(&path);
    (home, dataset)
}

fn look(dataset: &Dataset) -> Vec<Finding> {
    let store = Store::default();
    let input = CheckInput { dataset, scan: None, store: &store };
    look_for_all(&input, &Options::default(), true, &Progress::silent()).unwrap()
}

fn program(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
    command.args(words).current_dir(folder).env("XDG_DATA_HOME", folder.join("data")).output().unwrap()
}

fn ok(folder: &Path, words: &[&str]) -> String {
    let output = program(folder, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, words: &[&str]) -> Value {
    let output = program(folder, words);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn near_duplicates_are_every_pair_and_no_other() {
    let Some(folder) = shared("reference") else { return };
    let home = tempfile::tempdir().unwrap();
    let table = |name: &str| {
        let out = home.path().join(name).with_extension("csv");
        let from = folder.join(name);
        ok(home.path(), &["export", from.to_str().unwrap(), "--no-project", "-o", out.to_str().unwrap()]);
        open(&out)
    };
    let texts = table("near_duplicates.parquet");
    let truth = table("near_duplicates_truth.parquet");
    let number = |name: &str, id: SampleId| truth.number(truth.field(name).unwrap(), id).unwrap();
    let field = texts.field("text").unwrap();
    let read = |row: usize| texts.text(field, SampleId::at(row)).unwrap_or_default();
    let sets = Sets::of_texts(texts.rows(), &read, Grams::Words(2), &Progress::silent()).unwrap();
    for threshold in [0.5, 0.7, 0.8, 1.0] {
        let wanted: BTreeMap<(u32, u32), f64> = truth
            .samples()
            .map(|id| ((number("a", id) as u32, number("b", id) as u32), number("jaccard", id)))
            .filter(|(_, jaccard)| *jaccard >= threshold - 1e-9)
            .collect();
        let near = sets.near(threshold, &Progress::silent()).unwrap();
        // Rows with the same set stand for each other.
        let mut rows_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        near.same.iter().zip(0..).for_each(|(first, row)| rows_of.entry(*first).or_default().push(row));
        let mut found: BTreeMap<(u32, u32), f64> = BTreeMap::new();
        for rows in rows_of.values() {
            for (at, a) in rows.iter().enumerate() {
                rows[at + 1..].iter().for_each(|b| _ = found.insert((*a, *b), 1.0));
            }
        }
        for (a, b, jaccard) in &near.pairs {
            for one in &rows_of[a] {
                for other in &rows_of[b] {
                    found.insert((*one.min(other), *one.max(other)), f64::from(*jaccard));
                }
            }
        }
        assert_eq!(found.len(), wanted.len(), "at {threshold}");
        for (pair, jaccard) in &wanted {
            assert!((found[pair] - jaccard).abs() < 1e-5, "{pair:?}: {} and not {jaccard}", found[pair]);
        }
    }
    // The command says them too, with the groups that they hang together in.
    let path = folder.join("near_duplicates.parquet");
    let words = ["check", path.to_str().unwrap(), "--no-project", "--only", "near_duplicates", "--jaccard", "0.8", "--json"];
    let said = json(home.path(), &words);
    let list = said["findings"].as_array().unwrap();
    assert!(list.len() > 500 && list.iter().all(|finding| finding["rows"].as_array().unwrap().len() > 1));
    assert!(list.iter().all(|finding| finding["pairs"].as_array().unwrap().iter().all(|pair| pair[2].as_f64().unwrap() >= 0.8)));
}

#[test]
fn lengths_are_counted_in_words_characters_or_tokens() {
    use lapidary::writing::Flaw;
    // Words, characters, tokens of Qwen 2.5: 1/5/1, 2/12/3, 5/9/5, 1/7/4 (a Chinese sentence has no blanks).
    let (_home, dataset) = written("text\nhello\n\"hello, world\"\na b c d e\n我的卡丢了怎么\n");
    let kinds = [FindingKind::Written(Flaw::TooShort), FindingKind::Written(Flaw::TooLong)];
    let found = |least: f64, most: f64, counted: f64| {
        let list = look_with(&dataset, &[("--least-words", least), ("--most-words", most), ("--counted", counted)], &[]);
        kinds.map(|kind| {
            let mut rows: Vec<u32> = of_kind(&list, kind).concat();
            rows.sort_unstable();
            rows
        })
    };
    assert_eq!(found(2.0, 4.0, 0.0), [vec![0, 3], vec![2]]);
    assert_eq!(found(6.0, 9.0, 1.0), [vec![0], vec![1]]);
    let tokenizer = lapidary::io::usual_tokenizer().unwrap();
    let tokens: Vec<usize> =
        dataset.samples().map(|id| tokenizer.encode(&dataset.text(0, id).unwrap_or_default()).len()).collect();
    assert_eq!((tokens[0], tokens[1], tokens[2]), (1, 3, 5));
    assert!(tokens[3] > 2, "{tokens:?}");
    assert_eq!(found(3.0, 4.0, 2.0)[0], [0]);
    assert!(found(3.0, 4.0, 2.0)[1].contains(&2));
    let said = look_with(&dataset, &[("--most-words", 4.0), ("--counted", 2.0)], &[]);
    let long = said.iter().find(|one| one.samples == [SampleId(2)] && one.kind == kinds[1]).unwrap();
    assert_eq!(long.reason, "too many tokens: “ e” is beyond the last");
}

#[test]
fn the_report_says_how_what_waited_went() {
    let (home, _) = written("text,label\nWhere is <b>my</b> card?,a\nCash &amp; cards?,b\nAn ordinary question about it?,a\n");
    let file = home.path().join("data.csv");
    let path = file.to_str().unwrap();
    let report = || {
        program(home.path(), &["check", path, "--report", "health.md"]);
        std::fs::read_to_string(home.path().join("health.md")).unwrap()
    };
    // Nothing is begun by looking.
    assert!(!report().contains("Problems that waited"));
    assert!(!home.path().join("data.csv.lapidary").exists());
    ok(home.path(), &["relabel", path, "--rows", "2", "--column", "label", "--to", "b"]);
    report();
    ok(home.path(), &["fix", path, "--repair", "entities"]);
    let told = report();
    let line = told.lines().find(|line| line.contains("at the first look")).unwrap();
    let numbers: Vec<usize> = line.split([' ', ';']).filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers[0], numbers[1] + 1, "{line}");
    assert!(told.lines().any(|line| line.starts_with("| HTML entities") && line.contains("| 1 | 0 |")), "{told}");
    // The same once more is no news.
    assert_eq!(report(), told);
}

/// Sixty plain questions with a mark at the end, and a row of each fault.
fn planted() -> (String, Vec<(FindingKind, usize)>) {
    use lapidary::writing::Flaw;
    let things = ["card", "transfer", "top-up", "statement", "refund", "account", "password", "cash", "currency", "limit"];
    let mut text = "text,label\n".to_owned();
    for row in 0..60 {
        let (thing, other) = (things[row % 10], things[(row / 10 + row + 3) % 10]);
        text.push_str(&format!(
            "What happens with my {thing} when the {other} of last {} was late in branch {row}?,{thing}\n",
            ["week", "month", "year"][row % 3]
        ));
    }
    let mut wanted = Vec::new();
    let mut row = 60;
    let mut put = |kind: FindingKind, cell: &str, text: &mut String| {
        text.push_str(&format!("\"{}\",card\n", cell.replace('"', "\"\"")));
        wanted.push((kind, row));
        row += 1;
    };
    for (flaw, cell) in [
        (Flaw::Mojibake, "The cafÃ© would not take my card, why is that?"),
        (Flaw::Markup, "Please <b>help</b> me with the new card that came."),
        (Flaw::Entities, "Cash &amp; cards: what do you charge for both of them?"),
        (Flaw::Invisible, "My pin is wr\u{200B}ong after the third time, what now?"),
        (Flaw::Control, "A bell rings \u{7} whenever I pay abroad, is it you?"),
        (Flaw::Unnormalised, "Is the cafe\u{301} near the branch open on Sunday?"),
        (Flaw::Blanks, "  Do you know whether the shop takes this?  "),
        (Flaw::Repeated, "why why why why why why why is it not there?"),
        (Flaw::Symbols, "$$$ !!! ??? *** ### %%% &&& @@@"),
        (Flaw::Gibberish, "sdfkjhg qwrtplk zxcvbnm hjklsdf"),
        (Flaw::StockPhrase, "As an AI language model, I cannot see your account."),
        (Flaw::Email, "Write to jane.roe@example.com about the order."),
        (Flaw::Phone, "Ring me on +44 20 7946 0958 after six please."),
        (Flaw::Iban, "Send it to GB82 WEST 1234 5698 7654 32 today."),
        (Flaw::Card, "It was 4111 1111 1111 1111 that was declined."),
        (Flaw::IpAddress, "Somebody logged in from 203.0.113.77 at night."),
        (Flaw::Secret, "The key ghp_0123456789abcdefghijABCDEFGHIJ012345 does not work."),
    ] {
        put(FindingKind::Written(flaw), cell, &mut text);
    }
    put(
        FindingKind::OtherTongue,
        "Warum ist meine Karte noch immer nicht angekommen, obwohl ich sie vor drei Wochen bestellt habe?",
        &mut text,
    );
    put(
        FindingKind::Written(Flaw::CutOff),
        "I have waited for the new card for three weeks now and whenever I call you the line is busy and the",
        &mut text,
    );
    (text, wanted)
}

#[test]
fn every_fault_that_was_planted_is_found_and_nothing_else_of_its_kind() {
    let (text, wanted) = planted();
    let (_home, dataset) = written(&text);
    let found = look(&dataset);
    let of = |kind: FindingKind| -> Vec<usize> {
        let mut rows: Vec<usize> =
            found.iter().filter(|one| one.kind == kind).flat_map(|one| one.samples.iter().map(|id| id.row())).collect();
        rows.sort_unstable();
        rows
    };
    for (kind, row) in &wanted {
        assert_eq!(of(*kind), [*row], "{}", kind.name());
    }
}

#[test]
fn copies_contradictions_class_names_and_columns_are_found() {
    let mut text = "id,text,label,source,same,split\n".to_owned();
    let labels = ["refund", "card"];
    for row in 0..60 {
        let part = if row % 5 == 4 { "test" } else { "train" };
        text.push_str(&format!(
            "{row},this is message {row} about {} things of day {},{},web,web {row},{part}\n",
            row * 7 % 13,
            row * 3 % 17,
            labels[row % 2]
        ));
    }
    // 60 and 61 say the same in two parts; 62 and 63 too, with two labels, but for case; 64 and 65 nearly.
    text.push_str("60,Where is my money gone to after all this time,refund,web,x,train\n61,Where is my money gone to after all this time,refund,web,y,test\n");
    text.push_str("62,I want it back at once,refund,web,z,train\n63,I WANT IT  BACK at once!,card,web,w,train\n");
    text.push_str("64,please tell me how long the transfer to my other account is going to take from now on,refund,web,v,train\n65,please tell me how long the transfer to my other account is going to take from now,refund,web,u,train\n");
    text.push_str("66,one more of another kind that nobody has,Refund ,web,t,train\n67,and a last one that says something else,refnud,web,s,train\n");
    let (_home, dataset) = written(&text);
    let found = look(&dataset);
    let rows = |kind: FindingKind| -> Vec<Vec<u32>> {
        found.iter().filter(|one| one.kind == kind).map(|one| one.samples.iter().map(|id| id.0).collect()).collect()
    };
    // What is tested stays: the copy in train goes.
    assert_eq!(rows(FindingKind::Leak), [[61, 60]]);
    assert_eq!(rows(FindingKind::NearText), [[64, 65]]);
    assert_eq!(rows(FindingKind::Contradiction), [[62, 63]]);
    let names: BTreeMap<u32, Option<String>> = found
        .iter()
        .filter(|one| one.kind == FindingKind::ClassName)
        .map(|one| (one.samples[0].0, one.suggestion.clone()))
        .collect();
    assert_eq!(names, BTreeMap::from([(66, Some("refund".to_owned())), (67, Some("refund".to_owned()))]));
    let columns: Vec<&str> =
        found.iter().filter(|one| one.kind == FindingKind::OneValue).map(|one| one.column.as_str()).collect();
    assert_eq!(columns, ["source"]);
}

#[test]
fn real_data_has_few_alarms_and_they_are_counted() {
    let mut sources = vec![PathBuf::from(BANKING)];
    sources.extend(["data/gsm8k/test.jsonl", "data/llamafactory_demo/alpaca_en_demo.json"].into_iter().filter_map(shared));
    for path in sources {
        let dataset = open(&path);
        let found = look(&dataset);
        let mut counts: BTreeMap<&str, (usize, BTreeSet<SampleId>)> = BTreeMap::new();
        for finding in &found {
            let of = counts.entry(finding.kind.name()).or_default();
            of.0 += 1;
            of.1.extend(finding.samples.iter().copied());
        }
        println!("{}: {} rows", path.display(), dataset.rows());
        for (kind, (n, samples)) in &counts {
            println!(
                "  {kind:<16} {n:>5} findings on {:>5} samples, {:.2} %",
                samples.len(),
                samples.len() as f64 / dataset.rows() as f64 * 100.0
            );
        }
        // What can be told by itself is not there, or seldom: these are texts that people keep.
        for kind in ["mojibake", "control", "gibberish", "iban", "card", "secret", "other_language"] {
            let n = counts.get(kind).map_or(0, |(_, samples)| samples.len());
            assert!(n * 200 <= dataset.rows(), "{kind}: {n} of {}", dataset.rows());
        }
    }
}

#[test]
fn repairs_marks_and_reports_without_a_window() {
    let home = tempfile::tempdir().unwrap();
    let (text, _) = planted();
    fs::write(home.path().join("data.csv"), &text).unwrap();
    let cell = |row: usize| -> String {
        ok(home.path(), &["export", "data.csv", "-o", "out.csv", "--with-excluded"]);
        let out = open(&home.path().join("out.csv"));
        out.text(0, SampleId::at(row)).unwrap().into_owned()
    };
    let dry = json(home.path(), &["fix", "data.csv", "--repair", "mojibake", "--dry", "--json"]);
    assert_eq!(dry["repaired"], serde_json::json!([{ "repair": "mojibake", "column": "text", "samples": 1 }]));
    assert!(cell(60).contains("cafÃ©"), "looked at only");
    ok(home.path(), &["fix", "data.csv", "--repair", "mojibake,entities,markup,hidden,unicode,blanks,personal_data"]);
    assert!(cell(60).starts_with("The café would"));
    assert!(cell(61).contains("Please help me") && cell(62).contains("Cash & cards"));
    assert!(cell(71).contains("[EMAIL]") && cell(74).contains("[CARD]"));
    ok(home.path(), &["undo", "data.csv"]);
    assert!(cell(71).contains("jane.roe@example.com"), "each repair is one edit");
    // What a recipe has is done again on the same data, to the byte.
    ok(home.path(), &["recipe", "data.csv", "-o", "steps.json"]);
    ok(home.path(), &["export", "data.csv", "-o", "once.csv"]);
    fs::write(home.path().join("fresh.csv"), &text).unwrap();
    ok(home.path(), &["run", "steps.json", "fresh.csv", "-o", "again.csv"]);
    assert_eq!(fs::read(home.path().join("once.csv")).unwrap(), fs::read(home.path().join("again.csv")).unwrap());
    // Left out as findings say, and kept again.
    ok(home.path(), &["exclude", "data.csv", "--finding", "gibberish,symbols"]);
    let rows = || ok(home.path(), &["export", "data.csv", "-o", "kept.csv"]).len() + open(&home.path().join("kept.csv")).rows();
    assert_eq!(rows(), 77);
    ok(home.path(), &["keep", "data.csv", "--rows", "68,69"]);
    assert_eq!(rows(), 79);
    for name in ["health.html", "health.md"] {
        program(home.path(), &["check", "data.csv", "--report", name]);
        let page = fs::read_to_string(home.path().join(name)).unwrap();
        assert!(page.contains("The health of data.csv") && page.contains("Card numbers") && page.contains("card"), "{page}");
        assert!(page.contains("Since the project began") && page.contains(" touched samples "), "{page}");
        assert!(!page.contains("<b>") && !page.contains("http"), "what the data says is no mark-up of the page");
    }
    let list = json(home.path(), &["check", "data.csv", "--list", "--json"]);
    let names: BTreeSet<&str> = list["checks"].as_array().unwrap().iter().map(|one| one["check"].as_str().unwrap()).collect();
    assert!(
        ["duplicates", "near_duplicates", "contradictions", "class_names", "noise", "personal_data", "order", "columns"]
            .iter()
            .all(|name| names.contains(name))
    );
    let refused = program(home.path(), &["fix", "data.csv", "--repair", "magic"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no repair called \"magic\""));
}

#[test]
fn a_split_without_near_copies_across_its_parts() {
    let Some(folder) = shared("reference") else { return };
    let home = tempfile::tempdir().unwrap();
    let path = folder.join("near_duplicates.parquet");
    ok(home.path(), &["export", path.to_str().unwrap(), "--no-project", "-o", "texts.csv"]);
    let said = |near: &str| {
        let output =
            program(home.path(), &["split", "texts.csv", "--no-project", "--ratios", "80,10,10", "--near", near, "-o", "parts"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said("0.75").contains("0 copies across parts, near ones among them"), "{}", said("0.75"));
    // The proof by itself: no pair of the truth reaches across.
    let parts: Vec<Dataset> =
        ["train", "validation", "test"].map(|part| open(&home.path().join(format!("parts/{part}.csv")))).into();
    let texts: Vec<String> =
        parts.iter().flat_map(|part| part.samples().map(|id| part.text(0, id).unwrap().into_owned())).collect();
    let part_of: Vec<usize> = parts.iter().enumerate().flat_map(|(at, part)| vec![at; part.rows()]).collect();
    let sets = Sets::of_texts(texts.len(), &|row| texts[row].as_str(), Grams::Words(2), &Progress::silent()).unwrap();
    let near = sets.near(0.75, &Progress::silent()).unwrap();
    assert!(near.pairs.len() > 500);
    assert!(near.pairs.iter().all(|(a, b, _)| part_of[*a as usize] == part_of[*b as usize]));
}

#[test]
fn annotators_agree_as_the_references_say_and_their_consensus_is_theirs() {
    let Some(folder) = shared("reference") else { return };
    let home = tempfile::tempdir().unwrap();
    let answer: Value = serde_json::from_slice(&fs::read(folder.join("annotators.json")).unwrap()).unwrap();
    let path = folder.join("annotators.parquet");
    let said = |words: &[&str]| {
        let all: Vec<&str> =
            ["consensus", path.to_str().unwrap(), "--no-project", "--json"].iter().chain(words).copied().collect();
        json(home.path(), &all)
    };
    let near = |a: &Value, b: &Value| assert!((a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-6, "{a} and not {b}");
    let crowd = said(&["--annotators", "a0,a1,a2,a3,a4,a5", "--method", "crowdlab", "--probabilities", "p"]);
    near(&crowd["krippendorff_alpha"], &answer["krippendorff_alpha_nominal"]);
    let classes: Vec<String> = answer["crowdlab_consensus"].as_array().unwrap().iter().map(ToString::to_string).collect();
    let ours: Vec<&str> = crowd["consensus"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(ours, classes);
    for (ours, theirs) in crowd["quality"].as_array().unwrap().iter().zip(answer["crowdlab_quality"].as_array().unwrap()) {
        near(ours, theirs);
    }
    for at in 0..6 {
        near(&crowd["annotator_quality"][at], &answer["crowdlab_annotator_quality"][format!("a{at}")]);
    }
    let full = said(&["--annotators", "full0,full1,full2,full3,full4,full5"]);
    near(&full["fleiss_kappa"], &answer["fleiss_kappa_full"]);
    near(&full["cohen_kappa"][0][2], &answer["cohen_kappa_full0_full1"]);
    // Dawid and Skene find the truth at least as often as the majority.
    let truth = {
        let out = home.path().join("votes.csv");
        ok(home.path(), &["export", path.to_str().unwrap(), "--no-project", "-o", out.to_str().unwrap()]);
        open(&out)
    };
    let right = |said: &Value| -> usize {
        let field = truth.field("truth").unwrap();
        said["consensus"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(row, one)| truth.text(field, SampleId::at(*row)).as_deref() == one.as_str())
            .count()
    };
    let votes = "full0,full1,full2,full3,full4,full5";
    let (skene, majority) = (right(&full), right(&said(&["--annotators", votes, "--method", "majority"])));
    assert!(skene >= majority && skene > 480, "{skene} and {majority} of 500");
    // As an edit, in a column of its own, which a recipe has.
    ok(home.path(), &["consensus", "votes.csv", "--annotators", "full0,full1,full2", "--into", "agreed"]);
    ok(home.path(), &["export", "votes.csv", "-o", "agreed.csv"]);
    let agreed = open(&home.path().join("agreed.csv"));
    assert!(agreed.field("agreed").is_some());
    let found = json(home.path(), &["check", "votes.csv", "--only", "annotators", "--json"]);
    let kinds: BTreeSet<&str> = found["findings"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(kinds.contains("agreement") && kinds.contains("poor_annotator") && kinds.contains("dispute"), "{kinds:?}");
}

#[test]
fn relevance_is_dsirs_and_its_mean_ranks_short_texts_better() {
    let Some(folder) = shared("reference/collect/dsir") else { return };
    let home = tempfile::tempdir().unwrap();
    let answer: Value = serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
    fs::copy(folder.join("raw.jsonl"), home.path().join("raw.jsonl")).unwrap();
    let target = folder.join("target.jsonl");
    for (key, buckets, grams) in [
        ("buckets=10000,ngrams=2", "10000", "2"),
        ("buckets=1000,ngrams=1", "1000", "1"),
        ("buckets=10000,ngrams=3", "10000", "3"),
    ] {
        let words = [
            "relevance",
            "raw.jsonl",
            "--no-project",
            "--domain",
            target.to_str().unwrap(),
            "--buckets",
            buckets,
            "--grams",
            grams,
            "--json",
        ];
        let said = json(home.path(), &words);
        let wanted = &answer["weights"][key];
        for (at, one) in said["scores"].as_array().unwrap().iter().enumerate() {
            let sum = wanted["log_importance_weight"][at].as_f64().unwrap();
            assert!((one["sum"].as_f64().unwrap() - sum).abs() < 1e-9, "{key}, {at}: {} and not {sum}", one["sum"]);
            assert_eq!(one["grams"], wanted["grams"][at]);
        }
    }
    // As an edit, by samples that stand for the domain: what a recipe does again.
    ok(home.path(), &["relevance", "raw.jsonl", "--domain", target.to_str().unwrap(), "--into", "relevance"]);
    ok(home.path(), &["export", "raw.jsonl", "-o", "scored.csv"]);
    let scored = open(&home.path().join("scored.csv"));
    assert!(scored.field("relevance").is_some_and(|field| scored.number(field, SampleId(0)).is_some()));
}

#[test]
fn outliers_and_near_duplicates_of_numbers_are_cleanlabs_sets() {
    let Some(folder) = shared("reference") else { return };
    let home = tempfile::tempdir().unwrap();
    let answer: Value = serde_json::from_slice(&fs::read(folder.join("digits_outliers.json")).unwrap()).unwrap();
    let path = folder.join("digits_features.parquet");
    let found = json(home.path(), &["check", path.to_str().unwrap(), "--no-project", "--only", "text_outliers", "--json"]);
    let list = found["findings"].as_array().unwrap();
    let rows = |kind: &str| -> Vec<Vec<u64>> {
        let of = |one: &&Value| one["name"] == kind;
        list.iter()
            .filter(of)
            .map(|one| one["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap()).collect())
            .collect()
    };
    let set = |value: &Value| -> BTreeSet<u64> { value.as_array().unwrap().iter().map(|row| row.as_u64().unwrap()).collect() };
    let outliers: BTreeSet<u64> = rows("far_text").into_iter().flatten().collect();
    assert_eq!(outliers, set(&answer["datalab_outliers"]));
    let near: BTreeSet<u64> = rows("near_meaning").into_iter().flatten().collect();
    assert_eq!(near, set(&answer["datalab_near_duplicates"]));
    // Severities are one minus cleanlab's scores.
    for one in list.iter().filter(|one| one["name"] == "far_text" && one["rows"].as_array().unwrap().len() == 1) {
        let row = one["rows"][0].as_u64().unwrap() as usize;
        let score = answer["datalab_outlier_score"][row].as_f64().unwrap();
        assert!((1.0 - one["severity"].as_f64().unwrap() - score).abs() < 1e-3, "{row}: {} and {score}", one["severity"]);
    }
}

#[test]
fn what_is_not_of_the_domain_is_found_by_those_that_were_tagged() {
    let mut text = "text\n".to_owned();
    let cards = ["lost", "stolen", "frozen", "expired", "declined", "blocked", "new", "virtual"];
    for row in 0..40 {
        let (one, other) = (cards[row % 8], cards[(row * 3 + 1) % 8]);
        text.push_str(&format!("my {one} card was {other} at the shop on day {row} and the pin of the card does not work\n"));
    }
    for row in 0..4 {
        text.push_str(&format!("boil {row} potatoes with salt and butter until they are soft then mash them with warm milk\n"));
    }
    let (_home, mut dataset) = written(&text);
    for row in 0..20 {
        dataset.set_tag("domain", SampleId(row), true);
    }
    let rows: BTreeSet<usize> = look(&dataset)
        .iter()
        .filter(|one| one.kind == FindingKind::Irrelevant)
        .flat_map(|one| one.samples.iter().map(|id| id.row()))
        .collect();
    assert_eq!(rows, (40..44).collect());
}

#[test]
fn signs_alone_are_texts_of_their_own() {
    let mut text = "text,label\n".to_owned();
    for row in 0..40 {
        text.push_str(&format!("message {row} about {} of day {},{}\n", row * 7 % 13, row * 3 % 17, ["good", "bad"][row % 2]));
    }
    text.push_str("\u{1f44d},good\n\u{1f44d},good\n\u{1f44e},bad\n!!!,bad\n");
    let (_home, dataset) = written(&text);
    let found = look(&dataset);
    assert!(found.iter().all(|one| one.kind != FindingKind::Contradiction), "a thumb up is not a thumb down");
    let same: Vec<&[SampleId]> =
        found.iter().filter(|one| one.kind == FindingKind::SameText).map(|one| one.samples.as_slice()).collect();
    assert_eq!(same, [[SampleId(40), SampleId(41)]]);
}

#[test]
fn the_newest_of_copies_is_the_newest_as_people_write_times() {
    let home = tempfile::tempdir().unwrap();
    let mut text = "text,created\n".to_owned();
    for row in 0..20 {
        text.push_str(&format!("message {row} about {} of day {},{}/12/2024\n", row * 7 % 13, row * 3 % 17, row + 1));
    }
    text.push_str("the same thing once more,10/12/2024\nthe same thing once more,9/12/2024\nthe same thing once more,\n");
    fs::write(home.path().join("data.csv"), text).unwrap();
    let words = ["check", "data.csv", "--only", "duplicates", "--keep", "newest", "--role", "created=time", "--json"];
    let found = json(home.path(), &words);
    let rows: Vec<u64> = found["findings"][0]["rows"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(rows, [20, 21, 22], "the tenth is newer than the ninth, and no time is oldest");
}

#[test]
fn columns_of_numbered_names_whose_values_are_no_classes_are_no_votes() {
    let mut text = "code_1,code_2\n".to_owned();
    for row in 0..9_000 {
        let code = |column: usize| if row % 4 == 1 { format!("own {column} {row}") } else { format!("c{}", row % 5) };
        text.push_str(&format!("{},{}\n", code(1), code(2)));
    }
    let (home, dataset) = written(&text);
    assert!(look(&dataset).iter().all(|one| one.kind != FindingKind::Agreement));
    let words = ["consensus", "data.csv", "--annotators", "code_1,code_2"];
    let refused = program(home.path(), &words);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("at most 500 classes"), "{why}");
}

#[test]
fn a_check_that_memory_does_not_allow_says_so() {
    let home = tempfile::tempdir().unwrap();
    let text: String = (0..3_000).map(|row| format!("message {row} about {} of day {}\n", row * 7 % 13, row * 3 % 17)).collect();
    fs::write(home.path().join("data.csv"), format!("text\n{text}")).unwrap();
    let found = json(home.path(), &["check", "data.csv", "--only", "text_outliers", "--max-memory", "0.002", "--json"]);
    let list = found["findings"].as_array().unwrap();
    let reason = list[0]["reason"].as_str().unwrap_or_default();
    assert!(list.len() == 1 && reason.starts_with("not looked for: 3,000 texts are too many"), "{found}");
}

fn look_with(dataset: &Dataset, moved: &[(&str, f64)], columns: &[(&str, &str)]) -> Vec<Finding> {
    let store = Store::default();
    let input = CheckInput { dataset, scan: None, store: &store };
    let mut options = Options::default();
    let named = |flag: &str| CHECKS.iter().flat_map(|entry| entry.options).find(|option| option.flag == flag).unwrap();
    moved.iter().for_each(|(flag, value)| options.set(named(flag), *value));
    columns.iter().for_each(|(flag, name)| options.set_column(named(flag), name));
    look_for_all(&input, &options, true, &Progress::silent()).unwrap()
}

fn of_kind(list: &[Finding], kind: FindingKind) -> Vec<Vec<u32>> {
    list.iter().filter(|one| one.kind == kind).map(|one| one.samples.iter().map(|id| id.0).collect()).collect()
}

#[test]
fn the_keeper_of_copies_is_the_highest_or_lowest_of_a_column() {
    let (_home, dataset) = written(
        "text,votes,grade\nthe same words again,9,b\nThe same words again,10,a\nthe same words  again,,c\nquite another text here,1,d\n",
    );
    let kept = |keep: f64, column: &str| -> Vec<u32> {
        of_kind(&look_with(&dataset, &[("--keep", keep)], &[("--keep-by", column)]), FindingKind::SameText).remove(0)
    };
    // Numbers by their worth: 10 is more than 9; what says nothing comes last either way.
    assert_eq!(kept(3.0, "votes"), [1, 0, 2]);
    assert_eq!(kept(4.0, "votes"), [0, 1, 2]);
    assert_eq!(kept(3.0, "grade"), [2, 0, 1]);
    assert_eq!(kept(4.0, "grade"), [1, 0, 2]);
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a.csv"), "text,votes\nthe same words,1\nthe same words,2\n").unwrap();
    let found = json(
        home.path(),
        &["check", "a.csv", "--only", "duplicates", "--keep", "highest_of_a_column", "--keep-by", "votes", "--json"],
    );
    assert_eq!(found["findings"][0]["rows"], serde_json::json!([1, 0]));
    let output = program(home.path(), &["check", "a.csv", "--keep-by", "stars"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no column called \"stars\""));
}

#[test]
fn a_table_with_a_row_a_vote_is_tasks_with_votes() {
    // Ann and Ben are right, Eve says the other thing of every second task.
    let mut text = "task_id,text,annotator,label\n".to_owned();
    let other = |label: &str| if label == "good" { "bad" } else { "good" };
    for task in 0..30 {
        let label = if task % 3 == 0 { "good" } else { "bad" };
        for who in ["ann", "ben", "eve"] {
            let said = if who == "eve" && task % 2 == 0 { other(label) } else { label };
            text.push_str(&format!("t{task},what is said of it in number {task},{who},{said}\n"));
        }
    }
    let (home, dataset) = written(&text);
    let found = look_with(&dataset, &[], &[]);
    let agreement = found.iter().find(|one| one.kind == FindingKind::Agreement).unwrap();
    assert!(
        agreement.reason.starts_with("a row a vote: 3 annotators of “annotator” on 30 tasks of “task_id”"),
        "{}",
        agreement.reason
    );
    let poor: Vec<&str> =
        found.iter().filter(|one| one.kind == FindingKind::PoorAnnotator).map(|one| one.reason.as_str()).collect();
    assert!(poor.len() == 1 && poor[0].starts_with("eve is right 50 % of the time"), "{poor:?}");
    let said = json(home.path(), &["consensus", "data.csv", "--no-project", "--json"]);
    assert_eq!(said["annotators"], serde_json::json!(["ann", "ben", "eve"]));
    let labels: Vec<&str> = said["consensus"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let wanted: Vec<&str> = (0..30).map(|task| if task % 3 == 0 { "good" } else { "bad" }).collect();
    assert_eq!(labels, wanted);
    // A task is one sample with its votes.
    ok(home.path(), &["consensus", "data.csv", "--one-a-task", "--into", "agreed"]);
    ok(home.path(), &["export", "data.csv", "-o", "one.csv"]);
    let one = open(&home.path().join("one.csv"));
    let cell = |column: &str, row: u32| one.text(one.field(column).unwrap(), SampleId(row)).unwrap().into_owned();
    assert_eq!((one.rows(), cell("agreed", 0), cell("agreed", 1)), (30, "good".to_owned(), "bad".to_owned()));
    assert_eq!(cell("label_votes", 0), r#"{"ann":"good","ben":"good","eve":"bad"}"#);
    // One key takes it back.
    ok(home.path(), &["undo", "data.csv"]);
    ok(home.path(), &["export", "data.csv", "-o", "all.csv"]);
    assert_eq!(open(&home.path().join("all.csv")).rows(), 90);
}

#[test]
fn rows_that_are_odd_together_undecided_ones_and_those_far_within_their_class() {
    let mut text = "a,b,label\n".to_owned();
    for row in 0..300 {
        let at = f64::from(row % 17) / 17.0;
        text.push_str(&format!(
            "{:.3},{:.3},{}\n",
            at * 10.0,
            at * 10.0 + f64::from(row % 5) * 0.1,
            ["x", "y"][row as usize % 2]
        ));
    }
    text.push_str("9.5,0.1,x\n500,500,y\n");
    let (_home, dataset) = written(&text);
    let odd = of_kind(&look_with(&dataset, &[], &[]), FindingKind::Isolated);
    // What one number says alone is found by that number, and not once more.
    assert_eq!(odd, [[300]]);
    // Probabilities of one row say nothing.
    let mut text = "label,p_cat,p_dog,p_cow\n".to_owned();
    for row in 0..60 {
        let (class, p) = [("cat", "0.9,0.05,0.05"), ("dog", "0.1,0.8,0.1"), ("cow", "0.05,0.05,0.9")][row % 3];
        text.push_str(&format!("{class},{}\n", if row == 31 { "0.34,0.33,0.33" } else { p }));
    }
    let (_home, dataset) = written(&text);
    let found = look_with(&dataset, &[], &[]);
    assert_eq!(of_kind(&found, FindingKind::Undecided), [[31]]);
    let said = &found.iter().find(|one| one.kind == FindingKind::Undecided).unwrap().reason;
    assert!(said.starts_with("cat 0.34, cow 0.33: 100 %"), "{said}");
    // A question about cards among those about mash: usual in the whole, far in its class.
    let cards = ["lost", "stolen", "frozen", "expired", "declined", "blocked", "new", "virtual"];
    let mut text = "text,label\n".to_owned();
    for row in 0..80 {
        text.push_str(&format!(
            "my {} card was {} at the shop and its pin does not work,card\n",
            cards[row % 8],
            cards[(row / 8) % 8]
        ));
        text.push_str(&format!("boil {row} potatoes with {} butter until soft and mash them with milk,food\n", cards[row % 8]));
    }
    text.push_str("my lost card was blocked at the shop and its pin does not work,food\n");
    let (_home, dataset) = written(&text);
    let far = |within: f64| of_kind(&look_with(&dataset, &[("--far-within", within)], &[]), FindingKind::FarText);
    assert!(!far(0.0).contains(&vec![160]) && far(1.0).contains(&vec![160]), "{:?} {:?}", far(0.0), far(1.0));
}

#[test]
fn boilerplate_is_found_and_taken_out() {
    let mut text = "text\n".to_owned();
    for row in 0..40 {
        let tail = if row % 2 == 0 { " Thank you for contacting our support team today!" } else { "" };
        text.push_str(&format!("\"Order {row} was sent on its way in the {row}th week.{tail}\"\n"));
    }
    let (home, mut dataset) = written(&text);
    let found = look_with(&dataset, &[], &[]);
    let one: Vec<&Finding> = found.iter().filter(|one| one.kind == FindingKind::Boilerplate).collect();
    assert_eq!(one.len(), 1, "{found:?}");
    assert_eq!(one[0].samples.iter().map(|id| id.0).collect::<Vec<_>>(), (0..40).step_by(2).collect::<Vec<u32>>());
    assert!(
        one[0].reason.starts_with("“Thank you for contacting our support team today!” stands in 20 texts, 50.0 %"),
        "{}",
        one[0].reason
    );
    let (_, operation) = remedy(one[0], &dataset).unwrap();
    let edit = operation.plan(&dataset, &Means::default(), &Progress::silent()).unwrap().edit.unwrap();
    edit.apply(&mut dataset, Direction::Forward);
    assert_eq!(dataset.text(0, SampleId(0)).as_deref(), Some("Order 0 was sent on its way in the 0th week."));
    assert_eq!(dataset.text(0, SampleId(1)).as_deref(), Some("Order 1 was sent on its way in the 1th week."));
    drop(home);
}

#[test]
fn relevance_by_meaning_and_what_is_said_to_be_not_of_the_domain() {
    let cards = ["lost", "stolen", "frozen", "expired", "declined", "blocked", "new", "virtual"];
    let mut text = "text\n".to_owned();
    for row in 0..60 {
        text.push_str(&format!(
            "my {} card was {} at the shop and its pin does not work\n",
            cards[row % 8],
            cards[(row * 3 + 1) % 8]
        ));
    }
    for row in 0..30 {
        text.push_str(&format!("boil {row} potatoes with {} butter until soft then mash them with warm milk\n", cards[row % 8]));
    }
    let (_home, mut dataset) = written(&text);
    (0..20).for_each(|row| dataset.set_tag("domain", SampleId(row), true));
    let rows = |dataset: &Dataset, by: f64| -> BTreeSet<u32> {
        of_kind(&look_with(dataset, &[("--relevance-by", by)], &[]), FindingKind::Irrelevant).into_iter().flatten().collect()
    };
    assert!(rows(&dataset, 1.0).is_superset(&(60..90).collect()), "{:?}", rows(&dataset, 1.0));
    // With ten that are not of it, the border lies between: nothing of the domain is found any more, and what is marked is decided.
    (60..70).for_each(|row| dataset.set_tag("not domain", SampleId(row), true));
    assert_eq!(rows(&dataset, 1.0), (70..90).collect());
    assert_eq!(rows(&dataset, 0.0), (70..90).collect());
}

#[test]
fn broken_calls_are_found_and_roles_out_of_order_are_mended_by_a_key() {
    let tools = r#""tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}]"#;
    let call = |name: &str, arguments: &str| {
        let arguments = serde_json::to_string(arguments).unwrap();
        format!(
            "{{\"messages\": [{{\"role\": \"user\", \"content\": \"How is it?\"}}, {{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{{\"type\": \"function\", \"function\": {{\"name\": \"{name}\", \"arguments\": {arguments}}}}}]}}], {tools}}}\n"
        )
    };
    let mut text: String = (0..20).map(|n| call("weather", &format!("{{\"city\": {n}}}"))).collect();
    text.push_str(&call("weather", "{\"city\": }"));
    text.push_str(&call("stock", "{}"));
    text.push_str(&format!(
        "{{\"messages\": [{{\"role\": \"user\", \"content\": \"a\"}}, {{\"role\": \"system\", \"content\": \"b\"}}, {{\"role\": \"assistant\", \"content\": \"c\"}}], {tools}}}\n"
    ));
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("calls.jsonl");
    fs::write(&path, &text).unwrap();
    let dataset = open(&path);
    let found = look(&dataset);
    let broken: Vec<(Vec<SampleId>, String)> = found
        .iter()
        .filter(|one| one.kind == FindingKind::BrokenCall)
        .map(|one| (one.samples.clone(), one.reason.clone()))
        .collect();
    assert_eq!(broken.iter().map(|(samples, _)| samples[0].0).collect::<std::collections::BTreeSet<_>>(), [20, 21].into());
    let said = |row: u32| broken.iter().find(|(samples, _)| samples[0].0 == row).unwrap().1.clone();
    assert!(said(20).contains("arguments that are no JSON: line 1, letter 10"), "{}", said(20));
    assert!(said(21).contains("stock, which is none of its tools (weather)"), "{}", said(21));
    // What is out of order is mended by the one operation that helps.
    let order = found.iter().find(|one| one.kind == FindingKind::TurnOrder && one.samples == [SampleId(22)]).unwrap();
    let (title, _) = lapidary::operate::remedy(order, &dataset).unwrap();
    assert_eq!(title, "Move system turns first");
}
