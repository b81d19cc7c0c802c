//! `LoRA` (Hu et al. 2021): linear maps learn by the product of two narrow matrices that is added to them; the maps themselves stay.
//!
//! The product is added before a batch goes through, so that a batch costs what it costs without; the gradients of both matrices are those of the sum, times the other.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::bert::{Adapted, BertLayout, ParamAt};
use crate::chance::{Chance, seed_of};

/// How narrow, how much of it is added, and to which maps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoraFit {
    /// The width between the two matrices.
    pub rank: usize,
    /// Their product is multiplied by `alpha / rank`.
    pub alpha: f32,
    pub adapted: Adapted,
}

/// A map and its two matrices.
#[derive(Debug, Clone)]
struct LoraAt {
    name: String,
    weight: ParamAt,
    /// Where `A` (`rank × columns`) begins among the numbers, and `B` (`rows × rank`).
    a: usize,
    b: usize,
    end: usize,
}

/// All of an encoder.
#[derive(Debug, Clone)]
pub struct Lora {
    pub fit: LoraFit,
    places: Vec<LoraAt>,
    /// The numbers of all matrices.
    pub numbers: Vec<f32>,
    /// The maps as they were, in the order of places.
    base: Vec<Vec<f32>>,
}

/// One of the matrices, as it is taken away: the name of its map, its shape, and its numbers.
pub struct LoraMatrix<'l> {
    /// `encoder.layer.0.attention.self.query`.
    pub map: &'l str,
    /// `A` or `B`.
    pub letter: char,
    pub shape: [usize; 2],
    pub numbers: &'l [f32],
}

impl Lora {
    /// Matrices that change nothing yet: `A` even within ±1/√columns (what Kaiming's rule comes to in PEFT), `B` nothing.
    #[allow(clippy::cast_possible_truncation)]
    pub fn new(layout: &BertLayout, params: &[f32], fit: LoraFit, frozen: usize, seed: u64) -> Self {
        let rank = fit.rank.max(1);
        let fit = LoraFit { rank, ..fit };
        let mut places = Vec::new();
        let mut numbers = Vec::new();
        let mut chance = Chance::new(seed_of(&[seed, 0x10_4a]));
        for (name, weight) in layout.names.iter().filter(|(name, _)| fit.adapted.has(name) && layer_of(name) >= frozen) {
            let bound = 1.0 / (weight.columns as f64).sqrt();
            let a = numbers.len();
            numbers.extend((0..rank * weight.columns).map(|_| chance.within(-bound, bound) as f32));
            let b = numbers.len();
            numbers.resize(b + weight.rows * rank, 0.0);
            places.push(LoraAt { name: name.trim_end_matches(".weight").to_owned(), weight: *weight, a, b, end: numbers.len() });
        }
        let base = places.iter().map(|place| params[place.weight.range()].to_vec()).collect();
        Self { fit, places, numbers, base }
    }

    fn scale(&self) -> f32 {
        self.fit.alpha / self.fit.rank as f32
    }

    /// Where the maps lie that are adapted.
    pub fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.places.iter().map(|place| place.weight.range())
    }

    /// The maps as they are with what is added.
    pub fn merge(&self, params: &mut [f32]) {
        let rank = self.fit.rank;
        for (place, base) in self.places.iter().zip(&self.base) {
            let (rows, columns) = (place.weight.rows, place.weight.columns);
            let own = &mut params[place.weight.range()];
            own.copy_from_slice(base);
            matmul(
                MatMut::from_row_major_slice_mut(own, rows, columns),
                Accum::Add,
                MatRef::from_row_major_slice(&self.numbers[place.b..place.end], rows, rank),
                MatRef::from_row_major_slice(&self.numbers[place.a..place.b], rank, columns),
                self.scale(),
                Par::Seq,
            );
        }
    }

    /// The gradients of the matrices, of those of the maps.
    pub fn slopes(&self, slope: &[f32]) -> Vec<f32> {
        let rank = self.fit.rank;
        let mut out = vec![0.0; self.numbers.len()];
        for place in &self.places {
            let (rows, columns) = (place.weight.rows, place.weight.columns);
            let whole = MatRef::from_row_major_slice(&slope[place.weight.range()], rows, columns);
            let (a, b) = (&self.numbers[place.a..place.b], &self.numbers[place.b..place.end]);
            let (a_out, b_out) = out[place.a..place.end].split_at_mut(place.b - place.a);
            let b = MatRef::from_row_major_slice(b, rows, rank);
            let a_out = MatMut::from_row_major_slice_mut(a_out, rank, columns);
            matmul(a_out, Accum::Replace, b.transpose(), whole, self.scale(), Par::Seq);
            let a = MatRef::from_row_major_slice(a, rank, columns);
            let b_out = MatMut::from_row_major_slice_mut(b_out, rows, rank);
            matmul(b_out, Accum::Replace, whole, a.transpose(), self.scale(), Par::Seq);
        }
        out
    }

    /// Every matrix, in the order of its map.
    pub fn matrices(&self) -> impl Iterator<Item = LoraMatrix<'_>> {
        self.places.iter().flat_map(|place| {
            let one = |letter, shape, range: std::ops::Range<usize>| LoraMatrix {
                map: &place.name,
                letter,
                shape,
                numbers: &self.numbers[range],
            };
            let rank = self.fit.rank;
            [one('A', [rank, place.weight.columns], place.a..place.b), one('B', [place.weight.rows, rank], place.b..place.end)]
        })
    }
}

/// The layer of a parameter's name.
fn layer_of(name: &str) -> usize {
    name.strip_prefix("encoder.layer.").and_then(|rest| rest.split('.').next()?.parse().ok()).unwrap_or(0)
}
