//! Background work: threads live here and nowhere else.
//!
//! A question on screen has a [`Slot`]: its work runs on a named thread with a [`Progress`] that says how far it is and carries cancellation on `?`.
//! Its answer is sent without a lock held, then the window is woken. A panic inside is caught here, at this one boundary, and becomes a
//! message. Never: touches the screen, holds a dataset lock.

mod crew;
mod pool;
mod progress;
mod slot;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use crew::crew;
pub use pool::Pool;
pub use progress::{Cancelled, Progress};
pub use slot::{AnySlot, Came, Desk, Lane, Running, Slot};

/// Why a job has no result.
#[derive(Debug)]
pub enum JobError {
    /// It was asked to stop.
    Cancelled,
    /// It failed, with a message for the user.
    Failed(String),
}

impl From<Cancelled> for JobError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Waits for something outside the program on a thread of its own, for as long as that takes: nobody can stop it.
///
/// # Errors
/// No thread could be started.
pub fn wait_aside(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let begun = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    begun.map(drop).map_err(|error| format!("no thread could be started: {error}"))
}

/// Runs `work`, turning a panic inside it (a parser's, on a hostile file) into its message.
///
/// # Errors
/// The panic's text.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_text(&*panic))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown reason".to_owned())
}
