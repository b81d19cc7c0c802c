//! Arguments, then the window, a command without one, or the reading child.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use lapidary::app::{self, Begin};
use lapidary::cli::{self, Verb};
use lapidary::io::{CHILD_COMMAND, read_as_child};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    // Not locked for long: a panic elsewhere must be able to say so.
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let first = words.first().map(|word| word.to_string_lossy().into_owned());
    match first.as_deref() {
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
        Some("--start") => window(Begin::Start),
        Some(word) => match Verb::from_name(word) {
            Some(verb) => ExitCode::from(u8::try_from(cli::run(verb, &words[1..], &mut out, &mut err)).unwrap_or(1)),
            None => match cli::window(&words) {
                Ok(path) => window(Begin::File(path)),
                Err(message) => {
                    let _ = writeln!(err, "lapidary: {message}; see lapidary -h");
                    ExitCode::from(2)
                }
            },
        },
        None => window(Begin::Usual),
    }
}

fn window(begin: Begin) -> ExitCode {
    match app::run(begin) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "lapidary: {message}");
            ExitCode::FAILURE
        }
    }
}
