//! How new samples are made of known ones: a pipeline of augmentations, and the registry of those there are. Plain data, saved and
//! shared as JSON; `pixels::alter` and `transform` carry it out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One way to alter a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Augmentation {
    SynonymReplacement,
    RandomInsertion,
    RandomSwap,
    RandomDeletion,
    TypingErrors,
    OcrErrors,
    LetterCase,
    Punctuation,
    Contractions,
    SpellingVariants,
    SentenceShuffle,
    SentenceCrop,
    EntitySwap,
    Template,
    BackTranslation,
    Paraphrase,
    Rotate,
    Scale,
    Translate,
    Shear,
    Perspective,
    FlipHorizontal,
    FlipVertical,
    CentreCrop,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    Brightness,
    Contrast,
    Saturation,
    Hue,
    Gamma,
    Greyscale,
    Blur,
    Sharpen,
    Noise,
    JpegArtefacts,
    Cutout,
    Elastic,
    Mixup,
    Cutmix,
}

/// The range that a number of an augmentation is drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// What may be asked for.
    pub least: f64,
    pub most: f64,
    /// What is asked for unless somebody says otherwise.
    pub low: f64,
    pub high: f64,
    /// What is counted: `degrees`, `of words`.
    pub unit: &'static str,
}

#[allow(clippy::unnecessary_wraps)]
const fn range(least: f64, most: f64, low: f64, high: f64, unit: &'static str) -> Option<Range> {
    Some(Range { least, most, low, high, unit })
}

impl Augmentation {
    /// Every augmentation: of texts first, each group from the mildest on.
    pub const ALL: [Self; 41] = [
        Self::SynonymReplacement,
        Self::RandomInsertion,
        Self::RandomSwap,
        Self::RandomDeletion,
        Self::TypingErrors,
        Self::OcrErrors,
        Self::LetterCase,
        Self::Punctuation,
        Self::Contractions,
        Self::SpellingVariants,
        Self::SentenceShuffle,
        Self::SentenceCrop,
        Self::EntitySwap,
        Self::Template,
        Self::BackTranslation,
        Self::Paraphrase,
        Self::Rotate,
        Self::Scale,
        Self::Translate,
        Self::Shear,
        Self::Perspective,
        Self::FlipHorizontal,
        Self::FlipVertical,
        Self::CentreCrop,
        Self::RandomCrop,
        Self::RandomResizedCrop,
        Self::Resize,
        Self::Brightness,
        Self::Contrast,
        Self::Saturation,
        Self::Hue,
        Self::Gamma,
        Self::Greyscale,
        Self::Blur,
        Self::Sharpen,
        Self::Noise,
        Self::JpegArtefacts,
        Self::Cutout,
        Self::Elastic,
        Self::Mixup,
        Self::Cutmix,
    ];

    /// Its name in a pipeline's JSON.
    pub fn name(self) -> String {
        serde_json::to_string(&self).unwrap_or_default().trim_matches('"').to_owned()
    }

    /// Its name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::SynonymReplacement => "Synonym replacement",
            Self::RandomInsertion => "Random insertion",
            Self::RandomSwap => "Random swap",
            Self::RandomDeletion => "Random deletion",
            Self::TypingErrors => "Typing errors",
            Self::OcrErrors => "OCR confusions",
            Self::LetterCase => "Letter case",
            Self::Punctuation => "Punctuation",
            Self::Contractions => "Contractions",
            Self::SpellingVariants => "Spelling variants",
            Self::SentenceShuffle => "Sentence shuffle",
            Self::SentenceCrop => "Sentence crop",
            Self::EntitySwap => "Entity swap",
            Self::Template => "Template",
            Self::BackTranslation => "Back translation",
            Self::Paraphrase => "Paraphrase",
            Self::Rotate => "Rotate",
            Self::Scale => "Scale",
            Self::Translate => "Translate",
            Self::Shear => "Shear",
            Self::Perspective => "Perspective",
            Self::FlipHorizontal => "Flip left to right",
            Self::FlipVertical => "Flip upside down",
            Self::CentreCrop => "Centre crop",
            Self::RandomCrop => "Random crop",
            Self::RandomResizedCrop => "Random resized crop",
            Self::Resize => "Resize",
            Self::Brightness => "Brightness",
            Self::Contrast => "Contrast",
            Self::Saturation => "Saturation",
            Self::Hue => "Hue",
            Self::Gamma => "Gamma",
            Self::Greyscale => "Greyscale",
            Self::Blur => "Blur",
            Self::Sharpen => "Sharpen",
            Self::Noise => "Noise",
            Self::JpegArtefacts => "JPEG artefacts",
            Self::Cutout => "Cutout",
            Self::Elastic => "Elastic",
            Self::Mixup => "Mixup",
            Self::Cutmix => "CutMix",
        }
    }

    /// What it does.
    pub fn help(self) -> &'static str {
        match self {
            Self::SynonymReplacement => {
                "Words become WordNet synonyms, in the same inflection; stop words and protected terms stay"
            }
            Self::RandomInsertion => "A synonym of some word is put in at a random place",
            Self::RandomSwap => "Two words change places",
            Self::RandomDeletion => "Words are left out, each with this probability; one always stays",
            Self::TypingErrors => "A neighbouring key, a letter missing, doubled, or two in the wrong order",
            Self::OcrErrors => "Letters that a scanner mistakes: 0 and O, rn and m",
            Self::LetterCase => "All small, all capitals, or each word begun with one",
            Self::Punctuation => "Marks left out, or put at the end",
            Self::Contractions => "“do not” becomes “don't”, or the other way round",
            Self::SpellingVariants => "British and American spelling: colour, color",
            Self::SentenceShuffle => "Sentences in another order",
            Self::SentenceCrop => "Some sentences in a row are kept; of one sentence, some words in a row",
            Self::EntitySwap => "A name of your list becomes another of it",
            Self::Template => "The text is put into one of your templates, where {text} stands",
            Self::BackTranslation => "A text model translates it into another language, and back again",
            Self::Paraphrase => "A text model says it in other words",
            Self::Rotate => "Turned about the centre; what comes in at the edges is mirrored",
            Self::Scale => "Larger or smaller about the centre",
            Self::Translate => "Moved across and down, by parts of the sides",
            Self::Shear => "Slanted sideways",
            Self::Perspective => "Each corner moved inwards, by up to this part of the sides",
            Self::FlipHorizontal => "Mirrored: left is right. Changes the meaning of letters, and of left and right",
            Self::FlipVertical => "Mirrored: up is down",
            Self::CentreCrop => "The middle is kept: this part of each side",
            Self::RandomCrop => "Somewhere, this part of each side is kept",
            Self::RandomResizedCrop => "Somewhere, this part of the area is kept, made as large as the whole was",
            Self::Resize => "The longer side gets this many pixels",
            Self::Brightness => "Times this much light",
            Self::Contrast => "Away from the mean grey by this factor",
            Self::Saturation => "Away from grey by this factor; 0 is none",
            Self::Hue => "Colours moved round the wheel",
            Self::Gamma => "Raised to this power: below 1 lightens the shadows",
            Self::Greyscale => "Without colour (ITU-R BT.601)",
            Self::Blur => "Gaussian blur of this deviation",
            Self::Sharpen => "Unsharp mask of this amount",
            Self::Noise => "Gaussian noise of this deviation, of 255",
            Self::JpegArtefacts => "As if saved as a JPEG of this quality",
            Self::Cutout => "A square of this part of the shorter side becomes the mean colour",
            Self::Elastic => "Bent like rubber, by up to this part of the sides",
            Self::Mixup => "Laid over another picture, whose part is this; the label becomes soft",
            Self::Cutmix => "A patch of another picture, of this part of the area; the label becomes soft",
        }
    }

    /// Whether it alters pictures rather than texts.
    pub fn is_of_pictures(self) -> bool {
        self as usize >= Self::Rotate as usize
    }

    /// Whether it asks a text model, which the user names.
    pub fn asks(self) -> bool {
        matches!(self, Self::BackTranslation | Self::Paraphrase)
    }

    /// Whether it takes a second sample.
    pub fn is_mixing(self) -> bool {
        matches!(self, Self::Mixup | Self::Cutmix)
    }

    /// What its list holds, where it has one.
    pub fn list(self) -> Option<&'static str> {
        match self {
            Self::EntitySwap => Some("names, one a line"),
            Self::Template => Some("templates with {text}, one a line"),
            Self::BackTranslation => Some("languages to go by, one a line"),
            _ => None,
        }
    }

    /// What its number is drawn from; `None` where it has none.
    pub fn range(self) -> Option<Range> {
        match self {
            Self::SynonymReplacement | Self::RandomInsertion | Self::RandomSwap => range(0.0, 1.0, 0.1, 0.2, "of words"),
            Self::RandomDeletion => range(0.0, 1.0, 0.05, 0.1, "of words"),
            Self::TypingErrors | Self::OcrErrors => range(0.0, 1.0, 0.05, 0.15, "of words"),
            Self::SentenceCrop => range(0.05, 1.0, 0.5, 0.9, "of it"),
            Self::BackTranslation | Self::Paraphrase => range(0.0, 2.0, 0.7, 1.0, "temperature"),
            Self::Rotate => range(-180.0, 180.0, -15.0, 15.0, "degrees"),
            Self::Scale => range(0.25, 4.0, 0.8, 1.2, "times"),
            Self::Translate => range(-1.0, 1.0, -0.1, 0.1, "of the sides"),
            Self::Shear => range(-60.0, 60.0, -10.0, 10.0, "degrees"),
            Self::Perspective => range(0.0, 0.45, 0.0, 0.15, "of the sides"),
            Self::CentreCrop => range(0.1, 1.0, 0.8, 0.8, "of the sides"),
            Self::RandomCrop => range(0.1, 1.0, 0.7, 0.9, "of the sides"),
            Self::RandomResizedCrop => range(0.05, 1.0, 0.6, 1.0, "of the area"),
            Self::Resize => range(8.0, 4_096.0, 224.0, 224.0, "pixels"),
            Self::Brightness | Self::Contrast => range(0.0, 3.0, 0.8, 1.2, "times"),
            Self::Saturation => range(0.0, 3.0, 0.7, 1.3, "times"),
            Self::Hue => range(-180.0, 180.0, -10.0, 10.0, "degrees"),
            Self::Gamma => range(0.2, 5.0, 0.8, 1.25, "power"),
            Self::Blur => range(0.0, 20.0, 0.0, 1.5, "pixels"),
            Self::Sharpen => range(0.0, 4.0, 0.2, 1.0, "times"),
            Self::Noise => range(0.0, 100.0, 0.0, 10.0, "of 255"),
            Self::JpegArtefacts => range(5.0, 100.0, 30.0, 80.0, "quality"),
            Self::Cutout => range(0.02, 0.9, 0.1, 0.3, "of the side"),
            Self::Elastic => range(0.0, 0.2, 0.0, 0.04, "of the sides"),
            Self::Mixup | Self::Cutmix => range(0.0, 0.5, 0.1, 0.4, "of the other"),
            Self::LetterCase
            | Self::Punctuation
            | Self::Contractions
            | Self::SpellingVariants
            | Self::SentenceShuffle
            | Self::EntitySwap
            | Self::Template
            | Self::FlipHorizontal
            | Self::FlipVertical
            | Self::Greyscale => None,
        }
    }
}

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it does.
    pub op: Augmentation,
    /// How probably it is done at all, 0 to 1.
    #[serde(default = "always")]
    pub p: f64,
    /// Its number is drawn evenly from here to there; 0 where it has none.
    #[serde(default = "unset")]
    pub low: f64,
    #[serde(default = "unset")]
    pub high: f64,
    /// Names, templates, or languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<String>,
    /// The text model that is asked, by the name its user gave it. Where it is to be found stands in no pipeline: one that came from
    /// somebody else sends nothing anywhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The language of the texts, which a translation goes back to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// Whether it is switched off: it stands in its place and does nothing, so that what the others draw stays as it is.
    #[serde(default, skip_serializing_if = "is_not")]
    pub off: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_not(flag: &bool) -> bool {
    !flag
}

fn always() -> f64 {
    1.0
}

fn unset() -> f64 {
    f64::NAN
}

impl Step {
    /// A step as it is at first.
    pub fn new(op: Augmentation) -> Self {
        let (low, high) = op.range().map_or((0.0, 0.0), |range| (range.low, range.high));
        let list = match op {
            Augmentation::Template => vec!["Hello, {text}".to_owned(), "{text} Thanks".to_owned()],
            Augmentation::BackTranslation => vec!["German".to_owned()],
            _ => Vec::new(),
        };
        let language = if op == Augmentation::BackTranslation { "English" } else { "" }.to_owned();
        let p = if op.is_of_pictures() { 0.5 } else { 0.8 };
        Self { op, p, low, high, list, model: String::new(), language, off: false }
    }

    /// How probably it happens, 0 to 1: never where it is switched off.
    pub fn happens(&self) -> f64 {
        if self.off { 0.0 } else { self.p }
    }

    /// The same, always done, its number from `low` to `high`.
    pub fn with(op: Augmentation, low: f64, high: f64) -> Self {
        Self { p: 1.0, low, high, ..Self::new(op) }
    }
}

/// A list of steps under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Terms that no step touches, small letters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<String>,
    /// A user's own synonyms, which go before `WordNet`'s.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lexicon: BTreeMap<String, Vec<String>>,
    /// The steps, in the order they are done.
    pub steps: Vec<Step>,
}

/// The most steps of a pipeline, and the most names of one.
const MOST_STEPS: usize = 64;

impl Pipeline {
    /// A pipeline without steps.
    pub fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), protected: Vec::new(), lexicon: BTreeMap::new(), steps: Vec::new() }
    }

    /// Reads a pipeline, and holds its numbers against what their steps take.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(json: &str) -> Result<Self, String> {
        let mut pipeline: Self = serde_json::from_str(json).map_err(|error| format!("the pipeline cannot be read: {error}"))?;
        pipeline.check()?;
        Ok(pipeline)
    }

    /// Holds a pipeline's numbers and lists against what its steps take; what was left out gets its usual value.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn check(&mut self) -> Result<(), String> {
        let pipeline = self;
        if pipeline.steps.is_empty() {
            return Err("the pipeline has no steps".to_owned());
        }
        if pipeline.steps.len() > MOST_STEPS {
            return Err(format!("the pipeline has {} steps, and {MOST_STEPS} are the most", pipeline.steps.len()));
        }
        for (at, step) in pipeline.steps.iter_mut().enumerate() {
            let name = || format!("step {} ({})", at + 1, step.op.title());
            if !(0.0..=1.0).contains(&step.p) {
                return Err(format!("{}: p is a probability, 0 to 1, not {}", name(), step.p));
            }
            match step.op.range() {
                None => (step.low, step.high) = (0.0, 0.0),
                Some(range) => {
                    let (low, high) = match (step.low.is_nan(), step.high.is_nan()) {
                        (true, true) => (range.low, range.high),
                        (true, false) => (range.low.min(step.high), step.high),
                        (false, true) => (step.low, range.high.max(step.low)),
                        (false, false) => (step.low, step.high),
                    };
                    let fits = |value: f64| (range.least..=range.most).contains(&value);
                    if !fits(low) || !fits(high) || low > high {
                        let Range { least, most, unit, .. } = range;
                        return Err(format!("{}: {low} to {high} is no range within {least} to {most} {unit}", name()));
                    }
                    (step.low, step.high) = (low, high);
                }
            }
            let usual = Step::new(step.op);
            if step.op == Augmentation::BackTranslation && step.list.is_empty() {
                step.list = usual.list;
            }
            if step.language.is_empty() {
                step.language = usual.language;
            }
            if step.op.asks() && step.model.trim().is_empty() {
                return Err(format!("{}: it names no text model; choose one, or add one", name()));
            }
            if let Some(what) = step.op.list()
                && step.list.is_empty()
            {
                return Err(format!("{}: its list is empty; it takes {what}", name()));
            }
            if step.op == Augmentation::Template && !step.list.iter().all(|template| template.matches("{text}").count() == 1) {
                return Err(format!("{}: every template says {{text}} once, where the text goes", name()));
            }
        }
        pipeline.protected.iter_mut().for_each(|term| *term = term.to_lowercase());
        Ok(())
    }

    /// The pipeline as JSON, which [`Pipeline::parse`] reads.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether any step alters pictures.
    pub fn alters_pictures(&self) -> bool {
        self.steps.iter().any(|step| step.op.is_of_pictures() && !step.off)
    }

    /// Whether any step alters texts.
    pub fn alters_texts(&self) -> bool {
        self.steps.iter().any(|step| !step.op.is_of_pictures() && !step.off)
    }

    /// The text models that its steps ask, each once.
    pub fn models(&self) -> Vec<&str> {
        let mut list: Vec<&str> = Vec::new();
        for step in self.steps.iter().filter(|step| step.op.asks() && step.happens() > 0.0) {
            if !list.contains(&step.model.as_str()) {
                list.push(&step.model);
            }
        }
        list
    }

    /// Whether any step takes a second sample.
    pub fn mixes(&self) -> bool {
        self.steps.iter().any(|step| step.op.is_mixing() && !step.off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_reads_back_and_says_what_is_wrong() {
        for op in Augmentation::ALL {
            let mut pipeline = Pipeline::empty("one");
            pipeline.steps.push(Step::new(op));
            if op == Augmentation::EntitySwap {
                pipeline.steps[0].list = vec!["London".to_owned(), "Paris".to_owned()];
            }
            if op.asks() {
                pipeline.steps[0].model = "mine".to_owned();
            }
            assert_eq!(Pipeline::parse(&pipeline.to_json()).unwrap(), pipeline);
            assert!(pipeline.to_json().contains(&op.name()));
        }
        let short = Pipeline::parse(r#"{"steps": [{"op": "rotate", "low": 5}, {"op": "greyscale", "p": 0.25}]}"#).unwrap();
        assert_eq!((short.steps[0].p, short.steps[0].low, short.steps[0].high), (1.0, 5.0, 15.0));
        for (bad, says) in [
            ("", "cannot be read"),
            (r#"{"steps": []}"#, "no steps"),
            (r#"{"steps": [{"op": "turn"}]}"#, "unknown variant `turn`"),
            (r#"{"steps": [{"op": "rotate", "p": 2}]}"#, "step 1 (Rotate): p is a probability"),
            (r#"{"steps": [{"op": "rotate", "low": -900}]}"#, "within -180 to 180 degrees"),
            (r#"{"steps": [{"op": "scale", "low": 2, "high": 1}]}"#, "2 to 1"),
            (r#"{"steps": [{"op": "template", "list": ["no"]}]}"#, "every template"),
            (r#"{"steps": [{"op": "entity_swap"}]}"#, "list is empty"),
            (r#"{"steps": [{"op": "paraphrase"}]}"#, "names no text model"),
            (r#"{"steps": [{"op": "rotate", "hgih": 3}]}"#, "unknown field"),
        ] {
            let error = Pipeline::parse(bad).unwrap_err();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }
}
