//! How far a job is, and whether it should stop. Shared between the job's thread and the screen; never blocks either.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// A job was asked to stop: carried out of it on `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

struct Shared {
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
    drawn: AtomicU64,
    started: Instant,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// A job's progress: steps done of a total, and the wish that it stop.
#[derive(Clone)]
pub struct Progress(Arc<Shared>);

impl Progress {
    /// A fresh progress; `wake` is called about every thousandth of the way.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self(Arc::new(Shared {
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            drawn: AtomicU64::new(0),
            started: Instant::now(),
            wake,
        }))
    }

    /// A progress that nobody watches: for the command line and tests.
    pub fn silent() -> Self {
        Self::new(Arc::new(|| {}))
    }

    /// Says how many steps there will be. Zero means that it cannot be known.
    pub fn set_total(&self, total: u64) {
        self.0.total.store(total, Ordering::Relaxed);
        self.0.done.store(0, Ordering::Relaxed);
        self.0.drawn.store(0, Ordering::Relaxed);
    }

    /// Counts `n` more steps as done.
    ///
    /// # Errors
    /// [`Cancelled`] when the job should stop.
    pub fn step(&self, n: u64) -> Result<(), Cancelled> {
        let done = self.0.done.fetch_add(n, Ordering::Relaxed) + n;
        let total = self.0.total.load(Ordering::Relaxed).max(1);
        let hundredth = done.saturating_mul(100) / total;
        if self.0.drawn.swap(hundredth, Ordering::Relaxed) != hundredth {
            (self.0.wake)();
        }
        self.check()
    }

    /// Whether the job should go on.
    ///
    /// # Errors
    /// [`Cancelled`] when it should stop.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.0.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    /// Asks the job to stop at its next step.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// The part done, 0 to 1; `None` while the total is unknown.
    #[allow(clippy::cast_precision_loss)]
    pub fn fraction(&self) -> Option<f32> {
        let total = self.0.total.load(Ordering::Relaxed);
        (total > 0).then(|| (self.0.done.load(Ordering::Relaxed) as f32 / total as f32).min(1.0))
    }

    /// Seconds left at the present pace; `None` while too little is known.
    pub fn seconds_left(&self) -> Option<f32> {
        let fraction = self.fraction().filter(|part| *part > 0.02)?;
        Some(self.0.started.elapsed().as_secs_f32() * (1.0 - fraction) / fraction)
    }
}
