//! The built-in picture embedding: directions of edges and coarse colours ([`crate::pixels::Look::gradients`]), reduced to their
//! principal components over the dataset itself. Nothing is downloaded, and nothing of other people's pictures is in it.
//!
//! For telling classes apart a linear model of that is not enough: the rows are held against some hundred of themselves by a Gaussian
//! kernel, and what that says is made uncorrelated (Williams and Seeger, 2001, the Nyström method).

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par, Side};
use rayon::prelude::*;

use super::dense::{Dense, dot, normalise, vectorised};
use crate::chance::Deal;
use crate::job::{Cancelled, Progress};
use crate::pixels::{GRADIENTS, Look};

/// Principal components that are kept.
const DIMS: usize = 192;
/// The most rows that components are learned from.
const SAMPLE: usize = 6_000;
/// What a colour weighs beside a gradient.
const COLOUR: f32 = 0.1;
/// The most rows that others are held against.
const LANDMARKS: usize = 1_000;
/// The most numbers of a kernel: 0.8 GB.
const MOST: usize = 200_000_000;
const SEED: u64 = 42;
const BLOCK: usize = 512;

/// The numbers of one look, or nothing where it has no pixels.
fn numbers(look: &Look, out: &mut [f32]) {
    for (at, (to, from)) in out.iter_mut().zip(&look.gradients).enumerate() {
        *to = f32::from(*from) / 255.0 * if at < GRADIENTS { 1.0 } else { COLOUR };
    }
}

/// The embedding as it was learned from a dataset: other pictures become rows by it.
pub struct Appearance {
    mean: Vec<f32>,
    /// `kept × dims`.
    components: Vec<f32>,
}

impl Appearance {
    /// Learns it; `None` where no picture has pixels.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn fit(looks: &[Look], progress: &Progress) -> Result<Option<Self>, Cancelled> {
        let seen: Vec<usize> = (0..looks.len()).filter(|row| looks[*row].has_pixels()).collect();
        let Some(dims) = seen.first().map(|row| looks[*row].gradients.len()) else { return Ok(None) };
        learned(looks, seen, dims, progress).map(Some)
    }

    /// How many numbers a row has.
    pub fn dims(&self) -> usize {
        (self.components.len() / self.mean.len()).max(1)
    }

    /// The row of a look, of length 1; zeros where it has no pixels.
    pub fn row_of(&self, look: &Look, out: &mut [f32]) {
        let dims = self.mean.len();
        out.fill(0.0);
        if look.gradients.len() != dims {
            return;
        }
        let mut row = vec![0.0_f32; dims];
        numbers(look, &mut row);
        row.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value -= mean);
        vectorised(
            #[inline(always)]
            || {
                for (to, component) in out.iter_mut().zip(self.components.chunks(dims)) {
                    *to = dot(&row, component);
                }
            },
        );
        normalise(out);
    }
}

/// Rows of length 1 in order of `looks`; zeros where there are no pixels. Steps of progress: one a look.
///
/// # Errors
/// [`Cancelled`].
pub fn appearance(looks: &[Look], progress: &Progress) -> Result<Dense, Cancelled> {
    progress.set_total(looks.len() as u64);
    let Some(appearance) = Appearance::fit(looks, progress)? else { return Ok(Dense::zeros(looks.len(), 1)) };
    let kept = appearance.dims();
    let mut dense = Dense::zeros(looks.len(), kept);
    dense.data.par_chunks_mut(BLOCK * kept).zip(looks.par_chunks(BLOCK)).try_for_each(|(out, looks)| {
        out.chunks_mut(kept).zip(looks).for_each(|(out, look)| appearance.row_of(look, out));
        progress.step(looks.len() as u64)
    })?;
    Ok(dense)
}

fn learned(looks: &[Look], seen: Vec<usize>, dims: usize, progress: &Progress) -> Result<Appearance, Cancelled> {
    let mut chosen = seen;
    Deal::new(SEED).shuffle(&mut chosen);
    chosen.truncate(SAMPLE);
    chosen.sort_unstable();
    let mut sample = vec![0.0_f32; chosen.len() * dims];
    sample.par_chunks_mut(dims).zip(&chosen).for_each(|(out, row)| numbers(&looks[*row], out));
    let mut mean = vec![0.0_f32; dims];
    for row in sample.chunks(dims) {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    mean.iter_mut().for_each(|sum| *sum /= chosen.len() as f32);
    sample.par_chunks_mut(dims).for_each(|row| row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean));
    progress.check()?;
    let components = components(&sample, dims);
    progress.check()?;
    Ok(Appearance { mean, components })
}

/// The directions along which centred rows vary most, largest first; each of length 1.
fn components(rows: &[f32], dims: usize) -> Vec<f32> {
    let n = rows.len() / dims;
    let x = MatRef::from_row_major_slice(rows, n, dims);
    // Of the two products that have the same directions, the smaller.
    let mut out = Vec::new();
    if n < dims {
        let (vectors, values) = eigen(n, |out| matmul(out, Accum::Replace, x, x.transpose(), 1.0, Par::rayon(0)));
        for (at, value) in values.iter().enumerate().take(DIMS) {
            if *value <= values[0] * 1e-6 {
                break;
            }
            let mut direction = vec![0.0; dims];
            for (row, weight) in rows.chunks(dims).zip(&vectors[at * n..(at + 1) * n]) {
                direction.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
            }
            normalise(&mut direction);
            out.extend(direction);
        }
        return out;
    }
    let (vectors, values) = eigen(dims, |out| matmul(out, Accum::Replace, x.transpose(), x, 1.0, Par::rayon(0)));
    let kept = values.iter().take(DIMS).take_while(|value| **value > values[0] * 1e-6).count();
    out.extend(&vectors[..kept * dims]);
    out
}

/// Eigenvectors (row by row) and eigenvalues of a symmetric matrix of `n` rows that `fill` writes, largest first.
fn eigen(n: usize, fill: impl FnOnce(MatMut<'_, f32>)) -> (Vec<f32>, Vec<f32>) {
    let mut square = vec![0.0_f32; n * n];
    fill(MatMut::from_column_major_slice_mut(&mut square, n, n));
    let matrix = MatRef::from_column_major_slice(&square, n, n);
    let Ok(found) = matrix.self_adjoint_eigen(Side::Lower) else { return (Vec::new(), vec![0.0]) };
    let (vectors, values) = (found.U(), found.S().column_vector());
    let (mut rows, mut sizes) = (Vec::with_capacity(n * n), Vec::with_capacity(n));
    for at in (0..n).rev() {
        let column = vectors.col(at);
        // The sign of a direction is chance: the largest part is made positive.
        let largest = (0..n).map(|i| column[i]).fold(0.0_f32, |best, value| if value.abs() > best.abs() { value } else { best });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        rows.extend((0..n).map(|i| column[i] * sign));
        sizes.push(values[at]);
    }
    (rows, sizes)
}

/// A Gaussian kernel's dimensions, as they were learned from rows: other rows are held against the same landmarks.
pub struct Kernel {
    dims: usize,
    /// Landmarks, `m × dims`.
    marks: Vec<f32>,
    /// `kept × m`.
    projection: Vec<f32>,
    kept: usize,
}

/// Rows are of length 1: |a − b|² / 2 = 1 − a·b.
fn alike(likeness: f32) -> f32 {
    (likeness - 1.0).exp()
}

impl Kernel {
    /// Chooses landmarks among the rows that are not all 0, and makes what is said of them uncorrelated; `None` where there are none.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn fit(rows: &Dense, progress: &Progress) -> Result<Option<Self>, Cancelled> {
        let filled: Vec<usize> = (0..rows.rows()).filter(|row| rows.row(*row).iter().any(|value| *value != 0.0)).collect();
        let most = (MOST / rows.rows().max(1)).clamp(64, LANDMARKS);
        let mut landmarks = filled;
        Deal::new(SEED).shuffle(&mut landmarks);
        landmarks.truncate(most);
        landmarks.sort_unstable();
        let m = landmarks.len();
        if m == 0 {
            return Ok(None);
        }
        let marks: Vec<f32> = landmarks.iter().flat_map(|row| rows.row(*row)).copied().collect();
        let marks_matrix = MatRef::from_row_major_slice(&marks, m, rows.dims);
        let (vectors, values) = eigen(m, |mut out| {
            matmul(out.as_mut(), Accum::Replace, marks_matrix, marks_matrix.transpose(), 1.0, Par::rayon(0));
            for i in 0..m {
                for j in 0..m {
                    out[(i, j)] = alike(out[(i, j)]);
                }
            }
        });
        progress.check()?;
        let kept = values.iter().take_while(|value| **value > values[0].max(1e-6) * 1e-5).count().max(1);
        let projection: Vec<f32> = vectors
            .chunks(m)
            .zip(&values)
            .take(kept)
            .flat_map(|(vector, value)| {
                let scale = 1.0 / value.max(1e-6).sqrt();
                vector.iter().map(move |part| part * scale)
            })
            .collect();
        Ok(Some(Self { dims: rows.dims, marks, projection, kept }))
    }

    /// Other rows by the same landmarks. Rows of zeros become zeros.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn rows_of(&self, rows: &Dense, progress: &Progress) -> Result<Dense, Cancelled> {
        let (kept, m) = (self.kept, self.marks.len() / self.dims);
        let marks = MatRef::from_row_major_slice(&self.marks, m, self.dims);
        let projection = MatRef::from_row_major_slice(&self.projection, kept, m);
        let mut dense = Dense::zeros(rows.rows(), kept);
        dense.data.par_chunks_mut(BLOCK * kept).enumerate().try_for_each(|(block, out)| {
            progress.check()?;
            let n = out.len() / kept;
            let start = block * BLOCK;
            let mine = MatRef::from_row_major_slice(&rows.data[start * rows.dims..(start + n) * rows.dims], n, rows.dims);
            let mut held = vec![0.0_f32; n * m];
            matmul(MatMut::from_row_major_slice_mut(&mut held, n, m), Accum::Replace, mine, marks.transpose(), 1.0, Par::Seq);
            for (at, held) in held.chunks_mut(m).enumerate() {
                let empty = rows.row(start + at).iter().all(|value| *value == 0.0);
                held.iter_mut().for_each(|value| *value = if empty { 0.0 } else { alike(*value) });
            }
            let held = MatRef::from_row_major_slice(&held, n, m);
            matmul(MatMut::from_row_major_slice_mut(out, n, kept), Accum::Replace, held, projection.transpose(), 1.0, Par::Seq);
            Ok(())
        })?;
        Ok(dense)
    }
}

/// Rows held against landmarks among them by `exp(−|a − b|² / 2)`, made uncorrelated. Rows of zeros stay so.
///
/// # Errors
/// [`Cancelled`].
pub fn kernel(rows: &Dense, progress: &Progress) -> Result<Dense, Cancelled> {
    match Kernel::fit(rows, progress)? {
        Some(kernel) => kernel.rows_of(rows, progress),
        None => Ok(Dense::zeros(rows.rows(), 1)),
    }
}
