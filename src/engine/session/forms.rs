//! What Augment and Balance are asked for, and what is shown of the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::{Augmentation, Dataset, Pipeline, Step};
use crate::operate::Tried;
use crate::transform::balance::{BalancePlan, BalanceRule, Over, Under};
use crate::transform::text_fields;

/// The most children of one sample that can be asked for.
pub const MOST_COPIES: u32 = 50;
/// How many originals are previewed, and how many draws of each.
pub const ORIGINALS: usize = 3;
pub const DRAWS: u32 = 3;
/// Of pictures, one draw more stands in a row.
pub const PICTURE_DRAWS: u32 = 4;

/// What Augment is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct AugmentForm {
    pub pipeline: Pipeline,
    /// The step whose numbers are shown.
    pub open: Option<usize>,
    pub copies: u32,
    pub seed: u64,
    /// New samples whose label is another with more than this probability are left out.
    pub most_risk: f32,
    /// Which draw is previewed, and which samples.
    pub draw: u64,
    pub page: usize,
    /// The steps up to this one are previewed; `None` for all.
    pub upto: Option<usize>,
    /// What has changed in pictures is shown instead of them.
    pub changes: bool,
    /// Whether the pipeline came from a file, and nobody has said yet that it may send texts.
    pub from_file: bool,
}

impl Default for AugmentForm {
    fn default() -> Self {
        Self {
            pipeline: Pipeline::empty("new pipeline"),
            open: None,
            copies: 1,
            seed: 42,
            most_risk: 0.3,
            draw: 0,
            page: 0,
            upto: None,
            changes: false,
            from_file: false,
        }
    }
}

impl AugmentForm {
    /// Whether it asks for the same as another, whichever step's numbers are shown.
    pub fn asks_as(&self, other: &Self) -> bool {
        *self == Self { open: self.open, ..other.clone() }
    }

    /// The form for a dataset: with steps that suit what it holds.
    pub fn of(dataset: &Dataset) -> Self {
        let mut form = Self::default();
        form.pipeline = if !text_fields(dataset).is_empty() {
            texts()
        } else if dataset.pictures().is_some() {
            pictures()
        } else {
            form.pipeline
        };
        form
    }
}

fn texts() -> Pipeline {
    let mut pipeline = Pipeline::empty("gentle text");
    pipeline.steps = vec![
        Step { p: 0.8, ..Step::with(Augmentation::SynonymReplacement, 0.1, 0.2) },
        Step { p: 0.3, ..Step::with(Augmentation::TypingErrors, 0.05, 0.1) },
        Step { p: 0.3, ..Step::new(Augmentation::Contractions) },
    ];
    pipeline
}

fn pictures() -> Pipeline {
    let mut pipeline = Pipeline::empty("gentle images");
    pipeline.steps = vec![
        Step { p: 0.8, ..Step::with(Augmentation::Rotate, -12.0, 12.0) },
        Step { p: 0.5, ..Step::with(Augmentation::RandomResizedCrop, 0.75, 1.0) },
        Step { p: 0.5, ..Step::with(Augmentation::Brightness, 0.8, 1.2) },
        Step { p: 0.5, ..Step::with(Augmentation::Contrast, 0.8, 1.2) },
    ];
    pipeline
}

/// The pipelines that are there to begin with.
pub fn starters() -> Vec<Pipeline> {
    vec![texts(), pictures()]
}

/// What a run would come to, from some hundred draws of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// Samples that would be augmented.
    pub parents: usize,
    /// The shares that come out as their parent, and whose risk is above the threshold.
    pub same: f64,
    pub risky: f64,
    /// Seconds and bytes each, on this machine.
    pub seconds: f64,
    pub bytes: f64,
    /// Questions to text models that one comes to.
    pub asks: f64,
}

/// The rules, as they are chosen.
pub const RULES: [(&str, &str); 7] = [
    ("equal", "every class the same"),
    ("floor", "every class at least"),
    ("cap", "every class at most"),
    ("square root", "in proportion to the square root of what there is"),
    ("by hand", "what you drag the bars to"),
    ("own weights", "in proportion to the bars as you drag them, the total kept"),
    ("leave the rows", "export class weights instead"),
];
/// The places of some of them.
pub const BY_HAND: usize = 4;
pub const BY_WEIGHT: usize = 5;
pub const WEIGHTS: usize = 6;

/// What Balance is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct BalanceForm {
    /// The label column; empty for the first.
    pub label: String,
    /// The place of the rule.
    pub rule: usize,
    /// How many samples a class is to have, where the rule takes that; 0 for the mean.
    pub n: u64,
    /// What bars were dragged to, by class.
    pub own: BTreeMap<String, u64>,
    pub under: Under,
    pub over: Over,
    pub seed: u64,
    /// The F1 that classes should reach, for what to collect.
    pub wanted: f32,
    /// The effective number's β; 0 for balanced weights.
    pub beta: f64,
}

impl Default for BalanceForm {
    fn default() -> Self {
        Self {
            label: String::new(),
            rule: 0,
            n: 0,
            own: BTreeMap::new(),
            under: Under::Random,
            over: Over::Repeat,
            seed: 42,
            wanted: 0.9,
            beta: 0.0,
        }
    }
}

impl BalanceForm {
    /// Asks for a way that was tried.
    pub fn choose(&mut self, tried: &Tried) {
        (self.rule, self.n) = match &tried.rule {
            BalanceRule::Equal(n) => (0, *n),
            BalanceRule::Floor(n) => (1, *n),
            BalanceRule::Cap(n) => (2, *n),
            _ => (3, self.n),
        };
        self.over = tried.over;
    }

    /// Asks for the best of those that were tried; where none is better than the samples as they are, rows stay as they are.
    pub fn choose_best(&mut self, tried: &[Tried]) {
        match tried.first() {
            Some(best) if best.gain.0 > 0.0 => self.choose(best),
            Some(_) => self.rule = WEIGHTS,
            None => {}
        }
    }

    /// Whether it asks for that way.
    pub fn is_of(&self, tried: &Tried) -> bool {
        self.rule < BY_HAND && self.rule() == tried.rule && (self.over == tried.over || tried.more == 0)
    }

    /// The rule with its number.
    pub fn rule(&self) -> BalanceRule {
        match self.rule {
            0 => BalanceRule::Equal(self.n),
            1 => BalanceRule::Floor(self.n),
            2 => BalanceRule::Cap(if self.n == 0 { u64::MAX } else { self.n }),
            3 => BalanceRule::SquareRoot,
            BY_HAND => BalanceRule::Counts(self.own.clone()),
            BY_WEIGHT => BalanceRule::Weights(self.own.iter().map(|(name, weight)| (name.clone(), *weight as f64)).collect()),
            _ => BalanceRule::Counts(BTreeMap::new()),
        }
    }
}

/// A plan on screen.
pub struct BalanceView {
    pub label: String,
    pub names: Vec<Arc<str>>,
    pub plan: BalancePlan,
    /// Samples in the train part, made ones among them.
    pub samples: usize,
    /// Whether there are numbers that SMOTE can work on, and whether anything can be probed.
    pub numbers: bool,
    /// The effective sample size, now and planned, and how often the sample stands there that does most often.
    pub effective: [f64; 2],
    pub most: u32,
}
