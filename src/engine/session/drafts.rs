//! Previews of what a pipeline makes, worked out in a job: originals, draws of them, what a model says of each, and what a whole run would
//! come to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::forms::{AugmentForm, DRAWS, Estimate, ORIGINALS, PICTURE_DRAWS};
use crate::chance::seed_of;
use crate::data::{Answers, Ask, AskKey, Augmentation, Dataset, SampleId};
use crate::derive::{Store, TextOf, fluency};
use crate::io::picture_to_alter;
use crate::job::{Cancelled, Progress};
use crate::learn::fluency::Fluency;
use crate::learn::risk::{Risk, RiskModel};
use crate::operate::judge;
use crate::pixels::{Look, Picture, look_of};
use crate::transform::{Augment, AugmentError, TextAugmenter, second_parent};

/// A preview, as pixels.
pub struct Drafted {
    pub families: Vec<DraftedFamily>,
    pub estimate: Estimate,
    /// Why there is none.
    pub trouble: Option<String>,
    /// What text models are to be asked before it is whole.
    pub asks: Vec<Ask>,
}

/// An original and what is drawn of it.
pub struct DraftedFamily {
    pub parent: SampleId,
    pub texts: Vec<String>,
    pub picture: Option<Result<Picture, String>>,
    pub draws: Vec<DraftedDraw>,
}

/// One altered sample.
#[derive(Default)]
pub struct DraftedDraw {
    /// The altered texts, one a column.
    pub texts: Vec<String>,
    /// The altered picture, and where it differs.
    pub picture: Option<Picture>,
    pub changed: Option<Picture>,
    /// What a model says of it, where there is one.
    pub risk: Option<Risk>,
    /// How fluent it is beside its original, 0 to 1; `None` where no text is altered.
    pub fluency: Option<f32>,
    /// The steps that happened.
    pub steps: Vec<usize>,
    /// The question that it waits for.
    pub waiting: Option<AskKey>,
}

/// Originals as they were decoded, for many draws.
pub type Originals = Arc<Mutex<HashMap<SampleId, (Picture, f64)>>>;

/// Pictures are previewed at this many pixels a side.
const SIDE: u32 = 256;
/// The most originals that are kept.
const KEPT: usize = 200;
/// How many draws say something of all, where most wait for an answer.
const FEW: usize = 6;
/// How many draws an estimate is made of.
const SAMPLED: usize = 160;

/// Works a preview out. An estimate that is known is kept.
///
/// # Errors
/// [`Cancelled`].
pub fn draft(
    dataset: &Dataset,
    form: &AugmentForm,
    parents: &[SampleId],
    model: Option<&RiskModel>,
    answers: &Answers,
    originals: &Originals,
    estimate: Option<Estimate>,
    store: &Store,
    progress: &Progress,
) -> Result<Drafted, Cancelled> {
    let trouble =
        |text: String| Drafted { families: Vec::new(), estimate: Estimate::default(), trouble: Some(text), asks: Vec::new() };
    let counted = parents.iter().map(|id| (*id, 1)).collect();
    // The draws that a run makes; another draw is a run with another seed.
    let seed = if form.draw == 0 { form.seed } else { seed_of(&[form.seed, form.draw]) };
    let augment = match Augment::of(dataset, form.pipeline.clone(), seed, counted) {
        Ok(augment) => augment,
        Err(AugmentError::NoSteps) => return Ok(originals_only(dataset, form, parents, originals)),
        Err(error) => return Ok(trouble(error.to_string())),
    };
    let augmenter = TextAugmenter::with_answers(&augment.pipeline, Some(answers));
    let upto = form.upto.map_or(augment.pipeline.steps.len(), |at| at + 1);
    let field = dataset.pictures().filter(|_| augment.pipeline.alters_pictures() || augment.fields.is_empty());
    let draws = if field.is_some() { PICTURE_DRAWS } else { DRAWS };
    let mut families = Vec::new();
    for place in 0..ORIGINALS.min(parents.len()) {
        progress.check()?;
        let parent = shown_parent(parents, form.page, place);
        let mut family = original(dataset, &augment.fields, field, parent, originals);
        for (draw, texts) in augment.children_of(dataset, &augmenter, parent, draws) {
            let happens = |at: &usize| augment.pipeline.chance(draw, *at).is_some();
            let steps: Vec<usize> = (0..upto.min(augment.pipeline.steps.len())).filter(happens).collect();
            let texts =
                if upto < augment.pipeline.steps.len() { augment.texts(&augmenter, dataset, parent, draw, upto) } else { texts };
            let waiting = texts.as_ref().err().map(|waiting| waiting.0);
            let mut drawn = DraftedDraw { texts: texts.unwrap_or_default(), steps, waiting, ..DraftedDraw::default() };
            if let (Some(field), Some(Ok(picture))) = (field, &family.picture) {
                let unit = kept(originals, parent).map_or(1.0, |(_, unit)| unit);
                let other = augment.pipeline.mixes().then(|| second_parent(draw, parent, parents));
                let other = other.and_then(|other| decoded(dataset, field, other, originals).ok()).map(|(picture, _)| picture);
                let (altered, _) = augment.pipeline.alter(draw, upto, picture.clone(), unit, other.as_ref(), Vec::new());
                drawn.changed = form.changes.then(|| difference(picture, &altered));
                drawn.picture = Some(altered);
            }
            family.draws.push(drawn);
        }
        if let Some(model) = model {
            judge_family(dataset, &augment, model, &mut family);
        }
        if augment.pipeline.alters_texts()
            && let Ok(text) = TextOf::of(dataset, None)
        {
            judge_words(dataset, &augment, &text, &*fluency(dataset, &text, store, progress)?, &mut family);
        }
        families.push(family);
    }
    let estimate = match estimate {
        Some(known) => known,
        None => estimated(dataset, form, &augment, model, answers, progress)?,
    };
    Ok(Drafted { families, estimate, trouble: None, asks: augmenter.missing() })
}

/// The sample previewed at a place of a page: from all over the dataset, since neighbours in a file are often alike.
fn shown_parent(parents: &[SampleId], page: usize, place: usize) -> SampleId {
    let at = page * ORIGINALS + place;
    // A step that shares no factor with the length visits every sample before any comes again.
    let n = parents.len();
    let gcd = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let step = (n * 382 / 1_000..n).find(|step| gcd(*step, n) == 1).unwrap_or(1);
    parents[(at % n * step) % n]
}

/// A pipeline without steps still shows what there is to alter.
fn originals_only(dataset: &Dataset, form: &AugmentForm, parents: &[SampleId], originals: &Originals) -> Drafted {
    let fields = crate::transform::text_fields(dataset);
    let field = dataset.pictures().filter(|_| fields.is_empty());
    let families = (0..ORIGINALS.min(parents.len()))
        .map(|place| original(dataset, &fields, field, shown_parent(parents, form.page, place), originals))
        .collect();
    let estimate = Estimate { parents: parents.len(), ..Estimate::default() };
    let trouble = parents.is_empty().then(|| AugmentError::NoSamples.to_string());
    Drafted { families, estimate, trouble, asks: Vec::new() }
}

fn original(dataset: &Dataset, fields: &[usize], field: Option<usize>, parent: SampleId, originals: &Originals) -> DraftedFamily {
    let texts = fields.iter().map(|field| dataset.text(*field, parent).unwrap_or_default().into_owned()).collect();
    let picture = field.map(|field| decoded(dataset, field, parent, originals).map(|(picture, _)| picture));
    DraftedFamily { parent, texts, picture, draws: Vec::new() }
}

fn kept(originals: &Originals, id: SampleId) -> Option<(Picture, f64)> {
    originals.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
}

/// An original, decoded once for many draws.
fn decoded(dataset: &Dataset, field: usize, id: SampleId, originals: &Originals) -> Result<(Picture, f64), String> {
    if let Some(known) = kept(originals, id) {
        return Ok(known);
    }
    let fresh = picture_to_alter(dataset, field, id, Some(SIDE)).map_err(|trouble| trouble.to_string())?;
    let mut all = originals.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= KEPT {
        all.clear();
    }
    all.insert(id, fresh.clone());
    Ok(fresh)
}

/// The altered samples of a family, each as one text.
fn altered(dataset: &Dataset, augment: &Augment, text: &TextOf, family: &DraftedFamily) -> Vec<String> {
    let of = |drawn: &DraftedDraw| {
        text.read_with(dataset, family.parent, |field| {
            let place = augment.fields.iter().position(|known| *known == field)?;
            drawn.texts.get(place).map(String::as_str)
        })
    };
    family.draws.iter().map(of).collect()
}

/// Says how fluent each draw is beside its original.
fn judge_words(dataset: &Dataset, augment: &Augment, text: &TextOf, model: &Fluency, family: &mut DraftedFamily) {
    let made = altered(dataset, augment, text, family);
    let made: Vec<&str> = made.iter().map(String::as_str).collect();
    let said = model.beside(&text.read(dataset, family.parent), &made);
    family.draws.iter_mut().zip(said).filter(|(drawn, _)| drawn.waiting.is_none()).for_each(|(drawn, fluent)| {
        drawn.fluency = Some(fluent);
    });
}

fn judge_family(dataset: &Dataset, augment: &Augment, model: &RiskModel, family: &mut DraftedFamily) {
    let row = family.parent.0;
    let risks = if model.reads_texts() {
        let Ok(text) = TextOf::of(dataset, None) else { return };
        let texts: Vec<(u32, String)> =
            altered(dataset, augment, &text, family).into_iter().map(|altered| (row, altered)).collect();
        model.of_altered_texts(&texts.iter().map(|(row, text)| (*row, text.as_str())).collect::<Vec<_>>())
    } else {
        let looks: Vec<(u32, Look)> =
            family.draws.iter().filter_map(|drawn| drawn.picture.as_ref()).map(|picture| (row, look_of(picture))).collect();
        model.of_altered_pictures(&looks)
    };
    family.draws.iter_mut().zip(risks).filter(|(drawn, _)| drawn.waiting.is_none()).for_each(|(drawn, risk)| drawn.risk = risk);
}

/// Draws some hundred children as a run would, and says what a run comes to.
fn estimated(
    dataset: &Dataset,
    form: &AugmentForm,
    augment: &Augment,
    model: Option<&RiskModel>,
    answers: &Answers,
    progress: &Progress,
) -> Result<Estimate, Cancelled> {
    let parents = &augment.parents;
    let stride = (parents.len() / SAMPLED).max(1);
    let few = Augment { parents: parents.iter().step_by(stride).take(SAMPLED).copied().collect(), ..augment.clone() };
    let begun = Instant::now();
    let (children, _) = few.run_with(dataset, Some(answers), progress)?;
    let risks = match model {
        Some(model) => judge(dataset, &few, &children, model, progress)?,
        None => Vec::new(),
    };
    let seconds = begun.elapsed().as_secs_f64();
    let n = few.parents.len().max(1) as f64;
    let same = children.same as f64 / n;
    // What waits for an answer says nothing yet, and a handful says little.
    let made = children.parents.len();
    let enough = children.waiting == 0 || made >= FEW;
    let asks = |op: Augmentation| match op {
        Augmentation::BackTranslation => 2.0,
        other => f64::from(u8::from(other.asks())),
    };
    let steps = &augment.pipeline.steps;
    let risky = risks.iter().flatten().filter(|risk| risk.label > form.most_risk).count();
    let bytes: usize = children.texts.iter().flatten().map(String::len).sum();
    Ok(Estimate {
        parents: parents.len(),
        same,
        risky: if enough { (1.0 - same) * risky as f64 / made.max(1) as f64 } else { 0.0 },
        seconds: seconds / n,
        asks: steps.iter().map(|step| step.happens() * asks(step.op)).sum::<f64>() * augment.fields.len() as f64,
        bytes: bytes as f64 / children.parents.len().max(1) as f64,
    })
}

/// Where two pictures of one size differ: grey where they do not, and brighter the more they do.
fn difference(before: &Picture, after: &Picture) -> Picture {
    let mut out = after.clone();
    if (before.width, before.height) != (after.width, after.height) {
        return out;
    }
    let old = before.rgba.as_chunks::<4>().0;
    for (pixel, old) in out.rgba.as_chunks_mut::<4>().0.iter_mut().zip(old) {
        let off = (0..3).map(|channel| pixel[channel].abs_diff(old[channel])).max().unwrap_or(0);
        let grey = (u16::from(pixel[0]) + u16::from(pixel[1]) + u16::from(pixel[2])) / 6;
        let lit = u16::from(off).saturating_mul(3).min(255);
        let mix = |to: u16| ((grey * (255 - lit) + to * lit) / 255) as u8;
        *pixel = [mix(255), mix(96), mix(160), 255];
    }
    out
}
