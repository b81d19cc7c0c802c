//! How probably an altered sample has another label than the sample it was made of: the judgement of models that never saw that one.
//!
//! Five folds; each fold's models (embedding and TF-IDF, as in [`super::crossfit`]) judge the held-out samples and whatever is made of
//! them. The parent's label is taken as true, so what counts is not how probable the label is, which a hard sample would pay for, but
//! how much less probable than it is for the parent: by Bayes' rule, with [`PRIOR`] as the odds before anything is seen,
//! `risk = 1 / (1 + PRIOR · exp(TRUST · min(0, logit p(y | child) − logit p(y | parent))))`.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;

use super::appearance::{Appearance, Kernel};
use super::crossfit::{DENSE, FOLDS, SAMPLE, SPARSE, passes, temperature};
use super::dense::{Dense, dot, exp};
use super::embedding::{EmbedReader, built_in};
use super::features::{Scaled, level, spread};
use super::folds::stratified;
use super::logistic::{Linear, Targets, Training};
use super::tfidf::{Sparse, Terms, Vocabulary, learn};
use crate::job::{Cancelled, Progress};
use crate::pixels::Look;

/// The odds that an alteration keeps the label, before the altered sample is looked at: 49 to 1.
const PRIOR: f32 = 49.0;
/// How far a difference of log-odds is believed: a model reads a mistyped word as none, and a person reads it.
const TRUST: f32 = 0.7;
const SEED: u64 = 42;
/// The most weights of one sparse model: 32 MB.
const MOST_WEIGHTS: usize = 1 << 23;
/// The most rows that are learned from, and the least of a class.
const MOST_ROWS: usize = 40_000;
const LEAST: usize = 50;
/// The least probability that is told from 0, so that no single logit decides alone.
const FLOOR: f32 = 1e-3;

/// What the models read.
enum Eyes {
    Texts { vocabulary: Vocabulary },
    Pictures { appearance: Appearance, kernel: Kernel },
}

/// The models of one fold.
struct Fold {
    dense: Linear,
    sparse: Option<Linear>,
}

/// Judges altered samples.
pub struct RiskModel {
    eyes: Eyes,
    mean: Vec<f32>,
    scale: Vec<f32>,
    folds: Vec<Fold>,
    heat: [f32; 2],
    targets: Targets,
    /// The fold that each row was held out in.
    fold_of: Vec<u8>,
    /// Embeddings of length 1, by row.
    embedding: Arc<Dense>,
    /// Logits by row, of the models that did not see it.
    logits: Dense,
}

/// One judgement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Risk {
    /// The probability that the label is another now, 0 to 1.
    pub label: f32,
    /// How far from the parent: one minus the cosine of the embeddings, 0 to 2.
    pub distance: f32,
}

/// The most numbers that judgements of the source take: 0.8 GB.
const MOST_CELLS: usize = 200_000_000;
/// The fewest rows that a model is made of.
const FEWEST: usize = 20;

impl RiskModel {
    /// Learns from texts, whose `embedding` has a row each: `rows` are those that have a label (others' `targets` are empty). `None` where there are too few to learn from.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn of_texts<'t>(
        text: impl Fn(usize) -> Cow<'t, str> + Sync,
        embedding: Arc<Dense>,
        rows: &[u32],
        targets: Targets,
        progress: &Progress,
    ) -> Result<Option<Self>, Cancelled> {
        let n = targets.rows();
        progress.set_total(steps(rows.len()) + n as u64);
        let most = (MOST_WEIGHTS / targets.classes.max(1)).clamp(2_000, 200_000);
        let (sparse, vocabulary) = learn(n, &text, Terms { words: true, letters: None, most }, progress)?;
        let spread = spread(&embedding);
        Self::fit(Eyes::Texts { vocabulary }, embedding, None, Some(&sparse), spread, rows, targets, progress)
    }

    /// Learns from pictures, one look a row.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn of_pictures(looks: &[Look], rows: &[u32], targets: Targets, progress: &Progress) -> Result<Option<Self>, Cancelled> {
        progress.set_total(steps(rows.len()) + looks.len() as u64);
        let Some(appearance) = Appearance::fit(looks, progress)? else { return Ok(None) };
        let mut embedding = Dense::zeros(looks.len(), appearance.dims());
        let dims = embedding.dims;
        embedding.data.par_chunks_mut(dims).zip(looks).for_each(|(out, look)| appearance.row_of(look, out));
        let Some(kernel) = Kernel::fit(&embedding, progress)? else { return Ok(None) };
        let learned = kernel.rows_of(&embedding, progress)?;
        let (mean, mut scale) = spread(&learned);
        level(&mut scale);
        Self::fit(
            Eyes::Pictures { appearance, kernel },
            Arc::new(embedding),
            Some(&learned),
            None,
            (mean, scale),
            rows,
            targets,
            progress,
        )
    }

    #[allow(clippy::too_many_arguments)]
    fn fit(
        eyes: Eyes,
        embedding: Arc<Dense>,
        learned: Option<&Dense>,
        sparse: Option<&Sparse>,
        (mean, scale): (Vec<f32>, Vec<f32>),
        rows: &[u32],
        targets: Targets,
        progress: &Progress,
    ) -> Result<Option<Self>, Cancelled> {
        let classes = targets.classes;
        if rows.len() < FEWEST || classes < 2 || targets.rows().saturating_mul(classes) > MOST_CELLS {
            return Ok(None);
        }
        let studied = studied(rows, &targets);
        let first: Vec<u32> =
            studied.iter().map(|row| targets.of(*row as usize).first().copied().unwrap_or(classes as u32)).collect();
        let dealt = stratified(&first, classes + 1, FOLDS, SEED);
        // What nobody studied is judged by any of the models: none has seen it.
        let mut fold_of = vec![u8::MAX; targets.rows()];
        rows.iter().for_each(|row| fold_of[*row as usize] = (*row % FOLDS as u32) as u8);
        studied.iter().zip(&dealt).for_each(|(row, fold)| fold_of[*row as usize] = *fold);
        let held: Vec<Vec<u32>> =
            (0..FOLDS as u8).map(|fold| rows.iter().copied().filter(|row| fold_of[*row as usize] == fold).collect()).collect();
        let scaled = Scaled::new(learned.unwrap_or(&*embedding), &mean, &scale);
        let kinds: &[bool] = if sparse.is_some() { &[false, true] } else { &[true] };
        let tasks: Vec<(u8, bool)> = kinds.iter().flat_map(|dense| (0..FOLDS as u8).map(move |fold| (fold, *dense))).collect();
        let fitted: Vec<(Linear, Vec<f32>)> = tasks
            .par_iter()
            .with_max_len(1)
            .map(|(fold, dense)| {
                let seen: Vec<u32> = studied.iter().zip(&dealt).filter(|(_, at)| *at != fold).map(|(row, _)| *row).collect();
                let held = &held[usize::from(*fold)];
                let mut out = vec![0.0; held.len() * classes];
                let model = if let Some(sparse) = sparse.filter(|_| !dense) {
                    let training = Training { passes: passes(SPARSE, studied.len()), rate: 1.0, shrink: 0.0, seed: SEED };
                    let model = Linear::fit_sparse(sparse, &seen, &targets, None, training, progress)?;
                    model.logits_sparse(sparse, held, &mut out);
                    model
                } else {
                    let training = Training { passes: passes(DENSE, studied.len()), rate: 0.006, shrink: 1e-2, seed: SEED };
                    let model = Linear::fit_dense(&scaled, &seen, &targets, None, training, progress)?;
                    model.logits_dense(&scaled, held, &mut out);
                    model
                };
                Ok((model, out))
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut heat = [0.0_f32; 2];
        let mut logits = Dense::zeros(targets.rows(), classes);
        for (kind, dense) in kinds.iter().enumerate() {
            let mine = &fitted[kind * FOLDS..(kind + 1) * FOLDS];
            let stride = (rows.len() / SAMPLE).max(1);
            let (mut labels, mut sample) = (Vec::new(), Vec::new());
            for (held, (_, out)) in held.iter().zip(mine) {
                for at in (0..held.len()).step_by(stride) {
                    labels.push(held[at]);
                    sample.extend_from_slice(&out[at * classes..(at + 1) * classes]);
                }
            }
            let best = temperature(&sample, &labels, &targets) / kinds.len() as f32;
            heat[usize::from(!dense)] = best;
            for (held, (_, out)) in held.iter().zip(mine) {
                for (row, from) in held.iter().zip(out.chunks(classes)) {
                    super::dense::add_scaled(logits.row_mut(*row as usize), best, from);
                }
            }
        }
        let mut models = fitted.into_iter().map(|(model, _)| model);
        let sparse_models: Vec<Option<Linear>> =
            (0..FOLDS).map(|_| if kinds.len() == 2 { models.next() } else { None }).collect();
        let folds = models.zip(sparse_models).map(|(dense, sparse)| Fold { dense, sparse }).collect();
        Ok(Some(Self { eyes, mean, scale, folds, heat, targets, fold_of, embedding, logits }))
    }

    /// About how much memory it takes, its embedding of texts left out, in bytes.
    pub fn bytes(&self) -> usize {
        let own = if self.reads_texts() { 0 } else { self.embedding.data.len() };
        let weights: usize = self.folds.iter().map(|fold| fold.dense.size() + fold.sparse.as_ref().map_or(0, Linear::size)).sum();
        (own + self.logits.data.len() + weights) * size_of::<f32>()
    }

    /// The probability of a sample's own class (the least of them, where it has several) by the models that did not see it.
    pub fn own_probability(&self, row: usize) -> Option<f32> {
        let known = self.fold_of.get(row).is_some_and(|fold| usize::from(*fold) < self.folds.len());
        let own = self.targets.of(if known { row } else { return None });
        let odds = own.iter().map(|class| self.log_odds(self.logits.row(row), *class as usize)).reduce(f32::min)?;
        Some(1.0 / (1.0 + exp(-odds)))
    }

    /// Whether it reads texts rather than pictures.
    pub fn reads_texts(&self) -> bool {
        matches!(self.eyes, Eyes::Texts { .. })
    }

    /// Judges altered texts, each with the row that it was made of; `None` where that row has no label, or is in no fold.
    pub fn of_altered_texts(&self, altered: &[(u32, &str)]) -> Vec<Option<Risk>> {
        let Eyes::Texts { vocabulary } = &self.eyes else { return vec![None; altered.len()] };
        let embedding = built_in();
        altered
            .par_chunks(64)
            .flat_map_iter(|part| {
                let mut dense = Dense::zeros(part.len(), embedding.dims());
                let mut reader = EmbedReader::default();
                for (at, (_, text)) in part.iter().enumerate() {
                    embedding.embed(&mut reader, text, dense.row_mut(at));
                }
                let sparse = vocabulary.rows_of(part.iter().map(|(_, text)| *text));
                self.judge(part.iter().map(|(row, _)| *row), &dense, &dense, Some(&sparse))
            })
            .collect()
    }

    /// Judges altered pictures, likewise.
    pub fn of_altered_pictures(&self, altered: &[(u32, Look)]) -> Vec<Option<Risk>> {
        let Eyes::Pictures { appearance, kernel } = &self.eyes else { return vec![None; altered.len()] };
        let mut dense = Dense::zeros(altered.len(), appearance.dims());
        for (at, (_, look)) in altered.iter().enumerate() {
            appearance.row_of(look, dense.row_mut(at));
        }
        let Ok(learned) = kernel.rows_of(&dense, &Progress::silent()) else { return vec![None; altered.len()] };
        self.judge(altered.iter().map(|(row, _)| *row), &dense, &learned, None).collect()
    }

    fn judge<'s>(
        &'s self,
        rows: impl Iterator<Item = u32> + 's,
        embedding: &Dense,
        learned: &Dense,
        sparse: Option<&Sparse>,
    ) -> std::vec::IntoIter<Option<Risk>> {
        let scaled = Scaled::new(learned, &self.mean, &self.scale);
        let classes = self.targets.classes;
        let (mut part, mut whole) = (vec![0.0_f32; classes], vec![0.0_f32; classes]);
        let mut found = Vec::new();
        for (at, row) in rows.enumerate() {
            let row = row as usize;
            let fold = self.fold_of.get(row).and_then(|fold| self.folds.get(usize::from(*fold)));
            let Some(fold) = fold.filter(|_| !self.targets.of(row).is_empty()) else {
                found.push(None);
                continue;
            };
            whole.fill(0.0);
            fold.dense.logits_dense(&scaled, &[at as u32], &mut part);
            super::dense::add_scaled(&mut whole, self.heat[0], &part);
            if let (Some(model), Some(sparse)) = (&fold.sparse, sparse) {
                model.logits_sparse(sparse, &[at as u32], &mut part);
                super::dense::add_scaled(&mut whole, self.heat[1], &part);
            }
            let keeps: f32 = self
                .targets
                .of(row)
                .iter()
                .map(|class| {
                    let class = *class as usize;
                    let (child, parent) = (self.log_odds(&whole, class), self.log_odds(self.logits.row(row), class));
                    let odds = PRIOR * exp(TRUST * (child - parent).min(0.0));
                    odds / (1.0 + odds)
                })
                .product();
            let distance = (1.0 - dot(embedding.row(at), self.embedding.row(row))).max(0.0);
            found.push(Some(Risk { label: 1.0 - keeps, distance }));
        }
        found.into_iter()
    }

    /// The logit of a class's probability, between those of [`FLOOR`] and its complement.
    fn log_odds(&self, logits: &[f32], class: usize) -> f32 {
        let p = if self.targets.many {
            1.0 / (1.0 + exp(-logits[class]))
        } else {
            let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let total: f32 = logits.iter().map(|logit| exp(logit - most)).sum();
            exp(logits[class] - most) / total
        };
        let p = p.clamp(FLOOR, 1.0 - FLOOR);
        (p / (1.0 - p)).ln()
    }
}

/// The rows that are learned from: all, or a sample of each class in proportion, at least [`LEAST`] of it.
fn studied(rows: &[u32], targets: &Targets) -> Vec<u32> {
    if rows.len() <= MOST_ROWS {
        return rows.to_vec();
    }
    let mut by_class: Vec<Vec<u32>> = vec![Vec::new(); targets.classes + 1];
    for row in rows {
        let class = targets.of(*row as usize).first().map_or(targets.classes, |class| *class as usize);
        by_class[class].push(*row);
    }
    let mut chosen: Vec<u32> = by_class
        .iter()
        .flat_map(|list| {
            let wanted = (list.len() * MOST_ROWS / rows.len()).max(LEAST).min(list.len()).max(1);
            list.iter().step_by((list.len() / wanted).max(1)).copied()
        })
        .collect();
    chosen.sort_unstable();
    chosen
}

fn steps(rows: usize) -> u64 {
    super::crossfit::steps(rows.min(MOST_ROWS))
}
