//! Hands that work a list off, several things at a time, where each waits for something slow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, unbounded};

use super::{Cancelled, Progress, guarded};

/// Does `work` on every item with `hands` threads, and gives each result to `take` as it comes, in no order. Ends at the first error of
/// `take`, and at once where it is cancelled: hands that still wait for something then are left to notice it.
///
/// # Errors
/// What `take` gives, or [`Cancelled`].
pub fn crew<I, R, E>(
    name: &str,
    hands: usize,
    items: Vec<I>,
    progress: &Progress,
    work: impl Fn(&I, &Progress) -> R + Send + Sync + 'static,
    mut take: impl FnMut(I, Result<R, String>) -> Result<(), E>,
) -> Result<(), E>
where
    I: Send + 'static,
    R: Send + 'static,
    E: From<Cancelled>,
{
    let n = items.len();
    let queue = Arc::new(Mutex::new(VecDeque::from(items)));
    let (sender, answers) = unbounded();
    let work = Arc::new(work);
    // The crew's own wish to stop: an error of one ends the others too.
    let stop = Progress::silent();
    for hand in 0..hands.clamp(1, n.max(1)) {
        let (list, results, work, wish) = (Arc::clone(&queue), sender.clone(), Arc::clone(&work), stop.clone());
        let body = move || {
            while wish.check().is_ok() {
                let Some(item) = list.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else { return };
                let result = guarded(|| work(&item, &wish));
                if results.send((item, result)).is_err() {
                    return;
                }
            }
        };
        if std::thread::Builder::new().name(format!("{name} {hand}")).spawn(body).is_err() && hand == 0 {
            // Not even one: its items come back undone, one by one.
            queue.lock().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(|item| {
                let _ = sender.send((item, Err("no thread could be started".to_owned())));
            });
        }
    }
    drop(sender);
    let mut left = n;
    while left > 0 {
        if let Err(cancelled) = progress.check() {
            stop.cancel();
            return Err(cancelled.into());
        }
        match answers.recv_timeout(Duration::from_millis(30)) {
            Ok((item, result)) => {
                left -= 1;
                let taken = take(item, result);
                if taken.is_err() {
                    stop.cancel();
                    return taken;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    #[test]
    fn all_is_done_once_and_an_error_or_a_wish_ends_it_at_once() {
        let mut seen = Vec::new();
        let take = |item, result: Result<usize, String>| {
            seen.push((item, result.unwrap()));
            Ok::<(), Cancelled>(())
        };
        crew("test", 3, (0..50_usize).collect(), &Progress::silent(), |item, _| item * 2, take).unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..50).map(|item| (item, item * 2)).collect::<Vec<_>>());

        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let slow = move |_: &u32, _: &Progress| {
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_secs(20));
        };
        let progress = Progress::silent();
        progress.cancel();
        let clock = Instant::now();
        assert_eq!(crew("test", 2, vec![1, 2, 3], &progress, slow, |_, _| Ok::<(), Cancelled>(())), Err(Cancelled));
        assert!(clock.elapsed() < Duration::from_secs(10) && begun.load(Ordering::SeqCst) <= 2);

        let broken = crew(
            "test",
            2,
            vec![1, 2, 3],
            &Progress::silent(),
            |_, _| panic!("torn"),
            |_, result: Result<(), _>| {
                assert!(result.unwrap_err().contains("torn"));
                Err(Cancelled)
            },
        );
        assert_eq!(broken, Err(Cancelled));
    }
}
