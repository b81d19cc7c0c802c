//! What is acknowledged is on disk: killed processes, torn and altered project files, full disks, and undo to the first byte.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lapidary::edit::{Journal, JournalError, recover};
use lapidary::io::{self, Rows, Target};
use lapidary::job::Progress;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};
use support::{Model, open, read, state, take, write_dataset};

const SESSION: &str = "LAPIDARY_TEST_SESSION";
const SEED: &str = "LAPIDARY_TEST_SEED";

/// Not a test by itself: the editing session that the others run as a child and kill. It acknowledges every step.
#[test]
fn session() {
    let Ok(path) = std::env::var(SESSION) else { return };
    let seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let path = PathBuf::from(path);
    let mut random = StdRng::seed_from_u64(seed);
    let mut workspace = open(&path).unwrap();
    for n in 0..100_000_u64 {
        let (next, result) = take(workspace, &mut random, &path);
        workspace = next;
        let now = state(workspace.dataset(), workspace.history().head());
        let word = if result.is_ok() { "ack" } else { "refused" };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{word} {n} {now}").unwrap();
        out.flush().unwrap();
        if result.is_err() {
            return;
        }
    }
}

fn session_command(program: &Path, path: &Path, seed: u64) -> Command {
    let mut command = Command::new(program);
    command.args(["session", "--exact", "--nocapture", "--test-threads=1"]).env(SESSION, path).env(SEED, seed.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The acknowledgements in a session's output: how many steps, and the state after the last.
fn acknowledged(lines: impl Iterator<Item = String>) -> (u64, Option<u64>, Option<u64>) {
    let (mut steps, mut last, mut refused) = (0, None, None);
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        // The runner's own words may stand before the first acknowledgement on its line.
        let Some(at) = words.iter().position(|word| matches!(*word, "ack" | "refused")) else { continue };
        let (Some(n), Some(state)) =
            (words.get(at + 1).and_then(|w| w.parse::<u64>().ok()), words.get(at + 2).and_then(|w| w.parse().ok()))
        else {
            continue;
        };
        if words[at] == "ack" {
            (steps, last) = (n + 1, Some(state));
        } else {
            refused = Some(state);
        }
    }
    (steps, last, refused)
}

#[test]
fn two_hundred_kills_lose_nothing() {
    let program = std::env::current_exe().unwrap();
    let mut random = StdRng::seed_from_u64(11);
    let mut steps_in_all = 0;
    for round in 0..200_u64 {
        let folder = tempfile::tempdir().unwrap();
        let path = write_dataset(folder.path(), 120);
        let mut child = session_command(&program, &path, round).spawn().unwrap();
        let reader = BufReader::new(child.stdout.take().unwrap());
        let collect = std::thread::spawn(move || reader.lines().map_while(Result::ok).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_micros(random.random_range(8_000..160_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let (steps, last, _) = acknowledged(collect.join().unwrap().into_iter());
        steps_in_all += steps;
        let workspace = open(&path).unwrap_or_else(|error| panic!("round {round} does not open again: {error}"));
        let found = state(workspace.dataset(), workspace.history().head());
        let mut model = Model::new(read(&path), round);
        (0..steps).for_each(|_| model.step());
        assert_eq!(
            last.unwrap_or(found),
            if steps > 0 { model.state() } else { found },
            "round {round}: the session and the model differ"
        );
        let before = model.state();
        model.step();
        // The step under way when it was killed may be there, whole, or not: nothing else may.
        assert!(
            found == before || found == model.state(),
            "round {round}: after {steps} steps the state is neither before nor after the next"
        );
        let parts = fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "csv"));
        for entry in parts {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(text.starts_with("text,label,n") && text.ends_with('\n'), "a save is whole or not there");
        }
    }
    assert!(steps_in_all > 1_000, "the sessions hardly ran: {steps_in_all} steps");
    println!("200 of 200 reopened, {steps_in_all} acknowledged steps, none lost");
}

#[test]
fn a_full_disk_refuses_an_edit_and_keeps_what_was() {
    if Command::new("sh").arg("-c").arg("ulimit -f 1").status().map_or(true, |status| !status.success()) {
        println!("skipped: there is no shell that limits file sizes");
        return;
    }
    let program = std::env::current_exe().unwrap();
    let mut refusals = 0;
    // The limit falls on another write each time: creating the project, the log, the checkpoint, a save.
    for blocks in (4..260).step_by(8) {
        let folder = tempfile::tempdir().unwrap();
        let path = write_dataset(folder.path(), 60);
        let mut command = Command::new("sh");
        let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" session --exact --nocapture --test-threads=1");
        command.arg("-c").arg(line).arg(&program).env(SESSION, &path).env(SEED, blocks.to_string());
        let output = command.stderr(Stdio::null()).output().unwrap();
        let (steps, last, refused) = acknowledged(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned));
        let mut model = Model::new(read(&path), blocks);
        (0..steps).for_each(|_| model.step());
        if let Some(refused) = refused {
            refusals += 1;
            assert_eq!(refused, model.state(), "{blocks} blocks: a refused step changes nothing in memory");
        }
        assert_eq!(last.unwrap_or(model.state()), model.state());
        let workspace = open(&path).unwrap_or_else(|error| panic!("{blocks} blocks: {error}"));
        assert_eq!(
            state(workspace.dataset(), workspace.history().head()),
            model.state(),
            "{blocks} blocks: every acknowledged edit is there"
        );
    }
    assert!(refusals > 10, "the disk was never full: {refusals}");
}

fn project_with_edits(folder: &Path) -> (PathBuf, PathBuf, u64) {
    let path = write_dataset(folder, 60);
    let mut random = StdRng::seed_from_u64(3);
    let mut workspace = open(&path).unwrap();
    for _ in 0..80 {
        let (next, result) = take(workspace, &mut random, &path);
        result.unwrap();
        workspace = next;
    }
    let whole = state(workspace.dataset(), workspace.history().head());
    drop(workspace);
    let project = path.with_file_name("data.csv.lapidary");
    assert!(project.exists());
    (path, project, whole)
}

#[test]
fn a_torn_or_altered_project_is_noticed_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (path, project, whole) = project_with_edits(folder.path());
    let sound = fs::read(&project).unwrap();
    let mut random = StdRng::seed_from_u64(5);
    let mut harm: Vec<(String, Vec<u8>)> = Vec::new();
    for cut in (0..sound.len()).step_by(sound.len() / 60 + 1) {
        harm.push((format!("cut at {cut}"), sound[..cut].to_vec()));
    }
    for _ in 0..240 {
        let at = random.random_range(0..sound.len());
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << random.random_range(0..8);
        harm.push((format!("flipped a bit of byte {at}"), bytes));
    }
    let mut noticed = 0;
    for (what, bytes) in harm {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", project.display()));
        }
        fs::write(&project, &bytes).unwrap();
        match open(&path) {
            Ok(workspace) => {
                assert_eq!(
                    state(workspace.dataset(), workspace.history().head()),
                    whole,
                    "{what}: opened with something missing or wrong"
                );
            }
            Err(error) => {
                noticed += 1;
                assert!(!error.to_string().is_empty());
                assert_eq!(fs::read(&project).unwrap(), bytes, "{what}: a damaged file is left as it is ({error})");
            }
        }
    }
    assert!(noticed > 60, "only {noticed} were noticed");
}

#[test]
fn what_can_be_read_of_a_damaged_project_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let (path, project, _) = project_with_edits(folder.path());
    let sound = fs::read(&project).unwrap();
    let journal = Journal::open(&project).unwrap();
    let all = journal.history().nodes().len();
    let last = journal.edit(all as i64).unwrap();
    drop(journal);
    // Damage one edit: its body is found by its words, which stand beside it.
    let words = last.words.as_bytes();
    let at = sound.windows(words.len()).rposition(|window| window == words).unwrap();
    let mut bytes = sound.clone();
    bytes[at] ^= 0x20;
    fs::write(&project, &bytes).unwrap();
    assert!(matches!(open(&path), Err(JournalError::Damaged { .. })));
    let (aside, saved, lost) = recover(&project, None).unwrap();
    assert_eq!(fs::read(aside).unwrap(), bytes, "the damaged file is kept whole");
    assert!(saved > 0 && lost > 0 && saved + lost == all, "{saved} + {lost} of {all}");
    open(&path).unwrap();
}

#[test]
fn ten_thousand_edits_undone_give_the_original_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_dataset(folder.path(), 500);
    let original = Sha256::digest(fs::read(&path).unwrap());
    let mut model = Model::new(read(&path), 99);
    let mut edits = 0;
    while edits < 10_000 {
        let before = model.history.nodes().len();
        model.step();
        edits += model.history.nodes().len() - before;
    }
    let saved = |dataset: &lapidary::data::Dataset, name: &str| {
        let origin = &dataset.base.origin;
        let target = Target {
            path: folder.path().join(name),
            format: origin.format,
            packing: origin.packing,
            own_columns: false,
            utf8: false,
            safe: false,
        };
        io::export(dataset, &Rows::All, &target, &Progress::silent()).unwrap();
        Sha256::digest(fs::read(target.path).unwrap())
    };
    assert_ne!(saved(&model.dataset, "edited.csv"), original);
    model.undo_all();
    assert_eq!(saved(&model.dataset, "undone.csv"), original);
}
