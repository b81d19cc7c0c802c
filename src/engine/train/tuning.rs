//! Full fine-tuning: a small encoder and its head learn together from the train part. The head begins as logistic regression on what the encoder says before; it ends where the validation part does not get better any more.

use std::path::Path;

use super::asked::{Lesson, TuneAsked};
use super::fault::TrainError;
use super::parts::{RunPart, TrainParts, held_out};
use super::run::{Chosen, EpochSeen, HeadModel, Learned, SampleSeen};
use crate::chance::{Chance, seed_of};
use crate::data::{Dataset, SampleId, count_samples};
use crate::derive::TextOf;
use crate::io::{ModelWords, keep_encoder, open_encoder};
use crate::job::Progress;
use crate::learn::bert::{BertLayout, TokenRows};
use crate::learn::dense::Dense;
use crate::learn::dynamics::Dynamics;
use crate::learn::head_choice::{HeadRows, choose_head};
use crate::learn::heads::{HeadFit, HeadInput, LinearHead, softmax};
use crate::learn::scores::{Predicted, Scores};
use crate::learn::tune::{TuneFit, Tuned};

/// One part in so many of the train part is the validation part where there is none.
const VALIDATION: usize = 10;
/// Of fewer samples a class than this none are spared for it: the tenth would cost more than it tells.
const FEW: usize = 20;
/// Batches that are sorted by length together, so that those of one length go through side by side.
const BUCKET: usize = 8;
/// Epochs after each other that may better nothing.
const PATIENCE: usize = 2;
/// The part of all steps over which the rate rises.
const RISING: usize = 10;
/// How the head is held that learning begins with: one that is held less fits the train part so well that nothing is left to learn from.
const FIRST_C: f64 = 10.0;
/// The rate of a head.
const HEAD_RATE: f32 = 1e-3;

/// Who is learned from, and who says when it is enough.
struct Rows {
    train: Vec<(u32, u32)>,
    validation: Vec<(u32, u32)>,
}

/// Teaches an encoder, and says what it says of the samples that are asked for.
pub fn tune(
    dataset: &Dataset,
    lesson: &Lesson,
    (folder, asked): (&Path, &TuneAsked),
    parts: &TrainParts,
    (rows, keep): (&[u32], Option<&Path>),
    progress: &Progress,
) -> Result<Learned, TrainError> {
    if lesson.text.is_none() && dataset.pictures().is_some() {
        return Err(TrainError::TunedPictures);
    }
    let text = TextOf::of(dataset, lesson.text.as_deref())?;
    let encoder = open_encoder(folder)?;
    let (layout, params, mean) = encoder.to_teach();
    let texts: Vec<String> = dataset.samples().map(|id| text.read(dataset, id).into_owned()).collect();
    let mut tokens = encoder.tokens(&texts, progress).map_err(crate::io::MeaningError::from)?;
    let mut notes = Vec::new();
    let longest = (asked.longest as usize).max(8);
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
    if !mean {
        notes.push("the folder takes the first token for a text; fine-tuned it is the mean of all of them".to_owned());
    }
    let split = split_of(parts, lesson.seed, &mut notes);
    let batch = (asked.batch as usize).clamp(1, 1_024);
    let steps = split.train.len().div_ceil(batch) * asked.epochs.max(1) as usize;
    let (head, chosen) = first_head(layout, params, &tokens, &split, (parts, asked, lesson.seed), progress)?;
    progress.set_total(steps as u64);
    #[allow(clippy::cast_possible_truncation)]
    let fit = TuneFit {
        rate: asked.rate as f32,
        head_rate: if asked.from_head { HEAD_RATE } else { HEAD_RATE.max(asked.rate as f32) },
        rising: steps / RISING,
        steps,
        smoothing: asked.smoothing as f32,
        dropout: asked.dropout as f32,
        frozen: asked.frozen as usize,
        normed: asked.from_head,
        seed: lesson.seed,
        ..TuneFit::default()
    };
    let tuned = Tuned::new(params.to_vec(), head, parts.learned);
    let (best, epochs, seen) = gone_through(layout, tuned, &tokens, &split, (&fit, batch, asked.epochs), &mut notes, progress)?;
    let probabilities = said_of(layout, &best, &tokens, rows, fit.normed, progress)?;
    if let Some(to) = keep {
        let words = ModelWords { classes: &parts.classes[..parts.learned], about: &parts.about(lesson) };
        if let Err(why) = keep_encoder((folder, &encoder), &best, (fit.normed, longest), &words, to) {
            // The run is not lost by it.
            notes.push(format!("the model could not be taken away: {why}"));
        }
    }
    notes.push("it says nothing of samples of the train part: it has seen them all".to_owned());
    Ok(Learned { model: HeadModel::Encoder, chosen, held_out: Vec::new(), probabilities, epochs, seen, notes })
}

/// The validation part, or one cut from the train part where there is none.
fn split_of(parts: &TrainParts, seed: u64, notes: &mut Vec<String>) -> Rows {
    let of = |part| -> Vec<(u32, u32)> {
        parts.members(part).filter(|(_, class)| (*class as usize) < parts.learned).map(|(id, class)| (id.0, class)).collect()
    };
    let (train, validation) = (of(RunPart::Train), of(RunPart::Validation));
    if !validation.is_empty() {
        return Rows { train, validation };
    }
    if train.len() < FEW * parts.learned {
        let n = train.len() / parts.learned.max(1);
        notes.push(format!(
            "no part is called validation, and of some {n} samples a class none are spared for one: it goes through all epochs"
        ));
        return Rows { train, validation };
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
    Rows { train, validation }
}

/// Rows of `hidden` numbers that a model says of samples, of length 1.
fn vectors(
    layout: &BertLayout,
    params: &[f32],
    tokens: &[Vec<u32>],
    rows: &[u32],
    progress: &Progress,
) -> Result<Dense, TrainError> {
    use rayon::prelude::*;
    let parts: Vec<Vec<f32>> = rows
        .par_chunks(32)
        .map(|part| {
            progress.check()?;
            let own = TokenRows::of(part.iter().map(|row| tokens[*row as usize].as_slice()));
            Ok(Tuned::pooled(layout, &layout.said(params, &own), &own, true))
        })
        .collect::<Result<_, TrainError>>()?;
    Ok(Dense { dims: layout.shape.hidden, data: parts.concat() })
}

/// The head that learning begins with: logistic regression on what the encoder says as it is, or nothing.
#[allow(clippy::cast_possible_truncation)]
fn first_head(
    layout: &BertLayout,
    params: &[f32],
    tokens: &[Vec<u32>],
    split: &Rows,
    (parts, asked, seed): (&TrainParts, &TuneAsked, u64),
    progress: &Progress,
) -> Result<(Vec<f32>, Option<Chosen>), TrainError> {
    let (hidden, classes) = (layout.shape.hidden, parts.learned);
    let mut head = vec![0.0f32; classes * hidden + classes];
    if !asked.from_head {
        let mut chance = Chance::new(seed_of(&[seed, 0x4ead]));
        head[..classes * hidden].iter_mut().for_each(|weight| *weight = chance.within(-0.035, 0.035) as f32);
        return Ok((head, None));
    }
    let rows: Vec<u32> = split.train.iter().map(|(row, _)| *row).collect();
    let truth: Vec<u32> = split.train.iter().map(|(_, class)| *class).collect();
    let together: Vec<u32> = rows.iter().map(|row| parts.together[*row as usize]).collect();
    let dense = vectors(layout, params, tokens, &rows, progress)?;
    let places: Vec<u32> = (0..rows.len() as u32).collect();
    let of = HeadRows { rows: &places, truth: &truth, together: &together, classes };
    let found = choose_head(HeadInput::Dense(&dense), of, HeadFit::default(), Some(FIRST_C), seed, progress)?;
    let LinearHead { weights, bias, .. } = &found.head;
    for class in 0..classes {
        for at in 0..hidden {
            head[class * hidden + at] = weights[at * classes + class] as f32;
        }
        head[classes * hidden + class] = bias[class] as f32;
    }
    let tried = found.tried.iter().map(|one| (one.c, one.evened, one.folds, one.accuracy)).collect();
    Ok((head, Some(Chosen { c: found.fit.c, evened: found.fit.evened, tried })))
}

/// What a model says of samples: probabilities, class by class.
fn said_of(
    layout: &BertLayout,
    tuned: &Tuned,
    tokens: &[Vec<u32>],
    rows: &[u32],
    normed: bool,
    progress: &Progress,
) -> Result<Vec<f64>, TrainError> {
    use rayon::prelude::*;
    let parts: Vec<Vec<f64>> = rows
        .par_chunks(32)
        .map(|part| {
            progress.check()?;
            let own = TokenRows::of(part.iter().map(|row| tokens[*row as usize].as_slice()));
            let mut logits: Vec<f64> = tuned.logits(layout, &own, normed).into_iter().map(f64::from).collect();
            logits.chunks_mut(tuned.classes).for_each(|row| {
                softmax(row);
            });
            Ok(logits)
        })
        .collect::<Result<_, TrainError>>()?;
    Ok(parts.concat())
}

/// Batches of one epoch: shuffled, those of like length together, and shuffled again.
fn batches(tokens: &[Vec<u32>], train: &[(u32, u32)], batch: usize, chance: &mut Chance) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..train.len()).collect();
    chance.shuffle(&mut order);
    for bucket in order.chunks_mut(batch * BUCKET) {
        bucket.sort_by_key(|at| tokens[train[*at].0 as usize].len());
    }
    let mut list: Vec<Vec<usize>> = order.chunks(batch).map(<[usize]>::to_vec).collect();
    chance.shuffle(&mut list);
    list
}

/// Goes through the train part until the validation part does not get better. The best model, what each epoch came to, and what was seen of every sample.
fn gone_through(
    layout: &BertLayout,
    mut tuned: Tuned,
    tokens: &[Vec<u32>],
    split: &Rows,
    (fit, batch, most): (&TuneFit, usize, u32),
    notes: &mut Vec<String>,
    progress: &Progress,
) -> Result<(Tuned, Vec<EpochSeen>, Vec<SampleSeen>), TrainError> {
    let validation: Vec<u32> = split.validation.iter().map(|(row, _)| *row).collect();
    let truth: Vec<u32> = split.validation.iter().map(|(_, class)| *class).collect();
    let mut chance = Chance::new(seed_of(&[fit.seed, 0xba7c]));
    let mut seen = Dynamics::new(split.train.len());
    let mut epochs: Vec<EpochSeen> = Vec::new();
    // Of the best its numbers alone: the moments are twice as large again.
    let mut best: Option<(Vec<f32>, Vec<f32>, EpochSeen)> = None;
    let mut without = 0;
    for epoch in 0..most.max(1) as usize {
        let (mut loss, mut n) = (0.0, 0);
        for list in batches(tokens, &split.train, batch, &mut chance) {
            progress.step(1)?;
            let texts: Vec<&[u32]> = list.iter().map(|at| tokens[split.train[*at].0 as usize].as_slice()).collect();
            let classes: Vec<u32> = list.iter().map(|at| split.train[*at].1).collect();
            let step = tuned.learn(layout, &texts, &classes, fit);
            if !step.loss.is_finite() || !step.gradient.is_finite() {
                let Some((params, head, _)) = best else { return Err(TrainError::NoLoss(tuned.step)) };
                notes.push(format!(
                    "the loss was no number any more at step {}: the best of {} before is kept",
                    tuned.step,
                    crate::data::things(epochs.len(), "epoch", "epochs")
                ));
                (tuned.params, tuned.head) = (params, head);
                return Ok((tuned, epochs, dynamics_of(&seen, split)));
            }
            for (at, logits) in list.iter().zip(step.logits.chunks(tuned.classes)) {
                seen.see(*at, logits, split.train[*at].1 as usize);
            }
            loss += step.loss;
            n += 1;
        }
        let probabilities = said_of(layout, &tuned, tokens, &validation, fit.normed, progress)?;
        let scores = Scores::of(&truth, Predicted { classes: tuned.classes, of: &probabilities });
        let now = EpochSeen {
            loss: loss / f64::from(n.max(1)),
            validation_loss: if validation.is_empty() { f64::NAN } else { scores.log_loss },
            validation_accuracy: if validation.is_empty() { f64::NAN } else { scores.accuracy },
        };
        epochs.push(now);
        // Where nothing says which is better, the last one is.
        let better = validation.is_empty()
            || best.as_ref().is_none_or(|(.., before)| {
                (now.validation_accuracy, -now.validation_loss) > (before.validation_accuracy, -before.validation_loss)
            });
        without = if better { 0 } else { without + 1 };
        if better {
            best = Some((tuned.params.clone(), tuned.head.clone(), now));
        }
        if without >= PATIENCE && epoch + 1 < most as usize {
            notes.push(format!("it ended after {} epochs: two after each other did not better the validation part", epoch + 1));
            break;
        }
    }
    if let Some((params, head, _)) = best {
        (tuned.params, tuned.head) = (params, head);
    }
    Ok((tuned, epochs, dynamics_of(&seen, split)))
}

fn dynamics_of(seen: &Dynamics, split: &Rows) -> Vec<SampleSeen> {
    let of = |(at, (row, _)): (usize, &(u32, u32))| {
        let one = seen.of(at)?;
        Some((*row, one.confidence, one.variability, one.aum, one.correctness, one.forgetting))
    };
    split.train.iter().enumerate().filter_map(of).collect()
}
