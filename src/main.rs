//! Arguments, then the window, a command without one, or the reading child.

use std::io::{self, Write as _};
use std::process::ExitCode;

use lapidary::cli::{self, Verb};
use lapidary::io::{CHILD_COMMAND, read_as_child};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    match words.first().map(String::as_str) {
        Some(CHILD_COMMAND) => match read_as_child(&words[1..], &mut out) {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                let _ = writeln!(err, "{message}");
                ExitCode::FAILURE
            }
        },
        Some("-h" | "--help") => {
            let _ = out.write_all(cli::overview().as_bytes());
            ExitCode::SUCCESS
        }
        Some("-V" | "--version") => {
            let _ = writeln!(out, "lapidary {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(word) => match Verb::from_name(word) {
            Some(verb) => ExitCode::from(u8::try_from(cli::run(verb, &words[1..], &mut out, &mut err)).unwrap_or(1)),
            None => ExitCode::SUCCESS,
        },
        None => ExitCode::SUCCESS,
    }
}
