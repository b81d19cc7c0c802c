//! Altering a picture: what augmentation does to pixels, with every number given. Moves that follow each other are put together and
//! sampled once, at the end or before the next filter. Bounding boxes follow. Pure, and the same bytes on every machine.

mod colour;
mod filter;
mod warp;

use super::boxes::BoundingBox;
use super::decode::Picture;
use crate::chance::Chance;
use warp::{Matrix, WarpField, warp};

/// One alteration. Places and sizes are parts of the sides, 0 to 1; angles are degrees, counter-clockwise.
#[derive(Debug, Clone, PartialEq)]
pub enum Alteration {
    Rotate(f64),
    Scale(f64),
    /// To the right, and down.
    Translate(f64, f64),
    Shear(f64),
    /// How far each corner moves inwards, across and down, clockwise from the left upper one.
    Perspective([(f64, f64); 4]),
    FlipHorizontal,
    FlipVertical,
    Crop(Part),
    /// A part, drawn as large as the whole was.
    ResizedCrop(Part),
    /// The longer side in pixels of the whole picture.
    Resize(f64),
    Brightness(f64),
    Contrast(f64),
    Saturation(f64),
    Hue(f64),
    Gamma(f64),
    Greyscale,
    /// Deviation in pixels of the whole picture.
    Blur(f64),
    Sharpen(f64),
    /// Deviation of 255, and a seed.
    Noise(f64, u64),
    /// Quality, 1 to 100.
    Jpeg(f64),
    Cutout(Part),
    /// Most of a knot's way, and a seed.
    Elastic(f64, u64),
    /// The other picture's part of every pixel.
    Mixup(f64),
    /// The part that is the other picture's.
    Cutmix(Part),
}

/// A rectangle within a picture, in parts of its sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// The least side of a picture that anything leaves, in pixels.
const LEAST: f64 = 1.0;

/// A picture being altered.
pub struct Canvas<'o> {
    picture: Picture,
    /// From a point of what is to be drawn to one of `picture`.
    map: Matrix,
    /// The size of what is to be drawn.
    size: (u32, u32),
    moved: bool,
    /// How large this picture is beside the whole one: 1 but for previews.
    unit: f64,
    other: Option<&'o Picture>,
    boxes: Vec<(BoundingBox, [(f64, f64); 4])>,
    /// Without pixels: only boxes are followed.
    blank: bool,
}

impl<'o> Canvas<'o> {
    /// Begins with a picture that is `unit` times as large as the whole one (1 for itself), and the picture that mixing steps take.
    pub fn new(picture: Picture, unit: f64, other: Option<&'o Picture>) -> Self {
        let size = (picture.width, picture.height);
        Self { picture, map: Matrix::IDENTITY, size, moved: false, unit, other, boxes: Vec::new(), blank: false }
    }

    /// A picture of that size without pixels: for what happens to its boxes.
    pub fn blank(size: (u32, u32)) -> Self {
        let picture = Picture { width: size.0, height: size.1, rgba: Vec::new(), torn: false };
        Self { blank: true, ..Self::new(picture, 1.0, None) }
    }

    /// Boxes in pixels of the picture, which follow it.
    pub fn set_boxes(&mut self, boxes: Vec<BoundingBox>) {
        self.boxes = boxes
            .into_iter()
            .map(|found| {
                let (x, y, right, low) = (found.x, found.y, found.x + found.width, found.y + found.height);
                (found, [(x, y), (right, y), (right, low), (x, low)])
            })
            .collect();
    }

    /// Pixels across and down of what is to be drawn.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Carries out one alteration.
    pub fn apply(&mut self, alteration: &Alteration) {
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        let centred = |map: Matrix| {
            let to = Matrix::affine(1.0, 0.0, -width / 2.0, 0.0, 1.0, -height / 2.0);
            Matrix::affine(1.0, 0.0, width / 2.0, 0.0, 1.0, height / 2.0).after(&map).after(&to)
        };
        match alteration {
            Alteration::Rotate(degrees) => {
                let angle = degrees.to_radians();
                let (sin, cos) = (libm::sin(angle), libm::cos(angle));
                // Rows run downwards: counter-clockwise on screen.
                self.go(centred(Matrix::affine(cos, -sin, 0.0, sin, cos, 0.0)), self.size);
            }
            Alteration::Scale(factor) => {
                let back = 1.0 / factor.max(1e-3);
                self.go(centred(Matrix::affine(back, 0.0, 0.0, 0.0, back, 0.0)), self.size);
            }
            Alteration::Translate(x, y) => {
                self.go(Matrix::affine(1.0, 0.0, -x * width, 0.0, 1.0, -y * height), self.size);
            }
            Alteration::Shear(degrees) => {
                let slant = libm::tan(degrees.to_radians());
                self.go(centred(Matrix::affine(1.0, slant, 0.0, 0.0, 1.0, 0.0)), self.size);
            }
            Alteration::Perspective(corners) => {
                let [a, b, c, d] = corners;
                let points = [
                    (a.0 * width, a.1 * height),
                    ((1.0 - b.0) * width, b.1 * height),
                    ((1.0 - c.0) * width, (1.0 - c.1) * height),
                    (d.0 * width, (1.0 - d.1) * height),
                ];
                let unit = Matrix::affine(1.0 / width, 0.0, 0.0, 0.0, 1.0 / height, 0.0);
                self.go(Matrix::of_square(points).after(&unit), self.size);
            }
            Alteration::FlipHorizontal => self.go(Matrix::affine(-1.0, 0.0, width, 0.0, 1.0, 0.0), self.size),
            Alteration::FlipVertical => self.go(Matrix::affine(1.0, 0.0, 0.0, 0.0, -1.0, height), self.size),
            Alteration::Crop(part) => {
                let side = |part: f64, side: f64| (part * side).round().max(LEAST);
                let size = (side(part.width, width), side(part.height, height));
                let at = ((part.x * width).round().min(width - size.0), (part.y * height).round().min(height - size.1));
                self.go(Matrix::affine(1.0, 0.0, at.0, 0.0, 1.0, at.1), (size.0 as u32, size.1 as u32));
            }
            Alteration::ResizedCrop(part) => {
                self.go(Matrix::affine(part.width, 0.0, part.x * width, 0.0, part.height, part.y * height), self.size);
            }
            Alteration::Resize(side) => {
                let factor = side * self.unit / width.max(height);
                let size = ((width * factor).round().max(LEAST), (height * factor).round().max(LEAST));
                self.go(Matrix::affine(width / size.0, 0.0, 0.0, 0.0, height / size.1, 0.0), (size.0 as u32, size.1 as u32));
            }
            other => self.paint(other),
        }
    }

    /// Notes a move: `map` takes a point of the new picture to one of the old.
    fn go(&mut self, map: Matrix, size: (u32, u32)) {
        if let Some(forward) = map.inverse() {
            for (_, corners) in &mut self.boxes {
                *corners = corners.map(|corner| forward.of(corner));
            }
        }
        self.map = self.map.after(&map);
        self.size = size;
        self.moved = true;
    }

    /// Draws what has been noted.
    fn draw(&mut self) {
        if self.blank {
            (self.picture.width, self.picture.height) = self.size;
        } else if self.moved {
            self.picture = warp(&self.picture, &self.map, self.size);
            self.map = Matrix::IDENTITY;
            self.moved = false;
        }
    }

    fn paint(&mut self, alteration: &Alteration) {
        self.draw();
        let picture = &mut self.picture;
        if self.blank && !matches!(alteration, Alteration::Elastic(..)) {
            return;
        }
        match alteration {
            Alteration::Brightness(factor) => colour::brightness(picture, *factor),
            Alteration::Contrast(factor) => colour::contrast(picture, *factor),
            Alteration::Saturation(factor) => colour::saturation(picture, *factor),
            Alteration::Hue(degrees) => colour::hue(picture, *degrees),
            Alteration::Gamma(power) => colour::gamma(picture, *power),
            Alteration::Greyscale => colour::greyscale(picture),
            Alteration::Blur(sigma) => *picture = filter::blur(picture, sigma * self.unit),
            Alteration::Sharpen(amount) => filter::sharpen(picture, *amount, self.unit),
            Alteration::Noise(sigma, seed) => filter::noise(picture, *sigma, &mut Chance::new(*seed)),
            Alteration::Jpeg(quality) => filter::jpeg(picture, *quality),
            Alteration::Cutout(part) => {
                let mean = colour::mean(picture);
                within(picture, part, |pixel, _| pixel[..3].copy_from_slice(&mean));
            }
            Alteration::Elastic(amount, seed) => {
                let field = WarpField::new(&mut Chance::new(*seed), *amount, self.size);
                if !self.blank {
                    *picture = field.bend(picture);
                }
                for (_, corners) in &mut self.boxes {
                    // A point is drawn where the field, followed from there, leads back to it: nearly.
                    *corners = corners.map(|(x, y)| {
                        let moved = field.at((x, y));
                        (x - moved.0, y - moved.1)
                    });
                }
            }
            Alteration::Mixup(share) => {
                let whole = Part { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
                self.lay(&whole, *share);
            }
            Alteration::Cutmix(part) => self.lay(part, 1.0),
            _ => {}
        }
    }

    /// Lays the other picture, made as large as this one, over a part of it.
    fn lay(&mut self, part: &Part, share: f64) {
        let Some(other) = self.other else { return };
        let (width, height) = self.size;
        let fitted = Matrix::affine(
            f64::from(other.width) / f64::from(width),
            0.0,
            0.0,
            0.0,
            f64::from(other.height) / f64::from(height),
            0.0,
        );
        let over = warp(other, &fitted, self.size);
        let over = over.rgba.as_chunks::<4>().0;
        let share = (share * 65_536.0).round() as u32;
        within(&mut self.picture, part, |pixel, at| {
            for (channel, value) in pixel.iter_mut().zip(over[at]) {
                let mixed = u32::from(*channel) * (65_536 - share) + u32::from(value) * share;
                *channel = ((mixed + 32_768) >> 16) as u8;
            }
        });
    }

    /// The picture as it is now, and its boxes: upright around their corners, cut at the edges; those that are outside are gone.
    pub fn finish(mut self) -> (Picture, Vec<BoundingBox>) {
        self.draw();
        let (width, height) = (f64::from(self.picture.width), f64::from(self.picture.height));
        let boxes = self
            .boxes
            .into_iter()
            .filter_map(|(found, corners)| {
                let fold = |pick: fn(&(f64, f64)) -> f64, with: fn(f64, f64) -> f64, from: f64| {
                    corners.iter().map(pick).fold(from, with)
                };
                let left = fold(|p| p.0, f64::min, f64::INFINITY).clamp(0.0, width);
                let right = fold(|p| p.0, f64::max, f64::NEG_INFINITY).clamp(0.0, width);
                let top = fold(|p| p.1, f64::min, f64::INFINITY).clamp(0.0, height);
                let low = fold(|p| p.1, f64::max, f64::NEG_INFINITY).clamp(0.0, height);
                let seen = right - left >= 1.0 && low - top >= 1.0;
                seen.then_some(BoundingBox { x: left, y: top, width: right - left, height: low - top, ..found })
            })
            .collect();
        (self.picture, boxes)
    }
}

/// Every pixel of a part of a picture, with its place.
fn within(picture: &mut Picture, part: &Part, mut work: impl FnMut(&mut [u8; 4], usize)) {
    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
    let side = |at: f64, side: f64| (at * side).round().clamp(0.0, side) as usize;
    let (left, right) = (side(part.x, width), side(part.x + part.width, width));
    let (top, low) = (side(part.y, height), side(part.y + part.height, height));
    let stride = picture.width as usize;
    let pixels = picture.rgba.as_chunks_mut::<4>().0;
    for y in top..low {
        for x in left..right {
            let at = y * stride + x;
            work(&mut pixels[at], at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 4 × 3 pixels, numbered from 0.
    fn numbered() -> Picture {
        Picture { width: 4, height: 3, rgba: (0..12).flat_map(|n| [n * 20, n, 0, 255]).collect(), torn: false }
    }

    fn altered(picture: Picture, list: &[Alteration]) -> (u32, Vec<u8>) {
        let mut canvas = Canvas::new(picture, 1.0, None);
        list.iter().for_each(|alteration| canvas.apply(alteration));
        let (picture, _) = canvas.finish();
        (picture.width, picture.rgba.as_chunks::<4>().0.iter().map(|pixel| pixel[1]).collect())
    }

    #[test]
    fn moves_by_hand() {
        use Alteration::{Crop, FlipHorizontal, FlipVertical, Rotate, Translate};
        assert_eq!(altered(numbered(), &[FlipHorizontal]).1, [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]);
        assert_eq!(altered(numbered(), &[FlipVertical]).1, [8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]);
        assert_eq!(altered(numbered(), &[Rotate(180.0)]).1, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
        // One pixel to the right: what comes in at the left is mirrored.
        assert_eq!(altered(numbered(), &[Translate(0.25, 0.0)]).1, [1, 0, 1, 2, 5, 4, 5, 6, 9, 8, 9, 10]);
        let middle = Part { x: 0.25, y: 1.0 / 3.0, width: 0.5, height: 2.0 / 3.0 };
        assert_eq!(altered(numbered(), &[Crop(middle)]), (2, vec![5, 6, 9, 10]));
        assert_eq!(altered(numbered(), &[FlipHorizontal, Crop(middle), FlipHorizontal]), (2, vec![5, 6, 9, 10]));
        // A square turned by a right angle, counter-clockwise: the right column comes to the top.
        let square = Picture { width: 2, height: 2, rgba: (0..4).flat_map(|n| [0, n, 0, 255]).collect(), torn: false };
        assert_eq!(altered(square, &[Rotate(90.0)]).1, [1, 3, 0, 2]);
    }

    #[test]
    fn a_whole_turn_in_pieces_is_sampled_once() {
        let pieces: Vec<Alteration> = (0..8).map(|_| Alteration::Rotate(45.0)).collect();
        let (_, turned) = altered(numbered(), &pieces);
        let (_, plain) = altered(numbered(), &[]);
        assert!(turned.iter().zip(&plain).all(|(a, b)| a.abs_diff(*b) <= 1), "{turned:?}");
    }

    #[test]
    fn boxes_follow_and_leave() {
        let picture = Picture { width: 100, height: 50, rgba: vec![0; 20_000], torn: false };
        let sides = |list: &[Alteration]| {
            let mut canvas = Canvas::new(picture.clone(), 1.0, None);
            canvas.set_boxes(vec![BoundingBox { x: 10.0, y: 20.0, width: 30.0, height: 10.0, label: "cat".to_owned() }]);
            list.iter().for_each(|alteration| canvas.apply(alteration));
            canvas.finish().1.first().map(|b| [b.x, b.y, b.width, b.height].map(|value| (value * 100.0).round() / 100.0))
        };
        assert_eq!(sides(&[Alteration::FlipHorizontal]), Some([60.0, 20.0, 30.0, 10.0]));
        assert_eq!(sides(&[Alteration::Scale(2.0)]), Some([0.0, 15.0, 30.0, 20.0]));
        assert_eq!(sides(&[Alteration::Rotate(90.0)]), Some([45.0, 35.0, 10.0, 15.0]));
        let right = Part { x: 0.5, y: 0.0, width: 0.5, height: 1.0 };
        assert_eq!(sides(&[Alteration::Crop(right)]), None);
        assert_eq!(sides(&[Alteration::ResizedCrop(Part { x: 0.0, ..right })]), Some([20.0, 20.0, 60.0, 10.0]));
        assert_eq!(sides(&[Alteration::Resize(200.0), Alteration::Translate(-0.1, 0.0)]), Some([0.0, 40.0, 60.0, 20.0]));
    }

    #[test]
    fn mixing_is_by_share_and_by_area() {
        let of = |value: u8| Picture { width: 10, height: 10, rgba: [value, value, value, 255].repeat(100), torn: false };
        let other = of(200);
        let mixed = |alteration| {
            let mut canvas = Canvas::new(of(100), 1.0, Some(&other));
            canvas.apply(&alteration);
            canvas.finish().0.rgba.as_chunks::<4>().0.iter().map(|pixel| pixel[0]).collect::<Vec<_>>()
        };
        assert!(mixed(Alteration::Mixup(0.3)).iter().all(|value| *value == 130));
        let patch = mixed(Alteration::Cutmix(Part { x: 0.2, y: 0.1, width: 0.5, height: 0.4 }));
        let sum: u32 = patch.iter().map(|value| u32::from(*value)).sum();
        assert_eq!(sum, 20 * 200 + 80 * 100);
        assert!(patch.iter().all(|value| [100, 200].contains(value)));
    }
}
