//! Datasets of images: opened from where they lie, checked, saved; real ones, planted ones, hostile ones.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use lapidary::checks::{CHECKS, Check, CheckEntry, CheckInput, Finding, FindingKind, Options, Scan};
use lapidary::data::{Dataset, Role, SampleId};
use lapidary::derive::Store;
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::operate::scan_pictures;
use lapidary::pixels::{Trouble, decode, look};
use lapidary::session::Workspace;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use tempfile::TempDir;

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if !path.exists() {
        println!("skipped: {name} is not here");
    }
    path.exists().then_some(path)
}

/// A scene that differs from every other by its number: waves, a disc, an edge.
fn scene(seed: u32, width: u32, height: u32) -> RgbImage {
    let mut random = StdRng::seed_from_u64(u64::from(seed));
    let mut part = |low: f32, high: f32| random.random_range(low..high);
    let waves: Vec<[f32; 4]> = (0..6).map(|_| [part(0.5, 6.0), part(0.5, 6.0), part(0.0, 6.3), part(8.0, 30.0)]).collect();
    let (cx, cy, r) = (part(0.2, 0.8), part(0.2, 0.8), part(0.1, 0.35));
    let tint = [part(0.6, 1.2), part(0.6, 1.2), part(0.6, 1.2)];
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let mut value = 120.0;
        for [a, b, phase, size] in &waves {
            value += ((a * u + b * v) * std::f32::consts::TAU + phase).sin() * size;
        }
        if (u - cx).hypot(v - cy) < r {
            value = 230.0 - value * 0.5;
        }
        Rgb([0, 1, 2].map(|channel| (value * tint[channel]).clamp(0.0, 255.0) as u8))
    })
}

fn encode(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(picture.clone()).write_to(&mut std::io::Cursor::new(&mut bytes), format).unwrap();
    bytes
}

fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).unwrap();
    bytes
}

fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A folder of two classes, five images each.
fn small() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("photos");
    for i in 0..10 {
        put(&root.join(["cat", "dog"][i % 2]).join(format!("{i}.png")), encode(&scene(i as u32, 60, 40), ImageFormat::Png));
    }
    (home, root)
}

fn open(path: &Path) -> Dataset {
    io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

fn cell(dataset: &Dataset, column: &str, row: usize) -> String {
    dataset.text(dataset.field(column).unwrap(), SampleId::at(row)).unwrap_or_default().into_owned()
}

fn bytes_of(dataset: &Dataset, row: usize) -> Result<Vec<u8>, Trouble> {
    io::picture_bytes(dataset, dataset.pictures().unwrap(), SampleId::at(row)).map(|bytes| bytes.into_owned())
}

fn lapidary(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lapidary"))
        .args(words)
        .current_dir(folder)
        .env("XDG_DATA_HOME", folder.join("data-home"))
        .output()
        .unwrap()
}

fn ok(folder: &Path, words: &[&str]) -> String {
    let output = lapidary(folder, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn fails(folder: &Path, words: &[&str]) -> String {
    let output = lapidary(folder, words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{words:?} succeeded");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    said
}

fn findings(folder: &Path, words: &[&str]) -> Vec<Value> {
    let output = lapidary(folder, words);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    value["findings"].as_array().unwrap().clone()
}

fn names_below(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// All that is found of pictures.
fn found_in(dataset: &Dataset, scan: &Scan) -> Vec<Finding> {
    let input = CheckInput { dataset, scan: Some(scan), store: &Store::default() };
    let of_images = CHECKS.iter().filter(|entry| entry.of_images);
    let run = |entry: &CheckEntry| entry.run.unwrap()(&input, &Options::default(), &Progress::silent()).unwrap();
    of_images.flat_map(run).collect()
}

#[test]
fn a_folder_opens_is_relabelled_and_found_again() {
    let (home, root) = small();
    let before = names_below(&root);
    let dataset = open(&root);
    assert_eq!((dataset.rows(), cell(&dataset, "image", 0), cell(&dataset, "label", 9)), (10, "cat/0.png".into(), "dog".into()));
    assert_eq!(dataset.fields()[dataset.pictures().unwrap()].role, Role::Image);
    ok(home.path(), &["relabel", "photos", "--rows", "0,1", "--column", "label", "--to", "lynx"]);
    let info: Value = serde_json::from_str(&ok(home.path(), &["info", "photos", "--json"])).unwrap();
    assert_eq!(info["classes"]["label"], serde_json::json!({"cat": 3, "dog": 5, "lynx": 2}));
    assert_eq!(names_below(&root), before, "the folder itself is never written to");
    assert!(home.path().join("photos.lapidary").exists());
    // A picture more is another dataset: the edits are carried over, by path.
    put(&root.join("cat/00.png"), encode(&scene(99, 30, 30), ImageFormat::Png));
    assert!(fails(home.path(), &["info", "photos"]).contains("carry"));
    ok(home.path(), &["carry", "photos"]);
    let info: Value = serde_json::from_str(&ok(home.path(), &["info", "photos", "--json"])).unwrap();
    assert_eq!(info["classes"]["label"], serde_json::json!({"cat": 4, "dog": 5, "lynx": 2}));
}

/// The same ten pictures in every kind of place that they may lie in.
#[test]
fn the_same_pictures_from_every_place() {
    let (home, root) = small();
    let names = names_below(&root);
    let read = |name: &str| fs::read(root.join(name)).unwrap();
    let at = |name: &str| home.path().join(name);
    let zip_of = |path: &Path, method: zip::CompressionMethod| {
        let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
        for name in &names {
            zip.start_file(format!("photos/{name}"), zip::write::SimpleFileOptions::default().compression_method(method))
                .unwrap();
            zip.write_all(&read(name)).unwrap();
        }
        zip.finish().unwrap();
    };
    zip_of(&at("stored.zip"), zip::CompressionMethod::Stored);
    zip_of(&at("deflated.zip"), zip::CompressionMethod::Deflated);
    let tar_bytes = {
        let mut tar = tar::Builder::new(Vec::new());
        for name in &names {
            let mut header = tar::Header::new_gnu();
            header.set_size(read(name).len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, format!("./photos/{name}"), read(name).as_slice()).unwrap();
        }
        tar.into_inner().unwrap()
    };
    put(&at("plain.tar"), &tar_bytes);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&tar_bytes).unwrap();
    put(&at("packed.tar.gz"), packed.finish().unwrap());
    let table: String = names.iter().map(|name| format!("photos/{name},{}\n", &name[..3])).collect();
    put(&at("paths.csv"), format!("path,label\n{table}"));
    let lines: String =
        names.iter().map(|name| format!("{{\"file_name\": \"{name}\", \"label\": \"{}\"}}\n", &name[..3])).collect();
    put(&root.join("metadata.jsonl"), lines);
    ok(home.path(), &["export", "paths.csv", "-o", "paths.parquet"]);
    let places = ["stored.zip", "deflated.zip", "plain.tar", "packed.tar.gz", "paths.csv", "photos"];
    for place in places {
        let dataset = open(&at(place));
        assert_eq!(dataset.rows(), 10, "{place}");
        for (row, name) in names.iter().enumerate() {
            assert_eq!(bytes_of(&dataset, row).as_ref(), Ok(&read(name)), "{place}: {name}");
            assert_eq!(cell(&dataset, "label", row), name[..3], "{place}");
        }
    }
    assert_eq!(names_below(home.path()).iter().filter(|name| name.ends_with(".png")).count(), 10, "nothing was unpacked");
    // Parquet is read by a process of the program itself.
    ok(home.path(), &["export", "paths.parquet", "-o", "classes", "--images", "classes"]);
    for name in &names {
        let file = name.rsplit('/').next().unwrap();
        assert_eq!(fs::read(home.path().join("classes").join(&name[..3]).join(file)).unwrap(), read(name));
    }
}

#[test]
fn pictures_within_parquet_cells_keep_their_bytes() {
    use polars::prelude::*;
    let home = tempfile::tempdir().unwrap();
    let pictures: Vec<Vec<u8>> = (0..6).map(|i| encode(&scene(i, 40, 30), ImageFormat::Png)).collect();
    let bytes = BinaryChunked::from_iter_values("bytes".into(), pictures.iter().map(Vec::as_slice)).into_series();
    let paths = Series::new("path".into(), (0..6).map(|i| format!("{i}.png")).collect::<Vec<_>>());
    let both = StructChunked::from_series("image".into(), 6, [bytes.clone(), paths].iter()).unwrap().into_series();
    let label = Series::new("label".into(), ["a", "b", "a", "b", "a", "b"]);
    for (name, column) in [("struct.parquet", both), ("bytes.parquet", bytes.with_name("image".into()))] {
        let path = home.path().join(name);
        let mut frame = DataFrame::new(6, vec![column.into(), label.clone().into()]).unwrap();
        ParquetWriter::new(fs::File::create(&path).unwrap()).finish(&mut frame).unwrap();
        let opened = |path: &str| {
            let json = ok(home.path(), &["info", path, "--json"]);
            serde_json::from_str::<Value>(&json).unwrap()["columns"][0]["role"].clone()
        };
        assert_eq!(opened(name), "image", "{name}");
        ok(home.path(), &["relabel", name, "--rows", "2", "--column", "label", "--to", "c"]);
        ok(home.path(), &["export", name, "-o", "again.parquet"]);
        assert_eq!(opened("again.parquet"), "image");
        ok(home.path(), &["export", name, "-o", "folders", "--images", "classes"]);
        let saved = names_below(&home.path().join("folders"));
        assert_eq!(saved.len(), 6);
        assert_eq!(fs::read(home.path().join("folders/c").join(&saved[5][2..])).unwrap(), pictures[2]);
        let said = String::from_utf8(lapidary(home.path(), &["export", name, "-o", "table.csv"]).stderr).unwrap();
        assert!(said.contains("save as Parquet"), "{said}");
        fs::remove_dir_all(home.path().join("folders")).unwrap();
    }
}

#[test]
fn web_dataset_names_become_columns() {
    let home = tempfile::tempdir().unwrap();
    let mut tar = tar::Builder::new(fs::File::create(home.path().join("shard.tar")).unwrap());
    let mut add = |name: String, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, name, bytes).unwrap();
    };
    for i in 0..8 {
        add(format!("{i:04}.jpg"), &jpeg(&scene(i, 32, 32), 90));
        add(format!("{i:04}.cls"), if i % 2 == 0 { b"3\n" } else { b"7" });
        add(format!("{i:04}.json"), format!("{{\"caption\": \"picture {i}\", \"score\": {i}}}").as_bytes());
    }
    tar.finish().unwrap();
    let dataset = open(&home.path().join("shard.tar"));
    assert_eq!((cell(&dataset, "label", 0), cell(&dataset, "label", 1)), ("3".into(), "7".into()));
    assert_eq!((cell(&dataset, "caption", 5), cell(&dataset, "score", 5)), ("picture 5".into(), "5".into()));
    assert!(decode(&bytes_of(&dataset, 7).unwrap(), None).is_ok());
}

/// Hugging Face's `ImageFolder` with a table in each part, which is also how splits are saved here.
#[test]
fn tables_within_parts_are_read() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("set");
    for (part, i) in [("train", 0), ("train", 1), ("test", 2)] {
        put(&root.join(part).join(format!("{i}.png")), encode(&scene(i, 20, 20), ImageFormat::Png));
    }
    put(&root.join("train/metadata.csv"), "file_name,caption,label\n0.png,\"one, two\",x\n1.png,three,y\n");
    put(&root.join("test/metadata.jsonl"), "{\"file_name\": \"2.png\", \"caption\": \"four\", \"label\": \"x\"}\n");
    let dataset = open(&root);
    assert_eq!(dataset.rows(), 3);
    let row = |name: &str| (0..3).find(|row| cell(&dataset, "image", *row) == name).unwrap();
    assert_eq!(
        (cell(&dataset, "caption", row("train/0.png")), cell(&dataset, "label", row("test/2.png"))),
        ("one, two".into(), "x".into())
    );
    assert_eq!(cell(&dataset, "split", row("test/2.png")), "test");
    ok(home.path(), &["split", "set", "--ratios", "50,50", "-o", "again"]);
    let again = open(&home.path().join("again"));
    let mut captions: Vec<String> = (0..3).map(|row| cell(&again, "caption", row)).collect();
    captions.sort();
    assert_eq!(captions, ["four", "one, two", "three"]);
}

#[test]
fn no_path_leaves_the_dataset() {
    let home = tempfile::tempdir().unwrap();
    let secret = home.path().join("secret.png");
    put(&secret, encode(&scene(1, 20, 20), ImageFormat::Png));
    let root = home.path().join("set");
    put(&root.join("inner/fine.png"), encode(&scene(2, 20, 20), ImageFormat::Png));
    let table = format!(
        "path,label\n../secret.png,a\n{},a\ninner/../../secret.png,b\nhttps://example.org/a.png,b\ninner/fine.png,b\ninner\\fine.png,a\n,a\ninner/none.png,b\nout.png,a\n",
        secret.display()
    );
    put(&root.join("list.csv"), table);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, root.join("out.png")).unwrap();
        std::os::unix::fs::symlink("..", root.join("circle")).unwrap();
        std::os::unix::fs::symlink("../inner/fine.png", root.join("inner/link.png")).unwrap();
    }
    let dataset = open(&root.join("list.csv"));
    let refused = |row| matches!(bytes_of(&dataset, row), Err(Trouble::Refused(_)));
    for row in [0, 1, 2, 3, 8] {
        assert!(refused(row), "row {row}: {:?}", bytes_of(&dataset, row).map(|bytes| bytes.len()));
    }
    assert!(bytes_of(&dataset, 4).is_ok() && bytes_of(&dataset, 5).is_ok());
    assert_eq!((bytes_of(&dataset, 6), bytes_of(&dataset, 7)), (Err(Trouble::NoPath), Err(Trouble::Missing)));
    let found = findings(&root, &["check", "list.csv", "--only", "images", "--json"]);
    let kinds = |kind: &str| found.iter().filter(|finding| finding["kind"] == kind).count();
    assert_eq!((kinds("Refused path"), kinds("Missing image")), (5, 2));
    // The folder itself: what leads out is listed and refused, what leads round is said.
    fs::remove_file(root.join("list.csv")).unwrap();
    let dataset = open(&root);
    let names: Vec<String> = (0..dataset.rows()).map(|row| cell(&dataset, "image", row)).collect();
    assert_eq!(names, ["inner/fine.png", "inner/link.png", "out.png"]);
    assert!(bytes_of(&dataset, 1).is_ok() && matches!(bytes_of(&dataset, 2), Err(Trouble::Refused(_))));
    assert!(dataset.base.warnings.iter().any(|warning| warning.reason.contains("circle")));
}

#[test]
fn archives_stay_within_themselves() {
    let home = tempfile::tempdir().unwrap();
    let picture = encode(&scene(1, 20, 20), ImageFormat::Png);
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["a/fine.png", "b/other.png", "c/climb.png"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(picture.len() as u64);
        header.set_path(name).unwrap();
        if name.contains("climb") {
            // A name that the writer would refuse: written into the header by hand.
            let raw = b"../../climb.png\0";
            header.as_mut_bytes()[..raw.len()].copy_from_slice(raw);
        }
        header.set_cksum();
        tar.append(&header, picture.as_slice()).unwrap();
    }
    put(&home.path().join("evil.tar"), tar.into_inner().unwrap());
    let dataset = open(&home.path().join("evil.tar"));
    assert_eq!(dataset.rows(), 3);
    let climb = (0..3).find(|row| cell(&dataset, "image", *row).contains("climb")).unwrap();
    assert!(matches!(bytes_of(&dataset, climb), Err(Trouble::Refused(_))));
    let said = fails(home.path(), &["export", "evil.tar", "-o", "out", "--images", "paths"]);
    assert!(said.contains("climb"), "{said}");
    assert_eq!(names_below(home.path()), ["evil.tar"], "nothing was written");
    // A member that says it is small and unpacks to more, and one that says nothing true at all.
    let path = home.path().join("liar.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for name in ["x/1.png", "y/2.png"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&vec![0; 4 << 20]).unwrap();
    }
    zip.finish().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let central = bytes.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    bytes[central + 24..central + 28].copy_from_slice(&100_u32.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let dataset = open(&path);
    assert!((0..2).any(|row| matches!(bytes_of(&dataset, row), Err(Trouble::Broken(_)))));
    // Cut anywhere, an archive opens in part, or says that it is torn.
    for (name, whole) in [("evil.tar", fs::read(home.path().join("evil.tar")).unwrap()), ("liar.zip", fs::read(&path).unwrap())] {
        let torn = home.path().join(format!("torn-{name}"));
        for cut in (0..whole.len()).step_by(whole.len() / 23 + 1) {
            fs::write(&torn, &whole[..cut]).unwrap();
            let opened = io::open(&torn, &Reading::default(), &Progress::silent(), &|_| {}).ok();
            if let Some(dataset) = opened.filter(|dataset| dataset.pictures().is_some()) {
                (0..dataset.rows()).for_each(|row| drop(bytes_of(&dataset, row)));
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn odd_files_are_findings_and_never_a_stall() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("odd");
    let fine = encode(&scene(5, 64, 48), ImageFormat::Png);
    put(&root.join("a/fine.png"), &fine);
    put(&root.join("a/wrong.jpg"), &fine);
    put(&root.join("a/zero.png"), b"");
    put(&root.join("a/words.png"), b"these are words");
    put(&root.join("a/torn.png"), &fine[..fine.len() / 2]);
    put(&root.join("a/torn.jpg"), {
        let whole = jpeg(&scene(6, 200, 150), 90);
        whole[..whole.len() / 2].to_vec()
    });
    put(&root.join("a/huge.png"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x86\xa0\0\x01\x86\xa0\x08\x06\0\0\0\0\0\0\0");
    fs::write(root.join("a").join(OsStr::from_bytes(b"odd\xff\xfe.png")), encode(&scene(7, 50, 50), ImageFormat::Png)).unwrap();
    assert!(Command::new("mkfifo").arg(root.join("a/pipe.png")).status().is_ok_and(|status| status.success()));
    let frames = [scene(8, 30, 30), scene(9, 30, 30)];
    let mut gif = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
        for frame in &frames {
            encoder.encode_frame(image::Frame::new(DynamicImage::ImageRgb8(frame.clone()).into_rgba8())).unwrap();
        }
    }
    put(&root.join("b/moving.gif"), gif);
    let deep = image::ImageBuffer::<image::Rgb<u16>, _>::from_fn(40, 40, |x, y| {
        image::Rgb([x as u16 * 1_600, y as u16 * 1_600, 30_000])
    });
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb16(deep).write_to(&mut std::io::Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    put(&root.join("b/deep.png"), bytes);
    let far: PathBuf = (0..160).map(|i| format!("d{i}")).collect();
    fs::create_dir_all(root.join(&far)).unwrap();
    let begun = Instant::now();
    let found = findings(home.path(), &["check", "odd", "--only", "images", "--json"]);
    assert!(begun.elapsed() < Duration::from_secs(30), "it stalled");
    let dataset = open(&root);
    let kinds = |name: &str| -> Vec<String> {
        let row = (0..dataset.rows()).find(|row| cell(&dataset, "image", *row).contains(name)).unwrap();
        let mine = found.iter().filter(|finding| finding["rows"][0] == row);
        mine.map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert!(kinds("fine.png").is_empty(), "{:?}", kinds("fine.png"));
    assert_eq!(kinds("wrong.jpg"), ["Wrong ending"]);
    for (name, kind) in [
        ("zero.png", "Broken image"),
        ("words.png", "Broken image"),
        ("torn.png", "Broken image"),
        ("torn.jpg", "Broken image"),
        ("huge.png", "Huge image"),
        ("moving.gif", "Animated"),
    ] {
        assert!(kinds(name).iter().any(|found| found == kind), "{name}: {:?}", kinds(name));
    }
    // A pipe is no file, and is not listed; a name that is not UTF-8 is, and its picture is there.
    let row = (0..dataset.rows()).find(|row| cell(&dataset, "image", *row).contains('\u{fffd}')).unwrap();
    assert_eq!(decode(&bytes_of(&dataset, row).unwrap(), None).unwrap().width, 50);
    assert!(dataset.base.warnings.iter().any(|warning| warning.reason.contains("UTF-8")));
    assert!(dataset.base.warnings.iter().any(|warning| warning.reason.contains("deeper")));
    put(&root.join("list.csv"), "path,label\na/pipe.png,x\na/fine.png,y\na/fine.png,y\na/fine.png,y\na/fine.png,y\n");
    assert!(matches!(bytes_of(&open(&root.join("list.csv")), 0), Err(Trouble::Refused(_))));
}

#[test]
fn every_colour_and_turn_is_seen() {
    let cmyk = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cmyk.jpg")).unwrap();
    for least in [None, Some(4)] {
        let red = decode(&cmyk, least).unwrap();
        let [r, g, b, _] = red.rgba[..4] else { panic!() };
        assert!(r > 200 && g < 60 && b < 60, "{r} {g} {b}");
    }
    let orientation = |value: u8| {
        let mut whole = jpeg(&scene(3, 64, 32), 95);
        let exif = [b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[value, 0, 0, 0, 0, 0, 0, 0]].concat();
        let mut segment = vec![0xff, 0xe1];
        segment.extend((exif.len() as u16 + 2).to_be_bytes());
        segment.extend(exif);
        whole.splice(2..2, segment);
        whole
    };
    let plain = decode(&orientation(1), None).unwrap();
    assert_eq!((plain.width, plain.height), (64, 32));
    for value in 5..=8 {
        for least in [None, Some(16)] {
            let turned = decode(&orientation(value), least).unwrap();
            assert!(turned.height > turned.width, "orientation {value}");
        }
    }
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff]
    {
        let seen = look(&encode(&scene(4, 90, 60), format));
        let header = seen.header.clone().unwrap();
        assert!(seen.trouble.is_none() && seen.has_pixels(), "{format:?}: {:?}", seen.trouble);
        assert_eq!((header.width, header.height, header.frames), (90, 60, 1), "{format:?}");
    }
}

#[test]
fn files_that_broke_decoders_break_nothing() {
    let Some(folder) = shared("bad/png") else { return };
    let dataset = open(&folder);
    assert!(dataset.rows() > 150, "{} files", dataset.rows());
    let field = dataset.pictures().unwrap();
    let begun = Instant::now();
    let looks = io::look_at_all(&dataset, field, None, &Progress::silent()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60), "it stalled");
    let (mut whole, mut broken) = (0, 0);
    for (row, look) in looks.iter().enumerate() {
        let name = cell(&dataset, "image", row);
        whole += usize::from(look.has_pixels());
        broken += usize::from(look.trouble.is_some());
        // PngSuite: names that begin with x are broken, all others are sound.
        let file = name.rsplit('/').next().unwrap();
        if name.starts_with("pngsuite/") {
            assert_eq!(look.has_pixels(), !file.starts_with('x'), "{name}: {:?}", look.trouble);
        }
    }
    println!("{whole} seen, {broken} said to be broken, of {}", looks.len());
    let scan = scan_pictures(&dataset, field, None, &Progress::silent()).unwrap();
    let found = found_in(&dataset, &scan);
    assert!(found.iter().filter(|finding| finding.kind == FindingKind::BrokenImage).count() >= broken - 2);
}

/// A picture of few bytes that is large once it is unpacked, and sound.
fn bomb(side: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new_with_quality(
        &mut bytes,
        image::codecs::png::CompressionType::Fast,
        image::codecs::png::FilterType::NoFilter,
    );
    use image::ImageEncoder as _;
    encoder.write_image(&vec![7; (side * side) as usize], side, side, image::ExtendedColorType::L8).unwrap();
    bytes
}

#[cfg(target_os = "linux")]
#[test]
fn a_bomb_costs_less_than_half_a_gigabyte() {
    let home = tempfile::tempdir().unwrap();
    // The largest that is decoded, several at once; and one that is not.
    for (i, side) in [6_800, 6_800, 6_700, 6_800, 12_000].into_iter().enumerate() {
        put(&home.path().join(format!("bombs/{}/{i}.png", i % 2)), bomb(side));
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_lapidary"))
        .args(["check", "bombs", "--only", "images", "--json"])
        .current_dir(home.path())
        .env("XDG_DATA_HOME", home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
        peak = peak.max(line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds: Vec<&str> = found["findings"].as_array().unwrap().iter().filter_map(|finding| finding["kind"].as_str()).collect();
    assert!(kinds.contains(&"Huge image"), "{kinds:?}");
    println!("peak {} MiB", peak >> 10);
    assert!(peak > 0 && peak < 512 << 10, "{} MiB", peak >> 10);
}

/// Copies of real photographs, altered as copies are: found; photographs of the same sign by others: not.
#[test]
fn planted_copies_are_found_and_distinct_photographs_are_not() {
    use image::imageops::{FilterType, crop_imm, flip_horizontal, resize, rotate90};
    let Some(folder) = shared("sign_digits/Dataset") else { return };
    let home = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(11);
    let (mut originals, mut planted) = (0, Vec::new());
    for digit in 0..10 {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder.join(digit.to_string())).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.shuffle(&mut random);
        for (i, file) in files.iter().take(40).enumerate() {
            let bytes = fs::read(file).unwrap();
            let name = format!("{digit}/{:03}.jpg", i);
            put(&home.path().join("set").join(&name), &bytes);
            originals += 1;
            if i >= 12 {
                continue;
            }
            let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
            let (w, h) = picture.dimensions();
            let (how, copy) = match i % 6 {
                0 => ("resized", jpeg(&resize(&picture, w * 7 / 10, h * 7 / 10, FilterType::Lanczos3), 90)),
                1 => ("coded again", jpeg(&picture, 45)),
                2 => ("turned", jpeg(&rotate90(&picture), 90)),
                3 => ("cropped by 5 %", jpeg(&crop_imm(&picture, w / 40, h / 40, w - w / 20, h - h / 20).to_image(), 90)),
                4 => ("mirrored", encode(&flip_horizontal(&picture), ImageFormat::Png)),
                _ => ("same bytes", bytes.clone()),
            };
            let ending = if how == "mirrored" { "png" } else { "jpg" };
            let copied = format!("{digit}/{:03}-copy.{ending}", i);
            put(&home.path().join("set").join(&copied), copy);
            planted.push((name, copied, how));
        }
    }
    let dataset = open(&home.path().join("set"));
    let row_of = |name: &str| (0..dataset.rows()).find(|row| cell(&dataset, "image", *row) == name).unwrap() as u32;
    let scan = scan_pictures(&dataset, dataset.pictures().unwrap(), None, &Progress::silent()).unwrap();
    let mut missed = std::collections::BTreeMap::new();
    for (name, copied, how) in &planted {
        let (a, b) = (row_of(name), row_of(copied));
        let near = scan.twins.near.iter().any(|(rows, _)| rows.contains(&a) && rows.contains(&b));
        let same = scan.twins.same.iter().any(|rows| rows.contains(&a) && rows.contains(&b));
        assert!(*how != "same bytes" || same, "{name}");
        if !near && !same {
            *missed.entry(*how).or_insert(0) += 1;
        }
    }
    let stem = |row: &u32| cell(&dataset, "image", *row as usize).replace("-copy", "").split('.').next().unwrap().to_owned();
    let wrong = scan.twins.near.iter().filter(|(rows, _)| rows.iter().any(|row| stem(row) != stem(&rows[0]))).count();
    println!("{} planted among {originals}, missed: {missed:?}; {wrong} groups join distinct photographs", planted.len());
    assert!(missed.values().sum::<usize>() * 50 <= planted.len(), "{missed:?}");
    assert_eq!(wrong, 0);
}

#[test]
fn the_full_size_photographs_among_small_ones_are_found() {
    let Some(folder) = shared("sign_digits/Dataset") else { return };
    let dataset = open(&folder);
    let field = dataset.pictures().unwrap();
    let scan = scan_pictures(&dataset, field, None, &Progress::silent()).unwrap();
    let found = found_in(&dataset, &scan);
    let odd: Vec<String> = found
        .iter()
        .filter(|finding| finding.kind == FindingKind::OddSize)
        .map(|finding| cell(&dataset, "image", finding.samples[0].row()))
        .collect();
    assert_eq!(odd.len(), 3, "{odd:?}");
    assert!(odd.iter().all(|name| name.starts_with("7/IMG_5")), "{odd:?}");
    assert!(found.iter().all(|finding| finding.check != Check::ImageCopies), "no photograph of it is there twice");
}

/// Labels flipped at random, told nothing but the files. Nothing was chosen on these seeds (the embedding was, on 1 and 2).
#[test]
fn labels_planted_wrong_are_found_by_the_built_in_embedding() {
    use lapidary::checks::label_errors::{LabelModel, LabelQuestion};
    use lapidary::edit::{Change, Edit};
    let Some(folder) = shared("sign_digits/Dataset") else { return };
    let dataset = open(&folder);
    let scan = scan_pictures(&dataset, dataset.pictures().unwrap(), None, &Progress::silent()).unwrap();
    for seed in 101..106 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut rows: Vec<usize> = (0..dataset.rows()).collect();
        rows.shuffle(&mut random);
        rows.truncate(dataset.rows() / 20);
        let flips: Vec<(SampleId, String)> = rows
            .iter()
            .map(|row| {
                let own: u32 = cell(&dataset, "label", *row).parse().unwrap();
                (SampleId::at(*row), ((own + random.random_range(1..10)) % 10).to_string())
            })
            .collect();
        let mut flipped = dataset.clone();
        let change = Change::cells(&flipped, "label", flips.iter().map(|(id, to)| (*id, Some(to.as_str())))).unwrap();
        let edit = Edit::new("flips", change).unwrap();
        edit.apply(&mut flipped, lapidary::edit::Direction::Forward);
        let model =
            LabelModel::fit_pictures(&flipped, &LabelQuestion::default(), scan.appearance.clone(), true, &Progress::silent())
                .unwrap();
        let found = model.findings();
        let hits = found.iter().filter(|finding| rows.contains(&finding.samples[0].row())).count() as f64;
        let (precision, recall) = (hits / found.len() as f64, hits / rows.len() as f64);
        println!("seed {seed}: {} flagged of {} planted, precision {precision:.3}, recall {recall:.3}", found.len(), rows.len());
        assert!(precision >= 0.8 && recall >= 0.8, "precision {precision:.3}, recall {recall:.3}");
    }
}

#[test]
fn a_split_is_saved_as_folders_by_class_or_by_path_copied_or_linked() {
    let (home, root) = small();
    let here = home.path();
    ok(here, &["relabel", "photos", "--rows", "0", "--column", "label", "--to", "li/on"]);
    ok(here, &["split", "photos", "--ratios", "80,20", "--seed", "1", "-o", "parts"]);
    let saved = names_below(&here.join("parts"));
    assert_eq!(saved.len(), 11, "{saved:?}");
    assert_eq!(fs::read_to_string(here.join("parts/class_names.csv")).unwrap(), "folder,label\nli_on,li/on\n");
    assert_eq!(saved.iter().filter(|name| name.starts_with("test/")).count(), 2);
    let lion = saved.iter().find(|name| name.contains("/li_on/0.png")).unwrap();
    assert_eq!(fs::read(here.join("parts").join(lion)).unwrap(), fs::read(root.join("cat/0.png")).unwrap());
    // What was saved opens again with its parts and classes.
    let again = open(&here.join("parts"));
    assert_eq!((again.rows(), again.fields().len()), (10, 3));
    assert!((0..10).any(|row| cell(&again, "label", row) == "li/on"), "the class has its name again");
    let said = fails(here, &["split", "photos", "--ratios", "80,20", "-o", "parts"]);
    assert!(said.contains("not empty"), "{said}");
    ok(here, &["export", "photos", "-o", "linked", "--images", "paths", "--link"]);
    #[cfg(unix)]
    assert!(here.join("linked/dog/1.png").is_symlink());
    let table = fs::read_to_string(here.join("linked/metadata.csv")).unwrap();
    assert!(table.starts_with("file_name,label\ncat/0.png,li/on\n"), "{table}");
    // Copies of one name under one class are both kept.
    ok(here, &["relabel", "photos", "--rows", "0-9", "--column", "label", "--to", "one"]);
    put(&root.join("cat/1.png"), encode(&scene(50, 20, 20), ImageFormat::Png));
    ok(here, &["carry", "photos"]);
    let mut workspace = Workspace::open(open(&root), Reading::default(), None).unwrap();
    let change =
        lapidary::edit::Change::cells(workspace.dataset(), "label", workspace.dataset().samples().map(|id| (id, Some("one"))))
            .unwrap();
    workspace.edit(&lapidary::edit::Edit::new("all", change).unwrap()).unwrap();
    drop(workspace);
    ok(here, &["export", "photos", "-o", "one"]);
    assert_eq!(names_below(&here.join("one")).len(), 11);
    assert!(here.join("one/one/1_2.png").exists());
    // A sample that cannot be saved stops it, by name, and nothing is left behind.
    fs::remove_file(root.join("dog/3.png")).unwrap();
    put(&root.join("dog/3.png"), b"");
    fs::remove_file(root.join("dog/3.png")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/hostname", root.join("dog/3.png")).unwrap();
    let said = fails(here, &["export", "photos", "-o", "broken"]);
    assert!(said.contains("dog/3.png") && said.contains("Exclude"), "{said}");
    assert!(!here.join("broken").exists());
    assert!(names_below(here).iter().all(|name| !name.contains(".part")), "nothing is left behind");
}

#[test]
fn words_of_the_command_line_fit_images() {
    let (home, _) = small();
    assert!(fails(home.path(), &["export", "photos", "-o", "x", "--images", "sideways"]).contains("classes or paths"));
    put(&home.path().join("words.csv"), "text,label\nhello,a\nyou,b\n");
    assert!(fails(home.path(), &["check", "words.csv", "--only", "images"]).contains("no column of images"));
    put(&home.path().join("empty/notes.txt"), "nothing");
    assert!(fails(home.path(), &["info", "empty"]).contains("no images"));
    put(&home.path().join("one.png"), encode(&scene(1, 9, 9), ImageFormat::Png));
    assert!(fails(home.path(), &["info", "one.png"]).contains("folder"));
    let said = String::from_utf8(lapidary(home.path(), &["export", "photos", "-o", "out/table.csv"]).stderr).unwrap();
    assert!(said.contains("relative to"), "{said}");
}

/// Tiny models with random weights, and what the reference library says of them (`vision_reference.py`).
#[test]
fn vision_models_answer_what_the_reference_library_answers() {
    use lapidary::learn::vision::{Vision, VisionFiles};
    use lapidary::pixels::Picture;
    for name in ["clip", "dinov2"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vision").join(name);
        let file = |name: &str| fs::read(folder.join(name)).unwrap();
        let files = VisionFiles {
            config: file("config.json"),
            preprocessor: file("preprocessor_config.json"),
            weights: file("model.safetensors"),
        };
        let vision = Vision::new(&files).unwrap();
        let side = vision.preparation.crop as usize;
        let expected: Value = serde_json::from_slice(&file("expected.json")).unwrap();
        let all: Vec<f32> = (0..2 * 3 * side * side).map(|i| (i as f64 * 0.7).sin() as f32).collect();
        let batch: Vec<Vec<f32>> = all.chunks(3 * side * side).map(<[f32]>::to_vec).collect();
        let rows = vision.embed_prepared(&batch).unwrap();
        for (row, wanted) in rows.iter().zip(expected["rows"].as_array().unwrap()) {
            let wanted = wanted.as_array().unwrap();
            assert_eq!((row.len(), row.len()), (wanted.len(), vision.dims()));
            for (value, wanted) in row.iter().zip(wanted) {
                assert!((f64::from(*value) - wanted.as_f64().unwrap()).abs() < 2e-4, "{name}: {value} {wanted}");
            }
        }
        let Some(pixels) = expected["pixels"].as_array() else { continue };
        let rgba = (0..60_u32 * 80).flat_map(|i| {
            let (x, y) = (f64::from(i % 80), f64::from(i / 80));
            let part = |c: f64| (127.0 + 100.0 * (x * 0.11 + c).sin() * (y * 0.07 + c).cos()) as u8;
            [part(0.0), part(1.0), part(2.0), 255]
        });
        let picture = Picture { width: 80, height: 60, rgba: rgba.collect(), torn: false };
        let prepared = vision.preparation.prepare(&picture);
        assert_eq!(prepared.len(), pixels.len());
        let off: f64 = prepared.iter().zip(pixels).map(|(a, b)| (f64::from(*a) - b.as_f64().unwrap()).abs()).sum::<f64>()
            / pixels.len() as f64;
        // One step of a byte is about 0.015 here.
        assert!(off < 0.01, "off by {off:.4} on average");
    }
}

#[test]
fn a_model_folder_reads_pictures_and_its_vectors_are_kept() {
    let home = tempfile::tempdir().unwrap();
    for i in 0..30_u32 {
        let mut picture = scene(i, 48, 48);
        let tint = if i % 2 == 0 { [200, 40, 40] } else { [40, 40, 200] };
        picture.pixels_mut().for_each(|pixel| (0..3).for_each(|c| pixel.0[c] = pixel.0[c] / 4 + tint[c] / 4 * 3));
        put(&home.path().join(format!("set/{}/{i}.png", ["red", "blue"][(i % 2) as usize])), encode(&picture, ImageFormat::Png));
    }
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vision/clip");
    let model = model.to_str().unwrap();
    findings(home.path(), &["check", "set", "--only", "label_errors", "--model", model, "--json"]);
    let kept = home.path().join("set.lapidary.vectors");
    let first = fs::metadata(&kept).unwrap().modified().unwrap();
    findings(home.path(), &["check", "set", "--only", "label_errors", "--model", model, "--json"]);
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), first, "nothing was computed anew");
    let said = fails(home.path(), &["check", "set", "--only", "label_errors", "--model", "nowhere"]);
    assert!(said.contains("CLIP or DINOv2"), "{said}");
}

/// What a fresh pair of eyes found: each of these once went wrong.
#[test]
fn other_pictures_under_the_same_names_are_another_dataset() {
    let home = tempfile::tempdir().unwrap();
    let write = |from: u32| {
        let mut tar = tar::Builder::new(fs::File::create(home.path().join("shard.tar")).unwrap());
        for i in 0..4 {
            let bytes = encode(&scene(from + i, 24, 24), ImageFormat::Bmp);
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            tar.append_data(&mut header, format!("{}/{i:04}.bmp", i % 2), bytes.as_slice()).unwrap();
        }
        tar.finish().unwrap();
    };
    write(0);
    ok(home.path(), &["relabel", "shard.tar", "--rows", "1", "--column", "label", "--to", "mine"]);
    let held = open(&home.path().join("shard.tar"));
    // One place further: every name is there, with the picture of another; sizes are the same.
    write(1);
    assert!(fails(home.path(), &["info", "shard.tar"]).contains("carry"));
    std::thread::sleep(Duration::from_millis(20));
    write(1);
    assert!(matches!(bytes_of(&held, 0), Err(Trouble::Unreadable(_))), "what was listed is not there any more");
    ok(home.path(), &["carry", "shard.tar"]);
    let info: Value = serde_json::from_str(&ok(home.path(), &["info", "shard.tar", "--json"])).unwrap();
    assert!(info["classes"]["label"].get("mine").is_none(), "the edit belonged to a picture that has moved: {info}");
}

#[test]
fn nothing_is_saved_into_the_source() {
    let (home, root) = small();
    let before = names_below(&root);
    for folder in ["photos/out", "photos/cat/deeper/out", "photos/../photos/out"] {
        let said = fails(home.path(), &["export", "photos", "-o", folder, "--images", "classes"]);
        assert!(said.contains("within the source"), "{said}");
    }
    assert_eq!(names_below(&root), before);
}

#[test]
fn classes_in_lists_name_folders_and_a_split_is_kept() {
    let home = tempfile::tempdir().unwrap();
    for i in 0..4 {
        put(&home.path().join(format!("{i}.png")), encode(&scene(i, 20, 20), ImageFormat::Png));
    }
    let lines = "{\"file\": \"0.png\", \"labels\": [\"cat\"], \"split\": \"train\"}\n{\"file\": \"1.png\", \"labels\": [ \"cat\" ], \"split\": \"test\"}\n\
                 {\"file\": \"2.png\", \"labels\": [\"dog\"], \"split\": \"train\"}\n{\"file\": \"3.png\", \"labels\": [\"dog\"], \"split\": \"test\"}\n";
    put(&home.path().join("list.jsonl"), lines);
    ok(home.path(), &["export", "list.jsonl", "-o", "out", "--images", "classes"]);
    let saved = names_below(&home.path().join("out"));
    assert_eq!(saved, ["cat/0.png", "cat/1.png", "dog/2.png", "dog/3.png", "metadata.csv"]);
    let table = fs::read_to_string(home.path().join("out/metadata.csv")).unwrap();
    assert!(table.starts_with("file_name,labels,split\ncat/0.png,"), "{table}");
}

#[test]
fn headers_that_disagree_and_values_that_overlap_cost_nothing() {
    // A second header within, of 65,535 pixels a side, behind a marker that readers pass over differently.
    let mut bytes = jpeg(&scene(1, 600, 600), 90);
    let huge = [0xff, 0xc0, 0, 17, 8, 0xff, 0xff, 0xff, 0xff, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
    let mut hidden = vec![0xff, 0x00, 0, huge.len() as u8 + 2];
    hidden.extend(huge);
    bytes.splice(2..2, hidden);
    let begun = Instant::now();
    let _ = decode(&bytes, Some(256));
    let _ = look(&bytes);
    assert!(begun.elapsed() < Duration::from_secs(5));
    // Forty thousand EXIF entries over the same half megabyte.
    let mut exif = b"II*\0\x08\0\0\0".to_vec();
    let n = 40_000_u16;
    exif.extend(n.to_le_bytes());
    for tag in 0..n {
        exif.extend(tag.to_le_bytes());
        exif.extend(2_u16.to_le_bytes());
        exif.extend(500_000_u32.to_le_bytes());
        exif.extend(8_u32.to_le_bytes());
    }
    exif.extend([0; 4]);
    exif.resize(1 << 20, b'a');
    assert!(lapidary::pixels::facts(&exif).is_empty());
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn very_many_alike_are_one_group_in_little_time() {
    // A fixed camera: two thousand frames that hardly differ, and one that does.
    let mut looks: Vec<lapidary::pixels::Look> = Vec::new();
    let base = look(&encode(&scene(3, 64, 64), ImageFormat::Png));
    for i in 0..2_000_u32 {
        let mut frame = base.clone();
        frame.content = u128::from(i);
        let at = (i as usize * 37) % frame.grey.len();
        frame.grey[at] = frame.grey[at].wrapping_add(9);
        looks.push(frame);
    }
    looks.push(look(&encode(&scene(4, 64, 64), ImageFormat::Png)));
    let begun = Instant::now();
    let twins = lapidary::pixels::twins(&looks, |_| false, &Progress::silent()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(twins.near.iter().map(|(rows, _)| rows.len()).collect::<Vec<_>>(), [2_000]);
}

#[test]
fn a_folder_with_a_table_is_one_dataset_by_either_name() {
    let (home, root) = small();
    let lines: String = names_below(&root).iter().map(|name| format!("{name},{}\n", &name[..3])).collect();
    put(&root.join("metadata.csv"), format!("file_name,label\n{lines}"));
    ok(home.path(), &["relabel", "photos", "--rows", "0", "--column", "label", "--to", "lynx"]);
    let by_table: Value = serde_json::from_str(&ok(home.path(), &["info", "photos/metadata.csv", "--json"])).unwrap();
    assert_eq!((by_table["edits"].clone(), by_table["classes"]["label"]["lynx"].clone()), (1.into(), 1.into()));
    // A table that names no images hides none.
    put(&root.join("metadata.csv"), "isic,age\nA1,3\nA2,5\n");
    fs::remove_file(root.join("metadata.csv.lapidary")).unwrap();
    let dataset = open(&root);
    assert_eq!(dataset.rows(), 10);
    assert!(dataset.base.warnings.iter().any(|warning| warning.reason.contains("names no images")));
}
