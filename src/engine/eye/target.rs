//! For whom: a trainer, a model, a limit.

use serde::{Deserialize, Serialize};

use crate::io::{ChatModel, ChatModelOf};
use crate::render::RenderTime;
use crate::trainers::chat_rows::{TrainerModel, axolotl_row, trl_row};
use crate::trainers::packing::{PackWay, RowPacking};
use crate::trainers::rows::{Reason, RowForm, RowVerdict, TrainerRow};
use crate::trainers::{axolotl, llamafactory, llamafactory_rows, trl};

/// A trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Trainer {
    #[default]
    LlamaFactory,
    Trl,
    Axolotl,
}

/// A trainer, and what is said of it.
pub struct TrainerEntry {
    pub trainer: Trainer,
    /// Its name on the command line.
    pub name: &'static str,
    /// On screen, with the version whose rules are followed.
    pub title: &'static str,
    /// What its limit is called, and where it stands unless somebody moves it.
    pub limit: &'static str,
    pub usual: usize,
    /// What it does with what is too long, in words.
    pub too_long: &'static str,
    /// Forms that it reads.
    pub reads: &'static [RowForm],
    /// How it packs rows into sequences, where it is asked to.
    pub packing: RowPacking,
    row: fn(&TrainerTarget, &ChatModel, RowForm, &TrainerRow) -> RowVerdict,
}

/// Every trainer. To add one is a file of its rules among the kernel's trainers, and its entry here.
pub static TRAINERS: [TrainerEntry; 3] = [
    TrainerEntry {
        trainer: Trainer::LlamaFactory,
        name: "llamafactory",
        title: "LLaMA-Factory 0.9.5",
        limit: "cutoff_len",
        usual: 2_048,
        too_long: "question and answer are cut by their ratio, and turns beyond are left out",
        reads: &RowForm::ALL,
        packing: RowPacking { way: PackWay::FirstFit, rows: 1_000, kept_free: 1 },
        row: |target, model, form, row| {
            let Some(template) = model.llamafactory else {
                return RowVerdict::Fails(Reason::Template, "no template of LLaMA-Factory's is known for this model".to_owned());
            };
            // Where the template says what ends an answer, that is the tokenizer's end from then on.
            let eos = template.stop.and_then(|stop| model.tokenizer.id_of(stop)).or(model.eos);
            let encoder = llamafactory::FactoryEncoder { template, tokenizer: &model.tokenizer, bos: model.bos, eos };
            let options = llamafactory::FactoryOptions { cutoff: target.length, ..llamafactory::FactoryOptions::default() };
            llamafactory_rows::row(form, row, &encoder, &options)
        },
    },
    TrainerEntry {
        trainer: Trainer::Trl,
        name: "trl",
        title: "TRL 1.16 SFT",
        limit: "max_length",
        usual: 1_024,
        too_long: "the end is cut off",
        reads: &[RowForm::OpenAi, RowForm::ShareGpt, RowForm::PromptCompletion, RowForm::Text],
        packing: RowPacking { way: PackWay::BestFit, rows: 1_000, kept_free: 0 },
        row: |target, model, form, row| {
            let options =
                trl::TrlOptions { max_length: target.length, assistant_only: target.answers_only, ..trl::TrlOptions::default() };
            trl_row(form, row, &of(model, target), &options)
        },
    },
    TrainerEntry {
        trainer: Trainer::Axolotl,
        name: "axolotl",
        title: "Axolotl 0.19",
        limit: "sequence_len",
        usual: 2_048,
        too_long: "the row is left out",
        reads: &[RowForm::OpenAi, RowForm::ShareGpt, RowForm::Alpaca, RowForm::Text],
        packing: RowPacking { way: PackWay::FirstFit, rows: 100_000, kept_free: 0 },
        row: |target, model, form, row| {
            let options = axolotl::AxolotlOptions { sequence_len: target.length, ..axolotl::AxolotlOptions::default() };
            axolotl_row(form, row, &of(model, target), &options)
        },
    },
];

fn of<'m>(model: &'m ChatModel, target: &TrainerTarget) -> TrainerModel<'m> {
    TrainerModel {
        template: &model.template,
        marking: model.marking.as_ref(),
        tokenizer: &model.tokenizer,
        tokens: &model.tokens,
        eos: model.eos,
        now: target.now(),
    }
}

impl Trainer {
    /// Its entry.
    pub fn entry(self) -> &'static TrainerEntry {
        // Every trainer has its entry: they are listed in the order of their names here.
        &TRAINERS[self as usize]
    }

    /// The trainer of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        TRAINERS.iter().find(|entry| entry.name == name).map(|entry| entry.trainer)
    }
}

/// For whom rows are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrainerTarget {
    pub trainer: Trainer,
    pub model: ChatModelOf,
    /// The most tokens of a row.
    pub length: usize,
    /// TRL's `assistant_only_loss`.
    #[serde(default)]
    pub answers_only: bool,
    /// The day that templates are told, in seconds since 1970: the same day gives the same tokens.
    #[serde(default)]
    pub day: i64,
}

impl Default for TrainerTarget {
    fn default() -> Self {
        let trainer = Trainer::default();
        Self { trainer, model: ChatModelOf::default(), length: trainer.entry().usual, answers_only: false, day: DAY }
    }
}

/// The day where nobody names another: 25 November 2026, noon.
const DAY: i64 = 1_795_608_000;

impl TrainerTarget {
    fn now(&self) -> RenderTime {
        RenderTime::at(if self.day == 0 { DAY } else { self.day })
    }

    /// What becomes of a row.
    pub fn verdict(&self, model: &ChatModel, form: RowForm, row: &TrainerRow) -> RowVerdict {
        (self.trainer.entry().row)(self, model, form, row)
    }
}
