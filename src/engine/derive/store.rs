//! What is worked out of a dataset once, and shared by all who need it.
//!
//! A key says what it is and the versions of all that it was read from, so nothing has to be told that something has become stale: whoever asks for
//! another version finds it missing, and a state that returns finds its own. One maker a key; who comes second waits for the first.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::job::{Cancelled, Progress};

/// Something that is worked out and kept.
pub trait Artifact: Send + Sync + 'static {
    /// About how much memory it takes by itself, in bytes; what it shares with other artifacts is theirs.
    fn bytes(&self) -> usize;
}

/// What was worked out, and the versions of what it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// What it is.
    pub what: &'static str,
    /// What was asked for, and the versions of all that was read.
    pub versions: Vec<u64>,
}

struct Ready {
    value: Arc<dyn Any + Send + Sync>,
    bytes: usize,
    used: u64,
}

enum Entry {
    Making,
    Ready(Ready),
}

#[derive(Default)]
struct Shelf {
    entries: HashMap<(TypeId, Key), Entry>,
    clock: u64,
}

/// Everything that was worked out of the datasets of one session, up to a bound; what was used longest ago goes first. What somebody still holds
/// lives on with them.
pub struct Store {
    shelf: Mutex<Shelf>,
    news: Condvar,
    bound: usize,
}

/// The bound where nobody gives another: 2 GiB.
const BOUND: usize = 2 << 30;
/// How long somebody who waits for another's work sleeps before they look whether they are still wanted.
const PATIENCE: Duration = Duration::from_millis(20);

impl Default for Store {
    fn default() -> Self {
        Self::bounded(BOUND)
    }
}

/// Takes the mark of a maker away again where nothing came of it: an error, or a panic.
struct Maker<'s> {
    store: &'s Store,
    place: (TypeId, Key),
    done: bool,
}

impl Drop for Maker<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.store.lock().entries.remove(&self.place);
            self.store.news.notify_all();
        }
    }
}

impl Store {
    /// A store of at most `bound` bytes.
    pub fn bounded(bound: usize) -> Self {
        Self { shelf: Mutex::default(), news: Condvar::new(), bound }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known under `key`, or what `make` makes of it; where somebody is at it already, they are waited for. What `make` fails at is
    /// tried again by the next who asks.
    ///
    /// # Errors
    /// That of `make`, or [`Cancelled`] while waiting.
    pub fn get<T: Artifact, E: From<Cancelled>>(
        &self,
        key: Key,
        progress: &Progress,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let place = (TypeId::of::<T>(), key);
        let mut shelf = self.lock();
        loop {
            shelf.clock += 1;
            let now = shelf.clock;
            match shelf.entries.get_mut(&place) {
                Some(Entry::Ready(ready)) => {
                    ready.used = now;
                    if let Ok(value) = Arc::clone(&ready.value).downcast::<T>() {
                        return Ok(value);
                    }
                    shelf.entries.remove(&place);
                }
                Some(Entry::Making) => {
                    shelf = self.news.wait_timeout(shelf, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
                    progress.check()?;
                }
                None => break,
            }
        }
        shelf.entries.insert(place.clone(), Entry::Making);
        drop(shelf);
        let mut maker = Maker { store: self, place, done: false };
        let value = Arc::new(make()?);
        let bytes = value.bytes();
        let mut shelf = self.lock();
        shelf.clock += 1;
        let used = shelf.clock;
        shelf.entries.insert(maker.place.clone(), Entry::Ready(Ready { value: Arc::clone(&value) as _, bytes, used }));
        self.make_room(&mut shelf, &maker.place);
        maker.done = true;
        drop(shelf);
        self.news.notify_all();
        Ok(value)
    }

    /// Lets go of what was used longest ago until the rest fits; `newest` stays.
    fn make_room(&self, shelf: &mut Shelf, newest: &(TypeId, Key)) {
        let ready = |entry: &Entry| if let Entry::Ready(ready) = entry { ready.bytes } else { 0 };
        let mut total: usize = shelf.entries.values().map(ready).sum();
        while total > self.bound {
            let oldest = shelf.entries.iter().filter_map(|(place, entry)| match entry {
                Entry::Ready(ready) if place != newest => Some((ready.used, place)),
                _ => None,
            });
            let Some((_, place)) = oldest.min_by_key(|(used, _)| *used) else { return };
            let place = place.clone();
            if let Some(Entry::Ready(gone)) = shelf.entries.remove(&place) {
                total -= gone.bytes;
            }
        }
    }

    /// Keeps what somebody worked out by the way, in place of what was known.
    pub fn put<T: Artifact>(&self, key: Key, value: T) {
        let place = (TypeId::of::<T>(), key);
        let bytes = value.bytes();
        let mut shelf = self.lock();
        shelf.clock += 1;
        let used = shelf.clock;
        shelf.entries.insert(place.clone(), Entry::Ready(Ready { value: Arc::new(value) as _, bytes, used }));
        self.make_room(&mut shelf, &place);
    }

    /// What is known under `key`, where it is: nobody waits.
    pub fn known<T: Artifact>(&self, key: Key) -> Option<Arc<T>> {
        match self.lock().entries.get(&(TypeId::of::<T>(), key)) {
            Some(Entry::Ready(ready)) => Arc::clone(&ready.value).downcast::<T>().ok(),
            _ => None,
        }
    }

    /// How many bytes are kept.
    pub fn bytes(&self) -> usize {
        self.lock().entries.values().map(|entry| if let Entry::Ready(ready) = entry { ready.bytes } else { 0 }).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Numbers(Vec<u8>);

    impl Artifact for Numbers {
        fn bytes(&self) -> usize {
            self.0.len()
        }
    }

    fn key(version: u64) -> Key {
        Key { what: "numbers", versions: vec![version] }
    }

    fn made(store: &Store, version: u64, count: &AtomicUsize) -> Arc<Numbers> {
        let make = || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Cancelled>(Numbers(vec![version as u8; 40]))
        };
        store.get(key(version), &Progress::silent(), make).unwrap()
    }

    #[test]
    fn a_version_that_returns_is_there_and_the_one_used_longest_ago_goes_first() {
        let (store, count) = (Store::bounded(100), AtomicUsize::new(0));
        made(&store, 1, &count);
        made(&store, 2, &count);
        assert_eq!(made(&store, 1, &count).0[0], 1);
        assert_eq!(count.load(Ordering::SeqCst), 2);
        made(&store, 3, &count);
        assert_eq!(store.bytes(), 80);
        made(&store, 1, &count);
        assert_eq!(count.load(Ordering::SeqCst), 3, "1 was used after 2");
        made(&store, 2, &count);
        assert_eq!(count.load(Ordering::SeqCst), 4);
        // Larger than the bound: kept as long as it is the newest.
        let make = || Ok::<_, Cancelled>(Numbers(vec![9; 1_000]));
        assert_eq!(store.get(key(9), &Progress::silent(), make).unwrap().0.len(), 1_000);
        assert_eq!(store.bytes(), 1_000);
    }

    #[test]
    fn many_who_ask_at_once_wait_for_one() {
        let (store, count) = (Store::default(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let make = || {
                        count.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(60));
                        Ok::<_, Cancelled>(Numbers(vec![1; 8]))
                    };
                    assert_eq!(store.get(key(1), &Progress::silent(), make).unwrap().0.len(), 8);
                });
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn who_fails_or_panics_leaves_the_place_to_the_next_and_who_is_stopped_waits_no_longer() {
        let (store, count) = (Store::default(), AtomicUsize::new(0));
        assert!(store.get(key(1), &Progress::silent(), || Err::<Numbers, _>(Cancelled)).is_err());
        let panics = || store.get(key(1), &Progress::silent(), || -> Result<Numbers, Cancelled> { panic!("torn") });
        assert!(crate::job::guarded(panics).is_err());
        let (begun, wait) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let make = || {
                    begun.wait();
                    wait.wait();
                    Ok::<_, Cancelled>(Numbers(vec![1]))
                };
                store.get(key(1), &Progress::silent(), make).unwrap();
            });
            begun.wait();
            let stopped = Progress::silent();
            stopped.cancel();
            assert!(store.get(key(1), &stopped, || Ok::<_, Cancelled>(Numbers(vec![2]))).is_err());
            wait.wait();
        });
        assert_eq!(made(&store, 1, &count).0, [1]);
    }
}
