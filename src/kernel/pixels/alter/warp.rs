//! Moving pixels: plane projective maps, sampled once with bilinear weights. What lies beyond an edge is mirrored at it, the edge pixel
//! not repeated (`reflect_101`). Integers decide every sample, so that every machine gives the same bytes.

use crate::pixels::Picture;

/// A projective map of the plane, row by row, acting on `(x, y, 1)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix(pub [f64; 9]);

impl Matrix {
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    /// An affine map: `x' = a x + b y + c`, `y' = d x + e y + f`.
    pub fn affine(a: f64, b: f64, c: f64, d: f64, e: f64, f: f64) -> Self {
        Self([a, b, c, d, e, f, 0.0, 0.0, 1.0])
    }

    /// First `first`, then this.
    pub fn after(&self, first: &Self) -> Self {
        let (a, b) = (&self.0, &first.0);
        let mut out = [0.0; 9];
        for row in 0..3 {
            for column in 0..3 {
                out[row * 3 + column] = (0..3).map(|k| a[row * 3 + k] * b[k * 3 + column]).sum();
            }
        }
        Self(out)
    }

    /// The map back; `None` where there is none.
    pub fn inverse(&self) -> Option<Self> {
        let m = &self.0;
        let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
        let cofactors = [
            minor(4, 5, 7, 8),
            -minor(1, 2, 7, 8),
            minor(1, 2, 4, 5),
            -minor(3, 5, 6, 8),
            minor(0, 2, 6, 8),
            -minor(0, 2, 3, 5),
            minor(3, 4, 6, 7),
            -minor(0, 1, 6, 7),
            minor(0, 1, 3, 4),
        ];
        let determinant = m[0] * cofactors[0] + m[1] * cofactors[3] + m[2] * cofactors[6];
        (determinant.abs() > 1e-12).then(|| Self(cofactors.map(|value| value / determinant)))
    }

    /// Where a point goes.
    pub fn of(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let m = &self.0;
        let w = m[6] * x + m[7] * y + m[8];
        let w = if w.abs() < 1e-9 { 1e-9 } else { w };
        ((m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w)
    }

    /// The map that takes the unit square's corners, clockwise from the left upper one, to four points (Heckbert, 1989).
    pub fn of_square(points: [(f64, f64); 4]) -> Self {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = points;
        let (sum_x, sum_y) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
        let (dx1, dy1, dx2, dy2) = (x1 - x2, y1 - y2, x3 - x2, y3 - y2);
        let determinant = dx1 * dy2 - dx2 * dy1;
        if determinant.abs() < 1e-12 {
            return Self::IDENTITY;
        }
        let g = (sum_x * dy2 - dx2 * sum_y) / determinant;
        let h = (dx1 * sum_y - sum_x * dy1) / determinant;
        Self([x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1.0])
    }

    fn is_affine(&self) -> bool {
        self.0[6] == 0.0 && self.0[7] == 0.0 && self.0[8] == 1.0
    }
}

/// The coordinate within `0..n` that `at` is mirrored to.
#[inline]
pub fn mirrored(at: i64, n: i64) -> usize {
    if (0..n).contains(&at) {
        return at as usize;
    }
    if n == 1 {
        return 0;
    }
    let period = 2 * (n - 1);
    let at = at.rem_euclid(period);
    (if at < n { at } else { period - at }) as usize
}

const ONE: i64 = 1 << 16;

/// Four pixels mixed by how far the point lies between them, in 256ths.
#[inline(always)]
#[allow(clippy::inline_always)]
fn mix(corners: [[u8; 4]; 4], fx: u32, fy: u32) -> [u8; 4] {
    let weights = [(256 - fx) * (256 - fy), fx * (256 - fy), (256 - fx) * fy, fx * fy];
    let mut out = [0; 4];
    for channel in 0..4 {
        let mut sum = 1 << 15;
        for corner in 0..4 {
            sum += u32::from(corners[corner][channel]) * weights[corner];
        }
        out[channel] = (sum >> 16) as u8;
    }
    out
}

/// The colour at a place in 65,536ths of a pixel, measured from the first pixel's centre.
#[inline]
fn at_place(source: &[[u8; 4]], (width, height): (i64, i64), u: i64, v: i64) -> [u8; 4] {
    let (x, y) = (u >> 16, v >> 16);
    let (fx, fy) = (((u >> 8) & 255) as u32, ((v >> 8) & 255) as u32);
    let (x0, x1) = (mirrored(x, width), mirrored(x + 1, width));
    let (y0, y1) = (mirrored(y, height) * width as usize, mirrored(y + 1, height) * width as usize);
    mix([source[y0 + x0], source[y0 + x1], source[y1 + x0], source[y1 + x1]], fx, fy)
}

/// Draws a picture of `size` pixels whose point `p` is the source's `map(p)`. Where that makes things smaller, the source is averaged
/// first, so that nothing glitters.
pub fn warp(source: &Picture, map: &Matrix, size: (u32, u32)) -> Picture {
    let (width, height) = (i64::from(source.width), i64::from(source.height));
    let mut out =
        Picture { width: size.0, height: size.1, rgba: vec![0; size.0 as usize * size.1 as usize * 4], torn: source.torn };
    if let Some((dx, flip_x, dy, flip_y)) = plain(map) {
        let pixels = source.rgba.as_chunks::<4>().0;
        for (y, row) in out.rgba.chunks_exact_mut(size.0 as usize * 4).enumerate() {
            let from = mirrored(if flip_y { dy - 1 - y as i64 } else { dy + y as i64 }, height) * width as usize;
            let row = row.as_chunks_mut::<4>().0;
            if !flip_x && dx >= 0 && dx + row.len() as i64 <= width {
                row.copy_from_slice(&pixels[from + dx as usize..from + dx as usize + row.len()]);
                continue;
            }
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = pixels[from + mirrored(if flip_x { dx - 1 - x as i64 } else { dx + x as i64 }, width)];
            }
        }
        return out;
    }
    // How many source pixels a pixel covers, in the middle of the picture.
    let centre = (f64::from(size.0) / 2.0, f64::from(size.1) / 2.0);
    let (a, b, c) = (map.of(centre), map.of((centre.0 + 1.0, centre.1)), map.of((centre.0, centre.1 + 1.0)));
    let area = ((b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)).abs();
    let factor = (area.sqrt() + 0.25).floor().clamp(1.0, 64.0) as u32;
    if factor > 1 && source.width > factor && source.height > factor {
        let smaller = reduced(source, factor);
        let scale = 1.0 / f64::from(factor);
        return warp(&smaller, &Matrix::affine(scale, 0.0, 0.0, 0.0, scale, 0.0).after(map), size);
    }
    let pixels = source.rgba.as_chunks::<4>().0;
    let m = map.0;
    let fixed = |value: f64| (value * ONE as f64).round() as i64;
    // From pixel to centre and back.
    if map.is_affine() {
        let (du, dv) = (fixed(m[0]), fixed(m[3]));
        let u0 = m[0] * 0.5 + m[1] * 0.5 + m[2] - 0.5;
        let v0 = m[3] * 0.5 + m[4] * 0.5 + m[5] - 0.5;
        for (y, row) in out.rgba.chunks_exact_mut(size.0 as usize * 4).enumerate() {
            let row = row.as_chunks_mut::<4>().0;
            let (u, v) = (fixed(u0 + m[1] * y as f64), fixed(v0 + m[4] * y as f64));
            let n = row.len() as i64;
            let (from, to) = inside(u, du, (width - 1) * ONE, n);
            let (from_v, to_v) = inside(v, dv, (height - 1) * ONE, n);
            let (from, to) = (from.max(from_v), to.min(to_v).max(from.max(from_v)));
            for x in (0..from).chain(to..n) {
                row[x as usize] = at_place(pixels, (width, height), u + du * x, v + dv * x);
            }
            let stride = width as usize;
            for x in from..to {
                let (u, v) = (u + du * x, v + dv * x);
                let at = (v >> 16) as usize * stride + (u >> 16) as usize;
                let (upper, lower) = (&pixels[at..at + 2], &pixels[at + stride..at + stride + 2]);
                let (fx, fy) = (((u >> 8) & 255) as u32, ((v >> 8) & 255) as u32);
                row[x as usize] = mix([upper[0], upper[1], lower[0], lower[1]], fx, fy);
            }
        }
        return out;
    }
    for (y, row) in out.rgba.chunks_exact_mut(size.0 as usize * 4).enumerate() {
        for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let (u, v) = map.of((x as f64 + 0.5, y as f64 + 0.5));
            // A point on the horizon is somewhere far out.
            let bound = |value: f64| if value.is_finite() { value.clamp(-1e6, 1e6) } else { 0.0 };
            *pixel = at_place(pixels, (width, height), fixed(bound(u - 0.5)), fixed(bound(v - 0.5)));
        }
    }
    out
}

/// The steps of `0..n` at which `start + step × i` lies within `0..end`: first and last but one.
fn inside(start: i64, step: i64, end: i64, n: i64) -> (i64, i64) {
    if step == 0 {
        return if (0..end).contains(&start) { (0, n) } else { (0, 0) };
    }
    let crossing = |border: i64| (border - start).div_euclid(step);
    let (from, to) = if step > 0 {
        (crossing(-1) + 1, crossing(end - 1) + 1)
    } else {
        // Falling: it comes in below `end` and leaves below 0.
        ((start - end).div_euclid(-step) + 1, start.div_euclid(-step) + 1)
    };
    (from.clamp(0, n), to.clamp(0, n).max(from.clamp(0, n)))
}

/// A map that only shifts by whole pixels and mirrors: `(dx, mirrored, dy, mirrored)`.
fn plain(map: &Matrix) -> Option<(i64, bool, i64, bool)> {
    let m = &map.0;
    let whole = |value: f64| (value - value.round()).abs() < 1e-9;
    let unit = |value: f64| (value.abs() - 1.0).abs() < 1e-12;
    let fits = map.is_affine() && unit(m[0]) && unit(m[4]) && m[1] == 0.0 && m[3] == 0.0 && whole(m[2]) && whole(m[5]);
    fits.then(|| (m[2].round() as i64, m[0] < 0.0, m[5].round() as i64, m[4] < 0.0))
}

/// The picture at a whole fraction of its size: each pixel the mean of `factor × factor`; what is over at the right and below is averaged
/// with fewer.
pub fn reduced(source: &Picture, factor: u32) -> Picture {
    let (width, height) = (source.width.div_ceil(factor), source.height.div_ceil(factor));
    let (stride, factor) = (source.width as usize, factor as usize);
    let pixels = source.rgba.as_chunks::<4>().0;
    let mut rgba = vec![0_u8; width as usize * height as usize * 4];
    let mut sums = vec![[0_u32; 4]; width as usize];
    for (y, row) in rgba.chunks_exact_mut(width as usize * 4).enumerate() {
        sums.fill([0; 4]);
        let rows = y * factor..((y + 1) * factor).min(source.height as usize);
        for line in rows.clone() {
            let line = &pixels[line * stride..(line + 1) * stride];
            for (sum, part) in sums.iter_mut().zip(line.chunks(factor)) {
                for pixel in part {
                    for channel in 0..4 {
                        sum[channel] += u32::from(pixel[channel]);
                    }
                }
            }
        }
        for (x, (pixel, sum)) in row.as_chunks_mut::<4>().0.iter_mut().zip(&sums).enumerate() {
            let n = (rows.len() * (stride - x * factor).min(factor)) as u32;
            for channel in 0..4 {
                pixel[channel] = ((sum[channel] + n / 2) / n) as u8;
            }
        }
    }
    Picture { width, height, rgba, torn: source.torn }
}

/// Knots of the field that bends a picture, a side.
const KNOTS: usize = 5;

/// A smooth random field of displacements: a uniform cubic B-spline over few knots, as U-Net's elastic deformation has it (Ronneberger,
/// Fischer and Brox, 2015).
pub struct WarpField {
    knots: Vec<(f64, f64)>,
    size: (f64, f64),
}

impl WarpField {
    /// A field for a picture of `size` pixels whose knots are moved by up to `amount` of the sides.
    pub fn new(chance: &mut crate::chance::Chance, amount: f64, size: (u32, u32)) -> Self {
        let size = (f64::from(size.0), f64::from(size.1));
        let n = KNOTS + 3;
        let knots = (0..n * n)
            .map(|_| {
                let (x, y) = (chance.within(-1.0, 1.0), chance.within(-1.0, 1.0));
                (x * amount * size.0, y * amount * size.1)
            })
            .collect();
        Self { knots, size }
    }

    /// Which way a point is moved.
    pub fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let part = |value: f64, side: f64| (value / side).clamp(0.0, 1.0) * KNOTS as f64;
        let (px, py) = (part(x, self.size.0), part(y, self.size.1));
        let (kx, ky) = ((px.floor() as usize).min(KNOTS - 1), (py.floor() as usize).min(KNOTS - 1));
        let (wx, wy) = (basis(px - kx as f64), basis(py - ky as f64));
        let mut moved = (0.0, 0.0);
        for (row, weight_y) in wy.iter().enumerate() {
            for (column, weight_x) in wx.iter().enumerate() {
                let knot = self.knots[(ky + row) * (KNOTS + 3) + kx + column];
                moved.0 += weight_x * weight_y * knot.0;
                moved.1 += weight_x * weight_y * knot.1;
            }
        }
        moved
    }

    /// The picture bent by it. The field is worked out every eighth pixel and in between by straight lines.
    pub fn bend(&self, source: &Picture) -> Picture {
        const STEP: usize = 8;
        let (width, height) = (source.width as usize, source.height as usize);
        let pixels = source.rgba.as_chunks::<4>().0;
        let mut rgba = vec![0_u8; source.rgba.len()];
        let fixed = |value: f64| (value * ONE as f64).round() as i64;
        let columns = width.div_ceil(STEP) + 1;
        let line = |y: usize| -> Vec<(i64, i64)> {
            (0..columns)
                .map(|k| {
                    let moved = self.at(((k * STEP) as f64 + 0.5, y as f64 + 0.5));
                    (fixed(moved.0), fixed(moved.1))
                })
                .collect()
        };
        let (mut above, mut below) = (line(0), line(STEP));
        for (y, row) in rgba.chunks_exact_mut(width * 4).enumerate() {
            if y > 0 && y % STEP == 0 {
                above = std::mem::replace(&mut below, line(y + STEP));
            }
            let part_y = (y % STEP) as i64;
            for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let (k, part_x) = (x / STEP, (x % STEP) as i64);
                let between = |a: i64, b: i64, part: i64| a + (b - a) * part / STEP as i64;
                let of = |pick: fn(&(i64, i64)) -> i64| {
                    let upper = between(pick(&above[k]), pick(&above[k + 1]), part_x);
                    between(upper, between(pick(&below[k]), pick(&below[k + 1]), part_x), part_y)
                };
                let (u, v) = (x as i64 * ONE + of(|p| p.0), y as i64 * ONE + of(|p| p.1));
                *pixel = at_place(pixels, (width as i64, height as i64), u, v);
            }
        }
        Picture { width: source.width, height: source.height, rgba, torn: source.torn }
    }
}

/// The weights of the four knots around a point, `0 ≤ t ≤ 1` of the way.
fn basis(t: f64) -> [f64; 4] {
    let s = 1.0 - t;
    [s * s * s / 6.0, (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0, (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0, t * t * t / 6.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: u32, height: u32) -> Picture {
        let rgba = (0..width * height).flat_map(|n| [(n * 7 % 251) as u8, n as u8, 0, 255]).collect();
        Picture { width, height, rgba, torn: false }
    }

    #[test]
    fn maps_invert_and_squares_go_where_they_are_told() {
        let points = [(1.0, 2.0), (9.0, 1.0), (11.0, 8.0), (0.0, 7.0)];
        let map = Matrix::of_square(points);
        let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        for (corner, point) in corners.into_iter().zip(points) {
            let (x, y) = map.of(corner);
            assert!((x - point.0).abs() < 1e-9 && (y - point.1).abs() < 1e-9);
            let back = map.inverse().unwrap().of(point);
            assert!((back.0 - corner.0).abs() < 1e-9 && (back.1 - corner.1).abs() < 1e-9);
        }
    }

    #[test]
    fn the_fast_middle_and_the_edges_are_one_rule() {
        let source = numbered(23, 17);
        let pixels = source.rgba.as_chunks::<4>().0;
        for angle in [0.0_f64, 0.3, 1.2, 2.9, -0.7, std::f64::consts::FRAC_PI_2] {
            for scale in [0.6, 1.0, 1.1] {
                let (sin, cos) = (angle.sin() * scale, angle.cos() * scale);
                let map = Matrix::affine(cos, -sin, 5.0, sin, cos, -3.0);
                let out = warp(&source, &map, (31, 29));
                let m = map.0;
                for (y, x) in (0..29_i64).flat_map(|y| (0..31_i64).map(move |x| (y, x))) {
                    let fixed = |value: f64| (value * ONE as f64).round() as i64;
                    let u = fixed(m[0] * 0.5 + m[1] * 0.5 + m[2] - 0.5 + m[1] * y as f64) + fixed(m[0]) * x;
                    let v = fixed(m[3] * 0.5 + m[4] * 0.5 + m[5] - 0.5 + m[4] * y as f64) + fixed(m[3]) * x;
                    let wanted = at_place(pixels, (23, 17), u, v);
                    let at = (y * 31 + x) as usize * 4;
                    let found = &out.rgba[at..at + 4];
                    // A plain map copies; its samples fall on pixels.
                    assert!(found.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= 1), "{angle} {scale} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn edges_mirror_and_means_are_means() {
        assert_eq!([-3, -1, 0, 3, 4, 5, 7].map(|at| mirrored(at, 4)), [3, 1, 0, 3, 2, 1, 1]);
        assert_eq!(mirrored(9, 1), 0);
        let small = reduced(&numbered(5, 3), 2);
        assert_eq!((small.width, small.height), (3, 2));
        let green: Vec<u8> = small.rgba.as_chunks::<4>().0.iter().map(|pixel| pixel[1]).collect();
        // Numbers 0 to 14 in rows of five: (0+1+5+6)/4, …, (4+9)/2; then the last row by pairs.
        assert_eq!(green, [3, 5, 7, 11, 13, 14]);
    }
}
