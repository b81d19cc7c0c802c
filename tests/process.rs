//! The whole program in a real window under Xvfb: open, relabel by key, quit, open again and find it.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    fn start() -> Option<Self> {
        for tool in ["Xvfb", "xdotool"] {
            if Command::new("which").arg(tool).stdout(Stdio::null()).status().map_or(true, |status| !status.success()) {
                println!("skipped: {tool} is not installed (.ci/run installs it)");
                return None;
            }
        }
        // The server chooses a free display itself and says which once it is ready.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        Some(Self { server, display })
    }

    fn xdotool(&self, words: &[&str]) -> String {
        let output = Command::new("xdotool").args(words).env("DISPLAY", &self.display).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn open(&self, path: &Path, home: &TempDir) -> Child {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lapidary"))
            .arg(path)
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY")
            .env("XDG_CONFIG_HOME", home.path().join("config"))
            .env("XDG_DATA_HOME", home.path().join("data"))
            .env("XDG_RUNTIME_DIR", home.path())
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while self.xdotool(&["search", "--name", "^Lapidary$"]).is_empty() {
            if child.try_wait().unwrap().is_some() || start.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("no window came up: {said}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // There is no window manager: the window is given the keyboard once it is there.
        std::thread::sleep(Duration::from_millis(2_500));
        let window = self.xdotool(&["search", "--name", "^Lapidary$"]);
        self.xdotool(&["windowfocus", window.lines().next().unwrap_or_default()]);
        std::thread::sleep(Duration::from_millis(700));
        // The first key after the keyboard was given may go nowhere: let it be one that changes nothing.
        self.xdotool(&["key", "Escape"]);
        std::thread::sleep(Duration::from_millis(300));
        child
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn wait(mut child: Child) {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("the window did not close");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(child.wait().unwrap().success());
}

#[test]
fn open_relabel_by_key_quit_reopen_and_find_it() {
    let Some(screen) = Screen::start() else { return };
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("tickets.csv");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tickets.csv"), &path).unwrap();
    let child = screen.open(&path, &home);
    for key in ["j", "j", "3"] {
        screen.xdotool(&["key", key]);
        std::thread::sleep(Duration::from_millis(200));
    }
    std::thread::sleep(Duration::from_millis(800));
    screen.xdotool(&["key", "ctrl+q"]);
    wait(child);
    let history = || {
        let output = Command::new(env!("CARGO_BIN_EXE_lapidary")).args(["history", "--json"]).arg(&path).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert_eq!(history()["edits"][0]["words"], "Set category of sample 1 to change_pin");
    let child = screen.open(&path, &home);
    screen.xdotool(&["key", "u"]);
    std::thread::sleep(Duration::from_millis(800));
    screen.xdotool(&["key", "ctrl+q"]);
    wait(child);
    assert_eq!(history()["head"], 0, "the edit was there on reopening, and could be taken back");
    assert_eq!(history()["edits"].as_array().unwrap().len(), 1);
}
