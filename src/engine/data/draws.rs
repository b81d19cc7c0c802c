//! One draw of a pipeline: which of its steps happen, and with which numbers. A step's chance is its own, so that changing one step
//! leaves what the others draw.

use super::recipe::{Augmentation, Pipeline, Step};
use crate::chance::{Chance, seed_of};
use crate::pixels::alter::{Alteration, Canvas, Part};
use crate::pixels::{BoundingBox, Picture};

impl Pipeline {
    /// The chance of the step at place `at`, in the draw of this seed; `None` where the step does not happen.
    pub fn chance(&self, draw: u64, at: usize) -> Option<Chance> {
        let mut chance = Chance::new(seed_of(&[draw, at as u64]));
        chance.happens(self.steps[at].happens()).then_some(chance)
    }

    /// Alters a picture by the first `steps` steps, as the draw of this seed has it. `unit` is how large the picture is beside the whole
    /// one, 1 but for previews; `other` is what mixing steps take.
    pub fn alter(
        &self,
        draw: u64,
        steps: usize,
        picture: Picture,
        unit: f64,
        other: Option<&Picture>,
        boxes: Vec<BoundingBox>,
    ) -> (Picture, Vec<BoundingBox>) {
        let mut canvas = Canvas::new(picture, unit, other);
        canvas.set_boxes(boxes);
        self.draw_on(&mut canvas, draw, steps);
        canvas.finish()
    }

    /// What the draw does to the boxes of a picture of `size` pixels, and its size afterwards.
    pub fn alter_boxes(&self, draw: u64, size: (u32, u32), boxes: Vec<BoundingBox>) -> (Vec<BoundingBox>, (u32, u32)) {
        let mut canvas = Canvas::blank(size);
        canvas.set_boxes(boxes);
        self.draw_on(&mut canvas, draw, self.steps.len());
        let (picture, boxes) = canvas.finish();
        (boxes, (picture.width, picture.height))
    }

    fn draw_on(&self, canvas: &mut Canvas<'_>, draw: u64, steps: usize) {
        for (at, step) in self.steps.iter().enumerate().take(steps) {
            let drawn = self.chance(draw, at).and_then(|mut chance| drawn(step, &mut chance, canvas.size()));
            drawn.iter().for_each(|alteration| canvas.apply(alteration));
        }
    }

    /// How much of the second picture there is in this draw, 0 to 1: what a soft label gives the second class.
    pub fn share_of_other(&self, draw: u64) -> f64 {
        let mut own = 1.0;
        for (at, step) in self.steps.iter().enumerate().filter(|(_, step)| step.op.is_mixing()) {
            if let Some(mut chance) = self.chance(draw, at) {
                own *= 1.0 - chance.within(step.low, step.high);
            }
        }
        1.0 - own
    }
}

/// What a step does in one draw, on a picture of `size` pixels; `None` for one that alters texts.
fn drawn(step: &Step, chance: &mut Chance, size: (u32, u32)) -> Option<Alteration> {
    let (width, height) = (f64::from(size.0), f64::from(size.1));
    let number = chance.within(step.low, step.high);
    let somewhere = |chance: &mut Chance, width: f64, height: f64| Part {
        x: chance.part() * (1.0 - width),
        y: chance.part() * (1.0 - height),
        width,
        height,
    };
    Some(match step.op {
        Augmentation::Rotate => Alteration::Rotate(number),
        Augmentation::Scale => Alteration::Scale(number),
        Augmentation::Translate => Alteration::Translate(number, chance.within(step.low, step.high)),
        Augmentation::Shear => Alteration::Shear(number),
        Augmentation::Perspective => {
            Alteration::Perspective(std::array::from_fn(|_| (chance.part() * number, chance.part() * number)))
        }
        Augmentation::FlipHorizontal => Alteration::FlipHorizontal,
        Augmentation::FlipVertical => Alteration::FlipVertical,
        Augmentation::CentreCrop => {
            let at = (1.0 - number) / 2.0;
            Alteration::Crop(Part { x: at, y: at, width: number, height: number })
        }
        Augmentation::RandomCrop => Alteration::Crop(somewhere(chance, number, number)),
        Augmentation::RandomResizedCrop => {
            // torchvision's RandomResizedCrop: ten tries at an aspect from 3/4 to 4/3, then the whole.
            let mut area = number;
            for _ in 0..10 {
                let aspect = libm::exp(chance.within(libm::log(3.0 / 4.0), libm::log(4.0 / 3.0)));
                let wide = libm::sqrt(area * width * height * aspect) / width;
                let high = libm::sqrt(area * width * height / aspect) / height;
                if wide <= 1.0 && high <= 1.0 {
                    return Some(Alteration::ResizedCrop(somewhere(chance, wide, high)));
                }
                area = chance.within(step.low, step.high);
            }
            Alteration::ResizedCrop(Part { x: 0.0, y: 0.0, width: 1.0, height: 1.0 })
        }
        Augmentation::Resize => Alteration::Resize(number.round()),
        Augmentation::Brightness => Alteration::Brightness(number),
        Augmentation::Contrast => Alteration::Contrast(number),
        Augmentation::Saturation => Alteration::Saturation(number),
        Augmentation::Hue => Alteration::Hue(number),
        Augmentation::Gamma => Alteration::Gamma(number),
        Augmentation::Blur => Alteration::Blur(number),
        Augmentation::Sharpen => Alteration::Sharpen(number),
        Augmentation::Noise => Alteration::Noise(number, chance.bits()),
        Augmentation::JpegArtefacts => Alteration::Jpeg(number),
        Augmentation::Cutout => {
            let side = number * width.min(height);
            Alteration::Cutout(somewhere(chance, side / width, side / height))
        }
        Augmentation::Elastic => Alteration::Elastic(number, chance.bits()),
        Augmentation::Mixup => Alteration::Mixup(number),
        // Wholly within the picture, so that its area is the share that the label has.
        Augmentation::Cutmix => Alteration::Cutmix(somewhere(chance, libm::sqrt(number), libm::sqrt(number))),
        Augmentation::Greyscale => Alteration::Greyscale,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_chance_of_its_own() {
        let mut pipeline = Pipeline::empty("x");
        pipeline.steps = vec![Step::with(Augmentation::Rotate, 0.0, 90.0), Step { p: 0.5, ..Step::new(Augmentation::Noise) }];
        let rotation =
            |pipeline: &Pipeline, draw: u64| drawn(&pipeline.steps[0], &mut pipeline.chance(draw, 0).unwrap(), (8, 8)).unwrap();
        let before: Vec<Alteration> = (0..20).map(|draw| rotation(&pipeline, draw)).collect();
        pipeline.steps[1].p = 0.0;
        assert_eq!(before, (0..20).map(|draw| rotation(&pipeline, draw)).collect::<Vec<_>>());
        assert!(before.iter().any(|one| *one != before[0]));
        let happens = (0..2_000).filter(|draw| {
            let mut half = pipeline.clone();
            half.steps[1].p = 0.5;
            half.chance(*draw, 1).is_some()
        });
        assert!(happens.count().abs_diff(1_000) < 80);
    }

    #[test]
    fn crops_stay_within_and_shares_are_areas() {
        let step = Step::with(Augmentation::RandomResizedCrop, 0.2, 1.0);
        for seed in 0..500 {
            let Some(Alteration::ResizedCrop(part)) = drawn(&step, &mut Chance::new(seed), (400, 100)) else {
                panic!("another step")
            };
            assert!(part.x >= 0.0 && part.y >= 0.0 && part.x + part.width <= 1.0 + 1e-9 && part.y + part.height <= 1.0 + 1e-9);
            let area = part.width * part.height;
            assert!((0.2 - 1e-9..=1.0).contains(&area), "{area}");
        }
        let mut pipeline = Pipeline::empty("mix");
        pipeline.steps = vec![Step::with(Augmentation::Cutmix, 0.1, 0.4)];
        for draw in 0..200 {
            let share = pipeline.share_of_other(draw);
            let Some(Alteration::Cutmix(part)) = drawn(&pipeline.steps[0], &mut pipeline.chance(draw, 0).unwrap(), (64, 64))
            else {
                panic!("another step")
            };
            assert!((share - part.width * part.height).abs() < 1e-12);
        }
    }
}
