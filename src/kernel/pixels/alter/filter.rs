//! Looking at neighbours: Gaussian blur, unsharp mask, noise, and what JPEG loses.

use std::sync::LazyLock;

use super::warp::mirrored;
use crate::chance::Chance;
use crate::pixels::Picture;

/// Gaussian blur of deviation `sigma` pixels, cut at three deviations, edges mirrored (as `scipy.ndimage.gaussian_filter` with
/// `mode="mirror", truncate=3`).
pub fn blur(picture: &Picture, sigma: f64) -> Picture {
    let radius = (3.0 * sigma + 0.5).floor() as i64;
    if radius == 0 || sigma <= 0.0 {
        return picture.clone();
    }
    let raw: Vec<f64> = (-radius..=radius).map(|at| libm::exp(-0.5 * (at as f64 / sigma) * (at as f64 / sigma))).collect();
    let total: f64 = raw.iter().sum();
    // Whole weights that sum to 65,536: what rounding leaves over goes to the middle.
    let mut weights: Vec<u32> = raw.iter().map(|weight| (weight / total * 65_536.0).round() as u32).collect();
    let sum: i64 = weights.iter().map(|weight| i64::from(*weight)).sum();
    let middle = &mut weights[radius as usize];
    *middle = (i64::from(*middle) + 65_536 - sum) as u32;
    let (width, height) = (picture.width as usize, picture.height as usize);
    let pixels = picture.rgba.as_chunks::<4>().0;
    // In 256ths, so that rounding twice does not show.
    let mut across = vec![[0_u16; 4]; pixels.len()];
    let mut padded: Vec<[u8; 4]> = Vec::with_capacity(width + 2 * radius as usize);
    for y in 0..height {
        let line = &pixels[y * width..(y + 1) * width];
        padded.clear();
        padded.extend((-radius..width as i64 + radius).map(|x| line[mirrored(x, width as i64)]));
        for (x, out) in across[y * width..(y + 1) * width].iter_mut().enumerate() {
            let mut sums = [128_u32; 4];
            for (pixel, weight) in padded[x..x + weights.len()].iter().zip(&weights) {
                for channel in 0..4 {
                    sums[channel] += u32::from(pixel[channel]) * weight;
                }
            }
            *out = sums.map(|sum| (sum >> 8) as u16);
        }
    }
    let mut out = Picture { rgba: vec![0; picture.rgba.len()], ..*picture };
    let mut sums = vec![[0_u32; 4]; width];
    for (y, row) in out.rgba.chunks_exact_mut(width * 4).enumerate() {
        // 255 × 256 × 65,536 and this still fit into 32 bits.
        sums.fill([1 << 23; 4]);
        for (at, weight) in (-radius..=radius).zip(&weights) {
            let from = mirrored(y as i64 + at, height as i64) * width;
            for (sum, pixel) in sums.iter_mut().zip(&across[from..from + width]) {
                for channel in 0..4 {
                    sum[channel] += u32::from(pixel[channel]) * weight;
                }
            }
        }
        for (pixel, sum) in row.as_chunks_mut::<4>().0.iter_mut().zip(&sums) {
            *pixel = sum.map(|sum| (sum >> 24) as u8);
        }
    }
    out
}

/// Unsharp mask: what a blur of one pixel takes away is added `amount` times (as `skimage.filters.unsharp_mask` with `radius=1`).
pub fn sharpen(picture: &mut Picture, amount: f64, unit: f64) {
    let soft = blur(picture, unit.max(0.4));
    let amount = (amount * 65_536.0).round() as i64;
    for (pixel, soft) in picture.rgba.as_chunks_mut::<4>().0.iter_mut().zip(soft.rgba.as_chunks::<4>().0) {
        for channel in 0..3 {
            let value = i64::from(pixel[channel]);
            let moved = (value << 16) + amount * (value - i64::from(soft[channel]));
            pixel[channel] = ((moved + 32_768) >> 16).clamp(0, 255) as u8;
        }
    }
}

/// The normal distribution at 65,536 evenly spaced probabilities, in 4,096ths of a deviation.
static NORMAL: LazyLock<Vec<i16>> =
    LazyLock::new(|| (0..65_536).map(|at| (quantile((f64::from(at) + 0.5) / 65_536.0) * 4_096.0).round() as i16).collect());

/// The normal distribution's quantile, to 1e-9 (Acklam's rational approximation).
#[allow(clippy::excessive_precision, clippy::unreadable_literal)]
fn quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.383577518672690e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00,
    ];
    const B: [f64; 5] =
        [-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01];
    const C: [f64; 6] = [
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00,
    ];
    const D: [f64; 4] = [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00];
    let tail = |q: f64| {
        (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5])
            / ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1.0)
    };
    if p < 0.02425 {
        return tail(libm::sqrt(-2.0 * libm::log(p)));
    }
    if p > 1.0 - 0.02425 {
        return -tail(libm::sqrt(-2.0 * libm::log(1.0 - p)));
    }
    let q = p - 0.5;
    let r = q * q;
    (((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q
        / (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1.0)
}

/// Adds normal noise of deviation `sigma` (of 255) to each channel of each pixel.
pub fn noise(picture: &mut Picture, sigma: f64, chance: &mut Chance) {
    let sigma = (sigma * 256.0).round() as i64;
    let normal = &*NORMAL;
    for pixel in picture.rgba.as_chunks_mut::<4>().0 {
        let mut bits = chance.bits();
        for channel in &mut pixel[..3] {
            let moved = (i64::from(normal[(bits & 0xffff) as usize]) * sigma + (1 << 19)) >> 20;
            *channel = (i64::from(*channel) + moved).clamp(0, 255) as u8;
            bits >>= 16;
        }
    }
}

/// Annex K's tables of ISO/IEC 10918-1: how coarse each frequency of brightness and of colour is, at quality 50.
const BRIGHT: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80,
    62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98,
    112, 100, 103, 99,
];
const COLOUR: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99,
];

/// What saving as a JPEG of this quality (1 to 100, libjpeg's scale) loses: colour at half resolution, frequencies rounded. The packing
/// after that loses nothing, and is left out.
pub fn jpeg(picture: &mut Picture, quality: f64) {
    let quality = quality.round().clamp(1.0, 100.0);
    let scale = if quality < 50.0 { 5_000.0 / quality } else { 200.0 - quality * 2.0 };
    let table = |base: &[u16; 64]| base.map(|step| ((f64::from(step) * scale + 50.0) / 100.0).floor().clamp(1.0, 255.0) as f32);
    let (width, height) = (picture.width as usize, picture.height as usize);
    let (wide, high) = (width.next_multiple_of(16), height.next_multiple_of(16));
    let (half_wide, half_high) = (wide / 2, high / 2);
    let mut planes = [vec![0.0_f32; wide * high], vec![0.0; half_wide * half_high], vec![0.0; half_wide * half_high]];
    let pixels = picture.rgba.as_chunks_mut::<4>().0;
    for y in 0..high {
        for x in 0..wide {
            let [r, g, b] = {
                let pixel = &pixels[y.min(height - 1) * width + x.min(width - 1)];
                [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])]
            };
            planes[0][y * wide + x] = 0.299 * r + 0.587 * g + 0.114 * b - 128.0;
            let at = y / 2 * half_wide + x / 2;
            planes[1][at] += (-0.168_736 * r - 0.331_264 * g + 0.5 * b) * 0.25;
            planes[2][at] += (0.5 * r - 0.418_688 * g - 0.081_312 * b) * 0.25;
        }
    }
    let tables = [table(&BRIGHT), table(&COLOUR), table(&COLOUR)];
    for ((plane, table), stride) in planes.iter_mut().zip(&tables).zip([wide, half_wide, half_wide]) {
        blocks(plane, stride, table);
    }
    for y in 0..height {
        for x in 0..width {
            let bright = planes[0][y * wide + x] + 128.0;
            let at = y / 2 * half_wide + x / 2;
            let (blue, red) = (planes[1][at], planes[2][at]);
            let colour = [bright + 1.402 * red, bright - 0.344_136 * blue - 0.714_136 * red, bright + 1.772 * blue];
            for (channel, value) in pixels[y * width + x].iter_mut().zip(colour) {
                *channel = (value + 0.5).floor().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// The cosine transform's rows, orthonormal.
static COSINES: LazyLock<[[f32; 8]; 8]> = LazyLock::new(|| {
    std::array::from_fn(|frequency| {
        let scale = if frequency == 0 { libm::sqrt(0.125) } else { 0.5 };
        std::array::from_fn(|at| {
            (scale * libm::cos((2.0 * at as f64 + 1.0) * frequency as f64 * std::f64::consts::PI / 16.0)) as f32
        })
    })
});

/// Every 8 × 8 block to frequencies, rounded by the table, and back. Sums run in one order without fused operations.
fn blocks(plane: &mut [f32], stride: usize, table: &[f32; 64]) {
    let cosines = &*COSINES;
    let rows = plane.len() / stride;
    for (top, left) in (0..rows).step_by(8).flat_map(|top| (0..stride).step_by(8).map(move |left| (top, left))) {
        let mut block = [[0.0_f32; 8]; 8];
        for (y, row) in block.iter_mut().enumerate() {
            row.copy_from_slice(&plane[(top + y) * stride + left..(top + y) * stride + left + 8]);
        }
        // C · B · Cᵀ, rounded, then Cᵀ · Q · C.
        let half = product(cosines, &block, false);
        let mut frequencies = [[0.0_f32; 8]; 8];
        for v in 0..8 {
            for u in 0..8 {
                let mut sum = 0.0;
                for x in 0..8 {
                    sum += half[v][x] * cosines[u][x];
                }
                let step = table[v * 8 + u];
                frequencies[v][u] = (sum / step + 0.5).floor() * step;
            }
        }
        let half = product(cosines, &frequencies, true);
        for y in 0..8 {
            let mut out = [0.0_f32; 8];
            for u in 0..8 {
                let value = half[y][u];
                for x in 0..8 {
                    out[x] += value * cosines[u][x];
                }
            }
            plane[(top + y) * stride + left..(top + y) * stride + left + 8].copy_from_slice(&out);
        }
    }
}

/// `cosines × block`, or `cosinesᵀ × block`.
fn product(cosines: &[[f32; 8]; 8], block: &[[f32; 8]; 8], turned: bool) -> [[f32; 8]; 8] {
    let mut out = [[0.0_f32; 8]; 8];
    for (i, out) in out.iter_mut().enumerate() {
        for k in 0..8 {
            let weight = if turned { cosines[k][i] } else { cosines[i][k] };
            for j in 0..8 {
                out[j] += weight * block[k][j];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_and_noise_has_its_deviation() {
        let flat = Picture { width: 40, height: 30, rgba: [90, 120, 150, 255].repeat(1_200), torn: false };
        assert_eq!(blur(&flat, 2.5), flat);
        let mut sharp = flat.clone();
        sharpen(&mut sharp, 3.0, 1.0);
        assert_eq!(sharp, flat);
        let mut lossy = flat.clone();
        jpeg(&mut lossy, 95.0);
        assert!(lossy.rgba.iter().zip(&flat.rgba).all(|(a, b)| a.abs_diff(*b) <= 2));
        let mut noisy = flat.clone();
        noise(&mut noisy, 12.0, &mut Chance::new(3));
        let off: Vec<f64> = noisy
            .rgba
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|pixel| [f64::from(pixel[0]) - 90.0, f64::from(pixel[1]) - 120.0, f64::from(pixel[2]) - 150.0])
            .collect();
        let mean = off.iter().sum::<f64>() / off.len() as f64;
        let deviation = (off.iter().map(|value| value * value).sum::<f64>() / off.len() as f64).sqrt();
        assert!(mean.abs() < 0.7 && (deviation - 12.0).abs() < 0.5, "{mean} {deviation}");
    }

    #[test]
    fn one_bright_pixel_becomes_a_bell() {
        let mut picture = Picture { width: 9, height: 9, rgba: [0, 0, 0, 255].repeat(81), torn: false };
        picture.rgba[40 * 4] = 255;
        let soft = blur(&picture, 1.0);
        // exp(0), exp(-1/2), exp(-2), exp(-9/2), twice, over their sum 2.5060: 0.3991, 0.2420, 0.0540, 0.0044.
        let row: Vec<u8> = (1..8).map(|x| soft.rgba[(4 * 9 + x) * 4]).collect();
        assert_eq!(row, [0, 5, 25, 41, 25, 5, 0]);
    }
}
