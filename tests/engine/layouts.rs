//! What labelling tools and libraries write: every small input of the reference opens to its expected samples, or better where the reference loses
//! something. Reads `../shared` and says so where it is not there.

use std::path::Path;

use lapidary::data::{Dataset, Kind};
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use serde_json::{Map, Value, json};

use super::trainers::{read, shared};

fn open_as(path: &Path, layout: Option<&str>) -> Result<Dataset, String> {
    let reading = Reading { layout: layout.map(ToOwned::to_owned), ..Reading::default() };
    io::open(path, &reading, &Progress::silent(), &|_| {}).map_err(|error| error.to_string())
}

/// The samples of a path: cells by column, nested ones as what they hold, without those that are empty.
fn rows(path: &Path) -> Vec<Map<String, Value>> {
    cells(&open_as(path, None).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn cells(dataset: &Dataset) -> Vec<Map<String, Value>> {
    let row = |id| {
        let cell = |(at, field): (usize, &lapidary::data::Field)| {
            let text = dataset.text(at, id)?;
            let value = if field.kind.is_nested() || matches!(field.kind, Kind::Integer | Kind::Number) {
                serde_json::from_str(&text).ok()
            } else {
                None
            };
            Some((field.name.to_string(), value.unwrap_or_else(|| json!(text))))
        };
        dataset.fields().iter().enumerate().filter_map(cell).collect()
    };
    dataset.samples().map(row).collect()
}

fn notes(path: &Path) -> Vec<String> {
    open_as(path, None).unwrap().base.warnings.iter().map(|warning| warning.reason.clone()).collect()
}

/// The cells of a column, in order.
fn column(rows: &[Map<String, Value>], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row.get(name).cloned().unwrap_or(Value::Null)).collect()
}

/// Spans as their places, class and words.
fn spans(cell: &Value) -> Value {
    let one = |span: &Value| json!([span["start"], span["end"], span["label"], span["text"]]);
    cell.as_array().map_or(Value::Null, |list| list.iter().map(one).collect())
}

#[test]
fn label_studio_says_classes_spans_boxes_votes_and_who_looked() {
    let Some(folder) = shared("reference/collect/labelstudio") else { return };
    let rows = rows(&folder.join("text.json"));
    assert_eq!(column(&rows, "id"), [json!(11), json!(12), json!(13), json!(14)]);
    assert_eq!(column(&rows, "status"), [json!("labelled"), json!("labelled"), json!("skipped"), json!("open")]);
    // The newest answer that was not skipped; what each said stands beside it.
    assert_eq!(column(&rows, "intent"), [json!("card_arrival"), json!("age_limit"), Value::Null, Value::Null]);
    assert_eq!(rows[1]["intent_by_1"], json!("card_arrival"));
    assert_eq!(rows[1]["intent_by_2"], json!("age_limit"));
    assert_eq!((&rows[0]["intent_predicted"], &rows[0]["prediction_score"]), (&json!("age_limit"), &json!(0.9)));
    assert_eq!((&rows[0]["src"], &rows[3]["text"]), (&json!("web"), &json!("Not decided yet")));
    let pictures = self::rows(&folder.join("images.json"));
    let boxes: Vec<Value> =
        pictures[0]["box"].as_array().unwrap().iter().map(|thing| json!([thing["label"], thing["bbox"]])).collect();
    assert_eq!(json!(boxes), json!([["card", [16.0, 24.0, 32.0, 12.0]], ["hand", [0.0, 0.0, 6.4, 4.8]]]), "per cent, as pixels");
    assert_eq!(pictures[1]["poly"], json!([{"label": "hand", "points": [[4.0, 8.0], [24.0, 8.0], [24.0, 32.0]]}]));
    // Looked at, and nothing there; not looked at: COCO and YOLO say the same of both.
    assert_eq!([&pictures[2]["status"], &pictures[3]["status"]], [&json!("labelled"), &json!("open")]);
    // The same as it is asked for as what it is: JSON.
    assert!(open_as(&folder.join("text.json"), Some("plain")).unwrap().field("annotations").is_some());
}

#[test]
fn spans_count_letters_whatever_the_tool_counts() {
    let anna = json!([[0, 6, "LOC", "Zürich"], [19, 23, "PER", "Anna"]]);
    let Some(folder) = shared("reference/collect") else { return };
    // UTF-16 units there: the picture of a rocket is two.
    let studio = r#"[{"id": 1, "data": {"text": "Zürich 🚀: where is Anna's card?"}, "annotations": [{"result": [
        {"from_name": "ner", "to_name": "text", "type": "labels", "value": {"start": 0, "end": 6, "text": "Zürich", "labels": ["LOC"]}},
        {"from_name": "ner", "to_name": "text", "type": "labels", "value": {"start": 20, "end": 24, "text": "Anna", "labels": ["PER"]}}]}]}]"#;
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("tasks.json"), studio).unwrap();
    assert_eq!(spans(&rows(&home.path().join("tasks.json"))[0]["ner"]), anna);
    assert_eq!(spans(&rows(&folder.join("doccano/spans.jsonl"))[0]["spans"]), anna);
    assert_eq!(spans(&rows(&folder.join("argilla/flat.json"))[1]["spans"]), anna);
    assert_eq!(spans(&rows(&folder.join("argilla/to_disk"))[1]["spans"]), anna);
    let prodigy = rows(&folder.join("prodigy/ner.jsonl"));
    assert_eq!(spans(&prodigy[0]["spans"]), json!([[0, 4, "PER", "Anna"], [14, 20, "LOC", "Zürich"]]));
}

#[test]
fn argillas_drafts_and_discarded_answers_are_no_labels_where_the_file_says_so() {
    let Some(folder) = shared("reference/collect/argilla") else { return };
    let expected = &read(&folder.join("expected.json"))["rows"];
    let flat = rows(&folder.join("flat.json"));
    for (row, expected) in flat.iter().zip(expected.as_array().unwrap()) {
        for name in ["id", "text", "intent", "topics", "clear", "src", "score", "note", "rank"] {
            assert_eq!(row.get(name).unwrap_or(&Value::Null), &expected[name], "{name} of {}", expected["id"]);
        }
    }
    assert_eq!((&flat[0]["intent_suggested"], &flat[0]["intent_suggested_score"]), (&json!("card_arrival"), &json!(0.9)));
    assert_eq!(flat[0]["intent_draft_by_2"], json!("age_limit"));
    assert_eq!(flat[2]["intent_discarded_by_2"], json!("age_limit"));
    // The folder does not say what became of an answer: that is told.
    assert!(notes(&folder.join("to_disk")).iter().any(|note| note.contains("drafts or discarded")));
    assert_eq!(rows(&folder.join("to_disk"))[0]["intent"], json!("card_arrival"));
}

#[test]
fn doccano_fasttext_and_prodigy_give_their_classes() {
    let Some(folder) = shared("reference/collect") else { return };
    let of = read(&folder.join("doccano/expected.json"));
    let classes = |rows: &[Map<String, Value>]| -> Value { rows.iter().map(|row| json!([row["text"], row["label"]])).collect() };
    assert_eq!(classes(&rows(&folder.join("doccano/classification.jsonl"))), of["classification"]);
    assert_eq!(classes(&rows(&folder.join("doccano/classification.csv"))), of["classification"]);
    let fast = rows(&folder.join("doccano/fasttext.txt"));
    let fast: Value = fast.iter().map(|row| json!([row["label"], row["text"]])).collect();
    assert_eq!(fast, of["fasttext"]);
    let relations = rows(&folder.join("doccano/relations.jsonl"));
    assert_eq!(relations[0]["relations"][0]["type"], json!("lives_in"));
    let boxes = &rows(&folder.join("doccano/boxes.jsonl"))[0];
    assert_eq!((&boxes["filename"], &boxes["bbox"][0]["width"]), (&json!("a.jpg"), &json!(32.0)));

    let of = read(&folder.join("prodigy/expected.json"));
    for (row, expected) in rows(&folder.join("prodigy/choice.jsonl")).iter().zip(of["choice"].as_array().unwrap()) {
        let label = match row.get("label") {
            Some(Value::Array(list)) => json!(list),
            Some(label) => json!([label]),
            None => Value::Null,
        };
        assert_eq!(json!([row["text"], label, row["answer"]]), *expected);
    }
    // A class that was refused is none of the sample's; which is right nobody said.
    let binary = rows(&folder.join("prodigy/binary.jsonl"));
    assert_eq!(column(&binary, "label"), [json!("card_arrival"), Value::Null]);
    assert_eq!(column(&binary, "not_label"), [Value::Null, json!("card_arrival")]);
}

#[test]
fn tokens_and_tags_are_sentences_with_entities() {
    let Some(folder) = shared("reference/collect/conll") else { return };
    let of = read(&folder.join("expected.json"));
    let datasets = &of["as_datasets_reads"];
    for file in ["eng.conll", "iob1_tabs_bom.txt"] {
        let rows = rows(&folder.join(file));
        let entities: Value = rows
            .iter()
            .map(|row| {
                row["spans"].as_array().unwrap().iter().map(|span| json!([span["text"], span["label"]])).collect::<Value>()
            })
            .collect();
        assert_eq!(entities, of["entities"][file], "{file}");
        let expected = datasets[file].as_array().unwrap();
        assert_eq!(rows.len(), expected.len());
        for (row, expected) in rows.iter().zip(expected) {
            for (name, cells) in expected.as_object().unwrap() {
                // The reference keeps the mark of byte order as a letter of the first word.
                let cells: Value = cells
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|cell| json!(cell.as_str().unwrap().trim_start_matches('\u{feff}')))
                    .collect();
                assert_eq!(row[name], cells, "{file}: {name}");
            }
        }
    }
    let universal = &rows(&folder.join("ud.conllu"))[0];
    assert_eq!(universal["text"], json!("Anna's card"));
    // Words of several tokens, and tokens that are not written, are none.
    assert_eq!(universal["tokens"], json!(["Anna", "'s", "card"]));
    assert_eq!(universal["upos"], json!(["PROPN", "PART", "NOUN"]));
}

#[test]
fn a_docbin_gives_texts_entities_classes_and_groups() {
    let Some(folder) = shared("reference/collect/spacy") else { return };
    let expected = read(&folder.join("expected.json"));
    let rows = rows(&folder.join("train.spacy"));
    let places = |cell: Option<&Value>| -> Value {
        cell.and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|span| json!([span["start"], span["end"], span["label"]]))
            .collect()
    };
    for (row, expected) in rows.iter().zip(expected["rows"].as_array().unwrap()) {
        assert_eq!([&row["text"], &row["tokens"]], [&expected["text"], &expected["tokens"]]);
        assert_eq!(places(row.get("spans")), expected["ents"]);
        assert_eq!(row.get("cats").unwrap_or(&json!({})), &expected["cats"]);
        assert_eq!(places(row.get("spans_sc")), expected["spans"].get("sc").cloned().unwrap_or(json!([])));
    }
    assert_eq!(column(&rows, "label"), [json!("age_limit"), json!("card_arrival"), Value::Null]);
    let tuples = self::rows(&folder.join("train.json"));
    assert_eq!(tuples.len(), 3);
    assert_eq!(places(tuples[1].get("spans")), json!([[5, 9, "LOC"]]));
    // Lengths that lie, a cut file, and one that is something else are a line.
    let home = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(folder.join("train.spacy")).unwrap();
    let mut inside = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&bytes[..]), &mut inside).unwrap();
    let at = inside.windows(7).position(|part| part == b"lengths").unwrap() + 9;
    for lie in [[255, 255, 255, 127], [0, 0, 0, 128], [9, 0, 0, 0]] {
        inside[at..at + 4].copy_from_slice(&lie);
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packed, &inside).unwrap();
        std::fs::write(home.path().join("lie.spacy"), packed.finish().unwrap()).unwrap();
        let said = open_as(&home.path().join("lie.spacy"), None).err().unwrap();
        assert!(said.contains("do not have the 10 tokens"), "{said}");
    }
    for cut in [3, bytes.len() / 2, bytes.len() - 5] {
        std::fs::write(home.path().join("cut.spacy"), &bytes[..cut]).unwrap();
        let said = open_as(&home.path().join("cut.spacy"), None).err().unwrap();
        assert!(said.contains("spaCy DocBin") && !said.contains('\n'), "{said}");
    }
}

#[test]
fn boxes_of_coco_yolo_voc_and_labelme_are_pixels_from_the_corner() {
    let Some(folder) = shared("reference/collect") else { return };
    let boxes = |row: &Map<String, Value>| -> Vec<Value> {
        row["objects"].as_array().unwrap().iter().map(|thing| json!([thing["label"], thing["bbox"]])).collect()
    };
    fn named(row: &Map<String, Value>) -> &str {
        row["image"].as_str().unwrap().rsplit('/').next().unwrap()
    }

    let of = read(&folder.join("coco/expected.json"));
    let coco = rows(&folder.join("coco"));
    for (row, expected) in coco.iter().zip(of["rows"].as_array().unwrap()) {
        assert_eq!(json!(named(row)), expected["image"]);
        let things: Value = row["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|thing| json!({"label": thing["label"], "bbox": thing["bbox"], "crowd": thing["crowd"]}))
            .collect();
        assert_eq!(things, expected["boxes"]);
    }
    assert_eq!(coco.len(), 3, "a picture without an annotation is a sample");
    assert_eq!(json!(notes(&folder.join("coco"))), of["warnings"]);
    assert_eq!(coco[1]["objects"][0]["segmentation"]["counts"], json!([1, 2, 1, 2]), "what cannot be shown is kept");
    assert_eq!(rows(&folder.join("coco/annotations/instances_train2017.json")).len(), 3);

    let of = read(&folder.join("yolo/expected.json"));
    let yolo = rows(&folder.join("yolo"));
    assert_eq!(yolo.iter().map(named).collect::<Vec<_>>(), ["a.jpg", "b.jpg", "c.jpg"]);
    assert_eq!(json!(boxes(&yolo[0])), json!([["card", [16.0, 24.0, 32.0, 12.0]], ["hand", [0.0, 0.0, 6.4, 4.8]]]));
    assert_eq!(yolo[1]["polygons"][0]["points"], of["rows"][1]["polygons"][0]["points_pixels"]);
    assert_eq!(boxes(&yolo[2]), Vec::<Value>::new());
    assert_eq!(json!(notes(&folder.join("yolo"))), of["warnings"]);

    let voc = rows(&folder.join("voc"));
    assert_eq!(column(&voc, "split"), [json!("train"), json!("train"), json!("val")]);
    assert_eq!(
        json!(boxes(&voc[0])),
        json!([["card", [16.0, 24.0, 32.0, 12.0]], ["hand", [0.0, 0.0, 6.0, 5.0]]]),
        "corners count from 1"
    );
    assert_eq!(json!(boxes(&voc[1])), json!([["R&D card", [0.0, 0.0, 40.0, 80.0]]]));
    assert_eq!((voc[0]["objects"][1]["difficult"].clone(), boxes(&voc[2]).len()), (json!(true), 0));

    for path in ["labelme/a.json", "labelme"] {
        let of = read(&folder.join("labelme/expected.json"));
        let row = &rows(&folder.join(path))[0];
        let expected: Vec<Value> =
            of["boxes"].as_array().unwrap().iter().map(|thing| json!([thing["label"], thing["xywh"]])).collect();
        assert_eq!(boxes(row), expected);
        assert_eq!(row["polygons"][0]["points"], of["polygons"][0]["points"]);
        assert_eq!(row["points"][0]["xy"], of["points"][0]["xy"]);
        assert_eq!((&row["blurry"], &row["night"]), (&json!("true"), &json!("false")));
    }
}

#[test]
fn xml_is_records_and_never_more_than_it_says() {
    let Some(folder) = shared("reference/collect/xml") else { return };
    let of = read(&folder.join("expected.json"));
    let rows = rows(&folder.join("faq.xml"));
    for (row, expected) in rows.iter().zip(of["rows"].as_array().unwrap()) {
        for (name, value) in expected.as_object().unwrap() {
            // One value of a column that has several elsewhere stands by itself.
            let own = match &row[name] {
                Value::String(text) if value.is_array() => json!([text]),
                other => other.clone(),
            };
            let own = if own.is_number() { json!(own.to_string()) } else { own };
            assert_eq!(own, *value, "{name}");
        }
    }
    assert_eq!(rows.len(), 2);
    assert!(notes(&folder.join("faq.xml"))[0].contains("1 other"));
    let bomb = open_as(&folder.join("bomb.xml"), None).err().unwrap();
    assert!(bomb.contains("grow beyond"), "{bomb}");
    let outside = open_as(&folder.join("outside.xml"), None).err().unwrap();
    assert!(outside.contains("from outside the file"), "{outside}");
    let home = tempfile::tempdir().unwrap();
    for (text, why) in [
        ("<?xml version=\"1.0\"?><a><b>", "does not end"),
        ("<?xml version=\"1.0\"?><a></b>", "byte"),
        ("<?xml version=\"1.0\"?><a>&nobody;</a>", "not declared"),
        (&format!("<?xml version=\"1.0\"?>{}", "<a>".repeat(100_000)), "deep"),
    ] {
        std::fs::write(home.path().join("torn.xml"), text).unwrap();
        let said = open_as(&home.path().join("torn.xml"), None).err().unwrap();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn documents_are_cut_by_headings_sentences_and_letters() {
    let Some(folder) = shared("reference/collect/docs") else { return };
    let of = read(&folder.join("expected.json"));
    let markdown = rows(&folder.join("cards.md"));
    let headings: Vec<&Value> = markdown.iter().map(|row| &row["headings"]).collect();
    let expected = [
        json!(["Cards"]),
        json!(["Cards", "Arrival"]),
        json!(["Cards", "Arrival", "Abroad"]),
        json!(["Cards", "Age"]),
        json!(["Cards", "Setext heading"]),
    ];
    assert_eq!(headings, expected.iter().collect::<Vec<_>>(), "the reference does not know an underlined heading");
    assert!(markdown[1]["text"].as_str().unwrap().contains("# not a heading"), "code is no heading");
    assert_eq!((&markdown[0]["title"], &markdown[0]["tags"]), (&json!("Cards"), &json!(["help"])));
    // Every piece stands where it says.
    let source: Vec<char> = std::fs::read_to_string(folder.join("cards.md")).unwrap().chars().collect();
    for row in &markdown {
        let place = |name: &str| usize::try_from(row[name].as_u64().unwrap()).unwrap();
        assert_eq!(json!(source[place("start")..place("end")].iter().collect::<String>()), row["text"]);
    }
    for (how, cut) in [("200/0", "text/200/0"), ("200/40", "text/200/40"), ("60/0", "text/60")] {
        let dataset = open_as(&folder.join("long.txt"), Some(cut)).unwrap();
        let texts: Vec<Value> = column(&cells(&dataset), "text");
        assert_eq!(json!(texts), of["recursive_langchain"][how], "{cut}");
    }
    // Counted in tokens, pieces stand where they say, none is longer, and what is said again is.
    let tokenizer = io::usual_tokenizer().unwrap();
    let long: Vec<char> = std::fs::read_to_string(folder.join("long.txt")).unwrap().chars().collect();
    let pieces = cells(&open_as(&folder.join("long.txt"), Some("text/tokens/40/12")).unwrap());
    let place = |row: &Map<String, Value>, name: &str| usize::try_from(row[name].as_u64().unwrap()).unwrap();
    assert!(pieces.len() > 5);
    for row in &pieces {
        let text = row["text"].as_str().unwrap();
        assert_eq!(long[place(row, "start")..place(row, "end")].iter().collect::<String>(), text);
        assert!(tokenizer.encode(text).len() <= 40, "{text}");
    }
    assert!(pieces.windows(2).any(|two| place(&two[1], "start") < place(&two[0], "end")), "some is said again");
    let sentences = open_as(&folder.join("long.txt"), Some("text/sentence")).unwrap();
    assert_eq!(sentences.rows(), 20);
    assert!(open_as(&folder.join("long.txt"), Some("text/word")).err().unwrap().contains("no way to cut"));
    assert!(open_as(&folder.join("long.txt"), Some("novel")).err().unwrap().contains("label-studio"));

    let page = rows(&folder.join("cards.html"));
    let text: String = column(&page, "text").iter().map(|text| format!("{}\n", text.as_str().unwrap())).collect();
    for words in of["html"]["must_hold"].as_array().unwrap() {
        let words = words.as_str().unwrap().replace('\u{a0}', " ");
        assert!(text.contains(&words), "{words} in {text}");
    }
    for words in of["html"]["must_not_hold"].as_array().unwrap() {
        assert!(!text.contains(words.as_str().unwrap()), "{words} in {text}");
    }
    for words in ["hidden words", "Home", "© 2024"] {
        assert!(!text.contains(words), "{words} stands beside the main part, or is not seen: {text}");
    }
    assert!(text.contains("Basic | 0 €"), "{text}");
    assert_eq!((&page[0]["title"], &page[0]["headings"]), (&json!("Cards & accounts"), &json!(["Cards"])));
}

#[test]
fn logs_are_lines_with_what_belongs_to_them() {
    let Some(folder) = shared("reference/collect/logs") else { return };
    let of = read(&folder.join("expected.json"));
    for file in ["access.log", "multi.log"] {
        let rows = rows(&folder.join(file));
        let expected = of[file].as_array().unwrap();
        assert_eq!(rows.len(), expected.len(), "{file}");
        for (row, expected) in rows.iter().zip(expected) {
            for (name, value) in expected.as_object().unwrap() {
                let own = row.get(name).cloned().unwrap_or(Value::Null);
                let own = if own.is_number() { json!(own.to_string()) } else { own };
                assert_eq!(own, *value, "{file}: {name}");
            }
        }
    }
    let access = open_as(&folder.join("access.log"), None).unwrap();
    assert_eq!(access.base.warnings.len(), 1);
    assert_eq!(access.base.warnings[0].line, 3);
    let app = open_as(&folder.join("app.jsonl.log"), None).unwrap();
    assert_eq!((app.rows(), app.base.warnings.is_empty()), (2, false), "lines that are no JSON are told");
}

#[test]
fn what_is_no_layout_stays_what_it_is() {
    // Files of every kind that people have: none of them is taken for a tool's.
    for folder in ["data/field", "data/bad", "data/llamafactory_demo", "data/gsm8k"] {
        let Some(folder) = shared(folder) else { return };
        let mut left = vec![folder];
        while let Some(folder) = left.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    left.push(path);
                } else if let Ok(dataset) = open_as(&path, None) {
                    let own = ["md", "xml", "html"].iter().any(|ending| path.extension().is_some_and(|own| own == *ending));
                    assert!(
                        own || dataset.base.origin.layout.is_none(),
                        "{} as {:?}",
                        path.display(),
                        dataset.base.origin.layout
                    );
                }
            }
        }
    }
}

#[test]
fn tables_that_look_like_a_tools_files_are_tables() {
    let home = tempfile::tempdir().unwrap();
    let ten: String = (0..30).map(|row| format!("{row}\ta\tb\tc\td\te\t{row}\tg\th\ti\n")).collect::<Vec<_>>().concat();
    let sizes: String = (0..30).map(|row| format!("item {row}\tS-{row}\n")).collect::<Vec<_>>().concat();
    let tags: String = (0..30).map(|row| format!("{row}\tword\tB-PER\n")).collect::<Vec<_>>().concat();
    let goods: String = (0..2_000)
        .map(|row| format!("{{\"title\": \"t{row}\", \"images\": [\"a\"], \"categories\": [\"b\"], \"annotations\": []}}\n"))
        .collect::<Vec<_>>()
        .concat();
    let shapes = "{\"shapes\": [1], \"imagePath\": \"a\", \"points\": 2}\n".repeat(3);
    let csv_log = "time,text,label\n2024-01-01 10:00:00,Hi,x\n2024-01-01 10:00:01,Ho,y\n".to_owned();
    let timed_csv = "2024-01-01 10:00:00;Hi;x\n2024-01-01 10:00:01;Ho;y\n".to_owned();
    for (name, text, rows) in [
        ("ten.tsv", ten.as_str(), 30),
        ("sizes.tsv", sizes.as_str(), 30),
        ("tags.txt", tags.as_str(), 30),
        ("goods.jsonl", goods.as_str(), 2_000),
        ("shapes.jsonl", shapes.as_str(), 3),
        ("requests.log", csv_log.as_str(), 2),
        ("timed.log", timed_csv.as_str(), 2),
    ] {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        let dataset = open_as(&path, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(dataset.base.origin.layout, None, "{name}");
        assert!(dataset.rows() + 1 >= rows, "{name} has {} rows", dataset.rows());
        assert!(dataset.base.raw.is_some(), "{name} comes out byte for byte");
    }
    // A line of a web server among those of a program is one of them.
    let mixed = "2024-01-02 14:30:15 INFO started\n127.0.0.1 - - [02/Jan/2024:14:30:16 +0000] \"GET / HTTP/1.1\" 200 5\n2024-01-02 14:30:17 INFO ended\n";
    std::fs::write(home.path().join("app.log"), mixed).unwrap();
    let app = rows(&home.path().join("app.log"));
    assert_eq!(app.len(), 2);
    assert!(app[0]["message"].as_str().unwrap().contains("127.0.0.1"), "it belongs to the line before");
    // What is only called hidden is not.
    std::fs::write(
        home.path().join("a.html"),
        "<html><title>T</title><body><div class=\"menu hidden\">seen</div><p hidden>unseen</p>",
    )
    .unwrap();
    let page = rows(&home.path().join("a.html"));
    assert_eq!(page[0]["text"], json!("seen"));
}
