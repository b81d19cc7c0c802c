//! A small neural network on frozen features: one hidden layer of rectified units, then a linear map to classes. Taught by `AdamW` on batches; deterministic for a seed.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::adam::AdamStep;
use super::heads::softmax;
use crate::chance::{Chance, seed_of};

/// A network.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    pub dims: usize,
    pub hidden: usize,
    pub classes: usize,
    /// `hidden × dims`, `hidden`, `classes × hidden`, `classes`: both maps with what each adds.
    pub numbers: Vec<f32>,
}

/// A network while it learns.
#[derive(Debug, Clone)]
pub struct MlpTeaching {
    pub mlp: Mlp,
    moments: [Vec<f32>; 2],
    /// Steps that were made.
    pub step: usize,
}

/// How it is taught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MlpFit {
    pub rate: f32,
    /// Weight decay, of all numbers.
    pub decay: f32,
}

/// Where the four lists of numbers end.
type Ends = [usize; 4];

impl Mlp {
    /// One whose weights are even within ±√(6 / (in + out)) (Glorot and Bengio 2010, as scikit-learn has it for rectified units), and that adds nothing yet.
    #[allow(clippy::cast_possible_truncation)]
    pub fn new(dims: usize, hidden: usize, classes: usize, seed: u64) -> Self {
        let mut chance = Chance::new(seed_of(&[seed, 0x317]));
        let mut numbers = Vec::new();
        for (rows, columns) in [(hidden, dims), (classes, hidden)] {
            let bound = (6.0 / (rows + columns) as f64).sqrt();
            numbers.extend((0..rows * columns).map(|_| chance.within(-bound, bound) as f32));
            numbers.resize(numbers.len() + rows, 0.0);
        }
        Self { dims, hidden, classes, numbers }
    }

    fn ends(&self) -> Ends {
        let first = self.hidden * self.dims;
        let second = first + self.hidden + self.classes * self.hidden;
        [first, first + self.hidden, second, second + self.classes]
    }

    /// Logits of rows (`dims` numbers each), and what the hidden layer said.
    fn said(&self, rows: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let n = rows.len() / self.dims.max(1);
        let ends = self.ends();
        let map = |x: &[f32], columns: usize, weights: &[f32], bias: &[f32]| {
            let mut out: Vec<f32> = (0..n).flat_map(|_| bias).copied().collect();
            matmul(
                MatMut::from_row_major_slice_mut(&mut out, n, bias.len()),
                Accum::Add,
                MatRef::from_row_major_slice(x, n, columns),
                MatRef::from_row_major_slice(weights, bias.len(), columns).transpose(),
                1.0,
                Par::Seq,
            );
            out
        };
        let mut bent = map(rows, self.dims, &self.numbers[..ends[0]], &self.numbers[ends[0]..ends[1]]);
        bent.iter_mut().for_each(|x| *x = x.max(0.0));
        let logits = map(&bent, self.hidden, &self.numbers[ends[1]..ends[2]], &self.numbers[ends[2]..ends[3]]);
        (logits, bent)
    }

    /// Logits of rows, `classes` each.
    pub fn logits(&self, rows: &[f32]) -> Vec<f32> {
        self.said(rows).0
    }
}

impl MlpTeaching {
    /// A network that has learned nothing yet.
    pub fn new(mlp: Mlp) -> Self {
        let zeros = vec![0.0; mlp.numbers.len()];
        Self { mlp, moments: [zeros.clone(), zeros], step: 0 }
    }

    /// One step on some rows and their classes. The mean cross-entropy before it, and how long the gradient was.
    #[allow(clippy::cast_possible_truncation)]
    pub fn learn(&mut self, rows: &[f32], truth: &[u32], fit: MlpFit) -> (f64, f64) {
        let (dims, hidden, classes) = (self.mlp.dims, self.mlp.hidden, self.mlp.classes);
        let n = truth.len();
        let ends = self.mlp.ends();
        let (logits, bent) = self.mlp.said(rows);
        let mut loss = 0.0;
        let mut dy = vec![0.0f32; logits.len()];
        for ((own, dy), truth) in logits.chunks(classes).zip(dy.chunks_mut(classes)).zip(truth) {
            let mut p: Vec<f64> = own.iter().map(|z| f64::from(*z)).collect();
            let sum = softmax(&mut p);
            loss += (sum - f64::from(own[*truth as usize])) / n as f64;
            p[*truth as usize] -= 1.0;
            dy.iter_mut().zip(p).for_each(|(dy, p)| *dy = (p / n as f64) as f32);
        }
        let mut slope = vec![0.0f32; self.mlp.numbers.len()];
        let weights = MatRef::from_row_major_slice(&self.mlp.numbers[ends[1]..ends[2]], classes, hidden);
        let mut db = vec![0.0f32; bent.len()];
        let dy_matrix = MatRef::from_row_major_slice(&dy, n, classes);
        matmul(MatMut::from_row_major_slice_mut(&mut db, n, hidden), Accum::Replace, dy_matrix, weights, 1.0, Par::Seq);
        db.iter_mut().zip(&bent).filter(|(_, bent)| **bent <= 0.0).for_each(|(db, _)| *db = 0.0);
        let mut into = |range: std::ops::Range<usize>, width: usize, dy: &[f32], x: &[f32], columns: usize| {
            matmul(
                MatMut::from_row_major_slice_mut(&mut slope[range.clone()], width, columns),
                Accum::Replace,
                MatRef::from_row_major_slice(dy, n, width).transpose(),
                MatRef::from_row_major_slice(x, n, columns),
                1.0,
                Par::Seq,
            );
            let bias = &mut slope[range.end..range.end + width];
            dy.chunks(width).for_each(|dy| bias.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy));
        };
        into(ends[1]..ends[2], classes, &dy, &bent, hidden);
        into(0..ends[0], hidden, &db, rows, dims);
        let gradient = slope.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        self.step += 1;
        let [first, second] = &mut self.moments;
        let step = AdamStep { step: self.step, scale: 1.0, part: 1.0 };
        step.step(&mut self.mlp.numbers, (first, second), &slope, fit.rate, fit.decay);
        (loss, gradient)
    }
}
