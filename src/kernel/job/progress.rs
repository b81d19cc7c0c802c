//! How far a job is, and whether it should stop. Shared between the job's thread and the screen, which it never blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A job was asked to stop: carried out of it on `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

struct Shared {
    done: AtomicU64,
    total: AtomicU64,
    cancelled: Arc<AtomicBool>,
    drawn: AtomicU64,
    started: Instant,
    /// When the phase began whose steps are counted, in microseconds after that.
    phase: AtomicU64,
    wake: Arc<dyn Fn() + Send + Sync>,
    /// How many are under way whom somebody waits for; whoever has this lets them pass.
    waited_for: Option<Arc<AtomicUsize>>,
}

/// The longest that a job lets others pass at one of its steps: they take a moment each, and none must hold it up for ever.
const PASSING: Duration = Duration::from_millis(500);

/// A job's progress: steps done of a total, and the wish that it stop.
#[derive(Clone)]
pub struct Progress(Arc<Shared>);

impl Progress {
    /// A fresh progress; `wake` is called about every thousandth of the way.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self::letting_pass(wake, None)
    }

    /// A fresh progress of a job that lets those pass whom somebody waits for: while there are any, its steps wait.
    pub fn letting_pass(wake: Arc<dyn Fn() + Send + Sync>, waited_for: Option<Arc<AtomicUsize>>) -> Self {
        Self(Arc::new(Shared {
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            cancelled: Arc::new(AtomicBool::new(false)),
            drawn: AtomicU64::new(0),
            started: Instant::now(),
            phase: AtomicU64::new(0),
            wake,
            waited_for,
        }))
    }

    /// A progress that nobody watches: for the command line and tests.
    pub fn silent() -> Self {
        Self::new(Arc::new(|| {}))
    }

    /// A progress of a part of this one: it counts for itself, nobody watches it, and it hears the wish to stop.
    #[must_use]
    pub fn part(&self) -> Self {
        let shared = &self.0;
        Self(Arc::new(Shared {
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            cancelled: Arc::clone(&shared.cancelled),
            drawn: AtomicU64::new(0),
            started: Instant::now(),
            phase: AtomicU64::new(0),
            wake: Arc::new(|| {}),
            waited_for: shared.waited_for.clone(),
        }))
    }

    /// Begins a phase: says how many steps it will have. Zero means that it cannot be known.
    pub fn set_total(&self, total: u64) {
        self.0.phase.store(self.0.started.elapsed().as_micros() as u64, Ordering::Relaxed);
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
        if self.0.waited_for.as_ref().is_some_and(|count| count.load(Ordering::Relaxed) > 0) {
            self.let_pass();
        }
        if self.0.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    #[cold]
    fn let_pass(&self) {
        let begun = Instant::now();
        let waited_for = || self.0.waited_for.as_ref().is_some_and(|count| count.load(Ordering::Relaxed) > 0);
        while waited_for() && begun.elapsed() < PASSING && !self.0.cancelled.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
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

    /// Seconds left of this phase at its pace; `None` while too little is known.
    pub fn seconds_left(&self) -> Option<f32> {
        let fraction = self.fraction().filter(|part| *part > 0.02)?;
        let phase = Duration::from_micros(self.0.phase.load(Ordering::Relaxed));
        Some(self.0.started.elapsed().saturating_sub(phase).as_secs_f32() * (1.0 - fraction) / fraction)
    }
}
