//! Files as people really have them: each opens with its rows, and comes back byte for byte. What is right is said beside the files, in
//! `../shared/data/field`; where those are not beside this checkout, it is said that they were skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use serde_json::Value;
use tempfile::TempDir;

/// A folder of one's own with the files of one kind.
struct Field {
    home: TempDir,
}

impl Field {
    fn of(kind: &str) -> Option<Self> {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/field").join(kind);
        if !from.is_dir() {
            println!("skipped: ../shared/data/field is not beside this checkout");
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        copy(&from, home.path());
        Some(Self { home })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn run(&self, words: &[&str]) -> Output {
        let data = self.path("data");
        Command::new(env!("CARGO_BIN_EXE_lapidary"))
            .args(words)
            .current_dir(self.home.path())
            .env("XDG_DATA_HOME", data)
            .output()
            .unwrap()
    }

    fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one line that says why not.
    fn fails(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        said
    }

    fn info(&self, name: &str) -> Value {
        serde_json::from_str(&self.ok(&["info", "--no-project", "--json", name])).unwrap()
    }

    /// Saves it as it is, in its own format.
    fn saved(&self, name: &str) -> Vec<u8> {
        let format = self.info(name)["format"].as_str().unwrap().to_owned();
        self.ok(&["export", "--no-project", name, "--format", &format, "-o", "saved.out"]);
        fs::read(self.path("saved.out")).unwrap()
    }

    fn columns(&self, name: &str) -> Vec<String> {
        self.info(name)["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap().to_owned()).collect()
    }

    fn role(&self, name: &str, column: &str) -> String {
        let info = self.info(name);
        let columns = info["columns"].as_array().unwrap();
        columns.iter().find(|known| known["name"] == column).unwrap()["role"].as_str().unwrap().to_owned()
    }

    fn warnings(&self, name: &str) -> Vec<String> {
        let info = self.info(name);
        info["warnings"].as_array().unwrap().iter().map(|warning| warning["reason"].as_str().unwrap().to_owned()).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&place).unwrap();
            copy(&entry.path(), &place);
        } else {
            fs::write(place, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// Opens each with its rows and gets the same bytes back.
fn come_back(kind: &str, files: &[(&str, u64)]) -> Option<Field> {
    let field = Field::of(kind)?;
    for (name, rows) in files {
        assert_eq!(field.info(name)["rows"], *rows, "{kind}/{name}");
        assert!(field.saved(name) == fs::read(field.path(name)).unwrap(), "{kind}/{name} does not come back byte for byte");
    }
    Some(field)
}

#[test]
fn hints_titles_comments_and_headers() {
    let files =
        [("reviews.csv", 6), ("reviews_bom.csv", 6), ("reviews_comma.csv", 4), ("reviews_quoted.csv", 4), ("reviews_tab.csv", 4)];
    if let Some(field) = come_back("01-sep-line", &files) {
        assert_eq!(field.columns("reviews.csv"), ["nr", "kommentar", "urteil"]);
        let data = field.path("reviews.csv");
        let before = fs::read_to_string(&data).unwrap();
        field.ok(&["relabel", "reviews.csv", "--column", "urteil", "--rows", "2", "--to", "anders"]);
        field.ok(&["export", "reviews.csv", "-o", "after.csv"]);
        let after = fs::read_to_string(field.path("after.csv")).unwrap();
        assert_eq!(before.lines().zip(after.lines()).filter(|(a, b)| a != b).count(), 1);
    }
    let files = [("blank_middle.csv", 3), ("footer.csv", 5), ("station.csv", 3), ("title.csv", 4), ("units.csv", 4)];
    if let Some(field) = come_back("05-preamble", &files) {
        assert_eq!(field.columns("station.csv"), ["time", "value", "quality"]);
        assert_eq!(field.columns("title.csv").len(), 4);
        assert!(field.warnings("footer.csv").len() >= 2);
        // Also by hand.
        assert_eq!(field.info("title.csv")["rows"], 4);
        let skipped = field.ok(&["info", "--no-project", "--json", "--skip", "0", "title.csv"]);
        let skipped: Value = serde_json::from_str(&skipped).unwrap();
        assert!(skipped["rows"].as_u64().unwrap() > 4, "a title that is not skipped is a line like others");
    }
    let files = [("de.csv", 2), ("forms.csv", 3), ("numbered.csv", 2), ("onerow.csv", 1), ("twice.csv", 2), ("years.csv", 3)];
    if let Some(field) = come_back("27-header-guess", &files) {
        assert_eq!(field.columns("years.csv"), ["country", "2019", "2020", "2021"]);
    }
}

#[test]
fn delimiters_quotes_and_control_bytes() {
    let files = [("after.csv", 5), ("backslash.csv", 4), ("lead.csv", 5), ("parts.csv", 7)];
    come_back("02-quotes-in-fields", &files);
    let files = [
        ("ledger.csv", 9),
        ("longheader.csv", 2),
        ("multiline_semi.csv", 3),
        ("one_column.csv", 4),
        ("one_column_semicolons.csv", 2),
        ("pipes_commas.csv", 4),
        ("points.tsv", 3),
        ("points_tab.csv", 3),
    ];
    if let Some(field) = come_back("03-delimiter-guess", &files) {
        let wide = |name: &str| field.columns(name).len();
        let all = ["points.tsv", "ledger.csv", "longheader.csv", "one_column.csv", "pipes_commas.csv", "multiline_semi.csv"];
        assert_eq!(all.map(wide), [3, 3, 8, 1, 3, 3]);
    }
    let files = [
        ("bad_utf8_late.csv", 3_002),
        ("bom_middle.csv", 4),
        ("cr_inside.tsv", 4),
        ("crlf_cells.csv", 4),
        ("mixed_ends.csv", 6),
        ("nel.csv", 4),
        ("nul.csv", 3),
    ];
    if let Some(field) = come_back("06-control-bytes", &files) {
        assert!(!field.warnings("bad_utf8_late.csv").is_empty());
    }
    come_back("25-json-in-csv", &[("escaped.csv", 4), ("labelstudio.csv", 15), ("quoted_all.csv", 15)]);
}

#[test]
fn json_of_every_shape_and_type() {
    let files = [
        ("content.jsonl", 6),
        ("image_list.jsonl", 3),
        ("keys_reordered.jsonl", 3),
        ("late_types.jsonl", 4_120),
        ("mixed_scalar.json", 6),
        ("nulls_in_list.jsonl", 3),
        ("tools.jsonl", 4),
    ];
    if let Some(field) = come_back("08-type-flip", &files) {
        // Another JSON file holds the same values, and Parquet the same rows.
        for (name, rows) in files {
            let values = |path: &Path| -> Vec<Value> {
                let text = fs::read_to_string(path).unwrap();
                serde_json::from_str(&text)
                    .unwrap_or_else(|_| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
            };
            let other = if name.ends_with('l') { "other.json" } else { "other.jsonl" };
            field.ok(&["export", "--no-project", name, "-o", other]);
            assert_eq!(values(&field.path(other)), values(&field.path(name)), "{name}");
            fs::remove_file(field.path(other)).unwrap();
            field.ok(&["export", "--no-project", name, "-o", "other.parquet"]);
            assert_eq!(field.info("other.parquet")["rows"], rows, "{name}");
            fs::remove_file(field.path("other.parquet")).unwrap();
        }
    }
    let files = [("dupkeys.jsonl", 2), ("floats.jsonl", 5), ("tweets.csv", 7), ("tweets.json", 7), ("tweets.jsonl", 7)];
    if let Some(field) = come_back("09-big-numbers", &files) {
        assert!(
            field.warnings("dupkeys.jsonl").iter().any(|warning| warning.contains("twice") || warning.contains("more than once"))
        );
        // Every digit of every number of 16 digits and more survives every format.
        let long = |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            let numbers: std::collections::BTreeSet<String> =
                text.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() >= 16).map(ToOwned::to_owned).collect();
            numbers
        };
        let wanted = long(&field.path("tweets.json"));
        assert!(wanted.len() > 3);
        for through in ["t.csv", "t.jsonl", "t.parquet", "t.arrow"] {
            field.ok(&["export", "--no-project", "tweets.json", "-o", through]);
            field.ok(&["export", "--no-project", through, "-o", "back.csv"]);
            assert_eq!(long(&field.path("back.csv")), wanted, "{through}");
            fs::remove_file(field.path("back.csv")).unwrap();
        }
    }
    let files = [
        ("array_as.jsonl", 3),
        ("columns.json", 3),
        ("comma_lines.json", 3),
        ("glued.jsonl", 3),
        ("lines_as.json", 3),
        ("lists.jsonl", 3),
        ("pandas_index.json", 3),
        ("pretty.json", 3),
        ("scalars.json", 3),
        ("single.json", 1),
        ("split_object.json", 4),
        ("trailing_comma.json", 3),
        ("wrapped.json", 3),
    ];
    if let Some(field) = come_back("10-json-shapes", &files) {
        assert!(field.fails(&["info", "--no-project", "comments.json"]).contains("comments"));
    }
}

#[test]
fn classes_and_roles() {
    let files = [("countries.csv", 8), ("labels.jsonl", 7), ("missing_labels.csv", 60)];
    if let Some(field) = come_back("11-na-labels", &files) {
        let info = field.ok(&["info", "--no-project", "--json", "--role", "code=label", "countries.csv"]);
        let info: Value = serde_json::from_str(&info).unwrap();
        assert_eq!(info["classes"]["code"]["NA"], 2, "a country and no gap");
        let labels = field.info("labels.jsonl")["classes"]["label"].clone();
        assert_eq!(labels, serde_json::json!({"NA": 1, "None": 1, "null": 1, "NaN": 1}));
    }
    let files = [("cases.csv", 48), ("floats.csv", 40), ("newline_class.csv", 24), ("spaces.csv", 30)];
    if let Some(field) = come_back("12-label-spelling", &files) {
        let info = field.info("newline_class.csv");
        assert!(info["classes"].as_object().unwrap().values().any(|classes| classes.as_object().unwrap().len() == 4));
    }
    let files = [("alpaca.json", 24), ("one_bad.jsonl", 1_000), ("one_null.jsonl", 1_000), ("thousand.jsonl", 1_000)];
    if let Some(field) = come_back("26-chat-rows", &files) {
        let chat = |name: &str| field.info(name)["columns"].as_array().unwrap().iter().any(|column| column["role"] == "messages");
        assert!(
            chat("one_bad.jsonl") && chat("one_null.jsonl") && chat("thousand.jsonl"),
            "one odd row takes no role from a column"
        );
    }
    let files = [
        ("big.csv", 40),
        ("fx.csv", 4),
        ("ints.csv", 69),
        ("kp.csv", 900),
        ("missing.csv", 69),
        ("topic.csv", 90),
        ("xy.csv", 4),
    ];
    if let Some(field) = come_back("28-roles", &files) {
        for name in ["xy.csv", "kp.csv", "topic.csv"] {
            assert_eq!(field.role(name, "label"), "label", "{name}");
        }
        assert_ne!(field.role("fx.csv", "price"), "text");
    }
}

#[test]
fn parquet_and_arrow_of_every_type() {
    let Some(field) = Field::of("14-parquet-types") else { return };
    let refused = field.fails(&["info", "--no-project", "decimal256.parquet"]);
    assert!(refused.contains("\"price\"") && refused.contains("decimal256"), "{refused}");
    let mut seen = 0;
    for entry in fs::read_dir(field.home.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let typed = name.ends_with(".parquet") || name.ends_with(".arrow");
        if !typed || name.starts_with("decimal256") {
            continue;
        }
        seen += 1;
        let rows = match name.as_str() {
            "empty_groups.parquet" => 43,
            "no_rows.parquet" => 0,
            "hf_images.parquet" => 20,
            _ => 40,
        };
        assert_eq!(field.info(&name)["rows"], rows, "{name}");
        for format in ["parquet", "csv"] {
            let (first, second, again) = (format!("1.{format}"), format!("2.{format}"), format!("3.{format}"));
            for out in [&first, &second] {
                field.ok(&["export", "--no-project", &name, "-o", out]);
            }
            let bytes = |out: &str| fs::read(field.path(out)).unwrap();
            assert!(bytes(&first) == bytes(&second), "{name} as {format} twice");
            if format == "parquet" {
                // What is read back is what was there: types by their names, and every value as text.
                assert_eq!(field.info(&first)["columns"], field.info(&name)["columns"], "{name}");
                field.ok(&["export", "--no-project", &first, "-o", "there.csv", "--format", "csv"]);
                field.ok(&["export", "--no-project", &name, "-o", "here.csv", "--format", "csv"]);
                assert!(bytes("there.csv") == bytes("here.csv"), "{name}");
                fs::remove_file(field.path("there.csv")).unwrap();
                fs::remove_file(field.path("here.csv")).unwrap();
            }
            for out in [first, second, again] {
                let _ = fs::remove_file(field.path(&out));
            }
        }
    }
    assert!(seen >= 20);
    assert_eq!(field.columns("duplicate_names.parquet"), ["text", "label", "label_2"]);
    assert!(field.columns("pandas_categorical_index.parquet").contains(&"__index_level_0__".to_owned()));
    // What Hugging Face notes beside the columns stays.
    field.ok(&["export", "--no-project", "hf_classlabel.parquet", "-o", "kept.parquet"]);
    let kept = fs::read(field.path("kept.parquet")).unwrap();
    for word in ["huggingface", "ClassLabel", "neu"] {
        assert!(kept.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
    // Class names stand in the place of numbers, and −1 is no label; saved, they are numbers again.
    for name in ["hf_classlabel.parquet", "hf_saved.arrow"] {
        field.ok(&["export", "--no-project", name, "-o", "names.csv"]);
        let text = fs::read_to_string(field.path("names.csv")).unwrap();
        assert!(text.contains("sentence 0,neg") && text.contains("sentence 2,pos"), "{name}: {text}");
        assert!(!text.contains(",-1"), "{name}");
        fs::remove_file(field.path("names.csv")).unwrap();
    }
    field.ok(&["relabel", "hf_classlabel.parquet", "--rows", "0", "--column", "label", "--to", "mixed"]);
    field.ok(&["export", "hf_classlabel.parquet", "-o", "more.parquet"]);
    let more = fs::read(field.path("more.parquet")).unwrap();
    assert!(more.windows(7).any(|window| window == b"\"mixed\""), "a new class is noted behind the others");
    let arrow = schema_of(&field.path("more.parquet"));
    assert_eq!(arrow["label"], "Int64", "the column is one of numbers, as its writer had it");
    // What is noted stands where pyarrow and `datasets` look for it: in Arrow's own schema, though a column is nested.
    let noted = noted_in(&field.path("more.parquet"));
    let features: Value = serde_json::from_str(&noted["huggingface"]).unwrap();
    assert_eq!(features["info"]["features"]["label"]["names"], serde_json::json!(["neg", "neu", "pos", "mixed"]));
    // Maps stay maps, and texts are written as readers of some years ago know them.
    field.ok(&["export", "--no-project", "maps.parquet", "-o", "maps_again.parquet"]);
    let (before, after) = (schema_of(&field.path("maps.parquet")), schema_of(&field.path("maps_again.parquet")));
    let maps = |schema: &std::collections::BTreeMap<String, String>| {
        schema.iter().filter(|(_, of)| of.starts_with("Map")).map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    assert!(!maps(&before).is_empty() && maps(&before) == maps(&after), "{before:?} became {after:?}");
    assert!(after.values().all(|of| !of.contains("View")), "{after:?}");
    // A stream stays a stream, whatever it is called.
    let stream = |name: &str| fs::read(field.path(name)).unwrap().starts_with(&[0xff; 4]);
    assert!(stream("hf_saved.arrow"));
    field.ok(&["export", "--no-project", "hf_saved.arrow", "-o", "again.arrow"]);
    assert!(stream("again.arrow"));
    let again = fs::read(field.path("again.arrow")).unwrap();
    assert!(again.windows(10).any(|window| window == b"ClassLabel"), "a stream keeps what is noted, too");
    field.ok(&["export", "--no-project", "maps.parquet", "-o", "file.arrow"]);
    assert!(!stream("file.arrow"));
    // Halves are numbers.
    let info = field.info("half_float.parquet");
    assert_eq!(info["columns"].as_array().unwrap().iter().find(|column| column["name"] == "score").unwrap()["type"], "number");
}

#[test]
fn times_keep_their_zone_and_order_a_split() {
    if let Some(field) = Field::of("29-time-zones") {
        for name in ["berlin.parquet", "naive_ms.parquet", "utc_us.parquet"] {
            assert_eq!(field.info(name)["rows"], 6);
            field.ok(&["export", "--no-project", name, "-o", "again.parquet"]);
            field.ok(&["export", "--no-project", "again.parquet", "-o", "again.csv"]);
            field.ok(&["export", "--no-project", name, "-o", "once.csv"]);
            let text = |out: &str| fs::read_to_string(field.path(out)).unwrap();
            assert_eq!(text("again.csv"), text("once.csv"));
            if name != "naive_ms.parquet" {
                assert!(
                    text("once.csv").contains("2024-03-31T00:30:00") || text("once.csv").contains("2024-03-31T01:30:00"),
                    "{}",
                    text("once.csv")
                );
            }
            for out in ["again.parquet", "again.csv", "once.csv"] {
                fs::remove_file(field.path(out)).unwrap();
            }
        }
    }
    let Some(field) = Field::of("20-split-time") else { return };
    // Nothing in it tells whether the day or the month comes first: that is said, and nothing is guessed.
    let said = field.fails(&["split", "us_ampm.csv", "--time", "when", "--ratios", "60,20,20", "-o", "parts"]);
    assert!(said.contains("whether day or month comes first"), "{said}");
    for name in ["dmy.csv", "mdy.csv", "words.csv", "german.csv", "iso_mixed.csv", "epoch.csv", "offsets.csv"] {
        let column = field.columns(name).into_iter().find(|column| column != "text" && column != "label").unwrap();
        field.ok(&["split", name, "--time", &column, "--ratios", "60,20,20", "-o", "parts"]);
        let part = |part: &str| -> Vec<i64> {
            let text = fs::read_to_string(field.path(&format!("parts/{part}.csv"))).unwrap();
            let number = |line: &str| {
                let (row, when) = (line.find("row ")? + 4, line.rsplit(',').next()?);
                if name != "offsets.csv" {
                    return line[row..].split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
                }
                // The hour of the month in UTC: `2024-03-02T16:00:00+09:00`.
                let (day, hour, ahead): (i64, i64, i64) =
                    (when[8..10].parse().ok()?, when[11..13].parse().ok()?, when[19..22].parse().ok()?);
                Some(day * 24 + hour - ahead)
            };
            text.lines().skip(1).filter_map(number).collect()
        };
        let (train, test) = (part("train"), part("test"));
        assert!(!train.is_empty() && !test.is_empty(), "{name}");
        assert!(train.iter().max() <= test.iter().min(), "{name}: {train:?} {test:?}");
        fs::remove_dir_all(field.path("parts")).unwrap();
    }
}

#[test]
fn rare_classes_are_split_without_losing_a_row() {
    let Some(field) = Field::of("18-split-rare") else { return };
    for name in ["all_distinct.csv", "nulls.csv", "one_class.csv", "rare.csv", "ten_thousand_classes.csv"] {
        let column = field.columns(name).last().unwrap().clone();
        field.ok(&["split", name, "--stratify", &column, "--ratios", "80,10,10", "-o", "parts"]);
        let rows = |path: String| field.info(&path)["rows"].as_u64().unwrap();
        let parts = ["train", "validation", "test"].map(|part| rows(format!("parts/{part}.csv")));
        let all = rows(name.to_owned());
        assert_eq!(parts.iter().sum::<u64>(), all, "{name}");
        assert!(parts[0].abs_diff(all * 8 / 10) <= all / 20 + 1, "{name}: {parts:?}");
        fs::remove_dir_all(field.path("parts")).unwrap();
    }
}

/// Types by column, as Arrow sees a Parquet file.
fn schema_of(path: &Path) -> std::collections::BTreeMap<String, String> {
    let (meta, (schema, ..)) = arrow_of(path);
    let stated = meta.schema_descr.fields().iter().map(|field| (field.name().to_owned(), format!("{field:?}")));
    let stated: std::collections::BTreeMap<String, String> = stated.collect();
    schema
        .iter_values()
        .map(|field| {
            let (name, of) = (field.name.to_string(), format!("{:?}", field.dtype));
            assert_eq!(of.starts_with("Map"), stated[&name].contains("Map"), "{name}: Parquet and Arrow agree");
            (name, of)
        })
        .collect()
}

type ArrowOf =
    (polars_arrow::datatypes::ArrowSchema, polars_arrow::io::ipc::IpcSchema, Option<polars_arrow::datatypes::Metadata>);

/// Arrow's schema as the writer of a Parquet file noted it: Polars' own reading has no maps.
fn arrow_of(path: &Path) -> (polars_parquet::read::FileMetadata, ArrowOf) {
    let mut file = fs::File::open(path).unwrap();
    let meta = polars_parquet::read::read_metadata(&mut file).unwrap();
    let noted = meta.key_value_metadata().as_ref().unwrap().iter().find(|noted| noted.key == "ARROW:schema").unwrap();
    let message = base64::engine::general_purpose::STANDARD.decode(noted.value.as_ref().unwrap()).unwrap();
    let arrow = polars_arrow::io::ipc::read::deserialize_schema(&message[8..]).unwrap();
    (meta, arrow)
}

/// What is noted in Arrow's schema of a Parquet file.
fn noted_in(path: &Path) -> std::collections::BTreeMap<String, String> {
    let (_, (schema, _, noted)) = arrow_of(path);
    let all = schema.metadata().iter().chain(noted.iter().flatten());
    all.map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

#[test]
fn debris_in_folders_of_images_is_no_sample_and_nothing_is_left_out_in_silence() {
    let Some(field) = Field::of("15-image-folder-debris") else { return };
    let info = field.info("photos");
    assert_eq!(info["rows"], 22);
    let classes = |info: &Value| -> Vec<String> { info["classes"]["label"].as_object().unwrap().keys().cloned().collect() };
    assert_eq!(classes(&info), ["cat", "dog"]);
    let said = field.warnings("photos").join("\n");
    assert!(
        said.contains("HEIC") && said.contains("photo.heic") && said.contains("AVIF") && said.contains("photo.avif"),
        "{said}"
    );
    let mac = field.info("photos_mac.zip");
    assert_eq!(mac["rows"], 8);
    assert_eq!(classes(&mac), ["cat", "dog"]);
    let found = field.run(&["check", "--no-project", "photos", "--only", "images"]);
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(found.contains("cat/zero.jpg") && found.contains("cat/cut.jpg") && found.contains("wrong.png"), "{found}");
    // Tables made on another system, and in other case, find their images; what is not there is said.
    for (path, rows, classes_in, missing) in
        [("meta_windows", 4, 2, Some("Images/3")), ("parts_windows", 8, 2, None), ("parts_case", 4, 2, Some("9.jpg"))]
    {
        let info = field.info(path);
        assert_eq!(info["rows"], rows, "{path}");
        assert_eq!(classes(&info).len(), classes_in, "{path}");
        let said = field.warnings(path).join("\n");
        match missing {
            Some(name) => assert!(said.contains(name), "{path}: {said}"),
            None => assert!(!said.contains("name no image"), "{path}: {said}"),
        }
    }
    for path in ["meta_windows/train", "meta_windows/train/metadata.csv"] {
        let found = field.run(&["check", "--no-project", path, "--only", "images"]);
        let found = String::from_utf8(found.stdout).unwrap();
        assert!(!found.contains("0.jpg") && !found.contains("1.jpg") && !found.contains("2.jpg"), "{path}: {found}");
        assert!(found.contains("Images/3") && found.contains("Images/4.jpg"), "{path}: {found}");
    }
}

#[test]
fn odd_pixels_are_judged_as_they_look() {
    let Some(field) = Field::of("17-odd-pixels") else { return };
    assert_eq!(field.info("photos")["rows"], 21);
    let of = |check: &str| {
        let found = field.run(&["check", "--no-project", "photos", "--only", check]);
        String::from_utf8(found.stdout).unwrap()
    };
    let found = of("images");
    assert!(!found.contains("lineart"), "line art on nothing is neither dark nor empty: {found}");
    assert!(!found.contains("ramp"), "{found}");
    let empty = |name: &str| found.lines().any(|line| line.contains(name) && line.contains("hardly anything"));
    assert!(empty("hidden/white.png") && empty("hidden/black_hidden.png"), "colours that nobody sees are none: {found}");
    assert!(found.contains("float.tiff") && found.contains("floating-point"), "{found}");
    assert!(found.lines().any(|line| line.contains("tall.png") && line.contains("one side")), "{found}");
    let copies = of("image_copies");
    assert!(!copies.contains("lineart"), "{copies}");
    for [a, b] in [["ramp.png", "ramp.tiff"], ["p.gif", "p.png"], ["p.png", "rgb.png"], ["x.gif", "x_copy.gif"]] {
        assert!(copies.lines().any(|line| line.contains(a) && line.contains(b)), "{a}, {b}: {copies}");
    }
}

#[test]
fn balancing_at_the_edges() {
    let Some(field) = Field::of("21-balance-smote") else { return };
    let run = |name: &str, over: &str| {
        let out = field.path("out.csv");
        let _ = fs::remove_file(&out);
        let done = field.run(&["balance", "--no-project", name, "--rule", "floor=30", "--over", over, "-o", "out.csv"]);
        (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap(), fs::read_to_string(out).unwrap_or_default())
    };
    for name in ["constant.csv", "decimal_comma.csv", "ints.csv", "missing_numbers.csv", "one_minority.csv", "two_minority.csv"] {
        let (code, said, out) = run(name, "smote");
        assert_eq!(code, 0, "{name}: {said}");
        // The originals stand there unchanged, in order.
        assert!(out.starts_with(&fs::read_to_string(field.path(name)).unwrap()), "{name}");
        let source = fs::read_to_string(field.path(name)).unwrap();
        let separator = if source.lines().next().unwrap().contains(';') { ';' } else { ',' };
        let head: Vec<&str> = source.lines().next().unwrap().split(separator).collect();
        let whole: Vec<usize> = (0..head.len()).filter(|at| ["rating", "age"].contains(&head[*at])).collect();
        let named: Vec<usize> = (0..head.len()).filter(|at| ["region", "smoker"].contains(&head[*at])).collect();
        let new: Vec<Vec<&str>> = out.lines().skip(source.lines().count()).map(|line| line.split(separator).collect()).collect();
        assert!(new.len() >= 20, "{name}");
        for cells in &new {
            assert!(whole.iter().all(|at| cells[*at].is_empty() || cells[*at].parse::<i64>().is_ok()), "{name}: {cells:?}");
            assert!(named.iter().all(|at| !cells[*at].is_empty()), "{name}: {cells:?}");
        }
        if head.contains(&"id") {
            assert!(said.contains("\"id\""), "{name}: ids that are not interpolated are said: {said}");
        }
        if name == "one_minority.csv" {
            assert!(said.contains("one sample"), "{said}");
        }
        if name == "decimal_comma.csv" {
            let score = |cells: &Vec<&str>| cells[1].replace(',', ".").parse::<f64>().is_ok() && !cells[1].contains('.');
            assert!(new.iter().all(score), "{new:?}");
        }
    }
    let (code, said, _) = run("categorical_only.csv", "smote");
    assert!(code == 2 && said.contains("SMOTE is for datasets of numbers"), "{said}");
    let (code, said, _) = run("one_class.csv", "repeat");
    assert!(code == 2 && said.contains("1 class"), "{said}");
    let (code, said, out) = run("unlabelled.csv", "repeat");
    assert_eq!(code, 0, "{said}");
    assert!(out.starts_with(&fs::read_to_string(field.path("unlabelled.csv")).unwrap()), "rows without a label stay");
}

#[test]
fn labels_and_numbers_by_their_names_and_values() {
    let Some(field) = Field::of("28-roles") else { return };
    for name in ["xy.csv", "kp.csv", "topic.csv"] {
        assert_eq!(field.role(name, "label"), "label", "{name}");
    }
    assert_ne!(field.role("fx.csv", "price"), "text");
    for name in ["big.csv", "nan.csv", "ints.csv", "missing.csv", "one.csv", "two.csv"] {
        let done = field.run(&["balance", "--no-project", name, "--rule", "floor=30", "--over", "smote", "-o", "out.csv"]);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{name}: {said}");
        let out = fs::read_to_string(field.path("out.csv")).unwrap();
        let head: Vec<&str> = out.lines().next().unwrap().split(',').collect();
        for line in out.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            for at in (0..head.len()).filter(|at| ["rating", "age", "u"].contains(&head[*at]) && !cells[*at].is_empty()) {
                assert!(cells[at].parse::<i64>().is_ok(), "{name}: {line}");
            }
        }
        assert!(name != "one.csv" || said.contains("one sample, which is repeated"), "{said}");
        fs::remove_file(field.path("out.csv")).unwrap();
    }
}

#[test]
fn a_folder_of_shards_is_one_dataset_where_columns_agree() {
    let home = tempfile::tempdir().unwrap();
    let field = Field { home };
    let put = |name: &str, text: &str| {
        let path = field.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("set/data/train-00000-of-00002.csv", "text,label\none,a\n\"two, with a comma\",b\n");
    put("set/data/train-00001-of-00002.csv", "text,label\nthree,a\n");
    put("set/data/test-00000-of-00001.csv", "text,label\nfour,b\n");
    put("set/README.md", "# a card\n");
    put("set/dataset_info.json", "{}");
    let info = field.info("set");
    assert_eq!(info["rows"], 4);
    assert_eq!(field.columns("set"), ["text", "label", "file", "split"]);
    field.ok(&["export", "--no-project", "set", "-o", "all.csv"]);
    let all = fs::read_to_string(field.path("all.csv")).unwrap();
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!(lines[1], "four,b,data/test-00000-of-00001.csv,test");
    assert_eq!(lines[2], "one,a,data/train-00000-of-00002.csv,train");
    assert_eq!(lines[3], "\"two, with a comma\",b,data/train-00000-of-00002.csv,train");
    // Edits are kept beside the folder and found again.
    field.ok(&["relabel", "set", "--rows", "0", "--column", "label", "--to", "c"]);
    field.ok(&["export", "set", "-o", "edited.csv"]);
    assert!(fs::read_to_string(field.path("edited.csv")).unwrap().contains("four,c,"));
    let said = field.fails(&["export", "set", "-o", "set/data/out.csv"]);
    assert!(said.contains("within the source"), "{said}");
    // Typed ones, and ones that do not agree.
    fs::create_dir(field.path("typed")).unwrap();
    for part in ["1", "2"] {
        field.ok(&["export", "--no-project", "set/data/train-00000-of-00002.csv", "-o", &format!("typed/{part}.parquet")]);
    }
    assert_eq!(field.info("typed")["rows"], 4);
    put("set/data/odd.csv", "text,category\nfive,a\n");
    let said = field.fails(&["info", "--no-project", "set"]);
    assert!(said.contains("odd.csv") && said.contains("\"category\"") | said.contains("\"label\""), "{said}");
    fs::remove_file(field.path("set/data/odd.csv")).unwrap();
    put("set/data/odd.jsonl", "{\"text\": \"five\"}\n");
    let said = field.fails(&["info", "--no-project", "set"]);
    assert!(said.contains("several formats"), "{said}");
    // In JSON, what is missing is left out.
    put("lines/a.jsonl", "{\"text\": \"x\", \"n\": 1}\n");
    put("lines/b.jsonl", "{\"text\": \"y\", \"more\": true}\n{\"text\": \"z\"}\n");
    assert_eq!(field.info("lines")["rows"], 3);
    assert_eq!(field.columns("lines"), ["text", "n", "more", "file"]);
    // Cells beyond the header become columns, so that none is lost.
    put("wide/a.csv", "text,label\none,a,extra\n");
    put("wide/b.csv", "text,label\ntwo,b\n");
    let said = field.run(&["export", "--no-project", "wide", "-o", "wide.csv"]);
    let out = fs::read_to_string(field.path("wide.csv")).unwrap_or_default();
    assert!(said.status.success() && out.contains("one,a,extra") && out.contains("two,b,"), "{out}");
    // A shard is never written over, by whatever name.
    let before = fs::read(field.path("lines/a.jsonl")).unwrap();
    for out in ["a.jsonl", "./b.jsonl", "../lines/a.jsonl"] {
        let done = Command::new(env!("CARGO_BIN_EXE_lapidary"))
            .args(["export", "--no-project", ".", "-o", out])
            .current_dir(field.path("lines"))
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2), "{out}");
    }
    assert!(fs::read(field.path("lines/a.jsonl")).unwrap() == before);
}
