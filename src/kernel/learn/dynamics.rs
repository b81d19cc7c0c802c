//! What training saw of each sample (Swayamdipta et al. 2020, "dataset cartography"; Pleiss et al. 2020, area under the margin): taken as rows go through the model, before it learns from them.

use super::heads::softmax;

/// What was seen of a sample in one epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenOnce {
    /// The probability of the class that it has, and by how much its logit lies above the best other.
    pub given: f32,
    pub margin: f32,
    pub right: bool,
}

/// What training saw of every row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dynamics {
    rows: Vec<Vec<SeenOnce>>,
}

/// What it comes to for a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleDynamics {
    /// The mean probability of the class that it has, 0 to 1, and its deviation over epochs (of a population).
    pub confidence: f32,
    pub variability: f32,
    /// In how many epochs it was right.
    pub correctness: u32,
    /// How often it was right and then wrong; [`NEVER`] where it never was right.
    pub forgetting: u32,
    /// The mean margin: a label that the others speak against has a low one.
    pub aum: f32,
}

/// Forgotten events of a sample that was never learned.
pub const NEVER: u32 = 1_000;

impl Dynamics {
    /// Of so many rows.
    pub fn new(rows: usize) -> Self {
        Self { rows: vec![Vec::new(); rows] }
    }

    /// What was seen before, by row.
    pub fn of_rows(rows: Vec<Vec<SeenOnce>>) -> Self {
        Self { rows }
    }

    /// What was seen of every row, epoch by epoch.
    pub fn rows(&self) -> &[Vec<SeenOnce>] {
        &self.rows
    }

    /// Takes in what a model says of a row: its logits, and the class that it has.
    #[allow(clippy::cast_possible_truncation)]
    pub fn see(&mut self, row: usize, logits: &[f32], truth: usize) {
        let mut p: Vec<f64> = logits.iter().map(|logit| f64::from(*logit)).collect();
        softmax(&mut p);
        let others = logits.iter().enumerate().filter(|(class, _)| *class != truth).map(|(_, logit)| *logit);
        let best = others.fold(f32::NEG_INFINITY, f32::max);
        let said = (0..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best });
        self.rows[row].push(SeenOnce { given: p[truth] as f32, margin: logits[truth] - best, right: said == truth });
    }

    /// What was seen of a row; `None` where nothing was.
    pub fn of(&self, row: usize) -> Option<SampleDynamics> {
        let list = self.rows.get(row).filter(|list| !list.is_empty())?;
        let n = list.len() as f64;
        let mean = list.iter().map(|seen| f64::from(seen.given)).sum::<f64>() / n;
        let spread = list.iter().map(|seen| (f64::from(seen.given) - mean).powi(2)).sum::<f64>() / n;
        let correctness = list.iter().filter(|seen| seen.right).count() as u32;
        let forgetting = list.windows(2).filter(|pair| pair[0].right && !pair[1].right).count() as u32;
        #[allow(clippy::cast_possible_truncation)]
        Some(SampleDynamics {
            confidence: mean as f32,
            variability: spread.sqrt() as f32,
            correctness,
            forgetting: if correctness == 0 { NEVER } else { forgetting },
            aum: (list.iter().map(|seen| f64::from(seen.margin)).sum::<f64>() / n) as f32,
        })
    }
}
