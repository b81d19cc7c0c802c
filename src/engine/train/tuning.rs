//! Full fine-tuning: a small encoder and a head a label column learn together from the train part. Heads begin as logistic regression on what the encoder says before.

use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::asked::{Lesson, LoraAsked, TuneAsked};
use super::fault::TrainError;
use super::going::{GoesOn, Going, Gone, gone_through};
use super::means::TeachMeans;
use super::parts::{FinerColumn, RunPart, TrainParts, held_out};
use super::run::{Chosen, HeadModel, Learned};
use super::taught::{TaughtRows, TriedSteps, reduced, said_of, vectors};
use crate::chance::{Chance, seed_of};
use crate::data::{Dataset, SampleId, count_samples};
use crate::derive::TextOf;
use crate::io::{KeptHeads, ModelWords, keep_encoder, open_encoder};
use crate::job::Progress;
use crate::learn::bert::BertLayout;
use crate::learn::encoder::Encoder;
use crate::learn::head_choice::{HeadRows, choose_head};
use crate::learn::heads::{HeadFit, HeadInput, LinearHead};
use crate::learn::lora::LoraFit;
use crate::learn::tune::{HeadTask, NO_CLASS, Pooling, TuneFit, Tuned};

/// One part in so many of the train part is the validation part where there is none.
const VALIDATION: usize = 10;
/// Of fewer samples a class than this none are spared for it: the tenth would cost more than it tells.
const FEW: usize = 20;
/// How the head is held that learning begins with: one that is held less fits the train part so well that nothing is left to learn from.
const FIRST_C: f64 = 10.0;
/// The rate of a head.
const HEAD_RATE: f32 = 1e-3;

/// A label column that is learned.
pub(super) struct TaskParts {
    pub parts: TrainParts,
    pub weight: f64,
}

/// An encoder about to be taught.
struct Ready {
    encoder: Encoder,
    tokens: Vec<Vec<u32>>,
    rows: TaughtRows,
    fit: TuneFit,
    longest: usize,
    notes: Vec<String>,
}

impl Ready {
    /// How it is gone through; nobody looks on, and nothing of it is kept.
    fn going(&self, asked: &TuneAsked) -> Going<'_> {
        Going {
            layout: self.encoder.to_teach().0,
            tokens: &self.tokens,
            rows: &self.rows,
            fit: &self.fit,
            batch: batch_of(asked),
            epochs: asked.epochs.max(1) as usize,
            watch: None,
            goes_on: None,
        }
    }
}

/// Teaches an encoder, and says what it says of the samples that are asked for, by every task.
pub(super) fn tune(
    dataset: &Dataset,
    lesson: &Lesson,
    (folder, asked, uncertain): (&Path, &TuneAsked, bool),
    tasks: &[TaskParts],
    (rows, rest, finer, means): (&[u32], &[u32], Option<&FinerColumn>, TeachMeans<'_>),
    progress: &Progress,
) -> Result<Vec<Learned>, TrainError> {
    let mut ready = made_ready(dataset, lesson, (folder, asked, uncertain), tasks, progress)?;
    let (layout, params, _) = ready.encoder.to_teach();
    let (heads, chosen) = first_heads(layout, params, &ready, (tasks, asked, lesson.seed), progress)?;
    let list = tasks.iter().map(|task| task_of(&task.parts, task.weight, asked.balanced)).collect();
    let tuned = Tuned::new(params.to_vec(), heads, list).adapted(layout, &ready.fit);
    if tuned.lora.as_ref().is_some_and(|lora| lora.numbers.is_empty()) {
        return Err(TrainError::NothingLearns);
    }
    let inputs = inputs_of(&ready);
    let goes_on =
        means.project.filter(|_| means.goes_on).map(|project| GoesOn::new(project, lesson, (&tasks[0].parts, params, inputs)));
    let going = Going { watch: means.watch, goes_on: goes_on.as_ref(), ..ready.going(asked) };
    let Gone { tuned, epochs, seen, notes } = gone_through(&going, tuned, progress)?;
    ready.notes.extend(notes);
    let how = (ready.fit.pooling, ready.fit.normed);
    let said = said_of(layout, &tuned, &ready.tokens, rows, how, progress)?;
    let mut others: Vec<Vec<(u32, u32, f32)>> = vec![Vec::new(); tasks.len()];
    for part in rest.chunks(1_024) {
        let said = said_of(layout, &tuned, &ready.tokens, part, how, progress)?;
        for ((said, out), task) in said.into_iter().zip(&mut others).zip(tasks) {
            let rows = part.iter().zip(said.chunks(task.parts.learned.max(1)));
            out.extend(rows.map(|(row, own)| reduced(*row, own, finer)));
        }
    }
    if let Some(to) = means.keep {
        let words =
            ModelWords { classes: &tasks[0].parts.classes[..tasks[0].parts.learned], about: &tasks[0].parts.about(lesson) };
        let heads: Vec<(&str, &[String])> = lesson
            .labels()
            .into_iter()
            .zip(tasks)
            .map(|(label, task)| (label, &task.parts.classes[..task.parts.learned]))
            .collect();
        let kept = KeptHeads { heads: &heads, pooling: ready.fit.pooling, normed: ready.fit.normed, longest: ready.longest };
        if let Err(why) = keep_encoder((folder, &ready.encoder), &tuned, &kept, &words, to) {
            // The run is not lost by it.
            ready.notes.push(format!("the model could not be taken away: {why}"));
        }
    }
    ready.notes.push("it says nothing of samples of the train part: it has seen them all".to_owned());
    let mut out = Vec::new();
    for (((said, rest), seen), chosen) in said.into_iter().zip(others).zip(seen).zip(chosen) {
        let mut notes = ready.notes.clone();
        let own = ready.rows.train_truth.iter().skip(out.len()).step_by(tasks.len());
        let others = own.filter(|class| **class == NO_CLASS).count();
        if tasks.len() > 1 && others > 0 {
            notes.push(format!("{} of the train part have no label here, and are learned from by others", count_samples(others)));
        }
        let epochs = epochs.clone();
        out.push(Learned {
            model: HeadModel::Encoder,
            chosen,
            held_out: Vec::new(),
            probabilities: said,
            rest,
            epochs,
            seen,
            notes,
        });
    }
    Ok(out)
}

/// The hash of all that is read beside the train part's own print: tokens, and who validates as what.
fn inputs_of(ready: &Ready) -> u64 {
    let mut hash = Xxh3::new();
    for row in ready.rows.train.iter().chain(&ready.rows.validation) {
        hash.update(&row.to_le_bytes());
        ready.tokens[*row as usize].iter().for_each(|token| hash.update(&token.to_le_bytes()));
    }
    ready.rows.train_truth.iter().chain(&ready.rows.validation_truth).for_each(|class| hash.update(&class.to_le_bytes()));
    hash.update(format!("{:?} {} {}", ready.fit.pooling, ready.fit.normed, ready.longest).as_bytes());
    hash.digest()
}

fn batch_of(asked: &TuneAsked) -> usize {
    (asked.batch as usize).clamp(1, 1_024)
}

/// A task of a column: rarer classes weigh as `n / (k nₖ)` where that is asked for, as scikit-learn's "balanced" has it.
#[allow(clippy::cast_possible_truncation)]
fn task_of(parts: &TrainParts, weight: f64, balanced: bool) -> HeadTask {
    let mut balance = Vec::new();
    if balanced {
        let mut counts = vec![0usize; parts.learned];
        parts.members(RunPart::Train).for_each(|(_, class)| counts[class as usize] += 1);
        let n: usize = counts.iter().sum();
        balance = counts.iter().map(|own| (n as f64 / (counts.len() * (*own).max(1)) as f64) as f32).collect();
    }
    HeadTask { weight: weight as f32, balance, ..HeadTask::plain(parts.learned) }
}

/// Reads the folder and the texts, and says who is learned from and how.
fn made_ready(
    dataset: &Dataset,
    lesson: &Lesson,
    (folder, asked, uncertain): (&Path, &TuneAsked, bool),
    tasks: &[TaskParts],
    progress: &Progress,
) -> Result<Ready, TrainError> {
    if lesson.text.is_none() && dataset.pictures().is_some() {
        return Err(TrainError::TunedPictures);
    }
    let text = TextOf::of(dataset, lesson.text.as_deref())?;
    let encoder = open_encoder(folder)?;
    let (layout, _, pooling) = encoder.to_teach();
    let pooling = match (asked.pooler, layout.shape.pooler, pooling) {
        (true, true, _) => Pooling::Pooler,
        (true, false, _) => return Err(TrainError::NoPooler),
        (false, _, pooling) => pooling.ok_or(TrainError::PoolsByLargest)?,
    };
    let texts: Vec<String> = dataset.samples().map(|id| text.read(dataset, id).into_owned()).collect();
    let mut tokens = encoder.tokens(&texts, progress).map_err(crate::io::MeaningError::from)?;
    let mut notes = Vec::new();
    let longest = (asked.longest as usize).max(8);
    if longest > encoder.longest() {
        notes
            .push(format!("the folder reads {} tokens of a text at most, fewer than the {longest} asked for", encoder.longest()));
    }
    let longest = longest.min(encoder.longest());
    let long = tokens.iter_mut().filter(|list| list.len() > longest).map(|list| {
        // The last token says that the text ends.
        let end = list.last().copied();
        list.truncate(longest - 1);
        list.extend(end);
    });
    let long = long.count();
    if long > 0 {
        notes.push(format!("{} cut at {longest} tokens", count_samples(long)));
    }
    let rows = split_of(tasks, lesson.seed, &mut notes);
    let steps = rows.train.len().div_ceil(batch_of(asked)) * asked.epochs.max(1) as usize;
    let lora = |lora: LoraAsked| LoraFit {
        rank: lora.rank.clamp(1, 256) as usize,
        #[allow(clippy::cast_possible_truncation)]
        alpha: lora.alpha as f32,
        adapted: LoraAsked::MAPS[lora.maps.min(LoraAsked::MAPS.len() - 1)].1,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let fit = TuneFit {
        rate: asked.rate as f32,
        head_rate: if asked.from_head { HEAD_RATE } else { HEAD_RATE.max(asked.rate as f32) },
        decay: asked.decay as f32,
        rising: (steps as f64 * asked.rising.clamp(0.0, 1.0)) as usize,
        steps,
        clip: asked.clip as f32,
        smoothing: asked.smoothing as f32,
        dropout: asked.dropout as f32,
        frozen: asked.frozen as usize,
        frozen_words: asked.frozen_words,
        pooling,
        normed: asked.from_head && pooling != Pooling::Pooler,
        uncertain,
        lora: asked.lora.map(lora),
        seed: lesson.seed,
        ..TuneFit::default()
    };
    Ok(Ready { encoder, tokens, rows, fit, longest, notes })
}

/// The validation part, or one cut from the train part where there is none.
fn split_of(tasks: &[TaskParts], seed: u64, notes: &mut Vec<String>) -> TaughtRows {
    let rows = tasks[0].parts.of.len();
    let class = |task: &TaskParts, row: usize, part: RunPart| match task.parts.of[row] {
        Some((own, class)) if own == part && (class as usize) < task.parts.learned => class,
        _ => NO_CLASS,
    };
    let of = |part: RunPart| -> Vec<(u32, Vec<u32>)> {
        let one = |row: usize| (row as u32, tasks.iter().map(|task| class(task, row, part)).collect::<Vec<u32>>());
        (0..rows).map(one).filter(|(_, classes)| classes.iter().any(|class| *class != NO_CLASS)).collect()
    };
    let taught = |train: Vec<(u32, Vec<u32>)>, validation: Vec<(u32, Vec<u32>)>| {
        let (train, train_truth): (Vec<u32>, Vec<Vec<u32>>) = train.into_iter().unzip();
        let (validation, validation_truth): (Vec<u32>, Vec<Vec<u32>>) = validation.into_iter().unzip();
        TaughtRows { train, train_truth: train_truth.concat(), validation, validation_truth: validation_truth.concat() }
    };
    let (train, validation) = (of(RunPart::Train), of(RunPart::Validation));
    if !validation.is_empty() {
        return taught(train, validation);
    }
    let parts = &tasks[0].parts;
    if train.len() < FEW * parts.learned {
        let n = train.len() / parts.learned.max(1);
        notes.push(format!(
            "no part is called validation, and of some {n} samples a class none are spared for one: it goes through all epochs"
        ));
        return taught(train, validation);
    }
    let within = |id: SampleId| parts.of[id.row()].filter(|(part, _)| *part == RunPart::Train).map(|(_, class)| class);
    let drawn = held_out((&parts.together, &parts.hashes), &within, (VALIDATION, seed_of(&[seed, 0x7a1])));
    let is_out = |row: u32| drawn[row as usize].is_some_and(|(out, _)| out);
    let (validation, train): (Vec<_>, Vec<_>) = train.into_iter().partition(|(row, _)| is_out(*row));
    notes.push(if validation.is_empty() {
        "there are too few samples to cut a validation part from the train part: it goes through all epochs".to_owned()
    } else {
        let n = count_samples(validation.len());
        format!("no part is called validation: {n} of the train part say when it is enough, and are not learned from")
    });
    taught(train, validation)
}

/// The heads that learning begins with, one after the other: logistic regression on what the encoder says as it is, or nothing.
#[allow(clippy::cast_possible_truncation)]
fn first_heads(
    layout: &BertLayout,
    params: &[f32],
    ready: &Ready,
    (tasks, asked, seed): (&[TaskParts], &TuneAsked, u64),
    progress: &Progress,
) -> Result<(Vec<f32>, Vec<Option<Chosen>>), TrainError> {
    let hidden = layout.shape.hidden;
    let (mut heads, mut all) = (Vec::new(), Vec::new());
    let rows = || vectors(layout, params, (&ready.tokens, &ready.rows.train), (ready.fit.pooling, ready.fit.normed), progress);
    let dense = asked.from_head.then(rows).transpose()?;
    for (at, task) in tasks.iter().enumerate() {
        let classes = task.parts.learned;
        let mut head = vec![0.0f32; classes * hidden + classes];
        let Some(dense) = &dense else {
            let mut chance = Chance::new(seed_of(&[seed, 0x4ead + at as u64]));
            head[..classes * hidden].iter_mut().for_each(|weight| *weight = chance.within(-0.035, 0.035) as f32);
            heads.extend(head);
            all.push(None);
            continue;
        };
        let own = ready.rows.train_truth.iter().skip(at).step_by(tasks.len());
        let (places, truth): (Vec<u32>, Vec<u32>) =
            (0u32..).zip(own).filter(|(_, class)| **class != NO_CLASS).map(|(place, class)| (place, *class)).unzip();
        let together: Vec<u32> =
            places.iter().map(|place| task.parts.together[ready.rows.train[*place as usize] as usize]).collect();
        let of = HeadRows { rows: &places, truth: &truth, together: &together, classes };
        let fit = HeadFit { balanced: asked.balanced, ..HeadFit::default() };
        let found = choose_head(HeadInput::Dense(dense), of, fit, Some(FIRST_C), seed, progress)?;
        let LinearHead { weights, bias, .. } = &found.head;
        for class in 0..classes {
            for at in 0..hidden {
                head[class * hidden + at] = weights[at * classes + class] as f32;
            }
            head[classes * hidden + class] = bias[class] as f32;
        }
        heads.extend(head);
        let tried = found.tried.iter().map(|one| (one.c, one.evened, one.folds, one.accuracy)).collect();
        all.push(Some(Chosen { c: found.fit.c, evened: found.fit.evened, tried }));
    }
    Ok((heads, all))
}

/// Steps that are made to say how long all will take.
const TRIED: usize = 3;

/// Makes three steps, and says how long all of them will take, and what memory.
pub(super) fn try_tuning(
    dataset: &Dataset,
    lesson: &Lesson,
    (folder, asked, uncertain): (&Path, &TuneAsked, bool),
    weights: Vec<f64>,
    now: &dyn Fn() -> f64,
    progress: &Progress,
) -> Result<TriedSteps, TrainError> {
    let parts = TrainParts::all(dataset, lesson, progress)?;
    let tasks: Vec<TaskParts> = parts.into_iter().zip(weights).map(|(parts, weight)| TaskParts { parts, weight }).collect();
    let ready = made_ready(dataset, lesson, (folder, asked, uncertain), &tasks, progress)?;
    let (layout, params, _) = ready.encoder.to_teach();
    let list: Vec<HeadTask> = tasks.iter().map(|task| task_of(&task.parts, task.weight, asked.balanced)).collect();
    let head: usize = list.iter().map(|task| task.classes * (layout.shape.hidden + 1)).sum();
    let mut tuned = Tuned::new(params.to_vec(), vec![0.0; head], list).adapted(layout, &ready.fit);
    let going = Going { epochs: 1, ..ready.going(asked) };
    let (seconds, bytes) = going.tried(&mut tuned, TRIED, now, progress)?;
    let seconds = seconds * f64::from(asked.epochs.max(1));
    Ok(TriedSteps { steps: ready.fit.steps, seconds, bytes, tokens: 0 })
}
