//! What the promises about Collect are measured with: `cargo bench --bench collect` (`-- --large`: ten files of 100 MB and not of 10). openpyxl runs in the same
//! run where Python has it (`PYTHON`, else `python3`); else that is said.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use lapidary::chance::Chance;
use lapidary::collect::{difference, key_of};
use lapidary::data::Dataset;
use lapidary::io::{self, Reading};
use lapidary::job::Progress;

#[path = "../tests/support/databases.rs"]
mod databases_at;
mod support;

use support::timed;

/// Processor time of the processes that this one began and waited for, in seconds; the child that parses a workbook is one of theirs.
fn children_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [13, 14].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn open(path: &Path) -> Dataset {
    io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

/// A file of so many rows; `changed` of a hundred have another label, and `gone` of a hundred are not there.
fn table(rows: usize, seed: u64, changed: usize, gone: usize) -> String {
    let mut chance = Chance::new(1);
    let mut differs = Chance::new(seed);
    let mut text = "id,text,label,n\n".to_owned();
    for row in 0..rows {
        let words: Vec<String> = (0..12).map(|_| format!("word{}", chance.below(20_000))).collect();
        let label = chance.below(50);
        if differs.below(100) < gone {
            continue;
        }
        let label = if differs.below(100) < changed { label + 1 } else { label };
        let _ = writeln!(text, "{row},{},class{label},{}", words.join(" "), row % 977);
    }
    text
}

fn main() {
    let large = std::env::args().any(|word| word == "--large");
    let folder = tempfile::tempdir().unwrap();
    aligned(folder.path(), if large { 1_000_000 } else { 100_000 });
    versions(folder.path());
    sheets(folder.path());
    database(folder.path());
}

/// Ten files as one dataset, and one by one.
fn aligned(folder: &Path, rows: usize) {
    let mut sources = Vec::new();
    for at in 0..10u64 {
        let name = format!("part{at}.csv");
        // Every other file calls its columns otherwise.
        let text = table(rows, at, 0, 0);
        let text = if at % 2 == 1 { text.replacen("id,text,label,n", "id,utterance,intent,n", 1) } else { text };
        std::fs::write(folder.join(&name), text).unwrap();
        let columns =
            if at % 2 == 1 { serde_json::json!({"utterance": "text", "intent": "label"}) } else { serde_json::json!({}) };
        sources.push(serde_json::json!({"id": name, "read": name, "columns": columns}));
    }
    let list = folder.join("all.sources.json");
    std::fs::write(&list, serde_json::json!({"lapidary": "sources/1", "sources": sources}).to_string()).unwrap();
    let bytes: u64 = (0..10).map(|at| std::fs::metadata(folder.join(format!("part{at}.csv"))).unwrap().len()).sum();
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        let (_, alone, _) = timed(|| (0..10).map(|at| open(&folder.join(format!("part{at}.csv"))).rows()).sum::<usize>());
        let (dataset, whole, _) = timed(|| open(&list));
        assert_eq!(dataset.rows(), rows * 10);
        best = (best.0.min(alone.as_secs_f64()), best.1.min(whole.as_secs_f64()));
    }
    println!(
        "ten CSVs of {} MB as one dataset: {:.2} s; one by one {:.2} s; {:.2} × (promised 1.3)",
        bytes / 10 / 1_000_000,
        best.1,
        best.0,
        best.1 / best.0
    );
}

/// Two versions of a million rows, and reading them.
fn versions(folder: &Path) {
    for rows in [100_000, 1_000_000] {
        std::fs::write(folder.join("a.csv"), table(rows, 7, 0, 0)).unwrap();
        std::fs::write(folder.join("b.csv"), table(rows, 8, 2, 1)).unwrap();
        let ((a, b), reading, _) = timed(|| (open(&folder.join("a.csv")), open(&folder.join("b.csv"))));
        let (found, took, _) = timed(|| difference(&a, &b, &key_of(&a, &b), &Progress::silent()).unwrap());
        let (took, reading) = (took.as_secs_f64(), reading.as_secs_f64());
        println!(
            "difference of two versions of {rows} rows ({} cells changed, {} rows gone): {took:.2} s; reading both {reading:.2} s; {:.2} × (promised 3)",
            found.changes.len(),
            found.rows.removed.len(),
            took / reading
        );
    }
}

/// A workbook of 100,000 rows by ten columns, whole processes.
fn sheets(folder: &Path) {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let path = folder.join("big.xlsx");
    let make = format!(
        "import openpyxl\nb = openpyxl.Workbook(write_only=True); s = b.create_sheet('x')\ns.append([f'c{{i}}' for i in range(10)])\nfor r in range(100000): s.append([r, f'a text of row {{r}} that says something', 'card_arrival', r / 7, 'x', r % 10, 'y', None, r * 2, 'z'])\nb.save({:?})",
        path.display().to_string()
    );
    if !Command::new(&python).args(["-c", &make]).output().is_ok_and(|done| done.status.success()) {
        println!("skipped: {python} has no openpyxl: workbooks are not timed");
        return;
    }
    let read = format!(
        "import resource, openpyxl\nb = openpyxl.load_workbook({:?}, read_only=True)\nn = sum(1 for _ in b.active.iter_rows(values_only=True))\nu = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)",
        path.display().to_string()
    );
    let theirs: f64 =
        String::from_utf8_lossy(&Command::new(&python).args(["-c", &read]).output().unwrap().stdout).trim().parse().unwrap();
    let before = children_seconds();
    let done = Command::new(env!("CARGO_BIN_EXE_lapidary")).args(["info", "--no-project"]).arg(&path).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let ours = children_seconds() - before;
    println!(
        "an xlsx of 100,000 × 10, processor time: {ours:.2} s; openpyxl {theirs:.2} s; {:.2} × (promised 0.25)",
        ours / theirs
    );
}

/// A million rows of `PostgreSQL`, and its own client's `COPY` of them.
fn database(folder: &Path) {
    let Some(server) = databases_at::DatabaseServer::postgres() else { return };
    let rows = 1_000_000;
    server.does(
        "",
        &format!(
            "CREATE TABLE t (id int PRIMARY KEY, text text, label text, n int); INSERT INTO t SELECT n, 'a question of customer ' || n || ' about a card that did not come, and why', 'class' || n % 50, n % 977 FROM generate_series(1, {rows}) n; VACUUM ANALYZE t"
        ),
    );
    let list = folder.join("database.sources.json");
    std::fs::write(
        &list,
        serde_json::json!({"lapidary": "sources/1", "sources": [{"id": "t", "read": server.address("owner", "postgres")}]})
            .to_string(),
    )
    .unwrap();
    io::allow_host("127.0.0.1");
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        let (bytes, copy, _) = timed(|| server.does("", "COPY (SELECT * FROM t ORDER BY id) TO STDOUT").len());
        let (dataset, own, _) = timed(|| open(&list));
        assert!(dataset.rows() == rows && bytes > 50_000_000);
        best = (best.0.min(copy.as_secs_f64()), best.1.min(own.as_secs_f64()));
    }
    println!("{rows} rows of PostgreSQL: {:.2} s; psql's COPY {:.2} s; {:.2} × (promised 1.5)", best.1, best.0, best.1 / best.0);
}
