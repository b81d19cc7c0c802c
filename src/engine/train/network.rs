//! A small network on frozen features, taught until samples of the train part that it does not learn from get no better.

use super::fault::TrainError;
use super::run::EpochSeen;
use crate::chance::{Chance, seed_of};
use crate::data::{count_samples, things};
use crate::job::Progress;
use crate::learn::dense::Dense;
use crate::learn::head_choice::HeadRows;
use crate::learn::heads::softmax;
use crate::learn::mlp::{Mlp, MlpFit, MlpTeaching};
use crate::learn::scores::{Predicted, Scores};

/// Samples a step, epochs at most, and epochs after each other that may better nothing (scikit-learn's defaults, as far as it has them).
const BATCH: usize = 200;
const EPOCHS: usize = 200;
const PATIENCE: usize = 10;
/// One in so many of the train part says when it is enough; of fewer samples none do, and it goes through so many epochs.
const HELD: usize = 10;
const FEW: usize = 200;
const FEW_EPOCHS: usize = 60;
const FIT: MlpFit = MlpFit { rate: 1e-3, decay: 1e-4 };

/// Rows that are said something of at a time.
const ROWS: usize = 256;

fn gathered(dense: &Dense, rows: impl Iterator<Item = u32>) -> Vec<f32> {
    rows.flat_map(|row| dense.row(row as usize)).copied().collect()
}

/// What a network says of rows: probabilities, class by class.
pub(super) fn network_says(mlp: &Mlp, dense: &Dense, rows: &[u32]) -> Vec<f64> {
    use rayon::prelude::*;
    let parts: Vec<Vec<f64>> = rows
        .par_chunks(ROWS)
        .map(|part| {
            let logits = mlp.logits(&gathered(dense, part.iter().copied()));
            let mut out: Vec<f64> = logits.into_iter().map(f64::from).collect();
            out.chunks_mut(mlp.classes.max(1)).for_each(|row| {
                softmax(row);
            });
            out
        })
        .collect();
    parts.concat()
}

/// Teaches a network.
pub(super) fn network(
    dense: &Dense,
    of: HeadRows<'_>,
    (hidden, seed): (usize, u64),
    progress: &Progress,
) -> Result<(Mlp, Vec<EpochSeen>, Vec<String>), TrainError> {
    let mut notes = vec!["it says nothing of samples of the train part: it has seen them all".to_owned()];
    // Equal texts are held out together.
    let held =
        |at: usize| of.rows.len() >= FEW && seed_of(&[seed, 0x317, u64::from(of.together[at])]).is_multiple_of(HELD as u64);
    let (out, own): (Vec<usize>, Vec<usize>) = (0..of.rows.len()).partition(|at| held(*at));
    if out.is_empty() {
        notes.push(format!(
            "of {} none are spared to say when it is enough: it goes through {FEW_EPOCHS} epochs",
            count_samples(own.len())
        ));
    } else {
        notes.push(format!("{} of the train part say when it is enough, and are not learned from", count_samples(out.len())));
    }
    let epochs = if out.is_empty() { FEW_EPOCHS } else { EPOCHS };
    let rows: Vec<u32> = out.iter().map(|at| of.rows[*at]).collect();
    let truth: Vec<u32> = out.iter().map(|at| of.truth[*at]).collect();
    let mut teaching = MlpTeaching::new(Mlp::new(dense.dims, hidden.clamp(1, 4_096), of.classes, seed));
    let mut chance = Chance::new(seed_of(&[seed, 0x0_b47c]));
    let (mut order, mut seen, mut without) = (own, Vec::new(), 0);
    let mut best: Option<(Mlp, f64)> = None;
    progress.set_total(epochs as u64);
    for _ in 0..epochs {
        progress.step(1)?;
        chance.shuffle(&mut order);
        let (mut loss, mut n) = (0.0, 0);
        for list in order.chunks(BATCH) {
            let batch = gathered(dense, list.iter().map(|at| of.rows[*at]));
            let classes: Vec<u32> = list.iter().map(|at| of.truth[*at]).collect();
            let step = teaching.learn(&batch, &classes, FIT).0;
            if !step.is_finite() {
                return Err(TrainError::NoLoss(teaching.step));
            }
            (loss, n) = (loss + step, n + 1);
        }
        let said = network_says(&teaching.mlp, dense, &rows);
        let scores = Scores::of(&truth, Predicted { classes: of.classes, of: &said });
        let none = rows.is_empty();
        let number = |value: f64| if none { f64::NAN } else { value };
        let (validation_loss, validation_accuracy) = (number(scores.log_loss), number(scores.accuracy));
        seen.push(EpochSeen { loss: loss / f64::from(n.max(1)), validation_loss, validation_accuracy });
        if none {
            continue;
        }
        let better = best.as_ref().is_none_or(|(_, before)| validation_loss < *before);
        without = if better { 0 } else { without + 1 };
        if better {
            best = Some((teaching.mlp.clone(), validation_loss));
        }
        if without >= PATIENCE {
            notes.push(format!("it ended after {}", things(seen.len(), "epoch", "epochs")));
            break;
        }
    }
    Ok((best.map_or(teaching.mlp, |(mlp, _)| mlp), seen, notes))
}
