//! What commands say: data to standard output, words to standard error.

use std::io::Write;

use serde_json::Value;

use super::Failure;

/// What a command comes to that only does something.
pub type Done = Result<(), Failure>;

/// An error as the line for the user.
pub fn say(error: impl std::fmt::Display) -> Failure {
    error.to_string()
}

/// Prints.
///
/// # Errors
/// The output cannot be written.
pub fn print(out: &mut dyn Write, text: &str) -> Done {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads us may stop reading: that is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("the output could not be written: {error}")),
        _ => Ok(()),
    }
}

/// Prints JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json(out: &mut dyn Write, value: &Value) -> Done {
    print(out, &format!("{value:#}\n"))
}

/// Says a line.
pub fn note(err: &mut dyn Write, text: &str) {
    // Nobody may be listening to standard error; there is nowhere else to say so.
    let _ = writeln!(err, "{text}");
}
