//! Fine-tuning: an encoder and a linear head a task learn together, by `AdamW` (Loshchilov and Hutter 2019) with a rate that rises and falls, and gradients that are clipped.
//!
//! Deterministic for a seed on one machine: the parts of a batch are summed in their order, and whatever is drawn is drawn from [`crate::chance`].

use rayon::prelude::*;

use super::adam::AdamStep;
use super::bert::{BertLayout, Dropout, Learns, TokenRows};
use super::heads::softmax;
use super::lora::{Lora, LoraFit};
use crate::chance::{Chance, seed_of};

/// How an encoder is taught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneFit {
    /// The rate of the encoder (or of what is added to it) and of the heads.
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
    /// What of a text's tokens the heads see.
    pub pooling: Pooling,
    /// Whether a text's row is scaled to length 1 before the heads.
    pub normed: bool,
    /// Whether tasks are weighed by how uncertain each is (Kendall et al. 2018), which is learned, too: the loss is `Σ wₜ (e⁻ˢᵗ Lₜ + sₜ / 2)`.
    pub uncertain: bool,
    /// Where it is given the encoder stays, and learns by what is added to it.
    pub lora: Option<LoraFit>,
    pub seed: u64,
}

/// What of a text's tokens stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pooling {
    /// The mean over all of them.
    #[default]
    Mean,
    /// The first.
    First,
    /// The first, through the pooler of BERT: a linear map and `tanh`.
    Pooler,
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
            pooling: Pooling::Mean,
            normed: false,
            uncertain: false,
            lora: None,
            seed: 42,
        }
    }
}

/// What a head is to tell apart.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadTask {
    pub classes: usize,
    /// By what its loss is multiplied.
    pub weight: f32,
    /// How much a sample of each class weighs; all the same where there are none.
    pub balance: Vec<f32>,
}

impl HeadTask {
    /// One whose samples and whose loss weigh 1.
    pub fn plain(classes: usize) -> Self {
        Self { classes, weight: 1.0, balance: Vec::new() }
    }

    fn weight_of(&self, class: u32) -> f32 {
        self.balance.get(class as usize).copied().unwrap_or(1.0)
    }
}

/// The class of a text that has no label of a task.
pub const NO_CLASS: u32 = u32::MAX;

/// An encoder and its heads while they learn.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The encoder's numbers, as its layout has them, with what was added to them.
    pub params: Vec<f32>,
    pub tasks: Vec<HeadTask>,
    /// Of each task after the other: `classes × hidden`, then one a class.
    pub head: Vec<f32>,
    /// How uncertain each task is: `sₜ`.
    pub uncertainty: Vec<f32>,
    pub lora: Option<Lora>,
    /// Means of gradients and of their squares of all that learns, in the order of [`Tuned::learned`].
    pub moments: [Vec<f32>; 2],
    /// Steps that were made.
    pub step: usize,
    /// Room for gradients, kept from step to step: they are as large as the encoder.
    room: Vec<Vec<f32>>,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedStep {
    pub loss: f64,
    /// The loss of each task before it is weighed; no number where no text of the batch has its label.
    pub losses: Vec<f64>,
    /// How long all gradients together were, before they were clipped.
    pub gradient: f64,
    pub rate: f64,
    /// What the model said of each text before it learned from it: the logits of all tasks.
    pub logits: Vec<f32>,
}

/// The parts of a batch that are worked out side by side, and summed in their order.
const PARTS: usize = 2;

/// What a part of a batch comes to.
struct Part {
    losses: Vec<f64>,
    logits: Vec<f32>,
    slope: Vec<f32>,
    head: Vec<f32>,
}

/// Where a group of numbers lies that learn at one rate.
enum Group {
    Encoder(std::ops::Range<usize>),
    Lora,
    Head(std::ops::Range<usize>),
    Uncertainty,
}

impl Tuned {
    /// An encoder as it is, and a head for each task: `classes × hidden` weights and one intercept a class, one task after the other.
    pub fn new(params: Vec<f32>, head: Vec<f32>, tasks: Vec<HeadTask>) -> Self {
        let uncertainty = vec![0.0; tasks.len()];
        Self { params, tasks, head, uncertainty, lora: None, moments: [Vec::new(), Vec::new()], step: 0, room: Vec::new() }
    }

    /// The same with matrices beside its maps, where a fit asks for them.
    #[must_use]
    pub fn adapted(mut self, layout: &BertLayout, fit: &TuneFit) -> Self {
        self.lora = fit.lora.map(|lora| Lora::new(layout, &self.params, lora, fit.frozen, fit.seed));
        self
    }

    /// How many logits a text has: the classes of all tasks.
    pub fn width(&self) -> usize {
        self.tasks.iter().map(|task| task.classes).sum()
    }

    /// Rows of texts, of length 1 where `normed`. `hidden` numbers each.
    pub fn pooled(
        layout: &BertLayout,
        params: &[f32],
        said: &[f32],
        rows: &TokenRows,
        (pooling, normed): (Pooling, bool),
    ) -> Vec<f32> {
        let mut out = Self::rows_of(layout, said, rows, pooling);
        if pooling == Pooling::Pooler {
            out = layout.pool(params, &out);
        }
        if normed {
            out.chunks_mut(layout.shape.hidden).for_each(super::dense::normalise);
        }
        out
    }

    /// The mean of a text's tokens, or the first.
    fn rows_of(layout: &BertLayout, said: &[f32], rows: &TokenRows, pooling: Pooling) -> Vec<f32> {
        let hidden = layout.shape.hidden;
        let mut out = vec![0.0; rows.texts() * hidden];
        for (range, out) in rows.starts.windows(2).zip(out.chunks_mut(hidden)) {
            let mut own = said[range[0] * hidden..range[1] * hidden].chunks(hidden);
            if pooling == Pooling::Mean {
                let n = (range[1] - range[0]).max(1) as f32;
                own.for_each(|token| out.iter_mut().zip(token).for_each(|(out, x)| *out += x / n));
            } else if let Some(first) = own.next() {
                out.copy_from_slice(first);
            }
        }
        out
    }

    /// Logits of texts: those of all tasks, one text after the other.
    pub fn logits(&self, layout: &BertLayout, rows: &TokenRows, how: (Pooling, bool)) -> Vec<f32> {
        let said = layout.said(&self.params, rows);
        self.headed(layout, &Self::pooled(layout, &self.params, &said, rows, how))
    }

    /// Where each head lies: its weights, and its intercepts behind them.
    fn heads(&self, hidden: usize) -> impl Iterator<Item = (&HeadTask, std::ops::Range<usize>, std::ops::Range<usize>)> {
        let mut at = 0;
        self.tasks.iter().map(move |task| {
            let (weights, end) = (at..at + task.classes * hidden, at + task.classes * (hidden + 1));
            at = end;
            (task, weights.clone(), weights.end..end)
        })
    }

    fn headed(&self, layout: &BertLayout, pooled: &[f32]) -> Vec<f32> {
        let hidden = layout.shape.hidden;
        let mut out = Vec::with_capacity(pooled.len() / hidden * self.width());
        for row in pooled.chunks(hidden) {
            for (_, weights, bias) in self.heads(hidden) {
                let (weights, bias) = (&self.head[weights], &self.head[bias]);
                out.extend(weights.chunks(hidden).zip(bias).map(|(weights, bias)| bias + super::dense::dot(weights, row)));
            }
        }
        out
    }

    /// All that learns, in one order: where it lies, the rate and the decay that it learns with.
    fn groups(&self, layout: &BertLayout, fit: &TuneFit) -> Vec<(Group, f32, f32)> {
        let mut list: Vec<(Group, f32, f32)> = Vec::new();
        let names = layout.names.iter().filter(|(name, _)| fit.learns(name));
        list.extend(names.map(|(name, place)| (Group::Encoder(place.range()), fit.rate, fit.decay_of(name))));
        list.extend(self.lora.is_some().then_some((Group::Lora, fit.rate, fit.decay)));
        for (_, weights, bias) in self.heads(layout.shape.hidden) {
            list.push((Group::Head(weights), fit.head_rate, fit.decay));
            list.push((Group::Head(bias), fit.head_rate, fit.decay_of("bias")));
        }
        list.extend(fit.uncertain.then_some((Group::Uncertainty, fit.head_rate, 0.0)));
        list
    }

    fn numbers_of(&self, group: &Group) -> &[f32] {
        match group {
            Group::Encoder(range) => &self.params[range.clone()],
            Group::Lora => self.lora.as_ref().map_or(&[], |lora| &lora.numbers),
            Group::Head(range) => &self.head[range.clone()],
            Group::Uncertainty => &self.uncertainty,
        }
    }

    fn numbers_mut(&mut self, group: &Group) -> &mut [f32] {
        match group {
            Group::Encoder(range) => &mut self.params[range.clone()],
            Group::Lora => self.lora.as_mut().map_or(&mut [], |lora| &mut lora.numbers),
            Group::Head(range) => &mut self.head[range.clone()],
            Group::Uncertainty => &mut self.uncertainty,
        }
    }

    /// All numbers that learn, in one list: with the moments and the step it is what a checkpoint holds.
    pub fn learned(&self, layout: &BertLayout, fit: &TuneFit) -> Vec<f32> {
        self.groups(layout, fit).iter().flat_map(|(group, ..)| self.numbers_of(group)).copied().collect()
    }

    /// Takes numbers in the place of all that learn; says whether they were as many.
    pub fn set_learned(&mut self, layout: &BertLayout, fit: &TuneFit, numbers: &[f32]) -> bool {
        let groups = self.groups(layout, fit);
        if groups.iter().map(|(group, ..)| self.numbers_of(group).len()).sum::<usize>() != numbers.len() {
            return false;
        }
        let mut rest = numbers;
        for (group, ..) in &groups {
            let own = self.numbers_mut(group);
            let (now, later) = rest.split_at(own.len());
            own.copy_from_slice(now);
            rest = later;
        }
        self.merge();
        true
    }

    fn merge(&mut self) {
        if let Some(lora) = &self.lora {
            lora.merge(&mut self.params);
        }
    }

    /// By what a task's loss is multiplied as it is now.
    fn weight_of(&self, task: usize, fit: &TuneFit) -> f32 {
        self.tasks[task].weight * if fit.uncertain { (-self.uncertainty[task]).exp() } else { 1.0 }
    }

    /// One step on some texts and the class that each has of every task ([`NO_CLASS`] where it has none), text by text.
    pub fn learn(&mut self, layout: &BertLayout, texts: &[&[u32]], truth: &[u32], fit: &TuneFit) -> TunedStep {
        let tasks = self.tasks.len();
        let groups = self.groups(layout, fit);
        let middle = texts.len().div_ceil(PARTS).max(1);
        // What of the encoder has gradients: what learns, or what is added to.
        let sloped: Vec<std::ops::Range<usize>> = match &self.lora {
            Some(lora) => lora.ranges().collect(),
            None => groups
                .iter()
                .filter_map(|(group, ..)| if let Group::Encoder(range) = group { Some(range.clone()) } else { None })
                .collect(),
        };
        // What the texts of the whole batch weigh together, by task.
        let whole: Vec<f32> = (0..tasks)
            .map(|task| {
                let own = truth.iter().skip(task).step_by(tasks.max(1)).filter(|class| **class != NO_CLASS);
                own.map(|class| self.tasks[task].weight_of(*class)).sum()
            })
            .collect();
        let mut room = std::mem::take(&mut self.room);
        room.resize_with(PARTS, || vec![0.0; layout.size]);
        for slope in &mut room {
            sloped.iter().for_each(|range| slope[range.clone()].fill(0.0));
        }
        let parts: Vec<Part> = texts
            .par_chunks(middle)
            .zip(truth.par_chunks((middle * tasks).max(1)))
            .zip(room.par_drain(..))
            .enumerate()
            .map(|(at, ((texts, truth), slope))| self.part(layout, (texts, truth), fit, &whole, at as u64, slope))
            .collect();
        let mut parts = parts.into_iter();
        let Some(mut sum) = parts.next() else {
            return TunedStep { loss: 0.0, losses: Vec::new(), gradient: 0.0, rate: 0.0, logits: Vec::new() };
        };
        for part in parts {
            sum.losses.iter_mut().zip(part.losses).for_each(|(sum, part)| *sum += part);
            sum.logits.extend(part.logits);
            for range in &sloped {
                let own = &part.slope[range.clone()];
                sum.slope[range.clone()].iter_mut().zip(own).for_each(|(sum, part)| *sum += part);
            }
            self.room.push(part.slope);
            sum.head.iter_mut().zip(part.head).for_each(|(sum, part)| *sum += part);
        }
        self.step_by(&groups, sum, &whole, fit)
    }

    /// Moves all that learns against its gradients.
    #[allow(clippy::cast_possible_truncation)]
    fn step_by(&mut self, groups: &[(Group, f32, f32)], sum: Part, whole: &[f32], fit: &TuneFit) -> TunedStep {
        let lora = self.lora.as_ref().map(|lora| lora.slopes(&sum.slope)).unwrap_or_default();
        let mut loss = 0.0;
        let mut unsure = vec![0.0f32; self.tasks.len()];
        for (task, own) in sum.losses.iter().enumerate().filter(|(task, _)| whole[*task] > 0.0) {
            let weight = f64::from(self.weight_of(task, fit));
            loss += weight * own;
            if fit.uncertain {
                let by = f64::from(self.tasks[task].weight);
                loss += by * f64::from(self.uncertainty[task]) / 2.0;
                unsure[task] = (by / 2.0 - weight * own) as f32;
            }
        }
        let slope_of = |group: &Group| match group {
            Group::Encoder(range) => &sum.slope[range.clone()],
            Group::Lora => lora.as_slice(),
            Group::Head(range) => &sum.head[range.clone()],
            Group::Uncertainty => unsure.as_slice(),
        };
        // Summed in one order, in double precision: the same every time.
        let square = |list: &[f32]| list.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
        let gradient = groups.iter().map(|(group, ..)| square(slope_of(group))).sum::<f64>().sqrt();
        let clipped = fit.clip > 0.0 && gradient > f64::from(fit.clip);
        let scale = if clipped { (f64::from(fit.clip) / (gradient + 1e-6)) as f32 } else { 1.0 };
        let part = fit.part_of_rate(self.step);
        self.step += 1;
        let step = AdamStep { step: self.step, scale, part };
        let all: usize = groups.iter().map(|(group, ..)| slope_of(group).len()).sum();
        let [mut first, mut second] = std::mem::take(&mut self.moments);
        first.resize(all, 0.0);
        second.resize(all, 0.0);
        let mut at = 0;
        for (group, rate, decay) in groups {
            let slope = slope_of(group);
            let range = at..at + slope.len();
            at = range.end;
            let moments = (&mut first[range.clone()], &mut second[range]);
            step.step(self.numbers_mut(group), moments, slope, *rate, *decay);
        }
        self.moments = [first, second];
        self.merge();
        let losses = sum.losses.iter().zip(whole).map(|(loss, whole)| if *whole > 0.0 { *loss } else { f64::NAN }).collect();
        let step = TunedStep { loss, losses, gradient, rate: f64::from(fit.rate * part), logits: sum.logits };
        self.room.push(sum.slope);
        step
    }

    /// The losses of some texts of a batch whose texts weigh `whole` together, and their gradients.
    fn part(
        &self,
        layout: &BertLayout,
        (texts, truth): (&[&[u32]], &[u32]),
        fit: &TuneFit,
        whole: &[f32],
        at: u64,
        mut slope: Vec<f32>,
    ) -> Part {
        let hidden = layout.shape.hidden;
        let rows = TokenRows::of(texts.iter().copied());
        let chance = Chance::new(seed_of(&[fit.seed, self.step as u64, at]));
        let mut drop = Dropout { rows: fit.dropout, attention: fit.dropout, chance };
        let (said, kept) = layout.forward(&self.params, &rows, true, &mut drop);
        let first = Self::rows_of(layout, &said, &rows, fit.pooling);
        let through = if fit.pooling == Pooling::Pooler { layout.pool(&self.params, &first) } else { Vec::new() };
        let before = if fit.pooling == Pooling::Pooler { &through } else { &first };
        let mut pooled = before.clone();
        if fit.normed {
            pooled.chunks_mut(hidden).for_each(super::dense::normalise);
        }
        let logits = self.headed(layout, &pooled);
        let mut head = vec![0.0f32; self.head.len()];
        let (losses, mut to) = self.head_back(hidden, (&logits, &pooled), truth, fit, whole, &mut head);
        if fit.normed {
            for ((to, own), before) in to.chunks_mut(hidden).zip(pooled.chunks(hidden)).zip(before.chunks(hidden)) {
                let length = super::dense::dot(before, before).sqrt().max(1e-12);
                let along = super::dense::dot(to, own);
                to.iter_mut().zip(own).for_each(|(to, own)| *to = (*to - along * own) / length);
            }
        }
        if fit.pooling == Pooling::Pooler {
            to = layout.pool_back(&self.params, &first, &through, to, &mut slope, fit.learns("pooler.dense.weight"));
        }
        let mut dx = vec![0.0f32; said.len()];
        for (range, to) in rows.starts.windows(2).zip(to.chunks(hidden)) {
            let mut own = dx[range[0] * hidden..range[1] * hidden].chunks_mut(hidden);
            if fit.pooling == Pooling::Mean {
                let n = (range[1] - range[0]).max(1) as f32;
                own.for_each(|token| token.iter_mut().zip(to).for_each(|(dx, to)| *dx = to / n));
            } else if let Some(first) = own.next() {
                first.copy_from_slice(to);
            }
        }
        let learns = Learns { from: fit.frozen, words: !fit.frozen_words, only: fit.lora.map(|lora| lora.adapted) };
        layout.backward(&self.params, &rows, &kept, dx, &mut slope, learns);
        Part { losses, logits, slope, head }
    }

    /// The loss of each task, and its gradient by the rows that the heads see; into `slope` that by the heads.
    #[allow(clippy::cast_possible_truncation)]
    fn head_back(
        &self,
        hidden: usize,
        (logits, pooled): (&[f32], &[f32]),
        truth: &[u32],
        fit: &TuneFit,
        whole: &[f32],
        slope: &mut [f32],
    ) -> (Vec<f64>, Vec<f32>) {
        let mut losses = vec![0.0; self.tasks.len()];
        let mut to = vec![0.0f32; pooled.len()];
        let rows = pooled.chunks(hidden).zip(to.chunks_mut(hidden)).zip(logits.chunks(self.width().max(1)));
        for (((own, to), mut logits), truth) in rows.zip(truth.chunks(self.tasks.len().max(1))) {
            for (task, (of, weights, bias)) in self.heads(hidden).enumerate() {
                let (now, later) = logits.split_at(of.classes);
                logits = later;
                let class = truth[task];
                if class == NO_CLASS {
                    continue;
                }
                let spread = f64::from(fit.smoothing) / of.classes as f64;
                let share = f64::from(of.weight_of(class)) / f64::from(whole[task]);
                let weighed = f64::from(self.weight_of(task, fit)) * share;
                let mut p: Vec<f64> = now.iter().map(|z| f64::from(*z)).collect();
                let sum = softmax(&mut p);
                let wanted = |at: usize| spread + if at == class as usize { 1.0 - f64::from(fit.smoothing) } else { 0.0 };
                losses[task] += (0..of.classes).map(|at| wanted(at) * (sum - f64::from(now[at]))).sum::<f64>() * share;
                for at in 0..of.classes {
                    let error = ((p[at] - wanted(at)) * weighed) as f32;
                    let place = weights.start + at * hidden..weights.start + (at + 1) * hidden;
                    slope[place.clone()].iter_mut().zip(own).for_each(|(sum, x)| *sum += error * x);
                    slope[bias.start + at] += error;
                    to.iter_mut().zip(&self.head[place]).for_each(|(sum, w)| *sum += error * w);
                }
            }
        }
        (losses, to)
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

    /// Whether a parameter of the encoder learns by itself.
    fn learns(&self, name: &str) -> bool {
        if self.lora.is_some() {
            return false;
        }
        if name.starts_with("pooler.") {
            return self.pooling == Pooling::Pooler;
        }
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
