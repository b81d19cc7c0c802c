//! What the promises about images are measured with: `cargo bench --bench images`. Peers run here where Python has them (`PYTHON`, else
//! `python3`, with Pillow and ImageHash); else their figures are as noted in the reference's README.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use lapidary::app::{App, Begin, Folders, Scripted};
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::operate::scan_pictures;
use lapidary::pixels::{decode, fit, look};

mod support;

use support::{photographs, timed};

fn row(what: &str, ours: String, floor: String, ratio: Option<f64>, promise: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    println!("{what:<58} {ours:>14} {floor:>22} {ratio:>7}  {promise}");
}

fn peer(script: &str) -> Option<f64> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let out = Command::new(python).args(["-c", script]).output().ok()?;
    String::from_utf8_lossy(&out.stdout).lines().last()?.trim().parse().ok()
}

fn against(what: &str, each: f64, peer: Option<f64>, noted: f64, promise: &str) {
    let (floor, from) = peer.map_or((noted, "noted"), |each| (each, "this run"));
    row(what, format!("{:.2} ms", each * 1e3), format!("{:.2} ms ({from})", floor * 1e3), Some(each / floor), promise);
}

fn decoding(folder: &Path, paths: &[PathBuf]) {
    let bytes: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let n = bytes.len() as f64;
    println!(
        "photographs of {} kB, processor time of one core each",
        bytes.iter().map(Vec::len).sum::<usize>() / bytes.len() / 1_000
    );
    let begin = "import time, glob\nfrom PIL import Image\n";
    let files = format!("files = sorted(glob.glob('{}/*.jpg'))\nt = time.process_time()\n", folder.display());
    let end = "print((time.process_time() - t) / len(files))";
    let pillow = peer(&format!("{begin}{files}for f in files:\n    i = Image.open(f); i.thumbnail((256, 256))\n{end}"));
    let (_, _, seconds) = timed(|| bytes.iter().for_each(|bytes| drop(fit(decode(bytes, Some(256)).unwrap(), 256))));
    against("  JPEG to a thumbnail of 256 pixels (peer: Pillow)", seconds / n, pillow, 0.0029, "faster");
    let hash = peer(&format!("{begin}import imagehash\n{files}for f in files:\n    imagehash.phash(Image.open(f))\n{end}"));
    let (_, _, seconds) = timed(|| bytes.iter().for_each(|bytes| assert!(look(bytes).has_pixels())));
    against("  hash, measures and embedding together (ImageHash: hash)", seconds / n, hash, 0.0027, "faster");
    let (_, _, seconds) = timed(|| bytes.iter().for_each(|bytes| drop(decode(bytes, None).unwrap())));
    row("  the same decoded whole", format!("{:.2} ms", seconds / n * 1e3), String::new(), None, "");
}

fn listing(folder: &Path) {
    let root = folder.join("many");
    for class in 0..100 {
        let inner = root.join(format!("class {class:02}"));
        std::fs::create_dir_all(&inner).unwrap();
        (0..1_000).for_each(|i| std::fs::write(inner.join(format!("{i:04}.jpg")), b"x").unwrap());
    }
    let count = || -> usize {
        std::fs::read_dir(&root).unwrap().map(|inner| std::fs::read_dir(inner.unwrap().path()).unwrap().count()).sum()
    };
    let (found, floor, _) = timed(count);
    let (dataset, time, _) = timed(|| io::open(&root, &Reading::default(), &Progress::silent(), &|_| {}).unwrap());
    assert_eq!((dataset.rows(), found), (100_000, 100_000));
    let ratio = time.as_secs_f64() / floor.as_secs_f64();
    row(
        "a folder of 100,000 files opened (floor: names counted)",
        format!("{:.2} s", time.as_secs_f64()),
        format!("{:.2} s", floor.as_secs_f64()),
        Some(ratio),
        "< 2 s",
    );
}

/// Frames of the whole window while a gallery of a million scrolls a page a frame, nothing in any cache.
fn gallery(folder: &Path, paths: &[PathBuf]) {
    let table = folder.join("million.csv");
    let mut out = BufWriter::new(std::fs::File::create(&table).unwrap());
    writeln!(out, "path,label").unwrap();
    for i in 0..1_000_000 {
        let path = paths[i * 7 % paths.len()].strip_prefix(folder).unwrap();
        writeln!(out, "{},class {}", path.display(), i % 10).unwrap();
    }
    out.flush().unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut folders = Folders::within(home.path());
    // Below a file there can be no folder: nothing is kept on disk, and every thumbnail is made from its photograph.
    folders.cache = table.join("nowhere");
    let begin = Begin::File(table);
    let mut harness = Harness::builder()
        .with_size([1440.0, 900.0])
        .allow_missing_glyphs()
        .build_eframe(|creation| App::new(&creation.egui_ctx, begin, folders, Box::new(Scripted::default())));
    let deadline = Instant::now() + Duration::from_secs(120);
    while harness.state().workspace().is_none() || harness.state().is_busy() {
        harness.step();
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    for side in [148.0, 64.0] {
        for (name, from) in [("top", 0_usize), ("end", 990_000)] {
            harness.state_mut().state_mut().gallery.side = side;
            harness.run_steps(2);
            let columns = harness.state_mut().state_mut().gallery.columns;
            let mut times = Vec::new();
            for i in 0..150 {
                let state = harness.state_mut().state_mut();
                state.gallery.first = from / columns + i * 4;
                let before = Instant::now();
                harness.step();
                let shapes = harness.output().shapes.clone();
                let triangles = harness.ctx.tessellate(shapes, 1.0);
                assert!(!triangles.is_empty());
                times.push(before.elapsed());
                // What is left of a frame of 16.7 ms belongs to the rest of the machine.
                std::thread::sleep(Duration::from_micros(16_700).saturating_sub(before.elapsed()));
            }
            times.sort_unstable();
            let ms = |part: usize| format!("{:.2} ms", times[part].as_secs_f64() * 1e3);
            row(
                &format!("  frame at the {name} of 1,000,000, {columns} across: median, 99 of 100"),
                ms(75),
                ms(148),
                None,
                "< 16 ms",
            );
        }
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let begun = Instant::now();
    while harness.state().is_busy() && Instant::now() < deadline {
        harness.step();
        std::thread::sleep(Duration::from_millis(2));
    }
    row("  until the last page is all there", format!("{:.2} s", begun.elapsed().as_secs_f64()), String::new(), None, "");
}

fn checking() {
    let Ok(root) = Path::new("../shared/data/sign_digits/Dataset").canonicalize() else { return };
    let dataset = io::open(&root, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let field = dataset.pictures().unwrap();
    let (_, wall, seconds) = timed(|| scan_pictures(&dataset, field, None, &Progress::silent()).unwrap());
    row(
        "2,062 photographs looked at, copies and outliers found",
        format!("{:.2} s", wall.as_secs_f64()),
        format!("{seconds:.2} s of processor"),
        None,
        "",
    );
}

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{:<58} {:>14} {:>22} {:>7}  promise", "", "Lapidary", "floor", "ratio");
    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    let paths = photographs(&photos, 300);
    decoding(&photos, &paths);
    listing(folder.path());
    println!("the gallery, nothing in any cache");
    gallery(folder.path(), &paths);
    checking();
}
