//! The ground that a picture with transparency is drawn and judged on. Colours under full transparency are nobody's: two pictures that look
//! alike are alike, and ink on nothing is not darkness.

use super::decode::Picture;

/// The greys of the chequered ground, and the side of its squares in pixels.
const GREYS: [u8; 2] = [153, 204];
const SQUARE: usize = 8;

/// Whether any of it lets the ground through.
pub fn has_transparency(rgba: &[u8]) -> bool {
    rgba.as_chunks::<4>().0.iter().any(|pixel| pixel[3] < 255)
}

/// Draws it on chequered ground; an opaque picture stays as it is.
pub fn chequered(picture: Picture) -> Picture {
    on(picture, |x, y| GREYS[(x / SQUARE + y / SQUARE) % 2])
}

/// Draws it on one grey, as it is compared with others: squares would be what two such pictures have in common.
pub fn plain(picture: Picture) -> Picture {
    on(picture, |_, _| GREYS[0].midpoint(GREYS[1]))
}

fn on(mut picture: Picture, ground: impl Fn(usize, usize) -> u8) -> Picture {
    if !has_transparency(&picture.rgba) {
        return picture;
    }
    let width = picture.width.max(1) as usize;
    for (at, pixel) in picture.rgba.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let (under, alpha) = (u32::from(ground(at % width, at / width)), u32::from(pixel[3]));
        for channel in &mut pixel[..3] {
            *channel = ((u32::from(*channel) * alpha + under * (255 - alpha) + 127) / 255) as u8;
        }
        pixel[3] = 255;
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_transparent_is_the_ground_and_what_is_not_stays() {
        let picture = |rgba: Vec<u8>| Picture { width: 2, height: 1, rgba, torn: false };
        let opaque = picture(vec![1, 2, 3, 255, 4, 5, 6, 255]);
        assert_eq!(chequered(opaque.clone()), opaque);
        // Black and white under full transparency look the same; half of white on 153 is (255 · 128 + 153 · 127) / 255.
        assert_eq!(chequered(picture(vec![0, 0, 0, 0, 255, 255, 255, 0])).rgba, [153, 153, 153, 255, 153, 153, 153, 255]);
        assert_eq!(chequered(picture(vec![255, 255, 255, 128, 0, 0, 0, 255])).rgba, [204, 204, 204, 255, 0, 0, 0, 255]);
        assert_eq!(plain(picture(vec![9, 9, 9, 0, 0, 0, 0, 255])).rgba, [178, 178, 178, 255, 0, 0, 0, 255]);
    }
}
