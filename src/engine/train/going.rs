//! How an encoder goes through the train part, epoch by epoch, until the validation part gets no better; and how a run that was stopped or killed goes on where it was.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::asked::Lesson;
use super::fault::TrainError;
use super::means::Watch;
use super::parts::TrainParts;
use super::run::{EpochSeen, SampleSeen};
use super::taught::{TaughtRows, said_of};
use crate::chance::{Chance, seed_of};
use crate::data::things;
use crate::io::{checkpoint_path, checkpoints, read_checkpoint, remove_checkpoint, write_checkpoint};
use crate::job::Progress;
use crate::learn::bert::BertLayout;
use crate::learn::dynamics::{Dynamics, SeenOnce};
use crate::learn::scores::{Predicted, Scores};
use crate::learn::tune::{NO_CLASS, TuneFit, Tuned, TunedStep};

/// Batches that are sorted by length together, so that those of one length go through side by side.
const BUCKET: usize = 8;
/// Epochs after each other that may better nothing.
const PATIENCE: usize = 2;

/// What is gone through, and how.
pub(super) struct Going<'g> {
    pub layout: &'g BertLayout,
    pub tokens: &'g [Vec<u32>],
    pub rows: &'g TaughtRows,
    pub fit: &'g TuneFit,
    pub batch: usize,
    pub epochs: usize,
    pub watch: Option<&'g Watch>,
    pub goes_on: Option<&'g GoesOn>,
}

/// What came of it: the best model, what each epoch came to, and by task what was seen of every sample.
pub(super) struct Gone {
    pub tuned: Tuned,
    pub epochs: Vec<EpochSeen>,
    pub seen: Vec<Vec<SampleSeen>>,
    pub notes: Vec<String>,
}

/// Where a run is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Place {
    /// Epochs that were gone through, batches of the one that is not, and their losses' sum.
    epoch: usize,
    within: usize,
    loss: f64,
    /// Steps in all.
    step: usize,
    epochs: Vec<EpochSeen>,
    /// Epochs after each other that bettered nothing; the best of them.
    without: usize,
    best: Option<EpochSeen>,
    notes: Vec<String>,
}

/// A run that was stopped or killed, and goes on where it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoppedRun {
    pub lesson: Lesson,
    /// What it was trained on.
    pub print: u64,
    /// Steps that were made, and how many there are at most.
    pub step: usize,
    pub steps: usize,
    /// The version of the program; another goes on all the same.
    pub version: String,
}

/// What a checkpoint says beside its numbers.
#[derive(Serialize, Deserialize)]
struct Kept {
    run: StoppedRun,
    /// The hash of the encoder as it was before, and of all that was read.
    encoder: u64,
    place: Place,
}

/// Where what was learned so far is kept.
pub(super) struct GoesOn {
    path: PathBuf,
    run: StoppedRun,
    encoder: u64,
}

impl GoesOn {
    pub fn new(project: &Path, lesson: &Lesson, (parts, params, inputs): (&TrainParts, &[f32], u64)) -> Self {
        let asked = serde_json::to_vec(lesson).unwrap_or_default();
        let key = seed_of(&[xxh3_64(&asked), parts.print]);
        let bytes: Vec<u8> = params.iter().flat_map(|number| number.to_le_bytes()).collect();
        let run = StoppedRun {
            lesson: lesson.clone(),
            print: parts.print,
            step: 0,
            steps: 0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Self { path: checkpoint_path(project, key), run, encoder: seed_of(&[xxh3_64(&bytes), inputs]) }
    }
}

impl Kept {
    /// As text: numbers keep their last bit, and may be none.
    fn to_text(&self) -> Option<String> {
        use std::fmt::Write as _;
        let bytes = rmp_serde::to_vec_named(self).ok()?;
        let mut text = String::with_capacity(2 * bytes.len());
        bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}")).ok()?;
        Some(text)
    }

    fn of_text(text: &str) -> Option<Self> {
        let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
        rmp_serde::from_slice(&bytes?).ok()
    }
}

/// The runs that were stopped beside a project, the oldest first.
pub fn stopped_runs(project: &Path) -> Vec<(PathBuf, StoppedRun)> {
    let read = |(path, state): (PathBuf, String)| Some((path, Kept::of_text(&state)?.run));
    checkpoints(project).into_iter().filter_map(read).collect()
}

/// The run of a lesson is kept: there is nothing to go on with any more.
pub fn run_is_kept(project: &Path, lesson: &Lesson, print: u64) {
    let own = stopped_runs(project).into_iter().filter(|(_, run)| run.lesson == *lesson && run.print == print);
    own.for_each(|(path, _)| remove_checkpoint(&path));
}

/// Gives up a run that was stopped.
pub fn give_up(path: &Path) {
    remove_checkpoint(path);
}

/// A run on its way.
struct State {
    tuned: Tuned,
    /// By task.
    seen: Vec<Dynamics>,
    /// What the best epoch had learned: of the best its numbers alone, the moments are twice as large again.
    best: Vec<f32>,
    place: Place,
}

impl Going<'_> {
    /// Batches of one epoch: shuffled, those of like length together, and shuffled again.
    fn batches(&self, chance: &mut Chance) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.rows.train.len()).collect();
        chance.shuffle(&mut order);
        for bucket in order.chunks_mut(self.batch * BUCKET) {
            bucket.sort_by_key(|at| self.tokens[self.rows.train[*at] as usize].len());
        }
        let mut list: Vec<Vec<usize>> = order.chunks(self.batch).map(<[usize]>::to_vec).collect();
        chance.shuffle(&mut list);
        list
    }

    fn order(&self) -> Chance {
        Chance::new(seed_of(&[self.fit.seed, 0xba7c]))
    }

    fn step(&self, tuned: &mut Tuned, list: &[usize]) -> TunedStep {
        let tasks = tuned.tasks.len();
        let texts: Vec<&[u32]> = list.iter().map(|at| self.tokens[self.rows.train[*at] as usize].as_slice()).collect();
        let truth: Vec<u32> = list.iter().flat_map(|at| &self.rows.train_truth[at * tasks..(at + 1) * tasks]).copied().collect();
        tuned.learn(self.layout, &texts, &truth, self.fit)
    }

    /// The bytes that a run takes at most, about: the numbers, their moments, room for gradients, the best so far, and what the largest batch leaves behind for its gradient.
    fn bytes(&self, tuned: &Tuned) -> u64 {
        let learned = tuned.learned(self.layout, self.fit).len();
        let shape = &self.layout.shape;
        let mut longest: Vec<usize> = self.rows.train.iter().map(|row| self.tokens[*row as usize].len()).collect();
        longest.sort_unstable_by(|a, b| b.cmp(a));
        longest.truncate(self.batch);
        let tokens: usize = longest.iter().sum();
        let looks: usize = longest.iter().map(|n| n * n * shape.heads * 2).sum();
        let layer = tokens * (12 * shape.hidden + 3 * shape.inner) + looks;
        let numbers = 4 * tuned.params.len() + 4 * learned + shape.layers * layer;
        (numbers * size_of::<f32>() + self.tokens.iter().map(|list| 24 + 4 * list.len()).sum::<usize>()) as u64
    }

    /// Makes some steps: the seconds that one epoch takes by them, and the bytes.
    pub fn tried(
        &self,
        tuned: &mut Tuned,
        steps: usize,
        now: &dyn Fn() -> f64,
        progress: &Progress,
    ) -> Result<(f64, u64), TrainError> {
        let tokens = |list: &[usize]| -> usize { list.iter().map(|at| self.tokens[self.rows.train[*at] as usize].len()).sum() };
        let batches = self.batches(&mut self.order());
        let all: usize = batches.iter().map(|list| tokens(list)).sum();
        // The first one makes room, and is no measure.
        if let Some(first) = batches.first() {
            self.step(tuned, first);
        }
        let (begun, mut seen) = (now(), 0);
        for list in batches.iter().cycle().skip(1).take(steps) {
            progress.check()?;
            self.step(tuned, list);
            seen += tokens(list);
        }
        // Looking at the validation part is a third of a step, forward alone.
        let validation: usize = self.rows.validation.iter().map(|row| self.tokens[*row as usize].len()).sum();
        let a_token = (now() - begun) / seen.max(1) as f64;
        Ok((a_token * (all as f64 + validation as f64 / 3.0), self.bytes(tuned)))
    }

    /// Keeps what was learned so far; one that cannot be kept is said, and costs the run nothing.
    fn keep(&self, state: &State) -> Option<String> {
        let goes_on = self.goes_on?;
        let run = StoppedRun { step: state.tuned.step, steps: self.fit.steps, ..goes_on.run.clone() };
        let kept = Kept { run, encoder: goes_on.encoder, place: Place { step: state.tuned.step, ..state.place.clone() } };
        let learned = state.tuned.learned(self.layout, self.fit);
        let seen: Vec<f32> = state.seen.iter().flat_map(numbers_of_seen).collect();
        let [first, second] = &state.tuned.moments;
        let lists =
            vec![("best", &*state.best), ("first", first.as_slice()), ("learned", &learned), ("second", second), ("seen", &seen)];
        let text = kept.to_text()?;
        let why = write_checkpoint(&goes_on.path, &text, &lists).err()?;
        Some(format!("what was learned so far could not be kept: {why}"))
    }

    /// Takes up what was kept, where it is of the same run and whole.
    fn take_up(&self, state: &mut State) -> Option<()> {
        let goes_on = self.goes_on?;
        let (text, lists) = read_checkpoint(&goes_on.path)?;
        let kept = Kept::of_text(&text)?;
        let same =
            kept.run.lesson == goes_on.run.lesson && kept.run.print == goes_on.run.print && kept.encoder == goes_on.encoder;
        let of = |name: &str| lists.iter().find(|(own, _)| own == name).map(|(_, list)| list.clone());
        let (learned, best, first, second, seen) = (of("learned")?, of("best")?, of("first")?, of("second")?, of("seen")?);
        let place = &kept.place;
        let sound = place.step <= self.fit.steps && place.epoch < self.epochs && place.within <= self.rows.train.len();
        if !same || !sound || first.len() != learned.len() || second.len() != learned.len() {
            return None;
        }
        let dynamics = seen_of_numbers(&seen, state.seen.len(), self.rows.train.len())?;
        if !state.tuned.set_learned(self.layout, self.fit, &learned) {
            return None;
        }
        state.tuned.moments = [first, second];
        state.tuned.step = kept.place.step;
        (state.seen, state.best, state.place) = (dynamics, best, kept.place);
        Some(())
    }

    /// Goes through what is left of an epoch: whether its losses were numbers.
    fn through_epoch(&self, state: &mut State, batches: &[Vec<usize>], progress: &Progress) -> Result<bool, TrainError> {
        let tasks = state.tuned.tasks.len();
        for list in batches.iter().skip(state.place.within) {
            if progress.step(1).is_err() {
                // Stopped by its user: it goes on from here another time.
                self.keep(state);
                return Err(TrainError::Cancelled);
            }
            let step = self.step(&mut state.tuned, list);
            if !step.loss.is_finite() || !step.gradient.is_finite() {
                return Ok(false);
            }
            let width = state.tuned.width().max(1);
            for (at, mut logits) in list.iter().zip(step.logits.chunks(width)) {
                for (task, of) in state.tuned.tasks.iter().enumerate() {
                    let (now, later) = logits.split_at(of.classes);
                    logits = later;
                    let class = self.rows.train_truth[at * tasks + task];
                    if class != NO_CLASS {
                        state.seen[task].see(*at, now, class as usize);
                    }
                }
            }
            state.place.loss += step.loss;
            state.place.within += 1;
            if let Some(watch) = self.watch {
                #[allow(clippy::cast_possible_truncation)]
                watch.seen().losses.push(step.loss as f32);
            }
        }
        Ok(true)
    }

    /// What an epoch came to on the validation part: the mean over tasks, each as much as it weighs.
    fn epoch_seen(&self, state: &State, progress: &Progress) -> Result<EpochSeen, TrainError> {
        let loss = state.place.loss / state.place.within.max(1) as f64;
        if self.rows.validation.is_empty() {
            return Ok(EpochSeen { loss, validation_loss: f64::NAN, validation_accuracy: f64::NAN });
        }
        let how = (self.fit.pooling, self.fit.normed);
        let said = said_of(self.layout, &state.tuned, self.tokens, &self.rows.validation, how, progress)?;
        let (mut sum, mut log_loss, mut accuracy) = (0.0, 0.0, 0.0);
        for (task, (of, said)) in state.tuned.tasks.iter().zip(&said).enumerate() {
            let own = self.rows.validation_truth.iter().skip(task).step_by(state.tuned.tasks.len());
            let labelled = own.zip(said.chunks(of.classes)).filter(|(class, _)| **class != NO_CLASS);
            let (truth, rows): (Vec<u32>, Vec<&[f64]>) = labelled.map(|(class, row)| (*class, row)).unzip();
            if truth.is_empty() {
                continue;
            }
            let scores = Scores::of(&truth, Predicted { classes: of.classes, of: &rows.concat() });
            let weight = f64::from(of.weight);
            sum += weight;
            log_loss += weight * scores.log_loss;
            accuracy += weight * scores.accuracy;
        }
        Ok(EpochSeen { loss, validation_loss: log_loss / sum, validation_accuracy: accuracy / sum })
    }

    fn dynamics(&self, seen: &[Dynamics]) -> Vec<Vec<SampleSeen>> {
        let of = |seen: &Dynamics| {
            let one = |(at, row): (usize, &u32)| {
                let one = seen.of(at)?;
                Some((*row, one.confidence, one.variability, one.aum, one.correctness, one.forgetting))
            };
            self.rows.train.iter().enumerate().filter_map(one).collect()
        };
        seen.iter().map(of).collect()
    }
}

/// What was seen, as numbers: of each row how often, then what.
#[allow(clippy::cast_precision_loss)]
fn numbers_of_seen(seen: &Dynamics) -> Vec<f32> {
    let of = |row: &Vec<SeenOnce>| {
        let head = std::iter::once(row.len() as f32);
        head.chain(row.iter().flat_map(|one| [one.given, one.margin, f32::from(u8::from(one.right))])).collect::<Vec<f32>>()
    };
    seen.rows().iter().flat_map(of).collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn seen_of_numbers(numbers: &[f32], tasks: usize, rows: usize) -> Option<Vec<Dynamics>> {
    let mut rest = numbers;
    let mut out = Vec::new();
    for _ in 0..tasks {
        let mut list = Vec::with_capacity(rows);
        for _ in 0..rows {
            let (n, later) = rest.split_first()?;
            let n = (0.0..=1e6).contains(n).then_some(*n as usize)?;
            let (own, later) = later.split_at_checked(3 * n)?;
            rest = later;
            list.push(own.chunks(3).map(|one| SeenOnce { given: one[0], margin: one[1], right: one[2] > 0.0 }).collect());
        }
        out.push(Dynamics::of_rows(list));
    }
    Some(out)
}

/// Goes through the train part until the validation part does not get better.
pub(super) fn gone_through(going: &Going<'_>, tuned: Tuned, progress: &Progress) -> Result<Gone, TrainError> {
    let seen = vec![Dynamics::new(going.rows.train.len()); tuned.tasks.len()];
    let mut state = State { tuned, seen, best: Vec::new(), place: Place::default() };
    if going.take_up(&mut state).is_some() {
        let made = things(state.tuned.step, "step", "steps");
        state.place.notes.push(format!("it was stopped after {made}, and went on from there"));
    }
    progress.set_total(going.fit.steps.saturating_sub(state.tuned.step) as u64);
    if let Some(watch) = going.watch {
        let mut seen = watch.seen();
        let epoch = going.rows.train.len().div_ceil(going.batch);
        (seen.steps, seen.epoch, seen.bytes) = (going.fit.steps, epoch, going.bytes(&state.tuned));
        seen.losses = vec![f32::NAN; state.tuned.step];
        seen.epochs.clone_from(&state.place.epochs);
    }
    let mut chance = going.order();
    // What was drawn before is drawn again.
    (0..state.place.epoch).for_each(|_| drop(going.batches(&mut chance)));
    let mut unkept = None;
    while state.place.epoch < going.epochs {
        let batches = going.batches(&mut chance);
        if !going.through_epoch(&mut state, &batches, progress)? {
            let step = state.tuned.step;
            if state.best.is_empty() || state.place.epochs.is_empty() {
                return Err(TrainError::NoLoss(step));
            }
            state.place.notes.push(format!(
                "the loss was no number any more at step {step}: the best of {} before is kept",
                things(state.place.epochs.len(), "epoch", "epochs")
            ));
            break;
        }
        let now = match going.epoch_seen(&state, progress) {
            Ok(now) => now,
            Err(why) => {
                going.keep(&state);
                return Err(why);
            }
        };
        state.place.epochs.push(now);
        if let Some(watch) = going.watch {
            watch.seen().epochs.push(now);
        }
        // Where nothing says which is better, the last one is.
        let better = going.rows.validation.is_empty()
            || state.place.best.is_none_or(|before| {
                (now.validation_accuracy, -now.validation_loss) > (before.validation_accuracy, -before.validation_loss)
            });
        state.place.without = if better { 0 } else { state.place.without + 1 };
        if better {
            state.best = state.tuned.learned(going.layout, going.fit);
            state.place.best = Some(now);
        }
        state.place.epoch += 1;
        (state.place.within, state.place.loss) = (0, 0.0);
        let last = state.place.epoch == going.epochs;
        if state.place.without >= PATIENCE && !last {
            let n = state.place.epoch;
            state.place.notes.push(format!("it ended after {n} epochs: two after each other did not better the validation part"));
            break;
        }
        if !last {
            unkept = going.keep(&state).or(unkept);
        }
    }
    state.place.notes.extend(unkept);
    if !state.best.is_empty() {
        state.tuned.set_learned(going.layout, going.fit, &state.best);
    }
    let seen = going.dynamics(&state.seen);
    Ok(Gone { tuned: state.tuned, epochs: state.place.epochs, seen, notes: state.place.notes })
}
