//! Augmenting texts: a pipeline's steps on words and sentences. Pure, and the same text for a seed on every machine.

mod lexicon;
mod ops;
mod tables;
mod words;

use ops::{Setting, apply};
use words::Protected;

use crate::data::Pipeline;

/// Bytes that any text may grow to.
const LONGEST: usize = 1 << 16;

/// A pipeline made ready for many texts.
pub struct TextAugmenter<'p> {
    pipeline: &'p Pipeline,
    setting: Setting<'p>,
}

impl<'p> TextAugmenter<'p> {
    /// Makes a pipeline ready.
    pub fn new(pipeline: &'p Pipeline) -> Self {
        let setting = Setting { protected: Protected::new(&pipeline.protected), lexicon: &pipeline.lexicon };
        Self { pipeline, setting }
    }

    /// The text as the draw of this seed alters it, by the first `steps` steps.
    pub fn alter(&self, draw: u64, steps: usize, text: &str) -> String {
        // Steps that add words are done with where a text has grown out of all measure.
        let most = text.len() * 8 + LONGEST;
        let mut text = text.to_owned();
        for (at, step) in self.pipeline.steps.iter().enumerate().take(steps).filter(|(_, step)| !step.op.is_of_pictures()) {
            if let Some(mut chance) = self.pipeline.chance(draw, at).filter(|_| text.len() <= most) {
                text = apply(step, &mut chance, &self.setting, &text);
            }
        }
        text
    }
}
