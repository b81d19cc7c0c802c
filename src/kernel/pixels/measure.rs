//! What `CleanVision` measures of a picture: brightness, information, sharpness (cleanvision 0.3, `image_property.py`). 0 is worst.
//!
//! Otherwise than there: a palette is looked up first (there its places are taken for greys), and pictures larger than 512 pixels a
//! side are measured at a reduced scale, which moves entropy and percentiles by little and saves most of the time.

use fast_image_resize::FilterType;

use super::decode::{Picture, scale};

/// Measures of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Measures {
    /// The brightness that 99 % of pixels do not exceed, 0 to 1: low is dark.
    pub dark: f32,
    /// 1 less the brightness that 5 % of pixels do not exceed, 0 to 1: low is bright.
    pub light: f32,
    /// A tenth of the entropy in bits of the values of all channels, at most 1: low says little.
    pub information: f32,
    /// How sharp it is, 0 to 1: the spread of edges and of greys.
    pub sharpness: f32,
    /// Whether every pixel is grey.
    pub grey: bool,
}

/// The weights that make the square of brightness, in thousandths.
const WEIGHTS: [u32; 3] = [241, 691, 68];
/// Sharpness is measured at this many pixels a side at most.
const SHARP: u32 = 64;

/// Measures a picture; `channels` is how many it was stored with (1: the entropy is of one).
pub fn measure(picture: &Picture, channels: u8) -> Measures {
    measured(picture, channels, None)
}

/// Measures a picture with transparency as it stands on its ground: `on_ground` is that, and `picture` has the transparency, which is one channel
/// more that may say something.
pub fn measure_on_ground(on_ground: &Picture, picture: &Picture, channels: u8) -> Measures {
    measured(on_ground, channels, Some(picture))
}

fn measured(picture: &Picture, channels: u8, transparency: Option<&Picture>) -> Measures {
    let pixels = picture.rgba.as_chunks::<4>().0;
    let mut squares = vec![0_u32; 65_026];
    let mut values = [0_u32; 768];
    let mut grey = true;
    for [r, g, b, _] in pixels {
        let [r, g, b] = [u32::from(*r), u32::from(*g), u32::from(*b)];
        let square = (WEIGHTS[0] * r * r + WEIGHTS[1] * g * g + WEIGHTS[2] * b * b + 500) / 1_000;
        squares[square.min(65_025) as usize] += 1;
        values[r as usize] += 1;
        values[256 + g as usize] += 1;
        values[512 + b as usize] += 1;
        grey &= r == g && g == b;
    }
    let bright = |part: f64| percentile(&squares, pixels.len(), part, |square| (square as f64).sqrt() / 255.0);
    let bands = if grey && channels <= 2 { &values[..256] } else { &values[..] };
    let mut alpha = [0_u32; 256];
    for pixel in transparency.iter().flat_map(|picture| picture.rgba.as_chunks::<4>().0) {
        alpha[usize::from(pixel[3])] += 1;
    }
    let bands = || bands.iter().chain(&alpha);
    let total: f64 = bands().map(|n| f64::from(*n)).sum();
    let entropy: f64 = bands().filter(|n| **n > 0).map(|n| f64::from(*n) / total).map(|p| -p * p.log2()).sum();
    Measures {
        dark: bright(0.99) as f32,
        light: 1.0 - bright(0.05) as f32,
        information: (entropy / 10.0).min(1.0) as f32,
        sharpness: sharpness(picture) as f32,
        grey,
    }
}

/// The value at `part` of counted places, between neighbours by linear interpolation (as `NumPy`'s `percentile`).
fn percentile(counts: &[u32], n: usize, part: f64, value: impl Fn(usize) -> f64) -> f64 {
    let at = part * (n.max(1) - 1) as f64;
    let nth = |rank: u64| {
        let mut seen = 0_u64;
        counts.iter().position(|count| {
            seen += u64::from(*count);
            seen > rank
        })
    };
    let (low, high) = (nth(at.floor() as u64).unwrap_or(0), nth(at.ceil() as u64).unwrap_or(0));
    value(low) + (value(high) - value(low)) * (at - at.floor())
}

/// Grey as Pillow has it (ITU-R 601-2).
pub fn grey_of(pixel: [u8; 4]) -> u8 {
    ((u32::from(pixel[0]) * 19_595 + u32::from(pixel[1]) * 38_470 + u32::from(pixel[2]) * 7_471 + 0x8000) >> 16) as u8
}

fn sharpness(picture: &Picture) -> f64 {
    let longer = picture.width.max(picture.height);
    let small;
    let picture = if longer > SHARP {
        let side = |side: u32| ((f64::from(side) / (f64::from(longer) / f64::from(SHARP))).floor() as u32).max(1);
        match scale(picture, side(picture.width), side(picture.height), FilterType::CatmullRom) {
            Some(scaled) => {
                small = scaled;
                &small
            }
            None => return 1.0,
        }
    } else {
        picture
    };
    let (w, h) = (picture.width as usize, picture.height as usize);
    let grey: Vec<i32> = picture.rgba.as_chunks::<4>().0.iter().map(|pixel| i32::from(grey_of(*pixel))).collect();
    // Pillow's FIND_EDGES: eight times the pixel less its neighbours; the outermost pixels stay as they are.
    let edges: Vec<f64> = (0..w * h)
        .map(|i| {
            let (x, y) = (i % w, i / w);
            if x == 0 || y == 0 || x + 1 == w || y + 1 == h {
                return f64::from(grey[i]);
            }
            let around: i32 =
                [i - w - 1, i - w, i - w + 1, i - 1, i + 1, i + w - 1, i + w, i + w + 1].iter().map(|j| grey[*j]).sum();
            f64::from((8 * grey[i] - around).clamp(0, 255))
        })
        .collect();
    let spread = |list: &[f64]| {
        let mean = list.iter().sum::<f64>() / list.len() as f64;
        (list.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / list.len() as f64).sqrt()
    };
    let mut counts = [0.0_f64; 256];
    grey.iter().for_each(|value| counts[*value as usize] += 1.0);
    let blur = 1.0 - (-0.01 * spread(&edges)).exp();
    let greys = 1.0 - (-0.01 * spread(&counts)).exp();
    (blur + if greys <= 0.18 { 0.0 } else { greys }).min(1.0)
}

/// How many pixels have each value, of red, green and blue.
pub fn histogram(picture: &Picture) -> [[u32; 256]; 3] {
    let mut counts = [[0; 256]; 3];
    for pixel in picture.rgba.as_chunks::<4>().0 {
        (0..3).for_each(|channel| counts[channel][usize::from(pixel[channel])] += 1);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(width: u32, height: u32, at: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let pixels = (0..width * height).flat_map(|i| {
            let [r, g, b] = at(i % width, i / width);
            [r, g, b, 255]
        });
        Picture { width, height, rgba: pixels.collect(), torn: false }
    }

    #[test]
    fn measures_worked_by_hand() {
        // All black: 0 bright, 1 − 0 in the other direction; three bands of one value each have log2 3 bits, a tenth of it.
        let black = measure(&flat(8, 8, |_, _| [0, 0, 0]), 3);
        assert_eq!((black.dark, black.light), (0.0, 1.0));
        assert!((black.information - 3_f32.log2() / 10.0).abs() < 1e-6 && black.grey);
        let white = measure(&flat(8, 8, |_, _| [255, 255, 255]), 3);
        assert_eq!((white.dark, white.light), (1.0, 0.0));
        // Red alone: sqrt(0.241) bright.
        let red = measure(&flat(4, 4, |_, _| [255, 0, 0]), 3);
        assert!((red.dark - 0.241_f32.sqrt()).abs() < 1e-4 && !red.grey);
        // Two values, half each, in one channel: one bit, a tenth of it.
        let half = measure(&flat(4, 4, |x, _| if x < 2 { [0; 3] } else { [255; 3] }), 1);
        assert!((half.information - 0.1).abs() < 1e-6);
        // Percentiles between two pixels: of 0 and 1, the 99th is 0.99.
        let pair = measure(&flat(2, 1, |x, _| [x as u8 * 255; 3]), 1);
        assert!((pair.dark - 0.99).abs() < 1e-5 && (pair.light - 0.95).abs() < 1e-5);
    }

    #[test]
    fn sharpness_worked_by_hand() {
        // 3 × 3, grey 10 all over: edges are 0 inside and the pixels themselves around. One 0 and eight 10s: mean 80/9, spread
        // sqrt(10² · (1/9)(8/9)). Greys: 9 of one value, spread sqrt(81/256 − (9/256)²) = 0.5614…, below 0.18 once turned.
        let flat_grey = flat(3, 3, |_, _| [10, 10, 10]);
        let edges = 10.0 * (8.0_f64 / 81.0).sqrt();
        let expected = 1.0 - (-0.01 * edges).exp();
        assert!((sharpness(&flat_grey) - expected).abs() < 1e-9, "{} {expected}", sharpness(&flat_grey));
        let checks = flat(32, 32, |x, y| [if (x + y) % 2 == 0 { 255 } else { 0 }; 3]);
        assert!(sharpness(&checks) > sharpness(&flat(32, 32, |x, _| [x as u8 * 4; 3])));
    }
}
