//! A scheduler and executors as real processes on this machine: the same rows and bytes as without them, for any number, after an executor, the client or the
//! scheduler was killed, and never by another version.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// `lapidary` as it was built beside this, or where the variable says.
fn lapidary() -> Option<PathBuf> {
    let named = std::env::var_os("LAPIDARY").map(PathBuf::from);
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/lapidary");
    let found = named.into_iter().chain([target]).find(|path| path.is_file()).and_then(|path| path.canonicalize().ok());
    if found.is_none() {
        println!("skipped: there is no lapidary in target/debug (cargo build), and LAPIDARY names none");
    }
    found
}

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn cluster(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary-cluster"));
    command.args(words).stderr(Stdio::null());
    command
}

/// A scheduler on any free port, and its address.
fn scheduler() -> (Ended, String) {
    scheduler_at("127.0.0.1:0")
}

fn scheduler_at(place: &str) -> (Ended, String) {
    let mut child = Ended(cluster(&["scheduler", "--bind", place]).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    (child, line.strip_prefix("listening ").unwrap().to_owned())
}

fn executor(scheduler: &str, program: &Path) -> Ended {
    let mut child =
        cluster(&["executor", "--scheduler", scheduler, "--cores", "4", "--lapidary", &program.display().to_string()]);
    let mut child = Ended(child.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("executor "));
    child
}

/// A folder of shards, and a recipe.
fn corpus(home: &Path, files: usize, rows: usize) {
    std::fs::create_dir_all(home.join("corpus")).unwrap();
    for file in 0..files {
        let mut text = "text,label\n".to_owned();
        for row in 0..rows {
            let n = file * rows + row;
            let line = match n % 10 {
                // Copies of rows before, the same but for case and nearly so, also across files.
                7 => format!(
                    "QUESTION {} ABOUT MY CARD AND {} THINGS OF {} KINDS THAT I LOST",
                    n / 2 / 10 * 10,
                    n / 2 / 10 * 10 % 97,
                    n / 2 / 10 * 10 % 89
                ),
                8 => format!(
                    "question {0} about my card and {1} things of {2} kinds that i lost indeed",
                    n / 3 / 10 * 10,
                    n / 3 / 10 * 10 % 97,
                    n / 3 / 10 * 10 % 89
                ),
                _ => format!("question {n} about my card and {} things of {} kinds that i lost", n % 97, n % 89),
            };
            text += &format!("{line},{}\n", ["a", "b"][n % 2]);
        }
        std::fs::write(home.join(format!("corpus/{file:03}.csv")), text).unwrap();
    }
    let recipe = r#"{"lapidary": 1, "steps": [
        {"words": "unique", "operation": {"unique": {"same": 2, "near": 0.75}}},
        {"words": "split", "operation": {"split": {"method": {"hash": "content"}, "parts": [["train", 0.8], ["test", 0.2]], "seed": 5, "together": false}}}]}"#;
    std::fs::write(home.join("recipe.json"), recipe).unwrap();
}

fn command(home: &Path, out: &str, more: &[&str]) -> Command {
    let mut command = Command::new(lapidary().unwrap());
    command.args(["run", "recipe.json", "corpus", "-o", out]).args(more).current_dir(home);
    command.env("LAPIDARY_CLUSTER", env!("CARGO_BIN_EXE_lapidary-cluster"));
    command
}

fn done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every file below a folder with its bytes, but for what says when it was read.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(at) = left.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if !path.ends_with("lapidary-run.json") {
                out.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    out
}

#[test]
fn one_two_and_three_executors_give_the_bytes_of_one_process() {
    if lapidary().is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    corpus(home.path(), 8, 2_500);
    done(&command(home.path(), "alone", &[]).output().unwrap());
    let right = files(&home.path().join("alone"));
    assert!(right.len() == 17 && right[Path::new("test/007.csv")].len() > 1_000, "{:?}", right.keys());
    let (_scheduler, at) = scheduler();
    let on = format!("ballista://{at}");
    let mut executors = Vec::new();
    for n in 1..=3 {
        executors.push(executor(&at, &lapidary().unwrap()));
        std::thread::sleep(Duration::from_secs(1));
        for hands in ["1", "4"] {
            let out = format!("on{n}-{hands}");
            let begun = Instant::now();
            done(&command(home.path(), &out, &["--on", &on, "--hands", hands]).output().unwrap());
            println!("{n} executors, {hands} tasks at a time: {:.1} s", begun.elapsed().as_secs_f64());
            assert!(files(&home.path().join(&out)) == right, "{out}");
        }
    }
}

#[test]
fn an_executor_the_client_or_the_scheduler_may_die() {
    if lapidary().is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    corpus(home.path(), 12, 2_500);
    done(&command(home.path(), "alone", &[]).output().unwrap());
    let right = files(&home.path().join("alone"));
    let (first, at) = scheduler();
    let on = format!("ballista://{at}");
    let _stays = executor(&at, &lapidary().unwrap());
    // In the middle of each pass an executor dies, with nobody told.
    for pass in ["map", "texts", "apply"] {
        let dies = executor(&at, &lapidary().unwrap());
        std::thread::sleep(Duration::from_secs(1));
        let out = format!("lost-{pass}");
        let run = command(home.path(), &out, &["--on", &on, "--hands", "4"]).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&home.path().join(&out).join(".lapidary-work").join(pass));
        drop(dies);
        let begun = Instant::now();
        done(&run.wait_with_output().unwrap());
        println!("an executor killed in {pass}: ended {:.1} s later", begun.elapsed().as_secs_f64());
        assert!(files(&home.path().join(&out)) == right, "{pass}");
    }
    // The client dies; the same command goes on.
    let mut run = command(home.path(), "client", &["--on", &on, "--hands", "2"]).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&home.path().join("client/.lapidary-work/map"));
    run.kill().unwrap();
    run.wait().unwrap();
    done(&command(home.path(), "client", &["--on", &on, "--resume"]).output().unwrap());
    assert!(files(&home.path().join("client")) == right);
    // The scheduler dies: that is said, what was done stays, and a new one goes on. Here, too, without any.
    drop(first);
    let output = command(home.path(), "scheduler", &["--on", &on]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("no scheduler answers") && said.contains("goes on"), "{said}");
    done(&command(home.path(), "scheduler", &["--resume"]).output().unwrap());
    assert!(files(&home.path().join("scheduler")) == right);
}

/// Until a pass has begun to leave answers.
fn wait_for(folder: &Path) {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until && !std::fs::read_dir(folder).is_ok_and(|list| list.count() > 0) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn another_version_and_another_run_are_refused_and_a_torn_shard_is_named() {
    let Some(program) = lapidary() else { return };
    let home = tempfile::tempdir().unwrap();
    corpus(home.path(), 3, 50);
    // A program that says that it is another version is no executor's.
    let other = home.path().join("other");
    std::fs::write(&other, "#!/bin/sh\necho lapidary 99.0.0\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let words = ["executor", "--scheduler", "127.0.0.1:1", "--lapidary", &other.display().to_string()];
    let output = Command::new(env!("CARGO_BIN_EXE_lapidary-cluster")).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("99.0.0") && said.contains("same version"), "{said}");
    let (_scheduler, at) = scheduler();
    let _executor = executor(&at, &program);
    std::thread::sleep(Duration::from_secs(1));
    let on = format!("ballista://{at}");
    // A shard that cannot be read stops the run by its name; mended, a run goes on.
    std::fs::write(home.path().join("corpus/torn.parquet"), "PAR1 torn").unwrap();
    let output = command(home.path(), "out", &["--on", &on]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("torn.parquet"), "{said}");
    // Tasks of another run than the folder holds.
    let folder = home.path().join("out/.lapidary-work");
    if folder.exists() {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lapidary-cluster"))
            .args(["submit", "--scheduler", &at, "--run", "0123456789abcdef"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        use std::io::Write as _;
        child.stdin.take().unwrap().write_all(b"map/0\n").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.starts_with("failed map/0") && said.contains("another") | said.contains("of run 0123456789abcdef"),
            "{said}"
        );
    }
}
