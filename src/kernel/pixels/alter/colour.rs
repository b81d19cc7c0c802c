//! Changing colours pixel by pixel: Pillow's `ImageEnhance` for brightness, contrast and saturation; hue by the HSV wheel; gamma.
//! Opacity stays as it is.

use crate::pixels::Picture;

/// Luma by ITU-R BT.601, rounded as Pillow's `L` rounds it.
#[inline]
pub fn luma(pixel: &[u8]) -> u8 {
    ((u32::from(pixel[0]) * 19_595 + u32::from(pixel[1]) * 38_470 + u32::from(pixel[2]) * 7_471 + 0x8000) >> 16) as u8
}

fn clamped(value: f64) -> u8 {
    (value + 0.5).floor().clamp(0.0, 255.0) as u8
}

/// Puts every channel through a table.
fn by_table(picture: &mut Picture, table: &[u8; 256]) {
    for pixel in picture.rgba.as_chunks_mut::<4>().0 {
        for channel in &mut pixel[..3] {
            *channel = table[usize::from(*channel)];
        }
    }
}

fn table(of: impl Fn(f64) -> f64) -> [u8; 256] {
    std::array::from_fn(|value| clamped(of(value as f64)))
}

/// Times `factor`.
pub fn brightness(picture: &mut Picture, factor: f64) {
    by_table(picture, &table(|value| value * factor));
}

/// Away from the mean grey by `factor`.
pub fn contrast(picture: &mut Picture, factor: f64) {
    let pixels = picture.rgba.as_chunks::<4>().0;
    let sum: u64 = pixels.iter().map(|pixel| u64::from(luma(pixel))).sum();
    let mean = (sum as f64 / pixels.len().max(1) as f64 + 0.5).floor();
    by_table(picture, &table(|value| mean + factor * (value - mean)));
}

/// `255 (value / 255)^power`.
pub fn gamma(picture: &mut Picture, power: f64) {
    by_table(picture, &table(|value| 255.0 * libm::pow(value / 255.0, power)));
}

/// Away from grey by `factor`.
pub fn saturation(picture: &mut Picture, factor: f64) {
    let factor = (factor * 65_536.0).round() as i64;
    for pixel in picture.rgba.as_chunks_mut::<4>().0 {
        let grey = i64::from(luma(pixel));
        for channel in &mut pixel[..3] {
            let value = grey * 65_536 + factor * (i64::from(*channel) - grey);
            *channel = ((value + 32_768) >> 16).clamp(0, 255) as u8;
        }
    }
}

/// Without colour.
pub fn greyscale(picture: &mut Picture) {
    for pixel in picture.rgba.as_chunks_mut::<4>().0 {
        let grey = luma(pixel);
        pixel[..3].fill(grey);
    }
}

/// Colours moved round the HSV wheel by `degrees`; lightness (the largest channel) and saturation stay.
pub fn hue(picture: &mut Picture, degrees: f64) {
    // In 65,536ths of a sixth of the wheel.
    let turn = ((degrees / 60.0).rem_euclid(6.0) * 65_536.0).round() as i64;
    for pixel in picture.rgba.as_chunks_mut::<4>().0 {
        let [r, g, b] = [i64::from(pixel[0]), i64::from(pixel[1]), i64::from(pixel[2])];
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let spread = most - least;
        if spread == 0 {
            continue;
        }
        let sixth = |first: i64, second: i64, base: i64| base * 65_536 + (first - second) * 65_536 / spread;
        let at = if most == r {
            sixth(g, b, 0)
        } else if most == g {
            sixth(b, r, 2)
        } else {
            sixth(r, g, 4)
        };
        let at = (at + turn).rem_euclid(6 * 65_536);
        let (sector, part) = (at >> 16, at & 65_535);
        let rising = least + ((spread * part + 32_768) >> 16);
        let falling = most - ((spread * part + 32_768) >> 16);
        let colour = match sector {
            0 => [most, rising, least],
            1 => [falling, most, least],
            2 => [least, most, rising],
            3 => [least, falling, most],
            4 => [rising, least, most],
            _ => [most, least, falling],
        };
        for (channel, value) in pixel.iter_mut().zip(colour) {
            *channel = value as u8;
        }
    }
}

/// The mean colour of a picture.
pub fn mean(picture: &Picture) -> [u8; 3] {
    let pixels = picture.rgba.as_chunks::<4>().0;
    let mut sums = [0_u64; 3];
    for pixel in pixels {
        sums.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += u64::from(*channel));
    }
    let n = pixels.len().max(1) as u64;
    sums.map(|sum| ((sum + n / 2) / n) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(pixel: [u8; 3], work: impl Fn(&mut Picture)) -> [u8; 3] {
        let mut picture = Picture { width: 1, height: 1, rgba: vec![pixel[0], pixel[1], pixel[2], 77], torn: false };
        work(&mut picture);
        assert_eq!(picture.rgba[3], 77, "opacity stays");
        [picture.rgba[0], picture.rgba[1], picture.rgba[2]]
    }

    #[test]
    fn colours_by_hand() {
        let orange = [200, 100, 50];
        assert_eq!(one(orange, |p| brightness(p, 1.2)), [240, 120, 60]);
        assert_eq!(one(orange, |p| brightness(p, 2.0)), [255, 200, 100]);
        // Its luma is 124: 59.8 + 58.7 + 5.7.
        assert_eq!(one(orange, greyscale), [124, 124, 124]);
        assert_eq!(one(orange, |p| contrast(p, 0.5)), [162, 112, 87]);
        assert_eq!(one(orange, |p| saturation(p, 0.0)), [124, 124, 124]);
        assert_eq!(one(orange, |p| saturation(p, 1.5)), [238, 88, 13]);
        // Orange is at 20 degrees; 120 more is a green, and a whole turn is none.
        assert_eq!(one(orange, |p| hue(p, 120.0)), [50, 200, 100]);
        assert_eq!(one(orange, |p| hue(p, -360.0)), orange);
        assert_eq!(one([9, 9, 9], |p| hue(p, 77.0)), [9, 9, 9]);
        assert_eq!(one([0, 64, 255], |p| gamma(p, 2.0)), [0, 16, 255]);
    }
}
