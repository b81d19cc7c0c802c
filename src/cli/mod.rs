//! The same engine without a window: data to standard output, words to standard error, a non-zero exit on bad input.

mod arguments;
mod made;
mod opened;
mod options;
mod said;
mod saved;
mod text_models;
mod verbs;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

pub use arguments::Arguments;
pub use verbs::{VERBS, Verb};

use self::options::{OptionLine, READING};
use crate::io;

/// Why a command failed: one line for the user.
pub type Failure = String;

/// Runs a command. Returns the process's exit code: 0 done, 1 where a check found something, 2 for bad input of any kind.
pub fn run(verb: &'static Verb, words: &[OsString], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    if words.iter().any(|word| word == "-h" || word == "--help") {
        let _ = out.write_all(verb.help().as_bytes());
        return 0;
    }
    let arguments = match Arguments::parse(&verb.options(), verb.paths, words) {
        Ok(arguments) => arguments,
        Err(message) => {
            let _ = writeln!(err, "lapidary {}: {message}; see lapidary {} -h", verb.name, verb.name);
            return 2;
        }
    };
    match prepare(&arguments).and_then(|()| (verb.run)(&arguments, out, err)) {
        Ok(found) => i32::from(found),
        Err(message) => {
            let _ = writeln!(err, "lapidary {}: {}", verb.name, message.replace('\n', " "));
            2
        }
    }
}

/// What the window is to open, with as much room as is said.
///
/// # Errors
/// A word that it does not take.
pub fn window(words: &[OsString]) -> Result<PathBuf, Failure> {
    let room: Vec<OptionLine> = READING.iter().filter(|(name, ..)| *name == "--max-memory").copied().collect();
    let arguments = Arguments::parse(&room, &["the dataset"], words)?;
    make_room(&arguments)?;
    Ok(arguments.path)
}

fn make_room(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(gib) = arguments.number::<f64>("--max-memory")? {
        if gib.is_nan() || gib <= 0.0 {
            return Err("--max-memory takes a number of GiB above 0".to_owned());
        }
        io::set_max_memory((gib * f64::from(1 << 30)) as u64);
    }
    Ok(())
}

/// Sets what options say for any command, and puts away what a save that was killed left beside the dataset.
fn prepare(arguments: &Arguments) -> Result<(), Failure> {
    make_room(arguments)?;
    arguments.all("--connect").for_each(io::allow_host);
    let beside = arguments.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    io::remove_torn(beside);
    Ok(())
}

/// What `lapidary -h` says.
pub fn overview() -> String {
    let mut text = String::from(
        "Lapidary: cut, polish and set your training data.\n\n  lapidary                 open the window on the bundled sample\n  \
         lapidary PATH            open the window on a file or folder; --max-memory GIB gives it room\n  lapidary --start         open the window on the start screen\n\nWithout a window:\n",
    );
    for verb in &VERBS {
        text.push_str(&format!("  lapidary {:<16} {}\n", verb.name, verb.summary));
    }
    text.push_str("\nlapidary COMMAND -h explains each with an example.\n");
    text
}
