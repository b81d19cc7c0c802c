//! Samples made from others: what is made, that it is right and the same everywhere, and that nothing leaks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use lapidary::data::{Augmentation, Batch, Dataset, Kind, Method, PartSource, Pipeline, Role, SampleId, Step};
use lapidary::derive::{Store, likeness, risk_model};
use lapidary::edit::{Change, Direction, Edit};
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::operate::{self, Balance};
use lapidary::pixels::alter::{Alteration, Canvas, Part};
use lapidary::pixels::{Picture, decode};
use lapidary::session::Workspace;
use lapidary::transform::balance::{BalanceRule, Over, Under};
use lapidary::transform::{Augment, HashOf, Split, SplitMethod as SplitBy, TextAugmenter};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

const BANKING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/samples/banking77.csv");
const TICKETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tickets.csv");
const SIGNS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/samples/signs.zip");

fn open(path: impl AsRef<Path>) -> Dataset {
    io::open(path.as_ref(), &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

fn pipeline(steps: &[(Augmentation, f64, f64, f64)]) -> Pipeline {
    let mut pipeline = Pipeline::empty("test");
    pipeline.steps = steps.iter().map(|(op, p, low, high)| Step { p: *p, ..Step::with(*op, *low, *high) }).collect();
    pipeline
}

fn typos() -> Pipeline {
    pipeline(&[(Augmentation::TypingErrors, 1.0, 0.1, 0.3)])
}

fn run(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lapidary"))
        .args(words)
        .current_dir(folder)
        .env("XDG_DATA_HOME", folder.join("data"))
        .output()
        .unwrap()
}

fn ok(folder: &Path, words: &[&str]) -> (String, String) {
    let output = run(folder, words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words:?}: {said}");
    (String::from_utf8(output.stdout).unwrap(), said)
}

fn fails(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    assert!(!output.status.success(), "{words:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

/// Adds children of some parents to a dataset.
fn add(dataset: &mut Dataset, pipeline: &Pipeline, seed: u64, parents: &[u32], copies: u32) -> Edit {
    let parents = parents.iter().map(|row| (SampleId(*row), copies)).collect();
    let augment = Augment::of(dataset, pipeline.clone(), seed, parents).unwrap();
    let children = augment.run(dataset, &Progress::silent()).unwrap();
    let edit = augment.edit(dataset, children, Vec::new(), Vec::new(), &|_| None, "made".to_owned()).unwrap().unwrap();
    edit.apply(dataset, Direction::Forward);
    edit
}

// ---- Right: every image operation against a reference ----

fn reference(name: &str) -> Picture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/alter/{name}.png"));
    decode(&fs::read(path).unwrap(), None).unwrap()
}

#[test]
fn image_operations_answer_as_pillow_scipy_and_opencv_do() {
    use Alteration as A;
    let corners = [(0.1, 0.05), (0.0, 0.1), (0.08, 0.02), (0.04, 0.0)];
    // The most that one value may be off, and the mean over all. OpenCV samples at 32nds of a pixel, ours at 256ths; Pillow cuts where we
    // round; libjpeg smooths colours between their pixels.
    let cases = [
        ("brightness", A::Brightness(1.3), 1, 0.6),
        ("contrast", A::Contrast(0.7), 1, 0.6),
        ("saturation", A::Saturation(1.4), 1, 0.6),
        ("greyscale", A::Greyscale, 0, 0.0),
        ("gamma", A::Gamma(1.6), 0, 0.0),
        ("hue", A::Hue(40.0), 1, 0.1),
        ("flip_horizontal", A::FlipHorizontal, 0, 0.0),
        ("flip_vertical", A::FlipVertical, 0, 0.0),
        ("half", A::Resize(32.0), 1, 0.5),
        ("crop", A::Crop(Part { x: 0.25, y: 0.25, width: 0.5, height: 0.5 }), 0, 0.0),
        ("rotate", A::Rotate(30.0), 1, 0.05),
        ("scale", A::Scale(1.3), 1, 0.05),
        ("translate", A::Translate(0.2, -0.1), 1, 0.05),
        ("shear", A::Shear(15.0), 1, 0.05),
        ("perspective", A::Perspective(corners), 1, 0.05),
        ("blur", A::Blur(1.5), 1, 0.1),
        ("sharpen", A::Sharpen(0.8), 1, 0.3),
        ("jpeg", A::Jpeg(40.0), 20, 2.0),
    ];
    for (name, alteration, most, mean) in cases {
        let mut canvas = Canvas::new(reference("input"), 1.0, None);
        canvas.apply(&alteration);
        let (ours, _) = canvas.finish();
        let theirs = reference(name);
        assert_eq!((ours.width, ours.height), (theirs.width, theirs.height), "{name}");
        let off: Vec<u8> = ours.rgba.iter().zip(&theirs.rgba).map(|(a, b)| a.abs_diff(*b)).collect();
        let worst = *off.iter().max().unwrap();
        let average = off.iter().map(|value| f64::from(*value)).sum::<f64>() / off.len() as f64;
        println!("{name}: at most {worst}, on average {average:.3}");
        assert!(worst <= most && average <= mean, "{name}: at most {worst}, on average {average:.3}");
    }
}

// ---- The same everywhere ----

/// A hash of what every operation makes of real texts and of a picture.
fn prints() -> (u64, u64) {
    use std::fmt::Write as _;
    let dataset = open(TICKETS);
    let field = dataset.field("text").unwrap();
    let mut texts = String::new();
    let mut pixels: Vec<u8> = Vec::new();
    let other = {
        let mut canvas = Canvas::new(reference("input"), 1.0, None);
        canvas.apply(&Alteration::Hue(90.0));
        canvas.finish().0
    };
    // What a text model writes is its own.
    for op in Augmentation::ALL.into_iter().filter(|op| !op.asks()) {
        let mut one = Pipeline::empty("x");
        one.steps = vec![Step { p: 1.0, ..Step::new(op) }];
        if op == Augmentation::EntitySwap {
            one.steps[0].list = ["card", "PIN", "account"].map(str::to_owned).to_vec();
        }
        for row in 0..20_u32 {
            let draw = Batch::draw(7, SampleId(row), 0);
            if op.is_of_pictures() {
                if row < 4 {
                    pixels.extend(one.alter(draw, 1, reference("input"), 1.0, Some(&other), Vec::new()).0.rgba);
                }
            } else {
                let text = dataset.text(field, SampleId(row)).unwrap();
                writeln!(texts, "{}", TextAugmenter::new(&one).alter(draw, 1, &text)).unwrap();
            }
        }
    }
    (xxhash_rust::xxh3::xxh3_64(texts.as_bytes()), xxhash_rust::xxh3::xxh3_64(&pixels))
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_machine() {
    // Written down once. Whoever changes an operation, the lexicon or the chance changes what others have made: say so in the changelog.
    assert_eq!(prints(), TEXTS_AND_PIXELS);
}

const TEXTS_AND_PIXELS: (u64, u64) = (9_851_632_283_164_557_862, 4_633_699_730_468_538_215);

#[test]
fn any_number_of_threads_makes_the_same_children() {
    let dataset = open(BANKING);
    let mut gentle = typos();
    gentle.steps.push(Step::new(Augmentation::SynonymReplacement));
    let augment = Augment::all(&dataset, gentle, 3, 1).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| augment.run(&dataset, &Progress::silent()).unwrap())
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
    assert!(one.parents.len() > 9_500, "{}", one.parents.len());
    let other = Augment { seed: 4, ..augment.clone() }.run(&dataset, &Progress::silent()).unwrap();
    assert_ne!(one.texts, other.texts);
}

#[test]
fn without_a_window_a_seed_gives_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("p.json"),
        r#"{"name": "p", "steps": [{"op": "typing_errors"}, {"op": "random_swap", "p": 0.5}]}"#,
    )
    .unwrap();
    let make = |seed: &str, out: &str| {
        ok(
            folder.path(),
            &[
                "augment",
                TICKETS,
                "--no-project",
                "--pipeline",
                "p.json",
                "--copies",
                "2",
                "--seed",
                seed,
                "--risk",
                "1",
                "-o",
                out,
            ],
        );
        fs::read(folder.path().join(out)).unwrap()
    };
    let (one, again, other) = (make("7", "a.csv"), make("7", "b.csv"), make("8", "c.csv"));
    assert_eq!(one, again);
    assert_ne!(one, other);
    let source = fs::read(TICKETS).unwrap();
    assert!(one.starts_with(&source), "what was there stands first, byte for byte");
    assert_eq!(open(folder.path().join("a.csv")).rows(), 59 * 3);
}

// ---- Nothing leaks ----

#[derive(Debug, Clone)]
enum Move {
    Make(u64, Vec<u32>),
    Mix(u64, Vec<u32>),
    Split(u8, u64),
    SetPart(u32, bool),
    Exclude(u32),
    /// The samples of another source come.
    Join,
    Undo,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (any::<u64>(), prop::collection::vec(0_u32..59, 1..8)).prop_map(|(seed, rows)| Move::Make(seed, rows)),
        (any::<u64>(), prop::collection::vec(0_u32..59, 1..8)).prop_map(|(seed, rows)| Move::Mix(seed, rows)),
        (0_u8..5, any::<u64>()).prop_map(|(how, seed)| Move::Split(how, seed)),
        (0_u32..200, any::<bool>()).prop_map(|(row, test)| Move::SetPart(row, test)),
        (0_u32..200).prop_map(Move::Exclude),
        Just(Move::Join),
        Just(Move::Undo),
    ];
    prop::collection::vec(one, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_child_is_in_another_part_than_its_parent_ever(moves in moves()) {
        let mut dataset = open(TICKETS);
        let add_split = Change::add_column(&dataset, "split", Kind::Text, Role::Split).unwrap();
        Edit::new("split", [add_split]).unwrap().apply(&mut dataset, Direction::Forward);
        let versions = |dataset: &Dataset| (0..dataset.fields().len()).map(|field| (dataset.version(field), dataset.made_version(field))).collect::<Vec<_>>();
        let begun = versions(&dataset);
        let mut done: Vec<Edit> = Vec::new();
        for one in moves {
            let rows = dataset.rows() as u32;
            match one {
                Move::Make(seed, mut parents) => {
                    parents.sort_unstable();
                    parents.dedup();
                    done.push(add(&mut dataset, &typos(), seed, &parents, 2));
                }
                Move::Mix(seed, mut parents) => {
                    parents.sort_unstable();
                    parents.dedup();
                    // Two parents each, as mixup has them.
                    let others: Vec<SampleId> = parents.iter().map(|row| SampleId((row * 7 + 3) % 59)).collect();
                    let parents: Vec<SampleId> = parents.into_iter().map(SampleId).collect();
                    let batch = Batch {
                        first: SampleId(rows), method: Method::Interpolated, seed,
                        draws: vec![seed; parents.len()], parents, others, risks: Vec::new(), distances: Vec::new(),
                    };
                    let edit = Edit::new("mixed", [Change::made(&dataset, batch).unwrap()]).unwrap();
                    edit.apply(&mut dataset, Direction::Forward);
                    done.push(edit);
                }
                Move::Split(how, seed) => {
                    let method = match how {
                        0 => SplitBy::Random,
                        1 => SplitBy::Stratified { label: "category".to_owned() },
                        2 => SplitBy::Group { group: "category".to_owned() },
                        3 => SplitBy::Hash(HashOf::Content),
                        _ => SplitBy::StratifiedGroup { label: "category".to_owned(), group: "text".to_owned() },
                    };
                    let plan = Split::named(method, &[0.6, 0.2, 0.2], seed).plan(&dataset, None, &Progress::silent()).unwrap();
                    let cells = plan.samples.iter().zip(&plan.parts).map(|(id, part)| (*id, Some(plan.names[usize::from(*part)].as_str())));
                    if let Some(edit) = Edit::new("split", Change::cells(&dataset, "split", cells).unwrap()) {
                        edit.apply(&mut dataset, Direction::Forward);
                        done.push(edit);
                    }
                }
                // By hand, of a child as of a parent.
                Move::SetPart(row, test) => {
                    let cells = [(SampleId(row % rows), Some(if test { "test" } else { "train" }))];
                    if let Some(edit) = Edit::new("part", Change::cells(&dataset, "split", cells).unwrap()) {
                        edit.apply(&mut dataset, Direction::Forward);
                        done.push(edit);
                    }
                }
                Move::Exclude(row) => {
                    let change = Change::mark(&dataset, lapidary::edit::Target::Excluded, [SampleId(row % rows)], true).unwrap();
                    if let Some(edit) = Edit::new("out", change) {
                        edit.apply(&mut dataset, Direction::Forward);
                        done.push(edit);
                    }
                }
                Move::Join => {
                    let base = open(TICKETS).base;
                    let part = PartSource {
                        first: SampleId(rows), rows: 59, path: "tickets.csv".to_owned(), fingerprint: [1, 2], reading: String::new(), taken: None,
                    };
                    dataset.know(part.key(), base);
                    let edit = Edit::new("joined", Change::part(&dataset, part).unwrap()).unwrap();
                    edit.apply(&mut dataset, Direction::Forward);
                    done.push(edit);
                }
                Move::Undo => {
                    if let Some(edit) = done.pop() {
                        edit.apply(&mut dataset, Direction::Back);
                    }
                }
            }
            let field = dataset.field("split").unwrap();
            for id in dataset.samples().filter(|id| dataset.is_made(*id)) {
                let origins = dataset.origins(id).unwrap();
                let of = |id| dataset.text(field, id).map(|text| text.into_owned());
                if let Some(part) = of(id) {
                    prop_assert_eq!(Some(part.clone()), of(origins.parent));
                    if let Some(other) = origins.other {
                        prop_assert_eq!(Some(part.clone()), of(other));
                    }
                } else {
                    let apart = origins.other.is_some_and(|other| of(other) != of(origins.parent));
                    let tested = of(origins.parent).is_some_and(|part| lapidary::data::is_held_out(&part));
                    prop_assert!(apart || tested || of(origins.parent).is_none());
                }
                if dataset.is_excluded(origins.parent) && !done.is_empty() {
                    // Whoever was made before goes with the parent.
                    prop_assert!(dataset.is_excluded(id) || done.iter().any(|edit| edit.makes() > 0));
                }
            }
        }
        while let Some(edit) = done.pop() {
            edit.apply(&mut dataset, Direction::Back);
        }
        prop_assert_eq!(dataset.rows(), 59);
        prop_assert_eq!(versions(&dataset), begun);
    }
}

#[test]
fn only_the_train_part_is_augmented() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parts.csv");
    let mut text = String::from("text,label,split\n");
    for i in 0..60 {
        text.push_str(&format!(
            "where is my parcel number {i} please,{},{}\n",
            ["a", "b"][i % 2],
            ["train", "validation", "test"][i % 3]
        ));
    }
    fs::write(&path, text).unwrap();
    let dataset = open(&path);
    let augment = Augment::all(&dataset, typos(), 1, 3).unwrap();
    assert_eq!(augment.parents.len(), 20);
    assert!(augment.parents.iter().all(|(id, _)| id.0 % 3 == 0));
    // And in the file that comes of it.
    fs::write(folder.path().join("p.json"), typos().to_json()).unwrap();
    ok(folder.path(), &["augment", "parts.csv", "--pipeline", "p.json", "--risk", "1", "-o", "more.csv"]);
    let more = open(folder.path().join("more.csv"));
    let split = more.field("split").unwrap();
    assert!((60..more.rows()).all(|row| more.text(split, SampleId::at(row)).as_deref() == Some("train")));
    assert_eq!(more.rows(), 80);
}

// ---- What a child has of its parent ----

#[test]
fn children_read_through_until_they_are_edited_themselves() {
    let mut dataset = open(TICKETS);
    let label = dataset.field("category").unwrap();
    add(&mut dataset, &typos(), 1, &[3], 2);
    let (one, two) = (SampleId(59), SampleId(60));
    let of = |dataset: &Dataset, id| dataset.text(label, id).unwrap().into_owned();
    let set = |dataset: &mut Dataset, list: &[(SampleId, &str)]| {
        let cells = list.iter().map(|(id, text)| (*id, Some(*text)));
        let edit = Edit::new("set", Change::cells(dataset, "category", cells).unwrap()).unwrap();
        edit.apply(dataset, Direction::Forward);
        edit
    };
    let before = of(&dataset, SampleId(3));
    assert_eq!([of(&dataset, one), of(&dataset, two)], [before.clone(), before.clone()]);
    let first = set(&mut dataset, &[(SampleId(3), "other")]);
    assert_eq!([of(&dataset, one), of(&dataset, two)], ["other", "other"]);
    let second = set(&mut dataset, &[(one, "mine")]);
    let third = set(&mut dataset, &[(SampleId(3), "third")]);
    assert_eq!([of(&dataset, one), of(&dataset, two)], ["mine", "third"]);
    for edit in [third, second, first] {
        edit.apply(&mut dataset, Direction::Back);
    }
    assert_eq!([of(&dataset, one), of(&dataset, two)], [before.clone(), before]);
}

#[test]
fn a_project_keeps_what_was_made_and_carries_it_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tickets.csv");
    fs::copy(TICKETS, &path).unwrap();
    let mut workspace = Workspace::open(open(&path), Reading::default(), None).unwrap();
    let asked = Augment::all(workspace.dataset(), typos(), 5, 1).unwrap();
    let done = operate::augmented(workspace.dataset(), &asked, None, 1.0, &Arc::default(), &Progress::silent()).unwrap();
    workspace.edit(&done.edit.unwrap()).unwrap();
    let text = workspace.dataset().field("text").unwrap();
    let texts: Vec<String> =
        workspace.dataset().samples().map(|id| workspace.dataset().text(text, id).unwrap().into_owned()).collect();
    assert_eq!(texts.len(), 59 + done.made);
    // A child relabelled by hand.
    let cells = [(SampleId(59), Some("by hand"))];
    let change = Change::cells(workspace.dataset(), "category", cells).unwrap();
    workspace.edit(&Edit::new("child", change).unwrap()).unwrap();
    drop(workspace);
    let again = Workspace::open(open(&path), Reading::default(), None).unwrap();
    let back: Vec<String> = again.dataset().samples().map(|id| again.dataset().text(text, id).unwrap().into_owned()).collect();
    assert_eq!(texts, back);
    drop(again);
    // Another version of the file: the second sample is gone, a new one stands first.
    let mut lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    lines.remove(2);
    lines.insert(1, "A question that was not there,card_arrival".to_owned());
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let (carried, report) = Workspace::carry(open(&path), Reading::default(), None).unwrap();
    assert_eq!(report.lost, 1 + 1, "the sample, and the child of it");
    let dataset = carried.dataset();
    assert_eq!(dataset.rows(), 59 + done.made - 1);
    let label = dataset.field("category").unwrap();
    for id in dataset.samples().filter(|id| dataset.is_made(*id)) {
        let parent = dataset.origins(id).unwrap().parent;
        let (mine, theirs) = (dataset.text(text, id).unwrap(), dataset.text(text, parent).unwrap());
        assert!(strsim(&mine, &theirs) > 0.6, "{mine:?} of {theirs:?}");
        if id.row() > 59 {
            assert_eq!(dataset.text(label, id), dataset.text(label, parent));
        }
    }
    assert_eq!(dataset.text(label, SampleId(59)).as_deref(), Some("by hand"));
}

/// The share of letters that two texts have in common, in order (twice the longest common subsequence over both lengths).
fn strsim(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row = vec![0_usize; b.len() + 1];
    for x in &a {
        let mut before = 0;
        for (j, y) in b.iter().enumerate() {
            let here = row[j + 1];
            row[j + 1] = if x == y { before + 1 } else { row[j + 1].max(row[j]) };
            before = here;
        }
    }
    2.0 * row[b.len()] as f64 / (a.len() + b.len()).max(1) as f64
}

#[test]
fn every_format_holds_what_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("p.json"), typos().to_json()).unwrap();
    let names = ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.parquet", "a.arrow"];
    names.iter().for_each(|name| drop(ok(here, &["export", TICKETS, "--no-project", "-o", name])));
    let rows = |name: &str| -> Vec<Value> {
        ok(here, &["export", name, "--no-project", "-o", "plain.jsonl"]);
        let text = fs::read_to_string(here.join("plain.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut wanted: Option<Vec<Value>> = None;
    for from in names {
        for to in names {
            let to = format!("made-{to}");
            ok(here, &["augment", from, "--no-project", "--pipeline", "p.json", "--seed", "9", "--risk", "1", "-o", &to]);
            let found = rows(&to);
            assert!(found.len() > 110, "{from} to {to}");
            assert_eq!(wanted.get_or_insert_with(|| found.clone()), &found, "{from} to {to}");
        }
    }
    // Where each came from, on demand.
    ok(
        here,
        &[
            "augment",
            "a.csv",
            "--no-project",
            "--pipeline",
            "p.json",
            "--seed",
            "9",
            "--risk",
            "1",
            "--own-columns",
            "-o",
            "own.jsonl",
        ],
    );
    let own = rows("own.jsonl");
    assert_eq!((own[0]["lapidary_parent"].clone(), own[59]["lapidary_parent"].clone()), (Value::Null, "0".into()));
    assert_eq!(own[59]["lapidary_made_by"], "test");
}

#[test]
fn chats_are_altered_in_what_the_user_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.jsonl");
    let turn = r#"{"messages": [{"role": "system", "content": "Be kind and helpful"}, {"role": "user", "content": "Where is my parcel, please tell me"}, {"role": "assistant", "content": "It arrives tomorrow morning"}]}"#;
    fs::write(&path, format!("{turn}\n").repeat(30)).unwrap();
    let mut dataset = open(&path);
    add(&mut dataset, &typos(), 1, &[0, 1], 1);
    let chat: Value = serde_json::from_str(&dataset.text(0, SampleId(30)).unwrap()).unwrap();
    assert_eq!(chat[0]["content"], "Be kind and helpful");
    assert_eq!(chat[2]["content"], "It arrives tomorrow morning");
    assert_ne!(chat[1]["content"], "Where is my parcel, please tell me");
}

// ---- Label risk ----

/// The probability that a planted change is ranked above a harmless one.
fn area(planted: &[f32], harmless: &[f32]) -> f64 {
    let mut wins = 0.0;
    for a in planted {
        for b in harmless {
            wins += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
        }
    }
    wins / (planted.len() * harmless.len()) as f64
}

#[test]
fn label_risk_of_planted_changes_is_above_that_of_harmless_ones() {
    let dataset = open(BANKING);
    let model = risk_model(&dataset, None, &Store::default(), &Progress::silent()).unwrap().unwrap();
    let (text, label) = (dataset.field("text").unwrap(), dataset.field("category").unwrap());
    let of = |row: usize| dataset.text(text, SampleId::at(row)).unwrap().into_owned();
    let class = |row: usize| dataset.text(label, SampleId::at(row)).unwrap().into_owned();
    let rows: Vec<usize> = (0..dataset.rows()).step_by(23).collect();
    let judged = |list: &[(u32, String)]| -> Vec<f32> {
        let list: Vec<(u32, &str)> = list.iter().map(|(row, text)| (*row, text.as_str())).collect();
        model.of_altered_texts(&list).into_iter().flatten().map(|risk| risk.label).collect()
    };
    // Planted: the second half is that of a question of another class. Harmless: synonyms and typing errors.
    let planted: Vec<(u32, String)> = rows
        .iter()
        .filter_map(|row| {
            let other = (row * 31 + 4_999) % dataset.rows();
            let (mine, theirs) = (of(*row), of(other));
            let (a, b): (Vec<&str>, Vec<&str>) = (mine.split_whitespace().collect(), theirs.split_whitespace().collect());
            (class(*row) != class(other))
                .then(|| (*row as u32, format!("{} {}", a[..a.len() / 2].join(" "), b[b.len() / 2..].join(" "))))
        })
        .collect();
    let gentle = pipeline(&[(Augmentation::SynonymReplacement, 1.0, 0.1, 0.2), (Augmentation::TypingErrors, 1.0, 0.05, 0.1)]);
    let augmenter = TextAugmenter::new(&gentle);
    let harmless: Vec<(u32, String)> = rows.iter().map(|row| (*row as u32, augmenter.alter(*row as u64, 2, &of(*row)))).collect();
    let (planted, harmless) = (judged(&planted), judged(&harmless));
    let area = area(&planted, &harmless);
    println!("planted over harmless: {area:.3}");
    assert!(area > 0.85, "{area}");
    let middle = |list: &[f32]| {
        let mut list = list.to_vec();
        list.sort_unstable_by(f32::total_cmp);
        list[list.len() / 2]
    };
    assert!(middle(&planted) > 0.5 && middle(&harmless) < 0.1, "{} {}", middle(&planted), middle(&harmless));
}

#[test]
fn what_was_made_teaches_the_judge_nothing() {
    let mut dataset = open(TICKETS);
    let text = dataset.field("text").unwrap();
    let altered: Vec<(u32, String)> = (0..dataset.rows())
        .map(|row| (row as u32, dataset.text(text, SampleId::at(row)).unwrap().replace("card", "account")))
        .collect();
    let altered: Vec<(u32, &str)> = altered.iter().map(|(row, text)| (*row, text.as_str())).collect();
    let judged = |dataset: &Dataset| {
        risk_model(dataset, None, &Store::default(), &Progress::silent()).unwrap().unwrap().of_altered_texts(&altered)
    };
    let before = judged(&dataset);
    // A class of three samples, too few to be judged by, becomes one of six.
    let parents: Vec<u32> = (0..dataset.rows() as u32).collect();
    add(&mut dataset, &typos(), 7, &parents, 1);
    assert!(dataset.rows() > altered.len());
    assert_eq!(before, judged(&dataset));
}

#[test]
fn label_risk_of_pictures_tells_what_turns_a_sign_from_what_does_not() {
    let folder = Path::new("../shared/data/sign_digits");
    if !folder.exists() {
        println!("skipped: ../shared/data/sign_digits is not there");
        return;
    }
    let dataset = open(folder);
    let field = dataset.pictures().unwrap();
    let scan = operate::scan_pictures(&dataset, field, None, &Progress::silent()).unwrap();
    let model = risk_model(&dataset, Some(&scan.looks), &Store::default(), &Progress::silent()).unwrap().unwrap();
    let judge = |pipeline: Pipeline| -> Vec<f32> {
        let parents = (0..dataset.rows() as u32).step_by(13).map(|row| (SampleId(row), 1)).collect();
        let augment = Augment::of(&dataset, pipeline, 5, parents).unwrap();
        let children = augment.run(&dataset, &Progress::silent()).unwrap();
        let risks = operate::judge(&dataset, &augment, &children, &model, &Progress::silent()).unwrap();
        risks.into_iter().flatten().map(|risk| risk.label).collect()
    };
    let gentle = judge(pipeline(&[(Augmentation::Rotate, 1.0, -8.0, 8.0), (Augmentation::Brightness, 1.0, 0.9, 1.1)]));
    // The fingers cut away: whatever it was, it is not that any more.
    let harsh = judge(pipeline(&[(Augmentation::Translate, 1.0, 0.35, 0.5), (Augmentation::Cutout, 1.0, 0.5, 0.6)]));
    let area = area(&harsh, &gentle);
    println!("cut away over gentle: {area:.3}");
    assert!(area > 0.85, "{area}");
}

// ---- Images ----

#[test]
fn images_are_drawn_when_looked_at_and_written_by_an_export() {
    let folder = tempfile::tempdir().unwrap();
    let steps =
        r#"{"name": "turn", "steps": [{"op": "rotate", "low": 20, "high": 20}, {"op": "mixup", "low": 0.25, "high": 0.25}]}"#;
    fs::write(folder.path().join("p.json"), steps).unwrap();
    let (_, said) = ok(
        folder.path(),
        &["augment", SIGNS, "--no-project", "--pipeline", "p.json", "--risk", "1", "--images", "paths", "-o", "out"],
    );
    assert!(said.contains("100 new samples"), "{said}");
    let made = open(folder.path().join("out"));
    assert_eq!(made.rows(), 200);
    // The soft labels: three quarters of the own class, one of the other's, or all of one.
    let soft = made.field("soft_label").unwrap();
    let shares: Vec<Value> = made
        .samples()
        .filter_map(|id| made.text(soft, id))
        .filter(|text| !text.is_empty())
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect();
    assert_eq!(shares.len(), 100);
    assert!(shares.iter().all(|one| {
        let parts: Vec<f64> = one.as_object().unwrap().values().filter_map(Value::as_f64).collect();
        (parts.iter().sum::<f64>() - 1.0).abs() < 1e-3 && (parts.len() == 1 || parts.contains(&0.75))
    }));
    // A file that is there is the same as what is drawn on screen.
    let names: Vec<PathBuf> = walk(&folder.path().join("out"));
    assert_eq!(names.iter().filter(|name| name.to_string_lossy().contains("_a")).count(), 100);
    // A table cannot hold them, and says so.
    let said = fails(folder.path(), &["augment", SIGNS, "--no-project", "--pipeline", "p.json", "--risk", "1", "-o", "out.csv"]);
    assert!(said.contains("augmented images"), "{said}");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn boxes_follow_their_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let source = reference("input");
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/alter/input.png")).unwrap();
    let mut lines = String::new();
    for i in 0..4 {
        fs::write(folder.path().join(format!("{i}.png")), &bytes).unwrap();
        lines.push_str(&format!("{{\"file_name\": \"{i}.png\", \"label\": \"x\", \"bbox\": [[10, 20, 30, 10]]}}\n"));
    }
    fs::write(folder.path().join("metadata.jsonl"), lines).unwrap();
    let mut dataset = open(folder.path());
    let flip = pipeline(&[(Augmentation::FlipHorizontal, 1.0, 0.0, 0.0)]);
    let asked = Augment::all(&dataset, flip, 1, 1).unwrap();
    let done = operate::augmented(&dataset, &asked, None, 1.0, &Arc::default(), &Progress::silent()).unwrap();
    done.edit.unwrap().apply(&mut dataset, Direction::Forward);
    let field = dataset.field("bbox").unwrap();
    assert_eq!(dataset.text(field, SampleId(4)).as_deref(), Some("[[24,20,30,10]]"), "64 − 10 − 30");
    let drawn = io::made_picture(&dataset, dataset.pictures().unwrap(), SampleId(4), None).unwrap();
    let (a, b) = (source.rgba.as_chunks::<4>().0, drawn.rgba.as_chunks::<4>().0);
    assert!((0..48).all(|y| (0..64).all(|x| a[y * 64 + x] == b[y * 64 + 63 - x])));
}

// ---- Balance ----

fn standing_of(path: &Path, label: &str) -> Vec<(String, u64)> {
    let dataset = open(path);
    let standing = operate::standing(&dataset, label, &Progress::silent()).unwrap();
    standing.index.names().iter().zip(&standing.counts).map(|(name, count)| (name.to_string(), *count)).collect()
}

#[test]
fn balance_without_a_window_meets_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("p.json"), typos().to_json()).unwrap();
    let balance = |words: &[&str], out: &str| {
        let mut all = vec!["balance", BANKING, "--no-project"];
        all.extend(words);
        all.extend(["-o", out]);
        ok(here, &all);
        standing_of(&here.join(out), "category")
    };
    assert!(balance(&["--rule", "equal=90", "--under", "redundant"], "a.csv").iter().all(|(_, count)| *count == 90));
    assert!(
        balance(&["--rule", "floor=120", "--over", "augment", "--pipeline", "p.json", "--risk", "1"], "b.csv")
            .iter()
            .all(|(_, n)| *n >= 120)
    );
    let capped = balance(&["--rule", "cap=100", "--under", "easy"], "c.csv");
    assert!(capped.iter().all(|(_, count)| *count <= 100) && capped.iter().any(|(_, count)| *count < 100));
    let by_hand = balance(&["--rule", "card_arrival=5,atm_support=200"], "d.csv");
    let of = |name: &str| by_hand.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!((of("card_arrival"), of("atm_support")), (5, 200));
    ok(here, &["balance", BANKING, "--no-project", "--weights", "balanced", "-o", "w.json"]);
    let weights: Value = serde_json::from_slice(&fs::read(here.join("w.json")).unwrap()).unwrap();
    let counts = standing_of(Path::new(BANKING), "category");
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    for (name, count) in &counts {
        let wanted = total as f64 / (counts.len() as f64 * *count as f64);
        assert!((weights[name].as_f64().unwrap() - wanted).abs() < 1e-9);
    }
}

#[test]
fn smote_lies_between_neighbours_of_one_class() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.csv");
    let mut text = String::from("width,height,label\n");
    for i in 0..40 {
        text.push_str(&format!("{},{},many\n", f64::from(i % 7) + 0.5, f64::from(i % 5) - 0.25));
    }
    for (x, y) in [(100.0, 200.0), (104.0, 204.0), (102.0, 207.0)] {
        text.push_str(&format!("{x:?},{y:?},few\n"));
    }
    fs::write(&path, text).unwrap();
    let mut dataset = open(&path);
    let balance = Balance {
        label: "label".to_owned(),
        rule: BalanceRule::Equal(40),
        under: Under::Random,
        over: Over::Smote,
        pipeline: None,
        most_risk: 1.0,
        seed: 3,
    };
    let silent = Progress::silent();
    let standing = operate::standing(&dataset, "label", &silent).unwrap();
    let alike = likeness(&dataset, None, &Store::default(), &silent).unwrap();
    let plan = operate::balance_plan(&dataset, &balance, &standing, alike.as_deref(), None, &silent).unwrap();
    let done = operate::balanced(&dataset, &balance, &plan, alike.as_deref(), None, &Arc::default(), &silent).unwrap();
    assert_eq!(done.made, 37);
    done.edit.unwrap().apply(&mut dataset, Direction::Forward);
    let (mut inner, label) = (0, dataset.field("label").unwrap());
    for id in (43..80).map(SampleId) {
        assert_eq!(dataset.text(label, id).as_deref(), Some("few"));
        let origins = dataset.origins(id).unwrap();
        let at = |id| (dataset.number(0, id).unwrap(), dataset.number(1, id).unwrap());
        let (p, a, b) = (at(id), at(origins.parent), at(origins.other.unwrap()));
        // On the line between the two.
        let cross = (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
        assert!(cross.abs() < 1e-6, "{p:?} between {a:?} and {b:?}");
        assert!((99.9..=104.1).contains(&p.0));
        inner += usize::from(p != a && p != b);
    }
    assert!(inner > 30);
}

#[test]
fn redundant_samples_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copies.csv");
    let real = open(BANKING);
    let text = real.field("text").unwrap();
    let mut lines = String::from("text,label\n");
    let quoted = |row: usize| format!("\"{}\"", real.text(text, SampleId::at(row)).unwrap().trim().replace('"', "\"\""));
    for i in 0..60 {
        lines.push_str(&format!("{},many\n", quoted(i * 37)));
    }
    // Twenty of them once more, nearly.
    for i in 0..20 {
        lines.push_str(&format!("{},many\n", quoted(i * 37).replace('?', " ?!")));
    }
    for i in 0..30 {
        lines.push_str(&format!("{},few\n", quoted(3_000 + i * 41)));
    }
    fs::write(&path, lines).unwrap();
    ok(
        folder.path(),
        &["balance", "copies.csv", "--no-project", "--rule", "cap=60", "--under", "redundant", "--own-columns", "-o", "left.csv"],
    );
    let left = open(folder.path().join("left.csv"));
    let texts: std::collections::HashSet<String> =
        left.samples().map(|id| left.text(0, id).unwrap().replace(" ?!", "?")).collect();
    assert_eq!(left.rows(), 90);
    assert_eq!(texts.len(), 90, "no two copies are left");
}

#[test]
fn what_is_off_is_said_in_one_line() {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("bad.json"), "{\"steps\": [{\"op\": \"rotate\", \"p\": 7}]}").unwrap();
    fs::write(here.join("turn.json"), "{\"steps\": [{\"op\": \"rotate\"}]}").unwrap();
    fs::write(here.join("latin.json"), b"{\"name\": \"caf\xe9\"}").unwrap();
    fs::write(here.join("p.json"), typos().to_json()).unwrap();
    for (words, says) in [
        (vec!["augment", TICKETS, "-o", "x.csv"], "--pipeline is missing"),
        (vec!["augment", TICKETS, "--pipeline", "none.json", "-o", "x.csv"], "none.json cannot be read"),
        (vec!["augment", TICKETS, "--pipeline", "bad.json", "-o", "x.csv"], "p is a probability"),
        (vec!["augment", TICKETS, "--pipeline", "latin.json", "-o", "x.csv"], "no UTF-8"),
        (vec!["augment", TICKETS, "--pipeline", "turn.json", "-o", "x.csv"], "alters images"),
        (vec!["augment", TICKETS, "--pipeline", "p.json", "--copies", "0", "-o", "x.csv"], "--copies takes"),
        (vec!["augment", TICKETS, "--pipeline", "p.json", "--risk", "2", "-o", "x.csv"], "--risk takes"),
        (vec!["augment", TICKETS, "--pipeline", "p.json"], "-o is missing"),
        (vec!["balance", TICKETS, "--rule", "equals", "-o", "x.csv"], "--rule takes"),
        (vec!["balance", TICKETS, "--rule", "floor=many", "-o", "x.csv"], "no number"),
        (vec!["balance", TICKETS, "--rule", "equal", "--over", "smote", "-o", "x.csv"], "SMOTE"),
        (vec!["balance", TICKETS, "--rule", "equal", "--over", "augment", "-o", "x.csv"], "--pipeline is missing"),
        (vec!["balance", TICKETS, "--label", "nothing", "--rule", "equal", "-o", "x.csv"], "no label column"),
        (vec!["balance", TICKETS, "--weights", "effective=1", "-o", "x.json"], "beta lies"),
    ] {
        let mut words = words.clone();
        words.insert(2, "--no-project");
        let said = fails(here, &words);
        assert!(said.contains(says) && said.trim_end().lines().count() == 1, "{words:?}: {said}");
        assert!(!here.join("x.csv").exists());
    }
}

#[test]
fn a_split_without_a_window_loses_no_child_and_nothing_is_written_over_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let path = here.join("tickets.csv");
    fs::copy(TICKETS, &path).unwrap();
    let mut workspace = Workspace::open(open(&path), Reading::default(), None).unwrap();
    let asked = Augment::all(workspace.dataset(), typos(), 5, 2).unwrap();
    let done = operate::augmented(workspace.dataset(), &asked, None, 1.0, &Arc::default(), &Progress::silent()).unwrap();
    workspace.edit(&done.edit.unwrap()).unwrap();
    let all = workspace.dataset().rows();
    drop(workspace);
    ok(here, &["split", "tickets.csv", "--ratios", "60,20,20", "-o", "parts"]);
    let parts: Vec<Dataset> =
        ["train", "validation", "test"].iter().map(|name| open(here.join(format!("parts/{name}.csv")))).collect();
    // Every child is beside its parent where that is trained on, and none is where models are tested.
    let real = all - done.made;
    assert_eq!(parts[1].rows() + parts[2].rows() + parts[0].rows() / 3, real, "no original is lost");
    assert!(parts[0].rows().is_multiple_of(3));
    let before = fs::read(&path).unwrap();
    let said = fails(here, &["balance", "tickets.csv", "--weights", "balanced", "-o", "tickets.csv"]);
    assert!(said.contains("it is the source"), "{said}");
    let said = fails(here, &["balance", "tickets.csv", "--rule", "equal=99999999999", "-o", "x.csv"]);
    assert!(said.contains("ask for fewer"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), before);
}
