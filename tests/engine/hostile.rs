//! Bad input: nothing crashes, nothing hangs, no good row is lost. Public collections are read from `../shared/data` where
//! they are there (and said to be skipped where they are not); the rest is made here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

/// What any one file may take: far more than it needs, far less than for ever.
const PATIENCE: Duration = Duration::from_secs(60);

fn run(words: &[&str], path: &Path) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lapidary"))
        .args(words)
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    // Output is read to its end by wait_with_output; a hang shows as a child that never ends, so look first.
    while child.try_wait().unwrap().is_none() && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(2));
        if start.elapsed() > Duration::from_secs(2) {
            break;
        }
    }
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < PATIENCE, "{} takes {:?}", path.display(), start.elapsed());
    output
}

/// Opens it, or says in one line why not. Never dies.
fn opens_or_explains(path: &Path) -> Option<Value> {
    let output = run(&["info", "--no-project", "--json"], path);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().unwrap_or_else(|| panic!("{} killed it: {said}", path.display()));
    if code == 0 {
        return Some(serde_json::from_slice(&output.stdout).unwrap());
    }
    assert_eq!(code, 2, "{}: {said}", path.display());
    assert_eq!(said.trim_end().lines().count(), 1, "{}: {said}", path.display());
    assert!(!said.contains("panicked"), "{}: {said}", path.display());
    None
}

fn shared(part: &str) -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(part);
    if !folder.exists() {
        println!("skipped: {part} is not beside this checkout");
        return None;
    }
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&folder, &mut found);
    found.sort();
    Some(found)
}

#[test]
fn the_json_collection_is_read_as_the_standard_says() {
    let Some(files) = shared("bad/json_parsing") else { return };
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let opened = opens_or_explains(path);
        if name.starts_with("y_") {
            let info = opened.unwrap_or_else(|| panic!("{name} is JSON and must open"));
            // A name that stands twice is JSON, and said all the same: one of its values is not seen.
            let said = info["warnings"].as_array().unwrap().iter();
            let odd = said.filter(|warning| !warning["reason"].as_str().unwrap().contains("stands twice")).count();
            assert_eq!(odd, 0, "{name}: {}", info["warnings"]);
        } else if name.starts_with("n_") {
            // What is broken is refused, or opens with the place named and the good part kept.
            let noticed = opened.is_none_or(|info| !info["warnings"].as_array().unwrap().is_empty());
            assert!(noticed, "{name} is not JSON and nobody noticed");
        }
    }
}

fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn the_csv_collection_means_what_its_json_says() {
    let Some(files) = shared("bad/csv_spectrum") else { return };
    let folder = tempfile::tempdir().unwrap();
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "csv")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "location_coordinates" {
            continue; // its own JSON is wrong, as its source says
        }
        let expected: Value = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
        let out = folder.path().join("out.json");
        let output = Command::new(env!("CARGO_BIN_EXE_lapidary"))
            .args(["export", "--no-project", "--header", "yes", "-o"])
            .arg(&out)
            .arg(path)
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
        // An empty cell of a column of numbers is null in JSON.
        let text = |value: &Value| if value.is_null() { String::new() } else { plain_text(value) };
        let plain = |rows: &Value| -> Vec<Vec<(String, String)>> {
            rows.as_array()
                .unwrap()
                .iter()
                .map(|row| row.as_object().unwrap().iter().map(|(k, v)| (k.clone(), text(v))).collect())
                .collect()
        };
        assert_eq!(plain(&found), plain(&expected), "{name}");
    }
}

#[test]
fn the_parquet_collection_takes_nobody_down() {
    let Some(files) = shared("bad/parquet") else { return };
    let (mut opened, mut refused) = (0, 0);
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "parquet")) {
        match opens_or_explains(path) {
            Some(_) => opened += 1,
            None => refused += 1,
        }
    }
    println!("{opened} opened, {refused} refused, none died");
    assert!(opened >= 55, "only {opened} opened; {refused} refused");
}

#[test]
fn altered_typed_files_take_nobody_down() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("data.jsonl");
    let lines: String =
        (0..300).map(|i| format!("{{\"text\": \"sample {i}\", \"n\": {i}, \"tags\": [\"a\", \"b{}\"]}}\n", i % 3)).collect();
    fs::write(&source, lines).unwrap();
    let mut random = StdRng::seed_from_u64(1);
    for ending in ["parquet", "arrow", "arrows"] {
        let path = folder.path().join(format!("data.{ending}"));
        let made = Command::new(env!("CARGO_BIN_EXE_lapidary")).arg("export").arg(&source).arg("-o").arg(&path).output().unwrap();
        assert!(made.status.success());
        let sound = fs::read(&path).unwrap();
        for _ in 0..60 {
            let mut bytes = sound.clone();
            for _ in 0..random.random_range(1..6) {
                let at = random.random_range(0..bytes.len());
                bytes[at] = random.random();
            }
            if random.random_ratio(1, 4) {
                bytes.truncate(random.random_range(4..bytes.len()));
            }
            fs::write(&path, &bytes).unwrap();
            opens_or_explains(&path);
        }
    }
}

#[test]
fn altered_text_files_take_nobody_down() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(2);
    let sound = "text,label\n\"one, \"\"two\"\"\",x\nthré\u{1f600},y\n{\"a\": [1, \"b\"]}\n".repeat(20).into_bytes();
    for round in 0..120 {
        let mut bytes = sound.clone();
        for _ in 0..random.random_range(1..30) {
            let at = random.random_range(0..bytes.len());
            bytes[at] =
                *[b'"', b'\n', b'\r', b',', 0, 0xff, b'{', b'\\', random.random()].get(random.random_range(0..9)).unwrap();
        }
        let path = folder.path().join(format!("data.{}", ["csv", "tsv", "json", "jsonl", "txt"][round % 5]));
        fs::write(&path, &bytes).unwrap();
        if opens_or_explains(&path).is_some() {
            // Whatever it was read as, it comes back as it was.
            let copy = folder.path().join("copy");
            let info = opens_or_explains(&path).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_lapidary"))
                .args(["export", "--no-project", "--format", info["format"].as_str().unwrap(), "-o"])
                .arg(&copy)
                .arg(&path)
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(fs::read(&copy).unwrap(), bytes, "round {round}");
        }
    }
}

#[test]
fn naughty_strings_come_through_every_format() {
    let Some(files) = shared("bad/naughty_strings") else { return };
    let Some(list) = files.iter().find(|path| path.extension().is_some_and(|end| end == "json")) else {
        println!("skipped: the strings are not there as JSON");
        return;
    };
    let strings: Vec<String> = serde_json::from_slice(&fs::read(list).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("data.jsonl");
    let lines: String = strings.iter().map(|text| format!("{}\n", serde_json::json!({"text": text, "n": 1}))).collect();
    fs::write(&source, lines).unwrap();
    let export = |from: &Path, to: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_lapidary")).arg("export").arg(from).arg("-o").arg(to).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    for ending in ["csv", "tsv", "json", "parquet", "arrow", "arrows"] {
        let (through, back) = (folder.path().join(format!("through.{ending}")), folder.path().join("back.jsonl"));
        export(&source, &through);
        export(&through, &back);
        let found: Vec<String> = fs::read_to_string(&back)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(found, strings, "{ending}");
    }
}

#[test]
fn bombs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.csv.gz");
    let mut encoder = flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::best());
    let block = vec![b'a'; 1 << 20];
    for _ in 0..256 {
        std::io::Write::write_all(&mut encoder, &block).unwrap();
    }
    encoder.finish().unwrap();
    let output = run(&["info", "--no-project", "--max-memory", "0.1"], &path);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("too large"));
}

/// Each of the files alone is within the limit, all together are not.
#[test]
fn files_of_a_folder_share_one_limit_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    let rows = format!("text,label\n{}", "some words of a row,x\n".repeat(40_000));
    for shard in 0..40 {
        fs::write(folder.path().join(format!("{shard:02}.csv")), &rows).unwrap();
    }
    // A file of 40,000 rows takes 0.9 MiB of text and some 2 MiB of cells.
    let limited = ["info", "--no-project", "--max-memory", "0.02"];
    let one = run(&limited, &folder.path().join("00.csv"));
    assert_eq!(one.status.code(), Some(0), "{}", String::from_utf8_lossy(&one.stderr));
    let all = run(&limited, folder.path());
    let said = String::from_utf8_lossy(&all.stderr);
    assert_eq!(all.status.code(), Some(2), "{said}");
    assert!(said.contains("too large") && said.contains("20 MiB") && said.contains("--max-memory"), "{said}");
    assert_eq!(run(&["info", "--no-project", "--max-memory", "1"], folder.path()).status.code(), Some(0));
}

#[test]
fn one_line_of_a_hundred_megabytes_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.csv");
    fs::write(&path, format!("text,label\n\"{}\",x\n", "long ".repeat(20 << 20))).unwrap();
    assert_eq!(opens_or_explains(&path).unwrap()["rows"], 1);
    let path = folder.path().join("long.txt");
    fs::write(&path, "x".repeat(100 << 20)).unwrap();
    assert_eq!(opens_or_explains(&path).unwrap()["rows"], 1, "no name is that long: it is a sample");
}

/// Runs the program where it may address six gigabytes and no more.
#[cfg(unix)]
fn within_six_gigabytes(path: &Path) -> std::process::Output {
    Command::new("sh")
        .args(["-c", "ulimit -v 6000000; exec \"$0\" info --no-project --json \"$1\""])
        .arg(env!("CARGO_BIN_EXE_lapidary"))
        .arg(path)
        .output()
        .unwrap()
}

/// Small files that ask for sixteen gigabytes and more where each cell that is not there takes one's place.
#[cfg(unix)]
#[test]
fn cells_that_are_not_there_take_no_memory() {
    let home = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..16_000).map(|n| format!("c{n}")).collect();
    let wide = format!("{}\n{}", names.join(","), "1\n".repeat(60_000));
    let keys: String = (0..16_000).map(|n| format!("{{\"k{n}\": 1}}\n")).collect();
    let ragged: String = (0..3_000).map(|n| format!("{}\n", "1,".repeat(if n % 500 == 3 { 15_000 } else { 2 }))).collect();
    for (name, text, rows) in
        [("wide.csv", wide, 60_000), ("keys.jsonl", keys, 16_000), ("ragged.csv", format!("a,b,c\n{ragged}"), 3_000)]
    {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        let output = within_six_gigabytes(&path);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(info["rows"], rows, "{name}");
    }
}

/// What is torn in one place costs that place, and reading goes on: one bracket is missing among ten thousand rows, numbers that are none
/// stand in one line of megabytes, brackets open and never close.
#[test]
fn what_is_no_table_is_named_for_what_it_is_under_any_name() {
    let home = tempfile::tempdir().unwrap();
    let program = {
        let mut bytes = vec![0_u8; 200];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[60] = 128;
        bytes[128..132].copy_from_slice(b"PE\0\0");
        bytes
    };
    let kinds: Vec<(&[u8], &str)> = vec![
        (b"RIFF\x10\0\0\0WEBPVP8 ....", "WebP"),
        (b"RIFF\x10\0\0\0WAVEfmt ....", "WAV"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "MP4"),
        (b"ID3\x03\0\0\0\0\0\0", "MP3"),
        (b"\xff\xfb\x90\x64\0\0\0\0", "MP3"),
        (b"OggS\0\x02\0\0", "Ogg"),
        (b"Rar!\x1a\x07\x01\0", "RAR"),
        (b"\x1aE\xdf\xa3\x01\0\0\0", "Matroska"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "Office"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"\x80\x04\x95\0\0\0\0\0", "pickle"),
        (b"8BPS\0\x01\0\0", "Photoshop"),
        (&program, "program"),
    ];
    for (bytes, name) in kinds {
        for ending in ["csv", "jsonl", "dat"] {
            let path = home.path().join(format!("file.{ending}"));
            fs::write(&path, bytes).unwrap();
            let output = run(&["info", "--no-project"], &path);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(2) && said.contains(name), "{name} as {ending}: {said}");
        }
    }
    // What only begins alike is a table.
    for text in ["ID3,x\n1,2\n", "MZ,x\n1,2\n", "RIFF,x\n1,2\n", "Ogg,x\n1,2\n", "ORC,x\n1,2\n", "BM,x\n1,2\n", "GIF,x\n1,2\n"] {
        let path = home.path().join("table.csv");
        fs::write(&path, text).unwrap();
        assert_eq!(opens_or_explains(&path).unwrap()["rows"], 1, "{text}");
    }
}

#[test]
fn a_torn_place_costs_that_place() {
    let home = tempfile::tempdir().unwrap();
    let row = |n: usize| format!("  {{\n    \"text\": \"sample {n}\",\n    \"label\": \"{}\"\n  }}", n % 3);
    let rows: Vec<String> = (0..10_000).map(row).collect();
    let pretty = format!("[\n{}\n]\n", rows.join(",\n")).replacen(
        "\"sample 5\",\n    \"label\": \"2\"\n  }",
        "\"sample 5\",\n    \"label\": \"2\"\n",
        1,
    );
    let line = format!("[{}]", (0..100_000).map(|n| format!("{{\"a\": {n}, \"b\": NaN}}")).collect::<Vec<_>>().join(", "));
    let open = "[".repeat(1_000_000);
    let read = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        lapidary::io::open(&path, &lapidary::io::Reading::default(), &lapidary::job::Progress::silent(), &|_| {})
    };
    let dataset = read("pretty.json", &pretty).unwrap();
    assert!((9_998..=10_000).contains(&dataset.rows()), "{}", dataset.rows());
    assert!(!dataset.base.warnings.is_empty());
    assert_eq!(read("line.json", &line).unwrap().rows(), 100_000);
    assert!(read("open.json", &open).is_err());
}

#[test]
fn what_tools_write_torn_or_mutated_opens_or_is_one_line() {
    let Some(folder) = shared_reference("collect") else { return };
    let home = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(20);
    let files = [
        "labelstudio/text.json",
        "labelstudio/images.json",
        "argilla/flat.json",
        "doccano/spans.jsonl",
        "doccano/fasttext.txt",
        "prodigy/choice.jsonl",
        "conll/eng.conll",
        "conll/ud.conllu",
        "spacy/train.spacy",
        "spacy/train.json",
        "coco/annotations/instances_train2017.json",
        "labelme/a.json",
        "xml/faq.xml",
        "docs/cards.html",
        "docs/cards.md",
        "logs/access.log",
        "logs/multi.log",
    ];
    for file in files {
        let whole = fs::read(folder.join(file)).unwrap();
        for turn in 0..6 {
            let mut bytes = whole.clone();
            match turn {
                0 => bytes.truncate(random.random_range(0..whole.len())),
                1 => {
                    let at = random.random_range(0..whole.len());
                    bytes.drain(at..(at + 40).min(whole.len()));
                }
                2 => bytes.extend_from_within(..),
                _ => {
                    for _ in 0..turn * 3 {
                        let at = random.random_range(0..bytes.len());
                        bytes[at] = random.random();
                    }
                }
            }
            let path = home.path().join(Path::new(file).file_name().unwrap());
            fs::write(&path, bytes).unwrap();
            opens_or_explains(&path);
        }
    }
    // Folders, one of whose files is something else.
    for (name, torn) in
        [("yolo", "data.yaml"), ("yolo", "labels/train/a.txt"), ("voc", "Annotations/a.xml"), ("voc", "ImageSets/Main/train.txt")]
    {
        let to = home.path().join(format!("{name}-{}", torn.replace('/', "-")));
        copy_all(&folder.join(name), &to);
        fs::write(to.join(torn), [0xff, 0xfe, b'<', 0, b'[', b'*', b'a', b'\n', b'-']).unwrap();
        opens_or_explains(&to);
    }
    // What costs a reader who looks again at every place.
    let costly = [
        ("dots.md", ".".repeat(3_000_000)),
        ("scripts.html", format!("<html>{}", "<script>".repeat(200_000))),
        ("quotes.html", format!("<html>{}", "<a \"".repeat(200_000))),
        ("hashes.md", "# \n".repeat(300_000)),
        ("deep.html", format!("<html>{}", "<div>".repeat(300_000))),
        (
            "attributes.xml",
            format!("<?xml version=\"1.0\"?><a {}/>", (0..40_000).map(|n| format!("a{n}=\"1\" ")).collect::<Vec<_>>().concat()),
        ),
        (
            "tasks.json",
            format!("[{{\"data\": {{\"a\": {}1{}}}, \"annotations\": []}}]", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        (
            "stars.sources.json",
            format!("{{\"lapidary\": \"sources/1\", \"sources\": [{{\"id\": \"a\", \"read\": \"{}\"}}]}}", "**/".repeat(2_000)),
        ),
    ];
    for (name, text) in costly {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        opens_or_explains(&path);
    }
}

fn shared_reference(part: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(part);
    if folder.exists() {
        return Some(folder);
    }
    println!("skipped: the reference is not beside this checkout");
    None
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target)
        } else {
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap()
        }
    }
}
