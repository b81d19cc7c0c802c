//! What more samples are worth: the same lesson on growing shares of the train part, tried on the same samples.

use super::asked::Lesson;
use super::fault::TrainError;
use super::figures::figures;
use super::means::TeachMeans;
use super::teach::teach;
use crate::data::Dataset;
use crate::job::Progress;

/// Shares of the train part, and how many seeds each.
const SHARES: [f64; 4] = [0.1, 0.25, 0.5, 1.0];
const SEEDS: u64 = 3;

/// How good a lesson is on so many samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    pub share: f64,
    /// Samples that were learned from.
    pub samples: usize,
    /// The mean accuracy over seeds, the least and the most of them.
    pub accuracy: f64,
    pub range: (f64, f64),
}

/// How a lesson grows with the samples that it is given.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningCurve {
    pub points: Vec<CurvePoint>,
    /// What twice the samples would come to, by a power law through the points (`error = a n⁻ᵇ`); `None` where more samples were no better.
    pub twice: Option<f64>,
}

impl LearningCurve {
    /// What so many samples more would come to, by the same power law; `None` where more were no better.
    pub fn with(&self, more: usize) -> Option<f64> {
        let (twice, last) = (self.twice?, self.points.last()?);
        let slope = ((1.0 - twice) / (1.0 - last.accuracy)).log2();
        Some(1.0 - (1.0 - last.accuracy) * ((last.samples + more) as f64 / last.samples as f64).powf(slope))
    }
}

/// Teaches a lesson on growing shares of its train part; every larger share has the samples of the smaller.
///
/// # Errors
/// As teaching has them.
pub fn learning_curve(
    dataset: &Dataset,
    lesson: &Lesson,
    means: TeachMeans<'_>,
    progress: &Progress,
) -> Result<LearningCurve, TrainError> {
    progress.set_total(SHARES.len() as u64 * SEEDS);
    let means = TeachMeans { keep: None, goes_on: false, watch: None, ..means };
    let mut points: Vec<CurvePoint> = Vec::new();
    for share in SHARES {
        let (mut samples, mut found) = (0, Vec::new());
        for seed in 0..SEEDS {
            progress.step(1)?;
            let own = Lesson { share: (share < 1.0).then_some(share), seed: lesson.seed.wrapping_add(seed), ..lesson.clone() };
            // Steps of progress are lessons here; what each of them does only hears whether to stop.
            let silent = progress.part();
            let runs = teach(dataset, &own, means, &silent)?;
            let Some(run) = runs.into_iter().find(|run| run.lesson.label == lesson.label) else { continue };
            samples = run.sizes[0];
            found.push(figures(dataset, &run, &silent)?.scores.accuracy);
        }
        // Of few samples a class the smallest shares are the same.
        if points.last().is_some_and(|before| before.samples >= samples) {
            continue;
        }
        let accuracy = found.iter().sum::<f64>() / found.len().max(1) as f64;
        let range = (found.iter().copied().fold(1.0, f64::min), found.iter().copied().fold(0.0, f64::max));
        points.push(CurvePoint { share, samples, accuracy, range });
    }
    let twice = twice(&points);
    Ok(LearningCurve { points, twice })
}

/// By least squares of logarithms, through the last point.
fn twice(points: &[CurvePoint]) -> Option<f64> {
    let last = points.last().filter(|last| points.len() > 1 && last.accuracy < 1.0)?;
    let logs: Vec<(f64, f64)> =
        points.iter().map(|point| ((point.samples as f64).ln(), (1.0 - point.accuracy).max(1e-4).ln())).collect();
    let n = logs.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| logs.iter().map(pick).sum::<f64>() / n;
    let (x, y) = (mean(|log| log.0), mean(|log| log.1));
    let spread: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
    let slope = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum::<f64>() / spread.max(1e-12);
    (slope < 0.0).then(|| 1.0 - (1.0 - last.accuracy) * 2f64.powf(slope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_goes_on_as_it_went() {
        let point = |samples: usize| {
            let accuracy = 1.0 - 2.0 * (samples as f64).powf(-0.5);
            CurvePoint { share: 1.0, samples, accuracy, range: (accuracy, accuracy) }
        };
        let found = twice(&[point(100), point(400), point(1_600)]).unwrap();
        assert!((found - (1.0 - 2.0 * 3_200f64.powf(-0.5))).abs() < 1e-9);
        let curve = LearningCurve { points: vec![point(100), point(400), point(1_600)], twice: Some(found) };
        assert!((curve.with(800).unwrap() - (1.0 - 2.0 * 2_400f64.powf(-0.5))).abs() < 1e-9);
        let flat = CurvePoint { accuracy: 0.5, ..point(100) };
        assert_eq!(twice(&[flat, CurvePoint { samples: 200, ..flat }]), None, "more is no better");
    }
}
