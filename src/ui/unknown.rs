//! Letters that no font has: drawn as a box with their code point, so that one can tell what is there.

use egui::epaint::text::{GlyphBitmap, GlyphRasterizer, GlyphRasterizerRequest, RasterizedGlyph};
use egui::{Color32, ColorImage, vec2};

/// Digits of three by five dots, a row in three bits.
const DIGITS: [[u8; 5]; 16] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
    [7, 5, 7, 5, 5],
    [6, 5, 6, 5, 6],
    [7, 4, 4, 4, 7],
    [6, 5, 5, 5, 6],
    [7, 4, 7, 4, 7],
    [7, 4, 7, 4, 4],
];

/// How high a box is, in dots.
const HIGH: usize = 15;

/// What stands in for every letter that no font has.
pub fn rasterizer() -> GlyphRasterizer {
    GlyphRasterizer::new("lapidary::unknown", draw)
}

/// So many letters of one cluster are drawn: marks upon marks are no text any more.
const MOST: usize = 6;

fn draw(request: &GlyphRasterizerRequest<'_>) -> Option<RasterizedGlyph> {
    let codes: Vec<u32> = request.cluster.chars().filter(|letter| !letter.is_ascii()).take(MOST).map(u32::from).collect();
    if codes.is_empty() {
        return None;
    }
    // A dot is a pixel at the size of a text, and more above.
    let dot = ((request.font_size_px / 14.0).round() as usize).max(1);
    // Digits in two rows, and the frame around them, in dots.
    let columns = |code: u32| if code > 0xffff { 3 } else { 2 };
    let across = |code: u32| columns(code) * 4 + 3;
    let (wide, high) = (codes.iter().map(|code| across(*code) + 1).sum::<usize>() * dot, HIGH * dot);
    let mut image = ColorImage::filled([wide, high], Color32::TRANSPARENT);
    let mut fill = |x: usize, y: usize, ink: Color32| {
        for (dx, dy) in (0..dot * dot).map(|at| (at % dot, at / dot)) {
            image.pixels[(y * dot + dy) * wide + x * dot + dx] = ink;
        }
    };
    let (frame, ink) = (Color32::from_white_alpha(110), Color32::from_white_alpha(255));
    let mut left = 0;
    for code in codes {
        let right = left + across(code) - 1;
        for x in left + 1..right {
            fill(x, 0, frame);
            fill(x, HIGH - 1, frame);
        }
        for y in 1..HIGH - 1 {
            fill(left, y, frame);
            fill(right, y, frame);
        }
        let columns = columns(code);
        for place in 0..columns * 2 {
            let digit = code >> (4 * (columns * 2 - 1 - place)) & 0xf;
            let (x, y) = (left + 2 + place % columns * 4, 2 + place / columns * 6);
            for (row, bits) in DIGITS[digit as usize].iter().enumerate() {
                (0..3).filter(|dot| bits >> (2 - dot) & 1 == 1).for_each(|dot| fill(x + dot, y + row, ink));
            }
        }
        left = right + 2;
    }
    let offset_px = vec2(dot as f32, -((high - 3 * dot) as f32));
    let bitmap = GlyphBitmap { image, offset_px, is_color: false };
    Some(RasterizedGlyph { bitmap, advance_px: (wide + 2 * dot) as f32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_told_apart_at_every_size() {
        let family = egui::FontFamily::Proportional;
        let drawn = |cluster: &str, font_size_px: f32| {
            draw(&GlyphRasterizerRequest { cluster, family: &family, font_size_px, subpixel_offset_px: 0.0 })
        };
        let pixels = |cluster: &str| drawn(cluster, 14.0).unwrap().bitmap.image.pixels;
        assert_ne!(pixels("\u{0e01}"), pixels("\u{0e02}"));
        assert!(drawn("\u{10ffff}", 14.0).unwrap().advance_px > drawn("\u{ffff}", 14.0).unwrap().advance_px);
        for size in [0.0, 1.0, 14.0, 31.0, 300.0] {
            assert!(drawn("\u{1f980}", size).unwrap().bitmap.image.size[0] > 0);
        }
        assert!(drawn("\u{939}\u{93f}", 14.0).unwrap().advance_px > drawn("\u{939}", 14.0).unwrap().advance_px, "both letters");
        assert!(drawn("a", 14.0).is_none(), "what fonts have they draw");
    }
}
