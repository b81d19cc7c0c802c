//! Encoders of the BERT family, forward and backward, written out: texts go through side by side without padding (a row a token), so that no work is done on what is not there.
//!
//! Its gradients are torch's to 1e-6 (a test holds every one). Parameters lie in one list, by name and place: a step, a checkpoint and a copy are of that list.

use std::borrow::Cow;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::dense::{exp, vectorised};
use crate::chance::Chance;

/// The shape of an encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct BertShape {
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    /// The width between the two linear maps of a layer.
    pub inner: usize,
    pub words: usize,
    pub positions: usize,
    /// Kinds of segments; 0 where the family has none.
    pub kinds: usize,
    pub epsilon: f32,
    /// What is added to a token's place: `RoBERTa` counts from its padding on.
    pub first_position: usize,
    /// How many steps of distance between tokens a head weighs by themselves (`MPNet`); 0 where it weighs none.
    pub distances: usize,
    pub activation: Activation,
    /// Whether a linear map and `tanh` stand behind the first token (the pooler of BERT).
    pub pooler: bool,
}

/// What stands between the two linear maps of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// With the error function, as torch's default is.
    Gelu,
    /// With the hyperbolic tangent (`gelu_new`, `gelu_pytorch_tanh`).
    GeluTanh,
    Relu,
}

/// Where a parameter lies: its first number, how many rows (outputs) and columns it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamAt {
    pub at: usize,
    pub rows: usize,
    pub columns: usize,
}

impl ParamAt {
    /// The place as a range.
    pub fn range(self) -> std::ops::Range<usize> {
        self.at..self.at + self.rows * self.columns
    }

    fn of(self, list: &[f32]) -> &[f32] {
        &list[self.range()]
    }

    fn of_mut(self, list: &mut [f32]) -> &mut [f32] {
        &mut list[self.range()]
    }
}

#[derive(Debug, Clone, Copy)]
struct LinearAt {
    weight: ParamAt,
    bias: ParamAt,
}

#[derive(Debug, Clone, Copy)]
struct NormAt {
    weight: ParamAt,
    bias: ParamAt,
}

#[derive(Debug, Clone, Copy)]
struct LayerAt {
    query: LinearAt,
    key: LinearAt,
    value: LinearAt,
    mixed: LinearAt,
    first: NormAt,
    up: LinearAt,
    down: LinearAt,
    second: NormAt,
}

/// Where everything of an encoder lies, by the names that transformers gives it.
#[derive(Debug, Clone)]
pub struct BertLayout {
    pub shape: BertShape,
    /// Every parameter in order: its name without a prefix (`encoder.layer.0.attention.self.query.weight`), and where it lies.
    pub names: Vec<(String, ParamAt)>,
    word: ParamAt,
    position: ParamAt,
    kind: Option<ParamAt>,
    norm: NormAt,
    /// `distances × heads`.
    relative: Option<ParamAt>,
    layers: Vec<LayerAt>,
    pooler: Option<LinearAt>,
    /// How many numbers there are.
    pub size: usize,
}

impl BertLayout {
    /// The layout of a shape.
    pub fn new(shape: BertShape) -> Self {
        let mut names: Vec<(String, ParamAt)> = Vec::new();
        let mut size = 0;
        let mut take = |name: String, rows: usize, columns: usize| {
            let place = ParamAt { at: size, rows, columns };
            size += rows * columns;
            names.push((name, place));
            place
        };
        let (hidden, inner) = (shape.hidden, shape.inner);
        let word = take("embeddings.word_embeddings.weight".into(), shape.words, hidden);
        let position = take("embeddings.position_embeddings.weight".into(), shape.positions, hidden);
        let kind = (shape.kinds > 0).then(|| take("embeddings.token_type_embeddings.weight".into(), shape.kinds, hidden));
        let norm = NormAt {
            weight: take("embeddings.LayerNorm.weight".into(), 1, hidden),
            bias: take("embeddings.LayerNorm.bias".into(), 1, hidden),
        };
        let relative =
            (shape.distances > 0).then(|| take("encoder.relative_attention_bias.weight".into(), shape.distances, shape.heads));
        let layers = (0..shape.layers)
            .map(|at| {
                let mut linear = |name: &str, rows: usize, columns: usize| LinearAt {
                    weight: take(format!("encoder.layer.{at}.{name}.weight"), rows, columns),
                    bias: take(format!("encoder.layer.{at}.{name}.bias"), 1, rows),
                };
                let query = linear("attention.self.query", hidden, hidden);
                let key = linear("attention.self.key", hidden, hidden);
                let value = linear("attention.self.value", hidden, hidden);
                let mixed = linear("attention.output.dense", hidden, hidden);
                let up = linear("intermediate.dense", inner, hidden);
                let down = linear("output.dense", hidden, inner);
                let mut norm = |name: &str| NormAt {
                    weight: take(format!("encoder.layer.{at}.{name}.weight"), 1, hidden),
                    bias: take(format!("encoder.layer.{at}.{name}.bias"), 1, hidden),
                };
                let (first, second) = (norm("attention.output.LayerNorm"), norm("output.LayerNorm"));
                LayerAt { query, key, value, mixed, first, up, down, second }
            })
            .collect();
        let pooler = shape.pooler.then(|| LinearAt {
            weight: take("pooler.dense.weight".into(), hidden, hidden),
            bias: take("pooler.dense.bias".into(), 1, hidden),
        });
        Self { shape, names, word, position, kind, norm, relative, layers, pooler, size }
    }

    /// Where the table of words lies.
    pub fn words(&self) -> ParamAt {
        self.word
    }
}

/// Texts side by side: the tokens of all, and where each text begins; one more than there are texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenRows {
    pub ids: Vec<u32>,
    pub starts: Vec<usize>,
}

impl TokenRows {
    /// Of lists of tokens.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t [u32]>) -> Self {
        let mut rows = Self { ids: Vec::new(), starts: vec![0] };
        for text in texts {
            rows.ids.extend_from_slice(text);
            rows.starts.push(rows.ids.len());
        }
        rows
    }

    /// How many texts there are.
    pub fn texts(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.starts.windows(2).map(|pair| pair[0]..pair[1])
    }
}

/// `out = x Wᵀ + b`, a row a token.
fn linear(params: &[f32], at: LinearAt, x: &[f32], out: &mut [f32]) {
    let (rows, columns) = (at.weight.rows, at.weight.columns);
    let n = x.len() / columns;
    let bias = at.bias.of(params);
    out.chunks_mut(rows).for_each(|out| out.copy_from_slice(bias));
    matmul(
        MatMut::from_row_major_slice_mut(out, n, rows),
        Accum::Add,
        MatRef::from_row_major_slice(x, n, columns),
        MatRef::from_row_major_slice(at.weight.of(params), rows, columns).transpose(),
        1.0,
        Par::Seq,
    );
}

/// Where gradients of parameters are added up, and which of them are asked for.
struct Slopes<'s> {
    list: &'s mut [f32],
    learns: Learns,
}

/// Which parameters of an encoder learn: what does not is not worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learns {
    /// Layers from below that stay as they are, and the tables with them.
    pub from: usize,
    /// Whether the table of words learns.
    pub words: bool,
    /// The weights of these linear maps, and nothing else.
    pub only: Option<Adapted>,
}

/// Linear maps of a layer that are adapted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapted {
    QueryValue,
    Attention,
    All,
}

impl Adapted {
    /// Whether a parameter is the weight of one of them.
    pub fn has(self, name: &str) -> bool {
        let Some(name) = name.strip_prefix("encoder.layer.").and_then(|rest| rest.strip_suffix(".weight")) else { return false };
        let ends = |list: &[&str]| list.iter().any(|end| name.ends_with(end));
        match self {
            Self::QueryValue => ends(&["self.query", "self.value"]),
            Self::Attention => ends(&["self.query", "self.key", "self.value"]),
            Self::All => ends(&["self.query", "self.key", "self.value", ".dense"]),
        }
    }
}

/// The gradients of a linear map: into the list those of its parameters where it `learns`, into `dx` that of its input, added.
fn linear_back(params: &[f32], at: LinearAt, x: &[f32], dy: &[f32], slopes: &mut Slopes<'_>, learns: bool, dx: &mut [f32]) {
    let (rows, columns) = (at.weight.rows, at.weight.columns);
    let n = x.len() / columns;
    let dy_matrix = MatRef::from_row_major_slice(dy, n, rows);
    if learns {
        matmul(
            MatMut::from_row_major_slice_mut(at.weight.of_mut(slopes.list), rows, columns),
            Accum::Add,
            dy_matrix.transpose(),
            MatRef::from_row_major_slice(x, n, columns),
            1.0,
            Par::Seq,
        );
    }
    if slopes.learns.only.is_none() {
        let bias = at.bias.of_mut(slopes.list);
        for row in dy.chunks(rows) {
            bias.iter_mut().zip(row).for_each(|(sum, dy)| *sum += dy);
        }
    }
    matmul(
        MatMut::from_row_major_slice_mut(dx, n, columns),
        Accum::Add,
        dy_matrix,
        MatRef::from_row_major_slice(at.weight.of(params), rows, columns),
        1.0,
        Par::Seq,
    );
}

/// A layer norm in place; what its gradient needs: rows of mean 0 and deviation 1, and one over the deviation of each.
fn norm(params: &[f32], at: NormAt, epsilon: f32, x: &mut [f32]) -> (Vec<f32>, Vec<f32>) {
    let (weight, bias) = (at.weight.of(params), at.bias.of(params));
    let width = weight.len();
    let mut plain = vec![0.0; x.len()];
    let mut inverse = Vec::with_capacity(x.len() / width);
    vectorised(
        #[inline(always)]
        || {
            for (row, plain) in x.chunks_mut(width).zip(plain.chunks_mut(width)) {
                let mean = super::dense::total(row) / width as f32;
                plain.iter_mut().zip(&*row).for_each(|(plain, x)| *plain = x - mean);
                let by = 1.0 / (super::dense::dot(plain, plain) / width as f32 + epsilon).sqrt();
                plain.iter_mut().for_each(|plain| *plain *= by);
                for (x, (plain, (weight, bias))) in row.iter_mut().zip(plain.iter().zip(weight.iter().zip(bias))) {
                    *x = plain * weight + bias;
                }
                inverse.push(by);
            }
        },
    );
    (plain, inverse)
}

/// The gradient of a layer norm, in place of that of its output.
fn norm_back(params: &[f32], at: NormAt, (plain, inverse): &(Vec<f32>, Vec<f32>), dy: &mut [f32], slopes: &mut Slopes<'_>) {
    let weight = at.weight.of(params);
    let width = weight.len();
    if slopes.learns.only.is_none() {
        for (dy, plain) in dy.chunks(width).zip(plain.chunks(width)) {
            let sums = at.weight.of_mut(slopes.list).iter_mut();
            sums.zip(dy.iter().zip(plain)).for_each(|(sum, (dy, plain))| *sum += dy * plain);
            at.bias.of_mut(slopes.list).iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
        }
    }
    vectorised(
        #[inline(always)]
        || {
            for ((dy, plain), inverse) in dy.chunks_mut(width).zip(plain.chunks(width)).zip(inverse) {
                dy.iter_mut().zip(weight).for_each(|(dy, weight)| *dy *= weight);
                let mean = super::dense::total(dy) / width as f32;
                let along = super::dense::dot(dy, plain) / width as f32;
                dy.iter_mut().zip(plain).for_each(|(dy, plain)| *dy = inverse * (*dy - mean - plain * along));
            }
        },
    );
}

/// The error function to some units in the last place, for loops that run over vectors (a rational function of degrees 13 and 8 within ±4, as Eigen has it).
#[inline(always)]
#[allow(clippy::inline_always, clippy::excessive_precision)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let mut p = -2.726_142_258_013_06e-10;
    for term in [
        2.770_681_424_959_02e-8,
        -2.101_024_020_825_08e-6,
        -5.692_506_394_623_46e-5,
        -7.349_906_303_268_55e-4,
        -2.954_599_808_540_25e-3,
        -1.609_603_332_624_15e-2,
    ] {
        p = p * square + term;
    }
    let mut q = -1.456_607_184_649_96e-5;
    for term in [-2.133_740_552_789_05e-4, -1.682_826_974_382_03e-3, -7.373_329_167_204_68e-3, -1.426_473_905_141_89e-2] {
        q = q * square + term;
    }
    x * p / q
}

/// `tanh`, by the exponential.
#[inline(always)]
#[allow(clippy::inline_always)]
fn tanh(x: f32) -> f32 {
    let e = exp((2.0 * x).clamp(-80.0, 80.0));
    (e - 1.0) / (e + 1.0)
}

const HALF_ROOT: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// `√(2/π)`, and the cube's part of the approximation.
const ROOT: f32 = 0.797_884_6;
const CUBE: f32 = 0.044_715;

impl Activation {
    /// Applies it: `out` of `x`.
    fn forward(self, x: &[f32], out: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || match self {
                Self::Gelu => out.iter_mut().zip(x).for_each(|(out, x)| *out = 0.5 * x * (1.0 + erf(x * HALF_ROOT))),
                Self::GeluTanh => {
                    out.iter_mut().zip(x).for_each(|(out, x)| *out = 0.5 * x * (1.0 + tanh(ROOT * (x + CUBE * x * x * x))));
                }
                Self::Relu => out.iter_mut().zip(x).for_each(|(out, x)| *out = x.max(0.0)),
            },
        );
    }

    /// Its gradient in place of that of its output.
    fn back(self, x: &[f32], dy: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || match self {
                Self::Gelu => dy.iter_mut().zip(x).for_each(|(dy, x)| {
                    // The density of the normal distribution: its value at 0 is 0.3989.
                    let density = 0.398_942_3 * exp(-0.5 * x * x);
                    *dy *= 0.5 * (1.0 + erf(x * HALF_ROOT)) + x * density;
                }),
                Self::GeluTanh => dy.iter_mut().zip(x).for_each(|(dy, x)| {
                    let t = tanh(ROOT * (x + CUBE * x * x * x));
                    *dy *= 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * ROOT * (1.0 + 3.0 * CUBE * x * x);
                }),
                Self::Relu => dy.iter_mut().zip(x).for_each(|(dy, x)| *dy = if *x > 0.0 { *dy } else { 0.0 }),
            },
        );
    }
}

/// What is left out by chance while an encoder learns, and what is kept then weighs more (Srivastava et al. 2014): of rows of numbers by one number, of who looks at whom by another.
#[derive(Debug)]
pub struct Dropout {
    pub rows: f32,
    pub attention: f32,
    pub chance: Chance,
}

impl Dropout {
    /// By what each of so many numbers is multiplied: nothing, or one over the part that is kept. Nothing at all where nothing is left out.
    #[allow(clippy::cast_possible_truncation)]
    fn mask(&mut self, n: usize, part: f32, numbers: &mut [f32]) -> Vec<f32> {
        if part <= 0.0 {
            return Vec::new();
        }
        // Sixteen bits a number are enough, and four numbers a draw.
        let (least, keep) = ((part * 65_536.0) as u64, 1.0 / (1.0 - part));
        let mut bits = 0;
        let mask: Vec<f32> = (0..n)
            .map(|at| {
                bits = if at % 4 == 0 { self.chance.bits() } else { bits >> 16 };
                if bits & 0xffff < least { 0.0 } else { keep }
            })
            .collect();
        masked(numbers, &mask);
        mask
    }
}

fn masked(numbers: &mut [f32], mask: &[f32]) {
    numbers.iter_mut().zip(mask).for_each(|(number, mask)| *number *= mask);
}

/// What of a gradient goes through a map behind which something was left out.
fn through<'d>(dy: &'d [f32], mask: &[f32]) -> Cow<'d, [f32]> {
    if mask.is_empty() {
        return Cow::Borrowed(dy);
    }
    let mut own = dy.to_vec();
    masked(&mut own, mask);
    Cow::Owned(own)
}

/// What a layer's gradient needs.
struct LayerKept {
    input: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    /// Of each text, head by head, `length × length`.
    attention: Vec<f32>,
    context: Vec<f32>,
    first: (Vec<f32>, Vec<f32>),
    between: Vec<f32>,
    raised: Vec<f32>,
    bent: Vec<f32>,
    second: (Vec<f32>, Vec<f32>),
    /// What was left out: of who looks at whom, behind the mixing and behind the second map; empty where nothing was.
    dropped: [Vec<f32>; 3],
}

/// What a batch's gradient needs.
pub struct BertKept {
    dropped: Vec<f32>,
    norm: (Vec<f32>, Vec<f32>),
    layers: Vec<LayerKept>,
}

impl BertLayout {
    /// What the last layer says of every token (`tokens × hidden`).
    pub fn said(&self, params: &[f32], rows: &TokenRows) -> Vec<f32> {
        let mut none = Dropout { rows: 0.0, attention: 0.0, chance: Chance::new(0) };
        self.forward(params, rows, false, &mut none).0
    }

    /// The same, and what its gradient needs where that is asked for.
    pub fn forward(&self, params: &[f32], rows: &TokenRows, keep: bool, drop: &mut Dropout) -> (Vec<f32>, BertKept) {
        let hidden = self.shape.hidden;
        let mut x = vec![0.0; rows.ids.len() * hidden];
        let (words, positions) = (self.word.of(params), self.position.of(params));
        for range in rows.ranges() {
            for (place, token) in range.clone().enumerate() {
                let out = &mut x[token * hidden..(token + 1) * hidden];
                let id = rows.ids[token] as usize;
                out.copy_from_slice(&words[id * hidden..(id + 1) * hidden]);
                let place = place + self.shape.first_position;
                out.iter_mut().zip(&positions[place * hidden..]).for_each(|(out, x)| *out += x);
                if let Some(kind) = self.kind {
                    out.iter_mut().zip(kind.of(params)).for_each(|(out, x)| *out += x);
                }
            }
        }
        let normed = norm(params, self.norm, self.shape.epsilon, &mut x);
        let (n, part) = (x.len(), drop.rows);
        let dropped = drop.mask(n, part, &mut x);
        let mut kept = BertKept { dropped, norm: normed, layers: Vec::new() };
        for layer in &self.layers {
            let (out, of) = self.layer(params, layer, rows, x, drop);
            x = out;
            if keep {
                kept.layers.push(of);
            }
        }
        (x, kept)
    }

    fn layer(
        &self,
        params: &[f32],
        at: &LayerAt,
        rows: &TokenRows,
        input: Vec<f32>,
        drop: &mut Dropout,
    ) -> (Vec<f32>, LayerKept) {
        let (n, part) = (input.len(), drop.rows);
        let run = |linear_at: LinearAt, x: &[f32]| {
            let mut out = vec![0.0; x.len() / linear_at.weight.columns * linear_at.weight.rows];
            linear(params, linear_at, x, &mut out);
            out
        };
        let (query, key, value) = (run(at.query, &input), run(at.key, &input), run(at.value, &input));
        let mut context = vec![0.0; n];
        let (attention, unlooked) = self.attend(params, rows, [&query, &key, &value], &mut context, drop);
        let mut between = run(at.mixed, &context);
        let unmixed = drop.mask(n, part, &mut between);
        between.iter_mut().zip(&input).for_each(|(out, x)| *out += x);
        let first = norm(params, at.first, self.shape.epsilon, &mut between);
        let raised = run(at.up, &between);
        let mut bent = vec![0.0; raised.len()];
        self.shape.activation.forward(&raised, &mut bent);
        let mut out = run(at.down, &bent);
        let lowered = drop.mask(n, part, &mut out);
        out.iter_mut().zip(&between).for_each(|(out, x)| *out += x);
        let second = norm(params, at.second, self.shape.epsilon, &mut out);
        let dropped = [unlooked, unmixed, lowered];
        (out, LayerKept { input, query, key, value, attention, context, first, between, raised, bent, second, dropped })
    }

    /// A head's part of the rows of a text, as a matrix: `length × width`.
    fn part<'x>(&self, x: &'x [f32], range: &std::ops::Range<usize>, head: usize) -> MatRef<'x, f32> {
        let (hidden, width) = (self.shape.hidden, self.shape.hidden / self.shape.heads);
        let from = &x[range.start * hidden + head * width..(range.end - 1) * hidden + (head + 1) * width];
        MatRef::from_row_major_slice_with_stride(from, range.len(), width, hidden)
    }

    fn part_mut<'x>(&self, x: &'x mut [f32], range: &std::ops::Range<usize>, head: usize) -> MatMut<'x, f32> {
        let (hidden, width) = (self.shape.hidden, self.shape.hidden / self.shape.heads);
        let from = &mut x[range.start * hidden + head * width..(range.end - 1) * hidden + (head + 1) * width];
        // The same by rows takes the strides the wrong way round in faer 0.24.4, and writes beyond the slice.
        MatMut::from_column_major_slice_with_stride_mut(from, width, range.len(), hidden).transpose_mut()
    }

    fn scale(&self) -> f32 {
        1.0 / ((self.shape.hidden / self.shape.heads) as f32).sqrt()
    }

    /// The step of distance from one token to another: half of the steps for each direction, the first half of those exact, the others wider and wider up to 128 tokens (as T5 has it).
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn distance(&self, from: usize, to: usize) -> usize {
        const FARTHEST: f32 = 128.0;
        let half = self.shape.distances / 2;
        let (away, exact) = (from.abs_diff(to), half / 2);
        let side = if to > from { half } else { 0 };
        if away < exact {
            return side + away;
        }
        let part = (away as f32 / exact as f32).ln() / (FARTHEST / exact as f32).ln();
        side + (exact + (part * (half - exact) as f32) as usize).min(half - 1)
    }

    /// Who looks at whom, within each text, and what comes of it.
    fn attend(
        &self,
        params: &[f32],
        rows: &TokenRows,
        [query, key, value]: [&[f32]; 3],
        context: &mut [f32],
        drop: &mut Dropout,
    ) -> (Vec<f32>, Vec<f32>) {
        let heads = self.shape.heads;
        let all: usize = rows.ranges().map(|range| range.len() * range.len() * heads).sum();
        let mut attention = vec![0.0; all];
        let mut masks: Vec<f32> = Vec::new();
        let mut looked: Vec<f32> = Vec::new();
        let mut rest = attention.as_mut_slice();
        for range in rows.ranges().filter(|range| !range.is_empty()) {
            let n = range.len();
            for head in 0..heads {
                let (own, later) = rest.split_at_mut(n * n);
                rest = later;
                let (q, k, v) = (self.part(query, &range, head), self.part(key, &range, head), self.part(value, &range, head));
                let scores = MatMut::from_row_major_slice_mut(own, n, n);
                matmul(scores, Accum::Replace, q, k.transpose(), self.scale(), Par::Seq);
                if let Some(relative) = self.relative {
                    let weights = relative.of(params);
                    for (at, score) in own.iter_mut().enumerate() {
                        *score += weights[self.distance(at / n, at % n) * heads + head];
                    }
                }
                vectorised(
                    #[inline(always)]
                    || {
                        for row in own.chunks_mut(n) {
                            super::dense::softmax(row);
                        }
                    },
                );
                // What is left out is kept apart: the gradient of the softmax is of what it was.
                let mut seen: &[f32] = own;
                if drop.attention > 0.0 {
                    looked.clear();
                    looked.extend_from_slice(own);
                    let part = drop.attention;
                    masks.extend(drop.mask(n * n, part, &mut looked));
                    seen = &looked;
                }
                let out = self.part_mut(context, &range, head);
                matmul(out, Accum::Replace, MatRef::from_row_major_slice(seen, n, n), v, 1.0, Par::Seq);
            }
        }
        (attention, masks)
    }

    /// The gradients of the parameters that learn, added to `slope`, of that of the last layer's rows.
    pub fn backward(
        &self,
        params: &[f32],
        rows: &TokenRows,
        kept: &BertKept,
        mut dx: Vec<f32>,
        slope: &mut [f32],
        learns: Learns,
    ) {
        let mut slopes = Slopes { list: slope, learns };
        for (at, of) in self.layers.iter().zip(&kept.layers).skip(learns.from).rev() {
            dx = self.layer_back(params, at, rows, of, dx, &mut slopes);
        }
        if learns.from > 0 || learns.only.is_some() {
            return;
        }
        masked(&mut dx, &kept.dropped);
        norm_back(params, self.norm, &kept.norm, &mut dx, &mut slopes);
        let hidden = self.shape.hidden;
        for range in rows.ranges() {
            for (place, token) in range.enumerate() {
                let own = &dx[token * hidden..(token + 1) * hidden];
                let mut add = |at: ParamAt, row: usize| {
                    let to = &mut at.of_mut(slopes.list)[row * hidden..(row + 1) * hidden];
                    to.iter_mut().zip(own).for_each(|(sum, dx)| *sum += dx);
                };
                if learns.words {
                    add(self.word, rows.ids[token] as usize);
                }
                add(self.position, place + self.shape.first_position);
                if let Some(kind) = self.kind {
                    add(kind, 0);
                }
            }
        }
    }

    fn layer_back(
        &self,
        params: &[f32],
        at: &LayerAt,
        rows: &TokenRows,
        of: &LayerKept,
        mut dy: Vec<f32>,
        slopes: &mut Slopes<'_>,
    ) -> Vec<f32> {
        let only = slopes.learns.only;
        let all = only.is_none_or(|only| only == Adapted::All);
        let key_learns = only.is_none_or(|only| only != Adapted::QueryValue);
        norm_back(params, at.second, &of.second, &mut dy, slopes);
        let mut bent = vec![0.0; of.bent.len()];
        // Past the map goes all of it, through the map what was not left out.
        linear_back(params, at.down, &of.bent, &through(&dy, &of.dropped[2]), slopes, all, &mut bent);
        self.shape.activation.back(&of.raised, &mut bent);
        // What went past the two maps comes back beside what went through them.
        linear_back(params, at.up, &of.between, &bent, slopes, all, &mut dy);
        norm_back(params, at.first, &of.first, &mut dy, slopes);
        let mut context = vec![0.0; of.context.len()];
        linear_back(params, at.mixed, &of.context, &through(&dy, &of.dropped[1]), slopes, all, &mut context);
        let n = of.query.len();
        let (mut query, mut key, mut value) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        self.attend_back(rows, of, &context, [&mut query, &mut key, &mut value], slopes);
        linear_back(params, at.query, &of.input, &query, slopes, true, &mut dy);
        linear_back(params, at.key, &of.input, &key, slopes, key_learns, &mut dy);
        linear_back(params, at.value, &of.input, &value, slopes, true, &mut dy);
        dy
    }

    fn attend_back(
        &self,
        rows: &TokenRows,
        of: &LayerKept,
        context: &[f32],
        [query, key, value]: [&mut [f32]; 3],
        slopes: &mut Slopes<'_>,
    ) {
        let mut at = 0;
        let (mut slope, mut looked): (Vec<f32>, Vec<f32>) = (Vec::new(), Vec::new());
        for range in rows.ranges().filter(|range| !range.is_empty()) {
            let n = range.len();
            for head in 0..self.shape.heads {
                let own = &of.attention[at..at + n * n];
                at += n * n;
                let (d, v) = (self.part(context, &range, head), self.part(&of.value, &range, head));
                let mask = of.dropped[0].get(at - n * n..at).unwrap_or_default();
                looked.clear();
                looked.extend_from_slice(own);
                masked(&mut looked, mask);
                let own_matrix = MatRef::from_row_major_slice(&looked, n, n);
                matmul(self.part_mut(value, &range, head), Accum::Replace, own_matrix.transpose(), d, 1.0, Par::Seq);
                slope.resize(n * n, 0.0);
                let into = MatMut::from_row_major_slice_mut(&mut slope[..n * n], n, n);
                matmul(into, Accum::Replace, d, v.transpose(), 1.0, Par::Seq);
                masked(&mut slope[..n * n], mask);
                vectorised(
                    #[inline(always)]
                    || {
                        for (slope, own) in slope[..n * n].chunks_mut(n).zip(own.chunks(n)) {
                            let along = super::dense::dot(slope, own);
                            slope.iter_mut().zip(own).for_each(|(slope, own)| *slope = own * (*slope - along));
                        }
                    },
                );
                if let Some(relative) = self.relative.filter(|_| slopes.learns.only.is_none()) {
                    let to = relative.of_mut(slopes.list);
                    for (at, slope) in slope[..n * n].iter().enumerate() {
                        to[self.distance(at / n, at % n) * self.shape.heads + head] += slope;
                    }
                }
                let slope = MatRef::from_row_major_slice(&slope[..n * n], n, n);
                let (q, k) = (self.part(&of.query, &range, head), self.part(&of.key, &range, head));
                matmul(self.part_mut(query, &range, head), Accum::Replace, slope, k, self.scale(), Par::Seq);
                matmul(self.part_mut(key, &range, head), Accum::Replace, slope.transpose(), q, self.scale(), Par::Seq);
            }
        }
    }

    /// What the pooler makes of rows of first tokens: `tanh` of a linear map of each; as they are where there is none.
    pub fn pool(&self, params: &[f32], first: &[f32]) -> Vec<f32> {
        let Some(at) = self.pooler else { return first.to_vec() };
        let mut out = vec![0.0; first.len()];
        linear(params, at, first, &mut out);
        out.iter_mut().for_each(|x| *x = tanh(*x));
        out
    }

    /// The gradient of the pooler: that of the first tokens, of that of what it made of them.
    pub fn pool_back(
        &self,
        params: &[f32],
        first: &[f32],
        pooled: &[f32],
        mut dy: Vec<f32>,
        slope: &mut [f32],
        learns: bool,
    ) -> Vec<f32> {
        let Some(at) = self.pooler else { return dy };
        dy.iter_mut().zip(pooled).for_each(|(dy, pooled)| *dy *= 1.0 - pooled * pooled);
        let mut dx = vec![0.0; dy.len()];
        let only = (!learns).then_some(Adapted::QueryValue);
        let mut slopes = Slopes { list: slope, learns: Learns { from: 0, words: false, only } };
        linear_back(params, at, first, &dy, &mut slopes, learns, &mut dx);
        dx
    }
}
