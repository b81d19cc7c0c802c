//! Augmenting texts: a pipeline's steps on words and sentences. Pure, and the same text for a seed on every machine.

mod asked;
mod lexicon;
mod ops;
mod tables;
mod words;

use asked::Answering;
use ops::{Setting, apply};
use words::Protected;

use crate::data::{Answers, Ask, AskKey, Missing, Pipeline};

/// Bytes that any text may grow to.
const LONGEST: usize = 1 << 16;

/// A text waits for an answer of a text model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting(pub AskKey);

/// A pipeline made ready for many texts.
pub struct TextAugmenter<'p> {
    pipeline: &'p Pipeline,
    setting: Setting<'p>,
    answers: Option<&'p Answers>,
    missing: Missing,
}

impl<'p> TextAugmenter<'p> {
    /// Makes a pipeline ready.
    pub fn new(pipeline: &'p Pipeline) -> Self {
        Self::with_answers(pipeline, None)
    }

    /// The same, with what text models have answered; without, steps that ask leave texts as they are.
    pub fn with_answers(pipeline: &'p Pipeline, answers: Option<&'p Answers>) -> Self {
        let setting = Setting { protected: Protected::new(&pipeline.protected), lexicon: &pipeline.lexicon };
        Self { pipeline, setting, answers, missing: Missing::default() }
    }

    /// The text as the draw of this seed alters it, by the first `steps` steps; where an answer is missing, as it is.
    pub fn alter(&self, draw: u64, steps: usize, text: &str) -> String {
        self.try_alter(draw, steps, text).unwrap_or_else(|_| text.to_owned())
    }

    /// The same.
    ///
    /// # Errors
    /// [`Waiting`] where an answer is missing: the question is noted.
    pub fn try_alter(&self, draw: u64, steps: usize, text: &str) -> Result<String, Waiting> {
        // Steps that add words are done with where a text has grown out of all measure.
        let most = text.len() * 8 + LONGEST;
        let mut text = text.to_owned();
        for (at, step) in self.pipeline.steps.iter().enumerate().take(steps).filter(|(_, step)| !step.op.is_of_pictures()) {
            if let Some(mut chance) = self.pipeline.chance(draw, at).filter(|_| text.len() <= most) {
                text = match self.answers {
                    Some(answers) if step.op.asks() => {
                        let asking = Answering { answers, missing: &self.missing, protected: &self.pipeline.protected };
                        asking.answered(step, &mut chance, text)?
                    }
                    _ => apply(step, &mut chance, &self.setting, &text),
                };
            }
        }
        Ok(text)
    }

    /// The questions that were not answered, each once.
    pub fn missing(&self) -> Vec<Ask> {
        self.missing.take()
    }
}
