//! Parts: the samples of a second source in one dataset, as an edit like any other.

use std::fs;
use std::path::{Path, PathBuf};

use lapidary::data::{Batch, ClassIndex, Dataset, Format, Method, Packing, Role, SampleId, Segment};
use lapidary::derive::{Store, TextOf, embedding, embedding_of_made, likeness};
use lapidary::edit::{Change, Edit, EditError, JournalError, Target};
use lapidary::io::{self, Meaning, Reading, Rows, SaveTarget};
use lapidary::job::Progress;
use lapidary::session::Workspace;

/// Blanks, quotes that need not be, a quote within and no line end: bytes that no writer would make the same.
const FIRST: &str = "text,label\n\"where is, my card\",card\nplain words , card\n\"he said \"\"no\"\"\",fee\n";
const SECOND: &str = "text,label\n  two blanks before,fee\n\"needless quotes\",\"card\"\nlast one without an end,fee";

fn open(path: &Path) -> Dataset {
    io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

fn workspace(path: &Path) -> Workspace {
    Workspace::open(open(path), Reading::default(), None).unwrap()
}

fn add(workspace: &mut Workspace, path: &Path) {
    let part = workspace.read_part(path, &Reading::default(), &Progress::silent()).unwrap();
    let change = Change::part(workspace.dataset(), part).unwrap();
    workspace.edit(&Edit::new("Added a part", change).unwrap()).unwrap();
}

fn files(first: &str, second: (&str, &str)) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (home.path().join("first.csv"), home.path().join(second.0));
    fs::write(&one, first).unwrap();
    fs::write(&two, second.1).unwrap();
    (home, one, two)
}

fn saved(dataset: &Dataset, to: &Path, format: Format) -> (Vec<u8>, Vec<String>) {
    let path = to.join("out");
    let _ = fs::remove_file(&path);
    let target = SaveTarget { path: path.clone(), format, packing: Packing::None, own_columns: false, utf8: false, safe: false };
    let report = io::export(dataset, &Rows::All, &target, &Progress::silent()).unwrap();
    (fs::read(&path).unwrap(), report.notes)
}

fn repeated(dataset: &Dataset, parents: &[u32]) -> Edit {
    let parents: Vec<SampleId> = parents.iter().map(|row| SampleId(*row)).collect();
    let batch = Batch {
        first: SampleId::at(dataset.rows()),
        method: Method::Repeated,
        seed: 1,
        draws: (0..parents.len() as u64).collect(),
        others: Vec::new(),
        risks: Vec::new(),
        distances: Vec::new(),
        parents,
    };
    Edit::new("Repeated", [Change::made(dataset, batch).unwrap()]).unwrap()
}

fn text(dataset: &Dataset, row: u32, column: &str) -> Option<String> {
    dataset.text(dataset.field(column).unwrap(), SampleId(row)).map(|text| text.into_owned())
}

#[test]
fn each_part_keeps_its_bytes_and_an_edit_changes_its_cell() {
    let (home, one, two) = files(FIRST, ("second.csv", SECOND));
    let mut workspace = workspace(&one);
    add(&mut workspace, &two);
    assert_eq!(workspace.dataset().rows(), 6);
    assert_eq!(text(workspace.dataset(), 3, "text").as_deref(), Some("  two blanks before"));
    let body = SECOND.strip_prefix("text,label\n").unwrap();
    let (bytes, notes) = saved(workspace.dataset(), home.path(), Format::Csv);
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{FIRST}{body}\n"));
    assert!(notes.is_empty(), "{notes:?}");
    let change = Change::cells(workspace.dataset(), "label", [(SampleId(4), Some("fee"))]).unwrap();
    workspace.edit(&Edit::new("fee", change).unwrap()).unwrap();
    let (bytes, _) = saved(workspace.dataset(), home.path(), Format::Csv);
    let after = body.replace("\"needless quotes\",\"card\"", "\"needless quotes\",\"fee\"");
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{FIRST}{after}\n"));
    // All of it is there when the project is opened again, and can be taken back.
    drop(workspace);
    let mut workspace = self::workspace(&one);
    assert_eq!(text(workspace.dataset(), 4, "label").as_deref(), Some("fee"));
    workspace.undo().unwrap();
    workspace.undo().unwrap();
    assert_eq!(workspace.dataset().rows(), 3);
    assert_eq!(saved(workspace.dataset(), home.path(), Format::Csv).0, FIRST.as_bytes());
    workspace.redo().unwrap();
    assert_eq!(text(workspace.dataset(), 5, "text").as_deref(), Some("last one without an end"));
}

#[test]
fn a_part_of_another_form_brings_its_columns_and_loses_no_cell() {
    let json = "{\"label\": \"fee\", \"text\": \"a, \\\"b\\\"\", \"score\": 0.5}\n{\"text\": \"no label\", \"score\": 2}\n";
    let (home, one, two) = files(FIRST, ("second.jsonl", json));
    let mut workspace = workspace(&one);
    add(&mut workspace, &two);
    let dataset = workspace.dataset();
    assert_eq!(dataset.rows(), 5);
    assert_eq!(text(dataset, 0, "score"), None);
    assert_eq!(text(dataset, 3, "score").as_deref(), Some("0.5"));
    assert_eq!(text(dataset, 4, "label"), None);
    assert_eq!(dataset.number(dataset.field("score").unwrap(), SampleId(4)), Some(2.0));
    // The first's rows keep their fields' own bytes; the new column stands behind them.
    let (bytes, _) = saved(dataset, home.path(), Format::Csv);
    let wanted = "text,label,score\n\"where is, my card\",card,\nplain words , card,\n\"he said \"\"no\"\"\",fee,\n\"a, \"\"b\"\"\",fee,0.5\nno label,,2\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    // Typed, each cell is what it was.
    let (bytes, notes) = saved(dataset, home.path(), Format::Parquet);
    assert!(notes.is_empty(), "{notes:?}");
    let typed = home.path().join("typed.parquet");
    fs::write(&typed, bytes).unwrap();
    let again = home.path().join("again.jsonl");
    let words = [std::ffi::OsStr::new("export"), typed.as_os_str(), "-o".as_ref(), again.as_os_str()];
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_lapidary")).args(words).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let back = open(&again);
    for row in 0..5 {
        for column in ["text", "label"] {
            assert_eq!(text(&back, row, column), text(dataset, row, column), "{column} of {row}");
        }
        let score = |dataset: &Dataset| dataset.number(dataset.field("score").unwrap(), SampleId(row));
        assert_eq!(score(&back), score(dataset), "score of {row}");
    }
    // Taken back, the column goes with it.
    workspace.undo().unwrap();
    assert!(workspace.dataset().field("score").is_none());
    // The other way round: rows of a table among JSON Lines.
    let mut workspace = self::workspace(&two);
    add(&mut workspace, &one);
    let (bytes, _) = saved(workspace.dataset(), home.path(), Format::JsonLines);
    let out = String::from_utf8(bytes).unwrap();
    assert!(out.starts_with(json), "{out}");
    assert_eq!(out.lines().nth(4).unwrap(), "{\"label\": \"fee\", \"text\": \"he said \\\"no\\\"\"}");
}

#[test]
fn samples_keep_their_numbers_whatever_comes_behind_them() {
    let (home, one, two) = files(FIRST, ("second.csv", SECOND));
    let mut workspace = workspace(&one);
    workspace.read_classes(&Progress::silent()).unwrap();
    // Made, then a part, then made of the part's, and an edit of each.
    let edit = repeated(workspace.dataset(), &[0, 2]);
    workspace.edit(&edit).unwrap();
    add(&mut workspace, &two);
    let edit = repeated(workspace.dataset(), &[6]);
    workspace.edit(&edit).unwrap();
    assert!(matches!(
        Change::made(workspace.dataset(), Batch { parents: vec![SampleId(3)], ..batch_of(&edit) }),
        Err(EditError::Sample { .. })
    ));
    let dataset = workspace.dataset();
    assert_eq!((dataset.rows(), dataset.extent(), dataset.made()), (9, 8, 3));
    let kinds: Vec<(u32, usize, bool)> = dataset
        .segments()
        .iter()
        .map(|segment| (segment.first().0, segment.rows(), matches!(segment, Segment::Batch(_))))
        .collect();
    assert_eq!(kinds, [(0, 3, false), (3, 2, true), (5, 3, false), (8, 1, true)]);
    assert_eq!(dataset.source_samples().map(|id| id.0).collect::<Vec<_>>(), [0, 1, 2, 5, 6, 7]);
    assert_eq!(text(dataset, 8, "text").as_deref(), Some("needless quotes"));
    // A child follows its parent, in the part as before it.
    let change = Change::cells(dataset, "label", [(SampleId(6), Some("new"))]).unwrap();
    workspace.edit(&Edit::new("new", change).unwrap()).unwrap();
    assert_eq!(text(workspace.dataset(), 8, "label").as_deref(), Some("new"));
    // What is kept current is what would be counted anew.
    let dataset = workspace.dataset().clone();
    let field = dataset.field("label").unwrap();
    let (kept, fresh) = (workspace.classes("label").unwrap(), ClassIndex::build(&dataset, field, &Progress::silent()).unwrap());
    for name in ["card", " card", "fee", "new"] {
        let count = |index: &ClassIndex| index.class(name).map_or(0, |class| index.counts()[class]);
        assert_eq!(count(kept), count(&fresh), "{name}");
    }
    // Embeddings are of the rows that they stand in, also of those that were made between.
    let (store, text_of) = (Store::default(), TextOf::of(&dataset, None).unwrap());
    let rows = embedding(&dataset, &text_of, &Meaning::BuiltIn, &store, None, &Progress::silent()).unwrap();
    let made = embedding_of_made(&dataset, &text_of, &Meaning::BuiltIn, &store, &Progress::silent()).unwrap();
    assert_eq!((rows.data.len() / rows.dims, made.data.len() / made.dims), (8, 1));
    assert_eq!(rows.row(3), rows.row(0));
    assert_eq!(made.row(0), rows.row(6));
    // A probe has a row for every sample, whichever was made.
    let likeness = likeness(&dataset, None, &store, &Progress::silent()).unwrap().unwrap();
    let of_made: Vec<SampleId> = dataset.samples().filter(|id| dataset.is_made(*id)).collect();
    let (features, _) = likeness.features(&dataset, &of_made, &Progress::silent()).unwrap();
    assert_eq!(features.row(8), rows.row(6));
    assert_eq!(features.row(4), rows.row(2));
    // The way back is the way there.
    let version = |workspace: &Workspace| workspace.dataset().version(workspace.dataset().field("label").unwrap());
    let whole = version(&workspace);
    for _ in 0..4 {
        workspace.undo().unwrap();
    }
    assert_eq!(saved(workspace.dataset(), home.path(), Format::Csv).0, FIRST.as_bytes());
    for _ in 0..4 {
        workspace.redo().unwrap();
    }
    assert_eq!(version(&workspace), whole);
}

fn batch_of(edit: &Edit) -> Batch {
    match &edit.changes[0].target {
        Target::Made(batch) => batch.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_part_that_has_changed_or_is_gone_is_said_with_what_to_do() {
    let (_home, one, two) = files(FIRST, ("second.csv", SECOND));
    let mut workspace = workspace(&one);
    add(&mut workspace, &two);
    drop(workspace);
    let project = fs::read(one.with_file_name("first.csv.lapidary")).unwrap();
    let reopened = |why: &str| match Workspace::open(open(&one), Reading::default(), None) {
        Err(error @ JournalError::Part { .. }) => {
            let said = error.to_string();
            assert!(said.contains("second.csv") && said.contains(why) && said.contains("put it back"), "{said}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    };
    fs::write(&two, SECOND.replace("fee", "few")).unwrap();
    reopened("changed");
    fs::remove_file(&two).unwrap();
    reopened("cannot be read");
    assert_eq!(fs::read(one.with_file_name("first.csv.lapidary")).unwrap(), project, "the project is as it was");
    // Put back, it goes on.
    fs::write(&two, SECOND).unwrap();
    assert_eq!(self::workspace(&one).dataset().rows(), 6);
}

#[test]
fn parts_are_carried_over_with_their_edits() {
    let (_home, one, two) = files(FIRST, ("second.csv", SECOND));
    let mut workspace = workspace(&one);
    add(&mut workspace, &two);
    let cells = [(SampleId(1), Some("of the first")), (SampleId(5), Some("of the part"))];
    let change = Change::cells(workspace.dataset(), "label", cells).unwrap();
    workspace.edit(&Edit::new("both", change).unwrap()).unwrap();
    drop(workspace);
    // The first file has a row more, on top.
    fs::write(&one, FIRST.replace("text,label\n", "text,label\na new row,card\n")).unwrap();
    let (workspace, carried) = Workspace::carry(open(&one), Reading::default(), None).unwrap();
    assert_eq!((carried.edits, carried.lost, carried.unfit), (2, 0, 0));
    assert_eq!(workspace.dataset().rows(), 7);
    assert_eq!(text(workspace.dataset(), 2, "label").as_deref(), Some("of the first"));
    assert_eq!(text(workspace.dataset(), 6, "label").as_deref(), Some("of the part"));
}

#[test]
fn a_role_that_is_there_stays_the_only_one_and_an_empty_dataset_may_get_a_part() {
    let (home, one, two) =
        files(FIRST, ("second.csv", "text,category\nwhat is it,a\nwhat is that,b\nwhat was it,a\nwhat was that,b\n"));
    let mut workspace = workspace(&one);
    add(&mut workspace, &two);
    let labels = workspace.dataset().fields().iter().filter(|field| field.role.is_label()).count();
    assert!(labels <= 1, "{labels}");
    assert!(workspace.dataset().fields().iter().filter(|field| field.role == Role::Text).count() >= 1);
    let empty = home.path().join("empty.csv");
    fs::write(&empty, "text,label\n").unwrap();
    let mut workspace = self::workspace(&empty);
    add(&mut workspace, &one);
    let (bytes, _) = saved(workspace.dataset(), home.path(), Format::Csv);
    let back = home.path().join("back.csv");
    fs::write(&back, bytes).unwrap();
    let back = open(&back);
    assert_eq!(text(&back, 2, "text").as_deref(), Some("he said \"no\""));
    // Nothing to add is no edit.
    let part = workspace.read_part(&empty, &Reading::default(), &Progress::silent()).unwrap();
    assert!(Change::part(workspace.dataset(), part).unwrap().is_none());
}
