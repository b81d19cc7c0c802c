//! Fine-tuning: an encoder and a linear head learn together, by `AdamW` (Loshchilov and Hutter 2019) with a rate that rises and falls, and gradients that are clipped.
//!
//! Deterministic for a seed on one machine: the parts of a batch are summed in their order, and whatever is drawn is drawn from [`crate::chance`].

use rayon::prelude::*;

use super::bert::{BertLayout, Dropout, TokenRows};
use super::heads::softmax;
use crate::chance::{Chance, seed_of};

/// How an encoder is taught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneFit {
    /// The rate of the encoder and of the head.
    pub rate: f32,
    pub head_rate: f32,
    /// Weight decay; of biases and norms none where `spared`.
    pub decay: f32,
    pub spared: bool,
    /// Steps over which the rate rises, and steps in all: it falls in a line to nothing.
    pub rising: usize,
    pub steps: usize,
    /// Whether the rate rises and falls at all.
    pub scheduled: bool,
    /// The most that all gradients together are long; 0 for no bound.
    pub clip: f32,
    /// How much of what is true is spread over all classes.
    pub smoothing: f32,
    pub dropout: f32,
    /// Layers from below, and the table of words, that stay as they are.
    pub frozen: usize,
    pub frozen_words: bool,
    /// Whether a text's row is scaled to length 1 before the head.
    pub normed: bool,
    pub seed: u64,
}

impl Default for TuneFit {
    fn default() -> Self {
        Self {
            rate: 5e-5,
            head_rate: 1e-3,
            decay: 0.01,
            spared: true,
            rising: 0,
            steps: 1,
            scheduled: true,
            clip: 1.0,
            smoothing: 0.0,
            dropout: 0.1,
            frozen: 0,
            frozen_words: true,
            normed: false,
            seed: 42,
        }
    }
}

/// An encoder and its head while they learn: what a checkpoint holds.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The encoder's numbers, as its layout has them.
    pub params: Vec<f32>,
    /// `classes × hidden`, then one a class.
    pub head: Vec<f32>,
    pub classes: usize,
    /// Means of gradients and of their squares, of both.
    pub moments: [Vec<f32>; 4],
    /// Steps that were made.
    pub step: usize,
    /// Room for gradients, kept from step to step: they are as large as the encoder.
    room: Vec<Vec<f32>>,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedStep {
    pub loss: f64,
    /// How long all gradients together were, before they were clipped.
    pub gradient: f64,
    pub rate: f64,
    /// What the model said of each text before it learned from it: `classes` logits.
    pub logits: Vec<f32>,
}

/// The parts of a batch that are worked out side by side, and summed in their order.
const PARTS: usize = 2;
const BETA: (f32, f32, f32) = (0.9, 0.999, 1e-8);

/// What a part of a batch comes to.
struct Part {
    loss: f64,
    logits: Vec<f32>,
    slope: Vec<f32>,
    head: Vec<f32>,
}

impl Tuned {
    /// An encoder as it is, and a head: `classes × hidden` weights and one intercept a class.
    pub fn new(params: Vec<f32>, head: Vec<f32>, classes: usize) -> Self {
        let zeros = |n: usize| vec![0.0; n];
        let moments = [zeros(params.len()), zeros(params.len()), zeros(head.len()), zeros(head.len())];
        Self { params, head, classes, moments, step: 0, room: Vec::new() }
    }

    /// Rows of texts: the mean over their tokens, of length 1 where `normed`. `hidden` numbers each.
    pub fn pooled(layout: &BertLayout, said: &[f32], rows: &TokenRows, normed: bool) -> Vec<f32> {
        let hidden = layout.shape.hidden;
        let mut out = vec![0.0; rows.texts() * hidden];
        for (range, out) in rows.starts.windows(2).zip(out.chunks_mut(hidden)) {
            let n = (range[1] - range[0]).max(1) as f32;
            said[range[0] * hidden..range[1] * hidden].chunks(hidden).for_each(|token| {
                out.iter_mut().zip(token).for_each(|(out, x)| *out += x / n);
            });
            if normed {
                super::dense::normalise(out);
            }
        }
        out
    }

    /// Logits of texts, `classes` each.
    pub fn logits(&self, layout: &BertLayout, rows: &TokenRows, normed: bool) -> Vec<f32> {
        let said = layout.said(&self.params, rows);
        self.headed(layout, &Self::pooled(layout, &said, rows, normed))
    }

    fn headed(&self, layout: &BertLayout, pooled: &[f32]) -> Vec<f32> {
        let hidden = layout.shape.hidden;
        let (weights, bias) = self.head.split_at(self.classes * hidden);
        let mut out = Vec::with_capacity(pooled.len() / hidden * self.classes);
        for row in pooled.chunks(hidden) {
            out.extend(weights.chunks(hidden).zip(bias).map(|(weights, bias)| bias + super::dense::dot(weights, row)));
        }
        out
    }

    /// One step on some texts and their classes.
    pub fn learn(&mut self, layout: &BertLayout, texts: &[&[u32]], truth: &[u32], fit: &TuneFit) -> TunedStep {
        let middle = texts.len().div_ceil(PARTS).max(1);
        let whole = texts.len() as f32;
        let learned: Vec<std::ops::Range<usize>> = layout
            .names
            .iter()
            .filter(|(name, _)| fit.learns(name))
            .map(|(_, place)| place.at..place.at + place.rows * place.columns)
            .collect();
        let mut room = std::mem::take(&mut self.room);
        room.resize_with(PARTS, || vec![0.0; layout.size]);
        for slope in &mut room {
            learned.iter().for_each(|range| slope[range.clone()].fill(0.0));
        }
        let parts: Vec<Part> = texts
            .par_chunks(middle)
            .zip(truth.par_chunks(middle))
            .zip(room.par_drain(..))
            .enumerate()
            .map(|(at, ((texts, truth), slope))| self.part(layout, (texts, truth), fit, whole, at as u64, slope))
            .collect();
        let mut parts = parts.into_iter();
        let Some(mut sum) = parts.next() else {
            return TunedStep { loss: 0.0, gradient: 0.0, rate: 0.0, logits: Vec::new() };
        };
        for part in parts {
            sum.loss += part.loss;
            sum.logits.extend(part.logits);
            for range in &learned {
                let own = &part.slope[range.clone()];
                sum.slope[range.clone()].iter_mut().zip(own).for_each(|(sum, part)| *sum += part);
            }
            self.room.push(part.slope);
            sum.head.iter_mut().zip(part.head).for_each(|(sum, part)| *sum += part);
        }
        // Summed in the order of names, in double precision: the same every time.
        let square = |list: &[f32]| list.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
        let all: f64 = learned.iter().map(|range| square(&sum.slope[range.clone()])).sum();
        let gradient = (all + square(&sum.head)).sqrt();
        #[allow(clippy::cast_possible_truncation)]
        let scale =
            if fit.clip > 0.0 && gradient > f64::from(fit.clip) { (f64::from(fit.clip) / (gradient + 1e-6)) as f32 } else { 1.0 };
        let part = fit.part_of_rate(self.step);
        self.step += 1;
        let step = AdamStep { step: self.step, scale, part };
        let [first, second, head_first, head_second] = &mut self.moments;
        for (name, place) in &layout.names {
            if !fit.learns(name) {
                continue;
            }
            let range = place.at..place.at + place.rows * place.columns;
            let moments = (&mut first[range.clone()], &mut second[range.clone()]);
            step.step(&mut self.params[range.clone()], moments, &sum.slope[range], fit.rate, fit.decay_of(name));
        }
        let weights = self.classes * layout.shape.hidden;
        for (range, name) in [(0..weights, "head.weight"), (weights..self.head.len(), "head.bias")] {
            let moments = (&mut head_first[range.clone()], &mut head_second[range.clone()]);
            step.step(&mut self.head[range.clone()], moments, &sum.head[range], fit.head_rate, fit.decay_of(name));
        }
        self.room.push(sum.slope);
        TunedStep { loss: sum.loss, gradient, rate: f64::from(fit.rate * part), logits: sum.logits }
    }

    /// The loss of some texts of a batch of `whole`, and its gradients.
    #[allow(clippy::cast_possible_truncation)]
    fn part(
        &self,
        layout: &BertLayout,
        (texts, truth): (&[&[u32]], &[u32]),
        fit: &TuneFit,
        whole: f32,
        at: u64,
        mut slope: Vec<f32>,
    ) -> Part {
        let (hidden, classes) = (layout.shape.hidden, self.classes);
        let rows = TokenRows::of(texts.iter().copied());
        let chance = Chance::new(seed_of(&[fit.seed, self.step as u64, at]));
        let mut drop = Dropout { rows: fit.dropout, attention: fit.dropout, chance };
        let (said, kept) = layout.forward(&self.params, &rows, true, &mut drop);
        let mean = Self::pooled(layout, &said, &rows, false);
        let mut pooled = mean.clone();
        if fit.normed {
            pooled.chunks_mut(hidden).for_each(super::dense::normalise);
        }
        let logits = self.headed(layout, &pooled);
        let mut loss = 0.0;
        let mut head = vec![0.0f32; self.head.len()];
        let mut dx = vec![0.0f32; said.len()];
        let (weights, _) = self.head.split_at(classes * hidden);
        let spread = f64::from(fit.smoothing) / classes as f64;
        for (row, truth) in truth.iter().enumerate() {
            let mut p: Vec<f64> = logits[row * classes..(row + 1) * classes].iter().map(|z| f64::from(*z)).collect();
            let own: Vec<f64> = p.clone();
            let sum = softmax(&mut p);
            let wanted = |class: usize| spread + if class == *truth as usize { 1.0 - f64::from(fit.smoothing) } else { 0.0 };
            loss += (0..classes).map(|class| wanted(class) * (sum - own[class])).sum::<f64>() / f64::from(whole);
            let mut to = vec![0.0f32; hidden];
            for class in 0..classes {
                let error = ((p[class] - wanted(class)) / f64::from(whole)) as f32;
                let own = &pooled[row * hidden..(row + 1) * hidden];
                head[class * hidden..(class + 1) * hidden].iter_mut().zip(own).for_each(|(sum, x)| *sum += error * x);
                head[classes * hidden + class] += error;
                to.iter_mut().zip(&weights[class * hidden..(class + 1) * hidden]).for_each(|(sum, w)| *sum += error * w);
            }
            if fit.normed {
                let own = &pooled[row * hidden..(row + 1) * hidden];
                let before = &mean[row * hidden..(row + 1) * hidden];
                let length = super::dense::dot(before, before).sqrt().max(1e-12);
                let along = super::dense::dot(&to, own);
                to.iter_mut().zip(own).for_each(|(to, own)| *to = (*to - along * own) / length);
            }
            let (from, end) = (rows.starts[row], rows.starts[row + 1]);
            let n = (end - from).max(1) as f32;
            dx[from * hidden..end * hidden].chunks_mut(hidden).for_each(|token| {
                token.iter_mut().zip(&to).for_each(|(dx, to)| *dx = to / n);
            });
        }
        layout.backward(&self.params, &rows, &kept, dx, &mut slope, (fit.frozen, !fit.frozen_words));
        Part { loss, logits, slope, head }
    }
}

/// One step of `AdamW`.
struct AdamStep {
    step: usize,
    /// By what gradients are multiplied: they are clipped.
    scale: f32,
    /// The part of the rate at this step.
    part: f32,
}

impl AdamStep {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    fn step(&self, list: &mut [f32], (first, second): (&mut [f32], &mut [f32]), slope: &[f32], rate: f32, decay: f32) {
        let (beta, square, least) = BETA;
        let rate = rate * self.part;
        let fade = |beta: f32| 1.0 - f64::from(beta).powi(self.step as i32);
        let (by, root) = ((f64::from(rate) / fade(beta)) as f32, (1.0 / fade(square).sqrt()) as f32);
        let (keep, scale) = (1.0 - rate * decay, self.scale);
        super::dense::vectorised(
            #[inline(always)]
            || {
                for ((x, slope), (first, second)) in list.iter_mut().zip(slope).zip(first.iter_mut().zip(second)) {
                    let slope = slope * scale;
                    *first = beta * *first + (1.0 - beta) * slope;
                    *second = square * *second + (1.0 - square) * slope * slope;
                    *x = *x * keep - by * *first / (second.sqrt() * root + least);
                }
            },
        );
    }
}

impl TuneFit {
    /// The part of the rate before a step, counted from 0: it rises in a line, and falls in a line to nothing (transformers' linear schedule).
    fn part_of_rate(&self, step: usize) -> f32 {
        if !self.scheduled {
            return 1.0;
        }
        if step < self.rising {
            return step as f32 / self.rising.max(1) as f32;
        }
        (self.steps.saturating_sub(step)) as f32 / self.steps.saturating_sub(self.rising).max(1) as f32
    }

    /// Whether a parameter learns.
    fn learns(&self, name: &str) -> bool {
        if name == "embeddings.word_embeddings.weight" {
            return !self.frozen_words && self.frozen == 0;
        }
        let layer = name.strip_prefix("encoder.layer.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        layer.map_or(self.frozen == 0, |layer| layer >= self.frozen)
    }

    fn decay_of(&self, name: &str) -> f32 {
        if self.spared && (name.ends_with("bias") || name.contains("LayerNorm")) { 0.0 } else { self.decay }
    }
}
