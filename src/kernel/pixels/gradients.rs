//! A picture as directions of edges and coarse colours: what the built-in picture embedding is made of.
//!
//! Histograms of oriented gradients (Dalal and Triggs, 2005) with signed directions and each cell held against its four
//! neighbourhoods (Felzenszwalb et al., 2010): 64 × 64 pixels, 8 × 8 cells, 18 directions; then the mean colours of 4 × 4 fields.

use fast_image_resize::FilterType;

use super::decode::{Picture, scale};

const SIDE: usize = 64;
const CELL: usize = 8;
const CELLS: usize = SIDE / CELL;
const WAYS: usize = 18;
const FIELDS: usize = 4;
/// How many of the numbers are gradients; the rest are colours.
pub const GRADIENTS: usize = CELLS * CELLS * WAYS;
/// The largest value of a gradient, which a byte of 255 stands for.
const CEILING: f32 = 0.2;

/// The numbers, a byte each: [`GRADIENTS`] gradients (255 is 0.2), then 48 colours. `None` where there is nothing to scale.
pub fn gradients(picture: &Picture) -> Option<Vec<u8>> {
    let small = scale(picture, SIDE as u32, SIDE as u32, FilterType::Bilinear)?;
    let pixels = small.rgba.as_chunks::<4>().0;
    // Roots of the colours: shadow and light count alike.
    let roots: Vec<[f32; 3]> =
        pixels.iter().map(|pixel| std::array::from_fn(|channel| (f32::from(pixel[channel]) / 255.0).sqrt())).collect();
    let mut cells = vec![0.0_f32; GRADIENTS];
    for y in 0..SIDE {
        for x in 0..SIDE {
            let at = |dx: isize, dy: isize, channel: usize| {
                let (x, y) = (x.saturating_add_signed(dx).min(SIDE - 1), y.saturating_add_signed(dy).min(SIDE - 1));
                roots[y * SIDE + x][channel]
            };
            // The channel that changes most.
            let (mut gx, mut gy, mut size) = (0.0, 0.0, 0.0);
            for channel in 0..3 {
                let (dx, dy) = (at(1, 0, channel) - at(-1, 0, channel), at(0, 1, channel) - at(0, -1, channel));
                let this = dx * dx + dy * dy;
                if this > size {
                    (gx, gy, size) = (dx, dy, this);
                }
            }
            if size <= 0.0 {
                continue;
            }
            spread(&mut cells, x, y, gy.atan2(gx), size.sqrt());
        }
    }
    let mut out = normalised(&cells);
    for field in 0..FIELDS * FIELDS {
        let (left, top, side) = (field % FIELDS * SIDE / FIELDS, field / FIELDS * SIDE / FIELDS, SIDE / FIELDS);
        let mut sums = [0_u32; 3];
        for i in 0..side * side {
            let pixel = pixels[(top + i / side) * SIDE + left + i % side];
            sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(value));
        }
        out.extend(sums.map(|sum| (sum / (side * side) as u32) as u8));
    }
    Some(out)
}

/// Shares one gradient among the four nearest cells and the two nearest directions.
fn spread(cells: &mut [f32], x: usize, y: usize, angle: f32, size: f32) {
    let turn = (angle / std::f32::consts::TAU).rem_euclid(1.0) * WAYS as f32 - 0.5;
    let (way, along) = (turn.floor(), turn - turn.floor());
    let ways = [(way as isize).rem_euclid(WAYS as isize) as usize, (way as isize + 1).rem_euclid(WAYS as isize) as usize];
    let place = |at: usize| {
        let at = (at as f32 + 0.5) / CELL as f32 - 0.5;
        (at.floor() as isize, at - at.floor())
    };
    let ((cx, wx), (cy, wy)) = (place(x), place(y));
    for (dy, share_y) in [(0, 1.0 - wy), (1, wy)] {
        for (dx, share_x) in [(0, 1.0 - wx), (1, wx)] {
            let (cx, cy) = (cx + dx, cy + dy);
            if (0..CELLS as isize).contains(&cx) && (0..CELLS as isize).contains(&cy) {
                let cell = (cy as usize * CELLS + cx as usize) * WAYS;
                let weight = size * share_x * share_y;
                cells[cell + ways[0]] += weight * (1.0 - along);
                cells[cell + ways[1]] += weight * along;
            }
        }
    }
}

fn normalised(cells: &[f32]) -> Vec<u8> {
    let energy: Vec<f32> = cells.chunks_exact(WAYS).map(|cell| cell.iter().map(|value| value * value).sum()).collect();
    let of = |x: isize, y: isize| {
        let clamp = |at: isize| at.clamp(0, CELLS as isize - 1) as usize;
        energy[clamp(y) * CELLS + clamp(x)]
    };
    let mut out = Vec::with_capacity(GRADIENTS + FIELDS * FIELDS * 3);
    for (i, cell) in cells.chunks_exact(WAYS).enumerate() {
        let (x, y) = ((i % CELLS) as isize, (i / CELLS) as isize);
        let around: [f32; 4] = [(0, 0), (-1, 0), (0, -1), (-1, -1)].map(|(dx, dy)| {
            let (x, y) = (x + dx, y + dy);
            1.0 / (of(x, y) + of(x + 1, y) + of(x, y + 1) + of(x + 1, y + 1) + 1e-3).sqrt()
        });
        for value in cell {
            let mean = around.iter().map(|scale| (value * scale).min(CEILING)).sum::<f32>() / 4.0;
            out.push((mean / CEILING * 255.0).round() as u8);
        }
    }
    out
}
