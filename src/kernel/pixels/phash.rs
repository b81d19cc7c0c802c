//! The perceptual hash (Zauner, 2010; as `ImageHash.phash` of size 8): 32 × 32 greys, their cosine transform, the 8 × 8 lowest
//! frequencies, a bit each for whether it exceeds their median. And the same of the picture turned and mirrored, from the same
//! frequencies: mirroring changes the sign of the odd ones, turning swaps across and down.

use std::sync::LazyLock;

use fast_image_resize::FilterType;

use super::decode::{Picture, scale};
use super::measure::grey_of;

/// The hashes of a picture as it is and in its seven other positions.
pub type Turns = [u64; 8];

const SIZE: usize = 32;
const LOW: usize = 8;

/// `cos(π u (2x + 1) / 64)`, by frequency and place.
static COSINES: LazyLock<[[f64; SIZE]; LOW]> = LazyLock::new(|| {
    let angle = |u: usize, x: usize| std::f64::consts::PI * u as f64 * (2 * x + 1) as f64 / (2 * SIZE) as f64;
    std::array::from_fn(|u| std::array::from_fn(|x| angle(u, x).cos()))
});

/// A picture as 32 × 32 greys.
pub fn small_grey(picture: &Picture) -> Option<Vec<u8>> {
    let small = scale(picture, SIZE as u32, SIZE as u32, FilterType::Lanczos3)?;
    Some(small.rgba.as_chunks::<4>().0.iter().map(|pixel| grey_of(*pixel)).collect())
}

/// The lowest frequencies of 32 × 32 greys: `[down][across]`.
fn low_frequencies(grey: &[u8]) -> [[f64; LOW]; LOW] {
    let cosines = &*COSINES;
    let mut half = [[0.0; LOW]; SIZE];
    for (y, row) in half.iter_mut().enumerate() {
        for (u, value) in row.iter_mut().enumerate() {
            *value = (0..SIZE).map(|x| f64::from(grey[y * SIZE + x]) * cosines[u][x]).sum();
        }
    }
    std::array::from_fn(|v| std::array::from_fn(|u| (0..SIZE).map(|y| half[y][u] * cosines[v][y]).sum()))
}

fn bits(low: &[[f64; LOW]; LOW]) -> u64 {
    let mut sorted: Vec<f64> = low.iter().flatten().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = f64::midpoint(sorted[31], sorted[32]);
    low.iter().flatten().fold(0, |hash, value| hash << 1 | u64::from(*value > median))
}

/// The hash of 32 × 32 greys.
#[cfg(test)]
fn hash_of(grey: &[u8]) -> u64 {
    bits(&low_frequencies(grey))
}

/// The hashes of 32 × 32 greys in all eight positions: as it is, mirrored across, mirrored down, both (half a turn), then the same
/// with across and down swapped.
pub fn turns(grey: &[u8]) -> Turns {
    let low = low_frequencies(grey);
    std::array::from_fn(|turn| {
        let turned: [[f64; LOW]; LOW] = std::array::from_fn(|v| {
            std::array::from_fn(|u| {
                let value = if turn >= 4 { low[u][v] } else { low[v][u] };
                let across = turn & 1 != 0 && u % 2 == 1;
                let down = turn & 2 != 0 && v % 2 == 1;
                if across == down { value } else { -value }
            })
        });
        bits(&turned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern() -> Vec<u8> {
        (0..SIZE * SIZE).map(|i| ((i % SIZE * 7 + i / SIZE * i / 40 + (i % SIZE) * (i % SIZE) / 9) % 251) as u8).collect()
    }

    #[test]
    fn hashes_of_turned_pictures_are_the_turned_hashes() {
        let grey = pattern();
        let at = |x: usize, y: usize| grey[y * SIZE + x];
        let moved = |f: &dyn Fn(usize, usize) -> (usize, usize)| -> Vec<u8> {
            (0..SIZE * SIZE)
                .map(|i| {
                    let (x, y) = f(i % SIZE, i / SIZE);
                    at(x, y)
                })
                .collect()
        };
        let all = turns(&grey);
        let last = SIZE - 1;
        let close = |a: u64, b: u64| (a ^ b).count_ones() <= 1;
        assert!(close(all[0], hash_of(&grey)));
        assert!(close(all[1], hash_of(&moved(&|x, y| (last - x, y)))));
        assert!(close(all[2], hash_of(&moved(&|x, y| (x, last - y)))));
        assert!(close(all[3], hash_of(&moved(&|x, y| (last - x, last - y)))));
        assert!(close(all[4], hash_of(&moved(&|x, y| (y, x)))));
        assert!(close(all[5], hash_of(&moved(&|x, y| (y, last - x)))));
        assert!(close(all[6], hash_of(&moved(&|x, y| (last - y, x)))));
        assert!(close(all[7], hash_of(&moved(&|x, y| (last - y, last - x)))));
        assert!(all.iter().skip(1).all(|hash| (hash ^ all[0]).count_ones() > 8), "the pattern has no symmetry");
    }
}
