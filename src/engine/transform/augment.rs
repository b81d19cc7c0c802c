//! Making new samples of known ones: which parents, which draws, which texts come out. Pure: a snapshot in, a plan out, the same on any
//! number of threads. Pictures are not touched here; they are altered when somebody looks at them.

use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::text::{TextAugmenter, Waiting};
use crate::chance::{Chance, seed_of};
use crate::data::{Answers, Ask, Batch, Dataset, Kind, Method, Pipeline, Role, SampleId, classes_of};
use crate::edit::{Change, Edit, EditError};
use crate::job::{Cancelled, Progress};
use crate::pixels::{boxes_altered, names_boxes};

/// The column that soft labels stand in.
pub const SOFT: &str = "soft_label";

/// Why nothing can be augmented.
#[derive(Debug, thiserror::Error)]
pub enum AugmentError {
    /// No column holds what the pipeline alters.
    #[error("the pipeline alters {0}, and no column holds them: say in Collect which one does")]
    Nothing(&'static str),
    /// No sample may be augmented.
    #[error("there are no samples to augment: of those that are shown none is in the train part, or all are excluded")]
    NoSamples,
    /// The pipeline does nothing.
    #[error("the pipeline has no steps; add one")]
    NoSteps,
    /// A step is not what it must be.
    #[error("{0}")]
    Pipeline(String),
    /// A text model could not be asked.
    #[error("{0}")]
    Asking(String),
    /// Too many samples would come of it.
    #[error("{0} new samples are more than a dataset holds")]
    TooMany(u64),
    /// The job was stopped.
    #[error("cancelled")]
    Cancelled,
    /// The edit cannot be made.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl From<Cancelled> for AugmentError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// The samples that may be augmented: of the source, not excluded, and in the train part where there is a split that has one.
pub fn trainable(dataset: &Dataset) -> Vec<SampleId> {
    let train = |text: &str| matches!(text.to_lowercase().as_str(), "train" | "training");
    let source = || dataset.source_samples().filter(|id| !dataset.is_excluded(*id));
    let Some(field) = dataset.with_role(|role| role == Role::Split) else { return source().collect() };
    let in_train = |id: &SampleId| dataset.text(field, *id).is_some_and(|text| train(&text));
    // Folds have no train part: each is one in its turn.
    let parts: HashSet<String> = source().filter_map(|id| dataset.text(field, id)).map(|text| text.into_owned()).collect();
    if parts.iter().any(|part| train(part)) { source().filter(in_train).collect() } else { source().collect() }
}

/// The columns whose texts a pipeline alters: those with the role text, or else chats.
pub fn text_fields(dataset: &Dataset) -> Vec<usize> {
    let with = |role: Role| -> Vec<usize> {
        (0..dataset.fields().len()).filter(|field| dataset.fields()[*field].role == role).collect()
    };
    [Role::Text, Role::Messages].into_iter().map(with).find(|fields| !fields.is_empty()).unwrap_or_default()
}

/// Pixels across and down of a sample's picture, where they are known.
pub type PartSizes<'s> = &'s (dyn Fn(SampleId) -> Option<(u32, u32)> + 's);

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Augment {
    pub pipeline: Pipeline,
    pub seed: u64,
    /// Parents, and how many children each is to have.
    pub parents: Vec<(SampleId, u32)>,
    /// The columns whose texts are altered; empty where none are.
    pub fields: Vec<usize>,
}

/// The children, before they are judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Children {
    pub parents: Vec<SampleId>,
    /// Second parents, where the pipeline mixes; else empty.
    pub others: Vec<SampleId>,
    pub draws: Vec<u64>,
    /// The altered texts of each, one a column of [`Augment::fields`].
    pub texts: Vec<Vec<String>>,
    /// How many came out as their parent, or as a sibling, in every try, and were left out.
    pub same: usize,
    /// How many wait for a text model's answer.
    pub waiting: usize,
}

/// How often a draw is made before one that changes nothing is left out; less often where each is asked of a text model.
const TRIES: u64 = 6;
const TRIES_ASKED: u64 = 2;

impl Augment {
    /// Every trainable sample of `dataset`, `copies` children each.
    ///
    /// # Errors
    /// [`AugmentError`]: no steps, no column, no samples.
    pub fn all(dataset: &Dataset, pipeline: Pipeline, seed: u64, copies: u32) -> Result<Self, AugmentError> {
        let parents = trainable(dataset).into_iter().map(|id| (id, copies)).collect();
        Self::of(dataset, pipeline, seed, parents)
    }

    /// These parents.
    ///
    /// # Errors
    /// [`AugmentError`], likewise.
    pub fn of(dataset: &Dataset, mut pipeline: Pipeline, seed: u64, parents: Vec<(SampleId, u32)>) -> Result<Self, AugmentError> {
        if pipeline.steps.iter().all(|step| step.off) {
            return Err(AugmentError::NoSteps);
        }
        pipeline.check().map_err(AugmentError::Pipeline)?;
        let fields = if pipeline.alters_texts() { text_fields(dataset) } else { Vec::new() };
        if pipeline.alters_texts() && fields.is_empty() {
            return Err(AugmentError::Nothing("texts"));
        }
        if pipeline.alters_pictures() && dataset.pictures().is_none() {
            return Err(AugmentError::Nothing("images"));
        }
        let total: u64 = parents.iter().map(|(_, n)| u64::from(*n)).sum();
        if total == 0 {
            return Err(AugmentError::NoSamples);
        }
        if dataset.rows() as u64 + total >= u64::from(u32::MAX) {
            return Err(AugmentError::TooMany(total));
        }
        Ok(Self { pipeline, seed, parents, fields })
    }

    /// The child of a draw: its texts; `None` where the draw changes nothing.
    ///
    /// # Errors
    /// [`Waiting`] where a text model has not answered yet.
    pub fn child(
        &self,
        augmenter: &TextAugmenter<'_>,
        dataset: &Dataset,
        parent: SampleId,
        draw: u64,
    ) -> Result<Option<Vec<String>>, Waiting> {
        let all = self.pipeline.steps.len();
        let mut changed = self
            .pipeline
            .steps
            .iter()
            .enumerate()
            .any(|(at, step)| step.op.is_of_pictures() && self.pipeline.chance(draw, at).is_some());
        let texts = self.texts(augmenter, dataset, parent, draw, all)?;
        let as_it_was = |(field, after): (&usize, &String)| dataset.text(*field, parent).unwrap_or_default() == after.as_str();
        changed |= !self.fields.iter().zip(&texts).all(as_it_was);
        Ok(changed.then_some(texts))
    }

    /// The texts of a draw by the first `steps` steps, one a column.
    ///
    /// # Errors
    /// [`Waiting`] where a text model has not answered yet; all that can be asked by now is noted.
    pub fn texts(
        &self,
        augmenter: &TextAugmenter<'_>,
        dataset: &Dataset,
        parent: SampleId,
        draw: u64,
        steps: usize,
    ) -> Result<Vec<String>, Waiting> {
        let mut texts = Vec::with_capacity(self.fields.len());
        let mut waiting = None;
        for (place, field) in self.fields.iter().enumerate() {
            let before = dataset.text(*field, parent).unwrap_or_default();
            // Several columns of one sample draw apart, and the first as if it were alone.
            let draw = if place == 0 { draw } else { seed_of(&[draw, place as u64]) };
            let mut alter = |draw: u64, text: &str| {
                augmenter.try_alter(draw, steps, text).unwrap_or_else(|wait| {
                    waiting = waiting.or(Some(wait));
                    text.to_owned()
                })
            };
            texts.push(if dataset.fields()[*field].role == Role::Messages {
                in_turns(&before, |turn, text| alter(seed_of(&[draw, turn as u64]), text))
            } else {
                alter(draw, &before)
            });
        }
        waiting.map_or(Ok(texts), Err)
    }

    /// Makes all children; steps that ask text models leave texts as they are. Steps of progress: one a parent.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn run(&self, dataset: &Dataset, progress: &Progress) -> Result<Children, Cancelled> {
        Ok(self.run_with(dataset, None, progress)?.0)
    }

    /// Makes the children that `answers` are there for, and says what is missing for the others.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn run_with(
        &self,
        dataset: &Dataset,
        answers: Option<&Answers>,
        progress: &Progress,
    ) -> Result<(Children, Vec<Ask>), Cancelled> {
        let augmenter = TextAugmenter::with_answers(&self.pipeline, answers);
        let pool = if self.pipeline.mixes() { trainable(dataset) } else { Vec::new() };
        let parts: Vec<Children> = self
            .parents
            .par_chunks(256)
            .map(|part| {
                let mut made = Children::default();
                for (parent, copies) in part {
                    progress.step(1)?;
                    self.family(dataset, &augmenter, *parent, *copies, &pool, &mut made);
                }
                Ok(made)
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut all = Children::default();
        for part in parts {
            all.parents.extend(part.parents);
            all.others.extend(part.others);
            all.draws.extend(part.draws);
            all.texts.extend(part.texts);
            all.same += part.same;
            all.waiting += part.waiting;
        }
        Ok((all, augmenter.missing()))
    }

    fn family(
        &self,
        dataset: &Dataset,
        augmenter: &TextAugmenter<'_>,
        parent: SampleId,
        copies: u32,
        pool: &[SampleId],
        made: &mut Children,
    ) {
        let born = self.children_of(dataset, augmenter, parent, copies);
        made.same += copies as usize - born.len();
        for (draw, texts) in born {
            let Ok(texts) = texts else {
                made.waiting += 1;
                continue;
            };
            if self.pipeline.mixes() {
                made.others.push(second_parent(draw, parent, pool));
            }
            made.parents.push(parent);
            made.draws.push(draw);
            made.texts.push(texts);
        }
    }

    /// The children of one sample: their draws and their texts, or what they wait for. Draws that come out as their parent or a sibling
    /// are tried again some times, and left out in the end.
    pub fn children_of(
        &self,
        dataset: &Dataset,
        augmenter: &TextAugmenter<'_>,
        parent: SampleId,
        copies: u32,
    ) -> Vec<(u64, Result<Vec<String>, Waiting>)> {
        // Children that are there already keep their numbers: another run makes others.
        let there = dataset.children(parent).len() as u64;
        let tries = if self.pipeline.models().is_empty() { TRIES } else { TRIES_ASKED };
        let mut found: Vec<(u64, Result<Vec<String>, Waiting>)> = Vec::new();
        let mut siblings: HashSet<Vec<String>> = HashSet::new();
        for copy in 0..u64::from(copies) {
            let born = (0..tries).find_map(|attempt| {
                let draw = Batch::draw(self.seed, parent, (there + copy) | attempt << 40);
                match self.child(augmenter, dataset, parent, draw) {
                    Err(waiting) => Some((draw, Err(waiting))),
                    Ok(texts) => {
                        let texts = texts?;
                        let fresh = self.pipeline.alters_pictures() || siblings.insert(texts.clone());
                        fresh.then_some((draw, Ok(texts)))
                    }
                }
            });
            found.extend(born);
        }
        found
    }

    /// The edit that adds `children`, as they were judged (`risks` and `distances` may be empty). `sizes` gives pictures' sizes, for the
    /// boxes on them; the words say what was done.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn edit(
        &self,
        dataset: &Dataset,
        children: Children,
        risks: Vec<u16>,
        distances: Vec<u16>,
        sizes: PartSizes<'_>,
        words: String,
    ) -> Result<Option<Edit>, EditError> {
        if children.parents.is_empty() {
            return Ok(None);
        }
        let batch = Batch {
            first: SampleId::at(dataset.rows()),
            method: Method::Augmented(self.pipeline.to_json()),
            seed: self.seed,
            parents: children.parents,
            others: children.others,
            draws: children.draws,
            risks,
            distances,
        };
        let (mut planned, mut changes) = (dataset.clone(), Vec::new());
        if self.pipeline.mixes() && dataset.field(SOFT).is_none() && dataset.with_role(Role::is_label).is_some() {
            changes.push(Change::add_column(dataset, SOFT, Kind::Struct, Role::Other)?);
            planned.add_field(SOFT, Kind::Struct, Role::Other);
        }
        changes.push(Change::made(&planned, batch.clone())?);
        planned.add_made(batch.clone());
        for (place, field) in self.fields.iter().enumerate() {
            let name = planned.fields()[*field].name.to_string();
            let cells = batch.ids().zip(&children.texts).map(|(id, texts)| (id, Some(texts[place].as_str())));
            changes.extend(Change::cells(&planned, &name, cells)?);
        }
        if self.pipeline.alters_pictures() {
            changes.extend(boxes_follow(&planned, &self.pipeline, &batch, sizes)?);
        }
        if !batch.others.is_empty() {
            changes.extend(soft_labels(&planned, &self.pipeline, &batch)?);
        }
        Ok(Edit::new(words, changes))
    }
}

/// The sample that a mixing step takes in this draw: another than the parent, where there is one.
pub fn second_parent(draw: u64, parent: SampleId, pool: &[SampleId]) -> SampleId {
    let mut chance = Chance::new(seed_of(&[draw, u64::MAX]));
    (0..8).find_map(|_| chance.one_of(pool).copied().filter(|other| *other != parent)).unwrap_or(parent)
}

/// The turns of a user in a chat, altered; everything else stays.
fn in_turns(chat: &str, mut alter: impl FnMut(usize, &str) -> String) -> String {
    let Ok(mut turns) = serde_json::from_str::<Vec<Value>>(chat) else { return chat.to_owned() };
    let mut touched = false;
    for (at, turn) in turns.iter_mut().enumerate() {
        let Some(fields) = turn.as_object_mut() else { continue };
        let by_user = ["role", "from"]
            .iter()
            .any(|key| fields.get(*key).and_then(Value::as_str).is_some_and(|who| matches!(who, "user" | "human")));
        for key in ["content", "value"].into_iter().filter(|_| by_user) {
            if let Some(Value::String(text)) = fields.get_mut(key) {
                let after = alter(at, text);
                touched |= after != *text;
                *text = after;
            }
        }
    }
    if touched { serde_json::to_string(&turns).unwrap_or_else(|_| chat.to_owned()) } else { chat.to_owned() }
}

/// Boxes of altered pictures, in whatever columns hold any. Where a picture's size is not known they are taken away rather than left wrong.
fn boxes_follow(planned: &Dataset, pipeline: &Pipeline, batch: &Batch, sizes: PartSizes<'_>) -> Result<Vec<Change>, EditError> {
    let mut changes = Vec::new();
    for field in planned.fields() {
        let Some(at) = planned.field(&field.name).filter(|_| names_boxes(&field.name)) else { continue };
        let mut cells: Vec<(SampleId, String)> = Vec::new();
        for ((id, parent), draw) in batch.ids().zip(&batch.parents).zip(&batch.draws) {
            let Some(cell) = planned.text(at, *parent) else { continue };
            let Some(size) = sizes(*parent) else {
                if boxes_altered(&field.name, &cell, (1, 1), |_| (Vec::new(), (1, 1))).is_some() {
                    cells.push((id, "[]".to_owned()));
                }
                continue;
            };
            let altered = boxes_altered(&field.name, &cell, size, |boxes| pipeline.alter_boxes(*draw, size, boxes));
            cells.extend(altered.map(|text| (id, text)));
        }
        let cells = cells.iter().map(|(id, text)| (*id, Some(text.as_str())));
        changes.extend(Change::cells(planned, &field.name, cells)?);
    }
    Ok(changes)
}

/// `{"cat": 0.7, "dog": 0.3}` for each child of two parents.
fn soft_labels(planned: &Dataset, pipeline: &Pipeline, batch: &Batch) -> Result<Option<Change>, EditError> {
    let (Some(label), Some(_)) = (planned.with_role(Role::is_label), planned.field(SOFT)) else { return Ok(None) };
    let (kind, role) = (planned.fields()[label].kind, planned.fields()[label].role);
    let cells: Vec<String> = batch
        .parents
        .iter()
        .zip(&batch.others)
        .zip(&batch.draws)
        .map(|((parent, other), draw)| {
            let share = pipeline.share_of_other(*draw);
            let mut shares: BTreeMap<String, f64> = BTreeMap::new();
            for (id, part) in [(*parent, 1.0 - share), (*other, share)] {
                for class in classes_of(planned.text(label, id), kind, role) {
                    *shares.entry(class).or_default() += part;
                }
            }
            let round = |part: f64| json!((part * 1e4).round() / 1e4);
            Value::Object(shares.into_iter().map(|(class, part)| (class, round(part))).collect::<Map<_, _>>()).to_string()
        })
        .collect();
    Change::cells(planned, SOFT, batch.ids().zip(cells.iter().map(|text| Some(text.as_str()))))
}
