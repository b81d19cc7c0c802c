//! Which of two judges finds wrong labels better: the noise model of Label, or what training saw. Some labels of the train part are made wrong on purpose, in a copy, and both are asked.

use std::collections::HashSet;

use crate::chance::{Chance, seed_of};
use crate::checks::label_errors::{LabelModel, LabelQuestion};
use crate::data::{Dataset, SampleId};
use crate::derive::TextOf;
use crate::derive::embedding;
use crate::edit::{Change, Direction, Edit};
use crate::io::Meaning;
use crate::job::Progress;
use crate::learn::scores::auroc;
use crate::train::{Approach, Lesson, RunPart, TeachMeans, TrainError, TrainParts, teach};

/// One label in so many is made wrong.
const ONE_OF: usize = 20;
/// Fewer than this say little.
const FEWEST: usize = 10;

/// How well one judge told wrong labels from right ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgeFigures {
    /// How often a wrong one stands above a right one.
    pub auroc: f64,
    /// Of as many as were made wrong, standing first: the share that is.
    pub precision: f64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorJudges {
    /// Labels made wrong, and samples that both judged.
    pub planted: usize,
    pub rows: usize,
    pub model: JudgeFigures,
    pub training: JudgeFigures,
    /// By the mean of both ranks.
    pub both: JudgeFigures,
}

/// Makes labels of the train part wrong in a copy, teaches the lesson and fits the noise model on it, and says which found them better.
///
/// # Errors
/// [`TrainError`]: as teaching has them; too few samples, or an approach of which training sees nothing.
pub fn compare_judges(
    dataset: &Dataset,
    lesson: &Lesson,
    means: TeachMeans<'_>,
    progress: &Progress,
) -> Result<ErrorJudges, TrainError> {
    if !matches!(lesson.approach, Approach::Encoder { .. } | Approach::Multitask { .. }) {
        return Err(TrainError::NothingSeen);
    }
    let parts = TrainParts::of(dataset, lesson, progress)?;
    let mut members: Vec<(SampleId, u32)> = parts.members(RunPart::Train).collect();
    let n = members.len() / ONE_OF;
    if n < FEWEST {
        return Err(TrainError::FewForJudges(members.len(), FEWEST * ONE_OF));
    }
    members.sort_by_key(|(id, _)| (seed_of(&[lesson.seed, 0xbad, parts.hashes[id.row()]]), *id));
    let mut chance = Chance::new(seed_of(&[lesson.seed, 0xbad]));
    let wrong: Vec<(SampleId, &str)> = members[..n]
        .iter()
        .map(|(id, class)| {
            let other = (*class as usize + 1 + chance.below(parts.learned - 1)) % parts.learned;
            (*id, parts.classes[other].as_str())
        })
        .collect();
    let mut planted = dataset.clone();
    let refused = |why: crate::edit::EditError| TrainError::NotAnswered(why.to_string());
    let cells = wrong.iter().map(|(id, name)| (*id, Some(*name)));
    let change = Change::cells(dataset, &lesson.label, cells).map_err(refused)?;
    if let Some(edit) = Edit::new("wrong on purpose".to_owned(), change) {
        edit.apply(&mut planted, Direction::Forward);
    }
    // Nothing of it is kept: neither a model nor a state to go on with.
    let own = TeachMeans { keep: None, goes_on: false, ..means };
    let runs = teach(&planted, lesson, own, progress)?;
    let seen = runs.into_iter().find(|run| run.lesson.label == lesson.label).map(|run| run.seen).unwrap_or_default();
    if seen.is_empty() {
        return Err(TrainError::NothingSeen);
    }
    let text = TextOf::of(&planted, lesson.text.as_deref())?;
    let rows = embedding(&planted, &text, &Meaning::BuiltIn, means.store, means.project, progress)?;
    let ask = LabelQuestion { label: Some(lesson.label.clone()), text: lesson.text.clone(), ..LabelQuestion::default() };
    let judge = LabelModel::fit(&planted, &ask, rows, &progress.part())
        .map_err(|why| progress.check().map_or(TrainError::Cancelled, |()| TrainError::NotAnswered(why.to_string())))?;
    let mut place = vec![None; planted.rows()];
    judge.ranked().into_iter().enumerate().for_each(|(at, id)| place[id.row()] = Some(at));
    let mut both: Vec<(u32, usize, f32)> = seen.iter().filter_map(|one| Some((one.0, place[one.0 as usize]?, one.1))).collect();
    both.sort_unstable_by_key(|one| one.0);
    let wrong: HashSet<u32> = wrong.iter().map(|(id, _)| id.0).collect();
    let is_wrong: Vec<bool> = both.iter().map(|one| wrong.contains(&one.0)).collect();
    let by_model: Vec<f64> = ranks(&both.iter().map(|one| -(one.1 as f64)).collect::<Vec<_>>());
    let by_training: Vec<f64> = ranks(&both.iter().map(|one| -f64::from(one.2)).collect::<Vec<_>>());
    let by_both: Vec<f64> = by_model.iter().zip(&by_training).map(|(a, b)| a + b).collect();
    Ok(ErrorJudges {
        planted: is_wrong.iter().filter(|wrong| **wrong).count(),
        rows: both.len(),
        model: figures(&by_model, &is_wrong),
        training: figures(&by_training, &is_wrong),
        both: figures(&by_both, &is_wrong),
    })
}

/// The rank of each number, from 0 for the smallest on; equals share their mean.
fn ranks(list: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|a, b| list[*a].total_cmp(&list[*b]));
    let mut out = vec![0.0; list.len()];
    let mut at = 0;
    while at < order.len() {
        let end = at + order[at..].iter().take_while(|row| list[**row] == list[order[at]]).count();
        let mean = (at + end - 1) as f64 / 2.0;
        order[at..end].iter().for_each(|row| out[*row] = mean);
        at = end;
    }
    out
}

fn figures(scores: &[f64], is_wrong: &[bool]) -> JudgeFigures {
    let n = is_wrong.iter().filter(|wrong| **wrong).count();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let hits = order.iter().take(n).filter(|row| is_wrong[**row]).count();
    JudgeFigures { auroc: auroc(scores, &|row| is_wrong[row]).unwrap_or(f64::NAN), precision: hits as f64 / n.max(1) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_equals_are_shared_and_figures_are_shares() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
        let found = figures(&[0.9, 0.8, 0.1, 0.2], &[true, false, true, false]);
        assert_eq!((found.auroc, found.precision), (0.5, 0.5));
    }
}
