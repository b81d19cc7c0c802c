//! What the speed promises are measured with: `cargo bench`. Each figure stands beside a floor measured in the same run.
//!
//! `cargo bench -- --learn` measures what is learned alone. `cargo bench -- --small` leaves the ten-million-row part out (it takes 5 GB of memory and 3 GB of disk).

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use lapidary::action::Action;
use lapidary::app::{App, Begin, Folders, Scripted};
use lapidary::checks::Options;
use lapidary::checks::label_errors::{LabelMethod, LabelModel, LabelQuestion, TextOf};
use lapidary::data::{ClassIndex, Clause, Dataset, Filter, Role, Rule, SampleId};
use lapidary::edit::{Change, Direction, Edit, Target};
use lapidary::io::{self, Meaning, Reading};
use lapidary::job::Progress;
use lapidary::learn::confident::{CleanlabFilter, flagged};
use lapidary::learn::dense::{Dense, normalise};
use lapidary::learn::embedding::built_in;
use lapidary::learn::neighbours::nearest_of;
use lapidary::operate::Operation;
use lapidary::session::{AugmentForm, BalanceForm, Need, News, Session, Wants, Workspace};
use lapidary::ui::View;
use polars::prelude::{CsvReadOptions, SerReader as _, SeriesMethods as _};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Real questions, perturbed by a fixed seed: dropped words, typing errors, numbers; users, scores, flipped labels.
fn write_rows(path: &Path, rows: usize) {
    let real = include_str!("../assets/samples/banking77.csv");
    let samples: Vec<(&str, &str)> =
        real.lines().skip(1).filter(|line| !line.contains('"')).filter_map(|line| line.rsplit_once(',')).collect();
    let mut random = StdRng::seed_from_u64(77);
    let mut out = BufWriter::with_capacity(1 << 20, std::fs::File::create(path).unwrap());
    writeln!(out, "id,text,category,user,score").unwrap();
    for i in 0..rows {
        let (text, label) = samples[random.random_range(0..samples.len())];
        let label = if random.random_ratio(1, 20) { samples[random.random_range(0..samples.len())].1 } else { label };
        write!(out, "s{i:08},").unwrap();
        let quoted = random.random_ratio(1, 8);
        if quoted {
            write!(out, "\"").unwrap();
        }
        for (n, word) in text.split(' ').enumerate() {
            if n > 0 {
                write!(out, " ").unwrap();
            }
            match random.random_range(0..40) {
                0 => {}
                1 => write!(out, "{}", &word[..word.len() - usize::from(word.is_ascii() && word.len() > 2)]).unwrap(),
                2 => write!(out, "{word}{}", random.random_range(0..100)).unwrap(),
                _ => write!(out, "{word}").unwrap(),
            }
        }
        if quoted {
            write!(out, ", please\"").unwrap();
        }
        writeln!(out, ",{label},u{},{:.3}", random.random_range(0..rows / 10 + 1), random.random_range(0.0..1.0)).unwrap();
    }
    out.flush().unwrap();
}

fn ours(path: &Path) -> (Dataset, ClassIndex) {
    let progress = Progress::silent();
    let dataset = io::open(path, &Reading::default(), &progress, &|_| {}).unwrap();
    let label = dataset.field("category").unwrap();
    let classes = ClassIndex::build(&dataset, label, &progress).unwrap();
    (dataset, classes)
}

fn floor(path: &Path) -> polars::prelude::DataFrame {
    let options = CsvReadOptions::default().with_has_header(true);
    let frame = options.try_into_reader_with_file_path(Some(path.to_owned())).unwrap().finish().unwrap();
    let counts =
        frame.column("category").unwrap().as_materialized_series().value_counts(true, true, "count".into(), false).unwrap();
    assert_eq!(counts.height(), 77);
    frame
}

fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration, f64) {
    let (start, before) = (Instant::now(), processor_seconds());
    let value = work();
    (value, start.elapsed(), processor_seconds() - before)
}

fn peak_of(what: &str, path: &Path) -> f64 {
    let output = Command::new(std::env::current_exe().unwrap()).args(["--peak", what]).arg(path).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse::<f64>().unwrap_or(f64::NAN) / 1024.0
}

fn peak_of_this_process() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default().to_owned();
    line.split_whitespace().nth(1).unwrap_or("0").to_owned()
}

fn row(what: &str, ours: String, floor: String, ratio: Option<f64>, promise: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    println!("{what:<52} {ours:>14} {floor:>14} {ratio:>7}  {promise}");
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn opening(path: &Path, rounds: usize) {
    let (mut best, mut best_floor) = ((f64::MAX, f64::MAX), (f64::MAX, f64::MAX));
    for _ in 0..rounds {
        let (frame, wall, cpu) = timed(|| floor(path));
        drop(frame);
        best_floor = (best_floor.0.min(wall.as_secs_f64()), best_floor.1.min(cpu));
        let (opened, wall, cpu) = timed(|| ours(path));
        drop(opened);
        best = (best.0.min(wall.as_secs_f64()), best.1.min(cpu));
    }
    row(
        "  to a full table and class counts, wall",
        format!("{:.3} s", best.0),
        format!("{:.3} s", best_floor.0),
        Some(best.0 / best_floor.0),
        "≤ 1.5 × Polars eager + value_counts",
    );
    row(
        "  the same, processor seconds",
        format!("{:.2} s", best.1),
        format!("{:.2} s", best_floor.1),
        Some(best.1 / best_floor.1),
        "",
    );
    let (peak, peak_floor) = (peak_of("ours", path), peak_of("floor", path));
    row(
        "  peak memory of a process that does only this",
        format!("{peak:.0} MiB"),
        format!("{peak_floor:.0} MiB"),
        Some(peak / peak_floor),
        "≤ 1.5 ×",
    );
    let start = Instant::now();
    let first = std::cell::Cell::new(None);
    let dataset = io::open(path, &Reading::default(), &Progress::silent(), &|_| first.set(Some(start.elapsed())));
    row("  first rows are there", first.get().map_or("never".into(), ms), ms(start.elapsed()), None, "before the whole is read");
    drop(dataset);
}

/// Relabels samples one by one. `held`: while each is, a job holds a snapshot of the dataset and of its classes.
fn editing(path: &Path, edits: usize, held: bool) -> (Duration, Duration) {
    let project = PathBuf::from(format!("{}.lapidary", path.display()));
    let _ = std::fs::remove_file(&project);
    let dataset = io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let rows = dataset.rows() as u32;
    let mut workspace = Workspace::open(dataset, Reading::default(), None).unwrap();
    workspace.read_classes(&Progress::silent()).unwrap();
    let mut times = Vec::new();
    for i in 0..edits as u32 {
        let id = SampleId((i * 7_919) % rows);
        let snapshot = held.then(|| (workspace.dataset().clone(), workspace.classes("category").cloned()));
        let start = Instant::now();
        let to = format!("class {}", i % 5);
        let change = Change::cells(workspace.dataset(), "category", [(id, Some(to.as_str()))]).unwrap();
        workspace.edit(&Edit::new("one", change).unwrap()).unwrap();
        times.push(start.elapsed());
        drop(snapshot);
    }
    times.sort_unstable();
    drop(workspace);
    let _ = std::fs::remove_file(&project);
    (times[times.len() / 2], times[times.len() * 95 / 100])
}

/// One bare insert, synced: what any durable edit costs on this disk.
fn sqlite_floor(folder: &Path) -> Duration {
    let path = folder.join("floor.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (a, b)")
        .unwrap();
    let mut times: Vec<Duration> = (0..200)
        .map(|i| {
            let start = Instant::now();
            database.execute("INSERT INTO t VALUES (?1, ?2)", rusqlite::params![i, "some words of an edit"]).unwrap();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn searching(path: &Path) {
    let (dataset, classes) = ours(path);
    let text = std::fs::read(path).unwrap();
    let (_, plain, _) = timed(|| memchr::memmem::find_iter(&text, "refund").count());
    drop(text);
    let contains = |regex, case| Filter {
        clauses: vec![Clause::from(Rule::Contains { column: Some("text".into()), text: "refund".into(), regex, case })],
    };
    for (what, filter) in
        [("capitals matter", contains(false, true)), ("any capitals", contains(false, false)), ("regex", contains(true, true))]
    {
        let (found, wall, _) = timed(|| filter.apply(&dataset, &Progress::silent()).unwrap());
        assert!(!found.is_empty());
        row(
            &format!("  text filter, {what}"),
            ms(wall),
            ms(plain),
            Some(wall.as_secs_f64() / plain.as_secs_f64()),
            "< 1 s (floor: one search of the raw bytes)",
        );
    }
    let filter = contains(false, true).apply(&dataset, &Progress::silent()).unwrap();
    let (_, wall, _) = timed(|| classes.count(dataset.samples()));
    row("  class histogram of all", ms(wall), String::new(), None, "< 1 s");
    let (_, wall, _) = timed(|| classes.count(filter.iter().copied()));
    row("  class histogram of the filtered part", ms(wall), String::new(), None, "< 1 s");
}

/// A session in which labels were judged, and Augment and Balance looked at.
fn all_used(path: &Path) -> Session {
    let dataset = io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let workspace = Workspace::without_project(dataset, Reading::default(), None);
    let augment = AugmentForm::of(workspace.dataset());
    let mut session = Session::new(Arc::new(|| {}), path.with_extension("pictures"));
    session.take_in(workspace);
    let (filter, balance, options) = (Filter::default(), BalanceForm::default(), Options::default());
    for needs in [[Need::Labels], [Need::Augment], [Need::Balance]] {
        let wants = Wants {
            filter: &filter,
            sort: &[],
            chart: None,
            needs: &needs,
            options: &options,
            method: LabelMethod::default(),
            neighbours_of: None,
            likely_of: None,
            facets: false,
            class: None,
            eye: None,
            watch: None,
            augment: &augment,
            balance: &balance,
        };
        // Idle twice: what comes of one thing begins the next.
        let mut idle = 0;
        while idle < 20 {
            session.work(&wants);
            idle = if session.is_busy(false) { 0 } else { idle + 1 };
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    assert!(session.labels().is_some() && session.drafted().is_some() && session.balance().is_some());
    session
}

/// How long a filter takes in a session, alone and while labels are learned.
fn passing(path: &Path, folder: &Path) -> [Duration; 2] {
    let dataset = io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let mut workspace = Workspace::without_project(dataset, Reading::default(), None);
    workspace.read_classes(&Progress::silent()).unwrap();
    let mut session = Session::new(Arc::new(|| {}), folder.join("pictures.db"));
    session.take_in(workspace);
    let (augment, balance, options) = (AugmentForm::default(), BalanceForm::default(), Options::default());
    let look = |session: &mut Session, filter: &Filter, learns: bool| {
        let needs: &[Need] = if learns { &[Need::Labels] } else { &[] };
        let wants = Wants {
            filter,
            sort: &[],
            chart: None,
            needs,
            options: &options,
            method: LabelMethod::default(),
            neighbours_of: None,
            likely_of: None,
            facets: false,
            class: None,
            eye: None,
            watch: None,
            augment: &augment,
            balance: &balance,
        };
        session.work(&wants).0.iter().any(|news| matches!(news, News::Visible { .. }))
    };
    let of = |text: String| Filter {
        clauses: vec![Clause::from(Rule::Contains { column: Some("text".into()), text, regex: true, case: true })],
    };
    [false, true].map(|learns| {
        let mut times = Vec::new();
        let mut n = 0;
        while times.len() < 9 {
            // Learning has begun, and is not done.
            for _ in 0..2_000 {
                look(&mut session, &of(format!("card{{{n}}}")), learns);
                if session.is_running("labels") == learns && !session.is_running("visible") && !session.is_running("check") {
                    break;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            if learns {
                if !session.is_running("labels") {
                    session.check_labels();
                    continue;
                }
                std::thread::sleep(Duration::from_millis(300));
            }
            n += 1;
            let filter = of(format!("refund|card {n}"));
            let start = Instant::now();
            while !look(&mut session, &filter, learns) {
                std::thread::sleep(Duration::from_micros(200));
            }
            times.push(start.elapsed());
        }
        times.sort_unstable();
        times[times.len() / 2]
    })
}

/// Processor time of a frame of the whole window while the table scrolls, at its top and at its end.
/// Processor time of a frame; `label`: a column that is made one of labels first.
fn frames(path: &Path, label: Option<&str>) -> (Duration, Duration) {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::within(home.path());
    let begin = Begin::File(path.to_owned());
    let mut harness = Harness::builder()
        .with_size([1440.0, 900.0])
        .allow_missing_glyphs()
        .build_eframe(|creation| App::new(&creation.egui_ctx, begin, folders, Box::new(Scripted::default())));
    let settle = |harness: &mut Harness<'_, App>| {
        let deadline = Instant::now() + Duration::from_secs(300);
        harness.step();
        while (harness.state().is_busy() || harness.state().workspace().is_none()) && Instant::now() < deadline {
            harness.step();
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    settle(&mut harness);
    if let Some(column) = label {
        let operation = Operation::SetRole { column: column.to_owned(), role: Role::Label };
        harness.state_mut().push(Action::Do(operation));
        settle(&mut harness);
    }
    let rows = harness.state().workspace().unwrap().dataset().rows();
    // Every other view, once it is at rest; what it works out there is not waited for longer than a minute.
    let mut words = Vec::new();
    for view in View::all().filter(|view| *view != View::Explore) {
        harness.state_mut().state_mut().view = view;
        let deadline = Instant::now() + Duration::from_secs(60);
        while harness.state().is_busy() && Instant::now() < deadline {
            harness.step();
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut times: Vec<Duration> = (0..15)
            .map(|_| {
                let before = Instant::now();
                harness.step();
                let shapes = harness.output().shapes.clone();
                let _ = harness.ctx.tessellate(shapes, 1.0);
                before.elapsed()
            })
            .collect();
        times.sort_unstable();
        words.push(format!("{} {}", view.title(), ms(times[times.len() / 2])));
    }
    println!("    {}", words.join(", "));
    harness.state_mut().state_mut().view = View::Explore;
    settle(&mut harness);
    let mut measure = |from: usize| {
        let mut times = Vec::new();
        for i in 0..60 {
            harness.state_mut().state_mut().table.first = (from + i * 3).min(rows - 1);
            let before = Instant::now();
            harness.step();
            let shapes = harness.output().shapes.clone();
            let triangles = harness.ctx.tessellate(shapes, 1.0);
            assert!(!triangles.is_empty());
            times.push(before.elapsed());
        }
        times.sort_unstable();
        times[times.len() / 2]
    };
    (measure(0), measure(rows.saturating_sub(400)))
}

fn first_frame(folder: &Path) {
    if Command::new("Xvfb").arg("-help").output().is_err() {
        return row("process start to first frame and out again", "skipped".into(), String::new(), None, "there is no Xvfb");
    }
    let mut screen =
        Command::new("Xvfb").args([":97", "-screen", "0", "1440x900x24"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_lapidary"))
            .arg("--start")
            .env("LAPIDARY_FRAMES", "1")
            .env("DISPLAY", ":97")
            .env_remove("WAYLAND_DISPLAY")
            .env("XDG_CONFIG_HOME", folder)
            .env("XDG_DATA_HOME", folder)
            .output();
        if status.is_ok_and(|output| output.status.success()) {
            best = best.min(start.elapsed());
        }
    }
    let _ = screen.kill();
    let _ = screen.wait();
    let shown = if best == Duration::MAX { "failed".to_owned() } else { ms(best) };
    row("process start to first frame and out again", shown, String::new(), None, "software OpenGL under Xvfb");
}

/// Random probabilities that favour the given class, some of which are wrong.
fn probabilities(rows: usize, classes: usize) -> (Vec<f32>, Vec<u32>) {
    let mut random = StdRng::seed_from_u64(5);
    let (mut p, mut given) = (Vec::with_capacity(rows * classes), Vec::with_capacity(rows));
    for _ in 0..rows {
        let (truth, flip) = (random.random_range(0..classes), random.random_ratio(1, 20));
        given.push(if flip { random.random_range(0..classes) } else { truth } as u32);
        let mut row: Vec<f32> = (0..classes).map(|_| random.random_range(0.0..1.0f32)).collect();
        row[truth] += random.random_range(0.0..classes as f32 / 4.0);
        let sum: f32 = row.iter().sum();
        p.extend(row.into_iter().map(|value| value / sum));
    }
    (p, given)
}

fn random_rows(rows: usize, dims: usize) -> Dense {
    let mut random = StdRng::seed_from_u64(6);
    // Some hundred centres with spread around them, as embeddings have.
    let centres: Vec<f32> = (0..200 * dims).map(|_| random.random_range(-1.0..1.0)).collect();
    let mut dense = Dense::zeros(rows, dims);
    for row in 0..rows {
        let centre = random.random_range(0..200);
        for (d, value) in dense.row_mut(row).iter_mut().enumerate() {
            *value = centres[centre * dims + d] + random.random_range(-1.0..1.0f32);
        }
        normalise(dense.row_mut(row));
    }
    dense
}

fn model_of(path: &Path) -> (LabelModel, Dataset) {
    let progress = Progress::silent();
    let dataset = io::open(path, &Reading::default(), &progress, &|_| {}).unwrap();
    let ask = LabelQuestion { label: Some("category".into()), text: Some("text".into()), ..LabelQuestion::default() };
    let text = TextOf::of(&dataset, Some("text")).unwrap();
    let dense =
        io::embed(0..dataset.rows(), &|row| text.read(&dataset, SampleId::at(row)), &Meaning::BuiltIn, None, &progress).unwrap();
    (LabelModel::fit(&dataset, &ask, dense.into(), &progress).unwrap(), dataset)
}

/// Runs a script of the peer in Python where it is there (`PYTHON`, else `python3`); the last line says processor seconds.
fn peer(script: &str) -> Option<f64> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let out = Command::new(python).args(["-c", script]).output().ok()?;
    String::from_utf8_lossy(&out.stdout).lines().last()?.trim().parse().ok()
}

const TIMED: &str = "import resource, numpy as np\ndef cpu():\n    u = resource.getrusage(resource.RUSAGE_SELF); return u.ru_utime + u.ru_stime\n";

fn against(what: &str, seconds: f64, peer: Option<f64>, known: f64, promise: &str) {
    let (floor, from) = peer.map_or((known, "noted"), |seconds| (seconds, "this run"));
    row(what, format!("{seconds:.2} s"), format!("{floor:.2} s ({from})"), Some(seconds / floor), promise);
}

/// Label errors: processor seconds beside those of cleanlab and scikit-learn, run here where Python has them, else as noted in the
/// reference's README.
fn learning(folder: &Path, small: bool) {
    let progress = Progress::silent();
    let flipped = Path::new("../shared/reference/banking77_flipped.csv");
    if flipped.exists() {
        let (_, wall, seconds) = timed(|| model_of(flipped).0.findings());
        let script = format!(
            "{TIMED}import pandas as pd\nfrom sklearn.feature_extraction.text import TfidfVectorizer\nfrom sklearn.linear_model import LogisticRegression\n\
             from sklearn.model_selection import cross_val_predict, StratifiedKFold\nfrom cleanlab.filter import find_label_issues\nt = cpu()\n\
             d = pd.read_csv('{}'); y = np.unique(d.category, return_inverse=True)[1]\nx = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit_transform(d.text)\n\
             p = cross_val_predict(LogisticRegression(max_iter=1000, C=10), x, y, cv=StratifiedKFold(5, shuffle=True, random_state=0), method='predict_proba')\n\
             find_label_issues(y, p, return_indices_ranked_by='self_confidence', n_jobs=1)\nprint(cpu() - t)",
            flipped.display()
        );
        against("banking77 to ranked label errors, processor time", seconds, peer(&script), 75.0, "≤ 1/30");
        row("  the same, until it is there", ms(wall), String::new(), None, "");
    } else {
        println!("  skipped: {} is not there", flipped.display());
    }
    for (rows, classes, known) in [(100_000, 77, 0.31), (1_000_000, 10, 1.60)] {
        let (p, given) = probabilities(rows, classes);
        let (_, _, seconds) = timed(|| flagged(&p, classes, &given, CleanlabFilter::PruneByNoiseRate, 1));
        let script = format!(
            "{TIMED}from cleanlab.filter import find_label_issues\nr = np.random.default_rng(5); n, k = {rows}, {classes}\n\
             t = r.integers(0, k, n); y = np.where(r.random(n) < .05, r.integers(0, k, n), t)\np = r.random((n, k)); p[np.arange(n), t] += r.random(n) * k / 4\n\
             p /= p.sum(1, keepdims=True)\nt = cpu(); find_label_issues(y, p, n_jobs=1); print(cpu() - t)"
        );
        against(&format!("confident learning, {rows} × {classes}, processor time"), seconds, peer(&script), known, "≤ 1/5");
    }
    let text: Vec<String> =
        std::fs::read_to_string("assets/samples/banking77.csv").unwrap().lines().map(ToOwned::to_owned).collect();
    let many: Vec<&str> = text.iter().cycle().take(1_000_000).map(String::as_str).collect();
    let bytes: usize = many.iter().map(|line| line.len()).sum();
    let (_, wall, _) = timed(|| built_in().embed_all(many.len(), |row| many[row].into(), &progress).unwrap());
    row(
        "embedding text, two cores",
        format!("{:.0} MB/s", bytes as f64 / 1e6 / wall.as_secs_f64()),
        "50 MB/s".into(),
        None,
        "> 50 MB/s",
    );
    for (rows, dims, known) in [(20_000usize, 384, 15.0), (100_000, 256, 60.0)] {
        if small && rows > 50_000 {
            continue;
        }
        let dense = random_rows(rows, dims);
        let all: Vec<u32> = (0..rows as u32).collect();
        let (_, wall, seconds) = timed(|| nearest_of(&dense, &all, 10, &progress).unwrap());
        if rows == 20_000 {
            let script = format!(
                "{TIMED}from sklearn.neighbors import NearestNeighbors\nx = np.random.default_rng(6).standard_normal(({rows}, {dims})).astype('f4')\n\
                 t = cpu(); NearestNeighbors(n_neighbors=10, algorithm='brute', metric='cosine').fit(x).kneighbors(); print(cpu() - t)"
            );
            against(&format!("exact nearest 10 of all, {rows} × {dims}, processor time"), seconds, peer(&script), known, "≤ 1/3");
        } else {
            row(
                &format!("exact nearest 10 of all, {rows} × {dims}"),
                ms(wall),
                "1 minute".into(),
                Some(wall.as_secs_f64() / known),
                "≤ 1",
            );
        }
    }
    for rows in if small { vec![10_000] } else { vec![10_000, 100_000] } {
        let path = folder.join(format!("learn{rows}.csv"));
        write_rows(&path, rows);
        let (model, wall, _) = timed(|| model_of(&path));
        let (mut model, dataset) = model;
        let column = "category";
        let mut dataset = dataset;
        let queue = model.report().queue;
        let mut slowest = Duration::ZERO;
        for candidate in queue.iter().take(10) {
            let report = model.report();
            let name = report.names[candidate.suggested[0] as usize].to_string();
            let cells = Change::cells(&dataset, column, [(candidate.id, Some(name.as_str()))]).unwrap().unwrap();
            let seen = Change::mark(&dataset, Target::Reviewed, [candidate.id], true).unwrap().unwrap();
            Edit::new("accept", [cells, seen]).unwrap().apply(&mut dataset, Direction::Forward);
            let (_, took, _) = timed(|| {
                model.follow(&dataset, &[candidate.id], &progress).unwrap();
                model.report()
            });
            slowest = slowest.max(took);
        }
        row(&format!("{rows} samples, 77 classes: learned"), ms(wall), String::new(), None, "");
        row(
            "  a decision, until the ranking has followed (slowest of 10)",
            ms(slowest),
            "1 s".into(),
            Some(slowest.as_secs_f64()),
            "≤ 1",
        );
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "--peak") {
        let path = PathBuf::from(&words[2]);
        if words[1] == "ours" {
            std::mem::forget(ours(&path));
        } else if words[1] == "session" {
            std::mem::forget(all_used(&path));
        } else {
            std::mem::forget(floor(&path));
        }
        println!("{}", peak_of_this_process());
        return;
    }
    let large = !words.iter().any(|word| word == "--small");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{:<52} {:>14} {:>14} {:>7}  promise", "", "Lapidary", "floor", "ratio");
    if words.iter().any(|word| word == "--learn") {
        return learning(folder.path(), !large);
    }
    let (small, million) = (folder.path().join("thousand.csv"), folder.path().join("million.csv"));
    write_rows(&small, 1_000);
    write_rows(&million, 1_000_000);
    println!("open a CSV of 1,000,000 rows, {} MB", std::fs::metadata(&million).unwrap().len() / 1_000_000);
    opening(&million, 3);
    let floor = sqlite_floor(folder.path());
    let mut sizes = vec![("1,000", small), ("1,000,000", million)];
    let ten = folder.path().join("ten-million.csv");
    if large {
        write_rows(&ten, 10_000_000);
        println!("open a CSV of 10,000,000 rows, {} MB", std::fs::metadata(&ten).unwrap().len() / 1_000_000);
        opening(&ten, 3);
        sizes.push(("10,000,000", ten.clone()));
    }
    println!("relabel one sample, durable commit included (floor: one bare synced insert)");
    for (name, path) in &sizes {
        let (half, most) = editing(path, 200, false);
        row(
            &format!("  at {name} rows, median"),
            ms(half),
            ms(floor),
            Some(half.as_secs_f64() / floor.as_secs_f64()),
            "the same at any size",
        );
        row(&format!("  at {name} rows, 95 of 100"), ms(most), String::new(), None, "< 16.7 ms");
        let (held, _) = editing(path, 200, true);
        let ratio = held.as_secs_f64() / half.as_secs_f64();
        row(&format!("  at {name} rows, while a job holds a snapshot"), ms(held), ms(half), Some(ratio), "≤ 2 × without");
    }
    println!("a frame of the whole window while the table scrolls");
    for (name, path) in &sizes[1..] {
        let (top, end) = frames(path, None);
        row(
            &format!("  at {name} rows, at the top and at the end"),
            ms(top),
            ms(end),
            Some(end.as_secs_f64() / top.as_secs_f64()),
            "< 4 ms, the same at both",
        );
    }
    let classes = folder.path().join("classes.csv");
    let rows: String = (0..200_000).map(|row| format!("text of {row},class {}\n", row % 50_000)).collect();
    std::fs::write(&classes, format!("text,kind\n{rows}")).unwrap();
    let (top, end) = frames(&classes, Some("kind"));
    row("  of 50,000 classes", ms(top), ms(end), Some(end.as_secs_f64() / top.as_secs_f64()), "< 4 ms, the same at both");
    let (name, path) = sizes.last().unwrap();
    println!("look through {name} rows");
    searching(path);
    first_frame(folder.path());
    let [alone, beside] = passing(&sizes[1].1, folder.path());
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    println!("a filter of 1,000,000 rows in a session (floor: the same alone)");
    row("  while labels are learned", ms(beside), ms(alone), Some(ratio), "≤ 1.5 × alone");
    let texts = folder.path().join("texts.csv");
    write_rows(&texts, 100_000);
    let mebibytes = peak_of("session", &texts);
    let embedding = 100_000.0 * 256.0 * 4.0 / f64::from(1 << 20);
    println!("a session of 100,000 texts: labels judged, Augment and Balance looked at (floor: one embedding)");
    let (shown, floor) = (format!("{mebibytes:.0} MiB"), format!("{embedding:.0} MiB"));
    row("  peak memory", shown, floor, Some(mebibytes / embedding), "");
    println!("label errors");
    learning(folder.path(), !large);
}
