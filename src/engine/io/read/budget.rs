//! How much memory one dataset may take, be it one file or a folder of them: unpacked bytes and cells are counted before they are there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polars_buffer::Buffer;

use super::aside::Aside;

static MAX_MEMORY: AtomicU64 = AtomicU64::new(0);

/// Sets the most bytes that one dataset may take in memory; 0 for the default, a quarter of the machine's.
pub fn set_max_memory(bytes: u64) {
    MAX_MEMORY.store(bytes, Ordering::Relaxed);
}

/// The most bytes that one dataset may take in memory.
pub fn max_memory() -> u64 {
    match MAX_MEMORY.load(Ordering::Relaxed) {
        0 => machine_memory() / 4,
        set => set,
    }
}

/// Whether a text of so many bytes, or of so many when unpacked, is too large to be held: beyond half of what a dataset may take.
pub fn is_beyond(bytes: u64) -> bool {
    bytes > max_memory() / 2
}

/// Whether somebody has said how much it may be.
pub fn is_memory_set() -> bool {
    MAX_MEMORY.load(Ordering::Relaxed) > 0
}

/// The machine's memory in bytes; 8 GiB where it does not say.
pub fn machine_memory() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    machine.map_or(8 << 30, |kibibytes| kibibytes * 1_024)
}

/// What one dataset has taken so far.
pub struct Budget {
    limit: u64,
    taken: Arc<AtomicU64>,
    /// Where what is copied out of a text goes, where that is not held in memory either.
    aside: Option<Aside>,
}

impl Budget {
    /// A budget of which `taken` bytes are used.
    pub fn new(limit: u64, taken: u64) -> Self {
        Self { limit, taken: Arc::new(AtomicU64::new(taken)), aside: None }
    }

    /// The budget of one dataset, of which nothing is used.
    pub fn of_dataset() -> Self {
        Self::new(max_memory(), 0)
    }

    /// The same for a text that lies aside.
    pub fn with_aside(&self, aside: Aside) -> Self {
        Self { limit: self.limit, taken: Arc::clone(&self.taken), aside: Some(aside) }
    }

    /// Whether the text lies aside: its cells are read where they stand.
    pub fn is_aside(&self) -> bool {
        self.aside.is_some()
    }

    /// What was copied out of a part of a text, where it stays: aside, where the text does.
    pub fn laid(&self, copied: Vec<u8>) -> Buffer<u8> {
        match &self.aside {
            Some(aside) => aside.lay(copied),
            None => copied.into(),
        }
    }

    /// All of it, in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// What is left of it, in bytes.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.taken.load(Ordering::Relaxed))
    }

    /// Takes `bytes` of it.
    ///
    /// # Errors
    /// What to say where it is used up.
    pub fn take(&self, bytes: u64) -> Result<(), String> {
        let taken = self.taken.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if taken > self.limit { Err(over(self.limit)) } else { Ok(()) }
    }
}

/// What to say of a dataset that takes more than it may.
pub fn over(limit: u64) -> String {
    format!(
        "it takes more than {} MiB in memory, which is the most that one dataset may take here; if you trust it, allow more with --max-memory",
        limit >> 20
    )
}
