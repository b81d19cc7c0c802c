//! One question on screen, and the answer to it.
//!
//! The newest question wins: an older run is asked to stop, and the newer one begins once that has ended, so that runs never pile up. The answer
//! before stays until there is another. What was stopped or has failed is not begun again before something else is asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, unbounded};

use super::{JobError, Progress, panic_text};

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Somebody, at the screen: threads of their own, and whatever learns lets them pass. Such work never waits for another's.
    Screen,
    /// Nobody in particular: it may take as long as it takes.
    Learning,
}

/// Where work is done: the threads of those whom somebody waits for, and the word that there is news.
#[derive(Clone)]
pub struct Desk {
    wake: Arc<dyn Fn() + Send + Sync>,
    /// Of those whom somebody waits for; `None` where they could not be had.
    screen: Option<Arc<rayon::ThreadPool>>,
    /// How many of those are under way.
    waited_for: Arc<AtomicUsize>,
}

impl Desk {
    /// `wake` is called when there is something to take or to draw, from any thread.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let screen = rayon::ThreadPoolBuilder::new().thread_name(|n| format!("screen {n}")).build().ok().map(Arc::new);
        Self { wake, screen, waited_for: Arc::default() }
    }

    /// Calls for another look.
    pub fn wake(&self) {
        (self.wake)();
    }

    /// What calls for another look, for others.
    pub fn waker(&self) -> Arc<dyn Fn() + Send + Sync> {
        Arc::clone(&self.wake)
    }
}

/// Counts one whom somebody waits for, for as long as it lives.
struct WaitedFor(Arc<AtomicUsize>);

impl WaitedFor {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for WaitedFor {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

type Work<A> = Box<dyn FnOnce(&Progress) -> Result<A, JobError> + Send>;

/// A question that is asked, and how it is worked out.
struct Wanted<Q, A> {
    question: Q,
    title: String,
    work: Work<A>,
}

struct Run<Q, A> {
    question: Q,
    title: String,
    progress: Progress,
    /// Whether nobody wants its answer any more.
    dropped: bool,
    reply: Receiver<Result<A, JobError>>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// An answer: [`Slot::shown`] has it.
    Answer,
    /// None; the message says why, for a person.
    Failed(String),
}

/// A question and its answer.
pub struct Slot<Q, A> {
    key: &'static str,
    lane: Lane,
    run: Option<Run<Q, A>>,
    wanted: Option<Wanted<Q, A>>,
    shown: Option<(Q, A)>,
    /// The question that has no answer, and why: `None` where it was stopped.
    without: Option<(Q, Option<String>)>,
}

/// What the status bar knows of work that is under way.
pub struct Running<'s> {
    /// What it is known by.
    pub key: &'static str,
    /// What it does, in words.
    pub title: &'s str,
    pub progress: &'s Progress,
}

/// Any slot, whatever it asks and answers: what runs, and the wish that it stop.
pub trait AnySlot {
    /// What it is known by.
    fn key(&self) -> &'static str;
    /// What runs or waits to, where anybody wants its answer.
    fn running(&self) -> Option<Running<'_>>;
    /// Stops what runs, as a person asks: it stays stopped until something else is asked. Whether there was anything to stop.
    fn stop(&mut self) -> bool;
    /// Whether a thread is still at something, wanted or not.
    fn is_at_work(&self) -> bool;
}

impl<Q: Clone + PartialEq, A: Send + 'static> Slot<Q, A> {
    /// An empty slot.
    pub fn new(key: &'static str, lane: Lane) -> Self {
        Self { key, lane, run: None, wanted: None, shown: None, without: None }
    }

    /// Whether a question is still to be asked: it is neither answered, nor under way, nor was it stopped or has it failed.
    pub fn needs(&self, question: &Q) -> bool {
        if let Some(asked) = self.asked() {
            return asked != question;
        }
        let known = self.shown.as_ref().is_some_and(|(shown, _)| shown == question);
        let given_up = self.without.as_ref().is_some_and(|(without, _)| without == question);
        !known && !given_up
    }

    /// Asks a question, whatever was asked before.
    pub fn ask<F>(&mut self, desk: &Desk, question: Q, title: impl Into<String>, work: F)
    where
        F: FnOnce(&Progress) -> Result<A, JobError> + Send + 'static,
    {
        self.without = None;
        self.drop_run();
        self.wanted = Some(Wanted { question, title: title.into(), work: Box::new(work) });
        self.begin(desk);
    }

    /// Takes an answer that was there without work.
    pub fn put(&mut self, question: Q, answer: A) {
        self.cancel();
        self.without = None;
        self.shown = Some((question, answer));
    }

    fn drop_run(&mut self) {
        if let Some(run) = &mut self.run {
            run.progress.cancel();
            run.dropped = true;
        }
    }

    fn begin(&mut self, desk: &Desk) {
        if self.run.is_some() {
            return;
        }
        let Some(Wanted { question, title, work }) = self.wanted.take() else { return };
        let yields = (self.lane == Lane::Learning).then(|| Arc::clone(&desk.waited_for));
        let progress = Progress::letting_pass(Arc::clone(&desk.wake), yields);
        let (sender, reply) = unbounded();
        let (shared, failed, desk, lane) = (progress.clone(), sender.clone(), desk.clone(), self.lane);
        let body = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| match (&desk.screen, lane) {
                (Some(pool), Lane::Screen) => {
                    let _here = WaitedFor::new(&desk.waited_for);
                    pool.install(|| work(&shared))
                }
                _ => work(&shared),
            }));
            let panicked = |panic: Box<dyn std::any::Any + Send>| {
                Err(JobError::Failed(format!("this step stopped unexpectedly: {}", panic_text(&*panic))))
            };
            // A receiver that is gone means that nobody is left to tell.
            let _ = sender.send(outcome.unwrap_or_else(panicked));
            desk.wake();
        };
        if let Err(error) = std::thread::Builder::new().name(self.key.to_owned()).spawn(body) {
            let _ = failed.send(Err(JobError::Failed(format!("no thread could be started: {error}"))));
        }
        self.run = Some(Run { question, title, progress, dropped: false, reply });
    }

    /// Takes in what has come, and begins what waits.
    pub fn take(&mut self, desk: &Desk) -> Option<Came> {
        let outcome = self.run.as_ref()?.reply.try_recv().ok()?;
        let run = self.run.take()?;
        let came = match outcome {
            _ if run.dropped => None,
            Ok(answer) => {
                self.without = None;
                self.shown = Some((run.question, answer));
                Some(Came::Answer)
            }
            Err(JobError::Cancelled) => {
                self.without = Some((run.question, None));
                None
            }
            Err(JobError::Failed(message)) => {
                self.without = Some((run.question, Some(message.clone())));
                Some(Came::Failed(message))
            }
        };
        self.begin(desk);
        came
    }

    /// Lets go of what runs or waits: its answer is not wanted any more, and may be asked for again.
    pub fn cancel(&mut self) {
        self.wanted = None;
        self.drop_run();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cancel();
        (self.shown, self.without) = (None, None);
    }

    /// Forgets that a question was stopped or has failed: it may be asked again.
    pub fn retry(&mut self) {
        self.without = None;
    }

    /// The question whose answer runs or waits to.
    pub fn asked(&self) -> Option<&Q> {
        let run = || self.run.as_ref().filter(|run| !run.dropped).map(|run| &run.question);
        self.wanted.as_ref().map(|wanted| &wanted.question).or_else(run)
    }

    /// Whether an answer is on its way.
    pub fn is_asked(&self) -> bool {
        self.asked().is_some()
    }

    /// The last answer and its question.
    pub fn shown(&self) -> Option<&(Q, A)> {
        self.shown.as_ref()
    }

    /// The last answer, however old its question is.
    pub fn answer(&self) -> Option<&A> {
        self.shown.as_ref().map(|(_, answer)| answer)
    }

    /// The last answer, to change it.
    pub fn answer_mut(&mut self) -> Option<&mut A> {
        self.shown.as_mut().map(|(_, answer)| answer)
    }

    /// The answer to this very question.
    pub fn answer_to(&self, question: &Q) -> Option<&A> {
        self.shown.as_ref().filter(|(shown, _)| shown == question).map(|(_, answer)| answer)
    }

    /// Takes the answer out.
    pub fn take_answer(&mut self) -> Option<(Q, A)> {
        self.shown.take()
    }

    /// The last question that has no answer, and why: `None` where it was stopped.
    pub fn without(&self) -> Option<&(Q, Option<String>)> {
        self.without.as_ref()
    }

    /// Why the last question has no answer, where it has failed.
    pub fn trouble(&self) -> Option<&str> {
        self.without.as_ref().and_then(|(_, why)| why.as_deref())
    }
}

impl<Q: Clone + PartialEq, A: Send + 'static> AnySlot for Slot<Q, A> {
    fn key(&self) -> &'static str {
        self.key
    }

    fn running(&self) -> Option<Running<'_>> {
        let run = self.run.as_ref()?;
        match &self.wanted {
            Some(wanted) => Some(Running { key: self.key, title: &wanted.title, progress: &run.progress }),
            None => (!run.dropped).then_some(Running { key: self.key, title: &run.title, progress: &run.progress }),
        }
    }

    fn stop(&mut self) -> bool {
        let Some(question) = self.asked().cloned() else { return false };
        self.cancel();
        self.without = Some((question, None));
        true
    }

    fn is_at_work(&self) -> bool {
        self.run.is_some()
    }
}

impl<Q, A> Drop for Slot<Q, A> {
    /// Nobody waits any more.
    fn drop(&mut self) {
        if let Some(run) = &self.run {
            run.progress.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn desk() -> Desk {
        Desk::new(Arc::new(|| {}))
    }

    fn wait<Q: Clone + PartialEq, A: Send + 'static>(slot: &mut Slot<Q, A>, desk: &Desk) -> Option<Came> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if let Some(came) = slot.take(desk) {
                return Some(came);
            }
            if !slot.is_at_work() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("nothing came");
    }

    fn endless(progress: &Progress) -> Result<u32, JobError> {
        loop {
            progress.check()?;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn the_newest_question_wins_and_runs_never_pile_up() {
        let (desk, mut slot) = (desk(), Slot::new("test", Lane::Learning));
        slot.put(0, 100);
        let at_once = Arc::new(AtomicUsize::new(0));
        for question in 1..=50_u32 {
            assert!(slot.needs(&question));
            let count = Arc::clone(&at_once);
            slot.ask(&desk, question, "Working", move |progress| {
                assert_eq!(count.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                let result = if question == 50 { Ok(question * 2) } else { endless(progress) };
                count.fetch_sub(1, Ordering::SeqCst);
                result
            });
            assert!(!slot.needs(&question));
            assert_eq!(slot.answer(), Some(&100), "the answer before stays");
            assert_eq!(slot.answer_to(&question), None);
        }
        assert_eq!(slot.asked(), Some(&50));
        assert_eq!(wait(&mut slot, &desk), Some(Came::Answer));
        assert_eq!(slot.shown(), Some(&(50, 100)));
        assert!(!slot.needs(&50) && slot.needs(&49) && !slot.is_at_work());
    }

    #[test]
    fn what_was_stopped_stays_stopped_and_what_has_failed_says_why() {
        let (desk, mut slot) = (desk(), Slot::new("test", Lane::Screen));
        slot.ask(&desk, 1, "Endless", endless);
        assert_eq!(slot.running().unwrap().title, "Endless");
        assert!(slot.stop() && !slot.stop());
        assert!(slot.running().is_none() && slot.is_at_work());
        assert_eq!(wait(&mut slot, &desk), None);
        assert!(!slot.needs(&1) && slot.needs(&2));
        slot.retry();
        assert!(slot.needs(&1));
        slot.ask(&desk, 1, "Breaking", |_| -> Result<u32, JobError> { panic!("the reason") });
        let Some(Came::Failed(words)) = wait(&mut slot, &desk) else { panic!("it has failed") };
        assert!(words.contains("the reason") && slot.trouble() == Some(&words));
        assert!(!slot.needs(&1));
        // Another question, and the trouble is gone.
        slot.ask(&desk, 2, "Working", |_| Ok(7));
        assert_eq!(wait(&mut slot, &desk), Some(Came::Answer));
        assert_eq!((slot.trouble(), slot.answer()), (None, Some(&7)));
        // What nobody wants any more may be asked for again.
        slot.ask(&desk, 3, "Endless", endless);
        slot.cancel();
        assert!(slot.needs(&3));
        assert_eq!(wait(&mut slot, &desk), None);
        assert_eq!(slot.answer(), Some(&7));
    }

    #[test]
    fn whatever_learns_lets_those_pass_whom_somebody_waits_for() {
        let desk = desk();
        let (mut learning, mut screen) = (Slot::new("learning", Lane::Learning), Slot::new("screen", Lane::Screen));
        let steps = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&steps);
        learning.ask(&desk, 1, "Learning", move |progress| {
            loop {
                progress.check()?;
                count.fetch_add(1, Ordering::SeqCst);
            }
            #[allow(unreachable_code)]
            Ok(0_u32)
        });
        while steps.load(Ordering::SeqCst) < 1_000 {
            std::thread::yield_now();
        }
        let count = Arc::clone(&steps);
        screen.ask(&desk, 1, "Filtering", move |_| {
            std::thread::sleep(Duration::from_millis(30));
            let before = count.load(Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(100));
            Ok(count.load(Ordering::SeqCst) - before)
        });
        assert_eq!(wait(&mut screen, &desk), Some(Came::Answer));
        assert!(*screen.answer().unwrap() < 200, "{:?} steps meanwhile", screen.answer());
        let before = steps.load(Ordering::SeqCst);
        while steps.load(Ordering::SeqCst) < before + 1_000 {
            std::thread::yield_now();
        }
        learning.stop();
    }
}
