//! Workers that fetch what is wanted on screen: each frame says anew what that is, the most wanted first, and what nobody wants any
//! more is never begun. A panic in the work is an answer like any other.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crossbeam_channel::{Receiver, unbounded};

use super::guarded;

struct State<K> {
    queue: VecDeque<K>,
    flying: HashSet<K>,
    closed: bool,
}

struct Shared<K> {
    state: Mutex<State<K>>,
    news: Condvar,
}

/// Workers and their answers.
pub struct Pool<K, T> {
    shared: Arc<Shared<K>>,
    answers: Receiver<(K, Result<T, String>)>,
}

impl<K: Clone + Eq + Hash + Send + 'static, T: Send + 'static> Pool<K, T> {
    /// Starts `threads` workers that do `work`; `wake` is called after each answer.
    pub fn new(
        name: &str,
        threads: usize,
        wake: Arc<dyn Fn() + Send + Sync>,
        work: impl Fn(&K) -> T + Send + Sync + 'static,
    ) -> Self {
        let state = State { queue: VecDeque::new(), flying: HashSet::new(), closed: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), news: Condvar::new() });
        let (sender, answers) = unbounded();
        let work = Arc::new(work);
        for n in 0..threads.max(1) {
            let (shared, sender, wake, work) = (Arc::clone(&shared), sender.clone(), Arc::clone(&wake), Arc::clone(&work));
            let body = move || {
                while let Some(key) = next(&shared) {
                    let answer = guarded(|| work(&key));
                    if sender.send((key, answer)).is_err() {
                        return;
                    }
                    wake();
                }
            };
            // Fewer workers are slower, and none leaves pictures unseen: nothing else depends on them.
            let _ = std::thread::Builder::new().name(format!("{name} {n}")).spawn(body);
        }
        Self { shared, answers }
    }

    /// Says what is wanted now, the most wanted first. What was wanted before and is not any more is dropped.
    pub fn want(&self, keys: impl IntoIterator<Item = K>) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = HashSet::new();
        state.queue = keys.into_iter().filter(|key| !state.flying.contains(key) && seen.insert(key.clone())).collect();
        if !state.queue.is_empty() {
            self.shared.news.notify_all();
        }
    }

    /// Takes one answer, if there is one.
    pub fn take(&self) -> Option<(K, Result<T, String>)> {
        let (key, answer) = self.answers.try_recv().ok()?;
        // In the air until it is taken: what waits to be taken is not fetched again.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).flying.remove(&key);
        Some((key, answer))
    }

    /// Whether anything is being fetched, or waits to be, or to be taken.
    pub fn is_busy(&self) -> bool {
        let state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        !state.queue.is_empty() || !state.flying.is_empty() || !self.answers.is_empty()
    }
}

fn next<K: Clone + Eq + Hash>(shared: &Shared<K>) -> Option<K> {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if state.closed {
            return None;
        }
        if let Some(key) = state.queue.pop_front() {
            state.flying.insert(key.clone());
            return Some(key);
        }
        state = shared.news.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

impl<K, T> Drop for Pool<K, T> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        state.queue.clear();
        self.shared.news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_wanted_is_fetched_and_a_panic_is_an_answer() {
        let pool: Pool<u32, u32> = Pool::new("test", 2, Arc::new(|| {}), |n| if *n == 3 { panic!("three") } else { n * 10 });
        pool.want([1, 2, 3]);
        let mut got = Vec::new();
        for _ in 0..2_000 {
            got.extend(pool.take());
            if got.len() == 3 {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        got.sort_by_key(|(n, _)| *n);
        assert_eq!(got[..2], [(1, Ok(10)), (2, Ok(20))]);
        assert!(matches!(&got[2], (3, Err(text)) if text.contains("three")));
        assert!(!pool.is_busy());
    }
}
