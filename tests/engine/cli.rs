//! Whole stories without a window: the program itself, on real files, as a shell would run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

const BANKING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/samples/banking77.csv");

struct Shell {
    folder: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lapidary"))
            .args(words)
            .current_dir(self.folder.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .output()
            .unwrap()
    }

    fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        let output = self.run(words);
        // A check that found something says so by its exit code.
        let fine = output.status.success() || words[0] == "check" && output.status.code() == Some(1);
        assert!(fine, "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// One line on standard error, nothing on standard output, a code that is not 0.
    fn fails(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{words:?} succeeded");
        assert!(output.status.code().is_some(), "{words:?} died: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{words:?}: {said}");
        assert!(output.stdout.is_empty(), "{words:?} printed data");
        said
    }
}

fn sha(path: &Path) -> String {
    format!("{:x}", Sha256::digest(fs::read(path).unwrap()))
}

#[test]
fn a_day_with_a_dataset() {
    let shell = Shell::new();
    fs::copy(BANKING, shell.path("train.csv")).unwrap();
    let info = shell.json(&["info", "train.csv", "--json"]);
    assert_eq!(info["rows"], 10_003);
    assert_eq!(info["encoding"], "UTF-8");
    assert_eq!(info["columns"][1], serde_json::json!({"name": "category", "type": "text", "role": "label"}));
    assert_eq!(info["classes"]["category"].as_object().unwrap().len(), 77);
    assert_eq!(info["classes"]["category"]["card_arrival"], 153);

    shell.ok(&["relabel", "train.csv", "--rows", "0,2-4,9", "--column", "category", "--to", "lost_or_stolen_card"]);
    assert_eq!(shell.json(&["info", "train.csv", "--json"])["classes"]["category"]["card_arrival"], 148);
    assert_eq!(shell.json(&["info", "train.csv", "--json", "--no-project"])["classes"]["category"]["card_arrival"], 153);

    shell.ok(&["export", "train.csv", "-o", "edited.csv"]);
    let (before, after) = (fs::read_to_string(BANKING).unwrap(), fs::read_to_string(shell.path("edited.csv")).unwrap());
    let changed = before.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
    assert_eq!((changed, before.lines().count()), (5, after.lines().count()), "five relabels are a five-line diff");

    let history = shell.json(&["history", "train.csv", "--json"]);
    assert_eq!(history["edits"][0]["samples"], 5);
    shell.ok(&["undo", "train.csv"]);
    shell.ok(&["export", "train.csv", "-o", "same.csv"]);
    assert_eq!(sha(&shell.path("same.csv")), sha(Path::new(BANKING)));
    assert_eq!(sha(&shell.path("train.csv")), sha(Path::new(BANKING)), "the source is never written to");
    shell.ok(&["redo", "train.csv"]);
    assert_eq!(shell.json(&["info", "train.csv", "--json"])["classes"]["category"]["card_arrival"], 148);
    assert!(shell.fails(&["redo", "train.csv"]).contains("nothing to redo"));
}

#[test]
fn the_window_passes_over_no_word() {
    let shell = Shell::new();
    shell.write("a.csv", "text,label\nx,y\n");
    assert!(shell.fails(&["a.csv", "b.csv"]).contains("one file at a time: what is b.csv?"));
    assert!(shell.fails(&["a.csv", "--rows", "1"]).contains("there is no option --rows"));
    assert!(shell.fails(&["--nothing"]).contains("there is no option --nothing"));
    assert!(shell.fails(&["a.csv", "--max-memory", "0"]).contains("a number of GiB above 0"));
}

#[test]
fn every_text_format_comes_back_byte_for_byte() {
    let shell = Shell::new();
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("a\tb\r\nnaïve\t\"x\"\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("crlf.csv", b"a,b\r\n\"1\",\"x, y\"\r\n2,\r\n".to_vec()),
        ("bom.csv", b"\xef\xbb\xbfid;text\n007;\"say \"\"hi\"\"\"\n008;1.10".to_vec()),
        ("mac.csv", b"a,b\r1,2\r3,4\r".to_vec()),
        ("latin.csv", b"name,label\ncaf\xe9 cr\xe8me br\xfbl\xe9e,x\nd\xe9j\xe0 vu,y\n".to_vec()),
        ("wide.tsv", wide),
        ("ragged.csv", b"a,b,c\n1,2\n\n1,2,3,4\n\"x\ny\",5,6\n".to_vec()),
        (
            "torn.csv",
            "text,n\nwas für schöne Grüße an alle, die größer träumen als früher,1\nx\u{fffd},2\n"
                .replace('\u{fffd}', "\u{1}")
                .into_bytes(),
        ),
        ("lines.jsonl", b"{\"b\": 1.50, \"a\": \"\\u00e9\"}\n\n{\"a\":null , \"b\":1e5}\r\n{\"c\": [ 1,2 ]}".to_vec()),
        ("broken.jsonl", b"{\"a\": 1}\n{\"a\": \n{\"a\": 3}\n".to_vec()),
        ("array.json", b"[\n  { \"a\" : 1,\n    \"b\":\"x\" } ,\n\n{\"a\":2}\n]\n\n".to_vec()),
        ("one.json", b"  {\"only\": {\"deep\": [1, {}]}}".to_vec()),
    ];
    for (name, bytes) in table {
        shell.write(name, &bytes);
        let ending = Path::new(name).extension().unwrap().to_string_lossy().into_owned();
        let copy = format!("copy.{ending}");
        shell.ok(&["export", name, "-o", &copy]);
        assert_eq!(fs::read(shell.path(&copy)).unwrap(), bytes, "{name}");
        let packed = format!("copy.{ending}.gz");
        shell.ok(&["export", name, "-o", &packed]);
        shell.ok(&["export", &packed, "-o", &format!("again.{ending}")]);
        assert_eq!(fs::read(shell.path(&format!("again.{ending}"))).unwrap(), bytes, "{name}, packed and unpacked");
    }
}

#[test]
fn one_edit_changes_one_cell_and_nothing_beside_it() {
    let shell = Shell::new();
    let table = [
        (
            "a.csv",
            "t,label\r\n\"one, two\",\"x\"\r\nthree,y",
            "1",
            "label",
            "z, \"q\"",
            "t,label\r\n\"one, two\",\"x\"\r\nthree,\"z, \"\"q\"\"\"",
        ),
        ("b.csv", "t,label\n\"a\",\"x\"\n", "0", "label", "y", "t,label\n\"a\",\"y\"\n"),
        (
            "c.jsonl",
            "{\"t\":\"a\", \"label\" : \"x\"}\n{\"t\":\"b\"}\n",
            "1",
            "label",
            "n\"",
            "{\"t\":\"a\", \"label\" : \"x\"}\n{\"t\":\"b\",\"label\":\"n\\\"\"}\n",
        ),
        ("d.json", "[{\"label\": 1},\n {\"label\": 2}]", "0", "label", "7", "[{\"label\": 7},\n {\"label\": 2}]"),
        ("e.csv", "a,label,c\n1\n", "0", "label", "x", "a,label,c\n1,x\n"),
    ];
    for (name, before, row, column, to, after) in table {
        let path = shell.write(name, before);
        shell.ok(&["relabel", name, "--rows", row, "--column", column, "--to", to]);
        let out = format!("out-{name}");
        shell.ok(&["export", name, "-o", &out]);
        assert_eq!(fs::read_to_string(shell.path(&out)).unwrap(), after, "{name}");
        assert_eq!(fs::read_to_string(path).unwrap(), before);
    }
}

#[test]
fn formats_agree_cell_for_cell() {
    let shell = Shell::new();
    let lines = concat!(
        "{\"id\": \"007\", \"n\": 3, \"x\": 0.5, \"ok\": true, \"messages\": [{\"role\": \"user\", \"content\": \"hi\\n\\\"there\\\"\"}], \"meta\": {\"k\": null, \"l\": [1, 2]}}\n",
        "{\"id\": \"1e5\", \"n\": -1, \"x\": 2.0, \"ok\": false, \"messages\": [], \"meta\": {\"k\": \"v\", \"l\": []}}\n"
    );
    shell.write("data.jsonl", lines);
    let expected: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for way in ["parquet", "arrow", "arrows", "json", "parquet.zst", "arrow.gz"] {
        let through = format!("through.{way}");
        shell.ok(&["export", "data.jsonl", "-o", &through]);
        shell.ok(&["export", &through, "-o", "back.jsonl"]);
        let back = fs::read_to_string(shell.path("back.jsonl")).unwrap();
        let back: Vec<Value> = back.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(back, expected, "{way}");
    }
}

#[test]
fn nothing_is_guessed_silently() {
    let shell = Shell::new();
    let cells = [
        "00123",
        "1e5",
        "1E5",
        "NA",
        "MARCH1",
        "2024-01-02",
        "1.10",
        "TRUE",
        "-0",
        "1,5",
        "0x1F",
        "12345678901234567890",
        "+3",
        "nan",
    ];
    let text = format!("value,other\n{}\n", cells.map(|cell| format!("\"{cell}\",a")).join("\n"));
    shell.write("odd.csv", &text);
    for way in ["odd.parquet", "odd.jsonl", "odd.arrow"] {
        shell.ok(&["export", "odd.csv", "-o", way]);
        shell.ok(&["export", way, "-o", "back.jsonl"]);
        let back = fs::read_to_string(shell.path("back.jsonl")).unwrap();
        let values: Vec<String> =
            back.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["value"].as_str().unwrap().to_owned()).collect();
        assert_eq!(values, cells, "{way}");
    }
}

#[test]
fn splits_are_partitions_without_leaks() {
    let shell = Shell::new();
    let mut text = String::from("id,user,label,time\n");
    for i in 0..1_000 {
        text.push_str(&format!("s{i},u{},{},2024-01-{:02}\n", i / 4, ["a", "b", "c"][i % 7 % 3], i % 28 + 1));
    }
    shell.write("data.csv", &text);
    let parts = |words: &[&str]| -> Vec<Vec<String>> {
        let mut all = vec!["split", "data.csv", "--ratios", "80,10,10", "-o", "parts"];
        all.extend(words);
        shell.ok(&all);
        let parts: Vec<Vec<String>> = ["train", "validation", "test"]
            .iter()
            .map(|name| {
                fs::read_to_string(shell.path(&format!("parts/{name}.csv"))).unwrap().lines().skip(1).map(str::to_owned).collect()
            })
            .collect();
        let mut joined: Vec<&String> = parts.iter().flatten().collect();
        joined.sort();
        let mut whole: Vec<&str> = text.lines().skip(1).collect();
        whole.sort_unstable();
        assert_eq!(joined, whole, "{words:?}: every sample is in exactly one part");
        parts
    };
    let cell = |line: &str, at: usize| line.split(',').nth(at).unwrap().to_owned();
    let random = parts(&["--seed", "7"]);
    assert_eq!(random.iter().map(Vec::len).collect::<Vec<_>>(), [800, 100, 100]);
    assert_eq!(parts(&["--seed", "7"]), random, "the same seed, the same parts");
    assert_ne!(parts(&["--seed", "8"]), random);
    let stratified = parts(&["--stratify", "label"]);
    let share = |part: &Vec<String>| part.iter().filter(|line| cell(line, 2) == "a").count() as f64 / part.len() as f64;
    assert!((share(&stratified[0]) - share(&stratified[2])).abs() < 0.02);
    for words in [&["--group", "user"][..], &["--group", "user", "--stratify", "label"]] {
        let parts = parts(words);
        let users = |part: &Vec<String>| part.iter().map(|line| cell(line, 1)).collect::<std::collections::HashSet<_>>();
        assert!(users(&parts[0]).is_disjoint(&users(&parts[2])) && users(&parts[0]).is_disjoint(&users(&parts[1])));
        assert!(parts[0].len().abs_diff(800) < 10);
    }
    let timed = parts(&["--time", "time"]);
    assert!(timed[0].iter().map(|line| cell(line, 3)).max() < timed[2].iter().map(|line| cell(line, 3)).min());
    let hashed = parts(&["--hash", "id"]);
    let more = format!("{text}new1,u999,a,2024-02-01\nnew2,u999,b,2024-02-01\n");
    shell.write("data.csv", &more);
    shell.ok(&["split", "data.csv", "--ratios", "80,10,10", "--hash", "id", "-o", "later"]);
    for (part, name) in hashed.iter().zip(["train", "validation", "test"]) {
        let later = fs::read_to_string(shell.path(&format!("later/{name}.csv"))).unwrap();
        assert!(part.iter().all(|line| later.contains(line.as_str())), "rows added later move no earlier one");
    }
}

#[test]
fn outliers_are_found_where_they_were_planted() {
    let shell = Shell::new();
    let mut text = String::from("text,label,score\n");
    for i in 0..400 {
        text.push_str(&format!("an ordinary sentence number {i},{},{}\n", ["a", "b"][i % 2], 50 + i % 11));
    }
    text = text.replacen("number 17,b,56", "number 17,b,9999", 1).replacen("an ordinary sentence number 40,", ",", 1);
    text = text.replacen("number 99,b,", "number 99,lonely,", 1).replacen(
        "an ordinary sentence number 200",
        &"long ".repeat(300),
        1,
    );
    shell.write("data.csv", &text);
    let found = shell.json(&["check", "data.csv", "--only", "outliers", "--json"]);
    let findings = found["findings"].as_array().unwrap();
    let about = |row: u64| findings.iter().filter(|f| f["rows"].as_array().unwrap().contains(&row.into())).collect::<Vec<_>>();
    for (row, column) in [(17, "score"), (40, "text"), (99, "label"), (200, "text")] {
        let mine = about(row);
        assert!(mine.iter().any(|f| f["column"] == column && f["severity"].as_f64().unwrap() > 0.4), "row {row}: {mine:?}");
    }
    assert!(findings.len() <= 8, "quiet elsewhere: {findings:?}");
    assert!(findings.windows(2).all(|pair| pair[0]["gain"].as_f64() >= pair[1]["gain"].as_f64()), "what gains most first");
}

#[test]
fn bad_input_gets_one_clear_line() {
    let shell = Shell::new();
    shell.write("empty.csv", "");
    shell.write("blank.csv", "\n\n");
    shell.write("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    shell.write("torn.parquet", b"PAR1 and then nothing");
    shell.write("fake.parquet", b"a,b\n1,2\n");
    shell.write("bad.json", "{\"a\": 1,}");
    shell.write("good.csv", "text,label\na,x\nb,y\n");
    let wide = format!("{}\n{}\n", vec!["c"; 1_000_000].join(","), vec!["1"; 1_000_000].join(","));
    shell.write("wide.csv", wide);
    for (words, part) in [
        (&["info", "nowhere.csv"][..], "no such file"),
        (&["info", "."], "folder"),
        (&["info", "empty.csv"], "empty"),
        (&["info", "blank.csv"], "empty"),
        (&["info", "picture.csv"], "PNG"),
        (&["info", "torn.parquet"], "Parquet"),
        (&["info", "fake.parquet"], "Parquet"),
        (&["info", "bad.json"], "line 1"),
        (&["info", "wide.csv"], "1000000 fields"),
        (&["relabel", "good.csv", "--rows", "2", "--column", "label", "--to", "x"], "no sample 2"),
        (&["relabel", "good.csv", "--rows", "0", "--column", "nope", "--to", "x"], "no column"),
        (&["undo", "good.csv"], "nothing to undo"),
        (&["export", "good.csv", "-o", "good.csv"], "never writes"),
        (&["split", "good.csv", "--ratios", "a,b", "-o", "x"], "--ratios"),
        (&["split", "good.csv", "--ratios", "0,0", "-o", "x"], "shares"),
        (&["check", "good.csv", "--only", "magic"], "no check"),
        (&["info", "good.csv", "--what"], "--what"),
        (&["info"], "path"),
    ] {
        assert!(shell.fails(words).contains(part), "{words:?}: {}", shell.fails(words));
    }
    shell.write("header.csv", "a,b\n");
    assert_eq!(shell.json(&["info", "header.csv", "--json"])["rows"], 0);
    for verb in ["info", "check", "split", "relabel", "undo", "redo", "export", "history", "carry", "recover"] {
        assert!(shell.ok(&[verb, "-h"]).contains("Example: lapidary"), "{verb}");
    }
}

#[test]
fn bad_rows_become_warnings_and_the_rest_opens() {
    let shell = Shell::new();
    shell.write("bad.csv", "a,b\n1,2\n3\n4,5,6\n\"open,7\n8,9\n");
    let info = shell.json(&["info", "bad.csv", "--json"]);
    assert_eq!(info["rows"], 5);
    let lines: Vec<u64> = info["warnings"].as_array().unwrap().iter().map(|w| w["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 5]);
    shell.write("bare.csv", "I lost my card.,lost\nWhere is my card?,lost\nMy card is here.,found\n");
    let info = shell.json(&["info", "bare.csv", "--json"]);
    assert_eq!((&info["rows"], &info["columns"][0]["name"]), (&3.into(), &"column 1".into()));
    assert_eq!(shell.json(&["info", "bare.csv", "--json", "--header", "yes"])["rows"], 2);
}

#[test]
fn a_changed_source_never_gets_edits_on_the_wrong_rows() {
    let shell = Shell::new();
    shell.write("data.csv", "text,label\none,x\ntwo,x\nthree,x\n");
    shell.ok(&["relabel", "data.csv", "--rows", "1", "--column", "label", "--to", "TWO"]);
    shell.ok(&["relabel", "data.csv", "--rows", "2", "--column", "label", "--to", "THREE"]);
    shell.write("data.csv", "text,label\nzero,x\none,x\ntwo,x\n");
    assert!(shell.fails(&["info", "data.csv"]).contains("has changed"));
    assert!(shell.fails(&["relabel", "data.csv", "--rows", "0", "--column", "label", "--to", "y"]).contains("has changed"));
    shell.ok(&["carry", "data.csv"]);
    shell.ok(&["export", "data.csv", "-o", "out.csv"]);
    assert_eq!(fs::read_to_string(shell.path("out.csv")).unwrap(), "text,label\nzero,x\none,x\ntwo,TWO\n");
    assert!(shell.path("data.csv.lapidary.before").exists(), "the old project is kept");
}

#[test]
fn a_project_that_is_foreign_newer_or_busy_is_left_alone() {
    let shell = Shell::new();
    shell.write("data.csv", "text,label\none,x\n");
    let project = shell.write("data.csv.lapidary", "my own notes");
    assert!(
        shell.fails(&["relabel", "data.csv", "--rows", "0", "--column", "label", "--to", "y"]).contains("not a Lapidary project")
    );
    assert_eq!(fs::read_to_string(&project).unwrap(), "my own notes");
    fs::remove_file(&project).unwrap();
    shell.ok(&["relabel", "data.csv", "--rows", "0", "--column", "label", "--to", "y"]);
    let held = lapidary::edit::Journal::open(&project).unwrap();
    assert!(shell.fails(&["undo", "data.csv"]).contains("another Lapidary has it open"));
    drop(held);
    let mut bytes = fs::read(&project).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&project, &bytes).unwrap();
    assert!(shell.fails(&["undo", "data.csv"]).contains("newer"));
    assert_eq!(fs::read(&project).unwrap(), bytes);
    assert_eq!(shell.json(&["info", "data.csv", "--json", "--no-project"])["rows"], 1);
}

#[test]
fn the_shared_datasets_open_and_come_back() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.exists() {
        println!("skipped: ../shared/data is not beside this checkout");
        return;
    }
    let shell = Shell::new();
    let table = [
        ("banking77/train.csv", 10_003, Some(("category", 77))),
        ("banking77/test.csv", 3_080, Some(("category", 77))),
        ("gsm8k/train.jsonl", 7_473, None),
        ("gsm8k/test.jsonl", 1_319, None),
        ("llamafactory_demo/alpaca_en_demo.json", 999, None),
        ("llamafactory_demo/alpaca_zh_demo.json", 1_000, None),
        ("llamafactory_demo/c4_demo.jsonl", 300, None),
        ("llamafactory_demo/dpo_en_demo.json", 300, None),
        ("llamafactory_demo/glaive_toolcall_en_demo.json", 300, None),
        ("llamafactory_demo/kto_en_demo.json", 300, Some(("label", 2))),
        ("llamafactory_demo/mllm_demo.json", 6, None),
    ];
    for (name, rows, label) in table {
        let path = data.join(name).display().to_string();
        let info = shell.json(&["info", &path, "--json", "--no-project"]);
        assert_eq!(info["rows"], rows, "{name}");
        assert!(info["warnings"].as_array().unwrap().is_empty(), "{name}");
        if let Some((column, classes)) = label {
            assert_eq!(info["classes"][column].as_object().unwrap().len(), classes, "{name}");
        }
        let copy = format!("copy.{}", name.rsplit('.').next().unwrap());
        shell.ok(&["export", &path, "--no-project", "-o", &copy]);
        assert_eq!(sha(&shell.path(&copy)), sha(Path::new(&path)), "{name}");
        // Through Parquet every value comes back; a chat stays a chat.
        shell.ok(&["export", &path, "--no-project", "-o", "through.parquet"]);
        let through = shell.json(&["info", "through.parquet", "--json"]);
        assert_eq!(through["rows"], rows, "{name}");
        let kinds =
            |info: &Value| info["columns"].as_array().unwrap().iter().map(|column| column["type"].clone()).collect::<Vec<_>>();
        assert_eq!(kinds(&through), kinds(&info), "{name}");
    }
}

/// Each of these lost or altered something once.
#[test]
fn what_was_not_edited_survives_an_edit_beside_it() {
    let shell = Shell::new();
    let edit = |name: &str, bytes: &[u8], row: &str, column: &str, to: &str, flags: &[&str]| -> Vec<u8> {
        shell.write(name, bytes);
        let _ = fs::remove_file(shell.path(&format!("{name}.lapidary")));
        shell.ok(&["relabel", name, "--rows", row, "--column", column, "--to", to]);
        let out = format!("out-{name}");
        let mut words = vec!["export", name, "-o", &out];
        words.extend(flags);
        shell.ok(&words);
        fs::read(shell.path(&out)).unwrap()
    };
    let text = "text,label\nwas für schöne Grüße an größere Mädchen,a\n".to_owned();
    let torn = [text.as_bytes(), b"abc\xffdef,b\n"].concat();
    let expected = [text.as_bytes(), b"abc\xffdef,c\n"].concat();
    assert_eq!(edit("torn.csv", &torn, "1", "label", "c", &[]), expected, "torn bytes beside an edit");
    assert_eq!(edit("bare.jsonl", b"{\"a\":1}\n5\n", "1", "a", "7", &[]), b"{\"a\":1}\n{\"value\": 5, \"a\": 7}\n");
    assert_eq!(edit("bare2.jsonl", b"\"x\"\n\"y\"\n", "1", "value", "new", &[]), b"\"x\"\n\"new\"\n");
    assert_eq!(edit("lonely.csv", b"a,b\nx,1\nlonely\ny,2\n", "1", "a", "", &[]), b"a,b\nx,1\n\"\"\ny,2\n");
    shell.write("japanese.csv", b"text,label\n\x82\xb1\x82\xea\x82\xcd\x87\x90\x82\xc5\x82\xb7\x81B\x93\xfa\x96{\x8c\xea\x82\xcc\x95\xb6\x8f\xcd\x81B,x\n\x85\x40,y\n");
    shell.ok(&["export", "japanese.csv", "--encoding", "shift_jis", "--no-project", "-o", "japanese-out.csv"]);
    assert_eq!(fs::read(shell.path("japanese-out.csv")).unwrap(), fs::read(shell.path("japanese.csv")).unwrap());
}

#[test]
fn a_project_is_never_exported_over() {
    let shell = Shell::new();
    shell.write("f.csv", "a,label\n1,x\n");
    shell.ok(&["relabel", "f.csv", "--rows", "0", "--column", "label", "--to", "y"]);
    assert!(shell.fails(&["export", "f.csv", "-o", "f.csv.lapidary"]).contains("project"));
    assert_eq!(shell.json(&["history", "f.csv", "--json"])["edits"].as_array().unwrap().len(), 1);
}

#[test]
fn carrying_over_says_what_does_not_fit() {
    let shell = Shell::new();
    shell.write("f.csv", "text,label\none,x\ntwo,y\n");
    shell.ok(&["relabel", "f.csv", "--rows", "0", "--column", "label", "--to", "z"]);
    shell.write("f.csv", "text,category\none,x\ntwo,y\n");
    let output = shell.run(&["carry", "f.csv"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 part of an edit does not fit"));
}

/// Each of these took time or memory that grew with the square of the file.
#[test]
fn nothing_grows_with_the_square() {
    let shell = Shell::new();
    let start = std::time::Instant::now();
    shell.write("minified.json", format!("[{}]", vec!["{\"a\":1}"; 700_000].join(",")));
    shell.ok(&["export", "minified.json", "-o", "minified-out.json"]);
    shell.write("nulls.json", format!("[{}]", vec!["{\"a\":null,\"a\":null}"; 300_000].join(",")));
    shell.ok(&["info", "nulls.json"]);
    shell.write("blank.csv", format!("a\n{}y\n", "\n".repeat(1_000_000)));
    assert_eq!(shell.json(&["info", "blank.csv", "--json"])["rows"], 1_000_001);
    shell.write("tags.csv", format!("id,tags\n1,\"{}\"\n", (0..200_000).map(|i| i.to_string()).collect::<Vec<_>>().join(";")));
    shell.ok(&["info", "tags.csv"]);
    shell.write("equal.csv", format!("{}\n1\n", vec!["same"; 16_000].join(",")));
    shell.ok(&["info", "equal.csv", "--header", "yes"]);
    let mixed =
        |i: usize| (0..2_000).map(|c| format!("\"c{c}\":{}", if i < 10 { "1" } else { "\"x\"" })).collect::<Vec<_>>().join(",");
    shell.write("mixed.jsonl", (0..20).map(|i| format!("{{{}}}\n", mixed(i))).collect::<String>());
    shell.ok(&["info", "mixed.jsonl"]);
    shell.write(
        "nan.csv",
        (0..400).fold(String::from("t,label\n"), |text, i| {
            format!("{text}{},x\n", if i % 40 == 0 { "NaN".to_owned() } else { i.to_string() })
        }),
    );
    shell.ok(&["split", "nan.csv", "--ratios", "80,10,10", "--time", "t", "-o", "parts"]);
    // Not a speed test: with the square of any of these this would be hours.
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
}

#[test]
fn no_page_is_written_over_the_data_that_it_is_about() {
    let shell = Shell::new();
    let path = shell.write("data.csv", "question,answer,label\nWhere is my card?,On its way,a\nWhy was I charged?,A fee,b\n");
    let before = fs::read(&path).unwrap();
    for words in [
        &["check", "data.csv", "--report", "data.csv"][..],
        &["check", "data.csv", "--card", "./data.csv"],
        &["dryrun", "data.csv", "--target", "llamafactory", "--report", "data.csv"],
        &["recipe", "data.csv", "-o", "data.csv"],
        &["fingerprint", "data.csv", "-o", "data.csv"],
        &["export", "data.csv", "-o", "data.csv"],
        &["balance", "data.csv", "--label", "label", "--weights", "balanced", "-o", "data.csv"],
        &["monitor", "data.csv", "--batch", "data.csv", "--report", "data.csv"],
    ] {
        let said = shell.run(words);
        assert!(!said.status.success(), "{words:?}");
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.contains("it is the source"), "{words:?}: {said}");
        assert!(fs::read(&path).unwrap() == before, "{words:?}");
    }
}

#[test]
fn a_recipe_ends_with_a_folder_for_a_trainer() {
    let shell = Shell::new();
    let rows = |names: &[&str]| -> String {
        names
            .iter()
            .map(|name| format!("{{\"instruction\": \"Say <b>{name}</b>\", \"input\": \"\", \"output\": \"{name}!\"}}\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    shell.write("may.jsonl", rows(&["one", "two", "three"]));
    shell.write("june.jsonl", rows(&["four", "five"]));
    shell.ok(&["fix", "may.jsonl", "--repair", "markup"]);
    // Without a trainer its options mean nothing, and that is said.
    assert!(shell.fails(&["recipe", "may.jsonl", "--length", "64"]).contains("--for"));
    shell.ok(&["recipe", "may.jsonl", "--for", "llamafactory", "--length", "64", "-o", "steps.json"]);
    shell.ok(&["export", "may.jsonl", "--for", "llamafactory", "--length", "64", "-o", "by-hand"]);
    shell.ok(&["run", "steps.json", "may.jsonl", "-o", "again"]);
    let same = |name: &str| {
        let (one, other) = (shell.path("by-hand").join(name), shell.path("again/for-llamafactory").join(name));
        assert!(fs::read(one).unwrap() == fs::read(other).unwrap(), "{name}");
    };
    let names: Vec<String> = fs::read_dir(shell.path("by-hand"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert!(names.len() > 2, "{names:?}");
    names.iter().for_each(|name| same(name));
    // On the next version; beside a file where one is named.
    shell.ok(&["run", "steps.json", "june.jsonl", "-o", "clean.jsonl"]);
    let text = fs::read_to_string(shell.path("clean.jsonl")).unwrap();
    assert_eq!((text.lines().count(), text.contains("<b>")), (2, false));
    assert!(shell.path("clean-for-llamafactory/dataset_info.json").exists());
    // A folder that holds something is not written into, and the run says so.
    assert!(shell.fails(&["run", "steps.json", "june.jsonl", "-o", "again"]).contains("not empty"));
    // File by file it is refused by name, before anything is done.
    let said = shell.run(&["run", "steps.json", "june.jsonl", "--explain", "-o", "x"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("NOT DONE: a trainer's folder"));
}

#[test]
fn what_a_run_file_by_file_does_not_do_is_refused_and_a_folder_with_pictures_is_one_dataset() {
    let shell = Shell::new();
    fs::create_dir(shell.path("in")).unwrap();
    shell.write("in/a.csv", "text,label\none,a\ntwo,b\n");
    shell.write("steps.json", "{\"lapidary\": 1, \"steps\": []}");
    for option in [&["--own-columns"][..], &["--safe-for-spreadsheets"], &["--role", "text=text"], &["--kind", "text=text"]] {
        let words: Vec<&str> = ["run", "steps.json", "in", "-o", "out"].iter().chain(option).copied().collect();
        assert!(shell.fails(&words).contains("is not done file by file"), "{option:?}");
        assert!(!shell.path("out").exists());
    }
    shell.ok(&["run", "steps.json", "in", "-o", "out"]);
    assert_eq!(fs::read(shell.path("out/a.csv")).unwrap(), fs::read(shell.path("in/a.csv")).unwrap());
    // Pictures in it: one dataset, saved as one.
    let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 20, 20]));
    for class in ["red", "blue"] {
        fs::create_dir_all(shell.path("pictures").join(class)).unwrap();
        picture.save(shell.path("pictures").join(class).join("one.png")).unwrap();
    }
    shell.write("pictures/notes.csv", "text,label\none,a\n");
    shell.ok(&["run", "steps.json", "pictures", "--images", "classes", "-o", "copied"]);
    assert!(shell.path("copied/red/one.png").exists());
    shell.ok(&["run", "steps.json", "pictures", "-o", "copied-again.csv"]);
    assert_eq!(fs::read_to_string(shell.path("copied-again.csv")).unwrap().lines().count(), 3);
}
