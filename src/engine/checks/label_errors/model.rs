//! The label model: learned once, and followed through decisions.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::asked::{FEWEST, FEWEST_ROWS, FLAG, LabelMethod, LabelQuestion, MOST_CELLS, Unfit};
use super::given::Given;
use super::line::Line;
use crate::checks::{Check, Finding, FindingKind};
use crate::data::{ClassIndex, Dataset, Role, SampleId};
use crate::derive::{NoText, TextOf};
use crate::job::{Cancelled, Progress};
use crate::learn::Targets;
use crate::learn::appearance::kernel;
use crate::learn::confident::flagged;
use crate::learn::crossfit::{CrossFit, cross_fit, steps};
use crate::learn::dense::{Dense, dot, largest, softmax, vectorised};
use crate::learn::features::Features;
use crate::learn::neighbours::{Neighbour, nearest, nearest_of};
use crate::learn::noise::{BinaryNoise, NONE, Noise, Verdict};

/// Neighbours that are evidence.
pub const NEAREST: usize = 10;
/// The most multiplications spent on evidence in one run; beyond it, neighbours are looked up when a sample is shown.
const EVIDENCE: usize = 200_000_000_000;

pub(super) enum Judge {
    One(Noise),
    Many(BinaryNoise),
}

/// A fitted model of one label column, and what it says.
pub struct LabelModel {
    ask: LabelQuestion,
    pub(super) column: String,
    pub(super) names: Vec<Arc<str>>,
    pub(super) many: bool,
    /// By row of the source: the classes given when the model was fitted, and now, as places in `names`.
    fitted: Targets,
    pub(super) now: Vec<Box<[u32]>>,
    /// One given class a row, [`NONE`] where there is none or several may be.
    pub(super) given: Vec<u32>,
    /// The class that each row came with where somebody has decided on it since: what was mended is evidence of how labels go wrong, and what
    /// was looked at, because it stood out, is none that the rest is right. Elsewhere the class it has.
    original: Vec<u32>,
    sure: Vec<bool>,
    pub(super) rows: Vec<u32>,
    features: Option<Features>,
    pub(super) fit: CrossFit,
    pub(super) judge: Judge,
    /// The verdicts when the model was fitted, and now.
    first: Vec<Verdict>,
    pub(super) verdicts: Vec<Verdict>,
    /// What decisions have added so far: per row, `(class, weight)`.
    applied: HashMap<u32, Vec<(u32, f32)>>,
    /// Rows that stand out: those that one of cleanlab's filters flags, or ours ([`super::line`]); whether decided on or not.
    picked: Option<Vec<bool>>,
    /// How much speaks against each row's label, to rank by.
    pub(super) evidence_of: Vec<f32>,
    scores: Option<Vec<f64>>,
    pub(super) evidence: HashMap<u32, Vec<Neighbour>>,
}

/// The classes of a row as places among those that are learned; `None` where one of them is not.
fn known(index: &ClassIndex, places: &[u32], id: SampleId) -> Option<Box<[u32]>> {
    index.of(id).iter().map(|class| places.get(*class as usize).copied().filter(|place| *place != NONE)).collect()
}

/// The class that a sample came with, where somebody has decided on it since; else the one it has.
fn original(dataset: &Dataset, field: usize, id: SampleId, now: u32, place: &dyn Fn(&str) -> Option<u32>) -> u32 {
    if now == NONE || !is_decided(dataset, id) || dataset.edited(field, id).is_none() {
        return now;
    }
    dataset.source_text(field, id).and_then(|text| place(&text)).unwrap_or(now)
}

fn largest_of(logits: &[f32]) -> f32 {
    vectorised(
        #[inline(always)]
        || largest(logits),
    )
}

fn originals(dataset: &Dataset, field: usize, given: &[u32], places: &HashMap<&str, u32>) -> Vec<u32> {
    let place = |name: &str| places.get(name).copied();
    given.iter().enumerate().map(|(row, now)| original(dataset, field, SampleId::at(row), *now, &place)).collect()
}

/// Whether somebody has decided on a sample's label. A label that was changed without a review (a class renamed, many set at once) is
/// judged like any other.
fn is_decided(dataset: &Dataset, id: SampleId) -> bool {
    dataset.is_reviewed(id)
}

impl LabelModel {
    /// Learns from the texts and labels of a dataset. `embeddings` has one row per sample of the source.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn fit(dataset: &Dataset, ask: &LabelQuestion, embeddings: Arc<Dense>, progress: &Progress) -> Result<Self, Unfit> {
        let text = TextOf::of(dataset, ask.text.as_deref())?;
        let model = Self::begin(dataset, ask, None, |id| !text.read(dataset, id).trim().is_empty())?;
        let classes = model.names.len();
        progress.set_total(steps(model.rows.len()) * 2 + dataset.rows() as u64);
        let features = Features::new(embeddings, |row| text.read(dataset, SampleId::at(row)), classes, progress)?;
        model.learn(features, progress)
    }

    /// Learns from pictures and, where a column is text too, from both. `embeddings` has one row per sample of the source, zeros where
    /// there is no picture. `bent` says that classes are not told apart by it along straight lines: true of the built-in embedding, and
    /// not of a model's.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn fit_pictures(
        dataset: &Dataset,
        ask: &LabelQuestion,
        embeddings: Arc<Dense>,
        bent: bool,
        progress: &Progress,
    ) -> Result<Self, Unfit> {
        let seen = |id: SampleId| embeddings.row(id.row()).iter().any(|value| *value != 0.0);
        let model = Self::begin(dataset, ask, None, seen)?;
        let classes = model.names.len();
        progress.set_total(steps(model.rows.len()) * 2);
        let learned = if bent { Some(Arc::new(kernel(&embeddings, progress)?)) } else { None };
        let text = match TextOf::of(dataset, ask.text.as_deref()) {
            Ok(text) => Some(text),
            Err(NoText::NoText) => None,
            Err(trouble) => return Err(trouble.into()),
        };
        let words = text.as_ref().map(|text| move |row: usize| text.read(dataset, SampleId::at(row)));
        let words = words.as_ref().map(|words| words as &(dyn Fn(usize) -> _ + Sync));
        let features = Features::of_pictures(Arc::clone(&embeddings), learned, words, classes, progress)?;
        model.learn(features, progress)
    }

    fn learn(mut self, features: Features, progress: &Progress) -> Result<Self, Unfit> {
        let model = &mut self;
        // What somebody confirmed is trusted whole from the start; so, at first, is everything else.
        model.fit = cross_fit(&features, &model.rows, &model.fitted, None, SEED, progress)?;
        model.judge_first(progress)?;
        progress.check()?;
        let trust: Vec<f32> = model.first.iter().map(|verdict| 1.0 - verdict.wrong).collect();
        model.fit = cross_fit(&features, &model.rows, &model.fitted, Some(&trust), SEED, progress)?;
        model.judge_first(progress)?;
        progress.check()?;
        model.features = Some(features);
        model.gather_evidence(progress)?;
        Ok(self)
    }

    /// Judges labels by somebody else's out-of-sample probabilities.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn from_probabilities(dataset: &Dataset, ask: &LabelQuestion, given: &Given, progress: &Progress) -> Result<Self, Unfit> {
        let k = given.names.len();
        let filled = |id: SampleId| given.p.get(id.row() * k..(id.row() + 1) * k).is_some_and(|p| p.iter().sum::<f32>() > 0.0);
        let mut model = Self::begin(dataset, ask, Some(&given.names), filled)?;
        progress.check()?;
        let many = model.many;
        model.fit.logits = given
            .p
            .par_iter()
            .map(|p| {
                let p = p.clamp(1e-9, 1.0);
                if many { (p / (1.0 - p).max(1e-9)).ln() } else { p.ln() }
            })
            .collect();
        model.judge_first(progress)?;
        Ok(model)
    }

    fn begin(
        dataset: &Dataset,
        ask: &LabelQuestion,
        names: Option<&[String]>,
        usable: impl Fn(SampleId) -> bool + Sync,
    ) -> Result<Self, Unfit> {
        let field = match &ask.label {
            Some(name) => dataset.field(name).ok_or_else(|| Unfit::NoColumn(name.clone()))?,
            None => dataset.with_role(Role::is_label).ok_or(Unfit::NoLabel)?,
        };
        let column = dataset.fields()[field].name.to_string();
        let index = ClassIndex::build(dataset, field, &Progress::silent())?;
        let mut places = vec![NONE; index.names().len()];
        let mut kept: Vec<Arc<str>> = Vec::new();
        match names {
            Some(names) => {
                for name in names {
                    if let Some(class) = index.class(name) {
                        places[class] = kept.len() as u32;
                    }
                    kept.push(name.as_str().into());
                }
            }
            None => {
                // What was made of samples makes no class large enough to be learned.
                let counts = index.count(dataset.source_samples().filter(|id| !dataset.is_excluded(*id)));
                for (class, name) in index.names().iter().enumerate().filter(|(class, _)| counts[*class] >= FEWEST) {
                    places[class] = kept.len() as u32;
                    kept.push(Arc::clone(name));
                }
            }
        }
        let many = index.is_many();
        // What was made of a sample would tell the model that never saw it.
        let now: Vec<Box<[u32]>> = (0..dataset.extent())
            .into_par_iter()
            .map(|row| {
                let id = SampleId::at(row);
                let fits = !dataset.is_made(id) && !dataset.is_excluded(id) && usable(id);
                known(&index, &places, id).filter(|list| fits && !list.is_empty()).unwrap_or_default()
            })
            .collect();
        let rows: Vec<u32> = (0..now.len() as u32).filter(|row| !now[*row as usize].is_empty()).collect();
        let classes = kept.len();
        if rows.len() < FEWEST_ROWS || classes < 2 {
            return Err(Unfit::TooFew { rows: rows.len(), classes });
        }
        if dataset.rows().saturating_mul(classes) > MOST_CELLS {
            return Err(Unfit::TooMany { rows: dataset.rows(), classes, column });
        }
        let given: Vec<u32> = now.iter().map(|list| if many { NONE } else { list.first().copied().unwrap_or(NONE) }).collect();
        let sure = (0..now.len()).map(|row| is_decided(dataset, SampleId::at(row))).collect();
        let class_places: HashMap<&str, u32> = kept.iter().map(|name| &**name).zip(0..).collect();
        let original = originals(dataset, field, &given, &class_places);
        Ok(Self {
            ask: ask.clone(),
            column,
            names: kept,
            many,
            fitted: Targets::new(now.iter().map(|list| list.iter().copied()), classes, many),
            now,
            given,
            original,
            sure,
            rows,
            features: None,
            fit: CrossFit { classes, logits: Vec::new(), heat: [1.0; 2] },
            judge: Judge::Many(BinaryNoise { sharpness: 1.0, rates: Vec::new() }),
            first: Vec::new(),
            verdicts: Vec::new(),
            applied: HashMap::new(),
            picked: None,
            evidence_of: Vec::new(),
            scores: None,
            evidence: HashMap::new(),
        })
    }

    fn judge_first(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        let k = self.names.len();
        self.judge = if self.many {
            let has = |row: usize, class: usize| self.now[row].contains(&(class as u32));
            Judge::Many(BinaryNoise::fit(&self.fit.logits, k, &self.rows, has, &self.sure, progress)?)
        } else {
            Judge::One(Noise::fit(&self.fit.logits, k, &self.original, &vec![false; self.original.len()], progress)?)
        };
        self.judge_all();
        self.first.clone_from(&self.verdicts);
        self.pick();
        Ok(())
    }

    fn judge_all(&mut self) {
        self.verdicts = match &self.judge {
            Judge::One(noise) => noise.judge_all(&self.fit.logits, &self.given, &self.sure),
            Judge::Many(noise) => (0..self.now.len())
                .into_par_iter()
                .map(|row| {
                    let none = Verdict { wrong: 0.0, suggested: 0 };
                    if self.sure[row] || self.now[row].is_empty() { none } else { self.worst(noise, row).unwrap_or(none) }
                })
                .collect(),
        };
    }

    /// The likeliest wrong answer of a row with several labels.
    fn worst(&self, noise: &BinaryNoise, row: usize) -> Option<Verdict> {
        (0..self.names.len())
            .map(|class| {
                let wrong = noise.wrong(self.logit(row, class), class, self.now[row].contains(&(class as u32)));
                Verdict { wrong: wrong as f32, suggested: class as u32 }
            })
            .max_by(|a, b| a.wrong.total_cmp(&b.wrong).then(b.suggested.cmp(&a.suggested)))
    }

    fn logit(&self, row: usize, class: usize) -> f32 {
        self.fit.logits[row * self.names.len() + class]
    }

    /// The classifier's probabilities of one row, before any noise is thought of.
    pub(super) fn plain(&self, row: usize) -> Vec<f32> {
        let k = self.names.len();
        let mut p = self.fit.logits[row * k..(row + 1) * k].to_vec();
        if self.many {
            p.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp()));
        } else {
            softmax(&mut p);
        }
        p
    }

    /// Works out what cleanlab's filter and score say, where one is asked for.
    fn pick(&mut self) {
        let k = self.names.len();
        let filter = match self.ask.method {
            LabelMethod::Noise => None,
            LabelMethod::Cleanlab(filter) => Some(filter),
        };
        self.draw_line(filter.is_none());
        if filter.is_none() && self.ask.score.is_none() {
            return;
        }
        let p: Vec<f64> = self.rows.par_iter().flat_map_iter(|row| self.plain(*row as usize)).map(f64::from).collect();
        let spread = |list: Vec<f64>| {
            let mut all = vec![1.0; self.now.len()];
            self.rows.iter().zip(list).for_each(|(row, score)| all[*row as usize] = score);
            all
        };
        if self.many {
            // Each class against the rest, as cleanlab has it; a row's score is its worst class's.
            let mut picked = vec![false; self.now.len()];
            let mut worst = vec![1.0f64; self.rows.len()];
            for class in 0..k {
                let pair: Vec<f64> = p.chunks(k).flat_map(|p| [1.0 - p[class], p[class]]).collect();
                let given: Vec<u32> =
                    self.rows.iter().map(|row| u32::from(self.now[*row as usize].contains(&(class as u32)))).collect();
                if let Some(filter) = filter {
                    flagged(&pair, 2, &given, filter, 1)
                        .into_iter()
                        .for_each(|at| picked[self.rows[at as usize] as usize] = true);
                }
                if let Some(score) = self.ask.score {
                    worst.iter_mut().zip(score.all(&pair, &given)).for_each(|(worst, score)| *worst = worst.min(score));
                }
            }
            self.scores = self.ask.score.map(|_| spread(worst));
            self.picked = filter.map(|_| picked).or(self.picked.take());
            return;
        }
        let given: Vec<u32> = self.rows.iter().map(|row| self.given[*row as usize]).collect();
        self.scores = self.ask.score.map(|score| spread(score.all(&p, &given)));
        let own = self.picked.take();
        self.picked = filter.map_or(own, |filter| {
            let mut picked = vec![false; self.now.len()];
            flagged(&p, k, &given, filter, 1).into_iter().for_each(|at| picked[self.rows[at as usize] as usize] = true);
            Some(picked)
        });
    }

    /// Ranks labels by what speaks against them and, where `flags` says so, draws the line between those that stand out and the rest.
    fn draw_line(&mut self, flags: bool) {
        let Judge::One(noise) = &self.judge else {
            self.evidence_of = self.verdicts.iter().map(|verdict| verdict.wrong).collect();
            return;
        };
        // What is said of rows as they came is what is said of them now, but for those that somebody has decided on.
        let mut verdicts = self.verdicts.clone();
        let decided = |row: &usize| self.sure[*row] || self.original[*row] != self.given[*row];
        let mut buffer = vec![0.0; self.names.len()];
        for row in (0..verdicts.len()).filter(decided) {
            verdicts[row] = match self.original[row] {
                NONE => Verdict { wrong: 0.0, suggested: 0 },
                given => noise.judge(&self.fit.logits, row, given, &mut buffer),
            };
        }
        let line = Line::draw(&self.fit.logits, self.names.len(), &self.original, &verdicts, noise.rate, FLAG);
        if flags {
            self.picked = Some(line.flagged);
        }
        self.evidence_of = line.evidence;
    }

    /// How well the classes are told apart: the share of labels that a model which never saw them gives itself, and the share of the commonest
    /// class, which is what guessing gives.
    pub fn sharpness(&self) -> (f64, f64) {
        let k = self.names.len();
        let judged = self.rows.iter().map(|row| *row as usize).filter(|row| self.given[*row] != NONE);
        let (mut all, mut counts) = (0_usize, vec![0_usize; k]);
        for row in judged {
            counts[self.given[row] as usize] += 1;
            all += 1;
        }
        let names_it = |row: &&u32| {
            let (row, own) = (**row as usize, self.given[**row as usize]);
            own != NONE && self.fit.logits[row * k + own as usize] >= largest_of(&self.fit.logits[row * k..(row + 1) * k])
        };
        let right = self.rows.par_iter().filter(names_it).count();
        let most = counts.into_iter().max().unwrap_or(0);
        (right as f64 / all.max(1) as f64, most as f64 / all.max(1) as f64)
    }

    /// Whether a row's label is flagged and nobody has decided on it.
    pub(super) fn is_open(&self, row: usize) -> bool {
        !self.sure[row]
            && !self.now[row].is_empty()
            && self.picked.as_ref().map_or(self.verdicts[row].wrong >= FLAG, |picked| picked[row])
    }

    /// Whether nobody has decided on a row that is not flagged.
    pub(super) fn waits_below(&self, row: usize) -> bool {
        !self.sure[row] && !self.now[row].is_empty() && !self.is_open(row)
    }

    /// How bad a row's label is, 0 to 1: the probability that it is wrong, or what the score says.
    pub(super) fn badness(&self, row: usize) -> f32 {
        match &self.scores {
            Some(scores) => (1.0 - scores[row]).clamp(0.0, 1.0) as f32,
            None if self.sure[row] => 0.0,
            None => self.evidence_of.get(row).copied().unwrap_or(0.0).max(self.verdicts[row].wrong),
        }
    }

    fn gather_evidence(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        let Some(features) = &self.features else { return Ok(()) };
        let mut open: Vec<u32> = self.rows.iter().copied().filter(|row| self.is_open(*row as usize)).collect();
        open.sort_by(|a, b| self.badness(*b as usize).total_cmp(&self.badness(*a as usize)).then(a.cmp(b)));
        open.truncate(EVIDENCE / (features.rows() * features.dense.dims).max(1));
        progress.set_total(open.len() as u64);
        // Some more than are shown: unlabelled and excluded ones are no evidence.
        let found = nearest_of(&features.dense, &open, NEAREST + 6, progress)?;
        self.evidence = open.into_iter().zip(found).map(|(row, list)| (row, self.labelled(list))).collect();
        Ok(())
    }

    fn labelled(&self, list: Vec<Neighbour>) -> Vec<Neighbour> {
        list.into_iter().filter(|found| !self.now[found.row as usize].is_empty() && found.likeness > 0.0).take(NEAREST).collect()
    }

    /// The nearest labelled samples of one sample, nearest first.
    pub fn neighbours(&self, id: SampleId) -> Vec<Neighbour> {
        let Some(features) = self.features.as_ref().filter(|features| id.row() < features.rows()) else { return Vec::new() };
        nearest(&features.dense, features.dense.row(id.row()), NEAREST, |row| row == id.0 || self.now[row as usize].is_empty())
    }

    /// Takes in what was decided since: samples whose label, review mark or exclusion changed. The verdicts on all others follow: each
    /// decision moves the logits of like samples as one step of training on it would, then everything is judged anew.
    /// `O(samples × (dims + classes))` a decision, up to [`MOST_FOLLOWED`]; more are taken in without moving logits.
    ///
    /// # Errors
    /// [`Cancelled`]; the model stands between before and after, and a later call makes it whole.
    pub fn follow(&mut self, dataset: &Dataset, changed: &[SampleId], progress: &Progress) -> Result<(), Cancelled> {
        let Some(field) = dataset.field(&self.column) else { return Ok(()) };
        let (kind, role) = (dataset.fields()[field].kind, dataset.fields()[field].role);
        let places: HashMap<Arc<str>, u32> = self.names.iter().cloned().zip(0..).collect();
        let follows = changed.len() <= MOST_FOLLOWED;
        let all = self.now.len();
        for id in changed.iter().filter(|id| id.row() < all && !dataset.is_made(**id)) {
            progress.check()?;
            let row = id.row();
            let names = crate::data::classes_of(dataset.text(field, *id), kind, role);
            let list: Option<Box<[u32]>> = names.iter().map(|name| places.get(name.as_str()).copied()).collect();
            self.now[row] = list.filter(|_| !dataset.is_excluded(*id)).unwrap_or_default();
            self.given[row] = if self.many { NONE } else { self.now[row].first().copied().unwrap_or(NONE) };
            self.sure[row] = is_decided(dataset, *id);
            self.original[row] = original(dataset, field, *id, self.given[row], &|name| places.get(name).copied());
            if follows {
                let wanted = self.wanted(row);
                let before = self.applied.insert(id.0, wanted.clone()).unwrap_or_default();
                let step: Vec<(u32, f32)> =
                    wanted.into_iter().chain(before.into_iter().map(|(class, weight)| (class, -weight))).collect();
                self.push(row, &step);
            }
        }
        if let Judge::One(noise) = &mut self.judge {
            noise.learn(&self.fit.logits, &self.original, &vec![false; self.original.len()]);
        }
        self.judge_all();
        self.pick();
        Ok(())
    }

    /// What a decision says beyond what the model was fitted on and believes by now: `(class, weight)`. What it believes already moves nothing more: else
    /// one decision after another of a kind would carry all that is like them away.
    fn wanted(&self, row: usize) -> Vec<(u32, f32)> {
        let (before, now) = (self.fitted.of(row), &self.now[row]);
        if now.is_empty() || before.is_empty() || !self.sure[row] {
            return Vec::new();
        }
        if before != &**now {
            let p = self.plain(row);
            let added = now.iter().filter(|class| !before.contains(class)).map(|class| (*class, 1.0 - p[*class as usize]));
            let gone = before.iter().filter(|class| !now.contains(class)).map(|class| (*class, -p[*class as usize]));
            return added.chain(gone).collect();
        }
        let Verdict { wrong, suggested } = self.first[row];
        let mut list = vec![(suggested, if self.many && now.contains(&suggested) { wrong } else { -wrong })];
        if !self.many {
            list.extend(now.first().map(|class| (*class, wrong)));
        }
        list
    }

    /// Moves the logits of all other rows by what they have in common with `row`.
    fn push(&mut self, row: usize, step: &[(u32, f32)]) {
        let Some(features) = &self.features else { return };
        if step.iter().all(|(_, weight)| weight.abs() < 1e-6) {
            return;
        }
        let k = self.names.len();
        let scaled = features.scaled();
        let mut own = vec![0.0f32; scaled.dims()];
        scaled.copy(row, &mut own);
        // The inverse of the loss's curvature along one dimension: `n (p (1 − p) + shrink)`, with `p` about `1 / classes`.
        let reach = self.fit.heat[0] / (self.rows.len() as f32 * 0.8 * (1.0 / k as f32 + 0.01));
        let (columns, values) = features.sparse.row(row);
        let mut terms = vec![0.0f32; features.sparse.dims];
        columns.iter().zip(values).for_each(|(column, value)| terms[*column as usize] = *value);
        let heat = self.fit.heat[1];
        self.fit.logits.par_chunks_mut(k * 1_024).enumerate().for_each_init(
            || vec![0.0f32; scaled.dims()],
            |other, (chunk, logits)| {
                vectorised(
                    #[inline(always)]
                    || {
                        for (at, logits) in logits.chunks_mut(k).enumerate() {
                            let at = chunk * 1_024 + at;
                            if at == row {
                                continue;
                            }
                            scaled.copy(at, other);
                            let meaning = reach * (dot(&own, other) + 1.0);
                            let (columns, values) = features.sparse.row(at);
                            let words: f32 =
                                columns.iter().zip(values).map(|(column, value)| terms[*column as usize] * value).sum();
                            let shared = meaning + heat * words;
                            for (class, weight) in step {
                                logits[*class as usize] += shared * weight;
                            }
                        }
                    },
                );
            },
        );
    }

    /// Every judged sample, the likeliest to be wrong first.
    pub fn ranked(&self) -> Vec<SampleId> {
        let mut rows = self.rows.clone();
        rows.sort_by(|a, b| self.badness(*b as usize).total_cmp(&self.badness(*a as usize)).then(a.cmp(b)));
        rows.into_iter().map(SampleId).collect()
    }

    /// The findings: one a flagged sample, worst first.
    pub fn findings(&self) -> Vec<Finding> {
        let mut open: Vec<u32> = self.rows.iter().copied().filter(|row| self.is_open(*row as usize)).collect();
        open.sort_by(|a, b| self.badness(*b as usize).total_cmp(&self.badness(*a as usize)).then(a.cmp(b)));
        open.into_par_iter().map(|row| self.finding(row as usize)).collect()
    }

    fn finding(&self, row: usize) -> Finding {
        Finding {
            check: Check::LabelErrors,
            kind: FindingKind::LabelError,
            samples: vec![SampleId::at(row)],
            column: self.column.clone(),
            severity: f64::from(self.badness(row)),
            reason: self.reason(row, self.evidence.get(&(row as u32)).map_or(&[], Vec::as_slice)),
            suggestion: Some(self.suggestion(row)),
            alike: Vec::new(),
        }
    }

    /// The label that a row should probably have, as its cell would say it: a list of names where there are several.
    pub fn suggested(&self, row: usize) -> Vec<u32> {
        let suggested = self.verdicts[row].suggested;
        if !self.many {
            return vec![suggested];
        }
        let Judge::Many(noise) = &self.judge else { return Vec::new() };
        let has = |class: u32| self.now[row].contains(&class);
        (0..self.names.len() as u32)
            .filter(|class| {
                let wrong = noise.wrong(self.logit(row, *class as usize), *class as usize, has(*class)) >= f64::from(FLAG);
                has(*class) != (wrong || *class == suggested)
            })
            .collect()
    }

    fn suggestion(&self, row: usize) -> String {
        self.suggested(row).iter().map(|class| &*self.names[*class as usize]).collect::<Vec<_>>().join(", ")
    }

    /// Whether somebody has decided on a row.
    pub(super) fn is_decided(&self, row: usize) -> bool {
        self.sure[row]
    }

    /// The class that a row came with, and what was first said of it; `None` of a row that is not judged.
    pub(super) fn before(&self, row: usize) -> Option<(u32, Verdict)> {
        let class = *self.original.get(row).filter(|class| **class != NONE)?;
        Some((class, *self.first.get(row)?))
    }

    /// Why a row is here, like a colleague would say it.
    pub(super) fn reason(&self, row: usize, near: &[Neighbour]) -> String {
        let verdict = self.verdicts[row];
        let own = self.now[row].first().copied().unwrap_or(0) as usize;
        let mut text = if verdict.wrong >= 0.5 || self.many {
            format!("Label is probably wrong, {:.2}", verdict.wrong.min(0.99))
        } else {
            // Few labels are wrong here: it stands out for what it is taken to be, and not by a probability.
            let name = &self.names[verdict.suggested as usize];
            format!("It looks like {name}, though few labels are wrong here")
        };
        if self.many {
            let what = if self.now[row].contains(&verdict.suggested) { "does not belong" } else { "is missing" };
            text.push_str(&format!(": {} {what}", self.names[verdict.suggested as usize]));
        }
        let like = |class: u32| near.iter().filter(|found| self.now[found.row as usize].contains(&class)).count();
        if near.len() >= 3 && !self.many {
            let (theirs, mine) = (like(verdict.suggested), like(own as u32));
            let name = &self.names[verdict.suggested as usize];
            text.push_str(&match (theirs, mine) {
                (0, 0) => format!(": none of its {} nearest samples has its label", near.len()),
                (0, 1) => format!(", though 1 of its {} nearest samples has it", near.len()),
                (0, mine) => format!(", though {mine} of its {} nearest samples have it", near.len()),
                (theirs, 0) => format!(": {theirs} of its {} nearest samples are {name}, none has its label", near.len()),
                (theirs, mine) => {
                    let (are, have) = (if theirs == 1 { "is" } else { "are" }, if mine == 1 { "has" } else { "have" });
                    format!(": {theirs} of its {} nearest samples {are} {name}, {mine} {have} its label", near.len())
                }
            });
        }
        if !self.many {
            text.push_str(&format!("; a model that never saw it gives its label {:.2}", self.plain(row)[own]));
        }
        text
    }
}

/// Up to this many decisions at once move the logits of like samples.
pub const MOST_FOLLOWED: usize = 32;
const SEED: u64 = 42;
