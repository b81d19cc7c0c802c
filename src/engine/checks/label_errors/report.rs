//! What the window shows of a label model: the queue by expected gain, the noise matrix, the health of each class.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::model::{Judge, LabelModel};
use crate::data::{Dataset, Kind, Role, SampleId};
use crate::learn::neighbours::Neighbour;

/// Candidates that are shown with their probabilities.
const SHOWN: usize = 9;
/// Decided samples that are kept ready to be shown once more.
const AGAIN: usize = 64;
/// Candidates below the line that are kept ready.
const BELOW: usize = 200;
/// A model that closes less than this part of the gap between guessing and knowing tells classes hardly apart.
const BLUNT: f64 = 0.15;

/// What the window shows of a label model: made anew after each decision, and never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelReport {
    /// The label column.
    pub column: String,
    /// The classes that were learned.
    pub names: Vec<Arc<str>>,
    /// Whether a sample may have several.
    pub many: bool,
    /// What waits for a decision, by expected gain.
    pub queue: Vec<Candidate>,
    /// Where each sample stands in the queue.
    pub place: HashMap<SampleId, usize>,
    /// What comes next below the line, by what speaks against it: not flagged, and not decided on.
    pub below: Vec<Candidate>,
    /// The share of labels that a model which never saw them gives itself, and what always naming the commonest class would give.
    pub told: (f64, f64),
    /// Samples that somebody has decided on, as they were before: some to be shown once more, in an order of chance.
    pub again: Vec<Candidate>,
    /// How many samples were judged.
    pub judged: usize,
    /// Samples per class, as places in `names`.
    pub counts: Vec<u64>,
    /// Expected wrong labels per class.
    pub wrong: Vec<f64>,
    /// `[given × classes + true]`: expected samples; empty where there may be several.
    pub joint: Vec<f64>,
}

/// One sample of the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The sample.
    pub id: SampleId,
    /// The probability that its label is wrong, 0 to 1.
    pub wrong: f32,
    /// What speaks against its label, 0 to 1, where few labels are wrong and that probability says of hardly any that it is.
    pub evidence: Option<f32>,
    /// What a decision on it is worth: orders the queue.
    pub gain: f32,
    /// The label that it has, and should probably have, as places in `names`.
    pub given: Vec<u32>,
    pub suggested: Vec<u32>,
    /// The likeliest classes and their probabilities.
    pub top: Vec<(u32, f32)>,
    /// Its nearest labelled samples, where they are known.
    pub near: Vec<Neighbour>,
    /// Why it is here.
    pub reason: String,
}

impl Candidate {
    /// What speaks against its label, 0 to 1: the probability that it is wrong, where there is one to go by.
    pub fn against(&self) -> f32 {
        self.evidence.unwrap_or(self.wrong)
    }

    /// The label that it has, with one class put in or taken out.
    pub fn toggled(&self, class: u32) -> Vec<u32> {
        let mut classes: Vec<u32> = self.given.iter().copied().filter(|other| *other != class).collect();
        if classes.len() == self.given.len() {
            classes.push(class);
        }
        classes.sort_unstable();
        classes
    }
}

impl LabelReport {
    pub(super) fn new(model: &LabelModel) -> Self {
        let k = model.names.len();
        let (mut counts, mut wrong) = (vec![0u64; k], vec![0.0f64; k]);
        for row in &model.rows {
            let row = *row as usize;
            for class in &*model.now[row] {
                counts[*class as usize] += 1;
                if !model.many || model.verdicts[row].suggested == *class {
                    wrong[*class as usize] += f64::from(model.verdicts[row].wrong);
                }
            }
        }
        let even = model.rows.len() as f32 / k as f32;
        let open: Vec<u32> = model.rows.iter().copied().filter(|row| model.is_open(*row as usize)).collect();
        let candidate = |row: u32| {
            let near = model.evidence.get(&row).cloned().unwrap_or_default();
            let row = row as usize;
            let top = model.top(row);
            // Expected gain: how surely it is wrong; more for a rare class, to which one sample matters more; more for a sample
            // with close neighbours, whose labels it speaks for.
            let rarest = model.now[row].iter().map(|class| counts[*class as usize]).min().unwrap_or(1).max(1) as f32;
            let rarity = (even / rarest).clamp(0.5, 4.0).powf(0.15);
            let density = near.iter().map(|found| found.likeness).sum::<f32>() / near.len().max(1) as f32;
            let gain = model.badness(row) * rarity * (0.9 + 0.2 * density);
            Candidate {
                id: SampleId::at(row),
                wrong: model.verdicts[row].wrong,
                evidence: (!model.many && model.verdicts[row].wrong < 0.5).then(|| model.badness(row)),
                gain,
                given: model.now[row].to_vec(),
                suggested: model.suggested(row),
                top,
                reason: model.reason(row, &near),
                near,
            }
        };
        let mut below: Vec<u32> = model.rows.iter().copied().filter(|row| model.waits_below(*row as usize)).collect();
        let worse = |a: &u32, b: &u32| model.badness(*b as usize).total_cmp(&model.badness(*a as usize)).then(a.cmp(b));
        if below.len() > BELOW {
            below.select_nth_unstable_by(BELOW, worse);
            below.truncate(BELOW);
        }
        below.sort_by(worse);
        let below: Vec<Candidate> = below.into_par_iter().map(candidate).collect();
        let mut queue: Vec<Candidate> = open.into_par_iter().map(candidate).collect();
        queue.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.id.cmp(&b.id)));
        let again = decided(model, &|row| candidate(row));
        let joint = match &model.judge {
            Judge::One(noise) => noise.joint.clone(),
            Judge::Many(_) => Vec::new(),
        };
        let place = queue.iter().enumerate().map(|(at, candidate)| (candidate.id, at)).collect();
        Self {
            column: model.column.clone(),
            names: model.names.clone(),
            many: model.many,
            queue,
            place,
            below,
            again,
            told: model.sharpness(),
            judged: model.rows.len(),
            counts,
            wrong,
            joint,
        }
    }

    /// What is said of a sample that waits in the queue, or below the line.
    pub fn candidate(&self, id: SampleId) -> Option<&Candidate> {
        let below = || self.below.iter().find(|candidate| candidate.id == id);
        self.place.get(&id).and_then(|at| self.queue.get(*at)).or_else(below)
    }

    /// What to know where the classes can hardly be told apart.
    pub fn doubt(&self) -> Option<String> {
        let (right, guess) = self.told;
        let blunt = !self.many && right < guess + BLUNT * (1.0 - guess);
        blunt.then(|| {
            format!(
                "the model tells these classes hardly apart: it names {:.0} % of labels, and always naming the commonest would name {:.0} %. What is found is little better than chance",
                right * 100.0,
                guess * 100.0
            )
        })
    }

    /// Classes as the label's cell writes them.
    pub fn cell(&self, dataset: Option<&Dataset>, classes: &[u32]) -> String {
        let names: Vec<&str> = classes.iter().map(|class| &*self.names[*class as usize]).collect();
        let field = dataset.and_then(|dataset| dataset.field(&self.column).map(|field| &dataset.fields()[field]));
        match field.map(|field| (field.kind, field.role)) {
            Some((Kind::List, _)) => serde_json::to_string(&names).unwrap_or_default(),
            Some((_, Role::Labels(separator))) => names.join(&separator.to_string()),
            _ => names.concat(),
        }
    }

    /// The share of labels that are probably right, 0 to 1.
    pub fn health(&self) -> f64 {
        let labels: u64 = self.counts.iter().sum();
        1.0 - self.wrong.iter().sum::<f64>() / labels.max(1) as f64
    }

    /// Pairs of classes by how many samples of one are expected to carry the other's label, most first.
    pub fn overlaps(&self) -> Vec<(usize, usize, f64)> {
        let k = self.names.len();
        if self.joint.is_empty() {
            return Vec::new();
        }
        let mut pairs: Vec<(usize, usize, f64)> = (0..k)
            .flat_map(|a| (a + 1..k).map(move |b| (a, b)))
            .map(|(a, b)| (a, b, self.joint[a * k + b] + self.joint[b * k + a]))
            .filter(|(_, _, count)| *count >= 0.5)
            .collect();
        pairs.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
        pairs
    }
}

/// Some samples that somebody has decided on, as they would stand in the queue had nobody. Which they are is drawn by their numbers alone: one more decision moves
/// none of the others.
fn decided(model: &LabelModel, candidate: &dyn Fn(u32) -> Candidate) -> Vec<Candidate> {
    if model.many {
        return Vec::new();
    }
    let mut rows: Vec<u32> = model.rows.iter().copied().filter(|row| model.is_decided(*row as usize)).collect();
    rows.sort_by_key(|row| xxhash_rust::xxh3::xxh3_64(&row.to_le_bytes()));
    rows.truncate(AGAIN);
    rows.into_iter()
        .filter_map(|row| {
            let (before, first) = model.before(row as usize)?;
            let mut one = candidate(row);
            let likely = one.top.iter().map(|(class, _)| *class).find(|class| *class != before)?;
            let suggested = if first.suggested == before { likely } else { first.suggested };
            one.reason = format!("Label is probably wrong, {:.2}", first.wrong.clamp(0.5, 0.99));
            (one.given, one.suggested, one.wrong, one.evidence) = (vec![before], vec![suggested], first.wrong.max(0.5), None);
            Some(one)
        })
        .collect()
}

impl LabelModel {
    /// What there is to show, as it stands.
    pub fn report(&self) -> LabelReport {
        LabelReport::new(self)
    }

    /// The names of a sample's likeliest classes, most likely first; none where it is not judged.
    pub fn likely(&self, id: SampleId) -> Vec<String> {
        let row = id.row();
        let judged = self.given.get(row).is_some_and(|given| *given != crate::learn::noise::NONE);
        if !judged {
            return Vec::new();
        }
        self.top(row).into_iter().map(|(class, _)| self.names[class as usize].to_string()).collect()
    }

    fn top(&self, row: usize) -> Vec<(u32, f32)> {
        let k = self.names.len();
        let mut p = vec![0.0f32; k];
        match &self.judge {
            // Where few labels are wrong, what the text alone says is what there is to decide by.
            Judge::One(_) if self.verdicts[row].wrong < 0.5 => p = self.plain(row),
            Judge::One(noise) => {
                noise.judge(&self.fit.logits, row, self.given[row], &mut p);
            }
            Judge::Many(_) => p = self.plain(row),
        }
        let mut top: Vec<(u32, f32)> = (0..k as u32).zip(p).collect();
        let shown = SHOWN.min(k);
        top.select_nth_unstable_by(shown - 1, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        top.truncate(shown);
        top.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        top
    }
}
